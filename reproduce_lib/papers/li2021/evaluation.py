"""Ten folds and their scores, the same for every classifier, and the splits that the paper did not use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.class_scores import accuracy, mean_auc
from reproduce_lib.main_shocks import Samples
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import Labels, SampleParameters, SampleSet, Values
from reproduce_lib.units import MetricValue, UnitResult

Split = Literal["shuffled", "grouped", "forward"]
LabelSource = Literal["true", "permuted"]
FOLDS = 10


class ClassifierParameters(SampleParameters):
    """What a classifier sees and how it is judged.

    ``split`` is ten shuffled folds as in the paper (section IV-A), ten blocks in time from whose training part
    everything that shares an event with the block is taken out (``grouped``), or blocks in time of which each is
    forecast by what came before (``forward``). ``labels`` may be ``permuted``, so that nothing can be learned.
    """

    split: Split = "shuffled"
    labels: LabelSource = "true"


@dataclass(frozen=True)
class Fold:
    """Indices of the samples that are trained on and of those that are forecast."""

    training: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True)
class Forecast:
    """What a classifier makes of one fold.

    Attributes
    ----------
    test : score of each class for each test sample, shape (test samples, 5)
    training : the same for the training samples, or ``None`` if nobody asked
    history : curves over the epochs by name
    settings : what a search chose for this fold, by name
    """

    test: Values
    training: Values | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)


Classifier = Callable[[Fold, Labels, int], Forecast]


@dataclass(frozen=True)
class Task:
    """What a unit has to learn: the labels of all samples, the folds, and a random seed for each fold."""

    labels: Labels
    folds: list[Fold]
    seeds: list[int]


def task_of(parameters: ClassifierParameters, sample_set: SampleSet) -> Task:
    """Return what a unit has to learn; its folds are the same for every classifier."""
    folds = folds_of(parameters.split, sample_set.samples, parameters.seed)
    return Task(labels_of(parameters, sample_set), folds, parameters.random_seeds(len(folds)))


def labels_of(parameters: ClassifierParameters, sample_set: SampleSet) -> Labels:
    """Return the labels that a unit learns and is judged by: the true ones, or a permutation of its own."""
    if parameters.labels == "true":
        return sample_set.labels
    # Those before it are the folds' own.
    seed = parameters.random_seeds(FOLDS + 1)[-1]
    return np.random.default_rng(seed).permutation(sample_set.labels)


def folds_of(split: Split, samples: Samples, seed: int) -> list[Fold]:
    """Return the folds of a split; only shuffled ones depend on ``seed``, and are the same for every classifier."""
    count = len(samples.main_shocks)
    if split == "shuffled":
        order = np.random.default_rng(seed).permutation(count)
        parts = np.array_split(order, FOLDS)
        return [Fold(np.sort(np.setdiff1d(order, part)), np.sort(part)) for part in parts]
    parts = np.array_split(np.arange(count), FOLDS)
    if split == "grouped":
        return [Fold(_disjoint(samples, np.setdiff1d(np.arange(count), part), part), part) for part in parts]
    return [Fold(_disjoint(samples, np.arange(part[0]), part), part) for part in parts[1:]]


def inner_fold(split: Split, samples: Samples, fold: Fold, seed: int) -> Fold:
    """Return a fifth of a fold's training samples to choose settings by, and the rest of them to train on.

    The fifth is drawn as the split draws its test samples: at random, or the last in time without what shares an
    event with it.
    """
    held_out = max(len(fold.training) // 5, 1)
    if split == "shuffled":
        order = np.random.default_rng(seed).permutation(fold.training)
        return Fold(np.sort(order[held_out:]), np.sort(order[:held_out]))
    test = fold.training[-held_out:]
    return Fold(_disjoint(samples, fold.training[:-held_out], test), test)


def evaluate(
    parameters: ClassifierParameters,
    sample_set: SampleSet,
    classify: Classifier,
    *,
    keep: bool = False,
    separated: Callable[[Fold], Fold] = lambda fold: fold,
) -> UnitResult:
    """Train and score a classifier on each fold.

    ``separated`` takes more out of a fold's training samples, for a classifier that sees more than patterns.
    """
    task = task_of(parameters, sample_set)
    task = replace(task, folds=[separated(fold) for fold in task.folds])
    forecasts = [classify(fold, task.labels, seed) for fold, seed in zip(task.folds, task.seeds, strict=True)]
    return score(sample_set, task, forecasts, keep=keep)


def score(sample_set: SampleSet, task: Task, forecasts: Sequence[Forecast], *, keep: bool = False) -> UnitResult:
    """Score the forecasts of all folds.

    ``accuracy`` and ``mauc`` are means over the folds, in percent; ``pooled`` scores judge the forecasts of all
    folds together. A fold whose test part holds one class only has no MAUC and is left out of that mean.
    """
    labels, folds = task.labels, task.folds
    tested = np.concatenate([fold.test for fold in folds])
    scores = np.concatenate([forecast.test for forecast in forecasts])
    metrics: dict[str, MetricValue] = {
        **_percent(
            "accuracy", [_accuracy(labels[fold.test], one.test) for fold, one in zip(folds, forecasts, strict=True)]
        ),
        **_percent("mauc", [mean_auc(labels[fold.test], one.test) for fold, one in zip(folds, forecasts, strict=True)]),
        **_percent("accuracy_pooled", [_accuracy(labels[tested], scores)]),
        **_percent("mauc_pooled", [mean_auc(labels[tested], scores)]),
        **_percent("majority", [_majority(labels, fold) for fold in folds]),
        "samples": float(len(labels)),
    }
    fitted = [
        _accuracy(labels[fold.training], one.training)
        for fold, one in zip(folds, forecasts, strict=True)
        if one.training is not None
    ]
    if fitted:
        metrics |= _percent("accuracy_training", fitted)
    return UnitResult(metrics, len(tested), sample_set.files, _kept(labels, tested, scores, forecasts) if keep else {})


def confusion(labels: Labels, scores: Values) -> NDArray[np.int64]:
    """Return how many samples of each class (row) were given each class (column), shape (5, 5)."""
    table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    np.add.at(table, (labels, scores.argmax(axis=1)), 1)
    return table


def events_of(samples: Samples) -> NDArray[np.intp]:
    """Return every event that each sample is made of, its main shock last; shape (samples, w + 1)."""
    return np.column_stack([samples.patterns, samples.main_shocks])


def _disjoint(samples: Samples, training: NDArray[np.intp], test: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the training samples that share no event with a test sample."""
    events = events_of(samples)
    shared = np.isin(events[training], events[test]).any(axis=1)
    return training[~shared]


