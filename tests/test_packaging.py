"""The three lists of packages say the same, and nothing in the project names an index or a machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import reproduce_lib

ROOT = Path(__file__).resolve().parents[1]
# Extras that are no part of the common environment.
APART = {"seisbench"}


def pins(lines: list[str]) -> dict[str, str]:
    found = [line.split("==") for line in map(str.strip, lines) if "==" in line]
    return {canonicalize_name(name): version for name, version in found}


@pytest.fixture(scope="module")
def constraints() -> dict[str, str]:
    return pins((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def requirements() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: one for name, one in project["optional-dependencies"].items() if name not in APART}
    lists = [project["dependencies"], *extras.values()]
    parsed = [Requirement(text) for one in lists for text in one]
    return {canonicalize_name(one.name): one for one in parsed}


def test_each_direct_requirement_admits_its_pin(
    constraints: dict[str, str], requirements: dict[str, Requirement]
) -> None:
    for name, requirement in requirements.items():
        assert requirement.specifier.contains(constraints[name]), name


def test_conda_lists_the_direct_requirements_at_their_pins(
    constraints: dict[str, str], requirements: dict[str, Requirement]
) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (from_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pins(from_pip) == {name: constraints[name] for name in requirements}


def test_every_import_of_the_library_is_a_direct_requirement(requirements: dict[str, Requirement]) -> None:
    modules = {
        "yaml": "pyyaml", "sklearn": "scikit-learn", "IPython": "ipython", "jupyter_client": "jupyter-client",
        "myst_nb": "myst-nb", "pypi_simple": "pypi-simple", "jupyter_book": "jupyter-book", "dateutil": "dateutil",
        "shapefile": "pyshp", "bs4": "beautifulsoup4",
    }  # fmt: skip
    pattern = re.compile(r"^\s*(?:from|import) ([A-Za-z_]\w*)", re.MULTILINE)
    imported = {
        name for path in (ROOT / "reproduce_lib").rglob("*.py") for name in pattern.findall(path.read_text("utf-8"))
    }
    import sys

    foreign = {name for name in imported if name not in sys.stdlib_module_names and name != "reproduce_lib"}
    unlisted = {name for name in foreign if canonicalize_name(modules.get(name, name)) not in {*requirements, *APART}}
    assert not unlisted


def test_no_file_names_a_package_index() -> None:
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    wanted = re.compile("--(extra-)?index" + "-url|/" + "simple/")
    texts = [
        ROOT / name for name in tracked if name.endswith((".py", ".txt", ".toml", ".yml", ".md", "Makefile", "run"))
    ]
    assert not [str(path) for path in texts if path.is_file() and wanted.search(path.read_text("utf-8"))]


def test_continuous_integration_tests_the_python_of_its_matrix_beside_whatever_others_are_there(tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    (step,) = [step for step in workflow["jobs"]["test"]["steps"] if ".ci/run" in step["run"]]
    for name in ("python", "python3.11"):
        (tmp_path / name).symlink_to("/bin/true")
    environment = {**step.get("env", {}), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    venv = tmp_path / "venv"
    command = ["make", "--dry-run", f"VENV={venv}", f"{venv}/installed"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert f"python -m venv {venv}" in done.stdout.splitlines()


@pytest.fixture(scope="module")
def weekly() -> dict[str, dict[str, Any]]:
    """Return the jobs of the workflow that runs without a change, by a clock."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "versions.yml").read_text(encoding="utf-8"))
    (clock,) = workflow[True]["schedule"]  # YAML reads the word "on" as true
    assert re.fullmatch(r"\d+ \d+ \* \* \d", clock["cron"])
    jobs: dict[str, dict[str, Any]] = workflow["jobs"]
    return jobs


def commands_of(job: dict[str, Any]) -> str:
    return "\n".join(step["run"] for step in job["steps"])


