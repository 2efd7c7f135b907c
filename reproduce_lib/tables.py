"""Tables of a page: plain HTML, every text escaped, readable without scripts and at phone width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from reproduce_lib.claims import FactClaim, ValueClaim
from reproduce_lib.compare import Row
from reproduce_lib.verdicts import SYMBOLS, Verdict

# Which verdicts look good, bad or open; the symbol and the word say it too.
TONES = {
    Verdict.REPRODUCED: "good",
    Verdict.HOLDS: "good",
    Verdict.EXACT: "good",
    Verdict.BETTER: "other",
    Verdict.WORSE: "bad",
    Verdict.FAILS: "bad",
    Verdict.DIFFERS: "bad",
    Verdict.DIFFER: "bad",
}


class Html(str):
    """Markup that needs no more escaping; a notebook shows it as HTML."""

    def _repr_html_(self) -> str:
        return str(self)


def table(header: Sequence[str], rows: Iterable[Sequence[str | Html]], *, caption: str, numeric: int = 0) -> Html:
    """Return a table inside a box that scrolls sideways on a narrow screen.

    Parameters
    ----------
    rows : one text per column; plain strings are escaped, `Html` is not
    numeric : how many of the last columns hold numbers and are set flush right
    """
    first_number = len(header) - numeric
    heads = "".join(_cell("th", text, i >= first_number, ' scope="col"') for i, text in enumerate(header))
    body = "".join(
        f"<tr>{''.join(_cell('td', text, i >= first_number) for i, text in enumerate(row))}</tr>" for row in rows
    )
    return Html(
        f'<div class="rr-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="rr-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def value_table(rows: Iterable[Row], *, caption: str) -> Html:
    """Return reported | reproduced | interval | verdict | naive | skill, one row per printed number."""
    header = ["Quantity", "Verdict", "Reported", "Reproduced", "95 % interval", "n", "Naive", "Skill"]
    return table(header, [_value_cells(row) for row in rows], caption=caption, numeric=6)


def order_table(rows: Iterable[Row], *, caption: str) -> Html:
    """Return each stated order with its verdict and the replications in which it holds."""
    cells = [
        (quantity(row), verdict_badge(row), f"{sum(map(bool, row.measured))} of {len(row.measured)}") for row in rows
    ]
    return table(["Stated order", "Verdict", "Holds in"], cells, caption=caption, numeric=1)


def fact_table(rows: Iterable[Row], *, caption: str) -> Html:
    """Return each exact statement beside what it was held against."""
    cells = []
    for row in rows:
        assert isinstance(row.claim, FactClaim)
        found = "; ".join(_plain(value) for value in row.measured) or "–"
        cells.append((quantity(row), verdict_badge(row), row.claim.printed, found))
    return table(["Statement", "Verdict", "Printed", "Found"], cells, caption=caption, numeric=2)


def verdict_badge(row: Row) -> Html:
    """Return a verdict as symbol and word, with a class for its colour; stale records are marked."""
    tone = TONES.get(row.verdict, "open")
    stale = ' <span class="rr-stale">stale</span>' if row.stale else ""
    words = escape(row.verdict_words)
    return Html(f'<span class="rr-verdict rr-{tone}">{SYMBOLS[row.verdict]} {words}</span>{stale}')


def quantity(row: Row) -> Html:
    """Return what a claim is about, its place in the paper, and an anchor that links can point at."""
    claim = row.claim
    words = escape(claim.statement)
    note = f'<div class="rr-note">{escape(claim.note)}</div>' if claim.note else ""
    return Html(f'<span id="{escape(claim.id)}">{words}</span> <span class="rr-source">{escape(claim.source)}</span>{note}')


def number(value: float | None, like: str | None = None) -> str:
    """Write a number with as many decimals as ``like`` was printed with (three without it)."""
    if value is None:
        return "–"
    decimals = len(like.partition(".")[2]) if like is not None else 3
    return f"{value:.{decimals}f}"


def percent(value: float | None) -> str:
    """Write a share in percent, with its sign."""
    return "–" if value is None else f"{100 * value:+.1f} %"


def _value_cells(row: Row) -> Sequence[str | Html]:
    claim = row.claim
    assert isinstance(claim, ValueClaim)
    interval = row.interval
    ends = f"{number(interval.lower, claim.value)} to {number(interval.upper, claim.value)}" if interval else "–"
    return (
        quantity(row),
        verdict_badge(row),
        claim.value,
        number(row.mean, claim.value),
        ends,
        str(len(row.measured)),
        number(row.naive, claim.value),
        percent(row.skill),
    )


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cell(tag: str, text: str | Html, numeric: bool, attributes: str = "") -> str:
    css = ' class="rr-number"' if numeric else ""
    return f"<{tag}{attributes}{css}>{text if isinstance(text, Html) else escape(text)}</{tag}>"
