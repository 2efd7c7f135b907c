"""Digests change with the code that they stand for, and with nothing else; imports go one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import reproduce_lib
from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.execution.closure import TRANSPORT, changed_symbols, code_digests, symbol_digests

PACKAGE = Path(reproduce_lib.__file__).parent
PAPERS = [f"reproduce_lib.papers.{key}" for key in rebuilt()]


def paper_of(module: str) -> str:
    """Return the name that a paper's modules begin with."""
    return ".".join(module.split(".")[:3])


# Where the units of each paper are run: what a record of them depends on.
EXPERIMENTS = sorted({one.module for key in rebuilt() for one in load_paper(key).experiments.values()})

# Each paper's last by name, which imports the most of it.
ONE_OF_EACH = {paper_of(one): one for one in EXPERIMENTS}.values()

MAIN = '''\
"""What this module is for."""
from __future__ import annotations

import numpy as np

from reproduce_lib.low import helper

LIMIT = 1000
NAMES: tuple[str, ...] = ("a", "b")
TOTAL = 0
TOTAL += 1


@wrap(1)
def area(x, y=1, *, scale=2.0):
    """Return an area."""
    # grown by a factor
    if x > y and not scale:
        return helper(x) + y * LIMIT
    return f"{x:.2f} by {y!r}"


class Box:
    """A box."""

    size: int = 2

    def double(self):
        """Return twice the size."""
        return self.size * 2


print("loaded")
'''
LOW = "def helper(x):\n    return x + 1\n"
UNRELATED = "def other(x):\n    return x\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a package of the given modules into a new folder."""
    count = iter(range(100))

    def write_package(**modules: str) -> Path:
        folder = tmp_path / f"package{next(count)}"
        for name, text in {"main": MAIN, "low": LOW, "unrelated": UNRELATED, **modules}.items():
            path = folder.joinpath(*name.split("__in__")[::-1]).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return write_package


def digests(folder: Path) -> dict[str, str]:
    return code_digests("reproduce_lib.main", folder)


def edited(old: str, new: str) -> str:
    assert MAIN.count(old) == 1, f"{old!r} must stand once in the module"
    return MAIN.replace(old, new)


def changed_by(write: Write, text: str) -> list[str]:
    return changed_symbols(digests(write()), digests(write(main=text)))


def test_closure_lists_each_symbol_of_the_module_and_of_what_it_imports(write: Write) -> None:
    assert list(digests(write())) == [
        "reproduce_lib.low.helper",
        "reproduce_lib.main.<module>",
        "reproduce_lib.main.Box",
        "reproduce_lib.main.LIMIT",
        "reproduce_lib.main.NAMES",
        "reproduce_lib.main.TOTAL",
        "reproduce_lib.main.area",
        "reproduce_lib.main.import annotations",
        "reproduce_lib.main.import helper",
        "reproduce_lib.main.import np",
    ]
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in digests(write()).values())


NEUTRAL = {
    "comment reworded": ("# grown by a factor", "# made larger"),
    "comment added": ("LIMIT = 1000\n", "LIMIT = 1000  # at most\n"),
    "comment gone": ("    # grown by a factor\n", ""),
    "module docstring": ('"""What this module is for."""', '"""Something else."""'),
    "module docstring gone": ('"""What this module is for."""\n', ""),
    "function docstring": ('"""Return an area."""', '"""Return a text."""'),
    "function docstring gone": ('    """Return an area."""\n', ""),
    "class docstring": ('"""A box."""', '"""A cube."""'),
    "method docstring gone": ('        """Return twice the size."""\n', ""),
    "string as a comment": ("TOTAL += 1\n", 'TOTAL += 1\n"""The total."""\n'),
    "quotes": ('("a", "b")', "('a', 'b')"),
    "quotes of a formatted string": ('f"{x:.2f} by {y!r}"', "f'{x:.2f} by {y!r}'"),
    "joined string": ('print("loaded")', 'print("load" "ed")'),
    "triple quotes": ('print("loaded")', 'print("""loaded""")'),
    "unicode prefix": ('print("loaded")', 'print(u"loaded")'),
    "blank lines": ("LIMIT = 1000\n", "\n\n\nLIMIT = 1000\n\n\n"),
    "spaces": ("y * LIMIT", "y*LIMIT"),
    "line breaks": ("(x, y=1, *, scale=2.0)", "(\n    x,\n    y=1,\n    *,\n    scale=2.0,\n)"),
    "parentheses": ("helper(x) + y * LIMIT", "(helper(x) + (y * LIMIT))"),
    "trailing comma": ("helper(x)", "helper(x,)"),
    "spelling of a number": ("LIMIT = 1000", "LIMIT = 1_000"),
    "spelling of a real number": ("scale=2.0", "scale=2.00"),
    "semicolon": ("TOTAL = 0\nTOTAL += 1", "TOTAL = 0; TOTAL += 1"),
}


