"""What the exercises and claims of an executed notebook said, and whether that proves what it must."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from course.building.notebooks import INJECTED, Placed
from course.building.problems import Problem
from course.building.runs import Run
from course.exercises import MIME


@dataclass(frozen=True)
class Outcome:
    """One outcome, where it came from, and its data as `course.exercises` wrote them."""

    place: Placed
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """ "exercise" or "claim"."""
        return str(self.data["kind"])

    @property
    def key(self) -> str:
        """The exercise's key, or the claim's text."""
        return str(self.data["key"] if self.kind == "exercise" else self.data["text"])

    @property
    def status(self) -> str:
        """ "passed", "unanswered" or "failed"."""
        return str(self.data["status"])

    def problem(self, message: str) -> Problem:
        """A problem at the line that reported this outcome."""
        return self.place.cell.problem(message, line_in_cell=int(self.data["line"]))


def outcomes(run: Run) -> list[Outcome]:
    """All outcomes of a run, in order."""
    found = []
    for cell in run.notebook.cells:
        place = run.draft.at(cell.id)
        for output in cell.get("outputs", []) if place else []:
            if MIME in output.get("data", {}):
                found.append(Outcome(place, dict(output.data[MIME])))  # type: ignore[arg-type]
    return found


def prove_student(run: Run) -> list[Problem]:
    """Every stub says ○ because the check looked at it; every claim holds; nothing raises."""
    found = outcomes(run)
    problems = [*run.problems, *_claim_problems(found)]
    for key, outcome in _by_key(run, found, problems):
        if outcome.data.get("vacuous") or outcome.status == "passed":
            problems.append(outcome.problem(f"the check of exercise {key} passes on the stub: it must use the answer"))
        elif outcome.status == "failed":
            problems.append(
                outcome.problem(
                    f"the stub of exercise {key} is judged as an answer ({outcome.data['hint']}): "
                    "let it be `...`, or return `...`"
                )
            )
    return problems


def prove_solution(run: Run) -> list[Problem]:
    """Every answer says ✓; every claim holds; nothing raises."""
    found = outcomes(run)
    problems = [*run.problems, *_claim_problems(found)]
    for key, outcome in _by_key(run, found, problems):
        if outcome.status != "passed":
            answer = run.draft.lesson.answers[key]
            problems.append(answer.problem(f"the answer to exercise {key} is not accepted: {outcome.data['hint']}"))
    return problems


def prove_trial(run: Run) -> list[Problem]:
    """Every wrong answer that is one on this profile says ✗ with its own advice."""
    problems = list(run.problems)
    tried = [outcome for outcome in outcomes(run) if outcome.place.tries and outcome.kind == "exercise"]
    profile = _profile(run)
    told = set()
    for outcome in tried:
        wrong = outcome.place.tries
        if wrong is None or outcome.key != wrong.cell.text("wrong"):
            continue
        told.add(id(wrong))
        if wrong.profile not in (None, profile):
            continue
        if outcome.status != "failed":
            problems.append(
                wrong.cell.problem(
                    f"this wrong answer to exercise {outcome.key} is taken as {outcome.status}: the check misses it"
                )
            )
        elif wrong.advice not in outcome.data["hint"]:
            problems.append(
                wrong.cell.problem(
                    f"this wrong answer to exercise {outcome.key} should be told {wrong.advice!r}, "
                    f"but is told {outcome.data['hint']!r}"
                )
            )
    if not problems:
        problems += [
            wrong.cell.problem(f"this wrong answer to exercise {key} was never checked")
            for key, wrongs in run.draft.lesson.wrong.items() for wrong in wrongs if id(wrong) not in told
        ]  # fmt: skip
    return problems


def _profile(run: Run) -> str:
    """The profile that was asked for in the parameters of the run; without any, the lesson's own stands."""
    for cell in run.notebook.cells:
        if INJECTED in cell.metadata.get("tags", []):
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROFILE":
                    return str(ast.literal_eval(node.value))
    return "shipped"


def _claim_problems(found: list[Outcome]) -> list[Problem]:
    return [
        outcome.problem(f"this claim does not hold: {outcome.key}")
        for outcome in found
        if outcome.kind == "claim" and outcome.status != "passed"
    ]


def _by_key(run: Run, found: list[Outcome], problems: list[Problem]) -> Iterator[tuple[str, Outcome]]:
    """The outcome of each exercise; one that never reported is a problem, unless the run had stopped anyway."""
    said = {outcome.key: outcome for outcome in found if outcome.kind == "exercise"}
    for key, check in run.draft.lesson.checks.items():
        if key in said:
            yield key, said[key]
        elif not run.problems:
            problems.append(check.problem(f"the check of exercise {key} did not run"))
