"""Records survive other writers, kills, cut lines and strangers, and arrays are what a unit wrote."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce_lib import record_files
from reproduce_lib.errors import RecordError
from reproduce_lib.record_files import Contents, RecordFile
from reproduce_lib.records import Adoption, Context, Record, Replay
from reproduce_lib.store import Store

PROJECT = Path(__file__).resolve().parents[1]


def context(code: str = "1") -> Context:
    return Context.of({"python": "3.11.7"}, "a processor", 1, {"prices.csv": "ab"}, {"reproduce_lib.m.f": code})


def record(key: str = "k0", mae: float = 1.5, code: str = "1", **changes: Any) -> Record:
    values: dict[str, Any] = {
        "key": key, "parameters": {"seed": 0, "last": None}, "metrics": {"mae": mae, "order": "(1, 1, 0)"}, "n": 252,
        "seconds": 3.25, "time": "2026-01-01T00:00:00Z", "context": context(code).id,
    }  # fmt: skip
    return Record(**{**values, **changes})


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    return RecordFile(tmp_path / "toy" / "fits.jsonl")


def fill(file: RecordFile, count: int = 3) -> list[bytes]:
    """Write some units; return the lines of the file: the context, then one per unit."""
    for number in range(count):
        file.append(context(), record(f"k{number}", mae=float(number)))
    return file.path.read_bytes().splitlines()


def rewrite(file: RecordFile, lines: list[bytes], end: bytes = b"\n") -> RecordFile:
    """Put other lines into the file; return a reader that knows nothing of before."""
    file.path.write_bytes(b"\n".join(lines) + end)
    return RecordFile(file.path)


def maes(contents: Contents) -> dict[str, Any]:
    return {key: one.metrics["mae"] for key, one in contents.records.items()}


def test_missing_file_says_nothing(file: RecordFile) -> None:
    contents = file.read()
    assert (contents.records, contents.contexts, contents.damaged) == ({}, {}, [])
    assert not file.path.parent.exists()


def test_what_is_appended_is_read_back_equal(file: RecordFile) -> None:
    assert file.append(context(), record(artifact="f" * 64))
    contents = RecordFile(file.path).read()
    assert contents.records == {"k0": record(artifact="f" * 64)}
    assert contents.contexts == {context().id: context()}
    assert contents.damaged == []


def test_lines_are_json_with_a_schema_and_the_context_stands_once(file: RecordFile) -> None:
    lines = [json.loads(line) for line in fill(file, 3)]
    assert [line["kind"] for line in lines] == ["context", "unit", "unit", "unit"]
    assert {line["schema"] for line in lines} == {1}
    assert lines[1]["parameters"] == {"seed": 0, "last": None}
    assert {line["context"] for line in lines[1:]} == {lines[0]["id"]}


def test_lines_stand_in_the_file_as_they_always_did() -> None:
    evidence = [Replay(key="k0", metric="mae", recorded=1, replayed=1.5, agrees=False, rule="r")]
    texts = [
        Context.of({"python": "3"}, "p", 1, {}, {"m.f": "ü"}).text(),
        record(context="c", parameters={"b": [1, None], "a": True}).text(),
        record(context="c", parameters={}, metrics={"n": 3}, seconds=3, artifact="f0").text(),
        Adoption(adopted=["b", "a"], context="c", evidence=evidence, time="t").text(),
    ]
    assert texts == [
        '{"schema":1,"kind":"context","id":"a59655284cf8aab2","versions":{"python":"3"},"processor":"p","threads":1,'
        '"data":{},"code":{"m.f":"\\u00fc"}}',
        '{"schema":1,"kind":"unit","key":"k0","parameters":{"b":[1,null],"a":true},"metrics":{"mae":1.5,'
        '"order":"(1, 1, 0)"},"n":252,"seconds":3.25,"time":"2026-01-01T00:00:00Z","context":"c"}',
        '{"schema":1,"kind":"unit","key":"k0","parameters":{},"metrics":{"n":3.0},"n":252,"seconds":3.0,'
        '"time":"2026-01-01T00:00:00Z","context":"c","artifact":"f0"}',
        '{"schema":1,"kind":"adoption","adopted":["b","a"],"context":"c","evidence":[{"key":"k0","metric":"mae",'
        '"recorded":1.0,"replayed":1.5,"agrees":false,"rule":"r"}],"time":"t"}',
    ]


def test_id_of_a_context_tells_its_content_and_not_its_order() -> None:
    def of(**changes: Any) -> str:
        values = {"versions": {"a": "1", "b": "2"}, "processor": "p", "threads": 1, "data": {}, "code": {}}
        return Context.of(**{**values, **changes}).id

    others = [
        of(versions={"a": "1"}), of(processor="q"), of(threads=2), of(data={"f": "0"}), of(code={"m.f": "0"}),
    ]  # fmt: skip
    assert of(versions={"b": "2", "a": "1"}) == of()
    assert len({of(), *others}) == 6


def test_the_last_line_of_a_key_wins(file: RecordFile) -> None:
    for mae in (1.0, 2.0, 3.0):
        assert file.append(context(), record(mae=mae))
    file.append(context(), record("k1", mae=9.0))
    assert maes(RecordFile(file.path).read()) == {"k0": 3.0, "k1": 9.0}
    assert len(file.path.read_bytes().splitlines()) == 5


def test_the_same_result_is_written_once_whatever_time_it_took(file: RecordFile) -> None:
    assert file.append(context(), record())
    before = file.path.read_bytes()
    assert not RecordFile(file.path).append(context(), record(seconds=99.0, time="2027-01-01T00:00:00Z"))
    assert file.path.read_bytes() == before


@pytest.mark.parametrize(
    "changes", [{"mae": 1.6}, {"n": 251}, {"artifact": "0" * 64}, {"code": "2"}, {"parameters": {"seed": 1}}]
)
def test_any_other_result_or_context_is_written(file: RecordFile, changes: dict[str, Any]) -> None:
    file.append(context(), record())
    assert file.append(context(changes.get("code", "1")), record(**changes))
    assert RecordFile(file.path).read().records["k0"] == record(**changes)


UNREADABLE: dict[str, dict[str, Any]] = {
    "not a number": {"metrics": {"mae": float("nan")}},
    "infinite": {"metrics": {"mae": float("inf")}},
    "infinite parameter": {"parameters": {"rate": float("-inf")}},
    "too large": {"metrics": {"mae": 10**400}},
    "no value": {"metrics": {"mae": None}},
    "another object": {"metrics": {"mae": object()}},
    "text for a number": {"n": "252"},
    "no time": {"time": None},
    "half a character": {"parameters": {"text": "\ud800"}},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
def test_what_could_not_be_read_back_is_refused_and_nothing_written(file: RecordFile, changes: dict[str, Any]) -> None:
    fill(file)
    before = file.path.read_bytes()
    with pytest.raises(ValueError, match=r"\S"):
        file.append(context("2"), record("k9", **changes, code="2"))
    assert file.path.read_bytes() == before


def test_numbers_of_numpy_are_written_as_what_they_are(file: RecordFile) -> None:
    metrics = {"a": np.float64(0.1), "b": np.float32(0.1), "c": np.int64(3), "d": np.str_("first")}
    file.append(context(), record(metrics=metrics, n=np.int64(252)))
    found = RecordFile(file.path).read().records["k0"]
    assert found.metrics == {"a": 0.1, "b": 0.10000000149011612, "c": 3.0, "d": "first"}
    assert (found.n, type(found.n), type(found.metrics["c"])) == (252, int, float)


TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.builds(
    record,
    key=TEXTS,
    parameters=st.dictionaries(TEXTS, JSON, max_size=5),
    metrics=st.dictionaries(TEXTS, st.floats(allow_nan=False, allow_infinity=False) | TEXTS, max_size=5),
    n=st.integers(),
    seconds=st.floats(allow_nan=False, allow_infinity=False),
    time=TEXTS,
    artifact=st.none() | TEXTS,
)


@settings(max_examples=200)
@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_any_record_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, written: list[Record]
) -> None:
    file = RecordFile(tmp_path_factory.getbasetemp() / "any" / "fits.jsonl")
    file.path.parent.mkdir(exist_ok=True)
    lines = [one.text().encode() for one in (context(), *written)]
    contents = rewrite(file, lines).read()
    expected = {one.key: one for one in written}
    assert (contents.records, contents.damaged) == (expected, [])
    # Equality holds 1, 1.0 and True, or 0.0 and -0.0, for the same; their texts tell them apart.
    assert [one.text() for one in contents.records.values()] == [one.text() for one in expected.values()]


def test_a_unit_is_on_the_disk_when_it_is_confirmed(file: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append((os.fstat(number).st_ino, os.fstat(number).st_size)))
    file.append(context(), record())
    status = file.path.stat()
    assert (status.st_ino, status.st_size) in synced


def test_floats_come_back_bit_by_bit(file: RecordFile) -> None:
    values = {f"m{number}": float(value) for number, value in enumerate(np.random.default_rng(0).normal(size=50) ** 9)}
    file.append(context(), record(metrics=values))
    assert RecordFile(file.path).read().records["k0"].metrics == values


def with_a_cut_end(lines: list[bytes]) -> tuple[list[bytes], bytes]:
    return [*lines[:-1], lines[-1][: len(lines[-1]) // 2]], b""


SPOILED: dict[str, Callable[[list[bytes]], tuple[list[bytes], bytes]]] = {
    "last line cut": with_a_cut_end,
    "line cut in the middle": lambda lines: ([*lines[:2], lines[2][:40], lines[3]], b"\n"),
    "garbage bytes": lambda lines: ([*lines[:2], b"\x00\xff\xfe{]", lines[3]], b"\n"),
    "two lines run together": lambda lines: ([*lines[:2], lines[2] + lines[2], lines[3]], b"\n"),
    "not an object": lambda lines: ([*lines[:2], b"[1, 2]", lines[3]], b"\n"),
    "other schema": lambda lines: ([*lines[:2], lines[2].replace(b'"schema":1', b'"schema":2'), lines[3]], b"\n"),
    "other kind": lambda lines: ([*lines[:2], lines[2].replace(b'"unit"', b'"thing"'), lines[3]], b"\n"),
    "unknown field": lambda lines: ([*lines[:2], lines[2].replace(b'{"schema"', b'{"x":1,"schema"'), lines[3]], b"\n"),
    "field gone": lambda lines: ([*lines[:2], lines[2].replace(b'"n":252,', b""), lines[3]], b"\n"),
    "text where a number was": lambda lines: ([*lines[:2], lines[2].replace(b"252", b'"many"'), lines[3]], b"\n"),
    "context unknown": lambda lines: (
        [*lines[:2], lines[2].replace(context().id.encode(), b"0" * 16), lines[3]],
        b"\n",
    ),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_one_unreadable_line_is_reported_and_costs_no_other_record(file: RecordFile, spoil: Any) -> None:
    whole = fill(file)
    lines, end = spoil(whole)
    (number,) = [n for n, (old, new) in enumerate(zip(whole, lines, strict=True), start=1) if old != new]
    reader = rewrite(file, lines, end)
    contents = reader.read()
    (damage,) = contents.damaged
    assert (damage.path, damage.number) == (file.path, number)
    assert damage.text == lines[number - 1].decode(errors="backslashreplace")
    assert f"{file.path}:{number}" in str(damage)
    assert "aside" not in str(damage)
    lost = f"k{number - 2}"
    assert set(contents.records) == {"k0", "k1", "k2"} - {lost}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('{"schema"', '{"extra":1,"schema"', "extra"),
        ('"n":252', '"n":"252"', r"`int`, got `str`.*\bn\b"),
        ('"n":252', '"n":252.5', r"`int`, got `float`.*\bn\b"),
        ('"seconds":3.25', '"seconds":null', "seconds"),
        ('"mae":0.0', '"mae":null', "metrics"),
        ('"mae":0.0', '"mae":true', "metrics"),
        ('"parameters":{', '"parameters":[],"x":{', "parameters"),
        ('"n":252,', "", "missing.*`n`"),
        ('"kind":"unit",', "", "missing.*`kind`"),
        ('"kind":"unit"', '"kind":"thing"', "thing.*kind"),
        ('"schema":1', '"schema":2', "2.*schema"),
        ('"schema":1', '"schema":"1"', "schema"),
        ('"mae":0.0', '"mae":NaN', "JSON"),
        ('"mae":0.0', '"mae":-Infinity', "JSON"),
        ('"mae":0.0', '"mae":1e999', "range.*metrics"),
        ('"seed":0', '"seed":' + "[" * 100_000, "recursion"),
    ],
)
def test_a_line_that_breaks_the_schema_is_damaged_and_the_reason_says_where(
    file: RecordFile, old: str, new: str, reason: str
) -> None:
    lines = fill(file)
    text = lines[1].decode()
    assert text.count(old) == 1
    contents = rewrite(file, [lines[0], text.replace(old, new).encode(), *lines[2:]]).read()
    (damage,) = contents.damaged
    assert (damage.number, damage.text) == (2, text.replace(old, new))
    assert re.search(reason, damage.reason)
    assert set(contents.records) == {"k1", "k2"}


def test_evidence_that_breaks_the_schema_damages_its_adoption(file: RecordFile) -> None:
    file.append(context(), record())
    evidence = [Replay(key="k0", metric="mae", recorded=1.5, replayed=1.5, agrees=True, rule="r")]
    file.adopt(context(), [context().id], evidence, "t")
    for old, new in ((b'"agrees":true', b'"agrees":"yes"'), (b'"rule":"r"', b'"rule":"r","x":1')):
        lines = file.path.read_bytes().splitlines()
        contents = rewrite(file, [*lines[:2], lines[2].replace(old, new)]).read()
        assert [damage.number for damage in contents.damaged] == [3]
        assert contents.adoptions == []
        rewrite(file, lines)


def test_a_file_read_at_once_says_what_it_says_read_line_by_line(file: RecordFile) -> None:
    lines = fill(file)
    file.append(context("2"), record("k1", mae=5.0, code="2"))
    file.adopt(context("3"), [context("1").id], [], "t")
    stranger = record("k8", context="0" * 16).text().encode()
    edited = context("4").text().replace("a processor", "another").encode()
    (_, *rest) = file.path.read_bytes().splitlines()[3:]
    mixed = [stranger, *lines[:2], b"junk", edited, b"", b" \r", lines[2][:40], lines[3], b"\xff{", *rest, rest[1][:9]]
    whole = rewrite(file, mixed).read()
    file.path.write_bytes(b"")
    step_by_step = RecordFile(file.path)
    for line in mixed:
        with file.path.open("ab") as same_file:
            same_file.write(line + b"\n")
        last = step_by_step.read()
    assert last == whole
    assert [damage.number for damage in whole.damaged] == [1, 4, 5, 8, 10, len(mixed)]
    assert maes(whole) == {"k0": 0.0, "k2": 2.0, "k1": 5.0}
    assert (set(whole.contexts), len(whole.adoptions)) == ({context(code).id for code in "123"}, 1)


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_unreadable_line_is_moved_aside_and_the_file_reads_clean(file: RecordFile, spoil: Any) -> None:
    whole = fill(file)
    lines, end = spoil(whole)
    reader = rewrite(file, lines, end)
    (damage,) = reader.set_damaged_aside()
    assert f"set aside in {file.path}.damaged" in str(damage)
    kept = [line for old, line in zip(whole, lines, strict=True) if old == line]
    assert file.path.read_bytes().splitlines() == kept
    assert Path(f"{file.path}.damaged").read_text(encoding="utf-8") == f"{damage.text}\n"
    for one in (reader, RecordFile(file.path)):
        assert (one.read().damaged, len(one.read().records)) == ([], 2)
    assert reader.append(context(), record("k9"))
    assert set(RecordFile(file.path).read().records) > {"k9"}


def test_damage_is_collected_over_time_and_a_sound_file_is_left_alone(file: RecordFile) -> None:
    lines = fill(file)
    assert rewrite(file, lines).set_damaged_aside() == []
    assert not Path(f"{file.path}.damaged").exists()
    for junk in (b"one", b"two"):
        rewrite(file, [*lines, junk]).set_damaged_aside()
    assert Path(f"{file.path}.damaged").read_text(encoding="utf-8") == "one\ntwo\n"
    assert file.path.read_bytes().splitlines() == lines


def test_records_of_a_lost_context_are_set_aside_with_it(file: RecordFile) -> None:
    fill(file, 2)
    file.append(context("2"), record("k2", code="2"))
    lines = file.path.read_bytes().splitlines()
    reader = rewrite(file, [lines[0][:50], *lines[1:]])
    assert [damage.number for damage in reader.set_damaged_aside()] == [1, 2, 3]
    assert set(reader.read().records) == {"k2"}


def test_a_file_cut_anywhere_keeps_every_line_before_the_cut(file: RecordFile) -> None:
    lines = fill(file)
    data = file.path.read_bytes()
    ends = [at for at, byte in enumerate(data) if byte == ord("\n")]
    for length in {*range(0, len(data), 9), *ends, *(end + 1 for end in ends)}:
        file.path.write_bytes(data[:length])
        contents = RecordFile(file.path).read()
        whole = data[:length].count(b"\n")
        assert len(contents.contexts) + len(contents.records) == whole
        assert len(contents.damaged) == (not data[:length].endswith(b"\n") and length > 0)
    assert len(lines) == 4


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_writing_goes_on_after_a_cut_line(file: RecordFile, share: float) -> None:
    lines = fill(file)
    rewrite(file, [*lines[:-1], lines[-1][: int(share * len(lines[-1]))]], b"")
    assert RecordFile(file.path).append(context(), record("k9"))
    contents = RecordFile(file.path).read()
    assert set(contents.records) == {"k0", "k1", "k9"}
    assert len(contents.damaged) == 1


def test_a_line_that_only_lacks_its_line_break_is_whole_after_the_next_write(file: RecordFile) -> None:
    rewrite(file, fill(file), b"").append(context(), record("k9"))
    contents = RecordFile(file.path).read()
    assert (set(contents.records), contents.damaged) == ({"k0", "k1", "k2", "k9"}, [])


JUNK = st.binary(max_size=60).map(lambda junk: junk.replace(b"\n", b"?"))


@settings(max_examples=60)
@given(st.lists(JUNK, max_size=4), st.integers(0, 4))
def test_no_bytes_between_the_lines_can_hide_a_record(
    tmp_path_factory: pytest.TempPathFactory, junk: list[bytes], place: int
) -> None:
    file = RecordFile(tmp_path_factory.getbasetemp() / "junk" / "fits.jsonl")
    file.path.parent.mkdir(exist_ok=True)
    lines = [one.text().encode() for one in (context(), record("k0"), record("k1"), record("k2"))]
    contents = rewrite(file, [*lines[:place], *junk, *lines[place:]]).read()
    assert set(contents.records) == {"k0", "k1", "k2"}
    assert [damage.number for damage in contents.damaged] == [
        place + number for number, one in enumerate(junk, start=1) if one.strip()
    ]


def test_a_reader_sees_what_others_wrote_since_and_keeps_what_it_knew(file: RecordFile) -> None:
    reader, writer = RecordFile(file.path), RecordFile(file.path)
    assert reader.read().records == {}
    for number in range(3):
        writer.append(context(), record(f"k{number}"))
        assert set(reader.read().records) == {f"k{one}" for one in range(number + 1)}


def test_a_second_reading_takes_up_where_the_first_one_ended(file: RecordFile) -> None:
    (_, first, *_) = fill(file)
    assert maes(file.read())["k0"] == 0.0
    data = file.path.read_bytes().replace(first, first.replace(b'"mae":0.0', b'"mae":7.0'))
    with file.path.open("r+b") as same_file:
        same_file.write(data)
    RecordFile(file.path).append(context(), record("k9", mae=9.0))
    assert maes(file.read()) == {"k0": 0.0, "k1": 1.0, "k2": 2.0, "k9": 9.0}
    assert maes(RecordFile(file.path).read())["k0"] == 7.0


def test_a_line_seen_half_is_read_whole_when_it_is_complete(file: RecordFile) -> None:
    lines = fill(file)
    reader = rewrite(file, [*lines[:-1], lines[-1][:30]], b"")
    assert len(reader.read().damaged) == 1
    with file.path.open("ab") as same_file:
        same_file.write(lines[-1][30:] + b"\n")
    assert (set(reader.read().records), reader.read().damaged) == ({"k0", "k1", "k2"}, [])


@pytest.mark.parametrize("change", ["replaced", "shortened", "gone"])
def test_a_reader_starts_again_when_the_file_is_another_one(file: RecordFile, change: str) -> None:
    lines = fill(file)
    reader = RecordFile(file.path)
    reader.read()
    if change == "replaced":
        new = file.path.with_name("new")
        new.write_bytes(b"\n".join([*lines[:2], record("k7").text().encode(), *lines[2:]]) + b"\n")
        new.replace(file.path)
    elif change == "shortened":
        rewrite(file, lines[:2])
    else:
        file.path.unlink()
    expected = {"replaced": {"k0", "k1", "k2", "k7"}, "shortened": {"k0"}, "gone": set()}[change]
    assert set(reader.read().records) == expected


def test_a_reader_is_not_misled_by_a_new_file_that_was_given_an_old_files_number(file: RecordFile) -> None:
    lines = fill(file)
    reader = rewrite(file, [*lines, b"junk"])
    reader.read()
    for _ in range(2):  # the second replacement takes the number that the first one set free
        with file.path.open("ab") as same_file:
            same_file.write(b"junk\n")
        RecordFile(file.path).set_damaged_aside()
    for number in range(3, 6):
        RecordFile(file.path).append(context(), record(f"k{number}"))
    assert set(reader.read().records) == {f"k{number}" for number in range(6)}
    assert reader.read().damaged == []


WRITER = """
import itertools, sys
from pathlib import Path
from reproduce_lib.record_files import RecordFile
from reproduce_lib.records import Context, Record

