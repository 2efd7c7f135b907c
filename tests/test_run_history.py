"""What a page says of past runs: those that ended, and those that were killed."""

from __future__ import annotations

import msgspec

from reproduce_lib.book.run_history import history, history_table, runs_page
from reproduce_lib.execution.run_log import Run, RunEnded, RunStarted


def started(time: str, due: int, seconds: float = 0.0, unknown: int = 0) -> RunStarted:
    return RunStarted(
        id=time,
        time=time,
        processor="p",
        jobs=2,
        dask=False,
        papers=["toy"],
        due=due,
        expected_seconds=seconds,
        of_unknown_length=unknown,
    )


def test_killed_run_is_shown_with_what_it_recorded_and_the_next_with_what_was_expected() -> None:
    first, second = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z"
    ended = RunEnded(id=second, time="2026-01-01T11:30:00Z", ending="finished", written=4, failed=0, left=0)
    runs = [Run(started(first, 6, unknown=6), None), Run(started(second, 4, seconds=2400.0, unknown=1), ended)]
    ends = ["2026-01-01T10:05:00Z", "2026-01-01T10:12:00Z", "2026-01-01T11:00:00Z", "2026-01-01T11:29:00Z"]
    killed, finished = runs_page(history(runs, {"toy": ends, "another": ["2026-01-01T10:50:00Z"]})).split("<tr>")[2:]
    assert all(f">{text}<" in killed for text in ("6", "12 min", "2"))
    assert "unknown" in killed
    assert "killed" in killed
    assert all(f">{text}<" in finished for text in ("4", "30 min", "finished"))
    assert "20 min + 1 unit" in finished  # 2400 s of one worker, two at a time


def test_run_that_an_error_stopped_is_told_from_one_whose_units_failed() -> None:
    times = ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z")
    endings = [("failed", 0), ("failed", 3), ("finished", 2)]
    runs = [
        Run(started(time, 4), RunEnded(id=time, time=time, ending=ending, written=1, failed=failed, left=1))
        for time, (ending, failed) in zip(times, endings, strict=True)
    ]
    rows = str(history_table(history(runs, {}), "c")).split("<tr>")[2:]
    words = ("stopped by an error", "stopped by an error, 3 failed", "finished, 2 failed")
    assert [f">{said}<" in row for said, row in zip(words, rows, strict=True)] == [True] * 3


def test_short_runs_are_folded_and_killed_ones_are_not() -> None:
    times = ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z")
    ended = RunEnded(id=times[1], time="2026-01-01T11:01:59Z", ending="finished", written=4, failed=0, left=0)
    runs = [Run(started(times[0], 1), None), Run(started(times[1], 2), ended), Run(started(times[2], 3), None)]
    shown, _, folded = runs_page(history(runs, {})).partition("<details")
    assert ["10:00:00" in shown, "11:00:00" in shown, "12:00:00" in shown] == [True, False, True]
    assert "11:00:00" in folded
    assert all(">toy<" in part for part in (shown, folded))


def test_log_of_runs_at_the_same_time_is_put_in_order_and_no_unit_is_given_to_a_run_that_cannot_have_made_all() -> None:
    times = ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z")
    runs = [Run(started(times[1], 9), None), Run(started(times[0], 2), None)]
    ends = ["2026-01-01T10:05:00Z", "2026-01-01T10:06:00Z", "2026-01-01T10:07:00Z", "2026-01-01T11:30:00Z"]
    first, second = history(runs, {"toy": ends})
    assert (first.began, first.recorded, first.seconds) == (times[0], None, None)
    assert (second.began, second.recorded, second.seconds) == (times[1], 1, 1800.0)


def test_run_of_another_paper_ends_no_other_run() -> None:
    runs = [
        Run(started("2026-01-01T10:00:00Z", 3), None),
        Run(msgspec.structs.replace(started("2026-01-01T10:01:00Z", 1), papers=["another"]), None),
    ]
    first, second = history(runs, {"toy": ["2026-01-01T10:05:00Z"], "another": []})
    assert (first.recorded, second.recorded) == (1, 0)
