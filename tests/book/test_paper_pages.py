"""The pages of the papers: what each must show, on a screen, a phone and on paper."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from reproduce_lib.book.page_checks import ANATOMY
from reproduce_lib.claims import ValueClaim, load_claims
from reproduce_lib.figures.network_drawing import read_networks
from tests.book.browsing import DESKTOP, PHONE, visit
from tests.book.built import PAPERS, page_of
from tests.support import PROJECT

# Books are built: they take longer than the default run may.
pytestmark = [pytest.mark.slow, pytest.mark.book]

# Networks of each paper: those that are alike but for a number are drawn once. A paper that came later has those kept.
DRAWN = {"naufal2023": 3, "asma2024": 6, "li2021": 4, "zhang2023": 3, "adamopoulou2023": 2}
# Figures that every page has: its data, and what the landing page shows of it.
FEWEST_FIGURES = 2
# Pixels: 24 of the 28 cm that A4 has between its margins; a heading stands above, a caption below.
TALLEST_DRAWING = 24 / 2.54 * 96 + 1


def networks_of(paper: str) -> int:
    kept = PROJECT / "book" / "artifacts" / paper / "networks.json"
    return DRAWN.get(paper, len(read_networks(kept)))


@pytest.fixture(scope="module", params=PAPERS)
def paper(request: pytest.FixtureRequest) -> str:
    key: str = request.param
    return key


@pytest.fixture(scope="module")
def page(html: Path, browser: Browser, paper: str) -> Iterator[Page]:
    """Open a paper's page for the tests that only look at it."""
    opened = visit(browser, (html / page_of(paper)).as_uri()).page
    yield opened
    opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_every_claim_stands_on_the_page_with_symbol_and_word(
    html: Path, browser: Browser, paper: str, scripts: bool
) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri(), scripts=scripts).page
    claims = load_claims(paper, PROJECT / "book" / "claims").claims
    places = page.eval_on_selector_all(f"[id^='{paper}.']", "all => all.map(one => one.id)")
    assert sorted(places) == sorted(claim.id for claim in claims)
    # A closed fold shows no text, but holds it.
    texts = "all => all.map(one => [one.id, [...one.closest('tr')?.cells ?? []].map(cell => cell.textContent)])"
    cells = dict(page.eval_on_selector_all(f"[id^='{paper}.']", texts))
    for claim in (claim for claim in claims if isinstance(claim, ValueClaim)):
        assert cells[claim.id][2] == claim.value
        assert len(cells[claim.id][1].split(" ", 1)) == 2
    page.close()


@pytest.mark.browser
def test_the_page_has_no_raw_error_and_no_unbound_number(page: Page) -> None:
    text = page.locator("main").inner_text()
    assert not re.findall(r"Traceback|object at 0x|\bglue\b|\bnan\b|None of|Error:", text)


@pytest.mark.browser
def test_the_page_has_what_every_page_has(page: Page, paper: str) -> None:
    captions = page.eval_on_selector_all("main caption", "all => all.map(one => one.textContent)")
    for wanted in ("Claims that were transcribed", "Decisions", "Run it again, table by table", "Provenance"):
        assert captions.count(wanted) == 1, wanted
    fold = page.locator("details.rr-group", has=page.locator("summary", has_text="Cite this reproduction"))
    assert f"@software{{reported-and-reproduced-{paper}" in (fold.text_content() or "")
    assert "DOI" in page.locator("main").inner_text()
    stamp = page.locator("main").get_by_text("This page was executed on").inner_text()
    assert re.search(r"on \d{4}-\d\d-\d\d at \d\d:\d\d UTC in \d+ s", stamp)
    # The book of the tests is a copy without its history.
    assert "from commit not under version control, parameters: defaults" in stamp


def test_what_libraries_say_to_themselves_is_on_no_page(html: Path) -> None:
    config = yaml.safe_load((PROJECT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["stderr_output"] == "remove"
    assert all("output stderr" not in (html / page_of(paper)).read_text(encoding="utf-8") for paper in PAPERS)


@pytest.mark.browser
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_what_a_table_is_called_is_no_wider_than_its_box(html: Path, browser: Browser, paper: str, width: int) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri(), width).page
    beyond = """all => all.filter(one => one.offsetParent).map(one =>
        one.getBoundingClientRect().right - one.closest(".rr-scroll").getBoundingClientRect().right)"""
    found = page.eval_on_selector_all(".rr-scroll caption", beyond)
    page.close()
    assert len(found) > 3
    assert max(found) < 1


@pytest.mark.browser
def test_a_figure_that_is_touched_opens_alone_and_can_be_enlarged(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri(), PHONE).page
    links = page.locator(".bd-article figure a.rr-alone")
    assert links.count() == page.locator(".bd-article figure img").count() >= FEWEST_FIGURES
    links.first.click()
    page.wait_for_url("**/_images/*.svg")
    assert page.evaluate("document.documentElement.localName") == "svg"
    page.close()


@pytest.mark.browser
def test_every_image_says_what_it_shows(page: Page, paper: str) -> None:
    images = page.eval_on_selector_all("main img", "all => all.map(one => one.alt)")
    assert len(images) >= FEWEST_FIGURES
    assert all(len(words) > 40 for words in images)
    assert page.locator("[role=img][aria-label]").count() >= networks_of(paper)


@pytest.mark.browser
def test_figures_are_vectors_with_numbers_and_the_text_refers_to_each(page: Page, paper: str) -> None:
    figures = page.locator(f"figure[id^='fig-{paper}-']")
    assert figures.count() >= FEWEST_FIGURES
    referred = set(page.eval_on_selector_all("main a.internal[href*='#fig-']", "all => all.map(a => a.hash.slice(1))"))
    numbers = []
    for figure in figures.all():
        assert figure.get_attribute("id") in referred
        numbers.append(figure.locator(".caption-number").inner_text().strip())
        images = figure.locator("img")
        assert all((image.get_attribute("src") or "").endswith(".svg") for image in images.all())
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"Figure \d+", number) for number in numbers)