name, count = sys.argv[2], int(sys.argv[3])
context = Context.of({"python": name}, "p", 1, {}, {"m.f": name})
for number in range(count) if count else itertools.count():
    record = Record(key=f"{name}{number}", parameters={"text": "x" * 300}, metrics={"mae": 1.0}, n=1,
                    seconds=1.0, time="", context=context.id)
    assert RecordFile(Path(sys.argv[1])).append(context, record)
    print(record.key, flush=True)
"""


def writer(file: RecordFile, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(file.path), name, str(count)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE)


def test_two_processes_writing_at_once_lose_nothing_and_cut_nothing(file: RecordFile) -> None:
    with writer(file, "a", 50) as one, writer(file, "b", 50) as two:
        said = [process.communicate()[0].split() for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0]
    contents = file.read()
    assert contents.damaged == []
    assert set(contents.records) == {*said[0], *said[1]}
    kinds = [json.loads(line)["kind"] for line in file.path.read_bytes().splitlines()]
    assert (kinds.count("unit"), kinds.count("context")) == (100, 2)


def test_a_killed_writer_leaves_all_it_confirmed_and_at_most_one_cut_last_line(file: RecordFile) -> None:
    confirmed: set[str] = set()
    for attempt in range(3):
        with writer(file, f"w{attempt}-", 0) as process:
            assert process.stdout is not None
            confirmed |= {process.stdout.readline().strip() for _ in range(5)}
            time.sleep(0.013 * attempt)
            process.kill()
            confirmed |= {line.strip() for line in process.stdout.read().split("\n")[:-1]}
        contents = RecordFile(file.path).read()
        assert confirmed <= set(contents.records)
        last = file.path.read_bytes().count(b"\n") + 1
        assert [damage.number for damage in contents.damaged] in ([], [last])
        RecordFile(file.path).set_damaged_aside()
    assert RecordFile(file.path).append(context(), record("after"))
    assert len(confirmed) >= 15


def test_adoption_lets_old_records_hold_for_the_new_code(file: RecordFile) -> None:
    file.append(context("1"), record("k0"))
    file.append(context("2"), record("k1", code="2"))
    evidence = [Replay(key="k0", metric="mae", recorded=1.5, replayed=1.5, agrees=True, rule="equal to 1e-6")]
    file.adopt(context("3"), [context("1").id], evidence, "2026-02-02T00:00:00Z")
    contents = RecordFile(file.path).read()
    assert contents.codes(contents.records["k0"]) == [context("1").code, context("3").code]
    assert contents.codes(contents.records["k1"]) == [context("2").code]
    (adoption,) = contents.adoptions
    assert (adoption.evidence, adoption.adopted) == (evidence, [context("1").id])
    assert contents.records["k0"] == record("k0")


def test_a_later_adoption_is_the_last_of_the_accepted_codes(file: RecordFile) -> None:
    file.append(context("1"), record("k0"))
    for code in ("2", "3"):
        file.adopt(context(code), [context("1").id], [], "2026-02-02T00:00:00Z")
    contents = RecordFile(file.path).read()
    assert contents.codes(contents.records["k0"])[-1] == context("3").code
    assert len(contents.codes(contents.records["k0"])) == 3


def test_adoption_of_code_that_is_not_in_the_file_is_damaged(file: RecordFile) -> None:
    file.append(context("1"), record("k0"))
    file.adopt(context("2"), [context("1").id], [], "2026-02-02T00:00:00Z")
    lines = file.path.read_bytes().splitlines()
    contents = rewrite(
        file, [line for line in lines if context("2").id.encode() not in line or b"adoption" in line]
    ).read()
    assert (len(contents.damaged), contents.adoptions) == (1, [])
    assert contents.codes(contents.records["k0"]) == [context("1").code]


def test_pruning_keeps_the_last_record_of_each_named_unit_and_what_it_stands_on(file: RecordFile) -> None:
    file.append(context("1"), record("left", mae=0.0))
    file.append(context("2"), record("k0", mae=1.0, code="2"))
    file.append(context("2"), record("k0", mae=2.0, code="2"))
    file.append(context("3"), record("k1", mae=3.0, code="3"))
    file.adopt(context("4"), [context("3").id], [], "2026-02-02T00:00:00Z")
    file.adopt(context("5"), [context("1").id], [], "2026-02-02T00:00:00Z")
    before = file.read()
    whole = file.path.read_bytes()
    assert file.prune({"k0", "k1", "never run"}, dry_run=True) == 2
    assert file.path.read_bytes() == whole
    assert file.prune({"k0", "k1", "never run"}) == 2
    after = RecordFile(file.path).read()
    assert after.records == {key: before.records[key] for key in ("k0", "k1")}
    assert set(after.contexts) == {context(code).id for code in ("2", "3", "4")}
    assert [after.codes(one) for one in after.records.values()] == [
        before.codes(before.records[k]) for k in ("k0", "k1")
    ]
    assert (len(after.adoptions), after.damaged, file.prune({"k0", "k1"})) == (1, [], 0)
    assert file.read() == after, "a reader of before sees that the file is another one"


def test_pruning_keeps_lines_that_cannot_be_read_where_they_are(file: RecordFile) -> None:
    lines = fill(file)
    file = rewrite(file, [*lines[:2], b"{not a record", *lines[2:], lines[-1][:40]], end=b"")
    damaged = file.read().damaged
    assert (file.prune({"k2"}), len(damaged)) == (2, 2)
    after = file.read()
    assert (list(after.records), [line.text for line in after.damaged]) == (["k2"], [line.text for line in damaged])


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "toy").write_text("a file where the folder should be", encoding="utf-8")
    file = RecordFile(tmp_path / "toy" / "fits.jsonl")
    attempts: list[Callable[[], object]] = [
        file.read,
        lambda: file.append(context(), record()),
        lambda: file.adopt(context(), [], [], ""),
        lambda: Store(tmp_path / "other", tmp_path).write("toy", "f", context(), record(), {"error": np.zeros(2)}),
    ]
    for attempt in attempts:
        with pytest.raises(RecordError) as refusal:
            attempt()
        assert str(tmp_path / "toy") in str(refusal.value)


def test_a_folder_in_the_place_of_the_file_is_one_clear_error(file: RecordFile) -> None:
    file.path.mkdir(parents=True)
    for attempt in (file.read, lambda: file.append(context(), record()), file.set_damaged_aside):
        with pytest.raises(RecordError, match=r"fits\.jsonl"):
            attempt()


def test_damage_that_cannot_be_set_aside_stays_and_is_one_clear_error(file: RecordFile) -> None:
    reader = rewrite(file, [*fill(file), b"junk"])
    before = file.path.read_bytes()
    Path(f"{file.path}.damaged").mkdir()
    with pytest.raises(RecordError, match=r"fits\.jsonl"):
        reader.set_damaged_aside()
    assert file.path.read_bytes() == before


def test_a_writer_that_never_ends_is_reported_and_not_waited_for_without_end(
    file: RecordFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_files, "LOCK_SECONDS", 0.05)
    file.path.parent.mkdir()
    with FileLock(f"{file.path}.lock"), pytest.raises(RecordError, match=str(file.path.parent)):
        file.append(context(), record())
    assert file.append(context(), record())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records", tmp_path / "artifacts")


ARRAYS = {
    "error": np.random.default_rng(0).normal(size=252).astype(np.float32),
    "loss": np.array([[1.0, 2.0]]),
    "names": np.array(["TSLA", "GOOG"]),
    "empty": np.zeros((0, 3)),
}


def test_store_keeps_records_by_paper_and_experiment(store: Store) -> None:
    store.file("toy", "fits").append(context(), record())
    assert (store.records / "toy" / "fits.jsonl").is_file()
    assert store.file("toy", "others").read().records == {}


def test_store_reads_of_a_file_only_what_it_has_not_read_yet(store: Store) -> None:
    for number in range(3):
        store.file("toy", "fits").append(context(), record(f"k{number}", mae=1.5))
    store.file("toy", "fits").read()
    path = store.records / "toy" / "fits.jsonl"
    known = path.read_bytes()
    with path.open("r+b") as same_file:
        same_file.write(known.replace(b'"mae":1.5', b'"mae":7.5', 1))
    Store(store.records, store.artifacts).file("toy", "fits").append(context(), record("k9", mae=9.0))
    assert maes(store.file("toy", "fits").read()) == {"k0": 1.5, "k1": 1.5, "k2": 1.5, "k9": 9.0}


def test_what_a_store_returned_once_stays_as_it_was(store: Store) -> None:
    store.file("toy", "fits").append(context(), record("k0"))
    before = store.file("toy", "fits").read()
    store.file("toy", "fits").append(context("2"), record("k1", code="2"))
    store.file("toy", "fits").adopt(context("3"), [context().id], [], "t")
    with (store.records / "toy" / "fits.jsonl").open("ab") as file:
        file.write(b"junk\n")
    after = store.file("toy", "fits").read()
    assert (len(before.records), len(before.contexts), before.adoptions, before.damaged) == (1, 1, [], [])
    assert (len(after.records), len(after.contexts), len(after.adoptions), len(after.damaged)) == (2, 3, 1, 1)


def test_threads_that_share_a_store_lose_nothing_and_read_no_line_twice(store: Store) -> None:
    def write_and_read(number: int) -> bool:
        assert store.file("toy", "fits").append(context(), record(f"k{number}", mae=float(number)))
        return f"k{number}" in store.file("toy", "fits").read().records

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(write_and_read, range(120))) == 120
    with (store.records / "toy" / "fits.jsonl").open("ab") as file:
        file.write(b"junk\n")
    contents = store.file("toy", "fits").read()
    assert maes(contents) == {f"k{number}": float(number) for number in range(120)}
    assert [damage.number for damage in contents.damaged] == [122]


def test_a_file_that_was_edited_in_place_is_read_anew(store: Store) -> None:
    store.file("toy", "fits").append(context(), record(mae=1.5))
    assert maes(store.file("toy", "fits").read()) == {"k0": 1.5}
    path = store.records / "toy" / "fits.jsonl"
    edited = path.read_bytes().replace(b'"mae":1.5', b'"mae":7.5')
    with path.open("r+b") as same_file:
        same_file.write(edited)
    os.utime(path, (1, 1))  # a clock may be too coarse to tell two writes apart
    assert maes(store.file("toy", "fits").read()) == {"k0": 7.5}


def with_arrays(store: Store, arrays: dict[str, Any] = ARRAYS, key: str = "k0", **changes: Any) -> Record:
    """Write a unit with arrays; return its record as it stands in the file."""
    assert store.write("toy", "fits", context(), record(key, **changes), arrays)
    return store.file("toy", "fits").read().records[key]


def test_arrays_come_back_with_their_types(store: Store) -> None:
    written = with_arrays(store)
    found = store.read_arrays("toy", written)
    assert written.artifact == hashlib.sha256((store.artifacts / "toy" / "k0.npz").read_bytes()).hexdigest()
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_the_same_arrays_make_the_same_file(store: Store) -> None:
    moved = {**ARRAYS, "error": ARRAYS["error"] + 1}
    one, same, other = (with_arrays(store, arrays, f"k{n}") for n, arrays in enumerate((ARRAYS, ARRAYS, moved)))
    assert one.artifact == same.artifact
    assert one.artifact != other.artifact


def spoil_arrays(path: Path, change: str) -> None:
    data = path.read_bytes()
    if change in ("gone", "a folder"):
        path.unlink()
    if change == "a folder":
        path.mkdir()
    elif change != "gone":
        path.write_bytes(
            {"edited": bytes([data[0] ^ 1]) + data[1:], "cut": data[:-1], "longer": data + b"junk"}[change]
        )


@pytest.mark.parametrize("change", ["edited", "cut", "longer", "gone", "a folder"])
def test_arrays_that_are_not_what_the_unit_wrote_are_known_and_refused(store: Store, change: str) -> None:
    written = with_arrays(store)
    assert store.has_arrays("toy", written)
    path = store.artifacts / "toy" / "k0.npz"
    spoil_arrays(path, change)
    assert not store.has_arrays("toy", written)
    with pytest.raises(RecordError) as refusal:
        store.read_arrays("toy", written)
    assert "k0" in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("change", ["edited", "cut", "longer", "gone"])
def test_arrays_that_do_not_fit_are_written_again_and_their_line_is_not(store: Store, change: str) -> None:
    written = with_arrays(store)
    before = (store.records / "toy" / "fits.jsonl").read_bytes()
    assert not store.write("toy", "fits", context(), record(seconds=9.0), ARRAYS)
    spoil_arrays(store.artifacts / "toy" / "k0.npz", change)
    assert store.write("toy", "fits", context(), record(seconds=9.0), ARRAYS)
    assert list(store.read_arrays("toy", written)) == list(ARRAYS)
    assert (store.records / "toy" / "fits.jsonl").read_bytes() == before


def test_pruning_removes_the_arrays_of_other_units_alone(store: Store) -> None:
    for key in ("k0", "k1"):
        store.write("toy", "fits", context(), record(key), {"curve": np.arange(3.0)})
    assert store.prune_arrays("toy", {"k1"}, dry_run=True) == 1
    assert store.prune_arrays("toy", {"k1"}) == 1
    kept = store.file("toy", "fits").read().records
    assert (store.has_arrays("toy", kept["k0"]), store.has_arrays("toy", kept["k1"])) == (False, True)


def test_a_record_without_arrays_has_none(store: Store) -> None:
    with_arrays(store)
    assert not store.has_arrays("toy", record())
    with pytest.raises(RecordError, match="k0"):
        store.read_arrays("toy", record())


def test_no_array_is_written_while_another_writer_holds_the_records(store: Store) -> None:
    written = with_arrays(store, mae=1.0)
    with ThreadPoolExecutor(1) as threads:
        with FileLock(store.records / "toy" / "fits.jsonl.lock"):
            waiting = threads.submit(with_arrays, store, {"error": np.ones(3)}, mae=2.0)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            assert store.has_arrays("toy", written)
        assert store.has_arrays("toy", waiting.result(timeout=10))


# Writes a unit with arrays, then again with others, and is killed before the n-th time that it touches a file.
KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from reproduce_lib.records import Context, Record
from reproduce_lib.store import Store

def write(folder, n):
    context = Context.of({}, "", 1, {}, {})
    record = Record(key="k0", parameters={}, metrics={"mae": 1.0}, n=n, seconds=1.0, time="", context=context.id)
    Store(folder / "records", folder / "artifacts").write("toy", "fits", context, record, {"error": np.full(9, n)})

def kill_at(moment):
    passed = iter(range(moment))
    def hook(event, arguments):
        # To kill is an event, too.
        if event.split(".")[0] in ("open", "os", "fcntl") and event != "os.kill" and next(passed, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for moment in range(1000):
    folder = Path(sys.argv[1]) / str(moment)
    write(folder, 1)
    child = os.fork()
    if not child:
        kill_at(moment)
        write(folder, 2)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
"""


