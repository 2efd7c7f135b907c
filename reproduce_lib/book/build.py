"""Building the book: execute the notebooks, generate what pages include, render the pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproduce_lib.book.generated import write_generated
from reproduce_lib.book.notebook_files import read_notebook
from reproduce_lib.book.page_checks import output_problems, page_problems, pair_problems
from reproduce_lib.book.places import notebook_path, notebook_source, page_path
from reproduce_lib.book.rendering import render
from reproduce_lib.book.scoreboard import entry_of, scoreboard_text
from reproduce_lib.claims import load_claims
from reproduce_lib.collection import rebuilt
from reproduce_lib.errors import RunError
from reproduce_lib.notebook_execution.runner import execute_notebook
from reproduce_lib.selection import comparison_of


@dataclass(frozen=True)
class Book:
    """A built book: its first page, and the scoreboard as text."""

    index: Path
    scoreboard: str


def build_book(parameters: dict[str, Any], *, repository_url: str = "") -> Book:
    """Execute every paper's notebook and render the book from clean.

    A notebook that fails leaves the page of its last success in place; the book is still rendered, so
    that the other pages are seen, and the failures are raised at the end.

    Raises
    ------
    RunError
        With what is wrong with a page, with every notebook that failed, or with what Jupyter Book said.
    """
    check_pages()
    failures = []
    for paper in rebuilt():
        try:
            execute_notebook(notebook_path(paper), page_path(paper), parameters)
        except RunError as error:
            failures.append(str(error))
    absent = [paper for paper in rebuilt() if not page_path(paper).is_file()]
    if absent:
        raise RunError("\n".join([*failures, f"no page to show for {', '.join(absent)}; the book is not rendered"]))
    _check_outputs()
    comparisons = list(map(comparison_of, rebuilt()))
    entries = {one.claims.paper: entry_of(one, page_path(one.claims.paper)) for one in comparisons}
    write_generated(comparisons, entries)
    index = render(repository_url)
    if failures:
        raise RunError("\n".join([*failures, f"their last good pages are shown in {index}"]))
    return Book(index, scoreboard_text(entries))


def check_pages() -> None:
    """Raise `RunError` with everything that a paper's page must not be like, and with a half of a pair that is none."""
    problems = [f"notebooks/{paper}.md: {problem}" for paper in rebuilt() for problem in _page_problems(paper)]
    if problems:
        raise RunError("\n".join(problems))


def _page_problems(paper: str) -> list[str]:
    text, notebook = read_notebook(notebook_source(paper)), read_notebook(notebook_path(paper))
    return pair_problems(text, notebook) or page_problems(notebook, load_claims(paper))


def _check_outputs() -> None:
    problems = [
        f"notebooks/{paper}.md: {problem}"
        for paper in rebuilt()
        for problem in output_problems(read_notebook(page_path(paper)))
    ]
    if problems:
        raise RunError("\n".join(problems))
