"""Table I: the output shape of each row of the backbone, as built."""

from __future__ import annotations

from typing import ClassVar, Literal

from reproduce_lib.papers.zhang2023.densenet import build_backbone
from reproduce_lib.papers.zhang2023.samples import KEY
from reproduce_lib.training import start_afresh
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

ROWS = (
    "Conv1D", "BatchNorm", "Relu", "DenseBlock1", "TransitionLayer1", "DenseBlock2", "TransitionLayer2", "DenseBlock3",
    "TransitionLayer3", "DenseBlock4", "BatchNorm_2", "GlobalAveragePooling", "Dense",
)  # fmt: skip
FEATURES = 95


class BackboneShapeParameters(UnitParameters):
    """The one backbone, on 95 features and any number of times."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "backbone_shapes"

    backend: Literal["jax", "tensorflow"] = "jax"


def run_backbone_shapes(_: BackboneShapeParameters) -> UnitResult:
    """Build the backbone and write the shape of each row as the table does, with ``None`` for what is free."""
    start_afresh(0)
    model = build_backbone((None, FEATURES))
    metrics: dict[str, MetricValue] = {row: _shape(model.get_layer(row).output.shape) for row in ROWS}
    metrics["parameters"] = float(model.count_params())
    return UnitResult(metrics, len(ROWS))


def _shape(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
