"""DLEP with other convolutions: of its convolutional network the paper prints the width of the last layer alone."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from reproduce_lib.papers.li2021.dlep import DlepParameters, build_dlep, train_dlep
from reproduce_lib.papers.li2021.evaluation import Fold, Forecast, evaluate
from reproduce_lib.papers.li2021.samples import Labels, load_samples
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

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
        return train_dlep(build_dlep(parameters, FILTERS[parameters.layers]), parameters, sample_set, fold, labels)

    return evaluate(parameters, sample_set, classify)
