"""The installed packages beside what the course asks for, and beside the versions that it was tested with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from course.doctor.findings import Finding, failed, noted, passed

DISTRIBUTION = "attention-course-kit"
INSTALL = "python -m pip install -c constraints.txt -e '.[build]'"
PINS = Path(__file__).parents[2] / "constraints.txt"
"""Beside the package in a clone of the repository; an installed wheel has none."""


def packages() -> Iterator[Finding]:
    """A line for each package that is missing or of a wrong version, and one for all others."""
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield failed("packages", f"{DISTRIBUTION} is not installed here", f"in its folder: {INSTALL}")
        return
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield failed("packages", "packaging is missing, which torch and transformers need", f"again: {INSTALL}")
        return
    needed = [one for one in map(Requirement, wanted) if one.marker is None or one.marker.evaluate({"extra": ""})]
    building = [one for one in map(Requirement, wanted) if one.marker and one.marker.evaluate({"extra": "build"})]
    wrong = False
    for requirement in needed:
        found = installed(requirement.name)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            wrong = True
            says = "is missing" if found is None else f"is {found}, and the course needs {requirement.specifier}"
            yield failed(requirement.name, says, f"python -m pip install '{requirement.name}{requirement.specifier}'")
    if not wrong:
        yield passed("packages", f"{len(needed)} as the course needs them")
    yield from _tested([requirement.name for requirement in needed])
    absent = [one.name for one in building if one not in needed and installed(one.name) is None]
    if absent:
        yield noted("building", f"{', '.join(absent)} missing, which only build.py needs", f"to build: {INSTALL}")


def installed(name: str) -> str | None:
    """The version of a package; None where it is missing, or broken so far that it has none."""
    try:
        return metadata.version(name) or None
    except Exception:  # also of a folder that was deleted by half
        return None


def _tested(names: list[str]) -> Iterator[Finding]:
    try:
        pins = dict(re.findall(r"^([\w.-]+)==([^\s;#]+)", PINS.read_text(encoding="utf-8"), re.MULTILINE))
    except OSError:
        return
    known = {_plain(name): version for name, version in pins.items()}
    found = {name: installed(name) for name in names}
    others = [
        f"{name} {version} (tested: {known[_plain(name)]})" for name, version in found.items()
        # A build's own mark, as in 2.13.0+cpu, is no other version.
        if version and _plain(name) in known and version.partition("+")[0] != known[_plain(name)].partition("+")[0]
    ]  # fmt: skip
    if others:
        yield noted("versions", ", ".join(others), "if numbers or pictures differ from the lessons': " + INSTALL)
    else:
        yield passed("versions", "those that the course was tested with")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
