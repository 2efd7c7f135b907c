"""Tables of text: what is read, and the line that each refusal names."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce_lib.data.text_tables import (
    LARGEST_BYTES,
    decoded,
    finite_values,
    numbers,
    read_fields,
    read_table,
    read_wide_table,
    times,
)
from reproduce_lib.errors import DataError

GOOD = b'when,place,size,note\n2020-01-02T03:04:05Z,"A, B",4.5,\n\n2020-01-03 00:00,C, 5 ,x\n'


def test_cells_are_text_and_the_index_is_the_line() -> None:
    table = read_table(GOOD, "toy.csv", ["size", "place"], others=["note", "gone"])
    assert table.columns.tolist() == ["size", "place", "note"]
    assert table.index.tolist() == [2, 4]
    assert table["place"].tolist() == ["A, B", "C"]
    assert table["size"].tolist() == ["4.5", "5"]
    assert table["note"].isna().tolist() == [True, False]
    assert numbers(table, "size", "toy.csv").tolist() == [4.5, 5.0]
    written = times(read_table(GOOD, "toy.csv", ["when"]), "when", "toy.csv")
    assert [str(one) for one in written] == ["2020-01-02 03:04:05+00:00", "2020-01-03 00:00:00+00:00"]


REFUSED = {
    "a field too many": (GOOD.replace(b",x\n", b",x,y\n"), "line 4 has 5 fields"),
    "a field too few": (GOOD.replace(b",x\n", b"\n"), "line 4 has 3 fields"),
    "every row longer than the header": (GOOD.replace(b",note\n", b"\n"), "line 2 has 4 fields"),
    "no column": (GOOD.replace(b"size", b"Size"), "no column size"),
    "two of one name": (GOOD.replace(b"note", b"size"), "line 1: two columns are named size"),
    "no text": (GOOD.replace(b"C", b"\xff"), "line 4 is no text"),
    "zeros of a lost block": (GOOD.replace(b"C", bytes(16)), "line 4 holds the control character"),
    "an open quote": (GOOD.replace(b"C", b'"C'), "line 4"),
    "nothing": (b"", "no column size"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "line 1"),
}


@pytest.mark.parametrize(("data", "said"), REFUSED.values(), ids=REFUSED)
def test_refusal_names_file_line_and_reason(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=rf"^toy\.csv: .*{said}"):
        read_table(data, "toy.csv", ["size"])


@pytest.mark.parametrize("cell", ["inf", "nan", "1e999", "five", "1,5", "0x1", "5 5", "--5"])
def test_number_that_is_none_is_refused_by_its_line(cell: str) -> None:
    data = GOOD.replace(b" 5 ", f'"{cell}"'.encode())
    with pytest.raises(DataError, match=r"toy\.csv: line 4: size .* is no number"):
        numbers(read_table(data, "toy.csv", ["size"]), "size", "toy.csv")


@pytest.mark.parametrize("cell", ["now", "today", "NaT", "2020", "2020-13-01T00:00", "2020-02-30 01:00", "1 May 2020"])
def test_time_that_is_none_is_refused_by_its_line(cell: str) -> None:
    data = GOOD.replace(b"2020-01-03 00:00", cell.encode())
    with pytest.raises(DataError, match=r"toy\.csv: line 4: when .* is no time"):
        times(read_table(data, "toy.csv", ["when"]), "when", "toy.csv")


def test_words_for_a_missing_number_are_missing_where_they_are_named() -> None:
    table = read_table(GOOD.replace(b" 5 ", b"null"), "toy.csv", ["size"])
    assert np.isnan(numbers(table, "size", "toy.csv", missing=["null"])).tolist() == [False, True]


cells = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8), st.sampled_from(",\t;"))
def test_any_table_that_the_csv_writer_writes_is_read_back(rows: list[tuple[str, str, str]], separator: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([("a", "b", "c"), *rows])
    table = read_table(text.getvalue().encode(), "toy.csv", ["c", "a"], separator=separator)
    expected = [(row[2].strip(), row[0].strip()) for row in rows]
    assert [tuple("" if one != one else one for one in row) for row in table.itertuples(index=False)] == expected


def test_fields_without_a_header_are_read_by_place() -> None:
    table = read_fields(b" 1 2  3\n\n4 5 6 7\n", "toy.txt", ["a", "b"])
    assert table.to_dict("list") == {"a": ["1", "4"], "b": ["2", "5"]}
    assert table.index.tolist() == [1, 3]
    with pytest.raises(DataError, match=r"toy\.txt: line 2 has 1 fields"):
        read_fields(b"1 2\n3\n", "toy.txt", ["a", "b"])


def test_wide_table_is_refused_where_pandas_would_shift_or_rename() -> None:
    good = b"a,b,c\n1,2,3\n4,5,6\n"
    assert finite_values(read_wide_table(good, "toy.csv"), "toy.csv").to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    for data, said in (
        (good.replace(b"a,b,c", b"a,b"), ""),
        (good.replace(b"a,b,c", b"a,b,a"), "line 1: two columns"),
        (good.replace(b"5", b"x"), "line 3: b 'x'"),
        (good.replace(b"5", b""), "line 3: b"),
        (good.replace(b"5", b"inf"), "line 3: b"),
        (good.replace(b"\n4", b"\n\n4"), "line 3"),
        (good.replace(b"4,5,6", b"4,5"), "line 3: c"),
        (good.replace(b"4,5,6", b"4,5,6,7"), ""),
    ):
        with pytest.raises(DataError, match=rf"toy\.csv: .*{said}"):
            finite_values(read_wide_table(data, "toy.csv"), "toy.csv")


def test_file_larger_than_any_table_is_refused_unread() -> None:
    with pytest.raises(DataError, match="more than any table"):
        decoded(bytes(LARGEST_BYTES + 1), "toy.csv", "utf-8")
