from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
import yaml
from IPython.core.formatters import DisplayFormatter

from reproduce_lib.book import scoreboard
from reproduce_lib.book.notebook_files import read_notebook
from reproduce_lib.book.scoreboard import (
    HEADLINE_FIGURE,
    Entry,
    Figure,
    Share,
    Standing,
    entry_of,
    headline_figure,
    scoreboard_page,
    scoreboard_text,
)
from reproduce_lib.claims import Conclusion, FactClaim, OrderClaim, ValueClaim, load_claims
from reproduce_lib.collection import TITLES, load_paper, rebuilt
from reproduce_lib.compare import Comparison
from reproduce_lib.errors import RunError
from reproduce_lib.execution.study import store_for
from reproduce_lib.notebook_execution.bound import bound_texts, fill_alt_texts
from reproduce_lib.notebooks import BoundText, bind, bind_findings, bind_verdict
from reproduce_lib.papers.naufal2023.price_facts import PriceFactParameters
from reproduce_lib.rows import verdict_counts
from reproduce_lib.verdicts import Verdict
from tests.support import PROJECT, copy_of_the_project, put
from tests.test_tables import EVIL, Parsed, fact_row, order_row, value_row

KEY = "naufal2023"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path / "root"))
    return copy_of_the_project(tmp_path / "root")


def page(folder: Path, **texts: str) -> Path:
    """Write an executed notebook that bound texts to names, as `notebooks.bind` does."""
    outputs = [
        glued(name, {"text/markdown": BoundText(text)._repr_markdown_(), "text/plain": text})
        for name, text in texts.items()
    ]
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
    parsed = Parsed(scoreboard_page({}))
    assert [row[1] for row in parsed.rows[1:]] == ["not yet rebuilt"] * len(TITLES)
    assert all(title in row[0] for title, row in zip(TITLES.values(), parsed.rows[1:], strict=True))
    assert scoreboard_text({}).count("not yet rebuilt") == len(TITLES)


def test_rebuilt_paper_has_its_bound_headline_and_a_link(root: Path) -> None:
    pages = {KEY: entry(root, headline="None of 48 errors is reproduced.")}
    parsed = Parsed(scoreboard_page(pages))
    (row,) = [row for row in parsed.rows if TITLES[KEY] in row[0]]
    assert "None of 48 errors is reproduced." in row[2]
    assert f"papers/{KEY}.html" in parsed.values("href")
    assert parsed.text.count("not yet rebuilt") == len(TITLES) - 1
    assert "None of 48 errors is reproduced." in scoreboard_text(pages)


def test_bound_texts_are_those_that_were_glued_as_text(root: Path) -> None:
    assert bound_texts(read_notebook(page(root, headline="one", verdict="two"))) == {
        "headline": "one",
        "verdict": "two",
    }


def test_bound_text_comes_as_its_letters_or_as_markdown_without_markup(root: Path) -> None:
    notebook = read_notebook(page(root, headline="a < b & *c*", lesson_data=f"{EVIL}{{cite}}"))
    assert bound_texts(notebook)["headline"] == "a < b & *c*"
    written = bound_texts(notebook, "markdown")
    assert written["headline"] == "a &lt; b &amp; *c*"
    assert not set("<>{") & set(written["lesson_data"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("**Is it?** No: 'it' is ≥ 3 and −1.", "<p><strong>Is it?</strong> No: 'it' is ≥ 3 and −1.</p>"),
        ("> 3 of &nbsp; 4", "<p>&gt; 3 of &amp;nbsp; 4</p>"),
        ("<script>window.hurt = 1</script>", "<p>&lt;script&gt;window.hurt = 1&lt;/script&gt;</p>"),
        ("{{ 7 * 7 }}", "<p>{{ 7 * 7 }}</p>"),
        ("{math}`x`", '<p>{math}<span class="docutils literal">x</span></p>'),
    ],
)
def test_a_page_shows_a_bound_text_as_it_is(text: str, shown: str) -> None:
    """As MyST reads it, with what the book turns on: of Markdown's marks only emphasis means something."""
    from docutils.core import publish_parts
    from myst_parser.parsers.docutils_ import Parser

    extensions = yaml.safe_load((PROJECT / "_config.yml").read_text(encoding="utf-8"))["parse"][
        "myst_enable_extensions"
    ]
    settings = {"myst_enable_extensions": extensions, "report_level": 5}
    markup = BoundText(text)._repr_markdown_()
    body = publish_parts(markup, parser=Parser(), writer_name="html5", settings_overrides=settings)["body"]
    assert body.strip() == shown


