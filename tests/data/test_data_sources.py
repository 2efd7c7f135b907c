"""Bytes come from the mirror, the cache or a server, in this order, and are the pinned ones or none."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib import paths
from reproduce_lib.data import sources
from reproduce_lib.data.download import Limits
from reproduce_lib.data.registry import DataFile, data_file
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError

RIGHT = b"Date,Close\n2022-10-03,242.4\n" * 40
NAME = "prices/toy.csv"
PAGE = "/toy.csv"


def pinned(**changes: Any) -> DataFile:
    values: dict[str, Any] = {
        "name": NAME, "sha256": hashlib.sha256(RIGHT).hexdigest(), "bytes": len(RIGHT), "licence": "MIT",
        "source": "a test", "coverage": "none", "url": "http://127.0.0.1:9/toy.csv", "project": "", "version": "",
        "archive": "", "archive_sha256": "", "member": "",
    }  # fmt: skip
    return DataFile(**{**values, **changes})


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror"
    monkeypatch.setenv("REPRODUCE_DATA", str(folder))
    return folder / NAME


@pytest.fixture
def cached() -> Path:
    return paths.data_cache() / NAME


@pytest.fixture(autouse=True)
def only_the_toy_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register one file that nobody serves; no mirror, and the network allowed."""
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    monkeypatch.delenv("REPRODUCE_OFFLINE", raising=False)
    register(monkeypatch, pinned())
    monkeypatch.setattr(sources, "Limits", partial(Limits, first_wait=0.01))


def register(monkeypatch: pytest.MonkeyPatch, entry: DataFile) -> None:
    monkeypatch.setattr(sources, "data_file", {entry.name: entry}.__getitem__)


