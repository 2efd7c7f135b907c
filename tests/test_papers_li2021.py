"""The rebuilt Li et al.: samples and folds by slow loops, networks by formula, and what the evaluation gives away."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, pairwise, product
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from reproduce_lib.claims import load_claims
from reproduce_lib.class_scores import mean_auc
from reproduce_lib.collection import load_paper
from reproduce_lib.data.catalogs import Box, Catalogue
from reproduce_lib.data.regional_catalogs import REGIONAL_CATALOGUES
from reproduce_lib.errors import DataError, ParameterError
from reproduce_lib.execution import environment
from reproduce_lib.main_shocks import Samples, attach_patterns, cut_fixed_periods, find_main_shocks
from reproduce_lib.papers.li2021 import (
    bp,
    bp_permutations,
    cart,
    chance,
    dlep,
    evaluation,
    event_maps,
    loss_example,
    networks,
    other_layers,
    overlap,
)
from reproduce_lib.papers.li2021 import samples as samples_module
from reproduce_lib.papers.li2021 import segmentations as segmentations_module
from reproduce_lib.papers.li2021.bp import BpParameters, build_bp, run_bp
from reproduce_lib.papers.li2021.bp_permutations import BpPermutationParameters, run_bp_permutations
from reproduce_lib.papers.li2021.cart import CartParameters, PermutationParameters, run_cart, run_permutations
from reproduce_lib.papers.li2021.chance import METHODS, ChanceParameters, run_chance, smallest_possible_classes
from reproduce_lib.papers.li2021.class_weights import class_weights, dynamic_loss, inverse_frequencies, weighted_targets
from reproduce_lib.papers.li2021.dlep import (
    VARIANTS,
    DlepParameters,
    build_dlep,
    run_dlep,
    run_dlep_batch,
    search_and_fit,
)
from reproduce_lib.papers.li2021.evaluation import (
    FOLDS,
    Classifier,
    ClassifierParameters,
    Fold,
    Forecast,
    confusion,
    evaluate,
    events_of,
    folds_of,
    inner_fold,
    labels_of,
)
from reproduce_lib.papers.li2021.event_maps import (
    EventMapParameters,
    build_event_maps,
    first_painted,
    paint_maps,
    run_event_maps,
    without_shared_events,
)
from reproduce_lib.papers.li2021.features import FeatureParameters, run_features
from reproduce_lib.papers.li2021.loss_example import LossExampleParameters, run_loss_example, solutions
from reproduce_lib.papers.li2021.other_layers import CONVOLUTIONS, FILTERS, OtherLayersParameters, run_other_layers
from reproduce_lib.papers.li2021.overlap import OverlapParameters, run_overlap
from reproduce_lib.papers.li2021.paper import (
    EARLIER_EPOCHS,
    EARLIER_SEEDS,
    ETAS_SEEDS,
    EVENT_MAP_AUDIT_SEEDS,
    PAPER,
    PERMUTED_SEEDS,
    READING_SEEDS,
    READINGS,
    SEARCH_SEEDS,
    SEARCHED,
    SEEDS,
    SPLITS,
    naive_unit,
)
from reproduce_lib.papers.li2021.regions import REGION_NAMES, REGIONS
from reproduce_lib.papers.li2021.samples import (
    CHOSEN,
    LOGARITHMIC,
    Cut,
    SampleSet,
    cut,
    days_of,
    load_events,
    load_samples,
    network_indicators,
    scaled_inputs,
    with_the_quantiles_of,
)
from reproduce_lib.papers.li2021.search import PRINTED, RANDOM_TRIALS, search
from reproduce_lib.papers.li2021.segmentations import (
    LENGTHS,
    SegmentationParameters,
    choose,
    distance,
    feasible,
    run_segmentation,
)
from reproduce_lib.seismicity_indicators import INDICATORS
from reproduce_lib.units import UnitParameters, UnitResult
from tests.support import PROJECT, load_keras

START = pd.Timestamp("2000-01-01", tz="UTC")
# Table I: south, north, west, east; the edges of the labels; the instances of each label.
TABLE_I: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]] = {
    "sichuan": ((28, 36, 98, 106), (3.0, 4.0, 4.5, 5.0, 5.5), (457, 214, 114, 54, 67)),
    "xinjiang": ((35, 50, 75, 95), (3.0, 4.0, 4.5, 5.0, 5.5), (123, 335, 316, 142, 111)),
    "qinghai_tibet": ((26, 39, 73, 104), (3.0, 4.0, 4.5, 5.0, 5.5), (172, 208, 230, 157, 254)),
    "shandong_jiangsu": ((29, 38, 114, 124), (3.0, 4.0, 4.5, 5.0, 5.5), (481, 100, 49, 15, 13)),
    "japan": ((31, 38, 136, 143), (3.0, 4.8, 5.3, 5.8, 6.3), (136, 416, 317, 139, 88)),
    "philippines": ((11, 19, 115, 124), (3.0, 4.8, 5.3, 5.8, 6.1), (67, 392, 359, 112, 122)),
    "chicago": ((38, 47, -93, -82), (3.0, 3.2, 3.5, 4.0, 4.5), (276, 99, 140, 73, 22)),
    "los_angeles": ((30, 40, -125, -115), (3.8, 4.0, 4.5, 5.0, 5.5), (417, 409, 196, 118, 42)),
}
# Times to the quarter of a day and magnitudes to the tenth, so that ties and borders come up often.
EVENTS = st.lists(st.tuples(st.integers(0, 400), st.integers(30, 62)), min_size=1, max_size=80)


def numbers(metrics: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not isinstance(value, str)}


def unit(kind: type[ClassifierParameters] = ChanceParameters, **values: Any) -> Any:
    """Return a unit on the simulated catalogue."""
    return kind.of(**{"profile": "custom", "source": "simulated", "length": 7, **values})


@cache
def simulated(**values: Any) -> SampleSet:
    return load_samples(unit(**values))


def frame_of(
    days: Sequence[float],
    magnitudes: Sequence[float],
    latitudes: Sequence[float] | float = 30.0,
    longitudes: Sequence[float] | float = 100.0,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": START + pd.to_timedelta(np.asarray(days, dtype=float) * 86_400, unit="s"),
            "latitude": np.broadcast_to(np.asarray(latitudes, dtype=float), len(days)),
            "longitude": np.broadcast_to(np.asarray(longitudes, dtype=float), len(days)),
            "depth_km": 10.0,
            "magnitude": np.asarray(magnitudes, dtype=float),
            "magnitude_type": "M",
        }
    )


def sample_set_of(
    frame: pd.DataFrame,
    patterns: Sequence[Sequence[int]],
    main_shocks: Sequence[int],
    labels: Sequence[int],
    starts: Sequence[int] | None = None,
) -> SampleSet:
    """Return samples of given events, whose network inputs are all zero."""
    count, width = len(main_shocks), len(patterns[0])
    arrays = [np.array(one, dtype=np.intp) for one in (main_shocks, starts or [one[0] for one in patterns], patterns)]
    inputs = np.zeros((count, len(INDICATORS))), np.zeros((count, width, 4))
    return SampleSet(frame, Samples(*arrays), np.array(labels, dtype=np.intp), *inputs, {"f": "0"})


def apart(labels: Sequence[int], magnitudes: Sequence[float] | None = None) -> SampleSet:
    """Return samples of one event each that share nothing: a pattern of M 3 and a main shock, day after day."""
    largest = [(3.1, 4.1, 4.6, 5.1, 6.0)[label] for label in labels]
    before = magnitudes or [3.0] * len(labels)
    both = [one for pair in zip(before, largest, strict=True) for one in pair]
    places = range(0, len(both), 2)
    return sample_set_of(frame_of(range(len(both)), both), [[i] for i in places], [i + 1 for i in places], labels)


def part_of(sample_set: SampleSet, count: int) -> SampleSet:
    """Return the first samples of a set."""
    samples = sample_set.samples
    first = Samples(samples.main_shocks[:count], samples.starts[:count], samples.patterns[:count])
    return SampleSet(
        sample_set.events,
        first,
        sample_set.labels[:count],
        sample_set.indicators[:count],
        sample_set.patterns[:count],
        sample_set.files,
    )


# Class weights: section III-C


def printed_weights(counts: Sequence[int]) -> list[Fraction]:
    """Compute the equation for bc, and for c, as the paper prints it."""
    size = sum(counts)
    z = sum(Fraction(size, count) for count in counts if count)
    return [Fraction(size) / (z * count) if count else Fraction(0) for count in counts]


def test_weights_of_the_worked_example() -> None:
    batch, population = np.array([10.0, 2, 1, 1, 3]), np.array([8.0, 1, 2, 2, 3])
    found = class_weights(batch, population, 0.8)
    assert [f"{weight:.4f}" for weight in found] == ["0.0374", "0.2177", "0.3134", "0.3134", "0.1180"]
    # By hand: 1/10 over 1/10 + 1/2 + 1 + 1 + 1/3, and 1/8 over 1/8 + 1 + 1/2 + 1/2 + 1/3.
    assert found[0] == pytest.approx(0.8 * 0.1 / (88 / 30) + 0.2 * 0.125 / (59 / 24))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 50), min_size=2, max_size=7).filter(any),
    st.lists(st.integers(0, 2000), min_size=7, max_size=7).filter(lambda counts: any(counts[:2])),
    st.floats(0, 1),
)
def test_weights_are_those_of_the_printed_equations(batch: list[int], population: list[int], share: float) -> None:
    population = population[: len(batch)]
    bc, c = printed_weights(batch), printed_weights(population)
    expected = [share * float(one) + (1 - share) * float(other) for one, other in zip(bc, c, strict=True)]
    found = class_weights(np.array(batch, dtype=float), np.array(population, dtype=float), share)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    assert found.sum() == pytest.approx(1)


def test_class_without_a_sample_weighs_nothing_and_the_rarest_most() -> None:
    found = inverse_frequencies(np.array([0.0, 4, 2, 0, 1]))
    assert found.tolist() == pytest.approx([0, 1 / 7, 2 / 7, 0, 4 / 7])


def literal_loss(labels: Sequence[int], probabilities: Any, population: Sequence[int], share: float) -> list[float]:
    """Weigh the cross-entropy of each sample by its class, class by class and sample by sample."""
    batch = [list(labels).count(number) for number in range(len(population))]
    bc, c = printed_weights(batch), printed_weights(population)
    losses = []
    for label, row in zip(labels, probabilities, strict=True):
        weight = share * float(bc[label]) + (1 - share) * float(c[label])
        losses.append(-weight * math.log(max(float(row[label]), 1e-7)))
    return losses


@settings(deadline=None, max_examples=50)
@given(
    # Few sizes, since each is compiled anew.
    st.sampled_from([1, 7, 24]).flatmap(lambda size: st.lists(st.integers(0, 4), min_size=size, max_size=size)),
    st.lists(st.integers(1, 500), min_size=5, max_size=5),
    st.sampled_from([0.0, 0.5, 0.8, 1.0]),
    st.integers(0, 1000),
)
def test_loss_is_that_of_a_loop_over_the_batch(
    labels: list[int], population: list[int], share: float, seed: int
) -> None:
    """Most of these batches lack a class."""
    load_keras()
    from keras import ops

    probabilities = np.random.default_rng(seed).dirichlet(np.full(5, 0.3), len(labels)).astype(np.float32)
    loss = dynamic_loss(share)
    targets = weighted_targets(np.array(labels), np.array(population, dtype=float))
    found = np.asarray(loss(ops.convert_to_tensor(targets), ops.convert_to_tensor(probabilities)))
    np.testing.assert_allclose(found, literal_loss(labels, probabilities, population, share), rtol=2e-5, atol=1e-6)


def test_certain_and_wrong_forecasts_have_a_finite_loss() -> None:
    load_keras()
    from keras import ops

    loss = dynamic_loss(0.8)
    targets = ops.convert_to_tensor(weighted_targets(np.array([0, 4]), np.array([3.0, 0, 0, 0, 1])))
    right = ops.convert_to_tensor(np.eye(5, dtype=np.float32)[[0, 4]])
    wrong = ops.convert_to_tensor(np.eye(5, dtype=np.float32)[[4, 0]])
    # The batch weighs both classes 1/2, the population 1/4 and 3/4.
    expected = [-(0.8 / 2 + 0.2 * share) * math.log(1e-7) for share in (0.25, 0.75)]
    np.testing.assert_allclose(np.asarray(loss(targets, wrong)), expected, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(loss(targets, right)), [0, 0], atol=1e-6)


@pytest.mark.slow
def test_training_minimises_this_loss() -> None:
    """One batch and no step: what Keras reports is the mean over the samples of the loop's losses."""
    load_keras()
    import keras

    from reproduce_lib.training import start_afresh, train

    start_afresh(1)
    generator = np.random.default_rng(1)
    inputs, labels = generator.normal(size=(40, 3)).astype(np.float32), generator.choice([0, 0, 0, 1, 3], 40).tolist()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, activation="softmax")])
    before = model.predict(inputs, verbose=0)
    population = [90, 30, 5, 9, 2]
    history = train(
        model,
        (inputs, weighted_targets(np.array(labels), np.array(population, dtype=float))),
        None,
        loss=dynamic_loss(0.8),
        epochs=1,
        batch_size=40,
        shuffle=True,
        learning_rate=1e-9,
    )
    assert history["loss"] == [pytest.approx(np.mean(literal_loss(labels, before, population, 0.8)), rel=1e-4)]


