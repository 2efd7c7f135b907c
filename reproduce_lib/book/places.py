"""Where a paper's notebook and its executed pages lie."""

from __future__ import annotations

from pathlib import Path

from reproduce_lib import paths


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
