"""What the catalogues hold, how far they agree, and what was observed in each month."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from reproduce_lib.catalogue_facts import catalogue_facts, monthly_agreement
from reproduce_lib.data.catalogs import ALL_ISLANDS, CatalogueName, load_catalogue, load_larger_events
from reproduce_lib.magnitude_frequency import magnitude_counts
from reproduce_lib.monthly import months_between
from reproduce_lib.papers.asma2024.scores import by_month
from reproduce_lib.papers.asma2024.series import FORECAST, KEY, catalogue_months
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

# ComCat lists events from M 3 up to 2019-09 only, so that what is said of all its years is said of two thresholds.
Period = Literal["all", "1979-11/2019-09", "1975-1989", "1990-1999", "2000-2009", "2010-2019", "2020-2024"]
PERIODS: tuple[Period, ...] = get_args(Period)
KEPT: tuple[Period, ...] = ("all", "1979-11/2019-09")
Extent = Literal["reference", "all_islands"]
EXTENTS: tuple[Extent, ...] = get_args(Extent)
# From which month on a catalogue is looked at.
FIRST_MONTH: dict[tuple[CatalogueName, Extent], str] = {
    ("comcat", "reference"): "1979-11",
    ("comcat", "all_islands"): "2015-11",
    ("comcat_m5", "reference"): "1979-11",
    ("comcat_m5", "all_islands"): "1979-11",
    ("phivolcs", "reference"): "2015-01",
    ("phivolcs", "all_islands"): "2015-01",
}
# The earthquakes of the list in section 1 that the catalogues reach back to: the day, UTC.
Earthquake = Literal["moro_gulf_1976", "luzon_1990", "panay_1990", "mindanao_1994", "negros_oriental_2012"]
DAYS: dict[Earthquake, str] = {
    "moro_gulf_1976": "1976-08-16",
    "luzon_1990": "1990-07-16",
    "panay_1990": "1990-06-14",
    "mindanao_1994": "1994-11-14",
    "negros_oriental_2012": "2012-02-06",
}


class CatalogueParameters(UnitParameters):
    """What one catalogue holds of one period: events, completeness, months without events."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "catalogues"

    source: CatalogueName = "comcat"
    period: Period = "all"


class AgreementParameters(UnitParameters):
    """How far the monthly maxima of two catalogues agree in the months that both hold."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "agreement"

    first: CatalogueName = "comcat"
    second: CatalogueName = "phivolcs"


class ObservationParameters(UnitParameters):
    """The largest magnitudes of each month that a catalogue holds, and the means from M 5 on, up to the end of Table 2.

    The ``extent`` is the box of the reference series, or one that holds the northernmost islands as well.
    """

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "observations"

    source: CatalogueName = "comcat"
    extent: Extent = "reference"


class EarthquakeParameters(UnitParameters):
    """One of the earthquakes that section 1 lists."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "earthquakes"

    earthquake: Earthquake = "luzon_1990"


def run_catalogue(parameters: CatalogueParameters) -> UnitResult:
    """Count a catalogue's events of a period, and estimate where it is complete."""
    catalogue = load_catalogue(parameters.source)
    first, last = (np.datetime64(month, "M") for month in _begin_and_end(parameters.period))
    months = catalogue.events["time"].dt.tz_localize(None).to_numpy().astype("datetime64[M]")
    events = catalogue.events[(months >= first) & (months <= last)]
    if events.empty:
        return UnitResult({"events": 0.0}, 0, catalogue.files)
    covered = months_between(str(months.min()), str(months.max()))
    covered = covered[(covered >= first) & (covered <= last)]
    metrics: dict[str, MetricValue] = {**catalogue_facts(events, covered)}
    if parameters.period == "all":
        metrics["left_out"] = float(catalogue.left_out)
    if parameters.period not in KEPT:
        return UnitResult(metrics, len(events), catalogue.files)
    centres, counts = magnitude_counts(events["magnitude"].to_numpy())
    arrays = {"centres": centres.astype(np.float32), "counts": counts.astype(np.int32)}
    return UnitResult(metrics, len(events), catalogue.files, arrays)


def run_agreement(parameters: AgreementParameters) -> UnitResult:
    """Hold the monthly maxima of two catalogues against each other, in all months and in those of Table 2."""
    one, two = (load_catalogue(name) for name in (parameters.first, parameters.second))
    begin = max(catalogue.events["time"].min() for catalogue in (one, two))
    months = months_between(str(begin)[:7], FORECAST[1])[1:]  # the first month may have begun before
    first, second = (catalogue_months(catalogue, months, "maximum") for catalogue in (one, two))
    metrics: dict[str, MetricValue] = {**monthly_agreement(months, first, second)}
    difference = (second - first)[months >= np.datetime64(FORECAST[0])]
    metrics["mean_difference_of_the_forecast_months"] = float(np.nanmean(difference))
    metrics["mean_absolute_difference_of_the_forecast_months"] = float(np.nanmean(np.abs(difference)))
    both = int((~np.isnan(second - first)).sum())
    return UnitResult(metrics, both, {**one.files, **two.files})


def run_observation(parameters: ObservationParameters) -> UnitResult:
    """Look up what was observed in each month, up to the last one of Table 2.

    Kept are ``month``, ``maximum`` and ``mean_m5``, each of shape (months,); a month without such an event is NaN.
    """
    source, extent = parameters.source, parameters.extent
    catalogue = load_catalogue(source) if extent == "reference" else load_larger_events(source, ALL_ISLANDS)
    months = months_between(FIRST_MONTH[source, extent], FORECAST[1])
    values = catalogue_months(catalogue, months, "maximum")
    known = ((name, value) for name, value in by_month(months, values) if name >= FORECAST[0] and not np.isnan(value))
    observed = {f"magnitude[{name}]": float(value) for name, value in known}
    larger = catalogue_months(catalogue, months, "mean_m5")
    arrays = {
        "month": months.astype(int).astype(np.int32),
        "maximum": values.astype(np.float32),
        "mean_m5": larger.astype(np.float32),
    }
    return UnitResult({**observed}, len(observed), catalogue.files, arrays)


def run_earthquake(parameters: EarthquakeParameters) -> UnitResult:
    """Look up the largest magnitude that ComCat gives in the Philippines on the day of an earthquake."""
    catalogue = load_catalogue(
        "comcat_m5" if DAYS[parameters.earthquake] < FIRST_MONTH["comcat", "reference"] else "comcat"
    )
    days = catalogue.events["time"].dt.strftime("%Y-%m-%d")
    magnitudes = catalogue.events["magnitude"][days == DAYS[parameters.earthquake]]
    return UnitResult({"value": float(magnitudes.max())}, len(magnitudes), catalogue.files)


def _begin_and_end(period: Period) -> tuple[str, str]:
    """Return the first and the last month of a period."""
    if period == "all":
        return "1900-01", "2099-12"
    if "/" in period:
        first, _, last = period.partition("/")
        return first, last
    first, _, last = period.partition("-")
    return f"{first}-01", f"{last}-12"
