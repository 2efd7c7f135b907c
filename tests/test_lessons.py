"""What the pages say together: each sentence with its paper, and claims counted by where they were measured."""

from __future__ import annotations

from collections import Counter

import pytest

from reproduce_lib.book.lessons import ORIGINS, TOPICS, lesson_list, origins_table
from reproduce_lib.claims import FactClaim, load_claims
from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.compare import Comparison
from reproduce_lib.execution.study import store_for
from reproduce_lib.verdicts import Verdict
from tests.support import PROJECT
from tests.test_tables import Parsed


def test_each_sentence_stands_with_its_paper_and_only_under_its_topic() -> None:
    bound = {
        "one2020": {"lesson_leakage": "copies on both sides.", "headline": "no lesson"},
        "two2021": {"lesson_data": "not public."},
    }
    assert lesson_list("leakage", bound) == "- [one2020](papers/one2020.ipynb): copies on both sides.\n"
    assert lesson_list("data", bound) == "- [two2021](papers/two2021.ipynb): not public.\n"
    assert "No page" in lesson_list("baselines", bound)


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_is_said_by_a_page_and_shown_on_the_page_of_all(topic: str) -> None:
    pages = [(PROJECT / "notebooks" / f"{paper}.md").read_text(encoding="utf-8") for paper in rebuilt()]
    assert any(f'notebooks.bind("lesson_{topic}"' in page for page in pages)
    assert f"_generated/lesson-{topic}.md" in (PROJECT / "book" / "together.md").read_text(encoding="utf-8")


def test_no_page_binds_a_lesson_without_a_topic() -> None:
    import re

    for paper in rebuilt():
        text = (PROJECT / "notebooks" / f"{paper}.md").read_text(encoding="utf-8")
        assert set(re.findall(r'bind\("lesson_(\w+)"', text)) <= set(TOPICS)


def test_origins_are_those_of_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))
    comparison = Comparison(load_claims("naufal2023"), load_paper("naufal2023"), store_for("full"))
    (row,) = Parsed(origins_table([comparison])).rows[1:]
    counts = Counter(claim.comparable for claim in comparison.claims.claims)
    assert [int(cell) for cell in row[1:-1]] == [counts[one] for one in ORIGINS]
    facts = [one for one in comparison.rows if isinstance(one.claim, FactClaim)]
    assert row[-1] == f"{sum(one.verdict is Verdict.NOT_EXACT for one in facts)} of {len(facts)}"
