"""What Zhang et al. printed: Tables I to IV number by number, and that each claim is measured by recorded units."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from reproduce_lib.claims import Decision, FactClaim, Measured, OrderClaim, OtherPlace, PaperClaims, ValueClaim
from reproduce_lib.claims import load_claims as load
from reproduce_lib.compare import Comparison
from reproduce_lib.papers.zhang2023 import networks
from reproduce_lib.papers.zhang2023.backbone_shapes import ROWS, BackboneShapeParameters, run_backbone_shapes
from reproduce_lib.papers.zhang2023.dataset_facts import DatasetFactParameters, run_dataset_facts
from reproduce_lib.papers.zhang2023.evaluation import Forecast
from reproduce_lib.papers.zhang2023.granularity import TABLES, GranularityParameters, run_granularity
from reproduce_lib.papers.zhang2023.networks import NetworkParameters, run_network
from reproduce_lib.papers.zhang2023.paper import PAPER
from reproduce_lib.papers.zhang2023.weighted import WeightedParameters, run_weighted
from reproduce_lib.rows import Row
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters, choices
from reproduce_lib.verdicts import Verdict
from tests.support import PROJECT, load_keras, new_store, put

SCORES = ("accuracy", "recall", "f1")
# Acc, Recall and F1-Score as printed, row by row.
PRINTED: dict[str, dict[str, str]] = {
    "t2": {"implicit": "84.34 87.64 0.86", "explicit": "46.95 55.80 0.59", "fused": "95.80 95.80 0.95"},
    "t3": {"flatten": "85.91 92.81 0.85", "cnn": "83.33 92.92 0.83", "decoupling": "95.80 95.80 0.95"},
    "t4": {
        "weighted_dt": "89.96 89.83 0.90",
        "weighted_svm": "75.56 55.00 0.70",
        "cnn": "78.85 31.44 0.30",
        "densenet": "76.70 79.70 0.83",
        "proposed": "95.80 95.80 0.95",
    },
}
PROPOSED: tuple[str, dict[str, Any]] = ("networks", {})
UNITS: dict[str, tuple[str, dict[str, Any]]] = {
    "t2.implicit": ("networks", {"features": "implicit"}),
    "t2.explicit": ("networks", {"features": "explicit"}),
    "t2.fused": PROPOSED,
    "t3.flatten": ("networks", {"classifier": "flatten"}),
    "t3.cnn": ("networks", {"classifier": "cnn"}),
    "t3.decoupling": PROPOSED,
    "t4.weighted_dt": ("weighted", {"method": "tree"}),
    "t4.weighted_svm": ("weighted", {"method": "svm"}),
    "t4.cnn": ("networks", {"model": "cnn", "sampling": "class_balanced"}),
    "t4.densenet": ("networks", {"model": "densenet"}),
    "t4.proposed": PROPOSED,
}
TABLE_I = {
    "Conv1D": "(None, None, 24)",
    "BatchNorm": "(None, None, 24)",
    "Relu": "(None, None, 24)",
    "DenseBlock1": "(None, None, 48)",
    "TransitionLayer1": "(None, None, 24)",
    "DenseBlock2": "(None, None, 48)",
    "TransitionLayer2": "(None, None, 24)",
    "DenseBlock3": "(None, None, 48)",
    "TransitionLayer3": "(None, None, 24)",
    "DenseBlock4": "(None, None, 48)",
    "BatchNorm_2": "(None, None, 48)",
    "GlobalAveragePooling": "(None, 48)",
    "Dense": "(None, 5)",
}
# The row that is said to be better, the rows it is better than, and in what.
ORDERS = {
    *(("t2.fused", ("t2.explicit", "t2.implicit"), score) for score in SCORES),
    *(("t2.implicit", ("t2.explicit",), score) for score in SCORES),
    *(("t3.decoupling", ("t3.cnn", "t3.flatten"), score) for score in ("accuracy", "f1")),
    ("t4.proposed", ("t4.cnn", "t4.densenet", "t4.weighted_dt", "t4.weighted_svm"), "accuracy"),
    *(("t4.proposed", ("t4.densenet",), score) for score in SCORES),
    ("t4.weighted_dt", ("t4.cnn", "t4.densenet", "t4.weighted_svm"), "accuracy"),
    ("t4.weighted_dt", ("t4.weighted_svm",), "accuracy"),
    *(("t4.densenet", ("t4.cnn",), score) for score in ("recall", "f1")),
    *((f"t4.{row}", ("t4.cnn", "t4.weighted_svm"), "recall") for row in ("weighted_dt", "densenet", "proposed")),
}


@pytest.fixture(scope="module")
def claims() -> PaperClaims:
    return load("zhang2023", PROJECT / "book" / "claims")


@pytest.fixture(scope="module")
def values(claims: PaperClaims) -> dict[str, ValueClaim]:
    return {claim.id: claim for claim in claims.claims if isinstance(claim, ValueClaim)}


@pytest.fixture(scope="module")
def comparison(claims: PaperClaims, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Compare with a store that holds nothing."""
    folder: Path = tmp_path_factory.mktemp("records")
    return compare(claims, new_store(folder))


