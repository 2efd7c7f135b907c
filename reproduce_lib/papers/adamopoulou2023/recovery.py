"""Recovery of clipped waveforms (Fig. 38): a U-Net that was trained on clipped windows, a spline, and nothing."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Rows, Values, clip
from reproduce_lib.data.waveforms import COMPONENTS, RATE
from reproduce_lib.papers.adamopoulou2023.phasenet import build_phasenet
from reproduce_lib.papers.adamopoulou2023.samples import (
    CLIPPING,
    CLIPPING_VALIDATION,
    WINDOW,
    Fold,
    SampleParameters,
    Study,
    clear_rows,
    folds_of,
    load_study,
    possible_places,
    rows_with_places,
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
# Windows of the first fold that a picture shows, of two records.
SHOWN = [0, WINDOWS_EACH]


class RecoveryParameters(TrainingParameters):
    """One way to recover what a saturated recorder cut off."""

    experiment: ClassVar[str] = "recovery"

    method: Method = "network"


def run_recovery(parameters: RecoveryParameters) -> UnitResult:
    """Recover clipped windows of each fold's tested records; all methods see the same ones."""
    study = load_study(parameters)
    folds = folds_of(parameters, study)
    seeds = parameters.random_seeds(len(folds))
    errors, groups = [], []
    shown: dict[str, NDArray[Any]] = {}
    for number, (fold, seed) in enumerate(zip(folds, seeds, strict=True)):
        rows, clipped, true = tested_pairs(parameters, study, fold, number)
        recovered = _recovered(parameters, study, fold, clipped, number, seed)
        errors.append(relative_errors(clipped, true, recovered))
        groups.append(study.groups[rows])
        if number == 0 and parameters.method == "network":
            shown = {"recovered": cut_off_of(clipped, recovered)}
    gains = gains_of(np.concatenate(errors))
    kept: dict[str, NDArray[Any]] = {"gains": gains.astype(np.float32), "gains_group": np.concatenate(groups), **shown}
    return UnitResult(_metrics(gains), len(gains), study.traces.files, kept if parameters.profile == "full" else {})


def tested_pairs(parameters: SampleParameters, study: Study, fold: Fold, number: int) -> tuple[Rows, Values, Values]:
    """Return the record of each tested window of a fold, the window as a saturated recorder gives it, and as it was."""
    rows = np.repeat(_usable(study, fold.test), WINDOWS_EACH)
    return rows, *clipped_pairs(study, rows, parameters.generator(CLIPPING, number))


def _usable(study: Study, rows: Rows) -> Rows:
    return rows_with_places(study, clear_rows(study, rows), PLACES, every=False)


def clipped_pairs(study: Study, rows: Rows, generator: np.random.Generator) -> tuple[Values, Values]:
    """Return windows as a saturated recorder gives them, and as they were, in units of where it saturates."""
    windows = windows_at(study, rows, generator.uniform(*possible_places(study, rows, PLACES))).values
    return clip(windows, generator.uniform(*LEVELS, len(rows)))


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
    training = _usable(study, fold.training)
    validation = np.repeat(_usable(study, fold.validation), WINDOWS_EACH)

    def draw(_: int) -> tuple[Values, Values]:
        return clipped_pairs(study, generator.choice(training, parameters.windows), generator)

    model = build_phasenet(WINDOW, outputs=len(COMPONENTS), activation="linear")
    chosen_by = clipped_pairs(study, validation, parameters.generator(CLIPPING_VALIDATION, number))
    train_on_windows(model, draw, chosen_by, parameters, "mean_squared_error")
    return forecast(model, clipped)


def gains_of(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gain in signal-to-noise ratio over no recovery, in dB."""
    found: NDArray[np.float64] = -10 * np.log10(np.maximum(errors, 1e-12))
    return found


def _metrics(gains: NDArray[np.float64]) -> dict[str, MetricValue]:
    """Return the median gain, in dB, what a tenth of the windows gains less or more than, and how many gain at all."""
    return {
        "recovery_gain": float(np.median(gains)),
        "recovery_gain[10 %]": float(np.quantile(gains, 0.1)),
        "recovery_gain[90 %]": float(np.quantile(gains, 0.9)),
        "recovered": 100 * float((gains > 0).mean()),
    }


def cut_off_of(clipped: Values, recovered: Values) -> NDArray[np.float32]:
    """Return what a network makes of the samples that were cut off, in the vertical of the windows that are shown.

    Nothing else of a window is kept: the waveforms are the data's.
    """
    own = clipped[SHOWN, :, COMPONENTS.index("Z")]
    found: NDArray[np.float32] = recovered[SHOWN, :, COMPONENTS.index("Z")][np.abs(own) >= 1.0].astype(np.float32)
    return found
