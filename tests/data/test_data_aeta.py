"""AETA's weekly rows, areas, stations, events and classes: each by hand or by a slow loop, and the real files."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.data import aeta, sources
from reproduce_lib.data.aeta import (
    AREAS,
    CLASSES,
    EVENTS,
    LABEL_LAG,
    PARTS,
    REGION,
    STATIONS,
    WEEK,
    Part,
    Weeks,
    areas_of,
    classes_of,
    label_magnitudes,
    load_events,
    load_stations,
    load_weeks,
    parse_weeks,
)
from reproduce_lib.data.aeta_raw import RawSeries, load_raw_month
from reproduce_lib.data.registry import data_file
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError

# South, north, west and east of each area, read off the map of the competition.
CELLS = [
    (30, 34, 98, 101), (30, 34, 101, 104), (30, 34, 104, 107),
    (26, 30, 98, 101), (26, 30, 101, 104), (26, 30, 104, 107),
    (22, 26, 98, 101), (22, 26, 101, 104),
]  # fmt: skip
HEADER = ",Day,var_mean_magn,var_max_magn,mean_mean_sound,label_M,label_long,label_lati"
ROWS = ["0,7,1.5,2.5,-3.25,0.0,0.0,0.0", "1,14,1.75,2.0,4.0,3.8,98.47,31.37", "2,28,0.5,1e-3,0.25,5.0,99.1,30.0"]
DAY = pd.Timedelta(days=1)


def text(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


# Weekly rows


@pytest.mark.parametrize("part", PARTS)
def test_weekly_file_is_read_number_by_number(part: Part) -> None:
    rows, values = parse_weeks(text(*ROWS), "toy.csv", 5, part)
    assert list(rows.columns) == ["area", "part", "last_day", "label_magnitude"]
    assert rows["area"].tolist() == [5] * 3
    assert rows["part"].tolist() == [part] * 3
    assert rows["label_magnitude"].tolist() == [0.0, 3.8, 5.0]
    assert (rows["last_day"].diff().iloc[1:] == [7 * DAY, 14 * DAY]).all()
    assert list(values.columns) == ["var_mean_magn", "var_max_magn", "mean_mean_sound"]
    assert values.to_numpy().tolist() == [[1.5, 2.5, -3.25], [1.75, 2.0, 4.0], [0.5, 0.001, 0.25]]
    assert rows.index.tolist() == values.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("part", "begins"), [("train", "2016-10-09"), ("valid", "2020-04-09")])
def test_week_of_a_label_begins_a_day_after_the_window(part: Part, begins: str) -> None:
    """The window of Day 7 is the first seven days of the part."""
    rows, _ = parse_weeks(text(ROWS[0]), "toy.csv", 0, part)
    assert rows["last_day"].iloc[0] + LABEL_LAG == pd.Timestamp(begins)


REFUSED: dict[str, tuple[bytes, list[str]]] = {
    "no Day": (text(*ROWS, header=HEADER.replace("Day", "day")), ["Day"]),
    "no label": (text(*ROWS, header=HEADER.replace("label_M", "M")), ["label_M"]),
    "neither": (text(*ROWS, header=HEADER.replace("label_M", "M").replace("Day", "day")), ["Day", "label_M"]),
    "half a day": (text(ROWS[0].replace(",7,", ",7.5,")), ["Day"]),
    "no day": (text(ROWS[0].replace(",7,", ",,")), ["Day"]),
    "day in words": (text(ROWS[0].replace(",7,", ",seven,")), ["Day"]),
    "one day twice": (text(ROWS[0], ROWS[0]), ["Day"]),
    "six days apart": (text(ROWS[0], ROWS[1].replace(",14,", ",13,")), ["Day"]),
    "backwards": (text(*ROWS[::-1]), ["Day"]),
    "empty value": (text(ROWS[0], ROWS[1].replace("2.0", "")), ["line 3"]),
    "value in words": (text(*ROWS[:2], ROWS[2].replace("1e-3", "much")), ["line 4"]),
    "infinite value": (text(ROWS[0].replace("2.5", "-inf")), ["line 2"]),
    "value too large": (text(ROWS[0].replace("2.5", "1e999")), ["line 2"]),
    "nan": (text(ROWS[0].replace("2.5", "nan")), ["line 2"]),
    "no label in a row": (text(ROWS[0].replace("0.0,0.0,0.0", ",0.0,0.0")), ["line 2"]),
    "label in words": (text(ROWS[0], ROWS[1].replace("3.8", "M")), ["line 3"]),
    "infinite label": (text(ROWS[0], ROWS[1].replace("3.8", "inf")), ["line 3"]),
    "cut in a row": (text(*ROWS)[: text(*ROWS).index(b"0.25")], ["line 4"]),
    "nothing": (b"", []),
    "junk": (bytes(range(256)) * 4, []),
    "another encoding": (text(*ROWS).decode().encode("utf-16"), []),
}


@pytest.mark.parametrize(("data", "named"), REFUSED.values(), ids=REFUSED)
def test_wrong_weekly_file_is_refused_by_name_and_place(data: bytes, named: list[str]) -> None:
    with pytest.raises(DataError) as refusal:
        parse_weeks(data, "weekly/toy.csv", 0, "train")
    assert [word for word in ("weekly/toy.csv", *named) if word not in str(refusal.value)] == []


@pytest.mark.parametrize("day", ["inf", "1e12", "1e18"])
def test_day_that_no_calendar_has_is_refused_by_name(day: str) -> None:
    with pytest.raises(DataError, match=r"toy\.csv"):
        parse_weeks(text(ROWS[0].replace(",7,", f",{day},")), "toy.csv", 0, "train")


@pytest.mark.parametrize("cell", ["", "0", "9.5"])
def test_rows_with_a_cell_more_than_the_header_are_refused_or_read_in_place(cell: str) -> None:
    try:
        _, values = parse_weeks(text(f"{ROWS[0]},{cell}"), "toy.csv", 0, "train")
    except DataError as error:
        assert "toy.csv" in str(error)
    else:
        assert values.to_numpy().tolist() == [[1.5, 2.5, -3.25]]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["insert", "delete", "cut"]), st.binary(max_size=3)),
        min_size=1,
        max_size=3,
    )
)
def test_spoiled_bytes_are_refused_or_still_hold_every_invariant(changes: list[tuple[float, str, bytes]]) -> None:
    data = text(*ROWS)
    for share, kind, junk in changes:
        place = int(share * len(data))
        data = {
            "insert": data[:place] + junk + data[place:],
            "delete": data[:place] + data[place + 2 :],
            "cut": data[:place],
        }[kind]
    try:
        rows, values = parse_weeks(data, "toy.csv", 0, "valid")
    except DataError as error:
        assert "toy.csv" in str(error)
        return
    assert len(rows) == len(values)
    assert np.isfinite(values.to_numpy(dtype=float)).all()
    assert np.isfinite(rows["label_magnitude"]).all()
    assert (rows["last_day"].diff().iloc[1:] >= 7 * DAY).all()


Offer = Callable[[Mapping[str, bytes]], None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    """Stand in for the pinned files: a test's own rows may not reach another test."""

    def put(files: Mapping[str, bytes]) -> None:
        aeta._load_weeks.cache_clear()
        monkeypatch.setattr(sources, "read", lambda name, **options: files[name])

    yield put
    aeta._load_weeks.cache_clear()


