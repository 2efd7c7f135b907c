"""The collection computed twice: each record here against the record of the same unit in another folder.

It takes days, so it may be done in parts: what is kept says of each unit what its last comparison found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import msgspec

from reproduce_lib.book.kept import Fields, Kept
from reproduce_lib.book.run_history import PastRun, history, history_table
from reproduce_lib.errors import RecordError
from reproduce_lib.execution.agreement import Agreement
from reproduce_lib.execution.run_log import RunLog, now
from reproduce_lib.execution.study import Place, UnitStatus, place_of, unit_statuses
from reproduce_lib.records import Record
from reproduce_lib.store import Store
from reproduce_lib.tables import Html, table
from reproduce_lib.units import MetricValue, UnitParameters

# Of more, the page says how many they are; the file holds all.
SHOWN_DIFFERENCES = 50


# How a unit that is recorded there compares. ``new`` is not recorded here; ``taken`` was computed once, there, and
# taken over; of what was computed here and there, ``equal`` is the same to the last bit, ``agrees`` and ``differs``
# follow the rule of replays.
Outcome = Literal["new", "taken", "equal", "agrees", "differs"]


class Tally(Fields, frozen=True, kw_only=True):
    """How the units of one experiment compare: the recorded ones here, and unit -> outcome of those recorded there."""

    paper: str
    experiment: str
    here: int
    outcomes: dict[str, Outcome]

    @property
    def there(self) -> int:
        """Return how many units are recorded there."""
        return len(self.outcomes)

    @property
    def taken(self) -> int:
        """Return how many were computed once, there, and taken over."""
        return self._number("taken")

    @property
    def twice(self) -> int:
        """Return how many were computed here and there."""
        return self._number("equal", "agrees", "differs")

    @property
    def equal(self) -> int:
        """Return how many that were computed twice are the same to the last bit."""
        return self._number("equal")

    @property
    def agree(self) -> int:
        """Return how many that were computed twice agree by the rule of replays."""
        return self._number("equal", "agrees")

    def _number(self, *wanted: Outcome) -> int:
        return sum(outcome in wanted for outcome in self.outcomes.values())


class Difference(Fields, frozen=True, kw_only=True):
    """A metric that does not agree."""

    paper: str
    experiment: str
    unit: str
    metric: str
    before: MetricValue
    again: MetricValue
    rule: str


class Recomputation(Fields, frozen=True, kw_only=True):
    """What a second computation found, or the parts of one."""

    schema: Literal[1] = 1
    time: str
    tallies: list[Tally]
    differences: list[Difference]
    runs: list[PastRun]

    def updated(self, part: Recomputation, units: Iterable[UnitParameters]) -> Recomputation:
        """Return this with what a later part found of its units in the place of what was known of them.

        ``units`` are those of the collection today: what is known of others went with them.
        """
        today = {(*place_of(unit), unit.key) for unit in units}
        again = {(one.paper, one.experiment, unit) for one in part.tallies for unit in one.outcomes}
        known = {one.began for one in part.runs}
        before = {(one.paper, one.experiment): one.outcomes for one in self.tallies}

        def together(tally: Tally) -> Tally:
            place = (tally.paper, tally.experiment)
            kept = {unit: found for unit, found in before.get(place, {}).items() if (*place, unit) in today}
            return msgspec.structs.replace(tally, outcomes=kept | tally.outcomes)

        return Recomputation(
            time=part.time,
            tallies=[together(one) for one in part.tallies],
            differences=[
                one for one in self.differences if (one.paper, one.experiment, one.unit) in today.difference(again)
            ]
            + part.differences,
            runs=[one for one in self.runs if one.began not in known] + part.runs,
        )


RECOMPUTED = Kept("recomputed.json", Recomputation, "reproduce compare FOLDER --keep")


def compare_records(units: Sequence[UnitParameters], here: Store, there: Store) -> tuple[list[Tally], list[Difference]]:
    """Compare the records of units in two stores, experiment by experiment."""
    pairs = [
        _Pair(place_of(one.unit), one, other)
        for one, other in zip(unit_statuses(units, here), unit_statuses(units, there), strict=True)
    ]
    rule = Agreement([one.here for one in pairs if one.computed_twice], here)
    differences = [found for one in pairs if one.computed_twice and not one.equal for found in _differences(rule, one)]
    differing = {(one.paper, one.experiment, one.unit) for one in differences}
    by_place: dict[Place, list[_Pair]] = defaultdict(list)
    for one in pairs:
        by_place[one.place].append(one)
    return [_tally(place, those, differing) for place, those in by_place.items()], differences


def ends_of_units(units: Iterable[UnitParameters], store: Store) -> dict[str, list[str]]:
    """Return paper -> the times at which the recorded units of the experiments of ``units`` ended."""
    ends: dict[str, list[str]] = defaultdict(list)
    for paper, experiment in sorted({place_of(unit) for unit in units}):
        ends[paper] += [record.time for record in store.file(paper, experiment).read().records.values()]
    return dict(ends)


def store_in(folder: Path) -> Store:
    """Return the store of a project's folder: of what was ``REPRODUCE_ROOT`` when it was filled."""
    return Store(folder / "book" / "records", folder / "book" / "artifacts")


