"""Forecasts against what came: by hand, against a literal draw, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib import prospective
from reproduce_lib.prospective import (
    Estimate,
    before_and_on,
    errors_by_month,
    mean_with_interval,
    outcome_of,
    paired_difference,
    rank_correlation,
    ranks,
    score,
    score_random_draws,
)
from reproduce_lib.verdicts import Interval


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospective, "RESAMPLES", 999)


def test_score_by_hand() -> None:
    found = score(np.array([5.0, 6.0, 5.5]), np.array([5.5, 5.0, 5.5]))
    assert found.mae.value == pytest.approx(0.5)  # 0.5, 1 and 0
    assert found.bias.value == pytest.approx(1 / 6)  # -0.5, 1 and 0
    assert found.months == 3


def test_a_month_without_forecast_or_observation_is_left_out() -> None:
    found = score(np.array([5.0, np.nan, 6.0, 7.0]), np.array([5.5, 5.0, np.nan, 6.0]))
    assert (found.mae.value, found.months) == (pytest.approx(0.75), 2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_random_draws_are_scored_as_many_literal_draws(seed: int) -> None:
    random = np.random.default_rng(seed)
    past, observed = random.normal(5.7, 0.5, 40), random.normal(5.9, 0.5, 24)
    found = score_random_draws(past, observed)
    draws = random.choice(past, size=(20_000, 24))
    assert found.mae.value == pytest.approx(np.abs(draws - observed).mean(), abs=0.01)
    assert found.bias.value == pytest.approx((draws - observed).mean(), abs=0.01)


def test_drawing_at_random_is_worse_than_the_median_of_what_is_drawn() -> None:
    random = np.random.default_rng(3)
    past, observed = random.normal(size=400), random.normal(size=200)
    constant = score(np.full(200, np.median(past)), observed)
    assert score_random_draws(past, observed).mae.value > constant.mae.value


def test_paired_difference_is_the_difference_of_the_errors() -> None:
    observed = np.array([5.0, 6.0, 7.0])
    first, second = np.array([5.5, 6.5, 7.5]), np.array([5.2, 6.2, 7.2])
    found = paired_difference(first, second, observed)
    assert found.value == pytest.approx(0.3)
    # Every month differs by the same amount, so drawing months anew changes nothing.
    assert (found.interval.lower, found.interval.upper) == (pytest.approx(0.3), pytest.approx(0.3))
    assert paired_difference(second, first, observed).value == pytest.approx(-0.3)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(0.4, 0.3, size=(200, 40))
    intervals = [mean_with_interval(sample).interval for sample in samples]
    covered = np.mean([one.lower <= 0.4 <= one.upper for one in intervals])
    assert 0.88 <= covered <= 0.99


def test_the_same_months_give_the_same_interval() -> None:
    values = np.random.default_rng(1).normal(size=24)
    assert mean_with_interval(values) == mean_with_interval(values.copy())


def test_one_month_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two"):
        mean_with_interval(np.array([1.0]))


def test_ranks_share_the_better_place() -> None:
    assert ranks({"a": 0.3, "b": 0.1, "c": 0.3, "d": 0.9}) == {"a": 2, "b": 1, "c": 2, "d": 4}


def test_rank_correlation_of_same_and_reversed_orders() -> None:
    one = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert rank_correlation(one, {"c": 30.0, "b": 20.0, "a": 10.0}) == pytest.approx(1)
    assert rank_correlation(one, {"a": 3.0, "b": 2.0, "c": 1.0}) == pytest.approx(-1)


@pytest.mark.parametrize(("lower", "upper", "sign"), [(-2, -1, -1), (1, 2, 1), (-1, 1, 0), (0, 1, 0), (-1, 0, 0)])
def test_a_difference_has_a_sign_where_its_interval_lies_on_one_side_of_zero(lower: int, upper: int, sign: int) -> None:
    assert Estimate(0.0, Interval(lower, upper)).sign == sign


def test_outcome_of_forecasts_by_hand() -> None:
    observed = np.array([5.0, 6.0, np.nan, 5.0])
    forecasts = {
        "near": np.array([5.1, 5.9, 9.0, 5.1]),  # off by 0.1 each time
        "far": np.array([6.0, 5.0, 9.0, 6.0]),  # off by 1
        "same": np.array([5.5, 5.5, 9.0, 5.5]),  # off by 0.5, as the constant is
    }
    found = outcome_of(forecasts, np.full(4, 5.5), observed)
    assert found.errors == {"near": 0.1, "far": 1.0, "same": 0.5}
    assert found.reference == 0.5
    assert found.ranks == {"near": 1, "same": 2, "far": 3}
    assert (found.best, found.closer) == ("near", ["near"])
    assert {name: one.value for name, one in found.differences.items()} == pytest.approx(
        {"near": -0.4, "far": 0.5, "same": 0.0}
    )
    # Each month differs by the same amount: the intervals are points.
    assert (found.decided(-1), found.decided(0), found.decided(1)) == (1, 1, 1)


def test_errors_that_only_arithmetic_tells_apart_are_equal() -> None:
    observed = np.array([3.8, 3.8])
    found = outcome_of({"a": np.array([3.9, 3.9]), "b": np.array([3.7, 3.7])}, np.array([3.9, 3.9]), observed)
    assert abs(3.9 - 3.8) != abs(3.7 - 3.8)
    assert found.ranks == {"a": 1, "b": 1}
    assert found.closer == []


def test_months_before_the_tested_ones_are_the_past_and_later_ones_are_neither() -> None:
    months = np.array(["2022-05", "2022-06", "2022-07", "2022-08", "2022-09"], dtype="datetime64[M]")
    past, tested = before_and_on(months, np.arange(5.0), np.array(["2022-07", "2022-08"], dtype="datetime64[M]"))
    assert (list(past), list(tested)) == ([0.0, 1.0], [2.0, 3.0])


def test_errors_of_runs_are_those_of_the_last_months_and_averaged() -> None:
    observed = np.array([9.0, 9.0, 5.0, 6.0])
    assert list(errors_by_month([np.array([5.5, 6.0]), np.array([4.0, 7.0])], observed)) == [0.75, 0.5]
