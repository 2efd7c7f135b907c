"""The process that papermill runs in: where it is, at each cell and every few seconds, and how the notebook ended."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import psutil

from reproduce_lib.notebook_execution.processes import kill

KERNEL_START_SECONDS = 120
_LINE_LENGTH = 300
# Letters of what an exception says that are told; it may hold all that a cell read.
_LONGEST_REASON = 5000
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

FailureKind = Literal[
    "raised",
    "kernel died",
    "kernel did not start",
    "process died",
    "limit",
    "output",
    "silence",
    "stopped",
    "unexpected",
]


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not finish, and where.

    Attributes
    ----------
    cell : index in the source, from 0, of the cell that was running; ``None`` before the first
    evalue : what the exception said; what happened, where no cell raised one
    ename : name of the exception's class, or ``""``
    """

    kind: FailureKind
    cell: int | None
    evalue: str
    ename: str = ""

    def __str__(self) -> str:
        where = "before its first cell" if self.cell is None else f"in cell {self.cell}"
        what = f"{self.ename}: {self.evalue}" if self.ename else self.evalue
        match self.kind:
            case "silence":
                return f"{what}, last {where}"
            case "unexpected":
                return f"failed: {what}"
        return f"failed {where}: {what}"

    @property
    def line(self) -> str:
        """Return the failure in one line."""
        first = str(self).partition("\n")[0]
        return first if len(first) <= _LINE_LENGTH else f"{first[:_LINE_LENGTH]}…"


@dataclass(frozen=True)
class Position:
    """Papermill's process says where it is."""

    cell: int | None
    cells: int


@dataclass(frozen=True)
class Ending:
    """Papermill's process says how the notebook ended."""

    failure: Failure | None


def unformatted(path: Path) -> str:
    """Write a path so that papermill, which replaces what stands in braces, leaves it as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


class _Pulse:
    """What papermill's process says of itself: where it is, at each cell's start and every few seconds."""

    def __init__(self, pipe: Connection, pace: float, mark: str) -> None:
        self._pipe = pipe
        self._pace = pace
        self._mark = mark
        self._lock = threading.Lock()
        self._position = Position(None, 0)
        self._injected: int | None = None
        threading.Thread(target=self._beat, daemon=True).start()

    @property
    def cell(self) -> int | None:
        """Return the index in the source of the cell that is running."""
        return self._position.cell

    def begin(self, source: Path, injects: bool) -> None:
        """Learn how many cells there are, and before which of them papermill puts the parameters."""
        import nbformat

        cells = nbformat.read(source, as_version=4).cells
        tagged = [index for index, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
        self._injected = tagged[0] + 1 if injects and tagged else None
        self._position = Position(None, len(cells))

    def in_source(self, index: int) -> int:
        """Return the index in the source of a cell of the executed copy."""
        return index if self._injected is None or index < self._injected else index - 1

    def on_cell_start(self, *, cell: Any, cell_index: int) -> None:  # noqa: ARG002 (nbclient passes both by name)
        """Note that a cell begins."""
        self._position = Position(self.in_source(cell_index), self._position.cells)
        self.send(self._position)

    def send(self, message: Position | Ending) -> None:
        """Send a message; where nobody is left to hear it, end, and the kernel too."""
        try:
            with self._lock:
                self._pipe.send(message)
        except OSError:
            kill(psutil.Process().children(recursive=True), self._mark)
            os._exit(1)

    def _beat(self) -> None:
        while True:
            self.send(self._position)
            time.sleep(self._pace)


def run_papermill(
    source: Path,
    partial: Path,
    root: Path,
    folders: dict[str, str],
    mark: str,
    parameters: dict[str, Any],
    pace: float,
    most_output_bytes: int,
    pipe: Connection,
) -> None:
    """Execute a notebook in this process, and say over ``pipe`` where it is and how it ended.

    ``folders`` are variables for its kernel, and ``mark`` is one that tells what came of it. All paths are absolute.
    """
    _be_silent()
    os.environ.update(folders, **{mark: "1"})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that watches; it ends this one
    pulse = _Pulse(pipe, pace, mark)
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from reproduce_lib.notebook_execution import counted_output

    def failed(kind: FailureKind, evalue: str, ename: str = "") -> Failure:
        return Failure(kind, pulse.cell, evalue, ename)

    def stop_printing() -> None:
        pulse.send(Ending(failed("output", f"it printed more than {most_output_bytes} bytes; it was stopped")))

    failure = None
    try:
        pulse.begin(source, bool(parameters))
        executed = papermill.execute_notebook(
            unformatted(source),
            unformatted(partial),
            parameters=parameters,
            progress_bar=False,
            cwd=str(root),
            start_timeout=KERNEL_START_SECONDS,
            on_cell_start=pulse.on_cell_start,
            engine_name=counted_output.NAME,
            most_bytes=most_output_bytes,
            on_excess=stop_printing,
        )
        failure = _left_early(executed, pulse)
    except PapermillExecutionError as error:
        said = _ANSI.sub("", error.evalue[:_LONGEST_REASON])
        failure = Failure("raised", pulse.in_source(error.cell_index), said, error.ename)
    except DeadKernelError:
        failure = failed("kernel died", "the kernel died (killed, or out of memory)")
    except NoSuchKernel as error:
        failure = failed("unexpected", f"the kernel {error.name!r} is not installed here")
    except Exception as error:  # whatever it is must be reported: nobody sees this process
        starting = pulse.cell is None and isinstance(error, RuntimeError | TimeoutError)
        kind: FailureKind = "kernel did not start" if starting else "unexpected"
        failure = failed(kind, str(error)[:_LONGEST_REASON], type(error).__name__)
    pulse.send(Ending(failure))


def _be_silent() -> None:
    """Let nothing that this process, its kernel or what a cell starts prints come to the caller's own output."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _left_early(executed: Any, pulse: _Pulse) -> Failure | None:
    """Return the failure of a notebook that left by ``sys.exit``: to papermill that is a good end."""
    for index, cell in enumerate(executed.cells):
        if cell.cell_type == "code" and cell.metadata.papermill.status == "failed":
            return Failure("raised", pulse.in_source(index), "the cells after it were not executed", "SystemExit")
    return None
