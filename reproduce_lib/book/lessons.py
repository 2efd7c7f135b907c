"""What the papers teach together: sentences that each page computes and binds, put side by side by topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from reproduce_lib.claims import Comparable, FactClaim
from reproduce_lib.compare import Comparison
from reproduce_lib.tables import Html, table
from reproduce_lib.verdicts import Verdict

# A page binds a sentence to one of these names where it has something to say on the topic.
TOPICS = ("baselines", "leakage", "imbalance", "open_choices", "data")
PREFIX = "lesson_"
ORIGINS: dict[Comparable, str] = {
    "same-data": "on the paper's own data",
    "substitute-data": "on substitute data",
    "not-applicable": "exact statements",
    "no-data": "not at all",
}


def lesson_list(topic: str, bound: Mapping[str, Mapping[str, str]]) -> str:
    """Return what the pages say on a topic, a point for each, as Markdown.

    Parameters
    ----------
    bound : paper -> name -> text that its executed page bound, as Markdown
    """
    found = {paper: texts[PREFIX + topic] for paper, texts in bound.items() if texts.get(PREFIX + topic)}
    if not found:
        return "No page has measured it yet.\n"
    return "".join(f"- [{paper}](papers/{paper}.ipynb): {text}\n" for paper, text in found.items())


def origins_table(comparisons: Sequence[Comparison]) -> Html:
    """Return on which data each paper's claims could be measured, and how many exact statements are not exact."""
    rows = []
    for comparison in comparisons:
        counts = Counter(row.claim.comparable for row in comparison.rows)
        facts = [row for row in comparison.rows if isinstance(row.claim, FactClaim)]
        not_exact = sum(row.verdict is Verdict.NOT_EXACT for row in facts)
        paper = comparison.claims.paper
        link = Html(f'<a href="papers/{escape(paper)}.html">{escape(paper)}</a>')
        rows.append((link, *(str(counts[one]) for one in ORIGINS), f"{not_exact} of {len(facts)}"))
    header = ["Claims of", *ORIGINS.values(), "exact statements that are not"]
    return table(header, rows, caption="Where claims could be measured", numeric=len(header) - 1)
