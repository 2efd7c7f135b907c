"""Catalogues of several agencies: each format by hand, what is refused, what is a repeat, and the real files."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reproduce_lib.data import regional_catalogs, sources
from reproduce_lib.data.catalogs import Catalogue
from reproduce_lib.data.regional_catalogs import (
    FILES,
    REGIONAL_CATALOGUES,
    THRESHOLDS,
    Listing,
    RegionalCatalogueName,
    load_regional,
    parse_cea,
    parse_cenc,
    parse_iris,
    parse_nshm,
    without_nuclear_tests,
    without_repeats,
)
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.errors import DataError, ParameterError

COLUMNS = ["time", "latitude", "longitude", "depth_km", "magnitude", "magnitude_type"]
Parser = Callable[[bytes, str], Listing]

CENC_HEADER = ("发震时刻", "震级(M)", "纬度(°)", "经度(°)", "深度(千米)", "参考位置")
CENC_ROWS = [
    ("2024-04-05 15:03:38", "3.6", "40.83", "84.10", "13", "新疆巴音郭楞州尉犁县"),
    ("2024-01-01 07:59:59", "4.5", "23.77", "121.61", "8", "台湾花莲县海域"),
    ("2013-04-20 08:02:46", "7.0", "30.30", "103.00", "", "四川雅安市芦山县"),
]


def spreadsheet(*rows: tuple[str, ...]) -> bytes:
    """Write rows as the agency's site exports them: XML under the name of a spreadsheet."""
    lines = ["".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>\n' for cell in row) for row in rows]
    table = "\n".join(f"<Row>\n{line}</Row>\n" for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"\n'
        ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">\n<Worksheet ss:Name="Table1">\n<Table>\n'
        f'<Column ss:Index="1" ss:Width="110"/>\n{table}</Table>\n</Worksheet>\n</Workbook>\n'
    ).encode()


CENC = spreadsheet(CENC_HEADER, *CENC_ROWS)
CEA = (
    b"\xef\xbb\xbfid\tyear\tmonth\tday\thour\tmin\tsec\tlat\tlon\tmag\tdepth\n"
    b"1\t19\t2\t0\t0\t0\t0\t41.10\t126.18\t5.30\t-1\n"
    b"2\t1899\t12\t31\t23\t59\t60\t33.00\t112.50\t6.40\t-1\n"
    b"3\t1976\t7\t27\t19\t42\t54\t39.60\t118.20\t7.80\t11\n"
    b"4\t1900\t1\t1\t0\t0\t0\t34.70\t105.40\t6.45\t-1\n"
    b"5\t1999\t12\t31\t23\t59\t60\t35.80\t103.50\t4.10\t0\n"
    b"6\t2008\t5\t12\t6\t28\t1.5\t31.00\t103.40\t8.00\t14.5\n"
)
IRIS = (
    b"datetime,lat,lon,depth,mag,type,mag_rnd\n"
    b"1992-06-28 11:57:34.130,34.20,-116.44,1093.0,7.3,mw,7.0\n"
    b"1960-01-20 03:25:49.000,36.56,-121.71,0.0,5.0,,5.0\n"
    b"1960-02-27 19:22:25.000,37.93,-122.02,,3.4,,3.0\n"
)
NSHM = (
    b"4.85  -72.500  41.500   0 1568  1  1  0  0  0.  0.    4.85 1.0   MwU|j94|mw,4.85(X_1.00)\n"
    b"5.80  -77.930  37.910   6 2011  8 23 17 51  4.6 0.100 5.80 1.0   PDE|mw,5.8\n"
    b"3.31  -88.500  41.500   5 1900  1  1  0  0  0.  0.512 3.31 1.872 SHM|SSC|mw,TMP00005\n"
    b"2.91  -87.886  38.452  14 2008 12 31 23 59 60.  0.240 2.91 1.165 GSC|mn,2.11MN\n"
)
CENC_TIME, CEA_TIME, IRIS_TIME = b"2024-04-05 15:03:38", b"1976\t7\t27\t19\t42\t54", b"1992-06-28 11:57:34.130"
NSHM_TIME = b"2011  8 23 17 51  4.6"
# The same events, read by eye: in order of time, UTC.
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "cenc": [
        ("2013-04-20T00:02:46", 30.30, 103.00, None, 7.0, "M"),
        ("2023-12-31T23:59:59", 23.77, 121.61, 8.0, 4.5, "M"),
        ("2024-04-05T07:03:38", 40.83, 84.10, 13.0, 3.6, "M"),
    ],
    "cea": [
        ("1900-01-01T00:00:00", 34.70, 105.40, None, 6.45, "Mw converted"),
        ("1976-07-27T19:42:54", 39.60, 118.20, 11.0, 7.8, "Mw converted"),
        ("2000-01-01T00:00:00", 35.80, 103.50, 0.0, 4.1, "Mw converted"),
        ("2008-05-12T06:28:01.5", 31.00, 103.40, 14.5, 8.0, "Mw converted"),
    ],
    "iris": [
        ("1960-01-20T03:25:49", 36.56, -121.71, 0.0, 5.0, ""),
        ("1960-02-27T19:22:25", 37.93, -122.02, None, 3.4, ""),
        ("1992-06-28T11:57:34.13", 34.20, -116.44, 1.093, 7.3, "mw"),
    ],
    "nshm": [
        ("1900-01-01T00:00:00", 41.50, -88.50, 5.0, 3.31, "Mw"),
        ("2009-01-01T00:00:00", 38.452, -87.886, 14.0, 2.91, "Mw"),
        ("2011-08-23T17:51:04.6", 37.91, -77.93, 6.0, 5.8, "Mw"),
    ],
}
PARSERS: dict[str, tuple[Parser, bytes]] = {
    "cenc": (parse_cenc, CENC),
    "cea": (parse_cea, CEA),
    "iris": (parse_iris, IRIS),
    "nshm": (parse_nshm, NSHM),
}


