"""Where the collection keeps its files."""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path:
    """Return the folder that holds ``book`` and ``notebooks`` (``$REPRODUCE_ROOT`` overrides it)."""
    configured = os.environ.get("REPRODUCE_ROOT")
    return Path(configured) if configured else Path(__file__).resolve().parents[1]


def claims_folder() -> Path:
    """Return the folder of the claims files."""
    return root() / "book" / "claims"


def records_folder() -> Path:
    """Return the folder of the collection's own records (profile ``full`` only)."""
    return root() / "book" / "records"


def artifacts_folder() -> Path:
    """Return the folder of the collection's own arrays."""
    return root() / "book" / "artifacts"


def user_folder() -> Path:
    """Return the user's own folder, for units of the other profiles (``$REPRODUCE_HOME``)."""
    configured = os.environ.get("REPRODUCE_HOME")
    if configured:
        return Path(configured)
    import platformdirs

    return platformdirs.user_data_path("reproduce")


def cache_folder() -> Path:
    """Return the folder of what can be had again: downloads and compiled programs (``$REPRODUCE_CACHE``)."""
    configured = os.environ.get("REPRODUCE_CACHE")
    if configured:
        return Path(configured)
    import platformdirs

    return platformdirs.user_cache_path("reproduce")


def data_cache() -> Path:
    """Return the folder that downloaded data files are kept in."""
    return cache_folder() / "data"


def program_cache() -> Path:
    """Return the folder that compiled programs are kept in."""
    return cache_folder() / "programs"


def run_log() -> Path:
    """Return the file that says which runs made the collection's own records, and how long they took."""
    return records_folder() / "runs.jsonl"
