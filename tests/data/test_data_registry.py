"""Every entry of the registry says all that is needed to fetch, check, credit and describe its file."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Callable
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


def is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def origin_is_pinned(entry: DataFile) -> bool:
    """Tell whether an entry has an address at a commit, or a member of an archive with its digest, and not both."""
    archive = (entry.project, entry.version, entry.archive, entry.archive_sha256, entry.member)
    if entry.url:
        return not any(archive) and bool(re.fullmatch(r"https://[^/]+/[^/]+/[^/]+/[0-9a-f]{40}/.+", entry.url))
    return (
        all(archive)
        and bool(DIGEST.fullmatch(entry.archive_sha256))
        and f"-{entry.version}" in entry.archive
        and is_inside(entry.member)
    )


# One test for all of them: a test for each took as long as everything else that is tested of data files.
@pytest.mark.parametrize(
    "holds",
    [
        lambda entry: DIGEST.fullmatch(entry.sha256),
        lambda entry: entry.bytes > 0,
        lambda entry: all(map(str.strip, (entry.licence, entry.source, entry.coverage))),
        lambda entry: is_inside(entry.name),
        origin_is_pinned,
    ],
    ids=["digest", "size", "words", "name", "origin"],
)
def test_every_entry_is_well_formed(holds: Callable[[DataFile], object]) -> None:
    assert [entry.name for entry in ENTRIES if not holds(entry)] == []


def test_no_two_entries_are_the_same_file_or_address() -> None:
    assert len({entry.sha256 for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.url or entry.archive + entry.member for entry in ENTRIES}) == len(ENTRIES)


def test_entry_is_found_by_name_and_an_unknown_name_is_refused_with_the_known_ones() -> None:
    assert [data_file(name) for name in NAMES] == ENTRIES
    with pytest.raises(DataError) as refusal:
        data_file("prices/AAPL.csv")
    assert [name for name in ["prices/AAPL.csv", *NAMES] if name not in str(refusal.value)] == []


@pytest.mark.data
def test_every_file_in_the_mirror_has_the_registered_size_and_digest() -> None:
    mirror = Path(os.environ["REPRODUCE_DATA"])
    pinned = [entry for entry in ENTRIES if entry.url]
    assert pinned
    others = {}
    for entry in pinned:
        data = (mirror / entry.name).read_bytes()
        if (found := (len(data), hashlib.sha256(data).hexdigest())) != (entry.bytes, entry.sha256):
            others[entry.name] = found
    assert others == {}
