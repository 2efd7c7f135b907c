"""Files told folder by folder: one by one where they are few, as one where they are many."""

from __future__ import annotations

from collections.abc import Iterable

MANY_FILES = 20


def by_folder(names: Iterable[str]) -> dict[str, list[str]]:
    """Return folder -> names in it, both in the order in which they come."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    return folders
