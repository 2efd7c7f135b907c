"""Draw the picture of the README: the landing page's table as a browser shows it. Run by ``make picture``.

With ``--check`` nothing is drawn: it ends with 1 where the picture shows another scoreboard than the book built last.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "book" / "_static" / "scoreboard.png"
# Under which word the picture says of which rows it was drawn, so that a test sees when they have changed.
ROWS = "rows"


def digests_of(scoreboard: str) -> dict[str, str]:
    """Return paper -> digest of its row, out of the table that the landing page includes."""
    rows = re.findall(r"<tr>.*?</tr>", scoreboard, re.DOTALL)
    linked = [(found[1], row) for row in rows if (found := re.search(r'href="papers/(\w+)\.html"', row))]
    return {key: hashlib.sha256(row.encode()).hexdigest()[:16] for key, row in linked}


def digests_drawn(picture: Path) -> dict[str, str]:
    """Return paper -> digest of the row that a picture shows; nothing where it does not say."""
    with Image.open(picture) as image:
        kept: dict[str, str] = json.loads(image.info.get(ROWS, "{}"))
    return kept


def write_picture(drawn: bytes, scoreboard: str, target: Path) -> None:
    """Write a picture, and in it what it was drawn of."""
    about = PngInfo()
    about.add_text(ROWS, json.dumps(digests_of(scoreboard)))
    with Image.open(io.BytesIO(drawn)) as image:
        image.save(target, pnginfo=about, optimize=True)


def rows_drawn_otherwise(picture: Path, scoreboard: str) -> list[str]:
    """Return the papers of which a picture shows another row than a scoreboard has."""
    today = digests_of(scoreboard)
    return [paper for paper, digest in digests_drawn(picture).items() if today.get(paper) != digest]


def main(arguments: list[str]) -> None:
    """Photograph the table of the book that was built last, or look whether it was photographed."""
    page_file = ROOT / "_build" / "html" / "book" / "index.html"
    scoreboard = (ROOT / "book" / "_generated" / "scoreboard.md").read_text(encoding="utf-8")
    if arguments == ["--check"]:
        if otherwise := rows_drawn_otherwise(PICTURE, scoreboard):
            sys.exit(f"{PICTURE.name} shows other rows of {', '.join(otherwise)}: make picture")
        return
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 2600})
        page.goto(page_file.as_uri())
        for image in page.locator("img.rr-thumbnail").all():
            image.scroll_into_view_if_needed()
        # What floats over a page is no part of it.
        page.add_style_tag(content="#pst-skip-link, .bd-header-article, #pst-back-to-top { display: none !important; }")
        write_picture(page.locator(".rr-board").screenshot(), scoreboard, PICTURE)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
