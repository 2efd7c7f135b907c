"""SeisBench without SeisBench: models that annotate as its own do; with it, untrained ones of each kind."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
from obspy import Stream, Trace

from reproduce_lib.data.waveforms import RATE
from reproduce_lib.errors import DataError, ParameterError
from reproduce_lib.papers.adamopoulou2023 import seisbench_inventory
from reproduce_lib.papers.adamopoulou2023.samples import WINDOW
from reproduce_lib.papers.adamopoulou2023.seisbench_inventory import ABSENT, DATASETS, MODELS, installed_inventory
from reproduce_lib.papers.adamopoulou2023.seisbench_models import (
    PickerName,
    SeisBenchParameters,
    load_model,
    probabilities_of,
    run_seisbench,
)

SPIKES = {"P": 700, "S": 1900}


class Annotating:
    """Annotates as SeisBench does: nothing of a stream shorter than its window, edges left out, one trace a phase.

    What it says of a phase at a time is the vertical there, less one hundredth for S.
    """

    labels = "NPS"

    def __init__(self, in_samples: int = 3001, phases: str = "NPS", edge: int = 0, rate: int = RATE) -> None:
        self.in_samples, self.phases, self.edge, self.rate = in_samples, phases, edge, rate

    def annotate(self, stream: Stream) -> Stream:
        (vertical,) = stream.select(channel="HHZ")
        if vertical.stats.npts < self.in_samples:
            return Stream()
        step = RATE // self.rate
        seen = vertical.data[self.edge : len(vertical.data) - self.edge : step]
        start = vertical.stats.starttime + self.edge / RATE
        return Stream(
            Trace(
                seen - 0.01 * (phase == "S"),
                {"channel": f"Fake_{phase}", "starttime": start, "sampling_rate": self.rate},
            )
            for phase in self.phases
        )


def windows() -> Any:
    """Return one window whose vertical is 0 but for two spikes."""
    values = np.zeros((1, WINDOW, 3), dtype=np.float32)
    values[0, list(SPIKES.values()), 2] = 0.5
    return values


@pytest.mark.parametrize("in_samples", [400, WINDOW, WINDOW + 1, 6000])
def test_annotations_stand_where_the_window_has_them(in_samples: int) -> None:
    found = probabilities_of(Annotating(in_samples))(windows())
    assert found.shape == (1, WINDOW, 3)
    for phase, taken in ((1, 0.0), (2, 0.01)):
        assert sorted(np.flatnonzero(found[0, :, phase] > 0.4)) == sorted(SPIKES.values())
        assert found[0, SPIKES["P"], phase] == pytest.approx(0.5 - taken)
    assert found[0, :, 0] == pytest.approx(1 - found[0, :, 1:].max(axis=-1))


def test_edges_that_are_left_out_are_0_and_fewer_samples_a_second_are_filled_in() -> None:
    found = probabilities_of(Annotating(400, edge=750, rate=50))(windows())
    assert not found[0, :750, 1].any()
    assert not found[0, WINDOW - 750 :, 1].any()
    assert found[0, SPIKES["S"], 1] == pytest.approx(0.5)
    assert found[0, SPIKES["S"] + 1, 1] == pytest.approx(0.25)


def test_model_without_p_and_s_is_refused() -> None:
    with pytest.raises(DataError, match=r"Annotating annotates neither P nor S.*Detection"):
        probabilities_of(Annotating(phases=["Detection"]))(windows())  # type: ignore[arg-type]
    assert "CRED" not in get_args(PickerName)
    with pytest.raises(ParameterError, match="PhaseNet"):
        SeisBenchParameters.of(profile="custom", model="CRED")


def test_one_phase_alone_leaves_the_other_at_0() -> None:
    found = probabilities_of(Annotating(phases="P"))(windows())
    assert found[0, :, 1].any()
    assert not found[0, :, 2].any()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Install a package with the names of SeisBench, without NEIC and GPD."""
    package, models, data = (ModuleType(name) for name in ("seisbench", "seisbench.models", "seisbench.data"))
    parameter = SimpleNamespace(numel=lambda: 1234, requires_grad=True)
    fixed = SimpleNamespace(numel=lambda: 5, requires_grad=False)

    class Model(Annotating):
        parameters = staticmethod(lambda: [parameter, fixed])

        @classmethod
        def from_pretrained(cls, name: str) -> Any:
            raise ValueError(f"no {name}")

        @classmethod
        def list_pretrained(cls, remote: bool) -> list[str]:
            assert not remote
            return ["stead", "original"]

    for name in MODELS.values():
        if name != "GPD":
            setattr(models, name, Model)
    for name in DATASETS.values():
        if name != "NEIC":
            setattr(data, name, object)
    for name, module in (("models", models), ("data", data)):
        setattr(package, name, module)
        monkeypatch.setitem(sys.modules, f"seisbench.{name}", module)
    monkeypatch.setitem(sys.modules, "seisbench", package)
    return package


def test_inventory_says_what_the_package_has(package: ModuleType) -> None:
    found = {one.thesis: one for one in installed_inventory() or []}
    assert set(found) == {*MODELS, *DATASETS}
    assert found["PhaseNet"] == ("PhaseNet", "model", "PhaseNet", "3001", "NPS", "1,234", "original, stead")
    assert found["GPD"].package == found["NEIC"].package == ABSENT
    assert found["GEOGON"].package == "GEOFON"


def test_without_the_package_there_is_no_inventory_and_models_say_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("seisbench", "seisbench.models", "seisbench.data"):
        monkeypatch.setitem(sys.modules, name, None)
    assert installed_inventory() is None
    with pytest.raises(DataError, match=r"reproduce-lib\[seisbench\]"):
        load_model("PhaseNet", "original")


def test_weights_that_are_not_there_are_named(package: ModuleType) -> None:
    assert isinstance(load_model("PhaseNet", "untrained"), Annotating)
    with pytest.raises(DataError, match="no weights 'nowhere' of PhaseNet"):
        load_model("PhaseNet", "nowhere")


@pytest.mark.slow
def test_a_model_is_judged_as_a_network_is(package: ModuleType) -> None:
    found = run_seisbench(
        SeisBenchParameters.of(profile="custom", source="simulated", weights="untrained", folds=2, threshold=0.5)
    )
    assert 0 <= found.metrics["pick_f1[p]"] <= 1
    assert found.n > 10


@pytest.mark.parametrize("name", get_args(PickerName))
def test_untrained_models_of_the_package_annotate_windows(name: PickerName) -> None:
    pytest.importorskip("seisbench")
    values = np.random.default_rng(0).normal(size=(2, WINDOW, 3)).astype(np.float32)
    found = probabilities_of(load_model(name, "untrained"))(values)
    assert np.isfinite(found).all()
    assert found[:, :, 1:].any()


def test_inventory_names_what_the_thesis_lists() -> None:
    assert len(seisbench_inventory.MODELS) == 6
    assert len(seisbench_inventory.DATASETS) == 8
