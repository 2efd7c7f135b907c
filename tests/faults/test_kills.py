"""Runs that are killed at any moment, run out of disk or may not write lose nothing, and break nothing for the next."""

from __future__ import annotations

import errno
import itertools
import os
import random
import re
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
from typing import Any

import numpy as np
import psutil
import pytest

from reproduce_lib.book.faults_page import ARRAYS, DISKS, KILLS, WORKERS
from reproduce_lib.errors import RecordError
from reproduce_lib.execution.study import write
from reproduce_lib.execution.worker import Finished
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.records import Context, Record
from reproduce_lib.store import Store
from reproduce_lib.units import UnitResult
from tests.faults.results import keep_case, keep_trial
from tests.faults.small_study import Study, units_of
from tests.support import PROJECT, descendants, new_store, result_lines

ALL = 200
# Seconds: fewer than pass until the first unit is recorded, most of them imports, and between most units and the next.
START, STEP = 1.0, {"real": 0.06, "simulated": 0.005}
PROGRAM = ("-m", "tests.faults.small_study")
# Writes as fast as it can what a thousand finished units would write, each with an array.
WRITE = """
import sys
from pathlib import Path
import numpy as np
from reproduce_lib.errors import RecordError
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.records import Context
from reproduce_lib.store import Store
from reproduce_lib.execution.study import write
from reproduce_lib.units import UnitResult
from reproduce_lib.execution.worker import Finished

folder = Path(sys.argv[1])
store = Store(folder / "records", folder / "artifacts")
store.file("naufal2023", "baselines").set_damaged_aside()
context = Context.of({}, "", 1, {}, {})
try:
    for seed in range(1000):
        unit = BaselineParameters.of(profile="smoke", data="simulated", seed=seed)
        result = UnitResult({"mae": float(seed)}, seed, {}, {"error": np.full(2000, seed)})
        write(Finished(unit, result, context, 1.0, "2026-01-01T00:00:00Z"), store)
except RecordError as error:
    sys.exit(f"Error: {error}")
"""
Found = dict[str, tuple[object, ...]]


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start Python with these arguments in a process group of its own."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stderr=subprocess.PIPE, start_new_session=True)


def finish(*arguments: object) -> None:
    with start(*arguments) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said


@dataclass(frozen=True, order=True)
class Moment:
    """So many seconds after a folder holds so many recorded units, or after the start where none need be there."""

    units: int
    seconds: float

    @classmethod
    def drawn(cls, draw: random.Random, units: int, step: float) -> Moment:
        """Draw by progress, not by the clock: most of a short run's time goes by before it has anything to lose."""
        reached = draw.randrange(units)
        return cls(reached, draw.uniform(0, step if reached else START))


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


@dataclass(frozen=True)
class Undisturbed:
    """What a run of a study that nobody disturbed left in its folder."""

    study: Study
    folder: Path
    results: Found


