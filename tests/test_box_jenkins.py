"""ARIMA models: against recursions written out, on processes whose order is known, and blind to what comes after."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.arima.model import ARIMA

from reproduce_lib import box_jenkins
from reproduce_lib.baselines import naive_forecast
from reproduce_lib.box_jenkins import (
    choose_arima,
    differences_needed,
    estimate_arima,
    stationarity_p_values,
)

ORDERS = [(0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 1, 1)]


def walk(seed: int, n: int = 120) -> Any:
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=n))


def persistent(seed: int, strength: float = 0.7, n: int = 150) -> Any:
    """Return a series each of whose values keeps a share of the deviation of the one before."""
    values = [10.0]
    for step in np.random.default_rng(seed).normal(size=n - 1):
        values.append(10 + strength * (values[-1] - 10) + step)
    return np.array(values)


def one_step(series: Any, start: int, order: tuple[int, int, int]) -> Any:
    return estimate_arima(series[:start], order).one_step(series[start:])


def fitted(history: Any, order: tuple[int, int, int]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ARIMA(history, order=order).fit()


def fitted_parameters(history: Any, order: tuple[int, int, int]) -> Any:
    model = fitted(history, order)
    return dict(zip(model.param_names, model.params, strict=True))


def test_arima_without_terms_is_the_naive_forecast() -> None:
    series = walk(0)
    np.testing.assert_allclose(one_step(series, 90, (0, 1, 0)), naive_forecast(series, np.arange(90, 120)), rtol=1e-9)


def test_first_order_autoregression_is_its_recursion() -> None:
    series = persistent(1)
    fit = fitted_parameters(series[:120], (1, 0, 0))
    assert 0.4 < fit["ar.L1"] < 0.95
    expected = [fit["const"] + fit["ar.L1"] * (series[day - 1] - fit["const"]) for day in range(120, 150)]
    np.testing.assert_allclose(one_step(series, 120, (1, 0, 0)), expected, rtol=1e-9)


def test_first_order_autoregression_fades_to_its_mean_when_nothing_more_is_seen() -> None:
    history = persistent(1)[:120]
    fit = fitted_parameters(history, (1, 0, 0))
    distance = (history[-1] - fit["const"]) * fit["ar.L1"] ** np.arange(1, 11)
    np.testing.assert_allclose(estimate_arima(history, (1, 0, 0)).ahead(10), fit["const"] + distance, rtol=1e-9)


def test_first_order_autoregression_of_changes_is_its_recursion() -> None:
    series = np.cumsum(persistent(2) - 10)
    strength = fitted_parameters(series[:120], (1, 1, 0))["ar.L1"]
    expected = [series[day - 1] + strength * (series[day - 1] - series[day - 2]) for day in range(120, 150)]
    np.testing.assert_allclose(one_step(series, 120, (1, 1, 0)), expected, rtol=1e-9)


def test_moving_average_is_its_recursion_of_past_errors() -> None:
    series = walk(3) + np.random.default_rng(4).normal(size=120)
    weight = fitted_parameters(series[:90], (0, 1, 1))["ma.L1"]
    forecast = series[0]
    expected = np.empty_like(series)
    for day in range(1, 120):
        expected[day] = forecast
        forecast = series[day] + weight * (series[day] - forecast)
    # The recursion starts without knowing the first error, which fades as weight ** 90.
    np.testing.assert_allclose(one_step(series, 90, (0, 1, 1)), expected[90:], rtol=1e-6)


def test_forecasts_within_the_history_see_what_came_before_each_or_before_the_first() -> None:
    history = persistent(1)[:120]
    fit = fitted_parameters(history, (1, 0, 0))
    model = estimate_arima(history, (1, 0, 0))
    expected = [fit["const"] + fit["ar.L1"] * (history[day - 1] - fit["const"]) for day in range(100, 120)]
    np.testing.assert_allclose(model.within(100), expected, rtol=1e-9)
    distance = (history[99] - fit["const"]) * fit["ar.L1"] ** np.arange(1, 21)
    np.testing.assert_allclose(model.within(100, dynamic=True), fit["const"] + distance, rtol=1e-9)


@pytest.mark.parametrize("seed", [5, 6])
def test_chosen_order_has_the_least_information_criterion(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert box_jenkins.LARGEST_ORDER == 3
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 1)
    history = np.cumsum(persistent(seed, n=60) - 10)
    scores: dict[tuple[int, int, int], float] = {}
    for p, q in product(range(2), range(2)):
        likelihood = fitted(history, (p, 1, q)).llf
        scores[p, 1, q] = 2 * (p + q + 1) - 2 * likelihood  # p + q weights and one variance
    assert scores[choose_arima(history, differences=1).order] == pytest.approx(min(scores.values()), abs=1e-6)
    assert max(scores.values()) - min(scores.values()) > 2


def test_as_many_differences_as_were_summed() -> None:
    noise = np.random.default_rng(0).normal(size=300)
    assert [differences_needed(series) for series in (noise, np.cumsum(noise), np.cumsum(np.cumsum(noise)))] == [
        0,
        1,
        2,
    ]


def test_differences_are_found_when_none_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 0)
    noise = np.random.default_rng(0).normal(size=300)
    assert choose_arima(np.cumsum(noise)).order == (0, 1, 0)
    assert choose_arima(noise).order == (0, 0, 0)


def test_the_two_stationarity_tests_speak_of_opposite_hypotheses() -> None:
    noise = np.random.default_rng(1).normal(size=300)
    unit_root, stationary = stationarity_p_values(noise)
    assert unit_root < 0.01 and stationary >= 0.1
    unit_root, stationary = stationarity_p_values(np.cumsum(noise))
    assert unit_root > 0.05 and stationary <= 0.05


def test_residuals_of_the_right_model_pass_and_those_of_none_do_not() -> None:
    history = persistent(3, n=400)
    right, none = (estimate_arima(history, order).diagnosis() for order in ((1, 0, 0), (0, 0, 0)))
    assert all(value > 0.05 for value in right.ljung_box.values())
    assert all(value < 1e-6 for value in none.ljung_box.values())
    assert set(right.ljung_box) == {12, 24}
    assert right.jarque_bera > 0.05


def test_residuals_that_are_not_normal_are_told() -> None:
    skewed = np.random.default_rng(2).exponential(size=300)
    found = estimate_arima(skewed, (0, 0, 0)).diagnosis().jarque_bera
    assert found == pytest.approx(stats.jarque_bera(skewed).pvalue) and found < 1e-6


@pytest.mark.parametrize("order", ORDERS)
def test_arima_never_sees_the_day_it_forecasts_nor_later_ones(order: tuple[int, int, int]) -> None:
    series = walk(7, 60)
    before = one_step(series, 50, order)
    for day in (50, 55):
        changed = series.copy()
        changed[day:] += 50.0
        after = one_step(changed, 50, order)
        np.testing.assert_allclose(after[: day - 49], before[: day - 49], rtol=1e-12)
        assert not np.allclose(after[day - 49 :], before[day - 49 :])


def test_forecasts_do_not_depend_on_how_many_days_are_asked_for() -> None:
    series = walk(8, 60)
    many, few = (one_step(series[:stop], 50, (1, 1, 0)) for stop in (60, 53))
    np.testing.assert_allclose(many[:3], few, rtol=1e-9)
    assert (many.shape, few.shape) == ((10,), (3,))


def test_a_history_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="30"):
        estimate_arima(walk(0, 29), (0, 1, 0))