def weekly_files(**others: bytes) -> dict[str, bytes]:
    """Return a file of one row for each area and part; the row's values say which."""
    files = {}
    for area in range(AREAS):
        for number, part in enumerate(PARTS):
            row = f"0,7,{area},{10 * number},{area + 10 * number},{3.5 + area / 10},0,0"
            files[f"aeta/weekly/area_{area}_{part}.csv"] = others.get(f"area_{area}_{part}", text(row))
    return files


def test_rows_of_all_files_stand_area_by_area_in_order_of_time(offer: Offer) -> None:
    offer(weekly_files())
    weeks = load_weeks()
    assert weeks.rows["area"].tolist() == [area for area in range(8) for _ in PARTS]
    assert weeks.rows["part"].tolist() == ["train", "valid"] * 8
    assert weeks.rows["label_magnitude"].tolist() == pytest.approx([3.5 + area / 10 for area in range(8) for _ in "tv"])
    assert weeks.values.tolist() == [[area, late, area + late] for area in range(8) for late in (0, 10)]
    assert weeks.columns == ("var_mean_magn", "var_max_magn", "mean_mean_sound")
    assert weeks.rows.index.tolist() == list(range(16))
    assert weeks.files == {name: data_file(name).sha256 for name in weekly_files()}
    for area in range(8):
        assert weeks.rows[weeks.rows["area"] == area]["last_day"].is_monotonic_increasing


