"""What a printed score is made of: what needs no model, what is left where folds share nothing, what sharing adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """A model under one design of an evaluation, beside forecasts without a model on the same folds.

    Attributes
    ----------
    model : its score in each run, shape (runs,)
    without : name of a forecast without a model -> its score on the folds of each run, shape (runs,)
    """

    model: Scores
    without: Mapping[str, Scores]

    @property
    def best(self) -> Scores:
        """What the forecast without a model that is the best on average scores in each run."""
        return max(self.without.values(), key=np.mean)

    @property
    def gain(self) -> Scores:
        """By how much the model exceeds the best forecast without one, in each run."""
        gained: Scores = self.model - self.best
        return gained

    def gain_over(self, name: str) -> Scores:
        """By how much the model exceeds one forecast without a model, in each run."""
        gained: Scores = self.model - self.without[name]
        return gained


@dataclass(frozen=True)
class Parts:
    """A printed score as a sum, in the unit of the score.

    Attributes
    ----------
    without : what the best forecast without a model scores under the design of the paper, mean over the runs
    left : what the model adds to it under a design that shares nothing between training and test, in each run
    shared : what it adds under the design of the paper, in each run
    printed : the paper's number
    """

    without: float
    left: Scores
    shared: Scores
    printed: float

    @property
    def leakage(self) -> float:
        """What the model gains by what training and test share."""
        return float(self.shared.mean() - self.left.mean())

    @property
    def not_reached(self) -> float:
        """What is printed beyond the model's mean under the design of the paper; below 0 where it is exceeded."""
        return self.printed - self.without - float(self.shared.mean())


def parts_of(papers: Judged, apart: Judged, printed: float) -> Parts:
    """Take a printed score apart; ``papers`` is the paper's design, ``apart`` one that shares nothing."""
    return Parts(float(papers.best.mean()), apart.gain, papers.gain, printed)
