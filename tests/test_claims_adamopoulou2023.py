"""What the thesis printed: Tables 3 and 4 row by row, each number once more beside the claims file."""

from __future__ import annotations

import pytest

from reproduce_lib.claims import PaperClaims, ValueClaim, load_claims
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
def values() -> dict[str, ValueClaim]:
    claims: PaperClaims = load_claims("adamopoulou2023", PROJECT / "book" / "claims")
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
