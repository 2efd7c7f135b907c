"""Claims files: what each kind holds, what is refused and how it is named, and the real file of naufal2023."""

from __future__ import annotations

import copy
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from reproduce_lib.claims import (
    FactClaim,
    GainOf,
    LargestOf,
    MeanOf,
    Measured,
    OrderClaim,
    OtherPlace,
    PaperClaims,
    ShareOf,
    SumOf,
    ValueClaim,
    WhereLargest,
    load_claims,
)
from reproduce_lib.collection import rebuilt
from reproduce_lib.errors import ClaimError
from reproduce_lib.papers.naufal2023 import paper as naufal2023
from reproduce_lib.papers.naufal2023.networks import READINGS, NetworkParameters
from reproduce_lib.yaml_files import UniqueKeys, read_yaml

VALUE: dict[str, Any] = {
    "id": "toy.t1.a.mae", "kind": "value", "source": "Table 1", "statement": "A, MAE", "value": "0.2320",
    "metric": "mae", "unit": "USD", "better": "lower", "experiment": "fits", "conditions": {"model": "a", "window": 1},
}  # fmt: skip
MEAN: dict[str, Any] = {
    **VALUE, "id": "toy.t1.b.mae", "value": "1e3", "over": {"ticker": ["X", "Y"]}, "aggregation": "mean",
    "comparable": "substitute-data", "why": "the paper's data are gone",
}  # fmt: skip
ORDER: dict[str, Any] = {
    "id": "toy.s4.a_lowest", "kind": "order", "source": "Section 4", "statement": "A is lowest",
    "least": "toy.t1.a.mae", "among": ["toy.t1.b.mae"], "significant_at": 0.05,
    "group": "A is best", "note": "said twice",
}  # fmt: skip
FACT: dict[str, Any] = {
    "id": "toy.s3.days", "kind": "fact", "source": "Section 3", "statement": "1258 days", "printed": "1258",
    "against": {"kind": "measured", "experiment": "facts", "conditions": {"ticker": "X"}}, "digits": "cut",
}  # fmt: skip
MEAN_FACT = {**FACT, "id": "toy.s3.mean", "against": {"kind": "mean_of", "claims": ["toy.t1.a.mae", "toy.t1.b.mae"]}}
PLACE_FACT = {**FACT, "id": "toy.s3.place", "against": {"kind": "other_place", "text": "1259", "where": "Table 2"}}
DECISION: dict[str, Any] = {
    "parameter": "scaler", "question": "Which days?", "chosen": "train", "reason": "No leak.",
    "others": [{"value": "all", "says": "a leak"}],
}  # fmt: skip
PAPER: dict[str, Any] = {
    "schema": 1, "paper": "toy", "title": "A toy", "citation": "toy2020", "in_a_sentence": "It plays.",
    "decisions": [DECISION], "claims": [VALUE, MEAN, ORDER, FACT, MEAN_FACT, PLACE_FACT],
}  # fmt: skip


