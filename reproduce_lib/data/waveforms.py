"""Three-component records of earthquakes with analyst picks, all on one time base: 90 s, P after 30 s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.archives import read_arrays
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.text_tables import numbers, read_table, refuse
from reproduce_lib.errors import DataError

Dataset = Literal["phasenet_ncedc", "ceed_ncedc", "denoiser_ncedc", "tlpn_china"]
DATASETS: tuple[Dataset, ...] = get_args(Dataset)
FOLDER = "waveforms"
# Samples a second; samples of a record, and those of them before P. A tenth of a second is left out of the 90, since P
# stands one sample late in some records of 120 s.
RATE = 100
LENGTH = 8990
BEFORE = 3000
COMPONENTS = "ENZ"
# ceed_ncedc holds a minute before P; its last second is left out, since a pick may be late.
CEED_BEFORE, CEED_LENGTH = 6000, 12_000
GUARD = RATE
NOISE_LENGTH = CEED_BEFORE - GUARD
# Records of which the minute before P holds another earthquake, whose P and S were seen by eye; where to look was told
# by PhaseNet's released weights, which give both phases 0.4 and more there, and in no other.
NOT_NOISE = frozenset(
    {
        "BG.RGP..DP.0279913.npz",
        "NC.GDXB..HN.0244608.npz",
        "NC.GDXB..HN.0359676.npz",
        "NC.GDXB..HN.0415528.npz",
        "NC.MDY..HN.0376095.npz",
        "NC.MQ1P..EH.0394787.npz",
        "PB.B046..EH.0283603.npz",
    }
)
# What must have been measured around P: a window of 30 s.
SHORTEST = 3000
# Samples on each side of P that the signal-to-noise ratio is taken over.
SNR_SAMPLES = 5 * RATE
# No record has as many samples: a day.
LONGEST = 24 * 3600 * RATE
# Records whose times lie no farther apart than this are taken for one earthquake.
SAME_EVENT_SECONDS = 90.0

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Traces:
    """Records of earthquakes, and of the noise before them where there is enough of it.

    Attributes
    ----------
    values : shape (traces, 8990, 3), components E, N, Z, in the unit of the file; P at sample 3000. A component that
        was not recorded is 0 throughout, and so is what lies outside ``begin`` to ``end``
    s : sample of S, ``nan`` where it was not picked or lies behind the last sample, shape (traces,)
    table : columns name, dataset, station, components (those recorded, as ``ENZ``), begin, end (samples), snr (dB),
        magnitude, distance_km (``nan`` where not given), time, and group: records of one station or of one earthquake
        share it
    files : file name -> SHA-256 of what was read
    """

    values: Samples
    s: NDArray[np.float64]
    table: pd.DataFrame
    files: dict[str, str]

    def __len__(self) -> int:
        return len(self.table)

    def rows(self, chosen: NDArray[Any]) -> Traces:
        """Return some of the records, by a mask or by numbers."""
        numbers = np.arange(len(self))[chosen]
        table = self.table.iloc[numbers].reset_index(drop=True)
        return Traces(self.values[numbers], self.s[numbers], table, self.files)


@dataclass(frozen=True)
class Noise:
    """What stations recorded before an earthquake.

    Attributes
    ----------
    values : shape (records, 5900, 3), components E, N, Z
    table : columns name, station, components, group
    """

    values: Samples
    table: pd.DataFrame


@dataclass(frozen=True)
class Record:
    """One record as its file gives it, before it is cut to the common time base: samples of P and S are its own."""

    name: str
    station: str
    values: Samples
    p: int
    s: float
    time: pd.Timestamp
    magnitude: float = np.nan
    distance_km: float = np.nan


def load_traces(datasets: Sequence[Dataset], *, network: bool = True) -> Traces:
    """Return the pinned records of some datasets.

    Raises
    ------
    MissingDataError
        If a file cannot be had.
    DataError
        If a file is not what it should be.
    """
    files: dict[str, str] = {}
    records: dict[str, list[Record]] = {one: list(_read(one, network, files)) for one in datasets}
    return traces_of(records, files)


def traces_of(records: Mapping[str, Iterable[Record]], files: dict[str, str]) -> Traces:
    """Cut records to the common time base and put them together."""
    values, rows = [], []
    for dataset, found in records.items():
        for record in found:
            own = _cut(record)
            begin, end = _live_span(own)
            values.append(own)
            rows.append(
                {
                    "name": record.name,
                    "dataset": dataset,
                    "station": record.station,
                    "components": components_of(own),
                    "begin": begin,
                    "end": end,
                    "snr": signal_to_noise(own, BEFORE),
                    "magnitude": record.magnitude,
                    "distance_km": record.distance_km,
                    "time": record.time,
                    "s": record.s - record.p + BEFORE,
                }
            )
    if not rows:
        raise DataError("no record to put together")
    table = pd.DataFrame(rows)
    s = table.pop("s").to_numpy(dtype=float)
    table["group"] = groups_of(table["station"].to_numpy(), table["time"])
    return Traces(np.stack(values), np.where(s < LENGTH, s, np.nan), table, files)


def load_noise(traces: Traces, *, network: bool = True) -> Noise:
    """Return the minute before P, less its last second, of those ``traces`` that are of ceed_ncedc.

    Records that are padded or silent there are left out, see `is_noise`, and so are those that hold another earthquake.
    """
    own = traces.table[(traces.table["dataset"] == "ceed_ncedc") & ~traces.table["name"].isin(NOT_NOISE)]
    values, kept = [], []
    picks = _ceed_picks(network, {}) if len(own) else {}
    for row, name in own["name"].items():
        file = f"{FOLDER}/ceed_ncedc/{name}"
        record = parse_ceed_record(sources.read(file, network=network), file, *picks[name])
        before = record.values[record.p - CEED_BEFORE : record.p - GUARD]
        if is_noise(before):
            values.append(before)
            kept.append(row)
    table = own.loc[kept, ["name", "station", "components", "group"]].reset_index(drop=True)
    shape = (0, NOISE_LENGTH, len(COMPONENTS))
    return Noise(np.stack(values) if values else np.zeros(shape, np.float32), table)


def is_noise(values: Samples) -> bool:
    """Tell whether a stretch was measured from end to end: it is not silent for as long as a second anywhere."""
    live = np.flatnonzero(values.any(axis=1))
    return len(live) > 0 and int(np.diff(live, prepend=-1, append=len(values)).max()) <= RATE


def signal_to_noise(values: Samples, p: int) -> float:
    """Return 20 log10 of the deviation of the five seconds after P over that of the five before, in dB.

    Of several components the largest ratio counts; ``nan`` where none has both.
    """
    before, after = values[max(p - SNR_SAMPLES, 0) : p], values[p : p + SNR_SAMPLES]
    noise, signal = before.std(axis=0, dtype=float), after.std(axis=0, dtype=float)
    usable = (noise > 0) & (signal > 0)
    return float(20 * np.log10(signal[usable] / noise[usable]).max()) if usable.any() else float("nan")


def components_of(values: Samples) -> str:
    """Return the letters of the components that were recorded."""
    return "".join(letter for letter, own in zip(COMPONENTS, values.T, strict=True) if own.any())


def groups_of(stations: NDArray[Any], times: pd.Series) -> NDArray[np.intp]:
    """Give records of one station, or of one earthquake, one number, and what they touch too.

    A split between groups then separates both stations and earthquakes.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers = np.unique(stations, return_inverse=True)[1]
    seconds = (times - times.min()).dt.total_seconds().to_numpy()
    order = np.argsort(seconds, kind="stable")
    events = np.empty(len(order), dtype=np.intp)
    events[order] = np.concatenate([[0], np.cumsum(np.diff(seconds[order]) > SAME_EVENT_SECONDS)])
    # Records are tied to their station and to their earthquake, which follow them in one graph.
    size = len(order) + numbers.max() + 1 + events.max() + 1
    rows = np.arange(len(order))
    ties = np.concatenate([len(order) + numbers, len(order) + numbers.max() + 1 + events])
    graph = coo_array((np.ones(len(ties)), (np.tile(rows, 2), ties)), shape=(size, size))
    found: NDArray[np.intp] = connected_components(graph, directed=False)[1][: len(order)].astype(np.intp)
    return np.unique(found, return_inverse=True)[1].astype(np.intp)


