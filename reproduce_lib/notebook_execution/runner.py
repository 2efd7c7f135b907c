"""Executing a parameterised notebook headlessly, with a truthful report of how it ended.

Papermill runs in a process of its own, which says every few seconds which cell is running. A cell that computes for
hours does not silence it: cells are computed by the kernel, which is another process again.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from reproduce_lib import paths
from reproduce_lib.errors import ParameterError, RunError
from reproduce_lib.files import write_whole
from reproduce_lib.notebook_execution.bound import fill_alt_texts
from reproduce_lib.notebook_execution.papermill_process import Ending, Failure, Position, run_papermill, unformatted
from reproduce_lib.notebook_execution.processes import Family, new_mark

LIMIT_SECONDS = 6 * 3600
# The largest page here has a tenth of it.
MOST_OUTPUT_BYTES = 2**26
HEARTBEAT_SECONDS = 2.0
HEARTBEAT_SILENCE = 60.0
_GLANCE_SECONDS = 0.25
# Variables that name a folder, which may be a relative one.
_FOLDERS = ("REPRODUCE_ROOT", "REPRODUCE_HOME", "REPRODUCE_CACHE", "REPRODUCE_DATA")
# What is written is named after its page, and this much longer until it is whole.
_LONGER = "-" * 32


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


class NotebookError(RunError):
    """A notebook that did not finish.

    Attributes
    ----------
    failure : why, and in which cell
    partial : the notebook as far as it came, where there is one
    """

    def __init__(self, source: Path, failure: Failure, partial: Path | None) -> None:
        where = f"\nas far as it came: {partial}" if partial else ""
        super().__init__(f"{source.name} {failure}{where}")
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
    limit_seconds : limit for the whole notebook, above 0; infinite is none
    silence_seconds : how long papermill's process may give no sign of life
    most_output_bytes : limit for all outputs together
    on_beat : is told of each sign of life
    stop : once set, by another thread, the notebook is stopped
    edit : changes the executed notebook before it is written

    Raises
    ------
    ParameterError
        If a parameter is unknown, the limit is none or the output is the source.
    NotebookError
        If a cell raised, the kernel died or never started, a limit passed, no sign of life came, or it was
        stopped. The notebook as far as it came is kept under ``_build/failed``, if any cell was reached.
    RunError
        If the output cannot be written, which is tried before anything runs, or an alt text names what was not bound.
    """
    _check_paths(source, output)
    check_parameters(source, parameters)
    _check_limit(limit_seconds)
    partial = _partial_path(output)
    for path in (partial, output):
        _check_writable(path)
    partial.unlink(missing_ok=True)  # an earlier run's is not this one's
    started = datetime.now(UTC)
    watch = _Watch(limit_seconds, silence_seconds, on_beat, stop or threading.Event())
    failure = _in_child(source, partial, parameters, watch, most_output_bytes)
    if failure is not None and failure.kind == "kernel did not start":
        # It happens when many start at once; a notebook that failed is never run again.
        failure = _in_child(source, partial, parameters, watch, most_output_bytes)
    if failure is not None:
        raise NotebookError(source, failure, partial if partial.is_file() else None)
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
        If the file cannot be read or is no notebook.
    """
    import papermill

    try:
        return list(papermill.inspect_notebook(unformatted(source)))
    except OSError as error:
        raise ParameterError(f"{source} cannot be read: {error}") from error
    except Exception as error:  # each version of the format is read by code of its own
        raise ParameterError(f"{source} is no notebook: {type(error).__name__}: {error}") from error


def check_parameters(source: Path, parameters: Iterable[str]) -> None:
    """Refuse names that a notebook's parameters cell does not define.

    Raises
    ------
    ParameterError
        With the names that it defines; also if the file cannot be read or is no notebook.
    """
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


def _check_limit(seconds: float) -> None:
    """Refuse what is no limit: a time that is not a number never passes."""
    if not seconds > 0:
        raise ParameterError(f"{seconds} s is no limit for a notebook; it takes a number of seconds above 0")


def _check_writable(path: Path) -> None:
    """Refuse to begin what could not be kept in the end."""
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=_LONGER):
            pass
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error}") from error


def _partial_path(output: Path) -> Path:
    """Return where an output lies until it is finished; outputs of one name in two folders do not share it."""
    digest = hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:8]
    return paths.root() / "_build" / "failed" / f"{output.stem}-{digest}.ipynb"


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

    def tell(self, position: Position) -> None:
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
    # The notebook runs in the root, and neither process need begin where the caller is: no path may depend on it.
    places = (source.absolute(), partial.absolute(), paths.root().absolute(), _absolute_folders())
    mark = new_mark()
    child = context.Process(
        target=run_papermill, args=(*places, mark, dict(parameters), watch.pace, most_output_bytes, theirs)
    )
    child.start()
    theirs.close()
    assert child.pid is not None
    family = Family(child.pid, mark)
    try:
        return _follow(ours, family, watch)
    finally:
        family.kill()
        child.join()
        ours.close()


def _absolute_folders() -> dict[str, str]:
    """Return the variables that name folders, each with the folder that it means here."""
    given = {name: os.environ.get(name) for name in _FOLDERS}
    return {name: str(Path(value).absolute()) for name, value in given.items() if value}


def _follow(pipe: Connection, family: Family, watch: _Watch) -> Failure | None:
    """Listen to papermill's process until the notebook has ended or must be stopped."""
    cell: int | None = None
    silent = 0.0
    while (failure := watch.overdue(cell, silent)) is None:
        try:
            if not pipe.poll(_GLANCE_SECONDS):
                silent += _GLANCE_SECONDS  # no clock: a machine that slept has not heard silence
                continue
            message: Position | Ending = pipe.recv()
        except (EOFError, OSError):
            return Failure("process died", cell, "its process died (killed, or out of memory)")
        if isinstance(message, Ending):
            return message.failure
        cell, silent = message.cell, 0.0
        family.look()
        watch.tell(message)
    return failure


def _stamped(executed: Path, run: NotebookRun, edit: Callable[[Any], None] | None) -> str:
    """Return the executed notebook, edited, with a last cell that says how this page came about."""
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
    fill_alt_texts(notebook)
    if edit is not None:
        edit(notebook)
    given = json.dumps(run.parameters) if run.parameters else "defaults"
    # As HTML: a backtick would end a span of code, and what follows it could be a tag, a role or a template.
    shown, of = (f"<code>{escape(words).replace('{', '&#123;')}</code>" for words in (given, commit()))
    stamp = (
        f"<p><em>This page was executed on {run.started:%Y-%m-%d at %H:%M UTC} in {run.seconds:.0f} s "
        f"from commit {of}, parameters: {shown}.</em></p>"
    )
    notebook.cells.append(nbformat.v4.new_markdown_cell(stamp, metadata={"tags": ["stamp"]}))
    text: str = nbformat.writes(notebook)
    return text
