"""Variants: what a grid says and refuses, and that one bad variant never hides the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import yaml

from reproduce_lib.book import rendering, variants
from reproduce_lib.book.grid import Variant, load_grid, select
from reproduce_lib.book.places import notebook_path, page_path, variants_folder
from reproduce_lib.book.variant_page import make_page
from reproduce_lib.book.variants import execute_variants, summary
from reproduce_lib.collection import rebuilt
from reproduce_lib.errors import ParameterError
from reproduce_lib.notebook_execution.papermill_process import Failure
from reproduce_lib.notebook_execution.runner import Beat, NotebookError, NotebookRun, execute_notebook, parameter_names
from tests.support import descendants

PROJECT = Path(__file__).resolve().parents[2]
PAPER = "naufal2023"
# What each kind of variant does, in the cell with index 3.
WAYS = {
    "fine": "print(way)",
    "raises": "raise ValueError('the reason\\nand more')",
    "dies": "import os; os._exit(9)",
    "sleeps": "import time; time.sleep(600)",
}


@pytest.fixture(autouse=True)
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path))
    return tmp_path


def grid_file(folder: Path, text: str) -> Path:
    path = folder / "grid.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def grid_of(folder: Path, *entries: dict[str, Any]) -> list[Variant]:
    return load_grid(
        grid_file(folder, yaml.safe_dump({"schema": 1, "variants": [{"paper": PAPER, **e} for e in entries]}))
    )


def toy_notebook(root: Path) -> None:
    """Write a notebook that ends as its parameter ``way`` says."""
    ways = "".join(f"elif way == {way!r}:\n    {code}\n" for way, code in WAYS.items())
    cells = [
        nbformat.v4.new_markdown_cell("# Toy\n\nSee [below](part), the [data](../data.md)."),
        nbformat.v4.new_code_cell("way = 'fine'\nother = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_markdown_cell("(part)=\n## Part"),
        nbformat.v4.new_code_cell(f"if way is None:\n    pass\n{ways}"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    (root / "notebooks").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), root / "notebooks" / f"{PAPER}.ipynb")


def running() -> set[psutil.Process]:
    """Return this process's descendants that run notebooks."""
    return {child for child, command in descendants().items() if "resource_tracker" not in command}


# What a grid says


def test_a_grid_is_expanded_in_its_order(tmp_path: Path) -> None:
    found = grid_of(
        tmp_path,
        {"grid": {"ticker": ["TSLA", "GOOG", "TWTR"], "window": [1, 30]}, "parameters": {"seeds": 5}},
        {"grid": {"relu": ["output"]}},
    )
    assert len(found) == 3 * 2 + 1
    assert [(one.parameters["ticker"], one.parameters["window"]) for one in found[:3]] == [
        ("TSLA", 1),
        ("TSLA", 30),
        ("GOOG", 1),
    ]
    assert found[1].name == "naufal2023--ticker-TSLA--window-30"
    assert found[1].varied == "ticker TSLA, window 30"
    assert found[1].parameters == {"seeds": 5, "ticker": "TSLA", "window": 30}
    assert found[6].parameters == {"relu": "output"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-4", 1e-4),
        ("0.001", 0.001),
        ("1E5", 1e5),
        ("30", 30),
        ("-1", -1),
        ("014", "014"),
        ("2022-10-07", "2022-10-07"),
        ("12:30:11", "12:30:11"),
        ("yes", "yes"),
        ("true", True),
        ("null", None),
        ("'1e-4'", "1e-4"),
        ("TSLA", "TSLA"),
    ],
)
def test_a_value_is_what_it_looks_like(tmp_path: Path, written: str, value: object) -> None:
    text = f"schema: 1\nvariants:\n  - {{paper: {PAPER}, parameters: {{b: {written}}}, grid: {{a: [{written}]}}}}\n"
    (variant,) = load_grid(grid_file(tmp_path, text))
    for name in ("a", "b"):
        assert variant.parameters[name] == value
        assert type(variant.parameters[name]) is type(value)


