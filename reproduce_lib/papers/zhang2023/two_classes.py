"""What accuracy, recall and F1 of two classes say together: the share of positives among what was tested."""

from __future__ import annotations

from collections.abc import Iterable

from reproduce_lib.verdicts import Interval


def share_of_positives(accuracy: Interval, recall: Interval, f1: Interval) -> Interval:
    """Return the shares of positives with which three scores of two classes (equations 3 to 5) can stand together.

    With a share s, the false negatives are s (1 - R), and 2 s R / F1 = s + s R + false positives by the definition of
    F1, so that all errors together are 1 - A = 2 s R (1 - F1) / F1. The share falls with accuracy and recall and grows
    with F1; its ends are those of a box of three numbers that are each known to an interval in (0, 1).
    """

    def share(accuracy: float, recall: float, f1: float) -> float:
        return (1 - accuracy) * f1 / (2 * recall * (1 - f1))

    return Interval(share(accuracy.upper, recall.upper, f1.lower), share(accuracy.lower, recall.lower, f1.upper))


def most_that_agree(shares: Iterable[Interval]) -> int:
    """Return how many of the intervals one share can lie in at most."""
    known = list(shares)
    return max((sum(one.lower <= start.lower <= one.upper for one in known) for start in known), default=0)
