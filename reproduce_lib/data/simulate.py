"""Simulated data, for tests and null experiments; they are labelled so and never stand beside a claim."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reproduce_lib.data.prices import FIRST_DAY, Prices

LABEL = "SIMULATED"
DAILY_VOLATILITY = 0.02
FIRST_PRICE = 100.0


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
