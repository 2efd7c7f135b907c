"""Simulated data, for tests and null experiments; they are labelled so and never stand beside a claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data.prices import FIRST_DAY, Prices

LABEL = "SIMULATED"
DAILY_VOLATILITY = 0.02
FIRST_PRICE = 100.0
EVENTS_A_MONTH = 13  # from M 4.7 on, about as many as ComCat lists for the Philippines
COMPLETE_FROM = 4.7


def simulate_prices(seed: int, days: int = 1259) -> Prices:
    """Return a geometric random walk: tomorrow's close is today's times an independent factor.

    No forecast of such prices can beat the naive one by skill, which makes it a null experiment.
    """
    steps = np.random.default_rng(seed).normal(scale=DAILY_VOLATILITY, size=(days, 2))
    close = FIRST_PRICE * np.exp(np.cumsum(steps[:, 0]))
    opening = np.concatenate([[FIRST_PRICE], close[:-1]])
    spread = np.exp(np.abs(steps[:, 1]))
    frame = pd.DataFrame(
        {
            "open": opening,
            "high": np.maximum(opening, close) * spread,
            "low": np.minimum(opening, close) / spread,
            "close": close,
        },
        index=pd.bdate_range(FIRST_DAY, periods=days, name="date"),
    )
    return Prices(LABEL, frame, {})


def simulate_monthly_maxima(seed: int, months: int) -> NDArray[np.float64]:
    """Return the largest magnitude of each month of a catalogue without memory.

    Events come at random, their magnitudes follow the Gutenberg-Richter law with b = 1: no forecast can beat
    a constant, which makes it a null experiment. Shape (months,).
    """
    random = np.random.default_rng(seed)
    counts = np.maximum(random.poisson(EVENTS_A_MONTH, months), 1)
    largest = [random.exponential(np.log10(np.e), count).max() for count in counts]
    return np.round(COMPLETE_FROM + np.array(largest), 1)
