"""Samples: sequences of features with a class each, from weekly rows, surrogates of them, or the raw month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reproduce_lib.data.aeta import CLASSES, PARTS, WEEK, Weeks, areas_of, classes_of, load_stations, load_weeks
from reproduce_lib.data.aeta_raw import RawSeries, load_raw_month
from reproduce_lib.errors import ParameterError
from reproduce_lib.units import UnitParameters

KEY = "zhang2023"
Values = NDArray[np.float64]
Labels = NDArray[np.intp]
Source = Literal["weekly", "surrogate", "raw", "simulated"]
LabelSource = Literal["true", "shuffled"]
Statistics = Literal["mean", "mean without the break", "all"]
# Features whose level changes ten-thousandfold from January to May 2020, and that of no other statistic of the signal.
BREAKING = ("power_mean_magn", "ulf_power_mean_magn")

# Windows of the raw month: a day of hourly means, one every quarter of a day, in four weeks from the first day on.
RAW_HOUR, RAW_WINDOW, RAW_STEP, RAW_WEEK, RAW_WEEKS = 6, 144, 36, 7 * 144, 4
SIMULATED_AREAS, SIMULATED_WEEKS, SIMULATED_FEATURES = 4, 60, 6
# Streams of random numbers of one seed, so that labels, surrogates and simulated rows do not share any.
LABELS, SURROGATES, DRAWN_CLASSES, SIMULATION = range(4)


class SampleParameters(UnitParameters):
    """Which samples a unit learns from and is judged by.

    ``weekly`` rows are an area's past ``weeks`` weeks with the class of the week to come. A ``surrogate`` has the same
    labels and the same features but for their phases: equal autocorrelation, no relation to earthquakes. ``raw`` takes
    windows of stations in December 2020 and draws a class for each week and area, so that nothing can be forecast.
    ``shuffled`` labels are dealt out anew among all samples.
    """

    paper: ClassVar[str] = KEY

    source: Source = "weekly"
    labels: LabelSource = "true"
    weeks: int = Field(default=16, ge=1, le=104)
    statistics: Statistics = "mean"

    @model_validator(mode="after")
    def _full_is_declared(self) -> Self:
        if self.profile == "full" and self.source == "simulated":
            raise ValueError("profile full knows no source 'simulated'; use profile custom")
        return self

    @model_validator(mode="after")
    def _belongs_to_the_source(self) -> Self:
        for name in ("weeks", "statistics"):
            if self.source == "raw" and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} belongs to weekly rows; source 'raw' has days of hourly means")
        return self

    def generator(self, stream: int) -> np.random.Generator:
        """Return random numbers that depend on the seed alone: they are the same for every model."""
        return np.random.default_rng([self.seed, stream])


@dataclass(frozen=True)
class SampleSet:
    """Samples in a fixed order.

    Attributes
    ----------
    inputs : shape (samples, times, features), not scaled
    labels : class of each sample, 0 to 4, shape (samples,)
    groups : columns area, week (a number that grows with time), part (train or valid), and station for raw windows
    files : file name -> SHA-256 of what was read
    """

    inputs: Values
    labels: Labels
    groups: pd.DataFrame
    files: dict[str, str]


def load_samples(parameters: SampleParameters) -> SampleSet:
    """Return the samples that a unit's parameters name."""
    if parameters.source == "raw":
        found = raw_samples(load_raw_month(), parameters.generator(DRAWN_CLASSES))
    else:
        weeks = simulated_weeks() if parameters.source == "simulated" else load_weeks()
        values = features_of_weeks(weeks, parameters.statistics)
        if parameters.source == "surrogate":
            values = surrogate(values, weeks.rows["area"].to_numpy(), parameters.generator(SURROGATES))
        found = weekly_samples(weeks, values, parameters.weeks)
    if parameters.labels == "true":
        return found
    return replace(found, labels=parameters.generator(LABELS).permutation(found.labels))


def features_of_weeks(weeks: Weeks, statistics: Statistics) -> Values:
    """Return the weekly mean of each feature, of each but those with a break, or all statistics; (rows, features)."""
    if statistics == "all":
        return weeks.values
    means, names = weeks.means()
    return means if statistics == "mean" else means[:, [name not in BREAKING for name in names]]


