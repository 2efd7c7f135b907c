"""The parts of pages that follow from claims, records and logs; the pages include them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reproduce_lib import paths
from reproduce_lib.book.claims_index import claims_page, downloads_page
from reproduce_lib.book.data_page import data_tables
from reproduce_lib.book.exports import write_exports
from reproduce_lib.book.faults_page import FAULTS, counts_page
from reproduce_lib.book.lessons import TOPICS, lesson_list, origins_table
from reproduce_lib.book.notebook_files import read_notebook
from reproduce_lib.book.places import page_path
from reproduce_lib.book.recomputed import RECOMPUTED, ends_of_units, recomputed_page
from reproduce_lib.book.run_history import history, runs_page
from reproduce_lib.book.scoreboard import Entry, scoreboard_page
from reproduce_lib.book.speed import BENCHMARKS, results_page
from reproduce_lib.book.verdict_examples import examples_page
from reproduce_lib.collection import every_unit
from reproduce_lib.compare import Comparison
from reproduce_lib.data.registry import data_files
from reproduce_lib.execution.run_log import RunLog
from reproduce_lib.execution.study import store_for
from reproduce_lib.figures.collection import collection_figure, collection_section
from reproduce_lib.files import write_whole
from reproduce_lib.notebook_execution.bound import bound_texts
from reproduce_lib.tables import table
from reproduce_lib.tolerances import METRICS

# Where what readers take away is written, below what is generated.
DOWNLOADS = "downloads"


def write_generated(comparisons: Sequence[Comparison], entries: Mapping[str, Entry]) -> None:
    """Write every part that a page includes, and what readers can take away.

    Parameters
    ----------
    entries : key of a paper -> its line of the scoreboard
    """
    folder = paths.root() / "book" / "_generated"
    for entry in entries.values():
        if entry.figure is not None:
            write_whole(folder / "static" / f"{entry.key}.svg", entry.figure.svg.encode())
    write_exports(comparisons, folder / DOWNLOADS)
    for name, text in {**_of_results(comparisons, entries), **_of_machines()}.items():
        write_whole(folder / name, text.encode())


def _of_results(comparisons: Sequence[Comparison], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Return the parts about claims and records, by the name of their file."""
    bound = {key: bound_texts(read_notebook(page_path(key)), "markdown") for key in entries}
    return {
        "scoreboard.md": scoreboard_page(entries),
        "collection.html": collection_figure(comparisons),
        "collection.md": collection_section(comparisons, "_generated/collection.html"),
        "claims.md": claims_page(comparisons),
        "half-widths.md": _half_widths(),
        "examples.md": examples_page(comparisons),
        "origins.md": f"{origins_table(comparisons)}\n",
        "downloads.md": downloads_page(comparisons, f"book/_generated/{DOWNLOADS}"),
        **{f"lesson-{topic}.md": lesson_list(topic, bound) for topic in TOPICS},
    }


def _of_machines() -> dict[str, str]:
    """Return the parts about data files, runs, speed and faults, by the name of their file."""
    runs = history(RunLog(paths.run_log()).runs(), ends_of_units(every_unit(), store_for("full")))
    return {
        "data.md": data_tables(data_files()),
        "benchmarks.md": results_page(BENCHMARKS.read()),
        "faults.md": counts_page(FAULTS.read()),
        "recomputed.md": recomputed_page(RECOMPUTED.read()),
        "runs.md": runs_page(runs),
    }


def _half_widths() -> str:
    """Return how wide an interval of each score may be and still carry a verdict."""
    header = ["Score", "Widest half-width of the interval that carries a verdict"]
    rows = [
        (one.label, f"{one.half_width:.0%} of the printed value" if one.relative else f"{one.half_width:g}")
        for one in METRICS.values()
        if one.half_width
    ]
    return f"{table(header, rows, caption='Verdict half-widths', numeric=1)}\n"
