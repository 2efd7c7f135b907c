"""The log of the runs behind a collection's records: what each planned, and what it took.

Two lines per run, `RunStarted` and `RunEnded`; a run that was killed has no second one. ``failed`` is the ending of a
run that an error stopped, whatever became of its units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock

from reproduce_lib.errors import RecordError
from reproduce_lib.record_files import append_durably

Ending = Literal["finished", "interrupted", "time limit", "failed"]
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_LOCK_SECONDS = 60


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: Literal[1] = 1
    id: str
    time: str


class RunStarted(_Line, frozen=True, kw_only=True, tag="run", tag_field="kind"):
    """The plan of a run, in seconds of one worker."""

    processor: str
    jobs: int
    dask: bool
    papers: list[str]
    due: int
    expected_seconds: float
    of_unknown_length: int


class RunEnded(_Line, frozen=True, kw_only=True, tag="end", tag_field="kind"):
    """What became of a run."""

    ending: Ending
    written: int
    failed: int
    left: int


@dataclass(frozen=True)
class Run:
    """A run as the log tells it; ``ended`` is missing while it goes on, and for ever if it was killed."""

    started: RunStarted
    ended: RunEnded | None

    @property
    def seconds(self) -> float | None:
        """Return how long the run took on the clock."""
        if self.ended is None:
            return None
        return seconds_between(self.started.time, self.ended.time)


class RunLog:
    """A log in a file that only grows."""

    _decoder = msgspec.json.Decoder(RunStarted | RunEnded)

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: RunStarted | RunEnded) -> None:
        """Write one line so that it is on disk when this returns."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS):
                append_durably(self.path, msgspec.json.encode(line) + b"\n")
        except (OSError, TimeoutError) as error:
            raise RecordError(f"{self.path} cannot be written: {error}") from error

    def runs(self) -> list[Run]:
        """Return the runs in the order of their starts."""
        if not self.path.is_file():
            return []
        started: dict[str, RunStarted] = {}
        ended: dict[str, RunEnded] = {}
        for number, text in enumerate(self.path.read_bytes().splitlines(), start=1):
            if text.startswith(b"{") and not text.endswith(b"}"):
                continue  # cut when its writer was killed: a run that never began, or whose end is not known
            try:
                line = self._decoder.decode(text)
                datetime.strptime(line.time, _TIME)  # which is reckoned with
            except (ValueError, RecursionError) as error:
                raise RecordError(f"{self.path}:{number}: unreadable line ({error}); remove it") from error
            if isinstance(line, RunStarted):
                started[line.id] = line
            else:
                ended[line.id] = line
        return [Run(one, ended.get(key)) for key, one in started.items()]


def now() -> str:
    """Return the time, UTC, as records write it."""
    return f"{datetime.now(UTC):{_TIME}}"


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds between two times as records write them."""
    first, second = (datetime.strptime(time, _TIME) for time in (earlier, later))
    return (second - first).total_seconds()
