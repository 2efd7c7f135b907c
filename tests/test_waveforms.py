"""Records with picks: one time base, groups by a slow loop, archives that are refused, and the pinned files."""

from __future__ import annotations

import csv
import io
import math
import os
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.data import sources, waveforms
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.simulate import LABEL
from reproduce_lib.data.simulated_waveforms import simulate_traces
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.data.waveforms import (
    BEFORE,
    LENGTH,
    NOISE_LENGTH,
    Noise,
    Record,
    Traces,
    components_of,
    groups_of,
    load_noise,
    load_traces,
    signal_to_noise,
    traces_of,
)
from reproduce_lib.errors import DataError

Array = NDArray[Any]
Contents = dict[str, bytes]
PLAIN = "waveforms/phasenet_ncedc/XX_A_2020010203040506.npz"
CEED = "waveforms/ceed_ncedc/XX.A..HH.1.npz"
LABELS = "waveforms/ceed_ncedc/labels.csv"


def shaking(samples: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(samples, 3)).astype(np.float32)


def record(values: Array | None = None, p: int = BEFORE, s: float = 3100.0, **more: Any) -> Record:
    about = {"name": "one", "station": "XX.A", "time": pd.Timestamp("2020-01-01"), **more}
    return Record(values=shaking(9500) if values is None else values, p=p, s=s, **about)


def together(*records: Record) -> Traces:
    return traces_of({"toy": records}, {})


# One time base


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 300), st.floats(1, 7000), st.integers(0, 300))
def test_arrivals_move_with_the_samples_of_their_record(late: int, after: float, beyond: int) -> None:
    values = shaking(LENGTH + late + beyond)
    found = together(record(values, p=BEFORE + late, s=BEFORE + late + after))
    assert found.values.shape == (1, LENGTH, 3)
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values[0], values[late : late + LENGTH])
    expected = BEFORE + after if BEFORE + after < LENGTH else math.nan
    np.testing.assert_allclose(found.s, [expected])


def test_spike_at_p_stands_at_sample_3000_whatever_its_place_in_the_file() -> None:
    records = []
    for late in (0, 1, 77):
        values = 0.01 * shaking(LENGTH + 100)
        values[:, 1] = 0
        values[BEFORE + late, 2] = 5
        values[BEFORE + late + 40, 0] = 7
        records.append(record(values, p=BEFORE + late, s=BEFORE + late + 40.0, station=f"XX.{late}"))
    found = together(*records)
    assert found.values[:, :, 2].argmax(axis=1).tolist() == [3000] * 3
    assert found.values[:, :, 0].argmax(axis=1).tolist() == found.s.tolist() == [3040] * 3
    assert found.table["components"].tolist() == ["EZ"] * 3
    assert found.table[["begin", "end"]].to_numpy().tolist() == [[0, LENGTH]] * 3


