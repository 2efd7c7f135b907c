"""How far each reading of what a paper left open moves its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reproduce_lib.claims import PaperClaims, ValueClaim
from reproduce_lib.execution.study import UnitStatus
from reproduce_lib.units import Paper, UnitParameters
from reproduce_lib.verdicts import prediction_interval, rounding_interval

DEFAULT = "as chosen"


@dataclass(frozen=True)
class Scatter:
    """How far runs lie apart, and which printed numbers fall where one more run would.

    Attributes
    ----------
    half_width : median over the claims of the prediction interval's half-width, as a share of the mean
    within : for each claim, whether what was printed can lie in its interval
    """

    half_width: float
    within: tuple[bool, ...]


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


def scatter_of(
    frames: Mapping[str, pd.DataFrame], claims: Iterable[ValueClaim], parameter: str, spans: Sequence[str]
) -> Scatter | None:
    """Return how far runs lie apart under the choice, or under the readings of one parameter.

    Parameters
    ----------
    frames : metric -> what `measured_by_reading` returns
    claims : the printed numbers; one of which fewer than two runs are known counts nowhere
    parameter : `DEFAULT`, or the name of the decision
    """
    widths, within = [], []
    for claim in claims:
        frame = frames[claim.metric]
        own = (frame["parameter"] == parameter) & np.all(
            [frame[name] == claim.conditions.get(name) for name in spans], 0
        )
        errors = frame.loc[own, "error"]
        if len(errors) > 1:
            interval = prediction_interval(errors.tolist())
            widths.append(interval.half_width / errors.mean())
            within.append(interval.meets(rounding_interval(claim.value)))
    return Scatter(float(np.median(widths)), tuple(within)) if widths else None


def reading_labels(claims: PaperClaims) -> dict[tuple[str, str], str]:
    """Return (parameter, value) -> a short label, in the order of the claims file."""
    labels = {(DEFAULT, ""): DEFAULT}
    for decision in claims.decisions:
        for other in decision.others:
            labels[(decision.parameter, str(other.value))] = f"{decision.parameter} = {other.value}"
    return labels