def test_a_kill_at_any_instant_leaves_arrays_that_fit_or_are_known_not_to(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_WRITER, str(tmp_path)], cwd=PROJECT, check=True)
    found = []
    for moment in range(len(list(tmp_path.iterdir()))):
        store = Store(tmp_path / str(moment) / "records", tmp_path / str(moment) / "artifacts")
        written = store.file("toy", "fits").read().records["k0"]
        if store.has_arrays("toy", written):
            assert store.read_arrays("toy", written)["error"].tolist() == [written.n] * 9
            found.append(str(written.n))
        else:
            found.append("neither")
            store.write("toy", "fits", context(), record(), ARRAYS)
            assert list(store.read_arrays("toy", store.file("toy", "fits").read().records["k0"])) == list(ARRAYS)
    assert len(found) > 5
    assert found == sorted(found, key=["1", "neither", "2"].index)
    assert {"1", "neither", "2"} == set(found)


def test_arrays_of_objects_are_never_written(store: Store) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        with_arrays(store, {"objects": np.array([{}, None], dtype=object)})
    assert not store.artifacts.exists()
    assert not store.records.exists()


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.target),))

    def __init__(self, target: Path) -> None:
        self.target = str(target)


def read_as_arrays(store: Store, data: bytes) -> dict[str, Any]:
    """Put bytes where a unit's arrays are, and read them by a record that has their digest."""
    path = store.artifacts / "toy" / "k0.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return store.read_arrays("toy", record(artifact=hashlib.sha256(data).hexdigest()))


