"""The machine and the versions that a unit ran on, and the limits put on its worker process."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from functools import cache
from pathlib import Path

from reproduce_lib.errors import RunError
from reproduce_lib.units import Backend

THREADS = 1
# Packages whose version can move a number.
_PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "keras")
_BACKEND_PACKAGES = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "none": ()}


def versions(backend: Backend) -> dict[str, str]:
    """Return name -> version of Python and of every package that can move a unit's numbers."""
    packages = [*_PACKAGES, *_BACKEND_PACKAGES[backend]]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": ".".join(map(str, sys.version_info[:3])), **found}


@cache
def processor() -> str:
    """Return the processor's model name, by which records of one machine are told from another's."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or 'unknown'} ({platform.machine()})"


def limit_threads() -> None:
    """Hold this process to one thread. Call it before any numeric package starts its threads.

    A network's loss differs between one and two threads, so a unit that may run beside others, or
    alone, or on another machine, gets one.
    """
    os.environ.update(
        OMP_NUM_THREADS=str(THREADS),
        OPENBLAS_NUM_THREADS=str(THREADS),
        MKL_NUM_THREADS=str(THREADS),
        TF_NUM_INTRAOP_THREADS=str(THREADS),
        TF_NUM_INTEROP_THREADS=str(THREADS),
        NPROC=str(THREADS),  # the size of XLA's own thread pool
        XLA_FLAGS="--xla_cpu_multi_thread_eigen=false",
        TF_CPP_MIN_LOG_LEVEL="3",
        TF_ENABLE_ONEDNN_OPTS="0",  # its sums are reordered between runs and processors
    )


def select_backend(backend: Backend) -> None:
    """Make Keras use ``backend`` in this process.

    Raises
    ------
    RunError
        If the backend is not installed, or this process already loaded Keras with another one.
    """
    if backend == "none":
        return
    if importlib.util.find_spec(backend) is None:
        raise RunError(f"backend {backend!r} is not installed; install it with: pip install '.[{backend}]'")
    keras = sys.modules.get("keras")
    if keras is not None and keras.backend.backend() != backend:
        raise RunError(f"Keras already runs on {keras.backend.backend()!r} in this process; start a new one")
    os.environ["KERAS_BACKEND"] = backend
