"""What must be the same on two machines for a lesson to come out the same: Python, packages, and the course itself."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, distributions

from packaging.requirements import Requirement

from course.building.digests import Digests
from course.building.needs import PACKAGE, shipped

Likeness = dict[str, dict[str, str]]

_COURSE = "attention-course-kit"
_TOLD = 3


def likeness(digests: Digests) -> Likeness:
    """This machine: its kind, the version of every package by name, and the sha256 of every file of the course."""
    return {
        "machine": {"Python": platform.python_version(), "system": sys.platform, "processor": platform.machine()},
        "package": {_name(found.name): found.version for found in reversed(list(distributions())) if found.name},
        "file": {
            path.relative_to(PACKAGE.parent).as_posix(): digests.now(str(path)) or ""
            for path in shipped() if not path.name.startswith(".") and not path.name.endswith("~")
        },
    }  # fmt: skip


def unlike(theirs: Likeness, ours: Likeness) -> str:
    """What is not the same there as here, in half a sentence; empty where results are the same.

    Of packages, those count that the course depends on, and what they depend on: more may be installed.
    """
    found = []
    needed = sorted(set(_needed()) & ours["package"].keys())
    for kind, names in (("machine", list(ours["machine"])), ("package", needed)):
        for name in names:
            there, here = theirs.get(kind, {}).get(name), ours[kind][name]
            if there is None:
                found.append(f"{name} is not installed there")
            elif there != here:
                found.append(f"{name} is {there} there and {here} here")
    files = theirs.get("file", {})
    found += [f"{name} is not the same" for name in sorted({*files, *ours["file"]})
              if files.get(name) != ours["file"].get(name)]  # fmt: skip
    more = [f"{len(found) - _TOLD} more differences"] if len(found) > _TOLD else []
    return ", ".join([*found[:_TOLD], *more])


def _needed() -> Iterator[str]:
    """The packages that building a course needs, and what those need."""
    waiting, found = [(_COURSE, "build")], set()
    while waiting:
        name, extra = waiting.pop()
        if name in found:
            continue
        found.add(name)
        yield name
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:  # only some systems need it
            continue
        for line in map(Requirement, lines):
            if line.marker is None or any(line.marker.evaluate({"extra": one}) for one in ("", extra)):
                waiting.append((_name(line.name), ""))


def _name(given: str) -> str:
    return re.sub(r"[-_.]+", "-", given).lower()
