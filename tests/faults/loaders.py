"""Every reader of data files, an excerpt of a real file for each, and what a frame has to be to be tidy."""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from reproduce_lib.data import (
    aeta,
    aeta_raw,
    catalogs,
    coastlines,
    continuous,
    fdsn,
    prices,
    regional_catalogs,
    sources,
    waveforms,
)
from reproduce_lib.data.archives import expand_gzip, read_member
from tests.faults.mutations import OF_BYTES, OF_GZIP, OF_TEXT, OF_ZIP, Mutation

ROWS = 60
RECORDS_A_COMPONENT = 3
CX = "waveforms/continuous_chile/CX_20140301/CX.PB01..HH.mseed"
TSLA = "prices/TSLA_2013_2023.csv"
WORLD = coastlines.COUNTRIES


@dataclass(frozen=True)
class Loader:
    """One reader.

    Attributes
    ----------
    file : the name of a pinned file
    parse : from its bytes to what is checked
    excerpt : from its bytes to fewer, which read as well
    check : raises if what was read is not tidy
    packed : from the bytes of either to those that are spoiled and parsed, where that is an archive of them
    """

    file: str
    parse: Callable[[bytes], Any]
    check: Callable[[Any], None]
    mutations: tuple[Mutation, ...] = OF_TEXT
    excerpt: Callable[[bytes], bytes] = lambda data: data
    packed: Callable[[bytes], bytes] = lambda data: data

    def real(self, *, whole: bool = False) -> bytes:
        data = sources.read(self.file)
        return self.packed(data if whole else self.excerpt(data))

    @property
    def is_text(self) -> bool:
        """Tell whether a refusal may be asked for the line."""
        return self.mutations is OF_TEXT


def head(data: bytes, rows: int = ROWS) -> bytes:
    return b"".join(data.splitlines(keepends=True)[: rows + 1])


def tail(data: bytes, *, header: bool) -> bytes:
    """Return the last rows: some catalogues begin with earthquakes of which too little is known."""
    rows = data.splitlines(keepends=True)
    return b"".join([*rows[: int(header)], *rows[-ROWS:]])


def of_the_years(data: bytes) -> bytes:
    """Return the header and days that the prices of the paper have too."""
    header, *rows = data.splitlines(keepends=True)
    begin = next(place for place, row in enumerate(rows) if b"2019-" in row)
    return b"".join([header, *rows[begin : begin + ROWS]])


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("toy/prices.csv", data)
    return packed.getvalue()


