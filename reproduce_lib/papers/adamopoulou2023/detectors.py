"""Detectors that are not trained, on the same records and at the same false-alarm rate as the networks (Fig. 16)."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from reproduce_lib.augmentations import Values
from reproduce_lib.data.waveforms import BEFORE, RATE
from reproduce_lib.papers.adamopoulou2023.detection import CLEAR_SNR, Score, detection_scores
from reproduce_lib.papers.adamopoulou2023.samples import (
    Fold,
    SampleParameters,
    Study,
    clear_rows,
    folds_of,
    load_study,
)
from reproduce_lib.triggers import sta_lta, template_match
from reproduce_lib.units import UnitResult

Detector = Literal["sta_lta", "template_matching"]
DETECTORS: tuple[Detector, ...] = get_args(Detector)
# A template begins half a second before P and lasts four; of more records than this the first are taken.
TEMPLATE = (-RATE // 2, 7 * RATE // 2)
TEMPLATES = 60


class DetectorParameters(SampleParameters):
    """One detector: the ratio of averages, or matching with earthquakes of the training stations."""

    experiment: ClassVar[str] = "detectors"

    detector: Detector = "sta_lta"


def run_detector(parameters: DetectorParameters) -> UnitResult:
    """Score a detector on each fold; scores are means over the folds."""
    study = load_study(parameters)
    parts = [
        detection_scores(score_of(parameters, study, fold), parameters, study, fold, number)
        for number, fold in enumerate(folds_of(parameters, study))
    ]
    return UnitResult(
        {name: float(np.mean([part[name] for part in parts])) for name in parts[0]},
        len(study.traces),
        study.traces.files,
    )


def score_of(parameters: DetectorParameters, study: Study, fold: Fold) -> Score:
    """Return what gives each window a number."""
    if parameters.detector == "sta_lta":
        return lambda values: sta_lta(values, RATE)
    templates = templates_of(study, fold)
    return lambda values: template_match(values, templates, RATE)


def templates_of(study: Study, fold: Fold) -> Values:
    """Return the first seconds of clear earthquakes of the training records."""
    rows = clear_rows(study, fold.training, CLEAR_SNR)[:TEMPLATES]
    first, last = TEMPLATE
    return study.traces.values[rows, BEFORE + first : BEFORE + last]
