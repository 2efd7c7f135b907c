"""Catalogues of several agencies in their own formats, as tidy frames: China, Japan, California, the central US.

Each is what one agency, or one compiler, calls an earthquake's magnitude; they are never mixed.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Literal, NamedTuple, get_args
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd
from defusedxml import ElementTree

from reproduce_lib.data import sources
from reproduce_lib.data.catalogs import (
    COLUMNS,
    EARLIEST,
    PHILIPPINES_M3,
    Box,
    Catalogue,
    check_events,
    parse_comcat,
)
from reproduce_lib.data.registry import data_file
from reproduce_lib.data.text_tables import numbers, read_fields, read_table, refuse, times
from reproduce_lib.errors import DataError, ParameterError

RegionalCatalogueName = Literal[
    "cenc", "cea_mw", "comcat_japan_m4", "comcat_japan_m45", "comcat_philippines", "iris_california", "nshm_central_us"
]
REGIONAL_CATALOGUES: tuple[RegionalCatalogueName, ...] = get_args(RegionalCatalogueName)

FILES: dict[RegionalCatalogueName, str] = {
    "cenc": "catalogs/cenc_world_2012_2024.xls",
    "cea_mw": "catalogs/cea_china_mw_to_2016.txt",
    "comcat_japan_m4": "catalogs/comcat_japan_m4_2000_2021.csv",
    "comcat_japan_m45": "catalogs/comcat_japan_m45_1975_2021.csv",
    "comcat_philippines": PHILIPPINES_M3,
    "iris_california": "catalogs/iris_california_m3_1960_2023.csv",
    "nshm_central_us": "catalogs/nshm_central_us_mw_to_2022.c2",
}
# The smallest magnitude that each was asked for, or that its compiler kept; cenc's list promises nothing and holds some
# smaller events of China too.
THRESHOLDS: dict[RegionalCatalogueName, float] = {
    "cenc": 3.0,
    "cea_mw": 3.0,
    "comcat_japan_m4": 4.0,
    "comcat_japan_m45": 4.5,
    "comcat_philippines": 3.0,
    "iris_california": 3.0,
    "nshm_central_us": 1.0,
}
# Two entries this near to one another are taken to be one earthquake, listed by two agencies.
SAME_SECONDS = 10.0
SAME_DEGREES = 0.5
# Where nuclear weapons were tested underground, and the day of the last test: lists without a type of event have them.
TEST_SITES = (
    (Box(36.9, 37.5, -116.65, -115.8), datetime(1992, 9, 23, tzinfo=UTC)),  # Nevada
    (Box(41.2, 41.9, 88.0, 89.2), datetime(1996, 7, 29, tzinfo=UTC)),  # Lop Nor
)
# How the catalogue of China writes a depth that is not known.
UNKNOWN_DEPTH = -1.0
METRES_PER_KM = 1000.0

_SPREADSHEET = "{urn:schemas-microsoft-com:office:spreadsheet}"
_CENC_HEADER = ["发震时刻", "震级(M)", "纬度(°)", "经度(°)", "深度(千米)", "参考位置"]
_BEIJING = timezone(timedelta(hours=8))
# What each part of a time may be; a second of 60 is written for a leap second, or for the next minute.
_RANGES = {
    "year": (0, 2100), "month": (0, 12), "day": (0, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 60),
}  # fmt: skip


class Listing(NamedTuple):
    """Events as a file lists them, in order of time, and how many of its events were left out."""

    events: pd.DataFrame
    left_out: int


def load_regional(name: RegionalCatalogueName, *, network: bool = True) -> Catalogue:
    """Return a catalogue with all its events; `Catalogue.inside` cuts a region out.

    ``left_out`` counts repeats, events before 1900 and of no known day, and what happened on a site of nuclear tests
    until its last one, most of which were explosions.

    Raises
    ------
    MissingDataError
        If its file cannot be had.
    DataError
        If its file is not the pinned one or not what it should hold.
    """
    if name not in REGIONAL_CATALOGUES:
        raise ParameterError(
            f"unknown catalogue {name!r}; allowed values are {', '.join(map(repr, REGIONAL_CATALOGUES))}"
        )
    catalogue = _load(name, network)
    return replace(catalogue, events=catalogue.events.copy())


@cache
def _load(name: RegionalCatalogueName, network: bool) -> Catalogue:
    file = FILES[name]
    parsers: dict[str, Callable[[bytes, str], Listing]] = {
        "cenc": parse_cenc,
        "cea_mw": parse_cea,
        "iris_california": parse_iris,
        "nshm_central_us": parse_nshm,
    }
    data = sources.read(file, network=network)
    listed, left_out = parsers[name](data, file) if name in parsers else Listing(parse_comcat(data, file), 0)
    events = without_nuclear_tests(without_repeats(listed))
    left_out += len(listed) - len(events)
    return Catalogue(name, events[COLUMNS], THRESHOLDS[name], left_out, {file: data_file(file).sha256})


def parse_cenc(data: bytes, name: str) -> Listing:
    """Read the China Earthquake Networks Center's event list, a spreadsheet in XML with times of Beijing (UTC+8)."""
    rows: list[list[str]] = []
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(data), forbid_dtd=True):
            if element.tag == f"{_SPREADSHEET}Row":
                rows.append([cell.text or "" for cell in element.iter(f"{_SPREADSHEET}Data")])
                element.clear()
    except (ParseError, LookupError, ValueError) as error:
        raise DataError(f"{name}: not a spreadsheet in XML: {error}") from error
    if not rows or rows[0] != _CENC_HEADER:
        raise DataError(f"{name}: the first row is {rows[:1]}, not {_CENC_HEADER}")
    if wrong := [number for number, row in enumerate(rows, start=1) if len(row) != len(_CENC_HEADER)]:
        raise DataError(f"{name}: row {wrong[0]} has {len(rows[wrong[0] - 1])} cells")
    columns = ["time", "magnitude", "latitude", "longitude", "depth_km", "place"]
    table = pd.DataFrame(rows[1:], columns=columns, index=pd.RangeIndex(2, len(rows) + 1, name="row"), dtype=str)
    table = table.mask(table == "")
    local = times(table, "time", name, pattern="%Y-%m-%d %H:%M:%S", utc=False)
    return Listing(_frame(table, local.dt.tz_localize(_BEIJING).dt.tz_convert("UTC"), name, magnitude_type="M"), 0)


