"""How many earthquakes of which size: completeness and b-value of a catalogue.

Magnitudes are binned first: a catalogue writes them with one decimal, so equal magnitudes are exact ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BIN_WIDTH = 0.1
# The maximum of the curve lies below the magnitude from which a catalogue is complete: Woessner & Wiemer (2005).
CURVATURE_CORRECTION = 0.2
# Fewer magnitudes say nothing about a slope.
LEAST_EVENTS = 50
# Neither do fewer bins: two numbers always fit a law.
LEAST_BINS = 10
# Shares of the counts that a fitted law has to explain, the better one first: Wiemer & Wyss (2000).
EXPLAINED = (0.95, 0.90)


@dataclass(frozen=True)
class Fit:
    """The magnitude from which on a Gutenberg-Richter law explains at least ``explained`` of the counts."""

    completeness: float
    explained: float


@dataclass(frozen=True)
class Slope:
    """The b-value of the Gutenberg-Richter law with its standard error, from ``events`` magnitudes."""

    b: float
    standard_error: float
    events: int


def magnitude_counts(
    magnitudes: NDArray[np.float64], bin_width: float = BIN_WIDTH
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return bin centres and the number of events in each, without gaps from the smallest to the largest."""
    bins = np.round(np.asarray(magnitudes) / bin_width).astype(int)
    counts = np.bincount(bins - bins.min())
    return (bins.min() + np.arange(len(counts))) * bin_width, counts


def completeness_magnitude(magnitudes: NDArray[np.float64], bin_width: float = BIN_WIDTH) -> float:
    """Return the magnitude from which a catalogue is complete, by maximum curvature.

    The fullest bin (Wiemer & Wyss 2000) plus 0.2, since that bin alone is known to be too low
    (Woessner & Wiemer 2005).
    """
    centres, counts = magnitude_counts(magnitudes, bin_width)
    bins = np.round((centres[int(np.argmax(counts))] + CURVATURE_CORRECTION) / bin_width)
    # 48 times 0.1 is a little more than 4.8, which would leave the magnitudes of 4.8 out.
    return round(float(bins) * bin_width, 10)


def b_value(magnitudes: NDArray[np.float64], completeness: float, bin_width: float = BIN_WIDTH) -> Slope | None:
    """Return the maximum-likelihood b-value of the magnitudes from ``completeness`` on, or ``None`` for too few.

    Aki (1965), with Utsu's (1966) correction for binned magnitudes; the standard error is that of
    Shi & Bolt (1982).
    """
    bins = np.round(np.asarray(magnitudes) / bin_width)
    first = float(np.round(completeness / bin_width))
    complete = bins[bins >= first] * bin_width
    n = len(complete)
    if n < LEAST_EVENTS or np.ptp(complete) == 0:
        return None
    mean = float(complete.mean())
    b = float(np.log10(np.e) / (mean - (first - 0.5) * bin_width))
    spread = float(((complete - mean) ** 2).sum() / (n * (n - 1)))
    return Slope(b, float(np.log(10) * b**2 * np.sqrt(spread)), n)


def share_explained(magnitudes: NDArray[np.float64], completeness: float, bin_width: float = BIN_WIDTH) -> float | None:
    """Return how much of the counts from ``completeness`` on the law fitted to them explains.

    ``None`` for fewer than `LEAST_EVENTS` events, or magnitudes that span fewer than `LEAST_BINS` bins.

    One less the absolute differences between the observed and the fitted number of events of at least each
    magnitude, as a share of the observed ones: R of Wiemer & Wyss (2000), there in percent.
    """
    slope = b_value(magnitudes, completeness, bin_width)
    if slope is None:
        return None
    centres, counts = magnitude_counts(magnitudes, bin_width)
    at_least = np.cumsum(counts[::-1])[::-1][centres > completeness - bin_width / 2]
    if len(at_least) < LEAST_BINS:
        return None
    law = slope.events * 10 ** (-slope.b * bin_width * np.arange(len(at_least)))
    return 1 - float(np.abs(at_least - law).sum() / at_least.sum())


def completeness_by_fit(magnitudes: NDArray[np.float64], bin_width: float = BIN_WIDTH) -> Fit | None:
    """Return the smallest magnitude from which on the law explains 95 % of the counts, else 90 %, else ``None``.

    The goodness-of-fit test of Wiemer & Wyss (2000). Where magnitudes of several types are mixed, no law may fit.
    """
    centres, _ = magnitude_counts(magnitudes, bin_width)
    shares = [(float(centre), share_explained(magnitudes, float(centre), bin_width)) for centre in centres]
    for least in EXPLAINED:
        for centre, share in shares:
            if share is not None and share >= least:
                return Fit(round(centre, 10), least)
    return None
