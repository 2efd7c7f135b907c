"""A process and all that it started: ended together."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from contextlib import suppress

import psutil

_DEATH_SECONDS = 5.0
_MARKS = "REPRODUCE_NOTEBOOK_"


def new_mark() -> str:
    """Return the name of a variable that one notebook alone gives to what it starts.

    A name and not a value: a notebook that executes another one passes its own mark on as well.
    """
    return f"{_MARKS}{secrets.token_hex(8)}"


class Family:
    """A process and all that it was seen to start, or that carries its mark; a kernel would outlive its parent.

    What is in a session of its own, or whose parent ended before it, is no longer below the process: only the mark, a
    variable that every child inherits, still tells whose it is.
    """

    def __init__(self, pid: int, mark: str) -> None:
        self._parent = psutil.Process(pid)
        self._seen = {self._parent}
        self._mark = mark

    def look(self) -> None:
        """Remember who is there now: once their parent is dead, its children cannot be found."""
        for process in list(self._seen):
            with suppress(psutil.Error):
                self._seen.update(process.children(recursive=True))

    def kill(self) -> None:
        """Kill them all, those too that were started since the last look."""
        with suppress(psutil.Error):
            self._parent.suspend()  # it starts nobody while the others are looked for
        self.look()
        kill(self._seen, self._mark)


def kill(processes: Collection[psutil.Process], mark: str) -> None:
    """Kill processes and all that carry a mark, and wait until they no longer run."""
    deadline = time.perf_counter() + _DEATH_SECONDS
    waiting = {*processes}
    while waiting:
        for process in waiting:
            with suppress(psutil.Error):
                process.kill()
        # Again, for what they started while the others were looked for.
        waiting = {*filter(_runs, waiting), *_marked(mark)}
        if time.perf_counter() > deadline:
            return
        if waiting:
            time.sleep(0.01)


def _marked(mark: str) -> list[psutil.Process]:
    """Return the processes that carry a mark, of those that this user may ask; a dead one has no variables."""
    return [one for one in psutil.process_iter() if mark in _variables(one)]


def _variables(process: psutil.Process) -> Collection[str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return ()


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
