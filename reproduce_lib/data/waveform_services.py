"""Records from elsewhere, for users with a network: datasets of SeisBench, and FDSN services by way of ObsPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data.waveforms import (
    BEFORE,
    COMPONENTS,
    GUARD,
    LENGTH,
    NOISE_LENGTH,
    RATE,
    Noise,
    Record,
    Traces,
    is_noise,
    is_whole,
    traces_of,
)
from reproduce_lib.errors import DataError

# Names that SeisBench's datasets give the samples of P and S.
P_COLUMNS = ("trace_p_arrival_sample", "trace_P_arrival_sample", "trace_Pg_arrival_sample", "trace_Pn_arrival_sample")
S_COLUMNS = ("trace_s_arrival_sample", "trace_S_arrival_sample", "trace_Sg_arrival_sample", "trace_Sn_arrival_sample")
AFTER = LENGTH - BEFORE
# Horizontals that are not turned to north and east are taken as they are.
HORIZONTALS = {"1": "N", "2": "E"}


class WaveformDataset(Protocol):
    """What is used of a dataset of SeisBench."""

    metadata: pd.DataFrame

    def get_waveforms(self, idx: int, *, sampling_rate: float) -> NDArray[Any]:
        """Return a record, components by samples."""


class WaveformClient(Protocol):
    """What is used of ObsPy's client of an FDSN service."""

    def get_waveforms(self, *args: Any) -> Any:
        """Return a stream, given network, station, location, channels, begin and end."""


@dataclass(frozen=True)
class PickedArrival:
    """Where and when an analyst picked P and S, times in UTC."""

    network: str
    station: str
    p: pd.Timestamp
    s: pd.Timestamp | None = None
    location: str = "*"
    channels: str = "HH?"
    magnitude: float = float("nan")


def load_seisbench(name: str) -> tuple[Traces, Noise]:
    """Return the records of a dataset of SeisBench, which downloads it; needs the extra ``seisbench``.

    Raises
    ------
    DataError
        If SeisBench is not installed, or has no dataset of that name.
    """
    try:
        import seisbench.data
    except ImportError as error:
        raise DataError(f"SeisBench is not installed ({error}); install reproduce-lib[seisbench]") from error
    if not hasattr(seisbench.data, name):
        raise DataError(f"SeisBench has no dataset {name!r}; see seisbench.data")
    dataset = getattr(seisbench.data, name)(component_order=COMPONENTS)
    return seisbench_traces(dataset, name)


def seisbench_traces(dataset: WaveformDataset, name: str) -> tuple[Traces, Noise]:
    """Return those records of a dataset in which P and S were picked and 30 s around P were recorded.

    The noise is the minute before P, less its last second, where a record is long enough and not silent there.
    """
    metadata = dataset.metadata
    p, s = _arrivals(metadata, P_COLUMNS, name), _arrivals(metadata, S_COLUMNS, name)
    records: list[Record] = []
    noise, noise_rows = [], []
    for row in np.flatnonzero(p.notna() & s.notna()):
        about = metadata.iloc[row]
        scale = RATE / float(about.get("trace_sampling_rate_hz", RATE))
        onset = round(float(p.iloc[row]) * scale)
        values = np.nan_to_num(dataset.get_waveforms(int(row), sampling_rate=RATE).T.astype(np.float32))
        record = _record(about, int(row), values, onset, float(s.iloc[row]) * scale)
        if not is_whole(record):
            continue
        before = values[max(onset - GUARD - NOISE_LENGTH, 0) : onset - GUARD]
        if len(before) == NOISE_LENGTH and is_noise(before):
            noise.append(before)
            noise_rows.append(len(records))
        records.append(record)
    if not records:
        raise DataError(f"{name}: no record has P, S, and 30 s around P")
    traces = traces_of({name: records}, {})
    table = traces.table.iloc[noise_rows][["name", "station", "components", "group"]].reset_index(drop=True)
    shape = (0, NOISE_LENGTH, len(COMPONENTS))
    return traces, Noise(np.stack(noise) if noise else np.zeros(shape, np.float32), table)