def compare(claims: PaperClaims, store: Store) -> Comparison:
    with mock.patch("reproduce_lib.execution.study.load_paper", lambda _: PAPER):
        return Comparison(claims, PAPER, store)


def facts_of(claims: PaperClaims, kind: type[Measured] | type[OtherPlace]) -> list[FactClaim]:
    return [claim for claim in claims.claims if isinstance(claim, FactClaim) and isinstance(claim.against, kind)]


def defaults(kind: type[UnitParameters]) -> dict[str, Any]:
    return {name: field.default for name, field in kind.model_fields.items()}


# Numbers


def test_every_number_of_the_three_tables_is_there_with_its_digits(values: dict[str, ValueClaim]) -> None:
    expected = {
        f"zhang2023.{table}.{row}.{score}": number
        for table, rows in PRINTED.items()
        for row, printed in rows.items()
        for score, number in zip(SCORES, printed.split(), strict=True)
    }
    assert {name: claim.value for name, claim in values.items()} == expected
    assert len(expected) == 33


def test_each_claim_says_what_its_id_says(values: dict[str, ValueClaim]) -> None:
    for name, claim in values.items():
        _, table, row, score = name.split(".")
        assert claim.metric == score
        assert (claim.experiment, claim.conditions) == UNITS[f"{table}.{row}"]
        assert claim.source == f"Table {'I' * int(table[1]) if table != 't4' else 'IV'}"
        assert claim.group.startswith(f"{claim.source}:")
        assert (claim.unit, claim.better) == ("" if score == "f1" else "%", "higher")
        assert re.fullmatch(r"0\.\d\d" if score == "f1" else r"\d\d\.\d\d", claim.value)
        assert {"accuracy": "Acc", "recall": "Recall", "f1": "F1-Score"}[score] == claim.statement.split(" of ")[0]
        assert (claim.likely, claim.over, claim.aggregation) == ("", {}, "single")
        assert claim.comparable == "substitute-data"
        assert claim.why


def test_conditions_are_parameters_of_the_experiment_and_no_defaults(values: dict[str, ValueClaim]) -> None:
    for claim in values.values():
        kind = PAPER.experiment(claim.experiment).parameters
        assert kind.of(**claim.conditions).model_dump() == {**defaults(kind), **claim.conditions}
        for name, value in claim.conditions.items():
            assert name in kind.model_fields
            assert name == "method" or defaults(kind)[name] != value


def test_proposed_network_is_the_same_in_all_tables(values: dict[str, ValueClaim]) -> None:
    for score in SCORES:
        rows = [values[f"zhang2023.{row}.{score}"] for row in ("t2.fused", "t3.decoupling", "t4.proposed")]
        assert len({(row.value, row.experiment, str(row.conditions)) for row in rows}) == 1


def test_each_number_is_measured_by_five_units_of_the_recorded_set(
    comparison: Comparison, values: dict[str, ValueClaim]
) -> None:
    recorded = {unit.key for unit in PAPER.full_units()}
    for claim in values.values():
        found = comparison.replications(claim)
        assert len(found) == 5
        for seed, (unit,) in enumerate(found):
            assert unit.key in recorded
            assert unit.seed == seed
            assert unit == type(unit).of(**claim.conditions, seed=seed)
            naive = PAPER.naive(unit)
            assert naive is not None
            assert naive.key in recorded


def test_each_metric_is_one_that_units_measure(values: dict[str, ValueClaim], monkeypatch: pytest.MonkeyPatch) -> None:
    def guess(parameters: Any, samples: Any, fold: Any, seed: int) -> Forecast:
        return Forecast(np.random.default_rng(seed).dirichlet(np.ones(5), len(fold.test)))

    monkeypatch.setattr(networks, "fit_and_score", guess)
    simulated: dict[str, Any] = {"profile": "custom", "source": "simulated", "weeks": 4}
    measured = {
        "networks": run_network(NetworkParameters.of(**simulated)).metrics,
        "weighted": run_weighted(WeightedParameters.of(**simulated)).metrics,
    }
    for claim in values.values():
        found = measured[claim.experiment][claim.metric]
        assert isinstance(found, float)
        assert 0 <= found <= (1 if claim.unit == "" else 100)


