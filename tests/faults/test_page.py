"""The page on faults names tests that are there, and its counts are those of the file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reproduce_lib.book.faults_page import (
    DISKS,
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
from tests.faults.results import keep_case, keep_reader, keep_trial, today
from tests.faults.spoil_files import Spoiling
from tests.faults.test_kills import WAYS
from tests.faults.test_notebook_faults import FAULTS as NOTEBOOK_FAULTS
from tests.support import PROJECT

COUNTS = "The counts of the last long run"
PAGE = PROJECT / "book" / "what-can-go-wrong.md"


def named_tests(text: str) -> dict[str, set[str]]:
    """Return each test that a page names, and the files that are linked in its section."""
    found: dict[str, set[str]] = {}
    for section in text.split("\n## ")[1:]:
        files = set(re.findall(r"<\.\./(tests/[\w/]+\.py)>", section))
        for name in re.findall(r"`(test_\w+)`", section):
            found.setdefault(name, set()).update(files)
    return found


def collected(files: set[str]) -> dict[str, set[str]]:
    """Return the tests that pytest itself finds in each file, those that the default run leaves out too."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "no:cacheprovider"]
    ran = subprocess.run([*command, *sorted(files)], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:]
    found: dict[str, set[str]] = {file: set() for file in files}
    for file, name in re.findall(r"^(tests/[\w/]+\.py)::(\w+)", ran.stdout, re.M):
        found[file].add(name)
    return found


def not_there(named: dict[str, set[str]], tests: dict[str, set[str]]) -> set[str]:
    """Return the tests that are in none of the files that are linked where they are named."""
    return {name for name, files in named.items() if not any(name in tests[file] for file in files)}


@pytest.mark.slow
def test_each_test_that_the_page_names_is_collected_from_a_file_that_its_section_links_to() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = named_tests(text)
    assert len(named) >= 20
    tests = collected({file for files in named.values() for file in files})
    assert not_there(named, tests) == set()
    for name in named:
        renamed = {file: {f"{one}_now" if one == name else one for one in found} for file, found in tests.items()}
        assert not_there(named, renamed) == {name}
    # Named where another file is linked, it cannot be found by who reads the page.
    elsewhere = "\n## A comet\n\n`test_password_in_an_address_is_in_no_message`, <../tests/faults/test_kills.py>"
    assert not_there(named_tests(elsewhere), tests) == {"test_password_in_an_address_is_in_no_message"}


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


def incomplete(kept: FaultCounts) -> list[str]:
    """Return what is wrong with kept counts: one that is missing, is none, or does not fit the others.

    A reader or a trial that is younger than the last long run may be missing altogether: the page says so.
    """
    wrong = []
    for kind, whole in ((kept.readers, 10_000), (kept.whole_files, 20)):
        for name, reader in kind.items():
            wrong += [] if name in READERS else [f"{name} is no reader"]
            wrong += [] if sum(reader.counts.values()) == whole else [f"{name}: not {whole} files"]
            wrong += [] if set(reader.counts) <= set(OUTCOMES) else [f"{name}: an outcome that is none"]
    for name, trial in kept.trials.items():
        counts = {what: count for what, count in trial.items() if what != "date"}
        known = TRIALS.get(name, ())
        # Cases are counted one by one, as this machine can try them; what one run counts is counted together.
        complete = set(counts) <= set(known) if name in (DISKS, NOTEBOOKS) else set(counts) == set(known)
        wrong += [] if complete else [f"{name}: not {', '.join(known)}"]
        wrong += [
            f"{name}: {what} is {count}" for what, count in counts.items() if not isinstance(count, int) or count < 0
        ]
        wrong += [] if "date" in trial else [f"{name}: no date"]
    kills = kept.trials.get(KILLS, {})
    fitting = (
        kills.get("runs") == 200
        and kills.get("writers") == 300
        and 160 <= int(kills.get("writers_killed", 0)) <= 300
        and int(kills.get("units_left_by_the_kills", 0)) <= 200 * int(kills.get("units_of_a_run", 0))
    )
    return wrong if fitting else [*wrong, "kills do not fit one another"]


def without(kept: FaultCounts, trial: str, what: str) -> FaultCounts:
    counts = {name: count for name, count in kept.trials[trial].items() if name != what}
    return msgspec.structs.replace(kept, trials={**kept.trials, trial: counts})


