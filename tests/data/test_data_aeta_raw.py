"""The raw ten-minute series: gaps and grids by a slow loop, refusals, folders of one's own, and the real month."""

from __future__ import annotations

import csv
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.data import sources
from reproduce_lib.data.aeta import load_stations
from reproduce_lib.data.aeta_raw import RawSeries, assemble, load_raw_folder, load_raw_month, parse_raw
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError

STEP = 600
START = 1_606_752_000  # 2020-12-01 00:00 in China
NAMES = {"magn": ("var", "skew", "ulf_var"), "sound": ("var", "mean")}
# time -> numbers of one file
Series = Mapping[int, Sequence[float]]
MAGN = "StationID,TimeStamp,magn@var,magn@skew,magn@ulf_var"
Files = dict[str, bytes]


def header_of(modality: str) -> str:
    return ",".join(["StationID", "TimeStamp", *(f"{modality}@{name}" for name in NAMES[modality])])


def text(station: int, modality: str, series: Series) -> bytes:
    rows = [",".join(map(repr, [station, time, *numbers])) for time, numbers in series.items()]
    return "".join(f"{line}\n" for line in [header_of(modality), *rows]).encode()


def readers(files: Mapping[str, bytes]) -> dict[str, Callable[[], bytes]]:
    def of(data: bytes) -> Callable[[], bytes]:
        return lambda: data

    return {name: of(data) for name, data in files.items()}


def put_together(files: Mapping[str, bytes]) -> RawSeries:
    return assemble(readers(files), {"a": "0"})


def two_stations() -> Files:
    """Return two stations that begin and end at different times, with a gap each."""
    return {
        "12_sound.csv": text(12, "sound", {600: (1.5, 2.5), 1800: (3.5, 4.5)}),
        "7_magn.csv": text(7, "magn", {1200: (1, 2, 3), 2400: (4, 5, 6)}),
        "12_magn.csv": text(12, "magn", {1200: (7, 8, 9)}),
        "7_sound.csv": text(7, "sound", {3000: (-1, -2), 1200: (-3, -4)}),
    }


# One grid


def test_series_of_two_stations_by_hand() -> None:
    found = put_together(two_stations())
    n = math.nan
    assert found.stations.tolist() == [7, 12]
    assert found.features == ("magn@var", "magn@skew", "magn@ulf_var", "sound@var", "sound@mean")
    assert found.times.tolist() == [
        pd.Timestamp("1970-01-01 08:10") + pd.Timedelta(minutes=10 * step) for step in range(5)
    ]
    expected = [
        [[n] * 5, [1, 2, 3, -3, -4], [n] * 5, [4, 5, 6, n, n], [n, n, n, -1, -2]],
        [[n, n, n, 1.5, 2.5], [7, 8, 9, n, n], [n, n, n, 3.5, 4.5], [n] * 5, [n] * 5],
    ]
    assert np.array_equal(found.values, np.array(expected, dtype=np.float32), equal_nan=True)
    assert found.values.dtype == np.float32
    assert found.measured.shape == (2, 5, 2)
    assert found.measured[0].tolist() == [[False] * 2, [True] * 2, [False] * 2, [True, False], [False, True]]
    assert found.files == {"a": "0"}


def test_order_in_which_files_are_found_changes_nothing() -> None:
    files = two_stations()
    one, other = put_together(files), put_together({name: files[name] for name in sorted(files, reverse=True)})
    assert np.array_equal(one.values, other.values, equal_nan=True)
    assert (one.features, one.stations.tolist()) == (other.features, other.stations.tolist())


@st.composite
def month_of(draw: st.DrawFn) -> dict[tuple[int, str], dict[int, list[float]]]:
    """Return (station, modality) -> time -> numbers, in any order of time."""
    stations = draw(st.lists(st.integers(0, 60_000), min_size=1, max_size=3, unique=True))
    number = st.floats(-1e6, 1e6, width=32)
    found = {}
    for station in stations:
        for modality, names in NAMES.items():
            steps = draw(st.lists(st.integers(-20, 20), min_size=1, max_size=12, unique=True))
            row = st.lists(number, min_size=len(names), max_size=len(names))
            found[station, modality] = {START + STEP * step: draw(row) for step in steps}
    return found


