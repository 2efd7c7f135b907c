"""Executing recorded units again: ``verify`` compares, ``adopt`` carries records over a refactoring."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reproduce_lib.errors import RunError
from reproduce_lib.execution.agreement import EQUAL, Agreement, comparable_here
from reproduce_lib.execution.estimates import expected_seconds
from reproduce_lib.execution.pool import Due, Workers, execute_units
from reproduce_lib.execution.run_log import now
from reproduce_lib.execution.study import UnitStatus, place_of
from reproduce_lib.execution.worker import Failed
from reproduce_lib.records import Context, Replay
from reproduce_lib.store import Store
from reproduce_lib.units import Paper

LEAST_ADOPTION_SHARE = 0.05
LEAST_ADOPTION_UNITS = 5


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

    @property
    def is_equal(self) -> bool:
        """Tell whether the unit ran and every metric is equal to its record, which is more than to agree elsewhere."""
        return self.agrees and all(metric.rule == EQUAL for metric in self.metrics)

    @property
    def outcome(self) -> Literal["agrees", "DISAGREES", "NOT RUN"]:
        """Return in a word what is known; of a unit that could not be run nothing is."""
        if self.error:
            return "NOT RUN"
        return "agrees" if self.agrees else "DISAGREES"


def choose(statuses: Sequence[UnitStatus], sample: int, seed: int, store: Store) -> list[UnitStatus]:
    """Choose recorded units at random, first one of each experiment, then in proportion to their numbers.

    Units that a replay on this machine could not be held against are left out (`agreement.comparable_here`).
    """
    return _shuffled(comparable_here(statuses, store), seed)[:sample]


def choose_within(
    statuses: Sequence[UnitStatus], seconds: float, seed: int, store: Store, *, jobs: int = 1
) -> list[UnitStatus]:
    """Choose like `choose`, as many as ``jobs`` workers are expected to replay within ``seconds``.

    A unit whose like was never recorded on this processor is expected to take its recorded seconds.
    """
    shuffled = _shuffled(comparable_here(statuses, store), seed)
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
    rule = Agreement(list(by_key.values()), store)
    for outcome in execute_units([Due(status.unit) for status in by_key.values()], workers):
        status = by_key[outcome.unit.key]
        if isinstance(outcome, Failed):
            yield UnitReplay(status, (), None, outcome.message)
        else:
            metrics = rule.compare(status, outcome.result.metrics, outcome.context)
            yield UnitReplay(status, metrics, outcome.context)


def adopt(
    statuses: Sequence[UnitStatus],
    paper: Paper,
    store: Store,
    workers: Workers | None = None,
    *,
    seed: int = 0,
    on_replay: Callable[[UnitReplay], None] = lambda _: None,
) -> dict[str, list[UnitReplay]]:
    """Let stale records hold for today's code, if a sample of each experiment replays to equal numbers.

    At least 5 % and 5 units of each experiment are executed again; the adoption is written with every
    compared metric as evidence, for all experiments or for none. Records of other data stay stale.
    ``on_replay`` is told of each replayed unit as it ends.

    Raises
    ------
    RunError
        At the first replay that could not be run, or whose numbers are not equal to the recorded ones; nothing
        is written then. To lie where the seeds say that another run falls is not enough: a change of code that
        moves a number by less would be taken for a refactoring.
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
            _require_equal(unit, paper)
            replayed[name].append(unit)
    for name, units in replayed.items():
        _write_adoption(paper, name, stale[name], units, store)
    return replayed


def describe(unit: UnitReplay) -> str:
    """Say which unit it is, and how its metrics agree; or which do not, with both values and both environments."""
    where = f"{unit.status.unit.paper} {unit.status.unit.experiment} {unit.status.unit.key}"
    if unit.error:
        return f"{where}: {unit.error}"
    if unit.agrees:
        return f"{where} {', '.join(map(_side_by_side, unit.metrics))}"
    parts = [
        f"{m.metric} {m.recorded} recorded, {m.replayed} replayed ({m.rule})" for m in unit.metrics if not m.agrees
    ]
    recorded, now = unit.status.context, unit.replayed_in
    if recorded is None or now is None:
        return f"{where}: {'; '.join(parts)}"
    return f"{where}: {'; '.join(parts)}; recorded on {_environment(recorded)}, replayed on {_environment(now)}"


def _side_by_side(metric: Replay) -> str:
    if metric.rule == EQUAL:
        return f"{metric.metric} {metric.recorded} = {metric.replayed}"
    return f"{metric.metric} {metric.recorded} ≈ {metric.replayed} ({metric.rule})"


def _require_equal(unit: UnitReplay, paper: Paper) -> None:
    """Refuse to adopt after a replay that does not show that no number changed."""
    if unit.is_equal:
        return
    if not unit.agrees:
        what = "could not be run" if unit.error else "disagrees"
        raise RunError(f"a replayed unit {what}, nothing is adopted: {describe(unit)}")
    raise RunError(
        "a replayed unit is near its record and not equal to it, as it may be on another processor, which does not "
        "show that no number changed; nothing is adopted: adopt where it was recorded, or run what is stale again "
        f"with: reproduce run {paper.key} --execute stale; {describe(unit)}"
    )


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
    store.file(paper.key, experiment).adopt(contexts[0], adopted, evidence, now())


def _environment(context: Context) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in context.versions.items())
    return f"{context.processor}, {context.threads} thread(s), {versions}"
