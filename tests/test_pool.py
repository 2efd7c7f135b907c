"""Units in real worker processes: their number, their order, their deaths, Ctrl-C, limits, and a Dask cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest

from reproduce_lib.execution import pool
from reproduce_lib.execution.pool import Due, Stop, cores
from reproduce_lib.record_files import RecordFile
from tests.python_path import path_with
from tests.support import PROJECT, NoisyParameters, smoke_baseline

# Runs toy units, given as dictionaries in the order of their start, and prints how the run ended.
RUN = """
import json, sys
from pathlib import Path
from reproduce_lib.execution.engine import run_plan
from reproduce_lib.errors import RunError
from reproduce_lib.papers.toy import ToyParameters
from reproduce_lib.execution.plan import Plan
from reproduce_lib.execution import pool
from reproduce_lib.execution.pool import Due, Workers
from reproduce_lib.store import Store

asked = json.loads(sys.argv[1])
folder = Path(sys.argv[2])
store = Store(folder / "records", folder / "artifacts")
due = tuple(Due(ToyParameters.of(**unit), unit.get("lasts")) for unit in asked["units"])
workers = Workers(asked.get("jobs", 2), asked.get("dask", ""))
try:
    summary = run_plan(Plan(store, (), due), workers, limit_seconds=asked.get("limit"))
except RunError as error:
    sys.exit(f"RunError: {error}")
