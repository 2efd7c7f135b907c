"""The command line, ``reproduce``: what is read from it, and what it prints; each command says more with ``--help``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, ParamSpec

import typer

from reproduce_lib.errors import ParameterError, ReproduceError, RunError
from reproduce_lib.option_values import read_address, read_grid, read_seconds, read_values

if TYPE_CHECKING:
    from reproduce_lib.book.grid import Variant
    from reproduce_lib.execution.plan import Plan
    from reproduce_lib.execution.replay import UnitReplay
    from reproduce_lib.execution.study import UnitStatus
    from reproduce_lib.execution.worker import Failed
    from reproduce_lib.notebook_execution.runner import Beat

app = typer.Typer(
    help="Rebuild papers, and set each printed number beside the number measured again.\n\n"
    "Start with `reproduce list`. `reproduce run naufal2023` computes what is missing, `reproduce book` builds "
    "the pages, `reproduce verify naufal2023 --sample 6` executes recorded units again.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

# Each unit of a sweep is checked and planned before the first one runs; so many take ten seconds.
MOST_UNITS = 100_000

PaperArgument = Annotated[str, typer.Argument(help="Key of a rebuilt paper, as `reproduce list` shows it.")]
# The modes of a plan, named here too: loading what a plan needs takes longer than all else of --help.
Execute = Literal["recorded", "missing", "stale", "fresh"]
ExecuteOption = Annotated[
    Execute,
    typer.Option(
        help="recorded: nothing; missing: what is missing or stale; stale: what is stale alone; fresh: everything."
    ),
]
Jobs = Annotated[
    int,
    typer.Option(min=1, help="Units executed at a time, each in its own process on one thread; no more than cores."),
]
Dask = Annotated[
    str, typer.Option(metavar="tcp://HOST:PORT", help="Scheduler of a Dask cluster whose workers run the units.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and run nothing.")]
LimitHours = Annotated[
    float | None, typer.Option(min=0.0, help="Start no unit that is not expected to end within so many hours.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(help="Only units with this value, NAME=VALUE; may be repeated.", metavar="NAME=VALUE"),
]
ClaimOption = Annotated[
    str, typer.Option(help="Only the units behind the claim with this id, or behind all whose ids begin with it.")
]
ExperimentOption = Annotated[str, typer.Option(help="Only this experiment of the paper.")]

Arguments = ParamSpec("Arguments")


def _reported(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """End a command on one of our errors with its sentence and exit status 1, not with a traceback."""

    @wraps(command)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ReproduceError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt as interruption:
            typer.echo("; ".join(["interrupted", *interruption.args]), err=True)
            raise typer.Exit(130) from None

    return wrapper


@app.command("list")
@_reported
def list_papers() -> None:
    """List the papers, their experiments, and their claims by verdict."""
    from reproduce_lib.collection import TITLES, load_paper, rebuilt
    from reproduce_lib.rows import verdict_counts
    from reproduce_lib.selection import comparison_of

    for key, title in TITLES.items():
        if key not in rebuilt():
            typer.echo(f"{key:16} {title}: not yet rebuilt")
            continue
        rows = comparison_of(key).rows
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdict_counts(rows).most_common())
        typer.echo(f"{key:16} {title}")
        typer.echo(f"{'':16} {len(rows)} claims: {counts}")
        for experiment in load_paper(key).experiments.values():
            typer.echo(f"{'':16} experiment {experiment.name}: {len({unit.key for unit in experiment.full()})} units")


@app.command()
@_reported
def new(
    key: Annotated[str, typer.Argument(help="First author and year, as li2021.")],
    title: Annotated[str, typer.Option(help="What the page and the scoreboard call the paper.")],
) -> None:
    """Add a paper: claims, module, notebook pair, tests, reference, and its places in the lists; all of it runs."""
    from reproduce_lib.scaffold import add_paper

    for path in add_paper(key, title):
        typer.echo(path)
    typer.echo(f"next: reproduce run {key}, then reproduce book; book/add-a-paper.md says what to fill in")


@app.command()
@_reported
def data(
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch what is not here and can be had.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the SHA-256 of what is here.")] = False,
) -> None:
    """List the data files: where each is, its licence, what it covers; a folder of many files as one."""
    from reproduce_lib.data.registry import data_files
    from reproduce_lib.data_listing import complaints, find, how_to_get, listing
    from reproduce_lib.folders import by_folder

    found = []
    for folder, names in by_folder(data_files()).items():
        files = [find(data_files()[name], fetch=fetch, check=check) for name in names]
        typer.echo(listing(folder, files))
        found += files
    if wrong := complaints(found):
        raise ReproduceError(wrong)
    if any(one.path is None for one in found):
        typer.echo(how_to_get())


@app.command()
@_reported
def run(
    paper: PaperArgument = "",
    every: Annotated[bool, typer.Option("--all", help="Every paper of the collection.")] = False,
    experiment: ExperimentOption = "",
    claim: ClaimOption = "",
    where: Where = None,
    execute: ExecuteOption = "missing",
    dry_run: DryRun = False,
    limit_hours: LimitHours = None,
    jobs: Jobs = 1,
    dask: Dask = "",
) -> None:
    """Compute the recorded set of a paper, or of all, as far as it is missing or stale. Safe to kill and to repeat."""
    from reproduce_lib.collection import rebuilt
    from reproduce_lib.execution.plan import make_plan
    from reproduce_lib.execution.study import store_for

    if bool(paper) == every:
        raise ParameterError(f"name one paper ({', '.join(rebuilt())}), or --all of them")
    papers = rebuilt() if every else [paper]
    units = [status.unit for status in _selected_of(papers, experiment, claim, where)]
    plan = make_plan(units, store_for("full"), execute)
    _carry_out(plan, dry_run, limit_hours, jobs, dask)


@app.command()
@_reported
def sweep(
    paper: PaperArgument,
    experiment: Annotated[str, typer.Option(help="Which experiment's units; by default the paper's main one.")] = "",
    grid: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE,VALUE… or NAME=all; may be repeated.", metavar="NAME=VALUES"),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 to N-1 of each combination.")] = 1,
    profile: Annotated[
        Literal["custom", "smoke"],
        typer.Option(help="custom: trained in full; smoke: shows in seconds that the code runs."),
    ] = "custom",
    dry_run: DryRun = False,
    limit_hours: LimitHours = None,
    jobs: Jobs = 1,
    dask: Dask = "",
) -> None:
    """Compute every combination of other parameters; records go to your own folder, never beside a claim."""
    from reproduce_lib.collection import load_paper
    from reproduce_lib.execution.plan import make_plan
    from reproduce_lib.execution.study import store_for, unit_statuses

    known = load_paper(paper)
    parameters = known.experiment(experiment or known.main).parameters
    varied = read_grid(grid or [], parameters)
    if taken := {"profile", "seed"}.intersection(varied.values):
        raise ParameterError(f"{', '.join(sorted(taken))} cannot be in a grid; use --profile and --seeds")
    if (count := seeds * varied.count) > MOST_UNITS:
        raise ParameterError(f"{count} units are more than the {MOST_UNITS} that a sweep may have")
    units = [
        parameters.of(profile=profile, seed=seed, **values) for values in varied.combinations() for seed in range(seeds)
    ]
    store = store_for("custom")
    plan = make_plan(units, store, learn_from=[store_for("full")])
    try:
        _carry_out(plan, dry_run, limit_hours, jobs, dask)
    finally:
        for status in unit_statuses(units, store):
            if status.record is not None:
                shown = {name: getattr(status.unit, name) for name in (*varied.values, "seed")}
                typer.echo(f"{json.dumps(shown)} {json.dumps(status.record.metrics)}")
        typer.echo(f"records: {store.records / paper / parameters.experiment}.jsonl")


@app.command()
@_reported
def status(paper: Annotated[str, typer.Argument(help="Key of a paper; all without it.")] = "") -> None:
    """Say which records are fresh, stale (and which symbol or file staled them), missing or unreadable."""
    from reproduce_lib.collection import rebuilt
    from reproduce_lib.execution.study import damaged_lines, store_for
    from reproduce_lib.selection import comparison_of

    for key in [paper] if paper else rebuilt():
        statuses = comparison_of(key).statuses
        for name in dict.fromkeys(one.unit.experiment for one in statuses):
            counts = Counter(one.state for one in statuses if one.unit.experiment == name)
            typer.echo(f"{key} {name}: " + ", ".join(f"{counts[s]} {s}" for s in ("fresh", "stale", "missing")))
        reasons = Counter(reason for one in statuses for reason in one.because)
        for reason, count in reasons.most_common():
            typer.echo(f"    {count} stale by {reason}")
        for one in statuses:
            if one.state == "stale":
                typer.echo(f"    stale: {one.unit.experiment} {one.unit.key} {one.unit.label}: {_listed(one.because)}")
        for line in damaged_lines(key, store_for("full")):
            typer.echo(f"    {line}")


@app.command()
@_reported
def verify(
    paper: PaperArgument = "",
    sample: Annotated[
        int | None, typer.Option(min=1, help="How many recorded units; without a budget 6, or all behind a claim.")
    ] = None,
    budget: Annotated[str, typer.Option(help="As many units as fit into this time, such as 90s, 3m or 1.5h.")] = "",
    experiment: ExperimentOption = "",
    claim: ClaimOption = "",
    where: Where = None,
    seed: Annotated[int, typer.Option(min=0, help="Which random sample.")] = 0,
    jobs: Jobs = 1,
) -> None:
    """Execute recorded units of one paper, or of all, again and compare every metric with its record."""
    from reproduce_lib.collection import rebuilt
    from reproduce_lib.execution import replay
    from reproduce_lib.execution.pool import Workers
    from reproduce_lib.execution.study import store_for

    if sample and budget:
        raise ParameterError("--sample and --budget exclude one another")
    papers = [paper] if paper else rebuilt()
    store = store_for("full")
    statuses = _selected_of(papers, experiment, claim, where)
    jobs = _capped(jobs)
    if budget:
        chosen = replay.choose_within(statuses, read_seconds(budget), seed, store, jobs=jobs)
    else:
        chosen = replay.choose(statuses, sample or (len(statuses) if claim else 6), seed, store)
    if not chosen and budget and replay.choose(statuses, 1, seed, store):
        raise RunError(f"every recorded unit is expected to take longer than {budget}; give it more time")
    if not chosen:
        raise RunError(
            "no recorded unit fits, or those that do have too few seeds to be compared on this processor; "
            f"compute some with: reproduce run {paper or '--all'}"
        )
    outcomes: Counter[str] = Counter()
    for unit in replay.replay(chosen, store, Workers(jobs)):
        outcomes[unit.outcome] += 1
        _tell(unit)
    disagree, not_run = outcomes["DISAGREES"], outcomes["NOT RUN"]
    told = f"{outcomes['agrees']} of {len(chosen) - not_run} replayed units agree"
    typer.echo(f"{told}, {not_run} could not be run" if not_run else told)
    if disagree:
        raise RunError(f"{disagree} recorded unit(s) disagree with their replay")
    if not_run:
        raise RunError(f"nothing was found of {not_run} recorded unit(s) that could not be run here")


@app.command()
@_reported
def adopt(paper: PaperArgument, jobs: Jobs = 1) -> None:
    """After a refactoring: replay at least 5 % of the stale records and, only if all are equal, keep them all."""
    from reproduce_lib.collection import load_paper
    from reproduce_lib.execution import replay
    from reproduce_lib.execution.pool import Workers
    from reproduce_lib.execution.study import store_for
    from reproduce_lib.selection import comparison_of

    statuses = comparison_of(paper).statuses
    adopted = replay.adopt(statuses, load_paper(paper), store_for("full"), Workers(_capped(jobs)), on_replay=_tell)
    if not adopted:
        typer.echo("no record is stale by its code alone")
    for name, units in adopted.items():
        typer.echo(f"{name}: {len(units)} units replayed, all equal; stale records adopted")
    others = sum(one.state == "stale" and not one.stale_by_code_alone for one in statuses)
    if others:
        typer.echo(f"{others} records of other data, or whose arrays are gone, stay stale: reproduce run {paper}")


@app.command()
@_reported
def prune(
    paper: PaperArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")] = False,
) -> None:
    """Remove the records and arrays of units that are not in the recorded set, and records that were replaced."""
    from reproduce_lib.collection import load_paper
    from reproduce_lib.execution import pruning
    from reproduce_lib.execution.study import store_for

    pruned = pruning.prune(load_paper(paper), store_for("full"), dry_run=dry_run)
    done = "would be removed" if dry_run else "removed"
    for name, count in pruned.records.items():
        typer.echo(f"{name}: {count} records {done}")
    typer.echo(f"{pruned.arrays} archives of arrays {done}")


@app.command()
@_reported
def compare(
    folder: Annotated[
        Path, typer.Argument(help="A folder in which everything was run again: what REPRODUCE_ROOT was.")
    ],
    keep: Annotated[bool, typer.Option("--keep", help="Keep it for the page on speed, with earlier parts.")] = False,
) -> None:
    """Hold the records of another folder against those here, metric by metric, by the rule of verify."""
    from reproduce_lib.book import recomputed
    from reproduce_lib.collection import every_unit, rebuilt
    from reproduce_lib.execution.study import damaged_lines, store_for

    units = every_unit()
    found = recomputed.compare_folders(units, store_for("full"), folder)
    for store in (store_for("full"), recomputed.store_in(folder)):
        for line in (line for paper in rebuilt() for line in damaged_lines(paper, store)):
            typer.echo(f"not compared: {line}")
    for tally in found.tallies:
        typer.echo(
            f"{tally.paper} {tally.experiment}: {tally.here} here, {tally.there} there, {tally.taken} computed once "
            f"and taken over, {tally.twice} computed twice, {tally.equal} equal, {tally.agree} agree"
        )
    for one in found.differences:
        where = f"{one.paper} {one.experiment} {one.unit} {one.metric}"
        typer.echo(f"differs: {where} {one.before} before, {one.again} again ({one.rule})")
    if keep:
        before = recomputed.RECOMPUTED.read()
        recomputed.RECOMPUTED.write(before.updated(found, units) if before else found)
        typer.echo(f"kept in {recomputed.RECOMPUTED.path()}")
    if found.differences:
        raise RunError(f"{len(found.differences)} metrics differ")


@app.command()
@_reported
def notebook(
    paper: PaperArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the executed notebook goes.")],
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE; may be repeated.", metavar="NAME=VALUE")
    ] = None,
    limit: Annotated[float, typer.Option(min=1, help="Seconds for the whole notebook.")] = 6 * 3600,
) -> None:
    """Execute a paper's notebook with your own parameters into a page of its own."""
    from reproduce_lib.book.places import notebook_path
    from reproduce_lib.collection import load_paper
    from reproduce_lib.notebook_execution.runner import execute_notebook

    load_paper(paper)
    values = read_values(parameters or [])
    done = execute_notebook(notebook_path(paper), output, values, limit_seconds=limit)
    typer.echo(f"{done.output} ({done.seconds:.0f} s)")


