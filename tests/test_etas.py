"""The simulator against its own closed-form rates and laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reproduce_lib.data.catalogs import Box
from reproduce_lib.etas import Etas, simulate_etas
from reproduce_lib.magnitude_frequency import b_value

BOX = Box(30.0, 36.0, 98.0, 106.0)


def counts(etas: Etas, days: float, seeds: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([len(simulate_etas(etas, BOX, days=days, seed=seed)) for seed in range(seeds)])


@pytest.mark.parametrize("branching", [0.0, 0.3, 0.6])
def test_rate_is_background_over_one_less_the_branching_ratio(branching: float) -> None:
    # With p = 1.5 hardly an aftershock comes later than the ten years that are simulated ahead.
    etas = Etas(background=2.0, branching=branching, p=1.5, largest=6.5)
    found = counts(etas, 1000.0, 20)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - etas.rate * 1000) < 4 * error
    assert etas.rate == pytest.approx(2.0 / (1 - branching))
    assert error < 0.03 * found.mean()


def expected_count(etas: Etas, days: float, before: float, step: float = 2.0) -> float:
    """Return the mean number of events by the renewal equation rate(t) = background + n * sum of rate(t - s) f(s)."""
    edges = np.arange(0, before + days + step, step)
    shares = np.diff(1 - (1 + edges / etas.c) ** (1 - etas.p))
    rate = np.empty(len(shares))
    for now in range(len(rate)):
        # What is triggered within a step counts towards the same step, and is brought to the other side.
        earlier = shares[1 : now + 1] @ rate[now - 1 :: -1] if now else 0.0
        rate[now] = (etas.background + etas.branching * earlier) / (1 - etas.branching * shares[0])
    return float(rate[round(before / step) :].sum() * step)


@pytest.mark.parametrize("background", [0.05, 0.5])
def test_slow_decay_leaves_fewer_events_than_the_mean_rate_as_many_as_the_renewal_equation_says(
    background: float,
) -> None:
    """The parameters of the audit, p = 1.2: ten years ahead and five of catalogue do not see the end of a sequence."""
    etas = Etas(background=background, largest=5.5)
    found = counts(etas, 2000.0, 200 if background < 0.1 else 60)
    expected = expected_count(etas, 2000.0, 3650.0)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - expected) < 4 * error
    assert error < 0.03 * expected
    assert 0.8 < expected / (etas.rate * 2000.0) < 0.97


def test_numbers_without_triggering_are_poisson() -> None:
    found = counts(Etas(background=1.0, branching=0.0), 400.0, 200)
    assert found.var(ddof=1) == pytest.approx(found.mean(), rel=0.35)


def test_numbers_with_triggering_vary_more_than_poisson() -> None:
    found = counts(Etas(background=1.0, branching=0.6, largest=6.5), 400.0, 60)
    assert found.var(ddof=1) > 2 * found.mean()


@pytest.mark.parametrize(
    ("alpha", "b", "largest"), [(0.8, 1.0, 8.5), (1.0, 1.0, 7.0), (1.1, 0.9, 6.0), (0.0, 1.2, 9.0)]
)
def test_productivity_times_its_mean_over_magnitudes_is_the_branching_ratio(
    alpha: float, b: float, largest: float
) -> None:
    """The mean over the truncated law, by summing over a fine grid."""
    etas = Etas(background=1.0, branching=0.5, alpha=alpha, b=b, largest=largest)
    grid = np.linspace(etas.smallest, largest, 400_001)
    density = 10 ** (-b * (grid - etas.smallest))
    mean = np.trapezoid(density * 10 ** (alpha * (grid - etas.smallest)), grid) / np.trapezoid(density, grid)
    assert etas.productivity * mean == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize("b", [0.8, 1.0, 1.2])
def test_magnitudes_follow_the_law_whatever_triggered_them(b: float) -> None:
    events = simulate_etas(Etas(background=10.0, b=b, branching=0.5, alpha=0.5), BOX, days=2000, seed=1)
    slope = b_value(events["magnitude"].to_numpy(), 3.1)
    assert slope is not None
    assert abs(slope.b - b) < 4 * slope.standard_error
    assert events["magnitude"].between(3.0, 8.5).all()


def test_a_magnitude_tells_nothing_about_the_next() -> None:
    magnitudes = simulate_etas(Etas(background=20.0), BOX, days=2000, seed=2)["magnitude"].to_numpy()
    assert abs(np.corrcoef(magnitudes[:-1], magnitudes[1:])[0, 1]) < 4 / np.sqrt(len(magnitudes))


def test_aftershocks_decay_as_omori_says() -> None:
    """Of direct aftershocks, the share within t days is 1 - (1 + t / c)^(1 - p)."""
    etas = Etas(background=1e-9, branching=0.9, alpha=0.0, c=0.1, p=1.5)
    generator = np.random.default_rng(3)
    from reproduce_lib.etas import _triggered

    parents = (np.zeros(100_000), np.full(100_000, 3.0), np.full(100_000, 33.0), np.full(100_000, 100.0))
    born, _, latitude, longitude = _triggered(etas, parents, np.inf, generator)
    assert len(born) == pytest.approx(90_000, abs=4 * 300)
    for days in (0.05, 0.3, 3.0, 30.0):
        share = 1 - (1 + days / 0.1) ** -0.5
        assert (born <= days).mean() == pytest.approx(share, abs=4 * 0.5 / np.sqrt(len(born)))
    assert (latitude - 33).std() * 111.2 == pytest.approx(10, rel=0.02)
    assert ((longitude - 100) * np.cos(np.radians(33))).std() * 111.2 == pytest.approx(10, rel=0.02)


def test_events_come_in_order_to_the_second_and_the_same_for_a_seed() -> None:
    one, again, other = (simulate_etas(Etas(background=3.0), BOX, days=500, seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one, again)
    assert not one["magnitude"].equals(other["magnitude"])
    assert one["time"].is_monotonic_increasing
    assert one["time"].iloc[0] >= pd.Timestamp("2000-01-01", tz="UTC")
    assert one["time"].iloc[-1] <= pd.Timestamp("2000-01-01", tz="UTC") + pd.Timedelta(days=500)
    assert (one["time"].dt.microsecond == 0).all()
    assert list(one.columns) == ["time", "latitude", "longitude", "depth_km", "magnitude"]


@pytest.mark.parametrize(
    "wrong", [{"branching": 1.0}, {"branching": -0.1}, {"p": 1.0}, {"c": 0.0}, {"b": 0.0}, {"background": 0.0}]
)
def test_parameters_of_no_stationary_catalogue_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="stationary"):
        replace(Etas(background=1.0), **wrong)
    with pytest.raises(ValueError, match="are none"):
        Etas(background=1.0, smallest=9.0)
