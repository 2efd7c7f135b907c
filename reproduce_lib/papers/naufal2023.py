"""Naufal & Wibowo (2023): LSTM, LSTM-GRU and CNN-LSTM-GRU forecasts of the next day's closing price.

The models follow section 3.3 of the paper, the pairs its equations 1 and 2, the scores its equations
3 and 4. What the paper leaves open is a parameter here; its default and its alternatives, each with the
reason, are the ``decisions`` of ``book/claims/naufal2023.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.baselines import drift_forecast, naive_forecast
from reproduce_lib.batched import predict_batch, train_batch
from reproduce_lib.box_jenkins import choose_arima
from reproduce_lib.data.prices import TICKERS, Prices, Ticker, load_prices
from reproduce_lib.data.simulate import simulate_prices
from reproduce_lib.forecast_tests import LARGEST_LAG, best_lag, diebold_mariano
from reproduce_lib.metrics import mean_absolute_error, root_mean_square_error
from reproduce_lib.training import Pairs, start_afresh, train
from reproduce_lib.units import Batch, Experiment, MetricValue, Paper, UnitParameters, UnitResult
from reproduce_lib.windows import consecutive_parts, sliding_windows

if TYPE_CHECKING:
    import keras
    from sklearn.preprocessing import MinMaxScaler

KEY = "naufal2023"
Model = Literal["lstm", "lstm_gru", "cnn_lstm_gru"]
Window = Literal[1, 30]
Source = Literal["real", "simulated"]
Split = Literal["train72_val8_test20", "train70_val10_test20", "train70_test20_val10", "shuffled72_8_20"]
LastDay = Literal["2022-10-07", "2022-10-06"]
MODELS: tuple[Model, ...] = get_args(Model)
WINDOWS: tuple[Window, ...] = get_args(Window)

LOSS = "mean_absolute_error"
UNITS = 100
FILTERS = 64
DROPOUT = 0.1  # of LSTM and LSTM-GRU, printed; the hybrid's is a parameter
EPOCHS = 30
LEARNING_RATE = 0.001
SEEDS = 10
SEEDS_OF_A_READING = 5
SIMULATION_SEED = 0
SHUFFLING_SEED = 0
# No window reaches before the first day when shuffled targets start here, whatever the window.
FIRST_SHUFFLED_TARGET = max(WINDOWS)

# Each decision that the paper leaves open: the other readings, run beside the default.
READINGS: dict[str, tuple[Any, ...]] = {
    "split": ("train70_val10_test20", "train70_test20_val10", "shuffled72_8_20"),
    "relu": ("convolution", "output"),
    "scaler": ("all", "each"),
    "shuffle": (False,),
    "context": ("inside",),
    "last_day": ("2022-10-06",),
    "pool_size": (1,),
    "kernel_size": (3,),
    "hybrid_dropout": (0.0, 0.2),
    "backend": ("tensorflow",),
    "batch_size": (64, 16),
    "kept_epoch": ("best",),
}
# The readings that change what networks learn from or what they are, run for all three; the others, to save
# hours of computation, for the proposed network alone.
_FOR_ALL_NETWORKS = {"split", "relu", "kept_epoch"}
# What the verdicts may hang on is run as often as the default.
_ON_ALL_SEEDS = {"split", "kept_epoch"}
# Pooling and kernels act only where a window has several days.
_LONG_WINDOW_ONLY = {"pool_size", "kernel_size"}


class SeriesParameters(UnitParameters):
    """Which closing prices a unit forecasts, and how their days are divided."""

    paper: ClassVar[str] = KEY

    ticker: Ticker = "TSLA"
    data: Source = "real"
    split: Split = "train72_val8_test20"
    last_day: LastDay = "2022-10-07"

    @model_validator(mode="after")
    def _simulated_is_never_full(self) -> Self:
        if self.profile == "full" and self.data != "real":
            raise ValueError("simulated data belong to the profiles smoke and custom only")
        return self


class NetworkParameters(SeriesParameters):
    """One network on one share with one seed.

    ``kept_epoch`` says whether it forecasts with the weights of the last epoch, or with those of the least validation
    loss.
    """

    experiment: ClassVar[str] = "networks"

    backend: Literal["jax", "tensorflow", "jax_gpu"] = "jax"
    model: Model = "cnn_lstm_gru"
    window: Window = 30
    scaler: Literal["train", "all", "each"] = "train"
    context: Literal["reach_back", "inside"] = "reach_back"
    relu: Literal["hidden", "convolution", "output"] = "hidden"
    pool_size: Literal[1, 2] = 2
    kernel_size: Literal[1, 3] = 1
    hybrid_dropout: float = Field(default=0.1, ge=0, lt=1)
    batch_size: int = Field(default=32, ge=1, le=1024)
    shuffle: bool = True
    kept_epoch: Literal["last", "best"] = "last"
    epochs: int = Field(default=EPOCHS, ge=1, le=1000)
    learning_rate: float = Field(default=LEARNING_RATE, gt=0, le=1)

    @model_validator(mode="after")
    def _full_is_the_papers_setting(self) -> Self:
        if self.profile != "full":
            return self
        if (self.epochs, self.learning_rate) != (EPOCHS, LEARNING_RATE):
            raise ValueError(f"profile full means {EPOCHS} epochs at {LEARNING_RATE}; use profile custom")
        for name, alternatives in READINGS.items():
            value, default = getattr(self, name), type(self).model_fields[name].default
            if value != default and value not in alternatives:
                known = ", ".join(map(repr, (default, *alternatives)))
                raise ValueError(f"profile full knows {name} = {known}, not {value!r}; use profile custom")
        return self


class BaselineParameters(SeriesParameters):
    """One forecast without a network on the test days of one share.

    ``skip_days`` leaves out the first test days, as networks do whose windows must not reach back.
    """

    experiment: ClassVar[str] = "baselines"

    method: Literal["naive", "drift", "arima"] = "naive"
    skip_days: Literal[0, 1, 30] = 0

    @model_validator(mode="after")
    def _arima_follows_the_days(self) -> Self:
        if self.method == "arima" and self.split == "shuffled72_8_20":
            raise ValueError("an ARIMA forecasts days that follow each other; a shuffled split has none")
        return self


class PriceFactParameters(UnitParameters):
    """One statement of the paper about its prices."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "price_facts"

    ticker: Ticker = "TSLA"
    quantity: Literal["trading_days", "first_day", "last_day", "price", "lowest_close", "highest_close"]
    column: Literal["open", "high", "low", "close"] = "close"
    day: str = ""
    span: Literal["all", "test"] = "all"