@pytest.mark.parametrize(("old", "new"), NEUTRAL.values(), ids=NEUTRAL)
def test_words_and_layout_change_nothing(write: Write, old: str, new: str) -> None:
    assert changed_by(write, edited(old, new)) == []


def test_windows_line_ends_and_a_moved_symbol_change_nothing(write: Write) -> None:
    crlf = write()
    (crlf / "main.py").write_bytes(MAIN.replace("\n", "\r\n").encode())
    assert changed_symbols(digests(write()), digests(crlf)) == []
    assert changed_by(write, edited("LIMIT = 1000\n", "") + "LIMIT = 1000\n") == []


MEANINGFUL = {
    "constant": ("LIMIT = 1000", "LIMIT = 1001", "LIMIT"),
    "type of a constant": ("LIMIT = 1000", "LIMIT = 1000.0", "LIMIT"),
    "text": ('("a", "b")', '("a", "c")', "NAMES"),
    "text to bytes": ('("a", "b")', '("a", b"b")', "NAMES"),
    "order of a tuple": ('("a", "b")', '("b", "a")', "NAMES"),
    "annotation": ("tuple[str, ...]", "tuple[object, ...]", "NAMES"),
    "later statement on the same name": ("TOTAL += 1", "TOTAL += 2", "TOTAL"),
    "operator": ("y * LIMIT", "y / LIMIT", "area"),
    "comparison": ("x > y", "x >= y", "area"),
    "connective": ("and not scale", "or not scale", "area"),
    "negation": ("and not scale", "and scale", "area"),
    "precedence": ("helper(x) + y * LIMIT", "(helper(x) + y) * LIMIT", "area"),
    "order of operands": ("helper(x) + y * LIMIT", "y * LIMIT + helper(x)", "area"),
    "default": ("y=1", "y=2", "area"),
    "keyword default": ("scale=2.0", "scale=3.0", "area"),
    "default gone": ("y=1,", "y,", "area"),
    "keyword-only": ("*, scale", "scale", "area"),
    "argument annotation": ("(x, y", "(x: int, y", "area"),
    "decorator": ("@wrap(1)", "@wrap(2)", "area"),
    "decorator gone": ("@wrap(1)\n", "", "area"),
    "async": ("def area", "async def area", "area"),
    "format": ("{x:.2f}", "{x:.3f}", "area"),
    "conversion": ("{y!r}", "{y!s}", "area"),
    "statement gone": ("    return f\"{x:.2f} by {y!r}\"\n", "", "area"),
    "base class": ("class Box:", "class Box(dict):", "Box"),
    "attribute": ("size: int = 2", "size: int = 3", "Box"),
    "method": ("self.size * 2", "self.size * 3", "Box"),
    "method decorator": ("    def double", "    @property\n    def double", "Box"),
    "import": ("import numpy as np", "import jax as np", "import np"),
    "import from": ("import helper", "import other as helper", "import helper"),
    "bare statement": ('print("loaded")', 'print("ready")', "<module>"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "symbol"), MEANINGFUL.values(), ids=MEANINGFUL)
def test_a_change_of_code_changes_the_digest_of_its_symbol_alone(write: Write, old: str, new: str, symbol: str) -> None:
    assert changed_by(write, edited(old, new)) == [f"reproduce_lib.main.{symbol}"]


