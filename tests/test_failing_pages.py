"""A book of which a notebook fails: the old page stays, the others are rendered, and the command says what failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import CliRunner

from reproduce_lib.book import build
from reproduce_lib.book.build import build_book
from reproduce_lib.book.places import page_path
from reproduce_lib.cli import app
from reproduce_lib.errors import RunError
from tests.support import copy_of_the_project, write_notebook

BROKEN, SOUND = "naufal2023", "zhang2023"
OLD = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# The old page")]))
PARAMETERS = "execute = 'recorded'\njobs = 1\nkeep_figures = False"


class Rendered(list[str]):
    """Stands in for Jupyter Book: remembers which pages it was given."""

    def __call__(self, repository_url: str) -> Path:
        self[:] = sorted(path.stem for path in page_path(BROKEN).parent.glob("*.ipynb"))
        return Path("index.html")


@pytest.fixture
def rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rendered:
    """Return what was rendered of a collection of two papers, of which the first has a notebook that fails."""
    copy_of_the_project(tmp_path)
    for paper, code in ((BROKEN, "raise ValueError('spoiled')"), (SOUND, "print('sound')")):
        source = write_notebook(tmp_path / "notebooks" / f"{paper}.ipynb", code)
        notebook: Any = nbformat.read(source, as_version=4)
        notebook.cells[0].source = PARAMETERS
        nbformat.write(notebook, source)
    found = Rendered()
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    monkeypatch.setattr(build, "rebuilt", lambda: [BROKEN, SOUND])
    monkeypatch.setattr(build, "check_pages", lambda: None)  # two cells are no page of a paper
    monkeypatch.setattr(build, "render", found)
    return found


def write_old_page() -> Path:
    page = page_path(BROKEN)
    page.parent.mkdir(parents=True)
    page.write_text(OLD, encoding="utf-8")
    return page


def test_page_of_the_last_success_stays_and_the_others_are_new(rendered: Rendered) -> None:
    old = write_old_page()
    with pytest.raises(RunError, match="spoiled") as failed:
        build_book({})
    assert BROKEN in str(failed.value)
    assert "their last good pages are shown in index.html" in str(failed.value)
    assert SOUND not in str(failed.value)
    assert old.read_text(encoding="utf-8") == OLD
    assert nbformat.read(page_path(SOUND), as_version=4).cells[1].outputs[0].text == "sound\n"
    assert rendered == [BROKEN, SOUND]


@pytest.mark.slow
@pytest.mark.book
def test_without_a_page_of_an_earlier_success_nothing_is_rendered(rendered: Rendered) -> None:
    with pytest.raises(RunError, match="spoiled") as failed:
        build_book({})
    assert f"no page to show for {BROKEN}; the book is not rendered" in str(failed.value)
    assert not page_path(BROKEN).exists()
    assert page_path(SOUND).is_file()
    assert rendered == []


@pytest.mark.slow
@pytest.mark.book
@pytest.mark.parametrize("has_old_page", [True, False])
def test_command_ends_with_what_failed_and_tells_of_no_finished_book(rendered: Rendered, has_old_page: bool) -> None:
    if has_old_page:
        write_old_page()
    ran = CliRunner().invoke(app, ["book"])
    assert ran.exit_code == 1
    assert "error: " in ran.stderr
    assert "spoiled" in ran.stderr
    assert ran.stdout == ""
