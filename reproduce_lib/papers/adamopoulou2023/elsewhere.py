"""Records of another country, which nothing was trained on or chosen by."""

from __future__ import annotations

from functools import cache

import numpy as np

from reproduce_lib.data.waveforms import COMPONENTS, RATE, Dataset, Noise, load_traces
from reproduce_lib.papers.adamopoulou2023.judged import Judged
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, Picker
from reproduce_lib.papers.adamopoulou2023.samples import (
    FAR_AWAY,
    HIGH_SNR,
    WINDOW,
    SampleParameters,
    Study,
    test_windows,
)
from reproduce_lib.papers.adamopoulou2023.signal_scores import count_by_signal
from reproduce_lib.picks import Counts, match_windows

ELSEWHERE: tuple[Dataset, ...] = ("tlpn_china",)


def elsewhere(found: Judged, picker: Picker, parameters: SampleParameters, number: int) -> None:
    """Score records of south-west China, all of them on each fold.

    What intervals draw anew are stations: stations and earthquakes together link all of these records.
    """
    study = study_elsewhere()
    stations, names = study.traces.table["station"].factorize()
    rows = np.arange(len(study.traces))
    found.elsewhere = np.zeros((len(names), len(PHASES), 3), dtype=np.intp)
    of_window, windows = test_windows(study, rows, parameters.generator(FAR_AWAY, number))
    picks = picker.picks(windows)
    for column, phase in enumerate(PHASES):
        chosen = picks[column].above(picker.thresholds[column])
        matched = match_windows(chosen, windows.arrivals[:, :, column], WINDOW, picker.tolerance * RATE)
        found.counts[f"{phase},elsewhere"] = Counts(*matched.sum(axis=0).tolist())
        np.add.at(found.elsewhere[:, column], stations[of_window], matched)
    high = (study.traces.table["snr"].iloc[of_window] > HIGH_SNR).to_numpy()
    count_by_signal(found, picker, picks, windows, high, ",elsewhere")


@cache
def study_elsewhere() -> Study:
    """Return the records of south-west China; there is no noise of theirs."""
    traces = load_traces(ELSEWHERE)
    return Study(traces, Noise(np.zeros((0, 0, len(COMPONENTS)), np.float32), traces.table.iloc[:0]))
