from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter

from reproduce_lib.claims import load_claims
from reproduce_lib.collection import TITLES, load_paper
from reproduce_lib.compare import Comparison, verdict_counts
from reproduce_lib.notebooks import bind
from reproduce_lib.papers.naufal2023 import PriceFactParameters
from reproduce_lib.scoreboard import Entry, bound_texts, entry_of, scoreboard_page, scoreboard_text
from reproduce_lib.study import store_for
from reproduce_lib.verdicts import Verdict
from tests.support import copy_of_the_project, put
from tests.test_tables import EVIL, Parsed

KEY = "naufal2023"
MODULE = "reproduce_lib.papers.naufal2023"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path / "root"))
    return copy_of_the_project(tmp_path / "root")


def page(folder: Path, **texts: str) -> Path:
    """Write an executed notebook that bound texts to names, as `notebooks.bind` does."""
    outputs = [glued(name, {"text/markdown": text, "text/plain": text}) for name, text in texts.items()]
    outputs += [nbformat.v4.new_output("stream", text="headline"), glued("number", {"text/plain": "7"})]
    outputs.append(nbformat.v4.new_output("display_data", data={"text/markdown": "not bound"}))
    cells = [nbformat.v4.new_markdown_cell("# Page"), nbformat.v4.new_code_cell("bind()", outputs=outputs)]
    path = folder / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def compared() -> Comparison:
    return Comparison(load_claims(KEY), load_paper(KEY), store_for("full"))


def entry(root: Path, **texts: str) -> Entry:
    return entry_of(compared(), page(root, **texts))


def glued(name: str, data: dict[str, str]) -> Any:
    prefixed = {f"application/papermill.record/{kind}": text for kind, text in data.items()}
    metadata = {"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}}
    return nbformat.v4.new_output("display_data", data=prefixed, metadata=metadata)


def test_papers_not_yet_rebuilt_say_so() -> None:
    assert len(TITLES) == 5
    parsed = Parsed(scoreboard_page({}))
    assert [row[1] for row in parsed.rows[1:]] == ["not yet rebuilt"] * 5
    assert all(title in row[0] for title, row in zip(TITLES.values(), parsed.rows[1:], strict=True))
    assert scoreboard_text({}).count("not yet rebuilt") == 5


def test_rebuilt_paper_has_its_bound_headline_and_a_link(root: Path) -> None:
    pages = {KEY: entry(root, headline="None of 48 errors is reproduced.")}
    parsed = Parsed(scoreboard_page(pages))
    (row,) = [row for row in parsed.rows if TITLES[KEY] in row[0]]
    assert "None of 48 errors is reproduced." in row
    assert f"papers/{KEY}.html" in parsed.values("href")
    assert parsed.text.count("not yet rebuilt") == 4
    assert "None of 48 errors is reproduced." in scoreboard_text(pages)


def test_bound_texts_are_those_that_were_glued_as_text(root: Path) -> None:
    assert bound_texts(page(root, headline="one", verdict="two")) == {"headline": "one", "verdict": "two"}


def test_what_the_library_binds_is_what_the_scoreboard_reads(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.core.formatters.format_display_data", DisplayFormatter().format)
    monkeypatch.setattr("myst_nb.ext.glue.ipy_display", lambda data, raw, metadata: shown.append((data, metadata)))
    bind("headline", "a *found* sentence")
    ((data, metadata),) = shown
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    path = root / "glued.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])]), path)
    assert bound_texts(path) == {"headline": "a *found* sentence"}


def test_page_without_a_headline_shows_none(root: Path) -> None:
    assert entry(root).headline == "–"


def test_counts_are_those_of_the_comparison_and_follow_the_records(root: Path) -> None:
    empty = entry(root)
    store = store_for("full")
    put(store, PriceFactParameters.of(quantity="trading_days"), {"value": 1259.0}, module=MODULE)
    put(store, PriceFactParameters.of(quantity="first_day"), {"value": "2017-10-09"}, code={})
    found = entry(root)
    claims = load_claims(KEY)
    assert found.counts == verdict_counts(Comparison(claims, load_paper(KEY), store).rows)
    assert sum(found.counts.values()) == len(claims.claims)
    assert found.counts - empty.counts == Counter({Verdict.EXACT: 1, Verdict.DIFFER: 1})
    assert empty.counts - found.counts == Counter({Verdict.PENDING: 2})
    assert (empty.recorded, found.fresh, found.recorded) == (0, 1, 2)


def test_every_count_is_printed(root: Path) -> None:
    pages = {KEY: entry(root)}
    counts = pages[KEY].counts
    for text in (Parsed(scoreboard_page(pages)).text, scoreboard_text(pages)):
        assert all(f"{count} {verdict}" in text for verdict, count in counts.items())


def test_bound_text_never_becomes_markup(root: Path) -> None:
    parsed = Parsed(scoreboard_page({KEY: entry(root, headline=EVIL)}))
    assert not {"script", "img"} & set(parsed.tags)
    assert EVIL in parsed.text
