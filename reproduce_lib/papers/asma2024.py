"""Asma & Aranas (2024): ARIMA, a linear model and five networks on the monthly magnitude in the Philippines.

The paper names its models (section 3) and prints their errors (Table 1) and forecasts (Table 2), but almost
none of their settings. What it leaves open is a parameter here; the reference value of each, its
alternatives and the reasons are the ``decisions`` of ``book/claims/asma2024.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.box_jenkins import choose_arima, stationarity_p_values
from reproduce_lib.catalogue_facts import catalogue_facts, monthly_agreement
from reproduce_lib.data.catalogs import AREAS, CATALOGUES, Catalogue, CatalogueName, load_catalogue
from reproduce_lib.data.fdsn import query_catalogue
from reproduce_lib.data.simulate import simulate_monthly_maxima
from reproduce_lib.forecast_tests import diebold_mariano
from reproduce_lib.magnitude_frequency import magnitude_counts
from reproduce_lib.metrics import mean_absolute_error
from reproduce_lib.monthly import Months, Statistic, month_names, monthly_magnitudes, months_between
from reproduce_lib.training import Pairs, start_afresh, train
from reproduce_lib.units import Experiment, MetricValue, Paper, UnitParameters, UnitResult
from reproduce_lib.windows import sliding_windows

if TYPE_CHECKING:
    import keras
    from sklearn.base import TransformerMixin

KEY = "asma2024"
Source = Literal["comcat", "comcat_m5", "phivolcs", "comcat_live", "simulated"]
Target = Literal["maximum", "mean", "mean_m5"]
Area = Literal["whole", "luzon", "visayas", "mindanao"]
Span = Literal["1979-11/2022-07", "2000-01/2022-07", "1979-11/2019-09", "2015-01/2022-07"]
TestShare = Literal[0, 10, 20, 30]
Method = Literal["mean", "median", "persistence", "least_squares"]
Model = Literal["linear", "dnn", "rnn", "lstm", "cnn", "cnn_lstm"]
Period = Literal["all", "1975-1989", "1990-1999", "2000-2009", "2010-2019", "2020-2024"]
MODELS: tuple[Model, ...] = get_args(Model)
METHODS: tuple[Method, ...] = get_args(Method)
PERIODS: tuple[Period, ...] = get_args(Period)

# The months that Table 2 forecasts, and the last one before them.
FORECAST = ("2022-08", "2024-07")
LAST_KNOWN = "2022-07"
HIGHEST = "highest"

KERNEL = 3
BATCH_SIZE = 32
LEARNING_RATE = 0.001
LOSS = "mean_absolute_error"
SEEDS = 10
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
# Magnitudes are written with one decimal.
SAME_MAGNITUDE = 0.005
# Where models without a window start to be scored in sample: where networks with the reference window do.
IN_SAMPLE_FROM = 12

REFERENCE_SPAN: Span = "1979-11/2022-07"
# ComCat lists smaller events than M 5 up to this month only, which an island or a mean needs.
DEEP_SPAN: Span = "1979-11/2019-09"
PHIVOLCS_SPAN: Span = "2015-01/2022-07"

# The multiverse: every series with every combination of the choices below. The first of each is the reference.
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
CHOICES: dict[str, tuple[Any, ...]] = {
    "window": (12, 6, 24),
    "width": (64, 16),
    "epochs": (100, 400),
    "scaling": ("train", "none", "all"),
}


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


class NetworkParameters(SeriesParameters):
    """One network on one series with one seed."""

    experiment: ClassVar[str] = "networks"

    backend: Literal["jax", "tensorflow"] = "jax"
    model: Model = "lstm"
    window: int = Field(default=12, ge=2, le=60)
    width: int = Field(default=64, ge=1, le=1024)
    epochs: int = Field(default=100, ge=1, le=10_000)
    scaling: Literal["train", "none", "all"] = "train"

    @model_validator(mode="after")
    def _full_is_declared(self) -> Self:
        for name, known in CHOICES.items():
            if self.profile == "full" and getattr(self, name) not in known:
                raise ValueError(f"profile full knows {name} = {', '.join(map(repr, known))}; use profile custom")
        return self


class ArimaParameters(SeriesParameters):
    """The baseline of the paper, an ARIMA by the steps of Box & Jenkins."""

    experiment: ClassVar[str] = "arima"


class BaselineParameters(SeriesParameters):
    """A forecast that needs no network: a constant, the month before, or least squares on the twelve months before."""

    experiment: ClassVar[str] = "baselines"

    method: Method = "mean"


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
    """The monthly maxima that a catalogue holds, up to the last month of Table 2."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "observations"

    source: CatalogueName = "comcat"


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


