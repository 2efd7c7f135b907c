"""The records and the arrays of all papers, in two folders."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data import archives
from reproduce_lib.errors import DataError, RecordError
from reproduce_lib.files import write_whole
from reproduce_lib.record_files import RecordFile, check_folder
from reproduce_lib.records import Context, Record


class Store:
    """The records and arrays of all papers, in one pair of folders."""

    def __init__(self, records: Path, artifacts: Path) -> None:
        self.records = records
        self.artifacts = artifacts
        self._files: dict[Path, RecordFile] = {}

    def file(self, paper: str, experiment: str) -> RecordFile:
        """Return the records file of one experiment: always the same one, which reads only what it has not read yet."""
        path = self.records / paper / f"{experiment}.jsonl"
        return self._files.setdefault(path, RecordFile(path))

    def experiments(self, paper: str) -> list[str]:
        """Return the names of the experiments that a paper has records of."""
        return sorted(path.stem for path in (self.records / paper).glob("*.jsonl"))

    def prune_arrays(self, paper: str, keys: Container[str], *, dry_run: bool = False) -> int:
        """Remove the arrays of all units of a paper but these; return how many went, or would go in a dry run."""
        gone = [path for path in (self.artifacts / paper).glob("*.npz") if path.stem not in keys]
        for path in [] if dry_run else gone:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise RecordError(f"{path} cannot be removed: {error.strerror}") from error
        return len(gone)

    def check_writable(self, paper: str, experiment: str) -> None:
        """Raise `RecordError` where a unit of an experiment, or its arrays, could not be recorded now."""
        self.file(paper, experiment).check_writable()
        folder = self.artifacts / paper
        try:
            check_folder(next(one for one in (folder, *folder.parents) if one.exists()))
        except OSError as error:
            raise RecordError(f"{folder} cannot be written: {error.strerror}") from error

    def write(
        self, paper: str, experiment: str, context: Context, record: Record, arrays: dict[str, NDArray[Any]]
    ) -> bool:
        """Write a finished unit and its arrays, ``<artifacts>/<paper>/<key>.npz``; the record gets their SHA-256.

        Returns ``False``, writing nothing, when all of it is there already. A kill between the two files leaves
        arrays that do not fit their record: `has_arrays` tells, and the unit is run again.

        Raises
        ------
        RecordError
            If either cannot be written, such as on a full disk: what was recorded before is there as it was.
        """
        if not arrays:
            return self.file(paper, experiment).append(context, record)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        data = buffer.getvalue()
        whole = msgspec.structs.replace(record, artifact=hashlib.sha256(data).hexdigest())
        return self.file(paper, experiment).append(context, whole, self._with_arrays(paper, whole, data))

    def read_arrays(self, paper: str, record: Record) -> dict[str, NDArray[Any]]:
        """Return a recorded unit's arrays after checking their SHA-256 against the record.

        Raises
        ------
        RecordError
            If they are not there, are not those of the record, or are no arrays that can be read without unpickling.
        """
        path = self._array_file(paper, record.key)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RecordError(f"the arrays of unit {record.key} are not at {path}; run the unit again") from error
        if hashlib.sha256(data).hexdigest() != record.artifact:
            raise RecordError(f"{path} is not the file that unit {record.key} wrote; run the unit again")
        try:
            return archives.read_arrays(data, str(path))
        except DataError as error:
            raise RecordError(f"{path} holds no arrays that can be read: {error}") from error

    def has_arrays(self, paper: str, record: Record) -> bool:
        """Tell whether the arrays that a record speaks of are there, and are those that its unit wrote."""
        try:
            with self._array_file(paper, record.key).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == record.artifact
        except OSError:
            return False

    @contextmanager
    def _with_arrays(self, paper: str, record: Record, data: bytes) -> Iterator[bool]:
        """Have the arrays of a record in place, and tell whether they were not; undo it if what is done then fails."""
        if self.has_arrays(paper, record):
            yield False
            return
        path = self._array_file(paper, record.key)
        try:
            with _in_its_place(path, data):
                yield True
        except OSError as error:
            raise RecordError(f"{path} cannot be written: {error.strerror}") from error

    def _array_file(self, paper: str, key: str) -> Path:
        return self.artifacts / paper / f"{key}.npz"


@contextmanager
def _in_its_place(path: Path, data: bytes) -> Iterator[None]:
    """Put a file whole in the place of an old one, which comes back as it was if what is done then fails."""
    new, old = path.with_suffix(".new"), path.with_suffix(".old")
    write_whole(new, data)
    try:
        with suppress(FileNotFoundError):
            path.replace(old)
        try:
            new.replace(path)
            yield
        except BaseException:
            path.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                old.replace(path)
            raise
    finally:
        for one in (new, old):
            one.unlink(missing_ok=True)
