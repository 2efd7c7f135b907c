"""Augmentations against slow loops: labels move with the signal, ratios are exact, and nothing else changes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib import augmentations
from reproduce_lib.augmentations import (
    ARTIFACT_SIZES,
    ARTIFACTS,
    GAP_SHARES,
    IMPULSE_SHARE,
    Windows,
    add_artifacts,
    clip,
    cut,
    drop_channels,
    log_uniform,
    phase_targets,
    random_places,
    recorded,
    resample,
    shift_starts,
    standardise,
    superpose_events,
    superpose_noise,
)

Array = NDArray[Any]
NAN = math.nan


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shaking(count: int = 4, times: int = 200, seed: int = 0) -> Array:
    """Return windows that cannot be written to."""
    values = generator(seed).normal(size=(count, times, 3)).astype(np.float32)
    values.flags.writeable = False
    return values


def windows_of(values: Array, *arrivals: tuple[float, float]) -> Windows:
    """Return windows with one earthquake each; P and S of all of them, or of the one that is given for all."""
    own = np.array(arrivals if len(arrivals) > 1 else arrivals * len(values), dtype=float)[:, None]
    own.flags.writeable = False
    values.flags.writeable = False
    return Windows(values, own)


# Cutting and shifting


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(1, 60), st.data())
def test_cut_takes_the_samples_of_each_record_and_moves_its_arrivals(
    count: int, length: int, data: st.DataObject
) -> None:
    values = shaking(count, 60)
    arrivals = generator(1).uniform(-10, 90, size=(count, 2, 2))
    arrivals[0, 1] = NAN
    starts = np.array([data.draw(st.integers(0, 60 - length)) for _ in range(count)])
    found = cut(values, arrivals, starts, length)
    for row, start in enumerate(starts):
        np.testing.assert_array_equal(found.values[row], values[row, start : start + length])
        np.testing.assert_allclose(found.arrivals[row], arrivals[row] - start)
    assert len(found) == count
    assert not np.shares_memory(found.values, values)


@pytest.mark.parametrize("start", [-1, 41])
def test_window_that_leaves_its_record_is_refused(start: int) -> None:
    with pytest.raises(ValueError, match="60"):
        cut(shaking(2, 60), np.zeros((2, 1, 2)), np.array([0, start]), 20)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 200), st.integers(100, 500), st.integers(0, 600), st.floats(0, 99.4))
def test_window_stays_in_what_was_measured_and_p_stands_where_it_can(
    begin: int, measured: int, p: int, place: float
) -> None:
    end = begin + measured
    assume(begin <= p < end)
    (start,) = shift_starts(np.array([float(p)]), np.array([begin]), np.array([end]), np.array([place]), 100)
    assert begin <= start
    assert start + 100 <= end
    possible = range(begin, end - 100 + 1)
    nearest = min(abs((p - one) - place) for one in possible)
    assert abs((p - start) - place) == pytest.approx(nearest, abs=1e-9)
    assert 0 <= p - start < 100


def test_p_stands_within_its_window_wherever_it_is_wanted_in_it() -> None:
    """Rounding must not move P to the first sample behind the window."""
    places = np.array([0.0, 0.4, 50.5, 99.4, 99.6, 99.999])
    records = np.full(len(places), 1000)
    starts = shift_starts(records.astype(float), 0 * records, 5 * records, places, 100)
    found = 1000 - starts
    assert ((found >= 0) & (found < 100)).all()


def test_record_of_less_than_a_window_is_not_padded() -> None:
    """A window cannot lie in what was measured of such a record."""
    p, begin, end = np.array([150.0]), np.array([100]), np.array([160])
    with pytest.raises(ValueError, match=r"."):
        starts = shift_starts(p, begin, end, np.array([20.0]), 100)
        cut(shaking(1, 400), np.zeros((1, 1, 2)), starts, 100)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.floats(0, 120))
def test_spike_at_p_is_where_the_label_says(seed: int, place: float) -> None:
    random = generator(seed)
    p = random.integers(100, 300, 5)
    values = np.zeros((5, 400, 3), dtype=np.float32)
    values[np.arange(5), p, 2] = 1
    begin, end = random.integers(0, 60, 5), random.integers(360, 401, 5)
    starts = shift_starts(p.astype(float), begin, end, np.full(5, place), 150)
    found = cut(values, np.stack([p, p + 60.0], axis=1)[:, None], starts, 150)
    assert found.values[:, :, 2].argmax(axis=1).tolist() == found.arrivals[:, 0, 0].tolist()
    targets = phase_targets(found.arrivals, 150, 10.0)
    assert targets[:, :, 1].argmax(axis=1).tolist() == found.arrivals[:, 0, 0].tolist()


# Draws


def test_draws_fill_their_ranges_evenly() -> None:
    places = random_places(20_000, 100.0, 500.0, generator())
    assert places.min() >= 100
    assert places.max() <= 500
    np.testing.assert_allclose(np.quantile(places, [0.25, 0.5, 0.75]), [200, 300, 400], atol=8)
    ratios = log_uniform(20_000, 0.1, 10.0, generator())
    assert ratios.min() >= 0.1
    assert ratios.max() <= 10
    np.testing.assert_allclose(np.log10(np.quantile(ratios, [0.25, 0.5, 0.75])), [-0.5, 0, 0.5], atol=0.04)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.one_of(st.just(NAN), st.floats(-1, 7)), min_size=1, max_size=30), st.sampled_from([0.5, 1.0]))
def test_each_bin_of_magnitude_is_drawn_as_often(magnitudes: list[float], width: float) -> None:
    bins: dict[Any, list[int]] = {}
    for number, one in enumerate(magnitudes):
        bins.setdefault("none" if math.isnan(one) else math.floor(one / width), []).append(number)
    count = 4000
    drawn = np.bincount(resample(np.array(magnitudes), count, width, generator(1)), minlength=len(magnitudes))
    assert drawn.sum() == count
    known = len(magnitudes) - len(bins.get("none", []))
    for name, numbers in bins.items():
        for number in numbers:
            # Those without a magnitude keep their share; the others share theirs bin by bin.
            others = len(bins) - ("none" in bins)
            share = 1 / len(magnitudes) if name == "none" else known / len(magnitudes) / others / len(numbers)
            assert abs(drawn[number] - count * share) <= 6 * math.sqrt(count * share * (1 - share)) + 1e-9


# Second earthquakes


def pairs(seed: int, scale: float = 1.0) -> tuple[Windows, Windows]:
    random = generator(seed)

    def one(strength: float) -> Windows:
        p = random.uniform(0, 200, 6)
        arrivals = np.stack([p, p + random.uniform(5, 60, 6)], axis=1)
        arrivals[random.random(6) < 0.15, 1] = NAN
        return windows_of((strength * shaking(6, seed=int(random.integers(2**31)))).astype(np.float32), *arrivals)

    return one(1.0), one(scale)


def amplitude(values: Array) -> float:
    """Return the largest amplitude of one window about the mean of its component."""
    return float(np.abs(values - values.mean(axis=0, dtype=float)).max())


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31), st.sampled_from([1e-9, 1.0, 1e6]), st.floats(0, 40))
def test_second_earthquake_is_as_strong_as_asked_and_only_where_it_may_be(
    seed: int, scale: float, separation: float
) -> None:
    first, second = pairs(seed, scale)
    ratios = log_uniform(6, 0.1, 1.0, generator(seed))
    found = superpose_events(first, second, ratios, separation)
    assert found.arrivals.shape == (6, 2, 2)
    np.testing.assert_array_equal(found.arrivals[:, :1], first.arrivals)
    for row in range(6):
        (p, s), (other_p, other_s) = first.arrivals[row, 0], second.arrivals[row, 0]
        behind = not math.isnan(s) and other_p >= s + separation
        before = not math.isnan(other_s) and p >= other_s + separation
        added = found.values[row].astype(float) - first.values[row]
        if behind or before:
            np.testing.assert_array_equal(found.arrivals[row, 1], second.arrivals[row, 0])
            asked = ratios[row] * amplitude(first.values[row])
            assert amplitude(added) == pytest.approx(asked, rel=1e-4)
            shape = second.values[row] / amplitude(second.values[row])
            np.testing.assert_allclose(added, asked * shape, atol=1e-4 * max(asked, 1.0))
        else:
            assert np.isnan(found.arrivals[row, 1]).all()
            np.testing.assert_array_equal(found.values[row], first.values[row])


def apart(first: Array, second: Array) -> tuple[Windows, Windows]:
    """Return windows whose earthquakes follow one another."""
    return windows_of(first, (20.0, 40.0)), windows_of(second, (100.0, 150.0))


@pytest.mark.parametrize("lost", ["E", "N", "Z", "EN"])
def test_component_that_the_first_record_lacks_stays_empty(lost: str) -> None:
    first = shaking().copy()
    numbers = ["ENZ".index(letter) for letter in lost]
    first[:, :, numbers] = 0
    found = superpose_events(*apart(first, shaking(seed=1)), np.ones(4), 10.0)
    assert not found.values[:, :, numbers].any()


def test_second_earthquake_is_as_strong_as_asked_in_the_components_that_are_left() -> None:
    """The first record is of the vertical alone; the second earthquake is ten times larger on the horizontals."""
    first, second = shaking().copy(), shaking(seed=1).copy()
    first[:, :, :2] = 0
    second[:, :, :2] *= 10
    found = superpose_events(*apart(first, second), np.full(4, 0.5), 10.0)
    added = found.values.astype(float) - first
    shares = [amplitude(own) / amplitude(before) for own, before in zip(added, first, strict=True)]
    np.testing.assert_allclose(shares, 0.5, rtol=1e-5)


def test_earthquake_of_which_nothing_is_added_has_no_arrivals() -> None:
    """The two records share no component: a label without a signal is not true."""
    first, second = shaking().copy(), shaking(seed=1).copy()
    first[:, :, :2] = 0
    second[:, :, 2] = 0
    found = superpose_events(*apart(first, second), np.ones(4), 10.0)
    np.testing.assert_array_equal(found.values, first)
    assert np.isnan(found.arrivals[:, 1]).all()


# Noise


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31), st.floats(-20, 30), st.sampled_from([1e-9, 1.0, 1e6]), st.integers(0, 180))
def test_noise_has_exactly_the_ratio_that_is_asked_for(seed: int, ratio: float, scale: float, p: int) -> None:
    values = (shaking(3, seed=seed) * generator(seed).uniform(0.5, 50, (3, 1, 3))).astype(np.float32)
    windows = windows_of(values, (float(p), p + 10.0))
    noise = (scale * shaking(3, seed=seed + 1)).astype(np.float32)
    found = superpose_noise(windows, noise, np.full(3, ratio))
    np.testing.assert_array_equal(found.arrivals, windows.arrivals)
    for row in range(3):
        for component in range(3):
            signal = values[row, p:, component].astype(float)
            added = found.values[row, :, component].astype(float) - values[row, :, component]
            assert 20 * math.log10(signal.std() / added.std()) == pytest.approx(ratio, abs=0.005)
            shape = noise[row, :, component] / noise[row, :, component].std()
            np.testing.assert_allclose(added / added.std(), shape, atol=0.01)


def test_infinite_ratio_and_components_that_hold_nothing_get_no_noise() -> None:
    values, noise = shaking().copy(), shaking(seed=1).copy()
    values[1, :, 0] = 0
    noise[2, :, 1] = 0
    windows = windows_of(values, (50.0, 90.0))
    found = superpose_noise(windows, noise, np.array([math.inf, 0, 0, 0])).values
    np.testing.assert_array_equal(found[0], values[0])
    np.testing.assert_array_equal(found[1, :, 0], values[1, :, 0])
    np.testing.assert_array_equal(found[2, :, 1], values[2, :, 1])
    assert (found != values).any(axis=1).tolist() == [[False] * 3, [False, True, True], [True, False, True], [True] * 3]


# Defects


def changed(kind: str, seed: int = 0, times: int = 3000, count: int = 60) -> tuple[Windows, Windows]:
    arrivals = [(500.0 + 30 * number, 700.0 + 30 * number) for number in range(count)]
    before = windows_of(shaking(count, times) * np.float32(3) + np.float32(1), *arrivals)
    return before, add_artifacts(before, np.full(count, kind), generator(seed))


def test_gap_is_one_stretch_of_zeros_that_swallows_its_arrivals_alone() -> None:
    before, after = changed("gap")
    lengths = []
    for row in range(len(before)):
        silent = np.flatnonzero(~after.values[row].any(axis=1))
        lengths.append(len(silent))
        assert (np.diff(silent) == 1).all()
        kept = np.setdiff1d(np.arange(3000), silent)
        np.testing.assert_allclose(after.values[row, kept], before.values[row, kept], rtol=1e-6)
        for old, new in zip(before.arrivals[row, 0], after.arrivals[row, 0], strict=True):
            assert math.isnan(new) if int(old) in silent else new == old
        if silent[-1] < 2999:
            assert math.floor(3000 * GAP_SHARES[0]) <= len(silent) <= 3000 * GAP_SHARES[1]
    assert len(set(lengths)) > 30
    assert np.isnan(after.arrivals).any()


def size_of(added: Array, before: Array) -> Array:
    return np.abs(added) / before.std(axis=0)


def test_step_changes_the_level_of_all_components_at_once_from_a_sample_on() -> None:
    before, after = changed("step")
    np.testing.assert_array_equal(after.arrivals, before.arrivals)
    for old, new in zip(before.values.astype(float), after.values.astype(float), strict=True):
        added = new - old
        first = int(np.flatnonzero(np.abs(added[:, 0]) > 0.1)[0])
        np.testing.assert_allclose(added[:first], 0, atol=1e-4)
        np.testing.assert_allclose(added[first:], np.broadcast_to(added[-1], added[first:].shape), atol=1e-3)
        sizes = size_of(added[-1], old)
        np.testing.assert_allclose(sizes, sizes[0], rtol=1e-3)
        assert ARTIFACT_SIZES[0] * 0.999 <= sizes[0] <= ARTIFACT_SIZES[1] * 1.001


def test_impulse_decays_from_its_height_by_e_in_its_time() -> None:
    before, after = changed("impulse")
    np.testing.assert_array_equal(after.arrivals, before.arrivals)
    decay = round(IMPULSE_SHARE * 3000)
    for old, new in zip(before.values.astype(float), after.values.astype(float), strict=True):
        added = new - old
        first = int(np.abs(added[:, 0]).argmax())
        np.testing.assert_allclose(added[:first], 0, atol=1e-4)
        if first + decay < 3000:
            np.testing.assert_allclose(added[first + decay], added[first] / math.e, rtol=1e-3)
        sizes = size_of(added[first], old)
        np.testing.assert_allclose(sizes, sizes[0], rtol=1e-3)
        assert ARTIFACT_SIZES[0] * 0.999 <= sizes[0] <= ARTIFACT_SIZES[1] * 1.001


def test_defect_has_either_sign_and_the_same_place_and_size_for_each_kind() -> None:
    (before, step), (_, impulse), (_, gap) = changed("step", 5), changed("impulse", 5), changed("gap", 5)
    signs = set()
    for row in range(len(before)):
        differences = [one.values[row, :, 0].astype(float) - before.values[row, :, 0] for one in (step, impulse)]
        first = int(np.flatnonzero(np.abs(differences[0]) > 0.1)[0])
        assert int(np.abs(differences[1]).argmax()) == first
        assert differences[1][first] == pytest.approx(differences[0][-1], rel=1e-3)
        assert np.flatnonzero(~gap.values[row].any(axis=1))[0] == first
        signs.add(np.sign(differences[0][-1]))
    assert signs == {-1, 1}


def test_any_other_word_leaves_a_window_alone_and_kinds_may_differ() -> None:
    before, after = changed("none")
    np.testing.assert_array_equal(after.values, before.values)
    np.testing.assert_array_equal(after.arrivals, before.arrivals)
    kinds = np.array(["none", *ARTIFACTS] * 15)
    mixed = add_artifacts(before, kinds, generator(0)).values
    for kind in set(kinds.tolist()):
        expected = changed(kind)[1].values
        np.testing.assert_array_equal(mixed[kinds == kind], expected[kinds == kind])


@pytest.mark.parametrize("kind", ARTIFACTS)
def test_defect_leaves_a_component_empty_that_was_not_recorded(kind: str) -> None:
    values = shaking().copy()
    values[:, :, 1] = 0
    found = add_artifacts(windows_of(values, (50.0, 90.0)), np.full(4, kind), generator())
    assert not found.values[:, :, 1].any()


# Components


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.floats(0, 1), st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_dropped_windows_keep_some_of_their_components_unchanged(seed: int, share: float, held: list[int]) -> None:
    values = shaking(len(held)).copy()
    for row, bits in enumerate(held):
        values[row][:, [component for component in range(3) if not bits >> component & 1]] = 0
    windows = windows_of(values, (50.0, 90.0))
    found = drop_channels(windows, share, generator(seed))
    np.testing.assert_array_equal(found.arrivals, windows.arrivals)
    for old, new in zip(values, found.values, strict=True):
        assert new.any()
        for component in range(3):
            assert not new[:, component].any() or np.array_equal(new[:, component], old[:, component])
    np.testing.assert_array_equal(drop_channels(windows, 0.0, generator(seed)).values, values)


def test_dropping_reaches_the_asked_share_and_every_part_of_the_components() -> None:
    windows = windows_of(shaking(4000, 5), (1.0, 2.0))
    kept = recorded(drop_channels(windows, 1.0, generator()).values)
    parts = np.unique(kept, axis=0, return_counts=True)
    assert len(parts[0]) == 7
    assert parts[1].min() > 300
    whole = recorded(drop_channels(windows, 0.3, generator()).values).all(axis=1).mean()
    assert whole == pytest.approx(0.7 + 0.3 / 8, abs=0.03)


# Amplitudes


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.floats(0.01, 1))
def test_clipping_cuts_what_exceeds_the_level_of_each_window(seed: int, level: float) -> None:
    values = (shaking(3, seed=seed) * generator(seed).uniform(0.1, 100, (3, 1, 1))).astype(np.float32)
    found, true = clip(values, np.array([level, 0.5, 1.0]))
    for row, own in enumerate((level, 0.5, 1.0)):
        limit = own * amplitude(values[row])
        means = values[row].mean(axis=0, dtype=float)
        whole = [[(float(one) - mean) / limit for one, mean in zip(times, means, strict=True)] for times in values[row]]
        expected = [[max(min(one, 1.0), -1.0) for one in times] for times in whole]
        np.testing.assert_allclose(true[row], whole, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-6)
        # On both sides, and told exactly: what was not cut off is what there was.
        cut_off = np.abs(found[row]) == 1
        assert (found[row][~cut_off] == true[row][~cut_off]).all()
        assert (np.abs(true[row][cut_off]) >= 1).all()


def test_what_is_cut_off_is_known_where_a_mean_is_far_from_zero() -> None:
    values = (1e6 + shaking(1) * 50).astype(np.float32)
    found, _ = clip(values, np.array([0.3]))
    assert (found == 1).any()
    assert (found == -1).any()
    assert not clip(np.zeros((1, 200, 3), np.float32), np.array([0.3]))[0].any()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from([1e-9, 1e-3, 1.0, 1e8]), st.sampled_from([0.0, 3.0, -1000.0]))
def test_standardised_components_have_mean_zero_and_deviation_one(seed: int, scale: float, offset: float) -> None:
    values = (scale * (shaking(3, 300, seed=seed) + offset)).astype(np.float32)
    found = standardise(values)
    assert found.dtype == np.float32
    for row in range(3):
        for component in range(3):
            own = values[row, :, component].astype(float)
            np.testing.assert_allclose(found[row, :, component], (own - own.mean()) / own.std(), atol=2e-3)


@pytest.mark.parametrize("level", [0.0, 1.0, -123.456, 1e-9, 3.3e7, 0.1])
def test_constant_component_becomes_zero_beside_others(level: float) -> None:
    values = shaking().copy()
    values[:, :, 1] = level
    found = standardise(values)
    assert not found[:, :, 1].any()
    np.testing.assert_array_equal(found[:, :, [0, 2]], standardise(values[:, :, [0, 2]]))


def test_component_that_flickers_in_its_last_digit_is_constant() -> None:
    values = shaking().copy()
    values[:, :, 1] = 10_000
    values[:, ::7, 1] = np.nextafter(np.float32(10_000), np.float32(20_000))
    assert not standardise(values)[:, :, 1].any()


def test_recorded_components_are_those_that_hold_anything() -> None:
    values = np.zeros((2, 10, 3), dtype=np.float32)
    values[1, 4, 2] = -1e-9
    assert recorded(values).tolist() == [[False] * 3, [False, False, True]]


# Targets


@st.composite
def arrivals_of(draw: st.DrawFn) -> Array:
    one = st.one_of(st.just(NAN), st.floats(-80, 200), st.integers(0, 119).map(float))
    windows, events = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    numbers = draw(st.lists(one, min_size=windows * events * 2, max_size=windows * events * 2))
    return np.array(numbers).reshape(windows, events, 2)


@settings(deadline=None, max_examples=80)
@given(arrivals_of(), st.sampled_from([2.0, 10.0, 7.3]))
def test_targets_are_gaussians_at_the_arrivals_by_a_loop(arrivals: Array, deviation: float) -> None:
    length = 120
    found = phase_targets(arrivals, length, deviation)
    assert found.shape == (len(arrivals), length, 3)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-6)
    assert found.min() > -1e-6
    for row, time in np.ndindex(len(arrivals), length):
        heights = []
        for phase in range(2):
            own = [one for one in arrivals[row, :, phase] if not math.isnan(one)]
            heights.append(max((math.exp(-0.5 * ((time - one) / deviation) ** 2) for one in own), default=0.0))
        total = max(sum(heights), 1.0)
        expected = [1 - sum(heights) / total, heights[0] / total, heights[1] / total]
        np.testing.assert_allclose(found[row, time], expected, atol=1e-5)


def test_target_is_one_at_an_arrival_and_noise_without_one() -> None:
    found = phase_targets(np.array([[[30.0, 90.0]], [[NAN, NAN]], [[0.0, 500.0]]]), 120, 5.0)
    assert (found[0, 30, 1], found[0, 90, 2], found[2, 0, 1]) == (1, 1, 1)
    assert (found[1, :, 0] == 1).all()
    assert found[0, 35, 1] == pytest.approx(math.exp(-0.5))
    assert not found[2, :, 2].any()


# Purity

Change = Callable[[Windows, np.random.Generator], Any]
CHANGES: dict[str, Change] = {
    "cut": lambda one, random: cut(one.values, one.arrivals, random.integers(0, 50, len(one)), 150),
    "places": lambda one, random: random_places(len(one), 0.0, 9.0, random),
    "log_uniform": lambda one, random: log_uniform(len(one), 0.1, 9.0, random),
    "events": lambda one, random: superpose_events(
        one, windows_of(shaking(seed=9), (100.0, 150.0)), log_uniform(4, 0.1, 1, random), 5.0
    ),
    "noise": lambda one, random: superpose_noise(one, shaking(seed=9), random.uniform(0, 20, 4)),
    **{
        kind: lambda one, random, kind=kind: add_artifacts(one, np.full(4, kind), random)  # type: ignore[misc]
        for kind in ARTIFACTS
    },
    "dropout": lambda one, random: drop_channels(one, 0.7, random),
    "clip": lambda one, random: clip(one.values, random.uniform(0.1, 0.9, 4)),
    "resample": lambda one, random: resample(np.arange(4.0), 9, 0.5, random),
    "targets": lambda one, random: phase_targets(one.arrivals, 200, 10.0),
    "standardise": lambda one, random: standardise(one.values),
}


def arrays_of(result: Any) -> list[Array]:
    if isinstance(result, Windows):
        return [result.values, result.arrivals]
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_is_pure_and_told_by_its_generator_alone(change: Change) -> None:
    """Inputs that cannot be written to stay as they are, and so does what NumPy keeps for everyone."""
    before = windows_of(shaking(), (20.0, 40.0))
    copies = before.values.copy(), before.arrivals.copy()
    state = repr(np.random.get_state())
    one, again = arrays_of(change(before, generator(3))), arrays_of(change(before, generator(3)))
    assert repr(np.random.get_state()) == state
    for left, right in zip(one, again, strict=True):
        np.testing.assert_array_equal(left, right)
        assert not np.shares_memory(left, before.values)
    np.testing.assert_array_equal(before.values, copies[0])
    np.testing.assert_array_equal(before.arrivals, copies[1])


@pytest.mark.parametrize("name", ["places", "log_uniform", "events", "noise", *ARTIFACTS, "dropout", "resample"])
def test_another_state_of_the_generator_gives_another_result(name: str) -> None:
    before = windows_of(shaking(), (20.0, 40.0))
    results = [arrays_of(CHANGES[name](before, generator(seed)))[0] for seed in range(4)]
    assert any(not np.array_equal(results[0], other) for other in results[1:])


def test_values_stay_in_single_precision() -> None:
    before = windows_of(shaking(), (20.0, 40.0))
    for name in ("cut", "events", "noise", *ARTIFACTS, "dropout", "clip", "standardise"):
        assert arrays_of(CHANGES[name](before, generator()))[0].dtype == np.float32


# Some of the windows, and reductions in long rows


def test_some_windows_are_replaced_and_the_others_stay_as_they_are() -> None:
    random = np.random.default_rng(0)
    windows = Windows(random.normal(size=(5, 20, 3)).astype(np.float32), random.normal(size=(5, 1, 2)))
    others = Windows(random.normal(size=(2, 20, 3)).astype(np.float32), random.normal(size=(2, 2, 2)))
    before = windows.values.copy(), windows.arrivals.copy()
    rows = np.array([3, 0])
    made = windows.replaced(rows, others)
    np.testing.assert_array_equal(made.among(rows).values, others.values)
    np.testing.assert_array_equal(made.among(rows).arrivals, others.arrivals)
    left = np.array([1, 2, 4])
    np.testing.assert_array_equal(made.values[left], windows.values[left])
    np.testing.assert_array_equal(made.arrivals[left, :1], windows.arrivals[left])
    assert np.isnan(made.arrivals[left, 1:]).all()
    np.testing.assert_array_equal(windows.values, before[0])
    np.testing.assert_array_equal(windows.arrivals, before[1])


def test_window_that_is_replaced_by_one_of_fewer_earthquakes_has_fewer() -> None:
    windows = Windows(np.zeros((2, 4, 3), dtype=np.float32), np.ones((2, 2, 2)))
    made = windows.replaced(np.array([1]), Windows(np.ones((1, 4, 3), dtype=np.float32), np.full((1, 1, 2), 3.0)))
    assert np.isnan(made.arrivals[1, 1]).all()
    assert (made.arrivals[1, 0] == 3).all()
    assert (made.arrivals[0] == 1).all()


@pytest.mark.parametrize("times", [1, 7, 64, 100, 300, 3000, 2048, 3001])
def test_deviation_and_mean_of_any_length_are_numpys(times: int) -> None:
    values = np.random.default_rng(times).normal(50, 3, size=(4, times, 3)).astype(np.float32)
    np.testing.assert_allclose(augmentations._mean(values), values.mean(axis=1, dtype=float), rtol=1e-7)
    np.testing.assert_allclose(augmentations._deviation(values), values.std(axis=1, dtype=float), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(augmentations._over_times(np.maximum, values), values.max(axis=1))
