"""What files and packages could carry in: code in pickles, YAML and archives, bombs; and known-bad uses in our code.

That names are escaped on every page is seen in a browser, see ``tests/book/test_every_page.py``.
"""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import re
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import yaml

from reproduce_lib.book.grid import load_grid
from reproduce_lib.claims import load_claims
from reproduce_lib.data import archives, regional_catalogs, waveforms
from reproduce_lib.errors import ClaimError, DataError, ParameterError
from tests.faults.bombs import BOMBS, set_off
from tests.support import PROJECT, write_notebook

MOST_SECONDS, MOST_MEGABYTES = 10, 1024


class Evil:
    """Something whose pickle makes a file when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """Return a path at which a folder appears if code was executed."""
    yield tmp_path / "executed"
    assert not (tmp_path / "executed").exists(), "code out of data was executed"


def npz(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def pickled(mark: Path) -> bytes:
    """Return an array of objects as NumPy writes it, and check that it does harm where it is believed."""
    array = npy(np.array([Evil(mark)], dtype=object), allow_pickle=True)
    np.load(io.BytesIO(array), allow_pickle=True)
    mark.rmdir()
    return array


def test_pickles_among_the_arrays_of_a_waveform_are_not_executed(mark: Path) -> None:
    data = npy(np.zeros((100, 3), np.float32))
    for content in (pickled(mark), pickle.dumps(Evil(mark))):
        with pytest.raises(DataError, match=r"XX_A_1\.npz"):
            waveforms.parse_record(npz(data=data, itp=content), "waveforms/tlpn_china/XX_A_1.npz")
        with pytest.raises(DataError, match=r"XX_A_1\.npz"):
            waveforms.parse_record(npz(data=content, itp=npy(5)), "waveforms/tlpn_china/XX_A_1.npz")


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir [{}]", "!!python/object/new:os.mkdir [{}]"])
def test_yaml_that_names_python_is_refused_and_not_executed(tag: str, mark: Path, tmp_path: Path) -> None:
    text = tag.format(mark)
    yaml.unsafe_load(text)
    mark.rmdir()
    (tmp_path / "naufal2023.yaml").write_text(f"schema: 1\npaper: {text}\n", encoding="utf-8")
    with pytest.raises(ClaimError, match=r"naufal2023\.yaml"):
        load_claims("naufal2023", tmp_path)
    (tmp_path / "grid.yaml").write_text(f"seed: {text}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"grid\.yaml"):
        load_grid(tmp_path / "grid.yaml")


LAUGHS = '<!ENTITY a0 "ha">' + "".join(f"<!ENTITY a{n} '{10 * f'&a{n - 1};'}'>" for n in range(1, 12))
ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(100_000))
BOMBS_OF_XML = {
    "billion laughs": f"<!DOCTYPE x [{LAUGHS}]><x>&a11;</x>",
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "an address": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
    "one long entity": "<!DOCTYPE x [<!ENTITY a '" + "x" * 50_000 + "'>]><x>" + "&a;" * 50_000 + "</x>",
    "deep": "<x>" * 200_000,
    "many attributes": f"<x {ATTRIBUTES}/>",
}


@pytest.mark.parametrize("bomb", BOMBS_OF_XML)
def test_bombs_in_a_spreadsheet_are_refused_in_little_time_and_memory(bomb: str) -> None:
    data = f'<?xml version="1.0"?>{BOMBS_OF_XML[bomb]}'.encode()
    with within_limits(), pytest.raises(DataError, match="toy"):
        regional_catalogs.parse_cenc(data, "catalogs/toy.xls")


# One of each kind of file: each bomb is set off in a process of its own, which takes its time.
QUICK_BOMBS = ("gzip", "tar", "zip", "claims")


@pytest.mark.parametrize(
    "bomb", [pytest.param(one, marks=[] if one in QUICK_BOMBS else pytest.mark.slow) for one in BOMBS]
)
def test_file_that_expands_without_end_is_refused_in_little_time_and_memory(bomb: str) -> None:
    assert set_off(bomb).startswith("refused: toy")


class within_limits:  # noqa: N801 - reads as a phrase
    """Fails if what is inside takes longer, or more memory at its peak, than a file may."""

    def __enter__(self) -> None:
        self.begun, self.peak = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def __exit__(self, *_: object) -> None:
        assert time.monotonic() - self.begun < MOST_SECONDS
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.peak < MOST_MEGABYTES * 1024


@pytest.mark.parametrize("name", ["../outside.csv", "/tmp/outside.csv", "C:\\outside.csv"])
def test_member_that_points_outside_is_read_into_memory_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"content")
    assert archives.read_member(packed.getvalue(), "toy.zip", name) == b"content"
    assert list(tmp_path.rglob("*")) == []
    assert not Path("/tmp/outside.csv").exists()


def test_link_in_a_tar_archive_is_not_followed() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        link = tarfile.TarInfo("toy.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(DataError, match="no file"):
        archives.read_member(packed.getvalue(), "toy.tar", "toy.csv")


# What the linter has to find anywhere in our own code: rule -> how it looks.
KNOWN_BAD = {
    "S301": "import pickle\npickle.loads(b'')\n",
    "S307": "eval('1')\n",
    "S102": "exec('1')\n",
    "S506": "import yaml\nyaml.load('1', Loader=yaml.Loader)\n",
    "S202": "import tarfile\ntarfile.open('x').extractall()\n",
    "S602": "import subprocess\nsubprocess.run('ls *', shell=True)\n",
    "S605": "import os\nos.system('ls *')\n",
    "S501": "import requests\nrequests.get('https://localhost', verify=False, timeout=1)\n",
    "S113": "import requests\nrequests.get('https://localhost')\n",
    "S314": "from xml.etree import ElementTree\nElementTree.fromstring('<x/>')\n",
    "S306": "import tempfile\ntempfile.mktemp()\n",
    "S324": "import hashlib\nhashlib.md5(b'')\n",
}


@pytest.mark.parametrize("rule", KNOWN_BAD)
def test_known_bad_use_is_found_by_the_linter(rule: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise"]
    command += ["--stdin-filename", "reproduce_lib/new.py", "-"]
    ran = subprocess.run(command, cwd=PROJECT, input=KNOWN_BAD[rule], capture_output=True, text=True, check=False)
    assert rule in ran.stdout


# What the linter has no rule for, or one that a comment lifts: all execute what a file says.
BAD_CALLS = {
    "np.load(x, allow_pickle=True)": "allow_pickle",
    "np.load(x, None, True)": "allow_pickle",
    "joblib.load(x)": "joblib.load",
    "from joblib import load": "joblib.load",
    "torch.load(x)": "torch.load",
    "torch.load(x, weights_only=False)": "torch.load",
    "keras.saving.load_model(x, safe_mode=False)": "safe_mode",
    "keras.config.enable_unsafe_deserialization()": "enable_unsafe_deserialization",
    "pd.read_pickle(x)": "read_pickle",
    "dill.loads(x)": "dill.loads",
    "cloudpickle.load(x)": "cloudpickle.load",
}
LOADERS_OF_CODE = {f"{module}.{name}" for module in ("joblib", "dill", "cloudpickle") for name in ("load", "loads")}


def bad_calls(source: str) -> set[str]:
    """Return the calls, and the imports of what makes them, that execute what a file says."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names} & LOADERS_OF_CODE
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            options = {one.arg: ast.unparse(one.value) for one in node.keywords}
            found |= {name} & LOADERS_OF_CODE
            found |= {last for last in ("read_pickle", "enable_unsafe_deserialization") if name.endswith(last)}
            positional = name in ("np.load", "numpy.load") and len(node.args) > 2
            found |= {"allow_pickle"} if positional or options.get("allow_pickle", "False") != "False" else set()
            found |= {"safe_mode"} if options.get("safe_mode", "True") != "True" else set()
            found |= {"torch.load"} if name == "torch.load" and options.get("weights_only") != "True" else set()
    return found