def _accuracy(labels: Labels, scores: Values) -> float:
    return accuracy(labels, scores.argmax(axis=1))


def _majority(labels: Labels, fold: Fold) -> float:
    """Return the accuracy of forecasting the commonest class of the training samples."""
    return float((labels[fold.test] == np.bincount(labels[fold.training], minlength=CLASSES).argmax()).mean())


def _percent(name: str, shares: Sequence[float | None]) -> dict[str, MetricValue]:
    known = [share for share in shares if share is not None]
    return {name: 100 * float(np.mean(known))} if known else {}


def _kept(
    labels: Labels, tested: NDArray[np.intp], scores: Values, forecasts: Sequence[Forecast]
) -> dict[str, NDArray[Any]]:
    """Keep the forecasts in order of time, and the curves and the chosen settings of all folds."""
    order = np.argsort(tested, kind="stable")
    kept: dict[str, NDArray[Any]] = {
        "label": labels[tested][order].astype(np.int8),
        "scores": scores[order].astype(np.float32),
        "sample": tested[order].astype(np.int32),
    }
    for name in forecasts[0].history:
        # Folds may be trained for numbers of epochs of their own.
        longest = max(len(forecast.history[name]) for forecast in forecasts)
        curves = [[*forecast.history[name], *[np.nan] * longest][:longest] for forecast in forecasts]
        kept[name] = np.array(curves, dtype=np.float32)
    for name in forecasts[0].settings:
        kept[f"chosen_{name}"] = np.array([forecast.settings[name] for forecast in forecasts], dtype=np.float32)
    return kept
