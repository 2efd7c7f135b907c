"""Segmentation: the example of the paper, a literal version event by event, and a million events in time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.main_shocks import (
    Pattern,
    Unit,
    attach_patterns,
    cut_fixed_periods,
    find_main_shocks,
)

# Times to the quarter of a day and magnitudes to the tenth, so that ties and borders come up often.
EVENTS = st.lists(st.tuples(st.integers(0, 200), st.integers(30, 60)), max_size=60)


def arrays(events: list[tuple[int, int]]) -> tuple[Any, Any]:
    events = sorted(events, key=lambda event: event[0])
    return np.array([day / 4 for day, _ in events]), np.array([tenths / 10 for _, tenths in events])


def literally(days: Any, magnitudes: Any, length: float, unit: Unit) -> list[tuple[int, int]]:
    """Walk through the catalogue as section II-A says: (start, main shock) of each complete period."""
    found, start = [], 0
    while start < len(days):
        if unit == "days":
            if days[start] + length > days[-1]:
                break
            members = [i for i in range(start, len(days)) if days[i] < days[start] + length]
        else:
            if start + length > len(days):
                break
            members = list(range(start, start + int(length)))
        largest = max(members, key=lambda i: (magnitudes[i], -i))
        found.append((start, largest))
        start = largest + 1
    return found


def test_example_of_figure_1() -> None:
    """Six events a period, four a pattern: E5 is the first main shock and E11 the second (section II-A)."""
    magnitudes = np.array([3.1, 3.2, 3.0, 3.3, 5.0, 3.4, 3.5, 3.1, 3.2, 3.6, 4.8, 3.0, 3.0, 3.0, 3.0])
    periods = find_main_shocks(np.arange(15.0), magnitudes, length=6, unit="events")
    assert (periods.main_shocks + 1).tolist() == [5, 11]
    assert (periods.starts + 1).tolist() == [1, 6]
    samples = attach_patterns(periods, width=4, pattern="events")
    assert (samples.patterns + 1).tolist() == [[1, 2, 3, 4], [7, 8, 9, 10]]


@pytest.mark.parametrize("unit", ["days", "events"])
@settings(deadline=None, max_examples=300)
@given(EVENTS, st.integers(1, 12))
def test_agrees_with_the_literal_version(unit: Unit, events: list[tuple[int, int]], length: int) -> None:
    days, magnitudes = arrays(events)
    found = find_main_shocks(days, magnitudes, length=length, unit=unit)
    assert list(zip(found.starts, found.main_shocks, strict=True)) == literally(days, magnitudes, length, unit)


@settings(deadline=None)
@given(EVENTS, st.floats(0.3, 40))
def test_periods_of_any_length_agree_with_the_literal_version(events: list[tuple[int, int]], length: float) -> None:
    days, magnitudes = arrays(events)
    found = find_main_shocks(days, magnitudes, length=length, unit="days")
    assert list(zip(found.starts, found.main_shocks, strict=True)) == literally(days, magnitudes, length, "days")


@settings(deadline=None)
@given(EVENTS, st.integers(1, 12), st.sampled_from(["days", "events"]))
def test_main_shock_is_larger_than_all_before_it_in_its_period(
    events: list[tuple[int, int]], length: int, unit: Unit
) -> None:
    days, magnitudes = arrays(events)
    found = find_main_shocks(days, magnitudes, length=length, unit=unit)
    for start, main_shock in zip(found.starts, found.main_shocks, strict=True):
        assert (magnitudes[start:main_shock] < magnitudes[main_shock]).all()


@settings(deadline=None)
@given(EVENTS, st.integers(1, 20))
def test_fixed_periods_agree_with_a_loop_over_cells(events: list[tuple[int, int]], length: int) -> None:
    days, magnitudes = arrays(events)
    expected = []
    if len(days):
        cell = 0
        while days[0] + (cell + 1) * length <= days[-1]:
            low = days[0] + cell * length
            members = [i for i, day in enumerate(days) if low <= day < low + length]
            if members:
                expected.append((members[0], max(members, key=lambda i: (magnitudes[i], -i))))
            cell += 1
    found = cut_fixed_periods(days, magnitudes, length=length)
    assert list(zip(found.starts, found.main_shocks, strict=True)) == expected


@pytest.mark.parametrize("pattern", ["events", "main_shocks"])
@settings(deadline=None)
@given(EVENTS, st.integers(1, 8), st.integers(1, 12))
def test_pattern_is_what_came_right_before(
    pattern: Pattern, events: list[tuple[int, int]], length: int, width: int
) -> None:
    days, magnitudes = arrays(events)
    periods = find_main_shocks(days, magnitudes, length=length, unit="events")
    samples = attach_patterns(periods, width=width, pattern=pattern)
    every = periods.main_shocks.tolist()
    expected = []
    for number, main_shock in enumerate(every):
        before = list(range(main_shock)) if pattern == "events" else every[:number]
        if len(before) >= width:
            expected.append((main_shock, before[-width:]))
    assert list(zip(samples.main_shocks.tolist(), samples.patterns.tolist(), strict=True)) == expected
    assert len(samples.starts) == len(expected)
    assert samples.patterns.shape == (len(expected), width)


@pytest.mark.parametrize("unit", ["days", "events"])
def test_a_million_events_take_less_than_two_seconds(unit: Unit) -> None:
    generator = np.random.default_rng(0)
    days = np.sort(generator.uniform(0, 40_000, 1_000_000))
    magnitudes = np.round(3 + generator.exponential(0.43, 1_000_000), 1)
    begun = time.process_time()
    periods = find_main_shocks(days, magnitudes, length=7, unit=unit)
    attach_patterns(periods, width=20, pattern="events")
    assert time.process_time() - begun < 2
    assert len(periods.main_shocks) > 5_000


@pytest.mark.parametrize(
    ("days", "magnitudes", "length", "unit", "says"),
    [
        ([1.0, 0.0], [4.0, 4.0], 1, "days", "order of time"),
        ([0.0, np.nan], [4.0, 4.0], 1, "days", "finite"),
        ([0.0, 1.0], [4.0, np.inf], 1, "days", "finite"),
        ([0.0, 1.0], [4.0], 1, "days", "shape"),
        ([0.0, 1.0], [4.0, 4.0], 0, "days", "holds nothing"),
        ([0.0, 1.0], [4.0, 4.0], -1, "events", "holds nothing"),
        ([0.0, 1.0], [4.0, 4.0], 1.5, "events", "holds nothing"),
        ([0.0, 1.0], [4.0, 4.0], float("nan"), "days", "holds nothing"),
    ],
)
def test_what_is_no_catalogue_is_refused(days: Any, magnitudes: Any, length: float, unit: Unit, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        find_main_shocks(np.array(days), np.array(magnitudes), length=length, unit=unit)


def test_pattern_without_an_event_is_refused() -> None:
    periods = find_main_shocks(np.arange(9.0), np.arange(9.0), length=3, unit="events")
    with pytest.raises(ValueError, match="at least one"):
        attach_patterns(periods, width=0, pattern="events")
