"""Which units a mode runs, in which order, and what a plan says of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reproduce_lib.execution import environment, study
from reproduce_lib.execution.plan import Execute, Plan, PlanRow, make_plan
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters
from tests import support
from tests.support import HERE, NoisyParameters, PlainParameters, new_store, old_code, put

ELSEWHERE = ("another processor", HERE[1])


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan for the toy paper, on the processor that records written by hand name."""
    monkeypatch.setattr(study, "load_paper", lambda key: support.toy_paper())
    monkeypatch.setattr(environment, "processor", lambda: HERE[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def noisy(**values: Any) -> NoisyParameters:
    return NoisyParameters.of(**values)


def recorded(store: Store, unit: UnitParameters, **options: Any) -> UnitParameters:
    put(store, unit, {"mae": 1.0}, **options)
    return unit


def planned(plan: Plan) -> list[UnitParameters]:
    return [due.unit for due in plan.due]


@pytest.fixture
def units(store: Store) -> list[UnitParameters]:
    """Return three fresh, two stale and four missing units of two experiments, in no helpful order."""
    return [
        recorded(store, PlainParameters.of(share="x"), seconds=2.0),  # fresh
        PlainParameters.of(share="y"),
        noisy(model="a", seed=7),
        recorded(store, noisy(model="a", seed=0), seconds=10.0),  # fresh
        recorded(store, noisy(model="a", seed=1), seconds=20.0),  # fresh
        recorded(store, noisy(model="b", seed=0), seconds=60.0, code=old_code()),
        recorded(store, noisy(model="b", seed=1), seconds=40.0, data={"prices/TSLA_2013_2023.csv": "0" * 64}),
        noisy(model="b", seed=7),
        noisy(model="a", seed=8),
    ]


@pytest.mark.parametrize(
    ("how", "states"),
    [
        ("recorded", []),
        ("missing", ["missing", "stale"]),
        ("stale", ["stale"]),
        ("fresh", ["fresh", "missing", "stale"]),
    ],
)
def test_each_mode_runs_the_states_it_names_and_no_other(
    units: list[UnitParameters], store: Store, how: Execute, states: Sequence[str]
) -> None:
    plan = make_plan(units, store, how)
    of = {status.unit.key: status.state for status in plan.statuses}
    assert [of[unit.key] for unit in units] == [
        "fresh", "missing", "missing", "fresh", "fresh", "stale", "stale", "missing", "missing",
    ]  # fmt: skip
    assert {unit.key for unit in planned(plan)} == {unit.key for unit in units if of[unit.key] in states}
    assert len(plan.due) == sum(of[unit.key] in states for unit in units)


def test_rows_count_the_states_and_what_is_due_experiment_by_experiment(
    units: list[UnitParameters], store: Store
) -> None:
    # a takes (10 + 20) / 2 s and b (60 + 40) / 2 s. Due are y (2 s, as x), a twice, and b three times.
    plan = make_plan(units, store)
    plain = PlanRow("toy", "plain", fresh=1, stale=0, missing=1, due=1, seconds=2.0, of_unknown_length=0)
    both = PlanRow("toy", "noisy", fresh=2, stale=2, missing=3, due=5, seconds=180.0, of_unknown_length=0)
    assert plan.rows() == [plain, both]
    assert (plan.seconds, plan.of_unknown_length) == (182.0, 0)
    assert [row.experiment for row in make_plan(units[::-1], store).rows()] == ["noisy", "plain"]
    assert [(row.due, row.seconds) for row in make_plan(units, store, "stale").rows()] == [(0, 0.0), (2, 100.0)]
    assert [(row.due, row.seconds) for row in make_plan(units, store, "recorded").rows()] == [(0, 0.0), (0, 0.0)]


def test_sums_hold_only_what_is_known_and_say_of_how_many_nothing_is(units: list[UnitParameters], store: Store) -> None:
    other = new_store(store.records / "elsewhere")
    recorded(other, noisy(), seconds=1000.0, environment=ELSEWHERE)
    recorded(other, PlainParameters.of(share="y"), seconds=3.0)
    plan = make_plan([PlainParameters.of(), *(noisy(seed=seed) for seed in range(1, 5))], other)
    assert (plan.seconds, plan.of_unknown_length) == (3.0, 4)
    assert [(row.experiment, row.seconds, row.of_unknown_length) for row in plan.rows()] == [
        ("plain", 3.0, 0), ("noisy", 0.0, 4),
    ]  # fmt: skip


def test_plan_without_units_has_nothing_to_do(store: Store) -> None:
    plan = make_plan([], store)
    assert (plan.rows(), plan.due, plan.seconds, plan.of_unknown_length) == ([], (), 0.0, 0)


def test_due_is_longest_first_and_what_nobody_knows_comes_before_all(store: Store) -> None:
    lengths = {"a": 5.0, "b": 50.0, "c": 0.5}
    for model, seconds in lengths.items():
        recorded(store, noisy(model=model, share="y"), seconds=seconds)
    wanted = [noisy(model=model, share="y", seed=seed) for model in lengths for seed in range(1, 4)]
    unknown = [PlainParameters.of(seed=seed) for seed in range(3)]
    mixed = [*wanted, *unknown]
    random.Random(0).shuffle(mixed)
    due = make_plan(mixed, store).due
    assert [one.seconds for one in due] == [None] * 3 + [50.0] * 3 + [5.0] * 3 + [0.5] * 3
    assert [one.unit.model for one in due if isinstance(one.unit, NoisyParameters)] == list("bbbaaaccc")
    assert {one.unit.key for one in due} == {unit.key for unit in mixed}
    # Of equal length the first stays the first: a recorded set begins with what matters most.
    assert [one.unit for one in due[:3]] == [unit for unit in mixed if isinstance(unit, PlainParameters)]


def test_another_store_tells_how_long_units_take_but_not_that_they_are_recorded(tmp_path: Path) -> None:
    mine, other = new_store(tmp_path / "mine"), new_store(tmp_path / "other")
    recorded(other, noisy(), seconds=12.0)
    assert [one.seconds for one in make_plan([noisy()], mine).due] == [None]
    plan = make_plan([noisy()], mine, learn_from=[other])
    assert [(one.unit, one.seconds) for one in plan.due] == [(noisy(), 12.0)]
    assert [status.state for status in plan.statuses] == ["missing"]


def test_unit_asked_for_twice_is_run_once(store: Store) -> None:
    assert planned(make_plan([noisy(), noisy()], store)) == [noisy()]
