"""Each notebook is a complete, clean pair, and its parameters are the ones of its units."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

from reproduce_lib.collection import rebuilt
from reproduce_lib.notebook_execution.runner import parameter_names
from reproduce_lib.page_parameters import page_model
from reproduce_lib.papers.adamopoulou2023.networks import NetworkParameters as Adamopoulou2023Networks
from reproduce_lib.papers.adamopoulou2023.paper import PAPER as ADAMOPOULOU2023
from reproduce_lib.papers.asma2024.networks import NetworkParameters as Asma2024Networks
from reproduce_lib.papers.li2021.dlep import DlepParameters
from reproduce_lib.papers.naufal2023.networks import NetworkParameters as Naufal2023Networks
from reproduce_lib.papers.zhang2023.networks import NetworkParameters as Zhang2023Networks
from reproduce_lib.units import Paper, UnitParameters

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.md"))


def test_each_rebuilt_paper_has_a_pair_and_a_page() -> None:
    pages = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert sorted(rebuilt()) == NOTEBOOKS
    for name in NOTEBOOKS:
        assert (ROOT / "notebooks" / f"{name}.ipynb").is_file()
        assert f"book/papers/{name}.ipynb" in pages


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_both_halves_hold_the_same_cells_and_no_outputs(name: str) -> None:
    text = jupytext.read(ROOT / "notebooks" / f"{name}.md")
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    ours, theirs = ([(c.cell_type, c.source, c.metadata) for c in half.cells] for half in (text, notebook))
    assert ours == theirs
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_image_has_an_alternative_text(name: str) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    drawing = [
        cell
        for cell in notebook.cells
        if re.search(r"^ *figure, |^draw_universe\(", cell.source, re.MULTILINE)
        and "kept_figure(" not in cell.source  # which takes the text itself
    ]
    assert drawing
    assert all(cell.metadata["mystnb"]["image"]["alt"] for cell in drawing)


@pytest.mark.parametrize(
    ("name", "unit", "spans", "seeds", "experiments"),
    [
        ("naufal2023", Naufal2023Networks, ["ticker", "window", "model"], 10, None),
        ("asma2024", Asma2024Networks, ["model"], 10, None),
        ("li2021", DlepParameters, ["region", "model"], 5, None),
        ("zhang2023", Zhang2023Networks, ["model"], 5, None),
        ("adamopoulou2023", Adamopoulou2023Networks, ["augmentation"], 5, ADAMOPOULOU2023),
    ],
)
def test_the_parameters_cell_holds_each_parameter_at_its_default(
    name: str, unit: type[UnitParameters], spans: list[str], seeds: int, experiments: Paper | None
) -> None:
    source = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(source, as_version=4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    values: dict[str, object] = {}
    exec(cell.source, values)  # our own cell of assignments
    values.pop("__builtins__")
    model = page_model(unit, spans, experiments.experiments if experiments else ())
    assert values == model(seeds=seeds).model_dump()
    assert set(parameter_names(source)) == set(model.model_fields)


def test_every_page_in_the_table_of_contents_is_reachable() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    for name in files:
        path = ROOT / (name if name.endswith(".ipynb") else f"{name}.md")
        source = ROOT / "notebooks" / path.name if path.suffix == ".ipynb" else path
        assert source.is_file(), name


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_opened_alone_a_notebook_asks_for_its_repository_or_fetches_it(name: str, tmp_path: Path) -> None:
    """Run the first cell where the library is not installed; `git` and `pip` only write down what they are asked."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    (tmp_path / "pip" / "__main__.py").write_text(
        "import sys\nopen('asked', 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
    )
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text('#!/bin/sh\necho "git $*" >> asked\nmkdir -p reproduced/reproduce_lib\n')
    git.chmod(0o755)
    environment = {"PATH": f"{git.parent}:/usr/bin:/bin", "PYTHONPATH": str(tmp_path)}
    # Without the environment's own packages, among which the library would be found.
    command = [sys.executable, "-S", "-c", first]
    alone = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert alone.returncode != 0
    assert "name its repository" in alone.stderr
    known = first.replace('_repository = ""', '_repository = "https://example.org/a.git"')
    assert known != first
    found = subprocess.run(
        [sys.executable, "-S", "-c", f"{known}\nimport reproduce_lib"], cwd=tmp_path, env=environment, check=True
    )
    assert found.returncode == 0
    cloned, installed = (tmp_path / "asked").read_text().splitlines()
    assert cloned == "git clone --depth 1 https://example.org/a.git reproduced"
    assert "--constraint reproduced/constraints.txt" in installed
    assert (ROOT / "constraints.txt").is_file()


def test_binder_installs_the_project_at_its_pins() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (from_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert "--editable ." in from_pip
    assert "--constraint constraints.txt" in from_pip


def unused(notebooks: list[Path]) -> str:
    """Return what the linter finds in notebooks that are imported or computed for nothing, or not defined."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F"]
    ran = subprocess.run([*command, *map(str, notebooks)], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout


def test_no_notebook_imports_what_it_does_not_use(tmp_path: Path) -> None:
    bad = tmp_path / "bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import pandas as pd")]), bad)
    assert "F401" in unused([bad])
    assert "All checks passed" in unused([ROOT / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS])
