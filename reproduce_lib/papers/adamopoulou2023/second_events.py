"""Two earthquakes in one window (Fig. 35): which of them are picked."""

from __future__ import annotations

import numpy as np

from reproduce_lib.augmentations import Rows, Windows, log_uniform, superpose_events
from reproduce_lib.data.waveforms import RATE
from reproduce_lib.papers.adamopoulou2023.group_sums import summed
from reproduce_lib.papers.adamopoulou2023.judged import Judged
from reproduce_lib.papers.adamopoulou2023.pickers import Picker
from reproduce_lib.papers.adamopoulou2023.samples import (
    PAIRING,
    WINDOW,
    Fold,
    Places,
    SampleParameters,
    Study,
    clear_rows,
    possible_places,
    rows_with_places,
    windows_at,
)
from reproduce_lib.picks import match, match_windows

# The second earthquake is from a tenth to a half as strong.
SECOND_RATIOS, SECOND_SEPARATION = (0.1, 0.5), 2.0 * RATE
# Where P of each of them stands in the window, in samples.
FIRST_PLACES, SECOND_PLACES = (2.0 * RATE, 8.0 * RATE), (14.0 * RATE, 24.0 * RATE)
PAIRS = 200
# Pairs of the first fold that a picture shows.
SHOWN = 2


def second_events(
    found: Judged, picker: Picker, parameters: SampleParameters, study: Study, fold: Fold, number: int
) -> None:
    """Put a weaker earthquake behind another of the same fold, and see which of the two are picked."""
    pairs, of_event = pairs_of(parameters, study, fold, number)
    count = study.groups.max() + 1
    for phase, phase_number, ending, chosen, tolerance in picker.readings(picker.picks(pairs)):
        for event, (name, rows) in enumerate(zip(("first", "second"), of_event, strict=True)):
            arrivals = pairs.arrivals[:, event : event + 1, phase_number]
            hits, _, missed = match_windows(chosen, arrivals, WINDOW, tolerance).T
            found.add(
                f"pick_recall[{phase},{name} event{ending}]", summed(study.groups[rows], count, hits, hits + missed)
            )
        # More picks everywhere would recall more second events too: what is false among them tells.
        found.counts[f"{phase},pairs{ending}"] = match(chosen, pairs.arrivals[:, :, phase_number], WINDOW, tolerance)
    if number == 0:
        found.shown["pairs_shown"] = picker.probabilities(pairs.values[:SHOWN])


def pairs_of(parameters: SampleParameters, study: Study, fold: Fold, number: int) -> tuple[Windows, tuple[Rows, Rows]]:
    """Return windows with a second, weaker earthquake, and the records of the first and of the second."""
    generator = parameters.generator(PAIRING, number)
    clear = clear_rows(study, fold.test)
    (first, of_first), (second, of_second) = (
        _drawn(study, clear, places, generator) for places in (FIRST_PLACES, SECOND_PLACES)
    )
    ratios = log_uniform(PAIRS, *SECOND_RATIOS, generator)
    pairs = superpose_events(first, second, ratios, SECOND_SEPARATION)
    own = np.flatnonzero(~np.isnan(pairs.arrivals[:, 1, 0]))
    return pairs.among(own), (of_first[own], of_second[own])


def _drawn(study: Study, rows: Rows, places: Places, generator: np.random.Generator) -> tuple[Windows, Rows]:
    """Draw records in which P can stand at some of these places, and put it at one of them."""
    chosen = generator.choice(rows_with_places(study, rows, places, every=False), PAIRS)
    return windows_at(study, chosen, generator.uniform(*possible_places(study, chosen, places))), chosen
