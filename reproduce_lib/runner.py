"""Executing a parameterised notebook headlessly, with a truthful report of how it ended.

Papermill runs in a process of its own, which says every few seconds which cell is running. A cell that computes for
hours does not silence it: cells are computed by the kernel, which is another process again.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import psutil

from reproduce_lib import paths
from reproduce_lib.errors import ParameterError, RunError
from reproduce_lib.files import write_whole

LIMIT_SECONDS = 6 * 3600
KERNEL_START_SECONDS = 120
# The largest page here has a tenth of it.
MOST_OUTPUT_BYTES = 2**26
HEARTBEAT_SECONDS = 2.0
HEARTBEAT_SILENCE = 60.0
_GLANCE_SECONDS = 0.25
_DEATH_SECONDS = 5.0
_LINE_LENGTH = 300
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
class Beat:
    """A sign of life from a running notebook.

    Attributes
    ----------
    cell : index of the running cell in the source, from 0; ``None`` before the first
    cells : number of cells in the source; 0 until it is known
    seconds : since the notebook was started
    """

    cell: int | None
    cells: int
    seconds: float


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


class NotebookError(RunError):
    """A notebook that did not finish.

    Attributes
    ----------
    failure : why, and in which cell
    partial : the notebook as far as it came
    """

    def __init__(self, source: Path, failure: Failure, partial: Path) -> None:
        super().__init__(f"{source.name} {failure}\nas far as it came: {partial}")
        self.failure = failure
        self.partial = partial


@dataclass(frozen=True)
class NotebookRun:
    """A notebook that ran to its end."""

    source: Path
    output: Path
    parameters: dict[str, Any]
    started: datetime
    seconds: float


def execute_notebook(
    source: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    limit_seconds: float = LIMIT_SECONDS,
    silence_seconds: float = HEARTBEAT_SILENCE,
    most_output_bytes: int = MOST_OUTPUT_BYTES,
    on_beat: Callable[[Beat], None] | None = None,
    stop: threading.Event | None = None,
    edit: Callable[[Any], None] | None = None,
) -> NotebookRun:
    """Execute ``source`` with papermill into ``output``, which is replaced only by a notebook that finished.

    Nothing that the notebook started outlives the call, however it ends.

    Parameters
    ----------
    parameters : values for the notebook's parameters cell; a name that is not in it is an error
    limit_seconds : limit for the whole notebook
    silence_seconds : how long papermill's process may give no sign of life
    most_output_bytes : limit for all outputs together
    on_beat : is told of each sign of life
    stop : once set, by another thread, the notebook is stopped
    edit : changes the executed notebook before it is written

    Raises
    ------
    ParameterError
        If a parameter is unknown or the output is the source.
    NotebookError
        If a cell raised, the kernel died or never started, a limit passed, no sign of life came, or it was
        stopped. The notebook as far as it came is kept under ``_build/failed``.
    RunError
        If the output cannot be written, which is tried before anything runs.
    """
    _check_paths(source, output)
    check_parameters(source, parameters)
    partial = _partial_path(output)
    for path in (partial, output):
        _check_writable(path)
    started = datetime.now(UTC)
    watch = _Watch(limit_seconds, silence_seconds, on_beat, stop or threading.Event())
    failure = _in_child(source, partial, parameters, watch, most_output_bytes)
    if failure is not None and failure.kind == "kernel did not start":
        # It happens when many start at once; a notebook that failed is never run again.
        failure = _in_child(source, partial, parameters, watch, most_output_bytes)
    if failure is not None:
        raise NotebookError(source, failure, partial)
    run = NotebookRun(source, output, dict(parameters), started, watch.seconds)
    try:
        write_whole(output, _stamped(partial, run, edit).encode())
    except OSError as error:
        raise RunError(f"{source.name} ran to its end, {output} cannot be written: {error}; it is {partial}") from error
    partial.unlink()
    return run


def parameter_names(source: Path) -> list[str]:
    """Return the names that a notebook's parameters cell defines.

    Raises
    ------
    ParameterError
        If the file is no notebook.
    """
    import papermill

    try:
        return list(papermill.inspect_notebook(_unformatted(source)))
    except Exception as error:  # each version of the format is read by code of its own
        raise ParameterError(f"{source} is no notebook: {type(error).__name__}: {error}") from error


def check_parameters(source: Path, parameters: Iterable[str]) -> None:
    """Refuse names that a notebook's parameters cell does not define, and say which it does."""
    known = parameter_names(source)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise ParameterError(f"{source.name} has no parameter {', '.join(unknown)}; it has: {', '.join(known)}")


