"""Every test of this folder tries a fault, and carries the mark by which some runs ask for all that do."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them before pytest chooses by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("faults")