def test_table_says_of_each_record_what_is_measured_in_it() -> None:
    padded = shaking(LENGTH)
    padded[:200] = padded[7000:] = 0
    padded[:, 0] = 0
    times = [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")]
    about: dict[str, Any] = {"name": "b", "station": "XX.B", "magnitude": 2.5, "distance_km": 9.0}
    found = traces_of(
        {"x": [record(time=times[0])], "y": [record(padded, s=math.nan, time=times[1], **about)]}, {"f": "0"}
    )
    table = found.table
    assert len(found) == 2
    assert table["dataset"].tolist() == ["x", "y"]
    assert table["name"].tolist() == ["one", "b"]
    assert table["station"].tolist() == ["XX.A", "XX.B"]
    assert table["components"].tolist() == ["ENZ", "NZ"]
    assert table["begin"].tolist() == [0, 200]
    assert table["end"].tolist() == [LENGTH, 7000]
    assert table["time"].tolist() == times
    assert np.array_equal(table["magnitude"], [np.nan, 2.5], equal_nan=True)
    assert np.array_equal(table["distance_km"], [np.nan, 9.0], equal_nan=True)
    assert np.array_equal(found.s, [3100, np.nan], equal_nan=True)
    assert found.files == {"f": "0"}
    assert table["group"].nunique() == 2


@pytest.mark.parametrize("chosen", [[False, True, True], [1, 2]])
def test_rows_keep_everything_of_the_chosen_records(chosen: list[int]) -> None:
    whole = together(*(record(shaking(LENGTH, n), s=3100.0 + n, station=f"XX.{n}", name=str(n)) for n in range(3)))
    found = whole.rows(np.array(chosen))
    assert found.table["name"].tolist() == ["1", "2"]
    assert found.table.index.tolist() == [0, 1]
    assert found.s.tolist() == [3101, 3102]
    np.testing.assert_array_equal(found.values, whole.values[1:])


TOO_SHORT: dict[str, Record] = {
    "P before the file": record(p=-1),
    "less than a window": record(shaking(2999), p=1000),
    "P where nothing was measured": record(np.concatenate([np.zeros((3200, 3)), shaking(6000)]), p=3100),
    "P beyond the end": record(p=20_000),
    "nothing recorded": record(np.zeros((LENGTH, 3))),
}


@pytest.mark.parametrize(("p", "count", "span"), [(1000, 3000, (2000, 5000)), (2999, 8989, (1, LENGTH))])
def test_what_is_not_measured_of_a_record_is_told(p: int, count: int, span: tuple[int, int]) -> None:
    values = shaking(count)
    found = together(record(values, p=p))
    assert tuple(found.table.loc[0, ["begin", "end"]]) == span
    np.testing.assert_array_equal(found.values[0, span[0] : span[1]], values[: span[1] - span[0]])
    assert not found.values[0, : span[0]].any()
    assert not found.values[0, span[1] :].any()


@pytest.mark.parametrize("wrong", TOO_SHORT.values(), ids=TOO_SHORT)
def test_record_that_does_not_hold_the_time_base_is_refused_by_name(wrong: Record) -> None:
    with pytest.raises(DataError, match="one"):
        together(record(), wrong)


def test_no_record_at_all_is_refused() -> None:
    with pytest.raises(DataError):
        traces_of({"toy": []}, {})


# Signal to noise


def test_ratio_is_twenty_decibels_where_the_deviation_grows_tenfold() -> None:
    values = np.zeros((4000, 3), dtype=np.float32)
    sign = np.where(np.arange(4000) % 2, 1, -1)
    values[:, 2] = 7 + sign * np.where(np.arange(4000) >= 2000, 10, 1)
    assert signal_to_noise(values, 2000) == pytest.approx(20)
    # Only five seconds on either side count, and of several components the largest ratio.
    values[:1500, 2] = values[2500:, 2] = 1e6
    values[:, 0] = sign * np.where(np.arange(4000) >= 2000, 100, 1)
    values[:, 1] = sign
    assert signal_to_noise(values, 2000) == pytest.approx(40)
    assert signal_to_noise(3 * values[:, [1, 2, 0]], 2000) == pytest.approx(40)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(500, 1500), st.floats(1e-9, 1e6))
def test_ratio_is_that_of_a_loop_over_components(seed: int, p: int, scale: float) -> None:
    values = (shaking(2000, seed) * scale + scale).astype(np.float32)
    ratios = []
    for own in values.T.astype(float):
        before, after = own[p - 500 : p], own[p : p + 500]
        deviations = [math.sqrt(((part - part.mean()) ** 2).sum() / 500) for part in (after, before)]
        ratios.append(20 * math.log10(deviations[0] / deviations[1]))
    assert signal_to_noise(values, p) == pytest.approx(max(ratios), abs=1e-4)


def test_ratio_is_told_by_components_that_have_both_and_is_nan_without_one() -> None:
    values = shaking(2000)
    values[:, 0] = 0
    values[:1000, 1] = 5
    rest = np.zeros_like(values)
    rest[:, 2] = values[:, 2]
    assert signal_to_noise(values, 1000) == signal_to_noise(rest, 1000)
    values[:, 2] = 0
    assert math.isnan(signal_to_noise(values, 1000))


@pytest.mark.parametrize("letters", ["ENZ", "Z", "EN", ""])
def test_components_are_those_that_hold_anything(letters: str) -> None:
    values = np.zeros((50, 3), dtype=np.float32)
    for letter in letters:
        values[10 + ord(letter) % 7, "ENZ".index(letter)] = -1e-9
    assert components_of(values) == letters


