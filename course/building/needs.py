"""What a run needed: the files that it read, with their hashes, so that its result holds for as long as they do.

The argument for soundness is that of build systems that discover their dependencies. A notebook's outputs are a
function of its cells, of its surroundings (`surroundings`) and of what it read. It can come to read something else
only if the cells, the surroundings or something that it read before have changed. So a stored result holds if the
cells and surroundings are the same and everything that the run read still has the same content; a file that it
looked for in vain must still be missing, and a folder that it listed must list the same names.

What the recorder cannot see makes a doubt, and a result with a doubt is not kept: a kernel without a record, a
program that was started or a network that was asked, and a file that changed between the reading and the hashing.
Not seen at all are files read by compiled code only (the course's loaders hash each weights file in Python first),
a test whether a file exists (`Path.exists`), and environment variables other than those in `surroundings`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import course
from course.building.digests import Digests, names_in
from course.building.recording import signature

PACKAGE = Path(course.__file__).absolute().parent
ABSENT = "absent"
Shapes = Mapping[str, list[int] | None]


@dataclass(frozen=True)
class Reads:
    """The needs of a run by name, each with its hash; and why its result cannot be kept, where it cannot."""

    needs: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def with_(self, other: Reads) -> Reads:
        """Both together."""
        return Reads({**self.needs, **other.needs}, (*self.doubts, *other.doubts))


@dataclass(frozen=True)
class Names:
    """Names of files that stay the same when the course, or the Python that runs it, moves to another folder.

    ``course/…`` is in the course's package, ``installed/…`` below the environment of this Python, ``./…`` below
    the root of the lessons; anything else is an absolute path. A name that ends in ``/`` is a folder's list.
    """

    root: Path

    def _places(self) -> list[tuple[str, str]]:
        return [("course/", f"{PACKAGE}{os.sep}"), ("installed/", f"{sys.prefix}{os.sep}"),
                ("./", f"{self.root}{os.sep}")]  # fmt: skip

    def of(self, path: str) -> str:
        """The name of an absolute path."""
        for name, place in self._places():
            if path.startswith(place):
                return name + path[len(place) :].replace(os.sep, "/")
        return path

    def path(self, name: str) -> str:
        """The path that a name stands for on this machine."""
        for start, place in self._places():
            if name.startswith(start):
                return place + name[len(start) :]
        return name


def shipped_shapes() -> Shapes:
    """Size, time and inode of every file of the course, taken before any kernel starts."""
    return {str(path): signature(str(path)) for path in shipped()}


def shipped() -> list[Path]:
    """Every file of the course's package: sources, the catalogue, weights, what pages are made of."""
    return [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def read_record(record: Path, names: Names, digests: Digests, before: Shapes) -> Reads:
    """What the kernels that wrote this record read. ``before`` is from before any of them, or their parent, started."""
    lines = _lines(record)
    if not any("early" in line for line in lines):
        return Reads(doubts=("its kernel kept no record of what it read",))
    read: dict[str, list[int] | None] = {}
    needs: dict[str, str] = {}
    doubts = [f"it uses {line['opaque']}, which hides what it reads" for line in lines if "opaque" in line]
    written = {line["wrote"] for line in lines if "wrote" in line}
    for line in lines:
        if "listed" in line and not _temporary(line["listed"]):
            needs[f"{names.of(line['listed']).rstrip('/')}/"] = names_in(line["listed"]) or ABSENT
        if "read" in line and line["read"] not in written and not _temporary(line["read"]):
            read.setdefault(line["read"], line["stat"])
    if any(line.get("early") for line in lines):
        # Modules were there before the recorder: what they had read by then is unknown, so all that is shipped counts.
        data = [str(path) for path in shipped() if path.suffix != ".py" and "building" not in path.parts]
        read.update({path: before.get(path) for path in data})
    for path, shape in read.items():
        if path in before:
            shape = before[path]
        found = signature(path)
        if found != shape:
            doubts.append(f"{names.of(path)} changed while it ran")
        elif Path(path).is_dir():
            needs[f"{names.of(path).rstrip('/')}/"] = names_in(path) or ABSENT
        else:
            needs[names.of(path)] = digests.now(path) or ABSENT
    return Reads(needs, tuple(dict.fromkeys(doubts)))


def still_as_read(record: Path, before: Shapes) -> bool:
    """All that the process read which wrote this record is as it was; False where that cannot be known.

    ``before`` is from before the process started; of other files, the record has what they were like.
    """
    lines = _lines(record)
    written = {line["wrote"] for line in lines if "wrote" in line}
    for line in lines:
        path = line.get("read") or line.get("listed") or ""
        made = path in written or _temporary(path)
        if "opaque" in line or (path and not made and signature(path) != before.get(path, line["stat"])):
            return False
    return bool(lines)


def _lines(record: Path) -> list[dict[str, Any]]:
    try:
        text = record.read_text(encoding="utf-8", errors="surrogateescape")
        return [json.loads(line) for line in text.splitlines()]
    except (OSError, ValueError):
        return []


def _temporary(path: str) -> bool:
    """In the temporary folder of this build, which begins empty: made by a run, or a cache that an earlier run made."""
    return path.startswith(f"{tempfile.gettempdir()}{os.sep}")


def first_change(needs: Mapping[str, str], names: Names, first: Callable[[str], str | None]) -> str | None:
    """What has changed of what a run needed, in a few words; None where all of it is as it was.

    ``first`` gives the hash of the file at a path.
    """
    for name, digest in needs.items():
        path = names.path(name)
        found = (names_in(path) if name.endswith("/") else first(path)) or ABSENT
        if found != digest:
            if name.endswith("/"):
                return f"the list of files in {name} changed"
            return f"{name} {'is gone' if found == ABSENT else 'is new' if digest == ABSENT else 'changed'}"
    return None
