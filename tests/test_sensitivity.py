from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from reproduce_lib.claims import PaperClaims
from reproduce_lib.execution.study import UnitStatus
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.papers.naufal2023.paper import PAPER
from reproduce_lib.records import Record
from reproduce_lib.sensitivity import (
    DEFAULT,
    Share,
    last_against_best,
    lowest_in,
    measured_by_reading,
    naive_ahead,
    reading_labels,
    reading_of,
    scatter_of,
)
from reproduce_lib.units import UnitParameters
from tests.support import value_row

SPANS = ("ticker", "window", "model")


def recorded(unit: UnitParameters, **metrics: float) -> UnitStatus:
    record = Record(key=unit.key, parameters={}, metrics=dict(metrics), n=1, seconds=1, time="", context="c")
    return UnitStatus(unit, "fresh", record)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"ticker": "GOOG", "window": 1, "model": "lstm", "seed": 7}, None),
        ({"relu": "output", "seed": 3}, ("relu", "output")),
        ({"shuffle": False, "ticker": "TWTR"}, ("shuffle", False)),
        ({"hybrid_dropout": 0.0}, ("hybrid_dropout", 0.0)),
        ({"backend": "tensorflow"}, ("backend", "tensorflow")),
    ],
)
def test_reading_is_the_one_decision_that_was_changed(values: dict[str, Any], expected: Any) -> None:
    assert reading_of(NetworkParameters.of(**values), SPANS) == expected


def test_what_is_spanned_is_no_reading_and_what_is_not_is_one() -> None:
    unit = NetworkParameters.of(window=1)
    assert reading_of(unit, SPANS) is None
    assert reading_of(unit, ("ticker",)) == ("window", 1)


def test_two_decisions_at_once_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"split.*scaler|scaler.*split"):
        reading_of(NetworkParameters.of(scaler="all", split="train70_val10_test20"), SPANS)


def test_one_row_per_recorded_unit_with_its_naive_error() -> None:
    default = NetworkParameters.of(ticker="GOOG", window=1, model="lstm", seed=2)
    shuffled = default.with_values(split="shuffled72_8_20")
    inside = default.with_values(context="inside")
    statuses = [
        recorded(default, mae=2.0, rmse=9.0),
        recorded(shuffled, mae=1.5, rmse=9.0),
        recorded(inside, mae=2.5, rmse=9.0),
        UnitStatus(default.with_values(seed=3), "missing"),
        recorded(BaselineParameters.of(ticker="GOOG"), mae=1.0),
        recorded(BaselineParameters.of(ticker="GOOG", split="shuffled72_8_20"), mae=0.5),
        recorded(BaselineParameters.of(ticker="TSLA", skip_days=1), mae=7.0),
    ]
    frame = measured_by_reading(statuses, PAPER, "networks", "mae", SPANS)
    assert frame[["parameter", "value", "seed", "error"]].to_numpy().tolist() == [
        [DEFAULT, "", 2, 2.0], ["split", "shuffled72_8_20", 2, 1.5], ["context", "inside", 2, 2.5]
    ]  # fmt: skip
    assert frame[list(SPANS)].drop_duplicates().to_numpy().tolist() == [["GOOG", 1, "lstm"]]
    # The naive error is of the same test days, and unknown where those were never forecast naively.
    assert frame["naive"].tolist()[:2] == [1.0, 0.5]
    assert pd.isna(frame["naive"].iloc[2])


def test_nothing_recorded_gives_an_empty_frame_with_its_columns() -> None:
    frame = measured_by_reading([], PAPER, "networks", "mae", SPANS)
    assert frame.empty
    assert list(frame.columns) == ["parameter", "value", *SPANS, "seed", "error", "naive"]


def test_scatter_is_that_of_one_more_run_and_counts_what_is_printed_in_it() -> None:
    """Two runs of 1 and 3: mean 2, deviation root of 2, Student's t of one degree of freedom 12.706."""
    near = NetworkParameters.of(ticker="GOOG", window=1, model="lstm")
    far, alone = near.with_values(ticker="TSLA"), near.with_values(ticker="TWTR")
    runs = {near: (1.0, 3.0), far: (10.0, 10.1), alone: (5.0,)}
    statuses = [
        recorded(unit.with_values(seed=seed, **reading), mae=value * scale)
        for unit, values in runs.items()
        for seed, value in enumerate(values)
        for reading, scale in (({}, 1.0), ({"shuffle": False}, 100.0))
    ]
    frames = {"mae": measured_by_reading(statuses, PAPER, "networks", "mae", SPANS)}
    claims = [
        value_row(printed=printed, conditions={"ticker": unit.ticker, "window": 1, "model": "lstm"}).claim
        for unit, printed in ((near, "20.00"), (far, "12.00"), (alone, "5.00"))
    ]
    found = scatter_of(frames, claims, DEFAULT, SPANS)
    half_widths = [12.7062 * deviation * 1.5**0.5 for deviation in (2**0.5, 0.1 / 2**0.5)]
    assert found is not None
    assert found.half_width == pytest.approx(np.mean([half_widths[0] / 2, half_widths[1] / 10.05]), rel=1e-4)
    assert found.within == (True, False)
    under_another = scatter_of(frames, claims, "shuffle", SPANS)
    assert under_another is not None and under_another.within == (True, False)
    assert scatter_of(frames, claims[2:], DEFAULT, SPANS) is None


