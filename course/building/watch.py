"""Building again whatever a save changed, while a browser shows the pages."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from course.building.lock import BusyError
from course.building.needs import PACKAGE
from course.building.plan import Plan, folder_of
from course.building.problems import LessonError, Problem


def watch(
    root: Path, *, only: Sequence[str], profile: str, jobs: int | None, fail_fast: bool, port: int | None
) -> None:
    """Build, and build again after each save that changed something, until Ctrl-C.

    Lessons that fail are reported, and the watch goes on. Where the build's own code or what it runs on has changed,
    this process starts anew. Pages are served at ``port``, or a free one. Raises BusyError where that is taken, and
    LessonError where there is no lesson at the beginning.
    """
    first = Plan(root, folder_of(root, profile), profile)
    first.look_around()  # before what builds is imported: what is imported later is not older than this
    from course.building.assemble import pick
    from course.building.lesson import read_sources

    pick(list(read_sources(root)), only)
    with ExitStack() as stack:
        served = _Watch(root, only, profile, jobs, fail_fast, first).until_changed(stack, port or 0)
    again = [] if port else ["--port", str(served)]  # the open page asks there
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], *again])


class _Watch:
    def __init__(
        self, root: Path, only: Sequence[str], profile: str, jobs: int | None, fail_fast: bool, first: Plan
    ) -> None:
        from course.building.saves import Saves
        from course.building.serving import Site
        from course.building.standing import Standing

        self.root, self.only, self.profile, self.jobs, self.fail_fast = root, only, profile, jobs, fail_fast
        self.site = Site(folder_of(root, profile) / "site")
        self.saves, self.standing = Saves(root), Standing(root, only, first, self.site.preview)
        self._summary = ""

    def until_changed(self, stack: ExitStack, port: int) -> int:
        """Watch until this process must start anew; returns the port, which the next one takes."""
        from course.building.serving import ADDRESS, serving
        from course.building.standing import ChangedError

        try:
            port = stack.enter_context(serving(self.site, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise BusyError(f"port {port} is taken: choose another with --port, or leave that out") from None
        _say(f"Pages: http://{ADDRESS}:{port}/ – each save is built; Ctrl-C ends this")
        stack.enter_context(closing(self.saves))
        stack.callback(self.standing.close)
        self.saves.follow(self.standing.files())
        while True:
            try:
                self._build()
                if self.saves.follow(self.standing.files()):
                    continue  # what is followed only now may have been saved before
                self.standing.open(self.profile)
            except LessonError as error:
                self._tell(*error.problems)
            except ChangedError as error:
                problems = _broken()
                if not problems:
                    _say(f"{error}: the watch starts anew")
                    return port
                self._tell(*problems)
            except SyntaxError:  # a module of the build itself, which is imported when it is first needed
                problems = _broken()
                if not problems:
                    raise
                self._tell(*problems)
            for path in map(Path, self.saves.wait()):
                if path.parent.name in ("lessons", "solutions"):
                    self.standing.try_again(path.stem)

    def _tell(self, *problems: Problem) -> None:
        _say(*(problem if problem.line else problem.message for problem in problems))
        self._summary = ""  # worth saying again when there is one

    def _build(self) -> None:
        from course.building.assemble import build
        from course.building.bar import Bar
        from course.building.report import UNCHANGED

        said = []
        self.site.began()
        failing = self.site.failing
        try:
            with Bar() as bar:

                def say(line: str) -> None:
                    if not line.endswith(UNCHANGED):
                        said.append(line)
                        bar.say(line)

                report = build(
                    self.root, only=self.only, profile=self.profile, jobs=self.jobs, fail_fast=self.fail_fast,
                    say=say, show=bar.show, wait=True, standing=self.standing,
                )  # fmt: skip
            failing = {lesson.name: list(map(str, lesson.problems)) for lesson in report.lessons if not lesson.passed}
        finally:
            self.site.ended(failing)
        if said or report.summary() != self._summary:
            self._summary = report.summary()
            _say(self._summary)


def _broken() -> list[Problem]:
    """Why the build could not start anew: modules that somebody is still typing."""
    from course.building.standing import broken

    own = [*sorted((PACKAGE / "building").glob("*.py")), *sorted((PACKAGE / "models").glob("*.py"))]
    found = map(broken, [PACKAGE / "__init__.py", PACKAGE / "exercises.py", *own])
    return [problem for problem in found if problem]


def _say(*lines: object) -> None:
    print(*lines, sep="\n", flush=True)
