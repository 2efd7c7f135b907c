"""What a person at a terminal sees of a run: the plan, one bar per level, and a table at the end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from reproduce_lib.execution.engine import Summary
from reproduce_lib.execution.plan import Plan
from reproduce_lib.execution.study import Place, place_of
from reproduce_lib.execution.worker import Failed, Finished
from reproduce_lib.units import UnitParameters

SECONDS_PER_LINE = 60


class Pace:
    """How fast a run goes, and how long the rest takes, told from how long the ended units took."""

    def __init__(self, plan: Plan) -> None:
        self._expected = {due.unit.key: due.seconds for due in plan.due}
        self._known_left = sum(due.seconds or 0.0 for due in plan.due)
        self._unknown_left = plan.of_unknown_length
        self._begun = time.monotonic()
        self._starts: dict[str, float] = {}
        self._took = self._took_of_known = self._expected_of_ended = 0.0
        self.ended_units = 0

    def started(self, key: str) -> None:
        """Take the time of a unit's start; its second start, after the death of its worker, counts anew."""
        self._starts[key] = time.monotonic()

    def ended(self, key: str) -> None:
        """Take the time of a unit's end."""
        took = time.monotonic() - self._starts.pop(key, time.monotonic())
        expected = self._expected[key]
        self.ended_units += 1
        self._took += took
        if expected is None:
            self._unknown_left -= 1
            return
        self._known_left -= expected
        self._expected_of_ended += expected
        self._took_of_known += took

    def __str__(self) -> str:
        spent = max(time.monotonic() - self._begun, 1e-9)
        return f"{3600 * self.ended_units / spent:,.0f} units/h, {duration(self._seconds_left(spent))} left"

    def _seconds_left(self, spent: float) -> float:
        """Return the expected seconds, set right by how long known units took, at today's number at a time."""
        longer = self._took_of_known / self._expected_of_ended if self._expected_of_ended else 1.0
        mean = self._took / self.ended_units if self.ended_units else 0.0
        at_a_time = max(self._took / spent, 1e-9)
        return (self._known_left * longer + self._unknown_left * mean) / at_a_time


class Bars:
    """One bar for the run, one per paper and one per experiment, with what runs now, the rate and the time left.

    Where nobody looks, as in a file, a line a minute stands for the bars. Units may start in one thread while others
    end in another: joblib hands out all but the first tasks from its own.
    """

    def __init__(self, plan: Plan, console: Console) -> None:
        self._console = console
        self._due = len(plan.due)
        self._pace = Pace(plan)
        self._running: dict[str, UnitParameters] = {}
        self._one_at_a_time = threading.Lock()
        self._last_line = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[tells]}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        places = Counter(place_of(due.unit) for due in plan.due)
        papers = Counter(due.unit.paper for due in plan.due)
        self._total = self._task("all", len(plan.due))
        self._papers = {paper: self._task(f"  {paper}", count) for paper, count in papers.items()}
        self._places = {place: self._task(f"    {place[1]}", count) for place, count in places.items()}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, unit: UnitParameters) -> None:
        """Show a unit as running."""
        with self._one_at_a_time:
            self._pace.started(unit.key)
            self._running[unit.key] = unit
            self._progress.update(self._places[place_of(unit)], tells=self._now(place_of(unit)))

    def ended(self, outcome: Finished | Failed) -> None:
        """Move the bars of a unit's experiment, its paper and the run."""
        unit = outcome.unit
        with self._one_at_a_time:
            self._running.pop(unit.key, None)
            self._pace.ended(unit.key)
            self._progress.update(self._places[place_of(unit)], advance=1, tells=self._now(place_of(unit)))
            self._progress.update(self._papers[unit.paper], advance=1)
            self._progress.update(self._total, advance=1, tells=str(self._pace))
            self._tell_each_minute()

    def notice(self, text: str) -> None:
        """Print something above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    def _tell_each_minute(self) -> None:
        """Print where the run is, at most once a minute, where no bars are drawn."""
        if self._console.is_terminal or time.monotonic() - self._last_line <= SECONDS_PER_LINE:
            return
        self._last_line = time.monotonic()
        running = "; ".join(one.label for one in self._running.values())
        now = f"; now: {running}" if running else ""
        self.notice(f"{self._pace.ended_units} of {self._due} units, {self._pace}{now}")

    def _task(self, name: str, total: int) -> TaskID:
        return self._progress.add_task(name, total=total, tells="")

    def _now(self, place: Place) -> str:
        return "; ".join(unit.label for unit in self._running.values() if place_of(unit) == place)


def plan_table(plan: Plan, jobs: int) -> Table:
    """Return the plan as a table: one row per experiment, the sum below."""
    table = Table(title="Plan", title_justify="left")
    for name in ("paper", "experiment"):
        table.add_column(name)
    for name in ("present", "stale", "missing", "to run", "one worker", f"{jobs} at a time"):
        table.add_column(name, justify="right")
    rows = plan.rows()
    for row in rows:
        counts = (row.fresh, row.stale, row.missing, row.due)
        one_worker = _hours(row.seconds, row.of_unknown_length, row.due, 1)
        table.add_row(row.paper, row.experiment, *map(str, counts), one_worker, "")
    table.add_section()
    sums = [sum(getattr(row, name) for row in rows) for name in ("fresh", "stale", "missing", "due")]
    hours = [_hours(plan.seconds, plan.of_unknown_length, len(plan.due), at_a_time) for at_a_time in (1, jobs)]
    table.add_row("all", "", *map(str, sums), *hours)
    return table


def summary_table(plan: Plan, summary: Summary, jobs: int) -> Table:
    """Return what a run did, beside what was expected: units, seconds of one worker, time on the clock."""
    table = Table(title="Run", title_justify="left")
    for name in ("paper", "experiment"):
        table.add_column(name)
    for name in ("recorded", "failed", "not started", "one worker", "expected"):
        table.add_column(name, justify="right")
    failed = Counter(place_of(one.unit) for one in summary.failed)
    for row in plan.rows():
        place = (row.paper, row.experiment)
        done = summary.ended[place]
        counts = (summary.written[place], failed[place], row.due - done)
        expected = _hours(row.seconds, row.of_unknown_length, row.due, 1)
        table.add_row(*place, *map(str, counts), duration(summary.seconds[place]), expected)
    table.add_section()
    sums = (summary.written.total(), len(summary.failed), len(plan.due) - summary.ended.total())
    expected = _hours(plan.seconds, plan.of_unknown_length, len(plan.due), 1)
    table.add_row("all", "", *map(str, sums), duration(sum(summary.seconds.values())), expected)
    on_the_clock = _hours(plan.seconds, plan.of_unknown_length, len(plan.due), jobs)
    table.add_row("on the clock", "", "", "", "", duration(summary.elapsed_seconds), on_the_clock)
    return table


def console(*, error: bool = False) -> Console:
    """Return a console that writes whole lines where nobody looks at it, and fits the window where somebody does."""
    shown = Console(stderr=error, highlight=False, soft_wrap=True)
    return shown if shown.is_terminal else Console(stderr=error, highlight=False, width=120)


def duration(seconds: float) -> str:
    """Return a time span as people say it: ``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _hours(seconds: float, unknown: int, due: int, at_a_time: int) -> str:
    if not due:
        return ""
    if unknown == due:
        return "unknown"
    known = duration(seconds / at_a_time)
    return f"{known} + {unknown} unknown" if unknown else known
