"""The parts that every page has: counted by hand, escaped, and commands that select what they say."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from pybtex.database import parse_string

from reproduce_lib import page_parts
from reproduce_lib.claims import load_claims
from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.compare import Comparison
from reproduce_lib.execution.study import UnitStatus, store_for
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.records import Record
from tests.support import PROJECT
from tests.test_tables import EVIL, Parsed

KEY = "naufal2023"


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))


@pytest.mark.parametrize("paper", rebuilt())
def test_overview_counts_each_claim_once(paper: str) -> None:
    claims = load_claims(paper)
    parsed = Parsed(page_parts.overview(claims))
    *rows, whole = parsed.rows[1:]
    counted = [[0 if cell == "–" else int(cell) for cell in row[1:]] for row in rows]
    kinds = Counter(claim.kind for claim in claims.claims)
    assert [sum(column) for column in zip(*counted, strict=True)] == [kinds[k] for k in ("value", "order", "fact")]
    assert [int(cell) for cell in whole[1:]] == [kinds[k] for k in ("value", "order", "fact")]
    assert " ".join(claims.in_a_sentence.split()) in " ".join(parsed.text.split())
    assert len({row[0] for row in rows}) == len(rows)


@pytest.mark.parametrize("paper", rebuilt())
def test_overview_leads_to_the_paper_by_its_doi_where_it_has_one(paper: str) -> None:
    claims = load_claims(paper)
    references = parse_string((PROJECT / "book" / "references.bib").read_text(encoding="utf-8"), "bibtex")
    doi = references.entries[claims.citation].fields.get("doi")
    parsed = Parsed(page_parts.overview(claims))
    assert parsed.values("href") == ([f"https://doi.org/{doi}"] if doi else [])
    assert ("No DOI" in parsed.text) == (doi is None)


@pytest.mark.parametrize(("paper", "doi"), [("asma2024", "10.55529/jaimlnn.43.31.40"), ("zhang2023", None)])
def test_dois_are_those_that_the_papers_print(paper: str, doi: str | None) -> None:
    assert Parsed(page_parts.overview(load_claims(paper))).values("href") == ([f"https://doi.org/{doi}"] if doi else [])


@pytest.mark.parametrize("paper", rebuilt())
def test_every_decision_has_a_row_in_its_order(paper: str) -> None:
    claims = load_claims(paper)
    rows = Parsed(page_parts.decisions(claims, {})).rows[1:]
    assert [row[0] for row in rows] == [" ".join(one.question.split()) for one in claims.decisions]
    assert len(rows) > 0
    # All of them, as the page itself asks for them.
    page = (PROJECT / "notebooks" / f"{paper}.md").read_text(encoding="utf-8")
    assert re.search(r"page_parts\.decisions\((opened\.)?claims, ", page)


def test_parts_of_one_table_are_counted_as_one() -> None:
    headings = [row[0] for row in Parsed(page_parts.overview(load_claims("li2021"))).rows]
    assert headings.count("Table III") == 1
    assert not [words for words in headings if words.startswith("Table III:")]


def test_decisions_show_what_the_page_uses_not_what_was_chosen() -> None:
    claims = load_claims(KEY)
    decision = next(one for one in claims.decisions if one.others)
    (row,) = [
        row
        for row in Parsed(page_parts.decisions(claims, {decision.parameter: EVIL})).rows
        if row[0] == decision.question
    ]
    assert row[1] == EVIL
    assert all(f"{other.says} {decision.parameter} = {other.value}" in row[3] for other in decision.others)


def test_decision_is_told_in_words_and_its_parameter_stands_below_them() -> None:
    claims = load_claims(KEY)
    decision = next(one for one in claims.decisions if one.others and one.says)
    other = decision.others[0]
    for used, expected in (
        ({}, f"{decision.says} {decision.parameter} = {decision.chosen}"),
        ({decision.parameter: other.value}, f"{other.says} {decision.parameter} = {other.value}"),
    ):
        rows = Parsed(page_parts.decisions(claims, used)).rows
        assert [row[1] for row in rows if row[0] == decision.question] == [expected]
    plain = next(one for one in claims.decisions if not one.says)
    assert [row[1] for row in Parsed(page_parts.decisions(claims, {})).rows if row[0] == plain.question] == [
        str(plain.chosen)
    ]


@pytest.mark.parametrize("paper", rebuilt())
def test_every_name_that_a_parameter_takes_is_told_in_words(paper: str) -> None:
    kinds = {type(unit) for unit in load_paper(paper).full_units()}
    for one in load_claims(paper).decisions:
        fields = [kind.model_fields[one.parameter] for kind in kinds if one.parameter in kind.model_fields]
        named = isinstance(one.chosen, str) and any(field.default == one.chosen for field in fields)
        assert one.says or not named, one.parameter


def test_reading_that_no_planned_unit_is_recorded_for_is_not_called_run() -> None:
    claims, units = load_claims(KEY), load_paper(KEY).full_units()
    decision = next(one for one in claims.decisions if one.parameter == "batch_size")
    first, second = (other.value for other in decision.others)
    record = Record("", {}, {}, 0, 0.0, "", "")
    statuses = [
        UnitStatus(unit, "fresh", record) if unit.batch_size == first else UnitStatus(unit, "missing")
        for unit in units
        if isinstance(unit, NetworkParameters)
    ]

    def also_run(among: list[UnitStatus]) -> list[str]:
        table = page_parts.decisions(claims, {}, among)
        (row,) = re.findall(rf"<tr><td>{re.escape(decision.question)}</td>.*?</tr>", table)
        return [Parsed(one).text for one in re.findall(r"<li>(.*?)</li>", row)]

    assert [words.endswith("(not run yet)") for words in also_run(statuses)] == [False, True]
    assert not any("not run" in words for words in also_run([]))  # nothing is known, nothing is said
    one = next(status for status in statuses if status.unit.batch_size == second)
    assert not any("not run" in words for words in also_run([*statuses, UnitStatus(one.unit, "stale", record)]))


@pytest.mark.parametrize("paper", rebuilt())
def test_commands_name_every_unit_behind_a_claim(paper: str) -> None:
    comparison = Comparison(load_claims(paper), load_paper(paper), store_for("full"))
    parsed = Parsed(page_parts.commands(comparison.rows))
    for row in parsed.rows[1:]:
        prefix = row[1].split("--claim ")[1]
        behind = {unit.key for one in comparison.rows if one.claim.id.startswith(f"{prefix}.") for unit in one.units}
        assert row[1] == f"reproduce verify {paper} --claim {prefix}"
        assert int(row[2]) == len(behind) > 0
    prefixes = [row[1].split("--claim ")[1] for row in parsed.rows[1:]]
    with_units = {one.claim.id for one in comparison.rows if one.units}
    assert {name for name in with_units if not any(name.startswith(f"{prefix}.") for prefix in prefixes)} == set()


def test_citation_is_that_of_the_project_and_names_the_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    changed = {**about, "version": "9.8.7", "repository-code": "https://example.org/rr"}
    (tmp_path / "CITATION.cff").write_text(yaml.safe_dump(changed), encoding="utf-8")
    (tmp_path / "book").mkdir()
    shutil.copy(PROJECT / "book" / "references.bib", tmp_path / "book")
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    text = Parsed(page_parts.cite(load_claims(KEY, PROJECT / "book" / "claims"))).text
    own, paper = parse_string(text[text.index("@software") :], "bibtex").entries.values()
    assert (own.fields["version"], own.fields["url"]) == ("9.8.7", "https://example.org/rr")
    assert paper.key == KEY
    assert paper.fields["title"] in own.fields["note"]
    assert paper.persons["author"]
