from __future__ import annotations

import dataclasses
from html.parser import HTMLParser
from typing import Any

import pytest

from reproduce_lib.claims import FactClaim, OrderClaim
from reproduce_lib.rows import Row
from reproduce_lib.tables import (
    Html,
    fact_groups,
    held_in,
    number,
    order_groups,
    percent,
    quantity,
    spread,
    table,
    value_table,
)
from reproduce_lib.verdicts import SYMBOLS, Interval, Verdict
from tests.support import value_row

EVIL = "<script>alert('x')</script>\"'><img src=x onerror=y>&amp;"
VOID = {"br", "img", "hr"}


class Parsed(HTMLParser):
    """The elements of a fragment, whether they close in order, its tables' cells and its text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def values(self, attribute: str) -> list[str]:
        return [value for name, value in self.attributes if name == attribute]


def order_row(verdict: Verdict = Verdict.HOLDS, held: tuple[bool, ...] = (True,) * 5, **texts: str) -> Row:
    plain = {"kind": "order", "id": "toy.o", "source": "T1", "statement": "o", "least": "toy.a", "among": ["toy.b"]}
    share = sum(held) / len(held) if held else None
    return Row(OrderClaim.model_validate({**plain, **texts}), verdict, held, 5, held=share)


def fact_row(verdict: Verdict = Verdict.EXACT, found: tuple[float | str, ...] = ("72",), **texts: str) -> Row:
    against = {"kind": "other_place", "text": "72", "where": "S4"}
    plain = {"kind": "fact", "id": "toy.f", "source": "S4", "statement": "f", "printed": "72", "against": against}
    return Row(FactClaim.model_validate({**plain, **texts}), verdict, found, 1)


EVIL_TEXTS = {"statement": EVIL, "source": EVIL, "note": EVIL, "group": EVIL}


@pytest.mark.parametrize(
    "markup",
    [
        table([EVIL, "b"], [[EVIL, EVIL]], caption=EVIL),
        value_table([value_row(statement=EVIL, note=EVIL)], caption=EVIL),
        order_groups([order_row(**EVIL_TEXTS)]),
        fact_groups([fact_row(printed=EVIL, found=(EVIL,), **EVIL_TEXTS)]),
        quantity(value_row(**EVIL_TEXTS)),
    ],
)
def test_no_text_becomes_markup(markup: Html) -> None:
    parsed = Parsed(markup)
    assert not {"script", "img"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert EVIL in parsed.text  # shown as it was written, not twice escaped


def test_no_id_leaves_its_attribute() -> None:
    row = value_row()
    evil = dataclasses.replace(row, claim=row.claim.model_copy(update={"id": EVIL}))  # as no checked claim could
    for markup in (value_table([evil], caption="c"), quantity(evil)):
        assert Parsed(markup).values("id") == [EVIL]


def test_markup_passes_and_shows_itself_in_a_notebook() -> None:
    markup = table(["a"], [[Html("<b>bold</b>")]], caption="c")
    assert "b" in Parsed(markup).tags
    assert markup._repr_html_() == str(markup)


@pytest.mark.parametrize(
    "markup",
    [
        table(["a", "b", "c"], [["1", "2", "3"], ["4", "5", "6"]], caption="c"),
        value_table([value_row(), value_row(Verdict.PENDING), value_row(naive=2.0, measured=(1.0,))], caption="c"),
        order_groups([order_row(), order_row(Verdict.PENDING, ())]),
        fact_groups([fact_row(), fact_row(Verdict.PENDING, ())]),
    ],
)
def test_every_row_has_a_cell_under_every_heading(markup: Html) -> None:
    rows = Parsed(markup).rows
    assert len(rows) > 2
    assert len({len(row) for row in rows}) == 1
    assert all(cell.strip() for row in rows for cell in row)


def test_cells_stand_under_their_headings() -> None:
    row = value_row(
        Verdict.WORSE, "1.50", statement="LSTM, TSLA", measured=(2.0, 4.0), interval=Interval(1.234, 4.766), naive=2.0
    )
    header, cells = Parsed(value_table([row], caption="c")).rows
    found = dict(zip(header, cells, strict=True))
    assert found["Quantity"] == "LSTM, TSLA"
    assert (found["Reported"], found["Measured again"], found["Naive"]) == ("1.50", "3.00", "2.00")
    assert found["95 % interval"] == "1.23 to 4.77"
    assert found["Skill"] == "−50.0 %"


def test_chance_stands_beside_the_naive_score() -> None:
    rows = [value_row(value="1.50", naive=2.0), value_row(value="1.50", naive=2.0, statement="other")]
    header, first, second = Parsed(
        value_table(rows, caption="c", chance=lambda row: None if row.claim.statement == "other" else 0.254)
    ).rows
    at = header.index("Chance")
    assert at == header.index("Naive") + 1
    assert (first[at], second[at]) == ("0.25", "–")
    assert "Chance" not in Parsed(value_table(rows, caption="c")).rows[0]


def test_value_table_says_how_many_runs_stand_behind_it() -> None:
    rows = [value_row(measured=(1.0,) * n) for n in (7, 10, 7)]
    assert "7 to 10 runs" in Parsed(value_table(rows, caption="c")).text
    assert "10 runs" in Parsed(value_table(rows[1:2], caption="c")).text
    assert "runs" not in Parsed(value_table([], caption="c")).text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([{"measured": (1.0,), "expected": 1}], "T"),  # without randomness
        ([{"verdict": Verdict.NOT_TESTED}], "T"),
        (
            [{"measured": (1.0,), "expected": 1}, {"verdict": Verdict.NOT_TESTED}, {"measured": (1.0,) * 5}],
            "T; 5 runs each",
        ),
        ([{"measured": (1.0,), "expected": 5}], "T; 1 run each"),
        ([{"measured": (1.0,), "expected": 5}, {"expected": 5}], "T; 0 to 1 runs each"),
    ],
)
def test_value_table_counts_no_runs_of_what_has_none(more: list[dict[str, Any]], words: str) -> None:
    assert f"<caption>{words}</caption>" in value_table([value_row(**one) for one in more], caption="T")


def test_empty_table_still_has_its_header() -> None:
    assert Parsed(value_table([], caption="c")).rows[0][0] == "Quantity"
    assert order_groups([]) == ""


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdict_shows_symbol_and_word(verdict: Verdict) -> None:
    _, cells = Parsed(value_table([value_row(verdict)], caption="c")).rows
    assert SYMBOLS[verdict] in cells[1]
    assert str(verdict) in cells[1]


def test_every_verdict_has_a_symbol_of_its_own() -> None:
    assert len(set(SYMBOLS.values())) == len(Verdict)


def test_no_verdict_is_another_with_a_letter_more() -> None:
    words = {str(verdict) for verdict in Verdict}
    assert not words & {word[:-1] for word in words}


def test_verdict_on_substitute_data_says_so() -> None:
    parsed = Parsed(value_table([value_row(comparable="substitute-data", why="w")], caption="c"))
    assert "reproduced on substitute data" in parsed.text


@pytest.mark.parametrize(("stale", "marked"), [(0, False), (1, True), (12, True)])
def test_stale_records_are_marked(stale: int, marked: bool) -> None:
    parsed = Parsed(value_table([value_row(stale=stale)], caption="c"))
    assert ("stale" in parsed.text) is marked


def test_links_to_a_claim_find_it_once() -> None:
    for markup in (value_table([value_row()], caption="c"), quantity(value_row())):
        assert Parsed(markup).values("id") == ["toy.t1.a"]


def test_table_can_be_scrolled_and_is_named_for_those_who_cannot_see_it() -> None:
    parsed = Parsed(table(["a"], [["1"]], caption='Errors & "more"'))
    assert parsed.values("aria-label") == ['Errors & "more"']
    assert "caption" in parsed.tags
    assert parsed.values("scope") == ["col"]


def test_groups_count_their_verdicts_on_the_outside() -> None:
    rows = [
        order_row(group="one"), order_row(Verdict.FAILS, (False,) * 5, group="two"),
        order_row(Verdict.FAILS, (False, False, False, False, True), group="one"), order_row(group="one"),
    ]  # fmt: skip
    markup = order_groups(rows)
    folds = [Parsed(f"<details{fold}") for fold in markup.split("<details")[1:]]
    summaries = [fold.text[: fold.text.index("Stated order")] for fold in folds]
    assert "one" in summaries[0]
    assert "2 holds" in summaries[0]
    assert "1 fails" in summaries[0]
    assert "two" in summaries[1]
    assert "holds" not in summaries[1].replace("two", "")
    assert [row[-1] for row in folds[0].rows[1:]] == ["5 of 5 runs", "1 of 5 runs", "5 of 5 runs"]


@pytest.mark.parametrize(("naive_holds", "shown"), [(True, "the same"), (False, "not the same"), (None, "–")])
def test_order_that_needs_no_model_is_told(naive_holds: bool | None, shown: str) -> None:
    rows = [dataclasses.replace(order_row(), naive_holds=one) for one in (naive_holds, True)]
    assert [row[-1] for row in Parsed(order_groups(rows)).rows[1:]] == [shown, "the same"]


def test_skill_and_the_naive_order_have_columns_where_anything_would_stand_in_them() -> None:
    assert "Skill" not in Parsed(value_table([value_row(measured=(1.0,))], caption="c")).rows[0]
    assert Parsed(order_groups([order_row()])).rows[0][-1] == "Holds in"


@pytest.mark.parametrize(
    ("found", "shown"), [(("72",), "72"), ((35.123456789,), "35.1235"), ((1259.0,), "1259"), ((), "–")]
)
def test_fact_shows_printed_beside_found(found: tuple[float | str, ...], shown: str) -> None:
    _, cells = Parsed(fact_groups([fact_row(found=found)])).rows
    assert cells[2:] == ["72", shown]


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [(None, None, "–"), (1.23456, None, "1.235"), (1.5, "17.790", "1.500"), (1.5, "2", "2"), (0.0, "0.0", "0.0"),
     (1234.5678, "1.0", "1234.6"), (-2.345, "0.00", "-2.35"), (0.00123, "1.2e-3", "0.0012"), (0.00123, "1E-3", "0.001"),
     (1234.5, "1.2e3", "1234"), (1.25, "1.20e1", "1.2"), (1234.5, "1e3", "1234")],
)  # fmt: skip
def test_number_has_the_digits_of_what_was_printed(value: float | None, like: str | None, text: str) -> None:
    assert number(value, like) == text


def test_number_has_further_digits_where_they_are_asked_for() -> None:
    assert [number(0.4567, like, further=1) for like in ("2", "0.12", "1.2e-3")] == ["0.5", "0.457", "0.45670"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.1234, "+12.3 %"), (-0.5, "−50.0 %"), (0.0, "+0.0 %"), (-2.0, "−200.0 %")]
)
def test_percent_has_its_sign(value: float | None, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("values", "digits", "words"),
    [
        ([], 1, ["–"]),
        ([91.03], 1, ["91.0"]),
        ([91.0, 91.0, 91.0], 1, ["91.0"]),
        ([91.01, 91.02], 1, ["91.0"]),  # they differ in what is not shown
        ([1.0, 2.0, 6.0], 2, ["3.00", "1.00 to 6.00"]),
        ([-1.0, 3.0], 0, ["1", "−1 to 3"]),
    ],
)
def test_a_spread_is_the_mean_with_the_ends_below_it_where_they_differ(
    values: list[float], digits: int, words: list[str]
) -> None:
    parsed = Parsed(spread(values, digits))
    assert parsed.text == " ".join(words)
    assert parsed.values("class") == (["rr-range"] if len(words) > 1 else [])


def test_an_order_without_a_run_holds_in_no_count_of_runs() -> None:
    rows = Parsed(order_groups([order_row(), order_row(Verdict.NOT_TESTED, ())])).rows[1:]
    assert [row[-1] for row in rows] == [f"{sum(order_row().measured)} of {len(order_row().measured)} runs", "–"]


def test_an_order_of_independent_runs_holds_in_a_share_of_their_pairs() -> None:
    row = dataclasses.replace(order_row(), independent=True, held=0.4, ties=0.25)
    assert held_in(row) == "40 % of pairs of 5 runs, equal in 25 %"
    of_three = dataclasses.replace(row, claim=row.claim.model_copy(update={"among": ["toy.b", "toy.c"]}))
    assert held_in(of_three) == "40 % of combinations of 5 runs, equal in 25 %"
    paired = dataclasses.replace(order_row(Verdict.UNDECIDED, (True, False, False, False, False)), ties=0.8)
    assert held_in(paired) == "1 of 5 runs, equal in 4"
