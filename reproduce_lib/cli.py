"""The command line: ``reproduce list | data | run | sweep | status | verify | adopt | notebook | book``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from reproduce_lib.errors import ParameterError, ReproduceError, RunError
from reproduce_lib.study import Execute

app = typer.Typer(
    help="Rebuild papers, and set each printed number beside the number measured again.\n\n"
    "Start with `reproduce list`. `reproduce run naufal2023` computes what is missing, `reproduce book` builds "
    "the pages, `reproduce verify naufal2023 --sample 6` executes recorded units again.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

PaperArgument = Annotated[str, typer.Argument(help="Key of a rebuilt paper, as `reproduce list` shows it.")]
Jobs = Annotated[int, typer.Option(min=1, help="Units executed at a time, each in its own process on one thread.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="Only units with this value, NAME=VALUE; may be repeated.", metavar="NAME=VALUE"),
]
ClaimOption = Annotated[str, typer.Option(help="Only the units behind the claim with this id.")]
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
        except KeyboardInterrupt:
            typer.echo("interrupted; finished units are recorded, run again to go on", err=True)
            raise typer.Exit(130) from None

    return wrapper


@app.command("list")
@_reported
def list_papers() -> None:
    """List the papers, their experiments, and their claims by verdict."""
    from reproduce_lib.compare import verdict_counts
    from reproduce_lib.papers import TITLES, load_paper, rebuilt

    for key, title in TITLES.items():
        if key not in rebuilt():
            typer.echo(f"{key:16} {title}: not yet rebuilt")
            continue
        rows = _comparison(key).rows
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdict_counts(rows).most_common())
        typer.echo(f"{key:16} {title}")
        typer.echo(f"{'':16} {len(rows)} claims: {counts}")
        for experiment in load_paper(key).experiments.values():
            typer.echo(f"{'':16} experiment {experiment.name}: {len({unit.key for unit in experiment.full()})} units")


@app.command()
@_reported
def data(
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch what is not here and can be had.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the SHA-256 of what is here.")] = False,
) -> None:
    """List the data files: where each is, its licence, what it covers."""
    from reproduce_lib.data import sources
    from reproduce_lib.data.registry import data_files

    wrong = []
    for entry in data_files().values():
        path, place = sources.local_path(entry)
        try:
            if (fetch and place == "not here") or (check and place != "not here"):
                sources.read(entry.name)
                path, place = sources.local_path(entry)
        except ReproduceError as error:
            wrong.append(str(error))
        where = str(path) if place != "not here" else place
        typer.echo(f"{entry.name}\n    {where}\n    {entry.source}; {entry.coverage}; licence: {entry.licence}")
    if wrong:
        raise ReproduceError("\n".join(wrong))


@app.command()
@_reported
def run(
    paper: PaperArgument,
    experiment: ExperimentOption = "",
    claim: ClaimOption = "",
    where: Where = None,
    execute: Annotated[str, typer.Option(help="missing: also what is stale; fresh: everything again.")] = "missing",
    jobs: Jobs = 1,
) -> None:
    """Compute the recorded set of a paper as far as it is missing or stale. Safe to kill and to repeat."""
    from reproduce_lib.study import run_units, store_for

    units = [status.unit for status in _selected(paper, experiment, claim, where)]
    summary = run_units(units, store_for("full"), how=_execute(execute), jobs=jobs, progress=sys.stderr.isatty())
    for line in summary.damaged:
        typer.echo(str(line), err=True)
    typer.echo(f"{summary.written} units recorded")
    _refuse_failures(summary.failed)


@app.command()
@_reported
def sweep(
    paper: PaperArgument,
    experiment: Annotated[str, typer.Option(help="Which experiment's units.")],
    grid: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE,VALUE…; may be repeated.", metavar="NAME=VALUES")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 to N-1 of each combination.")] = 1,
    profile: Annotated[str, typer.Option(help="custom, or smoke.")] = "custom",
    jobs: Jobs = 1,
) -> None:
    """Compute every combination of other parameters; records go to your own folder, never beside a claim."""
    from reproduce_lib.papers import load_paper
    from reproduce_lib.study import run_units, store_for, unit_statuses

    if profile not in ("custom", "smoke"):
        raise ParameterError(f"profile = {profile!r}: allowed values are 'custom', 'smoke'")
    parameters = load_paper(paper).experiment(experiment).parameters
    names, values = _grid(grid or [])
    if taken := {"profile", "seed"}.intersection(names):
        raise ParameterError(f"{', '.join(sorted(taken))} cannot be in a grid; use --profile and --seeds")
    units = [
        parameters.of(profile=profile, seed=seed, **dict(zip(names, combination, strict=True)))
        for combination in product(*values)
        for seed in range(seeds)
    ]
    store = store_for("custom")
    summary = run_units(units, store, jobs=jobs, progress=sys.stderr.isatty())
    for status in unit_statuses(units, store):
        if status.record is not None:
            shown = {name: getattr(status.unit, name) for name in (*names, "seed")}
            typer.echo(f"{json.dumps(shown)} {json.dumps(status.record.metrics)}")
    typer.echo(f"records: {store.records / paper / experiment}.jsonl")
    _refuse_failures(summary.failed)


@app.command()
@_reported
def status(paper: Annotated[str, typer.Argument(help="Key of a paper; all without it.")] = "") -> None:
    """Say which records are fresh, stale (and which symbol or file staled them), missing or unreadable."""
    from reproduce_lib.papers import rebuilt
    from reproduce_lib.study import damaged_lines, store_for

    for key in [paper] if paper else rebuilt():
        statuses = _comparison(key).statuses
        for name in dict.fromkeys(one.unit.experiment for one in statuses):
            counts = Counter(one.state for one in statuses if one.unit.experiment == name)
            typer.echo(f"{key} {name}: " + ", ".join(f"{counts[s]} {s}" for s in ("fresh", "stale", "missing")))
        reasons = Counter(reason for one in statuses for reason in one.because)
        for reason, count in reasons.most_common():
            typer.echo(f"    {count} stale by {reason}")
        for line in damaged_lines(key, store_for("full")):
            typer.echo(f"    {line}")


@app.command()
@_reported
def verify(
    paper: PaperArgument,
    sample: Annotated[int, typer.Option(min=1, help="How many recorded units.")] = 6,
    experiment: ExperimentOption = "",
    claim: ClaimOption = "",
    where: Where = None,
    seed: Annotated[int, typer.Option(min=0, help="Which random sample.")] = 0,
    jobs: Jobs = 1,
) -> None:
    """Execute a sample of recorded units again and compare every metric with its record."""
    from reproduce_lib import replay
    from reproduce_lib.papers import load_paper
    from reproduce_lib.study import store_for

    chosen = replay.choose(_selected(paper, experiment, claim, where), sample, seed)
    if not chosen:
        raise RunError(f"no recorded unit of {paper} fits; compute some with: reproduce run {paper}")
    results = replay.replay(chosen, load_paper(paper), store_for("full"), jobs=jobs, progress=sys.stderr.isatty())
    for unit in results:
        metrics = ", ".join(f"{m.metric} {m.recorded} = {m.replayed}" for m in unit.metrics)
        line = f"{unit.status.unit.experiment} {unit.status.unit.key} {metrics}"
        typer.echo(f"agrees     {line}" if unit.agrees else f"DISAGREES  {replay.describe(unit)}")
    wrong = sum(not unit.agrees for unit in results)
    typer.echo(f"{len(results) - wrong} of {len(results)} replayed units agree")
    if wrong:
        raise RunError(f"{wrong} recorded unit(s) cannot be replayed")


@app.command()
@_reported
def adopt(paper: PaperArgument, jobs: Jobs = 1) -> None:
    """After a refactoring: replay at least 5 % of the stale records and, only if all agree, keep them all."""
    from reproduce_lib import replay
    from reproduce_lib.papers import load_paper
    from reproduce_lib.study import store_for

    statuses = _comparison(paper).statuses
    adopted = replay.adopt(statuses, load_paper(paper), store_for("full"), jobs=jobs)
    if not adopted:
        typer.echo("no record is stale by its code alone")
    for name, units in adopted.items():
        typer.echo(f"{name}: {len(units)} units replayed, all agree; stale records adopted")
    of_other_data = sum(one.state == "stale" and not one.stale_by_code_alone for one in statuses)
    if of_other_data:
        typer.echo(f"{of_other_data} records of other data stay stale; run them again with: reproduce run {paper}")


@app.command()
@_reported
def notebook(
    paper: PaperArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the executed notebook goes.")],
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE; may be repeated.", metavar="NAME=VALUE")
    ] = None,
    limit: Annotated[float, typer.Option(help="Seconds for the whole notebook.")] = 6 * 3600,
) -> None:
    """Execute a paper's notebook with your own parameters into a page of its own."""
    from reproduce_lib.book import notebook_path
    from reproduce_lib.papers import load_paper
    from reproduce_lib.runner import execute_notebook

    load_paper(paper)
    values = dict(map(_assignment, parameters or []))
    done = execute_notebook(notebook_path(paper), output, values, limit_seconds=limit)
    typer.echo(f"{done.output} ({done.seconds:.0f} s)")


