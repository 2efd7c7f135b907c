"""What holds of every page of the rendered book, in a real browser, opened from disk."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.book.browsing import DESKTOP, PHONE, unfold, visit
from tests.book.built import PAPERS, page_of, pages_of

# Books are built: they take longer than the default run may.
pytestmark = [pytest.mark.slow, pytest.mark.book]

# All pages, with everything on them open, would be long for one test.
PARTS = 4
# What sticks out of a page to the right, and can be scrolled to.
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.browser
@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_asks_another_server_or_complains_or_is_wider_than_the_screen(
    html: Path, browser: Browser, part: int
) -> None:
    for name in pages_of(html)[part::PARTS]:
        seen = visit(browser, (html / name).as_uri(), DESKTOP)
        for width in (DESKTOP, PHONE):
            seen.page.set_viewport_size({"width": width, "height": 900})
            seen.page.wait_for_timeout(100)
            assert (name, seen.foreign, seen.complaints, seen.page.evaluate(WIDER)) == (name, [], [], 0)
        unfold(seen.page)
        for width in (PHONE, DESKTOP):
            seen.page.set_viewport_size({"width": width, "height": 900})
            seen.page.wait_for_timeout(100)
            assert (name, width, seen.page.evaluate(WIDER)) == (name, width, 0), "unfolded"
        seen.page.close()


class Links(HTMLParser):
    """The links of a page, and the places on it that a link may lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.places.add(named.get("id", ""))
        # A mark of a drawing is a link by another name.
        self.links |= {named[name] for name in ("href", "xlink:href") if tag == "a" and name in named}


def test_each_page_says_under_which_licence_it_may_be_used(html: Path) -> None:
    for name in pages_of(html):
        # The way in only leads on to the landing page.
        assert name == "index.html" or "CC BY 4.0" in (html / name).read_text(encoding="utf-8"), name


def test_each_link_leads_to_a_page_and_a_place_on_it(html: Path) -> None:
    pages = {html / name: Links(html / name) for name in pages_of(html)}
    followed = 0
    for page, found in pages.items():
        for link in (urljoin(page.as_uri(), one) for one in found.links):
            if not link.startswith("file:"):
                continue
            address, place = urldefrag(link)
            target = Path(unquote(urlsplit(address).path))
            assert target.is_file(), f"{page} -> {link}"
            followed += 1
            if place and target.suffix == ".html":
                assert unquote(place) in pages[target].places, f"{page} -> {link}"
    assert followed > 1000


@pytest.mark.browser
def test_names_out_of_claims_and_records_are_text_on_every_page(html: Path, browser: Browser) -> None:
    shown: dict[str, set[str]] = {}
    for name in (one for one in pages_of(html) if "window.hurt" in (html / one).read_text(encoding="utf-8")):
        page = visit(browser, (html / name).as_uri()).page
        assert page.evaluate("window.hurt") is None, name
        assert page.locator("img[src=x]").count() == 0, name
        text = page.evaluate("document.documentElement.textContent")
        # A template that was filled in when the page was made.
        assert "42<script>" not in text, name
        # Within a sentence the quotation mark may be another one.
        shown[name] = set(re.findall(r"window\.hurt = 1.>\((\w+)\)", text))
        page.close()
    planted = {
        **{page_of(paper): {"claims", "records"} for paper in PAPERS},
        page_of("zhang2023"): {"claims", "records", "metrics"},
        **{f"book/{one}.html": {"claims"} for one in ("index", "all-claims", "how-to-read")},
        "book/data.html": {"registry"},
        "book/speed.html": {"benchmarks", "runs"},
        "book/what-can-go-wrong.html": {"faults"},
    }
    missing = {name: origins - shown.get(name, set()) for name, origins in planted.items()}
    assert {name: origins for name, origins in missing.items() if origins} == {}


def grave_violations(browser: Browser, html: Path, name: str, scheme: Literal["light", "dark"]) -> list[str]:
    page = visit(browser, (html / name).as_uri(), scheme=scheme).page
    unfold(page)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    page.close()
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.browser
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_violation_of_accessibility(
    html: Path, browser: Browser, scheme: Literal["light", "dark"], part: int
) -> None:
    found = {name: grave_violations(browser, html, name, scheme) for name in pages_of(html)[part::PARTS]}
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.browser
def test_axe_would_find_a_text_that_is_too_faint(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    page.add_style_tag(content="main p { color: #eee !important; background: #fff !important; }")
    assert "color-contrast" in {one["id"] for one in Axe().run(page).response["violations"]}
