"""The build: every lesson through every step that does not hold any more, and only what passed all is published."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.building.digests import digest
from course.building.files import keep_only, sweep, write_if_changed
from course.building.glossary import FILE, PAGE, glossary_text, publish_glossary
from course.building.lesson import Header, Source, parse_lesson, read_sources
from course.building.lock import hold
from course.building.plan import SHIPPED, WHOLE, Asks, Plan
from course.building.plan import STEPS as TAKEN
from course.building.problems import LessonError, Problem
from course.building.report import STEPS, Counted, LessonReport, Report
from course.building.workshop import Workshop

_FOLDERS = ("student", "solutions", "site", "site/notebooks", "failed", ".")
_SITE = "site index"
_GLOSSARY = "site glossary"


@dataclass(frozen=True)
class _Listed:
    """A lesson as the pages name it, and the hash of its page's body."""

    name: str
    header: Header
    body: str


def build(
    root: Path,
    *,
    only: Sequence[str] = (),
    profile: str = SHIPPED,
    say: Callable[[str], None] = print,
    wait: bool = False,
) -> Report:
    """Build the lessons below ``root`` into ``root/build`` and return the report, which is written there too.

    ``only`` picks lessons whose names begin with one of these. What failed is removed from ``build``: all that
    stands there has passed. All sources are read once, at the beginning. With ``wait``, another build of the same
    course is waited for. Raises LessonError where no lesson matches, and BusyError where another build runs.
    """
    sources = read_sources(root)
    picked = pick(list(sources), only)
    out = root / "build"
    with hold(out, wait=wait, say=say) as held:
        for folder in _FOLDERS:
            sweep(out / folder)
        plan = Plan(root, out, profile)
        plan.store.sweep()
        plan.look_around()
        reports = {name: LessonReport(name) for name in picked}
        with Workshop(
            offline=profile == SHIPPED, note=held.note, warm=lambda: _warm(sources, picked, profile)
        ) as workshop:
            passed = {name: _make(plan, workshop, sources, report, say) for name, report in reports.items()}
            if not only:
                _sweep(out, set(reports))
            for name in _publish(plan, sources, passed):  # its page was damaged in the store
                passed[name] = _make(plan, workshop, sources, reports[name], say)
        _publish(plan, sources, passed)
        plan.digests.save()
        for note in workshop.notes:
            say(note)
        result = Report(profile, list(reports.values()), plan.store.damaged, workshop.notes)
        for name, text in (
            ("report.md", result.markdown()),
            ("report.json", result.json()),
            ("report.xml", result.junit()),
        ):
            write_if_changed(out / name, text)
    return result


def pick(names: Sequence[str], only: Sequence[str]) -> list[str]:
    """The lessons whose names begin with one of ``only`` (all, if none is given), in order."""
    for start in only:
        if not any(name.startswith(start) for name in names):
            raise LessonError(
                Problem("lessons", 0, f"no lesson begins with {start!r}; there are {', '.join(names) or 'none'}")
            )
    if not names:
        raise LessonError(Problem("lessons", 0, "there is no lesson here: lessons are files lessons/NN_name.py"))
    return [name for name in names if not only or name.startswith(tuple(only))]


def _warm(sources: Mapping[str, Source], picked: Sequence[str], profile: str) -> tuple[str, ...]:
    """What all kernels of these lessons import, but for the course."""
    from course.building.imports import common
    from course.building.making import DRAFTS

    lessons = []
    for name in picked:
        with suppress(LessonError):  # it will say so in its turn, and nothing of it is run
            lessons.append(parse_lesson(sources[name], list(sources)))
    return common([draft(lesson) for lesson in lessons for draft, _ in DRAFTS.values()], profile)


def _make(
    plan: Plan, workshop: Workshop, sources: Mapping[str, Source], report: LessonReport, say: Callable[[str], None]
) -> _Listed | None:
    """One lesson, made or found unchanged; None if it failed."""
    name, started = report.name, time.monotonic()
    whole = plan.whole(sources[name], list(sources))
    gives = unchanged(plan, name, whole)
    if gives:
        _take(report, gives)
    else:
        from course.building.making import Making

        say(f"{name} …")
        gives = Making(plan, workshop, sources[name], list(sources), report).make(whole)
    report.seconds += time.monotonic() - started
    say(report.line())
    if not gives:
        _remove(name, plan.out)
    return _Listed(name, _header(gives), gives["body"]) if gives else None


def unchanged(plan: Plan, name: str, whole: Asks) -> dict[str, Any] | None:
    """What there is to know of a lesson of which nothing has changed, neither its sources nor what was published."""
    gives, _ = plan.find(name, WHOLE, whole)
    if gives and plan.store.has(gives["body"]) and all(plan.stands(*product) for product in gives["products"].items()):
        return gives
    return None