@pytest.mark.parametrize(
    "value", ["../x", "/etc/passwd", "..", ".", "a\\b", "x" * 5000, "C:", "a\0b", "\n", "☃", "{x}", "a b", "--", ""]
)
def test_a_hostile_value_stays_in_the_folder(tmp_path: Path, value: str) -> None:
    (variant,) = grid_of(tmp_path, {"grid": {"ticker": [value]}})
    assert variant.page.parent == variants_folder()
    assert variant.page.resolve().parent == variants_folder().resolve()
    assert len(variant.page.name) < 150
    assert variant.name.isascii()
    assert variant.name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert variant.parameters["ticker"] == value


def test_values_that_lose_different_letters_keep_names_of_their_own(tmp_path: Path) -> None:
    values = ["a/b", "a b", "a-b", "a" * 100 + "1", "a" * 100 + "2", 1, -1, 0.1]
    found = grid_of(tmp_path, {"grid": {"ticker": values}})
    assert len({variant.name.casefold() for variant in found}) == len(values)


def test_many_varied_values_do_not_make_a_name_too_long(tmp_path: Path) -> None:
    grid = {f"parameter_number_{i}": ["x" * 30] for i in range(20)}
    (one,) = grid_of(tmp_path, {"grid": grid})
    (other,) = grid_of(tmp_path, {"grid": {**grid, "parameter_number_19": ["y" * 30]}})
    assert len(one.name) < 150
    assert one.name != other.name


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["the file"]),
        ("- 1", ["the file"]),
        ("variants: [", ["no YAML"]),
        ("schema: 1\nvariants: !!python/object/apply:os.system [x]", ["no YAML"]),
        ("schema: 1\nschema: 1\nvariants: []", ["schema", "twice"]),
        ("variants: [{paper: naufal2023, grid: {a: [1]}}]", ["schema"]),
        ("schema: 2\nvariants: [{paper: naufal2023, grid: {a: [1]}}]", ["schema", "1"]),
        ("schema: 1\nvariants: []", ["variants"]),
        ("schema: 1\nvariants: [{paper: nobody, grid: {a: [1]}}]", ["paper", "nobody", "naufal2023"]),
        ("schema: 1\nvariants: [{paper: ../x, grid: {a: [1]}}]", ["paper", "../x"]),
        ("schema: 1\nvariants: [{paper: naufal2023, gird: {a: [1]}}]", ["gird"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {}}]", ["grid"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: []}}]", ["grid > a"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: 1}}]", ["grid > a", "list"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: [[1]]}}]", ["grid > a > 0", "a text, a finite number"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: [1e999]}}]", ["grid > a > 0", "finite"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: [1, 1]}}]", ["grid > a", "twice"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: [1], a: [2]}}]", ["'a'", "twice"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {'a b': [1]}}]", ["a b"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: [1]}, parameters: {a: 2}}]", ["a: either"]),
        ("schema: 1\nvariants: [{paper: naufal2023, parameters: {b: {}}, grid: {a: [1]}}]", ["parameters > b"]),
        ("schema: 1\nvariants: [{paper: naufal2023, grid: {a: [" + "9" * 5000 + "]}}]", ["no YAML"]),
        ("schema: 1\nvariants: " + "[" * 100_000, ["no YAML"]),
    ],
)
def test_a_malformed_grid_is_refused_with_file_and_field(tmp_path: Path, text: str, named: list[str]) -> None:
    path = grid_file(tmp_path, text)
    with pytest.raises(ParameterError) as refusal:
        load_grid(path)
    said = str(refusal.value)
    assert str(path) in said
    assert all(word in said for word in named), said
    assert "\n" not in said


