"""The parameters of a notebook, checked however it was started, and the units that they select."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from reproduce_lib.errors import ParameterError
from reproduce_lib.execution.plan import Execute
from reproduce_lib.units import Paper, Profile, UnitParameters, choices, describe

# What IPython itself puts into a notebook's namespace.
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "get_ipython", "open"}
EVERY = "all"
SMOKE = {"epochs": 1}

Unit = TypeVar("Unit", bound=UnitParameters)


class PageParameters(BaseModel):
    """The parameters that every notebook takes, beside those of its paper's units.

    Attributes
    ----------
    profile : ``smoke`` | ``full`` | ``custom``
    execute : ``recorded`` trains nothing, ``missing`` what is missing or stale, ``stale`` what is stale,
        ``fresh`` everything
    seeds : how many seeds, 0 to seeds - 1
    seed : ``"all"`` of them, or this one alone
    jobs : units trained at a time
    keep_figures : whether figures that need the data are kept for pages built without them
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    profile: Profile = "full"
    execute: Execute = "recorded"
    seeds: int = Field(default=10, ge=1, le=1000)
    seed: Literal["all"] | Annotated[int, Field(ge=0)] = "all"
    jobs: int = Field(default=1, ge=1, le=1024)
    keep_figures: bool = False


class Page(Generic[Unit]):
    """A notebook's parameters, checked, and the units that they select.

    Where a page offers its paper's ``experiments``, its parameter ``experiment`` names one of them, or all.
    """

    def __init__(
        self, unit: type[Unit], spans: Iterable[str], values: Mapping[str, Any], experiments: Paper | None = None
    ) -> None:
        self._unit = unit
        self._spans = tuple(spans)
        self._experiments = experiments.experiments if experiments is not None else {}
        model = page_model(unit, self._spans, self._experiments)
        try:
            self.values = model(**values)
        except ValidationError as error:
            raise ParameterError(describe(error, model)) from None
        self.units()  # a combination that no unit can have stops the notebook here

    @property
    def settings(self) -> PageParameters:
        """Return the parameters that every notebook has."""
        return self.values

    @property
    def decisions(self) -> dict[str, Any]:
        """Return the parameters that are the same for every selected unit."""
        own = set(self._unit.model_fields) - {*self._spans, "profile", "seed"}
        values = {name: value for name, value in self.values.model_dump().items() if name in own}
        if self.settings.profile == "smoke":
            # Not every unit is trained in epochs.
            values |= {name: value for name, value in SMOKE.items() if name in own}
        return values

    @property
    def is_the_papers_setting(self) -> bool:
        """Tell whether these are the conditions that the claims were printed for."""
        defaults = {name: self._unit.model_fields[name].default for name in self.decisions}
        return self.settings.profile == "full" and self.decisions == defaults and self.experiment == EVERY

    @property
    def experiment(self) -> str:
        """Return the experiment that the page is to run alone, or ``"all"``."""
        return str(getattr(self.values, "experiment", EVERY))

    def selected(self, name: str) -> tuple[Any, ...]:
        """Return the chosen values of a parameter that the page spans."""
        value = getattr(self.values, name)
        every = choices(self._unit, name)
        if self.settings.profile == "smoke" and value == EVERY and name == self._spans[0]:
            return every[:1]
        return every if value == EVERY else (value,)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the chosen seeds; a smoke run has one."""
        if self.settings.seed != "all":
            return (self.settings.seed,)
        return tuple(range(1 if self.settings.profile == "smoke" else self.settings.seeds))

    def selects(self, unit: UnitParameters) -> bool:
        """Tell whether a unit has the chosen value of each parameter that the page spans, as far as it has them."""
        return all(getattr(unit, name) in self.selected(name) for name in self._spans if hasattr(unit, name))

    def units(self) -> list[UnitParameters]:
        """Return the selected units, seed by seed: of the page's own experiment, or of the one that is named."""
        if self.experiment not in (EVERY, self._unit.experiment):
            return [self._of_other(self._experiments[self.experiment].parameters, seed) for seed in self.seeds]
        return [*self._own_units()]

    def _of_other(self, kind: type[UnitParameters], seed: int) -> UnitParameters:
        """Return a unit of another experiment, with those parameters of the page that it has and that were changed."""
        fixed = {"profile": self.settings.profile, **self.decisions}
        own = {
            name: value
            for name, value in fixed.items()
            if name in kind.model_fields and value != self._unit.model_fields[name].default
        }
        return kind.of(**{**own, "profile": self.settings.profile}, seed=seed)

    def _own_units(self) -> list[Unit]:
        fixed = {"profile": self.settings.profile, **self.decisions}
        combinations = product(self.seeds, *(self.selected(name) for name in self._spans))
        names = ("seed", *self._spans)
        return [self._unit.of(**fixed, **dict(zip(names, values, strict=True))) for values in combinations]


def page_model(
    unit: type[UnitParameters], spans: Iterable[str], experiments: Iterable[str] = ()
) -> type[PageParameters]:
    """Return the model of a notebook's parameters: its unit's, those it spans widened by ``"all"``.

    ``experiments`` are what a parameter of that name may choose from.
    """
    fields: dict[str, Any] = {
        name: (info.annotation, info)
        for name, info in unit.model_fields.items()
        if name not in PageParameters.model_fields and name != "seed"
    }
    for name in spans:
        fields[name] = (Literal[(EVERY, *choices(unit, name))], EVERY)
    if names := tuple(experiments):
        fields["experiment"] = (Literal[(EVERY, *names)], EVERY)
    return create_model("PageParameters", __base__=PageParameters, **fields)


def read_parameters(
    namespace: Mapping[str, Any], unit: type[Unit], spans: Iterable[str], experiments: Paper | None = None
) -> Page[Unit]:
    """Check every variable that the parameter cells defined, however the notebook was started.

    Call it in the first cell after them: any name that is no parameter, such as a misspelt one injected
    by papermill, is then an error rather than a setting that silently does nothing.

    Raises
    ------
    ParameterError
        With the known parameters, or the allowed values of the one that is wrong.
    """
    given = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in _IPYTHON_NAMES and not _is_code(value)
    }
    return Page(unit, spans, given, experiments)


def _is_code(value: object) -> bool:
    return isinstance(value, types.ModuleType | types.FunctionType | type)
