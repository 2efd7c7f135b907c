"""Detectors side by side (Fig. 16): records of known signal-to-noise ratio, and one false-alarm rate for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Values, superpose_noise
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.samples import (
    NOISE,
    TESTING,
    Fold,
    Study,
    clear_rows,
    noise_windows,
    windows_at,
)

RATIOS = (-10, -5, 0, 5, 10, 15, 20)
# Share of windows of noise in which a detector may see an earthquake.
FALSE_ALARMS = 0.05
# Signals are of records above this: what noise they hold themselves is small beside what is added.
CLEAR_SNR = 30.0
NOISE_WINDOWS = 400
SIGNALS = 100
PLACES = (12.0 * RATE, 22.0 * RATE)

Score = Callable[[Values], NDArray[np.float64] | NDArray[np.float32]]


class Seeded(Protocol):
    """What is read of a unit's parameters."""

    def generator(self, stream: int, fold: int = 0) -> np.random.Generator:
        """Return random numbers of a stream and a fold."""


def detection_scores(score: Score, parameters: Seeded, study: Study, fold: Fold, number: int) -> dict[str, float]:
    """Return the share of earthquakes that a detector sees at each signal-to-noise ratio, in percent.

    Its threshold is the score that 5 % of the windows of noise before the tested records exceed, so that each detector
    has exactly this rate of false alarms on the same noise.

    Parameters
    ----------
    score : one number for each window (windows, 3000, 3), higher where an earthquake is more likely
    """
    noise = noise_windows(study.noise, fold.test_noise, NOISE_WINDOWS, parameters.generator(NOISE, number + 1000))
    threshold = float(np.quantile(score(noise), 1 - FALSE_ALARMS))
    found = {
        f"detected[{ratio} dB]": 100 * float((score(windows) > threshold).mean())
        for ratio, windows in semi_synthetic(parameters, study, fold, number).items()
    }
    return {**found, "detected[mean]": float(np.mean(list(found.values())))}


def semi_synthetic(parameters: Seeded, study: Study, fold: Fold, number: int) -> dict[int, Values]:
    """Return for each ratio the same earthquakes in the same noise, the noise scaled to the ratio.

    Both are of the tested stations. P stands from 12 to 22 s, so that an average over ten seconds can fill before it.
    """
    generator = parameters.generator(TESTING, number + 1000)
    rows = generator.choice(clear_rows(study, fold.test, CLEAR_SNR), SIGNALS)
    windows = windows_at(study, rows, generator.uniform(*PLACES, SIGNALS))
    noise = noise_windows(study.noise, fold.test_noise, SIGNALS, generator)
    return {ratio: superpose_noise(windows, noise, np.full(SIGNALS, float(ratio))).values for ratio in RATIOS}
