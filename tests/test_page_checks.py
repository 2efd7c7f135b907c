"""What fails the build of a page: a page that is right, changed in one thing each."""

from __future__ import annotations

import copy
import re
from typing import Any

import nbformat
import pytest

from reproduce_lib.book.page_checks import ANATOMY, RESULTS, _lessons, output_problems, page_problems
from reproduce_lib.book.places import notebook_path
from reproduce_lib.claims import PaperClaims, load_claims
from reproduce_lib.collection import rebuilt
from tests.support import PROJECT

KEY = "naufal2023"


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRODUCE_ROOT", str(PROJECT))


@pytest.fixture
def claims() -> PaperClaims:
    return load_claims(KEY)


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(notebook_path(KEY), as_version=4)


def cell_with(notebook: Any, words: str, kind: str = "markdown") -> Any:
    (found,) = [cell for cell in notebook.cells if cell.cell_type == kind and words in cell.source]
    return found


@pytest.mark.parametrize("paper", rebuilt())
def test_every_page_is_right(paper: str) -> None:
    assert page_problems(nbformat.read(notebook_path(paper), as_version=4), load_claims(paper)) == []


@pytest.mark.parametrize("paper", rebuilt())
@pytest.mark.parametrize(
    ("taken_out", "missing"),
    [
        ("{cite:t}`KEY`", "cites the paper"),
        ("```{glue:md} verdict\n:format: myst\n```", "the verdict does not stand"),
        ("PARAGRAPH", "no paragraph before its first section"),
    ],
)
def test_page_that_does_not_open_with_the_paper_and_the_verdict_is_refused(
    paper: str, taken_out: str, missing: str
) -> None:
    notebook = nbformat.read(notebook_path(paper), as_version=4)
    cell = next(one for one in notebook.cells if one.cell_type == "markdown")
    words = taken_out.replace("KEY", load_claims(paper).citation)
    if taken_out == "PARAGRAPH":
        words = next(part for part in cell.source.split("\n\n") if "{cite:t}" in part)
    assert words in cell.source
    cell.source = cell.source.replace(words, "")
    # Further down it is no opening.
    notebook.cells[-1].source += f"\n\n{words}"
    assert [one for one in page_problems(notebook, load_claims(paper)) if missing in one]


@pytest.mark.parametrize("title", ANATOMY)
def test_missing_section_is_named(notebook: Any, claims: PaperClaims, title: str) -> None:
    cell = next(c for c in notebook.cells if c.cell_type == "markdown" and re.search(rf"^## {title}$", c.source, re.M))
    cell.source = cell.source.replace(f"## {title}", "### Something else", 1)
    (problem,) = [one for one in page_problems(notebook, claims) if "sections" in one]
    assert title in problem


def test_sections_in_another_order_or_beyond_the_common_ones_are_refused(notebook: Any, claims: PaperClaims) -> None:
    changed = copy.deepcopy(notebook)
    changed.cells.append(nbformat.v4.new_markdown_cell("## More\n\nWords."))
    assert "not among them: More" in page_problems(changed, claims)[0]
    data, verdict = cell_with(notebook, "## The data"), cell_with(notebook, "## Verdict")
    data.source, verdict.source = (
        data.source.replace("## The data", "## Verdict"),
        verdict.source.replace("## Verdict", "## The data"),
    )
    assert "the order" in page_problems(notebook, claims)[0]


def test_heading_within_code_is_no_section(notebook: Any, claims: PaperClaims) -> None:
    cell_with(notebook, "## The data").source += "\n\n```bash\n## a comment\n```"
    assert page_problems(notebook, claims) == []


@pytest.mark.parametrize(
    ("where", "change"),
    [
        (("figure", "name"), "fig-other-errors"),
        (("figure", "name"), ""),
        (("figure", "caption"), "Errors."),
        (("image", "alt"), "Errors."),
    ],
)
def test_figure_without_name_caption_or_alt_is_refused(
    notebook: Any, claims: PaperClaims, where: tuple[str, str], change: str
) -> None:
    cell = next(cell for cell in notebook.cells if "mystnb" in cell.metadata and "image" in cell.metadata["mystnb"])
    cell.metadata["mystnb"][where[0]][where[1]] = change
    assert len(page_problems(notebook, claims)) == 1


