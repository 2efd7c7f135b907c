"""The benchmarks' arithmetic, and the page that shows their results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import dlep, features, pairs, workers
from reproduce_lib.book.speed import (
    BENCHMARKS,
    Benchmarks,
    Profile,
    Quantity,
    Results,
    Scores,
    Share,
    results_page,
    updated,
)
from reproduce_lib.errors import RecordError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    (tmp_path / "book").mkdir()
    return tmp_path


def some_results(**ratio: Any) -> Results:
    return Results(
        time="2026-01-02T03:04:05Z",
        processor="Fast <CPU>",
        cores=2,
        versions={"jax": "0.10"},
        ratios=[pairs.ratio("reading", "slow way", "fast way", [(8.0, 2.0), (18.0, 2.0)], ratio.get("goal"))],
        quantities=[Quantity(name="book", unit="s", median=70.0, smallest=69.0, largest=71.0, repeats=3, at_most=60.0)],
        profiles=[Profile(paper="toy", unit="seed 1", seconds=2.0, shares=[Share(where="imports", share=0.25)])],
    )


def page_of(results: Results) -> str:
    return results_page(Benchmarks(machines=[results]))


def test_ratio_is_the_geometric_mean_with_its_t_interval() -> None:
    (found,) = some_results().ratios
    assert found.ratio == pytest.approx(6.0)  # of 4 and 9
    # log 4 and log 9 are log(1.5) above and below their mean; t(0.975, 1) = 12.7062.
    half = 12.7062 * math.sqrt(2) * math.log(1.5) / math.sqrt(2)
    assert found.low == pytest.approx(6 / math.exp(half), rel=1e-4)
    assert found.high == pytest.approx(6 * math.exp(half), rel=1e-4)
    assert (found.slow_seconds, found.fast_seconds, found.repeats) == (13.0, 2.0, 2)


def test_pairs_are_measured_in_turn_and_the_first_of_a_pair_alternates() -> None:
    said: list[str] = []

    def way(name: str, seconds: float) -> Any:
        def measure() -> float:
            said.append(name)
            return seconds

        return measure

    assert pairs.measure_pairs(way("slow", 2.0), way("fast", 1.0), 3) == [(2.0, 1.0)] * 3
    assert said == ["slow", "fast", "fast", "slow", "slow", "fast"]


def test_operations_of_a_network_are_those_counted_by_hand() -> None:
    # One LSTM step: four gates, each a product of 100 units with 1 input and 100 states; then 100 weights to 1 output.
    forward = 2 * 4 * 100 * 101 + 2 * 100
    days = int(0.72 * 1259) - 1
    assert workers.training_operations("lstm", 1, epochs=1) == 3 * forward * days
    one, thirty = (workers.training_operations("lstm_gru", window, epochs=1) for window in (1, 30))
    assert thirty / one == pytest.approx(30 * (days - 29) / days, rel=0.01)


def test_operations_of_a_step_of_dlep_are_those_counted_by_hand() -> None:
    # 20 events of 4 attributes to 32 channels, 10 rows to 64, 5 rows left: 1280 features to 600, and 8 indicators.
    convolutions = 20 * 4 * 9 * 32 + 10 * 4 * 9 * 32 * 64
    layers = 1280 * 600 + 8 * 600 + 2 * 1200 * 600 + 1200 * 5
    assert dlep.operations() == 3 * 24 * 2 * (convolutions + layers)


@pytest.mark.parametrize(("fast", "said"), [(60.0, "reached"), (58.0, "missed"), (66.0, "missed")])
def test_scores_of_two_ways_stand_beside_their_speed(fast: float, said: str) -> None:
    (one,) = some_results().ratios
    scores = Scores(metric="accuracy (%)", fast=fast, slow=62.0, allowed=2.5)
    page = page_of(msgspec.structs.replace(some_results(), ratios=[msgspec.structs.replace(one, scores=scores)]))
    assert f"accuracy (%) {fast:g} and 62: ≤ 2.5 apart" in page
    assert said in page
    assert "apart" not in page_of(some_results())


def test_feature_extraction_is_compared_with_one_that_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = features.windows_against_pandas(2)
    assert found.ratio > 1
    right = features.sliding_windows
    monkeypatch.setattr(features, "sliding_windows", lambda series, width: right(series + 1, width))
    with pytest.raises(AssertionError):
        features.windows_against_pandas(1)


def test_results_come_back_as_they_were_written() -> None:
    assert BENCHMARKS.read() is None
    benchmarks = Benchmarks(machines=[some_results(goal=5.0)])
    BENCHMARKS.write(benchmarks)
    assert BENCHMARKS.read() == benchmarks


def test_results_that_cannot_be_read_are_one_error() -> None:
    BENCHMARKS.path().write_text('{"schema": 2}', encoding="utf-8")
    with pytest.raises(RecordError, match="make bench"):
        BENCHMARKS.read()


def test_what_was_not_measured_again_on_the_same_machine_is_kept() -> None:
    old = some_results(goal=5.0)
    quantity = msgspec.structs.replace(old.quantities[0], name="reading", median=1.0)
    new = msgspec.structs.replace(
        some_results(goal=7.0), time="2026-02-01T00:00:00Z", quantities=[quantity], profiles=[]
    )
    (both,) = updated(Benchmarks(machines=[old]), new).machines
    assert both.ratios == new.ratios
    assert both.quantities == [*old.quantities, quantity]
    assert both.profiles == old.profiles
    assert both.time == new.time
    assert updated(None, new) == Benchmarks(machines=[new])


def test_what_another_machine_measured_stays_in_its_own_table_until_it_is_measured_again() -> None:
    old = some_results()
    faster = msgspec.structs.replace(old, processor="Faster CPU", quantities=[], profiles=[])
    both = updated(Benchmarks(machines=[old]), faster)
    assert both.machines == [msgspec.structs.replace(old, ratios=[]), faster]
    page = results_page(both)
    assert page.index("Fast &lt;CPU&gt;") < page.index(">book<") < page.index("Faster CPU") < page.index("slow way")
    everything = msgspec.structs.replace(old, cores=64)
    assert updated(both, everything) == Benchmarks(machines=[everything])


def test_one_thing_measured_against_two_others_has_two_ratios() -> None:
    old = some_results()
    other = msgspec.structs.replace(old.ratios[0], slow="a third way", ratio=2.0)
    (both,) = updated(Benchmarks(machines=[old]), msgspec.structs.replace(old, ratios=[other])).machines
    assert both.ratios == [*old.ratios, other]


@pytest.mark.parametrize(("goal", "mark"), [(5.0, "✓"), (6.0, "?"), (7.0, "✗")])
def test_page_says_which_goals_the_whole_interval_reaches(goal: float, mark: str) -> None:
    narrow = pairs.ratio("reading", "slow way", "fast way", [(12.0, 2.0), (12.1, 2.0), (11.9, 2.0)], goal)
    page = page_of(msgspec.structs.replace(some_results(), ratios=[narrow]))
    row = next(row for row in page.split("<tr>") if "slow way" in row)
    assert mark in row
    assert ">6<" in row
    book = next(row for row in page.split("<tr>") if ">book<" in row)
    assert "✗" in book
    assert "25 %" in page
    assert "<CPU>" not in page


def test_page_without_results_says_so() -> None:
    assert "make bench" in results_page(None) or "not been run" in results_page(None)
