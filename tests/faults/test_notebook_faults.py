"""Notebooks that die, hang, swell, ask for what is not there: a truthful report each, and the old page in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from typer.testing import CliRunner

from reproduce_lib.book.faults_page import NOTEBOOKS
from reproduce_lib.cli import app
from reproduce_lib.errors import ParameterError, RunError
from reproduce_lib.notebook_execution.papermill_process import Failure
from reproduce_lib.notebook_execution.runner import NotebookError, execute_notebook
from tests.faults.results import keep_case
from tests.support import PROJECT, descendants, write_notebook

GOOD = "print('the old page')"


@pytest.fixture(autouse=True)
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))


FAULTS = {
    "kernel killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "kernel died", {}),
    "kernel crashed": ("import ctypes; ctypes.string_at(0)", "kernel died", {}),
    "out of memory": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\n"
        "x = [bytearray(2**28) for _ in range(99)]",
        "raised",
        {},
    ),
    "never ends": ("while True: pass", "limit", {"limit_seconds": 6}),
    "sleeps for ever": ("import time; time.sleep(10**6)", "limit", {"limit_seconds": 8}),
    "waits for an answer": ("input('and now?')", "raised", {}),
    "prints 200 MB in lines": ("for _ in range(200): print('x' * 1_000_000)", "output", {}),
    "prints 200 MB at once": ("print('x' * 200_000_000)", "output", {}),
    "prints without end": ("while True: print('x' * 100)", "output", {"most_output_bytes": 2**20}),
    "shows without end": (
        "from IPython.display import HTML, display\nwhile True: display(HTML('x' * 1000))",
        "output",
        {"most_output_bytes": 2**20},
    ),
    "leaves by itself": ("import sys; sys.exit(0)", "raised", {}),
    "closes its connection": ("get_ipython().kernel.iopub_socket.io_thread.stop()", "unexpected", {}),
}  # fmt: skip


# A process that is no longer below its kernel: in a session of its own, and its parent has ended.
LEAVES_ONE = """
import subprocess
leave = "sleep 100000 >/dev/null 2>&1 & echo $! > left.pid"
subprocess.run(["sh", "-c", leave], start_new_session=True, check=True)
"""


def left_behind(root: Path) -> int:
    return int((root / "left.pid").read_text())


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def started() -> set[int]:
    """Return the processes that this one has started and that still run; one that Python keeps for itself apart."""
    return {one.pid for one, command in descendants().items() if "resource_tracker" not in command}


def failure_of(source: Path, output: Path, limits: dict[str, Any]) -> Failure:
    """Execute a notebook that fails; where busy cores let the limit pass before the faulty cell began, double it."""
    begun = time.monotonic()
    with pytest.raises(NotebookError) as failed:
        execute_notebook(source, output, {}, **limits)
    assert time.monotonic() - begun < limits["limit_seconds"] + 15
    failure = failed.value.failure
    if failure.kind == "limit" and failure.cell in (None, 0) and limits["limit_seconds"] < 60:
        return failure_of(source, output, {**limits, "limit_seconds": 2 * limits["limit_seconds"]})
    return failure


# One of each kind of report; the others take longer, and are told in the same ways.
QUICK = ("kernel killed", "out of memory", "never ends", "prints 200 MB in lines", "leaves by itself")


@pytest.mark.parametrize("fault", [pytest.param(one, marks=[] if one in QUICK else pytest.mark.slow) for one in FAULTS])
def test_fault_is_told_as_it_was_and_leaves_the_old_page_and_no_process(tmp_path: Path, fault: str) -> None:
    code, kind, limits = FAULTS[fault]
    output = tmp_path / "out" / "n.ipynb"
    output.parent.mkdir()
    output.write_bytes(b"the old page")
    before = started()
    source = write_notebook(tmp_path / "in" / "n.ipynb", LEAVES_ONE + code, GOOD)
    failure = failure_of(source, output, {"limit_seconds": 60, **limits})
    assert (failure.kind, failure.cell) == (kind, 1)
    assert output.read_bytes() == b"the old page"
    assert [path.name for path in output.parent.iterdir()] == ["n.ipynb"]
    assert started() <= before
    assert is_gone(left_behind(tmp_path))
    keep_case(NOTEBOOKS, fault)


@pytest.mark.slow
def test_process_that_a_good_notebook_left_behind_ends_with_it(tmp_path: Path) -> None:
    execute_notebook(write_notebook(tmp_path / "in" / "n.ipynb", LEAVES_ONE), tmp_path / "out" / "n.ipynb", {})
    assert is_gone(left_behind(tmp_path))


def test_command_says_that_the_kernel_died_and_ends_so(tmp_path: Path) -> None:
    write_notebook(tmp_path / "notebooks" / "naufal2023.ipynb", FAULTS["kernel killed"][0], GOOD)
    output = tmp_path / "page.ipynb"
    output.write_bytes(b"the old page")
    ran = CliRunner().invoke(app, ["notebook", "naufal2023", "--output", str(output)])
    assert ran.exit_code == 1
    assert "error: " in ran.stderr
    assert "kernel" in ran.stderr
    assert ran.stdout == ""
    assert output.read_bytes() == b"the old page"


SPEAKS = """
import sys
from pathlib import Path
from reproduce_lib.notebook_execution.runner import NotebookError, execute_notebook

if __name__ == "__main__":
    try:
        execute_notebook(Path(sys.argv[1]), Path(sys.argv[2]), {})
    except NotebookError as error:
        sys.exit(f"{error.failure.kind} {error.failure.cell} {len(error.failure.evalue)}")
