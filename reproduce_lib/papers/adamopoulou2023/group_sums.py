"""Sums over groups of stations and earthquakes: of what a score counts, and over what."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of each group what is counted, and over what, shape (groups, 2).
Sums = NDArray[np.float64]


def summed(groups: NDArray[Any], count: int, totals: NDArray[Any], weights: NDArray[Any] | float = 1.0) -> Sums:
    """Add up totals and weights of windows or records, shape (windows,), for each of ``count`` groups."""
    both = np.broadcast_arrays(np.asarray(totals, dtype=float), np.asarray(weights, dtype=float))
    return np.stack([np.bincount(groups, one, count) for one in both], axis=1)


def ratio(sums: Sums) -> float:
    """Return what was counted over what it was counted over, all groups together; 0 over nothing."""
    total, weight = sums.sum(axis=0)
    return float(total / weight) if weight else 0.0
