"""The picker that learns nothing: a ratio of averages on the vertical for P, on the horizontals for S, and an onset."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Values
from reproduce_lib.data.waveforms import COMPONENTS, RATE
from reproduce_lib.papers.adamopoulou2023.scores import PickerParameters, judge_on_folds
from reproduce_lib.picks import SEPARATION
from reproduce_lib.triggers import PASSBAND
from reproduce_lib.units import UnitResult

# Averages short enough that an earthquake early in a window of 30 s is seen too, in samples.
SHORT, LONG = 3 * RATE // 10, 3 * RATE
# The ratio from which a peak is looked at, and where its onset is looked for.
LEAST_RATIO = 1.5
ONSET_BEFORE, ONSET_AFTER = 2 * RATE, RATE // 2
# Which components each phase is looked for on, the better ones first.
PREFERRED = (("Z", "EN"), ("EN", "Z"))


class TriggerParameters(PickerParameters):
    """The picker without training, on the folds of a network."""

    experiment: ClassVar[str] = "trigger_picker"


def run_trigger_picker(parameters: TriggerParameters) -> UnitResult:
    """Choose the thresholds on each fold's validation records, and judge on its tested ones."""
    return judge_on_folds(trigger_probability, parameters)


def trigger_probability(values: Values) -> NDArray[np.float32]:
    """Return at the onsets of P and S (ratio - 1) / (ratio + 1), else 0; shape as of a network, (windows, times, 3)."""
    filtered = _causally_filtered(values)
    found = np.zeros((*values.shape[:2], 3), dtype=np.float32)
    for window, record in enumerate(filtered):
        for phase, preferred in enumerate(PREFERRED, start=1):
            own = _live(record, preferred)
            if own.shape[1]:
                samples, ratios = onsets(own)
                np.maximum.at(found[window, :, phase], samples, ((ratios - 1) / (ratios + 1)).astype(np.float32))
    return found


def _causally_filtered(values: Values) -> NDArray[np.float64]:
    """Return windows between 1 and 20 Hz, filtered forwards alone: both ways, a sharp onset would begin early."""
    from scipy.signal import butter, sosfilt

    sections = butter(4, PASSBAND, "bandpass", fs=RATE, output="sos")
    centred = values - values.mean(axis=1, keepdims=True, dtype=float)
    found: NDArray[np.float64] = sosfilt(sections, centred, axis=1)
    return found


def onsets(record: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return where something begins on any component (times, components), and the ratio of averages that it reaches.

    The peak of the ratio comes late; the onset is where Akaike's criterion for a change of variance is least (Maeda
    1985) shortly before it.
    """
    from obspy.signal.trigger import aic_simple, recursive_sta_lta
    from scipy.signal import find_peaks

    ratios = np.stack([recursive_sta_lta(np.ascontiguousarray(one), SHORT, LONG) for one in record.T], axis=1)
    peaks = find_peaks(ratios.max(axis=1), height=LEAST_RATIO, distance=SEPARATION)[0]
    samples = []
    for peak in peaks:
        first = max(peak - ONSET_BEFORE, 0)
        around = record[first : peak + ONSET_AFTER, ratios[peak].argmax()]
        samples.append(first + int(np.argmin(aic_simple(around)[1:-1])) + 1)
    return np.array(samples, dtype=np.intp), ratios[peaks].max(axis=1)


def _live(record: NDArray[np.float64], preferred: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the first of several choices of components of which any was recorded."""
    for letters in preferred:
        own = record[:, [COMPONENTS.index(letter) for letter in letters]]
        if (live := own.any(axis=0)).any():
            return own[:, live]
    return record[:, :0]
