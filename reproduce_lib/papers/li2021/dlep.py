"""DLEP and its two variants: section III."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
from pydantic import Field

from reproduce_lib.papers.li2021.class_weights import dynamic_loss, weighted_targets
from reproduce_lib.papers.li2021.evaluation import Fold, Forecast, evaluate
from reproduce_lib.papers.li2021.networks import NetworkParameters, train_on_fold
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import ATTRIBUTES, Labels, SampleSet, load_samples, scaled_inputs
from reproduce_lib.seismicity_indicators import INDICATORS
from reproduce_lib.training import start_afresh
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

    ``dlep_att`` is DLEP without its attention, ``dlep_dyn`` DLEP without its dynamic loss (section IV-A).
    """

    experiment: ClassVar[str] = "dlep"

    model: Variant = "dlep"
    learning_rate: float = Field(default=0.00025, gt=0, le=1)
    units: int = Field(default=600, ge=1, le=5000)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    batch_share: float = Field(default=0.8, ge=0, le=1)


def run_dlep(parameters: DlepParameters) -> UnitResult:
    """Train one network per fold and score it."""
    sample_set = load_samples(parameters)
    classify = partial(fit_and_score, parameters, sample_set)
    return evaluate(parameters, sample_set, classify, keep=parameters.keeps_forecasts)


def fit_and_score(parameters: DlepParameters, sample_set: SampleSet, fold: Fold, labels: Labels, seed: int) -> Forecast:
    """Train one network on one fold's training samples and let it forecast all of the fold's samples."""
    start_afresh(seed)
    return train_dlep(build_dlep(parameters), parameters, sample_set, fold, labels)


def train_dlep(
    model: keras.Model, parameters: DlepParameters, sample_set: SampleSet, fold: Fold, labels: Labels
) -> Forecast:
    """Train a network with the loss of its variant."""
    inputs = scaled_inputs(sample_set, fold.training)
    if parameters.model == "dlep_dyn":
        return train_on_fold(model, inputs, fold, labels, parameters)
    population = np.bincount(labels[fold.training], minlength=CLASSES).astype(float)
    targets = weighted_targets(labels, population)
    return train_on_fold(
        model, inputs, fold, labels, parameters, targets=targets, loss=dynamic_loss(parameters.batch_share)
    )


def build_dlep(parameters: DlepParameters) -> keras.Model:
    """Build the network of figure 3.

    Inputs are the pattern (batch, w, attributes) and the eight indicators (batch, 8); the output is a
    probability of each class (batch, 5). Explicit and implicit features have ``units`` neurons each (Table II).
    """
    import keras
    from keras import layers

    pattern = keras.Input((parameters.width, len(ATTRIBUTES)), name="pattern")
    indicators = keras.Input((len(INDICATORS),), name="indicators")
    explicit = layers.Dense(parameters.units, activation="relu", name="explicit")(indicators)
    hidden = layers.Reshape((parameters.width, len(ATTRIBUTES), 1))(pattern)
    for filters in FILTERS:
        hidden = layers.Conv2D(filters, KERNEL, padding="same", activation="relu")(hidden)
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