def edited(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def assert_tidy(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == COLUMNS
    assert str(frame["time"].dt.tz) == "UTC"
    assert len(frame) > 0
    assert frame["time"].is_monotonic_increasing
    assert frame["time"].dt.year.between(1900, 2100).all()
    assert frame["latitude"].between(-90, 90).all()
    assert frame["longitude"].between(-180, 180).all()
    assert frame["magnitude"].between(-2, 10).all()
    assert frame.index.tolist() == list(range(len(frame)))


# Formats


@pytest.mark.parametrize("source", PARSERS)
def test_each_format_is_read_number_by_number(source: str) -> None:
    parse, data = PARSERS[source]
    frame = parse(data, "toy").events
    assert_tidy(frame)
    for found, (time, latitude, longitude, depth, magnitude, kind) in zip(
        frame.itertuples(index=False), EXPECTED[source], strict=True
    ):
        assert abs(found.time - pd.Timestamp(time, tz="UTC")) < pd.Timedelta(microseconds=10)
        numbers = (found.latitude, found.longitude, found.magnitude)
        assert numbers == pytest.approx((latitude, longitude, magnitude), abs=1e-9)
        assert found.magnitude_type == kind
        assert math.isnan(found.depth_km) if depth is None else found.depth_km == pytest.approx(depth)


@pytest.mark.parametrize("source", PARSERS)
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_order_of_the_rows_does_not_matter(source: str, data: st.DataObject) -> None:
    parse, table = PARSERS[source]
    if source == "cenc":
        shuffled = spreadsheet(CENC_HEADER, *data.draw(st.permutations(CENC_ROWS)))
    else:
        lines = table.splitlines(keepends=True)
        heading = [] if source == "nshm" else lines[:1]
        shuffled = b"".join([*heading, *data.draw(st.permutations(lines[len(heading) :]))])
    pd.testing.assert_frame_equal(parse(shuffled, "toy").events, parse(table, "toy").events)


@given(st.datetimes(datetime(1992, 1, 1), datetime(2090, 1, 1)))  # from 1992 on Beijing has had no summer time
@settings(deadline=None, max_examples=50)
def test_times_of_beijing_are_eight_hours_ahead(local: datetime) -> None:
    local = local.replace(microsecond=0)
    frame = parse_cenc(spreadsheet(CENC_HEADER, (f"{local:%Y-%m-%d %H:%M:%S}", *CENC_ROWS[0][1:])), "toy").events
    assert frame["time"].iloc[0] == (local - timedelta(hours=8)).replace(tzinfo=UTC)


@pytest.mark.parametrize("local", ["1986-05-04 02:30:00", "1991-09-15 01:30:00", "1988-07-01 12:00:00"])
def test_time_of_beijing_under_summer_time_is_read_or_refused_by_name(local: str) -> None:
    """The first time was skipped by the clocks, the second came twice."""
    try:
        frame = parse_cenc(spreadsheet(CENC_HEADER, (local, *CENC_ROWS[0][1:])), "catalogs/toy.xls").events
    except DataError as error:
        assert "catalogs/toy.xls" in str(error)
    else:
        assert frame["time"].iloc[0] == pd.Timestamp(local, tz="UTC") - pd.Timedelta(hours=8)


@pytest.mark.parametrize("date", [b"1976\t0\t0", b"1976\t7\t0", b"1976\t0\t27", b"1976\t00\t00"])
def test_event_of_china_without_a_known_day_is_left_out(date: bytes) -> None:
    found, whole = parse_cea(edited(CEA, b"1976\t7\t27", date), "toy"), parse_cea(CEA, "toy")
    pd.testing.assert_frame_equal(found.events, whole.events.drop(index=1).reset_index(drop=True))
    assert found.left_out == whole.left_out + 1


@pytest.mark.parametrize(("source", "kept"), [("cea", 4), ("nshm", 3)])
def test_events_before_1900_are_left_out_whatever_their_date(source: str, kept: int) -> None:
    """The file of China has events of day 0, which no calendar knows."""
    parse, data = PARSERS[source]
    first = data.splitlines(keepends=True)[1 if source == "cea" else 0]
    found = parse(data + first * 3, "toy")
    assert (len(found.events), found.left_out) == (kept, parse(data, "toy").left_out + 3)
    assert parse(data, "toy").events["time"].iloc[0] == pd.Timestamp("1900-01-01", tz="UTC")


SAME: dict[str, tuple[Parser, bytes, bytes]] = {
    "cea without a byte order mark": (parse_cea, CEA, CEA.removeprefix(b"\xef\xbb\xbf")),
    "cea with windows line ends": (parse_cea, CEA, CEA.replace(b"\n", b"\r\n")),
    "iris with windows line ends": (parse_iris, IRIS, IRIS.replace(b"\n", b"\r\n")),
    "iris of one time with a zone": (parse_iris, IRIS, edited(IRIS, IRIS_TIME, b"1992-06-28T16:57:34.130+05:00")),
    "iris with a T in its times": (parse_iris, IRIS, re.sub(rb"(\d{4}-\d\d-\d\d) ", rb"\1T", IRIS)),
    "iris with more columns": (parse_iris, IRIS, b"".join(row + b",1\n" for row in IRIS.splitlines())),
    "nshm with tabs": (parse_nshm, NSHM, re.sub(rb" +", b"\t", NSHM)),
    "nshm with blanks ahead": (parse_nshm, NSHM, b"".join(b"  " + row + b"\n" for row in NSHM.splitlines())),
    "cenc with single digits": (parse_cenc, CENC, edited(CENC, b"2024-04-05 15:03:38", b"2024-4-5 15:3:38")),
    "cenc in one line": (parse_cenc, CENC, CENC.replace(b"\n", b" ")),
    "cenc with a byte order mark": (parse_cenc, CENC, b"\xef\xbb\xbf" + CENC),
}


@pytest.mark.parametrize(("parse", "one", "other"), SAME.values(), ids=SAME)
def test_what_says_the_same_is_read_the_same(parse: Parser, one: bytes, other: bytes) -> None:
    pd.testing.assert_frame_equal(parse(other, "toy").events, parse(one, "toy").events)


# What is refused

WRONG: dict[str, tuple[Parser, bytes, list[str]]] = {
    "cenc of no rows": (parse_cenc, spreadsheet(), []),
    "cenc of a header": (parse_cenc, spreadsheet(CENC_HEADER), []),
    "cenc without a header": (parse_cenc, spreadsheet(*CENC_ROWS), []),
    "cenc with columns in another order": (parse_cenc, spreadsheet(CENC_HEADER[::-1], *CENC_ROWS), []),
    "cenc with a row of five cells": (parse_cenc, spreadsheet(CENC_HEADER, CENC_ROWS[0], CENC_ROWS[1][:5]), ["3", "5"]),
    "cenc with a row of seven cells": (parse_cenc, spreadsheet(CENC_HEADER, (*CENC_ROWS[0], "x")), ["2", "7"]),
    "cenc with an empty row": (parse_cenc, spreadsheet(CENC_HEADER, CENC_ROWS[0], ()), []),
    "cenc with slashes": (parse_cenc, edited(CENC, CENC_TIME, b"2024/04/05 15:03:38"), []),
    "cenc of month 13": (parse_cenc, edited(CENC, CENC_TIME, b"2024-13-05 15:03:38"), []),
    "cenc of a day that is none": (parse_cenc, edited(CENC, CENC_TIME, b"2024-02-30 15:03:38"), []),
    "cenc of hour 24": (parse_cenc, edited(CENC, CENC_TIME, b"2024-04-05 24:03:38"), []),
    "cenc of no time": (parse_cenc, edited(CENC, CENC_TIME, b""), ["time"]),
    "cenc of the present": (parse_cenc, edited(CENC, CENC_TIME, b"now"), []),
    "cenc of today": (parse_cenc, edited(CENC, CENC_TIME, b"today"), []),
    "cenc of another millennium": (parse_cenc, edited(CENC, CENC_TIME, b"1024-04-05 15:03:38"), ["time"]),
    "cenc of the future": (parse_cenc, edited(CENC, CENC_TIME, b"9024-04-05 15:03:38"), ["time"]),
    "cenc of latitude 99": (parse_cenc, edited(CENC, b"40.83", b"99"), ["latitude", "99"]),
    "cenc of longitude 190": (parse_cenc, edited(CENC, b"84.10", b"190"), ["longitude", "190"]),
    "cenc of no magnitude": (parse_cenc, edited(CENC, b">3.6<", b"><"), ["magnitude"]),
    "cenc of magnitude 36": (parse_cenc, edited(CENC, b">3.6<", b">36<"), ["magnitude", "36"]),
    "cenc of a magnitude in words": (parse_cenc, edited(CENC, b">3.6<", b">strong<"), ["magnitude"]),
    "cenc in another encoding": (parse_cenc, CENC.replace(b"UTF-8", b"US-ASCII"), []),
    "cenc in an encoding that is none": (parse_cenc, CENC.replace(b"UTF-8", b"UTF-9"), []),
    "cenc in an encoding of several bytes": (parse_cenc, CENC.replace(b"UTF-8", b"GB18030"), []),
    "cenc as a page": (parse_cenc, b"<!DOCTYPE html><html><body><p>Not found</body></html>", []),
    "cenc of nothing": (parse_cenc, b"", []),
    "cenc of junk": (parse_cenc, bytes(range(256)), []),
    "cea without a column": (parse_cea, CEA.replace(b"\tmag\t", b"\tmagnitude\t"), ["mag"]),
    "cea with commas": (parse_cea, CEA.replace(b"\t", b","), []),
    "cea of a year in words": (parse_cea, edited(CEA, b"\t1976\t", b"\tunknown\t"), []),
    "cea of no year": (parse_cea, edited(CEA, b"\t1976\t", b"\t\t"), []),
    "cea of year 2976": (parse_cea, edited(CEA, b"\t1976\t", b"\t2976\t"), ["line 4", "year", "2976"]),
    "cea of month 13": (parse_cea, edited(CEA, CEA_TIME, b"1976\t13\t27\t19\t42\t54"), []),
    "cea of a day that is none": (parse_cea, edited(CEA, CEA_TIME, b"1976\t2\t30\t19\t42\t54"), []),
    "cea of hour 25": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t25\t42\t54"), []),
    "cea of hour -1": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t-1\t42\t54"), []),
    "cea of minute 61": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t19\t61\t54"), []),
    "cea of second 75": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t19\t42\t75"), []),
    "cea of second -5": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t19\t42\t-5"), []),
    "cea of an endless second": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t19\t42\tinf"), []),
    "cea of no second": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t19\t42\t"), ["line 4", "second"]),
    "cea of no hour": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t\t42\t54"), []),
    "cea of half an hour": (parse_cea, edited(CEA, CEA_TIME, b"1976\t7\t27\t19.5\t42\t54"), []),
    "cea of latitude 396": (parse_cea, edited(CEA, b"39.60", b"396"), ["latitude", "396"]),
    "cea of no longitude": (parse_cea, edited(CEA, b"118.20", b""), ["longitude"]),
    "cea of magnitude 78": (parse_cea, edited(CEA, b"7.80", b"78"), ["magnitude", "78"]),
    "cea cut in its last row": (parse_cea, CEA[: CEA.index(b"\t8.00")], ["line 7"]),
    "cea cut before a year": (parse_cea, CEA[: CEA.index(b"\t2008")], []),
    "cea of old events": (parse_cea, b"".join(CEA.splitlines(keepends=True)[:3]), []),
    "cea of a header": (parse_cea, CEA.splitlines(keepends=True)[0], []),
    "cea of nothing": (parse_cea, b"", []),
    "cea of junk": (parse_cea, bytes(range(256)) * 8, []),
    "iris without a column": (parse_iris, IRIS.replace(b",type,", b",kind,"), ["type"]),
    "iris of month 13": (parse_iris, edited(IRIS, IRIS_TIME, b"1992-13-28 11:57:34.130"), []),
    "iris of hour 25": (parse_iris, edited(IRIS, IRIS_TIME, b"1992-06-28 25:57:34.130"), []),
    "iris of no time": (parse_iris, edited(IRIS, IRIS_TIME, b""), ["time"]),
    "iris of the present": (parse_iris, edited(IRIS, IRIS_TIME, b"now"), []),
    "iris of today": (parse_iris, edited(IRIS, IRIS_TIME, b"today"), []),
    "iris of another century": (parse_iris, edited(IRIS, IRIS_TIME, b"1792-06-28 11:57:34.130"), ["time", "1792"]),
    "iris of latitude 342": (parse_iris, edited(IRIS, b"34.20", b"342"), ["latitude", "342"]),
    "iris of no longitude": (parse_iris, edited(IRIS, b"-116.44", b""), ["longitude"]),
    "iris of magnitude nan": (parse_iris, edited(IRIS, b",7.3,", b",nan,"), ["magnitude"]),
    "iris of magnitude 73": (parse_iris, edited(IRIS, b",7.3,", b",73,"), ["magnitude", "73"]),
    "iris cut in a row": (parse_iris, IRIS[: IRIS.index(b",-122.02")], ["line 4"]),
    "iris of more cells": (parse_iris, edited(IRIS, b"1093.0", b"1093.0,1,2"), []),
    "iris of a header": (parse_iris, IRIS.splitlines(keepends=True)[0], []),
    "iris of nothing": (parse_iris, b"", []),
    "iris of junk": (parse_iris, bytes(range(256)) * 8, []),
    "nshm of a year in words": (parse_nshm, edited(NSHM, NSHM_TIME, b"year  8 23 17 51  4.6"), []),
    "nshm of year 3011": (parse_nshm, edited(NSHM, NSHM_TIME, b"3011  8 23 17 51  4.6"), ["line 2", "year", "3011"]),
    "nshm of month 13": (parse_nshm, edited(NSHM, NSHM_TIME, b"2011 13 23 17 51  4.6"), []),
    "nshm of day 32": (parse_nshm, edited(NSHM, NSHM_TIME, b"2011  8 32 17 51  4.6"), []),
    "nshm of hour 25": (parse_nshm, edited(NSHM, NSHM_TIME, b"2011  8 23 25 51  4.6"), []),
    "nshm of minute 61": (parse_nshm, edited(NSHM, NSHM_TIME, b"2011  8 23 17 61  4.6"), []),
    "nshm of second 99": (parse_nshm, edited(NSHM, NSHM_TIME, b"2011  8 23 17 51 99."), []),
    "nshm of latitude 91": (parse_nshm, edited(NSHM, b"37.910", b"91.00"), ["latitude", "91"]),
    "nshm of longitude -277": (parse_nshm, edited(NSHM, b"-77.930", b"-277.9"), ["longitude", "-277.9"]),
    "nshm of a magnitude in words": (parse_nshm, edited(NSHM, b"5.80  -77", b"five  -77"), ["magnitude"]),
    "nshm of magnitude 58": (parse_nshm, edited(NSHM, b"5.80  -77", b"58.0  -77"), ["magnitude", "58"]),
    "nshm cut before a year": (parse_nshm, NSHM[: NSHM.index(b" 2008")], []),
    "nshm cut in a time": (parse_nshm, NSHM[: NSHM.index(b" 23 59")], []),
    "nshm of old events": (parse_nshm, NSHM.splitlines(keepends=True)[0], []),
    "nshm with commas": (parse_nshm, re.sub(rb" +", b",", NSHM), []),
    "nshm of nothing": (parse_nshm, b"", []),
    "nshm of junk": (parse_nshm, bytes(range(256)) * 8, []),
}


@pytest.mark.parametrize(("parse", "data", "named"), WRONG.values(), ids=WRONG)
def test_wrong_file_is_refused_by_name_and_reason(parse: Parser, data: bytes, named: list[str]) -> None:
    with pytest.raises(DataError) as refusal:
        parse(data, "catalogs/toy")
    assert [word for word in ["catalogs/toy", *named] if word not in str(refusal.value)] == []
    assert len(str(refusal.value)) > len("catalogs/toy: ")


def test_times_with_a_zone_are_read_or_refused_by_name() -> None:
    zoned = re.sub(rb"\.(\d{3}),", rb".\1Z,", IRIS)
    assert zoned.count(b"Z") == 3
    try:
        frame = parse_iris(zoned, "catalogs/toy").events
    except DataError as error:
        assert "catalogs/toy" in str(error)
    else:
        pd.testing.assert_frame_equal(frame, parse_iris(IRIS, "toy").events)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, len(CENC.rstrip()) - 1))
