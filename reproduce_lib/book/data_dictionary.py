"""What the fields of the record files are."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from reproduce_lib.book.score_names import LAYERS, MEANINGS
from reproduce_lib.records import Adoption, Context, Record
from reproduce_lib.units import Paper, UnitParameters

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
    "metrics": "name of each score, see below, and its value",
    "n": "test cases behind the scores",
    "seconds": "how long the unit took",
    "time": "when it ended, UTC",
    "context": "id of the context",
    "artifact": "SHA-256 of an archive of arrays that the unit kept, if it kept any",
    "adopted": "ids of the contexts whose records hold",
    "evidence": "each score of each unit that was executed again, recorded and replayed",
}
# The types of parameters in words, and the words for what bounds them.
_TYPES: Mapping[Any, str] = {
    bool: "`true`, `false`",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "`null`",
}
_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤", "multiple_of": "a multiple of"}


def data_dictionary(papers: Sequence[Paper]) -> str:
    """Return what each field of a record file is, as Markdown: the lines of each kind, the parameters of each paper."""
    parts = ["# Fields of the record files", "", "A file holds one JSON object a line, of three kinds.", ""]
    for line, meaning in _LINES.items():
        parts += [f"## Lines of kind `{line.__struct_config__.tag}`", "", meaning, "", *_fields_of(line), ""]
    brackets = "What stands in brackets behind a name says what the score is taken at."
    parts += ["## Scores", "", f"{brackets} A name with a capital is that of a layer: {LAYERS}.", ""]
    parts += ["| score | meaning |", "|---|---|", *(f"| `{one}` | {words} |" for one, words in MEANINGS.items()), ""]
    for paper in papers:
        parts += [f"## Parameters of {paper.key}", ""]
        for experiment in paper.experiments.values():
            about = inspect.getdoc(experiment.parameters) or ""
            parts += [f"### {paper.key}/{experiment.name}.jsonl", "", about, ""]
            parts += [*_parameters_of(experiment.parameters), ""]
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
        default = "none" if info.is_required() else _code(info.default)
        yield f"| `{name}` | {default} | {_allowed(info.annotation, info.metadata)} |"


def _allowed(annotation: Any, constraints: Sequence[Any] = ()) -> str:
    """Return which values a parameter may take, as far as its declaration says: the listed ones, or type and bounds."""
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return ", ".join(map(_code, parts))
    if get_origin(annotation) is Annotated:
        return _allowed(parts[0], [one for field in parts[1:] for one in field.metadata])
    if get_origin(annotation) in (Union, UnionType):
        return ", ".join(map(_allowed, parts))
    bounds = ((sign, getattr(one, name, None)) for one in constraints for name, sign in _BOUNDS.items())
    return ", ".join(
        [_TYPES.get(annotation, f"`{annotation}`"), *(f"{sign} {bound}" for sign, bound in bounds if bound is not None)]
    )


def _code(value: object) -> str:
    """Write a value as a record file does, texts without quotation marks unless nothing is between them."""
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"
