from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from reproduce_lib.claims import FactClaim, OrderClaim, PaperClaims, ValueClaim, load_claims
from reproduce_lib.collection import load_paper
from reproduce_lib.compare import Comparison
from reproduce_lib.errors import ParameterError
from reproduce_lib.execution import study
from reproduce_lib.rows import Row, verdict_counts
from reproduce_lib.store import Store
from reproduce_lib.units import Paper, UnitParameters
from reproduce_lib.verdicts import Verdict
from tests import support
from tests.support import PROJECT, NoisyParameters, PlainParameters, new_store, old_code, put

SPREAD = (-0.02, 0.01, 0.0, 0.02, -0.01, 0.0)


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    toy = support.toy_paper()
    monkeypatch.setattr(study, "load_paper", lambda key: toy)
    return toy


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def value(name: str = "toy.t1.a", printed: str = "1.00", **more: Any) -> dict[str, Any]:
    plain = {"metric": "mae", "unit": "USD", "better": "lower", "experiment": "noisy", "conditions": {"model": "a"}}
    return {"kind": "value", "id": name, "source": "T1", "statement": name, "value": printed, **plain, **more}


def order(least: str, *among: str, **more: Any) -> dict[str, Any]:
    return {"kind": "order", "id": "toy.o", "source": "T1", "statement": "o", "least": least, "among": among, **more}


def fact(printed: str, against: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"kind": "fact", "id": "toy.f", "source": "T1", "statement": "f", "printed": printed}
    return {**base, "against": against, **more}


def measured_fact(printed: str, metric: str = "value", **more: Any) -> dict[str, Any]:
    against = {"kind": "measured", "experiment": "plain", "conditions": {"share": "x"}, "metric": metric}
    return fact(printed, against, **more)


def compared(paper: Paper, store: Store, *claims: dict[str, Any], runs: str = "paired") -> list[Row]:
    head = {"schema": 1, "paper": "toy", "title": "t", "citation": "c", "in_a_sentence": "s", "runs": runs}
    return Comparison(PaperClaims.model_validate({**head, "claims": claims}), paper, store).rows


def record(
    store: Store, values: Sequence[float], model: str = "a", share: str = "x", errors: Any = None, **more: Any
) -> None:
    """Record one value per seed."""
    for seed, mae in enumerate(values):
        unit = NoisyParameters.of(model=model, share=share, seed=seed)
        arrays = None if errors is None else {"error": np.asarray(errors[seed], dtype=float)}
        put(store, unit, {"mae": mae, "rmse": 3 * mae}, arrays=arrays, **more)


def record_naive(store: Store, x: float, y: float) -> None:
    for share, mae in (("x", x), ("y", y)):
        put(store, PlainParameters.of(share=share), {"mae": mae, "rmse": mae})


# Values


@pytest.mark.parametrize(
    ("printed", "spread", "verdict"),
    [
        ("1.00", 1, Verdict.REPRODUCED),
        ("1.04", 1, Verdict.REPRODUCED),
        ("1.00", 5, Verdict.INCONCLUSIVE),
        ("2.00", 1, Verdict.BETTER),
        ("0.50", 1, Verdict.WORSE),
    ],
)
def test_value_mean_interval_and_verdict(
    paper: Paper, store: Store, printed: str, spread: float, verdict: Verdict
) -> None:
    values = [1 + spread * one for one in SPREAD]
    record(store, values)
    (row,) = compared(paper, store, value(printed=printed))
    half = stats.t.ppf(0.975, 5) * stats.tstd(values) * math.sqrt(7 / 6)
    assert row.interval is not None
    assert (row.interval.lower, row.interval.upper) == pytest.approx((np.mean(values) - half, np.mean(values) + half))
    assert row.mean == pytest.approx(1.0)
    assert list(row.measured) == pytest.approx(values)
    assert (row.verdict, row.verdict_words, row.expected) == (verdict, str(verdict), 6)


def test_a_record_that_lacks_a_score_counts_as_missing_until_its_unit_is_run_again(paper: Paper, store: Store) -> None:
    for seed in range(support.SEEDS):
        score = {"rmse": 2.0} if seed in (2, 3) else {"mae": 1.0, "rmse": 2.0}
        put(store, NoisyParameters.of(model="a", share="x", seed=seed), score)
    put(store, PlainParameters.of(share="x"), {"mae": 4.0})
    lacking, whole, counted = compared(paper, store, value(), value("toy.t1.b", metric="rmse"), measured_fact("7"))
    assert (lacking.measured, lacking.verdict_words) == ((1.0,) * 4, "pending (4 of 6)")
    assert len(whole.measured) == support.SEEDS
    assert counted.verdict is Verdict.PENDING