@settings(deadline=None, max_examples=60)
@given(month_of())
def test_every_number_stands_at_its_station_time_and_feature_and_all_else_is_a_gap(
    month: dict[tuple[int, str], dict[int, list[float]]],
) -> None:
    found = put_together({f"{station}_{one}.csv": text(station, one, rows) for (station, one), rows in month.items()})
    seconds = [time for rows in month.values() for time in rows]
    grid = list(range(min(seconds), max(seconds) + 1, STEP))
    assert found.stations.tolist() == sorted({station for station, _ in month})
    epoch = datetime(1970, 1, 1)
    assert [time.to_pydatetime() - epoch for time in found.times] == [timedelta(hours=8, seconds=s) for s in grid]
    for row, station in enumerate(found.stations.tolist()):
        for column, feature in enumerate(found.features):
            modality, _, name = feature.partition("@")
            own = month[station, modality]
            place = NAMES[modality].index(name)
            expected = np.array([own[time][place] if time in own else math.nan for time in grid], dtype=np.float32)
            assert np.array_equal(found.values[row, :, column], expected, equal_nan=True)
        for place, modality in enumerate(("magn", "sound")):
            assert found.measured[row, :, place].tolist() == [time in month[station, modality] for time in grid]


# Refusals


def row(*cells: object) -> bytes:
    return f"{MAGN}\n{','.join(map(str, cells))}\n".encode()


GOOD = text(7, "magn", {600: (1, 2, 3), 1200: (4, 5, 6)})
REFUSED: dict[str, tuple[bytes, list[str]]] = {
    "nothing": (b"", []),
    "header alone": (f"{MAGN}\n".encode(), []),
    "no feature": (b"StationID,TimeStamp\n7,600\n", []),
    "no station": (GOOD.replace(b"StationID", b"Station"), []),
    "exchanged": (GOOD.replace(b"StationID,TimeStamp", b"TimeStamp,StationID"), []),
    "feature of the other modality": (GOOD.replace(b"magn@skew", b"sound@skew"), ["sound@skew", "magn"]),
    "feature of no modality": (GOOD.replace(b"magn@skew", b"skew"), ["skew"]),
    "another station": (GOOD.replace(b"7,1200", b"8,1200"), []),
    "station in words": (row("seven", 600, 1, 2, 3), []),
    "no station in a row": (row("", 600, 1, 2, 3), []),
    "off the grid": (row(7, 601, 1, 2, 3), ["600"]),
    "between seconds": (row(7, 600.5, 1, 2, 3), []),
    "time in words": (row(7, "now", 1, 2, 3), []),
    "no time": (row(7, "", 1, 2, 3), []),
    "infinite time": (row(7, "inf", 1, 2, 3), []),
    "one time twice": (GOOD + b"7,600,1,2,3\n", ["600"]),
    "one row twice": (GOOD + b"7,1200,4,5,6\n", ["1200"]),
    "empty value": (row(7, 600, 1, "", 3), []),
    "value in words": (row(7, 600, 1, "much", 3), []),
    "nan": (row(7, 600, 1, "nan", 3), []),
    "infinite value": (row(7, 600, 1, "-inf", 3), []),
    "value beyond single precision": (row(7, 600, 1, "1e39", 3), []),
    "row cut off": (GOOD[:-3], []),
    "cell too many in a row": (GOOD + b"7,1800,7,8,9,10\n", []),
    "cell too many in all rows": (row(7, 600, 1, 2, 3, 4), []),
    "semicolons": (GOOD.replace(b",", b";"), []),
    "another encoding": (GOOD.decode().encode("utf-16"), []),
    "junk": (bytes(range(256)) * 4, []),
    "zeros": (bytes(64), []),
}


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize(("data", "named"), REFUSED.values(), ids=REFUSED)
def test_wrong_file_is_refused_by_name(data: bytes, named: list[str]) -> None:
    with pytest.raises(DataError) as refusal:
        parse_raw(data, "7_magn.csv")
    assert [word for word in ("7_magn.csv", *named) if word not in str(refusal.value)] == []


def test_good_file_is_read_whatever_its_line_ends_and_first_bytes() -> None:
    expected = parse_raw(GOOD, "7_magn.csv")
    assert expected.index.tolist() == [600, 1200]
    assert expected.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    for data in (GOOD.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + GOOD, GOOD + b"\n\n", GOOD.rstrip()):
        pd.testing.assert_frame_equal(parse_raw(data, "7_magn.csv"), expected)


@pytest.mark.parametrize("name", ["magn.csv", "7_magn.txt", "7_ulf.csv", "x_magn.csv", "-7_magn.csv", "7_magn.csv.gz"])
def test_file_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=re.escape(name)):
        parse_raw(GOOD, name)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["insert", "delete", "cut"]), st.binary(max_size=3)),
        min_size=1,
        max_size=3,
    )
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_spoiled_bytes_are_refused_or_still_hold_every_invariant(changes: list[tuple[float, str, bytes]]) -> None:
    data = GOOD
    for share, kind, junk in changes:
        place = int(share * len(data))
        data = {
            "insert": data[:place] + junk + data[place:],
            "delete": data[:place] + data[place + 2 :],
            "cut": data[:place],
        }[kind]
    try:
        table = parse_raw(data, "7_magn.csv")
    except DataError as error:
        assert "7_magn.csv" in str(error)
        return
    assert len(table) > 0
    assert table.index.is_unique
    assert (table.index.to_numpy() % STEP == 0).all()
    assert np.isfinite(table.to_numpy()).all()
    assert all(str(name).startswith("magn@") for name in table.columns)


