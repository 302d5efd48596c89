"""Model files that travel beside the catalogue: in this package's own ``weights`` folder, or in a recipe's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from course.models.entries import WeightsMirror
from course.models.errors import Absent, ModelError

OWN = Path(__file__).parent
"""The folder of the course's own catalogue."""

COURSE = "attention-course-kit"
"""The package that this is, as pip knows it."""


def in_weights(mirror: WeightsMirror, names: Iterable[str]) -> dict[str, Path]:
    """Where the folder keeps each file.

    Raises Absent when there is no such folder, and ModelError when it lacks a file.
    """
    if not mirror.folder.is_dir():
        raise Absent(f"the folder {mirror.folder} is not there", restore(mirror))
    paths = {name: mirror.folder / name for name in names}
    for name, path in paths.items():
        if not path.is_file():
            raise ModelError(f"the folder {mirror.folder} lacks {name}; {restore(mirror)}")
    return paths


def restore(mirror: WeightsMirror) -> str:
    """What puts the folder's own files back."""
    if mirror.folder.is_relative_to(OWN):
        place = mirror.folder.relative_to(OWN.parents[1]).as_posix()
        return f"run git checkout -- {place} in a clone of the course, or reinstall {COURSE}"
    return "run its recipe again, or correct the catalogue beside it"
