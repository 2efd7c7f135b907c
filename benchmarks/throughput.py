"""Training throughput: the engine against plain TensorFlow, many jobs against one, kept programs against none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

import msgspec

from benchmarks.pairs import in_new_process, measure_pairs, ratio
from reproduce_lib.book.speed import Ratio, Scores
from reproduce_lib.execution.pool import cores
from reproduce_lib.papers.asma2024.networks import MODELS as ASMA2024_MODELS
from reproduce_lib.papers.naufal2023.networks import MODELS
from reproduce_lib.tolerances import metric

# A unit of a small network is mostly overhead, which an engine can save.
SMALL_GOAL = 1.5
NOT_SLOWER = 1.0


@dataclass(frozen=True)
class Load:
    """Units of one network that differ only in their seeds, on simulated data."""

    paper: str
    name: str
    parameters: dict[str, Any]
    units: int
    goal: float
    metric: str
    experiment: str = "networks"
    # Processes of the engine; 0 stands for as many as there are cores.
    jobs: int = 0

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Return the parameters of each unit."""
        return [{"profile": "custom", **self.parameters, "seed": seed} for seed in range(self.units)]


# The network that the paper proposes, for the comparisons of the engine with itself.
HEAVY = Load("naufal2023", "cnn_lstm_gru, window 30: 12 units", {"data": "simulated"}, 12, NOT_SLOWER, "rmse")


def _loads() -> Iterator[Load]:
    """Yield the networks of every paper.

    One of the small networks takes about a second: six would measure little but the start of the
    processes, which a run of hundreds has once.
    """
    for window, units, goal in ((1, 12, SMALL_GOAL), (30, 6, NOT_SLOWER)):
        for model in MODELS:
            parameters = {"data": "simulated", "model": model, "window": window}
            yield Load(
                "naufal2023", f"{model}, window {window}: {units} units of 30 epochs", parameters, units, goal, "rmse"
            )
    for network in ASMA2024_MODELS:
        parameters = {"source": "simulated", "model": network}
        yield Load("asma2024", f"{network}, window 12: 12 units of 100 epochs", parameters, 12, SMALL_GOAL, "mae")
    # Steps are the same in each epoch: fewer of them say as much.
    parameters = {"source": "simulated", "length": 7, "epochs": 15}
    yield Load("li2021", "dlep: 2 units of 10 folds, 15 epochs", parameters, 2, SMALL_GOAL, "accuracy", "dlep")
    # A fold by itself is a tenth of one unit in one process: the engine has one thread, TensorFlow all cores.
    yield Load("li2021", "dlep: 1 unit of 10 folds, 15 epochs", parameters, 1, NOT_SLOWER, "accuracy", "dlep", jobs=1)
    parameters = {"source": "simulated", "length": 7}
    yield Load("li2021", "2016N: 4 units of 10 folds, 65 epochs", parameters, 4, SMALL_GOAL, "mauc", "bp")
    maps = {**parameters, "epochs": 4}
    yield Load("li2021", "2018CNN: 2 units of 10 folds, 4 epochs", maps, 2, NOT_SLOWER, "accuracy", "event_maps")


# As the engine runs them: worker processes on one thread each, on the backend of the unit.
ENGINE = """
import json, sys, time
from reproduce_lib.collection import load_paper
from reproduce_lib.execution.pool import Due, Workers, execute_units
from reproduce_lib.execution.worker import Failed

key, experiment, asked, jobs = *sys.argv[1:3], json.loads(sys.argv[3]), int(sys.argv[4])
units = [load_paper(key).experiment(experiment).parameters.of(**unit) for unit in asked]
begun = time.perf_counter()
outcomes = list(execute_units([Due(unit) for unit in units], Workers(jobs)))
assert not [one for one in outcomes if isinstance(one, Failed)], outcomes
seconds = time.perf_counter() - begun
print(json.dumps({"seconds": seconds, "metrics": [one.result.metrics for one in outcomes]}))
"""
# As a script would: one process, one model after the other, TensorFlow with its own number of threads.
PLAIN = """
import json, os, sys, time
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
key, experiment, asked = *sys.argv[1:3], json.loads(sys.argv[3])
begun = time.perf_counter()
from reproduce_lib.collection import load_paper
networks = load_paper(key).experiment(experiment)
units = [networks.parameters.of(**{**unit, "backend": "tensorflow"}) for unit in asked]
metrics = [networks.run(unit).metrics for unit in units]
print(json.dumps({"seconds": time.perf_counter() - begun, "metrics": metrics}))
"""


def networks_against_plain_tensorflow(repeats: int, papers: Collection[str] = ()) -> Iterator[Ratio]:
    """Measure units an hour of each network, of these papers or of all; start of processes and compilation included."""
    for load in _loads():
        if papers and load.paper not in papers:
            continue
        found: dict[str, list[float]] = {"plain": [], "engine": []}
        pairs = measure_pairs(
            partial(_plain, load, scores=found["plain"]), partial(_engine, load, scores=found["engine"]), repeats
        )
        name = f"{load.paper} {load.name}"
        jobs = load.jobs or cores()
        one = ratio(name, "fit on TensorFlow, one process", f"engine, {jobs} job{'s' * (jobs > 1)}", pairs, load.goal)
        yield msgspec.structs.replace(one, scores=_compared(load.metric, found["engine"], found["plain"]))


def _compared(name: str, fast: list[float], slow: list[float]) -> Scores:
    """Set the mean scores of two ways side by side; the backends draw other random numbers, and cannot be equal."""
    allowed = metric(name).verdict_half_width(fmean(slow))
    return Scores(metric=metric(name).label, fast=fmean(fast), slow=fmean(slow), allowed=allowed)


def jobs_against_one(repeats: int) -> list[Ratio]:
    """Measure as many jobs as there are cores against one."""
    pairs = measure_pairs(lambda: _engine(HEAVY, jobs=1), lambda: _engine(HEAVY), repeats)
    return [ratio(f"{HEAVY.paper} {HEAVY.name}", "engine, 1 job", f"engine, {cores()} jobs", pairs, None)]


def kept_programs_against_none(repeats: int) -> list[Ratio]:
    """Measure the engine with compiled programs kept from unit to unit against compiling each anew."""
    pairs = measure_pairs(lambda: _engine(HEAVY, JAX_ENABLE_COMPILATION_CACHE="false"), lambda: _engine(HEAVY), repeats)
    return [ratio(f"{HEAVY.paper} {HEAVY.name}", "each unit compiles its program", "programs are kept", pairs, None)]


def _engine(load: Load, jobs: int = 0, scores: list[float] | None = None, **environment: str) -> float:
    """Return the seconds of the engine with an empty folder of kept programs."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (load.paper, load.experiment, json.dumps(load.asked), str(jobs or load.jobs or cores()))
        found = in_new_process(ENGINE, *arguments, REPRODUCE_CACHE=folder, **environment)
    return _seconds(load, found, scores)


def _plain(load: Load, scores: list[float] | None = None) -> float:
    return _seconds(load, in_new_process(PLAIN, load.paper, load.experiment, json.dumps(load.asked)), scores)


def _seconds(load: Load, found: dict[str, Any], scores: list[float] | None) -> float:
    """Return the seconds of a run, and add the scores of its units to those of earlier runs."""
    if scores is not None:
        scores += [metrics[load.metric] for metrics in found["metrics"]]
    return float(found["seconds"])
