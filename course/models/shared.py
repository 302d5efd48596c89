"""A folder of verified model files that a class can share offline: written by export, read through COURSE_MODELS."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course.models.entries import SharedMirror
from course.models.errors import Absent, ModelError
from course.models.fields import digest, fields, table, text

VARIABLE = "COURSE_MODELS"
MANIFEST = "course-models.json"
FORMAT = "1"

Manifest = dict[str, dict[str, str]]
"""The sha256 of each file by its name, for each place such as ``minilm/hub``."""


def shared_folder() -> SharedMirror | None:
    """The folder that COURSE_MODELS names; None where it names none.

    Raises ModelError when it is no folder that export wrote.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser().absolute()
    if not (folder / MANIFEST).is_file():
        state = f"has no {MANIFEST}" if folder.is_dir() else "is not there"
        raise ModelError(
            f"{VARIABLE} names {folder}, which {state}; name a folder that python -m course models export wrote, "
            f"or unset {VARIABLE}"
        )
    return SharedMirror(folder)


def in_shared(
    mirror: SharedMirror, place: str, names: Sequence[str], established: Mapping[str, str]
) -> tuple[dict[str, Path], dict[str, str]]:
    """Where the folder keeps each file of an entry's place, and the sha256 that its manifest gives for it.

    Raises Absent when the folder does not hold these files in the version that is established, and ModelError
    when it should but lacks one.
    """
    where = f"the folder {mirror.folder} ({VARIABLE})"
    listed = read_manifest(mirror.folder).get(place, {})
    for name in names:
        if name not in listed:
            raise Absent(f"{where} has no {place}/{name}", "export it again")
        if listed[name] != established.get(name, listed[name]):
            raise Absent(f"{where} has another version of {place}/{name}", "export it again")
    paths = {name: mirror.folder / place / name for name in names}
    for name, path in paths.items():
        if not path.is_file():
            raise ModelError(f"{where} lacks {place}/{name}; {RESTORE}")
    return paths, {name: listed[name] for name in names}


RESTORE = f"export it again, or unset {VARIABLE}"
"""What helps against a damaged shared folder."""


def read_manifest(folder: Path) -> Manifest:
    """What the folder says that it holds; raises ModelError when that cannot be read."""
    path = folder / MANIFEST
    try:
        content = fields(json.loads(path.read_text(encoding="utf-8")), "it", {"format": text, "files": table})
        if content["format"] != FORMAT:
            raise ModelError(f"its format is {content['format']}, not {FORMAT}")
        return {place: _digests(value, place) for place, value in content["files"].items()}
    except (OSError, ValueError, ModelError) as error:
        reason = str(error).replace(";", ",")
        raise ModelError(f"{path} cannot be read ({reason}); export it again, or unset {VARIABLE}") from None


def _digests(value: Any, place: str) -> dict[str, str]:
    return {name: digest(found, f"{place}/{name}") for name, found in table(value, place).items()}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place, whole or not at all."""
    content = {"format": FORMAT, "files": manifest}
    unfinished = folder / f".{MANIFEST}.{os.getpid()}"
    unfinished.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST)
