"""The closing prices that a unit forecasts, and how their days are divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from reproduce_lib.data.prices import Prices, Ticker, load_prices
from reproduce_lib.data.simulate import simulate_prices
from reproduce_lib.units import UnitParameters
from reproduce_lib.windows import consecutive_parts

KEY = "naufal2023"
Window = Literal[1, 30]
Source = Literal["real", "simulated"]
Split = Literal["train72_val8_test20", "train70_val10_test20", "train70_test20_val10", "shuffled72_8_20"]
LastDay = Literal["2022-10-07", "2022-10-06"]
WINDOWS: tuple[Window, ...] = get_args(Window)

SIMULATION_SEED = 0
SHUFFLING_SEED = 0
# No window reaches before the first day when shuffled targets start here, whatever the window.
FIRST_SHUFFLED_TARGET = max(WINDOWS)


class SeriesParameters(UnitParameters):
    """Which closing prices a unit forecasts, and how their days are divided."""

    paper: ClassVar[str] = KEY

    ticker: Ticker = "TSLA"
    data: Source = "real"
    split: Split = "train72_val8_test20"
    last_day: LastDay = "2022-10-07"

    @model_validator(mode="after")
    def _simulated_is_never_full(self) -> Self:
        if self.profile == "full" and self.data != "real":
            raise ValueError("simulated data belong to the profiles smoke and custom only")
        return self


@dataclass(frozen=True)
class Parts:
    """The positions of the days of each part; shape (days of the part,)."""

    training: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def divide_days(days: int, split: Split) -> Parts:
    """Divide ``days`` days into training, validation and test days by one reading of the paper's split."""
    everything = np.arange(days)
    if split == "shuffled72_8_20":
        order = np.random.default_rng(SHUFFLING_SEED).permutation(everything[FIRST_SHUFFLED_TARGET:])
        training, validation, test = (np.sort(order[part]) for part in consecutive_parts(len(order), (72, 8, 20)))
        return Parts(training, validation, test)
    percentages = {
        "train72_val8_test20": (72, 8, 20),
        "train70_val10_test20": (70, 10, 20),
        "train70_test20_val10": (70, 20, 10),
    }[split]
    first, second, third = (everything[part] for part in consecutive_parts(days, percentages))
    return Parts(first, third, second) if split == "train70_test20_val10" else Parts(first, second, third)


def closing_prices(parameters: SeriesParameters) -> Prices:
    """Return the prices that a unit's parameters name, up to the last day that they name."""
    if parameters.data == "simulated":
        return simulate_prices(SIMULATION_SEED)
    prices = load_prices(parameters.ticker)
    return Prices(prices.ticker, prices.frame.loc[: parameters.last_day], prices.files)
