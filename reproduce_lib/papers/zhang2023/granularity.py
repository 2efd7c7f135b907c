"""Which sizes of a test set can give a printed accuracy: it is a whole number of samples over all of them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from reproduce_lib.papers.zhang2023.samples import KEY
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

# Accuracies in hundredths of a percent, as printed in Tables II to IV.
TABLES = {
    "II": (8434, 4695, 9580),
    "III": (8591, 8333, 9580),
    "IV": (8996, 7556, 7885, 7670, 9580),
}


class GranularityParameters(UnitParameters):
    """Sizes up to ``largest``."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "granularity"

    largest: int = Field(default=20_000, ge=1, le=1_000_000)


def run_granularity(parameters: GranularityParameters) -> UnitResult:
    """Return for each accuracy the smallest size that gives it, and for each table the smallest that gives all.

    A size of 0 stands for none up to ``largest``.
    """
    metrics: dict[str, MetricValue] = {}
    printed = sorted({value for table in TABLES.values() for value in table})
    sizes = {value: possible_sizes(value, parameters.largest) for value in printed}
    for value, found in sizes.items():
        metrics[f"smallest[{value / 100:.2f}]"] = float(min(found, default=0))
    for name, table in TABLES.items():
        metrics[f"smallest_for_all[{name}]"] = float(
            min(set.intersection(*(sizes[value] for value in table)), default=0)
        )
    common = set.intersection(*sizes.values())
    metrics["smallest_for_all"] = float(min(common, default=0))
    metrics["sizes_for_all"] = float(len(common))
    return UnitResult(metrics, parameters.largest)


def possible_sizes(printed: int, largest: int) -> set[int]:
    """Return every n up to ``largest`` of which some k / n rounds to ``printed`` hundredths of a percent.

    A half may have been rounded either way. All in whole numbers: |10000 k / n - printed| <= 1 / 2.
    """
    found = set()
    for n in range(1, largest + 1):
        k = round(printed * n / 10_000)
        if any(abs(2 * (10_000 * one - printed * n)) <= n for one in (k - 1, k, k + 1) if 0 <= one <= n):
            found.add(n)
    return found
