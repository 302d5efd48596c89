"""One build of a course at a time; what a killed one left is no obstacle, and is cleared away."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
_HOLDER = ".building.json"


class BusyError(Exception):
    """Another build of the same course is running."""


class Held:
    """The lock of a build folder, held by this process."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def note(self, folder: str) -> None:
        """Tell the next build what to remove should this one be killed."""
        (self.out / _HOLDER).write_text(json.dumps({"process": os.getpid(), "folder": folder}), encoding="utf-8")


@contextmanager
def hold(out: Path, *, wait: bool = False, say: Callable[[str], None] = print) -> Iterator[Held]:
    """Hold the lock of a build folder, which is made if need be.

    The lock is the operating system's, so it ends with the process that holds it, however that ends. Raises
    BusyError where another build runs, unless it is to ``wait`` for that.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / LOCK)
    while not lock.is_locked:
        try:
            out.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            process = _holder(out).get("process")
            who = f"another build of this course is running (process {process})" if process else "another build runs"
            if not wait:
                raise BusyError(f"{who}: wait for it to end, or use --wait") from None
            say(f"{who}: waiting …")
            with suppress(FileNotFoundError):
                lock.acquire()
        except FileNotFoundError:
            pass  # the folder was removed a moment ago, by clean
    held = Held(out)
    try:
        _clear(_holder(out).get("folder"))
        held.note("")
        yield held
    finally:
        with suppress(OSError):
            (out / _HOLDER).unlink()
        lock.release()


def _holder(out: Path) -> dict[str, object]:
    try:
        found = json.loads((out / _HOLDER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _clear(folder: object) -> None:
    """Remove the temporary folder of a build that was killed, if it is what such a build would have made."""
    if isinstance(folder, str) and folder:
        path = Path(folder)
        if path.name.startswith("course-") and path.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(path, ignore_errors=True)