def test_spreadsheet_that_breaks_off_anywhere_is_refused(size: int) -> None:
    with pytest.raises(DataError, match="catalogs/toy"):
        parse_cenc(CENC[:size], "catalogs/toy")


JUNK = [b"\n", b",", b'"', b"-", b"e9", b"0", b"9", b"nan", b"inf", b"\x00", b"T", b"Z", b"\t", b" ", b".", b"<", b"&"]


def spoil(data: bytes, place: int, kind: str, junk: bytes) -> bytes:
    if kind == "cut":
        return data[:place]
    return data[:place] + junk + data[place + {"insert": 0, "replace": len(junk), "delete": 3}[kind] :]


@pytest.mark.parametrize("source", PARSERS)
@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(["cut", "insert", "replace", "delete"]),
            st.one_of(st.binary(max_size=3), st.sampled_from(JUNK)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_spoiled_bytes_are_refused_or_still_hold_every_invariant(
    source: str, changes: list[tuple[float, str, bytes]]
) -> None:
    parse, data = PARSERS[source]
    for share, kind, junk in changes:
        data = spoil(data, int(share * len(data)), kind, junk)
    try:
        frame = parse(data, "catalogs/toy").events
    except DataError as error:
        assert "catalogs/toy" in str(error)
        return
    assert_tidy(frame)


@pytest.mark.parametrize(("source", "years"), [("cea", ["1976", "1900", "1999", "2008"]), ("nshm", ["2011", "2008"])])
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("letter", ["O", "?"])
def test_event_is_never_lost_to_a_wrong_letter_in_its_year(
    source: str, years: list[str], place: int, letter: str
) -> None:
    """A year that nobody can read is not one before 1900."""
    parse, data = PARSERS[source]
    for year in years:
        wrong = f"{year[:place]}{letter}{year[place + 1 :]}".encode()
        with pytest.raises(DataError, match="catalogs/toy"):
            parse(edited(data, year.encode(), wrong), "catalogs/toy")


# Repeats


def events(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """Make a frame of events: seconds after a new year, latitude, longitude; magnitudes count them."""
    seconds, latitudes, longitudes = zip(*rows, strict=True) if rows else ((), (), ())
    start = pd.Timestamp("2010-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "time": pd.DatetimeIndex([start + pd.Timedelta(seconds=second) for second in seconds], tz="UTC"),
            "latitude": np.array(latitudes, dtype=float),
            "longitude": np.array(longitudes, dtype=float),
            "depth_km": 10.0,
            "magnitude": np.arange(len(seconds), dtype=float) / 100,
            "magnitude_type": "",
        }
    )


def kept(frame: pd.DataFrame) -> list[int]:
    """Return which events are left, by their place in the frame."""
    left = without_repeats(frame)
    assert left.index.tolist() == list(range(len(left)))
    return [round(100 * magnitude) for magnitude in left["magnitude"]]


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([(0, 30, 100), (10, 30.5, 100)], [0]),  # both borders are in
        ([(0, 30, 100), (10, 30, 99.5)], [0]),
        ([(0, 30, 100), (10.25, 30, 100)], [0, 1]),
        ([(0, 30, 100), (5, 30.75, 100)], [0, 1]),
        ([(0, 30, 100), (5, 30, 100.75)], [0, 1]),
        ([(0, 30, 100), (0, 30, 100), (0, 30, 100)], [0]),
        ([(0, 30, 100), (8, 30, 100), (16, 30, 100)], [0, 2]),  # what was left out makes no repeats
        ([(0, 30, 100), (1, 40, 100), (2, 30, 100), (3, 40, 100)], [0, 1]),  # others in between
        ([(0, 30, 100), (4, 30.5, 100), (6, 31, 100)], [0, 2]),
        ([(0, 30, 100)], [0]),
        ([], []),
    ],
)
def test_repeats_by_hand(rows: list[tuple[float, float, float]], left: list[int]) -> None:
    assert kept(events(*rows)) == left


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 160), st.integers(0, 6), st.integers(0, 6)), max_size=40))
def test_repeats_are_those_of_a_literal_loop(rows: list[tuple[int, int, int]]) -> None:
    """Times and places to a quarter, so that differences are exact and borders come up often."""
    frame = events(*sorted((time / 4, 30 + lat / 4, 100 + lon / 4) for time, lat, lon in rows))
    times, places = frame["time"].tolist(), frame[["latitude", "longitude"]].to_numpy()
    first: list[int] = []
    for event in range(len(frame)):
        for other in first:
            soon = times[event] - times[other] <= pd.Timedelta(seconds=10)
            if soon and (np.abs(places[event] - places[other]) <= 0.5).all():
                break
        else:
            first.append(event)
    assert kept(frame) == first


