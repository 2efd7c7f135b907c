from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from reproduce_lib.book import build
from reproduce_lib.book.build import Book
from reproduce_lib.claims import load_claims
from reproduce_lib.cli import app
from reproduce_lib.collection import TITLES, rebuilt
from reproduce_lib.data.registry import data_files
from reproduce_lib.execution import engine, environment, pool, replay
from reproduce_lib.execution.closure import code_digests
from reproduce_lib.execution.engine import Summary
from reproduce_lib.execution.plan import Execute, Plan
from reproduce_lib.execution.pool import Workers
from reproduce_lib.execution.replay import UnitReplay
from reproduce_lib.execution.study import store_for, unit_statuses
from reproduce_lib.execution.worker import Failed
from reproduce_lib.folders import MANY_FILES, by_folder
from reproduce_lib.papers.naufal2023 import baselines, networks
from reproduce_lib.papers.naufal2023.baselines import BaselineParameters
from reproduce_lib.papers.naufal2023.networks import NetworkParameters
from reproduce_lib.papers.naufal2023.paper import PAPER
from reproduce_lib.papers.naufal2023.price_facts import PriceFactParameters
from reproduce_lib.records import Context, Replay
from tests.support import HERE, PROJECT, copy_of_the_project, put

KEY = "naufal2023"
MODULE = baselines.__name__
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
GOOG_NAIVE = ("--experiment", "baselines", "--where", "ticker=GOOG", "--where", "method=naive")


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRODUCE_ROOT", str(tmp_path / "root"))
    return copy_of_the_project(tmp_path / "root")


