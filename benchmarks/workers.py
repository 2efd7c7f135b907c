"""What a worker costs: its memory, its start, and the share of the machine's arithmetic that it achieves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.book import quantity
from benchmarks.pairs import in_new_process
from reproduce_lib.book.speed import Quantity
from reproduce_lib.data.simulate import simulate_prices
from reproduce_lib.papers.naufal2023.networks import FILTERS, MODELS, UNITS
from reproduce_lib.papers.naufal2023.series import WINDOWS

# One worker, one unit after the other: seconds of each, and the largest memory of the worker.
ONE_WORKER = """
import json, sys, threading, time
import psutil
from reproduce_lib.data.simulate import simulate_prices
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.execution.pool import Due, Workers, execute_units

asked = json.loads(sys.argv[1])
units = [NetworkParameters.of(profile="custom", data="simulated", **unit) for unit in asked]
largest, ended = 0, threading.Event()

def watch():
    global largest
    while not ended.wait(0.1):
        for child in psutil.Process().children(recursive=True):
            try:
                largest = max(largest, child.memory_info().rss)
            except psutil.NoSuchProcess:
                pass

watcher = threading.Thread(target=watch)
watcher.start()
begun = time.perf_counter()
seconds = [outcome.seconds for outcome in execute_units([Due(unit) for unit in units], Workers(1))]
elapsed = time.perf_counter() - begun
ended.set()
watcher.join()
print(json.dumps({"seconds": seconds, "elapsed": elapsed, "bytes": largest}))
"""
# Multiplying square matrices of 32-bit floats on one thread: the most arithmetic that a core was seen to do.
MATRIX_MULTIPLY = """
import json, time
from reproduce_lib.execution import environment
environment.limit_threads()
import numpy as np
a = np.random.default_rng(0).random((1024, 1024), dtype=np.float32)
rates = []
for _ in range(20):
    begun = time.perf_counter()
    a @ a
    rates.append(2 * 1024**3 / (time.perf_counter() - begun))
print(json.dumps(max(rates)))
"""


def memory_and_start(repeats: int) -> list[Quantity]:
    """Measure the memory of a worker, and the first unit's seconds beyond those of the later ones."""
    memory, start, pool = [], [], []
    for _ in range(repeats):
        found = in_new_process(ONE_WORKER, json.dumps([{"seed": seed} for seed in range(6)]))
        first, *later = found["seconds"]
        steady = sorted(later)[len(later) // 2]
        memory.append(found["bytes"] / 2**30)
        start.append(first - steady)
        pool.append(found["elapsed"] - sum(found["seconds"]))
    return [
        quantity("memory of a worker with JAX, Keras and a network", memory, "GiB"),
        quantity("imports and first compilation, once per worker", start, "s"),
        quantity("starting and ending the pool, once per run", pool, "s"),
    ]


def share_of_arithmetic(repeats: int) -> Iterator[Quantity]:
    """Measure the floating-point operations a second of each network as a share of matrix multiplication's."""
    for window in WINDOWS:
        for model in MODELS:
            shares = []
            for _ in range(repeats):
                units = [{"model": model, "window": window, "seed": seed} for seed in range(3)]
                *_, seconds = in_new_process(ONE_WORKER, json.dumps(units))["seconds"]
                shares.append(100 * training_operations(model, window) / seconds / in_new_process(MATRIX_MULTIPLY))
            yield quantity(f"share of the matrix-multiply rate, {model}, window {window}", shares, "%")


def training_operations(model: str, window: int, epochs: int = 30) -> float:
    """Return the floating-point operations of one unit: three times the forward pass of each pair and epoch.

    A multiplication and an addition are two operations; what is not a matrix product is left out.
    """
    steps, channels, forward = window, 1, 0.0
    if model == "cnn_lstm_gru":
        for _ in range(2):
            forward += steps * 2 * channels * FILTERS
            steps, channels = -(-steps // 2), FILTERS
    forward += steps * 2 * 4 * UNITS * (channels + UNITS)
    if model != "lstm":
        forward += steps * 2 * 3 * UNITS * (UNITS + UNITS)
    forward += 2 * UNITS
    pairs = int(0.72 * len(simulate_prices(0).frame)) - window
    return 3 * forward * pairs * epochs
