"""Building the book: execute the notebooks, write the scoreboard, render the pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reproduce_lib import paths
from reproduce_lib.book.claims_index import claims_page, downloads_page
from reproduce_lib.book.data_page import data_tables
from reproduce_lib.book.exports import write_exports
from reproduce_lib.book.faults_page import FAULTS, counts_page
from reproduce_lib.book.lessons import TOPICS, lesson_list, origins_table
from reproduce_lib.book.page_checks import output_problems, page_problems, pair_problems
from reproduce_lib.book.recomputed import RECOMPUTED, ends_of_units, recomputed_page
from reproduce_lib.book.run_history import history, runs_page
from reproduce_lib.book.scoreboard import bound_texts, entry_of, scoreboard_page, scoreboard_text
from reproduce_lib.book.speed import BENCHMARKS, results_page
from reproduce_lib.book.verdict_examples import examples_page
from reproduce_lib.claims import load_claims
from reproduce_lib.collection import every_unit, rebuilt
from reproduce_lib.data.registry import data_files
from reproduce_lib.errors import RunError
from reproduce_lib.execution.run_log import RunLog
from reproduce_lib.execution.study import store_for
from reproduce_lib.figures.collection import collection_figure, collection_section
from reproduce_lib.files import write_whole
from reproduce_lib.notebook_execution.runner import execute_notebook
from reproduce_lib.selection import comparison_of
from reproduce_lib.tables import table
from reproduce_lib.tolerances import METRICS

# Where an executed notebook with other parameters says which ones.
VARIED = "varied"
# Where what readers take away is written, below what is generated.
DOWNLOADS = "downloads"
COLAB = "https://colab.research.google.com"


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
    generated = paths.root() / "book" / "_generated"
    for entry in entries.values():
        if entry.figure is not None:
            write_whole(generated / "static" / f"{entry.key}.svg", entry.figure.svg.encode())
    write_exports(comparisons, generated / DOWNLOADS)
    write_whole(generated / "scoreboard.md", scoreboard_page(entries).encode())
    write_whole(generated / "collection.html", collection_figure(comparisons).encode())
    write_whole(generated / "collection.md", collection_section(comparisons, "_generated/collection.html").encode())
    write_whole(generated / "claims.md", claims_page(comparisons).encode())
    write_whole(generated / "half-widths.md", _half_widths().encode())
    write_whole(generated / "examples.md", examples_page(comparisons).encode())
    bound = {key: bound_texts(page_path(key), "markdown") for key in entries}
    for topic in TOPICS:
        write_whole(generated / f"lesson-{topic}.md", lesson_list(topic, bound).encode())
    write_whole(generated / "origins.md", f"{origins_table(comparisons)}\n".encode())
    write_whole(generated / "downloads.md", downloads_page(comparisons, f"book/_generated/{DOWNLOADS}").encode())
    write_whole(generated / "data.md", data_tables(data_files()).encode())
    write_whole(generated / "benchmarks.md", results_page(BENCHMARKS.read()).encode())
    write_whole(generated / "faults.md", counts_page(FAULTS.read()).encode())
    write_whole(generated / "recomputed.md", recomputed_page(RECOMPUTED.read()).encode())
    runs = history(RunLog(paths.run_log()).runs(), ends_of_units(every_unit(), store_for("full")))
    write_whole(generated / "runs.md", runs_page(runs).encode())
    index = _render(repository_url)
    if failures:
        raise RunError("\n".join([*failures, f"their last good pages are shown in {index}"]))
    return Book(index, scoreboard_text(entries))


def check_pages() -> None:
    """Raise `RunError` with everything that a paper's page must not be like, and with a half of a pair that is none."""
    problems = [f"notebooks/{paper}.md: {problem}" for paper in rebuilt() for problem in _page_problems(paper)]
    if problems:
        raise RunError("\n".join(problems))


def _page_problems(paper: str) -> list[str]:
    text, notebook = _read(notebook_source(paper)), _read(notebook_path(paper))
    return pair_problems(text, notebook) or page_problems(notebook, load_claims(paper))


def _check_outputs() -> None:
    problems = [
        f"notebooks/{paper}.md: {problem}"
        for paper in rebuilt()
        for problem in output_problems(_read(page_path(paper)))
    ]
    if problems:
        raise RunError("\n".join(problems))


def _read(path: Path) -> Any:
    """Return a notebook from either half of a pair, or raise `RunError` with the file and what is wrong with it."""
    import jupytext
    import nbformat

    try:
        notebook = jupytext.read(path)
        nbformat.validate(notebook)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # each format, and each version of it, is read by code of its own
        raise RunError(f"{path} is no notebook: {type(error).__name__}: {error}") from error
    return notebook


