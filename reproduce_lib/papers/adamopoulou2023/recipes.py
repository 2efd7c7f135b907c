"""Recipes: what each augmentation of section 5.2 makes of the training records in an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import (
    ARTIFACTS,
    Rows,
    Values,
    Windows,
    add_artifacts,
    drop_channels,
    log_uniform,
    phase_targets,
    random_places,
    resample,
    standardise,
    superpose_events,
    superpose_noise,
)
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW, Fold, Study, noise_windows, windows_at

Augmentation = Literal[
    "no_shift", "limited_shift", "precomputed_shift", "full_shift", "events", "noise", "false_positives",
    "channel_dropout", "magnitudes", "combined",
]  # fmt: skip
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
# Section 5.2.1: where P may stand in its window, in samples.
FULL_PLACES = (0.0, float(WINDOW))
PLACES: dict[str, tuple[float, float]] = {
    "no_shift": (10.0 * RATE, 10.0 * RATE),
    "limited_shift": (10.0 * RATE, 15.0 * RATE),
}
# Decisions: the thesis prints none of these.
TARGET_DEVIATION = 0.1 * RATE
EVENT_SHARE, EVENT_RATIOS, EVENT_SEPARATION = 0.5, (0.1, 1.0), 2.0 * RATE
NOISE_SHARE, NOISE_RATIOS = 0.5, (0.0, 20.0)
FALSE_POSITIVE_SHARE = 0.1
DROPOUT_SHARE = 0.5
MAGNITUDE_BIN = 0.5

Draw = Callable[[int], tuple[Values, Values]]


def epochs_of(
    augmentation: Augmentation, study: Study, fold: Fold, windows: int, generator: np.random.Generator
) -> Draw:
    """Return what makes inputs (windows, 3000, 3) and targets (windows, 3000, 3) for an epoch."""
    fixed = random_places(len(study.traces), *FULL_PLACES, generator)

    def draw(_: int) -> tuple[Values, Values]:
        rows = _rows(augmentation, study, fold.training, windows, generator)
        made = windows_at(study, rows, _places(augmentation, rows, fixed, generator))
        return as_pairs(_changed(augmentation, made, study, fold, generator))

    return draw


def as_pairs(windows: Windows) -> tuple[Values, Values]:
    """Return what a network sees of windows, and what it is to say of them."""
    return standardise(windows.values), phase_targets(windows.arrivals, WINDOW, TARGET_DEVIATION)


def _rows(
    augmentation: Augmentation, study: Study, training: Rows, windows: int, generator: np.random.Generator
) -> Rows:
    if augmentation in ("magnitudes", "combined"):
        magnitudes = study.traces.table["magnitude"].to_numpy(dtype=float)[training]
        return training[resample(magnitudes, windows, MAGNITUDE_BIN, generator)]
    # Each record as often as any other, up to one.
    rounds = -(-windows // len(training))
    return np.concatenate([generator.permutation(training) for _ in range(rounds)])[:windows]


def _places(
    augmentation: Augmentation, rows: Rows, fixed: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    if augmentation == "precomputed_shift":
        return fixed[rows]
    return random_places(len(rows), *PLACES.get(augmentation, FULL_PLACES), generator)


def _changed(
    augmentation: Augmentation, windows: Windows, study: Study, fold: Fold, generator: np.random.Generator
) -> Windows:
    if augmentation in ("events", "combined"):
        windows = _with_second_events(windows, study, fold, generator)
    if augmentation in ("noise", "combined"):
        windows = _with_noise(windows, study, fold, generator)
    if augmentation in ("false_positives", "combined"):
        windows = _with_false_positives(windows, study, fold, generator)
    if augmentation in ("channel_dropout", "combined"):
        windows = drop_channels(windows, DROPOUT_SHARE, generator)
    return windows


def _with_second_events(windows: Windows, study: Study, fold: Fold, generator: np.random.Generator) -> Windows:
    rows = generator.choice(fold.training, len(windows))
    # After the first where there is room, or it would be left out of every other window; before it elsewhere.
    earliest = windows.arrivals[:, 0, 1] + EVENT_SEPARATION
    earliest = np.where(earliest < WINDOW, np.maximum(earliest, 0.0), 0.0)
    others = windows_at(study, rows, generator.uniform(earliest, WINDOW))
    ratios = log_uniform(len(windows), *EVENT_RATIOS, generator)
    chosen = np.flatnonzero(generator.random(len(windows)) < EVENT_SHARE)
    made = superpose_events(windows.among(chosen), others.among(chosen), ratios[chosen], EVENT_SEPARATION)
    return windows.replaced(chosen, made)


def _with_noise(windows: Windows, study: Study, fold: Fold, generator: np.random.Generator) -> Windows:
    noise = noise_windows(study.noise, fold.training_noise, len(windows), generator)
    ratios = generator.uniform(*NOISE_RATIOS, len(windows))
    chosen = np.flatnonzero(generator.random(len(windows)) < NOISE_SHARE)
    made = superpose_noise(windows.among(chosen), noise[chosen], ratios[chosen])
    return windows.replaced(chosen, made)


def _with_false_positives(windows: Windows, study: Study, fold: Fold, generator: np.random.Generator) -> Windows:
    """Put noise with a defect, and no earthquake, in the place of some windows."""
    chosen = np.flatnonzero(generator.random(len(windows)) < FALSE_POSITIVE_SHARE)
    if not len(chosen):
        return windows
    noise = noise_windows(study.noise, fold.training_noise, len(chosen), generator)
    none = Windows(noise, np.full((len(chosen), *windows.arrivals.shape[1:]), np.nan))
    return windows.replaced(chosen, add_artifacts(none, generator.choice(ARTIFACTS, len(chosen)), generator))
