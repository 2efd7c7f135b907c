"""Processes that are killed at any moment lose nothing that was finished, and break nothing for the next run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from reproduce_lib.papers.naufal2023 import BaselineParameters, NetworkParameters
from reproduce_lib.records import Record, Store
from tests.support import PROJECT, new_store, result_lines

pytestmark = pytest.mark.slow

COMMON = {"profile": "smoke", "data": "simulated"}
UNITS = [
    *(
        BaselineParameters.of(**COMMON, method=method, skip_days=skip)
        for method in ("naive", "drift")
        for skip in (0, 1)
    ),
    *(NetworkParameters.of(**COMMON, model="lstm", window=1, epochs=1, seed=seed) for seed in range(4)),
    BaselineParameters.of(**COMMON, method="naive", skip_days=30),
]
RUN = f"""
import sys
from pathlib import Path
from reproduce_lib.errors import RunError
from reproduce_lib.papers.naufal2023 import BaselineParameters, NetworkParameters
from reproduce_lib.records import Store
from reproduce_lib.engine import run_units

folder = Path(sys.argv[1])
units = [{", ".join(map(repr, UNITS))}]
try:
    run_units(units, Store(folder / "records", folder / "artifacts"), jobs=2)
except RunError as error:
    sys.exit(f"RunError: {{error}}")
"""
# Writes as fast as it can what a thousand finished units would write, each with an array.
WRITE = """
import sys
from pathlib import Path
import numpy as np
from reproduce_lib.papers.naufal2023 import BaselineParameters
from reproduce_lib.records import Context, Store
from reproduce_lib.study import write
from reproduce_lib.units import UnitResult
from reproduce_lib.worker import Finished

folder = Path(sys.argv[1])
store = Store(folder / "records", folder / "artifacts")
store.file("naufal2023", "baselines").set_damaged_aside()
context = Context.of({}, "", 1, {}, {})
for seed in range(1000):
    unit = BaselineParameters.of(profile="smoke", data="simulated", seed=seed)
    result = UnitResult({"mae": float(seed)}, seed, {}, {"error": np.full(2000, seed)})
    write(Finished(unit, result, context, 1.0, "2026-01-01T00:00:00Z"), store)
"""


def start(program: str, folder: Path) -> subprocess.Popen[str]:
    """Start a program in a process group of its own."""
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stderr=subprocess.PIPE, start_new_session=True)


def finish(program: str, folder: Path) -> None:
    with start(program, folder) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said


def kill_at(program: str, folder: Path, seconds: float) -> None:
    """Kill a program and everything that it started, ``seconds`` after its start, if it still runs."""
    with start(program, folder) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def found(folder: Path) -> dict[str, Record]:
    """Return what is recorded; a kill leaves one cut line at most, the last one of a file."""
    records: dict[str, Record] = {}
    for path in folder.glob("records/naufal2023/*.jsonl"):
        contents = new_store(folder).file("naufal2023", path.stem).read()
        lines = path.read_bytes().splitlines()
        assert [line.number for line in contents.damaged] in ([], [len(lines)])
        records |= contents.records
    return records


def results(records: dict[str, Record]) -> dict[str, tuple[object, ...]]:
    return {key: (record.metrics, record.n, record.artifact) for key, record in records.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[object, ...]], float]:
    """Return the results of a run that nobody killed, and its seconds."""
    folder = tmp_path_factory.mktemp("undisturbed")
    begun = time.monotonic()
    finish(RUN, folder)
    return results(found(folder)), time.monotonic() - begun


def check_complete(folder: Path, expected: dict[str, tuple[object, ...]]) -> None:
    assert results(found(folder)) == expected
    for path in folder.glob("records/naufal2023/*.jsonl"):
        assert not new_store(folder).file("naufal2023", path.stem).read().damaged
        lines = result_lines(path)
        assert len(lines) == len(set(lines))  # nothing was computed twice


def test_undisturbed_run_records_every_unit(undisturbed: tuple[dict[str, tuple[object, ...]], float]) -> None:
    assert set(undisturbed[0]) == {unit.key for unit in UNITS}


def test_kills_at_any_moment_lose_no_finished_unit(
    tmp_path: Path, undisturbed: tuple[dict[str, tuple[object, ...]], float]
) -> None:
    expected, seconds = undisturbed
    moments = random.Random(0)
    kept: dict[str, tuple[object, ...]] = {}
    for _ in range(5):
        kill_at(RUN, tmp_path, moments.uniform(0.1, 0.8) * seconds)
        now = results(found(tmp_path))
        assert kept.items() <= now.items()
        kept = now
    finish(RUN, tmp_path)
    check_complete(tmp_path, expected)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def workers(parent: int) -> list[psutil.Process]:
    children = psutil.Process(parent).children(recursive=True)
    return [child for child in children if any("popen_loky" in word for word in child.cmdline())]


def test_unit_of_a_killed_worker_is_run_again_and_the_run_completes(
    tmp_path: Path, undisturbed: tuple[dict[str, tuple[object, ...]], float]
) -> None:
    with start(RUN, tmp_path) as process:
        wait_for(lambda: bool(found(tmp_path)) and bool(workers(process.pid)))
        random.Random(1).choice(workers(process.pid)).kill()
        _, said = process.communicate()
    assert process.returncode == 0, said
    check_complete(tmp_path, undisturbed[0])


def test_kills_while_writing_leave_records_whose_arrays_can_be_read(tmp_path: Path) -> None:
    moments = random.Random(2)
    store: Store = new_store(tmp_path)
    kept: dict[str, tuple[object, ...]] = {}
    for _ in range(12):
        kill_at(WRITE, tmp_path, moments.uniform(0.6, 3))
        records = found(tmp_path)
        assert kept.items() <= results(records).items()
        kept = results(records)
        for record in records.values():
            assert store.read_arrays("naufal2023", record)["error"].tolist() == [record.n] * 2000
    assert kept
    finish(WRITE, tmp_path)
    check_complete(tmp_path, results(found(tmp_path)))
    assert len(found(tmp_path)) == 1000
