"""How much the ten folds share: events that are in training samples and in test samples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from reproduce_lib.papers.li2021.evaluation import ClassifierParameters, events_of, folds_of
from reproduce_lib.papers.li2021.samples import load_samples
from reproduce_lib.units import UnitResult


class OverlapParameters(ClassifierParameters):
    """Which folds are looked at."""

    experiment: ClassVar[str] = "overlap"


def run_overlap(parameters: OverlapParameters) -> UnitResult:
    """Count, over the test samples of all folds, what their patterns share with training samples.

    ``pattern_shared``: at least one event of the pattern is in a training pattern, in percent; ``events_shared``: mean
    share of the pattern's events that are; ``answer_shown``: the test sample's main shock itself is in a training
    pattern; ``answers_seen``: a training sample's main shock is in the test pattern.
    """
    sample_set = load_samples(parameters)
    samples = sample_set.samples
    shared, part, shown, seen, trained = [], [], [], [], []
    for fold in folds_of(parameters.split, samples, parameters.seed):
        patterns, answers = samples.patterns[fold.training], samples.main_shocks[fold.training]
        common = np.isin(samples.patterns[fold.test], patterns)
        shared.append(common.any(axis=1))
        part.append(common.mean(axis=1))
        shown.append(np.isin(samples.main_shocks[fold.test], patterns))
        seen.append(np.isin(samples.patterns[fold.test], answers).any(axis=1))
        trained.append(len(fold.training))
    shares = {"pattern_shared": shared, "events_shared": part, "answer_shown": shown, "answers_seen": seen}
    metrics = {name: 100 * float(np.concatenate(values).mean()) for name, values in shares.items()}
    metrics["training_samples"] = float(np.mean(trained))
    metrics["events_of_all_samples"] = float(len(np.unique(events_of(samples))))
    return UnitResult({**metrics}, len(np.concatenate(shared)), sample_set.files)
