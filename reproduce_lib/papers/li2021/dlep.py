"""DLEP and its two variants: section III."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.batched import predict_batch, train_batch
from reproduce_lib.class_scores import accuracy
from reproduce_lib.papers.li2021.class_weights import dynamic_loss, weighted_targets
from reproduce_lib.papers.li2021.evaluation import Fold, Forecast, Task, evaluate, inner_fold, score, task_of
from reproduce_lib.papers.li2021.networks import NetworkParameters, part_of, train_on_fold
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import ATTRIBUTES, Labels, SampleSet, load_samples, scaled_inputs
from reproduce_lib.papers.li2021.search import Settings, search
from reproduce_lib.seismicity_indicators import INDICATORS
from reproduce_lib.training import Loss, start_afresh
from reproduce_lib.units import UnitResult

if TYPE_CHECKING:
    import keras

Variant = Literal["dlep", "dlep_att", "dlep_dyn"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
KERNEL = (3, 3)
# Two convolutions as in the figure of the framework; pooled along the events, of which there are more than attributes.
FILTERS = (32, 64)
POOLING = (2, 1)


class DlepParameters(NetworkParameters):
    """One network on all folds of a region.

    ``dlep_att`` is DLEP without its attention, ``dlep_dyn`` DLEP without its dynamic loss (section IV-A). With
    ``trials``, each fold has settings of its own, searched for among its training samples.
    """

    experiment: ClassVar[str] = "dlep"

    model: Variant = "dlep"
    learning_rate: float = Field(default=0.00025, gt=0, le=1)
    units: int = Field(default=600, ge=1, le=5000)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    batch_share: float = Field(default=0.8, ge=0, le=1)
    trials: int = Field(default=0, ge=0, le=1000)


def run_dlep(parameters: DlepParameters) -> UnitResult:
    """Train one network per fold and score it."""
    sample_set = load_samples(parameters)
    classify = partial(search_and_fit if parameters.trials else fit, parameters, sample_set)
    return evaluate(parameters, sample_set, classify, keep=parameters.keeps_forecasts)


def run_dlep_batch(batch: Sequence[DlepParameters]) -> list[UnitResult]:
    """Train the folds of units that differ in their seed alone in few programs, one for each number of samples."""
    if batch[0].trials:
        return [run_dlep(parameters) for parameters in batch]
    sample_sets = [load_samples(parameters) for parameters in batch]
    tasks = [task_of(*pair) for pair in zip(batch, sample_sets, strict=True)]
    of_one_shape = defaultdict(list)
    for unit, task in enumerate(tasks):
        for number, fold in enumerate(task.folds):
            of_one_shape[len(task.labels), len(fold.training)].append((unit, number))
    forecasts: dict[tuple[int, int], Forecast] = {}
    for places in of_one_shape.values():
        jobs = [(batch[unit], sample_sets[unit], tasks[unit], number) for unit, number in places]
        forecasts |= dict(zip(places, _fit_together(jobs), strict=True))
    return [
        score(sample_set, task, [forecasts[unit, i] for i in range(len(task.folds))], keep=parameters.keeps_forecasts)
        for unit, (parameters, sample_set, task) in enumerate(zip(batch, sample_sets, tasks, strict=True))
    ]


def _fit_together(jobs: Sequence[tuple[DlepParameters, SampleSet, Task, int]]) -> list[Forecast]:
    """Train one network for each fold, given by its number in a task; all folds have equally many samples."""
    models, everything, training, folds = [], [], [], []
    for parameters, sample_set, task, number in jobs:
        fold = task.folds[number]
        start_afresh(task.seeds[number])
        models.append(build_dlep(parameters))
        inputs = scaled_inputs(sample_set, fold.training)
        targets, loss = _targets_and_loss(parameters, fold, task.labels)
        everything.append(inputs)
        training.append((part_of(inputs, fold.training), targets[fold.training]))
        folds.append(fold)
    seeds = [task.seeds[number] for _, _, task, number in jobs]
    histories = train_batch(models, training, None, seeds=seeds, loss=loss, **jobs[0][0].fitting)
    predicted = predict_batch(models, everything)
    return [
        Forecast(scores[fold.test], scores[fold.training], history)
        for scores, fold, history in zip(predicted, folds, histories, strict=True)
    ]


def search_and_fit(
    parameters: DlepParameters, sample_set: SampleSet, fold: Fold, labels: Labels, seed: int
) -> Forecast:
    """Search for settings among a fold's training samples, then train on all of them with what was found."""
    inner = inner_fold(parameters.split, sample_set.samples, fold, seed)

    def score_of(tried: Settings) -> float:
        forecast = fit(parameters.with_values(**tried), sample_set, inner, labels, seed)
        return accuracy(labels[inner.test], forecast.test.argmax(axis=1))

    found = search(score_of, trials=parameters.trials, seed=seed)
    return replace(fit(parameters.with_values(**found), sample_set, fold, labels, seed), settings=found)


