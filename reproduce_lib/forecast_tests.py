"""Tests of whether one forecast is more accurate than another, or merely repeats the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LARGEST_LAG = 10


@dataclass(frozen=True)
class AccuracyTest:
    """A paired test: a negative statistic speaks for the first forecast; ``p_value`` is two-sided."""

    statistic: float
    p_value: float


def diebold_mariano(first: ArrayLike, second: ArrayLike, power: int = 1) -> AccuracyTest:
    """Test whether two one-step forecasts of the same days are equally accurate.

    Diebold & Mariano (1995) on the loss ``|error|**power``, with the small-sample correction of Harvey,
    Leybourne & Newbold (1997, equation 9) and their Student t with n - 1 degrees of freedom. For forecasts
    one step ahead the loss differences need no autocovariances.

    Parameters
    ----------
    first, second : the two forecasts' errors, shape (n,), n at least 2
    power : 1 for absolute errors, 2 for squared ones

    Raises
    ------
    ValueError
        If the shapes differ or the two losses differ by the same amount on every day.
    """
    from scipy import stats

    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape or one.ndim != 1 or len(one) < 2:
        raise ValueError(f"two equal rows of at least 2 errors are needed, not {one.shape} and {two.shape}")
    difference = np.abs(one) ** power - np.abs(two) ** power
    n = len(difference)
    variance = float(np.mean((difference - difference.mean()) ** 2))
    if variance == 0:
        raise ValueError("the two losses differ by the same amount on every day: nothing to test")
    statistic = float(difference.mean()) / np.sqrt(variance / n)
    corrected = float(statistic * np.sqrt((n - 1) / n))  # (n + 1 - 2h + h(h-1)/n) / n at h = 1
    return AccuracyTest(corrected, float(2 * stats.t.sf(abs(corrected), n - 1)))


def best_lag(truth: ArrayLike, forecast: ArrayLike, largest: int = LARGEST_LAG) -> int:
    """Return the lag k in 0..largest at which ``forecast[t]`` correlates best with ``truth[t - k]``.

    A forecast of the next day whose best lag is 1 repeats the day before.

    Raises
    ------
    ValueError
        If the rows differ in length, are too short, or one of them never changes.
    """
    true, predicted = np.asarray(truth, dtype=float), np.asarray(forecast, dtype=float)
    n = len(true)
    if n != len(predicted) or n < largest + 3:
        raise ValueError(f"rows of equal length, at least {largest + 3}, are needed, not {n} and {len(predicted)}")
    if np.ptp(true) == 0 or np.ptp(predicted[largest:]) == 0:
        raise ValueError("a row that never changes correlates with nothing")
    # The same n - largest forecasts at every lag, so that the correlations compare.
    recent = predicted[largest:]
    with np.errstate(invalid="ignore"):  # a stretch of equal prices correlates with nothing
        correlations = [np.corrcoef(true[largest - lag : n - lag], recent)[0, 1] for lag in range(largest + 1)]
    return int(np.nanargmax(correlations))
