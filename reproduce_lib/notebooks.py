"""What the paired notebooks stand on: checked parameters, live checks, bound numbers, provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from reproduce_lib.compare import Row
from reproduce_lib.errors import ParameterError
from reproduce_lib.execution.plan import Execute
from reproduce_lib.execution.study import UnitStatus, unit_statuses
from reproduce_lib.folders import MANY_FILES, by_folder
from reproduce_lib.records import Record, Store
from reproduce_lib.tables import Html, table
from reproduce_lib.units import Paper, Profile, UnitParameters, choices, describe

# What IPython itself puts into a notebook's namespace.
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "get_ipython", "open"}
EVERY = "all"
SMOKE = {"epochs": 1}
# What begins something else than text in Markdown is written as an entity, which is text.
_AS_ITSELF = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;"})

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


def measured_table(
    units: Iterable[UnitParameters], paper: Paper, store: Store, *, caption: str, metrics: Mapping[str, str]
) -> Html:
    """Return what units measured, seed after seed, beside the naive forecast; no claim is compared.

    Parameters
    ----------
    metrics : name of a metric -> its column's heading
    """
    rows = []
    for status in unit_statuses(units, store):
        naive = paper.naive(status.unit)
        against = unit_statuses([naive], store)[0].record if naive is not None else None
        rows.append((_changed(status.unit), *(_metric(status.record, against, name) for name in metrics)))
    header = ["Unit", *(f"{label} (naive)" for label in metrics.values())]
    return table(header, rows, caption=caption, numeric=len(metrics))


def runs_of(rows: Iterable[Row]) -> str:
    """Return how many runs stand behind some rows, as ``5``, or as ``1 to 3 of 5`` while some are missing."""
    known = list(rows)
    if not known:
        return ""
    counts, expected = sorted({len(row.measured) for row in known}), max(row.expected for row in known)
    if counts == [expected]:
        return str(expected)
    return f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} of {expected}"


def bind(name: str, text: str) -> None:
    """Bind a computed text to a name that the page's prose, and the scoreboard, can show."""
    from myst_nb import glue

    glue(name, BoundText(text), display=False)


def bind_findings(answer: str, headline: str) -> None:
    """Bind what a page found, as its first paragraph and the scoreboard show it.

    Parameters
    ----------
    answer : the page's main question and its answer, short; nothing where no claim is judged
    headline : the numbers behind it
    """
    bind("answer", answer)
    bind("headline", headline)
    bind("verdict", f"**{answer}** {headline}" if answer else f"**{headline}**")


@dataclass(frozen=True)
class BoundText:
    """A text that shows as itself, within a sentence or as a paragraph of Markdown: of its own marks, emphasis works.

    Words of claims and records stand in such texts. As Markdown they can hold no tag, no entity, no role and no
    template: a page shows what they say and runs nothing.
    """

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text.translate(_AS_ITSELF)


def provenance(statuses: Iterable[UnitStatus], live: Iterable[str]) -> Html:
    """Return what stands behind a page: units, seeds, backends, processors, data, share of fresh records."""
    known = list(statuses)
    recorded = [status for status in known if status.record is not None and status.context is not None]
    contexts = [status.context for status in recorded if status.context is not None]
    data = {name: digest for context in contexts for name, digest in context.data.items()}
    fresh = sum(status.state == "fresh" for status in known)
    seconds = sum(status.record.seconds for status in recorded if status.record is not None)
    rows = [
        ("Units recorded", f"{len(recorded)} of {len(known)}"),
        ("Records that are fresh", f"{fresh} of {len(recorded)} ({_share(fresh, len(recorded))})"),
        ("Seeds", _span(sorted({status.unit.seed for status in known}))),
        ("Backends", ", ".join(sorted({status.unit.backend for status in recorded} - {"none"})) or "none"),
        ("Processors", "; ".join(sorted({context.processor for context in contexts}))),
        ("Versions", "; ".join(sorted({_versions(context.versions) for context in contexts}))),
        ("Computing time", f"{seconds / 3600:.2f} processor-hours"),
        ("Data fingerprints", "; ".join(_fingerprints(data)) or "none"),
        ("Executed live on this page", "; ".join(live) or "nothing: every number is recorded"),
    ]
    return table(["What stands behind this page", ""], rows, caption="Provenance")


def _fingerprints(data: Mapping[str, str]) -> Iterator[str]:
    """Yield each file with its digest; the many files of one folder share a digest of theirs."""
    for folder, names in by_folder(sorted(data)).items():
        if len(names) > MANY_FILES:
            whole = hashlib.sha256("".join(data[name] for name in names).encode()).hexdigest()
            yield f"{folder}: {len(names)} files {whole[:12]}"
        else:
            yield from (f"{name} {data[name][:12]}" for name in names)


def _changed(unit: UnitParameters) -> str:
    """Name a unit by what tells it from the default one."""
    values = unit.model_dump()
    shown = {name: value for name, value in values.items() if value != type(unit).model_fields[name].default}
    return ", ".join(f"{name} {value}" for name, value in shown.items()) or "the default unit"


def _metric(record: Record | None, against: Record | None, name: str) -> str:
    if record is None:
        return "not recorded"
    if name not in record.metrics:
        return "–"
    naive = f" ({against.metrics[name]:.3f})" if against is not None else ""
    return f"{record.metrics[name]:.3f}{naive}"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none recorded"


def _span(seeds: list[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else ", ".join(map(str, seeds)) or "none"


def _is_code(value: object) -> bool:
    import types

    return isinstance(value, types.ModuleType | types.FunctionType | type)
