from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reproduce_lib import paths
from reproduce_lib.data import sources
from reproduce_lib.data.registry import DataFile
from reproduce_lib.data_listing import Found, complaints, find, listing
from reproduce_lib.folders import MANY_FILES

RIGHT = b"right"
FILE = DataFile(
    "toy/a.csv",
    hashlib.sha256(RIGHT).hexdigest(),
    len(RIGHT),
    "MIT",
    "a test",
    "of 2026",
    "http://127.0.0.1:9/a",
    *[""] * 5,
)
MANY = [replace(FILE, name=f"many/{number}.csv") for number in range(MANY_FILES + 1)]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "data_file", {one.name: one for one in (FILE, *MANY)}.__getitem__)
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")


def missing() -> Found:
    return find(FILE, fetch=True, check=False)


def keep(entry: DataFile, data: bytes = RIGHT) -> Path:
    path = paths.data_cache() / entry.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_file_is_read_only_if_it_is_to_be_fetched_or_checked() -> None:
    assert find(FILE, fetch=False, check=True) == Found(FILE, None)
    assert find(FILE, fetch=True, check=False).error is not None
    path = keep(FILE, b"wrong")
    assert find(FILE, fetch=True, check=False) == Found(FILE, path)
    wrong = find(FILE, fetch=False, check=True)
    assert (wrong.path, str(path) in str(wrong.error)) == (path, True)


def test_each_of_few_files_is_told_and_many_as_one() -> None:
    few = [Found(one, None) for one in MANY[:-1]]
    assert all(f"{one.name}\n    not here\n" in listing("many", few) for one in MANY[:-1])
    keep(MANY[0])
    lines = listing("many", [find(one, fetch=False, check=False) for one in MANY]).splitlines()
    assert len(lines) == 3
    assert lines[0] == f"many: {len(MANY)} files, {len(MANY) * len(RIGHT)} bytes"
    assert f"1 in {paths.data_cache() / 'many'}" in lines[1]
    assert f"{len(MANY) - 1} not here" in lines[1]
    assert "MIT" in lines[2]


def test_what_is_missing_is_told_by_folder_with_the_ways_to_it_once_and_what_is_wrong_by_name() -> None:
    path = keep(MANY[0], b"wrong")
    more = replace(FILE, name="many/more.csv")
    files = [*(find(one, fetch=True, check=True) for one in (FILE, *MANY)), replace(missing(), entry=more)]
    said = complaints(files)
    assert str(path) in said
    assert f"many: {len(MANY)} files are not on this machine" in said
    assert "many/2.csv" not in said
    assert "toy/a.csv is not on this machine" in said
    assert said.count("REPRODUCE_DATA") == 1
    assert complaints([Found(one, path) for one in MANY]) == ""


def test_ways_are_not_told_where_nothing_is_missing() -> None:
    keep(FILE, b"wrong")
    said = complaints([find(FILE, fetch=True, check=True)])
    assert said
    assert "REPRODUCE_DATA" not in said
