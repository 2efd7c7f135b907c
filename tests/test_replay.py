from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from reproduce_lib import environment, replay, study, worker
from reproduce_lib.errors import RunError
from reproduce_lib.records import Store
from reproduce_lib.replay import UnitReplay, adopt, choose, describe
from reproduce_lib.study import UnitStatus, unit_statuses
from reproduce_lib.units import Paper, UnitParameters
from tests import support
from tests.support import HERE, NoisyParameters, PlainParameters, execute_here, new_store, old_code, put

ELSEWHERE = ("another processor", HERE[1])
OTHER_VERSIONS = (HERE[0], {**HERE[1], "numpy": "1"})


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    """Replay toy units in this process, on a machine that is always the same."""
    toy = support.toy_paper(seeds=130)
    for module in (study, worker, replay):
        monkeypatch.setattr(module, "load_paper", lambda key: toy)
    monkeypatch.setattr(replay, "execute_units", execute_here)
    monkeypatch.setattr(environment, "processor", lambda: HERE[0])
    monkeypatch.setattr(environment, "versions", lambda backend: HERE[1])
    return toy


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def noisy(seed: int = 0, **values: Any) -> NoisyParameters:
    return NoisyParameters.of(seed=seed, **values)


def record(store: Store, unit: UnitParameters, factor: float = 1.0, **options: Any) -> None:
    """Record what the unit would measure, times ``factor``."""
    mae = factor * (support.noisy_mae(unit) if isinstance(unit, NoisyParameters) else 4.0)
    named: dict[str, Any] = {"value": 7.0, "name": "GOOG"} if isinstance(unit, PlainParameters) else {"rmse": 2 * mae}
    put(store, unit, {"mae": mae, **named}, **options)


def replayed(units: Sequence[UnitParameters], paper: Paper, store: Store) -> list[UnitReplay]:
    return list(replay.replay(unit_statuses(units, store), store))


def states(units: Sequence[UnitParameters], store: Store) -> Counter[str]:
    return Counter(one.state for one in unit_statuses(units, store))


# Choosing


@pytest.fixture
def many(paper: Paper, store: Store) -> list[UnitStatus]:
    units = [PlainParameters.of(), *(noisy(seed) for seed in range(50))]
    for unit in units[:40]:
        record(store, unit)
    return unit_statuses(units, store)


def test_sample_covers_each_experiment_and_holds_recorded_units_once(many: list[UnitStatus]) -> None:
    for seed in range(20):
        chosen = choose(many, 5, seed)
        assert {one.unit.experiment for one in chosen} == {"plain", "noisy"}
        assert len({one.unit.key for one in chosen}) == 5
        assert all(one.record is not None for one in chosen)


def test_sample_depends_on_its_seed_alone_and_reaches_every_unit(many: list[UnitStatus]) -> None:
    assert choose(many, 5, 1) == choose(many, 5, 1)
    reached = {one.unit.key for seed in range(300) for one in choose(many, 5, seed)}
    assert reached == {one.unit.key for one in many if one.record is not None}
    assert len(choose(many, 1000, 0)) == 40
    assert choose(many[45:], 5, 0) == []


# Agreement


@pytest.mark.parametrize(("factor", "agrees"), [(1 + 5e-7, True), (1 - 5e-7, True), (1 + 2e-6, False), (0.5, False)])
def test_same_environment_must_agree_to_a_millionth(paper: Paper, store: Store, factor: float, agrees: bool) -> None:
    record(store, noisy(), factor)
    (result,) = replayed([noisy()], paper, store)
    assert result.agrees is agrees
    assert {metric.metric for metric in result.metrics} == {"mae", "rmse"}


def test_disagreement_names_unit_metric_values_and_both_environments(paper: Paper, store: Store) -> None:
    unit = PlainParameters.of()
    put(store, unit, {"mae": 99.5, "value": 7.0}, environment=(ELSEWHERE[0], OTHER_VERSIONS[1]))
    (result,) = replayed([unit], paper, store)
    text = describe(result)
    for word in (unit.key, "plain", "mae", "99.5", "4.0", ELSEWHERE[0], "numpy 1", HERE[0], "numpy 2"):
        assert word in text
    assert "value" not in text


