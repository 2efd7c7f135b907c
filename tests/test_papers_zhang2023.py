"""The rebuilt Zhang et al.: samples and folds by slow loops, networks by formula, and what each design gives away."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache, partial
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from reproduce_lib.data.aeta import LABEL_LAG, Weeks, classes_of, load_weeks
from reproduce_lib.data.aeta_raw import RawSeries
from reproduce_lib.errors import ParameterError, ReproduceError
from reproduce_lib.papers.zhang2023 import evaluation, networks, weighted
from reproduce_lib.papers.zhang2023 import samples as samples_module
from reproduce_lib.papers.zhang2023.backbone_shapes import BackboneShapeParameters, run_backbone_shapes
from reproduce_lib.papers.zhang2023.chance import ChanceParameters, run_chance
from reproduce_lib.papers.zhang2023.dataset_facts import DatasetFactParameters, run_dataset_facts
from reproduce_lib.papers.zhang2023.densenet import build_backbone, build_classifier, build_cnn, features_of
from reproduce_lib.papers.zhang2023.evaluation import (
    DesignParameters,
    Fold,
    Forecast,
    areas_of_events,
    evaluate,
    folds_of,
    oversampled,
    scores_of,
)
from reproduce_lib.papers.zhang2023.fitting import Sampling, epoch_of, fit_until_it_stops
from reproduce_lib.papers.zhang2023.granularity import TABLES, GranularityParameters, possible_sizes, run_granularity
from reproduce_lib.papers.zhang2023.networks import (
    NetworkParameters,
    explicit_features,
    fit_and_score,
    run_network,
    scale,
)
from reproduce_lib.papers.zhang2023.paper import DESIGNS, PAPER, naive_unit
from reproduce_lib.papers.zhang2023.samples import (
    BREAKING,
    SampleParameters,
    SampleSet,
    load_samples,
    raw_samples,
    simulated_weeks,
    surrogate,
    weekly_samples,
)
from reproduce_lib.papers.zhang2023.scaling import scaler
from reproduce_lib.papers.zhang2023.two_classes import most_that_agree, share_of_positives
from reproduce_lib.papers.zhang2023.weighted import WeightedParameters, run_weighted
from reproduce_lib.units import UnitParameters, UnitResult, choices
from reproduce_lib.verdicts import Interval
from tests.support import load_keras

Array = NDArray[Any]
MODELS: tuple[type[DesignParameters], ...] = (ChanceParameters, WeightedParameters, NetworkParameters)


def unit(kind: type[DesignParameters] = ChanceParameters, **values: Any) -> Any:
    """Return a unit on simulated weeks, or on what a test puts in their place."""
    weekly = {} if values.get("source") == "raw" else {"weeks": 4}
    return kind.of(**{"profile": "custom", "source": "simulated", **weekly, **values})


def numbers(metrics: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not isinstance(value, str)}


def weeks_of(areas: Sequence[int], labels: Sequence[float], features: int = 2, seed: int = 0) -> Weeks:
    """Return rows of areas in order of time; the first feature of a row is its number."""
    values = np.random.default_rng(seed).normal(size=(len(areas), features))
    values[:, 0] = np.arange(len(areas))
    before = [list(areas[:place]).count(area) for place, area in enumerate(areas)]
    rows = pd.DataFrame(
        {
            "area": list(areas),
            "part": ["train" if number < 5 else "valid" for number in before],
            "last_day": pd.Timestamp("2019-01-01") + pd.to_timedelta([7 * number for number in before], unit="D"),
            "label_magnitude": list(labels),
        }
    )
    return Weeks(rows, values, tuple(f"f{number}_mean_magn" for number in range(features)), {"f": "0"})


def sample_set_of(labels: Sequence[int], **columns: Sequence[Any]) -> SampleSet:
    """Return samples of one number each, all of one area, week and part unless told otherwise."""
    count = len(labels)
    groups = {"area": [0] * count, "week": list(range(count)), "part": ["train"] * count, "station": [-1] * count}
    inputs = np.arange(float(count)).reshape(count, 1, 1)
    return SampleSet(inputs, np.array(labels, dtype=np.intp), pd.DataFrame({**groups, **columns}), {"f": "0"})


@cache
def simulated(**values: Any) -> SampleSet:
    return load_samples(unit(**values))


# Samples: weekly rows


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 3.5, 3.9, 4.4, 4.9, 6.0])), min_size=4, max_size=40),
    st.integers(1, 4),
)
def test_sequences_are_those_of_a_loop_over_rows(rows: list[tuple[int, float]], length: int) -> None:
    rows.sort(key=lambda row: row[0])
    areas, labels = [area for area, _ in rows], [label for _, label in rows]
    if max(Counter(areas).values()) < length:
        return
    weeks = weeks_of(areas, labels)
    found = weekly_samples(weeks, weeks.values, length)
    expected = []
    for row, area in enumerate(areas):
        before = [other for other in range(row + 1) if areas[other] == area]
        if len(before) >= length:
            expected.append(before[-length:])
    assert found.inputs[:, :, 0].astype(int).tolist() == expected
    np.testing.assert_array_equal(found.inputs, weeks.values[np.array(expected)])
    edges = (3.5, 4.0, 4.5, 5.0)
    assert found.labels.tolist() == [sum(edge <= labels[own[-1]] for edge in edges) for own in expected]
    ends = weeks.rows.iloc[[own[-1] for own in expected]]
    assert found.groups[["area", "part"]].to_numpy().tolist() == ends[["area", "part"]].to_numpy().tolist()
    assert (found.groups["station"] == -1).all()
    order = np.argsort(ends["last_day"].to_numpy(), kind="stable")
    assert (np.diff(found.groups["week"].to_numpy()[order]) >= 0).all()
    assert found.files == {"f": "0"}


@pytest.mark.parametrize("length", [1, 5, 16])
def test_sequence_never_holds_what_comes_after_its_own_window(length: int) -> None:
    """All rows from a week on are changed; no sample of an earlier week notices."""
    weeks = simulated_weeks()
    kept = weekly_samples(weeks, weeks.values, length)
    for first in range(length, 60, 7):
        late = (weeks.rows["last_day"] >= weeks.rows["last_day"].iloc[first]).to_numpy()
        changed = weekly_samples(weeks, np.where(late[:, None], 1e9, weeks.values), length)
        earlier = kept.groups["week"] < first
        assert earlier.any() == (first >= length)
        assert np.array_equal(changed.inputs[earlier], kept.inputs[earlier])
        assert (changed.inputs[~earlier][:, -1] == 1e9).all()


def test_week_grows_with_time_and_is_the_same_number_in_all_areas() -> None:
    groups = simulated(weeks=1).groups
    for _, own in groups.groupby("area"):
        assert own["week"].tolist() == list(range(60))
        assert own["part"].tolist() == ["train"] * 45 + ["valid"] * 15


def test_labels_and_rows_are_those_of_the_weeks_whatever_the_length() -> None:
    """A longer sequence loses the first weeks of each area and nothing else."""
    short, long = simulated(weeks=1), simulated(weeks=9)
    kept = (short.groups["week"] >= 8).to_numpy()
    assert long.labels.tolist() == short.labels[kept].tolist()
    assert np.array_equal(long.inputs[:, -1], short.inputs[kept][:, 0])
    assert long.inputs.shape == (4 * 52, 9, 6)


def test_statistics_are_the_means_or_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    weeks = replace(weeks_of([0] * 9, [0.0] * 9, 3), columns=("a_mean_magn", "a_max_magn", "b_mean_sound"))
    monkeypatch.setattr(samples_module, "load_weeks", lambda: weeks)
    assert np.array_equal(load_samples(ChanceParameters.of(weeks=1)).inputs[:, 0], weeks.values[:, [0, 2]])
    assert np.array_equal(load_samples(ChanceParameters.of(weeks=1, statistics="all")).inputs[:, 0], weeks.values)


def test_sequence_longer_than_all_areas_is_refused() -> None:
    with pytest.raises(ReproduceError):
        load_samples(unit(weeks=61))


def test_profile_full_knows_no_simulated_weeks() -> None:
    for kind in MODELS:
        with pytest.raises(ParameterError, match=r"'simulated'.*custom"):
            kind.of(source="simulated")


@pytest.mark.parametrize("values", [{"weeks": 0}, {"weeks": 105}, {"source": "simulation"}, {"labels": "random"}])
def test_parameters_that_are_none_are_refused_by_name(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ParameterError, match=name):
        ChanceParameters.of(**values)


def test_no_two_purposes_draw_from_one_stream() -> None:
    streams = [samples_module.LABELS, samples_module.SURROGATES, samples_module.DRAWN_CLASSES]
    streams += [samples_module.SIMULATION, evaluation.SPLITTING, evaluation.OVERSAMPLING]
    assert len(set(streams)) == 6


def test_streams_of_a_seed_are_all_different_and_the_same_for_every_model() -> None:
    seen = set()
    for seed, stream in product(range(5), range(6)):
        drawn = {unit(kind, seed=seed).generator(stream).random() for kind in MODELS}
        drawn |= {NetworkParameters.of(seed=seed, model="cnn", epochs=3).generator(stream).random()}
        assert len(drawn) == 1
        seen |= drawn
    assert len(seen) == 30


def test_shuffled_labels_are_the_same_ones_dealt_out_among_all_samples() -> None:
    true, shuffled = simulated(), simulated(labels="shuffled")
    assert np.array_equal(true.inputs, shuffled.inputs)
    assert Counter(true.labels.tolist()) == Counter(shuffled.labels.tolist())
    pd.testing.assert_frame_equal(true.groups, shuffled.groups)
    chance = sum((count / len(true.labels)) ** 2 for count in Counter(true.labels.tolist()).values())
    assert (true.labels == shuffled.labels).mean() == pytest.approx(chance, abs=0.15)
    late = (true.groups["part"] == "valid").to_numpy()
    counts = {tuple(np.bincount(simulated(labels="shuffled", seed=seed).labels[late])) for seed in range(6)}
    assert len(counts) > 1  # labels cross from one part to the other
    for kind in MODELS:
        assert np.array_equal(load_samples(unit(kind, labels="shuffled")).labels, shuffled.labels)


# Samples: surrogates


def spectra(values: Array) -> Array:
    """Return the cross-spectrum of each pair of features by the sums of its definition."""
    count = len(values)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(count), np.arange(count)) / count)
    transformed = turns @ values
    found: Array = transformed[:, :, None] * np.conj(transformed[:, None, :])
    return found


def autocorrelations(values: Array) -> Array:
    return np.array([(values * np.roll(values, -lag, axis=0)).sum(axis=0) for lag in range(len(values))])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 23), min_size=1, max_size=3), st.integers(1, 4), st.integers(0, 10_000))
def test_surrogate_keeps_means_spectra_and_what_holds_between_features(
    sizes: list[int], features: int, seed: int
) -> None:
    """Of every area by itself; odd and even numbers of rows, down to one."""
    areas = np.repeat(np.arange(len(sizes)) * 2 + 1, sizes)
    values = 10 + 3 * np.random.default_rng(seed).normal(size=(len(areas), features)).cumsum(axis=0)
    kept = values.copy()
    found = surrogate(values, areas, np.random.default_rng(seed + 1))
    assert np.array_equal(values, kept)
    for area in np.unique(areas):
        own, other = values[areas == area], found[areas == area]
        size = np.abs(own).max() ** 2 * len(own) ** 2
        np.testing.assert_allclose(other.mean(axis=0), own.mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(spectra(other), spectra(own), atol=1e-9 * size)
        np.testing.assert_allclose(autocorrelations(other), autocorrelations(own), atol=1e-9 * size)
        np.testing.assert_allclose(other.std(axis=0), own.std(axis=0), atol=1e-9 * size)


@pytest.mark.parametrize("count", [300, 301])
def test_surrogate_has_nothing_left_of_the_series(count: int) -> None:
    series = np.random.default_rng(1).normal(size=(count, 3))
    values, areas = np.concatenate([series, series]), np.repeat([0, 1], count)
    found = surrogate(values, areas, np.random.default_rng(2))
    again = surrogate(values, areas, np.random.default_rng(3))
    # Five standard errors of a correlation of as many independent pairs.
    limit = 5 / math.sqrt(count)
    first, second = found[:count], found[count:]
    for one, other in combinations([series, first, second, again[:count]], 2):
        for feature in range(3):
            assert abs(np.corrcoef(one[:, feature], other[:, feature])[0, 1]) < limit
    # What holds between features at one time is kept.
    np.testing.assert_allclose(np.corrcoef(first.T), np.corrcoef(series.T), atol=1e-9)


def test_surrogates_have_labels_and_groups_of_the_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    weeks = simulated_weeks()
    monkeypatch.setattr(samples_module, "load_weeks", lambda: weeks)
    real, found = (load_samples(ChanceParameters.of(source=source, weeks=4)) for source in ("weekly", "surrogate"))
    assert found.labels.tolist() == real.labels.tolist()
    pd.testing.assert_frame_equal(found.groups, real.groups)
    assert found.inputs.shape == real.inputs.shape
    assert (np.abs(found.inputs - real.inputs) > 1e-6).mean() > 0.99
    # Sequences of a surrogate overlap as those of the weeks do: they are windows of one series.
    for own in (found, real):
        assert np.array_equal(own.inputs[1:57, :-1], own.inputs[:56, 1:])
    for kind in MODELS:
        assert np.array_equal(load_samples(kind.of(source="surrogate", weeks=4)).inputs, found.inputs)


# Samples: the raw month


TICKS = 31 * 144
STATIONS = {5: (31.0, 102.0), 9: (27.0, 105.0), 11: (27.5, 104.5), 20: (23.0, 106.0)}  # areas 1, 5, 5 and none


def raw_series() -> RawSeries:
    """Return four stations: one whole, one with gaps, one that begins in the second week, one outside of all areas."""
    values = np.random.default_rng(0).normal(5, 2, size=(4, TICKS, 3)).astype(np.float32)
    values[1, 100:118] = np.nan  # three hours and a bit
    values[1, 6:8, :2] = np.nan  # a part of an hour, of one modality
    values[1, 500:700, 2] = np.nan  # longer than a day, of the other
    values[2, :1020] = np.nan
    times = pd.date_range("2020-12-01", periods=TICKS, freq="10min")
    return RawSeries(np.array(list(STATIONS)), times, values, ("magn@a", "magn@b", "sound@a"), {"f": "0"})


@pytest.fixture
def raw_month(monkeypatch: pytest.MonkeyPatch) -> RawSeries:
    """Put the four stations in the place of the pinned month."""
    raw = raw_series()
    latitudes, longitudes = zip(*STATIONS.values(), strict=True)
    frame = pd.DataFrame({"station": [*STATIONS, 99], "latitude": [*latitudes, 30.5], "longitude": [*longitudes, 99.0]})
    monkeypatch.setattr(samples_module, "load_stations", lambda: frame.iloc[::-1].reset_index(drop=True))
    monkeypatch.setattr(samples_module, "load_raw_month", lambda: raw)
    return raw


def literal_windows(raw: RawSeries) -> Iterator[tuple[int, int, int, list[list[float]]]]:
    """Yield (week, first tick, station, hourly means) as the words say: a day, every six hours, in four weeks."""
    for week in range(4):
        begin = week * 7 * 144
        while begin + 144 <= (week + 1) * 7 * 144:
            for place, station in enumerate(raw.stations.tolist()):
                hours: list[list[float]] = []
                window = raw.values[place, begin : begin + 144].astype(float)
                if np.isnan(window).all(axis=0).any():
                    continue
                for hour in range(24):
                    ticks = window[6 * hour : 6 * hour + 6]
                    hours.append([
                        float(np.mean([one for one in column if one == one])) if (column == column).any() else math.nan
                        for column in ticks.T
                    ])  # fmt: skip
                means = [float(np.mean([one for one in column if one == one])) for column in zip(*hours, strict=True)]
                yield (
                    week,
                    begin,
                    station,
                    [[mean if one != one else one for one, mean in zip(row, means, strict=True)] for row in hours],
                )
            begin += 36


def test_raw_windows_are_those_of_a_loop_over_hours(raw_month: RawSeries) -> None:
    found = raw_samples(raw_month, np.random.default_rng(0))
    expected = list(literal_windows(raw_month))
    assert len(expected) == 25 * 4 + (25 * 4 - 2) + 25 * 3 + 25 * 4
    np.testing.assert_allclose(found.inputs, [hours for *_, hours in expected], rtol=1e-6)
    assert found.groups["week"].tolist() == [week for week, *_ in expected]
    assert found.groups["station"].tolist() == [station for _, _, station, _ in expected]
    areas = {5: 1, 9: 5, 11: 5, 20: -1}
    assert found.groups["area"].tolist() == [areas[station] for _, _, station, _ in expected]
    assert found.inputs.shape[1:] == (24, 3)
    assert found.files == {"f": "0"}


def test_raw_classes_are_drawn_for_an_area_and_a_week_and_nothing_else(raw_month: RawSeries) -> None:
    """All stations of an area share them, and each class is as likely as another."""
    counts: Counter[int] = Counter()
    together = 0
    for seed in range(40):
        found = raw_samples(raw_month, np.random.default_rng(seed))
        drawn = {}
        for (area, week), own in found.groups.assign(label=found.labels).groupby(["area", "week"]):
            assert own["label"].nunique() == 1
            drawn[area, week] = int(own["label"].iloc[0])
        assert len(drawn) == 12
        counts.update(drawn.values())
        together += sum(drawn[1, week] == drawn[5, week] for week in range(4))
    total, spread = 40 * 12, math.sqrt(40 * 12 * 0.2 * 0.8)
    assert set(counts) == set(range(5))
    assert all(abs(count - total / 5) < 5 * spread for count in counts.values())
    assert abs(together - 160 / 5) < 5 * math.sqrt(160 * 0.2 * 0.8)


def test_raw_classes_depend_on_the_seed_and_not_on_the_model_and_inputs_on_neither(raw_month: RawSeries) -> None:
    first = load_samples(ChanceParameters.of(source="raw", split="rows"))
    units: list[Any] = [
        WeightedParameters.of(source="raw", split="weeks", method="svm"),
        NetworkParameters.of(source="raw", split="stations", model="cnn", epochs=1),
        NetworkParameters.of(source="raw", split="rows", oversampling="before_split"),
    ]
    for one in units:
        found = load_samples(one)
        assert np.array_equal(found.labels, first.labels)
        assert np.array_equal(found.inputs, first.inputs)
    others = [load_samples(ChanceParameters.of(source="raw", split="rows", seed=seed)) for seed in range(1, 5)]
    assert any(not np.array_equal(other.labels, first.labels) for other in others)
    assert all(np.array_equal(other.inputs, first.inputs) for other in others)


# Folds


DESIGNED: dict[str, dict[str, Any]] = {
    "time": {},
    "rows": {"split": "rows"},
    "areas": {"split": "areas"},
    "shuffled time": {"labels": "shuffled"},
    "shuffled rows": {"labels": "shuffled", "split": "rows"},
    "raw rows": {"source": "raw", "split": "rows"},
    "raw stations": {"source": "raw", "split": "stations"},
    "raw weeks": {"source": "raw", "split": "weeks"},
}
Designed = tuple[Any, SampleSet, list[Fold]]


def designed(values: dict[str, Any], kind: type[DesignParameters] = ChanceParameters) -> Designed:
    parameters = unit(kind, **values)
    samples = load_samples(parameters)
    return parameters, samples, folds_of(parameters, samples)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("name", DESIGNED)
def test_no_fold_shares_a_row_and_every_row_is_used(raw_month: RawSeries, name: str, seed: int) -> None:
    parameters, samples, folds = designed({**DESIGNED[name], "seed": seed})
    every = list(range(len(samples.labels)))
    for fold in folds:
        together = [*fold.training.tolist(), *fold.validation.tolist(), *fold.test.tolist()]
        assert sorted(together) == every
        outside = len(fold.training) + len(fold.validation)
        assert len(fold.validation) == outside // 5
        assert len(fold.training) > 0 < len(fold.test)
    tested = sorted(chain.from_iterable(fold.test.tolist() for fold in folds))
    if parameters.split == "time":
        assert len(folds) == 1
    else:
        assert tested == every


def test_fold_in_time_trains_on_the_first_part_and_stops_by_its_last_fifth() -> None:
    _, samples, (fold,) = designed({})
    part, week = samples.groups["part"].to_numpy(), samples.groups["week"].to_numpy()
    assert set(part[fold.training]) == set(part[fold.validation]) == {"train"}
    assert fold.test.tolist() == np.flatnonzero(part == "valid").tolist()
    assert week[fold.training].max() <= week[fold.validation].min()
    assert week[fold.validation].max() < week[fold.test].min()
    assert len(set(samples.groups["area"].to_numpy()[fold.validation])) == 4


@pytest.mark.parametrize(
    ("name", "column", "held"), [("areas", "area", 4), ("raw stations", "station", 4), ("raw weeks", "week", 4)]
)
def test_whole_groups_are_held_out(raw_month: RawSeries, name: str, column: str, held: int) -> None:
    _, samples, folds = designed(DESIGNED[name])
    groups = samples.groups[column].to_numpy()
    assert len(folds) == held
    for fold in folds:
        assert not set(groups[fold.test]) & (set(groups[fold.training]) | set(groups[fold.validation]))
        assert len(set(groups[fold.test])) == 1


@pytest.mark.parametrize("count", [5, 12, 32])
def test_stations_are_held_out_by_fifths_as_even_as_can_be(count: int) -> None:
    stations = np.tile(np.arange(100, 100 + count), 9)
    samples = sample_set_of([0] * len(stations), station=stations.tolist())
    folds = folds_of(ChanceParameters.of(source="raw", split="stations"), samples)
    held = [set(stations[fold.test].tolist()) for fold in folds]
    assert len(held) == 5
    assert max(map(len, held)) - min(map(len, held)) <= 1
    assert set().union(*held) == set(stations.tolist())
    assert all(not one & other for one, other in combinations(held, 2))


@pytest.mark.parametrize("count", [50, 53])
def test_random_rows_are_dealt_into_five_even_folds(count: int) -> None:
    samples = sample_set_of([0] * count)
    folds = folds_of(ChanceParameters.of(split="rows"), samples)
    sizes = [len(fold.test) for fold in folds]
    assert (len(folds), sum(sizes)) == (5, count)
    assert max(sizes) - min(sizes) <= 1
    assert all(np.diff(fold.test).max() > 1 for fold in folds)


@pytest.mark.parametrize(
    ("name", "inputs", "labels", "tests", "stops"),
    [
        ("time", False, False, False, False),
        ("rows", False, False, True, True),
        ("areas", False, False, False, True),
        ("shuffled time", False, True, False, False),
        ("raw rows", False, True, True, True),
        ("raw stations", False, True, True, True),
        ("raw weeks", False, True, False, True),
        ("surrogate", True, False, False, False),
    ],
)
def test_seed_changes_what_it_should_and_nothing_else(
    raw_month: RawSeries,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    inputs: bool,
    labels: bool,
    tests: bool,
    stops: bool,
) -> None:
    weeks = simulated_weeks()
    monkeypatch.setattr(samples_module, "load_weeks", lambda: weeks)
    values = {"source": "surrogate"} if name == "surrogate" else DESIGNED[name]
    found = [designed({**values, "seed": seed}) for seed in (1, 2, 3, 4)]
    again = designed({**values, "seed": 1})

    def same(ones: list[Array], others: list[Array]) -> bool:
        return all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))

    def differ(pick: Callable[[Designed], list[Array]]) -> bool:
        assert same(pick(found[0]), pick(again))
        return not all(same(pick(found[0]), pick(other)) for other in found[1:])

    assert differ(lambda one: [one[1].inputs]) == inputs
    assert differ(lambda one: [one[1].labels]) == labels
    assert differ(lambda one: [fold.test for fold in one[2]]) == tests
    assert differ(lambda one: [fold.validation for fold in one[2]]) == stops
    assert differ(lambda one: [fold.training for fold in one[2]]) == stops
    assert differ(lambda one: [one[1].groups["area"].to_numpy()]) is False


@pytest.mark.parametrize("name", DESIGNED)
def test_folds_are_the_same_for_every_model(raw_month: RawSeries, name: str) -> None:
    first = designed(DESIGNED[name])[2]
    units = [unit(kind, **DESIGNED[name]) for kind in MODELS]
    units += [unit(NetworkParameters, **DESIGNED[name], model="cnn", epochs=7, batch_size=3)]
    for one in units:
        for fold, other in zip(first, folds_of(one, load_samples(one)), strict=True):
            for part in ("training", "validation", "test"):
                assert np.array_equal(getattr(fold, part), getattr(other, part))


@pytest.mark.parametrize("kind", MODELS)
def test_split_that_does_not_fit_the_source_is_refused_with_the_allowed_ones(kind: type[DesignParameters]) -> None:
    fitting = {"raw": {"rows", "stations", "weeks"}}
    for source, split in product(("weekly", "surrogate", "raw"), ("time", "rows", "areas", "weeks", "stations")):
        allowed = fitting.get(source, {"time", "rows", "areas"})
        if split in allowed:
            assert kind.of(source=source, split=split).split == split
            continue
        with pytest.raises(ParameterError) as refusal:
            kind.of(source=source, split=split)
        assert [word for word in (source, split, *allowed) if word not in str(refusal.value)] == []


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 1000))
def test_oversampling_repeats_each_class_up_to_the_commonest(labels: list[int], seed: int) -> None:
    rows = oversampled(np.array(labels), np.random.default_rng(seed))
    counts, found = Counter(labels), Counter(labels[row] for row in rows)
    assert found == dict.fromkeys(counts, max(counts.values()))
    assert set(rows.tolist()) == set(range(len(labels)))
    repeated = {labels[row] for row, times in Counter(rows.tolist()).items() if times > 1}
    assert all(counts[label] < max(counts.values()) for label in repeated)


def test_repeated_samples_stand_on_both_sides_of_a_split_made_afterwards() -> None:
    _, samples, folds = designed({"split": "rows", "oversampling": "before_split"})
    common = samples.labels == 0
    shares = []
    for fold in folds:
        trained = {*fold.training.tolist(), *fold.validation.tolist()}
        rare = fold.test[~common[fold.test]]
        shares.append(np.mean([row in trained for row in rare]))
        assert not trained & set(fold.test[common[fold.test]].tolist())
    assert min(shares) > 0.9
    tested = np.concatenate([fold.test for fold in folds])
    assert np.bincount(samples.labels[tested]).tolist() == [int(common.sum())] * 5
    for fold in folds:
        assert len(fold.training) + len(fold.validation) + len(fold.test) == len(tested)


# Scores


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50))
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    """Over the classes that are tested: a class that is only forecast has no recall."""
    truth, forecast = (np.array(one) for one in zip(*pairs, strict=True))
    found = scores_of(truth, forecast)
    options: dict[str, Any] = {"labels": np.unique(truth), "zero_division": 0}
    assert found["accuracy"] == pytest.approx(100 * accuracy_score(truth, forecast))
    for average, name in (("macro", ""), ("weighted", "_weighted")):
        recall = recall_score(truth, forecast, average=average, **options)
        assert found[f"recall{name}"] == pytest.approx(100 * recall)
        assert found[f"f1{name}"] == pytest.approx(f1_score(truth, forecast, average=average, **options))
    assert found["recall_weighted"] == pytest.approx(found["accuracy"])
    assert set(found) == {"accuracy", "recall", "recall_weighted", "f1", "f1_weighted"}


def test_scores_by_hand() -> None:
    """Class 0: two of three, one wrong alarm; class 2: one of two, one wrong alarm; class 4 is forecast in vain."""
    found = scores_of(np.array([0, 0, 0, 2, 2]), np.array([0, 0, 2, 2, 4]))
    assert found["accuracy"] == pytest.approx(60)
    assert found["recall"] == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)
    assert found["f1"] == pytest.approx((4 / 5 + 1 / 2) / 2)
    assert found["f1_weighted"] == pytest.approx(0.6 * 4 / 5 + 0.4 / 2)


def one_hot(labels: Array) -> Array:
    return np.eye(5)[labels]


def perfect(samples: SampleSet, fold: Fold, seed: int) -> Forecast:
    return Forecast(one_hot(samples.labels[fold.test]), {"loss": [1.0] * (seed % 3 + 1)})


@pytest.mark.parametrize("name", DESIGNED)
def test_evaluation_judges_the_forecasts_of_all_folds_together(raw_month: RawSeries, name: str) -> None:
    parameters, samples, folds = designed(DESIGNED[name])
    generator = np.random.default_rng(3)
    seen: list[tuple[Fold, int]] = []
    given_: list[Array] = []

    def classify(fold: Fold, seed: int) -> Forecast:
        seen.append((fold, seed))
        given_.append(generator.dirichlet(np.ones(5), len(fold.test)))
        return Forecast(given_[-1], {"loss": [float(len(seen))] * len(seen)})

    result = evaluate(parameters, samples, classify, keep=True)
    tested = np.concatenate([fold.test for fold in folds])
    truth, forecast = samples.labels[tested], np.concatenate(given_).argmax(axis=1)
    expected = scores_of(truth, forecast)
    assert {name: result.metrics[name] for name in expected} == expected
    assert result.metrics["samples"] == len(samples.labels)
    assert result.metrics["classes_tested"] == len(set(truth.tolist()))
    assert (result.n, result.data) == (len(tested), samples.files)
    assert [seed for _, seed in seen] == parameters.random_seeds(len(folds))
    assert all(np.array_equal(one.test, fold.test) for (one, _), fold in zip(seen, folds, strict=True))
    assert result.arrays["sample"].tolist() == tested.tolist()
    assert result.arrays["label"].tolist() == truth.tolist()
    np.testing.assert_allclose(result.arrays["scores"], np.concatenate(given_), atol=1e-7)
    curves = result.arrays["loss"]
    assert curves.shape == (len(folds), len(folds))
    for row, curve in enumerate(curves):
        assert curve[: row + 1].tolist() == [row + 1] * (row + 1)
        assert np.isnan(curve[row + 1 :]).all()
    assert evaluate(parameters, samples, partial(perfect, samples)).arrays == {}


def test_perfect_forecast_is_perfect() -> None:
    parameters, samples, _ = designed(DESIGNED["rows"])
    metrics = numbers(evaluate(parameters, samples, partial(perfect, samples)).metrics)
    assert {name: metrics[name] for name in ("accuracy", "recall", "f1")} == {"accuracy": 100, "recall": 100, "f1": 1}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"split": "rows"},
        {"split": "areas"},
        {"labels": "shuffled"},
        {"split": "rows", "oversampling": "before_split"},
        {"split": "rows", "oversampling": "before_split", "labels": "shuffled"},
    ],
    ids=str,
)
def test_majority_of_a_unit_is_the_accuracy_of_its_naive_unit(values: dict[str, Any]) -> None:
    for seed in range(4):
        parameters = unit(WeightedParameters, **values, seed=seed)
        naive = naive_unit(parameters)
        assert naive is not None
        assert run_weighted(parameters).metrics["majority"] == pytest.approx(run_chance(naive).metrics["accuracy"])


def remember(samples: SampleSet, fold: Fold, seed: int) -> Forecast:
    """Forecast the class of the nearest sample that was trained on: memory and nothing else."""
    flat = samples.inputs.reshape(len(samples.inputs), -1)
    flat = (flat - flat.mean(axis=0)) / flat.std(axis=0)
    known, asked = flat[fold.training], flat[fold.test]
    distances = (known**2).sum(axis=1) - 2 * asked @ known.T
    return Forecast(one_hot(samples.labels[fold.training[distances.argmin(axis=1)]]))


def test_memory_pays_where_samples_are_repeated_before_the_split_and_nowhere_else() -> None:
    """The labels are shuffled: there is nothing to learn."""
    found = {}
    for oversampling in ("none", "before_split"):
        parameters, samples, _ = designed({"labels": "shuffled", "split": "rows", "oversampling": oversampling})
        found[oversampling] = numbers(evaluate(parameters, samples, partial(remember, samples)).metrics)
    assert found["before_split"]["accuracy"] > 75
    assert found["before_split"]["recall"] > 75
    assert found["none"]["recall"] < 35
    assert found["none"]["accuracy"] < 60


# Forecasts without a model


@pytest.mark.parametrize("name", DESIGNED)
def test_commonest_class_by_a_loop(raw_month: RawSeries, name: str) -> None:
    parameters, samples, folds = designed(DESIGNED[name])
    right = total = 0
    for fold in folds:
        known = Counter(samples.labels[np.concatenate([fold.training, fold.validation])].tolist())
        most = max(known.values())
        commonest = min(label for label, count in known.items() if count == most)
        right += int((samples.labels[fold.test] == commonest).sum())
        total += len(fold.test)
    found = run_chance(parameters)
    assert found.metrics["accuracy"] == pytest.approx(100 * right / total)
    assert found.n == total


def test_stratified_draws_in_the_proportions_of_what_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [0] * 600 + [2] * 300 + [4] * 100 + [1] * 4000
    samples = sample_set_of(labels, part=["train"] * 1000 + ["valid"] * 4000)
    monkeypatch.setattr("reproduce_lib.papers.zhang2023.chance.load_samples", lambda _: samples)
    caught: list[Array] = []

    def watch(parameters: Any, found: SampleSet, classify: Any) -> UnitResult:
        caught.append(classify(folds_of(parameters, found)[0], 5).scores)
        return UnitResult({}, 0)

    monkeypatch.setattr("reproduce_lib.papers.zhang2023.chance.evaluate", watch)
    run_chance(ChanceParameters.of(method="stratified"))
    drawn = caught[0].argmax(axis=1)
    shares = np.bincount(drawn, minlength=5) / 4000
    for share, expected in zip(shares, [0.6, 0, 0.3, 0, 0.1], strict=True):
        assert abs(share - expected) <= 5 * math.sqrt(expected * (1 - expected) / 4000)
    assert caught[0].sum(axis=1).tolist() == [1] * 4000


def test_an_areas_own_shares_are_counted_and_those_of_all_stand_in_for_an_unknown_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = [0, 0, 1, 3, 0, 0, 0, 0]
    samples = sample_set_of(labels)
    samples = replace(samples, groups=samples.groups.assign(area=[0, 0, 0, 0, 1, 1, 0, 2]))
    caught: list[Array] = []

    def watch(parameters: Any, given_: SampleSet, classify: Any) -> UnitResult:
        caught.append(classify(Fold(np.arange(4), np.array([4]), np.array([5, 6, 7])), 0).scores)
        return UnitResult({}, 0)

    monkeypatch.setattr("reproduce_lib.papers.zhang2023.chance.load_samples", lambda _: samples)
    monkeypatch.setattr("reproduce_lib.papers.zhang2023.chance.evaluate", watch)
    run_chance(ChanceParameters.of(method="area"))
    assert caught[0].tolist() == [[1, 0, 0, 0, 0], [0.5, 0.25, 0, 0.25, 0], [0.6, 0.2, 0, 0.2, 0]]


def test_area_of_events_is_that_of_scikit_learn_and_of_nothing_where_one_kind_is_tested() -> None:
    generator = np.random.default_rng(3)
    truth = generator.choice(5, 200, p=[0.7, 0.1, 0.1, 0.05, 0.05])
    scores = generator.dirichlet(np.ones(5), 200)
    found = areas_of_events(truth, scores)["auc[event]"]
    # By hand: how often a window before an earthquake has the smaller score of the class without one.
    quiet, event = scores[truth == 0, 0], scores[truth > 0, 0]
    wins = (event[:, None] < quiet).mean() + 0.5 * (event[:, None] == quiet).mean()
    assert found == pytest.approx(100 * wins) == pytest.approx(100 * roc_auc_score(truth > 0, 1 - scores[:, 0]))
    assert areas_of_events(np.zeros(3, dtype=int), scores[:3]) == {}
    assert areas_of_events(truth, np.tile(scores[:1], (200, 1)))["auc[event]"] == 50


@pytest.mark.parametrize("method", ["majority", "stratified", "area"])
def test_forecasts_without_a_model_are_the_same_again(method: str) -> None:
    parameters = unit(method=method, split="rows", seed=3)
    assert run_chance(parameters) == run_chance(parameters)


# Weighted tree and machine


@pytest.mark.parametrize("values", [{}, {"split": "rows", "seed": 2}, {"split": "areas"}], ids=str)
@pytest.mark.parametrize("method", ["tree", "svm"])
def test_weighted_methods_score_as_a_loop_with_scikit_learn(method: str, values: dict[str, Any]) -> None:
    parameters = unit(WeightedParameters, method=method, scaling="standard", **values)
    _, samples, folds = designed(values)
    truth: list[int] = []
    forecast: list[int] = []
    for fold, seed in zip(folds, parameters.random_seeds(len(folds)), strict=True):
        rows = [*fold.training.tolist(), *fold.validation.tolist()]
        mean, deviation = samples.inputs[rows].mean(axis=(0, 1)), samples.inputs[rows].std(axis=(0, 1))
        known, asked = (
            ((samples.inputs[own] - mean) / deviation).astype(np.float32).reshape(len(own), -1)
            for own in (rows, fold.test)
        )
        counts = Counter(samples.labels[rows].tolist())
        weights = {label: len(rows) / (len(counts) * count) for label, count in counts.items()}
        if method == "tree":
            model = DecisionTreeClassifier(class_weight=weights, random_state=seed)
        else:
            model = SVC(kernel="linear", class_weight=weights)
        forecast += model.fit(known, samples.labels[rows]).predict(asked).tolist()
        truth += samples.labels[fold.test].tolist()
    expected = scores_of(np.array(truth), np.array(forecast))
    assert {name: run_weighted(parameters).metrics[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("method", ["tree", "svm"])
def test_weighted_forecast_depends_on_nothing_that_other_test_samples_would_tell(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Of half of the test samples the inputs are made huge and the classes others: the other half notices nothing."""
    _, samples, (fold,) = designed({})
    changed, left = fold.test[::2], fold.test[1::2]
    inputs, labels = samples.inputs.copy(), samples.labels.copy()
    inputs[changed], labels[changed] = 1e6, (labels[changed] + 1) % 5
    scores: list[Array] = []
    caught: list[Forecast] = []

    def watch(parameters: Any, found: SampleSet, classify: Any, keep: bool) -> UnitResult:
        caught.append(classify(folds_of(parameters, found)[0], 1))
        return UnitResult({}, 0)

    for own in (samples, replace(samples, inputs=inputs, labels=labels)):
        monkeypatch.setattr(weighted, "load_samples", lambda _, own=own: own)
        monkeypatch.setattr(weighted, "evaluate", watch)
        run_weighted(unit(WeightedParameters, method=method))
        scores.append(caught.pop().scores[np.isin(fold.test, left)])
    assert np.array_equal(scores[0], scores[1])


