"""The pretrained pickers of SeisBench (section 4.3.1) on the pinned records; needs the extra ``seisbench``."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from reproduce_lib.augmentations import Values
from reproduce_lib.data.waveforms import COMPONENTS, RATE
from reproduce_lib.errors import DataError
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW
from reproduce_lib.papers.adamopoulou2023.scores import PickerParameters, judge_on_folds
from reproduce_lib.units import UnitResult

# CRED, the sixth of section 4.3.1, detects and names no phase, so that there is nothing to judge it by here.
PickerName = Literal["BasicPhaseAE", "DPPDetector", "EQTransformer", "GPD", "PhaseNet"]


class SeisBenchParameters(PickerParameters):
    """One model of SeisBench with weights that it downloads, or ``untrained``; thresholds are chosen as a network's.

    Its weights were trained elsewhere, perhaps on records like these, so a score is no test of generalisation.
    """

    experiment: ClassVar[str] = "seisbench"

    model: PickerName = "PhaseNet"
    weights: str = "original"

    @model_validator(mode="after")
    def _is_a_page_of_ones_own(self) -> Self:
        if self.profile == "full":
            raise ValueError("weights of others are no part of the recorded set; use profile custom")
        return self


def run_seisbench(parameters: SeisBenchParameters) -> UnitResult:
    """Judge a model on every fold by the rules that the networks are judged by."""
    return judge_on_folds(probabilities_of(load_model(parameters.model, parameters.weights)), parameters)


def load_model(name: PickerName, weights: str) -> Any:
    """Return a model of SeisBench, or raise `DataError` if it is not installed or has no such weights."""
    try:
        import seisbench.models
    except ImportError as error:
        raise DataError(f"SeisBench is not installed ({error}); install reproduce-lib[seisbench]") from error
    model = getattr(seisbench.models, name)
    if weights == "untrained":
        return model()
    try:
        return model.from_pretrained(weights)
    except (ValueError, OSError) as error:
        raise DataError(f"SeisBench has no weights {weights!r} of {name} here: {error}") from error


def probabilities_of(model: Any) -> Any:
    """Return what gives the probabilities of noise, P and S (windows, times, 3), by the model's own annotation.

    A model that wants more samples than a window has sees it continued by its mirror image on either side: SeisBench
    annotates nothing of a stream that is too short.

    Raises
    ------
    DataError
        If the model annotates neither P nor S: a detector is no picker.
    """

    def give(values: Values) -> NDArray[np.float32]:
        found = np.zeros((len(values), WINDOW, 3), dtype=np.float32)
        before, after = _margins(int(model.in_samples) - WINDOW)
        longer = np.pad(values, ((0, 0), (before, after), (0, 0)), mode="reflect")
        for window, record in enumerate(longer):
            annotated = {_phase_of(trace): trace for trace in model.annotate(_stream(record, before))}
            if not annotated.keys() & {1, 2}:
                raise DataError(f"{type(model).__name__} annotates neither P nor S: {sorted(map(str, annotated))}")
            for phase in (1, 2):
                if phase in annotated:
                    _lay(found[window, :, phase], annotated[phase])
        found[:, :, 0] = 1 - found[:, :, 1:].max(axis=-1)
        return found

    return give


def _margins(missing: int) -> tuple[int, int]:
    before = max(missing, 0) // 2
    return before, max(missing, 0) - before


def _phase_of(trace: Any) -> int | str:
    """Return 1 for P, 2 for S, and the name of anything else."""
    name = str(trace.stats.channel).rsplit("_", 1)[-1]
    return {"P": 1, "S": 2}.get(name, name)


def _stream(record: Values, before: int) -> Any:
    """Return a record as ObsPy has it; time 0 is ``before`` samples after its first."""
    from obspy import Stream, Trace, UTCDateTime

    about = {"network": "XX", "station": "RR", "sampling_rate": RATE, "starttime": UTCDateTime(0) - before / RATE}
    return Stream(
        Trace(np.ascontiguousarray(record[:, number]), {**about, "channel": f"HH{letter}"})
        for number, letter in enumerate(COMPONENTS)
    )


def _lay(row: NDArray[np.float32], trace: Any) -> None:
    """Write an annotation into its window; a model may leave the edges out, and give fewer samples a second."""
    times = (float(trace.stats.starttime) + np.arange(len(trace.data)) / trace.stats.sampling_rate) * RATE
    if len(times):
        row[:] = np.interp(np.arange(len(row)), times, np.nan_to_num(trace.data), left=0.0, right=0.0)
