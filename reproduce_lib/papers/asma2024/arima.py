"""The baseline of the paper: an ARIMA by the steps of Box & Jenkins."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from reproduce_lib.box_jenkins import choose_arima, stationarity_p_values
from reproduce_lib.papers.asma2024.scores import against_the_mean, forecast_months, mean_errors, named_forecasts
from reproduce_lib.papers.asma2024.series import IN_SAMPLE_FROM, SeriesParameters, load_series
from reproduce_lib.units import MetricValue, UnitResult


class ArimaParameters(SeriesParameters):
    """The baseline of the paper, an ARIMA by the steps of Box & Jenkins."""

    experiment: ClassVar[str] = "arima"


def run_arima(parameters: ArimaParameters) -> UnitResult:
    """Fit the ARIMA on the months before those held out and score it, or forecast the months of Table 2."""
    series = load_series(parameters)
    training = series.training_months(parameters.test_share)
    history, rest = series.values[:training], series.values[training:]
    fitted = choose_arima(history)
    unit_root, stationary = stationarity_p_values(history)
    diagnosis = fitted.diagnosis()
    metrics: dict[str, MetricValue] = {
        "order": str(fitted.order),
        "adf_p_value": unit_root,
        "kpss_p_value": stationary,
        "jarque_bera_p_value": diagnosis.jarque_bera,
        **{f"ljung_box_p_value[{lag}]": value for lag, value in diagnosis.ljung_box.items()},
    }
    if parameters.test_share == 0:
        ahead = fitted.ahead(len(forecast_months()))
        return UnitResult({**metrics, **named_forecasts(ahead)}, len(ahead), series.files)
    start, truth = IN_SAMPLE_FROM, series.values
    one_step, free = fitted.one_step(rest), fitted.ahead(len(rest))
    metrics |= mean_errors(truth, one_step, free, training, len(truth), "mae")
    metrics |= against_the_mean(truth, one_step, training)
    within, free_within = fitted.within(start), fitted.within(start, dynamic=True)
    metrics |= mean_errors(truth, within, free_within, start, training, "mae_in_sample")
    arrays = {"forecast": one_step.astype(np.float32)} if parameters == ArimaParameters() else {}
    return UnitResult(metrics, len(rest), series.files, arrays)
