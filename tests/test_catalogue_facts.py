"""Counts of a catalogue and agreement of two series, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from reproduce_lib.catalogue_facts import catalogue_facts, monthly_agreement
from reproduce_lib.magnitude_frequency import b_value
from reproduce_lib.monthly import months_between


def events(*rows: tuple[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["time", "magnitude"])
    frame["time"] = pd.to_datetime(frame["time"], utc=True, format="ISO8601")
    return frame


def test_months_that_a_catalogue_covers_without_an_event_are_counted_at_the_edges_too() -> None:
    found = catalogue_facts(
        events(("2015-03-05", 5.0), ("2015-03-09", 5.0), ("2015-05-01", 4.0)), months_between("2015-01", "2015-06")
    )
    assert found == {
        "events": 3.0, "first_month": "2015-01", "last_month": "2015-06", "empty_months": 4.0,
        "smallest_magnitude": 4.0, "completeness": 5.2,
    }  # fmt: skip


def test_slope_is_that_of_the_complete_events() -> None:
    magnitudes = 4.0 + np.round(np.random.default_rng(0).exponential(np.log10(np.e), 2000), 1)
    frame = events(*((f"2015-01-{1 + i % 28:02d}", float(one)) for i, one in enumerate(magnitudes)))
    found = catalogue_facts(frame, months_between("2015-01", "2015-01"))
    slope = b_value(magnitudes, float(found["completeness"]))
    assert slope is not None
    assert (found["b_value"], found["b_error"], found["complete_events"]) == (
        slope.b,
        slope.standard_error,
        slope.events,
    )


def test_agreement_leaves_out_months_that_one_series_lacks() -> None:
    first = np.array([np.nan, 5.0, 6.0, 5.5, 7.0])
    second = np.array([5.0, 5.1, np.nan, 5.1, 7.3])
    assert monthly_agreement(months_between("2015-01", "2015-05"), first, second) == {
        "months": 3.0,
        "first_month": "2015-02",
        "mean_difference": pytest.approx(0.0, abs=1e-12),  # 0.1, -0.4 and 0.3
        "mean_absolute_difference": pytest.approx(0.8 / 3),
        "largest_difference": pytest.approx(0.4),
        "within_a_tenth": pytest.approx(1 / 3),
        "correlation": pytest.approx(np.corrcoef([5.0, 5.5, 7.0], [5.1, 5.1, 7.3])[0, 1]),
    }
