"""Ways to spoil a file, each drawn from a seed: what cuts, disks, editors, spreadsheets and attackers do."""

from __future__ import annotations

import codecs
import gzip
import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]
NUMBER = re.compile(rb"-?\d+\.?\d*")
STRANGE = (
    b"inf", b"-inf", b"nan", b"NaN", b"1e999", b"-1e999", b"1e308", b"-999999", b"0", b"-0", b"", b" ", b"null",
    b"None", b"now", b"today", b"NaT", b"9999-12-31", b"0000-00-00", b"1677-09-21", b"2262-04-12T00:00:00Z",
    b"29 February", b"1,5", b"0x1F", b"1_000", b"\xd9\xa3", b"\xef\xbc\x95", b"=1+1",
    b"<script>alert(1)</script>", b"'; DROP TABLE",
    b'"', b'""', b"\\", b"\x00", b"\r", b"\n", b"\t", b"\xff\xfe", b"../../etc/passwd", b"9" * 400, b"x" * 200_000,
)  # fmt: skip


def cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def cut_front(data: bytes, draw: random.Random) -> bytes:
    return data[draw.randrange(len(data)) :]


def flip_bits(data: bytes, draw: random.Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 8, 64))):
        spoiled[draw.randrange(len(spoiled))] ^= 1 << draw.randrange(8)
    return bytes(spoiled)


def overwrite(data: bytes, draw: random.Random) -> bytes:
    begin, length = draw.randrange(len(data)), draw.choice((1, 4, 64, 4096))
    return data[:begin] + draw.randbytes(min(length, len(data) - begin)) + data[begin + length :]


def blank_block(data: bytes, draw: random.Random) -> bytes:
    """Put zeros where a disk lost a block."""
    begin, length = draw.randrange(len(data)), draw.choice((16, 512, 4096))
    return data[:begin] + bytes(min(length, len(data) - begin)) + data[begin + length :]


def drop_block(data: bytes, draw: random.Random) -> bytes:
    begin = draw.randrange(len(data))
    return data[:begin] + data[begin + draw.choice((1, 16, 512)) :]


def repeat_block(data: bytes, draw: random.Random) -> bytes:
    begin, length = draw.randrange(len(data)), draw.choice((1, 16, 512))
    return data[:begin] + data[begin : begin + length] * draw.choice((2, 3, 50)) + data[begin + length :]


def join(data: bytes, draw: random.Random) -> bytes:
    return data + data[draw.randrange(len(data)) :]


def recode(data: bytes, draw: random.Random) -> bytes:
    text = data.decode("utf-8", errors="replace")
    coding = draw.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1", "cp037", "gb18030", "shift_jis"))
    return text.encode(coding, errors="replace")


def mark_order(data: bytes, draw: random.Random) -> bytes:
    marks = (codecs.BOM_UTF8, codecs.BOM_UTF8 * 2, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE)
    return draw.choice(marks) + data


def end_lines(data: bytes, draw: random.Random) -> bytes:
    return data.replace(b"\n", draw.choice((b"\r\n", b"\r", b"\n\n", b"\n \n", b"\x0b", b"\xe2\x80\xa8")))


def write_strange(data: bytes, draw: random.Random) -> bytes:
    """Write something strange in place of some number."""
    found = list(NUMBER.finditer(data, draw.randrange(len(data))))[:200] or list(NUMBER.finditer(data))[:200]
    if not found:
        return data + draw.choice(STRANGE)
    begin, end = draw.choice(found).span()
    return data[:begin] + draw.choice(STRANGE) + data[end:]


def insert_strange(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data))
    return data[:place] + draw.choice(STRANGE) + data[place:]


def _rows(data: bytes) -> tuple[bytes, list[list[bytes]]]:
    separator = b"\t" if data.count(b"\t") > data.count(b",") else b","
    return separator, [line.split(separator) for line in data.split(b"\n")]


def _joined(separator: bytes, rows: list[list[bytes]]) -> bytes:
    return b"\n".join(separator.join(row) for row in rows)


def shuffle_columns(data: bytes, draw: random.Random) -> bytes:
    separator, rows = _rows(data)
    order = draw.sample(range(len(rows[0])), len(rows[0]))
    return _joined(separator, [[row[i] for i in order] if len(row) == len(order) else row for row in rows])