def test_rows_that_every_unit_shares_cannot_be_written(offer: Offer) -> None:
    offer(weekly_files())
    with pytest.raises(ValueError, match="read-only"):
        load_weeks().values[0, 0] = 1.0


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace("var_mean_magn", "var_min_magn"),
        HEADER.replace("var_mean_magn,var_max_magn", "var_max_magn,var_mean_magn"),
    ],
)
def test_area_with_other_columns_is_refused(offer: Offer, header: str) -> None:
    offer(weekly_files(area_6_valid=text("0,7,1,2,3,0,0,0", header=header)))
    with pytest.raises(DataError, match="area 6"):
        load_weeks()


def test_spoiled_file_is_refused_under_the_name_of_the_registry(offer: Offer) -> None:
    offer(weekly_files(area_3_train=b""))
    with pytest.raises(DataError, match=r"aeta/weekly/area_3_train\.csv"):
        load_weeks()


@pytest.mark.parametrize("load", [load_weeks, load_stations, load_events])
def test_file_that_is_nowhere_is_missed_by_name(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    aeta._load_weeks.cache_clear()
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    with pytest.raises(MissingDataError, match="aeta/"):
        load(network=False)
    aeta._load_weeks.cache_clear()


def weeks_of(*columns: str) -> Weeks:
    values = np.arange(2.0 * len(columns)).reshape(2, -1)
    return Weeks(pd.DataFrame({"area": [0, 0]}), values, columns, {})


def test_means_are_one_column_for_each_feature() -> None:
    taken = (
        "var_mean_magn",
        "abs_mean_mean_magn",
        "level4d_abs_mean_mean_sound",
        "s_zero_rate_max_mean_sound",
        "ulf_skew_mean_magn",
        "mean_mean_sound",
    )
    left = (
        "var_day_max_mean_magn",
        "var_day_min_mean_magn",
        "var_day_mean_max_magn",
        "var_day_mean_min_sound",
        "abs_mean_day_max_mean_magn",
        "abs_mean_max_sound",
        "var_lastday_mean_magn",
        "mean_lastday_mean_sound",
        "mean_max_sound",
        "s_zero_rate_max_min_sound",
        "s_zero_rate_max_max_min_sound",
        "diff_1_abs_mean_mean_magn",
        "diff_1_abs_mean_mean_sound",
        "var_mean_other",
        "var_mean",
        "mean",
    )
    both = tuple(name for pair in zip(left, (*taken, *taken, *taken), strict=False) for name in pair)[: 2 * len(left)]
    weeks = weeks_of(*both)
    values, names = weeks.means()
    expected = [number for number, name in enumerate(both) if name in taken]
    assert names == tuple(both[number] for number in expected)
    assert values.tolist() == weeks.values[:, expected].tolist()
    assert set(names) == set(taken)


# Areas


def literal_area(latitude: float, longitude: float) -> int:
    """Look in each cell; south and west are part of it, north and east of the next."""
    for area, (south, north, west, east) in enumerate(CELLS):
        if south <= latitude < north and west <= longitude < east:
            return area
    return -1


def test_areas_are_numbered_row_by_row_from_the_north_west_and_the_last_is_not_used() -> None:
    latitudes, longitudes = np.repeat([32.0, 28.0, 24.0], 3), np.tile([99.5, 102.5, 105.5], 3)
    assert areas_of(latitudes, longitudes).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, -1]
    assert (REGION.south, REGION.north, REGION.west, REGION.east) == (22, 34, 98, 107)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(20 * 4, 36 * 4), st.integers(96 * 4, 109 * 4)), min_size=1, max_size=40))
def test_area_of_each_place_is_that_of_a_loop_over_cells(places: list[tuple[int, int]]) -> None:
    """In quarters of a degree, so that borders come up often."""
    latitudes, longitudes = (np.array(one) / 4 for one in zip(*places, strict=True))
    assert areas_of(latitudes, longitudes).tolist() == [
        literal_area(*place) for place in zip(latitudes, longitudes, strict=True)
    ]


