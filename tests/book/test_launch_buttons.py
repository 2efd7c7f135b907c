"""Buttons that open a notebook elsewhere: only where the notebooks name the repository that they are fetched from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reproduce_lib.book.rendering import book_config
from tests.book.built import PAPERS, build, page_of
from tests.support import PROJECT


@pytest.mark.slow
@pytest.mark.book
def test_without_a_repository_there_are_no_launch_buttons(html: Path) -> None:
    for paper in PAPERS:
        assert "mybinder.org" not in (html / page_of(paper)).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.book
def test_without_data_the_pages_say_so_and_launch_buttons_open_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)
    monkeypatch.setenv("REPRODUCE_CACHE", str(tmp_path / "cache"))
    html = build(tmp_path / "root", repository_url="https://github.com/someone/reported")
    for paper in PAPERS:
        text = (html / page_of(paper)).read_text(encoding="utf-8")
        assert "shown as recorded" in text
        assert "could not be fetched" in text
        addresses = re.findall(r'href="(https://(?:mybinder\.org|colab)[^"]*)"', text)
        assert len(addresses) == 2
        assert all("someone/reported" in address for address in addresses)
        assert all(address.endswith(f"notebooks/{paper}.ipynb") for address in addresses)
        # Opened alone, the notebook fetches the project from where the button took it.
        source = (html.parents[1] / "notebooks" / f"{paper}.md").read_text(encoding="utf-8")
        assert '_repository = "https://github.com/someone/reported"' in source
        assert "blob/main/book/papers" not in text


def test_no_button_for_colab_where_the_notebooks_name_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))
    config = yaml.safe_load(
        book_config("https://github.com/someone/reported", tmp_path / "config.yml").read_text("utf-8")
    )
    buttons = config["sphinx"]["config"]["html_theme_options"]["launch_buttons"]
    assert buttons["binderhub_url"]
    assert not buttons["colab_url"]
