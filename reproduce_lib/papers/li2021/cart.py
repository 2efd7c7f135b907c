"""2019F: a decision tree on the eight indicators, of main shocks on a fixed grid of days."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.papers.li2021.evaluation import (
    ClassifierParameters,
    Fold,
    Forecast,
    evaluate,
)
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import Labels, SampleSet, Segmentation, Values, load_samples
from reproduce_lib.units import UnitResult


class CartParameters(ClassifierParameters):
    """The tree of the paper's reference 7, grown until its leaves are pure, as CART without pruning is."""

    experiment: ClassVar[str] = "cart"

    segmentation: Segmentation = "fixed_days"
    least_leaf: int = Field(default=1, ge=1, le=1000)


class PermutationParameters(CartParameters):
    """The tree on labels that were permuted ``permutations`` times: what it scores when nothing can be learned."""

    experiment: ClassVar[str] = "permutations"

    labels: Literal["permuted"] = "permuted"
    permutations: int = Field(default=200, ge=1, le=100_000)


def run_cart(parameters: CartParameters) -> UnitResult:
    """Grow one tree per fold and score it."""
    sample_set = load_samples(parameters)
    keep = parameters.profile == "full" and parameters.labels == "true"
    return evaluate(parameters, sample_set, _classifier(parameters, sample_set), keep=keep)


def run_permutations(parameters: PermutationParameters) -> UnitResult:
    """Score the tree on many permutations of the labels.

    Metrics are the mean, and the quantile that one in twenty permutations exceeds; all scores are kept.
    """
    sample_set = load_samples(parameters)
    generator = np.random.default_rng(parameters.random_seeds(1)[0])
    scores = []
    for _ in range(parameters.permutations):
        permuted = SampleSet(
            sample_set.events,
            sample_set.samples,
            generator.permutation(sample_set.labels),
            sample_set.indicators,
            sample_set.patterns,
            sample_set.files,
        )
        unit = CartParameters.of(
            **{**parameters.model_dump(exclude={"permutations", "labels"}), "profile": "custom", "labels": "true"}
        ).with_values(seed=int(generator.integers(2**31)))
        found = evaluate(unit, permuted, _classifier(unit, permuted)).metrics
        scores.append((found["accuracy"], found["mauc"]))
    accuracies, areas = np.array(scores, dtype=float).T
    metrics = {
        f"{name}{suffix}": value
        for name, values in (("accuracy", accuracies), ("mauc", areas))
        for suffix, value in (("", float(values.mean())), ("_95", float(np.quantile(values, 0.95))))
    }
    arrays = {"accuracy": accuracies.astype(np.float32), "mauc": areas.astype(np.float32)}
    return UnitResult({**metrics}, parameters.permutations, sample_set.files, arrays)


def _classifier(parameters: CartParameters, sample_set: SampleSet) -> _Tree:
    return _Tree(sample_set.indicators, parameters.least_leaf)


class _Tree:
    """A decision tree as a `Classifier`."""

    def __init__(self, indicators: Values, least_leaf: int) -> None:
        self._indicators = indicators
        self._least_leaf = least_leaf

    def __call__(self, fold: Fold, labels: Labels, seed: int) -> Forecast:
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(min_samples_leaf=self._least_leaf, random_state=seed)
        tree.fit(self._indicators[fold.training], labels[fold.training])
        test, training = (
            _all_classes(tree.predict_proba(self._indicators[part]), tree.classes_)
            for part in (fold.test, fold.training)
        )
        return Forecast(test, training)


def _all_classes(probabilities: Values, classes: NDArray[np.intp]) -> Values:
    """Return a column for each of the five classes; one that the tree never saw has probability 0."""
    every = np.zeros((len(probabilities), CLASSES))
    every[:, classes] = probabilities
    return every
