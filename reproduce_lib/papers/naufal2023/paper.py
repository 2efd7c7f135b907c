"""Which units the paper needs: its tables, the readings of each decision, the baselines, the facts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from reproduce_lib.data.prices import TICKERS
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters, run_baseline
from reproduce_lib.papers.naufal2023.networks import (
    MODELS,
    READINGS,
    NetworkParameters,
    run_network,
    run_network_batch,
)
from reproduce_lib.papers.naufal2023.price_facts import PriceFactParameters, run_price_fact
from reproduce_lib.papers.naufal2023.series import KEY, WINDOWS
from reproduce_lib.units import Batch, Experiment, Paper, UnitParameters

SEEDS = 10
SEEDS_OF_A_READING = 5
# The readings that change what networks learn from or what they are, run for all three; the others, to save
# hours of computation, for the proposed network alone.
_FOR_ALL_NETWORKS = {"split", "relu", "kept_epoch"}
# What the verdicts may hang on is run as often as the default.
_ON_ALL_SEEDS = {"split", "kept_epoch"}
# Pooling and kernels act only where a window has several days.
_LONG_WINDOW_ONLY = {"pool_size", "kernel_size"}


def networks_of_the_paper(**decisions: Any) -> Iterator[NetworkParameters]:
    """Yield one unit per share, window and model: one replication of Tables 3 to 6."""
    for ticker, window, model in product(TICKERS, WINDOWS, MODELS):
        yield NetworkParameters.of(ticker=ticker, window=window, model=model, **decisions)


def readings_of(name: str, value: Any, seed: int) -> Iterator[NetworkParameters]:
    """Yield one replication under another reading of one decision, where it can make a difference."""
    for unit in networks_of_the_paper(seed=seed):
        if name not in _FOR_ALL_NETWORKS and unit.model != "cnn_lstm_gru":
            continue
        if name in _LONG_WINDOW_ONLY and unit.window == 1:
            continue
        yield unit.with_values(**{name: value})


def naive_unit(unit: UnitParameters) -> BaselineParameters | None:
    """Return the naive forecast of the same test days, or ``None`` for a unit that forecasts nothing."""
    if not isinstance(unit, NetworkParameters):
        return None
    return BaselineParameters.of(
        profile=unit.profile,
        ticker=unit.ticker,
        data=unit.data,
        split=unit.split,
        last_day=unit.last_day,
        skip_days=unit.window if unit.context == "inside" else 0,
    )


def _full_networks() -> Iterator[NetworkParameters]:
    for seed in range(SEEDS):
        yield from networks_of_the_paper(seed=seed)
    for name, values in READINGS.items():
        for value, seed in product(values, range(SEEDS if name in _ON_ALL_SEEDS else SEEDS_OF_A_READING)):
            yield from readings_of(name, value, seed)


def _full_baselines() -> Iterator[BaselineParameters]:
    for ticker, method in product(TICKERS, ("naive", "drift", "arima")):
        yield BaselineParameters.of(ticker=ticker, method=method)
    for unit in _full_networks():
        naive = naive_unit(unit)
        if naive is not None:
            yield naive


def _full_price_facts() -> Iterator[PriceFactParameters]:
    for ticker, quantity in product(TICKERS, ("trading_days", "first_day", "last_day")):
        yield PriceFactParameters.of(ticker=ticker, quantity=quantity)
    for ticker, quantity, span in product(TICKERS, ("lowest_close", "highest_close"), ("all", "test")):
        yield PriceFactParameters.of(ticker=ticker, quantity=quantity, span=span)
    days = ("2022-10-03", "2022-10-04", "2022-10-05", "2022-10-06")
    for day, column in product(days, ("open", "high", "low", "close")):
        yield PriceFactParameters.of(quantity="price", day=day, column=column)


def _smoke_networks() -> Iterator[NetworkParameters]:
    for model, window in product(MODELS, WINDOWS):
        yield NetworkParameters.of(profile="smoke", data="simulated", model=model, window=window, epochs=1)


def _smoke_baselines() -> Iterator[BaselineParameters]:
    for method in ("naive", "drift", "arima"):
        yield BaselineParameters.of(profile="smoke", data="simulated", method=method)


PAPER = Paper(
    key=KEY,
    experiments={
        experiment.name: experiment
        for experiment in (
            Experiment(PriceFactParameters, run_price_fact, _full_price_facts, lambda: (), deterministic=True),
            Experiment(BaselineParameters, run_baseline, _full_baselines, _smoke_baselines, deterministic=True),
            Experiment(
                NetworkParameters,
                run_network,
                _full_networks,
                _smoke_networks,
                batch=Batch(frozenset({"seed", "ticker"}), run_network_batch),
            ),
        )
    },
    naive=naive_unit,
    main=NetworkParameters.experiment,
)
