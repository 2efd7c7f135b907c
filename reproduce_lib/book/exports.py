"""What a reader takes away: every claim with its verdict as CSV and JSON, and all records as one archive."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reproduce_lib import paths
from reproduce_lib.book.data_dictionary import data_dictionary
from reproduce_lib.claims import FactClaim, OrderClaim, ValueClaim
from reproduce_lib.compare import Comparison
from reproduce_lib.files import write_whole
from reproduce_lib.rows import Row
from reproduce_lib.units import Paper

# A date for every member of the archive, so that equal records make equal archives.
_DATE = (1980, 1, 1, 0, 0, 0)
CLAIMS_SCHEMA = "claims.schema.json"
RECORDS = "records.zip"
DICTIONARY = "DICTIONARY.md"


class _Exported(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, populate_by_name=True)


class ExportedClaim(_Exported):
    """One claim with its verdict, flat."""

    id: str = Field(description="Identifier, stable from release to release")
    paper: str = Field(description="Key of the paper")
    kind: Literal["value", "order", "fact"] = Field(description="A printed number, a stated order, an exact statement")
    group: str = Field(description="What the page folds the claim under")
    source: str = Field(description="Where the paper says it")
    statement: str = Field(description="What it says, in words")
    printed: str = Field(description="What is printed, digit for digit; empty for an order")
    metric: str = Field(description="Score of a printed number, as records name it; empty otherwise")
    unit: str = Field(description="Unit of a printed number")
    comparable: Literal["same-data", "substitute-data", "no-data", "not-applicable"] = Field(
        description="On which data it can be measured again"
    )
    verdict: str = Field(description="The verdict, as the page words it")
    measured: list[float | bool | str] = Field(
        description="One entry for each complete replication; for a fact what each of its readings was held against"
    )
    expected: int = Field(ge=0, description="Replications that the recorded set is to hold; of a fact its readings")
    mean: float | None = Field(description="Mean over the replications of a printed number")
    lower: float | None = Field(description="Lower end of the 95 % prediction interval for one more replication")
    upper: float | None = Field(description="Upper end of that interval")
    naive: float | None = Field(description="The same score of the forecast without a model, on the same test cases")
    naive_holds: bool | None = Field(
        description="Whether that forecast's own scores are in a stated order, where they differ"
    )
    held: float | None = Field(
        description="Share in which a stated order holds, of replications or of all pairs of independent ones"
    )
    ties: float = Field(ge=0, description="Share in which its first side is exactly as good as the best other")
    skill: float | None = Field(description="1 - mean / naive where lower is better")
    stale: int = Field(ge=0, description="Units behind the claim whose record is older than the code or the data")
    units: list[str] = Field(description="Keys of the units behind the claim")


class ExportedClaims(_Exported):
    """All claims of one paper."""

    schema_version: Literal[1] = Field(alias="schema")
    paper: str
    title: str
    claims: list[ExportedClaim]


def export_claims(comparison: Comparison) -> ExportedClaims:
    """Return every claim of a paper with its verdict and what stands behind it."""
    return ExportedClaims(
        schema_version=1,
        paper=comparison.claims.paper,
        title=comparison.claims.title,
        claims=[_exported(comparison.claims.paper, row) for row in comparison.rows],
    )


def write_exports(comparisons: Sequence[Comparison], folder: Path) -> list[Path]:
    """Write for each paper its claims as CSV and JSON, then their schema, and all records as one archive."""
    written = []
    for comparison in comparisons:
        claims = export_claims(comparison)
        for ending, text in (("json", claims_json(claims)), ("csv", claims_csv(claims))):
            written.append(folder / f"{claims.paper}-claims.{ending}")
            write_whole(written[-1], text.encode())
    schema = json.dumps(ExportedClaims.model_json_schema(), indent=1, ensure_ascii=False)
    write_whole(folder / CLAIMS_SCHEMA, f"{schema}\n".encode())
    write_whole(folder / RECORDS, records_archive([comparison.paper for comparison in comparisons]))
    return [*written, folder / CLAIMS_SCHEMA, folder / RECORDS]


def claims_json(claims: ExportedClaims) -> str:
    """Return claims as JSON of `ExportedClaims`' schema."""
    return f"{json.dumps(claims.model_dump(mode='json'), indent=1, ensure_ascii=False, allow_nan=False)}\n"


def claims_csv(claims: ExportedClaims) -> str:
    """Return claims as a table: lists become words with a semicolon between them, what is not there is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ExportedClaim.model_fields), lineterminator="\n")
    writer.writeheader()
    for claim in claims.claims:
        writer.writerow({name: _cell(value) for name, value in claim.model_dump(mode="json").items()})
    return text.getvalue()


def records_archive(papers: Sequence[Paper]) -> bytes:
    """Return all record files of some papers and the dictionary of their fields as one ZIP archive."""
    folder = paths.records_folder()
    files = [(paper.key, path) for paper in papers for path in sorted((folder / paper.key).glob("*.jsonl"))]
    members = {f"{key}/{path.name}": path.read_bytes() for key, path in files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [(DICTIONARY, data_dictionary(papers).encode()), *sorted(members.items())]:
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _exported(paper: str, row: Row) -> ExportedClaim:
    claim = row.claim
    metric, unit = (claim.metric, claim.unit) if isinstance(claim, ValueClaim) else ("", "")
    return ExportedClaim(
        id=claim.id,
        paper=paper,
        kind=claim.kind,
        group=claim.group,
        source=claim.source,
        statement=claim.statement,
        printed=_printed(claim),
        metric=metric,
        unit=unit,
        comparable=claim.comparable,
        verdict=row.verdict_words,
        measured=list(row.measured),
        expected=row.expected,
        mean=row.mean,
        lower=row.interval.lower if row.interval else None,
        upper=row.interval.upper if row.interval else None,
        naive=row.naive,
        naive_holds=row.naive_holds,
        held=row.held,
        ties=row.ties,
        skill=row.skill,
        stale=row.stale,
        units=list(dict.fromkeys(unit.key for unit in row.units)),
    )


def _printed(claim: ValueClaim | OrderClaim | FactClaim) -> str:
    match claim:
        case ValueClaim(value=value):
            return value
        case FactClaim(printed=printed):
            return printed
    return ""


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case list():
            return "; ".join(map(str, value))
    return value
