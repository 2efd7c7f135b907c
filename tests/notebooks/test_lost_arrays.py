"""A page shows what it can where the arrays that units kept are gone or altered."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from reproduce_lib.collection import rebuilt
from reproduce_lib.notebook_execution.runner import execute_notebook
from tests.support import PROJECT


@pytest.mark.slow
@pytest.mark.parametrize("paper", rebuilt())
def test_page_without_any_array_has_its_verdicts_all_the_same(
    paper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    shutil.copytree(PROJECT / "book", root / "book", ignore=shutil.ignore_patterns("papers", "_generated", "*.lock"))
    shutil.copy(PROJECT / "CITATION.cff", root)
    arrays = sorted((root / "book" / "artifacts" / paper).glob("*.npz"))
    for path in arrays[::2]:
        path.write_bytes(b"junk")
    for path in arrays[1::2]:
        path.unlink()
    monkeypatch.setenv("REPRODUCE_ROOT", str(root))
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    run = execute_notebook(PROJECT / "notebooks" / f"{paper}.ipynb", tmp_path / "out" / "page.ipynb", {})
    text = nbformat.writes(nbformat.read(run.output, as_version=4))
    assert "rr-verdict" in text
