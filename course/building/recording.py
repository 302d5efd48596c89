"""What a notebook reads, noted by its own kernel, so that a later build knows when the notebook must run again.

The build has every kernel call `install` before its first cell. From then on an audit hook writes a line for each
file that is opened, each folder that is listed and each program that is started to the file that `VARIABLE` names;
at once, so that nothing is lost however the kernel ends. Only the standard library is imported here, nothing is
printed, and no name is bound in the notebook.

A process that kernels are forked from calls `install` before it imports anything, and `rest` after that: what it read
is then counted as read by every kernel, so it imports nothing of the course. Where it did not call it, a kernel finds
modules of the course that are loaded already; its line ``early`` says so, and whoever reads the record assumes that
everything the course ships was read.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from typing import Any

VARIABLE = "ATTENTION_COURSE_RECORD"
_OPAQUE = ("os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn", "socket.connect",
           "subprocess.Popen")  # fmt: skip
_HARMLESS = {"fc-list"}  # matplotlib asks it for fonts, whose names are among the surroundings of every run
_LISTING = ("os.listdir", "os.scandir")
_EVENTS = frozenset((*_OPAQUE, *_LISTING, "open"))
_NO_FILES = ("/proc/", "/sys/", "/dev/")
_CODE = (".py", ".pyc", ".so", ".pyd", ".pth", ".zip")  # of installed packages: their versions stand for it
_INSTALLED = tuple({os.path.join(os.path.abspath(place), "") for place in (sys.prefix, sys.base_prefix)})
_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")

_lines: dict[str, str] = {}
_installed = False
_resting = False
_early = False


def install() -> None:
    """Note what this process reads from now on, and what it is known to have read before."""
    global _installed, _resting, _early
    _resting = False
    if not _installed:
        _early = any(name.startswith("course.") and not name.startswith("course.building") for name in sys.modules)
        sys.addaudithook(_hook)
        _installed = True
    for module in list(sys.modules.values()):
        path = getattr(getattr(module, "__spec__", None), "origin", None)
        if isinstance(path, str) and os.path.isabs(path):
            _opened(path, os.O_RDONLY)
    record = os.environ.get(VARIABLE)
    if record:
        _append(record, json.dumps({"early": _early}) + "\n" + "".join(_lines.values()))


def rest() -> None:
    """Note nothing until `install` is called again, as it is in each kernel that has started."""
    global _resting
    _resting = True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS or _resting:
        return
    try:
        if event == "open":
            _opened(arguments[0], arguments[2])
        elif event in _LISTING:
            _listed(arguments[0])
        elif event != "subprocess.Popen" or os.path.basename(os.fsdecode(arguments[0])) not in _HARMLESS:
            _note(f"{event} {arguments[0]!r}", {"opaque": event})
    except Exception:  # whatever happens here must not happen to the notebook; a doubt is enough
        _note("failed", {"opaque": "a read that could not be noted"})


def _opened(path: Any, flags: int) -> None:
    if isinstance(path, int) or path is None:
        return
    name = os.path.abspath(os.fsdecode(path))
    if name == os.environ.get(VARIABLE) or name.startswith(_NO_FILES):
        return
    if name.endswith(".pyc") and os.path.basename(os.path.dirname(name)) == "__pycache__":
        name = importlib.util.source_from_cache(name)
    if name in _lines or _stands_for_itself(name):
        return
    access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    if access == os.O_WRONLY or flags & os.O_TRUNC:
        _note(name, {"wrote": name})
    else:
        _note(name, {"read": name, "stat": signature(name)})


def _listed(path: Any) -> None:
    if isinstance(path, int):
        return
    caller = sys._getframe(2).f_code.co_filename
    if caller.startswith("<frozen importlib") or f"{os.sep}importlib{os.sep}" in caller:
        return  # the import system looks around; what can be imported is asked for by the build itself
    name = os.path.join(os.path.abspath(os.fsdecode(path or ".")), "")
    if name not in _lines and not name.startswith((*_INSTALLED, *_NO_FILES)):
        _note(name, {"listed": name, "stat": signature(name)})


def _stands_for_itself(name: str) -> bool:
    """Code and metadata of an installed package, which its version and RECORD describe."""
    if name.startswith(_HERE) or not name.startswith(_INSTALLED):
        return False
    return name.endswith(_CODE) or ".dist-info" in name


def signature(name: str) -> list[int] | None:
    """Size, time of change and inode of a file; None where there is none."""
    try:
        found = os.stat(name)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _note(key: str, line: dict[str, Any]) -> None:
    if key in _lines:
        return
    _lines[key] = json.dumps(line) + "\n"
    record = os.environ.get(VARIABLE)
    if record:
        _append(record, _lines[key])


def _append(record: str, text: str) -> None:
    """Opened anew for each line: a notebook may close any file, and processes forked from this one write here, too."""
    try:
        handle = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, text.encode("utf-8", "surrogateescape"))
        finally:
            os.close(handle)
    except OSError:
        os.unlink(record)  # a record with a gap is worse than none
