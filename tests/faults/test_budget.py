"""The default sample of faults keeps to two minutes, whatever else the machine does."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.conftest import BUDGET_SECONDS, Clocks, charge, check_budget


def test_sample_may_take_two_minutes() -> None:
    assert BUDGET_SECONDS <= 120


def test_sample_beyond_the_budget_fails_and_names_the_dearest_test(tmp_path: Path) -> None:
    check_budget(charge(tmp_path / "ledger", "one", 50.0))
    check_budget(charge(tmp_path / "ledger", "two", 69.0))
    with pytest.raises(AssertionError, match=r"takes 123 s; the dearest: two 69.0 s, one 50.0 s"):
        check_budget(charge(tmp_path / "ledger", "three", 4.0))


def test_work_of_other_processes_is_not_charged_and_waiting_is_where_the_machine_idles() -> None:
    begin = Clocks(wall=100.0, own=10.0, idle=1000.0)
    assert Clocks(wall=160.0, own=15.0, idle=1000.0).charged_since(begin) == 5.0  # others had the machine
    assert Clocks(wall=160.0, own=15.0, idle=1100.0).charged_since(begin) == 60.0  # it slept on an idle one
    assert Clocks(wall=104.0, own=18.0, idle=1000.0).charged_since(begin) == 4.0  # two processes side by side


def test_work_of_a_process_that_a_test_waited_for_is_charged() -> None:
    begin = Clocks.now()
    program = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert Clocks.now().own - begin.own >= 0.45
    own = time.process_time()
    while time.process_time() < own + 0.3:
        pass
    assert Clocks.now().charged_since(begin) >= 0.7  # clocks of processes go in hundredths
