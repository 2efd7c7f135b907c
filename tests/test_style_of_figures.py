"""One style for every figure: one place that makes them, one palette, and colours that the colour-blind tell apart."""

from __future__ import annotations

import ast
import re
from itertools import combinations
from pathlib import Path

import jupytext
import numpy as np
import pytest
from matplotlib.colors import is_color_like, to_rgb
from numpy.typing import NDArray

from reproduce_lib import figures
from tests.support import PROJECT

PALETTE = {name: getattr(figures, name) for name in ("BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "GREY")}
# Lightness alone: told apart by everybody.
SHADES = re.compile(r"black|white|none|0(\.\d+)?|1(\.0)?|#(?P<grey>[0-9a-f]{2})(?P=grey){2}")
# From one hue to another, or from light to dark, with lightness that grows or falls.
MAPS = {"PuOr", "Greys", "Blues"}
COLOURED = {"color", "c", "ecolor", "mec", "mfc", "facecolor", "edgecolor", "colors", "facecolors", "edgecolors"}
# Machado, Oliveira & Fernandes (2009), table 1, severity 1, for linear RGB.
SEEN_BY = {
    "everybody else": np.eye(3),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def sources() -> dict[str, str]:
    """Return the code that draws: modules of figures, and the code of each notebook."""
    found = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT / "reproduce_lib/figures").glob("*.py")}
    for path in (PROJECT / "notebooks").glob("*.md"):
        cells = jupytext.read(path).cells
        found[path.name] = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return found


CODE = sources()


def lab(colour: str, seen_by: str) -> NDArray[np.float64]:
    """Return CIE 1976 L*a*b* of a colour as somebody sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    white = XYZ.sum(axis=1)
    relative = XYZ @ np.clip(SEEN_BY[seen_by] @ linear, 0, 1) / white
    root = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_colours_of_the_palette_are_told_apart(seen_by: str) -> None:
    """A difference of 2.3 is just seen; of lines and markers it has to be seen at a glance."""
    apart = {
        pair: float(np.linalg.norm(lab(PALETTE[pair[0]], seen_by) - lab(PALETTE[pair[1]], seen_by)))
        for pair in combinations(PALETTE, 2)
    }
    assert min(apart.values()) > 15, min(apart, key=lambda pair: apart[pair])


@pytest.mark.parametrize("name", CODE)
def test_each_figure_is_made_by_the_one_function_that_has_the_style(name: str) -> None:
    makers = re.findall(r"\b(?:plt|pyplot)\.(?:subplots|figure|subplot_mosaic|axes)\(|\bFigure\(\w", CODE[name])
    assert len(makers) == (1 if name == "__init__.py" else 0)


@pytest.mark.parametrize("name", CODE)
def test_each_colour_is_of_the_palette_or_a_shade_of_grey(name: str) -> None:
    strange = []
    for node in ast.walk(ast.parse(CODE[name])):
        for word in node.keywords if isinstance(node, ast.Call) else []:
            texts = [
                one.value
                for one in ast.walk(word.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if word.arg in COLOURED:
                strange += [one for one in texts if is_color_like(one) and not SHADES.fullmatch(one)]
            if word.arg == "cmap":
                strange += [one for one in texts if one not in MAPS]
    assert strange == []


@pytest.mark.parametrize("name", [name for name in CODE if name != "__init__.py"])
def test_no_colour_is_written_down_but_in_the_palette(name: str) -> None:
    assert [one for one in re.findall(r"#[0-9a-fA-F]{6}\b", CODE[name]) if not SHADES.fullmatch(one.lower())] == []


def test_a_shape_tells_what_a_colour_tells() -> None:
    told = [mark for verdict, mark in figures.MARKS.items()]
    assert len({shape for shape, _ in told}) == len(told)
    assert {colour for _, colour in told} <= set(PALETTE.values())


def test_the_drawing_modules_are_looked_at() -> None:
    assert {"__init__.py", "seismicity.py", "phase_picking.py"} <= set(CODE)
    assert sum(name.endswith(".md") for name in CODE) == len(list(Path(PROJECT / "notebooks").glob("*.md")))
