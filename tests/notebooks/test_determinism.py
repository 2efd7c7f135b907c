"""A unit gives the same numbers from a notebook and from the command line, in any order, however many run beside it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import PROJECT

pytestmark = pytest.mark.slow

CHOSEN = {"window": 1, "data": "simulated", "epochs": 1, "profile": "smoke"}
NOTEBOOK = {"profile": "smoke", "data": "simulated", "execute": "fresh", "window": 1, "jobs": 2}
# The recorded units of the main experiment, shuffled, so that neighbours, workers and order are others.
SHUFFLED = """
import json, random, sys
from pathlib import Path
from reproduce_lib.execution.engine import run_plan
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.execution.plan import Plan
from reproduce_lib.execution.pool import Due, Workers
from reproduce_lib.store import Store

asked, seed, jobs, folder = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
due = [Due(NetworkParameters.of(**one)) for one in asked]
random.Random(seed).shuffle(due)
store = Store(folder / "records", folder / "artifacts")
assert not run_plan(Plan(store, (), tuple(due)), Workers(jobs)).failed
"""


def run(command: list[str], home: Path, **more: str) -> None:
    environment = {**os.environ, "REPRODUCE_HOME": str(home), **more}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def metrics(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "records" / "naufal2023" / "networks.jsonl"
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["key"]: line["metrics"] for line in lines if line["kind"] == "unit"}


def test_notebook_and_command_line_measure_the_same(tmp_path: Path) -> None:
    given = [word for name, value in NOTEBOOK.items() for word in ("-p", f"{name}={value}")]
    reproduce = [sys.executable, "-m", "reproduce_lib"]
    run([*reproduce, "notebook", "naufal2023", "-o", str(tmp_path / "page.ipynb"), *given], tmp_path / "notebook")
    grid = [word for name in ("window=1", "data=simulated", "epochs=1", "model=all") for word in ("--grid", name)]
    run([*reproduce, "sweep", "naufal2023", "--profile", "smoke", *grid], tmp_path / "sweep")
    from_notebook = metrics(tmp_path / "notebook")
    assert len(from_notebook) == 3
    assert metrics(tmp_path / "sweep") == from_notebook


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_order_and_jobs_change_no_bit_of_any_metric(tmp_path: Path, backend: str) -> None:
    models = ("lstm", "lstm_gru", "cnn_lstm_gru")
    asked = [{**CHOSEN, "model": model, "backend": backend, "seed": seed} for model in models for seed in range(2)]
    random.Random(0).shuffle(asked)
    for name, seed, jobs in (("one", 1, 1), ("two", 2, 2)):
        run([sys.executable, "-c", SHUFFLED, json.dumps(asked), str(seed), str(jobs), str(tmp_path / name)], tmp_path)
    assert len(metrics(tmp_path / "one")) == len(asked)
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")


def test_kept_programs_change_no_bit_of_any_metric(tmp_path: Path) -> None:
    asked = json.dumps([{**CHOSEN, "model": model, "seed": 0} for model in ("lstm", "cnn_lstm_gru")])
    cache = str(tmp_path / "cache")
    for name, kept in (("none", "false"), ("written", "true"), ("read", "true")):
        more = {"REPRODUCE_CACHE": cache, "JAX_ENABLE_COMPILATION_CACHE": kept}
        run([sys.executable, "-c", SHUFFLED, asked, "0", "1", str(tmp_path / name)], tmp_path, **more)
        assert any((tmp_path / "cache").rglob("*-cache")) == (kept == "true")
    assert len(metrics(tmp_path / "none")) == 2
    assert metrics(tmp_path / "none") == metrics(tmp_path / "written") == metrics(tmp_path / "read")
