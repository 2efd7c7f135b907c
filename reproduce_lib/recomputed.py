"""The collection computed twice: each record here against the record of the same unit in another folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Literal

import msgspec

from reproduce_lib import paths
from reproduce_lib.agreement import Agreement
from reproduce_lib.errors import RecordError
from reproduce_lib.files import write_whole
from reproduce_lib.records import Store
from reproduce_lib.run_log import Run, RunLog, now
from reproduce_lib.study import Place, UnitStatus, place_of, unit_statuses
from reproduce_lib.tables import Html, table
from reproduce_lib.units import MetricValue, UnitParameters

# Of more, the page says how many they are; the file holds all.
SHOWN_DIFFERENCES = 50


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of what is kept: named fields, and no others."""


class Tally(_Part, frozen=True, kw_only=True):
    """How the units of one experiment compare; ``equal`` is to the last bit, ``agree`` by the rule of replays."""

    paper: str
    experiment: str
    here: int
    there: int
    both: int
    equal: int
    agree: int


class Difference(_Part, frozen=True, kw_only=True):
    """A metric that does not agree."""

    paper: str
    experiment: str
    unit: str
    metric: str
    before: MetricValue
    again: MetricValue
    rule: str


class LoggedRun(_Part, frozen=True, kw_only=True):
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


class Recomputation(_Part, frozen=True, kw_only=True):
    """What a second computation found."""

    schema: Literal[1] = 1
    time: str
    tallies: list[Tally]
    differences: list[Difference]
    runs: list[LoggedRun]


def hold_against(units: Sequence[UnitParameters], here: Store, there: Store) -> tuple[list[Tally], list[Difference]]:
    """Compare the records of units in two stores, experiment by experiment."""
    first, second = unit_statuses(units, here), unit_statuses(units, there)
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if one.record and other.record]
    rule = Agreement([one for one, _ in pairs], here)
    differences = [
        found for one, other in pairs if not _is_equal(one, other) for found in _differences(rule, one, other)
    ]
    differing = {(one.paper, one.experiment, one.unit) for one in differences}
    tallies: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one, other in zip(first, second, strict=True):
        place = place_of(one.unit)
        both = one.record is not None and other.record is not None
        counts = tallies[place]
        counts["here"] += one.record is not None
        counts["there"] += other.record is not None
        counts["both"] += both
        counts["equal"] += both and _is_equal(one, other)
        counts["agree"] += both and (*place, one.unit.key) not in differing
    names = ("here", "there", "both", "equal", "agree")
    return [
        Tally(paper=place[0], experiment=place[1], **{name: counts[name] for name in names})
        for place, counts in tallies.items()
    ], differences


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


def kept_at() -> Path:
    """Return where the last comparison is kept."""
    return paths.root() / "book" / "recomputed.json"


def keep(found: Recomputation) -> None:
    """Keep a comparison for the page."""
    write_whole(kept_at(), msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def recomputed_page() -> str:
    """Return the kept comparison as Markdown to be included, or one sentence where there is none."""
    path = kept_at()
    if not path.is_file():
        return "The collection has not been computed a second time yet.\n"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Recomputation)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is no comparison: {error}") from error
    return "\n\n".join([*_tables(found), *_shown(found.differences)]) + "\n"


def _is_equal(one: UnitStatus, other: UnitStatus) -> bool:
    return one.record is not None and other.record is not None and one.record.metrics == other.record.metrics


def _differences(rule: Agreement, one: UnitStatus, other: UnitStatus) -> Iterator[Difference]:
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
    header = ["Paper", "Experiment", "Recorded", "Again", "Both", "Equal to the last bit", "Agree", "Differ"]
    rows = [
        (
            one.paper,
            one.experiment.replace("_", " "),
            *(f"{count:,}" for count in (one.here, one.there, one.both, one.equal, one.agree, one.both - one.agree)),
        )
        for one in found.tallies
    ]
    yield str(table(header, rows, caption=f"Units computed a second time, as of {found.time[:10]}", numeric=6))
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
