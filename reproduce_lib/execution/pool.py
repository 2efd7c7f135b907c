"""Executing units in worker processes, on this machine or on a Dask cluster, through joblib.

Every unit runs in a worker process on one thread, whatever the number of workers, so that neither the
others nor the caller can change it. Units that a GPU can train side by side go to a worker together.
"""

from __future__ import annotations

import signal
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reproduce_lib.collection import load_paper
from reproduce_lib.errors import RunError
from reproduce_lib.execution.environment import loaded_backend
from reproduce_lib.execution.tracebacks import kept
from reproduce_lib.execution.worker import Failed, Finished, execute_together
from reproduce_lib.units import Backend, UnitParameters

if TYPE_CHECKING:
    from distributed import Client

# What one program on a GPU holds: more models at once would not be faster, and fewer fit into a small one.
LARGEST_BATCH = 64
WAIT_SECONDS = 10  # for a scheduler to answer, and for its first worker
Units = tuple[UnitParameters, ...]


@dataclass(frozen=True)
class Workers:
    """Where units run: ``jobs`` processes of this machine, or all workers of the cluster at ``dask``."""

    jobs: int = 1
    dask: str = ""


@dataclass(frozen=True)
class Due:
    """A unit to run, and the seconds that it is expected to take; ``None`` where nobody knows."""

    unit: UnitParameters
    seconds: float | None = None


class Watcher(Protocol):
    """What is told about a run while it goes on."""

    def started(self, unit: UnitParameters) -> None:
        """Hear that a unit was handed to a worker."""

    def ended(self, outcome: Finished | Failed) -> None:
        """Hear how a unit ended."""

    def notice(self, text: str) -> None:
        """Hear something that a person should know."""


class Silent:
    """A watcher that says nothing."""

    def started(self, unit: UnitParameters) -> None:
        """Say nothing."""

    def ended(self, outcome: Finished | Failed) -> None:
        """Say nothing."""

    def notice(self, text: str) -> None:
        """Say nothing."""


@dataclass
class Stop:
    """When no further unit is started: on request, or when it could not end before a time limit."""

    limit_seconds: float | None = None
    requested: threading.Event = field(default_factory=threading.Event)
    begun: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        """Return the seconds before the limit; infinite without one, zero after a request."""
        if self.requested.is_set():
            return 0.0
        if self.limit_seconds is None:
            return float("inf")
        return max(0.0, self.limit_seconds - (time.monotonic() - self.begun))

    def allows(self, task: Sequence[Due]) -> bool:
        """Tell whether a task may still start."""
        left = self.seconds_left
        return left > 0 and sum(due.seconds or 0.0 for due in task) <= left


def execute_units(
    due: Iterable[Due],
    workers: Workers | None = None,
    *,
    stop: Stop | None = None,
    watcher: Watcher | None = None,
) -> Iterator[Finished | Failed]:
    """Return each unit's outcome as it ends. Units are started in the order given; any may end first.

    A unit whose worker process dies is run again once, alone; if it dies again it has failed. The message of a
    unit that raised what nobody foresaw names the file that keeps its traceback.

    Raises
    ------
    RunError
        If the cluster cannot be reached, or has no worker that can run a unit.
    """
    waiting = list(due)
    if not waiting:
        return iter(())
    workers = workers or Workers()
    # Here and not in the generator, so that an unreachable cluster is known before anything else happens.
    pool = _Cluster(workers.dask) if workers.dask else _Processes(workers.jobs)
    return _outcomes(waiting, pool, stop or Stop(), watcher or Silent())


def size_of(dask: str) -> int:
    """Return the number of workers of the cluster whose scheduler listens at ``dask``."""
    cluster = _Cluster(dask)
    cluster.close(abandon=False)
    return cluster.jobs


def cores() -> int:
    """Return the processor cores that this process may use."""
    from joblib import cpu_count

    count: int = cpu_count()
    return count


