"""Units are selected in the recorded set of a real paper; what a command prints of it is tested with the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from reproduce_lib.collection import load_paper
from reproduce_lib.errors import ClaimError, ParameterError
from reproduce_lib.option_values import read_values
from reproduce_lib.selection import Selection, comparison_of, select_units
from tests.support import copy_of_the_project

KEY, OTHER = "naufal2023", "asma2024"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    return copy_of_the_project(tmp_path)


def keys(papers: list[str], selection: Selection) -> set[str]:
    return {status.unit.key for status in select_units(papers, selection)}


def test_what_is_left_out_may_be_anything() -> None:
    assert keys([KEY], Selection()) >= {unit.key for unit in load_paper(KEY).full_units()}


def test_conditions_hold_together() -> None:
    units = [one.unit for one in select_units([KEY], Selection("networks", "naufal2023.t3.goog", {"seed": 1}))]
    assert units
    assert {(one.experiment, one.ticker, one.seed) for one in units} == {("networks", "GOOG", 1)}  # type: ignore[attr-defined]


def test_word_that_json_reads_as_something_else_is_a_value_too() -> None:
    found = select_units(["zhang2023"], Selection(where=read_values(["labels=true", "split=areas"])))
    assert {(one.unit.labels, one.unit.split) for one in found} == {("true", "areas")}  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match="labels"):
        select_units(["zhang2023"], Selection(where=read_values(["labels=false"])))


def test_beginning_of_an_id_ends_at_a_dot() -> None:
    whole = keys([KEY], Selection(claim="naufal2023.t3.goog.lstm.mae"))
    assert whole < keys([KEY], Selection(claim="naufal2023.t3.goog"))
    with pytest.raises(ParameterError, match=r"naufal2023\.t3\.goo'"):
        select_units([KEY], Selection(claim="naufal2023.t3.goo"))


def test_paper_in_which_a_selection_means_nothing_is_left_out_if_another_is_left() -> None:
    selection = Selection(where={"ticker": "GOOG"})
    assert keys([OTHER, KEY], selection) == keys([KEY], selection)
    with pytest.raises(ParameterError, match=OTHER):
        select_units([OTHER], selection)


def test_missing_claims_and_an_unknown_paper_are_told_apart(root: Path) -> None:
    with pytest.raises(ParameterError, match="nobody"):
        comparison_of("nobody")
    (root / "book" / "claims" / f"{KEY}.yaml").unlink()
    with pytest.raises(ClaimError, match=KEY):
        comparison_of(KEY)
