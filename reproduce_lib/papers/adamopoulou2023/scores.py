"""What a picker is worth: scores by phase, signal and component, places of P, second events, defects, quiet hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.augmentations import (
    ARTIFACTS,
    Rows,
    Values,
    Windows,
    add_artifacts,
    log_uniform,
    slices,
    standardise,
    superpose_events,
)
from reproduce_lib.data.continuous import ContinuousRecord, load_continuous
from reproduce_lib.data.waveforms import COMPONENTS, RATE, Dataset, Noise, load_traces
from reproduce_lib.papers.adamopoulou2023.detection import detection_scores
from reproduce_lib.papers.adamopoulou2023.samples import (
    ARTIFACTS as ARTIFACT_STREAM,
)
from reproduce_lib.papers.adamopoulou2023.samples import (
    FAR_AWAY,
    HIGH_SNR,
    NOISE,
    PAIRING,
    TESTING,
    WINDOW,
    Fold,
    SampleParameters,
    Study,
    clear_rows,
    folds_of,
    load_study,
    noise_windows,
    test_windows,
    windows_at,
)
from reproduce_lib.picks import Counts, Picks, best_threshold, find_picks, match, match_windows
from reproduce_lib.triggers import LONG, sta_lta
from reproduce_lib.units import MetricValue, UnitResult

PHASES = ("p", "s")
# What a tested record keeps: Table 4.
Components = Literal["enz", "en", "e", "n", "z"]
SUBSETS: tuple[Components, ...] = get_args(Components)
LEAST = 0.05
TOLERANCES = (0.1, 0.3, 0.5)
THRESHOLDS = (0.1, 0.3, 0.5, 0.7)
# Thresholds that the orders of Figures 35 to 37 and of Table 4 are counted at, beside those that validation chose: the
# study set one, and prints none. None stands for the chosen ones.
READINGS: dict[str, float | None] = {"": None, ",from 0.5": 0.5}
# Fig. 34: P at each second of the window; three of them are drawn.
PLACES = np.arange(1, 30)
# Fig. 35: the second earthquake is from a tenth to a half as strong.
SECOND_RATIOS, SECOND_SEPARATION = (0.1, 0.5), 2.0 * RATE
PAIRS, NOISE_WINDOWS = 200, 200
# Records of another country, which nothing was trained on or chosen by.
ELSEWHERE: tuple[Dataset, ...] = ("tlpn_china",)
# A window of the continuous records is quiet where the ratio of averages stays below this.
QUIET_BELOW = 3.0

Give = Callable[[Values], NDArray[np.float32]]


class PickerParameters(SampleParameters):
    """How a picker is judged.

    ``tolerance`` is how far a pick may lie from the analyst's and still be one (seconds), ``threshold`` the
    probability from which a peak is a pick, or ``validation`` for the one of the best F1 on the validation records,
    and ``components`` what the tested records keep for the main scores.
    """

    tolerance: float = Field(default=0.1, gt=0, le=5)
    threshold: float | Literal["validation"] = "validation"
    components: Components = "enz"


@dataclass(frozen=True)
class Picker:
    """Something that gives probabilities of noise, P and S, and the thresholds of P and S from which it picks."""

    give: Give
    thresholds: tuple[float, ...]

    def picks(self, windows: Windows) -> list[Picks]:
        """Return candidate picks of P and of S."""
        return candidates(self.give, windows.values)

    def readings(self, picks: Sequence[Picks]) -> Iterator[tuple[str, int, str, Picks]]:
        """Yield what is left of candidate picks: phase, its number, what a score's name ends with, and the picks."""
        for number, phase in enumerate(PHASES):
            for ending, threshold in READINGS.items():
                yield phase, number, ending, picks[number].above(threshold or self.thresholds[number])


