"""The picker that learns nothing: a ratio of averages on the vertical for P, on the horizontals for S, and an onset."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Values
from reproduce_lib.data.waveforms import COMPONENTS, RATE
from reproduce_lib.papers.adamopoulou2023.pickers import PickerParameters
from reproduce_lib.papers.adamopoulou2023.scores import judge_on_folds
from reproduce_lib.picks import SEPARATION
from reproduce_lib.triggers import band_passed
from reproduce_lib.units import UnitResult

# Averages, in samples, short enough for S minus P of near earthquakes.
SHORT, LONG = 3 * RATE // 10, 3 * RATE
# What is put before a window so that its first seconds are heard too: as long as the filter rings, and as long as the
# averages take to forget that they began at 0.
SETTLING, FILLING = 3 * RATE, 5 * LONG
# The ratio from which a peak is looked at, and where its onset is looked for.
LEAST_RATIO = 1.5
ONSET_BEFORE, ONSET_AFTER = 2 * RATE, RATE // 2
# A second with less than this part of the median second's power was not recorded.
GAP_POWER = 1e-3
# Which components each phase is looked for on, the better ones first.
PREFERRED = (("Z", "EN"), ("EN", "Z"))


class TriggerParameters(PickerParameters):
    """The picker without training, on the folds of a network."""

    experiment: ClassVar[str] = "trigger_picker"


def run_trigger_picker(parameters: TriggerParameters) -> UnitResult:
    """Choose the thresholds on each fold's validation records, and judge on its tested ones."""
    return judge_on_folds(trigger_probability, parameters)


def trigger_probability(values: Values) -> NDArray[np.float32]:
    """Return at the onsets of P and S (ratio - 1) / (ratio + 1), else 0, and what they leave for noise.

    The shape is that of a network's probabilities, (windows, times, 3).

    What shakes the horizontals is S only if it comes after the surest P of the window: P shakes them too.
    """
    mirrored = np.pad(values, ((0, 0), (SETTLING, 0), (0, 0)), mode="reflect")
    filtered = band_passed(mirrored, RATE, causal=True)[:, SETTLING:]
    found = np.zeros((*values.shape[:2], 3), dtype=np.float32)
    for window, record in enumerate(filtered):
        for phase, preferred in enumerate(PREFERRED, start=1):
            own = _live(record, preferred)
            if own.shape[1]:
                samples, ratios = onsets(own)
                np.maximum.at(found[window, :, phase], samples, ((ratios - 1) / (ratios + 1)).astype(np.float32))
        # Two picks cannot stand closer either.
        found[window, : found[window, :, 1].argmax() + SEPARATION, 2] = 0
    found[:, :, 0] = np.maximum(1 - found[:, :, 1] - found[:, :, 2], 0)
    return found


def onsets(record: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return where something begins on any component (times, components), and the ratio of averages that it reaches.

    The peak of the ratio comes late; the onset is where Akaike's criterion for a change of variance is least (Maeda
    1985) shortly before it.
    """
    from obspy.signal.trigger import aic_simple
    from scipy.signal import find_peaks

    ratios = np.stack([_ratios(one) for one in record.T], axis=1)
    peaks = find_peaks(ratios.max(axis=1), height=LEAST_RATIO, distance=SEPARATION)[0]
    samples = []
    for peak in peaks:
        first = max(peak - ONSET_BEFORE, 0)
        around = record[first : peak + ONSET_AFTER, ratios[peak].argmax()]
        samples.append(first + int(np.argmin(aic_simple(around)[1:-1])) + 1)
    return np.array(samples, dtype=np.intp), ratios[peaks].max(axis=1)


def _ratios(component: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ObsPy's ratio of recursive averages, as if it had been quiet before the first sample.

    ObsPy's is 0 until the long average has filled; an earthquake that begins there would be missed.
    """
    from obspy.signal.trigger import recursive_sta_lta

    before = np.full(FILLING, np.sqrt(_quiet_power(component)))
    found: NDArray[np.float64] = recursive_sta_lta(np.concatenate([before, component]), SHORT, LONG)[FILLING:]
    return found


def _quiet_power(component: NDArray[np.float64]) -> float:
    """Return the power that three quarters of the window's seconds exceed, without those of a gap."""
    seconds = (component[: len(component) // RATE * RATE].reshape(-1, RATE) ** 2).mean(axis=1)
    # A filter rings on into a gap, which is shorter than half of a window.
    return float(np.quantile(seconds[seconds >= GAP_POWER * np.median(seconds)], 0.25))


def _live(record: NDArray[np.float64], preferred: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the first of several choices of components of which any was recorded."""
    for letters in preferred:
        own = record[:, [COMPONENTS.index(letter) for letter in letters]]
        if (live := own.any(axis=0)).any():
            return own[:, live]
    return record[:, :0]
