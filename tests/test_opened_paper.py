"""What a notebook finds when it opens its paper: what was run, what is compared, and what is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reproduce_lib import opened_paper
from reproduce_lib.claims import PaperClaims
from reproduce_lib.errors import RunError
from reproduce_lib.execution import study
from reproduce_lib.execution.engine import Summary
from reproduce_lib.execution.worker import Failed
from reproduce_lib.opened_paper import OpenedPaper, open_paper
from reproduce_lib.page_parameters import Page
from reproduce_lib.record_files import DamagedLine
from reproduce_lib.store import Store
from reproduce_lib.units import Paper, UnitParameters
from tests import support
from tests.support import NoisyParameters, PlainParameters, new_store, noisy_mae, put


def claim(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "id": f"toy.{name}", "source": "T1", "statement": name, **more}


def value(name: str, **conditions: str) -> dict[str, Any]:
    plain = {"value": "1.00", "metric": "mae", "unit": "USD", "better": "lower", "experiment": "noisy"}
    return claim("value", name, **plain, conditions=conditions)


SEVEN = {"kind": "measured", "experiment": "plain", "conditions": {"share": "x"}, "metric": "value"}
CLAIMS = PaperClaims.model_validate({
    "schema": 1, "paper": "toy", "title": "t", "citation": "c", "in_a_sentence": "s", "runs": "paired",
    "claims": [
        value("x", share="x"),
        value("y", share="y"),
        claim("order", "order", least="toy.x", among=["toy.y"]),
        claim("fact", "fact", printed="7", against=SEVEN),
    ],
})  # fmt: skip


class Opening:
    """A toy paper whose units are computed by a function that notes which ones it was asked for."""

    def __init__(self, store: Store, paper: Paper) -> None:
        self.store, self.paper = store, paper
        self.asked: list[UnitParameters] = []
        self.options: dict[str, Any] = {}
        self.summary = Summary()

    def run_units(self, units: Iterable[UnitParameters], store: Store, **options: Any) -> Summary:
        assert store is self.store
        self.asked, self.options = list(units), options
        return self.summary

    def __call__(self, *, own: list[UnitParameters] | None = None, **parameters: Any) -> OpenedPaper:
        return open_paper(Page(NoisyParameters, ["share"], {"seeds": support.SEEDS, **parameters}), self.paper, own)


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Opening:
    made = Opening(new_store(tmp_path), support.toy_paper())
    monkeypatch.setattr(study, "load_paper", lambda key: made.paper)
    monkeypatch.setattr(study, "store_for", lambda profile: made.store)
    monkeypatch.setattr(opened_paper, "load_claims", lambda key: CLAIMS)
    monkeypatch.setattr(opened_paper, "run_units", made.run_units)
    return made


def record(store: Store) -> None:
    """Record two runs of the reference model on each share, one of them with arrays."""
    for share in ("x", "y"):
        for seed in (0, 1):
            unit = NoisyParameters.of(share=share, seed=seed)
            put(store, unit, {"mae": noisy_mae(unit)}, arrays={"error": np.arange(3.0)} if seed == 0 else None)


def test_the_recorded_set_and_what_the_page_selects_are_run_each_once(opening: Opening) -> None:
    opened = opening(execute="missing", jobs=2)
    assert len(opening.asked) == len({unit.key for unit in opening.asked})
    assert {unit.key for unit in opening.asked} == {unit.key for unit in opening.paper.full_units()}
    assert opening.options == {"how": "missing", "jobs": 2}
    assert list(opened.own) == [
        NoisyParameters.of(share=share, seed=seed) for seed in range(support.SEEDS) for share in ("x", "y")
    ]


def test_claims_stand_by_kind_beside_what_is_recorded(opening: Opening) -> None:
    record(opening.store)
    opened = opening()
    assert opened.compared
    assert [row.claim.id for row in opened.rows] == ["toy.x", "toy.y", "toy.order", "toy.fact"]
    assert [[row.claim.id for row in kind] for kind in (opened.values, opened.orders, opened.facts)] == [
        ["toy.x", "toy.y"],
        ["toy.order"],
        ["toy.fact"],
    ]
    assert [row.measured for row in opened.values] == [(1.0, 1.01), (11.0, 11.01)]
    assert len(opened.recorded) == len(opening.paper.full_units())
    assert "recorded" in opened.elsewhere


def test_a_page_of_one_share_shows_the_claims_and_units_of_that_share(opening: Opening) -> None:
    opened = opening(share="y")
    assert [row.claim.id for row in opened.rows] == ["toy.y"]
    assert {unit.share for unit in opening.asked if isinstance(unit, NoisyParameters)} == {"y"}
    assert {status.unit.share for status in opened.selected if isinstance(status.unit, NoisyParameters)} == {"y"}


def test_a_parameter_that_a_unit_lacks_excludes_nothing() -> None:
    assert Page(NoisyParameters, ["model"], {"model": "b"}).selects(PlainParameters.of(share="x"))
    assert not Page(NoisyParameters, ["model"], {"model": "b"}).selects(NoisyParameters.of(model="c"))


def test_what_a_unit_measured_and_kept_is_found_or_nothing_is(opening: Opening) -> None:
    record(opening.store)
    opened = opening()
    first, second, missing = (NoisyParameters.of(share="y", seed=seed) for seed in range(3))
    found, lost = opened.record(first), opened.record(missing)
    assert found is not None
    assert (found.metrics, lost) == ({"mae": 11.0}, None)
    assert (opened.metrics(second), opened.metrics(missing)) == ({"mae": 11.01}, {})
    assert opened.scores([missing, first, second], "mae") == [11.0, 11.01]
    assert opened.scores([first], "rmse") == []
    assert opened.arrays(second) is opened.arrays(missing) is None
    assert [list(one["error"]) for one in opened.kept([first, second, missing])] == [[0.0, 1.0, 2.0]]


def test_arrays_that_are_gone_are_nothing_and_their_scores_remain(opening: Opening) -> None:
    record(opening.store)
    unit = NoisyParameters.of(share="x", seed=0)
    (opening.store.artifacts / "toy" / f"{unit.key}.npz").unlink()
    opened = opening()
    assert opened.arrays(unit) is None
    assert opened.metrics(unit) == {"mae": 1.0}


def test_under_other_conditions_nothing_is_compared_and_no_recorded_set_is_run(opening: Opening) -> None:
    opened = opening(profile="custom", rate=0.2, share="x", seeds=2)
    own = [NoisyParameters.of(profile="custom", rate=0.2, share="x", seed=seed) for seed in range(2)]
    assert list(opened.own) == own
    assert {unit.key for unit in opening.asked} == {unit.key for unit in (*own, PlainParameters.of(share="x"))}
    assert (opened.compared, opened.rows, opened.recorded) == (False, (), [])
    assert [status.unit for status in opened.selected] == own
    assert "not the reference conditions" in opened.elsewhere


def test_more_runs_than_are_recorded_are_found_as_well_and_belong_to_no_claim(opening: Opening) -> None:
    record(opening.store)
    more = NoisyParameters.of(share="y", seed=support.SEEDS)
    put(opening.store, more, {"mae": 3.0}, arrays={"error": np.arange(2.0)})
    opened = opening(seed=support.SEEDS)
    assert opened.compared
    assert more in opened.own
    assert opened.scores([more], "mae") == [3.0]
    assert opened.arrays(more) is not None
    assert more not in [status.unit for status in opened.recorded]
    assert 3.0 not in opened.values[1].measured


def test_a_page_may_take_other_units_as_its_own(opening: Opening) -> None:
    chosen: list[UnitParameters] = [NoisyParameters.of(share="y", seed=3)]
    opened = opening(own=chosen, profile="custom", rate=0.2)
    assert list(opened.own) == chosen
    assert {unit.key for unit in opening.asked} == {chosen[0].key, PlainParameters.of(share="y").key}


def test_a_unit_that_failed_stops_the_page_and_a_damaged_line_is_told(
    opening: Opening, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    unit = NoisyParameters.of(seed=1)
    opening.summary.ended["toy", "noisy"] = 3
    opening.summary.damaged = [DamagedLine(tmp_path / "noisy.jsonl", 4, "{", "cut")]
    assert opening().computed == 3
    assert "noisy.jsonl:4: unreadable record (cut)" in capsys.readouterr().out
    opening.summary.damaged = []
    record(opening.store)
    with opening.store.file("toy", "noisy").path.open("a") as file:
        file.write("no record\n")
    opening()
    assert "unreadable record" in capsys.readouterr().out
    opening.summary.failed = [Failed(unit, "no prices", "")]
    with pytest.raises(RunError, match=f"{unit.key}: no prices"):
        opening()
