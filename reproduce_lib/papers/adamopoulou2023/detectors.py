"""Detectors that are not trained, on the same records and at the same false-alarm rate as the networks (Fig. 16)."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from reproduce_lib.augmentations import Values
from reproduce_lib.data.waveforms import BEFORE, RATE
from reproduce_lib.papers.adamopoulou2023.detection import (
    CLEAR_SNR,
    HEARD,
    Score,
    detection_arrays,
    detection_metrics,
    detection_trials,
)
from reproduce_lib.papers.adamopoulou2023.samples import (
    Fold,
    SampleParameters,
    Study,
    clear_rows,
    folds_of,
    load_study,
)
from reproduce_lib.triggers import PASSBAND, sta_lta, template_match
from reproduce_lib.units import UnitResult

Detector = Literal["sta_lta", "sta_lta_unfiltered", "template_matching"]
DETECTORS: tuple[Detector, ...] = get_args(Detector)
# A template begins half a second before P and lasts four; of more records than this the first are taken.
TEMPLATE = (-RATE // 2, 7 * RATE // 2)
TEMPLATES = 60


class DetectorParameters(SampleParameters):
    """One detector: the ratio of averages, filtered or as a network hears it, or matching with known earthquakes.

    What is known are earthquakes of the training stations.
    """

    experiment: ClassVar[str] = "detectors"

    detector: Detector = "sta_lta"


def run_detector(parameters: DetectorParameters) -> UnitResult:
    """Score a detector on each fold; scores are means over the folds."""
    study = load_study(parameters)
    trials = [
        detection_trials(score_of(parameters, study, fold), parameters, study, fold, number)
        for number, fold in enumerate(folds_of(parameters, study))
    ]
    arrays = {**detection_arrays(trials), "group": study.groups} if parameters.profile == "full" else {}
    tried = sum(len(one["detected"].signal_groups) for one in trials)
    return UnitResult(detection_metrics(trials), tried, study.traces.files, arrays)


def score_of(parameters: DetectorParameters, study: Study, fold: Fold) -> Score:
    """Return what gives each window a number, from the seconds in which every detector hears."""
    if parameters.detector != "template_matching":
        passband = PASSBAND if parameters.detector == "sta_lta" else None
        return lambda values: {"detected": sta_lta(values, RATE, long=HEARD / RATE, passband=passband)}
    templates = templates_of(study, fold)
    return lambda values: {"detected": template_match(values, templates, RATE, HEARD / RATE)}


def templates_of(study: Study, fold: Fold) -> Values:
    """Return the first seconds of clear earthquakes of the training records."""
    rows = clear_rows(study, fold.training, CLEAR_SNR)[:TEMPLATES]
    first, last = TEMPLATE
    return study.traces.values[rows, BEFORE + first : BEFORE + last]