def test_what_the_library_binds_is_what_the_scoreboard_reads(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.core.formatters.format_display_data", DisplayFormatter().format)
    monkeypatch.setattr("myst_nb.ext.glue.ipy_display", lambda data, raw, metadata: shown.append((data, metadata)))
    bind("headline", "a *found* sentence")
    ((data, metadata),) = shown
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    assert bound_texts(notebook) == {"headline": "a *found* sentence"}


def test_answer_stands_before_the_numbers_behind_it(root: Path) -> None:
    pages = {KEY: entry(root, answer="Does it? In none of 12.", headline="Numbers <b>.")}
    parsed = Parsed(scoreboard_page(pages))
    (row,) = [row for row in parsed.rows if TITLES[KEY] in row[0]]
    assert row[2].index("Does it? In none of 12.") < row[2].index("Numbers <b>.")
    lines = scoreboard_text(pages).splitlines()
    assert [line.strip() for line in lines if "none of 12" in line or "Numbers" in line] == [
        "Does it? In none of 12.",
        "Numbers <b>.",
    ]
    assert "<p><strong>" not in scoreboard_page({KEY: entry(root, headline="one")})


def test_what_a_paper_concludes_stands_with_the_verdicts_of_the_claims_it_rests_on(root: Path) -> None:
    """Of three claims that hold, one that fails and one of another kind, a conclusion counts its own."""
    claims = compared().claims.model_copy(
        update={
            "conclusions": [
                Conclusion(says="Best & <first>", claims=["toy.o", "toy.f*"]),
                Conclusion(says="Second", claims=["toy.t*"]),
            ]
        }
    )
    rows = [order_row(), order_row(Verdict.FAILS), fact_row(Verdict.EXACT), value_row()]
    outcomes = scoreboard._outcomes_of(SimpleNamespace(claims=claims, rows=rows))  # type: ignore[arg-type]
    counted = Counter({Verdict.HOLDS: 1, Verdict.FAILS: 1, Verdict.EXACT: 1})
    assert [(one.says, one.counts) for one in outcomes] == [
        ("Best & <first>", counted), ("Second", Counter({Verdict.REPRODUCED: 1}))
    ]  # fmt: skip
    without = SimpleNamespace(claims=claims.model_copy(update={"conclusions": []}), rows=rows)
    assert [(one.says, one.counts) for one in scoreboard._outcomes_of(without)] == [  # type: ignore[arg-type]
        (scoreboard.OTHERS[OrderClaim], Counter({Verdict.HOLDS: 1, Verdict.FAILS: 1})),
        (scoreboard.OTHERS[ValueClaim], Counter({Verdict.REPRODUCED: 1})),
        (scoreboard.OTHERS[FactClaim], Counter({Verdict.EXACT: 1})),
    ]
    shown = {KEY: dataclasses.replace(entry(root), outcomes=outcomes)}
    assert "Best & <first>: ✓ 1 holds, ✗ 1 fails, = 1 exact" in Parsed(scoreboard_page(shown)).text
    assert "- Second: ● 1 reproduced" in scoreboard_text(shown)


@pytest.mark.parametrize("paper", rebuilt())
def test_each_paper_says_what_it_concludes(paper: str) -> None:
    conclusions = load_claims(paper, PROJECT / "book" / "claims").conclusions
    assert 1 <= len(conclusions) <= 6
    assert max(len(one.says.split()) for one in conclusions) <= 20


def test_findings_open_the_page_with_the_answer_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bound: dict[str, str] = {}
    monkeypatch.setattr("reproduce_lib.notebooks.bind", bound.__setitem__)
    bind_findings("Does it? No.", "3 of 4.")
    assert bound == {"answer": "Does it? No.", "headline": "3 of 4.", "verdict": "**Does it? No.** 3 of 4."}
    bind_findings("", "Not judged.")
    assert bound["verdict"] == "**Not judged.**"


def test_the_section_on_the_verdict_has_its_answer_in_bold_and_a_point_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    bound: dict[str, str] = {}
    monkeypatch.setattr("reproduce_lib.notebooks.bind", bound.__setitem__)
    bind_verdict("No, in none of 6 runs.", ["One of 3.", "", "Two of 4."])
    assert bound == {"verdict_in_full": "**No, in none of 6 runs.**\n\n- One of 3.\n- Two of 4."}


@pytest.mark.parametrize("answer", ["", "Does it? No.", "No. Never.", "It does"])
def test_an_answer_that_is_not_one_sentence_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match="one sentence"):
        bind_verdict(answer, [])


