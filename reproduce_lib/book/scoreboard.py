"""The landing page's table: each paper, its claims by verdict, how a naive forecast stands, its headline and figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from reproduce_lib.book.notebook_files import read_notebook
from reproduce_lib.claims import FactClaim, OrderClaim, ValueClaim
from reproduce_lib.collection import TITLES
from reproduce_lib.compare import Comparison
from reproduce_lib.notebook_execution.bound import bound_texts
from reproduce_lib.page_parts import cited
from reproduce_lib.rows import Row, verdict_counts
from reproduce_lib.tables import TONES, Html, table
from reproduce_lib.verdicts import SYMBOLS, Verdict, printed_number

ANSWER, HEADLINE = "answer", "headline"
# The tag of the cell that draws what the landing page shows of a paper.
HEADLINE_FIGURE = "headline-figure"
# The tag of the cell that draws it small, where it could not be read as small as there.
THUMBNAIL = "thumbnail"
# What the claims are called on which no conclusion rests.
OTHERS: dict[type[object], str] = {
    OrderClaim: "Other stated orders",
    ValueClaim: "Other printed numbers",
    FactClaim: "What it says of itself and of what it cites",
}
# The share of a bar below which a part has no room for its symbol.
SMALLEST_NAMED = 0.06
# Where the built book has what is generated and shown as it is, from the landing page.
STATIC = "../_static"


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    part: int
    whole: int


@dataclass(frozen=True)
class Standing:
    """How a naive forecast stands beside what a paper claims.

    Attributes
    ----------
    printed, measured : numbers of all models, printed of the same data and measured again, that it is as good as
    orders : stated orders that hold and that its own scores are in as well
    """

    printed: Share
    measured: Share
    orders: Share


@dataclass(frozen=True)
class Outcome:
    """What a paper concludes, and how many of the claims that this rests on have which verdict."""

    says: str
    counts: Counter[Verdict]


@dataclass(frozen=True)
class Figure:
    """A figure of the landing page: the name of the one it leads to, its caption, its alt text, and what is drawn."""

    name: str
    caption: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Entry:
    """One rebuilt paper on the scoreboard."""

    key: str
    in_a_sentence: str
    cited: str
    answer: str
    headline: str
    counts: Counter[Verdict]
    fresh: int
    recorded: int
    due: int
    on_substitute: Share
    standing: Standing
    same_data: Share
    outcomes: tuple[Outcome, ...] = ()
    figure: Figure | None = None


def scoreboard_page(entries: Mapping[str, Entry]) -> str:
    """Return the scoreboard as Markdown to be included in the landing page."""
    rows = []
    for key, title in TITLES.items():
        if key not in entries:
            rows.append((Html(f"<strong>{escape(title)}</strong>"), "not yet rebuilt", "–"))
            continue
        entry = entries[key]
        link = Html(
            f'<a href="papers/{key}.html"><strong>{escape(title)}</strong></a> '
            f'<span class="rr-source">{escape(entry.cited)}</span>'
            f'<div class="rr-note">{escape(entry.in_a_sentence)}</div>{_thumbnail(entry)}'
        )
        verdicts = Html(
            f"{_on_substitute(entry.on_substitute)}{_bar(entry.counts)}{_legend(entry.counts)}"
            f'<div class="rr-note">{escape(_records(entry))}.</div>{_naive(entry.standing)}'
        )
        answer = f"<p><strong>{escape(entry.answer)}</strong></p>" if entry.answer else ""
        found = Html(f"{answer}{_outcomes(entry.outcomes)}<p>{escape(entry.headline)}</p>")
        rows.append((link, verdicts, found))
    header = ["Paper and its claim", "Claims by verdict", "What we found"]
    return f"{table(header, rows, caption='Scoreboard', css='rr-board')}\n"


def scoreboard_text(entries: Mapping[str, Entry]) -> str:
    """Return the scoreboard for a terminal."""
    lines = []
    for key, title in TITLES.items():
        if key not in entries:
            lines.append(f"{key:16} {title}: not yet rebuilt")
            continue
        entry = entries[key]
        lines += [
            f"{key:16} {title}",
            f"{'':16} {', '.join(f'{n} {verdict}' for verdict, n in entry.counts.most_common())}",
            f"{'':16} {_freshness(entry)}; {_on_same_data(entry.same_data)}",
            *(f"{'':16} {found}" for found in (entry.answer, entry.headline) if found),
            *(f"{'':16} - {outcome.says}: {_told(outcome.counts)}" for outcome in entry.outcomes),
        ]
    return "\n".join(lines)


def entry_of(comparison: Comparison, page: Path) -> Entry:
    """Read one paper's entry from its compared claims and the headline that its executed page bound."""
    recorded = [status for status in comparison.statuses if status.record is not None]
    notebook = read_notebook(page)
    found = bound_texts(notebook)
    return Entry(
        comparison.claims.paper,
        comparison.claims.in_a_sentence,
        cited(comparison.claims.citation),
        found.get(ANSWER, ""),
        found.get(HEADLINE, "–"),
        verdict_counts(comparison.rows),
        sum(status.state == "fresh" for status in recorded),
        len(recorded),
        len(comparison.statuses),
        _judged_on_substitute(comparison),
        _standing(comparison),
        _reproduced_on_same_data(comparison),
        _outcomes_of(comparison),
        headline_figure(notebook),
    )


