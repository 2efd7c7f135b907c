from __future__ import annotations

import csv
import json
import os
from collections import Counter, defaultdict
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reproduce_lib.claims import load_claims
from reproduce_lib.data.prices import TICKERS, Prices
from reproduce_lib.data.simulate import simulate_prices
from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.naufal2023 import networks, price_facts, samples
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters, run_baseline
from reproduce_lib.papers.naufal2023.networks import MODELS, READINGS, NetworkParameters, build_model, run_network
from reproduce_lib.papers.naufal2023.paper import PAPER, naive_unit
from reproduce_lib.papers.naufal2023.price_facts import PriceFactParameters, run_price_fact
from reproduce_lib.papers.naufal2023.samples import make_samples
from reproduce_lib.papers.naufal2023.series import SIMULATION_SEED, WINDOWS, Parts, closing_prices, divide_days
from reproduce_lib.sensitivity import reading_of
from tests.support import PROJECT, load_keras

SPLITS = ("train72_val8_test20", "train70_val10_test20", "train70_test20_val10", "shuffled72_8_20")
SPANS = ("ticker", "window", "model")
DAYS = 1259


def network(**values: Any) -> NetworkParameters:
    return NetworkParameters.of(**{"profile": "custom", "data": "simulated", "epochs": 1, **values})


# Networks


def lstm(inputs: int) -> int:
    return 4 * (100 * (100 + inputs) + 100)


def gru(inputs: int) -> int:
    return 3 * (100 * (100 + inputs) + 2 * 100)  # Keras keeps two biases per gate


def convolution(kernel: int, inputs: int) -> int:
    return kernel * inputs * 64 + 64


def dense() -> int:
    return 100 + 1


WEIGHTS = {
    ("lstm", 1): lstm(1) + dense(),
    ("lstm_gru", 1): lstm(1) + gru(100) + dense(),
    ("cnn_lstm_gru", 1): convolution(1, 1) + convolution(1, 64) + lstm(64) + gru(100) + dense(),
    ("cnn_lstm_gru", 3): convolution(3, 1) + convolution(3, 64) + lstm(64) + gru(100) + dense(),
}


@cache
def built(**values: Any) -> Any:
    load_keras()
    return build_model(network(**values))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("model", MODELS)
def test_network_has_the_weights_and_shapes_of_its_layers(model: str, window: int) -> None:
    found = built(model=model, window=window)
    assert found.count_params() == WEIGHTS[model, 1]
    assert (found.input_shape, found.output_shape) == ((None, window, 1), (None, 1))


def test_kernel_of_three_days_adds_weights() -> None:
    assert built(model="cnn_lstm_gru", window=30, kernel_size=3).count_params() == WEIGHTS["cnn_lstm_gru", 3]


def test_weights_add_up_to_these_numbers() -> None:
    assert list(WEIGHTS.values()) == [40_901, 101_501, 130_989, 139_309]


@pytest.mark.parametrize(
    ("options", "lengths"),
    [({"window": 1}, [1, 1, 1, 1]), ({"window": 30}, [30, 15, 15, 8]), ({"window": 30, "pool_size": 1}, [30] * 4)],
)
def test_pooling_shortens_the_sequence_where_there_is_one(options: dict[str, Any], lengths: list[int]) -> None:
    layers = built(model="cnn_lstm_gru", **options).layers
    assert [layer.output.shape[1] for layer in layers[:4]] == lengths


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("lstm", ["LSTM", "Dropout", "Dense"]),
        ("lstm_gru", ["LSTM", "Dropout", "GRU", "Dropout", "Dense"]),
        ("cnn_lstm_gru", ["Conv1D", "MaxPooling1D"] * 2 + ["LSTM", "Dropout", "GRU", "Dropout", "Dense"]),
    ],
)
def test_layers_stand_in_the_papers_order(model: str, kinds: list[str]) -> None:
    assert [type(layer).__name__ for layer in built(model=model, window=1).layers] == kinds


