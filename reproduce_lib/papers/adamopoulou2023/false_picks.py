"""Picks where nothing is to be picked (Fig. 37): noise with and without a defect, and hours without a label."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import ARTIFACTS, Values, Windows, add_artifacts, slices
from reproduce_lib.data.continuous import ContinuousRecord, load_continuous
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.judged import Judged
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, READINGS, Picker, PickerParameters, candidates
from reproduce_lib.papers.adamopoulou2023.samples import DEFECTS, NOISE, WINDOW, Fold, Study, noise_windows
from reproduce_lib.triggers import LONG, sta_lta

NOISE_WINDOWS = 200
# A window of the continuous records is quiet where the ratio of averages stays below this.
QUIET_BELOW = 3.0


def defects(found: Judged, picker: Picker, parameters: PickerParameters, study: Study, fold: Fold, number: int) -> None:
    """Count picks in noise of the tested stations, as it is and with each defect."""
    noise = noise_windows(study.noise, fold.test_noise, NOISE_WINDOWS, parameters.generator(NOISE, number))
    plain = Windows(noise, np.full((len(noise), 1, len(PHASES)), np.nan))
    hours = len(noise) * WINDOW / RATE / 3600
    for kind in ("none", *ARTIFACTS):
        # The same place and size for each kind.
        generator = parameters.generator(DEFECTS, number)
        made = add_artifacts(plain, np.full(len(noise), kind), generator)
        for _, _, ending, chosen in picker.readings(picker.picks(made)):
            before = found.rates.get(f"{kind}{ending}", (0.0, hours))
            found.rates[f"{kind}{ending}"] = before[0] + len(chosen.window), hours


def continuous(found: Judged, picker: Picker) -> None:
    """Count picks in hours of record that nobody labelled, and in those of their windows that no trigger finds."""
    for values, quiet in _continuous_windows():
        per_window = {ending: np.zeros(len(values), dtype=int) for ending in READINGS}
        for _, _, ending, chosen in picker.readings(candidates(picker.give, values)):
            per_window[ending] += np.bincount(chosen.window, minlength=len(values))
        for name, rows in (("continuous", np.full(len(values), True)), ("quiet", quiet)):
            hours = rows.sum() * WINDOW / RATE / 3600
            for ending, picked in per_window.items():
                before = found.rates.get(f"{name}{ending}", (0.0, 0.0))
                found.rates[f"{name}{ending}"] = before[0] + float(picked[rows].sum()), before[1] + hours


@cache
def continuous_records() -> tuple[ContinuousRecord, ...]:
    """Return the hours of record that nobody labelled."""
    return tuple(load_continuous())


@cache
def _continuous_windows() -> list[tuple[Values, NDArray[np.bool_]]]:
    """Return the windows of each continuous record that are whole, and which of them no trigger finds."""
    return [_windows_of(record.values) for record in continuous_records()]


def _windows_of(record: Values) -> tuple[Values, NDArray[np.bool_]]:
    """Cut a record (samples, 3) into windows that are whole, and tell which of them are quiet.

    A trigger is blind while its long average fills, so each window is looked at with what was recorded in the
    seconds before it; where that is not whole, nobody knows that a window is quiet.
    """
    lead = round(LONG * RATE)
    starts = np.arange(0, len(record) - WINDOW + 1, WINDOW)
    windows = slices(record[None], np.zeros(len(starts), dtype=np.intp), starts, WINDOW)
    whole = ~np.isnan(windows).any(axis=(1, 2))
    led = starts >= lead
    before = slices(record[None], np.zeros(led.sum(), dtype=np.intp), starts[led] - lead, lead + WINDOW)
    quiet = np.zeros(len(starts), dtype=bool)
    seen = ~np.isnan(before).any(axis=(1, 2))
    quiet[np.flatnonzero(led)[seen]] = sta_lta(before[seen], RATE) < QUIET_BELOW
    return windows[whole], quiet[whole]
