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
    """What was measured on one machine, the last time there."""

    time: str
    processor: str
    cores: int
    versions: dict[str, str]
    ratios: list[Ratio]
    quantities: list[Quantity]
    profiles: list[Profile]

    @property
    def machine(self) -> tuple[str, int, dict[str, str]]:
        """Return what must be the same for two figures to stand in one table."""
        return self.processor, self.cores, self.versions


class Benchmarks(Fields, frozen=True, kw_only=True):
    """The last result of everything that is measured, machine by machine."""

    schema: Literal[1] = 1
    machines: list[Results]


BENCHMARKS = Kept("benchmarks.json", Benchmarks, "make bench")
# By what the results of each kind are told apart: one thing may be measured against several others.
NAMES = {"ratios": ("name", "slow"), "quantities": ("name",), "profiles": ("paper",)}


def updated(old: Benchmarks | None, new: Results) -> Benchmarks:
    """Return the new results in the place of older ones of the same things, on whatever machine those were measured."""
    machines = []
    for results in old.machines if old else ():
        if results.machine == new.machine:
            new = msgspec.structs.replace(new, **{kind: _joined(kind, results, new) for kind in NAMES})
    for results in old.machines if old else ():
        left = {kind: _others(kind, results, new) for kind in NAMES}
        if results.machine != new.machine and any(left.values()):
            machines.append(msgspec.structs.replace(results, **left))
    return Benchmarks(machines=[*machines, new])


def _named(kind: str, results: Results) -> dict[tuple[str, ...], Any]:
    return {tuple(getattr(one, name) for name in NAMES[kind]): one for one in getattr(results, kind)}


def _joined(kind: str, old: Results, new: Results) -> list[Any]:
    """Return the last result of each name, in the order in which the names first came."""
    return list((_named(kind, old) | _named(kind, new)).values())


def _others(kind: str, results: Results, new: Results) -> list[Any]:
    """Return what was not measured again."""
    again = _named(kind, new)
    return [one for name, one in _named(kind, results).items() if name not in again]


def results_page(benchmarks: Benchmarks | None) -> str:
    """Return the benchmarks as a part of a page."""
    if benchmarks is None:
        return "The benchmarks have not been run yet.\n"
    return "\n\n".join(map(_machine_part, benchmarks.machines))


def _machine_part(results: Results) -> str:
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
