"""The page on data: what a file is cited as, and which files are folded."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from reproduce_lib.book.data_page import citation, data_tables
from reproduce_lib.data.registry import DataFile
from reproduce_lib.folders import MANY_FILES

COMMIT = hashlib.sha1(b"").hexdigest()


def entry(name: str = "a/b.csv", **values: Any) -> DataFile:
    known: dict[str, Any] = {
        "sha256": "0" * 64, "bytes": 1500, "licence": "MIT", "source": "somebody", "coverage": "2015", "url": "",
        "project": "", "version": "", "archive": "", "archive_sha256": "", "member": "",
    }  # fmt: skip
    return DataFile(name=name, **{**known, **values})


def test_file_of_a_repository_is_cited_by_its_commit() -> None:
    address = f"https://raw.githubusercontent.com/owner/data&more/{COMMIT}/folder/x.csv"
    cited = citation(entry(url=address))
    assert f">owner, data&amp;more, commit {COMMIT[:12]}</a>" in cited
    assert f'href="{address.replace("&", "&amp;")}"' in cited


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/x.csv",
        "https://zenodo.org/records/123/files/x.csv",
        f"https://example.org/owner/data/{COMMIT}/x.csv",
        "https://raw.githubusercontent.com/owner/data/main/x.csv",
    ],
)
def test_file_from_anywhere_else_is_cited_by_its_address(address: str) -> None:
    assert citation(entry(url=address)) == f'<a href="{address}">{address}</a>'


def test_file_of_a_package_is_cited_by_its_release() -> None:
    cited = citation(entry(project="prices", version="1.2", archive="prices-1.2.whl", member="x.csv"))
    assert cited == "prices 1.2, package index: x.csv in prices-1.2.whl"


def test_folder_of_many_files_is_folded_and_the_others_share_a_table() -> None:
    few, many = [entry(f"few/{i}.csv") for i in range(2)], [entry(f"many/{i}.csv") for i in range(MANY_FILES + 1)]
    page = data_tables({one.name: one for one in (*few, *many)})
    shared, _, folded = page.partition("<details")
    assert [shared.count(f"<td>{one.name}</td>") for one in (*few, *many)] == [1] * 2 + [0] * len(many)
    assert [folded.count(f"<td>{one.name}</td>") for one in many] == [1] * len(many)
    assert f"many: {len(many)} files, {1500 * len(many):,} bytes" in folded
