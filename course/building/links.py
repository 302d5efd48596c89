"""Links of lessons: into the glossary, to other lessons, to headings; and those that lead nowhere."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import unquote

from course.building.glossary import FILE, Glossary, glossary_problems
from course.building.lesson import Lesson
from course.building.percent import Cell
from course.building.problems import Problem

_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def link_problems(lessons: Sequence[Lesson], glossary: Glossary | None, *, all_read: bool = True) -> list[Problem]:
    """Every link of ``lessons`` that leads nowhere, and, where all lessons were read, what is wrong with the glossary.

    A link leads to ``glossary.md#word``, to a notebook (``02_name.ipynb``), to a heading of this or another
    notebook (``#What-the-model-reads``, as JupyterLab and the pages write it), or to ``https://``.
    """
    headings: dict[str, Collection[str]] = {f"{lesson.name}.ipynb": _headings(lesson) for lesson in lessons}
    if glossary:
        headings[FILE] = [term.anchor for term in glossary.terms]
    found = [problem for lesson in lessons for problem in _dead(lesson, headings, all_read)]
    if glossary and all_read:
        found += glossary_problems(glossary, {lesson.name: glossary_links(lesson) for lesson in lessons})
    return sorted(found)


def glossary_links(lesson: Lesson) -> list[str]:
    """The anchors in the glossary that a lesson links to."""
    links = (link.partition("#") for cell in lesson.cells for _, link in _links(cell))
    return [unquote(fragment) for file, _, fragment in links if file == FILE and fragment]


def _dead(lesson: Lesson, headings: Mapping[str, Collection[str]], all_read: bool) -> Iterator[Problem]:
    for cell in lesson.cells:
        for line, link in _links(cell):
            file, _, fragment = link.partition("#")
            file, fragment = unquote(file) or f"{lesson.name}.ipynb", unquote(fragment)
            if re.match(r"[a-z]+:", link) or (file not in headings and file.endswith(".ipynb") and not all_read):
                continue
            if file not in headings:
                kinds = f"links lead to {FILE}, to a lesson (02_name.ipynb) or to https://"
                yield cell.problem(f"{link} leads nowhere{_meant(file, headings)}: {kinds}", line_in_cell=line)
            elif fragment and fragment not in headings[file]:
                meant = _meant(fragment, headings[file])
                yield cell.problem(f"{link} leads nowhere: {file} has no heading for it{meant}", line_in_cell=line)


def _meant(given: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(given, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _links(cell: Cell) -> Iterator[tuple[int, str]]:
    """Each link of a cell of prose, with its line in the cell."""
    if cell.kind == "markdown":
        for found in _LINK.finditer(cell.source):
            yield cell.source[: found.start(1)].count("\n") + 1, found[1]


def _headings(lesson: Lesson) -> list[str]:
    texts = (found for cell in lesson.cells if cell.kind == "markdown" for found in _HEADING.findall(cell.source))
    return [lesson.header.title.replace(" ", "-"), *(text.replace(" ", "-") for text in texts)]
