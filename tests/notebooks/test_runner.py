"""Executing notebooks: what is refused, how each way of ending is reported, what is left behind."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from reproduce_lib.errors import ParameterError, RunError
from reproduce_lib.notebook_execution.runner import Beat, NotebookError, execute_notebook
from tests.support import write_notebook

SOURCE = Path(__file__).resolve().parents[2] / "notebooks" / "naufal2023.ipynb"


@pytest.fixture(autouse=True)
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))


def marking(mark: Path) -> str:
    """Return a cell that writes down its kernel's process id and sleeps."""
    return f"import os, time, pathlib\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"


def process_of(mark: Path) -> psutil.Process:
    """Wait for the kernel that a marking cell runs in."""
    deadline = time.monotonic() + 60
    while not mark.is_file() or not mark.read_text():
        assert time.monotonic() < deadline, "the cell was never reached"
        time.sleep(0.05)
    return psutil.Process(int(mark.read_text()))


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def install_kernel(folder: Path, monkeypatch: pytest.MonkeyPatch, *, failing_starts: int) -> Path:
    """Install a kernel whose first starts fail; return the file that counts its starts."""
    counter = folder / "starts"
    program = (
        f"import pathlib, runpy, sys\ncounter = pathlib.Path({str(counter)!r})\n"
        "starts = len(counter.read_text()) if counter.is_file() else 0\n"
        "counter.write_text('x' * (starts + 1))\n"
        f"starts < {failing_starts} and sys.exit(1)\n"
        "runpy.run_module('ipykernel_launcher', run_name='__main__')\n"
    )
    spec = {
        "argv": [sys.executable, "-c", program, "-f", "{connection_file}"],
        "display_name": "f",
        "language": "python",
    }
    kernel = folder / "jupyter" / "kernels" / "flaky" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    return counter


def outputs(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


def test_a_finished_notebook_has_its_parameters_and_its_stamp(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x * 2)")
    run = execute_notebook(source, tmp_path / "out" / "n.ipynb", {"x": 1e-4})
    assert outputs(run.output) == "0.0002\n"  # papermill's own command line would inject the text '1e-4'
    stamp = nbformat.read(run.output, as_version=4).cells[-1]
    assert stamp.metadata["tags"] == ["stamp"]
    assert f"{run.started:%Y-%m-%d}" in stamp.source
    assert outputs(source) == ""


def test_parameters_stand_in_the_stamp_as_text(tmp_path: Path) -> None:
    """Rendered as the pages are, by MyST: no tag, no role, no template and no emphasis of theirs works."""
    hostile = "`<script>hurt()</script>` {ref}`x` {{ x }} *a* </code><img src=x onerror=hurt()>"
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)")
    run = execute_notebook(source, tmp_path / "out.ipynb", {"x": hostile})
    stamp = nbformat.read(run.output, as_version=4).cells[-1].source
    rendered = create_md_parser(MdParserConfig(enable_extensions={"substitution", "dollarmath"}), RendererHTML).render(
        stamp
    )
    assert "<script" not in rendered
    assert "<img" not in rendered
    shown = re.findall("<code>(.*?)</code>", rendered, re.DOTALL)
    assert json.loads(html.unescape(shown[-1])) == {"x": hostile}


def test_a_figure_that_is_drawn_again_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    draw = "figures.new_figure()[1].plot([1, 2], label='l')"
    source = write_notebook(
        tmp_path / "in" / "n.ipynb", f"from reproduce_lib import figures\n_ = {draw}", f"_ = {draw}"
    )
    cells = nbformat.read(execute_notebook(source, tmp_path / "out" / "n.ipynb", {}).output, as_version=4).cells
    drawn = [output.data["image/svg+xml"] for cell in cells for output in cell.get("outputs", [])]
    assert drawn == [drawn[0]] * 2


