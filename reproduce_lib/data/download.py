"""Bytes from servers that may be slow, broken or hostile: within limits of time and size, or an error.

A question is asked a few times, slower each time; whatever was received of an answer that broke off is thrown away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay, wait_exponential

if TYPE_CHECKING:
    import requests

ATTEMPTS = 5
# Seconds: of silence before and within an answer, between two questions, and of all together.
SILENCE = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
ALTOGETHER = 600.0
REDIRECTS = 5
# The server is busy or failing, and may not be in a moment.
PASSING = frozenset({408, 429, 500, 502, 503, 504})
_PIECE = 2**16


class DownloadError(OSError):
    """A server that cannot be reached, does not end, or sends more than it should."""


class _PassingError(DownloadError):
    """What may be different in a moment."""


@dataclass(frozen=True)
class Limits:
    """What a question and its repetitions may take, in seconds, and its answer, in bytes."""

    most_bytes: int
    attempts: int = ATTEMPTS
    silence: float = SILENCE
    first_pause: float = FIRST_PAUSE
    altogether: float = ALTOGETHER


@dataclass(frozen=True)
class Answer:
    """A whole answer: the status, the body, and the address that it came from in the end."""

    status: int
    body: bytes
    url: str

    @property
    def good(self) -> bool:
        """Tell whether the server gave what it was asked for."""
        return 200 <= self.status < 300


def new_session() -> requests.Session:
    """Return a session that follows a few redirections only."""
    import requests

    session = requests.Session()
    session.max_redirects = REDIRECTS
    return session


def ask(
    session: requests.Session,
    url: str,
    limits: Limits,
    *,
    parameters: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return the answer to a GET, asked again while the server is busy, fails, or breaks off.

    Raises
    ------
    DownloadError
        If there is no whole answer within the limits; the last reason is named.
    """
    deadline = time.monotonic() + limits.altogether
    attempts = Retrying(
        stop=stop_after_attempt(limits.attempts) | stop_before_delay(limits.altogether),
        wait=wait_exponential(multiplier=limits.first_pause, max=LONGEST_PAUSE),
        retry=retry_if_exception_type(_PassingError),
        reraise=True,
    )
    call = partial(_ask_once, session, url, limits, deadline, parameters, headers)
    return attempts(_within, deadline, call, f"{url} has not answered in {limits.altogether:g} s")


def write_answer(url: str, path: str, limits: Limits) -> None:
    """Write the body of a good answer to a file; a downloader of pooch.

    Raises
    ------
    DownloadError
        If there is no whole and good answer within the limits.
    """
    with new_session() as session:
        answer = ask(session, url, limits)
    if not answer.good:
        raise DownloadError(f"{url} answered {answer.status}")
    Path(path).write_bytes(answer.body)


def _within(deadline: float, call: Callable[[], Answer], late: str) -> Answer:
    """Call in a thread that is left to itself when it is late: nothing else ends headers that drip."""
    outcome: Queue[Answer | BaseException] = Queue(1)

    def work() -> None:
        try:
            outcome.put(call())
        except BaseException as error:
            outcome.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = outcome.get(timeout=max(deadline - time.monotonic(), 0.01))
    except Empty:
        raise DownloadError(late) from None
    if isinstance(found, BaseException):
        raise found
    return found


def _ask_once(
    session: requests.Session,
    url: str,
    limits: Limits,
    deadline: float,
    parameters: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None,
) -> Answer:
    import requests
    from urllib3.exceptions import HTTPError

    left = deadline - time.monotonic()
    silence = max(min(limits.silence, left), 0.01)
    try:
        with session.get(url, params=parameters, headers=headers, timeout=silence, stream=True) as response:
            body = _body(response, limits, deadline)
    except (requests.RequestException, HTTPError) as error:
        kind = _PassingError if _may_pass(error) else DownloadError
        raise kind(f"{url}: {type(error).__name__}: {error}") from error
    if response.status_code in PASSING:
        raise _PassingError(f"{url} answered {response.status_code}: {body[:200].decode(errors='replace')}")
    return Answer(response.status_code, body, response.url)


def _may_pass(error: Exception) -> bool:
    """Tell whether an answer broke off or is late; who is not reached at all is not there in a moment either."""
    import requests
    from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

    if isinstance(error, requests.ConnectTimeout):
        return False
    reason = error.args[0].reason if error.args and isinstance(error.args[0], MaxRetryError) else None
    broken = isinstance(error, requests.ConnectionError | requests.Timeout | HTTPError)
    return broken and not isinstance(reason, NewConnectionError)


def _body(response: requests.Response, limits: Limits, deadline: float) -> bytes:
    """Receive a body as it comes: one that drips is as late as one that never ends."""
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > limits.most_bytes:
            raise DownloadError(f"{response.url} sends more than {limits.most_bytes} bytes")
        if time.monotonic() > deadline:
            raise DownloadError(f"{response.url} sent {size} bytes in {limits.altogether:g} s and does not end")
    return b"".join(pieces)
