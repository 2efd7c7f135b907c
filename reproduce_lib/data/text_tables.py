"""Tables of text that others wrote: read whole, or refused with the file, the line and the reason.

pandas guesses: it takes a surplus field for an index, fills what a short line lacks, and renames the second of two
columns. Here a line has as many fields as the header or the table is refused. A cell is text; the index is the line
of the file that a row ends on, for whoever refuses a value later.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from reproduce_lib.errors import DataError

# No table that is pinned has a twentieth of it.
LARGEST_BYTES = 2**26
# Characters that no table has: what is left is a picture, an archive or a text of two bytes a character.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def read_table(
    data: bytes,
    name: str,
    columns: Sequence[str],
    *,
    others: Sequence[str] = (),
    separator: str = ",",
    encoding: str = "utf-8-sig",
) -> pd.DataFrame:
    """Return ``columns``, and those of ``others`` that are there, as text without blanks around it; missing if empty.

    Raises
    ------
    DataError
        With the file, the line and the reason: not text, too large, a column missing or twice, a line too short or
        too long.
    """
    rows = _rows(decoded(data, name, encoding), name, separator)
    _, header = next(rows, (1, []))
    if absent := [column for column in columns if column not in header]:
        raise DataError(f"{name}: no column {', '.join(absent)}; it has {', '.join(header)[:200] or 'none'}")
    wanted = [*columns, *(column for column in others if column in header)]
    if twice := [column for column in wanted if header.count(column) > 1]:
        raise DataError(f"{name}: line 1: two columns are named {twice[0]}")
    places = [header.index(column) for column in wanted]
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{name}: line {line} has {len(row)} fields, not the {len(header)} of the header")
        lines.append(line)
        cells.append([row[place].strip() for place in places])
    return _frame(cells, wanted, lines)


def read_fields(data: bytes, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return the first fields of lines without a header, blanks between them, as text under the names ``columns``.

    Raises
    ------
    DataError
        With the file and the line, if it is no text or a line is too short.
    """
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, text in enumerate(decoded(data, name, "utf-8-sig").split("\n"), start=1):
        row = text.split()
        if not row:
            continue
        if len(row) < len(columns):
            raise DataError(f"{name}: line {line} has {len(row)} fields, not {len(columns)} or more")
        lines.append(line)
        cells.append(row[: len(columns)])
    return _frame(cells, list(columns), lines)


def read_wide_table(data: bytes, name: str) -> pd.DataFrame:
    """Return all columns of a table of a great many numbers, as pandas reads them; a cell may still be none.

    Raises
    ------
    DataError
        If it is no text, a column is there twice, or the lines have not all as many fields.
    """
    text = decoded(data, name, "utf-8-sig").rstrip("\r\n")
    header = text.partition("\n")[0].strip("\r").split(",")
    if twice := [column for column, count in Counter(header).items() if count > 1]:
        raise DataError(f"{name}: line 1: two columns are named {twice[0][:60]!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text), index_col=False, skip_blank_lines=False, quoting=csv.QUOTE_NONE, low_memory=False
            )
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(f"{name}: not a table: {error}") from error
    return table.set_axis(pd.RangeIndex(2, len(table) + 2, name="line"), axis="index")


def finite_values(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table of numbers as finite ones.

    Raises
    ------
    DataError
        With the line and the column of the first cell that is none.
    """
    values: pd.DataFrame = table.apply(_as_numbers).astype(float)  # a table of no row is applied to nothing
    wrong = ~np.isfinite(values.to_numpy())
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        written = str(table.iloc[row, column])[:60]
        raise DataError(f"{name}: line {table.index[row]}: {table.columns[column]} {written!r} is no number")
    return values


def _as_numbers(column: pd.Series) -> pd.Series:
    """Return a column as numbers, ``nan`` where there is none; to pandas, "True" all down a column would be 1."""
    if column.dtype in (np.dtype(bool), np.dtype(object)):
        column = column.mask(column.map(lambda cell: isinstance(cell, bool | np.bool)))
    return pd.to_numeric(column, errors="coerce")


def numbers(table: pd.DataFrame, column: str, name: str, *, missing: Sequence[str] = ()) -> pd.Series:
    """Return a column as finite numbers; an empty cell, and what is written as one of ``missing``, becomes ``nan``.

    Raises
    ------
    DataError
        With the line of the first cell that is none.
    """
    texts = table[column].mask(table[column].isin(list(missing)))
    found = pd.to_numeric(texts, errors="coerce").astype(float)
    refuse(table[column], texts.notna() & ~np.isfinite(found), name, "no number")
    return found


def times(table: pd.DataFrame, column: str, name: str, *, pattern: str = "ISO8601", utc: bool = True) -> pd.Series:
    """Return a column of days with times of the day; ``utc``: in UTC, where a time without a zone is UTC too.

    Raises
    ------
    DataError
        With the line of the first cell that is none.
    """
    # pandas takes "now" and "today" for times, which they are, but of no earthquake.
    written = table[column].str.match(r"\d{4}-\d\d?-\d\d?[T ]\d").fillna(False).astype(bool)
    refuse(table[column], ~written, name, "no time")
    found: pd.Series = pd.to_datetime(table[column], format=pattern, utc=utc, errors="coerce")
    refuse(table[column], found.isna(), name, "no time")
    return found


def refuse(column: pd.Series, wrong: pd.Series, name: str, reason: str) -> None:
    """Refuse a column of a table read here if one of its values is wrong, with the line of the first.

    Raises
    ------
    DataError
        If any is.
    """
    if wrong.any():
        line = wrong.index[int(np.flatnonzero(wrong)[0])]
        raise DataError(f"{name}: line {line}: {column.name} {str(column[line])[:60]!r} is {reason}")


def decoded(data: bytes, name: str, encoding: str) -> str:
    """Return bytes as the text that they should be.

    Raises
    ------
    DataError
        If they are too many, or no text in that encoding; with the line.
    """
    if len(data) > LARGEST_BYTES:
        raise DataError(f"{name}: {len(data)} bytes, more than any table of these has")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}: line {line} is no text in {encoding}: {error.reason}") from error
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise DataError(f"{name}: line {line} holds the control character {found.group()!r}")
    return text


def _rows(text: str, name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its line; those of the header without blanks around its names."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header = True
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{name}: line {reader.line_num}: {error}") from error
        if row:
            yield reader.line_num, [cell.strip() for cell in row] if header else row
            header = False


def _frame(cells: list[list[str]], columns: list[str], lines: list[int]) -> pd.DataFrame:
    table = pd.DataFrame(cells, columns=columns, index=pd.Index(lines, name="line"), dtype=str)
    return table.mask(table == "")
