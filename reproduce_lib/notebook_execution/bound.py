"""What an executed notebook bound to names, and the alt texts of its figures that such names stand in."""

from __future__ import annotations

import re
from typing import Any, Literal

from reproduce_lib.errors import RunError

# What a bound text is kept as.
BOUND = "application/papermill.record/"
# A name within an alt text; within a caption, which is Markdown, the page fills it in itself.
_NAME = re.compile(r"\{glue:text\}`(\w+)`")


def bound_texts(notebook: Any, form: Literal["plain", "markdown"] = "plain") -> dict[str, str]:
    """Return every text that an executed notebook bound to a name: its letters, or what shows them in Markdown."""
    outputs: list[Any] = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = {}
    for output in outputs:
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        data = output.get("data", {})
        # A number that was bound has no form in Markdown.
        if name and data.get(f"{BOUND}text/markdown"):
            texts[name] = data[f"{BOUND}text/{form}"]
    return texts


def fill_alt_texts(notebook: Any) -> None:
    """Put what was bound into the alt texts of an executed notebook: nothing else reads them before they are shown.

    Raises
    ------
    RunError
        If an alt text names what the notebook did not bind.
    """
    bound = bound_texts(notebook)
    for cell in notebook.cells:
        image = cell.metadata.get("mystnb", {}).get("image", {})
        if "alt" in image:
            if unknown := [name for name in _NAME.findall(image["alt"]) if name not in bound]:
                raise RunError(f"an alt text names {', '.join(unknown)}, which the notebook does not bind")
            image["alt"] = " ".join(_NAME.sub(lambda found: bound[found[1]], image["alt"]).split())
