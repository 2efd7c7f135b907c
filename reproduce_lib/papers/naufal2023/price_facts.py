"""What the paper says of its prices, looked up in the downloaded ones."""

from __future__ import annotations

from typing import ClassVar, Literal

from reproduce_lib.data.prices import Ticker, load_prices
from reproduce_lib.papers.naufal2023.series import KEY, divide_days
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult


class PriceFactParameters(UnitParameters):
    """One statement of the paper about its prices."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "price_facts"

    ticker: Ticker = "TSLA"
    quantity: Literal["trading_days", "first_day", "last_day", "price", "lowest_close", "highest_close"]
    column: Literal["open", "high", "low", "close"] = "close"
    day: str = ""
    span: Literal["all", "test"] = "all"


def run_price_fact(parameters: PriceFactParameters) -> UnitResult:
    """Look one statement about the prices up."""
    prices = load_prices(parameters.ticker)
    frame = prices.frame
    if parameters.span == "test":
        frame = frame.iloc[divide_days(len(frame), "train72_val8_test20").test]
    match parameters.quantity:
        case "trading_days":
            value: MetricValue = float(len(frame))
        case "first_day":
            value = f"{frame.index[0]:%Y-%m-%d}"
        case "last_day":
            value = f"{frame.index[-1]:%Y-%m-%d}"
        case "price":
            value = float(frame[parameters.column][parameters.day])
        case "lowest_close":
            value = float(frame["close"].min())
        case "highest_close":
            value = float(frame["close"].max())
    return UnitResult({"value": value}, len(frame), prices.files)
