"""Detectors that learn nothing: the ratio of a short to a long average, and matching with known earthquakes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
# Passband of both, Hz; lengths of the short and of the long average, s.
PASSBAND = (1.0, 20.0)
SHORT, LONG = 0.5, 10.0


def band_passed(values: Values, rate: int) -> NDArray[np.float64]:
    """Return windows (windows, times, components) between 1 and 20 Hz: a Butterworth filter of order 4, both ways."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(4, PASSBAND, "bandpass", fs=rate, output="sos")
    centred = values - values.mean(axis=1, keepdims=True, dtype=float)
    found: NDArray[np.float64] = sosfiltfilt(sections, centred, axis=1)
    return found


def sta_lta(values: Values, rate: int, short: float = SHORT, long: float = LONG) -> NDArray[np.float64]:
    """Return the largest ratio of the short to the long average of the energy in each window, shape (windows,).

    ObsPy's recursive averages (Withers et al. 1998) of each component that was recorded; the first ``long`` seconds, in
    which the long average fills, do not count: it is blind to what begins there.

    Parameters
    ----------
    short, long : lengths of the averages, in seconds
    """
    from obspy.signal.trigger import recursive_sta_lta

    filtered = band_passed(values, rate)
    few, many = round(short * rate), round(long * rate)
    found = np.zeros(len(values))
    for number, window in enumerate(filtered):
        for component in window.T:
            if component.any():
                ratios = recursive_sta_lta(np.ascontiguousarray(component), few, many)
                found[number] = max(found[number], float(ratios[many:].max()))
    return found


def template_match(values: Values, templates: Values, rate: int) -> NDArray[np.float64]:
    """Return the largest normalised cross-correlation of each window with any template, shape (windows,).

    The correlation is the mean over the components that both hold (Gibbons and Ringdal 2006).

    Parameters
    ----------
    values : shape (windows, times, components)
    templates : shape (templates, fewer times, components)
    """
    filtered, patterns = band_passed(values, rate), band_passed(templates, rate)
    best = np.full(len(values), -1.0)
    norms = [_running_norm(filtered[:, :, one], patterns.shape[1]) for one in range(values.shape[2])]
    spectra, size = _spectra(filtered, patterns.shape[1])
    for pattern in patterns:
        best = np.maximum(best, _correlation(spectra, size, norms, pattern).max(axis=1))
    return best


def _spectra(values: NDArray[np.float64], length: int) -> tuple[NDArray[np.complex128], int]:
    from scipy.fft import next_fast_len, rfft

    size = next_fast_len(values.shape[1] + length - 1, real=True)
    return rfft(values, size, axis=1), size


def _correlation(
    spectra: NDArray[np.complex128], size: int, norms: list[NDArray[np.float64]], pattern: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean correlation over components at each place, shape (windows, places)."""
    from scipy.fft import irfft, rfft

    places = norms[0].shape[1]
    total, count = np.zeros(norms[0].shape), np.zeros((len(norms[0]), 1))
    for one, norm in enumerate(norms):
        own = pattern[:, one] - pattern[:, one].mean()
        length = np.sqrt((own**2).sum())
        live = (norm.max(axis=1, keepdims=True) > 0) & (length > 0)
        products = irfft(spectra[:, :, one] * np.conj(rfft(own, size)), size, axis=1)[:, :places]
        total += np.where(live & (norm > 0), products / np.where(norm > 0, norm * max(length, 1e-300), 1.0), 0.0)
        count += live
    return total / np.maximum(count, 1)


def _running_norm(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return the norm of what lies under a template at each place, its mean taken off, shape (windows, places)."""
    sums, squares = (np.cumsum(np.pad(part, ((0, 0), (1, 0))), axis=1) for part in (values, values**2))
    total = sums[:, length:] - sums[:, :-length]
    energy = squares[:, length:] - squares[:, :-length] - total**2 / length
    # Rounding of the sums leaves an empty stretch a little energy.
    least = 1e-12 * np.maximum(squares[:, -1:], 1e-300)
    found: NDArray[np.float64] = np.sqrt(np.where(energy > least, energy, 0.0))
    return found