# Granularity


def fits(printed: int, size: int) -> bool:
    """Ask every count of a test set; a half may have been rounded either way."""
    return any(abs(Fraction(10_000 * right, size) - printed) <= Fraction(1, 2) for right in range(size + 1))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_possible_sizes_are_those_of_every_count(printed: int, largest: int) -> None:
    assert possible_sizes(printed, largest) == {size for size in range(1, largest + 1) if fits(printed, size)}


def test_half_may_have_been_rounded_either_way() -> None:
    """1 of 32 is 3.125 %, 31 of 32 is 96.875 %."""
    for printed in (312, 313, 9687, 9688):
        assert 32 in possible_sizes(printed, 32)
    for printed in (311, 314, 9686, 9689):
        assert 32 not in possible_sizes(printed, 32)


def test_smallest_sizes_are_those_of_every_count_up_to_150() -> None:
    found = run_granularity(GranularityParameters.of(largest=150))
    printed = {number for table in TABLES.values() for number in table}
    sizes = {number: [size for size in range(1, 151) if fits(number, size)] for number in printed}
    for number, own in sizes.items():
        assert found.metrics[f"smallest[{number / 100:.2f}]"] == min(own, default=0)
    assert 0 in numbers(found.metrics).values()
    assert found.metrics["smallest[83.33]"] == 6  # five of six
    assert found.metrics["sizes_for_all"] == len(set.intersection(*map(set, sizes.values())))
    assert found.n == 150


