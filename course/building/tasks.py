"""The steps of a build as tasks: records in, records out, and nothing of this machine in either.

A task can be pickled and sent to another process or machine, which has opened a `workplace` for the steps that start
kernels. It writes no file that stays, knows nothing of the store, and gives the same bytes wherever it runs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course.building.compare import Comparison, compare
from course.building.execute import Run, run
from course.building.imports import needed
from course.building.kernels import ready
from course.building.leaks import leaks
from course.building.lesson import Lesson
from course.building.needs import Reads
from course.building.notebooks import Draft, outputs_of, solution, student, to_text, with_outputs, without_outputs
from course.building.plan import SHIPPED
from course.building.problems import Problem
from course.building.workplace import recorded


@dataclass(frozen=True)
class Executed:
    """An executed draft: its outputs by cell id, what went wrong, what it read, and what it took."""

    outputs: bytes
    problems: tuple[Problem, ...]
    reads: Reads
    seconds: float
    slowest: tuple[tuple[int, float], ...] = ()
    """The line and seconds of the slowest cells, the slowest first."""
    memory: int = 0
    """The most bytes that its kernel held."""
    in_cells: float = 0.0
    """Seconds that its cells took."""


@dataclass(frozen=True)
class Compared:
    """A second run, compared with the first."""

    comparison: Comparison
    reads: Reads
    seconds: float


def execute(draft: Draft, parameters: Mapping[str, str], timeout: int, root: str) -> Executed:
    """Run a draft in a new kernel. ``root`` is the folder of the lessons, which names what was read."""
    started = time.monotonic()
    with recorded(Path(root)) as record, ready(needed(draft, _profile(parameters))):
        done = run(draft, parameters=dict(parameters), timeout=timeout)
    return Executed(
        outputs=outputs_of(done.notebook),
        problems=done.problems,
        reads=record.reads,
        seconds=time.monotonic() - started,
        slowest=_slowest(draft, done),
        memory=done.memory,
        in_cells=sum(done.seconds.values()),
    )


def run_again(draft: Draft, parameters: Mapping[str, str], outputs: bytes, timeout: int, root: str) -> Compared:
    """Run a draft a second time and compare with these outputs of the first, which had these parameters."""
    started = time.monotonic()
    with recorded(Path(root)) as record, ready(needed(draft, _profile(parameters))):
        comparison = compare(as_run(draft, outputs), timeout=timeout)
    return Compared(comparison, record.reads, time.monotonic() - started)


def render(lesson: Lesson, outputs: bytes) -> str:
    """The body of a lesson's page: its student notebook with these outputs, as HTML."""
    from course.building.site import lesson_body

    return lesson_body(with_outputs(student(lesson), outputs))


def check_leaks(lesson: Lesson, solved: bytes, handed_out: str, body: str) -> list[Problem]:
    """Whether anything of an answer, or of what it printed in ``solved``, stands in what a student gets."""
    from course.building.site import lesson_page

    texts = {
        f"the student notebook {lesson.name}.ipynb": handed_out,
        f"the page {lesson.name}.html": lesson_page(lesson, body, [lesson]),
    }
    return leaks(lesson, with_outputs(solution(lesson), solved), texts)


def hand_out(lesson: Lesson, outputs: bytes) -> str:
    """The text of the student's notebook, without outputs."""
    return to_text(without_outputs(with_outputs(student(lesson), outputs)))


def as_run(draft: Draft, outputs: bytes) -> Run:
    """A run that passed, put together again from its outputs."""
    return Run(draft, with_outputs(draft, outputs), ())


def _profile(parameters: Mapping[str, str]) -> str:
    return parameters.get("PROFILE", SHIPPED)


def _slowest(draft: Draft, done: Run) -> tuple[tuple[int, float], ...]:
    lines = {place.id: place.cell.line for place in draft.placed}
    found = [(lines[cell], seconds) for cell, seconds in done.seconds.items() if cell in lines and seconds >= 0.1]
    return tuple(sorted(found, key=lambda item: -item[1])[:3])