@dataclass(frozen=True)
class Parts:
    """The positions of the days of each part; shape (days of the part,)."""

    training: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def divide_days(days: int, split: Split) -> Parts:
    """Divide ``days`` days into training, validation and test days by one reading of the paper's split."""
    everything = np.arange(days)
    if split == "shuffled72_8_20":
        order = np.random.default_rng(SHUFFLING_SEED).permutation(everything[FIRST_SHUFFLED_TARGET:])
        training, validation, test = (np.sort(order[part]) for part in consecutive_parts(len(order), (72, 8, 20)))
        return Parts(training, validation, test)
    percentages = {
        "train72_val8_test20": (72, 8, 20),
        "train70_val10_test20": (70, 10, 20),
        "train70_test20_val10": (70, 20, 10),
    }[split]
    first, second, third = (everything[part] for part in consecutive_parts(days, percentages))
    return Parts(first, third, second) if split == "train70_test20_val10" else Parts(first, second, third)


def build_model(parameters: NetworkParameters) -> keras.Model:
    """Build one of the three networks of section 3.3; input (batch, window, 1), output (batch, 1)."""
    import keras
    from keras import layers

    recurrent = "relu" if parameters.relu == "hidden" else "tanh"
    rate = parameters.hybrid_dropout if parameters.model == "cnn_lstm_gru" else DROPOUT
    stack: list[keras.Layer] = [keras.Input((parameters.window, 1))]
    if parameters.model == "cnn_lstm_gru":
        for _ in range(2):
            stack += [
                layers.Conv1D(FILTERS, parameters.kernel_size, padding="same", activation="relu"),
                # "same" padding lets one definition run at both windows: a window of 1 stays 1.
                layers.MaxPooling1D(parameters.pool_size, padding="same"),
            ]
    if parameters.model == "lstm":
        stack += [layers.LSTM(UNITS, activation=recurrent), layers.Dropout(rate)]
    else:
        stack += [
            layers.LSTM(UNITS, activation=recurrent, return_sequences=True),
            layers.Dropout(rate),
            layers.GRU(UNITS, activation=recurrent),
            layers.Dropout(rate),
        ]
    stack.append(layers.Dense(1, activation="relu" if parameters.relu == "output" else None))
    return keras.Sequential(stack)