@pytest.mark.parametrize(
    ("options", "recurrent", "last"),
    [({}, "relu", "linear"), ({"relu": "convolution"}, "tanh", "linear"), ({"relu": "output"}, "tanh", "relu")],
)
@pytest.mark.parametrize("model", ["lstm", "cnn_lstm_gru"])
def test_relu_sits_where_the_reading_says(model: str, options: dict[str, Any], recurrent: str, last: str) -> None:
    found = defaultdict(set)
    for layer in built(model=model, window=1, **options).layers:
        if hasattr(layer, "activation"):
            found[type(layer).__name__].add(layer.activation.__name__)
    expected = {"LSTM": {recurrent}, "GRU": {recurrent}, "Dense": {last}, "Conv1D": {"relu"}}
    assert found == {kind: expected[kind] for kind in found}


def test_dropout_rate_is_the_proposed_networks_alone() -> None:
    def rates(model: str, **options: Any) -> set[float]:
        layers = built(model=model, window=1, **options).layers
        return {layer.rate for layer in layers if type(layer).__name__ == "Dropout"}

    assert rates("cnn_lstm_gru", hybrid_dropout=0.0) == {0.0}
    assert rates("cnn_lstm_gru") == rates("lstm", hybrid_dropout=0.2) == rates("lstm_gru") == {0.1}


# Days


@pytest.mark.parametrize(
    ("split", "sizes", "first_test", "last_test"),
    [
        ("train72_val8_test20", (906, 101, 252), 1007, 1258),
        ("train70_val10_test20", (881, 126, 252), 1007, 1258),
        ("train70_test20_val10", (881, 126, 252), 881, 1132),
        ("shuffled72_8_20", (884, 99, 246), None, None),  # of the 1229 days that have 30 days before them
    ],
)
def test_parts_have_the_papers_shares(split: Any, sizes: tuple[int, ...], first_test: Any, last_test: Any) -> None:
    parts = divide_days(DAYS, split)
    assert (len(parts.training), len(parts.validation), len(parts.test)) == sizes
    if first_test is not None:
        assert (parts.test[0], parts.test[-1]) == (first_test, last_test)


@given(days=st.integers(100, 3000), split=st.sampled_from(SPLITS))
@settings(deadline=None)
def test_parts_are_disjoint_complete_and_in_order(days: int, split: Any) -> None:
    parts = divide_days(days, split)
    all_parts = [parts.training, parts.validation, parts.test]
    assert all((np.diff(part) > 0).all() for part in all_parts)
    together = np.sort(np.concatenate(all_parts))
    assert together.tolist() == list(range(30 if split == "shuffled72_8_20" else 0, days))
    if split != "shuffled72_8_20":
        assert parts.training[-1] < min(parts.validation[0], parts.test[0])
        assert bool(parts.test[0] < parts.validation[0]) is (split == "train70_test20_val10")


def test_shuffled_days_are_mixed_but_always_the_same() -> None:
    one, two = divide_days(DAYS, "shuffled72_8_20"), divide_days(DAYS, "shuffled72_8_20")
    assert one.test.tolist() == two.test.tolist()
    assert one.test[0] < one.training[-1]
    assert 400 < np.median(one.test) < 900


# Pairs


@pytest.fixture
def close() -> np.ndarray[Any, Any]:
    return simulate_prices(3).close


def scaled(close: Any, seen: Any) -> Any:
    low, high = close[seen].min(), close[seen].max()
    return (close - low) / (high - low)


def part_of(parts: Parts, name: str) -> Any:
    return getattr(parts, name)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("scaler", ["train", "all", "each"])
