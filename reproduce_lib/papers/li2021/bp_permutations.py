"""2016N on permuted labels: what it scores when nothing can be learned, often enough for a p-value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from reproduce_lib.batched import predict_batch, train_batch
from reproduce_lib.papers.li2021.bp import BpParameters, build_bp
from reproduce_lib.papers.li2021.evaluation import Forecast, Task, score, task_of
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import SampleSet, load_samples, scaled_inputs
from reproduce_lib.training import start_afresh
from reproduce_lib.units import MetricValue, UnitResult


class BpPermutationParameters(BpParameters):
    """The network on ``permutations`` permutations of the labels; only JAX trains networks together."""

    experiment: ClassVar[str] = "bp_permutations"

    labels: Literal["permuted"] = "permuted"
    backend: Literal["jax", "jax_gpu"] = "jax"
    permutations: int = Field(default=200, ge=1, le=100_000)

    def permutation(self, number: int) -> BpParameters:
        """Return the unit of one permutation: its labels, folds and initial weights are drawn from its number."""
        return BpParameters.of(**{**self.model_dump(exclude={"permutations"}), "seed": number})


def run_bp_permutations(parameters: BpPermutationParameters) -> UnitResult:
    """Train the folds of all permutations side by side, and score each permutation.

    Metrics are the mean, and the quantile that one in twenty permutations exceeds; all scores are kept.
    """
    sample_set = load_samples(parameters)
    tasks = [task_of(parameters.permutation(number), sample_set) for number in range(parameters.permutations)]
    of_one_shape = defaultdict(list)
    for unit, task in enumerate(tasks):
        for number, fold in enumerate(task.folds):
            of_one_shape[len(fold.training), len(fold.test)].append((unit, number))
    forecasts: dict[tuple[int, int], Forecast] = {}
    for places in of_one_shape.values():
        jobs = [(tasks[unit], number) for unit, number in places]
        forecasts |= dict(zip(places, _fit_together(parameters, sample_set, jobs), strict=True))
    found = [
        score(sample_set, task, [forecasts[unit, number] for number in range(len(task.folds))]).metrics
        for unit, task in enumerate(tasks)
    ]
    scores = {name: np.array([metrics[name] for metrics in found], dtype=float) for name in ("accuracy", "mauc")}
    metrics: dict[str, MetricValue] = {name: float(values.mean()) for name, values in scores.items()}
    metrics |= {f"{name}_95": float(np.quantile(values, 0.95)) for name, values in scores.items()}
    kept = {name: values.astype(np.float32) for name, values in scores.items()}
    return UnitResult(metrics, parameters.permutations, sample_set.files, kept)


def _fit_together(
    parameters: BpPermutationParameters, sample_set: SampleSet, jobs: Sequence[tuple[Task, int]]
) -> list[Forecast]:
    """Train one network for each fold, given by its number in a task; all folds have equally many samples."""
    import keras

    models, training, unseen, seeds = [], [], [], []
    start_afresh(jobs[0][0].seeds[jobs[0][1]])
    for task, number in jobs:
        fold, seed = task.folds[number], task.seeds[number]
        _, everything = scaled_inputs(sample_set, fold.training)
        # Weights are drawn from the seed alone; to forget earlier models would take a third of a second each time.
        keras.utils.set_random_seed(seed)
        models.append(build_bp(parameters))
        targets = np.eye(CLASSES, dtype=np.float32)[task.labels[fold.training]]
        training.append((everything[fold.training], targets))
        unseen.append(everything[fold.test])
        seeds.append(seed)
    train_batch(models, training, None, seeds=seeds, loss="categorical_crossentropy", **parameters.fitting)
    return [Forecast(scores) for scores in predict_batch(models, unseen)]
