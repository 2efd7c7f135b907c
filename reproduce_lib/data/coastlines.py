"""Outlines of countries for maps, from Natural Earth at 1:110 million."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.catalogs import Box
from reproduce_lib.errors import DataError

COUNTRIES = "packages/natural_earth_110m_countries.shp"


def load_coastlines(box: Box, *, network: bool = True) -> list[NDArray[np.float64]]:
    """Return the outlines that touch a box, each as longitudes and latitudes in degrees, shape (points, 2).

    Raises
    ------
    MissingDataError
        If the outlines cannot be had.
    DataError
        If the file holds none.
    """
    return parse_coastlines(sources.read(COUNTRIES, network=network), box)


def parse_coastlines(data: bytes, box: Box) -> list[NDArray[np.float64]]:
    """Read the outlines that touch a box from the bytes of a shapefile."""
    import shapefile

    try:
        shapes = shapefile.Reader(shp=io.BytesIO(data)).shapes()
    except (shapefile.ShapefileException, struct.error, IndexError, ValueError, OSError) as error:
        raise DataError(f"{COUNTRIES}: no shapefile: {error}") from error
    outlines = [outline for shape in shapes for outline in _outlines(shape)]
    return [outline for outline in outlines if _touches(outline, box)]


def _outlines(shape: Any) -> list[NDArray[np.float64]]:
    """Cut a shape into its closed lines: a country of several islands is one shape."""
    points = np.asarray(shape.points, dtype=float).reshape(-1, 2)
    return np.split(points, list(shape.parts)[1:])


def _touches(outline: NDArray[np.float64], box: Box) -> bool:
    if not len(outline):
        return False
    (west, south), (east, north) = outline.min(axis=0), outline.max(axis=0)
    return bool(west <= box.east and east >= box.west and south <= box.north and north >= box.south)
