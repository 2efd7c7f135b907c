"""Records from elsewhere: a dataset and a service that stand in for SeisBench and FDSN, both made in the test."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.data.waveform_services import (
    P_COLUMNS,
    S_COLUMNS,
    PickedArrival,
    load_seisbench,
    query_traces,
    seisbench_traces,
)
from reproduce_lib.data.waveforms import BEFORE, LENGTH, NOISE_LENGTH
from reproduce_lib.errors import DataError

Array = NDArray[Any]
P_NAME, S_NAME = P_COLUMNS[0], S_COLUMNS[0]
P = pd.Timestamp("2020-06-01 12:00:00")


# SeisBench


@dataclass
class FakeDataset:
    """Records of three components by samples, at 100 samples a second, with what is told of each."""

    rows: list[dict[str, Any]]
    waveforms: list[Array]
    asked: list[float] = field(default_factory=list)

    @property
    def metadata(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)

    def get_waveforms(self, idx: int, *, sampling_rate: float) -> Array:
        assert isinstance(idx, int)
        self.asked.append(sampling_rate)
        return self.waveforms[idx]


def shaking(samples: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(3, samples))


def about(p: float = 6500.0, s: float = 6800.0, number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        P_NAME: p,
        S_NAME: s,
        "trace_name": f"trace {number}",
        "station_network_code": "XX",
        "station_code": f"S{number}",
        "trace_start_time": f"2020-01-{1 + number:02d}T00:00:00.25Z",
        "trace_sampling_rate_hz": 100.0,
        "source_magnitude": 1.5,
        "path_ep_distance_km": 20.0,
        **more,
    }


def test_records_are_cut_around_p_with_all_that_is_told_of_them() -> None:
    waveforms = [shaking(15_000, seed) for seed in range(2)]
    dataset = FakeDataset([about(), about(7000.4, 7301.2, 1)], waveforms)
    traces, noise = seisbench_traces(dataset, "Toy")
    assert dataset.asked == [100, 100]
    for number, onset in enumerate((6500, 7000)):
        expected = waveforms[number].T.astype(np.float32)
        np.testing.assert_array_equal(traces.values[number], expected[onset - 3000 : onset + 5990])
        np.testing.assert_array_equal(noise.values[number], expected[onset - 6000 : onset - 100])
    np.testing.assert_allclose(traces.s, [3300, 3301.2])
    assert traces.table["name"].tolist() == noise.table["name"].tolist() == ["trace 0", "trace 1"]
    assert traces.table["station"].tolist() == ["XX.S0", "XX.S1"]
    assert traces.table["dataset"].tolist() == ["Toy"] * 2
    assert traces.table["magnitude"].tolist() == [1.5] * 2
    assert traces.table["distance_km"].tolist() == [20.0] * 2
    assert traces.table["time"].tolist() == [
        pd.Timestamp("2020-01-01 00:01:05.25"),
        pd.Timestamp("2020-01-02 00:01:10.25"),
    ]
    assert traces.files == {}


def test_picks_at_another_rate_are_counted_in_samples_of_a_hundred_a_second() -> None:
    values = 0.01 * shaking(15_000)
    values[2, 6500], values[0, 6900] = 9, 9
    for rate, p, s in ((50.0, 3250, 3450), (200.0, 13_000, 13_800), (40.0, 2600, 2760)):
        dataset = FakeDataset([about(p, s, trace_sampling_rate_hz=rate)], [values])
        traces, _ = seisbench_traces(dataset, "Toy")
        assert traces.values[0, :, 2].argmax() == BEFORE
        assert traces.values[0, :, 0].argmax() == traces.s[0] == 3400


LEFT_OUT: dict[str, tuple[dict[str, Any], Array]] = {
    "no P": (about(math.nan), shaking(15_000)),
    "no S": (about(6500, math.nan), shaking(15_000)),
    "P before the record": (about(-1), shaking(15_000)),
    "P behind the record": (about(6500), shaking(6500)),
    "less than 30 s around P": (about(1000), shaking(2999)),
    "nothing recorded": (about(), np.zeros((3, 15_000))),
    "no number at all": (about(), np.full((3, 15_000), math.nan)),
}


@pytest.mark.parametrize(("row", "waveform"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_record_without_picks_or_without_enough_around_them_is_left_out(row: dict[str, Any], waveform: Array) -> None:
    good = shaking(15_000, 7)
    dataset = FakeDataset([row, about(number=1)], [waveform, good])
    traces, noise = seisbench_traces(dataset, "Toy")
    assert traces.table["name"].tolist() == noise.table["name"].tolist() == ["trace 1"]
    np.testing.assert_array_equal(traces.values[0], good.T[3500:12_490].astype(np.float32))
    with pytest.raises(DataError, match="Toy"):
        seisbench_traces(FakeDataset([row], [waveform]), "Toy")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(2900, 6200), st.integers(-20, 20)), min_size=1, max_size=5))
def test_noise_is_that_of_the_records_it_is_named_after(records: list[tuple[int, int]]) -> None:
    rows = [about(p, p + 300, number) for number, (p, _) in enumerate(records)]
    waveforms = [shaking(p + 5990 + more, number) for number, (p, more) in enumerate(records)]
    usable = list(range(len(records)))
    traces, noise = seisbench_traces(FakeDataset(rows, waveforms), "Toy")
    assert traces.table["name"].tolist() == [f"trace {number}" for number in usable]
    long = [number for number in usable if records[number][0] >= 6000]
    assert noise.table["name"].tolist() == [f"trace {number}" for number in long]
    assert noise.values.shape == (len(long), NOISE_LENGTH, 3)
    groups = traces.table.set_index("name")["group"]
    for own, number, group in zip(noise.values, long, noise.table["group"], strict=True):
        p = records[number][0]
        np.testing.assert_array_equal(own, waveforms[number].T[p - 6000 : p - 100].astype(np.float32))
        assert group == groups[f"trace {number}"]


def test_gaps_of_a_record_are_zeros_and_a_lost_component_is_empty() -> None:
    values = shaking(15_000)
    values[1] = math.nan
    values[:, :3600] = math.nan
    traces, _ = seisbench_traces(FakeDataset([about()], [values]), "Toy")
    assert traces.table[["components", "begin", "end"]].to_numpy().tolist() == [["EZ", 100, LENGTH]]
    assert np.isfinite(traces.values).all()


@pytest.mark.parametrize("padding", [0.0, math.nan])
def test_padding_before_p_is_no_noise(padding: float) -> None:
    """Datasets fill up what was not recorded; what is added as noise was measured."""
    values = shaking(15_000)
    values[:, :3000] = padding
    traces, noise = seisbench_traces(FakeDataset([about(), about(number=1)], [values, shaking(15_000)]), "Toy")
    assert len(traces) == 2
    assert noise.table["name"].tolist() == ["trace 1"]


def test_first_column_that_holds_an_arrival_counts() -> None:
    rows = [about(math.nan, math.nan, number) for number in range(3)]
    rows[0] |= {P_COLUMNS[2]: 6500, S_COLUMNS[3]: 6600}
    rows[1] |= {P_COLUMNS[0]: 6400, P_COLUMNS[2]: 6500, S_COLUMNS[2]: 6600, S_COLUMNS[3]: 6700}
    traces, _ = seisbench_traces(FakeDataset(rows, [shaking(15_000, n) for n in range(3)]), "Toy")
    assert traces.s.tolist() == [3100, 3200]
    np.testing.assert_array_equal(traces.values[1], shaking(15_000, 1).T[3400:12_390].astype(np.float32))


@pytest.mark.parametrize("lost", [P_NAME, S_NAME])
def test_dataset_without_picks_is_refused_by_its_name(lost: str) -> None:
    row = {name: value for name, value in about().items() if name != lost}
    with pytest.raises(DataError, match="Toy"):
        seisbench_traces(FakeDataset([row], [shaking(15_000)]), "Toy")


def test_records_without_a_time_are_earthquakes_of_their_own() -> None:
    codes = ["A", "B", "C", "A"]
    rows = [about(number=number, trace_start_time=None, station_code=code) for number, code in enumerate(codes)]
    traces, _ = seisbench_traces(FakeDataset(rows, [shaking(15_000, n) for n in range(4)]), "Toy")
    groups = traces.table["group"].tolist()
    assert groups[0] == groups[3]
    assert len({*groups}) == 3
    for row in rows:
        del row["trace_start_time"]
    again, _ = seisbench_traces(FakeDataset(rows, [shaking(15_000, n) for n in range(4)]), "Toy")
    assert again.table["group"].tolist() == groups


def test_time_is_utc_whatever_zone_it_is_told_in() -> None:
    rows = [about(), about(number=1, trace_start_time="2020-01-01T02:00:00.25+02:00")]
    traces, _ = seisbench_traces(FakeDataset(rows, [shaking(15_000, n) for n in range(2)]), "Toy")
    assert traces.table["time"].nunique() == 1
    assert traces.table["group"].nunique() == 1


def test_seisbench_that_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "seisbench", None)
    with pytest.raises(DataError, match="seisbench"):
        load_seisbench("ETHZ")


def test_dataset_is_looked_up_by_name_and_asked_for_in_the_order_of_components(monkeypatch: Any) -> None:
    asked: list[dict[str, Any]] = []

    def toy(**options: Any) -> FakeDataset:
        asked.append(options)
        return FakeDataset([about()], [shaking(15_000)])

    package, data = ModuleType("seisbench"), ModuleType("seisbench.data")
    package.data, data.Toy = data, toy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "seisbench", package)
    monkeypatch.setitem(sys.modules, "seisbench.data", data)
    traces, _ = load_seisbench("Toy")
    assert asked == [{"component_order": "ENZ"}]
    assert traces.table["dataset"].tolist() == ["Toy"]
    with pytest.raises(DataError, match="Nowhere"):
        load_seisbench("Nowhere")


# FDSN


Signal = Any


@dataclass
class FakeClient:
    """A service that has the given components of any station, as functions of the seconds since P."""

    components: dict[str, Signal]
    rate: float = 100.0
    gaps: dict[str, tuple[float, float]] = field(default_factory=dict)
    late: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def get_waveforms(self, *args: Any) -> Any:
        """Return what lies between begin and end; a gap splits a trace in two."""
        from obspy import Stream, Trace, UTCDateTime

        self.asked.append(args)
        network, station, _, channels, begin, end = args
        stream = Stream()
        for letter, signal in self.components.items():
            first = begin + self.late.get(letter, 0.0)
            seconds = np.arange(math.floor((end - first) * self.rate + 1e-6) + 1) / self.rate
            since = seconds + (first - UTCDateTime(P.to_pydatetime()))
            values = np.asarray(signal(since), dtype=float)
            head = {"network": network, "station": station, "channel": channels[:2] + letter}
            lost = self.gaps.get(letter)
            parts = [np.full(len(since), True)] if lost is None else [since < lost[0], since >= lost[1]]
            for part in parts:
                start = first + float(seconds[part][0])
                stream.append(Trace(values[part], {**head, "sampling_rate": self.rate, "starttime": start}))
        return stream


def spike(at: float, height: float) -> Signal:
    return lambda since: np.where(np.abs(since - at) < 1e-4, height, 0.0)


def wave(frequency: float) -> Signal:
    return lambda since: np.sin(2 * np.pi * frequency * since)


def noise_of(seed: int) -> Signal:
    return lambda since: np.random.default_rng(seed).normal(size=len(since))


def pick(**more: Any) -> PickedArrival:
    return PickedArrival(**{"network": "XX", "station": "A", "p": P, **more})


def test_service_is_asked_for_thirty_seconds_before_p_and_a_minute_after_it() -> None:
    from obspy import UTCDateTime

    client = FakeClient({"E": spike(2, 7), "N": noise_of(1), "Z": spike(0, 9)})
    found = query_traces(client, [pick(s=P + pd.Timedelta("2s"), magnitude=2.0)])
    ((*words, begin, end),) = client.asked
    assert words == ["XX", "A", "*", "HH?"]
    at = UTCDateTime(2020, 6, 1, 12)
    assert begin == at - 30
    assert end >= at + 59.89
    assert found.values.shape == (1, LENGTH, 3)
    assert found.values[0, :, 2].argmax() == BEFORE
    assert found.values[0, :, 0].argmax() == found.s[0] == BEFORE + 200
    assert found.table["components"].tolist() == ["ENZ"]
    assert found.table["time"].tolist() == [P]
    assert found.table["station"].tolist() == ["XX.A"]
    assert found.table["magnitude"].tolist() == [2.0]
    assert found.table["dataset"].tolist() == ["fdsn"]


def test_component_that_the_service_lacks_is_zero() -> None:
    found = query_traces(FakeClient({"N": noise_of(1), "Z": noise_of(2)}), [pick()], "mine")
    assert found.table["components"].tolist() == ["NZ"]
    assert not found.values[0, :, 0].any()
    assert math.isnan(found.s[0])
    assert found.table["dataset"].tolist() == ["mine"]


class Choosing(FakeClient):
    """Has whole records of one station, something else of others."""

    def get_waveforms(self, *args: Any) -> Any:
        from obspy import Stream
        from obspy.clients.fdsn.header import FDSNNoDataException

        match args[1]:
            case "GAP":
                return FakeClient({**self.components}, gaps={"N": (-5.0, -4.0)}).get_waveforms(*args)
            case "LATE":
                return FakeClient({**self.components}, late=dict.fromkeys("ENZ", 5.0)).get_waveforms(*args)
            case "ZERO":
                return FakeClient({"Z": np.zeros_like}).get_waveforms(*args)
            case "EMPTY":
                return Stream()
            case "NONE":
                raise FDSNNoDataException("No data available for request.")
        return super().get_waveforms(*args)


@pytest.mark.parametrize("station", ["GAP", "LATE", "ZERO", "EMPTY", "NONE"])
def test_record_that_the_service_has_not_or_not_whole_is_left_out(station: str) -> None:
    client = Choosing({"E": noise_of(1), "N": noise_of(2), "Z": noise_of(3)})
    found = query_traces(client, [pick(station=station), pick(station="GOOD")])
    assert found.table["station"].tolist() == ["XX.GOOD"]
    with pytest.raises(DataError):
        query_traces(client, [pick(station=station)])


def test_no_pick_gives_no_record() -> None:
    with pytest.raises(DataError):
        query_traces(FakeClient({}), [])


@pytest.mark.parametrize("rate", [20.0, 40.0, 50.0, 125.0, 200.0, 250.0])
def test_other_rates_are_resampled_with_p_in_its_place(rate: float) -> None:
    smooth: Signal = lambda since: np.exp(-0.5 * (since / 0.4) ** 2)  # noqa: E731
    found = query_traces(FakeClient({"E": wave(0.5), "N": wave(0.5), "Z": smooth}, rate=rate), [pick()])
    assert found.table["components"].tolist() == ["ENZ"]
    assert abs(int(found.values[0, :, 2].argmax()) - BEFORE) <= 1
    since = (np.arange(LENGTH) - BEFORE) / 100
    middle = slice(1000, LENGTH - 1000)
    np.testing.assert_allclose(found.values[0, middle, 2], smooth(since)[middle], atol=0.03)
    np.testing.assert_allclose(found.values[0, middle, 0], wave(0.5)(since)[middle], atol=0.05)


@pytest.mark.parametrize(("rate", "frequency"), [(200.0, 10.0), (50.0, 10.0), (40.0, 8.0), (50.0, 5.0)])
def test_resampling_leaves_waves_that_both_rates_hold_as_strong_as_they_were(rate: float, frequency: float) -> None:
    """Ten hertz are far below the 25 that 50 samples a second can hold: P would lose what tells it from noise."""
    client = FakeClient(dict.fromkeys("ENZ", wave(frequency)), rate=rate)
    found = query_traces(client, [pick()])
    middle = found.values[0, 2000:-2000, 2].astype(float)
    assert math.sqrt(2) * middle.std() == pytest.approx(1, abs=0.05)
