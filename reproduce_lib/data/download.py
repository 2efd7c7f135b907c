"""Bytes from servers that may be slow, broken or hostile: within limits of time and size, or an error.

A question is asked a few times, slower each time; whatever was received of an answer that broke off is thrown away.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay, wait_exponential

if TYPE_CHECKING:
    import requests

ATTEMPTS = 5
# Seconds: of silence before and within an answer, between two questions, and of all together.
READ_TIMEOUT = 30.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
TOTAL_TIMEOUT = 600.0
REDIRECTS = 5
# The server is busy or failing, and may not be in a moment.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_PIECE = 2**16
# Of an answer that is no good one, what is read to say why: a page of an error may be longer than the file.
_REASON = 2**12
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s'\"]*@")


class DownloadError(OSError):
    """A server that cannot be reached, does not end, or sends more than it should."""

    def __init__(self, said: str) -> None:
        super().__init__(without_credentials(said))


class _TransientError(DownloadError):
    """What may be different in a moment."""


@dataclass(frozen=True)
class Limits:
    """What a question and its repetitions may take, in seconds, and its answer, in bytes."""

    max_bytes: int
    attempts: int = ATTEMPTS
    read_timeout: float = READ_TIMEOUT
    first_wait: float = FIRST_WAIT
    total_timeout: float = TOTAL_TIMEOUT


@dataclass(frozen=True)
class Answer:
    """A whole answer: the status, the body, and the address that it came from in the end."""

    status: int
    body: bytes
    url: str

    @property
    def ok(self) -> bool:
        """Tell whether the server gave what it was asked for: a status of 2xx."""
        return 200 <= self.status < 300


def without_credentials(text: str) -> str:
    """Return a text without the names and passwords of the addresses in it."""
    return _CREDENTIALS.sub("", text)


def new_session() -> requests.Session:
    """Return a session that follows no redirection by itself: it would read the body of one to its end first."""
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
            return None

    return Session()


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
    deadline = time.monotonic() + limits.total_timeout
    attempts = Retrying(
        stop=stop_after_attempt(limits.attempts) | stop_before_delay(limits.total_timeout),
        wait=wait_exponential(multiplier=limits.first_wait, max=LONGEST_WAIT),
        retry=retry_if_exception_type(_TransientError),
        reraise=True,
    )
    call = partial(_ask_once, session, url, limits, deadline, parameters, headers)
    return attempts(_within, deadline, call, f"{url} has not answered in {limits.total_timeout:g} s")


def write_answer(url: str, path: str, limits: Limits) -> None:
    """Write the body of a good answer to a file; a downloader of pooch.

    Raises
    ------
    DownloadError
        If there is no whole and good answer within the limits.
    """
    with new_session() as session:
        answer = ask(session, url, limits)
    if not answer.ok:
        raise DownloadError(f"{url} answered {answer.status}")
    Path(path).write_bytes(answer.body)


def _within(deadline: float, call: Callable[[], Answer], late: str) -> Answer:
    """Call in a thread that is left to itself when it is late: nothing else ends headers that drip.

    Such a thread ends with its connection or with the program; until then it holds that connection and nothing else.
    """
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

    timeout = max(min(limits.read_timeout, deadline - time.monotonic()), 0.01)
    get = partial(session.get, headers=headers, timeout=timeout, stream=True)
    onward = url
    try:
        for _ in range(REDIRECTS + 1):
            with get(onward, params=parameters) as response:
                parameters = None
                target = requests.Session.get_redirect_target(session, response)
                if target is None:
                    return _answer(response, limits, deadline)
                onward = urljoin(response.url, target)
    except (requests.RequestException, HTTPError, ValueError) as error:  # an address to go on to may be none
        kind = _TransientError if _is_transient(error) else DownloadError
        raise kind(f"{url}: {type(error).__name__}: {error}") from error
    raise DownloadError(f"{url}: more than {REDIRECTS} redirections")


def _answer(response: requests.Response, limits: Limits, deadline: float) -> Answer:
    """Receive an answer; of one that is not good, what says why."""
    answer = Answer(response.status_code, b"", response.url)
    body = _body(response, limits, deadline) if answer.ok else response.raw.read1(_REASON, decode_content=True)[:200]
    if answer.status in TRANSIENT_STATUSES:
        raise _TransientError(f"{response.url} answered {answer.status}: {body.decode(errors='replace')}")
    return replace(answer, body=body)


def _is_transient(error: Exception) -> bool:
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
        if size > limits.max_bytes:
            raise DownloadError(f"{response.url} sends more than {limits.max_bytes} bytes")
        if time.monotonic() > deadline:
            raise DownloadError(f"{response.url} sent {size} bytes in {limits.total_timeout:g} s and does not end")
    return b"".join(pieces)