def test_each_window_holds_the_days_right_before_its_target(close: Any, split: Any, window: int, scaler: str) -> None:
    parts = divide_days(len(close), split)
    unit = network(split=split, window=window, scaler=scaler)
    for name in ("training", "validation", "test"):
        days = part_of(parts, name)
        inputs, targets, usable = samples._pairs(close, days, parts, unit)
        assert usable.tolist() == [day for day in days if day >= window]
        expected = scaled(close, {"train": parts.training, "all": slice(None), "each": days}[scaler])
        brute = [[expected[day - back] for back in range(window, 0, -1)] for day in usable]
        assert inputs.shape == (len(usable), window, 1)
        np.testing.assert_allclose(inputs[..., 0], brute, atol=1e-6)
        np.testing.assert_allclose(targets[:, 0], expected[usable], atol=1e-6)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_that_trains_depends_on_the_targets_of_the_test(close: Any, split: Any, window: int) -> None:
    parts = divide_days(len(close), split)
    altered = close.copy()
    altered[parts.test] *= 100

    def training(prices: Any, scaler: str) -> Any:
        return samples._pairs(prices, parts.training, parts, network(split=split, window=window, scaler=scaler))

    (inputs, targets, days), (new_inputs, new_targets, _) = training(close, "train"), training(altered, "train")
    assert not set(days.tolist()) & set(parts.test.tolist())
    np.testing.assert_array_equal(targets, new_targets)
    if split != "shuffled72_8_20":  # there test days stand inside the windows of training days
        np.testing.assert_array_equal(inputs, new_inputs)
        np.testing.assert_array_equal(training(close, "each")[0], training(altered, "each")[0])
    assert not np.array_equal(training(close, "all")[1], training(altered, "all")[1])  # the leak that it is


@pytest.mark.parametrize("split", SPLITS[:3])
@pytest.mark.parametrize("window", WINDOWS)
def test_inside_no_window_leaves_its_part(close: Any, split: Any, window: int) -> None:
    parts = divide_days(len(close), split)
    unit = network(split=split, window=window, context="inside")
    for name in ("training", "validation", "test"):
        days = part_of(parts, name)
        usable = samples._pairs(close, days, parts, unit)[2]
        assert len(usable) == len(days) - window
        assert all(set(range(day - window, day + 1)) <= set(days.tolist()) for day in usable.tolist())


# Units


class RepeatsTheLastDay:
    """A network that has learnt nothing but the naive forecast."""

    def predict(self, inputs: Any, **options: Any) -> Any:
        return inputs[:, -1, :]


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "start_afresh", lambda seed: None)
    monkeypatch.setattr(networks, "build_model", lambda parameters: RepeatsTheLastDay())
    history = {"loss": [0.5, 0.25], "val_loss": [0.75, 0.125]}
    monkeypatch.setattr(networks, "train", lambda *arguments, **options: history)


@pytest.mark.parametrize(
    ("split", "window", "context", "scaler"),
    [
        *product(SPLITS, WINDOWS, ["reach_back", "inside"], ["train"]),
        *product(SPLITS[:1], WINDOWS, ["inside"], ["all", "each"]),
    ],
)
def test_network_that_repeats_the_last_day_scores_as_its_naive_unit(
    untrained: None, split: Any, window: Any, context: Any, scaler: Any
) -> None:
    unit = network(split=split, window=window, context=context, scaler=scaler, model="lstm")
    naive = naive_unit(unit)
    assert naive is not None
    found, expected = run_network(unit), run_baseline(naive)
    assert found.n == expected.n == len(divide_days(DAYS, split).test) - (window if context == "inside" else 0)
    for name in ("mae", "rmse"):
        assert found.metrics[name] == pytest.approx(expected.metrics[name], rel=1e-4)
    assert (found.metrics["training_loss"], found.metrics["validation_loss"]) == (0.25, 0.125)
    if split != "shuffled72_8_20":
        assert found.metrics["best_lag"] == 1.0


