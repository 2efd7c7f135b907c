"""Which data files the collection knows: name, SHA-256, licence, and where the bytes can be had."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reproduce_lib.errors import DataError


@dataclass(frozen=True)
class DataFile:
    """One pinned file.

    ``url`` is set for a file on the web, ``project`` to ``member`` for one inside an archive of the
    package index.
    """

    name: str
    sha256: str
    bytes: int
    licence: str
    source: str
    coverage: str
    url: str
    project: str
    version: str
    archive: str
    archive_sha256: str
    member: str


@cache
def data_files() -> dict[str, DataFile]:
    """Return name -> pinned file, in the registry's order."""
    with Path(__file__).with_name("registry.csv").open(encoding="utf-8", newline="") as file:
        rows = [DataFile(bytes=int(row.pop("bytes")), **row) for row in csv.DictReader(file)]
    return {row.name: row for row in rows}


def data_file(name: str) -> DataFile:
    """Return a pinned file by name, or raise `DataError` with the known names."""
    files = data_files()
    if name not in files:
        raise DataError(f"unknown data file {name!r}; known files: {', '.join(files)}")
    return files[name]