def commit() -> str:
    """Return the commit of the working tree, with a mark when files differ from it."""
    command = ["git", "-C", str(paths.root()), "describe", "--always", "--dirty=, with local changes", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "not under version control"


def _check_paths(source: Path, output: Path) -> None:
    if not source.is_file():
        raise ParameterError(f"there is no notebook {source}")
    if output.resolve().parent == source.resolve().parent:
        raise ParameterError(f"{output} lies beside its source; a notebook is never executed in place")


def _check_writable(path: Path) -> None:
    """Refuse to begin what could not be kept in the end."""
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error}") from error


def _partial_path(output: Path) -> Path:
    """Return where an output lies until it is finished; outputs of one name in two folders do not share it."""
    digest = hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:8]
    return paths.root() / "_build" / "failed" / f"{output.stem}-{digest}.ipynb"


def _unformatted(path: Path) -> str:
    """Write a path so that papermill, which replaces what stands in braces, leaves it as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


@dataclass(frozen=True)
class _Position:
    """Papermill's process says where it is."""

    cell: int | None
    cells: int


@dataclass(frozen=True)
class _Ending:
    """Papermill's process says how the notebook ended."""

    failure: Failure | None


class _Watch:
    """When a running notebook must be stopped, and who hears of it meanwhile."""

    def __init__(
        self, limit: float, silence: float, on_beat: Callable[[Beat], None] | None, stop: threading.Event
    ) -> None:
        self._limit = limit
        self._silence = silence
        self._on_beat = on_beat
        self._stop = stop
        self._begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Return the seconds since the notebook was started."""
        return time.perf_counter() - self._begun

    @property
    def pace(self) -> float:
        """Return the seconds between two signs of life that leave several within the silence allowed."""
        return min(HEARTBEAT_SECONDS, self._silence / 4)

    def tell(self, position: _Position) -> None:
        """Pass a sign of life on."""
        if self._on_beat is not None:
            self._on_beat(Beat(position.cell, position.cells, self.seconds))

    def overdue(self, cell: int | None, silent: float) -> Failure | None:
        """Return why the notebook must be stopped now, after ``silent`` seconds without a sign of life."""
        if self._stop.is_set():
            return Failure("stopped", cell, "it was stopped")
        if self.seconds >= self._limit:
            return Failure("limit", cell, f"still running after its limit of {self._limit:g} s; it was stopped")
        if silent >= self._silence:
            return Failure("silence", cell, f"gave no sign of life for {silent:.0f} s")
        return None


def _in_child(
    source: Path, partial: Path, parameters: Mapping[str, Any], watch: _Watch, most_output_bytes: int
) -> Failure | None:
    """Execute a notebook in a process of its own, and return how it failed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    arguments = (source, partial, dict(parameters), paths.root(), watch.pace, most_output_bytes, theirs)
    child = context.Process(target=_papermill, args=arguments)
    child.start()
    theirs.close()
    assert child.pid is not None
    family = _Family(child.pid)
    try:
        return _follow(ours, family, watch)
    finally:
        family.kill()
        child.join()
        ours.close()


def _follow(pipe: Connection, family: _Family, watch: _Watch) -> Failure | None:
    """Listen to papermill's process until the notebook has ended or must be stopped."""
    cell: int | None = None
    silent = 0.0
    while (failure := watch.overdue(cell, silent)) is None:
        try:
            if not pipe.poll(_GLANCE_SECONDS):
                silent += _GLANCE_SECONDS  # no clock: a machine that slept has not heard silence
                continue
            message: _Position | _Ending = pipe.recv()
        except (EOFError, OSError):
            return Failure("process died", cell, "its process died (killed, or out of memory)")
        if isinstance(message, _Ending):
            return message.failure
        cell, silent = message.cell, 0.0
        family.look()
        watch.tell(message)
    return failure