def test_tampered_metric_in_the_file_is_found(paper: Paper, store: Store) -> None:
    for seed in range(3):
        record(store, noisy(seed))
    path = store.file("toy", "noisy").path
    path.write_text(path.read_text(encoding="utf-8").replace('"mae":1.01', '"mae":1.0101'), encoding="utf-8")
    results = replayed([noisy(seed) for seed in range(3)], paper, store)
    assert [result.agrees for result in results] == [True, False, True]
    assert "1.0101" in describe(results[1])


@pytest.mark.parametrize(("name", "agrees"), [("GOOG", True), ("GOOGL", False)])
def test_text_must_be_the_same(paper: Paper, store: Store, name: str, agrees: bool) -> None:
    put(store, PlainParameters.of(), {"name": name})
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert result.agrees is agrees


def test_metric_that_is_gone_disagrees(paper: Paper, store: Store) -> None:
    put(store, noisy(), {"mae": support.noisy_mae(noisy()), "gone": 1.0})
    (result,) = replayed([noisy()], paper, store)
    assert [metric.metric for metric in result.metrics if not metric.agrees] == ["gone"]


def test_unit_that_raises_disagrees_with_its_message(paper: Paper, store: Store, monkeypatch: Any) -> None:
    record(store, noisy())

    def broken(unit: NoisyParameters) -> None:
        raise RunError("the mill is broken")

    experiments = {**paper.experiments, "noisy": dataclasses.replace(paper.experiments["noisy"], run=broken)}
    monkeypatch.setattr(worker, "load_paper", lambda key: dataclasses.replace(paper, experiments=experiments))
    (result,) = replayed([noisy()], paper, store)
    assert not result.agrees
    assert "the mill is broken" in describe(result)


@pytest.mark.parametrize("environment_of_record", [ELSEWHERE, OTHER_VERSIONS])
@pytest.mark.parametrize(("distance", "agrees"), [(0.999, True), (1.001, False), (-0.999, True), (-1.001, False)])
def test_elsewhere_the_seeds_prediction_interval_decides(
    paper: Paper, store: Store, environment_of_record: Any, distance: float, agrees: bool
) -> None:
    seeds = range(6)
    for seed in seeds:
        record(store, noisy(seed), environment=environment_of_record)
        record(store, noisy(seed, model="c"), environment=environment_of_record)  # far off, and no sibling
    values = [1 + 0.01 * seed for seed in seeds]
    half = stats.t.ppf(0.975, 5) * np.std(values, ddof=1) * math.sqrt(1 + 1 / 6)
    target = np.mean(values) + distance * half
    support.SHIFT["value"] = float(target) - support.noisy_mae(noisy(2))
    (result,) = replayed([noisy(2)], paper, store)
    assert result.agrees is agrees
    assert {metric.rule for metric in result.metrics} == {"inside the recorded seeds' prediction interval"}


def test_without_randomness_the_values_must_be_equal_anywhere(paper: Paper, store: Store) -> None:
    for share in ("x", "y"):
        put(store, PlainParameters.of(share=share), {"mae": 4.00001}, environment=ELSEWHERE)
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert not result.agrees


def test_lone_seed_elsewhere_must_be_equal(paper: Paper, store: Store) -> None:
    record(store, noisy(), 1.001, environment=ELSEWHERE)
    record(store, noisy(model="b"), environment=ELSEWHERE)
    (apart, equal) = replayed([noisy(), noisy(model="b")], paper, store)
    assert (apart.agrees, equal.agrees) == (False, True)


@pytest.fixture(autouse=True)
def unmoved() -> Iterator[None]:
    yield
    support.SHIFT["value"] = 0.0


# Adoption