# Groups


def slow_groups(stations: Sequence[str], seconds: Sequence[float]) -> list[int]:
    """Spread numbers from record to record until nothing changes."""
    found = list(range(len(stations)))
    changed = True
    while changed:
        changed = False
        for one in range(len(found)):
            for other in range(len(found)):
                tied = stations[one] == stations[other] or abs(seconds[one] - seconds[other]) < 90
                if tied and found[one] != found[other]:
                    found[one] = found[other] = min(found[one], found[other])
                    changed = True
    return found


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 60).map(lambda n: 37.0 * n)), min_size=1))
def test_groups_are_those_of_a_search_over_pairs(records: list[tuple[str, float]]) -> None:
    stations, seconds = [one for one, _ in records], [two for _, two in records]
    times = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s"))
    found = groups_of(np.array(stations), times).tolist()
    expected = slow_groups(stations, seconds)
    assert len(set(zip(found, expected, strict=True))) == len(set(expected)) == len(set(found))
    assert sorted(set(found)) == list(range(len(set(found))))


def test_station_ties_earthquakes_and_earthquake_ties_stations() -> None:
    times = pd.Series(list(map(pd.Timestamp, ("2020-01-01 00:00", "2020-01-01 00:01", "2020-03-01", "2020-05-01"))))
    found = groups_of(np.array(["a", "b", "b", "c"]), times).tolist()
    assert found[0] == found[1] == found[2] != found[3]


# Archives


def archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def plain(**changed: Any) -> bytes:
    arrays = {"data": shaking(9001).astype(float), "itp": 3000, "its": 3300}
    return archive(**{name: one for name, one in {**arrays, **changed}.items() if one is not None})


def ceed(seed: int = 0, **changed: Any) -> bytes:
    about = {"network": "XX", "station": "A", "start_time": "2020-01-01T00:00:00.500000"}
    numbers_ = {"event_magnitude": 1.5, "distance_km": 12.0}
    return archive(**{"data": shaking(12_000, seed), **about, **numbers_, **changed})


