"""The small figures of the landing page: what a line shows, and whether its letters can be read where it stands."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from reproduce_lib.figures.thumbnails import WIDTH, Line, new_thumbnail
from tests.support import PROJECT

# Pixels of a letter below which nobody reads on.
SMALLEST_LETTERS = 9.5
LINES = [Line("first", 2.0, (1.0, 3.5), printed=4.0, naive=1.5), Line("second", 5.0, (4.5, 5.0))]


def test_a_line_shows_the_mean_the_range_and_what_it_is_held_against() -> None:
    figure = new_thumbnail(LINES, unit="error", mark=("limit", 3.0))
    (axes,) = figure.axes
    places = {line.get_label(): line.get_xdata()[0] for line in axes.lines if not line.get_label().startswith("_")}
    assert places == {"measured": 5.0, "printed": 4.0, "naive": 1.5, "limit": 3.0}
    ranges = [tuple(line.get_xdata()) for line in axes.lines if line.get_label().startswith("_")]
    assert ranges == [(1.0, 3.5), (4.5, 5.0)]
    # The first line is on top.
    heights = dict(zip([label.get_text() for label in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    assert heights["first"] > heights["second"]
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == set(places)
    plt.close(figure)


@pytest.mark.parametrize("rule", [r"\n\.rr-thumbnail \{[^}]*width: (\d+)rem", r"\n  \.rr-thumbnail \{ width: (\d+)rem"])
def test_letters_can_be_read_at_the_width_that_the_style_gives_a_thumbnail(rule: str) -> None:
    style = (PROJECT / "book" / "_static" / "reproduce.css").read_text(encoding="utf-8")
    found = re.search(rule, style)
    assert found
    pixels_a_point = 16 * int(found[1]) / (72 * WIDTH)
    figure = new_thumbnail(LINES, unit="error", mark=("limit", 3.0))
    figure.canvas.draw()
    sizes = [one.get_fontsize() for one in figure.findobj(Text) if one.get_text() and one.get_visible()]
    assert len(sizes) > 6
    assert min(sizes) * pixels_a_point >= SMALLEST_LETTERS
    plt.close(figure)
