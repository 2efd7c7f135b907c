"""Drawings of networks, made of the models themselves: a box for each layer, its settings, output and weights."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from reproduce_lib import paths
from reproduce_lib.errors import RecordError
from reproduce_lib.files import write_whole
from reproduce_lib.tables import Html

if TYPE_CHECKING:
    import keras

# What is told of a layer, where it has it and it is not this.
SETTINGS: dict[str, Any] = {
    "units": None, "filters": None, "kernel_size": None, "pool_size": None, "strides": 1, "rate": None,
    "activation": "linear", "target_shape": None, "cropping": None,
}  # fmt: skip
# Layers that stand in the box of the layer before them, where nothing else looks at that one.
SMALL = {"BatchNormalization", "FoldedBatchNormalization", "LayerNormalization", "ReLU", "Activation", "Dropout"}
# Measures of a drawing, in pixels.
BOX_HEIGHT, GAP, BOX_WIDTH, ARC_STEP, SHAPE_WIDTH, LETTER = 30, 14, 300, 9, 130, 6.6


class Box(BaseModel):
    """A layer with the small ones behind it: words, shape of its output, trainable weights, boxes of its inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    shape: str
    weights: int
    inputs: tuple[int, ...]


Networks = dict[str, list[Box]]
_NETWORKS = TypeAdapter(Networks)


def drawings(paper: str, builders: Mapping[str, Callable[[], keras.Model]], *, keep: bool) -> Html:
    """Return a drawing of each of a paper's networks, from what was kept of the models.

    Parameters
    ----------
    builders : name -> builds the network
    keep : whether to build the networks now, and keep what they are made of

    Raises
    ------
    RecordError
        If a network was never kept.
    """
    path = kept_networks(paper)
    if keep:
        networks = {name: boxes_of(build()) for name, build in builders.items()}
        write_whole(path, _NETWORKS.dump_json(networks, indent=1) + b"\n")
    networks = read_networks(path)
    if missing := [name for name in builders if name not in networks]:
        raise RecordError(f"{path} holds no {', '.join(missing)}; build the book once with --keep-figures")
    drawn = "".join(f"<div><h4>{escape(name)}</h4>{draw(name, networks[name])}</div>" for name in builders)
    return Html(f'<div class="rr-networks">{drawn}</div>')


def kept_networks(paper: str) -> Path:
    """Return where it is kept what a paper's networks are made of."""
    return paths.artifacts_folder() / paper / "networks.json"


