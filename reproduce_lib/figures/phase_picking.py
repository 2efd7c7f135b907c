"""Figures of waveforms and pickers: records, curves over places and ratios, scores, clipped windows, a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data.waveforms import BEFORE, RATE
from reproduce_lib.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours with a line style each, so that colour alone tells nothing.
STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))
MARKERS = (("o", BLUE), ("s", ORANGE), ("D", GREY), ("^", GREEN), ("v", PURPLE))
Z_95 = 1.96


def draw_ratios(axes: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Draw how many records of each collection, told by its name, have which signal-to-noise ratio."""
    edges = [float(edge) for edge in range(-5, 65, 5)]
    for (dataset, own), (colour, style) in styled(table.groupby("dataset", sort=False), STYLES):
        axes.hist(own["snr"], edges, histtype="step", color=colour, ls=style, lw=1.6, label=names[str(dataset)])
    axes.axvline(20, color="0.4", lw=0.8)
    axes.set(xlabel="signal-to-noise ratio (dB)", ylabel="records")


def draw_record(axes: Axes, values: NDArray[Any], s: float) -> None:
    """Draw thirty seconds of one component around P and S (samples, 100 a second)."""
    first, last = BEFORE - 5 * RATE, BEFORE + 25 * RATE
    axes.plot(np.arange(first, last) / RATE - BEFORE / RATE, values[first:last], color="0.3", lw=0.6)
    for sample, phase, (colour, style) in ((float(BEFORE), "P", STYLES[0]), (s, "S", STYLES[1])):
        axes.axvline((sample - BEFORE) / RATE, color=colour, ls=style, lw=1.4)
        place, side = ((sample - BEFORE) / RATE, 0.92), (-4, "right") if phase == "P" else (4, "left")
        axes.annotate(
            phase, place, (side[0], 0), ("data", "axes fraction"), textcoords="offset points", ha=side[1], color=colour
        )
    axes.set(xlabel="time after P (s)", yticks=[])


def draw_runs(axes: Axes, x: NDArray[Any], runs: NDArray[Any], label: str, colour: str, style: str) -> None:
    """Draw the mean of several runs, shape (runs, points), with their range."""
    axes.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.2, lw=0)
    axes.plot(x, runs.mean(axis=0), color=colour, ls=style, label=label)


def draw_interval(axes: Axes, runs: NDArray[Any], label: str, colour: str, style: str) -> None:
    """Draw the mean of several starts over epochs, shape (starts, epochs), with 95 % of a normal distribution."""
    epochs = np.arange(1, runs.shape[1] + 1)
    mean, half = runs.mean(axis=0), Z_95 * runs.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(runs.shape[1])
    axes.fill_between(epochs, mean - half, mean + half, color=colour, alpha=0.2, lw=0)
    axes.plot(epochs, mean, color=colour, ls=style, label=label)


def draw_scores(axes: Axes, scores: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw scores: a line each, a marker for each way of training, a bar from seed to seed.

    Parameters
    ----------
    scores : way of training -> score -> its value for each seed; every way has the same scores
    """
    names = list(next(iter(scores.values())))
    heights = np.arange(len(names))[::-1]
    for number, ((label, found), (shape, colour)) in enumerate(styled(scores.items(), MARKERS)):
        shift = 0.2 - 0.4 * number / max(len(scores) - 1, 1)
        for height, name in zip(heights, names, strict=True):
            values = np.array(found[name], dtype=float)
            if len(values):
                axes.plot([values.min(), values.max()], [height + shift] * 2, color=colour, lw=2, alpha=0.5)
                axes.plot(values.mean(), height + shift, shape, color=colour, ms=6, label=label)
    axes.set(yticks=heights, yticklabels=names, xlim=(0, 1.01), ylim=(-0.6, len(names) - 0.4))
    axes.grid(axis="x", color="0.9")


def draw_clipped(axes: Axes, true: NDArray[Any], clipped: NDArray[Any], recovered: Mapping[str, NDArray[Any]]) -> None:
    """Draw a window as it was, as it was clipped (at 1), and as each method recovers it, around what was cut off."""
    lost = np.flatnonzero(np.abs(clipped) >= 1.0)
    middle = int(lost[np.abs(true[lost]).argmax()]) if len(lost) else len(true) // 2
    first, last = max(middle - RATE // 2, 0), min(middle + RATE // 2, len(true))
    time = np.arange(first, last) / RATE
    # What a recorder gives lies below, so that what was cut off stands out of it.
    axes.plot(time, clipped[first:last], color="0.75", lw=4, label="clipped")
    axes.plot(time, true[first:last], color="black", lw=1.2, label="as it was")
    for (label, values), (colour, style) in styled(recovered.items(), STYLES):
        axes.plot(time, values[first:last], color=colour, ls=style, lw=1.2, label=label)
    reach = 1.4 * float(np.abs(true[first:last]).max())
    axes.set(xlabel="time in the window (s)", ylim=(-reach, reach), yticks=[-1, 0, 1], yticklabels=["−1", "0", "1"])


def draw_boundary(figure: Figure, axes: Axes, plane: NDArray[Any], probability: NDArray[Any]) -> None:
    """Draw the probability of a class over two features, and where it is a half."""
    # Between the cells of a mesh of vectors a viewer shows seams.
    mesh = axes.pcolormesh(plane, plane, probability, cmap="PuOr", vmin=0, vmax=1, shading="nearest", rasterized=True)
    axes.contour(plane, plane, probability, levels=[0.5], colors="black", linewidths=1.2)
    axes.set(xlabel="first feature", ylabel="second feature", aspect="equal")
    figure.colorbar(mesh, ax=axes, label="probability of the second class")


def draw_activations(axes: Axes) -> None:
    """Draw the sigmoid and the rectified linear unit (Figures 10 and 23), their derivatives dashed."""
    x = np.linspace(-4.0, 4.0, 401)
    sigmoid = 1 / (1 + np.exp(-x))
    for values, slope, label, colour in (
        (sigmoid, sigmoid * (1 - sigmoid), "sigmoid", RED),
        (np.maximum(x, 0), (x > 0).astype(float), "rectified linear", BLUE),
    ):
        axes.plot(x, values, color=colour, label=label)
        axes.plot(x, slope, color=colour, ls="--", label=f"{label}, derivative")
    axes.set(xlabel="input", ylabel="activation", ylim=(-0.1, 2))
    axes.legend(frameon=False, fontsize=9)
