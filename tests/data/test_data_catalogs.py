"""Earthquake catalogues: what is refused, what joins, which event lies where, and the real catalogues."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.data import archives, sources
from reproduce_lib.data.catalogs import (
    ALL_ISLANDS,
    AREAS,
    CATALOGUES,
    PHILIPPINES,
    PHILIPPINES_M3,
    PHILIPPINES_M5,
    WORLD_M5,
    Box,
    Catalogue,
    CatalogueName,
    catalogue_files,
    check_join,
    load_catalogue,
    load_larger_events,
    parse_comcat,
    parse_phivolcs,
)
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError, ParameterError
from reproduce_lib.monthly import monthly_magnitudes, months_between

COLUMNS = ["time", "latitude", "longitude", "depth_km", "magnitude", "magnitude_type"]
EXPORT = b"""\
time,latitude,longitude,depth,mag,magType,nst,id,updated,place,type
2019-10-29T01:04:44.740Z,6.7567,125.0084,14.95,6.6,mww,,us60006314,2020-01-02,"Kisante, Philippines",earthquake
2019-10-16T11:37:06.530Z,6.7122,125.0066,14.25,6.4,mww,31,us60005yrg,2020-01-02,"Columbio, Philippines",earthquake
2019-10-30T02:03:04.000Z,7.5,124.5,0,3.5,ml,5,us6000quar,2020-01-02,"Davao, Philippines",explosion
2019-10-31T01:11:19.192Z,6.9098,125.1779,10.75,6.5,,20,us6000639v,2020-01-02,"Bulatukan, Philippines",earthquake
"""
EXPORTED = [
    ("2019-10-16T11:37:06.530", 6.7122, 125.0066, 14.25, 6.4, "mww"),
    ("2019-10-29T01:04:44.740", 6.7567, 125.0084, 14.95, 6.6, "mww"),
    ("2019-10-31T01:11:19.192", 6.9098, 125.1779, 10.75, 6.5, ""),
]
BULLETIN = """\
,datetime,lat,lon,depth_km,mag,location,mag_type,event_type
0,2015-04-30 06:53:00+00:00,10.73,121.66,47,2.6,031 km S 87° W of San Jose (Antique),unspecified,unspecified
1,2015-04-30 04:18:00+00:00,13.18,120.04,22,3.8,053 km S 61° W of Paluan (Occidental Mindoro),Ms,TECTONIC
2,2015-04-29 16:05:31+00:00,6.11,127.48,1,3.4,154 km S 48° E of Tarragona (Davao Oriental),Mw,TECTONIC
""".encode("latin-1")
BULLETINS = [
    ("2015-04-29T16:05:31", 6.11, 127.48, 1.0, 3.4, "Mw"),
    ("2015-04-30T04:18:00", 13.18, 120.04, 22.0, 3.8, "Ms"),
    ("2015-04-30T06:53:00", 10.73, 121.66, 47.0, 2.6, "unspecified"),
]
Parser = Callable[[bytes, str], pd.DataFrame]


def bulletin(data: bytes, name: str) -> pd.DataFrame:
    return parse_phivolcs(data, name)[0]


PARSERS: dict[str, tuple[Parser, bytes]] = {"comcat": (parse_comcat, EXPORT), "phivolcs": (bulletin, BULLETIN)}


def edited(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def rows_of(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    times = [f"{time:%Y-%m-%dT%H:%M:%S.%f}" for time in frame["time"]]
    return [(time, *row) for time, row in zip(times, frame[COLUMNS[1:]].itertuples(index=False), strict=True)]


@pytest.mark.parametrize(
    ("parse", "data", "expected"), [(parse_comcat, EXPORT, EXPORTED), (bulletin, BULLETIN, BULLETINS)]
)
def test_valid_file_is_read_number_by_number_in_order_of_time(
    parse: Parser, data: bytes, expected: list[tuple[Any, ...]]
) -> None:
    frame = parse(data, "toy.csv")
    assert list(frame.columns)[:6] == COLUMNS
    assert str(frame["time"].dt.tz) == "UTC"
    times = [pd.Timestamp(row[0]).strftime("%Y-%m-%dT%H:%M:%S.%f") for row in expected]
    assert rows_of(frame) == [(time, *row[1:]) for time, row in zip(times, expected, strict=True)]
    assert frame.index.tolist() == list(range(len(expected)))


def test_what_was_no_earthquake_is_left_out_and_each_event_keeps_its_name() -> None:
    assert parse_comcat(EXPORT, "toy.csv")["id"].tolist() == ["us60005yrg", "us60006314", "us6000639v"]


def swapped(data: bytes) -> bytes:
    """Return a table with its columns in the opposite order."""
    rows = list(csv.reader(io.StringIO(data.decode("latin-1"))))
    out = io.StringIO()
    csv.writer(out).writerows([row[::-1] for row in rows])
    return out.getvalue().encode("latin-1")


SAME: dict[str, tuple[Parser, bytes, bytes]] = {
    "byte order mark": (parse_comcat, EXPORT, b"\xef\xbb\xbf" + EXPORT),
    "windows line ends": (parse_comcat, EXPORT, EXPORT.replace(b"\n", b"\r\n")),
    "no line break at the end": (parse_comcat, EXPORT, EXPORT.rstrip(b"\n")),
    "columns in another order": (parse_comcat, EXPORT, swapped(EXPORT)),
    "time with a space": (parse_comcat, EXPORT, EXPORT.replace(b"-29T01:04", b"-29 01:04")),
    "time of another zone": (parse_comcat, EXPORT, edited(EXPORT, b"29T01:04:44.740Z", b"29T09:04:44.740+08:00")),
    "no column of kinds": (
        parse_comcat,
        b"".join(row for row in EXPORT.splitlines(keepends=True) if b"explosion" not in row),
        b"".join(row.rpartition(b",")[0] + b"\n" for row in EXPORT.splitlines() if b"explosion" not in row),
    ),
    "bulletin with windows line ends": (bulletin, BULLETIN, BULLETIN.replace(b"\n", b"\r\n")),
    "bulletin with columns in another order": (bulletin, BULLETIN, swapped(BULLETIN)),
    "bulletin with a place of any bytes": (bulletin, BULLETIN, BULLETIN.replace(b"San Jose", b"\xff\xfe\x81")),
    "bulletin with a no-break space": (bulletin, BULLETIN, edited(BULLETIN, b"121.66", b"121.66\xa0")),
    "bulletin with a row twice": (bulletin, BULLETIN, BULLETIN + BULLETIN.splitlines(keepends=True)[1]),
}


@pytest.mark.parametrize(("parse", "one", "other"), SAME.values(), ids=SAME)
def test_what_says_the_same_is_read_the_same(parse: Parser, one: bytes, other: bytes) -> None:
    pd.testing.assert_frame_equal(parse(other, "toy.csv"), parse(one, "toy.csv"))


@pytest.mark.parametrize("source", PARSERS)
@settings(deadline=None)
@given(data=st.data())
def test_order_of_the_rows_does_not_matter(source: str, data: st.DataObject) -> None:
    parse, table = PARSERS[source]
    header, *rows = table.splitlines(keepends=True)
    shuffled = header + b"".join(data.draw(st.permutations(rows)))
    pd.testing.assert_frame_equal(parse(shuffled, "toy.csv"), parse(table, "toy.csv"))


@pytest.mark.parametrize(
    ("parse", "data", "column"),
    [
        (parse, data, column)
        for parse, data, columns in [
            (parse_comcat, EXPORT, ["time", "latitude", "longitude", "depth", "mag", "magType"]),
            (bulletin, BULLETIN, ["datetime", "lat", "lon", "depth_km", "mag", "mag_type"]),
        ]
        for column in columns
    ],
)
def test_table_without_a_needed_column_is_refused_with_the_column(parse: Parser, data: bytes, column: str) -> None:
    header, rest = data.decode("latin-1").split("\n", 1)
    names = [f"other_{number}" if name == column else name for number, name in enumerate(header.split(","))]
    with pytest.raises(DataError, match=rf"(?s)toy\.csv.*\b{column}\b"):
        parse(f"{','.join(names)}\n{rest}".encode("latin-1"), "toy.csv")


WRONG: dict[str, tuple[Parser, bytes, list[str]]] = {
    "latitude off the Earth": (parse_comcat, edited(EXPORT, b"6.7122", b"664"), ["latitude", "664"]),
    "latitude beyond the south pole": (parse_comcat, edited(EXPORT, b"6.7122", b"-90.1"), ["latitude", "-90.1"]),
    "latitude of text": (parse_comcat, edited(EXPORT, b"6.7122", b"north"), ["latitude"]),
    "no latitude": (parse_comcat, edited(EXPORT, b"6.7122", b""), ["latitude"]),
    "longitude of text": (parse_comcat, edited(EXPORT, b"125.0066", b"east"), ["longitude"]),
    "longitude off the Earth": (parse_comcat, edited(EXPORT, b"125.0066", b"225.5"), ["longitude", "225.5"]),
    "longitude without end": (parse_comcat, edited(EXPORT, b"125.0066", b"inf"), ["longitude"]),
    "magnitude 99": (parse_comcat, edited(EXPORT, b"6.4", b"99"), ["magnitude", "99"]),
    "magnitude -9": (parse_comcat, edited(EXPORT, b"6.4", b"-9"), ["magnitude", "-9"]),
    "magnitude nan": (parse_comcat, edited(EXPORT, b"6.4", b"nan"), ["line", "mag"]),
    "no magnitude": (parse_comcat, edited(EXPORT, b"6.4", b""), ["magnitude"]),
    "magnitude of text": (parse_comcat, edited(EXPORT, b"6.4", b"strong"), ["line", "mag"]),
    "comma for a point": (parse_comcat, edited(EXPORT, b"6.4", b'"6,4"'), ["line", "mag"]),
    "month 13": (parse_comcat, edited(EXPORT, b"2019-10-16", b"2019-13-16"), ["time"]),
    "impossible day": (parse_comcat, edited(EXPORT, b"2019-10-16", b"2019-02-30"), ["time"]),
    "hour 25": (parse_comcat, edited(EXPORT, b"T11:37", b"T25:37"), ["time"]),
    "date of another form": (parse_comcat, edited(EXPORT, b"2019-10-16T11", b"10/16/2019 11"), ["time"]),
    "number for a time": (parse_comcat, edited(EXPORT, b"2019-10-16T11:37:06.530Z", b"12.5"), ["time"]),
    "word for a time": (parse_comcat, edited(EXPORT, b"2019-10-16T11:37:06.530Z", b"yesterday"), ["time"]),
    "no time": (parse_comcat, edited(EXPORT, b"2019-10-16T11:37:06.530Z", b""), ["time"]),
    "time of another millennium": (parse_comcat, edited(EXPORT, b"2019-10-16", b"9019-10-16"), ["time", "9019"]),
    "time before any seismometer": (parse_comcat, edited(EXPORT, b"2019-10-16", b"1019-10-16"), ["time", "1019"]),
    "year beyond any calendar": (parse_comcat, edited(EXPORT, b"2019-10-16", b"99999-10-16"), ["time"]),
    "explosions alone": (parse_comcat, EXPORT.replace(b"earthquake", b"explosion"), ["earthquake"]),
    "header only": (parse_comcat, EXPORT.splitlines(keepends=True)[0], []),
    "no header": (parse_comcat, EXPORT.split(b"\n", 1)[1], ["latitude"]),
    "empty": (parse_comcat, b"", []),
    "blank": (parse_comcat, b"\n\n  \n", []),
    "binary junk": (parse_comcat, bytes(range(256)) * 8, []),
    "bytes of no text": (parse_comcat, edited(EXPORT, b"Kisante", b"Kis\xff\xfe"), []),
    "another encoding": (parse_comcat, EXPORT.decode().encode("utf-16"), []),
    "zip archive": (parse_comcat, b"PK\x03\x04" + bytes(100), []),
    "still gzipped": (parse_comcat, gzip.compress(EXPORT, mtime=0), []),
    "web page": (parse_comcat, b"<!DOCTYPE html><html>\n<body>Not found</body></html>", ["latitude"]),
    "more cells than columns": (parse_comcat, edited(EXPORT, b"14.95", b"14.95,1,2"), []),
    "more cells in the first row": (parse_comcat, edited(EXPORT, b"14.25", b"14.25,1,2"), []),
    "cut in a row": (parse_comcat, EXPORT[: EXPORT.index(b",125.1779")], []),
    "row that does not say what it was": (parse_comcat, EXPORT.rstrip(b"\n").removesuffix(b"earthquake"), []),
    "unclosed quote": (parse_comcat, edited(EXPORT, b"14.95,6.6", b'14.95,"6.6'), []),
    "present for a time": (parse_comcat, edited(EXPORT, b"2019-10-16T11:37:06.530Z", b"now"), ["time"]),
    "today for a time": (parse_comcat, edited(EXPORT, b"2019-10-16T11:37:06.530Z", b"today"), ["time"]),
    "bulletin of magnitude 99": (bulletin, edited(BULLETIN, b",3.8,", b",99,"), ["magnitude", "99"]),
    "bulletin of magnitude nan": (bulletin, edited(BULLETIN, b",3.8,", b",nan,"), ["line", "mag"]),
    "bulletin of no magnitude": (bulletin, edited(BULLETIN, b",3.8,", b",,"), ["magnitude"]),
    "bulletin of no time": (bulletin, edited(BULLETIN, b"2015-04-30 04:18:00+00:00", b""), ["time"]),
    "bulletin of month 13": (bulletin, edited(BULLETIN, b"2015-04-29", b"2015-13-29"), ["time"]),
    "bulletin as it is spoken": (bulletin, edited(BULLETIN, b"2015-04-29 16:05", b"29 April 2015 16:05"), ["time"]),
    "bulletin of the present": (bulletin, edited(BULLETIN, b"2015-04-29 16:05:31+00:00", b"now"), ["time"]),
    "bulletin of places nowhere": (bulletin, re.sub(rb"\+00:00,[\d.]+", b"+00:00,664", BULLETIN), []),
    "bulletin of a header": (bulletin, BULLETIN.splitlines(keepends=True)[0], []),
    "bulletin of nothing": (bulletin, b"", []),
    "bulletin of junk": (bulletin, bytes(range(256)) * 8, []),
}  # fmt: skip


@pytest.mark.parametrize(("parse", "data", "named"), WRONG.values(), ids=WRONG)
def test_wrong_file_is_refused_by_name_and_reason(parse: Parser, data: bytes, named: list[str]) -> None:
    with pytest.raises(DataError) as refusal:
        parse(data, "catalogs/toy.csv")
    assert [word for word in ["catalogs/toy.csv", *named] if word not in str(refusal.value)] == []
    assert len(str(refusal.value)) > len("catalogs/toy.csv: ")


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (b"10.73,121.66", b"664,121.66", BULLETINS[:2]),
        (b"13.18,120.04", b",120.04", [BULLETINS[0], BULLETINS[2]]),
        (b"6.11,127.48,1,3.4", b"6.11,1274.8,1,99", BULLETINS[1:]),
    ],
)
def test_bulletin_of_no_place_on_earth_is_left_out_and_counted(
    old: bytes, new: bytes, kept: list[tuple[Any, ...]]
) -> None:
    frame, left_out = parse_phivolcs(edited(BULLETIN, old, new), "toy.csv")
    assert frame["magnitude"].tolist() == [row[4] for row in kept]
    assert left_out == 1


def test_repeated_bulletin_is_left_out_and_counted_but_another_place_of_the_same_time_is_kept() -> None:
    row = BULLETIN.splitlines(keepends=True)[1]
    other = edited(row, b"10.73", b"10.74")
    frame, left_out = parse_phivolcs(BULLETIN + row + other + row, "toy.csv")
    assert left_out == 2
    assert sorted(frame["latitude"]) == [6.11, 10.73, 10.74, 13.18]


def test_event_of_no_depth_is_kept_and_one_of_a_depth_in_words_is_refused() -> None:
    frame = parse_comcat(edited(EXPORT, b"14.95", b""), "toy.csv")
    assert np.isnan(frame["depth_km"]).tolist() == [False, True, False]
    assert frame["magnitude"].tolist() == [6.4, 6.6, 6.5]
    with pytest.raises(DataError, match=r"toy\.csv: line \d: depth 'unknown'"):
        parse_comcat(edited(EXPORT, b"14.95", b"unknown"), "toy.csv")


def spoil(data: bytes, place: int, kind: str, junk: bytes) -> bytes:
    if kind == "cut":
        return data[:place]
    return data[:place] + junk + data[place + {"insert": 0, "replace": len(junk), "delete": 3}[kind] :]


JUNK = [b"\n", b",", b'"', b"-", b"e9", b"0", b"9", b"nan", b"\x00", b"T", b"Z", b"+", b"."]


@pytest.mark.parametrize("source", PARSERS)
@settings(max_examples=100, deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, max(len(EXPORT), len(BULLETIN))),
            st.sampled_from(["cut", "insert", "replace", "delete"]),
            st.one_of(st.binary(max_size=3), st.sampled_from(JUNK)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_spoiled_bytes_are_refused_or_still_hold_every_invariant(
    source: str, changes: list[tuple[int, str, bytes]]
) -> None:
    parse, data = PARSERS[source]
    for place, kind, junk in changes:
        data = spoil(data, min(place, len(data)), kind, junk)
    try:
        frame = parse(data, "toy.csv")
    except DataError as error:
        assert "toy.csv" in str(error)
        return
    assert list(frame.columns)[:6] == COLUMNS
    assert len(frame) > 0
    assert frame["time"].is_monotonic_increasing
    assert frame["time"].dt.year.between(1900, 2100).all()
    assert frame["latitude"].between(-90, 90).all()
    assert frame["longitude"].between(-180, 180).all()
    assert frame["magnitude"].between(-2, 10).all()


def offer(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """Stand in for the pinned files."""
    monkeypatch.setattr(sources, "read", lambda name, **options: files[name])


def test_gzipped_export_is_read_like_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, {PHILIPPINES_M5: gzip.compress(EXPORT)})
    loaded = load_catalogue("comcat_m5")
    assert (loaded.name, loaded.threshold, loaded.left_out) == ("comcat_m5", 5.0, 0)
    assert loaded.files == {PHILIPPINES_M5: data_file(PHILIPPINES_M5).sha256}
    pd.testing.assert_frame_equal(loaded.events, parse_comcat(EXPORT, "toy.csv")[COLUMNS])


@settings(deadline=None)
@given(st.integers(0, len(gzip.compress(EXPORT, mtime=0)) - 1))
def test_gzipped_export_that_breaks_off_anywhere_is_refused_by_name(size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        offer(patch, {PHILIPPINES_M5: gzip.compress(EXPORT, mtime=0)[:size]})
        with pytest.raises(DataError, match=re.escape(PHILIPPINES_M5)):
            load_catalogue("comcat_m5")


@settings(deadline=None)
@given(st.integers(0, len(gzip.compress(EXPORT, mtime=0)) - 1), st.integers(1, 255))
def test_changed_byte_of_a_gzipped_export_is_refused_or_changes_nothing(place: int, change: int) -> None:
    data = bytearray(gzip.compress(EXPORT, mtime=0))
    data[place] ^= change
    with pytest.MonkeyPatch.context() as patch:
        offer(patch, {PHILIPPINES_M5: bytes(data)})
        try:
            events = load_catalogue("comcat_m5").events
        except DataError as error:
            assert PHILIPPINES_M5 in str(error)
            return
    pd.testing.assert_frame_equal(events, parse_comcat(EXPORT, "toy.csv")[COLUMNS])


@pytest.mark.parametrize("data", [EXPORT, b"", b"\x1f\x8b", b"PK\x03\x04" + bytes(50)], ids=repr)
def test_bytes_that_are_not_gzipped_are_refused_by_name(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, {PHILIPPINES_M5: data})
    with pytest.raises(DataError, match=re.escape(PHILIPPINES_M5)):
        load_catalogue("comcat_m5")


@pytest.mark.parametrize(("limit", "fits"), [(len(EXPORT), True), (len(EXPORT) - 1, False)])
def test_gzipped_export_may_expand_up_to_the_limit(limit: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_EXPANDED", limit)
    offer(monkeypatch, {PHILIPPINES_M5: gzip.compress(EXPORT)})
    if fits:
        assert len(load_catalogue("comcat_m5").events) == len(EXPORTED)
        return
    with pytest.raises(DataError, match=rf"{re.escape(PHILIPPINES_M5)}.*{limit}"):
        load_catalogue("comcat_m5")


def test_bomb_is_refused_without_being_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_EXPANDED", 100_000)
    bomb = gzip.compress(EXPORT + bytes(30_000_000), compresslevel=1)
    assert len(bomb) < 1_000_000
    offer(monkeypatch, {PHILIPPINES_M5: bomb})
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="100000"):
            load_catalogue("comcat_m5")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


# Two made-up exports of one catalogue: the depth of an event is its number, so that it can be told in the result.
Event = dict[str, Any]
FIRST_OF_BOTH, DAY = datetime(2015, 11, 1, tzinfo=UTC), timedelta(days=1)


def made_up(number: int, when: datetime, magnitude: float, latitude: float = 10.5, longitude: float = 122.5) -> Event:
    return {
        "time": when.isoformat().replace("+00:00", "Z"), "latitude": latitude, "longitude": longitude, "depth": number,
        "mag": magnitude, "magType": "mww", "id": f"us{number}", "type": "earthquake",
    }  # fmt: skip


def export(events: list[Event]) -> bytes:
    return pd.DataFrame(events).iloc[::-1].to_csv(index=False).encode()


@pytest.fixture
def exports() -> dict[str, list[Event]]:
    """Return the events of two files that agree where both should: 100 larger ones, 14 days apart."""
    before = [made_up(1, datetime(1990, 5, 1, tzinfo=UTC), 3.0), made_up(2, datetime(2015, 10, 1, tzinfo=UTC), 5.5)]
    shared = [made_up(100 + n, FIRST_OF_BOTH + n * 14 * DAY, 5.0 + n % 20 / 10) for n in range(100)]
    small = [made_up(300 + n, FIRST_OF_BOTH + n * 30 * DAY, 4.9) for n in range(40)]
    last = [made_up(3, datetime(2019, 9, 30, 23, 59, 59, tzinfo=UTC), 4.0)]
    too_late = [made_up(400 + n, datetime(2019, 10, 1, tzinfo=UTC) + n * DAY, 4.0 + n % 20 / 10) for n in range(30)]
    after = [made_up(500 + n, datetime(2019, 10, 1, tzinfo=UTC) + n * DAY, 5.0 + n % 20 / 10) for n in range(200)]
    elsewhere = [made_up(800 + n, FIRST_OF_BOTH + n * 20 * DAY, 6.0, -n % 60, -n) for n in range(100)]
    just_outside = [
        made_up(950 + n, datetime(2021, 1, 1, tzinfo=UTC), 7.0, latitude, longitude)
        for n, (latitude, longitude) in enumerate([(4.59, 120.0), (19.06, 120.0), (10.0, 116.99), (10.0, 130.01)])
    ]
    return {
        PHILIPPINES_M3: [*before, *shared, *small, *last, *too_late],
        WORLD_M5: [*shared, *after, *elsewhere, *just_outside],
    }


def numbers(catalogue: Catalogue) -> list[int]:
    return catalogue.events["depth_km"].astype(int).tolist()


def test_join_takes_each_event_from_the_file_that_is_to_give_it(
    exports: dict[str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, {name: export(events) for name, events in exports.items()})
    loaded = load_catalogue("comcat")
    assert (loaded.name, loaded.threshold) == ("comcat", 3.0)
    assert loaded.files == {name: data_file(name).sha256 for name in (PHILIPPINES_M3, WORLD_M5)}
    expected = [1, 2, 3, *range(100, 200), *range(300, 340), *range(500, 700)]
    assert sorted(numbers(loaded)) == expected
    assert loaded.events["time"].is_monotonic_increasing
    assert list(loaded.events.columns) == COLUMNS
    assert loaded.events.index.tolist() == list(range(len(expected)))


def test_larger_events_are_those_of_the_asked_box_from_m_5_on(
    exports: dict[str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, {name: export(events) for name, events in exports.items()})
    found = load_larger_events("comcat", Box(4.0, 21.0, 116.0, 131.0))
    assert (found.name, found.threshold, found.files) == ("comcat", 5.0, {WORLD_M5: data_file(WORLD_M5).sha256})
    # The world's file alone, and what lies just outside of the M 3 file's box as well.
    assert sorted(numbers(found)) == [*range(100, 200), *range(500, 700), *range(950, 954)]
    assert sorted(numbers(load_larger_events("comcat", PHILIPPINES))) == [*range(100, 200), *range(500, 700)]


def test_larger_events_of_the_package_are_read_gzipped(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, {PHILIPPINES_M5: gzip.compress(EXPORT)})
    everything = parse_comcat(EXPORT, "toy.csv")
    found = load_larger_events("comcat_m5", Box(-90, 90, -180, 180))
    assert len(found.events) == (everything["magnitude"] >= 5).sum() > 0


def test_larger_bulletins_reach_beyond_the_reference_box(monkeypatch: pytest.MonkeyPatch) -> None:
    names = catalogue_files("phivolcs")
    header = BULLETIN.splitlines(keepends=True)[0]
    rows = [(10.5, 5.0, 1), (20.5, 5.5, 2), (20.5, 4.9, 3), (21.5, 6.0, 4)]
    bulletin = header + b"".join(
        f"0,2020-01-02 03:04:05+00:00,{latitude},122.5,{number},{magnitude},somewhere,Ms,TECTONIC\n".encode()
        for latitude, magnitude, number in rows
    )
    offer(
        monkeypatch,
        {
            name: bulletin if name == names[0] else header + b"0,2020-01-02 03:04:05+00:00,10,122,9,1.0,a,Ms,T\n"
            for name in names
        },
    )
    assert numbers(load_larger_events("phivolcs", ALL_ISLANDS)) == [1, 2]


@pytest.mark.parametrize(
    ("file", "other"), [(PHILIPPINES_M3, WORLD_M5), (WORLD_M5, PHILIPPINES_M3)], ids=["early", "late"]
)
def test_join_is_refused_when_one_file_lacks_what_the_other_has(
    file: str, other: str, exports: dict[str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = exports[file]
    exports[file] = [event for event in complete if event["depth"] not in range(150, 155)]
    offer(monkeypatch, {name: export(events) for name, events in exports.items()})
    assert len(load_catalogue("comcat").events) in (338, 343)
    exports[file] = [event for event in complete if event["depth"] not in range(150, 156)]
    offer(monkeypatch, {name: export(events) for name, events in exports.items()})
    with pytest.raises(DataError) as refusal:
        load_catalogue("comcat")
    assert [word for word in (file, other, "94", "100") if word not in str(refusal.value)] == []


@pytest.mark.parametrize("file", [PHILIPPINES_M3, WORLD_M5])
@pytest.mark.parametrize(("apart", "agrees"), [(0.1, True), (-0.1, True), (0.2, False), (2.0, False)])
def test_join_is_refused_when_one_magnitude_is_more_than_a_tenth_apart(
    file: str, apart: float, agrees: bool, exports: dict[str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    exports[file] = [{**event, "mag": event["mag"] + apart * (event["depth"] == 155)} for event in exports[file]]
    offer(monkeypatch, {name: export(events) for name, events in exports.items()})
    if agrees:
        assert len(load_catalogue("comcat").events) == 343
        return
    with pytest.raises(DataError) as refusal:
        load_catalogue("comcat")
    expected = (PHILIPPINES_M3, WORLD_M5, f"{apart:.1f}")
    assert [word for word in expected if word not in str(refusal.value)] == []


def test_join_is_refused_when_the_files_share_no_time(
    exports: dict[str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    exports[WORLD_M5] = [event for event in exports[WORLD_M5] if event["time"] >= "2019-10-01"]
    offer(monkeypatch, {name: export(events) for name, events in exports.items()})
    with pytest.raises(DataError, match=re.escape(WORLD_M5)):
        load_catalogue("comcat")


@settings(deadline=None)
@given(
    st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99)), st.lists(st.integers(-2, 2), min_size=100, max_size=100)
)
def test_join_is_refused_exactly_when_less_than_95_percent_is_shared_or_a_magnitude_is_apart(
    one: set[int], other: set[int], tenths: list[int]
) -> None:
    first = pd.DataFrame({"id": sorted(one), "magnitude": [5.0 + n / 10 for n in sorted(one)]})
    second = pd.DataFrame({"id": sorted(other), "magnitude": [5.0 + (n + tenths[n]) / 10 for n in sorted(other)]})
    both = one & other
    shared = bool(both) and 100 * len(both) >= 95 * len(one) and 100 * len(both) >= 95 * len(other)
    if shared and all(abs(tenths[n]) <= 1 for n in both):
        check_join(first, second, "a and b")
        return
    with pytest.raises(DataError, match="a and b"):
        check_join(first, second, "a and b")


@pytest.mark.parametrize("name", ["japan", "", "Comcat", "catalogs/comcat_philippines_m3_1979_2019.csv"])
def test_unknown_catalogue_is_refused_with_the_known_ones(name: Any) -> None:
    with pytest.raises(ParameterError) as refusal:
        load_catalogue(name)
    assert [word for word in [name, *CATALOGUES] if word not in str(refusal.value)] == []


@pytest.mark.parametrize("name", CATALOGUES)
def test_catalogue_that_cannot_be_had_names_a_file_of_its_own(
    name: CatalogueName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    with pytest.raises(MissingDataError) as refusal:
        load_catalogue(name, network=False)
    assert any(file in str(refusal.value) for file in catalogue_files(name))


@pytest.mark.parametrize(
    ("name", "damage"),
    [("comcat", b"\n\n"), ("comcat_m5", b""), ("phivolcs", b"datetime,lat\n1,2\n")],
)
def test_file_that_is_not_the_pinned_one_is_refused(
    name: CatalogueName, damage: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mirror" / catalogue_files(name)[0]
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    monkeypatch.setenv("REPRODUCE_DATA", str(tmp_path / "mirror"))
    with pytest.raises(DataError, match=re.escape(catalogue_files(name)[0])) as refusal:
        load_catalogue(name, network=False)
    assert not isinstance(refusal.value, MissingDataError)


def test_bulletins_of_all_months_become_one_catalogue_of_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    names = catalogue_files("phivolcs")
    header = BULLETIN.splitlines(keepends=True)[0]
    rows = {
        name: b"0,20%02d-01-02 03:04:05+00:00,%s,122.5,%d,2.5,somewhere,Ms,TECTONIC\n"
        % (15 + n % 9, b"2.5" if n == 7 else b"10.5", n)
        for n, name in enumerate(names)
    }
    nowhere = b"1,2020-01-02 03:04:05+00:00,664,122.5,9,2.5,somewhere,Ms,TECTONIC\n"
    offer(monkeypatch, {name: header + row + nowhere for name, row in rows.items()})
    loaded = load_catalogue("phivolcs")
    assert (loaded.name, loaded.threshold, loaded.left_out) == ("phivolcs", 1.0, len(names))
    assert numbers(loaded) == sorted((n for n in range(len(names)) if n != 7), key=lambda n: (n % 9, n))
    assert loaded.files == {name: data_file(name).sha256 for name in names}


def places(*points: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(points, columns=["latitude", "longitude"])


def test_box_contains_its_edges_and_nothing_outside() -> None:
    points = places((1, 3), (2, 4), (1.5, 3.5), (0.999, 3.5), (2.001, 3.5), (1.5, 2.999), (1.5, 4.001), (np.nan, 3.5))
    assert Box(1, 2, 3, 4).contains(points).tolist() == [True, True, True, *5 * [False]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=20))
def test_events_of_a_box_are_those_of_a_loop(points: list[tuple[float, float]]) -> None:
    frame = places(*points)
    frame["depth_km"] = np.arange(len(points))
    catalogue = Catalogue("toy", frame, 3.0, 7, {"a": "b"}).inside(Box(-30, 30, -60, 60))
    expected = [n for n, (latitude, longitude) in enumerate(points) if abs(latitude) <= 30 and abs(longitude) <= 60]
    assert numbers(catalogue) == expected
    assert catalogue.events.index.tolist() == list(range(len(expected)))
    assert (catalogue.name, catalogue.threshold, catalogue.left_out, catalogue.files) == ("toy", 3.0, 7, {"a": "b"})


ISLANDS = [name for name in AREAS if name != "whole"]


def test_areas_cover_the_whole_box_and_no_more() -> None:
    islands = sorted((AREAS[name] for name in ISLANDS), key=lambda box: box.south)
    assert AREAS["whole"] == PHILIPPINES
    edges = [*(box.south for box in islands), PHILIPPINES.north]
    assert [PHILIPPINES.south, *(box.north for box in islands)] == pytest.approx(edges)
    assert {(box.west, box.east) for box in islands} == {(PHILIPPINES.west, PHILIPPINES.east)}


def test_every_place_of_the_whole_box_lies_in_exactly_one_area() -> None:
    """Catalogues write latitudes with one to four decimals, so an edge at 9.5 or 12.5 is met by events."""
    latitudes = np.round(np.arange(4.6, 19.051, 0.01), 2)
    grid = places(*((latitude, 122.0) for latitude in latitudes))
    assert PHILIPPINES.contains(grid).all()
    areas = sum(AREAS[name].contains(grid).astype(int) for name in ISLANDS)
    assert latitudes[areas != 1].tolist() == []


def mirrored(name: str) -> Path:
    return Path(os.environ["REPRODUCE_DATA"]) / name


def raw_rows(name: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    with mirrored(name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def series(catalogue: Catalogue, first: str, last: str) -> np.ndarray[Any, Any]:
    times = catalogue.events["time"].dt.tz_localize(None).to_numpy()
    return monthly_magnitudes(times, catalogue.events["magnitude"].to_numpy(), months_between(first, last), "maximum")


def assert_tidy(catalogue: Catalogue) -> None:
    events = catalogue.events
    assert list(events.columns) == COLUMNS
    assert str(events["time"].dt.tz) == "UTC"
    assert events["time"].is_monotonic_increasing
    assert PHILIPPINES.contains(events).all()
    assert np.isfinite(events[["latitude", "longitude", "depth_km", "magnitude"]].to_numpy()).all()
    assert events["magnitude"].min() == catalogue.threshold
    assert not events.duplicated(["time", "latitude", "longitude", "magnitude"]).any()
    assert catalogue.files == {name: data_file(name).sha256 for name in catalogue_files(catalogue.name)}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def comcat() -> Catalogue:
    return load_catalogue("comcat", network=False)


@pytest.fixture(scope="module")
def phivolcs() -> Catalogue:
    return load_catalogue("phivolcs", network=False)


@pytest.fixture(scope="module")
def comcat_m5(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRODUCE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load_catalogue("comcat_m5")


@pytest.mark.data
def test_comcat_holds_the_events_of_its_two_files_and_no_month_without_one(comcat: Catalogue) -> None:
    early = [row for row in raw_rows(PHILIPPINES_M3) if row["type"] == "earthquake" and row["time"] < "2019-10-01"]
    late = [
        row
        for row in raw_rows(WORLD_M5)
        if row["type"] == "earthquake" and row["time"] >= "2019-10-01"
        and 4.6 <= float(row["latitude"]) <= 19.05 and 117 <= float(row["longitude"]) <= 130
    ]  # fmt: skip
    assert_tidy(comcat)
    assert len(comcat.events) == len(early) + len(late) == 14997
    assert comcat.events["magnitude"].tolist() == [
        float(row["mag"]) for row in sorted([*early, *late], key=lambda row: row["time"])
    ]
    assert (f"{comcat.events['time'].iloc[0]:%Y-%m}", f"{comcat.events['time'].iloc[-1]:%Y-%m}") == (
        "1979-11",
        "2025-10",
    )
    assert not np.isnan(series(comcat, "1979-11", "2025-10")).any()
    assert comcat.events.loc[comcat.events["time"] >= "2019-10-01", "magnitude"].min() == 5.0


@pytest.mark.data
def test_phivolcs_holds_every_month_of_2015_to_july_2024(phivolcs: Catalogue) -> None:
    assert_tidy(phivolcs)
    assert len(phivolcs.files) == 115 == sum(name.startswith("catalogs/phivolcs_monthly/") for name in data_files())
    assert not np.isnan(series(phivolcs, "2015-01", "2024-07")).any()
    known = pd.Timestamp("2014-12-31T16:00Z"), pd.Timestamp("2024-07-31T16:00Z")  # whole months of UTC+8
    assert phivolcs.events["time"].between(*known, inclusive="left").all()


@pytest.mark.data
def test_rows_of_phivolcs_are_events_or_counted_as_left_out(phivolcs: Catalogue) -> None:
    inside = left_out = 0
    for name in catalogue_files("phivolcs"):
        seen = set()
        for row in raw_rows(name, "latin-1"):
            latitude, longitude, magnitude = (float(row[column] or "nan") for column in ("lat", "lon", "mag"))
            event = (row["datetime"], latitude, longitude, magnitude)
            if event in seen or not (abs(latitude) <= 90 and abs(longitude) <= 180):
                left_out += 1
            elif 4.6 <= latitude <= 19.05 and 117 <= longitude <= 130:
                inside += 1
            seen.add(event)
    assert (inside, left_out) == (93365, 65)
    assert (len(phivolcs.events), phivolcs.left_out) == (inside, left_out)


@pytest.mark.data
def test_bulletins_of_a_file_fall_into_its_month_of_philippine_time() -> None:
    outside = total = 0
    for name in catalogue_files("phivolcs"):
        frame, _ = parse_phivolcs(mirrored(name).read_bytes(), name)
        year, month = Path(name).stem.split("_")
        stated = datetime.strptime(f"{year} {month[:3]}", "%Y %b")
        local = frame["time"] + pd.Timedelta(hours=8)
        outside += ((local.dt.year != stated.year) | (local.dt.month != stated.month)).sum()
        total += len(frame)
    assert outside / total < 0.003  # without the eight hours it were 0.011


@pytest.mark.data
@pytest.mark.parametrize("name", ["comcat", "phivolcs"])
def test_files_of_a_catalogue_have_the_hashes_that_it_names(name: str, request: pytest.FixtureRequest) -> None:
    files = request.getfixturevalue(name).files
    assert {file: hashlib.sha256(mirrored(file).read_bytes()).hexdigest() for file in files} == files


@pytest.mark.data
def test_great_earthquake_of_december_2023_happens_at_one_time_in_both_agencies(
    comcat: Catalogue, phivolcs: Catalogue
) -> None:
    """A catalogue of local time would have it eight hours away."""
    times = []
    for catalogue in (comcat, phivolcs):
        day = catalogue.events[catalogue.events["time"].dt.strftime("%Y-%m-%d") == "2023-12-02"]
        great = day[day["magnitude"] >= 7]
        assert len(great) == 1
        times.append(great["time"].iloc[0])
    assert abs(times[0] - times[1]) < pd.Timedelta(minutes=2)
    assert abs(times[0] - pd.Timestamp("2023-12-02T14:37:04Z")) < pd.Timedelta(minutes=2)


@pytest.mark.data
@pytest.mark.parametrize("name", ["comcat", "phivolcs"])
def test_areas_partition_the_real_events(name: str, request: pytest.FixtureRequest) -> None:
    catalogue = request.getfixturevalue(name)
    sizes = [len(catalogue.inside(AREAS[area]).events) for area in ISLANDS]
    assert min(sizes) > 100
    assert len(catalogue.inside(AREAS["whole"]).events) == len(catalogue.events)
    assert sum(sizes) == len(catalogue.events)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (PHILIPPINES_M3, rb",us(100[0-9a-z]+),", rb",xx\1,"),
        (WORLD_M5, rb",us(100[0-9a-z]+),", rb",xx\1,"),
        (WORLD_M5, rb"(?m)^(2019-0[^,]*,[^,]*,12[^,]*,[^,]*),5\.", rb"\1,6."),
    ],
)
def test_real_files_that_were_made_to_disagree_are_not_joined(
    file: str, old: bytes, new: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: mirrored(name).read_bytes() for name in (PHILIPPINES_M3, WORLD_M5)}
    files[file] = re.sub(old, new, files[file])
    offer(monkeypatch, files)
    with pytest.raises(DataError, match=f"{re.escape(PHILIPPINES_M3)}.*{re.escape(WORLD_M5)}"):
        load_catalogue("comcat")


@pytest.mark.data
@pytest.mark.network
def test_comcat_of_the_package_has_its_events_and_lacks_eleven_months(comcat_m5: Catalogue) -> None:
    assert_tidy(comcat_m5)
    assert len(comcat_m5.events) == 3630
    assert f"{comcat_m5.events['time'].iloc[0]:%Y-%m}" == "1975-01"
    empty = np.isnan(series(comcat_m5, "1975-01", "2025-10"))
    assert empty.sum() == 11


@pytest.mark.data
@pytest.mark.network
def test_two_exports_of_comcat_agree_on_nearly_every_month(comcat: Catalogue, comcat_m5: Catalogue) -> None:
    both = Box(4.6, 19.05, 117.0, 128.0)  # the package's file ends at 128 degrees east
    larger = Catalogue("toy", comcat.events[comcat.events["magnitude"] >= 5.0], 5.0, 0, {})
    one, other = (series(catalogue.inside(both), "1980-01", "2025-09") for catalogue in (larger, comcat_m5))
    assert (np.isnan(one) == np.isnan(other)).mean() > 0.99
    difference = np.abs(one - other)[~(np.isnan(one) | np.isnan(other))]
    assert len(difference) > 500
    assert (difference < 0.15).mean() > 0.98
    assert difference.mean() < 0.02
