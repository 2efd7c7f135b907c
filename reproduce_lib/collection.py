"""Which papers the collection has, and where each is found."""

from __future__ import annotations

import importlib
from pathlib import Path

from reproduce_lib.errors import ParameterError
from reproduce_lib.units import Paper, UnitParameters

PAPERS = Path(__file__).parent / "papers"
# Every paper of the collection, in the order of the book.
TITLES = {
    "naufal2023": "CNN-LSTM-GRU on stock prices",
    "asma2024": "ARIMA to CNN+LSTM on Philippine magnitudes",
    "li2021": "DLEP: deep learning for earthquake prediction",
    "zhang2023": "Decoupling DenseNet on AETA signals",
    "adamopoulou2023": "TensorFlow and Keras for geophysics",
}


def rebuilt() -> list[str]:
    """Return the keys of the papers that have a module or a package, in the order of the book."""
    return [key for key in TITLES if (PAPERS / f"{key}.py").is_file() or _is_package(key)]


def load_paper(key: str) -> Paper:
    """Return a rebuilt paper by key, or raise `ParameterError` with the known keys."""
    if key not in rebuilt():
        raise ParameterError(f"unknown paper {key!r}; rebuilt papers are: {', '.join(rebuilt())}")
    module = f"{key}.paper" if _is_package(key) else key
    paper: Paper = importlib.import_module(f"reproduce_lib.papers.{module}").PAPER
    return paper


def every_unit() -> list[UnitParameters]:
    """Return the units of all papers' recorded sets, in the order of the book."""
    return [unit for key in rebuilt() for unit in load_paper(key).full_units()]


def _is_package(key: str) -> bool:
    return (PAPERS / key / "paper.py").is_file()
