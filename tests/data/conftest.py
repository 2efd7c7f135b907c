"""A web server on this machine, and pinned files that exist only in a test."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Site:
    """What the server answers: path -> bytes; ``promised`` overrides the announced length, ``delay`` waits first."""

    url: str
    pages: dict[str, bytes] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def add_package(self, project: str, archive: str, data: bytes, digest_of: bytes | None = None) -> None:
        """Offer an archive as a simple index does; without ``digest_of`` the page carries no digest."""
        fragment = f"#sha256={hashlib.sha256(digest_of).hexdigest()}" if digest_of is not None else ""
        self.links[archive] = f'<a href="/files/{archive}{fragment}">{archive}</a>'
        page = f"<!DOCTYPE html><html><body>{''.join(self.links.values())}</body></html>"
        self.pages[f"/index/{project}/"] = page.encode()
        self.pages[f"/files/{archive}"] = data


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve pages on a free port of this machine, which no proxy stands before."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            time.sleep(served.delay)
            page = served.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
            self.send_header("Content-Length", str(served.promised.get(self.path, len(page or b""))))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Site(f"http://127.0.0.1:{server.server_port}")
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield served
        server.shutdown()


@pytest.fixture
def unreachable() -> str:
    """Return an address at which nobody answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"