def run_undisturbed(study: Study, folder: Path) -> Undisturbed:
    finish(*PROGRAM, study, folder)
    return Undisturbed(study, folder, results_of(found(folder)))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return run_undisturbed("simulated", tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return run_undisturbed("real", tmp_path_factory.mktemp("real"))


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


def trial(number: int, folder: Path, undisturbed: Undisturbed) -> Trial:
    """Start one writer, or two at once, kill each at a moment of its own, and resume."""
    draw = random.Random(number)
    run = (*PROGRAM, undisturbed.study, folder)
    expected = undisturbed.results
    writers = [start(*run) for _ in range(1 + number % 2)]
    moments = sorted(Moment.drawn(draw, len(expected), STEP[undisturbed.study]) for _ in writers)
    killed = sum(kill_at(moment, writer, folder) for moment, writer in zip(moments, writers, strict=True))
    kept = results_of(found(folder))
    assert kept.items() <= expected.items()
    finish(*run)
    check_complete(folder, expected)
    return Trial(killed, len(expected) - len(kept))


def check_every_unit_is_recorded(undisturbed: Undisturbed) -> None:
    units = units_of(undisturbed.study)
    assert set(undisturbed.results) == {unit.key for unit in units}
    assert len(units) > 15


def test_undisturbed_run_records_every_unit(simulated: Undisturbed) -> None:
    check_every_unit_is_recorded(simulated)


@pytest.mark.slow
@pytest.mark.data
def test_undisturbed_run_of_a_real_study_records_every_unit(real: Undisturbed) -> None:
    check_every_unit_is_recorded(real)


@pytest.mark.parametrize("number", [1, *(pytest.param(number, marks=pytest.mark.slow) for number in (0, 2, 3))])
def test_killed_run_is_resumed_to_the_records_of_an_undisturbed_one(
    number: int, tmp_path: Path, simulated: Undisturbed
) -> None:
    assert trial(number, tmp_path, simulated).killed


@pytest.mark.long
@pytest.mark.data
@pytest.mark.timeout(3 * 3600)
def test_two_hundred_killed_runs(tmp_path: Path, real: Undisturbed) -> None:
    begun = time.monotonic()
    trials = []
    for number in range(ALL):
        trials.append(trial(number, tmp_path / str(number), real))
        shutil.rmtree(tmp_path / str(number))
    keep_trial(
        KILLS,
        runs=ALL,
        units_of_a_run=len(real.results),
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
@pytest.mark.data
def test_unit_of_a_killed_worker_is_run_again_and_the_run_completes(tmp_path: Path, real: Undisturbed) -> None:
    """Of a study whose units take long enough for one to be met at work."""
    with start(*PROGRAM, "real", tmp_path, 2) as process:
        wait_for(lambda: bool(found(tmp_path)) and bool(workers(process.pid)))
        random.Random(1).choice(workers(process.pid)).kill()
        _, said = process.communicate()
    assert process.returncode == 0, said
    check_complete(tmp_path, real.results)
    keep_trial(WORKERS, runs=1, workers_killed=1, units_of_the_run=len(real.results))


def check_arrays(store: Store, records: dict[str, Record]) -> None:
    for record in records.values():
        assert store.read_arrays("naufal2023", record)["error"].tolist() == [record.n] * 2000


@pytest.mark.slow
def test_kills_while_writing_leave_records_whose_arrays_can_be_read(tmp_path: Path) -> None:
    moments = random.Random(2)
    store: Store = new_store(tmp_path)
    kept: Found = {}
    killed = 0
    for _ in range(12):
        killed += kill_at(Moment(0, moments.uniform(0.6, 3)), start("-c", WRITE, tmp_path), tmp_path)
        records = found(tmp_path)
        assert kept.items() <= results_of(records).items()
        kept = results_of(records)
        check_arrays(store, records)
    assert kept
    finish("-c", WRITE, tmp_path)
    check_complete(tmp_path, results_of(found(tmp_path)))
    assert len(found(tmp_path)) == 1000
    keep_trial(ARRAYS, runs=12, writers_killed=killed, arrays_kept_by_then=len(kept), arrays_read_at_last=1000)


@cache
def may_mount() -> bool:
    """Tell whether this machine lets a process mount a folder that only it sees."""
    command = [*OF_ITS_OWN, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--mount")
# What lies in the folder is copied to a disk of its own, the program runs there, and what it left is copied back.
ON_A_DISK = """
set -e
folder=$1 size=$2 kind=$3
shift 3
mount -t tmpfs -o "size=$size" tmpfs /mnt
cp -r "$folder/." /mnt
[ "$kind" = full ] || mount -o remount,ro /mnt
status=0
"$@" /mnt || status=$?
mount -o remount,size=1g /mnt || true
cp -r /mnt/. "$folder"
exit $status
"""
# To a superuser every folder may be written, unless this capability is taken from what he starts.
NO_MORE_THAN_OTHERS = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
Ran = subprocess.CompletedProcess[str]
RUN = (sys.executable, *PROGRAM, "simulated")


def run_on_a_disk(folder: Path, kilobytes: int, kind: str, program: tuple[str, ...] = RUN) -> Ran:
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in files_of(folder))
    script = ("sh", "-c", ON_A_DISK, "sh", str(folder), f"{used + kilobytes}k", kind, *program)
    return subprocess.run([*OF_ITS_OWN, *script], cwd=PROJECT, capture_output=True, text=True, check=False)


def run_as_on_a_disk(folder: Path, kilobytes: int, kind: str, program: tuple[str, ...] = RUN) -> Ran:
    """Stand in for a disk where none may be mounted: files that may not grow, or folders that may not be written."""
    if kind == "full":
        largest = max(path.stat().st_size for path in files_of(folder)) + kilobytes * 1024
        command = ["prlimit", f"--fsize={largest}", *program, str(folder)]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = [*(NO_MORE_THAN_OTHERS if os.geteuid() == 0 else ()), *program, str(folder)]
    try:
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


WAYS: dict[str, Callable[..., Ran]] = {"mounted": run_on_a_disk, "stand-in": run_as_on_a_disk}
SAID = {
    ("mounted", "full"): "No space left", ("mounted", "read-only"): "Read-only file system",
    ("stand-in", "full"): "File too large", ("stand-in", "read-only"): "Permission denied",
}  # fmt: skip


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def begin(undisturbed: Undisturbed, folder: Path) -> None:
    """Put the beginning of a study into a folder: its context and a few units."""
    (whole,) = undisturbed.folder.glob("records/naufal2023/*.jsonl")
    begun = folder / whole.relative_to(undisturbed.folder)
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:16]))


