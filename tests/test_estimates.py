"""What is told, from recorded seconds, of how long units will take."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib.execution import environment
from reproduce_lib.execution.estimates import expected_seconds
from reproduce_lib.records import Context, Record
from reproduce_lib.store import Store
from reproduce_lib.units import UnitParameters
from tests.support import HERE, PlainParameters, new_store, put

ELSEWHERE = ("another processor", HERE[1])
GPU = ("NVIDIA H200 with " + HERE[0], HERE[1])


class TimedParameters(UnitParameters):
    """Parameters of every kind that a paper has."""

    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "timed"

    backend: Literal["jax", "tensorflow", "jax_gpu", "none"] = "jax"
    window: Literal[1, 30] = 1
    shuffle: bool = True
    rate: float = 0.1
    epochs: int = 30
    model: str = "lstm"


def timed(seed: int = 0, **values: Any) -> TimedParameters:
    return TimedParameters.of(seed=seed, **values)


@pytest.fixture(autouse=True)
def this_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "processor", lambda: HERE[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def took(store: Store, seconds: float, unit: UnitParameters, **options: Any) -> None:
    put(store, unit, {"mae": 1.0}, seconds=seconds, **options)


def test_nothing_recorded_tells_nothing(store: Store) -> None:
    assert expected_seconds([timed(), timed(1), PlainParameters.of()], [store]) == [None] * 3
    assert expected_seconds([timed()], []) == [None]
    assert expected_seconds([], [store]) == []


def test_other_seeds_of_equal_parameters_tell_their_mean(store: Store) -> None:
    for seed, seconds in enumerate((1.0, 2.0, 6.0)):
        took(store, seconds, timed(seed))
    took(store, 100.0, timed(window=30))
    assert expected_seconds([timed(99), timed(0)], [store]) == [3.0, 3.0]


def test_seed_and_profile_change_no_expectation(store: Store) -> None:
    took(store, 10.0, timed(0, profile="full"))
    took(store, 20.0, timed(1000, profile="smoke"))
    asked = [timed(seed, profile=profile) for seed in (0, 1, 1000) for profile in ("full", "smoke", "custom")]
    assert expected_seconds(asked, [store]) == [15.0] * 9


@pytest.mark.parametrize(
    ("name", "short", "long"),
    [
        ("window", 1, 30),
        ("shuffle", False, True),
        ("rate", 0.1, 0.2),
        ("epochs", 2, 30),
        ("model", "lstm", "cnn_lstm_gru"),
        ("backend", "jax", "tensorflow"),
    ],
)
def test_parameter_that_changes_the_time_is_learned_whatever_its_type(
    store: Store, name: str, short: Any, long: Any
) -> None:
    for seed in range(3):
        took(store, 2.0 + seed, timed(seed, **{name: short}))
        took(store, 50.0 + seed, timed(seed, **{name: long}))
    asked = [timed(7, **{name: long}), timed(7, **{name: short}), timed(8, **{name: long})]
    assert expected_seconds(asked, [store]) == [51.0, 3.0, 51.0]


def test_two_parameters_are_learned_together_and_an_unseen_value_takes_after_its_nearest(store: Store) -> None:
    for window, epochs in ((1, 2), (1, 20), (30, 2), (30, 20)):
        took(store, float(window * epochs), timed(window=window, epochs=epochs))
    asked = [timed(1, window=30, epochs=2), timed(1, window=1, epochs=20), timed(1, window=30, epochs=19)]
    assert expected_seconds(asked, [store]) == [60.0, 20.0, 600.0]
    assert expected_seconds([timed(window=1, epochs=3), timed(window=1, epochs=10_000)], [store]) == [2.0, 20.0]


def test_records_of_another_processor_tell_nothing(store: Store) -> None:
    took(store, 500.0, timed(0), environment=ELSEWHERE)
    assert expected_seconds([timed(1)], [store]) == [None]
    took(store, 4.0, timed(2))
    assert expected_seconds([timed(1), timed(0)], [store]) == [4.0, 4.0]


def test_gpu_of_this_machine_tells_of_itself_and_no_other_backend_does(store: Store) -> None:
    took(store, 3.0, timed(0, backend="jax_gpu"), environment=GPU)
    assert expected_seconds([timed(backend="jax_gpu"), timed(backend="jax")], [store]) == [3.0, None]
    took(store, 30.0, timed(0, backend="jax"))
    asked = [timed(1, backend=backend) for backend in ("jax", "jax_gpu", "tensorflow", "none")]
    assert expected_seconds(asked, [store]) == [30.0, 3.0, None, None]


def test_gpu_beside_another_processor_tells_nothing(store: Store) -> None:
    took(store, 3.0, timed(backend="jax_gpu"), environment=(f"NVIDIA H200 with {ELSEWHERE[0]}", HERE[1]))
    assert expected_seconds([timed(1, backend="jax_gpu")], [store]) == [None]


def test_experiments_tell_nothing_of_one_another_and_the_order_of_the_units_is_kept(store: Store) -> None:
    took(store, 7.0, PlainParameters.of(share="x"))
    assert expected_seconds([timed(), PlainParameters.of(share="y"), timed(1)], [store]) == [None, 7.0, None]
    took(store, 5.0, timed())
    assert expected_seconds([timed(), PlainParameters.of(share="y"), timed(1)], [store]) == [5.0, 7.0, 5.0]


def test_every_store_teaches(tmp_path: Path) -> None:
    one, two, empty = (new_store(tmp_path / name) for name in ("one", "two", "empty"))
    took(one, 10.0, timed(0))
    took(two, 20.0, timed(1))
    took(two, 90.0, timed(1, window=30))
    assert expected_seconds([timed(9), timed(9, window=30)], [empty, one]) == [10.0, 10.0]
    assert expected_seconds([timed(9), timed(9, window=30)], [one, empty, two]) == [15.0, 90.0]


def test_record_of_before_a_parameter_was_there_still_teaches(store: Store) -> None:
    context = Context.of(HERE[1], HERE[0], 1, {}, {})
    old = {"window": 1, "shuffle": True, "model": "lstm"}  # made before there was a choice of backends
    plain = PlainParameters.of()
    record = Record(
        key="0" * 16, parameters=old, metrics={}, n=1, seconds=8.0, time="2026-01-01T00:00:00Z", context=context.id
    )
    store.file("toy", "plain").append(context, record)
    assert expected_seconds([plain], [store]) == [8.0]


@given(st.lists(st.tuples(st.sampled_from([1, 30]), st.booleans(), st.floats(0.001, 1e5)), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_expectation_is_the_mean_of_equals_whatever_was_recorded(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[tuple[Any, bool, float]]
) -> None:
    store = new_store(tmp_path_factory.mktemp("store"))
    lengths: dict[tuple[int, bool], list[float]] = {}
    for seed, (window, shuffle, seconds) in enumerate(recorded):
        took(store, seconds, timed(seed, window=window, shuffle=shuffle))
        lengths.setdefault((window, shuffle), []).append(seconds)
    asked = [timed(999, window=window, shuffle=shuffle) for window, shuffle in lengths]
    assert expected_seconds(asked, [store]) == pytest.approx([sum(known) / len(known) for known in lengths.values()])
