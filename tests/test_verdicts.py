"""The verdict rule against cases computed by hand."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from reproduce_lib.tolerances import Better
from reproduce_lib.verdicts import (
    SYMBOLS,
    Interval,
    Verdict,
    cuts_to,
    deterministic_verdict,
    is_about,
    order_verdict,
    prediction_interval,
    printed_number,
    rounding_interval,
    rounds_to,
    value_verdict,
)

# Mean 10, sum of squares 2, so s = sqrt(2/4) and s * sqrt(1 + 1/5) = sqrt(0.6); t(0.975, 4) = 2.776445 from the table.
MEASURED = [9.0, 10.0, 11.0, 10.0, 10.0]
HALF = 2.776445 * math.sqrt(0.6)  # 2.1506: the interval is 7.8494 to 12.1506


def test_prediction_interval_computed_by_hand() -> None:
    interval = prediction_interval(MEASURED)
    assert (interval.lower, interval.upper) == pytest.approx((10 - HALF, 10 + HALF), abs=1e-5)
    assert interval.half_width == pytest.approx(HALF, abs=1e-5)


def test_prediction_interval_of_two_computed_by_hand() -> None:
    # Mean 2, s = sqrt(2), sqrt(1 + 1/2): half-width t(0.975, 1) * sqrt(3) with t = 12.7062.
    assert prediction_interval([1.0, 3.0]).upper == pytest.approx(2 + 12.7062 * math.sqrt(3), abs=1e-4)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12))
def test_prediction_interval_is_the_one_of_a_regression_on_a_constant(measured: list[float]) -> None:
    fitted = sm.OLS(np.asarray(measured), np.ones(len(measured))).fit()
    ((lower, upper),) = fitted.get_prediction(np.ones((1, 1))).conf_int(obs=True, alpha=0.05)
    interval = prediction_interval(measured)
    assert (interval.lower, interval.upper) == pytest.approx((lower, upper), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("measured", [[], [1.0]])
def test_prediction_interval_needs_two(measured: list[float]) -> None:
    with pytest.raises(ValueError):
        prediction_interval(measured)


@pytest.mark.parametrize(
    ("printed", "lower", "upper"),
    [
        ("0.2320", 0.23195, 0.23205),
        ("0.232", 0.2315, 0.2325),
        ("17.790", 17.7895, 17.7905),
        ("1258", 1257.5, 1258.5),
        ("100", 99.5, 100.5),
        ("0", -0.5, 0.5),
        ("-0.5", -0.55, -0.45),
        ("-12.30", -12.305, -12.295),
        ("1e3", 500.0, 1500.0),
        ("1.0e3", 950.0, 1050.0),
        ("2.5E-4", 0.000245, 0.000255),
        ("+3.1", 3.05, 3.15),
    ],
)
def test_rounding_interval_is_half_a_last_digit_to_either_side(printed: str, lower: float, upper: float) -> None:
    assert rounding_interval(printed) == Interval(lower, upper)


@pytest.mark.parametrize("text", ["n/a", "", "-", "NaN", "inf", "-Infinity", "1,258", "83.33%", "0.1.2", "12 USD"])
def test_what_is_no_finite_number_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        printed_number(text)
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    ("one", "two", "share"),
    [((0, 1), (1, 2), True), ((0, 1), (1.01, 2), False), ((0, 9), (4, 5), True), ((4, 4), (4, 4), True)],
)
def test_closed_intervals_meet_where_they_share_a_point(
    one: tuple[float, float], two: tuple[float, float], share: bool
) -> None:
    assert Interval(*one).meets(Interval(*two)) is share
    assert Interval(*two).meets(Interval(*one)) is share


@pytest.mark.parametrize(
    ("printed", "widest", "better", "verdict"),
    [
        ("10.0", 3.0, "lower", Verdict.REPRODUCED),
        ("12.2", 3.0, "lower", Verdict.REPRODUCED),  # 12.15 to 12.25 meets 12.1506
        ("12.2", 2.0, "lower", Verdict.INCONCLUSIVE),  # but the interval is wider than allowed
        ("12.20", 3.0, "lower", Verdict.BETTER),  # 12.195 to 12.205 does not
        ("12.20", 2.0, "lower", Verdict.BETTER),  # outside is outside, however wide
        ("12.20", 3.0, "higher", Verdict.WORSE),
        ("12.20", 3.0, "none", Verdict.DIFFERS),
        ("7.8", 3.0, "lower", Verdict.REPRODUCED),  # 7.75 to 7.85 meets 7.8494
        ("7.80", 3.0, "lower", Verdict.WORSE),
        ("7.80", 3.0, "higher", Verdict.BETTER),
        ("7.80", 3.0, "none", Verdict.DIFFERS),
        ("1e1", 3.0, "none", Verdict.REPRODUCED),
        ("-10.0", 3.0, "higher", Verdict.BETTER),
    ],
)
def test_value_verdict_by_hand(printed: str, widest: float, better: Better, verdict: Verdict) -> None:
    assert value_verdict(printed, MEASURED, widest, better) is verdict


def test_value_verdict_of_negative_numbers_by_hand() -> None:
    measured = [-value for value in MEASURED]
    assert value_verdict("-12.2", measured, 3.0, "lower") is Verdict.REPRODUCED
    assert value_verdict("-12.20", measured, 3.0, "lower") is Verdict.WORSE
    assert value_verdict("-12.20", measured, 3.0, "higher") is Verdict.BETTER


@pytest.mark.parametrize("count", range(5))
def test_fewer_than_five_replications_are_pending(count: int) -> None:
    assert value_verdict("10.0", MEASURED[:count], 99.0, "lower") is Verdict.PENDING
    assert value_verdict("99.0", MEASURED[:count], 99.0, "lower") is Verdict.PENDING
    assert order_verdict(1.0, 0.0, count) is Verdict.PENDING


def test_widest_allowed_half_width_itself_still_carries_a_verdict() -> None:
    half = prediction_interval(MEASURED).half_width
    assert value_verdict("10.0", MEASURED, half, "lower") is Verdict.REPRODUCED
    assert value_verdict("10.0", MEASURED, float(np.nextafter(half, 0)), "lower") is Verdict.INCONCLUSIVE


def test_replications_without_spread_are_judged_by_the_printed_digits_alone() -> None:
    assert value_verdict("0.23", [0.234375] * 5, 0.0, "lower") is Verdict.REPRODUCED
    assert value_verdict("0.23", [0.25] * 5, 0.0, "lower") is Verdict.WORSE


@given(st.lists(st.floats(0.1, 100), min_size=5, max_size=12), st.decimals(1, 100, places=2))
def test_lower_and_higher_are_mirror_images_and_none_takes_no_side(measured: list[float], printed: Decimal) -> None:
    found = [value_verdict(str(printed), measured, 1.0, better) for better in ("lower", "higher", "none")]
    if found[2] is Verdict.DIFFERS:
        assert set(found[:2]) == {Verdict.BETTER, Verdict.WORSE}
    else:
        assert found[0] is found[1] is found[2]


@pytest.mark.parametrize(
    ("printed", "measured", "better", "verdict"),
    [
        ("1.53", 1.5349, "lower", Verdict.REPRODUCED),
        ("1.53", 1.5251, "higher", Verdict.REPRODUCED),
        ("1.53", 1.5351, "lower", Verdict.WORSE),
        ("1.53", 1.5351, "higher", Verdict.BETTER),
        ("1.53", 1.5249, "lower", Verdict.BETTER),
        ("1.53", 1.5249, "higher", Verdict.WORSE),
        ("1.53", 1.5249, "none", Verdict.DIFFERS),
    ],
)
def test_deterministic_result_must_round_to_the_printed_digits(
    printed: str, measured: float, better: Better, verdict: Verdict
) -> None:
    assert deterministic_verdict(printed, measured, better) is verdict


@pytest.mark.parametrize(
    ("held", "of", "verdict"),
    [
        (20, 20, Verdict.HOLDS),
        (19, 20, Verdict.HOLDS),
        (18, 20, Verdict.UNDECIDED),
        (2, 20, Verdict.UNDECIDED),
        (1, 20, Verdict.FAILS),
        (0, 20, Verdict.FAILS),
        (5, 5, Verdict.HOLDS),
        (4, 5, Verdict.UNDECIDED),
        (9, 10, Verdict.UNDECIDED),
        (1, 10, Verdict.UNDECIDED),
        (0, 5, Verdict.FAILS),
        (95, 100, Verdict.HOLDS),
        (94, 100, Verdict.UNDECIDED),
        (6, 100, Verdict.UNDECIDED),
        (5, 100, Verdict.FAILS),
    ],
)
def test_order_verdict_by_the_share_of_replications(held: int, of: int, verdict: Verdict) -> None:
    assert order_verdict(held / of, 0.0, of) is verdict


@pytest.mark.parametrize(
    ("held", "ties", "of", "verdict"),
    [
        (0, 5, 5, Verdict.UNDECIDED),  # equal throughout: nothing was compared
        (0, 1, 5, Verdict.UNDECIDED),
        (0, 1, 20, Verdict.FAILS),
        (1, 1, 20, Verdict.UNDECIDED),
        (19, 1, 20, Verdict.HOLDS),
        (18, 2, 20, Verdict.UNDECIDED),
        (0, 0, 5, Verdict.FAILS),
    ],
)
def test_ties_speak_neither_for_an_order_nor_against_it(held: int, ties: int, of: int, verdict: Verdict) -> None:
    assert order_verdict(held / of, ties / of, of) is verdict


@given(st.integers(1, 500))
def test_the_limits_of_an_order_are_exact_for_every_number_of_replications(twentieths: int) -> None:
    n = 20 * twentieths
    assert order_verdict(19 * twentieths / n, 0.0, n) is Verdict.HOLDS
    assert order_verdict(twentieths / n, 0.0, n) is Verdict.FAILS
    assert order_verdict((twentieths + 1) / n, 0.0, n) is Verdict.UNDECIDED


@given(st.floats(-1e5, 1e5), st.integers(0, 4))
def test_a_number_rounds_to_what_decimal_arithmetic_makes_of_it_and_not_to_its_neighbours(
    x: float, digits: int
) -> None:
    unit = Decimal(1).scaleb(-digits)
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        assert rounds_to(x, str(Decimal(x).quantize(unit, rounding)))
    nearest = Decimal(x).quantize(unit)
    for steps in (-2, 2):
        assert not rounds_to(x, str(nearest + steps * unit))


@pytest.mark.parametrize(
    ("measured", "printed", "expected"),
    [(0.5, "0", True), (0.5, "1", True), (0.125, "0.12", True), (0.125, "0.13", True), (0.1251, "0.12", False),
     (1258.0, "1258", True), (1259.0, "1258", False), (1.0, "1.000", True), (-0.126, "-0.13", True),
     (0.126, "-0.13", False)],
)  # fmt: skip
def test_rounding_by_hand(measured: float, printed: str, expected: bool) -> None:
    assert rounds_to(measured, printed) is expected


@pytest.mark.parametrize(
    ("measured", "printed", "expected"),
    [
        (241.00999450683594, "241.009", True),
        (241.00999450683594, "241.010", False),
        (241.00999450683594, "241.01", False),
        (241.00999450683594, "241.00", True),
        (241.00999450683594, "241", True),
        (242.39999389648438, "242.399", True),
        (254.5, "254.5", True),
        (254.5, "254.500", True),
        (254.5, "254", True),
        (254.5, "255", False),
        (1258.0, "1e3", True),
        (0.0, "0.00", True),
        (-1.239, "-1.23", True),
        (-1.239, "-1.24", False),
        (-1.239, "1.23", False),
        (1.239, "-1.23", False),
        (-0.004, "0.00", True),
        (235.35, "235.350", True),  # the float is 235.34999…
        (235.35, "235.349", False),
        (-235.35, "-235.350", True),
        (0.7 + 0.1, "0.8", True),  # 0.7999999999999999
        (0.1 + 0.2, "0.3", True),
    ],
)
def test_cutting_by_hand(measured: float, printed: str, expected: bool) -> None:
    assert cuts_to(measured, printed) is expected


@given(st.decimals(-(10**5), 10**5, places=9), st.integers(0, 4))
def test_a_number_cuts_to_what_decimal_arithmetic_leaves_of_it_and_not_to_its_neighbours(
    x: Decimal, digits: int
) -> None:
    unit = Decimal(1).scaleb(-digits)
    cut = x.quantize(unit, ROUND_DOWN)
    assert cuts_to(float(x), str(cut))
    assert not cuts_to(float(x), str(cut + unit))
    assert not cuts_to(float(x), str(cut - unit))


@given(st.decimals(-(10**5), 10**5, places=4))
def test_one_unit_of_the_last_digit_is_still_about_and_more_is_not(x: Decimal) -> None:
    for step in (1, -1):
        assert is_about(float(x), str(x + step * Decimal("0.0001")))
        assert not is_about(float(x), str(x + step * Decimal("0.0002")))


def test_every_verdict_has_a_symbol_of_its_own() -> None:
    assert set(SYMBOLS) == set(Verdict)
    assert len(set(SYMBOLS.values())) == len(Verdict)
    assert all(len(symbol) == 1 for symbol in SYMBOLS.values())


@pytest.mark.parametrize(
    ("measured", "printed", "about"),
    [(29.77, "29", True), (28.0, "29", True), (30.01, "29", False), (1.244942, "1.25", True), (1.2399, "1.25", False),
     (0.3, "0.4", True), (1.2, "1.3", True), (1.2, "1.1", True), (0.29, "0.4", False), (Fraction(3, 10), "0.4", True)],
)  # fmt: skip
def test_about_leaves_one_unit_of_the_last_digit(measured: float | Fraction, printed: str, about: bool) -> None:
    assert is_about(measured, printed) is about
