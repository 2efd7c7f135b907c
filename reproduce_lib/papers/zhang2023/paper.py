"""Which units the paper needs: its tables, the readings of what it left open, and the designs without a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from reproduce_lib.papers.zhang2023.backbone_shapes import BackboneShapeParameters, run_backbone_shapes
from reproduce_lib.papers.zhang2023.chance import METHODS as CHANCE_METHODS
from reproduce_lib.papers.zhang2023.chance import ChanceParameters, run_chance
from reproduce_lib.papers.zhang2023.dataset_facts import DatasetFactParameters, run_dataset_facts
from reproduce_lib.papers.zhang2023.evaluation import DesignParameters
from reproduce_lib.papers.zhang2023.granularity import GranularityParameters, run_granularity
from reproduce_lib.papers.zhang2023.networks import NetworkParameters, run_network
from reproduce_lib.papers.zhang2023.samples import KEY
from reproduce_lib.papers.zhang2023.weighted import METHODS, WeightedParameters, run_weighted
from reproduce_lib.units import Experiment, Paper, UnitParameters

SEEDS = 5
# The rows of Tables II to IV that are networks.
TABLE_ROWS: tuple[dict[str, Any], ...] = (
    {},
    {"features": "implicit"},
    {"features": "explicit"},
    {"classifier": "flatten"},
    {"classifier": "cnn"},
    {"model": "cnn", "sampling": "class_balanced"},
    {"model": "densenet"},
)
# Ways to treat features, of which two break in 2020; under each of them the models of the designs are compared.
SCALINGS: tuple[dict[str, Any], ...] = (
    {"scaling": "clipped"},
    {"scaling": "standard"},
    {"statistics": "mean without the break"},
)
# What the paper leaves open, varied for the proposed network.
READINGS: tuple[dict[str, Any], ...] = (
    {"sampling": "class_balanced"},
    {"stopped_by": "test"},
    {"weeks": 8},
    {"weeks": 32},
    {"statistics": "all"},
    {"batch_size": 64},
    {"model": "cnn"},
    {"kept_epoch": "last"},
    *SCALINGS,
)
# Ways to judge: of the real signal, and where there is none.
DESIGNS: dict[str, dict[str, Any]] = {
    "real weeks, by time": {},
    "real weeks, random rows": {"split": "rows"},
    "real weeks, area held out": {"split": "areas"},
    "shuffled labels, by time": {"labels": "shuffled"},
    "shuffled labels, random rows": {"labels": "shuffled", "split": "rows"},
    "surrogate features, by time": {"source": "surrogate"},
    "surrogate features, random rows": {"source": "surrogate", "split": "rows"},
    "surrogate features, area held out": {"source": "surrogate", "split": "areas"},
    "shuffled labels, oversampled before the split": {
        "labels": "shuffled", "split": "rows", "oversampling": "before_split",
    },
    "real weeks, oversampled before the split": {"split": "rows", "oversampling": "before_split"},
    "drawn classes, overlapping windows": {"source": "raw", "split": "rows"},
    "drawn classes, station held out": {"source": "raw", "split": "stations"},
    "drawn classes, week held out": {"source": "raw", "split": "weeks"},
}  # fmt: skip
DESIGN_MODELS: tuple[dict[str, Any], ...] = (
    {},
    {"model": "densenet"},
    {"model": "cnn", "sampling": "class_balanced"},
)


def naive_unit(unit: UnitParameters) -> ChanceParameters | None:
    """Return the commonest class on the same folds, or ``None`` for a unit that forecasts nothing."""
    if not isinstance(unit, DesignParameters) or isinstance(unit, ChanceParameters):
        return None
    shared = {name: getattr(unit, name) for name in DesignParameters.model_fields if name != "backend"}
    return ChanceParameters.of(**shared)


def _full_networks() -> Iterator[NetworkParameters]:
    units: dict[str, NetworkParameters] = {}
    for choices, seed in product((*TABLE_ROWS, *READINGS), range(SEEDS)):
        units.setdefault((unit := NetworkParameters.of(**choices, seed=seed)).key, unit)
    for design, model, seed in product((*DESIGNS.values(), *SCALINGS), DESIGN_MODELS, range(SEEDS)):
        units.setdefault((unit := NetworkParameters.of(**design, **model, seed=seed)).key, unit)
    yield from units.values()


def _full_weighted() -> Iterator[WeightedParameters]:
    for design, method, seed in product((*DESIGNS.values(), *SCALINGS), METHODS, range(SEEDS)):
        yield WeightedParameters.of(**design, method=method, seed=seed)


def _full_chance() -> Iterator[ChanceParameters]:
    readings = ({}, *(reading for reading in READINGS if set(reading) <= set(DesignParameters.model_fields)))
    units: dict[str, ChanceParameters] = {}
    for design, method, seed in product((*DESIGNS.values(), *readings), CHANCE_METHODS, range(SEEDS)):
        units.setdefault((unit := ChanceParameters.of(**design, method=method, seed=seed)).key, unit)
    yield from units.values()


def _one(parameters: type[UnitParameters]) -> Callable[[], Iterator[UnitParameters]]:
    return lambda: iter([parameters()])


def _none() -> Iterator[UnitParameters]:
    yield from ()


def _smoke(parameters: type[DesignParameters], **values: Any) -> Callable[[], Iterator[DesignParameters]]:
    return lambda: iter([parameters.of(profile="smoke", source="simulated", weeks=8, **values)])


EXPERIMENTS = (
    Experiment(DatasetFactParameters, run_dataset_facts, _one(DatasetFactParameters), _none, deterministic=True),
    Experiment(GranularityParameters, run_granularity, _one(GranularityParameters), _none, deterministic=True),
    Experiment(BackboneShapeParameters, run_backbone_shapes, _one(BackboneShapeParameters), _none, deterministic=True),
    Experiment(ChanceParameters, run_chance, _full_chance, _smoke(ChanceParameters)),
    Experiment(WeightedParameters, run_weighted, _full_weighted, _smoke(WeightedParameters)),
    Experiment(NetworkParameters, run_network, _full_networks, _smoke(NetworkParameters, epochs=1)),
)
PAPER = Paper(
    key=KEY,
    experiments={experiment.name: experiment for experiment in EXPERIMENTS},
    naive=naive_unit,
    main=NetworkParameters.experiment,
)
