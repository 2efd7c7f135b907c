"""Forecasts of the next value that need no network: the ones any model has to beat.

Definitions follow Hyndman & Athanasopoulos (2021), section 5.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
Positions = NDArray[np.intp]


def naive_forecast(series: Series, positions: Positions) -> Series:
    """Forecast the values of ``series`` at ``positions`` (each at least 1) as the values before them."""
    _check(positions, history=1)
    return series[positions - 1]


def drift_forecast(series: Series, positions: Positions) -> Series:
    """Forecast the values at ``positions`` (each at least 2) as the last value plus the mean change so far."""
    _check(positions, history=2)
    last = positions - 1
    forecast: Series = series[last] + (series[last] - series[0]) / last
    return forecast


def _check(positions: Positions, history: int) -> None:
    if not len(positions) or positions.min() < history:
        raise ValueError(f"each forecast needs {history} value(s) before it")