def test_folders_that_are_named_relative_to_the_caller_are_the_same_in_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"REPRODUCE_{name}" for name in ("ROOT", "HOME", "CACHE", "DATA")]
    for name in names:
        monkeypatch.setenv(name, f"my/{name}")
    Path("my/REPRODUCE_ROOT").mkdir(parents=True)
    write_notebook(tmp_path / "in" / "n.ipynb", f"import os\nfor name in {names}: print(os.environ[name])")
    execute_notebook(Path("in/n.ipynb"), Path("out/n.ipynb"), {})
    assert outputs(tmp_path / "out" / "n.ipynb").split() == [f"{tmp_path}/my/{name}" for name in names]


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)")
    with pytest.raises(ParameterError, match=r"y.*x"):
        execute_notebook(source, tmp_path / "out.ipynb", {"y": 1})
    assert not (tmp_path / "out.ipynb").exists()


def test_a_notebook_is_never_executed_in_place(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)")
    before = source.read_bytes()
    for output in (source, source.with_name("other.ipynb")):
        with pytest.raises(ParameterError):
            execute_notebook(source, output, {})
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('the reason')", "ValueError: the reason"),
        ("import os; os._exit(9)", "kernel died"),
    ],
)
def test_a_failed_run_is_reported_and_leaves_the_old_page(tmp_path: Path, code: str, said: str) -> None:
    output = tmp_path / "out" / "n.ipynb"
    execute_notebook(write_notebook(tmp_path / "in" / "n.ipynb", "print('old')"), output, {})
    old = output.read_bytes()
    with pytest.raises(RunError, match=said):
        execute_notebook(write_notebook(tmp_path / "in" / "n.ipynb", code), output, {})
    assert output.read_bytes() == old


@pytest.mark.parametrize("parameters", [{}, {"x": 2}])
def test_a_failure_names_the_cell_of_the_source_and_the_exception(tmp_path: Path, parameters: dict[str, int]) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", "raise KeyError('the\\nreason')", "print('never')")
    with pytest.raises(NotebookError) as failed:
        execute_notebook(source, tmp_path / "out.ipynb", parameters)
    failure = failed.value.failure
    assert (failure.kind, failure.cell, failure.ename) == ("raised", 2, "KeyError")
    assert "reason" in failure.evalue
    assert failure.line == "failed in cell 2: KeyError: 'the\\nreason'"
    assert failed.value.partial is not None
    assert outputs(failed.value.partial) == f"{parameters.get('x', 1)}\n"


def test_a_dead_kernel_is_reported_with_the_cell_that_killed_it(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", "import os; os._exit(9)")
    with pytest.raises(NotebookError) as failed:
        execute_notebook(source, tmp_path / "out.ipynb", {})
    assert (failed.value.failure.kind, failed.value.failure.cell) == ("kernel died", 2)


def test_outputs_of_one_name_in_two_folders_fail_into_files_of_their_own(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "raise ValueError")
    partials = set()
    for folder in ("a", "{x}"):  # papermill would fill the braces in
        with pytest.raises(NotebookError) as failed:
            execute_notebook(source, tmp_path / folder / "n.ipynb", {})
        partials.add(failed.value.partial)
    assert len(partials) == 2
    assert all(partial.is_file() for partial in partials)


def test_the_limit_ends_the_notebook_even_before_its_first_cell(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)")
    with pytest.raises(NotebookError, match=r"limit of 0\.3 s") as failed:
        execute_notebook(source, tmp_path / "out.ipynb", {}, limit_seconds=0.3)
    assert (failed.value.failure.kind, failed.value.failure.cell) == ("limit", None)


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan"), -float("inf")])
def test_what_is_no_limit_is_refused_before_anything_runs(tmp_path: Path, seconds: float) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)")
    with pytest.raises(ParameterError, match="limit"):
        execute_notebook(source, tmp_path / "out.ipynb", {}, limit_seconds=seconds)