def test_each_week_the_oldest_and_the_newest_versions_that_are_allowed_are_tested(
    weekly: dict[str, dict[str, Any]],
) -> None:
    job = weekly["test"]
    cases = {case["resolution"]: case["python"] for case in job["strategy"]["matrix"]["include"]}
    python = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    oldest, newest = re.findall(r"3\.(\d+)", python)
    minor = {name: version.rpartition(".")[0] for name, version in cases.items()}
    assert minor == {"lowest-direct": f"3.{oldest}", "highest": f"3.{int(newest) - 1}"}
    assert "--resolution ${{ matrix.resolution }}" in commands_of(job)
    assert "constraints.txt" not in commands_of(job)
    # The package index is the one that pip is told, which uv leaves out of what it makes.
    assert "uv venv --quiet --seed" in commands_of(job)
    extras = re.search(r"'\.\[([\w,]+)\]'", commands_of(job))
    assert extras is not None
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"'.[{extras[1]}]'" in makefile, "the same extras as those of make test"
    tests = job["steps"][-1]["run"].splitlines()
    assert all(line.startswith(".venv/bin/pytest ") for line in tests)
    # What is the same with any version, such as lint, is no part of it; no test is left to no job at all.
    assert [re.findall("(-m .*)", line) for line in tests] == [[], ['-m "slow and not long and not gpu"']]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="folders of other users are made by root alone")
@pytest.mark.parametrize("name", ["test.yml", "versions.yml"])
def test_commit_is_fetched_in_a_folder_that_belongs_to_another_user(tmp_path: Path, name: str) -> None:
    """A job's folder is made by the runner, and its container runs as root."""
    served, workspace = tmp_path / "served" / "owner" / "name", tmp_path / "workspace"
    served.mkdir(parents=True)
    git = ["git", "-c", "user.name=one", "-c", "user.email=one@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=served, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], cwd=served, check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=served, check=True, capture_output=True, text=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "GITHUB_SERVER_URL": f"file://{tmp_path}/served",
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_SHA": commit.stdout.strip(),
    }
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    for job in workflow["jobs"].values():
        fetch, *others = job["steps"]
        shutil.rmtree(workspace, ignore_errors=True)
        workspace.mkdir()
        os.chown(workspace, 1001, 1001)
        subprocess.run(["bash", "-e", "-c", fetch["run"]], cwd=workspace, env=environment, check=True)
        assert (workspace / "project" / ".git").is_dir()
        assert {step["working-directory"] for step in others} == {"project"}


def test_each_week_every_pinned_version_is_held_against_what_is_known_to_be_vulnerable(
    weekly: dict[str, dict[str, Any]],
) -> None:
    assert "python -m pip_audit --requirement constraints.txt" in commands_of(weekly["audit"])


def test_every_module_of_the_library_stands_on_its_page() -> None:
    page = (ROOT / "book" / "library.md").read_text(encoding="utf-8")
    folder = ROOT / "reproduce_lib"
    modules = [path for path in folder.rglob("*.py") if "papers" not in path.parts and not path.stem.startswith("__")]
    assert len(modules) > 60
    assert not [path.stem for path in modules if not re.search(rf"\b{path.stem}\b", page)]


def test_the_citation_file_is_one_and_names_this_version() -> None:
    """By the rules of the Citation File Format 1.2.0: what it must hold, and that nothing else stands in it."""
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    required = {"cff-version", "message", "title", "authors"}
    allowed = required | {
        "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url",
        "preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url",
        "version",
    }  # fmt: skip
    assert required <= set(about) <= allowed
    assert about["cff-version"] == "1.2.0"
    assert about["type"] in ("software", "dataset")
    assert about["version"] == reproduce_lib.__version__
    released = date.fromisoformat(about["date-released"])
    assert released.isoformat() == about["date-released"]
    people = ({"family-names"}, {"given-names"}, {"alias"}, {"name"})
    assert about["authors"]
    assert all(any(names <= set(author) for names in people) for author in about["authors"])
    assert [canonicalize_license_expression(one) for one in about["license"]] == about["license"]
