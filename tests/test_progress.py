"""What a person sees of a run: the tables' numbers, the bars' levels, and the time that is left."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from rich.console import Console
from rich.table import Table

from reproduce_lib.execution import progress
from reproduce_lib.execution.engine import Summary
from reproduce_lib.execution.plan import Plan
from reproduce_lib.execution.pool import Due
from reproduce_lib.execution.progress import Bars, duration, plan_table, summary_table
from reproduce_lib.execution.study import State, UnitStatus
from reproduce_lib.execution.worker import Failed
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters
from tests.support import NoisyParameters, PlainParameters

NOISY, PLAIN, OTHER = ("toy", "noisy"), ("toy", "plain"), ("other", "things")


class OtherParameters(UnitParameters):
    paper: ClassVar[str] = "other"
    experiment: ClassVar[str] = "things"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (89, "89 s"),
        (90, "2 min"),
        (150.1, "3 min"),
        (3600, "60 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (36000, "10.0 h"),
        (1e6, "277.8 h"),
    ],
)
def test_duration_is_told_in_the_unit_that_people_would_use(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def plan_of(*parts: tuple[UnitParameters, State, float | None, bool]) -> Plan:
    """Return a plan of units, each with its state, its expected seconds and whether it is due."""
    store = Store(Path("nowhere"), Path("nowhere"))
    statuses = tuple(UnitStatus(unit, state) for unit, state, _, _ in parts)
    return Plan(store, statuses, tuple(Due(unit, seconds) for unit, _, seconds, due in parts if due))


@pytest.fixture
def plan() -> Plan:
    """Return a plan: of 6 noisy units 4 are due, of 2 plain ones both, of 2 others none."""
    return plan_of(
        (NoisyParameters.of(seed=0), "stale", 100.0, True),
        (NoisyParameters.of(seed=1), "missing", 200.0, True),
        (NoisyParameters.of(seed=2), "missing", None, True),
        (NoisyParameters.of(seed=3), "missing", 60.0, True),
        (NoisyParameters.of(seed=4), "fresh", None, False),
        (NoisyParameters.of(seed=5), "fresh", None, False),
        (PlainParameters.of(share="x"), "missing", None, True),
        (PlainParameters.of(share="y"), "stale", None, True),
        (OtherParameters.of(seed=0), "fresh", None, False),
        (OtherParameters.of(seed=1), "fresh", None, False),
    )


def rendered(table: Table) -> list[list[str]]:
    """Return the cells of a table as it is printed, row by row, without its head."""
    file = io.StringIO()
    Console(file=file, width=200).print(table)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in file.getvalue().splitlines()]
    return [row for row in rows if row]


def test_plan_table_has_the_counts_and_hours_of_each_experiment_and_their_sums(plan: Plan) -> None:
    assert rendered(plan_table(plan, jobs=2)) == [
        # paper, experiment, present, stale, missing, to run, one worker, 2 at a time
        ["toy", "noisy", "2", "1", "3", "4", "6 min + 1 unknown", ""],
        ["toy", "plain", "0", "1", "1", "2", "unknown", ""],
        ["other", "things", "2", "0", "0", "0", "", ""],
        ["all", "", "4", "2", "4", "6", "6 min + 3 unknown", "3 min + 3 unknown"],
    ]


def test_plan_table_of_known_lengths_divides_the_time_among_the_workers() -> None:
    parts: list[Any] = [(NoisyParameters.of(seed=seed), "missing", 3600.0, True) for seed in range(8)]
    assert rendered(plan_table(plan_of(*parts), jobs=4)) == [
        ["toy", "noisy", "0", "0", "8", "8", "8.0 h", ""],
        ["all", "", "0", "0", "8", "8", "8.0 h", "2.0 h"],
    ]


def test_plan_table_of_nothing_to_do_speaks_of_no_time() -> None:
    assert rendered(plan_table(plan_of((PlainParameters.of(), "fresh", None, False)), jobs=2)) == [
        ["toy", "plain", "1", "0", "0", "0", "", ""],
        ["all", "", "1", "0", "0", "0", "", ""],
    ]


def test_summary_table_sets_what_a_run_did_beside_what_was_expected(plan: Plan) -> None:
    # Of 4 noisy units one failed and one was not started; of 2 plain ones one was written by another run meanwhile.
    summary = Summary(
        ended=Counter({NOISY: 3, PLAIN: 2}),
        written=Counter({NOISY: 2, PLAIN: 1}),
        failed=[Failed(NoisyParameters.of(seed=1), "", "")],
        seconds=defaultdict(float, {NOISY: 7200.0, PLAIN: 30.0}),
        elapsed_seconds=3700.0,
    )
    assert rendered(summary_table(plan, summary, jobs=2)) == [
        # paper, experiment, recorded, failed, not started, one worker, expected
        ["toy", "noisy", "2", "1", "1", "2.0 h", "6 min + 1 unknown"],
        ["toy", "plain", "1", "0", "0", "30 s", "unknown"],
        ["other", "things", "0", "0", "0", "0 s", ""],
        ["all", "", "3", "1", "1", "2.0 h", "6 min + 3 unknown"],
        ["on the clock", "", "", "", "", "62 min", "3 min + 3 unknown"],
    ]


# Bars


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    own = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=own))
    return own


def noisy_plan(*lengths: float | None) -> Plan:
    parts: list[Any] = [(NoisyParameters.of(seed=seed), "missing", one, True) for seed, one in enumerate(lengths)]
    return plan_of(*parts)


def finish(bars: Bars, unit: UnitParameters, clock: Clock, seconds: float) -> None:
    bars.started(unit)
    clock.seconds += seconds
    bars.ended(Failed(unit, "", ""))


def test_where_nobody_looks_a_line_a_minute_stands_for_the_bars(clock: Clock) -> None:
    file = io.StringIO()
    plan = noisy_plan(*[1.0] * 600)
    printed: list[float] = []
    with Bars(plan, Console(file=file, width=120)) as bars:
        for due in plan.due:
            before = len(file.getvalue())
            finish(bars, due.unit, clock, 1)
            if len(file.getvalue()) > before:
                printed.append(clock.seconds)
    assert 9 <= len(printed) <= 10
    assert min(later - former for former, later in zip([1000.0, *printed], printed, strict=False)) >= 60
    lines = file.getvalue().splitlines()
    assert len(lines) == len(printed)
    done = [re.search(r"(\d+) of (\d+) units", line) for line in lines]
    assert [match and (int(match[1]), int(match[2])) for match in done] == [
        (int(moment - 1000), 600) for moment in printed
    ]


def test_where_nobody_looks_a_notice_is_printed_at_once(clock: Clock) -> None:
    file = io.StringIO()
    with Bars(noisy_plan(1.0), Console(file=file, width=120)) as bars:
        bars.notice("a worker died")
        assert file.getvalue().strip() == "a worker died"


def at_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=200, _environ={"TERM": "xterm"})


def last_frame(console: Console) -> dict[str, str]:
    """Return what stands at the terminal in the end: the name of each bar, with its indentation, and the rest."""
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue().rpartition("\x1b[2K")[2])
    bars = [re.fullmatch(r"( *\w+) +[━╸╺ ]+(.*)", line) for line in text.splitlines() if line.strip()]
    assert all(bars), text
    return {bar[1]: bar[2].strip() for bar in bars if bar}


def test_terminal_has_a_bar_for_the_run_for_each_paper_and_for_each_experiment(clock: Clock) -> None:
    console = at_terminal()
    noisy = [NoisyParameters.of(seed=seed) for seed in range(4)]
    others = [OtherParameters.of(seed=seed) for seed in range(2)]
    parts: list[Any] = [(unit, "missing", 10.0, True) for unit in (*noisy, PlainParameters.of(), *others)]
    with Bars(plan_of(*parts), console) as bars:
        for unit in (*noisy[:3], others[0]):
            finish(bars, unit, clock, 10)
        bars.started(PlainParameters.of())
    frame = last_frame(console)
    assert frame.keys() == {"all", "  toy", "    noisy", "    plain", "  other", "    things"}
    counts = {name.strip(): text.split()[0] for name, text in frame.items()}
    assert counts == {"all": "4/7", "toy": "3/5", "noisy": "3/4", "plain": "0/1", "other": "1/2", "things": "1/2"}
    assert PlainParameters.of().label in frame["    plain"]
    assert "360 units/h, 30 s left" in frame["all"]


def test_terminal_shows_a_notice_above_the_bars(clock: Clock) -> None:
    console = at_terminal()
    with Bars(noisy_plan(1.0), console) as bars:
        bars.notice("a worker died")
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.index("a worker died") < text.rindex("noisy")
    assert "a worker died" not in last_frame(console)


@pytest.mark.parametrize(
    ("expected", "took", "per_hour", "left"),
    [
        # As fast as expected: 9 units of 100 s are left, then 5.
        ([100.0] * 10, [100.0], "36", "15 min"),
        ([100.0] * 10, [100.0] * 5, "36", "8 min"),
        # Twice as slow, and as four workers at once would be: 800 s are left that take 1600 s, or 200 s.
        ([100.0] * 10, [200.0] * 2, "18", "27 min"),
        ([100.0] * 10, [25.0] * 2, "144", "3 min"),
        # The long ones were first: 120 s of 6120 s are left.
        ([3000.0, 3000.0, 60.0, 60.0], [3000.0, 3000.0], "1", "2 min"),
        # Nobody knows how long: the rest takes as long as those before.
        ([None] * 4, [120.0], "30", "6 min"),
        ([None] * 4, [120.0] * 3, "30", "2 min"),
        ([100.0] * 2, [100.0] * 2, "36", "0 s"),
        # Ten units of unknown length took 100 s each, one of a known second took that: 99 more of them are left.
        ([*[None] * 10, *[1.0] * 100], [*[100.0] * 10, 1.0], "40", "2 min"),
    ],
)
def test_time_left_is_what_the_rest_takes_at_the_speed_so_far(
    clock: Clock, expected: list[float | None], took: list[float], per_hour: str, left: str
) -> None:
    console = at_terminal()
    plan = noisy_plan(*expected)
    with Bars(plan, console) as bars:
        for due, seconds in zip(plan.due, took, strict=False):
            finish(bars, due.unit, clock, seconds)
    assert last_frame(console)["all"].split(maxsplit=1)[1] == f"{per_hour} units/h, {left} left"


def test_units_that_run_at_once_halve_the_time_left(clock: Clock) -> None:
    console = at_terminal()
    plan = noisy_plan(*[100.0] * 6)
    with Bars(plan, console) as bars:
        for due in plan.due[:2]:
            bars.started(due.unit)
        clock.seconds += 100
        for due in plan.due[:2]:
            bars.ended(Failed(due.unit, "", ""))
    assert "200 s" not in last_frame(console)["all"]
    assert last_frame(console)["all"].endswith("3 min left")  # 400 s, two at a time


def test_bar_of_an_experiment_shows_what_runs_there_now_and_nothing_that_ended(clock: Clock) -> None:
    console = at_terminal()
    first, second, plain = NoisyParameters.of(model="b"), NoisyParameters.of(model="c"), PlainParameters.of(share="y")
    with Bars(plan_of(*((unit, "missing", 10.0, True) for unit in (first, second, plain))), console) as bars:
        for unit in (first, second, plain):
            bars.started(unit)
        bars.ended(Failed(first, "", ""))
        frame = last_frame(console)
        bars.ended(Failed(second, "", ""))
    assert frame == {} or first.label not in frame["    noisy"]
    ending = last_frame(console)
    assert second.label not in ending["    noisy"]
    assert plain.label in ending["    plain"]
    assert plain.label not in ending["    noisy"]


def test_line_of_a_run_in_a_file_names_what_runs_now(clock: Clock) -> None:
    file = io.StringIO()
    first, second = NoisyParameters.of(model="b"), NoisyParameters.of(model="c")
    with Bars(plan_of(*((unit, "missing", 1.0, True) for unit in (first, second))), Console(file=file)) as bars:
        bars.started(first)
        bars.started(second)
        clock.seconds += 100
        bars.ended(Failed(first, "", ""))
    assert f"now: {second.label}" in file.getvalue()


def test_notice_in_a_file_is_one_whole_line_and_is_not_read_as_markup() -> None:
    file = io.StringIO()
    with Bars(noisy_plan(1.0), Console(file=file, width=60)) as bars:
        bars.notice("[bold]" + "word " * 60)
    (line,) = file.getvalue().splitlines()
    assert line.startswith("[bold]word")


def test_units_that_end_within_one_tick_of_the_clock_are_shown(clock: Clock) -> None:
    with Bars(noisy_plan(1.0, None), at_terminal()) as bars:
        for seed in range(2):
            finish(bars, NoisyParameters.of(seed=seed), clock, 0)


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Let threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_units_may_start_in_one_thread_while_others_end_in_another(busy_threads: None) -> None:
    units = [NoisyParameters.of(seed=seed) for seed in range(400)]
    plan = plan_of(*((unit, "missing", 1.0, True) for unit in units))
    at_once, later = units[:200], units[200:]
    bars = Bars(plan, Console(file=io.StringIO()))
    for unit in at_once:
        bars.started(unit)
    with ThreadPoolExecutor(2) as threads:
        starting = threads.submit(lambda: [bars.started(unit) for unit in later])
        ending = threads.submit(lambda: [bars.ended(Failed(unit, "", "")) for unit in at_once])
        starting.result()
        ending.result()
    for unit in later:
        bars.ended(Failed(unit, "", ""))
