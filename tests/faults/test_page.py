"""The page on faults names tests that are there, and its counts are those of the file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reproduce_lib.errors import RecordError
from reproduce_lib.faults_page import counts_page
from tests.support import PROJECT

PAGE = PROJECT / "book" / "what-can-go-wrong.md"


def test_each_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    files = [*PROJECT.glob("tests/faults/test_*.py"), PROJECT / "tests" / "book" / "test_pages.py"]
    defined = {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.M)}
    assert len(named) >= 20
    assert named <= defined


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    (tmp_path / "book").mkdir()
    return tmp_path


def test_counts_are_those_of_the_file_and_what_is_no_good_outcome_is_told(root: Path) -> None:
    result = {
        "counts": {"refused": 6000, "same": 3000, "another": 993, "crashed": 7},
        "slowest_seconds": 0.5,
        "peak_megabytes": 3,
        "date": "2026-01-01",
    }
    (root / "book" / "faults.json").write_text(json.dumps({"data: toy_reader": result, "kills": {"runs": 200}}))
    page = counts_page()
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert cells[:6] == ["toy reader", "10,000", "6,000", "3,000", "993", "7"]
    assert cells[-2:] == ["runs", "200"]


def test_without_a_long_run_the_page_says_so(root: Path) -> None:
    assert "not been made" in counts_page()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"data: x": {}}', '{"data: x": 3}', '{"kills": []}'])
def test_file_that_is_none_is_named(root: Path, content: str) -> None:
    (root / "book" / "faults.json").write_text(content)
    with pytest.raises(RecordError, match=r"faults\.json"):
        counts_page()
