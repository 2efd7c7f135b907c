"""Two folders of records held against one another: what is counted, what differs, what a page says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from reproduce_lib.book.recomputed import RECOMPUTED, compare_folders, compare_records, recomputed_page
from reproduce_lib.cli import app
from reproduce_lib.errors import RecordError
from reproduce_lib.execution import agreement, environment, study
from reproduce_lib.execution.run_log import RunEnded, RunLog, RunStarted
from reproduce_lib.store import Store
from reproduce_lib.units import Paper, UnitParameters
from tests import support
from tests.support import HERE, PROJECT, NoisyParameters, PlainParameters, new_store, put
from tests.test_tables import EVIL

ELSEWHERE = ("another processor", HERE[1])


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    toy = support.toy_paper()
    for module in (study, agreement):
        monkeypatch.setattr(module, "load_paper", lambda key: toy)
    monkeypatch.setattr(environment, "processor", lambda: HERE[0])
    monkeypatch.setattr(environment, "versions", lambda backend: HERE[1])
    return toy


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Store, Store]:
    again = tmp_path / "again" / "book"
    again.mkdir(parents=True)
    return new_store(tmp_path), new_store(again)


def noisy(seed: int) -> NoisyParameters:
    return NoisyParameters.of(seed=seed)


def fill(store: Store, units: list[UnitParameters], factor: float = 1.0, **options: Any) -> None:
    for unit in units:
        mae = support.noisy_mae(unit) if isinstance(unit, NoisyParameters) else 4.0
        put(store, unit, {"mae": mae * factor, "name": "x"}, **options)


def compute_again(store: Store, units: list[UnitParameters], factor: float = 1.0, **options: Any) -> None:
    """Fill with records that took another time: they are not the same ones."""
    fill(store, units, factor, seconds=2.0, **options)


def test_units_of_both_are_counted_and_what_is_in_one_alone_is_no_difference(
    paper: Paper, stores: tuple[Store, Store]
) -> None:
    here, there = stores
    units = [*(noisy(seed) for seed in range(6)), PlainParameters.of()]
    fill(here, units[:5])
    compute_again(there, units[2:6])
    tallies, differences = compare_records(units, here, there)
    counts = {one.experiment: (one.here, one.there, one.twice, one.equal, one.agree) for one in tallies}
    assert counts == {"noisy": (5, 4, 3, 3, 3), "plain": (0, 0, 0, 0, 0)}
    assert differences == []


def test_record_that_was_taken_over_is_no_second_computation(paper: Paper, stores: tuple[Store, Store]) -> None:
    here, there = stores
    fill(here, [noisy(0), noisy(1)])
    fill(there, [noisy(0)])
    compute_again(there, [noisy(1)])
    (tally,), differences = compare_records([noisy(0), noisy(1)], here, there)
    assert (tally.here, tally.there, tally.taken, tally.twice, tally.equal) == (2, 2, 1, 1, 1)
    assert differences == []


@pytest.mark.parametrize(
    ("changes", "outcome", "differing"),
    [
        ({"metrics": {"mae": 1.0 + 1e-5, "name": "x"}}, "differs", ["mae"]),
        ({"metrics": {"mae": 1.0, "name": "y"}}, "differs", ["name"]),
        ({"metrics": {"mae": 1.0, "name": "x", "rmse": 2.0}}, "differs", ["rmse"]),
        ({"n": 4}, "agrees", []),
        ({"artifact": "0" * 64}, "agrees", []),
        ({}, "taken", []),
    ],
)
@pytest.mark.parametrize("environment_of_record", [HERE, ELSEWHERE])
def test_record_of_the_same_time_and_seconds_is_taken_over_only_if_it_found_the_same(
    paper: Paper,
    stores: tuple[Store, Store],
    environment_of_record: Any,
    changes: dict[str, Any],
    outcome: str,
    differing: list[str],
) -> None:
    here, there = stores
    for seed in range(6):  # whose spread would hide what was altered
        put(here, noisy(seed), {"mae": 1.0 + 0.01 * seed, "name": "x"}, environment=environment_of_record)
    known = here.file("toy", "noisy").read()
    one = known.records[noisy(0).key]
    there.file("toy", "noisy").append(known.contexts[one.context], msgspec.structs.replace(one, **changes))
    (tally,), differences = compare_records([noisy(seed) for seed in range(6)], here, there)
    assert tally.outcomes == {noisy(0).key: outcome}
    assert [found.metric for found in differences] == differing


def test_on_the_same_processor_a_millionth_is_all_that_may_differ(paper: Paper, stores: tuple[Store, Store]) -> None:
    here, there = stores
    units: list[UnitParameters] = [noisy(seed) for seed in range(6)]
    fill(here, units)
    compute_again(there, units[:3], 1 + 1e-9)
    compute_again(there, units[3:], 1 + 1e-4)
    (tally,), differences = compare_records(units, here, there)
    assert (tally.twice, tally.equal, tally.agree) == (6, 0, 3)
    assert {one.unit for one in differences} == {unit.key for unit in units[3:]}
    assert {one.metric for one in differences} == {"mae"}
    assert differences[0].again == pytest.approx(differences[0].before * (1 + 1e-4))


def test_on_another_processor_the_spread_of_the_seeds_decides(paper: Paper, stores: tuple[Store, Store]) -> None:
    here, there = stores
    units: list[UnitParameters] = [noisy(seed) for seed in range(6)]
    fill(here, units)
    compute_again(there, units[:5], 1 + 1e-3, environment=ELSEWHERE)
    compute_again(there, units[5:], 2.0, environment=ELSEWHERE)
    (tally,), differences = compare_records(units, here, there)
    assert (tally.twice, tally.agree) == (6, 5)
    assert [one.unit for one in differences] == [units[5].key]


def test_metric_that_is_gone_and_a_word_that_is_another_differ(paper: Paper, stores: tuple[Store, Store]) -> None:
    here, there = stores
    put(here, noisy(0), {"mae": 1.0, "name": "x"})
    put(there, noisy(0), {"name": "y", "rmse": 2.0}, seconds=2.0)
    (tally,), differences = compare_records([noisy(0)], here, there)
    assert tally.agree == 0
    assert {one.metric for one in differences} == {"mae", "name", "rmse"}


def log(folder: Path) -> None:
    runs = RunLog(folder / "book" / "records" / "runs.jsonl")
    for number, time in (("a", "2026-01-01T00:00:00Z"), ("b", "2026-01-01T01:00:00Z")):
        runs.append(
            RunStarted(
                id=number, time=time, processor=EVIL, jobs=2, dask=False, papers=["toy"], due=7,
                expected_seconds=1200.0, of_unknown_length=3,
            )
        )  # fmt: skip
    runs.append(RunEnded(id="b", time="2026-01-01T01:30:00Z", ending="finished", written=4, failed=0, left=0))


def test_comparison_is_kept_and_shown_with_its_runs_the_killed_one_too(
    paper: Paper, stores: tuple[Store, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    assert "not been computed a second time" in recomputed_page(RECOMPUTED.read())
    here, there = stores
    fill(here, [noisy(0)])
    compute_again(there, [noisy(0)], 1.5)
    log(tmp_path / "again")
    found = compare_folders([noisy(0)], here, tmp_path / "again")
    assert [(run.recorded, run.seconds) for run in found.runs] == [(1, 0.0), (4, 1800.0)]
    RECOMPUTED.write(found)
    page = recomputed_page(RECOMPUTED.read())
    for words in ("Every metric that differs (1)", noisy(0).key, "10 min", "30 min", "killed", "noisy"):
        assert words in page
    assert "<script" not in page


def test_parts_of_a_second_computation_are_put_together_unit_by_unit(
    paper: Paper, stores: tuple[Store, Store], tmp_path: Path
) -> None:
    here, _ = stores
    units: list[UnitParameters] = [noisy(seed) for seed in range(4)]
    fill(here, units)
    parts = []
    for number, (own, factor) in enumerate(((units[:2], 1.5), (units[1:3], 1.0))):
        book = tmp_path / f"part{number}" / "book"
        book.mkdir(parents=True)
        compute_again(new_store(book), own, factor)
        log(tmp_path / f"part{number}")
        parts.append(compare_folders(units, here, tmp_path / f"part{number}"))
    whole = parts[0].updated(parts[1], units)
    (tally,) = whole.tallies
    assert tally.outcomes == dict(zip([unit.key for unit in units], ["differs", "equal", "equal"], strict=False))
    assert (tally.here, tally.there, tally.twice, tally.agree) == (4, 3, 3, 2)
    # The second unit was computed again in the second part, where it is equal.
    assert [one.unit for one in whole.differences] == [units[0].key]
    # Both parts have the same log here: a run that is known is not shown twice.
    assert [run.began for run in whole.runs] == [run.began for run in parts[1].runs]
    assert whole.updated(parts[1], units) == whole


def test_units_that_have_left_the_collection_are_counted_no_more(
    paper: Paper, stores: tuple[Store, Store], tmp_path: Path
) -> None:
    here, there = stores
    units: list[UnitParameters] = [noisy(seed) for seed in range(3)]
    fill(here, units)
    compute_again(there, units, 1.5)
    before = compare_folders(units, here, tmp_path / "again")
    left = units[1:]
    whole = before.updated(compare_folders(left, here, tmp_path / "again"), left)
    (tally,) = whole.tallies
    assert (tally.here, tally.there) == (2, 2)
    assert {one.unit for one in whole.differences} == {unit.key for unit in left}


def test_arrays_that_are_others_are_not_equal_to_the_last_bit(paper: Paper, stores: tuple[Store, Store]) -> None:
    for number, store in enumerate(stores):
        put(store, noisy(0), {"mae": 1.0}, arrays={"error": np.full(3, number)}, seconds=1.0 + number)
    (tally,), differences = compare_records([noisy(0)], *stores)
    assert (tally.twice, tally.equal, tally.agree) == (1, 0, 1)
    assert differences == []


def test_folder_without_records_and_a_kept_file_that_is_none_are_named(
    paper: Paper, stores: tuple[Store, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    for empty in ("nowhere", "again"):
        with pytest.raises(RecordError, match=empty):
            compare_folders([noisy(0)], stores[0], tmp_path / empty)
    RECOMPUTED.path().parent.mkdir(exist_ok=True)
    RECOMPUTED.path().write_text("{}")
    with pytest.raises(RecordError, match=r"recomputed\.json"):
        RECOMPUTED.read()


def test_collection_held_against_itself_is_one_computation() -> None:
    ran = CliRunner().invoke(app, ["compare", str(PROJECT)])
    assert ran.exit_code == 0, ran.output
    counts = re.findall(
        r": (\d+) here, (\d+) there, (\d+) computed once and taken over, (\d+) computed twice", ran.output
    )
    assert len(counts) > 20
    for here, there, taken, twice in counts:
        assert here == there == taken
        assert twice == "0"
    assert "differs" not in ran.output


def test_lines_that_cannot_be_read_are_named_and_not_compared(tmp_path: Path) -> None:
    name = "naufal2023/price_facts.jsonl"
    path = tmp_path / "again" / "book" / "records" / name
    path.parent.mkdir(parents=True)
    *lines, last = (PROJECT / "book" / "records" / name).read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, last[: len(last) // 2]]), encoding="utf-8")
    ran = CliRunner().invoke(app, ["compare", str(tmp_path / "again")])
    assert ran.exit_code == 0, ran.output
    (told,) = [line for line in ran.output.splitlines() if line.startswith("not compared")]
    assert f"{path}:{len(lines) + 1}" in told
    assert not path.with_suffix(".jsonl.damaged").exists()


def test_differences_are_told_by_the_exit_status_and_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = tmp_path / "again"
    (again / "book" / "records" / "naufal2023").mkdir(parents=True)
    name = "records/naufal2023/price_facts.jsonl"
    text = (PROJECT / "book" / name).read_text(encoding="utf-8")
    changed = re.sub(r'("metrics":{"\w+":)[^,}]*', r"\g<1>1234.5", text.replace('"seconds":', '"seconds":1'))
    assert changed != text
    (again / "book" / name).write_text(changed, encoding="utf-8")
    kept = tmp_path / "recomputed.json"
    monkeypatch.setattr(type(RECOMPUTED), "path", lambda self: kept)
    ran = CliRunner().invoke(app, ["compare", str(again), "--keep"])
    assert ran.exit_code == 1
    assert "metrics differ" in ran.output
    assert kept.is_file()
