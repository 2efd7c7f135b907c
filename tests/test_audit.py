"""What a printed score is made of, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce_lib.audit import Judged, accuracy_of_two_classes, gain_over, parts_of, standard_error_of_accuracy


def judged(model: list[float], **without: list[float]) -> Judged:
    return Judged(np.array(model), {name: np.array(scores) for name, scores in without.items()})


def test_parts_by_hand() -> None:
    """In the paper's folds the class before is the best without a model, in blocks the commonest class."""
    papers = judged([60, 62, 64], commonest=[50, 50, 50], last=[54, 55, 56])
    blocks = judged([48, 50], commonest=[49, 51], last=[40, 41])
    parts = parts_of(papers, blocks, 80)
    assert parts.without == 55
    assert parts.left.tolist() == [-1, -1]
    assert parts.shared.tolist() == [6, 7, 8]
    assert (parts.leakage, parts.not_reached) == (8, 18)
    assert papers.gain_over("commonest").tolist() == [10, 12, 14]


def test_best_is_chosen_by_its_mean_and_not_run_by_run() -> None:
    """Run by run the best of two would be better than either."""
    one = judged([10, 10], first=[9, 1], second=[1, 8])
    assert one.best.tolist() == [9, 1]
    assert judged([0, 0], first=[4, 6], second=[6, 4]).best.tolist() == [4, 6]  # of equal means the first


scores = st.lists(st.floats(0, 100), min_size=3, max_size=3)


@given(scores, scores, scores, scores, st.floats(0, 100))
def test_parts_add_up_to_what_is_printed(
    model: list[float], common: list[float], last: list[float], blocks: list[float], printed: float
) -> None:
    papers = judged(model, common=common, last=last)
    parts = parts_of(papers, judged(blocks, common=common), printed)
    assert parts.without + parts.left.mean() + parts.leakage + parts.not_reached == pytest.approx(printed)
    assert parts.without >= max(np.mean(common), np.mean(last)) - 1e-9


def test_gain_is_the_mean_of_runs_with_students_interval_by_hand() -> None:
    """Runs of 1, 2 and 3 points: mean 2, deviation 1, t of two degrees of freedom 4.3027."""
    model = np.array([[51.0, 52.0, 55.0, 70.0], [61.0, 63.0, 63.0, 70.0]])
    other = np.array([[50.0, 50.0, 51.0, np.nan], [60.0, 61.0, 61.0, 60.0]])
    found = gain_over(model, other)
    assert found is not None
    assert (found.mean, found.half_width) == pytest.approx((2.0, 4.30265 / 3**0.5), rel=1e-5)
    assert str(found) == "+2.0 ± 2.5"
    assert str(gain_over(other[:, :3], model[:, :3])) == "−2.0 ± 2.5"
    assert gain_over(model[:, :1], other[:, :1]) is None
    assert gain_over(model, np.full_like(model, np.nan)) is None


@given(st.integers(2, 6), st.integers(1, 300), st.integers(0, 2**31))
def test_accuracy_of_two_classes_is_the_printed_formula_averaged_over_the_classes(
    classes: int, samples: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    true, said = random.integers(0, classes, (2, samples))
    each = [100 * np.mean((true == one) == (said == one)) for one in range(classes)]
    share = 100 * float(np.mean(true == said))
    assert accuracy_of_two_classes(share, classes) == pytest.approx(np.mean(each))


def test_standard_error_of_an_accuracy_is_that_of_a_share() -> None:
    assert standard_error_of_accuracy(80, 100) == pytest.approx(4.0)  # sqrt(0.8 x 0.2 / 100)
    random = np.random.default_rng(0)
    drawn = 100 * random.binomial(40, 0.7, size=20_000) / 40
    assert standard_error_of_accuracy(70, 40) == pytest.approx(drawn.std(), rel=0.02)
