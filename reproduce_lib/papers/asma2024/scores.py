"""The scores of Table 1 and the forecasts of Table 2, the same for every model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.forecast_tests import diebold_mariano
from reproduce_lib.metrics import mean_absolute_error
from reproduce_lib.monthly import Months, month_names, months_between
from reproduce_lib.papers.asma2024.series import FORECAST
from reproduce_lib.units import MetricValue

HIGHEST = "highest"
# Magnitudes are written with one decimal.
SAME_MAGNITUDE = 0.005


def mean_errors(
    truth: NDArray[np.float64], one_step: NDArray[Any], free: NDArray[Any], start: int, stop: int, name: str
) -> dict[str, MetricValue]:
    """Score one-step and recursive forecasts of the months ``start`` to ``stop``."""
    months = truth[start:stop]
    return {
        name: mean_absolute_error(months, one_step[: len(months)]),
        f"{name}_recursive": mean_absolute_error(months, free[: len(months)]),
    }


def against_the_mean(truth: NDArray[np.float64], forecast: NDArray[Any], training: int) -> dict[str, MetricValue]:
    """Test whether one-step forecasts are more accurate than the mean of the months before those held out.

    Forecasts that are that mean, as those of an ARIMA without terms are, differ from it by rounding: no test.
    """
    mean = truth[:training].mean()
    if np.abs(forecast - mean).max() < SAME_MAGNITUDE:
        return {"dm_statistic": 0.0, "dm_p_value": 1.0}
    test = diebold_mariano(forecast - truth[training:], mean - truth[training:])
    return {"dm_statistic": test.statistic, "dm_p_value": test.p_value}


def named_forecasts(values: NDArray[np.float64]) -> dict[str, MetricValue]:
    """Name the forecasts of Table 2 by their months, and its last row, the largest of them."""
    named = {f"magnitude[{name}]": float(value) for name, value in by_month(forecast_months(), values)}
    return {**named, f"magnitude[{HIGHEST}]": float(values.max())}


def forecast_months() -> Months:
    """Return the months that Table 2 forecasts."""
    return months_between(*FORECAST)


def by_month(months: Months, values: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    """Yield the name of each month with its value."""
    return zip(month_names(months), values, strict=True)
