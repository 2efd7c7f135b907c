"""Scores of picks in tested windows (Tables 3 and 4, Fig. 36): all, strong and weak signals, and few components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Rows, Windows
from reproduce_lib.data.waveforms import COMPONENTS, RATE
from reproduce_lib.papers.adamopoulou2023.judged import Judged
from reproduce_lib.papers.adamopoulou2023.pickers import (
    PHASES,
    SUBSETS,
    THRESHOLDS,
    TOLERANCES,
    Picker,
    PickerParameters,
)
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW
from reproduce_lib.picks import Counts, Picks, match, match_windows


def by_signal(
    found: Judged,
    picker: Picker,
    parameters: PickerParameters,
    windows: Windows,
    high: NDArray[np.bool_],
    records: Rows,
) -> None:
    """Score all tested windows, those above and those up to 20 dB, and other tolerances and thresholds."""
    kept = windows if parameters.components == "enz" else _with_components(windows, parameters.components)
    picks = picker.picks(kept)
    for number, phase in enumerate(PHASES):
        arrivals = windows.arrivals[:, :, number]
        chosen = picks[number].above(picker.thresholds[number])
        matched = match_windows(chosen, arrivals, WINDOW, parameters.tolerance * RATE)
        found.counts[phase] = Counts(*matched.sum(axis=0).tolist())
        np.add.at(found.records[:, number, 0], records, matched)
        for tolerance in TOLERANCES:
            found.counts[f"{phase},within {tolerance} s"] = match(chosen, arrivals, WINDOW, tolerance * RATE)
        for threshold in THRESHOLDS:
            above = picks[number].above(threshold)
            found.counts[f"{phase},from {threshold}"] = match(above, arrivals, WINDOW, parameters.tolerance * RATE)
    count_by_signal(found, picker, picks, windows, high)


def count_by_signal(
    found: Judged,
    picker: Picker,
    picks: Sequence[Picks],
    windows: Windows,
    high: NDArray[np.bool_],
    place: str = "",
) -> None:
    """Count the windows above and those up to 20 dB apart."""
    for phase, number, ending, chosen, tolerance in picker.readings(picks):
        for name, rows in (("high", high), ("low", ~high)):
            counted = _match_among(chosen, windows.arrivals[:, :, number], rows, tolerance)
            found.counts[f"{phase}{place},{name}{ending}"] = counted


def by_component(found: Judged, picker: Picker, windows: Windows, records: Rows) -> None:
    """Score the components that Table 4 has, on records above 20 dB that hold all three."""
    for column, subset in enumerate(SUBSETS, start=1):
        picks = picker.picks(_with_components(windows, subset))
        for phase, number, ending, chosen, tolerance in picker.readings(picks):
            matched = match_windows(chosen, windows.arrivals[:, :, number], WINDOW, tolerance)
            found.counts[f"{phase},{subset},high{ending}"] = Counts(*matched.sum(axis=0).tolist())
            if not ending:
                np.add.at(found.records[:, number, column], records, matched)


def _with_components(windows: Windows, subset: str) -> Windows:
    """Keep some components, the others 0."""
    kept = np.array([letter.lower() in subset for letter in COMPONENTS])
    return Windows(np.where(kept, windows.values, np.float32(0)), windows.arrivals)


def _match_among(picks: Picks, arrivals: NDArray[np.float64], rows: NDArray[np.bool_], tolerance: float) -> Counts:
    """Match within some windows only; the tolerance is in samples."""
    own = rows[picks.window]
    kept = Picks(picks.window[own], picks.sample[own], picks.score[own])
    return match(kept, np.where(rows[:, None], arrivals, np.nan), WINDOW, tolerance)