def test_no_place_is_in_no_area() -> None:
    away = np.array([math.nan, math.inf, -math.inf, 28.0, 28.0])
    assert areas_of(away, np.array([102.0, 102, 102, math.nan, math.inf])).tolist() == [-1] * 5


# Classes


@pytest.mark.parametrize("rounding", [0.0, 1e-6, -1e-6, 4e-4, -4e-4])
def test_class_is_the_number_of_half_magnitudes_reached_from_three_and_a_half_on(rounding: float) -> None:
    """In whole tenths: 4.5 may come as 4.499999 and is in the class from 4.5 on."""
    tenths: NDArray[np.float64] = np.arange(100.0)
    expected = [sum(edge <= one for edge in (35, 40, 45, 50)) for one in range(100)]
    assert classes_of(tenths / 10 + rounding).tolist() == expected
    assert classes_of(0.1 * tenths).tolist() == expected
    assert set(expected) == set(range(CLASSES))


def test_classes_of_the_competition_by_hand() -> None:
    assert classes_of(np.array([0.0, 3.4, 3.5, 3.9, 4.0, 4.4, 4.5, 4.9, 5.0, 7.0])).tolist() == [
        0, 0, 1, 1, 2, 2, 3, 3, 4, 4,
    ]  # fmt: skip


# Labels


def literal_labels(rows: pd.DataFrame, events: pd.DataFrame) -> list[float]:
    found = []
    listed = list(zip(events["time"], events["area"], events["magnitude"], strict=True))
    for area, last_day in zip(rows["area"], rows["last_day"], strict=True):
        largest = 0.0
        for time, place, magnitude in listed:
            days = (time - (last_day + LABEL_LAG)) / DAY
            if place == area and 0 <= days < 7 and round(10 * magnitude) >= 35:
                largest = max(largest, magnitude)
        found.append(largest)
    return found


def rows_of(*places: tuple[int, int]) -> pd.DataFrame:
    """Return rows of (area, last day counted from a new year)."""
    days = pd.Timestamp("2019-01-01") + pd.to_timedelta([day for _, day in places], unit="D")
    return pd.DataFrame({"area": [area for area, _ in places], "last_day": days})


def events_of(*events: tuple[int, float, float]) -> pd.DataFrame:
    """Return events of (area, days since a new year, magnitude)."""
    times = pd.Timestamp("2019-01-01") + pd.to_timedelta([86_400 * day for _, day, _ in events], unit="s")
    return pd.DataFrame(
        {
            "time": times,
            "area": np.array([area for area, *_ in events], dtype=np.intp),
            "magnitude": np.array([magnitude for *_, magnitude in events], dtype=float),
        }
    )


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 200), st.integers(30, 60)), max_size=40),
)
def test_label_is_that_of_a_loop_over_events(rows: list[tuple[int, int]], events: list[tuple[int, int, int]]) -> None:
    """Times to a quarter of a day, so that events stand on the borders of weeks."""
    frame, listed = rows_of(*rows), events_of(*((area, day / 4, tenth / 10) for area, day, tenth in events))
    assert label_magnitudes(frame, listed).tolist() == literal_labels(frame, listed)


def test_week_of_a_label_has_its_first_moment_and_not_its_last() -> None:
    begin = (LABEL_LAG + DAY) / DAY  # of a row whose last day is the second of the year
    second = 1 / 86_400
    rows = rows_of((0, 1))
    for day, within in ((begin - second, 0), (begin, 1), (begin + 7 - second, 1), (begin + 7, 0)):
        assert label_magnitudes(rows, events_of((0, day, 4.2))).tolist() == [4.2 * within]


def test_label_is_the_largest_of_its_own_area_from_three_and_a_half_on() -> None:
    rows = rows_of((0, 0), (1, 0), (0, 7)).set_axis([9, 3, 9])
    day = LABEL_LAG / DAY + 1
    events = events_of((1, day, 6.0), (0, day, 3.4), (0, day + 1, 4.1), (0, day + 2, 3.9), (-1, day, 7.0))
    assert label_magnitudes(rows, events).tolist() == [4.1, 6.0, 0.0]
    assert label_magnitudes(rows, events.iloc[::-1]).tolist() == [4.1, 6.0, 0.0]
    assert label_magnitudes(rows, events.iloc[[1, 4]]).tolist() == [0.0] * 3
    assert label_magnitudes(rows, events.iloc[:0]).tolist() == [0.0] * 3
    assert label_magnitudes(rows, events_of((0, day, 3.499999))).tolist() == [3.499999, 0.0, 0.0]


