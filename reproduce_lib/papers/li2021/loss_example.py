"""The worked example of section III-C: which whole numbers of samples give the printed weights."""

from __future__ import annotations

from itertools import product
from typing import ClassVar

import numpy as np

from reproduce_lib.papers.li2021.class_weights import class_weights
from reproduce_lib.papers.li2021.regions import KEY
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

# What the example prints: the weights, lambda, and the first count of the batch and of the population.
WEIGHTS = (0.0374, 0.2177, 0.3134, 0.3134, 0.1180)
SHARE = 0.8
FIRST_OF_BATCH, FIRST_OF_POPULATION = 10, 8
# Printed with four digits.
ROUNDING = 0.00005
LARGEST_COUNT = 12


class LossExampleParameters(UnitParameters):
    """The one example."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "loss_example"


def run_loss_example(_: LossExampleParameters) -> UnitResult:
    """Look for all counts up to `LARGEST_COUNT` of the other classes that give the weights to all printed digits."""
    found = solutions()
    metrics: dict[str, MetricValue] = {"solutions": float(len(found))}
    if len(found) == 1:
        batch, population = found[0]
        weights = class_weights(np.array(batch, float), np.array(population, float), SHARE)
        metrics |= {f"weight[{number}]": float(weight) for number, weight in enumerate(weights)}
        metrics |= {
            "batch": ", ".join(map(str, batch)),
            "population": ", ".join(map(str, population)),
            "batch_size": float(sum(batch)),
            "population_size": float(sum(population)),
            "classes_with_more_in_the_batch": float(sum(b > p for b, p in zip(batch, population, strict=True))),
            "ratio": ":".join(str(round(100 * weight)) for weight in weights),
        }
    return UnitResult(metrics, len(found))


def solutions() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return every pair of batch and population counts that gives the printed weights."""
    counts = range(1, LARGEST_COUNT + 1)
    inverse = 1 / np.array(list(product(counts, repeat=4)), dtype=float)
    batches = np.column_stack([np.full(len(inverse), 1 / FIRST_OF_BATCH), inverse])
    of_batch = SHARE * batches / batches.sum(axis=1, keepdims=True)
    # What is left of the weights has to be the population's: inverse counts with the printed first one.
    left = (np.array(WEIGHTS) - of_batch) / (1 - SHARE)
    possible = (left > 0).all(axis=1)
    batches, left = batches[possible], left[possible]
    populations = FIRST_OF_POPULATION * left[:, :1] / left
    near = (np.abs(populations - np.round(populations)) < 0.1 * populations).all(axis=1)
    found = []
    for batch, population in zip(np.round(1 / batches[near]), np.round(populations[near]), strict=True):
        if (population >= 1).all() and _gives_the_weights(batch, population):
            found.append((tuple(map(int, batch)), tuple(map(int, population))))
    return found


def _gives_the_weights(batch: np.ndarray, population: np.ndarray) -> bool:
    return bool((np.abs(class_weights(batch, population, SHARE) - WEIGHTS) <= ROUNDING).all())
