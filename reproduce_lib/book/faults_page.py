"""What the page on faults shows: the counts of the last long run, which ``make faults`` writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from reproduce_lib.book.kept import Fields, Kept
from reproduce_lib.tables import table

OUTCOMES = ("refused", "same", "another")
NOT_YET = "not yet counted in the long run"
# The trials of the long run beside those of the readers, by what the page calls them.
KILLS = "kills: runs killed at a random moment, two writers in every second"
WORKERS = "a worker killed: its unit run again"
ARRAYS = "kills while arrays are written"
DISKS = "disks that take no more: runs that ended in one clear error"
NOTEBOOKS = "notebooks that do not end well: told as it was, the old page in its place"
READERS = (
    "aeta_events", "aeta_raw", "aeta_raw_folder", "aeta_stations", "aeta_weeks", "cea", "ceed_picks", "ceed_record",
    "cenc", "comcat", "comcat_answers", "comcat_gzipped", "iris", "miniseed", "nshm", "phivolcs", "prices",
    "prices_eu_dates", "prices_unadjusted", "prices_us_dates", "record", "shapefile", "source_archive", "wheel",
)  # fmt: skip
# What each of them counts: numbers of one run, or cases that were tried.
TRIALS = {
    KILLS: ("runs", "units_of_a_run", "writers", "writers_killed", "units_left_by_the_kills", "minutes"),
    WORKERS: ("runs", "workers_killed", "units_of_the_run"),
    ARRAYS: ("runs", "writers_killed", "arrays_kept_by_then", "arrays_read_at_last"),
    DISKS: tuple(
        f"{kind}, {way}"
        for kind in ("full", "full while arrays are written", "read-only")
        for way in ("mounted", "stand-in")
    ),
    NOTEBOOKS: (
        "kernel killed", "kernel crashed", "out of memory", "never ends", "sleeps for ever", "waits for an answer",
        "prints 200 MB in lines", "prints 200 MB at once", "prints without end", "shows without end",
        "leaves by itself", "closes its connection",
    ),
}  # fmt: skip


class Spoiled(Fields, frozen=True, kw_only=True):
    """What a reader made of spoiled files: how many by outcome, the slowest, and by what its memory grew.

    ``placeless``: refusals that say neither a line nor what is missing; asked of readers of text alone.
    """

    date: str
    counts: dict[str, int]
    slowest_seconds: float
    peak_megabytes: int
    placeless: int | None = None


class FaultCounts(Fields, frozen=True, kw_only=True):
    """The last long run: readers by name, of excerpts and of whole files, and every other trial by what it was."""

    schema: Literal[1] = 1
    readers: dict[str, Spoiled]
    trials: dict[str, dict[str, int | str]]
    whole_files: dict[str, Spoiled] = msgspec.field(default_factory=dict)


FAULTS = Kept("faults.json", FaultCounts, "make faults")


def counts_page(found: FaultCounts | None) -> str:
    """Return the tables of counts as Markdown to be included, or one sentence where there are none."""
    if found is None:
        return "The long run has not been made yet.\n"
    parts = [
        *_readers(found.readers, "Spoiled files, by reader"),
        *_missing("Readers", {*READERS} - found.readers.keys()),
        *_readers(found.whole_files, "Spoiled files of full size, by reader"),
        *_missing("Readers of files of full size", {*READERS} - found.whole_files.keys()),
        *(part for one in sorted(found.trials.items()) for part in _trial(*one)),
        *_missing("Trials", {*TRIALS} - found.trials.keys()),
    ]
    return "\n\n".join(parts) + "\n"


def _missing(what: str, names: set[str]) -> Iterator[str]:
    """Say which trials are newer than the last long run: a page that leaves them out would look complete."""
    if names:
        yield f"{what} {NOT_YET}: {'; '.join(sorted(names)).replace('_', ' ')}."


def _readers(readers: dict[str, Spoiled], caption: str) -> Iterator[str]:
    if not readers:
        return
    header = ["Reader", "Spoiled files", *map(str.capitalize, OUTCOMES), "Anything else"]
    header += ["Refused without a place", "Slowest", "Memory", "Run"]
    rows = []
    for name, spoiled in sorted(readers.items()):
        whole = sum(spoiled.counts.values())
        known = [spoiled.counts.get(one, 0) for one in OUTCOMES]
        rows.append(
            (
                name.replace("_", " "),
                f"{whole:,}",
                *(f"{one:,}" for one in known),
                f"{whole - sum(known):,}",
                "–" if spoiled.placeless is None else f"{spoiled.placeless:,}",
                f"{spoiled.slowest_seconds:g} s",
                f"+{spoiled.peak_megabytes} MB",
                spoiled.date,
            )
        )
    yield str(table(header, rows, caption=caption, numeric=len(header) - 1))


def _trial(name: str, counts: dict[str, int | str]) -> Iterator[str]:
    rows = [
        (what.replace("_", " "), f"{count:,}" if isinstance(count, int) else count) for what, count in counts.items()
    ]
    yield str(table(["What", "Count"], rows, caption=_title(name)))
    yield from _missing(f"Of “{_title(name)}”", {*TRIALS.get(name, ())} - counts.keys())


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]
