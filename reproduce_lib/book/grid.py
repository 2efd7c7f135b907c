"""Grids of notebook parameters: which copies of the papers' notebooks are executed, and what each is called.

A grid file, such as ``notebooks/grid.yaml``, says what is varied::

    schema: 1
    variants:
      - paper: naufal2023
        parameters: {seeds: 5}                             # the same on each page
        grid: {split: [shuffled72_8_20], window: [1, 30]}  # each combination is a page, named by its values
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reproduce_lib.book.places import notebook_path, variants_folder
from reproduce_lib.collection import rebuilt
from reproduce_lib.errors import ParameterError
from reproduce_lib.yaml_files import UniqueKeys, problems, read_yaml

Value = str | int | float | bool | None
MOST_VARIANTS = 1000
_LONGEST_VALUE, _LONGEST_NAME, _LONGEST_TITLE = 40, 120, 60
_NO_MARKUP = str.maketrans("<>", "‹›")  # the theme repeats a page's title without escaping it


@dataclass(frozen=True)
class Variant:
    """A paper's notebook with some of its parameters given.

    Attributes
    ----------
    name : the page's file name without its ending, safe on every file system
    varied : what tells this page from the others, for people
    """

    paper: str
    name: str
    varied: str
    parameters: dict[str, Value]

    @property
    def source(self) -> Path:
        """Return the notebook that is executed."""
        return notebook_path(self.paper)

    @property
    def page(self) -> Path:
        """Return where the executed notebook goes."""
        return variants_folder() / f"{self.name}.ipynb"


def load_grid(path: Path) -> list[Variant]:
    """Return the variants of a grid file, in its order.

    Raises
    ------
    ParameterError
        With the file and each wrong field; also if two variants would have the same page.
    """
    content = read_yaml(path, _Yaml12, ParameterError)
    try:
        grid = _Grid.model_validate(content)
    except ValidationError as error:
        raise ParameterError(f"{path}: {problems(error)}") from error
    variants = [variant for entry in grid.variants for variant in entry.expanded()]
    times = Counter(variant.name.casefold() for variant in variants)
    if twice := sorted({variant.name for variant in variants if times[variant.name.casefold()] > 1}):
        raise ParameterError(
            f"{path}: variants > two have the name {', '.join(twice)}; what tells them apart belongs into their grid"
        )
    return variants


def select(variants: Sequence[Variant], only: Iterable[str]) -> list[Variant]:
    """Return the variants whose name is, or fits, one of ``only`` (``*`` stands for anything); all without any.

    Raises
    ------
    ParameterError
        If one of ``only`` fits no variant; with the names that there are.
    """
    wanted = list(only)
    names = [variant.name for variant in variants]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ParameterError(f"no variant has the name {pattern}; the grid has: {', '.join(names)}")
    return [one for one in variants if not wanted or any(fnmatchcase(one.name, pattern) for pattern in wanted)]


class _Yaml12(UniqueKeys):
    """A safe loader by the core schema of YAML 1.2: ``1e-4`` is a number, ``2022-10-07`` and ``yes`` are texts."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own design


for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)", list("-+.0123456789")),
):
    _Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def _of_a_paper(key: str) -> str:
    if key not in rebuilt():
        raise ValueError(f"unknown paper; rebuilt papers are: {', '.join(rebuilt())}")
    return key


def _plain(value: object) -> object:
    if not isinstance(value, Value) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("a value is a text, a finite number, true, false or null")
    return value


def _unlike(values: list[Value]) -> list[Value]:
    if len({(type(value), value) for value in values}) < len(values):
        raise ValueError("a value stands twice")
    return values


_Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Plain = Annotated[Any, AfterValidator(_plain)]
_Values = Annotated[list[_Plain], Field(min_length=1), AfterValidator(_unlike)]


class _Entry(BaseModel):
    """Pages of one paper: every combination of the grid's values, with ``parameters`` on each."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    paper: Annotated[str, AfterValidator(_of_a_paper)]
    parameters: dict[_Name, _Plain] = {}
    grid: dict[_Name, _Values] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_each_parameter_once(self) -> Self:
        if both := sorted(self.parameters.keys() & self.grid.keys()):
            raise ValueError(f"{', '.join(both)}: either in parameters or in grid")
        return self

    @property
    def count(self) -> int:
        """Return the number of combinations."""
        return math.prod(map(len, self.grid.values()))

    def expanded(self) -> Iterator[Variant]:
        """Yield a variant for each combination, the last parameter varied fastest."""
        for values in product(*self.grid.values()):
            chosen = dict(zip(self.grid, values, strict=True))
            varied = ", ".join(f"{name} {_shown(value)}" for name, value in chosen.items())
            yield Variant(self.paper, _safe_name(self.paper, chosen), varied, {**self.parameters, **chosen})


class _Grid(BaseModel):
    """A grid file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    schema_version: Literal[1] = Field(alias="schema")
    variants: list[_Entry] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_executed(self) -> Self:
        if (count := sum(entry.count for entry in self.variants)) > MOST_VARIANTS:
            raise ValueError(f"{count} combinations; at most {MOST_VARIANTS} can be executed")
        return self


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: Value) -> str:
    text = " ".join(_text(value).split()).translate(_NO_MARKUP)
    return text if len(text) <= _LONGEST_TITLE else f"{text[:_LONGEST_TITLE]}…"


def _safe_name(paper: str, chosen: dict[str, Value]) -> str:
    """Return a file name from the varied values; where letters had to go, a digest keeps it one of its own."""
    name = "--".join([paper, *(f"{parameter}-{_slug(value)}" for parameter, value in chosen.items())])
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}-{_digest(name)}"


def _slug(value: Value) -> str:
    text = _text(value)
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-.")[:_LONGEST_VALUE]
    return slug if slug == text else f"{slug}-{_digest(text)}".lstrip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
