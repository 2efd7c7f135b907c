"""Executing notebooks: what is refused, how each way of ending is reported, what is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from reproduce_lib.errors import ParameterError, RunError
from reproduce_lib.runner import execute_notebook

SOURCE = Path(__file__).resolve().parents[2] / "notebooks" / "naufal2023.ipynb"


@pytest.fixture(autouse=True)
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))


def write_notebook(path: Path, code: str, kernel: str = "python3") -> Path:
    cells = [nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(code)]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


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


def test_the_limit_is_for_the_whole_notebook_and_ends_its_kernel(tmp_path: Path) -> None:
    mark = tmp_path / "kernel"
    code = f"import os, time, pathlib\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    source = write_notebook(tmp_path / "in" / "n.ipynb", code)
    with pytest.raises(RunError, match="limit"):
        execute_notebook(source, tmp_path / "out.ipynb", {}, limit_seconds=15)
    kernel = int(mark.read_text())
    assert not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE


def test_a_missing_kernel_is_named(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "in" / "n.ipynb", "print(x)", kernel="no-such-kernel")
    with pytest.raises(RunError, match="no-such-kernel"):
        execute_notebook(source, tmp_path / "out.ipynb", {})


@pytest.mark.slow
def test_plain_papermill_smokes_within_its_limit(tmp_path: Path) -> None:
    import time

    root = SOURCE.parents[1]
    environment = {**os.environ, "REPRODUCE_ROOT": str(root)}
    command = [sys.executable, "-m", "papermill", str(SOURCE), str(tmp_path / "o.ipynb"), "-p", "profile", "smoke"]
    command += ["-p", "ticker", "GOOG", "-p", "window", "30", "-p", "execute", "fresh", "-p", "data", "simulated"]
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment, cwd=root, capture_output=True)
    assert time.perf_counter() - started < 40


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["-p", "window", "7"], "'all', 1, 30"),
        (["-p", "ticker", "XYZ"], "'GOOG'"),
        (["-p", "tiker", "GOOG"], "'tiker'"),
    ],
)
def test_plain_papermill_stops_at_a_wrong_parameter(tmp_path: Path, wrong: list[str], named: str) -> None:
    root = SOURCE.parents[1]
    command = [sys.executable, "-m", "papermill", str(SOURCE), str(tmp_path / "o.ipynb"), *wrong]
    done = subprocess.run(
        command, check=False, env={**os.environ, "REPRODUCE_ROOT": str(root)}, cwd=root, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "ParameterError" in done.stderr
    assert named in done.stderr
