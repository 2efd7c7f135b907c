"""Scores against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sklearn_metrics

from reproduce_lib.metrics import mean_absolute_error, root_mean_square_error, skill

PAIRS = st.integers(1, 30).flatmap(lambda n: st.tuples(*2 * [arrays(float, n, elements=st.floats(-1e6, 1e6))]))
SCORES = [mean_absolute_error, root_mean_square_error]


@settings(max_examples=60)
@given(PAIRS)
def test_scores_are_those_of_scikit_learn(pair: tuple[Any, Any]) -> None:
    truth, forecast = pair
    assert mean_absolute_error(truth, forecast) == pytest.approx(sklearn_metrics.mean_absolute_error(truth, forecast))
    expected = sklearn_metrics.root_mean_squared_error(truth, forecast)
    assert root_mean_square_error(truth, forecast) == pytest.approx(expected)


def test_scores_by_hand() -> None:
    truth, forecast = [1.0, 2.0, 3.0], [2.0, 0.0, 3.0]
    assert mean_absolute_error(truth, forecast) == 1.0
    assert root_mean_square_error(truth, forecast) == pytest.approx((5 / 3) ** 0.5)
    assert mean_absolute_error(np.array([1, 2]), np.array([1, 2])) == 0.0
    assert type(mean_absolute_error(truth, forecast)) is type(root_mean_square_error(truth, forecast)) is float


def test_single_precision_is_scored_in_double() -> None:
    truth = np.full(100_000, 0.1, dtype=np.float32)
    expected = float(np.float32(0.1))
    assert mean_absolute_error(truth, np.zeros_like(truth)) == pytest.approx(expected, rel=1e-12)
    assert root_mean_square_error(truth, np.zeros_like(truth)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("truth", "forecast"),
    [([], []), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [[1.0], [2.0]]), ([[1.0]], [[1.0]]), (1.0, 1.0), ([1.0, 2.0], 1.0)],
)
def test_unequal_empty_and_many_sided_shapes_are_refused_and_named(score: Any, truth: Any, forecast: Any) -> None:
    with pytest.raises(ValueError, match=r"\(.*\)") as refusal:
        score(truth, forecast)
    assert str(np.shape(truth)) in str(refusal.value)
    assert str(np.shape(forecast)) in str(refusal.value)


@pytest.mark.parametrize(
    ("error", "naive", "expected"), [(2.0, 2.0, 0.0), (0.0, 2.0, 1.0), (1.5, 2.0, 0.25), (3.0, 2.0, -0.5)]
)
def test_skill_by_hand(error: float, naive: float, expected: float) -> None:
    assert skill(error, naive) == expected


def test_skill_against_a_perfect_naive_forecast_is_undefined() -> None:
    with pytest.raises(ZeroDivisionError):
        skill(1.0, 0.0)