def compare_folders(units: Sequence[UnitParameters], here: Store, other: Path) -> Recomputation:
    """Hold the records of a project's folder, whose runs are logged there, against those here.

    Raises
    ------
    RecordError
        If the folder holds no records.
    """
    there = store_in(other)
    ends = ends_of_units(units, there)
    if not any(ends.values()):
        raise RecordError(f"{there.records} holds no record of any unit")
    tallies, differences = compare_records(units, here, there)
    runs = history(RunLog(there.records / "runs.jsonl").runs(), ends)
    return Recomputation(time=now(), tallies=tallies, differences=differences, runs=runs)


def recomputed_page(found: Recomputation | None) -> str:
    """Return a comparison as Markdown to be included, or one sentence where there is none."""
    if found is None:
        return "The collection has not been computed a second time yet.\n"
    return "\n\n".join([*_tables(found), *_shown(found)]) + "\n"


@dataclass(frozen=True)
class _Pair:
    """What is known of one unit in the two folders."""

    place: Place
    here: UnitStatus
    there: UnitStatus

    @property
    def taken(self) -> bool:
        """Whether it is one record that lies in both folders, and neither was altered since."""
        one, other = self.here.record, self.there.record
        if one is None or other is None:
            return False
        return (one.time, one.seconds) == (other.time, other.seconds) and self.equal

    @property
    def computed_twice(self) -> bool:
        return self.here.record is not None and self.there.record is not None and not self.taken

    @property
    def equal(self) -> bool:
        one, other = self.here.record, self.there.record
        return one is not None and other is not None and _found(one) == _found(other)


def _found(record: Record) -> tuple[dict[str, MetricValue], int, str | None]:
    """Return all that a record says of what was found; the SHA-256 stands for the arrays."""
    return record.metrics, record.n, record.artifact


def _tally(place: Place, pairs: list[_Pair], differing: set[tuple[str, str, str]]) -> Tally:
    return Tally(
        paper=place[0],
        experiment=place[1],
        here=sum(one.here.record is not None for one in pairs),
        outcomes={
            one.here.unit.key: _outcome_of(one, differs=(*place, one.here.unit.key) in differing)
            for one in pairs
            if one.there.record is not None
        },
    )


def _outcome_of(pair: _Pair, *, differs: bool) -> Outcome:
    if pair.here.record is None:
        return "new"
    if pair.taken:
        return "taken"
    if pair.equal:
        return "equal"
    return "differs" if differs else "agrees"


def _differences(rule: Agreement, pair: _Pair) -> Iterator[Difference]:
    one, other = pair.here, pair.there
    assert one.record is not None, "both are recorded"
    assert other.record is not None, "both are recorded"
    assert other.context is not None, "a recorded unit has a context"
    place = {"paper": one.unit.paper, "experiment": one.unit.experiment, "unit": one.unit.key}
    for metric in rule.compare(one, other.record.metrics, other.context):
        if not metric.agrees:
            yield Difference(
                **place, metric=metric.metric, before=metric.recorded, again=metric.replayed, rule=metric.rule
            )
    for name in sorted(other.record.metrics.keys() - one.record.metrics.keys()):
        yield Difference(**place, metric=name, before="not measured", again=other.record.metrics[name], rule="is new")


def _tables(found: Recomputation) -> Iterator[str]:
    header = [
        "Paper",
        "Experiment",
        "Recorded",
        "Again",
        "Once only",
        "Twice",
        "Equal to the last bit",
        "Agree",
        "Differ",
    ]
    rows = [
        (
            one.paper,
            one.experiment.replace("_", " "),
            *(
                f"{count:,}"
                for count in (one.here, one.there, one.taken, one.twice, one.equal, one.agree, one.twice - one.agree)
            ),
        )
        for one in found.tallies
    ]
    yield str(table(header, rows, caption=f"Units computed a second time, as of {found.time[:10]}", numeric=7))
    if found.runs:
        yield str(history_table(found.runs, "The runs that computed them"))


def _shown(found: Recomputation) -> Iterator[str]:
    differences = found.differences
    if not differences:
        twice = sum(one.twice for one in found.tallies)
        yield f"Of {twice:,} units computed twice, no metric differs." if twice else "Nothing was computed twice yet."
        return
    header = ["Unit", "Metric", "Before", "Again", "Rule"]
    rows = [
        (
            Html(f"{escape(one.paper)} {escape(one.experiment)} <code>{escape(one.unit)}</code>"),
            one.metric,
            _written(one.before),
            _written(one.again),
            one.rule,
        )
        for one in differences[:SHOWN_DIFFERENCES]
    ]
    shown = f"{len(rows)} of {len(differences)}" if len(rows) < len(differences) else str(len(rows))
    yield str(table(header, rows, caption=f"Every metric that differs ({shown})"))


def _written(value: MetricValue) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
