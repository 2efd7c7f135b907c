"""Continuous records of stations: miniSEED of three components on one grid, gaps as ``nan``."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.waveforms import COMPONENTS, FOLDER, RATE
from reproduce_lib.errors import DataError

CHILE = f"{FOLDER}/continuous_chile"
# Room is made for what lies between the first sample and the last: two days.
LONGEST = 2 * 24 * 3600 * RATE


@dataclass(frozen=True)
class ContinuousRecord:
    """Some hours of one station.

    Attributes
    ----------
    station : network and station, as ``CX.PB01``
    start : time of the first sample, UTC
    values : shape (samples, 3), components E, N, Z, 100 samples a second, ``nan`` where nothing was recorded
    files : file name -> SHA-256 of what was read
    """

    station: str
    start: pd.Timestamp
    values: NDArray[np.float32]
    files: dict[str, str]

    @property
    def hours(self) -> float:
        """Return how long the record is."""
        return len(self.values) / RATE / 3600


def load_continuous(*, network: bool = True) -> list[ContinuousRecord]:
    """Return the pinned records of two stations in northern Chile, 14 hours each, nobody's labels.

    Raises
    ------
    MissingDataError
        If a file cannot be had.
    DataError
        If a file is not what it should be.
    """
    of_record: dict[tuple[str, str], list[str]] = {}
    for name in data_files():
        if name.startswith(f"{CHILE}/"):
            folder, file = name.rsplit("/", 2)[-2:]
            of_record.setdefault((folder, ".".join(file.split(".")[:2])), []).append(name)
    return [
        assemble(station, {name: sources.read(name, network=network) for name in sorted(names)})
        for (_, station), names in sorted(of_record.items())
    ]


def assemble(station: str, contents: Mapping[str, bytes]) -> ContinuousRecord:
    """Put the components of one station on one grid, over the time that all of them cover."""
    streams = [(name, _read(name, data)) for name, data in contents.items()]
    traces: dict[str, list[Any]] = {letter: [] for letter in COMPONENTS}
    for name, stream in streams:
        for trace in stream:
            letter = trace.stats.channel[-1:]
            if letter not in traces or f"{trace.stats.network}.{trace.stats.station}" != station:
                raise DataError(f"{name}: {trace.id} is no component E, N or Z of {station}")
            if trace.stats.sampling_rate != RATE:
                raise DataError(f"{name}: {trace.id} has {trace.stats.sampling_rate} samples a second, not {RATE}")
            traces[letter].append(trace)
    recorders = {(one.stats.location, one.stats.channel[:-1]) for found in traces.values() for one in found}
    if len(recorders) > 1:
        names = ", ".join(sorted(".".join(one) for one in recorders))
        raise DataError(f"{', '.join(contents)}: records of several recorders of {station} in one: {names}")
    if lacking := [letter for letter, found in traces.items() if not found]:
        raise DataError(f"{station}: nothing of component {', '.join(lacking)} in {', '.join(contents)}")
    first = max(min(trace.stats.starttime for trace in found) for found in traces.values())
    last = min(max(trace.stats.endtime for trace in found) for found in traces.values())
    # Components begin a few microseconds apart.
    count = round((last - first) * RATE) + 1
    if count < 1:
        raise DataError(f"{', '.join(contents)}: the components of {station} have no time in common")
    if count > LONGEST:
        raise DataError(f"{', '.join(contents)}: more than two days in one record, from {first} to {last}")
    values = np.stack([_on_grid(traces[letter], first, count) for letter in COMPONENTS], axis=1)
    known = data_files()
    files = {name: data_file(name).sha256 for name in contents if name in known}
    return ContinuousRecord(station, pd.Timestamp(first.datetime), values, files)


def _read(name: str, data: bytes) -> Any:
    import obspy

    try:
        # Only this format: others of the reader may run code of the file.
        return obspy.read(io.BytesIO(data), format="MSEED")
    except MemoryError:
        raise
    except Exception as error:  # the reader raises whatever its C code reports
        raise DataError(f"{name}: no miniSEED: {error}") from error


def _on_grid(traces: Iterable[Any], first: Any, count: int) -> NDArray[np.float32]:
    found = np.full(count, np.nan, dtype=np.float32)
    for trace in traces:
        place = round((trace.stats.starttime - first) * RATE)
        begin, end = max(place, 0), min(place + len(trace.data), count)
        if begin < end:
            found[begin:end] = trace.data[begin - place : end - place]
    return found
