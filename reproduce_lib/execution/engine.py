"""Running a plan: units to workers, finished ones to the store at once, and a log of what it took."""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from reproduce_lib import paths
from reproduce_lib.collection import load_paper
from reproduce_lib.errors import RecordError
from reproduce_lib.execution import environment
from reproduce_lib.execution.closure import changed_symbols, code_digests
from reproduce_lib.execution.plan import Execute, Plan, make_plan
from reproduce_lib.execution.pool import Silent, Stop, Watcher, Workers, execute_units, interruptible
from reproduce_lib.execution.run_log import Ending, RunEnded, RunLog, RunStarted, now
from reproduce_lib.execution.study import Place, place_of, write
from reproduce_lib.execution.worker import Failed, Finished
from reproduce_lib.record_files import DamagedLine
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters


@dataclass
class Summary:
    """What a run did.

    Attributes
    ----------
    ended, written : units that ended, and those of them that were recorded, by (paper, experiment)
    failed : those that raised
    seconds : what the written units took, by (paper, experiment), in seconds of one worker
    elapsed_seconds : what the run took on the clock
    """

    ended: Counter[Place] = field(default_factory=Counter)
    written: Counter[Place] = field(default_factory=Counter)
    failed: list[Failed] = field(default_factory=list)
    seconds: defaultdict[Place, float] = field(default_factory=lambda: defaultdict(float))
    elapsed_seconds: float = 0.0
    ending: Ending = "finished"
    damaged: list[DamagedLine] = field(default_factory=list)


def run_units(units: Iterable[UnitParameters], store: Store, *, how: Execute = "missing", jobs: int = 1) -> Summary:
    """Bring the records of ``units`` up to date, as `make_plan` and `run_plan` do, without a word.

    Raises
    ------
    KeyboardInterrupt
        At the first Ctrl-C, once the units that run are recorded.
    """
    summary = run_plan(make_plan(units, store, how), Workers(jobs))
    if summary.ending == "interrupted":
        raise KeyboardInterrupt
    return summary


def run_plan(
    plan: Plan,
    workers: Workers,
    *,
    limit_seconds: float | None = None,
    watcher: AbstractContextManager[Watcher] | None = None,
) -> Summary:
    """Run what a plan says is due; each finished unit is on disk before it counts.

    Whether units can be recorded is tried before the first one starts.

    The first Ctrl-C starts no further unit and waits for those that run; so does the time limit, before
    which no unit is started that is not expected to end in time.

    Raises
    ------
    RecordError
        If units cannot be recorded.
    RunError
        If there is no worker to run a unit on.
    KeyboardInterrupt
        At the second Ctrl-C. What was finished before stays recorded; run again to go on.
    """
    summary = Summary()
    if not plan.due:
        return summary
    places = list(dict.fromkeys(place_of(due.unit) for due in plan.due))
    for place in places:
        plan.store.check_writable(*place)
        summary.damaged += plan.store.file(*place).set_damaged_aside()
    codes = {place: code_digests(load_paper(place[0]).experiment(place[1]).module) for place in places}
    begun = time.monotonic()
    stop = Stop(limit_seconds)
    with watcher or nullcontext(Silent()) as told, interruptible(stop, told):
        outcomes = execute_units(plan.due, workers, stop=stop, watcher=told)
        log = _Log(plan, workers)
        try:
            for outcome in outcomes:
                _take(outcome, plan.store, codes, summary)
        except BaseException as error:
            summary.ending = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            with suppress(RecordError):  # what ended the run is what has to be told
                log.end(summary)
            raise
    summary.elapsed_seconds = time.monotonic() - begun
    if summary.ended.total() < len(plan.due):
        summary.ending = "interrupted" if stop.requested.is_set() else "time limit"
    log.end(summary)
    return summary


class _Log:
    """The two lines of a run in the log of the collection; a run into another store writes none."""

    def __init__(self, plan: Plan, workers: Workers) -> None:
        self._due = len(plan.due)
        self._log = RunLog(paths.run_log()) if plan.store.records == paths.records_folder() else None
        self._id = secrets.token_hex(4)
        if self._log is None:
            return
        started = RunStarted(
            id=self._id,
            time=now(),
            processor=environment.processor(),
            jobs=workers.jobs,
            dask=bool(workers.dask),
            papers=list(dict.fromkeys(due.unit.paper for due in plan.due)),
            due=self._due,
            expected_seconds=round(plan.seconds, 1),
            of_unknown_length=plan.of_unknown_length,
        )
        self._log.append(started)

    def end(self, summary: Summary) -> None:
        if self._log is None:
            return
        ended = RunEnded(
            id=self._id,
            time=now(),
            ending=summary.ending,
            written=summary.written.total(),
            failed=len(summary.failed),
            left=self._due - summary.ended.total(),
        )
        self._log.append(ended)


def _take(outcome: Finished | Failed, store: Store, codes: dict[Place, dict[str, str]], summary: Summary) -> None:
    place = place_of(outcome.unit)
    if isinstance(outcome, Finished):
        outcome = _of_this_code(outcome, codes[place])
    if isinstance(outcome, Failed):
        summary.failed.append(outcome)
    else:
        summary.written[place] += write(outcome, store)
        summary.seconds[place] += outcome.seconds
    summary.ended[place] += 1


def _of_this_code(outcome: Finished, code: dict[str, str]) -> Finished | Failed:
    """Refuse what a worker computed by other code than this run began with, as an outdated cluster would."""
    if outcome.context.code == code:
        return outcome
    changed = ", ".join(changed_symbols(outcome.context.code, code)[:3])
    return Failed(outcome.unit, f"its worker loaded other code than this run began with: {changed}", "")
