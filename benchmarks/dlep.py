"""DLEP, the largest network of the collection: what a step takes beside what its arithmetic and memory allow."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.book import quantity
from benchmarks.pairs import in_new_process
from benchmarks.workers import MATRIX_MULTIPLY
from reproduce_lib.book.speed import Quantity
from reproduce_lib.papers.li2021.dlep import FILTERS, KERNEL, POOLING, DlepParameters
from reproduce_lib.papers.li2021.regions import CLASSES
from reproduce_lib.papers.li2021.samples import ATTRIBUTES
from reproduce_lib.seismicity_indicators import INDICATORS

# Adam reads the weights, two moments and the gradient, and writes the first three; the gradient is written before.
PASSES_OF_ADAM = 8
BYTES = 4
# Two trainings of different length, so that building and compiling fall out of the difference.
STEP = """
import json, time
from reproduce_lib.execution import environment
environment.limit_threads()
environment.select_backend("jax")
import numpy as np
from reproduce_lib.papers.li2021.dlep import DlepParameters, build_dlep, train_dlep
from reproduce_lib.papers.li2021.evaluation import folds_of
from reproduce_lib.papers.li2021.samples import load_samples
from reproduce_lib.training import start_afresh

def unit(epochs):
    return DlepParameters.of(profile="custom", source="simulated", length=7, epochs=epochs)

samples = load_samples(unit(1))
fold = folds_of("shuffled", samples.samples, 0)[0]
seconds = {}
for epochs in (1, 5, 25):
    start_afresh(0)
    model = build_dlep(unit(epochs))
    begun = time.perf_counter()
    train_dlep(model, unit(epochs), samples, fold, samples.labels)
    seconds[epochs] = time.perf_counter() - begun
steps = 20 * -(-len(fold.training) // unit(1).batch_size)
print(json.dumps({"step": (seconds[25] - seconds[5]) / steps, "weights": model.count_params()}))
"""
# The bytes a second that one thread reads and writes when it adds a number to an array of the size of the weights.
MEMORY = """
import json, sys, time
from reproduce_lib.execution import environment
environment.limit_threads()
import numpy as np
values = np.ones(int(sys.argv[1]), dtype=np.float32)
rates = []
for _ in range(50):
    begun = time.perf_counter()
    np.add(values, 1, out=values)
    rates.append(2 * values.nbytes / (time.perf_counter() - begun))
print(json.dumps(max(rates)))
"""


def step_and_its_limit(repeats: int) -> Iterator[Quantity]:
    """Measure a step of training, and what the machine's arithmetic and memory need for it at least."""
    steps, arithmetic, memory = [], [], []
    for _ in range(repeats):
        found = in_new_process(STEP)
        steps.append(1000 * found["step"])
        arithmetic.append(1000 * operations() / in_new_process(MATRIX_MULTIPLY))
        # The weights and both moments are what a step has to hold.
        rate = in_new_process(MEMORY, str(3 * found["weights"]))
        memory.append(1000 * PASSES_OF_ADAM * BYTES * found["weights"] / rate)
    yield quantity("DLEP, a step of 24 samples", steps, "ms")
    yield quantity("DLEP, limit of a step: arithmetic at the matrix-multiply rate", arithmetic, "ms")
    yield quantity("DLEP, limit of a step: the optimizer's memory traffic", memory, "ms")


def operations() -> float:
    """Return the floating-point operations of a step: three times the matrix products of the forward pass."""
    unit = DlepParameters.of()
    rows, columns, channels, forward = unit.width, len(ATTRIBUTES), 1, 0
    for filters in FILTERS:
        forward += rows * columns * KERNEL[0] * KERNEL[1] * channels * filters
        rows, channels = -(-rows // POOLING[0]), filters
    forward += rows * columns * channels * unit.units  # implicit features
    forward += len(INDICATORS) * unit.units  # explicit ones
    forward += 2 * (2 * unit.units) * unit.units  # attention
    forward += 2 * unit.units * CLASSES
    return 3 * 2 * forward * unit.batch_size
