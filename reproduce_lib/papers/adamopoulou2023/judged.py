"""What judging a picker gives: counts and sums that add up over folds, and thresholds that are averaged over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.augmentations import ARTIFACTS
from reproduce_lib.papers.adamopoulou2023.detection import Trial, detection_arrays, detection_metrics
from reproduce_lib.papers.adamopoulou2023.group_sums import Sums, ratio
from reproduce_lib.papers.adamopoulou2023.pickers import PHASES, RATE_READINGS, READINGS
from reproduce_lib.picks import Counts
from reproduce_lib.units import MetricValue

# What the name of a score ends with that is not counted as the unit says.
OTHERWISE = tuple(f"{ending}]" for ending in READINGS if ending)
# What a defect adds to the picks in noise: with it, and without.
EXCESSES = {f"{kind}{ending}": f"none{ending}" for kind in ARTIFACTS for ending in RATE_READINGS}


@dataclass
class Judged:
    """Counts and sums that add up over folds, and thresholds that are averaged over them.

    Attributes
    ----------
    counts : name -> hits, false picks, missed arrivals
    sums : score -> of each group what is counted, and over what, shape (groups, 2): a recall's hits and arrivals, the
        picks and hours of a rate, the probabilities and records of an activation
    curves : name -> sum over records, shape (places,)
    slid : how many records a curve is the sum of
    thresholds : phase -> one for each fold
    shown : what pictures show of the first fold
    trials : what it says as a detector, one for each fold
    records : hits, false picks and missed arrivals of each record, shape (records, phases, 1 + subsets, 3): in all
        windows with the components that the parameters name, and above 20 dB with each subset
    elsewhere : the same of each station of another country, shape (stations, phases, 3)
    """

    counts: dict[str, Counts] = field(default_factory=dict)
    sums: dict[str, Sums] = field(default_factory=dict)
    curves: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    slid: int = 0
    thresholds: dict[str, list[float]] = field(default_factory=dict)
    shown: dict[str, NDArray[Any]] = field(default_factory=dict)
    trials: list[dict[str, Trial]] = field(default_factory=list)
    records: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, 0, 0, 3), dtype=np.intp))
    elsewhere: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, 0, 3), dtype=np.intp))

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
            # Section 5.2.3 says which of the two superposed noise raises more.
            if set(name.split(",")[1:2]) & {"high", "low"}:
                found[f"pick_recall_over_precision[{name}]"] = counts.recall - counts.precision
        found |= {name: ratio(one) for name, one in (self.sums | self.excesses).items()}
        for phase, values in self.thresholds.items():
            found[f"threshold[{phase}]"] = float(np.mean(values))
        return found | detection_metrics(self.trials) if self.trials else found

    @property
    def excesses(self) -> dict[str, Sums]:
        """Return what a defect adds to the picks in the same noise without one, over the same hours."""
        found = {}
        for name, without in EXCESSES.items():
            if (own := self.sums.get(f"picks_per_hour[{name}]")) is not None:
                picks, hours = own.T
                found[f"picks_per_hour[excess,{name}]"] = np.stack(
                    [picks - self.sums[f"picks_per_hour[{without}]"][:, 0], hours], axis=1
                )
        return found

    @property
    def kept(self) -> dict[str, NDArray[Any]]:
        """Return what is kept beside the metrics: curves, what pictures show, and what intervals are drawn from.

        Of the sums those are kept that are counted as the unit says, and not otherwise.
        """
        own = {name: one for name, one in (self.sums | self.excesses).items() if not name.endswith(OTHERWISE)}
        return (
            {name: (one / self.slid).astype(np.float32) for name, one in self.curves.items()}
            | {name: one.astype(np.float32) for name, one in own.items()}
            | ({"elsewhere": self.elsewhere.astype(np.uint16)} if self.elsewhere.size else {})
            | self.shown
            | detection_arrays(self.trials)
        )

    def add(self, score: str, sums: Sums) -> None:
        """Add sums of groups to those of a score."""
        self.sums[score] = self.sums[score] + sums if score in self.sums else sums


def together(parts: Sequence[Judged]) -> Judged:
    """Put the folds of one unit together."""
    whole = Judged(
        records=np.sum([part.records for part in parts], axis=0),
        elsewhere=np.sum([part.elsewhere for part in parts], axis=0),
        curves={name: np.sum([part.curves[name] for part in parts], axis=0) for name in parts[0].curves},
        slid=sum(part.slid for part in parts),
        shown=parts[0].shown,
    )
    for part in parts:
        for name, counts in part.counts.items():
            whole.counts[name] = whole.counts.get(name, Counts(0, 0, 0)) + counts
        for name, sums in part.sums.items():
            whole.add(name, sums)
        for phase, values in part.thresholds.items():
            whole.thresholds.setdefault(phase, []).extend(values)
        whole.trials.extend(part.trials)
    return whole
