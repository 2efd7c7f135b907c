"""A paper opened by its notebook: what was to be run is run, and what is printed stands beside what is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from reproduce_lib.claims import FactClaim, OrderClaim, PaperClaims, ValueClaim, load_claims
from reproduce_lib.compare import Comparison
from reproduce_lib.errors import RunError
from reproduce_lib.execution import study
from reproduce_lib.execution.engine import run_units
from reproduce_lib.execution.study import UnitStatus, unit_statuses
from reproduce_lib.page_parameters import Page, Unit
from reproduce_lib.records import Record
from reproduce_lib.rows import Row
from reproduce_lib.store import Store
from reproduce_lib.tables import Html
from reproduce_lib.units import MetricValue, Paper, UnitParameters


@dataclass(frozen=True)
class OpenedPaper:
    """The claims of a paper and the records behind them, as far as a page's parameters select them.

    Attributes
    ----------
    page : the parameters
    paper, claims, store : the paper, what it printed, and the records that the page reads
    own : the units that the page's parameters select
    comparison : all claims beside all records; nothing where the conditions are not those of the claims
    rows : those rows of the comparison whose units the page selects
    statuses : key of a unit -> its status: of the page's own units, of those that they are held against, and of the
        recorded set where claims are compared
    computed : how many units were computed while the page was opened
    """

    page: Page[Any]
    paper: Paper
    claims: PaperClaims
    store: Store
    own: tuple[UnitParameters, ...]
    comparison: Comparison | None
    rows: tuple[Row, ...]
    statuses: Mapping[str, UnitStatus]
    computed: int

    @property
    def compared(self) -> bool:
        """Tell whether what is printed is compared here."""
        return self.comparison is not None

    @property
    def values(self) -> list[Row]:
        """Return the rows of printed numbers."""
        return [row for row in self.rows if isinstance(row.claim, ValueClaim)]

    @property
    def orders(self) -> list[Row]:
        """Return the rows of stated orders."""
        return [row for row in self.rows if isinstance(row.claim, OrderClaim)]

    @property
    def facts(self) -> list[Row]:
        """Return the rows of stated facts."""
        return [row for row in self.rows if isinstance(row.claim, FactClaim)]

    @property
    def elsewhere(self) -> Html:
        """Return what stands in place of a table or a figure that cannot be shown, and why."""
        if self.compared:
            return Html("<p><em>No run of it is recorded, or this page's parameters select none of it.</em></p>")
        return Html("<p><em>These are not the reference conditions: nothing printed is compared here.</em></p>")

    @property
    def recorded(self) -> list[UnitStatus]:
        """Return the statuses of the whole recorded set where claims are compared, and nothing elsewhere."""
        return self.comparison.statuses if self.comparison is not None else []

    @property
    def selected(self) -> list[UnitStatus]:
        """Return the statuses of those units of the recorded set that the page selects, or of the page's own."""
        if not self.compared:
            return [self.statuses[unit.key] for unit in self.own]
        return [status for status in self.recorded if self.page.selects(status.unit)]

    def record(self, unit: UnitParameters) -> Record | None:
        """Return the record of a unit, or nothing."""
        status = self.statuses.get(unit.key)
        return status.record if status is not None else None

    def metrics(self, unit: UnitParameters) -> Mapping[str, MetricValue]:
        """Return what a unit measured: no metric where it is not recorded."""
        record = self.record(unit)
        return record.metrics if record is not None else {}

    def scores(self, units: Iterable[UnitParameters], metric: str) -> list[MetricValue]:
        """Return one metric of each unit that has it."""
        return [found[metric] for found in map(self.metrics, units) if metric in found]

    def arrays(self, unit: UnitParameters) -> dict[str, NDArray[Any]] | None:
        """Return the arrays that a unit kept, or nothing where it is not recorded or they are lost."""
        status = self.statuses.get(unit.key)
        if status is None or status.record is None or not status.has_arrays:
            return None
        return self.store.read_arrays(unit.paper, status.record)

    def kept(self, units: Iterable[UnitParameters]) -> list[dict[str, NDArray[Any]]]:
        """Return the arrays of each unit that kept them."""
        return [arrays for arrays in map(self.arrays, units) if arrays is not None]


def open_paper(page: Page[Unit], paper: Paper, own: Iterable[UnitParameters] | None = None) -> OpenedPaper:
    """Run what the page's parameters ask for, and set what is recorded beside what was printed.

    Lines of records that cannot be read are told, where the page is.

    Parameters
    ----------
    own : the units that the page's parameters select, where they are not ``page.units()``

    Raises
    ------
    RunError
        If a unit fails.
    KeyboardInterrupt
        At the first Ctrl-C, once the units that run are recorded.
    """
    store = study.store_for(page.settings.profile)
    compared = page.is_the_papers_setting
    units = tuple(page.units() if own is None else own)
    recorded = [unit for unit in paper.full_units() if page.selects(unit)] if compared else []
    naive = [unit for unit in map(paper.naive, units) if unit is not None]
    needed = {unit.key: unit for unit in (*recorded, *units, *naive)}
    summary = run_units(needed.values(), store, how=page.settings.execute, jobs=page.settings.jobs)
    for line in summary.damaged or study.damaged_lines(paper.key, store):
        print(line)
    if summary.failed:
        raise RunError("; ".join(f"{one.unit.key}: {one.message}" for one in summary.failed))
    claims = load_claims(paper.key)
    comparison = Comparison(claims, paper, store) if compared else None
    rows = [row for row in comparison.rows if all(map(page.selects, row.units))] if comparison else []
    known = {status.unit.key: status for status in (comparison.statuses if comparison else ())}
    others = {unit.key: unit for unit in (*units, *naive) if unit.key not in known}
    known |= {status.unit.key: status for status in unit_statuses(others.values(), store)}
    return OpenedPaper(page, paper, claims, store, units, comparison, tuple(rows), known, summary.ended.total())
