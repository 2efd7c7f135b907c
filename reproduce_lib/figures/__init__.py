"""Figures of a page. Marker shapes and labels carry what colour shows."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from reproduce_lib.claims import ValueClaim
from reproduce_lib.errors import RecordError
from reproduce_lib.files import write_whole
from reproduce_lib.rows import Row
from reproduce_lib.tables import Html
from reproduce_lib.verdicts import Interval, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Item = TypeVar("Item")
Style = TypeVar("Style")

# Okabe & Ito's palette, told apart by the colour-blind.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#666666"
# Of what is drawn as pixels within a figure of vectors.
RASTER_DPI = 120
# What no figure of ours holds: it would be executed, or ask another server.
_ACTS = re.compile(
    r"<\s*(?:script|foreignObject|iframe|image[^>]*https?:)|\son\w+\s*=|javascript:|@import", re.IGNORECASE
)
# A shape and a colour for each verdict of a number.
MARKS = {
    Verdict.REPRODUCED: ("o", GREEN),
    Verdict.INCONCLUSIVE: ("s", GREY),
    Verdict.BETTER: ("^", BLUE),
    Verdict.WORSE: ("v", RED),
    Verdict.DIFFERS: ("D", PURPLE),
    Verdict.PENDING: (".", GREY),
}


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 8.0, height: float = 3.6, **options: Any
) -> tuple[Figure, Any]:
    """Return a figure and its axes in the collection's style; ``options`` go to `matplotlib.pyplot.subplots`."""
    import matplotlib.pyplot as plt

    _show_vectors()
    plt.rcParams.update(
        {"figure.dpi": 110, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "rr"}
    )
    return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)


@cache
def _show_vectors() -> None:
    """Have a notebook show its figures as vectors, which stay sharp at any size."""
    from IPython.core.getipython import get_ipython

    if get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None})  # type: ignore[no-untyped-call]


def styled(items: Iterable[Item], styles: Iterable[Style]) -> Iterator[tuple[Item, Style]]:
    """Give each item a style, the first ones again where there are more items than styles, so that none is left out."""
    return zip(items, cycle(styles), strict=False)


def draw_equality(axes: Axes, values: Sequence[float]) -> tuple[float, float]:
    """Draw the line of equality over the span of the values, with some air around them, and return its ends."""
    span = min(values) / 1.5, max(values) * 1.5
    axes.plot(span, span, color="black", lw=1, ls="--", label="equal")
    axes.set(xlim=span, ylim=span)
    return span


def reported_against_reproduced(rows: Sequence[Row], *, unit: str) -> Figure:
    """Draw each printed number against its reproduction, the prediction interval as a bar, log scales."""
    figure, axes = new_figure(width=6.4, height=5.2)
    shown = [row for row in rows if isinstance(row.claim, ValueClaim) and row.mean is not None]
    ends: list[float] = []
    for verdict, (marker, colour) in MARKS.items():
        chosen = [row for row in shown if row.verdict is verdict]
        if not chosen:
            continue
        printed = np.array([row.claim.number for row in chosen if isinstance(row.claim, ValueClaim)])
        means = np.array([row.mean for row in chosen], dtype=float)
        intervals = [row.interval or Interval(mean, mean) for row, mean in zip(chosen, means, strict=True)]
        lower = np.minimum(means - [one.lower for one in intervals], 0.9 * means)  # zero has no logarithm
        upper = np.array([one.upper for one in intervals]) - means
        ends += [*printed, *(means - lower), *(means + upper)]
        axes.errorbar(
            printed,
            means,
            yerr=[lower, upper],
            fmt=marker,
            color=colour,
            ms=6,
            lw=1,
            alpha=0.85,
            label=f"{verdict} ({len(chosen)})",
        )
    draw_equality(axes, ends)
    axes.set(xscale="log", yscale="log", xlabel=f"reported ({unit})", ylabel=f"reproduced ({unit})")
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    return figure


def intervals_by_row(rows: Sequence[Row], labels: Sequence[str], axes: Axes, *, unit: str) -> None:
    """Draw reported value, reproduced mean with prediction interval, and the naive error, one line a row."""
    heights = np.arange(len(rows))[::-1]
    for height, row in zip(heights, rows, strict=True):
        if row.interval is not None:
            axes.plot([row.interval.lower, row.interval.upper], [height, height], color=BLUE, lw=4, alpha=0.35)
        if row.mean is not None:
            axes.plot(row.mean, height, "o", color=BLUE, ms=6, label="reproduced, 95 % interval")
        if isinstance(row.claim, ValueClaim):
            axes.plot(float(row.claim.value), height, "D", color=ORANGE, ms=6, label="reported")
        if row.naive is not None:
            axes.plot(row.naive, height, "|", color="black", ms=16, mew=2, label="naive forecast")
    axes.set(yticks=heights, yticklabels=labels, xlabel=unit, ylim=(-0.6, len(rows) - 0.4))
    axes.set_xlim(left=min(0, axes.get_xlim()[0]))


def legend_below(figure: Figure, axes: Axes, columns: int = 3) -> None:
    """Put one entry per label below the figure."""
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=columns, frameon=False)


def forecast_lines(axes: Axes, days: pd.DatetimeIndex, truth: np.ndarray[Any, Any], lines: Mapping[str, Any]) -> None:
    """Draw the truth and forecasts of it over the test days.

    Parameters
    ----------
    lines : what forecast -> its values, shape (days,), or those of several runs, shape (runs, days), of which the mean
        is drawn within their range
    """
    axes.plot(days, truth, color="black", lw=1.6, label="closing price")
    for (label, values), (colour, style) in styled(lines.items(), ((BLUE, "-"), (ORANGE, "--"), (GREEN, ":"))):
        runs = np.atleast_2d(values)
        if len(runs) > 1:
            axes.fill_between(days, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.2, lw=0)
        axes.plot(days, runs.mean(axis=0), color=colour, ls=style, lw=1.2, label=label)
    axes.tick_params(axis="x", rotation=30)


