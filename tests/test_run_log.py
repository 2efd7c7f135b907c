"""The log of runs: pairs of lines, lines that cannot be read, and several writers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from reproduce_lib.errors import RecordError
from reproduce_lib.execution.run_log import Run, RunEnded, RunLog, RunStarted, now
from tests.support import PROJECT


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "records" / "runs.jsonl")


def started(name: str = "a", time: str = "2026-01-01T23:00:00Z", **values: Any) -> RunStarted:
    known: dict[str, Any] = {
        "processor": "a processor",
        "jobs": 2,
        "dask": False,
        "papers": ["toy"],
        "due": 7,
        "expected_seconds": 12.5,
        "of_unknown_length": 1,
    }
    return RunStarted(id=name, time=time, **{**known, **values})


def ended(name: str = "a", time: str = "2026-01-02T01:30:10Z", **values: Any) -> RunEnded:
    known: dict[str, Any] = {"ending": "finished", "written": 6, "failed": 1, "left": 0}
    return RunEnded(id=name, time=time, **{**known, **values})


def test_no_file_means_no_run(log: RunLog) -> None:
    assert log.runs() == []
    assert not log.path.parent.exists()


def test_what_is_written_is_read_back_and_starts_and_ends_are_paired(log: RunLog) -> None:
    lines = [started("a"), started("b", jobs=1), ended("b", left=2, ending="interrupted"), ended("a")]
    for line in lines:
        log.append(line)
    assert log.runs() == [Run(lines[0], lines[3]), Run(lines[1], lines[2])]
    assert RunLog(log.path).runs() == log.runs()
    written = [json.loads(line) for line in log.path.read_text(encoding="utf-8").splitlines()]
    assert [(line["kind"], line["id"], line["schema"]) for line in written] == [
        ("run", "a", 1), ("run", "b", 1), ("end", "b", 1), ("end", "a", 1),
    ]  # fmt: skip
    assert written[1]["jobs"] == 1


def test_file_only_grows(log: RunLog) -> None:
    log.append(started())
    before = log.path.read_bytes()
    log.append(ended())
    assert log.path.read_bytes().startswith(before)


def test_run_that_was_killed_has_no_end_and_no_length(log: RunLog) -> None:
    log.append(started("killed"))
    log.append(started("after"))
    log.append(ended("after"))
    killed, after = log.runs()
    assert (killed.started.id, killed.ended, killed.seconds) == ("killed", None, None)
    assert after.ended is not None


def test_length_is_the_time_on_the_clock_between_the_lines(log: RunLog) -> None:
    assert Run(started(), ended()).seconds == 2.5 * 3600 + 10  # over midnight
    assert Run(started(time="2026-01-01T00:00:00Z"), ended(time="2026-01-01T00:00:00Z")).seconds == 0
    leap = Run(started(time="2028-02-28T12:00:00Z"), ended(time="2028-03-01T12:00:00Z"))
    assert leap.seconds == 2 * 86400


def test_now_is_the_time_in_utc_as_the_log_reads_it() -> None:
    text = now()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(seconds=5)
    begun = datetime.now(UTC) - timedelta(hours=1)
    seconds = Run(started(time=f"{begun:%Y-%m-%dT%H:%M:%SZ}"), ended(time=now())).seconds
    assert seconds == pytest.approx(3600, abs=5)


WHOLE = {
    "kind": "run", "schema": 1, "id": "a", "time": "2026-01-01T00:00:00Z", "processor": "p", "jobs": 1, "dask": False,
    "papers": [], "due": 1, "expected_seconds": 1.0, "of_unknown_length": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"null",
        b"[1, 2]",
        b"\x00" * 40,
        b'{"kind":"pause","id":"a"}',
        b'{"kind":"end","id":"a"}',
        json.dumps({**WHOLE, "jobs": "two"}).encode(),
        json.dumps({**WHOLE, "time": "yesterday"}).encode(),
        json.dumps({**WHOLE, "schema": 2}).encode(),
        json.dumps({**WHOLE, "colour": "red"}).encode(),
        json.dumps({name: value for name, value in WHOLE.items() if name != "due"}).encode(),
    ],
)
def test_damaged_line_is_one_error_that_names_file_and_line(log: RunLog, damaged: bytes) -> None:
    log.append(started())
    with log.path.open("ab") as file:
        file.write(damaged + b"\n")
    log.append(ended())
    with pytest.raises(RecordError) as caught:
        log.runs()
    assert f"{log.path}:2:" in str(caught.value)
    assert "\n" not in str(caught.value)
    lines = log.path.read_bytes().split(b"\n")
    log.path.write_bytes(b"\n".join([lines[0], *lines[2:]]))  # what the message says to do
    assert [run.ended for run in log.runs()] == [ended()]
    log.path.write_text(f"{json.dumps(WHOLE)}\n", encoding="utf-8")  # what the damaged lines are made from is whole
    assert len(log.runs()) == 1


def test_log_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RecordError, match=re.escape(str(tmp_path / "file" / "runs.jsonl"))):
        RunLog(tmp_path / "file" / "runs.jsonl").append(started())


WRITER = """
import sys
from pathlib import Path
from reproduce_lib.execution.run_log import RunEnded, RunLog, RunStarted

