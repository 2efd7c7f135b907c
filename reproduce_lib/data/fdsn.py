"""Earthquakes from a live event service, for users with a network: the FDSN protocol as USGS ComCat speaks it.

A live answer is not pinned, so it never stands behind a recorded number. What was answered once is kept.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reproduce_lib import paths
from reproduce_lib.data.catalogs import COLUMNS, Box, Catalogue, parse_comcat
from reproduce_lib.errors import DataError
from reproduce_lib.files import write_whole

if TYPE_CHECKING:
    import requests

COMCAT = "https://earthquake.usgs.gov/fdsnws/event/1"
# ComCat refuses to answer with more events than this.
MOST_EVENTS = 20_000
RETRIES = 4
BACKOFF_SECONDS = 1.0
CONNECT_SECONDS, READ_SECONDS = 10, 120
NOTHING_FOUND = 204
SHORTEST_CHUNK = timedelta(hours=1)


def query_catalogue(
    box: Box,
    begin: datetime,
    end: datetime,
    smallest: float,
    *,
    service: str = COMCAT,
    backoff: float = BACKOFF_SECONDS,
) -> Catalogue:
    """Return the events of a box from ``begin`` up to, not including, ``end`` (both UTC), from ``smallest`` on.

    The span is asked for in pieces, each small enough for the service.

    Raises
    ------
    DataError
        If the service cannot be reached, refuses, or answers with something else than it announced.
    """
    import requests

    place = {
        "minlatitude": box.south,
        "maxlatitude": box.north,
        "minlongitude": box.west,
        "maxlongitude": box.east,
        "minmagnitude": smallest,
        "eventtype": "earthquake",
    }
    with _session(backoff) as session:
        try:
            answer = _answer(session, service, place, begin, end)
        except requests.RequestException as error:
            raise DataError(f"{service} cannot be asked: {type(error).__name__}: {error}") from error
    if not answer:
        raise DataError(f"{service} knows no earthquake from M {smallest} between {begin} and {end} in {box}")
    events = parse_comcat(answer, service).drop_duplicates("id")
    return Catalogue("comcat_live", events[COLUMNS].reset_index(drop=True), smallest, 0, {})


def _answer(session: requests.Session, service: str, place: dict[str, object], begin: datetime, end: datetime) -> bytes:
    """Return the CSV answer to a span, put together from halves where it is too large; empty for no event.

    The answer is kept once it has been read as events.
    """
    # The end counts as inside for the service; to it, no time is finer than a millisecond.
    asked = {**place, "starttime": begin.isoformat(), "endtime": (end - timedelta(milliseconds=1)).isoformat()}
    identity = f"{service}?{sorted(asked.items())}"
    kept = paths.data_cache() / "fdsn" / f"{hashlib.sha256(identity.encode()).hexdigest()}.csv"
    if kept.is_file():
        return kept.read_bytes()
    count = _count(session, service, asked)
    if count == 0:
        return b""
    if count > MOST_EVENTS:
        answer = _joined(_halves(session, service, place, begin, end, count))
    else:
        answer = _get(session, f"{service}/query", {**asked, "format": "csv", "orderby": "time-asc"})
        rows = len(answer.splitlines()) - 1
        if rows != count:
            raise DataError(f"{service} announced {count} events and sent {rows}; ask again")
    if "id" not in parse_comcat(answer, service).columns:
        raise DataError(f"{service} sent events without an id")
    try:
        write_whole(kept, answer)
    except OSError as error:
        raise DataError(f"an answer of {service} cannot be kept in {kept.parent}: {error}") from error
    return answer


def _halves(
    session: requests.Session, service: str, place: dict[str, object], begin: datetime, end: datetime, count: int
) -> list[bytes]:
    """Ask for the two halves of a span of too many events."""
    if end - begin < SHORTEST_CHUNK:
        raise DataError(f"{service} has {count} events between {begin} and {end}, more than it answers with")
    middle = (begin + (end - begin) / 2).replace(microsecond=0)
    return [_answer(session, service, place, *span) for span in ((begin, middle), (middle, end))]


def _joined(answers: list[bytes]) -> bytes:
    """Put CSV answers below one header."""
    lines = [answer.splitlines() for answer in answers if answer]
    return b"\n".join([*lines[0][:1], *(row for one in lines for row in one[1:])]) + b"\n" if lines else b""


def _count(session: requests.Session, service: str, asked: dict[str, object]) -> int:
    text = _get(session, f"{service}/count", {**asked, "format": "text"}).decode(errors="replace").strip()
    if not text.isdecimal():
        raise DataError(f"{service} answered {text[:80]!r} when asked for a count")
    return int(text)


def _get(session: requests.Session, address: str, parameters: dict[str, object]) -> bytes:
    answer = session.get(address, params=parameters, timeout=(CONNECT_SECONDS, READ_SECONDS))  # type: ignore[arg-type]
    if answer.status_code == NOTHING_FOUND:
        return b"0"
    if not answer.ok:
        raise DataError(f"{address} answered {answer.status_code}: {answer.text[:200]}")
    return answer.content


def _session(backoff: float) -> requests.Session:
    """Return a session that asks again, slower each time, when the service is busy or fails."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    retry = Retry(
        RETRIES,
        backoff_factor=backoff,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,  # a service may ask for a day of patience
    )
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session