def test_forecast_is_tested_against_the_naive_one_of_the_same_days(untrained: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(RepeatsTheLastDay, "predict", lambda self, inputs, **options: inputs[:, -2, :])
    found = run_network(network(model="lstm", window=30)).metrics
    close = simulate_prices(SIMULATION_SEED).close
    test = np.arange(1007, DAYS)
    losses = np.abs(close[test - 2] - close[test]) - np.abs(close[test - 1] - close[test])
    expected = stats.ttest_1samp(losses, 0)
    assert found["dm_statistic"] == pytest.approx(expected.statistic, rel=1e-4)
    assert found["dm_p_value"] == pytest.approx(expected.pvalue, rel=1e-3)
    assert found["best_lag"] == 2.0


def test_naive_unit_is_of_the_same_prices(untrained: None) -> None:
    unit = NetworkParameters.of(ticker="GOOG", last_day="2022-10-06", split="train70_val10_test20", seed=4)
    assert naive_unit(unit) == BaselineParameters.of(ticker="GOOG", last_day="2022-10-06", split="train70_val10_test20")
    inside = naive_unit(unit.with_values(context="inside", window=30))
    assert inside is not None
    assert inside.skip_days == 30
    assert naive_unit(BaselineParameters.of()) is None
    assert naive_unit(PriceFactParameters.of(quantity="first_day")) is None


def test_default_reading_alone_keeps_its_errors(untrained: None, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = simulate_prices(1)
    monkeypatch.setattr(samples, "closing_prices", lambda parameters: prices)
    kept = run_network(NetworkParameters.of(ticker="GOOG", window=1, model="lstm", seed=3)).arrays
    test = divide_days(DAYS, "train72_val8_test20").test
    np.testing.assert_allclose(kept["error"], prices.close[test - 1] - prices.close[test], atol=1e-3)
    assert kept["loss"].tolist() == [0.5, 0.25]
    assert kept["val_loss"].tolist() == [0.75, 0.125]
    assert run_network(NetworkParameters.of(relu="output")).arrays == {}
    assert run_network(network(window=1)).arrays == {}


@pytest.mark.slow
def test_trained_network_forecasts_the_days_of_its_naive_unit() -> None:
    load_keras()
    unit = network(model="lstm", window=1, context="inside")
    naive = naive_unit(unit)
    assert naive is not None
    found, expected = run_network(unit), run_baseline(naive)
    mae, rmse, naive_mae = found.metrics["mae"], found.metrics["rmse"], expected.metrics["mae"]
    assert isinstance(mae, float)
    assert isinstance(rmse, float)
    assert isinstance(naive_mae, float)
    assert (found.n, found.n) == (expected.n, 251)
    assert 0 < mae <= rmse
    assert mae < 50  # dollars of a price about 100, not scaled units
    statistic = found.metrics["dm_statistic"]
    assert isinstance(statistic, float)
    assert np.sign(statistic) == np.sign(mae - naive_mae)


@pytest.mark.parametrize("skip", [0, 1, 30])
def test_naive_and_drift_by_hand(skip: int) -> None:
    close = simulate_prices(SIMULATION_SEED).close
    days = range(1007 + skip, DAYS)
    for method, forecast in (
        ("naive", lambda day: close[day - 1]),
        ("drift", lambda day: close[day - 1] + (close[day - 1] - close[0]) / (day - 1)),
    ):
        unit = BaselineParameters.of(profile="smoke", data="simulated", method=method, skip_days=skip)
        errors = [forecast(day) - close[day] for day in days]
        found = run_baseline(unit)
        assert found.n == 252 - skip
        assert found.metrics["mae"] == pytest.approx(sum(map(abs, errors)) / len(errors))
        assert found.metrics["rmse"] == pytest.approx((sum(one**2 for one in errors) / len(errors)) ** 0.5)


@pytest.mark.parametrize(
    ("values", "by_hand"),
    [
        ({"quantity": "trading_days"}, lambda frame: 1259.0),
        ({"quantity": "trading_days", "span": "test"}, lambda frame: 252.0),
        ({"quantity": "first_day"}, lambda frame: "2017-10-09"),
        ({"quantity": "first_day", "span": "test"}, lambda frame: str(frame.index[1007].date())),
        ({"quantity": "last_day", "span": "test"}, lambda frame: str(frame.index[1258].date())),
        ({"quantity": "price", "day": "2017-10-10", "column": "open"}, lambda frame: frame["open"].iloc[1]),
        ({"quantity": "lowest_close"}, lambda frame: min(frame["close"])),
        ({"quantity": "highest_close", "span": "test"}, lambda frame: max(frame["close"].iloc[1007:])),
    ],
)
def test_price_facts_are_read_off_the_prices(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], by_hand: Any
) -> None:
    frame = simulate_prices(5).frame
    monkeypatch.setattr(price_facts, "load_prices", lambda ticker: Prices(ticker, frame, {"f": "0"}))
    found = run_price_fact(PriceFactParameters.of(**values))
    assert (found.metrics, found.data) == ({"value": by_hand(frame)}, {"f": "0"})


@pytest.mark.data
def test_price_facts_of_the_real_file() -> None:
    path = Path(os.environ["REPRODUCE_DATA"]) / "prices" / "TSLA_2013_2023.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Date"]: row for row in csv.DictReader(file) if "2017-10-09" <= row["Date"] <= "2022-10-07"}
    facts = {
        ("trading_days", "close", ""): float(len(rows)),
        ("lowest_close", "close", ""): min(float(row["Close"]) for row in rows.values()),
        ("price", "low", "2022-10-05"): float(rows["2022-10-05"]["Low"]),
    }
    for (quantity, column, day), expected in facts.items():
        found = run_price_fact(PriceFactParameters.of(quantity=quantity, column=column, day=day))
        assert found.metrics["value"] == expected
    shorter = closing_prices(BaselineParameters.of(last_day="2022-10-06"))
    assert (len(shorter.close), shorter.close[-1]) == (len(rows) - 1, float(rows["2022-10-06"]["Close"]))