def drop_column(data: bytes, draw: random.Random) -> bytes:
    """Leave a column out, of all rows, or of the header or of one row alone."""
    separator, rows = _rows(data)
    place, header = draw.randrange(len(rows[0])), len(rows[0])
    chosen = draw.choice((range(len(rows)), range(1), range(1, len(rows)), [draw.randrange(len(rows))]))
    kept = [row[:place] + row[place + 1 :] if i in chosen and len(row) == header else row for i, row in enumerate(rows)]
    return _joined(separator, kept)


def add_column(data: bytes, draw: random.Random) -> bytes:
    separator, rows = _rows(data)
    chosen = draw.choice((range(len(rows)), range(1), range(1, len(rows)), [draw.randrange(len(rows))]))
    cell = draw.choice((b"", b"0", rows[0][0]))
    return _joined(separator, [[*row, cell] if i in chosen and row != [b""] else row for i, row in enumerate(rows)])


def swap_fields(data: bytes, draw: random.Random) -> bytes:
    """Exchange two fields, in all rows below the header or in one."""
    separator, rows = _rows(data)
    one, other = draw.randrange(len(rows[0])), draw.randrange(len(rows[0]))
    chosen = draw.choice((range(1, len(rows)), [draw.randrange(len(rows))]))
    for row in (rows[i] for i in chosen if len(rows[i]) == len(rows[0])):
        row[one], row[other] = row[other], row[one]
    return _joined(separator, rows)


def shuffle_rows(data: bytes, draw: random.Random) -> bytes:
    header, *rows = data.rstrip(b"\n").split(b"\n")
    draw.shuffle(rows)
    return b"\n".join([header, *rows]) + b"\n"


def repeat_row(data: bytes, draw: random.Random) -> bytes:
    rows = data.rstrip(b"\n").split(b"\n")
    rows.insert(draw.randrange(len(rows) + 1), draw.choice(rows))
    return b"\n".join(rows) + b"\n"


def drop_row(data: bytes, draw: random.Random) -> bytes:
    rows = data.split(b"\n")
    del rows[draw.randrange(len(rows))]
    return b"\n".join(rows)


def empty(data: bytes, draw: random.Random) -> bytes:
    return draw.choice((b"", b"\n", b"\x00", b" ", codecs.BOM_UTF8, data.partition(b"\n")[0]))


def within_zip(data: bytes, draw: random.Random) -> bytes:
    """Spoil what a zip archive holds, and pack it again: checksums find nothing then."""
    packed = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
            names = old.namelist()
            spoiled = draw.choice(names)
            for name in names:
                content = old.read(name)
                new.writestr(name, draw.choice(OF_BYTES)(content or b"\n", draw) if name == spoiled else content)
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, KeyError, NotImplementedError, zlib.error):
        return flip_bits(data, draw)  # spoiled before, so that it is no archive any more
    return packed.getvalue()


def within_gzip(data: bytes, draw: random.Random) -> bytes:
    try:
        text = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return flip_bits(data, draw)
    return gzip.compress(draw.choice(OF_TEXT)(text or b"\n", draw), compresslevel=1, mtime=0)


OF_BYTES: tuple[Mutation, ...] = (
    cut, cut_front, flip_bits, overwrite, blank_block, drop_block, repeat_block, join, insert_strange, empty,
)  # fmt: skip
OF_TEXT: tuple[Mutation, ...] = (
    *OF_BYTES, recode, mark_order, end_lines, write_strange, write_strange, shuffle_columns, drop_column, add_column,
    swap_fields, shuffle_rows, repeat_row, drop_row,
)  # fmt: skip
OF_ZIP: tuple[Mutation, ...] = (*OF_BYTES, *len(OF_BYTES) * [within_zip])
OF_GZIP: tuple[Mutation, ...] = (*OF_BYTES, *len(OF_BYTES) * [within_gzip])


def mutate(data: bytes, mutations: tuple[Mutation, ...], seed: int) -> bytes:
    """Spoil a file once, or, one time in four, several times."""
    draw = random.Random(seed)
    for _ in range(draw.choice((1, 1, 1, 3))):
        data = draw.choice(mutations)(data or b"\n", draw)
    return data
