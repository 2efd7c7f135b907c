"""Figures of classifiers: what each design of an evaluation yields, confusion matrices, features in the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPES = ("|", "x", "P", "v", "^", "s", "o", "D", "*")
COLOURS = ("black", GREY, GREY, PURPLE, RED, GREEN, BLUE, ORANGE, "black")


def draw_designs(axes: Axes, scores: Mapping[str, Mapping[str, Sequence[float]]], *, unit: str) -> None:
    """Draw what each design scores in each region: one line a region, a marker a design, a bar from seed to seed.

    Parameters
    ----------
    scores : region -> design -> its score for each seed; every region has the same designs or fewer
    """
    heights = np.arange(len(scores))[::-1]
    designs = list(dict.fromkeys(design for found in scores.values() for design in found))
    for number, design in enumerate(designs):
        shape, colour = SHAPES[number % len(SHAPES)], COLOURS[number % len(COLOURS)]
        # Designs of one region stand one above the other a little, so that equal scores do not hide one another.
        shift = 0.3 - 0.6 * number / max(len(designs) - 1, 1)
        for height, found in zip(heights, scores.values(), strict=True):
            values = np.array(found.get(design, ()), dtype=float)
            if not len(values):
                continue
            axes.plot([values.min(), values.max()], [height + shift] * 2, color=colour, lw=2, alpha=0.5)
            axes.plot(values.mean(), height + shift, shape, color=colour, ms=7, mew=2, label=design)
    axes.set(yticks=heights, yticklabels=list(scores), xlabel=unit, ylim=(-0.6, len(scores) - 0.4))


def draw_steps(axes: Axes, steps: Mapping[str, Mapping[str, NDArray[np.float64]]], *, unit: str) -> None:
    """Draw how a score comes about: one row a region, from a first bar in steps to a last value.

    Parameters
    ----------
    steps : region -> step -> where it ends, in each run; the first begins at the axis' left end, each other where the
        mean of the one before ends, and the last is a single value. A step to the left is hollow: it takes away
    """
    heights = np.arange(len(steps))[::-1]
    looks = ((GREY, ""), (PURPLE, ""), (BLUE, ""), (ORANGE, ""), ("white", "////"))
    for height, found in zip(heights, steps.values(), strict=True):
        begin = 0.0
        for place, ((name, ends), (colour, hatch)) in enumerate(zip(found.items(), looks, strict=True)):
            middle, end = height + 0.32 - 0.16 * place, float(ends.mean())
            edge, inside = GREY if hatch else colour, "white" if end < begin else colour
            axes.barh(middle, end - begin, 0.16, left=begin, color=inside, hatch=hatch, edgecolor=edge)
            # The legend shows the step as it is where it adds, also where it adds in no region.
            axes.barh(middle, 0, 0.16, color=colour, hatch=hatch, edgecolor=edge, label=name)
            if len(ends) > 1:
                axes.plot([ends.min(), ends.max()], [middle, middle], color="black", lw=1.2)
            begin = end
        axes.plot(begin, height, "D", color="black", ms=5, label="printed")
    axes.set(yticks=heights, yticklabels=list(steps), xlabel=unit, ylim=(-0.6, len(steps) - 0.4))


def draw_confusion(axes: Axes, table: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draw how the samples of each class were classified: shares of a row as shades, counts as numbers.

    Parameters
    ----------
    table : samples of each class (row) that were given each class (column), shape (classes, classes)
    """
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*table.shape):
        dark = shares[row, column] > 0.6
        colour = "white" if dark else "black"
        axes.text(column, row, str(table[row, column]), ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(names))
    axes.set(xticks=ticks, yticks=ticks, xticklabels=names, yticklabels=names, xlabel="forecast", ylabel="observed")
    axes.tick_params(axis="x", rotation=40)


def draw_plane(axes: Axes, plane: NDArray[Any], labels: NDArray[Any], tested: NDArray[np.bool_]) -> None:
    """Draw samples in the plane: a colour and a shape per class, a black edge around those not trained on.

    Parameters
    ----------
    plane : shape (samples, 2)
    labels : class of each, shape (samples,)
    """
    for label, (shape, colour) in enumerate(zip("osD^v", (BLUE, ORANGE, GREEN, PURPLE, RED), strict=True)):
        for part, alpha, edge in ((~tested, 0.35, "none"), (tested, 1.0, "black")):
            chosen = (labels == label) & part
            name = f"label {label + 1}" if edge == "black" else None
            x, y = plane[chosen].T
            axes.scatter(x, y, s=18, marker=shape, color=colour, alpha=alpha, edgecolors=edge, lw=0.6, label=name)
    axes.set(xticks=[], yticks=[])
