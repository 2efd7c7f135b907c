"""As many records of a dataset of SeisBench as a study had, of given years; for users with a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data.waveform_services import WaveformDataset, seisbench_traces
from reproduce_lib.data.waveforms import COMPONENTS, Noise, Traces, groups_of
from reproduce_lib.errors import DataError

Rows = NDArray[np.intp]
# Records that are looked at in one go.
AT_ONCE = 200


@dataclass
class Subset:
    """Some rows of a dataset, as a dataset of their own."""

    whole: WaveformDataset
    rows: Rows
    metadata: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        """Take what is told of these rows."""
        self.metadata = self.whole.metadata.iloc[self.rows]

    def get_waveforms(self, idx: int, *, sampling_rate: float) -> NDArray[Any]:
        """Return a record of the subset by its number in it."""
        return self.whole.get_waveforms(int(self.rows[idx]), sampling_rate=sampling_rate)


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


def years_of(dataset: WaveformDataset) -> NDArray[np.float64]:
    """Return the year of each record, ``nan`` where its time is not known, shape (records,)."""
    starts = pd.to_datetime(
        dataset.metadata["trace_start_time"].astype(str), utc=True, errors="coerce", format="ISO8601"
    )
    years: NDArray[np.float64] = np.asarray(starts.dt.year, dtype=float)
    return years


def take_records(
    dataset: WaveformDataset,
    name: str,
    rows: Rows,
    count: int,
    keep: Callable[[pd.DataFrame], NDArray[np.bool_]],
) -> tuple[Traces, Noise]:
    """Return the first ``count`` of these rows that are whole, have P and S, and are to be kept.

    Parameters
    ----------
    keep : tells of the table of some traces which of them count

    Raises
    ------
    DataError
        If the dataset has fewer.
    """
    found: list[tuple[Traces, Noise]] = []
    missing, refusal = count, ""
    for chunk in np.array_split(rows, max(-(-len(rows) // AT_ONCE), 1)):
        try:
            traces, noise = seisbench_traces(Subset(dataset, chunk), name)
        except DataError as error:  # none of them is whole, or the dataset says nothing of arrivals: the last is told
            refusal = f"; {error}"
            continue
        kept = np.flatnonzero(keep(traces.table))[:missing]
        if len(kept):
            found.append(_among(traces, noise, kept))
            missing -= len(kept)
        if not missing:
            return joined(found)
    raise DataError(f"{name}: of {count} records that are asked for {missing} are missing{refusal}")


def joined(parts: Sequence[tuple[Traces, Noise]]) -> tuple[Traces, Noise]:
    """Put records together; which share a station or an earthquake is found anew."""
    traces = Traces(
        np.concatenate([part.values for part, _ in parts]),
        np.concatenate([part.s for part, _ in parts]),
        pd.concat([part.table for part, _ in parts], ignore_index=True),
        {name: digest for part, _ in parts for name, digest in part.files.items()},
    )
    traces.table["group"] = groups_of(traces.table["station"].to_numpy(), traces.table["time"])
    table = pd.concat([noise.table for _, noise in parts], ignore_index=True)
    table["group"] = [*_groups_of_noise(parts, traces.table["group"].to_numpy())]
    return traces, Noise(np.concatenate([noise.values for _, noise in parts]), table)


def _groups_of_noise(parts: Sequence[tuple[Traces, Noise]], groups: NDArray[np.intp]) -> Iterator[int]:
    """Yield the group of each record of noise: that of the record that it stood before."""
    first = 0
    for traces, noise in parts:
        of_name = dict(zip(traces.table["name"], groups[first : first + len(traces)].tolist(), strict=True))
        yield from (of_name[name] for name in noise.table["name"])
        first += len(traces)


def _among(traces: Traces, noise: Noise, rows: Rows) -> tuple[Traces, Noise]:
    table = traces.table.iloc[rows].reset_index(drop=True)
    own = noise.table["name"].isin(table["name"]).to_numpy()
    kept = Noise(noise.values[own], noise.table[own].reset_index(drop=True))
    return Traces(traces.values[rows], traces.s[rows], table, traces.files), kept
