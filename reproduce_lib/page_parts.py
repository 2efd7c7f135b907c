"""Parts that every paper's page has: what is claimed, what was decided, how to run it again, how to cite it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import yaml

from reproduce_lib import paths
from reproduce_lib.claims import Decision, FactClaim, OrderClaim, PaperClaims, ValueClaim
from reproduce_lib.execution.study import UnitStatus
from reproduce_lib.rows import Row
from reproduce_lib.tables import Html, fold, table

KINDS = {"value": "Numbers", "order": "Orders", "fact": "Exact statements"}


def out_of(part: int, whole: int) -> str:
    """Return how many of how many, in the words of a sentence: ``none of 12``, ``all 12``, ``5 of 12``.

    >>> out_of(0, 12), out_of(12, 12), out_of(5, 12)
    ('none of 12', 'all 12', '5 of 12')
    """
    if part == whole > 0:
        return f"all {whole}"
    return f"{part or 'none'} of {whole}"


def overview(claims: PaperClaims) -> Html:
    """Return what a paper claims: in a sentence, and how many claims of which kind stand where."""
    counts: dict[str, Counter[str]] = {}
    for claim in claims.claims:
        counts.setdefault(_heading(claim), Counter())[claim.kind] += 1
    rows = [(heading, *(str(found[kind] or "–") for kind in KINDS)) for heading, found in counts.items()]
    whole: Counter[str] = Counter(claim.kind for claim in claims.claims)
    rows.append(("All", *(str(whole[kind]) for kind in KINDS)))
    counted = table(
        ["What is claimed", *KINDS.values()], rows, caption="Claims that were transcribed", numeric=len(KINDS)
    )
    return Html(f"<p>{escape(claims.in_a_sentence)} {_where_it_is(claims.citation)}</p>{counted}")


def cited(citation: str) -> str:
    """Return how a text cites a paper: its authors' last names and the year."""
    entry = _reference(citation)
    names = [" ".join((*person.prelast_names, *person.last_names)) for person in entry.persons["author"]]
    told = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{told} ({entry.fields['year']})"


def decisions(claims: PaperClaims, used: Mapping[str, Any], statuses: Sequence[UnitStatus] = ()) -> Html:
    """Return what the paper left open: the question, what this page uses, why, and what else was run.

    Parameters
    ----------
    used : parameter -> what it is on this page; where it is not there, what was chosen
    statuses : planned units, so that a reading that none of them is recorded for is called not run yet
    """

    def others(decision: Decision) -> Html:
        told = (
            f"<li>{_in_words(decision, other.value)}{_not_run_yet(decision.parameter, other.value, statuses)}</li>"
            for other in decision.others
        )
        return Html(f'<ul class="rr-readings">{"".join(told)}</ul>' if decision.others else "none run")

    rows = [
        (
            decision.question,
            _in_words(decision, used.get(decision.parameter, decision.chosen)),
            decision.reason,
            others(decision),
        )
        for decision in claims.decisions
    ]
    return table(["Question", "Used here", "Reason of the choice", "Also run"], rows, caption="Decisions")


def _in_words(decision: Decision, value: Any) -> Html:
    """Return what a value of a decision means, and below it the parameter that asks for it."""
    meanings = {str(other.value): other.says for other in decision.others} | {str(decision.chosen): decision.says}
    meaning = meanings.get(str(value), "")
    if not meaning:
        return Html(escape(str(value)))
    return Html(f'{escape(meaning)} <code class="rr-id">{escape(f"{decision.parameter} = {value}")}</code>')


def _not_run_yet(parameter: str, value: Any, statuses: Sequence[UnitStatus]) -> str:
    """Say so if units of a reading are planned and none of them is recorded."""
    planned = [status for status in statuses if str(getattr(status.unit, parameter, None)) == str(value)]
    return " (not run yet)" if planned and all(status.record is None for status in planned) else ""


def commands(rows: Iterable[Row]) -> Html:
    """Return for each table or section of the paper the command that executes the units behind it again."""
    places: dict[str, list[Row]] = {}
    for row in rows:
        if row.units:
            places.setdefault(".".join(row.claim.id.split(".")[:2]), []).append(row)
    cells = [
        (
            Counter(row.claim.source for row in members).most_common(1)[0][0],
            Html(f"<code>reproduce verify {escape(place.partition('.')[0])} --claim {escape(place)}</code>"),
            str(len({unit.key for row in members for unit in row.units})),
        )
        for place, members in places.items()
    ]
    header = ["Of the paper", "Command", "Recorded units"]
    return table(header, cells, caption="Run it again, table by table", numeric=1)


def cite(claims: PaperClaims) -> Html:
    """Return a fold with what to cite: this reproduction, and the paper of the page, as BibTeX entries."""
    about = yaml.safe_load((paths.root() / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(f"{{{author['name']}}}" for author in about["authors"])
    paper = _reference(claims.citation)
    fields = {
        "author": authors,
        "title": f"{about['title']}: {claims.title}",
        "version": str(about["version"]),
        "year": str(about["date-released"])[:4],
        "note": f"Reproduction of {paper.fields['title']}",
    }
    if repository := about.get("repository-code"):
        fields["url"] = str(repository)
    lines = "".join(f"  {name:7} = {{{value}}},\n" for name, value in fields.items())
    entry = f"@software{{reported-and-reproduced-{claims.paper},\n{lines}}}\n\n{paper.to_string('bibtex').strip()}"
    return fold("Cite this reproduction, and the paper", Html(f'<pre tabindex="0">{escape(entry)}</pre>'))


def _where_it_is(citation: str) -> str:
    """Return a link to a paper by its DOI, or words where the reference has none."""
    doi = _reference(citation).fields.get("doi")
    if doi is None:
        return "No DOI of it is known."
    return f'DOI <a href="https://doi.org/{escape(doi)}">{escape(doi)}</a>.'


def _reference(citation: str) -> Any:
    """Return an entry of the references by its key."""
    from pybtex.database import parse_file

    return parse_file(str(paths.root() / "book" / "references.bib")).entries[citation]


def _heading(claim: ValueClaim | OrderClaim | FactClaim) -> str:
    """Return the group of a claim, the parts of one table as one; without a group, where it stands in the paper."""
    group = claim.group or claim.source
    return group.partition(":")[0] if claim.kind == "value" else group
