"""The data files as the page on data shows them: what each is, what to cite, and how to know it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape

from reproduce_lib.data.registry import DataFile
from reproduce_lib.folders import MANY_FILES, by_folder
from reproduce_lib.tables import Html, fold, table

# A file of a repository, as it was at one commit.
_COMMITTED = re.compile(r"https://raw\.githubusercontent\.com/([^/]+)/([^/]+)/([0-9a-f]{40})/")


def data_tables(known: Mapping[str, DataFile]) -> str:
    """Return a registry as tables: what each file is, and how to know it; a folder of many files is folded."""
    folders = {folder: [known[name] for name in names] for folder, names in by_folder(known).items()}
    few = [entry for entries in folders.values() if len(entries) <= MANY_FILES for entry in entries]
    parts = [_files_table(few, "Data files")]
    for folder, entries in folders.items():
        if len(entries) > MANY_FILES:
            size = sum(entry.bytes for entry in entries)
            caption = f"{folder}: {len(entries)} files, {size:,} bytes"
            parts.append(fold(caption, _files_table(entries, caption)))
    return "\n\n".join(parts) + "\n"


def citation(entry: DataFile) -> str | Html:
    """Name where a file is published, with a link: a commit of a repository, a release of a package, an address."""
    if not entry.url:
        return f"{entry.project} {entry.version}, package index: {entry.member} in {entry.archive}"
    committed = _COMMITTED.match(entry.url)
    words = f"{committed[1]}, {committed[2]}, commit {committed[3][:12]}" if committed else entry.url
    return Html(f'<a href="{escape(entry.url)}">{escape(words)}</a>')


def _files_table(entries: Iterable[DataFile], caption: str) -> Html:
    header = ["File", "What it is", "Cite as", "Licence", "Bytes", "SHA-256"]
    rows = [
        (
            entry.name,
            f"{entry.source}; {entry.coverage}",
            citation(entry),
            entry.licence,
            f"{entry.bytes:,}",
            entry.sha256[:16],
        )
        for entry in entries
    ]
    return table(header, rows, caption=caption, css="rr-files")
