"""Keeping the counts of a long run, trial by trial; one that is run again replaces its result."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from reproduce_lib.book.faults_page import FAULTS, FaultCounts, Spoiled


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _known() -> FaultCounts:
    return FAULTS.read() or FaultCounts(readers={}, trials={})


def keep_reader(name: str, counts: dict[str, int], slowest_seconds: float, peak_megabytes: float) -> None:
    known = _known()
    spoiled = Spoiled(
        date=today(),
        counts=dict(sorted(counts.items())),
        slowest_seconds=round(slowest_seconds, 2),
        peak_megabytes=round(peak_megabytes),
    )
    FAULTS.write(msgspec.structs.replace(known, readers={**known.readers, name: spoiled}))


def keep_trial(name: str, **counts: int) -> None:
    known = _known()
    FAULTS.write(msgspec.structs.replace(known, trials={**known.trials, name: {"date": today(), **counts}}))
