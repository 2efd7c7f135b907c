"""A Sphinx extension: launch buttons open a page's source notebook, not its executed copy.

The executed copies are generated and not in version control, so a link to one would lead nowhere.
"""

from __future__ import annotations

from typing import Any

EXECUTED, SOURCE = "book/papers/", "notebooks/"


def point_at_source(
    app: Any, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Rewrite the addresses of a paper page's launch and repository buttons."""
    if page.startswith(EXECUTED):
        context["header_buttons"] = _rewritten(context.get("header_buttons", []))


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx, after the theme has made its buttons."""
    app.connect("html-page-context", point_at_source, priority=1000)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _rewritten(value: Any) -> Any:
    match value:
        case str():
            return value.replace(EXECUTED, SOURCE) if "://" in value else value
        case list():
            return [_rewritten(item) for item in value]
        case dict():
            return {key: _rewritten(item) for key, item in value.items()}
    return value
