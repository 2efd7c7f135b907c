"""Digests of the code that a unit depends on, symbol by symbol, blind to comments and layout.

The closure of an experiment is the module of what runs its units and, transitively, every module of this package
that it imports, but for what only moves bytes: whichever way those of a pinned file came, a hash says that they are
the ones, and a record names that hash.
A digest is taken over the syntax tree without docstrings, so rewording or reformatting changes none.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "reproduce_lib"
TRANSPORT = frozenset({f"{PACKAGE}.data.{name}" for name in ("sources", "download", "package_index")})
# Fields that differ between Python versions, or between spellings of the same code.
_IGNORED_FIELDS = {"type_comment", "kind", "ctx"}


@cache
def code_digests(module: str, package_folder: Path | None = None) -> dict[str, str]:
    """Return ``module.symbol`` -> digest for every top-level symbol in the closure of ``module``.

    Parameters
    ----------
    module : dotted name of a module of the package
    package_folder : the package's folder; by default the one that is running
    """
    folder = package_folder or Path(__file__).resolve().parents[1]
    digests: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or name in TRANSPORT:
            continue
        seen.add(name)
        own, imported = _digests_and_imports(name, folder)
        digests.update(own)
        waiting.extend(imported)
    return dict(sorted(digests.items()))


@cache
def _digests_and_imports(name: str, folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return ``module.symbol`` -> digest of one module, and the modules of this package that it imports."""
    tree = ast.parse(_source_file(name, folder).read_bytes())
    digests = {f"{name}.{symbol}": value for symbol, value in symbol_digests(tree).items()}
    return digests, tuple(dict.fromkeys(_imported_modules(tree, folder)))


def symbol_digests(tree: ast.Module) -> dict[str, str]:
    """Return top-level name -> digest (16 hex digits); statements that bind no name share ``<module>``."""
    parts: dict[str, list[str]] = {}
    for statement in tree.body:
        if _is_text(statement):
            continue
        for name in _bound_names(statement):
            parts.setdefault(name, []).append(_canonical(statement))
    return {name: hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16] for name, texts in parts.items()}


def changed_symbols(recorded: dict[str, str], current: dict[str, str]) -> list[str]:
    """Return the symbols whose digest differs, was added, or is gone, sorted."""
    return sorted(name for name in recorded.keys() | current.keys() if recorded.get(name) != current.get(name))


def _bound_names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [f"import {alias.asname or alias.name}" for alias in names]
        case ast.Assign(targets=targets):
            return [ast.unparse(target) for target in targets]
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return [ast.unparse(target)]
    return ["<module>"]


def _canonical(node: object) -> str:
    """Write a syntax tree as text that no comment, docstring, layout or Python version changes."""
    if isinstance(node, list):
        return "[" + ",".join(_canonical(item) for item in node if not _is_text(item)) + "]"
    if not isinstance(node, ast.AST):
        return f"{type(node).__name__}:{node!r}"
    fields = (
        f"{name}={_canonical(value)}"
        for name, value in ast.iter_fields(node)
        if name not in _IGNORED_FIELDS and value is not None and value != []
    )
    return f"{type(node).__name__}({','.join(fields)})"


def _is_text(node: object) -> bool:
    """Tell whether a node is a bare string statement: a docstring or a comment in its clothes."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imported_modules(tree: ast.Module, folder: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            yield from (module for module in _with_packages(name) if _source_file(module, folder).is_file())


def _with_packages(name: str) -> Iterator[str]:
    """Yield a dotted name of this package and the subpackages around it, whose code an import runs too."""
    parts = name.split(".")
    if parts[0] == PACKAGE:
        yield from (".".join(parts[:count]) for count in range(2, len(parts) + 1))


def _source_file(name: str, folder: Path) -> Path:
    path = folder.joinpath(*name.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
