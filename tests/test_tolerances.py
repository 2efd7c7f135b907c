"""Directions of the scores, and the tolerances of the verdict rule."""

from __future__ import annotations

import pytest

from reproduce_lib.errors import ParameterError
from reproduce_lib.tolerances import METRICS, metric


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_relative_errors_carry_a_verdict_up_to_a_tenth_of_what_was_printed(name: str) -> None:
    assert metric(name).better == "lower"
    assert metric(name).verdict_half_width(17.79) == pytest.approx(1.779)
    assert metric(name).verdict_half_width(-20.0) == 2.0


def test_absolute_tolerance_does_not_depend_on_what_was_printed() -> None:
    absolute = type(metric("mae"))("acc", "ACC", "higher", half_width=0.025, relative=False)
    assert {absolute.verdict_half_width(printed) for printed in (0.1, 0.9, 83.33)} == {0.025}


def test_unknown_score_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError) as refusal:
        metric("mape")
    assert all(name in str(refusal.value) for name in ["mape", *METRICS])
    assert all(known.name == name for name, known in METRICS.items())


def test_name_may_carry_what_the_score_is_taken_at() -> None:
    assert metric("magnitude[2022-08]") is metric("magnitude")


@pytest.mark.parametrize("name", ["magnitude[2022-08", "[2022-08]", "magnitude]", "mape[1]", ""])
def test_half_a_bracket_names_no_score(name: str) -> None:
    with pytest.raises(ParameterError, match="unknown metric"):
        metric(name)
