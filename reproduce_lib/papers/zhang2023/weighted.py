"""Weighted-DT and Weighted-SVM: scikit-learn's tree and linear machine with classes weighed by their rarity."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data.aeta import CLASSES
from reproduce_lib.papers.zhang2023.evaluation import DesignParameters, Fold, Forecast, evaluate
from reproduce_lib.papers.zhang2023.samples import Values, load_samples
from reproduce_lib.papers.zhang2023.scaling import scaler
from reproduce_lib.units import UnitResult

Method = Literal["tree", "svm"]
METHODS: tuple[Method, ...] = get_args(Method)


class WeightedParameters(DesignParameters):
    """One of the two methods of the paper's reference 22, on all features of all times of a sample."""

    experiment: ClassVar[str] = "weighted"

    method: Method = "tree"


def run_weighted(parameters: WeightedParameters) -> UnitResult:
    """Fit on each fold and judge; what a network stops by is trained on here."""
    samples = load_samples(parameters)

    def classify(fold: Fold, seed: int) -> Forecast:
        scaled = scaler(parameters.scaling, samples.inputs[fold.known])(samples.inputs)
        flat = scaled.reshape(len(scaled), -1)
        model = _model(parameters.method, seed).fit(flat[fold.known], samples.labels[fold.known])
        return Forecast(_scores(model, flat[fold.test]))

    return evaluate(parameters, samples, classify, keep=parameters.is_the_papers_design)


def _scores(model: Any, tested: NDArray[np.floating[Any]]) -> Values:
    """Return scores that add up to 1, shape (samples, classes); the largest is that of the class that is named.

    A grown tree is sure of its class. The machine's are the softmax of its decision values, as a network's are of its
    last layer's: a class named alone would order nothing, and have a smaller area under the curve for it.
    """
    from scipy.special import softmax
    from sklearn.tree import DecisionTreeClassifier

    found: Values = np.zeros((len(tested), CLASSES))
    rows, named = np.arange(len(tested)), model.predict(tested)
    if isinstance(model, DecisionTreeClassifier):
        found[rows, named] = 1
        return found
    decisions = model.decision_function(tested)
    if decisions.ndim == 1:
        # Of two classes scikit-learn gives how much more it decides for the second.
        decisions = np.stack([-decisions, decisions], axis=1)
    found[:, model.classes_] = softmax(decisions, axis=1)
    # Pairs of classes vote; of as many votes the machine names the first class, whatever its decision value.
    largest = found.argmax(axis=1)
    found[rows, largest], found[rows, named] = found[rows, named], found[rows, largest]
    return found


def _model(method: Method, seed: int) -> Any:
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    if method == "tree":
        return DecisionTreeClassifier(class_weight="balanced", random_state=seed)
    # The paper calls its machine a linear classifier.
    return SVC(kernel="linear", class_weight="balanced")