@contextmanager
def interruptible(stop: Stop, watcher: Watcher) -> Iterator[None]:
    """Let the first Ctrl-C start no further unit, and only the second abandon those that run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(*_: object) -> None:
        if stop.requested.is_set():
            raise KeyboardInterrupt
        stop.requested.set()
        watcher.notice("stopping: the units that run now are finished and recorded; Ctrl-C again abandons them")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Pool(ABC):
    """Worker processes: how many tasks they take at a time, and how tasks get to them."""

    jobs: int

    @abstractmethod
    def prepare(self, backend: Backend) -> None:
        """Make ready for units of one backend, which Keras cannot change in a process."""

    @abstractmethod
    def run(self, calls: Iterable[Any], jobs: int) -> Iterator[list[Finished | Failed]]:
        """Yield what each call returned as it ends; raise `_WorkerDiedError` if a worker is lost."""

    @abstractmethod
    def close(self, *, abandon: bool) -> None:
        """Let the workers go; ``abandon`` those that still run."""


class _WorkerDiedError(Exception):
    """A worker process ended in the middle of a unit."""


class _Processes(_Pool):
    """Processes of this machine, which keep their imports from unit to unit."""

    def __init__(self, jobs: int) -> None:
        self._asked = self.jobs = min(jobs, cores())
        self._used = False

    def prepare(self, backend: Backend) -> None:
        if self._used:
            self._shut_down()
        self._used = True
        # On a GPU a second process would wait for the first one's memory.
        self.jobs = 1 if backend == "jax_gpu" else self._asked

    def run(self, calls: Iterable[Any], jobs: int) -> Iterator[list[Finished | Failed]]:
        from joblib import Parallel, parallel_config
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        try:
            # joblib runs a single job in the calling process, where other threads and a loaded backend would
            # change a unit. Two workers of which one task at a time is asked keep it out of there.
            with parallel_config(backend="loky", inner_max_num_threads=1, initializer=_leave_interrupts_alone):
                parallel = Parallel(max(jobs, 2), pre_dispatch=jobs, batch_size=1, return_as="generator_unordered")
                yield from _quietly(parallel(calls))
        except TerminatedWorkerError as error:
            raise _WorkerDiedError from error

    def close(self, *, abandon: bool) -> None:
        self._shut_down(abandon=abandon)

    def _shut_down(self, *, abandon: bool = False) -> None:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True, kill_workers=abandon)


class _Cluster(_Pool):
    """The workers of a Dask cluster that runs already. Dask itself runs the task of a lost worker elsewhere."""

    def __init__(self, address: str) -> None:
        self._client = _connect(address)
        try:
            self.jobs = self._usable_workers(address)
        except BaseException:
            self._client.close()
            raise

    def _usable_workers(self, address: str) -> int:
        try:
            self._client.wait_for_workers(1, timeout=WAIT_SECONDS)
        except TimeoutError as error:
            raise RunError(
                f"the cluster at {address} has no worker; start some with: dask worker {address} --nthreads 1"
            ) from error
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        if shared := [name for name, worker in workers.items() if worker["nthreads"] > 1]:
            raise RunError(
                f"workers {', '.join(shared)} run several units in one process, where they would change one another; "
                "start them with: dask worker ADDRESS --nthreads 1 --nworkers N"
            )
        return len(workers)

    def prepare(self, backend: Backend) -> None:
        """Restart the workers that hold Keras with another backend; Dask runs what was on them elsewhere."""
        loaded = self._client.run(loaded_backend)
        wrong = [name for name, holds in loaded.items() if backend != "none" and holds not in ("none", backend)]
        if wrong:
            self._client.restart_workers(wrong)

    def run(self, calls: Iterable[Any], jobs: int) -> Iterator[list[Finished | Failed]]:
        from distributed.scheduler import KilledWorker
        from joblib import Parallel, parallel_config
        from joblib._dask import DaskDistributedBackend

        class NeverHere(DaskDistributedBackend):  # type: ignore[misc]
            """joblib would run the units of a cluster with one worker in the calling process."""

            def effective_n_jobs(self, n_jobs: int) -> int:
                workers: int = super().effective_n_jobs(n_jobs)
                return max(2, workers)

        try:
            with parallel_config(backend=NeverHere(client=self._client)):
                parallel = Parallel(-1, pre_dispatch=jobs, batch_size=1, return_as="generator_unordered")
                yield from _quietly(parallel(calls))
        except KilledWorker as error:
            raise _WorkerDiedError from error

    def close(self, *, abandon: bool) -> None:  # noqa: ARG002 (the cluster is not ours to stop)
        self._client.close()


def _quietly(results: Generator[Any]) -> Iterator[Any]:
    """Yield what joblib yields; it warns whoever stops listening that the rest is cancelled, which is meant."""
    try:
        for result in results:  # noqa: UP028 (it would close them itself, before the warning is silenced)
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


def _outcomes(waiting: Sequence[Due], pool: _Pool, stop: Stop, watcher: Watcher) -> Iterator[Finished | Failed]:
    abandon = True
    try:
        for backend, tasks in _by_backend(waiting):
            pool.prepare(backend)
            for ended in _all_of(tasks, pool, stop, watcher):
                outcome = kept(ended) if isinstance(ended, Failed) else ended
                watcher.ended(outcome)
                yield outcome
        abandon = False
    finally:
        pool.close(abandon=abandon)


def _connect(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise RunError("a Dask cluster needs the package distributed: pip install '.[dask]'") from error
    try:
        return Client(address, timeout=WAIT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"no Dask scheduler answers at {address}: {error}") from error


def _all_of(tasks: Iterable[tuple[Due, ...]], pool: _Pool, stop: Stop, watcher: Watcher) -> Iterator[Finished | Failed]:
    """Run tasks; after the death of a worker those that were in the pool alone, then the others."""
    waiting = deque(tasks)
    in_pool: dict[str, tuple[Due, ...]] = {}
    while waiting:
        try:
            yield from _pass(waiting, in_pool, pool, pool.jobs, stop, watcher)
            return
        except _WorkerDiedError:
            suspects = list({id(task): task for task in in_pool.values()}.values())
            in_pool.clear()
            names = ", ".join(due.unit.label for task in suspects for due in task)
            watcher.notice(f"a worker process died (killed, or out of memory); running again, one at a time: {names}")
        for task in suspects:
            yield from _alone(task, pool, stop, watcher)


def _alone(task: tuple[Due, ...], pool: _Pool, stop: Stop, watcher: Watcher) -> Iterator[Finished | Failed]:
    """Run one task with nothing beside it, so that a second death is its own."""
    in_pool: dict[str, tuple[Due, ...]] = {}
    try:
        yield from _pass(deque([task]), in_pool, pool, 1, stop, watcher)
    except _WorkerDiedError:
        for due in task:
            yield Failed(due.unit, "its worker process died twice (killed, or out of memory)", "")


def _pass(
    waiting: deque[tuple[Due, ...]],
    in_pool: dict[str, tuple[Due, ...]],
    pool: _Pool,
    jobs: int,
    stop: Stop,
    watcher: Watcher,
) -> Iterator[Finished | Failed]:
    from joblib import delayed

    def calls() -> Iterator[Any]:
        while (task := _take(waiting, stop)) is not None:
            for due in task:
                in_pool[due.unit.key] = task
                watcher.started(due.unit)
            first = task[0].unit
            yield delayed(execute_together)(first.paper, first.experiment, [due.unit.model_dump() for due in task])

    for outcomes in pool.run(calls(), jobs):
        for outcome in outcomes:
            in_pool.pop(outcome.unit.key, None)
            yield outcome


def _take(waiting: deque[tuple[Due, ...]], stop: Stop) -> tuple[Due, ...] | None:
    """Take the first task that may still start out of those that wait."""
    for task in waiting:
        if stop.allows(task):
            waiting.remove(task)
            return task
    return None


def _by_backend(waiting: Sequence[Due]) -> Iterator[tuple[Backend, list[tuple[Due, ...]]]]:
    """Group by backend; units without one join the first group."""
    named: list[Backend] = [due.unit.backend for due in waiting if due.unit.backend != "none"]
    backends = list(dict.fromkeys(named)) or ["none"]
    for backend in backends:
        mine = {backend, "none"} if backend == backends[0] else {backend}
        yield backend, _tasks([due for due in waiting if due.unit.backend in mine])


def _tasks(waiting: Iterable[Due]) -> list[tuple[Due, ...]]:
    """Put units into one task that a GPU can train in one program; every other unit is a task of its own."""
    together: dict[Any, list[Due]] = {}
    for due in waiting:
        together.setdefault(_shape(due.unit), []).append(due)
    return [
        tuple(members[first : first + LARGEST_BATCH])
        for members in together.values()
        for first in range(0, len(members), LARGEST_BATCH)
    ]


def _shape(unit: UnitParameters) -> tuple[Any, ...]:
    """Return what units of one task have in common."""
    batch = load_paper(unit.paper).experiment(unit.experiment).batch
    if unit.backend != "jax_gpu" or batch is None:
        return (unit.key,)
    fixed = {name: value for name, value in unit.model_dump(mode="json").items() if name not in batch.over}
    return (unit.paper, unit.experiment, *fixed.items())


def _leave_interrupts_alone() -> None:
    """Let Ctrl-C reach the process that records, and not the workers that compute."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