def fit(parameters: DlepParameters, sample_set: SampleSet, fold: Fold, labels: Labels, seed: int) -> Forecast:
    """Train one network on one fold's training samples and let it forecast all of the fold's samples."""
    start_afresh(seed)
    return train_dlep(build_dlep(parameters), parameters, sample_set, fold, labels)


def train_dlep(
    model: keras.Model, parameters: DlepParameters, sample_set: SampleSet, fold: Fold, labels: Labels
) -> Forecast:
    """Train a network that is built and not compiled with the loss of its variant."""
    inputs = scaled_inputs(sample_set, fold.training)
    targets, loss = _targets_and_loss(parameters, fold, labels)
    return train_on_fold(model, inputs, fold, labels, parameters, targets=targets, loss=loss)


def _targets_and_loss(parameters: DlepParameters, fold: Fold, labels: Labels) -> tuple[NDArray[np.float32], Loss]:
    if parameters.model == "dlep_dyn":
        return np.eye(CLASSES, dtype=np.float32)[labels], "categorical_crossentropy"
    population = np.bincount(labels[fold.training], minlength=CLASSES).astype(float)
    return weighted_targets(labels, population), dynamic_loss(parameters.batch_share)


def build_dlep(parameters: DlepParameters, filters: Sequence[int] = FILTERS) -> keras.Model:
    """Build the network of figure 3, with a convolution and a pooling for each number of ``filters``.

    Inputs are the pattern (batch, w, attributes) and the eight indicators (batch, 8); the output is a
    probability of each class (batch, 5). Explicit and implicit features have ``units`` neurons each (Table II).
    """
    import keras
    from keras import layers

    pattern = keras.Input((parameters.width, len(ATTRIBUTES)), name="pattern")
    indicators = keras.Input((len(INDICATORS),), name="indicators")
    explicit = layers.Dense(parameters.units, activation="relu", name="explicit")(indicators)
    hidden = layers.Reshape((parameters.width, len(ATTRIBUTES), 1))(pattern)
    for count in filters:
        hidden = layers.Conv2D(count, KERNEL, padding="same", activation="relu")(hidden)
        hidden = layers.MaxPooling2D(POOLING, padding="same")(hidden)
    implicit = layers.Dense(parameters.units, activation="relu", name="implicit")(layers.Flatten()(hidden))
    fused = layers.Concatenate(name="concatenated")([explicit, implicit])
    if parameters.model != "dlep_att":
        fused = attended(explicit, implicit, fused, parameters.units)
    fused = layers.BatchNormalization()(fused)
    fused = layers.Dropout(parameters.dropout)(fused)
    return keras.Model([pattern, indicators], layers.Dense(CLASSES, activation="softmax")(fused))


def attended(explicit: Any, implicit: Any, fused: Any, units: int) -> Any:
    """Return FF = [EF * U, IF * V] with U = sigmoid(Fc U), V = sigmoid(Fc V): section III-B, without biases."""
    from keras import layers

    weights = [
        layers.Dense(units, activation="sigmoid", use_bias=False, name=name)(fused)
        for name in ("explicit_attention", "implicit_attention")
    ]
    weighted = [layers.Multiply()(pair) for pair in ((explicit, weights[0]), (implicit, weights[1]))]
    return layers.Concatenate(name="fused")(weighted)
