"""What `reproduce data` says of the pinned files: where each is, a folder of many as one; what is missing or wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reproduce_lib import paths
from reproduce_lib.data import sources
from reproduce_lib.data.registry import DataFile
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError
from reproduce_lib.folders import MANY_FILES, by_folder


@dataclass(frozen=True)
class Found:
    """A pinned file as it is on this machine: its path, if it is here, and why it is not, or not the pinned one."""

    entry: DataFile
    path: Path | None
    error: DataError | None = None


def find(entry: DataFile, *, fetch: bool, check: bool) -> Found:
    """Look for a file; fetch it if it is not here and ``fetch``, take its SHA-256 if it is here and ``check``."""
    error = None
    if check if _path(entry) else fetch:
        try:
            sources.read(entry.name)
        except DataError as caught:
            error = caught
    return Found(entry, _path(entry), error)


def listing(folder: str, files: Sequence[Found]) -> str:
    """Return where the files of one folder are, what they are, and their licences."""
    if len(files) <= MANY_FILES:
        return "\n".join(map(_one, files))
    entries = [one.entry for one in files]
    places = Counter(one.path.parent if one.path else "not here" for one in files)
    where = "; ".join(f"{count} {place if place == 'not here' else f'in {place}'}" for place, count in places.items())
    size = sum(entry.bytes for entry in entries)
    origins, licences = (dict.fromkeys(getattr(one, name) for one in entries) for name in ("source", "licence"))
    about = f"{', '.join(origins)}; licence: {', '.join(licences)}"
    return f"{folder}: {len(files)} files, {size:,} bytes\n    {where}\n    {about}"


def complaints(files: Sequence[Found]) -> str:
    """Return which files could not be had, and how to get them, and which are wrong; nothing if all is well."""
    wrong = [str(one.error) for one in files if one.error and not isinstance(one.error, MissingDataError)]
    missing = {one.entry.name: one.error.reason for one in files if isinstance(one.error, MissingDataError)}
    return "\n".join([*wrong, *_missing(missing), *([how_to_get()] if missing else [])])


def how_to_get() -> str:
    """Return every way to files that are not here."""
    return (
        "What is not here: set REPRODUCE_DATA to a folder that holds the files under these names, put them into "
        f"{paths.data_cache()}, or let reproduce data --fetch get them from the addresses and packages that "
        "reproduce_lib/data/registry.csv names."
    )


def _missing(reasons: dict[str, str]) -> Iterator[str]:
    for folder, names in by_folder(reasons).items():
        if len(names) > MANY_FILES:
            yield f"{folder}: {len(names)} files are not on this machine ({names[0]}: {reasons[names[0]]})"
        else:
            yield from (f"{name} is not on this machine ({reasons[name]})" for name in names)


def _path(entry: DataFile) -> Path | None:
    path, place = sources.local_path(entry)
    return None if place == "not here" else path


def _one(found: Found) -> str:
    entry = found.entry
    about = f"{entry.source}; {entry.coverage}; licence: {entry.licence}"
    return f"{entry.name}\n    {found.path or 'not here'}\n    {about}"