def test_smallest_size_for_all_of_a_table_is_that_of_printing_every_share() -> None:
    found = numbers(run_granularity(GranularityParameters()).metrics)
    wanted = {f"{number / 100:.2f}" for number in TABLES["III"]}
    for size in range(1, 2000):
        if wanted <= {f"{100 * right / size:.2f}" for right in range(size * 8 // 10, size + 1)}:
            break
    assert found["smallest_for_all[III]"] == size
    for name, table in TABLES.items():
        smallest = int(found[f"smallest_for_all[{name}]"])
        assert all(fits(number, smallest) for number in table)
    assert found["smallest_for_all"] >= max(found[f"smallest_for_all[{name}]"] for name in TABLES)
    assert all(fits(number, int(found["smallest_for_all"])) for table in TABLES.values() for number in table)


# Two classes


@settings(deadline=None, max_examples=200)
@given(*(st.integers(1, 400) for _ in range(4)))
def test_scores_of_two_classes_give_their_share_of_positives(hits: int, misses: int, alarms: int, quiet: int) -> None:
    """Counted: what the formula is to give back, from scores that are known exactly and from rounded ones."""
    tested = hits + misses + alarms + quiet
    recall, precision = hits / (hits + misses), hits / (hits + alarms)
    counted = ((hits + quiet) / tested, recall, 2 * precision * recall / (precision + recall))
    exact = share_of_positives(*(Interval(score, score) for score in counted))
    assert exact.lower == exact.upper == pytest.approx((hits + misses) / tested)
    rounded = [Interval(max(score - 0.005, 1e-9), min(score + 0.005, 1 - 1e-9)) for score in counted]
    share = share_of_positives(*rounded)
    assert share.lower <= exact.lower <= share.upper


def test_most_that_agree_is_the_deepest_overlap() -> None:
    apart = [Interval(0.1, 0.2), Interval(0.3, 0.5), Interval(0.4, 0.6), Interval(0.5, 0.7), Interval(0.9, 1.0)]
    assert most_that_agree(apart) == 3  # at 0.5, where two of them end or begin
    assert most_that_agree(apart[:2]) == 1
    assert most_that_agree([]) == 0


# Networks, by formula


@pytest.fixture(scope="module")
def keras() -> Any:
    load_keras()
    import keras

    return keras


def convolve(inputs: Array, kernel: Array, bias: Array) -> Array:
    """Convolve along the times with zeros around them."""
    width, times = len(kernel), inputs.shape[1]
    padded = np.zeros((len(inputs), times + width - 1, inputs.shape[2]))
    padded[:, (width - 1) // 2 : (width - 1) // 2 + times] = inputs
    found: Array = bias + sum(padded[:, place : place + times] @ kernel[place] for place in range(width))
    return found


def normalise(inputs: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Array:
    found: Array = gamma * (inputs - mean) / np.sqrt(variance + 0.001) + beta
    return found


def relu(inputs: Array) -> Array:
    return np.maximum(inputs, 0)


def by_pairs(inputs: Array, pool: Callable[..., Array]) -> Array:
    """Pool each two neighbours; an odd one stays by itself."""
    return np.stack([pool(inputs[:, first : first + 2], axis=1) for first in range(0, inputs.shape[1], 2)], axis=1)


def softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    found: Array = powers / powers.sum(axis=-1, keepdims=True)
    return found


Weights = Iterator[list[Array]]


def literal_block(inputs: Array, weights: Weights) -> Array:
    hidden = inputs
    for _ in range(2):
        hidden = relu(normalise(hidden, *next(weights)))
        hidden = convolve(hidden, *next(weights))
    return np.concatenate([inputs, hidden], axis=-1)


def literal_transition(inputs: Array, weights: Weights) -> Array:
    return by_pairs(convolve(relu(normalise(inputs, *next(weights))), *next(weights)), np.mean)


def literal_features(inputs: Array, weights: Weights) -> Array:
    hidden = relu(normalise(convolve(inputs, *next(weights)), *next(weights)))
    for block in range(4):
        hidden = literal_block(hidden, weights)
        hidden = literal_transition(hidden, weights) if block < 3 else hidden
    return normalise(hidden, *next(weights))


def literal_backbone(inputs: Array, weights: Weights) -> Array:
    pooled = literal_features(inputs, weights).mean(axis=1)
    kernel, bias = next(weights)
    return softmax(pooled @ kernel + bias)


def literal_classifier(inputs: Array, weights: Weights, kind: str) -> Array:
    hidden = inputs
    if kind == "dense":
        hidden = literal_transition(literal_block(hidden, weights), weights)
    if kind == "flatten":
        hidden = hidden.reshape(len(hidden), -1)
    else:
        for _ in range(3):
            hidden = relu(convolve(hidden, *next(weights)))
        hidden = hidden.mean(axis=1)
    for _ in range(2):
        kernel, bias = next(weights)
        hidden = relu(hidden @ kernel + bias)
    (kernel,) = next(weights)
    return softmax(hidden @ kernel)


def literal_cnn(inputs: Array, weights: Weights) -> Array:
    hidden = inputs
    for _ in range(3):
        hidden = by_pairs(relu(convolve(hidden, *next(weights))), np.max)
    kernel, bias = next(weights)
    hidden = relu(hidden.mean(axis=1) @ kernel + bias)
    kernel, bias = next(weights)
    return softmax(hidden @ kernel + bias)


def randomise(model: Any) -> Weights:
    """Give a model weights that no initial ones hide behind, variances above 0, and return them layer by layer."""
    generator = np.random.default_rng(1)
    for layer in model.layers:
        layer.set_weights([
            generator.uniform(0.3, 1.3, one.shape) if one.ndim == 1
            else generator.normal(size=one.shape) / math.sqrt(one[..., 0].size)
            for one in layer.get_weights()
        ])  # fmt: skip
    return iter([layer.get_weights() for layer in model.layers if layer.get_weights()])


NETWORKS: dict[str, tuple[Callable[[tuple[int, int]], Any], Callable[[Array, Weights], Array]]] = {
    "backbone": (build_backbone, literal_backbone),
    "dense": (lambda shape: build_classifier(shape, "dense"), partial(literal_classifier, kind="dense")),
    "cnn classifier": (lambda shape: build_classifier(shape, "cnn"), partial(literal_classifier, kind="cnn")),
    "flatten": (lambda shape: build_classifier(shape, "flatten"), partial(literal_classifier, kind="flatten")),
    "plain cnn": (build_cnn, literal_cnn),
}


# The network of dense blocks is the largest.
DENSE = [pytest.mark.slow, pytest.mark.networks]


@pytest.mark.parametrize("name", [pytest.param(name, marks=DENSE if name == "dense" else ()) for name in NETWORKS])
def test_network_computes_its_formula_and_uses_all_its_weights(keras: Any, name: str) -> None:
    build, literal = NETWORKS[name]
    inputs = np.random.default_rng(2).normal(size=(3, 9, 4)).astype(np.float32)
    model = build((9, 4))
    weights = randomise(model)
    found = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(found, literal(inputs, weights), rtol=1e-3, atol=1e-5)
    assert next(weights, None) is None
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert found.shape == (3, 5)


def test_features_are_those_before_the_pooling_of_the_same_backbone(keras: Any) -> None:
    inputs = np.random.default_rng(2).normal(size=(3, 9, 4)).astype(np.float32)
    backbone = build_backbone((9, 4))
    features = features_of(backbone)
    weights = randomise(backbone)
    found = features.predict(inputs, verbose=0)
    assert found.shape == (3, 2, 48)
    np.testing.assert_allclose(found, literal_features(inputs, weights), rtol=1e-3, atol=1e-4)


def test_shapes_of_the_backbone_are_the_thirteen_of_table_i(keras: Any) -> None:
    found = run_backbone_shapes(BackboneShapeParameters())
    wide = {f"DenseBlock{block}": "(None, None, 48)" for block in range(1, 5)}
    narrow = {f"TransitionLayer{block}": "(None, None, 24)" for block in range(1, 4)}
    first = dict.fromkeys(("Conv1D", "BatchNorm", "Relu"), "(None, None, 24)")
    last = {"BatchNorm_2": "(None, None, 48)", "GlobalAveragePooling": "(None, 48)", "Dense": "(None, 5)"}
    expected = {**first, **wide, **narrow, **last}
    shapes = {name: value for name, value in found.metrics.items() if isinstance(value, str)}
    assert shapes == expected
    assert len(expected) == 13
    block = 2 * (4 * 24) + 2 * (3 * 24 * 24 + 24)
    transition = 4 * 48 + 48 * 24 + 24
    own = 3 * 95 * 24 + 24 + 4 * 24 + 4 * block + 3 * transition + 4 * 48 + 48 * 5 + 5
    assert found.metrics["parameters"] == own


def test_each_dense_block_drops_out_before_it_is_put_beside_its_input(keras: Any) -> None:
    for model, blocks in ((build_backbone((8, 3)), 4), (build_classifier((8, 3), "dense"), 1)):
        joined = [layer for layer in model.layers if isinstance(layer, keras.layers.Concatenate)]
        assert len(joined) == blocks
        for layer in joined:
            kept, added = layer.input
            assert kept.shape[-1] + added.shape[-1] == layer.output.shape[-1]
            before = next(one for one in model.layers if one.output is added)
            assert isinstance(before, keras.layers.Dropout)
            assert 0 < before.rate < 1
        assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == blocks


def test_backbone_leaves_as_many_times_as_are_counted(keras: Any) -> None:
    backbone = features_of(build_backbone((None, 2)))
    for times in (1, 2, 7, 8, 9, 16, 17, 24, 33):
        shape = backbone.compute_output_shape((1, times, 2))
        assert networks._frozen_times(times) == math.ceil(times / 8) == shape[1]


def test_weights_begin_as_xaviers_and_biases_at_zero(keras: Any) -> None:
    for name, (build, _) in NETWORKS.items():
        for layer in build((16, 20)).layers:
            for weight in layer.weights:
                value = np.asarray(weight)
                if weight.path.endswith("bias"):
                    assert not value.any(), name
                if weight.path.endswith("kernel"):
                    *window, before, after = value.shape
                    limit = math.sqrt(6 / (math.prod(window) * (before + after)))
                    assert limit * 0.9 < np.abs(value).max() <= limit * (1 + 1e-6)


# Fitting


def linear(keras: Any, features: int = 3) -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((features,)), keras.layers.Dense(5, activation="softmax")])


def cross_entropies(model: Any, inputs: Array, labels: Array) -> Array:
    (kernel, bias) = model.get_weights()
    found: Array = -np.log(softmax(inputs @ kernel + bias)[np.arange(len(labels)), labels])
    return found


OPTIONS: dict[str, Any] = {
    "sampling": "natural", "epochs": 3, "patience": 5, "batch_size": 8, "learning_rate": 0.01, "seed": 4,
    "kept_epoch": "best",
}  # fmt: skip


def few(count: int = 21) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(count, 3)).astype(np.float32), generator.choice([0, 0, 0, 1, 4], count)


@pytest.mark.slow
@pytest.mark.parametrize("sampling", ["natural", "class_balanced"])
def test_each_epoch_sees_the_samples_that_were_drawn_for_it(keras: Any, sampling: Sampling) -> None:
    """No step is made: each loss is the mean over the samples of one draw, the last batch smaller than the others."""
    inputs, labels = few()
    model = linear(keras)
    losses = cross_entropies(model, inputs, labels)
    found = fit_until_it_stops(
        model, (inputs, labels), None, **{**OPTIONS, "sampling": sampling, "learning_rate": 1e-12}
    )
    generator = np.random.default_rng(4)
    draws = [epoch_of(labels, sampling, generator) for _ in range(5)]
    means = [losses[draw].mean() for draw in draws]
    # Keras may ask for a new epoch before the first.
    assert any(found == {"loss": pytest.approx(means[first : first + 3], rel=1e-4)} for first in range(3))
    if sampling == "natural":
        assert len({tuple(draw) for draw in draws}) == 5
    else:
        assert len(set(means)) == 5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 1000))
