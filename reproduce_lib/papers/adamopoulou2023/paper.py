"""Which units the thesis needs: the example, each augmentation, detectors, few records, recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from reproduce_lib.papers.adamopoulou2023 import KEY
from reproduce_lib.papers.adamopoulou2023.architecture import ArchitectureParameters, run_architecture
from reproduce_lib.papers.adamopoulou2023.detectors import DETECTORS, DetectorParameters, run_detector
from reproduce_lib.papers.adamopoulou2023.example import MODELS, ExampleParameters, run_example
from reproduce_lib.papers.adamopoulou2023.few_records import CLASSIFIERS, FewRecordParameters, run_few_records
from reproduce_lib.papers.adamopoulou2023.networks import NetworkParameters, run_network
from reproduce_lib.papers.adamopoulou2023.recipes import AUGMENTATIONS
from reproduce_lib.papers.adamopoulou2023.recovery import METHODS, RecoveryParameters, run_recovery
from reproduce_lib.papers.adamopoulou2023.seisbench_models import SeisBenchParameters, run_seisbench
from reproduce_lib.papers.adamopoulou2023.study_size import StudySizeParameters, run_study_size
from reproduce_lib.papers.adamopoulou2023.trigger_picker import TriggerParameters, run_trigger_picker
from reproduce_lib.units import Experiment, Paper, UnitParameters

SEEDS = 5
# Fig. 28 shows ten random starts.
EXAMPLE_SEEDS = 10


def naive_unit(unit: UnitParameters) -> UnitParameters | None:
    """Return what learns nothing on the same records: a trigger, no recovery, or the commonest class."""
    match unit:
        case StudySizeParameters():
            return None
        case NetworkParameters() | SeisBenchParameters():
            names = set(TriggerParameters.model_fields) - {"backend"}
            return TriggerParameters.of(**{name: getattr(unit, name) for name in names})
        case RecoveryParameters(method="network" | "spline"):
            return RecoveryParameters.of(
                profile=unit.profile,
                source=unit.source,
                dataset=unit.dataset,
                folds=unit.folds,
                seed=unit.seed,
                method="none",
            )
        case FewRecordParameters(classifier=classifier) if classifier != "commonest":
            return unit.with_values(classifier="commonest", backend=FewRecordParameters.model_fields["backend"].default)
    return None


def _full_networks() -> Iterator[NetworkParameters]:
    """Return a network of each augmentation, those that the thesis prints numbers of first."""
    printed = ("full_shift", "precomputed_shift", "channel_dropout")
    ordered = [*printed, *(one for one in AUGMENTATIONS if one not in printed)]
    for augmentation, seed in product(ordered, range(SEEDS)):
        yield NetworkParameters.of(augmentation=augmentation, seed=seed)


def _each(
    parameters: type[UnitParameters], name: str, values: tuple[Any, ...], seeds: int
) -> Callable[[], Iterator[Any]]:
    """Return what lists units of each value of a parameter and each seed."""

    def units() -> Iterator[UnitParameters]:
        for value, seed in product(values, range(seeds)):
            yield parameters.of(**{name: value}, seed=seed)

    return units


def _full_triggers() -> Iterator[TriggerParameters]:
    yield from (TriggerParameters.of(seed=seed) for seed in range(SEEDS))


def _full_architecture() -> Iterator[ArchitectureParameters]:
    yield ArchitectureParameters()


def _none() -> Iterator[UnitParameters]:
    yield from ()


def _smoke(parameters: type[UnitParameters], **values: Any) -> Callable[[], Iterator[UnitParameters]]:
    return lambda: iter([parameters.of(profile="smoke", **values)])


SMALL = {"source": "simulated", "folds": 2}
EXPERIMENTS = (
    Experiment(
        ArchitectureParameters, run_architecture, _full_architecture, _none, deterministic=True
    ),
    Experiment(
        ExampleParameters, run_example, _each(ExampleParameters, "model", MODELS, EXAMPLE_SEEDS),
        _smoke(ExampleParameters, epochs=1),
    ),
    Experiment(
        FewRecordParameters, run_few_records, _each(FewRecordParameters, "classifier", CLASSIFIERS, SEEDS),
        _smoke(FewRecordParameters, source="simulated", records=20),
    ),
    Experiment(
        DetectorParameters, run_detector, _each(DetectorParameters, "detector", DETECTORS, SEEDS),
        _smoke(DetectorParameters, **SMALL),
    ),
    Experiment(TriggerParameters, run_trigger_picker, _full_triggers, _smoke(TriggerParameters, **SMALL)),
    Experiment(
        NetworkParameters, run_network, _full_networks, _smoke(NetworkParameters, **SMALL, epochs=1, windows=20)
    ),
    Experiment(
        RecoveryParameters, run_recovery, _each(RecoveryParameters, "method", METHODS, SEEDS),
        _smoke(RecoveryParameters, **SMALL, epochs=1, windows=20),
    ),
    Experiment(SeisBenchParameters, run_seisbench, _none, _none),
    Experiment(StudySizeParameters, run_study_size, _none, _none),
)  # fmt: skip
PAPER = Paper(
    key=KEY,
    experiments={experiment.name: experiment for experiment in EXPERIMENTS},
    naive=naive_unit,
    main=NetworkParameters.experiment,
)
