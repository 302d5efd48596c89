"""What lessons import, read from their statements: a template of kernels has it ready."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from course.building.lesson import Lesson
from course.models.imports import modules_for


def imported(lessons: Iterable[Lesson], profile: str = "shipped") -> tuple[str, ...]:
    """Dotted names of all that the lessons, their answers and the models of their headers import.

    ``import course`` with ``course.load(…)`` below gives "course" and "course.load": what is imported only
    when a name is first used is ready, too. Each once, in order of appearance.
    """
    names: dict[str, None] = {}
    for lesson in lessons:
        wrong = [answer.cell for answers in lesson.wrong.values() for answer in answers]
        cells = [*lesson.cells, *lesson.answers.values(), *wrong]
        trees = [ast.parse(cell.source) for cell in cells if cell.kind == "code"]
        aliases = {alias: name for tree in trees for alias, name in _aliases(tree)}
        names |= dict.fromkeys(aliases.values())
        for tree in trees:
            names |= dict.fromkeys(_used(tree, aliases))
        if "course.load" in names:
            names |= dict.fromkeys(modules_for(lesson.header.roles, profile))
    return tuple(names)


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in the cell, what it stands for) for each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name, alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
            for alias in node.names:
                yield alias.asname or alias.name, node.module if alias.name == "*" else f"{node.module}.{alias.name}"


def _used(tree: ast.Module, aliases: dict[str, str]) -> Iterator[str]:
    """Attributes of imported names, ``np.linalg.norm`` as "numpy.linalg.norm"."""
    for node in ast.walk(tree):
        parts: list[str] = []
        part: ast.expr | ast.AST = node
        while isinstance(part, ast.Attribute):
            parts.insert(0, part.attr)
            part = part.value
        if parts and isinstance(part, ast.Name) and part.id in aliases:
            yield ".".join([aliases[part.id], *parts])
