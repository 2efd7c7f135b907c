"""Sections 5.1 and 5.2 rebuilt: splits by loops, recipes on spikes, networks by formula, and an oracle to judge."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.augmentations import ARTIFACTS, Windows, add_artifacts
from reproduce_lib.data.simulated_waveforms import simulate_traces
from reproduce_lib.data.waveforms import (
    BEFORE,
    LENGTH,
    NOISE_LENGTH,
    NOT_NOISE,
    RATE,
    Noise,
    Traces,
    groups_of,
    load_traces,
)
from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.adamopoulou2023 import detection, detectors, few_records, networks, recipes
from reproduce_lib.papers.adamopoulou2023 import samples as samples_module
from reproduce_lib.papers.adamopoulou2023 import scores as scores_module
from reproduce_lib.papers.adamopoulou2023.architecture import ArchitectureParameters, run_architecture
from reproduce_lib.papers.adamopoulou2023.detection import RATIOS, clear_rows, detection_scores, semi_synthetic
from reproduce_lib.papers.adamopoulou2023.detectors import DetectorParameters, run_detector, templates_of
from reproduce_lib.papers.adamopoulou2023.example import ExampleParameters, build_example, load_table, run_example
from reproduce_lib.papers.adamopoulou2023.few_records import (
    FewRecordParameters,
    run_few_records,
    scattering_features,
    split,
    windows_of,
)
from reproduce_lib.papers.adamopoulou2023.folded_normalization import folded_batch_normalization
from reproduce_lib.papers.adamopoulou2023.networks import NetworkParameters, run_network
from reproduce_lib.papers.adamopoulou2023.phasenet import build_phasenet, load_released_weights
from reproduce_lib.papers.adamopoulou2023.recipes import AUGMENTATIONS, Augmentation, epochs_of
from reproduce_lib.papers.adamopoulou2023.record_intervals import interval_over_records, score_of
from reproduce_lib.papers.adamopoulou2023.recovery import (
    RecoveryParameters,
    clipped_pairs,
    relative_errors,
    run_recovery,
    splined,
)
from reproduce_lib.papers.adamopoulou2023.samples import (
    WINDOW,
    Fold,
    SampleParameters,
    Study,
    folds_of,
    load_study,
    noise_windows,
    windows_at,
)
from reproduce_lib.papers.adamopoulou2023.scores import Judged, Picker, choose_thresholds, judge, together
from reproduce_lib.papers.adamopoulou2023.training import TrainingParameters, train_on_windows
from reproduce_lib.papers.adamopoulou2023.trigger_picker import (
    TriggerParameters,
    onsets,
    run_trigger_picker,
    trigger_probability,
)
from reproduce_lib.picks import Counts, Picks
from reproduce_lib.training import start_afresh
from tests.support import PROJECT, load_keras

Array = NDArray[Any]
NAN = math.nan


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def simulated(kind: type[SampleParameters] = NetworkParameters, **values: Any) -> Any:
    return kind.of(**{"profile": "custom", "source": "simulated", **values})


# Studies of spikes: P is one sample of Z, S one of E and N, and their distance tells the record.


def table_of(count: int, **columns: Any) -> pd.DataFrame:
    numbers = np.arange(count)
    about = {
        "name": [f"r{number}" for number in numbers],
        "dataset": "spikes",
        "station": [f"XX.S{number}" for number in numbers],
        "components": "ENZ",
        "begin": 0,
        "end": LENGTH,
        "snr": 40.0,
        "magnitude": np.where(numbers % 3, numbers / 10, NAN),
        "distance_km": NAN,
        "time": pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D"),
        "group": numbers,
    }
    return pd.DataFrame({**about, **columns})


def spikes(count: int = 20, **columns: Any) -> Study:
    values = np.zeros((count, LENGTH, 3), dtype=np.float32)
    s = BEFORE + 40 + 10 * np.arange(count)
    values[:, BEFORE, 2] = 1
    for component in (0, 1):
        values[np.arange(count), s, component] = 1
    table = table_of(count, **columns)
    noise = generator(9).normal(size=(count, NOISE_LENGTH, 3)).astype(np.float32)
    values.flags.writeable = noise.flags.writeable = False
    traces = Traces(values, s.astype(float), table, {"f": "0"})
    return Study(traces, Noise(noise, table[["name", "station", "components", "group"]]))


def halves(count: int = 20) -> Fold:
    """Return a fold by number: 12 records are trained on, 4 choose, 4 are tested."""
    parts = np.split(np.arange(count), [count * 3 // 5, count * 4 // 5])
    return Fold(*parts, *parts)


# Samples


def arrivals_in(study: Study) -> Array:
    found: Array = study.arrivals[:, 0]
    return found


def test_arrivals_of_a_study_are_p_and_s_of_its_records() -> None:
    study = spikes(3)
    assert study.arrivals.tolist() == [[[3000, 3040]], [[3000, 3050]], [[3000, 3060]]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31))
def test_windows_are_slices_of_what_was_measured_with_p_where_it_is_wanted(seed: int) -> None:
    random = generator(seed)
    begin, end = random.integers(0, 2900, 20), random.integers(6000, LENGTH + 1, 20)
    study = spikes(20, begin=begin, end=end)
    rows, places = random.integers(0, 20, 30), random.uniform(0, 2999.4, 30)
    found = windows_at(study, rows, places)
    for row, place, values, (p, s) in zip(rows, places, found.values, found.arrivals[:, 0], strict=True):
        start = int(BEFORE - p)
        assert begin[row] <= start <= end[row] - WINDOW
        np.testing.assert_array_equal(values, study.traces.values[row, start : start + WINDOW])
        possible = (begin[row], end[row] - WINDOW)
        wanted = min(max(BEFORE - place, possible[0]), possible[1])
        assert abs(start - wanted) <= 0.5
        assert s - p == 40 + 10 * row
        assert values[int(p), 2] == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9999])
def test_tested_records_have_p_in_each_quarter_of_a_window_once(share: float) -> None:
    """However the draw falls, P is in its window: an arrival outside would not be counted."""
    random: Any = SimpleNamespace(random=lambda count: np.full(count, share))
    rows, windows = samples_module.test_windows(spikes(), np.array([3, 7]), random)
    assert rows.tolist() == [3] * 4 + [7] * 4
    p = windows.arrivals[:, 0, 0]
    assert ((p >= 0) & (p < WINDOW)).all()
    if share < 0.5:
        assert (p // (WINDOW / 4)).tolist() == [0, 1, 2, 3] * 2
        np.testing.assert_allclose(p % (WINDOW / 4), share * WINDOW / 4, atol=0.5)


def test_noise_windows_are_slices_of_the_chosen_records_alone() -> None:
    study, rows = spikes(), np.array([2, 5, 11])
    found = noise_windows(study.noise, rows, 50, generator(1))
    assert found.shape == (50, WINDOW, 3)
    starts = set()
    for one in found:
        at = [(row, start) for row in rows for start in np.flatnonzero(study.noise.values[row, :, 0] == one[0, 0])]
        ((row, start),) = at
        np.testing.assert_array_equal(one, study.noise.values[row, start : start + WINDOW])
        starts.add(int(start))
    assert len(starts) > 40
    np.testing.assert_array_equal(found, noise_windows(study.noise, rows, 50, generator(1)))
    with pytest.raises(ParameterError):
        noise_windows(study.noise, np.array([], dtype=np.intp), 5, generator())


WRONG_SAMPLES: tuple[dict[str, Any], ...] = (
    {"source": "simulated"}, {"source": "seisbench", "dataset": "ETHZ"}, {"dataset": "ETHZ"},
    {"profile": "custom", "source": "seisbench"}, {"profile": "custom", "source": "simulated", "dataset": "ETHZ"},
    {"folds": 1}, {"source": "elsewhere"}, {"unknown": 1},
)  # fmt: skip


@pytest.mark.parametrize("values", WRONG_SAMPLES, ids=str)
@pytest.mark.parametrize("kind", [NetworkParameters, RecoveryParameters, DetectorParameters])
def test_parameters_that_make_no_sense_are_refused(kind: type[SampleParameters], values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        kind.of(**values)


def test_random_numbers_depend_on_seed_stream_and_fold_alone() -> None:
    base = simulated(seed=3).generator(2, 1).random(4).tolist()
    assert simulated(seed=3, augmentation="noise", epochs=7).generator(2, 1).random(4).tolist() == base
    assert simulated(DetectorParameters, seed=3).generator(2, 1).random(4).tolist() == base
    others = [simulated(seed=4).generator(2, 1), simulated(seed=3).generator(1, 1), simulated(seed=3).generator(2, 0)]
    assert all(other.random(4).tolist() != base for other in others)


# Folds


def assert_nothing_crosses(study: Study, fold: Fold) -> None:
    """Tell by loops whether a station or an earthquake is on two sides; noise is known by the record behind it."""
    table = study.traces.table
    row_of = {name: row for row, name in enumerate(table["name"])}
    behind = [row_of[name] for name in study.noise.table["name"]]
    sides = []
    for part in ("training", "validation", "test"):
        records = set(getattr(fold, part).tolist())
        noise = {behind[row] for row in getattr(fold, f"{part}_noise")}
        sides.append(table.iloc[sorted(records | noise)])
    seconds = [((side["time"] - table["time"].min()).dt.total_seconds()).to_numpy() for side in sides]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not set(sides[one]["station"]) & set(sides[other]["station"])
        if len(seconds[one]) and len(seconds[other]):
            assert np.abs(seconds[one][:, None] - seconds[other]).min() >= 90
    for part in ("training", "validation"):
        assert (table["snr"].to_numpy()[getattr(fold, part)] > 20).all()


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Draw records of stations and times of which some are shared; values are of no account."""
    count, random = draw(st.integers(20, 60)), generator(draw(st.integers(0, 2**31)))
    stations = np.array([f"XX.S{number}" for number in random.integers(0, 60, count)])
    seconds = random.integers(0, 90, count) * 50_000 + random.integers(0, 80, count)
    times = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s"))
    snr = random.uniform(0, 60, count)
    snr[0] = NAN
    columns = {"station": stations, "time": times, "snr": snr, "group": groups_of(stations, times)}
    table = table_of(count, **columns)
    kept = np.flatnonzero(random.random(count) < 0.6)
    traces = Traces(np.zeros((count, 1, 3), np.float32), np.full(count, 3100.0), table, {})
    noise = table.iloc[kept][["name", "station", "components", "group"]].reset_index(drop=True)
    return Study(traces, Noise(np.zeros((len(kept), 1, 3), np.float32), noise))