def build_model(parameters: NetworkParameters) -> keras.Model:
    """Build one of the six networks of Table 1 and of the text; input (batch, window, 1), output (batch, 1).

    The paper prints no layer sizes. Each is the plainest of its kind: one recurrent layer, one convolution
    of three months that looks back only, two hidden layers in the DNN.
    """
    import keras
    from keras import layers

    width = parameters.width
    convolution = layers.Conv1D(width, KERNEL, padding="causal", activation="relu")
    stacks: dict[Model, list[keras.Layer]] = {
        "linear": [layers.Flatten()],
        "dnn": [layers.Flatten(), layers.Dense(width, activation="relu"), layers.Dense(width, activation="relu")],
        "rnn": [layers.SimpleRNN(width)],
        "lstm": [layers.LSTM(width)],
        "cnn": [convolution, layers.Flatten()],
        "cnn_lstm": [convolution, layers.LSTM(width)],
    }
    return keras.Sequential([keras.Input((parameters.window, 1)), *stacks[parameters.model], layers.Dense(1)])


def run_network(parameters: NetworkParameters) -> UnitResult:
    """Train one network; score it on the months held out, or forecast the months of Table 2."""
    series = load_series(parameters)
    training = series.training_months(parameters.test_share)
    scaler = _fit_scaler(series.values, training, parameters)
    scaled = scaler.transform(series.values[:, None])[:, 0].astype(np.float32)
    inputs, targets, months = sliding_windows(scaled, parameters.window)
    pairs = (inputs[..., None], targets[:, None])
    early, late = ((pairs[0][chosen], pairs[1][chosen]) for chosen in (months < training, months >= training))
    # Scoring the held-out months after each epoch changes nothing and takes a quarter of the time.
    model, history = _trained(parameters, early, late if _is_reference(parameters) else None)
    limits = scaler.transform(np.array(POSSIBLE_MAGNITUDES)[:, None])[:, 0]
    if parameters.test_share == 0:
        ahead = _recursive(model, scaled[-parameters.window :][None], len(_forecast_months()), limits)
        return UnitResult(_forecasts(_unscaled(scaler, ahead[0])), len(ahead[0]), series.files)
    predicted = _unscaled(scaler, model.predict_on_batch(pairs[0])[:, 0])
    starts = np.stack([scaled[: parameters.window], scaled[training - parameters.window : training]])
    steps = max(training - parameters.window, len(series.values) - training)
    free = _unscaled(scaler, _recursive(model, starts, steps, limits))
    truth = series.values
    held_out = predicted[months >= training]
    metrics: dict[str, MetricValue] = {
        **_errors(truth, held_out, free[1], training, len(truth), "mae"),
        **_errors(truth, predicted[months < training], free[0], parameters.window, training, "mae_in_sample"),
        **_against_the_mean(truth, held_out, training),
        "training_loss": history["loss"][-1],
    }
    return UnitResult(metrics, len(held_out), series.files, _kept_arrays(parameters, held_out, history))


