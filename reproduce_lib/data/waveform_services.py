"""Records from elsewhere, for users with a network: datasets of SeisBench, and FDSN services of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data.continuous import read_miniseed
from reproduce_lib.data.download import Allowance, Limits, new_session, without_credentials
from reproduce_lib.data.waveforms import (
    BEFORE,
    COMPONENTS,
    GUARD,
    LENGTH,
    LONGEST,
    NOISE_LENGTH,
    RATE,
    Noise,
    Record,
    Traces,
    are_possible,
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
# Of all questions to a service together, and of one answer: a minute and a half of three recorders at 500 samples a
# second has less than half of it.
LIMITS = Limits(max_bytes=2**28, read_timeout=60.0, total_timeout=3600.0)
LARGEST_ANSWER = 2**22
# How a service says that it has no such record; 404, which may be asked for in its place, is a wrong address too.
NOTHING_FOUND = 204
# Samples a second that a seismometer is read with.
SLOWEST, FASTEST = 1.0, 1000.0
# What is resampled beside a record, seconds: an answer may hold more than was asked for.
MARGIN = 5.0


class NoRecordError(DataError):
    """No record of a dataset can be used."""


class WaveformDataset(Protocol):
    """What is used of a dataset of SeisBench."""

    metadata: pd.DataFrame

    def get_waveforms(self, idx: int, *, sampling_rate: float) -> NDArray[Any]:
        """Return a record, components by samples."""


class WaveformClient(Protocol):
    """A service of records, as `FdsnWaveforms` is one."""

    def get_waveforms(self, *args: Any) -> Any:
        """Return a stream of ObsPy, given network, station, location, channels, begin and end."""


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


class FdsnWaveforms:
    """A service of records that speaks the FDSN protocol ("dataselect"), asked within limits.

    Parameters
    ----------
    address : as ``https://service.iris.edu/fdsnws/dataselect/1``
    limits : of all questions together, from the first on
    """

    def __init__(self, address: str, limits: Limits = LIMITS) -> None:
        self._address, self._limits = address, limits
        self._allowance: Allowance | None = None

    def get_waveforms(self, network: str, station: str, location: str, channels: str, begin: Any, end: Any) -> Any:
        """Return a stream of ObsPy, without a trace if the service has none.

        Raises
        ------
        DataError
            If the service cannot be reached, refuses, or answers with something else than what it was asked for.
        """
        from obspy import Stream

        self._allowance = self._allowance or Allowance(self._limits)
        name = without_credentials(self._address)
        asked = {
            "network": network,
            "station": station,
            "location": location or "--",
            "channel": channels,
            "starttime": begin.isoformat(),
            "endtime": end.isoformat(),
            "format": "miniseed",
        }
        try:
            with new_session() as session:
                answer = self._allowance.ask(session, f"{self._address}/query", asked, most=LARGEST_ANSWER)
        except OSError as error:
            raise DataError(f"{name} cannot be asked for {network}.{station}: {error}") from error
        if answer.status == NOTHING_FOUND:
            return Stream()
        if not answer.ok:
            raise DataError(f"{name} answered {answer.status}: {answer.body.decode(errors='replace')}")
        stream = read_miniseed(answer.body, name)
        for trace in stream:
            _check_trace(trace, (network, station, location, channels), name)
        return stream


def _check_trace(trace: Any, asked: tuple[str, str, str, str], name: str) -> None:
    """Refuse a trace of another station or recorder than was asked for, or of a rate with which none is read."""
    for sent, wanted in zip(trace.id.split("."), asked, strict=True):
        if not any(fnmatchcase(sent, one.replace("--", "")) for one in wanted.split(",")):
            raise DataError(f"{name} sent {trace.id} when asked for {'.'.join(asked)}")
    if not SLOWEST <= trace.stats.sampling_rate <= FASTEST:
        raise DataError(f"{name} sent {trace.id} with {trace.stats.sampling_rate} samples a second")


def open_dataset(name: str) -> WaveformDataset:
    """Return a dataset of SeisBench, which downloads it; needs the extra ``seisbench``.

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
    dataset: WaveformDataset = getattr(seisbench.data, name)(component_order=COMPONENTS)
    return dataset


def load_seisbench(name: str) -> tuple[Traces, Noise]:
    """Return the records of a dataset of SeisBench, which downloads it; needs the extra ``seisbench``.

    Raises
    ------
    DataError
        If SeisBench is not installed, or has no dataset of that name.
    """
    return seisbench_traces(open_dataset(name), name)


def seisbench_traces(dataset: WaveformDataset, name: str) -> tuple[Traces, Noise]:
    """Return those records of a dataset in which P and S were picked and 30 s around P were recorded.

    The noise is the minute before P, less its last second, where a record is long enough and not silent there.

    Raises
    ------
    NoRecordError
        If there is none.
    DataError
        If the dataset does not say where P and S are, or a record is not what a record can be.
    """
    metadata = dataset.metadata
    p, s = _arrivals(metadata, P_COLUMNS, name), _arrivals(metadata, S_COLUMNS, name)
    records: list[Record] = []
    noise, noise_rows = [], []
    for row in np.flatnonzero(p.between(-LONGEST, LONGEST) & s.between(-LONGEST, LONGEST)):
        about = metadata.iloc[row]
        scale = RATE / _rate(about, f"{name}: record {row}")
        onset = round(float(p.iloc[row]) * scale)
        values = _measured(dataset.get_waveforms(int(row), sampling_rate=RATE), f"{name}: record {row}")
        record = _record(about, int(row), values, onset, float(s.iloc[row]) * scale)
        if not is_whole(record):
            continue
        before = values[max(onset - GUARD - NOISE_LENGTH, 0) : onset - GUARD]
        if len(before) == NOISE_LENGTH and is_noise(before):
            noise.append(before)
            noise_rows.append(len(records))
        records.append(record)
    if not records:
        raise NoRecordError(f"{name}: no record has P, S, and 30 s around P")
    traces = traces_of({name: records}, {})
    table = traces.table.iloc[noise_rows][["name", "station", "components", "group"]].reset_index(drop=True)
    shape = (0, NOISE_LENGTH, len(COMPONENTS))
    return traces, Noise(np.stack(noise) if noise else np.zeros(shape, np.float32), table)


def _rate(about: Mapping[str, Any] | pd.Series, place: str) -> float:
    rate = float(about.get("trace_sampling_rate_hz", RATE))
    if not SLOWEST <= rate <= FASTEST:
        raise DataError(f"{place} has {rate} samples a second")
    return rate


def _measured(found: NDArray[Any], place: str) -> NDArray[np.float32]:
    """Return samples by components, 0 where nothing was measured, which datasets write as no number."""
    if found.ndim != 2 or len(found) != len(COMPONENTS) or found.dtype.kind not in "iuf":
        raise DataError(f"{place} holds no numbers of three components")
    values = np.where(np.isnan(found), 0, found)
    if not are_possible(values):
        raise DataError(f"{place} holds samples larger than a recorder counts")
    return values.T.astype(np.float32)


def query_traces(client: WaveformClient, picks: Iterable[PickedArrival], dataset: str = "fdsn") -> Traces:
    """Ask a service for the records of picks.

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

    p = UTCDateTime(pick.p.to_pydatetime())
    begin, end = p - BEFORE / RATE, p + AFTER / RATE
    stream = client.get_waveforms(pick.network, pick.station, pick.location, pick.channels, begin, end)
    stream.trim(begin - MARGIN, end + MARGIN)
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
