"""Draw the picture of the README: the landing page's table as a browser shows it. Run by ``make picture``."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "book" / "_static" / "scoreboard.png"


def main() -> None:
    """Photograph the table of the book that was built last."""
    page_file = ROOT / "_build" / "html" / "book" / "index.html"
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 2600})
        page.goto(page_file.as_uri())
        for image in page.locator("img.rr-thumbnail").all():
            image.scroll_into_view_if_needed()
        # What floats over a page is no part of it.
        page.add_style_tag(content="#pst-skip-link, .bd-header-article, #pst-back-to-top { display: none !important; }")
        page.locator(".rr-board").screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