def draw_parts(axes: Axes, days: pd.DatetimeIndex, values: np.ndarray[Any, Any], parts: Mapping[str, Any]) -> None:
    """Draw a series over its days, and which of them are in which part.

    Parameters
    ----------
    parts : name of a part -> places of its days
    """
    axes.plot(days, values, color="black", lw=0.9)
    for (name, places), colour in styled(parts.items(), (GREY, ORANGE, BLUE)):
        axes.axvspan(days[places[0]], days[places[-1]], color=colour, alpha=0.2, lw=0, label=name)
    axes.tick_params(axis="x", rotation=30)


def logarithmic(axes: Axes, ticks: Sequence[float]) -> None:
    """Give the values a logarithmic scale with plain numbers at those of the ticks that it spans."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set_yticks(shown, [f"{tick:g}" for tick in shown])
    axes.minorticks_off()


def skill_by_reading(axes: Axes, skills: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw skill against the naive forecast: one line a reading, one marker a share, a bar from run to run.

    Parameters
    ----------
    skills : reading -> share -> skill of each run; the first reading is the default, whose means are drawn through
    """
    shapes = dict(styled(next(iter(skills.values())), ("o", "s", "^", "D")))
    colours = dict(styled(shapes, (BLUE, ORANGE, GREEN, PURPLE)))
    heights = np.arange(len(skills))[::-1]
    for height, values in zip(heights, skills.values(), strict=True):
        for number, (name, runs) in enumerate(values.items()):
            # Bars of one reading stand one above the other a little, so that they do not hide one another.
            place = height + 0.2 - 0.4 * number / max(len(values) - 1, 1)
            axes.plot([100 * min(runs), 100 * max(runs)], [place, place], color=colours[name], lw=1.6, alpha=0.45)
            axes.plot(100 * np.mean(runs), place, shapes[name], color=colours[name], ms=5, label=name)
    for name, runs in next(iter(skills.values())).items():
        axes.axvline(100 * float(np.mean(runs)), color=colours[name], lw=0.8, ls=":")
    axes.axvline(0, color="black", lw=1)
    # One reading may be worse by a factor of ten; beyond 100 % the axis is logarithmic.
    axes.margins(x=0.04)
    axes.set_xscale("symlog", linthresh=100)
    axes.set_xticks(
        [tick for tick in (-1000, -500, -200, -100, -50, 0, 50) if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.set(yticks=heights, yticklabels=list(skills))
    axes.set_xlabel("skill against the naive forecast (%)")
    axes.set_ylim(-0.6, len(skills) - 0.4)


def learning_curves(axes: Axes, curves: np.ndarray[Any, Any], label: str, colour: str, style: str) -> None:
    """Draw the mean of several seeds' curves, shape (seeds, epochs), with their range."""
    epochs = np.arange(1, curves.shape[1] + 1)
    axes.fill_between(epochs, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2, lw=0)
    axes.plot(epochs, curves.mean(axis=0), color=colour, ls=style, label=label)


def points_with_range(
    axes: Axes, runs: Mapping[int, np.ndarray[Any, Any]], label: str, colour: str, style: str
) -> None:
    """Draw the mean of the runs at each place, joined by a line, and a bar from the smallest to the largest."""
    places, lows, highs = zip(*((place, found.min(), found.max()) for place, found in runs.items()), strict=True)
    axes.vlines(places, lows, highs, color=colour)
    axes.plot(places, [found.mean() for found in runs.values()], color=colour, ls=style, marker="o", ms=3, label=label)


def kept_figure(
    path: Path, draw: Callable[[], Figure] | None, *, alt: str, source: Mapping[str, str], keep: bool
) -> Html:
    """Show a figure that needs the data; where they are absent, show the one that was kept.

    Parameters
    ----------
    path : where the figure is kept, an ``.svg``
    draw : draws the figure from the data, or ``None`` where they cannot be had
    alt : what the figure shows, for those who do not see it
    source : what it is drawn from, written into the kept file
    keep : whether to keep what is drawn

    Raises
    ------
    RecordError
        If the data are absent and nothing was kept, or what was kept is no drawing.
    """
    if draw is not None:
        markup = _svg(draw(), source)
        origin = "Drawn live from the data."
        if keep:
            write_whole(path, markup.encode())
    elif path.is_file():
        markup = _kept(path)
        origin = "The data are not at hand: shown as recorded."
    else:
        raise RecordError(f"{path} was never kept; build the book once with the data and --keep-figures")
    return Html(
        f'<div class="rr-figure"><div role="img" aria-label="{escape(alt)}">{markup}</div>'
        f'<p class="rr-note">{origin}</p></div>'
    )


def _kept(path: Path) -> str:
    """Return a kept figure, which becomes part of a page as it is, or refuse one that could do more than be seen."""
    try:
        markup = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
    if not markup.startswith("<svg") or _ACTS.search(markup):
        raise RecordError(f"{path} is no drawing that was kept here; remove it and build the book once with the data")
    return markup


def _svg(figure: Figure, source: Mapping[str, str]) -> str:
    import matplotlib.pyplot as plt

    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Description": json.dumps(dict(source), sort_keys=True)}
    figure.savefig(buffer, format="svg", metadata=metadata, dpi=RASTER_DPI)
    plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