def test_renamed_symbol_is_named_with_its_old_and_its_new_name(write: Write) -> None:
    changed = changed_by(write, edited("class Box:", "class Crate:"))
    assert changed == ["reproduce_lib.main.Box", "reproduce_lib.main.Crate"]


def test_added_changed_and_removed_symbols_are_listed_and_equal_ones_are_not() -> None:
    recorded, current = {"a": "1", "b": "2", "z": "3"}, {"b": "2", "c": "4", "z": "5"}
    assert changed_symbols(recorded, current) == ["a", "c", "z"]
    assert changed_symbols(recorded, dict(recorded)) == []
    assert changed_symbols({}, {}) == []


def test_names_bound_together_and_statements_without_names_are_digested() -> None:
    source = "a = b = 1\nc, d = 2, 3\nx.y = 4\nif a:\n    e = 5\nimport os.path\n"
    names = set(symbol_digests(ast.parse(source)))
    assert names == {"a", "b", "(c, d)", "x.y", "<module>", "import os.path"}


def test_imports_are_followed_to_any_depth_and_around_circles(write: Write) -> None:
    low, deep = "from reproduce_lib.deep import VALUE\n" + LOW, "from reproduce_lib import low\nVALUE = 1\n"
    before = digests(write(low=low, deep=deep))
    after = digests(write(low=low, deep=deep.replace("1", "2")))
    assert changed_symbols(before, after) == ["reproduce_lib.deep.VALUE"]


IMPORTS = {
    "of a module": "import reproduce_lib.extra",
    "of a module, renamed": "import reproduce_lib.extra as e",
    "from the package": "from reproduce_lib import extra",
    "of a name": "from reproduce_lib.extra import VALUE",
    "of everything": "from reproduce_lib.extra import *",
    "inside a function": "def f():\n    from reproduce_lib.extra import VALUE",
    "for types only": "if TYPE_CHECKING:\n    from reproduce_lib.extra import VALUE",
}


@pytest.mark.parametrize("statement", IMPORTS.values(), ids=IMPORTS)
def test_each_way_to_import_a_module_brings_it_into_the_closure(write: Write, statement: str) -> None:
    one = digests(write(main=f"{statement}\n", extra="VALUE = 1\n"))
    two = digests(write(main=f"{statement}\n", extra="VALUE = 2\n"))
    assert changed_symbols(one, two) == ["reproduce_lib.extra.VALUE"]


@pytest.mark.parametrize(
    "statement",
    ["import reproduce_lib.sub.part", "from reproduce_lib.sub import part", "from reproduce_lib.sub import VALUE"],
)
def test_code_of_a_subpackage_itself_belongs_to_the_closure(write: Write, statement: str) -> None:
    def package(value: int) -> dict[str, str]:
        modules = {"part__in__sub": "X = 1\n", "__init____in__sub": f"VALUE = {value}\n"}
        return digests(write(main=f"{statement}\n", **modules))

    assert changed_symbols(package(1), package(2)) == ["reproduce_lib.sub.VALUE"]


def test_module_of_a_subpackage_is_followed(write: Write) -> None:
    statement = "from reproduce_lib.sub import part\n"
    found = digests(write(main=statement, part__in__sub="X = 1\n"))
    assert set(found) == {"reproduce_lib.main.import part", "reproduce_lib.sub.part.X"}


def test_unrelated_modules_and_other_packages_stay_out(write: Write) -> None:
    before = digests(write())
    assert digests(write(unrelated="def other(x):\n    return -x\n", new="X = 1\n")) == before
    assert not [name for name in before if name.startswith("numpy")]


def imported(path: Path) -> set[str]:
    """Return every dotted name that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or "."}
    return found


def modules_of(paper: str) -> set[str]:
    """Return the modules in a paper's closure, told from the names of its symbols."""
    return {re.sub(r"\.(import .*|[^.]+)$", "", symbol) for symbol in code_digests(paper)}


# What judges claims and makes pages.
SHOWN = ("compare", "printed_facts", "rows", "tables", "page_parameters", "opened_paper")


