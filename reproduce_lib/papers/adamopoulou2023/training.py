"""Training a U-Net on windows that are made anew for each epoch, and keeping its best epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.papers.adamopoulou2023.samples import SampleParameters

if TYPE_CHECKING:
    import keras

Values = NDArray[np.float32]
Pairs = tuple[Values, Values]
# Windows forecast at once.
AT_ONCE = 100


class TrainingParameters(SampleParameters):
    """How a network is trained: section 5.1.1 prints Adam, 0.01, batches of 20, 100 epochs of 500 windows."""

    backend: Literal["tensorflow", "jax"] = "tensorflow"
    windows: int = Field(default=500, ge=20, le=100_000)
    epochs: int = Field(default=100, ge=1, le=10_000)
    batch_size: int = Field(default=20, ge=1, le=4096)
    learning_rate: float = Field(default=0.01, gt=0, le=1)


def train_on_windows(
    model: keras.Model, draw: Callable[[int], Pairs], validation: Pairs, parameters: TrainingParameters, loss: str
) -> dict[str, list[float]]:
    """Train a network, and leave it with the weights of the epoch of least validation loss.

    Parameters
    ----------
    draw : returns inputs and targets of an epoch, given its number

    Returns
    -------
    loss and val_loss, one value an epoch
    """
    import keras

    model.compile(optimizer=keras.optimizers.Adam(parameters.learning_rate), loss=loss)
    history: dict[str, list[float]] = {"loss": [], "val_loss": []}
    best, least = model.get_weights(), math.inf
    for epoch in range(parameters.epochs):
        inputs, targets = draw(epoch)
        batches = range(0, len(inputs), parameters.batch_size)
        losses = [_step(model, inputs, targets, first, parameters.batch_size) for first in batches]
        history["loss"].append(float(np.mean(losses)))
        history["val_loss"].append(float(model.evaluate(*validation, batch_size=AT_ONCE, verbose=0)))
        # A loss that is no number is never the least.
        if history["val_loss"][-1] < least:
            best, least = model.get_weights(), history["val_loss"][-1]
    model.set_weights(best)
    return history


def forecast(model: keras.Model, inputs: Values) -> Values:
    """Return what a network gives for windows of any number."""
    found: Values = model.predict(inputs, batch_size=AT_ONCE, verbose=0)
    return found


def _step(model: keras.Model, inputs: Values, targets: Values, first: int, size: int) -> float:
    # The sum over an epoch would be that of a running mean unless it is forgotten at each step.
    model.reset_metrics()
    return float(model.train_on_batch(inputs[first : first + size], targets[first : first + size]))
