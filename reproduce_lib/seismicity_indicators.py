"""The eight seismicity indicators of Panakkat & Adeli (2007), of many patterns at once.

Li et al. (2021) take them over by way of Zhang et al. (2019) and print their names only. Each is computed from the
times and magnitudes of the events of one pattern. Magnitudes are binned first: a catalogue writes them with one
decimal, so that equal magnitudes are exact ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.magnitude_frequency import BIN_WIDTH

Values = NDArray[np.float64]

INDICATORS = (
    "elapsed_time",
    "mean_magnitude",
    "root_energy_rate",
    "b_value",
    "mean_square_deviation",
    "magnitude_deficit",
    "characteristic_time",
    "coefficient_of_variation",
)
# Catalogues give times to the second: events of one second are taken to be one second apart.
SHORTEST_DAYS = 1 / 86_400


def seismicity_indicators(days: Values, magnitudes: Values, *, characteristic: float) -> Values:
    """Return the eight indicators of each pattern, in the order of `INDICATORS`; all are finite.

    ======================== ========================================================= ==============
    indicator                formula (n events, times t, magnitudes M)                 unit
    ======================== ========================================================= ==============
    elapsed_time             T = t_n - t_1                                             days
    mean_magnitude           sum of M / n                                              magnitude
    root_energy_rate         sum of E^(1/2) / T, E = 10^(11.8 + 1.5 M)                 erg^(1/2) / day
    b_value                  least squares of log10 N(>= M) = a - b M over the events  1 / magnitude
    mean_square_deviation    sum of (log10 N - (a - b M))^2 / (n - 1)                  1
    magnitude_deficit        largest M less the largest expected one, a / b            magnitude
    characteristic_time      mean time between characteristic events                   days
    coefficient_of_variation standard deviation of those times / their mean            1
    ======================== ========================================================= ==============

    Where a formula has no value: a pattern of one second or one event lasts `SHORTEST_DAYS`; equal
    magnitudes determine no slope, so that b, the deviation and the deficit are 0; with fewer than two
    characteristic events the time between them is taken to be the whole elapsed time, and with fewer than
    three the coefficient of variation is 0.

    Parameters
    ----------
    days, magnitudes : times in days and magnitudes, in order of time, shape (patterns, events)
    characteristic : magnitude from which on an event counts as characteristic

    Returns
    -------
    shape (patterns, 8)
    """
    if days.shape != magnitudes.shape or days.ndim != 2 or not days.shape[1]:
        raise ValueError(f"times of shape {days.shape} and magnitudes of shape {magnitudes.shape} are no patterns")
    binned = np.round(magnitudes / BIN_WIDTH) * BIN_WIDTH
    elapsed = np.maximum(days[:, -1] - days[:, 0], SHORTEST_DAYS)
    root_energy = (10 ** (0.5 * (11.8 + 1.5 * binned))).sum(axis=1)
    b, deviation, deficit = _gutenberg_richter(binned)
    mean_time, variation = _characteristic(days, binned >= characteristic - BIN_WIDTH / 2, elapsed)
    return np.column_stack(
        [elapsed, binned.mean(axis=1), root_energy / elapsed, b, deviation, deficit, mean_time, variation]
    )


def _gutenberg_richter(magnitudes: Values) -> tuple[Values, Values, Values]:
    """Return b, the mean square deviation from the law and the magnitude deficit; each of shape (patterns,)."""
    count = magnitudes.shape[1]
    ascending = np.sort(magnitudes, axis=1)
    # The index of the first of equals is how many events are smaller.
    new = np.diff(ascending, axis=1, prepend=-np.inf) > BIN_WIDTH / 2
    smaller = np.maximum.accumulate(np.where(new, np.arange(count), 0), axis=1)
    logarithm = np.log10(count - smaller)
    centred = ascending - ascending.mean(axis=1, keepdims=True)
    squares = (centred**2).sum(axis=1)
    varied = new.sum(axis=1) > 1
    slope = (centred * logarithm).sum(axis=1) / np.where(varied, squares, 1.0)
    b = np.where(varied, -slope, 0.0)
    a = logarithm.mean(axis=1) + b * ascending.mean(axis=1)
    residuals = logarithm - (a[:, None] - b[:, None] * ascending)
    deviation = np.where(varied, (residuals**2).sum(axis=1) / max(count - 1, 1), 0.0)
    deficit = np.where(varied, ascending[:, -1] - a / np.where(varied, b, 1.0), 0.0)
    return b, deviation, deficit


def _characteristic(days: Values, chosen: NDArray[np.bool_], elapsed: Values) -> tuple[Values, Values]:
    """Return mean and relative standard deviation of the times between the chosen events; shape (patterns,)."""
    events = chosen.sum(axis=1)
    last = np.maximum.accumulate(np.where(chosen, days, -np.inf), axis=1)
    before = np.concatenate([np.full((len(days), 1), -np.inf), last[:, :-1]], axis=1)
    follows = chosen & np.isfinite(before)
    times = np.where(follows, days - np.where(follows, before, 0.0), 0.0)
    intervals = np.maximum(events - 1, 1)
    mean = times.sum(axis=1) / intervals
    spread = np.sqrt(np.where(follows, (times - mean[:, None]) ** 2, 0.0).sum(axis=1) / intervals)
    known = (events > 1) & (mean > 0)
    variation = np.where(known & (events > 2), spread / np.where(known, mean, 1.0), 0.0)
    return np.where(known, mean, elapsed), variation