def test_metric_and_conditions_choose_what_is_measured(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    record(store, [5.0] * 6, model="b", share="y")
    rows = compared(
        paper, store, value(), value("toy.b", metric="rmse", conditions={"model": "b", "share": "y"}, printed="15.0")
    )
    assert [row.mean for row in rows] == [1.0, 15.0]
    assert {unit.model_dump()["share"] for unit in rows[1].units} == {"y"}


def test_value_over_several_units_is_their_mean_seed_by_seed(paper: Paper, store: Store) -> None:
    record(store, [1.0 + one for one in SPREAD])
    record(store, [3.0 + 2 * one for one in SPREAD], share="y")
    record(store, [7.0] * 6, model="b")
    record(store, [1.0] * 6, model="c")
    record_naive(store, 4.0, 8.0)
    over_models = value("toy.m", over={"model": ["a", "b", "c"]}, aggregation="mean", conditions={})
    row, three = compared(paper, store, value(over={"share": ["x", "y"]}, aggregation="mean"), over_models)
    assert list(row.measured) == pytest.approx([2 + 1.5 * one for one in SPREAD])
    assert (row.mean, row.naive) == pytest.approx((2.0, 6.0))
    assert row.skill == pytest.approx(1 - 2 / 6)
    assert len(row.units) == 12
    assert (three.mean, three.naive) == pytest.approx((3.0, 4.0))


@pytest.mark.parametrize(
    ("seeds", "words"), [(0, "pending (0 of 6)"), (1, "pending (1 of 6)"), (4, "pending (4 of 6)")]
)
def test_pending_says_how_many_of_how_many(paper: Paper, store: Store, seeds: int, words: str) -> None:
    record(store, [1.0] * seeds)
    (row,) = compared(paper, store, value())
    assert (row.verdict, row.verdict_words) == (Verdict.PENDING, words)
    assert (row.mean is None) == (seeds == 0)
    assert (row.interval is None) == (seeds < 2)


def test_five_replications_are_enough_whichever_seeds_they_are(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6, share="y")
    for seed in (0, 1, 3, 4, 5):
        put(store, NoisyParameters.of(seed=seed), {"mae": 3.0, "rmse": 1.0})
    over_both = value("toy.m", "2.00", over={"share": ["x", "y"]}, aggregation="mean")
    rows = compared(paper, store, value(printed="3.00"), over_both)
    assert [row.verdict for row in rows] == [Verdict.REPRODUCED, Verdict.REPRODUCED]
    assert [row.measured for row in rows] == [(3.0,) * 5, (2.0,) * 5]  # seed 2 has no share x, so it is no replication


@pytest.mark.parametrize(
    ("printed", "better", "verdict"),
    [
        ("4.0", "lower", Verdict.REPRODUCED),
        ("4", "lower", Verdict.REPRODUCED),
        ("4.1", "lower", Verdict.BETTER),
        ("4.1", "higher", Verdict.WORSE),
        ("3.9", "lower", Verdict.WORSE),
        ("3.9", "none", Verdict.DIFFERS),
    ],
)
def test_result_without_randomness_must_round_to_what_was_printed(
    paper: Paper, store: Store, printed: str, better: str, verdict: Verdict
) -> None:
    record_naive(store, 4.04, 9.0)
    claim = value(printed=printed, better=better, experiment="plain", conditions={"share": "x"})
    (row,) = compared(paper, store, claim)
    assert (row.verdict, row.interval, row.measured, row.expected) == (verdict, None, (4.04,), 1)


def test_naive_error_and_skill_by_hand(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    record(store, [6.0] * 6, model="b")
    record_naive(store, 4.0, 8.0)
    rows = compared(paper, store, value(), value("toy.b", "6.00", conditions={"model": "b"}))
    assert [(row.naive, row.skill) for row in rows] == [(4.0, 0.75), (4.0, -0.5)]


@pytest.mark.parametrize(("first", "other", "same"), [("x", "y", True), ("y", "x", False)])
def test_order_of_the_naive_forecasts_own_errors_is_told(
    paper: Paper, store: Store, first: str, other: str, same: bool
) -> None:
    for share, mae in (("x", 1.0), ("y", 2.0)):
        record(store, [mae] * 6, share=share)
    record_naive(store, 4.0, 9.0)
    shares = [value(f"toy.{one}", conditions={"model": "a", "share": one}) for one in "xy"]
    row = compared(paper, store, *shares, order(f"toy.{first}", f"toy.{other}"))[2]
    assert (row.verdict, row.naive_holds) == (Verdict.HOLDS if same else Verdict.FAILS, same)


def test_models_on_the_same_data_have_one_naive_forecast_which_orders_nothing(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    record(store, [2.0] * 6, model="b")
    claims = (value(), value("toy.b", conditions={"model": "b"}), order("toy.t1.a", "toy.b"))
    without = compared(paper, store, *claims)[2]
    record_naive(store, 4.0, 9.0)
    row = compared(paper, store, *claims)[2]
    assert (without.naive_holds, row.naive_holds, row.verdict) == (None, None, Verdict.HOLDS)


@pytest.mark.parametrize(
    ("better", "unit", "values", "ends"),
    [
        ("higher", "", [0.99, 0.9, 1.0], (None, 1.0)),
        ("higher", "%", [1.0, 9.0, 5.0], (0.0, None)),
        ("lower", "USD", [0.1, 0.9, 0.5], (0.0, None)),
        ("none", "", [0.1, 0.9, 0.5], (None, None)),
    ],
)
def test_interval_ends_where_the_metric_does(
    paper: Paper, store: Store, better: str, unit: str, values: list[float], ends: tuple[float | None, float | None]
) -> None:
    record(store, values)
    (row,) = compared(paper, store, value(better=better, unit=unit))
    half = stats.t.ppf(0.975, 2) * stats.tstd(values) * math.sqrt(4 / 3)
    lower, upper = (
        np.mean(values) + side * half if end is None else end for side, end in zip((-1, 1), ends, strict=True)
    )
    assert row.interval is not None
    assert (row.interval.lower, row.interval.upper) == pytest.approx((lower, upper))


def test_naive_error_is_the_mean_beside_the_runs_that_are_recorded(paper: Paper, store: Store) -> None:
    def of_the_same_seed(unit: UnitParameters) -> NoisyParameters | None:
        return NoisyParameters.of(model="c", seed=unit.seed) if isinstance(unit, NoisyParameters) else None

    seeded = replace(paper, naive=of_the_same_seed)
    record(store, [10.0, 20.0, 40.0, 80.0, 160.0, 320.0], model="c")
    (before,) = compared(seeded, store, value())
    record(store, [1.0, 1.0, 1.0])
    (after,) = compared(seeded, store, value())
    assert (before.naive, after.naive) == (pytest.approx(105), pytest.approx(70 / 3))


def test_without_a_naive_record_there_is_no_skill(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    (row,) = compared(paper, store, value())
    assert (row.naive, row.skill) == (None, None)


@pytest.mark.parametrize(("better", "skill"), [("lower", 0.75), ("higher", None), ("none", None)])
def test_there_is_skill_only_where_less_is_better(paper: Paper, store: Store, better: str, skill: float | None) -> None:
    record(store, [1.0] * 6)
    record_naive(store, 4.0, 8.0)
    (row,) = compared(paper, store, value(better=better))
    assert (row.mean, row.naive, row.skill) == (1.0, 4.0, skill)


@pytest.mark.parametrize(
    ("printed", "more", "verdict"),
    [
        ("7", {}, Verdict.EXACT),  # what is measured
        ("8", {}, Verdict.EXACT),  # the sum
        ("9", {}, Verdict.NOT_EXACT),
        ("9", {"digits": "about"}, Verdict.EXACT),
    ],
)
def test_one_reading_of_a_statement_has_to_fit(
    paper: Paper, store: Store, printed: str, more: dict[str, Any], verdict: Verdict
) -> None:
    readings = [
        {"kind": "measured", "experiment": "plain", "conditions": {"share": "x"}, "metric": "value"},
        {"kind": "sum_of", "numbers": ["3", "5"]},
    ]
    claim = fact(printed, {"kind": "any_of", "readings": readings}, **more)
    (before,) = compared(paper, store, claim)
    put(store, PlainParameters.of(share="x"), {"value": 7.0})
    (row,) = compared(paper, store, claim)
    assert before.verdict is (Verdict.EXACT if printed == "8" or more else Verdict.PENDING)
    assert (row.verdict, row.measured, row.expected) == (verdict, (7.0, 8.0), 2)
    assert [unit.share for unit in row.units if isinstance(unit, PlainParameters)] == ["x"]


def test_verdict_on_a_misprint_is_on_what_is_printed(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    rows = compared(
        paper, store, value(printed="1.00", likely="3.00"), value("toy.m", "3.00", likely="1.00", better="none")
    )
    assert [row.verdict for row in rows] == [Verdict.REPRODUCED, Verdict.DIFFERS]


def test_stale_units_behind_a_row_are_counted_once(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    record(store, [2.0] * 2, model="b", code=old_code())
    record(store, [3.0] * 6, model="c", code=old_code())
    rows = compared(
        paper, store, value(), value("toy.b", conditions={"model": "b"}), value("toy.c", conditions={"model": "c"}),
        value("toy.d", metric="rmse", conditions={"model": "c"}),
        order("toy.t1.a", "toy.b", "toy.c", "toy.d"),
    )  # fmt: skip
    assert [row.stale for row in rows] == [0, 2, 6, 6, 8]


def test_unknown_experiment_or_parameter_in_a_claim_is_an_error(paper: Paper, store: Store) -> None:
    with pytest.raises(ParameterError, match="noisy"):
        compared(paper, store, value(experiment="quiet"))
    with pytest.raises(ParameterError, match="model"):
        compared(paper, store, value(conditions={"modle": "a"}))


# What cannot be compared


def test_without_data_nothing_is_tested_and_the_reason_is_kept(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    (row,) = compared(paper, store, value(comparable="no-data", why="the catalogue was never published"))
    assert (row.verdict, row.reason, row.units) == (Verdict.NOT_TESTED, "the catalogue was never published", ())
    assert row.verdict_words == "not tested"


def test_substitute_data_are_named_in_every_verdict(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    substitute = {"comparable": "substitute-data", "why": "w"}
    rows = compared(paper, store, value(**substitute), value("toy.w", "0.1", **substitute))
    words = [row.verdict_words for row in rows]
    assert words == ["reproduced on substitute data", "worse than reported on substitute data"]


def test_substitute_data_never_count_as_reproduced(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    rows = compared(paper, store, value(), value("toy.s", comparable="substitute-data", why="w"))
    assert verdict_counts(rows) == {Verdict.REPRODUCED: 1, Verdict.REPRODUCED_ON_SUBSTITUTE: 1}


def test_counts_sum_to_the_claims(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    rows = compared(
        paper, store, value(), value("toy.w", "0.1"), value("toy.v", "0.2"), value("toy.p", conditions={"model": "b"})
    )
    assert verdict_counts(rows) == {Verdict.REPRODUCED: 1, Verdict.WORSE: 2, Verdict.PENDING: 1}


# Orders

ORDERED = (value("toy.a"), value("toy.b", conditions={"model": "b"}), value("toy.c", conditions={"model": "c"}))


@pytest.mark.parametrize(
    ("b", "c", "verdict", "held"),
    [
        ([2.0] * 6, [3.0] * 6, Verdict.HOLDS, 6),
        ([0.5] * 6, [3.0] * 6, Verdict.FAILS, 0),
        ([1.0] * 6, [3.0] * 6, Verdict.UNDECIDED, 0),  # equal is not below, nor above
        ([2.0, 2.0, 2.0, 0.5, 0.5, 0.5], [3.0] * 6, Verdict.UNDECIDED, 3),
        ([2.0] * 5 + [0.5], [0.5] + [3.0] * 5, Verdict.UNDECIDED, 4),
    ],
)
def test_order_is_judged_replication_by_replication(
    paper: Paper, store: Store, b: list[float], c: list[float], verdict: Verdict, held: int
) -> None:
    for model, values in (("a", [1.0] * 6), ("b", b), ("c", c)):
        record(store, values, model=model)
    *_, row = compared(paper, store, *ORDERED, order("toy.a", "toy.b", "toy.c"))
    assert (row.verdict, sum(row.measured), len(row.measured), row.mean) == (verdict, held, 6, None)


@pytest.mark.parametrize(
    ("a", "b", "c", "held", "ties", "verdict"),
    [
        # Beside one another it holds in 6 of 6; of all pairs it does not.
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], [9.0] * 6, 21 / 36, 0.0, Verdict.UNDECIDED),
        ([1.0] * 6, [2.0] * 6, [3.0] * 6, 1.0, 0.0, Verdict.HOLDS),
        ([3.0] * 6, [2.0] * 6, [3.0] * 6, 0.0, 0.0, Verdict.FAILS),
        ([2.0] * 6, [2.0] * 6, [3.0] * 6, 0.0, 1.0, Verdict.UNDECIDED),
    ],
)
def test_independent_runs_are_compared_in_all_pairs(
    paper: Paper,
    store: Store,
    a: list[float],
    b: list[float],
    c: list[float],
    held: float,
    ties: float,
    verdict: Verdict,
) -> None:
    for model, values in (("a", a), ("b", b), ("c", c)):
        record(store, values, model=model)
    *_, row = compared(paper, store, *ORDERED, order("toy.a", "toy.b", "toy.c"), runs="independent")
    # By hand: every triple of runs, one of each.
    triples = [(x, y, z) for x in a for y in b for z in c]
    assert held == pytest.approx(sum(x < min(y, z) for x, y, z in triples) / len(triples))
    assert ties == pytest.approx(sum(x == min(y, z) for x, y, z in triples) / len(triples))
    assert (row.held, row.ties) == (pytest.approx(held), pytest.approx(ties))
    assert (row.verdict, row.independent) == (verdict, True)


def test_independent_runs_stand_beside_a_result_without_randomness(paper: Paper, store: Store) -> None:
    record(store, [3.0, 3.0, 3.0, 5.0, 5.0, 5.0])
    record_naive(store, 4.0, 9.0)
    *_, row = compared(paper, store, ORDERED[0], PLAIN, order("toy.a", "toy.p"), runs="independent")
    assert (row.held, row.verdict) == (0.5, Verdict.UNDECIDED)


def test_order_waits_for_complete_replications(paper: Paper, store: Store) -> None:
    record(store, [1.0] * 6)
    record(store, [2.0] * 6, model="b")
    record(store, [3.0] * 4, model="c")
    *_, row = compared(paper, store, *ORDERED, order("toy.a", "toy.b", "toy.c"))
    assert (row.verdict, row.verdict_words) == (Verdict.PENDING, "pending (4 of 6)")


# One record without randomness beside six replications: its mean absolute error is 4.
PLAIN = value("toy.p", "4.0", experiment="plain", conditions={"share": "x"})


@pytest.mark.parametrize(
    ("noisy", "plain_first", "verdict", "held"),
    [
        ([3.0] * 6, False, Verdict.HOLDS, [True] * 6),
        ([5.0] * 6, False, Verdict.FAILS, [False] * 6),
        ([3.0, 5.0, 3.0, 4.0, 3.0, 3.0], False, Verdict.UNDECIDED, [True, False, True, False, True, True]),
        ([5.0] * 6, True, Verdict.HOLDS, [True] * 6),
        ([5.0, 3.0, 5.0, 4.0, 5.0, 5.0], True, Verdict.UNDECIDED, [True, False, True, False, True, True]),
    ],
)
def test_result_without_randomness_stands_beside_every_replication_of_the_others(
    paper: Paper, store: Store, noisy: list[float], plain_first: bool, verdict: Verdict, held: list[bool]
) -> None:
    record(store, noisy)
    record_naive(store, 4.0, 9.0)
    names = ["toy.p", "toy.a"] if plain_first else ["toy.a", "toy.p"]
    *_, row = compared(paper, store, ORDERED[0], PLAIN, order(*names))
    assert (row.verdict, list(row.measured), row.expected) == (verdict, held, 6)
    assert set(row.units) == {PlainParameters.of(), *(NoisyParameters.of(seed=seed) for seed in range(6))}


def test_two_networks_and_a_result_without_randomness_are_compared_seed_by_seed(paper: Paper, store: Store) -> None:
    record(store, [1.0, 1.0, 1.0, 5.0, 5.0, 5.0])
    record(store, [2.0, 0.5, 2.0, 6.0, 6.0, 6.0], model="b")
    record_naive(store, 4.0, 9.0)
    *_, row = compared(paper, store, *ORDERED[:2], PLAIN, order("toy.a", "toy.p", "toy.b"))
    assert list(row.measured) == [True, False, True, False, False, False]


def test_order_waits_for_the_result_without_randomness(paper: Paper, store: Store) -> None:
    record(store, [3.0] * 6)
    *_, row = compared(paper, store, ORDERED[0], PLAIN, order("toy.a", "toy.p"))
    assert (row.verdict, row.verdict_words) == (Verdict.PENDING, "pending (0 of 6)")


def test_order_waits_for_replications_beside_a_result_without_randomness(paper: Paper, store: Store) -> None:
    record(store, [3.0] * 4)
    record_naive(store, 4.0, 9.0)
    *_, row = compared(paper, store, ORDERED[0], PLAIN, order("toy.a", "toy.p"))
    assert row.verdict_words == "pending (4 of 6)"


def test_stale_result_without_randomness_is_counted_once_behind_an_order(paper: Paper, store: Store) -> None:
    record(store, [3.0] * 6)
    put(store, PlainParameters.of(), {"mae": 4.0}, code=old_code())
    *_, row = compared(paper, store, ORDERED[0], PLAIN, order("toy.a", "toy.p"))
    assert row.stale == 1


@pytest.mark.parametrize(("x", "verdict"), [(4.0, Verdict.HOLDS), (9.5, Verdict.FAILS)])
def test_results_without_randomness_alone_need_one_replication(
    paper: Paper, store: Store, x: float, verdict: Verdict
) -> None:
    record_naive(store, x, 9.0)
    other = value("toy.q", "9.0", experiment="plain", conditions={"share": "y"})
    *_, row = compared(paper, store, PLAIN, other, order("toy.p", "toy.q"))
    assert (row.verdict, row.expected, len(row.units)) == (verdict, 1, 2)


def test_errors_of_a_result_without_randomness_are_tested_against_each_replication(paper: Paper, store: Store) -> None:
    generator = np.random.default_rng(2)
    plain = generator.normal(size=60)
    noisy = plain * np.linspace(0.98, 0.7, 6)[:, None] + generator.normal(scale=0.2, size=(6, 60))
    record(store, np.abs(noisy).mean(axis=1).tolist(), errors=noisy)
    mae = float(np.abs(plain).mean())
    put(store, PlainParameters.of(), {"mae": mae}, arrays={"error": plain})
    *_, row = compared(paper, store, ORDERED[0], PLAIN, order("toy.a", "toy.p", significant_at=0.05))
    p_values = [stats.ttest_1samp(np.abs(one) - np.abs(plain), 0).pvalue for one in noisy]
    below = [np.abs(one).mean() < mae for one in noisy]
    expected = [bool(lower and p < 0.05) for lower, p in zip(below, p_values, strict=True)]
    assert list(row.measured) == expected
    assert len(set(expected)) == 2


@pytest.fixture
def errors(paper: Paper, store: Store) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Record errors of two models whose difference is telling: a is better by about a tenth."""
    generator = np.random.default_rng(1)
    first = generator.normal(size=(6, 60))
    second = first * 1.1 + generator.normal(scale=0.2, size=(6, 60))
    record(store, np.abs(first).mean(axis=1).tolist(), errors=first)
    record(store, np.abs(second).mean(axis=1).tolist(), model="b", errors=second)
    return first, second


def test_significant_order_holds_where_a_paired_test_passes(paper: Paper, store: Store, errors: Any) -> None:
    first, second = errors
    # One step ahead, the corrected Diebold-Mariano test is the one-sample t test of the loss differences.
    p_values = [stats.ttest_1samp(np.abs(a) - np.abs(b), 0).pvalue for a, b in zip(first, second, strict=True)]
    below = np.abs(first).mean(axis=1) < np.abs(second).mean(axis=1)
    for level in (0.9, 0.05, float(np.median(p_values)), 1e-12):
        *_, row = compared(paper, store, *ORDERED[:2], order("toy.a", "toy.b", significant_at=level))
        expected = [bool(b and p < level) for b, p in zip(below, p_values, strict=True)]
        assert list(row.measured) == expected
    assert row.verdict is Verdict.FAILS  # at a level that nothing passes


def test_worse_forecast_is_never_significantly_better(paper: Paper, store: Store, errors: Any) -> None:
    *_, row = compared(paper, store, *ORDERED[:2], order("toy.b", "toy.a", significant_at=0.99))
    below = np.abs(errors[1]).mean(axis=1) < np.abs(errors[0]).mean(axis=1)
    assert not any(held and not lower for held, lower in zip(row.measured, below, strict=True))
    assert row.verdict is Verdict.FAILS


@pytest.mark.parametrize("change", ["altered", "gone"])
def test_replication_whose_errors_are_not_what_it_wrote_is_not_judged_and_the_others_are(
    paper: Paper, store: Store, errors: Any, change: str
) -> None:
    path = store.artifacts / "toy" / f"{NoisyParameters.of(seed=2).key}.npz"
    if change == "altered":
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    else:
        path.unlink()
    one, _, row = compared(paper, store, *ORDERED[:2], order("toy.a", "toy.b", significant_at=0.5))
    assert (len(row.measured), row.expected, row.stale) == (5, 6, 1)
    assert (len(one.measured), one.stale) == (6, 1)


# Facts


@pytest.mark.parametrize(
    ("text", "verdict"), [("72", Verdict.EXACT), ("72.0", Verdict.NOT_EXACT), ("70", Verdict.NOT_EXACT)]
)
def test_two_places_agree_to_the_letter(paper: Paper, store: Store, text: str, verdict: Verdict) -> None:
    (row,) = compared(paper, store, fact("72", {"kind": "other_place", "text": text, "where": "S4"}))
    assert (row.verdict, row.measured, row.units) == (verdict, (text,), ())


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        ("1.175", Verdict.EXACT),
        ("1.18", Verdict.EXACT),
        ("1.2", Verdict.EXACT),
        # 1.10 is any number from 1.095 to 1.105, and 1.25 one from 1.245 to 1.255: their mean one from 1.17 to 1.18.
        ("1.176", Verdict.EXACT),
        ("1.170", Verdict.EXACT),
        ("1.19", Verdict.NOT_EXACT),
        ("1.1694", Verdict.NOT_EXACT),
        ("1.1806", Verdict.NOT_EXACT),
    ],
)
def test_mean_of_printed_values_is_one_that_their_rounding_allows(
    paper: Paper, store: Store, printed: str, verdict: Verdict
) -> None:
    values = [value("toy.p", "1.10"), value("toy.q", "1.25")]
    against = {"kind": "mean_of", "claims": ["toy.p", "toy.q"]}
    *_, row = compared(paper, store, *values, fact(printed, against))
    assert (row.verdict, row.measured) == (verdict, ("1.17 to 1.18",))


MONTHS = {"toy.t2.2022-08.a": "5.8", "toy.t2.2022-09.a": "6.10", "toy.t2.2022-10.a": "-7", "toy.t2.2022-11.a": "6.1"}


def of_months(kind: str, printed: str, names: Sequence[str] = tuple(MONTHS)) -> dict[str, Any]:
    return fact(printed, {"kind": kind, "claims": list(names)})


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        ("6.1", Verdict.EXACT),
        ("6.100", Verdict.EXACT),
        ("6", Verdict.NOT_EXACT),  # the largest is not rounded
        ("6.2", Verdict.NOT_EXACT),
        ("7", Verdict.NOT_EXACT),
    ],
)
def test_largest_of_printed_values_is_exact(paper: Paper, store: Store, printed: str, verdict: Verdict) -> None:
    values = [value(name, number) for name, number in MONTHS.items()]
    *_, row = compared(paper, store, *values, of_months("largest_of", printed))
    assert (row.verdict, row.measured, row.expected, row.units) == (verdict, (6.1,), 1, ())


@pytest.mark.parametrize(
    ("names", "where"),
    [
        (list(MONTHS), "2022-09, 2022-11"),  # 6.10 and 6.1 are the same number
        (["toy.t2.2022-11.a", "toy.t2.2022-08.a", "toy.t2.2022-09.a"], "2022-11, 2022-09"),
        (["toy.t2.2022-08.a", "toy.t2.2022-10.a"], "2022-08"),
    ],
)
def test_places_of_the_largest_are_told_by_what_differs_in_their_ids(
    paper: Paper, store: Store, names: list[str], where: str
) -> None:
    values = [value(name, number) for name, number in MONTHS.items()]
    for printed, verdict in ((where, Verdict.EXACT), ("2022-10", Verdict.NOT_EXACT), (f"{where} ", Verdict.NOT_EXACT)):
        *_, row = compared(paper, store, *values, of_months("where_largest", printed, names))
        assert (row.verdict, row.measured, row.expected, row.units) == (verdict, (where,), 1, ())


def test_place_of_the_largest_has_every_part_in_which_the_ids_differ(paper: Paper, store: Store) -> None:
    numbers = {"toy.t1.x.a.mae": "1.5", "toy.t1.x.b.mae": "2.5", "toy.t1.y.a.mae": "2.0"}
    values = [value(name, number) for name, number in numbers.items()]
    *_, row = compared(paper, store, *values, of_months("where_largest", "x.b", list(numbers)))
    assert (row.verdict, row.measured) == (Verdict.EXACT, ("x.b",))


def test_largest_is_that_of_what_is_printed_even_where_it_is_a_misprint(paper: Paper, store: Store) -> None:
    values = [value("toy.t2.2022-08.a", "601", likely="6.1"), value("toy.t2.2022-09.a", "6.4")]
    names = [one["id"] for one in values]
    *_, largest = compared(paper, store, *values, of_months("largest_of", "6.4", names))
    *_, where = compared(paper, store, *values, of_months("where_largest", "2022-09", names))
    assert (largest.verdict, largest.measured) == (Verdict.NOT_EXACT, (601.0,))
    assert (where.verdict, where.measured) == (Verdict.NOT_EXACT, ("2022-08",))


@pytest.mark.parametrize(
    ("printed", "digits", "verdict"),
    [
        ("242.4", "rounded", Verdict.EXACT),
        ("242.400", "rounded", Verdict.EXACT),
        ("242.399", "rounded", Verdict.NOT_EXACT),
        ("242.399", "cut", Verdict.EXACT),
        ("242.3", "cut", Verdict.EXACT),
        ("242.4", "cut", Verdict.NOT_EXACT),
        ("242", "cut", Verdict.EXACT),
    ],
)
def test_measured_fact_rounds_or_is_cut_to_what_was_printed(
    paper: Paper, store: Store, printed: str, digits: str, verdict: Verdict
) -> None:
    put(store, PlainParameters.of(), {"value": 242.3999}, code=old_code())
    (row,) = compared(paper, store, measured_fact(printed, digits=digits))
    assert (row.verdict, row.measured, row.stale, row.units) == (verdict, (242.3999,), 1, (PlainParameters.of(),))


@pytest.mark.parametrize(("printed", "verdict"), [("GOOG", Verdict.EXACT), ("GOOGL", Verdict.NOT_EXACT)])
def test_measured_text_must_be_the_same(paper: Paper, store: Store, printed: str, verdict: Verdict) -> None:
    put(store, PlainParameters.of(), {"name": "GOOG"})
    (row,) = compared(paper, store, measured_fact(printed, metric="name"))
    assert row.verdict is verdict


def test_fact_without_its_record_is_pending(paper: Paper, store: Store) -> None:
    (row,) = compared(paper, store, measured_fact("1"))
    assert (row.verdict, row.verdict_words) == (Verdict.PENDING, "pending (0 of 1)")
    assert row.units == (PlainParameters.of(),)


# Orders from above


def from_above(greatest: str, *among: str, **more: Any) -> dict[str, Any]:
    claim = {**order("", *among), "greatest": greatest, **more}
    return {name: value for name, value in claim.items() if name != "least"}


@pytest.mark.parametrize(
    ("b", "c", "verdict", "held"),
    [
        ([2.0] * 6, [1.0] * 6, Verdict.HOLDS, 6),
        ([3.5] * 6, [1.0] * 6, Verdict.FAILS, 0),
        ([2.0] * 6, [3.5] * 6, Verdict.FAILS, 0),
        ([3.0] * 6, [1.0] * 6, Verdict.UNDECIDED, 0),  # equal is not above, nor below
        ([2.0, 2.0, 2.0, 3.5, 3.5, 3.5], [1.0] * 6, Verdict.UNDECIDED, 3),
        ([2.0] * 5 + [3.5], [3.5] + [1.0] * 5, Verdict.UNDECIDED, 4),
    ],
)
def test_order_from_above_is_judged_replication_by_replication(
    paper: Paper, store: Store, b: list[float], c: list[float], verdict: Verdict, held: int
) -> None:
    for model, values in (("a", [3.0] * 6), ("b", b), ("c", c)):
        record(store, values, model=model)
    *_, row = compared(paper, store, *ORDERED, from_above("toy.a", "toy.b", "toy.c"))
    assert (row.verdict, sum(row.measured), len(row.measured)) == (verdict, held, 6)
    assert len(row.units) == 18


@pytest.mark.parametrize("seed", range(5))
def test_of_two_what_is_above_has_the_other_below(paper: Paper, store: Store, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for model in ("a", "b"):
        record(store, generator.integers(0, 3, 6).astype(float).tolist(), model=model)
    *_, above, below = compared(
        paper, store, *ORDERED[:2], from_above("toy.a", "toy.b"), {**order("toy.b", "toy.a"), "id": "toy.p"}
    )
    assert (above.measured, above.verdict) == (below.measured, below.verdict)


def test_order_from_above_waits_and_stands_beside_a_result_without_randomness(paper: Paper, store: Store) -> None:
    record(store, [5.0, 3.0, 5.0, 4.0])
    claims = (ORDERED[0], PLAIN, from_above("toy.a", "toy.p"))
    assert compared(paper, store, *claims)[-1].verdict_words == "pending (0 of 6)"
    record_naive(store, 4.0, 9.0)
    row = compared(paper, store, *claims)[-1]
    assert (row.verdict_words, list(row.measured)) == ("pending (4 of 6)", [True, False, True, False])


def test_significant_order_from_above_holds_where_a_paired_test_passes(paper: Paper, store: Store, errors: Any) -> None:
    first, second = errors
    p_values = [stats.ttest_1samp(np.abs(b) - np.abs(a), 0).pvalue for a, b in zip(first, second, strict=True)]
    above = np.abs(second).mean(axis=1) > np.abs(first).mean(axis=1)
    for level in (0.9, float(np.median(p_values)), 1e-12):
        *_, row = compared(paper, store, *ORDERED[:2], from_above("toy.b", "toy.a", significant_at=level))
        assert list(row.measured) == [bool(a and p < level) for a, p in zip(above, p_values, strict=True)]


# Facts that follow from other printed numbers


def follows(printed: str, kind: str, digits: str = "rounded", **against: Any) -> dict[str, Any]:
    return fact(printed, {"kind": kind, **against}, digits=digits)


@pytest.mark.parametrize(
    ("printed", "numbers", "digits", "verdict", "total"),
    [
        ("906", ["457", "214", "114", "54", "67"], "rounded", Verdict.EXACT, 906.0),
        ("907", ["457", "214", "114", "54", "67"], "rounded", Verdict.NOT_EXACT, 906.0),
        ("910", ["457", "214", "114", "54", "67"], "rounded", Verdict.NOT_EXACT, 906.0),
        ("0.3", ["0.1", "0.2"], "rounded", Verdict.EXACT, 0.3),  # in binary they give a little more
        ("0.3", ["0.1", "0.2"], "cut", Verdict.EXACT, 0.3),
        ("1001", ["1e3", "1.4"], "rounded", Verdict.EXACT, 1001.4),
        ("-1", ["2", "-3"], "rounded", Verdict.EXACT, -1.0),
        ("7", ["3.9", "3.9"], "cut", Verdict.EXACT, 7.8),
        ("7", ["3.9", "3.9"], "rounded", Verdict.NOT_EXACT, 7.8),
    ],
)
def test_sum_of_printed_numbers_is_exact(
    paper: Paper, store: Store, printed: str, numbers: list[str], digits: str, verdict: Verdict, total: float
) -> None:
    (row,) = compared(paper, store, follows(printed, "sum_of", digits, numbers=numbers))
    assert (row.verdict, row.measured, row.expected, row.units) == (verdict, (total,), 1, ())


@pytest.mark.parametrize(
    ("printed", "parts", "whole", "digits", "verdict"),
    [
        ("50.44", ["457"], ["906"], "rounded", Verdict.EXACT),  # 50.4415
        ("50.45", ["457"], ["906"], "rounded", Verdict.NOT_EXACT),
        ("86.64", ["457", "214", "114"], ["906"], "rounded", Verdict.EXACT),  # 86.6446
        ("86.65", ["457", "214", "114"], ["906"], "rounded", Verdict.NOT_EXACT),
        ("50.44", ["457"], ["457", "214", "114", "54", "67"], "rounded", Verdict.EXACT),
        ("66.7", ["2"], ["3"], "rounded", Verdict.EXACT),
        ("66.7", ["2"], ["3"], "cut", Verdict.NOT_EXACT),
        ("66.6", ["2"], ["3"], "cut", Verdict.EXACT),
        ("0.5044", ["457"], ["906"], "rounded", Verdict.NOT_EXACT),  # in percent
        ("150", ["3"], ["2"], "rounded", Verdict.EXACT),
        ("100", ["0.1", "0.2"], ["0.3"], "cut", Verdict.EXACT),
    ],
)
def test_share_of_printed_numbers_is_in_percent(
    paper: Paper, store: Store, printed: str, parts: list[str], whole: list[str], digits: str, verdict: Verdict
) -> None:
    (row,) = compared(paper, store, follows(printed, "share_of", digits, parts=parts, of=whole))
    share = 100 * sum(map(float, parts)) / sum(map(float, whole))
    assert (row.verdict, row.expected, row.units) == (verdict, 1, ())
    assert row.measured == (pytest.approx(share),)


GAINS = {"toy.t4.x.new": "90.00", "toy.t4.y.new": "50.00", "toy.t4.x.old": "60.00", "toy.t4.y.old": "40.00"}


@pytest.mark.parametrize(
    ("reading", "printed", "digits", "verdict", "gain"),
    [
        ("points", "20", "rounded", Verdict.EXACT, 20.0),  # 30 and 10
        ("points", "20.1", "rounded", Verdict.NOT_EXACT, 20.0),
        ("relative", "37.5", "rounded", Verdict.EXACT, 37.5),  # 50 % and 25 %
        ("relative", "38", "rounded", Verdict.EXACT, 37.5),
        ("relative", "37", "cut", Verdict.EXACT, 37.5),
        ("relative", "38", "cut", Verdict.NOT_EXACT, 37.5),
        ("of_means", "40", "rounded", Verdict.EXACT, 40.0),  # 70 against 50
        ("of_means", "40", "cut", Verdict.EXACT, 40.0),
        ("of_means", "37.5", "rounded", Verdict.NOT_EXACT, 40.0),
    ],
)
def test_gain_is_what_its_reading_says(
    paper: Paper, store: Store, reading: str, printed: str, digits: str, verdict: Verdict, gain: float
) -> None:
    values = [value(name, number) for name, number in GAINS.items()]
    names = list(GAINS)
    claim = follows(printed, "gain_of", digits, higher=names[:2], lower=names[2:], reading=reading)
    *_, row = compared(paper, store, *values, claim)
    assert (row.verdict, row.measured, row.expected, row.units) == (verdict, (gain,), 1, ())


def test_gains_of_table_iv_by_hand(paper: Paper, store: Store) -> None:
    """Li et al. (2021): the columns add up to 699.97, 613.65 and 539.39 over eight regions."""
    columns = {
        "dlep": "90.07 92.42 91.41 71.55 90.23 89.46 85.02 89.81",
        "att": "77.04 78.86 79.21 60.29 79.65 80.63 77.19 80.78",
        "dyn": "55.58 60.84 88.07 52.79 76.87 78.54 51.27 75.43",
    }
    names = {column: [f"toy.{column}.{place}" for place in range(8)] for column in columns}
    values = [
        value(name, number)
        for column, numbers in columns.items()
        for name, number in zip(names[column], numbers.split(), strict=True)
    ]
    expected = {
        ("att", "points"): (699.97 - 613.65) / 8,
        ("att", "of_means"): 100 * (699.97 / 613.65 - 1),
        ("dyn", "points"): (699.97 - 539.39) / 8,
        ("dyn", "of_means"): 100 * (699.97 / 539.39 - 1),
    }
    for (column, reading), gain in expected.items():
        claim = follows("0", "gain_of", higher=names["dlep"], lower=names[column], reading=reading)
        *_, row = compared(paper, store, *values, claim)
        assert row.measured == (pytest.approx(gain, abs=1e-9),), (column, reading)


def test_pairs_of_a_gain_are_those_of_the_order_in_which_they_are_named(paper: Paper, store: Store) -> None:
    values = [value(name, number) for name, number in GAINS.items()]
    a, b, c, d = GAINS
    crossed = follows("0", "gain_of", higher=[a, b], lower=[d, c], reading="relative")
    *_, row = compared(paper, store, *values, crossed)
    assert row.measured == (pytest.approx((100 * 50 / 40 - 100 * 10 / 60) / 2),)


def test_gain_is_that_of_what_is_printed_even_where_it_is_a_misprint(paper: Paper, store: Store) -> None:
    values = [value("toy.new", "601", likely="6.1"), value("toy.old", "5.0")]
    claim = follows("596", "gain_of", higher=["toy.new"], lower=["toy.old"], reading="points")
    *_, row = compared(paper, store, *values, claim)
    assert (row.verdict, row.measured) == (Verdict.EXACT, (596.0,))


# Scores of picks: F1 of a printed precision and recall, pairs, and quantities that no number is printed of


def scored(printed: str, precision: str, recall: str) -> list[dict[str, Any]]:
    against = {"kind": "f1_of", "precision": "toy.p", "recall": "toy.r"}
    return [value("toy.p", precision), value("toy.r", recall), fact(printed, against)]


@pytest.mark.parametrize(
    ("printed", "precision", "recall", "verdict"),
    [
        ("0.685", "0.908", "0.550", Verdict.EXACT),
        # 0.6476 as computed from the printed digits, but 0.6471 is possible: rounding hides which.
        ("0.647", "0.748", "0.571", Verdict.EXACT),
        ("0.649", "0.748", "0.571", Verdict.NOT_EXACT),
        ("0.646", "0.748", "0.571", Verdict.NOT_EXACT),
        ("0.036", "0.630", "0.019", Verdict.EXACT),
        ("0.6", "0.5", "0.5", Verdict.EXACT),  # up to 0.55, which may be printed so
        ("0.7", "0.5", "0.5", Verdict.NOT_EXACT),
    ],
)
def test_f1_is_exact_if_some_precision_and_recall_that_print_so_give_it(
    paper: Paper, store: Store, printed: str, precision: str, recall: str, verdict: Verdict
) -> None:
    *_, row = compared(paper, store, *scored(printed, precision, recall))
    assert row.verdict is verdict
    half = 0.5 * 10.0 ** -len(precision.partition(".")[2])
    ends = [
        stats.hmean([float(precision) + sign * half, float(recall) + sign * half]) for sign in (-1, 1)
    ]  # F1 grows with both
    (found,) = row.measured
    assert [float(one) for one in str(found).split(" to ")] == pytest.approx(ends, abs=6e-5)


@pytest.mark.parametrize(
    ("printed", "precision", "recall", "found", "verdict"),
    [
        # Precision of 0 to 0.005 and recall of 0.005 to 0.015: F1 is up to 2 * 0.005 * 0.015 / 0.02 = 0.0075.
        ("0.00", "0.00", "0.01", "0.0000 to 0.0075", Verdict.EXACT),
        ("0.02", "0.00", "0.01", "0.0000 to 0.0075", Verdict.NOT_EXACT),
        ("0.00", "0.00", "0.00", "0.0000 to 0.0050", Verdict.EXACT),
        ("0.1", "0.0", "0.0", "0.0000 to 0.0500", Verdict.EXACT),
    ],
)
def test_f1_of_scores_that_print_as_nothing_is_between_nothing_and_what_they_may_be(
    paper: Paper, store: Store, printed: str, precision: str, recall: str, found: str, verdict: Verdict
) -> None:
    *_, row = compared(paper, store, *scored(printed, precision, recall))
    assert (row.measured, row.verdict) == ((found,), verdict)


QUANTITIES = [
    {"id": f"toy.q.{model}", "statement": model, "metric": "mae", "experiment": "noisy", "conditions": {"model": model}}
    for model in "ab"
]


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ({"greatest": "toy.q.b", "among": ["toy.q.a"]}, Verdict.HOLDS),
        ({"least": "toy.q.b", "among": ["toy.q.a"]}, Verdict.FAILS),
        ({"greatest": "toy.q.b", "among": ["toy.t1.a"]}, Verdict.HOLDS),
    ],
)
def test_an_order_compares_what_no_number_is_printed_of(
    paper: Paper, store: Store, ends: dict[str, Any], verdict: Verdict
) -> None:
    record(store, [1.0] * 6)
    record(store, [2.0] * 6, model="b")
    head = {"schema": 1, "paper": "toy", "title": "t", "citation": "c", "in_a_sentence": "s", "quantities": QUANTITIES}
    stated = {"kind": "order", "id": "toy.o", "source": "Fig. 1", "statement": "o", **ends}
    claims = PaperClaims.model_validate({**head, "claims": [value(), stated]})
    *_, row = Comparison(claims, paper, store).rows
    assert (row.verdict, len(row.measured), len(row.units)) == (verdict, 6, 12)


@pytest.mark.parametrize(
    "claims",
    [
        [fact("1", {"kind": "f1_of", "precision": "toy.q.a", "recall": "toy.t1.a"})],  # a fact is about printed numbers
        [order("toy.q.a", "toy.q.c")],
        [value("toy.q.a")],  # the id stands twice
        [fact("1", {"kind": "gain_of", "reading": "points", "higher": ["toy.t1.a"], "lower": []})],
        [
            fact(
                "1", {"kind": "gain_of", "reading": "points", "higher": ["toy.t1.a"], "lower": ["toy.t1.a", "toy.t1.a"]}
            )
        ],
    ],
)
def test_quantities_and_pairs_are_checked(claims: list[dict[str, Any]]) -> None:
    head = {"schema": 1, "paper": "toy", "title": "t", "citation": "c", "in_a_sentence": "s", "quantities": QUANTITIES}
    with pytest.raises(ValueError, match=r"toy|pairs|at least"):
        PaperClaims.model_validate({**head, "claims": [value(), *claims]})


# The collection's own records


def default_networks(lines: list[dict[str, Any]]) -> dict[tuple[str, int, str], dict[int, dict[str, float]]]:
    """Return (share, window, model) -> seed -> metrics of the networks with every decision as chosen."""
    fields = load_paper("naufal2023").experiment("networks").parameters.model_fields
    defaults = {name: info.default for name, info in fields.items()}
    spanned = ("ticker", "window", "model", "seed")
    found: dict[tuple[str, int, str], dict[int, dict[str, float]]] = defaultdict(dict)
    for line in lines:
        given = line.get("parameters", {})
        if given == {**defaults, **{name: given.get(name) for name in spanned}}:
            found[given["ticker"], given["window"], given["model"]][given["seed"]] = line["metrics"]
    return found


def test_every_claim_of_the_collection_gets_a_verdict_that_follows_from_its_records() -> None:
    folder = PROJECT / "book" / "records" / "naufal2023"
    lines = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    networks = default_networks(lines)
    assert networks
    assert min(map(len, networks.values())) >= 5
    claims = load_claims("naufal2023", PROJECT / "book" / "claims")
    store = Store(PROJECT / "book" / "records", PROJECT / "book" / "artifacts")
    rows = Comparison(claims, load_paper("naufal2023"), store).rows
    assert [row.claim for row in rows] == claims.claims
    assert sum(verdict_counts(rows).values()) == len(claims.claims)
    for row in rows:
        match row.claim:
            case ValueClaim(experiment="networks", over=over, conditions=conditions, metric=metric):
                tickers = over.get("ticker", [conditions.get("ticker")])
                seeds = [networks[ticker, conditions["window"], conditions["model"]] for ticker in tickers]
                complete = sorted(set.intersection(*(set(one) for one in seeds)))
                assert row.measured == tuple(np.mean([one[seed][metric] for one in seeds]) for seed in complete)
                assert row.verdict is not Verdict.PENDING
            case OrderClaim():
                assert row.verdict in {Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED, Verdict.PENDING}
            case FactClaim():
                assert row.verdict in {Verdict.EXACT, Verdict.NOT_EXACT, Verdict.PENDING}
