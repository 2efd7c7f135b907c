"""Picks: peaks and matches by brute force, and scores by fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reproduce_lib.picks import Counts, Picks, best_threshold, find_picks, match, match_windows, residuals

Array = NDArray[Any]
NAN = math.nan


def picks_of(*picks: tuple[int, int, float]) -> Picks:
    window, sample, score = zip(*picks, strict=True) if picks else ((), (), ())
    return Picks(np.array(window, dtype=np.intp), np.array(sample, dtype=np.intp), np.array(score, dtype=float))


def triples(picks: Picks) -> list[tuple[int, int, float]]:
    return list(zip(picks.window.tolist(), picks.sample.tolist(), picks.score.tolist(), strict=True))


# Peaks


def slow_peaks(row: Sequence[float], least: float, separation: int) -> list[int]:
    """Take local maxima from the highest down, each unless a higher one stands too near; no two values are equal."""
    beside = [-1.0, *row, -1.0]
    peaks = [n for n, own in enumerate(row) if own >= least and own > beside[n] and own > beside[n + 2]]
    kept: list[int] = []
    for one in sorted(peaks, key=lambda n: -row[n]):
        if all(abs(one - other) >= separation for other in kept):
            kept.append(one)
    return sorted(kept)


@settings(deadline=None, max_examples=120)
@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(1, 80), st.floats(0, 1), st.integers(1, 30))
def test_peaks_are_those_of_a_search_from_the_highest_down(
    seed: int, windows: int, times: int, least: float, separation: int
) -> None:
    probability = np.random.default_rng(seed).permutation(windows * times).reshape(windows, times) / (windows * times)
    probability = probability.astype(np.float32)
    expected = [
        (number, sample, float(row[sample]))
        for number, row in enumerate(probability)
        for sample in slow_peaks(row.tolist(), least, separation)
    ]
    assert triples(find_picks(probability, least, separation)) == expected


def test_peak_at_either_edge_and_one_that_just_reaches_the_least_count() -> None:
    probability = np.zeros((3, 200), dtype=np.float32)
    probability[0, 0] = probability[0, 199] = 0.7
    probability[2, 100] = 0.5
    assert [one[:2] for one in triples(find_picks(probability, 0.5))] == [(0, 0), (0, 199), (2, 100)]
    assert len(find_picks(probability, 0.8).window) == 0
    assert len(find_picks(np.zeros((0, 200), dtype=np.float32).reshape(0, 200), 0.5).window) == 0


def test_flat_top_is_one_peak_within_it() -> None:
    probability = np.zeros((1, 200), dtype=np.float32)
    probability[0, 60:71] = 1
    found = find_picks(probability, 0.3)
    assert found.sample.tolist() == [65]


def test_higher_of_two_near_peaks_is_kept() -> None:
    probability = np.zeros((1, 300), dtype=np.float32)
    probability[0, [100, 149, 250]] = [0.6, 0.9, 0.4]
    assert find_picks(probability, 0.3).sample.tolist() == [149, 250]
    assert find_picks(probability, 0.3, 49).sample.tolist() == [100, 149, 250]


def test_picks_above_a_threshold_reach_it() -> None:
    found = picks_of((0, 5, 0.2), (0, 9, 0.5), (3, 7, 0.5000001)).above(0.5)
    assert triples(found) == [(0, 9, 0.5), (3, 7, 0.5000001)]


# Counts


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_scores_are_the_fractions_that_their_names_say(hits: int, false: int, missed: int) -> None:
    counts = Counts(hits, false, missed)
    precision = Fraction(hits, hits + false) if hits + false else Fraction(0)
    recall = Fraction(hits, hits + missed) if hits + missed else Fraction(0)
    assert counts.precision == pytest.approx(float(precision))
    assert counts.recall == pytest.approx(float(recall))
    harmonic = 2 * precision * recall / (precision + recall) if precision + recall else Fraction(0)
    assert counts.f1 == pytest.approx(float(harmonic))
    assert counts + Counts(1, 2, 3) == Counts(hits + 1, false + 2, missed + 3)


# Matches


def slow_match(picks: Picks, arrivals: Array, length: int, tolerance: float) -> Counts:
    """Find by all assignments how many arrivals of each window can have a pick of their own."""
    total = Counts(0, 0, 0)
    for window in range(len(arrivals)):
        own = [sample for place, sample, _ in triples(picks) if place == window]
        wanted = [one for one in arrivals[window] if not math.isnan(one) and 0 <= one < length]
        slots: list[float | None] = [*own, *[None] * len(wanted)]
        hits = max(
            sum(one is not None and abs(one - to) <= tolerance for one, to in zip(order, wanted, strict=True))
            for order in permutations(slots, len(wanted))
        )
        total += Counts(hits, len(own) - hits, len(wanted) - hits)
    return total


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Picks, Array]:
    """Draw picks as far apart as peaks are, and arrivals inside and outside their windows."""
    windows, events = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    found = []
    for window in range(windows):
        samples = draw(st.lists(st.integers(0, 5), max_size=3, unique=True))
        found += [(window, 50 * sample + draw(st.integers(0, 4)) * (sample % 2), 0.5) for sample in sorted(samples)]
    one = st.one_of(st.just(NAN), st.floats(-30, 330), st.integers(0, 299).map(float))
    numbers = draw(st.lists(one, min_size=windows * events, max_size=windows * events))
    return picks_of(*found), np.array(numbers).reshape(windows, events)


@settings(deadline=None, max_examples=200)
@given(scenes(), st.sampled_from([0.0, 5.0, 10.0, 20.0]))
def test_as_many_arrivals_are_hit_as_can_be(scene: tuple[Picks, Array], tolerance: float) -> None:
    """Picks stand 46 samples apart at least: within less than half of it no arrival has a choice."""
    picks, arrivals = scene
    copies = arrivals.copy(), triples(picks)
    assert match(picks, arrivals, 300, tolerance) == slow_match(picks, arrivals, 300, tolerance)
    for window, found in enumerate(match_windows(picks, arrivals, 300, tolerance)):
        own = picks.window == window
        alone = Picks(np.zeros(own.sum(), dtype=np.intp), picks.sample[own], picks.score[own])
        assert Counts(*found.tolist()) == slow_match(alone, arrivals[window : window + 1], 300, tolerance)
    np.testing.assert_array_equal(arrivals, copies[0])
    assert triples(picks) == copies[1]


@settings(deadline=None, max_examples=100)
@given(scenes(), st.sampled_from([30.0, 50.0]))
def test_one_arrival_in_a_window_is_hit_if_any_pick_is_near(scene: tuple[Picks, Array], tolerance: float) -> None:
    picks, arrivals = scene[0], scene[1][:, :1]
    assert match(picks, arrivals, 300, tolerance) == slow_match(picks, arrivals, 300, tolerance)


@given(scenes(), st.floats(0, 60), st.floats(0, 60))
def test_counts_add_up_and_hits_grow_with_the_tolerance(scene: tuple[Picks, Array], one: float, other: float) -> None:
    picks, arrivals = scene
    inside = int(((arrivals >= 0) & (arrivals < 300)).sum())
    found = [match(picks, arrivals, 300, tolerance) for tolerance in sorted((one, other))]
    for counts in found:
        assert counts.hits + counts.missed == inside
        assert counts.hits + counts.false == len(picks.window)
    assert found[0].hits <= found[1].hits


def test_pick_hits_one_arrival_and_an_arrival_takes_one_pick() -> None:
    arrivals = np.array([[100.0, 104.0]])
    assert match(picks_of((0, 102, 0.9)), arrivals, 300, 10.0) == Counts(1, 0, 1)
    assert match(picks_of((0, 95, 0.9), (0, 105, 0.9)), np.array([[100.0]]), 300, 10.0) == Counts(1, 1, 0)
    assert match(picks_of((1, 100, 0.9)), np.array([[100.0], [NAN]]), 300, 10.0) == Counts(0, 1, 1)
    assert match(picks_of((0, 90, 0.9)), np.array([[100.0]]), 300, 10.0) == Counts(1, 0, 0)
    assert match(picks_of((0, 89, 0.9)), np.array([[100.0]]), 300, 10.0) == Counts(0, 1, 1)


def test_arrival_outside_its_window_is_none_and_a_pick_near_it_is_false() -> None:
    arrivals = np.array([[-1.0], [300.0], [299.0], [0.0]])
    picks = picks_of((0, 0, 0.9), (1, 299, 0.9), (2, 299, 0.9), (3, 0, 0.9))
    assert match(picks, arrivals, 300, 10.0) == Counts(2, 2, 0)


def test_without_picks_all_is_missed_and_without_arrivals_all_is_false() -> None:
    assert match(picks_of(), np.array([[5.0], [NAN]]), 300, 10.0) == Counts(0, 0, 1)
    assert match(picks_of((0, 5, 0.9)), np.zeros((1, 0)), 300, 10.0) == Counts(0, 1, 0)


# Thresholds


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 100)), min_size=1, max_size=8))
def test_best_threshold_has_the_highest_f1_of_the_grid(picks: list[tuple[bool, int]]) -> None:
    """Each window has an arrival at 100; a right pick stands on it, a wrong one far away."""
    found = picks_of(*((number, 100 if right else 250, score / 100) for number, (right, score) in enumerate(picks)))
    arrivals = np.full((len(picks), 1), 100.0)
    scores = {}
    for percent in range(5, 100, 5):
        chosen = [right for right, score in picks if score >= percent]
        scores[percent] = Fraction(2 * sum(chosen), len(chosen) + len(picks))
    best = [percent for percent, score in scores.items() if score == max(scores.values())]
    threshold = round(100 * best_threshold(found, arrivals, 300, 10.0))
    assert threshold in best
    below, above = sum(one < threshold for one in best), sum(one > threshold for one in best)
    assert abs(below - above) <= 1


def test_threshold_of_nothing_is_in_the_middle_of_the_grid() -> None:
    assert best_threshold(picks_of(), np.array([[5.0]]), 300, 10.0) == pytest.approx(0.5)


# Residuals


@given(scenes())
def test_residual_is_how_late_a_pick_is_against_the_nearest_arrival(scene: tuple[Picks, Array]) -> None:
    picks, arrivals = scene
    found = residuals(picks, arrivals)
    assert found.shape == (len(picks.window),)
    for late, (window, sample, _) in zip(found, triples(picks), strict=True):
        distances = [sample - one for one in arrivals[window] if not math.isnan(one)]
        if not distances:
            assert math.isnan(late)
        else:
            assert abs(late) == min(map(abs, distances))
            assert late in distances


def test_residuals_without_earthquakes_are_nan() -> None:
    assert np.isnan(residuals(picks_of((0, 5, 0.9)), np.zeros((1, 0)))).tolist() == [True]
    assert residuals(picks_of(), np.zeros((1, 2))).shape == (0,)
