"""The landing page's table: each paper, its claims by verdict, and its headline in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from reproduce_lib.collection import TITLES
from reproduce_lib.compare import Comparison, verdict_counts
from reproduce_lib.tables import TONES, Html, table
from reproduce_lib.verdicts import SYMBOLS, Verdict

HEADLINE = "headline"
_GLUE_PREFIX = "application/papermill.record/"


@dataclass(frozen=True)
class Entry:
    """One rebuilt paper on the scoreboard."""

    key: str
    in_a_sentence: str
    headline: str
    counts: Counter[Verdict]
    fresh: int
    recorded: int


def scoreboard_page(entries: Mapping[str, Entry]) -> str:
    """Return the scoreboard as Markdown to be included in the landing page."""
    rows = []
    for key, title in TITLES.items():
        if key not in entries:
            rows.append((Html(f"<strong>{escape(title)}</strong>"), "not yet rebuilt", "–", "–"))
            continue
        entry = entries[key]
        link = Html(
            f'<a href="papers/{key}.html"><strong>{escape(title)}</strong></a>'
            f'<div class="rr-note">{escape(entry.in_a_sentence)}</div>'
        )
        rows.append((link, Html(f"{_bar(entry.counts)}{_legend(entry.counts)}"), entry.headline, _freshness(entry)))
    header = ["Paper and its claim", "Claims by verdict", "What we found", "Records"]
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
            f"{'':16} {_freshness(entry)}",
            f"{'':16} {entry.headline}",
        ]
    return "\n".join(lines)


def entry_of(comparison: Comparison, page: Path) -> Entry:
    """Read one paper's entry from its compared claims and the headline that its executed page bound."""
    recorded = [status for status in comparison.statuses if status.record is not None]
    return Entry(
        comparison.claims.paper,
        comparison.claims.in_a_sentence,
        bound_texts(page).get(HEADLINE, "–"),
        verdict_counts(comparison.rows),
        sum(status.state == "fresh" for status in recorded),
        len(recorded),
    )


def bound_texts(page: Path) -> dict[str, str]:
    """Return every text that an executed notebook bound to a name."""
    import nbformat

    notebook = nbformat.read(page, as_version=4)
    outputs: list[Any] = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = {}
    for output in outputs:
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        text = output.get("data", {}).get(f"{_GLUE_PREFIX}text/markdown")
        if name and text:
            texts[name] = text
    return texts


def _bar(counts: Counter[Verdict]) -> Html:
    """Return a stacked bar; the legend below it says the same in words."""
    total = sum(counts.values())
    parts = "".join(
        f'<span class="rr-part rr-{TONES.get(verdict, "open")}" style="flex:{counts[verdict]}" '
        f'title="{counts[verdict]} {verdict}">{SYMBOLS[verdict]}</span>'
        for verdict in Verdict
        if counts[verdict]
    )
    return Html(f'<div class="rr-bar" role="img" aria-label="{total} claims by verdict">{parts}</div>')


def _legend(counts: Counter[Verdict]) -> Html:
    return Html("<br>".join(f"{SYMBOLS[v]} {counts[v]} {v}" for v in Verdict if counts[v]))


def _freshness(entry: Entry) -> str:
    return f"{entry.fresh} of {entry.recorded} records fresh"
