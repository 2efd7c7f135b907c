"""Forecasts that need no network: what the paper did not run."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.papers.asma2024.scores import forecast_months, mean_errors, named_forecasts
from reproduce_lib.papers.asma2024.series import (
    IN_SAMPLE_FROM,
    POSSIBLE_MAGNITUDES,
    SeriesParameters,
    load_series,
)
from reproduce_lib.units import MetricValue, UnitResult
from reproduce_lib.windows import sliding_windows

Method = Literal["mean", "median", "persistence", "least_squares"]
METHODS: tuple[Method, ...] = get_args(Method)


class BaselineParameters(SeriesParameters):
    """A forecast that needs no network: a constant, the month before, or least squares on the twelve months before."""

    experiment: ClassVar[str] = "baselines"

    method: Method = "mean"


def run_baseline(parameters: BaselineParameters) -> UnitResult:
    """Score a forecast without a network on the months held out, or let it forecast the months of Table 2.

    ``empty_months`` counts the months that had no event and were filled.
    """
    series = load_series(parameters)
    training = series.training_months(parameters.test_share)
    truth = series.values
    after = _forecaster(parameters.method, truth[:training])
    if parameters.test_share == 0:
        ahead = _run_on(after, truth, len(forecast_months()))
        return UnitResult(named_forecasts(ahead), len(ahead), series.files)
    one_step = np.array([after(truth[:month]) for month in range(IN_SAMPLE_FROM, len(truth))])
    free = _run_on(after, truth[:training], len(truth) - training)
    free_within = _run_on(after, truth[:IN_SAMPLE_FROM], training - IN_SAMPLE_FROM)
    metrics: dict[str, MetricValue] = {
        "months": len(truth),
        "empty_months": series.empty,
        **mean_errors(truth, one_step[training - IN_SAMPLE_FROM :], free, training, len(truth), "mae"),
        **mean_errors(truth, one_step, free_within, IN_SAMPLE_FROM, training, "mae_in_sample"),
    }
    return UnitResult(metrics, len(truth) - training, series.files)


def _forecaster(method: Method, history: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], float]:
    """Return what forecasts the next month from all months before it; it was fitted on ``history``."""
    if method == "persistence":
        return lambda before: float(before[-1])
    if method == "least_squares":
        inputs, targets, _ = sliding_windows(history, IN_SAMPLE_FROM)
        weights, *_ = np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets)
        return lambda before: float(before[-IN_SAMPLE_FROM:] @ weights[:-1] + weights[-1])
    constant = float(history.mean() if method == "mean" else np.median(history))
    return lambda _: constant


def _run_on(
    after: Callable[[NDArray[np.float64]], float], before: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """Forecast ``steps`` months from the months before them, each forecast becoming one of those; shape (steps,)."""
    known = before
    for _ in range(steps):
        known = np.append(known, np.clip(after(known), *POSSIBLE_MAGNITUDES))
    return known[len(before) :]
