"""What files and packages could carry in: code in pickles, YAML and archives, bombs; and known-bad uses in our code.

That names are escaped on every page is seen in a browser, see ``tests/book/test_every_page.py``.
"""

from __future__ import annotations

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

import numpy as np
import pytest
import yaml

from reproduce_lib.book.grid import load_grid
from reproduce_lib.claims import load_claims
from reproduce_lib.data import archives, regional_catalogs, waveforms
from reproduce_lib.errors import ClaimError, DataError, ParameterError
from tests.faults.bombs import BOMBS, set_off
from tests.support import PROJECT

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


@pytest.mark.parametrize("bomb", BOMBS)
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
