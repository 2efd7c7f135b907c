"""Cutting a series into windows and a timeline into parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sliding_windows(series: NDArray[Any], width: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
    """Cut a series into windows of ``width`` values, each with the value that follows it.

    Equations 1 and 2 of Naufal & Wibowo (2023): ``x = [p(n-w+1) ... p(n)]``, ``y = p(n+1)``.

    Parameters
    ----------
    series : shape (n,)
    width : values per window, at least 1 and below n

    Returns
    -------
    inputs : shape (n - width, width)
    targets : shape (n - width,)
    positions : shape (n - width,), where in the series each target stands

    Raises
    ------
    ValueError
        If the series is too short for one window and its target.
    """
    if width < 1 or len(series) <= width:
        raise ValueError(f"a series of {len(series)} values has no window of {width} with a value after it")
    inputs = np.lib.stride_tricks.sliding_window_view(series, width)[:-1]
    return inputs, series[width:], np.arange(width, len(series))


def consecutive_parts(n: int, percentages: Sequence[int]) -> list[slice]:
    """Cut 0..n into consecutive parts of the given percentages, which must add up to 100.

    A boundary that falls between two days moves to the earlier one, as ``int(n * share)`` does.
    """
    if sum(percentages) != 100 or min(percentages) < 0:
        raise ValueError(f"percentages {tuple(percentages)}, sum {sum(percentages)}: none negative, sum 100 is needed")
    edges = [n * total // 100 for total in np.cumsum([0, *percentages]).tolist()]
    return [slice(start, stop) for start, stop in pairwise(edges)]