def test_an_earlier_runs_notebook_is_not_named_as_how_far_this_one_came(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", "raise ValueError('the reason')")
    with pytest.raises(NotebookError, match="as far as it came") as earlier:
        execute_notebook(source, tmp_path / "out.ipynb", {})
    assert earlier.value.partial is not None
    with pytest.raises(NotebookError) as stopped:
        execute_notebook(source, tmp_path / "out.ipynb", {}, limit_seconds=0.01)
    assert stopped.value.failure.kind == "limit"
    assert stopped.value.partial is None
    assert "as far as it came" not in str(stopped.value)
    assert not earlier.value.partial.exists()


@pytest.mark.slow
def test_the_limit_is_for_the_whole_notebook_and_ends_its_kernel(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", marking(tmp_path / "kernel"))
    kernels: list[psutil.Process] = []

    def find(beat: Beat) -> None:
        if beat.cell == 2 and not kernels:
            kernels.append(process_of(tmp_path / "kernel"))

    with pytest.raises(NotebookError, match="limit of 15 s") as failed:
        execute_notebook(source, tmp_path / "out.ipynb", {}, limit_seconds=15, on_beat=find)
    assert (failed.value.failure.kind, failed.value.failure.cell) == ("limit", 2)
    assert is_gone(kernels[0])


@pytest.mark.slow
def test_a_busy_cell_that_holds_the_lock_of_its_kernel_goes_on_beating(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "import ctypes; ctypes.PyDLL(None).sleep(7)", "print('done')")
    beats: list[Beat] = []
    run = execute_notebook(source, tmp_path / "out.ipynb", {}, silence_seconds=4, on_beat=beats.append)
    assert outputs(run.output) == "done\n"
    assert sum(beat.cell == 1 for beat in beats) >= 5
    assert {beat.cells for beat in beats[-3:]} == {3}
    cells = [beat.cell for beat in beats if beat.cell is not None]
    assert cells == sorted(cells)
    assert [beat.seconds for beat in beats] == sorted(beat.seconds for beat in beats)


def test_silence_is_reported_as_such_and_leaves_no_process(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", marking(tmp_path / "kernel"))
    errors: list[NotebookError] = []

    def execute() -> None:
        with pytest.raises(NotebookError) as failed:
            execute_notebook(source, tmp_path / "out.ipynb", {}, silence_seconds=6, limit_seconds=60)
        errors.append(failed.value)

    watching = threading.Thread(target=execute)
    watching.start()
    kernel = process_of(tmp_path / "kernel")
    papermill = kernel.parent()
    assert papermill is not None
    os.kill(papermill.pid, signal.SIGSTOP)
    watching.join()
    (error,) = errors
    assert (error.failure.kind, error.failure.cell) == ("silence", 1)
    assert "no sign of life for 6 s, last in cell 1" in str(error)
    assert is_gone(papermill)
    assert is_gone(kernel)


def test_a_killed_process_is_reported_and_its_kernel_goes_with_it(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", marking(tmp_path / "kernel"))
    kernels: list[psutil.Process] = []

    def kill(beat: Beat) -> None:
        if beat.cell == 1 and not kernels:
            kernels.append(process_of(tmp_path / "kernel"))
            papermill = kernels[0].parent()
            assert papermill is not None
            papermill.kill()

    with pytest.raises(NotebookError, match="process died") as failed:
        execute_notebook(source, tmp_path / "out.ipynb", {}, on_beat=kill, limit_seconds=60)
    assert (failed.value.failure.kind, failed.value.failure.cell) == ("process died", 1)
    assert is_gone(kernels[0])


def test_a_notebook_can_be_stopped(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", marking(tmp_path / "kernel"))
    stop = threading.Event()

    def at_cell(beat: Beat) -> None:
        if beat.cell == 1:
            stop.set()

    with pytest.raises(NotebookError) as failed:
        execute_notebook(source, tmp_path / "out.ipynb", {}, stop=stop, on_beat=at_cell, limit_seconds=60)
    assert (failed.value.failure.kind, failed.value.failure.cell) == ("stopped", 1)


@pytest.mark.slow
@pytest.mark.parametrize(("failing_starts", "starts"), [(1, 2), (9, 2)])
def test_a_failed_kernel_start_is_tried_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing_starts: int, starts: int
) -> None:
    counter = install_kernel(tmp_path, monkeypatch, failing_starts=failing_starts)
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", kernel="flaky")
    if failing_starts == 1:
        assert outputs(execute_notebook(source, tmp_path / "out.ipynb", {}).output) == "1\n"
    else:
        with pytest.raises(NotebookError) as failed:
            execute_notebook(source, tmp_path / "out.ipynb", {})
        assert (failed.value.failure.kind, failed.value.failure.cell) == ("kernel did not start", None)
    assert len(counter.read_text()) == starts


def test_a_failed_run_is_never_repeated(tmp_path: Path) -> None:
    mark = tmp_path / "runs"
    code = f"open({str(mark)!r}, 'a').write('x')\nraise RuntimeError('Kernel died before replying to kernel_info')"
    with pytest.raises(NotebookError):
        execute_notebook(write_notebook(tmp_path / "in" / "n.ipynb", code), tmp_path / "out.ipynb", {})
    assert mark.read_text() == "x"


def test_a_missing_kernel_is_named(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", kernel="no-such-kernel")
    with pytest.raises(RunError, match="no-such-kernel"):
        execute_notebook(source, tmp_path / "out.ipynb", {})


SMOKE = {
    "naufal2023": ["-p", "ticker", "GOOG", "-p", "window", "30", "-p", "data", "simulated"],
    "asma2024": ["-p", "source", "simulated"],
    "li2021": ["-p", "source", "simulated", "-p", "length", "7", "-p", "region", "sichuan", "-p", "model", "dlep"],
    "zhang2023": ["-p", "source", "simulated", "-p", "weeks", "8"],
    "adamopoulou2023": [
        "-p",
        "source",
        "simulated",
        "-p",
        "folds",
        "2",
        "-p",
        "windows",
        "20",
        "-p",
        "augmentation",
        "full_shift",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("paper", SMOKE)
def test_plain_papermill_smokes_within_its_limit(tmp_path: Path, paper: str) -> None:
    root = SOURCE.parents[1]
    environment = {**os.environ, "REPRODUCE_ROOT": str(root), "REPRODUCE_HOME": str(tmp_path / "home")}
    source = SOURCE.with_stem(paper)
    command = [sys.executable, "-m", "papermill", str(source), str(tmp_path / "o.ipynb"), "-p", "profile", "smoke"]
    command += ["-p", "execute", "fresh", *SMOKE[paper]]
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment, cwd=root, capture_output=True)
    assert time.perf_counter() - started < 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("paper", "wrong", "named"),
    [
        ("naufal2023", ["-p", "window", "7"], "'all', 1, 30"),
        ("naufal2023", ["-p", "ticker", "XYZ"], "'GOOG'"),
        ("naufal2023", ["-p", "tiker", "GOOG"], "'tiker'"),
        ("asma2024", ["-p", "source", "usgs"], "'comcat_m5'"),
        ("asma2024", ["-p", "model", "transformer"], "'cnn_lstm'"),
        ("li2021", ["-p", "region", "california"], "'los_angeles'"),
        ("zhang2023", ["-p", "split", "stations"], "time, rows, areas"),
        ("adamopoulou2023", ["-p", "augmentation", "rotation"], "'channel_dropout'"),
        ("adamopoulou2023", ["-p", "experiment", "picking"], "'seisbench'"),
    ],
)
def test_plain_papermill_stops_at_a_wrong_parameter(tmp_path: Path, paper: str, wrong: list[str], named: str) -> None:
    root = SOURCE.parents[1]
    source = SOURCE.with_stem(paper)
    command = [sys.executable, "-m", "papermill", str(source), str(tmp_path / "o.ipynb"), *wrong]
    done = subprocess.run(
        command, check=False, env={**os.environ, "REPRODUCE_ROOT": str(root)}, cwd=root, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "ParameterError" in done.stderr
    assert named in done.stderr