# Loading


Offer = Callable[[bytes], None]


def forget() -> None:
    """Forget catalogues that were read before, if they were: a test's own may not reach another test."""
    regional_catalogs._load.cache_clear()


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    """Stand in for the pinned files."""

    def put(data: bytes) -> None:
        forget()
        monkeypatch.setattr(sources, "read", lambda name, **options: data)

    yield put
    forget()


COMCAT = b"""\
time,latitude,longitude,depth,mag,magType,id,type
2011-03-11T05:46:24.120Z,38.297,142.373,29,9.1,mww,us1,earthquake
2011-03-11T05:46:30.000Z,38.3,142.4,29,7.0,mb,us2,earthquake
2011-03-11T06:15:40.280Z,36.281,141.111,42.6,7.9,mww,us3,earthquake
"""


@pytest.mark.parametrize("name", REGIONAL_CATALOGUES)
def test_each_catalogue_is_read_by_its_own_parser(offer: Offer, name: Any) -> None:
    own = {"cenc": CENC, "cea_mw": CEA, "iris_california": IRIS, "nshm_central_us": NSHM}
    offer(own.get(name, COMCAT))
    found = load_regional(name)
    expected = {"cenc": 3, "cea_mw": 4, "iris_california": 3, "nshm_central_us": 3}
    assert_tidy(found.events)
    # ComCat's lists have a repeat here, the others events before 1900.
    left_out = {"cenc": 0, "cea_mw": 2, "iris_california": 0}
    assert (found.name, len(found.events), found.left_out) == (name, expected.get(name, 2), left_out.get(name, 1))
    assert found.files == {FILES[name]: data_file(FILES[name]).sha256}
    assert found.threshold == THRESHOLDS[name]


