"""Executing one unit inside a worker process."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from reproduce_lib.collection import load_paper
from reproduce_lib.errors import ReproduceError
from reproduce_lib.execution import environment
from reproduce_lib.execution.closure import code_digests
from reproduce_lib.execution.run_log import now
from reproduce_lib.records import Context
from reproduce_lib.units import Experiment, UnitParameters, UnitResult


@dataclass(frozen=True)
class Finished:
    """A unit that ran to its end."""

    unit: UnitParameters
    result: UnitResult
    context: Context
    seconds: float
    time: str


@dataclass(frozen=True)
class Failed:
    """A unit that raised: the error in one line, and its traceback where that is not an error of our own."""

    unit: UnitParameters
    message: str
    traceback: str


def execute(paper_key: str, experiment_name: str, parameters: dict[str, object]) -> Finished | Failed:
    """Run one unit in this process, on one thread and on the unit's own backend.

    The parameters travel as plain values, so that any pool of processes can carry them.
    """
    (outcome,) = execute_together(paper_key, experiment_name, [parameters])
    return outcome


def execute_together(
    paper_key: str, experiment_name: str, parameters: Sequence[dict[str, object]]
) -> list[Finished | Failed]:
    """Run units that go into one program; several only where the experiment says how.

    Their seconds are shared out evenly. If the program raises, all of them failed; one that has no finite result
    fails alone.
    """
    environment.limit_threads()
    paper = load_paper(paper_key)
    experiment = paper.experiment(experiment_name)
    units = [experiment.parameters.of(**values) for values in parameters]
    # Before the units run: the digests of the code as this process loads it.
    code = code_digests(experiment.module)
    started = time.perf_counter()
    backend = units[0].backend
    try:
        environment.select_backend(backend)
        results = _run(experiment, units)
        wrong = [_not_finite(result) for result in results]
    except Exception as error:  # whatever a unit raises is reported with it, and the others go on
        if isinstance(error, ReproduceError):
            return [Failed(unit, str(error), "") for unit in units]
        return [Failed(unit, f"{type(error).__name__}: {error}", traceback.format_exc()) for unit in units]
    seconds = round((time.perf_counter() - started) / len(units), 3)
    time_of_end = now()
    versions, device = environment.versions(backend), environment.device(backend)
    return [
        Failed(unit, reason, "")
        if reason
        else Finished(
            unit,
            result,
            Context.of(versions, device, environment.THREADS, result.data, code),
            seconds,
            time_of_end,
        )
        for unit, result, reason in zip(units, results, wrong, strict=True)
    ]


def _run(experiment: Experiment, units: Sequence[UnitParameters]) -> list[UnitResult]:
    if experiment.batch is not None and units[0].backend == "jax_gpu":
        return experiment.batch.run(units)
    return [experiment.run(unit) for unit in units]


def _not_finite(result: UnitResult) -> str:
    """Say what no record can hold, for a training that diverged measured nothing; nothing where all is well."""
    numbers = {name: value for name, value in result.metrics.items() if not isinstance(value, str)}
    wrong = {name: value for name, value in numbers.items() if isinstance(value, bool) or not math.isfinite(value)}
    return f"no result: {', '.join(f'{name} is {value}' for name, value in wrong.items())}" if wrong else ""
