"""A process and all that it started: ended together."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress

import psutil

_DEATH_SECONDS = 5.0


class Family:
    """A process and all that it was seen to start; a kernel would outlive its parent otherwise."""

    def __init__(self, pid: int) -> None:
        self._parent = psutil.Process(pid)
        self._seen = {self._parent}

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
        kill(self._seen)


def kill(processes: Collection[psutil.Process]) -> None:
    """Kill processes, and wait until they no longer run."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    deadline = time.perf_counter() + _DEATH_SECONDS
    while any(map(_runs, processes)) and time.perf_counter() < deadline:
        time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