def test_an_alt_text_holds_what_was_bound(root: Path) -> None:
    notebook = read_notebook(page(root, best="M 5 < M 6", worst="{0}"))
    image = {"alt": "From {glue:text}`best`\nto {glue:text}`worst`."}
    notebook.cells[0].metadata["mystnb"] = {"image": image, "figure": {"caption": "{glue:text}`best`"}}
    fill_alt_texts(notebook)
    assert notebook.cells[0].metadata["mystnb"]["image"]["alt"] == "From M 5 < M 6 to {0}."
    # A caption is Markdown, and the page's own.
    assert notebook.cells[0].metadata["mystnb"]["figure"]["caption"] == "{glue:text}`best`"
    notebook.cells[1].metadata["mystnb"] = {"image": {"alt": "{glue:text}`nothing`"}}
    with pytest.raises(RunError, match="nothing"):
        fill_alt_texts(notebook)


def test_page_without_a_headline_shows_none(root: Path) -> None:
    assert entry(root).headline == "–"


def test_counts_are_those_of_the_comparison_and_follow_the_records(root: Path) -> None:
    empty = entry(root)
    store = store_for("full")
    put(store, PriceFactParameters.of(quantity="trading_days"), {"value": 1259.0})
    put(store, PriceFactParameters.of(quantity="first_day"), {"value": "2017-10-09"}, code={})
    found = entry(root)
    claims = load_claims(KEY)
    assert found.counts == verdict_counts(Comparison(claims, load_paper(KEY), store).rows)
    assert sum(found.counts.values()) == len(claims.claims)
    assert found.counts - empty.counts == Counter({Verdict.EXACT: 1, Verdict.NOT_EXACT: 1})
    assert empty.counts - found.counts == Counter({Verdict.PENDING: 2})
    assert (empty.recorded, found.fresh, found.recorded) == (0, 1, 2)
    assert found.due == len(Comparison(claims, load_paper(KEY), store).statuses)


def test_every_count_is_printed(root: Path) -> None:
    pages = {KEY: entry(root)}
    counts = pages[KEY].counts
    for text in (Parsed(scoreboard_page(pages)).text, scoreboard_text(pages)):
        assert all(f"{count} {verdict}" in text for verdict, count in counts.items())


def test_the_bar_has_a_part_for_each_verdict_as_wide_as_it_is_common(root: Path) -> None:
    counts = Counter({Verdict.HOLDS: 30, Verdict.WORSE: 6, Verdict.PENDING: 61, Verdict.FAILS: 3})
    markup = scoreboard_page({KEY: dataclasses.replace(entry(root), counts=counts)})
    parts = re.findall(r'<span class="rr-part rr-(\w+)" style="flex:(\d+)" title="(\d+) ([^"]+)">(.?)</span>', markup)
    assert sorted(parts) == [
        ("bad", "3", "3", "fails", ""),  # too narrow for its symbol
        ("bad", "6", "6", "worse than reported", "▼"),
        ("good", "30", "30", "holds", "✓"),
        ("waiting", "61", "61", "pending", "…"),
    ]
    assert 'role="img" aria-label="100 claims by verdict"' in markup


def test_freshness_and_the_share_on_the_papers_own_data_are_told(root: Path) -> None:
    told = dataclasses.replace(entry(root), fresh=5, recorded=7, due=9, same_data=Share(2, 48))
    for text in (Parsed(scoreboard_page({KEY: told})).text, scoreboard_text({KEY: told})):
        assert "2 of 48" in text
        assert "own data" in text
        assert "7 of 9" in text
        assert "5" in text


def test_bound_text_never_becomes_markup(root: Path) -> None:
    parsed = Parsed(scoreboard_page({KEY: entry(root, headline=EVIL)}))
    assert not {"script", "img"} & set(parsed.tags)
    assert EVIL in parsed.text


# Figures, naive forecasts and shares