@pytest.mark.browser
def test_each_network_is_drawn_large_enough_to_read(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri()).page
    assert page.locator("svg.rr-network").count() == networks_of(paper)
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        for drawing in page.locator("svg.rr-network").all():
            box = drawing.bounding_box()
            units = float((drawing.get_attribute("viewBox") or "").split()[2])
            assert box is not None
            assert box["width"] <= width
            assert 12 * box["width"] / units > 8  # pixels of a letter
    page.close()


@pytest.mark.browser
def test_code_is_folded_and_one_click_away(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri()).page
    folds = page.locator("details.hide")
    assert folds.count() > 5
    visible = "all => all.some(one => one.checkVisibility())"
    assert not page.eval_on_selector_all(".cell_input pre", visible)
    folds.last.locator("summary").click()
    assert folds.last.locator("pre").first.is_visible()
    page.close()


def faint_on_white(page: Page) -> list[str]:
    """Return what has no white behind it, and what is too faint to read there, whatever the scheme of the screen."""
    backgrounds = page.evaluate(
        "[...document.querySelectorAll('html, body, main')].map(one => getComputedStyle(one).backgroundColor)"
    )
    coloured = [one for one in backgrounds if one not in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")]
    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    return coloured + [node["html"] for one in found for node in one["nodes"]]


def unspaced(text: str) -> str:
    """Return a text without its blanks, which a printed line breaks at, and with each letter by itself."""
    return re.sub(r"[\s\u00ad-]", "", unicodedata.normalize("NFKC", text))


def words_on_paper(printed: bytes) -> list[str]:
    """Return the words of each printed page."""
    return [unspaced(page.extract_text()) for page in PdfReader(io.BytesIO(printed)).pages]


# The texts of headings without their links, and of each fold its name with what its table begins with.
HEADINGS = """all => all.map(one => {
    const copy = one.cloneNode(true)
    copy.querySelectorAll(".headerlink").forEach(link => link.remove())
    return copy.textContent
})"""
FIRST_ROWS = """all => all.filter(one => one.querySelector("table")).map(one => [
    one.querySelector("summary").textContent, one.querySelector("tbody td").firstChild.textContent
])"""


def torn_apart(headings: list[str], sheets: list[str]) -> list[str]:
    """Return the headings that stand whole on no sheet, each after the one before."""
    sheet = place = 0
    torn = []
    for heading in headings:
        found = ((at, sheets[at].find(heading, place if at == sheet else 0)) for at in range(sheet, len(sheets)))
        here = next(((at, start) for at, start in found if start >= 0), None)
        if here is None:
            torn.append(heading)
        else:
            sheet, place = here[0], here[1] + len(heading)
    return torn


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_everything_is_open_and_nothing_is_cut_off(
    html: Path, browser: Browser, paper: str, scheme: Literal["light", "dark"]
) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri(), 720, scheme=scheme).page  # A4 without its margins
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert all(fold.get_attribute("open") is not None for fold in page.locator("details.rr-group").all())
    wide = "all => all.filter(one => one.getBoundingClientRect().right > 721).map(one => one.caption.textContent)"
    assert page.eval_on_selector_all("table.rr-table", wide) == []
    # A drawing that is taller than a sheet cannot be cut, and one beside another is laid over what follows.
    heights = page.eval_on_selector_all("svg.rr-network", "all => all.map(one => one.getBoundingClientRect().height)")
    assert max(heights) <= TALLEST_DRAWING
    assert page.locator(".rr-networks").evaluate("one => getComputedStyle(one).display") == "block"
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert page.eval_on_selector_all("main pre", cut) == []
    assert not page.locator("details.hide").first.is_visible()
    assert faint_on_white(page) == []
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.rr-group[open]").count() == 0
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    sheets = words_on_paper(page.pdf(format="A4", print_background=True))
    headings = [unspaced(one) for one in page.eval_on_selector_all("main h2, main h3", HEADINGS)]
    assert len(headings) >= len(ANATOMY)
    assert torn_apart(headings, sheets) == []
    rows = page.eval_on_selector_all("details.rr-group", FIRST_ROWS)
    assert rows
    beside = [{unspaced(name), unspaced(row)} for name, row in rows]
    assert [both for both in beside if not any(all(words in one for words in both) for one in sheets)] == []
    whole = "".join(sheets)
    assert [one.id for one in load_claims(paper).claims if unspaced(one.statement) not in whole] == []
    page.close()


@pytest.mark.browser
def test_a_fold_of_orders_opens_from_the_keyboard(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / page_of("naufal2023")).as_uri()).page
    fold = page.locator("details.rr-group").first
    assert not fold.locator("table").is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("table").is_visible()
