"""What needs no model: the commonest class, and a class drawn in the proportions of the training samples."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from reproduce_lib.data.aeta import CLASSES
from reproduce_lib.papers.zhang2023.evaluation import DesignParameters, Fold, Forecast, evaluate
from reproduce_lib.papers.zhang2023.samples import load_samples
from reproduce_lib.units import UnitResult

Method = Literal["majority", "stratified"]
METHODS: tuple[Method, ...] = get_args(Method)


class ChanceParameters(DesignParameters):
    """A forecast without a model on the same folds."""

    experiment: ClassVar[str] = "chance"

    method: Method = "majority"


def run_chance(parameters: ChanceParameters) -> UnitResult:
    """Judge a forecast without a model on each fold."""
    samples = load_samples(parameters)

    def classify(fold: Fold, seed: int) -> Forecast:
        shares = np.bincount(samples.labels[fold.known], minlength=CLASSES) / len(fold.known)
        if parameters.method == "majority":
            return Forecast(np.tile(shares, (len(fold.test), 1)))
        drawn = np.random.default_rng(seed).choice(CLASSES, len(fold.test), p=shares)
        return Forecast(np.eye(CLASSES)[drawn])

    return evaluate(parameters, samples, classify)
