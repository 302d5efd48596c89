"""The files of a catalogue entry: found at one of its mirrors, checked, and laid out for transformers."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from course.models.converted import PICKLE, command, converted
from course.models.entries import Entry, HubMirror, Mirror, PackageMirror, SharedMirror
from course.models.errors import Absent, ModelError, Pickled
from course.models.folders import in_weights, restore
from course.models.hub import from_hub, in_cache
from course.models.lock import Locked, accept, check_revision, lock, locked
from course.models.packages import in_package, reinstall
from course.models.shared import RESTORE, in_shared, shared_folder


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


def find(entry: Entry, names: Sequence[str] | None = None) -> Files:
    """The files of an entry at the first mirror that is there, each with the sha256 it must have.

    Without ``names``, all of its files. Raises ModelError when no mirror is there, and when one is there but
    incomplete or altered: damage is never passed over in silence.
    """
    found = _first(entry, entry.files if names is None else names, fetch=True)
    if isinstance(found, Files):
        return found
    what = ", and ".join(missing.what for missing in found)
    fixes = list(dict.fromkeys(missing.fix for missing in found))
    if entry.profile == "hub":
        fixes.append('use profile="shipped"')
    raise ModelError(f"{entry.name}: {what}; {', or '.join(fixes)}")


def here(entry: Entry) -> Files | None:
    """All files of an entry if one mirror on this machine has them, else None; nothing is downloaded.

    Raises ModelError for files that are there but altered.
    """
    found = _first(entry, entry.files, fetch=False)
    return found if isinstance(found, Files) else None


def _first(entry: Entry, names: Sequence[str], *, fetch: bool) -> Files | list[Absent]:
    absent = []
    for mirror in mirrors(entry):
        try:
            return at(mirror, entry, names, fetch=fetch)
        except Absent as missing:
            absent.append(missing)
        except Pickled as pickled:
            raise _convertible(entry, pickled) from None
        except ModelError as error:
            raise ModelError(f"{entry.name}: {error}") from None
    return absent


def _convertible(entry: Entry, pickled: Pickled) -> Pickled:
    held = locked(pickled.repo)
    newer = f", or {accept(pickled.repo)}" if held and held.revision == pickled.revision else ""
    fix = f"{command(entry)} to have safetensors made of them once{newer}"
    return Pickled(f"{entry.name}: {pickled}; {fix}", pickled.repo, pickled.revision)


def mirrors(entry: Entry) -> tuple[Mirror, ...]:
    """The places that may have the files, in the order in which they are tried: a shared folder comes first."""
    shared = shared_folder()
    return entry.mirrors if shared is None else (shared, *entry.mirrors)


def at(mirror: Mirror, entry: Entry, names: Sequence[str], *, fetch: bool = True) -> Files:
    """These files of an entry at one mirror, each with the sha256 it must have.

    Raises Absent when the mirror is not there, and ModelError when it is incomplete or altered.
    """
    if isinstance(mirror, HubMirror):
        return _from_hub(entry, mirror, names, fetch)
    if isinstance(mirror, SharedMirror):
        paths, expected = in_shared(mirror, entry.place, names, {**_locked_hashes(entry), **entry.sha256})
        of, fix = f"the folder {mirror.folder}", RESTORE
    elif isinstance(mirror, PackageMirror):
        paths, expected = in_package(mirror, names), dict(entry.sha256)
        of, fix = f"the package {mirror.package}", reinstall(mirror)
    else:
        paths, expected = in_weights(mirror, names), dict(entry.sha256)
        of, fix = f"the folder {mirror.folder}", restore(mirror)
    for name, path in paths.items():
        found = sha256(path)
        if found != expected[name]:
            raise _altered(f"{name} of {of}", expected[name], found, fix)
    return Files(paths, mirror)


def _locked_hashes(entry: Entry) -> Mapping[str, str]:
    """What this machine has locked of the files that the catalogue does not establish."""
    if all(name in entry.sha256 for name in entry.files):
        return {}
    repositories = [mirror.repo for mirror in entry.mirrors if isinstance(mirror, HubMirror)]
    held = [found for found in map(locked, repositories) if found]
    return held[0].sha256 if held else {}


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


def _from_hub(entry: Entry, mirror: HubMirror, names: Sequence[str], fetch: bool) -> Files:
    unestablished = [name for name in names if name not in entry.sha256]
    held = locked(mirror.repo) if unestablished or mirror.revision is None else None
    check_revision(mirror.repo, held, mirror.revision)
    wanted = mirror.revision or (held.revision if held else None)
    revision, paths = (from_hub if fetch else in_cache)(mirror.repo, wanted, names)
    found = {name: sha256(path) for name, path in paths.items()}
    known = held.sha256 if held else {}
    for name, path in paths.items():
        expected = entry.sha256.get(name) or known.get(name, found[name])
        if found[name] != expected:
            made = name == PICKLE or path == converted(mirror.repo, revision)
            fix = f"delete {path.resolve()} and {command(entry) if made else 'load again'}"
            if name in unestablished:
                fix += f", or {accept(mirror.repo)}"
            raise _altered(f"{name} of {mirror.repo}", expected, found[name], fix)
    new = {name: found[name] for name in unestablished if name not in known}
    fresh = new or (held is None and mirror.revision is None)
    return Files(paths, mirror, first_use=Locked(revision, new) if fresh else None)


def _altered(what: str, expected: str, found: str, fix: str) -> ModelError:
    return ModelError(f"{what} is altered (sha256 {expected[:12]} expected, {found[:12]} found); {fix}")


def sha256(path: Path) -> str:
    """The sha256 of a file in hex; read once in a process for as long as its size and time stay the same."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
