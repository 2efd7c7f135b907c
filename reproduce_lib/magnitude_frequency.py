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
