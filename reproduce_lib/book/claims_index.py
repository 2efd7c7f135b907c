"""All claims of the collection: one table that scripts let a reader sort and search, and the downloads beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from reproduce_lib.book.exports import CLAIMS_SCHEMA, RECORDS
from reproduce_lib.claims import FactClaim, ValueClaim
from reproduce_lib.compare import Comparison
from reproduce_lib.rows import Row
from reproduce_lib.tables import Html, held_in, number, plain, table, verdict_badge
from reproduce_lib.tolerances import metric
from reproduce_lib.verdicts import Verdict

KINDS = {"value": "number", "order": "order", "fact": "exact statement"}
# A statement is cut here; its page has all of it.
LONGEST = 160
# By its kind, best first, a column of verdicts is sorted.
RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


def claims_page(comparisons: Sequence[Comparison]) -> str:
    """Return every claim of every paper as one table, each linked to its row on its paper's page."""
    rows = [_cells(comparison.claims.paper, row) for comparison in comparisons for row in comparison.rows]
    header = ["Paper", "Claim", "Kind", "Verdict", "Score", "Reported", "Measured again", "Naive"]
    return f"{table(header, rows, caption='All claims', numeric=3, css='rr-index')}\n"


def downloads_page(comparisons: Sequence[Comparison], folder: str) -> str:
    """Return links to what can be taken away; ``folder`` is where it lies, from the root of the book's sources."""
    return "\n".join(_downloads(comparisons, folder)) + "\n"


def _downloads(comparisons: Sequence[Comparison], folder: str) -> Iterator[str]:
    yield "| paper | claims with verdicts | notebook |"
    yield "|---|---|---|"
    for comparison in comparisons:
        key = comparison.claims.paper
        files = " · ".join(f"{{download}}`{end.upper()} </{folder}/{key}-claims.{end}>`" for end in ("csv", "json"))
        yield f"| {key} | {files} | {{download}}`ipynb </notebooks/{key}.ipynb>` |"
    yield ""
    yield f"- {{download}}`JSON Schema of the claims </{folder}/{CLAIMS_SCHEMA}>`"
    yield f"- {{download}}`all records, one archive </{folder}/{RECORDS}>`, with a dictionary of their fields"


def _cells(paper: str, row: Row) -> tuple[str | Html, ...]:
    claim = row.claim
    words = claim.statement if len(claim.statement) <= LONGEST else f"{claim.statement[: LONGEST - 1]}…"
    link = Html(
        f'<a href="papers/{escape(paper)}.html#{escape(claim.id)}">{escape(words)}</a> '
        f'<span class="rr-source">{escape(claim.source)}</span> <code class="rr-id">{escape(claim.id)}</code>'
    )
    verdict = Html(f'<span data-rank="{RANKS[row.counted]}">{verdict_badge(row)}</span>')
    return paper, link, KINDS[claim.kind], verdict, _score(row), *_numbers(row)


def _score(row: Row) -> str:
    """Return what a number is and its unit: numbers of one score can be sorted together."""
    if not isinstance(row.claim, ValueClaim):
        return "–"
    label, unit = metric(row.claim.metric).label, row.claim.unit
    return f"{label} ({unit})" if unit and unit not in label else label


def _numbers(row: Row) -> tuple[str, str, str]:
    claim = row.claim
    if isinstance(claim, ValueClaim):
        like = claim.likely or claim.value
        return claim.value, number(row.mean, like), number(row.naive, like)
    if isinstance(claim, FactClaim):
        return claim.printed, "; ".join(map(plain, row.measured)) or "–", "–"
    return "–", f"holds in {held_in(row)}" if row.measured else "–", "–"