def test_counts_that_are_kept_are_complete_and_fit_one_another() -> None:
    kept = FAULTS.read()
    assert kept is not None
    assert len(kept.readers) >= 17
    assert incomplete(kept) == []
    for what in kept.trials[KILLS]:
        assert incomplete(without(kept, KILLS, what)), what
    for name, reader in kept.readers.items():
        for outcome, count in reader.counts.items():
            counts = {**reader.counts, outcome: count + 1}
            changed = msgspec.structs.replace(reader, counts=counts)
            assert incomplete(msgspec.structs.replace(kept, readers={**kept.readers, name: changed})) == [
                f"{name}: not 10000 files"
            ]


def shown(page: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table of a page, by its caption."""
    tables = re.findall(r"<caption>(.*?)</caption>.*?<tbody>(.*?)</tbody>", page)
    return {
        unescape(caption): [
            [unescape(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", body)
        ]
        for caption, body in tables
    }


def expected(counts: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return what the tables have to show, from the file as it is written."""
    tables = {}
    for kind, caption in (
        ("readers", "Spoiled files, by reader"),
        ("whole_files", "Spoiled files of full size, by reader"),
    ):
        rows = []
        for name, one in sorted(counts.get(kind, {}).items()):
            numbers = [one["counts"].get(outcome, 0) for outcome in ("refused", "same", "another")]
            total = sum(one["counts"].values())
            placeless = one.get("placeless")
            rows.append(
                [
                    name.replace("_", " "),
                    *(f"{number:,}" for number in (total, *numbers, total - sum(numbers))),
                    "–" if placeless is None else f"{placeless:,}",
                    f"{one['slowest_seconds']:g} s",
                    f"+{one['peak_megabytes']} MB",
                    one["date"],
                ]
            )
        if rows:
            tables[caption] = rows
    for name, trial in counts["trials"].items():
        tables[f"{name[0].upper()}{name[1:]}"] = [
            [what.replace("_", " "), f"{count:,}" if isinstance(count, int) else count] for what, count in trial.items()
        ]
    return tables


def numbers_of(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each number of a file."""
    for key, one in value.items():
        if isinstance(one, dict):
            yield from numbers_of(one, *path, key)
        elif isinstance(one, int | float) and key != "schema":
            yield (*path, key)


def test_page_shows_each_count_of_the_file_and_any_other_file_would_look_otherwise(root: Path) -> None:
    text = (PROJECT / "book" / "faults.json").read_text(encoding="utf-8")
    FAULTS.path().write_text(text, encoding="utf-8")
    page = counts_page(FAULTS.read())
    assert shown(page) == expected(json.loads(text))
    ways = list(numbers_of(json.loads(text)))
    assert len(ways) > 50
    for *path, last in ways:
        changed = json.loads(text)
        place = changed
        for key in path:
            place = place[key]
        place[last] += 1
        FAULTS.path().write_text(json.dumps(changed), encoding="utf-8")
        assert counts_page(FAULTS.read()) != page, (*path, last)


def test_page_includes_the_counts_that_are_generated() -> None:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {COUNTS}\n")[1]
    assert section.strip() == "```{include} _generated/faults.md\n```"


def test_case_that_the_long_run_has_not_had_yet_is_named_beside_those_that_it_had(root: Path) -> None:
    had = {"date": "2026-01-01", "kernel killed": 1, "never ends": 1}
    FAULTS.write(FaultCounts(readers={}, trials={NOTEBOOKS: had}))
    (missing,) = re.findall(
        r"^Of “Notebooks .*” not yet counted in the long run: (.*)\.$", counts_page(FAULTS.read()), re.M
    )
    assert set(missing.split("; ")) == {*NOTEBOOK_FAULTS} - {*had}


def test_page_knows_every_case_that_is_tried() -> None:
    assert set(TRIALS[NOTEBOOKS]) == set(NOTEBOOK_FAULTS)
    assert {way for case in TRIALS[DISKS] for way in [case.rpartition(", ")[2]]} == set(WAYS)


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
    keep_trial(KILLS, **dict.fromkeys(TRIALS[KILLS], 200))
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
    keep_trial(KILLS, **dict.fromkeys(TRIALS[KILLS], 100))
    keep_trial(KILLS, **dict.fromkeys(TRIALS[KILLS], 200))
    with pytest.raises(AssertionError, match="what is counted"):
        keep_trial(KILLS, runs=200)
    with pytest.raises(AssertionError, match="to be counted"):
        keep_case(NOTEBOOKS, "a comet")
    monkeypatch.setenv("REPRODUCE_ROOT", str(root))
    known = FAULTS.read()
    assert known is not None
    assert known.trials[NOTEBOOKS].keys() == {"date", "out of memory", "never ends"}
    assert known.trials[KILLS] == {"date": today(), **dict.fromkeys(TRIALS[KILLS], 200)}


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
