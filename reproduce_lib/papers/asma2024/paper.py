"""Which units the paper needs: the reference setting, the multiverse, the baselines, the catalogues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations, product
from typing import Any, get_args

from reproduce_lib.data.catalogs import CATALOGUES
from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.asma2024.arima import ArimaParameters, run_arima
from reproduce_lib.papers.asma2024.baselines import METHODS, BaselineParameters, run_baseline
from reproduce_lib.papers.asma2024.catalogues import (
    DAYS,
    EXTENTS,
    PERIODS,
    AgreementParameters,
    CatalogueParameters,
    EarthquakeParameters,
    ObservationParameters,
    run_agreement,
    run_catalogue,
    run_earthquake,
    run_observation,
)
from reproduce_lib.papers.asma2024.networks import CHOICES, MODELS, NetworkParameters, run_network
from reproduce_lib.papers.asma2024.series import (
    DEEP_SPAN,
    KEY,
    LAST_KNOWN,
    PHIVOLCS_SPAN,
    REFERENCE_SPAN,
    Area,
    SeriesParameters,
    Span,
    Target,
    TestShare,
)
from reproduce_lib.units import Experiment, Paper, UnitParameters

SEEDS = 10

# The multiverse: these series with every combination of the choices below. The first of each is the reference.
SERIES: tuple[dict[str, Any], ...] = (
    {},
    {"span": "2000-01/2022-07"},
    {"area": "luzon", "span": DEEP_SPAN},
    {"area": "visayas", "span": DEEP_SPAN},
    {"area": "mindanao", "span": DEEP_SPAN},
    {"target": "mean", "span": DEEP_SPAN},
    {"target": "mean_m5"},
    {"source": "comcat_m5"},
    {"source": "phivolcs", "span": PHIVOLCS_SPAN},
    {"source": "phivolcs", "target": "mean", "span": PHIVOLCS_SPAN},
)
TEST_SHARES: tuple[TestShare, ...] = (20, 10)


def networks_of_the_paper(**decisions: Any) -> Iterator[NetworkParameters]:
    """Yield one unit per network: one replication of Table 1, or with ``test_share=0`` of Table 2."""
    for model in MODELS:
        yield NetworkParameters.of(model=model, **decisions)


def multiverse() -> Iterator[NetworkParameters]:
    """Yield every network under every declared combination of choices, with one seed, for Tables 1 and 2."""
    for series, model in product(_split(SERIES), MODELS):
        for values in product(*CHOICES.values()):
            chosen = dict(zip(CHOICES, values, strict=True))
            # A linear model has no hidden layer whose width could differ, and where nothing is held out all months
            # are the training months.
            same_width = model == "linear" and chosen["width"] != CHOICES["width"][0]
            same_scaling = series["test_share"] == 0 and chosen["scaling"] == "all"
            if not (same_width or same_scaling):
                yield NetworkParameters.of(model=model, **series, **chosen)


def naive_unit(unit: UnitParameters) -> BaselineParameters | None:
    """Return the mean of the past months on the same months, or ``None`` for a unit that forecasts nothing."""
    if not isinstance(unit, NetworkParameters | ArimaParameters):
        return None
    shared = {name: getattr(unit, name) for name in SeriesParameters.model_fields if name not in ("seed", "backend")}
    return BaselineParameters.of(**shared)


@cache
def other_series() -> tuple[dict[str, Any], ...]:
    """Return the series that catalogues give beside those of the multiverse; networks have reference settings there."""
    varied = {SeriesParameters.of(**series).series for series in SERIES}
    found = []
    for values in product(CATALOGUES, *map(get_args, (Target, Area, Span))):
        series = dict(zip(("source", "target", "area", "span"), values, strict=True))
        try:
            unit = SeriesParameters.of(**series)
        except ParameterError:
            continue
        if unit.series not in varied:
            found.append(series)
    return tuple(found)


def _split(several: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each series with each share held out, and with none where it ends before the months of Table 2."""
    for series in several:
        for test_share in TEST_SHARES:
            yield {"test_share": test_share, **series}
        if series.get("span", REFERENCE_SPAN).endswith(LAST_KNOWN):
            yield {"test_share": 0, **series}


def _full_networks() -> Iterator[NetworkParameters]:
    for seed, test_share in product(range(SEEDS), (20, 0)):
        yield from networks_of_the_paper(seed=seed, test_share=test_share)
    yield from multiverse()
    for series in _split(other_series()):
        yield from networks_of_the_paper(**series)


def _full_arima() -> Iterator[ArimaParameters]:
    for series in _split((*SERIES, *other_series())):
        yield ArimaParameters.of(**series)


def _full_baselines() -> Iterator[BaselineParameters]:
    for series, method in product(_split((*SERIES, *other_series())), METHODS):
        yield BaselineParameters.of(method=method, **series)


def _full_catalogues() -> Iterator[CatalogueParameters]:
    for source, period in product(CATALOGUES, PERIODS):
        # The other two have one threshold throughout.
        if source == "comcat" or period != "1979-11/2019-09":
            yield CatalogueParameters.of(source=source, period=period)


def _full_agreement() -> Iterator[AgreementParameters]:
    for first, second in combinations(CATALOGUES, 2):
        yield AgreementParameters.of(first=first, second=second)


def _full_observations() -> Iterator[ObservationParameters]:
    for extent, source in product(EXTENTS, CATALOGUES):
        yield ObservationParameters.of(source=source, extent=extent)


def _full_earthquakes() -> Iterator[EarthquakeParameters]:
    for earthquake in DAYS:
        yield EarthquakeParameters.of(earthquake=earthquake)


def _smoke_networks() -> Iterator[NetworkParameters]:
    for model, test_share in product(MODELS, (20, 0)):
        yield NetworkParameters.of(profile="smoke", source="simulated", model=model, test_share=test_share, epochs=1)


def _smoke_arima() -> Iterator[ArimaParameters]:
    yield ArimaParameters.of(profile="smoke", source="simulated")


def _smoke_baselines() -> Iterator[BaselineParameters]:
    for method in METHODS:
        yield BaselineParameters.of(profile="smoke", source="simulated", method=method)


PAPER = Paper(
    key=KEY,
    experiments={
        experiment.name: experiment
        for experiment in (
            Experiment(CatalogueParameters, run_catalogue, _full_catalogues, lambda: (), deterministic=True),
            Experiment(AgreementParameters, run_agreement, _full_agreement, lambda: (), deterministic=True),
            Experiment(ObservationParameters, run_observation, _full_observations, lambda: (), deterministic=True),
            Experiment(EarthquakeParameters, run_earthquake, _full_earthquakes, lambda: (), deterministic=True),
            Experiment(BaselineParameters, run_baseline, _full_baselines, _smoke_baselines, deterministic=True),
            Experiment(ArimaParameters, run_arima, _full_arima, _smoke_arima, deterministic=True),
            Experiment(NetworkParameters, run_network, _full_networks, _smoke_networks),
        )
    },
    naive=naive_unit,
    main=NetworkParameters.experiment,
)
