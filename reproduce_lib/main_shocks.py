"""Cutting a catalogue into samples, main shock by main shock: Li et al. (2021), section II-A.

A period begins with the first event after the last main shock; its largest event is the next main shock, and
the period after it begins right there, wherever the period would have ended. So periods follow the main shocks
and are no fixed grid. The paper says that a period lasts N days, and its own example counts N events; its text takes
the w events before a main shock as the pattern, its formula the w main shocks before it: all four are here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Unit = Literal["days", "events"]
Pattern = Literal["events", "main_shocks"]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Periods:
    """The main shocks of a catalogue.

    Attributes
    ----------
    main_shocks : index of the largest event of each period, the earliest of equals, shape (periods,)
    starts : index of the first event of each period, shape (periods,)
    """

    main_shocks: Indices
    starts: Indices


@dataclass(frozen=True)
class Samples:
    """Main shocks with what came before them.

    Attributes
    ----------
    main_shocks : index of the event whose magnitude is to be forecast, shape (samples,)
    starts : index of the first event of its period, shape (samples,)
    patterns : indices of the events of its precursory pattern in order of time, shape (samples, w)
    """

    main_shocks: Indices
    starts: Indices
    patterns: Indices


def find_main_shocks(
    days: NDArray[np.float64], magnitudes: NDArray[np.float64], *, length: float, unit: Unit
) -> Periods:
    """Return the main shocks of all complete periods.

    Parameters
    ----------
    days : time of each event in days, ascending, shape (events,)
    magnitudes : shape (events,)
    length : N, the length of a period, in days or as a number of events

    Raises
    ------
    ValueError
        If the events are not in order of time, a number is not finite, or a period would be empty.
    """
    _check(days, magnitudes, length, unit)
    count = len(days)
    first = np.arange(count)
    if unit == "days":
        ends = np.searchsorted(days, days + length, side="left")
        complete = days + length <= days[-1] if count else np.zeros(0, bool)
    else:
        ends = np.minimum(first + int(length), count)
        complete = first + int(length) <= count
    # An event less than a day's rounding after the start is in the period of its start.
    largest = _range_argmax(magnitudes, np.maximum(ends, first + 1)).tolist()
    whole = int(complete.sum())  # once a period is cut off by the end of the catalogue, all later ones are
    starts, main_shocks, start = [], [], 0
    while start < whole:
        starts.append(start)
        main_shocks.append(largest[start])
        start = largest[start] + 1
    return Periods(np.array(main_shocks, dtype=np.intp), np.array(starts, dtype=np.intp))


def cut_fixed_periods(days: NDArray[np.float64], magnitudes: NDArray[np.float64], *, length: float) -> Periods:
    """Return the largest event of each ``length`` days of a fixed grid from the first event on; empty ones have none.

    Zhang et al. (2019), the paper's reference 7, as section II-A describes it.
    """
    _check(days, magnitudes, length, "days")
    if not len(days):
        return Periods(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))
    cells = ((days - days[0]) // length).astype(np.intp)
    last = int((days[-1] - days[0]) // length)  # the cell that the end of the catalogue cuts off
    _, starts = np.unique(cells[cells < last], return_index=True)
    ends = np.append(starts[1:], int((cells < last).sum())) if len(starts) else starts
    chosen = [int(start + np.argmax(magnitudes[start:end])) for start, end in zip(starts, ends, strict=True)]
    return Periods(np.array(chosen, dtype=np.intp), starts.astype(np.intp))


def attach_patterns(periods: Periods, *, width: int, pattern: Pattern) -> Samples:
    """Return the main shocks that have enough before them, each with its precursory pattern of ``width`` events."""
    if width < 1:
        raise ValueError(f"a pattern has at least one event, not {width}")
    main_shocks = periods.main_shocks
    if pattern == "events":
        enough = main_shocks >= width
        patterns = main_shocks[enough][:, None] - width + np.arange(width)
    else:
        enough = np.arange(len(main_shocks)) >= width
        before = np.arange(width, max(width, len(main_shocks)))[:, None] - width + np.arange(width)
        patterns = main_shocks[before]
    return Samples(main_shocks[enough], periods.starts[enough], patterns.reshape(-1, width))


def _range_argmax(values: NDArray[np.float64], ends: Indices) -> Indices:
    """Return for each i the index of the largest of ``values[i:ends[i]]``, the earliest of equals.

    A sparse table, of which one level is kept at a time: windows of 1, 2, 4 ... events, and each range is the
    union of two windows of the longest kind that fits.
    """
    count = len(values)
    result = np.arange(count)
    if not count:
        return result
    first = np.arange(count)
    levels = np.frexp(ends - first)[1] - 1
    window = np.arange(count)
    for level in range(int(levels.max()) + 1):
        span = 1 << level
        chosen = np.flatnonzero(levels == level)
        result[chosen] = _larger(values, window[chosen], window[ends[chosen] - span])
        fitting = count - 2 * span + 1
        if fitting > 0:
            window = _larger(values, window[:fitting], window[span : span + fitting])
    return result


def _larger(values: NDArray[np.float64], left: Indices, right: Indices) -> Indices:
    chosen: Indices = np.where(values[left] >= values[right], left, right)
    return chosen


def _check(days: NDArray[np.float64], magnitudes: NDArray[np.float64], length: float, unit: Unit) -> None:
    if days.shape != magnitudes.shape or days.ndim != 1:
        raise ValueError(f"times of shape {days.shape} do not go with magnitudes of shape {magnitudes.shape}")
    if not (np.isfinite(days).all() and np.isfinite(magnitudes).all()):
        raise ValueError("a time or a magnitude is not finite")
    if (np.diff(days) < 0).any():
        raise ValueError("the events are not in order of time")
    if not length > 0 or (unit == "events" and length != int(length)):
        raise ValueError(f"a period of {length} {unit} holds nothing")