def test_one_pair_of_counts_gives_the_printed_weights() -> None:
    assert solutions() == [((10, 2, 1, 1, 3), (8, 1, 2, 2, 3))]


def test_counts_up_to_six_leave_that_pair_alone() -> None:
    """Every pair by itself: 1296 batches times 1296 populations, rounded to the printed digits."""
    printed = np.array([374, 2177, 3134, 3134, 1180])
    others = np.array(list(product(range(1, 7), repeat=4)), dtype=float)

    def normalised(first: int) -> Any:
        inverse = np.column_stack([np.full(len(others), 1 / first), 1 / others])
        return inverse / inverse.sum(axis=1, keepdims=True)

    found = []
    of_population = 0.2 * normalised(8)
    for batch, of_batch in zip(others, 0.8 * normalised(10), strict=True):
        right = (np.rint(10_000 * (of_batch + of_population)) == printed).all(axis=1)
        found += [((10, *batch), (8, *population)) for population in others[right]]
    assert found == [((10, 2, 1, 1, 3), (8, 1, 2, 2, 3))]


def test_loss_example_tells_what_its_counts_add_up_to() -> None:
    found = run_loss_example(LossExampleParameters())
    assert found.n == found.metrics["solutions"] == 1
    assert (found.metrics["batch"], found.metrics["population"]) == ("10, 2, 1, 1, 3", "8, 1, 2, 2, 3")
    assert (found.metrics["batch_size"], found.metrics["population_size"]) == (17, 16)
    assert found.metrics["classes_with_more_in_the_batch"] == 2  # 10 of 8, and 2 of 1
    assert found.metrics["ratio"] == "4:22:31:31:12"
    weights = [found.metrics[f"weight[{number}]"] for number in range(5)]
    assert [f"{weight:.4f}" for weight in weights] == ["0.0374", "0.2177", "0.3134", "0.3134", "0.1180"]


def test_weights_that_no_counts_give_have_no_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_example, "WEIGHTS", (0.0374, 0.2177, 0.3134, 0.3034, 0.1280))
    found = run_loss_example(LossExampleParameters())
    assert (found.metrics, found.n) == ({"solutions": 0.0}, 0)


# Regions: Table I


def test_regions_are_those_of_table_i() -> None:
    assert list(REGION_NAMES) == list(REGIONS) == list(TABLE_I)
    for name, (box, edges, _) in TABLE_I.items():
        region = REGIONS[name]  # type: ignore[index]
        assert (region.box, region.edges) == (Box(*box), edges)
        assert region.catalogues
        assert set(region.catalogues) <= set(REGIONAL_CATALOGUES)


@pytest.mark.parametrize("region", REGION_NAMES)
@pytest.mark.parametrize("rounding", [0.0, 1e-6, -1e-6, 4e-4, -4e-4])
def test_class_is_the_number_of_edges_that_a_magnitude_reaches(region: Any, rounding: float) -> None:
    """In whole tenths: 4.5 may come as 4.499999 and is in the class from 4.5 on."""
    edges = [round(10 * edge) for edge in TABLE_I[region][1]]
    tenths = np.arange(edges[0], 100)
    expected = [sum(edge <= one for edge in edges) - 1 for one in tenths]
    assert REGIONS[region].labels(tenths / 10 + rounding).tolist() == expected
    assert REGIONS[region].labels(0.1 * tenths).tolist() == expected
    assert set(expected) == set(range(5))


@pytest.mark.parametrize("region", REGION_NAMES)
def test_magnitude_below_the_first_class_is_refused(region: Any) -> None:
    lowest = TABLE_I[region][1][0]
    with pytest.raises(ValueError, match=f"{lowest - 0.1:.1f}"):
        REGIONS[region].labels(np.array([5.0, round(lowest - 0.1, 1), 6.0]))


# Samples


def literal_main_shocks(days: Any, magnitudes: Any, segmentation: str, length: int) -> list[tuple[int, int]]:
    """Return (start, main shock) of each period, as section II-A and its example say."""
    found, last = [], len(days) - 1
    if segmentation == "fixed_days":
        cell = 0
        while days[0] + (cell + 1) * length <= days[last]:
            low = days[0] + cell * length
            members = [i for i in range(len(days)) if low <= days[i] < low + length]
            found += [(members[0], max(members, key=lambda i: (magnitudes[i], -i)))] if members else []
            cell += 1
        return found
    start = 0
    while start <= last:
        if segmentation == "days":
            members = []
            while start + len(members) <= last and days[start + len(members)] < days[start] + length:
                members.append(start + len(members))
            whole = days[start] + length <= days[last]
        else:
            members, whole = list(range(start, start + length)), start + length <= last + 1
        if not whole:
            break
        found.append((start, max(members, key=lambda i: (magnitudes[i], -i))))
        start = found[-1][1] + 1
    return found


def days_and_magnitudes(frame: pd.DataFrame) -> tuple[Any, Any]:
    seconds = (frame["time"] - frame["time"].iloc[0]).dt.total_seconds().to_numpy()
    return seconds / 86_400, np.round(frame["magnitude"].to_numpy(), 1)


READ = [
    {},
    {"length": 3, "width": 5},
    {"segmentation": "events", "length": 5, "width": 10},
    {"segmentation": "fixed_days", "length": 10},
    {"pattern": "main_shocks", "width": 7},
    {"region": "los_angeles", "length": 14},
]


@pytest.mark.parametrize("values", READ, ids=str)
def test_samples_of_the_simulated_catalogue_are_those_of_a_loop(values: dict[str, Any]) -> None:
    parameters, found = unit(**values), simulated(**values)
    days, magnitudes = days_and_magnitudes(found.events)
    periods = literal_main_shocks(days, magnitudes, parameters.segmentation, parameters.length)
    every, width = [main_shock for _, main_shock in periods], parameters.width
    expected = []
    for number, (start, main_shock) in enumerate(periods):
        before = every[:number] if parameters.pattern == "main_shocks" else range(main_shock)
        if len(before) >= width:
            expected.append((start, main_shock, list(before[-width:])))
    samples = found.samples
    shown = zip(samples.starts.tolist(), samples.main_shocks.tolist(), samples.patterns.tolist(), strict=True)
    assert list(shown) == expected
    edges = TABLE_I[parameters.region][1]
    assert found.labels.tolist() == [
        sum(magnitudes[main_shock] > edge - 0.05 for edge in edges) - 1 for _, main_shock, _ in expected
    ]
    assert len(expected) > 60


@pytest.mark.parametrize("values", READ, ids=str)
def test_patterns_have_their_shapes_and_end_before_their_main_shock(values: dict[str, Any]) -> None:
    parameters, found = unit(**values), simulated(**values)
    count, width = len(found.labels), parameters.width
    assert found.patterns.shape == (count, width, 4)
    assert found.indicators.shape == (count, 8)
    assert found.samples.patterns.shape == (count, width)
    assert np.isfinite(found.patterns).all()
    assert np.isfinite(found.indicators).all()
    assert found.events["time"].is_monotonic_increasing
    assert (np.diff(found.samples.main_shocks) > 0).all()
    assert (np.diff(found.samples.patterns, axis=1) > 0).all()
    assert (found.samples.patterns[:, -1] < found.samples.main_shocks).all()
    assert found.files == {}


@pytest.mark.parametrize("values", READ, ids=str)
def test_network_sees_of_each_event_its_magnitude_wait_and_place(values: dict[str, Any]) -> None:
    found = simulated(**values)
    days, magnitudes = days_and_magnitudes(found.events)
    latitude, longitude = (found.events[name].to_numpy() for name in ("latitude", "longitude"))
    for sample in range(0, len(found.labels), 11):
        pattern = found.samples.patterns[sample]
        waits = [0.0, *(days[later] - days[earlier] for earlier, later in pairwise(pattern))]
        logarithms = [math.log10(max(wait, 1 / 86_400)) for wait in waits]
        expected = [magnitudes[pattern], logarithms, latitude[pattern], longitude[pattern]]
        np.testing.assert_allclose(found.patterns[sample], np.transpose(expected), rtol=1e-9)


@pytest.mark.parametrize("region", ["sichuan", "los_angeles"])
def test_indicators_are_of_the_pattern_alone_and_count_the_second_class_as_characteristic(region: str) -> None:
    found = simulated(region=region)
    days, magnitudes = days_and_magnitudes(found.events)
    second = TABLE_I[region][1][1]
    for sample in range(0, len(found.labels), 7):
        pattern = found.samples.patterns[sample]
        named = dict(zip(INDICATORS, found.indicators[sample], strict=True))
        elapsed = days[pattern[-1]] - days[pattern[0]]
        assert named["elapsed_time"] == pytest.approx(elapsed)
        assert named["mean_magnitude"] == pytest.approx(magnitudes[pattern].mean())
        large = [days[event] for event in pattern if magnitudes[event] > second - 0.05]
        mean = (large[-1] - large[0]) / (len(large) - 1) if len(large) > 1 else elapsed
        assert named["characteristic_time"] == pytest.approx(mean)


def test_networks_see_logarithms_of_the_indicators_that_spread() -> None:
    indicators = simulated().indicators
    kept = indicators.copy()
    seen = network_indicators(indicators)
    assert (indicators == kept).all()
    for place, name in enumerate(INDICATORS):
        spreads = name in ("elapsed_time", "root_energy_rate", "characteristic_time")
        expected = [math.log10(max(value, 1 / 86_400)) if spreads else value for value in kept[:, place]]
        np.testing.assert_allclose(seen[:, place], expected)


def test_indicator_of_no_time_has_a_finite_logarithm() -> None:
    seen = network_indicators(np.zeros((2, 8)))
    assert np.isfinite(seen).all()
    assert seen[0, [1, 3, 4, 5, 7]].tolist() == [0] * 5


@pytest.mark.parametrize("region", REGION_NAMES)
def test_source_of_another_region_is_refused_with_the_allowed_names(region: Any) -> None:
    own = REGIONS[region].catalogues
    for source in REGIONAL_CATALOGUES:
        if source in own:
            assert ChanceParameters.of(region=region, source=source, length=7).source == source
            continue
        with pytest.raises(ParameterError) as refusal:
            ChanceParameters.of(region=region, source=source, length=7)
        wanted = (source, region, "reference", "etas", "comcat_live", "simulated", *own)
        assert [name for name in wanted if name not in str(refusal.value)] == []


@pytest.mark.parametrize("values", [{"segmentation": "events"}, {"source": "cea_mw"}, {"source": "cenc"}])
def test_length_that_the_rule_did_not_choose_must_be_given(values: dict[str, Any]) -> None:
    """The rule chose days, of one catalogue: they are no number of events and no days of another catalogue."""
    with pytest.raises(ParameterError, match="length"):
        ChanceParameters.of(**values)
    assert ChanceParameters.of(length=5, **values).length == 5


@pytest.mark.parametrize("source", ["simulated", "comcat_live"])
def test_simulated_and_live_data_are_never_part_of_the_full_set(source: str) -> None:
    with pytest.raises(ParameterError, match=f"'{source}'.*custom"):
        ChanceParameters.of(source=source, length=7)
    assert ChanceParameters.of(profile="custom", source=source, length=7).source == source


def test_live_catalogue_is_asked_for_the_region_from_its_first_class_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def answer(*question: Any) -> Catalogue:
        asked.append(question)
        return Catalogue("comcat_live", random_catalogue(region="los_angeles"), question[-1], 0, {})

    monkeypatch.setattr(samples_module, "query_catalogue", answer)
    found = load_samples(unit(source="comcat_live", region="los_angeles"))
    ((box, begin, end, smallest),) = asked
    assert (box, smallest) == (REGIONS["los_angeles"].box, 3.75)
    assert (begin.year, end.year) == (1973, 2020)
    assert len(found.labels) > 10
    assert found.files == {}


def test_source_that_is_none_is_refused() -> None:
    with pytest.raises(ParameterError, match="jma"):
        ChanceParameters.of(source="jma")


def test_region_for_which_no_cut_was_chosen_needs_a_length_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(CHOSEN, "sichuan", raising=False)
    days, magnitudes = days_and_magnitudes(simulated().events)
    with pytest.raises(DataError, match="sichuan"):
        cut(unit(source="reference", length=0), days, magnitudes)


def test_length_of_zero_is_what_the_rule_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHOSEN, "sichuan", Cut("cea_mw", 20))
    days, magnitudes = days_and_magnitudes(simulated().events)
    chosen, same, other = (cut(unit(source="reference", length=length), days, magnitudes) for length in (0, 20, 7))
    assert chosen.main_shocks.tolist() == same.main_shocks.tolist() != other.main_shocks.tolist()


