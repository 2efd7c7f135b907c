"""Keeping the counts of a long run, trial by trial; one that is run again replaces its result.

Only ``make faults`` asks for it: ``$REPRODUCE_KEEP_COUNTS`` is the root of the book that is to show them. A test that
is run alone changes no page.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from unittest import mock

import msgspec

from reproduce_lib.book.faults_page import FAULTS, READERS, TRIALS, FaultCounts, Spoiled
from tests.faults.loaders import LOADERS
from tests.faults.spoil_files import Spoiling


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def wanted() -> bool:
    return bool(os.environ.get("REPRODUCE_KEEP_COUNTS"))


def _of_the_book() -> AbstractContextManager[object]:
    """Keep counts in that book, wherever a test has put its own root."""
    return mock.patch.dict(os.environ, REPRODUCE_ROOT=os.environ["REPRODUCE_KEEP_COUNTS"])


def _known() -> FaultCounts:
    return FAULTS.read() or FaultCounts(readers={}, trials={})


def keep_reader(name: str, found: Spoiling, *, whole: bool = False) -> None:
    assert name in READERS, "the page has to know that it is to be counted"
    spoiled = Spoiled(
        date=today(),
        counts=dict(sorted(found.counts.items())),
        slowest_seconds=round(found.slowest_seconds, 2),
        peak_megabytes=round(found.peak_megabytes),
        placeless=sum(found.placeless.values()) if LOADERS[name].is_text else None,
    )
    if wanted():
        with _of_the_book():
            known = _known()
            kind = "whole_files" if whole else "readers"
            FAULTS.write(msgspec.structs.replace(known, **{kind: {**getattr(known, kind), name: spoiled}}))


def keep_trial(name: str, **counts: int) -> None:
    assert set(counts) == set(TRIALS[name]), "the page has to know what is counted"
    _keep(name, {}, counts)


def keep_case(name: str, case: str) -> None:
    """Keep that one of the cases of a trial was tried; what is kept of the others stays."""
    if wanted():
        with _of_the_book():
            before = _known().trials.get(name, {})
        _keep(name, before, {case: 1})


def _keep(name: str, before: dict[str, int | str], counts: dict[str, int]) -> None:
    assert {*counts} <= {*TRIALS[name]}, "the page has to know that it is to be counted"
    if wanted():
        with _of_the_book():
            known = _known()
            trials = {**known.trials, name: {**before, "date": today(), **counts}}
            FAULTS.write(msgspec.structs.replace(known, trials=trials))
