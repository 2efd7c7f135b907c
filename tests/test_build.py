"""What the build refuses before it executes anything: halves of a pair that are no notebook, or not one another's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reproduce_lib.book import rendering
from reproduce_lib.book.build import check_pages
from reproduce_lib.book.rendering import render
from reproduce_lib.errors import RunError
from tests.support import PROJECT

KEY = "naufal2023"


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of notebooks of a root that has the papers' pairs and claims."""
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(PROJECT / "book" / "claims", tmp_path / "book" / "claims")
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    return tmp_path / "notebooks"


def refusal() -> str:
    with pytest.raises(RunError) as error:
        check_pages()
    return str(error.value)


def test_the_pairs_as_they_are_are_built(notebooks: Path) -> None:
    check_pages()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
    ],
)
def test_notebook_that_is_none_is_named(notebooks: Path, content: bytes) -> None:
    (notebooks / f"{KEY}.ipynb").write_bytes(content)
    assert f"{notebooks / KEY}.ipynb is no notebook" in refusal()


@pytest.mark.parametrize("ending", ["md", "ipynb"])
def test_half_of_a_pair_that_is_missing_or_cut_is_named(notebooks: Path, ending: str) -> None:
    path = notebooks / f"{KEY}.{ending}"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert f"{KEY}.{ending}" in refusal()
    path.unlink()
    assert f"{path} cannot be read" in refusal()


def caption(metadata: dict[str, Any]) -> None:
    metadata["mystnb"]["figure"]["caption"] += " More."


def alt(metadata: dict[str, Any]) -> None:
    metadata["mystnb"]["image"]["alt"] += " More."


def tags(metadata: dict[str, Any]) -> None:
    metadata["tags"].remove("headline-figure")


@pytest.mark.parametrize("change", [caption, alt, tags])
def test_metadata_that_only_one_half_has_are_refused(notebooks: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = notebooks / f"{KEY}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    (number,) = [i for i, c in enumerate(notebook["cells"]) if "headline-figure" in c["metadata"].get("tags", [])]
    change(notebook["cells"][number]["metadata"])
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert f"{KEY}.md: " in refusal()
    assert f"cells: {number};" in refusal()


def test_what_an_editor_writes_into_a_notebook_alone_is_no_difference(notebooks: Path) -> None:
    path = notebooks / f"{KEY}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][3]["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    check_pages()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the first of two pages of a root that has the book's own configuration and nothing else of it."""
    root = tmp_path / "root"
    shutil.copytree(PROJECT / "book" / "_static", root / "book" / "_static")
    (root / "book" / "_generated" / "static").mkdir(parents=True)
    shutil.copy(PROJECT / "book" / "references.bib", root / "book")
    shutil.copy(PROJECT / "_config.yml", root)
    (root / "book" / "more.md").write_text("# Another page\n", encoding="utf-8")
    contents = "format: jb-book\nroot: book/index\nparts: [{caption: More, chapters: [{file: book/more}]}]\n"
    (root / "_toc.yml").write_text(contents, encoding="utf-8")
    monkeypatch.setenv("REPRODUCE_ROOT", str(root))
    monkeypatch.setattr(rendering, "rebuilt", list)
    return root / "book" / "index.md"


def test_page_without_a_warning_is_rendered(index: Path) -> None:
    index.write_text("(here)=\n# A page\n\nSee {ref}`here`.\n", encoding="utf-8")
    assert render("").parent.joinpath("book", "index.html").is_file()


def test_page_of_which_sphinx_warns_is_not_rendered_and_what_is_wrong_is_named(index: Path) -> None:
    index.write_text("# A page\n\nSee {ref}`no-such-place`.\n", encoding="utf-8")
    with pytest.raises(RunError, match="no-such-place"):
        render("")
