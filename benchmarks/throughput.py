"""Training throughput: the engine against plain TensorFlow, many jobs against one, kept programs against none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.pairs import in_new_process, measure_pairs, ratio
from reproduce_lib.papers.naufal2023 import MODELS, WINDOWS
from reproduce_lib.pool import cores
from reproduce_lib.speed import Ratio

# Units per network, by window. One of the small networks takes less than a second: six would measure little but
# the start of the processes, which a run of hundreds has once.
UNITS = {1: 24, 30: 6}
# Networks whose windows are one day: a unit of them is mostly overhead, which an engine can save.
SMALL_GOAL = 1.5
NOT_SLOWER = 1.0

# As the engine runs them: worker processes on one thread each, on the backend of the unit.
ENGINE = """
import json, sys, time
from reproduce_lib.papers.naufal2023 import NetworkParameters
from reproduce_lib.pool import Due, Workers, execute_units
from reproduce_lib.worker import Failed

asked, jobs = json.loads(sys.argv[1]), int(sys.argv[2])
units = [NetworkParameters.of(profile="custom", data="simulated", **unit) for unit in asked]
begun = time.perf_counter()
outcomes = list(execute_units([Due(unit) for unit in units], Workers(jobs)))
assert not [one for one in outcomes if isinstance(one, Failed)], outcomes
print(json.dumps(time.perf_counter() - begun))
"""
# As a script would: one process, one model after the other, TensorFlow with its own number of threads.
PLAIN = """
import json, os, sys, time
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
asked = json.loads(sys.argv[1])
begun = time.perf_counter()
from reproduce_lib.papers.naufal2023 import NetworkParameters, run_network
for unit in asked:
    run_network(NetworkParameters.of(profile="custom", data="simulated", **{**unit, "backend": "tensorflow"}))
print(json.dumps(time.perf_counter() - begun))
"""


def networks_against_plain_tensorflow(repeats: int) -> Iterator[Ratio]:
    """Measure units an hour of each network, start of the processes and compilation included."""
    for window in WINDOWS:
        for model in MODELS:
            units = [{"model": model, "window": window, "seed": seed} for seed in range(UNITS[window])]
            pairs = measure_pairs(partial(_plain, units), partial(_engine, units), repeats)
            name = f"naufal2023 {model}, window {window}: {UNITS[window]} units of 30 epochs"
            goal = SMALL_GOAL if window == 1 else NOT_SLOWER
            yield ratio(name, "fit on TensorFlow, one process", f"engine, {cores()} jobs", pairs, goal)


def jobs_against_one(repeats: int) -> list[Ratio]:
    """Measure as many jobs as there are cores against one."""
    units = [{"seed": seed} for seed in range(2 * UNITS[30])]
    pairs = measure_pairs(lambda: _engine(units, jobs=1), lambda: _engine(units), repeats)
    name = f"naufal2023 cnn_lstm_gru, window 30: {len(units)} units"
    return [ratio(name, "engine, 1 job", f"engine, {cores()} jobs", pairs, None)]


def kept_programs_against_none(repeats: int) -> list[Ratio]:
    """Measure the engine with compiled programs kept from unit to unit against compiling each anew."""
    units = [{"seed": seed} for seed in range(2 * UNITS[30])]
    pairs = measure_pairs(lambda: _engine(units, JAX_ENABLE_COMPILATION_CACHE="false"), lambda: _engine(units), repeats)
    name = f"naufal2023 cnn_lstm_gru, window 30: {len(units)} units"
    return [ratio(name, "each unit compiles its program", "programs are kept", pairs, None)]


def _engine(units: list[dict[str, Any]], jobs: int = 0, **environment: str) -> float:
    """Return the seconds of the engine with an empty folder of kept programs."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (json.dumps(units), str(jobs or cores()))
        seconds: float = in_new_process(ENGINE, *arguments, REPRODUCE_CACHE=folder, **environment)
    return seconds


def _plain(units: list[dict[str, Any]]) -> float:
    seconds: float = in_new_process(PLAIN, json.dumps(units))
    return seconds
