"""What an installed SeisBench says of the models and datasets that the thesis lists (sections 4.3.1 and 4.3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

# What section 4.3.1 says that each model is for.
TASKS = {
    "BasicPhaseAE": "picks",
    "CRED": "detects",
    "DPP": "picks",
    "EQT": "detects and picks",
    "GPD": "picks",
    "PhaseNet": "picks",
}
# Names of the package for those of the thesis.
MODELS = {
    "BasicPhaseAE": "BasicPhaseAE",
    "CRED": "CRED",
    "DPP": "DPPDetector",
    "EQT": "EQTransformer",
    "GPD": "GPD",
    "PhaseNet": "PhaseNet",
}
DATASETS = {
    "ETHZ": "ETHZ",
    "GEOGON": "GEOFON",
    "INSTANCE": "InstanceCountsCombined",
    "Iquique": "Iquique",
    "LENDB": "LENDB",
    "SCEDC": "SCEDC",
    "STEAD": "STEAD",
    "NEIC": "NEIC",
}
ABSENT = "not there"


class Entry(NamedTuple):
    """One line of the inventory; what the thesis or the package does not say is a dash."""

    thesis: str
    kind: str
    task: str
    package: str
    samples: str = "–"
    labels: str = "–"
    weights: str = "–"
    pretrained: str = "–"


def inventory() -> tuple[list[Entry], bool]:
    """Return what the thesis lists, with what the installed package has of it, and whether there is one."""
    try:
        models, data = import_module("seisbench.models"), import_module("seisbench.data")
    except ImportError:
        return [_entry(name, "–") for name in (*MODELS, *DATASETS)], False
    return [*_models(models), *_datasets(data)], True


def _entry(thesis: str, *of_package: str) -> Entry:
    return Entry(thesis, "model" if thesis in MODELS else "dataset", TASKS.get(thesis, "–"), *of_package)


def _models(package: Any) -> Iterator[Entry]:
    for thesis, name in MODELS.items():
        if not hasattr(package, name):
            yield _entry(thesis, ABSENT)
            continue
        model = getattr(package, name)()
        weights = sum(int(one.numel()) for one in model.parameters() if one.requires_grad)
        labels = "".join(map(str, model.labels)) if model.labels else "–"
        yield _entry(thesis, name, str(model.in_samples), labels, f"{weights:,}", _pretrained(model))


def _pretrained(model: Any) -> str:
    """Return the names of a model's weights that are on this machine: asking for all of them needs a network."""
    return ", ".join(sorted(model.list_pretrained(remote=False))) or "none here"


def _datasets(package: Any) -> Iterator[Entry]:
    for thesis, name in DATASETS.items():
        yield _entry(thesis, name if hasattr(package, name) else ABSENT)
