"""What Li et al. printed: Tables I, III and IV row by row, each number once more beside the claims file."""

from __future__ import annotations

import pytest

from reproduce_lib.claims import FactClaim, OtherPlace, PaperClaims, SumOf, ValueClaim, load_claims
from reproduce_lib.papers.li2021.samples import CHOSEN
from tests.support import PROJECT

# Instances, then those of the five labels.
TABLE_I = {
    "sichuan": "906 457 214 114 54 67",
    "xinjiang": "1027 123 335 316 142 111",
    "qinghai_tibet": "1021 172 208 230 157 254",
    "shandong_jiangsu": "658 481 100 49 15 13",
    "japan": "1096 136 416 317 139 88",
    "philippines": "1052 67 392 359 112 122",
    "chicago": "610 276 99 140 73 22",
    "los_angeles": "1182 417 409 196 118 42",
}
# Accuracy of 2016N, 2018CNN, 2019F and DLEP, then their MAUC.
TABLE_III = {
    "sichuan": "57.71 38.41 52.32 81.23 61.00 51.23 71.81 90.07",
    "xinjiang": "32.71 34.38 68.76 77.52 55.39 50.87 74.19 92.42",
    "qinghai_tibet": "34.15 31.85 62.47 75.69 57.33 49.98 68.19 91.41",
    "shandong_jiangsu": "67.08 82.03 54.85 84.13 86.64 50.00 67.64 71.55",
    "japan": "52.68 28.33 68.16 79.42 69.20 50.10 73.59 90.23",
    "philippines": "74.37 32.45 71.41 77.83 66.42 50.41 63.52 89.46",
    "chicago": "47.42 40.07 76.08 76.36 56.84 51.04 60.23 85.02",
    "los_angeles": "35.26 35.48 56.36 79.88 58.68 50.67 72.67 89.81",
}
# MAUC of DLEP, DLEP(-Att) and DLEP(-Dyn).
TABLE_IV = {
    "sichuan": "90.07 77.04 55.58",
    "xinjiang": "92.42 78.86 60.84",
    "qinghai_tibet": "91.41 79.21 88.07",
    "shandong_jiangsu": "71.55 60.29 52.79",
    "japan": "90.23 79.65 76.87",
    "philippines": "89.46 80.63 78.54",
    "chicago": "85.02 77.19 51.27",
    "los_angeles": "89.81 80.78 75.43",
}


@pytest.fixture(scope="module")
def claims() -> PaperClaims:
    return load_claims("li2021", PROJECT / "book" / "claims")


def printed(claims: PaperClaims, table: str) -> dict[str, ValueClaim]:
    """Return the numbers of a table by what follows its name in their ids."""
    prefix = f"li2021.{table}."
    return {
        one.id.removeprefix(prefix): one
        for one in claims.claims
        if isinstance(one, ValueClaim) and one.id.startswith(prefix)
    }


def test_table_i_adds_up_the_printed_counts(claims: PaperClaims) -> None:
    facts = {one.id: one for one in claims.claims if isinstance(one, FactClaim)}
    for region, row in TABLE_I.items():
        whole, *parts = row.split()
        claim = facts[f"li2021.t1.sum.{region}"]
        assert isinstance(claim.against, SumOf)
        assert (claim.printed, list(claim.against.numbers)) == (whole, parts)


def test_instances_of_table_i_stand_beside_the_samples_of_the_cut_that_the_rule_found(claims: PaperClaims) -> None:
    found = printed(claims, "t1")
    expected = {
        f"{region}.label_{label}": value
        for region, row in TABLE_I.items()
        for label, value in enumerate(row.split()[1:], start=1)
    }
    assert {name: claim.value for name, claim in found.items()} == expected
    for name, claim in found.items():
        region, label = name.split(".label_")
        cut = next(cut for key, cut in CHOSEN.items() if key == region)
        assert claim.conditions == {"region": region, "catalogue": cut.catalogue}
        assert claim.metric == f"samples[{cut.days},{label}]"


def test_table_iii_number_by_number(claims: PaperClaims) -> None:
    found = printed(claims, "t3")
    columns = [(method, score) for score in ("accuracy", "mauc") for method in ("2016n", "2018cnn", "2019f", "dlep")]
    expected = {
        f"{region}.{method}.{score}": value
        for region, row in TABLE_III.items()
        for (method, score), value in zip(columns, row.split(), strict=True)
    }
    assert {name: claim.value for name, claim in found.items()} == expected
    for name, claim in found.items():
        region, _, score = name.split(".")
        assert (claim.metric, claim.conditions["region"], claim.comparable) == (score, region, "substitute-data")


def test_what_table_iv_repeats_stands_as_each_table_prints_it(claims: PaperClaims) -> None:
    facts = {one.id: one for one in claims.claims if isinstance(one, FactClaim)}
    for region in TABLE_III:
        claim = facts[f"li2021.t34.{region}"]
        assert isinstance(claim.against, OtherPlace)
        printed_twice = TABLE_III[region].split()[-1], TABLE_IV[region].split()[0]
        assert (claim.printed, claim.against.text) == printed_twice


def test_table_iv_number_by_number(claims: PaperClaims) -> None:
    found = printed(claims, "t4")
    expected = {
        f"{region}.{model}.mauc": value
        for region, row in TABLE_IV.items()
        for model, value in zip(("dlep", "dlep_att", "dlep_dyn"), row.split(), strict=True)
    }
    assert {name: claim.value for name, claim in found.items()} == expected
    for name, claim in found.items():
        region, model, _ = name.split(".")
        assert claim.conditions["region"] == region
        assert claim.conditions.get("model", "dlep") == model
