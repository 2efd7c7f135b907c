"""What the thesis printed: Tables 3 and 4 row by row, each number once more beside the claims file."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

from reproduce_lib.claims import FactClaim, OrderClaim, OtherPlace, PaperClaims, SumOf, ValueClaim, load_claims
from tests.support import PROJECT

# With shifts that are computed once, and on the fly.
TABLE_3 = {
    "p.precision": "0.908 0.902",
    "p.recall": "0.550 0.588",
    "p.f1": "0.685 0.712",
    "s.precision": "0.738 0.748",
    "s.recall": "0.529 0.571",
    "s.f1": "0.616 0.647",
}
# On Z, E, N, EN and ENZ.
TABLE_4 = {
    "with.p.precision": "0.952 0.869 0.886 0.893 0.957",
    "with.p.recall": "0.944 0.825 0.856 0.869 0.943",
    "with.p.f1": "0.948 0.846 0.870 0.881 0.950",
    "without.p.precision": "0.944 0.718 0.712 0.795 0.938",
    "without.p.recall": "0.928 0.684 0.705 0.777 0.937",
    "without.p.f1": "0.936 0.700 0.709 0.786 0.938",
    "with.s.precision": "0.523 0.748 0.777 0.824 0.827",
    "with.s.recall": "0.436 0.732 0.767 0.808 0.810",
    "with.s.f1": "0.476 0.740 0.772 0.816 0.818",
    "without.s.precision": "0.630 0.771 0.793 0.806 0.803",
    "without.s.recall": "0.019 0.683 0.740 0.787 0.789",
    "without.s.f1": "0.036 0.724 0.766 0.796 0.796",
}
COMPONENTS = ("z", "e", "n", "en", "enz")


@pytest.fixture(scope="module")
def claims() -> PaperClaims:
    return load_claims("adamopoulou2023", PROJECT / "book" / "claims")


@pytest.fixture(scope="module")
def values(claims: PaperClaims) -> dict[str, ValueClaim]:
    return {one.id: one for one in claims.claims if isinstance(one, ValueClaim)}


def of_table(values: dict[str, ValueClaim], table: str) -> dict[str, ValueClaim]:
    prefix = f"adamopoulou2023.{table}."
    return {name.removeprefix(prefix): one for name, one in values.items() if name.startswith(prefix)}


def test_table_3_number_by_number(values: dict[str, ValueClaim]) -> None:
    found = of_table(values, "t3")
    expected = {
        f"{way}.{row}": value
        for row, printed in TABLE_3.items()
        for way, value in zip(("precomputed", "on_the_fly"), printed.split(), strict=True)
    }
    assert {name: claim.value for name, claim in found.items()} == expected
    for name, claim in found.items():
        way, phase, score = name.split(".")
        assert claim.metric == f"pick_{score}[{phase}]"
        assert (
            claim.conditions.get("augmentation", "full_shift")
            == {"precomputed": "precomputed_shift", "on_the_fly": "full_shift"}[way]
        )


def test_table_4_number_by_number(values: dict[str, ValueClaim]) -> None:
    found = of_table(values, "t4")
    expected = {}
    for row, printed in TABLE_4.items():
        way, phase, score = row.split(".")
        for components, value in zip(COMPONENTS, printed.split(), strict=True):
            expected[f"{way}.{phase}.{components}.{score}"] = value
    assert {name: claim.value for name, claim in found.items()} == expected
    for name, claim in found.items():
        way, phase, components, score = name.split(".")
        assert claim.metric == f"pick_{score}[{phase},{components},high]"
        assert (
            claim.conditions.get("augmentation", "full_shift")
            == {"with": "channel_dropout", "without": "full_shift"}[way]
        )


# By the numbers that the thesis gives beside each: captions, quotations, datasets. None stands where it gives none.
REFERENCES = {
    "t[34].*": "189",
    "o.t[34].*": "189",
    "f.f1.t[34].*": "189",
    "f.always.*": "189",
    "o.f3[4-8]*": "189",
    "o.f16.sta_lta": "13 127",
    "o.f16.template_matching": "127",
    "o.s4.f*": "127",
    "o.s4.elsewhere.*": "123",
    "o.s4.perceptron": "112 114 115",
    "o.s4.early": "110",
    "s1.scattering.*": "4 18",
    "s1.precision.ref11": "11",
    "s1.precision.ref12": "12",
    "*s3.*accuracy": "10 13",
    "f.weights": "84",
    "f.rows*": "84",
    "f.dropout": "84",
    "f.input": "84",
    "f.listing": "84",
    "f.converged": "84",
    "f.models": "157",
    "f.cred": "123 171",
    "f.*.ethz": "",
    "f.geofon": "",
    "f.[cs]*.geofon*": "168",
    "f.*.instance*": "175",
    "f.*.iquique": "168",
    "f.lendb": "176",
    "f.[cs]*.lendb*": "176",
    "f.*.scedc": "177",
    "f.split.stead": "10",
    "f.stead": "10",
    "f.count.stead*": "123",
    "f.*.neic": "179",
}
# What these are about is the thesis alone.
ITS_OWN = ("f.references", "f.bibliography")


def test_each_claim_names_the_work_that_it_comes_from(claims: PaperClaims) -> None:
    for one in claims.claims:
        name = one.id.removeprefix("adamopoulou2023.")
        if name in ITS_OWN:
            assert one.source.endswith("of the thesis itself"), name
            continue
        (expected,) = [numbers for pattern, numbers in REFERENCES.items() if fnmatchcase(name, pattern)]
        places = re.findall(r"after references? ([\d, and]+)", one.source)
        assert sorted(re.findall(r"\d+", " ".join(places)), key=int) == expected.split(), name
        assert places or "no reference given" in one.source, name


# What is printed outside of the two tables, read in the text once more.
QUOTED = {
    "s1.scattering.accuracy": "93",
    "s3.deep.accuracy": "100",
    "s3.sta_lta.accuracy": "91",
    "s1.precision.ref11": "99.2",
    "s1.precision.ref12": "99.5",
}
# Training, validation and test, in the order of the sentence.
SPLITS = {
    "ethz": "61.1 9.9 28.5",
    "geofon": "58.6 10.1 31.3",
    "instance": "60.3 10 29.7",
    "iquique": "60 30 10",
    "lendb": "60 9.5 30.5",
    "scedc": "60 10 30",
    "stead": "60 30 10",
    "neic": "60 10 30",
}
COUNTS = {
    "ethz": "36,743",
    "geofon": "~275,000",
    "geofon.stations": "800",
    "instance": "~1.3 million",
    "instance.noise": "~130,000",
    "instance.earthquakes": "~50,000",
    "lendb.stations": "1487",
    "lendb.noise": "615,847",
    "lendb.earthquakes": "629,095",
    "stead": "~1.2 million",
    "stead.noise": "~200,000",
    "stead.earthquakes": "~450,000",
    "neic": "~1.3 million",
    "scedc": "~8",
}


def test_scores_splits_and_counts_outside_the_tables(values: dict[str, ValueClaim], claims: PaperClaims) -> None:
    prefix = "adamopoulou2023."
    outside = {name.removeprefix(prefix): one.value for name, one in values.items() if not name[16:].startswith("t")}
    assert outside == QUOTED
    facts = {one.id.removeprefix(prefix + "f."): one for one in claims.claims if isinstance(one, FactClaim)}
    splits = {name[6:]: one.against for name, one in facts.items() if name.startswith("split.")}
    assert {name: " ".join(one.numbers) for name, one in splits.items() if isinstance(one, SumOf)} == SPLITS
    assert {name[6:]: one.printed for name, one in facts.items() if name.startswith("count.")} == COUNTS


def test_orders_of_the_tables_are_those_of_their_printed_numbers(
    values: dict[str, ValueClaim], claims: PaperClaims
) -> None:
    """What is said to be higher was printed higher than each that it is held against."""
    orders = [one for one in claims.claims if isinstance(one, OrderClaim) and one.id[16:20] in ("o.t3", "o.t4")]
    assert len(orders) == 40
    for one in orders:
        first, others = float(values[one.first].value), [float(values[name].value) for name in one.among]
        assert one.greatest and first > max(others), one.id


@pytest.mark.parametrize("kind", ["gap", "step", "impulse"])
def test_orders_of_defects_are_on_what_a_defect_adds(kind: str, claims: PaperClaims) -> None:
    quantities = {one.id: one for one in claims.quantities}
    for way, augmentation in (("with", "false_positives"), ("without", None)):
        own = quantities[f"adamopoulou2023.f37.{way}.{kind}"]
        assert own.metric == f"picks_per_hour[excess,{kind}]"
        assert own.conditions.get("augmentation") == augmentation
    (order,) = [one for one in claims.claims if isinstance(one, OrderClaim) and one.id.endswith(f".f37.{kind}")]
    assert order.greatest == f"adamopoulou2023.f37.without.{kind}"
    assert order.among == [f"adamopoulou2023.f37.with.{kind}"]


def test_no_order_rests_on_a_control_or_a_spline_of_which_the_thesis_says_nothing(claims: PaperClaims) -> None:
    assert [one.id for one in claims.quantities if one.conditions.get("augmentation") == "noise_windows"] == []
    assert [one.id for one in claims.quantities if one.conditions.get("method") == "spline"] == []


def test_each_quantity_is_compared_in_an_order(claims: PaperClaims) -> None:
    orders = [one for one in claims.claims if isinstance(one, OrderClaim)]
    compared = {name for one in orders for name in (one.first, *one.among)}
    assert [one.id for one in claims.quantities if one.id not in compared] == []


# Section 4.1 and 5.2, once more: what is above what. A letter in braces is each phase.
STATED = """
    f34.missed: t3.on_the_fly.p.recall > f34.limited.recall
    f35.{x}: f35.with.{x}.second > f35.without.{x}.second
    f35.first.{x}: f35.without.{x}.first > f35.without.{x}.second
    f36.{x}.precision: f36.with.{x}.low.precision > f36.without.{x}.low.precision
    f36.{x}.recall: f36.with.{x}.low.recall > f36.without.{x}.low.recall
    f36.{x}.f1: f36.with.{x}.low.f1 > f36.without.{x}.low.f1
    f36.{x}.strong: f36.without.{x}.high.recall > f36.without.{x}.low.recall
    f38: f38.network > f38.none
    f16.sta_lta: f16.network > f16.sta_lta
    f16.template_matching: f16.network > f16.template_matching
    s4.false_picks: s4.network.false_picks < s4.sta_lta.false_picks
    s4.elsewhere.{x}: s4.home.{x}.precision > s4.elsewhere.{x}.precision
