"""Run the benchmarks and write their results for the book: ``python -m benchmarks``."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from benchmarks import book, dlep, features, phasenet, profiles, throughput, workers
from reproduce_lib.book.speed import BENCHMARKS, Results, updated
from reproduce_lib.execution import environment
from reproduce_lib.execution.pool import cores
from reproduce_lib.execution.run_log import now

RATIOS: dict[str, Any] = {
    "networks": throughput.networks_against_plain_tensorflow,
    "jobs": throughput.jobs_against_one,
    "programs": throughput.kept_programs_against_none,
    "features": features.windows_against_pandas,
    "phasenet": phasenet.networks_against_fit,
}
QUANTITIES: dict[str, Any] = {
    "book": book.building,
    "growth": book.growth,
    "workers": workers.memory_and_start,
    "arithmetic": workers.share_of_arithmetic,
    "dlep": dlep.step_and_its_limit,
    "augmentation": phasenet.share_of_augmentation,
    "detectors": phasenet.runtime_of_detectors,
}


def main(
    repeats: Annotated[int, typer.Option(min=1, help="Pairs, or repeated measurements, of each.")] = 3,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this one, beside the others of the last run; may be repeated.")
    ] = None,
    paper: Annotated[list[str] | None, typer.Option(help="Of the networks only this paper's; may be repeated.")] = None,
) -> None:
    """Measure everything, print each result as it is there, and write them to book/benchmarks.json."""
    ratios = {**RATIOS, "networks": partial(throughput.networks_against_plain_tensorflow, papers=paper or ())}
    known = {*RATIOS, *QUANTITIES, "profiles"}
    if unknown := set(only or []) - known:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: known are {', '.join(sorted(known))}")
    wanted = set(only or known)
    # Each result is kept as soon as it is there: a run of hours that is stopped loses one measurement.
    for name, measure in ratios.items():
        for ratio in measure(repeats) if name in wanted else ():
            _keep(ratios=[_shown(ratio)])
    for name, measure in QUANTITIES.items():
        for quantity in measure(repeats) if name in wanted else ():
            _keep(quantities=[_shown(quantity)])
    for profile in profiles.slowest_units() if "profiles" in wanted else ():
        _keep(profiles=[_shown(profile)])
    typer.echo(f"written to {BENCHMARKS.path()}")


def _keep(**found: Any) -> None:
    """Write results beside those of earlier runs."""
    new = Results(
        time=now(),
        processor=environment.processor(),
        cores=cores(),
        versions={**environment.versions("jax"), **environment.versions("tensorflow")},
        **{"ratios": [], "quantities": [], "profiles": [], **found},
    )
    BENCHMARKS.write(updated(BENCHMARKS.read(), new))


def _shown(one: Any) -> Any:
    print(one, flush=True)
    return one


typer.run(main)
