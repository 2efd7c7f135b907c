"""The linear model and the five networks: how each is built, trained and scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.papers.asma2024.scores import against_the_mean, forecast_months, mean_errors, named_forecasts
from reproduce_lib.papers.asma2024.series import POSSIBLE_MAGNITUDES, SeriesParameters, load_series
from reproduce_lib.training import Pairs, start_afresh, train
from reproduce_lib.units import MetricValue, UnitResult
from reproduce_lib.windows import sliding_windows

if TYPE_CHECKING:
    import keras
    from sklearn.base import TransformerMixin


Model = Literal["linear", "dnn", "rnn", "lstm", "cnn", "cnn_lstm"]
MODELS: tuple[Model, ...] = get_args(Model)
KERNEL = 3
BATCH_SIZE = 32
LEARNING_RATE = 0.001
LOSS = "mean_absolute_error"
# What the paper does not print of a network; the first of each is the reference.
CHOICES: dict[str, tuple[Any, ...]] = {
    "window": (12, 6, 24),
    "width": (64, 16),
    "epochs": (100, 400),
    "scaling": ("train", "none", "all"),
}


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
        ahead = _recursive(model, scaled[-parameters.window :][None], len(forecast_months()), limits)
        return UnitResult(named_forecasts(_unscaled(scaler, ahead[0])), len(ahead[0]), series.files)
    predicted = _unscaled(scaler, model.predict_on_batch(pairs[0])[:, 0])
    starts = np.stack([scaled[: parameters.window], scaled[training - parameters.window : training]])
    steps = max(training - parameters.window, len(series.values) - training)
    free = _unscaled(scaler, _recursive(model, starts, steps, limits))
    truth = series.values
    held_out = predicted[months >= training]
    metrics: dict[str, MetricValue] = {
        **mean_errors(truth, held_out, free[1], training, len(truth), "mae"),
        **mean_errors(truth, predicted[months < training], free[0], parameters.window, training, "mae_in_sample"),
        **against_the_mean(truth, held_out, training),
        "training_loss": history["loss"][-1],
    }
    return UnitResult(metrics, len(held_out), series.files, _kept_arrays(parameters, held_out, history))


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


def _kept_arrays(
    parameters: NetworkParameters, held_out: NDArray[np.float64], history: dict[str, list[float]]
) -> dict[str, NDArray[Any]]:
    """Keep forecasts and learning curves of the reference setting."""
    if not _is_reference(parameters):
        return {}
    return {name: np.asarray(values, dtype=np.float32) for name, values in {"forecast": held_out, **history}.items()}


def _is_reference(parameters: NetworkParameters) -> bool:
    return parameters == NetworkParameters(model=parameters.model, seed=parameters.seed)
