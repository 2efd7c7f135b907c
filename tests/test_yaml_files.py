from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from reproduce_lib.errors import ClaimError
from reproduce_lib.yaml_files import MOST_VALUES, UniqueKeys, problems, read_yaml


class Toy(BaseModel):
    numbers: list[int]


def read(folder: Path, text: str) -> Any:
    (folder / "toy.yaml").write_text(text, encoding="utf-8")
    return read_yaml(folder / "toy.yaml", UniqueKeys, ClaimError)


def wrong(numbers: list[Any], **names: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Toy.model_validate({"numbers": numbers})
    return problems(error.value, **names)


def test_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &a {x: [1, 2]}\nb: *a\n") == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}}


def test_as_many_values_as_a_file_may_hold_are_read_whether_written_out_or_not(tmp_path: Path) -> None:
    thousand, again = f"- &a [{'1, ' * 1000}]\n", "- *a\n"
    most = (MOST_VALUES - 1) // 1001
    assert len(read(tmp_path, thousand + again * (most - 1))) == most
    with pytest.raises(ClaimError, match=str(MOST_VALUES)):
        read(tmp_path, thousand + again * most)


@pytest.mark.parametrize("text", ["? [1]\n: 2\n", "? {a: 1}\n: 2\n", "a: 1\na: 2\n", "1: 1\n1: 2\n"])
def test_key_that_is_no_single_value_or_stands_twice_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ClaimError, match=r"toy\.yaml is no YAML: .*line [12]"):
        read(tmp_path, text)


def test_first_problems_are_told_with_their_places_and_the_others_counted() -> None:
    said = wrong([1, *"abcdefg"])
    assert [f"numbers > {number}: " in said for number in range(8)] == [False, *[True] * 5, False, False]
    assert said.endswith("and 2 more")
    assert "more" not in wrong([*"abcde"])


def test_places_are_named_as_asked_for_and_long_values_are_cut() -> None:
    said = wrong(["x" * 1000], name=lambda place: ["the number", place[1]])
    assert said.startswith("the number > 0: ")
    assert len(said) < 200
