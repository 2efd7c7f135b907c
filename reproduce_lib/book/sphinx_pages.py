"""A Sphinx extension: launch buttons open a page's source notebook, nothing is asked of other servers, roles are true.

The executed copies are generated and not in version control, so a link to one would lead nowhere. The scripts for
live code cells would load theirs from an outside server, and are added twice, which is an error in the browser.
"""

from __future__ import annotations

import re
from typing import Any

EXECUTED = "book/papers/"
# A page's address, or that of a variant, which is named by its paper, two dashes and what it varies.
_ADDRESS = re.compile(r"book/papers/(?:variants/(\w+)--[^/?#&]*?(?=\.ipynb))?")


def adapt_page(_app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Rewrite the addresses of a paper page's buttons, and leave the scripts for live cells out."""
    if page.startswith(EXECUTED):
        context["header_buttons"] = _rewritten(context.get("header_buttons", []))
    context["script_files"] = [script for script in context.get("script_files", []) if not _is_live_code(script)]
    if "body" in context:
        # Its children have a role of their own, so that a reader of screens would take it for an empty list.
        context["body"] = context["body"].replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx, after the theme has made its buttons."""
    app.connect("html-page-context", adapt_page, priority=1000)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _is_live_code(script: Any) -> bool:
    attributes = getattr(script, "attributes", {})
    return "thebe" in f"{getattr(script, 'filename', '')} {attributes.get('body', '')}".lower()


def _rewritten(value: Any) -> Any:
    match value:
        case str():
            return _ADDRESS.sub(r"notebooks/\1", value) if "://" in value else value
        case list():
            return [_rewritten(item) for item in value]
        case dict():
            return {key: _rewritten(item) for key, item in value.items()}
    return value
