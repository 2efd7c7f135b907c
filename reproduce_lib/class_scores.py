"""Scores of a classifier of several classes: accuracy, and the area under the curve of Hand & Till (2001)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.intp]
Scores = NDArray[np.float64]


def accuracy(labels: Labels, predicted: Labels) -> float:
    """Return the share of the samples whose class was predicted; both of shape (samples,), not empty."""
    _check(labels, predicted)
    return float((labels == predicted).mean())


def mean_auc(labels: Labels, scores: Scores) -> float | None:
    """Return MAUC, the mean over all pairs of classes of the area under the curve (Hand & Till 2001, equation 7).

    For classes i and j, A(i|j) is the probability that a sample of class i has a higher score for i than
    a sample of class j, ties counting half; the pair has the mean of A(i|j) and A(j|i). Pairs of which a class
    does not occur are left out; ``None`` if none is left.

    Parameters
    ----------
    labels : class of each sample, shape (samples,)
    scores : score of each class, shape (samples, classes)
    """
    _check(labels, scores[:, 0])
    present = np.unique(labels)
    areas = [
        (_area(scores[:, i], labels == i, labels == j) + _area(scores[:, j], labels == j, labels == i)) / 2
        for number, i in enumerate(present)
        for j in present[number + 1 :]
    ]
    return float(np.mean(areas)) if areas else None


def _area(scores: Scores, positive: NDArray[np.bool_], negative: NDArray[np.bool_]) -> float:
    """Return how often a positive sample scores higher than a negative one, by ranks (Mann & Whitney 1947)."""
    from scipy.stats import rankdata

    positives, negatives = int(positive.sum()), int(negative.sum())
    ranks = rankdata(np.concatenate([scores[positive], scores[negative]]))
    return float((ranks[:positives].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _check(labels: Labels, others: NDArray[np.generic]) -> None:
    if labels.shape != others.shape or not len(labels):
        raise ValueError(f"{labels.shape} labels and {others.shape} predictions cannot be scored")
