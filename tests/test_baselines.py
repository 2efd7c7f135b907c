"""Forecasts without a network: by hand, against recursions, and blind to what comes after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.baselines import drift_forecast, naive_forecast


def walk(seed: int, n: int = 120) -> Any:
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=n))


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


@given(st.integers(0, 1000), st.integers(2, 19), st.floats(-1e3, 1e3))
def test_naive_and_drift_never_see_the_day_they_forecast_nor_later_ones(seed: int, day: int, other: float) -> None:
    series, positions = walk(seed, 20), np.arange(2, 20)
    changed = series.copy()
    changed[day:] = other
    for forecast in (naive_forecast, drift_forecast):
        before, after = forecast(series, positions), forecast(changed, positions)
        assert before[: day - 1].tolist() == after[: day - 1].tolist()


@settings(max_examples=20)
@given(st.integers(2, 30), st.integers(0, 29))
def test_forecasts_without_enough_days_before_them_are_refused(n: int, day: int) -> None:
    series = walk(0, 40)
    for forecast, history in ((naive_forecast, 1), (drift_forecast, 2)):
        if day < history:
            with pytest.raises(ValueError, match=str(history)):
                forecast(series, np.arange(day, day + n))
        with pytest.raises(ValueError, match=str(history)):
            forecast(series, np.array([], dtype=np.intp))