def load(folder: Path, content: Any) -> PaperClaims:
    (folder / "toy.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return load_claims("toy", folder)


def refusal(folder: Path, content: Any) -> str:
    with pytest.raises(ClaimError) as error:
        load(folder, content)
    assert str(folder / "toy.yaml") in str(error.value)
    return str(error.value)


def paper(*claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**PAPER, "claims": [*PAPER["claims"], *claims], **changes}


def changed(place: int, **changes: Any) -> dict[str, Any]:
    """Return the whole file with fields of one claim changed."""
    content = copy.deepcopy(PAPER)
    content["claims"][place].update(changes)
    return content


def test_each_kind_is_read_as_written(tmp_path: Path) -> None:
    claims = load(tmp_path, PAPER)
    value, mean, order, fact, mean_fact, place_fact = claims.claims
    assert isinstance(value, ValueClaim)
    assert (value.value, value.metric, value.better, value.unit) == ("0.2320", "mae", "lower", "USD")
    assert (value.conditions, value.over, value.aggregation) == ({"model": "a", "window": 1}, {}, "single")
    assert isinstance(mean, ValueClaim)
    assert (mean.value, mean.over, mean.aggregation) == ("1e3", {"ticker": ["X", "Y"]}, "mean")
    assert isinstance(order, OrderClaim)
    assert (order.least, order.among, order.significant_at) == ("toy.t1.a.mae", ["toy.t1.b.mae"], 0.05)
    assert isinstance(fact, FactClaim)
    assert fact.against == Measured(kind="measured", experiment="facts", conditions={"ticker": "X"}, metric="value")
    assert isinstance(mean_fact, FactClaim)
    assert mean_fact.against == MeanOf(kind="mean_of", claims=["toy.t1.a.mae", "toy.t1.b.mae"])
    assert isinstance(place_fact, FactClaim)
    assert place_fact.against == OtherPlace(kind="other_place", text="1259", where="Table 2")


@pytest.mark.parametrize(("kind", "read"), [("largest_of", LargestOf), ("where_largest", WhereLargest)])
def test_facts_about_the_largest_of_other_values_are_read_as_written(tmp_path: Path, kind: str, read: Any) -> None:
    against = {"kind": kind, "claims": ["toy.t1.a.mae", "toy.t1.b.mae"]}
    claims = load(tmp_path, paper({**FACT, "id": "toy.s3.largest", "printed": "1e3", "against": against}))
    *_, fact = claims.claims
    assert isinstance(fact, FactClaim)
    assert fact.against == read(kind=kind, claims=["toy.t1.a.mae", "toy.t1.b.mae"])
    assert load(tmp_path, claims.model_dump(mode="json", by_alias=True)) == claims


@pytest.mark.parametrize("kind", ["largest_of", "where_largest"])
@pytest.mark.parametrize(
    ("against", "named"),
    [
        ({"claims": ["toy.t1.a.mae"]}, "toy.s3.largest"),
        ({"claims": []}, "toy.s3.largest"),
        ({}, "claims"),
        ({"claims": ["toy.t1.a.mae", "toy.gone"]}, "toy.gone"),
        ({"claims": ["toy.t1.a.mae", "toy.s4.a_lowest"]}, "toy.s4.a_lowest"),
        ({"claims": ["toy.t1.a.mae", "toy.s3.days"]}, "toy.s3.days"),
        ({"claims": ["toy.t1.a.mae", "toy.t1.b.mae"], "where": "Table 2"}, "where"),
    ],
)
def test_a_fact_about_the_largest_refers_to_several_value_claims_of_the_file(
    tmp_path: Path, kind: str, against: dict[str, Any], named: str
) -> None:
    fact = {**FACT, "id": "toy.s3.largest", "against": {"kind": kind, **against}}
    assert named in refusal(tmp_path, paper(fact))


@pytest.mark.parametrize(
    ("changes", "number"),
    [({}, 0.232), ({"value": "601"}, 601.0), ({"value": "601", "likely": "6.1"}, 6.1), ({"likely": "0"}, 0.0)],
)
def test_the_number_of_a_misprint_is_what_it_most_likely_should_be(
    tmp_path: Path, changes: dict[str, Any], number: float
) -> None:
    claim = load(tmp_path, changed(0, **changes)).value("toy.t1.a.mae")
    assert (claim.number, claim.value) == (number, changes.get("value", "0.2320"))


@pytest.mark.parametrize("likely", [6.1, 6, True, "about 6", "6,1", "NaN", "inf", None])
def test_a_likely_number_is_printed_as_a_number_is(tmp_path: Path, likely: Any) -> None:
    message = refusal(tmp_path, changed(0, likely=likely))
    assert "likely" in message
    assert "toy.t1.a.mae" in message


def test_a_file_comes_back_the_same_after_being_written_out(tmp_path: Path) -> None:
    first = load(tmp_path, PAPER)
    written = first.model_dump(mode="json", by_alias=True)
    assert load(tmp_path, written) == first
    for given, kept in zip(PAPER["claims"], written["claims"], strict=True):
        assert {**kept, **given, "against": 0} == {**kept, "against": 0}


def test_comparability_defaults_to_the_same_data_and_for_facts_to_not_applicable(tmp_path: Path) -> None:
    found = {claim.id: claim.comparable for claim in load(tmp_path, PAPER).claims}
    assert (found["toy.t1.a.mae"], found["toy.t1.b.mae"]) == ("same-data", "substitute-data")
    assert (found["toy.s4.a_lowest"], found["toy.s3.days"]) == ("same-data", "not-applicable")


def test_a_conclusion_rests_on_claims_of_the_file(tmp_path: Path) -> None:
    stated = {"says": "a is the lowest", "claims": ["toy.t1.*.mae", "toy.s4.a_lowest"]}
    (conclusion,) = load(tmp_path, {**PAPER, "conclusions": [stated]}).conclusions
    ids = [claim["id"] for claim in PAPER["claims"]]
    assert [one for one in ids if conclusion.rests_on(one)] == ["toy.t1.a.mae", "toy.t1.b.mae", "toy.s4.a_lowest"]
    gone = {"says": "b is the lowest", "claims": ["toy.t1.a.mae", "toy.t9.*"]}
    message = refusal(tmp_path, {**PAPER, "conclusions": [stated, gone]})
    assert "toy.t9.*" in message
    assert "b is the lowest" in message


def test_value_claims_are_found_by_id(tmp_path: Path) -> None:
    assert load(tmp_path, PAPER).value("toy.t1.b.mae").value == "1e3"


@pytest.mark.parametrize(
    ("place", "changes", "named"),
    [
        (0, {"value": 0.232}, ["0.232"]),
        (0, {"value": 1258}, ["1258"]),
        (0, {"value": True}, ["True"]),
        (0, {"value": None}, []),
        (0, {"value": "n/a"}, ["n/a"]),
        (0, {"value": ""}, []),
        (0, {"value": "NaN"}, ["NaN"]),
        (0, {"value": "1,258"}, ["1,258"]),
        (0, {"value": "83.33%"}, ["83.33%"]),
        (0, {"metric": "mape"}, ["mape", "mae", "rmse"]),
        (0, {"better": "smaller"}, ["smaller", "lower", "higher", "none"]),
        (0, {"aggregation": "mean"}, []),
        (0, {"aggregation": "median"}, ["median"]),
        (0, {"over": {"ticker": ["X", "Y"]}}, []),
        (0, {"conditions": "window 1"}, ["window 1"]),
        (0, {"comparable": "no-data"}, ["no-data"]),
        (0, {"comparable": "substitute-data", "why": ""}, ["substitute-data"]),
        (0, {"comparable": "partly"}, ["partly"]),
        (0, {"tolerance": 3}, ["tolerance"]),
        (0, {"statement": ""}, ["statement"]),
        (0, {"kind": "number"}, ["number"]),
        (1, {"aggregation": "single"}, []),
        (2, {"among": []}, ["among"]),
        (2, {"significant_at": 5}, ["significant_at"]),
        (2, {"least": "toy.t1.c.mae"}, ["toy.t1.c.mae"]),
        (2, {"among": ["toy.t1.c.mae"]}, ["toy.t1.c.mae"]),
        (2, {"among": ["toy.s3.days"]}, ["toy.s3.days"]),
        (2, {"best": "toy.t1.a.mae"}, ["best"]),
        (3, {"printed": 1258}, ["1258"]),
        (3, {"digits": "floor"}, ["floor"]),
        (3, {"against": {"kind": "guess"}}, ["guess"]),
        (3, {"against": {"kind": "other_place", "text": "1259"}}, ["where"]),
        (4, {"against": {"kind": "mean_of", "claims": ["toy.t1.a.mae"]}}, ["claims"]),
        (4, {"against": {"kind": "mean_of", "claims": ["toy.t1.a.mae", "toy.gone"]}}, ["toy.gone"]),
    ],
)
def test_a_wrong_claim_is_refused_by_file_and_id_or_by_what_it_refers_to(
    tmp_path: Path, place: int, changes: dict[str, Any], named: list[str]
) -> None:
    message = refusal(tmp_path, changed(place, **changes))
    assert [word for word in named if word not in message] == []
    dangling = any(word.startswith("toy.") for word in named)
    assert dangling or PAPER["claims"][place]["id"] in message


@pytest.mark.parametrize(
    "field", ["value", "metric", "unit", "better", "experiment", "conditions", "source", "statement"]
)
def test_a_missing_field_is_named_with_its_claim(tmp_path: Path, field: str) -> None:
    content = changed(0)
    del content["claims"][0][field]
    message = refusal(tmp_path, content)
    assert field in message
    assert "toy.t1.a.mae" in message


@pytest.mark.parametrize("name", ["toy.T1.a.mae", "toy", "toy.", "toy t1", "", 5])
def test_a_malformed_id_is_refused_and_shown(tmp_path: Path, name: Any) -> None:
    assert str(name) in refusal(tmp_path, paper({**VALUE, "id": name}))


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    assert "toy.s3.days" in refusal(tmp_path, paper({**VALUE, "id": "toy.s3.days"}))


@pytest.mark.parametrize("name", ["li2021.t1.a.mae", "toys.t1.a.mae"])
def test_a_claim_of_another_paper_is_refused(tmp_path: Path, name: str) -> None:
    assert name in refusal(tmp_path, paper({**VALUE, "id": name}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"schema": 2}, "schema"), ({"year": 2020}, "year"), ({"claims": None}, "claims"),
     ({"claims": {"a": 1}}, "claims"), ({"title": None}, "title"),
     ({"decisions": [{**DECISION, "reason": None}]}, "reason"),
     ({"decisions": [{**DECISION, "default": 1}]}, "default")],
)  # fmt: skip
def test_a_wrong_heading_is_refused_by_name(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    assert named in refusal(tmp_path, {**PAPER, **changes})


def test_a_claim_without_an_id_and_one_that_is_none_are_named_by_their_place(tmp_path: Path) -> None:
    without = {name: value for name, value in VALUE.items() if name != "id"}
    assert "6" in refusal(tmp_path, paper(without))
    assert "6" in refusal(tmp_path, paper("not a claim"))  # type: ignore[arg-type]


def test_all_wrong_claims_are_told_apart_and_counted(tmp_path: Path) -> None:
    wrong = [{**VALUE, "id": f"toy.t9.row{number}.mae", "metric": "mape"} for number in range(8)]
    message = refusal(tmp_path, paper(*wrong))
    assert re.findall(r"toy\.t9\.row(\d)", message) == ["0", "1", "2", "3", "4"]
    assert "3" in message.rpartition(";")[2]


@pytest.mark.parametrize(
    "text",
    [
        "claims: [",
        "schema: 1\n\tpaper: toy",
        "schema: 1\nschema: 1\n",
        "claims:\n- {id: a, id: b}\n",
        "!!python/object/apply:os.getcwd []",
        "a: 'unclosed",
        "&a [*b]",
        "? [1]\n: 2\n",
        "--- 1\n--- 2\n",
        "\x00",
        "year: 2020-13-45\n",
        "[" * 100_000,
    ],
)
def test_broken_yaml_is_refused_by_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "toy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ClaimError, match=r"toy\.yaml"):
        load_claims("toy", tmp_path)


@pytest.mark.parametrize("value", ["!!int ''", "!!int x", "!!float ''", "!!bool x", "!!timestamp x"])
def test_value_that_is_not_of_its_tag_is_refused_with_its_place(tmp_path: Path, value: str) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"a: 1\nb: {value}\n", encoding="utf-8")
    with pytest.raises(ClaimError, match=r"one\.yaml is no YAML"):
        read_yaml(path, UniqueKeys, ClaimError)


