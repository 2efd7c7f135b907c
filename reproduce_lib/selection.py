"""Which units of the recorded set a command is about: those of an experiment, behind a claim, or with given values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reproduce_lib.claims import load_claims
from reproduce_lib.collection import load_paper
from reproduce_lib.compare import Comparison
from reproduce_lib.errors import ParameterError
from reproduce_lib.execution.study import UnitStatus, store_for


@dataclass(frozen=True)
class Selection:
    """What units have to be; what is left out, they may be anything.

    Attributes
    ----------
    claim : id of the claim that they stand behind, or the beginning of several ids up to a dot
    where : parameter -> the value that they have
    """

    experiment: str = ""
    claim: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)


def comparison_of(paper: str) -> Comparison:
    """Return a paper's claims beside the collection's records.

    Raises
    ------
    ParameterError
        If no rebuilt paper has this key.
    ClaimError
        If its claims file is missing or wrong.
    """
    known = load_paper(paper)  # first, so that an unknown key is called one, and not a missing file
    return Comparison(load_claims(paper), known, store_for("full"))


def select_units(papers: Sequence[str], selection: Selection) -> list[UnitStatus]:
    """Return what fits in each paper; a paper where the selection means nothing is left out, if others are left.

    Raises
    ------
    ParameterError
        If no paper has such a unit: with what it has instead.
    """
    found: list[UnitStatus] = []
    refused = []
    for paper in papers:
        try:
            found += _units_of(paper, selection)
        except ParameterError as error:
            refused.append(error)
    if refused and not found:
        raise refused[0]
    return found


def _units_of(paper: str, selection: Selection) -> list[UnitStatus]:
    comparison = comparison_of(paper)
    statuses = comparison.statuses
    if selection.experiment:
        comparison.paper.experiment(selection.experiment)
    known = {name for one in statuses for name in type(one.unit).model_fields}
    if unknown := [name for name in selection.where if name not in known]:
        raise ParameterError(f"no unit of {paper} has {', '.join(unknown)}; parameters are: {', '.join(sorted(known))}")
    keys = _keys_behind(comparison, selection.claim) if selection.claim else None
    chosen = [
        one
        for one in statuses
        if (not selection.experiment or one.unit.experiment == selection.experiment)
        and (keys is None or one.unit.key in keys)
        and all(_is(getattr(one.unit, name, None), value) for name, value in selection.where.items())
    ]
    if not chosen:
        values = {name: {getattr(one.unit, name, None) for one in statuses} - {None} for name in selection.where}
        there = "; ".join(f"{name}: {', '.join(sorted(map(json.dumps, found)))}" for name, found in values.items())
        raise ParameterError(f"no unit of {paper} fits all of this; its units have {there or 'other experiments'}")
    return chosen


def _is(own: Any, value: Any) -> bool:
    """Tell whether a parameter has a value; a word that JSON reads as something else, as ``true``, is meant as well."""
    return bool(own == value or own == json.dumps(value))


def _keys_behind(comparison: Comparison, claim: str) -> set[str]:
    """Return the keys of the units behind a claim, or all claims of a part of the paper, as ``naufal2023.t3``."""
    rows = [row for row in comparison.rows if f"{row.claim.id}.".startswith(f"{claim}.")]
    if not rows:
        raise ParameterError(f"unknown claim {claim!r}; the ids are in book/claims/{comparison.paper.key}.yaml")
    keys = {unit.key for row in rows for unit in row.units}
    if not keys:
        raise ParameterError(f"claim {claim!r} is about the paper alone; no unit stands behind it")
    return keys
