"""What a unit, an experiment and a paper are.

A *unit* is the smallest thing that is trained and scored: one model, one dataset, one fold, one seed.
Its parameters say all of it; its key is a digest of them; its random streams come from its key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reproduce_lib.errors import ParameterError

Profile = Literal["smoke", "full", "custom"]
# ``jax_gpu`` is JAX on a GPU, where units of one shape are trained in one program: the device is part of the key.
Backend = Literal["tensorflow", "jax", "jax_gpu", "none"]
MetricValue = float | str


class UnitParameters(BaseModel):
    """The typed parameters of a unit. Every experiment has a subclass of its own.

    ``profile`` is ``full`` for the paper's own setting (and each declared reading of it), ``smoke`` for
    a run of seconds that only shows that the code runs, ``custom`` for anything else.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    paper: ClassVar[str]
    experiment: ClassVar[str]

    profile: Profile = "full"
    backend: Backend = "none"
    seed: int = Field(default=0, ge=0)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Build the parameters, or raise `ParameterError` with the allowed names or values."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise ParameterError(describe(error, cls)) from None

    def with_values(self, **values: Any) -> Self:
        """Return a copy with some parameters changed, checked again."""
        return self.of(**{**self.model_dump(), **values})

    @property
    def key(self) -> str:
        """Return 16 hex digits of SHA-256 over paper, experiment and all parameters, defaults included."""
        identity = {"paper": self.paper, "experiment": self.experiment, **self.model_dump(mode="json")}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def label(self) -> str:
        """Return the parameters that differ from their defaults, for people."""
        fields = type(self).model_fields
        changed = {name: value for name, value in self if name != "seed" and value != fields[name].default}
        # A word such as "lstm" speaks for itself, a number does not.
        told = [value if isinstance(value, str) else f"{name} {value}" for name, value in changed.items()]
        return " ".join([*told, f"seed {self.seed}"])

    def random_seeds(self, count: int) -> list[int]:
        """Return ``count`` independent 32-bit seeds, all from one `numpy.random.SeedSequence`."""
        return [int(word) for word in np.random.SeedSequence(int(self.key, 16)).generate_state(count)]


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """Say what pydantic found wrong in one line per parameter, with what would be allowed."""
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"]) or model.__name__
        if problem["type"] == "extra_forbidden":
            known = ", ".join(sorted(model.model_fields))
            lines.append(f"unknown parameter {name!r}; known parameters: {known}")
        elif problem["type"] == "missing":
            lines.append(f"{name} is missing: {allowed(model, name) or 'it has no default'}")
        else:
            lines.append(f"{name} = {problem['input']!r}: {allowed(model, name) or problem['msg']}")
    return "; ".join(lines)


def allowed(model: type[BaseModel], name: str) -> str:
    """Return the allowed values of a choice as a sentence, or ``""`` when it is no choice."""
    values = choices(model, name)
    return f"allowed values are {', '.join(repr(value) for value in values)}" if values else ""


def choices(model: type[BaseModel], name: str) -> tuple[Any, ...]:
    """Return the values that a parameter declared as a `Literal` may take."""
    info = model.model_fields.get(name)
    return get_args(info.annotation) if info is not None else ()


@dataclass(frozen=True)
class UnitResult:
    """What a unit measured.

    Attributes
    ----------
    metrics : metric name -> value
    n : number of test cases behind the metrics
    data : dataset file name -> SHA-256 of the bytes that were read
    arrays : small arrays worth keeping (predictions, curves), written as one ``.npz``
    """

    metrics: dict[str, MetricValue]
    n: int
    data: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """How units that differ only in the parameters ``over`` are trained in one program, on a GPU."""

    over: frozenset[str]
    run: Callable[[Sequence[Any]], list[UnitResult]]


@dataclass(frozen=True)
class Experiment:
    """One kind of unit of a paper: its parameters, what runs it, and which units the paper needs.

    ``full`` lists the units of the recorded set, most important first; ``smoke`` a handful that
    finish in seconds. ``batch`` is there for networks that a GPU can train side by side.
    """

    parameters: type[UnitParameters]
    run: Callable[[Any], UnitResult]
    full: Callable[[], Iterable[UnitParameters]]
    smoke: Callable[[], Iterable[UnitParameters]]
    deterministic: bool = False
    batch: Batch | None = None

    @property
    def name(self) -> str:
        """Return the experiment's name."""
        return self.parameters.experiment

    @property
    def module(self) -> str:
        """Return the module of what runs a unit: it and what it imports is the code that a record depends on."""
        return self.run.__module__


@dataclass(frozen=True)
class Paper:
    """A paper as the library sees it: its experiments, and the naive unit that a unit is held against.

    ``main`` names the experiment that a sweep means when it names none.
    """

    key: str
    experiments: Mapping[str, Experiment]
    naive: Callable[[UnitParameters], UnitParameters | None]
    main: str

    def experiment(self, name: str) -> Experiment:
        """Return an experiment by name, or raise `ParameterError` with the known names."""
        if name not in self.experiments:
            known = ", ".join(self.experiments)
            raise ParameterError(f"{self.key} has no experiment {name!r}; it has: {known}")
        return self.experiments[name]

    def full_units(self) -> list[UnitParameters]:
        """Return every unit of the recorded set, experiment by experiment, each once."""
        units = [unit for experiment in self.experiments.values() for unit in experiment.full()]
        return list({unit.key: unit for unit in units}.values())
