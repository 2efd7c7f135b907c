"""Where the counts of a long run are kept: ``book/faults.json``, which the page on faults shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reproduce_lib.files import write_whole


@dataclass(frozen=True)
class Results:
    """A file of results, trial by trial; a trial that is run again replaces its result."""

    path: Path

    def keep(self, trial: str, **result: Any) -> None:
        known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else {}
        known[trial] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **result}
        write_whole(self.path, (json.dumps(dict(sorted(known.items())), indent=1) + "\n").encode())
