"""What a context says of the machine, and what a worker process is held to."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from reproduce_lib.errors import RunError
from reproduce_lib.execution import environment
from reproduce_lib.units import Backend
from tests.support import without_jax

PROJECT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("backend", "extra"), [("none", set()), ("tensorflow", {"tensorflow"}), ("jax", {"jax", "jaxlib"})]
)
def test_versions_are_those_that_the_packages_say_of_themselves(backend: Backend, extra: set[str]) -> None:
    found = environment.versions(backend)
    assert found.pop("python") == platform.python_version()
    everywhere = {"numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "keras", "kymatio", "obspy", "optuna"}
    assert everywhere | extra == set(found)
    assert found == {name: importlib.metadata.version(name) for name in found}


def test_versions_name_every_numeric_package_that_a_unit_loads() -> None:
    program = (
        "import sys; from reproduce_lib.papers.naufal2023 import baselines as n;"
        "n.run_baseline(n.BaselineParameters.of(profile='smoke', data='simulated')); print(*sys.modules)"
    )
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout.split()
    numeric = {"numpy", "scipy", "pandas", "statsmodels", "sklearn", "keras", "tensorflow", "jax", "torch"}
    known = {name.replace("scikit-learn", "sklearn") for name in environment.versions("none")}
    assert {"numpy", "pandas"} <= numeric & set(loaded) <= known


def test_processor_is_named_with_its_architecture_and_the_same_each_time() -> None:
    name = environment.processor()
    assert name == environment.processor()
    assert platform.machine() in name
    assert len(name) > len(platform.machine()) + 3


@pytest.fixture
def cpuinfo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the file that stands for /proc/cpuinfo in this test, beside the folder of a core's caches."""
    path = tmp_path / "cpuinfo"
    places = {"/proc/cpuinfo": path, "/sys/devices/system/cpu/cpu0/cache": tmp_path / "cache"}
    monkeypatch.setattr(environment, "Path", places.__getitem__)
    monkeypatch.setattr(environment, "_processor_line", environment._processor_line.__wrapped__)
    return path


def test_processor_is_the_model_name_of_the_first_core(cpuinfo: Path) -> None:
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Fast CPU: 3 GHz\nmodel name\t: Slow CPU\n", encoding="utf-8")
    assert environment.processor.__wrapped__() == f"Fast CPU: 3 GHz ({platform.machine()})"


AMD = """model name\t: AMD EPYC
cpu family\t: 25
model\t\t: {model}
stepping\t: 1
flags\t\t: fpu sse avx {flags}
"""


def test_processors_that_a_cloud_gives_one_name_are_told_apart(cpuinfo: Path) -> None:
    names = []
    for model, flags, size in ((17, "avx2 avx512f", 1024), (1, "avx2", 512), (17, "avx2 avx512f", 512)):
        cpuinfo.write_text(AMD.format(model=model, flags=flags), encoding="utf-8")
        for index, (level, kind, kilobytes) in enumerate(
            ((1, "Data", 32), (1, "Instruction", 64), (2, "Unified", size), (3, "Unified", 32768))
        ):
            folder = cpuinfo.parent / "cache" / f"index{index}"
            folder.mkdir(parents=True, exist_ok=True)
            for name, value in (("level", level), ("type", kind), ("size", f"{kilobytes}K")):
                (folder / name).write_text(f"{value}\n", encoding="utf-8")
        names.append(environment.processor.__wrapped__())
    machine = platform.machine()
    assert names == [
        f"AMD EPYC ({machine}), family 25, model 17, stepping 1, caches 32K/1024K, avx512f",
        f"AMD EPYC ({machine}), family 25, model 1, stepping 1, caches 32K/512K, avx2",
        f"AMD EPYC ({machine}), family 25, model 17, stepping 1, caches 32K/512K, avx512f",
    ]


@pytest.mark.parametrize("text", [None, "", "Hardware\t: unknown board\n"])
def test_processor_has_a_name_where_the_system_tells_none(cpuinfo: Path, text: str | None) -> None:
    if text is not None:
        cpuinfo.write_text(text, encoding="utf-8")
    name = environment.processor.__wrapped__()
    assert name.removesuffix(f"({platform.machine()})").strip()


SYSCTL = """#!/bin/sh
case "$2" in
machdep.cpu.brand_string) echo "{model}" ;;
hw.l1dcachesize) echo 65536 ;;
hw.l2cachesize) echo {size} ;;
*) exit 1 ;;
esac
"""


def test_macs_are_told_apart_though_their_processors_bear_one_name(
    cpuinfo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    program = tmp_path / "bin" / "sysctl"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    names = []
    for model, size in (("Apple M1", 4194304), ("Apple M4", 4194304), ("Apple M4", 6291456)):
        program.write_text(SYSCTL.format(model=model, size=size), encoding="utf-8")
        program.chmod(0o755)
        names.append(environment.processor.__wrapped__())
    machine = platform.machine()
    assert names == [
        f"Apple M1 ({machine}), caches 64K/4096K",
        f"Apple M4 ({machine}), caches 64K/4096K",
        f"Apple M4 ({machine}), caches 64K/6144K",
    ]


def test_mac_that_tells_nothing_has_the_name_of_its_architecture(
    cpuinfo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.processor.__wrapped__() == f"arm ({platform.machine()})"


LIMITED = """
import json
from threadpoolctl import threadpool_info
from reproduce_lib.execution import environment

before = {pool["filepath"] for pool in threadpool_info()}
environment.limit_threads()
import scipy.linalg
from sklearn.preprocessing import MinMaxScaler
later = [pool for pool in threadpool_info() if pool["filepath"] not in before]
print(json.dumps({pool["user_api"]: pool["num_threads"] for pool in later}))
"""


def test_numeric_packages_loaded_after_the_limit_start_one_thread_whatever_the_caller_had() -> None:
    asked = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    command = [sys.executable, "-c", LIMITED]
    environment_of_caller = {**os.environ, **asked}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT, env=environment_of_caller)
    assert json.loads(done.stdout) == {"blas": 1, "openmp": 1}
    assert environment.THREADS == 1


def test_backend_is_chosen_for_keras_and_none_chooses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    environment.select_backend("none")
    assert os.environ["KERAS_BACKEND"] == "torch"
    environment.select_backend("jax")
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_backend_that_is_not_installed_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"jax.*pip install.*jax"):
        environment.select_backend("jax")
    assert os.environ["KERAS_BACKEND"] == "torch"


@pytest.mark.parametrize("asked", [environment.versions, environment.device])
def test_what_a_backend_runs_on_is_not_told_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[[Backend], object]
) -> None:
    without_jax(monkeypatch)
    with pytest.raises(RunError, match=r"jax_gpu.*pip install"):
        asked("jax_gpu")
    asked("none")


def test_a_process_that_runs_one_backend_refuses_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "tensorflow"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    environment.select_backend("tensorflow")
    with pytest.raises(RunError, match="tensorflow"):
        environment.select_backend("jax")
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
