"""How far each reading of what a paper left open moves its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from reproduce_lib.claims import PaperClaims
from reproduce_lib.execution.study import UnitStatus
from reproduce_lib.units import Paper, UnitParameters

DEFAULT = "as chosen"


def reading_of(unit: UnitParameters, spans: Sequence[str]) -> tuple[str, object] | None:
    """Return the one decision in which a unit leaves the default, with its value; ``None`` if in none.

    Raises
    ------
    ValueError
        If a unit leaves the default in several decisions at once.
    """
    fields = type(unit).model_fields
    ignored = {*spans, "seed", "profile"}
    changed = {
        name: value
        for name, value in unit.model_dump().items()
        if name not in ignored and value != fields[name].default
    }
    if len(changed) > 1:
        raise ValueError(f"unit {unit.key} leaves the default in {', '.join(changed)}")
    return next(iter(changed.items()), None)


def measured_by_reading(
    statuses: Iterable[UnitStatus], paper: Paper, experiment: str, metric: str, spans: Sequence[str]
) -> pd.DataFrame:
    """Return one row per recorded unit: its reading, what it spans, its error and the naive error.

    Columns: parameter, value, the spans, seed, error, naive.
    """
    known = {status.unit.key: status for status in statuses}
    rows = []
    for status in known.values():
        unit = status.unit
        if unit.experiment != experiment or status.record is None:
            continue
        naive = paper.naive(unit)
        against = known.get(naive.key) if naive is not None else None
        parameter, value = reading_of(unit, spans) or (DEFAULT, "")
        rows.append(
            {
                "parameter": parameter,
                "value": str(value),
                **{name: getattr(unit, name) for name in spans},
                "seed": unit.seed,
                "error": status.record.metrics[metric],
                "naive": against.record.metrics[metric] if against is not None and against.record else None,
            }
        )
    columns = ["parameter", "value", *spans, "seed", "error", "naive"]
    return pd.DataFrame(rows, columns=columns)


def reading_labels(claims: PaperClaims) -> dict[tuple[str, str], str]:
    """Return (parameter, value) -> a short label, in the order of the claims file."""
    labels = {(DEFAULT, ""): DEFAULT}
    for decision in claims.decisions:
        for other in decision.others:
            labels[(decision.parameter, str(other.value))] = f"{decision.parameter} = {other.value}"
    return labels
