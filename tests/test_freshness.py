"""Edits of the library's own modules: each that may move a number stales a paper's records and is named.

`test_closure` says the same of a small package made up for it. Here the real closure of a real paper is edited,
one statement at a time, in a copy.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import reproduce_lib
from reproduce_lib.execution import study
from reproduce_lib.execution.closure import changed_symbols, code_digests
from reproduce_lib.execution.study import UnitStatus, unit_statuses
from reproduce_lib.papers.naufal2023 import baselines, networks, paper, price_facts, series
from tests.support import new_store, put

PAPER = paper.__name__
NETWORKS, PRICE_FACTS, SERIES = (
    f"papers/naufal2023/{module.__name__.rpartition('.')[2]}.py" for module in (networks, price_facts, series)
)


def module_name(file: str) -> str:
    return f"reproduce_lib.{file.removesuffix('.py').replace('/', '.')}"


def closure_files(folder: Path) -> list[str]:
    """Return the files that the paper's symbols are in, told from the symbols' names."""
    modules = {re.sub(r"\.(import .*|[^.]+)$", "", symbol) for symbol in code_digests(PAPER, folder)}
    return sorted(f"{module.removeprefix('reproduce_lib.').replace('.', '/')}.py" for module in modules)


FILES = closure_files(Path(reproduce_lib.__file__).parent)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the package once, so that nobody's editing meanwhile is taken for an edit of ours."""
    folder = tmp_path_factory.mktemp("unedited") / "reproduce_lib"
    return shutil.copytree(
        Path(reproduce_lib.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__", "*.csv")
    )


def source(package: Path, file: str) -> str:
    return (package / file).read_text(encoding="utf-8")


def replaced(package: Path, file: str, old: str, new: str) -> str:
    """Return a module's text with ``old`` replaced; a case whose words have left the module fails here."""
    text = source(package, file)
    assert old in text, f"{old!r} is nowhere in {file}: choose another text for this case"
    assert old != new
    return text.replace(old, new)


def copy_with(package: Path, folder: Path, texts: dict[str, str]) -> Path:
    """Copy the package with some modules rewritten, each to a program that Python takes."""
    copy = shutil.copytree(package, folder / "edited", copy_function=os.link)
    for file, text in texts.items():
        data = text.encode("utf-8")
        compile(data, file, "exec", dont_inherit=True)
        (copy / file).unlink(missing_ok=True)  # a link: writing through it would edit the other cases' modules too
        (copy / file).write_bytes(data)
    return copy


def changed_by(package: Path, folder: Path, texts: dict[str, str]) -> list[str]:
    copy = copy_with(package, folder, texts)
    return changed_symbols(code_digests(PAPER, package), code_digests(PAPER, copy))


CHECK = """\
def _check(positions: Positions, history: int) -> None:
    if not len(positions) or positions.min() < history:
        raise ValueError(f"each forecast needs {history} value(s) before it")
"""
SESSION, SEED = "    keras.utils.clear_session()\n", "    keras.utils.set_random_seed(seed)\n"
PAIRWISE = "from itertools import pairwise\n"
DAYS = "-> pd.DatetimeIndex:\n"
FIELDS, FIELDS_SWAPPED = "statistic: float\n    p_value", "p_value: float\n    statistic"

# What is edited -> file, old text, new text, and every symbol that must be named.
STALING: dict[str, tuple[str, ...]] = {
    # Values
    "constant": ("data/simulate.py", "DAILY_VOLATILITY = 0.02", "DAILY_VOLATILITY = 0.03", "DAILY_VOLATILITY"),
    "constant of the paper": (NETWORKS, "\nUNITS = 100\n", "\nUNITS = 101\n", "UNITS"),
    "type of a constant": ("box_jenkins.py", "LARGEST_ORDER = 3", "LARGEST_ORDER = 3.0", "LARGEST_ORDER"),
    "constants assigned together": ("data/prices.py", "= 1900, 2100", "= 1900, 2101", "(EARLIEST_YEAR, LATEST_YEAR)"),
    "constant deep in a table": ("data/prices.py", '"2022-07-18": 20', '"2022-07-18": 10', "_SPLITS"),
    "key of a table": ("data/prices.py", '"2022-07-18": 20', '"2022-07-19": 20', "_SPLITS"),
    "activation": (NETWORKS, 'else "tanh"', 'else "sigmoid"', "build_model"),
    "padding": (NETWORKS, 'pool_size, padding="same"', 'pool_size, padding="valid"', "build_model"),
    "string value": ("data/registry.py", '"registry.csv"', '"other.csv"', "data_files"),
    "text of an f-string": ("windows.py", "values has no window", "values lacks a window", "sliding_windows"),
    "conversion of an f-string": ("data/prices.py", "ticker {ticker!r}", "ticker {ticker!s}", "load_prices"),
    "format of an f-string": (PRICE_FACTS, "{frame.index[-1]:%Y-%m-%d}", "{frame.index[-1]:%d.%m}", "run_price_fact"),
    "string to bytes": (PRICE_FACTS, 'case "lowest_close"', 'case b"lowest_close"', "run_price_fact"),
    "None to False": ("units.py", "Batch | None = None", "Batch | None = False", "Experiment"),
    # Expressions
    "comparison": ("windows.py", "len(series) <= width", "len(series) < width", "sliding_windows"),
    "connective": ("metrics.py", "or true.ndim != 1", "and true.ndim != 1", "_errors"),
    "negation": ("data/prices.py", "~(np.isfinite(values)", "(np.isfinite(values)", "check_prices"),
    "operator": ("windows.py", "* total // 100", "* total / 100", "consecutive_parts"),
    "operands swapped": ("metrics.py", "predicted - true", "true - predicted", "_errors"),
    "precedence": ("metrics.py", "1.0 - error / naive_error", "(1.0 - error) / naive_error", "skill"),
    "slice off by one": ("windows.py", "width)[:-1]", "width)[:-2]", "sliding_windows"),
    "slice without its end": ("windows.py", "width)[:-1]", "width)[:]", "sliding_windows"),
    "subscript": ("forecast_tests.py", "recent)[0, 1]", "recent)[1, 1]", "best_lag"),
    "range off by one": ("box_jenkins.py", "range(LARGEST_ORDER + 1)", "range(LARGEST_ORDER)", "choose_arima"),
    "arguments swapped": ("windows.py", "slice(start, stop)", "slice(stop, start)", "consecutive_parts"),
    "keyword's value": ("box_jenkins.py", "refit=False", "refit=True", "FittedArima"),
    "keyword's name": ("training.py", "shuffle=shuffle", "steps_per_epoch=shuffle", "train"),
    "keyword gone": (NETWORKS, ", return_sequences=True", "", "build_model"),
    "attribute": ("training.py", "keras.optimizers.Adam", "keras.optimizers.Nadam", "train"),
    "function called": ("data/simulate.py", "np.cumsum(", "np.cumprod(", "simulate_prices"),
    "star": ("training.py", "*training,", "training,", "train"),
    "inside a nested function": ("batched.py", "total / data", "total * data", "_epoch"),
    # Statements
    "statement gone": ("training.py", SESSION, "", "start_afresh"),
    "statement added": ("training.py", SEED, f"{SEED}    keras.config.set_floatx('float64')\n", "start_afresh"),
    "statements swapped": ("training.py", SESSION + SEED, SEED + SESSION, "start_afresh"),
    "return": ("metrics.py", "return 1.0 - error", "return error", "skill"),
    "return gone": ("baselines.py", "    return series[positions - 1]", "    series[positions - 1]", "naive_forecast"),
    "exception raised": ("windows.py", 'raise ValueError(f"perc', 'raise KeyError(f"perc', "consecutive_parts"),
    "exception caught": ("data/prices.py", "except sources.MissingDataError", "except DataError", "load_prices"),
    "cause of an exception": ("units.py", "cls)) from None", "cls)) from error", "UnitParameters"),
    "local variable renamed": ("windows.py", "edges", "borders", "consecutive_parts"),
    "statement that binds no name": ("training.py", "if TYPE_CHECKING:", "if not TYPE_CHECKING:", "<module>"),
    # Functions
    "default of an argument": ("forecast_tests.py", "power: int = 1", "power: int = 2", "diebold_mariano"),
    "default of a keyword": ("data/prices.py", "= True) -> Prices:", "= False) -> Prices:", "load_prices"),
    "keyword-only arguments": ("training.py", "    *,\n    loss", "    loss", "train"),
    "annotation": ("windows.py", "percentages: Sequence[int]", "percentages: Sequence[float]", "consecutive_parts"),
    "decorator gone": ("data/registry.py", "@cache\n", "", "data_files"),
    "decorator of a method": ("units.py", "@property\n    def key", "@staticmethod\n    def key", "UnitParameters"),
    "function added": ("metrics.py", "def skill(", "def lift() -> None:\n    pass\n\n\ndef skill(", "lift"),
    "function gone": ("baselines.py", CHECK, "", "_check"),
    "function renamed": ("metrics.py", "def skill(", "def gain(", "skill", "gain"),
    "function made a constant": ("metrics.py", "def skill(", "skill = 0\n\n\ndef gain(", "skill", "gain"),
    "function redefined below": ("baselines.py", CHECK, f"{CHECK}\n\ndef _check(*_):\n    pass\n", "_check"),
    # Classes
    "decorator": ("forecast_tests.py", "@dataclass(frozen=True)", "@dataclass(frozen=False)", "AccuracyTest"),
    "class attribute": ("units.py", "deterministic: bool = False", "deterministic: bool = True", "Experiment"),
    "class attribute gone": ("forecast_tests.py", "    p_value: float\n", "", "AccuracyTest"),
    "fields swapped": ("forecast_tests.py", FIELDS, FIELDS_SWAPPED, "AccuracyTest"),
    "type of a field": ("forecast_tests.py", "p_value: float\n", "p_value: int\n", "AccuracyTest"),
    "field constraint": (NETWORKS, "default=0.1, ge=0, lt=1", "default=0.1, ge=0, le=1", "NetworkParameters"),
    "field constraint of every unit": ("units.py", "default=0, ge=0", "default=0, ge=1", "UnitParameters"),
    "model configuration": ("units.py", 'extra="forbid"', 'extra="ignore"', "UnitParameters"),
    "base class": ("errors.py", "class DataError(ReproduceError)", "class DataError(Exception)", "DataError"),
    "Literal": (SERIES, "Window = Literal[1, 30]", "Window = Literal[1, 31]", "Window"),
    "order of a Literal": (SERIES, "Window = Literal[1, 30]", "Window = Literal[30, 1]", "Window"),
    "Literal of a class": ("units.py", '"smoke", "full", "custom"]', '"smoke", "full"]', "Profile"),
    # Imports
    "module imported": ("windows.py", PAIRWISE, "from more_itertools import pairwise\n", "import pairwise"),
    "module under the same name": ("windows.py", "import numpy as np", "import jax.numpy as np", "import np"),
    "name imported": ("windows.py", PAIRWISE, "from itertools import batched as pairwise\n", "import pairwise"),
    "import gone": ("windows.py", PAIRWISE, "", "import pairwise"),
    "import inside a function": ("box_jenkins.py", "    from scipy import", "    from numpy import", "FittedArima"),
    # The names of one statement share its digest, so that all of them are told.
    "import of one more name": (
        "forecast_tests.py", "import ArrayLike", "import ArrayLike, NDArray", "import ArrayLike", "import NDArray"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STALING)
def test_edit_of_code_is_named_by_its_symbols_and_no_others(package: Path, tmp_path: Path, name: str) -> None:
    file, old, new, *symbols = STALING[name]
    changed = changed_by(package, tmp_path, {file: replaced(package, file, old, new)})
    assert changed == sorted(f"{module_name(file)}.{symbol}" for symbol in symbols)


@pytest.mark.parametrize("file", ["data/sources.py", "data/download.py", "data/package_index.py"])
def test_what_only_moves_pinned_bytes_makes_no_record_stale(package: Path, tmp_path: Path, file: str) -> None:
    assert changed_by(package, tmp_path, {file: source(package, file) + "\nADDED = 1\n"}) == []


def test_edits_of_several_modules_are_all_named(package: Path, tmp_path: Path) -> None:
    chosen = [
        STALING[name] for name in ("activation", "slice off by one", "default of an argument", "field constraint")
    ]
    texts: dict[str, str] = {}
    for file, old, new, *_ in chosen:
        text = texts.get(file, source(package, file))
        assert old in text
        texts[file] = text.replace(old, new)
    named = {f"{module_name(file)}.{symbol}" for file, _, _, symbol in chosen}
    assert changed_by(package, tmp_path, texts) == sorted(named)


def test_module_that_is_imported_anew_is_named_and_watched_from_then_on(package: Path, tmp_path: Path) -> None:
    old = "    edges = ["
    windows = replaced(package, "windows.py", old, f"    from reproduce_lib.data import extra as _\n\n{old}")
    first = copy_with(package, tmp_path / "1", {"windows.py": windows, "data/extra.py": "VALUE = 1\n"})
    second = copy_with(package, tmp_path / "2", {"windows.py": windows, "data/extra.py": "VALUE = 2\n"})
    digests = [code_digests(PAPER, folder) for folder in (package, first, second)]
    importing, imported = "reproduce_lib.windows.consecutive_parts", "reproduce_lib.data.extra.VALUE"
    assert changed_symbols(digests[0], digests[1]) == [imported, importing]
    assert changed_symbols(digests[1], digests[2]) == [imported]


def test_every_symbol_of_a_module_that_is_imported_no_more_is_named(package: Path, tmp_path: Path) -> None:
    line = "from reproduce_lib.data.simulate import simulate_prices\n"
    changed = changed_by(package, tmp_path, {SERIES: replaced(package, SERIES, line, "")})
    gone = {symbol for symbol in code_digests(PAPER, package) if symbol.startswith("reproduce_lib.data.simulate.")}
    assert len(gone) > 5
    assert set(changed) == gone | {f"{series.__name__}.import simulate_prices"}


WINDOWS_WORDS = '"""Cutting a series into windows and a timeline into parts."""\n'
ERROR_WORDS = '    """Return the mean of ``|forecast - truth|``, in the unit of ``truth``; both of shape (n,)."""\n'
PIECE_WORDS = '    """The days ``first`` to ``last`` of a pinned file, and how the file writes dates."""\n\n'
PERCENTAGES = 'f"percentages {tuple(percentages)}, '
DEFAULT_POWER = "first: ArrayLike, second: ArrayLike, power: int = 1"

# What is edited -> file, old text, new text; nothing may be named.
NEUTRAL: dict[str, tuple[str, str, str]] = {
    # Comments
    "comment added": ("data/simulate.py", "FIRST_PRICE = 100.0", "FIRST_PRICE = 100.0  # US dollars"),
    "comment on a line of its own": ("windows.py", "    edges = [", "    # cumulative\n    edges = ["),
    "comment reworded": ("data/prices.py", "# A long weekend with", "# Some long weekends with"),
    "comment gone": ("forecast_tests.py", "  # (n + 1 - 2h + h(h-1)/n) / n at h = 1", ""),
    "comment inside a list": (NETWORKS, '# "same" padding lets', "# padding lets"),
    "comment for a checker": ("windows.py", "width, len(series))", "width, len(series))  # noqa: RET504"),
    "type comment": ("box_jenkins.py", "LARGEST_ORDER = 3", "LARGEST_ORDER = 3  # type: int"),
    "other type comment": ("box_jenkins.py", "LARGEST_ORDER = 3", "LARGEST_ORDER = 3  # type: ignore"),
    "comment like code": ("training.py", SESSION, f"{SESSION}    # keras.config.set_floatx('float64')\n"),
    # Docstrings
    "docstring of a module reworded": ("windows.py", WINDOWS_WORDS, '"""Windows and parts."""\n'),
    "docstring of a module gone": ("windows.py", WINDOWS_WORDS, ""),
    "second docstring of a module": ("windows.py", "annotations\n", 'annotations\n\n"""And more."""\n'),
    "docstring of a function reworded": ("windows.py", "    inputs : shape (n - width, width)", "    inputs : matrix"),
    "docstring of a function gone": ("metrics.py", ERROR_WORDS, ""),
    "docstring of a function added": ("data/prices.py", DAYS, f'{DAYS}    """Read."""\n'),
    "docstring of a nested function": ("batched.py", "one: Any) -> Any:\n", 'one: Any) -> Any:\n        """Call."""\n'),
    "docstring of a class reworded": ("errors.py", "A unit or a notebook that did not finish.", "It did not finish."),
    "docstring of a class gone": ("data/prices.py", PIECE_WORDS, ""),
    "docstring of a method reworded": ("units.py", "Return a copy with some parameters changed", "Copy"),
    # Absent from the modules of today: that both of these equal none says that changing and removing is neutral too.
    "docstring of a field": ("forecast_tests.py", "    p_value: float\n", '    p_value: float\n    """Two-sided."""\n'),
    "other docstring of a field": ("forecast_tests.py", "    p_value: float\n", "    p_value: float\n    'Of the t'\n"),
    "docstring of a constant": (NETWORKS, "\nEPOCHS = 30\n", '\nEPOCHS = 30\n"""Printed in section 3.4."""\n'),
    "docstring of a field of a unit": (SERIES, '"TSLA"\n', '"TSLA"\n    """The share."""\n'),
    # Layout
    "blank lines added": ("training.py", SEED, f"\n\n\n{SEED}\n\n"),
    "blank lines gone": ("windows.py", "\n\n\ndef consecutive_parts", "\ndef consecutive_parts"),
    "form feed": ("windows.py", "\n\n\ndef consecutive_parts", "\n\f\n\ndef consecutive_parts"),
    "spaces in an expression": ("metrics.py", "1.0 - error / naive_error", "1.0-error  /  naive_error"),
    "arguments on lines of their own": ("windows.py", "slice(start, stop)", "slice(\n    start,\n    stop,\n)"),
    "trailing comma": ("forecast_tests.py", DEFAULT_POWER, f"{DEFAULT_POWER},"),
    "trailing comma gone": ("training.py", "        verbose=0,\n", "        verbose=0\n"),
    "parentheses": ("metrics.py", "1.0 - error / naive_error", "(1.0 - (error / (naive_error)))"),
    "parentheses of a condition": ("forecast_tests.py", "if variance == 0:", "if (variance == 0):"),
    "parentheses of a tuple": ("data/prices.py", "= 1900, 2100", "= (1900, 2100)"),
    "backslash": ("windows.py", "if width < 1 or", "if width < 1 \\\n        or"),
    "semicolon": ("training.py", SESSION + SEED, f"{SESSION[:-1]}; {SEED.lstrip()}"),
    "body on the line of its head": ("training.py", "if TYPE_CHECKING:\n    import", "if TYPE_CHECKING: import"),
    "indentation": ("windows.py", '        raise ValueError(f"perc', '     raise ValueError(f"perc'),
    "constants in another order": ("data/simulate.py", 'LABEL = "SIMULATED"\nDAILY_VOLATILITY = 0.02\n',
                                   'DAILY_VOLATILITY = 0.02\nLABEL = "SIMULATED"\n'),
    # Spellings
    "quotes": (NETWORKS, 'else "tanh"', "else 'tanh'"),
    "triple quotes": (NETWORKS, 'else "tanh"', 'else """tanh"""'),
    "raw string": (NETWORKS, 'else "tanh"', 'else r"tanh"'),
    "unicode prefix": (NETWORKS, 'else "tanh"', 'else u"tanh"'),
    "escape": (NETWORKS, 'else "tanh"', 'else "\\x74anh"'),
    "string in halves": (NETWORKS, 'LOSS = "mean_absolute_error"', 'LOSS = "mean_" "absolute_error"'),
    "f-string in halves": ("windows.py", PERCENTAGES, 'f"percent" "ages " f"{tuple(percentages)}, " f"'),
    "quotes of an f-string": ("data/prices.py", 'f"{name}: no trading day"', "f'{name}: no trading day'"),
    "underscore in a number": ("data/simulate.py", "days: int = 1259", "days: int = 1_259"),
    "hexadecimal number": (NETWORKS, "\nUNITS = 100\n", "\nUNITS = 0x64\n"),
    "exponent": ("data/simulate.py", "DAILY_VOLATILITY = 0.02", "DAILY_VOLATILITY = 2E-2"),
    "digits of a real number": ("data/simulate.py", "FIRST_PRICE = 100.0", "FIRST_PRICE = 100."),
}  # fmt: skip


@pytest.mark.parametrize("name", NEUTRAL)
def test_edit_of_words_or_layout_names_nothing(package: Path, tmp_path: Path, name: str) -> None:
    file, old, new = NEUTRAL[name]
    assert file in closure_files(package)
    assert changed_by(package, tmp_path, {file: replaced(package, file, old, new)}) == []


Statements = list[ast.stmt]
WORDS = ast.Expr(ast.Constant("Other words."))


def is_words(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def with_bodies(change: Callable[[Statements], Statements]) -> Callable[[str], str]:
    """Return what rewrites each body of a module, and the whole module from its syntax tree on the way."""

    def rewrite(text: str) -> str:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            for name, value in ast.iter_fields(node):
                if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                    setattr(node, name, change(value))
        return ast.unparse(tree)

    return rewrite


def reworded(body: Statements) -> Statements:
    return [WORDS if is_words(statement) else statement for statement in body]


def wordless(body: Statements) -> Statements:
    return [statement for statement in body if not is_words(statement)] or body  # a class of words alone needs them


def wordy(body: Statements) -> Statements:
    return [part for one in body for part in ((one,) if is_words(one) else (one, WORDS))]


LAYOUTS: dict[str, Callable[[str], str]] = {
    "each docstring reworded": with_bodies(reworded),
    "no docstring": with_bodies(wordless),
    "a bare string after each statement": with_bodies(wordy),
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "old Macintosh line ends": lambda text: text.replace("\n", "\r"),
    "no line end at the end": lambda text: text.rstrip("\n"),
    "blank lines at the end": lambda text: text + "\n\n\n",
    "trailing whitespace": lambda text: re.sub(r"^((?:from|import|def|class) .*)$", r"\1 \t", text, flags=re.MULTILINE),
    "named encoding": lambda text: f"#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n{text}",
    "byte order mark": lambda text: f"\ufeff{text}",
}


# Python imports such a file; `closure` reads it as text, which does not take the mark off.
@pytest.mark.parametrize("name", LAYOUTS)
def test_closure_in_another_layout_names_nothing(package: Path, tmp_path: Path, name: str) -> None:
    before = {file: source(package, file) for file in FILES}
    after = {file: LAYOUTS[name](text) for file, text in before.items()}
    assert not [file for file in FILES if before[file] == after[file]]
    assert changed_by(package, tmp_path, after) == []


@pytest.mark.parametrize("file", FILES)
def test_module_written_anew_from_its_syntax_tree_names_nothing(package: Path, tmp_path: Path, file: str) -> None:
    assert changed_by(package, tmp_path, {file: ast.unparse(ast.parse(source(package, file)))}) == []


@pytest.mark.parametrize(
    "options",
    [
        ["line-length=50", "format.quote-style='single'", "format.indent-style='tab'"],
        ["line-length=320", "format.skip-magic-trailing-comma=true", "indent-width=2"],
    ],
    ids=["narrow", "wide"],
)
def test_formatter_with_other_settings_names_nothing(package: Path, tmp_path: Path, options: list[str]) -> None:
    copy = copy_with(package, tmp_path, {file: source(package, file) for file in FILES})
    settings = [argument for option in options for argument in ("--config", option)]
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated", "--no-cache", *settings]
    subprocess.run([*command, *(str(copy / file) for file in FILES)], check=True)
    assert source(copy, "windows.py") != source(package, "windows.py")
    assert changed_symbols(code_digests(PAPER, package), code_digests(PAPER, copy)) == []


# What is edited -> file outside the closure, old text, new text that makes the module behave otherwise.
OUTSIDE = {
    "command line": ("cli.py", "no_args_is_help=True", "no_args_is_help=False"),
    "comparison": ("compare.py", "if held == 1", "if held != 1"),
    "facts": ("printed_facts.py", "Verdict.EXACT if agrees", "Verdict.EXACT if not agrees"),
    "rows": ("rows.py", "Verdict.REPRODUCED_ON_SUBSTITUTE", "Verdict.REPRODUCED"),
    "book": ("book/data_page.py", "entry.sha256[:16]", "entry.sha256[:15]"),
    "statuses": ("execution/study.py", '"stale" if because', '"fresh" if because'),
    "verdicts": ("verdicts.py", "CONFIDENCE = 0.95", "CONFIDENCE = 0.9"),
    "records": ("records.py", "allow_nan=False", "allow_nan=True"),
    "record files": ("record_files.py", "LOCK_SECONDS = 60", "LOCK_SECONDS = 61"),
    "store": ("store.py", ".npz", ".npy"),
    "digests": ("execution/closure.py", "code_digests(", "digests_of_code("),
    "version": ("__init__.py", '__version__ = "', '__version__ = "9.'),
    "titles of papers": ("collection.py", '"naufal2023": "', '"naufal2023": "On '),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_edit_outside_the_closure_names_nothing(package: Path, tmp_path: Path, name: str) -> None:
    file, old, new = OUTSIDE[name]
    assert file not in closure_files(package)
    assert changed_by(package, tmp_path, {file: replaced(package, file, old, new)}) == []


@pytest.mark.parametrize("file", ["extra.py", "data/extra.py", "papers/extra.py"])
def test_new_module_that_the_paper_does_not_import_names_nothing(package: Path, tmp_path: Path, file: str) -> None:
    text = "from reproduce_lib.windows import sliding_windows\n\nsliding_windows.__defaults__ = (7,)\n"
    assert changed_by(package, tmp_path, {file: text}) == []


@pytest.fixture
def status_after(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., UnitStatus]:
    """Record a unit by the unedited code, then say what its status is by the edited one."""
    unit = baselines.BaselineParameters.of(profile="smoke", data="simulated")
    store = new_store(tmp_path)
    put(store, unit, {"mae": 1.0}, code=code_digests(baselines.__name__, package))

    def status(file: str, old: str, new: str) -> UnitStatus:
        copy = copy_with(package, tmp_path, {file: replaced(package, file, old, new)})
        states = []
        for folder in (package, copy):
            monkeypatch.setattr(study, "code_digests", lambda module, folder=folder: code_digests(module, folder))
            states += unit_statuses([unit], store)
        assert (states[0].state, states[0].because) == ("fresh", ())
        return states[1]

    return status


@pytest.mark.parametrize("name", ["slice off by one", "function renamed", "function gone", "base class"])
def test_record_made_by_other_code_is_stale_because_of_exactly_that_code(
    status_after: Callable[..., UnitStatus], name: str
) -> None:
    file, old, new, *symbols = STALING[name]
    status = status_after(file, old, new)
    assert status.state == "stale"
    assert status.because == tuple(sorted(f"{module_name(file)}.{symbol}" for symbol in symbols))
    assert status.stale_by_code_alone


@pytest.mark.parametrize("name", ["docstring of a function reworded", "comment gone", "underscore in a number"])
def test_record_made_by_the_same_code_in_other_words_stays_fresh(
    status_after: Callable[..., UnitStatus], name: str
) -> None:
    status = status_after(*NEUTRAL[name])
    assert (status.state, status.because) == ("fresh", ())


def test_record_stays_fresh_when_code_outside_the_closure_changes(status_after: Callable[..., UnitStatus]) -> None:
    assert status_after(*OUTSIDE["statuses"]).state == "fresh"
