"""Earthquake catalogues: tidy frames out of pinned files, checked, and what their joins agree on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from reproduce_lib.data import sources
from reproduce_lib.data.archives import expand_gzip
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.text_tables import numbers, read_table, refuse, times
from reproduce_lib.errors import DataError, ParameterError

CatalogueName = Literal["comcat", "comcat_m5", "phivolcs"]
CATALOGUES: tuple[CatalogueName, ...] = get_args(CatalogueName)

COLUMNS = ["time", "latitude", "longitude", "depth_km", "magnitude", "magnitude_type"]
EARLIEST, LATEST = pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")
SMALLEST_MAGNITUDE, LARGEST_MAGNITUDE = -2.0, 10.0
# From above the highest mountain to the foot of the mantle: bulletins list depths at which no earthquake is known.
HIGHEST_KM, DEEPEST_KM = -10.0, 2900.0

PHILIPPINES_M3 = "catalogs/comcat_philippines_m3_1979_2019.csv"
WORLD_M5 = "catalogs/comcat_world_m5_2015_2025.csv"
PHILIPPINES_M5 = "packages/comcat_philippines_m5.csv.gz"
PHIVOLCS = "catalogs/phivolcs_monthly/"
# The M 3 file was downloaded on 2019-11-07, before the magnitudes of the last weeks were final.
JOIN = pd.Timestamp("2019-10-01", tz="UTC")
# Catalogues revise a magnitude now and then by a tenth; floating point writes 0.1 as a little more.
JOIN_TOLERANCE = 0.11
# Share of the larger events of either file that the other has to know in the time that both cover.
JOIN_SHARE = 0.95
COMMON_THRESHOLD = 5.0


@dataclass(frozen=True)
class Box:
    """A box of latitudes (degrees north) and longitudes (degrees east), edges included."""

    south: float
    north: float
    west: float
    east: float

    def contains(self, frame: pd.DataFrame) -> pd.Series:
        """Tell of each event whether it lies in the box."""
        return frame["latitude"].between(self.south, self.north) & frame["longitude"].between(self.west, self.east)


# The extent of the M 3 file, found on the years that it shares with a world catalogue: the larger events inside
# are in both, those just outside are in the world's alone.
PHILIPPINES = Box(4.6, 19.05, 117.0, 130.0)
# All islands, those north of the M 3 file's extent too.
ALL_ISLANDS = Box(4.0, 21.0, 117.0, 130.0)
# The islands have no printed borders either: bands of latitude that put each main island into its own group. A box
# has its edges, and an event on a border is to be in one area only.
_SOUTH_BORDER, _NORTH_BORDER = 9.5, 12.5
AREAS = {
    "whole": PHILIPPINES,
    "luzon": replace(PHILIPPINES, south=float(np.nextafter(_NORTH_BORDER, 90))),
    "visayas": replace(PHILIPPINES, south=_SOUTH_BORDER, north=_NORTH_BORDER),
    "mindanao": replace(PHILIPPINES, north=float(np.nextafter(_SOUTH_BORDER, 0))),
}


@dataclass(frozen=True)
class Catalogue:
    """Earthquakes in order of time.

    Attributes
    ----------
    name : which catalogue
    events : columns time (UTC), latitude, longitude (degrees), depth_km, magnitude, magnitude_type
    threshold : smallest magnitude that the files were asked for
    left_out : rows of the files that name no place on Earth, or stand twice
    files : file name -> SHA-256 of what was read
    """

    name: str
    events: pd.DataFrame
    threshold: float
    left_out: int
    files: dict[str, str]

    def inside(self, box: Box) -> Catalogue:
        """Return the events of a box."""
        chosen = self.events[box.contains(self.events)].reset_index(drop=True)
        return Catalogue(self.name, chosen, self.threshold, self.left_out, self.files)


def load_catalogue(name: CatalogueName, *, network: bool = True) -> Catalogue:
    """Return a catalogue of the Philippines.

    ``comcat`` is USGS ComCat from M 3, from 2019-10 on from M 5; ``comcat_m5`` the same agency's events from
    M 5 as a package of the package index carries them; ``phivolcs`` the bulletins of the national agency.

    Raises
    ------
    MissingDataError
        If a file cannot be had.
    DataError
        If a file is not the pinned one or not what it should hold.
    """
    if name not in CATALOGUES:
        raise ParameterError(f"unknown catalogue {name!r}; allowed values are {', '.join(map(repr, CATALOGUES))}")
    loaders = {"comcat": _load_comcat, "comcat_m5": _load_comcat_m5, "phivolcs": _load_phivolcs}
    return loaders[name](network)


def load_larger_events(name: CatalogueName, box: Box, *, network: bool = True) -> Catalogue:
    """Return the events from M 5 on in a box that may be larger than that of `load_catalogue`.

    ``comcat`` then begins in 2015, where a file of the world does, and ``comcat_m5`` holds what lies between
    4 and 21°N and west of 128°E.
    """
    if name == "phivolcs":
        found = _load_bulletins(network)
    else:
        file = {"comcat": WORLD_M5, "comcat_m5": PHILIPPINES_M5}[name]
        data = sources.read(file, network=network)
        events = parse_comcat(expand_gzip(data, file) if name == "comcat_m5" else data, file)
        found = Catalogue(name, events[COLUMNS], COMMON_THRESHOLD, 0, _hashes([file]))
    larger = found.events[found.events["magnitude"] >= COMMON_THRESHOLD]
    return replace(found, events=larger, threshold=COMMON_THRESHOLD).inside(box)


def catalogue_files(name: CatalogueName) -> list[str]:
    """Return the names of the pinned files behind a catalogue."""
    bulletins = [file for file in data_files() if file.startswith(PHIVOLCS)]
    return {"comcat": [PHILIPPINES_M3, WORLD_M5], "comcat_m5": [PHILIPPINES_M5], "phivolcs": bulletins}[name]


def parse_comcat(data: bytes, name: str, *, revised: bool = False) -> pd.DataFrame:
    """Read an export of ComCat in CSV into a tidy frame, without explosions and the like, and without repeated rows.

    Parameters
    ----------
    revised : whether an event may stand there in two versions, of which the first is kept

    Raises
    ------
    DataError
        With the file and the reason: not a table, a column missing, a row without time, place or magnitude.
    """
    columns = ["time", "latitude", "longitude", "depth", "mag", "magType"]
    table = read_table(data, name, columns, others=("type", "id"))
    if "type" in table.columns:
        refuse(table["type"], table["type"].isna(), name, "no type of an event")
        table = table[table["type"] == "earthquake"]
    frame = _tidy(table, name, time="time", depth="depth", magnitude="mag", magnitude_type="magType")
    if "id" in table.columns:
        frame = frame.assign(id=table["id"]).drop_duplicates("id" if revised else None)
        refuse(frame["id"], frame["id"].isna() | frame["id"].duplicated(), name, "no id, or that of another event")
    check_events(frame, name)
    return frame.sort_values("time", kind="stable", ignore_index=True)


def parse_phivolcs(data: bytes, name: str) -> tuple[pd.DataFrame, int]:
    """Read a month of bulletins into a tidy frame, and count the rows left out.

    A bulletin is typed by hand: a row whose place is no place on Earth is left out, and so is a repeated row.
    The times are UTC, a file is a month of Philippine time (UTC+8).
    """
    columns = ["datetime", "lat", "lon", "depth_km", "mag", "mag_type"]
    table = read_table(data, name, columns, encoding="latin-1").rename(columns={"lat": "latitude", "lon": "longitude"})
    frame = _tidy(table, name, time="datetime", depth="depth_km", magnitude="mag", magnitude_type="mag_type")
    somewhere = frame["latitude"].between(-90, 90) & frame["longitude"].between(-180, 180)
    kept = frame[somewhere].drop_duplicates(["time", "latitude", "longitude", "magnitude"])
    check_events(kept, name)
    return kept.sort_values("time", kind="stable", ignore_index=True), len(frame) - len(kept)


def check_join(first: pd.DataFrame, second: pd.DataFrame, names: str) -> None:
    """Refuse to join two exports of one catalogue that disagree where both should hold the same events."""
    for one, other in ((first, second), (second, first)):
        known = one["id"].isin(other["id"])
        if not known.mean() >= JOIN_SHARE:
            raise DataError(f"{names}: only {known.sum()} of {len(one)} events of the one are in the other")
    both = first.merge(second, on="id", suffixes=("", "_other"))
    apart = (both["magnitude"] - both["magnitude_other"]).abs()
    if not (apart <= JOIN_TOLERANCE).all():
        raise DataError(f"{names}: magnitudes of an event differ by {apart.max():.1f}")


def _load_comcat(network: bool) -> Catalogue:
    parts = {name: parse_comcat(sources.read(name, network=network), name) for name in (PHILIPPINES_M3, WORLD_M5)}
    early, late = parts[PHILIPPINES_M3], parts[WORLD_M5]
    late = late[PHILIPPINES.contains(late)]
    begin = late["time"].min()
    shared = [
        part[part["time"].between(begin, JOIN, inclusive="left") & (part["magnitude"] >= COMMON_THRESHOLD)]
        for part in (early, late)
    ]
    check_join(shared[0], shared[1], f"{PHILIPPINES_M3} and {WORLD_M5}")
    joined = pd.concat([early[early["time"] < JOIN], late[late["time"] >= JOIN]], ignore_index=True)
    return Catalogue("comcat", joined[COLUMNS], 3.0, 0, _hashes(parts))


def _load_comcat_m5(network: bool) -> Catalogue:
    events = parse_comcat(expand_gzip(sources.read(PHILIPPINES_M5, network=network), PHILIPPINES_M5), PHILIPPINES_M5)
    inside = events[PHILIPPINES.contains(events)].reset_index(drop=True)
    return Catalogue("comcat_m5", inside[COLUMNS], COMMON_THRESHOLD, 0, _hashes([PHILIPPINES_M5]))


def _load_phivolcs(network: bool) -> Catalogue:
    return _load_bulletins(network).inside(PHILIPPINES)


def _load_bulletins(network: bool) -> Catalogue:
    names = catalogue_files("phivolcs")
    months = [parse_phivolcs(sources.read(name, network=network), name) for name in names]
    events = pd.concat([month for month, _ in months]).sort_values("time", kind="stable", ignore_index=True)
    left_out = sum(count for _, count in months)
    return Catalogue("phivolcs", events[COLUMNS], 1.0, left_out, _hashes(names))


def _hashes(names: Iterable[str]) -> dict[str, str]:
    return {name: data_file(name).sha256 for name in names}


def _tidy(
    table: pd.DataFrame, name: str, *, time: str, depth: str, magnitude: str, magnitude_type: str
) -> pd.DataFrame:
    """Give columns their names and types; the index stays the line of the file."""
    columns = {"latitude": "latitude", "longitude": "longitude", "depth_km": depth, "magnitude": magnitude}
    values = {new: numbers(table, old, name) for new, old in columns.items()}
    return pd.DataFrame(
        {"time": times(table, time, name), **values, "magnitude_type": table[magnitude_type].fillna("")}
    )


def check_events(frame: pd.DataFrame, name: str) -> None:
    """Refuse a frame with an event that has no time, place or magnitude, or an impossible one, or an impossible depth.

    Parameters
    ----------
    frame : the index, by its name, says where in the file an event stands
    """
    if frame.empty:
        raise DataError(f"{name}: no earthquake")
    right = {
        "time": frame["time"].between(EARLIEST, LATEST),
        "latitude": frame["latitude"].between(-90, 90),
        "longitude": frame["longitude"].between(-180, 180),
        "depth_km": frame["depth_km"].isna() | frame["depth_km"].between(HIGHEST_KM, DEEPEST_KM),
        "magnitude": frame["magnitude"].between(SMALLEST_MAGNITUDE, LARGEST_MAGNITUDE),
    }
    for column, good in right.items():
        if not good.all():
            first = int(np.flatnonzero(~good.to_numpy())[0])
            place = f"{frame.index.name or 'event'} {frame.index[first]}"
            raise DataError(f"{name}: {place}: an earthquake with the {column} {frame[column].iloc[first]}")
