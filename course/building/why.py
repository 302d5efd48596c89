"""Why a lesson would run again, in a sentence for each step; nothing is run or written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from course.building.assemble import pick
from course.building.lesson import Lesson, Source, parse_lesson, read_sources
from course.building.plan import SHIPPED, Plan, folder_of, parameters_of
from course.building.published import unchanged

_DAMAGED = "its stored result is damaged"


def why(root: Path, only: list[str], *, profile: str = SHIPPED) -> Iterator[str]:
    """Sentences on the lessons whose names begin with one of ``only``. Raises LessonError where there is none."""
    sources = read_sources(root)
    plan = Plan(root, folder_of(root, profile), profile)
    for name in pick(list(sources), only):
        whole = plan.whole(sources[name], list(sources))
        if unchanged(plan, name, whole):
            yield f"{name}: nothing has changed"
            continue
        yield from (
            f"{name}: {sentence}"
            for sentence in _steps(plan, parse_lesson(sources[name], list(sources)), sources[name])
        )


def _steps(plan: Plan, lesson: Lesson, source: Source) -> Iterator[str]:
    from course.building.making import DRAFTS

    runs: dict[str, bytes] = {}
    for step, (draft, _prove) in DRAFTS.items():
        asks = plan.run(step, draft(lesson), parameters_of(plan.profile))
        found, reason = plan.find(lesson.name, step, asks)
        outputs = plan.store.get(found["outputs"]) if found else None
        if outputs is not None:
            runs[step] = outputs
        yield f"{step} is taken from the store" if outputs is not None else f"{step} runs again: {reason or _DAMAGED}"
    if "solution" in runs:
        asks = plan.second_run(DRAFTS["solution"][0](lesson), runs["solution"])
        found, reason = plan.find(lesson.name, "second run", asks)
        yield "second run is taken from the store" if found else f"second run runs again: {reason}"
    else:
        yield "second run runs again: the solution does"
    if len(runs) < len(DRAFTS):
        yield "pages are made again: they show what runs again"
        return
    found, reason = plan.find(lesson.name, "pages", plan.pages(source, runs))
    yield "pages are written again from the store" if found else f"pages are made again: {reason}"
