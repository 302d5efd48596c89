"""What a process that builds again and again keeps from one build to the next, for as long as it holds."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from course.building.assemble import pick
from course.building.imports import common
from course.building.kernels import fallbacks
from course.building.lesson import Lesson, lesson_files, parse_lesson, read_sources
from course.building.making import DRAFTS
from course.building.needs import PACKAGE, Reads
from course.building.places import perform_here
from course.building.plan import SHIPPED, Asks, Plan
from course.building.problems import LessonError, Problem
from course.building.report import LessonReport
from course.building.workplace import stands, workplace
from course.building.workshop import Perform


class ChangedError(Exception):
    """What this process has imported is no longer what there is; the message says what changed."""


@dataclass(frozen=True)
class _Failed:
    asks: Asks
    reads: Reads
    report: LessonReport


class Standing:
    """A workplace with its templates, and the lessons that are known to fail as they are.

    ``first`` is a plan that looked around before this process imported what builds. Each build says that it `began`,
    works in `place`, tells what `fails`, and gives each page that is made to `preview`, with the name of its lesson,
    before it is checked. Between builds, variables and temporary folder are as they were.
    """

    def __init__(self, root: Path, only: Sequence[str], first: Plan, preview: Callable[[str, str], None]) -> None:
        self.preview = preview
        self._root, self._only, self._first, self._plan = root, only, first, first
        self._known: dict[str, _Failed] = {}
        self._open: ExitStack | None = None
        self._warm: tuple[str, ...] = ()
        self._folder = ""
        self._within: tuple[dict[str, str], str | None] = {}, None
        self._say: Callable[[str], None] = lambda _line: None

    def began(self, plan: Plan) -> None:
        """A build has looked around. Raises ChangedError where this process must not go on with it."""
        moved = plan.moved(self._first)
        if moved:
            raise ChangedError(moved)
        self._plan = plan

    # --- lessons that fail -----------------------------------------------------------------------------------------

    def fails(self, report: LessonReport, asks: Asks) -> None:
        """A lesson failed; what it needed is in the plan."""
        self._known[report.name] = _Failed(asks, self._plan.reads[report.name], report)

    def failed(self, name: str, asks: Asks) -> LessonReport | None:
        """The report of a lesson that failed and would fail again, as nothing has changed for it."""
        known = self._known.get(name)
        if known is None or known.asks != asks or self._plan.changed(known.reads):
            self._known.pop(name, None)
            return None
        self._plan.reads[name] = known.reads
        return replace(known.report, ran={}, why={}, slowest=[])

    def try_again(self, name: str) -> None:
        """Have a lesson made in the next build, whatever is known of it."""
        self._known.pop(name, None)

    def files(self) -> set[str]:
        """The paths of all that lessons read, as far as it is known; of folders, with a slash at the end."""
        return {file for path in lesson_files(self._root) for file in self._plan.files(path.stem)}

    # --- the place -------------------------------------------------------------------------------------------------

    @contextmanager
    def place(
        self, profile: str, note: Callable[[str], None], say: Callable[[str], None], lessons: Sequence[Lesson]
    ) -> Iterator[Perform]:
        """This process, with templates that stay; others, where a lesson does not import all that they did."""
        self._say = say
        if self._open and not (set(self._warm) <= set(_common(lessons, profile)) and self._stands()):
            self.close()
        self.open(profile)
        note(self._folder)
        with self._inside():
            yield perform_here
            lost = bool(fallbacks())
        if lost:
            self.close()

    def open(self, profile: str) -> None:
        """Begin to import what all lessons need, unless that is done: it takes seconds, in a process of its own."""
        if self._open:
            return
        _check_package()
        self._warm = _common(self._lessons(), profile)
        outside = dict(os.environ), tempfile.tempdir
        stack = ExitStack()
        try:
            place = workplace(offline=profile == SHIPPED, warm=self._warm, note=self._note, say=self._tell)
            stack.enter_context(place)
        finally:
            self._within = dict(os.environ), tempfile.tempdir
            _put(*outside)
        self._open = stack

    def close(self) -> None:
        """End the templates, and remove all that is temporary."""
        if self._open:
            with self._inside():
                stack, self._open = self._open, None
                stack.close()

    def _lessons(self) -> list[Lesson]:
        sources, found = read_sources(self._root), []
        for name in pick(list(sources), self._only):
            with suppress(LessonError):
                found.append(parse_lesson(sources[name], list(sources)))
        return found

    def _stands(self) -> bool:
        with self._inside():
            return stands()

    @contextmanager
    def _inside(self) -> Iterator[None]:
        outside = dict(os.environ), tempfile.tempdir
        _put(*self._within)
        try:
            yield
        finally:
            _put(*outside)

    def _note(self, folder: str) -> None:
        self._folder = folder

    def _tell(self, line: str) -> None:
        self._say(line)


def _common(lessons: Sequence[Lesson], profile: str) -> tuple[str, ...]:
    return common([draft(lesson) for lesson in lessons for draft, _ in DRAFTS.values()], profile)


def _check_package() -> None:
    """Every process of the build imports it, and would say a good deal where that cannot be."""
    problem = broken(PACKAGE / "__init__.py")
    if problem:
        raise LessonError(problem)


def broken(path: Path) -> Problem | None:
    """Why a module of the course is no Python, as it may be while somebody types."""
    try:
        compile(path.read_bytes(), path, "exec")
    except SyntaxError as error:
        return Problem(path.relative_to(PACKAGE.parent).as_posix(), error.lineno or 0, str(error.msg))
    except (OSError, ValueError) as error:
        return Problem(path.relative_to(PACKAGE.parent).as_posix(), 0, str(error))
    return None


def _put(variables: dict[str, str], temporary: str | None) -> None:
    """Make these the variables of this process, and that its temporary folder."""
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in variables.items() if os.environ.get(name) != value})
    tempfile.tempdir = temporary
