"""What every paper's page must be like: the same sections, figures that explain themselves, no typed result."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from reproduce_lib.book.lessons import PREFIX
from reproduce_lib.claims import FactClaim, PaperClaims, ValueClaim
from reproduce_lib.notebook_execution.bound import BOUND

ANATOMY = (
    "What the paper claims",
    "The data",
    "The method, rebuilt",
    "Reported next to reproduced",
    "What a naive forecast does",
    "The audit",
    "Verdict",
    "Run it again",
    "Provenance",
)
# Where results stand: a number in their prose is bound to a record, or printed in the paper.
RESULTS = ANATOMY[3:7]
# The levels of intervals, orders, tests and fits, which no run moves.
LEVELS = {Fraction(5), Fraction(90), Fraction(95)}
SHORTEST_WORDS = 40
SHORTEST_PARAGRAPH = 80

_HEADING = re.compile(r"^(##?) (.+?)\s*$", re.MULTILINE)
_FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
# Code, roles with their text, mathematics, addresses of links.
_NO_PROSE = re.compile(r"(\{[\w:]+\})?`[^`]*`|\$[^$]*\$|\]\([^)]*\)|\]\[[^\]]*\]")
_DRAWS = re.compile(r"\bnew_figure\(|\bkept_figure\(|\breported_against_reproduced\(|^draw_universe\(", re.MULTILINE)
# A figure of the paper that is not called so.
_FIGURE = re.compile(r"(?<!printed )(?<!Printed )\b[Ff]igures? \d+\b(?! of the (?:paper|thesis)\b)")
_THUMBNAIL = re.compile(r"\bnew_thumbnail\(")
_SPELT = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    "(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\\w+)?|hundred|thousand"
)
# What results are counted in; networks, models, shares and months are of the paper.
_COUNTED = (
    "(?:%|percent|per cent|points|runs|samples|series|records|ways|dB|hours|regions|orders|cells"
    "|times (?:as|more|larger|smaller))"
)
# Counts of outcomes, decimals, shares and points, in digits or words; a place on the map is no result.
_NUMBER = re.compile(
    rf"(?<![\w.])(?:(?:\d+|none|all|one|{_SPELT}) (?:out )?of (?:the |its )?(?:\d+|{_SPELT})|\d+/\d+|\d+\.\d+(?:\s?%)?"
    r"|(?:half|a (?:third|quarter|fifth|tenth)|(?:two|three) (?:thirds|quarters)) of"
    rf"|(?:\d[\d,]*|{_SPELT})\s?(?:more )?{_COUNTED}(?!\w))(?![\w.]*\d|°)",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
# In the fixed words of a lesson no number stands at all, but in the name of a score, nor a count in words.
_TYPED_COUNT = re.compile(
    r"(?<![A-Za-z])\d+(?:\.\d+)?"
    r"|\b(?:none|all|both|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) (?:out )?of\b",
    re.IGNORECASE,
)


def page_problems(notebook: Any, claims: PaperClaims) -> list[str]:
    """Return in words what is wrong with a paper's source notebook, nothing if nothing is."""
    return [
        *_opening(notebook, claims),
        *_sections(notebook),
        *_figures(notebook, claims.paper),
        *_data_without_a_figure(notebook),
        *_typed_numbers(notebook, claims),
        *_typed_lessons(notebook),
        *_unclear_figures(notebook),
    ]


def pair_problems(text: Any, notebook: Any) -> list[str]:
    """Return in words where the half of a pair that people edit is not the half that is executed.

    Parameters
    ----------
    text : the half that is text, as `jupytext.read` returns it
    notebook : the half that is executed, a notebook
    """
    import jupytext

    # What an editor adds to a notebook, and no text holds, is no difference.
    written = jupytext.reads(jupytext.writes(notebook, fmt="md:myst"), fmt="md:myst")
    cells = zip_longest(*([(c.cell_type, c.source, c.metadata) for c in half.cells] for half in (text, written)))
    unlike = [str(number) for number, (ours, theirs) in enumerate(cells) if ours != theirs]
    if not unlike:
        return []
    told = ", ".join(unlike[:3]) + (f" and {len(unlike) - 3} more" if len(unlike) > 3 else "")
    return [f"the .ipynb, which is executed, has other cells: {told}; write it with: jupytext --update --to ipynb"]


