"""Forecasts of months that had not been seen, against what then was observed."""

from __future__ import annotations

from collections.abc import Mapping
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


def ranks(errors: Mapping[str, float]) -> dict[str, int]:
    """Rank names by their errors: 1 is the smallest; equal errors share the better rank."""
    ordered = sorted(errors.values())
    return {name: 1 + ordered.index(error) for name, error in errors.items()}


def rank_correlation(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return Kendall's tau between two rankings of the same names: 1 is the same order, -1 the reverse."""
    from scipy import stats

    names = list(first)
    return float(stats.kendalltau([first[name] for name in names], [second[name] for name in names]).statistic)
