"""Unit keys, random streams, and what parameters refuse."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from reproduce_lib.errors import ParameterError
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.units import Experiment, Paper, UnitParameters, UnitResult

PROJECT = Path(__file__).resolve().parents[1]


class Toy(UnitParameters):
    paper: ClassVar[str] = "toy2020"
    experiment: ClassVar[str] = "fits"

    window: Literal[1, 30] = 30
    rate: float = Field(default=0.5, gt=0, le=1)
    note: str = ""
    shuffle: bool = True


class OtherToy(Toy):
    experiment: ClassVar[str] = "other_fits"


TOY_IDENTITY = (
    '{"backend":"none","experiment":"fits","note":"","paper":"toy2020","profile":"full",'
    '"rate":0.5,"seed":0,"shuffle":true,"window":30}'
)
OTHER_VALUES: dict[str, Any] = {
    "profile": "smoke", "backend": "jax", "seed": 1, "window": 1, "rate": 0.25, "note": "a", "shuffle": False,
}  # fmt: skip
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "profile": st.sampled_from(["smoke", "full", "custom"]),
        "backend": st.sampled_from(["tensorflow", "jax", "none"]),
        "seed": st.integers(0, 2**40),
        "window": st.sampled_from([1, 30]),
        "rate": st.floats(0, 1, exclude_min=True),
        "note": st.text(),
        "shuffle": st.booleans(),
    },
)


def test_key_is_the_digest_of_the_canonical_json() -> None:
    assert Toy().key == hashlib.sha256(TOY_IDENTITY.encode()).hexdigest()[:16]


def test_key_of_the_papers_first_network_is_the_one_that_is_recorded() -> None:
    assert NetworkParameters(ticker="TSLA", window=1, model="lstm").key == "32b0cffb0f124de6"


@pytest.mark.parametrize("path", sorted((PROJECT / "book" / "records").glob("*/*.jsonl")), ids=lambda path: path.stem)
def test_every_recorded_unit_has_the_key_of_its_parameters(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    units = [unit for unit in map(json.loads, lines) if unit["kind"] == "unit"]
    place = {"paper": path.parent.name, "experiment": path.stem}
    for unit in units:
        text = json.dumps({**unit["parameters"], **place}, sort_keys=True, separators=(",", ":"))
        assert unit["key"] == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert units


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({}, "seed 0"),
        ({"seed": 7}, "seed 7"),
        ({"window": 30, "rate": 0.5}, "seed 0"),
        ({"seed": 2, "window": 1, "note": "odd", "shuffle": False}, "window 1 odd shuffle False seed 2"),
    ],
)
def test_label_is_what_differs_from_the_defaults_and_the_seed_once(values: dict[str, Any], label: str) -> None:
    assert Toy.of(**values).label == label


def test_defaults_are_part_of_the_key_whether_written_or_not() -> None:
    assert Toy.of(window=30, rate=0.5, seed=0, profile="full").key == Toy.of().key


def test_whole_number_given_for_a_real_one_is_the_same_parameter() -> None:
    assert Toy.of(rate=1).key == Toy.of(rate=1.0).key


@pytest.mark.parametrize(("given_value", "window"), [(30.0, 30), (1.0, 1), (True, 1)])
def test_a_choice_that_is_equal_but_of_another_type_makes_no_other_unit(given_value: Any, window: int) -> None:
    try:
        unit = Toy.of(window=given_value)
    except ParameterError as refusal:
        assert "window" in str(refusal)
    else:
        assert (type(unit.window), unit.key) == (int, Toy.of(window=window).key)


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_each_parameter_changes_the_key(name: str) -> None:
    assert Toy.of(**{name: OTHER_VALUES[name]}).key != Toy.of().key


def test_the_list_of_parameters_above_is_complete() -> None:
    assert set(OTHER_VALUES) == set(Toy.model_fields)


def test_experiment_is_part_of_the_key() -> None:
    assert OtherToy.of().key != Toy.of().key


@given(VALUES, VALUES)
def test_two_units_share_a_key_exactly_when_they_share_all_parameters(one: dict[str, Any], two: dict[str, Any]) -> None:
    first, second = Toy.of(**one), Toy.of(**two)
    assert (first.key == second.key) == (first.model_dump() == second.model_dump())


@given(VALUES)
def test_a_unit_survives_the_way_through_json(values: dict[str, Any]) -> None:
    unit = Toy.of(**values)
    again = Toy.of(**json.loads(json.dumps(unit.model_dump(mode="json"))))
    assert (again, again.key) == (unit, unit.key)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"windw": 30}, ["windw", "window", "seed", "profile"]),
        ({"window": 7}, ["window", "7", "1", "30"]),
        ({"window": "30"}, ["window", "'30'", "1", "30"]),
        ({"profile": "fast"}, ["profile", "fast", "smoke", "full", "custom"]),
        ({"backend": "torch"}, ["backend", "torch", "tensorflow", "jax", "none"]),
        ({"seed": -1}, ["seed", "-1", "0"]),
        ({"seed": "0"}, ["seed", "'0'"]),
        ({"seed": 1.0}, ["seed", "1.0"]),
        ({"seed": True}, ["seed", "True"]),
        ({"rate": 0.0}, ["rate", "0.0"]),
        ({"rate": 1.5}, ["rate", "1.5", "1"]),
        ({"rate": "1e-4"}, ["rate", "1e-4"]),
        ({"rate": float("nan")}, ["rate", "nan"]),
        ({"shuffle": 1}, ["shuffle", "1"]),
        ({"shuffle": "true"}, ["shuffle", "true"]),
        ({"note": None}, ["note", "None"]),
        ({"window": 7, "ticker": "X"}, ["window", "7", "ticker"]),
    ],
)
def test_wrong_parameter_is_refused_by_name_with_what_is_allowed(values: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ParameterError) as refusal:
        Toy.of(**values)
    assert [word for word in named if word not in str(refusal.value)] == []


def test_changed_copy_is_checked_again_and_leaves_the_original() -> None:
    unit = Toy.of(seed=3)
    assert unit.with_values(window=1) == Toy.of(seed=3, window=1)
    assert unit == Toy.of(seed=3)
    with pytest.raises(ParameterError, match="window"):
        unit.with_values(window=2)
    with pytest.raises(ParameterError, match="ticker"):
        unit.with_values(ticker="GOOG")


def test_a_unit_cannot_be_changed_in_place() -> None:
    unit = Toy.of()
    with pytest.raises(ValueError, match="window"):
        unit.window = 1  # type: ignore[misc]
    assert unit.window == 30


def test_random_seeds_come_from_one_seed_sequence_over_the_key() -> None:
    digest = hashlib.sha256(TOY_IDENTITY.encode()).digest()[:8]
    expected = np.random.SeedSequence(int.from_bytes(digest, "big")).generate_state(4)
    assert Toy.of().random_seeds(4) == expected.tolist()


def test_random_seeds_are_the_same_each_time_and_differ_within_and_between_units() -> None:
    streams = [Toy.of(seed=seed).random_seeds(5) for seed in range(20)]
    assert streams == [Toy.of(seed=seed).random_seeds(5) for seed in range(20)]
    everything = [number for stream in streams for number in stream]
    assert len(set(everything)) == 100
    assert all(0 <= number < 2**32 for number in everything)


def toy_paper(*units: Toy) -> Paper:
    def run(unit: Toy) -> UnitResult:
        return UnitResult({"mae": 1.0}, 1)

    experiments = (
        Experiment(Toy, run, lambda: units, lambda: ()),
        Experiment(OtherToy, run, lambda: [OtherToy()], lambda: ()),
    )
    return Paper("toy2020", {one.name: one for one in experiments}, lambda unit: None, "toy")


def test_unknown_experiment_is_refused_with_the_known_ones() -> None:
    paper = toy_paper()
    assert paper.experiment("other_fits").parameters is OtherToy
    with pytest.raises(ParameterError, match=r"fitz.*fits.*other_fits"):
        paper.experiment("fitz")


def test_full_units_are_each_listed_once_in_order() -> None:
    one, two = Toy(seed=1), Toy(seed=2)
    assert toy_paper(two, one, two).full_units() == [two, one, OtherToy()]
