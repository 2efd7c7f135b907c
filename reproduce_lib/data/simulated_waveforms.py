"""Simulated records of earthquakes, for tests and smoke runs; they are labelled so and never stand beside a claim."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reproduce_lib.data.simulate import LABEL
from reproduce_lib.data.waveforms import BEFORE, LENGTH, NOISE_LENGTH, RATE, Noise, Traces, signal_to_noise


def simulate_traces(seed: int, count: int) -> tuple[Traces, Noise]:
    """Return records of a wavelet for P on the vertical and a larger one for S on the horizontals, in white noise.

    Ten stations, no two records of one earthquake; a minute of noise stands before each.
    """
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, LENGTH, 3))
    s = BEFORE + random.uniform(2.0, 8.0, count) * RATE
    since = np.arange(LENGTH)
    for row in range(count):
        for onset, weights in ((BEFORE, (0.3, 0.3, 1.0)), (s[row], (2.0, 2.0, 0.6))):
            time = np.maximum(since - onset, 0) / RATE
            wavelet = np.sin(2 * np.pi * random.uniform(3, 8) * time) * np.exp(-time / 2) * (since >= onset)
            values[row] += random.uniform(20, 80) * wavelet[:, None] * np.array(weights)
    stations = np.array([f"XX.S{number % 10}" for number in range(count)])
    table = pd.DataFrame(
        {
            "name": [f"simulated_{number}" for number in range(count)],
            "dataset": LABEL,
            "station": stations,
            "components": "ENZ",
            "begin": 0,
            "end": LENGTH,
            "snr": [signal_to_noise(one, BEFORE) for one in values],
            "magnitude": random.uniform(0, 4, count),
            "distance_km": np.nan,
            "time": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(count), unit="D"),
            "group": np.arange(count) % 10,
        }
    )
    noise = Noise(
        random.normal(size=(count, NOISE_LENGTH, 3)).astype(np.float32),
        table[["name", "station", "components", "group"]],
    )
    return Traces(values.astype(np.float32), s, table, {}), noise
