"""The README's picture of the scoreboard: it says of which rows it was drawn."""

from __future__ import annotations

from pathlib import Path

from tests.book.built import PAPERS
from tests.book.picture import PICTURE, digests_drawn, digests_of, rows_drawn_otherwise, write_picture


def test_a_picture_says_of_which_rows_it_was_drawn(tmp_path: Path) -> None:
    board = (
        '<table><tr><th>x</th></tr><tr><td><a href="papers/one2020.html">a</a></td>\n</tr><tr><td>-</td></tr></table>'
    )
    write_picture(PICTURE.read_bytes(), board, tmp_path / "board.png")
    assert list(digests_of(board)) == ["one2020"]
    assert digests_drawn(tmp_path / "board.png") == digests_of(board)
    assert rows_drawn_otherwise(tmp_path / "board.png", board) == []
    assert rows_drawn_otherwise(tmp_path / "board.png", board.replace(">a<", ">b<")) == ["one2020"]
    # A paper that was added since stands on no picture yet; one that has gone stands on an old one.
    added = board.replace("<td>-</td>", '<td><a href="papers/two2021.html">b</a></td>')
    assert rows_drawn_otherwise(tmp_path / "board.png", added) == []
    assert rows_drawn_otherwise(tmp_path / "board.png", "") == ["one2020"]


def test_the_picture_of_the_readme_says_what_it_was_drawn_of() -> None:
    assert set(digests_drawn(PICTURE)) <= set(PAPERS)
    assert digests_drawn(PICTURE)
