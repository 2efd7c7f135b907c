"""2016N: a feedforward network of three layers on the eight indicators, trained by back-propagation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from reproduce_lib.papers.li2021.evaluation import Fold, Forecast, evaluate
from reproduce_lib.papers.li2021.networks import NetworkParameters, train_on_fold
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import Labels, load_samples, scaled_inputs
from reproduce_lib.seismicity_indicators import INDICATORS
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

if TYPE_CHECKING:
    import keras


class BpParameters(NetworkParameters):
    """The network of the paper's reference 24; what the paper says of it is its number of layers."""

    experiment: ClassVar[str] = "bp"

    hidden: int = Field(default=20, ge=1, le=1000)


def run_bp(parameters: BpParameters) -> UnitResult:
    """Train one network per fold and score it."""
    sample_set = load_samples(parameters)

    def classify(fold: Fold, labels: Labels, seed: int) -> Forecast:
        start_afresh(seed)
        _, indicators = scaled_inputs(sample_set, fold.training)
        return train_on_fold(build_bp(parameters), indicators, fold, labels, parameters)

    return evaluate(parameters, sample_set, classify, keep=parameters.keeps_forecasts)


def build_bp(parameters: BpParameters) -> keras.Model:
    """Build input (batch, 8), one hidden layer and output (batch, 5)."""
    import keras
    from keras import layers

    hidden = layers.Dense(parameters.hidden, activation="sigmoid")
    return keras.Sequential([keras.Input((len(INDICATORS),)), hidden, layers.Dense(CLASSES, activation="softmax")])
