"""A paper whose units cost nothing, records written by hand, and units executed in the calling process."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal
from unittest import mock

import nbformat
import numpy as np
import psutil
import pytest

from reproduce_lib.claims import ValueClaim
from reproduce_lib.collection import load_paper
from reproduce_lib.execution import environment, worker
from reproduce_lib.execution.closure import code_digests
from reproduce_lib.execution.pool import Due
from reproduce_lib.execution.worker import Failed, Finished
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.records import Context, Record
from reproduce_lib.rows import Row
from reproduce_lib.store import Store
from reproduce_lib.units import Experiment, Paper, UnitParameters, UnitResult
from reproduce_lib.verdicts import Verdict

PROJECT = Path(__file__).resolve().parents[1]
SEEDS = 6
MODULE = "reproduce_lib.metrics"
HERE = ("this processor", {"python": "3.11", "numpy": "2"})
# What the toy units measure: a test may move it, as a change of code would.
SHIFT: dict[str, float] = {"value": 0.0}


def load_keras() -> None:
    """Load Keras on JAX, unless another test has loaded it already: what is tested with it holds on both."""
    if "keras" not in sys.modules:
        with mock.patch.dict(os.environ):
            environment.select_backend("jax")
            importlib.import_module("keras")


def without_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python find no JAX, as after a plain installation of the package."""
    find, version_of = importlib.util.find_spec, importlib.metadata.version

    def version(name: str) -> str:
        if name.startswith("jax"):
            raise importlib.metadata.PackageNotFoundError(name)
        return version_of(name)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else find(name))
    monkeypatch.setattr(importlib.metadata, "version", version)


class NoisyParameters(UnitParameters):
    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "noisy"

    model: Literal["a", "b", "c"] = "a"
    share: Literal["x", "y"] = "x"
    rate: float = 0.1


class PlainParameters(UnitParameters):
    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "plain"

    share: Literal["x", "y"] = "x"


def noisy_mae(unit: NoisyParameters) -> float:
    """Return what a noisy unit measures: told by its parameters and spread by its seed."""
    return {"a": 1.0, "b": 2.0, "c": 3.0}[unit.model] + {"x": 0.0, "y": 10.0}[unit.share] + 0.01 * unit.seed


def _run_noisy(unit: NoisyParameters) -> UnitResult:
    mae = noisy_mae(unit) + SHIFT["value"]
    return UnitResult({"mae": mae, "rmse": 2 * mae, "order": "first"}, 5)


def _run_plain(unit: PlainParameters) -> UnitResult:
    return UnitResult({"mae": 4.0 + SHIFT["value"], "value": 7.0, "name": "GOOG"}, 5)


# Records depend on the module of what runs a unit, which has to be one of the package.
_run_noisy.__module__ = _run_plain.__module__ = MODULE


def toy_paper(seeds: int = SEEDS) -> Paper:
    """Return a paper of one noisy experiment (3 models, 2 shares) and one without randomness."""

    def noisy() -> Iterator[NoisyParameters]:
        for seed in range(seeds):
            for model in ("a", "b", "c"):
                for share in ("x", "y"):
                    yield NoisyParameters.of(model=model, share=share, seed=seed)

    def naive(unit: UnitParameters) -> PlainParameters | None:
        return PlainParameters.of(share=unit.share) if isinstance(unit, NoisyParameters) else None

    experiments = (
        Experiment(PlainParameters, _run_plain, lambda: [PlainParameters(share=s) for s in "xy"], lambda: (), True),
        Experiment(NoisyParameters, _run_noisy, noisy, lambda: ()),
    )
    return Paper("toy", {one.name: one for one in experiments}, naive, NoisyParameters.experiment)


def new_store(folder: Path) -> Store:
    return Store(folder / "records", folder / "artifacts")


def put(
    store: Store,
    unit: UnitParameters,
    metrics: dict[str, float | str],
    *,
    arrays: dict[str, np.ndarray[Any, Any]] | None = None,
    data: dict[str, str] | None = None,
    code: dict[str, str] | None = None,
    environment: tuple[str, dict[str, str]] = HERE,
    seconds: float = 1.0,
) -> Record:
    """Write a record by hand; without ``code`` it is fresh."""
    processor, versions = environment
    context = Context.of(versions, processor, 1, data or {}, code_digests(_module_of(unit)) if code is None else code)
    record = Record(
        key=unit.key,
        parameters=unit.model_dump(mode="json"),
        metrics=metrics,
        n=5,
        seconds=seconds,
        time="2026-01-01T00:00:00Z",
        context=context.id,
    )
    store.write(unit.paper, unit.experiment, context, record, arrays or {})
    return store.file(unit.paper, unit.experiment).read().records[unit.key]


def _module_of(unit: UnitParameters) -> str:
    return MODULE if unit.paper == "toy" else load_paper(unit.paper).experiment(unit.experiment).module


def execute_here(due: Iterable[Due], *places: Any, **options: Any) -> Iterator[Finished | Failed]:
    """Stand in for `pool.execute_units`: the same worker function, in this process."""
    for one in due:
        unit = one.unit
        with mock.patch.dict(os.environ):
            yield worker.execute(unit.paper, unit.experiment, unit.model_dump())


def smoke_baseline(method: str = "naive", **values: Any) -> BaselineParameters:
    """Return a real unit that costs nothing."""
    return BaselineParameters.of(profile="smoke", data="simulated", method=method, **values)


def smoke_network(model: str = "lstm", **values: Any) -> NetworkParameters:
    """Return a real network of one epoch on windows of one day."""
    return NetworkParameters.of(profile="smoke", data="simulated", model=model, window=1, epochs=1, **values)


def old_code() -> dict[str, str]:
    """Return today's code digests with one of them changed."""
    return {**code_digests(MODULE), f"{MODULE}.skill": "0" * 16}


def descendants(pid: int | None = None) -> dict[psutil.Process, str]:
    """Return the command of each process below one, or below this one; those that end while they are asked are gone."""
    found = {}
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found[process] = " ".join(process.cmdline())
    return found


def copy_of_the_project(folder: Path) -> Path:
    """Return a root that has the claims, the references and no record."""
    shutil.copytree(PROJECT / "book" / "claims", folder / "book" / "claims")
    shutil.copy(PROJECT / "book" / "references.bib", folder / "book")
    return folder


def result_lines(path: Path) -> list[str]:
    """Return the unit lines of a records file without what may differ between two runs of the same units."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if '"kind":"unit"' in line]
    return [re.sub(r'"seconds":[\d.e-]+,"time":"[^"]*",', "", line) for line in lines]


def value_row(verdict: Verdict = Verdict.REPRODUCED, printed: str = "1.00", **more: Any) -> Row:
    """Return a row of a table, without any unit behind it."""
    texts = {name: more.pop(name) for name in set(more) & set(ValueClaim.model_fields)}
    fields = {"id": "toy.t1.a", "source": "T1", "statement": "a", "value": printed, "metric": "mae", "unit": "USD"}
    fields |= {"better": "lower", "experiment": "noisy", "kind": "value"}
    return Row(ValueClaim.model_validate({**fields, "conditions": {}, **texts}), verdict, **more)


def write_notebook(path: Path, *code: str, kernel: str = "python3") -> Path:
    """Write a notebook whose one parameter is ``x``."""
    cells = [nbformat.v4.new_code_cell(source) for source in ("x = 1", *code)]
    cells[0].metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path
