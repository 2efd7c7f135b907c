"""Recipes: what each augmentation of section 5.2 makes of the training records in an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from reproduce_lib.augmentations import (
    ARTIFACTS,
    Rows,
    Values,
    Windows,
    add_artifacts,
    drop_channels,
    log_uniform,
    phase_targets,
    resample,
    standardise,
    superpose_events,
    superpose_noise,
)
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.samples import (
    FULL_PLACES,
    WINDOW,
    Fold,
    Places,
    Study,
    draw_noise,
    noise_windows,
    possible_places,
    rows_with_places,
    windows_at,
)

Augmentation = Literal[
    "no_shift", "limited_shift", "precomputed_shift", "precomputed_windows", "full_shift", "events", "noise",
    "false_positives", "noise_windows", "channel_dropout", "magnitudes", "combined",
]  # fmt: skip
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
# Section 5.2.1: where P may stand in its window, in samples, if not anywhere.
PLACES: dict[str, Places] = {
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
    everyone = np.arange(len(study.traces))
    fixed = generator.uniform(*possible_places(study, everyone, FULL_PLACES))
    training = rows_for(augmentation, study, fold.training)
    if augmentation == "precomputed_windows":
        return _drawn_once(study, _rows(augmentation, study, training, windows, generator), generator)

    def draw(_: int) -> tuple[Values, Values]:
        rows = _rows(augmentation, study, training, windows, generator)
        places = generator.uniform(*possible_places(study, rows, PLACES.get(augmentation, FULL_PLACES)))
        made = windows_at(study, rows, fixed[rows] if augmentation == "precomputed_shift" else places)
        return as_pairs(_changed(augmentation, made, study, fold, generator))

    return draw


def _drawn_once(study: Study, rows: Rows, generator: np.random.Generator) -> Draw:
    """Cut all windows of an epoch once, and give them in another order each time."""
    inputs, targets = as_pairs(windows_at(study, rows, generator.uniform(*possible_places(study, rows, FULL_PLACES))))

    def draw(_: int) -> tuple[Values, Values]:
        order = generator.permutation(len(rows))
        return inputs[order], targets[order]

    return draw


def rows_for(augmentation: Augmentation, study: Study, rows: Rows) -> Rows:
    """Return the records in which P can stand where an augmentation wants it; where it may stand anywhere, all."""
    return rows_with_places(study, rows, PLACES[augmentation], every=True) if augmentation in PLACES else rows


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


def _changed(
    augmentation: Augmentation, windows: Windows, study: Study, fold: Fold, generator: np.random.Generator
) -> Windows:
    if augmentation in ("events", "combined"):
        windows = _with_second_events(windows, study, fold, generator)
    if augmentation in ("noise", "combined"):
        windows = _with_noise(windows, study, fold, generator)
    if augmentation in ("false_positives", "noise_windows", "combined"):
        windows = _with_noise_alone(windows, study, fold, generator, defects=augmentation != "noise_windows")
    if augmentation in ("channel_dropout", "combined"):
        windows = drop_channels(windows, DROPOUT_SHARE, generator)
    return windows


def _with_second_events(windows: Windows, study: Study, fold: Fold, generator: np.random.Generator) -> Windows:
    rows = generator.choice(fold.training, len(windows))
    # After the first where there is room, or it would be left out of every other window; before it elsewhere.
    earliest = windows.arrivals[:, 0, 1] + EVENT_SEPARATION
    earliest = np.where(earliest < WINDOW, np.maximum(earliest, 0.0), 0.0)
    places = generator.uniform(earliest, WINDOW)
    ratios = log_uniform(len(windows), *EVENT_RATIOS, generator)
    chosen = np.flatnonzero(generator.random(len(windows)) < EVENT_SHARE)
    others = windows_at(study, rows[chosen], places[chosen])
    made = superpose_events(windows.among(chosen), others, ratios[chosen], EVENT_SEPARATION)
    return windows.replaced(chosen, made)


def _with_noise(windows: Windows, study: Study, fold: Fold, generator: np.random.Generator) -> Windows:
    drawn = draw_noise(study.noise, fold.training_noise, len(windows), generator)
    ratios = generator.uniform(*NOISE_RATIOS, len(windows))
    chosen = np.flatnonzero(generator.random(len(windows)) < NOISE_SHARE)
    made = superpose_noise(windows.among(chosen), drawn.among(chosen).cut(study.noise), ratios[chosen])
    return windows.replaced(chosen, made)


def _with_noise_alone(
    windows: Windows, study: Study, fold: Fold, generator: np.random.Generator, *, defects: bool
) -> Windows:
    """Put noise and no earthquake in the place of some windows, with a defect in each, or without as a control."""
    chosen = np.flatnonzero(generator.random(len(windows)) < FALSE_POSITIVE_SHARE)
    if not len(chosen):
        return windows
    noise = noise_windows(study.noise, fold.training_noise, len(chosen), generator)
    none = Windows(noise, np.full((len(chosen), *windows.arrivals.shape[1:]), np.nan))
    kinds = generator.choice(ARTIFACTS, len(chosen))
    return windows.replaced(chosen, add_artifacts(none, kinds, generator) if defects else none)
