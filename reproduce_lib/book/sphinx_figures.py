"""A Sphinx extension: a figure that is HTML, as an SVG whose marks are links, with its number and caption like any."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective


class HtmlFigure(SphinxDirective):
    """``html-figure`` takes a file of HTML, relative to the page; its content is the caption."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged_required, "class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        """Return the figure."""
        relative, absolute = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        figure = nodes.figure(classes=self.options.get("class", []))
        figure += nodes.raw("", Path(absolute).read_text(encoding="utf-8"), format="html")
        words, _ = self.parse_inline(" ".join(self.content))
        figure += nodes.caption("", "", *words)
        self.add_name(figure)
        return [figure]


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("html-figure", HtmlFigure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
