"""What became of runs: what each planned, what it took, and how far one came that was killed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reproduce_lib.book.kept import Fields
from reproduce_lib.execution.run_log import Run, seconds_between
from reproduce_lib.tables import Html, fold, table

SHORT_RUN_SECONDS = 120
UNENDED = "killed, or still running"
# Where the word of the log would be taken for the units'.
_ENDINGS = {"failed": "stopped by an error"}


class PastRun(Fields, frozen=True, kw_only=True):
    """A run from its plan to its end; times in UTC, ``expected_seconds`` of one worker.

    Of a run that never said that it ended, ``recorded`` and ``seconds`` are told from the units that were recorded
    until the next one began, and missing where those are more than it had to do: others ran at the same time.
    """

    began: str
    processor: str
    papers: list[str]
    jobs: int
    due: int
    expected_seconds: float
    of_unknown_length: int
    seconds: float | None
    recorded: int | None
    failed: int
    ending: str


def history(runs: Iterable[Run], ends_of_units: Mapping[str, Sequence[str]]) -> list[PastRun]:
    """Return what became of logged runs, in the order of their starts.

    Parameters
    ----------
    ends_of_units : paper -> the times at which its recorded units ended
    """
    ordered = sorted(runs, key=lambda run: run.started.time)
    found = []
    for place, run in enumerate(ordered):
        later = [
            other.started.time for other in ordered[place + 1 :] if {*other.started.papers} & {*run.started.papers}
        ]
        until = later[0] if later else "9999"
        ends = [end for paper in run.started.papers for end in ends_of_units.get(paper, ())]
        found.append(_past_run(run, sorted(end for end in ends if run.started.time <= end < until)))
    return found


def history_table(found: Iterable[PastRun], caption: str) -> Html:
    """Return a table with a row for each run."""
    header = ["Began (UTC)", "Papers", "Units due", "Expected", "Took", "At a time", "Recorded", "Ended"]
    rows = [
        (
            one.began.replace("T", " ").rstrip("Z"),
            ", ".join(one.papers),
            f"{one.due:,}",
            _expected(one),
            "" if one.seconds is None else f"{one.seconds / 60:.0f} min",
            str(one.jobs),
            "" if one.recorded is None else f"{one.recorded:,}",
            _ended(one),
        )
        for one in found
    ]
    return table(header, rows, caption=caption)


def runs_page(found: Sequence[PastRun]) -> str:
    """Return the log of runs as a part of a page; short ones are folded."""
    if not found:
        return "No run is logged yet.\n"
    short = [
        one for one in found if one.ending != UNENDED and one.seconds is not None and one.seconds < SHORT_RUN_SECONDS
    ]
    long = [one for one in found if one not in short]
    tables = [history_table(long, "Runs behind the records")] if long else []
    if short:
        caption = f"{len(short)} runs of less than {SHORT_RUN_SECONDS // 60} minutes"
        tables.append(fold(caption, history_table(short, caption)))
    return "\n\n".join(tables) + "\n"


def _past_run(run: Run, ends: list[str]) -> PastRun:
    started, ended = run.started, run.ended
    own = ends if len(ends) <= started.due else None
    return PastRun(
        began=started.time,
        processor=started.processor,
        papers=started.papers,
        jobs=started.jobs,
        due=started.due,
        expected_seconds=started.expected_seconds,
        of_unknown_length=started.of_unknown_length,
        seconds=seconds_between(started.time, own[-1]) if ended is None and own else run.seconds,
        recorded=ended.written if ended else None if own is None else len(own),
        failed=ended.failed if ended else 0,
        ending=ended.ending if ended else UNENDED,
    )


def _ended(one: PastRun) -> str:
    words = _ENDINGS.get(one.ending, one.ending)
    return f"{words}, {one.failed} failed" if one.failed else words


def _expected(one: PastRun) -> str:
    if one.of_unknown_length == one.due:
        return "unknown: nothing like it was recorded"
    unknown = f" + {one.of_unknown_length} units of unknown length" if one.of_unknown_length else ""
    return f"{one.expected_seconds / 60 / one.jobs:.0f} min{unknown}"
