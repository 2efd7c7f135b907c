"""The rendered book in a real browser, at desktop and phone width, opened from disk."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from reproduce_lib import book
from reproduce_lib.book import build_book
from reproduce_lib.claims import ValueClaim, load_claims
from reproduce_lib.collection import TITLES, rebuilt

PROJECT = Path(__file__).resolve().parents[2]
WIDTHS = (1280, 390)
PAPERS = rebuilt()


def page_of(paper: str) -> str:
    return f"book/papers/{paper}.html"


@dataclass
class Visit:
    """An opened page, what it asked of other servers, and what it complained of."""

    page: Page
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


# What a hostile hand could write where a page shows words of claims and records.
HOSTILE = "<script>window.hurt = 1</script></td><img src=x onerror='window.hurt = 1'>"


def plant(root: Path) -> None:
    """Write hostile words into the claims of a paper and beside the benchmarks."""
    path = root / "book" / "claims" / "naufal2023.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["title"] += HOSTILE
    content["in_a_sentence"] += HOSTILE
    for decision in content["decisions"]:
        decision["question"] += HOSTILE
        decision["reason"] += HOSTILE
        for other in decision.get("others", []):
            other["says"] += HOSTILE
    for claim in content["claims"][:3] + content["claims"][-20:]:
        for name in ("statement", "note", "why"):
            if name in claim:
                claim[name] += HOSTILE
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    measured = root / "book" / "benchmarks.json"
    results = json.loads(measured.read_text(encoding="utf-8"))
    measured.write_text(json.dumps({**results, "processor": results["processor"] + HOSTILE}), encoding="utf-8")


def build(root: Path, repository_url: str = "") -> Path:
    for name in ("book", "notebooks", "tests"):
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns("papers", "_generated", "*.lock"))
    plant(root)
    for name in ("_config.yml", "_toc.yml", "CITATION.cff"):
        shutil.copy(PROJECT / name, root / name)
    for path in (root / "notebooks").glob("*[md,ipynb]"):
        text = path.read_text(encoding="utf-8")
        for empty, named in (
            ('_repository = ""', f'_repository = "{repository_url}"'),
            (r"_repository = \"\"", rf"_repository = \"{repository_url}\""),
        ):
            text = text.replace(empty, named)
        path.write_text(text, encoding="utf-8")
    (root / ".pytest_cache").mkdir()
    (root / ".pytest_cache" / "README.md").write_text("# A tool's own page\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRODUCE_ROOT", str(root))
        return build_book({}, repository_url=repository_url).index.parent


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and not os.environ.get("REPRODUCE_REQUIRE_BROWSER"):
        pytest.skip("no Chromium is installed here")
    assert found, "REPRODUCE_REQUIRE_BROWSER is set and there is no Chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


def pages_of(html: Path) -> list[str]:
    return sorted(path.relative_to(html).as_posix() for path in html.glob("book/**/*.html"))


def visit(
    browser: Browser, url: str, width: int = 1280, scripts: bool = True, scheme: Literal["light", "dark"] = "light"
) -> Visit:
    page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=scripts, color_scheme=scheme)
    seen = Visit(page)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else seen.foreign.append(r.url))
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(url)
    page.wait_for_timeout(250)
    return seen


@pytest.mark.browser
def test_no_page_asks_another_server_or_complains_or_is_wider_than_the_screen(html: Path, browser: Browser) -> None:
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for name in pages_of(html):
        seen = visit(browser, (html / name).as_uri(), WIDTHS[0])
        assert (name, seen.foreign, seen.complaints, seen.page.evaluate(wider)) == (name, [], [], 0)
        seen.page.set_viewport_size({"width": WIDTHS[1], "height": 900})
        seen.page.wait_for_timeout(100)
        assert (name, seen.foreign, seen.complaints, seen.page.evaluate(wider)) == (name, [], [], 0)
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
    shown = {}
    for name in (one for one in pages_of(html) if "window.hurt" in (html / one).read_text(encoding="utf-8")):
        page = visit(browser, (html / name).as_uri()).page
        assert page.evaluate("window.hurt") is None, name
        assert page.locator("img[src=x]").count() == 0, name
        shown[name] = page.evaluate("document.documentElement.textContent").count("window.hurt = 1")
        page.close()
    for name in ("index", "papers/naufal2023", "all-claims", "speed"):
        assert shown.get(f"book/{name}.html", 0) > 0, name


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
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("scripts", [True, False])
def test_every_claim_stands_on_the_page_with_symbol_and_word(
    html: Path, browser: Browser, paper: str, scripts: bool
) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri(), scripts=scripts).page
    claims = load_claims(paper, PROJECT / "book" / "claims").claims
    places = page.eval_on_selector_all(f"[id^='{paper}.']", "all => all.map(one => one.id)")
    assert sorted(places) == sorted(claim.id for claim in claims)
    for claim in (claim for claim in claims if isinstance(claim, ValueClaim)):
        # A closed fold shows no text, but holds it.
        cells = page.locator(f"tr:has([id='{claim.id}']) td").all_text_contents()
        assert cells[2] == claim.value
        assert len(cells[1].split(" ", 1)) == 2


@pytest.mark.browser
@pytest.mark.parametrize("paper", PAPERS)
def test_the_page_has_no_raw_error_and_no_unbound_number(html: Path, browser: Browser, paper: str) -> None:
    text = visit(browser, (html / page_of(paper)).as_uri()).page.locator("main").inner_text()
    assert not re.findall(r"Traceback|object at 0x|\bglue\b|\bnan\b|None of|Error:", text)


@pytest.mark.browser
def test_all_claims_can_be_searched_chosen_and_sorted(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/all-claims.html").as_uri()).page
    rows = page.locator(".rr-index tbody tr")
    every = sum(len(load_claims(paper, PROJECT / "book" / "claims").claims) for paper in PAPERS)
    assert rows.count() == every
    search = page.locator(".rr-controls").get_by_label("Search")
    search.fill("arima mae")
    shown = [row for row in rows.all() if row.is_visible()]
    assert 0 < len(shown) < every
    assert all("arima" in (words := row.inner_text().lower()) and "mae" in words for row in shown)
    assert page.locator(".rr-controls output").inner_text() == f"{len(shown)} of {every} claims"
    search.fill("")
    page.get_by_label("Paper").select_option("asma2024")
    shown = [row for row in rows.all() if row.is_visible()]
    assert len(shown) == len(load_claims("asma2024", PROJECT / "book" / "claims").claims)
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
def test_every_image_says_what_it_shows(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri()).page
    images = page.eval_on_selector_all("main img", "all => all.map(one => one.alt)")
    assert len(images) >= 3
    assert all(len(words) > 40 for words in images)
    assert page.locator("[role=img][aria-label]").count() >= 1


@pytest.mark.browser
def test_a_fold_of_orders_opens_from_the_keyboard(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / page_of("naufal2023")).as_uri()).page
    fold = page.locator("details.rr-group").first
    assert not fold.locator("table").is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("table").is_visible()


def test_without_a_repository_there_are_no_launch_buttons(html: Path) -> None:
    for paper in PAPERS:
        assert "mybinder.org" not in (html / page_of(paper)).read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_data_the_pages_say_so_and_launch_buttons_open_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    monkeypatch.setenv("REPRODUCE_CACHE", str(tmp_path / "cache"))
    html = build(tmp_path / "root", repository_url="https://github.com/someone/reported")
    for paper, said in (("naufal2023", "not at hand here"), ("asma2024", "neither here nor to be fetched")):
        text = (html / page_of(paper)).read_text(encoding="utf-8")
        assert "shown as recorded" in text
        assert said in text
        addresses = re.findall(r'href="(https://(?:mybinder\.org|colab)[^"]*)"', text)
        assert len(addresses) == 2
        assert all("someone/reported" in address for address in addresses)
        assert all(address.endswith(f"notebooks/{paper}.ipynb") for address in addresses)
        # Opened alone, the notebook fetches the project from where the button took it.
        source = (html.parents[1] / "notebooks" / f"{paper}.md").read_text(encoding="utf-8")
        assert '_repository = "https://github.com/someone/reported"' in source
        assert "blob/main/book/papers" not in text


# What a reader of the whole book finds


def grave_violations(browser: Browser, html: Path, name: str, scheme: Literal["light", "dark"]) -> list[str]:
    page = visit(browser, (html / name).as_uri(), scheme=scheme).page
    found = Axe().run(page).response["violations"]
    page.close()
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["book/index.html", page_of("zhang2023")])
def test_two_pages_have_no_serious_violation_of_accessibility(
    html: Path, browser: Browser, name: str, scheme: Literal["light", "dark"]
) -> None:
    assert grave_violations(browser, html, name, scheme) == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_violation_of_accessibility(
    html: Path, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    found = {name: grave_violations(browser, html, name, scheme) for name in pages_of(html)}
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.browser
def test_axe_would_find_a_text_that_is_too_faint(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    page.add_style_tag(content="main p { color: #eee !important; background: #fff !important; }")
    assert "color-contrast" in {one["id"] for one in Axe().run(page).response["violations"]}


@pytest.mark.browser
@pytest.mark.parametrize("paper", PAPERS)
def test_search_finds_each_paper(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, f"{(html / 'search.html').as_uri()}?q={paper}").page
    page.wait_for_selector("#search-results li a", timeout=20_000)
    targets = page.eval_on_selector_all("#search-results li a", "all => all.map(one => one.href)")
    assert any(f"/{paper}.html" in target for target in targets)


@pytest.mark.browser
@pytest.mark.parametrize("paper", PAPERS)
def test_figures_are_vectors_with_numbers_and_the_text_refers_to_each(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri()).page
    figures = page.locator(f"figure[id^='fig-{paper}-']")
    assert figures.count() >= 3
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
@pytest.mark.parametrize("paper", PAPERS)
def test_each_network_is_drawn_large_enough_to_read(html: Path, browser: Browser, paper: str) -> None:
    for width in WIDTHS:
        page = visit(browser, (html / page_of(paper)).as_uri(), width).page
        for drawing in page.locator("svg.rr-network").all():
            box = drawing.bounding_box()
            units = float((drawing.get_attribute("viewBox") or "").split()[2])
            assert box is not None
            assert box["width"] <= width
            assert 12 * box["width"] / units > 8  # pixels of a letter
        assert page.locator("svg.rr-network").count() >= 2
        page.close()


@pytest.mark.browser
def test_the_landing_page_shows_a_figure_of_each_paper(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/index.html").as_uri()).page
    images = page.locator("img.rr-thumbnail")
    assert images.count() == len(PAPERS)
    for image in images.all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=image.element_handle())


@pytest.mark.browser
@pytest.mark.parametrize("paper", PAPERS)
def test_code_is_folded_and_one_click_away(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri()).page
    folds = page.locator("details.hide")
    assert folds.count() > 5
    assert not any(code.is_visible() for code in page.locator(".cell_input pre").all())
    folds.last.locator("summary").click()
    assert folds.last.locator("pre").first.is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("paper", PAPERS)
def test_on_paper_everything_is_open_and_nothing_is_cut_off(html: Path, browser: Browser, paper: str) -> None:
    page = visit(browser, (html / page_of(paper)).as_uri(), width=720).page  # A4 without its margins
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert all(fold.get_attribute("open") is not None for fold in page.locator("details.rr-group").all())
    wide = "all => all.filter(one => one.getBoundingClientRect().right > 721).map(one => one.caption.textContent)"
    assert page.eval_on_selector_all("table.rr-table", wide) == []
    assert not page.locator("details.hide").first.is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.rr-group[open]").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.browser
def test_each_lesson_and_each_example_leads_to_its_page(html: Path, browser: Browser) -> None:
    page = visit(browser, (html / "book/together.html").as_uri()).page
    assert page.locator("main li p:has(a), main li:has(> a)").count() >= len(PAPERS)
    assert "No page has measured" not in page.locator("main").inner_text()
    page = visit(browser, (html / "book/how-to-read.html").as_uri()).page
    assert page.locator(".rr-example a").count() == page.locator(".rr-example .rr-verdict").count() >= 8


def test_no_button_for_colab_where_the_notebooks_name_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))
    config = yaml.safe_load(
        book._config("https://github.com/someone/reported", tmp_path / "config.yml").read_text("utf-8")
    )
    buttons = config["sphinx"]["config"]["html_theme_options"]["launch_buttons"]
    assert buttons["binderhub_url"]
    assert not buttons["colab_url"]
