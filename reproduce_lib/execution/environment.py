"""The machine and the versions that a unit ran on, and the limits put on its worker process."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from functools import cache
from pathlib import Path

from reproduce_lib import paths
from reproduce_lib.errors import RunError
from reproduce_lib.units import Backend

THREADS = 1
# Packages whose version can move a number.
_PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "keras")
_BACKEND_PACKAGES = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "jax_gpu": ("jax", "jaxlib"), "none": ()}
_KERAS_NAMES = {"tensorflow": "tensorflow", "jax": "jax", "jax_gpu": "jax"}


def versions(backend: Backend) -> dict[str, str]:
    """Return name -> version of Python and of every package that can move a unit's numbers."""
    packages = [*_PACKAGES, *_BACKEND_PACKAGES[backend]]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": ".".join(map(str, sys.version_info[:3])), **found}


@cache
def processor() -> str:
    """Return the processor's model name, by which records of one machine are told from another's."""
    return f"{_processor_line('model name') or platform.processor() or 'unknown'} ({platform.machine()})"


def device(backend: Backend) -> str:
    """Return the name of what a unit of ``backend`` computes on: the GPU, or the processor."""
    if backend != "jax_gpu":
        return processor()
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
    name = _KERAS_NAMES[backend]
    if importlib.util.find_spec(name) is None:
        raise RunError(f"backend {backend!r} is not installed; install it with: pip install '.[{name}]'")
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
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")
