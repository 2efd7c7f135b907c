"""Claims x records: each printed statement beside what was measured, with its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cached_property
from itertools import count, product
from typing import Any

import numpy as np

from reproduce_lib.claims import (
    AnyOf,
    FactClaim,
    Measured,
    OrderClaim,
    PaperClaims,
    Quantity,
    ValueClaim,
)
from reproduce_lib.execution.study import UnitStatus, recorded_set, unit_statuses
from reproduce_lib.forecast_tests import diebold_mariano
from reproduce_lib.printed_facts import SHORTENED, exact, printed_fact
from reproduce_lib.rows import Row
from reproduce_lib.store import Store
from reproduce_lib.tolerances import metric
from reproduce_lib.units import Paper, UnitParameters
from reproduce_lib.verdicts import (
    Verdict,
    deterministic_verdict,
    order_verdict,
    prediction_interval,
    value_verdict,
)

Replication = tuple[UnitParameters, ...]


class Outcome(Enum):
    """How an order comes out: as stated, with the first as good as the best of the others, or otherwise."""

    HELD = "held"
    TIE = "tie"
    LOST = "lost"


class Comparison:
    """The claims of one paper beside its records, read once."""

    def __init__(self, claims: PaperClaims, paper: Paper, store: Store) -> None:
        self.claims = claims
        self.paper = paper
        self.store = store
        self._status = {status.unit.key: status for status in unit_statuses(recorded_set(paper), store)}

    @cached_property
    def rows(self) -> list[Row]:
        """Return one row per claim, in the order of the claims file."""
        return [self.row(claim) for claim in self.claims.claims]

    @property
    def statuses(self) -> list[UnitStatus]:
        """Return the status of every unit of the recorded set."""
        return list(self._status.values())

    def row(self, claim: ValueClaim | OrderClaim | FactClaim) -> Row:
        """Judge one claim."""
        if claim.comparable == "no-data":
            return Row(claim, Verdict.NOT_TESTED, reason=claim.why)
        match claim:
            case ValueClaim():
                return self._value_row(claim)
            case OrderClaim():
                return self._order_row(claim)
            case FactClaim():
                return self._fact_row(claim)

    def replications(self, claim: ValueClaim | Quantity) -> list[Replication]:
        """Return the units of each replication of a claim in the recorded set, seed by seed."""
        parameters = self.paper.experiment(claim.experiment).parameters
        spans = [dict(zip(claim.over, values, strict=True)) for values in product(*claim.over.values())]
        found: list[Replication] = []
        for seed in count():
            units = tuple(parameters.of(**claim.conditions, **span, seed=seed) for span in spans)
            if any(unit.key not in self._status for unit in units):
                return found
            found.append(units)
        raise AssertionError("the recorded set is finite")

    def measured(self, claim: ValueClaim) -> list[float | None]:
        """Return the claimed quantity of each replication, ``None`` where a unit of it is missing."""
        return [self._quantity(units, claim.metric) for units in self.replications(claim)]

    def _quantity(self, units: Replication, name: str) -> float | None:
        records = [self._status[unit.key].record for unit in units]
        # A record of older code may lack a score that was added since: it is missing until the unit is run again.
        values = [record.metrics[name] for record in records if record is not None and name in record.metrics]
        return float(np.mean(np.asarray(values, dtype=float))) if len(values) == len(units) else None

    def _value_row(self, claim: ValueClaim) -> Row:
        replications = self.replications(claim)
        measured = [value for value in self.measured(claim) if value is not None]
        units = tuple(unit for replication in replications for unit in replication)
        known = metric(claim.metric)
        interval = prediction_interval(measured).within(claim.possible) if len(measured) > 1 else None
        if self.paper.experiment(claim.experiment).deterministic:
            verdict = deterministic_verdict(claim.value, measured[0], claim.better) if measured else Verdict.PENDING
        else:
            width = known.verdict_half_width(float(claim.value))
            verdict = value_verdict(claim.value, measured, width, claim.better)
        naive = self._naive(replications, claim.metric)
        return Row(claim, verdict, tuple(measured), len(replications), interval, naive, self._stale(units), units)

    def _order_row(self, claim: OrderClaim) -> Row:
        compared = [self.claims.quantity(name) for name in (claim.first, *claim.among)]
        each = self._beside_each_other(compared)
        replications = list(zip(*each, strict=False))
        outcomes = [self._outcome(claim, compared, cells) for cells in replications]
        known = [outcome for outcome in outcomes if outcome is not None]
        units = tuple(unit for cells in replications for cell in cells for unit in cell)
        deterministic = all(self.paper.experiment(one.experiment).deterministic for one in compared)
        independent = self.claims.runs == "independent" and not deterministic
        if not known:
            held = ties = None
        elif independent:
            held, ties = self._shares_of_pairs(claim, compared, each)
        else:
            held, ties = (sum(one is kind for one in known) / len(known) for kind in (Outcome.HELD, Outcome.TIE))
        if held is None or ties is None:
            verdict = Verdict.PENDING
        elif deterministic:
            verdict = Verdict.HOLDS if held == 1 else Verdict.UNDECIDED if ties else Verdict.FAILS
        else:
            verdict = order_verdict(held, ties, len(known))
        return Row(
            claim,
            verdict,
            tuple(one is Outcome.HELD for one in known),
            len(replications),
            naive_holds=self._naive_holds(claim, compared),
            stale=self._stale(units),
            units=units,
            held=held,
            ties=ties or 0.0,
            independent=independent,
        )

    def _shares_of_pairs(
        self, claim: OrderClaim, compared: Sequence[ValueClaim | Quantity], each: Sequence[Sequence[Replication]]
    ) -> tuple[float, float]:
        """Return in what share of all combinations of runs an order holds, and in what share it is a tie.

        The others are independent of one another: for one run of the first, the share of combinations in which it
        beats all of them is the product of the shares of each one's runs that it beats.
        """
        held, not_lost = [], []
        for first in self._recorded_cells(compared[0], each[0]):
            beats, stands = [], []
            for other, cells in zip(compared[1:], each[1:], strict=True):
                found = [
                    self._outcome(claim, (compared[0], other), (first, cell))
                    for cell in self._recorded_cells(other, cells)
                ]
                beats.append(sum(one is Outcome.HELD for one in found) / len(found))
                stands.append(sum(one in (Outcome.HELD, Outcome.TIE) for one in found) / len(found))
            held.append(np.prod(beats))
            not_lost.append(np.prod(stands))
        return float(np.mean(held)), float(np.mean(not_lost) - np.mean(held))

    def _recorded_cells(self, compared: ValueClaim | Quantity, cells: Sequence[Replication]) -> list[Replication]:
        return [cell for cell in dict.fromkeys(cells) if self._quantity(cell, compared.metric) is not None]

    def _naive_holds(self, claim: OrderClaim, compared: Sequence[ValueClaim | Quantity]) -> bool | None:
        """Tell whether the naive forecast's own scores are in the stated order, if they are known and differ."""
        found = [self._naive(self.replications(one), one.metric) for one in compared]
        known = [value for value in found if value is not None]
        if len(known) < len(found) or np.allclose(known, known[0], rtol=1e-12, atol=0):
            return None
        return _in_order(claim, known)

    def _beside_each_other(self, compared: Sequence[ValueClaim | Quantity]) -> list[list[Replication]]:
        """Return each claim's replications; the only one of a deterministic claim stands beside all of the others'."""
        each = [self.replications(one) for one in compared]
        most = max(map(len, each))
        alone = [self.paper.experiment(one.experiment).deterministic for one in compared]
        return [found * most if once else found for found, once in zip(each, alone, strict=True)]

    def _outcome(
        self, claim: OrderClaim, compared: Sequence[ValueClaim | Quantity], cells: Sequence[Replication]
    ) -> Outcome | None:
        """Tell how an order comes out in one replication; ``None`` while a unit of it is missing."""
        found = [self._quantity(cell, one.metric) for one, cell in zip(compared, cells, strict=True)]
        values = [float(value) for value in found if value is not None]
        if len(values) < len(found):
            return None
        if not _in_order(claim, values):
            best = min(values[1:]) if claim.least else max(values[1:])
            return Outcome.TIE if values[0] == best else Outcome.LOST
        if claim.significant_at is None:
            return Outcome.HELD
        if not all(status.has_arrays for cell in cells for status in map(self._status_of, cell)):
            return None
        errors = [self._errors(cell) for cell in cells]
        tests = [diebold_mariano(errors[0], other) for other in errors[1:]]
        return Outcome.HELD if all(test.p_value < claim.significant_at for test in tests) else Outcome.LOST

    def _status_of(self, unit: UnitParameters) -> UnitStatus:
        return self._status[unit.key]

    def _errors(self, cell: Replication) -> np.ndarray[Any, Any]:
        """Return the forecast errors that a replication of one unit kept, shape (test days,)."""
        (unit,) = cell
        record = self._status[unit.key].record
        assert record is not None, "the caller saw its metrics"
        return self.store.read_arrays(unit.paper, record)["error"]

    def _fact_row(self, claim: FactClaim) -> Row:
        match claim.against:
            case Measured() as measured:
                return self._measured_fact_row(claim, measured)
            case AnyOf():
                return self._any_row(claim)
            case against:
                return printed_fact(self.claims, claim, against)

    def _measured_fact_row(self, claim: FactClaim, source: Measured) -> Row:
        unit = self.paper.experiment(source.experiment).parameters.of(**source.conditions)
        status = self._status.get(unit.key)
        if status is None or status.record is None or source.metric not in status.record.metrics:
            return Row(claim, Verdict.PENDING, (), 1, units=(unit,))
        value = status.record.metrics[source.metric]
        agrees = value == claim.printed if isinstance(value, str) else SHORTENED[claim.digits](value, claim.printed)
        return Row(claim, exact(agrees), (value,), 1, stale=self._stale((unit,)), units=(unit,))

    def _any_row(self, claim: FactClaim) -> Row:
        """Judge a statement by that of its readings which fits it best."""
        rows = [self._fact_row(one) for one in claim.alone]
        verdicts = [row.verdict for row in rows]
        verdict = next(one for one in (Verdict.EXACT, Verdict.PENDING, Verdict.NOT_EXACT) if one in verdicts)
        units = tuple(unit for row in rows for unit in row.units)
        measured = tuple(value for row in rows for value in row.measured)
        return Row(claim, verdict, measured, len(rows), stale=self._stale(units), units=units)

    def _naive(self, replications: Sequence[Replication], name: str) -> float | None:
        """Return the mean of the naive forecast over the recorded replications, over all of them while none is."""
        recorded = [cells for cells in replications if self._quantity(cells, name) is not None]
        found = [self._naive_of_one(cells, name) for cells in recorded or replications]
        known = [value for value in found if value is not None]
        return float(np.mean(known)) if known else None

    def _naive_of_one(self, replication: Replication, name: str) -> float | None:
        naive = [self.paper.naive(unit) for unit in replication]
        units = tuple(unit for unit in naive if unit is not None)
        return self._quantity(units, name) if len(units) == len(replication) else None

    def _stale(self, units: Iterable[UnitParameters]) -> int:
        return sum(self._status[key].state == "stale" for key in {unit.key for unit in units})


def _in_order(claim: OrderClaim, values: Sequence[float]) -> bool:
    """Tell whether the first value is below, or above, all others."""
    first, *others = values
    return all(first < other if claim.least else first > other for other in others)
