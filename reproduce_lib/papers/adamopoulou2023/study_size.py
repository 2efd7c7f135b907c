"""The study's own size (section 5.1.1): 500 records to train on, 500 to choose by, 10,000 of 2018 to test on.

SeisBench's dataset CEED holds the records of the Northern California Earthquake Data Center, of which the study's are a
part that is not public as a set. It is far larger than what is pinned here, and needs a network.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.data.study_records import joined, open_dataset, take_records, years_of
from reproduce_lib.data.waveforms import COMPONENTS
from reproduce_lib.papers.adamopoulou2023.networks import NetworkParameters, train_picker
from reproduce_lib.papers.adamopoulou2023.samples import HIGH_SNR, SPLITTING, TESTING, Fold, Study, test_windows
from reproduce_lib.papers.adamopoulou2023.scores import judge, picker_of
from reproduce_lib.papers.adamopoulou2023.training import forecast
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult


class StudySizeParameters(NetworkParameters):
    """One network, trained and judged with as many records as the study had.

    Records of ``tested_year`` are tested, those of the year before choose epoch and threshold, and earlier ones are
    trained on, so that no earthquake is on both sides; the study had validation and training from before 2018. As
    there, what is trained on and chosen by is above 20 dB. ``network`` keeps the stations of one network.
    """

    experiment: ClassVar[str] = "study_size"

    profile: Literal["custom", "smoke"] = "custom"
    source: Literal["seisbench"] = "seisbench"
    dataset: str = "CEED"
    network: str = "NC"
    trained: int = Field(default=500, ge=1)
    chosen_by: int = Field(default=500, ge=1)
    tested: int = Field(default=10_000, ge=1)
    tested_year: int = Field(default=2018, ge=1960, le=2100)

    @model_validator(mode="after")
    def _one_split(self) -> Self:
        if self.folds != type(self).model_fields["folds"].default:
            raise ValueError("folds: years split these records, not folds")
        return self


def run_study_size(parameters: StudySizeParameters) -> UnitResult:
    """Train one network on the records of the early years, and judge it on those of the tested one."""
    study, fold = load_split(parameters)
    (seed,) = parameters.random_seeds(1)
    start_afresh(seed)
    model, _ = train_picker(parameters, study, fold, 0, seed)
    validation = test_windows(study, fold.validation, parameters.generator(TESTING))[1]
    found = judge(picker_of(partial(forecast, model), parameters, validation), parameters, study, fold, 0)
    return UnitResult(found.metrics, found.arrivals, study.traces.files)


def load_split(parameters: StudySizeParameters) -> tuple[Study, Fold]:
    """Return the records of all three parts, and which of them are in which.

    Raises
    ------
    DataError
        If SeisBench or the dataset cannot be had, or holds too few records of these years.
    """
    dataset = open_dataset(parameters.dataset)
    years = years_of(dataset)
    known = _of_network(dataset.metadata, parameters.network)
    year = parameters.tested_year
    generator = parameters.generator(SPLITTING)
    wanted = (
        (years < year - 1, parameters.trained, _clear),
        (years == year - 1, parameters.chosen_by, _clear),
        (years == year, parameters.tested, _any),
    )
    parts = [
        take_records(dataset, parameters.dataset, generator.permutation(np.flatnonzero(known & chosen)), count, keep)
        for chosen, count, keep in wanted
    ]
    traces, noise = joined(parts)
    records, quiet = (_consecutive([len(part[place].table) for part in parts]) for place in (0, 1))
    # Noise of one component would leave two of a record's three as clear as they were.
    whole = (noise.table["components"] == COMPONENTS).to_numpy()
    return Study(traces, noise), Fold(*records, *(rows[whole[rows]] for rows in quiet))


def _of_network(metadata: pd.DataFrame, network: str) -> NDArray[np.bool_]:
    if not network:
        return np.ones(len(metadata), dtype=bool)
    return (metadata["station_network_code"].astype(str) == network).to_numpy()


def _clear(table: pd.DataFrame) -> NDArray[np.bool_]:
    return ((table["snr"] > HIGH_SNR) & (table["components"] == COMPONENTS)).to_numpy()


def _any(table: pd.DataFrame) -> NDArray[np.bool_]:
    return np.ones(len(table), dtype=bool)


def _consecutive(counts: list[int]) -> list[NDArray[np.intp]]:
    """Return the places of each part, one part after the other."""
    ends = np.cumsum(counts)
    return [np.arange(end - count, end) for end, count in zip(ends, counts, strict=True)]
