"""Bombs for each reader: tables and markup without end, archives that expand without end, arrays that are not there.

``python -m tests.faults.reader_bombs NAME...`` sets off each in a process of its own with little memory, and prints one
JSON object: bomb -> what its reader said.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from reproduce_lib.data.continuous import LARGEST_BYTES
from reproduce_lib.errors import DataError
from tests.faults.bombs import (
    EXPANDED,
    array_that_claims,
    cpu_seconds,
    lying_zip,
    tar_header,
    tar_of_zeros,
    zeros_gzipped,
    zip_of_zeros,
)
from tests.faults.loaders import LOADERS, Loader
from tests.faults.mutations import OF_ARRAYS, OF_BYTES, OF_GZIP, OF_TEXT, OF_ZIP
from tests.faults.spoil_files import virtual_bytes
from tests.support import PROJECT

MOST_BYTES, MOST_SECONDS = 2**30, 10
# As large as a table may be: what is larger is refused unread.
FULL = 2**26 - 2**20
HUGE = 500 * 10**6
# The same of miniSEED, and the length of its records.
MSEED_FULL, MSEED_RECORD = LARGEST_BYTES - 4096, 512

Make = Callable[[bytes], bytes]


def repeated(piece: bytes, size: int = FULL) -> bytes:
    return piece * (size // len(piece))


def last_row(data: bytes) -> bytes:
    """Return a row that a table may end with, of a spreadsheet one that stands in it."""
    if b"</Row>" in data:
        begin = data.rindex(b"<Row>")
        return data[begin : data.index(b"</Row>", begin) + len(b"</Row>\n")]
    return data.rstrip(b"\r\n").rpartition(b"\n")[2] + b"\n"


def with_rows(data: bytes, rows: bytes) -> bytes:
    """Put rows where others end."""
    end = data.rindex(b"</Row>") + len(b"</Row>") if b"</Row>" in data else len(data.rstrip(b"\r\n"))
    return data[:end] + b"\n" + rows + data[end:]


def of_columns(data: bytes) -> bytes:
    separator = b"\t" if data.count(b"\t") > data.count(b",") else b","
    header, _, rest = data.partition(b"\n")
    return header + repeated(separator + b"x") + b"\n" + rest


OF_TABLES: dict[str, Make] = {
    "a line of 500 MB": lambda data: with_rows(data, repeated(b"x", HUGE)),
    "a long line": lambda data: with_rows(data, repeated(b"x")),
    "a row of millions of fields": lambda data: with_rows(data, repeated(b"1,\t")),
    "a header of millions of columns": of_columns,
    "millions of rows": lambda data: with_rows(data, repeated(last_row(data))),
    "millions of blank lines": lambda data: with_rows(data, repeated(b"\n")),
    "millions of rows of nothing": lambda data: with_rows(data, repeated(b",\n")),
    "a quotation of millions of lines": lambda data: with_rows(data, repeated(b'"\n",')),
}
OF_MARKUP: dict[str, Make] = {
    "millions of elements": lambda data: with_rows(data, repeated(b"<x/>")),
    "millions within each other": lambda data: with_rows(data, repeated(b"<x>")),
    "a row of millions of cells": lambda data: with_rows(data, b"<Row>" + repeated(b"<Data/>") + b"</Row>"),
    "millions of names": lambda data: with_rows(data, b"".join(b"<x%d/>" % number for number in range(10**6))),
    "millions of attributes": lambda data: with_rows(data, b"<Row" + repeated(b"\na1234567='>'") + b"/>"),
    "a comment without end": lambda data: with_rows(data, b"<!--" + repeated(b"<x\n")),
    "an instruction without end": lambda data: with_rows(data, b"<?x " + repeated(b"<x\n")),
}
OF_GZIPPED: dict[str, Make] = {"gzip": lambda _: zeros_gzipped(EXPANDED), "tar": lambda _: tar_of_zeros(b"0")}
OF_TAR: dict[str, Make] = {
    "extended header": lambda _: tar_of_zeros(b"x"),
    "long name": lambda _: tar_of_zeros(b"L"),
    "sparse": lambda _: tar_header(EXPANDED, b"S"),
}
OF_ZIPPED: dict[str, Make] = {
    "zip": lambda _: zip_of_zeros(zipfile.ZIP_DEFLATED),
    "zip of the table": lambda _: zip_of_zeros(zipfile.ZIP_DEFLATED, "toy/prices.csv"),
    "zip that lies": lambda _: lying_zip(zipfile.ZIP_DEFLATED),
    "zip that lies, bzip2": lambda _: lying_zip(zipfile.ZIP_BZIP2),
    "terabytes of numbers": lambda _: array_that_claims("(1000000000000, 3)", "<f4"),
    "terabytes of nothing": lambda _: array_that_claims("(1000000000000,)", "|S0"),
}


def of_a_record(change: Callable[[bytearray], None]) -> Make:
    """Return what fills a file that is just not too large with copies of its first record, changed."""

    def make(data: bytes) -> bytes:
        record = bytearray(data[:MSEED_RECORD])
        change(record)
        return repeated(bytes(record), MSEED_FULL)

    return make


def claim_most_samples(record: bytearray) -> None:
    record[30:32] = b"\xff\xff"


OF_RECORDS: dict[str, Make] = {
    "records that claim to hold most samples": of_a_record(claim_most_samples),
    "one record again and again": of_a_record(lambda record: None),
    "a full file again and again": lambda data: repeated(data, MSEED_FULL),
    "again and again": repeated,
    "its begin again and again": lambda data: repeated(data[:128]),
    "zeros": lambda _: bytes(FULL),
    "500 MB": lambda data: repeated(data, HUGE),
}


def bombs_of(loader: Loader) -> dict[str, Make]:
    """Return what may be done to a reader by the kind of its file."""
    markup = OF_MARKUP if loader.file.endswith(".xls") else {}
    kinds = {
        OF_TEXT: {**OF_TABLES, **markup}, OF_BYTES: OF_RECORDS, OF_GZIP: {**OF_GZIPPED, **OF_TAR}, OF_ZIP: OF_ZIPPED,
        OF_ARRAYS: OF_ZIPPED,
    }  # fmt: skip
    return kinds[loader.mutations]


def all_bombs() -> Iterator[tuple[str, Callable[[], str]]]:
    for name, loader in LOADERS.items():
        for bomb, make in bombs_of(loader).items():
            yield f"{name}: {bomb}", partial(read, loader, make)


def read(loader: Loader, make: Make) -> str:
    """Read a bomb within limits, in this process, which keeps them."""
    loader.parse(loader.real())  # what it loads first is not the bomb's
    data = make(loader.real())
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes() + MOST_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds()) + MOST_SECONDS, MOST_SECONDS * 100))
    warnings.simplefilter("ignore")
    try:
        loader.check(loader.parse(data))
    except DataError as error:
        file = loader.file.rpartition("/")[2]
        return "refused" if file in str(error) and len(str(error)) < 1000 else f"without a file, or at length: {error}"
    return "read"


def in_a_fork(call: Callable[[], str]) -> str:
    """Return what a call says in a child of this process, or how that ended."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        said = "died"
        try:
            said = call()
        except BaseException as error:
            said = f"crashed: {error!r}"[:300]
        finally:
            os.write(into, said.encode()[:4000])
            os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as stream:
        said = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return said or f"ended with status {status}"


def set_off(*names: str) -> dict[str, str]:
    """Set off bombs in a process of their own; return what their readers said."""
    command = [sys.executable, "-m", "tests.faults.reader_bombs", *names]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=3600)
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def main(*names: str) -> dict[str, str]:
    known = dict(all_bombs())
    return {name: in_a_fork(known[name]) for name in itertools.chain(names)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