failed = {one.unit.number: one.message for one in summary.failed}
left = len(due) - summary.ended.total()
print(json.dumps({"written": summary.written.total(), "failed": failed, "left": left, "ending": summary.ending}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of the package that has the toy paper."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(PROJECT / "reproduce_lib", folder / "reproduce_lib", ignore=shutil.ignore_patterns("__pycache__"))
    papers = folder / "reproduce_lib" / "papers"
    shutil.copy(PROJECT / "tests" / "toy" / "paper.py", papers / "toy.py")
    listing = folder / "reproduce_lib" / "collection.py"
    text = listing.read_text(encoding="utf-8")
    assert text.count("TITLES = {") == 1
    listing.write_text(text.replace("TITLES = {", 'TITLES = {\n    "toy": "toy",'), encoding="utf-8")
    return folder


def environment(project: Path, folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": path_with(project), "TOY_FOLDER": str(folder)}


def start(project: Path, folder: Path, **asked: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, json.dumps(asked), str(folder)]
    return subprocess.Popen(
        command,
        cwd=project,
        env=environment(project, folder),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(project: Path, folder: Path, **asked: Any) -> dict[str, Any]:
    with start(project, folder, **asked) as process:
        out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    ending: dict[str, Any] = json.loads(out)
    return ending


def units(count: int, **values: Any) -> list[dict[str, Any]]:
    return [{"number": number, **values} for number in range(count)]


def recorded(folder: Path) -> Counter[int]:
    """Count the lines of each unit in the records file, checking that each holds what its unit measures."""
    path = folder / "records" / "toy" / "units.jsonl"
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines()) if path.is_file() else []
    found = [line for line in lines if line["kind"] == "unit"]
    assert all(line["metrics"]["mae"] == 2.0 * line["parameters"]["number"] for line in found)
    assert not RecordFile(path).read().damaged
    return Counter(line["parameters"]["number"] for line in found)


def started(folder: Path) -> dict[int, int]:
    """Return how often each unit was started."""
    paths = folder.glob("starts-*")
    return {int(path.name.rpartition("-")[2]): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}


def spans(folder: Path) -> list[list[float]]:
    """Return number, begin, end, process and threads of each unit that measured something."""
    return [[float(word) for word in line.split()] for line in (folder / "spans").read_text().splitlines()]


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def most_at_once(folder: Path) -> int:
    edges = sorted(
        [(begin, 1) for _, begin, _, _, _ in spans(folder)] + [(end, -1) for _, _, end, _, _ in spans(folder)]
    )
    running = [sum(step for _, step in edges[: position + 1]) for position in range(len(edges))]
    return max(running)


def test_jobs_are_the_number_of_units_at_a_time_and_workers_are_kept(project: Path, tmp_path: Path) -> None:
    asked = units(8, lasts=0.15)
    assert run(project, tmp_path, units=asked, jobs=1) == {"written": 8, "failed": {}, "left": 0, "ending": "finished"}
    assert most_at_once(tmp_path) == 1
    assert [int(number) for number, *_ in spans(tmp_path)] == list(range(8))
    assert {int(threads) for *_, threads in spans(tmp_path)} == {1}
    assert len({int(process) for *_, process, _ in spans(tmp_path)}) <= 2
    assert recorded(tmp_path) == Counter(range(8))


@pytest.mark.slow
@pytest.mark.processes
def test_jobs_never_exceed_the_cores(project: Path, tmp_path: Path) -> None:
    run(project, tmp_path, units=units(3 * cores() + 3, lasts=0.2), jobs=2 * cores() + 1)
    assert most_at_once(tmp_path) <= cores()


@pytest.mark.slow
@pytest.mark.processes
def test_unit_that_kills_its_worker_fails_alone_after_a_second_try(project: Path, tmp_path: Path) -> None:
    asked = [*units(6, lasts=0.05), {"number": 9, "does": "die"}, *({**unit, "seed": 1} for unit in units(3))]
    ending = run(project, tmp_path, units=asked)
    assert (ending["written"], ending["left"], list(ending["failed"])) == (9, 0, ["9"])
    assert "died" in ending["failed"]["9"]
    assert started(tmp_path)[9] == 2
    assert recorded(tmp_path) == Counter({0: 2, 1: 2, 2: 2, 3: 1, 4: 1, 5: 1})


def test_whoever_stops_listening_is_not_warned_that_the_rest_is_cancelled() -> None:
    outcomes = pool.execute_units([Due(smoke_baseline(skip_days=days)) for days in (0, 1, 30)], pool.Workers(2))
    next(outcomes)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcomes.close()  # type: ignore[attr-defined]
    assert caught == []


def test_unit_whose_worker_dies_once_is_recorded_once(project: Path, tmp_path: Path) -> None:
    asked = [{"number": 7, "does": "die once"}, *units(4, lasts=0.05)]
    assert run(project, tmp_path, units=asked)["failed"] == {}
    assert started(tmp_path)[7] == 2
    assert recorded(tmp_path) == Counter([7, 0, 1, 2, 3])


def test_unit_that_raises_fails_at_once_and_is_not_tried_again(project: Path, tmp_path: Path) -> None:
    ending = run(project, tmp_path, units=[{"number": 5, "does": "raise"}, *units(2)])
    message, _, path = ending["failed"]["5"].partition("; traceback: ")
    assert message == "ValueError: unit 5 raises"
    assert Path(path).parent == Path(os.environ["REPRODUCE_HOME"]) / "tracebacks"
    assert re.search(r'File ".*toy\.py", line \d+, in run', Path(path).read_text(encoding="utf-8"))
    assert started(tmp_path) == {0: 1, 1: 1, 5: 1}


def test_unit_that_is_warned_of_what_will_go_fails_in_tests_and_only_its_own_code_counts(
    project: Path, tmp_path: Path
) -> None:
    ending = run(project, tmp_path, units=[{"number": 3, "does": "get old"}, *units(1)])
    assert ending["failed"]["3"].startswith("DeprecationWarning: ours will go")
    assert (list(ending["failed"]), ending["written"]) == (["3"], 1)


@pytest.mark.slow
@pytest.mark.processes
def test_first_interrupt_finishes_what_runs_and_starts_nothing_more(project: Path, tmp_path: Path) -> None:
    with start(project, tmp_path, units=units(12, lasts=1.5)) as process:
        wait_for(lambda: len(started(tmp_path)) == 2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the workers too
        out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    ending = json.loads(out)
    assert (ending["ending"], ending["failed"]) == ("interrupted", {})
    assert ending["written"] == len(started(tmp_path)) == 12 - ending["left"]
    assert recorded(tmp_path).keys() == started(tmp_path).keys()
    assert run(project, tmp_path, units=[unit for unit in units(12) if unit["number"] not in recorded(tmp_path)])
    assert recorded(tmp_path) == Counter(range(12))


@pytest.mark.slow
@pytest.mark.processes
def test_second_interrupt_abandons_what_runs(project: Path, tmp_path: Path) -> None:
    with start(project, tmp_path, units=[{"number": 0}, *units(4, lasts=60, seed=1)]) as process:
        wait_for(lambda: bool(recorded(tmp_path)) and len(started(tmp_path)) >= 2)
        children = psutil.Process(process.pid).children(recursive=True)
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)
        _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT or "KeyboardInterrupt" in said
    assert recorded(tmp_path) == Counter([0])
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running()]


def test_no_unit_is_started_that_would_not_end_before_the_limit(project: Path, tmp_path: Path) -> None:
    asked = [{"number": 0, "lasts": 30.0}, {"number": 1, "lasts": 0.5}, {"number": 2, "lasts": 20.0}]
    ending = run(project, tmp_path, units=[*asked, {"number": 3, "lasts": 0.2}], limit=15)
    assert (ending["ending"], ending["left"]) == ("time limit", 2)
    assert recorded(tmp_path) == Counter([1, 3])


def test_limit_allows_what_fits_and_what_nobody_knows_the_length_of() -> None:
    unit = NoisyParameters()
    stop = Stop(limit_seconds=100)
    assert stop.allows([Due(unit, 60.0), Due(unit, 30.0)])
    assert not stop.allows([Due(unit, 60.0), Due(unit, 60.0)])
    assert stop.allows([Due(unit)])
    assert not Stop(limit_seconds=0).allows([Due(unit)])
    stop.requested.set()
    assert not stop.allows([Due(unit, 0.0)])


def test_backend_after_a_gpus_gets_all_jobs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "cores", lambda: 4)
    processes = pool._Processes(4)
    monkeypatch.setattr(processes, "_shut_down", lambda **options: None)
    for backend, jobs in (("jax_gpu", 1), ("jax", 4)):
        processes.prepare(backend)
        assert processes.jobs == jobs


# On a Dask cluster


@contextmanager
def cluster(
    project: Path, folder: Path, workers: int = 3, threads: int = 1, options_of_workers: Sequence[str] = ()
) -> Iterator[tuple[str, psutil.Process]]:
    """Start a scheduler and workers as separate programs, as a user would; yield the scheduler's address."""
    (folder / "dask").mkdir()
    where = environment(project, folder)
    file = folder / "dask" / "scheduler.json"
    options: dict[str, Any] = {"cwd": folder / "dask", "env": where, "stdout": subprocess.DEVNULL}
    options["stderr"] = subprocess.DEVNULL
    dask = [sys.executable, "-m", "dask"]
    with subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)],
        **options,
    ) as scheduler:
        wait_for(file.is_file)
        address = json.loads(file.read_text(encoding="utf-8"))["address"]
        counts = ["--nworkers", str(workers), "--nthreads", str(threads)]
        command = [*dask, "worker", address, *counts, "--no-dashboard", *options_of_workers]
        with subprocess.Popen(command, **options) as started_workers:
            try:
                with distributed.Client(address, set_as_default=False) as client:
                    client.wait_for_workers(workers, timeout=60)
                yield address, psutil.Process(started_workers.pid)
            finally:
                for program in (started_workers, scheduler):
                    for child in psutil.Process(program.pid).children(recursive=True):
                        child.kill()
                    program.kill()


