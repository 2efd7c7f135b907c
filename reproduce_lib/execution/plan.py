"""What a run would do before it does it: units present, stale and missing, and how long the due ones take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from reproduce_lib.execution.estimates import expected_seconds
from reproduce_lib.execution.pool import Due
from reproduce_lib.execution.study import State, UnitStatus, place_of, unit_statuses
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters

Execute = Literal["recorded", "missing", "stale", "fresh"]
# Which states of a unit each mode runs.
_RUNS: dict[Execute, tuple[State, ...]] = {
    "recorded": (),
    "missing": ("missing", "stale"),
    "stale": ("stale",),
    "fresh": ("missing", "stale", "fresh"),
}


@dataclass(frozen=True)
class PlanRow:
    """One experiment of a plan: its units by state, how many are due, and their seconds as far as known."""

    paper: str
    experiment: str
    fresh: int
    stale: int
    missing: int
    due: int
    seconds: float
    of_unknown_length: int


@dataclass(frozen=True)
class Plan:
    """Units, their states, and those that are due, longest first."""

    store: Store
    statuses: tuple[UnitStatus, ...]
    due: tuple[Due, ...]

    @property
    def seconds(self) -> float:
        """Return the seconds of one worker that the due units of known length take together."""
        return sum(due.seconds or 0.0 for due in self.due)

    @property
    def of_unknown_length(self) -> int:
        """Return the number of due units whose like was never recorded on this processor."""
        return sum(due.seconds is None for due in self.due)

    def rows(self) -> list[PlanRow]:
        """Return one row per experiment, in the order of the units."""
        rows = []
        for paper, experiment in dict.fromkeys(place_of(one.unit) for one in self.statuses):
            states = [one.state for one in self.statuses if place_of(one.unit) == (paper, experiment)]
            mine = [due for due in self.due if place_of(due.unit) == (paper, experiment)]
            rows.append(
                PlanRow(
                    paper,
                    experiment,
                    fresh=states.count("fresh"),
                    stale=states.count("stale"),
                    missing=states.count("missing"),
                    due=len(mine),
                    seconds=sum(due.seconds or 0.0 for due in mine),
                    of_unknown_length=sum(due.seconds is None for due in mine),
                )
            )
        return rows


def make_plan(
    units: Iterable[UnitParameters], store: Store, how: Execute = "missing", *, learn_from: Sequence[Store] = ()
) -> Plan:
    """Find out which units are due, and how long each will take.

    Parameters
    ----------
    how : ``recorded`` runs nothing, ``missing`` what is missing or stale, ``stale`` only what is stale,
        ``fresh`` everything
    learn_from : more stores whose recorded seconds tell how long a unit takes
    """
    statuses = tuple(unit_statuses({unit.key: unit for unit in units}.values(), store))
    chosen = [status.unit for status in statuses if status.state in _RUNS[how]]
    expected = expected_seconds(chosen, [store, *learn_from]) if chosen else []
    due = [Due(unit, seconds) for unit, seconds in zip(chosen, expected, strict=True)]
    # Longest first leaves no long unit for the end, when the other workers have nothing left to do. What nobody
    # knows the length of comes before all, for it may be the longest.
    longest = sorted(due, key=lambda one: float("inf") if one.seconds is None else one.seconds, reverse=True)
    return Plan(store, statuses, tuple(longest))
