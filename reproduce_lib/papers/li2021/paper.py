"""Which units the paper needs: every region that ten folds can carry, the audits, and the readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from reproduce_lib.papers.li2021.bp import BpParameters, run_bp
from reproduce_lib.papers.li2021.bp_permutations import BpPermutationParameters, run_bp_permutations
from reproduce_lib.papers.li2021.cart import CartParameters, PermutationParameters, run_cart, run_permutations
from reproduce_lib.papers.li2021.chance import METHODS, ChanceParameters, run_chance
from reproduce_lib.papers.li2021.dlep import VARIANTS, DlepParameters, run_dlep, run_dlep_batch
from reproduce_lib.papers.li2021.evaluation import ClassifierParameters
from reproduce_lib.papers.li2021.event_maps import EventMapParameters, run_event_maps
from reproduce_lib.papers.li2021.features import FeatureParameters, run_features
from reproduce_lib.papers.li2021.loss_example import LossExampleParameters, run_loss_example
from reproduce_lib.papers.li2021.other_layers import CONVOLUTIONS, OtherLayersParameters, run_other_layers
from reproduce_lib.papers.li2021.overlap import OverlapParameters, run_overlap
from reproduce_lib.papers.li2021.regions import KEY, REGIONS, RegionName
from reproduce_lib.papers.li2021.samples import CHOSEN
from reproduce_lib.papers.li2021.segmentations import SegmentationParameters, run_segmentation
from reproduce_lib.units import Batch, Experiment, Paper, UnitParameters

SEEDS = 5
# What costs as much and judges no printed number: simulated catalogues, permuted labels, readings, searches.
ETAS_SEEDS, PERMUTED_SEEDS, READING_SEEDS, SEARCH_SEEDS = 3, 2, 3, 3
# Runs of 2018CNN, the slowest of the earlier methods, in each design of the audit.
EVENT_MAP_AUDIT_SEEDS = 2
# Earlier ends of the training: how far a network has come by then, and whether it had better stopped.
EARLIER_EPOCHS, EARLIER_SEEDS = (5, 10, 20, 40), 2
# The split of the paper, and those that keep what a test sample is made of out of the training.
SPLITS = ("shuffled", "grouped", "forward")
# One region on which what the paper leaves open is varied.
VARIED: RegionName = "sichuan"
# The two regions with the fewest samples: a search trains each fold as often as it has trials.
SEARCHED: tuple[RegionName, ...] = ("chicago", "shandong_jiangsu")
TRIALS = 12
READINGS: tuple[dict[str, Any], ...] = (
    {"width": 10},
    {"width": 50},
    {"pattern": "main_shocks"},
    {"length": 2},
    {"length": 10},
    {"segmentation": "events", "length": 5},
    {"batch_share": 0.5},
    {"batch_share": 1.0},
    {"dropout": 0.2},
    {"source": "cea_mw", "length": 45},
    {"source": "cea_mw", "length": 45, "split": "grouped"},
)


def naive_unit(unit: UnitParameters) -> ChanceParameters | None:
    """Return the commonest class on the same folds, or ``None`` for a unit that forecasts nothing."""
    if not isinstance(unit, ClassifierParameters) or isinstance(
        unit, ChanceParameters | OverlapParameters | FeatureParameters
    ):
        return None
    shared = {name: getattr(unit, name) for name in ClassifierParameters.model_fields if name != "backend"}
    return ChanceParameters.of(**shared)


def _full_dlep() -> Iterator[DlepParameters]:
    for seed, region, model in product(range(SEEDS), CHOSEN, VARIANTS):
        yield DlepParameters.of(region=region, model=model, seed=seed)
    for seed, region, split in product(range(SEEDS), CHOSEN, SPLITS[1:]):
        yield DlepParameters.of(region=region, split=split, seed=seed)
    for seed, region, split in product(range(ETAS_SEEDS), CHOSEN, SPLITS[:2]):
        yield DlepParameters.of(region=region, source="etas", split=split, seed=seed)
    for seed, region in product(range(PERMUTED_SEEDS), CHOSEN):
        yield DlepParameters.of(region=region, labels="permuted", seed=seed)
    for seed, reading in product(range(READING_SEEDS), READINGS):
        yield DlepParameters.of(region=VARIED, seed=seed, **reading)
    for seed, region, epochs in product(range(EARLIER_SEEDS), CHOSEN, EARLIER_EPOCHS):
        yield DlepParameters.of(region=region, epochs=epochs, seed=seed)
    for seed, region in product(range(SEARCH_SEEDS), filter(CHOSEN.__contains__, SEARCHED)):
        yield DlepParameters.of(region=region, trials=TRIALS, seed=seed)


def _on_every_design(seeds: int) -> Iterator[dict[str, Any]]:
    """Yield the designs that every cheap classifier is judged by."""
    for seed, region, split in product(range(seeds), CHOSEN, SPLITS):
        yield {"seed": seed, "region": region, "split": split}
    for seed, region, split in product(range(seeds), CHOSEN, SPLITS[:2]):
        yield {"seed": seed, "region": region, "source": "etas", "split": split}


def _full_bp() -> Iterator[BpParameters]:
    for design in _on_every_design(SEEDS):
        yield BpParameters.of(**design)


def _full_bp_permutations() -> Iterator[BpPermutationParameters]:
    for region in CHOSEN:
        yield BpPermutationParameters.of(region=region)


def _full_event_maps() -> Iterator[EventMapParameters]:
    for seed, region in product(range(SEEDS), CHOSEN):
        yield EventMapParameters.of(region=region, seed=seed)
    designs: tuple[dict[str, Any], ...] = ({"labels": "permuted"}, {"split": "grouped"}, {"split": "forward"})
    for seed, region, design in product(range(EVENT_MAP_AUDIT_SEEDS), CHOSEN, designs):
        yield EventMapParameters.of(region=region, seed=seed, **design)


def _full_features() -> Iterator[FeatureParameters]:
    """Yield the two regions of figure 6, with and without the attention."""
    for region, model, seed in product(("sichuan", "qinghai_tibet"), ("dlep", "dlep_att"), range(SEEDS)):
        if region in CHOSEN:
            yield FeatureParameters.of(region=region, model=model, seed=seed)


def _full_other_layers() -> Iterator[OtherLayersParameters]:
    for seed, layers in product(range(READING_SEEDS), CONVOLUTIONS):
        yield OtherLayersParameters.of(region=VARIED, layers=layers, seed=seed)


def _full_cart() -> Iterator[CartParameters]:
    for design in _on_every_design(SEEDS):
        yield CartParameters.of(**design)
        yield CartParameters.of(segmentation="days", **design)


def _full_permutations() -> Iterator[PermutationParameters]:
    for region, segmentation in product(CHOSEN, ("fixed_days", "days")):
        yield PermutationParameters.of(region=region, segmentation=segmentation)


def _full_chance() -> Iterator[ChanceParameters]:
    for method, design in product(METHODS, _on_every_design(SEEDS)):
        yield ChanceParameters.of(method=method, **design)
    for design in _on_every_design(SEEDS):
        yield ChanceParameters.of(method="stratified", segmentation="fixed_days", **design)
    for seed, region in product(range(PERMUTED_SEEDS), CHOSEN):
        yield ChanceParameters.of(method="stratified", labels="permuted", region=region, seed=seed)
    for seed, reading, method in product(range(READING_SEEDS), READINGS, ("stratified", "nearest_in_time")):
        if reading.keys() <= ChanceParameters.model_fields.keys():
            yield ChanceParameters.of(method=method, region=VARIED, seed=seed, **reading)


def _full_overlap() -> Iterator[OverlapParameters]:
    for region, split in product(CHOSEN, SPLITS):
        yield OverlapParameters.of(region=region, split=split)


def _full_segmentations() -> Iterator[SegmentationParameters]:
    for name, region in REGIONS.items():
        for catalogue, segmentation in product(region.catalogues, ("days", "events", "fixed_days")):
            yield SegmentationParameters.of(region=name, catalogue=catalogue, segmentation=segmentation)
            if segmentation != "fixed_days":
                yield SegmentationParameters.of(
                    region=name, catalogue=catalogue, segmentation=segmentation, pattern="main_shocks"
                )


def _loss_example() -> Iterator[LossExampleParameters]:
    yield LossExampleParameters()


def _none() -> Iterator[UnitParameters]:
    yield from ()


def _smoke(parameters: type[ClassifierParameters], **values: Any) -> Callable[[], Iterator[ClassifierParameters]]:
    return lambda: iter([parameters.of(profile="smoke", source="simulated", length=7, **values)])


EXPERIMENTS = (
    Experiment(SegmentationParameters, run_segmentation, _full_segmentations, _none, deterministic=True),
    Experiment(LossExampleParameters, run_loss_example, _loss_example, _none, deterministic=True),
    Experiment(OverlapParameters, run_overlap, _full_overlap, _smoke(OverlapParameters), deterministic=True),
    Experiment(ChanceParameters, run_chance, _full_chance, _smoke(ChanceParameters)),
    Experiment(CartParameters, run_cart, _full_cart, _smoke(CartParameters)),
    Experiment(PermutationParameters, run_permutations, _full_permutations, _none, deterministic=True),
    Experiment(BpParameters, run_bp, _full_bp, _smoke(BpParameters, epochs=1)),
    Experiment(BpPermutationParameters, run_bp_permutations, _full_bp_permutations, _none),
    Experiment(EventMapParameters, run_event_maps, _full_event_maps, _smoke(EventMapParameters, epochs=1)),
    Experiment(FeatureParameters, run_features, _full_features, _smoke(FeatureParameters, epochs=1)),
    Experiment(OtherLayersParameters, run_other_layers, _full_other_layers, _smoke(OtherLayersParameters, epochs=1)),
    Experiment(
        DlepParameters,
        run_dlep,
        _full_dlep,
        _smoke(DlepParameters, epochs=1),
        batch=Batch(frozenset({"seed"}), run_dlep_batch),
    ),
)
PAPER = Paper(
    key=KEY,
    experiments={experiment.name: experiment for experiment in EXPERIMENTS},
    naive=naive_unit,
    main=DlepParameters.experiment,
)
