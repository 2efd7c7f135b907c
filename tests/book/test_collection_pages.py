"""The pages of the whole collection: landing page, all claims, search, what can be taken away, what is taught."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from reproduce_lib.claims import load_claims
from reproduce_lib.collection import TITLES
from reproduce_lib.figures.thumbnails import LETTERS
from reproduce_lib.verdicts import SYMBOLS, Verdict, printed_number
from tests.book.browsing import visit
from tests.book.built import PAPERS, pages_of
from tests.support import PROJECT

# Books are built: they take longer than the default run may.
pytestmark = [pytest.mark.slow, pytest.mark.book]

# What somebody would look for who does not know how the papers are called here.
SUBJECTS = {
    "naufal2023": "stock prices GRU",
    "asma2024": "Philippines ARIMA",
    "li2021": "DLEP attention",
    "zhang2023": "DenseNet AETA",
    "adamopoulou2023": "PhaseNet augmentation",
}


# A formula that is still written for MathJax.
FORMULA = re.compile(r'class="math notranslate')
LEADS_TO = "all => all.map(one => one.getAttribute('xlink:href'))"


def shown_rows(page: Page) -> list[str]:
    """Return the words of the rows of the table of all claims that can be seen."""
    seen = "all => all.filter(row => row.checkVisibility()).map(row => row.innerText.toLowerCase())"
    words: list[str] = page.eval_on_selector_all(".rr-index tbody tr", seen)
    return words


@pytest.mark.browser
def test_mathematics_is_drawn_on_every_page_that_has_any(html: Path, browser: Browser) -> None:
    formulas = {name: len(FORMULA.findall((html / name).read_text(encoding="utf-8"))) for name in pages_of(html)}
    pages = {name: count for name, count in formulas.items() if count}
    # No paper's page must have any, but the rules of the verdicts are formulas.
    assert pages["book/methods.html"] >= 10
    for name, count in pages.items():
        page = visit(browser, (html / name).as_uri()).page
        page.wait_for_selector("mjx-container", timeout=20_000, state="attached")
        page.wait_for_function("MathJax.startup.promise.then(() => true)")
        assert (name, page.locator("mjx-container").count()) == (name, count)
        # A command that MathJax does not know is shown by its name, in red.
        assert (name, page.locator("mjx-merror, mjx-container [style*='color: red']").count()) == (name, 0)
        page.close()


@pytest.mark.browser
def test_the_scoreboard_has_a_row_per_paper_and_a_headline(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    rows = page.locator(".rr-board tbody tr")
    assert rows.count() == len(TITLES)
    headlines = [rows.nth(place).locator("td").nth(2).inner_text() for place, key in enumerate(TITLES) if key in PAPERS]
    assert [words for words in headlines if len(words) < 100] == []
    # All papers in about five minutes, at some 230 words a minute.
    assert sum(len(words.split()) for words in headlines) < 255 * len(PAPERS)
    assert page.locator(".rr-board").get_by_text("not yet rebuilt").count() == len(TITLES) - len(PAPERS)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_each_part_of_a_bar_is_as_wide_as_its_verdict_is_common(html: Path, browser: Browser, width: int) -> None:
    page = visit(browser, (html / "book/index.html").as_uri(), width=width).page
    bars = page.locator(".rr-bar")
    assert bars.count() == len(PAPERS)
    for bar in bars.all():
        whole = bar.bounding_box()
        assert whole
        counts, widths = [], []
        for part in bar.locator(".rr-part").all():
            box = part.bounding_box()
            assert box
            counts.append(int((part.get_attribute("title") or "").split()[0]))
            widths.append(box["width"])
        expected = [whole["width"] * count / sum(counts) for count in counts]
        # The border of a bar takes a pixel or two.
        assert widths == pytest.approx(expected, abs=1.5)


@pytest.mark.browser
def test_the_landing_page_shows_a_figure_of_each_paper(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    images = page.locator("img.rr-thumbnail")
    assert images.count() == len(PAPERS)
    for image in images.all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=image.element_handle())


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_thumbnail_is_shown_large_enough_to_be_read(
    html: Path, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = visit(browser, (html / "book/index.html").as_uri(), width=width, scheme=scheme).page
    sources = {paper: (PROJECT / "notebooks" / f"{paper}.md").read_text(encoding="utf-8") for paper in PAPERS}
    drawn = [paper for paper in PAPERS if "new_thumbnail(" in sources[paper]]
    assert len(drawn) > 2
    for paper in drawn:
        image = page.locator(f"img.rr-thumbnail[src$='/{paper}.svg']")
        image.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=image.element_handle())
        shown = image.evaluate("one => one.getBoundingClientRect().width / one.naturalWidth")
        # A point is 4/3 of a pixel of the drawing.
        assert LETTERS * 4 / 3 * shown >= 9.5, paper
        assert (image.evaluate("one => getComputedStyle(one).filter") != "none") == (scheme == "dark")


def judged_numbers(html: Path) -> int:
    """Count in the files that are offered, which say what the pages say, what a logarithmic scale has a place for."""
    exports = [json.loads(path.read_text(encoding="utf-8")) for path in html.glob("_downloads/*/*-claims.json")]
    assert len(exports) == len(PAPERS)
    numbers = [
        one for found in exports for one in found["claims"] if one["kind"] == "value" and one["mean"] is not None
    ]
    judged = [one for one in numbers if not one["verdict"].startswith(Verdict.PENDING)]
    return sum(min(printed_number(one["printed"]), one["mean"]) > 0 for one in judged)


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_the_collections_figure_has_a_mark_for_every_judged_number(html: Path, browser: Browser, scripts: bool) -> None:
    page = visit(browser, (html / "book/index.html").as_uri(), scripts=scripts).page
    marks = page.locator(".rr-collection svg a")
    assert marks.count() == judged_numbers(html) > 0
    assert len(set(page.eval_on_selector_all(".rr-collection svg a", LEADS_TO))) == marks.count()
    assert marks.first.is_visible()
    assert page.locator(".rr-collection svg a title").count() == marks.count()


@pytest.mark.browser
def test_a_mark_of_the_collections_figure_leads_to_its_row(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    assert re.match(r"Figure \d", page.locator("figure:has(.rr-collection) figcaption").inner_text())
    marks = page.locator(".rr-collection svg a")
    count = marks.count()
    for place in (0, count // 2, count - 1):
        address = marks.nth(place).get_attribute("xlink:href") or ""
        # What lies under other marks cannot be clicked on with a mouse.
        marks.nth(place).dispatch_event("click")
        page.wait_for_url(f"**/{address}")
        row = page.locator(f"[id='{address.partition('#')[2]}']")
        row.wait_for(state="visible")
        assert row.evaluate("one => { const y = one.getBoundingClientRect().y; return y >= 0 && y < innerHeight; }")
        page.go_back()


@pytest.mark.browser
def test_a_mark_that_is_pointed_at_stands_out_and_says_what_it_is(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    # The last one is drawn over the others.
    mark = page.locator(".rr-collection svg a").last
    words = mark.get_attribute("aria-label") or ""
    assert "reported" in words
    assert mark.locator("title").text_content() == words
    # A picture that is loaded late moves what is below it away from the pointer.
    page.evaluate("for (const one of document.images) one.loading = 'eager'")
    page.wait_for_function("[...document.images].every(one => one.complete)")
    drawn = mark.locator("use")
    expect(drawn).to_have_css("filter", "none")
    drawn.hover()
    expect(drawn).to_have_css("filter", re.compile("drop-shadow"))


@pytest.mark.browser
def test_all_claims_can_be_searched_chosen_and_sorted(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/all-claims.html").as_uri()).page
    rows = page.locator(".rr-index tbody tr")
    every = sum(len(load_claims(paper, PROJECT / "book" / "claims").claims) for paper in PAPERS)
    assert rows.count() == every
    search = page.locator(".rr-controls").get_by_label("Search")
    search.fill("arima mae")
    shown = shown_rows(page)
    assert 0 < len(shown) < every
    assert all("arima" in words and "mae" in words for words in shown)
    assert page.locator(".rr-controls output").inner_text() == f"{len(shown)} of {every} claims"
    search.fill("")
    page.get_by_label("Paper").select_option("asma2024")
    assert len(shown_rows(page)) == len(load_claims("asma2024", PROJECT / "book" / "claims").claims)
    page.get_by_label("Verdict").select_option(label="▼ worse than reported on substitute data")
    assert 0 < len(found := shown_rows(page)) < len(load_claims("asma2024", PROJECT / "book" / "claims").claims)
    assert all("▼ worse than reported" in words for words in found)
    page.get_by_label("Verdict").select_option(label="all")
    page.get_by_label("Kind").select_option("number")
    page.get_by_label("Score").select_option("MAE (magnitude)")
    assert {words.split("\t")[4] for words in shown_rows(page)} == {"mae (magnitude)"}


CELLS = "all => all.map(row => [...row.cells].map(cell => cell.textContent.trim()))"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_numbers_of_one_score_are_sorted_together(html: Path, browser: Browser, width: int) -> None:
    page = visit(browser, (html / "book/all-claims.html").as_uri(), width=width).page
    page.get_by_label("Kind").select_option("number")
    for direction in ("ascending", "descending"):
        page.locator(".rr-index th button", has_text="Reported").click()
        assert page.locator(".rr-index th", has_text="Reported").get_attribute("aria-sort") == direction
        cells = page.eval_on_selector_all(".rr-index tbody tr:not([hidden])", CELLS)
        known = [(score, float(reported)) for *_, score, reported, _, _ in cells if re.fullmatch(r"[\d.]+", reported)]
        assert len(known) > 100
        # Each score is one stretch, sorted by itself.
        stretches = [(score, [one for _, one in rows]) for score, rows in groupby(known, key=lambda row: row[0])]
        assert len({score for score, _ in stretches}) == len(stretches) > 3
        for _, numbers in stretches:
            assert numbers == sorted(numbers, reverse=direction == "descending")


@pytest.mark.browser
def test_verdicts_are_sorted_by_their_kind(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/all-claims.html").as_uri()).page
    page.locator(".rr-index th button", has_text="Verdict").click()
    symbols = [row[3].split()[0] for row in page.eval_on_selector_all(".rr-index tbody tr", CELLS)]
    assert list(dict.fromkeys(symbols)) == [SYMBOLS[verdict] for verdict in Verdict if SYMBOLS[verdict] in symbols]
    assert len(set(symbols)) > 5


@pytest.mark.browser
def test_on_a_phone_all_of_a_claim_can_be_read_without_scrolling_sideways(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/all-claims.html").as_uri(), width=390).page
    search = page.locator(".rr-controls").get_by_label("Search")
    search.fill("gru")
    assert 0 < len(shown_rows(page)) < page.locator(".rr-index tbody tr").count()
    box = page.locator(".rr-scroll:has(.rr-index)")
    assert box.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    cells = page.locator(".rr-index tbody tr:not([hidden])").first.locator("td")
    assert all(cell.is_visible() for cell in cells.all())


@pytest.mark.browser
def test_without_scripts_all_claims_stand_in_a_plain_table(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/all-claims.html").as_uri(), scripts=False).page
    every = sum(len(load_claims(paper, PROJECT / "book" / "claims").claims) for paper in PAPERS)
    assert page.locator(".rr-index tbody tr").count() == every
    assert page.locator(".rr-controls").count() == 0


@pytest.mark.browser
def test_what_is_offered_can_be_taken_away(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/take-away.html").as_uri()).page
    links = page.eval_on_selector_all("main a.download", "all => all.map(one => one.href)")
    names = [Path(unquote(urlsplit(link).path)) for link in links]
    assert all(path.is_file() for path in names)
    wanted = {f"{paper}{end}" for paper in PAPERS for end in ("-claims.csv", "-claims.json", ".ipynb")}
    assert {path.name for path in names} >= wanted | {"claims.schema.json", "records.zip", "CITATION.cff"}


@pytest.mark.browser
@pytest.mark.parametrize(("paper", "words"), [*((paper, paper) for paper in PAPERS), *SUBJECTS.items()])
def test_search_finds_each_paper(html: Path, browser: Browser, paper: str, words: str) -> None:
    page = visit(browser, f"{(html / 'search.html').as_uri()}?q={quote(words)}").page
    page.wait_for_selector("#search-results li a", timeout=20_000)
    targets = page.eval_on_selector_all("#search-results li > a", "all => all.map(one => one.href)")
    assert any(f"/{paper}.html" in target for target in targets[: 1 if words == paper else 5])


@pytest.mark.browser
def test_each_lesson_and_each_example_leads_to_its_page(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/together.html").as_uri()).page
    assert page.locator("main li p:has(a), main li:has(> a)").count() >= len(PAPERS)
    assert "No page has measured" not in page.locator("main").inner_text()
    page = visit(browser, (html / "book/how-to-read.html").as_uri()).page
    assert page.locator(".rr-example a").count() >= len(Verdict) - 3
    # Each verdict is explained, or said not to occur.
    shown = page.locator("main").inner_text()
    assert all(f"{SYMBOLS[verdict]} {verdict}" in shown for verdict in Verdict)