@settings(deadline=None, max_examples=20)
@given(studies(), st.integers(0, 50), st.integers(2, 4))
def test_no_station_earthquake_or_noise_crosses_a_split(study: Study, seed: int, folds: int) -> None:
    parameters = simulated(seed=seed, folds=folds)
    if study.traces.table["group"].nunique() < 2 * samples_module.INNER_PARTS:
        return
    found = folds_of(parameters, study)
    tested = np.concatenate([fold.test for fold in found])
    assert sorted(tested.tolist()) == list(range(len(study.traces)))
    for fold in found:
        assert_nothing_crosses(study, fold)
        rows = np.concatenate([fold.training_noise, fold.validation_noise, fold.test_noise])
        assert sorted(rows.tolist()) == list(range(len(study.noise.table)))
        known = np.concatenate([fold.training, fold.validation])
        clear = np.flatnonzero(study.traces.table["snr"] > 20)
        assert sorted(known.tolist()) == sorted(set(clear) - set(fold.test))


def test_folds_are_told_by_the_seed_and_not_by_what_is_trained() -> None:
    study = spikes(30)
    rows = [fold.test.tolist() for fold in folds_of(simulated(seed=1), study)]
    assert [fold.test.tolist() for fold in folds_of(simulated(seed=1, augmentation="noise"), study)] == rows
    assert [fold.test.tolist() for fold in folds_of(simulated(RecoveryParameters, seed=1), study)] == rows
    assert [fold.test.tolist() for fold in folds_of(simulated(seed=2), study)] != rows


def test_too_few_groups_for_the_folds_are_refused() -> None:
    with pytest.raises(ParameterError):
        folds_of(simulated(), spikes(10, group=np.arange(10) % 4))
    with pytest.raises(ParameterError):
        folds_of(simulated(folds=10), spikes(10, group=np.arange(10) % 8))


def test_groups_that_suffice_for_the_tested_part_but_not_for_the_others_are_refused() -> None:
    """Two or three of seven groups are tested; four or five are left, of which a fifth is to validate."""
    with pytest.raises(ParameterError):
        folds_of(simulated(), spikes(14, group=np.arange(14) % 7))


@cache
def pinned() -> Study:
    return load_study(SampleParameters.of())


@pytest.mark.data
@pytest.mark.parametrize("seed", range(3))
def test_nothing_crosses_a_split_of_the_pinned_records(seed: int) -> None:
    study = pinned()
    assert len(study.traces) == 254
    assert np.isfinite(arrivals_in(study)).all()
    for fold in folds_of(SampleParameters.of(seed=seed), study):
        assert_nothing_crosses(study, fold)
        assert min(len(fold.training), 8 * len(fold.validation)) > 40
        table = study.traces.table.iloc[np.concatenate([fold.training, fold.validation])]
        assert (table["snr"] > 20).all()
        assert set(table["components"]) == {"ENZ"}
        assert min(len(fold.training_noise), len(fold.validation_noise), len(fold.test_noise)) > 0


@pytest.mark.data
def test_windows_of_the_pinned_records_are_never_padded() -> None:
    study, random = pinned(), generator()
    rows = np.repeat(np.arange(len(study.traces)), 8)
    p = windows_at(study, rows, random.uniform(0, WINDOW - 1, len(rows))).arrivals[:, 0, 0]
    table = study.traces.table.iloc[rows]
    assert (BEFORE - p >= table["begin"]).all()
    assert (BEFORE - p + WINDOW <= table["end"]).all()
    assert ((p >= 0) & (p < WINDOW)).all()


# Recipes


def drawn(augmentation: Augmentation, seed: int = 0, count: int = 240, epochs: int = 1) -> list[tuple[Array, Array]]:
    draw = epochs_of(augmentation, spikes(), halves(), count, generator(seed))
    return [draw(epoch) for epoch in range(epochs)]


def records_in(targets: Array) -> list[int]:
    """Return which record each window is of, by the distance of S and P; -1 where one of them is outside."""
    found = []
    for own in targets:
        (p, s) = (np.flatnonzero(own[:, 1 + phase] > 0.9) for phase in range(2))
        inside = len(p) and len(s) and p[0] > 0 and s[-1] < WINDOW - 1
        found.append(round((s.mean() - p.mean() - 40) / 10) if inside else -1)
    return found


PLAIN: tuple[Augmentation, ...] = ("no_shift", "limited_shift", "precomputed_shift", "full_shift", "magnitudes")


@pytest.mark.parametrize("augmentation", PLAIN)
def test_epoch_holds_training_records_alone_with_p_where_the_target_says(augmentation: Augmentation) -> None:
    ((inputs, targets),) = drawn(augmentation)
    assert inputs.shape == targets.shape == (240, WINDOW, 3)
    assert inputs.dtype == targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(axis=2), 1, atol=1e-6)
    np.testing.assert_allclose(inputs.mean(axis=1), 0, atol=1e-4)
    for values, wanted in zip(inputs, targets, strict=True):
        for component, phase in ((2, 1), (0, 2)):
            if values[:, component].any():
                assert values[:, component].argmax() == wanted[:, phase].argmax()
    rows = set(records_in(targets)) - {-1}
    assert rows <= set(halves().training.tolist())
    assert len(rows) == 12


def places_of(targets: Array) -> Array:
    found: Array = targets[:, :, 1].argmax(axis=1)
    return found


def test_p_stands_where_each_kind_of_shift_puts_it() -> None:
    assert set(places_of(drawn("no_shift")[0][1]).tolist()) == {1000}
    limited = places_of(drawn("limited_shift")[0][1])
    assert 1000 <= limited.min() < 1060
    assert 1440 < limited.max() <= 1500
    full = places_of(drawn("full_shift", count=600)[0][1])
    np.testing.assert_allclose(np.quantile(full, [0.25, 0.5, 0.75]), [750, 1500, 2250], atol=150)


def test_precomputed_places_stay_and_full_ones_change_from_epoch_to_epoch() -> None:
    places: dict[Augmentation, dict[int, set[int]]] = {}
    for augmentation in ("precomputed_shift", "full_shift"):
        places[augmentation] = {}
        for _, targets in drawn(augmentation, epochs=3):
            for record, place in zip(records_in(targets), places_of(targets), strict=True):
                places[augmentation].setdefault(record, set()).add(int(place))
    for own in places.values():
        own.pop(-1, None)
    assert all(len(own) == 1 for own in places["precomputed_shift"].values())
    assert len(set.union(*places["precomputed_shift"].values())) == len(places["precomputed_shift"]) > 8
    assert all(len(own) > 3 for own in places["full_shift"].values())


def test_each_record_is_seen_as_often_as_any_other_up_to_one() -> None:
    counts = Counter(records_in(drawn("no_shift", count=103)[0][1]))
    assert set(counts) == set(range(12))
    assert set(counts.values()) == {8, 9}


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_epochs_are_the_same_again_and_leave_the_records_alone(augmentation: Augmentation) -> None:
    study = spikes()
    before = study.traces.values.copy(), study.noise.values.copy(), study.traces.table.copy()
    epochs = []
    for _ in range(2):
        draw = epochs_of(augmentation, study, halves(), 24, generator(5))
        epochs.append([draw(epoch) for epoch in range(2)])
    for (inputs, targets), (again, others) in zip(*epochs, strict=True):
        np.testing.assert_array_equal(inputs, again)
        np.testing.assert_array_equal(targets, others)
        np.testing.assert_allclose(targets.sum(axis=2), 1, atol=1e-6)
        assert np.isfinite(inputs).all()
    np.testing.assert_array_equal(study.traces.values, before[0])
    np.testing.assert_array_equal(study.noise.values, before[1])
    pd.testing.assert_frame_equal(study.traces.table, before[2])
    if augmentation not in ("no_shift", "precomputed_shift"):
        assert not np.array_equal(epochs[0][0][0], epochs[0][1][0])


def peaks_of(probability: Array) -> list[int]:
    inner = (probability[1:-1] > probability[:-2]) & (probability[1:-1] >= probability[2:]) & (probability[1:-1] > 0.9)
    return (1 + np.flatnonzero(inner)).tolist()