@dataclass(frozen=True)
class Task:
    """What one network learns from and is scored on: scaled pairs, and the prices in dollars.

    Shapes of a pair: inputs (pairs, window, 1), targets (pairs, 1); ``test_days`` (days,).
    """

    prices: Prices
    training: Pairs
    validation: Pairs
    test_inputs: NDArray[np.float32]
    test_days: NDArray[np.intp]
    scaler: MinMaxScaler


def run_network(parameters: NetworkParameters) -> UnitResult:
    """Train one network and score its forecasts of the test days, in dollars."""
    task = _task(parameters)
    model, history = _trained(parameters, task)
    predicted = model.predict(task.test_inputs, batch_size=len(task.test_inputs), verbose=0)
    return _scored(parameters, task, np.asarray(predicted), history)


def _trained(parameters: NetworkParameters, task: Task) -> tuple[keras.Model, dict[str, list[float]]]:
    """Return a trained network and its losses, epoch by epoch.

    The best epoch is come to by training from the same start for as many epochs: every random stream is that of before.
    """
    model = _initial_model(parameters)
    history = train(model, task.training, task.validation, **_fitting(parameters))
    if parameters.kept_epoch == "best":
        model = _initial_model(parameters)
        epochs = int(np.argmin(history["val_loss"])) + 1
        train(model, task.training, task.validation, **{**_fitting(parameters), "epochs": epochs})
    return model, history


def run_network_batch(batch: Sequence[NetworkParameters]) -> list[UnitResult]:
    """Train networks that differ in share and seed alone in one program; the results in the order of ``batch``."""
    if batch[0].kept_epoch == "best":
        return [run_network(parameters) for parameters in batch]
    tasks = [_task(parameters) for parameters in batch]
    models = [_initial_model(parameters) for parameters in batch]
    histories = train_batch(
        models,
        [task.training for task in tasks],
        [task.validation for task in tasks],
        seeds=[parameters.random_seeds(1)[0] for parameters in batch],
        **_fitting(batch[0]),
    )
    predicted = predict_batch(models, [task.test_inputs for task in tasks])
    return [_scored(*of_one) for of_one in zip(batch, tasks, predicted, histories, strict=True)]


def run_baseline(parameters: BaselineParameters) -> UnitResult:
    """Score one forecast without a network on the test days, in dollars."""
    prices = closing_prices(parameters)
    close = prices.close
    test = divide_days(len(close), parameters.split).test[parameters.skip_days :]
    metrics: dict[str, MetricValue] = {}
    if parameters.method == "naive":
        forecast = naive_forecast(close, test)
    elif parameters.method == "drift":
        forecast = drift_forecast(close, test)
    else:
        fitted = choose_arima(close[: test[0]], differences=1)
        forecast = fitted.one_step(close[test])
        metrics["order"] = str(fitted.order)
    metrics["mae"] = mean_absolute_error(close[test], forecast)
    metrics["rmse"] = root_mean_square_error(close[test], forecast)
    return UnitResult(metrics, len(test), prices.files)


def run_price_fact(parameters: PriceFactParameters) -> UnitResult:
    """Look one statement about the prices up."""
    prices = load_prices(parameters.ticker)
    frame = prices.frame
    if parameters.span == "test":
        frame = frame.iloc[divide_days(len(frame), "train72_val8_test20").test]
    match parameters.quantity:
        case "trading_days":
            value: MetricValue = float(len(frame))
        case "first_day":
            value = f"{frame.index[0]:%Y-%m-%d}"
        case "last_day":
            value = f"{frame.index[-1]:%Y-%m-%d}"
        case "price":
            value = float(frame[parameters.column][parameters.day])
        case "lowest_close":
            value = float(frame["close"].min())
        case "highest_close":
            value = float(frame["close"].max())
    return UnitResult({"value": value}, len(frame), prices.files)