def test_figure_that_no_text_refers_to_is_refused(notebook: Any, claims: PaperClaims) -> None:
    name = "fig-naufal2023-learning"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(f"{{numref}}`{name}`", "The figure")
    assert page_problems(notebook, claims) == [f"{name} is not referred to in the text"]


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("As Figure 6 shows.", ["Figure 6"]),
        ("In figure 16, and in Figure 2.", ["figure 16", "Figure 2"]),
        ("As printed Figure 6 shows, and Figure 34 of the thesis.", []),
        ("Of Figures 10 and 23; not of printed Figures 10 and 23.", ["Figures 10"]),
        ("{numref}`fig-naufal2023-errors`", []),
    ],
)
def test_a_figure_of_the_paper_is_called_so(notebook: Any, claims: PaperClaims, words: str, refused: list[str]) -> None:
    cell_with(notebook, "## The data").source += f"\n\n{words}"
    assert page_problems(notebook, claims) == [
        f"{one!r} could be a figure of this book: say printed {one}" for one in refused
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tags": ["hide-input"]}, "landing page"),
        ({"mystnb": {"figure": {"caption": "Short."}, "image": {"alt": "x" * 60}}}, "caption that stands alone"),
        ({"mystnb": {"figure": {"caption": "x" * 60}}}, "an alt text"),
    ],
)
def test_a_thumbnail_without_words_or_on_the_page_itself_is_refused(
    notebook: Any, claims: PaperClaims, change: dict[str, Any], told: str
) -> None:
    cell = next(one for one in notebook.cells if "thumbnail" in one.metadata.get("tags", []))
    cell.metadata.update(change)
    (problem,) = page_problems(notebook, claims)
    assert told in problem


def test_two_figures_of_one_name_are_refused(notebook: Any, claims: PaperClaims) -> None:
    cells = [cell for cell in notebook.cells if "figure" in cell.metadata.get("mystnb", {})]
    cells[1].metadata["mystnb"]["figure"]["name"] = cells[0].metadata["mystnb"]["figure"]["name"]
    assert any("name of its own" in one for one in page_problems(notebook, claims))


@pytest.mark.parametrize("section", RESULTS)
@pytest.mark.parametrize(
    "typed",
    [
        "a skill of 0.731 is",
        "in 37 % of the runs",
        "holds in 9 of 12 runs",
        "9 of the 12 runs",
        "falls by 17 points",
        "better in none of 12 runs",
        "in 9 out of 12 runs",
        "better in 9/12 runs",
        "44 per cent of them",
        "in 37 runs",
        "on 1,234 samples",
        "known to some three points",
        "of forty samples",
        "on twenty-eight more series",
        "a half-width of Seventeen percent",
        "better in three regions",
        "in seven of eight regions",
        "four out of five of them",
        "12 dB lower",
        "27 orders hold",
        "three times as large",
        "half of them",
        "two thirds of the windows",
    ],
)
def test_typed_result_is_refused_where_results_stand(
    notebook: Any, claims: PaperClaims, section: str, typed: str
) -> None:
    cell_with(
        notebook, f"## {section}\n" if section != "Verdict" else "## Verdict"
    ).source += f"\n\nThe network, {typed}."
    (problem,) = page_problems(notebook, claims)
    assert repr(section) in problem


@pytest.mark.parametrize(
    "allowed",
    [
        "printed is 17.790 for Tesla",  # as the paper prints it
        "that is 17.79",  # the same number
        "in at least 95 % of the runs",  # the rule
        "the skill is {glue:text}`skill`",
        "with `--share 0.731`",
        "where $p < 0.731$",
        "[there](https://example.org/0.731)",
        "at 16.25°N",
        "the year 2023, the 30 days",
    ],
)
def test_what_is_no_result_may_be_typed(notebook: Any, claims: PaperClaims, allowed: str) -> None:
    cell_with(notebook, "## The audit").source += f"\n\nHere {allowed}."
    assert page_problems(notebook, claims) == []


