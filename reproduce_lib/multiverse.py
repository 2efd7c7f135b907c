"""A result under every declared combination of choices: where a printed number falls, and what it takes to get there.

Specification curves as in Simonsohn, Simmons & Nelson (2020), without their inference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reproduce_lib.execution.study import UnitStatus

VALUE = "value"
# How far from a printed number is near it, as a share.
NEAR = 0.1


@dataclass(frozen=True)
class Standing:
    """Where a printed number stands among what the specifications measured.

    Attributes
    ----------
    specifications : how many were measured
    reached : how many came as low as the printed number, or lower
    near : how many came within a tenth of it
    smallest, median, largest : of what was measured
    """

    specifications: int
    reached: int
    near: int
    smallest: float
    median: float
    largest: float

    def __str__(self) -> str:
        return f"{self.reached} of {self.specifications}"


def specifications(
    statuses: Iterable[UnitStatus], choices: Sequence[str], errors: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return one row per recorded unit and kind of error.

    Parameters
    ----------
    statuses : recorded units of one model
    choices : names of the parameters that vary
    errors : metric -> what choosing it means, such as ``{"error": "held out", "horizon": "one step"}``

    Returns
    -------
    Columns: the choices, those of ``errors``, and `VALUE`; every choice as text; ascending by value.
    """
    names = [*choices, *next(iter(errors.values()))]
    rows = [
        {**{name: str(getattr(status.unit, name)) for name in choices}, **meant, VALUE: status.record.metrics[metric]}
        for status in statuses
        if status.record is not None
        for metric, meant in errors.items()
        if metric in status.record.metrics
    ]
    frame = pd.DataFrame(rows, columns=[*names, VALUE]).astype({VALUE: float})
    return frame.sort_values(VALUE, kind="stable", ignore_index=True)


def standing(values: Sequence[float] | pd.Series, printed: float) -> Standing:
    """Say where a printed error stands among measured ones; of none there is no smallest (``nan``)."""
    found = np.asarray(values, dtype=float)
    reached, near = int((found <= printed).sum()), int((np.abs(found - printed) <= NEAR * abs(printed)).sum())
    ends = (float(found.min()), float(np.median(found)), float(found.max())) if len(found) else (np.nan,) * 3
    return Standing(len(found), reached, near, *ends)


def choices_behind(frame: pd.DataFrame, reached: pd.Series, names: Sequence[str]) -> pd.DataFrame:
    """Compare the specifications that reached a number with all of them, choice by choice.

    Returns
    -------
    Columns: choice, value, among_reached and among_all, the shares of the specifications with that value; in
    the order of ``names``, and of the values as the frame has them.
    """
    rows = [
        {
            "choice": name,
            "value": value,
            "among_reached": float((frame.loc[reached, name] == value).mean()) if reached.any() else np.nan,
            "among_all": float((frame[name] == value).mean()),
        }
        for name in names
        for value in sorted(frame[name].unique())
    ]
    return pd.DataFrame(rows, columns=["choice", "value", "among_reached", "among_all"])
