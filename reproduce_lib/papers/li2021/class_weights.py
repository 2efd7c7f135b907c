"""The loss that weighs classes by how rare they are, in the batch and in the training samples: section III-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
SMALLEST_PROBABILITY = 1e-7


def inverse_frequencies(counts: Counts) -> Counts:
    """Return the weights of the equations for bc and c: inverse counts that add up to 1.

    The paper divides by a count; a class without a sample, whose weight multiplies nothing, gets 0.

    Parameters
    ----------
    counts : samples of each class, shape (classes,)
    """
    inverse = np.where(counts > 0, 1 / np.maximum(counts, 1), 0.0)
    weights: Counts = inverse / inverse.sum()
    return weights


def class_weights(batch: Counts, population: Counts, share: float) -> Counts:
    """Return w = share * bc + (1 - share) * c, the weights of section III-C; shape (classes,)."""
    return share * inverse_frequencies(batch) + (1 - share) * inverse_frequencies(population)


def weighted_targets(labels: NDArray[np.intp], population: Counts) -> NDArray[np.float32]:
    """Return what `dynamic_loss` is given: one-hot rows, times what their class weighs in all training samples.

    With the weights in the targets, and not in the loss, all folds share one compiled program.

    Parameters
    ----------
    labels : class of each sample, shape (samples,)
    population : training samples of each class, shape (classes,)
    """
    return np.diag(inverse_frequencies(population)).astype(np.float32)[labels]


def dynamic_loss(share: float) -> Callable[[Any, Any], Any]:
    """Return a Keras loss: cross-entropy in which each sample weighs what its class weighs in its batch.

    Parameters
    ----------
    share : lambda, how much the batch counts against all training samples
    """
    from keras import ops

    def loss(targets: Any, probabilities: Any) -> Any:
        """Return the loss of each sample; targets are `weighted_targets`, both of shape (batch, classes)."""
        present = ops.cast(targets > 0, "float32")
        counts = ops.sum(present, axis=0)
        inverse = ops.where(counts > 0, 1 / ops.maximum(counts, 1.0), 0.0)
        weights = share * inverse / ops.sum(inverse) * present + (1 - share) * targets
        logarithms = ops.log(ops.clip(probabilities, SMALLEST_PROBABILITY, 1.0))
        return -ops.sum(weights * logarithms, axis=-1)

    return loss
