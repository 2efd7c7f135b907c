"""The page on faults names tests that are there, and its counts are those of the file."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from reproduce_lib.book.faults_page import (
    FAULTS,
    KILLS,
    NOTEBOOKS,
    OUTCOMES,
    READERS,
    TRIALS,
    FaultCounts,
    Spoiled,
    counts_page,
)
from reproduce_lib.errors import RecordError
from tests.faults.loaders import LOADERS
from tests.faults.results import keep_case, keep_reader, keep_trial
from tests.faults.spoil_files import Spoiling
from tests.support import PROJECT

COUNTS = "The counts of the last long run"
PAGE = PROJECT / "book" / "what-can-go-wrong.md"


def test_each_test_that_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    files = [(PAGE.parent / link).resolve() for link in re.findall(r"<(\.\./tests/[\w/]+\.py)>", text)]
    defined = {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.M)}
    assert len(named) >= 20
    assert named <= defined, "the page links to each file whose tests it names"


def lines_without_a_test(text: str) -> list[str]:
    """Return the lines, each a bullet or a paragraph, for which no test is named: in it or above the bullets it is in.

    What stands before the first section introduces the page; the last section is the counts.
    """
    missing = []
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        if title == COUNTS:
            continue
        paragraphs, *bullets = re.split(r"\n- ", body)
        above = re.search(r"`test_\w+`", paragraphs)
        lines = bullets or [one for one in paragraphs.split("\n\n") if one.strip()]
        missing += [line.strip() for line in lines if not above and not re.search(r"`test_\w+`", line)]
    return missing


def test_each_line_of_the_page_names_its_test_or_stands_below_one() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert lines_without_a_test(text) == []
    assert f"\n## {COUNTS}\n" in text
    new = "\n\n## A comet\n\nAll of it.\n\n- **It comes**: nothing\n- **It goes**: `test_that_it_goes`\n"
    assert lines_without_a_test(text + new) == ["**It comes**: nothing"]
    assert lines_without_a_test("x\n## A comet\n\nIt comes.\n") == ["It comes."]


def test_counts_that_are_kept_are_complete() -> None:
    """Those of a reader or a trial that is younger than the last long run may be missing: the page says so."""
    kept = FAULTS.read()
    assert kept is not None
    assert set(kept.readers) | set(kept.whole_files) <= set(READERS)
    assert set(kept.trials) <= set(TRIALS)
    assert len(kept.readers) >= 17
    for name, reader in kept.readers.items():
        assert sum(reader.counts.values()) == 10_000, name
        assert set(reader.counts) <= set(OUTCOMES), name
    for name, reader in kept.whole_files.items():
        assert sum(reader.counts.values()) == 20, name
        assert set(reader.counts) <= set(OUTCOMES), name
    assert kept.trials[KILLS]["runs"] == 200


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    (tmp_path / "book").mkdir()
    return tmp_path


def test_counts_are_those_of_the_file_and_what_is_no_good_outcome_is_told(root: Path) -> None:
    counts = {"refused": 6000, "same": 3000, "another": 993, "crashed": 7}
    spoiled = Spoiled(date="2026-01-01", counts=counts, slowest_seconds=0.5, peak_megabytes=3)
    FAULTS.write(FaultCounts(readers={"toy_reader": spoiled}, trials={"kills": {"runs": 200}}))
    page = counts_page(FAULTS.read())
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert cells[:7] == ["toy reader", "10,000", "6,000", "3,000", "993", "7", "–"]
    assert cells[-2:] == ["runs", "200"]


def test_trial_that_the_long_run_has_not_had_yet_is_named(root: Path) -> None:
    FAULTS.write(FaultCounts(readers={}, trials={KILLS: {"runs": 200}}))
    (missing,) = re.findall(r"^Trials not yet counted in the long run: (.*)\.$", counts_page(FAULTS.read()), re.M)
    assert set(missing.split("; ")) == {*TRIALS} - {KILLS}


def test_counts_are_kept_only_where_the_long_run_asks_for_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPRODUCE_KEEP_COUNTS", raising=False)
    keep_trial(KILLS, runs=200)
    keep_case(NOTEBOOKS, "out of memory")
    keep_reader("prices", Spoiling(Counter(refused=1)))
    assert FAULTS.read() is None


def test_counts_of_a_reader_are_shown_of_excerpts_and_of_whole_files_and_what_is_not_counted_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_KEEP_COUNTS", str(root))
    assert set(READERS) == set(LOADERS)
    found = Spoiling(Counter(refused=7, same=3), Counter({"no place": 2}), 0.1, 4.0)
    keep_reader("prices", found)
    keep_reader("wheel", found, whole=True)
    page = counts_page(FAULTS.read())
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert cells[:9] == ["prices", "10", "7", "3", "0", "0", "2", "0.1 s", "+4 MB"]
    assert cells[10:17] == ["wheel", "10", "7", "3", "0", "0", "–"]  # no text: its refusals need not say a line
    (missing,) = re.findall(r"^Readers not yet counted in the long run: (.*)\.$", page, re.M)
    assert set(missing.split("; ")) == {name.replace("_", " ") for name in set(READERS) - {"prices"}}


def test_cases_of_a_trial_are_kept_beside_each_other_and_a_trial_in_place_of_its_last(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_KEEP_COUNTS", str(root))
    monkeypatch.setenv("REPRODUCE_ROOT", str(root / "elsewhere"))
    keep_case(NOTEBOOKS, "out of memory")
    keep_case(NOTEBOOKS, "never ends")
    keep_trial(KILLS, runs=100, writers=150)
    keep_trial(KILLS, runs=200)
    monkeypatch.setenv("REPRODUCE_ROOT", str(root))
    known = FAULTS.read()
    assert known is not None
    assert known.trials[NOTEBOOKS].keys() == {"date", "out of memory", "never ends"}
    assert known.trials[KILLS].keys() == {"date", "runs"}


def test_every_fault_belongs_to_a_regular_run(request: pytest.FixtureRequest) -> None:
    """Those of the default run to ``make test``, all to ``make faults``, and all but the long ones to each change."""
    assert request.node.get_closest_marker("faults")
    assert "pytest tests/faults -m faults\n" in (PROJECT / "Makefile").read_text(encoding="utf-8")
    (chosen,) = re.findall(r'-m "slow and \((.*)\)"', (PROJECT / ".ci" / "run").read_text(encoding="utf-8"))
    assert "faults" in chosen.split(" or ")


def test_without_a_long_run_the_page_says_so(root: Path) -> None:
    assert "not been made" in counts_page(FAULTS.read())


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"schema": 1}', '{"schema": 1, "readers": {"x": 3}, "trials": {}}', "[" * 10**5]
)
def test_file_that_is_none_is_named_with_the_command_that_writes_it(root: Path, content: str) -> None:
    FAULTS.path().write_text(content)
    with pytest.raises(RecordError, match=r"faults\.json.*make faults"):
        FAULTS.read()
