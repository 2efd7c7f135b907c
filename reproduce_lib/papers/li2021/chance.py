"""What needs no model: the commonest class, chance, the last main shock again, and what the selection gives away."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from reproduce_lib.main_shocks import Samples
from reproduce_lib.papers.li2021.evaluation import ClassifierParameters, Fold, Forecast, evaluate
from reproduce_lib.papers.li2021.regions import CLASSES, REGIONS
from reproduce_lib.papers.li2021.samples import Labels, Values, days_of, load_samples
from reproduce_lib.units import UnitResult

Method = Literal["majority", "stratified", "last_main_shock", "lower_bound", "nearest_in_time"]
# Of how many training samples, the nearest in time, the shares of the classes are a forecast.
NEIGHBOURS = 15
METHODS: tuple[Method, ...] = get_args(Method)


class ChanceParameters(ClassifierParameters):
    """A forecast that needs no model, on the same folds.

    ``majority`` is the commonest class of the training samples, ``stratified`` a class drawn in their
    proportions, ``last_main_shock`` the class of the main shock before. ``lower_bound`` uses that a main shock is
    the largest event of its period: it cannot be smaller than what its pattern shows of that period, so that the
    commonest class of those from there on is forecast. ``nearest_in_time`` knows the date alone: the shares of the
    classes among the fifteen training samples nearest in time.
    """

    experiment: ClassVar[str] = "chance"

    method: Method = "majority"


def run_chance(parameters: ChanceParameters) -> UnitResult:
    """Score a forecast without a model on each fold."""
    sample_set = load_samples(parameters)
    magnitudes = np.round(sample_set.events["magnitude"].to_numpy(), 1)
    classes = REGIONS[parameters.region].labels(magnitudes)
    bounds = smallest_possible_classes(sample_set.samples, classes)
    before = np.concatenate([[0], sample_set.labels[:-1]])
    times = days_of(sample_set.events)[sample_set.samples.main_shocks]

    def classify(fold: Fold, labels: Labels, seed: int) -> Forecast:
        shares = np.bincount(labels[fold.training], minlength=CLASSES) / len(fold.training)
        generator = np.random.default_rng(seed)
        match parameters.method:
            case "majority":
                scores = np.tile(shares, (len(fold.test), 1))
            case "stratified":
                scores = np.eye(CLASSES)[generator.choice(CLASSES, len(fold.test), p=shares)]
            case "last_main_shock":
                scores = np.eye(CLASSES)[before[fold.test]]
            case "lower_bound":
                scores = shares * (np.arange(CLASSES) >= bounds[fold.test][:, None])
                # A class that training samples lack may still be the only possible one.
                scores = scores + 1e-9 * (np.arange(CLASSES) == bounds[fold.test][:, None])
                scores = scores / scores.sum(axis=1, keepdims=True)
            case "nearest_in_time":
                scores = np.stack(
                    [_shares_near(times[one], times[fold.training], labels[fold.training]) for one in fold.test]
                )
        return Forecast(scores)

    return evaluate(parameters, sample_set, classify)


def _shares_near(time: float, times: Values, labels: Labels) -> Values:
    """Return the share of each class among the samples nearest to a time; of equal distances the earlier is taken."""
    nearest = np.argsort(np.abs(times - time), kind="stable")[:NEIGHBOURS]
    return np.bincount(labels[nearest], minlength=CLASSES) / len(nearest)


def smallest_possible_classes(samples: Samples, classes: Labels) -> Labels:
    """Return the class of the largest event of each pattern that lies in its main shock's own period, or 0.

    Parameters
    ----------
    classes : class of each event of the catalogue, shape (events,)
    """
    inside = samples.patterns >= samples.starts[:, None]
    largest: Labels = np.where(inside, classes[samples.patterns], 0).max(axis=1)
    return largest
