"""Simulated prices are labelled, repeatable, possible, and hold nothing that could be forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.data.prices import TICKERS, check_prices
from reproduce_lib.data.simulate import simulate_prices

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