def test_a_grid_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"absent\.yaml"):
        load_grid(tmp_path / "absent.yaml")
    (tmp_path / "grid.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match=r"grid\.yaml is no YAML"):
        load_grid(tmp_path / "grid.yaml")


def test_two_variants_of_one_page_are_refused(tmp_path: Path) -> None:
    entry = {"grid": {"ticker": ["GOOG"]}}
    with pytest.raises(ParameterError, match="naufal2023--ticker-GOOG"):
        grid_of(tmp_path, {**entry, "parameters": {"window": 1}}, {**entry, "parameters": {"window": 30}})
    with pytest.raises(ParameterError, match="ticker-goog"):  # one file where letter case does not count
        grid_of(tmp_path, {"grid": {"ticker": ["GOOG", "goog"]}})


def test_too_many_combinations_are_refused_before_they_are_made(tmp_path: Path) -> None:
    grid = {f"p{i}": list(range(100)) for i in range(20)}
    begun = time.monotonic()
    with pytest.raises(ParameterError, match=rf"{100**20} combinations; at most 1000"):
        grid_of(tmp_path, {"grid": grid})
    assert time.monotonic() - begun < 5


def test_variants_are_selected_by_name_or_pattern(tmp_path: Path) -> None:
    found = grid_of(tmp_path, {"grid": {"ticker": ["TSLA", "GOOG"], "window": [1, 30]}})
    assert select(found, []) == found
    assert [one.varied for one in select(found, ["*--window-1"])] == ["ticker TSLA, window 1", "ticker GOOG, window 1"]
    assert select(found, ["naufal2023--ticker-GOOG--window-30"]) == [found[3]]
    with pytest.raises(ParameterError, match=r"ticker-GOG.*naufal2023--ticker-TSLA--window-1"):
        select(found, ["*TSLA*", "naufal2023--ticker-GOG"])


def test_the_shipped_grid_can_be_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))
    shipped = load_grid(PROJECT / "notebooks" / "grid.yaml")
    assert {one.paper for one in shipped} <= set(rebuilt())
    for variant in shipped:
        assert set(variant.parameters) <= set(parameter_names(variant.source))
        assert variant.parameters["execute"] == "recorded"


# Executing