@pytest.fixture
def nothing_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_OFFLINE", "1")
    monkeypatch.delenv("REPRODUCE_DATA", raising=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Run nothing; tell which units would have run."""
    units: list[Any] = []

    def run_plan(plan: Plan, *arguments: Any, **options: Any) -> Summary:
        units.extend(due.unit for due in plan.due)
        return Summary()

    monkeypatch.setattr(engine, "run_plan", run_plan)
    return units


def reproduce(*arguments: str, status: int = 0) -> str:
    result: Result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == status, (result.output, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


def records(root: Path, experiment: str = "baselines") -> Path:
    return root / "book" / "records" / KEY / f"{experiment}.jsonl"


# Help and wrong input


def test_help_lists_every_command() -> None:
    text = reproduce("--help")
    assert len(COMMANDS) >= 12
    assert all(re.search(rf"^\s+{command}\b", text, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_says_what_it_does_and_what_each_option_means(command: str) -> None:
    text = reproduce(command, "--help")
    assert len(text.split("Options:")[0].split("\n\n")[1].split()) > 4
    said = " ".join(text.split())
    for parameter in COMMANDS[command].params:
        assert len((parameter.help or "").split()) > 2, f"{parameter.name} is not explained"
        assert " ".join(parameter.help.split()) in said


def test_without_arguments_the_help_is_shown() -> None:
    result = CliRunner().invoke(app, [])
    assert "verify" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "nobody"], ["nobody", KEY]),
        (["sweep", "nobody", "--experiment", "networks"], ["nobody", KEY]),
        (["status", "nobody"], ["nobody", KEY]),
        (["verify", "nobody"], ["nobody", KEY]),
        (["adopt", "nobody"], ["nobody", KEY]),
        (["notebook", "nobody", "-o", "x.ipynb"], ["nobody", KEY]),
        (["run", KEY, "--experiment", "sums"], ["sums", "networks", "baselines", "price_facts"]),
        (["verify", KEY, "--experiment", "sums"], ["sums", "networks", "baselines", "price_facts"]),
        (["sweep", KEY, "--experiment", "sums"], ["sums", "networks", "baselines", "price_facts"]),
        (["run", KEY, "--claim", "naufal2023.t9.x"], ["naufal2023.t9.x", "book/claims/naufal2023.yaml"]),
        (["run", KEY, "--claim", "naufal2023.s3_1.features"], ["naufal2023.s3_1.features"]),
        (["run", KEY, "--claim", "naufal2023.t"], ["naufal2023.t", "book/claims/naufal2023.yaml"]),
        (["run", KEY, "--where", "colour=red"], ["colour", "ticker", "window", "model"]),
        (["run", KEY, "--where", "ticker=XYZ"], ["GOOG", "TSLA", "TWTR"]),
        (["run", KEY, "--where", "window=7"], ["window", "1", "30"]),
        (["verify", KEY, "--where", "ticker=XYZ"], ["GOOG", "TSLA", "TWTR"]),
        (["run", KEY, "--where", "ticker"], ["ticker", "NAME=VALUE"]),
        (["run", KEY, "--where", "=GOOG"], ["=GOOG", "NAME=VALUE"]),
        (["run"], [KEY, "--all"]),
        (["run", KEY, "--all"], [KEY, "--all"]),
        # Waits ten seconds for the scheduler.
        pytest.param(["run", KEY, "--dask", "tcp://127.0.0.1:9"], ["tcp://127.0.0.1:9"], marks=pytest.mark.slow),
        (["verify", "--sample", "3", "--budget", "3m"], ["--sample", "--budget"]),
        (["verify", "--budget", "3 minutes"], ["3 minutes", "90s", "3m"]),
        (["verify", "--budget", "0s"], ["0s"]),
        (["sweep", KEY, "--grid", "epochs=all"], ["epochs", "ticker", "model"]),
        (["run", KEY, "--dask", "foo"], ["foo", "tcp://HOST:PORT"]),
        (["book"], ["notebooks/naufal2023.md"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "colour=red"], ["colour", "ticker", "epochs"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "window=1,7"], ["window", "7", "1, 30"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "epochs=many"], ["epochs", "many"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "epochs"], ["epochs", "NAME=VALUE"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "seed=1,2"], ["seed", "--seeds"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "window=1", "--grid", "window=30"], ["window"]),
        (["sweep", KEY, "--experiment", "networks", "--grid", "window=" + "[" * 5000], ["window", "1, 30"]),
        (["sweep", KEY, "--seeds", "100000000"], ["100000000", "100000"]),
        (["sweep", KEY, "--grid", "ticker=all", "--seeds", "33334"], ["100002", "100000"]),
        (["new", "brahe1602", "--title", "Stars"], ["_toc.yml", "REPRODUCE_ROOT"]),
        (["verify", KEY], ["no recorded unit", "reproduce run naufal2023"]),
    ],
)
def test_wrong_input_ends_with_one_sentence_that_names_it_and_the_way_out(
    root: Path, arguments: list[str], named: list[str]
) -> None:
    text = reproduce(*arguments, status=1)
    assert text.count("error:") == 1
    assert all(word in text for word in named)
    assert not list((root / "book").glob("records/**/*.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["run", KEY, "--execute"], get_args(Execute)),
        (["book", "--execute"], get_args(Execute)),
        (["sweep", KEY, "--profile"], ("custom", "smoke")),
    ],
)
def test_choice_that_is_none_ends_with_status_2_and_names_all_there_are(
    arguments: list[str], allowed: tuple[str, ...]
) -> None:
    text = reproduce(*arguments, "sometimes", status=2)
    assert all(repr(word) in text for word in ("sometimes", *allowed))
    (option,) = [one for one in COMMANDS[arguments[0]].params if arguments[-1] in one.opts]
    assert all(f"{word}: " in option.help for word in allowed), "each is explained"


@pytest.mark.parametrize(
    "arguments",
    [
        ["runn"],
        ["run", KEY, "--only-stale"],
        ["run", KEY, "--jobs", "0"],
        ["run", KEY, "--colour", "red"],
        ["run", KEY, "--limit-hours", "-1"],
        ["sweep", KEY, "--experiment", "networks", "--seeds", "0"],
        ["verify", KEY, "--sample", "0"],
        ["verify", KEY, "--seed", "-1"],
        ["notebook", KEY, "-o", "x.ipynb", "--limit", "-5"],
        ["notebook", KEY, "-o", "x.ipynb", "--limit", "0"],
        ["notebook", KEY, "-o", "x.ipynb", "--limit", "nan"],
        ["notebooks", "--limit", "0"],
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: list[str]) -> None:
    assert "Traceback" not in reproduce(*arguments, status=2)


def test_unknown_notebook_parameter_is_refused_with_the_known_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPRODUCE_ROOT")
    text = reproduce("notebook", KEY, "-o", str(tmp_path / "x.ipynb"), "-p", "colour=red", status=1)
    assert all(word in text for word in ("colour", "ticker", "window", "profile"))
    assert not (tmp_path / "x.ipynb").exists()


def test_error_of_the_program_is_one_line_without_a_traceback() -> None:
    command = [sys.executable, "-m", "reproduce_lib", "verify", "nobody"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (("verify", KEY), "reproduce_lib.execution.replay.choose"),
        (("adopt", KEY), "reproduce_lib.execution.replay.adopt"),
        (("book",), "reproduce_lib.book.build.build_book"),
        (("notebooks",), "reproduce_lib.book.grid.load_grid"),
        (("status",), "reproduce_lib.execution.study.damaged_lines"),
    ],
)
def test_interruption_of_what_records_nothing_promises_nothing(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], where: str
) -> None:
    def interrupted(*arguments: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupted)
    assert reproduce(*command, status=130).splitlines()[-1] == "interrupted"


def test_interruption_says_what_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Summary:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "run_plan", interrupted)
    assert "run again" in reproduce("run", KEY, status=130)


# What is there


def test_list_names_every_paper_and_counts_claims_and_units() -> None:
    text = reproduce("list")
    assert all(key in text and title in text for key, title in TITLES.items())
    assert text.count("not yet rebuilt") == len(TITLES) - len(rebuilt())
    assert f"{len(load_claims(KEY).claims)} claims" in text
    for experiment in PAPER.experiments.values():
        count = len({unit.key for unit in experiment.full()})
        assert re.search(rf"{experiment.name}\D+{count} units", text), (experiment.name, count, text)


def test_status_counts_states_and_names_what_staled(root: Path) -> None:
    store = store_for("full")
    old = {**code_digests(MODULE), "reproduce_lib.metrics.skill": "0" * 16}
    put(store, NetworkParameters.of(), {"mae": 1.0})
    put(store, NetworkParameters.of(seed=1), {"mae": 1.0}, code=old)
    put(store, NetworkParameters.of(seed=2), {"mae": 1.0}, data={"prices/TSLA_2013_2023.csv": "0" * 64})
    put(store, PriceFactParameters.of(quantity="first_day"), {"value": "2017-10-09"})
    with records(root, "price_facts").open("a", encoding="utf-8") as file:
        file.write('{"schema":1,"kind":"unit","key":"cut\n')
    text = reproduce("status", KEY)
    networks = len({unit.key for unit in PAPER.experiments["networks"].full()})
    facts = len({unit.key for unit in PAPER.experiments["price_facts"].full()})
    assert f"networks: 1 fresh, 2 stale, {networks - 3} missing" in text
    assert f"price_facts: 1 fresh, 0 stale, {facts - 1} missing" in text
    assert "reproduce_lib.metrics.skill" in text
    assert "prices/TSLA_2013_2023.csv" in text
    assert "price_facts.jsonl:3" in text
    assert "set aside" not in text
    assert len(records(root, "price_facts").read_bytes().splitlines()) == 3


def test_run_says_of_an_unreadable_line_where_it_was_set_aside(root: Path, nothing_at_hand: None) -> None:
    put(store_for("full"), BaselineParameters.of(ticker="GOOG"), {"mae": 1.0, "rmse": 1.0})
    with records(root).open("a", encoding="utf-8") as file:
        file.write('{"schema":1,"kind":"unit","key":"cut\n')
    said = next(line for line in reproduce("run", KEY, *GOOG_NAIVE, status=1).splitlines() if "jsonl:3" in line)
    assert "set aside" in said
    assert f"{records(root)}.damaged" in said
    assert Path(f"{records(root)}.damaged").is_file()


def test_data_lists_every_file_with_its_licence(nothing_at_hand: None) -> None:
    text = reproduce("data")
    for folder, names in by_folder(data_files()).items():
        licences = {data_files()[name].licence for name in names}
        assert all(licence in text for licence in licences)
        if len(names) > MANY_FILES:
            assert f"{folder}: {len(names)} files" in text
            assert f"{len(names)} not here" in text
        else:
            assert all(f"{name}\n    not here\n" in text for name in names)
    assert len(text.splitlines()) < 300
    assert text.count("REPRODUCE_DATA") == 1


def test_data_check_names_an_altered_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "prices/TSLA_2013_2023.csv"
    (tmp_path / "mirror" / "prices").mkdir(parents=True)
    (tmp_path / "mirror" / name).write_text("Date,Close\n", encoding="utf-8")
    monkeypatch.setenv("REPRODUCE_DATA", str(tmp_path / "mirror"))
    assert str(tmp_path / "mirror" / name) in reproduce("data")
    text = reproduce("data", "--check", status=1)
    assert text.count("error:") == 1
    assert str(tmp_path / "mirror" / name) in text[text.index("error:") :]


def test_data_fetch_without_a_network_names_what_is_missing(nothing_at_hand: None) -> None:
    text = reproduce("data", "--fetch", status=1)
    said = text[text.index("error:") :]
    for folder, names in by_folder(data_files()).items():
        told = [f"{folder}: {len(names)} files"] if len(names) > MANY_FILES else names
        assert all(one in said for one in told)
    assert said.count("REPRODUCE_DATA") == 1
    assert len(said.splitlines()) < 100


# Running


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["--claim", "naufal2023.t3.tsla.lstm.mae"],
            {"ticker": {"TSLA"}, "window": {1}, "model": {"lstm"}, "seed": set(range(10)), "relu": {"hidden"}},
        ),
        (
            ["--claim", "naufal2023.t5.mean.lstm.mae", "--where", "seed=0"],
            {"ticker": {"TSLA", "GOOG", "TWTR"}, "window": {1}, "seed": {0}, "relu": {"hidden"}},
        ),
        (
            ["--claim", "naufal2023.t3.goog", "--where", "seed=1"],
            {"ticker": {"GOOG"}, "window": {1}, "model": {"lstm", "lstm_gru", "cnn_lstm_gru"}, "seed": {1}},
        ),
        (["--experiment", "baselines", "--where", "seed=0"], {"experiment": {"baselines"}, "seed": {0}}),
        (["--where", "window=30", "--where", "seed=3"], {"window": {30}, "seed": {3}}),
        (["--experiment", "networks", "--where", "hybrid_dropout=0.2"], {"hybrid_dropout": {0.2}}),
    ],
)
def test_run_selects_the_units_that_were_asked_for(
    asked: list[Any], options: list[str], expected: dict[str, set[Any]]
) -> None:
    reproduce("run", KEY, *options)
    assert {name: {getattr(unit, name) for unit in asked} for name in expected} == expected
    if "--claim" not in options:
        fits = {unit.key for unit in PAPER.full_units() if all(getattr(unit, n, None) in expected[n] for n in expected)}
        assert {unit.key for unit in asked} == fits


def test_run_selects_everything_by_default(asked: list[Any]) -> None:
    reproduce("run", KEY)
    assert {unit.key for unit in PAPER.full_units()} <= {unit.key for unit in asked}
    assert len({unit.key for unit in asked}) == len(asked)


def test_missing_source_ends_with_one_error_and_loses_no_record(root: Path, nothing_at_hand: None) -> None:
    put(store_for("full"), BaselineParameters.of(ticker="GOOG"), {"mae": 1.0, "rmse": 1.0})
    before = records(root).read_bytes()
    text = reproduce("run", KEY, *GOOG_NAIVE, status=1)
    assert text.count("error:") == 1
    assert text.count("prices/GOOG_to_2022-08.csv is not on this machine") == 1
    assert "REPRODUCE_DATA" in text
    assert "0 units recorded" in text
    assert records(root).read_bytes() == before


def test_sweep_prints_what_it_measured_and_writes_to_the_users_folder_alone(root: Path) -> None:
    grid = ("--grid", "data=simulated", "--grid", "method=naive,drift")
    text = reproduce("sweep", KEY, "--experiment", "baselines", "--profile", "smoke", *grid)
    lines = [line for line in text.splitlines() if line.startswith("{")]
    read = json.JSONDecoder()
    for line, method in zip(lines, ("naive", "drift"), strict=True):
        shown, end = read.raw_decode(line)
        unit = BaselineParameters.of(profile="smoke", data="simulated", method=method)
        assert shown == {"data": "simulated", "method": method, "seed": 0}
        assert json.loads(line[end:]) == pytest.approx(baselines.run_baseline(unit).metrics)
    assert not (root / "book" / "records").exists()
    assert (Path(os.environ["REPRODUCE_HOME"]) / "records" / KEY / "baselines.jsonl").is_file()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the naive forecasts of GOOG once for all tests; return the root and what was said."""
    root = copy_of_the_project(tmp_path_factory.mktemp("recorded"))
    command = [sys.executable, "-m", "reproduce_lib", "run", KEY, *GOOG_NAIVE]
    environment = {**os.environ, "REPRODUCE_ROOT": str(root)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root, done.stdout


@pytest.fixture
def copied(recorded: tuple[Path, str], root: Path) -> Path:
    shutil.copytree(recorded[0] / "book" / "records", root / "book" / "records")
    return root


def goog_naive() -> list[BaselineParameters]:
    naive = [PAPER.naive(unit) for unit in PAPER.full_units()]
    known = {unit.key: unit for unit in [*PAPER.full_units(), *filter(None, naive)]}
    return [
        unit
        for unit in known.values()
        if isinstance(unit, BaselineParameters) and (unit.ticker, unit.method) == ("GOOG", "naive")
    ]


@pytest.mark.data
def test_run_records_what_was_asked_for_and_a_second_run_has_nothing_to_do(
    recorded: tuple[Path, str], copied: Path
) -> None:
    units = goog_naive()
    assert f"{len(units)} units recorded" in recorded[1]
    assert {one.state for one in unit_statuses(units, store_for("full"))} == {"fresh"}
    assert {path.name for path in records(copied).parent.glob("*.jsonl")} == {"baselines.jsonl"}
    before = records(copied).read_bytes()
    assert "every unit is recorded" in reproduce("run", KEY, *GOOG_NAIVE)
    assert records(copied).read_bytes() == before


@pytest.mark.data
def test_verify_replays_records_and_finds_the_tampered_one(copied: Path) -> None:
    assert "3 of 3 replayed units agree" in reproduce("verify", KEY, "--sample", "3", "--jobs", "2")
    text = records(copied).read_text(encoding="utf-8")
    true = re.search(r'"key":"(\w+)".*?"mae":([\d.]+)', text)
    assert true is not None
    false = f"{float(true[2]) * 1.001!r}"
    records(copied).write_text(text.replace(f'"mae":{true[2]}', f'"mae":{false}', 1), encoding="utf-8")
    said = reproduce("verify", KEY, "--sample", "100", status=1)
    line = next(line for line in said.splitlines() if line.startswith("DISAGREES"))
    assert all(word in line for word in (true[1], "mae", false, true[2]))
    assert said.count("DISAGREES") == 1


def test_verify_without_the_data_has_compared_nothing_and_says_so(nothing_at_hand: None) -> None:
    for unit in goog_naive()[:2]:
        put(store_for("full"), unit, {"mae": 1.0}, environment=(environment.processor(), environment.versions("none")))
    text = reproduce("verify", KEY, status=1)
    lines = [line for line in text.splitlines() if line.startswith("NOT RUN")]
    assert len(lines) == 2
    assert all("prices/GOOG_to_2022-08.csv is not on this machine" in line for line in lines)
    assert "DISAGREES" not in text
    assert "0 of 0 replayed units agree, 2 could not be run" in text
    assert text.count("error:") == 1
    assert "disagree" not in text[text.index("error:") :]


@pytest.mark.parametrize(
    ("outcomes", "status", "said"),
    [
        (["agrees", "agrees"], 0, "2 of 2 replayed units agree"),
        (["agrees", "DISAGREES", "NOT RUN"], 1, "1 of 2 replayed units agree, 1 could not be run"),
        (["agrees", "NOT RUN"], 1, "1 of 1 replayed units agree, 1 could not be run"),
    ],
)
def test_verify_counts_what_agrees_what_disagrees_and_what_was_not_run(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[str], status: int, said: str
) -> None:
    for unit in goog_naive()[: len(outcomes)]:
        put(store_for("full"), unit, {"mae": 1.0}, environment=(environment.processor(), environment.versions("none")))

    def replays(statuses: Any, *places: Any) -> Iterator[UnitReplay]:
        for one, how in zip(statuses, outcomes, strict=True):
            again = 2.0 if how == "DISAGREES" else 1.0
            metric = Replay(
                key="", metric="mae", recorded=1.0, replayed=again, agrees=again == 1.0, rule="equal to 1e-6"
            )
            yield UnitReplay(one, (metric,), one.context, "no data" if how == "NOT RUN" else "")

    monkeypatch.setattr(replay, "replay", replays)
    text = reproduce("verify", KEY, status=status)
    assert said in text
    words = [line[:11].strip() for line in text.splitlines()[: len(outcomes)]]
    assert words == outcomes


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--claim", "naufal2023.t3.goog.lstm.mae"], 10),
        (["--claim", "naufal2023.t3.goog.lstm.mae", "--sample", "2"], 2),
        ([], 6),
    ],
)
def test_verify_executes_every_unit_behind_a_claim_and_a_few_of_a_paper(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: int
) -> None:
    own = {"ticker": "GOOG", "window": 1, "model": "lstm"}
    for unit in (NetworkParameters.of(**own, seed=seed) for seed in range(10)):
        here = (environment.processor(), environment.versions("jax"))
        put(store_for("full"), unit, {"mae": 1.0, "rmse": 2.0}, environment=here)
    chosen: list[Any] = []
    monkeypatch.setattr(replay, "replay", lambda statuses, *places: chosen.extend(statuses) or iter(()))
    reproduce("verify", KEY, *arguments)
    assert len(chosen) == expected