def test_second_earthquakes_are_labelled_where_they_are_and_are_of_training_records() -> None:
    ((inputs, targets),) = drawn("events", count=400)
    seconds, ratios = 0, []
    for values, wanted in zip(inputs, targets, strict=True):
        p = peaks_of(wanted[:, 1])
        spikes_ = [int(one) for one in np.flatnonzero(values[:, 2] > 1) if 0 < one < WINDOW - 1]
        assert sorted(p) == spikes_
        if len(p) == 2:
            seconds += 1
            heights = sorted(values[p, 2] - np.median(values[:, 2]))
            ratios.append(heights[0] / heights[1])
            assert p[1] - p[0] >= 200
    # Half of the windows get one, but for the few in which it fits neither behind nor before the first.
    assert 150 < seconds < 250
    assert 0.1 * 0.999 <= min(ratios) < 0.2 < 0.8 < max(ratios) <= 1.001
    alone = [own for own in targets if all(len(peaks_of(own[:, phase])) == 1 for phase in (1, 2))]
    # S of one earthquake may be left of P of the other where the other phase of each is at an edge.
    assert {one for one in records_in(np.array(alone)) if one >= 0} <= set(halves().training.tolist())


def test_noise_is_of_the_training_stations_and_has_the_asked_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    given_: list[Any] = []

    def spy(noise: Noise, rows: Array, count: int, random: Any) -> Array:
        given_.append(rows.tolist())
        return noise_windows(noise, rows, count, random)

    monkeypatch.setattr(recipes, "noise_windows", spy)
    ((inputs, targets),) = drawn("noise", count=400)
    assert given_ == [halves().training_noise.tolist()]
    plain, ratios = 0, []
    for values, wanted in zip(inputs, targets, strict=True):
        peak = peaks_of(wanted[:, 1])
        if not peak:
            continue
        rest = np.delete(values[:, 2], peak[0]).astype(float)
        if rest.std() < 1e-4:
            plain += 1
            continue
        # The deviation from P on of a spike, over that of the noise around it.
        after = WINDOW - peak[0]
        height = float(values[peak[0], 2]) / rest.std()
        signal = height * math.sqrt((after - 1) / after**2)
        ratios.append(20 * math.log10(signal))
    assert 150 < plain < 250
    # A spike of a single sample also holds one sample of the noise.
    assert np.quantile(ratios, 0.05) > -4
    assert np.quantile(ratios, 0.95) < 22
    assert np.median(ratios) == pytest.approx(10, abs=2)
    others: tuple[tuple[Augmentation, int], ...] = (("false_positives", 1), ("combined", 2))
    for name, times in others:
        given_.clear()
        drawn(name, count=60)
        assert given_ == [halves().training_noise.tolist()] * times


def test_false_positives_are_noise_without_an_arrival_in_a_tenth_of_the_windows() -> None:
    ((inputs, targets),) = drawn("false_positives", count=600)
    none = targets[:, :, 0].min(axis=1) == 1
    assert 30 < none.sum() < 95
    for values in inputs[none]:
        assert values.any(axis=0).all()
        assert (np.abs(values) > 1e-3).mean() > 0.2
    assert np.median(np.abs(inputs[~none])) < 0.05


def test_dropout_leaves_half_of_the_windows_alone() -> None:
    ((inputs, _),) = drawn("channel_dropout", count=600)
    held = inputs.any(axis=1)
    assert held.any(axis=1).all()
    # An eighth of the windows that are changed keeps all three; S may be outside, and with it both horizontals.
    vertical = held[:, 2].mean()
    assert vertical == pytest.approx(1 - 0.5 * (1 - 4 / 7), abs=0.08)


def test_magnitudes_are_drawn_evenly_and_records_of_a_bin_too() -> None:
    counts = Counter(records_in(drawn("magnitudes", count=1200)[0][1]))
    del counts[-1]
    table = spikes().traces.table
    bins: dict[Any, int] = Counter()
    for record, count in counts.items():
        magnitude = table["magnitude"][record]
        bins["none" if math.isnan(magnitude) else math.floor(magnitude / 0.5)] += count
    # Magnitudes of the twelve: four unknown, below 0.5 and below 1 and above.
    assert set(bins) == {"none", 0, 1, 2}
    assert max(bins.values()) < 1.4 * min(bins.values())


def test_no_augmentation_uses_what_validates_or_is_tested() -> None:
    """Values of other records are no numbers: any that was used would show."""
    study, fold = spikes(), halves()
    values, noise = study.traces.values.copy(), study.noise.values.copy()
    for own, rows in ((values, fold.training), (noise, fold.training_noise)):
        own[np.setdiff1d(np.arange(20), rows)] = NAN
    marked = Study(dataclasses.replace(study.traces, values=values), dataclasses.replace(study.noise, values=noise))
    for augmentation in AUGMENTATIONS:
        inputs, _ = epochs_of(augmentation, marked, fold, 60, generator())(0)
        assert np.isfinite(inputs).all()


# Training


class Scripted:
    """Stands in for a network: its weights are the number of its steps, its losses are told beforehand."""

    def __init__(self, validation: list[float]) -> None:
        self.weights, self.losses = [0], iter(validation)
        self.batches: list[int] = []
        self.forgotten = 0

    def compile(self, **options: Any) -> None:
        self.options = options

    def reset_metrics(self) -> None:
        self.forgotten += 1

    def train_on_batch(self, inputs: Array, targets: Array) -> float:
        assert len(inputs) == len(targets)
        self.batches.append(len(inputs))
        self.weights = [self.weights[0] + 1]
        return float(inputs.mean())

    def evaluate(self, *pairs: Any, **options: Any) -> float:
        return next(self.losses)

    def get_weights(self) -> list[int]:
        return list(self.weights)

    def set_weights(self, weights: list[int]) -> None:
        self.weights = weights


def trained(monkeypatch: pytest.MonkeyPatch, validation: list[float]) -> tuple[Scripted, dict[str, list[float]]]:
    stub = SimpleNamespace(optimizers=SimpleNamespace(Adam=lambda rate: ("adam", rate)))
    monkeypatch.setitem(sys.modules, "keras", stub)
    model: Any = Scripted(validation)
    draw = lambda epoch: (np.full((10, 2), epoch, np.float32), np.zeros((10, 2), np.float32))  # noqa: E731
    pairs = np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32)
    settings = TrainingParameters.of(profile="custom", epochs=len(validation), batch_size=4)
    history = train_on_windows(model, draw, pairs, settings, "mean_squared_error")
    return model, history


@pytest.mark.parametrize(
    ("validation", "best"),
    [([3, 1, 2], 2), ([1, 2, 3], 1), ([3, 2, 1], 3), ([3, NAN, 2], 3), ([2, NAN, 3], 1), ([NAN, 3, 2], 3), ([5], 1)],
)
def test_network_is_left_with_the_weights_of_the_epoch_of_least_validation_loss(
    monkeypatch: pytest.MonkeyPatch, validation: list[float], best: int
) -> None:
    """Ten windows in batches of four are three steps an epoch; a loss that is no number is never the least."""
    model, history = trained(monkeypatch, [float(one) for one in validation])
    assert model.weights == [3 * best]
    np.testing.assert_array_equal(history["val_loss"], validation)


def test_each_epoch_sees_the_windows_that_were_drawn_for_it_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, history = trained(monkeypatch, [1.0, 2.0])
    assert model.batches == [4, 4, 2] * 2
    assert model.forgotten == 6
    assert history["loss"] == [0, 1]
    assert model.options == {"optimizer": ("adam", 0.01), "loss": "mean_squared_error"}


# Judging: an oracle that sees spikes


def oracle(values: Array) -> Array:
    """Return P where the vertical component has a spike, S where the first horizontal has one."""
    p, s = (np.where(values[:, :, component] > 5, 0.9, 0.0) for component in (2, 0))
    found: Array = np.stack([1 - np.maximum(p, s), p, s], axis=2).astype(np.float32)
    return found


def judged(study: Study | None = None, thresholds: tuple[float, ...] = (0.5, 0.5), **values: Any) -> Judged:
    with mock.patch.multiple(detection, NOISE_WINDOWS=60, SIGNALS=20):
        return judge(Picker(oracle, thresholds), simulated(seed=1, **values), study or spikes(), halves(), 0)


@cache
def perfect() -> Judged:
    return judged()


def test_oracle_picks_every_arrival_that_is_in_its_window_and_nothing_else() -> None:
    found = perfect()
    p = found.counts["p"]
    assert p == Counts(16, 0, 0)
    s = found.counts["s"]
    assert (s.false, s.missed) == (0, 0)
    assert 10 <= s.hits <= 16
    assert found.arrivals == 16 + s.hits
    for name in ("p,high", "p,within 0.1 s", "p,within 0.5 s", "p,from 0.1", "p,from 0.7"):
        assert found.counts[name] == p
    assert found.counts["p,low"] == Counts(0, 0, 0)
    metrics = found.metrics
    assert metrics["pick_f1[p]"] == metrics["pick_precision[s]"] == metrics["pick_recall[s]"] == 1
    assert (metrics["threshold[p]"], metrics["threshold[s]"]) == (0.5, 0.5)


def test_oracle_needs_the_component_that_holds_a_phase() -> None:
    counts = perfect().counts
    for subset, (p, s) in {"z": (1, 0), "e": (0, 1), "n": (0, 0), "en": (0, 1), "enz": (1, 1)}.items():
        assert counts[f"p,{subset},high"].recall == p
        assert counts[f"s,{subset},high"].recall == s
    kept = judged(components="en").counts
    assert kept["p"] == Counts(0, 0, 16)
    assert kept["s"] == perfect().counts["s"]