@dataclass
class Judged:
    """Counts that add up over folds, and values that are averaged over them.

    Attributes
    ----------
    counts : name -> hits, false picks, missed arrivals
    recalls : name -> the same, where only what was missed means anything
    rates : name -> (picks, hours)
    means : name -> values, one for each fold
    arrays : name -> curve
    records : hits, false picks and missed arrivals of each record, shape (records, phases, 1 + subsets, 3): in all
        windows with the components that the parameters name, and above 20 dB with each subset
    """

    counts: dict[str, Counts] = field(default_factory=dict)
    recalls: dict[str, Counts] = field(default_factory=dict)
    rates: dict[str, tuple[float, float]] = field(default_factory=dict)
    means: dict[str, list[float]] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    records: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, 0, 0, 3), dtype=np.intp))

    @property
    def arrivals(self) -> int:
        """Return how many arrivals of P and S the main scores are over."""
        return sum(self.counts[phase].hits + self.counts[phase].missed for phase in PHASES)

    @property
    def metrics(self) -> dict[str, MetricValue]:
        """Return every score by name."""
        found: dict[str, MetricValue] = {}
        for name, counts in self.counts.items():
            found[f"pick_precision[{name}]"] = counts.precision
            found[f"pick_recall[{name}]"] = counts.recall
            found[f"pick_f1[{name}]"] = counts.f1
        for name, counts in self.recalls.items():
            found[f"pick_recall[{name}]"] = counts.recall
        for name, (picks, hours) in self.rates.items():
            found[f"picks_per_hour[{name}]"] = picks / hours if hours else 0.0
        for name, values in self.means.items():
            found[name] = float(np.mean(values))
        return found


def candidates(give: Give, values: Values) -> list[Picks]:
    """Return peaks of P and of S in windows that are not scaled yet."""
    probability = give(standardise(values))
    return [find_picks(probability[:, :, 1 + number], LEAST) for number in range(len(PHASES))]


def picker_of(give: Give, parameters: PickerParameters, validation: Windows) -> Picker:
    """Return a picker with the thresholds that a unit names, or with those of the best F1 on validation windows."""
    if parameters.threshold != "validation":
        return Picker(give, (float(parameters.threshold),) * len(PHASES))
    return Picker(give, choose_thresholds(give, validation, parameters.tolerance))


def choose_thresholds(give: Give, windows: Windows, tolerance: float) -> tuple[float, ...]:
    """Return for P and for S the threshold with the best F1 on windows that nothing is judged by."""
    found = candidates(give, windows.values)
    return tuple(
        best_threshold(picks, windows.arrivals[:, :, number], WINDOW, tolerance * RATE)
        for number, picks in enumerate(found)
    )


def judge_on_folds(give: Give, parameters: PickerParameters) -> UnitResult:
    """Judge what learns nothing here on every fold, with thresholds that its validation records choose."""
    study = load_study(parameters)
    judged = []
    for number, fold in enumerate(folds_of(parameters, study)):
        validation = test_windows(study, fold.validation, parameters.generator(TESTING, number))[1]
        judged.append(judge(picker_of(give, parameters, validation), parameters, study, fold, number))
    found = together(judged)
    return UnitResult(found.metrics, found.arrivals, files_of(parameters, study))


def files_of(parameters: PickerParameters, study: Study) -> dict[str, str]:
    """Return the files that a picker is judged by: name -> SHA-256."""
    if parameters.source != "pinned":
        return study.traces.files
    hours = {name: digest for record in _continuous_records() for name, digest in record.files.items()}
    return study.traces.files | _study_elsewhere().traces.files | hours