@app.command()
@_reported
def book(
    execute: Annotated[str, typer.Option(help="recorded: train nothing; missing or fresh: train first.")] = "recorded",
    jobs: Jobs = 1,
    keep_figures: Annotated[
        bool, typer.Option("--keep-figures", help="Keep figures drawn from the data for builds without them.")
    ] = False,
    repository_url: Annotated[
        str, typer.Option(envvar="REPRODUCE_REPOSITORY_URL", help="Public repository; its pages get launch buttons.")
    ] = "",
) -> None:
    """Execute every notebook, render the book, and print where it is and the scoreboard."""
    from reproduce_lib.book import build_book

    parameters = {"execute": _execute(execute), "jobs": jobs, "keep_figures": keep_figures}
    built = build_book(parameters, repository_url=repository_url)
    typer.echo(built.scoreboard)
    typer.echo(f"\n{built.index}")


def _comparison(paper: str) -> Any:
    from reproduce_lib.claims import load_claims
    from reproduce_lib.compare import Comparison
    from reproduce_lib.papers import load_paper
    from reproduce_lib.study import store_for

    known = load_paper(paper)
    return Comparison(load_claims(paper), known, store_for("full"))


def _selected(paper: str, experiment: str, claim: str, where: list[str] | None) -> list[Any]:
    """Return the statuses of the recorded set's units that fit the options."""
    comparison = _comparison(paper)
    if experiment:
        comparison.paper.experiment(experiment)
    conditions = dict(map(_assignment, where or []))
    known = {name for one in comparison.statuses for name in type(one.unit).model_fields}
    if unknown := [name for name in conditions if name not in known]:
        raise ParameterError(f"no unit of {paper} has {', '.join(unknown)}; parameters are: {', '.join(sorted(known))}")
    keys = {unit.key for unit in _row_of(comparison, claim).units} if claim else None
    chosen = [
        one
        for one in comparison.statuses
        if (not experiment or one.unit.experiment == experiment)
        and (keys is None or one.unit.key in keys)
        and all(getattr(one.unit, name, None) == value for name, value in conditions.items())
    ]
    if not chosen:
        values = {name: {getattr(one.unit, name, None) for one in comparison.statuses} - {None} for name in conditions}
        there = "; ".join(f"{name}: {', '.join(sorted(map(json.dumps, found)))}" for name, found in values.items())
        raise ParameterError(f"no unit of {paper} fits all of this; its units have {there or 'other experiments'}")
    return chosen


