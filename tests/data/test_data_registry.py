"""Every entry of the registry says all that is needed to fetch, check, credit and describe its file."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from pathlib import Path, PurePosixPath

import pytest

from reproduce_lib.data import registry
from reproduce_lib.data.registry import DataFile, data_file, data_files
from reproduce_lib.errors import DataError

ENTRIES = list(data_files().values())
NAMES = [entry.name for entry in ENTRIES]
DIGEST = re.compile("[0-9a-f]{64}")


def test_no_row_of_the_file_is_lost_to_a_repeated_name() -> None:
    with Path(registry.__file__).with_name("registry.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == NAMES
    assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_entry_is_well_formed(entry: DataFile) -> None:
    assert DIGEST.fullmatch(entry.sha256)
    assert entry.bytes > 0
    assert entry.licence.strip()
    assert entry.source.strip()
    assert entry.coverage.strip()
    path = PurePosixPath(entry.name)
    assert not path.is_absolute()
    assert ".." not in path.parts


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_entry_has_either_a_pinned_address_or_a_pinned_archive(entry: DataFile) -> None:
    archive = (entry.project, entry.version, entry.archive, entry.archive_sha256, entry.member)
    assert bool(entry.url) != all(archive)
    assert not entry.url or not any(archive)
    if entry.url:
        assert re.fullmatch(r"https://[^/]+/[^/]+/[^/]+/[0-9a-f]{40}/.+", entry.url)
    else:
        assert DIGEST.fullmatch(entry.archive_sha256)
        assert f"-{entry.version}" in entry.archive
        assert not PurePosixPath(entry.member).is_absolute()


def test_no_two_entries_are_the_same_file_or_address() -> None:
    assert len({entry.sha256 for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.url or entry.archive + entry.member for entry in ENTRIES}) == len(ENTRIES)


def test_entry_is_found_by_name_and_an_unknown_name_is_refused_with_the_known_ones() -> None:
    assert [data_file(name) for name in NAMES] == ENTRIES
    with pytest.raises(DataError) as refusal:
        data_file("prices/AAPL.csv")
    assert [name for name in ["prices/AAPL.csv", *NAMES] if name not in str(refusal.value)] == []


@pytest.mark.data
@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.url], ids=lambda entry: entry.name)
def test_file_in_the_mirror_has_the_registered_size_and_digest(entry: DataFile) -> None:
    data = (Path(os.environ["REPRODUCE_DATA"]) / entry.name).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (entry.bytes, entry.sha256)