def check_that_this_machine_can(way: str) -> None:
    """Skip a way that this machine does not have; where one is required, having neither is a failure."""
    can = {"mounted": may_mount(), "stand-in": all(map(shutil.which, ("prlimit", "setpriv")))}
    if not any(can.values()) and os.environ.get("REPRODUCE_REQUIRE_DISK"):
        pytest.fail("no disk may be mounted here, and prlimit and setpriv, which could stand in for one, are missing")
    if not can[way]:
        pytest.skip("this machine lets no process mount a disk of its own, or has no prlimit and setpriv")


# The stand-in is tried wherever it can be: where it has to do, a disk cannot be mounted to compare it with.
@pytest.mark.parametrize(
    "way", ["mounted", pytest.param("stand-in", marks=[] if not may_mount() else pytest.mark.slow)]
)
@pytest.mark.parametrize(("kind", "room"), [pytest.param("full", 4, marks=pytest.mark.slow), ("read-only", 4096)])
def test_disk_that_takes_no_more_is_one_clear_error_and_old_records_are_intact(
    kind: str, room: int, way: str, tmp_path: Path, simulated: Undisturbed
) -> None:
    check_that_this_machine_can(way)
    begin(simulated, tmp_path)
    old = {path: path.read_bytes() for path in files_of(tmp_path)}
    ran = WAYS[way](tmp_path, room, kind)
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Error: " in ran.stderr
    assert SAID[way, kind] in ran.stderr
    assert {path: path.read_bytes()[: len(data)] for path, data in old.items()} == old
    recorded_by_then = results_of(found(tmp_path))
    assert recorded_by_then.items() <= simulated.results.items()
    if kind == "read-only":
        assert {path: path.read_bytes() for path in files_of(tmp_path)} == old
    else:
        assert len(recorded_by_then) > 15, "the disk had room for a few more"
        finish(*PROGRAM, "simulated", tmp_path)
        check_complete(tmp_path, simulated.results)
    keep_case(DISKS, f"{kind}, {way}")


def record_with_arrays(store: Store, seed: int, number: int) -> None:
    """Record a unit whose arrays are unlike those of any other number."""
    unit = BaselineParameters.of(profile="smoke", data="simulated", seed=seed)
    result = UnitResult({"mae": float(number)}, number, {}, {"error": np.full(2000, number)})
    write(Finished(unit, result, Context.of({}, "", 1, {}, {}), 1.0, "2026-01-01T00:00:00Z"), store)


def check_that_nothing_is_half(folder: Path) -> None:
    records = found(folder)
    check_arrays(new_store(folder), records)
    assert not new_store(folder).file("naufal2023", "baselines").read().damaged
    arrays = {path.name for path in (folder / "artifacts" / "naufal2023").iterdir()}
    assert arrays == {f"{key}.npz" for key in records}


@pytest.mark.parametrize("room", [8, pytest.param(64, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "way", ["mounted", pytest.param("stand-in", marks=[] if not may_mount() else pytest.mark.slow)]
)
def test_disk_that_is_full_while_arrays_are_written_leaves_each_record_with_its_own(
    way: str, room: int, tmp_path: Path
) -> None:
    """Of ten units that were recorded with other arrays and are run again, and of new ones."""
    check_that_this_machine_can(way)
    for seed in range(10):
        record_with_arrays(new_store(tmp_path), seed, 5000 + seed)
    (path,) = tmp_path.glob("records/naufal2023/*.jsonl")
    old, keys = path.read_bytes(), set(found(tmp_path))
    ran = WAYS[way](tmp_path, room, "full", (sys.executable, "-c", WRITE))
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert re.search(rf"^Error: .*(\.npz|\.jsonl) cannot be written: {SAID[way, 'full']}", ran.stderr)
    assert path.read_bytes().startswith(old)
    assert set(found(tmp_path)) >= keys
    check_that_nothing_is_half(tmp_path)
    keep_case(DISKS, f"full while arrays are written, {way}")


@pytest.mark.parametrize("seed", [0, 1], ids=["in place of old ones", "new ones"])
def test_write_that_fails_at_any_step_leaves_records_and_arrays_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    record_with_arrays(new_store(tmp_path), 0, 5000)
    before = {path: path.read_bytes() for path in files_of(tmp_path)}
    steps = 0

    def may_fail(call: Callable[..., Any], failing: int) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == failing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments)

        return called

    for failing in itertools.count(1):
        steps = 0
        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", may_fail(os.fsync, failing))
            disk.setattr(Path, "replace", may_fail(Path.replace, failing))
            try:
                record_with_arrays(new_store(tmp_path), seed, 7)
            except RecordError as error:
                assert "No space left" in str(error)
            else:
                break
        assert {path: path.read_bytes() for path in files_of(tmp_path)} == before
        check_that_nothing_is_half(tmp_path)
    assert failing > 4  # two files are written, and one or two put in their place
    check_that_nothing_is_half(tmp_path)
    assert [one.n for one in found(tmp_path).values()] == ([7] if seed == 0 else [5000, 7])