@pytest.mark.parametrize("form", ["npz", "pickle"])
def test_arrays_of_objects_are_never_loaded_even_with_the_right_digest(store: Store, tmp_path: Path, form: str) -> None:
    buffer = io.BytesIO()
    if form == "npz":
        np.savez(buffer, bomb=np.array([Bomb(tmp_path / "exploded")], dtype=object))
    else:
        pickle.dump(Bomb(tmp_path / "exploded"), buffer)
    with pytest.raises(RecordError, match=r"k0\.npz"):
        read_as_arrays(store, buffer.getvalue())
    assert not (tmp_path / "exploded").exists()


def one_bare_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


def with_a_damaged_member() -> bytes:
    """Return an archive in which compressed bytes were changed: to expand them raises what no archive does."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(1000))
    data = bytearray(buffer.getvalue())
    data[60:90] = bytes(30)
    return bytes(data)


def with_an_array_of_terabytes() -> bytes:
    buffer, header = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", header.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"no arrays", b"PK\x03\x04 cut", one_bare_array(), with_a_damaged_member(), with_an_array_of_terabytes()],
    ids=["nothing", "words", "cut", "one array", "damaged", "terabytes"],
)
def test_file_that_holds_no_arrays_is_named_even_with_the_right_digest(store: Store, data: bytes) -> None:
    with pytest.raises(RecordError, match=r"k0\.npz"):
        read_as_arrays(store, data)


def test_an_edited_context_is_set_aside_with_the_records_that_stand_on_it(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "p" / "e.jsonl")
    assert file.append(context(), record())
    text = file.path.read_text(encoding="utf-8")
    file.path.write_text(text.replace("a processor", "another one", 1), encoding="utf-8")
    contents = RecordFile(file.path).read()
    assert not contents.records
    assert [line.number for line in contents.damaged] == [1, 2]
