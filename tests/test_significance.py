"""Runs are counted by the side and the certainty of their own test."""

from __future__ import annotations

from reproduce_lib.significance import RunsAgainstNaive, runs_against_naive


def test_runs_are_better_or_worse_only_where_the_test_says_so() -> None:
    tests = [(-3.0, 0.01), (-3.0, 0.05), (2.5, 0.049), (4.0, 0.0), (0.0, 1.0)]
    found = runs_against_naive({"dm_statistic": statistic, "dm_p_value": p} for statistic, p in tests)
    assert found == RunsAgainstNaive(better=1, worse=2, runs=5)
    assert (found.undecided, found.of(found.worse)) == (2, "2 of 5")


def test_counts_of_several_models_add_up() -> None:
    assert RunsAgainstNaive(1, 2, 5) + RunsAgainstNaive(0, 3, 3) == RunsAgainstNaive(1, 5, 8)
    assert runs_against_naive([]) == RunsAgainstNaive(0, 0, 0)
