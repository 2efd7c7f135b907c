"""Each command line that a document shows means something: its options, ids, parameters and targets are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
import papermill.cli
import pytest
import typer

from reproduce_lib.book.grid import load_grid, select
from reproduce_lib.book.places import notebook_path
from reproduce_lib.claims import load_claims
from reproduce_lib.cli import app
from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.option_values import read_address, read_grid, read_seconds, read_values
from reproduce_lib.scaffold import KEY
from reproduce_lib.units import UnitParameters
from tests.support import PROJECT

DOCUMENTS = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((PROJECT / "book").glob("*.md")),
    *sorted((PROJECT / "notebooks").glob("*.md")),
]
PROGRAMS = ("reproduce", "papermill", "make")
# Stands for what a reader is to put in, and for a paper that the same document adds.
ANY_PAPER = "naufal2023"
PLACEHOLDERS = {"<key>": ANY_PAPER, "<paper>": ANY_PAPER}
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_SETTING = re.compile(r"[A-Za-z_]+=.*")


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words of each command line in the blocks of a document and in the code within its prose."""
    for info, block in _FENCE.findall(text):
        if not info.startswith("{code-cell}"):
            yield from _commands_of(block.replace("\\\n", " ").splitlines())
    yield from _commands_of(words.replace("\n", " ") for words in _INLINE.findall(_FENCE.sub("", text)))


def _commands_of(lines: Any) -> Iterator[list[str]]:
    for line in lines:
        with suppress(ValueError):  # a quotation mark that stands alone: no command line
            split = shlex.split(line, comments=True)
            for is_end, part in groupby(split, lambda word: word in ("&&", "|", ";")):
                words = [PLACEHOLDERS.get(word, word) for word in part]
                while words and _SETTING.fullmatch(words[0]):
                    del words[0]
                # A program's name alone is a word of a sentence.
                if not is_end and len(words) > 1 and words[0] in PROGRAMS:
                    yield words


def check(words: list[str]) -> None:
    """Raise if a command line would be refused, or would select nothing."""
    program, *arguments = words
    {"reproduce": _check_reproduce, "papermill": _check_papermill, "make": _check_make}[program](arguments)


