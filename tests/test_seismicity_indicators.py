"""Each indicator by hand, against the sums that Panakkat & Adeli print, and where its formula has no value."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.seismicity_indicators import INDICATORS, SHORTEST_DAYS, seismicity_indicators

PATTERNS = st.lists(st.tuples(st.integers(0, 400), st.integers(30, 75)), min_size=1, max_size=25)


def indicators(days: Any, magnitudes: Any, characteristic: float = 5.0) -> dict[str, float]:
    """Return the indicators of one pattern by name."""
    arrays = (np.array([days], dtype=float), np.array([magnitudes], dtype=float))
    return dict(zip(INDICATORS, seismicity_indicators(*arrays, characteristic=characteristic)[0].tolist(), strict=True))


def printed_formulas(days: list[float], tenths: list[int], characteristic: int) -> dict[str, float]:
    """Compute the indicators by sums over single events, as the paper of 2007 writes them."""
    n = len(days)
    magnitudes = [one / 10 for one in tenths]
    elapsed = max(days[-1] - days[0], 1 / 86_400)
    energy = sum(math.sqrt(10 ** (11.8 + 1.5 * one)) for one in magnitudes)
    logs = [math.log10(sum(other >= one for other in tenths)) for one in tenths]
    b = deviation = deficit = 0.0
    if len(set(tenths)) > 1:
        sums = sum(magnitudes), sum(logs), sum(m * log for m, log in zip(magnitudes, logs, strict=True))
        b = (n * sums[2] - sums[0] * sums[1]) / (sums[0] ** 2 - n * sum(m * m for m in magnitudes))
        a = sum(log + b * m for m, log in zip(magnitudes, logs, strict=True)) / n
        deviation = sum((log - (a - b * m)) ** 2 for m, log in zip(magnitudes, logs, strict=True)) / (n - 1)
        deficit = max(magnitudes) - a / b
    large = [day for day, one in zip(days, tenths, strict=True) if one >= characteristic]
    times = [later - earlier for earlier, later in pairwise(large)]
    mean = statistics.fmean(times) if times and sum(times) > 0 else elapsed
    variation = statistics.pstdev(times) / mean if len(times) > 1 and sum(times) > 0 else 0.0
    values = (elapsed, statistics.fmean(magnitudes), energy / elapsed, b, deviation, deficit, mean, variation)
    return dict(zip(INDICATORS, values, strict=True))


def test_all_eight_by_hand() -> None:
    """Four events over ten days; N(>= M) is 4, 2, 1, 4 for the magnitudes 4, 5, 6, 4."""
    found = indicators([0, 2, 4, 10], [4.0, 5.0, 6.0, 4.0], characteristic=4.0)
    assert found["elapsed_time"] == 10
    assert found["mean_magnitude"] == pytest.approx(4.75)
    # Roots of energies: 10^8.9 twice, 10^9.65, 10^10.4, over ten days.
    assert found["root_energy_rate"] == pytest.approx((2 * 10**8.9 + 10**9.65 + 10**10.4) / 10)
    # log10 N is 0.60206, 0.30103, 0 at 4, 5, 6: exactly on a line of slope -0.30103.
    assert found["b_value"] == pytest.approx(0.3010299957)
    assert found["mean_square_deviation"] == pytest.approx(0.0, abs=1e-12)
    # The line reaches zero at 1.80618 / 0.30103 = 6.
    assert found["magnitude_deficit"] == pytest.approx(0.0, abs=1e-9)
    # All four are characteristic: 2, 2 and 6 days apart, which deviate by 4/3, 4/3 and 8/3 from their mean.
    assert found["characteristic_time"] == pytest.approx(10 / 3)
    assert found["coefficient_of_variation"] == pytest.approx(math.sqrt(32 / 9) / (10 / 3))
    # From M 5 on there are two, on days 2 and 4: one time, which has no variation.
    fewer = indicators([0, 2, 4, 10], [4.0, 5.0, 6.0, 4.0], characteristic=5.0)
    assert (fewer["characteristic_time"], fewer["coefficient_of_variation"]) == (2, 0)


def test_deviation_and_deficit_by_hand() -> None:
    """log10 N of 4, 4, 5 is 0.4771, 0.4771, 0: slope -0.4771, and all on the line, which ends at 5."""
    found = indicators([0, 1, 2], [4.0, 4.0, 5.0])
    assert found["b_value"] == pytest.approx(0.4771212547)
    assert found["magnitude_deficit"] == pytest.approx(0.0, abs=1e-9)
    # 4, 5, 7 with 3, 2, 1: means 16/3 and 0.259384; the slope is -0.730270 / 4.666667.
    found = indicators([0, 1, 2], [4.0, 5.0, 7.0])
    slope = ((4 - 16 / 3) * math.log10(3) + (5 - 16 / 3) * math.log10(2) + 0) / (42 / 9)
    intercept = (math.log10(3) + math.log10(2)) / 3 - slope * 16 / 3
    assert found["b_value"] == pytest.approx(-slope)
    assert found["magnitude_deficit"] == pytest.approx(7 - intercept / -slope)
    residuals = [math.log10(count) - (intercept + slope * m) for count, m in ((3, 4), (2, 5), (1, 7))]
    assert found["mean_square_deviation"] == pytest.approx(sum(one**2 for one in residuals) / 2)


@settings(deadline=None, max_examples=300)
@given(PATTERNS, st.integers(30, 75))
def test_agrees_with_the_printed_sums(events: list[tuple[int, int]], characteristic: int) -> None:
    days = sorted(day / 8 for day, _ in events)
    tenths = [magnitude for _, magnitude in events]
    found = indicators(days, [one / 10 for one in tenths], characteristic / 10)
    expected = printed_formulas(days, tenths, characteristic)
    assert found == {name: pytest.approx(value, rel=1e-6, abs=1e-7) for name, value in expected.items()}


@settings(deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_patterns_do_not_touch_one_another(patterns: list[list[tuple[int, int]]], random: Any) -> None:
    width = min(map(len, patterns))
    days = np.array([sorted(day / 8 for day, _ in one[:width]) for one in patterns])
    magnitudes = np.array([[tenths / 10 for _, tenths in one[:width]] for one in patterns])
    together = seismicity_indicators(days, magnitudes, characteristic=5.0)
    for row in range(len(patterns)):
        alone = seismicity_indicators(days[[row]], magnitudes[[row]], characteristic=5.0)
        np.testing.assert_allclose(together[[row]], alone, rtol=1e-12)


def test_equal_magnitudes_have_no_slope_and_no_deficit() -> None:
    found = indicators([0, 1, 3], [4.7, 4.7, 0.1 * 47])
    assert (found["b_value"], found["mean_square_deviation"], found["magnitude_deficit"]) == (0, 0, 0)
    assert (found["characteristic_time"], found["coefficient_of_variation"]) == (3, 0)


def test_one_event_is_a_pattern() -> None:
    found = indicators([7.0], [5.0])
    expected = {
        "elapsed_time": SHORTEST_DAYS, "mean_magnitude": 5.0, "root_energy_rate": 10**9.65 / SHORTEST_DAYS,
        "characteristic_time": SHORTEST_DAYS,
    }  # fmt: skip
    assert found == {name: pytest.approx(expected.get(name, 0.0)) for name in INDICATORS}


def test_everything_is_finite_where_many_events_share_a_second() -> None:
    days = np.zeros((3, 20))
    magnitudes = np.random.default_rng(0).integers(30, 60, (3, 20)) / 10
    assert np.isfinite(seismicity_indicators(days, magnitudes, characteristic=4.0)).all()


def test_time_scales_the_times_and_the_rate_only() -> None:
    generator = np.random.default_rng(1)
    days, magnitudes = np.sort(generator.uniform(0, 50, (5, 30)), axis=1), generator.integers(30, 60, (5, 30)) / 10
    one, ten = (seismicity_indicators(scale * days, magnitudes, characteristic=4.5) for scale in (1, 10))
    factors = {"elapsed_time": 10, "root_energy_rate": 0.1, "characteristic_time": 10}
    np.testing.assert_allclose(ten, one * [factors.get(name, 1.0) for name in INDICATORS], rtol=1e-9)


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (2, 4)), ((2, 0), (2, 0))])
def test_what_is_no_pattern_is_refused(shapes: Any) -> None:
    with pytest.raises(ValueError, match="no patterns"):
        seismicity_indicators(*(np.zeros(shape) for shape in shapes), characteristic=5.0)
