"""Runs that are killed at any moment, run out of disk or may not write lose nothing, and break nothing for the next."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from os import killpg
from pathlib import Path

import psutil
import pytest

from reproduce_lib.papers.naufal2023.paper import PAPER
from reproduce_lib.records import Record, Store
from tests.faults.results import keep_trial
from tests.support import PROJECT, descendants, new_store, result_lines

ALL = 200
# Seconds: fewer than pass until the first unit is recorded, most of them imports, and between most units and the next.
START, STEP = 1.0, 0.06
EXPERIMENTS = ("baselines", "price_facts")
# A small real study: every baseline and every fact of one share's prices.
RUN = """
import sys
from pathlib import Path
from reproduce_lib.execution.engine import run_units
from reproduce_lib.errors import ReproduceError
from reproduce_lib.papers.naufal2023.paper import PAPER
from reproduce_lib.records import Store

folder = Path(sys.argv[1])
units = [unit for unit in PAPER.full_units() if unit.experiment in ("baselines", "price_facts")]
store = Store(folder / "records", folder / "artifacts")
try:
    summary = run_units([unit for unit in units if unit.ticker == "GOOG"], store)
except ReproduceError as error:
    sys.exit(f"{type(error).__name__}: {error}")
sys.exit(f"{len(summary.failed)} failed" if summary.failed else 0)
"""
# Writes as fast as it can what a thousand finished units would write, each with an array.
WRITE = """
import sys
from pathlib import Path
import numpy as np
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.records import Context, Store
from reproduce_lib.execution.study import write
from reproduce_lib.units import UnitResult
from reproduce_lib.execution.worker import Finished

folder = Path(sys.argv[1])
store = Store(folder / "records", folder / "artifacts")
store.file("naufal2023", "baselines").set_damaged_aside()
context = Context.of({}, "", 1, {}, {})
for seed in range(1000):
    unit = BaselineParameters.of(profile="smoke", data="simulated", seed=seed)
    result = UnitResult({"mae": float(seed)}, seed, {}, {"error": np.full(2000, seed)})
    write(Finished(unit, result, context, 1.0, "2026-01-01T00:00:00Z"), store)
"""
Found = dict[str, tuple[object, ...]]

pytestmark = pytest.mark.data


def start(program: str, folder: Path) -> subprocess.Popen[str]:
    """Start a program in a process group of its own."""
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stderr=subprocess.PIPE, start_new_session=True)


def finish(program: str, folder: Path) -> None:
    with start(program, folder) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said


@dataclass(frozen=True, order=True)
class Moment:
    """So many seconds after a folder holds so many recorded units, or after the start where none need be there."""

    units: int
    seconds: float

    @classmethod
    def drawn(cls, draw: random.Random, units: int) -> Moment:
        """Draw by progress, not by the clock: most of a short run's time goes by before it has anything to lose."""
        reached = draw.randrange(units)
        return cls(reached, draw.uniform(0, STEP if reached else START))


def recorded(folder: Path) -> int:
    """Count the lines of units, whatever state the files are in."""
    return sum(path.read_bytes().count(b'"kind":"unit"') for path in folder.glob("records/naufal2023/*.jsonl"))


