"""What an installed SeisBench says of the models and datasets that the thesis lists (sections 4.3.1 and 4.3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

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
    """One line of the inventory; what the package does not say is a dash."""

    thesis: str
    kind: str
    package: str
    samples: str = "–"
    labels: str = "–"
    weights: str = "–"
    pretrained: str = "–"


def installed_inventory() -> list[Entry] | None:
    """Return what the installed package has of what the thesis lists, or nothing if it is not installed."""
    try:
        models, data = import_module("seisbench.models"), import_module("seisbench.data")
    except ImportError:
        return None
    return [*_models(models), *_datasets(data)]


def _models(package: Any) -> Iterator[Entry]:
    for thesis, name in MODELS.items():
        if not hasattr(package, name):
            yield Entry(thesis, "model", ABSENT)
            continue
        model = getattr(package, name)()
        weights = sum(int(one.numel()) for one in model.parameters() if one.requires_grad)
        labels = "".join(map(str, model.labels)) if model.labels else "–"
        yield Entry(thesis, "model", name, str(model.in_samples), labels, f"{weights:,}", _pretrained(model))


def _pretrained(model: Any) -> str:
    """Return the names of a model's weights that are on this machine: asking for all of them needs a network."""
    return ", ".join(sorted(model.list_pretrained(remote=False))) or "none here"


def _datasets(package: Any) -> Iterator[Entry]:
    for thesis, name in DATASETS.items():
        yield Entry(thesis, "dataset", name if hasattr(package, name) else ABSENT)