def offer(monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame, threshold: float = 3.0) -> list[str]:
    """Stand in for every regional catalogue, and note the names of those that are asked for."""
    asked: list[str] = []

    def load(name: str) -> Catalogue:
        asked.append(name)
        return Catalogue(name, frame, threshold, 3, {f"{name}.csv": "0"})

    for module in (samples_module, segmentations_module):
        monkeypatch.setattr(module, "load_regional", load)
    return asked


def random_catalogue(
    count: int = 3000, smallest: float = 3.0, seed: int = 0, region: str = "sichuan", days: float = 3000
) -> pd.DataFrame:
    """Return events of a region at random times, with the magnitudes of a b-value of 1."""
    generator = np.random.default_rng(seed)
    south, north, west, east = TABLE_I[region][0]
    magnitudes = smallest + np.floor(generator.exponential(10 / np.log(10), count)) / 10
    return frame_of(
        np.sort(generator.integers(0, int(4 * days), count)) / 4,
        np.round(magnitudes, 1).tolist(),
        generator.uniform(south, north, count).tolist(),
        generator.uniform(west, east, count).tolist(),
    )


def test_events_outside_of_the_box_or_below_the_first_class_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        (36.0, 98.0, 3.0, True),  # a corner of the box
        (28.0, 106.0, 9.0, True),
        (36.1, 98.0, 5.0, False),
        (30.0, 106.1, 5.0, False),
        (30.0, 100.0, 2.96, True),  # rounds to 3.0
        (30.0, 100.0, 2.94, False),
        (30.0, 100.0, 4.499999, True),
    ]
    frame = frame_of(range(len(rows)), [row[2] for row in rows], [row[0] for row in rows], [row[1] for row in rows])
    asked = offer(monkeypatch, frame)
    found = load_events(unit(source="cea_mw"))
    assert asked == ["cea_mw"]
    assert found.events["magnitude"].tolist() == [magnitude for _, _, magnitude, inside in rows if inside]
    assert found.events.index.tolist() == list(range(4))
    assert (found.files, found.left_out) == ({"cea_mw.csv": "0"}, 3)


def test_reference_is_the_catalogue_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = offer(monkeypatch, random_catalogue())
    monkeypatch.setitem(CHOSEN, "sichuan", Cut("cea_mw", 20))
    for source in ("reference", "etas", "cenc"):
        load_events(unit(source=source))
    assert asked == ["cea_mw", "cea_mw", "cenc"]


@pytest.mark.parametrize("rounding", [-1e-6, 1e-6, -4e-4])
def test_magnitudes_a_little_off_their_tenth_make_the_same_samples(
    monkeypatch: pytest.MonkeyPatch, rounding: float
) -> None:
    frame = random_catalogue()
    offer(monkeypatch, frame)
    exact = load_samples(unit(source="cenc"))
    offer(monkeypatch, frame.assign(magnitude=frame["magnitude"] + rounding))
    near = load_samples(unit(source="cenc"))
    assert near.labels.tolist() == exact.labels.tolist()
    assert near.samples.main_shocks.tolist() == exact.samples.main_shocks.tolist()
    np.testing.assert_allclose(near.indicators, exact.indicators, rtol=1e-9)
    assert len(set(exact.labels.tolist())) == 5


@pytest.mark.parametrize(("region", "smallest"), [("sichuan", 3.0), ("los_angeles", 3.8), ("japan", 4.5)])
def test_catalogue_without_precursors_has_the_rate_and_the_slope_of_what_it_stands_for(
    monkeypatch: pytest.MonkeyPatch, region: str, smallest: float
) -> None:
    """The rate at each magnitude: classes of other sizes would make another problem of it."""
    frame = random_catalogue(12_000, smallest, region=region)
    offer(monkeypatch, frame, smallest)
    monkeypatch.setitem(CHOSEN, region, Cut(REGIONS[region].catalogues[0], 7))  # type: ignore[index]
    found = load_events(unit(source="etas", region=region))
    days, magnitudes = days_and_magnitudes(found.events)
    given_days, given_magnitudes = days_and_magnitudes(frame)
    assert days[-1] == pytest.approx(given_days[-1], rel=0.02)
    for least in (smallest, smallest + 0.5, smallest + 1.0):
        expected = (given_magnitudes > least - 0.05).sum()
        assert (magnitudes > least - 0.05).sum() == pytest.approx(expected, rel=0.25), least
    assert found.files == {f"{REGIONS[region].catalogues[0]}.csv": "0"}  # type: ignore[index]
    again, other = (load_events(unit(CartParameters, source="etas", region=region, seed=seed)) for seed in (0, 1))
    pd.testing.assert_frame_equal(again.events, found.events)  # the same for every classifier
    assert len(other.events) != len(found.events)


@settings(deadline=None)
@given(
    st.lists(st.integers(30, 60).map(lambda tenths: tenths / 10), min_size=1, max_size=40),
    st.lists(st.integers(30, 60).map(lambda tenths: tenths / 10), min_size=1, max_size=40),
    st.integers(0, 5),
)
def test_simulated_magnitudes_keep_their_order_and_take_the_real_values(
    real: list[float], drawn: list[float], seed: int
) -> None:
    found = with_the_quantiles_of(np.array(real), np.array(drawn), seed)
    assert set(found) <= set(real)
    for one, other in product(range(len(drawn)), repeat=2):
        assert found[one] <= found[other] or drawn[one] >= drawn[other]
    twice = with_the_quantiles_of(np.array(real), np.repeat(np.arange(len(real)), 2).astype(float), seed)
    assert twice.tolist() == sorted([*real, *real])


# Segmentations


def test_distance_by_hand() -> None:
    # 7 + 14 + 6 + 6 + 3 of 906 instances.
    assert distance([450, 200, 120, 60, 70], TABLE_I["sichuan"][2]) == pytest.approx(36 / 906)
    assert distance(TABLE_I["japan"][2], TABLE_I["japan"][2]) == 0
    assert distance([0] * 5, TABLE_I["japan"][2]) == 1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([60, 10, 10, 10, 10], True),
        ([59, 10, 10, 10, 10], False),
        ([900, 100, 100, 100, 9], False),
        ([20, 20, 20, 20, 20], True),
        ([100, 0, 0, 0, 0], False),
    ],
)
def test_feasible_needs_a_hundred_samples_and_ten_of_each_class(counts: list[float], expected: bool) -> None:
    assert feasible(counts) is expected


def test_choice_is_the_nearest_of_what_ten_folds_can_carry() -> None:
    printed = [100, 50, 30, 20, 10]
    far, near, tied, exact = [200, 50, 30, 20, 10], [100, 60, 30, 20, 10], [100, 40, 30, 20, 10], [100, 50, 30, 20, 10]
    few = [100, 50, 30, 20, 9]  # nearest, and not feasible
    assert choose({("cenc", 1): far, ("cenc", 2): near, ("cea_mw", 1): few}, printed) == ("cenc", 2)
    assert choose({("cenc", 1): tied, ("cenc", 2): near}, printed) == ("cenc", 1)
    assert choose({("cenc", 2): near, ("cenc", 1): tied}, printed) == ("cenc", 2)
    assert choose({("cenc", 1): near, ("cea_mw", 30): exact}, printed) == ("cea_mw", 30)
    assert choose({("cenc", 1): few}, printed) is None
    assert choose({}, printed) is None


@pytest.mark.parametrize("pattern", ["events", "main_shocks"])
@pytest.mark.parametrize("segmentation", ["days", "events", "fixed_days"])
def test_samples_of_each_length_are_counted_class_by_class(
    monkeypatch: pytest.MonkeyPatch, segmentation: Any, pattern: Any
) -> None:
    frame = random_catalogue(1200, seed=4)
    outside = frame.assign(latitude=10.0)
    both = pd.concat([frame, outside]).sort_values("time", kind="stable", ignore_index=True)
    asked = offer(monkeypatch, both)
    found = run_segmentation(
        SegmentationParameters.of(region="sichuan", catalogue="cea_mw", segmentation=segmentation, pattern=pattern)
    )
    days, magnitudes = days_and_magnitudes(frame)
    edges = TABLE_I["sichuan"][1]
    classes = [sum(magnitude > edge - 0.05 for edge in edges) for magnitude in magnitudes]  # 1 to 5
    expected: dict[str, float] = {"events": 1200, "left_out": 3}
    expected |= {f"events_of_class[{number}]": classes.count(number) for number in range(1, 6)}
    for length in (1, 7, 90):
        periods = [main_shock for _, main_shock in literal_main_shocks(days, magnitudes, segmentation, length)]
        counted = Counter(
            classes[one] for place, one in enumerate(periods) if (place if pattern == "main_shocks" else one) >= 20
        )
        expected |= {f"samples[{length},{number}]": counted[number] for number in range(1, 6)}
        shocks = [one for place, one in enumerate(periods) if (place if pattern == "main_shocks" else one) >= 20]
        starts = {one: start for start, one in literal_main_shocks(days, magnitudes, segmentation, length)}
        before = {one: periods[periods.index(one) - 20] if pattern == "main_shocks" else one - 20 for one in shocks}
        if shocks:
            single, spans = [starts[one] == one for one in shocks], [days[one] - days[before[one]] for one in shocks]
            expected[f"single[{length}]"] = pytest.approx(100 * np.mean(single))
            expected[f"pattern_days[{length}]"] = pytest.approx(np.median(spans))
    assert asked == ["cea_mw"]
    assert {name: found.metrics[name] for name in expected} == expected
    assert (found.metrics["first_year"], found.metrics["last_year"]) == (2000, 2008)
    assert (found.n, found.data) == (1200, {"cea_mw.csv": "0"})
    wanted = {f"samples[{length},{number}]" for length in LENGTHS for number in range(1, 6)}
    assert wanted <= set(found.metrics)


def test_catalogue_that_is_not_named_is_the_first_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = offer(monkeypatch, random_catalogue(200))
    run_segmentation(SegmentationParameters.of(region="sichuan"))
    assert asked == ["cenc"]


@pytest.mark.data
@pytest.mark.parametrize("region", REGION_NAMES)
def test_chosen_is_what_the_rule_chooses_on_the_real_catalogues(region: Any) -> None:
    """Of all catalogues of the region and all N, under the reference reading, the nearest to Table I."""
    counted = {}
    for catalogue in REGIONS[region].catalogues:
        metrics = numbers(run_segmentation(SegmentationParameters.of(region=region, catalogue=catalogue)).metrics)
        for length in LENGTHS:
            counted[catalogue, length] = [metrics[f"samples[{length},{number}]"] for number in range(1, 6)]
    found = choose(counted, TABLE_I[region][2])
    assert CHOSEN.get(region) == (None if found is None else Cut(*found))
    # The same by hand.
    gaps = {
        name: sum(abs(one - printed) for one, printed in zip(counts, TABLE_I[region][2], strict=True))
        for name, counts in counted.items()
        if sum(counts) >= 100 and min(counts) >= 10
    }
    assert (found is None) == (not gaps)
    assert found is None or gaps[found] == min(gaps.values())


@pytest.mark.data
@pytest.mark.parametrize("region", REGION_NAMES)
def test_samples_of_a_chosen_cut_are_those_that_were_counted(region: Any) -> None:
    chosen = CHOSEN[region]
    metrics = run_segmentation(SegmentationParameters.of(region=region, catalogue=chosen.catalogue)).metrics
    labels = load_samples(ChanceParameters.of(region=region)).labels
    counts = [metrics[f"samples[{chosen.days},{number}]"] for number in range(1, 6)]
    assert np.bincount(labels, minlength=5).tolist() == counts


@pytest.mark.data
@pytest.mark.parametrize("region", REGION_NAMES)
def test_catalogue_without_precursors_poses_the_problem_of_the_real_one(region: Any) -> None:
    """As many samples and as unequal classes, within a factor: else its scores say nothing of the real ones."""
    real, without = (
        np.bincount(load_samples(ChanceParameters.of(region=region, source=source)).labels, minlength=5)
        for source in ("reference", "etas")
    )
    assert 0.5 < without.sum() / real.sum() < 2
    shares = (without / without.sum()) / (real / real.sum())
    assert (without > 0).all()
    assert ((shares > 1 / 4) & (shares < 4)).all()


# Folds


def overlapping(width: int = 6, count: int = 60, pattern: str = "events", seed: int = 0) -> Samples:
    generator = np.random.default_rng(seed)
    days, magnitudes = np.arange(600.0), generator.integers(30, 60, 600) / 10
    periods = find_main_shocks(days, magnitudes, length=12, unit="events")
    found = attach_patterns(periods, width=width, pattern=pattern)  # type: ignore[arg-type]
    return Samples(found.main_shocks[:count], found.starts[:count], found.patterns[:count])


def shares_an_event(samples: Samples, one: int, other: int) -> bool:
    first, second = ({int(samples.main_shocks[sample]), *samples.patterns[sample].tolist()} for sample in (one, other))
    return bool(first & second)