# Stations and events


STATION_HEADER = "\ufeffTitle,StationID,Longitude,Latitude,MagnData,MagnUpdate,SoundData,SoundUpdate"


def test_station_is_usable_if_both_modalities_are_recorded_and_sent(offer: Offer) -> None:
    flags = [tuple(bool(number >> place & 1) for place in range(4)) for number in range(16)]
    rows = [f"name {n},{n + 20},{100 + n / 4},{24 + n / 4},{','.join(map(str, own))}" for n, own in enumerate(flags)]
    offer({STATIONS: text(*rows, header=STATION_HEADER)})
    found = load_stations()
    assert list(found.columns) == ["station", "longitude", "latitude", "usable"]
    assert found["usable"].tolist() == [False] * 15 + [True]
    assert found["station"].tolist() == list(range(20, 36))
    assert found["longitude"].tolist() == [100 + n / 4 for n in range(16)]
    assert found["latitude"].tolist() == [24 + n / 4 for n in range(16)]


@pytest.mark.parametrize("column", ["StationID", "Latitude", "MagnUpdate", "SoundData"])
def test_stations_without_a_column_are_refused_by_file_and_column(offer: Offer, column: str) -> None:
    row = "name,19,103.65,30.98,True,True,True,True"
    offer({STATIONS: text(row, header=STATION_HEADER.replace(column, "Other"))})
    with pytest.raises(DataError) as refusal:
        load_stations()
    assert [word for word in (STATIONS, column) if word not in str(refusal.value)] == []


EVENT_HEADER = "\ufeffLongitude,Latitude,Magnitude,Time,Timestamp,Week,Location"
EVENT_ROWS = (
    "102.71,24.19,5.0,2018-08-13 01:44:24,1534095864,98,Yuxi",
    "101.39,27.92,3.9,2016-12-25 07:26:06,1482621966,12,Liangshan",
    "105.60,24.00,3.6,2018-08-13 01:44:25,1534095865,98,nowhere",
)


def test_events_are_read_in_order_of_local_time_with_their_areas(offer: Offer) -> None:
    offer({EVENTS: text(*EVENT_ROWS, header=EVENT_HEADER)})
    found = load_events()
    assert found["time"].tolist() == [
        pd.Timestamp("2016-12-25 07:26:06"), pd.Timestamp("2018-08-13 01:44:24"), pd.Timestamp("2018-08-13 01:44:25"),
    ]  # fmt: skip
    assert found[["latitude", "longitude", "magnitude"]].to_numpy().tolist() == [
        [27.92, 101.39, 3.9], [24.19, 102.71, 5.0], [24.0, 105.6, 3.6],
    ]  # fmt: skip
    assert found["area"].tolist() == [4, 7, -1]
    assert found.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize("column", ["Longitude", "Latitude", "Magnitude", "Timestamp"])
def test_events_without_a_column_are_refused_by_file_and_column(offer: Offer, column: str) -> None:
    offer({EVENTS: text(*EVENT_ROWS, header=EVENT_HEADER.replace(column, "Other"))})
    with pytest.raises(DataError) as refusal:
        load_events()
    assert [word for word in (EVENTS, column) if word not in str(refusal.value)] == []


# The real files


@cache
def real() -> Weeks:
    return load_weeks(network=False)


@cache
def raw_month() -> RawSeries:
    return load_raw_month(network=False)