def run_arima(parameters: ArimaParameters) -> UnitResult:
    """Fit the ARIMA on the months before those held out and score it, or forecast the months of Table 2."""
    series = load_series(parameters)
    training = series.training_months(parameters.test_share)
    history, rest = series.values[:training], series.values[training:]
    fitted = choose_arima(history)
    unit_root, stationary = stationarity_p_values(history)
    diagnosis = fitted.diagnosis()
    metrics: dict[str, MetricValue] = {
        "order": str(fitted.order),
        "adf_p_value": unit_root,
        "kpss_p_value": stationary,
        "jarque_bera_p_value": diagnosis.jarque_bera,
        **{f"ljung_box_p_value[{lag}]": value for lag, value in diagnosis.ljung_box.items()},
    }
    if parameters.test_share == 0:
        ahead = fitted.ahead(len(_forecast_months()))
        return UnitResult({**metrics, **_forecasts(ahead)}, len(ahead), series.files)
    start, truth = IN_SAMPLE_FROM, series.values
    one_step, free = fitted.one_step(rest), fitted.ahead(len(rest))
    metrics |= _errors(truth, one_step, free, training, len(truth), "mae")
    metrics |= _against_the_mean(truth, one_step, training)
    within, free_within = fitted.within(start), fitted.within(start, dynamic=True)
    metrics |= _errors(truth, within, free_within, start, training, "mae_in_sample")
    return UnitResult(metrics, len(rest), series.files)


def run_baseline(parameters: BaselineParameters) -> UnitResult:
    """Score a forecast without a network on the months held out, or let it forecast the months of Table 2."""
    series = load_series(parameters)
    training = series.training_months(parameters.test_share)
    truth = series.values
    after = _forecaster(parameters.method, truth[:training])
    if parameters.test_share == 0:
        ahead = _run_on(after, truth, len(_forecast_months()))
        return UnitResult(_forecasts(ahead), len(ahead), series.files)
    one_step = np.array([after(truth[:month]) for month in range(IN_SAMPLE_FROM, len(truth))])
    free = _run_on(after, truth[:training], len(truth) - training)
    free_within = _run_on(after, truth[:IN_SAMPLE_FROM], training - IN_SAMPLE_FROM)
    metrics: dict[str, MetricValue] = {
        **_errors(truth, one_step[training - IN_SAMPLE_FROM :], free, training, len(truth), "mae"),
        **_errors(truth, one_step, free_within, IN_SAMPLE_FROM, training, "mae_in_sample"),
    }
    return UnitResult(metrics, len(truth) - training, series.files)


def run_catalogue(parameters: CatalogueParameters) -> UnitResult:
    """Count a catalogue's events of a period, and estimate where it is complete."""
    catalogue = load_catalogue(parameters.source)
    years = catalogue.events["time"].dt.year
    begin, end = _years(parameters.period)
    events = catalogue.events[(years >= begin) & (years <= end)]
    if events.empty:
        return UnitResult({"events": 0.0}, 0, catalogue.files)
    metrics: dict[str, MetricValue] = {**catalogue_facts(events, _covered_months(catalogue, begin, end))}
    if parameters.period != "all":
        return UnitResult(metrics, len(events), catalogue.files)
    metrics["left_out"] = float(catalogue.left_out)
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
    """Look up what was observed in each month, up to the last one of Table 2."""
    catalogue = load_catalogue(parameters.source)
    first = {"comcat": "1979-11", "comcat_m5": "1979-11", "phivolcs": "2015-01"}[parameters.source]
    months = months_between(first, FORECAST[1])
    values = catalogue_months(catalogue, months, "maximum")
    known = ((name, value) for name, value in _by_month(months, values) if name >= FORECAST[0] and not np.isnan(value))
    observed = {f"magnitude[{name}]": float(value) for name, value in known}
    arrays = {"month": months.astype(int).astype(np.int32), "maximum": values.astype(np.float32)}
    return UnitResult({**observed}, len(observed), catalogue.files, arrays)


def naive_unit(unit: UnitParameters) -> BaselineParameters | None:
    """Return the mean of the past months on the same months, or ``None`` for a unit that forecasts nothing."""
    if not isinstance(unit, NetworkParameters | ArimaParameters):
        return None
    shared = {name: getattr(unit, name) for name in SeriesParameters.model_fields if name not in ("seed", "backend")}
    return BaselineParameters.of(**shared)


def networks_of_the_paper(**decisions: Any) -> Iterator[NetworkParameters]:
    """Yield one unit per network: one replication of Table 1, or with ``test_share=0`` of Table 2."""
    for model in MODELS:
        yield NetworkParameters.of(model=model, **decisions)


