"""What the paired notebooks show beside their own tables and figures: bound texts, what was measured, provenance."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reproduce_lib.folders import MANY_FILES, by_folder
from reproduce_lib.opened_paper import OpenedPaper
from reproduce_lib.records import Record
from reproduce_lib.rows import Row
from reproduce_lib.tables import Html, table
from reproduce_lib.units import MetricValue, UnitParameters

# What begins something else than text in Markdown is written as an entity, which is text.
_AS_ITSELF = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;"})

# One sentence: no end of another within it, no question, and an end of its own.
_SENTENCE = re.compile(r"(?:(?![.!?][”’)]?\s).)*[^.!?]\.", re.DOTALL)


def measured_table(opened: OpenedPaper, *, caption: str, metrics: Mapping[str, str]) -> Html:
    """Return what the page's own units measured, seed after seed, beside the naive forecast; no claim is compared.

    Parameters
    ----------
    metrics : name of a metric -> its column's heading
    """
    rows = []
    for unit in opened.own:
        naive = opened.paper.naive(unit)
        against = opened.metrics(naive) if naive is not None else {}
        rows.append((_changed(unit), *(_metric(opened.record(unit), against, name) for name in metrics)))
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


def bind_verdict(answer: str, points: Iterable[str]) -> None:
    """Bind what the section on the verdict says: the answer in bold, and below it what it rests on, point by point.

    Parameters
    ----------
    answer : one sentence
    points : the numbers behind it; an empty one is left out

    Raises
    ------
    ValueError
        If the answer is not one sentence.
    """
    if not _SENTENCE.fullmatch(answer):
        raise ValueError(f"a verdict begins with one sentence that answers, not with {answer!r}")
    bind("verdict_in_full", f"**{answer}**\n\n" + "\n".join(f"- {point}" for point in points if point))


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


def provenance(opened: OpenedPaper, live: Iterable[str]) -> Html:
    """Return what stands behind a page: units, seeds, backends, processors, data, share of fresh records.

    Parameters
    ----------
    live : what the page executed itself, beside units
    """
    known = opened.selected
    executed = [*([f"{opened.computed} units computed"] if opened.computed else []), *live]
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
        ("Executed live on this page", "; ".join(executed) or "nothing: every number is recorded"),
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


def _metric(record: Record | None, against: Mapping[str, MetricValue], name: str) -> str:
    if record is None:
        return "not recorded"
    if name not in record.metrics:
        return "–"
    naive = f" ({against[name]:.3f})" if name in against else ""
    return f"{record.metrics[name]:.3f}{naive}"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none recorded"


def _span(seeds: list[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else ", ".join(map(str, seeds)) or "none"