def weekly_samples(weeks: Weeks, values: Values, length: int) -> SampleSet:
    """Return for each row the ``length`` rows of its area that end with it; rows with fewer behind them are left out.

    A gap in an area's weeks is passed over: two weeks are missing, and eleven days lie between the two parts.
    """
    inputs, kept = [], []
    areas = weeks.rows["area"].to_numpy()
    for area in np.unique(areas):
        own = np.flatnonzero(areas == area)
        windows = np.lib.stride_tricks.sliding_window_view(values[own], length, axis=0) if len(own) >= length else None
        if windows is not None:
            inputs.append(np.moveaxis(windows, -1, 1))
            kept.append(own[length - 1 :])
    if not kept:
        raise ParameterError(f"no area has {length} weeks; say a smaller number for weeks")
    chosen = np.concatenate(kept)
    rows = weeks.rows.iloc[chosen].reset_index(drop=True)
    groups = pd.DataFrame(
        {
            "area": rows["area"],
            "week": (rows["last_day"] - weeks.rows["last_day"].min()) // WEEK,
            "part": rows["part"],
            "station": -1,
        }
    )
    labels = classes_of(rows["label_magnitude"].to_numpy())
    return SampleSet(np.concatenate(inputs), labels, groups, weeks.files)


def surrogate(values: Values, areas: NDArray[np.intp], generator: np.random.Generator) -> Values:
    """Return series with the same spectra, and so autocorrelations, and other phases (Theiler et al. 1992).

    All features of an area turn by the same phases, so that what holds between features is kept (Prichard and
    Theiler 1994).

    Parameters
    ----------
    values : shape (rows, features); rows of one area in order of time
    areas : shape (rows,)
    """
    found = np.empty_like(values)
    for area in np.unique(areas):
        own = areas == area
        series = values[own]
        spectrum = np.fft.rfft(series, axis=0)
        phases = np.exp(2j * np.pi * generator.random(len(spectrum)))
        # The mean, and of an even number of rows the fastest oscillation, are real.
        phases[0] = 1.0
        if len(series) % 2 == 0:
            phases[-1] = 1.0
        found[own] = np.fft.irfft(spectrum * phases[:, None], n=len(series), axis=0)
    return found


def raw_samples(raw: RawSeries, generator: np.random.Generator) -> SampleSet:
    """Return windows of a day of each station with the class that was drawn for its area and week.

    Each class is as likely as any other. An hour without a measurement takes the mean of the window's other hours; a
    window without any measurement of a modality is left out.
    """
    stations = load_stations().set_index("station").loc[raw.stations]
    areas = areas_of(stations["latitude"].to_numpy(), stations["longitude"].to_numpy())
    drawn = generator.integers(CLASSES, size=(areas.max() + 2, RAW_WEEKS))
    inputs, rows = [], []
    for week in range(RAW_WEEKS):
        for begin in range(week * RAW_WEEK, (week + 1) * RAW_WEEK - RAW_WINDOW + 1, RAW_STEP):
            windows = raw.values[:, begin : begin + RAW_WINDOW].astype(float)
            own = np.flatnonzero(~np.isnan(windows).all(axis=1).any(axis=1))
            inputs.append(_hourly(windows[own]))
            rows += [(areas[one], week, "train", raw.stations[one]) for one in own]
    groups = pd.DataFrame(rows, columns=["area", "week", "part", "station"])
    labels = drawn[groups["area"].to_numpy() + 1, groups["week"].to_numpy()].astype(np.intp)
    return SampleSet(np.concatenate(inputs), labels, groups, raw.files)


def _hourly(windows: Values) -> Values:
    """Return hourly means of windows of shape (windows, times, features)."""
    hours = windows.reshape(len(windows), -1, RAW_HOUR, windows.shape[-1])
    counts = (~np.isnan(hours)).sum(axis=2)
    means = np.nansum(hours, axis=2) / np.maximum(counts, 1)
    known = np.where(counts > 0, means, np.nan)
    filled: Values = np.where(counts > 0, means, np.nanmean(known, axis=1, keepdims=True))
    return filled


def simulated_weeks() -> Weeks:
    """Return weekly rows of a few areas that follow a random walk, for smoke runs and tests: no data are needed."""
    generator = np.random.default_rng(SIMULATION)
    count = SIMULATED_AREAS * SIMULATED_WEEKS
    first = pd.Timestamp("2020-01-08")
    rows = pd.DataFrame(
        {
            "area": np.repeat(np.arange(SIMULATED_AREAS), SIMULATED_WEEKS),
            "part": np.where(np.arange(count) % SIMULATED_WEEKS < SIMULATED_WEEKS * 3 // 4, *PARTS),
            "last_day": first + WEEK * np.tile(np.arange(SIMULATED_WEEKS), SIMULATED_AREAS),
            "label_magnitude": generator.choice([0.0, 3.6, 4.2, 4.7, 5.3], count, p=[0.6, 0.1, 0.1, 0.1, 0.1]),
        }
    )
    steps = generator.normal(size=(SIMULATED_AREAS, SIMULATED_WEEKS, SIMULATED_FEATURES)).cumsum(axis=1)
    columns = tuple(f"simulated{number}_mean_magn" for number in range(SIMULATED_FEATURES))
    return Weeks(rows, steps.reshape(count, -1), columns, {})
