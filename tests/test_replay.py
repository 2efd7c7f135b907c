from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from reproduce_lib.errors import RunError
from reproduce_lib.execution import agreement, environment, replay, study, worker
from reproduce_lib.execution.replay import UnitReplay, adopt, choose, choose_within, describe
from reproduce_lib.execution.study import UnitStatus, unit_statuses
from reproduce_lib.execution.worker import Failed
from reproduce_lib.store import Store
from reproduce_lib.units import Paper, UnitParameters
from tests import support
from tests.support import (
    HERE,
    NoisyParameters,
    PlainParameters,
    execute_here,
    new_store,
    old_code,
    put,
    smoke_baseline,
    smoke_network,
    without_jax,
)

ELSEWHERE = ("another processor", HERE[1])
OTHER_VERSIONS = (HERE[0], {**HERE[1], "numpy": "1"})


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    """Replay toy units in this process, on a machine that is always the same."""
    toy = support.toy_paper(seeds=130)
    for module in (study, worker, agreement):
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


def test_sample_covers_each_experiment_and_holds_recorded_units_once(many: list[UnitStatus], store: Store) -> None:
    for seed in range(20):
        chosen = choose(many, 5, seed, store)
        assert {one.unit.experiment for one in chosen} == {"plain", "noisy"}
        assert len({one.unit.key for one in chosen}) == 5
        assert all(one.record is not None for one in chosen)


def test_sample_depends_on_its_seed_alone_and_reaches_every_unit(many: list[UnitStatus], store: Store) -> None:
    assert choose(many, 5, 1, store) == choose(many, 5, 1, store)
    reached = {one.unit.key for seed in range(300) for one in choose(many, 5, seed, store)}
    assert reached == {one.unit.key for one in many if one.record is not None}
    assert len(choose(many, 1000, 0, store)) == 40
    assert choose(many[45:], 5, 0, store) == []


def lasting(store: Store, seconds: float, unit: UnitParameters, **options: Any) -> UnitParameters:
    put(store, unit, {"mae": 1.0}, seconds=seconds, **options)
    return unit


def within(units: Sequence[UnitParameters], store: Store, seconds: float, seed: int = 0) -> list[UnitParameters]:
    return [one.unit for one in choose_within(unit_statuses(units, store), seconds, seed, store)]


@pytest.fixture
def timed(paper: Paper, store: Store) -> dict[str, float]:
    """Return what each of 8 units took: 2 plain ones of 5 and 7 s, 6 noisy ones of 10 to 60 s."""
    lengths = dict(zip(all_timed(), (5.0, 7.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0), strict=True))
    return {lasting(store, seconds, unit).key: seconds for unit, seconds in lengths.items()}


def all_timed() -> list[UnitParameters]:
    plain = [PlainParameters.of(share=share) for share in ("x", "y")]
    return [*plain, *(noisy(model=model, share=share) for model in "abc" for share in ("x", "y"))]


@pytest.mark.parametrize("budget", [0.0, 4.9, 5.0, 16.0, 67.0, 100.0, 221.9, 222.0, 1e6])
def test_what_is_chosen_within_a_time_takes_no_longer_and_leaves_out_only_what_no_longer_fits(
    timed: dict[str, float], store: Store, budget: float
) -> None:
    for seed in range(20):
        chosen = within(all_timed(), store, budget, seed)
        spent = sum(timed[unit.key] for unit in chosen)
        assert len({unit.key for unit in chosen}) == len(chosen)
        assert spent <= budget
        left_out = timed.keys() - {unit.key for unit in chosen}
        assert all(timed[key] > budget - spent for key in left_out)
        assert (len(chosen) == 8) == (budget >= 222)


def test_within_a_time_one_of_each_experiment_comes_first_if_both_fit(timed: dict[str, float], store: Store) -> None:
    for seed in range(20):
        chosen = within(all_timed(), store, 67.0, seed)  # 67 s: the longest of both experiments fit together
        assert {unit.experiment for unit in chosen[:2]} == {"plain", "noisy"}


