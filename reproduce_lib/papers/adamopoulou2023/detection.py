"""Detectors side by side (Fig. 16): records of known signal-to-noise ratio, and one false-alarm rate for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Rows, Values, superpose_noise
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.samples import (
    DETECTION_NOISE,
    DETECTION_SIGNALS,
    Fold,
    Study,
    clear_rows,
    draw_noise,
    noise_windows,
    possible_places,
    rows_with_places,
    windows_at,
)
from reproduce_lib.triggers import LONG
from reproduce_lib.units import MetricValue

RATIOS = (-10, -5, 0, 5, 10, 15, 20)
# Shares of windows of noise in which a detector may see an earthquake; the first is meant where none is named.
FALSE_ALARMS = (0.05, 0.1, 0.2)
# Sample from which on every detector hears what comes: until then the long average of STA/LTA fills.
HEARD = round(LONG * RATE)
# Signals are of records above this: what noise they hold themselves is small beside what is added.
CLEAR_SNR = 30.0
TRIED_WINDOWS = 400
SIGNALS = 100
PLACES = (12.0 * RATE, 22.0 * RATE)

Numbers = NDArray[np.floating[Any]]
# Returns for each kind of score a number for each window (windows, 3000, 3), higher where an earthquake is more likely.
Score = Callable[[Values], Mapping[str, Numbers]]


class Seeded(Protocol):
    """What is read of a unit's parameters."""

    def generator(self, stream: int, fold: int = 0) -> np.random.Generator:
        """Return random numbers of a stream and a fold."""


@dataclass(frozen=True)
class Trial:
    """What a detector says of one fold's windows.

    Attributes
    ----------
    noise, signals : its scores, shapes (400,) and (ratios, 100)
    noise_groups, signal_groups : which group of stations and earthquakes each window is of, shapes (400,) and (100,)
    records : numbers of records that the windows of noise, and of signals, are of
    """

    noise: Numbers
    signals: Numbers
    noise_groups: Rows
    signal_groups: Rows
    records: tuple[int, int]

    def detected(self, false_alarms: float) -> NDArray[np.float64]:
        """Return the share of earthquakes above what so many windows of noise exceed, in percent, shape (ratios,)."""
        threshold = np.quantile(self.noise, 1 - false_alarms)
        found: NDArray[np.float64] = 100 * (self.signals > threshold).mean(axis=1)
        return found


def detection_trials(score: Score, parameters: Seeded, study: Study, fold: Fold, number: int) -> dict[str, Trial]:
    """Let a detector score windows of noise from before the tested records, and tested earthquakes in such noise."""
    drawn = draw_noise(study.noise, fold.test_noise, TRIED_WINDOWS, parameters.generator(DETECTION_NOISE, number))
    of_noise = score(drawn.cut(study.noise))
    rows, made = semi_synthetic(parameters, study, fold, number)
    of_signals = [score(windows) for windows in made.values()]
    return {
        name: Trial(
            of_noise[name],
            np.stack([one[name] for one in of_signals]),
            study.noise.table["group"].to_numpy()[drawn.rows],
            study.traces.table["group"].to_numpy()[rows],
            (len(np.unique(drawn.rows)), len(np.unique(rows))),
        )
        for name in of_noise
    }


def detection_metrics(trials: Sequence[Mapping[str, Trial]]) -> dict[str, MetricValue]:
    """Return what is detected at each ratio and rate of false alarms, and how many records that rests on.

    Each is a mean over the folds. A detector's threshold is the score that 5 % of the windows of noise exceed, so that
    each has exactly this rate of false alarms on the same noise; 10 and 20 % stand beside it.
    """
    found: dict[str, MetricValue] = {}
    for name in trials[0]:
        for rate in FALSE_ALARMS:
            ending = "" if rate == FALSE_ALARMS[0] else f",at {100 * rate:.0f} %"
            shares = np.mean([own[name].detected(rate) for own in trials], axis=0)
            found |= {f"{name}[{ratio} dB{ending}]": float(one) for ratio, one in zip(RATIOS, shares, strict=True)}
            found[f"{name}[mean{ending}]"] = float(shares.mean())
    records = np.mean([next(iter(own.values())).records for own in trials], axis=0)
    return {**found, "tried[noise records]": float(records[0]), "tried[earthquake records]": float(records[1])}


def detection_arrays(trials: Sequence[Mapping[str, Trial]], name: str = "detected") -> dict[str, NDArray[Any]]:
    """Keep what intervals over records are drawn from: scores and groups, each with the folds in front."""
    own = [one[name] for one in trials]
    return {
        "noise_scores": np.stack([one.noise for one in own]).astype(np.float32),
        "noise_groups": np.stack([one.noise_groups for one in own]).astype(np.uint16),
        "signal_scores": np.stack([one.signals for one in own]).astype(np.float32),
        "signal_groups": np.stack([one.signal_groups for one in own]).astype(np.uint16),
    }


def semi_synthetic(parameters: Seeded, study: Study, fold: Fold, number: int) -> tuple[Rows, dict[int, Values]]:
    """Return records of earthquakes, and for each ratio the same of them in the same noise, scaled to the ratio.

    Both are of the tested stations. P stands from 12 to 22 s, behind the seconds in which not every detector hears.
    """
    generator = parameters.generator(DETECTION_SIGNALS, number)
    usable = rows_with_places(study, clear_rows(study, fold.test, CLEAR_SNR), PLACES, every=False)
    rows = generator.choice(usable, SIGNALS)
    windows = windows_at(study, rows, generator.uniform(*possible_places(study, rows, PLACES)))
    noise = noise_windows(study.noise, fold.test_noise, SIGNALS, generator)
    return rows, {ratio: superpose_noise(windows, noise, np.full(SIGNALS, float(ratio))).values for ratio in RATIOS}