def headline_figure(notebook: Any) -> Figure | None:
    """Return what an executed notebook drew in the cell with the tag `HEADLINE_FIGURE`, if it drew anything.

    Where a cell with the tag `THUMBNAIL` drew it small, that is shown, with a caption and an alt text of its own.
    """
    large, small = (_drawn(notebook, tag) for tag in (HEADLINE_FIGURE, THUMBNAIL))
    if large is None:
        return None
    about, svg = small or large
    return Figure(large[0]["figure"]["name"], about["figure"]["caption"], about["image"]["alt"], svg)


def _drawn(notebook: Any, tag: str) -> tuple[Any, str] | None:
    """Return what is said about the figure of the cell with a tag, and its drawing."""
    for cell in notebook.cells:
        if tag in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if svg := output.get("data", {}).get("image/svg+xml"):
                    return cell.metadata["mystnb"], str(svg)
    return None


def _outcomes_of(comparison: Comparison) -> tuple[Outcome, ...]:
    """Return what came of each conclusion, and of the claims on which none rests: each claim stands somewhere."""
    conclusions = comparison.claims.conclusions
    rest = [row for row in comparison.rows if not any(one.rests_on(row.claim.id) for one in conclusions)]
    groups = {one.says: [row for row in comparison.rows if one.rests_on(row.claim.id)] for one in conclusions}
    groups |= {says: [row for row in rest if isinstance(row.claim, kind)] for kind, says in OTHERS.items()}
    return tuple(Outcome(says, verdict_counts(rows)) for says, rows in groups.items() if rows)


def _outcomes(outcomes: Iterable[Outcome]) -> Html:
    """List what a paper concludes, each with what came of it."""
    items = "".join(f"<li>{escape(one.says)}: <strong>{_told(one.counts)}</strong></li>" for one in outcomes)
    return Html(f'<ul class="rr-outcomes">{items}</ul>' if items else "")


def _told(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{SYMBOLS[verdict]} {counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])


def _bar(counts: Counter[Verdict]) -> Html:
    """Return a stacked bar; the legend below it says the same in words."""
    total = sum(counts.values())
    parts = "".join(
        f'<span class="rr-part rr-{TONES.get(verdict, "open")}" style="flex:{counts[verdict]}" '
        f'title="{counts[verdict]} {verdict}">{SYMBOLS[verdict] * (counts[verdict] >= SMALLEST_NAMED * total)}</span>'
        for verdict in Verdict
        if counts[verdict]
    )
    return Html(f'<div class="rr-bar" role="img" aria-label="{total} claims by verdict">{parts}</div>')


