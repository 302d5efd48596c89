"""Where the notebooks of a build run: here, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from course.building.lesson import Lesson
from course.building.plan import SHIPPED, Plan
from course.building.workshop import Begins, Perform

if TYPE_CHECKING:
    from course.building.standing import Standing


@dataclass(frozen=True)
class Places:
    """Opens for these lessons; ``jobs`` tasks at a time, if nobody says otherwise; ``halt`` stops what is elsewhere."""

    open: Callable[[Sequence[Lesson]], AbstractContextManager[Perform]]
    jobs: Callable[[Sequence[str]], int]
    halt: Callable[[], None] = lambda: None


def places(
    plan: Plan,
    scheduler: str | None,
    standing: Standing | None,
    note: Callable[[str], None],
    say: Callable[[str], None],
) -> Places:
    """The cluster of a scheduler, or here, if there is none; ``note`` and ``say`` are those of `workplace`."""
    if scheduler is None:
        here = standing.place if standing else _here
        return Places(partial(here, plan.profile, note, say), partial(_side_by_side, plan))
    from course.building.cluster import AT_ONCE, Cluster

    cluster = Cluster(scheduler, plan, say)
    return Places(cluster.place, lambda _names: AT_ONCE, cluster.stop)


def _side_by_side(plan: Plan, names: Sequence[str]) -> int:
    """One a core, as far as the memory goes that these lessons took before."""
    from course.building.limits import TYPICAL_BYTES, side_by_side

    known = [int(memory) for name in names if (memory := plan.noted(name, "memory"))]
    return side_by_side(max(known, default=0) or TYPICAL_BYTES)


@contextmanager
def _here(
    profile: str, note: Callable[[str], None], say: Callable[[str], None], lessons: Sequence[Lesson]
) -> Iterator[Perform]:
    """This process, with kernels that are forked from what all these lessons import."""
    from course.building.imports import common
    from course.building.making import DRAFTS
    from course.building.workplace import workplace

    warm = common([draft(lesson) for lesson in lessons for draft, _ in DRAFTS.values()], profile)
    with workplace(offline=profile == SHIPPED, warm=warm, note=note, say=say):
        yield perform_here


def perform_here(begins: Begins, task: Callable[..., Any], *arguments: Any) -> Any:
    """Do a task in this process, which has an open `workplace`."""
    begins("")
    return task(*arguments)