def worker_processes(nanny: psutil.Process) -> list[psutil.Process]:
    return [child for child in nanny.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
@pytest.mark.processes
def test_units_on_a_cluster_are_recorded_exactly_once_though_a_worker_is_killed(project: Path, tmp_path: Path) -> None:
    asked = units(24, lasts=0.5)
    with (
        cluster(project, tmp_path) as (address, nanny),
        start(project, tmp_path, units=asked, dask=address) as process,
    ):
        wait_for(lambda: len(recorded(tmp_path)) >= 3)
        pids = {int(text) for path in tmp_path.glob("starts-*") for text in path.read_text().split()}
        victim = next(child for child in worker_processes(nanny) if child.pid in pids)
        victim.kill()
        out, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert json.loads(out) == {"written": 24, "failed": {}, "left": 0, "ending": "finished"}
    assert recorded(tmp_path) == Counter(range(24))
    assert len({int(pid) for *_, pid, _ in spans(tmp_path)} - {victim.pid}) >= 2
    assert {int(threads) for *_, threads in spans(tmp_path)} == {1}
    assert most_at_once(tmp_path) <= 3


@pytest.mark.slow
def test_cluster_whose_workers_share_a_process_is_refused(project: Path, tmp_path: Path) -> None:
    with (
        cluster(project, tmp_path, workers=1, threads=2) as (address, _),
        start(project, tmp_path, units=units(2), dask=address) as process,
    ):
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"RunError: .*--nthreads 1", said)
    assert not started(tmp_path)


@pytest.mark.slow
def test_cluster_that_holds_older_code_fails_its_units_and_records_nothing(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    paper = other / "reproduce_lib" / "papers" / "toy.py"
    paper.write_text(paper.read_text().replace('{"mae": 2.0 *', '{"mae": 3.0 *'))
    loaded_before = ["--preload", "reproduce_lib.papers.toy"]
    with (
        cluster(other, tmp_path, workers=1, options_of_workers=loaded_before) as (address, _),
        start(project, tmp_path, units=units(2), dask=address) as process,
    ):
        out, said = process.communicate(timeout=90)
    assert process.returncode == 0, said
    ending = json.loads(out)
    assert ending["written"] == 0
    assert all("reproduce_lib.papers.toy.run" in message for message in ending["failed"].values())
    assert len(ending["failed"]) == 2
    assert not recorded(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("on_a_cluster", [False, True])
def test_units_of_two_backends_find_workers_that_hold_theirs(project: Path, tmp_path: Path, on_a_cluster: bool) -> None:
    asked = [{"number": i, "does": "load keras", "backend": ("jax", "tensorflow")[i % 2]} for i in range(6)]
    if on_a_cluster:
        with cluster(project, tmp_path, workers=2) as (address, _):
            run(project, tmp_path, units=asked, dask=address)
    else:
        run(project, tmp_path, units=asked)
    assert recorded(tmp_path) == Counter(range(6))
    found = RecordFile(tmp_path / "records" / "toy" / "units.jsonl").read().records.values()
    assert all(record.metrics["keras"] == record.parameters["backend"] for record in found)


def test_scheduler_that_does_not_answer_is_one_error(project: Path, tmp_path: Path) -> None:
    with start(project, tmp_path, units=units(1), dask="tcp://127.0.0.1:9") as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RunError: no Dask scheduler answers at tcp://127.0.0.1:9" in said
