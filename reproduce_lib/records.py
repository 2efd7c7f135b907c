"""What a records file holds, line by line, in JSON.

A line is a `Context` (what produced results), a `Record` (one finished unit) or an `Adoption` (old results shown to
hold for new code).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

import msgspec
import numpy as np

from reproduce_lib.units import MetricValue


# No line can be part of a reference cycle. Told so, the garbage collector does not walk through all the
# lines read so far again and again, which took almost a third of the time of reading 10^5 of them.
class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    schema_version: Literal[1] = msgspec.field(default=1, name="schema")

    def text(self) -> str:
        """Return the line as it stands in the file, without its line break.

        Raises
        ------
        ValueError
            If the line could not be read back: a field of another type, or a number that JSON has no word for.
        """
        # A struct takes whatever it is built from; reading checks it, and makes floats of whole metrics.
        as_read = _LINE.decode(json.dumps(msgspec.to_builtins(self, enc_hook=_plain), allow_nan=False))
        # msgspec leaves out what has its default value: an artifact that is not there, but the schema as well.
        fields = {"schema": self.schema_version, **msgspec.to_builtins(as_read)}
        return json.dumps(fields, separators=(",", ":"), allow_nan=False)


class Context(_Line, frozen=True, tag_field="kind", tag="context"):
    """What a unit ran on: written once, referred to by ``id``."""

    id: str
    versions: dict[str, str]
    processor: str
    threads: int
    data: dict[str, str]
    code: dict[str, str]

    @classmethod
    def of(
        cls, versions: dict[str, str], processor: str, threads: int, data: dict[str, str], code: dict[str, str]
    ) -> Context:
        """Build a context whose id is a digest of its content."""
        whole = cls(id="", versions=versions, processor=processor, threads=threads, data=data, code=code)
        return msgspec.structs.replace(whole, id=whole.digest())

    def digest(self) -> str:
        """Return the id that the content calls for: 16 hex digits of SHA-256."""
        names = ("versions", "processor", "threads", "data", "code")
        content = json.dumps({name: getattr(self, name) for name in names}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


class Record(_Line, frozen=True, tag_field="kind", tag="unit"):
    """One finished unit. ``seconds`` and ``time`` (its end, UTC) say how it went, not what it found."""

    key: str
    parameters: dict[str, Any]
    metrics: dict[str, MetricValue]
    n: int
    seconds: float
    time: str
    context: str
    artifact: str | None = None

    def same_result(self, other: Record) -> bool:
        """Tell whether two records found the same, whenever and however fast."""
        return self == msgspec.structs.replace(other, seconds=self.seconds, time=self.time, context=self.context)


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric of one unit, recorded and measured again."""

    key: str
    metric: str
    recorded: MetricValue
    replayed: MetricValue
    agrees: bool
    rule: str


class Adoption(_Line, frozen=True, tag_field="kind", tag="adoption"):
    """Records made under the contexts ``adopted`` were shown, by replays, to hold for ``context``'s code."""

    adopted: list[str]
    context: str
    evidence: list[Replay]
    time: str


Entry = Context | Record | Adoption
_LINE: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def read_line(line: bytes) -> Entry:
    """Return what a line says.

    Raises
    ------
    ValueError, RecursionError
        If it says nothing that is known here.
    """
    return _LINE.decode(line)


def _plain(value: object) -> Any:
    """Return a NumPy scalar as the Python number or text that it is."""
    if isinstance(value, np.generic):
        return value.item()
    raise ValueError(f"{value!r} is neither a number nor a text")
