"""The files of a catalogue entry: found at one of its mirrors, checked, and laid out for transformers."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from course.models.catalogue import Entry, HubMirror, Mirror, PackageMirror
from course.models.errors import Absent, ModelError
from course.models.hub import from_hub
from course.models.lock import Locked, accept, check_revision, lock, locked
from course.models.packages import in_package, reinstall


@dataclass(frozen=True)
class Files:
    """The verified files of an entry: the path of each, the mirror they come from, and what is new to lock."""

    paths: Mapping[str, Path]
    mirror: Mirror
    first_use: Locked | None = None

    def keep(self) -> None:
        """Lock what the catalogue does not establish; called once the files have proved to be a model."""
        if self.first_use is not None and isinstance(self.mirror, HubMirror):
            lock(self.mirror.repo, self.first_use)


def find(entry: Entry) -> Files:
    """The files of an entry at the first mirror that is there, each with the sha256 it must have.

    Raises ModelError when no mirror is there, and when one is there but incomplete or altered: damage is
    never passed over in silence.
    """
    absent = []
    for mirror in entry.mirrors:
        try:
            if isinstance(mirror, PackageMirror):
                return _from_package(entry, mirror)
            return _from_hub(entry, mirror)
        except Absent as missing:
            absent.append(missing)
        except ModelError as error:
            raise ModelError(f"{entry.name}: {error}") from None
    what = ", and ".join(missing.what for missing in absent)
    fixes = [missing.fix for missing in absent]
    if entry.profile == "hub":
        fixes.append('use profile="shipped"')
    raise ModelError(f"{entry.name}: {what}; {', or '.join(fixes)}")


@contextmanager
def staged(paths: Mapping[str, Path]) -> Iterator[Path]:
    """A temporary folder with these files and no other, so that nothing unverified can be read."""
    with TemporaryDirectory(prefix="attention-course-", ignore_cleanup_errors=True) as folder:
        for name, path in paths.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            _lay(path.resolve(), place)
        yield Path(folder)


def _lay(file: Path, place: Path) -> None:
    for way in (os.symlink, os.link):
        try:
            return way(file, place)
        except OSError:  # Windows without the right to link, another disk, a file system without links
            continue
    shutil.copyfile(file, place)
    return None


def _from_package(entry: Entry, mirror: PackageMirror) -> Files:
    paths = in_package(mirror, entry.files)
    for name, path in paths.items():
        found = sha256(path)
        if found != entry.sha256[name]:
            raise ModelError(
                f"{name} of the package {mirror.package} is altered (sha256 {entry.sha256[name][:12]} expected, "
                f"{found[:12]} found); {reinstall(mirror)}"
            )
    return Files(paths, mirror)


def _from_hub(entry: Entry, mirror: HubMirror) -> Files:
    unestablished = [name for name in entry.files if name not in entry.sha256]
    held = locked(mirror.repo) if unestablished or mirror.revision is None else None
    check_revision(mirror.repo, held, mirror.revision)
    wanted = mirror.revision or (held.revision if held else None)
    revision, paths = from_hub(mirror.repo, wanted, entry.files)
    found = {name: sha256(path) for name, path in paths.items()}
    for name, expected in entry.sha256.items():
        if found[name] != expected:
            raise _altered(mirror, name, expected, found[name], f"delete {paths[name].resolve()} and load again")
    known = held.sha256 if held else {}
    for name in unestablished:
        expected = known.get(name, found[name])
        if found[name] != expected:
            fix = f"delete {paths[name].resolve()} and load again, or {accept(mirror.repo)}"
            raise _altered(mirror, name, expected, found[name], fix)
    new = {name: found[name] for name in unestablished if name not in known}
    fresh = new or (held is None and mirror.revision is None)
    return Files(paths, mirror, first_use=Locked(revision, new) if fresh else None)


def _altered(mirror: HubMirror, name: str, expected: str, found: str, fix: str) -> ModelError:
    return ModelError(
        f"{name} of {mirror.repo} is altered (sha256 {expected[:12]} expected, {found[:12]} found); {fix}"
    )


def sha256(path: Path) -> str:
    """The sha256 of a file in hex; read once in a process for as long as its size and time stay the same."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
