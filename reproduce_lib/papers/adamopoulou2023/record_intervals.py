"""Intervals of scores over records and runs: groups of stations and earthquakes are drawn anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.papers.adamopoulou2023.detection import FALSE_ALARMS, RATIOS
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, SUBSETS

DRAWS = 2000
PICKED = re.compile(r"pick_(precision|recall|f1)\[([ps])(?:,(high|low|elsewhere)|,(enz|en|e|n|z),high)?\]")
DETECTED = re.compile(r"detected\[(?:(-?\d+) dB|mean)\]")

Run = Mapping[str, NDArray[Any]]
Numbers = NDArray[np.float64]


def interval_over_records(
    runs: Sequence[Run], metric: str, generator: np.random.Generator
) -> tuple[float, float] | None:
    """Return the 95 % interval of a score's mean over runs, with groups of records and runs drawn with replacement.

    The windows of a record are not independent, and neither are the records of a station or an earthquake: a
    group is drawn whole, the same one for every run. Of another country a group is a station, and of the hours that
    nobody labelled it is one of them.

    Parameters
    ----------
    runs : what units of several seeds kept: for picks ``records`` (records, phases, 1 + subsets, 3), ``group`` and
        ``high`` (records,), and ``elsewhere`` (stations, phases, 3); for detection scores and groups of noise and
        signals, the folds in front; for recovery ``gains`` and ``gains_group`` (windows,); for any other score its
        sums under its name, (groups, 2)
    metric : ``pick_f1[p]`` for all windows, ``pick_f1[p,low]`` for those up to 20 dB, ``pick_f1[p,enz,high]`` for a
        subset of components above it, ``pick_f1[p,elsewhere]``; ``detected[0 dB]`` or ``detected[mean]``;
        ``recovery_gain``; the name of any sums; for another score there is none
    """
    drawn = _drawn_by(metric, runs)
    if drawn is None:
        return None
    count, score = drawn
    groups = _draws(count, generator)
    scores = np.stack([score(run, groups) for run in runs])
    chosen = _draws(len(runs), generator).T / len(runs)
    low, high = np.quantile((chosen * scores).sum(axis=0), [0.025, 0.975])
    return float(low), float(high)


def _drawn_by(metric: str, runs: Sequence[Run]) -> tuple[int, Callable[[Run, Numbers], Numbers]] | None:
    """Return how many groups a score is drawn from, and what gives it in each draw; nothing if it was not kept."""
    if (picked := PICKED.fullmatch(metric)) and _hold(runs, "elsewhere" if picked[3] == "elsewhere" else "records"):
        if picked[3] == "elsewhere":
            return len(runs[0]["elsewhere"]), partial(_picked_elsewhere, picked)
        return _groups(runs, "group"), partial(_picked, picked)
    if (detected := DETECTED.fullmatch(metric)) and _hold(runs, "noise_scores"):
        return _groups(runs, "group"), partial(_detected, detected)
    if metric == "recovery_gain" and _hold(runs, "gains"):
        return _groups(runs, "gains_group"), _gained
    if _hold(runs, metric):
        return max(len(run[metric]) for run in runs), partial(_summed, metric)
    return None


def _hold(runs: Sequence[Run], name: str) -> bool:
    return bool(runs) and all(name in run for run in runs)


def _groups(runs: Sequence[Run], name: str) -> int:
    return int(max(run[name].max() for run in runs)) + 1


def score_of(score: str, counts: Numbers) -> Numbers:
    """Return precision, recall or F1 of hits, false picks and missed arrivals (..., 3); 0 where there is nothing."""
    hits, false, missed = np.moveaxis(counts.astype(float), -1, 0)
    part, whole = {
        "precision": (hits, hits + false),
        "recall": (hits, hits + missed),
        "f1": (2 * hits, 2 * hits + false + missed),
    }[score]
    found: Numbers = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return found


def _picked(named: re.Match[str], run: Run, groups: Numbers) -> Numbers:
    """Return a score of one run's picks in each draw of groups, shape (draws,)."""
    score, phase, strength, subset = named.groups()
    counts = run["records"][:, PHASES.index(phase), 0 if subset is None else 1 + SUBSETS.index(subset)]
    if strength is not None:
        counts = np.where((run["high"] == (strength == "high"))[:, None], counts, 0)
    summed = np.zeros((groups.shape[1], counts.shape[-1]))
    np.add.at(summed, run["group"], counts)
    return score_of(score, groups @ summed)


def _picked_elsewhere(named: re.Match[str], run: Run, groups: Numbers) -> Numbers:
    """Return a score of one run's picks in records of another country in each draw of their groups, shape (draws,)."""
    return score_of(named[1], groups @ run["elsewhere"][:, PHASES.index(named[2])].astype(float))


def _summed(name: str, run: Run, groups: Numbers) -> Numbers:
    """Return a score that is a ratio of sums in each draw of groups, shape (draws,)."""
    own = run[name].astype(float)
    total, weight = (groups[:, : len(own)] @ own).T
    found: Numbers = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return found


def _gained(run: Run, groups: Numbers) -> Numbers:
    """Return the median gain of one run's windows in each draw of groups, shape (draws,)."""
    order = np.argsort(run["gains"])
    weights = groups[:, run["gains_group"][order]].cumsum(axis=1)
    found: Numbers = run["gains"][order][(weights >= weights[:, -1:] / 2).argmax(axis=1)].astype(float)
    return found


def _detected(named: re.Match[str], run: Run, groups: Numbers) -> Numbers:
    """Return what one run detects in each draw of groups, in percent, shape (draws,).

    The threshold is that of the noise that was drawn: which minutes of noise there are is chance, too.
    """
    ratio = named.group(1)
    rows = [RATIOS.index(int(ratio))] if ratio else list(range(len(RATIOS)))
    shares = []
    for noise, of_noise, signals, of_signals in zip(
        *(run[name] for name in ("noise_scores", "noise_groups", "signal_scores", "signal_groups")), strict=True
    ):
        threshold = _thresholds(noise, groups[:, of_noise])
        weights = groups[:, of_signals]
        found = [(weights * (signals[row] > threshold[:, None])).sum(axis=1) for row in rows]
        shares.append(np.mean(found, axis=0) / np.where(weights.any(axis=1), weights.sum(axis=1), np.nan))
    mean: Numbers = 100 * np.nanmean(shares, axis=0)
    return mean


def _thresholds(noise: Numbers, weights: Numbers) -> Numbers:
    """Return in each draw the least score of noise that at most 5 % of what was drawn exceeds, shape (draws,)."""
    order = np.argsort(noise)
    above = weights[:, order[::-1]].cumsum(axis=1)[:, ::-1] - weights[:, order]
    least = (above <= FALSE_ALARMS[0] * weights.sum(axis=1, keepdims=True)).argmax(axis=1)
    found: Numbers = noise[order][least]
    return found


def _draws(count: int, generator: np.random.Generator) -> Numbers:
    """Return how often each of ``count`` things is drawn, in each of `DRAWS` draws."""
    return generator.multinomial(count, np.full(count, 1 / count), DRAWS).astype(float)
