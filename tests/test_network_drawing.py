"""Drawings of networks: boxes counted by hand, every edge there, and what is kept is what the models are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from reproduce_lib.book.places import notebook_path
from reproduce_lib.collection import rebuilt
from reproduce_lib.errors import RecordError
from reproduce_lib.figures import network_drawing
from reproduce_lib.figures.network_drawing import Box, boxes_of, draw, drawings, kept_networks, read_networks
from tests.support import PROJECT, load_keras
from tests.test_tables import EVIL, Parsed


@pytest.fixture(scope="module")
def keras() -> Any:
    load_keras()
    import keras

    return keras


def box(words: str, *inputs: int, weights: int = 0) -> Box:
    return Box(words=words, shape="3", weights=weights, inputs=inputs)


@pytest.mark.slow
def test_boxes_of_a_branching_network(keras: Any) -> None:
    from keras import layers

    inputs = keras.Input((8, 2))
    first = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(4, 3, padding="same", use_bias=False)(inputs)))
    second = layers.Conv1D(4, 3, strides=2, padding="same", activation="relu")(first)
    back = layers.Dropout(0.25)(layers.Conv1DTranspose(4, 3, strides=2, padding="same")(second))
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(layers.Concatenate()([first, back]))))
    assert boxes_of(model) == [
        Box(words="input", shape="8 × 2", weights=0, inputs=()),
        Box(words="Conv1D 4 kernel 3, BatchNormalization, ReLU", shape="8 × 4", weights=24 + 8, inputs=(0,)),
        Box(words="Conv1D 4 kernel 3 stride 2 relu", shape="4 × 4", weights=52, inputs=(1,)),
        Box(words="Conv1DTranspose 4 kernel 3 stride 2, Dropout 0.25", shape="8 × 4", weights=52, inputs=(2,)),
        Box(words="Concatenate", shape="8 × 8", weights=0, inputs=(1, 3)),
        Box(words="Flatten", shape="64", weights=0, inputs=(4,)),
        Box(words="Dense 1", shape="1", weights=65, inputs=(5,)),
    ]


@pytest.mark.slow
def test_small_layer_that_two_others_look_at_has_a_box_of_its_own(keras: Any) -> None:
    from keras import layers

    inputs = keras.Input((4,))
    hidden = layers.Dense(3)(inputs)
    model = keras.Model(inputs, layers.Concatenate()([hidden, layers.ReLU()(hidden)]))
    assert [(one.words, one.inputs) for one in boxes_of(model)] == [
        ("input", ()), ("Dense 3", (0,)), ("ReLU", (1,)), ("Concatenate", (1, 2)),
    ]  # fmt: skip


@pytest.mark.slow
def test_sequential_network_begins_with_its_input(keras: Any) -> None:
    model = keras.Sequential([keras.Input((30, 1)), keras.layers.LSTM(5), keras.layers.Dense(1)])
    boxes = boxes_of(model)
    assert [one.words for one in boxes] == ["input", "LSTM 5 tanh", "Dense 1"]
    assert sum(one.weights for one in boxes) == model.count_params()


@pytest.mark.slow
@pytest.mark.book
@pytest.mark.parametrize("paper", rebuilt())
def test_what_is_kept_is_what_the_models_are(
    keras: Any, paper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run the page's own cell, with the imports of the page, in an empty folder."""
    notebook = nbformat.read(notebook_path(paper), as_version=4)
    (cell,) = [cell for cell in notebook.cells if "network_drawing.drawings(" in cell.source]
    imports = "\n".join(
        block
        for one in notebook.cells
        if one.cell_type == "code" and one is not cell
        for block in re.findall(
            r"^from reproduce_lib[^(\n]*(?:\([^)]*\))?$|^from functools .*$", one.source, re.MULTILINE
        )
    )
    names: dict[str, Any] = {}
    (setup,) = [one.source for one in notebook.cells if "= open_paper(" in one.source]
    constants = "\n".join(re.findall(r"^NAMES = \{[^}]*\}$", setup, re.MULTILINE))
    exec(f"{imports}\n{constants}", names)  # our own notebook's imports
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    names["claims"] = type("Claims", (), {"paper": paper})
    names["page"] = type("Page", (), {"settings": type("Settings", (), {"keep_figures": True})})
    names["display"] = lambda _: None
    exec(cell.source, names)
    assert read_networks(kept_networks(paper)) == read_networks(
        PROJECT / "book" / "artifacts" / paper / "networks.json"
    )


def test_every_edge_is_drawn_once() -> None:
    boxes = [box("a"), box("b", 0), box("c", 1), box("d", 0, 2), box("e", 1, 3)]
    drawn = draw("net", boxes)
    straight, bent = re.findall(r'd="M[\d.]+ [\d.]+V', drawn), re.findall(r'd="M[\d.]+ [\d.]+H', drawn)
    assert (len(straight), len(bent)) == (4, 2)
    assert drawn.count("<rect") == len(boxes)


def test_arcs_over_the_same_boxes_have_lanes_of_their_own() -> None:
    lanes = network_drawing._lanes([(0, 3), (1, 4), (5, 7), (2, 9), (3, 5)])
    for one, lane in lanes.items():
        for other in lanes:
            if one != other and one[0] < other[1] and other[0] < one[1]:
                assert lane != lanes[other]
    assert lanes[(5, 7)] == 1


def test_learning_boxes_are_told_apart_and_weights_added_up() -> None:
    drawn = draw("net", [box("a"), box("b", 0, weights=1200), box("c", 1, weights=34)])
    assert drawn.count("rr-learns") == 2
    assert "3 steps, 1,234 trainable weights" in Parsed(drawn).text


def test_no_word_of_a_network_becomes_markup() -> None:
    parsed = Parsed(draw(EVIL, [box(EVIL)]))
    assert not {"script", "img"} & set(parsed.tags)
    assert EVIL in parsed.text


def test_long_words_are_kept_inside_their_box() -> None:
    assert "textLength" in draw("net", [box("x" * 60)])
    assert "textLength" not in draw("net", [box("short")])


def test_network_that_was_never_kept_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    with pytest.raises(RecordError, match=r"no LSTM.*--keep-figures"):
        drawings("toy", {"LSTM": lambda: pytest.fail("nothing is built")}, keep=False)