def test_unit_longer_than_the_time_is_skipped_and_later_shorter_ones_are_taken(paper: Paper, store: Store) -> None:
    long, *short = [lasting(store, 100.0, PlainParameters.of()), *(noisy(seed) for seed in range(5))]
    for unit in short:
        lasting(store, 10.0, unit)
    for seed in range(20):
        statuses = unit_statuses([long, *short], store)
        assert long in [one.unit for one in choose(statuses, 2, seed, store)]
        chosen = within([long, *short], store, 45.0, seed)
        assert (len(chosen), long in chosen) == (4, False)


def test_choice_within_a_time_depends_on_its_seed_alone_and_reaches_every_unit(
    timed: dict[str, float], store: Store
) -> None:
    assert within(all_timed(), store, 70.0, 3) == within(all_timed(), store, 70.0, 3)
    assert len({tuple(unit.key for unit in within(all_timed(), store, 70.0, seed)) for seed in range(10)}) > 1
    reached = {unit.key for seed in range(300) for unit in within(all_timed(), store, 70.0, seed)}
    assert reached == timed.keys()


def test_within_a_time_only_recorded_units_are_chosen(timed: dict[str, float], store: Store) -> None:
    missing = [noisy(seed, model="a") for seed in range(1, 20)]
    chosen = within([*missing, *all_timed()], store, 1e6)
    assert {unit.key for unit in chosen} == timed.keys()
    assert within(missing, store, 1e6) == []


def test_what_other_seeds_took_here_counts_and_not_what_the_unit_itself_took_elsewhere(
    paper: Paper, store: Store
) -> None:
    slow_there = lasting(store, 1000.0, noisy(0), environment=ELSEWHERE)
    for seed in range(1, 5):
        lasting(store, 8.0, noisy(seed))
    assert within([slow_there], store, 8.0) == [slow_there]
    assert within([slow_there], store, 7.9) == []


def test_what_was_never_recorded_here_counts_with_what_it_took_elsewhere(paper: Paper, store: Store) -> None:
    lengths = {0: 10.0, 1: 20.0, 2: 40.0, 3: 1000.0, 4: 1000.0}
    units = [lasting(store, seconds, noisy(seed), environment=ELSEWHERE) for seed, seconds in lengths.items()]
    for seed in range(10):
        assert sum(lengths[unit.seed] for unit in within(units, store, 69.0, seed)) <= 69
    assert len(within(units, store, 70.0)) == 3
    assert [unit.seed for unit in within(units, store, 10.0)] == [0]


# Agreement


@pytest.mark.parametrize(("factor", "agrees"), [(1 + 5e-7, True), (1 - 5e-7, True), (1 + 2e-6, False), (0.5, False)])
def test_same_environment_must_agree_to_a_millionth(paper: Paper, store: Store, factor: float, agrees: bool) -> None:
    record(store, noisy(), factor)
    (result,) = replayed([noisy()], paper, store)
    assert result.agrees is agrees
    assert {metric.metric for metric in result.metrics} == {"mae", "rmse"}


@pytest.mark.parametrize("environment_of_record", [HERE, ELSEWHERE])
@pytest.mark.parametrize(
    ("metric", "recorded", "again", "agrees"),
    [
        ("mae", 0.0, 1e-17, True),
        ("mae", 1e-17, 0.0, True),
        ("mae", -1e-13, 1e-13, True),
        ("mae", 0.0, 1e-10, False),
        ("dm_p_value", 0.0, 1e-17, False),
        ("dm_p_value", 1e-20, 1e-15, False),
        ("dm_p_value", 1e-20, 1.0000001e-20, True),
    ],
)
def test_what_is_nothing_is_equal_to_what_rounding_leaves_of_it(
    paper: Paper, store: Store, environment_of_record: Any, metric: str, recorded: float, again: float, agrees: bool
) -> None:
    put(store, noisy(), {metric: recorded}, environment=environment_of_record)
    (one,) = unit_statuses([noisy()], store)
    assert one.context is not None
    here = msgspec.structs.replace(one.context, processor=HERE[0])
    (found,) = agreement.Agreement([one], store).compare(one, {metric: again}, here)
    assert found.agrees is agrees
    assert (found.rule == "equal to 1e-6") is (agrees or environment_of_record == HERE)


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


