"""Samples of a region: main shocks, what came before them, their classes, and what the models see of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Literal, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.data.catalogs import Catalogue
from reproduce_lib.data.fdsn import query_catalogue
from reproduce_lib.data.regional_catalogs import RegionalCatalogueName, load_regional
from reproduce_lib.errors import DataError
from reproduce_lib.etas import Etas, simulate_etas
from reproduce_lib.magnitude_frequency import b_value, completeness_by_fit, completeness_magnitude
from reproduce_lib.main_shocks import Pattern, Periods, Samples, attach_patterns, cut_fixed_periods, find_main_shocks
from reproduce_lib.papers.li2021.regions import KEY, REGIONS, RegionName
from reproduce_lib.seismicity_indicators import seismicity_indicators
from reproduce_lib.units import UnitParameters

Values = NDArray[np.float64]
Labels = NDArray[np.intp]
# "reference" is the catalogue that the rule chose, "etas" one simulated with its rate and magnitudes, "comcat_live"
# what ComCat answers now, and "simulated" needs no data.
Source = Literal[
    "reference",
    "cenc",
    "cea_mw",
    "comcat_japan_m4",
    "comcat_japan_m45",
    "comcat_philippines",
    "iris_california",
    "nshm_central_us",
    "etas",
    "comcat_live",
    "simulated",
]
ANY_REGION = ("reference", "etas", "comcat_live", "simulated")
Segmentation = Literal["days", "events", "fixed_days"]

# What a live catalogue spans: since ComCat lists earthquakes of the whole world, and as far as the paper can have seen.
LIVE_SPAN = (datetime(1973, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
SIMULATION_SEED = 0
SIMULATED_DAYS = 3000.0
DAY = pd.Timedelta(days=1)
# A magnitude so far below the first class still rounds to it.
HALF_A_TENTH = 0.05
# What the convolutional network sees of an event, in this order.
ATTRIBUTES = ("magnitude", "log10 of the days since the event before", "latitude", "longitude")
# The indicators that spread over powers of ten, by their place in `INDICATORS`: network inputs are their logarithms.
LOGARITHMIC = (0, 2, 6)
SHORTEST_WAIT = 1 / 86_400


@dataclass(frozen=True)
class Cut:
    """How a region's catalogue is cut: which catalogue, and N days."""

    catalogue: RegionalCatalogueName
    days: int


# Chosen by `segmentations.choose` from the numbers of samples alone, before anything was trained.
CHOSEN: dict[RegionName, Cut] = {
    "sichuan": Cut("cenc", 5),
    "xinjiang": Cut("cenc", 20),
    "qinghai_tibet": Cut("cenc", 10),
    "shandong_jiangsu": Cut("cea_mw", 10),
    "japan": Cut("comcat_japan_m45", 30),
    "philippines": Cut("comcat_philippines", 45),
    "chicago": Cut("nshm_central_us", 1),
    "los_angeles": Cut("iris_california", 45),
}


def chosen_cut(region: RegionName) -> Cut:
    """Return what the rule chose for a region, or raise `DataError` where no catalogue carries ten folds."""
    if region not in CHOSEN:
        raise DataError(
            f"{region}: none of the catalogues at hand gives 100 samples with 10 of each class; "
            f"regions that can be evaluated are {', '.join(CHOSEN)}"
        )
    return CHOSEN[region]


class SampleParameters(UnitParameters):
    """Which samples a unit sees.

    ``length`` is N, in days or events as ``segmentation`` says; 0 stands for the days that the rule chose for the
    catalogue that it chose. ``width`` is w. The source ``comcat_live`` asks the event service of ComCat, which needs a
    network.
    """

    paper: ClassVar[str] = KEY

    region: RegionName = "sichuan"
    source: Source = "reference"
    segmentation: Segmentation = "days"
    length: int = Field(default=0, ge=0)
    pattern: Pattern = "events"
    width: int = Field(default=20, ge=1, le=500)

    @model_validator(mode="after")
    def _belongs_to_the_region(self) -> Self:
        allowed = (*ANY_REGION, *REGIONS[self.region].catalogues)
        if self.source not in allowed:
            known = ", ".join(map(repr, allowed))
            raise ValueError(f"no catalogue {self.source!r} holds {self.region}; allowed values are {known}")
        return self

    @model_validator(mode="after")
    def _length_is_known(self) -> Self:
        if not self.length and (self.segmentation == "events" or self.source not in ("reference", "etas")):
            raise ValueError(
                f"length 0 stands for the days that were chosen for source 'reference'; "
                f"say how long a period is for segmentation {self.segmentation!r} and source {self.source!r}"
            )
        return self

    @model_validator(mode="after")
    def _full_is_declared(self) -> Self:
        if self.profile == "full" and self.source in ("simulated", "comcat_live"):
            raise ValueError(f"profile full knows no source {self.source!r}; use profile custom")
        return self


@dataclass(frozen=True)
class SampleSet:
    """The samples of a region in order of time.

    Attributes
    ----------
    events : the catalogue, columns time, latitude, longitude, magnitude
    samples : indices into it
    labels : class of each main shock, 0 to 4, shape (samples,)
    indicators : the eight indicators of each pattern, shape (samples, 8)
    patterns : what a network sees of each pattern, shape (samples, w, 4), see `ATTRIBUTES`
    files : file name -> SHA-256 of what was read
    """

    events: pd.DataFrame
    samples: Samples
    labels: Labels
    indicators: Values
    patterns: Values
    files: dict[str, str]