def test_natural_epoch_is_every_sample_once(labels: list[int], seed: int) -> None:
    order = epoch_of(np.array(labels), "natural", np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(len(labels)))


def test_balanced_epoch_draws_each_class_as_often_and_each_sample_of_a_class_too() -> None:
    labels = np.array([3] * 60 + [0] * 25 + [4] * 5)
    generator = np.random.default_rng(0)
    drawn = np.concatenate([epoch_of(labels, "class_balanced", generator) for _ in range(400)])
    assert len(drawn) == 400 * 90
    for label, size in ((3, 60), (0, 25), (4, 5)):
        own = drawn[labels[drawn] == label]
        assert abs(len(own) - 12_000) < 5 * math.sqrt(36_000 * (1 / 3) * (2 / 3))
        counts = np.bincount(own, minlength=90)[labels == label]
        assert (np.abs(counts - len(own) / size) < 5 * math.sqrt(len(own) / size)).all()


def recorded(keras: Any, model: Any) -> list[list[Array]]:
    """Return a list to which the weights at the end of each epoch are added."""
    found: list[list[Array]] = []
    fit = model.fit

    class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            found.append(self.model.get_weights())

    model.fit = lambda *given_, callbacks, **options: fit(*given_, callbacks=[Recorder(), *callbacks], **options)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize(("epochs", "patience"), [(40, 2), (5, 40)])
