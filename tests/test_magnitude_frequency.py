"""Completeness and b-value by hand, against the likelihood itself, and on magnitudes whose law is known."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from reproduce_lib.magnitude_frequency import (
    b_value,
    completeness_by_fit,
    completeness_magnitude,
    magnitude_counts,
    share_explained,
)

TENTHS = st.lists(st.integers(-10, 90), min_size=1, max_size=80)
Magnitudes = NDArray[np.float64]


def gutenberg_richter(seed: int, b: float, least: float, size: int) -> Magnitudes:
    """Return binned magnitudes of a catalogue that is complete from the bin of ``least`` on."""
    exact = least - 0.05 + np.random.default_rng(seed).exponential(1 / (b * np.log(10)), size)
    return np.round(exact, 1)


def maximised(magnitudes: Magnitudes, least: float, width: float = 0.1) -> float:
    """Return the b-value at which the likelihood of binned magnitudes is largest, found by looking for it."""
    bins = np.round((magnitudes[magnitudes > least - width / 2] - least) / width)

    def unlikeliness(b: float) -> float:
        ratio = 10 ** (-b * width)
        return -float(len(bins) * np.log1p(-ratio) + bins.sum() * np.log(ratio))

    return float(minimize_scalar(unlikeliness, bounds=(0.05, 5), method="bounded", options={"xatol": 1e-9}).x)


def test_counts_by_hand() -> None:
    centres, counts = magnitude_counts(np.array([4.5, 4.7, 4.5, 5.0, 4.5]))
    np.testing.assert_allclose(centres, [4.5, 4.6, 4.7, 4.8, 4.9, 5.0])
    assert counts.tolist() == [3, 0, 1, 0, 0, 1]


@settings(deadline=None)
@given(TENTHS)
def test_counts_are_those_of_decimal_numbers(tenths: list[int]) -> None:
    expected = Counter(Decimal(n) / 10 for n in tenths)
    centres, counts = magnitude_counts(np.array([n / 10 for n in tenths]))
    assert counts.sum() == len(tenths)
    assert counts[0] > 0
    assert counts[-1] > 0
    assert np.diff(centres) == pytest.approx(np.full(len(centres) - 1, 0.1))
    found = {Decimal(f"{centre:.1f}"): count for centre, count in zip(centres, counts.tolist(), strict=True) if count}
    assert found == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=60))
def test_counts_of_another_width_are_those_of_a_loop(quarters: list[int]) -> None:
    centres, counts = magnitude_counts(np.array(quarters) / 4, 0.25)
    low, high = min(quarters), max(quarters)
    assert centres.tolist() == [n / 4 for n in range(low, high + 1)]
    assert counts.tolist() == [quarters.count(n) for n in range(low, high + 1)]


def test_sums_of_tenths_fall_into_the_bin_of_the_tenth() -> None:
    noisy = np.concatenate([np.cumsum(np.full(80, 0.1)), np.arange(1, 81) * 0.1, np.arange(1, 81) / 10])
    centres, counts = magnitude_counts(noisy)
    assert counts.tolist() == [3] * 80
    np.testing.assert_allclose(centres, np.arange(1, 81) / 10)


def test_completeness_by_hand() -> None:
    """The fullest bin is 4.4, and 0.2 is added."""
    assert completeness_magnitude(np.array([4.2, 4.3, 4.4, 4.4, 4.4, 4.5, 4.5, 5.9])) == pytest.approx(4.6)


@pytest.mark.parametrize("least", [1.5, 2.2, 3.0, 4.5, 4.7, 5.0])
@pytest.mark.parametrize("b", [0.7, 1.0, 1.3])
def test_catalogue_cut_below_a_magnitude_is_complete_from_two_tenths_above(least: float, b: float) -> None:
    for seed in range(5):
        magnitudes = gutenberg_richter(seed, b, least - 1, 60_000)
        cut = magnitudes[magnitudes > least - 0.05]
        assert completeness_magnitude(cut) == pytest.approx(least + 0.2)


def test_catalogue_that_thins_out_below_a_magnitude_is_complete_from_near_it() -> None:
    """Each tenth below 4.5 halves the chance that an event is listed, while twice as many in three tenths happen."""
    magnitudes = gutenberg_richter(3, 1.0, 3.0, 500_000)
    listed = np.random.default_rng(4).random(len(magnitudes)) < 0.5 ** np.maximum((4.5 - magnitudes) * 10, 0)
    assert completeness_magnitude(magnitudes[listed]) == pytest.approx(4.7)


@settings(deadline=None)
@given(TENTHS, st.data())
def test_order_of_the_magnitudes_does_not_matter(tenths: list[int], data: st.DataObject) -> None:
    one, other = (np.array(some) / 10 for some in (tenths, data.draw(st.permutations(tenths))))
    for found, expected in zip(magnitude_counts(one), magnitude_counts(other), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert completeness_magnitude(one) == completeness_magnitude(other)


def test_events_from_the_completeness_on_are_found_by_comparing_with_it() -> None:
    """A catalogue writes 4.8, and 48 * 0.1 is larger than that."""
    selected = {}
    for tenth in range(10, 80):
        magnitudes = np.array([tenth / 10] * 60 + [(tenth + 1) / 10] * 50 + [(tenth + 2) / 10] * 40)
        selected[tenth] = int((magnitudes >= completeness_magnitude(magnitudes)).sum())
    assert {tenth: events for tenth, events in selected.items() if events != 40} == {}


def test_slope_by_hand() -> None:
    """Mean 4.4, so b is 0.4343 / (4.4 - 3.95); the squares sum to 30 * 0.16 + 20 * 0.36."""
    slope = b_value(np.array([4.0] * 30 + [5.0] * 20), 4.0)
    assert slope is not None
    assert slope.events == 50
    assert slope.b == pytest.approx(0.4342944819 / 0.45)
    assert slope.standard_error == pytest.approx(2.302585093 * slope.b**2 * (12 / (50 * 49)) ** 0.5)
    assert slope.standard_error == pytest.approx(0.1501, abs=1e-4)


@pytest.mark.parametrize("b", [0.6, 0.8, 1.0, 1.2, 1.5])
@pytest.mark.parametrize("least", [2.5, 4.7])
def test_slope_is_where_the_likelihood_of_the_bins_is_largest(b: float, least: float) -> None:
    """Utsu's correction is the first term of a series: 2 tanh(x / 2) for x, which is known exactly."""
    magnitudes = gutenberg_richter(int(10 * b), b, least, 2000)
    slope, best = b_value(magnitudes, least), maximised(magnitudes, least)
    assert slope is not None
    assert slope.b == pytest.approx(best, rel=0.012)
    x = np.log(10) * 0.1 * best
    assert slope.b == pytest.approx(best * 2 * np.tanh(x / 2) / x, rel=1e-6)