def closing_prices(parameters: SeriesParameters) -> Prices:
    """Return the prices that a unit's parameters name, up to the last day that they name."""
    if parameters.data == "simulated":
        return simulate_prices(SIMULATION_SEED)
    prices = load_prices(parameters.ticker)
    return Prices(prices.ticker, prices.frame.loc[: parameters.last_day], prices.files)


def networks_of_the_paper(**decisions: Any) -> Iterator[NetworkParameters]:
    """Yield one unit per share, window and model: one replication of Tables 3 to 6."""
    for ticker, window, model in product(TICKERS, WINDOWS, MODELS):
        yield NetworkParameters.of(ticker=ticker, window=window, model=model, **decisions)


def readings_of(name: str, value: Any, seed: int) -> Iterator[NetworkParameters]:
    """Yield one replication under another reading of one decision, where it can make a difference."""
    for unit in networks_of_the_paper(seed=seed):
        if name not in _FOR_ALL_NETWORKS and unit.model != "cnn_lstm_gru":
            continue
        if name in _LONG_WINDOW_ONLY and unit.window == 1:
            continue
        yield unit.with_values(**{name: value})


def naive_unit(unit: UnitParameters) -> BaselineParameters | None:
    """Return the naive forecast of the same test days, or ``None`` for a unit that forecasts nothing."""
    if not isinstance(unit, NetworkParameters):
        return None
    return BaselineParameters.of(
        profile=unit.profile,
        ticker=unit.ticker,
        data=unit.data,
        split=unit.split,
        last_day=unit.last_day,
        skip_days=unit.window if unit.context == "inside" else 0,
    )


def _task(parameters: NetworkParameters) -> Task:
    prices = closing_prices(parameters)
    close = prices.close
    parts = divide_days(len(close), parameters.split)
    training = _pairs(close, parts.training, parts, parameters)
    validation = _pairs(close, parts.validation, parts, parameters)
    inputs, _, test = _pairs(close, parts.test, parts, parameters)
    scaler = _fit_scaler(close, parts.test, parts, parameters)
    return Task(prices, training[:2], validation[:2], inputs, test, scaler)


def _initial_model(parameters: NetworkParameters) -> keras.Model:
    (seed,) = parameters.random_seeds(1)
    start_afresh(seed)
    return build_model(parameters)


def _fitting(parameters: NetworkParameters) -> dict[str, Any]:
    """Return how a network is trained; section 3.4 gives loss, optimizer and epochs."""
    names = ("epochs", "batch_size", "shuffle", "learning_rate")
    return {"loss": LOSS, **{name: getattr(parameters, name) for name in names}}


def _scored(
    parameters: NetworkParameters, task: Task, predicted: NDArray[Any], history: dict[str, list[float]]
) -> UnitResult:
    """Score forecasts, shape (test days, 1) and still scaled, in dollars."""
    close, test = task.prices.close, task.test_days
    forecast = task.scaler.inverse_transform(predicted.astype(float))[:, 0]
    error = forecast - close[test]
    against_naive = diebold_mariano(error, naive_forecast(close, test) - close[test])
    metrics: dict[str, MetricValue] = {
        "mae": mean_absolute_error(close[test], forecast),
        "rmse": root_mean_square_error(close[test], forecast),
        "training_loss": history["loss"][-1],
        "validation_loss": history["val_loss"][-1],
        "dm_statistic": against_naive.statistic,
        "dm_p_value": against_naive.p_value,
    }
    if np.ptp(forecast[LARGEST_LAG:]) > 0:  # a network whose ReLU output died forecasts one price for ever
        metrics["best_lag"] = float(best_lag(close[test], forecast))
    return UnitResult(metrics, len(test), task.prices.files, _kept_arrays(parameters, error, history))


