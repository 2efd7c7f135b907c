"""The rule that turns repeated measurements into a verdict; the page on methods tells what changed in it, and when.

The prediction interval for one more replication is ``m +- t(0.975, n-1) * s * sqrt(1 + 1/n)``
(Hahn & Meeker 1991, section 4.8, for a single future observation from a normal distribution).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction

import numpy as np

from reproduce_lib.tolerances import Better

LEAST_REPLICATIONS = 5
CONFIDENCE = 0.95
HOLDS_FROM = 0.95
FAILS_UP_TO = 0.05
# What a share of many may be off by in floating point.
ROUNDING = 1e-12


class Verdict(StrEnum):
    """A verdict in words."""

    REPRODUCED = "reproduced"
    REPRODUCED_ON_SUBSTITUTE = "reproduced on substitute data"  # counted apart, never as reproduced
    INCONCLUSIVE = "inconclusive"
    BETTER = "better than reported"
    WORSE = "worse than reported"
    DIFFERS = "differs"
    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    EXACT = "exact"
    NOT_EXACT = "not exact"
    NOT_TESTED = "not tested"
    PENDING = "pending"


# A word never stands alone in colour: the symbol tells the verdicts apart in print and to the colour-blind.
SYMBOLS = {
    Verdict.REPRODUCED: "●",
    Verdict.REPRODUCED_ON_SUBSTITUTE: "○",
    Verdict.INCONCLUSIVE: "◌",
    Verdict.BETTER: "▲",
    Verdict.WORSE: "▼",
    Verdict.DIFFERS: "◆",
    Verdict.HOLDS: "✓",
    Verdict.FAILS: "✗",
    Verdict.UNDECIDED: "≈",
    Verdict.EXACT: "=",
    Verdict.NOT_EXACT: "≠",
    Verdict.NOT_TESTED: "–",
    Verdict.PENDING: "…",
}


@dataclass(frozen=True)
class Interval:
    """A closed interval."""

    lower: float
    upper: float

    @property
    def half_width(self) -> float:
        """Return half the distance between the ends."""
        return (self.upper - self.lower) / 2

    def meets(self, other: Interval) -> bool:
        """Tell whether the two intervals share a point."""
        return self.lower <= other.upper and other.lower <= self.upper

    def within(self, other: Interval) -> Interval:
        """Return the part of the interval that lies in another, which it has to meet."""
        return Interval(max(self.lower, other.lower), min(self.upper, other.upper))


def printed_number(text: str) -> Decimal:
    """Read a printed number, or raise `ValueError`."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a printed number") from None
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return value


def rounding_interval(text: str) -> Interval:
    """Return the numbers that would print as ``text``: half a unit of its last digit to either side.

    Raises
    ------
    ValueError
        If ``text`` is no printed number.
    """
    value = printed_number(text)
    half_unit = _last_digit(value) / 2
    return Interval(float(value - half_unit), float(value + half_unit))


def prediction_interval(measured: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the prediction interval for one more replication, of 95 % unless told; needs at least two.

    Raises
    ------
    ValueError
        If there are fewer than two replications.
    """
    from scipy import stats

    n = len(measured)
    if n < 2:
        raise ValueError("a prediction interval needs at least two replications")
    quantile = float(stats.t.ppf((1 + confidence) / 2, n - 1))
    half = quantile * float(np.std(measured, ddof=1)) * float(np.sqrt(1 + 1 / n))
    mean = float(np.mean(measured))
    return Interval(mean - half, mean + half)


def value_verdict(printed: str, measured: Sequence[float], verdict_half_width: float, better: Better) -> Verdict:
    """Judge a printed number against complete replications of it.

    Parameters
    ----------
    printed : the number as the paper printed it
    measured : one value per complete replication
    verdict_half_width : widest half-width of the prediction interval that still carries a verdict
    better : which direction is better

    Raises
    ------
    ValueError
        If ``printed`` is no printed number and there are enough replications to judge it.
    """
    if len(measured) < LEAST_REPLICATIONS:
        return Verdict.PENDING
    interval = prediction_interval(measured)
    if not interval.meets(rounding_interval(printed)):
        return _direction(float(printed), float(np.mean(measured)), better)
    return Verdict.REPRODUCED if interval.half_width <= verdict_half_width else Verdict.INCONCLUSIVE


def deterministic_verdict(printed: str, measured: float, better: Better) -> Verdict:
    """Judge a printed number against a result without randomness: it must round to the printed digits.

    Raises
    ------
    ValueError
        If ``printed`` is no printed number.
    """
    if rounds_to(measured, printed):
        return Verdict.REPRODUCED
    return _direction(float(printed), measured, better)


def order_verdict(held: float, ties: float, replications: int) -> Verdict:
    """Judge a stated order by how often it holds.

    Parameters
    ----------
    held : share of replications, or of pairs of independent ones, in which it holds
    ties : share in which it does not hold because the first is exactly as good as the best of the others: they speak
        neither for it nor against it
    replications : how many there are of each side
    """
    if replications < LEAST_REPLICATIONS:
        return Verdict.PENDING
    if held >= HOLDS_FROM - ROUNDING:
        return Verdict.HOLDS
    return Verdict.FAILS if held + ties <= FAILS_UP_TO + ROUNDING else Verdict.UNDECIDED


def rounds_to(measured: float | Fraction, printed: str) -> bool:
    """Tell whether ``measured`` rounds to ``printed``. Either neighbour is right for an exact half.

    Raises
    ------
    ValueError
        If ``printed`` is no printed number.
    """
    interval = rounding_interval(printed)
    value = float(measured)
    slack = 1e-12 * max(1.0, abs(value))
    return interval.lower - slack <= value <= interval.upper + slack


def is_about(measured: float | Fraction, printed: str) -> bool:
    """Tell whether ``measured`` lies within one unit of the last digit of ``printed``.

    Raises
    ------
    ValueError
        If ``printed`` is no printed number.
    """
    number = printed_number(printed)
    return abs(_as_decimal(measured) - Fraction(number)) <= Fraction(_last_digit(number))


def cuts_to(measured: float | Fraction, printed: str) -> bool:
    """Tell whether ``measured``, cut off (not rounded) after the digits of ``printed``, is ``printed``.

    Raises
    ------
    ValueError
        If ``printed`` is no printed number.
    """
    number, exact = printed_number(printed), _as_decimal(measured)
    value, unit = Fraction(number), Fraction(_last_digit(number))
    same_side = not value or (value < 0) == (exact < 0)
    return same_side and bool(abs(value) <= abs(exact) < abs(value) + unit)


def _as_decimal(measured: float | Fraction) -> Fraction:
    """Return the number that a float stands for, exactly: 235.35 for the float just below it, which is written so."""
    # Every decimal of 15 digits comes back from a double unchanged, and of a sum most of what rounding did is gone.
    return Fraction(f"{measured:.15g}") if isinstance(measured, float) else Fraction(measured)


def _last_digit(number: Decimal) -> Decimal:
    """Return one unit of the last digit that a number is printed with."""
    return Decimal((0, (1,), int(number.as_tuple().exponent)))


def _direction(printed: float, measured: float, better: Better) -> Verdict:
    if better == "none":
        return Verdict.DIFFERS
    improved = measured < printed if better == "lower" else measured > printed
    return Verdict.BETTER if improved else Verdict.WORSE
