"""What the page on faults shows: the counts of the last long run, which ``make faults`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from reproduce_lib import paths
from reproduce_lib.errors import RecordError
from reproduce_lib.tables import table

DATA = "data: "
OUTCOMES = ("refused", "same", "another")


def counts_page() -> str:
    """Return the tables of counts as Markdown to be included, or one sentence where there are none."""
    path = paths.root() / "book" / "faults.json"
    if not path.is_file():
        return "The long run has not been made yet.\n"
    try:
        results: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return "\n\n".join([*_data(results), *_others(results)]) + "\n"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path} is not what make faults writes: {error!r}") from error


def _data(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    readers = {trial.removeprefix(DATA): result for trial, result in results.items() if trial.startswith(DATA)}
    if not readers:
        return
    header = ["Reader", "Spoiled files", *map(str.capitalize, OUTCOMES), "Anything else", "Slowest", "Memory", "Run"]
    rows = []
    for name, result in readers.items():
        counts: dict[str, int] = result["counts"]
        whole = sum(counts.values())
        known = [counts.get(one, 0) for one in OUTCOMES]
        rows.append(
            (
                name.replace("_", " "),
                f"{whole:,}",
                *(f"{one:,}" for one in known),
                f"{whole - sum(known):,}",
                f"{result['slowest_seconds']:g} s",
                f"+{result['peak_megabytes']} MB",
                result["date"],
            )
        )
    yield str(table(header, rows, caption="Spoiled files, by reader", numeric=len(header) - 1))


def _others(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    for trial, result in results.items():
        if not trial.startswith(DATA):
            rows = [
                (name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
                for name, value in result.items()
            ]
            yield str(table(["What", "Count"], rows, caption=trial[:1].upper() + trial[1:]))


def _written(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
