from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reproduce_lib.data.registry import data_files
from reproduce_lib.execution.closure import code_digests
from reproduce_lib.execution.study import recorded_set, unit_statuses
from reproduce_lib.papers.naufal2023 import baselines
from reproduce_lib.records import Context
from reproduce_lib.store import Store
from reproduce_lib.units import Experiment, Paper, UnitParameters, UnitResult
from tests.support import NoisyParameters, PlainParameters, new_store, put, smoke_baseline

MODULE = baselines.__name__


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def records_path(store: Store, unit: UnitParameters) -> Path:
    return store.file(unit.paper, unit.experiment).path


def test_unit_is_fresh_with_the_code_and_data_of_today_and_missing_without_a_record(store: Store) -> None:
    known = next(iter(data_files().values()))
    put(store, smoke_baseline(), {"mae": 1.0}, data={known.name: known.sha256})
    states = {one.unit.method: one for one in unit_statuses([smoke_baseline(), smoke_baseline("drift")], store)}
    assert (states["naive"].state, states["naive"].because) == ("fresh", ())
    assert (states["drift"].state, states["drift"].record) == ("missing", None)


def test_recorded_set_holds_each_unit_and_what_it_is_held_against_once() -> None:
    def run(unit: UnitParameters) -> UnitResult:
        raise AssertionError("nothing is run")

    def naive(unit: UnitParameters) -> PlainParameters | None:
        return PlainParameters.of(share=unit.share) if isinstance(unit, NoisyParameters) else None

    units = [NoisyParameters.of(share=share, seed=seed) for seed in (0, 1) for share in ("x", "y")]
    own = PlainParameters.of(share="x")
    noisy = Experiment(NoisyParameters, run, lambda: units, lambda: ())
    plain = Experiment(PlainParameters, run, lambda: [own], lambda: ())
    toy = Paper("toy", {one.name: one for one in (noisy, plain)}, naive, "noisy")
    assert recorded_set(toy) == [*units, own, PlainParameters.of(share="y")]


def test_changed_added_and_removed_symbols_stale_a_record_and_are_named(store: Store) -> None:
    put(store, smoke_baseline(), {"mae": 1.0})
    path = records_path(store, smoke_baseline())
    context, unit = path.read_text(encoding="utf-8").splitlines()
    changed = json.loads(context)
    changed["code"]["reproduce_lib.metrics.skill"] = "f" * 16
    del changed["code"]["reproduce_lib.windows.sliding_windows"]
    changed["code"]["reproduce_lib.metrics.gone"] = "f" * 16
    old, fields = changed["id"], ("versions", "processor", "threads", "data", "code")
    edited = Context.of(**{name: changed[name] for name in fields})
    path.write_text(f"{edited.text()}\n{unit.replace(old, edited.id)}\n", encoding="utf-8")
    (status,) = unit_statuses([smoke_baseline()], store)
    assert status.state == "stale"
    assert set(status.because) == {
        "reproduce_lib.metrics.skill", "reproduce_lib.metrics.gone", "reproduce_lib.windows.sliding_windows"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["prices/TSLA_2013_2023.csv", "prices/no_longer_known.csv"])
def test_changed_or_unknown_data_stale_a_record_and_are_named(store: Store, name: str) -> None:
    put(store, smoke_baseline(), {"mae": 1.0}, data={name: "0" * 64})
    (status,) = unit_statuses([smoke_baseline()], store)
    assert status.state == "stale"
    assert len(status.because) == 1
    assert name in status.because[0]


@pytest.mark.parametrize("change", ["altered", "gone"])
def test_arrays_that_are_not_what_the_unit_wrote_stale_a_record_which_cannot_be_adopted(
    store: Store, change: str
) -> None:
    for unit in (smoke_baseline(), smoke_baseline("drift")):
        put(store, unit, {"mae": 1.0}, arrays={"error": np.zeros(3)})
    path = store.artifacts / "naufal2023" / f"{smoke_baseline().key}.npz"
    if change == "altered":
        path.write_bytes(path.read_bytes() + b"junk")
    else:
        path.unlink()
    spoiled, whole = unit_statuses([smoke_baseline(), smoke_baseline("drift")], store)
    assert (spoiled.state, spoiled.has_arrays, spoiled.stale_by_code_alone) == ("stale", False, False)
    assert [word for word in spoiled.because if "arrays" in word]
    assert (whole.state, whole.has_arrays) == ("fresh", True)


def test_record_without_arrays_is_fresh_and_has_none(store: Store) -> None:
    put(store, smoke_baseline(), {"mae": 1.0})
    (status,) = unit_statuses([smoke_baseline()], store)
    assert (status.state, status.has_arrays) == ("fresh", False)


def test_code_outside_the_paper_stales_nothing() -> None:
    modules = {name.rpartition(".")[0] for name in code_digests(MODULE)}
    assert "reproduce_lib.windows" in modules
    above = tuple(f"reproduce_lib.{name}" for name in ("execution", "compare", "tables", "cli"))
    assert not [name for name in modules if name.startswith(above)]
