"""What a draft imports, read from its statements: a template of kernels has it ready."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import course
from course.building.notebooks import Draft
from course.models.imports import modules_for

_PACKAGE = Path(course.__file__).absolute().parent
_RUN = ("course.models.bars", "course.models.renamings")
"""Modules of the course that are run as files, for what they do beside importing."""


def common(drafts: Iterable[Draft], profile: str = "shipped") -> tuple[str, ...]:
    """The names that are in `needed` of all these drafts, in the order of the first."""
    _file.cache_clear()  # a module may be new since the last build
    found = [needed(draft, profile) for draft in drafts]
    return tuple(name for name in found[0] if all(name in others for others in found)) if found else ()


def needed(draft: Draft, profile: str = "shipped") -> tuple[str, ...]:
    """What may have been imported before the first cell of a draft: what it imports itself, but for the course.

    With anything more, a cell could use a module that nobody imported. The names are those of `imported`, with those
    of the course replaced by what its modules import at once from elsewhere: a template that imported the course would
    hide from the recorder which of its modules a lesson uses. A path is a file to run.
    """
    found: dict[str, None] = {}
    read: dict[str, Mapping[str, str]] = {}
    for name in imported(draft, profile):
        _look(name, found, read)
    return tuple(found)


def imported(draft: Draft, profile: str = "shipped") -> tuple[str, ...]:
    """Names of all that a draft and the models of its header import, each once, in order of appearance.

    "numpy.linalg" is what a statement imports; "numpy:linalg.norm" is taken from what was imported, which imports
    more only where a package sees to that itself: ``import course`` with ``course.load(…)`` below gives "course" and
    "course:load".
    """
    names: dict[str, None] = {}
    cells = [_cell(place.cell.source) for place in draft.placed if place.cell.kind == "code"]
    aliases = {alias: name for bound, _ in cells for alias, name in bound}
    names |= dict.fromkeys(aliases.values())
    names |= dict.fromkeys(
        f"{aliases[name]}:{attributes}" for _, used in cells for name, attributes in used if name in aliases
    )
    if names.keys() & {"course:load", "course.load"}:
        names |= dict.fromkeys(modules_for(draft.lesson.header.roles, profile))
    return tuple(names)


@cache
def _cell(source: str) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """What a cell imports, as of `_aliases`, and what it uses, as of `_used`."""
    tree = ast.parse(source)
    return tuple(_aliases(tree)), tuple(dict.fromkeys(_used(tree)))


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in the cell, what it stands for) for each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name, alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
            for alias in node.names:
                yield alias.asname or alias.name, node.module if alias.name == "*" else f"{node.module}.{alias.name}"


def _used(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Attributes of names, ``np.linalg.norm`` as ("np", "linalg.norm")."""
    for node in ast.walk(tree):
        parts: list[str] = []
        part: ast.expr | ast.AST = node
        while isinstance(part, ast.Attribute):
            parts.insert(0, part.attr)
            part = part.value
        if parts and isinstance(part, ast.Name):
            yield part.id, ".".join(parts)


def _look(name: str, found: dict[str, None], read: dict[str, Mapping[str, str]]) -> None:
    module, *rest = re.split("[.:]", name)
    if module != course.__name__:
        found[name] = None
        return
    _read(module, found, read)
    for part in rest:
        if part in read[module]:
            _look(f"{read[module][part]}.{part}", found, read)
            return
        module = f"{module}.{part}"
        if _file(module) is None:
            return
        _read(module, found, read)


def _read(module: str, found: dict[str, None], read: dict[str, Mapping[str, str]]) -> None:
    """Add what a module imports, and note where it finds the names that it imports when they are used."""
    if module in read:
        return
    path = _file(module)
    if path is None:
        return
    found_at = path.stat()
    read[module], names = _statements(path, found_at.st_mtime_ns, found_at.st_size)
    if module in _RUN:
        found[str(path)] = None
        return
    for name in names:
        _look(name, found, read)


@cache
def _statements(path: Path, _changed: int, _size: int) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Where a module finds the names that it imports when they are used, and what it imports at once."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):  # a lesson that imports it will say so
        return {}, ()
    return _homes(tree), tuple(_at_once(tree.body))


@cache
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