def with_older_code(text: str) -> str:
    """Return records as if one symbol had been another when they were made."""
    older = text.replace(code_digests(MODULE)["reproduce_lib.metrics.skill"], "0" * 16)
    for line in older.splitlines():
        fields = json.loads(line)
        if fields["kind"] == "context":
            known = ("versions", "processor", "threads", "data", "code")
            older = older.replace(fields["id"], Context.of(**{name: fields[name] for name in known}).id)
    return older


@pytest.mark.data
def test_adopt_makes_records_of_a_refactoring_fresh_again(copied: Path) -> None:
    records(copied).write_text(with_older_code(records(copied).read_text(encoding="utf-8")), encoding="utf-8")
    assert "stale by reproduce_lib.metrics.skill" in reproduce("status", KEY)
    assert "5 units replayed" in reproduce("adopt", KEY, "--jobs", "2")
    assert {one.state for one in unit_statuses(goog_naive(), store_for("full"))} == {"fresh"}
    assert "no record is stale" in reproduce("adopt", KEY)


@pytest.mark.data
def test_adopt_refuses_when_a_replay_disagrees(copied: Path) -> None:
    text = with_older_code(records(copied).read_text(encoding="utf-8"))
    records(copied).write_text(re.sub(r'"mae":\d', '"mae":9', text), encoding="utf-8")
    before = records(copied).read_bytes()
    said = reproduce("adopt", KEY, status=1)
    assert "nothing is adopted" in said
    assert records(copied).read_bytes() == before