def _legend(counts: Counter[Verdict]) -> Html:
    return Html("<br>".join(f"{SYMBOLS[v]} {counts[v]} {v}" for v in Verdict if counts[v]))


def _standing(comparison: Comparison) -> Standing:
    judged = [row for row in comparison.rows if row.naive is not None and row.verdict is not Verdict.PENDING]
    printed = [
        _as_good(row, float(printed_number(row.claim.value)))
        for row in judged
        # What was printed of other data is not to be held against a naive forecast on these.
        if isinstance(row.claim, ValueClaim) and row.claim.comparable == "same-data"
    ]
    return Standing(
        _share(printed),
        _share(_as_good(row, row.mean) for row in judged if row.mean is not None),
        _share(row.naive_holds is True for row in comparison.rows if row.verdict is Verdict.HOLDS),
    )


def _as_good(row: Row, value: float) -> bool | None:
    """Tell whether the naive forecast is at least as good as a value, nothing where neither direction is better."""
    assert row.naive is not None
    match row.claim.better if isinstance(row.claim, ValueClaim) else None:
        case "lower":
            return row.naive <= value
        case "higher":
            return row.naive >= value
    return None


def _share(found: Iterable[bool | None]) -> Share:
    told = [one for one in found if one is not None]
    return Share(sum(told), len(told))


def _judged_on_substitute(comparison: Comparison) -> Share:
    judged = [row for row in comparison.rows if row.verdict not in (Verdict.PENDING, Verdict.NOT_TESTED)]
    return _share(row.on_substitute_data for row in judged if not isinstance(row.claim, FactClaim))


def _reproduced_on_same_data(comparison: Comparison) -> Share:
    return _share(
        row.verdict is Verdict.REPRODUCED
        for row in comparison.rows
        if isinstance(row.claim, ValueClaim) and row.claim.comparable == "same-data"
    )


def _naive(standing: Standing) -> Html:
    parts = ((standing.printed, "printed"), (standing.measured, "measured again"))
    counts = ", ".join(f"{one.part} of {one.whole} numbers {words}" for one, words in parts if one.whole)
    notes = [f"A naive forecast is at least as good as {counts}."] if counts else []
    if standing.orders.part:
        notes.append(
            f"{standing.orders.whole} stated orders hold; in {standing.orders.part} of them a naive forecast's scores "
            "stand in the same order: no model is needed to get it."
        )
    return Html(f'<div class="rr-note">{" ".join(notes)}</div>' if notes else "")


def _on_substitute(share: Share) -> Html:
    """Say on which data the numbers and orders were judged."""
    if not share.part:
        return Html("")
    many = "All" if share.part == share.whole else f"{share.part} of {share.whole}"
    return Html(f'<div class="rr-note">{many} verdicts on numbers and orders are on substitute data.</div>')


def _thumbnail(entry: Entry) -> Html:
    if entry.figure is None:
        return Html("")
    address = f"papers/{entry.key}.html#{escape(entry.figure.name)}"
    image = f'<img class="rr-thumbnail" src="{STATIC}/{entry.key}.svg" alt="{escape(entry.figure.alt)}" loading="lazy">'
    caption = f'<figcaption class="rr-note">{escape(entry.figure.caption)}</figcaption>'
    return Html(f'<figure><a href="{address}">{image}</a>{caption}</figure>')


def _records(entry: Entry) -> str:
    return f"{_freshness(entry)}; {_on_same_data(entry.same_data)}"


def _on_same_data(share: Share) -> str:
    if not share.whole:
        return "no number can be measured on the paper's own data"
    return f"{share.part} of {share.whole} numbers reproduced on the paper's own data"


def _freshness(entry: Entry) -> str:
    made = "all" if entry.fresh == entry.recorded else f"{entry.fresh} of them"
    return f"{entry.recorded} of {entry.due} units recorded, {made} with today's code and data"