log = RunLog(Path(sys.argv[1]))
for number in range(30):
    name = f"{sys.argv[2]}-{number}"
    common = dict(id=name, time="2026-01-01T00:00:00Z")
    log.append(RunStarted(**common, processor="p" * 5000, jobs=1, dask=False, papers=[], due=number,
                          expected_seconds=0.0, of_unknown_length=0))
    log.append(RunEnded(**common, ending="finished", written=number, failed=0, left=0))
"""


def test_several_processes_at_once_lose_and_mix_nothing(log: RunLog) -> None:
    command = [sys.executable, "-c", WRITER, str(log.path)]
    writers = [subprocess.Popen([*command, name], cwd=PROJECT, stderr=subprocess.PIPE, text=True) for name in "xyz"]
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    runs = log.runs()
    assert {run.started.id for run in runs} == {f"{name}-{number}" for name in "xyz" for number in range(30)}
    assert len(runs) == 90
    for run in runs:
        assert run.ended is not None
        assert run.started.due == run.ended.written == int(run.started.id[2:])
    assert len(log.path.read_bytes().splitlines()) == 180


def test_several_threads_at_once_lose_nothing(log: RunLog) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: log.append(started(str(number))), range(60)))
    assert {run.started.id for run in log.runs()} == {str(number) for number in range(60)}


def test_nothing_is_written_while_another_writer_holds_the_file(log: RunLog) -> None:
    # On a shared file system two appends may land on one another, whatever a local disk does.
    log.append(started("before"))
    with ThreadPoolExecutor(1) as threads:
        with FileLock(f"{log.path}.lock"):
            waiting = threads.submit(log.append, ended("before"))
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            assert log.runs() == [Run(started("before"), None)]
        waiting.result(timeout=10)
    assert log.runs() == [Run(started("before"), ended("before"))]


def test_cut_last_line_of_a_killed_run_spoils_no_later_line(log: RunLog) -> None:
    log.append(started("a"))
    with log.path.open("ab") as file:
        file.write(b'{"kind":"run","id":"b","ti')
    assert [run.started.id for run in log.runs()] == ["a"]
    log.append(started("c"))
    assert log.path.read_bytes().splitlines()[-1].startswith(b'{"kind":"run","schema":1,"id":"c"')
    assert [run.started.id for run in log.runs()] == ["a", "c"]


def test_line_cut_anywhere_leaves_the_other_lines(log: RunLog) -> None:
    whole = [started("a"), started("b"), ended("a")]
    for line in whole:
        log.append(line)
    lines = log.path.read_bytes().splitlines(keepends=True)
    for length in range(1, len(lines[1]) - 2):
        log.path.write_bytes(lines[0] + lines[1][:length] + b"\n" + lines[2])
        assert log.runs() == [Run(whole[0], whole[2])]


@pytest.mark.parametrize("line", [b'{"kind":"run","id":"\xff"}', b'{"a":' * 5000 + b"}"], ids=["not UTF-8", "nested"])
def test_line_that_is_no_text_is_a_record_error_too(log: RunLog, line: bytes) -> None:
    log.append(started("a"))
    with log.path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(RecordError, match=":2:"):
        log.runs()