# Plans, limits and endings


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, row by row, without their heads."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    return [row for row in rows if row]


@pytest.fixture
def old() -> dict[str, str]:
    """Return today's code digests with one of them changed."""
    return {**code_digests(networks.__name__), "reproduce_lib.metrics.skill": "0" * 16}


@pytest.fixture
def some_recorded(old: dict[str, str]) -> dict[str, list[NetworkParameters]]:
    """Record networks in the collection: three fresh and two stale ones, of 60 s each on this processor."""
    here = (environment.processor(), environment.versions("jax"))
    fresh = [NetworkParameters.of(seed=seed) for seed in range(3)]
    stale = [NetworkParameters.of(seed=seed, ticker="GOOG") for seed in (3, 4)]
    for unit in fresh:
        put(store_for("full"), unit, {"mae": 1.0}, seconds=60.0, environment=here)
    for unit in stale:
        put(store_for("full"), unit, {"mae": 1.0}, code=old, seconds=60.0, environment=here)
    return {"fresh": fresh, "stale": stale}


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("more", [[], ["--execute", "stale"], ["--execute", "fresh"], ["--execute", "recorded"]])
def test_dry_run_prints_the_plan_of_every_paper_and_runs_nothing(
    root: Path, asked: list[Any], some_recorded: dict[str, Any], more: list[str]
) -> None:
    before = files_of(root / "book")
    text = reproduce("run", "--all", "--dry-run", *more)
    networks = len({unit.key for unit in PAPER.experiments["networks"].full()})
    (row,) = [row for row in table_rows(text) if row[:2] == [KEY, "networks"]]
    due = {"": networks - 3, "--execute stale": 2, "--execute fresh": networks, "--execute recorded": 0}[" ".join(more)]
    assert row[2:6] == ["3", "2", str(networks - 5), str(due)]
    assert {row[1] for row in table_rows(text) if row[0] == KEY} == set(PAPER.experiments)
    assert asked == []
    assert files_of(root / "book") == before
    assert not Path(os.environ["REPRODUCE_HOME"]).exists()


