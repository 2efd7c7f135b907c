"""When a metric measured again agrees with its record: to a millionth where nothing differs, else within the seeds.

What has no random start is equal to one per cent elsewhere: an ARIMA is estimated by a search, which stops
where the rounding of a processor lets it stop.
On another processor, or with other versions, a network that trains from the same start ends elsewhere, as
it does from another start. So a replay there is held against the spread of the recorded seeds.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from reproduce_lib.collection import load_paper
from reproduce_lib.errors import RunError
from reproduce_lib.execution import environment
from reproduce_lib.execution.study import Place, UnitStatus, place_of
from reproduce_lib.records import Context, Record, Replay
from reproduce_lib.store import Store
from reproduce_lib.units import Backend, MetricValue
from reproduce_lib.verdicts import CONFIDENCE, LEAST_REPLICATIONS, prediction_interval

EQUAL_RELATIVE = 1e-6
# What is left of a difference that is nothing is no share of anything: 1e-17 is 0.0 in other sums' order.
EQUAL_ABSOLUTE = 1e-12
EQUAL_ELSEWHERE = 1e-2
Rule = Literal["equal to 1e-6", "equal to 1 %", "inside the recorded seeds' prediction interval"]
EQUAL: Rule = "equal to 1e-6"
P_VALUE = "p_value"


class Siblings:
    """The recorded units that differ from a unit in their seed alone, found by one look through each file."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups: dict[Place, dict[str, list[Record]]] = {}

    def of(self, status: UnitStatus) -> list[Record]:
        """Return the records of a unit and of its siblings."""
        place = place_of(status.unit)
        if place not in self._groups:
            groups: dict[str, list[Record]] = defaultdict(list)
            for record in self._store.file(*place).read().records.values():
                groups[_without_seed(record.parameters)].append(record)
            self._groups[place] = groups
        return self._groups[place].get(_without_seed(status.unit.model_dump(mode="json")), [])


def comparable_here(statuses: Iterable[UnitStatus], store: Store) -> list[UnitStatus]:
    """Return the recorded units that a replay on this machine can be held against.

    Those are the ones without randomness, those recorded in this environment, and those of which enough
    seeds are recorded to know their spread.
    """
    siblings = Siblings(store)
    recorded = [status for status in statuses if status.record is not None]
    here = {backend: _here(backend) for backend in {status.unit.backend for status in recorded}}
    return [
        status
        for status in recorded
        if _has_no_randomness(status)
        or _is_same(status, here[status.unit.backend])
        or len(siblings.of(status)) >= LEAST_REPLICATIONS
    ]


class Agreement:
    """The rule for one round of replays.

    Parameters
    ----------
    statuses : the units of the round. The more metrics they have, the wider the intervals: 95 % is the chance
        that none of them is called different by accident (Bonferroni's correction).
    """

    def __init__(self, statuses: Sequence[UnitStatus], store: Store) -> None:
        comparisons = sum(len(status.record.metrics) for status in statuses if status.record is not None)
        self.confidence = 1 - (1 - CONFIDENCE) / max(comparisons, 1)
        self._siblings = Siblings(store)

    def compare(self, status: UnitStatus, replayed: dict[str, MetricValue], context: Context) -> tuple[Replay, ...]:
        """Compare every recorded metric of a unit with its replay; one that is gone disagrees."""
        assert status.record is not None, "only recorded units are replayed"
        same = _is_same(status, (context.processor, context.versions))
        return tuple(
            self._compared(status, name, recorded, replayed.get(name, math.nan), same)
            for name, recorded in status.record.metrics.items()
        )

    def _compared(
        self, status: UnitStatus, name: str, recorded: MetricValue, replayed: MetricValue, same: bool
    ) -> Replay:
        rule = EQUAL
        if isinstance(recorded, str) or isinstance(replayed, str):
            agrees = recorded == replayed
        elif same or _equal(name, recorded, replayed):
            # What is equal elsewhere is said to be so: it is more than to lie within the seeds.
            agrees = _equal(name, recorded, replayed)
        elif _has_no_randomness(status):
            rule = "equal to 1 %"
            agrees = math.isclose(_on_a_line(name, recorded), _on_a_line(name, replayed), rel_tol=EQUAL_ELSEWHERE)
        else:
            rule = "inside the recorded seeds' prediction interval"
            agrees = self._is_inside(status, name, replayed)
        return Replay(key=status.unit.key, metric=name, recorded=recorded, replayed=replayed, agrees=agrees, rule=rule)

    def _is_inside(self, status: UnitStatus, name: str, replayed: float) -> bool:
        found = [record.metrics[name] for record in self._siblings.of(status) if name in record.metrics]
        values = [_on_a_line(name, value) for value in found if isinstance(value, float)]
        if len(values) < 2:
            return False  # equal values were told before
        again = _on_a_line(name, replayed)
        interval = prediction_interval(values, self.confidence)
        # Counts, such as a lag in days, have a spread of nothing where all seeds agree; the next one is near enough.
        slack = 1.0 if all(value.is_integer() for value in values) else 0.0
        return interval.lower - slack <= again <= interval.upper + slack


def _equal(name: str, recorded: float, replayed: float) -> bool:
    # The smallest p-values differ by powers of ten where the statistics behind them differ by little.
    near_zero = 0.0 if P_VALUE in name else EQUAL_ABSOLUTE
    return math.isclose(recorded, replayed, rel_tol=EQUAL_RELATIVE, abs_tol=near_zero)


def _on_a_line(name: str, value: float) -> float:
    """Return a value whose spread is that of a normal distribution: of a p-value, the normal deviate that has it."""
    if P_VALUE not in name:
        return value
    from scipy import stats

    return float(stats.norm.isf(max(value, 1e-300) / 2))


def _has_no_randomness(status: UnitStatus) -> bool:
    return load_paper(status.unit.paper).experiment(status.unit.experiment).deterministic


def _is_same(status: UnitStatus, here: tuple[str, dict[str, str]] | None) -> bool:
    """Tell whether a unit was recorded on the processor and with the versions of ``here``.

    Versions are compared of what both name: older records name fewer packages.
    """
    assert status.context is not None, "a recorded unit has a context"
    if here is None or here[0] != status.context.processor:
        return False
    then, now = status.context.versions, here[1]
    return all(then[name] == now[name] for name in then.keys() & now.keys())


def _here(backend: Backend) -> tuple[str, dict[str, str]] | None:
    """Return processor and versions of a unit that would run here, or ``None`` where it cannot run."""
    try:
        return environment.device(backend), environment.versions(backend)
    except RunError:
        return None


def _without_seed(parameters: dict[str, object]) -> str:
    return json.dumps({name: value for name, value in parameters.items() if name != "seed"}, sort_keys=True)
