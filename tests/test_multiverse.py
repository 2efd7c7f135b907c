"""Specifications out of records, where a printed number stands among them, and what leads there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce_lib.execution.study import UnitStatus
from reproduce_lib.figures.specification_curve import draw_specification_curve
from reproduce_lib.multiverse import choices_behind, specifications, standing
from reproduce_lib.papers.asma2024.networks import NetworkParameters
from reproduce_lib.records import Record

KINDS = {"mae": {"error": "held out"}, "mae_in_sample": {"error": "in sample"}}


def status(metrics: dict[str, float | str] | None, **values: Any) -> UnitStatus:
    unit = NetworkParameters.of(profile="custom", source="simulated", **values)
    if metrics is None:
        return UnitStatus(unit, "missing")
    record = Record(
        key=unit.key, parameters={}, metrics=metrics, n=1, seconds=1.0, time="2026-01-01T00:00:00Z", context="0" * 16
    )
    return UnitStatus(unit, "fresh", record)


def test_each_unit_gives_a_row_per_kind_of_error_in_ascending_order() -> None:
    statuses = [
        status({"mae": 0.5, "mae_in_sample": 0.2}, window=6),
        status({"mae": 0.4, "mae_in_sample": 0.3}, window=12),
        status(None, window=24),
    ]
    frame = specifications(statuses, ["window"], KINDS)
    assert frame.to_dict("list") == {
        "window": ["6", "12", "12", "6"],
        "error": ["in sample", "in sample", "held out", "held out"],
        "value": [0.2, 0.3, 0.4, 0.5],
    }


def test_a_kind_of_error_that_a_unit_has_not_measured_is_no_row() -> None:
    assert specifications([status({"mae": 0.5}, window=6)], ["window"], KINDS)["error"].tolist() == ["held out"]


def test_nothing_recorded_is_an_empty_table_with_its_columns() -> None:
    frame = specifications([], ["window"], KINDS)
    assert frame.empty and list(frame.columns) == ["window", "error", "value"]


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0, 10))
def test_standing_counts_what_is_as_low(values: list[float], printed: float) -> None:
    found = standing(values, printed)
    assert found.specifications == len(values)
    assert found.reached == sum(value <= printed for value in values)
    assert found.near == sum(abs(value - printed) <= 0.1 * printed for value in values)
    assert found.smallest <= found.median <= found.largest
    assert str(found) == f"{found.reached} of {len(values)}"


def test_among_no_specifications_nothing_is_reached_and_nothing_is_smallest() -> None:
    found = standing([], 0.3)
    assert (found.specifications, found.reached, found.near, str(found)) == (0, 0, 0, "0 of 0")
    assert np.isnan(found.smallest)


def test_shares_by_hand() -> None:
    frame = pd.DataFrame(
        {"window": ["6", "6", "12", "12"], "error": ["a", "b", "a", "b"], "value": [1.0, 2.0, 3.0, 4.0]}
    )
    behind = choices_behind(frame, frame["value"] <= 3, ["window", "error"])
    assert behind[["choice", "value"]].to_numpy().tolist() == [
        ["window", "12"],
        ["window", "6"],
        ["error", "a"],
        ["error", "b"],
    ]
    np.testing.assert_allclose(behind["among_reached"], [1 / 3, 2 / 3, 2 / 3, 1 / 3])
    np.testing.assert_allclose(behind["among_all"], 0.5)


def test_when_nothing_got_there_no_share_is_claimed() -> None:
    frame = pd.DataFrame({"window": ["6", "12"], "value": [1.0, 2.0]})
    assert choices_behind(frame, frame["value"] < 0, ["window"])["among_reached"].isna().all()


@pytest.mark.filterwarnings("error")
def test_the_curve_has_a_strip_per_value_and_marks_the_reference() -> None:
    frame = pd.DataFrame(
        {"window": ["6", "12", "6", "12"], "error": ["a", "a", "b", "b"], "value": [0.1, 0.2, 0.3, 0.4]}
    )
    figure = draw_specification_curve(
        frame, 0.25, {"window": "12", "error": "a"}, {"error": "error", "window": "window"}, unit="magnitude"
    )
    above, below = figure.axes
    assert [label.get_text() for label in below.get_yticklabels()] == [
        "error: a",
        "error: b",
        "window: 12",
        "window: 6",
    ]
    (reference,) = [line for line in above.lines if line.get_marker() == "D"]
    assert (list(reference.get_xdata()), list(reference.get_ydata())) == ([1], [0.2])
    strips = np.asarray(below.images[0].get_array())
    assert strips.tolist() == [[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 1, 0]]
    assert above.get_ylim()[1] > 0.25