def test_what_is_stale_can_be_run_alone(asked: list[Any], some_recorded: dict[str, Any]) -> None:
    reproduce("run", KEY, "--execute", "stale")
    assert {unit.key for unit in asked} == {unit.key for unit in some_recorded["stale"]}
    asked.clear()
    reproduce("run", KEY, "--execute", "stale", "--where", "seed=3")
    assert [unit.seed for unit in asked] == [3]
    asked.clear()
    reproduce("run", KEY, "--execute", "stale", "--where", "seed=0")
    assert asked == []


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Plan, Workers, dict[str, Any]]]:
    """Run nothing on a machine of three cores; tell how `run_plan` was called."""
    calls: list[tuple[Plan, Workers, dict[str, Any]]] = []

    def run_plan(plan: Plan, workers: Workers, **options: Any) -> Summary:
        calls.append((plan, workers, options))
        return Summary()

    monkeypatch.setattr(engine, "run_plan", run_plan)
    monkeypatch.setattr(pool, "cores", lambda: 3)
    return calls


@pytest.mark.parametrize("command", ["run", "sweep"])
@pytest.mark.parametrize(
    ("hours", "seconds"), [([], None), (["--limit-hours", "1.5"], 5400.0), (["--limit-hours", "0"], 0.0)]
)
def test_limit_in_hours_reaches_the_run_in_seconds(
    called: list[Any], command: str, hours: list[str], seconds: float | None
) -> None:
    reproduce(command, KEY, *hours)
    ((_, _, options),) = called
    assert options["limit_seconds"] == seconds