def drawn(folder: Path, *tags: str, svg: str = "<svg/>") -> Path:
    output = nbformat.v4.new_output("display_data", data={"image/svg+xml": svg, "text/plain": "figure"})
    about = {"figure": {"name": "fig-x-y", "caption": "Errors of two."}, "image": {"alt": "what is seen"}}
    cell = nbformat.v4.new_code_cell("draw()", outputs=[output], metadata={"tags": list(tags), "mystnb": about})
    path = folder / "drawn.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1"), cell]), path)
    return path


def test_headline_figure_is_what_the_marked_cell_drew(tmp_path: Path) -> None:
    figure = headline_figure(read_notebook(drawn(tmp_path, "hide-input", "headline-figure", svg="<svg>here</svg>")))
    assert figure == Figure("fig-x-y", "Errors of two.", "what is seen", "<svg>here</svg>")
    assert headline_figure(read_notebook(drawn(tmp_path, "hide-input"))) is None
    # Drawn small, it has words of its own and leads to the large one.
    both = read_notebook(drawn(tmp_path, "hide-input", "headline-figure", svg="<svg>large</svg>"))
    small = read_notebook(drawn(tmp_path, "remove-cell", "thumbnail", svg="<svg>small</svg>"))
    words = {"figure": {"caption": "Small."}, "image": {"alt": "Dots."}}
    small.cells[-1].metadata["mystnb"] = words
    both.cells.append(small.cells[-1])
    assert figure is not None
    assert headline_figure(both) == Figure(figure.name, "Small.", "Dots.", "<svg>small</svg>")
    assert headline_figure(read_notebook(page(tmp_path))) is None


def test_thumbnail_leads_to_its_figure_and_says_what_is_seen(root: Path) -> None:
    shown = dataclasses.replace(entry(root), figure=Figure("fig-naufal2023-errors", f"Errors {EVIL}", EVIL, "<svg/>"))
    parsed = Parsed(scoreboard_page({KEY: shown}))
    assert f"Errors {EVIL}" in parsed.text
    assert f"papers/{KEY}.html#fig-naufal2023-errors" in parsed.values("href")
    assert parsed.values("alt") == [EVIL]
    assert parsed.values("src") == [f"../_static/{KEY}.svg"]