@pytest.mark.parametrize(("stale", "least"), [(3, 3), (20, 5), (100, 5), (120, 6), (130, 7)])
def test_equal_stale_records_are_adopted_after_enough_replays(
    paper: Paper, store: Store, stale: int, least: int
) -> None:
    units = [noisy(seed) for seed in range(stale)]
    for unit in units:
        record(store, unit, code=old_code())
    before = store.file("toy", "noisy").path.read_bytes()
    replays = adopt(unit_statuses(units, store), paper, store)
    assert len({one.status.unit.key for one in replays["noisy"]}) == least
    assert states(units, store) == {"fresh": stale}
    (adoption,) = store.file("toy", "noisy").read().adoptions
    assert {(one.key, one.metric) for one in adoption.evidence} == {
        (one.status.unit.key, metric) for one in replays["noisy"] for metric in ("mae", "rmse")
    }
    assert store.file("toy", "noisy").path.read_bytes().startswith(before)  # nothing recorded is rewritten
    assert adopt(unit_statuses(units, store), paper, store) == {}


def test_each_experiment_is_sampled_for_itself(paper: Paper, store: Store) -> None:
    units = [PlainParameters.of(share=share) for share in ("x", "y")] + [noisy(seed) for seed in range(8)]
    for unit in units:
        record(store, unit, code=old_code())
    replays = adopt(unit_statuses(units, store), paper, store)
    assert {name: len(found) for name, found in replays.items()} == {"plain": 2, "noisy": 5}
    assert states(units, store) == {"fresh": 10}


def test_one_disagreement_leaves_every_file_as_it_was(paper: Paper, store: Store) -> None:
    units = [PlainParameters.of(share=share) for share in ("x", "y")] + [noisy(seed) for seed in range(5)]
    for unit in units:
        record(store, unit, 1.01 if unit == noisy(2) else 1.0, code=old_code())
    files = [store.file("toy", name).path for name in ("plain", "noisy")]
    before = [path.read_bytes() for path in files]
    with pytest.raises(RunError, match=noisy(2).key):
        adopt(unit_statuses(units, store), paper, store)
    assert [path.read_bytes() for path in files] == before
    assert states(units, store) == {"stale": 7}


def test_adoption_holds_for_the_contexts_it_was_shown_for(paper: Paper, store: Store) -> None:
    older = {**old_code(), "reproduce_lib.metrics.gone": "1" * 16}
    record(store, noisy(0), code=old_code())
    adopt(unit_statuses([noisy(0)], store), paper, store)
    record(store, noisy(1), code=old_code())
    record(store, noisy(2), code=older)
    assert [one.state for one in unit_statuses([noisy(0), noisy(1), noisy(2)], store)] == ["fresh", "fresh", "stale"]


def test_every_context_that_is_adopted_was_replayed(paper: Paper, store: Store) -> None:
    units = [noisy(seed) for seed in range(20)]
    for unit in units:
        record(store, unit, code={**old_code(), "reproduce_lib.metrics.gone": f"{unit.seed % 9}" * 16})
    replays = adopt(unit_statuses(units, store), paper, store)["noisy"]
    assert len({one.status.record.context for one in replays if one.status.record is not None}) == 9
    assert states(units, store) == {"fresh": 20}


def test_later_change_stales_adopted_records_again_by_what_changed_since(
    paper: Paper, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, noisy(), code=old_code())
    adopt(unit_statuses([noisy()], store), paper, store)
    changed = {**study.code_digests(paper.module), "reproduce_lib.metrics.metric": "2" * 16}
    monkeypatch.setattr(study, "code_digests", lambda module: changed)
    (status,) = unit_statuses([noisy()], store)
    assert (status.state, status.because) == ("stale", ("reproduce_lib.metrics.metric",))


def test_records_of_other_data_are_never_adopted(paper: Paper, store: Store) -> None:
    record(store, noisy(0), data={"prices/TSLA_2013_2023.csv": "0" * 64})
    record(store, noisy(1), code=old_code())
    replays = adopt(unit_statuses([noisy(0), noisy(1)], store), paper, store)
    assert [one.status.unit for one in replays["noisy"]] == [noisy(1)]
    assert [one.state for one in unit_statuses([noisy(0), noisy(1)], store)] == ["stale", "fresh"]
