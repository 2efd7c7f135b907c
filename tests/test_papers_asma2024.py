"""The rebuilt Asma & Aranas: networks by formula, units by slow loops, and nothing that sees what it forecasts."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from reproduce_lib import box_jenkins
from reproduce_lib.claims import load_claims
from reproduce_lib.data.catalogs import CATALOGUES, Catalogue, load_catalogue
from reproduce_lib.data.simulate import simulate_monthly_maxima
from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.asma2024 import arima as box_jenkins_arima
from reproduce_lib.papers.asma2024 import baselines, catalogues, networks
from reproduce_lib.papers.asma2024 import series as monthly_series
from reproduce_lib.papers.asma2024.arima import ArimaParameters, run_arima
from reproduce_lib.papers.asma2024.baselines import BaselineParameters, run_baseline
from reproduce_lib.papers.asma2024.catalogues import (
    PERIODS,
    AgreementParameters,
    CatalogueParameters,
    EarthquakeParameters,
    ObservationParameters,
    run_agreement,
    run_catalogue,
    run_earthquake,
    run_observation,
)
from reproduce_lib.papers.asma2024.honest_specifications import honest
from reproduce_lib.papers.asma2024.networks import CHOICES, MODELS, NetworkParameters, build_model, run_network
from reproduce_lib.papers.asma2024.paper import PAPER, SERIES, TEST_SHARES, multiverse, naive_unit, other_series
from reproduce_lib.papers.asma2024.series import EMPTY_MONTH, Series, SeriesParameters, load_series
from tests.support import PROJECT, load_keras

SOURCES = ("comcat", "comcat_m5", "phivolcs", "comcat_live", "simulated")
TARGETS = ("maximum", "mean", "mean_m5")
AREAS = ("whole", "luzon", "visayas", "mindanao")
SPANS = ("1979-11/2022-07", "2000-01/2022-07", "1979-11/2019-09", "2015-01/2022-07")
SHARES = (0, 10, 20, 30)
METHODS = ("mean", "median", "persistence")
MONTHS = 513  # 1979-11 to 2022-07
TRAINING = {0: 513, 10: 461, 20: 410, 30: 359}
# The 24 months of Table 2.
AHEAD = [f"{2022 + month // 12}-{month % 12 + 1:02}" for month in range(7, 31)]

Forecast = Callable[[Any], float]


def network(**values: Any) -> NetworkParameters:
    return NetworkParameters.of(**{"profile": "custom", "source": "simulated", "epochs": 1, **values})


def baseline(method: str, **values: Any) -> BaselineParameters:
    return BaselineParameters.of(**{"profile": "custom", "source": "simulated", "method": method, **values})


def arima(**values: Any) -> ArimaParameters:
    return ArimaParameters.of(**{"profile": "custom", "source": "simulated", **values})


def numbers(metrics: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not isinstance(value, str)}


def use_values(monkeypatch: pytest.MonkeyPatch, values: Any) -> None:
    """Let every unit read these monthly magnitudes."""
    months = np.datetime64("1979-11", "M") + np.arange(len(values))
    given = Series(months, np.array(values, dtype=float), 0, {"f": "0"})
    for module in (networks, box_jenkins_arima, baselines):
        monkeypatch.setattr(module, "load_series", lambda parameters: given)


# Networks


@cache
def built(**values: Any) -> Any:
    load_keras()
    return build_model(network(**values))


def output(inputs: int) -> int:
    return inputs + 1


def weights_by_hand(model: str, window: int, width: int) -> int:
    convolution = 3 * width + width
    return {
        "linear": output(window),
        "dnn": (window + 1) * width + (width + 1) * width + output(width),
        "rnn": width * (width + 1 + 1) + output(width),
        "lstm": 4 * width * (width + 1 + 1) + output(width),
        "cnn": convolution + output(window * width),
        "cnn_lstm": convolution + 4 * width * (width + width + 1) + output(width),
    }[model]


@pytest.mark.parametrize(("window", "width"), [(12, 64), (5, 3)])
@pytest.mark.parametrize("model", MODELS)
def test_network_has_the_weights_and_shapes_of_its_layers(model: str, window: int, width: int) -> None:
    found = built(model=model, window=window, width=width)
    assert found.count_params() == weights_by_hand(model, window, width)
    assert (found.input_shape, found.output_shape) == ((None, window, 1), (None, 1))


def test_weights_of_the_reference_add_up_to_these_numbers() -> None:
    assert [weights_by_hand(model, 12, 64) for model in MODELS] == [13, 5_057, 4_289, 16_961, 1_025, 33_345]


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def convolved(values: Any, filters: Any, offset: Any) -> Any:
    """Convolve three months at a time: the month itself and the two before it, of which the first have none."""
    padded = np.concatenate([np.zeros((2, 1)), values])
    sums = [sum(padded[month + back] @ filters[back] for back in range(3)) for month in range(len(values))]
    return np.maximum(np.array(sums) + offset, 0)


def recurrent(model: str, values: Any, inputs: Any, states: Any, offset: Any) -> Any:
    """Return the state after the last month of a plain recurrent layer, or of an LSTM."""
    state = cell = np.zeros(len(states))
    for value in values:
        total = value @ inputs + state @ states + offset
        if model == "rnn":
            state = np.tanh(total)
            continue
        entering, keeping, candidate, leaving = np.split(total, 4)
        cell = sigmoid(keeping) * cell + sigmoid(entering) * np.tanh(candidate)
        state = sigmoid(leaving) * np.tanh(cell)
    return state


def forward(model: str, weights: list[Any], window: Any) -> float:
    """Compute a network's forecast after one window from its weights, month by month."""
    *inner, kernel, constant = (np.asarray(one, dtype=float) for one in weights)
    values = np.asarray(window, dtype=float)[:, None]
    if model.startswith("cnn"):
        values, inner = convolved(values, *inner[:2]), inner[2:]
    if model in ("rnn", "lstm", "cnn_lstm"):
        hidden = recurrent(model, values, *inner)
    else:
        hidden = values.reshape(-1)
        for first, second in zip(inner[::2], inner[1::2], strict=True):
            hidden = np.maximum(hidden @ first + second, 0)
    return float((hidden @ kernel + constant)[0])


@pytest.mark.parametrize("model", MODELS)
def test_network_computes_what_its_layers_say(model: str) -> None:
    random = np.random.default_rng(1)
    found = built(model=model, window=5, width=3)
    weights = [random.normal(scale=0.7, size=one.shape).astype(np.float32) for one in found.get_weights()]
    found.set_weights(weights)
    windows = random.normal(size=(20, 5)).astype(np.float32)
    expected = [forward(model, weights, window) for window in windows]
    np.testing.assert_allclose(np.asarray(found(windows[..., None]))[:, 0], expected, atol=1e-5)
    assert np.ptp(expected) > 0.05


def test_convolution_sees_a_month_and_the_two_before_it() -> None:
    layer = built(model="cnn", window=12, width=64).layers[0]
    values = np.random.default_rng(2).normal(size=(1, 12, 1)).astype(np.float32)
    before = np.asarray(layer(values))[0]
    for month in range(12):
        changed = values.copy()
        changed[0, month] += 5
        moved = np.flatnonzero((np.asarray(layer(changed))[0] != before).any(axis=1))
        assert moved.tolist() == [later for later in range(month, month + 3) if later < 12]


# Series

SMALL_EVENTS = [
    # time, latitude, longitude, magnitude
    ("2015-01-31T23:59:59Z", 7.0, 125.0, 5.0),
    ("2015-01-02", 7.0, 125.0, 4.0),
    ("2015-02-10", 15.0, 121.0, 6.0),
    ("2015-02-11", 7.0, 125.0, 4.5),
    ("2015-02-12", 7.0, 140.0, 8.0),  # outside of the Philippines
    ("2014-12-31", 7.0, 125.0, 8.5),  # before the first month
    ("2022-07-31", 10.0, 123.0, 5.5),
    ("2022-08-01", 7.0, 125.0, 7.5),  # after the last month
]


