"""The build: every lesson through every step that does not hold any more, and only what passed all is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.building.files import sweep, write_if_changed
from course.building.lesson import Lesson, Source, parse_lesson, read_sources
from course.building.lock import hold
from course.building.places import places
from course.building.plan import RUNS, SHIPPED, Asks, Plan, folder_of
from course.building.plan import STEPS as TAKEN
from course.building.problems import LessonError, Problem
from course.building.published import Listed, header_of, page_ahead, publish, remove, sweep_all_but, unchanged
from course.building.report import STEPS, Counted, LessonReport, Report
from course.building.workshop import Perform, Workshop

if TYPE_CHECKING:
    from course.building.standing import Standing

_FOLDERS = ("student", "solutions", "site", "site/notebooks", "failed", ".")


def build(
    root: Path,
    *,
    only: Sequence[str] = (),
    profile: str = SHIPPED,
    jobs: int | None = 1,
    fail_fast: bool = False,
    scheduler: str | None = None,
    say: Callable[[str], None] = print,
    show: Callable[[list[str], int, int], None] = lambda _now, _done, _of: None,
    wait: bool = False,
    standing: Standing | None = None,
) -> Report:
    """Build the lessons below ``root`` into ``root/build`` and return the report, which is written there too.

    Another profile than "shipped" has a folder of its own in there.

    ``only`` picks lessons whose names begin with one of these; up to ``jobs`` notebooks run at a time, one a core
    where that is None, as far as the memory goes that they took before. With the address of a Dask ``scheduler`` they
    run on its workers, as many at a time as those have threads. What failed is removed from ``build``: all
    that stands there has passed. With ``fail_fast``, the first failure stops everything, and lessons that were not
    made by then stay as they were. All sources are read once, at the beginning. ``show`` is told what runs now, how
    many lessons are made, and of how many, whenever that changes. With ``wait``, another build of the same course is
    waited for. ``standing`` is what a process that builds again and again keeps from one build to the next. Raises
    LessonError where no lesson matches, BusyError where another build runs, and ClusterError.
    """
    sources = read_sources(root)
    picked = pick(list(sources), only)
    out = folder_of(root, profile)
    with hold(out, wait=wait, say=say) as held:
        for folder in _FOLDERS:
            sweep(out / folder)
        plan = Plan(root, out, profile)
        plan.store.sweep()
        plan.look_around()
        if standing:
            standing.began(plan)
        result = Report(profile)
        where = places(plan, scheduler, standing, held.note, result.notes.append)
        course = _Course(plan, sources, say, show, where.open, standing)
        with Workshop(
            course.place, jobs=jobs or where.jobs(picked), changed=course.show, halt=where.halt
        ) as course.workshop:
            passed = course.make(picked, fail_fast=fail_fast)
            if not only and not course.left:
                sweep_all_but(out, set(picked))
            damaged = publish(plan, sources, passed)  # their pages were damaged in the store
            if damaged:
                publish(plan, sources, passed | course.make(damaged))
        plan.digests.save()
        for note in result.notes:
            say(note)
        result.lessons = [course.reports[name] for name in picked if name in course.reports]
        result.left, result.damaged = course.left, plan.store.damaged
        for name, text in result.files().items():
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


class _Course:
    """Lessons on their way, with a report of each that was looked at.

    ``left`` are those that were not, as one before them failed; ``place`` is opened for those that are made.
    """

    workshop: Workshop

    def __init__(
        self,
        plan: Plan,
        sources: Mapping[str, Source],
        say: Callable[[str], None],
        show: Callable[[list[str], int, int], None],
        place: Callable[[Sequence[Lesson]], AbstractContextManager[Perform]],
        standing: Standing | None,
    ) -> None:
        self.plan, self.sources, self.say, self._show, self._place = plan, sources, say, show, place
        self._standing = standing
        self.reports: dict[str, LessonReport] = {}
        self.left: list[str] = []
        self._making: list[str] = []
        self._made = 0

    def show(self, now: list[str]) -> None:
        """Show what runs now."""
        self._show(now, self._made, len(self._making))

    def place(self) -> AbstractContextManager[Perform]:
        """Where the lessons that are made now are executed."""
        lessons = []
        for name in self._making:
            with suppress(LessonError):  # it will say so in its turn, and nothing of it is run
                lessons.append(parse_lesson(self.sources[name], list(self.sources)))
        return self._place(lessons)

    def make(self, names: Sequence[str], *, fail_fast: bool = False) -> dict[str, Listed | None]:
        """Make these lessons, or find them unchanged; None for each that failed. The longest are begun first."""
        made: dict[str, Listed | None] = {}
        calls = {}
        for name in names:
            whole = self.plan.whole(self.sources[name], list(self.sources))
            gives = unchanged(self.plan, name, whole)
            if gives:
                self.reports[name] = LessonReport(name)
                _take(self.reports[name], gives)
                made[name] = self._end(name, gives)
            elif self._standing and (known := self._standing.failed(name, whole)):
                self.reports[name], made[name] = known, None
            else:
                calls[name] = partial(self._make, name, whole)
        self._made = 0
        self._making = sorted(calls, key=lambda name: -float(self.plan.noted(name, "seconds") or "inf"))
        with closing(self.workshop.each({name: calls[name] for name in self._making})) as each:
            for name, (report, gives) in each:
                self.reports[name], self._made = report, self._made + 1
                made[name] = self._end(name, gives)
                if fail_fast and not gives:
                    self.left = [name for name in names if name not in made]
                    break
        return made

    def _make(self, name: str, whole: Asks) -> tuple[LessonReport, dict[str, Any] | None]:
        from course.building.making import Making

        self.say(f"{name} …")
        report = self.reports.get(name) or LessonReport(name)
        preview = self._preview if self._standing else None
        gives = Making(self.plan, self.workshop, self.sources[name], list(self.sources), report, preview).make(whole)
        report.seconds = sum(report.ran.values())  # and not what it waited for others
        if self._standing and not gives:
            self._standing.fails(report, whole)
        if gives and set(RUNS) <= set(report.ran):  # as long as it takes, so that it can be begun in time
            self.plan.note(name, "seconds", f"{sum(report.ran.values()):.1f}")
            self.plan.note(name, "memory", str(report.memory))
        return report, gives

    def _preview(self, lesson: Lesson, body: str) -> None:
        assert self._standing
        self._standing.preview(lesson.name, page_ahead(self.plan, self.sources, lesson, body))

    def _end(self, name: str, gives: Mapping[str, Any] | None) -> Listed | None:
        self.say(self.reports[name].line())
        if gives:
            return Listed(name, header_of(gives), gives["body"])
        remove(name, self.plan.out)
        return None


def _take(report: LessonReport, gives: Mapping[str, Any]) -> None:
    """Fill a report with what was proven of the lesson before."""
    report.title = gives["header"]["title"]
    report.steps = {step: [] for step in STEPS}
    facts = gives["facts"]
    report.exercises, report.wrong_answers, report.claims = facts["exercises"], facts["wrong answers"], facts["claims"]
    report.comparison = Counted(**facts["comparison"])
    report.kept = list(TAKEN)
