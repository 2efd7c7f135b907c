"""Windows and parts against plain loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce_lib.windows import consecutive_parts, sliding_windows


@given(st.integers(2, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_windows_are_those_of_a_loop(size: tuple[int, int]) -> None:
    n, width = size
    series = np.random.default_rng(n).normal(size=n)
    inputs, targets, positions = sliding_windows(series, width)
    expected = [(series[end - width : end].tolist(), series[end], end) for end in range(width, n)]
    assert inputs.tolist() == [window for window, _, _ in expected]
    assert targets.tolist() == [target for _, target, _ in expected]
    assert positions.tolist() == [position for _, _, position in expected]


def test_windows_by_hand() -> None:
    inputs, targets, positions = sliding_windows(np.array([10, 11, 12, 13, 14]), 3)
    assert inputs.tolist() == [[10, 11, 12], [11, 12, 13]]
    assert (targets.tolist(), positions.tolist()) == ([13, 14], [3, 4])


@pytest.mark.parametrize(("n", "width"), [(5, 5), (5, 6), (5, 0), (5, -1), (0, 1), (1, 1)])
def test_series_without_a_window_and_a_target_is_refused(n: int, width: int) -> None:
    with pytest.raises(ValueError, match=rf"{n}\D+{width}\b"):
        sliding_windows(np.arange(n), width)


@pytest.mark.parametrize(
    ("n", "percentages", "edges"),
    [
        (1259, (72, 8, 20), [0, 906, 1007, 1259]),  # 906.48 and 1007.2
        (1259, (70, 10, 20), [0, 881, 1007, 1259]),  # 881.3
        (1258, (70, 20, 10), [0, 880, 1132, 1258]),  # 880.6 and 1132.2
        (100, (72, 8, 20), [0, 72, 80, 100]),
        (1, (50, 50), [0, 0, 1]),
        (3, (33, 33, 34), [0, 0, 1, 3]),
        (7, (100,), [0, 7]),
        (0, (60, 40), [0, 0, 0]),
    ],
)
def test_parts_by_hand(n: int, percentages: tuple[int, ...], edges: list[int]) -> None:
    parts = consecutive_parts(n, percentages)
    assert [part.start for part in parts] == edges[:-1]
    assert [part.stop for part in parts] == edges[1:]


@given(st.integers(0, 10_000), st.lists(st.integers(0, 100), max_size=4))
def test_parts_follow_each_other_cover_everything_and_have_the_asked_size(n: int, cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), 100]
    percentages = [after - before for before, after in pairwise(bounds)]
    parts = consecutive_parts(n, percentages)
    assert [i for part in parts for i in range(n)[part]] == list(range(n))
    for part, percentage in zip(parts, percentages, strict=True):
        assert abs((part.stop - part.start) - n * percentage / 100) < 1


@pytest.mark.parametrize("percentages", [(72, 8, 10), (72, 8, 21), (), (101,)])
def test_percentages_that_leave_days_out_are_refused_with_their_sum(percentages: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=str(sum(percentages))):
        consecutive_parts(100, percentages)
