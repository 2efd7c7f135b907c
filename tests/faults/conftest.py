"""Every test of this folder tries a fault, carries the mark of that, and takes its part of a budget.

The default sample may take two minutes of its own. What is measured is not the time on the clock: on a machine that
does other things, or runs tests side by side, that says how busy it is. A test is charged the processor time that it
and the processes that it started took, and no more of its waiting than the machine stood idle meanwhile. A test that
sleeps is charged its sleep where nothing else runs; where other work fills the machine it is charged less, never more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
BUDGET_SECONDS = 120.0
BEYOND_THE_SAMPLE = ("slow", "long")


@dataclass(frozen=True)
class Clocks:
    """Seconds: on the clock, of processors for this process and those it has waited for, and of idle processors."""

    wall: float
    own: float
    idle: float

    @classmethod
    def now(cls) -> Clocks:
        used, machine = psutil.Process().cpu_times(), psutil.cpu_times()
        own = used.user + used.system + used.children_user + used.children_system
        return cls(time.monotonic(), own, machine.idle + getattr(machine, "iowait", 0.0))

    def charged_since(self, begin: Clocks) -> float:
        return min(self.wall - begin.wall, self.own - begin.own + self.idle - begin.idle)


def charge(ledger: Path, test: str, seconds: float) -> dict[str, float]:
    """Write what a test took, a line that no other process's line cuts into, and return what each has taken so far."""
    with ledger.open("a", encoding="utf-8") as file:
        file.write(f"{seconds:.3f} {test}\n")
    lines = (line.split(" ", 1) for line in ledger.read_text(encoding="utf-8").splitlines())
    return {test: float(seconds) for seconds, test in lines}


def check_budget(charged: dict[str, float]) -> None:
    total = sum(charged.values())
    dearest = sorted(charged.items(), key=lambda one: -one[1])[:5]
    told = ", ".join(f"{test} {seconds:.1f} s" for test, seconds in dearest)
    assert total <= BUDGET_SECONDS, f"the default sample of faults takes {total:.0f} s; the dearest: {told}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them before pytest chooses by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("faults")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Begin before the fixtures: what tests share is set up for one of them."""
    item.stash[BEGIN] = Clocks.now()
    yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail the test with which the budget is overdrawn; its message names the dearest."""
    yield
    if not any(item.get_closest_marker(mark) for mark in BEYOND_THE_SAMPLE):
        check_budget(charge(ledger_of(item.config), item.nodeid, Clocks.now().charged_since(item.stash[BEGIN])))


BEGIN = pytest.StashKey[Clocks]()


def ledger_of(config: pytest.Config) -> Path:
    """Return the file that all processes of this run of pytest share."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    return (base.parent if hasattr(config, "workerinput") else base) / "faults-charged.txt"