def test_what_agrees_is_told_with_equals_or_with_the_rule_by_which_it_is_near(paper: Paper, store: Store) -> None:
    put(store, PlainParameters.of(), {"mae": 4.01, "value": 7.0, "name": "GOOG"}, environment=ELSEWHERE)
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert result.outcome == "agrees"
    for words in ("mae 4.01 ≈ 4.0 (equal to 1 %)", "value 7.0 = 7.0", "name GOOG = GOOG"):
        assert words in describe(result)
    record(store, PlainParameters.of(), 2.0)
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert result.outcome == "DISAGREES"


@pytest.mark.parametrize(("name", "agrees"), [("GOOG", True), ("GOOGL", False)])
def test_text_must_be_the_same(paper: Paper, store: Store, name: str, agrees: bool) -> None:
    put(store, PlainParameters.of(), {"name": name})
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert result.agrees is agrees


def test_metric_that_is_gone_disagrees(paper: Paper, store: Store) -> None:
    put(store, noisy(), {"mae": support.noisy_mae(noisy()), "gone": 1.0})
    (result,) = replayed([noisy()], paper, store)
    assert [metric.metric for metric in result.metrics if not metric.agrees] == ["gone"]


def test_unit_that_raises_is_not_run_and_says_why(paper: Paper, store: Store, monkeypatch: Any) -> None:
    record(store, noisy())

    def broken(unit: NoisyParameters) -> None:
        raise RunError("the mill is broken")

    broken.__module__ = paper.experiments["noisy"].module
    experiments = {**paper.experiments, "noisy": dataclasses.replace(paper.experiments["noisy"], run=broken)}
    monkeypatch.setattr(worker, "load_paper", lambda key: dataclasses.replace(paper, experiments=experiments))
    (result,) = replayed([noisy()], paper, store)
    assert (result.agrees, result.is_equal, result.outcome) == (False, False, "NOT RUN")
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
    # Two metrics are compared: each interval is wide enough that both together err in 5 % of the rounds.
    half = stats.t.ppf(1 - 0.025 / 2, 5) * np.std(values, ddof=1) * math.sqrt(1 + 1 / 6)
    target = np.mean(values) + distance * half
    support.SHIFT["value"] = float(target) - support.noisy_mae(noisy(2))
    (result,) = replayed([noisy(2)], paper, store)
    assert result.agrees is agrees
    assert {metric.rule for metric in result.metrics} == {"inside the recorded seeds' prediction interval"}


@pytest.mark.parametrize(
    ("environment_of_record", "mae", "agrees"),
    [(HERE, 4.00001, False), (ELSEWHERE, 4.00001, True), (OTHER_VERSIONS, 4.03, True), (ELSEWHERE, 4.05, False)],
)
def test_without_randomness_values_are_equal_here_and_nearly_so_elsewhere(
    paper: Paper, store: Store, environment_of_record: Any, mae: float, agrees: bool
) -> None:
    for share in ("x", "y"):
        put(store, PlainParameters.of(share=share), {"mae": mae}, environment=environment_of_record)
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert result.agrees is agrees


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ({}, {"obspy": "1.5"}, True),
        ({"obspy": "1.5"}, {"obspy": "1.5"}, True),
        ({"obspy": "1.5"}, {}, True),
        ({"obspy": "1.4"}, {"obspy": "1.5"}, False),
        ({"numpy": "1"}, {"obspy": "1.5"}, False),
    ],
)
def test_versions_are_compared_of_the_packages_that_both_contexts_name(
    paper: Paper, store: Store, monkeypatch: pytest.MonkeyPatch, then: Any, now: Any, same: bool
) -> None:
    monkeypatch.setattr(environment, "versions", lambda backend: {**HERE[1], **now})
    record(store, noisy(), 1 + 1e-4, environment=(HERE[0], {**HERE[1], **then}))
    statuses = unit_statuses([noisy()], store)
    assert [one.unit for one in choose(statuses, 5, 0, store)] == ([noisy()] if same else [])
    for seed in range(1, 6):
        record(store, noisy(seed), environment=(HERE[0], {**HERE[1], **then}))
    (result,) = replayed([noisy()], paper, store)
    assert result.agrees is not same  # a millionth decides here, the spread of the seeds elsewhere


