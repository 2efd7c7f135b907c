"""The book that the browser looks at: a copy of the project, with hostile words in it, built once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from reproduce_lib.book.build import build_book
from reproduce_lib.collection import rebuilt
from tests.support import PROJECT

PAPERS = rebuilt()
# What a hostile hand could write where a page shows words of claims and records.
HOSTILE = "<script>window.hurt = 1</script></td><img src=x onerror='window.hurt = 1'>"


def page_of(paper: str) -> str:
    return f"book/papers/{paper}.html"


def plant(root: Path) -> None:
    """Write hostile words into the claims of a paper and beside the benchmarks."""
    path = root / "book" / "claims" / "naufal2023.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["title"] += HOSTILE
    content["in_a_sentence"] += HOSTILE
    for decision in content["decisions"]:
        decision["question"] += HOSTILE
        decision["says"] = decision.get("says", "") + HOSTILE
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
    for machine in results["machines"]:
        machine["processor"] += HOSTILE
    measured.write_text(json.dumps(results), encoding="utf-8")


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


def pages_of(html: Path) -> list[str]:
    """Return every page that a reader can come to: those of the book, the way in, the search and the index."""
    own = list(html.glob("*.html"))
    return sorted(path.relative_to(html).as_posix() for path in (*own, *html.glob("book/**/*.html")))
