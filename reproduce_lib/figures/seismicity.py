"""Figures of a catalogue: where, how many of which size, and month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, new_figure, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reproduce_lib.data.catalogs import Box

# Colours with a line style each, so that colour alone tells nothing.
STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, ":"), (PURPLE, "-."), (RED, (0, (5, 1))))
# More marks than these are drawn as pixels within the figure.
MOST_PATHS = 100


def draw_event_map(
    events: pd.DataFrame, box: Box, coastlines: Sequence[NDArray[np.float64]], *, smallest: float
) -> Figure:
    """Draw the events from ``smallest`` on over the coastlines; a marker grows with the magnitude.

    Parameters
    ----------
    events : columns latitude, longitude, magnitude
    coastlines : longitudes and latitudes, each of shape (points, 2)
    """
    figure, axes = new_figure(width=6.2, height=6.8)
    for line in coastlines:
        axes.fill(line[:, 0], line[:, 1], facecolor="#eeeeee", edgecolor=GREY, lw=0.8, zorder=0)
    draw_events(axes, events, box, smallest=smallest)
    axes.legend(loc="lower left", fontsize=9)
    return figure


def draw_events(axes: Axes, events: pd.DataFrame, box: Box, *, smallest: float, unit: float | None = None) -> None:
    """Draw the events from ``smallest`` on in a box; a marker grows with the magnitude.

    Each whole magnitude has a label, so that a legend can say what the sizes mean.

    Parameters
    ----------
    events : columns latitude, longitude, magnitude
    unit : the magnitude of the smallest marker, ``smallest`` if it is not said; maps with one unit have one legend
    """
    unit = smallest if unit is None else unit
    shown = events[events["magnitude"] >= smallest].sort_values("magnitude")
    sizes = _marker_size(shown["magnitude"].to_numpy(), unit)
    marks = axes.scatter(
        shown["longitude"], shown["latitude"], s=sizes, facecolor=BLUE, edgecolor="white", lw=0.3, alpha=0.6
    )
    # Thousands of paths would make a page of megabytes.
    marks.set_rasterized(len(shown) > MOST_PATHS)
    for magnitude in range(int(np.ceil(unit)), int(shown["magnitude"].max()) + 1):
        axes.scatter([], [], s=_marker_size(magnitude, unit), color=BLUE, alpha=0.6, label=f"M {magnitude}")
    axes.set(xlim=(box.west, box.east), ylim=(box.south, box.north), xlabel="longitude (°E)", ylabel="latitude (°N)")
    axes.set_aspect(1 / np.cos(np.radians((box.south + box.north) / 2)))


def _marker_size(magnitude: NDArray[np.float64] | float, unit: float) -> Any:
    return 3.0 * 2.0 ** (1.5 * (magnitude - unit))


def draw_magnitude_frequency(axes: Axes, counts: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw how many events a year reach each magnitude, the law fitted to them, and where it begins to hold.

    Parameters
    ----------
    counts : catalogue -> centres and counts (shape (bins,)), years, completeness, b, complete (events from there on)
    """
    for (name, one), (colour, style) in styled(counts.items(), STYLES):
        at_least = np.cumsum(one["counts"][::-1])[::-1] / one["years"]
        axes.plot(one["centres"], at_least, ".", color=colour, ms=5)
        magnitudes = np.linspace(one["completeness"], float(one["centres"].max()), 50)
        law = one["complete"] / one["years"] * 10 ** (-one["b"] * (magnitudes - one["completeness"]))
        # Aki (1965): the standard error of b of n events is b over the root of n.
        half_width = 1.96 * one["b"] / np.sqrt(one["complete"])
        axes.plot(magnitudes, law, color=colour, ls=style, label=f"{name}: b = {one['b']:.2f} ± {half_width:.2f}")
        axes.plot(one["completeness"], one["complete"] / one["years"], "v", color=colour, ms=9, mec="black")
    axes.set(yscale="log", xlabel="magnitude", ylabel="events a year of at least this magnitude")
    axes.legend(frameon=False, fontsize=9)


def draw_months(
    axes: Axes, months: NDArray[np.datetime64], observed: NDArray[np.float64], lines: Mapping[str, NDArray[np.float64]]
) -> None:
    """Draw the observed magnitude of each month, and forecasts of it."""
    days = months.astype("datetime64[D]")
    axes.plot(days, observed, color="black", marker="o", ms=4, lw=1.4, label="observed")
    for (label, values), (colour, style) in styled(lines.items(), STYLES):
        axes.plot(days, values, color=colour, ls=style, lw=1.4, label=label)
    axes.tick_params(axis="x", rotation=30)
    axes.set(ylabel="magnitude")
