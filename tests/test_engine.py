from __future__ import annotations

import ast
import dataclasses
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reproduce_lib import paths
from reproduce_lib.errors import RecordError, RunError
from reproduce_lib.execution import engine, environment, study, worker
from reproduce_lib.execution.closure import code_digests
from reproduce_lib.execution.engine import run_plan, run_units
from reproduce_lib.execution.plan import make_plan
from reproduce_lib.execution.pool import Due, Silent, Stop, Workers
from reproduce_lib.execution.run_log import Run, RunLog
from reproduce_lib.execution.study import damaged_lines, store_for, unit_statuses
from reproduce_lib.execution.worker import Failed, Finished
from reproduce_lib.papers.naufal2023 import baselines
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.networks import MODELS, NetworkParameters
from reproduce_lib.papers.naufal2023.paper import PAPER
from reproduce_lib.records import Context
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters, UnitResult
from tests.support import HERE, PROJECT, execute_here, new_store, put, result_lines, smoke_baseline, smoke_network

MODULE = baselines.__name__


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[UnitParameters]:
    """Execute units in this process, and tell which."""
    asked: list[UnitParameters] = []

    def execute(due: Sequence[Due], *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        asked.extend(one.unit for one in due)
        return execute_here(due)

    monkeypatch.setattr(engine, "execute_units", execute)
    return asked


def records_path(store: Store, unit: UnitParameters) -> Path:
    return store.file(unit.paper, unit.experiment).path


def spoil(path: Path) -> str:
    """Cut the last line in half, as a full disk would; return what is left of it."""
    *whole, last = path.read_text(encoding="utf-8").splitlines()
    cut = last[: len(last) // 2]
    path.write_text("\n".join([*whole, cut]), encoding="utf-8")
    return cut


@pytest.mark.parametrize(
    ("how", "expected"), [("recorded", []), ("missing", ["stale", "missing"]), ("fresh", ["fresh", "stale", "missing"])]
)
def test_how_decides_which_units_run(store: Store, executed: list[Any], how: Any, expected: list[str]) -> None:
    stale = {**code_digests(MODULE), "reproduce_lib.metrics.skill": "0" * 16}
    units = {"fresh": smoke_baseline(), "stale": smoke_baseline("drift"), "missing": smoke_baseline(skip_days=1)}
    put(store, units["fresh"], {"mae": 1.0})
    put(store, units["stale"], {"mae": 1.0}, code=stale)
    run_units(units.values(), store, how=how)
    assert executed == [units[name] for name in expected]


def test_run_records_what_the_unit_measured_and_is_fresh_then(store: Store, executed: list[Any]) -> None:
    assert run_units([smoke_baseline(), smoke_baseline("drift")], store).written.total() == 2
    (status, _) = unit_statuses([smoke_baseline(), smoke_baseline("drift")], store)
    measured = baselines.run_baseline(smoke_baseline())
    assert status.state == "fresh"
    assert status.record is not None
    assert (status.record.metrics, status.record.n) == (measured.metrics, measured.n)
    assert status.record.parameters == smoke_baseline().model_dump(mode="json")
    assert run_units([smoke_baseline()], store).written.total() == 0


def test_damaged_line_is_set_aside_reported_and_its_unit_computed_again(store: Store, executed: list[Any]) -> None:
    run_units([smoke_baseline(), smoke_baseline("drift")], store)
    before = store.file("naufal2023", "baselines").read().records
    cut = spoil(records_path(store, smoke_baseline()))
    assert [line.text for line in damaged_lines("naufal2023", store)] == [cut]
    executed.clear()
    summary = run_units([smoke_baseline(), smoke_baseline("drift")], store)
    assert [line.text for line in summary.damaged] == [cut]
    assert [unit.method for unit in executed] == ["drift"]
    assert records_path(store, smoke_baseline()).with_suffix(".jsonl.damaged").read_text(encoding="utf-8") == f"{cut}\n"
    after = store.file("naufal2023", "baselines").read()
    assert not after.damaged
    assert all(after.records[key].same_result(record) for key, record in before.items())
    assert run_units([smoke_baseline()], store).damaged == []


def test_recorded_leaves_a_damaged_file_as_it_is(store: Store, executed: list[Any]) -> None:
    run_units([smoke_baseline()], store)
    spoil(records_path(store, smoke_baseline()))
    before = records_path(store, smoke_baseline()).read_bytes()
    run_units([smoke_baseline()], store, how="recorded")
    assert records_path(store, smoke_baseline()).read_bytes() == before


def test_record_is_on_disk_before_the_next_outcome_is_asked_for(store: Store, monkeypatch: Any) -> None:
    seen: list[int] = []

    def execute(units: Any, *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        for outcome in execute_here(units):
            path = records_path(store, outcome.unit)
            seen.append(len(result_lines(path)) if path.exists() else 0)
            yield outcome

    monkeypatch.setattr(engine, "execute_units", execute)
    run_units([smoke_baseline(), smoke_baseline("drift")], store)
    assert seen == [0, 1]


def test_interruption_keeps_what_was_finished(store: Store, monkeypatch: Any) -> None:
    def execute(units: Any, *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        yield from execute_here(units[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "execute_units", execute)
    with pytest.raises(KeyboardInterrupt):
        run_units([smoke_baseline(), smoke_baseline("drift")], store)
    assert [one.state for one in unit_statuses([smoke_baseline(), smoke_baseline("drift")], store)] == [
        "fresh",
        "missing",
    ]


def test_unit_that_raises_is_reported_and_the_others_are_recorded(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    broken = BaselineParameters.of(profile="custom", ticker="TWTR")
    summary = run_units([smoke_baseline(), broken, smoke_baseline("drift")], store)
    assert [failed.unit for failed in summary.failed] == [broken]
    assert "TWTR" in summary.failed[0].message
    states = [one.state for one in unit_statuses([smoke_baseline(), broken, smoke_baseline("drift")], store)]
    assert (summary.written.total(), states) == (2, ["fresh", "missing", "fresh"])


def test_results_that_json_cannot_hold_fail_their_unit_alone(
    store: Store, executed: list[Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr(baselines, "drift_forecast", lambda series, days: series[days] * float("nan"))
    summary = run_units([smoke_baseline("drift"), smoke_baseline()], store)
    assert [failed.unit.method for failed in summary.failed] == ["drift"]
    assert "mae" in summary.failed[0].message
    assert summary.written.total() == 1


@pytest.mark.parametrize("how", ["missing", "stale"])
def test_unit_whose_arrays_were_altered_is_run_again_and_has_them_then(
    store: Store, executed: list[Any], monkeypatch: pytest.MonkeyPatch, how: Any
) -> None:
    measure = baselines.run_baseline

    def with_arrays(unit: BaselineParameters) -> UnitResult:
        return dataclasses.replace(measure(unit), arrays={"error": np.arange(5)})

    with_arrays.__module__ = MODULE
    own = dataclasses.replace(PAPER.experiments["baselines"], run=with_arrays)
    changed = dataclasses.replace(PAPER, experiments={**PAPER.experiments, "baselines": own})
    monkeypatch.setattr(worker, "load_paper", lambda key: changed)
    units = [smoke_baseline(), smoke_baseline("drift")]
    run_units(units, store)
    path = store.artifacts / "naufal2023" / f"{units[0].key}.npz"
    with path.open("ab") as file:
        file.write(b"junk")
    executed.clear()
    assert run_units(units, store, how=how).written.total() == 1
    assert executed == units[:1]
    assert [one.state for one in unit_statuses(units, store)] == ["fresh", "fresh"]
    record = store.file("naufal2023", "baselines").read().records[units[0].key]
    assert store.read_arrays("naufal2023", record)["error"].tolist() == [0, 1, 2, 3, 4]
    assert len(result_lines(records_path(store, units[0]))) == 2


# The log of runs


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return the collection's own store, in a root of this test."""
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path / "root"))
    return store_for("full")


def logged() -> list[Run]:
    return RunLog(paths.run_log()).runs()


def test_run_of_the_collection_is_logged_with_its_plan_and_its_end(
    collection: Store, executed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    here = (environment.processor(), HERE[1])
    put(collection, smoke_baseline(skip_days=30), {"mae": 1.0}, seconds=4.25, environment=here)
    units = [smoke_baseline(), smoke_baseline("drift"), BaselineParameters.of(profile="custom", ticker="TWTR")]
    due = make_plan([*units, smoke_baseline(skip_days=30)], collection)
    summary = run_plan(due, Workers(2))
    assert (summary.written.total(), len(summary.failed), summary.ending) == (2, 1, "finished")
    (run,) = logged()
    assert run.ended is not None
    begun, over = run.started, run.ended
    assert (begun.processor, begun.jobs, begun.dask) == (environment.processor(), 2, False)
    assert (begun.papers, begun.due) == (["naufal2023"], 3)
    assert (begun.expected_seconds, begun.of_unknown_length) == (12.8, 0)  # 3 times 4.25 s, to a tenth
    assert (over.ending, over.written, over.failed, over.left) == ("finished", 2, 1, 0)
    assert run.seconds is not None
    assert 0 <= run.seconds <= summary.elapsed_seconds + 1
    run_plan(make_plan(units[:2], collection), Workers())
    assert len(logged()) == 1  # nothing was due
    run_plan(make_plan(units[:1], collection, "fresh"), Workers())
    assert [one.started.due for one in logged()] == [3, 1]
    assert len({one.started.id for one in logged()}) == 2
    assert len(paths.run_log().read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("stopped_by", "ending"), [(KeyboardInterrupt(), "interrupted"), (RunError("no worker is left"), "failed")]
)
def test_start_is_logged_before_the_first_unit_and_the_end_however_it_comes(
    collection: Store, monkeypatch: pytest.MonkeyPatch, stopped_by: BaseException, ending: str
) -> None:
    seen: list[list[Run]] = []

    def execute(due: Any, *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        seen.append(logged())
        yield from execute_here(due[:1])
        raise stopped_by

    monkeypatch.setattr(engine, "execute_units", execute)
    with pytest.raises(type(stopped_by)):
        run_units([smoke_baseline(), smoke_baseline("drift")], collection)
    assert [(run.started.due, run.ended) for run in seen[0]] == [(2, None)]  # which is what a killed run leaves
    (run,) = logged()
    assert run.ended is not None
    assert (run.ended.ending, run.ended.written, run.ended.failed, run.ended.left) == (ending, 1, 0, 1)


@pytest.mark.parametrize("log_fails_too", [False, True])
def test_run_that_can_no_longer_record_is_logged_as_failed_and_tells_why(
    collection: Store, executed: list[Any], monkeypatch: pytest.MonkeyPatch, log_fails_too: bool
) -> None:
    outcomes = iter([study.write])

    def full(outcome: Finished, store: Store) -> bool:
        for write in outcomes:
            return write(outcome, store)
        if log_fails_too:
            paths.run_log().unlink()
            paths.run_log().mkdir()
        raise RecordError("baselines.jsonl cannot be written: no space left")

    monkeypatch.setattr(engine, "write", full)
    with pytest.raises(RecordError, match=r"baselines\.jsonl cannot"):
        run_units([smoke_baseline(), smoke_baseline("drift"), smoke_baseline(skip_days=1)], collection)
    if not log_fails_too:
        (run,) = logged()
        assert run.ended is not None
        assert (run.ended.ending, run.ended.written, run.ended.failed, run.ended.left) == ("failed", 1, 0, 2)


UNWRITABLE = ("folder of records", "records", "arrays", "log", "lock")


def make_unwritable(store: Store, what: str) -> Path:
    """Put something in the way of a run's files; return what an error has to name."""
    place = {
        "folder of records": store.records / "naufal2023",
        "records": store.records / "naufal2023" / "baselines.jsonl",
        "arrays": store.artifacts / "naufal2023",
        "log": paths.run_log(),
        "lock": store.records / "naufal2023" / "baselines.jsonl.lock",
    }[what]
    place.parent.mkdir(parents=True, exist_ok=True)
    if what in ("folder of records", "arrays"):
        place.write_text("a file in a folder's place", encoding="utf-8")
    else:
        place.mkdir()
    return place.parent if what == "lock" else place


@pytest.mark.parametrize("what", UNWRITABLE)
def test_what_cannot_be_recorded_is_not_computed(collection: Store, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    begun: list[Any] = []

    def execute(due: Any, *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        begun.append(due)
        yield from execute_here(due)

    monkeypatch.setattr(engine, "execute_units", execute)
    plan = make_plan([smoke_baseline()], collection)
    place = make_unwritable(collection, what)
    with pytest.raises(RecordError, match=re.escape(str(place))):
        run_plan(plan, Workers())
    assert begun == []


def test_trying_whether_units_can_be_recorded_leaves_no_file(
    collection: Store, executed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, smoke_baseline(), {"mae": 1.0})
    before = {path: path.read_bytes() for path in paths.root().rglob("*") if path.is_file()}
    for place in (("naufal2023", "baselines"), ("naufal2023", "networks")):
        collection.check_writable(*place)
    after = {path: path.read_bytes() for path in paths.root().rglob("*") if path.is_file()}
    assert {path: data for path, data in after.items() if path.suffix != ".lock"} == {
        path: data for path, data in before.items() if path.suffix != ".lock"
    }
    assert not collection.artifacts.exists()


def test_run_into_another_store_is_not_logged(
    collection: Store, store: Store, executed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in (store, store_for("custom")):
        assert run_units([smoke_baseline()], other).written.total() == 1
    assert logged() == []
    assert not list(paths.root().rglob("runs.jsonl"))


def test_run_without_a_worker_is_not_logged(collection: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: Any, **options: Any) -> None:
        raise RunError("no scheduler")

    monkeypatch.setattr(engine, "execute_units", unreachable)
    with pytest.raises(RunError, match="no scheduler"):
        run_plan(make_plan([smoke_baseline()], collection), Workers(dask="tcp://nowhere"))
    assert logged() == []


def stopping(done: int, *, on_request: bool) -> Any:
    """Return a stand-in for the workers that takes no further unit after ``done``, for a reason."""

    def execute(due: Any, workers: Workers, *, stop: Stop, watcher: Any) -> Iterator[Finished | Failed]:
        yield from execute_here(due[:done])
        if on_request:
            signal.raise_signal(signal.SIGINT)

    return execute


@pytest.mark.parametrize("on_request", [True, False])
@pytest.mark.parametrize(("done", "ending"), [(1, ""), (2, "finished")])
def test_ending_of_a_run_is_told_and_logged(
    collection: Store, monkeypatch: pytest.MonkeyPatch, on_request: bool, done: int, ending: str
) -> None:
    monkeypatch.setattr(engine, "execute_units", stopping(done, on_request=on_request))
    summary = run_plan(make_plan([smoke_baseline(), smoke_baseline("drift")], collection), Workers())
    expected = ending or ("interrupted" if on_request else "time limit")
    assert (summary.ending, summary.ended.total()) == (expected, done)
    (run,) = logged()
    assert run.ended is not None
    assert (run.ended.ending, run.ended.written, run.ended.left) == (expected, done, 2 - done)


def test_limit_and_watcher_reach_the_workers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float | None, Any]] = []

    def execute(due: Any, workers: Workers, *, stop: Stop, watcher: Any) -> Iterator[Finished | Failed]:
        asked.append((stop.limit_seconds, watcher))
        return iter(())

    monkeypatch.setattr(engine, "execute_units", execute)
    watcher = Silent()
    run_plan(make_plan([smoke_baseline()], store), Workers(), limit_seconds=7.5, watcher=nullcontext(watcher))
    assert asked == [(7.5, watcher)]


def test_interrupted_run_of_units_raises_once_what_was_finished_is_recorded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "execute_units", stopping(1, on_request=True))
    units = [smoke_baseline(), smoke_baseline("drift")]
    with pytest.raises(KeyboardInterrupt):
        run_units(units, store)
    assert [one.state for one in unit_statuses(units, store)] == ["fresh", "missing"]
    monkeypatch.setattr(engine, "execute_units", stopping(1, on_request=False))
    assert run_units(units, store).ending == "finished"


# What a run tells


def test_summary_counts_by_experiment_what_ended_was_written_failed_and_how_long_it_took(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasted = {"naive": 2.0, "drift": 3.5}
    broken = smoke_network()

    def execute(due: Any, *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        for outcome in execute_here(one for one in due if isinstance(one.unit, BaselineParameters)):
            assert isinstance(outcome, Finished)
            yield dataclasses.replace(outcome, seconds=lasted[outcome.unit.method])
        yield Failed(broken, "broken", "")

    monkeypatch.setattr(engine, "execute_units", execute)
    summary = run_plan(make_plan([smoke_baseline(), broken, smoke_baseline("drift")], store), Workers())
    baselines, networks = ("naufal2023", "baselines"), ("naufal2023", "networks")
    assert dict(summary.ended) == {baselines: 2, networks: 1}
    assert dict(summary.written) == {baselines: 2}
    assert dict(summary.seconds) == {baselines: 5.5}
    assert [failed.unit for failed in summary.failed] == [broken]
    assert summary.elapsed_seconds > 0
    recorded = store.file(*baselines).read().records
    assert {record.seconds for record in recorded.values()} == {2.0, 3.5}


def test_what_was_computed_by_other_code_fails_by_the_symbol_and_is_not_recorded(
    collection: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(due: Any, *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        same, other = execute_here(due)
        assert isinstance(other, Finished)
        context = other.context
        code = {**context.code, "reproduce_lib.metrics.skill": "0" * 16}
        older = Context.of(context.versions, context.processor, context.threads, context.data, code)
        yield from (same, dataclasses.replace(other, context=older))

    monkeypatch.setattr(engine, "execute_units", execute)
    units = [smoke_baseline(), smoke_baseline("drift")]
    summary = run_units(units, collection)
    (failed,) = summary.failed
    assert failed.unit == units[1]
    assert "reproduce_lib.metrics.skill" in failed.message
    assert "reproduce_lib.metrics.mean_absolute_error" not in failed.message
    assert (summary.written.total(), summary.ended.total()) == (1, 2)
    assert [one.state for one in unit_statuses(units, collection)] == ["fresh", "missing"]
    (run,) = logged()
    assert run.ended is not None
    assert (run.ended.written, run.ended.failed, run.ended.left) == (1, 1, 0)


SCRIPT = """
import sys
from pathlib import Path
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.networks import MODELS, NetworkParameters
from reproduce_lib.execution.pool import Due
from reproduce_lib.store import Store
from reproduce_lib.execution.engine import run_plan, run_units
from reproduce_lib.errors import RunError

common = dict(profile="smoke", data="simulated")
folder = Path(sys.argv[1])
units = eval(sys.argv[2])
summary = run_units(units, Store(folder / "records", folder / "artifacts"))
assert not summary.failed, summary.failed
loaded = {"keras", "jax", "tensorflow", "statsmodels"} & set(sys.modules)
assert not loaded, loaded
"""


def in_another_process(folder: Path, units: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(folder), units]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stderr=subprocess.PIPE)


def results(folder: Path, experiment: str = "networks") -> list[str]:
    return sorted(result_lines(folder / "records" / "naufal2023" / f"{experiment}.jsonl"))


@pytest.mark.slow
def test_jobs_order_and_caller_change_no_result(tmp_path: Path) -> None:
    # This caller may have loaded a backend and its threads; the other process has not, nor may it by running units.
    alone = "[NetworkParameters.of(**common, model='lstm', window=1, epochs=1, backend='tensorflow')]"
    with in_another_process(tmp_path / "alone", alone) as process:
        units = [smoke_network(seed=seed, backend="tensorflow") for seed in (1, 0)]
        assert run_units(units, new_store(tmp_path / "beside"), jobs=2).written.total() == 2
        _, said = process.communicate()
        assert process.returncode == 0, said
    (one,) = results(tmp_path / "alone")
    beside = results(tmp_path / "beside")
    assert len(beside) == 2
    assert one in beside


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_company_in_a_worker_changes_no_result(tmp_path: Path, backend: str) -> None:
    units = [smoke_network(model, backend=backend) for model in MODELS]
    run_units(units, new_store(tmp_path), jobs=2)
    program = (
        "import sys; from reproduce_lib.execution.worker import execute; common = eval(sys.argv[1])\n"
        "for model in ('cnn_lstm_gru', 'lstm_gru', 'lstm'):\n"
        "    print(execute('naufal2023', 'networks', {**common, 'model': model}).result.metrics)"
    )
    common = {"profile": "smoke", "data": "simulated", "window": 1, "epochs": 1, "backend": backend}
    done = subprocess.run(
        [sys.executable, "-c", program, str(common)], cwd=PROJECT, text=True, capture_output=True, check=True
    )
    in_one_worker = [ast.literal_eval(line) for line in done.stdout.splitlines()]
    recorded = [one.record.metrics for one in unit_statuses(units, new_store(tmp_path)) if one.record is not None]
    assert in_one_worker == recorded[::-1]


@pytest.mark.slow
@pytest.mark.processes
def test_two_callers_at_once_leave_one_record_per_unit(tmp_path: Path) -> None:
    units = "[BaselineParameters.of(**common, method=method) for method in ('naive', 'drift')]"
    with in_another_process(tmp_path, units) as one, in_another_process(tmp_path, units) as two:
        for process in (one, two):
            _, said = process.communicate()
            assert process.returncode == 0, said
    lines = (tmp_path / "records/naufal2023/baselines.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert sorted(kinds) == ["context", "unit", "unit"]
    assert {json.loads(line).get("key") for line in lines} == {smoke_baseline().key, smoke_baseline("drift").key, None}


@pytest.mark.slow
def test_units_of_two_backends_run_in_one_call(tmp_path: Path) -> None:
    units = [
        smoke_network(backend="tensorflow"),
        smoke_baseline(),
        smoke_network(backend="jax"),
        smoke_network(backend="tensorflow", seed=1),
    ]
    store = new_store(tmp_path)
    summary = run_units(units, store, jobs=2)
    assert (summary.written.total(), summary.failed) == (4, [])
    versions = [one.context.versions for one in unit_statuses(units, store) if one.context is not None]
    assert ["tensorflow" in one for one in versions] == [True, False, False, True]
    assert ["jax" in one for one in versions] == [False, False, True, False]


@pytest.mark.slow
@pytest.mark.data
def test_jobs_and_order_change_no_kept_array(tmp_path: Path) -> None:
    units = [NetworkParameters.of(model="lstm", window=1, ticker=ticker) for ticker in ("GOOG", "TSLA")]
    stores = [new_store(tmp_path / "one"), new_store(tmp_path / "two")]
    run_units(units, stores[0], jobs=1)
    run_units(units[::-1], stores[1], jobs=2)
    one, two = ([status.record for status in unit_statuses(units, store)] for store in stores)
    for first, second in zip(one, two, strict=True):
        assert first is not None
        assert second is not None
        assert first.artifact is not None
        assert first.same_result(second)
        arrays = stores[1].read_arrays("naufal2023", second)
        assert set(arrays) == {"error", "loss", "val_loss"}


def test_code_that_is_edited_while_a_unit_runs_fails_nothing_that_began_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = code_digests(MODULE)
    now = [today]
    monkeypatch.setattr(engine, "code_digests", lambda module: now[0])

    def execute(due: Sequence[Due], *places: Any, **options: Any) -> Iterator[Finished | Failed]:
        for outcome in execute_here(due):
            now[0] = {**today, "reproduce_lib.metrics.skill": "0" * 16}
            yield outcome

    monkeypatch.setattr(engine, "execute_units", execute)
    assert not run_units([smoke_baseline(), smoke_baseline("drift")], store).failed
