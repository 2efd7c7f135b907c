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
from reproduce_lib.data.catalogs import LARGEST_MAGNITUDE, SMALLEST_MAGNITUDE
from reproduce_lib.data.other_earthquakes import holds_noise, stretch_alone
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
# A component that keeps one value for a second was not measured then: a gap, which its file fills with a constant. At
# an end of a record fewer samples tell it: all but one of the records keep a value for up to 9 samples there, and
# padding has 150 and more.
GAP = RATE
PADDING = 20
# What must have been measured around P: a window of 30 s.
SHORTEST = 3000
# Samples on each side of P that the signal-to-noise ratio is taken over.
SNR_SAMPLES = 5 * RATE
# No record has as many samples: a day.
LONGEST = 24 * 3600 * RATE
# No recorder counts farther than 32 bits do, and no ground moves as many metres a second.
LARGEST_SAMPLE = 2.0**31
# Half of the way around the Earth.
FARTHEST_KM = 20_100.0
LONGEST_NAME = 80
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
    table : columns name, dataset, station, components (those recorded, as ``ENZ``), begin, end (samples: the stretch
        around P in which every one of them was measured and no other earthquake is known), snr (dB), magnitude,
        distance_km (``nan`` where not given), time, and group: records of one station or of one earthquake share it
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
    """Cut records to the common time base and put them together.

    What is heard of another earthquake is left out, and so is a record of which then too little is left for a window.
    """
    values, rows = [], []
    for dataset, found in records.items():
        for record in found:
            own, *measured = _cut(record)
            snr = signal_to_noise(own[slice(*measured)], BEFORE - measured[0])
            begin, end = _alone(record.name, *measured)
            if not _is_enough(begin, end):
                continue
            own[:begin] = own[end:] = 0
            values.append(own)
            rows.append(
                {
                    "name": record.name,
                    "dataset": dataset,
                    "station": record.station,
                    "components": components_of(own),
                    "begin": begin,
                    "end": end,
                    "snr": snr,
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
    own = traces.table[(traces.table["dataset"] == "ceed_ncedc") & traces.table["name"].map(holds_noise)]
    values, kept = [], []
    picks = _ceed_picks(network, {}) if len(own) else {}
    for row, name in own["name"].items():
        file = f"{FOLDER}/ceed_ncedc/{name}"
        record = parse_ceed_record(sources.read(file, network=network), file, *picks[name])
        before = record.values[record.p - CEED_BEFORE : record.p - GUARD]
        if is_noise(before):
            values.append(_moving(before))
            kept.append(row)
    table = own.loc[kept, ["name", "station", "components", "group"]].reset_index(drop=True)
    table["components"] = [components_of(one) for one in values]
    shape = (0, NOISE_LENGTH, len(COMPONENTS))
    return Noise(np.stack(values) if values else np.zeros(shape, np.float32), table)


def is_noise(values: Samples) -> bool:
    """Tell whether a stretch was measured from end to end: no component that was recorded is padded or has a gap."""
    recorded = _recorded(values)
    return len(recorded) > 0 and not any(len(_still(own)) for own in recorded)


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


def sites_of(stations: NDArray[Any]) -> NDArray[Any]:
    """Return the code of the site of each station, ``network.code``.

    A network that puts a second instrument where one stands, in a borehole or in the old one's place, names it by one
    character more (NC.MDP, NC.MDP1, NC.MDPB): the site is called by the shortest of them that is among ``stations``.
    """
    codes = set(stations.tolist())

    def site(code: str) -> str:
        return site(code[:-1]) if code and code[:-1] in codes else code

    return np.array([site(code) for code in stations.tolist()])


def groups_of(stations: NDArray[Any], times: pd.Series) -> NDArray[np.intp]:
    """Give records of one site (`sites_of`), or of one earthquake, one number, and what they touch too.

    A split between groups then separates stations, those that stand together too, and earthquakes.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers = np.unique(sites_of(stations), return_inverse=True)[1]
    seconds = (times - times.min()).dt.total_seconds().to_numpy()
    order = np.argsort(seconds, kind="stable")
    events = np.empty(len(order), dtype=np.intp)
    events[order] = np.concatenate([[0], np.cumsum(np.diff(seconds[order]) > SAME_EVENT_SECONDS)])
    # Records are tied to their site and to their earthquake, which follow them in one graph.
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
            p=(p := _sample(archive["itp"], archive["data"])),
            s=_later_sample(archive["its"], p) if "its" in archive else np.nan,
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
            s=_later_sample(s, p),
            time=start + pd.Timedelta(seconds=p / RATE),
            magnitude=_within(archive["event_magnitude"], SMALLEST_MAGNITUDE, LARGEST_MAGNITUDE, "magnitude"),
            distance_km=_within(archive["distance_km"], 0, FARTHEST_KM, "distance"),
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{name}: its picks or what is said of it cannot be read: {error!r}") from error


def _archive(data: bytes, name: str) -> dict[str, Any]:
    """Read an archive of arrays, among them the three components, at the common rate."""
    found: dict[str, Any] = read_arrays(data, name)
    values = found.get("data")
    # Neither complex numbers nor spans of time, both of which are numbers to NumPy.
    real = values is not None and values.dtype.kind in "iuf"
    if values is None or not real or values.ndim != 2 or values.shape[1] != len(COMPONENTS):
        raise DataError(f"{name}: its data are not numbers of three components")
    if not 0 < len(values) <= LONGEST:
        raise DataError(f"{name}: {len(values)} samples are none, or more than a day has")
    if not are_possible(values):
        raise DataError(f"{name}: not all of its data are finite, and no larger than a recorder counts")
    if "dt" in found and not _is_common_step(found["dt"]):
        raise DataError(f"{name}: its samples are {str(found['dt'])[:40]} s apart, not {1 / RATE}")
    return found


def are_possible(values: NDArray[Any]) -> bool:
    """Tell whether all samples of a record are finite, and none is larger than a recorder counts."""
    # Not by a difference or a modulus: that of the least integer is not there. ``nan`` is within nothing.
    return bool((values >= -LARGEST_SAMPLE).all() and (values <= LARGEST_SAMPLE).all())


def _is_common_step(step: NDArray[Any]) -> bool:
    return step.shape == () and step.dtype.kind in "iuf" and bool(np.isclose(step, 1 / RATE, rtol=1e-6, atol=0))


def _text(found: Any) -> str:
    """Return a name or a time; NumPy holds characters that no text has."""
    text = str(found)
    if not (text.isascii() and text.isprintable() and len(text) <= LONGEST_NAME):
        raise ValueError("a text that is too long for a name, or of characters that none has")
    return text


def _sample(pick: Any, values: Samples) -> int:
    """Return a pick as a sample of its record."""
    sample = int(pick)
    if not 0 <= sample < len(values):
        raise ValueError(f"a pick at sample {sample} of {len(values)}")
    return sample


def _later_sample(pick: Any, p: int) -> float:
    """Return the pick of S, which comes after P and may lie behind the last sample of its record."""
    sample = float(pick)
    if not p < sample <= LONGEST:
        raise ValueError(f"S at sample {sample} with P at {p}")
    return sample


def _within(found: Any, least: float, most: float, what: str) -> float:
    """Return a number that is not known, or possible."""
    number = float(found)
    if not (np.isnan(number) or least <= number <= most):
        raise ValueError(f"a {what} of {number}")
    return number


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


def _cut(record: Record) -> tuple[Samples, int, int]:
    """Lay what was measured around a record's P on the common time base, 0 elsewhere, and return from where to where.

    Raises
    ------
    DataError
        If P was not measured, or too little around it.
    """
    found = np.zeros((LENGTH, len(COMPONENTS)), dtype=np.float32)
    first = record.p - BEFORE
    early = max(-first, 0)
    own = record.values[max(first, 0) : max(first + LENGTH, 0)]
    begin, end = _measured_span(own, BEFORE - early)
    if end - begin < SHORTEST:
        raise DataError(f"{record.name}: P was not measured, or less than {SHORTEST} samples around it")
    found[early + begin : early + end] = _moving(own[begin:end])
    return found, early + begin, early + end


def is_whole(record: Record) -> bool:
    """Tell whether `traces_of` takes a record: enough was measured around its P, and nothing else heard there."""
    try:
        _, *measured = _cut(record)
    except DataError:
        return False
    return _is_enough(*_alone(record.name, *measured))


def _is_enough(begin: int, end: int) -> bool:
    """Tell whether a window can be cut from ``begin`` to ``end``, with P in it and some noise before P."""
    return end - begin >= SHORTEST and begin <= BEFORE - GUARD


def _alone(name: str, begin: int, end: int) -> tuple[int, int]:
    """Return from where to where around P no other earthquake is heard in what was measured."""
    first, last = (RATE * seconds for seconds in stretch_alone(name))
    return int(np.ceil(max(begin, BEFORE + first))), int(np.floor(min(end, BEFORE + last)))


def _measured_span(values: Samples, p: int) -> tuple[int, int]:
    """Return from where to where around P every recorded component was measured without a gap."""
    live = np.flatnonzero(values.any(axis=1))
    if not len(live) or not live[0] <= p <= live[-1]:
        return 0, 0
    begin, end = offset, _ = int(live[0]), int(live[-1]) + 1
    for own in _recorded(values[begin:end]):
        for first, last in (offset + _still(own)).tolist():
            if first <= p < last:
                return 0, 0
            begin, end = (max(begin, last), end) if last <= p else (begin, min(end, first))
    return begin, end


def _moving(values: Samples) -> Samples:
    """Return 0 for a component that stands at some level: it was recorded by nobody."""
    found: Samples = np.where(np.ptp(values, axis=0) > 0, values, np.float32(0))
    return found


def _recorded(values: Samples) -> list[Samples]:
    """Return the components that ever change."""
    return [own for own in values.T if len(own) and np.ptp(own) > 0]


def _still(component: Samples) -> NDArray[np.intp]:
    """Return the stretches that were not measured, first sample and the one behind the last, shape (stretches, 2)."""
    changes = np.flatnonzero(np.diff(component)) + 1
    edges = np.concatenate([[0], changes, [len(component)]])
    lengths = np.diff(edges)
    gap = lengths >= GAP
    gap[[0, -1]] |= lengths[[0, -1]] >= PADDING
    return np.stack([edges[:-1], edges[1:]], axis=1)[gap]
