"""Phase picks: peaks of a probability, matched with the arrivals that analysts picked, and scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probability = NDArray[np.float32]
# Two picks of one phase cannot stand closer, in samples.
SEPARATION = 50


@dataclass(frozen=True)
class Picks:
    """Candidate picks of one phase, window by window.

    Attributes
    ----------
    window : number of the window, ascending, shape (picks,)
    sample : where in it
    score : its probability
    """

    window: NDArray[np.intp]
    sample: NDArray[np.intp]
    score: NDArray[np.float64]

    def above(self, threshold: float) -> Picks:
        """Return the picks whose probability is at least ``threshold``."""
        kept = self.score >= threshold
        return Picks(self.window[kept], self.sample[kept], self.score[kept])


@dataclass(frozen=True)
class Counts:
    """Picks that hit an arrival, picks that hit none, arrivals that no pick hit."""

    hits: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        """Return the share of picks that are hits; 0 without any pick."""
        return _share(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Return the share of arrivals that were hit; 0 without any arrival."""
        return _share(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall: 2 hits / (2 hits + false + missed)."""
        return _share(2 * self.hits, 2 * self.hits + self.false + self.missed)

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hits + other.hits, self.false + other.false, self.missed + other.missed)


def find_picks(probability: Probability, least: float, separation: int = SEPARATION) -> Picks:
    """Return the peaks of a probability that reach ``least``, the higher of two that lie closer than ``separation``.

    Parameters
    ----------
    probability : of one phase, shape (windows, times)
    """
    from scipy.signal import find_peaks

    windows, samples = [], []
    for number in np.flatnonzero(probability.max(axis=1) >= least):
        # A peak at the edge of the window is one too.
        padded = np.pad(probability[number], 1, constant_values=-1.0)
        peaks = find_peaks(padded, height=least, distance=separation)[0] - 1
        samples.append(peaks)
        windows.append(np.full(len(peaks), number))
    if not windows:
        none = np.zeros(0, dtype=np.intp)
        return Picks(none, none, np.zeros(0))
    window, sample = np.concatenate(windows), np.concatenate(samples)
    return Picks(window, sample, probability[window, sample].astype(float))


def match(picks: Picks, arrivals: NDArray[np.float64], length: int, tolerance: float) -> Counts:
    """Count over all windows what `match_windows` finds in each."""
    return Counts(*match_windows(picks, arrivals, length, tolerance).sum(axis=0).tolist())


def match_windows(picks: Picks, arrivals: NDArray[np.float64], length: int, tolerance: float) -> NDArray[np.intp]:
    """Match picks with arrivals: an arrival is hit by the nearest pick that lies within ``tolerance`` samples of it.

    A pick hits one arrival at most, and an arrival outside its window is none.

    Parameters
    ----------
    arrivals : of the phase, in samples, shape (windows, earthquakes), ``nan`` for none
    length : samples of a window

    Returns
    -------
    hits, false picks and missed arrivals of each window, shape (windows, 3)
    """
    inside = (arrivals >= 0) & (arrivals < length)
    used = np.zeros(len(picks.window), dtype=bool)
    hits = np.zeros(len(arrivals), dtype=np.intp)
    for window, event in np.argwhere(inside):
        first, last = np.searchsorted(picks.window, [window, window + 1])
        own = first + np.flatnonzero(~used[first:last])
        distances = np.abs(picks.sample[own] - arrivals[window, event])
        if len(own) and distances.min() <= tolerance:
            used[own[distances.argmin()]] = True
            hits[window] += 1
    given = np.bincount(picks.window, minlength=len(arrivals))
    return np.stack([hits, given - hits, inside.sum(axis=1) - hits], axis=1)


def best_threshold(picks: Picks, arrivals: NDArray[np.float64], length: int, tolerance: float) -> float:
    """Return the threshold with the highest F1 on a grid from 0.05 to 0.95; of several the one in their middle."""
    grid = np.arange(1, 20) / 20
    scores = np.array([match(picks.above(one), arrivals, length, tolerance).f1 for one in grid])
    best = np.flatnonzero(scores == scores.max())
    return float(grid[best[len(best) // 2]])


def residuals(picks: Picks, arrivals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how many samples each pick is late against the nearest arrival of its window, ``nan`` without one."""
    late = picks.sample[:, None] - arrivals[picks.window]
    nearest = np.nan_to_num(np.abs(late), nan=np.inf).argmin(axis=1) if late.shape[1] else np.zeros(len(late), int)
    return late[np.arange(len(late)), nearest] if late.shape[1] else np.full(len(late), np.nan)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
