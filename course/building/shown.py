"""What a page does not show of a lesson, by file and line: formulas that are no LaTeX, pictures from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from course.building.glossary import SOURCE, Glossary
from course.building.lesson import Lesson
from course.building.notebooks import Draft
from course.building.percent import Cell
from course.building.problems import Problem
from course.building.site import Unshown, prose


def page_problems(draft: Draft, unshown: Sequence[Unshown]) -> list[Problem]:
    """What the page of this draft does not show."""
    problems = []
    for found in unshown:
        place = draft.at(found.cell)
        if place:
            problems.append(_problem(place.cell, found.passage, found.message))
        else:  # the first cell, which is made from the header
            problems.append(Problem(f"lessons/{draft.lesson.name}.py", 1, found.message))
    return problems


def prose_problems(lessons: Sequence[Lesson], glossary: Glossary | None) -> Iterator[Problem]:
    """What pages will not show of prose, which can be told before anything has run."""
    for lesson in lessons:
        for cell in lesson.cells:
            if cell.kind == "markdown":
                yield from (_problem(cell, *found) for found in prose(cell.source)[1])
    for term in glossary.terms if glossary else ():
        yield from (Problem(SOURCE, term.line, message) for _, message in prose(term.text)[1])


def _problem(cell: Cell, passage: str, message: str) -> Problem:
    written = (passage, unquote(passage), passage.removesuffix("$"))  # an environment has no $ at its end
    at = next((cell.source.index(text) for text in written if text in cell.source), 0)
    return cell.problem(message, line_in_cell=cell.source.count("\n", 0, at) + 1)
