"""Monthly series against pandas, by hand, and whatever the order of the events."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.monthly import Statistic, month_names, monthly_magnitudes, months_between

STATISTICS: list[Statistic] = ["maximum", "mean"]
MONTHS = months_between("1968-11", "1971-02")
BEGIN, END = (int(np.datetime64(day, "ms").astype(int)) for day in ("1968-01-01", "1972-01-01"))
Events = list[tuple[int, float]]
EVENTS = st.lists(st.tuples(st.integers(BEGIN, END), st.integers(10, 90).map(lambda tenths: tenths / 10)), max_size=60)


def arrays(events: Events) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    times = np.array([when for when, _ in events], dtype="int64").astype("datetime64[ms]")
    return times, np.array([magnitude for _, magnitude in events], dtype=float)


def resampled(events: Events, statistic: Statistic) -> list[float]:
    """Return what pandas makes of the same events."""
    times, magnitudes = arrays(events)
    groups = pd.Series(magnitudes, index=pd.DatetimeIndex(times)).resample("MS")
    values = groups.max() if statistic == "maximum" else groups.mean()
    reindexed: list[float] = values.reindex(pd.date_range("1968-11-01", "1971-02-01", freq="MS")).tolist()
    return reindexed


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(events=EVENTS)
def test_series_is_that_of_pandas(statistic: Statistic, events: Events) -> None:
    values = monthly_magnitudes(*arrays(events), MONTHS, statistic)
    np.testing.assert_allclose(values, resampled(events, statistic), rtol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(events=EVENTS, data=st.data())
def test_order_of_the_events_does_not_matter(statistic: Statistic, events: Events, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))
    one, other = (monthly_magnitudes(*arrays(some), MONTHS, statistic) for some in (events, shuffled))
    np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(events=EVENTS)
def test_events_outside_the_months_do_not_matter(statistic: Statistic, events: Events) -> None:
    first, last = (int(np.datetime64(day, "ms").astype(int)) for day in ("1968-11-01", "1971-03-01"))
    inside = [event for event in events if first <= event[0] < last]
    one, other = (monthly_magnitudes(*arrays(some), MONTHS, statistic) for some in (events, inside))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(events=EVENTS, cut=st.integers(1, 27))
def test_series_of_some_months_is_a_part_of_the_series_of_all(statistic: Statistic, events: Events, cut: int) -> None:
    whole = monthly_magnitudes(*arrays(events), MONTHS, statistic)
    parts = [monthly_magnitudes(*arrays(events), months, statistic) for months in (MONTHS[:cut], MONTHS[cut:])]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_series_by_hand() -> None:
    times = np.array(
        [
            "2022-07-31T23:59:59.999", "2022-08-01T00:00:00.000", "2022-08-31T23:59:59.999", "2022-08-15T12:00:00.000",
            "2022-10-01T00:00:00.000", "2022-11-01T00:00:00.000",
        ],
        dtype="datetime64[ms]",
    )  # fmt: skip
    magnitudes = np.array([9.0, 4.0, 5.5, 4.0, 6.1, 8.0])
    months = months_between("2022-08", "2022-10")
    np.testing.assert_array_equal(monthly_magnitudes(times, magnitudes, months, "maximum"), [5.5, np.nan, 6.1])
    np.testing.assert_array_equal(monthly_magnitudes(times, magnitudes, months, "mean"), [4.5, np.nan, 6.1])


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_unit_in_which_times_are_kept_does_not_matter(statistic: Statistic, unit: Any) -> None:
    times = np.array(["1969-12-31T23:59:59", "1970-01-01T00:00:00", "1970-01-31T23:59:59"], dtype=f"datetime64[{unit}]")
    values = monthly_magnitudes(times, np.array([5.0, 6.0, 6.0]), months_between("1969-11", "1970-02"), statistic)
    np.testing.assert_array_equal(values, [np.nan, 5.0, 6.0, np.nan])


@pytest.mark.parametrize("statistic", STATISTICS)
def test_months_without_any_event_are_nan(statistic: Statistic) -> None:
    nothing = monthly_magnitudes(*arrays([]), MONTHS, statistic)
    assert nothing.shape == MONTHS.shape
    assert nothing.dtype == float
    assert np.isnan(nothing).all()


def test_magnitudes_below_zero_are_magnitudes() -> None:
    times = np.array(["2022-08-02", "2022-08-03"], dtype="datetime64[ms]")
    months = months_between("2022-08", "2022-08")
    assert monthly_magnitudes(times, np.array([-1.5, -0.5]), months, "maximum").tolist() == [-0.5]
    assert monthly_magnitudes(times, np.array([-1.5, -0.5]), months, "mean").tolist() == [-1.0]


@pytest.mark.parametrize("statistic", STATISTICS)
def test_events_are_left_as_they_were(statistic: Statistic) -> None:
    times, magnitudes = arrays([(END, 5.0), (BEGIN, 6.0), ((BEGIN + END) // 2, 7.0)])
    before = times.copy(), magnitudes.copy(), MONTHS.copy()
    monthly_magnitudes(times, magnitudes, MONTHS, statistic)
    for one, other in zip((times, magnitudes, MONTHS), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2022-08", "2022-08", ["2022-08"]),
        ("2022-11", "2023-02", ["2022-11", "2022-12", "2023-01", "2023-02"]),
        ("1969-12", "1970-01", ["1969-12", "1970-01"]),
    ],
)
def test_months_by_hand(first: str, last: str, expected: list[str]) -> None:
    months = months_between(first, last)
    assert months.dtype == np.dtype("datetime64[M]")
    assert month_names(months) == expected


@settings(deadline=None)
@given(st.integers(1900, 2100), st.integers(1, 12), st.integers(0, 600))
def test_months_follow_each_other_from_the_first_to_the_last(year: int, month: int, more: int) -> None:
    first = pd.Period(f"{year}-{month:02d}", "M")
    assert month_names(months_between(str(first), str(first + more))) == [str(first + n) for n in range(more + 1)]


@pytest.mark.parametrize("wrong", ["2022-13", "August", "2022/08"])
def test_what_is_no_month_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        months_between("2022-01", wrong)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_million_events_become_a_series_in_less_than_a_second(statistic: Statistic) -> None:
    random = np.random.default_rng(0)
    months = months_between("1950-01", "2024-12")
    span = (months[-1] + 1 - months[0]).astype("timedelta64[D]").astype(int) * 86_400_000
    times = months[0].astype("datetime64[ms]") + random.integers(0, span, 1_000_000)
    magnitudes = 3 + random.exponential(0.434, 1_000_000)
    began = time.perf_counter()
    values = monthly_magnitudes(times, magnitudes, months, statistic)
    assert time.perf_counter() - began < 1
    assert not np.isnan(values).any()