"""


def spoken(tmp_path: Path, code: str) -> tuple[str, str]:
    """Execute a notebook in a process of its own, and return what that prints."""
    program = tmp_path / "speaks.py"
    program.write_text(SPEAKS)
    source = write_notebook(tmp_path / "in" / "n.ipynb", code, GOOD)
    command = [sys.executable, str(program), str(source), str(tmp_path / "out" / "n.ipynb")]
    # A kernel that finds this variable does not listen to what its children print.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return ran.stdout, ran.stderr


@pytest.mark.slow
def test_nothing_outlives_a_command_that_is_killed_while_it_watches_a_notebook(tmp_path: Path) -> None:
    program = tmp_path / "speaks.py"
    program.write_text(SPEAKS)
    source = write_notebook(tmp_path / "in" / "n.ipynb", LEAVES_ONE + "while True: pass")
    with subprocess.Popen([sys.executable, str(program), str(source), str(tmp_path / "out.ipynb")]) as command:
        while not (tmp_path / "left.pid").is_file() or not (tmp_path / "left.pid").read_text().strip():
            assert command.poll() is None
            time.sleep(0.05)
        below = [one.pid for one in descendants(command.pid)]
        command.kill()
    deadline = time.monotonic() + 30
    while not all(map(is_gone, [*below, left_behind(tmp_path)])):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(below) >= 2  # papermill's process and the kernel


@pytest.mark.slow
def test_what_a_cell_starts_prints_nothing_into_the_callers_output(tmp_path: Path) -> None:
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', \"print('x' * 200_000_000)\"])"
    assert spoken(tmp_path, code) == ("", "output 1 51\n")


@pytest.mark.slow
def test_exception_that_says_thirty_megabytes_is_told_in_a_few_thousand_letters(tmp_path: Path) -> None:
    assert spoken(tmp_path, "raise ValueError('x' * 30_000_000)") == ("", "raised 1 5000\n")


def test_output_within_the_limit_is_kept_whole(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "for _ in range(90): print('x' * 10_000)")
    run = execute_notebook(source, tmp_path / "out" / "n.ipynb", {}, most_output_bytes=1_000_000)
    assert len(nbformat.read(run.output, as_version=4).cells[1].outputs[0].text) == 90 * 10_001


def test_missing_kernel_is_named_and_leaves_the_old_page(tmp_path: Path) -> None:
    output = tmp_path / "out" / "n.ipynb"
    output.parent.mkdir()
    output.write_bytes(b"the old page")
    with pytest.raises(NotebookError, match="no-such-kernel"):
        execute_notebook(write_notebook(tmp_path / "in" / "n.ipynb", GOOD, kernel="no-such-kernel"), output, {})
    assert output.read_bytes() == b"the old page"


@pytest.mark.parametrize("where", ["below a file", "a folder", "no room for a name", "room for a name and no more"])
def test_output_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    (tmp_path / "folder.ipynb").mkdir()
    output = {
        "below a file": tmp_path / "file" / "n.ipynb",
        "a folder": tmp_path / "folder.ipynb",
        "no room for a name": tmp_path / ("n" * 300) / "n.ipynb",
        "room for a name and no more": tmp_path / f"{'n' * 245}.ipynb",
    }[where]
    source = write_notebook(tmp_path / "in" / "n.ipynb", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(RunError, match="cannot be written"):
        execute_notebook(source, output, {})
    assert not (tmp_path / "ran").exists()


def test_output_that_can_no_longer_be_written_keeps_what_was_computed(tmp_path: Path) -> None:
    output = tmp_path / "out" / "n.ipynb"
    folder = str(output.parent)
    code = f"import shutil; shutil.rmtree({folder!r}); open({folder!r}, 'w').close(); print('done')"
    with pytest.raises(RunError, match="ran to its end") as failed:
        execute_notebook(write_notebook(tmp_path / "in" / "n.ipynb", code), output, {})
    (kept,) = (tmp_path / "_build" / "failed").glob("*.ipynb")
    assert str(kept) in str(failed.value)
    assert nbformat.read(kept, as_version=4).cells[1].outputs[0].text == "done\n"


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"cells": 3}', b"\xff\xfe", b'{"nbformat": 99, "cells": []}'])
def test_source_that_is_no_notebook_is_refused_by_name(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "n.ipynb").write_bytes(broken)
    with pytest.raises((ParameterError, RunError), match=r"n\.ipynb"):
        execute_notebook(tmp_path / "n.ipynb", tmp_path / "out" / "n.ipynb", {})
    assert not (tmp_path / "out" / "n.ipynb").exists()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        pytest.param(["-p", "seed=many"], "many", marks=pytest.mark.slow),
        (["-p", "window=[1, 30]"], "window"),
        pytest.param(["-p", "window=1.5"], "1.5", marks=pytest.mark.slow),
        pytest.param(["-p", "ticker=null"], "ticker", marks=pytest.mark.slow),
    ],
)
def test_parameter_of_a_wrong_type_fails_with_what_is_wrong_and_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], named: str
) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))
    output = tmp_path / "page.ipynb"
    output.write_bytes(b"the old page")
    ran = CliRunner().invoke(app, ["notebook", "naufal2023", "--output", str(output), *given])
    assert ran.exit_code not in (0, None)
    assert named in ran.output
    assert "Traceback" not in ran.output
    assert output.read_bytes() == b"the old page"
    assert [path.name for path in tmp_path.glob("*page*")] == ["page.ipynb"]
    assert os.environ["REPRODUCE_ROOT"] == str(PROJECT)
