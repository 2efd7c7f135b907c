from __future__ import annotations

import pytest

from reproduce_lib.errors import ParameterError
from reproduce_lib.option_values import Grid, read_address, read_grid, read_seconds, read_values
from tests.support import NoisyParameters


def test_values_are_read_as_json_where_they_are_json() -> None:
    read = read_values(["rate=1e-4", "seed=3", "model=lstm", "text='1'", "keep=true", "equation=a=b", "empty="])
    assert read == {
        "rate": 1e-4, "seed": 3, "model": "lstm", "text": "'1'", "keep": True, "equation": "a=b", "empty": "",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "=", "=1", "seed"])
def test_text_without_a_name_or_an_equals_sign_is_named(text: str) -> None:
    with pytest.raises(ParameterError, match="NAME=VALUE") as error:
        read_values(["seed=1", text])
    assert repr(text) in str(error.value)
    assert "seed=1" not in str(error.value)


def test_brackets_without_end_are_a_text() -> None:
    assert read_values(["seed=" + "[" * 100_000]) == {"seed": "[" * 100_000}


def test_grid_is_every_combination_and_counts_them_without_making_them() -> None:
    grid = read_grid(["model=all", "share=x", "rate=0.1,0.2"], NoisyParameters)
    assert grid.values == {"model": ("a", "b", "c"), "share": ["x"], "rate": [0.1, 0.2]}
    found = list(grid.combinations())
    assert len(found) == grid.count == 6
    assert found[:2] == [{"model": "a", "share": "x", "rate": 0.1}, {"model": "a", "share": "x", "rate": 0.2}]
    assert Grid({str(number): range(100) for number in range(50)}).count == 100**50
    assert list(read_grid([], NoisyParameters).combinations()) == [{}]


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["model"], ["'model'", "NAME=VALUE"]),
        (["model="], ["'model='"]),
        (["=a"], ["'=a'"]),
        (["model=a", "model=b"], ["model"]),
        (["rate=all"], ["rate", "model", "share"]),
    ],
)
def test_grid_that_is_none_is_refused(texts: list[str], named: list[str]) -> None:
    with pytest.raises(ParameterError) as error:
        read_grid(texts, NoisyParameters)
    assert all(word in str(error.value) for word in named)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), (" 3m ", 180.0), ("1.5h", 5400.0)])
def test_span_of_time_is_read_in_seconds(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "m", "3 m", "-3m", "0s", "1.h", "3d", "٣m", "3m3s"])
def test_what_is_no_span_of_time_is_named(text: str) -> None:
    with pytest.raises(ParameterError) as error:
        read_seconds(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:8786", "tls://cluster:8786", "tcp://[::1]:8786"])
def test_address_of_a_scheduler_is_taken_as_it_is(text: str) -> None:
    assert read_address(text) == text


@pytest.mark.parametrize(
    "text",
    ["foo", "cluster:8786", "tcp://cluster", "tcp://:8786", "foo://cluster:8786", "tcp://cluster:99999", "tcp://[:1"],
)
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(ParameterError) as error:
        read_address(text)
    assert repr(text) in str(error.value)
