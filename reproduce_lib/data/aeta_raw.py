"""The raw ten-minute series of AETA stations: both modalities of every station on one grid, gaps as ``nan``.

The layout is a folder with ``<id>_magn.csv`` and ``<id>_sound.csv`` for each station: its id, Unix seconds on a grid of
ten minutes, then the features of the modality. A time that was not measured has no row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.aeta import LAST_SECOND, LOCAL, MODALITIES
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.text_tables import finite_values, read_wide_table, refuse
from reproduce_lib.errors import DataError

STEP_SECONDS = 600
MONTH = "aeta/raw_202012"
# Files read side by side; the reader leaves Python's lock while it parses.
READERS = 2
_FILE = re.compile(r"(0|[1-9]\d*)_(magn|sound)\.csv")
# What a grid may span: ten years.
LONGEST_GRID = 10 * 366 * 24 * 3600 // STEP_SECONDS

Read = Callable[[], bytes]


@dataclass(frozen=True)
class RawSeries:
    """Features of several stations on one grid.

    Attributes
    ----------
    stations : ids, ascending, shape (stations,)
    times : local time, ten minutes apart, shape (times,)
    values : shape (stations, times, features), ``nan`` where nothing was measured
    features : names, ``magn@...`` before ``sound@...``
    files : file name -> SHA-256 of what was read
    """

    stations: NDArray[np.int64]
    times: pd.DatetimeIndex
    values: NDArray[np.float32]
    features: tuple[str, ...]
    files: dict[str, str]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Tell for each station, time and modality whether it was measured, shape (stations, times, 2)."""
        firsts = [next(i for i, name in enumerate(self.features) if name.startswith(f"{one}@")) for one in MODALITIES]
        found: NDArray[np.bool_] = ~np.isnan(self.values[:, :, firsts])
        return found


def load_raw_month(*, network: bool = True) -> RawSeries:
    """Return the pinned month, December 2020, of 32 stations.

    Raises
    ------
    MissingDataError
        If a file cannot be had.
    DataError
        If a file is not what it should be.
    """
    names = [name for name in data_files() if name.startswith(f"{MONTH}/")]
    readers = {Path(name).name: lambda name=name: sources.read(name, network=network) for name in names}
    return assemble(readers, {name: data_file(name).sha256 for name in names})


def load_raw_folder(folder: Path) -> RawSeries:
    """Return the series of a folder of one's own, in the layout of the month; other files in it are left alone."""
    found = {path.name: path.read_bytes for path in sorted(folder.iterdir()) if _FILE.fullmatch(path.name)}
    if not found:
        raise DataError(f"{folder} holds no file named as <station>_magn.csv or <station>_sound.csv")
    return assemble(found, {})


def assemble(readers: Mapping[str, Read], files: dict[str, str]) -> RawSeries:
    """Put the files of stations on one grid; one file at a time and thread is held as text.

    Parameters
    ----------
    readers : file name -> what returns its bytes
    """
    stations = sorted({int(name.split("_")[0]) for name in readers})
    lacking = [
        f"{station}_{one}.csv" for station in stations for one in MODALITIES if f"{station}_{one}.csv" not in readers
    ]
    if lacking:
        raise DataError(f"of one modality only: {', '.join(lacking)} is not there")
    with ThreadPoolExecutor(READERS) as pool:
        tables = dict(zip(readers, pool.map(lambda item: parse_raw(item[1](), item[0]), readers.items()), strict=True))
    features = [
        name for one in MODALITIES for name in tables[f"{stations[0]}_{one}.csv"].columns if name.startswith(f"{one}@")
    ]
    seconds = _grid(tables)
    values = np.full((len(stations), len(seconds), len(features)), np.nan, dtype=np.float32)
    for row, station in enumerate(stations):
        for one in MODALITIES:
            table = tables.pop(f"{station}_{one}.csv")
            own = [column for column, name in enumerate(features) if name.startswith(f"{one}@")]
            if list(table.columns) != [features[column] for column in own]:
                raise DataError(f"{station}_{one}.csv: its features are not those of station {stations[0]}")
            places = ((table.index.to_numpy() - seconds[0]) // STEP_SECONDS).astype(np.intp)
            values[row, places[:, None], own] = table.to_numpy()
    times = pd.to_datetime(seconds, unit="s") + LOCAL
    return RawSeries(np.array(stations), times, values, tuple(features), files)


def parse_raw(data: bytes, name: str) -> pd.DataFrame:
    """Read one file: a row a time, indexed by Unix seconds, a column a feature."""
    match = _FILE.fullmatch(name)
    if match is None:
        raise DataError(f"{name} is not named as <station>_magn.csv or <station>_sound.csv")
    station, modality = match.groups()
    table = read_wide_table(data, name)
    if list(table.columns[:2]) != ["StationID", "TimeStamp"] or len(table.columns) < 3 or table.empty:
        raise DataError(f"{name}: it does not begin with StationID, TimeStamp and features of a first row")
    if strange := [column for column in table.columns[2:] if not str(column).startswith(f"{modality}@")]:
        raise DataError(f"{name}: {', '.join(map(str, strange[:3]))} is no feature of modality {modality}")
    values = finite_values(table, name)
    refuse(table["StationID"], values["StationID"] != int(station), name, "another station")
    seconds = values["TimeStamp"]
    on_grid = seconds.between(0, LAST_SECOND) & (seconds % STEP_SECONDS == 0)
    refuse(table["TimeStamp"], ~on_grid, name, f"not on the grid of {STEP_SECONDS} s, or in no calendar")
    refuse(table["TimeStamp"], seconds.duplicated(), name, "a time that stands twice")
    features = values[table.columns[2:]]
    too_large = features.abs() > np.finfo(np.float32).max
    if too_large.any(axis=None):
        raise DataError(f"{name}: line {table.index[int(np.argmax(too_large.any(axis=1)))]}: a value is too large")
    return features.astype(np.float32).set_axis(seconds.astype(np.int64), axis="index")


def _grid(tables: Mapping[str, pd.DataFrame]) -> NDArray[np.int64]:
    first = min(int(table.index.min()) for table in tables.values())
    last, latest = max((int(table.index.max()), name) for name, table in tables.items())
    if (last - first) // STEP_SECONDS > LONGEST_GRID:
        raise DataError(f"{latest}: its last time is more than ten years after the first of all")
    return np.arange(first, last + STEP_SECONDS, STEP_SECONDS)
