"""Lessons: a script with its header, exercises and checks, and the answers that go with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.building.percent import Cell, Script, read_script
from course.building.problems import LessonError, Problem
from course.models.catalogue import read_catalogue
from course.models.entries import PROFILES

TYPICAL_WRONG_ANSWERS = 2
"""How many wrong answers every exercise needs, each with its own advice."""
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


def read_lesson(path: Path, root: Path) -> Lesson:
    """Read a lesson and its solutions and check all that can be known without running them.

    Raises LessonError with every problem that was found.
    """
    script = read_script(path, path.relative_to(root).as_posix())
    solutions = root / "solutions" / path.name
    problems = [*_lesson_problems(script), *_unknown_names(script, [other.stem for other in lesson_files(root)])]
    if not solutions.is_file():
        problems.append(Problem(script.file, 1, f"there is no solutions/{path.name}: every exercise needs its answer"))
        raise LessonError(*sorted(problems))
    answers = read_script(solutions, solutions.relative_to(root).as_posix())
    problems += _solution_problems(script, answers)
    if problems:
        raise LessonError(*sorted(set(problems)))
    keys = [key for cell in script.cells if (key := cell.text("exercise"))]
    return Lesson(
        name=path.stem,
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


def checks_in(cell: Cell) -> list[tuple[str, ast.With]]:
    """The ``with exercise("key", …)`` statements of a cell."""
    if cell.kind != "code":
        return []
    found = []
    for node in ast.walk(ast.parse(cell.source)):
        if not isinstance(node, ast.With):
            continue
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _called(call) == "exercise" and call.args:
                key = call.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.append((key.value, node))
    return found


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _header(script: Script) -> Header:
    fields = script.header or {}
    return Header(
        fields["title"], fields["minutes"], tuple(fields["objectives"]), tuple(fields["prerequisites"]),
        tuple(fields["roles"]), *(fields.get(name) for name in LIMITS),
    )  # fmt: skip


def _lesson_problems(script: Script) -> Iterator[Problem]:
    yield from _header_problems(script)
    yield from _parameter_problems(script)
    yield from _exercise_problems(script)
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


def _unknown_names(script: Script, lessons: list[str]) -> Iterator[Problem]:
    """Names in the header that lead nowhere."""
    for field, known in (("prerequisites", lessons), ("roles", sorted(read_catalogue()))):
        given = (script.header or {}).get(field)
        for name in given if isinstance(given, list) else ():
            if name not in known:
                yield Problem(
                    script.file, 1, f"{field} names {name!r}, which does not exist: there is {', '.join(known)}"
                )


def _instead(header: dict[str, Any], name: str) -> str:
    return f", not {header[name]!r}" if name in header else ", which is missing"


def _parameter_problems(script: Script) -> Iterator[Problem]:
    cells = [cell for cell in script.cells if "parameters" in cell.metadata.get("tags", [])]
    if not cells:
        yield Problem(
            script.file,
            1,
            'there is no parameters cell: add `# %% tags=["parameters"]` with PROFILE = "shipped"',
        )
    for cell in cells[1:]:
        yield cell.problem("this is a second parameters cell: a lesson has one")
    for cell in cells[:1]:
        names = [n.id for node in ast.parse(cell.source).body if isinstance(node, ast.Assign) for n in node.targets
                 if isinstance(n, ast.Name)]  # fmt: skip
        if cell.kind != "code" or "PROFILE" not in names:
            yield cell.problem('the parameters cell must set PROFILE = "shipped"')


def _exercise_problems(script: Script) -> Iterator[Problem]:
    stubs: dict[str, int] = {}
    checks: dict[str, int] = {}
    for place, cell in enumerate(script.cells):
        key = cell.text("exercise")
        if key is not None:
            if key in stubs:
                yield cell.problem(
                    f"exercise {key} is there twice: its first is at line {script.cells[stubs[key]].line}"
                )
            stubs.setdefault(key, place)
            if not _has_ellipsis(cell):
                yield cell.problem(
                    f"the stub of exercise {key} needs a … to fill in: write `...` where the answer goes"
                )
        for checked, statement in checks_in(cell):
            if checked in checks:
                yield cell.problem(f"exercise {checked} is checked twice: keep one check")
            checks.setdefault(checked, place)
            yield from _check_problems(cell, checked, statement)
    for key, place in stubs.items():
        if key not in checks:
            yield script.cells[place].problem(
                f"exercise {key} has no check: add `with exercise({key!r}, …) as answer:`"
            )
        elif checks[key] <= place:
            yield script.cells[checks[key]].problem(f"the check of exercise {key} must stand after its stub")
    for key, place in checks.items():
        if key not in stubs:
            yield script.cells[place].problem(
                f'exercise {key} is checked but has no stub: add a cell `# %% exercise="{key}"`'
            )


def _has_ellipsis(cell: Cell) -> bool:
    nodes = ast.walk(ast.parse(cell.source)) if cell.kind == "code" else iter(())
    return any(isinstance(node, ast.Constant) and node.value is Ellipsis for node in nodes)


def _check_problems(cell: Cell, key: str, statement: ast.With) -> Iterator[Problem]:
    asserts = [node for node in ast.walk(statement) if isinstance(node, ast.Assert)]
    if not asserts:
        yield cell.problem(f"the check of exercise {key} asserts nothing", line_in_cell=statement.lineno)
    for node in asserts:
        if node.msg is None:
            yield cell.problem(
                f"this assert of exercise {key} needs a message: it is the hint that the student reads",
                line_in_cell=node.lineno,
            )


def _solution_problems(script: Script, answers: Script) -> Iterator[Problem]:
    stubs = {key: cell for cell in script.cells if (key := cell.text("exercise"))}
    seen: dict[str, Cell] = {}
    wrong: dict[str, int] = {}
    for cell in answers.cells:
        key, wrong_key = cell.text("exercise"), cell.text("wrong")
        if cell.kind != "code":
            continue
        if (key is None) == (wrong_key is None):
            yield cell.problem('every code cell here answers one exercise: exercise="2.1", or wrong="2.1" advice="…"')
        elif key is not None:
            if key in seen:
                yield cell.problem(f"exercise {key} is answered twice: its first answer is at line {seen[key].line}")
            seen.setdefault(key, cell)
            if key not in stubs:
                yield cell.problem(f"this answers exercise {key}, which {script.file} does not have")
        elif wrong_key not in stubs:
            yield cell.problem(f"this is a wrong answer to exercise {wrong_key}, which {script.file} does not have")
        else:
            wrong[wrong_key or ""] = wrong.get(wrong_key or "", 0) + 1
            if not (cell.text("advice") or "").strip():
                yield cell.problem('a wrong answer needs advice="…": the hint that the check must give on it')
            if cell.text("profile") not in (None, *PROFILES):
                yield cell.problem(f"profile is one of {', '.join(PROFILES)}, not {cell.text('profile')!r}")
    for key, stub in stubs.items():
        if key not in seen:
            yield stub.problem(f'exercise {key} has no solution: add a cell `# %% exercise="{key}"` to {answers.file}')
        elif wrong.get(key, 0) < TYPICAL_WRONG_ANSWERS and not stub.metadata.get("open"):
            yield seen[key].problem(
                f"exercise {key} has {wrong.get(key, 0)} wrong answers: give at least {TYPICAL_WRONG_ANSWERS}, "
                'each `# %% wrong="…" advice="…"` (an exercise that cannot be failed is marked open=true)'
            )