@app.command()
@_reported
def notebooks(
    grid: Annotated[
        Path | None, typer.Option(help="What is varied; notebooks/grid.yaml without it.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks executed at a time, each by a kernel of its own.")] = 1,
    limit: Annotated[float, typer.Option(min=1, help="Seconds for each whole notebook.")] = 6 * 3600,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only the variant of this name; * stands for anything; may be repeated.", metavar="NAME"),
    ] = None,
) -> None:
    """Execute the papers' notebooks with a grid of parameters, each into a page that `reproduce book` shows."""
    from reproduce_lib import paths
    from reproduce_lib.book.grid import load_grid, select
    from reproduce_lib.book.variants import execute_variants, summary
    from reproduce_lib.execution.progress import console

    chosen = select(load_grid(grid or paths.root() / "notebooks" / "grid.yaml"), only or [])
    running: dict[str, str] = {}
    outcomes = []
    with console(error=True).status("starting") as line:

        def tell(variant: Variant, beat: Beat) -> None:
            running[variant.name] = f"{variant.varied}: cell {beat.cell or 0} of {beat.cells}, {beat.seconds:.0f} s"
            line.update(" | ".join(list(running.values())))

        for outcome in execute_variants(chosen, jobs=jobs, limit_seconds=limit, on_beat=tell):
            running.pop(outcome.variant.name, None)
            outcomes.append(outcome)
            typer.echo(outcome)
    if any(outcome.failure for outcome in outcomes):
        raise RunError(summary(outcomes))
    typer.echo(summary(outcomes))


