"""Lessons: a script with its header, exercises and checks, and the answers that go with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.building.exercises import checks_in, exercise_problems, solution_problems
from course.building.objectives import objective_problems
from course.building.percent import Cell, Script, parse_script
from course.building.problems import LessonError, Problem

LIMITS = ("cell_seconds", "lesson_seconds")
"""What a header may say of the time its cells take."""


@dataclass(frozen=True)
class Header:
    """What a lesson says of itself; the seconds limit one cell and all together, None where the build's limits do."""

    title: str
    minutes: int
    objectives: tuple[str, ...]
    prerequisites: tuple[str, ...]
    roles: tuple[str, ...]
    cell_seconds: int | None = None
    lesson_seconds: int | None = None


@dataclass(frozen=True)
class Wrong:
    """A typical wrong answer, and the advice that the check must give on it.

    With a ``profile`` it is wrong of the models of that profile, and only there held to its advice.
    """

    cell: Cell
    advice: str
    profile: str | None = None


@dataclass(frozen=True)
class Lesson:
    """One lesson, with its answers: all that a build needs to know."""

    name: str
    header: Header
    cells: tuple[Cell, ...]
    answers: dict[str, Cell]
    wrong: dict[str, tuple[Wrong, ...]]

    @property
    def exercises(self) -> dict[str, Cell]:
        """The stub cells by key."""
        return {key: cell for cell in self.cells if (key := cell.text("exercise"))}

    @property
    def checks(self) -> dict[str, Cell]:
        """The cells that check, by key."""
        return {key: cell for cell in self.cells for key, _ in checks_in(cell)}


def lesson_files(root: Path) -> list[Path]:
    """The lesson sources below ``root``, in order."""
    return sorted((root / "lessons").glob("[0-9][0-9]_*.py"))


@dataclass(frozen=True)
class Source:
    """The bytes of a lesson and of its solutions, as they were when the build read them; None where there are none."""

    name: str
    lesson: bytes
    solution: bytes | None


def read_sources(root: Path) -> dict[str, Source]:
    """All lessons below ``root`` by name, each read once, so that what is saved later waits for the next build."""
    sources = {}
    for path in lesson_files(root):
        with suppress(FileNotFoundError):  # removed a moment ago
            lesson = path.read_bytes()
            try:
                solution = (root / "solutions" / path.name).read_bytes()
            except FileNotFoundError:
                solution = None
            sources[path.stem] = Source(path.stem, lesson, solution)
    return sources


def read_lesson(path: Path, root: Path) -> Lesson:
    """Read a lesson and its solutions from disk: see `parse_lesson`."""
    sources = read_sources(root)
    return parse_lesson(sources[path.stem], list(sources))


def parse_lesson(source: Source, lessons: Sequence[str]) -> Lesson:
    """Read a lesson and its solutions and check all that can be known without running them.

    ``lessons`` are the names of all lessons. Raises LessonError with every problem that was found.
    """
    script = parse_script(source.lesson, f"lessons/{source.name}.py")
    problems = [*_lesson_problems(script), *_unknown_names(script, lessons)]
    if source.solution is None:
        missing = f"there is no solutions/{source.name}.py: every exercise needs its answer"
        raise LessonError(*sorted([*problems, Problem(script.file, 1, missing)]))
    answers = parse_script(source.solution, f"solutions/{source.name}.py")
    problems += solution_problems(script, answers)
    if problems:
        raise LessonError(*sorted(set(problems)))
    keys = [key for cell in script.cells if (key := cell.text("exercise"))]
    return Lesson(
        name=source.name,
        header=_header(script),
        cells=script.cells,
        answers={key: cell for cell in answers.cells if (key := cell.text("exercise"))},
        wrong={
            key: tuple(
                Wrong(c, c.text("advice") or "", c.text("profile")) for c in answers.cells if c.text("wrong") == key
            )
            for key in keys
        },
    )


def _header(script: Script) -> Header:
    fields = script.header or {}
    return Header(
        fields["title"], fields["minutes"], tuple(fields["objectives"]), tuple(fields["prerequisites"]),
        tuple(fields["roles"]), *(fields.get(name) for name in LIMITS),
    )  # fmt: skip


def _lesson_problems(script: Script) -> Iterator[Problem]:
    yield from _header_problems(script)
    yield from _parameter_problems(script)
    yield from exercise_problems(script)
    yield from objective_problems(script, [key for cell in script.cells if (key := cell.text("exercise"))])
    for cell in script.cells:
        for key in ("wrong", "advice", "profile"):
            if key in cell.metadata:
                yield cell.problem(f"{key} belongs into solutions/, where no student looks")
        names = cell.metadata.get("tags", [])
        if any(str(tag).startswith(("nbval", "raises-exception")) for tag in names) or "NBVAL_" in cell.source:
            yield cell.problem("nbval markers hide cells from the comparison: remove the marker, mend the cell")


def _header_problems(script: Script) -> Iterator[Problem]:
    if script.header is None:
        yield Problem(script.file, 1, "a lesson begins with a YAML header between two `# ---` lines: title, minutes, …")
        return
    texts = (list, "a list of texts")
    wanted: dict[str, tuple[type, str]] = {
        "title": (str, "a text"), "minutes": (int, "a whole number"), "objectives": texts,
        "prerequisites": texts, "roles": texts,
    }  # fmt: skip
    for name, (kind, description) in wanted.items():
        value: Any = script.header.get(name)
        bad_list = kind is list and isinstance(value, list) and not all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or isinstance(value, bool) or bad_list:
            yield Problem(script.file, 1, f"the header needs {name}: {description}" + _instead(script.header, name))
        elif name != "prerequisites" and not value:
            yield Problem(script.file, 1, f"{name} in the header is empty")
    for name in LIMITS:
        seconds = script.header.get(name, 1)
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
            yield Problem(script.file, 1, f"{name} in the header is a whole number of seconds, not {seconds!r}")
    for name in sorted(map(str, set(script.header) - set(wanted) - {"jupyter", *LIMITS})):
        yield Problem(script.file, 1, f"the header knows no {name!r}: it takes {', '.join([*wanted, *LIMITS])}")


def _unknown_names(script: Script, lessons: Sequence[str]) -> Iterator[Problem]:
    """Names in the header that lead nowhere."""
    from course.models.catalogue import read_catalogue

    for field, known in (("prerequisites", lessons), ("roles", sorted(read_catalogue()))):
        given = (script.header or {}).get(field)
        for name in given if isinstance(given, list) else ():
            if name not in known:
                unknown = f"{field} names {name!r}, which does not exist: there is {', '.join(known)}"
                yield Problem(script.file, 1, unknown)


def _instead(header: dict[str, Any], name: str) -> str:
    return f", not {header[name]!r}" if name in header else ", which is missing"


def _parameter_problems(script: Script) -> Iterator[Problem]:
    cells = [cell for cell in script.cells if "parameters" in cell.metadata.get("tags", [])]
    if not cells:
        missing = 'there is no parameters cell: add `# %% tags=["parameters"]` with PROFILE = "shipped"'
        yield Problem(script.file, 1, missing)
    for cell in cells[1:]:
        yield cell.problem("this is a second parameters cell: a lesson has one")
    for cell in cells[:1]:
        names = [n.id for node in ast.parse(cell.source).body if isinstance(node, ast.Assign) for n in node.targets
                 if isinstance(n, ast.Name)]  # fmt: skip
        if cell.kind != "code" or "PROFILE" not in names:
            yield cell.problem('the parameters cell must set PROFILE = "shipped"')