def test_digits_with_colons_are_words_and_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"a: 1:30\nb: 0x1f\nc: 12_000\nd: yes\ne: 1.5\nlong: {':'.join(['1', *['00'] * 200_000])}.5\n")
    begun = time.process_time()
    found = read_yaml(path, UniqueKeys, ClaimError)
    assert time.process_time() - begun < 5
    assert found.pop("long").startswith("1:00:")
    assert found == {"a": "1:30", "b": 31, "c": 12_000, "d": True, "e": 1.5}


def test_a_key_written_twice_is_named_with_its_line(tmp_path: Path) -> None:
    text = yaml.safe_dump({**PAPER, "claims": []}, sort_keys=False) + "title: Another\n"
    (tmp_path / "toy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ClaimError, match="title") as error:
        load_claims("toy", tmp_path)
    assert f"line {len(text.splitlines())}" in str(error.value)


@pytest.mark.parametrize("data", [b"", b"5\n", b"[1, 2]\n", b"just a sentence\n", b"title: \xff\xfe\n"])
def test_a_file_that_holds_no_claims_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "toy.yaml").write_bytes(data)
    with pytest.raises(ClaimError, match=r"toy\.yaml"):
        load_claims("toy", tmp_path)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").mkdir()
    with pytest.raises(ClaimError, match=r"toy\.yaml cannot be read"):
        load_claims("toy", tmp_path)