def test_labels_cover_every_reading_of_the_claims_and_match_the_frame() -> None:
    others = [{"value": False, "says": "s"}, {"value": True, "says": "t"}]
    decision = {"parameter": "shuffle", "question": "q", "chosen": True, "reason": "r", "others": others}
    head = {"schema": 1, "paper": "p", "title": "t", "citation": "c", "in_a_sentence": "s", "claims": []}
    labels = reading_labels(PaperClaims.model_validate({**head, "decisions": [decision]}))
    assert list(labels) == [(DEFAULT, ""), ("shuffle", "False"), ("shuffle", "True")]
    unit = NetworkParameters.of(shuffle=False)
    frame = measured_by_reading([recorded(unit, mae=1.0)], PAPER, "networks", "mae", SPANS)
    assert tuple(frame.loc[0, ["parameter", "value"]]) in labels
    assert len(set(labels.values())) == len(labels)


def test_a_label_is_in_words_but_for_numbers_and_told_apart() -> None:
    says = {"day_1": "Left out, so far", "day_2": "Left out, for good", "day_3": "Kept; always", 4: "Four"}
    others = [{"value": value, "says": words} for value, words in says.items()]
    decision = {"parameter": "last_day", "question": "q", "chosen": 0, "reason": "r", "others": others}
    head = {"schema": 1, "paper": "p", "title": "t", "citation": "c", "in_a_sentence": "s", "claims": []}
    labels = reading_labels(PaperClaims.model_validate({**head, "decisions": [decision]}))
    assert list(labels.values())[1:] == [
        "last day: Left out, so far",
        "last day: Left out, for good",
        "last day: Kept",
        "last day 4",
    ]


def test_naive_forecast_is_held_against_what_is_printed_for_the_same_share_and_window_on_the_days_of_a_reading() -> (
    None
):
    rows = [
        ("split", "a", "TSLA", 1, 5.0),
        ("split", "a", "GOOG", 1, 2.0),
        ("split", "b", "TSLA", 1, 9.0),
        (DEFAULT, "", "TSLA", 1, 9.0),
    ]
    frame = pd.DataFrame(rows, columns=["parameter", "value", "ticker", "window", "naive"]).assign(model="lstm")

    def claim(printed: str, ticker: str) -> Any:
        conditions = {"ticker": ticker, "window": 1, "model": "lstm"}
        return value_row(printed=printed).claim.model_copy(update={"conditions": conditions, "metric": "mae"})

    printed = [claim("5.0", "TSLA"), claim("1.9", "GOOG"), claim("1.0", "TWTR")]
    # Equal to what is printed is as good; of the third share nothing was run.
    assert naive_ahead({"mae": frame}, printed, ("split", "a"), SPANS) == Share(1, 2)
    assert naive_ahead({"mae": frame}, printed, ("split", "b"), SPANS) == Share(0, 1)
    assert naive_ahead({"mae": frame}, printed, ("split", "c"), SPANS) == Share(0, 0)


def test_lowest_of_all_models_counts_runs_in_which_each_is_there() -> None:
    errors = {"a": (1.0, 3.0, 1.0), "b": (2.0, 2.0, 2.0), "c": (3.0, 4.0)}
    frame = pd.DataFrame(
        [
            {"seed": seed, "ticker": "GOOG", "window": 1, "model": model, "error": error}
            for model, found in errors.items()
            for seed, error in enumerate(found)
        ]
    )
    run = ["seed", "ticker", "window"]
    assert lowest_in(frame, "a", "abc", run) == Share(1, 2)  # the first run of two; c has no third
    assert lowest_in(frame, "b", "abc", run) == Share(1, 2)
    assert lowest_in(frame, "a", "abcd", run) == Share(0, 0)
    assert lowest_in(frame, "b", "b", run) == Share(3, 3)  # of itself alone


def test_last_loss_against_the_least_is_in_means_over_runs() -> None:
    curves = [np.array([4.0, 1.0, 2.0]), np.array([5.0, 3.0, 6.0])]
    assert last_against_best(curves) == pytest.approx((2 + 6) / (1 + 3))