@pytest.fixture
def served(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve the right bytes at the pinned address."""
    site.pages[PAGE] = RIGHT
    register(monkeypatch, pinned(url=site.url + PAGE))
    return site


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def everything_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_mirror_comes_first_then_the_cache_then_the_server(mirror: Path, cached: Path, served: Any) -> None:
    assert sources.local_path(pinned()) == (cached, "not here")
    assert sources.read(NAME) == RIGHT
    assert sources.local_path(pinned()) == (cached, "cache")
    assert sources.read(NAME) == RIGHT
    assert served.asked == [PAGE]
    put(mirror, RIGHT)
    assert sources.local_path(pinned()) == (mirror, "mirror")
    cached.unlink()
    assert sources.read(NAME) == RIGHT
    assert not cached.exists()
    assert served.asked == [PAGE]


def test_mirror_that_lacks_the_file_is_passed_over(mirror: Path, cached: Path) -> None:
    mirror.parent.mkdir(parents=True)
    put(cached, RIGHT)
    assert sources.read(NAME) == RIGHT


WRONG = {
    "edited": RIGHT.replace(b"242.4", b"242.5", 1),
    "cut": RIGHT[:-1],
    "empty": b"",
    "longer": RIGHT + b"\n",
    "other line ends": RIGHT.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("place", ["mirror", "cache"])
def test_wrong_file_is_refused_by_path_and_never_replaced_silently(
    mirror: Path, cached: Path, served: Any, place: str, data: bytes
) -> None:
    path = put({"mirror": mirror, "cache": cached}[place], data)
    with pytest.raises(DataError) as refusal:
        sources.read(NAME)
    assert not isinstance(refusal.value, MissingDataError)
    expected = [str(path), NAME, hashlib.sha256(data).hexdigest()[:16], pinned().sha256[:16], str(len(data))]
    assert [word for word in expected if word not in str(refusal.value)] == []
    assert path.read_bytes() == data
    assert served.asked == []


@settings(max_examples=50)
@given(st.integers(0, len(RIGHT) - 1), st.integers(1, 255))
def test_no_single_changed_byte_passes(tmp_path_factory: pytest.TempPathFactory, place: int, change: int) -> None:
    changed = RIGHT[:place] + bytes([RIGHT[place] ^ change]) + RIGHT[place + 1 :]
    folder = tmp_path_factory.getbasetemp() / "changed"
    put(folder / NAME, changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRODUCE_DATA", str(folder))
        with pytest.raises(DataError):
            sources.read(NAME)
        put(folder / NAME, RIGHT)
        assert sources.read(NAME) == RIGHT


@pytest.mark.parametrize("how", ["variable", "argument"])
def test_missing_file_without_network_names_itself_and_every_way_to_get_it(
    served: Any, cached: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    with pytest.raises(MissingDataError) as refusal:
        sources.read(NAME, network=how == "variable")
    for way in (NAME, "REPRODUCE_DATA", str(cached), served.url + PAGE):
        assert way in str(refusal.value)
    assert served.asked == []


def test_missing_file_of_a_package_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, pinned(url="", project="toydata"))
    with pytest.raises(MissingDataError, match=r"toy\.csv.*toydata"):
        sources.read(NAME, network=False)


def test_offline_is_no_hindrance_when_the_file_is_here(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    put(mirror, RIGHT)
    assert sources.read(NAME) == sources.read(NAME, network=False) == RIGHT


def test_download_is_kept_in_the_cache_alone_and_read_from_there(served: Any, cached: Path) -> None:
    assert sources.read(NAME) == RIGHT
    assert everything_in(paths.data_cache()) == [cached]
    served.pages.clear()
    assert sources.read(NAME) == RIGHT


def test_two_that_fetch_one_file_at_the_same_moment_both_get_it(
    served: Any, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read = threading.Barrier(2)
    verified = sources._verified

    def verified_together(data: bytes, *where: Any) -> bytes:
        both_have_read.wait(timeout=20)
        return verified(data, *where)

    monkeypatch.setattr(sources, "_verified", verified_together)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(sources.read, [NAME, NAME])) == [RIGHT, RIGHT]
    assert everything_in(paths.data_cache()) == [cached]


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_wrong_download_is_refused_and_leaves_nothing_in_the_cache(served: Any, data: bytes) -> None:
    served.pages[PAGE] = data
    with pytest.raises(DataError) as refusal:
        sources.read(NAME)
    assert NAME in str(refusal.value)
    assert served.url + PAGE in str(refusal.value)
    assert everything_in(paths.data_cache()) == []
    served.pages[PAGE] = RIGHT
    assert sources.read(NAME) == RIGHT


def test_download_that_breaks_off_is_refused_and_leaves_nothing_in_the_cache(served: Any) -> None:
    served.pages[PAGE] = RIGHT[: len(RIGHT) // 2]
    served.promised[PAGE] = len(RIGHT)
    with pytest.raises(DataError, match=r"toy\.csv"):
        sources.read(NAME)
    assert everything_in(paths.data_cache()) == []


def test_page_that_is_gone_and_server_that_is_gone_are_missing_data(
    served: Any, unreachable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del served.pages[PAGE]
    with pytest.raises(MissingDataError, match="404"):
        sources.read(NAME)
    register(monkeypatch, pinned(url=unreachable + PAGE))
    with pytest.raises(MissingDataError, match=r"REPRODUCE_DATA"):
        sources.read(NAME)


def test_server_that_does_not_answer_in_time_is_missing_data(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "Limits", partial(Limits, read_timeout=0.1, attempts=2, first_wait=0.01))
    served.delay = 1.5
    with pytest.raises(MissingDataError, match=r"toy\.csv"):
        sources.read(NAME)
    assert everything_in(paths.data_cache()) == []


def test_cache_that_cannot_be_written_is_one_clear_error(served: Any) -> None:
    put(paths.data_cache(), b"a file where the folder should be")
    with pytest.raises(DataError, match=r"toy\.csv"):
        sources.read(NAME)


def test_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "data_file", data_file)
    with pytest.raises(DataError, match="no_such_file"):
        sources.read("no_such_file")
