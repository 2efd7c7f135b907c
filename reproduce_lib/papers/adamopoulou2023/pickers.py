"""What picks: something that gives probabilities of noise, P and S, and the thresholds from which a peak is a pick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.augmentations import Values, Windows, standardise
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW, SampleParameters
from reproduce_lib.picks import Picks, best_threshold, find_picks

PHASES = ("p", "s")
# What a tested record keeps: Table 4.
Components = Literal["enz", "en", "e", "n", "z"]
SUBSETS: tuple[Components, ...] = get_args(Components)
# Below this probability nothing is a candidate.
LEAST = 0.05
# How far a pick may lie from the analyst's, and from which probability on a peak is one, beside what a unit names, s.
TOLERANCES = (0.1, 0.3, 0.5)
THRESHOLDS = (0.1, 0.3, 0.5, 0.7)

Give = Callable[[Values], NDArray[np.float32]]


@dataclass(frozen=True)
class Reading:
    """One way to count picks: a threshold and a tolerance (s), ``None`` for those of the unit."""

    threshold: float | None = None
    tolerance: float | None = None


# How the orders of Figures 35 to 37 and of Table 4 are counted, by what a score's name ends with: the study set one
# threshold and one tolerance, and prints neither.
READINGS = {
    "": Reading(),
    ",from 0.5": Reading(threshold=0.5),
    **{f",within {one} s": Reading(tolerance=one) for one in TOLERANCES[1:]},
}
# Of picks where nothing is to be picked no tolerance matters.
RATE_READINGS = {ending: reading for ending, reading in READINGS.items() if reading.tolerance is None}


class PickerParameters(SampleParameters):
    """How a picker is judged.

    ``tolerance`` is how far a pick may lie from the analyst's and still be one (seconds), ``threshold`` the
    probability from which a peak is a pick, or ``validation`` for the one of the best F1 on the validation records,
    and ``components`` what the tested records keep for the main scores.
    """

    tolerance: float = Field(default=0.1, gt=0, le=5)
    threshold: Annotated[float, Field(ge=LEAST, lt=1)] | Literal["validation"] = "validation"
    components: Components = "enz"


@dataclass(frozen=True)
class Picker:
    """Something that gives probabilities of noise, P and S.

    Attributes
    ----------
    thresholds : of P and S, from which it picks
    tolerance : how far from the analyst's a pick may lie, s
    """

    give: Give
    thresholds: tuple[float, ...]
    tolerance: float

    def picks(self, windows: Windows) -> list[Picks]:
        """Return candidate picks of P and of S."""
        return candidates(self.give, windows.values)

    def probabilities(self, values: Values) -> NDArray[np.float16]:
        """Return the probabilities of P and S in windows that are not scaled yet, to be shown: (windows, times, 2)."""
        return self.give(standardise(values))[:, :, 1:].astype(np.float16)

    def readings(
        self, picks: Sequence[Picks], among: Mapping[str, Reading] = READINGS
    ) -> Iterator[tuple[str, int, str, Picks, float]]:
        """Yield what is left of candidate picks, reading by reading.

        Yields
        ------
        phase, its number, what a score's name ends with, the picks, and the tolerance in samples
        """
        for number, phase in enumerate(PHASES):
            for ending, reading in among.items():
                chosen = picks[number].above(reading.threshold or self.thresholds[number])
                yield phase, number, ending, chosen, (reading.tolerance or self.tolerance) * RATE


def candidates(give: Give, values: Values) -> list[Picks]:
    """Return peaks of P and of S in windows that are not scaled yet."""
    probability = give(standardise(values))
    return [find_picks(probability[:, :, 1 + number], LEAST) for number in range(len(PHASES))]


def picker_of(give: Give, parameters: PickerParameters, validation: Windows) -> Picker:
    """Return a picker with the thresholds that a unit names, or with those of the best F1 on validation windows."""
    if parameters.threshold != "validation":
        return Picker(give, (float(parameters.threshold),) * len(PHASES), parameters.tolerance)
    return Picker(give, choose_thresholds(give, validation, parameters.tolerance), parameters.tolerance)


def choose_thresholds(give: Give, windows: Windows, tolerance: float) -> tuple[float, ...]:
    """Return for P and for S the threshold with the best F1 on windows that nothing is judged by."""
    found = candidates(give, windows.values)
    return tuple(
        best_threshold(picks, windows.arrivals[:, :, number], WINDOW, tolerance * RATE)
        for number, picks in enumerate(found)
    )
