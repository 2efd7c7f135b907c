"""What a notebook's parameters select, and what they refuse."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from reproduce_lib import notebooks
from reproduce_lib.claims import load_claims
from reproduce_lib.errors import ParameterError
from reproduce_lib.execution.study import unit_statuses
from reproduce_lib.opened_paper import OpenedPaper
from reproduce_lib.page_parameters import Page, read_parameters
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.papers.naufal2023.paper import PAPER as NAUFAL2023
from reproduce_lib.papers.naufal2023.paper import networks_of_the_paper
from reproduce_lib.store import Store
from reproduce_lib.units import Experiment, Paper, UnitParameters, UnitResult
from tests.support import HERE, PlainParameters, new_store, put, smoke_baseline, smoke_network, value_row

SPANS = ["ticker", "window", "model"]


def page(**values: Any) -> Page[NetworkParameters]:
    return Page(NetworkParameters, SPANS, values)


def test_without_parameters_the_page_is_the_papers_setting() -> None:
    chosen = page()
    assert chosen.is_the_papers_setting
    assert chosen.units() == [unit for seed in range(10) for unit in networks_of_the_paper(seed=seed)]


def test_one_share_and_window_select_their_units() -> None:
    units = page(ticker="GOOG", window=30, seeds=2).units()
    assert [(u.ticker, u.window, u.seed) for u in units] == [("GOOG", 30, 0)] * 3 + [("GOOG", 30, 1)] * 3


def test_smoke_is_one_share_one_seed_one_epoch() -> None:
    units = page(profile="smoke").units()
    assert {(u.ticker, u.seed, u.epochs, u.profile) for u in units} == {("TSLA", 0, 1, "smoke")}


def test_smoke_asks_for_no_epochs_of_what_is_not_trained_in_epochs() -> None:
    (unit,) = Page(PlainParameters, ["share"], {"profile": "smoke", "share": "y"}).units()
    assert (unit.share, unit.profile) == ("y", "smoke")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"window": 7}, ["window", "7", "'all'", "1", "30"]),
        ({"ticker": "XYZ"}, ["ticker", "XYZ", "TSLA", "GOOG", "TWTR"]),
        ({"tiker": "GOOG"}, ["tiker", "ticker"]),
        ({"window": "30"}, ["window"]),
        ({"epochs": 60}, ["full", "custom"]),
        ({"learning_rate": "1e-4", "profile": "custom"}, ["learning_rate"]),
        ({"data": "simulated"}, ["simulated"]),
        ({"seeds": 0}, ["seeds"]),
        ({"execute": "now"}, ["execute", "recorded", "missing", "fresh"]),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_would_be_right(values: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ParameterError) as refusal:
        page(**values)
    assert all(word in str(refusal.value) for word in named)


def test_any_name_that_is_no_parameter_is_found_in_the_namespace() -> None:
    import math

    namespace: dict[str, Any] = {"In": [], "Out": {}, "_i": "", "math": math, "NetworkParameters": NetworkParameters}
    assert isinstance(namespace["math"], ModuleType)
    assert read_parameters({**namespace, "ticker": "GOOG"}, NetworkParameters, SPANS).selected("ticker") == ("GOOG",)
    with pytest.raises(ParameterError, match="tikcer"):
        read_parameters({**namespace, "tikcer": "GOOG"}, NetworkParameters, SPANS)


def test_another_reading_is_full_but_not_the_papers_setting() -> None:
    assert not page(split="train70_val10_test20").is_the_papers_setting
    assert page(profile="custom", epochs=60).units()[0].epochs == 60


class OtherParameters(UnitParameters):
    """Another experiment of the same paper: some parameters of the network's, and one of its own."""

    paper: ClassVar[str] = "naufal2023"
    experiment: ClassVar[str] = "other"

    split: str = "elsewhere"
    epochs: int = 7
    depth: int = 3


