"""One figure over the whole collection: every printed number against its reproduction, each a link to its row."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from reproduce_lib.claims import ValueClaim
from reproduce_lib.compare import Comparison
from reproduce_lib.figures import GREY, MARKS, draw_equality, new_figure
from reproduce_lib.rows import Row
from reproduce_lib.tables import Html
from reproduce_lib.verdicts import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Factors that the shades around equality stand for.
FACTORS = (1.25, 2.0)


@dataclass(frozen=True)
class Point:
    """One printed number with the mean of what was measured, both above 0."""

    paper: str
    row: Row
    printed: float
    mean: float

    @property
    def address(self) -> str:
        """Return where the number's row stands, from the landing page."""
        return f"papers/{self.paper}.html#{self.row.claim.id}"

    @property
    def words(self) -> str:
        """Return what a reader sees who points at the mark."""
        numbers = f"reported {self.printed:g}, reproduced {self.mean:.4g}"
        return f"{self.paper}, {self.row.claim.statement}: {numbers}, {self.row.verdict_words}"


def points_of(comparisons: Sequence[Comparison]) -> tuple[list[Point], int]:
    """Return every number that was judged, and how many of them cannot stand on a logarithmic scale."""
    found, left_out = [], 0
    for comparison in comparisons:
        for row in comparison.rows:
            if not isinstance(row.claim, ValueClaim) or row.mean is None or row.verdict is Verdict.PENDING:
                continue
            printed = row.claim.number
            if min(printed, row.mean) > 0:
                found.append(Point(comparison.claims.paper, row, printed, row.mean))
            else:
                left_out += 1
    return found, left_out


def collection_figure(comparisons: Sequence[Comparison]) -> Html:
    """Return the figure as SVG with a link and a tooltip at each mark; empty if there is no number to show."""
    points, _ = points_of(comparisons)
    if not points:
        return Html("")
    label = f"{len(points)} printed numbers against what was measured again; each mark is a link to its row"
    return Html(f'<div class="rr-figure rr-collection" role="group" aria-label="{label}">{_svg(points)}</div>\n')


def collection_section(comparisons: Sequence[Comparison], drawing: str) -> str:
    """Return as Markdown the figure with its number and caption, drawn in a file beside the page that includes it."""
    points, left_out = points_of(comparisons)
    if not points:
        return "*No number is recorded yet.*\n"
    every = sum(isinstance(row.claim, ValueClaim) for comparison in comparisons for row in comparison.rows)
    caption = (
        f"{len(points)} of {every} printed numbers, each in its own unit, against the mean of what was measured again, "
        "with the range where one more run would fall; the others are not judged yet, or cannot be. "
        "A misprint stands where it most likely should. "
        "On the dashed line they are equal; the shades are factors of 1.25 and 2. Each mark leads to its row."
    )
    if left_out:
        caption += f" {left_out} are left out: a logarithmic scale has no place for numbers up to 0."
    return (
        "{numref}`fig-collection` holds printed numbers against what was measured again.\n\n"
        f"```{{html-figure}} {drawing}\n:name: fig-collection\n{caption}\n```\n"
    )


def _svg(points: Sequence[Point]) -> str:
    import matplotlib.pyplot as plt

    figure, axes = new_figure(width=7.6, height=6.2)
    span = draw_equality(axes, [value for point in points for value in (point.printed, point.mean)])
    _draw_factors(axes, span)
    _draw_intervals(axes, points, span)
    for number, point in enumerate(points):
        shape, colour = MARKS.get(point.row.verdict, (".", GREY))
        # Numbers on other data than the paper's are hollow.
        face = "none" if point.row.on_substitute_data else colour
        mark = axes.plot(point.printed, point.mean, shape, mfc=face, mec=colour, ms=6, alpha=0.85)[0]
        mark.set_gid(f"rr-point-{number}")
        mark.set_url(point.address)
    _label(axes, points)
    axes.set(xscale="log", yscale="log", xlabel="reported", ylabel="reproduced")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = buffer.getvalue()
    # Matplotlib's links open a new window, which nobody asked for.
    return "".join(_with_words(text[text.index("<svg") :].replace(' target="_blank"', ""), points))


def _with_words(markup: str, points: Sequence[Point]) -> Iterator[str]:
    """Give each link a name, which readers of screens say and browsers show when its mark is pointed at.

    The keyboard goes past them: hundreds of marks stand between what is above and below, and the table of all claims
    has the same links.
    """
    last = 0
    for match in re.finditer(r'<g id="rr-point-(\d+)">.*?<a( )[^>]*>', markup, re.DOTALL):
        words = escape(points[int(match[1])].words)
        yield f'{markup[last : match.start(2)]} tabindex="-1" aria-label="{words}" {markup[match.end(2) : match.end()]}'
        yield f"<title>{words}</title>"
        last = match.end()
    yield markup[last:]


def _draw_intervals(axes: Axes, points: Sequence[Point], span: tuple[float, float]) -> None:
    """Draw where one more run would fall, as far as the axis reaches: a range may begin below 0."""
    for point in points:
        if point.row.interval is not None:
            colour = MARKS.get(point.row.verdict, (".", GREY))[1]
            ends = np.clip([point.row.interval.lower, point.row.interval.upper], *span)
            axes.plot([point.printed] * 2, ends, color=colour, lw=0.8, alpha=0.45)


def _draw_factors(axes: Axes, span: tuple[float, float]) -> None:
    for factor in FACTORS:
        axes.fill_between(
            span, [one / factor for one in span], [one * factor for one in span], color=GREY, alpha=0.12, lw=0
        )


def _label(axes: Axes, points: Sequence[Point]) -> None:
    """Name each verdict that occurs, with how many numbers have it."""
    for verdict, (shape, colour) in MARKS.items():
        own = [point for point in points if point.row.verdict is verdict]
        for hollow in (False, True):
            count = sum(point.row.on_substitute_data is hollow for point in own)
            if count:
                words = f"{verdict} on substitute data" if hollow else str(verdict)
                face = "none" if hollow else colour
                axes.plot([], [], shape, mfc=face, mec=colour, ls="", label=f"{words} ({count})")
    axes.legend(frameon=False, fontsize=9, loc="upper left")
