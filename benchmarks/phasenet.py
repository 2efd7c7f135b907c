"""PhaseNet: two networks at a time against plain `fit`, what augmentation costs a step, and what detectors cost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.book import quantity
from benchmarks.pairs import in_new_process, measure_pairs, ratio
from reproduce_lib.book.speed import Quantity, Ratio
from reproduce_lib.execution.pool import cores

EPOCHS, WINDOWS = 8, 500
GOAL = 1.0
# Making an epoch's windows may cost this share of training on them, in percent.
AUGMENTATION_GOAL = 10.0

PREPARED = """
import json, os, sys, time
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3")
from reproduce_lib.execution import environment
if {one_thread}:
    environment.limit_threads()
environment.select_backend("tensorflow")
import numpy as np
from reproduce_lib.papers.adamopoulou2023 import phasenet
from reproduce_lib.papers.adamopoulou2023.recipes import epochs_of
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW, SampleParameters, folds_of, load_study
from reproduce_lib.papers.adamopoulou2023.training import TrainingParameters, train_on_windows

epochs, windows = int(sys.argv[1]), int(sys.argv[2])
own = SampleParameters.of(profile="custom", source="simulated", folds=2)
study = load_study(own)
fold = folds_of(own, study)[0]
draw = epochs_of("{augmentation}", study, fold, windows, np.random.default_rng(0))
"""
# As a script would: two networks in turn, `fit`, batch normalisation of Keras, all threads, windows made once.
PLAIN = (
    PREPARED.format(one_thread=False, augmentation="full_shift")
    + """
from keras import layers, optimizers
phasenet.folded_batch_normalization = lambda name: layers.BatchNormalization(name=name)
pairs = draw(0)
seconds = 0.0
for _ in range(2):
    model = phasenet.build_phasenet(WINDOW)
    model.compile(optimizer=optimizers.Adam(0.01), loss="categorical_crossentropy")
    model.fit(*pairs, batch_size=20, epochs=1, verbose=0)
    begun = time.perf_counter()
    model.fit(*pairs, batch_size=20, epochs=epochs, validation_data=tuple(one[:20] for one in pairs), verbose=0)
    seconds += time.perf_counter() - begun
print(json.dumps(seconds))
"""
)
# As a worker does: one thread, the best epoch kept, other windows in each epoch.
WORKER = (
    PREPARED.format(one_thread=True, augmentation="full_shift")
    + """
parameters = TrainingParameters.of(profile="custom", source="simulated", folds=2, epochs=epochs)
validation = tuple(one[:20] for one in draw(0))
model = phasenet.build_phasenet(WINDOW)
train_on_windows(model, draw, validation, parameters.with_values(epochs=1), "categorical_crossentropy")
begun = time.perf_counter()
train_on_windows(model, draw, validation, parameters, "categorical_crossentropy")
print(json.dumps(time.perf_counter() - begun))
"""
)
SHARE = (
    PREPARED.format(one_thread=True, augmentation="combined")
    + """
from keras import optimizers
model = phasenet.build_phasenet(WINDOW)
model.compile(optimizer=optimizers.Adam(0.01), loss="categorical_crossentropy")
pairs = draw(0)
model.train_on_batch(*(one[:20] for one in pairs))
begun = time.perf_counter()
for first in range(0, windows, 20):
    model.train_on_batch(*(one[first : first + 20] for one in pairs))
trained = time.perf_counter() - begun
shares = {}
for name in sys.argv[3:]:
    make = epochs_of(name, study, fold, windows, np.random.default_rng(0))
    make(0)
    begun = time.perf_counter()
    make(1)
    shares[name] = 100 * (time.perf_counter() - begun) / trained
print(json.dumps(shares))
"""
)
DETECTING = (
    PREPARED.format(one_thread=True, augmentation="no_shift")
    + """
from reproduce_lib.augmentations import standardise
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.training import forecast
from reproduce_lib.triggers import sta_lta, template_match

hour = np.random.default_rng(0).normal(size=(120, WINDOW, 3)).astype(np.float32)
templates = np.random.default_rng(1).normal(size=(60, 4 * RATE, 3)).astype(np.float32)
model = phasenet.build_phasenet(WINDOW)
ways = {
    "network": lambda: forecast(model, standardise(hour)),
    "ratio of averages": lambda: sta_lta(hour, RATE),
    "matching with 60 templates": lambda: template_match(hour, templates, RATE),
}
seconds = {}
for name, way in ways.items():
    way()
    begun = time.perf_counter()
    way()
    seconds[name] = time.perf_counter() - begun
print(json.dumps(seconds))
"""
)


def networks_against_fit(repeats: int) -> Iterator[Ratio]:
    """Measure two networks, trained side by side by workers of one thread, against one after the other by `fit`."""
    arguments = (str(EPOCHS), str(WINDOWS))

    def side_by_side() -> float:
        with ThreadPoolExecutor(2) as pool:
            return max(map(float, pool.map(lambda _: in_new_process(WORKER, *arguments), range(2))))

    pairs = measure_pairs(lambda: float(in_new_process(PLAIN, *arguments)), side_by_side, repeats)
    name = f"adamopoulou2023 PhaseNet: 2 networks of {EPOCHS} epochs of {WINDOWS} windows, {cores()} cores"
    yield ratio(name, "fit on TensorFlow, windows made once", "2 workers, windows made anew", pairs, GOAL)


def share_of_augmentation(repeats: int) -> Iterator[Quantity]:
    """Measure what making an epoch's windows costs, in percent of training on them."""
    names = ("full_shift", "events", "noise", "false_positives", "channel_dropout", "combined")
    found = [in_new_process(SHARE, str(EPOCHS), str(WINDOWS), *names) for _ in range(repeats)]
    for name in names:
        label = f"PhaseNet, {name}: windows made on the fly, share of a step"
        yield quantity(label, [one[name] for one in found], "%", at_most=AUGMENTATION_GOAL)


def runtime_of_detectors(repeats: int) -> Iterator[Quantity]:
    """Measure what an hour of three components takes each detector, on one thread."""
    found = [in_new_process(DETECTING, str(EPOCHS), str(WINDOWS)) for _ in range(repeats)]
    for name in found[0]:
        yield quantity(f"An hour of three components: {name}", [one[name] for one in found], "s")
