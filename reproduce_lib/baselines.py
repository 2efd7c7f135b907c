"""Forecasts of the next value that need no network: the ones any model has to beat.

Definitions follow Hyndman & Athanasopoulos (2021), sections 5.2 and 9.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
Positions = NDArray[np.intp]
ARIMA_LARGEST_ORDER = 3


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


def arima_order(history: Series) -> tuple[int, int, int]:
    """Return the order ``(p, 1, q)``, p and q up to 3, with the least AIC on ``history``."""
    candidates = itertools.product(range(ARIMA_LARGEST_ORDER + 1), repeat=2)
    scores = {(p, 1, q): float(_fit_arima(history, (p, 1, q)).aic) for p, q in candidates}
    return min(scores, key=lambda order: scores[order])


def arima_forecast(series: Series, positions: Positions, order: tuple[int, int, int]) -> Series:
    """Forecast consecutive ``positions`` one step ahead with an ARIMA fitted once, on what came before them.

    Each forecast sees all values before its own; the coefficients are never fitted again.
    """
    _check(positions, history=30)
    start, stop = int(positions[0]), int(positions[-1]) + 1
    if not np.array_equal(positions, np.arange(start, stop)):
        raise ValueError("an ARIMA forecasts consecutive days only")
    fitted = _fit_arima(series[:start], order)
    extended = fitted.append(series[start:stop], refit=False)
    return np.asarray(extended.predict(start, stop - 1), dtype=float)


def _fit_arima(history: Series, order: tuple[int, int, int]) -> Any:
    from statsmodels.tsa.arima.model import ARIMA

    with warnings.catch_warnings():
        # Start values outside the stationary region are replaced by zeros, which the fit then leaves.
        warnings.simplefilter("ignore")
        return ARIMA(history, order=order).fit()


def _check(positions: Positions, history: int) -> None:
    if not len(positions) or positions.min() < history:
        raise ValueError(f"each forecast needs {history} value(s) before it")
