"""What a picker is worth: each score of section 5.2 on each fold, and the folds together."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Values, standardise
from reproduce_lib.data.waveforms import COMPONENTS
from reproduce_lib.papers.adamopoulou2023.detection import HEARD, Numbers, detection_trials
from reproduce_lib.papers.adamopoulou2023.elsewhere import elsewhere, study_elsewhere
from reproduce_lib.papers.adamopoulou2023.false_picks import continuous, continuous_records, defects
from reproduce_lib.papers.adamopoulou2023.judged import Judged, together
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, SUBSETS, Give, Picker, PickerParameters, picker_of
from reproduce_lib.papers.adamopoulou2023.samples import (
    HIGH_SNR,
    TESTING,
    VALIDATION,
    Fold,
    Study,
    clear_rows,
    folds_of,
    load_study,
    test_windows,
)
from reproduce_lib.papers.adamopoulou2023.second_events import second_events
from reproduce_lib.papers.adamopoulou2023.signal_scores import by_component, by_signal
from reproduce_lib.papers.adamopoulou2023.sliding import by_place
from reproduce_lib.units import UnitResult

# What a probability is at least, so that it has a logarithm: the least normal number of single precision.
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)


def judge_on_folds(give: Give, parameters: PickerParameters) -> UnitResult:
    """Judge what learns nothing here on every fold, with thresholds that its validation records choose."""
    study = load_study(parameters)
    judged = []
    for number, fold in enumerate(folds_of(parameters, study)):
        validation = test_windows(study, fold.validation, parameters.generator(VALIDATION, number))[1]
        judged.append(judge(picker_of(give, parameters, validation), parameters, study, fold, number))
    found = together(judged)
    arrays = records_of(study, found) if parameters.profile == "full" else {}
    return UnitResult(found.metrics, found.arrivals, files_of(parameters, study), arrays)


def records_of(study: Study, found: Judged) -> dict[str, NDArray[Any]]:
    """Return what judging keeps: counts of each record, its group, whether it is above 20 dB, and `Judged.kept`."""
    high = (study.traces.table["snr"] > HIGH_SNR).to_numpy()
    return {"records": found.records.astype(np.uint16), "group": study.groups, "high": high} | found.kept


def files_of(parameters: PickerParameters, study: Study) -> dict[str, str]:
    """Return the files that a picker is judged by: name -> SHA-256."""
    if parameters.source != "pinned":
        return study.traces.files
    hours = {name: digest for record in continuous_records() for name, digest in record.files.items()}
    return study.traces.files | study_elsewhere().traces.files | hours


def judge(picker: Picker, parameters: PickerParameters, study: Study, fold: Fold, number: int) -> Judged:
    """Judge a picker on one fold."""
    found = Judged(records=np.zeros((len(study.traces), len(PHASES), 1 + len(SUBSETS), 3), dtype=np.intp))
    rows, windows = test_windows(study, fold.test, parameters.generator(TESTING, number))
    table = study.traces.table.iloc[rows]
    high = (table["snr"] > HIGH_SNR).to_numpy()
    complete = (table["components"] == COMPONENTS).to_numpy()
    by_signal(found, picker, parameters, windows, high, rows)
    clear = high & complete
    by_component(found, picker, windows.among(clear), rows[clear])
    by_place(found, picker, study, clear_rows(study, fold.test))
    second_events(found, picker, parameters, study, fold, number)
    defects(found, picker, parameters, study, fold, number)
    if parameters.source == "pinned":
        continuous(found, picker)
        elsewhere(found, picker, parameters, number)
    found.trials.append(detection_trials(partial(_signs, picker.give), parameters, study, fold, number))
    for phase, threshold in zip(PHASES, picker.thresholds, strict=True):
        found.thresholds.setdefault(phase, []).append(threshold)
    return found


def _signs(give: Give, values: Values) -> dict[str, Numbers]:
    """Return signs of an earthquake in each window: the largest odds of P or S where every detector hears.

    The largest ones of P alone, over the whole window, stand beside it: a picker names S too, and so does STA/LTA rise.
    """
    odds = _log_odds(give(standardise(values)))
    return {"detected": odds[:, HEARD:].max(axis=(1, 2)), "detected_p": odds[:, :, 0].max(axis=1)}


def _log_odds(probability: NDArray[np.float32]) -> Numbers:
    """Return the logarithms of the odds of P and of S, shape (windows, times, 2).

    They order what a picker says as its probabilities do, and tell apart what single precision rounds to 1: what is
    left for the others is added up, not taken from 1.
    """
    noise, p, s = np.moveaxis(np.maximum(probability.astype(float), LEAST_PROBABILITY), 2, 0)
    return np.stack([np.log(p) - np.log(noise + s), np.log(s) - np.log(noise + p)], axis=2)