def test_best_epoch_is_restored_and_training_ends_when_it_is_long_past(
    keras: Any, validated: bool, epochs: int, patience: int
) -> None:
    """The validation classes contradict the training, and the steps are far too large for it: losses rise again."""
    inputs, labels = few()
    model = linear(keras)
    weights = recorded(keras, model)
    other = np.random.default_rng(8).integers(0, 5, len(labels))
    validation = (inputs, other) if validated else None
    options = {**OPTIONS, "epochs": epochs, "patience": patience, "learning_rate": 1.0 if validated else 5.0}
    found = fit_until_it_stops(model, (inputs, labels), validation, **options)
    watched = found["val_loss" if validated else "loss"]
    assert set(found) == ({"loss", "val_loss"} if validated else {"loss"})
    best = int(np.argmin(watched))
    assert len(watched) == len(weights) == len(found["loss"]) == min(epochs, best + 1 + patience)
    assert best < len(watched) - 1
    for one, other_ in zip(model.get_weights(), weights[best], strict=True):
        assert np.array_equal(one, other_)
    assert not np.array_equal(model.get_weights()[0], weights[-1][0])
    if validated:
        assert cross_entropies(model, inputs, other).mean() == pytest.approx(min(watched), rel=1e-4)
    # Left alone, the weights are those that training ended with.
    again = linear(keras)
    weights = recorded(keras, again)
    fit_until_it_stops(again, (inputs, labels), validation, **{**options, "kept_epoch": "last"})
    for one, other_ in zip(again.get_weights(), weights[-1], strict=True):
        assert np.array_equal(one, other_)