def labels(*rows: tuple[str, int, int]) -> bytes:
    lines = [f"{name},{p},{s},x,y" for name, p, s in rows]
    return "\n".join(["file_name,p_idx,s_idx,p_time,s_time", *lines, ""]).encode()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what puts files in the place of all that is registered."""

    def put(contents: Mapping[str, bytes]) -> None:
        monkeypatch.setattr(waveforms, "data_files", lambda: dict.fromkeys(contents))
        monkeypatch.setattr(waveforms, "data_file", lambda name: SimpleNamespace(sha256=f"digest of {name}"))
        monkeypatch.setattr(sources, "read", lambda name, *, network: contents[name])

    return put


def test_plain_archive_is_read_with_the_names_in_its_name(serve: Any) -> None:
    other = "waveforms/phasenet_ncedc/AA_B_2019010203040506_02.npz"
    values = shaking(9001, 3).astype(float)
    table = {"waveforms/phasenet_ncedc/waveform.csv": b"fname"}
    serve({PLAIN: plain(data=values), other: plain(itp=3005, its=None), **table, "waveforms/x/no.npz": b""})
    found = load_traces(("phasenet_ncedc",))
    assert found.table["name"].tolist() == ["AA_B_2019010203040506_02.npz", "XX_A_2020010203040506.npz"]
    assert found.table["station"].tolist() == ["AA.B", "XX.A"]
    assert found.table["time"].tolist() == [pd.Timestamp("2019-01-02 03:04:05"), pd.Timestamp("2020-01-02 03:04:05")]
    assert np.array_equal(found.s, [np.nan, 3300], equal_nan=True)
    np.testing.assert_array_equal(found.values[1], values[:LENGTH].astype(np.float32))
    assert found.files == {name: f"digest of {name}" for name in (PLAIN, other)}


def test_ceed_archive_is_read_with_its_line_of_the_labels(serve: Any) -> None:
    serve({CEED: ceed(), LABELS: labels(("other.npz", 1, 2), ("XX.A..HH.1.npz", 6001, 6051))})
    found = load_traces(("ceed_ncedc",))
    np.testing.assert_array_equal(found.values[0], shaking(12_000)[3001 : 3001 + LENGTH])
    row = found.table.iloc[0]
    assert row["time"] == pd.Timestamp("2020-01-01 00:01:00.510")
    assert (row["station"], row["magnitude"], row["distance_km"]) == ("XX.A", 1.5, 12.0)
    assert found.s.tolist() == [3050]
    assert set(found.files) == {CEED, LABELS}


def spoiled(data: bytes) -> bytes:
    """Return an archive whose compressed numbers were changed."""
    middle = len(data) // 2
    return data[:middle] + bytes(one ^ 255 for one in data[middle : middle + 50]) + data[middle + 50 :]


def single(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def with_one(value: float) -> Array:
    values = shaking(9001).astype(float)
    values[17, 1] = value
    return values


WRONG: dict[str, bytes] = {
    "nothing": b"",
    "junk": bytes(range(256)),
    "archive cut off": plain()[:-40],
    "begins like an archive": b"PK\x03\x04" + bytes(100),
    "archive spoiled": spoiled(plain()),
    "one array alone": single(shaking(9001)),
    "no data": plain(data=None),
    "no P": plain(itp=None),
    "one dimension": plain(data=np.ones(9001)),
    "two components": plain(data=np.ones((9001, 2))),
    "components first": plain(data=np.ones((3, 9001))),
    "three dimensions": plain(data=np.ones((9001, 1, 3))),
    "nan": plain(data=with_one(math.nan)),
    "infinity": plain(data=with_one(math.inf)),
    "words": plain(data=np.full((9001, 3), "one")),
    "P in words": plain(itp="late"),
    "pickled": plain(data=np.full((9001, 3), 1.0, dtype=object)),
    "pickled elsewhere": plain(other=np.array([{}], dtype=object)),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_wrong_archive_is_refused_by_name(serve: Any, data: bytes) -> None:
    serve({PLAIN: data})
    with pytest.raises(DataError, match="XX_A_2020010203040506"):
        load_traces(("phasenet_ncedc",))


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["TRAP"],)


def test_nothing_in_an_archive_is_executed(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    for changed in ({"data": np.array([[Trap()] * 3], dtype=object)}, {"extra": np.array([Trap()], dtype=object)}):
        serve({PLAIN: plain(**changed)})
        with pytest.raises(DataError):
            load_traces(("phasenet_ncedc",))
    assert not (tmp_path / "sprung").exists()
    assert zipfile.is_zipfile(io.BytesIO(plain()))


def test_ceed_archive_without_a_line_of_the_labels_is_refused_by_name(serve: Any) -> None:
    serve({CEED: ceed(), LABELS: labels(("other.npz", 6000, 6050))})
    with pytest.raises(DataError, match=r"XX\.A\.\.HH\.1"):
        load_traces(("ceed_ncedc",))


@pytest.mark.parametrize("network", [True, False])
def test_files_are_asked_for_with_or_without_the_network(serve: Any, monkeypatch: Any, network: bool) -> None:
    serve({CEED: ceed(), LABELS: labels(("XX.A..HH.1.npz", 6000, 6050))})
    given_, asked = sources.read, []

    def read(name: str, *, network: bool) -> bytes:
        asked.append(network)
        return given_(name, network=network)

    monkeypatch.setattr(sources, "read", read)
    load_noise(load_traces(("ceed_ncedc",), network=network), network=network)
    assert set(asked) == {network}


# Noise


def three_of_ceed() -> Contents:
    contents = {}
    for number in range(3):
        values = shaking(12_000, number)
        if number == 1:
            values[:150] = 0
        contents[f"waveforms/ceed_ncedc/{number}.npz"] = ceed(data=values, station=f"S{number}")
    return {**contents, LABELS: labels(*((f"{number}.npz", 6000 + number, 6500) for number in range(3)))}


def test_noise_is_the_minute_before_p_less_its_last_second(serve: Any) -> None:
    serve({**three_of_ceed(), PLAIN: plain()})
    traces = load_traces(("phasenet_ncedc", "ceed_ncedc"))
    found = load_noise(traces)
    # The second record is silent for more than its first second.
    assert found.table["name"].tolist() == ["0.npz", "2.npz"]
    assert found.values.shape == (2, NOISE_LENGTH, 3)
    for own, number in zip(found.values, (0, 2), strict=True):
        np.testing.assert_array_equal(own, shaking(12_000, number)[number : number + 5900])
    groups = traces.table.set_index("name")["group"]
    assert found.table["group"].tolist() == [groups[name] for name in found.table["name"]]
    assert found.table["station"].tolist() == ["XX.S0", "XX.S2"]


def test_noise_belongs_to_the_records_that_are_asked_for(serve: Any) -> None:
    serve({**three_of_ceed(), PLAIN: plain()})
    traces = load_traces(("phasenet_ncedc", "ceed_ncedc"))
    found = load_noise(traces.rows(np.array([3, 0])))
    assert found.table["name"].tolist() == ["2.npz"]
    assert load_noise(traces.rows(np.array([0]))).values.shape == (0, NOISE_LENGTH, 3)


def test_noise_of_less_than_a_minute_is_none(serve: Any) -> None:
    serve({CEED: ceed(), LABELS: labels(("XX.A..HH.1.npz", 5999, 6100))})
    assert load_noise(load_traces(("ceed_ncedc",))).values.shape == (0, NOISE_LENGTH, 3)


# Simulated


def test_simulated_records_are_labelled_and_hold_their_arrivals() -> None:
    traces, noise = simulate_traces(3, 20)
    again, other = simulate_traces(3, 20)[0], simulate_traces(4, 20)[0]
    np.testing.assert_array_equal(traces.values, again.values)
    assert not np.array_equal(traces.values, other.values)
    assert (traces.table["dataset"] == LABEL).all()
    assert traces.values.shape == (20, LENGTH, 3)
    assert noise.values.shape == (20, NOISE_LENGTH, 3)
    assert traces.values.dtype == noise.values.dtype == np.float32
    for own, s in zip(traces.values, traces.s, strict=True):
        loud = np.abs(own) > 6
        assert not loud[:BEFORE].any()
        assert loud[BEFORE : BEFORE + 20, 2].any()
        onset = math.ceil(s)
        assert np.abs(own[onset : onset + 30, 0]).max() > 1.5 * np.abs(own[onset - 30 : onset, 0]).max()


def test_groups_of_simulated_records_are_those_of_their_stations_and_times() -> None:
    table = simulate_traces(0, 25)[0].table
    expected = groups_of(table["station"].to_numpy(), table["time"])
    assert len(set(zip(table["group"], expected, strict=True))) == 10 == len(set(expected))


# The pinned files


@cache
def pinned() -> Traces:
    return load_traces(waveforms.DATASETS, network=False)


@cache
def pinned_noise() -> Noise:
    return load_noise(pinned(), network=False)


def folder(dataset: str) -> Path:
    return Path(os.environ["REPRODUCE_DATA"]) / "waveforms" / dataset


def test_records_that_are_nowhere_are_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    with pytest.raises(MissingDataError, match="waveforms/phasenet_ncedc/"):
        load_traces(("phasenet_ncedc",), network=False)


@pytest.mark.data
def test_pinned_records_are_all_there_with_the_digests_of_their_files() -> None:
    found = pinned()
    counts = found.table["dataset"].value_counts().to_dict()
    assert counts == {"phasenet_ncedc": 154, "ceed_ncedc": 100, "denoiser_ncedc": 99, "tlpn_china": 200}
    assert len(found.files) == 553 + 1
    assert found.files == {name: data_file(name).sha256 for name in found.files}
    assert not found.table["name"].duplicated().any()
    assert {name.split("/")[1] for name in data_files() if name.startswith("waveforms/")} >= set(waveforms.DATASETS)


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["phasenet_ncedc", "denoiser_ncedc", "tlpn_china"])
def test_picks_and_components_are_those_of_the_datasets_own_table(dataset: str) -> None:
    (path,) = folder(dataset).glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["fname"]: row for row in csv.DictReader(file)}
    own = np.flatnonzero(pinned().table["dataset"] == dataset)
    assert len(own) == len(rows)
    for number in own:
        about, row = pinned().table.iloc[number], rows[pinned().table["name"][number]]
        assert about["components"] == "".join(sorted(channel[-1] for channel in row["channels"].split("_")))
        expected = float(row["its"]) - float(row["itp"]) + BEFORE if "its" in row else math.nan
        np.testing.assert_equal(pinned().s[number], expected)


@pytest.mark.data
def test_ceed_records_are_cut_at_the_picks_of_the_labels() -> None:
    with (folder("ceed_ncedc") / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = pinned().rows((pinned().table["dataset"] == "ceed_ncedc").to_numpy())
    names = own.table["name"].tolist()
    assert sorted(row["file_name"] for row in rows) == sorted(names)
    for row in rows:
        number, p = names.index(row["file_name"]), int(row["p_idx"])
        with np.load(folder("ceed_ncedc") / row["file_name"], allow_pickle=False) as file_:
            np.testing.assert_array_equal(own.values[number], file_["data"][p - 3000 : p + 5990])
            channels = [channel[-1] for channel in str(file_["channels"]).split(",")]
        # Horizontals have numbers in some networks, and in boreholes all three.
        expected = "ENZ" if len(channels) == 3 else "".join(channels)
        assert channels in ([*"ENZ"], [*"21Z"], [*"321"]) or set(channels) <= set("ENZ")
        assert own.table["components"][number] == expected
        assert own.s[number] == 3000 + int(row["s_idx"]) - p
        assert abs(own.table["time"][number] - pd.Timestamp(row["p_time"])) <= pd.Timedelta("10ms")


@pytest.mark.data
def test_no_station_and_no_earthquake_is_in_two_groups_of_the_pinned_records() -> None:
    table = pinned().table
    assert (table.groupby("station")["group"].nunique() == 1).all()
    ordered = table.sort_values("time")
    near = ordered["time"].diff().dt.total_seconds() < 90
    assert (ordered["group"].diff()[near] == 0).all()
    seconds = (table["time"] - table["time"].min()).dt.total_seconds().tolist()
    expected = slow_groups(table["station"].tolist(), seconds)
    assert len(set(zip(table["group"], expected, strict=True))) == len(set(expected)) == table["group"].nunique()


@pytest.mark.data
def test_pinned_records_hold_p_and_a_window_around_it() -> None:
    table = pinned().table
    assert (table["begin"] < BEFORE - 500).all()
    assert (table["end"] - table["begin"] >= 3000).all()
    s = pinned().s[(table["dataset"] != "denoiser_ncedc").to_numpy()]
    assert ((s > BEFORE) & (s < LENGTH)).all()
    assert np.isfinite(pinned().values).all()
    outside = [own[:begin].any() or own[end:].any() for own, begin, end in zip(
        pinned().values, table["begin"], table["end"], strict=True
    )]  # fmt: skip
    assert not any(outside)


@pytest.mark.data
def test_pinned_noise_is_what_its_file_holds_before_p() -> None:
    found = pinned_noise()
    with (folder("ceed_ncedc") / "labels.csv").open(encoding="utf-8", newline="") as file:
        p = {row["file_name"]: int(row["p_idx"]) for row in csv.DictReader(file)}
    groups = pinned().table.set_index("name")[["group", "station", "components"]]
    for own, row in zip(found.values, found.table.itertuples(), strict=True):
        with np.load(folder("ceed_ncedc") / row.name, allow_pickle=False) as file_:
            np.testing.assert_array_equal(own, file_["data"][p[row.name] - 6000 : p[row.name] - 100])
        assert (row.group, row.station, row.components) == tuple(groups.loc[row.name])


def longest_silence(values: Array) -> int:
    silent = "".join("0" if one else " " for one in ~values.any(axis=1))
    return max(map(len, silent.split()), default=0)


@pytest.mark.data
def test_pinned_noise_was_measured_from_end_to_end() -> None:
    """A gap of a second or more in what is added as noise would be a defect that nobody asked for."""
    silent = {name: longest_silence(own) for name, own in zip(
        pinned_noise().table["name"], pinned_noise().values, strict=True
    )}  # fmt: skip
    assert {name: length for name, length in silent.items() if length >= 100} == {}
