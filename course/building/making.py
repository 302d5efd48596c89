"""Making one lesson: every step taken from the store where it holds, and done where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from course.building.files import write_if_changed
from course.building.lesson import Lesson, Source, parse_lesson
from course.building.limits import CELL_SECONDS
from course.building.needs import Reads
from course.building.notebooks import Draft, solution, student, to_text, trial, with_outputs
from course.building.outcomes import outcomes, prove_solution, prove_student, prove_trial
from course.building.plan import WHOLE, Asks, Plan, parameters_of
from course.building.problems import LessonError, Problem
from course.building.report import Counted, LessonReport
from course.building.runs import Executed
from course.building.tasks import as_run, check_leaks, execute, hand_out, render, run_again
from course.building.workshop import Workshop

DRAFTS: Mapping[str, tuple[Callable[[Lesson], Draft], Callable[..., list[Problem]]]] = {
    "student": (student, prove_student),
    "solution": (solution, prove_solution),
    "wrong answers": (trial, prove_trial),
}
"""Each run: what is executed, and what it must prove."""


T = TypeVar("T")
_Taking = Callable[[], T]
"""Waits for the result of a step and enters it in the report."""


class _FailedError(Exception):
    """A step found problems; those after it are not taken."""


@dataclass
class Making:
    """One lesson on its way; `make` returns the hashes of what it published, None if it failed."""

    plan: Plan
    workshop: Workshop
    source: Source
    lessons: Sequence[str]
    report: LessonReport
    preview: Callable[[Lesson, str], None] | None = None
    """Told the body of the page as soon as there is one, which is before all is known to be right."""
    _reads: Reads = field(default_factory=Reads)
    _runs: dict[str, bytes] = field(default_factory=dict)
    _body: tuple[str, list[Problem]] | None = None
    _rendering: float = 0.0

    def make(self, whole: Asks) -> dict[str, Any] | None:
        """Take every step that does not hold, publish the notebooks, and keep what there is to know of the lesson."""
        started: list[Future[Any]] = []
        try:
            lesson = self._read()
            runs = [self._run(lesson, step, started) for step in DRAFTS]
            second: _Taking[Counted] | None = None
            for step, run in zip(DRAFTS, runs, strict=True):
                self._runs[step] = run()
                if step == "solution":
                    second = self._second_run(lesson, started)
                    if self.preview and "student" in self.report.ran:
                        body, unshown = self._rendered(lesson)
                        self._step("page", unshown)
                        self.preview(lesson, body)
            assert second
            counted = second()
            made = self._pages(lesson)
        except _FailedError:
            return None
        finally:
            for future in started:
                future.cancel()
            self.plan.reads[self.source.name] = self._reads
        gives = {
            "header": asdict(lesson.header),
            "facts": {
                "exercises": self.report.exercises, "wrong answers": self.report.wrong_answers,
                "claims": self.report.claims, "comparison": asdict(counted),
            },
            **made,
        }  # fmt: skip
        self.report.doubts = list(dict.fromkeys(self._reads.doubts))
        self.plan.keep(lesson.name, WHOLE, whole, gives, self._reads)
        return gives

    def _step(self, step: str, problems: Sequence[Problem]) -> None:
        self.report.steps[step] = list(problems)
        if problems:
            raise _FailedError

    def _read(self) -> Lesson:
        try:
            lesson = parse_lesson(self.source, self.lessons)
        except LessonError as error:
            self._step("source", error.problems)
            raise AssertionError from error  # a LessonError has problems
        self._step("source", [])
        self.report.title = lesson.header.title
        self.report.exercises = len(lesson.exercises)
        self.report.wrong_answers = sum(map(len, lesson.wrong.values()))
        return lesson

    def _run(self, lesson: Lesson, step: str, started: list[Future[Any]]) -> _Taking[bytes]:
        """Begin a run, unless its outputs are stored; what is returned waits for them, and judges them."""
        make_draft, prove = DRAFTS[step]
        draft = make_draft(lesson)
        parameters = parameters_of(self.plan.profile)
        asks = self.plan.run(step, draft, parameters)
        found, reason = self.plan.find(lesson.name, step, asks)
        stored = self.plan.store.get(found["outputs"]) if found else None
        if stored is None:
            label, root = f"{lesson.name} {step}", str(self.plan.root)
            running = self.workshop.start(label, execute, draft, parameters, CELL_SECONDS, root)
            started.append(running)

        def take() -> bytes:
            if stored is not None:
                outputs = stored
                self._reads = self._reads.with_(self.plan.needs(lesson.name, step, asks))
                problems = prove(as_run(draft, outputs))
                self.report.kept.append(step)
            else:
                self.report.why[step] = reason or "its stored result was damaged"
                done = running.result()
                outputs = done.outputs
                problems = self._judge(draft, done, prove)
                self.report.did(step, done.seconds, in_cells=done.in_cells, memory=done.memory, slowest=done.slowest)
                self._reads = self._reads.with_(done.reads)
                if not problems:
                    self.plan.keep(lesson.name, step, asks, {"outputs": self.plan.store.put(outputs)}, done.reads)
            if problems:
                text = to_text(with_outputs(draft, outputs))
                write_if_changed(self.plan.out / "failed" / f"{lesson.name} ({step}).ipynb", text)
            self._step(step, problems)
            return outputs

        return take

    @staticmethod
    def _judge(draft: Draft, done: Executed, prove: Callable[..., list[Problem]]) -> list[Problem]:
        run = as_run(draft, done.outputs)
        return prove(type(run)(run.draft, run.notebook, done.problems))

    def _second_run(self, lesson: Lesson, started: list[Future[Any]]) -> _Taking[Counted]:
        """Begin the second run of the solution, unless it is stored; what is returned waits for the comparison."""
        draft, outputs = solution(lesson), self._runs["solution"]
        asks = self.plan.second_run(draft, outputs)
        found, reason = self.plan.find(lesson.name, "second run", asks)
        if not found:
            arguments = (draft, parameters_of(self.plan.profile), outputs, CELL_SECONDS, str(self.plan.root))
            running = self.workshop.start(f"{lesson.name} second run", run_again, *arguments)
            started.append(running)

        def take() -> Counted:
            if found:
                self._reads = self._reads.with_(self.plan.needs(lesson.name, "second run", asks))
                counted = self.report.comparison = Counted(**found)
                self.report.kept.append("second run")
                self._step("second run", [])
                return counted
            self.report.why["second run"] = reason
            done = running.result()
            counted = self.report.comparison = Counted(done.comparison.compared, dict(done.comparison.skipped))
            self.report.did("second run", done.seconds)
            self._reads = self._reads.with_(done.reads)
            self._step("second run", done.comparison.problems)
            self.plan.keep(lesson.name, "second run", asks, asdict(counted), done.reads)
            return counted

        return take

    def _pages(self, lesson: Lesson) -> dict[str, Any]:
        """The notebooks as they are handed out, published; and the body of the page, for `publish`."""
        asks = self.plan.pages(self.source, self._runs)
        found, reason = self.plan.find(lesson.name, "pages", asks)
        texts = self._stored(found) if found else None
        if found and texts:
            self.report.claims = found["claims"]
            self.report.kept.append("pages")
            for step in ("page", "leaks"):
                self._step(step, [])
        else:
            self.report.why["pages"] = reason or "its stored result was damaged"
            body, unshown = self._rendered(lesson)
            self._step("page", unshown)
            started = time.monotonic() - self._rendering
            solved = as_run(solution(lesson), self._runs["solution"])
            self.report.claims = sum(outcome.kind == "claim" for outcome in outcomes(solved))
            handed_out = hand_out(lesson, self._runs["student"])
            problems = check_leaks(lesson, self._runs["solution"], handed_out, body)
            self.report.ran["pages"] = time.monotonic() - started
            self._step("leaks", problems)
            texts = {"student": handed_out, "solution": to_text(solved.notebook), "body": body}
            found = {name: self.plan.store.put(text.encode()) for name, text in texts.items()}
            found["claims"] = self.report.claims
            self.plan.keep(lesson.name, "pages", asks, found, Reads())
        out = self.plan.out
        for place, name in _places(lesson.name).items():
            write_if_changed(out / place, texts[name])
        for stale in (out / "failed").glob(f"{lesson.name} (*"):
            stale.unlink()
        return {"body": found["body"], "products": {place: found[name] for place, name in _places(lesson.name).items()}}

    def _rendered(self, lesson: Lesson) -> tuple[str, list[Problem]]:
        if self._body is None:
            started = time.monotonic()
            self._body = render(lesson, self._runs["student"])
            self._rendering = time.monotonic() - started
        return self._body

    def _stored(self, found: Mapping[str, Any]) -> dict[str, str] | None:
        texts = {name: self.plan.store.get(found[name]) for name in ("student", "solution", "body")}
        return (
            {name: data.decode() for name, data in texts.items() if data is not None} if all(texts.values()) else None
        )


def _places(name: str) -> dict[str, str]:
    return {
        f"student/{name}.ipynb": "student",
        f"solutions/{name}.ipynb": "solution",
        f"site/notebooks/{name}.ipynb": "student",
    }
