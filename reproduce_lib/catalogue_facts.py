"""What a catalogue holds, and how far two of them agree, as the numbers that a page shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.magnitude_frequency import b_value, completeness_by_fit, completeness_magnitude
from reproduce_lib.monthly import Months, monthly_magnitudes

Magnitudes = NDArray[np.float64]
# Magnitudes are written with one decimal: this far apart, two of them are neighbours at most.
WITHIN_A_TENTH = 0.15


def catalogue_facts(events: pd.DataFrame, months: Months) -> dict[str, float | str]:
    """Count events and empty months, and estimate from which magnitude on a catalogue is complete.

    Parameters
    ----------
    events : columns time (UTC) and magnitude; at least one event
    months : consecutive months that the catalogue covers

    Returns
    -------
    events, first_month, last_month, empty_months, smallest_magnitude, completeness and, where enough events
    are complete, b_value, b_error and complete_events; where a Gutenberg-Richter law fits, from which magnitude
    on (fitted_from), how much of the counts it explains at least (explained), fitted_b_value, fitted_b_error and
    fitted_events
    """
    times, magnitudes = events["time"].dt.tz_localize(None).to_numpy(), events["magnitude"].to_numpy()
    largest = monthly_magnitudes(times, magnitudes, months, "maximum")
    complete = completeness_magnitude(magnitudes)
    facts: dict[str, float | str] = {
        "events": float(len(events)),
        "first_month": str(months[0]),
        "last_month": str(months[-1]),
        "empty_months": float(np.isnan(largest).sum()),
        "smallest_magnitude": float(magnitudes.min()),
        "completeness": complete,
    }
    if slope := b_value(magnitudes, complete):
        facts |= {"b_value": slope.b, "b_error": slope.standard_error, "complete_events": float(slope.events)}
    fit = completeness_by_fit(magnitudes)
    if fit is not None and (slope := b_value(magnitudes, fit.completeness)):
        facts |= {"fitted_from": fit.completeness, "explained": fit.explained}
        facts |= {"fitted_b_value": slope.b, "fitted_b_error": slope.standard_error}
        facts["fitted_events"] = float(slope.events)
    return facts


def monthly_agreement(months: Months, first: Magnitudes, second: Magnitudes) -> dict[str, float | str]:
    """Hold two series of the same months against each other; months that one of them lacks are left out.

    Parameters
    ----------
    first, second : magnitudes, ``nan`` for a month without an event; shape (months,)

    Returns
    -------
    months, first_month, mean_difference (second less first), mean_absolute_difference, largest_difference,
    within_a_tenth (a share of the months) and correlation
    """
    both = ~(np.isnan(first) | np.isnan(second))
    difference = second[both] - first[both]
    apart = np.abs(difference)
    return {
        "months": float(both.sum()),
        "first_month": str(months[both][0]),
        "mean_difference": float(difference.mean()),
        "mean_absolute_difference": float(apart.mean()),
        "largest_difference": float(apart.max()),
        "within_a_tenth": float((apart < WITHIN_A_TENTH).mean()),
        "correlation": float(np.corrcoef(first[both], second[both])[0, 1]),
    }
