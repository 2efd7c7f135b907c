"""What the fields of the record files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from reproduce_lib.records import Adoption, Context, Record
from reproduce_lib.units import Paper, UnitParameters, choices

_LINES: Mapping[Any, str] = {
    Context: "What units ran on; records name it by its `id`.",
    Record: "One finished unit. The last line of a key counts.",
    Adoption: "Records that were shown to hold for newer code by executing a sample of them again.",
}
_MEANINGS = {
    "schema": "version of the format, 1",
    "kind": "kind of the line",
    "id": "16 hex digits of SHA-256 over the other fields",
    "versions": "versions of Python and of the packages that results depend on",
    "processor": "the processor's name",
    "threads": "threads that a unit ran on",
    "data": "name of each data file that was read, and its SHA-256",
    "code": "digest of each function and class that the result depends on",
    "key": "16 hex digits of SHA-256 over paper, experiment and parameters",
    "parameters": "the unit's parameters, see below",
    "metrics": "name of each score, and its value",
    "n": "test cases behind the scores",
    "seconds": "how long the unit took",
    "time": "when it ended, UTC",
    "context": "id of the context",
    "artifact": "SHA-256 of an archive of arrays that the unit kept, if it kept any",
    "adopted": "ids of the contexts whose records hold",
    "evidence": "each score of each unit that was executed again, recorded and replayed",
}


def data_dictionary(papers: Sequence[Paper]) -> str:
    """Return what each field of a record file is, as Markdown: the lines of each kind, the parameters of each paper."""
    parts = ["# Fields of the record files", "", "A file holds one JSON object a line, of three kinds.", ""]
    for line, meaning in _LINES.items():
        parts += [f"## Lines of kind `{line.__struct_config__.tag}`", "", meaning, "", *_fields_of(line), ""]
    for paper in papers:
        parts += [f"## Parameters of {paper.key}", ""]
        for experiment in paper.experiments.values():
            parts += [f"### {paper.key}/{experiment.name}.jsonl", "", *_parameters_of(experiment.parameters), ""]
    return "\n".join(parts)


def _fields_of(line: Any) -> Iterator[str]:
    yield "| field | meaning |"
    yield "|---|---|"
    for one in ("kind", *(field.encode_name for field in msgspec.structs.fields(line))):
        yield f"| `{one}` | {_MEANINGS[one]} |"


def _parameters_of(parameters: type[UnitParameters]) -> Iterator[str]:
    yield "| parameter | default | allowed |"
    yield "|---|---|---|"
    for name, info in parameters.model_fields.items():
        allowed = ", ".join(f"`{value}`" for value in choices(parameters, name)) or "see the library"
        yield f"| `{name}` | `{info.default}` | {allowed} |"
