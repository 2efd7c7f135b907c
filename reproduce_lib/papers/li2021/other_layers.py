"""DLEP with other convolutions: of its convolutional network the paper prints the width of the last layer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from reproduce_lib.papers.li2021.dlep import KERNEL, POOLING, DlepParameters, attended, train_dlep
from reproduce_lib.papers.li2021.evaluation import Fold, Forecast, evaluate
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import ATTRIBUTES, Labels, load_samples
from reproduce_lib.seismicity_indicators import INDICATORS
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

if TYPE_CHECKING:
    import keras

Convolutions = Literal["one convolution", "three convolutions"]
CONVOLUTIONS: tuple[Convolutions, ...] = get_args(Convolutions)
# Filters of each convolution; that of the decision has 32 and 64.
FILTERS: dict[Convolutions, tuple[int, ...]] = {"one convolution": (32,), "three convolutions": (32, 64, 128)}


class OtherLayersParameters(DlepParameters):
    """DLEP with one or three convolutions in the place of two, each followed by its pooling."""

    experiment: ClassVar[str] = "other_layers"

    layers: Convolutions = "one convolution"


def run_other_layers(parameters: OtherLayersParameters) -> UnitResult:
    """Train one network per fold and score it, as DLEP is."""
    sample_set = load_samples(parameters)

    def classify(fold: Fold, labels: Labels, seed: int) -> Forecast:
        start_afresh(seed)
        return train_dlep(build_other_layers(parameters), parameters, sample_set, fold, labels)

    return evaluate(parameters, sample_set, classify)


def build_other_layers(parameters: OtherLayersParameters) -> keras.Model:
    """Build the network of figure 3 with other convolutions; inputs and output are those of `dlep.build_dlep`."""
    import keras
    from keras import layers

    pattern = keras.Input((parameters.width, len(ATTRIBUTES)), name="pattern")
    indicators = keras.Input((len(INDICATORS),), name="indicators")
    explicit = layers.Dense(parameters.units, activation="relu")(indicators)
    hidden = layers.Reshape((parameters.width, len(ATTRIBUTES), 1))(pattern)
    for filters in FILTERS[parameters.layers]:
        hidden = layers.Conv2D(filters, KERNEL, padding="same", activation="relu")(hidden)
        hidden = layers.MaxPooling2D(POOLING, padding="same")(hidden)
    implicit = layers.Dense(parameters.units, activation="relu")(layers.Flatten()(hidden))
    fused = attended(explicit, implicit, layers.Concatenate()([explicit, implicit]), parameters.units)
    fused = layers.Dropout(parameters.dropout)(layers.BatchNormalization()(fused))
    return keras.Model([pattern, indicators], layers.Dense(CLASSES, activation="softmax")(fused))
