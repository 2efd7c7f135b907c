"""Which units are fresh, stale or missing, and running the ones that are not fresh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from reproduce_lib import paths
from reproduce_lib.closure import changed_symbols, code_digests
from reproduce_lib.data.registry import data_files
from reproduce_lib.errors import RunError
from reproduce_lib.papers import load_paper
from reproduce_lib.records import Context, DamagedLine, Record, Store
from reproduce_lib.units import Backend, Profile, UnitParameters
from reproduce_lib.worker import Failed, Finished, execute

State = Literal["fresh", "stale", "missing"]
Execute = Literal["recorded", "missing", "fresh"]
_DATA = "data "
_ARRAYS = "its arrays are missing"


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
    def arrays_missing(self) -> bool:
        """Tell whether the file of arrays that the record speaks of is gone."""
        return _ARRAYS in self.because

    @property
    def stale_by_code_alone(self) -> bool:
        """Tell whether the record is stale, was made from the data of today, and has its arrays."""
        by_data = any(reason.startswith(_DATA) for reason in self.because)
        return self.state == "stale" and not by_data and not self.arrays_missing


@dataclass
class Summary:
    """What a run did."""

    written: int = 0
    failed: list[Failed] = field(default_factory=list)
    damaged: list[DamagedLine] = field(default_factory=list)


def unit_statuses(units: Iterable[UnitParameters], store: Store) -> list[UnitStatus]:
    """Say of each unit whether it is recorded, and whether by the code and data of today."""
    contents = {}
    statuses = []
    for unit in units:
        place = (unit.paper, unit.experiment)
        if place not in contents:
            contents[place] = store.file(*place).read()
        found = contents[place]
        record = found.records.get(unit.key)
        if record is None:
            statuses.append(UnitStatus(unit, "missing"))
            continue
        because = _reasons(found.codes(record), found.contexts[record.context].data, unit.paper)
        if record.artifact is not None and not store.has_arrays(unit.paper, unit.key):
            because.append(_ARRAYS)
        state: State = "stale" if because else "fresh"
        statuses.append(UnitStatus(unit, state, record, found.contexts[record.context], tuple(because)))
    return statuses


def damaged_lines(paper: str, store: Store) -> list[DamagedLine]:
    """Return the unreadable lines in a paper's records."""
    return [line for name in load_paper(paper).experiments for line in store.file(paper, name).read().damaged]


def run_units(
    units: Iterable[UnitParameters],
    store: Store,
    *,
    how: Execute = "missing",
    jobs: int = 1,
    progress: bool = True,
) -> Summary:
    """Bring the records of ``units`` up to date; each finished unit is on disk at once.

    Parameters
    ----------
    how : ``recorded`` runs nothing, ``missing`` what is missing or stale, ``fresh`` everything
    jobs : units run at a time, each in a worker process of its own on one thread

    Raises
    ------
    RunError
        If a worker process dies. What was finished before stays recorded; run again to go on.
    """
    chosen = list(units)
    summary = Summary()
    if how == "recorded":
        return summary
    for place in dict.fromkeys((unit.paper, unit.experiment) for unit in chosen):
        summary.damaged += store.file(*place).set_damaged_aside()
    if how == "missing":
        chosen = [status.unit for status in unit_statuses(chosen, store) if status.state != "fresh"]
    for outcome in execute_units(chosen, jobs=jobs, progress=progress):
        if isinstance(outcome, Failed):
            summary.failed.append(outcome)
        else:
            summary.written += write(outcome, store)
    return summary


def execute_units(
    units: Iterable[UnitParameters], *, jobs: int = 1, progress: bool = True
) -> Iterator[Finished | Failed]:
    """Yield each unit's outcome as it ends, whatever the order."""
    from tqdm.auto import tqdm

    waiting = list(units)
    with tqdm(total=len(waiting), unit="unit", disable=not progress or not waiting) as bar:
        for members in _by_backend(waiting):
            for outcome in _in_workers(members, jobs):
                bar.set_postfix_str(outcome.unit.experiment, refresh=False)
                bar.update()
                yield outcome


def write(outcome: Finished, store: Store) -> bool:
    """Record a finished unit; ``False`` if another writer already recorded the same."""
    unit, result = outcome.unit, outcome.result
    artifact = store.write_arrays(unit.paper, unit.key, result.arrays) if result.arrays else None
    record = Record(
        key=unit.key,
        parameters=unit.model_dump(mode="json"),
        metrics=result.metrics,
        n=result.n,
        seconds=outcome.seconds,
        time=outcome.time,
        context=outcome.context.id,
        artifact=artifact,
    )
    return store.file(unit.paper, unit.experiment).append(outcome.context, record)


def _by_backend(units: list[UnitParameters]) -> list[list[UnitParameters]]:
    """Group units by backend, which Keras cannot change in a process; those without one join the first group."""
    named: list[Backend] = [unit.backend for unit in units if unit.backend != "none"]
    backends = list(dict.fromkeys(named)) or ["none"]
    return [
        [unit for unit in units if unit.backend == backend or (unit.backend == "none" and backend == backends[0])]
        for backend in backends
    ]


def _in_workers(units: list[UnitParameters], jobs: int) -> Iterator[Finished | Failed]:
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    tasks = (delayed(execute)(unit.paper, unit.experiment, unit.model_dump()) for unit in units)
    try:
        # joblib runs a single job in the calling process, where other threads and a loaded backend would
        # change a unit. Two workers of which one task at a time is asked keep it out of there.
        with parallel_config(backend="loky", inner_max_num_threads=1):
            pool = Parallel(n_jobs=max(jobs, 2), pre_dispatch=jobs, batch_size=1, return_as="generator_unordered")
            yield from pool(tasks)
    except TerminatedWorkerError as error:
        raise RunError(
            "a worker process died (killed, or out of memory); finished units are recorded, run again to go on"
        ) from error
    finally:
        get_reusable_executor().shutdown(wait=True)


def _reasons(accepted: list[dict[str, str]], data: dict[str, str], paper: str) -> list[str]:
    """Say why a record does not hold for today's code and data; nothing when it does."""
    files = data_files()
    reasons = [f"{_DATA}{name}" for name, digest in data.items() if name not in files or files[name].sha256 != digest]
    current = code_digests(load_paper(paper).module)
    if current not in accepted:
        reasons += changed_symbols(accepted[-1], current)
    return reasons
