"""What the paper says of its data, counted again: events, stations, features, and the labels against the catalogue."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from reproduce_lib.data.aeta import (
    CLASSES,
    EVENTS,
    LOCAL,
    REGION,
    STATIONS,
    areas_of,
    classes_of,
    label_magnitudes,
    load_events,
    load_stations,
    load_weeks,
)
from reproduce_lib.data.regional_catalogs import load_regional
from reproduce_lib.data.registry import data_file
from reproduce_lib.papers.zhang2023.samples import KEY
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

# The catalogue's span as the paper prints it, and the day on which its three counts are those that it prints.
BEGIN, PRINTED_END, FOUND_END = "2017-01-01", "2023-05-30", "2023-04-27"
SMALL, LARGE = 3.5, 5.0
ROUNDING = 0.001


class DatasetFactParameters(UnitParameters):
    """All counts at once."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "dataset_facts"


def run_dataset_facts(_: DatasetFactParameters) -> UnitResult:
    """Count events up to both days, stations and features, and rebuild the label of each weekly row."""
    catalogue = load_regional("cenc")
    inside = catalogue.inside(REGION).events
    local = inside["time"].dt.tz_localize(None) + LOCAL
    metrics: dict[str, MetricValue] = {}
    for name, end in (("to_printed_end", PRINTED_END), ("to_found_end", FOUND_END)):
        magnitudes = inside.loc[(local >= BEGIN) & (local < pd.Timestamp(end) + pd.Timedelta(days=1)), "magnitude"]
        metrics[f"events_{name}"] = float(len(magnitudes))
        metrics[f"small_{name}"] = float((magnitudes < SMALL - ROUNDING).sum())
        metrics[f"large_{name}"] = float((magnitudes >= LARGE - ROUNDING).sum())
        metrics[f"above_{name}"] = float((magnitudes > LARGE + ROUNDING).sum())
    stations, weeks = load_stations(), load_weeks()
    metrics |= {
        "stations": float(len(stations)),
        "usable_stations": float(stations["usable"].sum()),
        "features": float(weeks.means()[0].shape[1]),
        "columns": float(len(weeks.columns)),
        "rows": float(len(weeks.rows)),
    }
    given = weeks.rows["label_magnitude"].to_numpy()
    by_list = label_magnitudes(weeks.rows, load_events())
    events = inside.assign(time=local, area=areas_of(inside["latitude"].to_numpy(), inside["longitude"].to_numpy()))
    by_catalogue = label_magnitudes(weeks.rows, events)
    for part in ("train", "valid"):
        own = (weeks.rows["part"] == part).to_numpy()
        metrics[f"rows[{part}]"] = float(own.sum())
        metrics[f"labels_by_list[{part}]"] = float((by_list == given)[own].sum())
        metrics[f"classes_by_catalogue[{part}]"] = float((classes_of(by_catalogue) == classes_of(given))[own].sum())
        counts = np.bincount(classes_of(given[own]), minlength=CLASSES)
        metrics |= {f"class[{part},{number}]": float(count) for number, count in enumerate(counts)}
    files = {**catalogue.files, **weeks.files, **{name: data_file(name).sha256 for name in (STATIONS, EVENTS)}}
    return UnitResult(metrics, len(weeks.rows), files)
