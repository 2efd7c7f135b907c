"""2018CNN: a network that looks at a map with the events of the past 120 days painted on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.data.catalogs import Box
from reproduce_lib.papers.li2021.evaluation import Fold, Forecast, evaluate
from reproduce_lib.papers.li2021.networks import NetworkParameters, train_on_fold
from reproduce_lib.papers.li2021.regions import CLASSES, REGIONS
from reproduce_lib.papers.li2021.samples import Labels, SampleSet, days_of, load_samples
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

if TYPE_CHECKING:
    import keras

DAYS = 120.0
FILTERS = (16, 32, 64)
# Radius in pixels and value of an event's disk; both grow with the magnitude above the smallest of the region.
RADIUS_PER_MAGNITUDE = 1.0
LEAST_RADIUS = 0.5
# Half a pixel's diagonal: a disk that is smaller would fall between the pixels.
LEAST_DISTANCE = 0.71
VALUE_PER_MAGNITUDE = 0.2
LEAST_VALUE = 0.2


class EventMapParameters(NetworkParameters):
    """The network of the paper's reference 9 on maps of ``pixels`` by ``pixels``."""

    experiment: ClassVar[str] = "event_maps"

    pixels: int = Field(default=32, ge=8, le=256)


def run_event_maps(parameters: EventMapParameters) -> UnitResult:
    """Paint the maps, train one network per fold and score it."""
    sample_set = load_samples(parameters)
    main_shocks = sample_set.samples.main_shocks
    maps = paint_maps(sample_set, REGIONS[parameters.region].box, parameters.pixels)[..., None]

    def separated(fold: Fold) -> Fold:
        shuffled = parameters.split == "shuffled"
        return fold if shuffled else without_shared_events(fold, first_painted(sample_set), main_shocks)

    def classify(fold: Fold, labels: Labels, seed: int) -> Forecast:
        start_afresh(seed)
        return train_on_fold(build_event_maps(parameters), maps, fold, labels, parameters)

    return evaluate(parameters, sample_set, classify, keep=parameters.keeps_forecasts, separated=separated)


def build_event_maps(parameters: EventMapParameters) -> keras.Model:
    """Build three convolutions with pooling; input (batch, pixels, pixels, 1), output (batch, 5)."""
    import keras
    from keras import layers

    stack: list[keras.Layer] = [keras.Input((parameters.pixels, parameters.pixels, 1))]
    for filters in FILTERS:
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(2, padding="same")]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(CLASSES, activation="softmax")])


def without_shared_events(fold: Fold, first: NDArray[np.intp], last: NDArray[np.intp]) -> Fold:
    """Leave out the training samples that share an event with a test sample; a map holds more than a pattern.

    Parameters
    ----------
    first, last : of each sample the first event on its map and its main shock, shape (samples,)
    """
    tested = np.zeros(last.max() + 2, dtype=np.intp)
    for sample in fold.test:
        tested[first[sample] + 1 : last[sample] + 2] = 1
    before = np.cumsum(tested)
    shared = before[last[fold.training] + 1] > before[first[fold.training]]
    return Fold(fold.training[~shared], fold.test)


def first_painted(sample_set: SampleSet) -> NDArray[np.intp]:
    """Return the first event of the 120 days before each main shock, shape (samples,)."""
    days = days_of(sample_set.events)
    first: NDArray[np.intp] = np.searchsorted(days, days[sample_set.samples.main_shocks] - DAYS, side="left")
    return first


def paint_maps(sample_set: SampleSet, box: Box, pixels: int) -> NDArray[np.float32]:
    """Paint the events of the 120 days before each main shock as disks; where disks overlap the larger value stays.

    Returns
    -------
    shape (samples, pixels, pixels), north up, 0 where nothing is painted
    """
    events = sample_set.events
    main_shocks = sample_set.samples.main_shocks
    excess = events["magnitude"].to_numpy() - events["magnitude"].min()
    rows = (box.north - events["latitude"].to_numpy()) / (box.north - box.south) * (pixels - 1)
    columns = (events["longitude"].to_numpy() - box.west) / (box.east - box.west) * (pixels - 1)
    maps = np.zeros((len(main_shocks), pixels, pixels), dtype=np.float32)
    for image, begin, end in zip(maps, first_painted(sample_set), main_shocks, strict=True):
        for event in range(begin, end):
            _paint(image, rows[event], columns[event], excess[event])
    return maps


def _paint(image: NDArray[np.float32], row: float, column: float, excess: float) -> None:
    """Paint one disk into an image, in place."""
    radius = LEAST_RADIUS + RADIUS_PER_MAGNITUDE * excess
    top, left = (max(int(np.floor(centre - radius)), 0) for centre in (row, column))
    bottom, right = (int(np.ceil(centre + radius)) + 1 for centre in (row, column))
    window = image[top:bottom, left:right]
    down, across = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
    inside = (down - row) ** 2 + (across - column) ** 2 <= max(radius, LEAST_DISTANCE) ** 2
    np.maximum(
        window, np.where(inside, LEAST_VALUE + VALUE_PER_MAGNITUDE * excess, 0.0), out=window, casting="same_kind"
    )