def _check_reproduce(arguments: list[str]) -> None:
    group: Any = typer.main.get_command(app)
    with group.make_context("reproduce", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        given = command.make_context(name, rest, parent=context).params
    if name == "new":
        assert KEY.fullmatch(given["key"]), f"{given['key']} is no key of a paper"
        return
    if given.get("paper"):
        load_paper(given["paper"])
    _check_values(given)
    if name == "sweep":
        _check_sweep(given)
    elif name == "notebook":
        _check_page(notebook_path(given["paper"]), read_values(given["parameters"] or []))
    elif name == "notebooks":
        select(load_grid(PROJECT / "notebooks" / "grid.yaml"), given["only"] or [])
    else:
        _check_selection(given)


def _check_values(given: dict[str, Any]) -> None:
    if given.get("budget"):
        read_seconds(given["budget"])
    if given.get("dask"):
        read_address(given["dask"])


def _check_sweep(given: dict[str, Any]) -> None:
    paper = load_paper(given["paper"])
    parameters = paper.experiment(given["experiment"] or paper.main).parameters
    for values in read_grid(given["grid"] or [], parameters).combinations():
        parameters.of(profile=given["profile"], seed=0, **values)


def _check_selection(given: dict[str, Any]) -> None:
    """Ask for what units are selected by, without their records: what `selection.select_units` asks for."""
    papers = [given["paper"]] if given.get("paper") else rebuilt()
    if claim := given.get("claim"):
        ids = [one.id for paper in papers for one in load_claims(paper).claims]
        assert any(f"{one}.".startswith(f"{claim}.") for one in ids), f"no claim is {claim}"
    if experiment := given.get("experiment"):
        assert any(experiment in load_paper(paper).experiments for paper in papers), f"no experiment is {experiment}"
    if where := read_values(given.get("where") or []):
        found = (unit for paper in papers for unit in _units(paper))
        assert any(all(getattr(unit, name, None) == value for name, value in where.items()) for unit in found), where


@cache
def _units(paper: str) -> list[UnitParameters]:
    return load_paper(paper).full_units()


def _check_papermill(arguments: list[str]) -> None:
    given = papermill.cli.papermill.make_context("papermill", list(arguments)).params
    source = PROJECT / given["notebook_path"]
    assert source.is_file(), f"{source} is not there"
    _check_page(source, {name: papermill.cli._resolve_type(value) for name, value in given["parameters"]})


def _check_page(source: Path, given: dict[str, Any]) -> None:
    """Run the two cells of a notebook that define its parameters and read them, and nothing else of it."""
    cells = nbformat.read(source, as_version=4).cells
    (defined,) = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    (read,) = [cell.source for cell in cells if "read_parameters(" in cell.source]
    names: dict[str, Any] = {}
    exec(defined, names)  # our own notebooks
    exec(read, names | given)


def _check_make(arguments: list[str]) -> None:
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for word in arguments:
        known = rf"^{word.partition('=')[0]} *[?:]?=" if "=" in word else rf"^{re.escape(word)}:"
        assert re.search(known, text, re.MULTILINE), f"the Makefile has no {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_command_of_a_document_would_be_taken(document: Path) -> None:
    commands = list(commands_in(document.read_text(encoding="utf-8")))
    added = {words[2] for words in commands if words[:2] == ["reproduce", "new"]}
    for words in commands:
        is_new = words[:2] == ["reproduce", "new"]
        try:
            check(words if is_new else [ANY_PAPER if word in added else word for word in words])
        except (Exception, SystemExit) as error:
            raise AssertionError(f"{document.name}: {shlex.join(words)}: {error}") from error


def test_commands_are_found_wherever_they_stand() -> None:
    found = {path.name: list(commands_in(path.read_text(encoding="utf-8"))) for path in DOCUMENTS}
    assert {"README.md", "CONTRIBUTING.md", "rerun.md", "add-a-paper.md", "speed.md"} <= {
        name for name, commands in found.items() if commands
    }
    assert all(found[f"{paper}.md"] for paper in rebuilt())
    every = [words for commands in found.values() for words in commands]
    assert {words[0] for words in every} == set(PROGRAMS)
    assert {words[1] for words in every if words[0] == "reproduce"} >= {
        command.name or ""
        for command in typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    }
    text = (
        "Say `make\nbook`.\n\n```bash\nA=1 reproduce run a \\\n  --jobs 2  # why\n```\n\n```{code-cell}\nmake x\n```\n"
    )
    assert list(commands_in(text)) == [["reproduce", "run", "a", "--jobs", "2"], ["make", "book"]]
    assert list(commands_in("`reproduce` and `make`, `a reproduce b`, `make lint && reproduce list`")) == [
        ["make", "lint"],
        ["reproduce", "list"],
    ]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("reproduce lst", "lst"),
        ("reproduce list --all", "--all"),
        ("reproduce verify nobody2020", "nobody2020"),
        ("reproduce verify naufal2023 --sample none", "integer"),
        ("reproduce verify naufal2023 --budget long", "long"),
        ("reproduce verify naufal2023 --claim naufal2023.t3.goog.lstm", ""),
        ("reproduce verify naufal2023 --claim naufal2023.t3.goog.ls", "goog.ls"),
        ("reproduce verify naufal2023 --claim asma2024.t1", "asma2024.t1"),
        ("reproduce verify naufal2023 --where ticker=GOOG", ""),
        ("reproduce verify naufal2023 --where ticker=XYZ", "XYZ"),
        ("reproduce verify naufal2023 --where tickr=GOOG", "tickr"),
        ("reproduce run --all --experiment nothing", "nothing"),
        ("reproduce run --all --dask HOST", "HOST"),
        ("reproduce sweep naufal2023 --grid ticker=XYZ", "XYZ"),
        ("reproduce sweep naufal2023 --grid tickr=all", "tickr"),
        ("reproduce new Kepler --title a", "Kepler"),
        ("reproduce notebook naufal2023 -p window=30", "output"),
        ("reproduce notebook naufal2023 -o a.ipynb -p window=many", "window"),
        ("reproduce notebook naufal2023 -o a.ipynb -p windoe=30", "windoe"),
        ("reproduce notebooks --only nobody", "nobody"),
        ("papermill notebooks/nobody.ipynb out.ipynb", "nobody"),
        ("papermill notebooks/naufal2023.ipynb out.ipynb -p ticker XYZ", "XYZ"),
        ("papermill notebooks/naufal2023.ipynb out.ipynb -p tickr GOOG", "tickr"),
        ("papermill notebooks/naufal2023.ipynb out.ipynb --paramters a b", "paramters"),
        ("make tests", "tests"),
        ("make book PYTON=python3.12", "PYTON"),
        ("make book PYTHON=python3.12", ""),
    ],
)
def test_a_command_that_is_wrong_in_one_word_is_refused(wrong: str, named: str) -> None:
    (words,) = commands_in(f"`{wrong}`")
    if not named:  # as it is right
        check(words)
        return
    with pytest.raises(Exception, match=re.escape(named)):
        check(words)
