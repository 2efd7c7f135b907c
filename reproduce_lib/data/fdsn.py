"""Earthquakes from a live event service, for users with a network: the FDSN protocol as USGS ComCat speaks it.

A live answer is not pinned, so it never stands behind a recorded number. What was answered once is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reproduce_lib import paths
from reproduce_lib.data.catalogs import COLUMNS, Box, Catalogue, parse_comcat
from reproduce_lib.data.download import Limits, ask, new_session, without_credentials
from reproduce_lib.errors import DataError
from reproduce_lib.files import write_whole

if TYPE_CHECKING:
    import requests

COMCAT = "https://earthquake.usgs.gov/fdsnws/event/1"
# ComCat refuses to answer with more events than this.
MOST_EVENTS = 20_000
# Twenty thousand rows have some 3 MB; the service thinks for up to two minutes before the first.
LIMITS = Limits(max_bytes=2**26, read_timeout=120.0, total_timeout=900.0)
NOTHING_FOUND = 204
SHORTEST_CHUNK = timedelta(hours=1)


def query_catalogue(
    box: Box,
    begin: datetime,
    end: datetime,
    smallest: float,
    *,
    service: str = COMCAT,
    limits: Limits = LIMITS,
) -> Catalogue:
    """Return the events of a box from ``begin`` up to, not including, ``end`` (both UTC), from ``smallest`` on.

    The span is asked for in pieces, each small enough for the service.

    Raises
    ------
    DataError
        If the service cannot be reached, refuses, or answers with something else than it announced.
    """
    place = {
        "minlatitude": box.south,
        "maxlatitude": box.north,
        "minlongitude": box.west,
        "maxlongitude": box.east,
        "minmagnitude": smallest,
        "eventtype": "earthquake",
    }
    with new_session() as session:
        asked = _Service(session, service, limits)
        answer = _answer(asked, place, begin, end)
    if not answer:
        raise DataError(f"{asked.name} knows no earthquake from M {smallest} between {begin} and {end} in {box}")
    # An event that is revised between two questions may be in both answers.
    events = parse_comcat(answer, asked.name, revised=True)
    return Catalogue("comcat_live", events[COLUMNS], smallest, 0, {})


@dataclass(frozen=True)
class _Service:
    session: requests.Session
    address: str
    limits: Limits

    @property
    def name(self) -> str:
        """Return the address as a message may show it."""
        return without_credentials(self.address)

    def get(self, method: str, parameters: dict[str, object]) -> bytes:
        """Return the answer to a question; ``0``, the count of nothing, where the service says that it has nothing."""
        try:
            answer = ask(self.session, f"{self.address}/{method}", self.limits, parameters=parameters)
        except OSError as error:
            raise DataError(f"{self.name} cannot be asked: {error}") from error
        if answer.status == NOTHING_FOUND:
            return b"0"
        if not answer.ok:
            said = answer.body.decode(errors="replace")
            raise DataError(f"{self.name}/{method} answered {answer.status}: {said}")
        return answer.body


def _answer(service: _Service, place: dict[str, object], begin: datetime, end: datetime) -> bytes:
    """Return the CSV answer to a span, put together from halves where it is too large; empty for no event.

    The answer is kept once it has been read as events.
    """
    # The end counts as inside for the service; to it, no time is finer than a millisecond.
    asked = {**place, "starttime": begin.isoformat(), "endtime": (end - timedelta(milliseconds=1)).isoformat()}
    identity = f"{service.address}?{sorted(asked.items())}"
    kept = paths.data_cache() / "fdsn" / f"{hashlib.sha256(identity.encode()).hexdigest()}.csv"
    if kept.is_file():
        return kept.read_bytes()
    count = _count(service, asked)
    if count == 0:
        return b""
    if count > MOST_EVENTS:
        answer = _joined(_halves(service, place, begin, end, count))
    else:
        answer = service.get("query", {**asked, "format": "csv", "orderby": "time-asc"})
        rows = len(answer.splitlines()) - 1
        if rows != count:
            raise DataError(f"{service.name} announced {count} events and sent {rows}; ask again")
    if "id" not in parse_comcat(answer, service.name, revised=True).columns:
        raise DataError(f"{service.name} sent events without an id")
    try:
        write_whole(kept, answer)
    except OSError as error:
        raise DataError(f"an answer of {service.name} cannot be kept in {kept.parent}: {error}") from error
    return answer


def _halves(service: _Service, place: dict[str, object], begin: datetime, end: datetime, count: int) -> list[bytes]:
    """Ask for the two halves of a span of too many events."""
    if end - begin < SHORTEST_CHUNK:
        raise DataError(f"{service.name} has {count} events between {begin} and {end}, more than it answers with")
    middle = (begin + (end - begin) / 2).replace(microsecond=0)
    return [_answer(service, place, *span) for span in ((begin, middle), (middle, end))]


def _joined(answers: list[bytes]) -> bytes:
    """Put CSV answers below one header."""
    lines = [answer.splitlines() for answer in answers if answer]
    return b"\n".join([*lines[0][:1], *(row for one in lines for row in one[1:])]) + b"\n" if lines else b""


def _count(service: _Service, asked: dict[str, object]) -> int:
    text = service.get("count", {**asked, "format": "text"}).decode(errors="replace").strip()
    if not text.isdecimal():
        raise DataError(f"{service.name} answered {text[:80]!r} when asked for a count")
    return int(text)
