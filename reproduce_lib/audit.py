"""What a printed score is made of: what needs no model, what is left where folds share nothing, what sharing adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

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


@dataclass(frozen=True)
class Gain:
    """By how much a model exceeds another: the mean of its runs, and the half-width of that mean's 95 % interval."""

    mean: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} ± {self.half_width:.1f}".replace("-", "−")


def gain_over(model: Scores, other: Scores) -> Gain | None:
    """Return by how much a model exceeds another, each run averaged over the places that both were judged at.

    Parameters
    ----------
    model, other : scores, shape (places, runs), ``nan`` where none is recorded; a run in which one is missing is left
        out. With fewer than two runs nothing is known.
    """
    gained = np.mean(np.subtract(model, other), axis=0)
    known = gained[np.isfinite(gained)]
    if len(known) < 2:
        return None
    half_width = stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known))
    return Gain(float(known.mean()), float(half_width))


def standard_error_of_accuracy(accuracy: float, samples: float) -> float:
    """Return the standard error of an accuracy that so many independent samples gave, both in percent.

    That of a binomial share, sqrt(p (1 - p) / n).
    """
    return float(np.sqrt(accuracy * (100 - accuracy) / samples))


def accuracy_of_two_classes(share: float, classes: int) -> float:
    """Return the accuracy of two classes, averaged over each class against the others, in percent.

    A sample that is named right is right against every class, and one that is named wrong is wrong against two of
    them: the class it is of, and the one it was said to be.

    Parameters
    ----------
    share : of samples that are named right, in percent
    """
    return 100 - 2 * (100 - share) / classes


def parts_of(papers: Judged, apart: Judged, printed: float) -> Parts:
    """Take a printed score apart; ``papers`` is the paper's design, ``apart`` one that shares nothing."""
    return Parts(float(papers.best.mean()), apart.gain, papers.gain, printed)
