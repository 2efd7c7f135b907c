"""The AETA network of Sichuan and Yunnan: its areas, stations and earthquakes, and weekly statistics of its features.

AETA stations measure electromagnetic and geoacoustic signals; every ten minutes each gives 51 and 44 features. The
weekly rows pool a week and all stations of an area. The areas are cells of a grid, numbered row by row from the
north-west; the south-eastern one is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.catalogs import Box, check_events
from reproduce_lib.data.registry import data_file
from reproduce_lib.data.text_tables import finite_values, numbers, read_table, read_wide_table, refuse
from reproduce_lib.errors import DataError

Part = Literal["train", "valid"]
PARTS: tuple[Part, ...] = get_args(Part)
AREAS = 8
LONGITUDES = (98, 101, 104, 107)
LATITUDES = (34, 30, 26, 22)
REGION = Box(22, 34, 98, 107)
# Day 1 of each part.
FIRST_DAYS: dict[Part, pd.Timestamp] = {"train": pd.Timestamp("2016-10-01"), "valid": pd.Timestamp("2020-04-01")}
# The classes of the competition: no earthquake of M 3.5 or more, then from each of these magnitudes on.
CLASS_EDGES = (3.5, 4.0, 4.5, 5.0)
CLASSES = 5
ROUNDING = 0.001
WEEK = pd.Timedelta(days=7)
# The week that a label is of begins with the second day after the window's last: a day lies between.
LABEL_LAG = pd.Timedelta(days=2)
DAY = pd.Timedelta(days=1)
# Days up to a century from the first one.
LAST_DAY = 36_500
LARGEST_MAGNITUDE = 10.0
# Times from 1970 on that a calendar has.
LAST_SECOND = 4_000_000_000

STATISTICS = (
    "day_max_mean", "day_min_mean", "day_mean_max", "day_mean_min", "mean", "max", "min", "max_min",
    "lastday_mean", "lastday_max", "lastday_min", "lastday_max_min",
)  # fmt: skip
MODALITIES = ("magn", "sound")
# The statistic of which there is one value for each feature whatever its name, see `load_weeks`.
MEAN = "mean"
STATIONS, EVENTS = "aeta/stations.csv", "aeta/events_m35_100km.csv"
# How far Chinese local time is ahead of UTC.
LOCAL = pd.Timedelta(hours=8)


@dataclass(frozen=True)
class Weeks:
    """Weekly rows of all areas, area by area in order of time.

    Attributes
    ----------
    rows : columns area (0 to 7), part (train or valid), last_day (the window's, local time), label_magnitude (the
        largest M >= 3.5 of the week that the label is of, 0 for none)
    values : shape (rows, columns)
    columns : ``<feature>_<statistic>_<modality>``
    files : file name -> SHA-256 of what was read
    """

    rows: pd.DataFrame
    values: NDArray[np.float64]
    columns: tuple[str, ...]
    files: dict[str, str]

    def means(self) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Return the weekly mean of each of the 95 features, and their names; differences of features left out."""
        chosen = [
            number
            for number, column in enumerate(self.columns)
            if _feature_of_mean(column) is not None and not column.startswith("diff_1_")
        ]
        return self.values[:, chosen], tuple(self.columns[number] for number in chosen)


def load_weeks(*, network: bool = True) -> Weeks:
    """Return the weekly rows of all areas and both parts.

    The files name 97 features (95, and the difference of a mean for each modality) by 12 statistics; two of the 1164
    columns have one name, of which the files hold one.

    Raises
    ------
    MissingDataError
        If a file cannot be had.
    DataError
        If a file is not what it should be.
    """
    return _load_weeks(network)


@cache
def _load_weeks(network: bool) -> Weeks:
    tables, files = [], {}
    for area in range(AREAS):
        for part in PARTS:
            name = f"aeta/weekly/area_{area}_{part}.csv"
            tables.append(parse_weeks(sources.read(name, network=network), name, area, part))
            files[name] = data_file(name).sha256
    columns = tables[0][1].columns
    for table, own in tables:
        if list(own.columns) != list(columns):
            raise DataError(f"area {table['area'].iloc[0]}: its columns are not those of the first area")
    rows = pd.concat([table for table, _ in tables], ignore_index=True)
    values = np.concatenate([own.to_numpy(dtype=float) for _, own in tables])
    values.setflags(write=False)
    return Weeks(rows, values, tuple(columns), files)


def parse_weeks(data: bytes, name: str, area: int, part: Part) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read one area's file into its rows and its values, both in order of time."""
    table = read_wide_table(data, name).iloc[:, 1:]
    if absent := [column for column in ("Day", "label_M") if column not in table.columns]:
        raise DataError(f"{name}: no column {', '.join(absent)}")
    days = finite_values(table[["Day"]], name)["Day"]
    apart = (days.diff().iloc[1:] >= WEEK.days).all()
    if not (len(days) and days.between(1, LAST_DAY).all() and (days == days.round()).all() and apart):
        raise DataError(f"{name}: column Day is not one of whole days from 1 on, a week or more apart")
    labelled = [column for column in table.columns if column.startswith("label_")]
    values = finite_values(table.drop(columns=["Day", *labelled]), name)
    labels = finite_values(table[["label_M"]], name)["label_M"]
    possible = (labels == 0) | labels.between(CLASS_EDGES[0] - ROUNDING, LARGEST_MAGNITUDE)
    refuse(labels, ~possible, name, "no magnitude of a label")
    rows = pd.DataFrame(
        {
            "area": area,
            "part": part,
            "last_day": FIRST_DAYS[part] + pd.to_timedelta(days.to_numpy(), unit="D") - DAY,
            "label_magnitude": labels.to_numpy(dtype=float),
        }
    )
    return rows, values.reset_index(drop=True)


