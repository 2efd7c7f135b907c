"""Tables of a page: plain HTML, every text escaped, readable without scripts and at phone width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape

from reproduce_lib.claims import FactClaim, OrderClaim, ValueClaim
from reproduce_lib.rows import Row
from reproduce_lib.verdicts import SYMBOLS, Verdict, printed_number

# Which verdicts look good, bad or open; the symbol and the word say it too.
TONES = {
    Verdict.REPRODUCED: "good",
    Verdict.REPRODUCED_ON_SUBSTITUTE: "hollow",
    Verdict.HOLDS: "good",
    Verdict.EXACT: "good",
    Verdict.BETTER: "other",
    Verdict.WORSE: "bad",
    Verdict.FAILS: "bad",
    Verdict.DIFFERS: "apart",
    Verdict.NOT_EXACT: "bad",
    Verdict.PENDING: "waiting",
    Verdict.NOT_TESTED: "waiting",
}


# What gives a second interval of a row, and what chance scores where the row's number was measured.
Wider = Callable[[Row], tuple[float, float] | None]
Chance = Callable[[Row], float | None]


class Html(str):
    """Markup that needs no more escaping; a notebook shows it as HTML."""

    def _repr_html_(self) -> str:
        return str(self)


def table(
    header: Sequence[str], rows: Iterable[Sequence[str | Html]], *, caption: str, numeric: int = 0, css: str = ""
) -> Html:
    """Return a table inside a box that scrolls sideways on a narrow screen.

    Parameters
    ----------
    rows : one text per column; plain strings are escaped, `Html` is not
    numeric : how many of the last columns hold numbers and are set flush right
    css : further classes, space-separated
    """
    first_number = len(header) - numeric
    heads = "".join(_cell("th", text, i >= first_number, ' scope="col"') for i, text in enumerate(header))
    body = "".join(
        f"<tr>{''.join(_cell('td', text, i >= first_number) for i, text in enumerate(row))}</tr>" for row in rows
    )
    return Html(
        f'<div class="rr-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="{f"rr-table {css}".strip()}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def value_table(rows: Iterable[Row], *, caption: str, wider: Wider | None = None, chance: Chance | None = None) -> Html:
    """Return verdict | reported | reproduced | interval | naive | skill, one row per printed number.

    ``wider`` gives a second interval of a row, over more than its runs, and ``chance`` what stands beside the naive
    score. Skill has a column where any row has it.
    """
    known = list(rows)
    header = ["Quantity", "Verdict", "Reported", "Measured again", "95 % interval", "Naive"]
    if any(row.skill is not None for row in known):
        header.append("Skill")
    if wider is not None:
        header[4:5] = ["95 % over runs", "95 % over runs and records"]
    if chance is not None:
        header.insert(header.index("Naive") + 1, "Chance")
    return table(
        header,
        [_value_cells(row, wider, chance)[: len(header)] for row in known],
        caption="; ".join(filter(None, (caption, _runs_each(known)))),
        numeric=len(header) - 2,
        css="rr-claims",
    )


def _runs_each(rows: Sequence[Row]) -> str:
    """Say how many runs stand behind rows; nothing of what has no runs: what is not tested, or without randomness."""
    counts = sorted(len(row.measured) for row in rows if max(row.expected, len(row.measured)) > 1)
    if not counts:
        return ""
    ends = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    return f"{ends} run{'' if ends == '1' else 's'} each"


def value_groups(rows: Sequence[Row], wider: Wider | None = None, chance: Chance | None = None) -> Html:
    """Return printed numbers, group by group, as `value_table` shows them."""
    return _groups(rows, lambda members, group: value_table(members, caption=group, wider=wider, chance=chance))


def fold(heading: str | Html, content: Html) -> Html:
    """Return a line that opens to show more; it is open on paper."""
    words = heading if isinstance(heading, Html) else escape(heading)
    return Html(f'<details class="rr-group"><summary>{words}</summary>{content}</details>')


def order_groups(rows: Sequence[Row]) -> Html:
    """Return the stated orders, group by group, each with its verdict and the runs in which it holds."""
    return _groups(rows, _order_table)


def fact_groups(rows: Sequence[Row]) -> Html:
    """Return the exact statements, group by group, each beside what it was held against."""
    return _groups(rows, _fact_table)


def verdict_badge(row: Row) -> Html:
    """Return a verdict as symbol and word, with a class for its colour; stale records are marked."""
    stale = ' <span class="rr-stale">stale</span>' if row.stale else ""
    return Html(f"{_badge(row.counted, row.verdict_words)}{stale}")


def quantity(row: Row) -> Html:
    """Return what a claim is about, its place in the paper, and an anchor that links can point at."""
    claim = row.claim
    words = escape(claim.statement)
    note = f'<div class="rr-note">{escape(claim.note)}</div>' if claim.note else ""
    source = f'<span class="rr-source">{escape(claim.source)}</span>'
    return Html(f'<span id="{escape(claim.id)}">{words}</span> {source}{note}')


def number(value: float | None, like: str | None = None, *, further: int = 0) -> str:
    """Write a number with as many decimals as ``like`` was printed with (three without it), and some further ones.

    Raises
    ------
    ValueError
        If ``like`` is no number.
    """
    if value is None:
        return "–"
    decimals = max(0, -int(printed_number(like).as_tuple().exponent)) if like is not None else 3
    return f"{value:.{decimals + further}f}"


def spread(values: Sequence[float], digits: int = 1) -> Html:
    """Write the mean of several runs, with the smallest and the largest below it where they differ."""
    if not values:
        return Html("–")
    numbers = (min(values), sum(values) / len(values), max(values))
    low, mean, high = (f"{one:.{digits}f}".replace("-", "−") for one in numbers)
    below = f' <span class="rr-range">{low} to {high}</span>' if low != high else ""
    return Html(f"{mean}{below}")


def percent(value: float | None) -> str:
    """Write a share in percent, with its sign."""
    return "–" if value is None else f"{100 * value:+.1f} %".replace("-", "−")


def _badge(verdict: Verdict, words: str) -> str:
    tone = TONES.get(verdict, "open")
    return f'<span class="rr-verdict rr-{tone}">{SYMBOLS[verdict]} {escape(words)}</span>'


def _groups(rows: Sequence[Row], write: Callable[[Sequence[Row], str], Html]) -> Html:
    """Fold rows by the group of their claim; what a fold holds is counted by verdict on its outside."""
    folds = []
    for group in dict.fromkeys(row.claim.group for row in rows):
        members = [row for row in rows if row.claim.group == group]
        counts = Counter(row.counted for row in members)
        badges = " ".join(_badge(verdict, f"{counts[verdict]} {verdict}") for verdict in Verdict if counts[verdict])
        heading = Html(f'{escape(group)} <span class="rr-counts">{badges}</span>')
        folds.append(fold(heading, write(members, group)))
    return Html("".join(folds))


def _order_table(rows: Sequence[Row], caption: str) -> Html:
    header = ["Stated order", "Verdict", "Holds in", "Naive forecast's order"]
    shown = len(header) if any(row.naive_holds is not None for row in rows) else len(header) - 1
    cells = [
        (
            quantity(row),
            verdict_badge(row),
            held_in(row) or "–",
            "–" if row.naive_holds is None else "the same" if row.naive_holds else "not the same",
        )[:shown]
        for row in rows
    ]
    return table(header[:shown], cells, caption=caption, numeric=shown - 2, css="rr-claims")


def held_in(row: Row) -> str:
    """Return in how many runs an order holds, and in how many both sides are equal; nothing without a run.

    Of independent runs it is the share of all pairs, or of all combinations of more than two.
    """
    if not row.measured or row.held is None:
        return ""
    if row.independent:
        equal = f", equal in {100 * row.ties:.0f} %" if row.ties else ""
        sets = "pairs" if isinstance(row.claim, OrderClaim) and len(row.claim.among) == 1 else "combinations"
        return f"{100 * row.held:.0f} % of {sets} of {len(row.measured)} runs{equal}"
    ties = round(row.ties * len(row.measured))
    return f"{sum(map(bool, row.measured))} of {len(row.measured)} runs{f', equal in {ties}' if ties else ''}"


def _fact_table(rows: Sequence[Row], caption: str) -> Html:
    cells = []
    for row in rows:
        assert isinstance(row.claim, FactClaim)
        found = "; ".join(plain(value) for value in row.measured) or "–"
        cells.append((quantity(row), verdict_badge(row), row.claim.printed, found))
    header = ["Statement", "Verdict", "Printed", "Found"]
    return table(header, cells, caption=caption, numeric=2, css="rr-claims")


def _value_cells(row: Row, wider: Wider | None, chance: Chance | None) -> Sequence[str | Html]:
    claim = row.claim
    assert isinstance(claim, ValueClaim)
    like = claim.likely or claim.value
    ends = [_ends((row.interval.lower, row.interval.upper) if row.interval else None, like)]
    if wider is not None:
        ends.append(_ends(wider(row), like))
    naive = [number(row.naive, like)]
    if chance is not None:
        naive.append(number(chance(row), like))
    note = f'<div class="rr-note">{escape(claim.note)}</div>' if claim.note else ""
    return (
        Html(f'<span id="{escape(claim.id)}">{escape(claim.statement)}</span>{note}'),
        verdict_badge(row),
        claim.value,
        number(row.mean, like),
        *ends,
        *naive,
        percent(row.skill),
    )


def _ends(interval: tuple[float, float] | None, like: str) -> str:
    return f"{number(interval[0], like)} to {number(interval[1], like)}" if interval else "–"


def plain(value: object) -> str:
    """Return a value that a statement was held against, floats with six digits."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cell(tag: str, text: str | Html, numeric: bool, attributes: str = "") -> str:
    css = ' class="rr-number"' if numeric else ""
    return f"<{tag}{attributes}{css}>{text if isinstance(text, Html) else escape(text)}</{tag}>"
