"""PhaseNet as built: its trainable weights, and whether it picks with the released ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from reproduce_lib.data import sources
from reproduce_lib.data.registry import data_file, data_files
from reproduce_lib.data.waveforms import RATE, load_noise, load_traces
from reproduce_lib.papers.adamopoulou2023 import KEY
from reproduce_lib.papers.adamopoulou2023.phasenet import build_phasenet, load_released_weights
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW, Study, windows_at
from reproduce_lib.papers.adamopoulou2023.scores import candidates
from reproduce_lib.papers.adamopoulou2023.training import forecast
from reproduce_lib.picks import residuals
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitParameters, UnitResult

WEIGHTS = "waveforms/phasenet_weights/"
# A pick counts from this probability on, and within this many seconds, on records above this ratio (dB).
THRESHOLD, TOLERANCE, LEAST_SNR = 0.3, 0.1, 15.0
PLACE = 10.0 * RATE


class ArchitectureParameters(UnitParameters):
    """The one network with the one set of released weights."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "architecture"

    backend: Literal["tensorflow", "jax"] = "tensorflow"


def run_architecture(_: ArchitectureParameters) -> UnitResult:
    """Count weights, load the release, and pick P in every record of Northern California.

    The release was trained on records of the same network, perhaps on these: that it picks shows that the layers are
    the same, and nothing else.
    """
    start_afresh(0)
    model = build_phasenet(WINDOW)
    files = _load_weights(model)
    traces = load_traces(("phasenet_ncedc", "ceed_ncedc", "denoiser_ncedc"))
    study = Study(traces, load_noise(traces))
    rows = np.arange(len(traces))
    windows = windows_at(study, rows, np.full(len(rows), PLACE))
    picks = candidates(lambda inputs: forecast(model, inputs), windows.values)[0].above(THRESHOLD)
    late = np.abs(residuals(picks, windows.arrivals[:, :, 0]))
    found = np.isin(rows, picks.window[late <= TOLERANCE * RATE])
    clear = (traces.table["snr"] > LEAST_SNR).to_numpy()
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    metrics = {
        "weights": float(trainable),
        "found": 100 * float(found[clear].mean()),
        "clear": float(clear.sum()),
    }
    return UnitResult({**metrics}, int(clear.sum()), {**traces.files, **files})


def _load_weights(model: object) -> dict[str, str]:
    names = [name for name in data_files() if name.startswith(WEIGHTS)]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (Path(folder) / name.removeprefix(WEIGHTS)).write_bytes(sources.read(name))
        stem = next(name for name in names if name.endswith(".index")).removeprefix(WEIGHTS).removesuffix(".index")
        load_released_weights(model, Path(folder) / stem)
    return {name: data_file(name).sha256 for name in names}