def test_no_paper_reaches_another_paper_or_what_shows_results() -> None:
    above = tuple(
        f"reproduce_lib.{name}" for name in ("execution", *SHOWN, "figures", "notebook_execution", "book", "cli")
    )
    assert {paper_of(module) for module in EXPERIMENTS} == set(PAPERS)
    for module in EXPERIMENTS:
        others = (*above, *(set(PAPERS) - {paper_of(module)}))
        assert module in modules_of(module)
        assert not [name for name in modules_of(module) if name.startswith(others)]


def test_what_the_units_of_a_paper_are_depends_on_no_other_paper_either() -> None:
    for paper in PAPERS:
        path = PACKAGE / "papers" / paper.rpartition(".")[2]
        files = list(path.glob("*.py")) or [path.with_suffix(".py")]
        others = tuple(set(PAPERS) - {paper})
        for file in files:
            assert not [name for name in imported(file) if name.startswith(others)], file


def test_experiment_of_a_package_does_not_depend_on_its_other_experiments() -> None:
    """Else the records of hours would be stale whenever a table of minutes is counted in another way."""
    networks = modules_of("reproduce_lib.papers.asma2024.networks")
    assert "reproduce_lib.papers.asma2024.series" in networks
    assert not networks & {f"reproduce_lib.papers.asma2024.{name}" for name in ("paper", "arima", "catalogues")}


def test_no_shared_module_imports_a_paper_and_none_imports_relatively() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 20
    for path in files:
        names = imported(path)
        assert "." not in names, path
        papers = PAPERS if PACKAGE / "papers" not in path.parents else []
        assert not [name for name in names if name.startswith(tuple(papers))], path


# What the modules of a package may not import: the flow goes from data to pages.
ABOVE = {
    "data": ("papers", "execution", *SHOWN, "figures", "notebook_execution", "book", "cli"),
    "execution": (*SHOWN, "figures", "notebook_execution", "book", "cli"),
    "figures": ("notebook_execution", "book", "cli"),
    "notebook_execution": ("execution", *SHOWN, "figures", "book", "cli"),
    "book": ("cli",),
}


@pytest.mark.parametrize("package", ABOVE)
def test_no_package_imports_what_stands_above_it(package: str) -> None:
    above = tuple(f"reproduce_lib.{name}" for name in ABOVE[package])
    files = sorted((PACKAGE / package).rglob("*.py"))
    assert len(files) > 3
    for path in files:
        assert not [name for name in imported(path) if name.startswith(above)], path


# Folders, writing a file, the names of the pinned files, and a member of an archive, which has a hash of its own.
IMPORTED_BY_TRANSPORT = {f"reproduce_lib.{name}" for name in ("paths", "files", "data.registry", "data.archives")}


@pytest.mark.parametrize(
    "module", [pytest.param(one, marks=[] if one in ONE_OF_EACH else pytest.mark.slow) for one in EXPERIMENTS]
)
def test_every_module_that_an_experiment_loads_is_in_its_closure(module: str) -> None:
    """What the interpreter really imports, without what moves bytes and the packages' own files that are empty."""
    program = "import importlib, sys; importlib.import_module(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", program, module]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent).stdout.split()
    ours = {name for name in loaded if name.startswith("reproduce_lib.")}
    for name in ours - modules_of(module) - TRANSPORT - IMPORTED_BY_TRANSPORT:
        # Only a package's own file that holds nothing but its docstring.
        source = PACKAGE.parent / Path(*name.split(".")) / "__init__.py"
        assert len(ast.parse(source.read_text(encoding="utf-8")).body) <= 1, name


IMPORT_PROGRAM = """
import sys, time
began = time.perf_counter()
import reproduce_lib
took = time.perf_counter() - began
heavy = {"tensorflow", "pandas", "jax", "keras", "numpy", "matplotlib", "pydantic"} & set(sys.modules)
print(took, *heavy)
"""


def test_importing_the_package_is_quick_and_loads_nothing_heavy() -> None:
    command = [sys.executable, "-c", IMPORT_PROGRAM]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent) for _ in range(3)]
    measured = [run.stdout.split() for run in runs]
    assert min(float(seconds) for seconds, *_ in measured) < 0.3
    assert [heavy for _, *heavy in measured] == [[], [], []]
