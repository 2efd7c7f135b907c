"""A written file is never seen in part."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reproduce_lib.files import write_whole

PROJECT = Path(__file__).resolve().parents[1]
SIZE = 300_000
WRITER = f"""
import sys
from pathlib import Path
from reproduce_lib.files import write_whole
while True:
    for letter in (b"a", b"b"):
        write_whole(Path(sys.argv[1]), letter * {SIZE})
"""


def test_bytes_arrive_unchanged_in_folders_made_for_them(tmp_path: Path) -> None:
    path, data = tmp_path / "a" / "b" / "file.bin", bytes(range(256))
    write_whole(path, data)
    assert path.read_bytes() == data
    assert [one.name for one in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("data", [b"", b"short", b"longer than before"])
def test_a_file_is_replaced_whatever_its_length(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old content")
    write_whole(path, data)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*arguments: object) -> None:
        raise OSError("no space left")

    path = tmp_path / "file"
    path.write_bytes(b"old content")
    monkeypatch.setattr(*{"fsync": (os, "fsync", fail), "replace": (Path, "replace", fail)}[call])
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, b"new content")
    assert path.read_bytes() == b"old content"


def test_a_reader_and_a_killed_writer_never_leave_or_see_a_part(tmp_path: Path) -> None:
    path, seen = tmp_path / "file", set()
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=PROJECT) as writer:
        try:
            deadline = time.monotonic() + 30
            while len(seen) < 2 and time.monotonic() < deadline:
                if path.exists():
                    seen.add(path.read_bytes())
            seen |= {path.read_bytes() for _ in range(50)}
        finally:
            writer.kill()
    assert seen == {b"a" * SIZE, b"b" * SIZE}
    assert path.read_bytes() in seen
