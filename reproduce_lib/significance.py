"""How many runs differ from the naive forecast by more than chance, by the test that each of them recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LEVEL = 0.05


@dataclass(frozen=True)
class RunsAgainstNaive:
    """Runs with a smaller error than the naive forecast by more than chance, with a larger one, and all of them."""

    better: int
    worse: int
    runs: int

    @property
    def undecided(self) -> int:
        """Return how many runs the test decides nothing about."""
        return self.runs - self.better - self.worse

    def __add__(self, other: RunsAgainstNaive) -> RunsAgainstNaive:
        return RunsAgainstNaive(self.better + other.better, self.worse + other.worse, self.runs + other.runs)

    def of(self, count: int) -> str:
        """Write some of the runs as a count of all of them."""
        return f"{count} of {self.runs}"


def runs_against_naive(metrics: Iterable[Mapping[str, Any]]) -> RunsAgainstNaive:
    """Count runs by the Diebold-Mariano test against the naive forecast that each recorded, at the 5 % level.

    Parameters
    ----------
    metrics : of each run; ``dm_statistic`` is below 0 where the run's errors are smaller, ``dm_p_value`` is two-sided
    """
    found = list(metrics)
    told = [one["dm_statistic"] for one in found if one["dm_p_value"] < LEVEL]
    return RunsAgainstNaive(sum(one < 0 for one in told), sum(one > 0 for one in told), len(found))
