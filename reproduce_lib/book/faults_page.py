"""What the page on faults shows: the counts of the last long run, which ``make faults`` writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from reproduce_lib.book.kept import Fields, Kept
from reproduce_lib.tables import table

OUTCOMES = ("refused", "same", "another")


class Spoiled(Fields, frozen=True, kw_only=True):
    """What a reader made of spoiled files: how many by outcome, the slowest, and by what its memory grew."""

    date: str
    counts: dict[str, int]
    slowest_seconds: float
    peak_megabytes: int


class FaultCounts(Fields, frozen=True, kw_only=True):
    """The last long run: readers by name, and every other trial by what it was."""

    schema: Literal[1] = 1
    readers: dict[str, Spoiled]
    trials: dict[str, dict[str, int | str]]


FAULTS = Kept("faults.json", FaultCounts, "make faults")


def counts_page(found: FaultCounts | None) -> str:
    """Return the tables of counts as Markdown to be included, or one sentence where there are none."""
    if found is None:
        return "The long run has not been made yet.\n"
    return "\n\n".join([*_readers(found.readers), *(_trial(*one) for one in sorted(found.trials.items()))]) + "\n"


def _readers(readers: dict[str, Spoiled]) -> Iterator[str]:
    if not readers:
        return
    header = ["Reader", "Spoiled files", *map(str.capitalize, OUTCOMES), "Anything else", "Slowest", "Memory", "Run"]
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
                f"{spoiled.slowest_seconds:g} s",
                f"+{spoiled.peak_megabytes} MB",
                spoiled.date,
            )
        )
    yield str(table(header, rows, caption="Spoiled files, by reader", numeric=len(header) - 1))


def _trial(name: str, counts: dict[str, int | str]) -> str:
    rows = [
        (what.replace("_", " "), f"{count:,}" if isinstance(count, int) else count) for what, count in counts.items()
    ]
    return str(table(["What", "Count"], rows, caption=name[:1].upper() + name[1:]))
