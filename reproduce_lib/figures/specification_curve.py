"""The picture of a multiverse: every measured error in order, and below it which choices led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.figures import BLUE, GREY, ORANGE, new_figure
from reproduce_lib.multiverse import VALUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_INCHES = 0.17
CURVE_INCHES = 2.6
# Errors of a forecast that ran away would squeeze all others into a line.
LARGEST_SHOWN = 0.98
MOST_COLUMNS = 240


def draw_specification_curve(
    frame: pd.DataFrame, printed: float, reference: Mapping[str, str], labels: Mapping[str, str], *, unit: str
) -> Figure:
    """Draw the errors of all specifications in ascending order above a strip for each value of each choice.

    Parameters
    ----------
    frame : as `multiverse.specifications` returns it
    printed : the paper's error, drawn as a line
    reference : choice -> value of the specification that decides the verdict, marked in the curve
    labels : choice -> its name in the picture; the choices are drawn in this order
    unit : of the errors
    """
    rows = [(name, value) for name in labels for value in sorted(frame[name].unique())]
    figure, (above, below) = new_figure(
        2,
        1,
        width=8.2,
        height=CURVE_INCHES + 0.7 + ROW_INCHES * len(rows),
        gridspec_kw={"height_ratios": [CURVE_INCHES, ROW_INCHES * len(rows)]},
        sharex=True,
    )
    _draw_curve(above, frame, printed, reference, unit)
    _draw_strips(below, frame, rows, labels)
    return figure


def _draw_curve(axes: Axes, frame: pd.DataFrame, printed: float, reference: Mapping[str, str], unit: str) -> None:
    values = frame[VALUE].to_numpy()
    places = np.arange(len(values))
    top = _upper_end(values, printed)
    cut = f", up to {values.max():.1f}, beyond the picture" if values.max() > top else ""
    axes.plot(places, values, color=BLUE, lw=2, label=f"measured, {len(values)} specifications{cut}")
    axes.axhline(printed, color=ORANGE, lw=1.5, ls="--", label=f"printed: {printed}")
    is_reference = np.logical_and.reduce([frame[name] == value for name, value in reference.items()])
    axes.plot(places[is_reference], values[is_reference], "D", color="black", ms=6, label="the reference setting")
    axes.set(ylabel=f"mean absolute error ({unit})", ylim=(0, top))
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=9)


def _upper_end(values: NDArray[np.float64], printed: float) -> float:
    return 1.1 * max(float(np.quantile(values, LARGEST_SHOWN)), printed)


def _draw_strips(axes: Axes, frame: pd.DataFrame, rows: Sequence[tuple[str, str]], labels: Mapping[str, str]) -> None:
    """Draw one strip per value of a choice, dark where a specification made it."""
    made = np.stack([(frame[name] == value).to_numpy(dtype=float) for name, value in rows])
    # More columns than the picture has points would smear: each drawn column is the share of a few specifications.
    parts = np.array_split(made, min(made.shape[1], MOST_COLUMNS), axis=1)
    shares = np.stack([part.mean(axis=1) for part in parts], axis=1)
    extent = (-0.5, made.shape[1] - 0.5, len(rows) - 0.5, -0.5)
    axes.imshow(shares, aspect="auto", interpolation="nearest", cmap="Greys", vmin=0, vmax=1, extent=extent)
    boundaries = [i for i in range(1, len(rows)) if rows[i][0] != rows[i - 1][0]]
    for boundary in boundaries:
        axes.axhline(boundary - 0.5, color=GREY, lw=0.8)
    axes.set_yticks(range(len(rows)), [f"{labels[name]}: {value}" for name, value in rows], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="specifications, from the smallest error to the largest")
