"""How long units will take, told from the recorded seconds of others on this processor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from reproduce_lib.execution import environment
from reproduce_lib.execution.study import Place, place_of
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# What says nothing about the time that a unit takes.
_IDLE = {"seed", "profile"}


def expected_seconds(units: Sequence[UnitParameters], stores: Iterable[Store]) -> list[float | None]:
    """Return the seconds that each unit is expected to take in a worker of this machine.

    A regression tree per experiment over the parameters of the recorded units; of equal parameters it
    gives the mean, of unseen ones the mean of the nearest branch. ``None`` where no unit of the same
    experiment and backend was recorded on this processor.
    """
    known = list(stores)
    models = {place: _fit(place, known) for place in {place_of(unit) for unit in units}}
    seconds: list[float | None] = [None] * len(units)
    for place, (backends, model) in models.items():
        rows = [i for i, unit in enumerate(units) if place_of(unit) == place and unit.backend in backends]
        if model is None or not rows:
            continue
        predicted = model.predict([_features(units[i].model_dump(mode="json")) for i in rows])
        for row, value in zip(rows, predicted, strict=True):
            seconds[row] = float(value)
    return seconds


def _fit(place: Place, stores: Iterable[Store]) -> tuple[set[str], Pipeline | None]:
    """Fit the seconds recorded on this processor; return the backends that they cover, and the model."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeRegressor

    features, seconds, backends = [], [], set()
    for store in stores:
        contents = store.file(*place).read()
        for record in contents.records.values():
            backend = record.parameters.get("backend", "none")
            if not contents.contexts[record.context].processor.endswith(environment.processor()):
                continue  # the name of a GPU may stand before it
            features.append(_features(record.parameters))
            seconds.append(record.seconds)
            backends.add(backend)
    if not features:
        return backends, None
    model = make_pipeline(DictVectorizer(), DecisionTreeRegressor(random_state=0))
    return backends, model.fit(features, seconds)


def _features(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as `DictVectorizer` wants them: numbers stay numbers, all else is a category."""
    return {
        name: value if isinstance(value, int | float) else str(value)
        for name, value in parameters.items()
        if name not in _IDLE
    }