def _take(report: LessonReport, gives: Mapping[str, Any]) -> None:
    """Fill a report with what was proven of the lesson before."""
    report.title = gives["header"]["title"]
    report.steps = {step: [] for step in STEPS}
    facts = gives["facts"]
    report.exercises, report.wrong_answers, report.claims = facts["exercises"], facts["wrong answers"], facts["claims"]
    report.comparison = Counted(**facts["comparison"])
    report.kept = list(TAKEN)


def _header(gives: Mapping[str, Any]) -> Header:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in gives["header"].items()
    }
    return Header(**fields)


def _publish(plan: Plan, sources: Mapping[str, Source], passed: Mapping[str, _Listed | None]) -> list[str]:
    """Write the pages, linked with each other and with those of earlier builds that still stand.

    Returns the lessons whose stored page proved damaged, which have to be made again.
    """
    lessons = {name: lesson for name, lesson in passed.items() if lesson}
    for name in sources.keys() - passed.keys():
        if (plan.out / "site" / f"{name}.html").is_file():
            with suppress(LessonError):
                lessons[name] = _Listed(name, facts(plan, sources, name)[0], "")
    published = [lessons[name] for name in sorted(lessons)]
    damaged = [lesson.name for lesson in published if lesson.body and not _publish_page(plan, lesson, published)]
    words = glossary_text(plan.root)
    listed = [f"{lesson.name} {lesson.header!r}" for lesson in published]
    made_of = digest(plan.page_code, str(words is not None), *listed)
    index = plan.store.record(_SITE)
    if index.get("made of") != made_of or not plan.stands("site/index.html", index["page"]):
        from course.building.site import index_page

        page = index_page(published, glossary=words is not None)
        write_if_changed(plan.out / "site" / "index.html", page)
        plan.store.keep(_SITE, {"made of": made_of, "page": _sha256(page)})
    _publish_glossary(plan, words, [lesson.name for lesson in published])
    return damaged


def _publish_glossary(plan: Plan, words: str | None, published: Sequence[str]) -> None:
    made_of = digest(plan.page_code, words or "", str(words is not None), *published)
    kept = plan.store.record(_GLOSSARY)
    if kept.get("made of") != made_of or not all(plan.stands(*file) for file in kept["files"].items()):
        files = publish_glossary(plan.root, plan.out, published)
        plan.store.keep(_GLOSSARY, {"made of": made_of, "files": {place: _sha256(files[place]) for place in files}})


def facts(plan: Plan, sources: Mapping[str, Source], name: str) -> tuple[Header, int]:
    """The header of a lesson and how many exercises it has: from the store where that has them, else read.

    Raises LessonError where the lesson cannot be read.
    """
    gives = plan.recall(name, WHOLE, plan.whole(sources[name], list(sources)))
    if gives:
        return _header(gives), int(gives["facts"]["exercises"])
    lesson = parse_lesson(sources[name], list(sources))
    return lesson.header, len(lesson.exercises)


def _publish_page(plan: Plan, lesson: _Listed, published: Sequence[_Listed]) -> bool:
    place = published.index(lesson)
    near = [f"{other.name} {other.header.title}" for other in published[max(place - 1, 0) : place + 2]]
    made_of = digest(plan.page_code, lesson.body, *near)
    file = f"site/{lesson.name}.html"
    if plan.noted(lesson.name, "page made of") == made_of and plan.stands(file, plan.noted(lesson.name, "page")):
        return True
    from course.building.site import lesson_page

    body = plan.store.get(lesson.body)
    if body is None:
        return False
    page = lesson_page(lesson, body.decode(), published)
    write_if_changed(plan.out / file, page)
    plan.note(lesson.name, "page made of", made_of)
    plan.note(lesson.name, "page", _sha256(page))
    return True


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _remove(name: str, out: Path) -> None:
    for place in (
        f"student/{name}.ipynb",
        f"solutions/{name}.ipynb",
        f"site/notebooks/{name}.ipynb",
        f"site/{name}.html",
    ):
        (out / place).unlink(missing_ok=True)


def _sweep(out: Path, names: set[str]) -> None:
    """Remove what earlier builds left of lessons that are gone."""
    notebooks = {f"{name}.ipynb" for name in names} | {FILE}
    for folder in ("student", "solutions", "site/notebooks"):
        keep_only(out / folder, notebooks)
    keep_only(out / "site", {f"{name}.html" for name in names} | {"index.html", PAGE})
    for path in (out / "failed").glob("*.ipynb"):
        if path.name.rpartition(" (")[0] not in names:
            path.unlink()