def output_problems(notebook: Any) -> list[str]:
    """Return in words which figures of an executed notebook have more than one output: each would be numbered."""
    return [
        f"{cell.metadata['mystnb']['figure']['name']} shows {len(shown)} outputs, and a figure is one; "
        "assign what its last line returns to _"
        for cell in notebook.cells
        if "figure" in cell.metadata.get("mystnb", {})
        and len(shown := [one for one in cell.outputs if _is_shown(one)]) > 1
    ]


def _is_shown(output: Any) -> bool:
    """Tell whether an output is part of the page: a bound text is not, nor are words that a cell prints."""
    return any(not kind.startswith(BOUND) for kind in output.get("data", {}))


def _opening(notebook: Any, claims: PaperClaims) -> Iterator[str]:
    """Say what is missing before the first section: the paper in a paragraph, with its citation, and the verdict."""
    markdown = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    opening = re.split(r"^## ", markdown, maxsplit=1, flags=re.MULTILINE)[0]
    paragraphs = [words for words in _FENCE.sub("", opening).split("\n\n") if not words.lstrip().startswith("#")]
    if not any(len(words) >= SHORTEST_PARAGRAPH for words in paragraphs):
        yield "no paragraph before its first section says what the paper is about"
    if not any(f"{{cite:t}}`{claims.citation}`" in words for words in paragraphs):
        yield f"nothing before its first section cites the paper: {{cite:t}}`{claims.citation}`"
    if not re.search(r"^```\{glue:md\} verdict$", opening, re.MULTILINE):
        yield "the verdict does not stand before its first section: ```{glue:md} verdict"


def _sections(notebook: Any) -> Iterator[str]:
    found = [title for level, title in _HEADING.findall(_prose(notebook)) if level == "##"]
    if found != list(ANATOMY):
        missing = [title for title in ANATOMY if title not in found]
        strange = [title for title in found if title not in ANATOMY]
        told = [
            f"missing: {', '.join(missing)}" if missing else "",
            f"not among them: {', '.join(strange)}" if strange else "",
        ]
        yield f"its sections are not those of every page in their order; {'; '.join(filter(None, told)) or 'the order'}"


def _figures(notebook: Any, paper: str) -> Iterator[str]:
    prose = _prose(notebook)
    names: set[str] = set()
    yield from _thumbnail(notebook)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not _DRAWS.search(cell.source):
            continue
        about = cell.metadata.get("mystnb", {})
        figure, alt = about.get("figure", {}), about.get("image", {}).get("alt", "")
        name, caption = str(figure.get("name", "")), str(figure.get("caption", ""))
        if not name.startswith(f"fig-{paper}-") or name in names:
            yield f"the figure of cell {number} needs a name of its own that begins with fig-{paper}-, not {name!r}"
            continue
        names.add(name)
        # A kept figure takes its alt text itself.
        if len(caption) < SHORTEST_WORDS or (len(alt) < SHORTEST_WORDS and "kept_figure(" not in cell.source):
            yield f"{name} needs a caption that stands alone and an alt text that says what is seen"
        if f"{{numref}}`{name}`" not in prose:
            yield f"{name} is not referred to in the text"


def _thumbnail(notebook: Any) -> Iterator[str]:
    """Say what is missing of what the landing page shows: it stands there alone, without the page's words."""
    for cell in (one for one in notebook.cells if one.cell_type == "code" and _THUMBNAIL.search(one.source)):
        about = cell.metadata.get("mystnb", {})
        words = about.get("figure", {}).get("caption", ""), about.get("image", {}).get("alt", "")
        if min(map(len, words)) < SHORTEST_WORDS:
            yield "the thumbnail needs a caption that stands alone and an alt text that says what is seen"
        if not {"remove-cell", "thumbnail"} <= set(cell.metadata.get("tags", [])):
            yield "the thumbnail belongs to the landing page: tag its cell with remove-cell and thumbnail"


