"""Samples: scaled windows of closing prices with the price of the day that follows, equations 1 and 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data.prices import Prices
from reproduce_lib.papers.naufal2023.series import Parts, SeriesParameters, Window, closing_prices, divide_days
from reproduce_lib.training import Pairs
from reproduce_lib.windows import sliding_windows

if TYPE_CHECKING:
    from sklearn.preprocessing import MinMaxScaler


class SampleParameters(SeriesParameters):
    """Which windows a network learns from, and how their prices are scaled.

    With ``context`` ``inside`` no window reaches from one part of the days into the part before it.
    """

    window: Window = 30
    scaler: Literal["train", "all", "each"] = "train"
    context: Literal["reach_back", "inside"] = "reach_back"


@dataclass(frozen=True)
class Samples:
    """What one network learns from and is scored on: scaled pairs, and the prices in dollars.

    Shapes of a pair: inputs (pairs, window, 1), targets (pairs, 1); ``test_days`` (days,).
    """

    prices: Prices
    training: Pairs
    validation: Pairs
    test_inputs: NDArray[np.float32]
    test_days: NDArray[np.intp]
    scaler: MinMaxScaler


def make_samples(parameters: SampleParameters) -> Samples:
    """Return the pairs of each part of the days, scaled as the parameters say."""
    prices = closing_prices(parameters)
    close = prices.close
    parts = divide_days(len(close), parameters.split)
    training = _pairs(close, parts.training, parts, parameters)
    validation = _pairs(close, parts.validation, parts, parameters)
    inputs, _, test = _pairs(close, parts.test, parts, parameters)
    scaler = _fit_scaler(close, parts.test, parts, parameters)
    return Samples(prices, training[:2], validation[:2], inputs, test, scaler)


def _pairs(
    close: NDArray[np.float64], days: NDArray[np.intp], parts: Parts, parameters: SampleParameters
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Return the scaled windows before ``days``, their targets, and the days that have a window.

    Shapes (pairs, window, 1), (pairs, 1) and (pairs,).
    """
    window = parameters.window
    scaler = _fit_scaler(close, days, parts, parameters)
    scaled = scaler.transform(close[:, None])[:, 0].astype(np.float32)
    inputs, targets, positions = sliding_windows(scaled, window)
    usable = days[window:] if parameters.context == "inside" else days[days >= window]
    rows = usable - positions[0]
    return inputs[rows][..., None], targets[rows][:, None], usable


def _fit_scaler(
    close: NDArray[np.float64], days: NDArray[np.intp], parts: Parts, parameters: SampleParameters
) -> MinMaxScaler:
    """Fit the Min-Max scaler on the training days, on all days, or on the days it is used for."""
    from sklearn.preprocessing import MinMaxScaler

    seen = {"train": parts.training, "all": np.arange(len(close)), "each": days}[parameters.scaler]
    return MinMaxScaler().fit(close[seen][:, None])
