"""What our own code is warned of is an error, in tests and in all that they start; workers: see ``test_pool.py``."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from reproduce_lib.book import rendering
from reproduce_lib.errors import RunError
from reproduce_lib.notebook_execution.runner import NotebookError, execute_notebook
from tests.python_path import path_with
from tests.support import PROJECT, write_notebook


@pytest.mark.parametrize("package", ["reproduce_lib", "benchmarks"])
@pytest.mark.parametrize("category", [DeprecationWarning, PendingDeprecationWarning, FutureWarning])
def test_what_our_own_code_is_warned_of_fails_a_test(package: str, category: type[Warning]) -> None:
    def warn(module: str) -> None:
        warnings.warn_explicit("it will go", category, "module.py", 1, module=module)

    with pytest.raises(category, match="it will go"):
        warn(f"{package}.module")
    # What others' code does is theirs to mend.
    with pytest.warns(category, match="it will go"):
        warn("another.module")


THEIRS = """
import warnings
warnings.warn_explicit("theirs will go", {0}, "their.py", 1, module="their")
"""
OWN = """
def old():
    warnings.warn("ours will go", {0}, stacklevel=2)
old()
"""


@pytest.mark.parametrize("category", ["DeprecationWarning", pytest.param("FutureWarning", marks=pytest.mark.slow)])
def test_cell_that_is_warned_of_what_will_go_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, category: str
) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    source = write_notebook(tmp_path / "in" / "n.ipynb", THEIRS.format(category), OWN.format(category))
    with pytest.raises(NotebookError) as failed:
        execute_notebook(source, tmp_path / "out.ipynb", {})
    assert str(failed.value.failure) == f"failed in cell 2: {category}: ours will go"


@pytest.fixture
def small_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a book of two pages, rendered with a copy of the package."""
    shutil.copytree(PROJECT / "reproduce_lib", tmp_path / "reproduce_lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("index", "page"):
        (tmp_path / f"{name}.md").write_text(f"# The {name}\n\nIts text.\n", encoding="utf-8")
    contents = "{format: jb-book, root: index, parts: [{chapters: [{file: page}]}]}"
    (tmp_path / "_toc.yml").write_text(contents, encoding="utf-8")
    extensions = "{extra_extensions: [reproduce_lib.book.sphinx_pages]}"
    (tmp_path / "_config.yml").write_text(f"{{title: A book, only_build_toc_files: true, sphinx: {extensions}}}")
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", path_with(tmp_path))
    monkeypatch.chdir(tmp_path)  # a program of one line looks for modules here first
    monkeypatch.setattr(rendering, "rebuilt", lambda: [])
    return tmp_path


@pytest.mark.slow
@pytest.mark.book
def test_extension_of_the_book_that_is_warned_of_what_will_go_fails_the_build(small_book: Path) -> None:
    assert rendering.render("").is_file()
    extension = small_book / "reproduce_lib" / "book" / "sphinx_pages.py"
    code = extension.read_text(encoding="utf-8")
    calls = """
    import warnings
    from sphinx.deprecation import RemovedInNextVersionWarning

    warnings.warn_explicit("theirs will go", RemovedInNextVersionWarning, "their.py", 1, module="their")
    warnings.warn("ours will go", RemovedInNextVersionWarning, stacklevel=1)
"""
    begin = "    if page.startswith(EXECUTED):\n"
    assert code.count(begin) == 1
    extension.write_text(code.replace(begin, calls + begin), encoding="utf-8")
    with pytest.raises(RunError, match="ours will go"):
        rendering.render("")
