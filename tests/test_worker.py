from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from unittest import mock

import pytest

from reproduce_lib.data.registry import data_files
from reproduce_lib.errors import ParameterError
from reproduce_lib.execution import environment, worker
from reproduce_lib.execution.closure import code_digests
from reproduce_lib.execution.worker import Failed, Finished, execute, execute_together
from reproduce_lib.papers.naufal2023 import baselines
from reproduce_lib.units import Backend, Batch, Experiment, Paper, UnitParameters, UnitResult
from tests.support import MODULE

SMOKE = {"profile": "smoke", "data": "simulated"}


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Keep the limits that a worker puts on its process to itself."""
    with mock.patch.dict(os.environ):
        yield


def finished(experiment: str, **parameters: Any) -> Finished:
    outcome = execute("naufal2023", experiment, parameters)
    assert isinstance(outcome, Finished), outcome
    return outcome


def failed(experiment: str, **parameters: Any) -> Failed:
    outcome = execute("naufal2023", experiment, parameters)
    assert isinstance(outcome, Failed), outcome
    return outcome


def test_finished_unit_carries_its_parameters_and_result() -> None:
    outcome = finished("baselines", **SMOKE, method="drift")
    assert outcome.unit == baselines.BaselineParameters.of(**SMOKE, method="drift")
    assert outcome.result == baselines.run_baseline(outcome.unit)
    assert outcome.seconds >= 0
    ended = datetime.fromisoformat(outcome.time)
    assert timedelta(seconds=-2) < datetime.now(UTC) - ended < timedelta(minutes=1)


def test_context_says_what_could_move_the_number() -> None:
    context = finished("baselines", **SMOKE).context
    assert context.code == code_digests(baselines.__name__)
    assert context.data == {}
    assert (context.threads, context.processor) == (1, environment.processor())
    assert {"python", "numpy", "scipy", "pandas", "statsmodels"} <= context.versions.keys()
    assert context.versions.keys().isdisjoint({"jax", "tensorflow"})
    assert context == finished("baselines", **SMOKE, method="drift").context


@pytest.mark.data
def test_context_has_the_hash_of_every_file_that_was_read() -> None:
    expected = {"prices/TSLA_2013_2023.csv": data_files()["prices/TSLA_2013_2023.csv"].sha256}
    assert finished("baselines").context.data == expected


def test_process_is_held_to_one_thread() -> None:
    finished("baselines", **SMOKE)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC")
    assert {os.environ[name] for name in names} == {"1"}
    assert "multi_thread_eigen=false" in os.environ["XLA_FLAGS"]


@pytest.mark.parametrize(
    ("experiment", "parameters", "named"),
    [
        ("baselines", {"colour": "red"}, ["colour", "method", "ticker"]),
        ("baselines", {"method": "magic"}, ["magic", "naive", "drift", "arima"]),
        ("networks", {"window": 7}, ["window", "7", "1", "30"]),
        ("networks", {"window": "30"}, ["window", "'30'"]),
        ("sums", {}, ["sums", "networks", "baselines", "price_facts"]),
    ],
)
def test_unknown_names_and_values_are_refused_with_the_allowed_ones(
    experiment: str, parameters: dict[str, Any], named: list[str]
) -> None:
    with pytest.raises(ParameterError) as caught:
        execute("naufal2023", experiment, parameters)
    assert all(word in str(caught.value) for word in named)


def test_unknown_paper_is_refused_with_the_rebuilt_ones() -> None:
    with pytest.raises(ParameterError, match="naufal2023"):
        execute("nobody2023", "networks", {})


def test_missing_backend_fails_the_unit_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "jax" else real(name, *rest))
    outcome = failed("networks", **SMOKE, window=1, epochs=1, backend="jax")
    assert "jax" in outcome.message
    assert "pip install" in outcome.message


def test_missing_data_fail_the_unit_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    outcome = failed("baselines", ticker="TSLA")
    assert outcome.traceback == ""
    message = outcome.message
    assert "prices/TSLA_2013_2023.csv" in message
    assert "REPRODUCE_DATA" in message
    assert "Traceback" not in message
    assert "Error" not in message
    assert "\n" not in message


def test_unexpected_error_fails_the_unit_with_its_name_and_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "naive_forecast", lambda series, days: 1 / 0)
    outcome = failed("baselines", **SMOKE)
    assert outcome.message == "ZeroDivisionError: division by zero"
    assert "run_baseline" in outcome.traceback


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_metric_without_a_value_fails_the_unit(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    monkeypatch.setattr(baselines, "mean_absolute_error", lambda truth, forecast: value)
    message = failed("baselines", **SMOKE).message
    assert "mae" in message
    assert "rmse" not in message


class SideBySideParameters(UnitParameters):
    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "side_by_side"

    backend: Backend = "jax_gpu"


def run_alone(unit: SideBySideParameters) -> UnitResult:
    raise AssertionError("units for a GPU run side by side")


def run_side_by_side(units: Sequence[SideBySideParameters]) -> list[UnitResult]:
    return [UnitResult({"mae": float("nan") if unit.seed == 1 else float(unit.seed)}, 5) for unit in units]


def test_network_that_diverged_fails_alone_and_its_neighbours_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Records depend on the module of what runs a unit, which has to be one of the package.
    monkeypatch.setattr(run_alone, "__module__", MODULE)
    batch = Batch(frozenset({"seed"}), run_side_by_side)
    experiment = Experiment(SideBySideParameters, run_alone, lambda: (), lambda: (), batch=batch)
    toy = Paper("toy", {experiment.name: experiment}, lambda unit: None, experiment.name)
    monkeypatch.setattr(worker, "load_paper", lambda key: toy)
    monkeypatch.setattr(environment, "select_backend", lambda backend: None)
    monkeypatch.setattr(environment, "device", lambda backend: "a GPU")
    monkeypatch.setattr(environment, "versions", lambda backend: {})
    found = execute_together("toy", experiment.name, [{"seed": seed} for seed in range(3)])
    told = [one.message if isinstance(one, Failed) else one.result.metrics["mae"] for one in found]
    assert told == [0.0, "no result: mae is nan", 2.0]
    assert [one.unit.seed for one in found] == [0, 1, 2]
