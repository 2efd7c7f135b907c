"""The eight regions of Table I: their boxes, their classes of magnitude, and the catalogues that can stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.data.catalogs import Box
from reproduce_lib.data.regional_catalogs import RegionalCatalogueName

KEY = "li2021"
RegionName = Literal[
    "sichuan", "xinjiang", "qinghai_tibet", "shandong_jiangsu", "japan", "philippines", "chicago", "los_angeles"
]
REGION_NAMES: tuple[RegionName, ...] = get_args(RegionName)
CLASSES = 5
# Floating point writes 4.1 as a little more or less.
ROUNDING = 0.001


@dataclass(frozen=True)
class Region:
    """A region of Table I.

    Attributes
    ----------
    box : its extent
    edges : the smallest magnitude of each of its five classes
    catalogues : what can stand in for the paper's data, which are not public
    """

    box: Box
    edges: tuple[float, float, float, float, float]
    catalogues: tuple[RegionalCatalogueName, ...]

    def labels(self, magnitudes: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the class of each magnitude, 0 to 4; those below the first class are refused."""
        classes = np.searchsorted(np.array(self.edges) - ROUNDING, magnitudes, side="right") - 1
        if (classes < 0).any():
            raise ValueError(f"a magnitude of {magnitudes.min()} belongs to no class from {self.edges[0]} on")
        return classes


_CHINA = (3.0, 4.0, 4.5, 5.0, 5.5)
_CHINESE: tuple[RegionalCatalogueName, ...] = ("cenc", "cea_mw")
REGIONS: dict[RegionName, Region] = {
    "sichuan": Region(Box(28, 36, 98, 106), _CHINA, _CHINESE),
    "xinjiang": Region(Box(35, 50, 75, 95), _CHINA, _CHINESE),
    "qinghai_tibet": Region(Box(26, 39, 73, 104), _CHINA, _CHINESE),
    "shandong_jiangsu": Region(Box(29, 38, 114, 124), _CHINA, _CHINESE),
    "japan": Region(Box(31, 38, 136, 143), (3.0, 4.8, 5.3, 5.8, 6.3), ("comcat_japan_m4", "comcat_japan_m45")),
    "philippines": Region(Box(11, 19, 115, 124), (3.0, 4.8, 5.3, 5.8, 6.1), ("comcat_philippines",)),
    "chicago": Region(Box(38, 47, -93, -82), (3.0, 3.2, 3.5, 4.0, 4.5), ("nshm_central_us",)),
    "los_angeles": Region(Box(30, 40, -125, -115), (3.8, 4.0, 4.5, 5.0, 5.5), ("iris_california",)),
}
