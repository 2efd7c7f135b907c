"""What a command found and a page shows: one JSON file in ``book``, read as strictly as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from reproduce_lib import paths
from reproduce_lib.errors import RecordError
from reproduce_lib.files import write_whole


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of what is kept: named fields, and no others."""


Found = TypeVar("Found", bound=Fields)


@dataclass(frozen=True)
class Kept(Generic[Found]):
    """A file of one kind of result, and the command that writes it."""

    name: str
    kind: type[Found]
    command: str

    def path(self) -> Path:
        """Return where the file is."""
        return paths.root() / "book" / self.name

    def read(self) -> Found | None:
        """Return what was kept last, or ``None`` if nothing was.

        Raises
        ------
        RecordError
            If the file is not what the command writes.
        """
        try:
            return msgspec.json.decode(self.path().read_bytes(), type=self.kind)
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{self.path()} cannot be read ({error}); write it again with: {self.command}") from error

    def write(self, result: Found) -> None:
        """Keep a result; it replaces the last one."""
        write_whole(self.path(), msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
