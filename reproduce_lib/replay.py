"""Executing recorded units again: ``verify`` compares, ``adopt`` carries records over a refactoring."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from reproduce_lib.errors import RunError
from reproduce_lib.estimates import expected_seconds
from reproduce_lib.papers import load_paper
from reproduce_lib.pool import Due, Workers, execute_units
from reproduce_lib.records import Context, Record, Replay, Store
from reproduce_lib.study import UnitStatus, place_of
from reproduce_lib.units import MetricValue, Paper, UnitParameters
from reproduce_lib.verdicts import prediction_interval
from reproduce_lib.worker import Failed, Finished

EQUAL_RELATIVE = 1e-6
LEAST_ADOPTION_SHARE = 0.05
LEAST_ADOPTION_UNITS = 5
Rule = Literal["equal to 1e-6", "inside the recorded seeds' prediction interval"]


@dataclass(frozen=True)
class UnitReplay:
    """A unit that was executed again: each metric, recorded and replayed, and both environments."""

    status: UnitStatus
    metrics: tuple[Replay, ...]
    replayed_in: Context | None
    error: str = ""

    @property
    def agrees(self) -> bool:
        """Tell whether the unit ran and every metric agrees."""
        return not self.error and all(metric.agrees for metric in self.metrics)


def choose(statuses: Sequence[UnitStatus], sample: int, seed: int) -> list[UnitStatus]:
    """Choose recorded units at random, first one of each experiment, then in proportion to their numbers."""
    return _shuffled(statuses, seed)[:sample]


def choose_within(
    statuses: Sequence[UnitStatus], seconds: float, seed: int, store: Store, *, jobs: int = 1
) -> list[UnitStatus]:
    """Choose like `choose`, as many as ``jobs`` workers are expected to replay within ``seconds``.

    A unit whose like was never recorded on this processor is expected to take its recorded seconds.
    """
    shuffled = _shuffled(statuses, seed)
    expected = expected_seconds([status.unit for status in shuffled], [store])
    chosen, left = [], seconds * jobs
    for status, here in zip(shuffled, expected, strict=True):
        assert status.record is not None, "only recorded units are replayed"
        needed = status.record.seconds if here is None else here
        if needed <= min(seconds, left):
            chosen.append(status)
            left -= needed
    return chosen


def replay(chosen: Iterable[UnitStatus], store: Store, workers: Workers | None = None) -> Iterator[UnitReplay]:
    """Execute recorded units again; yield each, compared by the rule for where it was recorded, as it ends."""
    by_key = {status.unit.key: status for status in chosen}
    for outcome in execute_units([Due(status.unit) for status in by_key.values()], workers):
        status = by_key[outcome.unit.key]
        if isinstance(outcome, Failed):
            yield UnitReplay(status, (), None, outcome.message)
        else:
            yield _compare(status, outcome, store)


def adopt(
    statuses: Sequence[UnitStatus],
    paper: Paper,
    store: Store,
    workers: Workers | None = None,
    *,
    seed: int = 0,
    on_replay: Callable[[UnitReplay], None] = lambda _: None,
) -> dict[str, list[UnitReplay]]:
    """Let stale records hold for today's code, if a sample of each experiment replays without a difference.

    At least 5 % and 5 units of each experiment are executed again; the adoption is written with every
    compared metric as evidence, for all experiments or for none. Records of other data stay stale.
    ``on_replay`` is told of each replayed unit as it ends.

    Raises
    ------
    RunError
        If a replay disagrees: then the change was more than a refactoring, and nothing is written.
    """
    stale: dict[str, list[UnitStatus]] = defaultdict(list)
    for status in statuses:
        if status.stale_by_code_alone:
            stale[status.unit.experiment].append(status)
    replayed: dict[str, list[UnitReplay]] = {}
    for name, members in stale.items():
        sample = max(LEAST_ADOPTION_UNITS, math.ceil(LEAST_ADOPTION_SHARE * len(members)))
        replayed[name] = []
        for unit in replay(_covering(members, sample, seed), store, workers):
            on_replay(unit)
            replayed[name].append(unit)
    wrong = [unit for units in replayed.values() for unit in units if not unit.agrees]
    if wrong:
        raise RunError(f"{len(wrong)} replayed unit(s) disagree, nothing is adopted: {describe(wrong[0])}")
    for name, units in replayed.items():
        _write_adoption(paper, name, stale[name], units, store)
    return replayed


def describe(unit: UnitReplay) -> str:
    """Say which unit disagrees, in which metric, with both values and both environments."""
    where = f"{unit.status.unit.paper} {unit.status.unit.experiment} {unit.status.unit.key}"
    if unit.error:
        return f"{where}: {unit.error}"
    parts = [
        f"{m.metric} {m.recorded} recorded, {m.replayed} replayed ({m.rule})" for m in unit.metrics if not m.agrees
    ]
    recorded, now = unit.status.context, unit.replayed_in
    if recorded is None or now is None:
        return f"{where}: {'; '.join(parts)}"
    return f"{where}: {'; '.join(parts)}; recorded on {_environment(recorded)}, replayed on {_environment(now)}"


def _shuffled(statuses: Sequence[UnitStatus], seed: int) -> list[UnitStatus]:
    """Return the recorded units in random order, one of each experiment of each paper before all others."""
    recorded = [status for status in statuses if status.record is not None]
    generator = np.random.default_rng(seed)
    shuffled = [recorded[i] for i in generator.permutation(len(recorded))]
    firsts = {place_of(status.unit): status for status in reversed(shuffled)}
    keys = {status.unit.key for status in firsts.values()}
    return [*firsts.values(), *(status for status in shuffled if status.unit.key not in keys)]


def _covering(members: list[UnitStatus], sample: int, seed: int) -> list[UnitStatus]:
    """Choose at random, but at least one record of every context that is to be adopted."""
    generator = np.random.default_rng(seed)
    shuffled = [members[i] for i in generator.permutation(len(members))]
    firsts = {status.record.context: status for status in reversed(shuffled) if status.record is not None}
    rest = [status for status in shuffled if status not in firsts.values()]
    return [*firsts.values(), *rest][: max(sample, len(firsts))]


def _write_adoption(
    paper: Paper, experiment: str, stale: list[UnitStatus], units: list[UnitReplay], store: Store
) -> None:
    contexts = [unit.replayed_in for unit in units if unit.replayed_in is not None]
    adopted = sorted({status.record.context for status in stale if status.record is not None})
    evidence = [metric for unit in units for metric in unit.metrics]
    time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    store.file(paper.key, experiment).adopt(contexts[0], adopted, evidence, time)


def _compare(status: UnitStatus, outcome: Finished, store: Store) -> UnitReplay:
    record, context = status.record, status.context
    assert record is not None and context is not None, "only recorded units are replayed"
    experiment = load_paper(status.unit.paper).experiment(status.unit.experiment)
    strict = experiment.deterministic or _same_environment(context, outcome.context)
    replayed = outcome.result.metrics
    metrics = tuple(
        _agreement(status.unit, name, value, replayed.get(name, math.nan), strict, store)
        for name, value in record.metrics.items()
    )
    return UnitReplay(status, metrics, outcome.context)


def _agreement(
    unit: UnitParameters, name: str, recorded: MetricValue, replayed: MetricValue, strict: bool, store: Store
) -> Replay:
    rule: Rule = "equal to 1e-6"
    if isinstance(recorded, str) or isinstance(replayed, str):
        agrees = recorded == replayed
    elif strict:
        agrees = math.isclose(recorded, replayed, rel_tol=EQUAL_RELATIVE)
    else:
        rule = "inside the recorded seeds' prediction interval"
        agrees = _inside(replayed, _recorded_seeds(unit, name, store))
    return Replay(key=unit.key, metric=name, recorded=recorded, replayed=replayed, agrees=agrees, rule=rule)


def _inside(value: float, recorded: Sequence[float]) -> bool:
    if len(recorded) < 2:
        return math.isclose(value, recorded[0], rel_tol=EQUAL_RELATIVE)
    interval = prediction_interval(recorded)
    return interval.lower <= value <= interval.upper


def _recorded_seeds(unit: UnitParameters, name: str, store: Store) -> list[float]:
    """Return a metric of every recorded unit that differs from ``unit`` in its seed alone."""
    records = store.file(unit.paper, unit.experiment).read().records.values()
    mine = _without_seed(unit.model_dump(mode="json"))
    siblings: list[Record] = [record for record in records if _without_seed(record.parameters) == mine]
    values = [record.metrics[name] for record in siblings if name in record.metrics]
    return [value for value in values if isinstance(value, float)]


def _without_seed(parameters: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in parameters.items() if name != "seed"}


def _same_environment(one: Context, other: Context) -> bool:
    """Tell whether two contexts share the processor and every version that can move a number."""
    return (one.processor, one.versions) == (other.processor, other.versions)


def _environment(context: Context) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in context.versions.items())
    return f"{context.processor}, {context.threads} thread(s), {versions}"
