"""The append-only files that finished units are written to: ``<records>/<paper>/<experiment>.jsonl``.

The last record of a key wins. A line that cannot be read is never guessed at: it is reported, moved aside before the
next write, and its unit counts as missing.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Container, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from reproduce_lib.errors import RecordError
from reproduce_lib.files import write_whole
from reproduce_lib.records import Adoption, Context, Entry, Record, Replay, read_line

LOCK_SECONDS = 60


@dataclass(frozen=True)
class DamagedLine:
    """A line that is no record: where it stands, what it is, why it cannot be read, and where it was moved if so."""

    path: Path
    number: int
    text: str
    reason: str
    aside: Path | None = None

    def __str__(self) -> str:
        moved = f", set aside in {self.aside}" if self.aside else ""
        return f"{self.path}:{self.number}: unreadable record ({self.reason}){moved}"


@dataclass
class Contents:
    """Everything that one records file says."""

    contexts: dict[str, Context] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    adoptions: list[Adoption] = field(default_factory=list)
    damaged: list[DamagedLine] = field(default_factory=list)

    def codes(self, record: Record) -> list[dict[str, str]]:
        """Return each set of code digests that a record is known to hold for, newest last."""
        accepted = [self.contexts[record.context].code]
        for adoption in self.adoptions:
            if record.context in adoption.adopted:
                accepted.append(self.contexts[adoption.context].code)
        return accepted


@dataclass
class _Read:
    """How far a file has been read: the whole lines before ``offset`` are in ``contents``."""

    inode: int = 0
    size: int = 0
    modified: int = 0
    offset: int = 0
    lines: int = 0
    last_line: bytes = b""
    contents: Contents = field(default_factory=Contents)

    def goes_on_in(self, file: BinaryIO, now: os.stat_result) -> bool:
        """Tell whether an open file is the one that was read, only longer."""
        edited_in_place = now.st_size == self.size and now.st_mtime_ns != self.modified
        if now.st_ino != self.inode or edited_in_place:
            return False
        # A replaced file's number is soon given to another file, so the number alone does not tell.
        file.seek(self.offset - len(self.last_line))
        return file.read(len(self.last_line)) == self.last_line


class RecordFile:
    """One experiment's records. Safe for several writers, and for several threads; a reader needs no lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = _Read()
        self._one_reader = threading.Lock()

    def read(self) -> Contents:
        """Return what the file says now; a missing file says nothing.

        A file only grows, so a second call reads no more than what came since the first.
        """
        with self._one_reader:
            cut = self._read_on()
            known = self._read.contents
            # Copies: what was returned once stays as it was while the file grows.
            return Contents({**known.contexts}, {**known.records}, [*known.adoptions], [*known.damaged, *cut])

    def _read_on(self) -> list[DamagedLine]:
        """Take in what came since the last reading; return the last line if it is cut."""
        try:
            with self.path.open("rb") as file:
                now = os.fstat(file.fileno())
                if not self._read.goes_on_in(file, now):
                    self._read = _Read(inode=now.st_ino)
                self._read.size, self._read.modified = now.st_size, now.st_mtime_ns
                file.seek(self._read.offset)
                data = file.read()
        except FileNotFoundError:
            self._read = _Read()
            return []
        except OSError as error:
            raise RecordError(f"{self.path} cannot be read: {error.strerror}") from error
        whole, newline, rest = data.rpartition(b"\n")
        contents = self._read.contents
        if newline:
            lines = whole.split(b"\n")
            for number, line in enumerate(lines, start=self._read.lines + 1):
                self._take(line, number, contents)
            self._read.lines += len(lines)
            self._read.offset += len(whole) + 1
            self._read.last_line = lines[-1] + newline
        if not rest:
            return []
        text = rest.decode(errors="backslashreplace")
        return [DamagedLine(self.path, self._read.lines + 1, text, "the line is cut")]

    def append(self, context: Context, record: Record, arrays: AbstractContextManager[bool] | None = None) -> bool:
        """Write a finished unit so that it is on disk when this returns.

        Returns ``False``, writing nothing, when another writer already recorded the same result in the
        same context.

        Parameters
        ----------
        arrays : writes the arrays that the record speaks of, tells whether it had to, and undoes it if the line cannot
            be written; no other writer comes between them and the line
        """
        with self._locked():
            contents = self.read()
            lines = [*self._new_context(context, contents), record.text()]
            with arrays or nullcontext(False) as put:
                present = contents.records.get(record.key)
                if present is not None and present.context == context.id and present.same_result(record):
                    return put
                self._write(lines)
        return True

    def adopt(self, context: Context, adopted: list[str], evidence: list[Replay], time: str) -> None:
        """Write that records made under the contexts ``adopted`` hold for the code of ``context``."""
        adoption = Adoption(adopted=adopted, context=context.id, evidence=evidence, time=time)
        with self._locked():
            self._write([*self._new_context(context, self.read()), adoption.text()])

    def check_writable(self) -> None:
        """Raise `RecordError` where a unit could not be recorded now; the file stays as it is."""
        with self._locked():
            try:
                if self.path.exists():
                    self.path.open("ab").close()
                else:
                    check_folder(self.path.parent)
            except OSError as error:
                raise RecordError(f"{self.path} cannot be written: {error.strerror}") from error

    def set_damaged_aside(self) -> list[DamagedLine]:
        """Move unreadable lines to ``<file>.damaged``; return them."""
        if not self.read().damaged:
            return []
        path = self.path.with_suffix(".jsonl.damaged")
        with self._locked():
            damaged = self.read().damaged
            numbers = {line.number for line in damaged}
            kept = [line for number, line in enumerate(self._lines(), start=1) if number not in numbers]
            try:
                with path.open("a", encoding="utf-8") as aside:
                    aside.writelines(f"{line.text}\n" for line in damaged)
                self._rewrite(kept)
            except OSError as error:
                raise RecordError(f"unreadable lines of {self.path} cannot be set aside: {error}") from error
        return [replace(line, aside=path) for line in damaged]

    def prune(self, keys: Container[str], *, dry_run: bool = False) -> int:
        """Take out the records of all units but these, replaced ones, and what then nothing refers to.

        Returns how many records went, or would go in a dry run, which writes nothing and needs no lock. Unreadable
        lines stay: their unit may be wanted.
        """
        with nullcontext() if dry_run else self._locked():
            lines = self._lines()
            entries = [_entry(line) for line in lines]
            kept = _needed(entries, keys)
            if len(kept) < len(lines) and not dry_run:
                try:
                    self._rewrite([lines[number] for number in kept])
                except OSError as error:
                    raise RecordError(f"{self.path} cannot be written: {error.strerror}") from error
        pruned = set(range(len(lines))).difference(kept)
        return sum(isinstance(entries[number], Record) for number in pruned)

    def _take(self, line: bytes, number: int, contents: Contents) -> None:
        if not line.strip():
            return
        try:
            entry = read_line(line)
            if isinstance(entry, Context) and entry.id != entry.digest():
                raise ValueError("it is a context that was edited: its id is not the digest of its content")
            if not isinstance(entry, Context) and entry.context not in contents.contexts:
                raise ValueError(f"its context {entry.context} is not in the file before it")
        except (ValueError, RecursionError) as error:
            text = line.decode(errors="backslashreplace")
            contents.damaged.append(DamagedLine(self.path, number, text, str(error)))
            return
        match entry:
            case Context():
                contents.contexts[entry.id] = entry
            case Record():
                contents.records[entry.key] = entry
            case Adoption():
                contents.adoptions.append(entry)

    def _lines(self) -> list[bytes]:
        """Return the lines as they stand, empty ones too, so that each has its number."""
        try:
            return self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RecordError(f"{self.path} cannot be read: {error.strerror}") from error

    def _rewrite(self, lines: list[bytes]) -> None:
        """Put these lines, without empty ones, in the place of all that the file says; no line is no file."""
        data = b"".join(line + b"\n" for line in lines if line)
        if data:
            write_whole(self.path, data)
        else:
            self.path.unlink(missing_ok=True)

    def _new_context(self, context: Context, contents: Contents) -> list[str]:
        return [] if context.id in contents.contexts else [context.text()]

    def _write(self, lines: list[str]) -> None:
        """Append lines so that they are on disk when this returns."""
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            append_durably(self.path, data)
        except OSError as error:
            raise RecordError(f"{self.path} cannot be written: {error.strerror}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path.with_suffix(".jsonl.lock"), timeout=LOCK_SECONDS)
            lock.acquire()
        except (OSError, TimeoutError) as error:
            raise RecordError(f"records folder {self.path.parent} cannot be locked for writing: {error}") from error
        try:
            yield
        finally:
            lock.release()


def append_durably(path: Path, lines: bytes) -> None:
    """Append whole lines so that they are on disk when this returns; nobody else may append meanwhile.

    The cut last line of a writer that was killed is closed off first, so that it spoils no other. If the disk does not
    take all of it, none of it stays.
    """
    with path.open("ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        whole = not end or (file.seek(end - 1) is not None and file.read(1) == b"\n")
        left = memoryview(lines if whole else b"\n" + lines)
        try:
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def check_folder(folder: Path) -> None:
    """Raise `OSError` where no file can be made in a folder."""
    with tempfile.TemporaryFile(dir=folder):
        pass


def _entry(line: bytes) -> Entry | None:
    """Return what a line says, ``None`` where that cannot be told."""
    try:
        return read_line(line)
    except (ValueError, RecursionError):
        return None


def _needed(entries: Sequence[Entry | None], keys: Container[str]) -> list[int]:
    """Return which entries the last records of these units stand on, with them and what cannot be read."""
    last = {one.key: number for number, one in enumerate(entries) if isinstance(one, Record) and one.key in keys}
    contexts = {one.context for one in (entries[number] for number in last.values()) if isinstance(one, Record)}
    adoptions = {n: one for n, one in enumerate(entries) if isinstance(one, Adoption) and contexts & {*one.adopted}}
    contexts.update(one.context for one in adoptions.values())
    wanted = {*last.values(), *adoptions}
    return [
        number
        for number, one in enumerate(entries)
        if one is None or number in wanted or (isinstance(one, Context) and one.id in contexts)
    ]
