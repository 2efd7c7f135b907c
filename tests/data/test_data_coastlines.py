"""Outlines out of a shapefile: those that touch a box, islands apart, and bytes that are none refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
import shapefile

from reproduce_lib.data.catalogs import PHILIPPINES, Box
from reproduce_lib.data.coastlines import load_coastlines, parse_coastlines
from reproduce_lib.errors import DataError

SQUARE = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
FAR = [[10.0, 10.0], [10.0, 11.0], [11.0, 11.0], [10.0, 10.0]]


def shape_bytes(*polygons: list[list[list[float]]]) -> bytes:
    """Write polygons, each of one or more rings, as a shapefile."""
    shapes = io.BytesIO()
    with shapefile.Writer(shp=shapes, shx=io.BytesIO(), dbf=io.BytesIO(), shapeType=shapefile.POLYGON) as writer:
        writer.field("name", "C")
        for rings in polygons:
            writer.poly(rings)
            writer.record("one")
        writer.close()
        return shapes.getvalue()


def test_islands_of_one_country_are_outlines_of_their_own() -> None:
    found = parse_coastlines(shape_bytes([SQUARE, FAR]), Box(-90, 90, -180, 180))
    assert sorted(map(len, found)) == [4, 5]
    assert {tuple(point) for outline in found for point in outline} == {tuple(point) for point in SQUARE + FAR}


@pytest.mark.parametrize(
    ("box", "count"),
    [(Box(0.5, 2, 0.5, 2), 1), (Box(1, 2, 1, 2), 1), (Box(2, 3, 2, 3), 0), (Box(0, 20, 0, 20), 2)],
)
def test_only_outlines_that_touch_the_box_are_returned(box: Box, count: int) -> None:
    assert len(parse_coastlines(shape_bytes([SQUARE], [FAR]), box)) == count


@pytest.mark.parametrize("data", [b"", b"no shapefile", bytes(200)])
def test_bytes_that_are_no_shapefile_are_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="shapefile"):
        parse_coastlines(data, PHILIPPINES)


@pytest.mark.network
def test_the_philippines_have_their_main_islands() -> None:
    outlines = load_coastlines(PHILIPPINES)
    centres = np.array([outline.mean(axis=0) for outline in outlines])
    for longitude, latitude in ((121.5, 16.0), (125.0, 7.5)):  # Luzon, Mindanao
        assert np.hypot(*(centres - [longitude, latitude]).T).min() < 1.5
