"""Spoil a real file many times and read it: ``python -m tests.faults.spoil_files LOADER FIRST COUNT [whole]``.

Runs as a process of its own: what crashes an interpreter is a finding too. Prints one JSON object.
"""

from __future__ import annotations

import json
import pickle
import re
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reproduce_lib.errors import DataError
from tests.faults.loaders import LOADERS, Loader
from tests.faults.mutations import mutate

# Beyond what the interpreter has taken when it begins; a guard for the machine, the peak is reported.
MEMORY_GUARD = 6 * 2**30
# Where a refusal says that something is wrong: in a line, in a row of a spreadsheet, on a day or in the order of days,
# or in a file as a whole that lacks a column, is nothing but its header, or disagrees with another.
PLACE = re.compile(
    r"line \d+|row \d+|(on|day) \d{4}-\d\d-\d\d|no column|column \w+ is|does not begin with|No columns"
    r"|no trading day|no earthquake|bytes, more than"
)


@dataclass(frozen=True)
class Outcome:
    """What reading came to, what is wrong with it in words, and whether a refusal says no place."""

    kind: str
    words: str = ""
    placeless: str = ""


def outcome(loader: Loader, data: bytes, known: bytes) -> Outcome:
    """Read spoiled bytes and judge what comes of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = loader.parse(data)
    except DataError as error:
        named = loader.file.rpartition("/")[2] in str(error) or loader.file in str(error)
        reason = len(str(error)) > len(loader.file) + 2
        if not (named and reason):
            return Outcome("unclear", f"without file or reason: {error}")
        return Outcome("refused", placeless="" if PLACE.search(str(error)) else str(error))
    except BaseException:
        return Outcome("crashed", traceback.format_exc(limit=-4))
    try:
        loader.check(found)
    except AssertionError:
        return Outcome("untidy", traceback.format_exc(limit=-1))
    return Outcome("same" if fingerprint(found) == known else "another")


def fingerprint(found: Any) -> bytes:
    return pickle.dumps(found)


@dataclass
class Spoiling:
    """What a reader made of some spoiled files; ``placeless``: refusals that say no place, in a text file."""

    counts: Counter[str] = field(default_factory=Counter)
    placeless: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    peak_megabytes: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Spoiling) -> None:
        self.counts += other.counts
        self.placeless += other.placeless
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)
        self.peak_megabytes = max(self.peak_megabytes, other.peak_megabytes)
        self.wrong += other.wrong


def spoil(name: str, seeds: range, *, whole: bool = False) -> Spoiling:
    """Spoil an excerpt of a file, or all of it, once for each seed, and read it.

    Time is that of this process, which other work on the machine does not lengthen.
    """
    loader = LOADERS[name]
    data = loader.real(whole=whole)
    found = loader.parse(data)
    loader.check(found)
    known = fingerprint(found)
    result = Spoiling()
    for seed in seeds:
        spoiled = mutate(data, loader.mutations, seed)
        before = memory_kilobytes()
        start = time.process_time()
        one = outcome(loader, spoiled, known)
        result.slowest_seconds = max(result.slowest_seconds, time.process_time() - start)
        result.peak_megabytes = max(result.peak_megabytes, (memory_kilobytes(peak=True) - before) / 1024)
        result.counts[one.kind] += 1
        if one.placeless and loader.is_text:
            result.placeless[re.sub(r"\d+", "N", one.placeless)[:150]] += 1
        if one.words and len(result.wrong) < 20:
            result.wrong.append(f"{name} seed {seed}: {one.kind}: {one.words}")
    return result


def main(name: str, first: str, count: str, *whole: str) -> dict[str, Any]:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes() + MEMORY_GUARD, hard))
    # `asdict` would make counters of the pairs of counters.
    return vars(spoil(name, range(int(first), int(first) + int(count)), whole=bool(whole)))


def memory_kilobytes(*, peak: bool = False) -> int:
    """Return this process's memory, or its largest since this was last asked without ``peak``."""
    if not peak:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status)
    assert found
    return int(found[1])


def virtual_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
