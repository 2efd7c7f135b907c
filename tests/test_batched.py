"""Networks trained side by side are the networks that are trained alone; and what goes into one program."""

from __future__ import annotations

import functools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from reproduce_lib.execution import pool
from reproduce_lib.execution.pool import LARGEST_BATCH, Due, execute_units
from reproduce_lib.execution.worker import Failed, Finished
from reproduce_lib.papers.li2021.dlep import DlepParameters
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.units import Backend, Experiment, Paper, UnitParameters, UnitResult
from tests.python_path import path_with
from tests.support import PROJECT

# Keras runs on JAX in processes of their own: this one may hold another backend.
ON_JAX = """
import json, sys
from reproduce_lib.execution import environment

environment.limit_threads()
environment.select_backend("jax")
asked = json.loads(sys.argv[1])
"""

NETWORKS = """
from reproduce_lib.papers.naufal2023.networks import NetworkParameters, run_network, run_network_batch

units = [NetworkParameters.of(**values) for values in asked["units"]]
batches = [[units[row] for row in rows] for rows in asked["batches"]]
alone = [run_network(unit).metrics for unit in units]
networks = [alone, *([result.metrics for result in run_network_batch(batch)] for batch in batches)]
"""

DENSE = """
import keras
from reproduce_lib.batched import predict_batch, train_batch
from reproduce_lib.training import start_afresh, train
from tests.test_batched import LEARNING_RATE, dense_data

HOW = {"loss": "mean_squared_error", "epochs": 3, "batch_size": 16, "learning_rate": LEARNING_RATE}


def initial(seed):
    start_afresh(seed)
    layers = [keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((3,)), *layers])


def trained(models, pairs, seeds, shuffle):
    data = [dense_data(seed, pairs) for seed in seeds]
    before = [[value.tolist() for value in model.get_weights()] for model in models]
    first, held_out = [one[:2] for one in data], [one[2:] for one in data]
    losses = train_batch(models, first, held_out, seeds=seeds, shuffle=shuffle, **HOW)
    predicted = predict_batch(models, [one[2] for one in data])
    own = [keras.ops.convert_to_numpy(model(one[2])).tolist() for model, one in zip(models, data)]
    return {"before": before, "losses": losses, "predicted": [one.tolist() for one in predicted], "own": own}


def alone(seed, pairs):
    data = dense_data(seed, pairs)
    model = initial(seed)
    losses = train(model, data[:2], data[2:], shuffle=True, **HOW)
    return {"losses": losses, "predicted": keras.ops.convert_to_numpy(model(data[2])).tolist()}


def of_other_shapes(pairs, held_out):
    seeds = (0, 1)
    data = [dense_data(seed, count) for seed, count in zip(seeds, pairs)]
    others = [dense_data(seed, count)[:2] for seed, count in zip(seeds, held_out)]
    models = [initial(seed) for seed in seeds]
    before = [model.get_weights() for model in models]
    try:
        train_batch(models, [one[:2] for one in data], others, seeds=seeds, shuffle=True, **HOW)
    except ValueError:
        return all((a == b).all() for model, old in zip(models, before) for a, b in zip(model.get_weights(), old))
    return "no ValueError"


dense = {
    "in order": {n: trained([initial(s) for s in (0, 1, 2)], n, (0, 1, 2), False) for n in (64, 70, 10)},
    "shuffled": trained([initial(s) for s in (0, 1)], 64, (0, 1), True),
    "one": trained([initial(1)], 64, (1,), True),
    "alone": alone(1, 64),
    "other shapes": [of_other_shapes((64, 48), (64, 64)), of_other_shapes((64, 64), (64, 48))],
}
"""
LEARNING_RATE = 0.05


