"""What stands under build/: pages that link to each other, and nothing of a lesson that failed, or that is gone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.building.digests import digest
from course.building.files import keep_only, write_if_changed
from course.building.glossary import FILE, PAGE, glossary_text, publish_glossary
from course.building.lesson import Header, Lesson, Source, parse_lesson
from course.building.plan import WHOLE, Asks, Plan
from course.building.problems import LessonError

_SITE = "site index"
_GLOSSARY = "site glossary"


@dataclass(frozen=True)
class Listed:
    """A lesson as the pages name it, and the hash of its page's body."""

    name: str
    header: Header
    body: str


def unchanged(plan: Plan, name: str, whole: Asks) -> dict[str, Any] | None:
    """What there is to know of a lesson of which nothing has changed, neither its sources nor what was published."""
    gives, _ = plan.find(name, WHOLE, whole)
    if gives and plan.store.has(gives["body"]) and all(plan.stands(*product) for product in gives["products"].items()):
        return gives
    return None


def header_of(gives: Mapping[str, Any]) -> Header:
    """The header of a lesson that was stored."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in gives["header"].items()
    }
    return Header(**fields)


def publish(plan: Plan, sources: Mapping[str, Source], passed: Mapping[str, Listed | None]) -> list[str]:
    """Write the pages, linked with each other and with those of earlier builds that still stand.

    Returns the lessons whose stored page proved damaged, which have to be made again.
    """
    published = _published(plan, sources, passed)
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


def page_ahead(plan: Plan, sources: Mapping[str, Source], lesson: Lesson, body: str) -> str:
    """The page of a lesson with this body, as `publish` will write it if it passes and the others stay."""
    from course.building.site import lesson_page

    return lesson_page(lesson, body, _published(plan, sources, {lesson.name: Listed(lesson.name, lesson.header, "")}))


def _published(plan: Plan, sources: Mapping[str, Source], passed: Mapping[str, Listed | None]) -> list[Listed]:
    """Those that passed, and of the others those whose page of an earlier build still stands, in order."""
    lessons = {name: lesson for name, lesson in passed.items() if lesson}
    for name in sources.keys() - passed.keys():
        if (plan.out / "site" / f"{name}.html").is_file():
            with suppress(LessonError):
                lessons[name] = Listed(name, facts(plan, sources, name)[0], "")
    return [lessons[name] for name in sorted(lessons)]


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
        return header_of(gives), int(gives["facts"]["exercises"])
    lesson = parse_lesson(sources[name], list(sources))
    return lesson.header, len(lesson.exercises)


def _publish_page(plan: Plan, lesson: Listed, published: Sequence[Listed]) -> bool:
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


def remove(name: str, out: Path) -> None:
    """Remove the notebooks and the page of a lesson."""
    for place in (
        f"student/{name}.ipynb",
        f"solutions/{name}.ipynb",
        f"site/notebooks/{name}.ipynb",
        f"site/{name}.html",
    ):
        (out / place).unlink(missing_ok=True)


def sweep_all_but(out: Path, names: set[str]) -> None:
    """Remove what earlier builds left of lessons that are gone."""
    notebooks = {f"{name}.ipynb" for name in names} | {FILE}
    for folder in ("student", "solutions", "site/notebooks"):
        keep_only(out / folder, notebooks)
    keep_only(out / "site", {f"{name}.html" for name in names} | {"index.html", PAGE})
    for path in (out / "failed").glob("*.ipynb"):
        if path.name.rpartition(" (")[0] not in names:
            path.unlink()