def query_traces(client: WaveformClient, picks: Iterable[PickedArrival], dataset: str = "fdsn") -> Traces:
    """Ask an FDSN service for the records of picks, ``client`` being ObsPy's ``obspy.clients.fdsn.Client``.

    A record that the service does not have, or not without a gap, is left out; of several recorders at a station the
    one with the most components is taken.

    Raises
    ------
    DataError
        If the service fails, or has no whole record of any of the picks.
    """
    records = [record for pick in picks if (record := _queried(client, pick)) is not None]
    if not records:
        raise DataError("the service has no whole record of any of these picks")
    return traces_of({dataset: records}, {})


def _queried(client: WaveformClient, pick: PickedArrival) -> Record | None:
    from obspy import UTCDateTime
    from obspy.clients.fdsn.header import FDSNException, FDSNNoDataException

    p = UTCDateTime(pick.p.to_pydatetime())
    begin, end = p - BEFORE / RATE, p + AFTER / RATE
    try:
        stream = client.get_waveforms(pick.network, pick.station, pick.location, pick.channels, begin, end)
    except FDSNNoDataException:
        return None
    except FDSNException as error:
        raise DataError(f"the service cannot be asked for {pick.network}.{pick.station}: {error}") from error
    values = np.zeros((LENGTH, len(COMPONENTS)), dtype=np.float32)
    for trace in _one_recorder(stream):
        _resample(trace)
        trace.trim(begin, end, pad=False)
        letter = HORIZONTALS.get(trace.stats.channel[-1], trace.stats.channel[-1])
        if letter in COMPONENTS and len(trace.data) >= LENGTH:
            values[:, COMPONENTS.index(letter)] = trace.data[:LENGTH]
    s = BEFORE + (pick.s - pick.p).total_seconds() * RATE if pick.s is not None else float("nan")
    name = f"{pick.network}.{pick.station}.{pick.p:%Y%m%dT%H%M%S}"
    record = Record(name, f"{pick.network}.{pick.station}", values, BEFORE, s, pick.p, pick.magnitude)
    return record if is_whole(record) else None


def _resample(trace: Any) -> None:
    """Bring a trace to the common rate; ObsPy's own way takes up to a third of the amplitude away."""
    from scipy.signal import resample_poly

    ratio = Fraction(RATE / trace.stats.sampling_rate).limit_denominator(1000)
    if ratio != 1:
        trace.data = resample_poly(trace.data.astype(float), ratio.numerator, ratio.denominator)
        trace.stats.sampling_rate = RATE


def _one_recorder(stream: Any) -> list[Any]:
    """Return the traces of the recorder with the most components, the first by name of several; none with a gap."""
    recorders: dict[tuple[str, str], list[Any]] = {}
    for trace in stream:
        recorders.setdefault((trace.stats.location, trace.stats.channel[:-1]), []).append(trace)
    whole = {
        name: traces for name, traces in recorders.items() if len({one.stats.channel for one in traces}) == len(traces)
    }
    whole = {name: traces for name, traces in whole.items() if not any(np.ma.is_masked(one.data) for one in traces)}
    return max(sorted(whole.items()), key=lambda item: len(item[1]))[1] if whole else []


def _arrivals(metadata: pd.DataFrame, columns: tuple[str, ...], name: str) -> pd.Series:
    """Return the first of several columns that holds an arrival, row by row."""
    known = [column for column in columns if column in metadata.columns]
    if not known:
        raise DataError(f"{name}: none of the columns {', '.join(columns)} is there")
    return metadata[known].bfill(axis=1).iloc[:, 0]


def _record(about: Mapping[str, Any] | pd.Series, row: int, values: NDArray[np.float32], p: int, s: float) -> Record:
    station = f"{about.get('station_network_code', '')}.{about.get('station_code', row)}"
    start = pd.to_datetime(str(about.get("trace_start_time")), utc=True, errors="coerce")
    # Without a time a record counts as an earthquake of its own.
    time = start.tz_localize(None) if pd.notna(start) else pd.Timestamp(0) + pd.Timedelta(days=row)
    return Record(
        name=str(about.get("trace_name", row)),
        station=station,
        values=values,
        p=p,
        s=s,
        time=time + pd.Timedelta(seconds=p / RATE),
        magnitude=float(about.get("source_magnitude", np.nan)),
        distance_km=float(about.get("path_ep_distance_km", np.nan)),
    )
