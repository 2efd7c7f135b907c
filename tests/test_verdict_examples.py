"""Worked examples: one for each verdict that occurs, and words that follow from the numbers."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import pytest

from reproduce_lib.book.verdict_examples import examples_page, explanation
from reproduce_lib.verdicts import Interval, Verdict, prediction_interval
from tests.test_tables import EVIL, Parsed, fact_row, order_row, value_row


def of(*rows: Any) -> Any:
    return SimpleNamespace(claims=SimpleNamespace(paper="toy"), rows=rows)


def judged(verdict: Verdict, printed: str, interval: tuple[float, float], **changes: Any) -> Any:
    """Return a row of five runs after which one more falls into it: 2.7764 deviations times the root of 6/5."""
    row = value_row()
    claim = row.claim.model_copy(update={"value": printed, "metric": "mae", "better": "lower"})
    mean, deviation = sum(interval) / 2, (interval[1] - interval[0]) / 2 / 2.7764451 / 1.2**0.5
    runs = tuple(mean + deviation * place for place in (-1, 1, -1, 1, 0))
    shown = prediction_interval(runs).within(Interval(0, math.inf))
    return dataclasses.replace(row, claim=claim, verdict=verdict, measured=runs, interval=shown, **changes)


def test_first_row_of_each_verdict_is_shown_once() -> None:
    first, second = order_row(statement="the first"), order_row(statement="the second")
    failed = order_row(Verdict.FAILS, (False,) * 5, statement="the failed")
    parsed = Parsed(examples_page([of(first), of(second, failed)]))
    assert "the first" in parsed.text
    assert "the second" not in parsed.text
    assert parsed.text.index("the first") < parsed.text.index("the failed")
    assert parsed.values("href") == ["papers/toy.html#toy.o"] * 2


def test_reproduced_has_an_example_that_says_that_it_is_made_up_where_none_occurs() -> None:
    parsed = Parsed(examples_page([of(order_row())]))
    assert "made up" in parsed.text
    assert "● reproduced" in parsed.text
    # By hand: mean 95.68, deviation 0.526; 2.776 times it times the root of 6/5 is 1.6.
    assert "95.7 on average" in parsed.text
    assert "between 94.1 and 97.3: the printed number lies inside" in parsed.text
    real = Parsed(examples_page([of(judged(Verdict.REPRODUCED, "10.0", (9.5, 10.5)))]))
    assert "made up" not in real.text
    assert real.text.count("● reproduced") == 1


def test_verdicts_without_an_example_are_named() -> None:
    every = {verdict for verdict in Verdict if verdict not in (Verdict.HOLDS, Verdict.REPRODUCED)}
    shown = Parsed(examples_page([of(order_row())])).text
    assert all(str(verdict) in shown for verdict in every)


def test_of_numbers_one_that_was_measured_several_times_is_explained() -> None:
    once = dataclasses.replace(judged(Verdict.WORSE, "10.0", (12.0, 13.0)), interval=None, measured=(12.5,))
    shown = Parsed(examples_page([of(once, judged(Verdict.WORSE, "11.0", (14.0, 15.0)))])).text
    assert "Printed is 11.0" in shown
    assert "Printed is 10.0" not in shown


def test_order_says_in_how_many_runs_it_holds() -> None:
    assert "holds in 2 of 5 runs" in explanation(order_row(Verdict.UNDECIDED, (True, True, False, False, False)))


def test_fact_says_what_is_printed_and_what_was_found() -> None:
    told = explanation(fact_row(Verdict.NOT_EXACT, (71.5,)))
    assert "Printed is 72" in told
    assert "71.5" in told


def test_number_inside_a_narrow_a_wide_and_outside_of_an_interval() -> None:
    narrow = explanation(judged(Verdict.REPRODUCED, "10.0", (9.5, 10.5)))
    assert "between 9.5 and 10.5: the printed number lies inside" in narrow
    assert "0.50 to either side, no more than the 1.00 that" in narrow
    wide = explanation(judged(Verdict.INCONCLUSIVE, "10.0", (7.0, 13.0)))
    assert "3.00 to either side, more than the 1.00 that" in wide
    outside = explanation(judged(Verdict.WORSE, "10.0", (12.0, 13.0)))
    assert "lies outside (smaller is better)" in outside
    assert "either side" not in outside


def test_the_width_that_counts_is_that_of_the_whole_interval_and_not_of_what_is_shown() -> None:
    told = explanation(judged(Verdict.INCONCLUSIVE, "1.00", (-1.0, 4.0)))
    assert "between 0.00 and 4.00: the printed number lies inside" in told
    assert "reaches 2.500 to either side, before it is cut off where the score ends, more than the 0.100 that" in told


def test_result_without_randomness_has_no_interval() -> None:
    row = dataclasses.replace(judged(Verdict.BETTER, "10.0", (9.0, 9.0)), interval=None, measured=(9.04,))
    assert explanation(row) == "Printed is 10.0; the one result, without randomness, is 9.0."


def test_pending_and_untested_claims_say_why() -> None:
    pending = dataclasses.replace(order_row(Verdict.PENDING, (True, True)), expected=5)
    assert "2 of 5 runs" in explanation(pending)
    assert "no data" in explanation(dataclasses.replace(order_row(Verdict.NOT_TESTED, ()), reason="no data"))


@pytest.mark.parametrize("row", [order_row(statement=EVIL, source=EVIL), fact_row(printed=EVIL, found=(EVIL,))])
def test_no_text_becomes_markup(row: Any) -> None:
    parsed = Parsed(examples_page([of(row)]))
    assert not {"script", "img"} & set(parsed.tags)
    assert EVIL in parsed.text