def kill_at(moment: Moment, process: subprocess.Popen[str], folder: Path) -> bool:
    """Kill a program and everything that it started at a moment; tell whether it was still running."""
    with process:
        while recorded(folder) < moment.units and process.poll() is None:
            time.sleep(0.002)
        try:
            process.wait(moment.seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def found(folder: Path) -> dict[str, Record]:
    """Return what is recorded; a kill leaves one cut line at most, the last one of a file."""
    records: dict[str, Record] = {}
    for path in folder.glob("records/naufal2023/*.jsonl"):
        contents = new_store(folder).file("naufal2023", path.stem).read()
        lines = path.read_bytes().splitlines()
        assert [line.number for line in contents.damaged] in ([], [len(lines)])
        records |= contents.records
    return records


def results_of(records: dict[str, Record]) -> Found:
    return {key: (record.metrics, record.n, record.artifact) for key, record in records.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Return what a run that nobody disturbed found."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(RUN, folder)
    return results_of(found(folder))


def check_complete(folder: Path, expected: Found) -> None:
    assert results_of(found(folder)) == expected
    for path in folder.glob("records/naufal2023/*.jsonl"):
        assert not new_store(folder).file("naufal2023", path.stem).read().damaged
        lines = result_lines(path)
        assert len(lines) == len(set(lines))  # nothing was recorded twice


@dataclass(frozen=True)
class Trial:
    """How many writers were killed while they ran, and how many units they left to the run that resumed."""

    killed: int
    left: int


def trial(number: int, folder: Path, undisturbed: Found) -> Trial:
    """Start one writer, or two at once, kill each at a moment of its own, and resume."""
    draw = random.Random(number)
    writers = [start(RUN, folder) for _ in range(1 + number % 2)]
    moments = sorted(Moment.drawn(draw, len(undisturbed)) for _ in writers)
    killed = sum(kill_at(moment, writer, folder) for moment, writer in zip(moments, writers, strict=True))
    kept = results_of(found(folder))
    assert kept.items() <= undisturbed.items()
    finish(RUN, folder)
    check_complete(folder, undisturbed)
    return Trial(killed, len(undisturbed) - len(kept))


def test_undisturbed_run_records_every_unit(undisturbed: Found) -> None:
    units = [unit for unit in PAPER.full_units() if unit.experiment in EXPERIMENTS and unit.ticker == "GOOG"]  # type: ignore[attr-defined]
    assert set(undisturbed) == {unit.key for unit in units}
    assert len(units) > 15


@pytest.mark.parametrize("number", [1, *(pytest.param(number, marks=pytest.mark.slow) for number in (0, 2, 3))])
def test_killed_run_is_resumed_to_the_records_of_an_undisturbed_one(
    number: int, tmp_path: Path, undisturbed: Found
) -> None:
    assert trial(number, tmp_path, undisturbed).killed


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_two_hundred_killed_runs(tmp_path: Path, undisturbed: Found) -> None:
    begun = time.monotonic()
    trials = []
    for number in range(ALL):
        trials.append(trial(number, tmp_path / str(number), undisturbed))
        shutil.rmtree(tmp_path / str(number))
    keep_trial(
        "kills: runs killed at a random moment, two writers in every second",
        runs=ALL,
        units_of_a_run=len(undisturbed),
        writers=ALL + ALL // 2,
        writers_killed=sum(each.killed for each in trials),
        units_left_by_the_kills=sum(each.left for each in trials),
        minutes=round((time.monotonic() - begun) / 60),
    )
    assert sum(each.killed > 0 and each.left > 0 for each in trials) > 0.8 * ALL


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def workers(parent: int) -> list[psutil.Process]:
    return [child for child, command in descendants(parent).items() if "popen_loky" in command]


@pytest.mark.slow
def test_unit_of_a_killed_worker_is_run_again_and_the_run_completes(tmp_path: Path, undisturbed: Found) -> None:
    program = RUN.replace('"GOOG"], store)', '"GOOG"], store, jobs=2)')
    assert program != RUN
    with start(program, tmp_path) as process:
        wait_for(lambda: bool(found(tmp_path)) and bool(workers(process.pid)))
        random.Random(1).choice(workers(process.pid)).kill()
        _, said = process.communicate()
    assert process.returncode == 0, said
    check_complete(tmp_path, undisturbed)


@pytest.mark.slow
def test_kills_while_writing_leave_records_whose_arrays_can_be_read(tmp_path: Path) -> None:
    moments = random.Random(2)
    store: Store = new_store(tmp_path)
    kept: Found = {}
    for _ in range(12):
        kill_at(Moment(0, moments.uniform(0.6, 3)), start(WRITE, tmp_path), tmp_path)
        records = found(tmp_path)
        assert kept.items() <= results_of(records).items()
        kept = results_of(records)
        for record in records.values():
            assert store.read_arrays("naufal2023", record)["error"].tolist() == [record.n] * 2000
    assert kept
    finish(WRITE, tmp_path)
    check_complete(tmp_path, results_of(found(tmp_path)))
    assert len(found(tmp_path)) == 1000


@cache
def may_mount() -> bool:
    """Tell whether this machine lets a process mount a folder that only it sees."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


# What lies in the folder is copied to a disk of its own, the program runs there, and what it left is copied back.
ON_A_DISK = """
set -e
mount -t tmpfs -o "size=$2" tmpfs /mnt
cp -r "$1/." /mnt
[ "$3" = full ] || mount -o remount,ro /mnt
status=0
"$4" -c "$5" /mnt || status=$?
mount -o remount,size=1g /mnt || true
cp -r /mnt/. "$1"
exit $status
"""


def run_on_a_disk(folder: Path, kilobytes: int, kind: str) -> subprocess.CompletedProcess[str]:
    script = ["sh", "-c", ON_A_DISK, "sh", str(folder), f"{kilobytes}k", kind, sys.executable, RUN]
    command = ["unshare", "--user", "--map-root-user", "--mount", *script]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("kind", "room"),
    [("full", 4), *(pytest.param(*one, marks=pytest.mark.slow) for one in (("full", 8), ("read-only", 4096)))],
)
def test_disk_that_takes_no_more_is_one_clear_error_and_old_records_are_intact(
    kind: str, room: int, tmp_path: Path, undisturbed: Found
) -> None:
    if not may_mount():
        pytest.skip("this machine lets no process mount a disk of its own")
    finish(RUN.replace('"baselines", "price_facts"', '"price_facts",'), tmp_path)
    old = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in tmp_path.rglob("*") if path.is_file())
    ran = run_on_a_disk(tmp_path, used + room, kind)
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Error: " in ran.stderr
    assert {"full": "No space left", "read-only": "Read-only file system"}[kind] in ran.stderr
    assert {path: path.read_bytes()[: len(data)] for path, data in old.items()} == old
    assert results_of(found(tmp_path)).items() <= undisturbed.items()
    finish(RUN, tmp_path)
    check_complete(tmp_path, undisturbed)
