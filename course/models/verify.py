"""verify(): hash every file of an entry that is on this machine, wherever it lies."""

from __future__ import annotations

from dataclasses import dataclass

from course.models.entries import Entry, HubMirror, Mirror, PackageMirror
from course.models.errors import Absent, ModelError
from course.models.files import at, mirrors


@dataclass(frozen=True)
class Finding:
    """What one place has of an entry: files as they must be, files that are not there, and what is damaged.

    ``damage`` holds a sentence for each damaged file, with what to do about it.
    """

    place: str
    sound: tuple[str, ...]
    missing: tuple[str, ...]
    damage: tuple[str, ...]
    size: int


def verify(entry: Entry) -> list[Finding]:
    """A finding for each place on this machine that has files of the entry; nothing is downloaded.

    An empty list says that the entry is not here.
    """
    findings = [_look(mirror, entry) for mirror in mirrors(entry)]
    return [finding for finding in findings if finding.sound or finding.damage]


def _look(mirror: Mirror, entry: Entry) -> Finding:
    sound, missing, damage, size = [], [], [], 0
    for name in entry.files:
        try:
            path = at(mirror, entry, [name], fetch=False).paths[name]
        except Absent:
            missing.append(name)
        except ModelError as error:
            damage.append(str(error))
        else:
            sound.append(name)
            size += path.stat().st_size
    return Finding(_place(mirror), tuple(sound), tuple(missing), tuple(dict.fromkeys(damage)), size)


def _place(mirror: Mirror) -> str:
    if isinstance(mirror, PackageMirror):
        return f"the package {mirror.package}"
    if isinstance(mirror, HubMirror):
        return "the hub cache"
    return str(mirror.folder)
