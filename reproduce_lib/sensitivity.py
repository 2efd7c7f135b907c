"""How far each reading of what a paper left open moves its results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    count: int
    of: int


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
        errors = _units_of(frames[claim.metric], claim, spans, parameter)["error"]
        if len(errors) > 1:
            interval = prediction_interval(errors.tolist())
            widths.append(interval.half_width / errors.mean())
            within.append(interval.meets(rounding_interval(claim.value)))
    return Scatter(float(np.median(widths)), tuple(within)) if widths else None


def naive_ahead(
    frames: Mapping[str, pd.DataFrame], claims: Iterable[ValueClaim], reading: tuple[str, str], spans: Sequence[str]
) -> Share:
    """Return against how many printed errors the naive forecast is at least as good, on the days that a reading tests.

    Parameters
    ----------
    frames : metric -> what `measured_by_reading` returns
    claims : the printed errors; one that no unit of this reading was run for counts nowhere
    reading : the parameter and its value, as in the frames
    """
    ahead, of = 0, 0
    for claim in claims:
        naive = _units_of(frames[claim.metric], claim, spans, *reading)["naive"].dropna()
        if len(naive):
            of += 1
            ahead += bool(naive.mean() <= float(claim.value))
    return Share(ahead, of)


def lowest_in(measured: pd.DataFrame, model: str, models: Iterable[str], run: Sequence[str]) -> Share:
    """Return in how many runs a model has the lowest error of all, of those runs that are there for each model.

    Parameters
    ----------
    measured : rows of one reading, with columns model, error and those of ``run``
    run : the columns that tell one run from another
    """
    errors = measured.pivot_table(index=list(run), columns="model", values="error")
    complete = errors.reindex(columns=list(models)).dropna()
    return Share(int((complete.idxmin(axis=1) == model).sum()) if len(complete) else 0, len(complete))


def last_against_best(losses: Sequence[NDArray[np.floating]]) -> float:
    """Return how many times their least loss several runs have at their last epoch, in means over the runs.

    Parameters
    ----------
    losses : one learning curve of shape (epochs,) for each run
    """
    return float(np.mean([one[-1] for one in losses]) / np.mean([one.min() for one in losses]))


def reading_labels(claims: PaperClaims) -> dict[tuple[str, str], str]:
    """Return (parameter, value) -> a short label in words, in the order of the claims file.

    A number stands behind its parameter; of other values the first words are taken that tell what they mean, or all of
    them where others begin alike.
    """
    labels = {(DEFAULT, ""): DEFAULT}
    for decision in claims.decisions:
        name = decision.parameter.replace("_", " ")
        openings = Counter(_opening(other.says) for other in decision.others)
        for other in decision.others:
            if isinstance(other.value, int | float) and not isinstance(other.value, bool):
                label = f"{name} {other.value}"
            else:
                said = _opening(other.says)
                label = f"{name}: {said if openings[said] == 1 else other.says}"
            labels[(decision.parameter, str(other.value))] = label
    return labels


def _opening(words: str) -> str:
    return re.split(r"[,;:]", words, maxsplit=1)[0]


def _units_of(
    frame: pd.DataFrame, claim: ValueClaim, spans: Sequence[str], parameter: str, value: str | None = None
) -> pd.DataFrame:
    """Return the units behind a claim that were run under one reading, or under every reading of one parameter."""
    of_claim = np.all([frame[name] == claim.conditions.get(name) for name in spans], axis=0)
    of_reading = (frame["parameter"] == parameter) & (True if value is None else frame["value"] == value)
    rows: pd.DataFrame = frame[of_reading & of_claim]
    return rows