def page_of_two(**values: Any) -> Page[NetworkParameters]:
    other = Experiment(OtherParameters, lambda _: UnitResult({}, 0), list, list)
    paper = Paper("naufal2023", {**NAUFAL2023.experiments, "other": other}, lambda _: None, "networks")
    return Page(NetworkParameters, SPANS, values, paper)


def test_a_page_that_offers_experiments_runs_its_own_unless_one_is_named() -> None:
    assert page_of_two().units() == page().units()
    assert page_of_two(experiment="networks").units() == page().units()
    assert page_of_two().is_the_papers_setting
    assert not page_of_two(experiment="networks").is_the_papers_setting


def test_a_named_experiment_takes_what_was_changed_and_keeps_its_own_defaults() -> None:
    (unit,) = page_of_two(experiment="other", profile="custom", epochs=60, ticker="GOOG", seed=4).units()
    assert unit == OtherParameters.of(profile="custom", epochs=60, seed=4)


def test_an_experiment_is_one_of_the_papers_and_only_where_they_are_offered() -> None:
    with pytest.raises(ParameterError, match="'other'"):
        page_of_two(experiment="another")
    with pytest.raises(ParameterError, match="experiment"):
        page(experiment="other")


def opened(store: Store, units: Sequence[UnitParameters], *, computed: int = 0) -> OpenedPaper:
    """Return a paper opened under conditions that no claim was printed for."""
    statuses = unit_statuses([*units, *filter(None, map(NAUFAL2023.naive, units))], store)
    known = {status.unit.key: status for status in statuses}
    chosen, claims = page(profile="smoke"), load_claims("naufal2023")
    return OpenedPaper(chosen, NAUFAL2023, claims, store, tuple(units), None, (), known, computed)


def test_what_was_measured_stands_beside_the_naive_forecast_and_what_is_missing_is_said(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    known, missing = smoke_network(), smoke_network(seed=1)
    naive = NAUFAL2023.naive(known)
    assert naive is not None
    put(store, known, {"mae": 1.5})
    put(store, naive, {"mae": 2.25})
    columns = {"mae": "MAE", "rmse": "RMSE"}
    shown = notebooks.measured_table(opened(store, [known, missing]), caption="c", metrics=columns)
    cells = re.findall(r'<td class="rr-number">(.*?)</td>', shown)
    assert cells == ["1.500 (2.250)", "–", "not recorded", "not recorded"]


def test_provenance_counts_what_is_recorded_and_what_of_it_is_fresh(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    units = [smoke_baseline(seed=seed) for seed in range(4)]
    put(store, units[0], {"mae": 1.0}, seconds=1800.0)
    put(store, units[1], {"mae": 1.0}, seconds=1800.0, code={"reproduce_lib.metrics.gone": "0" * 16})
    shown = notebooks.provenance(opened(store, units), ["a <figure>"])
    rows = dict(re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", shown))
    assert rows["Units recorded"] == "2 of 4"
    assert rows["Records that are fresh"] == "1 of 2 (50 %)"
    assert (rows["Seeds"], rows["Backends"], rows["Processors"]) == ("0 to 3", "none", HERE[0])
    assert rows["Computing time"] == "1.00 processor-hours"
    assert rows["Executed live on this page"] == "a &lt;figure&gt;"
    shown = notebooks.provenance(opened(store, units, computed=2), [])
    assert "<td>2 units computed</td>" in shown


@pytest.mark.parametrize(
    ("counts", "expected", "words"),
    [((), 5, ""), ((5, 5), 5, "5"), ((1, 3), 5, "1 to 3 of 5"), ((0, 0), 5, "0 of 5"), ((1, 1), 1, "1")],
)
def test_runs_behind_rows_are_told_with_those_that_are_missing(
    counts: tuple[int, ...], expected: int, words: str
) -> None:
    rows = [dataclasses.replace(value_row(), measured=(1.0,) * count, expected=expected) for count in counts]
    assert notebooks.runs_of(rows) == words
