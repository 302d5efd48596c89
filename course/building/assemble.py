"""The build: every lesson through every step, and only what passed all of them is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nbformat import NotebookNode

from course.building.compare import compare
from course.building.execute import Run, run
from course.building.files import keep_only, write_if_changed
from course.building.glossary import FILE, PAGE, glossary_text, publish_glossary
from course.building.imports import imported
from course.building.kernels import kernel_environment
from course.building.leaks import leaks
from course.building.lesson import Lesson, lesson_files, read_lesson
from course.building.limits import CELL_SECONDS
from course.building.notebooks import solution, student, to_text, trial, without_outputs
from course.building.outcomes import outcomes, prove_solution, prove_student, prove_trial
from course.building.problems import LessonError, Problem
from course.building.report import LessonReport, Report
from course.building.site import index_page, lesson_page

SHIPPED = "shipped"


def build(
    root: Path, *, only: Sequence[str] = (), profile: str = SHIPPED, say: Callable[[str], None] = print
) -> Report:
    """Build the lessons below ``root`` into ``root/build`` and return the report, which is written there too.

    ``only`` picks lessons whose names begin with one of these. What failed is removed from ``build``: all that
    stands there has passed. Raises LessonError where no lesson matches.
    """
    paths = pick(lesson_files(root), only)
    out = root / "build"
    reports: list[LessonReport] = []
    lessons: dict[str, Lesson] = {}
    for path in paths:
        reports.append(LessonReport(path.stem))
        try:
            lessons[path.stem] = read_lesson(path, root)
            reports[-1].steps["source"] = []
        except LessonError as error:
            reports[-1].steps["source"] = list(error.problems)
    executed: dict[str, NotebookNode] = {}
    notes: list[str] = []
    with kernel_environment(offline=profile == SHIPPED, warm=imported(lessons.values(), profile), say=notes.append):
        for report in reports:
            say(f"{report.name} …")
            started = time.monotonic()
            if report.name in lessons:
                executed[report.name] = _build_lesson(lessons[report.name], report, out, profile)
            if not report.passed:
                _remove(report.name, out)
            report.seconds = time.monotonic() - started
            say(_line(report))
    for note in notes:
        say(note)
    if not only:
        _sweep(out, {report.name for report in reports})
    _publish(root, [lessons[report.name] for report in reports if report.passed], executed, out)
    result = Report(profile, reports, notes)
    for name, text in (
        ("report.md", result.markdown()),
        ("report.json", result.json()),
        ("report.xml", result.junit()),
    ):
        write_if_changed(out / name, text)
    return result


def pick(paths: Sequence[Path], only: Sequence[str]) -> list[Path]:
    """The lessons whose names begin with one of ``only`` (all, if none is given), in order."""
    names = [path.stem for path in paths]
    for start in only:
        if not any(name.startswith(start) for name in names):
            raise LessonError(
                Problem("lessons", 0, f"no lesson begins with {start!r}; there are {', '.join(names) or 'none'}")
            )
    if not paths:
        raise LessonError(Problem("lessons", 0, "there is no lesson here: lessons are files lessons/NN_name.py"))
    return [path for path in paths if not only or path.stem.startswith(tuple(only))]


def _publish(root: Path, passed: Sequence[Lesson], executed: dict[str, NotebookNode], out: Path) -> None:
    """Write the pages, linked with each other and with those of earlier builds that still stand."""
    lessons = {lesson.name: lesson for lesson in passed}
    for path in lesson_files(root):
        if path.stem not in lessons and (out / "site" / f"{path.stem}.html").is_file():
            with suppress(LessonError):
                lessons[path.stem] = read_lesson(path, root)
    published = [lessons[name] for name in sorted(lessons)]
    for lesson in passed:
        write_if_changed(out / "site" / f"{lesson.name}.html", lesson_page(lesson, executed[lesson.name], published))
    write_if_changed(out / "site" / "index.html", index_page(published, glossary=glossary_text(root) is not None))
    publish_glossary(root, out, [lesson.name for lesson in published])


def _passed(report: LessonReport, step: str, problems: Sequence[Problem]) -> bool:
    report.steps[step] = list(problems)
    return not problems


def _build_lesson(lesson: Lesson, report: LessonReport, out: Path, profile: str) -> NotebookNode:
    """Take all steps but the page, write the notebooks if all passed; returns the student's, executed."""
    report.title = lesson.header.title
    report.exercises = len(lesson.exercises)
    report.wrong_answers = sum(map(len, lesson.wrong.values()))
    parameters = {} if profile == SHIPPED else {"PROFILE": profile}
    runs: dict[str, Run] = {}
    for name, draft, prove in (
        ("student", student(lesson), prove_student),
        ("solution", solution(lesson), prove_solution),
        ("wrong answers", trial(lesson), prove_trial),
    ):
        runs[name] = run(draft, parameters=parameters, timeout=CELL_SECONDS)
        if not _passed(report, name, prove(runs[name])):
            write_if_changed(out / "failed" / f"{lesson.name} ({name}).ipynb", to_text(runs[name].notebook))
            return runs[name].notebook
    executed, solved = runs["student"].notebook, runs["solution"].notebook
    report.claims = sum(outcome.kind == "claim" for outcome in outcomes(runs["solution"]))
    report.comparison = compare(runs["solution"], timeout=CELL_SECONDS)
    if not _passed(report, "second run", report.comparison.problems):
        return executed
    handed_out = to_text(without_outputs(executed))
    page = lesson_page(lesson, executed, [lesson])
    texts = {f"the student notebook {lesson.name}.ipynb": handed_out, f"the page {lesson.name}.html": page}
    if _passed(report, "leaks", leaks(lesson, solved, texts)):
        write_if_changed(out / "student" / f"{lesson.name}.ipynb", handed_out)
        write_if_changed(out / "solutions" / f"{lesson.name}.ipynb", to_text(solved))
        write_if_changed(out / "site" / "notebooks" / f"{lesson.name}.ipynb", handed_out)
        for stale in (out / "failed").glob(f"{lesson.name} (*"):
            stale.unlink()
    return executed


def _places(name: str) -> tuple[str, ...]:
    return (
        f"student/{name}.ipynb",
        f"solutions/{name}.ipynb",
        f"site/notebooks/{name}.ipynb",
        f"site/{name}.html",
    )


def _remove(name: str, out: Path) -> None:
    for place in _places(name):
        (out / place).unlink(missing_ok=True)


def _sweep(out: Path, names: set[str]) -> None:
    """Remove what earlier builds left of lessons that are gone."""
    notebooks = {f"{name}.ipynb" for name in names} | {FILE}
    for folder in ("student", "solutions", "site/notebooks"):
        keep_only(out / folder, notebooks)
    keep_only(out / "site", {f"{name}.html" for name in names} | {"index.html", PAGE})


def _line(report: LessonReport) -> str:
    if not report.passed:
        return "\n".join([f"{report.name} FAILED", *(f"  {problem}" for problem in report.problems)])
    return (
        f"{report.name} passed: {report.exercises} exercises, {report.wrong_answers} wrong answers, "
        f"{report.claims} claims, {report.comparison} – {report.seconds:.0f} s"
    )