# The recorded set


@pytest.fixture(scope="module")
def full_networks() -> list[NetworkParameters]:
    return [unit for unit in PAPER.full_units() if isinstance(unit, NetworkParameters)]


def test_default_reading_is_run_ten_times_for_every_share_window_and_network(full_networks: Any) -> None:
    default = [unit for unit in full_networks if reading_of(unit, SPANS) is None]
    assert len(default) == 180
    expected = set(product(TICKERS, WINDOWS, MODELS, range(10)))
    assert {(unit.ticker, unit.window, unit.model, unit.seed) for unit in default} == expected


def test_keys_are_unique_and_stand_for_their_parameters(full_networks: Any) -> None:
    units = PAPER.full_units()
    assert len({unit.key for unit in units}) == len(units)
    assert len({json.dumps([unit.experiment, unit.model_dump()], sort_keys=True) for unit in units}) == len(units)
    assert all(unit.profile == "full" for unit in units)


def test_each_reading_differs_in_one_decision_and_is_run_for_the_proposed_network(full_networks: Any) -> None:
    seeds = defaultdict(set)
    for unit in full_networks:
        reading = reading_of(unit, SPANS)  # raises where there are two
        if reading is not None:
            seeds[(*reading, unit.ticker, unit.window, unit.model)].add(unit.seed)
    assert {cell[:2] for cell in seeds} == {(name, value) for name, values in READINGS.items() for value in values}
    for name, values in READINGS.items():
        windows = (30,) if name in ("pool_size", "kernel_size") else WINDOWS
        for value, ticker, window in product(values, TICKERS, windows):
            assert len(seeds[name, value, ticker, window, "cnn_lstm_gru"]) >= 5
    for split, ticker, window, model in product(READINGS["split"], TICKERS, WINDOWS, MODELS):
        assert seeds["split", split, ticker, window, model] == set(range(10))


def test_no_unit_repeats_another_under_a_decision_that_does_nothing_to_it(full_networks: Any) -> None:
    for unit in full_networks:
        name = (reading_of(unit, SPANS) or ("", None))[0]
        assert name not in {"pool_size", "kernel_size"} or (unit.model, unit.window) == ("cnn_lstm_gru", 30)
        assert name != "hybrid_dropout" or unit.model == "cnn_lstm_gru"


def test_claims_name_the_decisions_and_readings_that_are_run() -> None:
    decisions = load_claims("naufal2023", PROJECT / "book" / "claims").decisions
    fields = NetworkParameters.model_fields
    assert {one.parameter: one.chosen for one in decisions} == {
        one.parameter: fields[one.parameter].default for one in decisions
    }
    stated = {one.parameter: {reading.value for reading in one.others} for one in decisions if one.others}
    assert stated == {name: set(values) for name, values in READINGS.items()}


def test_every_network_has_its_naive_forecast_in_the_recorded_set(full_networks: Any) -> None:
    recorded = {unit.key for unit in PAPER.full_units()}
    for unit in full_networks:
        naive = naive_unit(unit)
        assert naive is not None
        assert naive.key in recorded


def test_seeds_give_streams_of_their_own(full_networks: Any) -> None:
    streams = Counter(tuple(unit.random_seeds(2)) for unit in full_networks)
    assert max(streams.values()) == 1