def code_of_the_project() -> dict[str, str]:
    """Return our own code by file, of the notebooks the cells."""
    folders = [PROJECT / name for name in ("reproduce_lib", "benchmarks")]
    found = {str(path): path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py")}
    for path in (PROJECT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        found[str(path)] = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return found


@pytest.mark.parametrize("call", BAD_CALLS)
def test_call_that_executes_what_a_file_says_is_found(call: str) -> None:
    assert bad_calls(call) == {BAD_CALLS[call]}
    assert bad_calls("np.load(x, allow_pickle=False)\ntorch.load(x, weights_only=True)\nnp.load(x)") == set()


def test_no_call_of_ours_executes_what_a_file_says() -> None:
    code = code_of_the_project()
    assert sum(path.endswith(".ipynb") for path in code) >= 5
    assert {path: bad for path, source in code.items() if (bad := bad_calls(source))} == {}


def linted(notebooks: list[Path]) -> str:
    """Return what the rules on security say of notebooks, which the linter passes over otherwise."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "S", "--ignore", "S101,S603,S607"]
    command += ["--output-format", "concise", *map(str, notebooks)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False).stdout


def test_known_bad_use_in_a_notebook_is_found_and_there_is_none(tmp_path: Path) -> None:
    bad = write_notebook(tmp_path / "bad.ipynb", KNOWN_BAD["S301"])
    assert "S301" in linted([bad])
    assert "All checks passed" in linted(sorted((PROJECT / "notebooks").glob("*.ipynb")))


def test_every_exception_from_the_security_rules_says_why() -> None:
    allowed = re.compile(r"# noqa: [A-Z0-9, ]*\bS\d+[A-Z0-9, ]*(.*)")
    found = [
        (path.name, line.strip())
        for path in (PROJECT / "reproduce_lib").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if (match := allowed.search(line)) and len(match[1].strip(" -—(")) < 10
    ]
    assert found == []


def test_no_command_is_run_through_a_shell() -> None:
    for path in (PROJECT / "reproduce_lib").rglob("*.py"):
        assert "shell=True" not in path.read_text(encoding="utf-8"), path


def test_workflows_may_do_nothing_and_run_nobody_elses_actions() -> None:
    for path in (PROJECT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}, path
        for job in workflow["jobs"].values():
            assert "permissions" not in job, path
            assert all("timeout-minutes" in job and "uses" not in step for step in job["steps"]), path
            # Untrusted text in a command: the title of a pull request, the name of a branch.
            assert not any("${{ github." in step.get("run", "") for step in job["steps"]), path


def test_workflows_run_containers_and_tools_of_exact_versions() -> None:
    """A tag of two numbers moves with every release of the third; what a digest is cannot be known from here."""
    images, tools = [], []
    for path in (PROJECT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            matrix = job.get("strategy", {}).get("matrix", {})
            pythons = [*matrix.get("python", []), *(one["python"] for one in matrix.get("include", []))]
            image = job.get("container", "")
            images += [image.replace("${{ matrix.python }}", one) for one in pythons or [""] if image]
            commands = "\n".join(re.sub(r"\$\{\{.*?\}\}", "", step.get("run", "")) for step in job["steps"])
            installed = " ".join(re.findall(r"pip install(.*)", commands)).split()
            tools += [word.strip("'") for word in installed if not word.startswith("-")]
    assert len(images) >= 6
    assert [image for image in images if not re.fullmatch(r"python:\d+\.\d+\.\d+-bookworm", image)] == []
    free = [tool for tool in tools if not re.fullmatch(r"[\w-]+==\d+(\.\d+)+", tool)]
    # Ours, and what the lists of the project pin.
    assert set(free) <= {".[jax,dask,docs,test]", "constraints.txt", "jax[cuda12]"}
    assert {tool.partition("==")[0] for tool in set(tools) - set(free)} == {"uv", "pip-audit"}


@pytest.mark.network
def test_no_dependency_is_known_to_be_vulnerable() -> None:
    """Ask the public database of vulnerabilities, where it can be reached."""
    pytest.importorskip("pip_audit", reason="pip-audit is not installed; it asks weekly")
    command = [sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip"]
    ran = subprocess.run([*command, "--format", "json"], cwd=PROJECT, capture_output=True, text=True, check=False)
    found = json.loads(ran.stdout)["dependencies"] if ran.stdout else []
    asked = [one for one in found if "skip_reason" not in one]
    if not asked:
        pytest.skip("the database of vulnerabilities cannot be reached")
    assert [one for one in asked if one["vulns"]] == []
