"""Statements that the printed numbers alone bear out or do not: sums, means, gains, and what is the largest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from operator import sub, truediv

import numpy as np

from reproduce_lib.claims import (
    F1Of,
    FactClaim,
    GainOf,
    LargestOf,
    MeanOf,
    OtherPlace,
    PaperClaims,
    ShareOf,
    SumOf,
    WhereLargest,
)
from reproduce_lib.rows import Row
from reproduce_lib.verdicts import Interval, Verdict, cuts_to, is_about, rounding_interval, rounds_to

# How a paper may have shortened a number, and what tells whether one was.
SHORTENED = {"rounded": rounds_to, "cut": cuts_to, "about": is_about}

FromPrinted = OtherPlace | MeanOf | LargestOf | WhereLargest | SumOf | ShareOf | GainOf | F1Of


def printed_fact(claims: PaperClaims, claim: FactClaim, against: FromPrinted) -> Row:
    """Judge a statement by other numbers that are printed."""
    match against:
        case OtherPlace(text=text):
            return Row(claim, exact(text == claim.printed), (text,), 1)
        case MeanOf(claims=names):
            return _mean_row(claims, claim, names)
        case LargestOf(claims=names):
            largest = max(Fraction(claims.value(name).value) for name in names)
            return Row(claim, exact(largest == Fraction(claim.printed)), (float(largest),), 1)
        case WhereLargest(claims=names):
            where = _where_largest(claims, names)
            return Row(claim, exact(where == claim.printed), (where,), 1)
        case SumOf(numbers=numbers):
            return _counted(claim, _sum(numbers))
        case ShareOf(parts=parts, of=whole):
            return _counted(claim, 100 * _sum(parts) / _sum(whole))
        case GainOf() as gain:
            return _counted(claim, _gain(claims, gain))
        case F1Of() as parts:
            return _f1_row(claims, claim, parts)


def exact(agrees: bool) -> Verdict:
    """Return the verdict on a statement that is exactly right or is not."""
    return Verdict.EXACT if agrees else Verdict.NOT_EXACT


def _mean_row(claims: PaperClaims, claim: FactClaim, names: Sequence[str]) -> Row:
    """Tell whether a printed mean can be that of printed values, each anywhere in its rounding interval."""
    ends = [rounding_interval(claims.value(name).value) for name in names]
    possible = Interval(float(np.mean([one.lower for one in ends])), float(np.mean([one.upper for one in ends])))
    agrees = possible.meets(rounding_interval(claim.printed))
    return Row(claim, exact(agrees), (f"{possible.lower:.6g} to {possible.upper:.6g}",), 1)


def _gain(claims: PaperClaims, gain: GainOf) -> Fraction:
    """Return by how much, in percent or points, printed values exceed others."""
    higher, lower = ([Fraction(claims.value(name).value) for name in names] for names in (gain.higher, gain.lower))
    match gain.reading:
        case "points":
            return sum(map(sub, higher, lower), start=Fraction()) / len(higher)
        case "relative":
            return 100 * sum(map(truediv, map(sub, higher, lower), lower), start=Fraction()) / len(higher)
        case "of_means":
            return 100 * (sum(higher, start=Fraction()) / sum(lower, start=Fraction()) - 1)


def _f1_row(claims: PaperClaims, claim: FactClaim, parts: F1Of) -> Row:
    """Tell whether a printed F1 can come of the printed precision and recall."""
    # Neither is below 0, where F1 would not grow with both.
    precision, recall = (
        rounding_interval(claims.value(name).value).within(Interval(0.0, math.inf))
        for name in (parts.precision, parts.recall)
    )
    # F1 grows with both, so that its ends are those of both together.
    possible = Interval(_f1(precision.lower, recall.lower), _f1(precision.upper, recall.upper))
    agrees = possible.meets(rounding_interval(claim.printed))
    return Row(claim, exact(agrees), (f"{possible.lower:.4f} to {possible.upper:.4f}",), 1)


def _where_largest(claims: PaperClaims, names: Sequence[str]) -> str:
    """Name the claims whose printed values are the largest by what tells their ids apart."""
    values = {name: Fraction(claims.value(name).value) for name in names}
    parts = [name.split(".") for name in names]
    differing = [i for i, found in enumerate(zip(*parts, strict=True)) if len(set(found)) > 1]
    largest = max(values.values())
    return ", ".join(
        ".".join(name.split(".")[i] for i in differing) for name, value in values.items() if value == largest
    )


def _f1(precision: float, recall: float) -> float:
    # Where nothing is found rightly both are 0, and so is F1.
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _sum(numbers: Iterable[str]) -> Fraction:
    return sum(map(Fraction, numbers), start=Fraction())


def _counted(claim: FactClaim, value: Fraction) -> Row:
    """Judge a statement by what follows from other printed numbers alone."""
    return Row(claim, exact(SHORTENED[claim.digits](value, claim.printed)), (float(value),), 1)