def load_events(parameters: SampleParameters) -> Catalogue:
    """Return the events of the region that belong to a class, in order of time."""
    region = REGIONS[parameters.region]
    if parameters.source == "simulated":
        etas = Etas(background=0.5, smallest=region.edges[0])
        frame = simulate_etas(etas, region.box, days=SIMULATED_DAYS, seed=SIMULATION_SEED)
        return Catalogue("simulated", frame, etas.smallest, 0, {})
    if parameters.source == "comcat_live":
        found = query_catalogue(region.box, *LIVE_SPAN, region.edges[0] - HALF_A_TENTH)
    else:
        found = load_regional(_catalogue_of(parameters)).inside(region.box)
    events = found.events[np.round(found.events["magnitude"], 1) >= region.edges[0]].reset_index(drop=True)
    catalogue = Catalogue(found.name, events, region.edges[0], found.left_out, found.files)
    return _without_precursors(catalogue, parameters) if parameters.source == "etas" else catalogue


def _catalogue_of(parameters: SampleParameters) -> RegionalCatalogueName:
    if parameters.source in ("reference", "etas"):
        return chosen_cut(parameters.region).catalogue
    return cast("RegionalCatalogueName", parameters.source)


def load_samples(parameters: SampleParameters) -> SampleSet:
    """Return the samples that a unit's parameters name."""
    catalogue = load_events(parameters)
    events, region = catalogue.events, REGIONS[parameters.region]
    days = days_of(events)
    magnitudes = np.round(events["magnitude"].to_numpy(), 1)
    samples = attach_patterns(cut(parameters, days, magnitudes), width=parameters.width, pattern=parameters.pattern)
    indicators = seismicity_indicators(
        days[samples.patterns], magnitudes[samples.patterns], characteristic=region.edges[1]
    )
    waits = np.diff(days[samples.patterns], axis=1, prepend=days[samples.patterns[:, :1]])
    attributes = (
        magnitudes[samples.patterns],
        np.log10(np.maximum(waits, SHORTEST_WAIT)),
        events["latitude"].to_numpy()[samples.patterns],
        events["longitude"].to_numpy()[samples.patterns],
    )
    labels = region.labels(magnitudes[samples.main_shocks])
    return SampleSet(events, samples, labels, indicators, np.stack(attributes, axis=-1), catalogue.files)


def cut(parameters: SampleParameters, days: Values, magnitudes: Values) -> Periods:
    """Return the main shocks under the unit's reading of section II-A."""
    length = parameters.length or chosen_cut(parameters.region).days
    if parameters.segmentation == "fixed_days":
        return cut_fixed_periods(days, magnitudes, length=length)
    return find_main_shocks(days, magnitudes, length=length, unit=parameters.segmentation)


def days_of(events: pd.DataFrame) -> Values:
    """Return the times in days since the first event, shape (events,)."""
    days: Values = ((events["time"] - events["time"].iloc[0]) / DAY).to_numpy(dtype=float)
    return days


def network_indicators(indicators: Values) -> Values:
    """Return the indicators as networks see them: logarithms of those that spread over powers of ten."""
    seen = indicators.copy()
    seen[:, LOGARITHMIC] = np.log10(np.maximum(seen[:, LOGARITHMIC], SHORTEST_WAIT))
    return seen


def scaled_inputs(sample_set: SampleSet, training: NDArray[np.intp]) -> list[NDArray[np.float32]]:
    """Return patterns and indicators with mean 0 and deviation 1 over the training samples."""
    return [
        _scaled(sample_set.patterns, training, axes=(0, 1)),
        _scaled(network_indicators(sample_set.indicators), training, axes=(0,)),
    ]


def _scaled(values: Values, training: NDArray[np.intp], axes: tuple[int, ...]) -> NDArray[np.float32]:
    mean = values[training].mean(axis=axes)
    deviation = values[training].std(axis=axes)
    scaled: NDArray[np.float32] = ((values - mean) / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)
    return scaled


def _without_precursors(catalogue: Catalogue, parameters: SampleParameters) -> Catalogue:
    """Simulate a catalogue of the same length, rate and magnitudes, which tell nothing about one another.

    An event keeps the rank of its simulated magnitude and takes the real magnitude of that rank: the classes are as
    frequent as in the real catalogue, also where that is incomplete or follows no law. Each seed has a catalogue of
    its own, the same for every classifier.
    """
    days = float(days_of(catalogue.events)[-1])
    magnitudes = catalogue.events["magnitude"].to_numpy()
    fit = completeness_by_fit(magnitudes)
    curvature = completeness_magnitude(magnitudes)
    smallest = max(catalogue.threshold, min(curvature, fit.completeness) if fit else curvature)
    slope = b_value(magnitudes, smallest)
    etas = Etas(background=1.0, b=slope.b if slope else 1.0, smallest=smallest)
    matched = replace(etas, background=len(magnitudes) / days * (1 - etas.branching))
    frame = simulate_etas(matched, REGIONS[parameters.region].box, days=days, seed=parameters.seed)
    frame["magnitude"] = with_the_quantiles_of(magnitudes, frame["magnitude"].to_numpy(), parameters.seed)
    return Catalogue("etas", frame, catalogue.threshold, 0, catalogue.files)


def with_the_quantiles_of(real: Values, simulated: Values, seed: int) -> Values:
    """Return values in the order of ``simulated`` that are distributed as ``real`` is; ties are broken at random."""
    ties = np.random.default_rng(seed).permutation(len(simulated))
    ranks = np.empty(len(simulated))
    ranks[np.lexsort((ties, simulated))] = np.arange(len(simulated))
    quantiles: Values = np.quantile(real, (ranks + 0.5) / len(simulated), method="inverted_cdf")
    return quantiles