@pytest.mark.parametrize("lost", sorted(two_stations()))
def test_station_of_one_modality_is_refused_by_the_file_that_is_not_there(lost: str) -> None:
    files = two_stations()
    del files[lost]
    with pytest.raises(DataError, match=re.escape(lost)):
        put_together(files)


@pytest.mark.parametrize("name", ["7_magn.csv", "12_magn.csv", "7_sound.csv", "12_sound.csv"])
def test_station_with_other_features_is_refused(name: str) -> None:
    """Whichever of the two is the stranger, the refusal names a station's file."""
    files = two_stations()
    for old, new in ((b"@var", b"@other"), (b"skew,magn@ulf_var", b"ulf_var,magn@skew"), (b"sound@mean", b"sound@max")):
        changed = {**files, name: files[name].replace(old, new)}
        if changed != files:
            with pytest.raises(DataError, match=r"\d+_(magn|sound)\.csv"):
                put_together(changed)


def test_wrong_file_among_good_ones_is_refused_by_its_name() -> None:
    with pytest.raises(DataError, match=r"12_sound\.csv"):
        put_together({**two_stations(), "12_sound.csv": b"spoiled"})


@pytest.mark.parametrize("time", [9_223_372_036_854_775_200, 6 * 10**17])
def test_time_beyond_all_calendars_is_refused(time: int) -> None:
    with pytest.raises(DataError, match=r"7_magn\.csv|" + str(time)):
        put_together({**two_stations(), "7_magn.csv": text(7, "magn", {600: (1, 2, 3), time: (4, 5, 6)})})


def test_time_of_more_digits_than_an_integer_holds_is_refused() -> None:
    with pytest.raises(DataError, match=r"7_magn\.csv"):
        parse_raw(row(7, "6e20", 1, 2, 3), "7_magn.csv")


def test_feature_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"7_magn\.csv"):
        parse_raw(GOOD.replace(b"magn@skew", b"magn@var"), "7_magn.csv")


def test_station_with_two_files_of_a_modality_is_refused() -> None:
    again = text(7, "magn", {6000: (1, 2, 3)})
    with pytest.raises(DataError, match=r"07_magn\.csv"):
        put_together({**two_stations(), "07_magn.csv": again})


# Folders


def folder_of(path: Path, files: Mapping[str, bytes]) -> Path:
    path.mkdir(exist_ok=True)
    for name, data in files.items():
        (path / name).write_bytes(data)
    return path


def test_folder_of_ones_own_is_read_and_other_files_in_it_are_left_alone(tmp_path: Path) -> None:
    others = {
        "readme.txt": b"x", "7_magn.csv.bak": b"x", "a7_magn.csv": b"x", "7_magn_old.csv": b"x", "7_ulf.csv": b"x",
    }  # fmt: skip
    found = load_raw_folder(folder_of(tmp_path, {**two_stations(), **others}))
    expected = put_together(two_stations())
    assert np.array_equal(found.values, expected.values, equal_nan=True)
    assert found.features == expected.features
    assert (found.times == expected.times).all()
    assert found.files == {}


def test_folder_without_a_station_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(str(tmp_path))):
        load_raw_folder(folder_of(tmp_path, {"7.csv": GOOD}))


def test_folder_of_a_spoiled_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"7_sound\.csv"):
        load_raw_folder(folder_of(tmp_path, {**two_stations(), "7_sound.csv": GOOD}))


def test_folder_that_is_not_there_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises((DataError, OSError), match="nowhere"):
        load_raw_folder(tmp_path / "nowhere")


# The pinned month


def test_month_is_read_from_the_pinned_files_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def read(name: str, **options: Any) -> bytes:
        asked.append((name, options))
        match = re.fullmatch(r"aeta/raw_202012/(\d+)_(magn|sound)\.csv", name)
        assert match is not None
        numbers = range(len(NAMES[match[2]]))
        return text(int(match[1]), match[2], {START + STEP * int(match[1]): [*map(float, numbers)]})

    monkeypatch.setattr(sources, "read", read)
    found = load_raw_month(network=False)
    pinned = [name for name in data_files() if name.startswith("aeta/raw_202012/")]
    assert sorted(name for name, _ in asked) == sorted(pinned)
    assert all(options == {"network": False} for _, options in asked)
    assert found.files == {name: data_file(name).sha256 for name in pinned}
    assert len(pinned) == 2 * len(found.stations) == 64
    first = found.stations[0]
    places = np.flatnonzero(found.measured.all(axis=2).any(axis=0))
    assert places.tolist() == (found.stations - first).tolist()


