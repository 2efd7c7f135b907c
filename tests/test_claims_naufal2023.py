"""What Naufal & Wibowo printed: Tables 3 to 6 row by row, each number once more beside the claims file."""

from __future__ import annotations

import pytest

from reproduce_lib.claims import ValueClaim, load_claims
from tests.support import PROJECT

# MAE and RMSE of TSLA, GOOG and TWTR, at windows of 1 and of 30 days.
SINGLE = {
    "t3.lstm": "17.790 23.252 3.053 3.772 1.122 1.665",
    "t3.lstm_gru": "11.546 15.198 2.219 2.848 1.027 1.567",
    "t3.cnn_lstm_gru": "10.431 13.764 2.138 2.750 1.014 1.562",
    "t4.lstm": "17.135 22.101 4.040 4.932 1.612 2.298",
    "t4.lstm_gru": "16.059 20.442 3.567 4.380 1.405 2.056",
    "t4.cnn_lstm_gru": "12.973 16.473 3.014 3.679 1.164 1.748",
}
# Means over the three shares.
MEANS = {
    "t5.mean.lstm": "7.322 9.563",
    "t5.mean.lstm_gru": "4.931 6.537",
    "t5.mean.cnn_lstm_gru": "4.528 6.025",
    "t6.mean.lstm": "7.596 9.777",
    "t6.mean.lstm_gru": "7.010 8.959",
    "t6.mean.cnn_lstm_gru": "5.717 7.300",
}


@pytest.fixture(scope="module")
def values() -> dict[str, ValueClaim]:
    claims = load_claims("naufal2023", PROJECT / "book" / "claims")
    return {one.id.removeprefix("naufal2023."): one for one in claims.claims if isinstance(one, ValueClaim)}


def test_tables_number_by_number(values: dict[str, ValueClaim]) -> None:
    expected = {}
    for row, printed in SINGLE.items():
        table, model = row.split(".")
        places = [(share, score) for share in ("tsla", "goog", "twtr") for score in ("mae", "rmse")]
        for (share, score), value in zip(places, printed.split(), strict=True):
            expected[f"{table}.{share}.{model}.{score}"] = value
    for row, printed in MEANS.items():
        for score, value in zip(("mae", "rmse"), printed.split(), strict=True):
            expected[f"{row}.{score}"] = value
    assert {name: claim.value for name, claim in values.items()} == expected


def test_each_number_is_measured_by_the_network_share_and_window_of_its_cell(values: dict[str, ValueClaim]) -> None:
    for name, claim in values.items():
        table, *share, model, score = name.split(".")
        assert claim.metric == score
        assert claim.conditions.get("model", "cnn_lstm_gru") == model
        assert claim.conditions.get("window", 30) == (1 if table in ("t3", "t5") else 30)
        if share != ["mean"]:
            assert claim.conditions.get("ticker", "TSLA") == share[0].upper()
        else:
            assert set(claim.over["ticker"]) == {"TSLA", "GOOG", "TWTR"}
