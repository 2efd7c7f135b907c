"""The probability of P while the window slides over a record (Fig. 34)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import Rows, standardise
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.group_sums import summed
from reproduce_lib.papers.adamopoulou2023.judged import Judged
from reproduce_lib.papers.adamopoulou2023.pickers import Picker
from reproduce_lib.papers.adamopoulou2023.samples import Study, rows_with_places, windows_at

# P at each second of the window; three of them are drawn.
PLACES = np.arange(1, 30)


def by_place(found: Judged, picker: Picker, study: Study, rows: Rows) -> None:
    """Slide the window over records: the probability of P where P is, and at 10 s, wherever it is."""
    rows = rows_with_places(study, rows, (PLACES[0] * RATE, PLACES[-1] * RATE), every=True)
    near = np.zeros((2, len(rows), len(PLACES)))
    for column, place in enumerate(PLACES * RATE):
        windows = windows_at(study, rows, np.full(len(rows), float(place)))
        probability = picker.give(standardise(windows.values))[:, :, 1]
        near[:, :, column] = _near(probability, int(place)), _near(probability, 10 * RATE)
    actual, fixed = near
    found.curves = {"activation": actual.sum(axis=0), "activation_at_10": fixed.sum(axis=0)}
    found.slid = len(rows)
    edges, middle, late = (PLACES <= 5) | (PLACES >= 25), (PLACES >= 10) & (PLACES <= 15), PLACES == 25
    groups, count = study.groups[rows], study.groups.max() + 1
    for score, values in (
        ("edges", actual[:, edges]),
        ("10 to 15 s", actual[:, middle]),
        ("25 s", actual[:, late]),
        ("10 s, P at 25 s", fixed[:, late]),
    ):
        found.add(f"activation[{score}]", summed(groups, count, values.mean(axis=1)))


def _near(probability: NDArray[np.float32], sample: int, reach: int = 10) -> NDArray[np.float32]:
    """Return the largest probability within a tenth of a second of a sample."""
    found: NDArray[np.float32] = probability[:, max(sample - reach, 0) : sample + reach + 1].max(axis=1)
    return found
