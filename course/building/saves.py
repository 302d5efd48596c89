"""Saves of files that a build depends on."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from course.building.needs import PACKAGE

_STEP, _GROUP, _PATIENCE = 30, 500, 100  # ms without a save that end a group, for a whole group, and for one look
_EDITORS = DefaultFilter(ignore_dirs=["__pycache__"])  # what editors leave beside a file while they save it
_INSTALLED = tuple({f"{place}{os.sep}" for place in (sys.prefix, sys.base_prefix)})


class Saves:
    """Notes what is saved from the time it first follows, also while nobody waits.

    Followed are sources of lessons and solutions, the course's package, and what else lessons read. Folders are watched
    one by one: whatever lies deeper (``build``, environments, caches) costs nothing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._sources = tuple(str(self._root / name) for name in ("lessons", "solutions"))
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._changes: Generator[set[tuple[Change, str]], None, None] | None = None
        self._noted: set[str] = set()

    def follow(self, files: Iterable[str]) -> bool:
        """Follow these files, too; folders (with a slash at the end) for what is listed in them.

        True where files are followed that were not: they may have been saved before.
        """
        wanted = {file.rstrip(os.sep) + os.sep * file.endswith(os.sep) for file in files}
        wanted = {file for file in wanted if not file.startswith(_INSTALLED)}
        folders = {str(self._root), *self._sources, *_packages()}
        for file in sorted(wanted):
            path = Path(file)
            if not file.endswith(os.sep):
                path = path.parent
            while not path.is_dir():  # what leads to a file that is missing
                wanted.add(str(path))
                path = path.parent
            folders.add(str(path))
        folders = {folder for folder in folders if Path(folder).is_dir()}
        more = not wanted <= self._files or not folders <= self._folders
        self._files = wanted
        if folders != self._folders:
            before, self._folders = self._changes, folders
            self._changes = watch(
                *sorted(folders), watch_filter=None, debounce=_GROUP, step=_STEP, rust_timeout=_PATIENCE,
                yield_on_timeout=True, recursive=False,
            )  # fmt: skip
            self._look()  # it watches from here on
            if before:
                self._noted |= self._relevant(next(before))
                before.close()
        return more

    def wait(self) -> set[str]:
        """The paths of what was saved since the last time, as soon as there are some."""
        while not self._noted:
            self._look()
        noted, self._noted = self._noted, set()
        return noted

    def close(self) -> None:
        """Follow nothing any more."""
        if self._changes:
            self._changes.close()

    def _look(self) -> None:
        assert self._changes
        self._noted |= self._relevant(next(self._changes))

    def _relevant(self, changes: set[tuple[Change, str]]) -> set[str]:
        return {path for change, path in changes if self._matters(change, path)}

    def _matters(self, change: Change, path: str) -> bool:
        folder, name = os.path.split(path)
        if path in self._files or f"{folder}{os.sep}" in self._files or path in self._sources:
            return True
        if not _EDITORS(change, path) or name.startswith((".", "#")):
            return False
        return (folder in self._sources and name.endswith(".py")) or path.startswith(f"{PACKAGE}{os.sep}")


def _packages() -> list[str]:
    """All folders of the course's package, unless it is installed, where nobody edits it."""
    if str(PACKAGE).startswith(_INSTALLED):
        return []
    return [place for place, _, _ in os.walk(PACKAGE) if not place.endswith("__pycache__")]