def test_accuracies_whose_sizes_are_asked_for_are_the_printed_ones(values: dict[str, ValueClaim]) -> None:
    for number, numeral in enumerate(("II", "III", "IV"), start=2):
        printed = [claim for name, claim in values.items() if f".t{number}." in name and claim.metric == "accuracy"]
        assert sorted(TABLES[numeral]) == sorted(int(100 * Fraction(claim.value)) for claim in printed)
    assert set(TABLES) == {"II", "III", "IV"}
    metrics = run_granularity(GranularityParameters.of(largest=200)).metrics
    accuracies = {claim.value for claim in values.values() if claim.metric == "accuracy"}
    assert accuracies == {name[len("smallest[") : -1] for name in metrics if name.startswith("smallest[")}


# Orders


def test_orders_are_those_of_the_text(claims: PaperClaims) -> None:
    found = []
    for claim in claims.claims:
        if isinstance(claim, OrderClaim):
            assert claim.least is None
            rows = [name.removeprefix("zhang2023.").rpartition(".")[0] for name in (claim.first, *claim.among)]
            (score,) = {name.rpartition(".")[2] for name in (claim.first, *claim.among)}
            found.append((rows[0], tuple(sorted(rows[1:])), score))
            assert claim.comparable == "substitute-data"
    assert Counter(found) == Counter(ORDERS)


def test_orders_hold_of_the_printed_numbers(claims: PaperClaims, values: dict[str, ValueClaim]) -> None:
    for claim in claims.claims:
        if isinstance(claim, OrderClaim):
            assert all(Fraction(values[claim.first].value) > Fraction(values[name].value) for name in claim.among)
            assert len({name.split(".")[1] for name in (claim.first, *claim.among)}) == 1


def test_each_order_is_asked_of_five_replications(comparison: Comparison) -> None:
    rows = [row for row in comparison.rows if isinstance(row.claim, OrderClaim)]
    assert len(rows) == len(ORDERS) == 19
    assert {(row.verdict, row.expected) for row in rows} == {(Verdict.PENDING, 5)}
    for row in rows:
        assert isinstance(row.claim, OrderClaim)
        assert len({unit.key for unit in row.units}) == 5 * (1 + len(row.claim.among))


# Facts


def test_table_i_is_transcribed_row_by_row(claims: PaperClaims) -> None:
    found = {}
    for claim in facts_of(claims, Measured):
        if claim.source == "Table I":
            assert isinstance(claim.against, Measured)
            assert claim.against.experiment == "backbone_shapes"
            assert claim.id == f"zhang2023.t1.{claim.against.metric.lower()}"
            found[claim.against.metric] = claim.printed
    assert list(found.items()) == list(TABLE_I.items())
    assert tuple(TABLE_I) == ROWS


def test_printed_counts_are_those_of_the_text(claims: PaperClaims) -> None:
    found = {}
    for claim in facts_of(claims, Measured):
        if claim.source != "Table I":
            assert isinstance(claim.against, Measured)
            found[claim.against.metric] = claim.printed
    assert found == {
        "events_to_printed_end": "1105",
        "small_to_printed_end": "771",
        "large_to_printed_end": "38",
        "above_to_printed_end": "38",
        "events_to_found_end": "1105",
        "small_to_found_end": "771",
        "large_to_found_end": "38",
        "stations": "159",
        "usable_stations": "131",
        "features": "95",
    }


def test_measured_facts_wait_for_the_one_unit_of_their_experiment(claims: PaperClaims, comparison: Comparison) -> None:
    recorded = {unit.key for unit in PAPER.full_units()}
    rows = {row.claim.id: row for row in comparison.rows}
    for claim in facts_of(claims, Measured):
        assert isinstance(claim.against, Measured)
        experiment = PAPER.experiment(claim.against.experiment)
        assert experiment.deterministic
        (unit,) = rows[claim.id].units
        assert unit == experiment.parameters.of(**claim.against.conditions)
        assert unit.key in recorded
        assert rows[claim.id].verdict is Verdict.PENDING


def rows_with(claims: PaperClaims, folder: Path, unit: UnitParameters, metrics: dict[str, Any]) -> dict[str, Row]:
    """Return the rows of the measured facts of a unit's experiment beside what it measured."""
    store = new_store(folder)
    put(store, unit, metrics)
    comparison = compare(claims, store)
    own = {
        claim.id
        for claim in facts_of(claims, Measured)
        if isinstance(claim.against, Measured) and claim.against.experiment == unit.experiment
    }
    return {row.claim.id.removeprefix("zhang2023."): row for row in comparison.rows if row.claim.id in own}