@pytest.mark.parametrize("paper", rebuilt())
def test_each_page_marks_one_figure_for_the_landing_page(paper: str) -> None:
    notebook = nbformat.read(PROJECT / "notebooks" / f"{paper}.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if HEADLINE_FIGURE in cell.metadata.get("tags", [])]
    assert cell.metadata["mystnb"]["figure"]["name"].startswith(f"fig-{paper}-")


def row(printed: str, mean: float | None, naive: float | None, better: str, **changes: Any) -> Any:
    made = value_row()
    claim = made.claim.model_copy(update={"value": printed, "better": better, **changes})
    return dataclasses.replace(made, claim=claim, naive=naive, measured=() if mean is None else (mean,))


def test_naive_forecast_stands_by_the_direction_that_is_better() -> None:
    rows = [
        row("2.0", 3.0, 2.0, "lower"),  # as good as printed, better than measured
        row("2.0", 1.0, 1.5, "lower"),  # better than printed alone
        row("80.0", 70.0, 75.0, "higher"),  # better than measured alone
        row("80.0", None, 75.0, "higher"),  # not measured
        row("5.8", 5.7, 5.6, "none"),  # neither direction is better
        row("1.0", 2.0, None, "lower"),  # without a naive forecast
        order_row(),
    ]
    comparison: Any = SimpleNamespace(rows=rows)
    assert scoreboard._standing(comparison) == Standing(Share(2, 4), Share(2, 3), Share(0, 1))


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_naive_forecast_of_the_same_score_is_as_good(better: str) -> None:
    same: Any = SimpleNamespace(rows=[row("80.0", 80.0, 80.0, better)])
    assert scoreboard._standing(same) == Standing(Share(1, 1), Share(1, 1), Share(0, 0))
    worse = 80.5 if better == "lower" else 79.5
    other: Any = SimpleNamespace(rows=[row("80.0", 80.0, worse, better)])
    assert scoreboard._standing(other) == Standing(Share(0, 1), Share(0, 1), Share(0, 0))


def test_orders_that_hold_and_that_no_model_is_needed_for_are_counted(root: Path) -> None:
    holds = order_row(Verdict.HOLDS)
    rows = [dataclasses.replace(holds, naive_holds=same) for same in (True, True, False, None)]
    rows.append(dataclasses.replace(order_row(Verdict.FAILS), naive_holds=True))
    comparison: Any = SimpleNamespace(rows=rows)
    standing = scoreboard._standing(comparison)
    assert standing.orders == Share(2, 4)
    shown = Parsed(scoreboard_page({KEY: dataclasses.replace(entry(root), standing=standing)})).text
    assert "4 stated orders hold; in 2 of them" in shown


def test_each_paper_stands_with_its_title_and_what_it_claims(root: Path) -> None:
    (row,) = [row for row in Parsed(scoreboard_page({KEY: entry(root)})).rows if TITLES[KEY] in row[0]]
    assert " ".join(load_claims(KEY).in_a_sentence.split()) in " ".join(row[0].split())
    claimed = dataclasses.replace(entry(root), in_a_sentence=f"It claims this {EVIL}.")
    (row,) = [row for row in Parsed(scoreboard_page({KEY: claimed})).rows if TITLES[KEY] in row[0]]
    assert f"It claims this {EVIL}." in row[0]


@pytest.mark.parametrize(
    ("standing", "sentences"),
    [
        (
            Standing(Share(2, 4), Share(2, 3), Share(1, 5)),
            "A naive forecast is at least as good as 2 of 4 numbers printed, 2 of 3 numbers measured again. "
            "5 stated orders hold; in 1 of them a naive forecast's scores stand in the same order: "
            "no model is needed to get it.",
        ),
        (
            Standing(Share(0, 0), Share(2, 3), Share(0, 5)),
            "A naive forecast is at least as good as 2 of 3 numbers measured again.",
        ),
        (
            Standing(Share(0, 4), Share(0, 0), Share(0, 0)),
            "A naive forecast is at least as good as 0 of 4 numbers printed.",
        ),
        (Standing(Share(0, 0), Share(0, 0), Share(0, 0)), ""),
    ],
)
def test_how_a_naive_forecast_stands_is_told_in_sentences(root: Path, standing: Standing, sentences: str) -> None:
    shown = scoreboard_page({KEY: dataclasses.replace(entry(root), standing=standing, on_substitute=Share(0, 9))})
    (row,) = [row for row in Parsed(shown).rows if TITLES[KEY] in row[0]]
    # Nothing stands behind them: they end the cell.
    assert row[1].endswith(sentences)
    assert ("naive" in row[1]) == bool(sentences)


@pytest.mark.parametrize(
    ("share", "words"), [(Share(0, 9), None), (Share(4, 9), "4 of 9 verdicts"), (Share(9, 9), "All verdicts")]
)
def test_data_that_stand_in_are_told_above_the_verdicts(root: Path, share: Share, words: str | None) -> None:
    shown = Parsed(scoreboard_page({KEY: dataclasses.replace(entry(root), on_substitute=share)})).text
    assert (words or "nothing") in shown if words else "on substitute data" not in shown


def test_reproduced_share_is_over_numbers_on_the_papers_own_data() -> None:
    kinds = {"comparable": "substitute-data", "why": "w"}
    rows = [
        dataclasses.replace(row("2.0", 2.0, None, "lower"), verdict=Verdict.REPRODUCED),
        dataclasses.replace(row("2.0", 3.0, None, "lower"), verdict=Verdict.WORSE),
        dataclasses.replace(row("2.0", 2.0, None, "lower", **kinds), verdict=Verdict.REPRODUCED),
        order_row(),
    ]
    comparison: Any = SimpleNamespace(rows=rows)
    assert scoreboard._reproduced_on_same_data(comparison) == Share(1, 2)


def test_numbers_of_other_data_and_numbers_not_judged_yet_are_left_out() -> None:
    elsewhere = row("1.0", 3.0, 2.0, "lower", comparable="substitute-data", why="w")
    waiting = dataclasses.replace(row("3.0", 3.0, 2.0, "lower"), verdict=Verdict.PENDING)
    comparison: Any = SimpleNamespace(rows=[elsewhere, waiting, row("3.0", 1.0, 2.0, "lower")])
    assert scoreboard._standing(comparison) == Standing(Share(1, 1), Share(1, 2), Share(0, 0))
