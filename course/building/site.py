"""Pages: the student's notebooks as HTML that opens from disk with no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from html import escape
from importlib import resources
from typing import Any, Literal, NamedTuple, Protocol, cast

import latex2mathml.converter
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.filters.strings import clean_html
from nbconvert.preprocessors import CoalesceStreamsPreprocessor, HighlightMagicsPreprocessor
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

from course.building.glossary import FILE, PAGE, Glossary
from course.building.lesson import Header
from course.building.markup import addresses
from course.building.objectives import practised

_WITHOUT_TEXT = re.compile(r"<img\b(?![^>]*\balt=)", re.IGNORECASE)
_PREPROCESSORS = (CoalesceStreamsPreprocessor, HighlightMagicsPreprocessor)
"""Those that do anything here, of twelve."""
_UNKNOWN = re.compile(r">(\\[A-Za-z]+)<")
_INSTEAD = "draw it in a cell, or write it as data:image/png;base64,…"
_NEIGHBOUR = re.compile(r"^([\w-]+)\.(?:ipynb|md)(#.*)?$")


class Unshown(NamedTuple):
    """Something that the page of a notebook does not show: the cell's id, what stands in the cell, and why."""

    cell: str
    passage: str
    message: str


class _MathMl(IPythonRenderer):  # type: ignore[misc]
    """Formulas as MathML, which browsers draw themselves: MathJax would have to come from the network.

    Links that lead from a notebook to its neighbours lead from page to page here. ``unread`` are formulas that cannot
    be drawn, and why; they stand in the page as they were written.
    """

    def __init__(self) -> None:
        super().__init__(escape=False)
        self.unread: list[tuple[str, str]] = []

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return str(super().link(text, _NEIGHBOUR.sub(r"\1.html\2", url), title))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return str(super(IPythonRenderer, self).image(text, url, title))  # scripts have no attachments

    def block_math(self, body: str) -> str:
        return self._drawn(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        return self._drawn(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    def inline_math(self, body: str) -> str:
        return self._drawn(body, "inline")

    def _drawn(self, body: str, display: Literal["block", "inline"]) -> str:
        try:
            drawn = str(latex2mathml.converter.convert(body, display=display))
        except Exception as error:  # a dozen kinds of its own, without a text
            what = re.sub(r"(?<!^)([A-Z])", r" \1", type(error).__name__.removesuffix("Error")).lower()
            self.unread.append((f"{body}$", f"the formula {_cut(body)} cannot be read as LaTeX ({what})"))
            return f"<code>{escape(body)}</code>"
        unknown = _UNKNOWN.search(drawn)
        if unknown:
            message = f"{unknown[1]} is not known in formulas ({_cut(body)}): write it otherwise"
            self.unread.append((unknown[1], message))
        return drawn


def prose(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """Markdown as HTML, and what of it is not shown: the passage, and why."""
    renderer = _MathMl()
    html = str(MarkdownWithMath(renderer=renderer).render(markdown))
    return html, [*renderer.unread, *_asked_for(html)]


def _asked_for(html: str) -> Iterator[tuple[str, str]]:
    for address in addresses(html):
        yield address, f"{_cut(address)} would have to be fetched, from beside the notebook or a network: {_INSTEAD}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _highlighted(source: str, language: str | None = None, metadata: Any = None) -> Markup:
    return Markup(Highlight2HTML(pygments_lexer="python")(source, language, metadata))


def _cleaned(html: str) -> str:
    """As nbconvert cleans it, which takes half of all time where it is what pygments wrote, and that is clean."""
    return html if isinstance(html, Markup) else str(clean_html(html))


class _Exporter(HTMLExporter):  # type: ignore[misc]
    """nbconvert's own conversion of cells and outputs, with our formulas, in a third of the time."""

    def __init__(self) -> None:
        filters = {"highlight_code": _highlighted, "clean_html": _cleaned}
        super().__init__(template_name="basic", filters=filters)
        self.unshown: list[Unshown] = []

    def register_preprocessor(self, preprocessor: Any, enabled: bool = False) -> None:
        """None of nbconvert's own, after each of which it would validate the notebook."""

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        nb = deepcopy(nb)
        for preprocessor in _PREPROCESSORS:
            nb, _ = preprocessor().preprocess(nb, {})
        page: tuple[str, Any] = super(HTMLExporter, self).from_notebook_node(nb, resources, **kw)
        if _WITHOUT_TEXT.search(page[0]):  # HTMLExporter reads the whole page to find those
            return cast(tuple[str, Any], super().from_notebook_node(nb, resources, **kw))
        return page

    def markdown2html(self, context: Any, source: str) -> str:
        html, unshown = prose(source)
        self.unshown += [Unshown(context["cell"].id, *one) for one in unshown]
        return html

    markdown2html.jinja_pass_arg = HTMLExporter.markdown2html.jinja_pass_arg  # type: ignore[attr-defined]


class Listed(Protocol):
    """What a page says of a lesson beside its body."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def header(self) -> Header: ...  # noqa: D102


def lesson_body(notebook: NotebookNode) -> tuple[str, list[Unshown]]:
    """An executed notebook as HTML, without a frame, and what of it is not shown."""
    exporter = _Exporter()
    body, _ = exporter.from_notebook_node(notebook)
    shown = (
        (cell.id, output["data"][kind])
        for cell in notebook.cells for output in cell.get("outputs", []) for kind in ("text/html", "image/svg+xml")
        if kind in output.get("data", {})
    )  # fmt: skip
    outputs = [Unshown(cell, *one) for cell, html in shown for one in _asked_for(html)]
    return str(body), list(dict.fromkeys([*exporter.unshown, *outputs]))


def lesson_page(lesson: Listed, body: str, lessons: Sequence[Listed]) -> str:
    """The page of one lesson: the body of its executed student notebook, with the way to its neighbours."""
    place = [other.name for other in lessons].index(lesson.name)
    before = _link(lessons[place - 1], "←") if place else ""
    after = _link(lessons[place + 1], "→") if place + 1 < len(lessons) else ""
    glossary = f'<a href="{PAGE}">Glossary</a>' if f"{PAGE}#" in body else ""
    navigation = (
        f'<nav aria-label="lessons">{before}<a href="index.html">All lessons</a>{glossary}'
        f'<a href="notebooks/{lesson.name}.ipynb" download>Download the notebook</a>{after}</nav>'
    )
    return _page(lesson.header.title, f"{navigation}<main>{body}</main>{navigation}")


def index_page(lessons: Sequence[Listed], *, glossary: bool = False) -> str:
    """The list of lessons, and of the glossary where the course has one."""
    items = "".join(
        f'<li value="{int(lesson.name[:2])}"><h2><a href="{lesson.name}.html">{escape(lesson.header.title)}</a></h2>'
        f"<p>About {lesson.header.minutes} minutes. After it you can:</p><ul>"
        + "".join(f"<li>{escape(practised(objective)[0])}</li>" for objective in lesson.header.objectives)
        + f'</ul><p><a href="notebooks/{lesson.name}.ipynb" download>Download the notebook</a></p></li>'
        for lesson in lessons
    )
    words = f'<p>What does a word mean? See the <a href="{PAGE}">glossary</a>.</p>' if glossary else ""
    return _page(
        "Looking inside transformers",
        f'<main><h1>Looking inside transformers</h1>{words}<ol class="lessons">{items}</ol></main>',
    )


def glossary_page(glossary: Glossary, lessons: Mapping[str, str]) -> str:
    """The words of the course; ``lessons`` are the names of the lessons that have a page, by number."""
    items = "".join(
        f'<dt id="{term.anchor}">{escape(term.name)}</dt><dd>{prose(term.markdown(lessons))[0]}</dd>'
        for term in glossary.terms
    )
    navigation = (
        f'<nav aria-label="lessons"><a href="index.html">All lessons</a>'
        f'<a href="notebooks/{FILE}" download>Download the glossary</a></nav>'
    )
    body = f'<h1>Glossary</h1>{prose(glossary.intro)[0]}<dl class="glossary">{items}</dl>'
    return _page("Glossary", f"{navigation}<main>{body}</main>{navigation}")


def _link(lesson: Listed, arrow: str) -> str:
    title = escape(lesson.header.title)
    return f'<a href="{lesson.name}.html">{f"{arrow} {title}" if arrow == "←" else f"{title} {arrow}"}</a>'


def _page(title: str, body: str) -> str:
    style = resources.files("course.building").joinpath("page.css").read_text(encoding="utf-8")
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{light}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
