"""Spoiled files: refused with the file and a reason, or read as a tidy frame; one under a pinned name is never read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reproduce_lib.data import sources
from reproduce_lib.data.registry import data_file
from reproduce_lib.errors import DataError
from tests.faults.loaders import LOADERS
from tests.faults.mutations import mutate
from tests.faults.results import keep_reader
from tests.faults.spoil_files import fingerprint, outcome
from tests.support import PROJECT

SAMPLE, ALL = 60, 10_000
# A process of the long run spoils so many files, so that one that dies loses little.
AT_ONCE = 2_500
MOST_SECONDS, MOST_MEGABYTES = 10, 1024
GOOD = {"refused", "same", "another"}

pytestmark = pytest.mark.data


@pytest.mark.parametrize("name", LOADERS)
def test_spoiled_file_is_refused_with_a_reason_or_read_as_a_tidy_frame(name: str) -> None:
    loader = LOADERS[name]
    data = loader.real()
    known = fingerprint(loader.parse(data))
    loader.check(loader.parse(data))
    found = [(seed, *outcome(loader, mutate(data, loader.mutations, seed), known)) for seed in range(SAMPLE)]
    assert [one for one in found if one[1] not in GOOD] == []
    assert {"refused"} <= {kind for _, kind, _ in found}


@pytest.mark.parametrize("name", LOADERS)
def test_spoiled_file_under_a_pinned_name_is_never_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = LOADERS[name]
    data = sources.read(loader.file)
    here = tmp_path / loader.file
    here.parent.mkdir(parents=True)
    monkeypatch.setenv("REPRODUCE_DATA", str(tmp_path))
    # The hash is taken before any reader sees a byte: a few mutations of each file are enough.
    for seed in range(3):
        spoiled = mutate(data, loader.mutations, seed)
        here.write_bytes(spoiled)
        if spoiled == data:
            continue
        with pytest.raises(DataError, match="is not the pinned") as refusal:
            sources.read(loader.file)
        assert str(here) in str(refusal.value)
        assert data_file(loader.file).sha256[:16] in str(refusal.value)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LOADERS)
def test_ten_thousand_spoiled_files_of_each_reader(name: str) -> None:
    counts: dict[str, int] = {}
    slowest, peak, wrong = 0.0, 0.0, []
    for first in range(0, ALL, AT_ONCE):
        command = [sys.executable, "-m", "tests.faults.spoil_files", name, str(first), str(AT_ONCE)]
        ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr[-2000:]
        part = json.loads(ran.stdout)
        counts = {kind: counts.get(kind, 0) + part["counts"].get(kind, 0) for kind in {*counts, *part["counts"]}}
        slowest, peak = max(slowest, part["slowest_seconds"]), max(peak, part["peak_megabytes"])
        wrong += part["wrong"]
    keep_reader(name, counts, slowest, peak)
    assert wrong == []
    assert set(counts) <= GOOD
    assert sum(counts.values()) == ALL
    assert slowest < MOST_SECONDS
    assert peak < MOST_MEGABYTES
