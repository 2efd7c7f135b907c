"""Spoil a real file many times and read it: ``python -m tests.faults.spoil_files LOADER FIRST COUNT``.

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
from pathlib import Path
from typing import Any

from reproduce_lib.errors import DataError
from tests.faults.loaders import LOADERS, Loader
from tests.faults.mutations import mutate

# Beyond what the interpreter has taken when it begins; a guard for the machine, the peak is reported.
MEMORY_GUARD = 6 * 2**30


def outcome(loader: Loader, data: bytes, known: bytes) -> tuple[str, str]:
    """Return what reading came to, and in words what is wrong with it if it is neither refused nor tidy."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = loader.parse(data)
    except DataError as error:
        named = loader.file.rpartition("/")[2] in str(error) or loader.file in str(error)
        reason = len(str(error)) > len(loader.file) + 2
        return ("refused", "") if named and reason else ("unclear", f"without file or reason: {error}")
    except BaseException:
        return "crashed", traceback.format_exc(limit=-4)
    try:
        loader.check(found)
    except AssertionError:
        return "untidy", traceback.format_exc(limit=-1)
    return ("same" if fingerprint(found) == known else "another"), ""


def fingerprint(found: Any) -> bytes:
    return pickle.dumps(found)


def main(name: str, first: int, count: int) -> dict[str, Any]:
    loader = LOADERS[name]
    data = loader.real()
    known = fingerprint(loader.parse(data))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes() + MEMORY_GUARD, hard))
    counts: dict[str, int] = {}
    wrong: list[str] = []
    slowest, peak = 0.0, 0
    for seed in range(first, first + count):
        spoiled = mutate(data, loader.mutations, seed)
        before = memory_kilobytes()
        start = time.perf_counter()
        kind, words = outcome(loader, spoiled, known)
        slowest = max(slowest, time.perf_counter() - start)
        peak = max(peak, memory_kilobytes(peak=True) - before)
        counts[kind] = counts.get(kind, 0) + 1
        if words and len(wrong) < 20:
            wrong.append(f"{name} seed {seed}: {kind}: {words}")
    return {
        "loader": name,
        "counts": counts,
        "slowest_seconds": slowest,
        "peak_megabytes": peak / 1024,
        "wrong": wrong,
    }


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
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
