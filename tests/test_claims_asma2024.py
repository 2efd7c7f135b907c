"""What Asma & Aranas printed: both tables number by number, and that each number is measured by recorded units."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reproduce_lib.claims import FactClaim, OrderClaim, PaperClaims, ValueClaim, load_claims
from reproduce_lib.compare import Comparison
from reproduce_lib.papers.asma2024.arima import ArimaParameters
from reproduce_lib.papers.asma2024.baselines import BaselineParameters, run_baseline
from reproduce_lib.papers.asma2024.networks import MODELS, NetworkParameters
from reproduce_lib.papers.asma2024.paper import PAPER
from reproduce_lib.rows import Row
from reproduce_lib.verdicts import Verdict
from tests.support import PROJECT, new_store

ERRORS = {
    "arima": "0.3317", "linear": "0.3611", "dnn": "0.2401", "lstm": "0.2320", "cnn": "0.2710", "cnn_lstm": "0.2340",
}  # fmt: skip
# Table 2 from 2022-08 to 2024-07, column by column, then its last row.
FORECASTS = {
    "arima": "5.8 5.8 5.7 5.8 5.8 5.8 5.8 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9 5.9",
    "cnn": "5.9 5.9 5.4 5.4 6.0 5.5 5.3 5.3 5.8 6.1 5.8 5.5 5.5 601 5.3 5.8 5.9 5.6 5.9 5.8 6.3 6.4 6.0 5.5 6.4",
    "dnn": "5.9 5.6 5.9 5.9 5.5 5.6 5.4 5.7 5.5 5.7 5.7 5.8 5.9 5.9 5.8 5.6 5.5 5.9 5.6 5.0 5.7 5.6 5.7 5.9 5.9",
    "linear": "6.1 6.3 6.1 4.4 5.4 4.5 4.9 4.5 6.5 5.5 5.2 4.9 5.3 5.6 5.2 3.6 3.6 5.3 4.4 5.5 8.3 6.6 6.0 6.3 8.3",
    "lstm": "5.1 5.5 5.8 5.8 5.8 5.8 5.7 5.7 5.6 5.5 5.5 5.5 5.6 5.7 5.7 5.6 5.5 5.5 5.5 5.4 5.4 5.4 5.5 5.6 5.8",
    "cnn_lstm": "5.3 5.7 5.9 5.9 5.8 5.7 5.6 5.7 5.8 5.8 5.7 5.5 5.5 5.5 5.5 5.6 5.5 5.6 5.6 5.7 5.8 5.8 5.6 5.4 5.9",
}
MONTHS = [f"{2022 + month // 12}-{month % 12 + 1:02}" for month in range(7, 31)]
MISPRINT = "asma2024.t2.2023-09.cnn.magnitude"


@pytest.fixture(scope="module")
def claims() -> PaperClaims:
    return load_claims("asma2024", PROJECT / "book" / "claims")


@pytest.fixture(scope="module")
def values(claims: PaperClaims) -> dict[str, ValueClaim]:
    return {claim.id: claim for claim in claims.claims if isinstance(claim, ValueClaim)}


@pytest.fixture(scope="module")
def comparison(claims: PaperClaims, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Compare with a store that holds nothing."""
    folder: Path = tmp_path_factory.mktemp("records")
    return Comparison(claims, PAPER, new_store(folder))


@pytest.fixture(scope="module")
def facts(comparison: Comparison) -> dict[str, Row]:
    return {row.claim.id.removeprefix("asma2024."): row for row in comparison.rows if isinstance(row.claim, FactClaim)}


def column(model: str) -> dict[str, str]:
    """Return month -> forecast as printed, with the last row as ``highest``."""
    return dict(zip([*MONTHS, "highest"], FORECASTS[model].split(), strict=True))


def test_every_number_of_both_tables_is_there_with_its_digits(values: dict[str, ValueClaim]) -> None:
    printed = {f"asma2024.t1.{model}.mae": error for model, error in ERRORS.items()}
    for model in FORECASTS:
        printed |= {f"asma2024.t2.{month}.{model}.magnitude": one for month, one in column(model).items()}
    assert {name: claim.value for name, claim in values.items()} == printed
    assert len(printed) == 144 + 6 + 6


def test_each_number_has_the_digits_of_its_table(values: dict[str, ValueClaim]) -> None:
    for name, claim in values.items():
        pattern = r"0\.\d{4}" if claim.metric == "mae" else r"\d\.\d"
        assert re.fullmatch(pattern, claim.value) or name == MISPRINT


def test_conditions_say_what_the_ids_say(values: dict[str, ValueClaim]) -> None:
    for name, claim in values.items():
        _, table, *month, model, score = name.split(".")
        expected: dict[str, Any] = {} if model == "arima" else {"model": model}
        if table == "t2":
            expected["test_share"] = 0
        assert (claim.experiment, claim.conditions) == ("arima" if model == "arima" else "networks", expected)
        assert claim.metric == (f"magnitude[{month[0]}]" if month else "mae")
        assert score == claim.metric.partition("[")[0]
        assert (claim.better, claim.unit) == ("none" if month else "lower", "magnitude")
        assert (claim.over, claim.comparable) == ({}, "substitute-data")
        assert claim.source == f"Table {table[1]}"