@pytest.fixture
def executed(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the execution of a notebook by what its parameter says; return the names of those that were begun."""
    begun: list[str] = []

    def execute(source: Path, output: Path, parameters: dict[str, Any], **options: Any) -> NotebookRun:
        begun.append(output.stem)
        match parameters["way"]:
            case "raises":
                raise NotebookError(source, Failure("raised", 3, "the reason\nand more", "ValueError"), own_root / "p")
            case "surprises":
                raise OSError("no space left")
        return NotebookRun(source, output, parameters, started=None, seconds=1)  # type: ignore[arg-type]

    toy_notebook(own_root)
    monkeypatch.setattr(variants, "execute_notebook", execute)
    return begun


def test_a_misspelt_parameter_is_refused_before_anything_is_executed(tmp_path: Path, executed: list[str]) -> None:
    found = grid_of(tmp_path, {"grid": {"way": ["fine"]}}, {"grid": {"wya": ["fine"]}})
    with pytest.raises(ParameterError, match=r"no parameter wya; it has: way, other"):
        execute_variants(found)
    assert executed == []


def test_each_failure_is_an_outcome_of_its_own(tmp_path: Path, executed: list[str]) -> None:
    found = grid_of(tmp_path, {"grid": {"way": ["raises", "surprises", "fine"]}})
    outcomes = {one.variant.varied: one for one in execute_variants(found)}
    assert executed == [variant.name for variant in found]
    assert outcomes["way fine"].failure is None
    assert str(outcomes["way fine"]).startswith("ok      naufal2023--way-fine (0 s)")
    raised = str(outcomes["way raises"])
    what = "failed in cell 3: ValueError: the reason; as far as it came:"
    assert raised == f"FAILED  naufal2023--way-raises (0 s) {what} {tmp_path / 'p'}"
    assert str(outcomes["way surprises"]).endswith("(0 s) failed: OSError: no space left")
    told = summary(list(outcomes.values())).splitlines()
    assert told[0] == "1 of 3 variants executed, 2 failed"
    assert sorted(told[1:]) == sorted([raised, str(outcomes["way surprises"])])


def test_jobs_are_at_work_at_a_time_and_no_more(
    tmp_path: Path, executed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3)
    at_work, most = [0], [0]
    lock = threading.Lock()

    def execute(*_: Any, **__: Any) -> None:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        together.wait(20)  # passes only if three are at work
        with lock:
            at_work[0] -= 1

    monkeypatch.setattr(variants, "execute_notebook", execute)
    found = grid_of(tmp_path, {"grid": {"other": list(range(6))}})
    outcomes = list(execute_variants(found, jobs=3))
    assert [outcome.failure for outcome in outcomes] == [None] * 6
    assert most == [3]


def test_whoever_stops_listening_stops_the_others(
    tmp_path: Path, executed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def execute(source: Path, output: Path, parameters: dict[str, Any], *, stop: threading.Event, **_: Any) -> None:
        begun.append(output.stem)
        if parameters["other"] > 0:
            assert stop.wait(20)

    monkeypatch.setattr(variants, "execute_notebook", execute)
    found = grid_of(tmp_path, {"grid": {"other": list(range(6))}})
    outcomes: Any = execute_variants(found, jobs=2)
    assert next(outcomes).variant == found[0]
    outcomes.close()
    assert len(begun) <= 4


@pytest.mark.slow
def test_three_bad_variants_do_not_hide_the_good_one(tmp_path: Path) -> None:
    toy_notebook(tmp_path)
    found = grid_of(tmp_path, {"grid": {"way": list(WAYS)}})
    pages = {variant.parameters["way"]: variant.page for variant in found}
    pages["raises"].parent.mkdir(parents=True)
    pages["raises"].write_text("the last good page")
    beats: dict[str, list[Beat]] = {variant.name: [] for variant in found}
    outcomes = {
        one.variant.parameters["way"]: one
        for one in execute_variants(
            found, jobs=4, limit_seconds=20, on_beat=lambda variant, beat: beats[variant.name].append(beat)
        )
    }
    failures = {way: one.failure for way, one in outcomes.items() if one.failure is not None}
    assert outcomes["fine"].failure is None
    assert "fine\n" in pages["fine"].read_text(encoding="utf-8").replace("\\n", "\n")
    assert {way: (failure.kind, failure.cell) for way, failure in failures.items()} == {
        "raises": ("raised", 3),
        "dies": ("kernel died", 3),
        "sleeps": ("limit", 3),
    }
    assert failures["raises"].ename == "ValueError"
    assert 20 <= outcomes["sleeps"].seconds < 40
    assert pages["raises"].read_text() == "the last good page"
    assert not pages["dies"].exists()
    partials = [one.partial for one in outcomes.values() if one.partial is not None]
    assert len(set(partials)) == 3
    assert all(partial.is_file() for partial in partials)
    assert all(any(beat.cell == 3 for beat in told) for told in beats.values())
    assert not running()


PROGRAM = """
import sys
from pathlib import Path
from reproduce_lib.book.grid import load_grid
from reproduce_lib.book.variants import execute_variants
if __name__ == "__main__":
    try:
        for outcome in execute_variants(load_grid(Path(sys.argv[1])), jobs=2):
            print(outcome)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_an_interrupted_run_leaves_no_process(tmp_path: Path, how: signal.Signals, status: int) -> None:
    toy_notebook(tmp_path)
    grid_of(tmp_path, {"grid": {"way": ["sleeps"], "other": [1, 2, 3]}})
    program = tmp_path / "program.py"  # a file: its children import it
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(tmp_path / "grid.yaml")]
    with subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        await_that(lambda: len(kernels_below(process.pid)) == 2)
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, how) if how is signal.SIGINT else os.kill(process.pid, how)
        _, said = process.communicate(timeout=60)
    assert process.returncode == status, said
    await_that(lambda: not any(runs(member) for member in family))
    assert "Traceback" not in said


def kernels_below(pid: int) -> list[psutil.Process]:
    return [one for one, command in descendants(pid).items() if "ipykernel_launcher" in command]


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def await_that(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)


# The page that is made of an executed copy


def page_of(*sources: str, varied: str = "ticker GOOG") -> list[str]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source) for source in sources])
    make_page(Variant(PAPER, "naufal2023--ticker-GOOG", varied, {}), notebook)
    return [cell.source for cell in notebook.cells]


def test_a_page_says_what_is_varied_in_its_title() -> None:
    assert page_of("text\n\n# Title\n\nmore", "# Another") == ["text\n\n# Title — ticker GOOG\n\nmore", "# Another"]
    assert page_of("# T", varied="split a_b*c [d](e) `f` {g}`h` $i$")[0] == (
        r"# T — split a\_b\*c \[d\]\(e\) \`f\` \{g\}\`h\` \$i\$"
    )