def _data_without_a_figure(notebook: Any) -> Iterator[str]:
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = _FENCE.sub("", cell.source)
            section = ([title for level, title in _HEADING.findall(prose) if level == "##"] or [section])[-1]
        elif section == "The data" and _DRAWS.search(cell.source):
            return
    yield "its data are on no map and no plot"


def _typed_numbers(notebook: Any, claims: PaperClaims) -> Iterator[str]:
    known = LEVELS | _printed(claims)
    section = ""
    for cell in notebook.cells:
        parts = [_caption(cell)]
        if cell.cell_type == "markdown":
            parts = re.split(r"^(?=## )", _FENCE.sub("", cell.source), flags=re.MULTILINE)
        for part in parts:
            if heading := re.match(r"## (.+)", part):
                section = heading[1].strip()
            if section in RESULTS:
                typed = [one for one in _NUMBER.findall(_NO_PROSE.sub(" ", part)) if not _is_known(one, known)]
                yield from (f"{one!r} is typed in {section!r}: bind it to what was measured" for one in typed)


def _typed_lessons(notebook: Any) -> Iterator[str]:
    """Say which lessons are typed: without a computed value, or with a number among their words."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and PREFIX in cell.source:
            for name, sentence in _lessons(cell.source):
                if not isinstance(sentence, ast.JoinedStr) or not _computes(sentence):
                    yield f"{name} is typed: bind an f-string whose numbers are computed from records"
                yield from (
                    f"{found!r} is typed in {name}: compute it"
                    for found in _TYPED_COUNT.findall(" ".join(_words(sentence)))
                )


def _unclear_figures(notebook: Any) -> Iterator[str]:
    """Say which numbers of figures could be taken for the book's own, which only Sphinx knows."""
    for cell in notebook.cells:
        words = _FENCE.sub("", cell.source) if cell.cell_type == "markdown" else _caption(cell)
        yield from (
            f"{found!r} could be a figure of this book: say printed {found}" for found in _FIGURE.findall(words)
        )


def _lessons(source: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield name and sentence of each lesson that a cell binds."""
    for call in (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call) and len(one.args) == 2):
        name, sentence = call.args
        if isinstance(name, ast.Constant) and str(name.value).startswith(PREFIX):
            yield str(name.value), sentence


def _computes(sentence: ast.JoinedStr) -> bool:
    """Tell whether a value of an f-string comes from anywhere but the f-string itself."""
    values = (one.value for one in sentence.values if isinstance(one, ast.FormattedValue))
    return any(isinstance(part, ast.Name) for value in values for part in ast.walk(value))


def _words(part: ast.AST) -> Iterator[str]:
    """Yield what is quoted in an expression, but for how its values are to be written."""
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        yield part.value
    shown = [part.value] if isinstance(part, ast.FormattedValue) else ast.iter_child_nodes(part)
    for one in shown:
        yield from _words(one)


def _caption(cell: Any) -> str:
    """Return the caption of a cell's figure and what is read to those who do not see it."""
    about = cell.metadata.get("mystnb", {})
    return f"{about.get('figure', {}).get('caption', '')} {about.get('image', {}).get('alt', '')}"


def _printed(claims: PaperClaims) -> set[Fraction]:
    """Return every number that the paper prints, or that is the value of a decision."""
    texts = [claim.value for claim in claims.claims if isinstance(claim, ValueClaim)]
    texts += [claim.printed for claim in claims.claims if isinstance(claim, FactClaim)]
    texts += [str(word) for one in claims.decisions for word in (one.chosen, *(other.value for other in one.others))]
    return {Fraction(number) for text in texts for number in _DIGITS.findall(text)}


def _is_known(text: str, known: set[Fraction]) -> bool:
    # "3 of 12" is a count of outcomes, whatever is printed elsewhere, and what is printed is printed in digits.
    outcomes = " of " in text or "/" in text
    found = _DIGITS.findall(text.replace(",", ""))
    return bool(found) and not outcomes and Fraction(found[0]) in known


def _prose(notebook: Any) -> str:
    return "\n\n".join(_FENCE.sub("", cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
