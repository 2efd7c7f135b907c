"""Earthquake or noise from a hundred records (section 1.1.1, Fig. 3): wavelet scattering, and what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.augmentations import Rows, Values, standardise
from reproduce_lib.data.simulated_waveforms import simulate_traces
from reproduce_lib.data.waveforms import BEFORE, GUARD, RATE, Traces, load_traces
from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.adamopoulou2023 import KEY
from reproduce_lib.papers.adamopoulou2023.samples import SIMULATION, SPLITTING
from reproduce_lib.training import start_afresh
from reproduce_lib.triggers import sta_lta
from reproduce_lib.units import UnitParameters, UnitResult

Classifier = Literal["scattering", "sta_lta", "dense", "cnn", "commonest"]
CLASSIFIERS: tuple[Classifier, ...] = get_args(Classifier)
# A window of 20.48 s: a power of two for the wavelets, and short enough for one to end before P.
LENGTH = 2048
# Where P stands in the window of an earthquake, in samples.
PLACES = (2.0 * RATE, 15.0 * RATE)
# Averages short enough for an earthquake two seconds after the window's begin to be seen as it fades; seconds.
SHORT, LONG = 0.3, 3.0
# Octaves and wavelets per octave of the scattering transform; the averages are over 0.64 s.
OCTAVES, WAVELETS = 6, 8
# Added to a coefficient before its logarithm is taken; a window has deviation 1.
LEAST = 1e-6


class FewRecordParameters(UnitParameters):
    """One classifier, trained with a few records and tested on all others.

    Each record of an earthquake gives one window with it and one from before it, so that a class cannot be told by
    the station or its recorder; ``records`` counts windows of both classes, and is even.
    """

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "few_records"

    backend: Literal["tensorflow", "jax"] = "jax"
    source: Literal["pinned", "simulated"] = "pinned"
    classifier: Classifier = "scattering"
    records: int = Field(default=100, ge=10, le=500, multiple_of=2)

    @model_validator(mode="after")
    def _full_is_real(self) -> Self:
        if self.profile == "full" and self.source != "pinned":
            raise ValueError(f"profile full knows no source {self.source!r}; use profile custom")
        return self


@dataclass(frozen=True)
class Labelled:
    """Windows (windows, 2048, 3) with 1 for an earthquake and 0 for noise."""

    values: Values
    labels: NDArray[np.intp]


def run_few_records(parameters: FewRecordParameters) -> UnitResult:
    """Train on windows of a few stations and earthquakes, and test on those of all others."""
    traces = (
        simulate_traces(SIMULATION, 120)[0]
        if parameters.source == "simulated"
        else load_traces(("phasenet_ncedc", "ceed_ncedc", "denoiser_ncedc"))
    )
    generator = np.random.default_rng([parameters.seed, SPLITTING])
    training, test = (windows_of(traces, rows, generator) for rows in split(traces, parameters.records // 2, generator))
    scores, threshold = _scores(parameters, training, test)
    forecast = scores > threshold
    quakes = test.labels == 1
    metrics = {
        "accuracy": 100 * float((forecast == quakes).mean()),
        "accuracy[earthquakes]": 100 * float(forecast[quakes].mean()),
        "accuracy[noise]": 100 * float((~forecast[~quakes]).mean()),
        "trained": float(len(training.labels)),
    }
    return UnitResult({**metrics}, len(test.labels), traces.files)


def split(traces: Traces, wanted: int, generator: np.random.Generator) -> tuple[Rows, Rows]:
    """Return records to train on and to test on; no station and no earthquake is in both.

    Groups are drawn until ``wanted`` records are there; what the last one has too many of is left out.
    """
    usable = (traces.table["begin"] <= BEFORE - GUARD - LENGTH).to_numpy()
    groups = traces.table["group"].to_numpy()
    order = generator.permutation(np.unique(groups[usable]))
    taken: list[int] = []
    for number, group in enumerate(order):
        taken.extend(np.flatnonzero(usable & (groups == group)).tolist())
        if len(taken) >= wanted:
            rest = np.flatnonzero(usable & np.isin(groups, order[number + 1 :]))
            if len(rest):
                return np.array(taken[:wanted]), rest
    raise ParameterError(f"{usable.sum()} records are too few to train on {wanted} and test on others")


def windows_of(traces: Traces, rows: Rows, generator: np.random.Generator) -> Labelled:
    """Return for each record a window with its earthquake and one that ends a second before it."""
    starts = BEFORE - np.rint(generator.uniform(*PLACES, len(rows))).astype(np.intp)
    quakes = [traces.values[row, start : start + LENGTH] for row, start in zip(rows, starts, strict=True)]
    end = BEFORE - GUARD
    noise = traces.values[rows, end - LENGTH : end]
    labels = np.repeat([1, 0], len(rows)).astype(np.intp)
    return Labelled(np.concatenate([np.stack(quakes), noise]), labels)


def scattering_features(values: Values) -> NDArray[np.float64]:
    """Return the logarithm of each scattering coefficient's mean over time, shape (windows, components * paths).

    kymatio's transform of first and second order (Andén and Mallat 2014), without the signed average of order
    zero. Its NumPy front end is taken from its own module: the package's entry for it imports a function that newer
    releases of SciPy no longer have.
    """
    from kymatio.scattering1d.frontend.numpy_frontend import ScatteringNumPy1D

    transform = ScatteringNumPy1D(J=OCTAVES, shape=LENGTH, Q=WAVELETS)
    scaled = standardise(values).astype(float)
    moduli = transform.meta()["order"] > 0
    found = [
        transform(np.ascontiguousarray(scaled[:, :, one]))[:, moduli].mean(axis=-1) for one in range(values.shape[2])
    ]
    # A component that was not recorded has coefficients of 0, and rounding leaves small ones a little below.
    coefficients: NDArray[np.float64] = np.concatenate(found, axis=1)
    return np.log(np.maximum(coefficients, 0.0) + LEAST)


def _scores(parameters: FewRecordParameters, training: Labelled, test: Labelled) -> tuple[NDArray[np.float64], float]:
    """Return a number for each tested window, and from which number on it is an earthquake."""
    match parameters.classifier:
        case "scattering":
            return _by_scattering(training, test), 0.0
        case "sta_lta":
            tested, known = (sta_lta(windows.values, RATE, SHORT, LONG) for windows in (test, training))
            return tested, _best_cut(known, training.labels)
        case "commonest":
            return np.full(len(test.labels), training.labels.mean()), 0.5
        case "dense" | "cnn":
            return _by_network(parameters, training, test), 0.5


def _by_scattering(training: Labelled, test: Labelled) -> NDArray[np.float64]:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    machine = make_pipeline(StandardScaler(), SVC()).fit(scattering_features(training.values), training.labels)
    found: NDArray[np.float64] = machine.decision_function(scattering_features(test.values))
    return found


def _best_cut(scores: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """Return the threshold that is right most often; of several the one in their middle."""
    between = np.convolve(np.sort(scores), [0.5, 0.5], mode="valid")
    right = np.array([((scores > one) == (labels == 1)).mean() for one in between])
    best = np.flatnonzero(right == right.max())
    return float(between[best[len(best) // 2]])


def _by_network(parameters: FewRecordParameters, training: Labelled, test: Labelled) -> NDArray[np.float64]:
    """Train a small network: the dense one of section 4.3, or four convolutions."""
    import keras
    from keras import layers

    (seed,) = parameters.random_seeds(1)
    start_afresh(seed)
    inputs = hidden = keras.Input(training.values.shape[1:])
    if parameters.classifier == "dense":
        hidden = layers.Flatten()(hidden)
    else:
        for filters in (8, 16, 32, 64):
            hidden = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(filters, 7, 4, padding="same")(hidden)))
        hidden = layers.GlobalAveragePooling1D()(hidden)
    for units in (32, 16):
        hidden = layers.Dense(units, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(hidden))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(standardise(training.values), training.labels, batch_size=20, epochs=100, verbose=0)
    found: NDArray[np.float64] = model.predict(standardise(test.values), verbose=0)[:, 1].astype(float)
    return found
