"""A paper whose units sleep, raise or kill their process, for tests of what runs them.

Tests copy it into a copy of the package, so that worker processes of any kind can import it.
"""

import os
import signal
import time
import warnings
from pathlib import Path
from typing import ClassVar, Literal

from reproduce_lib.units import Experiment, Paper, UnitParameters, UnitResult


class ToyParameters(UnitParameters):
    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "units"

    number: int = 0
    does: Literal["measure", "raise", "die", "die once", "load keras", "get old"] = "measure"
    lasts: float = 0.0


def run(unit: ToyParameters) -> UnitResult:
    folder = Path(os.environ["TOY_FOLDER"])
    begun = time.time()
    starts = folder / f"starts-{unit.number}"
    with starts.open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(unit.lasts)
    often = len(starts.read_text(encoding="utf-8").splitlines())
    if unit.does == "die" or (unit.does == "die once" and often == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if unit.does == "raise":
        raise ValueError(f"unit {unit.number} raises")
    if unit.does == "get old":
        warnings.warn_explicit("theirs will go", DeprecationWarning, "their.py", 1, module="their")
        warnings.warn("ours will go", DeprecationWarning, stacklevel=1)
    with (folder / "spans").open("a", encoding="utf-8") as file:
        file.write(f"{unit.number} {begun} {time.time()} {os.getpid()} {os.environ['OMP_NUM_THREADS']}\n")
    if unit.does == "load keras":
        import keras

        return UnitResult({"mae": 2.0 * unit.number, "keras": keras.backend.backend()}, 1)
    return UnitResult({"mae": 2.0 * unit.number}, 1)


PAPER = Paper(
    key="toy",
    experiments={"units": Experiment(ToyParameters, run, lambda: map(ToyParameters, ()), lambda: ())},
    naive=lambda unit: None,
    main="units",
)
