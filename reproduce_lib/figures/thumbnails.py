"""Small figures of the landing page: a line for each thing that is measured, in letters that can be read there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reproduce_lib.figures import BLUE, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In inches, as wide as the landing page shows it; letters in points.
WIDTH, LINE_HEIGHT, LETTERS = 3.0, 0.25, 9.5


@dataclass(frozen=True)
class Line:
    """What a line of a thumbnail shows.

    Attributes
    ----------
    measured : the mean of what was measured
    ends : from where to where its bar reaches
    printed, naive : what a paper printed, and what a forecast without a model scores, where there is one
    """

    label: str
    measured: float
    ends: tuple[float, float]
    printed: float | None = None
    naive: float | None = None


def new_thumbnail(
    lines: Sequence[Line], *, unit: str, measured: str = "measured", mark: tuple[str, float] | None = None
) -> Figure:
    """Return a thumbnail, its first line on top.

    Parameters
    ----------
    unit : what the axis measures
    measured : what a dot is called
    mark : name and place of a line that goes through all
    """
    figure, axes = new_figure(width=WIDTH, height=LINE_HEIGHT * len(lines) + 1.0)
    heights = np.arange(len(lines))[::-1]
    for height, line in zip(heights, lines, strict=True):
        axes.plot(line.ends, [height, height], color=BLUE, lw=4, alpha=0.35)
        axes.plot(line.measured, height, "o", color=BLUE, ms=6, label=measured)
        if line.printed is not None:
            axes.plot(line.printed, height, "D", color=ORANGE, ms=5, label="printed")
        if line.naive is not None:
            axes.plot(line.naive, height, "|", color="black", ms=12, mew=2, label="naive")
    if mark is not None:
        axes.axvline(mark[1], color="black", lw=1.2, ls="--", label=mark[0])
    axes.set(yticks=heights, yticklabels=[line.label for line in lines], ylim=(-0.6, len(lines) - 0.4))
    axes.set_xlabel(unit, fontsize=LETTERS)
    axes.tick_params(labelsize=LETTERS)
    axes.locator_params(axis="x", nbins=4)
    handles, labels = axes.get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    figure.legend(
        named.values(), named.keys(), loc="outside lower center", ncols=3, frameon=False, fontsize=LETTERS,
        handlelength=1.0, columnspacing=0.8, handletextpad=0.3, borderpad=0,
    )  # fmt: skip
    return figure
