"""A unit that raises what nobody foresaw leaves its traceback in a file that its message names."""

from __future__ import annotations

import os
from pathlib import Path

from reproduce_lib.execution.tracebacks import kept
from reproduce_lib.execution.worker import Failed
from tests.support import NoisyParameters, PlainParameters

RAISED = 'Traceback (most recent call last):\n  File "m.py", line 3, in run\nZeroDivisionError: \u00fc \ud800\n'


def folder() -> Path:
    return Path(os.environ["REPRODUCE_HOME"]) / "tracebacks"


def test_traceback_is_kept_in_the_users_folder_and_named_in_the_message() -> None:
    outcome = kept(Failed(NoisyParameters.of(), "ZeroDivisionError: x", RAISED))
    (path,) = folder().iterdir()
    assert outcome.message == f"ZeroDivisionError: x; traceback: {path}"
    assert path.read_text(encoding="utf-8") == RAISED.replace("\ud800", "\\ud800")
    assert path.name.startswith("toy-noisy-")


def test_units_that_failed_alike_share_a_file_and_a_message() -> None:
    seeds = [kept(Failed(NoisyParameters.of(seed=seed), "m", RAISED)).message for seed in range(3)]
    others = [
        kept(Failed(NoisyParameters.of(), "m", "x")).message,
        kept(Failed(PlainParameters.of(), "m", "x")).message,
    ]
    assert len({*seeds}) == 1
    assert len({*seeds, *others}) == len(list(folder().iterdir())) == 3


def test_error_of_our_own_has_no_traceback_to_keep() -> None:
    failed = Failed(NoisyParameters.of(), "prices.csv is not on this machine", "")
    assert kept(failed) == failed
    assert not folder().exists()


def test_traceback_that_cannot_be_kept_hides_no_error() -> None:
    folder().parent.mkdir(parents=True)
    folder().write_text("a file in the folder's place", encoding="utf-8")
    message = kept(Failed(NoisyParameters.of(), "ZeroDivisionError: x", RAISED)).message
    assert message.startswith("ZeroDivisionError: x; its traceback cannot be kept")
    assert str(folder()) in message