@pytest.mark.parametrize("count", [60, 57])
def test_shuffled_folds_partition_the_samples_and_depend_on_the_seed(count: int) -> None:
    samples = overlapping(count=count)
    folds = folds_of("shuffled", samples, 3)
    assert len(folds) == FOLDS == 10
    assert sorted(sample for fold in folds for sample in fold.test.tolist()) == list(range(count))
    for fold in folds:
        assert sorted([*fold.training.tolist(), *fold.test.tolist()]) == list(range(count))
        assert len(fold.test) in (count // 10, -(-count // 10))
    again, other = folds_of("shuffled", samples, 3), folds_of("shuffled", samples, 4)
    assert all((one.test == two.test).all() for one, two in zip(folds, again, strict=True))
    assert any(one.test.tolist() != two.test.tolist() for one, two in zip(folds, other, strict=True))
    assert any((np.diff(fold.test) > 1).any() for fold in folds)


@pytest.mark.parametrize("pattern", ["events", "main_shocks"])
@pytest.mark.parametrize("count", [60, 47])
def test_grouped_folds_are_blocks_that_share_no_event_with_their_training(count: int, pattern: str) -> None:
    samples = overlapping(count=count, pattern=pattern, width=4)
    count = len(samples.main_shocks)
    folds = folds_of("grouped", samples, 0)
    assert [sample for fold in folds for sample in fold.test.tolist()] == list(range(count))
    lost = 0
    for fold in folds:
        training, test = set(fold.training.tolist()), fold.test.tolist()
        for sample in range(count):
            shared = any(shares_an_event(samples, sample, other) for other in test)
            assert (sample in training) == (not shared)  # all others are kept
            lost += shared and sample not in test
    assert lost > 0


@pytest.mark.parametrize("pattern", ["events", "main_shocks"])
def test_forward_folds_never_train_on_what_comes_later_or_is_shared(pattern: str) -> None:
    samples = overlapping(pattern=pattern, width=4)
    count = len(samples.main_shocks)
    folds = folds_of("forward", samples, 0)
    blocks = np.array_split(np.arange(count), 10)
    assert [fold.test.tolist() for fold in folds] == [block.tolist() for block in blocks[1:]]
    for fold in folds:
        first = int(fold.test[0])
        expected = [
            sample
            for sample in range(first)
            if not any(shares_an_event(samples, sample, other) for other in fold.test.tolist())
        ]
        assert fold.training.tolist() == expected
        events = events_of(samples)
        assert events[fold.training].max() < events[fold.test].min()


@pytest.mark.parametrize("split", ["grouped", "forward"])
def test_folds_in_time_do_not_depend_on_the_seed(split: Any) -> None:
    one, other = (folds_of(split, overlapping(), seed) for seed in (0, 1))
    for first, second in zip(one, other, strict=True):
        assert (first.training.tolist(), first.test.tolist()) == (second.training.tolist(), second.test.tolist())


def test_events_of_a_sample_are_its_pattern_and_its_main_shock() -> None:
    samples = apart([0, 1, 2]).samples
    assert events_of(samples).tolist() == [[0, 1], [2, 3], [4, 5]]


# Evaluation

LABELS_20 = [0, 0, 1, 0, 2, 0, 0, 3, 0, 0, 1, 1, 0, 0, 4, 0, 0, 0, 2, 0]


def scoring(scores: Any, training: bool = False, history: bool = False) -> Classifier:
    """Return a classifier that gives each sample the scores of a table."""

    def classify(fold: Fold, labels: Any, seed: int) -> Forecast:
        curves = {"loss": [float(fold.test[0]), 1.0, 0.5]} if history else {}
        return Forecast(scores[fold.test], scores[fold.training] if training else None, curves)

    return classify


def folds_and_seeds(parameters: Any, sample_set: SampleSet) -> tuple[list[Fold], list[int]]:
    """Return what an evaluation hands to its classifier, fold by fold."""
    seen: list[tuple[Fold, int]] = []

    def classify(fold: Fold, labels: Any, seed: int) -> Forecast:
        seen.append((fold, seed))
        return Forecast(np.ones((len(fold.test), 5)))

    evaluate(parameters, sample_set, classify)
    return [fold for fold, _ in seen], [seed for _, seed in seen]


def test_scores_of_an_evaluation_by_hand() -> None:
    """Blocks of two samples: of 18 forecasts of class 0 twelve are right, and of two of class 1 one."""
    sample_set = apart(LABELS_20)
    scores = np.tile([0.5, 0.4, 0.1, 0.0, 0.0], (20, 1))
    scores[[2, 9]] = [0.4, 0.5, 0.1, 0.0, 0.0]  # one right, one wrong
    found = evaluate(unit(split="grouped"), sample_set, scoring(scores))
    assert found.metrics["accuracy"] == pytest.approx(100 * (13 - 1 + 1) / 20)
    assert found.metrics["accuracy_pooled"] == pytest.approx(65)
    assert found.metrics["majority"] == pytest.approx(65)
    assert (found.metrics["samples"], found.n, found.data) == (20, 20, {"f": "0"})
    assert "accuracy_training" not in found.metrics
    assert found.arrays == {}
    # Blocks (0, 1), (8, 9), (10, 11), (12, 13) and (16, 17) hold one class and have no MAUC; of the rest, with ties a
    # half, only (2, 3) is told apart: both samples are in the right order for both classes.
    assert found.metrics["mauc"] == pytest.approx(100 * (1 + 4 * 0.5) / 5)


@pytest.mark.parametrize("split", ["shuffled", "grouped", "forward"])
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_means_over_folds_and_pooled_ones_are_over_all_forecasts(split: Any, seed: int) -> None:
    sample_set, parameters = simulated(), unit(split=split, seed=seed)
    labels = sample_set.labels
    scores = np.random.default_rng(seed).dirichlet(np.ones(5), len(labels))
    found = evaluate(parameters, sample_set, scoring(scores, training=True)).metrics
    folds, _ = folds_and_seeds(parameters, sample_set)
    right = [int(np.argmax(row)) == label for row, label in zip(scores, labels, strict=True)]

    def percent(samples: Any) -> float:
        return 100 * sum(right[sample] for sample in samples) / len(samples)

    tested = [sample for fold in folds for sample in fold.test]
    areas = [mean_auc(labels[fold.test], scores[fold.test]) for fold in folds]
    common = [np.bincount(labels[fold.training]).argmax() for fold in folds]
    expected = {
        "accuracy": np.mean([percent(fold.test) for fold in folds]),
        "accuracy_training": np.mean([percent(fold.training) for fold in folds]),
        "accuracy_pooled": percent(tested),
        "mauc": 100 * np.mean([area for area in areas if area is not None]),
        "mauc_pooled": 100 * (mean_auc(labels[tested], scores[tested]) or 0),
        "majority": 100 * np.mean([(labels[f.test] == c).mean() for f, c in zip(folds, common, strict=True)]),
        "samples": len(labels),
    }
    assert found == {name: pytest.approx(value) for name, value in expected.items()}


def test_commonest_class_is_that_of_the_training_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten samples of each of two classes, block by block: of what is left the other class is always commoner."""
    sample_set = apart([0, 0, 1, 1] * 5)
    assert chance_on(monkeypatch, sample_set, "majority")["accuracy"] == 0
    assert evaluate(unit(split="grouped"), sample_set, scoring(np.ones((20, 5)))).metrics["majority"] == 0


def test_shuffled_folds_of_an_evaluation_are_others_for_another_seed() -> None:
    one, again, other = (folds_and_seeds(unit(seed=seed), simulated())[0] for seed in (0, 0, 1))
    assert [fold.test.tolist() for fold in one] == [fold.test.tolist() for fold in again]
    assert [fold.test.tolist() for fold in one] != [fold.test.tolist() for fold in other]


def test_each_fold_has_a_seed_of_its_own_and_they_are_those_of_the_unit() -> None:
    one, again, other = (folds_and_seeds(parameters, simulated())[1] for parameters in (unit(), unit(), unit(seed=1)))
    assert len(set(one)) == 10
    assert one == again
    assert not set(one) & set(other)


def test_forecasts_are_kept_in_order_of_time_with_the_curves_of_each_fold() -> None:
    sample_set = simulated()
    count = len(sample_set.labels)
    scores = np.random.default_rng(5).dirichlet(np.ones(5), count)
    kept = evaluate(unit(), sample_set, scoring(scores, history=True), keep=True).arrays
    assert kept["sample"].tolist() == list(range(count))
    assert kept["label"].tolist() == sample_set.labels.tolist()
    np.testing.assert_allclose(kept["scores"], scores, rtol=1e-6)
    folds, _ = folds_and_seeds(unit(), sample_set)
    assert kept["loss"].tolist() == [[fold.test[0], 1.0, 0.5] for fold in folds]
    forward = evaluate(unit(split="forward"), sample_set, scoring(scores), keep=True).arrays
    assert forward["sample"].tolist() == list(range(count))[-len(forward["sample"]) :]
    assert len(forward["sample"]) < count
    assert "loss" not in forward


def test_confusion_counts_each_class_given_for_each_label() -> None:
    scores = np.eye(5)[[0, 0, 1, 4, 4]]
    expected = np.zeros((5, 5), dtype=int)
    expected[0, 0], expected[2, 0], expected[2, 1], expected[4, 4] = 1, 1, 1, 2
    assert confusion(np.array([0, 2, 2, 4, 4]), scores).tolist() == expected.tolist()


def test_permuted_labels_keep_the_counts_and_nothing_else() -> None:
    sample_set = simulated()
    true, one, again, other = (
        labels_of(unit(labels=labels, seed=seed), sample_set)
        for labels, seed in (("true", 0), ("permuted", 0), ("permuted", 0), ("permuted", 1))
    )
    assert true.tolist() == sample_set.labels.tolist()
    assert one.tolist() == again.tolist()
    assert Counter(one.tolist()) == Counter(other.tolist()) == Counter(true.tolist())
    chance_level = sum((count / len(true)) ** 2 for count in Counter(true.tolist()).values())
    for first, second in combinations((true, one, other), 2):
        assert (first == second).mean() == pytest.approx(chance_level, abs=0.12)


def test_classifier_learns_and_is_judged_by_the_permuted_labels() -> None:
    parameters, sample_set = unit(labels="permuted"), simulated()
    permuted = labels_of(parameters, sample_set)
    seen: list[Any] = []

    def classify(fold: Fold, labels: Any, seed: int) -> Forecast:
        seen.append(labels)
        return Forecast(np.eye(5)[permuted[fold.test]])

    assert evaluate(parameters, sample_set, classify).metrics["accuracy"] == 100
    assert all((labels == permuted).all() for labels in seen)


UNITS: list[Any] = [
    unit(DlepParameters),
    unit(DlepParameters, model="dlep_att", seed=4),
    unit(BpParameters),
    unit(EventMapParameters, pixels=16),
    unit(CartParameters),
    unit(CartParameters, segmentation="days", split="grouped"),
    unit(PermutationParameters),
]


@pytest.mark.parametrize("parameters", UNITS, ids=lambda one: f"{one.experiment} {one.label}")
def test_naive_forecast_is_judged_on_the_folds_of_its_unit(parameters: Any) -> None:
    folds, naive = (folds_and_seeds(one, simulated())[0] for one in (parameters, naive_unit(parameters)))
    assert [fold.test.tolist() for fold in folds] == [fold.test.tolist() for fold in naive]
    assert [fold.training.tolist() for fold in folds] == [fold.training.tolist() for fold in naive]


def remembering(sample_set: SampleSet, met: list[int]) -> Classifier:
    """Return a classifier that knows nothing but which training samples share events with what it forecasts."""
    events = [set(row) for row in events_of(sample_set.samples).tolist()]

    def classify(fold: Fold, labels: Any, seed: int) -> Forecast:
        common = np.bincount(labels[fold.training], minlength=5).argmax()
        scores = np.zeros((len(fold.test), 5))
        for row, sample in enumerate(fold.test):
            shared = [(len(events[sample] & events[other]), other) for other in fold.training]
            most, nearest = max(shared, default=(0, 0))
            met.append(most)
            scores[row, labels[nearest] if most else common] = 1
        return Forecast(scores)

    return classify


def test_memory_pays_on_shuffled_folds_and_finds_nothing_on_grouped_and_forward_ones() -> None:
    """Labels that come in runs of three: neighbours share events, and so give the label away."""
    samples = overlapping(width=40, count=60)
    labels = np.repeat(np.random.default_rng(2).permutation(np.arange(20) % 5), 3)
    sample_set = sample_set_of(
        frame_of(range(600), [4.0] * 600), samples.patterns.tolist(), samples.main_shocks.tolist(), labels.tolist()
    )
    accuracies = {}
    for split in ("shuffled", "grouped", "forward"):
        met: list[int] = []
        metrics = evaluate(unit(split=split), sample_set, remembering(sample_set, met)).metrics
        accuracies[split] = float(metrics["accuracy"])
        assert (max(met) > 0) == (split == "shuffled")
    assert accuracies["shuffled"] > 50
    assert accuracies["grouped"] < 35
    assert accuracies["forward"] < 35


# Overlap


@pytest.mark.parametrize("split", ["shuffled", "grouped", "forward"])
def test_overlap_is_that_of_a_loop_over_test_samples(monkeypatch: pytest.MonkeyPatch, split: Any) -> None:
    parameters = unit(OverlapParameters, split=split)
    samples = simulated().samples
    seen_folds: list[Fold] = []

    def watch(*arguments: Any) -> list[Fold]:
        seen_folds.extend(folds_of(*arguments))
        return list(seen_folds)

    monkeypatch.setattr(overlap, "folds_of", watch)
    found = run_overlap(parameters)
    assert len(seen_folds) == (9 if split == "forward" else 10)
    rows, trained = [], []
    for fold in seen_folds:
        seen = {event for sample in fold.training for event in samples.patterns[sample].tolist()}
        answers = {int(samples.main_shocks[sample]) for sample in fold.training}
        trained.append(len(fold.training))
        for sample in fold.test:
            pattern = samples.patterns[sample].tolist()
            known = [event in seen for event in pattern]
            shown = int(samples.main_shocks[sample]) in seen
            rows.append((any(known), sum(known) / len(known), shown, any(event in answers for event in pattern)))
    names = ("pattern_shared", "events_shared", "answer_shown", "answers_seen")
    expected = dict(zip(names, 100 * np.mean(np.array(rows, dtype=float), axis=0), strict=True))
    assert {name: found.metrics[name] for name in names} == {name: pytest.approx(expected[name]) for name in names}
    assert found.metrics["training_samples"] == pytest.approx(np.mean(trained))
    assert found.n == len(rows)
    every = {event for sample in events_of(samples).tolist() for event in sample}
    assert found.metrics["events_of_all_samples"] == len(every)
    assert (expected["pattern_shared"] > 0) == (split == "shuffled")
    assert (expected["answer_shown"] > 0) == (split == "shuffled")


# Chance


def chance_on(monkeypatch: pytest.MonkeyPatch, sample_set: SampleSet, method: str, **values: Any) -> dict[str, float]:
    monkeypatch.setattr(chance, "load_samples", lambda parameters: sample_set)
    return numbers(run_chance(unit(method=method, split="grouped", **values)).metrics)


@pytest.mark.parametrize(("method", "right"), [("majority", 13), ("last_main_shock", 8), ("lower_bound", 15)])
def test_forecasts_without_a_model_by_hand(monkeypatch: pytest.MonkeyPatch, method: str, right: int) -> None:
    """Twenty samples in blocks of two.

    Thirteen are of class 0; eight are of the class of the one before. The pattern of sample 2 shows M 4.2, so that its
    class is at least 1, of which the training samples have most: right. That of sample 4 (class 2) shows as much:
    wrong. Sample 7 (class 3) shows M 4.6: class 2 is commoner than 3 and 4, wrong. Sample 14 shows M 5.7, that is
    class 4, which no training sample has: right. Sample 5 (class 0) shows M 5.6, but before its period began.
    """
    before = [3.0] * 20
    before[2], before[4], before[5], before[7], before[14] = 4.2, 4.2, 5.6, 4.6, 5.7
    plain = apart(LABELS_20, before)
    starts = plain.samples.starts.copy()
    starts[5] += 1
    sample_set = replace(plain, samples=replace(plain.samples, starts=starts))
    found = chance_on(monkeypatch, sample_set, method)
    assert found["accuracy"] == pytest.approx(100 * right / 20)
    assert found["majority"] == pytest.approx(65)


def test_nearest_in_time_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty main shocks at equal distances, the first twenty of class 0 and the others of class 1.

    Beside the block of samples 16 to 19 lie 15 and 20. The fifteen nearest training samples of sample 16 are 7 to
    15 and 20 to 25, those of sample 19 are 10 to 15 and 20 to 28.
    """
    sample_set = apart([0] * 20 + [1] * 20)
    classify = forecasts_of(monkeypatch, chance, run_chance, unit(method="nearest_in_time"), sample_set)
    block = np.arange(16, 20)
    fold = Fold(np.setdiff1d(np.arange(40), block), block)
    scores = classify(fold, sample_set.labels, 0).test
    assert scores[0].tolist() == pytest.approx([9 / 15, 6 / 15, 0, 0, 0])
    assert scores[3].tolist() == pytest.approx([6 / 15, 9 / 15, 0, 0, 0])
    early = Fold(np.arange(20), np.array([30]))
    assert classify(early, sample_set.labels, 0).test.tolist() == [[1, 0, 0, 0, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_scores_of_a_forecast_without_a_model_are_probabilities(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """The area under the curve compares the scores of one class from sample to sample: they need one scale."""
    sample_set = simulated()
    classify = forecasts_of(monkeypatch, chance, run_chance, unit(method=method))
    for fold in folds_and_seeds(unit(), sample_set)[0]:
        scores = classify(fold, sample_set.labels, 1).test
        assert (scores >= 0).all()
        np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_commonest_class_tells_no_sample_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chance_on(monkeypatch, simulated(), "majority")["mauc"] == 50
    for split in ("shuffled", "grouped", "forward"):
        metrics = run_chance(unit(split=split)).metrics
        assert metrics["accuracy"] == metrics["majority"]


def forecasts_of(monkeypatch: pytest.MonkeyPatch, module: ModuleType, run: Callable[[Any], UnitResult], parameters: Any,
                 sample_set: SampleSet | None = None) -> Classifier:  # fmt: skip
    """Return the classifier that a unit hands to the evaluation."""
    caught: list[Classifier] = []

    def catch(parameters: Any, sample_set: SampleSet, classify: Classifier, **options: Any) -> UnitResult:
        caught.append(classify)
        return UnitResult({"accuracy": 0.0, "mauc": 0.0}, 0)

    monkeypatch.setattr(module, "evaluate", catch)
    if sample_set is not None:
        monkeypatch.setattr(module, "load_samples", lambda parameters: sample_set)
    run(parameters)
    return caught[0]


def test_stratified_draws_classes_in_the_proportions_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_set = simulated()
    classify = forecasts_of(monkeypatch, chance, run_chance, unit(method="stratified"))
    count = len(sample_set.labels)
    fold = Fold(np.arange(0, count, 2), np.arange(1, count, 2))
    drawn = [classify(fold, sample_set.labels, seed).test for seed in range(30)]
    assert all((one.sum(axis=1) == 1).all() and (one.max(axis=1) == 1).all() for one in drawn)
    assert (drawn[0] == classify(fold, sample_set.labels, 0).test).all()
    assert (drawn[0] != drawn[1]).any()
    shares = np.bincount(sample_set.labels[fold.training], minlength=5) / len(fold.training)
    total = 30 * len(fold.test)
    error = np.sqrt(shares * (1 - shares) / total)
    assert (np.abs(np.concatenate(drawn).mean(axis=0) - shares) < 4 * error + 1e-12).all()


@pytest.mark.parametrize("split", ["shuffled", "grouped", "forward"])
@pytest.mark.parametrize("segmentation", ["days", "fixed_days"])
def test_lower_bound_is_that_of_a_loop(monkeypatch: pytest.MonkeyPatch, split: Any, segmentation: Any) -> None:
    parameters = unit(method="lower_bound", split=split, segmentation=segmentation)
    sample_set = simulated(segmentation=segmentation)
    samples, labels = sample_set.samples, sample_set.labels
    edges = TABLE_I["sichuan"][1]
    accuracies = []
    for fold in folds_and_seeds(parameters, sample_set)[0]:
        counts = Counter(labels[fold.training].tolist())
        right = 0
        for sample in fold.test:
            shown = [
                sum(sample_set.events["magnitude"].iloc[event] > edge - 0.05 for edge in edges) - 1
                for event in samples.patterns[sample]
                if event >= samples.starts[sample]
            ]
            bound = max(shown, default=0)
            assert bound <= labels[sample]
            right += max(range(bound, 5), key=lambda one: (counts[one], -one)) == labels[sample]
        accuracies.append(right / len(fold.test))
    assert run_chance(parameters).metrics["accuracy"] == pytest.approx(100 * np.mean(accuracies))


@settings(deadline=None, max_examples=200)
@given(EVENTS, st.integers(1, 12), st.integers(1, 6), st.sampled_from(["days", "events", "fixed_days"]))
def test_no_main_shock_is_smaller_than_what_its_pattern_shows_of_its_period(
    events: list[tuple[int, int]], length: int, width: int, segmentation: Any
) -> None:
    """The leak: a main shock is the largest of its period, and its pattern may lie in that period."""
    events = sorted(events, key=lambda event: event[0])
    days, magnitudes = np.array([day / 4 for day, _ in events]), np.array([tenths / 10 for _, tenths in events])
    if segmentation == "fixed_days":
        periods = cut_fixed_periods(days, magnitudes, length=length)
    else:
        periods = find_main_shocks(days, magnitudes, length=length, unit=segmentation)
    samples = attach_patterns(periods, width=width, pattern="events")
    classes = REGIONS["sichuan"].labels(magnitudes)
    found = smallest_possible_classes(samples, classes)
    assert (found <= classes[samples.main_shocks]).all()
    for bound, pattern, start in zip(found, samples.patterns, samples.starts, strict=True):
        assert bound == max([classes[event] for event in pattern if event >= start], default=0)


def test_main_shocks_before_tell_nothing_of_the_period() -> None:
    sample_set = simulated(pattern="main_shocks", width=7)
    classes = REGIONS["sichuan"].labels(np.round(sample_set.events["magnitude"].to_numpy(), 1))
    assert not smallest_possible_classes(sample_set.samples, classes).any()


# Event maps

SQUARE = Box(0, 10, 0, 10)


def painted(*events: tuple[float, float, float, float], main_shocks: Sequence[int] = (), pixels: int = 11) -> Any:
    """Paint (day, latitude, longitude, magnitude) on a box of ten degrees, by default a pixel per degree."""
    days, latitudes, longitudes, magnitudes = zip(*events, strict=True)
    frame = frame_of(days, magnitudes, latitudes, longitudes)
    shocks = list(main_shocks) or [len(events) - 1]
    return paint_maps(sample_set_of(frame, [[0]] * len(shocks), shocks, [0] * len(shocks)), SQUARE, pixels)


def test_smallest_event_is_one_pixel_and_north_is_up() -> None:
    (image,) = painted((0, 10, 0, 3.0), (1, 0, 10, 3.0), (2, 8, 1, 3.0), (3, 5, 5, 3.0))
    expected = np.zeros((11, 11))
    expected[0, 0] = expected[10, 10] = expected[2, 1] = 0.2
    np.testing.assert_allclose(image, expected, rtol=1e-6)
    assert image.dtype == np.float32


def test_disk_grows_with_the_magnitude_and_is_cut_at_the_border() -> None:
    """M 4.5 where M 3 is the smallest: a radius of 2 pixels, 13 of them, and a value of 0.5."""
    (image,) = painted((0, 5, 5, 4.5), (1, 0, 0, 4.5), (2, 5, 5, 3.0))
    expected = np.zeros((11, 11))
    for row, column in product(range(11), repeat=2):
        if math.dist((row, column), (5, 5)) <= 2 or math.dist((row, column), (10, 0)) <= 2:
            expected[row, column] = 0.5
    np.testing.assert_allclose(image, expected, rtol=1e-6)
    assert (image[3:8, 3:8] > 0).sum() == 13
    assert (image > 0).sum() == 13 + 6


def test_event_between_the_pixels_is_on_all_four() -> None:
    (image,) = painted((0, 4.5, 4.5, 3.0), (1, 5, 5, 3.0))
    assert list(zip(*np.nonzero(image), strict=True)) == [(5, 4), (5, 5), (6, 4), (6, 5)]


@pytest.mark.parametrize("order", [0, 1])
def test_where_disks_overlap_the_larger_value_stays(order: int) -> None:
    large, small = (5.0, 5.0, 4.5), (5.0, 6.0, 3.0)
    first, second = (large, small) if order else (small, large)
    (image,) = painted((0, *first), (1, *second), (2, 1, 1, 3.0))
    assert image[5, 6] == pytest.approx(0.5)
    assert image[5, 5] == pytest.approx(0.5)


@pytest.mark.parametrize("split", ["grouped", "forward"])
def test_maps_of_training_and_test_samples_share_no_event(split: Any) -> None:
    """No event of a test map, nor its main shock, is on a training map, and no sample too many is taken out."""
    sample_set = simulated()
    painted_events = [
        set(range(begin, end + 1))
        for begin, end in zip(first_painted(sample_set), sample_set.samples.main_shocks, strict=True)
    ]
    days = days_of(sample_set.events)
    for sample, own in enumerate(painted_events):
        end = days[sample_set.samples.main_shocks[sample]]
        assert own == {event for event, day in enumerate(days) if end - 120 <= day <= end and event <= max(own)}
    taken_out = 0
    for fold in folds_of(split, sample_set.samples, 0):
        tested = set().union(*(painted_events[sample] for sample in fold.test))
        found = without_shared_events(fold, first_painted(sample_set), sample_set.samples.main_shocks)
        assert found.training.tolist() == [one for one in fold.training if not painted_events[one] & tested]
        assert found.test.tolist() == fold.test.tolist()
        taken_out += len(fold.training) - len(found.training)
    assert taken_out > 0


@pytest.mark.parametrize("split", ["shuffled", "grouped"])
def test_network_of_maps_trains_on_what_shares_no_event_where_folds_are_in_time(
    monkeypatch: pytest.MonkeyPatch, split: Any
) -> None:
    seen: list[Fold] = []

    def watch(model: Any, inputs: Any, fold: Fold, *arguments: Any) -> Forecast:
        seen.append(fold)
        return Forecast(*(np.eye(5)[np.zeros(len(part), dtype=int)] for part in (fold.test, fold.training)))

    sample_set = simulated()
    monkeypatch.setattr(event_maps, "load_samples", lambda parameters: sample_set)
    monkeypatch.setattr(event_maps, "train_on_fold", watch)
    monkeypatch.setattr(event_maps, "build_event_maps", lambda parameters: None)
    monkeypatch.setattr(event_maps, "start_afresh", lambda seed: None)
    parameters = unit(EventMapParameters, pixels=8, split=split)
    found = run_event_maps(parameters)
    assert found.metrics["accuracy_training"] > 0
    folds = folds_of(split, sample_set.samples, parameters.seed)
    fewer = [len(after.training) < len(before.training) for before, after in zip(folds, seen, strict=True)]
    assert any(fewer) == (split != "shuffled")


def test_event_of_120_days_before_is_painted_and_an_earlier_one_is_not() -> None:
    (image,) = painted((0, 9, 1, 3.0), (0.25, 5, 5, 3.0), (120.25, 1, 9, 3.0))
    assert list(zip(*np.nonzero(image), strict=True)) == [(5, 5)]
    (image,) = painted((0, 5, 5, 3.0), (120, 1, 9, 3.0))
    assert list(zip(*np.nonzero(image), strict=True)) == [(5, 5)]


def test_main_shock_and_what_comes_after_it_are_never_painted() -> None:
    images = painted((0, 2, 2, 3.0), (1, 5, 5, 3.0), (1, 8, 8, 3.0), (2, 1, 1, 3.0), main_shocks=[0, 1, 3])
    assert not images[0].any()
    assert images[1][8, 2] > 0
    assert images[1][2, 8] == 0  # the same second, but after it in the catalogue
    assert images[2][2, 8] > 0
    assert images[2][9, 1] == 0


def test_events_outside_of_the_box_leave_no_trace_but_their_disks() -> None:
    (image,) = painted((0, 25, 5, 3.0), (1, -20, 30, 3.0), (2, 11, 5, 4.5), (3, 5, 5, 3.0))
    rows, columns = np.nonzero(image)
    expected = [(row, column) for row, column in product(range(11), repeat=2) if math.dist((row, column), (-1, 5)) <= 2]
    assert list(zip(rows, columns, strict=True)) == expected


def test_maps_of_the_simulated_catalogue_are_those_of_a_loop_over_pixels() -> None:
    sample_set = simulated()
    box, pixels = REGIONS["sichuan"].box, 16
    images = paint_maps(sample_set, box, pixels)
    days, _ = days_and_magnitudes(sample_set.events)
    smallest = sample_set.events["magnitude"].min()
    for sample in (0, 57, len(images) - 1):
        shock = int(sample_set.samples.main_shocks[sample])
        expected = np.zeros((pixels, pixels))
        for event in range(shock):
            if days[event] < days[shock] - 120:
                continue
            latitude, longitude, magnitude = sample_set.events.loc[event, ["latitude", "longitude", "magnitude"]]
            centre = (36 - latitude) / 8 * (pixels - 1), (longitude - 98) / 8 * (pixels - 1)
            excess = magnitude - smallest
            for row, column in product(range(pixels), repeat=2):
                if math.dist((row, column), centre) <= max(0.5 + excess, 0.71):
                    expected[row, column] = max(expected[row, column], 0.2 + 0.2 * excess)
        np.testing.assert_allclose(images[sample], expected, rtol=1e-5)


# CART


@pytest.mark.parametrize(
    "values",
    [{}, {"segmentation": "days", "split": "grouped"}, {"split": "forward", "least_leaf": 5, "seed": 2}],
    ids=str,
)
def test_tree_scores_as_a_loop_with_scikit_learn(values: dict[str, Any]) -> None:
    parameters = unit(CartParameters, **values)
    assert parameters.segmentation == values.get("segmentation", "fixed_days")
    sample_set = simulated(segmentation=parameters.segmentation)
    accuracies, areas, fitted = [], [], []
    for fold, seed in zip(*folds_and_seeds(parameters, sample_set), strict=True):
        tree = DecisionTreeClassifier(min_samples_leaf=parameters.least_leaf, random_state=seed)
        tree.fit(sample_set.indicators[fold.training], sample_set.labels[fold.training])
        inputs, labels = sample_set.indicators[fold.test], sample_set.labels[fold.test]
        scores = np.zeros((len(labels), 5))
        for column, number in enumerate(tree.classes_):
            scores[:, number] = tree.predict_proba(inputs)[:, column]
        accuracies.append(tree.score(inputs, labels))
        areas.append(mean_auc(labels, scores))
        fitted.append(tree.score(sample_set.indicators[fold.training], sample_set.labels[fold.training]))
    found = run_cart(parameters).metrics
    assert found["accuracy"] == pytest.approx(100 * np.mean(accuracies))
    assert found["accuracy_training"] == pytest.approx(100 * np.mean(fitted))
    assert found["mauc"] == pytest.approx(100 * np.mean([area for area in areas if area is not None]))
    assert (found["accuracy_training"] == 100) == (parameters.least_leaf == 1)


def test_class_that_a_tree_never_saw_has_no_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_set = apart([0, 2, 4, 2] * 5)
    sample_set.indicators[:, 3] = sample_set.labels
    classify = forecasts_of(monkeypatch, cart, run_cart, unit(CartParameters), sample_set)
    found = classify(Fold(np.arange(12), np.arange(12, 20)), sample_set.labels, 0)
    assert found.test.tolist() == np.eye(5)[sample_set.labels[12:]].tolist()
    found = classify(Fold(np.arange(3, 4), np.arange(12, 20)), sample_set.labels, 0)
    assert found.test.tolist() == np.eye(5)[[2] * 8].tolist()


def test_permutations_score_the_tree_on_permuted_labels_as_often_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, SampleSet, Classifier]] = []
    true = cart.evaluate

    def watch(parameters: Any, sample_set: SampleSet, classify: Classifier, **options: Any) -> UnitResult:
        seen.append((parameters, sample_set, classify))
        return true(parameters, sample_set, classify, **options)

    monkeypatch.setattr(cart, "evaluate", watch)
    found = run_permutations(unit(PermutationParameters, permutations=6))
    labels = simulated(segmentation="fixed_days").labels
    assert found.n == len(seen) == 6
    assert found.arrays["accuracy"].shape == found.arrays["mauc"].shape == (6,)
    assert all(sorted(one.labels.tolist()) == sorted(labels.tolist()) for _, one, _ in seen)
    permuted = [tuple(one.labels.tolist()) for _, one, _ in seen]
    assert len({*permuted, tuple(labels.tolist())}) == 7
    assert len({parameters.key for parameters, _, _ in seen}) == 6  # folds of their own
    for again, accuracy, area in zip(seen, found.arrays["accuracy"], found.arrays["mauc"], strict=True):
        metrics = true(*again).metrics
        assert (metrics["accuracy"], metrics["mauc"]) == (pytest.approx(accuracy), pytest.approx(area))
    for name in ("accuracy", "mauc"):
        assert found.metrics[name] == pytest.approx(found.arrays[name].mean(), rel=1e-5)
        assert found.metrics[f"{name}_95"] == pytest.approx(np.quantile(found.arrays[name], 0.95), rel=1e-5)


def test_tree_on_permuted_labels_is_near_the_chance_level() -> None:
    found = run_permutations(unit(PermutationParameters, permutations=8)).metrics
    labels = simulated(segmentation="fixed_days").labels
    shares = np.bincount(labels) / len(labels)
    # A tree with pure leaves gives each sample the class of another: both are drawn from the same shares.
    assert found["accuracy"] == pytest.approx(100 * (shares**2).sum(), abs=5)
    assert found["mauc"] == pytest.approx(50, abs=4)


def test_permutations_are_the_same_again_and_others_for_another_seed() -> None:
    one, again, other = (
        run_permutations(unit(PermutationParameters, permutations=2, seed=seed)).arrays["mauc"] for seed in (0, 0, 1)
    )
    assert one.tolist() == again.tolist() != other.tolist()


# Networks


@cache
def built(build: Callable[[Any], Any], parameters: Any) -> Any:
    load_keras()
    return build(parameters)


def dlep_weights(width: int, units: int, attention: bool) -> int:
    """Count by hand: 8 indicators, 4 attributes; each pooling halves the events, rounded up."""
    left = math.ceil(math.ceil(width / 2) / 2)
    explicit = (8 + 1) * units
    convolutions = (3 * 3 * 1 + 1) * 32 + (3 * 3 * 32 + 1) * 64
    implicit = (left * 4 * 64 + 1) * units
    weighing = 2 * (2 * units) * units if attention else 0
    normalisation = 4 * 2 * units
    return explicit + convolutions + implicit + weighing + normalisation + (2 * units + 1) * 5


@pytest.mark.parametrize(("width", "units"), [(20, 600), (7, 3)])
@pytest.mark.parametrize("model", VARIANTS)
def test_dlep_has_the_weights_and_shapes_of_its_layers(model: str, width: int, units: int) -> None:
    found = built(build_dlep, unit(DlepParameters, model=model, width=width, units=units))
    assert found.count_params() == dlep_weights(width, units, model != "dlep_att")
    assert found.output_shape == (None, 5)
    assert found.input_shape == [(None, width, 4), (None, 8)]


def test_dlep_of_table_ii_has_this_many_weights() -> None:
    assert dlep_weights(20, 600, True) == 5_400 + 18_816 + 768_600 + 1_440_000 + 4_800 + 6_005
    assert dlep_weights(20, 600, False) == 5_400 + 18_816 + 768_600 + 4_800 + 6_005


def described(model: Any) -> list[tuple[str, Any, list[Any]]]:
    return [
        (type(layer).__name__, layer.output.shape, [weight.shape for weight in layer.weights]) for layer in model.layers
    ]


def test_variants_differ_in_what_they_are_named_for() -> None:
    full, without_attention, without_loss = (
        built(build_dlep, unit(DlepParameters, model=model, width=7, units=3)) for model in VARIANTS
    )
    assert described(full) == described(without_loss)
    assert {layer.name for layer in full.layers} >= {"explicit_attention", "implicit_attention"}
    assert not [layer.name for layer in without_attention.layers if "attention" in layer.name]
    rest = Counter(name for name, _, _ in described(full)) - Counter(
        name for name, _, _ in described(without_attention)
    )
    assert rest == {"Dense": 2, "Multiply": 2, "Concatenate": 1}


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def test_attention_is_that_of_section_iii_b() -> None:
    """Fc = [EF, IF]; FF = [EF * sigmoid(Fc U), IF * sigmoid(Fc V)], with the layers' own weights and no more."""
    model = built(build_dlep, unit(DlepParameters, width=7, units=3))
    import keras

    generator = np.random.default_rng(3)
    matrices = []
    for name in ("explicit_attention", "implicit_attention"):
        (weights,) = model.get_layer(name).get_weights()
        assert weights.shape == (6, 3)
        matrices.append(generator.normal(size=weights.shape).astype(np.float32))
        model.get_layer(name).set_weights([matrices[-1]])
    outputs = [model.get_layer(name).output for name in ("explicit", "implicit", "fused")]
    inner = keras.Model(model.inputs, outputs)
    inputs = [generator.normal(size=(9, 7, 4)).astype(np.float32), generator.normal(size=(9, 8)).astype(np.float32)]
    explicit, implicit, fused = (np.asarray(one) for one in inner(inputs))
    both = np.concatenate([explicit, implicit], axis=1)
    expected = [explicit * sigmoid(both @ matrices[0]), implicit * sigmoid(both @ matrices[1])]
    np.testing.assert_allclose(fused, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-5)
    assert (fused > 0).any()
    kernel, offset = model.get_layer("explicit").get_weights()
    np.testing.assert_allclose(explicit, np.maximum(inputs[1] @ kernel + offset, 0), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_probabilities_add_up_to_one_and_depend_on_both_inputs() -> None:
    model = built(build_dlep, unit(DlepParameters, width=7, units=30))
    generator = np.random.default_rng(4)
    pattern, indicators = generator.normal(size=(5, 7, 4)), generator.normal(size=(5, 8))
    found = np.asarray(model([pattern, indicators]))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    for changed in ([pattern + 1, indicators], [pattern, indicators + 1]):
        assert (np.abs(np.asarray(model(changed)) - found).max(axis=1) > 1e-5).all()


@pytest.mark.parametrize(
    ("layers", "convolved", "left"),
    # Patterns of 8 events are pooled to 4, 2 and 1; four attributes stay.
    [
        ("one convolution", (9 + 1) * 32, 4 * 4 * 32),
        ("three convolutions", (9 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 128, 1 * 4 * 128),
    ],
)
def test_other_convolutions_change_the_pattern_s_part_and_nothing_else(layers: Any, convolved: int, left: int) -> None:
    of_two = built(build_dlep, unit(DlepParameters, width=8, units=3)).count_params()
    pattern_of_two = (9 + 1) * 32 + (9 * 32 + 1) * 64 + (2 * 4 * 64 + 1) * 3
    parameters = unit(OtherLayersParameters, width=8, units=3, layers=layers)
    model = built(partial(build_dlep, filters=FILTERS[layers]), parameters)
    assert model.count_params() == of_two - pattern_of_two + convolved + (left + 1) * 3
    assert [one.shape for one in model.inputs] == [(None, 8, 4), (None, 8)]


def test_other_networks_have_the_weights_and_shapes_of_their_layers() -> None:
    small = built(build_bp, unit(BpParameters))
    assert small.count_params() == (8 + 1) * 20 + (20 + 1) * 5
    assert (small.input_shape, small.output_shape) == ((None, 8), (None, 5))
    maps = built(build_event_maps, unit(EventMapParameters))
    convolutions = (9 * 1 + 1) * 16 + (9 * 16 + 1) * 32 + (9 * 32 + 1) * 64
    assert maps.count_params() == convolutions + (4 * 4 * 64 + 1) * 5
    assert (maps.input_shape, maps.output_shape) == ((None, 32, 32, 1), (None, 5))


def test_three_layers_compute_what_they_say() -> None:
    model = built(build_bp, unit(BpParameters, hidden=6))
    first, offset, second, constant = (np.asarray(one, dtype=float) for one in model.get_weights())
    inputs = np.random.default_rng(5).normal(size=(10, 8)).astype(np.float32)
    scores = np.exp(sigmoid(inputs @ first + offset) @ second + constant)
    np.testing.assert_allclose(np.asarray(model(inputs)), scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)


def test_inputs_are_scaled_by_the_training_samples_alone() -> None:
    sample_set = simulated()
    count = len(sample_set.labels)
    test = np.arange(0, count, 10)
    training = np.setdiff1d(np.arange(count), test)
    patterns, indicators = scaled_inputs(sample_set, training)
    assert (patterns.dtype, indicators.dtype) == (np.float32, np.float32)
    for values, axes in ((patterns, (0, 1)), (indicators, (0,))):
        np.testing.assert_allclose(values[training].mean(axis=axes, dtype=float), 0, atol=1e-4)
        np.testing.assert_allclose(values[training].std(axis=axes, dtype=float), 1, atol=1e-4)
    moved = replace(sample_set, patterns=sample_set.patterns.copy(), indicators=sample_set.indicators.copy())
    moved.patterns[test] += 100
    moved.indicators[test] *= 7
    after = scaled_inputs(moved, training)
    for values, changed in zip((patterns, indicators), after, strict=True):
        assert (values[training] == changed[training]).all()
        assert (values[test] != changed[test]).any()


def test_scaling_by_hand_and_of_what_never_changes() -> None:
    sample_set = apart([0, 0, 0])
    sample_set.patterns[:, 0, 0] = [1, 3, 9]
    sample_set.indicators[:, 1] = [4, 8, 2]
    patterns, indicators = scaled_inputs(sample_set, np.array([0, 1]))
    assert patterns[:, 0, 0].tolist() == [-1, 1, 7]
    assert indicators[:, 1].tolist() == [-1, 1, -2]
    assert not patterns[:, :, 1:].any()
    assert not np.delete(indicators, 1, axis=1).any()


NETWORKS: dict[str, tuple[ModuleType, Callable[[Any], UnitResult], Any]] = {
    "dlep": (dlep, run_dlep, unit(DlepParameters, units=4, epochs=2, batch_size=16)),
    "bp": (bp, run_bp, unit(BpParameters, epochs=2, batch_size=16)),
    "event_maps": (event_maps, run_event_maps, unit(EventMapParameters, pixels=8, epochs=2, batch_size=16)),
    "cart": (cart, run_cart, unit(CartParameters, segmentation="days")),
    "other_layers": (
        other_layers, run_other_layers, unit(OtherLayersParameters, units=4, epochs=2, batch_size=16),
    ),
}  # fmt: skip


SLOW = ("dlep", "event_maps", "other_layers")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in NETWORKS]
)
def test_forecast_depends_on_nothing_that_the_test_samples_would_tell(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Other labels of the test samples, and other inputs of all but one of them, change nothing of its forecast."""
    load_keras()
    module, run, parameters = NETWORKS[name]
    sample_set = part_of(simulated(), 60)
    fold = Fold(np.arange(45), np.arange(45, 60))
    labels = sample_set.labels
    first = forecasts_of(monkeypatch, module, run, parameters, sample_set)(fold, labels, 5)
    assert first.test.shape == (15, 5)
    np.testing.assert_allclose(first.test.sum(axis=1), 1, rtol=1e-5)
    assert first.training is not None
    assert first.training.shape == (45, 5)
    told = labels.copy()
    told[45:] = (told[45:] + 1) % 5
    moved = replace(sample_set, patterns=sample_set.patterns.copy(), indicators=sample_set.indicators.copy())
    moved.patterns[46:] += 3
    moved.indicators[46:] += 1
    with pytest.MonkeyPatch.context() as patch:
        second = forecasts_of(patch, module, run, parameters, moved)(fold, told, 5)
    np.testing.assert_allclose(second.test[0], first.test[0], rtol=1e-4, atol=1e-6)
    assert second.training is not None
    np.testing.assert_allclose(second.training, first.training, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dlep", "bp", "event_maps"])
def test_network_is_another_for_another_seed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    load_keras()
    module, run, parameters = NETWORKS[name]
    sample_set = part_of(simulated(), 40)
    monkeypatch.setattr(networks, "train", lambda *arguments, **options: {})
    classify = forecasts_of(monkeypatch, module, run, parameters, sample_set)
    fold = Fold(np.arange(30), np.arange(30, 40))
    one, again, other = (classify(fold, sample_set.labels, seed).test for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.slow
@pytest.mark.parametrize("model", VARIANTS)
def test_dlep_trains_on_its_training_samples_with_the_loss_of_its_variant(
    monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    load_keras()
    from keras import ops

    parameters = unit(DlepParameters, model=model, units=2, epochs=3, batch_size=11, learning_rate=0.5)
    sample_set = part_of(simulated(), 60)
    fold = Fold(np.arange(5, 55), np.r_[0:5, 55:60])
    calls: list[tuple[Any, ...]] = []

    def watch(built: Any, training: Any, validation: Any, **options: Any) -> dict[str, list[float]]:
        calls.append((training, validation, options))
        return {"loss": [1.0, 0.5, 0.25]}

    monkeypatch.setattr(networks, "train", watch)
    found = forecasts_of(monkeypatch, dlep, run_dlep, parameters, sample_set)(fold, sample_set.labels, 1)
    ((inputs, targets), validation, options) = calls[0]
    expected = scaled_inputs(sample_set, fold.training)
    assert all((one == other[fold.training]).all() for one, other in zip(inputs, expected, strict=True))
    assert targets.argmax(axis=1).tolist() == sample_set.labels[fold.training].tolist()
    assert ((targets > 0).sum(axis=1) == 1).all()
    assert (validation, found.history) == (None, {"loss": [1.0, 0.5, 0.25]})
    assert (options["epochs"], options["batch_size"], options["learning_rate"]) == (3, 11, 0.5)
    assert options["shuffle"] is True
    if model == "dlep_dyn":
        assert options["loss"] == "categorical_crossentropy"
        assert (targets.sum(axis=1) == 1).all()
        return
    population = [sample_set.labels[fold.training].tolist().count(number) for number in range(5)]
    labels = sample_set.labels[fold.training][:4]
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 4).astype(np.float32)
    losses = options["loss"](ops.convert_to_tensor(targets[:4]), ops.convert_to_tensor(probabilities))
    np.testing.assert_allclose(np.asarray(losses), literal_loss(labels, probabilities, population, 0.8), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dlep", "dlep_att"])
def test_features_are_those_of_all_samples_behind_the_attention(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    load_keras()
    from sklearn import manifold
    from sklearn.metrics import silhouette_samples

    seen: list[Any] = []

    class Flat:
        def __init__(self, **options: Any) -> None:
            self.options = options

        def fit_transform(self, features: Any) -> Any:
            seen.append(features)
            return features[:, :2]

    monkeypatch.setattr(manifold, "TSNE", Flat)
    parameters = unit(FeatureParameters, model=model, units=6, epochs=1)
    found = run_features(parameters)
    (features,) = seen
    labels = simulated().labels
    (fold, *_), _ = folds_and_seeds(unit(DlepParameters), simulated())
    assert features.shape == (len(labels), 12)
    assert found.arrays["label"].tolist() == labels.tolist()
    assert np.flatnonzero(found.arrays["tested"]).tolist() == fold.test.tolist()
    np.testing.assert_allclose(found.arrays["plane"], features[:, :2], rtol=1e-6)
    for name, part in (("silhouette", fold.training), ("silhouette_test", fold.test)):
        expected = silhouette_samples(features[part], labels[part]).mean()
        assert found.metrics[name] == pytest.approx(expected, rel=1e-4)
    assert found.n == len(labels)


# The paper


@pytest.fixture
def two_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rule have chosen two regions."""
    for name in list(CHOSEN):
        monkeypatch.delitem(CHOSEN, name)
    monkeypatch.setitem(CHOSEN, "sichuan", Cut("cenc", 7))
    monkeypatch.setitem(CHOSEN, "japan", Cut("comcat_japan_m4", 3))


def full() -> Iterator[tuple[str, list[UnitParameters]]]:
    for name, experiment in PAPER.experiments.items():
        yield name, list(experiment.full())


def test_paper_is_found_by_its_key() -> None:
    assert load_paper("li2021") is PAPER
    assert PAPER.key == "li2021"
    assert PAPER.main in PAPER.experiments


@pytest.mark.parametrize("chosen", [True, False])
def test_units_of_the_full_set_are_valid_and_stand_there_once(request: pytest.FixtureRequest, chosen: bool) -> None:
    if chosen:
        request.getfixturevalue("two_chosen")
    for name, units in full():
        experiment = PAPER.experiments[name]
        assert len({one.key for one in units}) == len(units), name
        for one in units:
            assert type(one) is experiment.parameters
            assert one.profile == "full"
            assert experiment.parameters.of(**one.model_dump()) == one
    assert len(PAPER.full_units()) == sum(len(units) for _, units in full())


def test_full_set_holds_what_judges_a_number_five_times_and_the_rest_as_often_as_it_says(two_chosen: None) -> None:
    units = dict(full())
    regions = 2
    others = regions * (2 * ETAS_SEEDS + PERMUTED_SEEDS + EARLIER_SEEDS * len(EARLIER_EPOCHS))
    others += READING_SEEDS * len(READINGS)
    assert len(units["dlep"]) == SEEDS * regions * (3 + 2) + others  # and no region here that is searched
    assert SEEDS >= 5
    designs_each = SEEDS * regions * (len(SPLITS) + 2)
    assert len(units["bp"]) == designs_each
    assert len(units["bp_permutations"]) == regions
    assert len(units["cart"]) == 2 * designs_each
    # Chance once more on the grid of 2019F; and what the readings change the samples of, by two methods.
    of_readings = (
        2 * READING_SEEDS * sum(reading.keys() <= ChanceParameters.model_fields.keys() for reading in READINGS)
    )
    assert len(units["chance"]) == (len(METHODS) + 1) * designs_each + regions * PERMUTED_SEEDS + of_readings
    # Permuted labels, blocks and forward in time.
    assert len(units["event_maps"]) == regions * (SEEDS + 3 * EVENT_MAP_AUDIT_SEEDS)
    assert len(units["other_layers"]) == READING_SEEDS * 2
    assert len(units["features"]) == SEEDS * 2  # Sichuan, with and without the attention
    assert len(units["overlap"]) == regions * len(SPLITS)
    # Five readings of each catalogue of each region.
    assert len(units["segmentations"]) == 5 * sum(len(region.catalogues) for region in REGIONS.values())
    assert len(units["loss_example"]) == 1
    designs = {(one.region, one.model, one.split, one.source, one.labels) for one in units["dlep"]}  # type: ignore[attr-defined]
    for region in ("sichuan", "japan"):
        assert {(region, model, "shuffled", "reference", "true") for model in VARIANTS} <= designs
        assert {(region, "dlep", split, "reference", "true") for split in SPLITS} <= designs
        assert {(region, "dlep", split, "etas", "true") for split in ("shuffled", "grouped")} <= designs
        assert (region, "dlep", "shuffled", "reference", "permuted") in designs
    for name, found in units.items():
        seeds: dict[str, set[int]] = defaultdict(set)
        for one in found:
            seeds[one.with_values(seed=0).key].add(one.seed)
        fewer = {
            "dlep": (ETAS_SEEDS, PERMUTED_SEEDS, READING_SEEDS, EARLIER_SEEDS),
            "bp_permutations": (1,),
            "chance": (PERMUTED_SEEDS, READING_SEEDS),
            "event_maps": (EVENT_MAP_AUDIT_SEEDS,),
            "other_layers": (READING_SEEDS,),
        }
        allowed = (SEEDS, *fewer.get(name, ()))
        expected = [{0}] if PAPER.experiments[name].deterministic else [set(range(count)) for count in allowed]
        assert all(same in expected for same in seeds.values()), name


def test_searches_are_run_where_ten_folds_can_be_evaluated() -> None:
    searches = [one for one in dict(full())["dlep"] if isinstance(one, DlepParameters) and one.trials]
    assert {one.region for one in searches} == set(SEARCHED) <= set(CHOSEN)
    assert len(SEARCHED) >= 2
    assert len(searches) == SEARCH_SEEDS * len(SEARCHED)


def test_naive_unit_is_the_commonest_class_on_the_same_samples(two_chosen: None) -> None:
    shared = ("profile", "seed", "region", "source", "segmentation", "length", "pattern", "width", "split", "labels")
    for name, units in full():
        for one in units:
            naive = naive_unit(one)
            if name in ("chance", "overlap", "features", "segmentations", "loss_example"):
                assert naive is None
                continue
            assert naive is not None
            assert naive.method == "majority"
            assert {field: getattr(naive, field) for field in shared} == {
                field: getattr(one, field) for field in shared
            }


def test_decisions_are_the_defaults_and_the_readings() -> None:
    decisions = {one.parameter: one for one in load_claims("li2021", PROJECT / "book" / "claims").decisions}
    fields = DlepParameters.model_fields
    for name, decision in decisions.items():
        if name in fields:
            assert (type(decision.chosen), decision.chosen) == (type(fields[name].default), fields[name].default), name
    # What is no parameter of DLEP is what the code does all the same.
    assert set(decisions) - set(fields) == {
        "accuracy", "layers", "shown", "characteristic", "2016n", "2018cnn", "2019f", "optimiser", "dlep_dyn", "mauc",
        "scales", "etas", "ties", "threshold", "absent_class",
    }  # fmt: skip
    tied = find_main_shocks(np.array([0.0, 1, 2, 9]), np.array([3.0, 4, 4, 3]), length=7, unit="days")
    first = tied.main_shocks[0]
    assert (decisions["ties"].chosen, first) == ("the earliest", 1)
    assert inverse_frequencies(np.array([2.0, 0, 6]))[1] == decisions["absent_class"].chosen
    assert [other.value for other in decisions["epochs"].others] == list(EARLIER_EPOCHS)
    assert [other.value for other in decisions["layers"].others] == list(CONVOLUTIONS)
    assert f"{dlep.FILTERS[0]} and {dlep.FILTERS[1]} filters" in decisions["layers"].reason
    assert (BpParameters().hidden, BpParameters().learning_rate) == (20, 0.001)
    assert (EventMapParameters().pixels, event_maps.FILTERS) == (32, (16, 32, 64))
    assert (CartParameters().segmentation, CartParameters().least_leaf) == ("fixed_days", 1)
    assert [INDICATORS[place] for place in LOGARITHMIC] == ["elapsed_time", "root_energy_rate", "characteristic_time"]
    for reading in READINGS:
        for name, value in reading.items():
            assert value in [other.value for other in decisions[name].others], name
    assert {other.value for other in decisions["split"].others} == set(SPLITS) - {"shuffled"}


CHEAP = ("overlap", "chance", "cart")


@pytest.mark.parametrize(
    "name",
    [
        *CHEAP,
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("bp", "event_maps", "features", "other_layers", "dlep")
        ),
    ],
)
def test_smoke_units_run_without_data(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    load_keras()
    experiment = PAPER.experiments[name]
    units = list(experiment.smoke())
    assert units
    for one in units:
        assert one.profile == "smoke"
        found = experiment.run(one)
        assert found.n > 100
        assert found.data == {}
        assert all(math.isfinite(value) for value in numbers(found.metrics).values())
        if name not in ("overlap", "features"):
            assert 0 <= numbers(found.metrics)["accuracy"] <= 100
            assert 0 <= numbers(found.metrics)["mauc"] <= 100
        assert name not in CHEAP or experiment.run(one).metrics == found.metrics


# Folds trained together, and searches


@pytest.mark.slow
def test_folds_trained_together_are_those_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds of 22, 21 and 21 samples, with two seeds: two programs, one of two networks and one of four."""
    load_keras()
    if environment.loaded_backend() != "jax":
        pytest.skip("only JAX trains networks together")
    monkeypatch.setattr(evaluation, "FOLDS", 3)
    sample_set = part_of(simulated(), 64)
    monkeypatch.setattr(dlep, "load_samples", lambda parameters: sample_set)
    trained = watch(monkeypatch, dlep, "train_batch")
    small = {"units": 4, "epochs": 3, "batch_size": 16, "learning_rate": 0.01}
    units = [unit(DlepParameters, seed=seed, profile="custom", **small) for seed in (0, 1)]
    together = run_dlep_batch(units)
    assert sorted(len(models) for models, *_ in trained) == [2, 4]
    alone = [run_dlep(one) for one in units]
    for one, other in zip(together, alone, strict=True):
        # Two scores that rounding puts in the other order move an area a little.
        assert one.metrics == pytest.approx(other.metrics, rel=1e-3)
    assert alone[0].metrics["mauc"] != alone[1].metrics["mauc"]


@pytest.mark.slow
@pytest.mark.networks
def test_permutations_of_2016n_trained_together_are_units_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds of 22, 21 and 21 samples, three permutations: two programs, one of three networks and one of six."""
    load_keras()
    if environment.loaded_backend() != "jax":
        pytest.skip("only JAX trains networks together")
    monkeypatch.setattr(evaluation, "FOLDS", 3)
    sample_set = part_of(simulated(), 64)
    for module in (bp, bp_permutations):
        monkeypatch.setattr(module, "load_samples", lambda parameters: sample_set)
    trained = watch(monkeypatch, bp_permutations, "train_batch")
    small = {"hidden": 4, "epochs": 3, "batch_size": 16, "learning_rate": 0.01}
    together = run_bp_permutations(unit(BpPermutationParameters, permutations=3, profile="custom", **small))
    assert sorted(len(models) for models, *_ in trained) == [3, 6]
    alone = [
        run_bp(unit(BpParameters, labels="permuted", seed=number, profile="custom", **small)).metrics
        for number in range(3)
    ]
    for name in ("accuracy", "mauc"):
        # Two scores that rounding puts in the other order move an area a little.
        assert together.arrays[name] == pytest.approx([float(one[name]) for one in alone], rel=1e-3)
        assert together.metrics[name] == pytest.approx(together.arrays[name].mean())
        assert together.metrics[f"{name}_95"] == pytest.approx(np.quantile(together.arrays[name], 0.95))
    assert len(set(together.arrays["mauc"].tolist())) == 3
    assert together.n == 3


def watch(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[tuple[Any, ...]]:
    """Let a function of a module run as it is, and return what it is called with."""
    calls: list[tuple[Any, ...]] = []
    own = getattr(module, name)

    def call(*values: Any, **options: Any) -> Any:
        calls.append(values)
        return own(*values, **options)

    monkeypatch.setattr(module, name, call)
    return calls


@pytest.mark.parametrize("split", SPLITS)
def test_settings_are_chosen_by_samples_that_are_trained_on_and_by_no_other(split: Any) -> None:
    samples = overlapping(count=50)
    for number, fold in enumerate(folds_of(split, samples, 3)):
        if len(fold.training) < 5:
            continue
        inner, again = (inner_fold(split, samples, fold, number) for _ in range(2))
        assert inner.test.tolist() == again.test.tolist()
        assert len(inner.test) == len(fold.training) // 5
        chosen, trained = set(inner.test.tolist()), set(inner.training.tolist())
        assert not chosen & trained
        assert chosen | trained <= set(fold.training.tolist())
        if split == "shuffled":
            assert chosen | trained == set(fold.training.tolist())
        else:
            assert min(chosen) > max(trained, default=-1)
            events = events_of(samples)
            assert not set(events[inner.test].ravel().tolist()) & set(events[inner.training].ravel().tolist())


def test_search_begins_with_the_printed_settings_and_returns_the_best() -> None:
    tried: list[dict[str, Any]] = []

    def score(settings: dict[str, Any]) -> float:
        tried.append(settings)
        return -abs(math.log(settings["learning_rate"] / 0.0005))

    found = search(score, trials=25, seed=1)
    assert tried[0] == PRINTED
    assert len(tried) == 25
    assert found == max(tried, key=lambda one: -abs(math.log(one["learning_rate"] / 0.0005)))
    assert abs(math.log(found["learning_rate"] / 0.0005)) < 0.1
    assert {name: fields.default for name, fields in DlepParameters.model_fields.items() if name in PRINTED} == PRINTED
    assert search(score, trials=25, seed=1) == found
    assert search(lambda settings: 0.5, trials=5, seed=1) == PRINTED  # of equals the first


def test_search_learns_from_its_trials() -> None:
    """Twenty suggestions on: the model's lie nearer to the best than random ones do."""
    distances: dict[bool, list[float]] = defaultdict(list)
    for seed in range(5):
        tried: list[float] = []

        def score(settings: dict[str, Any], tried: list[float] = tried) -> float:
            tried.append(abs(math.log(settings["learning_rate"] / 0.0005)))
            return -tried[-1]

        search(score, trials=40, seed=seed)
        distances[False] += tried[1 : 1 + RANDOM_TRIALS]
        distances[True] += tried[25:]
    assert np.mean(distances[True]) < 0.6 * np.mean(distances[False])


def test_each_fold_is_searched_among_its_training_samples_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other labels of the test samples choose the same settings and make the same forecasts."""
    sample_set = part_of(simulated(), 60)
    fold = Fold(np.arange(10, 60), np.arange(10))
    seen: list[tuple[Any, Fold]] = []

    def fit(parameters: Any, sample_set: Any, part: Fold, labels: Any, seed: int) -> Forecast:
        seen.append((parameters, part))
        share = labels[part.training].mean() + parameters.learning_rate
        return Forecast(np.eye(5)[(labels[part.test] + (np.arange(len(part.test)) * share > 3)) % 5], history={})

    monkeypatch.setattr(dlep, "fit", fit)
    parameters = unit(DlepParameters, trials=6)
    first = search_and_fit(parameters, sample_set, fold, sample_set.labels, 7)
    other = sample_set.labels.copy()
    other[fold.test] = (other[fold.test] + 1) % 5
    second = search_and_fit(parameters, sample_set, fold, other, 7)
    assert first.settings == second.settings
    assert first.settings.keys() == PRINTED.keys()
    *trials, (last, whole) = seen[:7]
    assert whole is fold
    assert {name: getattr(last, name) for name in PRINTED} == first.settings
    for _, part in trials:
        assert set(part.training.tolist()) | set(part.test.tolist()) == set(fold.training.tolist())


def test_chosen_settings_and_curves_of_unequal_length_are_kept() -> None:
    sample_set = part_of(simulated(), 40)
    lengths = iter(range(1, 11))

    def classify(fold: Fold, labels: Any, seed: int) -> Forecast:
        epochs = next(lengths)
        return Forecast(np.ones((len(fold.test), 5)) / 5, None, {"loss": [1.0] * epochs}, {"epochs": epochs})

    arrays = evaluate(unit(), sample_set, classify, keep=True).arrays
    assert arrays["chosen_epochs"].tolist() == list(range(1, 11))
    assert np.isfinite(arrays["loss"]).sum(axis=1).tolist() == list(range(1, 11))


def test_shares_of_small_events_are_those_of_table_i() -> None:
    claims = {claim.id: claim for claim in load_claims("li2021").claims}
    shares = []
    for region, classes in (
        ("xinjiang", 1),
        ("qinghai_tibet", 1),
        ("los_angeles", 1),
        ("shandong_jiangsu", 1),
        ("chicago", 3),
    ):
        against = claims[f"li2021.t1.sum.{region}"].against
        counts = [int(number) for number in against.numbers]
        assert REGIONS[region].edges[classes] == 4.0
        shares.append(f"{100 * sum(counts[:classes]) / sum(counts):.0f}")
    elsewhere = claims["li2021.s3.below_4.elsewhere"].against
    assert elsewhere.text == f"{', '.join(shares[:-1])} and {shares[-1]} %"
    assert [name for name, region in REGIONS.items() if 4.0 not in region.edges] == ["japan", "philippines"]