def test_month_that_is_nowhere_is_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    with pytest.raises(MissingDataError, match="aeta/raw_202012/"):
        load_raw_month(network=False)


# The real files


@cache
def real() -> RawSeries:
    return load_raw_month(network=False)


def rows_of(station: int, modality: str) -> Iterator[dict[str, str]]:
    path = Path(os.environ["REPRODUCE_DATA"]) / "aeta" / "raw_202012" / f"{station}_{modality}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.slow
@pytest.mark.data
def test_real_month_has_its_stations_times_and_features() -> None:
    found = real()
    folder = Path(os.environ["REPRODUCE_DATA"]) / "aeta" / "raw_202012"
    named = {int(path.name.partition("_")[0]) for path in folder.glob("*.csv")}
    assert found.stations.tolist() == sorted(named)
    assert found.values.shape == (32, 31 * 144, 95)
    assert (found.times[0], found.times[-1]) == (pd.Timestamp("2020-12-01"), pd.Timestamp("2020-12-31 23:50"))
    assert set(np.diff(found.times.to_numpy())) == {np.timedelta64(10, "m")}
    assert [name.partition("@")[0] for name in found.features] == ["magn"] * 51 + ["sound"] * 44
    assert len(set(found.features)) == 95
    assert sum(name.startswith("magn@ulf_") for name in found.features) == 10
    stations = load_stations(network=False).set_index("station")
    assert stations.loc[found.stations, "usable"].all()


@pytest.mark.data
@pytest.mark.parametrize("station", [36, 182, 60251])
@pytest.mark.parametrize("modality", ["magn", "sound"])
def test_numbers_of_a_real_file_are_where_they_should_be(station: int, modality: str) -> None:
    """Every seventeenth row by the text of the file, its time written as a clock in China shows it."""
    found = real()
    place = found.stations.tolist().index(station)
    own = [number for number, name in enumerate(found.features) if name.startswith(modality)]
    times = set()
    for number, line in enumerate(rows_of(station, modality)):
        time = pd.Timestamp(datetime(1970, 1, 1) + timedelta(seconds=int(line["TimeStamp"]), hours=8))
        times.add(time)
        if number % 17 == 0:
            step = found.times.get_loc(time)
            expected = np.array([line[found.features[column]] for column in own], dtype=np.float64)
            np.testing.assert_array_equal(found.values[place, step, own], expected.astype(np.float32))
    measured = found.measured[place, :, ("magn", "sound").index(modality)]
    assert set(found.times[measured]) == times
    assert np.isnan(found.values[place][~measured][:, own]).all()
    assert not np.isnan(found.values[place][measured][:, own]).any()


@pytest.mark.data
def test_gaps_of_the_real_month_are_rows_that_are_not_there() -> None:
    """Counted line by line in all files."""
    found = real()
    folder = Path(os.environ["REPRODUCE_DATA"]) / "aeta" / "raw_202012"
    lines = [
        [(folder / f"{station}_{one}.csv").read_bytes().count(b"\n") - 1 for one in ("magn", "sound")]
        for station in found.stations
    ]
    assert found.measured.sum(axis=1).tolist() == lines
    assert np.isnan(found.values).any()
    assert not np.isinf(found.values).any()


@pytest.mark.data
def test_folder_of_two_real_stations_holds_what_the_month_holds_of_them(tmp_path: Path) -> None:
    source = Path(os.environ["REPRODUCE_DATA"]) / "aeta" / "raw_202012"
    for name in ("36_magn.csv", "36_sound.csv", "60251_magn.csv", "60251_sound.csv"):
        shutil.copy(source / name, tmp_path)
    found, month = load_raw_folder(tmp_path), real()
    assert found.stations.tolist() == [36, 60251]
    assert found.features == month.features
    times = np.isin(month.times, found.times)
    assert times.sum() == len(found.times)
    chosen = month.values[np.isin(month.stations, [36, 60251])]
    assert np.array_equal(found.values, chosen[:, times], equal_nan=True)
    assert np.isnan(chosen[:, ~times]).all()


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the largest memory is read from /proc")
def test_month_is_loaded_in_little_time_and_memory() -> None:
    code = (
        "import pathlib, time; start = time.perf_counter()\n"
        "from reproduce_lib.data.aeta_raw import load_raw_month; load_raw_month(network=False)\n"
        "print(time.perf_counter() - start)\n"
        "print(pathlib.Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    seconds, kibibytes = map(float, done.stdout.split())
    assert seconds < 20
    assert kibibytes < 1.5e9 / 1024