def judge(picker: Picker, parameters: PickerParameters, study: Study, fold: Fold, number: int) -> Judged:
    """Judge a picker on one fold."""
    found = Judged(records=np.zeros((len(study.traces), len(PHASES), 1 + len(SUBSETS), 3), dtype=np.intp))
    rows, windows = test_windows(study, fold.test, parameters.generator(TESTING, number))
    table = study.traces.table.iloc[rows]
    high = (table["snr"] > HIGH_SNR).to_numpy()
    complete = (table["components"] == COMPONENTS).to_numpy()
    _by_signal(found, picker, parameters, windows, high, rows)
    clear = high & complete
    _by_component(found, picker, parameters, windows.among(clear), rows[clear])
    _by_place(found, picker, study, clear_rows(study, fold.test))
    _second_events(found, picker, parameters, study, fold, number)
    _defects(found, picker, parameters, study, fold, number)
    if parameters.source == "pinned":
        _continuous(found, picker)
        _elsewhere(found, picker, parameters, number)
    found.means |= {
        name: [value]
        for name, value in detection_scores(
            lambda values: picker.give(standardise(values))[:, :, 1].max(axis=1), parameters, study, fold, number
        ).items()
    }
    for phase, threshold in zip(PHASES, picker.thresholds, strict=True):
        found.means.setdefault(f"threshold[{phase}]", []).append(threshold)
    return found


def together(parts: Sequence[Judged]) -> Judged:
    """Put the folds of one unit together."""
    whole = Judged(records=np.sum([part.records for part in parts], axis=0))
    for part in parts:
        for sums, added in ((whole.counts, part.counts), (whole.recalls, part.recalls)):
            for name, counts in added.items():
                sums[name] = sums.get(name, Counts(0, 0, 0)) + counts
        for name, (picks, hours) in part.rates.items():
            before = whole.rates.get(name, (0.0, 0.0))
            whole.rates[name] = before[0] + picks, before[1] + hours
        for name, values in part.means.items():
            whole.means.setdefault(name, []).extend(values)
    whole.arrays = {name: np.mean([part.arrays[name] for part in parts], axis=0) for name in parts[0].arrays}
    return whole


def _by_signal(
    found: Judged,
    picker: Picker,
    parameters: PickerParameters,
    windows: Windows,
    high: NDArray[np.bool_],
    records: Rows,
) -> None:
    """Score all tested windows, those above and those up to 20 dB, and other tolerances and thresholds."""
    kept = windows if parameters.components == "enz" else _with_components(windows, parameters.components)
    picks = picker.picks(kept)
    for number, phase in enumerate(PHASES):
        arrivals = windows.arrivals[:, :, number]
        chosen = picks[number].above(picker.thresholds[number])
        matched = match_windows(chosen, arrivals, WINDOW, parameters.tolerance * RATE)
        found.counts[phase] = Counts(*matched.sum(axis=0).tolist())
        np.add.at(found.records[:, number, 0], records, matched)
        for tolerance in TOLERANCES:
            found.counts[f"{phase},within {tolerance} s"] = match(chosen, arrivals, WINDOW, tolerance * RATE)
        for threshold in THRESHOLDS:
            above = picks[number].above(threshold)
            found.counts[f"{phase},from {threshold}"] = match(above, arrivals, WINDOW, parameters.tolerance * RATE)
    _count_by_signal(found, picker, picks, windows, high, parameters.tolerance)


def _count_by_signal(
    found: Judged,
    picker: Picker,
    picks: Sequence[Picks],
    windows: Windows,
    high: NDArray[np.bool_],
    tolerance: float,
    place: str = "",
) -> None:
    """Count the windows above and those up to 20 dB apart."""
    for phase, number, ending, chosen in picker.readings(picks):
        for name, rows in (("high", high), ("low", ~high)):
            counted = _match_among(chosen, windows.arrivals[:, :, number], rows, tolerance)
            found.counts[f"{phase}{place},{name}{ending}"] = counted


def _by_component(found: Judged, picker: Picker, parameters: PickerParameters, windows: Windows, records: Rows) -> None:
    """Score the components that Table 4 has, on records above 20 dB that hold all three."""
    for column, subset in enumerate(SUBSETS, start=1):
        picks = picker.picks(_with_components(windows, subset))
        for phase, number, ending, chosen in picker.readings(picks):
            arrivals = windows.arrivals[:, :, number]
            matched = match_windows(chosen, arrivals, WINDOW, parameters.tolerance * RATE)
            found.counts[f"{phase},{subset},high{ending}"] = Counts(*matched.sum(axis=0).tolist())
            if not ending:
                np.add.at(found.records[:, number, column], records, matched)