def _kept_arrays(
    parameters: NetworkParameters, error: NDArray[Any], history: dict[str, list[float]]
) -> dict[str, NDArray[Any]]:
    """Keep errors and learning curves of the default reading: the forecasts without the prices."""
    default = NetworkParameters(
        ticker=parameters.ticker, window=parameters.window, model=parameters.model, seed=parameters.seed
    )
    if parameters != default:
        return {}
    return {
        "error": error.astype(np.float32),
        "loss": np.asarray(history["loss"], dtype=np.float32),
        "val_loss": np.asarray(history["val_loss"], dtype=np.float32),
    }


def _pairs(
    close: NDArray[np.float64], days: NDArray[np.intp], parts: Parts, parameters: NetworkParameters
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Return the scaled windows before ``days``, their targets, and the days that have a window.

    Shapes (pairs, window, 1), (pairs, 1) and (pairs,).
    """
    window = parameters.window
    scaler = _fit_scaler(close, days, parts, parameters)
    scaled = scaler.transform(close[:, None])[:, 0].astype(np.float32)
    inputs, targets, positions = sliding_windows(scaled, window)
    usable = days[window:] if parameters.context == "inside" else days[days >= window]
    rows = usable - positions[0]
    return inputs[rows][..., None], targets[rows][:, None], usable


def _fit_scaler(
    close: NDArray[np.float64], days: NDArray[np.intp], parts: Parts, parameters: NetworkParameters
) -> MinMaxScaler:
    """Fit the Min-Max scaler on the training days, on all days, or on the days it is used for."""
    from sklearn.preprocessing import MinMaxScaler

    seen = {"train": parts.training, "all": np.arange(len(close)), "each": days}[parameters.scaler]
    return MinMaxScaler().fit(close[seen][:, None])


def _full_networks() -> Iterator[NetworkParameters]:
    for seed in range(SEEDS):
        yield from networks_of_the_paper(seed=seed)
    for name, values in READINGS.items():
        for value, seed in product(values, range(SEEDS if name in _ON_ALL_SEEDS else SEEDS_OF_A_READING)):
            yield from readings_of(name, value, seed)


def _full_baselines() -> Iterator[BaselineParameters]:
    for ticker, method in product(TICKERS, ("naive", "drift", "arima")):
        yield BaselineParameters.of(ticker=ticker, method=method)
    for unit in _full_networks():
        naive = naive_unit(unit)
        if naive is not None:
            yield naive


def _full_price_facts() -> Iterator[PriceFactParameters]:
    for ticker, quantity in product(TICKERS, ("trading_days", "first_day", "last_day")):
        yield PriceFactParameters.of(ticker=ticker, quantity=quantity)
    for ticker, quantity, span in product(TICKERS, ("lowest_close", "highest_close"), ("all", "test")):
        yield PriceFactParameters.of(ticker=ticker, quantity=quantity, span=span)
    days = ("2022-10-03", "2022-10-04", "2022-10-05", "2022-10-06")
    for day, column in product(days, ("open", "high", "low", "close")):
        yield PriceFactParameters.of(quantity="price", day=day, column=column)


def _smoke_networks() -> Iterator[NetworkParameters]:
    for model, window in product(MODELS, WINDOWS):
        yield NetworkParameters.of(profile="smoke", data="simulated", model=model, window=window, epochs=1)


def _smoke_baselines() -> Iterator[BaselineParameters]:
    for method in ("naive", "drift", "arima"):
        yield BaselineParameters.of(profile="smoke", data="simulated", method=method)


PAPER = Paper(
    key=KEY,
    experiments={
        experiment.name: experiment
        for experiment in (
            Experiment(PriceFactParameters, run_price_fact, _full_price_facts, lambda: (), deterministic=True),
            Experiment(BaselineParameters, run_baseline, _full_baselines, _smoke_baselines, deterministic=True),
            Experiment(
                NetworkParameters,
                run_network,
                _full_networks,
                _smoke_networks,
                batch=Batch(frozenset({"seed", "ticker"}), run_network_batch),
            ),
        )
    },
    naive=naive_unit,
    main=NetworkParameters.experiment,
)
