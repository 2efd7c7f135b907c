"""What readers take away says the same as the pages, in formats that other programs read."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jsonschema
import pytest
from pydantic import Field

from reproduce_lib.book.claims_index import LONGEST, claims_page, downloads_page
from reproduce_lib.book.data_dictionary import data_dictionary
from reproduce_lib.book.exports import (
    CLAIMS_SCHEMA,
    DICTIONARY,
    RECORDS,
    ExportedClaims,
    claims_csv,
    claims_json,
    export_claims,
    records_archive,
    write_exports,
)
from reproduce_lib.book.score_names import MEANINGS, meaning_of
from reproduce_lib.claims import PaperClaims, load_claims
from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.compare import Comparison
from reproduce_lib.execution import study
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.store import Store
from reproduce_lib.units import Experiment, Paper, UnitParameters, UnitResult
from reproduce_lib.verdicts import Verdict
from tests import support
from tests.support import PROJECT, NoisyParameters, PlainParameters, new_store, put
from tests.test_tables import EVIL, Parsed

SUBSTITUTE = {"comparable": "substitute-data", "why": "others"}


def toy_claims(statement: str = "a number; with, signs") -> PaperClaims:
    number = {
        "kind": "value", "id": "toy.t1.a", "source": "Table 1", "statement": statement, "value": "1.00",
        "metric": "mae", "unit": "USD", "better": "lower", "experiment": "noisy", "conditions": {"model": "a"},
        **SUBSTITUTE,
    }  # fmt: skip
    other = {**number, "id": "toy.t1.b", "conditions": {"model": "b"}, "value": "9.00"}
    order = {
        "kind": "order",
        "id": "toy.o",
        "source": "T",
        "statement": "o",
        "least": "toy.t1.a",
        "among": ["toy.t1.b"],
    }
    fact = {
        "kind": "fact", "id": "toy.f", "source": "T", "statement": "f", "printed": "8",
        "against": {"kind": "measured", "experiment": "plain", "conditions": {"share": "x"}},
    }  # fmt: skip
    head = {"schema": 1, "paper": "toy", "title": "Toy", "citation": "c", "in_a_sentence": "s"}
    return PaperClaims.model_validate({**head, "claims": [number, other, order, fact]})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(study, "load_paper", lambda _: support.toy_paper())
    store = new_store(tmp_path)
    for seed in range(6):
        for model, mae in (("a", 1.0), ("b", 2.0)):
            put(store, NoisyParameters.of(model=model, seed=seed), {"mae": mae + 0.01 * seed, "rmse": 1.0})
    put(store, PlainParameters.of(), {"mae": 4.0, "value": 7.0})
    return store


def compared(store: Store, **words: str) -> Comparison:
    return Comparison(toy_claims(**words), support.toy_paper(), store)


def test_each_claim_is_exported_with_what_its_row_holds(store: Store) -> None:
    comparison = compared(store)
    exported = export_claims(comparison)
    assert [one.id for one in exported.claims] == [row.claim.id for row in comparison.rows]
    number, _, order, fact = exported.claims
    row = comparison.rows[0]
    assert row.interval is not None
    assert number.measured == [1.0 + 0.01 * seed for seed in range(6)]
    assert (number.printed, number.mean, number.naive, number.skill) == ("1.00", row.mean, 4.0, row.skill)
    assert (number.lower, number.upper) == (row.interval.lower, row.interval.upper)
    assert number.verdict == row.verdict_words
    assert number.verdict.endswith("on substitute data")
    assert number.units == [NoisyParameters.of(seed=seed).key for seed in range(6)]
    assert (order.printed, order.measured, order.mean) == ("", [True] * 6, None)
    assert (fact.printed, fact.measured, fact.verdict) == ("8", [7.0], "not exact")


def test_json_follows_the_published_schema_and_reads_back(store: Store, tmp_path: Path) -> None:
    write_exports([compared(store)], tmp_path / "out")
    schema = json.loads((tmp_path / "out" / CLAIMS_SCHEMA).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads((tmp_path / "out" / "toy-claims.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    assert ExportedClaims.model_validate(content) == export_claims(compared(store))
    assert content["schema"] == 1
    for broken in ({**content, "schema": 2}, {**content, "claims": [{"id": "x"}]}, {**content, "more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_csv_has_a_row_a_claim_and_quotes_what_needs_it(store: Store) -> None:
    rows = list(csv.DictReader(io.StringIO(claims_csv(export_claims(compared(store))))))
    assert [row["id"] for row in rows] == ["toy.t1.a", "toy.t1.b", "toy.o", "toy.f"]
    assert rows[0]["statement"] == "a number; with, signs"
    assert [float(one) for one in rows[0]["measured"].split("; ")] == [1.0 + 0.01 * seed for seed in range(6)]
    assert (rows[2]["mean"], rows[2]["measured"]) == ("", "True; True; True; True; True; True")


def test_numbers_that_json_has_no_word_for_are_refused(store: Store) -> None:
    exported = export_claims(compared(store))
    broken = exported.claims[0].model_copy(update={"mean": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        claims_json(exported.model_copy(update={"claims": [broken]}))


def test_the_archive_holds_every_record_and_a_dictionary_and_is_the_same_twice() -> None:
    papers = [load_paper(key) for key in rebuilt()]
    data = records_archive(papers)
    assert data == records_archive(papers)
    folder = PROJECT / "book" / "records"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        assert names == {DICTIONARY} | {
            path.relative_to(folder).as_posix() for key in rebuilt() for path in (folder / key).glob("*.jsonl")
        }
        for name in names - {DICTIONARY}:
            assert archive.read(name) == (folder / name).read_bytes()


def fields_of_lines() -> set[str]:
    """Return each field of each line that stands in a record file of the collection."""
    found: set[str] = set()
    for path in (PROJECT / "book" / "records").glob("*/*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            found |= set(json.loads(line))
    return found


def test_the_dictionary_explains_every_field_and_every_parameter() -> None:
    text = data_dictionary([load_paper(key) for key in rebuilt()])
    assert {name for name in fields_of_lines() if f"| `{name}` |" not in text} == set()
    for paper in rebuilt():
        for experiment in load_paper(paper).experiments.values():
            assert f"### {paper}/{experiment.name}.jsonl" in text
            assert all(f"| `{name}` |" in text for name in experiment.parameters.model_fields)


def test_the_dictionary_explains_every_score_that_is_recorded_and_no_other() -> None:
    recorded: set[str] = set()
    for path in (PROJECT / "book" / "records").glob("*/*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            recorded |= {name.partition("[")[0] for name in json.loads(line).get("metrics", ())}
    assert {name for name in recorded if len(meaning_of(name)) < 5} == set()
    assert set(MEANINGS) - recorded == set()
    text = data_dictionary([load_paper("naufal2023")])
    assert all(f"| `{name}` | {words} |" in text for name, words in MEANINGS.items())
    assert {name for name in recorded if meaning_of(name) not in text} == set()
    about = NetworkParameters.__doc__ or ""
    assert about.splitlines()[0] in text[text.index("### naufal2023/networks.jsonl") :]


class OddParameters(UnitParameters):
    paper: ClassVar[str] = "toy"
    experiment: ClassVar[str] = "odd"

    which: Literal["a", "b"]
    share: float = Field(default=0.5, gt=0, le=1)
    records: int = Field(ge=10, lt=500, multiple_of=2)
    shuffle: bool = True
    place: str = ""
    window: Literal[1, 30] = 30
    region: Literal["north"] | Literal[""] = ""
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["best"] = "best"
    limit: int | None = None
    layers: list[int]


def test_the_dictionary_says_of_each_parameter_what_it_is_without_one_and_what_it_may_be() -> None:
    experiment = Experiment(OddParameters, lambda unit: UnitResult({}, 0), lambda: (), lambda: ())
    text = data_dictionary([Paper("toy", {"odd": experiment}, lambda unit: None, "odd")])
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text[text.index("Parameters of toy") :], re.MULTILINE))
    assert rows == {
        "profile": "`full` | `smoke`, `full`, `custom`",
        "backend": "`none` | `tensorflow`, `jax`, `jax_gpu`, `none`",
        "seed": "`0` | a whole number, ≥ 0",
        "which": "none | `a`, `b`",
        "share": "`0.5` | a number, > 0, ≤ 1",
        "records": "none | a whole number, ≥ 10, < 500, a multiple of 2",
        "shuffle": "`true` | `true`, `false`",
        "place": '`""` | a text',
        "window": "`30` | `1`, `30`",
        "region": '`""` | `north`, `""`',
        "threshold": "`best` | a number, > 0, < 1, `best`",
        "limit": "`null` | a whole number, `null`",
        "layers": "none | `list[int]`",
    }


def test_the_index_has_a_row_a_claim_that_leads_to_its_place(store: Store) -> None:
    parsed = Parsed(claims_page([compared(store)]))
    assert [row[0] for row in parsed.rows[1:]] == ["toy"] * 4
    assert parsed.values("href") == [f"papers/toy.html#{name}" for name in ("toy.t1.a", "toy.t1.b", "toy.o", "toy.f")]
    number, _, order, fact = [row[4:] for row in parsed.rows[1:]]
    # With its score and unit, by which numbers are sorted apart.
    assert number == ["MAE (USD)", "1.00", f"{1.025:.2f}", "4.00"]
    assert order == ["–", "–", "holds in 6 of 6 runs", "–"]
    assert fact == ["–", "8", "7", "–"]


def test_a_verdict_is_ranked_by_its_kind(store: Store) -> None:
    comparison = compared(store)
    ranks = list(map(int, Parsed(claims_page([comparison])).values("data-rank")))
    assert ranks == [list(Verdict).index(row.counted) for row in comparison.rows]
    assert len(set(ranks)) > 1


@pytest.mark.parametrize("words", [EVIL, "x" * 1000])
def test_a_statement_is_escaped_and_cut(store: Store, words: str) -> None:
    parsed = Parsed(claims_page([compared(store, statement=words)]))
    assert not {"script", "img"} & set(parsed.tags)
    assert max(len(row[1]) for row in parsed.rows[1:]) <= LONGEST + 20


def test_downloads_name_what_is_written(store: Store, tmp_path: Path) -> None:
    written = [path.name for path in write_exports([compared(store)], tmp_path / "out")]
    text = downloads_page([compared(store)], "book/out")
    assert all(f"</book/out/{name}>" in text for name in written)
    assert "</notebooks/toy.ipynb>" in text
    assert RECORDS in written


@pytest.mark.parametrize("key", rebuilt())
def test_every_claim_of_the_collection_is_exported_by_the_published_schema(key: str, tmp_path: Path) -> None:
    write_exports([], tmp_path)
    schema = json.loads((tmp_path / CLAIMS_SCHEMA).read_text(encoding="utf-8"))
    claims: Any = load_claims(key, PROJECT / "book" / "claims")
    exported = export_claims(
        Comparison(claims, load_paper(key), Store(PROJECT / "book" / "records", PROJECT / "book" / "artifacts"))
    )
    content = json.loads(claims_json(exported))
    assert [one["id"] for one in content["claims"]] == [one.id for one in claims.claims]
    jsonschema.validate(content, schema)