class _Family:
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
        _kill(self._seen)


def _kill(processes: Collection[psutil.Process]) -> None:
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


class _Pulse:
    """What papermill's process says of itself: where it is, at each cell's start and every few seconds."""

    def __init__(self, pipe: Connection, pace: float) -> None:
        self._pipe = pipe
        self._pace = pace
        self._lock = threading.Lock()
        self._position = _Position(None, 0)
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
        self._position = _Position(None, len(cells))

    def in_source(self, index: int) -> int:
        """Return the index in the source of a cell of the executed copy."""
        return index if self._injected is None or index < self._injected else index - 1

    def on_cell_start(self, *, cell: Any, cell_index: int) -> None:  # noqa: ARG002 (nbclient passes both by name)
        """Note that a cell begins."""
        self._position = _Position(self.in_source(cell_index), self._position.cells)
        self.send(self._position)

    def send(self, message: _Position | _Ending) -> None:
        """Send a message; where nobody is left to hear it, end, and the kernel too."""
        try:
            with self._lock:
                self._pipe.send(message)
        except OSError:
            _kill(psutil.Process().children(recursive=True))
            os._exit(1)

    def _beat(self) -> None:
        while True:
            self.send(self._position)
            time.sleep(self._pace)


def _papermill(
    source: Path,
    partial: Path,
    parameters: dict[str, Any],
    root: Path,
    pace: float,
    most_output_bytes: int,
    pipe: Connection,
) -> None:
    """Execute a notebook in this process, and say over ``pipe`` where it is and how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that watches; it ends this one
    pulse = _Pulse(pipe, pace)
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from reproduce_lib import counted_output

    def failed(kind: FailureKind, evalue: str, ename: str = "") -> Failure:
        return Failure(kind, pulse.cell, evalue, ename)

    def stop_printing() -> None:
        pulse.send(_Ending(failed("output", f"it printed more than {most_output_bytes} bytes; it was stopped")))

    failure = None
    try:
        pulse.begin(source, bool(parameters))
        executed = papermill.execute_notebook(
            _unformatted(source),
            _unformatted(partial),
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
        failure = Failure("raised", pulse.in_source(error.cell_index), _ANSI.sub("", error.evalue), error.ename)
    except DeadKernelError:
        failure = failed("kernel died", "the kernel died (killed, or out of memory)")
    except NoSuchKernel as error:
        failure = failed("unexpected", f"the kernel {error.name!r} is not installed here")
    except Exception as error:  # whatever it is must be reported: nobody sees this process
        starting = pulse.cell is None and isinstance(error, RuntimeError | TimeoutError)
        failure = failed("kernel did not start" if starting else "unexpected", str(error), type(error).__name__)
    pulse.send(_Ending(failure))


def _left_early(executed: Any, pulse: _Pulse) -> Failure | None:
    """Return the failure of a notebook that left by ``sys.exit``: to papermill that is a good end."""
    for index, cell in enumerate(executed.cells):
        if cell.cell_type == "code" and cell.metadata.papermill.status == "failed":
            return Failure("raised", pulse.in_source(index), "the cells after it were not executed", "SystemExit")
    return None


def _stamped(executed: Path, run: NotebookRun, edit: Callable[[Any], None] | None) -> str:
    """Return the executed notebook, edited, with a last cell that says how this page came about."""
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
    if edit is not None:
        edit(notebook)
    given = json.dumps(run.parameters) if run.parameters else "defaults"
    stamp = (
        f"*This page was executed on {run.started:%Y-%m-%d at %H:%M UTC} in {run.seconds:.0f} s "
        f"from commit `{commit()}`, parameters: `{given}`.*"
    )
    notebook.cells.append(nbformat.v4.new_markdown_cell(stamp, metadata={"tags": ["stamp"]}))
    text: str = nbformat.writes(notebook)
    return text
