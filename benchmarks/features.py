"""Feature extraction against a version that does literally what the paper says, day by day in pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.pairs import measure_pairs, ratio, seconds_of
from reproduce_lib.book.speed import Ratio
from reproduce_lib.data.simulate import simulate_prices
from reproduce_lib.windows import sliding_windows

WINDOW = 30
CALLS = 100
GOAL = 50.0


def windows_against_pandas(repeats: int) -> list[Ratio]:
    """Measure the pairs of equations 1 and 2 of naufal2023: 30 closing prices and the one that follows.

    Raises
    ------
    AssertionError
        If the two ways do not give the same pairs.
    """
    frame = simulate_prices(0).frame
    close = frame["close"].to_numpy()
    literal, fast = _literally(frame), sliding_windows(close, WINDOW)
    if not all(np.array_equal(*both) for both in zip(literal, fast, strict=False)):
        raise AssertionError("the two ways do not give the same pairs")

    def fast_copies() -> None:
        for _ in range(CALLS):
            inputs, targets, _ = sliding_windows(close, WINDOW)
            np.ascontiguousarray(inputs), targets.copy()  # a view costs nothing until somebody reads it

    pairs = measure_pairs(
        lambda: seconds_of(lambda: _literally(frame)), lambda: seconds_of(fast_copies) / CALLS, repeats
    )
    name = f"naufal2023 windows of {WINDOW} days over {len(frame):,} days"
    return [ratio(name, "pandas, day by day", "sliding_windows", pairs, GOAL)]


def _literally(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets = [], []
    for day in range(WINDOW, len(frame)):
        inputs.append(frame["close"].iloc[day - WINDOW : day].to_list())
        targets.append(frame["close"].iloc[day])
    return np.array(inputs), np.array(targets)
