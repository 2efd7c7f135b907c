"""Changes of seismic windows that keep their labels true: pure functions of arrays and a generator of random numbers.

A window is an array (times, 3) of components E, N, Z; arrivals are samples in it, P and S of each earthquake, ``nan``
where a phase was not picked. A phase may lie outside its window. Everything is vectorised over windows, nothing is
changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
Rows = NDArray[np.intp]
Artifact = Literal["gap", "step", "impulse"]
ARTIFACTS: tuple[Artifact, ...] = get_args(Artifact)
# Lengths of gaps and of the decay of impulses, as shares of a window; sizes of steps and impulses in deviations of it.
GAP_SHARES = (0.03, 0.3)
IMPULSE_SHARE = 0.005
ARTIFACT_SIZES = (2.0, 20.0)
# Deviations at which a target's Gaussian is cut off.
REACH = 5.0
# Deviation, as a share of the largest amplitude, below which a component is taken for constant.
CONSTANT = 1e-6
# Times in a row of a sum, the first that divides a window.
ROWS = (300, 250, 256, 100, 64, 50, 10, 1)


@dataclass(frozen=True)
class Windows:
    """Windows with what arrives in them.

    Attributes
    ----------
    values : shape (windows, times, 3)
    arrivals : samples of P and S of each earthquake, shape (windows, earthquakes, 2), ``nan`` for none
    """

    values: Values
    arrivals: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def among(self, rows: Rows | NDArray[np.bool_]) -> Windows:
        """Return some of the windows."""
        return Windows(self.values[rows], self.arrivals[rows])

    def replaced(self, rows: Rows, by: Windows) -> Windows:
        """Return all windows with others in the place of some; what has fewer earthquakes gets ``nan`` for them."""
        events = max(self.arrivals.shape[1], by.arrivals.shape[1])
        arrivals = np.full((len(self), events, self.arrivals.shape[2]), np.nan)
        arrivals[:, : self.arrivals.shape[1]] = self.arrivals
        arrivals[rows] = np.nan
        arrivals[rows, : by.arrivals.shape[1]] = by.arrivals
        values = self.values.copy()
        values[rows] = by.values
        return Windows(values, arrivals)


def cut(values: Values, arrivals: NDArray[np.float64], starts: Rows, length: int) -> Windows:
    """Cut one window out of each record, and move its arrivals with it.

    Parameters
    ----------
    values : shape (records, samples, 3)
    arrivals : shape (records, earthquakes, 2), samples of the records
    starts : first sample of each window, shape (records,); the window must lie within its record
    """
    return Windows(slices(values, np.arange(len(values)), starts, length), arrivals - starts[:, None, None])


def slices(values: Values, rows: Rows, starts: Rows, length: int) -> Values:
    """Return ``length`` samples from ``starts`` on of the records ``rows``, shape (rows, length, 3)."""
    if len(starts) and (starts.min() < 0 or starts.max() + length > values.shape[1]):
        raise ValueError(f"windows of {length} samples at {starts.min()} to {starts.max()} leave {values.shape[1]}")
    views = np.lib.stride_tricks.sliding_window_view(values, length, axis=1)
    return np.ascontiguousarray(np.moveaxis(views[rows, starts], -1, 1))


def shift_starts(p: NDArray[np.float64], begin: Rows, end: Rows, places: NDArray[np.float64], length: int) -> Rows:
    """Return where windows begin in which P stands at ``places``, as far as the records allow.

    Parameters
    ----------
    p : sample of P in each record
    begin, end : what of each record was measured; a window never leaves it, so that nothing is padded
    places : sample of P in its window
    """
    if (end - begin < length).any():
        raise ValueError(f"a record of {(end - begin).min()} samples holds no window of {length}")
    # Rounding must not move P behind the last sample.
    wanted = (p - np.minimum(np.rint(places), length - 1)).astype(np.intp)
    return np.clip(wanted, begin, end - length)


def random_places(count: int, low: float, high: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return places of P in its window, each as likely between ``low`` and ``high`` samples."""
    return generator.uniform(low, high, count)