def read_networks(path: Path) -> Networks:
    """Return what was kept, nothing where there is nothing."""
    return _NETWORKS.validate_python(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def boxes_of(model: keras.Model) -> list[Box]:
    """Return the boxes of a network in the order of computation."""
    graph = getattr(model, "_functional", None) or model
    operations = list(graph.operations)
    parents = {one: [parent.operation for parent in one._inbound_nodes[0].parent_nodes] for one in operations}
    children = {one: [child for child in operations if one in parents[child]] for one in operations}
    boxes: list[list[Any]] = []
    of: dict[Any, int] = {}
    for one in operations:
        before = parents[one]
        if type(one).__name__ in SMALL and len(before) == 1 and len(children[before[0]]) == 1:
            of[one] = of[before[0]]
            boxes[of[one]].append(one)
        else:
            of[one] = len(boxes)
            boxes.append([one])
    return [_box(members, tuple(of[parent] for parent in parents[members[0]])) for members in boxes]


def draw(name: str, boxes: Sequence[Box]) -> Html:
    """Return a drawing: boxes from top to bottom, lines between neighbours, arcs on the left over what is left out."""
    lanes = _lanes([(first, last) for last, box in enumerate(boxes) for first in box.inputs if last - first > 1])
    margin = ARC_STEP * (max(lanes.values(), default=0) + 1) + 4
    height = len(boxes) * (BOX_HEIGHT + GAP) - GAP + 4
    width = margin + BOX_WIDTH + SHAPE_WIDTH
    weights = sum(box.weights for box in boxes)
    title = f"{name}: {len(boxes)} steps, {weights:,} trainable weights"
    parts = [*_lines(boxes, lanes, margin), *(_drawn(number, box, margin) for number, box in enumerate(boxes))]
    return Html(
        f'<svg class="rr-network" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg><p class="rr-note">{escape(title)}</p>'
    )


def _box(members: Sequence[Any], inputs: tuple[int, ...]) -> Box:
    words = ", ".join(filter(None, map(_words, members)))
    weights = sum(math.prod(weight.shape) for one in members for weight in getattr(one, "trainable_weights", ()))
    output = members[-1].output
    shapes = [one.shape for one in output] if isinstance(output, list | tuple) else [output.shape]
    return Box(words=words, shape=" + ".join(map(_shape, shapes)), weights=weights, inputs=inputs)


def _words(operation: Any) -> str:
    kind = type(operation).__name__.replace("Folded", "")
    if kind == "InputLayer":
        return "input"
    config = operation.get_config()
    if config.get("strides") == config.get("pool_size"):
        config.pop("strides", None)
    told = [_setting(name, config[name]) for name, usual in SETTINGS.items() if _differs(config.get(name), usual)]
    return " ".join([kind, *told])


def _differs(value: Any, usual: Any) -> bool:
    many = value if isinstance(value, list | tuple) else (value,)
    return value is not None and any(one != usual for one in many)


def _setting(name: str, value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | tuple):
        value = " × ".join(map(str, value))
    label = {"kernel_size": "kernel ", "pool_size": "pool ", "strides": "stride "}.get(name, "")
    return f"{label}{value}"


def _shape(shape: Sequence[int | None]) -> str:
    return " × ".join("any" if size is None else str(size) for size in shape[1:]) or "1"


def _lanes(leaps: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Give each arc a lane, 1 beside the boxes, that no other over the same boxes has; short ones lie inside."""
    lanes: dict[tuple[int, int], int] = {}
    for first, last in sorted(set(leaps), key=lambda leap: (leap[1] - leap[0], leap)):
        taken = {lane for (begin, end), lane in lanes.items() if begin < last and first < end}
        lanes[first, last] = next(lane for lane in range(1, len(taken) + 2) if lane not in taken)
    return lanes


def _lines(boxes: Sequence[Box], lanes: Mapping[tuple[int, int], int], margin: int) -> Iterator[str]:
    middle = margin + BOX_WIDTH / 2
    for last, box in enumerate(boxes):
        if last - 1 in box.inputs:
            yield f'<path d="M{middle} {_top(last) - GAP}V{_top(last)}"/>'
    for leap, lane in lanes.items():
        above, below = (_top(number) + BOX_HEIGHT / 2 for number in leap)
        x = margin - ARC_STEP * lane
        down = f"H{x + 6}Q{x} {above} {x} {above + 6}V{below - 6}Q{x} {below} {x + 6} {below}H{margin}"
        yield f'<path d="M{margin} {above}{down}"/>'


def _drawn(number: int, box: Box, margin: int) -> str:
    top = _top(number)
    kind = "rr-learns" if box.weights else "rr-fixed"
    room = BOX_WIDTH - 16
    squeezed = f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if len(box.words) * LETTER > room else ""
    beside = f"{box.shape}{f'  ({box.weights:,})' if box.weights else ''}"
    return (
        f'<rect class="{kind}" x="{margin}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4"/>'
        f'<text x="{margin + 8}" y="{top + 19}"{squeezed}>{escape(box.words)}</text>'
        f'<text class="rr-shape" x="{margin + BOX_WIDTH + 8}" y="{top + 19}">{escape(beside)}</text>'
    )


def _top(number: int) -> int:
    return 2 + number * (BOX_HEIGHT + GAP)
