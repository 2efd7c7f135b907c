"""Taking out of a store what the recorded set does not name any more, after units have left it or were renamed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from reproduce_lib.execution.study import recorded_set
from reproduce_lib.store import Store
from reproduce_lib.units import Paper


@dataclass(frozen=True)
class Pruned:
    """What went: records by experiment, and archives of arrays."""

    records: dict[str, int]
    arrays: int


def prune(paper: Paper, store: Store, *, dry_run: bool = False) -> Pruned:
    """Keep the last record of each unit of a paper's recorded set, and of each naive unit that one is held against.

    Nothing that a page or a verdict reads goes; a dry run only counts.

    Raises
    ------
    RecordError
        If a file cannot be written: it is as it was then.
    """
    keys: dict[str, set[str]] = defaultdict(set)
    for unit in recorded_set(paper):
        keys[unit.experiment].add(unit.key)
    records = {
        name: store.file(paper.key, name).prune(keys[name], dry_run=dry_run) for name in store.experiments(paper.key)
    }
    return Pruned(records, store.prune_arrays(paper.key, set().union(*keys.values()), dry_run=dry_run))
