"""Skeletons: a new lesson that builds, and what of it still waits to be replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from importlib import resources
from pathlib import Path

import yaml

from course.building.files import write_new
from course.building.problems import LessonError, Problem

PLACEHOLDER = "REPLACE"
_NAME = re.compile(r"(\d\d)_[a-z][a-z0-9_]*")


def write_skeleton(root: Path, name: str, title: str = "") -> list[Path]:
    """Write a lesson called ``name`` and its solutions below ``root``; returns both paths.

    ``title`` is made from the name where none is given. Raises LessonError where the name is none for a lesson, its
    number is taken, or one of the files is there already: nothing is ever overwritten.
    """
    matched = _NAME.fullmatch(name)
    if not matched:
        raise _refused(f"{name!r} is no name for a lesson: write two digits, _ and a name of a to z, 0 to 9 and _, "
                       "such as 12_my_lesson")  # fmt: skip
    paths = [root / folder / f"{name}.py" for folder in ("solutions", "lessons")]
    for path in paths:
        if path.exists():
            raise _refused(f"{path.relative_to(root)} is there already: edit it, or take another name")
    taken = {path.name[:2]: path.name for path in (root / "lessons").glob("[0-9][0-9]_*.py")}
    if matched[1] in taken:
        free = next((f"{n:02}" for n in range(int(matched[1]), 100) if f"{n:02}" not in taken), "none above it")
        raise _refused(f"{matched[1]} is the number of {taken[matched[1]]}: {free} is free")
    title = (title or name[3:].replace("_", " ").capitalize()).strip()
    if not title or not title.isprintable():
        raise _refused(f"{title!r} is no title: write one line")
    fields = {"title": _yaml(title), "n": str(int(matched[1]))}
    for path, source in zip(paths, ("solution.txt", "lesson.txt"), strict=True):
        text = resources.files("course.building").joinpath("skeleton", source).read_text(encoding="utf-8")
        try:
            write_new(path, re.sub(r"<(title|n)>", lambda found: fields[found[1]], text))
        except FileExistsError:
            raise _refused(f"{path.relative_to(root)} has just been written by somebody else") from None
    return paths[::-1]


def placeholders(root: Path, names: Collection[str]) -> Iterator[Problem]:
    """The lines of these lessons, and of their solutions, that still are the skeleton's."""
    for name in names:
        for file in (f"lessons/{name}.py", f"solutions/{name}.py"):
            text = (root / file).read_text(encoding="utf-8", errors="replace") if (root / file).is_file() else ""
            for number, line in enumerate(text.split("\n"), start=1):
                if found := re.search(rf"\b{PLACEHOLDER}\b.*", line):
                    yield Problem(file, number, f"this is still the skeleton's: {found[0]}")


def _yaml(text: str) -> str:
    """A text as it can stand in a header: in quotation marks where YAML would read it as something else."""
    try:
        plain = yaml.safe_load(f"text: {text}") == {"text": text}
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _refused(message: str) -> LessonError:
    return LessonError(Problem("lessons", 0, message))
