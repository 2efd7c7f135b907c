"""A new paper: claims, module, notebook pair, tests, reference and its places in the lists; all of it works at once."""

from __future__ import annotations

import ast
import json
import re
from importlib import resources
from pathlib import Path
from string import Template

from reproduce_lib import collection, paths
from reproduce_lib.errors import ParameterError
from reproduce_lib.files import write_whole

KEY = re.compile(r"[a-z]+[0-9]{4}[a-z]?")
REFERENCE = Template(
    "\n@misc{$key,\n  author = {{The authors of $key}},\n  title  = {$title},\n  year   = {$year},\n}\n"
)


def add_paper(key: str, title: str) -> list[Path]:
    """Write the files of a new paper, and put it into the lists of papers, pages and references.

    Parameters
    ----------
    key : first author and year, as ``li2021``
    title : what the page and the scoreboard call it

    Returns
    -------
    every file that was written or changed

    Raises
    ------
    ParameterError
        If the key is no key or is taken, if the title cannot stand in the lists, if a list is missing or has no place
        for it, or if a file is there already; nothing is written then.
    """
    _check(key, title)
    quoted = json.dumps(title, ensure_ascii=False)
    names = {"key": key, "title": title, "quoted": quoted, "year": re.sub(r"[^0-9]", "", key)}
    new = {path: Template(_template(name)).substitute(names) for name, path in _targets(key).items()}
    if taken := [str(path) for path in new if path.exists()]:
        raise ParameterError(f"{', '.join(taken)}: is there already; nothing was written")
    changed = {
        _listing(): _with_title(_listing().read_text(encoding="utf-8"), key, title),
        _contents(): _with_page(_contents().read_text(encoding="utf-8"), key),
        _references(): _references().read_text(encoding="utf-8") + REFERENCE.substitute(names),
    }
    for path, text in {**new, **changed}.items():
        write_whole(path, text.encode())
    return [*new, _pair(paths.root() / "notebooks" / f"{key}.md"), *changed]


def _check(key: str, title: str) -> None:
    if not KEY.fullmatch(key):
        raise ParameterError(f"{key!r} is no key of a paper; a key is the first author and the year, as 'li2021'")
    if key in collection.TITLES:
        raise ParameterError(f"{key!r} is taken by {collection.TITLES[key]!r}")
    if not title.strip() or not title.isprintable() or set(title) & set("\\{}$"):
        raise ParameterError(f"{title!r} cannot be a title: a line of words without backslash, braces and dollar")
    if missing := [path.name for path in (_listing(), _contents(), _references()) if not path.is_file()]:
        raise ParameterError(
            f"{paths.root()} is no copy of the project, which has {', '.join(missing)}; set REPRODUCE_ROOT to one"
        )


def _targets(key: str) -> dict[str, Path]:
    root = paths.root()
    return {
        "claims.yaml": root / "book" / "claims" / f"{key}.yaml",
        "paper.py": root / "reproduce_lib" / "papers" / f"{key}.py",
        "page.md": root / "notebooks" / f"{key}.md",
        "test.py": root / "tests" / f"test_papers_{key}.py",
    }


def _template(name: str) -> str:
    return (resources.files("reproduce_lib") / "templates" / f"{name}.txt").read_text(encoding="utf-8")


def _listing() -> Path:
    return paths.root() / "reproduce_lib" / "collection.py"


def _contents() -> Path:
    return paths.root() / "_toc.yml"


def _references() -> Path:
    return paths.root() / "book" / "references.bib"


def _with_title(source: str, key: str, title: str) -> str:
    """Put a line into the dictionary of titles, after its last."""
    (titles,) = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == ["TITLES"]
    )
    assert titles.end_lineno is not None
    lines = source.splitlines(keepends=True)
    lines.insert(titles.end_lineno - 1, f'    "{key}": {title!r},\n' if '"' in title else f'    "{key}": "{title}",\n')
    return "".join(lines)


def _with_page(contents: str, key: str) -> str:
    """Put a page after the last one of a paper, with everything else as it stands."""
    lines = contents.splitlines(keepends=True)
    papers = [number for number, line in enumerate(lines) if "book/papers/" in line]
    if not papers:
        raise ParameterError(f"{_contents()} has no page of a paper after which the new one could stand")
    last = papers[-1]
    indent = lines[last][: len(lines[last]) - len(lines[last].lstrip())]
    lines.insert(last + 1, f"{indent}- file: book/papers/{key}.ipynb\n")
    return "".join(lines)


def _pair(source: Path) -> Path:
    """Write the other half of a notebook's pair."""
    import jupytext

    target = source.with_suffix(".ipynb")
    jupytext.write(jupytext.read(source), target)
    return target
