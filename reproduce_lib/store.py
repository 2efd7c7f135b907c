"""The records and the arrays of all papers, in two folders."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
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

# Of the SHA-256 of arrays, as many digits as tell those of one unit apart.
DIGITS = 16


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

    def prune_arrays(self, paper: str, keys: Mapping[str, Collection[str]], *, dry_run: bool = False) -> int:
        """Remove all arrays of a paper but those of these units' last records, and what a kill left; return how many.

        No writer comes between. Where lines of an experiment cannot be read, all arrays of its units stay: they may be
        those that such a line speaks of.

        Parameters
        ----------
        keys : experiment -> keys of its units
        """
        files = {name: self.file(paper, name) for name in sorted({*keys, *self.experiments(paper)})}
        with ExitStack() as held:
            if not dry_run:
                for file in files.values():
                    held.enter_context(file.locked())
            kept, doubtful = set(), set()
            for name, own in keys.items():
                contents = files[name].read()
                kept |= {self._array_file(paper, one) for key, one in contents.records.items() if key in own}
                doubtful |= set(own) if contents.damaged else set()
            gone = [
                path
                for path in (self.artifacts / paper).glob("*.npz*")
                if path not in kept and not (path.suffix == ".npz" and path.name.partition("-")[0] in doubtful)
            ]
            if not dry_run:
                _remove(gone)
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
        """Write a unit and its arrays, ``<artifacts>/<paper>/<key>-<digest>.npz``; the record gets their SHA-256.

        Returns ``False``, writing nothing, when all of it is there already. Arrays are named by what is in them: those
        that were recorded before stay until the new line is on disk, so that a kill at any moment leaves a record
        whose arrays are there.

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
        path = self._array_file(paper, record)
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
            with self._array_file(paper, record).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == record.artifact
        except OSError:
            return False

    @contextmanager
    def _with_arrays(self, paper: str, record: Record, data: bytes) -> Iterator[bool]:
        """Have the arrays of a record in place, and tell whether they were not.

        If what is done then fails, they go; if it does not, those that they replace go. If it is interrupted, both
        stay: the line may be on disk, and what no line speaks of is in nobody's way until it is pruned.
        """
        path = self._array_file(paper, record)
        if missing := not self.has_arrays(paper, record):
            try:
                write_whole(path, data)
            except OSError as error:
                raise RecordError(f"{path} cannot be written: {error.strerror}") from error
        try:
            yield missing
        except Exception:
            if missing:
                path.unlink(missing_ok=True)
            raise
        # The unit is recorded: that something old cannot be removed is no reason to say that it is not.
        with suppress(RecordError):
            _remove(other for other in path.parent.glob(f"{record.key}-*.npz") if other != path)

    def _array_file(self, paper: str, record: Record) -> Path:
        return self.artifacts / paper / f"{record.key}-{(record.artifact or '')[:DIGITS]}.npz"


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(f"{path} cannot be removed: {error.strerror}") from error