def _row_of(comparison: Any, claim: str) -> Any:
    rows = {row.claim.id: row for row in comparison.rows}
    if claim not in rows:
        raise ParameterError(f"unknown claim {claim!r}; the ids are in book/claims/{comparison.paper.key}.yaml")
    if not rows[claim].units:
        raise ParameterError(f"claim {claim!r} is about the paper alone; no unit stands behind it")
    return rows[claim]


def _execute(value: str) -> Execute:
    match value:
        case "recorded" | "missing" | "fresh":
            return value
    raise ParameterError(f"execute = {value!r}: allowed values are 'recorded', 'missing', 'fresh'")


def _assignment(text: str) -> tuple[str, Any]:
    """Split NAME=VALUE; the value is read as JSON where it is JSON, so that 1e-4 is a number."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"{text!r} is not NAME=VALUE")
    return name, _scalar(value)


def _grid(texts: Sequence[str]) -> tuple[list[str], list[list[Any]]]:
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, pair in zip(texts, pairs, strict=True) if not (pair[0] and pair[2])]:
        raise ParameterError(f"{', '.join(map(repr, wrong))}: a grid is NAME=VALUE,VALUE…")
    names = [name for name, _, _ in pairs]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ParameterError(f"{', '.join(twice)}: give all values of a parameter in one grid, NAME=VALUE,VALUE…")
    return names, [[_scalar(value) for value in values.split(",")] for _, _, values in pairs]


def _scalar(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_failures(failed: Iterable[Any]) -> None:
    """End with every unit that raised, once what succeeded is safe; what failed alike is said once."""
    alike: dict[str, list[str]] = {}
    for one in failed:
        alike.setdefault(one.message, []).append(f"{one.unit.experiment} {one.unit.key}")
    if alike:
        lines = [f"{', '.join(units[:3])}{' …' * (len(units) > 3)}: {message}" for message, units in alike.items()]
        raise RunError("\n".join([f"{sum(map(len, alike.values()))} unit(s) failed", *lines]))
