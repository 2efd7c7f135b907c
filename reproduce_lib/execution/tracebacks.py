"""Tracebacks of units that failed in a way that nobody foresaw, kept for whoever has to find out why."""

from __future__ import annotations

import dataclasses
import hashlib

from reproduce_lib import paths
from reproduce_lib.execution.worker import Failed
from reproduce_lib.files import write_whole


def kept(outcome: Failed) -> Failed:
    """Write a failed unit's traceback to the user's folder, and return the outcome with the file in its message.

    The file is named after what it holds: units that failed alike share it, and so their message.
    """
    if not outcome.traceback:
        return outcome
    text = outcome.traceback.encode(errors="backslashreplace")
    name = f"{outcome.unit.paper}-{outcome.unit.experiment}-{hashlib.sha256(text).hexdigest()[:12]}.txt"
    path = paths.user_folder() / "tracebacks" / name
    try:
        write_whole(path, text)
    except OSError as error:
        where = f"its traceback cannot be kept at {path}: {error.strerror}"
    else:
        where = f"traceback: {path}"
    return dataclasses.replace(outcome, message=f"{outcome.message}; {where}")
