"""Forecasts without a network: by hand, against recursions, and blind to what comes after."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.arima.model import ARIMA

from reproduce_lib import baselines
from reproduce_lib.baselines import arima_forecast, arima_order, drift_forecast, naive_forecast

ORDERS = [(0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 1, 1)]


def walk(seed: int, n: int = 120) -> Any:
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=n))


def persistent(seed: int, strength: float = 0.7, n: int = 150) -> Any:
    """Return a series each of whose values keeps a share of the deviation of the one before."""
    values = [10.0]
    for step in np.random.default_rng(seed).normal(size=n - 1):
        values.append(10 + strength * (values[-1] - 10) + step)
    return np.array(values)


def fitted(history: Any, order: tuple[int, int, int]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ARIMA(history, order=order).fit()


def fitted_parameters(history: Any, order: tuple[int, int, int]) -> Any:
    model = fitted(history, order)
    return dict(zip(model.param_names, model.params, strict=True))


def test_naive_by_hand() -> None:
    series = np.array([3.0, 5.0, 4.0, 8.0])
    assert naive_forecast(series, np.array([1, 2, 3])).tolist() == [3.0, 5.0, 4.0]
    assert naive_forecast(series, np.array([3, 1])).tolist() == [4.0, 3.0]


def test_drift_by_hand() -> None:
    series = np.array([3.0, 5.0, 4.0, 8.0])
    # 5 + (5 - 3) / 1 and 4 + (4 - 3) / 2; the value after the last one would be 8 + 5 / 3.
    assert drift_forecast(series, np.array([2, 3])).tolist() == [7.0, 4.5]


@given(st.floats(-100, 100), st.floats(-10, 10), st.integers(3, 30))
def test_drift_continues_a_straight_line(start: float, slope: float, n: int) -> None:
    line = start + slope * np.arange(n)
    positions = np.arange(2, n)
    np.testing.assert_allclose(drift_forecast(line, positions), line[positions], atol=1e-9)


@given(st.integers(0, 1000))
def test_drift_is_the_last_value_plus_the_mean_of_all_changes(seed: int) -> None:
    series = walk(seed, 20)
    expected = [series[day - 1] + np.mean(np.diff(series[:day])) for day in range(2, 20)]
    np.testing.assert_allclose(drift_forecast(series, np.arange(2, 20)), expected)


def test_arima_without_terms_is_the_naive_forecast() -> None:
    series, positions = walk(0), np.arange(90, 120)
    found = arima_forecast(series, positions, (0, 1, 0))
    np.testing.assert_allclose(found, naive_forecast(series, positions), rtol=1e-9)


def test_first_order_autoregression_is_its_recursion() -> None:
    series, positions = persistent(1), np.arange(120, 150)
    fit = fitted_parameters(series[:120], (1, 0, 0))
    assert 0.4 < fit["ar.L1"] < 0.95
    expected = [fit["const"] + fit["ar.L1"] * (series[day - 1] - fit["const"]) for day in positions]
    np.testing.assert_allclose(arima_forecast(series, positions, (1, 0, 0)), expected, rtol=1e-9)


def test_first_order_autoregression_of_changes_is_its_recursion() -> None:
    series, positions = np.cumsum(persistent(2) - 10), np.arange(120, 150)
    strength = fitted_parameters(series[:120], (1, 1, 0))["ar.L1"]
    expected = [series[day - 1] + strength * (series[day - 1] - series[day - 2]) for day in positions]
    np.testing.assert_allclose(arima_forecast(series, positions, (1, 1, 0)), expected, rtol=1e-9)


def test_moving_average_is_its_recursion_of_past_errors() -> None:
    series, positions = walk(3) + np.random.default_rng(4).normal(size=120), np.arange(90, 120)
    weight = fitted_parameters(series[:90], (0, 1, 1))["ma.L1"]
    forecast = series[0]
    expected = np.empty_like(series)
    for day in range(1, 120):
        expected[day] = forecast
        forecast = series[day] + weight * (series[day] - forecast)
    # The recursion starts without knowing the first error, which fades as weight ** 90.
    np.testing.assert_allclose(arima_forecast(series, positions, (0, 1, 1)), expected[positions], rtol=1e-6)


@pytest.mark.parametrize("seed", [5, 6])
def test_chosen_order_has_the_least_information_criterion(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert baselines.ARIMA_LARGEST_ORDER == 3
    monkeypatch.setattr(baselines, "ARIMA_LARGEST_ORDER", 1)
    history = np.cumsum(persistent(seed, n=60) - 10)
    scores: dict[tuple[int, int, int], float] = {}
    for p, q in product(range(2), range(2)):
        likelihood = fitted(history, (p, 1, q)).llf
        scores[p, 1, q] = 2 * (p + q + 1) - 2 * likelihood  # p + q weights and one variance
    assert scores[arima_order(history)] == pytest.approx(min(scores.values()), abs=1e-6)
    assert max(scores.values()) - min(scores.values()) > 2


@given(st.integers(0, 1000), st.integers(2, 19), st.floats(-1e3, 1e3))
def test_naive_and_drift_never_see_the_day_they_forecast_nor_later_ones(seed: int, day: int, other: float) -> None:
    series, positions = walk(seed, 20), np.arange(2, 20)
    changed = series.copy()
    changed[day:] = other
    for forecast in (naive_forecast, drift_forecast):
        before, after = forecast(series, positions), forecast(changed, positions)
        assert before[: day - 1].tolist() == after[: day - 1].tolist()


@pytest.mark.parametrize("order", ORDERS)
def test_arima_never_sees_the_day_it_forecasts_nor_later_ones(order: tuple[int, int, int]) -> None:
    series, positions = walk(7, 60), np.arange(50, 60)
    before = arima_forecast(series, positions, order)
    for day in (50, 55):
        changed = series.copy()
        changed[day:] += 50.0
        after = arima_forecast(changed, positions, order)
        np.testing.assert_allclose(after[: day - 49], before[: day - 49], rtol=1e-12)
        assert not np.allclose(after[day - 49 :], before[day - 49 :])


def test_arima_forecasts_do_not_depend_on_how_many_days_are_asked_for() -> None:
    series = walk(8, 60)
    many, few = (arima_forecast(series, np.arange(50, stop), (1, 1, 0)) for stop in (60, 53))
    np.testing.assert_allclose(many[:3], few, rtol=1e-9)
    assert (many.shape, few.shape) == ((10,), (3,))


@settings(max_examples=20)
@given(st.integers(2, 30), st.integers(0, 29))
def test_forecasts_without_enough_days_before_them_are_refused(n: int, day: int) -> None:
    series = walk(0, 40)
    cases: list[tuple[Any, int]] = [
        (naive_forecast, 1), (drift_forecast, 2), (lambda s, p: arima_forecast(s, p, (0, 1, 0)), 30),
    ]  # fmt: skip
    for forecast, history in cases:
        if day < history:
            with pytest.raises(ValueError, match=str(history)):
                forecast(series, np.arange(day, day + n))
        with pytest.raises(ValueError, match=str(history)):
            forecast(series, np.array([], dtype=np.intp))


@pytest.mark.parametrize("positions", [[100, 102], [102, 100], [100, 100, 101], [101, 100]])
def test_arima_refuses_days_that_do_not_follow_each_other(positions: list[int]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        arima_forecast(walk(0), np.array(positions), (0, 1, 0))
