"""Lesson to notebooks: pure functions, the same lesson giving the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from html import escape

import nbformat
from nbformat import NotebookNode

from course.building.exercises import checks_in
from course.building.lesson import Lesson, Wrong
from course.building.objectives import for_students
from course.building.percent import Cell

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
INJECTED = "injected-parameters"
"""The id and the tag of the cell with parameters that papermill puts in."""
_KEPT = ("exercise", "tags", "name")


@dataclass(frozen=True)
class Placed:
    """A cell with its place in a notebook: a stable id, and the wrong answer it tries, if any."""

    id: str
    cell: Cell
    tries: Wrong | None = None


@dataclass(frozen=True)
class Draft:
    """A notebook before it runs: its placed cells, so that whatever happens can name a file and a line."""

    lesson: Lesson
    placed: tuple[Placed, ...]

    def notebook(self) -> NotebookNode:
        """As a notebook without outputs, its first cell made from the header."""
        cells = [_title(self.lesson)]
        for place in self.placed:
            metadata = {key: place.cell.metadata[key] for key in _KEPT if key in place.cell.metadata}
            cells.append(_cell(place.cell.kind, place.cell.source, place.id, metadata))
        notebook = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": _METADATA, "cells": cells})
        nbformat.validate(notebook)
        return notebook

    def code(self) -> str:
        """What is executed, as text: ids, metadata and sources of the code cells, and nothing of the prose."""
        return json.dumps(
            [
                [place.id, {key: place.cell.metadata[key] for key in _KEPT if key in place.cell.metadata},
                 place.cell.source]
                for place in self.placed if place.cell.kind == "code"
            ],
            sort_keys=True,
        )  # fmt: skip

    def at(self, cell_id: str) -> Placed | None:
        """The placed cell with this id."""
        return next((place for place in self.placed if place.id == cell_id), None)


def student(lesson: Lesson) -> Draft:
    """Stubs where the answers go."""
    return Draft(lesson, tuple(_placed(lesson, lesson.cells)))


def solution(lesson: Lesson) -> Draft:
    """The answers in place of the stubs; everything else, ids included, as the student has it."""
    return Draft(lesson, tuple(_answered(lesson)))


def trial(lesson: Lesson) -> Draft:
    """The solution with every wrong answer tried, and checked, before the right one is checked."""
    placed = []
    for place in _answered(lesson):
        keys = [key for key, _ in checks_in(place.cell)]
        for key in keys:
            for number, wrong in enumerate(lesson.wrong.get(key, ()), start=1):
                label = f"wrong:{key}:{number}"
                placed.append(Placed(_id(lesson.name, label), wrong.cell, wrong))
                placed.append(Placed(_id(lesson.name, f"{label}:check"), place.cell, wrong))
            if lesson.wrong.get(key):
                placed.append(Placed(_id(lesson.name, f"answer-again:{key}"), lesson.answers[key]))
        placed.append(place)
    return Draft(lesson, tuple(placed))


def outputs_of(notebook: NotebookNode) -> bytes:
    """The outputs of an executed notebook by cell id, and the cell that papermill put in, if it did."""
    cells: dict[str, dict[str, object]] = {}
    before = None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cells[cell.id] = {"outputs": cell.outputs, "execution_count": cell.execution_count}
            if cell.id == INJECTED:
                cells[cell.id] |= {"source": cell.source, "after": before}
        before = cell.id
    return json.dumps(cells, sort_keys=True).encode()


def with_outputs(draft: Draft, outputs: bytes) -> NotebookNode:
    """The notebook of a draft with the outputs that its code gave, whatever its prose says by now."""
    notebook, cells = draft.notebook(), json.loads(outputs)
    injected = cells.get(INJECTED)
    if injected:
        cell = _cell("code", injected["source"], INJECTED, {"tags": [INJECTED]})
        place = [other.id for other in notebook.cells].index(injected["after"])
        notebook.cells.insert(place + 1, nbformat.from_dict(cell))
    for cell in notebook.cells:
        if cell.id in cells:
            cell.outputs = nbformat.from_dict(cells[cell.id]["outputs"])
            cell.execution_count = cells[cell.id]["execution_count"]
    return notebook


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """A copy of an executed notebook as it is handed out."""
    copy = deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copy


def to_text(notebook: NotebookNode) -> str:
    """The notebook as the text of its file."""
    return str(nbformat.writes(notebook)) + "\n"


def _answered(lesson: Lesson) -> Iterator[Placed]:
    for place in _placed(lesson, lesson.cells):
        key = place.cell.text("exercise")
        yield Placed(place.id, lesson.answers[key]) if key else place


def _placed(lesson: Lesson, cells: Iterable[Cell]) -> Iterator[Placed]:
    """A cell's id comes from its name or exercise where it has one, else from what it says."""
    seen: Counter[str] = Counter()
    for cell in cells:
        named = cell.text("name") or cell.text("title")
        key = cell.text("exercise")
        label = f"exercise:{key}" if key else f"name:{named}" if named else f"{cell.kind}:{cell.source}"
        seen[label] += 1
        yield Placed(_id(lesson.name, f"{label}#{seen[label]}"), cell)


def _id(lesson: str, label: str) -> str:
    return hashlib.sha256(f"{lesson}/{label}".encode()).hexdigest()[:16]


def _cell(kind: str, source: str, cell_id: str, metadata: Mapping[str, object]) -> dict[str, object]:
    """A cell as it stands in a file. nbformat's own functions would look each through, and then all of them again."""
    cell: dict[str, object] = {"cell_type": kind, "id": cell_id, "metadata": dict(metadata), "source": source}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _title(lesson: Lesson) -> dict[str, object]:
    """The first cell; a header is plain text, so what looks like HTML in it stays text."""
    header = lesson.header
    lines = [f"# {escape(header.title, quote=False)}", "", f"About {header.minutes} minutes. After this you can", ""]
    lines += [f"- {escape(for_students(objective), quote=False)}" for objective in header.objectives]
    if header.prerequisites:
        before = (f"[lesson {name[:2]}, {name[3:].replace('_', ' ')}]({name}.ipynb)" for name in header.prerequisites)
        lines += ["", f"Before this: {'; '.join(before)}."]
    return _cell("markdown", "\n".join(lines), _id(lesson.name, "title"), {})
