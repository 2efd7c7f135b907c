"""The paired test against a regression on a constant, and the lag against a plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reproduce_lib.forecast_tests import best_lag, diebold_mariano

SEEDS = st.integers(0, 10_000)


def two_errors(seed: int, n: int = 60) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.normal(size=n), random.normal(scale=1.3, size=n)


@settings(max_examples=30)
@given(SEEDS, st.integers(2, 40), st.sampled_from([1, 2]))
def test_statistic_is_the_t_value_of_the_mean_loss_difference(seed: int, n: int, power: int) -> None:
    """Exactly so at one step ahead.

    With d the loss differences, v = sum((d - mean)^2) / n and s^2 = v n / (n - 1), Diebold and Mariano take
    mean / sqrt(v / n), Harvey, Leybourne and Newbold multiply by sqrt((n - 1) / n): together mean / (s / sqrt(n)),
    which is the t value of a regression of d on a constant, with the same n - 1 degrees of freedom.
    """
    one, two = two_errors(seed, n)
    fitted = sm.OLS(np.abs(one) ** power - np.abs(two) ** power, np.ones(n)).fit()
    found = diebold_mariano(one, two, power)
    assert found.statistic == pytest.approx(float(fitted.tvalues[0]), rel=1e-9)
    assert found.p_value == pytest.approx(float(fitted.pvalues[0]), rel=1e-7)


def test_statistic_by_hand() -> None:
    # Losses 1 2 3 against 2 2 1: differences -1 0 2, mean 1/3, v = 14/9, sqrt(v/3) * sqrt(3/2) = sqrt(7/9).
    found = diebold_mariano([1.0, -2.0, 3.0], [-2.0, 2.0, 1.0])
    assert found.statistic == pytest.approx((1 / 3) / (7 / 9) ** 0.5)
    assert found.p_value == pytest.approx(2 * stats.t.cdf(-found.statistic, 2))


def test_squared_losses_by_hand() -> None:
    # Squares 1 4 9 against 4 4 1: differences -3 0 8, mean 5/3, v = 73/3 - 25/9 = 194/9.
    found = diebold_mariano([1.0, -2.0, 3.0], [-2.0, 2.0, 1.0], power=2)
    assert found.statistic == pytest.approx((5 / 3) / (194 / 9 / 3 * 3 / 2) ** 0.5)


@given(SEEDS)
def test_exchanging_the_forecasts_turns_the_sign_and_nothing_else(seed: int) -> None:
    one, two = two_errors(seed)
    there, back = diebold_mariano(one, two), diebold_mariano(two, one)
    assert there.statistic == pytest.approx(-back.statistic)
    assert there.p_value == pytest.approx(back.p_value)


@given(SEEDS, st.floats(0.01, 100))
def test_signs_order_and_unit_of_the_errors_do_not_matter(seed: int, unit: float) -> None:
    one, two = two_errors(seed)
    order = np.random.default_rng(seed).permutation(len(one))
    found = diebold_mariano(-one[order] * unit, two[order] * unit)
    assert found.statistic == pytest.approx(diebold_mariano(one, two).statistic)


def test_smaller_errors_of_the_first_forecast_make_the_statistic_negative() -> None:
    one, two = two_errors(0)
    better = diebold_mariano(one * 0.1, two)
    assert better.statistic < -3
    assert better.p_value < 0.01


@pytest.mark.parametrize(
    ("one", "two"),
    [([1.0, 2.0], [1.0]), ([1.0], [2.0]), ([], []), ([[1.0, 2.0]], [[2.0, 3.0]])],
)
def test_unequal_or_too_short_rows_are_refused_with_their_shapes(one: Any, two: Any) -> None:
    with pytest.raises(ValueError, match=r"\(") as refusal:
        diebold_mariano(one, two)
    assert str(np.shape(one)) in str(refusal.value)


@pytest.mark.parametrize(
    ("one", "two"), [([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0], [-1.0, -2.0]), ([2.0, 3.0], [1.0, 2.0])]
)
def test_losses_that_never_differ_otherwise_cannot_be_tested(one: list[float], two: list[float]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        diebold_mariano(one, two)


@settings(max_examples=30)
@given(SEEDS, st.integers(0, 10), st.booleans())
def test_a_series_shifted_by_k_has_lag_k(seed: int, lag: int, walk: bool) -> None:
    noise = np.random.default_rng(seed).normal(size=200)
    truth = np.cumsum(noise) if walk else noise
    forecast = 3 * np.concatenate([np.full(lag, truth[0]), truth[: len(truth) - lag]]) + 7
    assert best_lag(truth, forecast) == lag


def test_naive_forecast_of_a_walk_has_lag_one_and_a_perfect_one_lag_zero() -> None:
    walk = np.cumsum(np.random.default_rng(3).normal(size=300))
    assert best_lag(walk[1:], walk[:-1]) == 1
    assert best_lag(walk[1:], walk[1:]) == 0


@settings(max_examples=30)
@given(SEEDS, st.integers(0, 6))
def test_lag_is_the_one_that_a_loop_over_the_same_days_finds(seed: int, largest: int) -> None:
    random = np.random.default_rng(seed)
    truth, forecast = random.normal(size=40), random.normal(size=40)
    days = range(largest, 40)
    scores = [
        stats.pearsonr([truth[day - lag] for day in days], [forecast[day] for day in days]).statistic
        for lag in range(largest + 1)
    ]
    assert best_lag(truth, forecast, largest) == scores.index(max(scores))


@pytest.mark.parametrize(("n", "m", "largest"), [(12, 12, 10), (20, 19, 5), (0, 0, 0), (2, 2, 0)])
def test_rows_too_short_or_unequal_are_refused_with_their_lengths(n: int, m: int, largest: int) -> None:
    with pytest.raises(ValueError, match=str(largest + 3)) as refusal:
        best_lag(np.arange(n), np.arange(m), largest)
    assert all(str(length) in str(refusal.value) for length in (n, m))
    random = np.random.default_rng(0).normal(size=largest + 3)
    assert best_lag(random, random, largest) == 0


def test_a_row_that_never_changes_has_no_lag() -> None:
    changing, still = np.arange(20.0), np.full(20, 5.0)
    for rows in ((changing, still), (still, changing)):
        with pytest.raises(ValueError, match=r"\S"):
            best_lag(*rows)