def test_threshold_above_the_oracle_finds_nothing() -> None:
    found = judged(thresholds=(0.95, 0.5))
    assert found.counts["p"] == Counts(0, 0, 16)
    assert found.counts["s"] == perfect().counts["s"]


def test_windows_of_records_up_to_twenty_decibels_are_counted_apart() -> None:
    snr = np.full(20, 40.0)
    snr[[16, 17, 18]] = (20.0, 5.0, 20.1)
    counts = judged(spikes(snr=snr)).counts
    assert counts["p,low"] == Counts(8, 0, 0)
    assert counts["p,high"] == Counts(8, 0, 0)
    assert counts["p,z,high"] == Counts(8, 0, 0)


def test_window_that_slides_has_p_where_p_is() -> None:
    found = perfect()
    np.testing.assert_allclose(found.arrays["activation"], 0.9, rtol=1e-6)
    expected = np.where(np.arange(1, 30) == 10, 0.9, 0.0)
    np.testing.assert_allclose(found.arrays["activation_at_10"], expected, rtol=1e-6)
    assert found.means["activation[edges]"] == pytest.approx([0.9])
    assert found.means["activation[10 s, P at 25 s]"] == [0]


def test_both_of_two_earthquakes_are_recalled_by_the_oracle() -> None:
    recalls = perfect().recalls
    assert recalls["p,first event"].recall == recalls["p,second event"].recall == 1
    assert recalls["s,first event"].recall == 1
    total = recalls["p,first event"].hits
    assert recalls["p,second event"].hits == total > 150


def test_picks_in_noise_are_counted_by_the_hour() -> None:
    rates, study = perfect().rates, spikes()
    hours = 200 * 30 / 3600
    assert rates["none"] == (0, pytest.approx(hours))
    parameters = simulated(seed=1)
    noise = noise_windows(study.noise, halves().test_noise, 200, parameters.generator(samples_module.NOISE, 0))
    plain = Windows(noise, np.full((200, 1, 2), NAN))
    made = add_artifacts(plain, np.full(200, "impulse"), parameters.generator(samples_module.ARTIFACTS, 0)).values
    scaled = (made - made.mean(axis=1, keepdims=True)) / made.std(axis=1, keepdims=True)
    expected = sum(bool((own[:, component] > 5).any()) for own in scaled for component in (2, 0))
    assert rates["impulse"] == (expected, pytest.approx(hours))
    assert expected > 50
    assert set(rates) == {f"{kind}{ending}" for kind in ("none", *ARTIFACTS) for ending in scores_module.READINGS}
    assert perfect().metrics["picks_per_hour[impulse]"] == pytest.approx(expected / hours)


def test_oracle_sees_every_earthquake_in_noise_of_its_threshold() -> None:
    means = perfect().means
    for ratio in RATIOS:
        assert means[f"detected[{ratio} dB]"] == [100]
    assert means["detected[mean]"] == [100]


def test_records_of_another_country_are_judged_by_the_same_thresholds_and_all_of_them() -> None:
    found = {}
    snr = np.full(20, 40.0)
    snr[:5] = 12.0
    for thresholds in ((0.5, 0.5), (0.95, 0.5)):
        judged = Judged()
        with mock.patch.object(scores_module, "_study_elsewhere", lambda: spikes(snr=snr)):
            scores_module._elsewhere(judged, Picker(oracle, thresholds), simulated(seed=1), 0)
        found[thresholds[0]] = judged.counts
    # Four windows of each of the twenty records.
    assert found[0.5]["p,elsewhere"] == Counts(80, 0, 0)
    assert found[0.95]["p,elsewhere"] == Counts(0, 0, 80)
    assert found[0.5]["s,elsewhere"] == found[0.95]["s,elsewhere"]
    assert found[0.5]["s,elsewhere"].hits > 40
    # Strong and weak signals apart, and at a fixed threshold beside the chosen one.
    assert (found[0.5]["p,elsewhere,low"], found[0.5]["p,elsewhere,high"]) == (Counts(20, 0, 0), Counts(60, 0, 0))
    assert found[0.95]["p,elsewhere,low"] == Counts(0, 0, 20)
    assert found[0.95]["p,elsewhere,low,from 0.5"] == Counts(20, 0, 0)


def test_every_order_is_counted_at_a_fixed_threshold_too() -> None:
    chosen, strict = perfect().metrics, judged(thresholds=(0.95, 0.95)).metrics
    endings = [name.removesuffix(",from 0.5]") for name in strict if name.endswith(",from 0.5]")]
    wanted = ("p,high", "s,low", "p,enz,high", "s,n,high", "p,second event", "gap", "impulse")
    assert all(any(name.endswith(f"[{one}") for name in endings) for one in wanted)
    for name in endings:
        assert strict[f"{name},from 0.5]"] == chosen[f"{name}]"]
    assert strict["pick_f1[p,enz,high]"] == 0 < strict["pick_f1[p,enz,high,from 0.5]"]


def test_window_is_quiet_only_if_nothing_begins_in_all_of_its_thirty_seconds() -> None:
    hum = np.sin(2 * np.pi * 5 * np.arange(6 * WINDOW) / 100)
    noise = np.repeat(hum[:, None], 3, axis=1).astype(np.float32)
    noise[WINDOW + 300 : WINDOW + 400] *= 40  # three seconds after the begin of the second window
    noise[3 * WINDOW + 5] = np.nan
    windows, quiet = scores_module._windows_of(noise)
    # The fourth is not whole, the first has nothing before it, and before the fifth something is missing, but earlier.
    assert len(windows) == len(quiet) == 5
    np.testing.assert_array_equal(windows[3], noise[4 * WINDOW : 5 * WINDOW])
    assert quiet.tolist() == [False, False, True, True, True]


@pytest.mark.data
def test_noise_of_the_pinned_records_holds_no_known_earthquake() -> None:
    names = set(pinned().noise.table["name"])
    assert len(names) == 77
    assert not names & NOT_NOISE
    assert set(pinned().traces.table["name"]) >= NOT_NOISE


@pytest.mark.data
def test_records_of_another_country_share_no_station_with_those_that_are_trained_on() -> None:
    own, other = load_traces(("phasenet_ncedc", "ceed_ncedc"), network=False), scores_module._study_elsewhere().traces
    assert len(other) == 200
    assert not set(own.table["station"]) & set(other.table["station"])


def test_folds_are_put_together_by_counts_and_not_by_scores() -> None:
    parts = [
        Judged({"p": Counts(1, 2, 3)}, {"x": Counts(1, 0, 1)}, {"none": (3.0, 0.5)}, {"m": [1.0]}, {"c": np.ones(2)}),
        Judged({"p": Counts(9, 0, 1)}, {"x": Counts(5, 0, 1)}, {"none": (0.0, 1.0)}, {"m": [4.0]}, {"c": np.zeros(2)}),
    ]
    whole = together(parts)
    metrics = whole.metrics
    assert whole.counts["p"] == Counts(10, 2, 4)
    assert metrics["pick_precision[p]"] == pytest.approx(10 / 12)
    assert metrics["pick_recall[p]"] == pytest.approx(10 / 14)
    assert metrics["pick_f1[p]"] == pytest.approx(20 / 26)
    assert metrics["pick_recall[x]"] == pytest.approx(6 / 8)
    assert not {"pick_precision[x]", "pick_f1[x]"} & set(metrics)
    assert metrics["picks_per_hour[none]"] == pytest.approx(2)
    assert metrics["m"] == 2.5
    assert whole.arrays["c"].tolist() == [0.5, 0.5]
    assert parts[0].counts["p"] == Counts(1, 2, 3)


def test_windows_of_one_kind_are_matched_among_themselves() -> None:
    picks = Picks(np.array([0, 1, 1, 2]), np.array([50, 50, 150, 50]), np.full(4, 0.9))
    arrivals = np.array([[50.0], [50.0], [80.0], [90.0]])
    among = scores_module._match_among
    assert among(picks, arrivals, np.array([True, False, True, True]), 0.1) == Counts(1, 1, 2)
    assert among(picks, arrivals, np.array([False, True, False, False]), 0.1) == Counts(1, 1, 0)


