"""The figure over the collection has a mark for each measured number, where it belongs, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from reproduce_lib.figures.collection import collection_figure, collection_section, points_of
from reproduce_lib.rows import Row
from reproduce_lib.verdicts import Interval, Verdict
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
    """Return address -> name of each linked mark, as a reader of screens says it and as a browser shows it."""
    found = {}
    for link in svg.iter(f"{SVG}a"):
        titles = [one.text or "" for one in link.iter(f"{SVG}title")]
        assert titles == [link.attrib["aria-label"]]
        found[link.attrib[LINK]] = titles[0]
    return found


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
    found = marks(drawn(compared("one", *ROWS)))
    assert set(found) == {"papers/one.html#toy.t1.r1", "papers/one.html#toy.t1.r2"}
    words = found["papers/one.html#toy.t1.r2"]
    assert words.startswith("one, ")
    assert "reported 200, reproduced 150" in words
    assert "on substitute data" in words


def test_the_keyboard_goes_past_the_marks_and_the_figure_has_a_name() -> None:
    markup = collection_figure([compared("one", *ROWS)])
    assert 'role="group" aria-label="2 printed numbers' in markup
    assert markup.count('tabindex="-1"') == 2


def styles(svg: ElementTree.Element, number: int) -> dict[str, str]:
    """Return how the mark of a point is drawn."""
    (mark,) = [one for one in svg.iter(f"{SVG}g") if one.get("id") == f"rr-point-{number}"]
    (use,) = mark.iter(f"{SVG}use")
    return {
        key.strip(): value.strip() for key, _, value in (one.partition(":") for one in use.attrib["style"].split(";"))
    }


def shape(svg: ElementTree.Element, number: int) -> str:
    """Return the outline of the mark of a point."""
    (mark,) = [one for one in svg.iter(f"{SVG}g") if one.get("id") == f"rr-point-{number}"]
    (use,) = mark.iter(f"{SVG}use")
    paths = {one.get("id"): one.attrib["d"] for one in svg.iter(f"{SVG}path") if one.get("d")}
    return paths[use.attrib[LINK].removeprefix("#")]


def test_verdicts_differ_in_shape_and_colour_and_other_data_are_hollow() -> None:
    verdicts = (Verdict.REPRODUCED, Verdict.INCONCLUSIVE, Verdict.BETTER, Verdict.WORSE, Verdict.DIFFERS)
    own = [row(number, "1.0", 1.1, 1.2, verdict=verdict) for number, verdict in enumerate(verdicts)]
    other = row(9, "1.0", 1.1, 1.2, comparable="substitute-data", why="others")
    svg = drawn(compared("one", *own, other))
    assert len({shape(svg, number) for number in range(5)}) == 5
    assert len({styles(svg, number)["stroke"] for number in range(5)}) == 5
    assert all(styles(svg, number)["fill"] == styles(svg, number)["stroke"] for number in range(5))
    assert styles(svg, 5).get("fill", "none") == "none"
    assert shape(svg, 5) == shape(svg, 0)


def test_marks_stand_at_what_was_printed_and_measured() -> None:
    svg = drawn(compared("one", row(1, "1", 10.0), row(2, "100", 10.0), row(3, "10", 1.0), row(4, "10", 100.0)))
    places = []
    for number in range(4):
        (mark,) = [one for one in svg.iter(f"{SVG}g") if one.get("id") == f"rr-point-{number}"]
        (use,) = mark.iter(f"{SVG}use")
        places.append((float(use.attrib["x"]), float(use.attrib["y"])))
    left, right, low, high = places
    assert left[1] == pytest.approx(right[1])
    assert low[0] == pytest.approx(high[0]) == pytest.approx((left[0] + right[0]) / 2)
    # Two decades across, and two up, where y counts downwards.
    assert right[0] > left[0]
    assert low[1] > high[1]


def test_the_range_of_one_more_run_is_drawn_through_the_mark() -> None:
    measured = dataclasses.replace(row(1, "10", 12.0), interval=Interval(5.0, 40.0))
    with_range, without = (drawn(compared("one", one)) for one in (measured, row(1, "10", 12.0)))
    count = [
        sum("stroke-opacity: 0.45" in one.attrib.get("style", "") for one in svg.iter(f"{SVG}path"))
        for svg in (with_range, without)
    ]
    assert count == [1, 0]


def test_words_of_a_claim_never_become_markup() -> None:
    markup = collection_figure([compared("one", row(1, "1.0", 1.0, statement=EVIL))])
    assert "<script" not in markup
    assert "_blank" not in markup
    assert "<img" not in markup
    (words,) = marks(drawn(compared("one", row(1, "1.0", 1.0, statement=EVIL)))).values()
    assert EVIL in words


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
