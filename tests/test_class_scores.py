"""Accuracy and MAUC by hand, by counting pairs, and against scikit-learn."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

from reproduce_lib.class_scores import accuracy, mean_auc


def counted(labels: Any, scores: Any) -> float | None:
    """Count the pairs of samples of each pair of classes that are in the right order."""
    areas = []
    for i, j in combinations(sorted(set(labels.tolist())), 2):
        both = []
        for one, other in ((i, j), (j, i)):
            pairs = list(product(scores[labels == one, one], scores[labels == other, one]))
            both.append(sum(1.0 if high > low else 0.5 if high == low else 0.0 for high, low in pairs) / len(pairs))
        areas.append(sum(both) / 2)
    return sum(areas) / len(areas) if areas else None


def test_by_hand() -> None:
    """Two classes, two samples each: of class 1 the scores 0.9 and 0.4, of class 0 the scores 0.6 and 0.1."""
    labels = np.array([1, 1, 0, 0])
    high = np.array([0.9, 0.4, 0.6, 0.1])
    scores = np.column_stack([1 - high, high])
    assert mean_auc(labels, scores) == pytest.approx(0.75)  # three of four pairs
    assert accuracy(labels, scores.argmax(axis=1)) == 0.5


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 40), st.integers(1, 9))
def test_agrees_with_counting_pairs(seed: int, classes: int, samples: int, levels: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, samples)
    scores = generator.integers(0, levels, (samples, classes)) / levels
    assert mean_auc(labels, scores) == pytest.approx(counted(labels, scores))


@pytest.mark.parametrize("classes", [3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(classes: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), generator.integers(0, classes, 200)])
    scores = generator.dirichlet(np.ones(classes), len(labels))
    scores[np.arange(len(labels)), labels] += 0.2
    scores /= scores.sum(axis=1, keepdims=True)
    assert mean_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores, multi_class="ovo"))
    assert accuracy(labels, scores.argmax(axis=1)) == accuracy_score(labels, scores.argmax(axis=1))


@pytest.mark.parametrize("monotone", [np.exp, lambda x: 7 * x - 3, np.cbrt])
def test_only_the_order_of_the_scores_counts(monotone: Any) -> None:
    generator = np.random.default_rng(3)
    labels, scores = generator.integers(0, 4, 60), generator.normal(size=(60, 4))
    assert mean_auc(labels, scores) == pytest.approx(mean_auc(labels, monotone(scores)))


def test_constant_scores_have_half_and_perfect_ones_the_whole_area() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2])
    assert mean_auc(labels, np.ones((6, 3))) == 0.5
    assert mean_auc(labels, np.eye(3)[labels]) == 1.0
    assert mean_auc(labels, 1 - np.eye(3)[labels]) == 0.0


def test_classes_that_do_not_occur_are_left_out() -> None:
    labels = np.array([0, 0, 3, 3])
    scores = np.random.default_rng(4).random((4, 5))
    assert mean_auc(labels, scores) == pytest.approx(counted(labels, scores))
    assert mean_auc(np.array([2, 2]), scores[:2]) is None


def test_nothing_cannot_be_scored() -> None:
    for labels, scores in ((np.zeros(0, int), np.zeros((0, 3))), (np.zeros(2, int), np.zeros((3, 3)))):
        with pytest.raises(ValueError, match="cannot be scored"):
            mean_auc(labels, scores)
        with pytest.raises(ValueError, match="cannot be scored"):
            accuracy(labels, scores.argmax(axis=1))