def test_a_missing_file_is_named_in_full(tmp_path: Path) -> None:
    with pytest.raises(ClaimError) as error:
        load_claims("toy", tmp_path / "nowhere")
    assert str(tmp_path / "nowhere" / "toy.yaml") in str(error.value)


def any_of(*readings: dict[str, Any]) -> dict[str, Any]:
    return paper(
        {**FACT, "id": "toy.s3.any", "printed": "8", "against": {"kind": "any_of", "readings": list(readings)}}
    )


def test_statement_stands_alone_in_each_of_its_readings(tmp_path: Path) -> None:
    sums = [{"kind": "sum_of", "numbers": [a, b]} for a, b in (("3", "5"), ("2", "7"))]
    facts = {one.id: one for one in load(tmp_path, any_of(*sums)).claims if isinstance(one, FactClaim)}
    claim = facts["toy.s3.any"]
    assert [[one.against.model_dump()] for one in claim.alone] == [[one] for one in sums]
    assert {one.printed for one in claim.alone} == {"8"}
    assert facts["toy.s3.place"].alone == [facts["toy.s3.place"]]


def test_one_reading_is_no_choice_and_a_reading_of_nothing_is_named(tmp_path: Path) -> None:
    gain = {"kind": "gain_of", "reading": "relative", "higher": ["toy.t1.a.mae"], "lower": ["toy.t1.nowhere.mae"]}
    total = {"kind": "sum_of", "numbers": ["3", "5"]}
    assert "toy.s3.any" in refusal(tmp_path, any_of(total))
    assert "toy.t1.nowhere.mae" in refusal(tmp_path, any_of(total, gain))
    zero = {**gain, "lower": ["toy.t1.zero.mae"]}
    content = any_of(total, zero)
    content["claims"].append({**VALUE, "id": "toy.t1.zero.mae", "value": "0.0"})
    assert "toy.t1.zero.mae" in refusal(tmp_path, content)


