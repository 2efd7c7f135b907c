"""What needs no model: the commonest class, a class drawn in the proportions of the training samples, an area's own."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from reproduce_lib.data.aeta import CLASSES
from reproduce_lib.papers.zhang2023.evaluation import DesignParameters, Fold, Forecast, evaluate
from reproduce_lib.papers.zhang2023.samples import SampleSet, Values, load_samples
from reproduce_lib.units import UnitResult

Method = Literal["majority", "stratified", "area"]
METHODS: tuple[Method, ...] = get_args(Method)


class ChanceParameters(DesignParameters):
    """A forecast without a model on the same folds.

    ``area`` gives each window the proportions of its own area's training samples, and of all where it has none.
    """

    experiment: ClassVar[str] = "chance"

    method: Method = "majority"


def run_chance(parameters: ChanceParameters) -> UnitResult:
    """Judge a forecast without a model on each fold."""
    samples = load_samples(parameters)

    def classify(fold: Fold, seed: int) -> Forecast:
        shares = np.bincount(samples.labels[fold.known], minlength=CLASSES) / len(fold.known)
        if parameters.method == "majority":
            return Forecast(np.tile(shares, (len(fold.test), 1)))
        if parameters.method == "area":
            return Forecast(_by_area(samples, fold, shares))
        drawn = np.random.default_rng(seed).choice(CLASSES, len(fold.test), p=shares)
        return Forecast(np.eye(CLASSES)[drawn])

    return evaluate(parameters, samples, classify)


def _by_area(samples: SampleSet, fold: Fold, everywhere: Values) -> Values:
    """Return the proportions of the classes in each test sample's area, shape (samples, classes)."""
    areas = samples.groups["area"].to_numpy()
    found = np.tile(everywhere, (len(fold.test), 1))
    for area in np.unique(areas[fold.test]):
        own = samples.labels[fold.known][areas[fold.known] == area]
        if len(own):
            found[areas[fold.test] == area] = np.bincount(own, minlength=CLASSES) / len(own)
    return found
