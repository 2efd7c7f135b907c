"""Rendering what was executed and generated, with Jupyter Book in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from reproduce_lib import paths
from reproduce_lib.book.notebook_files import read_notebook
from reproduce_lib.book.places import notebook_source, page_path, variants_folder
from reproduce_lib.collection import rebuilt
from reproduce_lib.errors import RunError
from reproduce_lib.files import write_whole

# Where an executed notebook with other parameters says which ones.
VARIED = "varied"
COLAB = "https://colab.research.google.com"


def render(repository_url: str) -> Path:
    """Render the book from clean and return its first page.

    Parameters
    ----------
    repository_url : where launch buttons fetch the notebooks from; none are shown where it is empty

    Raises
    ------
    RunError
        With what Jupyter Book complained of.
    """
    build = paths.root() / "_build"
    for folder in ("html", ".doctrees", "jupyter_execute"):
        shutil.rmtree(build / folder, ignore_errors=True)
    config = book_config(repository_url, build / "_config.yml")
    contents = book_contents(build / "_toc.yml")
    program = "from jupyter_book.cli.main import main; main()"
    files = ["--config", str(config), "--toc", str(contents)]
    command = [sys.executable, "-c", program, "build", str(paths.root()), *files, "-W", "-q"]
    # Sphinx runs in a process of its own: it changes global state, and its warnings are ours to judge.
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    index = build / "html" / "index.html"
    if done.returncode or not index.is_file():
        raise RunError(f"jupyter-book ended with status {done.returncode}:\n{_complaints(done.stdout + done.stderr)}")
    return index


def book_config(repository_url: str, target: Path) -> Path:
    """Write the configuration of this build: the root's, with launch buttons where a repository is known."""
    config = yaml.safe_load((paths.root() / "_config.yml").read_text(encoding="utf-8"))
    if repository_url:
        # Jupyter Book would put these into the theme's options itself, if the root's did not replace its own.
        config["sphinx"]["config"]["html_theme_options"] |= {
            "repository_url": repository_url,
            "repository_branch": "main",
            "use_repository_button": True,
            "launch_buttons": {
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
                "colab_url": COLAB if _repositories() == {repository_url} else "",
            },
        }
    write_whole(target, yaml.safe_dump(config, allow_unicode=True, sort_keys=False).encode())
    return target


def _repositories() -> set[str]:
    """Return the repositories that the notebooks name: opened alone, as by Colab, a notebook needs the right one."""
    named = re.compile(r'^_repository = "(.*)"$', re.MULTILINE)
    return {address for paper in rebuilt() for address in named.findall(notebook_source(paper).read_text("utf-8"))}


def book_contents(target: Path) -> Path:
    """Write the table of contents of this build: the root's, with each paper's variants below the paper."""
    contents = yaml.safe_load((paths.root() / "_toc.yml").read_text(encoding="utf-8"))
    papers = {_in_the_book(page_path(paper)): paper for paper in rebuilt()}
    for chapter in (chapter for part in contents["parts"] for chapter in part["chapters"]):
        if chapter["file"] in papers and (sections := _variants(papers[chapter["file"]])):
            chapter["sections"] = sections
    write_whole(target, yaml.safe_dump(contents, allow_unicode=True, sort_keys=False).encode())
    return target


def _variants(paper: str) -> list[dict[str, str]]:
    """Return the entries of a paper's executed variants, each under what it varies: the paper stands above."""
    pages = sorted(variants_folder().glob(f"{paper}--*.ipynb"))
    varied = [read_notebook(page).metadata.get(VARIED, page.stem) for page in pages]
    return [{"file": _in_the_book(page), "title": title} for page, title in zip(pages, varied, strict=True)]


def _in_the_book(page: Path) -> str:
    return page.relative_to(paths.root()).as_posix()


def _complaints(output: str, lines: int = 20) -> str:
    """Return the warnings and errors that Sphinx printed, or the end of its output where it named none."""
    found = [line for line in output.splitlines() if re.search(r"warning|error", line, re.IGNORECASE)]
    return "\n".join((found or output.splitlines())[-lines:])
