"""Triggers against what they are defined by: a recursion and a correlation, written out literally."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.triggers import LONG, PASSBAND, SHORT, band_passed, sta_lta, template_match

Array = NDArray[Any]
RATE = 100


def shaking(count: int, times: int, seed: int = 0) -> Array:
    values = np.random.default_rng(seed).normal(size=(count, times, 3)).astype(np.float32)
    values.flags.writeable = False
    return values


# Passband


def wave(frequency: float, times: int = 6000) -> Array:
    values = np.zeros((1, times, 3), dtype=np.float32)
    values[0, :, 0] = np.sin(2 * np.pi * frequency * np.arange(times) / RATE)
    return values


@pytest.mark.parametrize(("frequency", "kept"), [(0.2, 0.0), (3.0, 1.0), (8.0, 1.0), (10.0, 1.0), (45.0, 0.0)])
def test_waves_in_the_passband_are_kept_in_place_and_others_taken_out(frequency: float, kept: float) -> None:
    values = wave(frequency)
    found = band_passed(values, RATE)
    np.testing.assert_allclose(found[0, 1500:-1500, 0], kept * values[0, 1500:-1500, 0], atol=0.02)
    assert not found[0, :, 1:].any()


@pytest.mark.parametrize("frequency", PASSBAND)
def test_filter_that_runs_both_ways_halves_the_edges_of_its_passband(frequency: float) -> None:
    found = band_passed(wave(frequency), RATE)
    assert math.sqrt(2) * found[0, 1500:-1500, 0].std() == pytest.approx(0.5, abs=0.02)


def test_filter_forgets_the_level_and_leaves_its_input_alone() -> None:
    values = shaking(2, 500)
    np.testing.assert_allclose(band_passed(values + np.float32(64), RATE), band_passed(values, RATE), atol=1e-4)


# Averages


def slow_ratio(filtered: Array, short: int, long: int) -> float:
    """Run ObsPy's documented recursion over one component, and return its largest value once the long one is full."""
    sta, lta = 0.0, float(np.finfo(float).tiny)
    best = 0.0
    for number in range(1, len(filtered)):
        energy = float(filtered[number]) ** 2
        sta = energy / short + (1 - 1 / short) * sta
        lta = energy / long + (1 - 1 / long) * lta
        if number >= long:
            best = max(best, sta / lta)
    return best


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**31), st.integers(1050, 1600), st.sampled_from([1e-9, 1.0, 1e5]))
def test_ratio_is_that_of_the_recursion_over_each_component(seed: int, times: int, scale: float) -> None:
    values = (scale * shaking(2, times, seed)).astype(np.float32)
    values[0, 1020:, 1] *= 8
    filtered = band_passed(values, RATE)
    found = sta_lta(values, RATE)
    for row in range(2):
        own = [slow_ratio(filtered[row, :, one], round(SHORT * RATE), round(LONG * RATE)) for one in range(3)]
        assert found[row] == pytest.approx(max(own), rel=1e-6)


def test_first_ten_seconds_do_not_count() -> None:
    values = shaking(1, 3000).copy()
    values[0, 300:350] *= 50
    quiet = sta_lta(values, RATE)[0]
    values[0, 2000:2050] *= 50
    assert sta_lta(values, RATE)[0] > 5 > quiet


def test_shorter_averages_are_blind_for_a_shorter_time() -> None:
    values = shaking(1, 2048).copy()
    values[0, 500:] *= 20
    assert sta_lta(values, RATE, 0.3, 3.0)[0] > 5 > sta_lta(values, RATE)[0]


@pytest.mark.parametrize("level", [0.0, 1.0, -123.456, 3.3e7, 0.1])
def test_component_that_holds_nothing_does_not_count_in_the_ratio(level: float) -> None:
    values = shaking(3, 1500).copy()
    values[0, :, 1] = level
    values[1, :, :] = level
    found = sta_lta(values, RATE)
    rest = values.copy()
    rest[0, :, 1] = 0
    assert found[0] == pytest.approx(sta_lta(rest, RATE)[0])
    assert found[1] == 0
    assert found[2] == pytest.approx(sta_lta(values[2:], RATE)[0])


