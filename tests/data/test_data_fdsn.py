"""A live event service: what it is asked, what is kept, and what is made of every way in which it can fail.

The service of these tests runs on this machine and holds events that were made up.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reproduce_lib import paths
from reproduce_lib.data import fdsn
from reproduce_lib.data.catalogs import Box, Catalogue
from reproduce_lib.data.fdsn import query_catalogue
from reproduce_lib.errors import DataError

BOX = Box(4.0, 20.0, 116.0, 128.0)
BEGIN, END = datetime(2020, 1, 1), datetime(2021, 1, 1)
MILLISECOND, HOUR, DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)
COLUMNS = ["time", "latitude", "longitude", "depth", "mag", "magType", "id", "place", "type"]
HASTY = replace(fdsn.LIMITS, first_wait=0.01)
KNOWN = {
    "starttime", "endtime", "minlatitude", "maxlatitude", "minlongitude", "maxlongitude", "minmagnitude", "eventtype",
    "format", "orderby",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    number: int
    time: datetime
    magnitude: float = 5.0
    latitude: float = 10.0
    longitude: float = 122.0
    kind: str = "earthquake"

    @property
    def cells(self) -> list[str]:
        """Return the event as a row of a table; its depth is its number."""
        written = f"{self.time:%Y-%m-%dT%H:%M:%S}.{self.time.microsecond // 1000:03d}Z"
        place = 'A "place", with a comma'
        numbers = [self.latitude, self.longitude, self.number, self.magnitude]
        return [written, *map(str, numbers), "mww", f"us{self.number}", place, self.kind]


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None  # the announced length, where it is not that of the body


@dataclass
class Service:
    """A service, and every question that it was asked.

    ``failures`` are answered first, one each (``None`` closes the connection); ``change`` may spoil any other answer.
    """

    url: str
    events: list[Event] = field(default_factory=list)
    limit: int = 20_000
    failures: list[Answer | None] = field(default_factory=list)
    change: Callable[[str, Answer], Answer] = lambda kind, answer: answer
    delay: float = 0.0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: list[list[int]] = field(default_factory=list)

    def answer(self, path: str) -> Answer | None:
        address = urlsplit(path)
        kind, parameters = address.path.rpartition("/")[2], dict(parse_qsl(address.query))
        self.asked.append((kind, parameters))
        time.sleep(self.delay)
        if self.failures:
            return self.failures.pop(0)
        return self.change(kind, self.count_or_query(kind, parameters))

    def count_or_query(self, kind: str, asked: dict[str, str]) -> Answer:
        if kind not in ("count", "query") or not set(asked) <= KNOWN:
            return Answer(400, f"Bad Request: {kind} {sorted(set(asked) - KNOWN)}".encode())
        first, last = (universal(datetime.fromisoformat(asked[name])) for name in ("starttime", "endtime"))
        if first > last:
            return Answer(400, b"Bad Request: starttime after endtime")
        chosen = [event for event in self.events if first <= universal(event.time) <= last and fits(event, asked)]
        if kind == "count":
            return Answer(200, f"{len(chosen)}\n".encode())
        if asked.get("format") != "csv" or len(chosen) > self.limit:
            return Answer(400, b"Bad Request: matching events exceed search limit")
        chosen.sort(key=lambda event: event.time, reverse=asked.get("orderby") != "time-asc")
        self.sent.append([event.number for event in chosen])
        return Answer(200, table(chosen)) if chosen else Answer(204, b"")

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.asked]


def universal(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def fits(event: Event, asked: dict[str, str]) -> bool:
    return (
        float(asked["minlatitude"]) <= event.latitude <= float(asked["maxlatitude"])
        and float(asked["minlongitude"]) <= event.longitude <= float(asked["maxlongitude"])
        and event.magnitude >= float(asked["minmagnitude"])
        and event.kind == asked["eventtype"]
    )


def table(events: list[Event]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *(event.cells for event in events)])
    return out.getvalue().encode()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Serve events on a free port of this machine, which no proxy stands before; every cache is a new folder."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = served.answer(self.path)
            if answer is None:
                return
            length = len(answer.body) if answer.promised is None else answer.promised
            with contextlib.suppress(ConnectionError):  # nobody waits for a late answer
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(length), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Service(f"http://127.0.0.1:{server.server_port}/fdsnws/event/1")
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield served
        server.shutdown()


def limit(served: Service, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Lower the number of events that the service answers with, and that the library believes it does."""
    served.limit = most
    monkeypatch.setattr(fdsn, "MOST_EVENTS", most)


