"""What picks: something that gives probabilities of noise, P and S, and the thresholds from which a peak is a pick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
# Thresholds that the orders of Figures 35 to 37 and of Table 4 are counted at, beside those that validation chose: the
# study set one, and prints none. None stands for the chosen ones.
READINGS: dict[str, float | None] = {"": None, ",from 0.5": 0.5}

Give = Callable[[Values], NDArray[np.float32]]


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
    """Something that gives probabilities of noise, P and S, and the thresholds of P and S from which it picks."""

    give: Give
    thresholds: tuple[float, ...]

    def picks(self, windows: Windows) -> list[Picks]:
        """Return candidate picks of P and of S."""
        return candidates(self.give, windows.values)

    def readings(self, picks: Sequence[Picks]) -> Iterator[tuple[str, int, str, Picks]]:
        """Yield what is left of candidate picks: phase, its number, what a score's name ends with, and the picks."""
        for number, phase in enumerate(PHASES):
            for ending, threshold in READINGS.items():
                yield phase, number, ending, picks[number].above(threshold or self.thresholds[number])


def candidates(give: Give, values: Values) -> list[Picks]:
    """Return peaks of P and of S in windows that are not scaled yet."""
    probability = give(standardise(values))
    return [find_picks(probability[:, :, 1 + number], LEAST) for number in range(len(PHASES))]


def picker_of(give: Give, parameters: PickerParameters, validation: Windows) -> Picker:
    """Return a picker with the thresholds that a unit names, or with those of the best F1 on validation windows."""
    if parameters.threshold != "validation":
        return Picker(give, (float(parameters.threshold),) * len(PHASES))
    return Picker(give, choose_thresholds(give, validation, parameters.tolerance))


def choose_thresholds(give: Give, windows: Windows, tolerance: float) -> tuple[float, ...]:
    """Return for P and for S the threshold with the best F1 on windows that nothing is judged by."""
    found = candidates(give, windows.values)
    return tuple(
        best_threshold(picks, windows.arrivals[:, :, number], WINDOW, tolerance * RATE)
        for number, picks in enumerate(found)
    )
