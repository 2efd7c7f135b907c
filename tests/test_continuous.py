"""Continuous records: every sample at its time on one grid, by a dictionary, and what is refused."""

from __future__ import annotations

import io
import math
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.continuous import CHILE, ContinuousRecord, assemble, load_continuous
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError

START = "2020-01-01T00:00:00"
# First sample and length of stretches that do not touch.
Stretches = list[tuple[int, int]]


def mseed(channel: str, stretches: Stretches, *, rate: float = 100, station: str = "PB01", late: float = 0.0) -> bytes:
    """Return miniSEED of stretches in which a sample's value tells its component and its time."""
    from obspy import Stream, Trace, UTCDateTime

    traces = []
    for first, length in stretches:
        values = 10_000 * ("ENZ".find(channel[-1]) + 1) + np.arange(first, first + length)
        about = {"network": "CX", "station": station, "channel": channel, "sampling_rate": rate}
        about["starttime"] = UTCDateTime(START) + first / rate + late
        traces.append(Trace(values.astype(np.int32), about))
    buffer = io.BytesIO()
    Stream(traces).write(buffer, format="MSEED")
    return buffer.getvalue()


def joined(files: Mapping[str, Stretches], **more: Any) -> dict[str, bytes]:
    return {f"{letter}.mseed": mseed(f"HH{letter}", stretches, **more) for letter, stretches in files.items()}


def whole(count: int = 400) -> dict[str, bytes]:
    return joined({letter: [(0, count)] for letter in "ENZ"})


@st.composite
def stretches_of(draw: st.DrawFn) -> Stretches:
    place, found = draw(st.integers(0, 60)), []
    for _ in range(draw(st.integers(1, 3))):
        length = draw(st.integers(2, 90))
        found.append((place, length))
        place += length + draw(st.integers(2, 40))
    return found


@settings(deadline=None, max_examples=40)
@given(st.tuples(stretches_of(), stretches_of(), stretches_of()))
def test_every_sample_stands_at_its_time_and_all_else_is_a_gap(components: tuple[Stretches, ...]) -> None:
    first = max(one[0][0] for one in components)
    last = min(one[-1][0] + one[-1][1] - 1 for one in components)
    contents = joined(dict(zip("ENZ", components, strict=True)))
    if last < first:
        with pytest.raises(DataError, match=r"CX\.PB01"):
            assemble("CX.PB01", contents)
        return
    found = assemble("CX.PB01", contents)
    assert found.start == pd.Timestamp(START) + pd.Timedelta(seconds=first / 100)
    assert found.values.dtype == np.float32
    expected = np.full((last - first + 1, 3), math.nan)
    for component, stretches in enumerate(components):
        measured = {time for begin, length in stretches for time in range(begin, begin + length)}
        for row in range(len(expected)):
            if first + row in measured:
                expected[row, component] = 10_000 * (component + 1) + first + row
    np.testing.assert_array_equal(found.values, expected)


def test_components_may_share_a_file_and_begin_microseconds_apart() -> None:
    one = mseed("HHN", [(0, 300)]) + mseed("HHE", [(0, 300)], late=4e-6)
    found = assemble("CX.PB01", {"a": one, "b": mseed("HHZ", [(0, 300)], late=2e-6)})
    assert found.values.shape == (300, 3)
    assert not np.isnan(found.values).any()
    assert found.values[17].tolist() == [10_017, 20_017, 30_017]
    assert found.hours == pytest.approx(3 / 3600)
    assert found.files == {}


REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "no E": ({name: data for name, data in whole().items() if name != "E.mseed"}, r"CX\.PB01"),
    "no Z": ({name: data for name, data in whole().items() if name != "Z.mseed"}, "Z"),
    "nothing": ({}, r"CX\.PB01"),
    "another station": ({**whole(), "x": mseed("HHZ", [(500, 9)], station="PB02")}, "x"),
    "horizontals without a direction": ({**whole(), "x": mseed("HH1", [(500, 9)])}, "HH1"),
    "another rate": ({**whole(), "E.mseed": mseed("HHE", [(0, 200)], rate=50)}, "E.mseed"),
    "a rate a little off": ({**whole(), "N.mseed": mseed("HHN", [(0, 400)], rate=100.5)}, "N.mseed"),
    "one after another": ({**whole(), "N.mseed": mseed("HHN", [(900, 50)])}, r"CX\.PB01"),
    "junk": ({**whole(), "N.mseed": bytes(range(256)) * 4}, "N.mseed"),
    "empty file": ({**whole(), "N.mseed": b""}, "N.mseed"),
    "cut off in its header": ({**whole(), "N.mseed": mseed("HHN", [(0, 400)])[:30]}, "N.mseed"),
}


@pytest.mark.parametrize(("contents", "named"), REFUSED.values(), ids=REFUSED)
def test_wrong_files_are_refused_by_name(contents: dict[str, bytes], named: str) -> None:
    with pytest.raises(DataError, match=named):
        assemble("CX.PB01", contents)


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["TRAP"],)


def test_pickled_stream_is_refused_and_not_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    with pytest.raises(DataError, match="x"):
        assemble("CX.PB01", {**whole(), "x": pickle.dumps(Trap())})
    assert not (tmp_path / "sprung").exists()


def test_records_are_put_together_by_folder_and_station_from_the_pinned_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days are records of their own, whatever the order of the registry."""
    asked = []

    def read(name: str, *, network: bool) -> bytes:
        asked.append((name, network))
        file = name.rsplit("/", 1)[1]
        station, channel = file.split(".")[1], file.split(".")[3]
        channels = [channel] if len(channel) == 3 else [f"{channel}{letter}" for letter in "ENZ"]
        return b"".join(mseed(one, [(0, 100)], station=station) for one in channels)

    monkeypatch.setattr(sources, "read", read)
    found = load_continuous(network=False)
    pinned = [name for name in data_files() if name.startswith(f"{CHILE}/")]
    assert sorted(asked) == [(name, False) for name in sorted(pinned)]
    assert {name: digest for one in found for name, digest in one.files.items()} == {
        name: data_file(name).sha256 for name in pinned
    }
    assert sorted(one.station for one in found) == ["CX.PB01"] * 3 + ["CX.PB02"] * 3
    for one in found:
        assert {Path(name).parent for name in one.files} == {Path(next(iter(one.files))).parent}


def test_record_that_is_nowhere_is_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    with pytest.raises(MissingDataError, match=CHILE):
        load_continuous(network=False)


def component(record: ContinuousRecord, letter: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] = record.values[:, "ENZ".index(letter)]
    return found


@pytest.mark.data
def test_real_hours_hold_the_samples_of_their_files() -> None:
    import obspy

    found = load_continuous(network=False)
    hours = {station: sum(one.hours for one in found if one.station == station) for station in ("CX.PB01", "CX.PB02")}
    assert list(hours.values()) == pytest.approx([14, 14], abs=1e-3)
    for record in (found[0], found[-1]):
        assert np.isnan(record.values).mean() < 0.01
        for name in record.files:
            for trace in obspy.read(Path(os.environ["REPRODUCE_DATA"]) / name, format="MSEED"):
                late = pd.Timestamp(trace.stats.starttime.datetime) - record.start
                place = round(late.total_seconds() * 100)
                middle = len(trace.data) // 2
                own = component(record, trace.stats.channel[-1])[place + middle : place + middle + 1000]
                np.testing.assert_array_equal(own, trace.data[middle : middle + 1000].astype(np.float32))
