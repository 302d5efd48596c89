"""What lessons import, read from their statements: a template of kernels has it ready."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import course
from course.building.lesson import Lesson
from course.models.imports import modules_for

_PACKAGE = Path(course.__file__).absolute().parent
_SILENCES = ("course.models.bars",)
"""Modules of the course that are run as files, for what they import says something elsewhere."""


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


def outside(names: Iterable[str]) -> tuple[str, ...]:
    """The same names, with those of the course replaced by what its modules import at once from elsewhere.

    A template that imported the course would hide from the recorder which of its modules a lesson uses. A path is
    a file to run.
    """
    found: dict[str, None] = {}
    read: dict[str, dict[str, str]] = {}
    for name in names:
        _look(name, found, read)
    return tuple(found)


def _look(name: str, found: dict[str, None], read: dict[str, dict[str, str]]) -> None:
    module, *rest = name.split(".")
    if module != course.__name__:
        found[name] = None
        return
    _read(module, found, read)
    for part in rest:
        if part in read[module]:
            _look(read[module][part], found, read)
            return
        module = f"{module}.{part}"
        if _file(module) is None:
            return
        _read(module, found, read)


def _read(module: str, found: dict[str, None], read: dict[str, dict[str, str]]) -> None:
    """Add what a module imports, and note where it finds the names that it imports when they are used."""
    path = _file(module)
    if path is None or module in read:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read[module] = _homes(tree)
    if module in _SILENCES:
        found[str(path)] = None
        return
    for name in _at_once(tree.body):
        _look(name, found, read)


def _file(module: str) -> Path | None:
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _at_once(body: list[ast.stmt]) -> Iterator[str]:
    """What these statements import, without what functions do and types need."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (name for _, name in _aliases(ast.Module([node], [])))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not _for_types(node):
            for part in ("body", "orelse", "handlers", "finalbody"):
                inner: Any = getattr(node, part, [])
                yield from _at_once(inner)


def _for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _homes(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HOMES":
            return dict(ast.literal_eval(node.value))
    return {}
