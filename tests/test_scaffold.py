"""A new paper that `reproduce new` adds works at once, and a refused one leaves nothing behind."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

from reproduce_lib import collection
from reproduce_lib.book.page_checks import page_problems
from reproduce_lib.claims import load_claims
from reproduce_lib.errors import ParameterError
from reproduce_lib.scaffold import add_paper
from tests.python_path import path_with
from tests.support import PROJECT

# Neither is the example of the documents, which may stand in a collection already; the second is added to a whole copy.
KEY, TITLE = "brahe1602", "Stars: a thousand places"
ADDED = "galilei1610"
# Tests that go through the papers of the collection, whichever it has; those of tests/book need a Chromium.
OF_THE_COLLECTION = (
    "tests/test_scoreboard.py",
    "tests/test_page_parts.py",
    "tests/test_page_checks.py",
    "tests/test_exports.py",
    "tests/test_lessons.py",
    "tests/test_claims.py",
    "tests/test_closure.py",
    "tests/test_cli.py",
    "tests/test_build.py",
    "tests/test_pruning.py",
    "tests/test_scaffold.py",
    "tests/notebooks/test_pairs.py",
    "tests/book/test_collection_pages.py",
    "tests/book/test_paper_pages.py",
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the lists that a paper is put into."""
    for name in ("book/references.bib", "reproduce_lib/collection.py", "_toc.yml"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, target)
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    return tmp_path


def everything(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def titles(root: Path) -> dict[str, str]:
    tree = ast.parse((root / "reproduce_lib" / "collection.py").read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TITLES"]
    read: dict[str, str] = ast.literal_eval(found.value)
    return read


def test_every_place_knows_the_new_paper_and_nothing_else_changes(root: Path) -> None:
    before = everything(root)
    written = {path.relative_to(root).as_posix() for path in add_paper(KEY, TITLE)}
    after = everything(root)
    assert {name for name in after if after[name] != before.get(name)} == written
    assert list(titles(root).items()) == [*collection.TITLES.items(), (KEY, TITLE)]
    chapters = [
        chapter["file"]
        for part in yaml.safe_load((root / "_toc.yml").read_text("utf-8"))["parts"]
        for chapter in part["chapters"]
    ]
    known = yaml.safe_load((PROJECT / "_toc.yml").read_text("utf-8"))["parts"]
    place = max(i for i, name in enumerate(chapters) if "papers/" in name)
    assert chapters[place] == f"book/papers/{KEY}.ipynb"
    assert [*chapters[:place], *chapters[place + 1 :]] == [one["file"] for part in known for one in part["chapters"]]
    assert f"@misc{{{KEY}," in (root / "book" / "references.bib").read_text(encoding="utf-8")


def test_claims_and_notebooks_are_valid_as_written(root: Path) -> None:
    add_paper(KEY, TITLE)
    claims = load_claims(KEY)
    assert (claims.paper, claims.title) == (KEY, TITLE)
    notebook = nbformat.read(root / "notebooks" / f"{KEY}.ipynb", as_version=4)
    assert page_problems(notebook, claims) == []
    source, pair = (jupytext.read(root / "notebooks" / f"{KEY}.{ending}") for ending in ("md", "ipynb"))
    assert [cell.source for cell in source.cells] == [cell.source for cell in pair.cells]
    assert [cell.metadata["tags"] for cell in pair.cells if "parameters" in cell.metadata.get("tags", [])]


@pytest.mark.parametrize(
    "key",
    ["", "Brahe1602", "brahe", "1602", "brahe1602ab", "../brahe1602", "bra he1602", "brahe١٦٠٢", "li2021"],
)
def test_what_is_no_key_or_is_taken_is_refused_and_nothing_is_written(root: Path, key: str) -> None:
    before = everything(root)
    with pytest.raises(ParameterError):
        add_paper(key, TITLE)
    assert everything(root) == before


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "a $key", "{{ x }}", "back\\slash"])
def test_a_title_that_cannot_stand_in_the_lists_is_refused(root: Path, title: str) -> None:
    before = everything(root)
    with pytest.raises(ParameterError):
        add_paper(KEY, title)
    assert everything(root) == before


@pytest.mark.parametrize("title", ['It\'s "quoted"', "Größe: 50 % <b>", "# no comment"])
def test_a_strange_title_is_kept_as_it_is(root: Path, title: str) -> None:
    add_paper(KEY, title)
    assert titles(root)[KEY] == title
    assert load_claims(KEY).title == title
    ast.parse((root / "reproduce_lib" / "papers" / f"{KEY}.py").read_text(encoding="utf-8"))


def test_a_file_that_is_there_is_never_overwritten(root: Path) -> None:
    own = root / "tests" / f"test_papers_{KEY}.py"
    own.parent.mkdir()
    own.write_text("mine", encoding="utf-8")
    before = everything(root)
    with pytest.raises(ParameterError, match=own.name):
        add_paper(KEY, TITLE)
    assert everything(root) == before


def test_a_folder_that_is_no_copy_of_the_project_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    with pytest.raises(ParameterError, match="REPRODUCE_ROOT"):
        add_paper(KEY, TITLE)


@pytest.mark.parametrize("name", ["_toc.yml", "book/references.bib", "reproduce_lib/collection.py"])
def test_a_list_that_is_missing_is_named_and_nothing_is_written(root: Path, name: str) -> None:
    (root / name).unlink()
    before = everything(root)
    with pytest.raises(ParameterError, match=re.escape(Path(name).name)):
        add_paper(KEY, TITLE)
    assert everything(root) == before


def test_contents_without_any_paper_are_named_and_nothing_is_written(root: Path) -> None:
    (root / "_toc.yml").write_text("root: book/index\n", encoding="utf-8")
    before = everything(root)
    with pytest.raises(ParameterError, match=r"_toc\.yml"):
        add_paper(KEY, TITLE)
    assert everything(root) == before


@pytest.mark.slow
@pytest.mark.book
@pytest.mark.timeout(3600)  # it builds two books, and runs most of the tests a second time
def test_the_new_paper_runs_is_tested_linted_and_stands_in_the_book(tmp_path: Path) -> None:
    root = tmp_path / "project"
    left_out = shutil.ignore_patterns("_build", "_generated", ".git", "*cache*", "*.egg-info", ".venv")
    shutil.copytree(PROJECT, root, ignore=left_out)
    environment = {
        **os.environ,
        "PYTHONPATH": path_with(root),
        "REPRODUCE_ROOT": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run("reproduce_lib", "new", ADDED, "--title", TITLE)
    run("ruff", "check", "reproduce_lib", "tests")
    run("ruff", "format", "--check", "reproduce_lib", "tests")
    run("mypy")
    run("reproduce_lib", "run", ADDED)
    run("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"tests/test_papers_{ADDED}.py", *OF_THE_COLLECTION)
    assert TITLE in run("reproduce_lib", "list")
    board = run("reproduce_lib", "book")
    assert ADDED in board
    page = (root / "_build" / "html" / "book" / "papers" / f"{ADDED}.html").read_text(encoding="utf-8")
    assert f'id="{ADDED}.t1.model.mae"' in page
    assert "not tested" in page
