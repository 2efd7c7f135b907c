"""Training until a loss stops falling, with a learning rate that follows half a cosine, on either sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.papers.zhang2023.samples import Labels

if TYPE_CHECKING:
    import keras

Sampling = Literal["natural", "class_balanced"]
KeptEpoch = Literal["best", "last"]
Inputs = NDArray[np.float32]


def fit_until_it_stops(
    model: keras.Model,
    training: tuple[Inputs, Labels],
    validation: tuple[Inputs, Labels] | None,
    *,
    sampling: Sampling,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    kept_epoch: KeptEpoch,
    seed: int,
) -> dict[str, list[float]]:
    """Train a model, and leave it with the weights of its best or of its last epoch.

    Training ends when the validation loss, or without validation samples the training loss, has not fallen for
    ``patience`` epochs, or after ``epochs``; the learning rate falls to 0 at the latter (Loshchilov and Hutter 2017).

    Parameters
    ----------
    sampling : ``natural`` sees each sample once an epoch; ``class_balanced`` draws as many, each class as often

    Returns
    -------
    loss, and val_loss with validation samples: one value an epoch
    """
    import keras

    inputs, labels = training
    batches = _batches(inputs, labels, sampling, batch_size, seed)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(batches))
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy")
    watched = "loss" if validation is None else "val_loss"
    stop = keras.callbacks.EarlyStopping(monitor=watched, patience=patience, restore_best_weights=kept_epoch == "best")
    history = model.fit(batches, validation_data=validation, epochs=epochs, callbacks=[stop], verbose=0)
    return {name: [float(value) for value in history.history[name]] for name in ("loss", watched)}


def _batches(inputs: Inputs, labels: Labels, sampling: Sampling, batch_size: int, seed: int) -> Any:
    """Return batches that are drawn anew for each epoch."""
    import keras

    generator = np.random.default_rng(seed)

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """Keras asks for one batch after the other, and says when an epoch ends."""

        def __init__(self) -> None:
            super().__init__()
            self.on_epoch_end()

        def __len__(self) -> int:
            return -(-len(labels) // batch_size)

        def __getitem__(self, number: int) -> tuple[Inputs, Labels]:
            rows = self.order[number * batch_size : (number + 1) * batch_size]
            return inputs[rows], labels[rows]

        def on_epoch_end(self) -> None:
            self.order = epoch_of(labels, sampling, generator)

    return Batches()


def epoch_of(labels: Labels, sampling: Sampling, generator: np.random.Generator) -> NDArray[np.intp]:
    """Return the order in which an epoch sees the samples: as many as there are."""
    if sampling == "natural":
        return generator.permutation(len(labels))
    present, of_sample = np.unique(labels, return_inverse=True)
    counts = np.bincount(of_sample)
    return generator.choice(len(labels), len(labels), p=1 / (len(present) * counts[of_sample]))