def test_thresholds_are_chosen_phase_by_phase() -> None:
    """P is certain from 0.6 on and wrong below; S is right from 0.2 on."""
    count = 40

    def give(values: Array) -> Array:
        found = np.zeros((len(values), WINDOW, 3), np.float32)
        found[: count // 2, 1000, 1] = 0.62
        found[:, 2000, 1] = 0.58
        found[:, 1500, 2] = 0.22
        return found

    windows = Windows(
        np.zeros((count, WINDOW, 3), np.float32), np.tile(np.array([[1000.0, 1500.0]]), (count, 1))[:, None]
    )
    p, s = choose_thresholds(give, windows, 0.1)
    assert p == pytest.approx(0.6)
    assert 0.05 <= s <= 0.2


# Detection


def ratio_of(signal: Array, added: Array, p: int) -> float:
    return 20 * math.log10(signal[p:].astype(float).std() / added.astype(float).std())


def assert_ratios_are_true(study: Study, fold: Fold, parameters: Any) -> None:
    made = semi_synthetic(parameters, study, fold, 0)
    assert tuple(made) == RATIOS
    random = parameters.generator(samples_module.TESTING, 1000)
    rows = random.choice(clear_rows(study, fold.test, detection.CLEAR_SNR), detection.SIGNALS)
    clean = windows_at(study, rows, random.uniform(*detection.PLACES, detection.SIGNALS))
    wrong: Counter[str] = Counter()
    for ratio, values in made.items():
        for own, before, p in zip(values, clean.values, clean.arrivals[:, 0, 0], strict=True):
            assert 1200 <= p <= 2200
            for component in range(3):
                added = own[:, component].astype(float) - before[:, component]
                if not added.any() or abs(ratio_of(before[:, component], added, int(p)) - ratio) > 0.1:
                    wrong["no noise" if not added.any() else "another ratio"] += 1
    assert wrong == {}


def test_earthquakes_stand_at_the_named_ratio_above_noise_in_each_component() -> None:
    assert_ratios_are_true(spikes(), halves(), simulated())


@pytest.mark.data
@pytest.mark.parametrize("number", range(3))
def test_real_earthquakes_stand_at_the_named_ratio_above_real_noise_in_each_component(number: int) -> None:
    """Noise of one component leaves two of a record's three as clear as they were, whatever ratio is printed."""
    parameters = NetworkParameters.of()
    assert_ratios_are_true(pinned(), folds_of(parameters, pinned())[number], parameters)


@pytest.mark.data
def test_same_earthquakes_and_the_same_noise_stand_at_each_ratio() -> None:
    parameters, study = NetworkParameters.of(), pinned()
    fold = folds_of(parameters, study)[0]
    made = semi_synthetic(parameters, study, fold, 0)
    louder, quieter = made[0].astype(float), made[20].astype(float)
    # At 0 dB there is ten times as much of the noise as at 20: nine tenths of it are what they differ by.
    signal = quieter - (louder - quieter) / 9
    third = signal + (louder - signal) * 10 ** (5 / 20)
    scale = np.abs(third).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(made[-5] / scale, third / scale, atol=1e-4)


def test_threshold_is_what_a_twentieth_of_the_tested_noise_exceeds() -> None:
    """Each record of noise has a level of its own: what was drawn can be told from the scores."""
    study, fold = spikes(), halves()
    noise = study.noise.values * 0 + np.arange(20, dtype=np.float32)[:, None, None]
    noise[:, ::2] *= -1
    study = Study(study.traces, dataclasses.replace(study.noise, values=noise))
    seen: list[Array] = []

    def score(values: Array) -> Array:
        seen.append(np.abs(values).max(axis=(1, 2)))
        return seen[-1]

    found = detection_scores(score, simulated(), study, fold, 0)
    test, *others = seen
    assert set(test.tolist()) == {16, 17, 18, 19}
    threshold = np.quantile(test, 0.95)
    expected = {ratio: 100 * (own > threshold).mean() for ratio, own in zip(RATIOS, others, strict=True)}
    assert {ratio: found[f"detected[{ratio} dB]"] for ratio in RATIOS} == pytest.approx(expected)
    assert found["detected[mean]"] == pytest.approx(np.mean(list(expected.values())))


def test_clear_rows_are_whole_records_of_three_components_above_thirty_decibels() -> None:
    columns: dict[str, list[Any]] = {
        "snr": [40, 30, 31, 40, 40, 40, NAN],
        "components": ["ENZ", "ENZ", "ENZ", "Z", "ENZ", "ENZ", "ENZ"],
        "begin": [0, 100, 0, 0, 101, 0, 0],
        "end": [LENGTH, LENGTH, 6000, LENGTH, LENGTH, 5999, LENGTH],
    }
    study = spikes(7, **columns)
    assert clear_rows(study, np.array([6, 5, 4, 3, 2, 1, 0]), 30.0).tolist() == [2, 0]
    assert clear_rows(study, np.array([6, 5, 4, 3, 2, 1, 0])).tolist() == [2, 1, 0]
    with pytest.raises(ParameterError):
        clear_rows(study, np.array([3, 5, 6]))


def test_fold_without_a_clear_record_is_refused_in_words() -> None:
    """As one without noise is: records of one's own need not be as clear."""
    with pytest.raises(ParameterError):
        semi_synthetic(simulated(), spikes(20, snr=25.0), halves(), 0)


def test_templates_are_the_first_seconds_of_training_records_alone() -> None:
    study = spikes(20, snr=np.where(np.arange(20) == 3, 25.0, 40.0))
    found = templates_of(study, halves())
    assert found.shape == (11, 400, 3)
    assert (found[:, :, 2].argmax(axis=1) == 50).all()
    s = [int(own[:, 0].argmax()) if own[:, 0].any() else None for own in found]
    assert s == [50 + 40 + 10 * row for row in halves().training if row != 3]


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["sta_lta", "template_matching"])
def test_detector_is_scored_on_each_fold(monkeypatch: pytest.MonkeyPatch, detector: str) -> None:
    for name, value in (("NOISE_WINDOWS", 40), ("SIGNALS", 12)):
        monkeypatch.setattr(detection, name, value)
    monkeypatch.setattr(detectors, "TEMPLATES", 4)
    result = run_detector(simulated(DetectorParameters, detector=detector))
    metrics: Any = result.metrics
    assert set(metrics) == {"detected[mean]", *(f"detected[{ratio} dB]" for ratio in RATIOS)}
    assert all(0 <= value <= 100 for value in metrics.values())
    assert metrics["detected[20 dB]"] >= metrics["detected[-10 dB]"]
    assert metrics["detected[20 dB]"] > 80
    assert run_detector(simulated(DetectorParameters, detector=detector)).metrics == metrics


# Recovery


def test_relative_error_is_one_for_nothing_and_zero_for_the_truth() -> None:
    study = Study(*simulate_traces(1, 6))
    clipped, true = clipped_pairs(study, np.arange(6), generator())
    np.testing.assert_allclose(relative_errors(clipped, true, clipped), 1)
    np.testing.assert_allclose(relative_errors(clipped, true, true), 0)
    np.testing.assert_allclose(relative_errors(clipped, true, (clipped + true) / 2), 0.25, rtol=1e-4)
    known = np.where(np.abs(clipped) < 1, np.float32(77), true)
    np.testing.assert_allclose(relative_errors(clipped, true, known), 0)


def test_relative_error_is_that_of_a_loop() -> None:
    clipped = np.array([[[1, 0.5, -1], [0.2, -1, -1]]], dtype=np.float32)
    true = np.array([[[3, 0.5, -2], [0.2, -1.5, -1]]], dtype=np.float32)
    recovered = np.array([[[2, 9, -2], [9, -1, -2]]], dtype=np.float32)
    assert relative_errors(clipped, true, recovered) == pytest.approx([(1 + 0 + 0.25 + 1) / (4 + 1 + 0.25)])


def test_clipped_pairs_saturate_at_one_and_agree_elsewhere() -> None:
    study = Study(*simulate_traces(1, 6))
    clipped, true = clipped_pairs(study, np.array([1, 4]), generator())
    assert clipped.shape == true.shape == (8, WINDOW, 3)
    np.testing.assert_array_equal(np.abs(clipped).max(axis=(1, 2)), 1)
    np.testing.assert_allclose(clipped, np.clip(true, -1, 1), atol=1e-6)
    assert (clipped[np.abs(clipped) < 1] == true[np.abs(clipped) < 1]).all()
    largest = np.abs(true).max(axis=(1, 2))
    assert ((largest > 1 / 0.81) & (largest < 1 / 0.19)).all()
    np.testing.assert_allclose(true.mean(axis=1), 0, atol=1e-3)
    for window, row in zip(true, np.repeat([1, 4], 4), strict=True):
        whole = study.traces.values[row, :, 2].astype(float)
        matches = np.correlate(whole - whole.mean(), window[:, 2].astype(float), "valid")
        start = int(matches.argmax())
        assert 200 <= BEFORE - start <= 1000


def test_spline_goes_through_what_was_cut_off_a_cubic() -> None:
    """A cubic through the samples that are left is the cubic."""
    times = np.linspace(-1.1, 1.1, 40)
    true = np.stack([1.5 - times**2, 3.2 * (times**3 - times), 0 * times], axis=1)[None].astype(np.float32)
    clipped = np.clip(true, -1, 1)
    before = clipped.copy()
    found = splined(clipped)
    np.testing.assert_allclose(found, true, atol=2e-5)
    np.testing.assert_array_equal(clipped, before)
    known = np.abs(clipped) < 1
    np.testing.assert_array_equal(found[known], clipped[known])
    assert (np.abs(true) > 1).sum() > 10


def test_spline_leaves_alone_what_it_knows_nothing_of() -> None:
    clipped = np.ones((1, 20, 3), dtype=np.float32)
    clipped[0, :, 1] = 0.3
    np.testing.assert_array_equal(splined(clipped), clipped)


def test_recovery_of_none_gains_nothing_and_a_spline_gains_something() -> None:
    none, spline = (run_recovery(simulated(RecoveryParameters, method=method)) for method in ("none", "spline"))
    metrics: Any = none.metrics
    assert metrics["relative_error"] == pytest.approx(1)
    assert [metrics[name] for name in ("recovery_gain", "recovery_gain[10 %]", "recovery_gain[90 %]")] == [0, 0, 0]
    assert metrics["recovered"] == 0
    clear = (simulate_traces(samples_module.SIMULATION, 40)[0].table["snr"] > 20).sum()
    assert none.n == spline.n == 4 * clear
    other: Any = spline.metrics
    assert other["recovery_gain"] == pytest.approx(-10 * math.log10(other["relative_error"]), abs=0.01)
    assert other["recovery_gain[10 %]"] <= other["recovery_gain"] <= other["recovery_gain[90 %]"]


