"""Where a process that a test starts looks for modules first."""

from __future__ import annotations

import os
from pathlib import Path


def path_with(folder: Path) -> str:
    """Return a value of ``PYTHONPATH``: this folder, then what stands there already."""
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