def test_one_number_is_a_misprint(values: dict[str, ValueClaim]) -> None:
    assert {name: (claim.value, claim.number) for name, claim in values.items() if claim.likely} == {
        MISPRINT: ("601", 6.1)
    }
    assert all(claim.number == float(claim.value) for name, claim in values.items() if name != MISPRINT)
    assert all(3 < claim.number < 9 for claim in values.values() if claim.metric != "mae")


def test_each_number_is_measured_by_ten_networks_or_one_arima_of_the_recorded_set(
    comparison: Comparison, values: dict[str, ValueClaim]
) -> None:
    recorded = {unit.key for unit in PAPER.full_units()}
    for claim in values.values():
        found = comparison.replications(claim)
        assert len(found) == (1 if claim.experiment == "arima" else 10)
        for seed, (unit,) in enumerate(found):
            assert unit.key in recorded
            assert isinstance(unit, ArimaParameters if claim.experiment == "arima" else NetworkParameters)
            assert unit.seed == seed
            share = 0 if claim.metric.startswith("magnitude") else 20
            assert unit == type(unit).of(**{**claim.conditions, "test_share": share}, seed=seed)


def test_each_metric_is_one_that_units_measure(values: dict[str, ValueClaim]) -> None:
    for share in (20, 0):
        claimed = {claim.metric for claim in values.values() if claim.conditions.get("test_share", 20) == share}
        unit = BaselineParameters.of(profile="smoke", source="simulated", test_share=share)
        measured = set(run_baseline(unit).metrics)
        assert claimed == measured if share == 0 else claimed == {"mae"} <= measured


def test_recurrent_network_without_a_number_is_built_but_claimed_nowhere(values: dict[str, ValueClaim]) -> None:
    assert {*MODELS, "arima"} - {name.split(".")[-2] for name in values} == {"rnn"}


def test_orders_are_those_of_table_1(claims: PaperClaims, values: dict[str, ValueClaim]) -> None:
    orders = [claim for claim in claims.claims if isinstance(claim, OrderClaim)]
    for claim in orders:
        least = values[claim.least].number
        assert all(least < values[name].number for name in claim.among)
        assert claim.least not in claim.among
        assert {name.split(".")[1] for name in (claim.least, *claim.among)} == {"t1"}
    best = next(claim for claim in orders if claim.id.endswith("lstm_lowest.mae"))
    assert {best.least, *best.among} == {name for name in values if ".t1." in name}
    ranked = sorted(ERRORS, key=lambda model: float(ERRORS[model]))
    pairs = {(claim.least, *claim.among) for claim in orders}
    for lower, higher in pairwise(ranked):
        assert (f"asma2024.t1.{lower}.mae", f"asma2024.t1.{higher}.mae") in pairs


def test_each_order_is_asked_of_ten_replications(comparison: Comparison) -> None:
    rows = [row for row in comparison.rows if isinstance(row.claim, OrderClaim)]
    assert len(rows) == 10
    assert {(row.verdict, row.expected) for row in rows} == {(Verdict.PENDING, 10)}
    for row in rows:
        assert isinstance(row.claim, OrderClaim)
        names = {row.claim.least, *row.claim.among}
        arima = "asma2024.t1.arima.mae" in names
        assert len({unit.key for unit in row.units}) == 10 * (len(names) - arima) + arima


def test_last_row_of_table_2_is_the_largest_of_each_column(facts: dict[str, Row]) -> None:
    for model in FORECASTS:
        row = facts[f"t2.highest_is_largest.{model}"]
        forecasts = [one for month, one in column(model).items() if month != "highest" and one != "601"]
        assert row.measured == (max(map(float, forecasts)),)
        assert row.verdict is Verdict.EXACT
        assert isinstance(row.claim, FactClaim)
        assert row.claim.printed == column(model)["highest"]


def test_months_that_the_text_names_are_held_against_all_that_have_the_largest_forecast(facts: dict[str, Row]) -> None:
    named = {
        "arima": "2022-02", "cnn": "2024-05", "dnn": "2024-07", "linear": "2024-04",
        "lstm": "2022-10, 2022-11, 2022-12, 2023-01", "cnn_lstm": "2023-10, 2023-11",
    }  # fmt: skip
    for model, text in named.items():
        row = facts[f"s5.highest_month.{model}"]
        forecasts = {month: float(one) for month, one in column(model).items() if one != "601" and month in MONTHS}
        found = ", ".join(month for month, one in forecasts.items() if one == max(forecasts.values()))
        assert isinstance(row.claim, FactClaim)
        assert (row.claim.printed, row.measured) == (text, (found,))
        assert row.verdict is (Verdict.EXACT if found == text else Verdict.NOT_EXACT)
    verdicts = Counter(facts[f"s5.highest_month.{model}"].verdict for model in named)
    assert verdicts == {Verdict.EXACT: 3, Verdict.NOT_EXACT: 3}


def test_numbers_that_the_text_repeats_are_those_of_the_table(facts: dict[str, Row]) -> None:
    for model in FORECASTS:
        row = facts[f"s5.highest_repeated.{model}"]
        assert row.measured == (column(model)["highest"],)
        assert row.verdict is Verdict.EXACT


def test_no_fact_waits_for_a_run(facts: dict[str, Row]) -> None:
    """But those that are held against a catalogue, which is not asked here."""
    measured = {name for name, row in facts.items() if row.units}
    assert {name.rpartition(".")[0] for name in measured} == {"s1.magnitude"}
    assert {row.verdict for name, row in facts.items() if name not in measured} == {Verdict.EXACT, Verdict.NOT_EXACT}