def test_repeats_are_counted_and_the_first_is_kept(offer: Offer) -> None:
    offer(COMCAT)
    found = load_regional("comcat_japan_m4")
    assert found.events["magnitude"].tolist() == [9.1, 7.9]
    assert found.left_out == 1


def test_unknown_catalogue_is_refused_with_the_known_names() -> None:
    with pytest.raises(ParameterError) as refusal:
        load_regional("jma")  # type: ignore[arg-type]
    assert [name for name in ("jma", *REGIONAL_CATALOGUES) if name not in str(refusal.value)] == []


def test_spoiled_file_is_refused_under_the_name_of_the_registry(offer: Offer) -> None:
    offer(b"")
    for name in REGIONAL_CATALOGUES:
        with pytest.raises(DataError, match=re.escape(FILES[name])):
            load_regional(name)


def test_each_catalogue_has_a_pinned_file_and_a_threshold() -> None:
    assert set(FILES) == set(THRESHOLDS) == set(REGIONAL_CATALOGUES)
    assert set(FILES.values()) <= set(data_files())
    assert len(set(FILES.values())) == len(FILES)


NEVADA, LOP_NOR = (37.1, -116.1), (41.6, 88.7)


@pytest.mark.parametrize(
    ("time", "place", "left_out"),
    [
        ("1992-09-23T15:04:00", NEVADA, True),  # the last of Nevada
        ("1992-09-24T00:00:00", NEVADA, False),
        ("1968-04-26T15:00:00", (36.9, -116.65), True),  # borders are in
        ("1968-04-26T15:00:00", (36.89, -116.1), False),
        ("1968-04-26T15:00:00", (37.1, -115.79), False),
        ("1992-06-29T10:14:22", (36.714, -116.307), False),  # Little Skull Mountain, an earthquake beside the site
        ("1996-07-29T01:49:00", LOP_NOR, True),  # the last of Lop Nor
        ("1996-07-30T00:00:00", LOP_NOR, False),
        ("1992-09-25T07:59:59", LOP_NOR, True),
        ("1992-09-25T07:59:59", NEVADA, False),
    ],
)
def test_nuclear_tests_are_left_out_until_the_last_one(time: str, place: tuple[float, float], left_out: bool) -> None:
    frame = events((0, 30, 100), (1, *place), (2, 31, 100))
    frame["time"] = pd.DatetimeIndex(["1960-01-01T00:00:00", time, "2020-01-01T00:00:00"], tz="UTC")
    left = without_nuclear_tests(frame)
    assert left["latitude"].tolist() == ([30, 31] if left_out else [30, place[0], 31])
    assert left.index.tolist() == list(range(len(left)))