def test_lone_seed_elsewhere_must_be_equal(paper: Paper, store: Store) -> None:
    record(store, noisy(), 1.001, environment=ELSEWHERE)
    record(store, noisy(model="b"), environment=ELSEWHERE)
    (apart, equal) = replayed([noisy(), noisy(model="b")], paper, store)
    assert (apart.agrees, equal.agrees) == (False, True)


@pytest.mark.parametrize(("seeds", "taken"), [(4, False), (5, True)])
def test_units_of_too_few_seeds_are_not_chosen_for_a_replay_elsewhere(
    paper: Paper, store: Store, seeds: int, taken: bool
) -> None:
    elsewhere = [noisy(seed) for seed in range(seeds)]
    for unit in elsewhere:
        record(store, unit, environment=ELSEWHERE)
    here, exact = noisy(model="b"), PlainParameters.of()
    record(store, here)
    record(store, exact, environment=ELSEWHERE)
    statuses = unit_statuses([*elsewhere, here, exact], store)
    for chosen in (choose(statuses, 100, 0, store), choose_within(statuses, 1e9, 0, store)):
        keys = {one.unit.key for one in chosen}
        assert {here.key, exact.key} <= keys
        assert ({unit.key for unit in elsewhere} <= keys) is taken
        assert len(keys) == 2 + taken * seeds


