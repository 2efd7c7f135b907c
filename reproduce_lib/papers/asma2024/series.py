"""The monthly series that the models forecast, and which of them a catalogue can give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from reproduce_lib.data.catalogs import AREAS, CATALOGUES, Catalogue, load_catalogue
from reproduce_lib.data.fdsn import query_catalogue
from reproduce_lib.data.simulate import simulate_monthly_maxima
from reproduce_lib.monthly import Months, Statistic, monthly_magnitudes, months_between
from reproduce_lib.units import UnitParameters

KEY = "asma2024"
Source = Literal["comcat", "comcat_m5", "phivolcs", "comcat_live", "simulated"]
Target = Literal["maximum", "mean", "mean_m5"]
Area = Literal["whole", "luzon", "visayas", "mindanao"]
Span = Literal["1979-11/2022-07", "2000-01/2022-07", "1979-11/2019-09", "2015-01/2022-07"]
TestShare = Literal[0, 10, 20, 30]

# The months that Table 2 forecasts, and the last one before them.
FORECAST = ("2022-08", "2024-07")
LAST_KNOWN = "2022-07"

SIMULATION_SEED = 0

# What is taken of a month's events, and from which magnitude on.
TARGETS: dict[Target, tuple[Statistic, float]] = {
    "maximum": ("maximum", -np.inf),
    "mean": ("mean", -np.inf),
    "mean_m5": ("mean", 5.0),
}
# A month in which a catalogue lists no event gets the magnitude up to which the catalogue may have missed them all.
EMPTY_MONTH: dict[Source, float] = {
    "comcat": 4.5,
    "comcat_m5": 5.0,
    "phivolcs": 2.0,
    "comcat_live": 4.5,
    "simulated": 4.7,
}
LIVE_SMALLEST = 3.0
# A recursion can run away; no magnitude lies outside of these, so that is where its forecasts are held.
POSSIBLE_MAGNITUDES = (0.0, 10.0)

REFERENCE_SPAN: Span = "1979-11/2022-07"
# ComCat lists smaller events than M 5 up to this month only, which an island or a mean needs.
DEEP_SPAN: Span = "1979-11/2019-09"
PHIVOLCS_SPAN: Span = "2015-01/2022-07"
# Where models without a window start to be scored in sample: where networks with the reference window do.
IN_SAMPLE_FROM = 12


class SeriesParameters(UnitParameters):
    """Which monthly series a unit forecasts, and how many of its last months, in percent, are held out.

    A ``test_share`` of 0 holds nothing out: the unit forecasts the months of Table 2. The source
    ``comcat_live`` asks the event service of ComCat, which needs a network.
    """

    paper: ClassVar[str] = KEY

    source: Source = "comcat"
    target: Target = "maximum"
    area: Area = "whole"
    span: Span = REFERENCE_SPAN
    test_share: TestShare = 20

    @property
    def series(self) -> str:
        """Return the series as one text, for people."""
        return f"{self.source} {self.target} {self.area} {self.span[:4]}-{self.span[8:12]}"

    @model_validator(mode="after")
    def _full_is_real_and_pinned(self) -> Self:
        if self.profile == "full" and self.source not in CATALOGUES:
            raise ValueError(f"profile full knows source = {', '.join(map(repr, CATALOGUES))}; use profile custom")
        return self

    @model_validator(mode="after")
    def _the_source_has_the_series(self) -> Self:
        if self.source == "phivolcs" and self.span != PHIVOLCS_SPAN:
            raise ValueError(f"the bulletins of source phivolcs begin in 2015: use span {PHIVOLCS_SPAN}")
        small_events = self.target == "mean" or self.area != "whole"
        if self.source == "comcat" and small_events and self.span != DEEP_SPAN:
            raise ValueError(
                f"a mean of all events, or an area, needs events below M 5, which comcat has for span {DEEP_SPAN}"
            )
        if self.source == "comcat_m5" and small_events:
            raise ValueError("source comcat_m5 has no events below M 5: use target maximum or mean_m5, and area whole")
        if self.test_share == 0 and not self.span.endswith(LAST_KNOWN):
            raise ValueError(f"test_share 0 forecasts from {FORECAST[0]} on: use a span that ends in {LAST_KNOWN}")
        return self


@dataclass(frozen=True)
class Series:
    """A monthly series.

    Attributes
    ----------
    months : consecutive months, shape (months,)
    values : magnitudes, shape (months,)
    empty : how many months had no event and were given `EMPTY_MONTH`
    files : file name -> SHA-256 of what was read
    """

    months: Months
    values: NDArray[np.float64]
    empty: int
    files: dict[str, str]

    def training_months(self, test_share: int) -> int:
        """Return how many months come before the held-out ones."""
        return len(self.values) * (100 - test_share) // 100


def load_series(parameters: SeriesParameters) -> Series:
    """Return the monthly series that a unit's parameters name."""
    first, _, last = parameters.span.partition("/")
    months = months_between(first, last)
    if parameters.source == "simulated":
        return Series(months, simulate_monthly_maxima(SIMULATION_SEED, len(months)), 0, {})
    box = AREAS[parameters.area]
    if parameters.source == "comcat_live":
        catalogue = query_catalogue(box, _begin_of(months[0]), _begin_of(months[-1] + 1), LIVE_SMALLEST)
    else:
        catalogue = load_catalogue(parameters.source).inside(box)
    values = catalogue_months(catalogue, months, parameters.target)
    empty = np.isnan(values)
    floor = max(EMPTY_MONTH[parameters.source], TARGETS[parameters.target][1])
    return Series(months, np.where(empty, floor, values), int(empty.sum()), catalogue.files)


def catalogue_months(catalogue: Catalogue, months: Months, target: Target) -> NDArray[np.float64]:
    """Return a catalogue's magnitude of each month, ``nan`` where it lists no such event; shape (months,)."""
    statistic, smallest = TARGETS[target]
    events = catalogue.events[catalogue.events["magnitude"] >= smallest]
    times = events["time"].dt.tz_localize(None).to_numpy()
    return monthly_magnitudes(times, events["magnitude"].to_numpy(), months, statistic)


def _begin_of(month: np.datetime64) -> datetime:
    """Return the first moment of a month, UTC."""
    begin: datetime = month.astype("datetime64[s]").astype(datetime)
    return begin
