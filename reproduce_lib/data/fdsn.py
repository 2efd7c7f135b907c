"""Earthquakes from a live event service, for users with a network: the FDSN protocol as USGS ComCat speaks it.

A live answer is not pinned, so it never stands behind a recorded number. What was answered once is kept.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

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
            answers = _answers(session, service, place, begin, end)
        except requests.RequestException as error:
            raise DataError(f"{service} cannot be asked: {type(error).__name__}: {error}") from error
    frames = [parse_comcat(answer, service) for answer in answers]
    if not frames:
        raise DataError(f"{service} knows no earthquake from M {smallest} between {begin} and {end} in {box}")
    events = pd.concat(frames).drop_duplicates("id").sort_values("time", kind="stable", ignore_index=True)
    return Catalogue("comcat_live", events[COLUMNS], smallest, 0, {})


def _answers(
    session: requests.Session, service: str, place: dict[str, object], begin: datetime, end: datetime
) -> list[bytes]:
    """Return the CSV answers to a span, cut in halves until each holds few enough events."""
    asked = {**place, "starttime": begin.isoformat(), "endtime": (end - timedelta(milliseconds=1)).isoformat()}
    identity = f"{service}?{sorted(asked.items())}"
    kept = paths.data_cache() / "fdsn" / f"{hashlib.sha256(identity.encode()).hexdigest()}.csv"
    if kept.is_file():
        return [kept.read_bytes()]
    count = _count(session, service, asked)
    if count == 0:
        return []
    if count > MOST_EVENTS:
        middle = begin + (end - begin) / 2
        if end - begin < SHORTEST_CHUNK:
            raise DataError(f"{service} has {count} events between {begin} and {end}, more than it answers with")
        return [*_answers(session, service, place, begin, middle), *_answers(session, service, place, middle, end)]
    answer = _get(session, f"{service}/query", {**asked, "format": "csv", "orderby": "time-asc"})
    rows = len(answer.splitlines()) - 1
    if rows != count:
        raise DataError(f"{service} announced {count} events and sent {rows}; ask again")
    write_whole(kept, answer)
    return [answer]


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

    retry = Retry(RETRIES, backoff_factor=backoff, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False)
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session
