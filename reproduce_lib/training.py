"""Training a Keras 3 model once, with every random stream set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

Pairs = tuple[NDArray[Any], NDArray[Any]]
# A model of several inputs has a list of them.
Examples = tuple[NDArray[Any] | list[NDArray[Any]], NDArray[Any]]
Loss = str | Callable[[Any, Any], Any]


def start_afresh(seed: int) -> None:
    """Forget earlier models of this process and seed Python, NumPy and the backend.

    Call it before the model is built: initial weights, dropout and shuffling all draw from ``seed``.
    """
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


def train(
    model: keras.Model,
    training: Examples,
    validation: Examples | None,
    *,
    loss: Loss,
    epochs: int,
    batch_size: int,
    shuffle: bool,
    learning_rate: float,
) -> dict[str, list[float]]:
    """Train ``model`` with Adam for a fixed number of epochs.

    Parameters
    ----------
    training, validation : (inputs, targets); the validation pairs, if there are any, are scored after
        each epoch and change nothing
    loss : Keras's name of a loss, or a function of targets and outputs that returns the loss of each pair

    Returns
    -------
    ``loss`` and, with validation pairs, ``val_loss``: one value per epoch, in the units of the targets
    """
    import keras

    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss)
    history = model.fit(
        *training,
        validation_data=validation,
        epochs=epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        verbose=0,
    )
    return {name: [float(value) for value in values] for name, values in history.history.items()}
