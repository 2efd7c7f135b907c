"""What has left the recorded set goes when it is told to go, and nothing that a page reads goes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.execution.pruning import Pruned, prune
from reproduce_lib.execution.study import store_for
from reproduce_lib.records import Record
from reproduce_lib.store import Store
from tests.support import NoisyParameters, PlainParameters, new_store, put, toy_paper

LEFT = NoisyParameters.of(rate=0.9)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Record all of the toy, one unit twice, one that is not in its set, and an experiment that it does not have."""
    store = new_store(tmp_path)
    put(store, PlainParameters.of(share="x"), {"mae": 9.0})
    for unit in (*toy_paper().full_units(), LEFT):
        put(store, unit, {"mae": 1.0}, arrays={"curve": np.arange(3.0)} if isinstance(unit, NoisyParameters) else None)
    (store.records / "toy" / "noisy.jsonl").with_stem("gone").write_bytes(store.file("toy", "noisy").path.read_bytes())
    return store


def recorded(store: Store) -> dict[str, Record]:
    """Return the records that pages read, those of the recorded set, with the arrays that they speak of."""
    units = toy_paper().full_units()
    found = {unit.key: store.file("toy", unit.experiment).read().records[unit.key] for unit in units}
    assert all(store.has_arrays("toy", one) for one in found.values() if one.artifact)
    return found


def test_what_the_recorded_set_does_not_name_goes_and_all_else_is_read_as_before(store: Store) -> None:
    paper = toy_paper()
    before = recorded(store)
    expected = Pruned({"gone": len(toy_paper().full_units()) - 2 + 1, "noisy": 1, "plain": 1}, 1)
    assert prune(paper, store, dry_run=True) == expected
    assert prune(paper, store) == expected
    assert recorded(store) == recorded(new_store(store.records.parent)) == before
    assert store.experiments("toy") == ["noisy", "plain"]
    assert LEFT.key not in store.file("toy", "noisy").read().records
    assert prune(paper, store) == Pruned({"noisy": 0, "plain": 0}, 0)


def test_naive_units_outside_the_set_are_kept(store: Store) -> None:
    paper = toy_paper()
    noisy_alone = {"noisy": paper.experiments["noisy"]}
    put(store, PlainParameters.of(share="y"), {"mae": 4.0})
    prune(type(paper)("toy", noisy_alone, paper.naive, paper.main), store)
    assert {one.parameters["share"] for one in store.file("toy", "plain").read().records.values()} == {"x", "y"}


@pytest.mark.parametrize("paper", rebuilt())
def test_the_collection_keeps_no_record_that_its_pages_cannot_show(paper: str) -> None:
    left = prune(load_paper(paper), store_for("full"), dry_run=True)
    assert (sum(left.records.values()), left.arrays) == (0, 0), f"reproduce prune {paper} removes them"
