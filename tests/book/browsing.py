"""Opening a page in a browser, and what it says and asks for meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, Page

DESKTOP, PHONE = 1280, 390
# A page that only leads on is left for another; the other's own scripts set the theme, on a busy machine after any
# pause, and its colours then change by degrees.
SETTLED = """scheme => !document.querySelector("meta[http-equiv=refresh i]")
    && document.readyState === "complete"
    && [scheme, undefined].includes(document.documentElement.dataset.theme)
    && document.getAnimations().every(one => one.playState !== "running")"""


@dataclass
class Visit:
    """An opened page, what it asked of other servers, and what it complained of."""

    page: Page
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def visit(
    browser: Browser, url: str, width: int = DESKTOP, scripts: bool = True, scheme: Literal["light", "dark"] = "light"
) -> Visit:
    page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=scripts, color_scheme=scheme)
    seen = Visit(page)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else seen.foreign.append(r.url))
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(url)
    page.wait_for_timeout(250)
    if scripts:
        page.wait_for_function(SETTLED, arg=scheme)
    return seen


def unfold(page: Page) -> None:
    """Open everything that is folded: what is hidden has no width and no contrast, and is never judged."""
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.wait_for_function("document.getAnimations().every(one => one.playState !== 'running')")
