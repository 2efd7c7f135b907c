"""The study's own size on a dataset made here: who is in which part, how many, and that too few are refused."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reproduce_lib.data import study_records
from reproduce_lib.data.study_records import Subset, open_dataset, take_records, years_of
from reproduce_lib.data.waveforms import BEFORE, RATE
from reproduce_lib.errors import DataError, ParameterError
from reproduce_lib.papers.adamopoulou2023.paper import PAPER, naive_unit
from reproduce_lib.papers.adamopoulou2023.samples import HIGH_SNR
from reproduce_lib.papers.adamopoulou2023.study_size import StudySizeParameters, load_split, run_study_size
from tests.support import load_keras

SAMPLES, P = 15_000, 6500
# Records of each year; every fifth is faint, every seventh is another network's.
YEARS = {2015: 30, 2016: 20, 2017: 30, 2018: 40, 2019: 20}


def shake(number: int, faint: bool) -> np.ndarray[Any, Any]:
    """Return noise with P on the vertical and S on the horizontals, told apart by the record's number at its end."""
    values = np.random.default_rng(number).normal(size=(3, SAMPLES))
    times = np.arange(SAMPLES)
    size = 2.0 if faint else 80.0
    for component, onset in ((2, P), (0, P + 400), (1, P + 400)):
        wave = np.sin(2 * np.pi * 8 * (times - onset) / RATE) * np.exp(-np.maximum(times - onset, 0) / 300)
        values[component, onset:] += size * wave[onset:]
    return values


class Made:
    """A dataset of SeisBench's kind."""

    def __init__(self, component_order: str = "ENZ") -> None:
        assert component_order == "ENZ"
        years = [year for year, count in YEARS.items() for _ in range(count)]
        numbers = np.arange(len(years))
        self.metadata = pd.DataFrame(
            {
                "trace_name": [f"trace {number}" for number in numbers],
                "trace_p_arrival_sample": float(P),
                "trace_s_arrival_sample": float(P + 400),
                "station_network_code": np.where(numbers % 7 == 6, "BK", "NC"),
                "station_code": [f"S{number % 11}" for number in numbers],
                "trace_start_time": [
                    f"{year}-03-{1 + number % 28:02d}T00:00:00Z" for year, number in zip(years, numbers, strict=True)
                ],
                "trace_sampling_rate_hz": float(RATE),
            }
        )
        self.asked: list[int] = []

    def get_waveforms(self, idx: int, *, sampling_rate: float) -> np.ndarray[Any, Any]:
        assert sampling_rate == RATE
        self.asked.append(idx)
        return shake(idx, faint=idx % 5 == 4)


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    package, data = ModuleType("seisbench"), ModuleType("seisbench.data")
    data.CEED = Made  # type: ignore[attr-defined]
    package.data = data  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "seisbench", package)
    monkeypatch.setitem(sys.modules, "seisbench.data", data)


def small(**values: Any) -> StudySizeParameters:
    return StudySizeParameters.of(**{"trained": 12, "chosen_by": 8, "tested": 15, **values})


def test_parts_are_of_their_years_and_as_large_as_asked() -> None:
    study, fold = load_split(small())
    years = study.traces.table["time"].dt.year.to_numpy()
    assert [len(part) for part in (fold.training, fold.validation, fold.test)] == [12, 8, 15]
    assert set(years[fold.training]) <= {2015, 2016}
    assert set(years[fold.validation]) == {2017}
    assert set(years[fold.test]) == {2018}
    assert study.traces.table["name"].is_unique


def test_what_is_trained_on_is_clear_and_what_is_tested_is_everything_of_the_network() -> None:
    study, fold = load_split(small(tested=34))
    snr = study.traces.table["snr"].to_numpy()
    assert (snr[np.concatenate([fold.training, fold.validation])] > HIGH_SNR).all()
    assert (snr[fold.test] <= HIGH_SNR).any()
    numbers = study.traces.table["name"].str.split().str[1].astype(int)
    assert not (numbers % 7 == 6).any()
    every, _ = load_split(small(network="", tested=40))
    assert (every.traces.table["name"].str.split().str[1].astype(int) % 7 == 6).any()


def test_noise_goes_with_the_record_that_it_stood_before() -> None:
    study, fold = load_split(small())
    names, groups = study.traces.table["name"], study.traces.table["group"].to_numpy()
    for records, noise in (
        (fold.training, fold.training_noise),
        (fold.validation, fold.validation_noise),
        (fold.test, fold.test_noise),
    ):
        assert set(study.noise.table["name"].iloc[noise]) == set(names.iloc[records])
    of_name = dict(zip(names, groups, strict=True))
    assert [of_name[name] for name in study.noise.table["name"]] == study.noise.table["group"].tolist()
    number = int(study.noise.table["name"].iloc[0].split()[1])
    expected = shake(number, faint=False).T.astype(np.float32)
    np.testing.assert_array_equal(study.noise.values[0], expected[P - 6000 : P - 100])
    np.testing.assert_array_equal(study.traces.values[0], expected[P - BEFORE : P - BEFORE + 8990])


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    first, again, other = (set(load_split(small(seed=seed))[0].traces.table["name"]) for seed in (0, 0, 1))
    assert first == again != other


def test_no_more_is_read_than_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_records, "AT_ONCE", 10)
    dataset = Made()
    take_records(dataset, "CEED", np.arange(30), 3, lambda table: np.ones(len(table), dtype=bool))
    assert set(dataset.asked) == set(range(10))
    assert Subset(dataset, np.array([5, 2])).metadata["trace_name"].tolist() == ["trace 5", "trace 2"]


def test_too_few_records_are_told() -> None:
    with pytest.raises(DataError, match=r"CEED: of 500 records that are asked for \d+ are missing"):
        load_split(small(trained=500))
    with pytest.raises(DataError, match="are missing"):
        load_split(small(tested_year=2030))


def test_dataset_that_says_nothing_of_arrivals_is_refused_for_that() -> None:
    dataset = Made()
    dataset.metadata = dataset.metadata.drop(columns="trace_s_arrival_sample")
    with pytest.raises(DataError, match=r"3 are missing; CEED: none of the columns .*trace_s_arrival_sample"):
        take_records(dataset, "CEED", np.arange(30), 3, lambda table: np.ones(len(table), dtype=bool))


def test_unknown_dataset_and_other_splits_are_refused() -> None:
    with pytest.raises(DataError, match="no dataset 'Nothing'"):
        open_dataset("Nothing")
    for values in ({"folds": 5}, {"profile": "full"}, {"source": "pinned", "dataset": ""}):
        with pytest.raises(ParameterError):
            small(**values)


def test_time_that_is_not_known_is_of_no_year() -> None:
    dataset = Made()
    dataset.metadata.loc[0, "trace_start_time"] = "?"
    assert np.isnan(years_of(dataset)[0])
    assert years_of(dataset)[1] == 2015


def test_it_is_no_part_of_the_recorded_set_and_has_no_naive_unit() -> None:
    assert list(PAPER.experiments["study_size"].full()) == []
    assert naive_unit(small()) is None
    printed = StudySizeParameters.of()
    assert (printed.trained, printed.chosen_by, printed.tested, printed.tested_year) == (500, 500, 10_000, 2018)


@pytest.mark.slow
def test_a_network_is_trained_and_judged() -> None:
    load_keras()
    result = run_study_size(small(windows=20, epochs=1, threshold=0.5))
    metrics: Any = result.metrics
    assert result.n > 15
    assert all(np.isfinite(value) for value in metrics.values())
    assert 0 <= metrics["pick_recall[p,high]"] <= 1