def test_without_a_backend_its_lone_records_are_left_out_and_the_others_are_compared(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_jax(monkeypatch)
    lone, on_gpu = smoke_network(backend="jax"), smoke_network(backend="jax_gpu", seed=1)
    exact = smoke_baseline()
    for unit in (lone, on_gpu, exact):
        put(store, unit, {"mae": 1.0})
    statuses = unit_statuses([lone, on_gpu, exact], store)
    assert [one.unit for one in agreement.comparable_here(statuses, store)] == [exact]


def test_rounds_of_many_replays_elsewhere_rarely_call_an_honest_one_different(paper: Paper, store: Store) -> None:
    random = np.random.default_rng(0)
    wrong = 0
    for attempt in range(40):
        units = [noisy(seed, rate=1.0 + attempt) for seed in range(10)]
        for unit in units:
            put(store, unit, {"mae": float(random.normal(5, 1))}, environment=ELSEWHERE)
        statuses = unit_statuses(units, store)
        rule = agreement.Agreement(statuses, store)
        context = next(one.context for one in statuses if one.context is not None)
        here = msgspec.structs.replace(context, processor=HERE[0])
        for one in statuses:
            replays = rule.compare(one, {"mae": float(random.normal(5, 1))}, here)
            wrong += not all(metric.agrees for metric in replays)
    assert wrong <= 6  # of 400 in 40 rounds, two of which are to err; uncorrected it were about 20


@pytest.mark.parametrize(("again", "agrees"), [(1e-16, True), (1e-12, True), (0.9, False)])
def test_p_values_elsewhere_are_compared_as_the_deviates_that_have_them(
    paper: Paper, store: Store, again: float, agrees: bool
) -> None:
    units = [noisy(seed) for seed in range(10)]
    for seed, unit in enumerate(units):
        put(store, unit, {"dm_p_value": 10.0 ** -(12 + seed % 5)}, environment=ELSEWHERE)
    (one, *_) = unit_statuses(units, store)
    assert one.context is not None
    here = msgspec.structs.replace(one.context, processor=HERE[0])
    (found,) = agreement.Agreement([one], store).compare(one, {"dm_p_value": again}, here)
    assert found.agrees is agrees


@pytest.mark.parametrize(
    ("lag", "agrees"), [(1.0, True), (0.0, True), (2.0, True), (2.5, False), (3.0, False), (-0.5, False), (-1.0, False)]
)
def test_counts_elsewhere_may_be_the_next_one(paper: Paper, store: Store, lag: float, agrees: bool) -> None:
    units = [noisy(seed) for seed in range(10)]
    for unit in units:
        put(store, unit, {"best_lag": 1.0}, environment=ELSEWHERE)
    (one, *_) = unit_statuses(units, store)
    assert one.context is not None
    here = msgspec.structs.replace(one.context, processor=HERE[0])
    (found,) = agreement.Agreement([one], store).compare(one, {"best_lag": lag}, here)
    assert found.agrees is agrees


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


def test_replays_that_are_near_their_records_adopt_nothing(paper: Paper, store: Store) -> None:
    units = [noisy(seed) for seed in range(6)]
    for unit in units:
        record(store, unit, code=old_code(), environment=ELSEWHERE)
    before = store.file("toy", "noisy").path.read_bytes()
    support.SHIFT["value"] = 0.003
    assert all(one.agrees and not one.is_equal for one in replayed(units, paper, store))
    with pytest.raises(RunError, match="adopt where it was recorded") as refusal:
        adopt(unit_statuses(units, store), paper, store)
    assert "≈" in str(refusal.value)
    assert store.file("toy", "noisy").path.read_bytes() == before
    assert states(units, store) == {"stale": 6}
    support.SHIFT["value"] = 0.0
    assert set(adopt(unit_statuses(units, store), paper, store)) == {"noisy"}  # equal elsewhere is equal
    assert states(units, store) == {"fresh": 6}


def test_one_per_cent_is_too_far_to_adopt(paper: Paper, store: Store) -> None:
    put(store, PlainParameters.of(), {"mae": 4.00001}, code=old_code(), environment=ELSEWHERE)
    (result,) = replayed([PlainParameters.of()], paper, store)
    assert (result.agrees, result.is_equal) == (True, False)
    with pytest.raises(RunError, match="adopt where it was recorded"):
        adopt(unit_statuses([PlainParameters.of()], store), paper, store)


def test_lone_seed_of_another_processor_is_adopted_where_it_is_equal(paper: Paper, store: Store) -> None:
    record(store, noisy(), code=old_code(), environment=ELSEWHERE)
    assert set(adopt(unit_statuses([noisy()], store), paper, store)) == {"noisy"}


def test_unit_that_cannot_be_run_adopts_nothing(paper: Paper, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, noisy(), code=old_code())
    failing = Failed(noisy(), "prices.csv is not on this machine", "")
    monkeypatch.setattr(replay, "execute_units", lambda due, *rest: iter([failing]))
    with pytest.raises(RunError, match=r"could not be run.*prices\.csv is not"):
        adopt(unit_statuses([noisy()], store), paper, store)
    assert states([noisy()], store) == {"stale": 1}


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
    changed = {**study.code_digests(paper.experiment("noisy").module), "reproduce_lib.metrics.metric": "2" * 16}
    monkeypatch.setattr(study, "code_digests", lambda module: changed)
    (status,) = unit_statuses([noisy()], store)
    assert (status.state, status.because) == ("stale", ("reproduce_lib.metrics.metric",))


def test_records_of_other_data_are_never_adopted(paper: Paper, store: Store) -> None:
    record(store, noisy(0), data={"prices/TSLA_2013_2023.csv": "0" * 64})
    record(store, noisy(1), code=old_code())
    replays = adopt(unit_statuses([noisy(0), noisy(1)], store), paper, store)
    assert [one.status.unit for one in replays["noisy"]] == [noisy(1)]
    assert [one.state for one in unit_statuses([noisy(0), noisy(1)], store)] == ["stale", "fresh"]