def multiverse() -> Iterator[NetworkParameters]:
    """Yield every network under every declared combination of choices, with one seed, for Tables 1 and 2."""
    for series, model in product(_every_series(), MODELS):
        for values in product(*CHOICES.values()):
            chosen = dict(zip(CHOICES, values, strict=True))
            # A linear model has no hidden layer whose width could differ, and where nothing is held out all months
            # are the training months.
            same_width = model == "linear" and chosen["width"] != CHOICES["width"][0]
            same_scaling = series["test_share"] == 0 and chosen["scaling"] == "all"
            if not (same_width or same_scaling):
                yield NetworkParameters.of(model=model, **series, **chosen)


def _trained(
    parameters: NetworkParameters, training: Pairs, validation: Pairs | None
) -> tuple[keras.Model, dict[str, list[float]]]:
    (seed,) = parameters.random_seeds(1)
    start_afresh(seed)
    model = build_model(parameters)
    history = train(
        model,
        training,
        validation,
        loss=LOSS,
        epochs=parameters.epochs,
        batch_size=BATCH_SIZE,
        shuffle=True,
        learning_rate=LEARNING_RATE,
    )
    return model, history


def _recursive(
    model: keras.Model, starts: NDArray[np.float32], steps: int, limits: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Forecast ``steps`` values after each of several windows, each forecast becoming an input.

    Shapes: ``starts`` (series, window), returned (series, steps); no forecast leaves the two ``limits``.
    """
    window, forecasts = starts, []
    for _ in range(steps):
        following = np.clip(model.predict_on_batch(window[..., None]), *limits.astype(np.float32))
        forecasts.append(following[:, 0])
        window = np.concatenate([window[:, 1:], following], axis=1)
    return np.stack(forecasts, axis=1)


def _fit_scaler(values: NDArray[np.float64], training: int, parameters: NetworkParameters) -> TransformerMixin:
    """Fit the Min-Max scaler on the training months, on all months, or leave the magnitudes as they are."""
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

    if parameters.scaling == "none":
        return FunctionTransformer()
    return MinMaxScaler().fit(values[: training if parameters.scaling == "train" else None, None])


def _unscaled(scaler: TransformerMixin, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return magnitudes in the shape of ``values``."""
    magnitudes: NDArray[np.float64] = scaler.inverse_transform(values.astype(float).reshape(-1, 1))
    return magnitudes.reshape(values.shape)


def _errors(
    truth: NDArray[np.float64], one_step: NDArray[Any], free: NDArray[Any], start: int, stop: int, name: str
) -> dict[str, MetricValue]:
    """Score one-step and recursive forecasts of the months ``start`` to ``stop``."""
    months = truth[start:stop]
    return {
        name: mean_absolute_error(months, one_step[: len(months)]),
        f"{name}_recursive": mean_absolute_error(months, free[: len(months)]),
    }


def _forecaster(method: Method, history: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], float]:
    """Return what forecasts the next month from all months before it; it was fitted on ``history``."""
    if method == "persistence":
        return lambda before: float(before[-1])
    if method == "least_squares":
        inputs, targets, _ = sliding_windows(history, IN_SAMPLE_FROM)
        weights, *_ = np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets)
        return lambda before: float(before[-IN_SAMPLE_FROM:] @ weights[:-1] + weights[-1])
    constant = float(history.mean() if method == "mean" else np.median(history))
    return lambda _: constant


