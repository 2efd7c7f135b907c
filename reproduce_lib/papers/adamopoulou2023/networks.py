"""PhaseNet trained with one augmentation, and every number that section 5.2 shows of such a network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Windows, random_places
from reproduce_lib.papers.adamopoulou2023.phasenet import build_phasenet
from reproduce_lib.papers.adamopoulou2023.recipes import PLACES, Augmentation, as_pairs, epochs_of
from reproduce_lib.papers.adamopoulou2023.samples import (
    TEST_WINDOWS,
    TESTING,
    WINDOW,
    Fold,
    Study,
    folds_of,
    load_study,
    test_windows,
    windows_at,
)
from reproduce_lib.papers.adamopoulou2023.scores import Judged, PickerParameters, files_of, judge, picker_of, together
from reproduce_lib.papers.adamopoulou2023.training import TrainingParameters, forecast, train_on_windows
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

if TYPE_CHECKING:
    import keras


# The first base wins where both have a field: the backend is that of training.
class NetworkParameters(TrainingParameters, PickerParameters):
    """One network for each fold, trained with one augmentation."""

    experiment: ClassVar[str] = "networks"

    augmentation: Augmentation = "full_shift"


def run_network(parameters: NetworkParameters) -> UnitResult:
    """Train and judge a network on each fold; scores are over the picks of all folds together."""
    study = load_study(parameters)
    folds = folds_of(parameters, study)
    seeds = parameters.random_seeds(len(folds))
    judged, curves = [], []
    for number, (fold, seed) in enumerate(zip(folds, seeds, strict=True)):
        start_afresh(seed)
        model, history = train_picker(parameters, study, fold, number, seed)
        validation = _validation(parameters, study, fold, number)
        picker = picker_of(partial(forecast, model), parameters, validation)
        judged.append(judge(picker, parameters, study, fold, number))
        curves.append(history)
    found = together(judged)
    arrays = _arrays(study, found, curves) if parameters.profile == "full" else {}
    return UnitResult(found.metrics, found.arrivals, files_of(parameters, study), arrays)


def train_picker(
    parameters: NetworkParameters, study: Study, fold: Fold, number: int, seed: int
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a network on a fold's training records; return it with its loss epoch by epoch."""
    model = build_phasenet(WINDOW)
    draw = epochs_of(parameters.augmentation, study, fold, parameters.windows, np.random.default_rng(seed))
    validation = _validation(parameters, study, fold, number)
    history = train_on_windows(model, draw, as_pairs(validation), parameters, "categorical_crossentropy")
    return model, history


def _validation(parameters: NetworkParameters, study: Study, fold: Fold, number: int) -> Windows:
    """Return windows of the validation records; P stands where it may in training, so that they favour nothing else."""
    generator = parameters.generator(TESTING, number)
    if parameters.augmentation in PLACES:
        rows = np.repeat(fold.validation, TEST_WINDOWS)
        return windows_at(study, rows, random_places(len(rows), *PLACES[parameters.augmentation], generator))
    return test_windows(study, fold.validation, generator)[1]


def _arrays(study: Study, found: Judged, curves: list[dict[str, list[float]]]) -> dict[str, NDArray[Any]]:
    """Keep curves, and what `record_intervals` draws records from."""
    kept: dict[str, NDArray[Any]] = {name: values.astype(np.float32) for name, values in found.arrays.items()}
    for name in ("loss", "val_loss"):
        kept[name] = np.array([one[name] for one in curves], dtype=np.float32)
    kept["records"] = found.records.astype(np.uint16)
    kept["group"] = np.unique(study.traces.table["group"], return_inverse=True)[1].astype(np.uint16)
    return kept