def test_labels_and_their_references_are_a_pages_own() -> None:
    own = "-naufal2023--ticker-goog"
    (text,) = page_of(
        "(part)=\n## Part\n$$ (eq)\n:name: fig\n[a](part) [b](#part) {ref}`part` "
        "{ref}`so <part>` {eq}`eq` {numref}`fig`\n"
        "part (part) [c](parting) `part` {cite:t}`part`"
    )
    assert text == (
        f"(part{own})=\n## Part\n$$ (eq{own})\n:name: fig{own}\n[a](part{own}) [b](#part{own}) {{ref}}`part{own}` "
        f"{{ref}}`so <part{own}>` {{eq}}`eq{own}` {{numref}}`fig{own}`\n"
        "part (part) [c](parting) `part` {cite:t}`part`"
    )


def test_links_to_files_hold_one_folder_further_down() -> None:
    (text,) = page_of("[a](../data.md) [b](other.ipynb#x) [c](./d.md) [e](https://f.org/g.md) [h](#i) [j](/k.md)")
    assert text == "[a](../../data.md) [b](../other.ipynb#x) [c](.././d.md) [e](https://f.org/g.md) [h](#i) [j](/k.md)"


def test_named_drawings_are_a_pages_own() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(metadata={"mystnb": {"figure": {"name": "f"}}})]
    )
    notebook.cells.append(nbformat.v4.new_markdown_cell("{numref}`f`"))
    make_page(Variant(PAPER, "n--a-1", "a 1", {}), notebook)
    assert notebook.cells[0].metadata["mystnb"]["figure"]["name"] == "f-n--a-1"
    assert notebook.cells[1].source == "{numref}`f-n--a-1`"


def test_variants_stand_below_their_paper_in_the_table_of_contents(tmp_path: Path) -> None:
    (tmp_path / "_toc.yml").write_text((PROJECT / "_toc.yml").read_text(encoding="utf-8"), encoding="utf-8")
    root = yaml.safe_load((tmp_path / "_toc.yml").read_text(encoding="utf-8"))
    assert yaml.safe_load(rendering.book_contents(tmp_path / "t.yml").read_text(encoding="utf-8")) == root
    variants_folder().mkdir(parents=True)
    for name in ("GOOG", "TSLA"):
        notebook = nbformat.v4.new_notebook(metadata={rendering.VARIED: f"ticker {name}"})
        nbformat.write(notebook, variants_folder() / f"{PAPER}--ticker-{name}.ipynb")
    contents = yaml.safe_load(rendering.book_contents(tmp_path / "t.yml").read_text(encoding="utf-8"))
    (chapter,) = [one for part in contents["parts"] for one in part["chapters"] if "sections" in one]
    assert chapter["file"] == f"book/papers/{PAPER}.ipynb"
    assert chapter["sections"] == [
        {"file": f"book/papers/variants/{PAPER}--ticker-{name}.ipynb", "title": f"ticker {name}"}
        for name in ("GOOG", "TSLA")
    ]


@pytest.mark.slow
def test_the_book_renders_variants_without_a_warning(tmp_path: Path) -> None:
    for name in ("index.md", "data.md"):
        (tmp_path / "book").mkdir(exist_ok=True)
        (tmp_path / "book" / name).write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / "_config.yml").write_text(
        "title: T\nauthor: A\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n"
    )
    chapters = [{"file": f"book/papers/{PAPER}.ipynb"}, {"file": "book/data"}]
    toc = {"format": "jb-book", "root": "book/index", "parts": [{"caption": "P", "chapters": chapters}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))
    toy_notebook(tmp_path)
    found = grid_of(tmp_path, {"grid": {"other": [0.5, "<b> `x` *y*"]}})
    assert [outcome.failure for outcome in execute_variants(found)] == [None, None]
    execute_notebook(notebook_path(PAPER), page_path(PAPER), {})
    index = rendering.render("")
    for variant, title in zip(found, ("Toy — other 0.5", "Toy — other ‹b› `x` *y*"), strict=True):
        html = (index.parent / "book" / "papers" / "variants" / f"{variant.name}.html").read_text(encoding="utf-8")
        assert f"<h1>{title}<" in html
        assert 'href="../../data.html"' in html
    paper = (index.parent / "book" / "papers" / f"{PAPER}.html").read_text(encoding="utf-8")
    assert f'href="variants/{found[0].name}.html"' in paper