# Templates


def slow_match(values: Array, templates: Array) -> list[float]:
    """Correlate each component at each place with each template; of components only those that both hold."""
    filtered, patterns = band_passed(values, RATE), band_passed(templates, RATE)
    length = patterns.shape[1]
    found = []
    for window in filtered:
        best = -math.inf
        for pattern in patterns:
            both = [one for one in range(window.shape[1]) if window[:, one].any() and pattern[:, one].any()]
            for place in range(len(window) - length + 1):
                own = [np.corrcoef(window[place : place + length, one], pattern[:, one])[0, 1] for one in both]
                best = max(best, float(np.mean(own)))
        found.append(best)
    return found


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**31), st.integers(40, 90), st.sampled_from([1e-9, 1.0, 1e5]))
def test_match_is_the_largest_mean_correlation_of_all_places_and_templates(
    seed: int, length: int, scale: float
) -> None:
    values = (scale * shaking(2, 200, seed)).astype(np.float32)
    templates = np.concatenate([values[:1, 30 : 30 + length] * np.float32(7), shaking(1, length, seed + 1)])
    np.testing.assert_allclose(template_match(values, templates, RATE), slow_match(values, templates), atol=1e-6)


@pytest.mark.parametrize("level", [0.0, -123.456, 0.1])
def test_components_that_only_one_of_both_holds_do_not_count(level: float) -> None:
    values, templates = shaking(3, 200).copy(), shaking(2, 60, 1).copy()
    values[0, :, 0] = level
    values[1, :, :2] = level
    templates[0, :, 2] = level
    for row in range(3):
        for number in range(2):
            if row == 1 and number == 0:
                continue
            window, pattern = values[row : row + 1].copy(), templates[number : number + 1].copy()
            found = template_match(window, pattern, RATE)
            window[window == np.float32(level)] = 0
            pattern[pattern == np.float32(level)] = 0
            assert found[0] == pytest.approx(slow_match(window, pattern)[0], abs=1e-6)


def test_window_that_holds_the_template_in_one_component_alone_matches_by_it() -> None:
    values, template = np.zeros((1, 1000, 3), dtype=np.float32), shaking(1, 400, 4)
    values[0, 300:700, 2] = template[0, :, 2]
    assert template_match(values, template, RATE)[0] > 0.8


def test_components_in_which_nothing_is_shared_match_nothing() -> None:
    values, template = shaking(1, 300).copy(), shaking(1, 60, 1).copy()
    values[0, :, 1:] = 0
    template[0, :, 0] = 0
    assert template_match(values, template, RATE)[0] <= 0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.floats(-3, 5))
def test_match_never_exceeds_one_and_ignores_sizes(seed: int, power: float) -> None:
    """A stretch may be as quiet beside an earthquake as real ones are."""
    values, templates = shaking(2, 600, seed).copy(), shaking(2, 60, seed + 1)
    values[:, 400:] *= np.float32(10**power)
    found = template_match(values, templates, RATE)
    assert (np.abs(found) <= 1 + 1e-6).all()
    np.testing.assert_allclose(template_match(values * np.float32(8), templates, RATE), found, atol=1e-6)


def test_templates_are_tried_one_by_one_and_windows_do_not_touch() -> None:
    values, templates = shaking(3, 300), shaking(3, 60, 1)
    whole = template_match(values, templates, RATE)
    parts = [[template_match(values[n : n + 1], templates[m : m + 1], RATE)[0] for m in range(3)] for n in range(3)]
    np.testing.assert_allclose(whole, np.max(parts, axis=1), atol=1e-9)


def test_earthquake_is_found_again_in_the_record_that_the_template_was_cut_from() -> None:
    values = shaking(1, 3000, 2).copy()
    values[0, 1500:1900] *= 20
    assert template_match(values, values[:, 1450:1850].copy(), RATE)[0] == pytest.approx(1, abs=0.08)