def _by_place(found: Judged, picker: Picker, study: Study, rows: Rows) -> None:
    """Slide the window over records above 20 dB: the probability of P where P is, and at 10 s, wherever it is."""
    actual, fixed = [], []
    for place in PLACES * float(RATE):
        windows = windows_at(study, rows, np.full(len(rows), place))
        probability = picker.give(standardise(windows.values))[:, :, 1]
        actual.append(_near(probability, int(place)).mean())
        fixed.append(_near(probability, 10 * RATE).mean())
    found.arrays = {"activation": np.array(actual), "activation_at_10": np.array(fixed)}
    edges, middle = (PLACES <= 5) | (PLACES >= 25), (PLACES >= 10) & (PLACES <= 15)
    found.means["activation[edges]"] = [float(np.mean(found.arrays["activation"][edges]))]
    found.means["activation[10 to 15 s]"] = [float(np.mean(found.arrays["activation"][middle]))]
    found.means["activation[25 s]"] = [float(actual[int(np.flatnonzero(PLACES == 25)[0])])]
    found.means["activation[10 s, P at 25 s]"] = [float(fixed[int(np.flatnonzero(PLACES == 25)[0])])]


def _second_events(
    found: Judged, picker: Picker, parameters: PickerParameters, study: Study, fold: Fold, number: int
) -> None:
    """Put a weaker earthquake behind another of the same fold, and see which of the two are picked."""
    generator = parameters.generator(PAIRING, number)
    rows = clear_rows(study, fold.test)
    first = windows_at(study, generator.choice(rows, PAIRS), generator.uniform(2, 8, PAIRS) * RATE)
    second = windows_at(study, generator.choice(rows, PAIRS), generator.uniform(14, 24, PAIRS) * RATE)
    ratios = log_uniform(PAIRS, *SECOND_RATIOS, generator)
    pairs = superpose_events(first, second, ratios, SECOND_SEPARATION)
    own = np.flatnonzero(~np.isnan(pairs.arrivals[:, 1, 0]))
    pairs = pairs.among(own)
    for phase, phase_number, ending, chosen in picker.readings(picker.picks(pairs)):
        for event, name in enumerate(("first", "second")):
            arrivals = pairs.arrivals[:, event : event + 1, phase_number]
            matched = match(chosen, arrivals, WINDOW, parameters.tolerance * RATE)
            found.recalls[f"{phase},{name} event{ending}"] = matched


def _defects(
    found: Judged, picker: Picker, parameters: PickerParameters, study: Study, fold: Fold, number: int
) -> None:
    """Count picks in noise of the tested stations, as it is and with each defect."""
    noise = noise_windows(study.noise, fold.test_noise, NOISE_WINDOWS, parameters.generator(NOISE, number))
    plain = Windows(noise, np.full((len(noise), 1, len(PHASES)), np.nan))
    hours = len(noise) * WINDOW / RATE / 3600
    for kind in ("none", *ARTIFACTS):
        # The same place and size for each kind.
        generator = parameters.generator(ARTIFACT_STREAM, number)
        made = add_artifacts(plain, np.full(len(noise), kind), generator)
        for _, _, ending, chosen in picker.readings(picker.picks(made)):
            before = found.rates.get(f"{kind}{ending}", (0.0, hours))
            found.rates[f"{kind}{ending}"] = before[0] + len(chosen.window), hours


