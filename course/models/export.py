"""export: verified copies of model files, in a folder that a class can share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from course.models.entries import Entry
from course.models.errors import ModelError
from course.models.files import Files, sha256
from course.models.shared import MANIFEST, read_manifest, write_manifest


def export(entry: Entry, found: Files, folder: Path) -> int:
    """Copy the verified files of an entry into the folder; returns how many were not there yet.

    The manifest names them only when all are complete, so a broken-off export can be run again. What else the
    folder holds stays.

    Raises ModelError when the folder holds other things than an export, and when it cannot be written.
    """
    hashes = {name: sha256(path) for name, path in found.paths.items()}
    try:
        _prepare(folder)
        copied = sum(_copy(path, folder / entry.place / name, hashes[name]) for name, path in found.paths.items())
        write_manifest(folder, {**read_manifest(folder), entry.place: hashes})
    except OSError as error:
        raise ModelError(
            f"{folder} cannot be written ({error.strerror or error}); make room, or name another folder"
        ) from None
    return copied


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MANIFEST).exists():
        return
    if any(folder.iterdir()):
        raise ModelError(f"{folder} is not empty, and no export; name a new folder")
    write_manifest(folder, {})


def _copy(file: Path, place: Path, expected: str) -> bool:
    """Whether a copy was needed; one that is there already with the same content stays."""
    if place.is_file() and sha256(place) == expected:
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        shutil.copyfile(file, unfinished)
        if sha256(unfinished) != expected:
            raise OSError("a copy differs from its original")
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return True