def tarred(data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("toy/prices.csv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def head_of_spreadsheet(data: bytes) -> bytes:
    begin, *rows = data.split(b"<Row")
    tail = rows[-1].partition(b"</Row>")[2]
    return b"<Row".join([begin, *rows[:ROWS]]).rpartition(b"</Row>")[0] + b"</Row>" + tail


def head_of_records(data: bytes) -> bytes:
    """Take a few miniSEED records of each component; a record names its channel in bytes 15 to 17."""
    size = 4096 if data[4096 + 15 : 4096 + 17] == data[15:17] and data[512 + 15 : 512 + 17] != data[15:17] else 512
    records = [data[place : place + size] for place in range(0, len(data), size)]
    of_channel = itertools.groupby(sorted(records, key=lambda one: one[15:18]), key=lambda one: one[15:18])
    return b"".join(itertools.chain.from_iterable(list(own)[:RECORDS_A_COMPONENT] for _, own in of_channel))


def check_catalogue(frame: pd.DataFrame) -> None:
    assert list(frame.columns[:6]) == catalogs.COLUMNS
    assert len(frame) > 0
    assert frame["time"].is_monotonic_increasing
    assert str(frame["time"].dt.tz) == "UTC"
    assert frame["time"].between(catalogs.EARLIEST, catalogs.LATEST).all()
    assert frame["latitude"].between(-90, 90).all()
    assert frame["longitude"].between(-180, 180).all()
    assert frame["magnitude"].between(-2, 10).all()
    assert (frame["depth_km"].isna() | frame["depth_km"].between(-10, 2900)).all()
    assert frame["magnitude_type"].notna().all()
    assert list(frame.index) == list(range(len(frame)))


def check_listing(found: tuple[pd.DataFrame, int]) -> None:
    check_catalogue(found[0])
    assert found[1] >= 0


def check_prices(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == prices.COLUMNS
    assert frame.index.is_monotonic_increasing
    assert frame.index.is_unique
    assert np.isfinite(frame.to_numpy()).all()
    assert (frame.to_numpy() > 0).all()


def check_cross(found: prices.CrossCheck) -> None:
    assert found.days >= 0
    assert found.missing_days >= 0
    assert found.largest_relative_difference <= prices.CROSS_CHECK_TOLERANCE


def check_weeks(found: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    rows, values = found
    assert len(rows) == len(values) > 0
    assert np.isfinite(values.to_numpy()).all()
    assert rows["last_day"].is_monotonic_increasing
    assert values.columns.is_unique


def check_raw(frame: pd.DataFrame) -> None:
    assert len(frame) > 0
    assert frame.index.is_unique
    assert np.isfinite(frame.to_numpy()).all()
    assert all(one.startswith("magn@") for one in frame.columns)


def check_grid(frame: pd.DataFrame) -> None:
    assert frame.index.is_unique
    assert (frame.index.to_series().diff().dropna() == pd.Timedelta(seconds=aeta_raw.STEP_SECONDS)).all()
    assert not np.isinf(frame.to_numpy()).any()
    assert all(frame[name].notna().any() for name in (frame.columns[0], frame.columns[-1]))


def check_stations(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == ["station", "longitude", "latitude", "usable"]
    assert frame["station"].is_unique
    assert frame["latitude"].between(-90, 90).all()
    assert frame["usable"].dtype == bool


def check_label_events(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == ["time", "latitude", "longitude", "magnitude", "area"]
    assert frame["time"].is_monotonic_increasing
    assert frame["magnitude"].between(-2, 10).all()


def check_outlines(outlines: list[Any]) -> None:
    for outline in outlines:
        assert outline.ndim == 2
        assert outline.shape[1] == 2
        assert np.isfinite(outline).all()


def check_continuous(record: continuous.ContinuousRecord) -> None:
    assert record.values.ndim == 2
    assert record.values.shape[1] == 3
    assert 0 < record.hours < 25


def check_record(record: waveforms.Record) -> None:
    assert record.values.dtype == np.float32
    assert record.values.shape[1] == 3
    assert np.isfinite(record.values).all()
    assert 0 <= record.p < len(record.values)
    assert not pd.isna(record.time)


def check_picks(picks: dict[str, tuple[int, int]]) -> None:
    assert all(p >= 0 and s >= 0 for p, s in picks.values())


def _catalogue(file: str, parse: Callable[[bytes, str], Any], check: Callable[[Any], None], **more: Any) -> Loader:
    return Loader(file, partial(parse, name=file), check, excerpt=more.pop("excerpt", head), **more)


def parse_bulletin(data: bytes, name: str) -> tuple[pd.DataFrame, int]:
    return catalogs.parse_phivolcs(data, name)


def parse_gzipped(data: bytes, name: str) -> pd.DataFrame:
    return catalogs.parse_comcat(expand_gzip(data, name), name)


def excerpt_gzipped(data: bytes) -> bytes:
    return gzip.compress(head(gzip.decompress(data)), mtime=0)


def parse_joined(data: bytes, name: str) -> pd.DataFrame:
    """Read what a live service answered to two halves of a span, the second of which it answered as it should."""
    return catalogs.parse_comcat(fdsn._joined([data, real_answer()]), name, revised=True)


@cache
def real_answer() -> bytes:
    return head(sources.read(catalogs.PHILIPPINES_M3), rows=2)


@cache
def tesla() -> prices.Prices:
    return prices.load_prices("TSLA", network=False)


def parse_unadjusted(data: bytes, name: str) -> prices.CrossCheck:
    """Hold the prices of the paper against an independent download, which is read only for that."""
    ours = tesla()
    with mock.patch.object(sources, "read", return_value=data):
        return prices.cross_check(ours, "TSLA")


def parse_packed(data: bytes, name: str, end: str) -> pd.DataFrame:
    """Read a file out of an archive of a package index."""
    return prices.parse_prices(read_member(data, f"{name}{end}", "toy/prices.csv"), name)


def parse_week(data: bytes, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return aeta.parse_weeks(data, name, 0, "train")


def parse_station(data: bytes, name: str) -> pd.DataFrame:
    return aeta_raw.parse_raw(data, name.rpartition("/")[2])


def parse_folder(data: bytes, name: str) -> pd.DataFrame:
    """Read a station's files out of a folder of one's own; the other one of them is as it should be."""
    other = "aeta/raw_202012/141_sound.csv"
    with tempfile.TemporaryDirectory() as folder:
        for file, content in ((name, data), (other, head(sources.read(other), rows=20))):
            (Path(folder) / file.rpartition("/")[2]).write_bytes(content)
        found = aeta_raw.load_raw_folder(Path(folder))
    assert found.stations.tolist() == [141]
    return pd.DataFrame(found.values[0], index=found.times, columns=list(found.features))


def parse_chile(data: bytes, name: str) -> continuous.ContinuousRecord:
    return continuous.assemble("CX.PB01", {name: data})


def parse_outlines(data: bytes, name: str) -> list[Any]:
    return coastlines.parse_coastlines(data, catalogs.PHILIPPINES)


def parse_ceed(data: bytes, name: str) -> waveforms.Record:
    return waveforms.parse_ceed_record(data, name, 6000, 6500)


R = regional_catalogs.FILES
W = waveforms.FOLDER
LOADERS: dict[str, Loader] = {
    "prices": _catalogue(TSLA, prices.parse_prices, check_prices),
    "prices_us_dates": _catalogue(
        "prices/TWTR_to_2022-07.csv", partial(prices.parse_prices, dates="%m/%d/%Y"), check_prices
    ),
    "prices_eu_dates": _catalogue(
        "prices/TWTR_postdelisting.csv", partial(prices.parse_prices, dates="%d-%m-%Y"), check_prices
    ),
    "prices_unadjusted": _catalogue(
        "prices/TSLA_close_unadjusted.csv", parse_unadjusted, check_cross, excerpt=of_the_years
    ),
    "wheel": _catalogue(TSLA, partial(parse_packed, end=".whl"), check_prices, packed=zipped, mutations=OF_ZIP),
    "source_archive": _catalogue(
        TSLA, partial(parse_packed, end=".tar.gz"), check_prices, packed=tarred, mutations=OF_GZIP
    ),
    "comcat_answers": _catalogue(catalogs.PHILIPPINES_M3, parse_joined, check_catalogue),
    "comcat": _catalogue(catalogs.PHILIPPINES_M3, catalogs.parse_comcat, check_catalogue),
    "comcat_gzipped": _catalogue(
        catalogs.PHILIPPINES_M5, parse_gzipped, check_catalogue, excerpt=excerpt_gzipped, mutations=OF_GZIP
    ),
    "phivolcs": _catalogue(f"{catalogs.PHIVOLCS}2015_Feb.csv", parse_bulletin, check_listing),
    "cenc": _catalogue(R["cenc"], regional_catalogs.parse_cenc, check_listing, excerpt=head_of_spreadsheet),
    "cea": _catalogue(R["cea_mw"], regional_catalogs.parse_cea, check_listing, excerpt=partial(tail, header=True)),
    "iris": _catalogue(R["iris_california"], regional_catalogs.parse_iris, check_listing),
    "nshm": _catalogue(
        R["nshm_central_us"], regional_catalogs.parse_nshm, check_listing, excerpt=partial(tail, header=False)
    ),
    "aeta_weeks": _catalogue(
        "aeta/weekly/area_0_train.csv", parse_week, check_weeks, excerpt=partial(head, rows=4)
    ),
    "aeta_raw": _catalogue("aeta/raw_202012/141_magn.csv", parse_station, check_raw, excerpt=partial(head, rows=20)),
    "aeta_raw_folder": _catalogue(
        "aeta/raw_202012/141_magn.csv", parse_folder, check_grid, excerpt=partial(head, rows=20)
    ),
    "aeta_stations": _catalogue(aeta.STATIONS, aeta.parse_stations, check_stations),
    "aeta_events": _catalogue(aeta.EVENTS, aeta.parse_events, check_label_events),
    "ceed_picks": _catalogue(f"{W}/ceed_ncedc/labels.csv", waveforms.parse_ceed_picks, check_picks),
    "ceed_record": _catalogue(
        f"{W}/ceed_ncedc/CI.ISA..BH.0269915.npz", parse_ceed, check_record, excerpt=bytes, mutations=OF_ZIP
    ),
    "record": _catalogue(
        f"{W}/tlpn_china/YN_ZAT_20161030193335.npz",
        waveforms.parse_record, check_record, excerpt=bytes, mutations=OF_ZIP,
    ),
    "miniseed": _catalogue(CX, parse_chile, check_continuous, excerpt=head_of_records, mutations=OF_BYTES),
    "shapefile": _catalogue(WORLD, parse_outlines, check_outlines, excerpt=bytes, mutations=OF_BYTES),
}  # fmt: skip
