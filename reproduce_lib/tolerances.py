"""What is known about each score: its direction, and how wide an interval may be and still carry a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reproduce_lib.errors import ParameterError

Better = Literal["lower", "higher", "none"]


@dataclass(frozen=True)
class Metric:
    """What the verdict rule needs to know about a score.

    Attributes
    ----------
    name : identifier in claims and records
    better : which direction is better
    half_width : widest prediction half-width that still carries a verdict; a share of the printed
        value when ``relative``, else in the score's own unit
    relative : see ``half_width``
    """

    name: str
    label: str
    better: Better
    half_width: float
    relative: bool

    def verdict_half_width(self, printed: float) -> float:
        """Return the widest half-width that still carries a verdict beside ``printed``."""
        return self.half_width * abs(printed) if self.relative else self.half_width


METRICS = {
    metric.name: metric
    for metric in (
        Metric("mae", "MAE", "lower", half_width=0.10, relative=True),
        Metric("rmse", "RMSE", "lower", half_width=0.10, relative=True),
        Metric("magnitude", "forecast magnitude", "none", half_width=0.2, relative=False),
        Metric("accuracy", "accuracy (%)", "higher", half_width=2.5, relative=False),
        Metric("mauc", "MAUC (%)", "higher", half_width=2.5, relative=False),
        Metric("precision", "precision (%)", "higher", half_width=2.5, relative=False),
        Metric("recall", "recall (%)", "higher", half_width=2.5, relative=False),
        Metric("f1", "F1", "higher", half_width=0.025, relative=False),
        Metric("pick_precision", "precision of picks", "higher", half_width=0.025, relative=False),
        Metric("pick_recall", "recall of picks", "higher", half_width=0.025, relative=False),
        Metric("pick_f1", "F1 of picks", "higher", half_width=0.025, relative=False),
        # Counted, without randomness: no interval ever carries their verdict.
        Metric("samples", "samples of a class", "none", half_width=0.0, relative=False),
    )
}


def metric(name: str) -> Metric:
    """Return a score by name, or raise `ParameterError` with the known names.

    A name may carry what it is taken at in brackets: ``magnitude[2022-08]`` is the forecast magnitude of
    August 2022, and is known as every ``magnitude`` is.
    """
    bare, bracket, _ = name.partition("[")
    if bare not in METRICS or (bracket and not name.endswith("]")):
        raise ParameterError(f"unknown metric {name!r}; known metrics: {', '.join(METRICS)}")
    return METRICS[bare]
