"""Scores of forecasts, and what is known about each score: its direction and its tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reproduce_lib.errors import ParameterError

Better = Literal["lower", "higher", "none"]


@dataclass(frozen=True)
class Metric:
    """What the verdict rule needs to know about a score.

    Attributes
    ----------
    name : identifier in claims and records
    better : which direction is better
    half_width : widest prediction half-width that still carries a verdict; a share of the printed
        value when ``relative``, else in the score's own unit
    relative : see ``half_width``
    """

    name: str
    label: str
    better: Better
    half_width: float
    relative: bool

    def verdict_half_width(self, printed: float) -> float:
        """Return the widest half-width that still carries a verdict beside ``printed``."""
        return self.half_width * abs(printed) if self.relative else self.half_width


METRICS = {
    metric.name: metric
    for metric in (
        Metric("mae", "MAE", "lower", half_width=0.10, relative=True),
        Metric("rmse", "RMSE", "lower", half_width=0.10, relative=True),
    )
}


def metric(name: str) -> Metric:
    """Return a score by name, or raise `ParameterError` with the known names."""
    if name not in METRICS:
        raise ParameterError(f"unknown metric {name!r}; known metrics: {', '.join(METRICS)}")
    return METRICS[name]


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
