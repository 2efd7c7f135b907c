"""The figure over the collection has a mark for each measured number, where it belongs, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from reproduce_lib.compare import Row
from reproduce_lib.figures.collection import collection_figure, collection_section, points_of
from reproduce_lib.verdicts import Verdict
from tests.support import value_row
from tests.test_tables import EVIL

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def compared(paper: str, *rows: Row) -> Any:
    return SimpleNamespace(claims=SimpleNamespace(paper=paper), rows=list(rows))


def row(number: int, printed: str, *measured: float, verdict: Verdict = Verdict.REPRODUCED, **more: Any) -> Row:
    return value_row(verdict, printed, id=f"toy.t1.r{number}", measured=measured, **more)


def drawn(*comparisons: Any) -> ElementTree.Element:
    markup = collection_figure(comparisons)
    (svg,) = re.findall(r"<svg.*</svg>", markup, re.DOTALL)
    return ElementTree.fromstring(svg)


def marks(svg: ElementTree.Element) -> dict[str, str]:
    """Return address -> title of each linked mark."""
    found = {}
    for link in svg.iter(f"{SVG}a"):
        titles = [title.text or "" for title in svg.iter(f"{SVG}title") if title in list(link.iter())]
        found[link.attrib[LINK]] = titles[0] if titles else ""
    return found


def titles_of(svg: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}title") if one.text]


ROWS = (
    row(1, "1.00", 1.1, 1.3),
    row(2, "200", 150.0, verdict=Verdict.WORSE, comparable="substitute-data", why="others"),
    row(3, "3.0", verdict=Verdict.PENDING),  # not measured yet
    row(4, "-1.0", 2.0, verdict=Verdict.DIFFERS),
    row(5, "1.0", -2.0, verdict=Verdict.DIFFERS),
    row(6, "0", 2.0, verdict=Verdict.DIFFERS),
)


def test_points_are_the_measured_numbers_above_zero() -> None:
    points, left_out = points_of([compared("one", *ROWS), compared("two", row(1, "5", 6.0))])
    assert [(point.paper, point.printed, point.mean) for point in points] == [
        ("one", 1.0, pytest.approx(1.2)),
        ("one", 200.0, 150.0),
        ("two", 5.0, 6.0),
    ]
    assert left_out == 3
    assert [point.address for point in points] == [
        "papers/one.html#toy.t1.r1", "papers/one.html#toy.t1.r2", "papers/two.html#toy.t1.r1",
    ]  # fmt: skip


def test_each_point_is_a_link_with_its_words() -> None:
    svg = drawn(compared("one", *ROWS))
    assert set(marks(svg)) == {"papers/one.html#toy.t1.r1", "papers/one.html#toy.t1.r2"}
    words = [title for title in titles_of(svg) if title.startswith("one, ")]
    assert len(words) == 2
    assert "reported 200, reproduced 150" in words[1]
    assert "on substitute data" in words[1]


def test_words_of_a_claim_never_become_markup() -> None:
    markup = collection_figure([compared("one", row(1, "1.0", 1.0, statement=EVIL))])
    assert "<script" not in markup
    assert "_blank" not in markup
    assert "<img" not in markup
    assert EVIL in titles_of(drawn(compared("one", row(1, "1.0", 1.0, statement=EVIL))))[-1]


def test_without_any_number_it_says_so(tmp_path: Path) -> None:
    nothing = [compared("one", ROWS[2])]
    assert collection_figure(nothing) == ""
    assert "No number is recorded yet" in collection_section(nothing, "x.html")
    assert "html-figure" not in collection_section(nothing, "x.html")


def test_caption_counts_what_is_shown_and_what_is_left_out() -> None:
    section = collection_section([compared("one", *ROWS)], "drawn.html")
    assert "{html-figure} drawn.html" in section
    assert "2 of 6 printed numbers" in section
    assert "3 are left out" in section


def test_equal_numbers_make_an_equal_figure() -> None:
    one, other = (collection_figure([compared("one", *ROWS)]) for _ in range(2))
    assert one == other