@pytest.mark.parametrize("command", ["run", "sweep"])
def test_more_jobs_than_cores_are_capped_with_a_notice_apart_from_the_output(called: list[Any], command: str) -> None:
    result = CliRunner().invoke(app, [command, KEY, "--jobs", "8"])
    assert result.exit_code == 0, result.output
    assert [workers for _, workers, _ in called] == [Workers(3)]
    (notice,) = result.stderr.splitlines()
    assert re.findall(r"\d+", notice) == ["3", "8"]
    assert notice not in result.stdout
    assert "3 at a time" in result.stdout
    for jobs in ("3", "2"):
        result = CliRunner().invoke(app, [command, KEY, "--jobs", jobs])
        assert result.stderr == ""
        assert called[-1][1] == Workers(int(jobs))


def test_book_is_built_with_no_more_jobs_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []

    def build_book(parameters: dict[str, Any], **options: Any) -> Book:
        given.append(parameters)
        return Book(Path("index.html"), "the scoreboard")

    monkeypatch.setattr(build, "build_book", build_book)
    monkeypatch.setattr(pool, "cores", lambda: 3)
    assert "3 units at a time instead of 2000" in reproduce("book", "--jobs", "2000", "--execute", "fresh")
    reproduce("book", "--jobs", "2")
    assert [(one["execute"], one["jobs"]) for one in given] == [("fresh", 3), ("recorded", 2)]


