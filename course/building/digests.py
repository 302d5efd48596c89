"""The sha256 of files, each computed once for as long as the file stays as it is.

Like git, this trusts a file whose size, inode and times of change are those it had when it was hashed. The times are
only compared for being equal, so a clock that is set back, a fresh clone or ``touch`` cost a new hash and no more. Two
risks remain. A file that changes twice within one tick of the clock, keeping its size, looks unchanged: therefore
nothing is remembered of a file that changed in the two seconds before it was hashed ("racily clean" in git's words).
And the ctime, which no ordinary program can set, is taken from the file system: one that does not keep it is not safe.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from course.building.store import Store

_SETTLED = 2_000_000_000  # ns; FAT counts in steps of two seconds
_RECORD = "digests"


class Digests:
    """The sha256 of files and the names in folders, remembered from build to build where there is a store."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._known: dict[str, list[int | str]] = store.record(_RECORD) if store else {}
        self._first: dict[str, str | None] = {}
        self._changed = False

    def first(self, path: str) -> str | None:
        """The sha256 of a file when this build first asked for it; None where there was no file."""
        if path not in self._first:
            self._first[path] = self.now(path)
        return self._first[path]

    def now(self, path: str) -> str | None:
        """The sha256 of a file as it is now; None where there is no file."""
        try:
            found = os.stat(path)
            shape: list[int | str] = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
            known = self._known.get(path)
            if known is not None and known[:-1] == shape:
                return str(known[-1])
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._changed |= self._known.pop(path, None) is not None
            return None
        self._known.pop(path, None)
        if max(found.st_mtime_ns, found.st_ctime_ns) < time.time_ns() - _SETTLED:
            self._known[path] = [*shape, digest]
        self._changed = True
        return digest

    def save(self) -> None:
        """Remember what was hashed."""
        if self._changed and self._store:
            self._store.keep(_RECORD, dict(self._known))
            self._changed = False


def names_in(folder: str) -> str | None:
    """The sha256 of the names in a folder; None where there is no folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if name != "__pycache__")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def digest(*parts: str | bytes) -> str:
    """The sha256 of several texts, each kept apart from the next."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def sources(folder: Path, *patterns: str) -> list[Path]:
    """The files below a folder that match one of these patterns, in order."""
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
