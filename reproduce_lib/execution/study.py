"""Which units are fresh, stale or missing in a store, and writing finished ones to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reproduce_lib import paths
from reproduce_lib.collection import load_paper
from reproduce_lib.data.registry import data_files
from reproduce_lib.execution.closure import changed_symbols, code_digests
from reproduce_lib.execution.worker import Finished
from reproduce_lib.record_files import DamagedLine
from reproduce_lib.records import Context, Record
from reproduce_lib.store import Store
from reproduce_lib.units import Paper, Profile, UnitParameters

State = Literal["fresh", "stale", "missing"]
Place = tuple[str, str]
_DATA = "data "
_ARRAYS = "arrays that are missing or not what the unit wrote"


def place_of(unit: UnitParameters) -> Place:
    """Return the paper and the experiment of a unit: the file that its record goes to."""
    return unit.paper, unit.experiment


def store_for(profile: Profile) -> Store:
    """Return the collection's own store for ``full`` units, and the user's own for all others."""
    if profile == "full":
        return Store(paths.records_folder(), paths.artifacts_folder())
    return Store(paths.user_folder() / "records", paths.user_folder() / "artifacts")


@dataclass(frozen=True)
class UnitStatus:
    """A unit, its record if there is one, and why the record is stale if it is."""

    unit: UnitParameters
    state: State
    record: Record | None = None
    context: Context | None = None
    because: tuple[str, ...] = ()

    @property
    def has_arrays(self) -> bool:
        """Tell whether the unit kept arrays that can be read."""
        return self.record is not None and self.record.artifact is not None and _ARRAYS not in self.because

    @property
    def stale_by_code_alone(self) -> bool:
        """Tell whether the record is stale, was made from the data of today, and has the arrays it speaks of."""
        by_data = any(reason.startswith(_DATA) for reason in self.because)
        return self.state == "stale" and not by_data and _ARRAYS not in self.because


def recorded_set(paper: Paper) -> list[UnitParameters]:
    """Return each unit that a page reads: those of the recorded set, and the naive ones that they are held against."""
    full = paper.full_units()
    naive = [unit for unit in map(paper.naive, full) if unit is not None]
    return list({unit.key: unit for unit in (*full, *naive)}.values())


def unit_statuses(units: Iterable[UnitParameters], store: Store) -> list[UnitStatus]:
    """Say of each unit whether it is recorded, whether by the code and data of today, and whether its arrays fit."""
    contents, codes = {}, {}
    statuses = []
    for unit in units:
        place = place_of(unit)
        if place not in contents:
            contents[place] = store.file(*place).read()
            codes[place] = code_digests(load_paper(unit.paper).experiment(unit.experiment).module)
        found = contents[place]
        record = found.records.get(unit.key)
        if record is None:
            statuses.append(UnitStatus(unit, "missing"))
            continue
        because = _reasons(found.codes(record), found.contexts[record.context].data, codes[place])
        if record.artifact is not None and not store.has_arrays(unit.paper, record):
            because.append(_ARRAYS)
        state: State = "stale" if because else "fresh"
        statuses.append(UnitStatus(unit, state, record, found.contexts[record.context], tuple(because)))
    return statuses


def damaged_lines(paper: str, store: Store) -> list[DamagedLine]:
    """Return the unreadable lines in a paper's records."""
    return [line for name in load_paper(paper).experiments for line in store.file(paper, name).read().damaged]


def write(outcome: Finished, store: Store) -> bool:
    """Record a finished unit; ``False`` if another writer already recorded the same."""
    unit, result = outcome.unit, outcome.result
    record = Record(
        key=unit.key,
        parameters=unit.model_dump(mode="json"),
        metrics=result.metrics,
        n=result.n,
        seconds=outcome.seconds,
        time=outcome.time,
        context=outcome.context.id,
    )
    return store.write(unit.paper, unit.experiment, outcome.context, record, result.arrays)


def _reasons(accepted: list[dict[str, str]], data: dict[str, str], current: dict[str, str]) -> list[str]:
    """Say why a record does not hold for today's code and data; nothing when it does."""
    files = data_files()
    reasons = [f"{_DATA}{name}" for name, digest in data.items() if name not in files or files[name].sha256 != digest]
    if current not in accepted:
        reasons += changed_symbols(accepted[-1], current)
    return reasons
