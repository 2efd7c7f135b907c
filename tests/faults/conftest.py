"""Options and fixtures of the trials with faults."""

from __future__ import annotations

import pytest

from tests.faults.results import Results
from tests.support import PROJECT


@pytest.fixture(scope="session")
def results() -> Results:
    return Results(PROJECT / "book" / "faults.json")