@pytest.mark.parametrize(("where", "name"), [("figure", "caption"), ("image", "alt")])
def test_typed_result_is_refused_in_captions_and_alt_texts_too(
    notebook: Any, claims: PaperClaims, where: str, name: str
) -> None:
    cell = next(c for c in notebook.cells if "fig-naufal2023-learning" in str(c.metadata.get("mystnb")))
    cell.metadata["mystnb"][where][name] += " The loss falls by 37 percent."
    (problem,) = page_problems(notebook, claims)
    assert "'37 percent'" in problem


@pytest.mark.parametrize(
    ("sentence", "refused"),
    [
        ('f"{len(beaten)} of {len(hybrid)} have a smaller F1."', ""),
        ('"none has a smaller error."', "lesson_baselines is typed"),
        ("sentence", "lesson_baselines is typed"),
        ('f"no error is smaller."', "lesson_baselines is typed"),
        ('f"{12} errors are smaller."', "lesson_baselines is typed"),
        ('f"12 of {len(hybrid)} have a smaller error."', "'12' is typed in lesson_baselines"),
        ('f"of {len(hybrid)}, none of them is smaller."', "'none of' is typed in lesson_baselines"),
        ('f"{len(hybrid)} networks" + " and 3.5 points"', "'3.5' is typed in lesson_baselines"),
        ("f\"of {len(hybrid)}{'; 7 hold' if beaten else ''}\"", "'7' is typed in lesson_baselines"),
    ],
)
def test_lesson_that_is_typed_is_refused(notebook: Any, claims: PaperClaims, sentence: str, refused: str) -> None:
    cell = cell_with(notebook, '"lesson_baselines"', "code")
    bound = re.compile(r'notebooks\.bind\("lesson_baselines", \(.*?^ *\)\)$', re.MULTILINE | re.DOTALL)
    assert bound.search(cell.source)
    cell.source = bound.sub(lambda _: f'notebooks.bind("lesson_baselines", {sentence})', cell.source)
    problems = page_problems(notebook, claims)
    assert [one for one in problems if one.startswith(refused)] if refused else problems == []


@pytest.mark.parametrize("paper", rebuilt())
def test_every_lesson_of_a_page_is_read(paper: str) -> None:
    cells = [one.source for one in nbformat.read(notebook_path(paper), as_version=4).cells if one.cell_type == "code"]
    read = [name for source in cells for name, _ in _lessons(source)]
    assert sorted(read) == sorted(re.findall(r"\blesson_[a-z_]+", "\n".join(cells)))


def test_data_without_a_figure_are_refused(notebook: Any, claims: PaperClaims) -> None:
    cell = cell_with(notebook, "def draw_prices", "code")
    cell.source = "1"
    assert "its data are on no map and no plot" in page_problems(notebook, claims)


def test_numbers_outside_of_results_are_free(notebook: Any, claims: PaperClaims) -> None:
    cell_with(notebook, "## The data").source += "\n\nThe file has 0.731 gigabytes."
    assert page_problems(notebook, claims) == []


def test_figure_with_a_second_output_is_refused() -> None:
    def cell(name: str, outputs: int) -> Any:
        shown = [nbformat.v4.new_output("display_data", data={"text/plain": "one"}) for _ in range(outputs)]
        printed = nbformat.v4.new_output("stream", text="a warning")
        bound = nbformat.v4.new_output("display_data", data={"application/papermill.record/text/plain": "bound"})
        about = {"mystnb": {"figure": {"name": name}}}
        return nbformat.v4.new_code_cell("draw()", outputs=[*shown, printed, bound], metadata=about)

    notebook = nbformat.v4.new_notebook(cells=[cell("fig-a", 1), cell("fig-b", 2)])
    (problem,) = output_problems(notebook)
    assert problem.startswith("fig-b shows 2 outputs")