def catalogue(events: Any = SMALL_EVENTS, name: str = "phivolcs", left_out: int = 2) -> Catalogue:
    frame = pd.DataFrame(events, columns=["time", "latitude", "longitude", "magnitude"])
    frame["time"] = pd.to_datetime(frame["time"], utc=True, format="ISO8601")
    return Catalogue(name, frame.sort_values("time", ignore_index=True), 1.0, left_out, {f"{name}.csv": "0"})


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ({}, {0: 5.0, 1: 6.0, 90: 5.5}),
        ({"target": "mean"}, {0: 4.5, 1: 5.25, 90: 5.5}),
        ({"area": "luzon"}, {1: 6.0}),
        ({"area": "visayas", "target": "mean"}, {90: 5.5}),
        ({"area": "mindanao"}, {0: 5.0, 1: 4.5}),
    ],
)
def test_series_holds_its_months_and_area_and_fills_empty_months(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], known: dict[int, float]
) -> None:
    monkeypatch.setattr(monthly_series, "load_catalogue", lambda name: catalogue(name=name))
    series = load_series(SeriesParameters.of(source="phivolcs", span="2015-01/2022-07", **values))
    empty = EMPTY_MONTH["phivolcs"]
    assert (str(series.months[0]), str(series.months[-1]), len(series.months)) == ("2015-01", "2022-07", 91)
    assert series.values.tolist() == [known.get(month, empty) for month in range(91)]
    assert (series.empty, series.files) == (91 - len(known), {"phivolcs.csv": "0"})


