"""Splits and scores: what a model may see of the samples it is judged by, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from reproduce_lib.data.aeta import CLASSES
from reproduce_lib.papers.zhang2023.samples import Labels, SampleParameters, SampleSet
from reproduce_lib.papers.zhang2023.scaling import Scaling
from reproduce_lib.units import MetricValue, UnitResult

Split = Literal["time", "rows", "areas", "weeks", "stations"]
Oversampling = Literal["none", "before_split"]
Rows = NDArray[np.intp]
FOLDS = 5
# A fifth of what is trained on chooses when to stop.
INNER_PARTS = 5
SPLITTING = 4  # the stream of random numbers after those of the samples
OVERSAMPLING = 5


class DesignParameters(SampleParameters):
    """How a model is judged.

    ``time`` trains on the part before 2020-04-01 and tests on the rest of 2020. ``rows`` deals samples out at random
    into five folds; ``areas``, ``weeks`` and ``stations`` hold out each area, each week, or each fifth of the stations
    in turn. ``before_split`` repeats samples of the rarer classes until all are as frequent as the commonest, and
    splits afterwards. ``scaling`` is how features are scaled by the training samples, see `scaling.scaler`.
    """

    split: Split = "time"
    oversampling: Oversampling = "none"
    scaling: Scaling = "ranks"

    @model_validator(mode="after")
    def _split_fits_the_source(self) -> Self:
        allowed = ("rows", "stations", "weeks") if self.source == "raw" else ("time", "rows", "areas")
        if self.split not in allowed:
            raise ValueError(f"source {self.source!r} has no split {self.split!r}; allowed are {', '.join(allowed)}")
        return self

    @property
    def is_the_papers_design(self) -> bool:
        """Tell whether real weeks are split by time: what pages draw is of these, and only theirs is kept."""
        design = {"profile": "full", "source": "weekly", "labels": "true", "split": "time", "oversampling": "none"}
        return all(getattr(self, name) == value for name, value in {**design, "scaling": "ranks"}.items())


@dataclass(frozen=True)
class Fold:
    """Indices of samples to train on, to stop by, and to judge by; an index may stand more than once."""

    training: Rows
    validation: Rows
    test: Rows

    @property
    def known(self) -> Rows:
        """Return all samples that are not tested: what needs nothing to stop by learns from these."""
        return np.concatenate([self.training, self.validation])


@dataclass(frozen=True)
class Forecast:
    """Probabilities of the test samples, shape (samples, classes), and curves over the epochs by name."""

    scores: NDArray[np.float64]
    history: dict[str, list[float]] = field(default_factory=dict)


Classify = Callable[[Fold, int], Forecast]


def folds_of(parameters: DesignParameters, samples: SampleSet) -> list[Fold]:
    """Return the folds of a unit; they depend on its seed and design, and are the same for every model."""
    generator = parameters.generator(SPLITTING)
    rows = np.arange(len(samples.labels))
    if parameters.oversampling == "before_split":
        rows = oversampled(samples.labels, parameters.generator(OVERSAMPLING))
    return [
        _fold(rows[~tested], rows[tested], parameters.split, samples, generator)
        for tested in _tested(parameters.split, samples, rows, generator)
    ]


def oversampled(labels: Labels, generator: np.random.Generator) -> Rows:
    """Return indices in which every class that occurs is as frequent as the commonest."""
    most = np.bincount(labels).max()
    parts = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        parts.append(np.concatenate([own, generator.choice(own, most - len(own))]))
    return np.sort(np.concatenate(parts))


def evaluate(parameters: DesignParameters, samples: SampleSet, classify: Classify, *, keep: bool = False) -> UnitResult:
    """Train and judge a model on each fold; scores are those of the forecasts of all folds together."""
    folds = folds_of(parameters, samples)
    seeds = parameters.random_seeds(len(folds))
    forecasts = [classify(fold, seed) for fold, seed in zip(folds, seeds, strict=True)]
    tested = np.concatenate([fold.test for fold in folds])
    scores = np.concatenate([forecast.scores for forecast in forecasts])
    truth, forecast = samples.labels[tested], scores.argmax(axis=1)
    common = np.concatenate([np.full(len(fold.test), _commonest(samples.labels[fold.known])) for fold in folds])
    metrics: dict[str, MetricValue] = {
        **scores_of(truth, forecast),
        "majority": 100 * float((truth == common).mean()),
        "samples": float(len(samples.labels)),
        "classes_tested": float(len(np.unique(truth))),
        **areas_of_events(truth, scores),
    }
    arrays: dict[str, NDArray[Any]] = {}
    if keep:
        arrays = {
            "label": truth.astype(np.int8),
            "scores": scores.astype(np.float32),
            "sample": tested.astype(np.int32),
        }
        arrays |= _curves([one.history for one in forecasts])
    return UnitResult(metrics, len(tested), samples.files, arrays)


def areas_of_events(truth: Labels, scores: NDArray[np.float64]) -> dict[str, float]:
    """Return the area under the curve, in percent, of telling windows before an earthquake from the others.

    The score of an event is one less that of the first class, which has none; a forecast that is the same for all
    has 50. Nothing is returned where only one of the two occurs.
    """
    from sklearn.metrics import roc_auc_score

    event = truth > 0
    if event.all() or not event.any():
        return {}
    return {"auc[event]": 100 * float(roc_auc_score(event, 1 - scores[:, 0]))}


def scores_of(truth: Labels, forecast: Labels) -> dict[str, float]:
    """Return accuracy and recall in percent, and F1; over classes that are tested, each counting the same or by size.

    ``recall`` and ``f1`` are means over classes (macro). The mean of recalls weighted by size is the accuracy, by
    definition.
    """
    recalls, f1s, weights = [], [], []
    for label in np.unique(truth):
        actual, given = truth == label, forecast == label
        hits = float((actual & given).sum())
        recalls.append(hits / actual.sum())
        f1s.append(2 * hits / (actual.sum() + given.sum()))
        weights.append(actual.mean())
    return {
        "accuracy": 100 * float((truth == forecast).mean()),
        "recall": 100 * float(np.mean(recalls)),
        "recall_weighted": 100 * float(np.dot(weights, recalls)),
        "f1": float(np.mean(f1s)),
        "f1_weighted": float(np.dot(weights, f1s)),
    }


def _tested(split: Split, samples: SampleSet, rows: Rows, generator: np.random.Generator) -> list[NDArray[np.bool_]]:
    """Return for each fold which of the rows it tests."""
    groups = samples.groups.iloc[rows]
    match split:
        case "time":
            return [(groups["part"] == "valid").to_numpy()]
        case "rows":
            number = np.empty(len(rows), dtype=int)
            number[generator.permutation(len(rows))] = np.arange(len(rows)) % FOLDS
        case "stations":
            stations = generator.permutation(np.unique(groups["station"]))
            part = {station: place % FOLDS for place, station in enumerate(stations)}
            number = groups["station"].map(part).to_numpy()
        case "areas" | "weeks":
            number = groups[split.removesuffix("s")].to_numpy()
    return [number == one for one in np.unique(number)]


def _fold(outside: Rows, test: Rows, split: Split, samples: SampleSet, generator: np.random.Generator) -> Fold:
    """Take what to stop by from the samples outside of the test: the last fifth in time, or of other splits any."""
    held_out = max(len(outside) // INNER_PARTS, 1)
    if split == "time":
        order = np.argsort(samples.groups["week"].to_numpy()[outside], kind="stable")
    else:
        order = generator.permutation(len(outside))
    return Fold(np.sort(outside[order[:-held_out]]), np.sort(outside[order[-held_out:]]), test)


def _commonest(labels: Labels) -> int:
    return int(np.bincount(labels, minlength=CLASSES).argmax())


def _curves(histories: Sequence[dict[str, list[float]]]) -> dict[str, NDArray[np.float32]]:
    """Return a row for each fold, filled up with ``nan`` behind its last epoch."""
    curves = {}
    for name in histories[0]:
        longest = max(len(history[name]) for history in histories)
        rows = [[*history[name], *[np.nan] * longest][:longest] for history in histories]
        curves[name] = np.array(rows, dtype=np.float32)
    return curves
