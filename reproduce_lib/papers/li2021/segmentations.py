"""How many samples of each class a catalogue gives under each reading of section II-A, beside Table I."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np

from reproduce_lib.data.regional_catalogs import RegionalCatalogueName, load_regional
from reproduce_lib.main_shocks import Pattern, attach_patterns, cut_fixed_periods, find_main_shocks
from reproduce_lib.papers.li2021.regions import CLASSES, KEY, REGIONS, RegionName
from reproduce_lib.papers.li2021.samples import Segmentation, days_of
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

# N, in days or events.
LENGTHS = (1, 2, 3, 5, 7, 10, 14, 20, 30, 45, 60, 90)
WIDTH = 20
# What a ten-fold evaluation of five classes needs at the very least.
LEAST_SAMPLES, LEAST_OF_A_CLASS = 100, 10


class SegmentationParameters(UnitParameters):
    """One catalogue of a region under one reading, cut with each N of `LENGTHS`."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "segmentations"

    region: RegionName = "sichuan"
    catalogue: RegionalCatalogueName | Literal[""] = ""
    segmentation: Segmentation = "days"
    pattern: Pattern = "events"


def run_segmentation(parameters: SegmentationParameters) -> UnitResult:
    """Count the samples of each class for each N, and the events that they were cut from.

    ``single[N]`` is the share of samples, in percent, whose main shock is the first event of its period, and
    ``pattern_days[N]`` the median time from the first event of a pattern to its main shock.
    """
    region = REGIONS[parameters.region]
    catalogue = load_regional(parameters.catalogue or region.catalogues[0]).inside(region.box)
    magnitudes = np.round(catalogue.events["magnitude"].to_numpy(), 1)
    events = catalogue.events[magnitudes >= region.edges[0]].reset_index(drop=True)
    magnitudes = np.round(events["magnitude"].to_numpy(), 1)
    metrics: dict[str, MetricValue] = {
        "events": float(len(events)),
        "first_year": float(events["time"].dt.year.min()),
        "last_year": float(events["time"].dt.year.max()),
        "left_out": float(catalogue.left_out),
    }
    counts = np.bincount(region.labels(magnitudes), minlength=CLASSES)
    metrics |= {f"events_of_class[{number}]": float(count) for number, count in enumerate(counts, start=1)}
    days = days_of(events)
    for length in LENGTHS:
        if parameters.segmentation == "fixed_days":
            periods = cut_fixed_periods(days, magnitudes, length=length)
        else:
            periods = find_main_shocks(days, magnitudes, length=length, unit=parameters.segmentation)
        samples = attach_patterns(periods, width=WIDTH, pattern=parameters.pattern)
        counts = np.bincount(region.labels(magnitudes[samples.main_shocks]), minlength=CLASSES)
        metrics |= {f"samples[{length},{number}]": float(count) for number, count in enumerate(counts, start=1)}
        if len(samples.main_shocks):
            metrics[f"single[{length}]"] = 100 * float((samples.main_shocks == samples.starts).mean())
            spans = days[samples.main_shocks] - days[samples.patterns[:, 0]]
            metrics[f"pattern_days[{length}]"] = float(np.median(spans))
    return UnitResult(metrics, len(events), catalogue.files)


def distance(counts: Sequence[float], printed: Sequence[float]) -> float:
    """Return how far numbers of samples lie from printed ones: the absolute differences over the printed total."""
    return float(np.abs(np.subtract(counts, printed)).sum() / np.sum(printed))


def feasible(counts: Sequence[float]) -> bool:
    """Tell whether ten folds can be evaluated: at least 100 samples, and 10 in each class."""
    return sum(counts) >= LEAST_SAMPLES and min(counts) >= LEAST_OF_A_CLASS


def choose(
    counted: Mapping[tuple[RegionalCatalogueName, int], Sequence[float]], printed: Sequence[float]
) -> tuple[RegionalCatalogueName, int] | None:
    """Return the catalogue and N whose numbers of samples lie nearest to Table I's, of those that ten folds can carry.

    The rule looks at numbers of samples only. Of equal distances the first is taken; ``None`` if no cut is feasible.
    """
    possible = {cut: distance(counts, printed) for cut, counts in counted.items() if feasible(counts)}
    return min(possible, key=lambda cut: possible[cut]) if possible else None
