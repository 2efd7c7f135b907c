"""Making a page of its own of a notebook that was executed with other parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from reproduce_lib.book.grid import Variant
from reproduce_lib.book.rendering import VARIED

_HEADING = re.compile(r"^# .*$", re.MULTILINE)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LABEL = re.compile(r"^\(([^()\n]+)\)=[ ]*$|^:(?:name|label):[ ]*(\S+)[ ]*$|^\$\$[ ]*\(([^()\n]+)\)[ ]*$", re.MULTILINE)
_LINK_TO_A_FILE = re.compile(r"(\]\()(?=\.{1,2}/|\w[\w./-]*\.(?:md|ipynb)\b)")


def make_page(variant: Variant, notebook: Any) -> None:
    """Give an executed copy a title and labels of its own, and links that hold one folder further down."""
    notebook.metadata[VARIED] = variant.varied
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    drawings = list(_named_drawings(notebook))
    labels = {label for cell in cells for found in _LABEL.findall(cell.source) for label in found if label}
    labels |= {options["name"] for options in drawings}
    title = " — " + _PUNCTUATION.sub(r"\\\1", variant.varied)
    for cell in cells:
        cell.source = _LINK_TO_A_FILE.sub(r"\1../", _relabelled(cell.source, labels, variant.name.lower()))
    for cell in cells:
        if heading := _HEADING.search(cell.source):
            cell.source = f"{cell.source[: heading.end()].rstrip()}{title}{cell.source[heading.end() :]}"
            break
    for options in drawings:
        options["name"] = f"{options['name']}-{variant.name.lower()}"


def _relabelled(text: str, labels: Iterable[str], suffix: str) -> str:
    """Lengthen labels where they are defined and referred to: in one book a label stands once."""
    known = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    before = r"^\(|^:(?:name|label):[ ]*|^\$\$[ ]*\(|\]\(#?|\{(?:ref|numref|eq)\}`(?:[^`<\n]*<)?"
    pattern = rf"({before})({known})(?=\)|>?`|[ ]*$)"
    return re.sub(pattern, rf"\1\2-{suffix}", text, flags=re.MULTILINE) if known else text


def _named_drawings(notebook: Any) -> Iterator[dict[str, Any]]:
    """Yield the options of each drawing that has a name, by which text can refer to it."""
    for cell in notebook.cells:
        options = cell.metadata.get("mystnb", {})
        for kind in ("figure", "image"):
            if "name" in options.get(kind, {}):
                yield options[kind]