@pytest.mark.slow
@pytest.mark.networks
def test_learning_rate_follows_half_a_cosine_to_zero(keras: Any) -> None:
    inputs, labels = few()
    for epochs, patience, seen in ((4, 50, 4), (60, 1, None)):
        model = linear(keras)
        options = {**OPTIONS, "epochs": epochs, "patience": patience, "learning_rate": 0.2}
        history = fit_until_it_stops(model, (inputs, labels), None, **options)
        # 21 samples in batches of eight are three steps an epoch.
        steps, total = 3 * len(history["loss"]), 3 * epochs
        assert seen in (None, len(history["loss"]))
        assert float(np.asarray(model.optimizer.learning_rate)) == pytest.approx(
            0.1 * (1 + math.cos(math.pi * steps / total)), abs=1e-6
        )
        assert isinstance(model.optimizer, keras.optimizers.Adam)


def test_fitting_is_the_same_again_and_another_for_another_seed(keras: Any) -> None:
    inputs, labels = few()
    found = []
    for seed in (4, 4, 5):
        model = linear(keras)
        fit_until_it_stops(model, (inputs, labels), None, **{**OPTIONS, "seed": seed})
        found.append(model.get_weights()[0])
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


# Networks on samples


def test_inputs_are_scaled_by_the_training_samples_alone() -> None:
    _, samples, (fold,) = designed({})
    found = scale(samples, fold, "standard")
    trained = samples.inputs[fold.training].reshape(-1, 6)
    for part in ("training", "validation", "test"):
        rows, (inputs, labels) = getattr(fold, part), getattr(found, part)
        for feature in range(6):
            column = trained[:, feature].tolist()
            mean = math.fsum(column) / len(column)
            deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in column) / len(column))
            expected = (samples.inputs[rows][:, :, feature] - mean) / deviation
            np.testing.assert_allclose(inputs[:, :, feature], expected, rtol=1e-5, atol=1e-5)
        assert labels.tolist() == samples.labels[rows].tolist()
        assert inputs.dtype == np.float32


@pytest.mark.parametrize("scaling", choices(DesignParameters, "scaling"))
def test_no_scaling_knows_what_is_tested_or_stopped_by(scaling: Any) -> None:
    _, samples, (fold,) = designed({})
    found = scale(samples, fold, scaling)
    changed = samples.inputs.copy()
    changed[fold.test] += 100
    changed[fold.validation] *= 3
    again = scale(replace(samples, inputs=changed), fold, scaling)
    assert np.array_equal(again.training[0], found.training[0])
    assert not np.array_equal(again.test[0], found.test[0])


def test_clipped_is_standard_up_to_ten_deviations() -> None:
    generator = np.random.default_rng(1)
    trained = generator.normal(size=(50, 4, 3))
    values = generator.normal(scale=20, size=(30, 4, 3))
    standard, clipped = (scaler(name, trained)(values) for name in ("standard", "clipped"))  # type: ignore[arg-type]
    assert np.abs(standard).max() > 10
    np.testing.assert_array_equal(clipped, np.clip(standard, -10, 10))


def test_rank_is_the_normal_deviate_of_the_share_below_and_never_far_out() -> None:
    trained = np.random.default_rng(2).exponential(size=(200, 5, 2))
    scaled = scaler("ranks", trained)
    column = np.sort(trained[:, :, 0].ravel())
    for share in (0.1, 0.5, 0.9):
        value = column[round(share * (len(column) - 1))]
        (found,) = scaled(np.full((1, 1, 2), value))[0, :, 0].tolist()
        assert found == pytest.approx(norm.ppf(share), abs=0.02)
    far = scaled(np.array([[[-1e9, 1e9]]]))[0, 0]
    assert far[0] < -4 < 4 < far[1] < 6
    # The order of values is kept, whatever their scale.
    assert scaled(np.log(trained + 1)).shape == trained.shape
    assert (np.diff(scaled(np.sort(trained[:, :, :1].repeat(2, axis=2), axis=0)), axis=0) >= 0).all()


@pytest.mark.parametrize("scaling", choices(DesignParameters, "scaling"))
@pytest.mark.parametrize("value", [0.0, 3.0, 0.1])
def test_feature_that_never_changes_in_training_does_not_blow_up_elsewhere(value: float, scaling: Any) -> None:
    inputs = np.full((40, 16, 1), value)
    inputs[-1] += 1e-6 * max(abs(value), 1)
    samples = replace(sample_set_of([0] * 40), inputs=inputs)
    scaled = scale(samples, Fold(np.arange(30), np.arange(30, 35), np.arange(35, 40)), scaling)
    assert np.abs(scaled.training[0]).max() < 1e-3
    assert np.abs(scaled.test[0]).max() < 1e-3


@pytest.mark.slow
@pytest.mark.data
def test_two_features_of_the_real_weeks_break_and_only_the_standard_scaling_lets_them() -> None:
    """From January to May 2020 the mean power of the magnetic signal is ten thousand times as large; no variance is."""
    weeks = load_weeks()
    means, names = weeks.means()
    days = weeks.rows["last_day"]
    broken = ((days >= "2020-01-10") & (days <= "2020-05-15")).to_numpy()
    before = ((days >= "2019-06-01") & (days < "2019-12-31")).to_numpy()
    ratios = {name: np.median(means[broken, i]) / np.median(means[before, i]) for i, name in enumerate(names)}
    assert {name for name, ratio in ratios.items() if ratio > 1000} == set(BREAKING)
    farthest = {}
    for scaling in choices(DesignParameters, "scaling"):
        parameters = NetworkParameters.of(scaling=scaling)
        samples = load_samples(parameters)
        (fold,) = folds_of(parameters, samples)
        farthest[scaling] = float(np.abs(scale(samples, fold, scaling).test[0]).max())
    assert farthest["standard"] > 10_000
    assert max(farthest["ranks"], farthest["clipped"]) <= 10
    dropped = NetworkParameters.of(statistics="mean without the break", scaling="standard")
    samples = load_samples(dropped)
    (fold,) = folds_of(dropped, samples)
    assert samples.inputs.shape[2] == 93
    assert np.abs(scale(samples, fold, "standard").test[0]).max() < 100


def test_explicit_features_are_averages_over_spans_of_time() -> None:
    inputs = np.arange(2.0 * 6 * 2).reshape(2, 6, 2).astype(np.float32)
    assert explicit_features(inputs, 3)[0].tolist() == [[1, 2], [5, 6], [9, 10]]
    assert explicit_features(inputs, 1)[1].tolist() == [[17, 18]]
    assert np.array_equal(explicit_features(inputs, 6), inputs)
    five = explicit_features(inputs[:, :5], 2)[0]
    assert five.tolist() == [[2, 3], [7, 8]]  # three times and two


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 3))
def test_explicit_features_take_every_time_once_and_in_order(times: int, spans: int, features: int) -> None:
    if spans > times:
        return
    inputs = np.random.default_rng(times).normal(size=(2, times, features)).astype(np.float32)
    found = explicit_features(inputs, spans)
    sizes = [times // spans + (place < times % spans) for place in range(spans)]
    begin = 0
    for place, size in enumerate(sizes):
        np.testing.assert_allclose(found[:, place], inputs[:, begin : begin + size].mean(axis=1), rtol=1e-5, atol=1e-6)
        begin += size
    assert begin == times


def tiny_backbone(shape: tuple[int | None, int]) -> Any:
    """Stand in for the DenseNet: the same names, a third of the channels, and as many times left."""
    import keras
    from keras import layers

    hidden = inputs = keras.Input(shape)
    hidden = layers.Conv1D(4, 1)(hidden)
    for _ in range(3):
        hidden = layers.AveragePooling1D(2, padding="same")(hidden)
    hidden = layers.BatchNormalization(name="BatchNorm_2")(hidden)
    pooled = layers.GlobalAveragePooling1D()(hidden)
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(pooled))


def network(**values: Any) -> NetworkParameters:
    chosen = {"weeks": 9, "epochs": 2, "batch_size": 128, "classifier": "flatten", **values}
    if chosen.get("model", "decoupled") != "decoupled":
        del chosen["classifier"]
    found: NetworkParameters = unit(NetworkParameters, **chosen)
    return found


Calls = list[tuple[Any, tuple[Array, Array], tuple[Array, Array] | None, dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, keras: Any) -> Calls:
    """Record what would be fitted instead of fitting it."""
    found: Calls = []

    def record(model: Any, training: Any, validation: Any, **options: Any) -> dict[str, list[float]]:
        found.append((model, training, validation, options))
        return {"loss": [1.0], **({} if validation is None else {"val_loss": [2.0]})}

    monkeypatch.setattr(networks, "build_backbone", tiny_backbone)
    monkeypatch.setattr(networks, "fit_until_it_stops", record)
    return found


def settings_of(**values: Any) -> dict[str, Any]:
    defaults = {"epochs": 2, "patience": 5, "batch_size": 128, "learning_rate": 0.001, "kept_epoch": "best", "seed": 6}
    return {**defaults, **values}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "sampling", "stopped_by"),
    [
        ("fused", "natural", "inner"),
        ("fused", "class_balanced", "test"),
        ("implicit", "natural", "test"),
        ("implicit", "class_balanced", "inner"),
        ("explicit", "natural", "inner"),
        ("explicit", "class_balanced", "test"),
    ],
)
def test_second_stage_sees_the_features_it_is_named_for_and_stops_by_what_it_says(
    calls: Calls, features: str, sampling: str, stopped_by: str
) -> None:
    parameters = network(features=features, sampling=sampling, stopped_by=stopped_by)
    _, samples, (fold,) = designed({"weeks": 9})
    result = fit_and_score(parameters, samples, fold, 6)
    scaled = scale(samples, fold, "ranks")
    if features == "explicit":
        ((_, training, stop, options),) = calls
        assert set(result.history) == {"loss", "val_loss"}
    else:
        (backbone, first, nothing, natural), (_, training, stop, options) = calls
        assert np.array_equal(first[0], scaled.training[0])
        assert np.array_equal(first[1], samples.labels[fold.training])
        assert nothing is None
        assert natural == settings_of(sampling="natural")
        assert set(result.history) == {"backbone_loss", "loss", "val_loss"}
    assert options == settings_of(sampling=sampling)

    def expected(inputs: Array) -> Array:
        parts = []
        if features != "explicit":
            parts.append(features_of(backbone).predict(inputs, verbose=0))
        if features != "implicit":
            parts.append(explicit_features(inputs, 2))
        return np.concatenate(parts, axis=-1)

    stopping, rows = (scaled.test, fold.test) if stopped_by == "test" else (scaled.validation, fold.validation)
    assert stop is not None
    for given_, inputs, own in ((training, scaled.training[0], fold.training), (stop, stopping[0], rows)):
        np.testing.assert_allclose(given_[0], expected(inputs), rtol=1e-5, atol=1e-6)
        assert given_[0].shape == (len(own), 2, {"fused": 10, "implicit": 4, "explicit": 6}[features])
        assert given_[0].dtype == np.float32
        assert np.array_equal(given_[1], samples.labels[own])
    assert result.scores.shape == (len(fold.test), 5)
    np.testing.assert_allclose(result.scores.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "stops", "sampling"),
    [
        ({"model": "densenet"}, False, "natural"),
        ({"model": "cnn"}, True, "natural"),
        ({"model": "cnn", "sampling": "class_balanced"}, True, "class_balanced"),
    ],
    ids=str,
)
def test_networks_of_one_stage_are_fitted_once(
    calls: Calls, values: dict[str, Any], stops: bool, sampling: str
) -> None:
    _, samples, (fold,) = designed({"weeks": 9})
    result = fit_and_score(network(**values), samples, fold, 6)
    scaled = scale(samples, fold, "ranks")
    ((model, training, stop, options),) = calls
    assert np.array_equal(training[0], scaled.training[0])
    assert (stop is not None) == stops
    if stop is not None:
        assert np.array_equal(stop[0], scaled.validation[0])
        assert np.array_equal(stop[1], samples.labels[fold.validation])
    assert options == settings_of(sampling=sampling)
    np.testing.assert_allclose(result.scores, model.predict(scaled.test[0], verbose=0), rtol=1e-5)
    assert set(result.history) == ({"loss", "val_loss"} if stops else {"loss"})