# The real files


@pytest.mark.data
@pytest.mark.parametrize("name", REGIONAL_CATALOGUES)
def test_large_events_begin_at_no_quarter_of_an_hour_more_often_than_others(name: RegionalCatalogueName) -> None:
    """Explosions are set off on the hour: in what California's list has from Nevada, three in four are."""
    found = load_regional(name, network=False).events
    for _, decade in found.groupby(found["time"].dt.year // 10):
        large = decade[decade["magnitude"] >= decade["magnitude"].quantile(0.9)]
        at_quarters = int((large["time"].dt.minute % 15 == 0).sum())
        assert at_quarters <= stats.binom.ppf(1 - 1e-5, len(large), 1 / 15), (name, len(large), at_quarters)


@cache
def real(name: RegionalCatalogueName) -> Catalogue:
    return load_regional(name, network=False)


def raw_times(name: RegionalCatalogueName) -> list[str]:
    """Return what the file says of each event's time, from 1900 on and with a day, read without the library."""
    path = Path(os.environ["REPRODUCE_DATA"]) / FILES[name]
    if name == "cenc":
        return re.findall(r">(\d{4}-\d+-\d+ \d+:\d+:\d+)</Data>", path.read_text(encoding="utf-8"))
    if name == "nshm_central_us":
        years = [line.split()[4] for line in path.read_text(encoding="latin-1").splitlines() if line.strip()]
        return [year for year in years if int(year) >= 1900]
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t" if name == "cea_mw" else ","))
    if name == "cea_mw":
        return [row["year"] for row in rows if int(row["year"]) >= 1900 and row["month"] != "0" and row["day"] != "0"]
    if name == "iris_california":
        return [row["datetime"] for row in rows]
    return [row["time"] for row in rows if row["type"] == "earthquake"]


@pytest.mark.data
@pytest.mark.parametrize("name", REGIONAL_CATALOGUES)
def test_events_of_a_real_file_are_kept_or_counted_as_left_out(name: RegionalCatalogueName) -> None:
    found, times = real(name), raw_times(name)
    assert_tidy(found.events)
    # Counted in the files by hand: before 1900, or of no known day.
    beyond = {"cea_mw": 934, "nshm_central_us": 1811}.get(name, 0)
    assert len(found.events) + found.left_out == len(times) + beyond > 2000
    assert len(times) - len(found.events) < 0.02 * len(times)
    years = {int(time[:4]) for time in times}
    assert {found.events["time"].dt.year.min(), found.events["time"].dt.year.max()} <= {
        min(years) - 1,  # New Year's morning of Beijing is the old year's evening in UTC
        min(years),
        max(years),
    }


@pytest.mark.data
@pytest.mark.parametrize("name", REGIONAL_CATALOGUES)
def test_no_event_of_a_real_file_lies_much_below_its_threshold(name: RegionalCatalogueName) -> None:
    """A compiler may keep a few smaller ones: not one in ten."""
    magnitudes = np.round(real(name).events["magnitude"], 1)
    assert (magnitudes < THRESHOLDS[name]).mean() < 0.1


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "time", "place", "magnitude"),
    [
        ("cea_mw", "2008-05-12T06:28:00", (31.0, 103.4), 7.9),  # Wenchuan
        ("cea_mw", "1976-07-27T19:42:54", (39.6, 118.2), 7.6),  # Tangshan
        ("cenc", "2013-04-20T00:02:46", (30.3, 103.0), 7.0),  # Lushan
        ("cenc", "2021-05-21T18:04:11", (34.6, 98.3), 7.4),  # Maduo
        ("comcat_japan_m4", "2011-03-11T05:46:24", (38.3, 142.4), 9.1),  # Tohoku
        ("comcat_japan_m45", "1995-01-16T20:46:52", (34.6, 135.0), 6.9),  # Kobe
        ("comcat_philippines", "1990-07-16T07:26:34", (15.7, 121.2), 7.7),  # Luzon
        ("iris_california", "1992-06-28T11:57:34", (34.2, -116.4), 7.3),  # Landers
        ("iris_california", "1989-10-18T00:04:15", (37.0, -121.9), 6.9),  # Loma Prieta
        ("nshm_central_us", "2011-08-23T17:51:04", (37.9, -77.9), 5.8),  # Mineral, Virginia
        ("nshm_central_us", "2008-04-18T09:37:00", (38.5, -87.9), 5.2),  # Mount Carmel, Illinois
    ],
)
def test_great_earthquakes_happen_when_and_where_the_world_knows_them(
    name: RegionalCatalogueName, time: str, place: tuple[float, float], magnitude: float
) -> None:
    """An hour's shift, a local time or exchanged columns would lose them."""
    frame = real(name).events
    near = (
        ((frame["time"] - pd.Timestamp(time, tz="UTC")).abs() < pd.Timedelta(minutes=1))
        & ((frame["latitude"] - place[0]).abs() < 0.7)
        & ((frame["longitude"] - place[1]).abs() < 0.7)
    )
    assert near.sum() == 1
    assert frame["magnitude"][near].iloc[0] == pytest.approx(magnitude, abs=0.4)


@pytest.mark.data
@pytest.mark.parametrize("name", REGIONAL_CATALOGUES)
def test_depths_of_a_real_file_are_kilometres(name: RegionalCatalogueName) -> None:
    depths = real(name).events["depth_km"].dropna()
    assert len(depths) > 0.4 * len(real(name).events)
    assert 0.5 < depths.median() < 60
    assert depths.max() < 800
