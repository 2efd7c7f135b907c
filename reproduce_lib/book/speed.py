"""What the page on speed shows of the benchmarks, which ``make bench`` writes."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

import msgspec

from reproduce_lib.book.kept import Fields, Kept
from reproduce_lib.tables import table


class Scores(Fields, frozen=True, kw_only=True):
    """The mean score of networks trained in two ways, and by how much the two may differ."""

    metric: str
    fast: float
    slow: float
    allowed: float


class Ratio(Fields, frozen=True, kw_only=True):
    """One way of doing a thing against another: geometric mean of the pairs' ratios, 95 % interval."""

    name: str
    slow: str
    fast: str
    slow_seconds: float
    fast_seconds: float
    ratio: float
    low: float
    high: float
    repeats: int
    goal: float | None = None
    scores: Scores | None = None


class Quantity(Fields, frozen=True, kw_only=True):
    """A measured quantity: median over repeats with the smallest and the largest."""

    name: str
    unit: str
    median: float
    smallest: float
    largest: float
    repeats: int
    at_most: float | None = None


class Share(Fields, frozen=True, kw_only=True):
    """What part of a unit's seconds went where."""

    where: str
    share: float


class Profile(Fields, frozen=True, kw_only=True):
    """Where the time of a paper's slowest unit goes, in a new worker."""

    paper: str
    unit: str
    seconds: float
    shares: list[Share]


class Results(Fields, frozen=True, kw_only=True):
    """One run of the benchmarks."""

    schema: Literal[1] = 1
    time: str
    processor: str
    cores: int
    versions: dict[str, str]
    ratios: list[Ratio]
    quantities: list[Quantity]
    profiles: list[Profile]


BENCHMARKS = Kept("benchmarks.json", Results, "make bench")


def updated(old: Results | None, new: Results) -> Results:
    """Return the new results, with those of the old ones that were not measured again on the same machine.

    Results of another processor, number of cores or set of versions are dropped.
    """
    if old is None or (old.processor, old.cores, old.versions) != (new.processor, new.cores, new.versions):
        return new
    return msgspec.structs.replace(
        new,
        # One thing may be measured against several others.
        ratios=_kept([*old.ratios, *new.ratios], "name", "slow"),
        quantities=_kept([*old.quantities, *new.quantities], "name"),
        profiles=_kept([*old.profiles, *new.profiles], "paper"),
    )


def _kept(results: list[Any], *names: str) -> list[Any]:
    """Return the last result of each name, in the order in which the names first came."""
    return list({tuple(getattr(one, name) for name in names): one for one in results}.values())


def results_page(results: Results | None) -> str:
    """Return the benchmarks as a part of a page."""
    if results is None:
        return "The benchmarks have not been run yet.\n"
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    on = escape(f"Measured {results.time[:10]} on {results.processor}, {results.cores} cores, with {versions}.")
    tables = [_ratios(results.ratios)] if results.ratios else []
    tables += [_quantities(results.quantities)] if results.quantities else []
    return "\n\n".join([on, *tables, *map(_profile, results.profiles)])


def _ratios(ratios: list[Ratio]) -> str:
    header = ["What", "This way", "Instead of", "This, s", "That, s", "Times faster", "95 %", "Pairs", "Goal", "Scores"]
    rows = [
        (
            one.name,
            one.fast,
            one.slow,
            _figures(one.fast_seconds),
            _figures(one.slow_seconds),
            _figures(one.ratio),
            f"{_figures(one.low)} to {_figures(one.high)}" if one.repeats > 1 else "",
            str(one.repeats),
            _ratio_judged(one),
            _scores_judged(one.scores) if one.scores else "",
        )
        for one in ratios
    ]
    return str(table(header, rows, caption="Ratios, each from pairs measured in one run"))


def _quantities(quantities: list[Quantity]) -> str:
    header = ["What", "Median", "Smallest to largest", "Repeats", "Goal"]
    rows = [
        (
            one.name,
            f"{_figures(one.median)} {one.unit}",
            f"{_figures(one.smallest)} to {_figures(one.largest)}",
            str(one.repeats),
            _judged(one.median <= one.at_most, f"≤ {one.at_most:g} {one.unit}") if one.at_most is not None else "",
        )
        for one in quantities
    ]
    return str(table(header, rows, caption="Quantities"))


def _profile(profile: Profile) -> str:
    rows = [(share.where, f"{100 * share.share:.0f} %") for share in profile.shares]
    title = f"{profile.paper}: {profile.unit}, {profile.seconds:.1f} s"
    return str(table(["Where the time goes", "Share"], rows, caption=title))


def _scores_judged(scores: Scores) -> str:
    """Say how far the scores of both ways lie apart, and whether that is within the tolerance of the verdicts."""
    apart = abs(scores.fast - scores.slow)
    values = f"{scores.metric} {_figures(scores.fast)} and {_figures(scores.slow)}"
    return f"{values}: {_judged(apart <= scores.allowed, f'≤ {scores.allowed:.2g} apart')}"


def _ratio_judged(one: Ratio) -> str:
    """Say whether the whole interval reaches the goal, misses it, or does not tell."""
    if one.goal is None:
        return ""
    if one.low < one.goal <= one.high:
        return f"≥ {one.goal:g} ? open"
    return _judged(one.low >= one.goal, f"≥ {one.goal:g}")


def _judged(holds: bool, goal: str) -> str:
    return f"{goal} ✓ reached" if holds else f"{goal} ✗ missed"


def _figures(value: float) -> str:
    """Write a number with three figures, without an exponent."""
    return f"{float(f'{value:.3g}'):,.10g}"
