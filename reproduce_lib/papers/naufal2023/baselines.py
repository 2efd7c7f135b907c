"""Forecasts that need no network: what the paper did not run."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from reproduce_lib.baselines import drift_forecast, naive_forecast
from reproduce_lib.box_jenkins import choose_arima
from reproduce_lib.metrics import mean_absolute_error, root_mean_square_error
from reproduce_lib.papers.naufal2023.series import SeriesParameters, closing_prices, divide_days
from reproduce_lib.units import MetricValue, UnitResult


class BaselineParameters(SeriesParameters):
    """One forecast without a network on the test days of one share.

    ``skip_days`` leaves out the first test days, as networks do whose windows must not reach back.
    """

    experiment: ClassVar[str] = "baselines"

    method: Literal["naive", "drift", "arima"] = "naive"
    skip_days: Literal[0, 1, 30] = 0

    @model_validator(mode="after")
    def _arima_follows_the_days(self) -> Self:
        if self.method == "arima" and self.split == "shuffled72_8_20":
            raise ValueError("an ARIMA forecasts days that follow each other; a shuffled split has none")
        return self


def run_baseline(parameters: BaselineParameters) -> UnitResult:
    """Score one forecast without a network on the test days, in dollars."""
    prices = closing_prices(parameters)
    close = prices.close
    test = divide_days(len(close), parameters.split).test[parameters.skip_days :]
    metrics: dict[str, MetricValue] = {}
    if parameters.method == "naive":
        forecast = naive_forecast(close, test)
    elif parameters.method == "drift":
        forecast = drift_forecast(close, test)
    else:
        fitted = choose_arima(close[: test[0]], differences=1)
        forecast = fitted.one_step(close[test])
        metrics["order"] = str(fitted.order)
    metrics["mae"] = mean_absolute_error(close[test], forecast)
    metrics["rmse"] = root_mean_square_error(close[test], forecast)
    return UnitResult(metrics, len(test), prices.files)
