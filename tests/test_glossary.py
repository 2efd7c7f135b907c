"""The glossary: every word of it is used by a page, and every word that a page links to is in it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import PROJECT

# A role, with the words that are shown where they are not the term itself.
_ROLE = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")
_BLOCK = re.compile(r"^```\{glossary\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A definition is read in passing.
MOST_WORDS = 60


def pages() -> dict[str, str]:
    """Return the text of every page but the glossary."""
    found = [*(PROJECT / "book").glob("*.md"), *(PROJECT / "notebooks").glob("*.md")]
    return {path.name: path.read_text(encoding="utf-8") for path in found if path.name != "glossary.md"}


def glossary() -> dict[str, str]:
    """Return term -> definition."""
    text = (PROJECT / "book" / "glossary.md").read_text(encoding="utf-8")
    entries = [entry for block in _BLOCK.findall(text) for entry in block.strip().split("\n\n")]
    return {term: definition for term, _, definition in (entry.partition("\n") for entry in entries)}


def used(texts: dict[str, str]) -> set[str]:
    return {term.strip().lower() for text in texts.values() for term in _ROLE.findall(" ".join(text.split()))}


def test_every_term_is_linked_from_a_page_and_every_link_has_its_term() -> None:
    assert used(pages()) == {term.lower() for term in glossary()}


def test_a_role_is_found_with_and_without_words_of_its_own() -> None:
    assert used({"a": "{term}`one\nstep` and {term}`its seeds\n<Seed>`, not {term} alone"}) == {"one step", "seed"}


def test_a_definition_is_short_and_each_term_stands_once() -> None:
    found = glossary()
    assert len(found) > 20
    assert {term: len(words.split()) for term, words in found.items() if len(words.split()) > MOST_WORDS} == {}
    text = (PROJECT / "book" / "glossary.md").read_text(encoding="utf-8")
    assert [term for term in found if len(re.findall(rf"^{re.escape(term)}$", text, re.MULTILINE)) != 1] == []


def test_the_glossary_is_in_the_table_of_contents() -> None:
    assert "file: book/glossary\n" in Path(PROJECT / "_toc.yml").read_text(encoding="utf-8")