@pytest.fixture(scope="module")
def real() -> PaperClaims:
    return load_claims("naufal2023")


@pytest.mark.parametrize("name", rebuilt())
def test_each_rebuilt_paper_has_claims_of_its_own(name: str) -> None:
    claims = load_claims(name)
    assert claims.paper == name
    assert claims.claims


def test_naufal2023_has_all_values_of_its_four_tables(real: PaperClaims) -> None:
    values = [claim.id.removeprefix("naufal2023.") for claim in real.claims if isinstance(claim, ValueClaim)]
    assert Counter(name.partition(".")[0] for name in values) == {"t3": 18, "t4": 18, "t5": 6, "t6": 6}
    models, scores = ("lstm", "lstm_gru", "cnn_lstm_gru"), ("mae", "rmse")
    expected = {
        f"{table}.{row}.{model}.{score}"
        for tables, rows in ((("t3", "t4"), ("tsla", "goog", "twtr")), (("t5", "t6"), ("mean",)))
        for table in tables
        for row in rows
        for model in models
        for score in scores
    }
    assert set(values) == expected


def test_naufal2023_conditions_say_what_the_ids_say(real: PaperClaims) -> None:
    for claim in real.claims:
        if not isinstance(claim, ValueClaim):
            continue
        _, table, row, model, score = claim.id.split(".")
        expected: dict[str, Any] = {"model": model, "window": {"t3": 1, "t4": 30, "t5": 1, "t6": 30}[table]}
        spans = {"ticker": ["TSLA", "GOOG", "TWTR"]} if row == "mean" else {}
        assert claim.conditions == (expected if spans else {**expected, "ticker": row.upper()})
        assert (claim.over, claim.metric, claim.better, claim.unit) == (spans, score, "lower", "USD")
        assert re.fullmatch(r"\d+\.\d{3}", claim.value)


def test_naufal2023_values_and_facts_name_units_that_exist(real: PaperClaims) -> None:
    recorded = {unit.key for unit in naufal2023.PAPER.full_units()}
    for claim in real.claims:
        if isinstance(claim, ValueClaim):
            spans: list[dict[str, Any]] = [{"ticker": ticker} for ticker in claim.over.get("ticker", [])] or [{}]
            units = [NetworkParameters.of(**claim.conditions, **span) for span in spans]
        elif isinstance(claim, FactClaim) and isinstance(claim.against, Measured):
            parameters = naufal2023.PAPER.experiment(claim.against.experiment).parameters
            units = [parameters.of(**claim.against.conditions)]  # type: ignore[list-item]
        else:
            continue
        assert {unit.key for unit in units} <= recorded, claim.id


