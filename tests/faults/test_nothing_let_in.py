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
QUICK_BOMBS = ("tar", "claims")


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


# What the linter has no rule for, or one that a comment lifts: all execute what a file says, or leave their folder.
BAD_CALLS = {
    "np.load(x, allow_pickle=True)": "allow_pickle",
    "import numpy as np\nnp.load(x, None, True)": "allow_pickle",
    "from numpy import load\nload(x, None, True)": "allow_pickle",
    "joblib.load(x)": "joblib.load",
    "import joblib as j\nj.load(x)": "joblib.load",
    "from joblib import load": "joblib.load",
    "torch.load(x)": "torch.load",
    "torch.load(x, weights_only=False)": "torch.load",
    "from torch import load as read\nread(x)": "torch.load",
    "keras.saving.load_model(x, safe_mode=False)": "safe_mode",
    "keras.config.enable_unsafe_deserialization()": "enable_unsafe_deserialization",
    "pd.read_pickle(x)": "read_pickle",
    "dill.loads(x)": "dill.loads",
    "cloudpickle.load(x)": "cloudpickle.load",
    "yaml.unsafe_load(x)": "yaml.unsafe_load",
    "from yaml import full_load\nfull_load(x)": "yaml.full_load",
    "yaml.load_all(x, Loader=yaml.Loader)": "yaml.load_all",
    "import yaml as y\ny.load(x, y.UnsafeLoader)": "yaml.load",
    "zipfile.ZipFile(x).extractall()": "extractall",
    "shutil.unpack_archive(x)": "shutil.unpack_archive",
    "obspy.read(x)": "obspy.read",
    "from obspy import read\nread(x, format='PICKLE')": "obspy.read",
}
GOOD_CALLS = """
import numpy as np
np.load(x, allow_pickle=False)
np.load(x)
torch.load(x, weights_only=True)
yaml.load(x, Loader=yaml.CSafeLoader)
obspy.read(x, format="MSEED")
"""
NEVER = {f"{module}.{name}" for module in ("joblib", "dill", "cloudpickle") for name in ("load", "loads")}
NEVER |= {"yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load", "yaml.full_load_all", "shutil.unpack_archive"}


def bad_calls(source: str) -> set[str]:
    """Return the calls, and the imports of what makes them, that execute what a file says or write where it says."""
    tree = ast.parse(source)
    known = {"np": "numpy", **dict(imported(tree))}
    found = set(known.values()) & NEVER
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        first, dot, rest = ast.unparse(call.func).partition(".")
        name = f"{known.get(first, first)}{dot}{rest}"
        options = {one.arg: ast.unparse(one.value) for one in call.keywords}
        found |= {name} & NEVER
        found |= {
            last for last in ("read_pickle", "enable_unsafe_deserialization", "extractall") if name.endswith(last)
        }
        positional = name == "numpy.load" and len(call.args) > 2
        found |= {"allow_pickle"} if positional or options.get("allow_pickle", "False") != "False" else set()
        found |= {"safe_mode"} if options.get("safe_mode", "True") != "True" else set()
        safe = {
            "torch.load": options.get("weights_only") == "True",
            "yaml.load": "SafeLoader" in options.get("Loader", ""),
            "yaml.load_all": "SafeLoader" in options.get("Loader", ""),
            "obspy.read": options.get("format", "").strip("'\"") in ("MSEED", "SAC", "GSE2"),
        }
        found |= {name} if not safe.get(name, True) else set()
    return found


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each name that is imported, and what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.asname, one.name) for one in node.names if one.asname)
        elif isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


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
    assert bad_calls(GOOD_CALLS) == set()


def test_no_call_of_ours_executes_what_a_file_says() -> None:
    code = code_of_the_project()
    assert sum(path.endswith(".ipynb") for path in code) >= 5
    found = {Path(path).name: bad for path, source in code.items() if (bad := bad_calls(source))}
    # Its loader is a safe one that was given a rule on keys: what names Python is refused, see above.
    assert found == {"yaml_files.py": {"yaml.load"}}


