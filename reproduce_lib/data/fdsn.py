"""Earthquakes from a live event service, for users with a network: the FDSN protocol as USGS ComCat speaks it.

A live answer is not pinned, so it never stands behind a recorded number. What was answered once is kept with its
digest, and asked for again if it is no longer what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reproduce_lib import paths
from reproduce_lib.data.catalogs import COLUMNS, Box, Catalogue, parse_comcat
from reproduce_lib.data.download import Allowance, Limits, new_session, without_credentials
from reproduce_lib.errors import DataError
from reproduce_lib.files import write_whole

if TYPE_CHECKING:
    import requests

COMCAT = "https://earthquake.usgs.gov/fdsnws/event/1"
# ComCat refuses to answer with more events than this.
MOST_EVENTS = 20_000
# Of all questions about a span together. Twenty thousand rows have some 3 MB; the service thinks for up to two minutes
# before the first.
LIMITS = Limits(max_bytes=2**26, read_timeout=120.0, total_timeout=3600.0)
NOTHING_FOUND = 204
SHORTEST_CHUNK = timedelta(hours=1)
# What a service may round away in its table, of degrees and of a magnitude: it chooses before it rounds.
ROUNDED_DEGREES, ROUNDED_MAGNITUDE = 0.001, 0.01
ROUNDED_TIME = timedelta(milliseconds=1)


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
        asked = _Service(session, service, Allowance(limits))
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
    allowance: Allowance

    @property
    def name(self) -> str:
        """Return the address as a message may show it."""
        return without_credentials(self.address)

    def get(self, method: str, parameters: dict[str, object]) -> bytes:
        """Return the answer to a question; ``0``, the count of nothing, where the service says that it has nothing."""
        try:
            answer = self.allowance.ask(self.session, f"{self.address}/{method}", parameters)
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

    The answer is kept once it has been read as the events that were asked for.
    """
    # The end counts as inside for the service; to it, no time is finer than a millisecond.
    asked = {**place, "starttime": begin.isoformat(), "endtime": (end - timedelta(milliseconds=1)).isoformat()}
    identity = f"{service.address}?{sorted(asked.items())}"
    kept = paths.data_cache() / "fdsn" / f"{hashlib.sha256(identity.encode()).hexdigest()}.answer"
    if known := _kept(kept):
        return known
    count = _count(service, asked)
    if count == 0:
        return b""
    if count > MOST_EVENTS:
        answer = _joined(_halves(service, place, begin, end, count))
    else:
        answer = service.get("query", {**asked, "format": "csv", "orderby": "time-asc"})
        _check_answer(answer, service.name, asked, count)
    try:
        write_whole(kept, _digest(answer) + b"\n" + answer)
    except OSError as error:
        raise DataError(f"an answer of {service.name} cannot be kept in {kept.parent}: {error}") from error
    return answer


def _check_answer(answer: bytes, name: str, asked: Mapping[str, Any], count: int) -> None:
    """Refuse an answer to one question that is cut, even within its last field, or holds what was not asked for."""
    rows = max(answer.count(b"\n") - 1, 0)
    if rows != count:
        raise DataError(f"{name} announced {count} events and sent {rows}; ask again")
    if not answer.endswith(b"\n"):
        raise DataError(f"{name} sent a last line without an end; ask again")
    events = parse_comcat(answer, name, revised=True)
    if "id" not in events.columns:
        raise DataError(f"{name} sent events without an id")
    if len(events) != count:
        raise DataError(f"{name} sent {count} rows, of which {len(events)} are earthquakes of their own")
    first, last = (_universal(asked[one]) for one in ("starttime", "endtime"))
    south, north = asked["minlatitude"] - ROUNDED_DEGREES, asked["maxlatitude"] + ROUNDED_DEGREES
    west, east = asked["minlongitude"] - ROUNDED_DEGREES, asked["maxlongitude"] + ROUNDED_DEGREES
    wanted = {
        "time": events["time"].between(first - ROUNDED_TIME, last + ROUNDED_TIME),
        "latitude": events["latitude"].between(south, north),
        "longitude": events["longitude"].between(west, east),
        "magnitude": events["magnitude"] >= asked["minmagnitude"] - ROUNDED_MAGNITUDE,
    }
    for column, good in wanted.items():
        if not good.all():
            event = events[~good].iloc[0]
            raise DataError(f"{name} sent an event that was not asked for: {event['id']}, {column} {event[column]}")


def _universal(written: str) -> pd.Timestamp:
    time = pd.Timestamp(written)
    return time.tz_localize(UTC) if time.tzinfo is None else time.tz_convert(UTC)


def _kept(path: Path) -> bytes | None:
    """Return an answer that was kept; one that is not what was written is removed, and is none."""
    try:
        if not path.is_file():
            return None
        digest, _, answer = path.read_bytes().partition(b"\n")
        if digest == _digest(answer):
            return answer
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"an answer that was kept cannot be read: {error}") from error
    return None


def _digest(answer: bytes) -> bytes:
    return hashlib.sha256(answer).hexdigest().encode()


def _halves(service: _Service, place: dict[str, object], begin: datetime, end: datetime, count: int) -> list[bytes]:
    """Ask for the two halves of a span of too many events."""
    if end - begin < SHORTEST_CHUNK:
        raise DataError(f"{service.name} has {count} events between {begin} and {end}, more than it answers with")
    middle = (begin + (end - begin) / 2).replace(microsecond=0)
    return [_answer(service, place, *span) for span in ((begin, middle), (middle, end))]


def _joined(answers: list[bytes]) -> bytes:
    """Put CSV answers, each of which ends with its last line, below one header."""
    parts = [answer.partition(b"\n") for answer in answers if answer]
    return b"".join([*parts[0][:2], *(rows for _, _, rows in parts)]) if parts else b""


def _count(service: _Service, asked: dict[str, object]) -> int:
    text = service.get("count", {**asked, "format": "text"}).decode(errors="replace").strip()
    if not text.isdecimal():
        raise DataError(f"{service.name} answered {text[:80]!r} when asked for a count")
    return int(text)
