"""The networks of Tables II to IV: training in two stages, or in one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.data.aeta import CLASSES
from reproduce_lib.papers.zhang2023.densenet import Classifier, build_backbone, build_classifier, build_cnn, features_of
from reproduce_lib.papers.zhang2023.evaluation import DesignParameters, Fold, Forecast, evaluate
from reproduce_lib.papers.zhang2023.fitting import Inputs, KeptEpoch, Sampling, fit_until_it_stops
from reproduce_lib.papers.zhang2023.samples import SampleSet, Values, load_samples
from reproduce_lib.papers.zhang2023.scaling import Scaling, scaler
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

if TYPE_CHECKING:
    import keras

Model = Literal["decoupled", "densenet", "cnn"]
MODELS: tuple[Model, ...] = get_args(Model)
Features = Literal["fused", "implicit", "explicit"]
StoppedBy = Literal["inner", "test"]
PREDICTED_AT_ONCE = 512


class NetworkParameters(DesignParameters):
    """One network under one design.

    ``decoupled`` trains the backbone, freezes it, and trains a ``classifier`` on its features, on the input itself, or
    on both; ``densenet`` is the backbone alone, ``cnn`` a plain convolutional network. ``sampling`` is that of the
    second stage, and ``stopped_by`` the samples whose loss ends it: a part of the training samples, or the test
    samples. ``kept_epoch`` says whether the weights of the least loss are kept, or those that training ends with.
    """

    experiment: ClassVar[str] = "networks"

    backend: Literal["jax", "tensorflow"] = "jax"
    model: Model = "decoupled"
    features: Features = "fused"
    classifier: Classifier = "dense"
    sampling: Sampling = "natural"
    stopped_by: StoppedBy = "inner"
    kept_epoch: KeptEpoch = "best"
    epochs: int = Field(default=100, ge=1, le=1000)
    patience: int = Field(default=5, ge=1, le=1000)
    batch_size: int = Field(default=32, ge=1, le=4096)
    learning_rate: float = Field(default=0.001, gt=0, le=1)

    @model_validator(mode="after")
    def _belongs_to_the_model(self) -> Self:
        second_stage = {"features": "fused", "classifier": "dense", "stopped_by": "inner"}
        if self.model != "decoupled":
            for name, value in second_stage.items():
                if getattr(self, name) != value:
                    raise ValueError(f"{name} {getattr(self, name)!r} belongs to model 'decoupled', not {self.model!r}")
        if self.model == "densenet" and self.sampling != "natural":
            raise ValueError("model 'densenet' has no second stage; its sampling is 'natural'")
        return self

    @property
    def fitting(self) -> dict[str, Any]:
        """Return what both stages are fitted with."""
        return {
            name: getattr(self, name) for name in ("epochs", "patience", "batch_size", "learning_rate", "kept_epoch")
        }


@dataclass(frozen=True)
class Scaled:
    """The inputs of one fold's parts, scaled by its training samples, and their classes."""

    training: tuple[Inputs, NDArray[np.intp]]
    validation: tuple[Inputs, NDArray[np.intp]]
    test: tuple[Inputs, NDArray[np.intp]]


def run_network(parameters: NetworkParameters) -> UnitResult:
    """Train one network on each fold and judge it."""
    samples = load_samples(parameters)
    classify = partial(fit_and_score, parameters, samples)
    return evaluate(parameters, samples, classify, keep=parameters.is_the_papers_design)


def fit_and_score(parameters: NetworkParameters, samples: SampleSet, fold: Fold, seed: int) -> Forecast:
    """Train one network on a fold and let it forecast its test samples."""
    start_afresh(seed)
    scaled = scale(samples, fold, parameters.scaling)
    if parameters.model == "cnn":
        model = build_cnn(_shape(scaled))
        history = fit_until_it_stops(
            model, scaled.training, scaled.validation, sampling=parameters.sampling, seed=seed, **parameters.fitting
        )
        return Forecast(_predict(model, scaled.test[0]), history)
    if parameters.features == "explicit":
        return _second_stage(parameters, scaled, None, seed)
    backbone = build_backbone(_shape(scaled))
    first = fit_until_it_stops(backbone, scaled.training, None, sampling="natural", seed=seed, **parameters.fitting)
    if parameters.model == "densenet":
        return Forecast(_predict(backbone, scaled.test[0]), first)
    found = _second_stage(parameters, scaled, features_of(backbone), seed)
    return Forecast(found.scores, {**{f"backbone_{name}": values for name, values in first.items()}, **found.history})


def scale(samples: SampleSet, fold: Fold, scaling: Scaling) -> Scaled:
    """Scale each feature by what it is over the training samples."""
    scaled = scaler(scaling, samples.inputs[fold.training])

    def part(rows: NDArray[np.intp]) -> tuple[Inputs, NDArray[np.intp]]:
        return scaled(samples.inputs[rows]), samples.labels[rows]

    return Scaled(part(fold.training), part(fold.validation), part(fold.test))


def explicit_features(inputs: Inputs, times: int) -> Inputs:
    """Return the input averaged over ``times`` spans of time, so that it stands beside the backbone's features."""
    spans = np.array_split(np.arange(inputs.shape[1]), times)
    return np.stack([inputs[:, span].mean(axis=1) for span in spans], axis=1)


def _second_stage(parameters: NetworkParameters, scaled: Scaled, backbone: keras.Model | None, seed: int) -> Forecast:
    """Train the classifier on features of a frozen backbone, on the input, or on both."""

    def features(inputs: Inputs) -> Inputs:
        if backbone is None:
            return explicit_features(inputs, _frozen_times(inputs.shape[1]))
        implicit = backbone.predict(inputs, batch_size=PREDICTED_AT_ONCE, verbose=0)
        if parameters.features == "implicit":
            return np.asarray(implicit, dtype=np.float32)
        return np.concatenate([implicit, explicit_features(inputs, implicit.shape[1])], axis=-1)

    training = features(scaled.training[0]), scaled.training[1]
    test = features(scaled.test[0]), scaled.test[1]
    stop = test if parameters.stopped_by == "test" else (features(scaled.validation[0]), scaled.validation[1])
    model = build_classifier(training[0].shape[1:], parameters.classifier)
    history = fit_until_it_stops(model, training, stop, sampling=parameters.sampling, seed=seed, **parameters.fitting)
    return Forecast(_predict(model, test[0]), history)


def _frozen_times(times: int) -> int:
    """Return how many times the backbone leaves of its input: three transitions halve them, rounding up."""
    for _ in range(3):
        times = -(-times // 2)
    return times


def _predict(model: keras.Model, inputs: Inputs) -> Values:
    found: Values = model.predict(inputs, batch_size=PREDICTED_AT_ONCE, verbose=0).astype(float)
    assert found.shape[1] == CLASSES
    return found


def _shape(scaled: Scaled) -> tuple[int, int]:
    times, features = scaled.training[0].shape[1:]
    return times, features
