"""The pages of the whole collection: landing page, all claims, search, what can be taken away, what is taught."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from reproduce_lib.claims import load_claims
from reproduce_lib.collection import TITLES
from tests.book.browsing import visit
from tests.book.built import PAPERS
from tests.support import PROJECT


def shown_rows(page: Page) -> list[str]:
    """Return the words of the rows of the table of all claims that can be seen."""
    seen = "all => all.filter(row => row.checkVisibility()).map(row => row.innerText.toLowerCase())"
    words: list[str] = page.eval_on_selector_all(".rr-index tbody tr", seen)
    return words


@pytest.mark.browser
def test_mathematics_is_drawn(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/methods.html").as_uri()).page
    page.wait_for_selector("mjx-container", timeout=20_000)
    assert page.locator("mjx-container").count() >= 10
    assert page.locator("mjx-merror").count() == 0


@pytest.mark.browser
def test_the_scoreboard_has_a_row_per_paper_and_a_headline(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    rows = page.locator(".rr-board tbody tr")
    assert rows.count() == len(TITLES)
    headlines = [rows.nth(place).locator("td").nth(2).inner_text() for place, key in enumerate(TITLES) if key in PAPERS]
    assert [words for words in headlines if len(words) < 100] == []
    assert page.locator(".rr-board").get_by_text("not yet rebuilt").count() == len(TITLES) - len(PAPERS)


@pytest.mark.browser
def test_the_landing_page_shows_a_figure_of_each_paper(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    images = page.locator("img.rr-thumbnail")
    assert images.count() == len(PAPERS)
    for image in images.all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=image.element_handle())


@pytest.mark.browser
def test_a_mark_of_the_collections_figure_leads_to_its_row(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    assert re.match(r"Figure \d", page.locator("figure:has(.rr-collection) figcaption").inner_text())
    marks = page.locator(".rr-collection svg a")
    assert marks.count() > 50
    address = marks.first.get_attribute("xlink:href") or ""
    marks.first.dispatch_event("click")
    page.wait_for_url(f"**/{address}")
    assert page.locator(f"[id='{address.partition('#')[2]}']").count() == 1


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
    page.get_by_label("Kind").select_option("number")
    for direction in ("ascending", "descending"):
        page.locator(".rr-index th button", has_text="Reported").click()
        assert page.locator(".rr-index th", has_text="Reported").get_attribute("aria-sort") == direction
        reported = page.eval_on_selector_all(
            ".rr-index tbody tr:not([hidden])", "all => all.map(row => Number(row.cells[4].textContent))"
        )
        assert len(reported) > 100
        assert reported == sorted(reported, reverse=direction == "descending")


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
@pytest.mark.parametrize("paper", PAPERS)
def test_search_finds_each_paper(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, f"{(html / 'search.html').as_uri()}?q={paper}").page
    page.wait_for_selector("#search-results li a", timeout=20_000)
    targets = page.eval_on_selector_all("#search-results li a", "all => all.map(one => one.href)")
    assert any(f"/{paper}.html" in target for target in targets)


@pytest.mark.browser
def test_each_lesson_and_each_example_leads_to_its_page(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/together.html").as_uri()).page
    assert page.locator("main li p:has(a), main li:has(> a)").count() >= len(PAPERS)
    assert "No page has measured" not in page.locator("main").inner_text()
    page = visit(browser, (html / "book/how-to-read.html").as_uri()).page
    assert page.locator(".rr-example a").count() == page.locator(".rr-example .rr-verdict").count() >= 8