@pytest.mark.parametrize("width", [0.05, 0.2])
def test_slope_of_other_bins_is_where_their_likelihood_is_largest(width: float) -> None:
    exact = np.random.default_rng(5).exponential(1 / np.log(10), 3000)
    magnitudes = 4.0 + np.floor(exact / width) * width
    slope = b_value(magnitudes, 4.0, width)
    assert slope is not None
    assert slope.b == pytest.approx(maximised(magnitudes, 4.0, width), rel=0.02)


@pytest.mark.parametrize("b", [0.7, 1.0, 1.3])
def test_known_slope_lies_within_two_standard_errors_as_often_as_it_should(b: float) -> None:
    slopes = [b_value(gutenberg_richter(seed, b, 4.5, 400), 4.5) for seed in range(400)]
    found = np.array([(slope.b, slope.standard_error) for slope in slopes if slope])
    assert len(found) == 400
    covered = (np.abs(found[:, 0] - b) < 1.96 * found[:, 1]).mean()
    assert 0.91 < covered < 0.985
    assert found[:, 0].mean() == pytest.approx(b, rel=0.015)
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.12)


def test_slope_of_many_magnitudes_is_the_one_they_were_drawn_with() -> None:
    slope = b_value(gutenberg_richter(1, 1.0, 2.0, 1_000_000), 2.0)
    assert slope is not None
    assert slope.events == 1_000_000
    assert slope.b == pytest.approx(1.0, abs=0.008)
    assert slope.standard_error == pytest.approx(0.001, rel=0.05)


@settings(deadline=None)
@given(st.lists(st.integers(0, 45), max_size=60), st.randoms(use_true_random=False))
def test_magnitudes_below_the_completeness_and_the_order_do_not_matter(below: list[int], random: Any) -> None:
    magnitudes = gutenberg_richter(2, 1.0, 4.6, 80).tolist()
    mixed = [*magnitudes, *(tenth / 10 for tenth in below)]
    random.shuffle(mixed)
    one, other = b_value(np.array(mixed), 4.6), b_value(np.array(magnitudes), 4.6)
    assert one is not None
    assert other is not None
    assert one.events == other.events == 80
    assert one.b == pytest.approx(other.b, rel=1e-12)
    assert one.standard_error == pytest.approx(other.standard_error, rel=1e-12)