@pytest.mark.slow
@pytest.mark.networks
def test_backbone_as_built_has_the_printed_shapes(claims: PaperClaims, tmp_path: Path) -> None:
    load_keras()
    unit = BackboneShapeParameters()
    rows = rows_with(claims, tmp_path, unit, run_backbone_shapes(unit).metrics)
    assert {row.verdict for row in rows.values()} == {Verdict.EXACT}
    assert len(rows) == 13
    narrow = run_backbone_shapes(unit).metrics | {"Dense": "(None, 4)"}
    changed = rows_with(claims, tmp_path / "changed", unit, narrow)
    assert [name for name, row in changed.items() if row.verdict is not Verdict.EXACT] == ["t1.dense"]


@pytest.mark.slow
@pytest.mark.data
def test_counts_differ_to_the_printed_day_and_are_exact_to_an_earlier_one(claims: PaperClaims, tmp_path: Path) -> None:
    unit = DatasetFactParameters()
    rows = rows_with(claims, tmp_path, unit, run_dataset_facts(unit).metrics)
    differing = {"s3a.events", "s3a.small", "s3a.large", "s3a.above"}
    assert {name for name, row in rows.items() if row.verdict is Verdict.NOT_EXACT} == differing
    exact = {"s3a.events_found", "s3a.small_found", "s3a.large_found", "s3a.stations", "s3a.usable", "s3a.features"}
    assert {name for name, row in rows.items() if row.verdict is Verdict.EXACT} == exact
    assert [rows[name].measured for name in ("s3a.events", "s3a.small", "s3a.large")] == [(1132,), (784,), (39,)]


def test_places_that_contradict_each_other_differ(claims: PaperClaims, comparison: Comparison) -> None:
    names = {claim.id for claim in facts_of(claims, OtherPlace)}
    assert {row.verdict for row in comparison.rows if row.claim.id in names} == {Verdict.NOT_EXACT}
    assert names
    assert len(names) + len(facts_of(claims, Measured)) == sum(isinstance(one, FactClaim) for one in claims.claims)


def test_recall_equals_accuracy_in_as_many_rows_of_table_iv_as_is_said(
    claims: PaperClaims, values: dict[str, ValueClaim]
) -> None:
    rows = [row for row in UNITS if row.startswith("t4.")]
    equal = sum(values[f"zhang2023.{row}.accuracy"].value == values[f"zhang2023.{row}.recall"].value for row in rows)
    (claim,) = [one for one in facts_of(claims, OtherPlace) if one.id == "zhang2023.s3b.weighted_recall"]
    assert claim.printed == f"equal in {equal} of {len(rows)} rows"


# Decisions


def decided(claims: PaperClaims) -> dict[str, Decision]:
    return {decision.parameter: decision for decision in claims.decisions}


def test_decisions_are_the_defaults(claims: PaperClaims) -> None:
    assert len(decided(claims)) == len(claims.decisions)
    fields = set(decided(claims)) & set(NetworkParameters.model_fields)
    assert set(decided(claims)) - fields == {"average", "kernel", "method", "spans"}
    for name in fields:
        chosen = decided(claims)[name].chosen
        assert chosen == defaults(NetworkParameters)[name]
        assert type(chosen) is type(defaults(NetworkParameters)[name])


def test_other_readings_are_allowed_and_run(claims: PaperClaims) -> None:
    units = PAPER.full_units()
    for decision in claims.decisions:
        for reading in decision.others:
            assert reading.value != decision.chosen
            assert reading.value in choices(NetworkParameters, decision.parameter) or isinstance(reading.value, int)
            run = [unit for unit in units if getattr(unit, decision.parameter, None) == reading.value]
            assert {type(unit).experiment for unit in run} >= {"networks"}
            assert {unit.seed for unit in run} == set(range(5))


def test_whatever_is_varied_is_either_a_row_of_a_table_or_decided(claims: PaperClaims) -> None:
    varied = {
        name
        for unit in PAPER.full_units()
        if isinstance(unit, NetworkParameters)
        for name, value in unit
        if value != defaults(NetworkParameters)[name]
    }
    assert varied - set(decided(claims)) == {"features", "model", "labels", "seed"}
    for name in varied & set(decided(claims)):
        run = {getattr(unit, name) for unit in PAPER.experiment("networks").full()}
        decision = decided(claims)[name]
        assert run == {decision.chosen, *(reading.value for reading in decision.others)}


def test_average_set_beside_the_printed_numbers_is_that_over_classes(
    claims: PaperClaims, values: dict[str, ValueClaim]
) -> None:
    assert decided(claims)["average"].chosen == "macro"
    assert {claim.metric for claim in values.values()} == set(SCORES)
