"""A small study that is run to be disturbed: ``python -m tests.faults.small_study STUDY FOLDER [JOBS]``.

``real``: every baseline and every fact of one share's prices, some tenths of a second each, and an ARIMA.
``simulated``: forecasts of simulated prices, some milliseconds each, on any machine.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Literal

from reproduce_lib.errors import ReproduceError
from reproduce_lib.execution.engine import run_units
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.paper import PAPER
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters

Study = Literal["real", "simulated"]
EXPERIMENTS = ("baselines", "price_facts")


def units_of(study: Study) -> list[UnitParameters]:
    if study == "simulated":
        ways = product(range(10), ("naive", "drift"), (0, 1, 30))
        return [
            BaselineParameters.of(profile="smoke", data="simulated", seed=seed, method=method, skip_days=days)
            for seed, method, days in ways
        ]
    units = [unit for unit in PAPER.full_units() if unit.experiment in EXPERIMENTS]
    return [unit for unit in units if unit.ticker == "GOOG"]  # type: ignore[attr-defined]


def main(study: Study, folder: Path, jobs: int = 1) -> str | int:
    try:
        summary = run_units(units_of(study), Store(folder / "records", folder / "artifacts"), jobs=jobs)
    except ReproduceError as error:
        return f"{type(error).__name__}: {error}"
    return f"{len(summary.failed)} failed" if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])))  # type: ignore[arg-type]
