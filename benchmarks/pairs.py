"""Measuring two ways of doing a thing in pairs, so that what slows the machine slows both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from reproduce_lib.book.speed import Ratio

PROJECT = Path(__file__).resolve().parents[1]


def measure_pairs(slow: Callable[[], float], fast: Callable[[], float], repeats: int) -> list[tuple[float, float]]:
    """Return (slow, fast) seconds of each repeat; every other repeat begins with the fast one."""
    pairs = []
    for repeat in range(repeats):
        if repeat % 2:
            fast_seconds, slow_seconds = fast(), slow()
        else:
            slow_seconds, fast_seconds = slow(), fast()
        pairs.append((slow_seconds, fast_seconds))
    return pairs


def ratio(name: str, slow: str, fast: str, pairs: Sequence[tuple[float, float]], goal: float | None) -> Ratio:
    """Return how many times faster the second way is: the geometric mean with its 95 % t interval."""
    logs = np.log([slow_seconds / fast_seconds for slow_seconds, fast_seconds in pairs])
    mean = float(logs.mean())
    half = 0.0
    if len(logs) > 1:
        half = float(stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs)))
    return Ratio(
        name=name,
        slow=slow,
        fast=fast,
        slow_seconds=float(np.median([pair[0] for pair in pairs])),
        fast_seconds=float(np.median([pair[1] for pair in pairs])),
        ratio=float(np.exp(mean)),
        low=float(np.exp(mean - half)),
        high=float(np.exp(mean + half)),
        repeats=len(pairs),
        goal=goal,
    )


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_new_process(program: str, *arguments: str, **environment: str) -> Any:
    """Run a program in a process of its own; return what it prints on its last line, read as JSON.

    Raises
    ------
    subprocess.CalledProcessError
        If the program fails; what it said is on stderr.
    """
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1])
