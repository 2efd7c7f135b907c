"""The built book, one for all processes that run tests, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from tests.book.built import build

HERE = Path(__file__).parent
# Builds the book while other processes run what does not wait for it.
FIRST = HERE / "test_every_page.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what would wait for the built book behind the tests of the folder that comes next."""
    waiting = [item for item in items if item.path.parent == HERE and item.path != FIRST]
    others = [item for item in items if item not in waiting]
    place = next((at for at, item in enumerate(others) if item.path.parent.name not in ("book", "data")), len(others))
    items[:] = [*others[:place], *waiting, *others[place:]]


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return the folder of the built pages; the first process that asks builds them, the others wait."""
    own = tmp_path_factory.getbasetemp()
    root = (own.parent if hasattr(request.config, "workerinput") else own) / "book"
    with FileLock(root.with_suffix(".lock")):
        if not (root / "built").is_file():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            build(root)
            (root / "built").touch()
    return root / "_build" / "html"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and not os.environ.get("REPRODUCE_REQUIRE_BROWSER"):
        pytest.skip("no Chromium is installed here")
    assert found, "REPRODUCE_REQUIRE_BROWSER is set and there is no Chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
