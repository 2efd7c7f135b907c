"""What the Keras networks of the paper share: settings, and training on one fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.papers.li2021.evaluation import ClassifierParameters, Fold, Forecast
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import Labels
from reproduce_lib.training import Loss, train

if TYPE_CHECKING:
    import keras

Inputs = NDArray[np.float32] | list[NDArray[np.float32]]
PREDICTED_AT_ONCE = 512


class NetworkParameters(ClassifierParameters):
    """One network on all folds of a region; epochs and batch size are those of Table II."""

    backend: Literal["jax", "tensorflow", "jax_gpu"] = "jax"
    epochs: int = Field(default=65, ge=1, le=1000)
    batch_size: int = Field(default=24, ge=1, le=1024)
    learning_rate: float = Field(default=0.001, gt=0, le=1)

    @property
    def keeps_forecasts(self) -> bool:
        """Tell whether a record keeps the forecasts: not those of labels that mean nothing."""
        return self.profile == "full" and self.labels == "true"

    @property
    def fitting(self) -> dict[str, Any]:
        """Return how `training.train` and `batched.train_batch` are to fit."""
        names = ("epochs", "batch_size", "learning_rate")
        return {"shuffle": True, **{name: getattr(self, name) for name in names}}


def train_on_fold(
    model: keras.Model,
    inputs: Inputs,
    fold: Fold,
    labels: Labels,
    parameters: NetworkParameters,
    *,
    targets: NDArray[np.float32] | None = None,
    loss: Loss = "categorical_crossentropy",
) -> Forecast:
    """Train a network that is built and not compiled on a fold, and forecast all of the fold's samples.

    Parameters
    ----------
    inputs : of all samples, first axis; a list for a model of several inputs
    targets : what ``loss`` is given for each sample, one-hot rows if it is not said
    """
    targets = np.eye(CLASSES, dtype=np.float32)[labels] if targets is None else targets
    history = train(
        model,
        (part_of(inputs, fold.training), targets[fold.training]),
        None,
        loss=loss,
        **parameters.fitting,
    )
    everything: NDArray[Any] = model.predict(inputs, batch_size=PREDICTED_AT_ONCE, verbose=0)
    return Forecast(everything[fold.test], everything[fold.training], history)


def part_of(inputs: Inputs, chosen: NDArray[np.intp]) -> Inputs:
    """Return some samples of the inputs of all."""
    return [one[chosen] for one in inputs] if isinstance(inputs, list) else inputs[chosen]