def lines_of(name: str) -> list[list[str]]:
    """Read a file of the mirror without the library."""
    with (Path(os.environ["REPRODUCE_DATA"]) / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@cache
def weekly_lines() -> dict[tuple[int, str], list[list[str]]]:
    return {(area, part): lines_of(f"aeta/weekly/area_{area}_{part}.csv") for area in range(8) for part in PARTS}


def listed_events() -> list[tuple[datetime, int, float]]:
    """Return (local time, area, magnitude) by the times that the file writes out."""
    header, *rows = lines_of("aeta/events_m35_100km.csv")
    found = []
    for row in rows:
        named = dict(zip(header, row, strict=True))
        time = datetime.fromisoformat(named["Time"])
        area = literal_area(float(named["Latitude"]), float(named["Longitude"]))
        found.append((time, area, float(named["Magnitude"])))
    return found


@pytest.mark.slow
@pytest.mark.data
def test_numbers_of_the_real_weekly_files_are_where_they_should_be() -> None:
    """Every label, and all numbers of each third row."""
    weeks, row = real(), 0
    assert list(weekly_lines()) == [(area, part) for area in range(8) for part in ("train", "valid")]
    for (area, part), (header, *lines) in weekly_lines().items():
        label, day = header.index("label_M"), header.index("Day")
        chosen = [place for place, name in enumerate(header) if place and place != day and "label_" not in name]
        assert weeks.columns == tuple(header[place] for place in chosen)
        own = slice(row, row + len(lines))
        expected = [[float(line[place]) for place in chosen] for line in lines[::3]]
        np.testing.assert_allclose(weeks.values[own][::3], expected, rtol=1e-14)
        assert set(weeks.rows["area"][own]) == {area}
        assert set(weeks.rows["part"][own]) == {part}
        assert weeks.rows["label_magnitude"][own].tolist() == [float(line[label]) for line in lines]
        row += len(lines)
    assert (row, weeks.values.shape) == (1543, (1543, 1163))
    assert Counter(weeks.rows["part"]) == {"train": 1231, "valid": 312}


@pytest.mark.slow
@pytest.mark.data
def test_weeks_of_an_area_are_seven_days_apart_but_for_two_gaps_and_the_joint_of_the_parts() -> None:
    gaps: Counter[tuple[str, int]] = Counter()
    for area, own in real().rows.groupby("area"):
        for (earlier, part), (later, next_part) in pairwise(zip(own["last_day"], own["part"], strict=True)):
            gaps["within" if part == next_part else "between", (later - earlier).days] += 1
        assert own["part"].tolist() == sorted(own["part"])
        assert own["area"].iloc[0] == area
    assert gaps == {("within", 7): 1543 - 16 - 2, ("within", 14): 2, ("between", 11): 8}


@pytest.mark.data
def test_no_label_of_the_first_part_is_of_a_time_that_the_second_is_judged_on() -> None:
    rows = real().rows
    first, second = (rows[rows["part"] == part]["last_day"] + LABEL_LAG for part in PARTS)
    assert first.max() + WEEK <= second.min()
    assert first.max() + WEEK <= pd.Timestamp("2020-04-06")
    assert second.max() + WEEK <= pd.Timestamp("2021-01-08")


@pytest.mark.data
def test_given_labels_are_those_of_a_loop_over_the_listed_events() -> None:
    """From the files' own texts: the label's seven days begin on the day after Day days of the part."""
    events, agreeing = listed_events(), Counter[str]()
    for (area, part), (header, *lines) in weekly_lines().items():
        first = {"train": datetime(2016, 10, 1), "valid": datetime(2020, 4, 1)}[part]
        for line in lines:
            begin = first + timedelta(days=int(line[header.index("Day")]) + 1)
            own = [m for time, place, m in events if place == area and begin <= time < begin + timedelta(days=7)]
            agreeing[part] += max(own, default=0.0) == float(line[header.index("label_M")])
    assert agreeing == {"train": 1230, "valid": 312}


@pytest.mark.data
def test_rebuilt_labels_are_those_of_that_loop() -> None:
    rows = real().rows
    rebuilt = label_magnitudes(rows, load_events(network=False))
    agree = rebuilt == rows["label_magnitude"].to_numpy()
    assert {part: int(agree[rows["part"] == part].sum()) for part in PARTS} == {"train": 1230, "valid": 312}
    (wrong,) = np.flatnonzero(~agree)
    assert (rows["area"][wrong], rebuilt[wrong], rows["label_magnitude"][wrong]) == (4, 3.8, 4.4)


@pytest.mark.data
@pytest.mark.parametrize("moved", [-DAY, DAY, -WEEK, WEEK])
def test_labels_of_other_weeks_agree_less(moved: pd.Timedelta) -> None:
    rows = real().rows
    rebuilt = label_magnitudes(rows.assign(last_day=rows["last_day"] + moved), load_events(network=False))
    assert (rebuilt == rows["label_magnitude"].to_numpy()).sum() < 1230 + 312 - 20


@pytest.mark.data
def test_classes_of_the_real_labels_are_as_rare_as_told() -> None:
    rows = real().rows
    counts = {part: np.bincount(classes_of(own["label_magnitude"].to_numpy())) for part, own in rows.groupby("part")}
    assert counts["valid"].tolist() == [284, 16, 7, 4, 1]
    assert counts["train"].sum() == 1231
    assert set(rows["label_magnitude"][rows["label_magnitude"] < 3.5]) == {0.0}


@pytest.mark.data
def test_means_are_those_of_the_features_that_the_raw_files_have() -> None:
    folder = "aeta/raw_202012"
    raw = [name for one in ("magn", "sound") for name in lines_of(f"{folder}/105_{one}.csv")[0][2:]]
    values, names = real().means()
    assert Counter(name.partition("@")[0] for name in raw) == {"magn": 51, "sound": 44}
    assert list(names) == [f"{feature}_mean_{one}" for one, _, feature in (name.partition("@") for name in raw)]
    assert values.shape == (1543, 95)
    assert np.array_equal(values[:, 7], real().values[:, real().columns.index(names[7])])


@pytest.mark.data
def test_stations_are_those_of_the_file() -> None:
    header, *rows = lines_of("aeta/stations.csv")
    named = [dict(zip(header, row, strict=True)) for row in rows]
    flags = ("MagnData", "MagnUpdate", "SoundData", "SoundUpdate")
    found = load_stations(network=False)
    assert found["station"].tolist() == [int(row["StationID"]) for row in named]
    assert found["longitude"].tolist() == [float(row["Longitude"]) for row in named]
    assert found["latitude"].tolist() == [float(row["Latitude"]) for row in named]
    assert found["usable"].tolist() == [all(row[flag] == "True" for flag in flags) for row in named]
    assert (len(found), found["usable"].sum(), found["station"].is_unique) == (159, 131, True)


@pytest.mark.data
def test_times_of_events_are_those_written_beside_their_seconds() -> None:
    found, expected = load_events(network=False), sorted(listed_events())
    assert len(found) == 189
    assert [one.to_pydatetime() for one in found["time"]] == [time for time, *_ in expected]
    assert sorted(zip(found["time"], found["area"], found["magnitude"], strict=True)) == expected
    assert found["magnitude"].min() >= 3.5
    in_utc = datetime.fromtimestamp(1482621966, tz=UTC).replace(tzinfo=None)
    assert found["time"].iloc[0].to_pydatetime() - in_utc == timedelta(hours=8)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("statistics", [("max", "min", 7), ("lastday_max", "lastday_min", 1)])
def test_extremes_of_a_week_enclose_what_its_area_measured_to_the_last_day(statistics: tuple[str, str, int]) -> None:
    """Of December 2020 the raw series of some stations are there; `abs_mean` is centred and left out."""
    largest, smallest, days = statistics
    raw, weeks = raw_month(), real()
    stations = load_stations(network=False).set_index("station").loc[raw.stations]
    areas = areas_of(stations["latitude"].to_numpy(), stations["longitude"].to_numpy())
    outside = inside = 0
    for row in np.flatnonzero(weeks.rows["last_day"] >= "2020-12-08"):
        end = weeks.rows["last_day"][row] + DAY
        times = (raw.times >= end - days * DAY) & (raw.times < end)
        measured = raw.values[areas == weeks.rows["area"][row]][:, times].astype(float)
        for place, feature in enumerate(raw.features):
            modality, _, name = feature.partition("@")
            columns = [f"{name}_{one}_{modality}" for one in (largest, smallest)]
            if name == "abs_mean" or not measured.size or not set(columns) <= set(weeks.columns):
                continue
            high, low = (weeks.values[row, weeks.columns.index(column)] for column in columns)
            own = measured[:, :, place]
            slack = 1e-6 * max(abs(high), abs(low))
            outside += bool(np.nanmax(own) > high + slack or np.nanmin(own) < low - slack)
            inside += 1
    assert inside > 2000
    assert outside == 0