def ask(served: Service | str, begin: datetime = BEGIN, end: datetime = END, **more: Any) -> Catalogue:
    address = served if isinstance(served, str) else served.url
    values: dict[str, Any] = {"box": BOX, "smallest": 4.5, "limits": HASTY, **more}
    return query_catalogue(values.pop("box"), begin, end, values.pop("smallest"), service=address, **values)


def numbers(catalogue: Catalogue) -> list[int]:
    return catalogue.events["depth_km"].astype(int).tolist()


def spread(count: int) -> list[Event]:
    """Return events with about the same time between each two."""
    return [Event(n, BEGIN + (END - BEGIN) / (count + 1) * (n + 1)) for n in range(count)]


def kept() -> list[Path]:
    return [path for path in paths.cache_folder().rglob("*") if path.is_file()]


def test_events_are_those_of_the_span_the_box_and_the_magnitudes(service: Service) -> None:
    inside = [Event(1, BEGIN + 3 * DAY), Event(2, BEGIN + DAY, 4.5), Event(3, END - DAY, 7.6, 4.0, 116.0)]
    service.events = [
        *inside, Event(10, BEGIN + DAY, 4.4), Event(11, BEGIN + DAY, 6.0, 3.9), Event(12, BEGIN + DAY, 6.0, 20.1),
        Event(13, BEGIN + DAY, 6.0, 10.0, 115.9), Event(14, BEGIN + DAY, 6.0, 10.0, 128.1), Event(15, END + DAY),
        Event(16, BEGIN - DAY), Event(17, BEGIN + DAY, kind="explosion"),
    ]  # fmt: skip
    found = ask(service)
    assert numbers(found) == [2, 1, 3]
    assert found.events["time"].dt.strftime("%Y-%m-%d").tolist() == ["2020-01-02", "2020-01-04", "2020-12-31"]
    assert str(found.events["time"].dt.tz) == "UTC"
    assert found.events["magnitude"].tolist() == [4.5, 5.0, 7.6]
    assert found.events["latitude"].tolist() == [10.0, 10.0, 4.0]
    assert list(found.events.columns) == ["time", "latitude", "longitude", "depth_km", "magnitude", "magnitude_type"]


def test_live_catalogue_is_told_from_the_pinned_ones_and_names_no_file(service: Service) -> None:
    service.events = spread(3)
    found = ask(service, smallest=4.7)
    assert found.name not in ("comcat", "comcat_m5", "phivolcs")
    assert (found.threshold, found.left_out, found.files) == (4.7, 0, {})


def test_span_includes_its_begin_and_not_its_end(service: Service) -> None:
    times = [BEGIN - MILLISECOND, BEGIN, END - MILLISECOND, END]
    service.events = [Event(n, when) for n, when in enumerate(times)]
    assert numbers(ask(service)) == [1, 2]


def test_following_spans_share_no_event_and_lose_none(service: Service) -> None:
    middle = BEGIN + 100 * DAY
    service.events = [Event(n, middle + (n - 3) * MILLISECOND) for n in range(6)]
    assert numbers(ask(service, BEGIN, middle)) + numbers(ask(service, middle, END)) == list(range(6))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8))])
