"""The collection computed twice: each record here against the record of the same unit in another folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from reproduce_lib.agreement import Agreement
from reproduce_lib.errors import RecordError
from reproduce_lib.kept import Fields, Kept
from reproduce_lib.records import Store
from reproduce_lib.run_log import Run, RunLog, now
from reproduce_lib.study import Place, UnitStatus, place_of, unit_statuses
from reproduce_lib.tables import Html, table
from reproduce_lib.units import MetricValue, UnitParameters

# Of more, the page says how many they are; the file holds all.
SHOWN_DIFFERENCES = 50


class Tally(Fields, frozen=True, kw_only=True):
    """How the units of one experiment compare.

    ``taken`` were computed once, there, and taken over; ``twice`` were computed here and there, of which ``equal`` are
    the same to the last bit and ``agree`` by the rule of replays.
    """

    paper: str
    experiment: str
    here: int
    there: int
    taken: int
    twice: int
    equal: int
    agree: int


class Difference(Fields, frozen=True, kw_only=True):
    """A metric that does not agree."""

    paper: str
    experiment: str
    unit: str
    metric: str
    before: MetricValue
    again: MetricValue
    rule: str


class LoggedRun(Fields, frozen=True, kw_only=True):
    """A run of the second computation: what it planned and what it took; no ``seconds`` if it was killed."""

    began: str
    processor: str
    jobs: int
    due: int
    expected_seconds: float
    of_unknown_length: int
    seconds: float | None
    ending: str
    written: int


class Recomputation(Fields, frozen=True, kw_only=True):
    """What a second computation found."""

    schema: Literal[1] = 1
    time: str
    tallies: list[Tally]
    differences: list[Difference]
    runs: list[LoggedRun]


RECOMPUTED = Kept("recomputed.json", Recomputation, "reproduce compare FOLDER --keep")


def hold_against(units: Sequence[UnitParameters], here: Store, there: Store) -> tuple[list[Tally], list[Difference]]:
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


def recompute(units: Sequence[UnitParameters], here: Store, other: Path) -> Recomputation:
    """Hold the records of a project's folder, whose runs are logged there, against those here.

    Raises
    ------
    RecordError
        If the folder holds no records.
    """
    records = other / "book" / "records"
    if not records.is_dir():
        raise RecordError(f"{other} holds no book/records")
    tallies, differences = hold_against(units, here, Store(records, other / "book" / "artifacts"))
    runs = [_logged(run) for run in RunLog(records / "runs.jsonl").runs()]
    return Recomputation(time=now(), tallies=tallies, differences=differences, runs=runs)


def recomputed_page(found: Recomputation | None) -> str:
    """Return a comparison as Markdown to be included, or one sentence where there is none."""
    if found is None:
        return "The collection has not been computed a second time yet.\n"
    return "\n\n".join([*_tables(found), *_shown(found.differences)]) + "\n"


@dataclass(frozen=True)
class _Pair:
    """What is known of one unit in the two folders."""

    place: Place
    here: UnitStatus
    there: UnitStatus

    @property
    def taken(self) -> bool:
        """Whether it is one record that lies in both folders."""
        one, other = self.here.record, self.there.record
        return one is not None and other is not None and (one.time, one.seconds) == (other.time, other.seconds)

    @property
    def computed_twice(self) -> bool:
        return self.here.record is not None and self.there.record is not None and not self.taken

    @property
    def equal(self) -> bool:
        one, other = self.here.record, self.there.record
        return one is not None and other is not None and one.metrics == other.metrics


def _tally(place: Place, pairs: list[_Pair], differing: set[tuple[str, str, str]]) -> Tally:
    twice = [one for one in pairs if one.computed_twice]
    return Tally(
        paper=place[0],
        experiment=place[1],
        here=sum(one.here.record is not None for one in pairs),
        there=sum(one.there.record is not None for one in pairs),
        taken=sum(one.taken for one in pairs),
        twice=len(twice),
        equal=sum(one.equal for one in twice),
        agree=sum((*place, one.here.unit.key) not in differing for one in twice),
    )


def _differences(rule: Agreement, pair: _Pair) -> Iterator[Difference]:
    one, other = pair.here, pair.there
    assert other.record is not None, "both are recorded"
    assert other.context is not None, "a recorded unit has a context"
    for metric in rule.compare(one, other.record.metrics, other.context):
        if not metric.agrees:
            yield Difference(
                paper=one.unit.paper,
                experiment=one.unit.experiment,
                unit=one.unit.key,
                metric=metric.metric,
                before=metric.recorded,
                again=metric.replayed,
                rule=metric.rule,
            )


def _logged(run: Run) -> LoggedRun:
    ended = run.ended
    return LoggedRun(
        began=run.started.time,
        processor=run.started.processor,
        jobs=run.started.jobs,
        due=run.started.due,
        expected_seconds=run.started.expected_seconds,
        of_unknown_length=run.started.of_unknown_length,
        seconds=run.seconds,
        ending=ended.ending if ended else "killed",
        written=ended.written if ended else 0,
    )


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
    header = ["Began (UTC)", "Processor", "At a time", "Units due", "Expected", "Took", "Recorded", "Ended"]
    rows = [
        (
            one.began.replace("T", " ").rstrip("Z"),
            one.processor,
            str(one.jobs),
            f"{one.due:,}",
            f"{one.expected_seconds / 60 / one.jobs:.0f} min" if one.of_unknown_length < one.due else "unknown",
            "" if one.seconds is None else f"{one.seconds / 60:.0f} min",
            f"{one.written:,}",
            one.ending,
        )
        for one in found.runs
    ]
    yield str(table(header, rows, caption="The runs that computed them", numeric=0))


def _shown(differences: list[Difference]) -> Iterator[str]:
    if not differences:
        yield "No metric differs."
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
