"""Catalogues as monthly series: one number a month."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Statistic = Literal["maximum", "mean"]
Months = NDArray[np.datetime64]


def months_between(first: str, last: str) -> Months:
    """Return every month from ``first`` to ``last``, both included, as ``datetime64[M]``; ``"2022-08"`` is a month."""
    return np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)


def monthly_magnitudes(
    times: NDArray[np.datetime64], magnitudes: NDArray[np.float64], months: Months, statistic: Statistic
) -> NDArray[np.float64]:
    """Return the largest or the mean magnitude of each month; ``nan`` for a month without an event.

    Parameters
    ----------
    times : when the events happened, UTC, in any order; shape (events,)
    magnitudes : shape (events,)
    months : consecutive months, ascending; events outside of them are left out; shape (months,)

    Returns
    -------
    shape (months,)
    """
    position = (times.astype("datetime64[M]") - months[0]).astype(int)
    inside = (position >= 0) & (position < len(months))
    position, known = position[inside], magnitudes[inside]
    counts = np.bincount(position, minlength=len(months))
    if statistic == "mean":
        values = np.bincount(position, weights=known, minlength=len(months))
        means: NDArray[np.float64] = np.divide(values, counts, out=np.full(len(months), np.nan), where=counts > 0)
        return means
    largest = np.full(len(months), -np.inf)
    np.maximum.at(largest, position, known)
    return np.where(counts > 0, largest, np.nan)


def month_names(months: Months) -> list[str]:
    """Return months as they are written: ``2022-08``."""
    return [str(month) for month in months]
