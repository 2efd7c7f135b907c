"""What is typed behind an option: values of parameters, grids of them, spans of time, addresses."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reproduce_lib.errors import ParameterError

if TYPE_CHECKING:
    from reproduce_lib.units import UnitParameters

_SCHEMES = ("tcp", "tls", "ws", "wss")
_UNITS_OF_TIME = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Grid:
    """Values of several parameters, of which every combination is meant."""

    values: Mapping[str, Sequence[Any]]

    @property
    def count(self) -> int:
        """Return the number of combinations; without any parameter there is one."""
        return math.prod(map(len, self.values.values()))

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield parameter -> value for each combination, the last parameter varied fastest."""
        for values in product(*self.values.values()):
            yield dict(zip(self.values, values, strict=True))


def read_values(texts: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE each; a value is read as JSON where it is JSON, so that 1e-4 is a number.

    Raises
    ------
    ParameterError
        If a text has no name or no equals sign.
    """
    pairs = [(text, text.partition("=")) for text in texts]
    if wrong := [text for text, (name, equals, _) in pairs if not (name and equals)]:
        raise ParameterError(f"{', '.join(map(repr, wrong))}: a value is given as NAME=VALUE")
    return {name: _value(text) for _, (name, _, text) in pairs}


def read_grid(texts: Sequence[str], parameters: type[UnitParameters]) -> Grid:
    """Read NAME=VALUE,VALUE… each, where ``all`` stands for every value of a choice.

    Raises
    ------
    ParameterError
        If a text has no name or no value, a name stands twice, or ``all`` is asked of what is no choice.
    """
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, pair in zip(texts, pairs, strict=True) if not (pair[0] and pair[2])]:
        raise ParameterError(f"{', '.join(map(repr, wrong))}: a grid is NAME=VALUE,VALUE…")
    if twice := [name for name, times in Counter(name for name, _, _ in pairs).items() if times > 1]:
        raise ParameterError(f"{', '.join(twice)}: give all values of a parameter in one grid, NAME=VALUE,VALUE…")
    return Grid({name: _values(name, text, parameters) for name, _, text in pairs})


def read_seconds(text: str) -> float:
    """Read a time span such as 90s, 3m or 1.5h in seconds.

    Raises
    ------
    ParameterError
        If it is none, or none that is longer than 0.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh])", text.strip())
    if not found or float(found[1]) == 0:
        raise ParameterError(f"{text!r} is no time span; write 90s, 3m or 1.5h")
    return float(found[1]) * _UNITS_OF_TIME[found[2]]


def read_address(text: str) -> str:
    """Return the address of a scheduler as it was typed.

    Raises
    ------
    ParameterError
        If it is none: without a scheme that Dask speaks, a host or a port.
    """
    try:
        parts = urlsplit(text)
        whole = parts.scheme in _SCHEMES and parts.hostname and parts.port
    except ValueError:
        whole = None
    if not whole:
        raise ParameterError(f"{text!r} is no address of a Dask scheduler; write tcp://HOST:PORT")
    return text


def _values(name: str, text: str, parameters: type[UnitParameters]) -> Sequence[Any]:
    from reproduce_lib.units import choices

    if text != "all":
        return [_value(one) for one in text.split(",")]
    values = choices(parameters, name)
    if not values:
        known = ", ".join(one for one in parameters.model_fields if choices(parameters, one))
        raise ParameterError(f"{name} is no choice, so it has no values to take all of; choices are: {known}")
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the latter of brackets without end
        return text
