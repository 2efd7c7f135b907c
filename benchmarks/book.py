"""The book: how long it takes with fresh records, and how reading grows with their number."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.pairs import PROJECT, in_new_process, seconds_of
from reproduce_lib.book.speed import Quantity
from reproduce_lib.record_files import RecordFile

SIZES = (2 * 10**3, 10**4, 10**5, 10**6)  # naufal2023 alone has more than a thousand
BOOK_SECONDS = 60.0
READ_SECONDS = 1.0
COPIED = ("book", "notebooks", "reproduce_lib", "_config.yml", "_toc.yml")
COMPARE = """
import json, time
from reproduce_lib.claims import load_claims
from reproduce_lib.compare import Comparison
from reproduce_lib.collection import load_paper
from reproduce_lib.execution.study import store_for

claims, paper = load_claims("naufal2023"), load_paper("naufal2023")
begun = time.perf_counter()
Comparison(claims, paper, store_for("full")).rows
print(json.dumps(time.perf_counter() - begun))
"""


def building(repeats: int) -> list[Quantity]:
    """Measure ``reproduce book`` with the records as they are."""
    return [
        quantity("make book, all records fresh", [_build(PROJECT) for _ in range(repeats)], "s", at_most=BOOK_SECONDS)
    ]


def growth(repeats: int) -> Iterator[Quantity]:
    """Measure reading a records file, comparing it with the claims and building the book as records grow."""
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = _project_with(size, Path(folder))
            reads = [_read(root / "book" / "records" / "naufal2023" / "networks.jsonl") for _ in range(repeats)]
            goal = READ_SECONDS if size == 10**5 else None
            yield quantity(f"reading {size:,} records", reads, "s", at_most=goal)
            compares = [in_new_process(COMPARE, REPRODUCE_ROOT=str(root)) for _ in range(repeats)]
            yield quantity(f"comparing the claims with {size:,} records", compares, "s")
            yield quantity(f"building the book with {size:,} records", [_build(root)], "s")


def quantity(name: str, values: list[float], unit: str, *, at_most: float | None = None) -> Quantity:
    """Return the median of repeated measurements, with the smallest and the largest."""
    return Quantity(
        name=name,
        unit=unit,
        median=float(np.median(values)),
        smallest=min(values),
        largest=max(values),
        repeats=len(values),
        at_most=at_most,
    )


def _read(path: Path) -> float:
    return seconds_of(lambda: RecordFile(path).read())


def _build(root: Path) -> float:
    """Return the seconds of building the book of a project."""
    command = [sys.executable, "-m", "reproduce_lib", "book"]
    environment = {**os.environ, "REPRODUCE_ROOT": str(root)}
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return time.perf_counter() - begun


def _project_with(size: int, folder: Path) -> Path:
    """Copy the project and fill up its largest records file with copies of its records under other keys."""
    for name in COPIED:
        if (PROJECT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "papers", "_generated")
            if name == "reproduce_lib":
                ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(PROJECT / name, folder / name)
    path = folder / "book" / "records" / "naufal2023" / "networks.jsonl"
    lines = path.read_bytes().splitlines()
    units = [line for line in lines if b'"kind":"unit"' in line]
    with path.open("ab") as file:
        for number in range(size - len(units)):
            line = units[number % len(units)]
            key = line.partition(b'"key":"')[2][:16]
            file.write(line.replace(key, hashlib.sha256(b"%d" % number).hexdigest()[:16].encode(), 1) + b"\n")
    return folder
