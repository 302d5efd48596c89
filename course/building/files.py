"""Files that are never half written, and written only when their content changed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_UNFINISHED = ".unfinished"


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write ``content`` beside ``path`` and rename it into place; True if the file was not already so.

    A reader, or a build that was killed, sees either the old file or the new one.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return True


def sweep(folder: Path) -> None:
    """Remove what a writer that was killed has left beside the files of a folder."""
    for path in folder.glob(f".*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def write_new(path: Path, content: str) -> None:
    """Write ``content`` whole to a path where nothing is; raises FileExistsError, and changes nothing, elsewhere."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    write_if_changed(beside, content)
    try:
        path.hardlink_to(beside)  # a rename would replace what somebody has written a moment ago
    except FileExistsError:
        raise
    except OSError:  # this file system has no links
        if path.exists():
            raise FileExistsError(f"{path} is there already") from None
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


def keep_only(folder: Path, names: set[str]) -> list[str]:
    """Remove the files directly in ``folder`` that are not among ``names``; returns what was removed."""
    if not folder.is_dir():
        return []
    stale = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in names)
    for path in stale:
        path.unlink()
    return [path.name for path in stale]
