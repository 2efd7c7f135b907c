"""LSTM, LSTM-GRU and CNN-LSTM-GRU of section 3.3: how each is built, trained and scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.baselines import naive_forecast
from reproduce_lib.batched import predict_batch, train_batch
from reproduce_lib.forecast_tests import LARGEST_LAG, best_lag, diebold_mariano
from reproduce_lib.metrics import mean_absolute_error, root_mean_square_error
from reproduce_lib.papers.naufal2023.samples import SampleParameters, Samples, make_samples
from reproduce_lib.training import start_afresh, train
from reproduce_lib.units import MetricValue, UnitResult

if TYPE_CHECKING:
    import keras

Model = Literal["lstm", "lstm_gru", "cnn_lstm_gru"]
MODELS: tuple[Model, ...] = get_args(Model)

LOSS = "mean_absolute_error"
UNITS = 100
FILTERS = 64
DROPOUT = 0.1  # of LSTM and LSTM-GRU, printed; the hybrid's is a parameter
EPOCHS = 30
LEARNING_RATE = 0.001

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


class NetworkParameters(SampleParameters):
    """One network on one share with one seed.

    ``kept_epoch`` says whether it forecasts with the weights of the last epoch, or with those of the least validation
    loss.
    """

    experiment: ClassVar[str] = "networks"

    backend: Literal["jax", "tensorflow", "jax_gpu"] = "jax"
    model: Model = "cnn_lstm_gru"
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


def run_network(parameters: NetworkParameters) -> UnitResult:
    """Train one network and score its forecasts of the test days, in dollars."""
    samples = make_samples(parameters)
    model, history = _trained(parameters, samples)
    predicted = model.predict(samples.test_inputs, batch_size=len(samples.test_inputs), verbose=0)
    return _scored(parameters, samples, np.asarray(predicted), history)


def _trained(parameters: NetworkParameters, samples: Samples) -> tuple[keras.Model, dict[str, list[float]]]:
    """Return a trained network and its losses, epoch by epoch up to the one that is kept.

    The best epoch is come to by training from the same start for as many epochs: every random stream is that of before.
    """
    model = _initial_model(parameters)
    history = train(model, samples.training, samples.validation, **_fitting(parameters))
    if parameters.kept_epoch == "best":
        model = _initial_model(parameters)
        epochs = int(np.argmin(history["val_loss"])) + 1
        history = train(model, samples.training, samples.validation, **{**_fitting(parameters), "epochs": epochs})
    return model, history


def run_network_batch(batch: Sequence[NetworkParameters]) -> list[UnitResult]:
    """Train networks that differ in share and seed alone in one program; the results in the order of ``batch``."""
    if batch[0].kept_epoch == "best":
        return [run_network(parameters) for parameters in batch]
    samples = [make_samples(parameters) for parameters in batch]
    models = [_initial_model(parameters) for parameters in batch]
    histories = train_batch(
        models,
        [one.training for one in samples],
        [one.validation for one in samples],
        seeds=[parameters.random_seeds(1)[0] for parameters in batch],
        **_fitting(batch[0]),
    )
    predicted = predict_batch(models, [one.test_inputs for one in samples])
    return [_scored(*of_one) for of_one in zip(batch, samples, predicted, histories, strict=True)]


def _initial_model(parameters: NetworkParameters) -> keras.Model:
    (seed,) = parameters.random_seeds(1)
    start_afresh(seed)
    return build_model(parameters)


def _fitting(parameters: NetworkParameters) -> dict[str, Any]:
    """Return how a network is trained; section 3.4 gives loss, optimizer and epochs."""
    names = ("epochs", "batch_size", "shuffle", "learning_rate")
    return {"loss": LOSS, **{name: getattr(parameters, name) for name in names}}


def _scored(
    parameters: NetworkParameters, samples: Samples, predicted: NDArray[Any], history: dict[str, list[float]]
) -> UnitResult:
    """Score forecasts, shape (test days, 1) and still scaled, in dollars."""
    close, test = samples.prices.close, samples.test_days
    forecast = samples.scaler.inverse_transform(predicted.astype(float))[:, 0]
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
    return UnitResult(metrics, len(test), samples.prices.files, _kept_arrays(parameters, error, history))


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
