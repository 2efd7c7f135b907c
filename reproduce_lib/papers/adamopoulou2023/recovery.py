"""Recovery of clipped waveforms (Fig. 38): a U-Net that was trained on clipped windows, a spline, and nothing."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Rows, Values, clip, random_places
from reproduce_lib.data.waveforms import COMPONENTS, RATE
from reproduce_lib.papers.adamopoulou2023.phasenet import build_phasenet
from reproduce_lib.papers.adamopoulou2023.samples import (
    TESTING,
    WINDOW,
    Fold,
    Study,
    clear_rows,
    folds_of,
    load_study,
    windows_at,
)
from reproduce_lib.papers.adamopoulou2023.training import TrainingParameters, forecast, train_on_windows
from reproduce_lib.training import start_afresh
from reproduce_lib.units import MetricValue, UnitResult

Method = Literal["network", "spline", "none"]
METHODS: tuple[Method, ...] = get_args(Method)
# Decisions: a recorder saturates at a fifth to four fifths of the largest amplitude, and P stands in the first third.
LEVELS = (0.2, 0.8)
PLACES = (2.0 * RATE, 10.0 * RATE)
WINDOWS_EACH = 4


class RecoveryParameters(TrainingParameters):
    """One way to recover what a saturated recorder cut off."""

    experiment: ClassVar[str] = "recovery"

    method: Method = "network"


def run_recovery(parameters: RecoveryParameters) -> UnitResult:
    """Recover clipped windows of each fold's tested records; all methods see the same ones."""
    study = load_study(parameters)
    folds = folds_of(parameters, study)
    seeds = parameters.random_seeds(len(folds))
    errors, arrays = [], {}
    for number, (fold, seed) in enumerate(zip(folds, seeds, strict=True)):
        clipped, true = clipped_pairs(study, clear_rows(study, fold.test), parameters.generator(TESTING, number))
        recovered = _recovered(parameters, study, fold, clipped, number, seed)
        errors.append(relative_errors(clipped, true, recovered))
        if number == 0 and parameters.profile == "full":
            arrays = _examples(clipped, true, recovered)
    return UnitResult(_metrics(np.concatenate(errors)), sum(map(len, errors)), study.traces.files, arrays)


def clipped_pairs(study: Study, rows: Rows, generator: np.random.Generator) -> tuple[Values, Values]:
    """Return windows as a saturated recorder gives them, and as they were, in units of where it saturates."""
    chosen = np.repeat(rows, WINDOWS_EACH)
    return _pairs(study, chosen, generator)


def relative_errors(clipped: Values, true: Values, recovered: Values) -> NDArray[np.float64]:
    """Return for each window the energy of what is wrong over the energy of what was cut off.

    1 is no recovery at all. A sample that was not cut off is known, whatever a method says of it.
    """
    cut_off = np.abs(clipped) >= 1.0
    wrong = np.where(cut_off, recovered - true, 0.0)
    lost = np.where(cut_off, clipped - true, 0.0)
    found: NDArray[np.float64] = (wrong.astype(float) ** 2).sum(axis=(1, 2)) / (lost.astype(float) ** 2).sum(
        axis=(1, 2)
    )
    return found


def splined(clipped: Values) -> Values:
    """Return windows in which a cubic spline through the samples that were not cut off goes over the others."""
    from scipy.interpolate import CubicSpline

    found = clipped.copy()
    times = np.arange(clipped.shape[1])
    for window, component in np.ndindex(clipped.shape[0], clipped.shape[2]):
        own = clipped[window, :, component]
        cut_off = np.abs(own) >= 1.0
        known = times[~cut_off]
        if cut_off.any() and len(known) >= 2:
            # A spline says nothing of what lies before its first and behind its last point.
            spanned = cut_off & (times > known[0]) & (times < known[-1])
            found[window, spanned, component] = CubicSpline(known, own[known])(times[spanned])
    return found


def _recovered(
    parameters: RecoveryParameters, study: Study, fold: Fold, clipped: Values, number: int, seed: int
) -> Values:
    match parameters.method:
        case "none":
            return clipped
        case "spline":
            return splined(clipped)
    start_afresh(seed)
    generator = np.random.default_rng(seed)
    training, validation = clear_rows(study, fold.training), clear_rows(study, fold.validation)

    def draw(_: int) -> tuple[Values, Values]:
        return _pairs(study, generator.choice(training, parameters.windows), generator)

    model = build_phasenet(WINDOW, outputs=len(COMPONENTS), activation="linear")
    chosen_by = clipped_pairs(study, validation, parameters.generator(TESTING, number + 1000))
    train_on_windows(model, draw, chosen_by, parameters, "mean_squared_error")
    return forecast(model, clipped)


def _pairs(study: Study, rows: Rows, generator: np.random.Generator) -> tuple[Values, Values]:
    windows = windows_at(study, rows, random_places(len(rows), *PLACES, generator)).values
    return clip(windows, generator.uniform(*LEVELS, len(rows)))


def _metrics(errors: NDArray[np.float64]) -> dict[str, MetricValue]:
    """Return the gain in signal-to-noise ratio over no recovery, in dB, and how often there is none."""
    gains = -10 * np.log10(np.maximum(errors, 1e-12))
    return {
        "recovery_gain": float(np.median(gains)),
        "recovery_gain[10 %]": float(np.quantile(gains, 0.1)),
        "recovery_gain[90 %]": float(np.quantile(gains, 0.9)),
        "recovered": 100 * float((gains > 0).mean()),
        "relative_error": float(np.median(errors)),
    }


def _examples(clipped: Values, true: Values, recovered: Values, count: int = 2) -> dict[str, NDArray[Any]]:
    """Keep two windows, of the vertical component, for the figure."""
    rows = np.arange(0, count * WINDOWS_EACH, WINDOWS_EACH)
    return {
        name: values[rows, :, COMPONENTS.index("Z")].astype(np.float32)
        for name, values in (("clipped", clipped), ("true", true), ("recovered", recovered))
    }
