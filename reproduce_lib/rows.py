"""What stands in a line of a table: a claim, its verdict, and what is behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from reproduce_lib.claims import FactClaim, OrderClaim, ValueClaim
from reproduce_lib.metrics import skill
from reproduce_lib.units import MetricValue, UnitParameters
from reproduce_lib.verdicts import Interval, Verdict


@dataclass(frozen=True)
class Row:
    """One claim with its verdict and what stands behind it.

    Attributes
    ----------
    measured : one entry per complete replication: a number, ``True``/``False`` for an order, or what each
        reading of a fact was held against
    expected : complete replications that the recorded set is to hold
    interval : prediction interval for one more replication, of numbers measured at least twice
    naive : the same quantity of the naive forecast on the same test days
    stale : units behind the row whose record is older than the code or the data
    units : every unit behind the row
    naive_holds : whether an order is that of the naive forecast's own scores, where they differ: models that are
        tested on the same cases have one naive score, which orders nothing
    held : share in which an order holds, of replications or of all pairs of independent ones
    ties : share in which it does not hold, and the first is exactly as good as the best of the others
    independent : whether those are pairs of independent replications
    """

    claim: ValueClaim | OrderClaim | FactClaim
    verdict: Verdict
    measured: tuple[MetricValue | bool, ...] = ()
    expected: int = 0
    interval: Interval | None = None
    naive: float | None = None
    stale: int = 0
    units: tuple[UnitParameters, ...] = ()
    reason: str = ""
    naive_holds: bool | None = None
    held: float | None = None
    ties: float = 0.0
    independent: bool = False

    @property
    def mean(self) -> float | None:
        """Return the mean over replications of a measured number, or ``None``."""
        if not isinstance(self.claim, ValueClaim) or not self.measured:
            return None
        return float(np.mean(np.asarray(self.measured, dtype=float)))

    @property
    def skill(self) -> float | None:
        """Return the skill against the naive forecast, or ``None`` where there is none or it is no error."""
        if not isinstance(self.claim, ValueClaim) or self.claim.better != "lower":
            return None
        return skill(self.mean, self.naive) if self.mean is not None and self.naive else None

    @property
    def on_substitute_data(self) -> bool:
        """Tell whether the verdict was reached on other data than the paper's."""
        return self.claim.comparable == "substitute-data"

    @property
    def counted(self) -> Verdict:
        """Return the verdict under which the row is counted."""
        if self.on_substitute_data and self.verdict is Verdict.REPRODUCED:
            return Verdict.REPRODUCED_ON_SUBSTITUTE
        return self.verdict

    @property
    def verdict_words(self) -> str:
        """Return the verdict as it is printed."""
        if self.verdict is Verdict.PENDING:
            return f"{self.verdict} ({len(self.measured)} of {self.expected})"
        return f"{self.verdict} on substitute data" if self.on_substitute_data else str(self.verdict)


def verdict_counts(rows: Iterable[Row]) -> Counter[Verdict]:
    """Return how many claims got each verdict."""
    return Counter(row.counted for row in rows)