def test_naufal2023_has_claims_of_every_kind_that_its_brief_asks_for(real: PaperClaims) -> None:
    kinds = Counter(claim.kind for claim in real.claims)
    against = Counter(claim.against.kind for claim in real.claims if isinstance(claim, FactClaim))
    assert kinds["value"] == 48
    assert kinds["order"] >= 16
    assert against["mean_of"] == 12
    printed = {claim.printed for claim in real.claims if isinstance(claim, FactClaim)}
    assert {"1258", "2017-10-09", "2022-10-07"} <= printed


def test_naufal2023_decisions_are_the_defaults_and_the_readings_of_its_networks(real: PaperClaims) -> None:
    decisions = {decision.parameter: decision for decision in real.decisions}
    assert len(decisions) == len(real.decisions)
    for name, decision in decisions.items():
        default = NetworkParameters.model_fields[name].default
        assert (type(decision.chosen), decision.chosen) == (type(default), default), name
    others = {name: {repr(other.value) for other in one.others} for name, one in decisions.items() if one.others}
    assert others == {name: set(map(repr, values)) for name, values in READINGS.items()}


def test_places_told_by_ids_of_different_lengths_are_refused(tmp_path: Path) -> None:
    against = {"kind": "where_largest", "claims": ["toy.t1.a.mae", "toy.mean"]}
    with pytest.raises(ClaimError, match="different numbers of parts"):
        load(tmp_path, paper({**FACT, "id": "toy.s3.largest", "printed": "1e3", "against": against}))


# Orders from above, and facts that follow from printed numbers

GREATEST = {**ORDER, "id": "toy.s4.b_highest", "greatest": "toy.t1.b.mae", "among": ["toy.t1.a.mae"]}
del GREATEST["least"]
SUM: dict[str, Any] = {"kind": "sum_of", "numbers": ["457", "0.5", "1e3"]}
SHARE: dict[str, Any] = {"kind": "share_of", "parts": ["457", "214"], "of": ["906"]}
GAIN: dict[str, Any] = {
    "kind": "gain_of", "higher": ["toy.t1.a.mae"], "lower": ["toy.t1.b.mae"], "reading": "points",
}  # fmt: skip


def fact_against(against: dict[str, Any]) -> dict[str, Any]:
    return paper({**FACT, "id": "toy.s3.follows", "printed": "906", "against": against})


def test_an_order_names_what_is_least_or_what_is_greatest(tmp_path: Path) -> None:
    *_, order = load(tmp_path, paper(GREATEST)).claims
    assert isinstance(order, OrderClaim)
    assert (order.greatest, order.first) == ("toy.t1.b.mae", "toy.t1.b.mae")
    assert not order.least
    (least,) = (claim for claim in load(tmp_path, PAPER).claims if isinstance(claim, OrderClaim))
    assert (least.least, least.first) == ("toy.t1.a.mae", "toy.t1.a.mae")
    assert not least.greatest


@pytest.mark.parametrize(
    ("claim", "named"),
    [
        ({**GREATEST, "least": "toy.t1.a.mae"}, "toy.s4.b_highest"),
        ({name: value for name, value in GREATEST.items() if name != "greatest"}, "toy.s4.b_highest"),
        ({**GREATEST, "greatest": "toy.t1.c.mae"}, "toy.t1.c.mae"),
        ({**GREATEST, "greatest": "toy.s3.days"}, "toy.s3.days"),
        ({**GREATEST, "greatest": "nonsense"}, "nonsense"),
        ({**GREATEST, "among": ["toy.gone"]}, "toy.gone"),
    ],
)
def test_an_order_of_two_ends_of_none_or_of_no_value_is_refused(
    tmp_path: Path, claim: dict[str, Any], named: str
) -> None:
    assert named in refusal(tmp_path, paper(claim))


def test_an_order_from_above_comes_back_the_same_after_being_written_out(tmp_path: Path) -> None:
    first = load(tmp_path, paper(GREATEST))
    assert load(tmp_path, first.model_dump(mode="json", by_alias=True)) == first


