from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from reproduce_lib import figures
from reproduce_lib.errors import RecordError
from reproduce_lib.figures import classification, phase_picking, seismicity
from reproduce_lib.rows import Row
from reproduce_lib.verdicts import Interval, Verdict
from tests.support import value_row
from tests.test_tables import Parsed


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


def row(verdict: Verdict, printed: str, mean: float, half: float = 0.0) -> Row:
    """Return a row of an error, whose interval ends at 0 as every error does."""
    interval = Interval(max(mean - half, 0.0), mean + half) if half else None
    return value_row(verdict, printed, measured=(mean,), interval=interval)


ROWS = [
    row(Verdict.REPRODUCED, "1.0", 1.1, 0.2),
    row(Verdict.REPRODUCED, "0.02", 0.03, 0.001),
    row(Verdict.WORSE, "10.5", 30.0, 25.0),
    row(Verdict.WORSE, "2.0", 5.0, 6.0),  # its interval is cut off at zero
    row(Verdict.BETTER, "7.0", 3.0),
    row(Verdict.INCONCLUSIVE, "100", 120.0, 100.0),
    row(Verdict.DIFFERS, "3", 4.0, 0.5),
]


def markers(axes: Any) -> dict[str, list[tuple[float, float]]]:
    """Return marker shape -> the points drawn with it."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in axes.get_lines():
        if line.get_marker() not in ("None", None, "", "none"):
            found.setdefault(line.get_marker(), []).extend(zip(line.get_xdata(), line.get_ydata(), strict=True))
    return {shape: [(float(x), float(y)) for x, y in points] for shape, points in found.items()}


def test_each_row_is_drawn_once_and_verdicts_differ_in_shape() -> None:
    (axes,) = figures.reported_against_reproduced(ROWS, unit="USD").axes
    shapes = markers(axes)
    drawn = sorted(point for points in shapes.values() for point in points)
    assert drawn == sorted((float(one.claim.value), one.mean) for one in ROWS)  # type: ignore[union-attr]
    assert len(shapes) == len({one.verdict for one in ROWS})
    assert max(len(points) for points in shapes.values()) == 2


def test_log_limits_enclose_markers_and_bars() -> None:
    (axes,) = figures.reported_against_reproduced(ROWS, unit="USD").axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert left > 0
    for x, y in (point for points in markers(axes).values() for point in points):
        assert left < x < right
        assert low < y < high
    bars = [path.vertices for one in axes.collections if isinstance(one, LineCollection) for path in one.get_paths()]
    assert bars
    assert all((bar[:, 1] > low).all() and (bar[:, 1] < high).all() for bar in bars)


def test_a_bar_reaches_from_the_one_end_of_an_interval_to_the_other() -> None:
    figure = figures.reported_against_reproduced([row(Verdict.WORSE, "2.0", 5.0, 6.0)], unit="USD")
    (bars,) = [one for one in figure.axes[0].collections if isinstance(one, LineCollection)]
    ((low, high),) = (path.vertices[:, 1] for path in bars.get_paths())
    assert (low, high) == (pytest.approx(0.5), pytest.approx(11.0))  # a tenth of the mean stands for zero
    axes = plt.figure().add_subplot()
    figures.intervals_by_row([row(Verdict.WORSE, "2.0", 5.0, 6.0)], ["a"], axes, unit="USD")
    spans = [line.get_xdata() for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [list(map(float, span)) for span in spans] == [[0.0, 11.0]]


def test_rows_with_too_few_replications_are_drawn_as_pending() -> None:
    (axes,) = figures.reported_against_reproduced([row(Verdict.PENDING, "2.0", 3.0)], unit="USD").axes
    assert [point for points in markers(axes).values() for point in points] == [(2.0, 3.0)]
    assert "pending (1)" in {text.get_text() for text in axes.get_legend().get_texts()}


def test_rows_without_a_measurement_are_left_out() -> None:
    rows = [*ROWS[:1], value_row(Verdict.PENDING), value_row(Verdict.NOT_TESTED)]
    (axes,) = figures.reported_against_reproduced(rows, unit="USD").axes
    assert sum(map(len, markers(axes).values())) == 1


def test_legend_counts_the_rows_of_each_verdict() -> None:
    (axes,) = figures.reported_against_reproduced(ROWS, unit="USD").axes
    texts = {text.get_text() for text in axes.get_legend().get_texts()}
    assert {"reproduced (2)", "worse than reported (2)", "better than reported (1)"} <= texts


def test_intervals_by_row_draws_reported_mean_and_naive_on_the_line_of_its_row() -> None:
    _, axes = figures.new_figure()
    rows = [
        value_row(printed="2.0", measured=(1.0, 3.0), interval=Interval(0.5, 3.5), naive=1.5),
        value_row(Verdict.PENDING, printed="5.0"),
        value_row(printed="4.0", measured=(6.0,)),  # without randomness: a mean, no interval
    ]
    figures.intervals_by_row(rows, ["first", "second", "third"], axes, unit="USD")
    shapes = markers(axes)
    assert shapes["D"] == [(2.0, 2.0), (5.0, 1.0), (4.0, 0.0)]
    assert shapes["o"] == [(2.0, 2.0), (6.0, 0.0)]
    assert shapes["|"] == [(1.5, 2.0)]
    labels = dict(zip(axes.get_yticks(), (text.get_text() for text in axes.get_yticklabels()), strict=True))
    assert labels == {2: "first", 1: "second", 0: "third"}
    assert axes.get_xlim()[0] <= 0
    assert axes.get_xlim()[1] >= 6


def test_legend_below_names_each_label_once() -> None:
    figure, axes = figures.new_figure()
    figures.intervals_by_row([value_row(naive=1.0), value_row(naive=2.0)], ["a", "b"], axes, unit="USD")
    figures.legend_below(figure, axes)
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert sorted(texts) == ["naive forecast", "reported"]


def test_forecast_lines_tell_apart_by_style_and_show_the_values() -> None:
    _, axes = figures.new_figure()
    days = pd.bdate_range("2022-01-03", periods=4)
    truth = np.arange(4.0)
    figures.forecast_lines(axes, days, truth, {"one": truth + 1, "two": truth + 2, "three": truth + 3})
    lines = axes.get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [(truth + shift).tolist() for shift in range(4)]
    assert len({(line.get_linestyle(), line.get_color()) for line in lines}) == 4
    assert len({line.get_linestyle() for line in lines[1:]}) == 3


def test_skill_by_reading_is_in_percent_with_the_default_drawn_through() -> None:
    _, axes = figures.new_figure()
    chosen = {"TSLA": [-0.6, -0.4], "GOOG": [0.25, 0.25]}
    figures.skill_by_reading(axes, {"as chosen": chosen, "other": {"TSLA": [-1.0], "GOOG": [0.1]}})
    shapes = {shape: [(x, round(y)) for x, y in places] for shape, places in markers(axes).items()}
    assert shapes == {"o": [(-50.0, 1), (-100.0, 0)], "s": [(25.0, 1), (10.0, 0)]}
    lines = [tuple(line.get_xdata()) for line in axes.get_lines() if line.get_marker() == "None"]
    bars = [line for line in lines if len(line) == 2]
    assert (-60.0, -40.0) in bars
    through = sorted(line[0] for line in lines if len(set(line)) == 1)
    assert {-50.0, 0.0, 25.0} <= set(through)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["as chosen", "other"]


def test_forecasts_of_several_runs_are_their_mean_within_their_range() -> None:
    days, truth = pd.bdate_range("2022-01-03", periods=3), np.arange(3.0)
    _, axes = figures.new_figure()
    figures.forecast_lines(axes, days, truth, {"runs": np.array([truth, truth + 2]), "one": truth - 1})
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()}
    assert (drawn["runs"], drawn["one"]) == ([1, 2, 3], [-1, 0, 1])
    (range_of_runs,) = axes.collections
    assert {y for _, y in range_of_runs.get_paths()[0].vertices.tolist()} == {0, 1, 2, 3, 4}


def test_logarithmic_scale_has_plain_numbers_at_the_ticks_that_it_spans() -> None:
    _, axes = figures.new_figure()
    axes.plot([0, 1], [15, 320])
    figures.logarithmic(axes, (10, 20, 100, 1000))
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["20", "100"]


def test_parts_cover_their_days_under_the_series() -> None:
    days = pd.bdate_range("2022-01-03", periods=10)
    _, axes = figures.new_figure()
    figures.draw_parts(axes, days, np.arange(10.0), {"trained on": np.arange(6), "tested on": np.arange(6, 10)})
    (line,) = axes.get_lines()
    assert line.get_ydata().tolist() == list(range(10))
    spans = [patch.get_width() for patch in axes.patches]
    assert spans == pytest.approx([(days[5] - days[0]).days, (days[9] - days[6]).days])
    assert axes.get_legend_handles_labels()[1] == ["trained on", "tested on"]


def test_more_lines_than_styles_are_all_drawn() -> None:
    days, truth = pd.bdate_range("2022-01-03", periods=4), np.arange(4.0)
    many = {f"line {number}": truth + number for number in range(9)}
    _, (forecasts, months, clipped) = figures.new_figure(columns=3)
    figures.forecast_lines(forecasts, days, truth, many)
    seismicity.draw_months(months, np.arange("2022-01", "2022-05", dtype="datetime64[M]"), truth, many)
    phase_picking.draw_clipped(clipped, truth + 1, truth + 1, many)
    for axes in (forecasts, months, clipped):
        drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()}
        assert {label: drawn.get(label) for label in many} == {label: line.tolist() for label, line in many.items()}


def test_more_groups_than_styles_are_all_drawn() -> None:
    many = [f"group {number}" for number in range(9)]
    _, (skills, ratios, scores, law) = figures.new_figure(columns=4)
    figures.skill_by_reading(skills, {"as chosen": {name: [0.1 * place] for place, name in enumerate(many)}})
    table = pd.DataFrame({"dataset": many, "snr": np.arange(9.0)})
    phase_picking.draw_ratios(ratios, table, {name: name for name in many})
    phase_picking.draw_scores(scores, {name: {"F1": [0.1, 0.2]} for name in many})
    bins = {"centres": np.arange(3.0), "counts": np.ones(3), "years": 1, "completeness": 1.0, "b": 1.0, "complete": 2}
    seismicity.draw_magnitude_frequency(law, dict.fromkeys(many, bins))
    for axes in (skills, ratios, scores):
        assert set(many) <= set(axes.get_legend_handles_labels()[1])
    assert [label.partition(":")[0] for label in law.get_legend_handles_labels()[1]] == many


@pytest.mark.filterwarnings("error")
def test_a_slope_is_drawn_with_its_interval_by_hand() -> None:
    """b of 1 from 400 events: a standard error of a twentieth, 95 % of it 1.96 times as far."""
    bins = {"centres": np.arange(3.0), "counts": np.ones(3), "years": 2, "completeness": 1.0, "b": 1.0, "complete": 400}
    _, axes = figures.new_figure()
    seismicity.draw_magnitude_frequency(axes, {"list": bins})
    assert axes.get_legend_handles_labels()[1] == ["list: b = 1.00 ± 0.10"]


RUNS = {"first": [10.0, 30.0, 20.0], "second": [5.0]}


def ranges_and_means(axes: Any) -> tuple[list[list[float]], list[float]]:
    """Return from where to where each bar of runs reaches, and where each marker stands."""
    lines = [(list(map(float, line.get_xdata())), line.get_marker()) for line in axes.get_lines()]
    bars = [xs for xs, marker in lines if marker in ("None", None, "")]
    return bars, [xs[0] for xs, marker in lines if marker not in ("None", None, "")]


def test_scores_of_designs_and_of_trainings_are_drawn_from_the_smallest_run_to_the_largest() -> None:
    _, (designs, trainings) = figures.new_figure(columns=2)
    classification.draw_designs(designs, {"region": RUNS}, unit="%")
    phase_picking.draw_scores(trainings, {name: {"F1": runs} for name, runs in RUNS.items()})
    for axes in (designs, trainings):
        assert ranges_and_means(axes) == ([[10.0, 30.0], [5.0, 5.0]], [20.0, 5.0])


def test_points_stand_at_the_mean_of_their_runs_and_bars_reach_over_them() -> None:
    _, axes = figures.new_figure()
    figures.points_with_range(axes, {5: np.array([10.0, 30.0]), 40: np.array([7.0])}, "seen", figures.BLUE, "-")
    (line,) = axes.get_lines()
    assert line.get_xydata().tolist() == [[5, 20], [40, 7]]
    assert line.get_label() == "seen"
    (bars,) = axes.collections
    assert [[tuple(end) for end in bar] for bar in bars.get_segments()] == [[(5, 10), (5, 30)], [(40, 7), (40, 7)]]


def test_steps_lead_from_one_end_to_the_next_and_backwards_too() -> None:
    _, axes = figures.new_figure()
    found = {"base": [30.0], "more": [50.0], "down": [40.0, 44.0], "up": [58.0, 62.0], "missing": [90.0]}
    classification.draw_steps(axes, {"one": {name: np.array(ends) for name, ends in found.items()}}, unit="%")
    bars = [bar for bar in axes.patches if bar.get_width()]
    assert [sorted((bar.get_x(), bar.get_x() + bar.get_width())) for bar in bars] == [
        [0, 30],
        [30, 50],
        [42, 50],
        [42, 60],
        [60, 90],
    ]
    hollow = [bar.get_facecolor() == (1, 1, 1, 1) for bar in bars]
    assert hollow == [False, False, True, False, True]  # what takes away, and what is missing, which is hatched
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    assert {*found, "printed"} == set(shown)
    assert [shown[name].patches[0].get_facecolor() == (1, 1, 1, 1) for name in found] == [
        False,
        False,
        False,
        False,
        True,
    ]
    ranges = [tuple(line.get_xdata()) for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert ranges == [(40, 44), (58, 62)]
    assert [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "D"] == [90]


def test_designs_that_are_drawn_beside_one_another_differ_in_shape_or_colour() -> None:
    looks = list(zip(classification.SHAPES, classification.COLOURS, strict=True))
    assert len(set(looks)) == len(looks) >= 9


def test_runs_are_drawn_as_mean_and_range_and_starts_with_their_interval() -> None:
    runs = np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 4.0]])
    _, (ranges, intervals) = figures.new_figure(columns=2)
    phase_picking.draw_runs(ranges, np.array([10.0, 20.0]), runs, "runs", figures.BLUE, "-")
    phase_picking.draw_interval(intervals, runs, "starts", figures.BLUE, "-")
    assert [line.get_ydata().tolist() for line in (*ranges.get_lines(), *intervals.get_lines())] == [[3, 4], [3, 4]]
    corners = {tuple(one) for one in ranges.collections[0].get_paths()[0].vertices.tolist()}
    assert {(10.0, 1.0), (10.0, 5.0), (20.0, 2.0), (20.0, 6.0)} <= corners
    # Three starts 1, 3, 5 deviate by 2.
    ends = {round(y, 3) for x, y in intervals.collections[0].get_paths()[0].vertices.tolist() if x == 1}
    assert {round(3 - 1.95996 * 2, 3), round(3 + 1.95996 * 2, 3)} <= ends


def test_boundary_lies_where_the_probability_is_a_half_and_activations_follow_their_formulas() -> None:
    figure, (boundary, activations) = figures.new_figure(columns=2)
    plane = np.linspace(-1.0, 1.0, 21)
    phase_picking.draw_boundary(figure, boundary, plane, np.tile(0.5 + 0.4 * plane, (21, 1)))
    (contour,) = [one for one in boundary.collections if "Contour" in type(one).__name__]
    assert np.abs(contour.get_paths()[0].vertices[:, 0]).max() == pytest.approx(0, abs=1e-9)
    phase_picking.draw_activations(activations)
    lines = {line.get_label(): dict(zip(*line.get_data(), strict=True)) for line in activations.get_lines()}
    assert lines["sigmoid"][0.0] == pytest.approx(0.5)
    assert lines["sigmoid, derivative"][0.0] == pytest.approx(0.25)
    assert (lines["rectified linear"][-4.0], lines["rectified linear"][4.0]) == (0, 4)


def test_learning_curve_is_the_mean_of_the_seeds_within_their_range() -> None:
    _, axes = figures.new_figure()
    curves = np.array([[3.0, 2.0, 1.0], [5.0, 2.0, 3.0]])
    figures.learning_curves(axes, curves, "loss", figures.BLUE, "-")
    (line,) = axes.get_lines()
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata().tolist() == [4.0, 2.0, 2.0]
    corners = axes.collections[0].get_paths()[0].vertices
    assert {(1.0, 3.0), (1.0, 5.0), (3.0, 1.0), (3.0, 3.0)} <= {tuple(corner) for corner in corners.tolist()}


# Kept figures


def draw() -> Any:
    figure, axes = figures.new_figure(width=2, height=2)
    axes.plot([1, 2, 3], [3, 1, 2], label="a")
    axes.legend()
    return figure


SOURCE = {"prices": "0123", "note": "<script>&"}


def kept(path: Path, drawn: Any, keep: bool = False, alt: str = "a line") -> str:
    return figures.kept_figure(path, drawn, alt=alt, source=SOURCE, keep=keep)


def test_kept_file_is_the_same_each_time_and_says_what_it_is_drawn_from(tmp_path: Path) -> None:
    first, second = tmp_path / "new" / "one.svg", tmp_path / "two.svg"
    kept(first, draw, keep=True)
    kept(second, draw, keep=True)
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "0123" in text
    assert "<script>" not in text


def test_nothing_is_kept_unless_asked_for(tmp_path: Path) -> None:
    markup = kept(tmp_path / "one.svg", draw)
    assert "<svg" in markup
    assert list(tmp_path.iterdir()) == []


def test_without_data_the_kept_figure_is_shown_and_named_so(tmp_path: Path) -> None:
    path = tmp_path / "one.svg"
    live = kept(path, draw, keep=True)
    recorded = kept(path, None, keep=True)
    assert path.read_text(encoding="utf-8") in recorded
    assert recorded != live
    assert "recorded" in recorded
    assert "recorded" not in live


def test_without_data_and_without_a_kept_figure_the_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"missing\.svg"):
        kept(tmp_path / "missing.svg", None)


@pytest.mark.parametrize(
    "added",
    [
        "<script>hurt()</script>",
        "<rect onload='hurt()'/>",
        "<a href='javascript:hurt()'>a</a>",
        "<foreignObject><iframe src='https://localhost'/></foreignObject>",
        "<image href='https://localhost/x.png'/>",
        "<style>@import url(https://localhost/x.css)</style>",
    ],
)
def test_kept_file_that_could_do_more_than_be_seen_is_refused(tmp_path: Path, added: str) -> None:
    path = tmp_path / "one.svg"
    kept(path, draw, keep=True)
    path.write_text(path.read_text(encoding="utf-8").replace("</svg>", f"{added}</svg>"), encoding="utf-8")
    with pytest.raises(RecordError, match=r"one\.svg"):
        kept(path, None)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"<p>words</p>"])
def test_kept_file_that_is_no_drawing_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "one.svg").write_bytes(content)
    with pytest.raises(RecordError, match=r"one\.svg"):
        kept(tmp_path / "one.svg", None)


def test_alt_text_is_there_and_escaped(tmp_path: Path) -> None:
    alt = 'A "line" <script>alert(1)</script> & more'
    parsed = Parsed(kept(tmp_path / "one.svg", draw, alt=alt))
    assert parsed.values("aria-label") == [alt]
    assert parsed.values("role")[0] == "img"
    assert "script" not in parsed.tags


def test_drawing_leaves_no_figure_open(tmp_path: Path) -> None:
    before = plt.get_fignums()
    kept(tmp_path / "one.svg", draw)
    assert plt.get_fignums() == before
