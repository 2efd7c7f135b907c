"""The machine and the versions that a unit ran on, and the limits put on its worker process."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

from reproduce_lib import paths
from reproduce_lib.errors import RunError
from reproduce_lib.units import Backend

THREADS = 1
# Packages whose version can move a number. All that are installed, not those that a process has loaded: workers are
# kept from unit to unit, and what an earlier one loaded says nothing of the next.
_PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "keras", "kymatio", "obspy", "optuna")
_BACKEND_PACKAGES = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "jax_gpu": ("jax", "jaxlib"), "none": ()}
# Fields of the kernel's description of a processor, of Intel and AMD and of Arm, and what they are called here.
_SILICON = {
    "cpu family": "family",
    "model": "model",
    "stepping": "stepping",
    "CPU implementer": "implementer",
    "CPU part": "part",
    "CPU revision": "revision",
}
# What is behind the second level is shared, and each virtual machine is told another part of it.
_CACHE_LEVELS = ("1", "2")
_VECTORS = ("avx512f", "avx2", "avx", "sve", "asimd")
# What Keras calls a backend, and Python its package.
_KERAS_NAMES: dict[Backend, str] = {"tensorflow": "tensorflow", "jax": "jax", "jax_gpu": "jax"}


def versions(backend: Backend) -> dict[str, str]:
    """Return name -> version of Python and of every package that can move a unit's numbers.

    Raises
    ------
    RunError
        If the backend is not installed.
    """
    _check_installed(backend)
    packages = [*_PACKAGES, *_BACKEND_PACKAGES[backend]]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": ".".join(map(str, sys.version_info[:3])), **found}


@cache
def processor() -> str:
    """Return what the processor is, by which records of one machine are told from another's.

    Clouds give one name to several processors. Two that were called "AMD EPYC" gave equal numbers for small networks
    and others for large ones, whose matrix products are cut into blocks by what a core can hold. So the name is
    followed by what the silicon is, by the sizes of its caches, and by the widest vectors that it knows.
    """
    model = _processor_line("model name") or _of_a_mac("machdep.cpu.brand_string") or platform.processor()
    name = f"{model or 'unknown'} ({platform.machine()})"
    silicon = [f"{words} {_processor_line(field)}" for field, words in _SILICON.items() if _processor_line(field)]
    flags = _processor_line("flags").split() or _processor_line("Features").split()
    vectors = [one for one in _VECTORS if one in flags][:1]
    caches = "/".join(_cache_sizes() or _cache_sizes_of_a_mac())
    return ", ".join([name, *silicon, *([f"caches {caches}"] if caches else []), *vectors])


def device(backend: Backend) -> str:
    """Return the name of what a unit of ``backend`` computes on: the GPU, or the processor.

    Raises
    ------
    RunError
        If it is to be a GPU and JAX is not installed, or finds none.
    """
    if backend != "jax_gpu":
        return processor()
    _check_installed(backend)
    import jax

    try:
        return f"{jax.devices('gpu')[0].device_kind} with {processor()}"
    except RuntimeError as error:
        raise RunError("backend 'jax_gpu' needs a GPU that JAX can use; there is none here") from error


def limit_threads() -> None:
    """Hold this process to one thread. Call it before any numeric package starts its threads.

    A network's loss differs between one and two threads, so a unit that may run beside others, or
    alone, or on another machine, gets one.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(THREADS)  # for what is loaded already, as NumPy is in a worker of a cluster
    os.environ.update(
        OMP_NUM_THREADS=str(THREADS),
        OPENBLAS_NUM_THREADS=str(THREADS),
        MKL_NUM_THREADS=str(THREADS),
        TF_NUM_INTRAOP_THREADS=str(THREADS),
        TF_NUM_INTEROP_THREADS=str(THREADS),
        NPROC=str(THREADS),  # the size of XLA's own thread pool
        XLA_FLAGS="--xla_cpu_multi_thread_eigen=false",
        TF_CPP_MIN_LOG_LEVEL="3",
        TF_ENABLE_ONEDNN_OPTS="1",  # a U-Net's step takes 54 ms instead of 89; on one thread its sums keep their order
    )


def select_backend(backend: Backend) -> None:
    """Make Keras use ``backend`` in this process.

    Raises
    ------
    RunError
        If the backend is not installed, there is no GPU for it, or this process already loaded Keras
        with another one.
    """
    if backend == "none":
        return
    _check_installed(backend)
    name = _KERAS_NAMES[backend]
    loaded = loaded_backend()
    if loaded not in ("none", backend):
        raise RunError(f"Keras already runs on {loaded!r} in this process; start a new one")
    os.environ["KERAS_BACKEND"] = name
    if name == "jax":
        # Where there is a GPU, JAX would take it for every unit: the backend says which of the two is meant.
        os.environ["JAX_PLATFORMS"] = "cuda,cpu" if backend == "jax_gpu" else "cpu"
        _share_compiled_programs()
    device(backend)  # raises where there is no GPU


def loaded_backend() -> Backend:
    """Return the backend that Keras was loaded with in this process, or ``none``."""
    keras = sys.modules.get("keras")
    if keras is None:
        return "none"
    name = keras.backend.backend()
    if name == "jax" and os.environ.get("JAX_PLATFORMS", "").startswith("cuda"):
        return "jax_gpu"
    return "jax" if name == "jax" else "tensorflow"


def _check_installed(backend: Backend) -> None:
    """Raise `RunError` with the way to install a backend that is not installed."""
    name = _KERAS_NAMES.get(backend)
    if name is not None and importlib.util.find_spec(name) is None:
        package = {"jax": "'.[jax]'"}.get(name, name)
        raise RunError(f"backend {backend!r} is not installed; install it with: pip install {package}")


def _share_compiled_programs() -> None:
    """Let JAX keep what it compiles for this processor: every seed of a network is the same program.

    Compiling took more than half of a small network's time. A kept program is the one that would be
    compiled again, so no number depends on it.
    """
    instructions = hashlib.sha256(f"{processor()} {_processor_line('flags')}".encode()).hexdigest()[:16]
    os.environ.update(
        JAX_COMPILATION_CACHE_DIR=str(paths.program_cache() / instructions),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
        JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
    )


@cache
def _processor_line(field: str) -> str:
    """Return what the kernel says of the first processor under ``field``; nothing where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    parts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in parts if name.strip() == field), "")


def _cache_sizes() -> list[str]:
    """Return the sizes of the data caches of the first core, the nearest first, as the kernel writes them."""
    found = {}
    for folder in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        level, kind, size = (_line_of(folder / name) for name in ("level", "type", "size"))
        if kind != "Instruction" and level in _CACHE_LEVELS and size:
            found[level] = size
    return [found[level] for level in sorted(found)]


def _cache_sizes_of_a_mac() -> list[str]:
    """Return the sizes of the caches of a core, the nearest first, as Linux would write them."""
    sizes = [_of_a_mac(name) for name in ("hw.l1dcachesize", "hw.l2cachesize")]
    return [f"{int(size) // 1024}K" for size in sizes if size.isdigit()]


def _of_a_mac(name: str) -> str:
    """Return what macOS, which has no ``/proc``, says of itself under ``name``; nothing elsewhere."""
    if platform.system() != "Darwin":
        return ""
    try:
        done = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _line_of(path: Path) -> str:
    """Return the line that a file of the kernel's holds; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
