"""Records to learn from, to choose by and to be judged by: folds of stations and earthquakes, and windows of 30 s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.augmentations import Rows, Values, Windows, cut, shift_starts, slices
from reproduce_lib.data.simulated_waveforms import simulate_traces
from reproduce_lib.data.waveforms import BEFORE, COMPONENTS, RATE, Noise, Traces, load_noise, load_traces
from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.adamopoulou2023 import KEY
from reproduce_lib.units import UnitParameters

Source = Literal["pinned", "seisbench", "simulated"]
# Section 5.2.1: windows of 30 s.
WINDOW = 30 * RATE
# Section 5.1.1: what is trained on and chosen by has more than 20 dB.
HIGH_SNR = 20.0
# A fifth of the groups that are not tested chooses epoch and threshold.
INNER_PARTS = 5
# Windows that each tested record is cut into, with P in another quarter of the window each.
TEST_WINDOWS = 4
# Streams of random numbers of one seed; they are the same for every model and augmentation.
SPLITTING, TESTING, PAIRING, NOISE, ARTIFACTS, SIMULATION, FAR_AWAY = range(7)


class SampleParameters(UnitParameters):
    """Which records a unit learns from and is judged by.

    ``pinned`` are those of Northern California with P and S, ``seisbench`` those of a dataset of SeisBench, which
    ``dataset`` names and the extra of that name loads. Stations and earthquakes are dealt out into ``folds``; each is
    tested once, by what was trained on the others.
    """

    paper: ClassVar[str] = KEY

    source: Source = "pinned"
    dataset: str = ""
    folds: int = Field(default=3, ge=2, le=20)

    @model_validator(mode="after")
    def _source_is_complete(self) -> Self:
        if self.profile == "full" and self.source != "pinned":
            raise ValueError(f"profile full knows no source {self.source!r}; use profile custom")
        if bool(self.dataset) != (self.source == "seisbench"):
            raise ValueError("dataset names what source 'seisbench' loads, and belongs to no other source")
        return self

    def generator(self, stream: int, fold: int = 0) -> np.random.Generator:
        """Return random numbers that depend on seed and fold alone: they are the same for every model."""
        return np.random.default_rng([self.seed, stream, fold])


@dataclass(frozen=True)
class Study:
    """Records with P and S, and what was recorded before some of them."""

    traces: Traces
    noise: Noise

    @property
    def arrivals(self) -> NDArray[np.float64]:
        """Return samples of P and S, shape (traces, 1, 2)."""
        return np.stack([np.full(len(self.traces), float(BEFORE)), self.traces.s], axis=1)[:, None]


@dataclass(frozen=True)
class Fold:
    """Numbers of records, and of noise records, to train on, to choose by and to be judged by.

    What is trained on and chosen by is above 20 dB on three components; what is tested is every record.
    """

    training: Rows
    validation: Rows
    test: Rows
    training_noise: Rows
    validation_noise: Rows
    test_noise: Rows


def load_study(parameters: SampleParameters) -> Study:
    """Return the records that a unit's parameters name."""
    if parameters.source == "simulated":
        return Study(*simulate_traces(SIMULATION, 40))
    if parameters.source == "seisbench":
        from reproduce_lib.data.waveform_services import load_seisbench

        return Study(*load_seisbench(parameters.dataset))
    traces = load_traces(("phasenet_ncedc", "ceed_ncedc"))
    return Study(traces, load_noise(traces))


def folds_of(parameters: SampleParameters, study: Study) -> list[Fold]:
    """Deal groups of stations and earthquakes out into folds; noise goes with the record that it stood before."""
    from sklearn.model_selection import GroupKFold

    groups = study.traces.table["group"].to_numpy()
    if len(np.unique(groups)) < parameters.folds:
        raise ParameterError(f"{len(np.unique(groups))} groups of stations and earthquakes are too few for folds")
    number = int(parameters.generator(SPLITTING).integers(2**31))
    outer = GroupKFold(parameters.folds, shuffle=True, random_state=number)
    inner = GroupKFold(INNER_PARTS, shuffle=True, random_state=number)
    found = []
    for known, test in outer.split(groups, groups=groups):
        if len(np.unique(groups[known])) < INNER_PARTS:
            raise ParameterError(f"{len(np.unique(groups))} groups of stations and earthquakes are too few for folds")
        training, validation = next(inner.split(known, groups=groups[known]))
        found.append(_with_noise(study, known[training], known[validation], test))
    return found


def _with_noise(study: Study, training: Rows, validation: Rows, test: Rows) -> Fold:
    groups, of_noise = study.traces.table["group"].to_numpy(), study.noise.table["group"].to_numpy()
    # Noise of one component would leave two of a record's three as clear as they were.
    whole = (study.noise.table["components"] == COMPONENTS).to_numpy()
    parts = [np.flatnonzero(whole & np.isin(of_noise, groups[rows])) for rows in (training, validation, test)]
    # The study's records hold three components: a network that saw fewer would have learned what dropout teaches.
    clear = (study.traces.table["snr"] > HIGH_SNR).to_numpy() & (
        study.traces.table["components"] == COMPONENTS
    ).to_numpy()
    return Fold(training[clear[training]], validation[clear[validation]], test, *parts)


def windows_at(study: Study, rows: Rows, places: NDArray[np.float64]) -> Windows:
    """Return a window of each record with P at ``places`` (samples), as far as what was measured allows."""
    table = study.traces.table.iloc[rows]
    begin, end = table["begin"].to_numpy(), table["end"].to_numpy()
    starts = shift_starts(np.full(len(rows), float(BEFORE)), begin, end, places, WINDOW)
    return cut(study.traces.values[rows], study.arrivals[rows], starts, WINDOW)


def test_windows(study: Study, rows: Rows, generator: np.random.Generator) -> tuple[Rows, Windows]:
    """Return windows of the tested records, P in each quarter of the window once, and the record of each window."""
    of_window = np.repeat(rows, TEST_WINDOWS)
    quarter = np.tile(np.arange(TEST_WINDOWS), len(rows))
    places = (quarter + generator.random(len(of_window))) * WINDOW / TEST_WINDOWS
    return of_window, windows_at(study, of_window, places)


def clear_rows(study: Study, rows: Rows, above: float = HIGH_SNR) -> Rows:
    """Return the records of three components above a signal-to-noise ratio (dB), measured around every window.

    Raises
    ------
    ParameterError
        If there is none.
    """
    table = study.traces.table.iloc[rows]
    clear = (table["snr"] > above) & (table["components"] == COMPONENTS)
    whole = (table["begin"] <= RATE) & (table["end"] >= 2 * WINDOW)
    found = rows[(clear & whole).to_numpy()]
    if not len(found):
        raise ParameterError(f"none of {len(rows)} records of three components is above {above:g} dB")
    return found


def noise_windows(noise: Noise, rows: Rows, count: int, generator: np.random.Generator) -> Values:
    """Return ``count`` windows of noise at random places of random records among ``rows``."""
    if not len(rows):
        raise ParameterError("no record of noise is left to draw from")
    chosen = generator.choice(rows, count)
    starts = generator.integers(0, noise.values.shape[1] - WINDOW + 1, count)
    return slices(noise.values, chosen, starts, WINDOW)
