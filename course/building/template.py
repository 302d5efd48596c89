"""A process that has imported what lessons import, and forks: each fork goes on as ``python -m MODULE …`` would.

Run by `course.building.forks`, on Linux only, as ``python -m course.building.template LISTENER FOLDER NAMES``. Its
standard input is a pipe from the build: when that closes, however the build ended, it kills all that came from it,
removes the folder and ends. It runs no code of a model and starts no thread, so that forking it is safe. A fork can
be a template, too, that imports more; it ends with whoever asked for it, and all that came from it with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from course.building.importing import package_of, silently

MAY_DIFFER = ("JPY_", "PYTEST_", "TMPDIR", "ATTENTION_COURSE_RECORD", "ATTENTION_COURSE_TEMPLATE")
"""Beginnings of the variables that may be others in a fork than here: nothing reads them while it is imported."""
_RECORDER = "course.building.recording"
"""Among the names, it has forks know what this process read while it imported the others."""
_KILL_WITH_PARENT, _ADOPT_ORPHANS = 1, 36  # PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of prctl(2)
_libc = ctypes.CDLL(None)


class Template:
    """Forks on request and says how each fork ended; a fork whose asker is gone is killed.

    ``given`` are the variables with which the imports began; some modules have set others (torch does). ``end`` is
    what closes when this has to end; none where a signal does it.
    """

    def __init__(self, listener: socket.socket, given: dict[str, str], end: IO[str] | None) -> None:
        self.listener = listener
        self.given = given
        made = {name: value for name, value in os.environ.items() if given.get(name) != value}
        self.made = {name: value for name, value in made.items() if not name.startswith(MAY_DIFFER)}
        self.asked: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.wake, wake = socket.socketpair()
        for one in (self.wake, wake):
            one.setblocking(False)
        self.wake_writer = wake
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())
        self.end = end
        if end:
            self.selector.register(end, selectors.EVENT_READ)
        for source in (listener, self.wake):
            self.selector.register(source, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any] | None:
        """In the template: answer until the build is gone, then None. In each fork: what was asked for."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.end:
                    signal.set_wakeup_fd(-1)
                    return None
                if key.fileobj is self.listener:
                    request = self._accept()
                    if request is not None:
                        return request
                elif key.fileobj is self.wake:
                    self.wake.recv(4096)
                else:  # whoever asked for this fork is gone
                    self.selector.unregister(key.fileobj)
                    _kill_group(key.data)
            self._reap()

    def _accept(self) -> dict[str, Any] | None:
        connection, _ = self.listener.accept()
        connection.settimeout(10)
        try:
            request, streams = _receive(connection)
        except (OSError, ValueError):
            connection.close()
            return None
        refusal = _why_not(self.given, request["env"])
        if refusal:
            _tell(connection, refused=refusal)
            connection.close()
        elif pid := os.fork():
            self.asked[pid] = connection
            self.selector.register(connection, selectors.EVENT_READ, data=pid)
        else:
            self._become(request, connection, streams)
            return request
        for stream in streams:
            os.close(stream)
        return None

    def _become(self, request: dict[str, Any], connection: socket.socket, streams: list[int]) -> None:
        """In a fork: leave nothing of the template, take what a new process would have been given."""
        template = os.getppid()
        os.setsid()
        _libc.prctl(_KILL_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != template:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for other in (self.listener, self.wake, self.wake_writer, *self.asked.values()):
            other.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(request["env"] | self.made)
        os.chdir(request["cwd"])
        tempfile.tempdir = None
        _seed_anew()
        if "argv" in request:
            _tell(connection, pid=os.getpid())
            connection.close()
        else:
            request["connection"] = connection  # it is told when this is a template

    def _reap(self) -> None:
        """Say how forks ended, once what they left running in their session is killed; bury adopted orphans."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            connection = self.asked.pop(ended.si_pid, None)
            if connection is not None:
                _kill_group(ended.si_pid)
                for orphan in _children():
                    with suppress(ProcessLookupError):
                        if orphan != ended.si_pid and os.getsid(orphan) == ended.si_pid:
                            os.kill(orphan, signal.SIGKILL)
            _, status = os.waitpid(ended.si_pid, 0)
            if connection is not None:
                with suppress(KeyError):
                    self.selector.unregister(connection)
                with suppress(OSError):
                    _tell(connection, status=os.waitstatus_to_exitcode(status))
                connection.close()


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A line of JSON, and the three standard streams that came with it."""
    data, streams, _, _ = socket.recv_fds(connection, 65536, 3)
    while not data.endswith(b"\n"):
        more = connection.recv(65536)
        if not more:
            raise ValueError("the request broke off")
        data += more
    return json.loads(data), streams


def _tell(connection: socket.socket, **answer: Any) -> None:
    connection.sendall(json.dumps(answer).encode() + b"\n")


def _why_not(given: dict[str, str], env: dict[str, str]) -> str | None:
    """The reason why a fork would be other than a new process, if there is one."""
    names = sorted(name for name in env.keys() | given.keys() if env.get(name) != given.get(name))
    names = [name for name in names if not name.startswith(MAY_DIFFER)]
    if names:
        return f"{', '.join(names)} changed after the build began"
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 (names are not needed)
    return f"what the lessons import has started {threads - 1} threads" if threads > 1 else None


def _seed_anew() -> None:
    """New entropy for what was seeded by being imported, or forks would draw the same; `random` sees to it itself."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _end(folder: str) -> None:
    """Kill all that descends from here, orphans included as they arrive, and remove the build's private files.

    With them goes the build's temporary folder, if a build that was killed has left nothing else in it.
    """
    while children := _children():
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)
    shutil.rmtree(folder, ignore_errors=True)
    if Path(folder).parent.name.startswith("course-"):
        with suppress(OSError):  # another template is still there, or the build, which removes it
            Path(folder).parent.rmdir()


def _become_template(request: dict[str, Any]) -> socket.socket:
    """In a fork: import more and listen at the path that was asked for, or end and say what was not silent."""
    _libc.prctl(_ADOPT_ORPHANS, 1)
    connection, path = request["connection"], Path(request["listen"])
    noisy = _import_all(request["names"])
    if noisy:
        _tell(connection, noisy=noisy)
        os._exit(0)
    listener = socket.socket(socket.AF_UNIX)
    unfinished = path.with_suffix(f".{os.getpid()}")
    listener.bind(str(unfinished))
    listener.listen(64)
    unfinished.rename(path)
    _tell(connection, pid=os.getpid())
    connection.close()
    return listener


def _import_all(names: list[str], but: Collection[str] = ()) -> str | None:
    """Import these names, but for some packages; stops at one that is not silent and returns its package."""
    recorder = sys.modules.get(_RECORDER)
    if recorder:  # what is read here, every fork has read
        recorder.install()
    for name in names:
        if package_of(name) not in but and not silently(name):
            return package_of(name)
    if recorder:
        recorder.rest()
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page in every fork
    return None


def main(arguments: list[str]) -> None:
    """Import, serve, and in a fork run the module that was asked for."""
    number, folder, listed, *noisy = arguments
    given = dict(os.environ)
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # ipykernel reads it while it is imported
    _libc.prctl(_ADOPT_ORPHANS, 1)
    names = Path(listed).read_text(encoding="utf-8").splitlines()
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # nobody debugs here, and each kernel would import it
    if _RECORDER in names:
        importlib.import_module(_RECORDER)
    more = _import_all(names, noisy)
    if more:  # what says something must say it in the lesson, where it would be said without this template
        again = [sys.executable, "-m", "course.building.template", *arguments, more]
        os.execve(sys.executable, again, given)
    request = Template(socket.socket(fileno=int(number)), given, sys.stdin).serve()
    if request is None:
        _end(folder)
        return
    while "argv" not in request:
        listener, given = _become_template(request), request["env"]
        request = Template(listener, given, None).serve()
        assert request is not None  # a signal ends it
    module, *rest = request["argv"]
    sys.path[0] = os.getcwd()  # noqa: PTH109 (as `python -m` writes it)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
