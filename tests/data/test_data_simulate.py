"""Simulated prices and magnitudes are repeatable, possible, and hold nothing that could be forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.data import simulate
from reproduce_lib.data.prices import TICKERS, check_prices
from reproduce_lib.data.simulate import simulate_monthly_maxima, simulate_prices

SEEDS = st.integers(0, 10_000)


def test_simulation_carries_its_label_and_no_file() -> None:
    simulated = simulate_prices(0)
    assert simulated.ticker == "SIMULATED"
    assert simulated.ticker not in TICKERS
    assert simulated.files == {}


@settings(max_examples=20)
@given(SEEDS)
def test_a_seed_makes_one_series_and_another_seed_another(seed: int) -> None:
    first, again, other = (simulate_prices(one, days=50).frame for one in (seed, seed, seed + 1))
    pd.testing.assert_frame_equal(first, again)
    assert (first["close"] != other["close"]).all()


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 200))
def test_every_day_is_one_that_a_share_could_have(seed: int, days: int) -> None:
    frame = simulate_prices(seed, days).frame
    check_prices(frame, "simulated")
    assert len(frame) == days
    for column in ("open", "close"):
        assert (frame["low"] <= frame[column]).all()
        assert (frame[column] <= frame["high"]).all()
    assert frame["open"].to_numpy()[1:].tolist() == frame["close"].to_numpy()[:-1].tolist()


def test_days_are_working_days_from_the_papers_first_one() -> None:
    days = simulate_prices(0).frame.index
    assert len(days) == 1259
    assert days[0] == pd.Timestamp("2017-10-09")
    assert set(days.day_of_week) == {0, 1, 2, 3, 4}
    assert max(np.diff(days)) == np.timedelta64(3, "D")


@pytest.mark.parametrize("seed", range(3))
def test_returns_are_uncorrelated_and_of_the_stated_size(seed: int) -> None:
    returns = np.diff(np.log(simulate_prices(seed, days=5001).close))
    assert np.std(returns) == pytest.approx(0.02, rel=3 / np.sqrt(2 * 5000))
    assert abs(np.mean(returns)) < 3 * 0.02 / np.sqrt(5000)
    for lag in range(1, 6):
        correlation = np.corrcoef(returns[lag:], returns[:-lag])[0, 1]
        assert abs(correlation) < 3 / np.sqrt(5000)


def test_no_mixture_of_past_closes_is_clearly_better_than_the_last_one() -> None:
    """The best of three past values, chosen with hindsight on the first half, gains nothing on the second."""
    close = np.log(simulate_prices(1, days=4001).close)
    past = np.stack([close[2:-1], close[1:-2], close[:-3], np.ones(len(close) - 3)], axis=1)
    half = len(past) // 2
    weights, *_ = np.linalg.lstsq(past[:half], close[3:][:half], rcond=None)
    errors = close[3:][half:] - past[half:] @ weights
    naive = close[3:][half:] - close[2:-1][half:]
    assert np.mean(errors**2) > 0.99 * np.mean(naive**2)
    assert weights[0] == pytest.approx(1.0, abs=0.15)


@settings(max_examples=20)
@given(SEEDS)
def test_a_seed_makes_one_series_of_magnitudes_and_another_seed_another(seed: int) -> None:
    first, again, other = (simulate_monthly_maxima(one, 60) for one in (seed, seed, seed + 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@settings(max_examples=20)
@given(SEEDS, st.integers(0, 200))
def test_every_month_has_a_magnitude_that_a_catalogue_could_list(seed: int, months: int) -> None:
    magnitudes = simulate_monthly_maxima(seed, months)
    assert magnitudes.shape == (months,)
    assert magnitudes.dtype == float
    assert magnitudes.tolist() == [round(magnitude, 1) for magnitude in magnitudes.tolist()]
    assert all(4.7 <= magnitude < 15 for magnitude in magnitudes)


def test_month_of_a_quiet_catalogue_has_an_event_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "EVENTS_A_MONTH", 0.1)
    magnitudes = simulate_monthly_maxima(0, 500)
    assert len(magnitudes) == 500
    assert magnitudes.min() >= 4.7


@pytest.mark.parametrize("seed", range(3))
def test_largest_magnitudes_follow_the_law_of_the_largest_of_many(seed: int) -> None:
    """With 13 events a month from 4.7 on and b = 1, no larger one than m happens with exp(-13 * 10 ** (4.7 - m))."""
    n = 10_000
    magnitudes = simulate_monthly_maxima(seed, n)
    for tenth in range(47, 80):
        expected = np.exp(-13 * 10 ** (4.7 - (tenth / 10 + 0.05)))
        assert np.mean(magnitudes < tenth / 10 + 0.05) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / n))


@pytest.mark.parametrize("seed", range(3))
def test_largest_magnitudes_are_uncorrelated(seed: int) -> None:
    magnitudes = simulate_monthly_maxima(seed, 5000)
    for lag in range(1, 13):
        assert abs(np.corrcoef(magnitudes[lag:], magnitudes[:-lag])[0, 1]) < 4 / np.sqrt(5000)


def test_no_mixture_of_past_months_is_clearly_better_than_their_mean() -> None:
    """Weights of the last year, chosen with hindsight on the first half, gain nothing on the second."""
    magnitudes = simulate_monthly_maxima(1, 4012)
    past = np.stack([magnitudes[lag : lag + 4000] for lag in range(12)] + [np.ones(4000)], axis=1)
    truth = magnitudes[12:]
    weights, *_ = np.linalg.lstsq(past[:2000], truth[:2000], rcond=None)
    constant = truth[2000:] - truth[:2000].mean()
    assert np.mean((truth[2000:] - past[2000:] @ weights) ** 2) > 0.99 * np.mean(constant**2)