def test_live_series_asks_for_its_months_and_area(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def query(*arguments: Any) -> Catalogue:
        asked.extend(arguments)
        return catalogue([("2016-05-05", 15.0, 121.0, 6.5)], "comcat_live")

    monkeypatch.setattr(monthly_series, "query_catalogue", query)
    unit = SeriesParameters.of(profile="custom", source="comcat_live", area="luzon", span="2015-01/2022-07")
    series = load_series(unit)
    box, begin, end, smallest = asked
    assert (box.south, box.north, box.west, box.east) == pytest.approx((12.5, 19.05, 117.0, 130.0))
    assert (begin, end, smallest) == (datetime(2015, 1, 1), datetime(2022, 8, 1), 3.0)
    assert np.flatnonzero(series.values == 6.5).tolist() == [16]
    assert (len(series.values), series.empty) == (91, 90)


@pytest.mark.parametrize(("span", "months"), [*zip(SPANS, (513, 271, 479, 91), strict=True)])
def test_simulated_series_is_as_long_as_its_span(span: str, months: int) -> None:
    series = load_series(SeriesParameters.of(profile="smoke", source="simulated", span=span))
    assert len(series.months) == len(series.values) == months
    assert (f"{series.months[0]}/{series.months[-1]}", series.empty, series.files) == (span, 0, {})


@pytest.mark.parametrize("share", SHARES)
def test_held_out_months_are_the_last_ones(share: int) -> None:
    assert load_series(network()).training_months(share) == TRAINING[share]


# Units, by slow loops


class WeightedSum:
    """A network whose one layer is known: a weight for each month of its window, and a constant."""

    def __init__(self, window: int, scale: float = 0.6) -> None:
        self.weights = np.random.default_rng(window).normal(size=window)
        self.weights *= scale / np.abs(self.weights).sum()
        self.constant = 0.3

    def after(self, window: Any) -> float:
        return float(self.constant + sum(one * value for one, value in zip(self.weights, window, strict=True)))

    def predict_on_batch(self, inputs: Any) -> Any:
        with np.errstate(over="ignore"):
            return np.array([[self.after(window)] for window in inputs[..., 0]], dtype=np.float32)


@pytest.fixture
def known_network(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the networks by a weighted sum that is not trained, and remember what it was to be trained on.

    The series has its smallest and its largest magnitude among the months held out.
    """
    seen: dict[str, Any] = {}

    def simulate(seed: int, months: int) -> Any:
        return np.concatenate([simulate_monthly_maxima(seed, months)[:-2], [3.9, 8.8]])

    def train(model: Any, training: Any, validation: Any, **options: Any) -> dict[str, list[float]]:
        seen.update(training=training, validation=validation, options=options)
        return {"loss": [0.5, 0.25], "val_loss": [0.75, 0.125]}

    monkeypatch.setattr(monthly_series, "simulate_monthly_maxima", simulate)
    monkeypatch.setattr(networks, "start_afresh", lambda seed: seen.update(seed=seed))
    monkeypatch.setattr(networks, "build_model", lambda parameters: WeightedSum(parameters.window))
    monkeypatch.setattr(networks, "train", train)
    return seen


def extremes(values: Any, unit: NetworkParameters) -> tuple[float, float]:
    """Return what becomes 0 and what becomes 1."""
    if unit.scaling == "none":
        return 0.0, 1.0
    seen = values[: TRAINING[unit.test_share]] if unit.scaling == "train" else values
    return min(seen), max(seen)


def forecasts_by_hand(values: Any, unit: NetworkParameters, after: Forecast) -> Any:
    """Return functions of first and last month: the one-step and the recursive forecasts, in magnitudes."""
    low, high = extremes(values, unit)
    scaled = [(value - low) / (high - low) for value in values]

    def one_step(start: int, stop: int) -> list[float]:
        return [low + (high - low) * after(scaled[month - unit.window : month]) for month in range(start, stop)]

    def recursive(start: int, stop: int) -> list[float]:
        known = scaled[:start]
        for _ in range(start, stop):
            magnitude = low + (high - low) * after(known[-unit.window :])
            known.append((min(max(magnitude, 0.0), 10.0) - low) / (high - low))
        return [low + (high - low) * value for value in known[start:]]

    return one_step, recursive


def distance(truth: Any, forecast: Any) -> float:
    return float(sum(abs(one - other) for one, other in zip(truth, forecast, strict=True)) / len(truth))


def scored_by_hand(values: Any, unit: NetworkParameters, after: Forecast) -> dict[str, tuple[Any, list[float]]]:
    """Return for each error the true magnitudes and their forecasts."""
    one_step, recursive = forecasts_by_hand(values, unit, after)
    training = TRAINING[unit.test_share]
    held_out, trained_on = (training, len(values)), (unit.window, training)
    return {
        name: (values[slice(*months)], forecast(*months))
        for name, forecast, months in (
            ("mae", one_step, held_out),
            ("mae_recursive", recursive, held_out),
            ("mae_in_sample", one_step, trained_on),
            ("mae_in_sample_recursive", recursive, trained_on),
        )
    }


def errors_by_hand(values: Any, unit: NetworkParameters, after: Forecast) -> dict[str, float]:
    return {name: distance(*scored) for name, scored in scored_by_hand(values, unit, after).items()}


UNITS = [
    *product((12,), (10, 20, 30), ("train", "none", "all")),
    *product((2, 6, 24, 60), (20,), ("train",)),
]


@pytest.mark.parametrize(("window", "share", "scaling"), UNITS)
def test_errors_are_those_of_a_slow_loop(known_network: Any, window: int, share: int, scaling: str) -> None:
    unit = network(window=window, test_share=share, scaling=scaling)
    values = load_series(unit).values
    found = run_network(unit)
    expected = errors_by_hand(values, unit, WeightedSum(window).after)
    assert {name: found.metrics[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert found.n == MONTHS - TRAINING[share]
    assert found.metrics["training_loss"] == 0.25


@pytest.mark.parametrize("share", [10, 30])
def test_forecast_is_tested_against_the_mean_of_the_months_before(known_network: Any, share: int) -> None:
    unit = network(test_share=share)
    values, start = load_series(unit).values, TRAINING[share]
    one_step, _ = forecasts_by_hand(values, unit, WeightedSum(12).after)
    losses = np.abs(one_step(start, MONTHS) - values[start:]) - np.abs(values[:start].mean() - values[start:])
    expected = stats.ttest_1samp(losses, 0)
    found = run_network(unit).metrics
    assert found["dm_statistic"] == pytest.approx(expected.statistic, rel=1e-4)
    assert found["dm_p_value"] == pytest.approx(expected.pvalue, rel=1e-3)


@pytest.mark.parametrize(("window", "share", "scaling"), [*UNITS, (12, 0, "train"), (6, 0, "none")])
def test_each_window_is_followed_by_the_month_that_it_forecasts(
    known_network: Any, window: int, share: int, scaling: str
) -> None:
    unit = network(window=window, test_share=share, scaling=scaling)
    values = load_series(unit).values
    run_network(unit)
    low, high = extremes(values, unit)
    scaled = (values - low) / (high - low)
    check_pairs(known_network["training"], scaled, range(window, TRAINING[share]), window)
    assert known_network["validation"] is None


def check_pairs(pairs: Any, scaled: Any, months: range, window: int) -> None:
    inputs, targets = pairs
    np.testing.assert_allclose(targets, scaled[list(months), None], atol=1e-6)
    brute = [[[scaled[month - back]] for back in range(window, 0, -1)] for month in months]
    np.testing.assert_allclose(inputs, brute, atol=1e-6)


def test_held_out_months_are_scored_after_each_epoch_in_the_reference_setting(
    known_network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = simulate_monthly_maxima(5, MONTHS)
    use_values(monkeypatch, values)
    run_network(NetworkParameters.of())
    low, high = values[:410].min(), values[:410].max()
    check_pairs(known_network["validation"], (values - low) / (high - low), range(410, MONTHS), 12)


def test_networks_are_trained_as_the_decisions_say(known_network: Any) -> None:
    run_network(network(epochs=7))
    options = known_network["options"]
    assert (options["epochs"], options["batch_size"], options["learning_rate"]) == (7, 32, 0.001)
    assert options["loss"] in ("mae", "mean_absolute_error")
    seeds = {}
    for seed in (0, 1):
        run_network(network(seed=seed))
        seeds[seed] = known_network["seed"]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize(("limits", "held"), [((-9.0, 9.0), False), ((0.28, 0.31), True)])
@pytest.mark.parametrize("steps", [1, 3, 30])
def test_each_recursive_forecast_becomes_an_input_of_the_next(
    steps: int, limits: tuple[float, float], held: bool
) -> None:
    model, (low, high) = WeightedSum(5), limits
    starts = np.random.default_rng(3).normal(size=(2, 5)).astype(np.float32)
    found = networks._recursive(model, starts, steps, np.array(limits))
    assert found.shape == (2, steps)
    for start, row in zip(starts, found, strict=True):
        known = start.tolist()
        for _ in range(steps):
            known.append(min(max(model.after(known[-5:]), low), high))
        np.testing.assert_allclose(row, known[5:], rtol=1e-5)
    assert bool(np.isin(found, np.array(limits, dtype=np.float32)).any()) is held


@pytest.mark.parametrize("scaling", ["train", "none"])
@pytest.mark.parametrize("growth", [2.0, 40.0])
def test_recursion_that_runs_away_is_held_at_magnitudes_that_can_be(
    known_network: Any, monkeypatch: pytest.MonkeyPatch, growth: float, scaling: str
) -> None:
    class Runaway(WeightedSum):
        def after(self, window: Any) -> float:
            return float(growth * window[-1] + 0.1)

    monkeypatch.setattr(networks, "build_model", lambda parameters: Runaway(parameters.window))
    unit = network(window=2, scaling=scaling)
    values = load_series(unit).values
    expected = errors_by_hand(values, unit, Runaway(2).after)
    found = run_network(unit).metrics
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert expected["mae_recursive"] < expected["mae_in_sample_recursive"] + 1 < 10
    ahead = numbers(run_network(unit.with_values(test_share=0)).metrics)
    assert ahead["magnitude[2024-07]"] == ahead["magnitude[highest]"] == pytest.approx(10)


def test_forecast_sees_no_month_but_those_of_its_window(known_network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = simulate_monthly_maxima(5, MONTHS)
    use_values(monkeypatch, values)
    before = run_network(NetworkParameters.of()).arrays["forecast"]
    for month in (410, 450, 512):
        changed = values.copy()
        changed[month] += 1.0
        use_values(monkeypatch, changed)
        moved = np.flatnonzero(run_network(NetworkParameters.of()).arrays["forecast"] != before) + 410
        assert moved.tolist() == [later for later in range(month + 1, month + 13) if later < MONTHS]


@pytest.mark.parametrize("window", [2, 12, 24])
def test_without_months_held_out_the_months_of_table_2_are_forecast(known_network: Any, window: int) -> None:
    unit = network(window=window, test_share=0)
    found = run_network(unit)
    values = load_series(unit).values
    _, recursive = forecasts_by_hand(values, unit, WeightedSum(window).after)
    expected = recursive(MONTHS, MONTHS + 24)
    assert list(found.metrics) == [f"magnitude[{name}]" for name in (*AHEAD, "highest")]
    assert list(found.metrics.values()) == pytest.approx([*expected, max(expected)], rel=1e-5)
    assert (found.n, found.arrays) == (24, {})


def test_reference_alone_keeps_forecasts_and_curves(known_network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use_values(monkeypatch, simulate_monthly_maxima(4, MONTHS))
    kept = run_network(NetworkParameters.of(model="cnn", seed=3)).arrays
    assert kept["forecast"].shape == (MONTHS - 410,)
    assert (kept["loss"].tolist(), kept["val_loss"].tolist()) == ([0.5, 0.25], [0.75, 0.125])
    for values in ({"window": 6}, {"test_share": 10}, {"test_share": 0}, {"scaling": "all"}, {"profile": "custom"}):
        assert run_network(NetworkParameters.of(**values)).arrays == {}


def test_units_keep_what_was_read(known_network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 0)
    use_values(monkeypatch, simulate_monthly_maxima(4, 120))
    for share in (20, 0):
        found = [
            run_network(network(test_share=share)),
            run_arima(arima(test_share=share)),
            *(run_baseline(baseline(method, test_share=share)) for method in METHODS),
        ]
        assert [one.data for one in found] == [{"f": "0"}] * 5


# Units that train


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Remember the networks that are built from here on."""
    load_keras()
    models: list[Any] = []

    def build(parameters: NetworkParameters) -> Any:
        models.append(build_model(parameters))
        return models[-1]

    monkeypatch.setattr(networks, "build_model", build)
    return models


SMOKE = [unit for unit in PAPER.experiments["networks"].smoke() if isinstance(unit, NetworkParameters)]
# Another share, scaling and window than the smoke units have, and more than one epoch.
BRIEF = network(model="cnn", window=5, width=4, test_share=30, scaling="all", epochs=2)


def longest(unit: NetworkParameters) -> bool:
    """Tell which units are left to the slow tests: of each way to end one, and of each network, one stays."""
    return (unit.model in ("rnn", "cnn_lstm")) is (unit.test_share > 0)


def parameters_of_trained() -> list[Any]:
    return [
        pytest.param(unit, marks=pytest.mark.slow if longest(unit) else (), id=unit.label) for unit in (*SMOKE, BRIEF)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("unit", parameters_of_trained())
def test_trained_network_scores_as_its_weights_do_by_hand(trained: Any, unit: NetworkParameters) -> None:
    found = run_network(unit)
    (model,) = trained
    values, weights = load_series(unit).values, model.get_weights()

    def after(window: Any) -> float:
        return forward(unit.model, weights, window)

    if unit.test_share:
        scored = scored_by_hand(values, unit, after)
        # A recursion that runs away does so from the smallest rounding on.
        tame = {name: one for name, one in scored.items() if min(one[1]) > 0 and max(one[1]) < 10}
        expected = {name: distance(*one) for name, one in tame.items()}
        assert {"mae", "mae_in_sample"} <= set(expected)
        assert found.n == MONTHS - TRAINING[unit.test_share]
    else:
        ahead = forecasts_by_hand(values, unit, after)[1](MONTHS, MONTHS + 24)
        expected = {f"magnitude[{name}]": value for name, value in zip(AHEAD, ahead, strict=True)}
        expected["magnitude[highest]"] = max(ahead)
    assert all(math.isfinite(value) for value in numbers(found.metrics).values())
    assert {name: found.metrics[name] for name in expected} == pytest.approx(expected, rel=2e-3)


@pytest.mark.slow
@pytest.mark.networks
def test_training_moves_every_network(trained: Any) -> None:
    unit = network(model="cnn", window=5, width=4, test_share=30, epochs=2)
    run_network(unit)
    run_network(unit.with_values(epochs=3))
    first, second = (model.get_weights() for model in trained)
    assert all((one != other).any() for one, other in zip(first, second, strict=True))


def altered(values: Any, month: int, by: float) -> Any:
    changed = values.copy()
    changed[month:] += by
    return changed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scaling", "moved"), [("train", False), ("none", False), ("all", True)], ids=["train", "none", "all"]
)
def test_nothing_that_trains_depends_on_the_months_held_out_unless_all_are_scaled_together(
    trained: Any, monkeypatch: pytest.MonkeyPatch, scaling: str, moved: bool
) -> None:
    values = simulate_monthly_maxima(6, 80)
    unit = network(model="dnn", window=6, width=4, scaling=scaling)
    found = []
    for series in (values, altered(values, 64, 3.0)):
        use_values(monkeypatch, series)
        found.append(run_network(unit).metrics)
    first, second = (model.get_weights() for model in trained)
    assert any((one != other).any() for one, other in zip(first, second, strict=True)) is moved
    for name in ("training_loss", "mae_in_sample", "mae_in_sample_recursive"):
        assert (found[0][name] != found[1][name]) is moved
    assert found[0]["mae"] != found[1]["mae"]


@pytest.mark.slow
def test_same_unit_twice_in_one_process_measures_the_same_bits(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use_values(monkeypatch, simulate_monthly_maxima(7, 80))
    unit = network(model="cnn", window=6, width=4, test_share=30, scaling="all", epochs=2)
    first, other, again = (run_network(one) for one in (unit, unit.with_values(seed=1), unit))
    assert first.metrics == again.metrics
    assert other.metrics["mae"] != first.metrics["mae"]


# Without a network

SMALL = [5.0, 6.0, 5.5, 7.0, 5.0, 5.2, 6.1, 5.4, 5.8, 6.6]


@pytest.mark.parametrize(
    ("method", "share", "errors"),
    [
        # 8 months known: mean 5.65, median 5.45, last 5.4; months held out 5.8, 6.6
        ("mean", 20, [(0.15 + 0.95) / 2] * 2),
        ("median", 20, [(0.35 + 1.15) / 2] * 2),
        ("persistence", 20, [(0.4 + 0.8) / 2, (0.4 + 1.2) / 2]),
        # 7 months known: mean 39.8 / 7, median 5.5, last 6.1; months held out 5.4, 5.8, 6.6
        ("mean", 30, [(39.8 / 7 - 5.4 + 5.8 - 39.8 / 7 + 6.6 - 39.8 / 7) / 3] * 2),
        ("median", 30, [(0.1 + 0.3 + 1.1) / 3] * 2),
        ("persistence", 30, [(0.7 + 0.4 + 0.8) / 3, (0.7 + 0.3 + 0.5) / 3]),
        # 9 months known: mean 51 / 9, median 5.5, last 5.8; month held out 6.6
        ("mean", 10, [6.6 - 51 / 9] * 2),
        ("median", 10, [1.1] * 2),
        ("persistence", 10, [0.8] * 2),
    ],
)
def test_baselines_by_hand(monkeypatch: pytest.MonkeyPatch, method: str, share: int, errors: list[float]) -> None:
    use_values(monkeypatch, SMALL)
    monkeypatch.setattr(baselines, "IN_SAMPLE_FROM", 1)
    found = run_baseline(baseline(method, test_share=share))
    assert [found.metrics["mae"], found.metrics["mae_recursive"]] == pytest.approx(errors)
    known = SMALL[: 10 - share // 10]
    assert found.n == 10 - len(known)
    constant = {"mean": np.mean(known), "median": np.median(known), "persistence": known[-1]}[method]
    constants = distance(known[1:], [known[0] if method == "persistence" else constant] * (len(known) - 1))
    one_step = np.mean([abs(two - one) for one, two in pairwise(known)]) if method == "persistence" else constants
    in_sample = [found.metrics["mae_in_sample"], found.metrics["mae_in_sample_recursive"]]
    assert in_sample == pytest.approx([one_step, constants])


@pytest.mark.parametrize("share", [20, 0])
def test_least_squares_is_the_regression_of_scikit_learn(monkeypatch: pytest.MonkeyPatch, share: int) -> None:
    values = simulate_monthly_maxima(5, 200)
    use_values(monkeypatch, values)
    found = run_baseline(baseline("least_squares", test_share=share)).metrics
    start = 200 - 200 * share // 100
    rows = np.array([values[month - 12 : month] for month in range(12, start)])
    fitted = LinearRegression().fit(rows, values[12:start])

    def recursive(known: list[float], steps: int) -> list[float]:
        for _ in range(steps):
            known = [*known, float(fitted.predict([known[-12:]])[0])]
        return known[-steps:]

    if share == 0:
        assert [found[f"magnitude[{name}]"] for name in AHEAD] == pytest.approx(recursive([*values], 24))
        return
    one_step = fitted.predict([values[month - 12 : month] for month in range(start, 200)])
    assert found["mae"] == pytest.approx(distance(values[start:], one_step))
    assert found["mae_recursive"] == pytest.approx(distance(values[start:], recursive([*values[:start]], 200 - start)))
    assert found["mae_in_sample"] == pytest.approx(distance(values[12:start], fitted.predict(rows)))


@pytest.mark.parametrize(("method", "value"), [("mean", 5.76), ("median", 5.65), ("persistence", 6.6)])
def test_baselines_forecast_the_months_of_table_2(monkeypatch: pytest.MonkeyPatch, method: str, value: float) -> None:
    use_values(monkeypatch, SMALL)
    found = run_baseline(baseline(method, test_share=0))
    assert list(found.metrics) == [f"magnitude[{name}]" for name in (*AHEAD, "highest")]
    assert list(found.metrics.values()) == pytest.approx([value] * 25)
    assert found.n == 24


def walk(seed: int = 3, months: int = 100) -> Any:
    return 6 + np.cumsum(np.random.default_rng(seed).normal(scale=0.1, size=months))


def persistent(seed: int = 1, months: int = 200) -> Any:
    """Return a series each of whose values keeps most of the deviation of the one before."""
    values = [5.5]
    for step in np.random.default_rng(seed).normal(scale=0.2, size=months - 1):
        values.append(5.5 + 0.7 * (values[-1] - 5.5) + step)
    return np.array(values)


@pytest.mark.parametrize("share", [10, 20, 30])
def test_arima_without_terms_repeats_the_month_before(monkeypatch: pytest.MonkeyPatch, share: int) -> None:
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 0)
    values = walk()
    use_values(monkeypatch, values)
    found = run_arima(arima(test_share=share))
    start = 100 - share
    expected = {
        "mae": distance(values[start:], values[start - 1 : -1]),
        "mae_recursive": distance(values[start:], [values[start - 1]] * share),
        # The first year starts the networks, so no model is scored on it.
        "mae_in_sample": distance(values[12:start], values[11 : start - 1]),
        "mae_in_sample_recursive": distance(values[12:start], [values[11]] * (start - 12)),
    }
    assert found.metrics["order"] == "(0, 1, 0)"
    assert {name: found.metrics[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert found.n == share
    losses = np.abs(np.diff(values)[start - 1 :]) - np.abs(values[:start].mean() - values[start:])
    assert found.metrics["dm_statistic"] == pytest.approx(stats.ttest_1samp(losses, 0).statistic, rel=1e-5)


def test_arima_of_a_persistent_series_is_its_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    from statsmodels.tsa.arima.model import ARIMA

    values = persistent()
    use_values(monkeypatch, values)
    monkeypatch.setattr(
        box_jenkins_arima, "choose_arima", lambda history: box_jenkins.estimate_arima(history, (1, 0, 0))
    )
    found = run_arima(arima()).metrics
    fitted = ARIMA(values[:160], order=(1, 0, 0)).fit()
    mean, strength = fitted.params[:2]

    def one_step(start: int, stop: int) -> Any:
        return mean + strength * (values[start - 1 : stop - 1] - mean)

    def recursive(start: int, stop: int) -> Any:
        return mean + strength ** np.arange(1, stop - start + 1) * (values[start - 1] - mean)

    expected = {
        "mae": distance(values[160:], one_step(160, 200)),
        "mae_recursive": distance(values[160:], recursive(160, 200)),
        "mae_in_sample": distance(values[12:160], one_step(12, 160)),
        "mae_in_sample_recursive": distance(values[12:160], recursive(12, 160)),
        "jarque_bera_p_value": stats.jarque_bera(fitted.resid[1:]).pvalue,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    unit_root, stationary = box_jenkins.stationarity_p_values(values[:160])
    assert (found["adf_p_value"], found["kpss_p_value"]) == (unit_root, stationary)
    ahead = run_arima(arima(test_share=0))
    whole = ARIMA(values, order=(1, 0, 0)).fit()
    last = [whole.params[0] + whole.params[1] ** step * (values[-1] - whole.params[0]) for step in range(1, 25)]
    assert [ahead.metrics[f"magnitude[{name}]"] for name in AHEAD] == pytest.approx(last, rel=1e-6)
    assert ahead.metrics["magnitude[highest]"] == max(ahead.metrics[f"magnitude[{name}]"] for name in AHEAD)
    assert ahead.n == 24
    assert "mae" not in ahead.metrics


def test_arima_is_chosen_and_estimated_without_the_months_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 1)
    values = persistent(2, 100)
    found = []
    for series in (values, altered(values, 80, 2.0)):
        use_values(monkeypatch, series)
        found.append(run_arima(arima()).metrics)
    blind = set(found[0]) - {"mae", "mae_recursive", "dm_statistic", "dm_p_value"}
    assert {"order", "mae_in_sample", "adf_p_value", "ljung_box_p_value[12]"} <= blind
    assert [found[0][name] for name in blind] == [found[1][name] for name in blind]
    assert found[0]["mae"] != found[1]["mae"]


def test_arima_that_is_the_mean_is_not_told_apart_from_it_by_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 0)
    for seed in range(3):
        use_values(monkeypatch, np.random.default_rng(seed).normal(5.5, 0.5, size=200))
        found = run_arima(arima()).metrics
        assert found["order"] == "(0, 0, 0)"
        assert found["mae"] == pytest.approx(run_baseline(baseline("mean")).metrics["mae"], rel=1e-4)
        assert numbers(found).get("dm_p_value", 1.0) > 0.99


# The naive forecast


def test_naive_unit_is_the_mean_on_the_same_series_and_months() -> None:
    shared = ("profile", "source", "target", "area", "span", "test_share")
    for unit in (*PAPER.full_units(), *SMOKE, network(window=6, seed=3), arima(test_share=30)):
        naive = naive_unit(unit)
        if not isinstance(unit, NetworkParameters | ArimaParameters):
            assert naive is None
            continue
        assert naive is not None
        assert (naive.method, naive.seed) == ("mean", 0)
        assert [getattr(naive, name) for name in shared] == [getattr(unit, name) for name in shared]


def test_networks_arima_and_naive_forecast_the_same_months(known_network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_jenkins, "LARGEST_ORDER", 1)
    for share in SHARES[1:]:
        units = (network(test_share=share), network(test_share=share, window=24), arima(test_share=share))
        naive = run_baseline(baseline("mean", test_share=share))
        assert {naive_unit(unit) for unit in units} == {baseline("mean", test_share=share)}
        assert {run_network(unit).n for unit in units[:2]} == {run_arima(units[2]).n} == {naive.n}


def test_every_unit_that_forecasts_has_its_naive_forecast_in_the_recorded_set() -> None:
    full = PAPER.full_units()
    recorded = {unit.key for unit in full}
    naive = [one for one in map(naive_unit, full) if one is not None]
    assert len(naive) == RECORDED_NETWORKS + SPLIT_SERIES
    assert {one.key for one in naive} <= recorded


# Parameters


def rules_broken(values: dict[str, Any]) -> list[list[str]]:
    """Return, for each rule that a series breaks, the words that name what would be allowed."""
    source, small = values["source"], values["target"] == "mean" or values["area"] != "whole"
    rules = [
        (values["profile"] == "full" and source in ("comcat_live", "simulated"), ["custom", "'comcat'", "'phivolcs'"]),
        (source == "phivolcs" and values["span"] != "2015-01/2022-07", ["2015-01/2022-07"]),
        (source == "comcat" and small and values["span"] != "1979-11/2019-09", ["1979-11/2019-09"]),
        (source == "comcat_m5" and small, ["maximum", "whole"]),
        (values["test_share"] == 0 and values["span"] == "1979-11/2019-09", ["2022-07"]),
    ]
    return [words for broken, words in rules if broken]


def every_series() -> Iterator[dict[str, Any]]:
    names = ("source", "target", "area", "span", "test_share", "profile")
    for values in product(SOURCES, TARGETS, AREAS, SPANS, SHARES, ("smoke", "full", "custom")):
        yield dict(zip(names, values, strict=True))


@pytest.mark.parametrize("parameters", [NetworkParameters, ArimaParameters, BaselineParameters])
def test_series_that_no_source_has_are_refused_with_what_is_allowed(parameters: Any) -> None:
    legal = 0
    for values in every_series():
        broken = rules_broken(values)
        if not broken:
            assert parameters.of(**values).model_dump().items() >= values.items()
            legal += 1
            continue
        with pytest.raises(ParameterError) as caught:
            parameters.of(**values)
        said = str(caught.value).replace(str(values), "")  # the values themselves are repeated in the message
        assert any(all(word in said for word in words) for words in broken), values
    # comcat: the whole's maximum, and its mean from M 5 on, on 4 spans, of which the one that ends in 2019 forecasts no
    # Table 2, and 10 small series on that one; comcat_m5: the first two; phivolcs: 12 series on one span; others: 12.
    large = 2 * (3 * 4 + 3)
    pinned = large + 10 * 3 + large + 12 * 4
    others = 2 * 12 * (3 * 4 + 3)
    assert legal == 3 * pinned + 2 * others


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", 7), ("window", 60), ("width", 32), ("width", 65), ("epochs", 1), ("epochs", 200)],
)
def test_full_refuses_what_is_not_declared_and_custom_takes_it(name: str, value: int) -> None:
    with pytest.raises(ParameterError) as caught:
        NetworkParameters.of(**{name: value})
    said = str(caught.value).replace(str({name: value}), "")
    assert all(word in said for word in (name, "custom", *map(str, CHOICES[name])))
    unit = NetworkParameters.of(profile="custom", **{name: value})
    assert unit.key != NetworkParameters.of(profile="custom").key
    for known in CHOICES[name]:
        assert getattr(NetworkParameters.of(**{name: known}), name) == known


@pytest.mark.parametrize(
    ("parameters", "values", "named"),
    [
        (NetworkParameters, {"scaling": "test"}, ["train", "none", "all"]),
        (NetworkParameters, {"profile": "custom", "scaling": "test"}, ["train", "none", "all"]),
        (NetworkParameters, {"model": "gru"}, list(MODELS)),
        (NetworkParameters, {"backend": "none"}, ["jax", "tensorflow"]),
        (NetworkParameters, {"test_share": 25}, ["0", "10", "20", "30"]),
        (NetworkParameters, {"source": "DATA CUBE"}, list(SOURCES)),
        (NetworkParameters, {"target": "median"}, list(TARGETS)),
        (NetworkParameters, {"area": "palawan"}, list(AREAS)),
        (NetworkParameters, {"span": "1979-11/2022-08"}, list(SPANS)),
        (NetworkParameters, {"profile": "custom", "window": 1}, ["window", "2"]),
        (NetworkParameters, {"profile": "custom", "window": 61}, ["window", "60"]),
        (NetworkParameters, {"profile": "custom", "width": 0}, ["width", "1"]),
        (NetworkParameters, {"profile": "custom", "epochs": 0}, ["epochs", "1"]),
        (NetworkParameters, {"window": "12"}, ["window"]),
        (NetworkParameters, {"method": "mean"}, ["method", "model"]),
        (BaselineParameters, {"method": "drift"}, list(METHODS)),
        (BaselineParameters, {"window": 12}, ["window", "method"]),
        (ArimaParameters, {"order": "(1, 1, 1)"}, ["order", "span"]),
        (CatalogueParameters, {"source": "simulated"}, list(CATALOGUES)),
        (CatalogueParameters, {"period": "1979-1989"}, list(PERIODS)),
        (AgreementParameters, {"second": "simulated"}, list(CATALOGUES)),
        (ObservationParameters, {"source": "simulated"}, list(CATALOGUES)),
    ],
)
def test_wrong_parameters_are_refused_with_the_allowed_ones(
    parameters: Any, values: dict[str, Any], named: list[str]
) -> None:
    with pytest.raises(ParameterError) as caught:
        parameters.of(**values)
    assert [word for word in named if word not in str(caught.value)] == []


# The recorded set

# Ten series with two shares held out, and with none the six that end before the months of Table 2;
# 3 windows, 2 widths (one for the linear model), 2 lengths, 3 scalings.
MULTIVERSE = 10 * 2 * (5 * 3 * 2 * 2 * 3 + 3 * 2 * 3) + 6 * (5 * 3 * 2 * 2 * 2 + 3 * 2 * 2)
# Ten seeds of six networks for each table, of which the first stands in the multiverse.
NETWORKS = MULTIVERSE + 2 * 9 * 6
# Each of 38 series with two shares held out, and those 24 with none that end before the months of Table 2: 6 of the
# ten, and of the others 8 of ComCat and 10 of PHIVOLCS. Networks have the reference setting on the others.
SPLIT_SERIES = 38 * 2 + 24
RECORDED_NETWORKS = NETWORKS + (28 * 2 + 18) * 6
VARIED = ("series", "test_share", "model", *CHOICES)
SERIES_FIELDS = ("source", "target", "area", "span")


@pytest.fixture(scope="module")
def universe() -> list[NetworkParameters]:
    return list(multiverse())


def series_of(unit: Any) -> tuple[Any, ...]:
    return tuple(getattr(unit, name) for name in SERIES_FIELDS)


def varied(unit: NetworkParameters) -> tuple[Any, ...]:
    return (series_of(unit), *(getattr(unit, name) for name in VARIED[1:]))


def test_multiverse_is_every_combination_once(universe: Any) -> None:
    assert len(universe) == MULTIVERSE == 4752
    assert len({unit.key for unit in universe}) == len({varied(unit) for unit in universe}) == MULTIVERSE
    assert {(unit.profile, unit.seed, unit.backend) for unit in universe} == {("full", 0, "jax")}
    assert Counter(unit.model for unit in universe) == {
        # 20 series and shares held out, and 6 with nothing held out, where one way of scaling is another's twin
        model: (20 * 36 + 6 * 24) // (2 if model == "linear" else 1)
        for model in MODELS
    }


def test_every_pair_of_choices_occurs_in_the_multiverse(universe: Any) -> None:
    levels = [sorted(set(column), key=str) for column in zip(*map(varied, universe), strict=True)]
    assert [len(values) for values in levels] == [10, 3, 6, 3, 2, 2, 3]
    before_table_2 = [series for series in levels[0] if series[3] != "1979-11/2019-09"]
    assert len(before_table_2) == 6
    impossible = {
        ("series", "test_share"): {(series, 0) for series in levels[0] if series not in before_table_2},
        ("model", "width"): {("linear", 16)},
        ("test_share", "scaling"): {(0, "all")},
    }
    for first, second in combinations(range(len(VARIED)), 2):
        found = {(unit[first], unit[second]) for unit in map(varied, universe)}
        possible = set(product(levels[first], levels[second]))
        assert found == possible - impossible.get((VARIED[first], VARIED[second]), set())


def test_every_series_that_the_catalogues_give_is_run_by_every_model_and_without_one(universe: Any) -> None:
    """PHIVOLCS has one span, ComCat one for small events and areas, and ComCat from M 5 has no areas."""
    whole = {("comcat", target, "whole", span) for target in ("maximum", "mean_m5") for span in SPANS}
    whole |= {("comcat_m5", target, "whole", span) for target in ("maximum", "mean_m5") for span in SPANS}
    deep = {("comcat", target, area, SPANS[2]) for target in TARGETS for area in AREAS if area != "whole"}
    phivolcs = {("phivolcs", target, area, SPANS[3]) for target in TARGETS for area in AREAS}
    every = whole | deep | phivolcs | {("comcat", "mean", "whole", SPANS[2])}
    assert len(every) == 38
    others = {tuple(SeriesParameters.of(**one).model_dump()[name] for name in SERIES_FIELDS) for one in other_series()}
    assert others == every - {series_of(unit) for unit in universe}
    by_kind: dict[Any, set[Any]] = defaultdict(set)
    for unit in PAPER.full_units():
        kind = getattr(unit, "model", getattr(unit, "method", unit.experiment))
        if isinstance(unit, SeriesParameters) and unit.test_share:
            by_kind[kind].add((series_of(unit), unit.test_share))
    assert {kind: len(found) for kind, found in by_kind.items()} == dict.fromkeys(
        (*MODELS, *baselines.METHODS, "arima"), 76
    )


def test_reference_stands_in_the_multiverse_for_every_network(universe: Any) -> None:
    reference = {"window": 12, "width": 64, "epochs": 100, "scaling": "train", "test_share": 20}
    for model in MODELS:
        unit = NetworkParameters.of(model=model)
        assert unit in universe
        assert unit.model_dump().items() >= reference.items()
        assert series_of(unit) == ("comcat", "maximum", "whole", "1979-11/2022-07")


def test_claims_list_the_readings_that_are_run(universe: Any) -> None:
    decisions = {one.parameter: one for one in load_claims("asma2024", PROJECT / "book" / "claims").decisions}
    fields = NetworkParameters.model_fields
    decided = {name: one for name, one in decisions.items() if name in fields}
    assert set(decided) == {*SERIES_FIELDS, "test_share", *CHOICES}
    declared = {name: {series.get(name, fields[name].default) for series in SERIES} for name in SERIES_FIELDS}
    declared |= {"test_share": set(TEST_SHARES), **{name: set(values) for name, values in CHOICES.items()}}
    run = {name: {getattr(unit, name) for unit in universe} for name in decided}
    run["test_share"].remove(0)  # no reading of Table 1, but the forecasts of Table 2
    for name, decision in decided.items():
        others = [reading.value for reading in decision.others]
        assert (type(decision.chosen), decision.chosen) == (type(fields[name].default), fields[name].default)
        assert len(others) == len(set(others))
        assert {decision.chosen, *others} == declared[name] == run[name]
        assert decision.chosen not in others


def test_reference_is_run_ten_times_for_each_table() -> None:
    networks = [unit for unit in PAPER.full_units() if isinstance(unit, NetworkParameters)]
    seeds = defaultdict(set)
    for unit in networks:
        if unit == NetworkParameters.of(model=unit.model, test_share=unit.test_share, seed=unit.seed):
            seeds[unit.model, unit.test_share].add(unit.seed)
    ten = set(range(10))
    assert {cell: found for cell, found in seeds.items() if cell[1] != 10} == dict.fromkeys(
        product(MODELS, (20, 0)), ten
    )


def test_recorded_set_has_each_unit_once() -> None:
    units = PAPER.full_units()
    counts = Counter(unit.experiment for unit in units)
    assert counts == {
        "networks": RECORDED_NETWORKS,
        "arima": SPLIT_SERIES,
        "baselines": 4 * SPLIT_SERIES,
        "catalogues": 3 * 6 + 1,
        "agreement": 3,
        "observations": 2 * 3,
        "earthquakes": 5,
    }
    assert len({unit.key for unit in units}) == len(units)
    assert all(unit.profile == "full" for unit in units)


def test_seeds_give_streams_of_their_own() -> None:
    networks = [unit for unit in PAPER.full_units() if isinstance(unit, NetworkParameters)]
    assert len({tuple(unit.random_seeds(1)) for unit in networks}) >= len(networks) - 1  # 32 bits may meet once


@pytest.mark.parametrize("name", ["networks", "arima", "baselines"])
def test_smoke_units_are_simulated_and_short(name: str) -> None:
    units = list(PAPER.experiments[name].smoke())
    assert units
    assert all(isinstance(unit, SeriesParameters) and unit.source == "simulated" for unit in units)
    assert {(unit.profile, getattr(unit, "epochs", 1)) for unit in units} == {("smoke", 1)}


@pytest.mark.parametrize("name", ["arima", "baselines"])
def test_smoke_units_without_a_network_run(name: str) -> None:
    experiment = PAPER.experiments[name]
    for unit in experiment.smoke():
        found = experiment.run(unit)
        assert 0 < numbers(found.metrics)["mae"] < 1
        assert found.n == MONTHS - TRAINING[20]


# Catalogues

COUNTED = [
    ("2015-01-05", 7.0, 125.0, 5.0),
    ("2015-03-05", 7.0, 125.0, 5.0),
    ("2015-03-09", 7.0, 125.0, 5.2),
    ("2016-05-05", 7.0, 125.0, 4.9),
    ("2020-01-01", 7.0, 125.0, 7.1),
]


def use_catalogues(monkeypatch: pytest.MonkeyPatch, **events: Any) -> None:
    monkeypatch.setattr(catalogues, "load_catalogue", lambda name: catalogue(events[name], name))


def test_catalogue_is_counted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    use_catalogues(monkeypatch, comcat=COUNTED)
    found = run_catalogue(CatalogueParameters.of(period="2010-2019"))
    assert found.metrics == {
        "events": 4.0,
        "first_month": "2015-01",
        "last_month": "2019-12",  # the catalogue goes on
        "empty_months": 60.0 - 3.0,
        "smallest_magnitude": 4.9,
        "completeness": pytest.approx(5.2),
    }
    assert (found.n, found.data, found.arrays) == (4, {"comcat.csv": "0"}, {})


def test_catalogue_of_all_years_keeps_how_many_events_have_which_size(monkeypatch: pytest.MonkeyPatch) -> None:
    use_catalogues(monkeypatch, comcat=COUNTED)
    found = run_catalogue(CatalogueParameters.of())
    assert (found.metrics["left_out"], found.metrics["last_month"]) == (2.0, "2020-01")
    arrays = found.arrays
    np.testing.assert_allclose(arrays["centres"], np.arange(49, 72) / 10, rtol=1e-6)
    expected = {4.9: 1, 5.0: 2, 5.2: 1, 7.1: 1}
    assert arrays["counts"].tolist() == [expected.get(tenths / 10, 0) for tenths in range(49, 72)]


def test_period_without_an_event_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    use_catalogues(monkeypatch, comcat=COUNTED)
    found = run_catalogue(CatalogueParameters.of(period="1975-1989"))
    assert (found.metrics, found.n, found.data) == ({"events": 0.0}, 0, {"comcat.csv": "0"})


def test_period_of_one_threshold_ends_with_its_last_month(monkeypatch: pytest.MonkeyPatch) -> None:
    use_catalogues(monkeypatch, comcat=[*COUNTED, ("2019-09-30", 7.0, 125.0, 5.5), ("2019-10-01", 7.0, 125.0, 5.6)])
    found = run_catalogue(CatalogueParameters.of(period="1979-11/2019-09"))
    assert (found.n, found.metrics["first_month"], found.metrics["last_month"]) == (5, "2015-01", "2019-09")
    assert found.arrays["counts"].sum() == 5
    assert found.arrays["centres"].max() == pytest.approx(5.5)


def test_all_islands_are_looked_up_in_the_larger_box(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def larger(name: str, box: Any) -> Catalogue:
        asked.append((name, box.north))
        return catalogue([("2022-08-05", 20.0, 122.0, 6.4)], name)

    monkeypatch.setattr(catalogues, "load_larger_events", larger)
    found = run_observation(ObservationParameters.of(source="comcat", extent="all_islands"))
    assert asked == [("comcat", 21.0)]
    assert found.metrics == {"magnitude[2022-08]": 6.4}
    assert found.arrays["month"][0] == (2015 - 1970) * 12 + 10


def test_earthquake_is_the_largest_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    days = ("1990-07-15T23:59:59", "1990-07-16T07:26:00", "1990-07-16T09:00:00", "1990-07-17T00:00:00")
    rows = [(day, 15.0, 121.0, magnitude) for day, magnitude in zip(days, (8.0, 7.7, 6.0, 8.1), strict=True)]
    use_catalogues(monkeypatch, comcat=rows, comcat_m5=[("1976-08-16T16:11:00", 6.3, 124.0, 8.0)])
    assert run_earthquake(EarthquakeParameters.of(earthquake="luzon_1990")).metrics == {"value": 7.7}
    assert run_earthquake(EarthquakeParameters.of(earthquake="moro_gulf_1976")).metrics == {"value": 8.0}


def test_month_of_table_2_without_an_event_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    use_catalogues(monkeypatch, comcat=[("2022-08-05", 7.0, 125.0, 5.0), ("2024-07-05", 7.0, 125.0, 6.0)])
    found = run_observation(ObservationParameters.of())
    assert found.metrics == {"magnitude[2022-08]": 5.0, "magnitude[2024-07]": 6.0}
    assert found.n == 2


def test_agreement_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    def events(*maxima: tuple[str, float]) -> Any:
        return [(f"{month}-15", 7.0, 125.0, magnitude) for month, magnitude in maxima]

    use_catalogues(
        monkeypatch,
        comcat=events(
            ("2022-04", 9.0), ("2022-05", 9.0), ("2022-06", 5.0), ("2022-07", 5.5), ("2022-09", 6.0), ("2023-01", 5.9)
        ),
        # The first month, which may have begun before, and what only one of them holds, are left out.
        phivolcs=events(("2022-05", 4.0), ("2022-06", 5.1), ("2022-07", 5.1), ("2022-09", 6.3), ("2024-08", 9.0)),
    )
    found = run_agreement(AgreementParameters.of())
    assert found.metrics == {
        "months": 3.0,
        "first_month": "2022-06",
        "mean_difference": pytest.approx(0.0, abs=1e-9),  # 0.1, -0.4 and 0.3
        "mean_absolute_difference": pytest.approx(0.8 / 3),
        "largest_difference": pytest.approx(0.4),
        "within_a_tenth": pytest.approx(1 / 3),
        "correlation": pytest.approx(stats.pearsonr([5.0, 5.5, 6.0], [5.1, 5.1, 6.3]).statistic),
        "mean_difference_of_the_forecast_months": pytest.approx(0.3),
        "mean_absolute_difference_of_the_forecast_months": pytest.approx(0.3),
    }
    assert (found.n, found.data) == (3, {"comcat.csv": "0", "phivolcs.csv": "0"})


def test_means_of_the_larger_events_are_kept_beside_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [("2022-08-05", 5.0), ("2022-08-06", 5.5), ("2022-08-07", 4.9), ("2022-09-05", 4.8), ("2022-10-05", 6.0)]
    use_catalogues(monkeypatch, comcat=[(day, 7.0, 125.0, magnitude) for day, magnitude in events])
    found = run_observation(ObservationParameters.of())
    first = (2022 - 1970) * 12 + 7 - found.arrays["month"][0]
    np.testing.assert_allclose(found.arrays["mean_m5"][first : first + 3], [5.25, np.nan, 6.0], rtol=1e-6)
    np.testing.assert_allclose(found.arrays["maximum"][first : first + 3], [5.5, 4.8, 6.0], rtol=1e-6)


def test_observations_are_the_largest_of_each_forecast_month(monkeypatch: pytest.MonkeyPatch) -> None:
    months = pd.period_range("2015-01", "2024-09", freq="M")
    events = [
        (f"{month}-{day}", 7.0, 125.0, 5 + i / 100 + day / 1000) for i, month in enumerate(months) for day in (10, 20)
    ]
    use_catalogues(monkeypatch, phivolcs=events)
    found = run_observation(ObservationParameters.of(source="phivolcs"))
    assert list(found.metrics) == [f"magnitude[{name}]" for name in AHEAD]
    assert list(found.metrics.values()) == pytest.approx([5.02 + i / 100 for i in range(91, 115)])
    np.testing.assert_allclose(found.arrays["maximum"], [5.02 + i / 100 for i in range(115)], rtol=1e-6)
    assert found.arrays["month"].tolist() == [(2015 - 1970) * 12 + i for i in range(115)]
    assert found.n == 24


# The catalogues themselves

# The package index carries this one, and may take its time.
PACKAGED = (pytest.mark.network, pytest.mark.slow)
ORIGINS = ["comcat", pytest.param("comcat_m5", marks=PACKAGED), "phivolcs"]

once = cache(load_catalogue)


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each catalogue for the first test only."""
    for module in (monthly_series, catalogues):
        monkeypatch.setattr(module, "load_catalogue", once)


def described(values: dict[str, Any]) -> Any:
    marks = PACKAGED if values.get("source") == "comcat_m5" else ()
    return pytest.param(values, marks=marks, id=" ".join(values.values()) or "reference")


@pytest.mark.data
@pytest.mark.parametrize("values", [described(values) for values in SERIES])
def test_real_series_have_these_lengths_and_empty_months(read_once: None, values: dict[str, Any]) -> None:
    series = load_series(SeriesParameters.of(**values))
    span = values.get("span", SPANS[0])
    months = dict(zip(SPANS, (513, 271, 479, 91), strict=True))[span]
    assert len(series.months) == len(series.values) == months
    assert f"{series.months[0]}/{series.months[-1]}" == span
    empty = {("luzon", "comcat"): 4, ("visayas", "comcat"): 21, ("whole", "comcat_m5"): 11}
    if values.get("target") == "mean_m5":
        empty["whole", "comcat"] = 12
    assert series.empty == empty.get((values.get("area", "whole"), values.get("source", "comcat")), 0)
    lowest = 2.0 if values.get("target") == "mean" else 4.0
    assert ((series.values >= lowest) & (series.values < 8)).all()
    assert series.files


@pytest.mark.data
def test_real_reference_series_has_no_empty_month_and_the_maxima_of_its_files() -> None:
    folder = Path(os.environ["REPRODUCE_DATA"]) / "catalogs"
    largest: dict[str, float] = defaultdict(float)
    for name, first, last in (
        ("comcat_philippines_m3_1979_2019.csv", "1979-11", "2019-09"),
        ("comcat_world_m5_2015_2025.csv", "2019-10", "2022-07"),
    ):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                inside = 4.6 <= float(row["latitude"]) <= 19.05 and 117 <= float(row["longitude"]) <= 130
                if inside and row.get("type", "earthquake") == "earthquake" and first <= row["time"][:7] <= last:
                    largest[row["time"][:7]] = max(largest[row["time"][:7]], float(row["mag"]))
    series = load_series(NetworkParameters.of())
    assert series.empty == 0
    assert dict(zip(map(str, series.months), series.values.tolist(), strict=True)) == dict(sorted(largest.items()))
    assert len(largest) == 513


@pytest.mark.data
@pytest.mark.parametrize("source", ORIGINS)
def test_real_catalogues_are_described_period_by_period(read_once: None, source: Any) -> None:
    found = {period: run_catalogue(CatalogueParameters.of(source=source, period=period)) for period in PERIODS}
    whole, one_threshold = found.pop("all"), found.pop("1979-11/2019-09")
    assert whole.n >= one_threshold.n == one_threshold.arrays["counts"].sum()
    assert whole.n == numbers(whole.metrics)["events"] >= sum(one.n for one in found.values()) > 3000
    assert whole.arrays["counts"].sum() == whole.n
    assert whole.arrays["counts"].shape == whole.arrays["centres"].shape
    for one in (whole, *found.values()):
        assert (one.data, bool(one.arrays)) == (whole.data, one is whole)
        if one.n:
            assert {"completeness", "b_error", "empty_months"} <= set(one.metrics)
            assert 0.3 < numbers(one.metrics)["b_value"] < 2
    without = [period for period, one in found.items() if not one.n]
    assert without == (["1975-1989", "1990-1999", "2000-2009"] if source == "phivolcs" else [])


@pytest.mark.data
@pytest.mark.parametrize(
    ("first", "second", "begin", "months"),
    [
        ("comcat", "phivolcs", "2015-01", 115),
        pytest.param("comcat", "comcat_m5", "1979-12", 525, marks=PACKAGED),
        pytest.param("comcat_m5", "phivolcs", "2015-01", 113, marks=PACKAGED),
    ],
)
def test_real_catalogues_agree_in_the_months_that_both_hold(
    read_once: None, first: Any, second: Any, begin: str, months: int
) -> None:
    found = run_agreement(AgreementParameters.of(first=first, second=second))
    assert (found.metrics["first_month"], found.metrics["months"], found.n) == (begin, months, months)
    told = numbers(found.metrics)
    assert 0.9 < told["correlation"] <= 1
    assert abs(told["mean_difference"]) <= told["mean_absolute_difference"] < 0.15 < told["largest_difference"] < 2
    assert set(found.data) == {*once(first).files, *once(second).files}


@pytest.mark.data
@pytest.mark.parametrize("source", ORIGINS)
def test_real_observations_are_known_for_every_month_of_table_2(read_once: None, source: Any) -> None:
    found = run_observation(ObservationParameters.of(source=source))
    assert list(found.metrics) == [f"magnitude[{name}]" for name in AHEAD]
    assert all(4.5 < value < 8 for value in numbers(found.metrics).values())
    months = 115 if source == "phivolcs" else 537
    assert (found.n, found.arrays["maximum"].shape, found.arrays["month"].shape) == (24, (months,), (months,))
    assert (np.diff(found.arrays["month"]) == 1).all()
    np.testing.assert_allclose(found.arrays["maximum"][-24:], list(numbers(found.metrics).values()), rtol=1e-6)


def test_honest_specifications_know_nothing_of_the_months_they_forecast() -> None:
    frame = pd.DataFrame([
        (0.1, "held out", "one step", "training", "comcat maximum 1950-2022"),
        (0.2, "in sample", "one step", "training", "comcat maximum 1950-2022"),
        (0.3, "held out", "all steps", "training", "comcat maximum 1950-2022"),
        (0.4, "held out", "one step", "all", "comcat maximum 1950-2022"),
        (0.5, "held out", "one step", "none", "comcat mean_m5 1950-2022"),
        (0.6, "held out", "one step", "none", "comcat mean 1950-2022"),
    ], columns=["value", "error", "horizon", "scaling", "series"])  # fmt: skip
    assert honest(frame)["value"].tolist() == [0.1, 0.5, 0.6]
    assert honest(frame, "mean")["value"].tolist() == [0.6]
    assert honest(frame.iloc[:0], "mean").empty
