"""Intervals of a picker's scores over records and runs: groups of stations and earthquakes are drawn anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.papers.adamopoulou2023.scores import PHASES, SUBSETS

DRAWS = 2000
METRIC = re.compile(r"pick_(precision|recall|f1)\[([ps])(?:,(\w+),high)?\]")


def interval_over_records(
    runs: Sequence[dict[str, NDArray[Any]]], metric: str, generator: np.random.Generator
) -> tuple[float, float] | None:
    """Return the 95 % interval of a score's mean over runs, with groups of records and runs drawn with replacement.

    The windows of a record are not independent, and neither are the records of a station or an earthquake: a
    group is drawn whole, the same one for every run.

    Parameters
    ----------
    runs : what networks of several seeds kept: ``records`` (records, phases, 1 + subsets, 3) and ``group`` (records,)
    metric : ``pick_f1[p]`` for all windows, ``pick_f1[p,enz,high]`` for a subset of components above 20 dB; for any
        other score there is no interval
    """
    named = METRIC.fullmatch(metric)
    if named is None or not runs:
        return None
    score, phase, subset = named.groups()
    column = 0 if subset is None else 1 + SUBSETS.index(subset)
    counts = np.stack([_by_group(run["records"][:, PHASES.index(phase), column], run["group"]) for run in runs])
    groups = _draws(counts.shape[1], generator)
    totals = np.einsum("dg,rgk->drk", groups, counts)
    chosen = _draws(len(runs), generator) / len(runs)
    means = (chosen * score_of(score, totals)).sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def score_of(score: str, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return precision, recall or F1 of hits, false picks and missed arrivals (..., 3); 0 where there is nothing."""
    hits, false, missed = np.moveaxis(counts.astype(float), -1, 0)
    part, whole = {
        "precision": (hits, hits + false),
        "recall": (hits, hits + missed),
        "f1": (2 * hits, 2 * hits + false + missed),
    }[score]
    found: NDArray[np.float64] = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return found


def _by_group(counts: NDArray[np.uint16], group: NDArray[np.uint16]) -> NDArray[np.float64]:
    summed = np.zeros((int(group.max()) + 1, counts.shape[-1]))
    np.add.at(summed, group, counts)
    return summed


def _draws(count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return how often each of ``count`` things is drawn, in each of `DRAWS` draws."""
    return generator.multinomial(count, np.full(count, 1 / count), DRAWS).astype(float)
