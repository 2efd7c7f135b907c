"""The book that the browser looks at: a copy of the project, with hostile words in it, built once."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reproduce_lib.book.build import build_book
from reproduce_lib.collection import rebuilt
from reproduce_lib.data.registry import DataFile, data_files
from reproduce_lib.execution.run_log import RunLog, RunStarted, now
from reproduce_lib.records import Context
from reproduce_lib.store import Store
from tests.support import PROJECT

PAPERS = rebuilt()
# What a hostile hand could write where a page shows words of claims and records.
HOSTILE = "{{ 6 * 7 }}<script>window.hurt = 1</script></td><img src=x onerror='window.hurt = 1'>"


def hostile(origin: str) -> str:
    """Return hostile words that say where they were planted."""
    return f"{HOSTILE}({origin})"


def page_of(paper: str) -> str:
    return f"book/papers/{paper}.html"


def plant(root: Path) -> None:
    """Write hostile words wherever a page takes words from: claims, records, logs, counts and benchmarks."""
    for paper in PAPERS:
        plant_in_claims(root / "book" / "claims" / f"{paper}.yaml")
        plant_in_records(Store(root / "book" / "records", root / "book" / "artifacts"), paper)
    RunLog(root / "book" / "records" / "runs.jsonl").append(
        RunStarted(
            id="hostile",
            time=now(),
            processor=hostile("runs"),
            jobs=1,
            dask=False,
            papers=[hostile("runs")],
            due=1,
            expected_seconds=1,
            of_unknown_length=0,
        )
    )
    with edited(root / "book" / "faults.json") as counts:
        counts["readers"] = {
            name + hostile("faults"): {**one, "date": hostile("faults")} for name, one in counts["readers"].items()
        }
        counts["trials"][hostile("faults")] = {hostile("faults"): hostile("faults")}
    with edited(root / "book" / "benchmarks.json") as results:
        for machine in results["machines"]:
            machine["processor"] += hostile("benchmarks")


def plant_in_claims(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["title"] += hostile("claims")
    content["in_a_sentence"] += hostile("claims")
    for decision in content["decisions"]:
        decision["question"] += hostile("claims")
        decision["says"] = decision.get("says", "") + hostile("claims")
        decision["reason"] += hostile("claims")
        for other in decision.get("others", []):
            other["says"] += hostile("claims")
    for claim in content["claims"][:3] + content["claims"][-20:]:
        # Where a number is printed stays: a page chooses the numbers of a table by it.
        for name in ("statement", "note", "why", "group", *(["source"] if claim["kind"] != "value" else [])):
            if name in claim:
                claim[name] += hostile("claims")
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def plant_in_records(store: Store, paper: str) -> None:
    """Record a unit of each experiment again, on a processor and with texts that are hostile."""
    for file in (store.file(paper, experiment) for experiment in store.experiments(paper)):
        contents = file.read()
        record = next(iter(contents.records.values()))
        context = contents.contexts[record.context]
        spoiled = Context.of(
            context.versions, context.processor + hostile("records"), context.threads, context.data, context.code
        )
        found = {
            name: one + hostile("metrics") if isinstance(one, str) else one for name, one in record.metrics.items()
        }
        file.append(spoiled, msgspec.structs.replace(record, context=spoiled.id, metrics=found))


def planted_files() -> dict[str, DataFile]:
    """Return the registry with hostile names of places and sources; it lies in the package, not in the copy."""
    return {
        name: dataclasses.replace(
            one,
            source=one.source + hostile("registry"),
            coverage=one.coverage + hostile("registry"),
            licence=one.licence + hostile("registry"),
        )
        for name, one in data_files().items()
    }


@contextmanager
def edited(path: Path) -> Iterator[Any]:
    """Give what a JSON file holds, and write it again as it was left."""
    content = json.loads(path.read_text(encoding="utf-8"))
    yield content
    path.write_text(json.dumps(content), encoding="utf-8")


def build(root: Path, repository_url: str = "") -> Path:
    for name in ("book", "notebooks", "tests"):
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns("papers", "_generated", "*.lock"))
    plant(root)
    for name in ("_config.yml", "_toc.yml", "CITATION.cff"):
        shutil.copy(PROJECT / name, root / name)
    for path in (root / "notebooks").glob("*[md,ipynb]"):
        text = path.read_text(encoding="utf-8")
        for empty, named in (
            ('_repository = ""', f'_repository = "{repository_url}"'),
            (r"_repository = \"\"", rf"_repository = \"{repository_url}\""),
        ):
            text = text.replace(empty, named)
        path.write_text(text, encoding="utf-8")
    (root / ".pytest_cache").mkdir()
    (root / ".pytest_cache" / "README.md").write_text("# A tool's own page\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRODUCE_ROOT", str(root))
        patch.setattr("reproduce_lib.book.generated.data_files", planted_files)
        return build_book({}, repository_url=repository_url).index.parent


def pages_of(html: Path) -> list[str]:
    """Return every page that a reader can come to: those of the book, the way in, the search and the index."""
    own = list(html.glob("*.html"))
    return sorted(path.relative_to(html).as_posix() for path in (*own, *html.glob("book/**/*.html")))