def notebook_path(paper: str) -> Path:
    """Return a paper's source notebook."""
    return paths.root() / "notebooks" / f"{paper}.ipynb"


def notebook_source(paper: str) -> Path:
    """Return the half of a paper's notebook pair that people edit."""
    return notebook_path(paper).with_suffix(".md")


def page_path(paper: str) -> Path:
    """Return where a paper's executed notebook is rendered from."""
    return paths.root() / "book" / "papers" / f"{paper}.ipynb"


def variants_folder() -> Path:
    """Return where the notebooks executed with other parameters are rendered from."""
    return paths.root() / "book" / "papers" / "variants"


def _render(repository_url: str) -> Path:
    build = paths.root() / "_build"
    for folder in ("html", ".doctrees", "jupyter_execute"):
        shutil.rmtree(build / folder, ignore_errors=True)
    config = _config(repository_url, build / "_config.yml")
    contents = _contents(build / "_toc.yml")
    program = "from jupyter_book.cli.main import main; main()"
    files = ["--config", str(config), "--toc", str(contents)]
    command = [sys.executable, "-c", program, "build", str(paths.root()), *files, "-W", "-q"]
    # Sphinx runs in a process of its own: it changes global state, and its warnings are ours to judge.
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    index = build / "html" / "index.html"
    if done.returncode or not index.is_file():
        raise RunError(f"jupyter-book ended with status {done.returncode}:\n{_complaints(done.stdout + done.stderr)}")
    return index


def _config(repository_url: str, target: Path) -> Path:
    """Write the configuration of this build: the root's, with launch buttons where a repository is known."""
    config = yaml.safe_load((paths.root() / "_config.yml").read_text(encoding="utf-8"))
    if repository_url:
        # Jupyter Book would put these into the theme's options itself, if the root's did not replace its own.
        config["sphinx"]["config"]["html_theme_options"] |= {
            "repository_url": repository_url,
            "repository_branch": "main",
            "use_repository_button": True,
            "launch_buttons": {
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
                "colab_url": COLAB if _repositories() == {repository_url} else "",
            },
        }
    write_whole(target, yaml.safe_dump(config, allow_unicode=True, sort_keys=False).encode())
    return target


def _repositories() -> set[str]:
    """Return the repositories that the notebooks name: opened alone, as by Colab, a notebook needs the right one."""
    named = re.compile(r'^_repository = "(.*)"$', re.MULTILINE)
    return {address for paper in rebuilt() for address in named.findall(notebook_source(paper).read_text("utf-8"))}


def _contents(target: Path) -> Path:
    """Write the table of contents of this build: the root's, with each paper's variants below the paper."""
    contents = yaml.safe_load((paths.root() / "_toc.yml").read_text(encoding="utf-8"))
    papers = {_in_the_book(page_path(paper)): paper for paper in rebuilt()}
    for chapter in (chapter for part in contents["parts"] for chapter in part["chapters"]):
        if chapter["file"] in papers and (sections := _variants(papers[chapter["file"]])):
            chapter["sections"] = sections
    write_whole(target, yaml.safe_dump(contents, allow_unicode=True, sort_keys=False).encode())
    return target


def _variants(paper: str) -> list[dict[str, str]]:
    """Return the entries of a paper's executed variants, each under what it varies: the paper stands above."""
    pages = sorted(variants_folder().glob(f"{paper}--*.ipynb"))
    varied = [_read(page).metadata.get(VARIED, page.stem) for page in pages]
    return [{"file": _in_the_book(page), "title": title} for page, title in zip(pages, varied, strict=True)]


def _in_the_book(page: Path) -> str:
    return page.relative_to(paths.root()).as_posix()


def _half_widths() -> str:
    """Return how wide an interval of each score may be and still carry a verdict."""
    header = ["Score", "Widest half-width of the interval that carries a verdict"]
    rows = [
        (one.label, f"{one.half_width:.0%} of the printed value" if one.relative else f"{one.half_width:g}")
        for one in METRICS.values()
        if one.half_width
    ]
    return f"{table(header, rows, caption='Verdict half-widths', numeric=1)}\n"


def _complaints(output: str, lines: int = 20) -> str:
    """Return the warnings and errors that Sphinx printed, or the end of its output where it named none."""
    found = [line for line in output.splitlines() if re.search(r"warning|error", line, re.IGNORECASE)]
    return "\n".join((found or output.splitlines())[-lines:])
