"""Forecasts of months that had not been seen, against what then was observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.verdicts import CONFIDENCE, Interval

Values = NDArray[np.float64]

RESAMPLES = 10_000
BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Estimate:
    """A mean over months with its 95 % bootstrap interval."""

    value: float
    interval: Interval

    @property
    def sign(self) -> int:
        """Return -1 or 1 where the whole interval lies below or above 0, and 0 where nothing is decided."""
        return int(self.interval.lower > 0) - int(self.interval.upper < 0)


@dataclass(frozen=True)
class Score:
    """How far one forecaster was off: the mean absolute error, the mean error, and the months behind both."""

    mae: Estimate
    bias: Estimate
    months: int


def score(forecast: Values, observed: Values) -> Score:
    """Score forecasts of several months; months with a ``nan`` in either are left out. Both of shape (months,)."""
    errors = forecast - observed
    known = errors[~np.isnan(errors)]
    return Score(mean_with_interval(np.abs(known)), mean_with_interval(known), len(known))


def score_random_draws(past: Values, observed: Values) -> Score:
    """Score the forecast that draws a past month at random, in expectation over the draws.

    Parameters
    ----------
    past : shape (past months,)
    observed : shape (months,)
    """
    errors = past[None, :] - observed[:, None]
    return Score(
        mean_with_interval(np.abs(errors).mean(axis=1)), mean_with_interval(errors.mean(axis=1)), len(observed)
    )


def paired_difference(first: Values, second: Values, observed: Values) -> Estimate:
    """Return how much larger the first forecast's mean absolute error is than the second's, month by month paired."""
    difference = np.abs(first - observed) - np.abs(second - observed)
    return mean_with_interval(difference[~np.isnan(difference)])


def mean_with_interval(values: Values) -> Estimate:
    """Return the mean and its percentile bootstrap interval over months (Efron & Tibshirani 1993, section 13.3).

    Raises
    ------
    ValueError
        If there are fewer than two values.
    """
    from scipy import stats

    if len(values) < 2:
        raise ValueError(f"an interval over months needs at least two, not {len(values)}")
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    ).confidence_interval
    return Estimate(float(values.mean()), Interval(float(found.low), float(found.high)))


@dataclass(frozen=True)
class Outcome:
    """What became of several forecasts of the same months, beside one that needs no model.

    Attributes
    ----------
    errors : name -> mean absolute error over the observed months
    reference : that of the forecast without a model
    differences : name -> how much larger its error is than that of the forecast without a model, month by month paired
    """

    errors: dict[str, float]
    reference: float
    differences: dict[str, Estimate]

    @property
    def ranks(self) -> dict[str, int]:
        """Return each forecast's place among them by its error."""
        return ranks(self.errors)

    @property
    def best(self) -> str:
        """Return the name with the smallest error, the first of several."""
        return min(self.errors, key=self.errors.__getitem__)

    @property
    def closer(self) -> list[str]:
        """Return the forecasts that came closer than the one without a model."""
        return [name for name, error in self.errors.items() if error < self.reference]

    def decided(self, sign: int) -> int:
        """Return how many came closer (-1) or missed by more (1) than the one without a model, beyond chance."""
        return sum(one.sign == sign for one in self.differences.values())


def outcome_of(forecasts: Mapping[str, Values], reference: Values, observed: Values) -> Outcome:
    """Hold forecasts against what was observed, months without an observation left out. All of shape (months,)."""
    return Outcome(
        {name: _error(forecast, observed) for name, forecast in forecasts.items()},
        _error(reference, observed),
        {name: paired_difference(forecast, reference, observed) for name, forecast in forecasts.items()},
    )


def before_and_on(
    months: NDArray[np.datetime64], values: Values, tested: NDArray[np.datetime64]
) -> tuple[Values, Values]:
    """Return the values of all months before the first tested one, and those on the tested ones."""
    return values[months < tested[0]], values[np.isin(months, tested)]


def errors_by_month(forecasts: Sequence[Values], observed: Values) -> Values:
    """Return the absolute errors of several runs' forecasts of the last months, averaged over the runs.

    Parameters
    ----------
    forecasts : one array of shape (months,) for each run
    observed : shape (at least that many months,); the last ones are those that are forecast
    """
    stacked = np.stack(forecasts)
    return np.asarray(np.abs(stacked - observed[-stacked.shape[1] :]).mean(axis=0))


def ranks(errors: Mapping[str, float]) -> dict[str, int]:
    """Rank names by their errors: 1 is the smallest; equal errors share the better rank."""
    ordered = sorted(errors.values())
    return {name: 1 + ordered.index(error) for name, error in errors.items()}


def rank_correlation(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return Kendall's tau between two rankings of the same names: 1 is the same order, -1 the reverse."""
    from scipy import stats

    names = list(first)
    return float(stats.kendalltau([first[name] for name in names], [second[name] for name in names]).statistic)


def _error(forecast: Values, observed: Values) -> float:
    # Magnitudes have one decimal: errors that differ by less than a millionth are equal.
    return round(float(np.nanmean(np.abs(forecast - observed))), 6)