@pytest.mark.slow
@pytest.mark.networks
def test_initial_weights_are_those_of_the_seed(calls: Calls) -> None:
    _, samples, (fold,) = designed({"weeks": 9})
    for seed in (6, 6, 7):
        fit_and_score(network(), samples, fold, seed)
    each = len(calls) // 3
    for first, again, other in zip(calls[:each], calls[each : 2 * each], calls[2 * each :], strict=True):
        kernels = [[one for one in model.get_weights() if one.ndim > 1] for model, *_ in (first, again, other)]
        assert all(np.array_equal(one, same) for one, same in zip(kernels[0], kernels[1], strict=True))
        assert not any(np.array_equal(one, changed) for one, changed in zip(kernels[0], kernels[2], strict=True))


@pytest.mark.slow
def test_classifier_is_the_one_that_was_asked_for(calls: Calls) -> None:
    _, samples, (fold,) = designed({"weeks": 9})
    kinds = ("dense", "flatten", "cnn")
    for kind in kinds:
        fit_and_score(network(classifier=kind, features="explicit"), samples, fold, 6)
    found = [[type(layer).__name__ for layer in model.layers] for model, *_ in calls]
    assert [layers.count("Conv1D") for layers in found] == [6, 0, 3]
    assert [layers.count("Flatten") for layers in found] == [0, 1, 0]
    assert [layers.count("Concatenate") for layers in found] == [1, 0, 0]
    assert [layers.count("Dense") for layers in found] == [3, 3, 3]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, keras: Any) -> dict[str, list[Any]]:
    """Train for real with the small backbone, and hand out the models that were built."""
    found: dict[str, list[Any]] = {"backbone": [], "classifier": [], "frozen": []}

    def backbone(shape: Any) -> Any:
        found["backbone"].append(tiny_backbone(shape))
        return found["backbone"][-1]

    def features(model: Any) -> Any:
        found["frozen"].append([one.copy() for one in model.get_weights()])
        return features_of(model)

    def classifier(shape: Any, kind: Any) -> Any:
        found["classifier"].append(build_classifier(shape, kind))
        return found["classifier"][-1]

    monkeypatch.setattr(networks, "build_backbone", backbone)
    monkeypatch.setattr(networks, "features_of", features)
    monkeypatch.setattr(networks, "build_classifier", classifier)
    return found


@pytest.mark.slow
def test_second_stage_leaves_the_backbone_alone_and_normalises_its_last_weights(tiny: dict[str, list[Any]]) -> None:
    _, samples, (fold,) = designed({"weeks": 9})
    fit_and_score(network(sampling="class_balanced", learning_rate=0.05), samples, fold, 6)
    (backbone,), (frozen,), (classifier,) = tiny["backbone"], tiny["frozen"], tiny["classifier"]
    assert len(frozen) == 8
    for weight, before in zip(backbone.get_weights(), frozen, strict=True):
        assert np.array_equal(weight, before)
    (kernel,) = classifier.get_layer("normalised").get_weights()
    assert kernel.shape[1] == 5
    np.testing.assert_allclose(np.sqrt((kernel**2).sum(axis=0)), 1, rtol=1e-5)


SLOWLY = [
    pytest.param(one, marks=pytest.mark.slow)
    for one in ({"model": "densenet"}, {"model": "cnn"}, {"stopped_by": "test"}, {})
]


@pytest.mark.slow
@pytest.mark.parametrize("values", [{"features": "explicit"}, *SLOWLY], ids=str)
def test_forecast_depends_on_nothing_that_other_test_samples_would_tell(
    tiny: dict[str, list[Any]], values: dict[str, Any]
) -> None:
    """Inputs and classes of half of the test samples are others: the other half notices only where it stops by them."""
    _, samples, (fold,) = designed({"weeks": 9})
    changed = fold.test[::2]
    inputs, labels = samples.inputs.copy(), samples.labels.copy()
    inputs[changed], labels[changed] = 1 - 30 * inputs[changed], (labels[changed] + 1) % 5
    parameters = network(**values)
    one = fit_and_score(parameters, samples, fold, 6)
    other = fit_and_score(parameters, replace(samples, inputs=inputs, labels=labels), fold, 6)
    if values.get("stopped_by") == "test":
        assert one.history["val_loss"] != other.history["val_loss"]
        return
    assert one.history == other.history
    np.testing.assert_allclose(one.scores[1::2], other.scores[1::2], rtol=1e-4, atol=1e-6)
    assert not np.allclose(one.scores[::2], other.scores[::2], atol=1e-3)


@pytest.mark.slow
def test_first_stage_knows_nothing_of_the_second(tiny: dict[str, list[Any]]) -> None:
    """Whatever is fused, sampled or stopped by, the backbone of a seed is the same; of another seed it is another."""
    _, samples, (fold,) = designed({"weeks": 9})
    changes: list[dict[str, Any]] = [
        {}, {"features": "implicit"}, {"sampling": "class_balanced"}, {"stopped_by": "test"},
    ]  # fmt: skip
    found = [fit_and_score(network(**values), samples, fold, 6) for values in changes]
    assert [one.history["backbone_loss"] for one in found] == [found[0].history["backbone_loss"]] * 4
    for weights in zip(*tiny["frozen"], strict=True):
        assert all(np.array_equal(weights[0], one) for one in weights[1:])
    assert len({tuple(one.history["loss"]) for one in found[:3]}) == 3
    alone = fit_and_score(network(model="densenet"), samples, fold, 6)
    assert alone.history["loss"] == found[0].history["backbone_loss"]
    assert fit_and_score(network(), samples, fold, 7).history["backbone_loss"] != found[0].history["backbone_loss"]


@pytest.mark.slow
def test_fold_is_the_same_after_any_other(tiny: dict[str, list[Any]]) -> None:
    _, samples, folds = designed({"weeks": 9, "split": "areas"})
    parameters = network(split="areas", epochs=1)
    first = fit_and_score(parameters, samples, folds[0], 6)
    fit_and_score(parameters, samples, folds[1], 9)
    again = fit_and_score(parameters, samples, folds[0], 6)
    assert first.history == again.history
    assert np.array_equal(first.scores, again.scores)


@pytest.mark.slow
def test_unit_of_a_network_is_judged_on_all_its_folds(tiny: dict[str, list[Any]]) -> None:
    parameters = network(split="areas", epochs=1)
    found = run_network(parameters)
    assert len(tiny["backbone"]) == len(tiny["classifier"]) == 4
    assert found.n == 4 * 52
    naive = naive_unit(parameters)
    assert naive is not None
    assert set(found.metrics) == set(run_chance(naive).metrics)
    assert found.arrays == {}


@pytest.mark.parametrize(
    "values",
    [
        {"model": "cnn", "features": "implicit"},
        {"model": "densenet", "features": "explicit"},
        {"model": "cnn", "classifier": "cnn"},
        {"model": "densenet", "stopped_by": "test"},
        {"model": "densenet", "sampling": "class_balanced"},
        {"model": "lstm"},
        {"learning_rate": 0.0},
        {"epochs": 0},
        {"patience": 0},
        {"batch_size": 0},
        {"optimizer": "sgd"},
    ],
    ids=str,
)
def test_choices_that_do_not_belong_together_are_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=[*values][-1]):
        NetworkParameters.of(**values)


def test_printed_settings_are_the_defaults() -> None:
    unit_ = NetworkParameters()
    assert (unit_.learning_rate, unit_.patience, unit_.model, unit_.features) == (0.001, 5, "decoupled", "fused")


