"""Exercises as they stand in a lesson and its solutions: a stub, a check, an answer, and typical wrong answers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from course.building.percent import Cell, Script
from course.building.problems import Problem

TYPICAL_WRONG_ANSWERS = 2
"""How many wrong answers every exercise needs, each with its own advice."""


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


def exercise_problems(script: Script) -> Iterator[Problem]:
    """What is wrong with the stubs and checks of a lesson."""
    stubs: dict[str, int] = {}
    checks: dict[str, int] = {}
    for place, cell in enumerate(script.cells):
        key = cell.text("exercise")
        if key is not None:
            if key in stubs:
                first = script.cells[stubs[key]].line
                yield cell.problem(f"exercise {key} is there twice: its first is at line {first}")
            stubs.setdefault(key, place)
            if not _has_ellipsis(cell):
                missing = "needs a … to fill in: write `...` where the answer goes"
                yield cell.problem(f"the stub of exercise {key} {missing}")
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


def solution_problems(script: Script, answers: Script) -> Iterator[Problem]:
    """What is wrong with the answers to a lesson's exercises, and with its wrong answers."""
    from course.models.entries import PROFILES

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
