"""YAML that people write: read by a safe loader, refused with the file and what is wrong in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from reproduce_lib.errors import ReproduceError

# Fifteen times what the longest file of the collection holds.
MOST_VALUES = 100_000
# What is read in C is built by calls that nest as the file does, and nothing stops them before the stack ends.
DEEPEST = 100
SHOWN_PROBLEMS, SHOWN_LETTERS = 5, 60

Place = Sequence[int | str]


class UniqueKeys(yaml.CSafeLoader):
    """A safe loader that refuses a key written twice instead of dropping the first, and aliases that multiply."""

    def construct_document(self, node: yaml.Node) -> Any:
        """Build a document, or raise `yaml.YAMLError` if it is a small text for more values than a file may hold."""
        if _values(node, {}) > MOST_VALUES:
            problem = f"its values, aliases written out, are more than {MOST_VALUES}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_document(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, or raise `yaml.YAMLError` with the place of a repeated key, or of one that is a list."""
        known = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is a single value", key_node.start_mark)
            key = self.construct_object(key_node, deep=True)
            if key in known:
                problem = f"key {key!r} is written twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            known.add(key)
        return super().construct_mapping(node, deep)


def _single_value(loader: UniqueKeys, node: yaml.ScalarNode) -> Any:
    """Build a number, a truth or a time, or raise `yaml.YAMLError`.

    ``1:30`` is a text as in YAML 1.2, and no ninety.
    """
    kind = node.tag.rpartition(":")[2]
    if ":" in node.value and kind != "timestamp":
        return loader.construct_scalar(node)
    try:
        return yaml.CSafeLoader.yaml_constructors[node.tag](loader, node)
    # What is called a time and is none has no parts.
    except (ValueError, LookupError, OverflowError, AttributeError) as error:
        problem = f"{_shown(node.value)} is no {kind}"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


for _kind in ("int", "float", "bool", "timestamp"):
    UniqueKeys.add_constructor(f"tag:yaml.org,2002:{_kind}", _single_value)


def read_yaml(path: Path, loader: type[UniqueKeys], refusal: type[ReproduceError]) -> Any:
    """Return what a file holds.

    Raises
    ------
    ``refusal``, with the file and the reason, if it cannot be read or is no YAML
    """
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_deep(text)
        return yaml.load(text, Loader=loader)  # noqa: S506 - it is a safe loader
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}") from error
    # Impossible dates and undecodable bytes are ValueErrors.
    except (yaml.YAMLError, ValueError) as error:
        raise refusal(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def problems(error: ValidationError, name: Callable[[Place], Place] = lambda place: place) -> str:
    """Return what a file's model found wrong in it, the first problems with their places.

    Parameters
    ----------
    name : says a place, as keys and indices from the outermost to the innermost, in the words of the file
    """
    found = error.errors()
    told = [
        f"{' > '.join(map(str, name(one['loc']))) or 'the file'}: {one['msg'].removeprefix('Value error, ')} "
        f"(found {_shown(one['input'])})"
        for one in found[:SHOWN_PROBLEMS]
    ]
    more = [f"and {len(found) - SHOWN_PROBLEMS} more"] if len(found) > SHOWN_PROBLEMS else []
    return "; ".join([*told, *more])


def _refuse_deep(text: str) -> None:
    """Raise `yaml.YAMLError` with the place where a text nests deeper than any file has to."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        match event:
            case yaml.CollectionStartEvent():
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
        if depth > DEEPEST:
            raise yaml.YAMLError(f"it nests more than {DEEPEST} deep{event.start_mark or ''}")


def _values(node: yaml.Node, known: dict[yaml.Node, float]) -> float:
    """Return how many values a node is with its aliases written out; what holds itself has no end."""
    if node not in known:
        known[node] = math.inf
        parts: Iterable[yaml.Node] = ()
        match node:
            case yaml.MappingNode():
                parts = chain.from_iterable(node.value)
            case yaml.SequenceNode():
                parts = node.value
        known[node] = 1 + sum(_values(part, known) for part in parts)
    return known[node]


def _shown(value: object) -> str:
    try:
        return repr(str(value)[:SHOWN_LETTERS])
    except ValueError:  # Python writes no number of thousands of digits
        return "a number too long to be shown"
