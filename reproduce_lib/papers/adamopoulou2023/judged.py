"""What judging a picker gives: counts that add up over folds, and values that are averaged over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import ARTIFACTS
from reproduce_lib.papers.adamopoulou2023.detection import Trial, detection_metrics
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, READINGS
from reproduce_lib.picks import Counts
from reproduce_lib.units import MetricValue

# What a defect adds to the picks in noise: with it, and without.
EXCESSES = {f"{kind}{ending}": f"none{ending}" for kind in ARTIFACTS for ending in READINGS}


@dataclass
class Judged:
    """Counts that add up over folds, and values that are averaged over them.

    Attributes
    ----------
    counts : name -> hits, false picks, missed arrivals
    recalls : name -> the same, where only what was missed means anything
    rates : name -> (picks, hours)
    means : name -> values, one for each fold
    arrays : name -> curve
    trials : what it says as a detector, one for each fold
    records : hits, false picks and missed arrivals of each record, shape (records, phases, 1 + subsets, 3): in all
        windows with the components that the parameters name, and above 20 dB with each subset
    """

    counts: dict[str, Counts] = field(default_factory=dict)
    recalls: dict[str, Counts] = field(default_factory=dict)
    rates: dict[str, tuple[float, float]] = field(default_factory=dict)
    means: dict[str, list[float]] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    trials: list[dict[str, Trial]] = field(default_factory=list)
    records: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, 0, 0, 3), dtype=np.intp))

    @property
    def arrivals(self) -> int:
        """Return how many arrivals of P and S the main scores are over."""
        return sum(self.counts[phase].hits + self.counts[phase].missed for phase in PHASES)

    @property
    def metrics(self) -> dict[str, MetricValue]:
        """Return every score by name."""
        found: dict[str, MetricValue] = {}
        for name, counts in self.counts.items():
            found[f"pick_precision[{name}]"] = counts.precision
            found[f"pick_recall[{name}]"] = counts.recall
            found[f"pick_f1[{name}]"] = counts.f1
        for name, counts in self.recalls.items():
            found[f"pick_recall[{name}]"] = counts.recall
        for name, (picks, hours) in self.rates.items():
            found[f"picks_per_hour[{name}]"] = picks / hours if hours else 0.0
        for name, without in EXCESSES.items():
            if name in self.rates:
                (picks, hours), (before, as_long) = self.rates[name], self.rates[without]
                found[f"picks_per_hour[excess,{name}]"] = picks / hours - before / as_long
        for name, values in self.means.items():
            found[name] = float(np.mean(values))
        return found | detection_metrics(self.trials) if self.trials else found


def together(parts: Sequence[Judged]) -> Judged:
    """Put the folds of one unit together."""
    whole = Judged(records=np.sum([part.records for part in parts], axis=0))
    for part in parts:
        for sums, added in ((whole.counts, part.counts), (whole.recalls, part.recalls)):
            for name, counts in added.items():
                sums[name] = sums.get(name, Counts(0, 0, 0)) + counts
        for name, (picks, hours) in part.rates.items():
            before = whole.rates.get(name, (0.0, 0.0))
            whole.rates[name] = before[0] + picks, before[1] + hours
        for name, values in part.means.items():
            whole.means.setdefault(name, []).extend(values)
        whole.trials.extend(part.trials)
    whole.arrays = {name: np.mean([part.arrays[name] for part in parts], axis=0) for name in parts[0].arrays}
    return whole