def test_times_that_name_their_zone_mean_the_same_span(service: Service, zone: timezone) -> None:
    service.events = [Event(n, BEGIN + n * HOUR) for n in range(48)]
    begin, end = (universal(when).astimezone(zone) for when in (BEGIN + 5 * HOUR, BEGIN + 20 * HOUR))
    assert numbers(ask(service, begin, end)) == list(range(5, 20))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    offsets=st.lists(st.integers(0, 366 * 24 * 60 - 1), max_size=80),
    bunch=st.lists(st.integers(0, 200), max_size=20),
    bunch_day=st.integers(0, 365),
    most=st.integers(25, 40),
)
def test_pieces_hold_each_event_once_and_none_is_larger_than_the_service_allows(
    service: Service, offsets: list[int], bunch: list[int], bunch_day: int, most: int
) -> None:
    """Days at random, and a bunch of events within hours, as after a great earthquake."""
    times = [BEGIN + timedelta(minutes=offset) for offset in offsets]
    times += [BEGIN + bunch_day * DAY + timedelta(minutes=7 * offset) for offset in bunch]
    service.events = [Event(n, when) for n, when in enumerate([BEGIN, *times])]
    service.asked, service.sent = [], []
    shutil.rmtree(paths.cache_folder(), ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        limit(service, patch, most)
        try:
            found = ask(service)
        except DataError:
            assert densest_hour([event.time for event in service.events]) > most
            return
    expected = [event.number for event in sorted(service.events, key=lambda event: event.time) if event.time < END]
    assert sorted(numbers(found)) == sorted(expected)
    assert found.events["time"].is_monotonic_increasing
    assert sorted(number for answer in service.sent for number in answer) == sorted(expected)
    assert all(len(answer) <= most for answer in service.sent)
    assert service.kinds().count("query") == len(service.sent)


def densest_hour(times: list[datetime]) -> int:
    return max(sum(first <= other <= first + HOUR for other in times) for first in times)


def test_empty_pieces_between_full_ones_are_no_error(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(service, monkeypatch, 10)
    service.events = [Event(n, BEGIN + n * DAY) for n in range(8)]
    service.events += [Event(8 + n, END - (8 - n) * DAY) for n in range(8)]
    assert numbers(ask(service)) == list(range(16))


@pytest.mark.parametrize(
    "end",
    [BEGIN + 30 * DAY, BEGIN + 30 * DAY + MILLISECOND, BEGIN + 30 * DAY + timedelta(microseconds=123)],
    ids=["whole days", "odd milliseconds", "microseconds"],
)
def test_event_at_the_time_at_which_a_span_is_cut_is_found(
    service: Service, end: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services know times to the millisecond, and an end such as ``datetime.now()`` knows them finer."""
    limit(service, monkeypatch, 5)
    middle = BEGIN + 15 * DAY
    service.events = [Event(4 + n, middle + n * MILLISECOND) for n in range(-2, 3)]
    service.events += [Event(0, BEGIN), Event(1, BEGIN + DAY), Event(7, middle + DAY), Event(8, middle + 2 * DAY)]
    assert numbers(ask(service, end=end)) == list(range(9))


def test_event_that_the_service_sends_in_two_pieces_is_one_event(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event may be revised between two questions and move over the border."""
    limit(service, monkeypatch, 5)
    service.events = spread(8)
    moved = Event(2, BEGIN + 2 * DAY)

    def more(kind: str, answer: Answer) -> Answer:
        if kind == "query":
            row = table([moved]).split(b"\n", 1)[1]
            return Answer(200, answer.body + (row if b",us2," not in answer.body else b""))
        last = service.asked[-1][1]
        others = [event for event in service.events if event.number != 2]
        first, until = (datetime.fromisoformat(last[name]) for name in ("starttime", "endtime"))
        return Answer(200, str(1 + sum(first <= event.time <= until for event in others)).encode())

    service.change = more
    assert sorted(numbers(ask(service))) == list(range(8))


def test_more_events_in_a_moment_than_the_service_sends_are_refused_after_few_questions(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(service, monkeypatch, 10)
    service.events = [Event(n, BEGIN + 50 * DAY + n * timedelta(seconds=1)) for n in range(12)]
    with pytest.raises(DataError, match="12"):
        ask(service)
    assert len(service.asked) < 100


def test_second_call_reads_what_was_kept_and_asks_nothing(service: Service) -> None:
    service.events = spread(30)
    first = ask(service)
    asked = len(service.asked)
    service.events = []
    second = ask(service)
    assert len(service.asked) == asked
    assert first.events.equals(second.events)
    assert (first.name, first.threshold, first.files) == (second.name, second.threshold, second.files)


def test_second_call_of_a_span_in_pieces_asks_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(service, monkeypatch, 10)
    service.events = [event for event in spread(60) if not BEGIN + 100 * DAY < event.time < BEGIN + 200 * DAY]
    first = ask(service)
    asked = len(service.asked)
    second = ask(service)
    assert service.asked[asked:] == []
    assert first.events.equals(second.events)


def test_what_was_kept_is_read_when_the_service_is_gone(service: Service) -> None:
    service.events = spread(30)
    whole = numbers(ask(service))
    service.failures = [Answer(404, b"gone")] * 100
    assert numbers(ask(service)) == whole


def test_every_request_that_was_answered_before_a_failure_is_not_made_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(service, monkeypatch, 10)
    service.events = spread(60)

    def failing(kind: str, answer: Answer) -> Answer:
        return Answer(400, b"enough") if len(service.sent) > 4 else answer

    service.change = failing
    with pytest.raises(DataError, match="enough"):
        ask(service)
    answered = service.sent[:-1]
    service.change, service.sent = (lambda kind, answer: answer), []
    assert numbers(ask(service)) == list(range(60))
    assert [answer for answer in service.sent if answer in answered] == []


OTHERS: dict[str, dict[str, Any]] = {
    "begin": {"begin": BEGIN + 50 * DAY},
    "end": {"end": END - 50 * DAY},
    "magnitude": {"smallest": 5.5},
    "south": {"box": Box(9.0, 20.0, 116.0, 128.0)},
    "north": {"box": Box(4.0, 11.0, 116.0, 128.0)},
    "west": {"box": Box(4.0, 20.0, 121.0, 128.0)},
    "east": {"box": Box(4.0, 20.0, 116.0, 123.0)},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_question_is_not_answered_with_what_was_kept(service: Service, other: dict[str, Any]) -> None:
    service.events = [
        Event(n, event.time, 4.5 + n % 3, 5.0 + n % 13, 118.0 + n % 9) for n, event in enumerate(spread(60))
    ]
    whole = numbers(ask(service))
    alone = numbers(ask(service, **other))
    shutil.rmtree(paths.cache_folder())
    assert alone == numbers(ask(service, **other)) != whole
    assert numbers(ask(service)) == whole


def test_another_service_is_not_answered_with_what_was_kept(service: Service) -> None:
    service.events = spread(3)
    ask(service)
    service.events = spread(5)
    assert len(ask(service.url + "/other").events) == 5


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("answered", [0, 1], ids=["count", "query"])
def test_busy_service_is_asked_again(service: Service, status: int, answered: int) -> None:
    service.events = spread(3)
    plan = [*answered * [True], False, False]

    def stumbling(kind: str, answer: Answer) -> Answer:
        return answer if not plan or plan.pop(0) else Answer(status, b"busy")

    service.change = stumbling
    assert numbers(ask(service)) == [0, 1, 2]
    assert service.kinds() == (["count"] * 3 + ["query"] if answered == 0 else ["count"] + ["query"] * 3)


def test_connection_that_is_closed_without_an_answer_is_tried_again(service: Service) -> None:
    service.events = spread(3)
    service.failures = [None, None]
    assert numbers(ask(service)) == [0, 1, 2]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_service_that_never_recovers_is_given_up(service: Service, status: int) -> None:
    service.failures = [Answer(status, b"no time for this")] * 100
    began = time.perf_counter()
    with pytest.raises(DataError) as refusal:
        ask(service)
    assert time.perf_counter() - began < 5
    assert 2 <= len(service.asked) <= 10
    assert service.url in str(refusal.value)
    assert str(status) in str(refusal.value)
    assert kept() == []


@pytest.mark.parametrize("status", [429, 503])
def test_service_that_puts_off_until_tomorrow_is_not_waited_for(
    service: Service, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.failures = [Answer(status, b"", {"Retry-After": "86400"})] * 100
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(DataError, match=str(status)):
        ask(service)
    assert sum(waits) < 900


@pytest.mark.parametrize("status", [400, 403, 404, 413])
def test_refusal_is_not_asked_again_and_says_what_the_service_said(service: Service, status: int) -> None:
    service.failures = [Answer(status, b"because of the moon")] * 100
    with pytest.raises(DataError) as refusal:
        ask(service)
    expected = [service.url, str(status), "because of the moon"]
    assert [word for word in expected if word not in str(refusal.value)] == []
    assert len(service.asked) == 1
    assert kept() == []


def test_page_of_a_refusal_is_not_quoted_at_length(service: Service) -> None:
    service.failures = [Answer(400, b"x" * 100_000)]
    with pytest.raises(DataError) as refusal:
        ask(service)
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize(("begin", "end"), [(END, BEGIN), (BEGIN, BEGIN)])
def test_span_that_ends_before_it_begins_is_refused(service: Service, begin: datetime, end: datetime) -> None:
    service.events = spread(3)
    with pytest.raises(DataError):
        ask(service, begin, end)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_answer_with_fewer_events_than_counted_is_refused_and_not_kept(service: Service, lost: int) -> None:
    service.events = spread(5)

    def fewer(kind: str, answer: Answer) -> Answer:
        rows = answer.body.splitlines(keepends=True)
        return answer if kind == "count" else Answer(200, b"".join(rows[:-lost]))

    service.change = fewer
    with pytest.raises(DataError) as refusal:
        ask(service)
    assert [word for word in (service.url, "5", str(5 - lost)) if word not in str(refusal.value)] == []
    assert kept() == []
    service.change = lambda kind, answer: answer
    assert numbers(ask(service)) == list(range(5))


def test_answer_with_more_events_than_counted_is_refused(service: Service) -> None:
    service.events = spread(5)
    service.change = lambda kind, answer: Answer(200, b"4") if kind == "count" else answer
    with pytest.raises(DataError, match="4"):
        ask(service)
    assert kept() == []


def test_answer_without_content_where_events_were_counted_is_refused(service: Service) -> None:
    service.events = spread(5)
    service.change = lambda kind, answer: answer if kind == "count" else Answer(204, b"")
    with pytest.raises(DataError, match="5"):
        ask(service)
    assert kept() == []


@pytest.mark.parametrize("part", [0.3, 0.97])
def test_answer_that_breaks_off_is_refused_and_not_kept(service: Service, part: float) -> None:
    service.events = spread(5)

    def broken(kind: str, answer: Answer) -> Answer:
        size = len(answer.body)
        return answer if kind == "count" else Answer(200, answer.body[: int(part * size)], promised=size)

    service.change = broken
    with pytest.raises(DataError, match=r"127\.0\.0\.1"):
        ask(service)
    assert kept() == []
    service.change = lambda kind, answer: answer
    assert numbers(ask(service)) == list(range(5))


PAGE = b"<!DOCTYPE html>\n<html><body>\nmaintenance\nsince\nmonday\n</body></html>\n"
NO_TABLES = {
    "web page": PAGE,
    "row cut": table(spread(5))[:-60],
    "text for a magnitude": table(spread(5)).replace(b",2,5.0,", b",2,strong,"),
    "latitude off the Earth": table(spread(5)).replace(b",10.0,122.0,2,", b",664,122.0,2,"),
    "bytes of no text": table(spread(5)).replace(b"place", b"\xff\xfe"),
}


@pytest.mark.parametrize("body", NO_TABLES.values(), ids=NO_TABLES)
def test_answer_that_is_no_table_of_events_is_refused_and_not_kept(service: Service, body: bytes) -> None:
    service.events = spread(5)
    assert len(body.splitlines()) == 6
    service.change = lambda kind, answer: answer if kind == "count" else Answer(200, body)
    with pytest.raises(DataError, match=r"127\.0\.0\.1"):
        ask(service)
    service.change = lambda kind, answer: answer
    assert numbers(ask(service)) == list(range(5))


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in ("place", "type")])
def test_answer_without_a_needed_column_is_refused_with_the_column(service: Service, column: str) -> None:
    service.events = spread(5)
    body = table(service.events).replace(column.encode(), b"other", 1)
    service.change = lambda kind, answer: answer if kind == "count" else Answer(200, body)
    with pytest.raises(DataError, match=rf"127\.0\.0\.1.*{column}"):
        ask(service)


NO_COUNTS = [b"many", b"", b"-1", b"1.5", b"12 events", b"1e3", b"\xff\xfe", b'{"count": 3}', PAGE]


@pytest.mark.parametrize("body", NO_COUNTS, ids=repr)
def test_what_is_no_count_is_refused_and_nothing_more_is_asked(service: Service, body: bytes) -> None:
    service.events = spread(3)
    service.change = lambda kind, answer: Answer(200, body) if kind == "count" else answer
    with pytest.raises(DataError, match=r"127\.0\.0\.1") as refusal:
        ask(service)
    assert len(str(refusal.value)) < 500
    assert service.kinds() == ["count"]
    assert kept() == []


@pytest.mark.parametrize("answer", [Answer(200, b"0"), Answer(204, b"")], ids=["count of none", "no content"])
def test_span_without_an_event_is_named_and_nothing_is_kept(service: Service, answer: Answer) -> None:
    service.change = lambda kind, _: answer
    with pytest.raises(DataError) as refusal:
        ask(service)
    expected = [service.url, "2020-01-01", "2021-01-01", "4.5"]
    assert [word for word in expected if word not in str(refusal.value)] == []
    assert service.kinds() == ["count"]
    assert kept() == []


def test_service_that_cannot_be_reached_is_named(unreachable: str, service: Service) -> None:
    began = time.perf_counter()
    with pytest.raises(DataError, match=unreachable):
        ask(unreachable)
    assert time.perf_counter() - began < 5


def test_service_that_does_not_answer_in_time_is_named(service: Service) -> None:
    service.events, service.delay = spread(3), 1.5
    began = time.perf_counter()
    with pytest.raises(DataError, match=r"127\.0\.0\.1"):
        ask(service, limits=replace(HASTY, read_timeout=0.1))
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("address", ["127.0.0.1/fdsnws", "ftp://127.0.0.1/fdsnws", "http://"])
def test_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(DataError, match=address):
        ask(address)


def test_answer_that_cannot_be_kept_is_refused_with_the_folder(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("REPRODUCE_CACHE", str(tmp_path / "file"))
    service.events = spread(3)
    with pytest.raises(DataError, match=str(tmp_path / "file")):
        ask(service)


def test_answers_are_kept_in_the_cache_folder_alone(service: Service, tmp_path: Path) -> None:
    service.events = spread(3)
    ask(service)
    assert len(kept()) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == kept()
    assert Path(os.environ["REPRODUCE_CACHE"]) == paths.cache_folder()