def linted(notebooks: list[Path]) -> str:
    """Return what the rules on security say of notebooks, which the linter passes over otherwise."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "S", "--ignore", "S101,S603,S607"]
    command += ["--output-format", "concise", *map(str, notebooks)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False).stdout


def test_known_bad_use_in_a_notebook_is_found_and_there_is_none(tmp_path: Path) -> None:
    bad = write_notebook(tmp_path / "bad.ipynb", KNOWN_BAD["S301"])
    assert "S301" in linted([bad])
    assert "All checks passed" in linted(sorted((PROJECT / "notebooks").glob("*.ipynb")))


def unexplained(code: str) -> list[str]:
    """Return the lines that lift a rule on security without a reason, or every rule at once."""
    allowed = re.compile(r"# (?:ruff: )?noqa(?P<rules>: [A-Z0-9, ]*)?(?P<reason>.*)")
    found = []
    for line in code.splitlines():
        match = allowed.search(line)
        lifts = match and (match["rules"] is None or re.search(r"\bS\d+", match["rules"]))
        if match and lifts and (match["rules"] is None or len(match["reason"].strip(" -—(")) < 10):
            found.append(line.strip())
    return found


def test_every_exception_from_the_security_rules_says_why() -> None:
    assert unexplained("run('ls', shell=True)  # noqa") == ["run('ls', shell=True)  # noqa"]
    assert (
        len(unexplained("a()  # noqa: S602\nb()  # noqa: S602 - nothing here comes from outside\nc()  # noqa: E501"))
        == 1
    )
    code = {path: text for path, text in code_of_the_project().items() if path.endswith(".py")}
    assert {path: lines for path, text in code.items() if (lines := unexplained(text))} == {}


def test_no_command_is_run_through_a_shell() -> None:
    for path, text in code_of_the_project().items():
        assert not re.search(r"shell\s*=\s*True", text), path


def workflows() -> dict[Path, Any]:
    folder = PROJECT / ".github" / "workflows"
    found = {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.y*ml"))}
    assert len(found) >= 3
    return found


def loose_ends(workflow: Any) -> list[str]:
    """Return what a workflow may do, whose code it runs, and which untrusted words come into its commands."""
    # YAML reads the key "on" as a truth.
    events = workflow.get("on", workflow.get(True))
    found = [
        f"runs on {event}" for event in ("pull_request_target", "workflow_run", "issue_comment") if event in events
    ]
    found += [] if workflow.get("permissions") == {} else ["may do more than nothing"]
    for job in workflow["jobs"].values():
        found += [f"a job has {name}" for name in ("permissions", "services", "uses", "secrets") if name in job]
        found += [] if "timeout-minutes" in job else ["a job has no limit"]
        for step in job["steps"]:
            found += ["runs an action"] if "uses" in step else []
            # Untrusted text in a command: the title of a pull request, the name of a branch, what somebody typed.
            found += re.findall(r"\$\{\{\s*(?:github|inputs|env)\b[^}]*", step.get("run", ""))
            found += re.findall(r"(?:curl|wget)[^\n]*\|\s*\w*sh\b", step.get("run", ""))
    return found


def test_workflows_may_do_nothing_and_run_nobody_elses_actions() -> None:
    assert {path.name: ends for path, workflow in workflows().items() if (ends := loose_ends(workflow))} == {}


@pytest.mark.parametrize(
    "change",
    [
        {"on": ["pull_request_target"]},
        {"permissions": {"contents": "write"}},
        {"permissions": None},
        {"job": {"services": {"db": {"image": "postgres"}}}},
        {"job": {"timeout-minutes": None}},
        {"run": "echo ${{github.event.issue.title}}"},
        {"run": "echo ${{ inputs.x }}"},
        {"run": "curl https://localhost/x | sh"},
        {"step": {"uses": "actions/checkout@v4"}},
    ],
)
def test_workflow_that_could_let_something_in_is_refused(change: dict[str, Any]) -> None:
    step = {"run": change.get("run", "make test"), **change.get("step", {})}
    job = {"timeout-minutes": 5, "steps": [step], **change.get("job", {})}
    job = {name: value for name, value in job.items() if value is not None}
    workflow = {"on": change.get("on", ["push"]), "permissions": change.get("permissions", {}), "jobs": {"one": job}}
    assert len(loose_ends(workflow)) == 1
    clean = {"timeout-minutes": 5, "steps": [{"run": "make test"}]}
    assert loose_ends({"on": ["push"], "permissions": {}, "jobs": {"one": clean}}) == []


def test_workflows_run_containers_and_tools_of_exact_versions() -> None:
    """A tag of two numbers moves with every release of the third; what a digest is cannot be known from here."""
    images, tools = [], []
    for workflow in workflows().values():
        for job in workflow["jobs"].values():
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
