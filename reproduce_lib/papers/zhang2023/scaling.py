"""How features are scaled by the samples that are trained on: the paper prints nothing of it.

Two of the 95 features change their level ten-thousandfold from January to May 2020, so that it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Inputs = NDArray[np.float32]
Scaling = Literal["ranks", "clipped", "standard"]
# Deviations at which "clipped" cuts, about twice what a normal feature reaches in as many samples.
LIMIT = 10.0
QUANTILES = 1000
# A deviation this small beside the mean is rounding.
CONSTANT = 1e-12


def scaler(scaling: Scaling, trained: Values) -> Callable[[Values], Inputs]:
    """Return what scales features as ``scaling`` says, told by the samples that are trained on.

    ``ranks`` turns a value into the normal deviate of the share of training values below it, so that none lies far out;
    ``standard`` gives mean 0 and deviation 1; ``clipped`` cuts that off at ten deviations.

    Parameters
    ----------
    trained : shape (samples, times, features), as of what is scaled
    """
    if scaling == "ranks":
        return _by_ranks(trained)
    mean, deviation = trained.mean(axis=(0, 1)), trained.std(axis=(0, 1))
    deviation = np.where(deviation > CONSTANT * np.abs(mean), deviation, 1.0)
    limit = LIMIT if scaling == "clipped" else np.inf
    return lambda values: np.clip((values - mean) / deviation, -limit, limit).astype(np.float32)


def _by_ranks(trained: Values) -> Callable[[Values], Inputs]:
    from sklearn.preprocessing import QuantileTransformer

    flat = _rows_of(trained)
    quantiles: Any = QuantileTransformer(
        n_quantiles=min(QUANTILES, len(flat)), output_distribution="normal", subsample=None
    ).fit(flat)
    # A feature that never changes tells nothing, wherever it lies later.
    changes = flat.max(axis=0) > flat.min(axis=0)
    return lambda values: (
        np.where(changes, quantiles.transform(_rows_of(values)), 0.0).reshape(values.shape).astype(np.float32)
    )


def _rows_of(values: Values) -> Values:
    return values.reshape(-1, values.shape[-1])