@pytest.mark.parametrize("name", ["networks", "baselines"])
def test_smoke_units_are_simulated_and_short(name: str) -> None:
    units = list(PAPER.experiments[name].smoke())
    assert units
    assert all((unit.profile, unit.data) == ("smoke", "simulated") for unit in units)
    assert all(getattr(unit, "epochs", 1) == 1 for unit in units)


@pytest.mark.parametrize(
    ("parameters", "values", "named"),
    [
        (NetworkParameters, {"data": "simulated"}, ["simulated", "smoke", "custom"]),
        (BaselineParameters, {"data": "simulated"}, ["simulated", "smoke", "custom"]),
        (NetworkParameters, {"epochs": 5}, ["30 epochs", "custom"]),
        (NetworkParameters, {"learning_rate": 0.01}, ["0.001", "custom"]),
        (NetworkParameters, {"batch_size": 48}, ["batch_size", "32", "16", "64", "custom"]),
        (NetworkParameters, {"hybrid_dropout": 0.3}, ["hybrid_dropout", "0.3", "custom"]),
        (NetworkParameters, {"window": 7}, ["window", "1", "30"]),
        (NetworkParameters, {"ticker": "XYZ"}, ["TSLA", "GOOG", "TWTR"]),
        (NetworkParameters, {"backend": "none"}, ["jax", "tensorflow"]),
        (NetworkParameters, {"profile": "custom", "epochs": 0}, ["epochs"]),
        (NetworkParameters, {"profile": "custom", "hybrid_dropout": 1.0}, ["hybrid_dropout"]),
        (NetworkParameters, {"profile": "custom", "shuffle": 1}, ["shuffle"]),
        (BaselineParameters, {"method": "magic"}, ["naive", "drift", "arima"]),
        (BaselineParameters, {"window": 30}, ["window", "skip_days"]),
        (PriceFactParameters, {"quantity": "volume"}, ["volume", "trading_days"]),
    ],
)
def test_wrong_parameters_are_refused_with_the_allowed_ones(
    parameters: Any, values: dict[str, Any], named: list[str]
) -> None:
    with pytest.raises(ParameterError) as caught:
        parameters.of(**values)
    assert all(word in str(caught.value) for word in named)


@pytest.mark.parametrize(
    "values",
    [{"epochs": 5}, {"batch_size": 48}, {"data": "simulated"}, {"learning_rate": 0.5}, {"hybrid_dropout": 0.3}],
)
def test_custom_takes_what_full_refuses(values: dict[str, Any]) -> None:
    unit = NetworkParameters.of(profile="custom", **values)
    assert unit.key != NetworkParameters.of(profile="custom").key


# The epoch whose weights forecast


@pytest.mark.slow
@pytest.mark.networks
def test_best_epoch_is_come_to_from_the_same_start_and_the_last_is_trained_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_keras()
    calls: list[tuple[int, Any]] = []

    def count(model: Any, *pairs: Any, epochs: int, **options: Any) -> dict[str, list[float]]:
        calls.append((epochs, [weights.copy() for weights in model.get_weights()]))
        return {"loss": [1.0] * epochs, "val_loss": [3.0, 1.0, 2.0, 1.0][:epochs]}

    monkeypatch.setattr(networks, "train", count)
    for kept, expected in (("last", [4]), ("best", [4, 2])):
        calls.clear()
        unit = NetworkParameters.of(
            profile="custom", data="simulated", model="lstm", window=1, epochs=4, kept_epoch=kept
        )
        run_network(unit)
        assert [epochs for epochs, _ in calls] == expected
        for _, weights in calls[1:]:
            assert all(np.array_equal(one, other) for one, other in zip(weights, calls[0][1], strict=True))


@pytest.mark.slow
def test_best_epoch_forecasts_as_a_run_that_ends_with_it() -> None:
    load_keras()
    values = {"profile": "custom", "data": "simulated", "model": "lstm", "window": 1, "learning_rate": 0.05}
    unit = NetworkParameters.of(**values, epochs=8, kept_epoch="best")
    task = make_samples(unit)
    model, history = networks._trained(unit, task)
    best = int(np.argmin(history["val_loss"])) + 1
    assert len(history["val_loss"]) == best
    loss = model.evaluate(*task.validation, verbose=0)
    assert loss == pytest.approx(min(history["val_loss"]), rel=1e-4)
    assert best < 8