def test_recovery_is_judged_by_clear_records_of_three_components() -> None:
    study = spikes(4, snr=[40.0, 20.0, 40.0, NAN], components=["ENZ", "ENZ", "Z", "ENZ"])
    assert clear_rows(study, np.array([3, 2, 1, 0])).tolist() == [0]


# Few records


def few_traces(count: int = 30, seed: int = 0, **columns: Any) -> Traces:
    values = generator(seed).normal(size=(count, LENGTH, 3)).astype(np.float32)
    return Traces(values, np.full(count, 3200.0), table_of(count, **columns), {})


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31), st.integers(1, 15), st.integers(2, 12))
def test_training_and_test_share_no_group_and_training_is_as_large_as_asked(
    seed: int, wanted: int, groups: int
) -> None:
    random = generator(seed)
    own, begin = random.integers(0, groups, 40), random.choice([0, 0, 852, 853], 40)
    traces = Traces(np.zeros((40, 1, 3), np.float32), np.zeros(40), table_of(40, group=own, begin=begin), {})
    try:
        training, test = split(traces, wanted, generator(seed))
    except ParameterError:
        assert len(np.unique(own[begin <= 852])) < wanted + 1
        return
    assert len(training) == wanted == len(set(training.tolist()))
    assert len(test) == len(set(test.tolist())) > 0
    assert not set(own[training]) & set(own[test])
    assert (begin[training] <= 852).all()
    assert (begin[test] <= 852).all()
    again = split(traces, wanted, generator(seed))
    assert [part.tolist() for part in again] == [training.tolist(), test.tolist()]


def test_too_few_records_to_train_and_test_are_refused() -> None:
    for traces, wanted in ((few_traces(5), 5), (few_traces(6, group=0), 3)):
        with pytest.raises(ParameterError):
            split(traces, wanted, generator())


def test_two_classes_are_windows_of_the_same_records() -> None:
    traces, rows = few_traces(8), np.array([5, 2, 7])
    found = windows_of(traces, rows, generator(1))
    assert found.values.shape == (6, 2048, 3)
    assert found.labels.tolist() == [1, 1, 1, 0, 0, 0]
    places = set()
    for number, row in enumerate([5, 2, 7, 5, 2, 7]):
        own = traces.values[row]
        (start,) = np.flatnonzero(own[:, 0] == found.values[number, 0, 0])
        np.testing.assert_array_equal(found.values[number], own[start : start + 2048])
        if number < 3:
            assert 200 <= BEFORE - start <= 1500
            places.add(int(start))
        else:
            assert start + 2048 == BEFORE - 100
    assert len(places) == 3


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=12))
def test_cut_between_classes_is_right_as_often_as_any(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([float(score) for score, _ in rows])
    labels = np.array([int(label) for _, label in rows])
    if len(set(scores)) < 2:
        return
    cut = few_records._best_cut(scores, labels)
    right = {one: ((scores > one) == labels).mean() for one in np.arange(scores.min(), scores.max(), 0.5)}
    assert ((scores > cut) == labels).mean() >= max(right.values())


def test_features_do_not_depend_on_the_polarity_or_the_size_of_a_window() -> None:
    """Coefficients of first and second order are of moduli: they know no sign."""
    values = generator(2).normal(size=(4, 2048, 3)).astype(np.float32)
    features = scattering_features(values)
    assert np.isfinite(features).all()
    np.testing.assert_allclose(scattering_features(5 * values), features, atol=1e-3)
    np.testing.assert_allclose(scattering_features(-values), features, atol=1e-3)


def test_component_that_was_not_recorded_has_the_least_features() -> None:
    values = generator(2).normal(size=(2, 2048, 3)).astype(np.float32)
    values[:, :, 1] = 0
    parts = np.split(scattering_features(values), 3, axis=1)
    np.testing.assert_allclose(parts[1], math.log(few_records.LEAST))
    assert (parts[0] > parts[1]).mean() > 0.9


@pytest.mark.parametrize("classifier", ["sta_lta", pytest.param("scattering", marks=pytest.mark.slow)])
def test_few_simulated_records_are_enough_to_tell_earthquakes(classifier: str) -> None:
    unit = FewRecordParameters.of(profile="custom", source="simulated", classifier=classifier, records=40)
    result = run_few_records(unit)
    metrics: Any = result.metrics
    assert metrics["trained"] == 40
    assert result.n % 2 == 0
    assert metrics["accuracy"] > 90
    mean = (metrics["accuracy[earthquakes]"] + metrics["accuracy[noise]"]) / 2
    assert metrics["accuracy"] == pytest.approx(mean)
    assert run_few_records(unit).metrics == metrics


@pytest.mark.data
def test_few_pinned_records_share_no_station_and_no_earthquake_with_those_that_are_tested() -> None:
    traces = load_traces(("phasenet_ncedc", "ceed_ncedc", "denoiser_ncedc"), network=False)
    for seed in range(3):
        training, test = split(traces, 50, generator(seed))
        one, other = traces.table.iloc[training], traces.table.iloc[test]
        assert len(one) == 50 < len(other)
        assert not set(one["station"]) & set(other["station"])
        apart = np.abs(one["time"].to_numpy()[:, None] - other["time"].to_numpy())
        assert apart.min() >= np.timedelta64(90, "s")
        labelled = windows_of(traces, training, generator(seed))
        assert labelled.values.any(axis=(1, 2)).all()


# The example network


def test_rows_of_the_example_are_3750_and_1250_scaled_by_those_trained_on() -> None:
    table = load_table()
    (inputs, labels), (tested, others) = table.training, table.test
    assert inputs.shape == (3750, 5)
    assert tested.shape == (1250, 5)
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(axis=0), 1, atol=1e-5)
    assert np.abs(tested.mean(axis=0)).max() > 1e-4
    assert set(labels) == set(others) == {0, 1}
    assert abs(float(labels.mean()) - 0.5) < 0.03
    # Of the three informative features each is told apart by the classes, of the two others neither.
    shares = [abs(np.corrcoef(inputs[:, one] ** power, labels)[0, 1]) for one in (3, 4) for power in (1, 2)]
    assert max(shares) < 0.06
    seen = {tuple(row) for row in inputs.tolist()}
    assert not any(tuple(row) in seen for row in tested.tolist())


@pytest.mark.slow
@pytest.mark.parametrize("model", ["support_vector_machine", "random_forest"])
def test_other_models_of_the_example_are_scored_on_the_tested_rows(keras: Any, model: Any) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import SVC

    unit = ExampleParameters.of(model=model)
    result = run_example(unit)
    table = load_table()
    own = SVC() if model == "support_vector_machine" else RandomForestClassifier(random_state=unit.random_seeds(1)[0])
    forecast = own.fit(*table.training).predict(table.test[0])
    metrics: Any = result.metrics
    right = sum(one == other for one, other in zip(forecast.tolist(), table.test[1].tolist(), strict=True))
    assert metrics["accuracy"] == pytest.approx(100 * right / 1250)
    assert (metrics["rows"], metrics["rows[fitted]"], result.n) == (3750, 3375, 1250)


# The picker that learns nothing


def arriving(p: int = 1000, s: int = 1800, live: str = "ENZ") -> Array:
    """Return a window of faint noise in which P arrives on the vertical and S on the horizontals, at 8 Hz."""
    values = 0.01 * generator(5).normal(size=(1, WINDOW, 3))
    times = np.arange(WINDOW) / RATE
    for letter, onset in (("Z", p), ("E", s), ("N", s)):
        wave = np.sin(2 * np.pi * 8 * (times - times[onset])) * np.exp(-np.maximum(times - times[onset], 0) / 2)
        values[0, onset:, "ENZ".index(letter)] += wave[onset:]
    dead = [number for number, letter in enumerate("ENZ") if letter not in live]
    values[0, :, dead] = 0
    return values.astype(np.float32)


def best_places(values: Array) -> list[int]:
    """Return where the picker that learns nothing is surest of P and of S."""
    found = trigger_probability(values)
    return [int(found[0, :, phase].argmax()) for phase in (1, 2)]


def test_trigger_finds_p_on_the_vertical_and_s_on_the_horizontals() -> None:
    p, s = best_places(arriving())
    assert abs(p - 1000) <= 10
    assert abs(s - 1800) <= 10


def test_trigger_takes_what_was_recorded_where_its_component_is_missing() -> None:
    p, s = best_places(arriving(live="Z"))
    assert abs(p - 1000) <= 10
    assert abs(s - 1000) <= 10
    p, s = best_places(arriving(live="EN"))
    assert abs(p - 1800) <= 10
    assert abs(s - 1800) <= 10
    assert not trigger_probability(np.zeros((2, WINDOW, 3), dtype=np.float32)).any()


def test_trigger_is_as_sure_as_its_ratio_is_large() -> None:
    record = arriving()[0, :, 2:].astype(float)
    samples, ratios = onsets(record)
    first = int(ratios.argmax())
    assert abs(int(samples[first]) - 1000) <= 10
    # By hand: averages of squares that forget with 1/30 and 1/300 of a second, from the first sample on.
    short = long = 0.0
    largest = 0.0
    for number, value in enumerate(record[:, 0] ** 2):
        short += (value - short) / 30
        long += (value - long) / 300
        largest = max(largest, short / long if number >= 300 else 0.0)
    assert ratios[first] == pytest.approx(largest, rel=1e-6)


@pytest.mark.slow
def test_trigger_picker_is_judged_on_every_fold_with_thresholds_of_its_own() -> None:
    result = run_trigger_picker(simulated(TriggerParameters, folds=2))
    metrics: Any = result.metrics
    assert metrics["pick_f1[p]"] > 0.5  # simulated onsets are sharp
    assert 0 <= metrics["threshold[s]"] <= 1


