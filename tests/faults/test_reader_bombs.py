"""Files without end, or that expand so: each reader refuses each with its name, within ten seconds and a gigabyte."""

from __future__ import annotations

import pytest

from tests.faults.loaders import LOADERS
from tests.faults.reader_bombs import all_bombs, set_off

pytestmark = pytest.mark.data
GOOD = {"refused", "read"}
# Some that take little time; archives that expand are set off beside this, one of each kind.
SAMPLE = (
    "comcat: a row of millions of fields",
    "aeta_weeks: a header of millions of columns",
    "cenc: millions of attributes",
    "record: terabytes of numbers",
)


def test_bombs_of_each_kind_are_refused_in_little_time_and_memory() -> None:
    assert set_off(*SAMPLE) == dict.fromkeys(SAMPLE, "refused")


@pytest.mark.slow
@pytest.mark.parametrize("name", LOADERS)
def test_all_bombs_are_refused_or_read_in_little_time_and_memory(name: str) -> None:
    own = [bomb for bomb, _ in all_bombs() if bomb.startswith(f"{name}: ")]
    assert own
    assert {bomb: said for bomb, said in set_off(*own).items() if said not in GOOD} == {}