def test_plan_counts_the_workers_of_a_cluster_and_not_the_cores_of_this_machine(
    called: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "size_of", lambda address: 64)
    result = CliRunner().invoke(app, ["run", KEY, "--dask", "tcp://cluster:8786"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "64 at a time" in result.output
    assert [workers for _, workers, _ in called] == [Workers(64, "tcp://cluster:8786")]


def test_dry_sweep_without_an_experiment_takes_the_main_one_and_every_value_of_a_choice(
    root: Path, asked: list[Any]
) -> None:
    assert PAPER.main == "networks"
    text = reproduce("sweep", KEY, "--grid", "ticker=all", "--seeds", "2", "--dry-run")
    assert [row[:6] for row in table_rows(text)] == [
        [KEY, "networks", "0", "0", "6", "6"],
        ["all", "", "0", "0", "6", "6"],
    ]
    assert asked == []
    assert not (root / "book" / "records").exists()
    assert not Path(os.environ["REPRODUCE_HOME"]).exists()


def test_sweep_runs_every_combination_of_the_choices_with_each_seed(called: list[Any]) -> None:
    reproduce("sweep", KEY, "--grid", "ticker=all", "--grid", "window=30,1", "--grid", "epochs=2", "--seeds", "2")
    ((plan, _, _),) = called
    units = [due.unit for due in plan.due]
    found = [(unit.ticker, unit.window, unit.epochs, unit.seed, unit.profile) for unit in units]
    assert len(found) == 12
    assert set(found) == set(product(("TSLA", "GOOG", "TWTR"), (1, 30), (2,), (0, 1), ("custom",)))
    assert plan.store.records == store_for("custom").records


def test_sweep_learns_from_the_collection_how_long_its_units_take(
    called: list[Any], some_recorded: dict[str, Any]
) -> None:
    reproduce("sweep", KEY, "--grid", "ticker=TSLA,GOOG", "--seeds", "3")
    ((plan, _, _),) = called
    assert [due.seconds for due in plan.due] == [60.0] * 6


@pytest.mark.slow
def test_verify_within_a_time_chooses_among_all_papers_what_fits(
    monkeypatch: pytest.MonkeyPatch, some_recorded: dict[str, Any]
) -> None:
    for unit in goog_naive()[:4]:
        put(store_for("full"), unit, {"mae": 1.0}, seconds=20.0, environment=(environment.processor(), HERE[1]))
    chosen: list[Any] = []

    def agreeing(statuses: Any, *places: Any) -> list[UnitReplay]:
        chosen[:] = [status.unit for status in statuses]
        return [UnitReplay(status, (), None) for status in statuses]

    monkeypatch.setattr(replay, "replay", agreeing)
    monkeypatch.setattr(pool, "cores", lambda: 2)
    seconds = {"networks": 60.0, "baselines": 20.0}
    for budget, total in (("3m", 180.0), ("90s", 90.0), ("0.02h", 72.0), ("1h", 3600.0)):
        text = reproduce("verify", "--budget", budget)
        spent = sum(seconds[unit.experiment] for unit in chosen)
        there = [60.0] * 5 + [20.0] * 4
        assert spent <= total
        assert len(chosen) == len(there) or spent + min(there) > total
        if total >= 60 + 20:
            assert {unit.experiment for unit in chosen} == {"networks", "baselines"}
        assert f"{len(chosen)} of {len(chosen)} replayed units agree" in text
    reproduce("verify", "--budget", "90s", "--jobs", "2")
    assert 160 < sum(seconds[unit.experiment] for unit in chosen) <= 180
    assert "no recorded unit" in reproduce("verify", "--budget", "19s", status=1)


def test_status_names_each_stale_record_with_what_staled_it(some_recorded: dict[str, Any]) -> None:
    of_other_data = NetworkParameters.of(seed=9, ticker="TWTR", window=1)
    put(store_for("full"), of_other_data, {"mae": 1.0}, data={"prices/gone.csv": "0" * 64})
    lines = reproduce("status").splitlines()
    named = {unit.key: [line for line in lines if unit.key in line] for unit in some_recorded["stale"]}
    for unit in some_recorded["stale"]:
        (line,) = named[unit.key]
        assert all(word in line for word in (unit.label, "networks", "reproduce_lib.metrics.skill"))
    (line,) = [line for line in lines if of_other_data.key in line]
    assert of_other_data.label in line
    assert "prices/gone.csv" in line
    assert "skill" not in line
    assert not any(unit.key in line for unit in some_recorded["fresh"] for line in lines)


def ending(monkeypatch: pytest.MonkeyPatch, how: str, *, failing: int = 0) -> None:
    """Let a run record nothing but what it says: its first units failed, the next one was written."""

    def run_plan(plan: Plan, *arguments: Any, **options: Any) -> Summary:
        units = [due.unit for due in plan.due]
        summary = Summary(elapsed_seconds=7.0, ending=how)  # type: ignore[arg-type]
        summary.failed = [Failed(unit, "the mill is broken", "") for unit in units[:failing]]
        place = units[0].paper, units[0].experiment
        summary.ended[place], summary.written[place], summary.seconds[place] = failing + 1, 1, 5.0
        return summary

    monkeypatch.setattr(engine, "run_plan", run_plan)


SWEEP = ("sweep", KEY, "--grid", "ticker=all")


@pytest.mark.parametrize("command", [SWEEP, ("run", KEY, "--where", "seed=0", "--experiment", "networks")])
def test_failed_unit_ends_with_status_1_after_the_summary(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    ending(monkeypatch, "finished", failing=1)
    result = CliRunner().invoke(app, list(command))
    assert result.exit_code == 1
    plan, summary = (row for row in table_rows(result.stdout) if row[0] == KEY)
    assert summary[:5] == [KEY, "networks", "1", "1", str(int(plan[5]) - 2)]
    assert result.stderr.count("error:") == 1
    assert "the mill is broken" in result.stderr
    assert result.output.index("on the clock") < result.output.index("the mill is broken")


@pytest.mark.parametrize(("how", "status", "said"), [("interrupted", 130, "run again"), ("time limit", 0, "2.5 h")])
def test_run_that_did_not_come_to_its_end_says_so_after_the_summary(
    monkeypatch: pytest.MonkeyPatch, how: str, status: int, said: str
) -> None:
    ending(monkeypatch, how)
    text = reproduce(*SWEEP, "--limit-hours", "2.5", status=status)
    assert text.index("on the clock") < text.rindex(said)
    _, summary = (row for row in table_rows(text) if row[0] == KEY)
    assert summary[:5] == [KEY, "networks", "1", "0", "2"]


def test_units_that_failed_alike_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, "finished", failing=5)
    text = reproduce("sweep", KEY, "--seeds", "6", status=1)
    assert text.count("the mill is broken") == 1
    assert "5 unit(s) failed" in text


@pytest.mark.parametrize("mode", ["stale", "recorded"])
def test_nothing_to_do_is_not_called_everything_recorded(mode: str) -> None:
    assert "every unit is recorded" not in reproduce("run", KEY, "--execute", mode)


def test_interrupted_run_with_a_failed_unit_ends_as_interrupted_and_names_the_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run_plan(plan: Plan, *arguments: Any, **options: Any) -> Summary:
        return Summary(failed=[Failed(plan.due[0].unit, "it raised", "")], ending="interrupted")

    monkeypatch.setattr(engine, "run_plan", run_plan)
    assert "it raised" in reproduce("sweep", KEY, status=130)


def test_budget_takes_no_unit_that_is_longer_than_it_however_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    here = (environment.processor(), environment.versions("jax"))
    put(store_for("full"), NetworkParameters.of(), {"mae": 1.0}, seconds=300.0, environment=here)
    monkeypatch.setattr(pool, "cores", lambda: 2)
    told = reproduce("verify", "--budget", "3m", "--jobs", "2", status=1)
    assert "every recorded unit is expected to take longer than 3m" in told
    assert "reproduce run" not in told


def test_verify_says_what_to_compute_where_nothing_that_is_recorded_can_be_compared() -> None:
    put(store_for("full"), NetworkParameters.of(), {"mae": 1.0}, environment=HERE)
    for options in (("--budget", "3m"), ("--sample", "3")):
        told = reproduce("verify", *options, status=1)
        assert "no recorded unit fits" in told
        assert "reproduce run" in told
