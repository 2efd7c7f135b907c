"""One worked example of each verdict: the claim, what was measured, and how the rule reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from reproduce_lib.claims import FactClaim, OrderClaim, ValueClaim
from reproduce_lib.compare import Comparison
from reproduce_lib.rows import Row
from reproduce_lib.tables import Html, held_in, number, plain, verdict_badge
from reproduce_lib.tolerances import metric
from reproduce_lib.verdicts import (
    FAILS_UP_TO,
    HOLDS_FROM,
    SYMBOLS,
    Verdict,
    prediction_interval,
    rounding_interval,
    value_verdict,
)

# Runs that were made up for the verdict that a collection may have to do without: accuracies, 95.8 printed.
MADE_UP_PRINTED = "95.8"
MADE_UP_RUNS = (95.1, 96.4, 95.6, 96.0, 95.3)
WORDS = {"lower": "smaller is better", "higher": "larger is better", "none": "neither direction is better"}


def examples_page(comparisons: Sequence[Comparison]) -> str:
    """Return for each verdict the first row that has it, explained; as Markdown to be included.

    Of numbers, the first one that was measured several times is taken, if there is one. *Reproduced* is explained with
    numbers that are made up, and said to be, where the collection has none; other verdicts that do not occur are named.
    """
    return "\n".join(f'<div class="rr-example">{example}</div>\n' for example in _examples(comparisons))


def _examples(comparisons: Sequence[Comparison]) -> Iterator[Html]:
    rows = [(comparison.claims.paper, row) for comparison in comparisons for row in comparison.rows]
    missing = []
    for verdict in Verdict:
        having = [(paper, row) for paper, row in rows if row.counted is verdict]
        if having:
            paper, row = next((one for one in having if one[1].interval is not None), having[0])
            place = f'<a href="papers/{escape(paper)}.html#{escape(row.claim.id)}">{escape(row.claim.statement)}</a>'
            source = f'<span class="rr-source">{escape(paper)}, {escape(row.claim.source)}</span>'
            yield Html(f"<p>{verdict_badge(row)} {place} {source}</p><p>{escape(explanation(row))}</p>")
        elif verdict is Verdict.REPRODUCED:
            row = _made_up()
            note = "No number of this collection has this verdict; these runs are made up."
            yield Html(f"<p>{verdict_badge(row)} {escape(note)}</p><p>{escape(explanation(row))}</p>")
        else:
            missing.append(f"{SYMBOLS[verdict]} {verdict}")
    if missing:
        yield Html(f"<p>No claim of this collection is at present {escape(', '.join(missing))}.</p>")


def _made_up() -> Row:
    """Return a row that the rule calls reproduced."""
    fields: dict[str, object] = {"id": "made.up", "kind": "value", "source": "-", "statement": "-"}
    fields |= {
        "value": MADE_UP_PRINTED,
        "metric": "accuracy",
        "unit": "%",
        "better": "higher",
        "experiment": "-",
        "conditions": {},
    }
    claim = ValueClaim.model_validate(fields)
    widest = metric(claim.metric).verdict_half_width(float(claim.value))
    verdict = value_verdict(claim.value, MADE_UP_RUNS, widest, claim.better)
    return Row(claim, verdict, MADE_UP_RUNS, len(MADE_UP_RUNS), prediction_interval(MADE_UP_RUNS))


def explanation(row: Row) -> str:
    """Return in words how the rule came to a row's verdict."""
    claim = row.claim
    if row.verdict is Verdict.NOT_TESTED:
        return f"Nothing here can measure it: {row.reason}"
    if row.verdict is Verdict.PENDING:
        return f"{len(row.measured)} of {row.expected} runs are recorded; the verdict waits for the others."
    match claim:
        case OrderClaim():
            return (
                f"It holds in {held_in(row)}. An order holds from "
                f"{100 * HOLDS_FROM:.0f} % of the runs on, fails up to {100 * FAILS_UP_TO:.0f} %, and is undecided "
                "between."
            )
        case FactClaim():
            found = "; ".join(map(plain, row.measured))
            return f"Printed is {claim.printed}; counted or computed again it is {found}."
        case ValueClaim():
            return _of_value(row, claim)


def _of_value(row: Row, claim: ValueClaim) -> str:
    like = claim.value
    if row.interval is None:
        return f"Printed is {claim.value}; the one result, without randomness, is {number(row.mean, like)}."
    widest = metric(claim.metric).verdict_half_width(float(claim.value))
    whole = prediction_interval([float(one) for one in row.measured])
    inside = whole.meets(rounding_interval(claim.value))
    where = "lies inside" if inside else f"lies outside ({WORDS[claim.better]})"
    width = "no more" if whole.half_width <= widest else "more"
    cut = "," if row.interval == whole else ", before it is cut off where the score ends,"
    ends = f"{number(row.interval.lower, like)} and {number(row.interval.upper, like)}"
    measured = (
        f"Printed is {claim.value}. {len(row.measured)} runs give {number(row.mean, like)} on average, "
        f"and one more would fall between {ends}: the printed number {where}."
    )
    if not inside:
        return measured
    reach, allowed = (number(one, like, further=1) for one in (whole.half_width, widest))
    return (
        f"{measured} The interval reaches {reach} to either side{cut} {width} than the {allowed} that carry a verdict."
    )
