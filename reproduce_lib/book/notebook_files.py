"""Reading a notebook from either half of a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reproduce_lib.errors import RunError


def read_notebook(path: Path) -> Any:
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