def _continuous(found: Judged, picker: Picker) -> None:
    """Count picks in hours of record that nobody labelled, and in those of their windows that no trigger finds."""
    for values, quiet in _continuous_windows():
        per_window = {ending: np.zeros(len(values), dtype=int) for ending in READINGS}
        for _, _, ending, chosen in picker.readings(candidates(picker.give, values)):
            per_window[ending] += np.bincount(chosen.window, minlength=len(values))
        for name, rows in (("continuous", np.full(len(values), True)), ("quiet", quiet)):
            hours = rows.sum() * WINDOW / RATE / 3600
            for ending, picked in per_window.items():
                before = found.rates.get(f"{name}{ending}", (0.0, 0.0))
                found.rates[f"{name}{ending}"] = before[0] + float(picked[rows].sum()), before[1] + hours


def _elsewhere(found: Judged, picker: Picker, parameters: PickerParameters, number: int) -> None:
    """Score records of south-west China, all of them on each fold."""
    study = _study_elsewhere()
    rows = np.arange(len(study.traces))
    of_window, windows = test_windows(study, rows, parameters.generator(FAR_AWAY, number))
    picks = picker.picks(windows)
    for number_of_phase, phase in enumerate(PHASES):
        chosen = picks[number_of_phase].above(picker.thresholds[number_of_phase])
        arrivals = windows.arrivals[:, :, number_of_phase]
        found.counts[f"{phase},elsewhere"] = match(chosen, arrivals, WINDOW, parameters.tolerance * RATE)
    high = (study.traces.table["snr"].iloc[of_window] > HIGH_SNR).to_numpy()
    _count_by_signal(found, picker, picks, windows, high, parameters.tolerance, ",elsewhere")


@cache
def _study_elsewhere() -> Study:
    traces = load_traces(ELSEWHERE)
    return Study(traces, Noise(np.zeros((0, 0, len(COMPONENTS)), np.float32), traces.table.iloc[:0]))


@cache
def _continuous_records() -> tuple[ContinuousRecord, ...]:
    return tuple(load_continuous())


@cache
def _continuous_windows() -> list[tuple[Values, NDArray[np.bool_]]]:
    """Return the windows of each continuous record that are whole, and which of them no trigger finds."""
    return [_windows_of(record.values) for record in _continuous_records()]


def _windows_of(record: Values) -> tuple[Values, NDArray[np.bool_]]:
    """Cut a record (samples, 3) into windows that are whole, and tell which of them are quiet.

    A trigger is blind while its long average fills, so each window is looked at with what was recorded in the
    seconds before it; where that is not whole, nobody knows that a window is quiet.
    """
    lead = round(LONG * RATE)
    starts = np.arange(0, len(record) - WINDOW + 1, WINDOW)
    windows = slices(record[None], np.zeros(len(starts), dtype=np.intp), starts, WINDOW)
    whole = ~np.isnan(windows).any(axis=(1, 2))
    led = starts >= lead
    before = slices(record[None], np.zeros(led.sum(), dtype=np.intp), starts[led] - lead, lead + WINDOW)
    quiet = np.zeros(len(starts), dtype=bool)
    seen = ~np.isnan(before).any(axis=(1, 2))
    quiet[np.flatnonzero(led)[seen]] = sta_lta(before[seen], RATE) < QUIET_BELOW
    return windows[whole], quiet[whole]


def _with_components(windows: Windows, subset: str) -> Windows:
    """Keep some components, the others 0."""
    kept = np.array([letter.lower() in subset for letter in COMPONENTS])
    return Windows(np.where(kept, windows.values, np.float32(0)), windows.arrivals)


def _match_among(picks: Picks, arrivals: NDArray[np.float64], rows: NDArray[np.bool_], tolerance: float) -> Counts:
    """Match within some windows only."""
    own = rows[picks.window]
    kept = Picks(picks.window[own], picks.sample[own], picks.score[own])
    return match(kept, np.where(rows[:, None], arrivals, np.nan), WINDOW, tolerance * RATE)


def _near(probability: NDArray[np.float32], sample: int, reach: int = 10) -> NDArray[np.float32]:
    """Return the largest probability within a tenth of a second of a sample."""
    found: NDArray[np.float32] = probability[:, max(sample - reach, 0) : sample + reach + 1].max(axis=1)
    return found