def on_jax(program: str, answer: str, folder: Path, units: list[NetworkParameters], *batches: list[int]) -> Any:
    """Run a program on JAX, for units and batches of them given by position, and return its answer."""
    asked = {"units": [unit.model_dump() for unit in units], "batches": batches}
    done = subprocess.run(
        [sys.executable, "-c", f"{ON_JAX}{program}print(json.dumps({answer}))", json.dumps(asked)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": path_with(PROJECT), "REPRODUCE_CACHE": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Networks of the paper


def network(**values: Any) -> NetworkParameters:
    known = {"profile": "custom", "data": "simulated", "model": "lstm", "window": 1, "epochs": 2}
    return NetworkParameters.of(**{**known, **values})


def assert_same(together: dict[str, Any], alone: dict[str, Any]) -> None:
    """Two ways to train one network may differ by rounding and no more."""
    assert together.keys() == alone.keys()
    for name in ("mae", "rmse"):
        assert together[name] == pytest.approx(alone[name], rel=1e-5)
    for name in ("training_loss", "validation_loss"):
        assert together[name] == pytest.approx(alone[name], rel=0, abs=1e-6)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Train everything that the quick tests need in one process: its imports are half of the time."""
    units = [network(seed=seed, ticker=ticker) for seed, ticker in product((0, 1), ("TSLA", "GOOG"))]
    folder = tmp_path_factory.mktemp("cache")
    answer = '{"networks": networks, "dense": dense}'
    found: dict[str, Any] = on_jax(NETWORKS + DENSE, answer, folder, units, [0, 1, 2, 3], [2, 0, 3, 1])
    return found


@pytest.mark.slow
def test_networks_trained_together_are_those_trained_alone(answers: dict[str, Any]) -> None:
    alone, together, _ = answers["networks"]
    assert len(alone) == len(together) == 4
    for of_one, of_batch in zip(alone, together, strict=True):
        assert_same(of_batch, of_one)
    # All four learned from the same simulated prices: what tells them apart are their seeds, and by far more.
    maes = sorted(one["mae"] for one in alone)
    assert all(later / former > 1.001 for former, later in pairwise(maes))


@pytest.mark.slow
def test_order_of_a_batch_moves_no_result(answers: dict[str, Any]) -> None:
    _, together, reordered = answers["networks"]
    for position, row in enumerate([2, 0, 3, 1]):
        assert_same(reordered[position], together[row])


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"model": "cnn_lstm_gru", "window": 30, "epochs": 1},
        {"model": "lstm_gru", "window": 30, "epochs": 1, "batch_size": 64},
        {"batch_size": 1024},  # more than there are pairs
        {"shuffle": False, "relu": "convolution", "context": "inside", "scaler": "all"},
    ],
)
def test_every_kind_of_network_can_be_trained_together(tmp_path: Path, values: dict[str, Any]) -> None:
    units = [network(**values, seed=seed, ticker=ticker) for seed, ticker in product((0, 1), ("TSLA", "GOOG"))]
    alone, together, one = on_jax(NETWORKS, "networks", tmp_path, units, [0, 1, 2, 3], [2])
    for of_one, of_batch in zip([*alone, alone[2]], [*together, *one], strict=True):
        assert_same(of_batch, of_one)


# A small model, beside plain NumPy


def dense_data(seed: int, pairs: int) -> tuple[NDArray[np.float32], ...]:
    """Return inputs and targets to learn from, then 20 of each that are held out; each seed has a task of its own."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(pairs + 20, 3)).astype(np.float32)
    targets = (np.sin(inputs[:, :1]) + inputs[:, 1:2] * (seed + 1)).astype(np.float32)
    return inputs[:pairs], targets[:pairs], inputs[pairs:], targets[pairs:]


def by_hand(
    before: list[Any], seed: int, pairs: int, *, epochs: int = 3, batch_size: int = 16
) -> tuple[list[float], list[float], NDArray[Any]]:
    """Train inputs -> 4 tanh -> 1 on the squared error with Adam, pairs in their order, in plain NumPy."""
    inputs, targets, held_inputs, held_targets = (part.astype(float) for part in dense_data(seed, pairs))
    weights = [np.array(value, dtype=float) for value in before]
    first, second = [np.zeros_like(one) for one in weights], [np.zeros_like(one) for one in weights]
    step = 0
    losses, held_out = [], []

    def forward(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        hidden = np.tanh(rows @ weights[0] + weights[1])
        return hidden, hidden @ weights[2] + weights[3]

    for _ in range(epochs):
        total = 0.0
        for begin in range(0, pairs, batch_size):
            x, y = inputs[begin : begin + batch_size], targets[begin : begin + batch_size]
            hidden, predicted = forward(x)
            total += float(((predicted - y) ** 2).sum())
            outer = 2 * (predicted - y) / len(x)
            inner = outer @ weights[2].T * (1 - hidden**2)
            gradients = [x.T @ inner, inner.sum(axis=0), hidden.T @ outer, outer.sum(axis=0)]
            step += 1
            for position, gradient in enumerate(gradients):
                first[position] += 0.1 * (gradient - first[position])
                second[position] += 0.001 * (gradient**2 - second[position])
                mean, square = first[position] / (1 - 0.9**step), second[position] / (1 - 0.999**step)
                weights[position] -= LEARNING_RATE * mean / (np.sqrt(square) + 1e-7)
        losses.append(total / pairs)
        held_out.append(float(((forward(held_inputs)[1] - held_targets) ** 2).mean()))
    return losses, held_out, forward(held_inputs)[1]


@pytest.fixture
def dense(answers: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answers["dense"]
    return found


@pytest.mark.slow
# 64 pairs leave no rest at a batch size of 16, 70 leave 6, and 10 are nothing but a rest.
@pytest.mark.parametrize("pairs", [64, 70, 10])
def test_each_model_of_a_batch_learns_what_plain_numpy_learns(dense: dict[str, Any], pairs: int) -> None:
    found = dense["in order"][str(pairs)]
    for model in range(3):
        losses, held_out, predicted = by_hand(found["before"][model], model, pairs)
        assert found["losses"][model]["loss"] == pytest.approx(losses, rel=1e-4)
        assert found["losses"][model]["val_loss"] == pytest.approx(held_out, rel=1e-4)
        assert np.array(found["predicted"][model]) == pytest.approx(predicted, abs=1e-4)
        assert losses[-1] < 0.9 * losses[0]


@pytest.mark.slow
def test_trained_models_themselves_forecast_what_the_batch_forecasts(dense: dict[str, Any]) -> None:
    for found in (*dense["in order"].values(), dense["one"]):
        assert np.array(found["own"]) == pytest.approx(np.array(found["predicted"]), abs=1e-5)


@pytest.mark.slow
def test_shuffled_pairs_come_in_the_order_that_keras_gives_each_model(dense: dict[str, Any]) -> None:
    alone = dense["alone"]
    for together, model in ((dense["shuffled"], 1), (dense["one"], 0)):
        for name in ("loss", "val_loss"):
            assert together["losses"][model][name] == pytest.approx(alone["losses"][name], rel=1e-5)
        assert np.array(together["predicted"][model]) == pytest.approx(np.array(alone["predicted"]), abs=1e-5)
    assert alone["losses"]["loss"] != pytest.approx(dense["in order"]["64"]["losses"][1]["loss"], rel=1e-4)


@pytest.mark.slow
def test_batch_of_one_is_a_batch(dense: dict[str, Any]) -> None:
    assert len(dense["one"]["losses"]) == len(dense["one"]["predicted"]) == 1
    assert dense["one"]["losses"][0]["loss"] == pytest.approx(dense["shuffled"]["losses"][1]["loss"], rel=1e-5)


@pytest.mark.slow
def test_pairs_of_different_shapes_are_refused_and_no_model_is_touched(dense: dict[str, Any]) -> None:
    assert dense["other shapes"] == [True, True]


# What goes into one program


def tasks(units: list[UnitParameters]) -> list[list[UnitParameters]]:
    return [[due.unit for due in task] for task in pool._tasks(map(Due, units))]


def on_gpu(**values: Any) -> NetworkParameters:
    return NetworkParameters.of(backend="jax_gpu", profile="custom", **values)


def test_units_for_a_gpu_that_differ_in_seed_and_share_alone_form_one_task() -> None:
    mine = [on_gpu(seed=seed, ticker=ticker) for seed, ticker in product(range(3), ("TSLA", "GOOG", "TWTR"))]
    others = [on_gpu(window=1), on_gpu(window=1, seed=4), on_gpu(epochs=2), on_gpu(shuffle=False)]
    mixed = [mine[0], *others, *mine[1:]]
    assert tasks(mixed) == [mine, others[:2], [others[2]], [others[3]]]


@pytest.mark.parametrize(
    "values",
    [
        {"model": "lstm"},
        {"window": 1},
        {"batch_size": 64},
        {"learning_rate": 0.01},
        {"hybrid_dropout": 0.0},
        {"split": "train70_val10_test20"},
        {"profile": "smoke"},
        {"data": "simulated"},
    ],
)
def test_units_that_differ_in_anything_else_never_form_one_task(values: dict[str, Any]) -> None:
    base = on_gpu()
    assert len(tasks([base, base.with_values(**values, seed=1)])) == 2


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_units_for_a_processor_never_form_one_task(backend: Backend) -> None:
    units: list[UnitParameters] = [NetworkParameters.of(seed=seed, backend=backend) for seed in range(4)]
    units += [BaselineParameters.of(), BaselineParameters.of(ticker="GOOG")]
    assert tasks(units) == [[unit] for unit in units]
    assert tasks([units[0], on_gpu(seed=1), units[1], on_gpu(seed=0)]) == [
        [units[0]], [on_gpu(seed=1), on_gpu(seed=0)], [units[1]],
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, LARGEST_BATCH, LARGEST_BATCH + 1, 2 * LARGEST_BATCH, 3 * LARGEST_BATCH - 5])
def test_task_holds_no_more_than_one_program_does_and_loses_no_unit(count: int) -> None:
    units: list[UnitParameters] = [on_gpu(seed=seed) for seed in range(count)]
    found = tasks(units)
    assert [unit for task in found for unit in task] == units
    assert [len(task) for task in found[:-1]] == [LARGEST_BATCH] * (math.ceil(count / LARGEST_BATCH) - 1)
    assert 0 < len(found[-1]) <= LARGEST_BATCH


class GpuParameters(UnitParameters):
    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "single"

    backend: Backend = "jax_gpu"


def test_experiment_that_does_not_say_how_is_never_trained_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(unit: GpuParameters) -> UnitResult:
        raise AssertionError("only the grouping is looked at")

    single = Experiment(GpuParameters, run, lambda: (), lambda: ())
    monkeypatch.setattr(pool, "load_paper", lambda key: Paper("toy", {"single": single}, lambda unit: None, ""))
    units: list[UnitParameters] = [GpuParameters.of(seed=seed) for seed in range(3)]
    assert tasks(units) == [[unit] for unit in units]


# On a GPU, and without one


EXECUTE = """
import json, sys
from reproduce_lib.execution.worker import execute_together

outcomes = execute_together("naufal2023", "networks", json.loads(sys.argv[1]))
print(json.dumps([[type(one).__name__, getattr(one, "message", "")] for one in outcomes]))
"""


def test_units_for_a_gpu_fail_with_one_sentence_where_there_is_none() -> None:
    units = [network(backend="jax_gpu", seed=seed, epochs=1).model_dump() for seed in (0, 1)]
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, json.dumps(units)],
        cwd=PROJECT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},  # hides those that are there
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert [kind for kind, _ in outcomes] == ["Failed", "Failed"]
    for _, message in outcomes:
        assert "needs a GPU" in message
        assert "jax_gpu" in message
        assert "\n" not in message
        assert "Error" not in message


@functools.cache
def reason_without_gpu() -> str:
    """Return why JAX sees no GPU here, or nothing if it sees one."""
    program = "import jax; print(jax.devices('gpu')[0].device_kind)"
    environment = {**os.environ, "JAX_PLATFORMS": "cuda,cpu"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


@pytest.fixture
def gpu() -> None:
    if reason := reason_without_gpu():
        pytest.skip(f"JAX sees no GPU: {reason}")


def executed(units: list[UnitParameters]) -> list[Finished]:
    outcomes: dict[str, Finished | Failed] = {one.unit.key: one for one in execute_units(map(Due, units))}
    found = [outcomes[unit.key] for unit in units]
    assert all(isinstance(one, Finished) for one in found), found
    return [one for one in found if isinstance(one, Finished)]


def spread(outcomes: list[Finished], name: str) -> tuple[float, float]:
    """Return the mean of a metric over seeds, and its standard error."""
    values = [float(one.result.metrics[name]) for one in outcomes]
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


ON_SIMULATED_EVENTS = {"profile": "custom", "source": "simulated", "length": 7, "epochs": 5}


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("make", "metrics"),
    [
        (functools.partial(network, epochs=5), ("mae", "training_loss", "validation_loss")),
        # Ten folds of each unit.
        (functools.partial(DlepParameters.of, **ON_SIMULATED_EVENTS), ("accuracy", "mauc", "accuracy_training")),
    ],
    ids=["naufal2023", "li2021"],
)
def test_networks_on_a_gpu_forecast_as_well_as_those_on_the_processor(
    gpu: None, make: Callable[..., UnitParameters], metrics: Sequence[str]
) -> None:
    # The backend is part of a unit's key and so of its random streams: only distributions can be compared.
    seeds = range(8)
    there = executed([make(backend="jax_gpu", seed=seed) for seed in seeds])
    here = executed([make(backend="jax", seed=seed) for seed in seeds])
    for name in metrics:
        (of_gpu, error_of_gpu), (of_processor, error_of_processor) = spread(there, name), spread(here, name)
        assert abs(of_gpu - of_processor) < 4 * math.hypot(error_of_gpu, error_of_processor), name
    assert {one.context.processor for one in there}.isdisjoint({one.context.processor for one in here})
    assert {one.context.processor.endswith(here[0].context.processor) for one in there} == {True}
    assert len({one.seconds for one in there}) == 1  # they were one program
