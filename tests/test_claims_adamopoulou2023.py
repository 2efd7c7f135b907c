"""What the thesis printed: Tables 3 and 4 row by row, each number once more beside the claims file."""

from __future__ import annotations

import pytest

from reproduce_lib.claims import FactClaim, OrderClaim, PaperClaims, SumOf, ValueClaim, load_claims
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


def test_each_number_names_the_work_that_it_comes_from(values: dict[str, ValueClaim]) -> None:
    assert [one.id for one in values.values() if "reference" not in one.source] == []


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
    "instance": "~1.3 million",
    "instance.noise": "~130,000",
    "instance.earthquakes": "~50,000",
    "lendb.stations": "1487",
    "lendb.noise": "615,847",
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
    assert len(orders) == 42
    for one in orders:
        first, others = float(values[one.first].value), [float(values[name].value) for name in one.among]
        assert one.greatest and first > max(others), one.id


@pytest.mark.parametrize("kind", ["gap", "step", "impulse"])
def test_orders_of_defects_are_on_what_a_defect_adds(kind: str, claims: PaperClaims) -> None:
    quantities = {one.id: one for one in claims.quantities}
    for way, augmentation in (("with", "false_positives"), ("without", None), ("control", "noise_windows")):
        own = quantities[f"adamopoulou2023.f37.{way}.{kind}"]
        assert own.metric == f"picks_per_hour[excess,{kind}]"
        assert own.conditions.get("augmentation") == augmentation
    orders = {one.id: one for one in claims.claims if isinstance(one, OrderClaim)}
    for name, way in ((kind, "without"), (f"control.{kind}", "control")):
        order = orders[f"adamopoulou2023.o.f37.{name}"]
        assert order.greatest == f"adamopoulou2023.f37.{way}.{kind}"
        assert order.among == [f"adamopoulou2023.f37.with.{kind}"]