def _read(dataset: Dataset, network: bool, files: dict[str, str]) -> Iterable[Record]:
    names = [name for name in data_files() if name.startswith(f"{FOLDER}/{dataset}/") and name.endswith(".npz")]
    picks = _ceed_picks(network, files) if dataset == "ceed_ncedc" else {}
    for name in sorted(names):
        data = sources.read(name, network=network)
        files[name] = data_file(name).sha256
        file = name.rpartition("/")[2]
        if dataset != "ceed_ncedc":
            yield parse_record(data, name)
        elif file in picks:
            yield parse_ceed_record(data, name, *picks[file])
        else:
            raise DataError(f"{name}: no picks of it are listed")


def parse_record(data: bytes, name: str) -> Record:
    """Read a record with its picks, whose file name gives network, station and time."""
    archive = _archive(data, name)
    file = name.rpartition("/")[2]
    try:
        network, station, moment = file.removesuffix(".npz").split("_")[:3]
        return Record(
            name=file,
            station=f"{network}.{station}",
            values=archive["data"].astype(np.float32),
            p=_sample(archive["itp"], archive["data"]),
            s=float(archive["its"]) if "its" in archive else np.nan,
            time=pd.to_datetime(moment[:14], format="%Y%m%d%H%M%S"),
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{name}: its picks or what is said of it cannot be read: {error!r}") from error


def parse_ceed_record(data: bytes, name: str, p: int, s: int) -> Record:
    """Read a record that says where and when it was recorded; its picks stand in a table."""
    archive = _archive(data, name)
    try:
        start = pd.to_datetime(_text(archive["start_time"]), format="ISO8601")
        return Record(
            name=name.rpartition("/")[2],
            station=f"{_text(archive['network'])}.{_text(archive['station'])}",
            values=archive["data"].astype(np.float32),
            p=_sample(p, archive["data"]),
            s=float(s),
            time=start + pd.Timedelta(seconds=p / RATE),
            magnitude=float(archive["event_magnitude"]),
            distance_km=float(archive["distance_km"]),
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{name}: its picks or what is said of it cannot be read: {error!r}") from error


def _archive(data: bytes, name: str) -> dict[str, Any]:
    """Read an archive of arrays, among them the three components."""
    found: dict[str, Any] = read_arrays(data, name)
    values = found.get("data")
    numeric = values is not None and np.issubdtype(values.dtype, np.number)
    if values is None or not numeric or values.ndim != 2 or values.shape[1] != len(COMPONENTS):
        raise DataError(f"{name}: its data are not numbers of three components")
    if not np.isfinite(values).all():
        raise DataError(f"{name}: not all of its data are finite")
    return found


def _text(found: Any) -> str:
    """Return a name or a time; NumPy holds characters that no text has."""
    text = str(found)
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a text of characters that no name has")
    return text


def _sample(pick: Any, values: Samples) -> int:
    """Return a pick as a sample of its record."""
    sample = int(pick)
    if not 0 <= sample < len(values):
        raise ValueError(f"a pick at sample {sample} of {len(values)}")
    return sample


def _ceed_picks(network: bool, files: dict[str, str]) -> dict[str, tuple[int, int]]:
    name = f"{FOLDER}/ceed_ncedc/labels.csv"
    files[name] = data_file(name).sha256
    return parse_ceed_picks(sources.read(name, network=network), name)


def parse_ceed_picks(data: bytes, name: str) -> dict[str, tuple[int, int]]:
    """Read the samples of P and S of each file."""
    table = read_table(data, name, ["file_name", "p_idx", "s_idx"])
    refuse(table["file_name"], table["file_name"].isna() | table["file_name"].duplicated(), name, "no file, or twice")
    for column in ("p_idx", "s_idx"):
        values = numbers(table, column, name)
        refuse(table[column], ~(values.between(0, LONGEST) & (values == values.round())), name, "no sample")
    rows = zip(table["file_name"], table["p_idx"], table["s_idx"], strict=True)
    return {file: (int(float(p)), int(float(s))) for file, p, s in rows}


def _cut(record: Record) -> Samples:
    """Lay a record on the common time base, 0 where it was not measured; around P it must have been."""
    found = np.zeros((LENGTH, len(COMPONENTS)), dtype=np.float32)
    first = record.p - BEFORE
    own = record.values[max(first, 0) : max(first + LENGTH, 0)]
    found[max(-first, 0) : max(-first, 0) + len(own)] = own
    begin, end = _live_span(found)
    if not begin <= BEFORE < end or end - begin < SHORTEST:
        raise DataError(f"{record.name}: P was not measured, or less than {SHORTEST} samples around it")
    return found


def is_whole(record: Record) -> bool:
    """Tell whether enough was measured around a record's P for it to be laid on the common time base."""
    try:
        _cut(record)
    except DataError:
        return False
    return True


def _live_span(values: Samples) -> tuple[int, int]:
    """Return from where to where a record is not padded with zeros."""
    live = np.flatnonzero(values.any(axis=1))
    return (int(live[0]), int(live[-1]) + 1) if len(live) else (0, 0)
