"""Executing a parameterised notebook headlessly, with a truthful report of how it ended."""

from __future__ import annotations

import json
import multiprocessing
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from reproduce_lib import paths
from reproduce_lib.errors import ParameterError, RunError
from reproduce_lib.files import write_whole

LIMIT_SECONDS = 6 * 3600
KERNEL_START_SECONDS = 120
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class NotebookRun:
    """A notebook that ran to its end."""

    source: Path
    output: Path
    parameters: dict[str, Any]
    started: datetime
    seconds: float


@dataclass(frozen=True)
class _Ending:
    """How the child process says that the notebook ended."""

    kind: Literal["finished", "raised", "kernel did not start"]
    message: str = ""


def execute_notebook(
    source: Path, output: Path, parameters: Mapping[str, Any], *, limit_seconds: float = LIMIT_SECONDS
) -> NotebookRun:
    """Execute ``source`` with papermill into ``output``, which is replaced only by a notebook that finished.

    Parameters
    ----------
    parameters : values for the notebook's parameters cell; a name that is not in it is an error
    limit_seconds : limit for the whole notebook

    Raises
    ------
    ParameterError
        If a parameter is unknown or the output is the source.
    RunError
        If a cell raised, the kernel died or never started, or the limit passed. The notebook as far as
        it came is kept under ``_build/failed``.
    """
    _check_paths(source, output)
    _check_names(source, parameters)
    partial = paths.root() / "_build" / "failed" / output.name
    partial.parent.mkdir(parents=True, exist_ok=True)
    started, clock = datetime.now(UTC), time.perf_counter()
    ending = _in_child(source, partial, parameters, limit_seconds)
    if ending.kind == "kernel did not start":  # happens when many start at once; a failed run is never retried
        ending = _in_child(source, partial, parameters, limit_seconds)
    if ending.kind != "finished":
        raise RunError(f"{source.name} {ending.kind}: {ending.message}\nas far as it came: {partial}")
    run = NotebookRun(source, output, dict(parameters), started, time.perf_counter() - clock)
    write_whole(output, _stamped(partial, run).encode())
    partial.unlink()
    return run


def parameter_names(source: Path) -> list[str]:
    """Return the names that a notebook's parameters cell defines."""
    import papermill

    return list(papermill.inspect_notebook(str(source)))


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


def _check_names(source: Path, parameters: Mapping[str, Any]) -> None:
    known = parameter_names(source)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise ParameterError(f"{source.name} has no parameter {', '.join(unknown)}; it has: {', '.join(known)}")


def _in_child(source: Path, partial: Path, parameters: Mapping[str, Any], limit_seconds: float) -> _Ending:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    root = str(paths.root())
    child = context.Process(target=_papermill, args=(str(source), str(partial), dict(parameters), root, theirs))
    child.start()
    theirs.close()
    try:
        if not ours.poll(limit_seconds):
            _kill_tree(child.pid)
            return _Ending("raised", f"still running after its limit of {limit_seconds:.0f} s; it was stopped")
        ending: _Ending = ours.recv()
        return ending
    except EOFError:
        return _Ending("raised", "its process died (killed, or out of memory)")
    finally:
        child.join()


def _papermill(source: str, partial: str, parameters: dict[str, Any], root: str, pipe: Connection) -> None:
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            source,
            partial,
            parameters=parameters,
            progress_bar=False,
            cwd=root,
            start_timeout=KERNEL_START_SECONDS,
        )
        pipe.send(_Ending("finished"))
    except PapermillExecutionError as error:
        cell = f"cell {error.cell_index}"
        pipe.send(_Ending("raised", f"{cell}: {error.ename}: {_ANSI.sub('', error.evalue)}"))
    except DeadKernelError:
        pipe.send(_Ending("raised", "the kernel died (killed, or out of memory)"))
    except NoSuchKernel as error:
        pipe.send(_Ending("raised", f"the kernel {error.name!r} is not installed here"))
    except (RuntimeError, TimeoutError) as error:
        pipe.send(_Ending("kernel did not start", str(error)))
    except OSError as error:
        pipe.send(_Ending("raised", str(error)))


def _kill_tree(pid: int | None) -> None:
    """Kill a process and what it started; a kernel would outlive its parent otherwise."""
    import psutil

    try:
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _stamped(executed: Path, run: NotebookRun) -> str:
    """Return the executed notebook with a last cell that says how this page came about."""
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
    given = json.dumps(run.parameters) if run.parameters else "defaults"
    stamp = (
        f"*This page was executed on {run.started:%Y-%m-%d at %H:%M UTC} in {run.seconds:.0f} s "
        f"from commit `{commit()}`, parameters: `{given}`.*"
    )
    notebook.cells.append(nbformat.v4.new_markdown_cell(stamp, metadata={"tags": ["stamp"]}))
    text: str = nbformat.writes(notebook)
    return text