@pytest.mark.slow
def test_real_backbone_learns_is_frozen_and_forecasts(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class is written into the inputs: the whole network of two stages finds it."""
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(5), 24)
    inputs = generator.normal(size=(120, 16, 5)) + 4 * one_hot(labels)[:, None, :]
    samples = replace(sample_set_of(labels.tolist()), inputs=inputs)
    fold = Fold(np.arange(70), np.arange(70, 95), np.arange(95, 120))
    seen: list[Any] = []

    def features(model: Any) -> Any:
        seen.append((model, [one.copy() for one in model.get_weights()]))
        return features_of(model)

    monkeypatch.setattr(networks, "features_of", features)
    parameters = unit(NetworkParameters, epochs=12, batch_size=10, learning_rate=0.01, sampling="class_balanced")
    found = fit_and_score(parameters, samples, fold, 1)
    assert (found.scores.argmax(axis=1) == labels[fold.test]).mean() > 0.8
    ((model, before),) = seen
    assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))
    assert min(found.history["backbone_loss"]) < 1


# The data behind the samples


@pytest.mark.data
def test_samples_of_the_real_weeks() -> None:
    parameters = NetworkParameters()
    samples, weeks = load_samples(parameters), load_weeks()
    assert samples.inputs.shape == (1543 - 8 * 15, 16, 95)
    (fold,) = folds_of(parameters, samples)
    assert len(fold.test) == 312
    assert np.bincount(samples.labels[fold.test]).tolist() == [284, 16, 7, 4, 1]
    # The last week of each sample is its own row, and the first of the next one of its area.
    values = weeks.means()[0]
    rows = np.concatenate([np.flatnonzero(weeks.rows["area"] == area)[15:] for area in range(8)])
    assert np.array_equal(samples.inputs[:, -1], values[rows])
    assert np.array_equal(samples.inputs[:, 0], values[rows - 15])
    assert samples.labels.tolist() == classes_of(weeks.rows["label_magnitude"].to_numpy()[rows]).tolist()
    assert (samples.groups["area"].to_numpy() == weeks.rows["area"].to_numpy()[rows]).all()
    days = weeks.rows["last_day"].to_numpy()[rows]
    assert days[fold.training].max() <= days[fold.validation].min() < days[fold.test].min()


@pytest.mark.data
def test_real_surrogate_keeps_spectra_and_loses_the_weeks() -> None:
    weeks = load_weeks()
    values, areas = weeks.means()[0], weeks.rows["area"].to_numpy()
    found = surrogate(values, areas, ChanceParameters.of(source="surrogate").generator(samples_module.SURROGATES))
    own = load_samples(ChanceParameters.of(source="surrogate", weeks=1))
    assert np.array_equal(own.inputs[:, 0], found)
    for area in range(8):
        one, other = (np.abs(np.fft.fft(series[areas == area], axis=0)) for series in (values, found))
        np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-9 * np.abs(one).max())
    within = [
        abs(np.corrcoef(values[areas == area, f], found[areas == area, f])[0, 1])
        for area, f in product(range(8), range(95))
    ]
    assert float(np.median(within)) < 0.4


@pytest.mark.slow
@pytest.mark.data
def test_drawn_classes_of_the_real_month_are_known_from_windows_of_the_same_station_and_week() -> None:
    """Random rows leave them on both sides, stations held out leave neighbours of the area, weeks held out neither."""
    units = {split: ChanceParameters.of(source="raw", split=split, seed=1) for split in ("rows", "stations", "weeks")}
    samples = load_samples(units["rows"])
    assert samples.inputs.shape == (3198, 24, 95)
    assert np.isfinite(samples.inputs).all()
    groups = samples.groups.assign(label=samples.labels)
    assert (groups.groupby(["area", "week"])["label"].nunique() == 1).all()
    assert (groups.groupby(["area", "week"]).ngroups, groups["station"].nunique()) == (24, 32)
    shares = {}
    for split, column in product(units, ("station", "area")):
        known = []
        for fold in folds_of(units[split], samples):
            pairs = [groups.iloc[rows][[column, "week"]].apply(tuple, axis=1) for rows in (fold.training, fold.test)]
            known += pairs[1].isin(set(pairs[0])).tolist()
        shares[split, column] = np.mean(known)
    assert shares["rows", "station"] == shares["rows", "area"] == 1
    assert shares["stations", "station"] == shares["weeks", "station"] == shares["weeks", "area"] == 0
    assert shares["stations", "area"] > 0.8


def catalogue_lines() -> list[tuple[str, float, float, float]]:
    """Return (local time, magnitude, latitude, longitude) of all events, read off the file's text."""
    path = Path(os.environ["REPRODUCE_DATA"]) / "catalogs" / "cenc_world_2012_2024.xls"
    cells = re.findall(r"<Data[^>]*>([^<]*)</Data>", path.read_text(encoding="utf-8"))
    found = []
    for place, cell in enumerate(cells):
        if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", cell):
            magnitude, latitude, longitude = map(float, cells[place + 1 : place + 4])
            found.append((cell, magnitude, latitude, longitude))
    return found


@pytest.mark.data
def test_counts_of_the_paper_are_those_of_the_catalogues_text() -> None:
    """Times as they are printed, in China's own; the paper's three numbers are those of an earlier day."""
    metrics = numbers(run_dataset_facts(DatasetFactParameters()).metrics)
    inside = [one for one in catalogue_lines() if 22 <= one[2] <= 34 and 98 <= one[3] <= 107]
    for name, end, expected in (
        ("printed", "2023-05-30", (1132, 784, 39)),
        ("found", "2023-04-27", (1105, 771, 38)),
    ):
        tenths = [round(10 * magnitude) for time, magnitude, *_ in inside if "2017-01-01" <= time[:10] <= end]
        counts = (len(tenths), sum(one < 35 for one in tenths), sum(one >= 50 for one in tenths))
        assert counts == expected
        assert tuple(metrics[f"{kind}_to_{name}_end"] for kind in ("events", "small", "large")) == expected
        assert metrics[f"above_to_{name}_end"] == sum(one > 50 for one in tenths)
    assert (metrics["stations"], metrics["usable_stations"]) == (159, 131)
    assert (metrics["features"], metrics["columns"], metrics["rows"]) == (95, 1163, 1543)
    assert (metrics["rows[train]"], metrics["rows[valid]"]) == (1231, 312)
    assert (metrics["labels_by_list[train]"], metrics["labels_by_list[valid]"]) == (1230, 312)
    assert [metrics[f"class[valid,{label}]"] for label in range(5)] == [284, 16, 7, 4, 1]
    assert sum(metrics[f"class[train,{label}]"] for label in range(5)) == 1231


@pytest.mark.data
def test_classes_by_the_catalogue_are_those_of_a_loop_over_its_text() -> None:
    cells = [(r, c) for r in range(3) for c in range(3)][:8]
    events: dict[int, list[tuple[datetime, int]]] = {area: [] for area in range(8)}
    for time, magnitude, latitude, longitude in catalogue_lines():
        for area, (r, c) in enumerate(cells):
            south, west = (30, 26, 22)[r], 98 + 3 * c
            if south <= latitude < south + 4 and west <= longitude < west + 3 and round(10 * magnitude) >= 35:
                events[area].append((datetime.fromisoformat(time), round(10 * magnitude)))
    rows = load_weeks().rows
    agreeing: Counter[str] = Counter()
    for area, part, last_day, given_ in rows.itertuples(index=False):
        begin = (last_day + LABEL_LAG).to_pydatetime()
        own = [tenth for time, tenth in events[area] if begin <= time < begin + timedelta(days=7)]
        edges = (35, 40, 45, 50)
        found, label = (sum(edge <= one for edge in edges) for one in (max(own, default=0), round(10 * given_)))
        agreeing[part] += found == label
    metrics = run_dataset_facts(DatasetFactParameters()).metrics
    assert {part: metrics[f"classes_by_catalogue[{part}]"] for part in ("train", "valid")} == agreeing


# Units


EXPECTED_READINGS: tuple[dict[str, Any], ...] = (
    {}, {"features": "implicit"}, {"features": "explicit"}, {"classifier": "flatten"}, {"classifier": "cnn"},
    {"model": "cnn"}, {"model": "densenet"}, {"sampling": "class_balanced"}, {"stopped_by": "test"}, {"weeks": 8},
    {"weeks": 32}, {"statistics": "all"}, {"batch_size": 64}, {"kept_epoch": "last"},
)  # fmt: skip
EXPECTED_SCALINGS: tuple[dict[str, Any], ...] = (
    {"scaling": "clipped"}, {"scaling": "standard"}, {"statistics": "mean without the break"},
)  # fmt: skip


def full(experiment: str) -> list[UnitParameters]:
    return list(PAPER.experiment(experiment).full())


def test_units_of_the_full_set_are_valid_and_stand_there_once() -> None:
    for experiment in PAPER.experiments.values():
        units = list(experiment.full())
        assert len({one.key for one in units}) == len(units) > 0
        for one in units:
            assert type(one) is experiment.parameters
            assert one.profile == "full"
            assert experiment.parameters.of(**one.model_dump()) == one
        if experiment.deterministic:
            assert [one.seed for one in units] == [0]
    assert len(PAPER.full_units()) == sum(len(full(name)) for name in PAPER.experiments)
    assert (PAPER.key, PAPER.main) == ("zhang2023", "networks")


def test_full_set_holds_each_table_reading_and_design_on_five_seeds() -> None:
    seeds = range(5)
    networks_ = {NetworkParameters.of(**one, seed=seed).key for one in EXPECTED_READINGS for seed in seeds}
    models: tuple[dict[str, Any], ...] = ({}, {"model": "densenet"}, {"model": "cnn", "sampling": "class_balanced"})
    for design, model, seed in product((*DESIGNS.values(), *EXPECTED_SCALINGS), models, seeds):
        networks_.add(NetworkParameters.of(**design, **model, seed=seed).key)
    assert {one.key for one in full("networks")} == networks_
    weighted_ = {
        WeightedParameters.of(**design, method=method, seed=seed).key
        for design, method, seed in product((*DESIGNS.values(), *EXPECTED_SCALINGS), ("tree", "svm"), seeds)
    }
    assert {one.key for one in full("weighted")} == weighted_


def test_designs_are_all_different_and_judge_every_split_with_and_without_a_signal() -> None:
    designs = [DesignParameters.model_validate(values).model_dump() for values in DESIGNS.values()]
    assert all(one != other for one, other in combinations(designs, 2))
    found = {(one["source"], one["labels"], one["split"], one["oversampling"]) for one in designs}
    for split in ("time", "rows", "areas"):
        assert ("weekly", "true", split, "none") in found
        assert ("surrogate", "true", split, "none") in found
    for split in ("rows", "stations", "weeks"):
        assert ("raw", "true", split, "none") in found
    for labels in ("true", "shuffled"):
        assert ("weekly", labels, "rows", "before_split") in found
    assert len(found) == len(DESIGNS)


def test_naive_unit_shares_the_design_of_each_unit_and_is_in_the_full_set() -> None:
    recorded_ = {one.key for one in full("chance")}
    design = set(DesignParameters.model_fields) - {"backend"}
    for one in [*full("networks"), *full("weighted")]:
        naive = naive_unit(one)
        assert isinstance(naive, ChanceParameters)
        assert {name: getattr(naive, name) for name in design} == {name: getattr(one, name) for name in design}
        assert (naive.method, naive.backend) == ("majority", "none")
        assert naive.key in recorded_
    assert design > set(SampleParameters.model_fields) - {"backend"}
    for name in ("chance", "dataset_facts", "granularity", "backbone_shapes"):
        assert {naive_unit(one) for one in full(name)} == {None}


def test_naive_unit_is_judged_on_the_same_samples() -> None:
    for values in ({"split": "rows", "seed": 3}, {"labels": "shuffled", "weeks": 6}, {"split": "areas"}):
        parameters = unit(NetworkParameters, **values)
        naive = naive_unit(parameters)
        assert naive is not None
        one, other = load_samples(parameters), load_samples(naive)
        assert np.array_equal(one.labels, other.labels)
        for fold, own in zip(folds_of(parameters, one), folds_of(naive, other), strict=True):
            assert np.array_equal(fold.test, own.test)
            assert np.array_equal(fold.training, own.training)


@pytest.mark.parametrize("name", ["chance", "weighted", pytest.param("networks", marks=pytest.mark.slow)])
def test_smoke_units_run_without_data(keras: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    experiment = PAPER.experiment(name)
    units = list(experiment.smoke())
    assert units
    for one in units:
        assert one.profile == "smoke"
        found = experiment.run(one)
        assert all(math.isfinite(value) for value in numbers(found.metrics).values())
        assert 0 <= numbers(found.metrics)["accuracy"] <= 100
        assert found.data == {}