"""
MEASURED_BY = {
    "f34.limited.recall": ("networks", {"augmentation": "limited_shift"}, "pick_recall[p]"),
    "f35.without.s.first": ("networks", {}, "pick_recall[s,first event]"),
    "f36.with.p.low.precision": ("networks", {"augmentation": "noise"}, "pick_precision[p,low]"),
    "f36.without.s.low.precision": ("networks", {}, "pick_precision[s,low]"),
    "f16.template_matching": ("detectors", {"detector": "template_matching"}, "detected[mean]"),
    "s4.network.false_picks": ("networks", {"augmentation": "noise"}, "picks_per_hour[none]"),
    "s4.sta_lta.false_picks": ("trigger_picker", {}, "picks_per_hour[none]"),
    "s4.home.p.precision": ("networks", {}, "pick_precision[p,enz,high]"),
    "s4.elsewhere.p.precision": ("networks", {}, "pick_precision[p,elsewhere,high]"),
}


def test_orders_of_the_text_are_stated_the_right_way_round(claims: PaperClaims) -> None:
    prefix = "adamopoulou2023."
    orders = {one.id.removeprefix(f"{prefix}o."): one for one in claims.claims if isinstance(one, OrderClaim)}
    for line in STATED.split("\n")[1:-1]:
        for phase in ("p", "s") if "{x}" in line else ("",):
            name, first, sign, other = line.replace("{x}", phase).replace(":", "").split()
            order = orders[name]
            assert (order.first, order.among) == (prefix + first, [prefix + other]), name
            assert bool(order.greatest) == (sign == ">"), name
            assert order.comparable == "substitute-data", name
    quantities = {one.id.removeprefix(prefix): one for one in claims.quantities}
    found = {name: quantities[name] for name in MEASURED_BY}
    assert {name: (one.experiment, one.conditions, one.metric) for name, one in found.items()} == MEASURED_BY


def test_quantities_without_a_record_are_in_no_order_that_is_judged(claims: PaperClaims) -> None:
    """What a run does not keep would leave an order pending for ever."""
    kept = ("activation", "pick_", "picks_per_hour", "recovery_gain", "detected", "accuracy")
    missing = {one.id for one in claims.quantities if not one.metric.startswith(kept)}
    orders = [one for one in claims.claims if isinstance(one, OrderClaim) and missing & {one.first, *one.among}]
    assert {one.comparable for one in orders} == {"no-data"}


def test_each_figure_that_shows_a_result_has_its_counterpart_on_the_page() -> None:
    page = (PROJECT / "notebooks" / "adamopoulou2023.md").read_text(encoding="utf-8")
    named = re.findall(r"printed Figures? (\d+)(?: and (\d+))?", page)
    assert {int(one) for found in named for one in found if one} == {3, 10, 16, 23, 28, 29, 34, 35, 36, 37, 38}


def test_converged_and_not_are_both_quoted(claims: PaperClaims) -> None:
    (fact,) = [one for one in claims.claims if one.id == "adamopoulou2023.f.converged"]
    assert isinstance(fact, FactClaim) and isinstance(fact.against, OtherPlace)
    assert "has converged" in fact.printed and "don't converge" in fact.against.text


def test_conclusions_count_the_scores_of_the_tables_rightly(values: dict[str, ValueClaim], claims: PaperClaims) -> None:
    """How many scores the thesis's augmentation raises, and how many it lowers, by the printed numbers alone."""
    raised: dict[str, list[bool]] = {"t3": [], "t4": []}
    for name, claim in values.items():
        for table, augmented, without in (("t3", "on_the_fly", "precomputed"), ("t4", "with", "without")):
            if f".{table}.{augmented}." in name:
                plain = values[name.replace(f".{augmented}.", f".{without}.")]
                raised[table].append(float(claim.value) > float(plain.value))
    counted = [sum(raised["t3"]), sum(raised["t4"]), sum(not one for table in raised.values() for one in table)]
    words = {"five": 5, "27": 27, "Four": 4}
    for conclusion, expected in zip(claims.conclusions[:3], counted, strict=True):
        assert [number for word, number in words.items() if word in conclusion.says.split()] == [expected]
        assert sum(conclusion.rests_on(one.id) for one in claims.claims) == expected