@pytest.mark.parametrize(
    ("against", "read"),
    [
        (SUM, SumOf(kind="sum_of", numbers=["457", "0.5", "1e3"])),
        (SHARE, ShareOf(kind="share_of", parts=["457", "214"], of=["906"])),
        *(
            (
                {**GAIN, "reading": reading},
                GainOf(kind="gain_of", higher=["toy.t1.a.mae"], lower=["toy.t1.b.mae"], reading=reading),
            )
            for reading in ("points", "relative", "of_means")
        ),
    ],
)
def test_facts_that_follow_from_printed_numbers_are_read_as_written(
    tmp_path: Path, against: dict[str, Any], read: SumOf | ShareOf | GainOf
) -> None:
    claims = load(tmp_path, fact_against(against))
    *_, fact = claims.claims
    assert isinstance(fact, FactClaim)
    assert fact.against == read
    assert load(tmp_path, claims.model_dump(mode="json", by_alias=True)).claims[-1] == fact


@pytest.mark.parametrize("reading", ["relative", "of_means"])
def test_gain_in_percent_of_a_printed_zero_is_refused(tmp_path: Path, reading: str) -> None:
    content = fact_against({**GAIN, "reading": reading})
    next(claim for claim in content["claims"] if claim["id"] == "toy.t1.b.mae")["value"] = "0.00"
    message = refusal(tmp_path, content)
    assert "toy.t1.b.mae" in message
    assert "toy.s3.follows" in message


def test_gain_in_percent_of_a_mean_may_have_a_zero_in_it(tmp_path: Path) -> None:
    names = ["toy.t1.a.mae", "toy.t1.b.mae"]
    content = fact_against({**GAIN, "reading": "of_means", "higher": names, "lower": names})
    next(claim for claim in content["claims"] if claim["id"] == "toy.t1.b.mae")["value"] = "0.00"
    assert load(tmp_path, content).claims[-1].id == "toy.s3.follows"
    content["claims"][-1]["against"]["reading"] = "relative"
    assert "toy.t1.b.mae" in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("against", "named"),
    [
        ({**SUM, "numbers": ["457"]}, "numbers"),
        ({**SUM, "numbers": []}, "numbers"),
        ({**SUM, "numbers": [457, 214]}, "457"),
        ({**SUM, "numbers": ["457", "n/a"]}, "n/a"),
        ({**SUM, "numbers": ["457", "NaN"]}, "NaN"),
        ({**SUM, "numbers": ["457", "1,027"]}, "1,027"),
        ({**SUM, "numbers": ["457", "86.64%"]}, "86.64%"),
        ({**SUM, "of": ["906"]}, "of"),
        ({**SHARE, "parts": []}, "parts"),
        ({**SHARE, "of": []}, "of"),
        ({**SHARE, "parts": ["some"]}, "some"),
        ({**SHARE, "of": ["inf"]}, "inf"),
        ({**SHARE, "of": [906]}, "906"),
        ({"kind": "share_of", "parts": ["1"]}, "of"),
        ({"kind": "share_of", "parts": ["1"], "of": ["0", "0.0"]}, "0 + 0.0"),
        ({**GAIN, "higher": []}, "higher"),
        ({**GAIN, "lower": []}, "lower"),
        ({**GAIN, "lower": ["toy.t1.b.mae", "toy.t1.a.mae"]}, "1 values and 2"),
        ({**GAIN, "reading": "about"}, "about"),
        ({**GAIN, "higher": ["toy.t1.c.mae"]}, "toy.t1.c.mae"),
        ({**GAIN, "lower": ["toy.t1.c.mae"]}, "toy.t1.c.mae"),
        ({**GAIN, "higher": ["toy.s3.days"]}, "toy.s3.days"),
        ({**GAIN, "lower": ["toy.s4.a_lowest"]}, "toy.s4.a_lowest"),
    ],
)
def test_a_fact_of_no_printed_numbers_or_no_pairs_is_refused(
    tmp_path: Path, against: dict[str, Any], named: str
) -> None:
    message = refusal(tmp_path, fact_against(against))
    assert named in message
    dangling = "no value claim has the id" in message
    assert dangling or "toy.s3.follows" in message
