"""ARIMA models by the steps of Box & Jenkins: make stationary, choose an order, estimate, diagnose, forecast."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
Order = tuple[int, int, int]

SIGNIFICANCE = 0.05
LARGEST_DIFFERENCE = 2
LARGEST_ORDER = 3
SHORTEST_HISTORY = 30
# A year of monthly residuals, and two, are tested for what the model left in them.
LJUNG_BOX_LAGS = (12, 24)


@dataclass(frozen=True)
class Diagnosis:
    """What the residuals of a fitted model look like; each value is a p-value.

    Attributes
    ----------
    ljung_box : number of lags -> that the residuals have no autocorrelation up to there
    jarque_bera : that the residuals are normal
    """

    ljung_box: dict[int, float]
    jarque_bera: float


@dataclass(frozen=True)
class FittedArima:
    """An ARIMA estimated on a history; ``results`` is what statsmodels returned."""

    order: Order
    results: Any

    def one_step(self, continued: Series) -> Series:
        """Forecast each value that followed the history from all values before it; nothing is estimated again."""
        known = self.results.nobs
        extended = self.results.append(continued, refit=False)
        return np.asarray(extended.predict(known, known + len(continued) - 1), dtype=float)

    def ahead(self, steps: int) -> Series:
        """Forecast the ``steps`` values after the history, seeing none of them."""
        return np.asarray(self.results.forecast(steps), dtype=float)

    def within(self, start: int, *, dynamic: bool = False) -> Series:
        """Forecast the history itself from position ``start`` to its end.

        Each value is forecast from all before it or, when ``dynamic``, from those before ``start`` alone.
        """
        return np.asarray(self.results.predict(start=start, dynamic=dynamic), dtype=float)

    def diagnosis(self) -> Diagnosis:
        """Test the residuals, less the first ones, which start the recursion."""
        from scipy import stats
        from statsmodels.stats.diagnostic import acorr_ljungbox

        p, d, q = self.order
        residuals = np.asarray(self.results.resid, dtype=float)[max(p + d, q) :]
        lags = [lag for lag in LJUNG_BOX_LAGS if lag < len(residuals)]
        tests = acorr_ljungbox(residuals, lags=lags, model_df=p + q)["lb_pvalue"]
        ljung_box = {lag: float(value) for lag, value in zip(lags, tests, strict=True)}
        return Diagnosis(ljung_box, float(stats.jarque_bera(residuals).pvalue))


def choose_arima(history: Series, differences: int | None = None) -> FittedArima:
    """Estimate the ARIMA(p, d, q), p and q up to 3, with the least AIC on ``history``.

    Parameters
    ----------
    history : shape (n,), n at least 30
    differences : d; left out, as many as `differences_needed` finds
    """
    d = differences_needed(history) if differences is None else differences
    orders = [(p, d, q) for p, q in itertools.product(range(LARGEST_ORDER + 1), repeat=2)]
    return min((estimate_arima(history, order) for order in orders), key=lambda fitted: float(fitted.results.aic))


def estimate_arima(history: Series, order: Order) -> FittedArima:
    """Estimate an ARIMA of a given order by maximum likelihood, with a constant where nothing is differenced."""
    from statsmodels.tsa.arima.model import ARIMA

    if len(history) < SHORTEST_HISTORY:
        raise ValueError(f"an ARIMA needs {SHORTEST_HISTORY} values before the first forecast, not {len(history)}")
    with warnings.catch_warnings():
        # Start values outside the stationary region are replaced by zeros, which the fit then leaves.
        warnings.simplefilter("ignore")
        return FittedArima(order, ARIMA(history, order=order).fit())


def differences_needed(history: Series) -> int:
    """Return how often a series is differenced until two tests call it stationary, at most twice.

    The augmented Dickey-Fuller test must reject a unit root at 5 %, and the KPSS test must not reject
    stationarity: the hypothesis of the one is what the other tests for.
    """
    for count in range(LARGEST_DIFFERENCE):
        unit_root, stationary = stationarity_p_values(np.diff(history, n=count))
        if unit_root < SIGNIFICANCE < stationary:
            return count
    return LARGEST_DIFFERENCE


def stationarity_p_values(history: Series) -> tuple[float, float]:
    """Return the p-values of the augmented Dickey-Fuller test (a unit root) and the KPSS test (stationarity)."""
    from statsmodels.tsa.stattools import adfuller, kpss

    with warnings.catch_warnings():
        # KPSS looks its p-value up in a table and warns outside of it; the nearest entry decides the same.
        warnings.simplefilter("ignore")
        return float(adfuller(history)[1]), float(kpss(history, nlags="auto")[1])
