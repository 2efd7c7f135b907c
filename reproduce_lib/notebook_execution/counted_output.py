"""A papermill engine that counts what a notebook prints: a page has room for figures, not for a log of gigabytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets.config import Config

NAME = "counting"
# What goes between this process and the kernel is for nobody else on the machine.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})


class CountingClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes a notebook, and says once when its outputs have grown beyond a limit."""

    def __init__(self, manager: Any, most_bytes: int, on_excess: Callable[[], None], **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._left = most_bytes
        self._said = False
        self._on_excess = on_excess

    def process_message(self, message: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        """Count an output before it is kept; from the limit on, nothing is kept."""
        self._left -= _size(message["content"])
        if self._left < 0:
            if not self._said:
                self._said = True
                self._on_excess()
            return None
        return super().process_message(message, *arguments, **named)


class CountingEngine(NBClientEngine):  # type: ignore[misc]
    """The engine of papermill's own name with the client that counts."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        start_timeout: int = 60,
        *,
        most_bytes: int,
        on_excess: Callable[[], None],
        on_cell_start: Callable[..., None],
        **_: Any,
    ) -> Any:
        """Execute a notebook that papermill manages."""
        client = CountingClient(
            nb_man,
            most_bytes,
            on_excess,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout=None,
            on_cell_start=on_cell_start,
            config=ENCRYPTED,
        )
        return client.execute()


papermill_engines.register(NAME, CountingEngine)


def _size(content: dict[str, Any]) -> int:
    """Return about how many bytes an output takes in a notebook."""
    parts = [content.get("text", ""), *content.get("data", {}).values(), *content.get("traceback", [])]
    return sum(len(part) if isinstance(part, str) else len(json.dumps(part)) for part in parts)