def test_magnitudes_of_the_bin_of_the_completeness_belong_to_the_complete_ones() -> None:
    for tenth in range(10, 80):
        magnitudes = np.array([tenth / 10] * 40 + [tenth * 0.1 + 0.1] * 30 + [tenth / 10 - 0.1] * 100)
        for least in (tenth / 10, tenth * 0.1, float(np.sum(np.full(tenth, 0.1)))):
            slope = b_value(magnitudes, least)
            assert slope is not None
            assert slope.events == 70


@pytest.mark.parametrize("least", [4.46, 4.54])
def test_completeness_inside_a_bin_is_that_of_the_bin(least: float) -> None:
    """Magnitudes are known to a tenth, so the same events are complete, and their slope is the same."""
    magnitudes = gutenberg_richter(6, 1.0, 4.0, 20_000)
    inside, centre = b_value(magnitudes, least), b_value(magnitudes, 4.5)
    assert inside is not None
    assert centre is not None
    assert inside.events == centre.events
    assert inside.b == pytest.approx(centre.b)


def test_too_few_magnitudes_have_no_slope() -> None:
    magnitudes = gutenberg_richter(7, 1.0, 4.5, 50)
    assert b_value(magnitudes, 4.5) is not None
    assert b_value(magnitudes[1:], 4.5) is None
    assert b_value(np.concatenate([magnitudes[1:], np.full(1000, 4.0)]), 4.5) is None
    assert b_value(np.array([]), 4.5) is None


def test_equal_magnitudes_have_no_slope() -> None:
    assert b_value(np.full(100, 4.5), 4.5) is None
    assert b_value(np.array([4.5] * 100 + [3.0, 4.0] * 50), 4.5) is None
    assert b_value(np.array([4.7, 4.699999999, 0.1 * 47] * 30), 4.5) is None


def test_share_that_a_law_explains_by_hand() -> None:
    """30 at 4.0 and 20 at 5.0: the law through 50 events has the slope of the hand-computed b above."""
    magnitudes = np.array([4.0] * 30 + [5.0] * 20)
    b = 0.4342944819 / 0.45
    observed = [50] + [20] * 10
    law = [50 * 10 ** (-b * step / 10) for step in range(11)]
    apart = sum(abs(one - other) for one, other in zip(observed, law, strict=True))
    assert share_explained(magnitudes, 4.0) == pytest.approx(1 - apart / sum(observed))
    assert share_explained(magnitudes, 5.0) is None  # twenty events are too few


@pytest.mark.parametrize("b", [0.7, 1.0, 1.3])
def test_law_fits_a_complete_catalogue_from_its_smallest_magnitude_on(b: float) -> None:
    for seed in range(5):
        fit = completeness_by_fit(gutenberg_richter(seed, b, 3.0, 5000))
        assert fit is not None
        assert (fit.completeness, fit.explained) == (3.0, 0.95)


def test_law_fits_a_thinned_catalogue_from_near_where_it_is_thinned() -> None:
    magnitudes = gutenberg_richter(3, 1.0, 3.0, 500_000)
    listed = np.random.default_rng(4).random(len(magnitudes)) < 0.5 ** np.maximum((4.5 - magnitudes) * 10, 0)
    fit = completeness_by_fit(magnitudes[listed])
    assert fit is not None
    assert fit.explained == 0.95
    assert fit.completeness == pytest.approx(4.4, abs=0.11)


def test_two_catalogues_of_different_thresholds_fit_no_law_until_the_higher_one() -> None:
    low, high = gutenberg_richter(0, 1.0, 2.0, 3000), gutenberg_richter(1, 1.0, 4.0, 3000)
    fit = completeness_by_fit(np.concatenate([low, high]))
    assert fit is not None
    assert fit.completeness >= 3.8


def test_magnitudes_that_follow_no_law_fit_none() -> None:
    uniform = np.round(np.random.default_rng(2).uniform(3, 5, 4000), 1)
    assert completeness_by_fit(uniform) is None
    assert completeness_by_fit(uniform[:40]) is None
