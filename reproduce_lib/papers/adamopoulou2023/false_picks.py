"""Picks where nothing is to be picked (Fig. 37): noise with and without a defect, and hours without a label."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import ARTIFACTS, Rows, Values, Windows, add_artifacts, slices
from reproduce_lib.data.continuous import ContinuousRecord, load_continuous
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.group_sums import summed
from reproduce_lib.papers.adamopoulou2023.judged import Judged
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, RATE_READINGS, Picker, candidates
from reproduce_lib.papers.adamopoulou2023.samples import (
    DEFECTS,
    NOISE,
    WINDOW,
    Fold,
    SampleParameters,
    Study,
    draw_noise,
)
from reproduce_lib.picks import Picks
from reproduce_lib.triggers import LONG, sta_lta

NOISE_WINDOWS = 200
WINDOW_HOURS = WINDOW / RATE / 3600
AN_HOUR = round(1 / WINDOW_HOURS)
# A window of the continuous records is quiet where the ratio of averages stays below this.
QUIET_BELOW = 3.0


def defects(found: Judged, picker: Picker, parameters: SampleParameters, study: Study, fold: Fold, number: int) -> None:
    """Count picks in noise of the tested stations, as it is and with each defect."""
    groups, made = defective_noise(parameters, study, fold, number)
    for kind, windows in made.items():
        picked = _picked(picker, picker.picks(windows), len(windows))
        for ending, picks in picked.items():
            own = summed(groups, int(study.groups.max()) + 1, picks, WINDOW_HOURS)
            found.add(f"picks_per_hour[{kind}{ending}]", own)
    if number == 0:
        found.shown["defects_shown"] = picker.probabilities(np.stack([made[kind].values[0] for kind in ARTIFACTS]))


def defective_noise(
    parameters: SampleParameters, study: Study, fold: Fold, number: int
) -> tuple[Rows, dict[str, Windows]]:
    """Return the group of each window of noise, and the windows as they are and with each defect."""
    drawn = draw_noise(study.noise, fold.test_noise, NOISE_WINDOWS, parameters.generator(NOISE, number))
    plain = Windows(drawn.cut(study.noise), np.full((NOISE_WINDOWS, 1, len(PHASES)), np.nan))
    made = {
        # The same place and size for each kind.
        kind: add_artifacts(plain, np.full(NOISE_WINDOWS, kind), parameters.generator(DEFECTS, number))
        for kind in ("none", *ARTIFACTS)
    }
    return study.noise.table["group"].to_numpy()[drawn.rows], made


def continuous(found: Judged, picker: Picker) -> None:
    """Count picks in hours of record that nobody labelled, and in those of their windows that no trigger finds.

    What intervals draw anew are hours: windows that follow one another.
    """
    records = _continuous_windows()
    ends = np.cumsum([-(-len(values) // AN_HOUR) for values, _ in records])
    for (values, quiet), end in zip(records, ends, strict=True):
        of_hour = end - 1 - np.arange(len(values))[::-1] // AN_HOUR
        for ending, picks in _picked(picker, candidates(picker.give, values), len(values)).items():
            for name, rows in (("continuous", np.full(len(values), True)), ("quiet", quiet)):
                own = summed(of_hour[rows], int(ends[-1]), picks[rows], WINDOW_HOURS)
                found.add(f"picks_per_hour[{name}{ending}]", own)


def _picked(picker: Picker, picks: list[Picks], windows: int) -> dict[str, NDArray[np.intp]]:
    """Return for each reading how many picks of P and S each window holds, shape (windows,)."""
    found = {ending: np.zeros(windows, dtype=np.intp) for ending in RATE_READINGS}
    for _, _, ending, chosen, _ in picker.readings(picks, RATE_READINGS):
        found[ending] += np.bincount(chosen.window, minlength=windows)
    return found


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
