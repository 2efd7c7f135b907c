"""Outlines of countries for maps, from Natural Earth at 1:110 million."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.catalogs import Box
from reproduce_lib.errors import DataError

COUNTRIES = "packages/natural_earth_110m_countries.shp"
# Degrees of longitude and latitude; the last digits of a border may be rounded beyond them.
FARTHEST = np.array([180.001, 90.001])


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
        outlines = [outline for shape in shapes for outline in _outlines(shape)]
    except MemoryError:
        raise
    except Exception as error:  # the reader raises whatever a damaged file leads it to
        raise DataError(f"{COUNTRIES}: no shapefile: {error!r}") from error
    for number, outline in enumerate(outlines, start=1):
        if not (np.isfinite(outline).all() and (np.abs(outline) <= FARTHEST).all()):
            raise DataError(f"{COUNTRIES}: outline {number} leaves the Earth")
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
