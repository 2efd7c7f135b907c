"""Earthquakes that trigger earthquakes, and tell nothing about how large the next one will be.

The epidemic-type aftershock sequence model of Ogata (1988), in space as in Ogata (1998) with a Gaussian kernel. Every
magnitude is drawn from one and the same Gutenberg-Richter law, whatever came before: a catalogue simulated with it
holds clusters in time and space, and no precursory information on magnitude. What a classifier of magnitudes
scores on it is what the evaluation gives away by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data.catalogs import Box

Values = NDArray[np.float64]
KM_PER_DEGREE = 111.2
# A simulation that outgrows this is not stationary in any useful sense.
LARGEST_CATALOGUE = 5_000_000


@dataclass(frozen=True)
class Etas:
    """Parameters of the model.

    Attributes
    ----------
    background : independent events a day
    branching : mean number of events that an event triggers directly, below 1
    alpha : how the number grows with the magnitude, 10^(alpha (M - smallest))
    c, p : Omori-Utsu law, rate proportional to (t + c)^(-p); c in days, p above 1
    b : slope of the Gutenberg-Richter law
    smallest, largest : magnitudes lie between them
    spread_km : standard deviation of an aftershock's distance from what triggered it, in each direction
    """

    background: float
    branching: float = 0.6
    alpha: float = 0.8
    c: float = 0.01
    p: float = 1.2
    b: float = 1.0
    smallest: float = 3.0
    largest: float = 8.5
    spread_km: float = 10.0

    def __post_init__(self) -> None:
        """Refuse parameters with which the numbers of events explode or vanish."""
        if not (0 <= self.branching < 1 and self.p > 1 and self.c > 0 and self.b > 0 and self.background > 0):
            raise ValueError(f"{self} describes no stationary catalogue")
        if not self.smallest < self.largest:
            raise ValueError(f"magnitudes from {self.smallest} to {self.largest} are none")

    @property
    def rate(self) -> float:
        """Return the mean number of events a day: background / (1 - branching)."""
        return self.background / (1 - self.branching)

    @property
    def productivity(self) -> float:
        """Return the mean number of events that one of the smallest magnitude triggers directly.

        The branching ratio is its product with the mean of 10^(alpha (M - smallest)) over the truncated law.
        """
        beta, growth, range_ = np.log(10) * self.b, np.log(10) * self.alpha, self.largest - self.smallest
        if np.isclose(beta, growth):
            mean = beta * range_ / -np.expm1(-beta * range_)
        else:
            mean = beta / (beta - growth) * np.expm1(-(beta - growth) * range_) / np.expm1(-beta * range_)
        return float(self.branching / mean)


def simulate_etas(etas: Etas, box: Box, *, days: float, seed: int, before: float = 3650.0) -> pd.DataFrame:
    """Simulate a catalogue generation by generation.

    Parameters
    ----------
    days : length of the catalogue
    before : days that are simulated ahead of it and cut off, so that it begins amid aftershocks

    Returns
    -------
    columns time (UTC, from 2000-01-01 on), latitude, longitude (degrees), depth_km, magnitude (one decimal),
    in order of time
    """
    generator = np.random.default_rng(seed)
    end = before + days
    count = generator.poisson(etas.background * end)
    latitudes, longitudes = generator.uniform(box.south, box.north, count), generator.uniform(box.west, box.east, count)
    generation = (generator.uniform(0, end, count), _magnitudes(etas, count, generator), latitudes, longitudes)
    generations, total = [generation], count
    while len(generation[0]):
        generation = _triggered(etas, generation, end, generator)
        generations.append(generation)
        total += len(generation[0])
        if total > LARGEST_CATALOGUE:
            raise ValueError(f"more than {LARGEST_CATALOGUE} events: lower the branching ratio or the rate")
    times, magnitudes, latitudes, longitudes = (np.concatenate(parts) for parts in zip(*generations, strict=True))
    kept = np.flatnonzero(times >= before)
    kept = kept[np.argsort(times[kept], kind="stable")]
    seconds = pd.to_timedelta(np.round((times[kept] - before) * 86_400), unit="s")
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2000-01-01", tz="UTC") + seconds,
            "latitude": latitudes[kept],
            "longitude": longitudes[kept],
            "depth_km": 10.0,
            "magnitude": np.round(magnitudes[kept], 1),
        }
    )


def _magnitudes(etas: Etas, count: int, generator: np.random.Generator) -> Values:
    """Draw from the truncated exponential law by inverting its distribution."""
    beta = np.log(10) * etas.b
    share = generator.uniform(0, 1, count) * -np.expm1(-beta * (etas.largest - etas.smallest))
    drawn: Values = etas.smallest - np.log1p(-share) / beta
    return drawn


def _triggered(
    etas: Etas, parents: tuple[Values, Values, Values, Values], end: float, generator: np.random.Generator
) -> tuple[Values, Values, Values, Values]:
    """Return what a generation triggers directly, up to the end."""
    times, magnitudes, latitudes, longitudes = parents
    children = generator.poisson(etas.productivity * 10 ** (etas.alpha * (magnitudes - etas.smallest)))
    parent = np.repeat(np.arange(len(times)), children)
    # The share of aftershocks within t is 1 - (1 + t / c)^(1 - p).
    waits = etas.c * (generator.uniform(0, 1, len(parent)) ** (1 / (1 - etas.p)) - 1)
    born = times[parent] + waits
    parent, born = parent[born < end], born[born < end]
    north, east = generator.normal(0, etas.spread_km / KM_PER_DEGREE, (2, len(parent)))
    latitude = latitudes[parent] + north
    longitude = longitudes[parent] + east / np.cos(np.radians(latitudes[parent]))
    return born, _magnitudes(etas, len(parent), generator), latitude, longitude