def log_uniform(count: int, low: float, high: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return numbers whose logarithms are uniform between those of ``low`` and ``high``."""
    return np.exp(generator.uniform(float(np.log(low)), float(np.log(high)), count))


def superpose_events(windows: Windows, others: Windows, ratios: NDArray[np.float64], separation: float) -> Windows:
    """Add a second earthquake to each window, ``ratios`` times as strong as the first, where one may follow.

    The amplitude of an earthquake is the largest of its window, over the components that the first was recorded on;
    the others stay empty. A second one is added where its P comes at least ``separation`` samples after the S of the
    first, or the other way round: overlapping phases have no label that is true. Elsewhere, and where a ratio is 0,
    the window stays as it is.

    Parameters
    ----------
    ratios : amplitude of the second over that of the first, shape (windows,)
    """
    first, second = windows.arrivals[:, 0], others.arrivals[:, 0]
    seen = np.where(recorded(windows.values)[:, None], others.values, np.float32(0))
    size = _largest(seen)
    apart = (second[:, 0] >= first[:, 1] + separation) | (first[:, 0] >= second[:, 1] + separation)
    there = apart & (size > 0) & (ratios > 0)
    scale = np.where(there, ratios * _largest(windows.values) / _positive(size), 0.0)
    added = np.where(there[:, None, None], others.arrivals, np.nan)
    values = windows.values + scale[:, None, None].astype(np.float32) * seen
    return Windows(values, np.concatenate([windows.arrivals, added], axis=1))


def superpose_noise(windows: Windows, noise: Values, ratios: NDArray[np.float64]) -> Windows:
    """Add noise so that the deviation after P over that of the noise is ``ratios`` dB, component by component.

    Parameters
    ----------
    noise : shape (windows, times, 3); a component that is 0 in the window or in the noise gets none
    ratios : 20 log10 of the signal's deviation from P on over the noise's, shape (windows,)
    """
    signal = _deviation_after(windows.values, windows.arrivals[:, 0, 0])
    scale = signal / _positive(_deviation(noise)) / 10 ** (ratios[:, None] / 20)
    scale = np.where(recorded(windows.values) & recorded(noise), scale, 0.0)
    return replace(windows, values=windows.values + scale[:, None].astype(np.float32) * noise)


def add_artifacts(windows: Windows, kinds: NDArray[np.str_], generator: np.random.Generator) -> Windows:
    """Put one defect of recording into each window; arrivals that a gap swallows are no longer there.

    Parameters
    ----------
    kinds : ``gap`` (a stretch of zeros), ``step`` (the level changes at once) or ``impulse`` (a spike that decays),
        shape (windows,); any other word leaves the window alone
    """
    count, times = len(windows), windows.values.shape[1]
    first = generator.integers(0, times, count)
    gap_length = (generator.uniform(*GAP_SHARES, count) * times).astype(np.intp)
    size = log_uniform(count, *ARTIFACT_SIZES, generator) * generator.choice([-1, 1], count)
    since = np.arange(times) - first[:, None]
    swallowed = (kinds == "gap")[:, None] & (since >= 0) & (since < gap_length[:, None])
    decay = np.where(since >= 0, np.exp(-np.maximum(since, 0) / (IMPULSE_SHARE * times)), 0.0)
    shape = np.where((kinds == "step")[:, None], since >= 0, 0.0) + np.where((kinds == "impulse")[:, None], decay, 0.0)
    deviation = _deviation(windows.values)
    added = (shape * size[:, None])[:, :, None] * deviation[:, None]
    values = np.where(swallowed[:, :, None], 0, windows.values + added).astype(np.float32)
    within = np.nan_to_num(windows.arrivals - first[:, None, None], nan=-1.0)
    lost = (kinds == "gap")[:, None, None] & (within >= 0) & (within < gap_length[:, None, None])
    return Windows(values, np.where(lost, np.nan, windows.arrivals))


def drop_channels(windows: Windows, share: float, generator: np.random.Generator) -> Windows:
    """Set components to 0: a ``share`` of the windows keeps a random part of those recorded, at least one."""
    live = recorded(windows.values)
    kept = live & (generator.random(live.shape) < 0.5)
    # Where chance kept none, one of those recorded is kept.
    one = np.argmax(live * generator.random(live.shape), axis=1)
    kept[np.arange(len(windows)), one] |= ~kept.any(axis=1)
    chosen = np.where((generator.random(len(windows)) < share)[:, None], kept, live)
    return replace(windows, values=np.where(chosen[:, None], windows.values, np.float32(0)))


def clip(values: Values, levels: NDArray[np.float64]) -> tuple[Values, Values]:
    """Cut off what exceeds ``levels`` of each window's largest amplitude about its mean.

    Both of what is returned are in units of where the recorder saturates: what was cut off is 1 or -1 exactly, on
    either side, and nothing else reaches them.

    Parameters
    ----------
    levels : share of the largest amplitude of the window at which its recorder saturates, shape (windows,)

    Returns
    -------
    what the recorder gives, and what there was, each of the shape of ``values`` and with mean 0 before it was cut
    """
    limit = _positive(levels * _largest(values))[:, None, None]
    whole = ((values - _mean(values)[:, None]) / limit).astype(np.float32)
    return np.clip(whole, np.float32(-1), np.float32(1)), whole


def resample(magnitudes: NDArray[np.float64], count: int, width: float, generator: np.random.Generator) -> Rows:
    """Draw records so that each bin of magnitude that occurs is drawn as often; those without one keep their share.

    Parameters
    ----------
    width : width of a bin
    """
    known = ~np.isnan(magnitudes)
    weights = np.ones(len(magnitudes))
    if known.any():
        found, of_record = np.unique(np.floor(magnitudes[known] / width), return_inverse=True)
        weights[known] = known.sum() / (len(found) * np.bincount(of_record)[of_record])
    return generator.choice(len(magnitudes), count, p=weights / weights.sum())


def phase_targets(arrivals: NDArray[np.float64], length: int, deviation: float) -> Values:
    """Return the probability of noise, P and S at each sample: a Gaussian of height 1 at each arrival.

    It is cut off at five deviations, where it is below 4e-6.

    Parameters
    ----------
    arrivals : shape (windows, earthquakes, 2)
    deviation : of the Gaussian, in samples

    Returns
    -------
    shape (windows, length, 3), each sample's three adding up to 1
    """
    phases = np.zeros((len(arrivals), length, arrivals.shape[2]), dtype=np.float32)
    window, event, phase = np.nonzero(~np.isnan(arrivals))
    onset = arrivals[window, event, phase]
    reach = int(np.ceil(REACH * deviation))
    samples = np.rint(onset).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    heights = np.exp(-0.5 * ((samples - onset[:, None]) / deviation) ** 2).astype(np.float32)
    inside = (samples >= 0) & (samples < length)
    places = np.broadcast_to(window[:, None], samples.shape)[inside], samples[inside]
    np.maximum.at(phases, (*places, np.broadcast_to(phase[:, None], samples.shape)[inside]), heights[inside])
    # Where P and S lie on one another they share what there is; that is in few windows.
    crowded = (phases[..., 0] + phases[..., 1]).max(axis=1, initial=0) > 1.0
    phases[crowded] /= np.maximum(phases[crowded].sum(axis=-1, keepdims=True), 1.0)
    found = np.empty((*phases.shape[:2], 1 + phases.shape[2]), dtype=np.float32)
    found[..., 1:] = phases
    np.subtract(1.0, phases[..., 0] + phases[..., 1], out=found[..., 0])
    return found


def standardise(values: Values) -> Values:
    """Give each component of each window mean 0 and deviation 1; a component that is constant becomes 0."""
    centred: Values = values - _mean(values).astype(np.float32)[:, None]
    deviation = np.sqrt(_mean(centred**2))
    level = np.maximum(_over_times(np.maximum, values), -_over_times(np.minimum, values))
    # The mean of a large constant may be off by rounding, and leave a deviation a little above 0.
    factor = np.where(deviation > CONSTANT * level, 1 / _positive(deviation), 0.0).astype(np.float32)
    centred *= factor[:, None]
    return centred


def recorded(values: Values) -> NDArray[np.bool_]:
    """Tell which components of each window hold anything, shape (windows, 3)."""
    return np.asarray((_over_times(np.maximum, values) != 0) | (_over_times(np.minimum, values) != 0))


def _largest(values: Values) -> NDArray[np.float64]:
    """Return the largest amplitude of each window about the mean of its component, shape (windows,)."""
    mean = _mean(values)
    above, below = _over_times(np.maximum, values) - mean, mean - _over_times(np.minimum, values)
    found: NDArray[np.float64] = np.maximum(above, below).max(axis=1)
    return found


def _deviation_after(values: Values, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deviation of each component from P on, shape (windows, 3)."""
    after = (np.arange(values.shape[1]) >= p[:, None]).astype(np.float32)
    counts = np.maximum(after.sum(axis=1), 1)[:, None]
    mean = _over_times(np.add, values * after[:, :, None], float) / counts
    apart = (values - mean.astype(np.float32)[:, None]) * after[:, :, None]
    found: NDArray[np.float64] = np.sqrt(_over_times(np.add, apart**2, float) / counts)
    return found


def _deviation(values: Values) -> NDArray[np.float64]:
    """Return the deviation of each component, shape (windows, 3)."""
    apart = values - _mean(values).astype(np.float32)[:, None]
    found: NDArray[np.float64] = np.sqrt(_mean(apart**2))
    return found


def _mean(values: Values) -> NDArray[np.float64]:
    """Return the mean of each component, shape (windows, 3)."""
    found: NDArray[np.float64] = _over_times(np.add, values, float) / values.shape[1]
    return found


def _over_times(function: np.ufunc, values: Values, dtype: type | None = None) -> Any:
    """Reduce windows over their times, shape (windows, 3), in rows of many times: rows of three are slow."""
    windows, times, components = values.shape
    fold = next(one for one in ROWS if times % one == 0)
    rows = function.reduce(values.reshape(windows, times // fold, fold * components), axis=1, dtype=dtype)
    return function.reduce(rows.reshape(windows, fold, components), axis=1)


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values with 1 in the place of 0, for a quotient that is not used there."""
    return np.where(values > 0, values, 1.0)
