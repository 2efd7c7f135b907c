"""Scores of forecasts: plain functions of the truth and the forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mean_absolute_error(truth: ArrayLike, forecast: ArrayLike) -> float:
    """Return the mean of ``|forecast - truth|``, in the unit of ``truth``; both of shape (n,)."""
    return float(np.mean(np.abs(_errors(truth, forecast))))


def root_mean_square_error(truth: ArrayLike, forecast: ArrayLike) -> float:
    """Return the root of the mean of ``(forecast - truth)**2``, in the unit of ``truth``; both of shape (n,)."""
    return float(np.sqrt(np.mean(_errors(truth, forecast) ** 2)))


def skill(error: float, naive_error: float) -> float:
    """Return ``1 - error / naive_error``: 0 is no better than the naive forecast, 1 is perfect, below 0 is worse.

    Raises
    ------
    ZeroDivisionError
        If the naive forecast makes no error, so that no forecast could have skill.
    """
    return 1.0 - error / naive_error


def _errors(truth: ArrayLike, forecast: ArrayLike) -> NDArray[np.float64]:
    true, predicted = np.asarray(truth, dtype=float), np.asarray(forecast, dtype=float)
    if true.shape != predicted.shape or true.ndim != 1 or not true.size:
        raise ValueError(f"truth {true.shape} and forecast {predicted.shape} must be two equal, non-empty rows")
    error: NDArray[np.float64] = predicted - true
    return error