@app.command()
@_reported
def book(
    execute: ExecuteOption = "recorded",
    jobs: Jobs = 1,
    keep_figures: Annotated[
        bool, typer.Option("--keep-figures", help="Keep figures drawn from the data for builds without them.")
    ] = False,
    repository_url: Annotated[
        str, typer.Option(envvar="REPRODUCE_REPOSITORY_URL", help="Public repository; its pages get launch buttons.")
    ] = "",
) -> None:
    """Execute every notebook, render the book, and print where it is and the scoreboard."""
    from reproduce_lib.book.build import build_book

    parameters = {"execute": execute, "jobs": _capped(jobs), "keep_figures": keep_figures}
    built = build_book(parameters, repository_url=repository_url)
    typer.echo(built.scoreboard)
    typer.echo(f"\n{built.index}")


def _selected_of(papers: Sequence[str], experiment: str, claim: str, where: list[str] | None) -> list[UnitStatus]:
    from reproduce_lib.selection import Selection, select_units

    return select_units(papers, Selection(experiment, claim, read_values(where or [])))


def _carry_out(plan: Plan, dry_run: bool, limit_hours: float | None, jobs: int, dask: str) -> None:
    """Print the plan, run it unless it is only asked for, and print what came of it."""
    from reproduce_lib.execution.engine import run_plan
    from reproduce_lib.execution.pool import Workers, size_of
    from reproduce_lib.execution.progress import Bars, console, plan_table, summary_table

    jobs = size_of(read_address(dask)) if dask else _capped(jobs)
    out = console()
    out.print(plan_table(plan, jobs))
    if dry_run or not plan.due:
        fresh = all(status.state == "fresh" for status in plan.statuses)
        typer.echo("every unit is recorded" if fresh else "nothing was run")
        return
    limit = None if limit_hours is None else 3600 * limit_hours
    watcher = Bars(plan, console(error=True))
    kept = "finished units are recorded, run again to go on"
    try:
        summary = run_plan(plan, Workers(jobs, dask), limit_seconds=limit, watcher=watcher)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept) from None
    for line in summary.damaged:
        typer.echo(str(line), err=True)
    out.print(summary_table(plan, summary, jobs))
    typer.echo(f"{summary.written.total()} units recorded")
    if summary.ending == "interrupted":
        typer.echo("\n".join(_failures(summary.failed)), err=True)
        raise KeyboardInterrupt(kept)
    if lines := _failures(summary.failed):
        raise RunError("\n".join(lines))
    if summary.ending == "time limit":
        typer.echo(f"the limit of {limit_hours} h is reached; run again to go on")


def _tell(replayed: UnitReplay) -> None:
    """Print how one replay ended."""
    from reproduce_lib.execution.replay import describe

    typer.echo(f"{replayed.outcome:10} {describe(replayed)}")


def _capped(jobs: int) -> int:
    """Return ``jobs`` or the number of cores, whichever is smaller: a unit keeps one core busy."""
    from reproduce_lib.execution.pool import cores

    if jobs > cores():
        typer.echo(f"{cores()} units at a time instead of {jobs}: there are no more cores", err=True)
    return min(jobs, cores())


def _listed(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _failures(failed: Iterable[Failed]) -> list[str]:
    """Say which units raised; what failed alike is said once."""
    alike: dict[str, list[str]] = {}
    for one in failed:
        alike.setdefault(one.message, []).append(f"{one.unit.experiment} {one.unit.key}")
    if not alike:
        return []
    lines = [f"{', '.join(units[:3])}{' …' * (len(units) > 3)}: {message}" for message, units in alike.items()]
    return [f"{sum(map(len, alike.values()))} unit(s) failed", *lines]