# Networks, by formula


@pytest.fixture(scope="module")
def keras() -> Any:
    load_keras()
    import keras

    return keras


def convolve(inputs: Array, kernel: Array, stride: int = 1) -> Array:
    """Convolve along the times; zeros around them, of which a half, rounded down, stands in front."""
    width, times = len(kernel), inputs.shape[1]
    outputs = -(-times // stride)
    around = max((outputs - 1) * stride + width - times, 0)
    found = np.zeros((len(inputs), outputs, kernel.shape[2]))
    for place in range(outputs):
        for offset in range(width):
            time = place * stride + offset - around // 2
            if 0 <= time < times:
                found[:, place] += inputs[:, time] @ kernel[offset]
    return found


def spread(inputs: Array, kernel: Array, stride: int) -> Array:
    """Spread each time over those that a convolution of that stride would have gathered it from."""
    width, times = len(kernel), inputs.shape[1] * stride
    front = max((inputs.shape[1] - 1) * stride + width - times, 0) // 2
    found = np.zeros((len(inputs), times, kernel.shape[1]))
    for place in range(inputs.shape[1]):
        for offset in range(width):
            time = place * stride + offset - front
            if 0 <= time < times:
                found[:, time] += inputs[:, place] @ kernel[offset].T
    return found


def literal(model: Any, inputs: Array) -> Array:
    """Compute the probabilities of the network from its weights by name."""
    weights = {
        f"{layer.name}/{weight.name}": np.asarray(weight, dtype=float)
        for layer in model.layers
        for weight in layer.weights
    }

    def normalised(values: Array, name: str) -> Array:
        gamma, beta, mean, variance = (
            weights[f"{name}/{one}"] for one in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        found: Array = np.maximum((values - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)
        return found

    values = convolve(inputs, weights["input_conv/kernel"]) + weights["input_conv/bias"]
    values, beside = normalised(values, "input_bn"), []
    for depth in range(1, 6):
        values = normalised(convolve(values, weights[f"down_conv1_{depth}/kernel"]), f"down_bn1_{depth}")
        if depth < 5:
            beside.append(values)
            values = normalised(convolve(values, weights[f"down_conv3_{depth}/kernel"], 4), f"down_bn3_{depth}")
    for depth in range(4, 0, -1):
        values = normalised(spread(values, weights[f"up_conv0_{depth}/kernel"], 4), f"up_bn0_{depth}")
        times = beside[depth - 1].shape[1]
        first = (values.shape[1] - times) // 2
        values = np.concatenate([beside[depth - 1], values[:, first : first + times]], axis=2)
        values = normalised(convolve(values, weights[f"up_conv1_{depth}/kernel"]), f"up_bn1_{depth}")
    logits = convolve(values, weights["output_conv/kernel"]) + weights["output_conv/bias"]
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    found: Array = powers / powers.sum(axis=2, keepdims=True)
    return found


def shaken(model: Any, seed: int) -> Any:
    """Give a network weights that are all different, and so large that no layer fades or saturates."""
    random = generator(seed)

    def drawn_for(name: str, shape: tuple[int, ...]) -> Array:
        if name in ("gamma", "moving_variance"):
            return random.uniform(0.5, 1.5, shape)
        # A transposed kernel ends with its inputs: both ends are of a size.
        return random.normal(size=shape) * (2 / math.sqrt(math.prod(shape[:-1])) if len(shape) == 3 else 0.3)

    for layer in model.layers:
        layer.set_weights([drawn_for(weight.name, tuple(weight.shape)) for weight in layer.weights])
    return model


def check_forward(times: int) -> None:
    model = shaken(build_phasenet(times), times)
    inputs = generator(times).normal(size=(2, times, 3)).astype(np.float32)
    found = np.asarray(model(inputs, training=False))
    assert found.shape == (2, times, 3)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    expected = literal(model, inputs)
    # Each phase is told differently from time to time, so that no layer was lost on the way.
    assert expected.std(axis=1).max(axis=0).min() > 0.05
    np.testing.assert_allclose(found, expected, atol=2e-4)


# Times that strides of four do not divide are cropped on the way up, here by 0 to 3.
@pytest.mark.slow
@pytest.mark.parametrize("times", [100, 187, 256])
def test_network_computes_its_formula(keras: Any, times: int) -> None:
    check_forward(times)


@pytest.mark.slow
def test_network_has_the_weights_of_the_release(keras: Any) -> None:
    model = build_phasenet(WINDOW)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 268_443
    assert tuple(model.output_shape) == (None, WINDOW, 3)
    without = [layer.name for layer in model.layers if "conv" in layer.name and len(layer.weights) == 1]
    assert len(without) == len([layer for layer in model.layers if "conv" in layer.name]) - 2
    other = build_phasenet(WINDOW, outputs=2, activation="linear")
    assert tuple(other.output_shape) == (None, WINDOW, 2)


def check_normalization(times: int, channels: int, offset: float = 0.0) -> None:
    """Compare outputs in training and in inference and the moving averages with Keras's own, over two steps."""
    import keras

    random = generator(times)
    folded, own = folded_batch_normalization("folded"), keras.layers.BatchNormalization()
    for layer in (folded, own):
        layer.build((None, times, channels))
    weights = [random.uniform(0.5, 2, channels), random.normal(size=channels)]
    for layer in (folded, own):
        layer.set_weights([*weights, np.zeros(channels), np.ones(channels)])
    scale = random.uniform(0.2, 5, channels)
    for _ in range(2):
        values = (scale * (random.normal(size=(6, times, channels)) + offset)).astype(np.float32)
        close = {"atol": 1e-3 * (1 + offset / 10), "rtol": 1e-3}
        np.testing.assert_allclose(
            np.asarray(folded(values, training=True)), np.asarray(own(values, training=True)), **close
        )
        for name in ("moving_mean", "moving_variance"):
            one, other = (np.asarray(getattr(layer, name)) for layer in (folded, own))
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        np.asarray(folded(values, training=False)), np.asarray(own(values, training=False)), **close
    )


SHAPES = ((64, 8), (25, 16), (47, 32), (12, 128), (3000, 8), (188, 64))


@pytest.mark.slow
@pytest.mark.parametrize(("times", "channels"), SHAPES)
def test_folded_normalization_is_batch_normalization(keras: Any, times: int, channels: int) -> None:
    check_normalization(times, channels)


@pytest.mark.slow
@pytest.mark.parametrize("offset", [10.0, 100.0, 1000.0, 10_000.0])
def test_folded_normalization_is_batch_normalization_far_from_zero_too(keras: Any, offset: float) -> None:
    """Nothing but the order of sums may differ: the mean may be large beside the deviation."""
    check_normalization(64, 8, offset)


def check_training_step() -> None:
    """Two networks that differ by nothing but the normalisation are the same after three steps."""
    import keras
    from keras import layers

    models = []
    for normalise in (folded_batch_normalization("bn"), layers.BatchNormalization(name="bn")):
        inputs = keras.Input((64, 3))
        hidden = normalise(layers.Conv1D(8, 7, padding="same")(inputs))
        outputs = layers.Conv1D(3, 5, padding="same", activation="softmax")(layers.ReLU()(hidden))
        models.append(keras.Model(inputs, outputs))
    models[1].set_weights(models[0].get_weights())
    random = generator(4)
    values = random.normal(size=(3, 6, 64, 3)).astype(np.float32)
    targets = random.dirichlet(np.ones(3), size=(3, 6, 64)).astype(np.float32)
    before = [weight.copy() for weight in models[0].get_weights()]
    for model in models:
        model.compile(optimizer=keras.optimizers.SGD(0.5), loss="categorical_crossentropy")
    losses = [[float(model.train_on_batch(*pair)) for pair in zip(values, targets, strict=True)] for model in models]
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for old, one, other in zip(before, models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
        # A bias in front of a normalisation changes nothing, and has no gradient.
        assert np.abs(one - old).max() > 1e-4 or one.shape == (8,)


@pytest.mark.slow
def test_folded_normalization_has_the_gradients_of_batch_normalization(keras: Any) -> None:
    check_training_step()


@pytest.mark.slow
def test_checks_of_networks_hold_on_the_default_backend() -> None:
    """Units run on TensorFlow; tests of other papers have loaded another backend into this process."""
    code = (
        "import keras; from tests import test_papers_adamopoulou2023 as own\n"
        "assert keras.backend.backend() == 'tensorflow'\n"
        "own.check_forward(100); own.check_training_step()\n"
        "for times, channels in own.SHAPES: own.check_normalization(times, channels)\n"
    )
    variables = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.data
def test_released_weights_pick_p_in_the_records_of_northern_california(keras: Any) -> None:
    """Its most likely sample, scaled and searched without the library's own picks."""
    folder = Path(os.environ["REPRODUCE_DATA"]) / "waveforms" / "phasenet_weights"
    model = build_phasenet(WINDOW)
    load_released_weights(model, folder / "model_95.ckpt")
    traces = load_traces(("phasenet_ncedc", "ceed_ncedc", "denoiser_ncedc"), network=False)
    table = traces.table
    chosen = (table["snr"] > 15) & (table["begin"] <= 2000) & (table["end"] >= 5000)
    rows = np.flatnonzero(chosen)
    values = traces.values[rows, 2000:5000].astype(float)
    deviation = values.std(axis=1, keepdims=True)
    scaled = (values - values.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1)
    probability = model.predict(scaled.astype(np.float32), batch_size=50, verbose=0)
    np.testing.assert_allclose(probability.sum(axis=2), 1, atol=1e-4)
    found = np.abs(probability[:, :, 1].argmax(axis=1) - 1000) <= 10
    assert len(rows) > 250
    assert found.mean() >= 0.9
    s = traces.s[rows] - 2000
    picked = np.abs(probability[:, :, 2].argmax(axis=1) - s) <= 50
    assert picked[s < 2900].mean() > 0.7


@pytest.mark.slow
@pytest.mark.data
def test_architecture_is_recorded_with_its_weights_and_what_it_finds(keras: Any) -> None:
    result = run_architecture(ArchitectureParameters.of())
    metrics: Any = result.metrics
    assert metrics["weights"] == 268_443
    assert metrics["found"] >= 90
    assert metrics["clear"] == result.n > 250
    assert sum("phasenet_weights" in name for name in result.data) == 2


# Units that train


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge by few windows of few records."""
    monkeypatch.setattr(samples_module, "simulate_traces", lambda seed, count: simulate_traces(seed, 3 * count // 4))
    for module, name, value in (
        (scores_module, "PAIRS", 10), (scores_module, "NOISE_WINDOWS", 10), (detection, "NOISE_WINDOWS", 10),
        (scores_module, "PLACES", np.array([10, 15, 25])), (detection, "SIGNALS", 6),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


@pytest.mark.slow
def test_network_is_trained_and_judged_on_each_fold(keras: Any, small: None) -> None:
    result = run_network(simulated(augmentation="combined", windows=20, epochs=1, folds=2, threshold=0.3))
    metrics: Any = result.metrics
    assert metrics["threshold[p]"] == 0.3
    assert 30 * 4 < result.n <= 30 * 4 * 2
    assert all(np.isfinite(value) for value in metrics.values())


@pytest.mark.slow
def test_network_learns_is_left_at_its_best_epoch_and_is_the_same_again(keras: Any) -> None:
    study, parameters = Study(*simulate_traces(3, 20)), simulated(windows=40, epochs=3)
    models, histories = [], []
    for _ in range(2):
        start_afresh(1)
        model, history = networks.train_picker(parameters, study, halves(), 0, 1)
        models.append(model.get_weights())
        histories.append(history)
    assert histories[0] == histories[1]
    for one, other in zip(*models, strict=True):
        np.testing.assert_array_equal(one, other)
    assert histories[0]["loss"][-1] < histories[0]["loss"][0]
    windows = samples_module.test_windows(study, halves().validation, parameters.generator(samples_module.TESTING, 0))[
        1
    ]
    inputs, targets = recipes.as_pairs(windows)
    probability = np.asarray(model.predict(inputs, verbose=0), dtype=float)
    loss = -(targets * np.log(np.clip(probability, 1e-7, 1))).sum(axis=2).mean()
    assert loss == pytest.approx(min(histories[0]["val_loss"]), rel=1e-3)


@pytest.mark.slow
def test_recovery_network_is_judged_on_the_windows_of_the_other_methods(keras: Any, small: None) -> None:
    unit = simulated(RecoveryParameters, windows=20, epochs=1, folds=2)
    result = run_recovery(unit)
    assert result.n == run_recovery(simulated(RecoveryParameters, method="none", folds=2)).n
    assert all(np.isfinite(float(value)) for value in result.metrics.values())


@pytest.mark.slow
@pytest.mark.parametrize(("classifier", "least"), [("dense", None), ("cnn", 80)])
def test_small_networks_tell_simulated_earthquakes(
    keras: Any, monkeypatch: pytest.MonkeyPatch, classifier: str, least: float | None
) -> None:
    """Convolutions do; what sees every sample for itself cannot from so few, and stays near chance."""
    monkeypatch.setattr(few_records, "simulate_traces", lambda seed, count: simulate_traces(seed, 50))
    unit = FewRecordParameters.of(profile="custom", source="simulated", classifier=classifier, records=40)
    metrics: Any = run_few_records(unit).metrics
    if least is None:
        assert 35 < metrics["accuracy"] < 65
    else:
        assert metrics["accuracy"] > least


@pytest.mark.slow
def test_example_network_has_its_weights_and_learns(keras: Any) -> None:
    assert sum(int(np.prod(weight.shape)) for weight in build_example("network").trainable_weights) == 754
    result = run_example(ExampleParameters.of(epochs=5))
    metrics: Any = result.metrics
    assert metrics["weights"] == 5 * 32 + 32 + 32 * 16 + 16 + 16 * 2 + 2
    assert metrics["accuracy"] > 80
    assert set(result.arrays) == {"accuracy", "loss", "val_accuracy", "val_loss", "plane"}
    assert result.arrays["plane"].shape == (61, 61)
    assert metrics["overfitting"] == pytest.approx(
        result.arrays["val_loss"][-1] - result.arrays["val_loss"].min(), abs=1e-6
    )
    dropouts = [layer for layer in build_example("network_without_dropout").layers if layer.name.startswith("dropout")]
    assert dropouts == []


# Intervals over records and runs


def kept(counts: Any, group: Any) -> dict[str, Array]:
    """Return what a network keeps whose P in all windows has these counts (records, 3)."""
    records = np.zeros((len(counts), 2, 6, 3), dtype=np.uint16)
    records[:, 0, 0] = counts
    return {"records": records, "group": np.asarray(group, dtype=np.uint16)}


def test_scores_of_counts_are_those_of_their_definitions() -> None:
    counts = np.array([[6, 2, 1], [0, 0, 0]])
    assert score_of("precision", counts).tolist() == [6 / 8, 0.0]
    assert score_of("recall", counts).tolist() == [6 / 7, 0.0]
    assert score_of("f1", counts).tolist() == [12 / 15, 0.0]


def test_interval_over_records_is_that_of_a_loop_over_draws() -> None:
    random = generator(3)
    group = random.integers(0, 12, 40)
    runs = [kept(random.integers(0, 5, (40, 3)), group) for _ in range(3)]
    found = interval_over_records(runs, "pick_recall[p]", generator(1))
    drawn = []
    for _ in range(1500):
        groups = random.choice(np.unique(group), len(np.unique(group)))
        means = []
        for run in random.integers(0, 3, 3):
            own = np.concatenate([runs[run]["records"][group == one, 0, 0] for one in groups])
            means.append(Counts(*own.sum(axis=0, dtype=int).tolist()).recall)
        drawn.append(np.mean(means))
    assert found == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.01)


def test_interval_over_records_is_wider_when_records_of_a_group_agree() -> None:
    hit = np.repeat([[4, 0, 0], [0, 0, 4]], 20, axis=0)
    alone = interval_over_records([kept(hit, range(40))], "pick_recall[p]", generator())
    grouped = interval_over_records([kept(hit, np.arange(40) // 10)], "pick_recall[p]", generator())
    assert alone is not None and grouped is not None
    assert grouped[1] - grouped[0] > 2 * (alone[1] - alone[0])


def test_only_scores_of_the_tables_have_an_interval_over_records() -> None:
    runs = [kept([[1, 0, 0]], [0])]
    assert interval_over_records(runs, "pick_recall[p]", generator()) == (1.0, 1.0)
    assert interval_over_records(runs, "pick_recall[p,enz,high]", generator()) == (0.0, 0.0)
    assert interval_over_records(runs, "picks_per_hour[gap]", generator()) is None
    assert interval_over_records([], "pick_recall[p]", generator()) is None


@pytest.mark.slow
def test_counts_of_records_add_up_to_the_counts_of_the_scores() -> None:
    parameters = simulated(folds=2)
    study = load_study(parameters)
    give = scores_module.standardise  # any picker will do that gives three numbers for each sample
    picker = Picker(lambda values: np.clip(give(values), 0, 1), (0.9, 0.9))
    whole = together(
        [judge(picker, parameters, study, fold, number) for number, fold in enumerate(folds_of(parameters, study))]
    )
    for number, phase in enumerate(scores_module.PHASES):
        for column, name in enumerate((phase, *(f"{phase},{subset},high" for subset in scores_module.SUBSETS))):
            assert Counts(*whole.records[:, number, column].sum(axis=0).tolist()) == whole.counts[name]
    tested = whole.records[:, 0, 0].sum(axis=1)
    assert (tested > 0).all()


def test_spline_leaves_what_it_does_not_span() -> None:
    clipped = np.array([1.0, 1.0, 0.5, 0.2, 1.0, 0.4, 1.0], dtype=np.float32)[None, :, None]
    recovered = splined(clipped)[0, :, 0]
    assert recovered[[0, 1, 6]].tolist() == [1.0, 1.0, 1.0]
    assert recovered[4] != 1.0


def test_second_earthquakes_stand_behind_the_first_wherever_there_is_room() -> None:
    study = spikes(40, magnitude=1.0)
    fold = Fold(*(np.arange(40),) * 6)
    draw = generator(5)
    rows = np.repeat(np.arange(40), 10)
    windows = windows_at(study, rows, draw.uniform(0, WINDOW, len(rows)))
    made = recipes._with_second_events(windows, study, fold, draw)
    added = ~np.isnan(made.arrivals[:, 1, 0])
    room = windows.arrivals[:, 0, 1] + recipes.EVENT_SEPARATION < WINDOW
    assert abs(added[room].mean() - recipes.EVENT_SHARE) < 0.1
    assert added.mean() > 0.8 * recipes.EVENT_SHARE