def load_stations(*, network: bool = True) -> pd.DataFrame:
    """Return all stations: station, longitude, latitude, usable (whether both modalities record and are sent)."""
    return parse_stations(sources.read(STATIONS, network=network), STATIONS)


def parse_stations(data: bytes, name: str) -> pd.DataFrame:
    """Read the list of stations."""
    flags = ["MagnData", "MagnUpdate", "SoundData", "SoundUpdate"]
    table = read_table(data, name, ["StationID", "Longitude", "Latitude", *flags])
    for flag in flags:
        refuse(table[flag], ~table[flag].isin(["True", "False"]), name, "neither True nor False")
    station, longitude, latitude = (numbers(table, one, name) for one in ("StationID", "Longitude", "Latitude"))
    refuse(table["StationID"], ~(station == station.round()) | station.duplicated(), name, "no station, or one twice")
    refuse(table["Longitude"], ~longitude.between(-180, 180), name, "no longitude")
    refuse(table["Latitude"], ~latitude.between(-90, 90), name, "no latitude")
    usable = (table[flags] == "True").all(axis=1)
    frame = pd.DataFrame(
        {"station": station.astype(np.int64), "longitude": longitude, "latitude": latitude, "usable": usable}
    )
    return frame.reset_index(drop=True)


def load_events(*, network: bool = True) -> pd.DataFrame:
    """Return the earthquakes that labels are of: time (local), latitude, longitude, magnitude, area."""
    return parse_events(sources.read(EVENTS, network=network), EVENTS)


def parse_events(data: bytes, name: str) -> pd.DataFrame:
    """Read the list of earthquakes, its times in Unix seconds."""
    table = read_table(data, name, ["Longitude", "Latitude", "Magnitude", "Timestamp"])
    seconds = numbers(table, "Timestamp", name)
    refuse(table["Timestamp"], ~seconds.between(0, LAST_SECOND), name, "no time")
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(seconds, unit="s") + LOCAL,
            "latitude": numbers(table, "Latitude", name),
            "longitude": numbers(table, "Longitude", name),
            "depth_km": np.nan,
            "magnitude": numbers(table, "Magnitude", name),
        }
    )
    check_events(frame.assign(time=frame["time"].dt.tz_localize("UTC")), name)
    frame = frame.drop(columns="depth_km")
    frame["area"] = areas_of(frame["latitude"].to_numpy(), frame["longitude"].to_numpy())
    return frame.sort_values("time", kind="stable", ignore_index=True)


def areas_of(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the area of each place, -1 outside of all; a place on a border belongs to the north-eastern of the two."""
    row = len(LATITUDES) - 1 - np.searchsorted(LATITUDES[::-1], latitudes, side="right")
    column = np.searchsorted(LONGITUDES, longitudes, side="right") - 1
    inside = (row >= 0) & (row < len(LATITUDES) - 1) & (column >= 0) & (column < len(LONGITUDES) - 1)
    cells = row * (len(LONGITUDES) - 1) + column
    return np.where(inside & (cells < AREAS), cells, -1).astype(np.intp)


def label_magnitudes(rows: pd.DataFrame, events: pd.DataFrame) -> NDArray[np.float64]:
    """Return the largest magnitude from the first class on in the week after each row's window, 0 for none.

    Parameters
    ----------
    rows : columns area and last_day, as in `Weeks`
    events : columns time (local), area, magnitude
    """
    felt = events[events["magnitude"] >= CLASS_EDGES[0] - ROUNDING]
    largest = np.zeros(len(rows))
    for area, own in felt.groupby("area"):
        here = np.flatnonzero(rows["area"].to_numpy() == area)
        begins = (rows["last_day"].iloc[here] + LABEL_LAG).to_numpy()[:, None]
        times, magnitudes = own["time"].to_numpy()[None], own["magnitude"].to_numpy()[None]
        within = (times >= begins) & (times < begins + WEEK.to_timedelta64())
        largest[here] = np.where(within, magnitudes, 0.0).max(axis=1, initial=0.0)
    return largest


def classes_of(magnitudes: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the class of the largest magnitude of each week, 0 (no earthquake) to 4."""
    return np.searchsorted(np.array(CLASS_EDGES) - ROUNDING, magnitudes, side="right")


def _feature_of_mean(column: str) -> str | None:
    """Return the feature and modality whose weekly mean a column holds, or ``None`` if it holds another statistic."""
    stem, _, modality = column.rpartition("_")
    statistics = [statistic for statistic in STATISTICS if stem.endswith(f"_{statistic}")]
    if modality not in MODALITIES or max(statistics, key=len, default="") != MEAN:
        return None
    return f"{stem.removesuffix(f'_{MEAN}')}_{modality}"
