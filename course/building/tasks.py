"""The steps of a build as tasks: records in, records out, and nothing of this machine in either.

A task can be pickled and sent to another process or machine, which has opened a `workplace` for the steps that start
kernels. It writes no file that stays, knows nothing of the store, and gives the same bytes wherever it runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from course.building.imports import needed
from course.building.leaks import leaks
from course.building.lesson import Lesson
from course.building.notebooks import Draft, outputs_of, solution, student, to_text, with_outputs, without_outputs
from course.building.plan import SHIPPED
from course.building.problems import Problem
from course.building.runs import Compared, Executed, Run

if TYPE_CHECKING:
    from course.building.workplace import Recorded


def execute(draft: Draft, parameters: Mapping[str, str], timeout: int, root: str) -> Executed:
    """Run a draft in a new kernel. ``root`` is the folder of the lessons, which names what was read."""
    from course.building.execute import run

    started = time.monotonic()
    with _recorded(draft, parameters, root) as record:
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
    from course.building.compare import compare

    started = time.monotonic()
    with _recorded(draft, parameters, root) as record:
        comparison = compare(as_run(draft, outputs), timeout=timeout)
    return Compared(comparison, record.reads, time.monotonic() - started)


def render(lesson: Lesson, outputs: bytes) -> tuple[str, list[Problem]]:
    """The body of a lesson's page, its student notebook with these outputs as HTML; and what of it is not shown."""
    from course.building.shown import page_problems
    from course.building.site import lesson_body

    draft = student(lesson)
    body, unshown = lesson_body(with_outputs(draft, outputs))
    return body, page_problems(draft, unshown)


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


@contextmanager
def _recorded(draft: Draft, parameters: Mapping[str, str], root: str) -> Iterator[Recorded]:
    """Where a run of this draft finds imported what it needs, and what it reads is recorded."""
    from course.building.kernels import ready
    from course.building.workplace import recorded

    with recorded(Path(root)) as record, ready(needed(draft, parameters.get("PROFILE", SHIPPED))):
        yield record


def _slowest(draft: Draft, done: Run) -> tuple[tuple[int, float], ...]:
    lines = {place.id: place.cell.line for place in draft.placed}
    found = [(lines[cell], seconds) for cell, seconds in done.seconds.items() if cell in lines and seconds >= 0.1]
    return tuple(sorted(found, key=lambda item: -item[1])[:3])