def parse_cea(data: bytes, name: str) -> Listing:
    """Read the catalogue of China with magnitudes converted to Mw: tabs, UTC.

    Events before 1900, and those of which no day is known (written as month or day 0), are left out.
    """
    columns = ["id", "year", "month", "day", "hour", "min", "sec", "lat", "lon", "mag", "depth"]
    table = read_table(data, name, columns, separator="\t")
    names = {"lat": "latitude", "lon": "longitude", "mag": "magnitude", "depth": "depth_km", "min": "minute"}
    table = table.rename(columns={**names, "sec": "second"})
    parts = _parts(table, name)
    undated = (parts["month"] == 0) | (parts["day"] == 0)
    kept = (parts["year"] >= EARLIEST.year) & ~undated
    frame = _frame(table[kept], _assembled(parts[kept], name), name, magnitude_type="Mw converted")
    frame.loc[frame["depth_km"] == UNKNOWN_DEPTH, "depth_km"] = np.nan
    return Listing(frame, int((~kept).sum()))


def parse_iris(data: bytes, name: str) -> Listing:
    """Read an export of the IRIS event service: UTC, depths in metres, magnitudes of several agencies."""
    table = read_table(data, name, ["datetime", "lat", "lon", "depth", "mag", "type"])
    table = table.rename(columns={"lat": "latitude", "lon": "longitude", "mag": "magnitude", "depth": "depth_km"})
    return Listing(
        _frame(
            table,
            times(table, "datetime", name),
            name,
            magnitude_type=table["type"].fillna(""),
            depth_divisor=METRES_PER_KM,
        ),
        0,
    )


def parse_nshm(data: bytes, name: str) -> Listing:
    """Read a catalogue of the US hazard model: columns of numbers, Mw first; events before 1900 are left out."""
    columns = ["magnitude", "longitude", "latitude", "depth_km", "year", "month", "day", "hour", "minute", "second"]
    table = read_fields(data, name, columns)
    parts = _parts(table, name)
    kept = parts["year"] >= EARLIEST.year
    frame = _frame(table[kept], _assembled(parts[kept], name), name, magnitude_type="Mw")
    return Listing(frame, int((~kept).sum()))


def without_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out entries within 10 s and half a degree of a kept one, of which the first in time is kept.

    Parameters
    ----------
    frame : events in order of time
    """
    seconds = frame["time"].dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64) / 1e3
    latitude, longitude = frame["latitude"].to_numpy(), frame["longitude"].to_numpy()
    near = np.flatnonzero(np.diff(seconds, prepend=-np.inf) <= SAME_SECONDS)
    repeated = np.zeros(len(frame), dtype=bool)
    for event in near:
        other = event - 1
        while other >= 0 and seconds[event] - seconds[other] <= SAME_SECONDS and not repeated[event]:
            apart = max(abs(latitude[event] - latitude[other]), abs(longitude[event] - longitude[other]))
            repeated[event] = apart <= SAME_DEGREES and not repeated[other]
            other -= 1
    return frame[~repeated].reset_index(drop=True)


def without_nuclear_tests(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out what happened on each of `TEST_SITES` until the end of the day of its last test."""
    tested = np.zeros(len(frame), dtype=bool)
    for site, last_day in TEST_SITES:
        inside = frame["latitude"].between(site.south, site.north) & frame["longitude"].between(site.west, site.east)
        tested |= (inside & (frame["time"] < last_day + timedelta(days=1))).to_numpy()
    return frame[~tested].reset_index(drop=True)


def _parts(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the parts of times as numbers, or refuse what is none."""
    columns = ["year", "month", "day", "hour", "minute", "second"]
    parts = pd.DataFrame({column: numbers(table, column, name) for column in columns})
    for column in columns:
        good = parts[column].notna() & ((parts[column] == parts[column].round()) | (column == "second"))
        refuse(table[column], ~(good & parts[column].between(*_RANGES[column])), name, f"no {column}")
    return parts


def _assembled(parts: pd.DataFrame, name: str) -> pd.Series:
    """Put times together from their parts, UTC; a second of 60 belongs to the next minute."""
    columns = ["year", "month", "day", "hour", "minute"]
    minutes = pd.to_datetime(parts[columns].astype(int), utc=True, errors="coerce")
    refuse(parts["day"], minutes.isna(), name, "no day of that month")
    times: pd.Series = minutes + pd.to_timedelta(parts["second"], unit="s")
    return times


def _frame(
    table: pd.DataFrame, times: pd.Series, name: str, *, magnitude_type: str | pd.Series, depth_divisor: float = 1.0
) -> pd.DataFrame:
    """Give columns their types, and refuse an event without time, place or magnitude, or with an impossible one."""
    values = {column: numbers(table, column, name) for column in ("latitude", "longitude", "depth_km", "magnitude")}
    values["depth_km"] /= depth_divisor
    frame = pd.DataFrame({"time": times, **values, "magnitude_type": magnitude_type})
    check_events(frame, name)
    return frame.sort_values("time", kind="stable", ignore_index=True)
