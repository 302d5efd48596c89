"""Where runs take place: kernels that record what they read, and one folder for all that is temporary."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from course.building.digests import Digests
from course.building.kernels import kernel_environment, records, variables
from course.building.needs import PACKAGE, Names, Reads, Shapes, read_record, shipped_shapes, still_as_read
from course.building.recording import VARIABLE

_START = '__import__("course.building.recording", fromlist=["install"]).install()\n'
_opened: Shapes = {}
_before: Shapes = {}
_digests = Digests()


@contextmanager
def workplace(
    *,
    offline: bool,
    warm: Sequence[str] = (),
    note: Callable[[str], None] = lambda _folder: None,
    say: Callable[[str], None] = lambda _line: None,
) -> Iterator[None]:
    """Make this process a place where tasks can run; all temporary files and kernels' settings go when this closes.

    A process on another machine opens one of its own. ``note`` is told the temporary folder, for whoever has to
    remove it if this process is killed. Kernels import the same ``course`` as this process. ``warm`` and ``say`` are
    those of `kernel_environment`; ``warm`` names no module of the course, or all that it imports counts as read by all.
    """
    global _opened, _before
    folder = tempfile.mkdtemp(prefix="course-")
    note(folder)
    before = {name: os.environ.get(name) for name in ("TMPDIR", "PYTHONPATH")}
    temporary, tempfile.tempdir = tempfile.tempdir, folder
    _forget_doubtful_bytecode()
    _before = _opened = shipped_shapes()
    try:
        os.environ["TMPDIR"] = folder
        if not PACKAGE.is_relative_to(sys.prefix):
            paths = [path for path in (before["PYTHONPATH"] or "").split(os.pathsep) if path]
            os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(PACKAGE.parent), *paths]))
        with kernel_environment(offline=offline, warm=warm, say=say):
            startup = Path(os.environ["IPYTHONDIR"], "profile_default", "startup")
            startup.mkdir(parents=True, exist_ok=True)
            (startup / "00-record.py").write_text(_START, encoding="utf-8")
            yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        shutil.rmtree(folder, ignore_errors=True)


def stands() -> bool:
    """Make the open place ready for another build; False where what its templates imported may have changed since."""
    global _before
    _forget_doubtful_bytecode()
    _before = shipped_shapes()  # taken first: what changes from here on is noticed when a run has ended
    noted = records()
    return noted is not None and all(still_as_read(record, _opened) for record in noted)


class Recorded:
    """What the kernels of one run read; `reads` is known when the run is over."""

    reads = Reads()


@contextmanager
def recorded(root: Path) -> Iterator[Recorded]:
    """Have the kernels that this thread starts in here record what they read."""
    run = Recorded()
    with tempfile.TemporaryDirectory(prefix="r") as folder:
        record = Path(folder, "record")
        with variables(**{VARIABLE: str(record)}):
            yield run
        run.reads = read_record(record, Names(root), _digests, _before)


def _forget_doubtful_bytecode() -> None:
    """Remove compiled modules of the course that Python would take for current and may not be.

    Python compares a source's size and its time in whole seconds: a source that was saved twice within a second, with
    the same size, would run as it was first. Such a compiled file is hardly younger than the source.
    """
    for path in PACKAGE.rglob("*.pyc"):
        with suppress(OSError):
            source = path.parents[1] / f"{path.name.partition('.')[0]}.py"
            if path.stat().st_mtime_ns < source.stat().st_mtime_ns + 2_000_000_000:
                path.unlink()