def _run_on(
    after: Callable[[NDArray[np.float64]], float], before: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """Forecast ``steps`` months from the months before them, each forecast becoming one of those; shape (steps,)."""
    known = before
    for _ in range(steps):
        known = np.append(known, np.clip(after(known), *POSSIBLE_MAGNITUDES))
    return known[len(before) :]


def _against_the_mean(truth: NDArray[np.float64], forecast: NDArray[Any], training: int) -> dict[str, MetricValue]:
    """Test whether one-step forecasts are more accurate than the mean of the months before those held out.

    Forecasts that are that mean, as those of an ARIMA without terms are, differ from it by rounding: no test.
    """
    mean = truth[:training].mean()
    if np.abs(forecast - mean).max() < SAME_MAGNITUDE:
        return {"dm_statistic": 0.0, "dm_p_value": 1.0}
    test = diebold_mariano(forecast - truth[training:], mean - truth[training:])
    return {"dm_statistic": test.statistic, "dm_p_value": test.p_value}


def _forecasts(values: NDArray[np.float64]) -> dict[str, MetricValue]:
    """Name the forecasts of Table 2 by their months, and its last row, the largest of them."""
    by_month = {f"magnitude[{name}]": float(value) for name, value in _by_month(_forecast_months(), values)}
    return {**by_month, f"magnitude[{HIGHEST}]": float(values.max())}


def _forecast_months() -> Months:
    return months_between(*FORECAST)


def _by_month(months: Months, values: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    return zip(month_names(months), values, strict=True)


def _kept_arrays(
    parameters: NetworkParameters, held_out: NDArray[np.float64], history: dict[str, list[float]]
) -> dict[str, NDArray[Any]]:
    """Keep forecasts and learning curves of the reference setting."""
    if not _is_reference(parameters):
        return {}
    return {name: np.asarray(values, dtype=np.float32) for name, values in {"forecast": held_out, **history}.items()}


def _begin_of(month: np.datetime64) -> datetime:
    """Return the first moment of a month, UTC."""
    begin: datetime = month.astype("datetime64[s]").astype(datetime)
    return begin


def _is_reference(parameters: NetworkParameters) -> bool:
    return parameters == NetworkParameters(model=parameters.model, seed=parameters.seed)


def _covered_months(catalogue: Catalogue, begin: int, end: int) -> Months:
    """Return the months of some years that lie between a catalogue's first event and its last."""
    times = catalogue.events["time"]
    covered = months_between(str(times.min())[:7], str(times.max())[:7])
    years = covered.astype("datetime64[Y]").astype(int) + 1970
    return covered[(years >= begin) & (years <= end)]


def _years(period: Period) -> tuple[int, int]:
    first, _, last = period.partition("-")
    return (0, 9999) if period == "all" else (int(first), int(last))


def _full_networks() -> Iterator[NetworkParameters]:
    for seed, test_share in product(range(SEEDS), (20, 0)):
        yield from networks_of_the_paper(seed=seed, test_share=test_share)
    yield from multiverse()


def _every_series() -> Iterator[dict[str, Any]]:
    """Yield each series with each share held out, and with none where it ends before the months of Table 2."""
    for series, test_share in product(SERIES, TEST_SHARES):
        yield {"test_share": test_share, **series}
    for series in SERIES:
        if series.get("span", REFERENCE_SPAN).endswith(LAST_KNOWN):
            yield {"test_share": 0, **series}


def _full_arima() -> Iterator[ArimaParameters]:
    for series in _every_series():
        yield ArimaParameters.of(**series)


def _full_baselines() -> Iterator[BaselineParameters]:
    for series, method in product(_every_series(), METHODS):
        yield BaselineParameters.of(method=method, **series)


def _full_catalogues() -> Iterator[CatalogueParameters]:
    for source, period in product(CATALOGUES, PERIODS):
        yield CatalogueParameters.of(source=source, period=period)


def _full_agreement() -> Iterator[AgreementParameters]:
    for first, second in combinations(CATALOGUES, 2):
        yield AgreementParameters.of(first=first, second=second)


def _full_observations() -> Iterator[ObservationParameters]:
    for source in CATALOGUES:
        yield ObservationParameters.of(source=source)


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
    module=__name__,
    experiments={
        experiment.name: experiment
        for experiment in (
            Experiment(CatalogueParameters, run_catalogue, _full_catalogues, lambda: (), deterministic=True),
            Experiment(AgreementParameters, run_agreement, _full_agreement, lambda: (), deterministic=True),
            Experiment(ObservationParameters, run_observation, _full_observations, lambda: (), deterministic=True),
            Experiment(BaselineParameters, run_baseline, _full_baselines, _smoke_baselines, deterministic=True),
            Experiment(ArimaParameters, run_arima, _full_arima, _smoke_arima, deterministic=True),
            Experiment(NetworkParameters, run_network, _full_networks, _smoke_networks),
        )
    },
    naive=naive_unit,
    main=NetworkParameters.experiment,
)
