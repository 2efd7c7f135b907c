"""Where the time of each paper's slowest unit goes, in a new worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.pairs import in_new_process
from reproduce_lib.book.speed import Profile, Share
from reproduce_lib.collection import load_paper, rebuilt
from reproduce_lib.execution.study import store_for, unit_statuses
from reproduce_lib.units import UnitParameters

# Time by what a function belongs to; whatever it calls counts where it belongs itself.
PROFILE = """
import cProfile, json, pstats, sys, time
from reproduce_lib.execution.worker import Failed, execute

profile = cProfile.Profile()
begun = time.perf_counter()
outcome = profile.runcall(execute, *json.loads(sys.argv[1]))
seconds = time.perf_counter() - begun
assert not isinstance(outcome, Failed), outcome
parts = {}
for (file, _, function), (_, _, own, _, _) in pstats.Stats(profile).stats.items():
    path = file.replace("\\\\", "/")
    if "importlib" in path or function == "<module>" or "create_dynamic" in function or "marshal.loads" in function:
        part = "importing packages"
    elif "backend_compile" in function or "_compile" in function or "deserialize_executable" in function:
        part = "compiling with XLA"
    elif "/jax/" in path or "jaxlib" in path + function:  # its compiled functions have no path
        part = "JAX: tracing, dispatch and waiting for results"
    elif "/tensorflow/" in path or "TFE_Py" in function or "tensorflow" in function:
        part = "TensorFlow: tracing and running steps"
    elif "/keras/" in path:
        part = "Keras: building and the training loop"
    elif "reproduce_lib" in path or "/sklearn/" in path or "/pandas/" in path:
        part = "data, windows and scores"
    else:
        part = "everything else (Python's and NumPy's own)"
    parts[part] = parts.get(part, 0.0) + own
print(json.dumps({"seconds": seconds, "parts": parts}))
"""


def slowest_units() -> Iterator[Profile]:
    """Profile the recorded unit of each paper that took longest, with nothing compiled before."""
    for key in rebuilt():
        statuses = unit_statuses(load_paper(key).full_units(), store_for("full"))
        recorded = [(status.record.seconds, status.unit) for status in statuses if status.record is not None]
        if recorded:
            _, unit = max(recorded, key=lambda one: one[0])
            yield _profile(unit)


def _profile(unit: UnitParameters) -> Profile:
    asked = json.dumps([unit.paper, unit.experiment, unit.model_dump(mode="json")])
    done = in_new_process(PROFILE, asked, JAX_ENABLE_COMPILATION_CACHE="false")
    total = sum(done["parts"].values())
    parts = sorted(done["parts"].items(), key=lambda part: -part[1])
    shares = [Share(where=where, share=own / total) for where, own in parts]
    return Profile(paper=unit.paper, unit=unit.label, seconds=done["seconds"], shares=shares)
