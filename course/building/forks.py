"""Asking a template for a process: as from `subprocess.Popen`, without the time that imports take."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from course.building.limits import STARTING_SECONDS
from course.building.recording import VARIABLE


class ForkError(Exception):
    """A template does not fork; the message says why in half a sentence."""


class NoisyError(Exception):
    """A package that says something while it is imported; the message names it."""


class Fork:
    """A process that a template forked, with that part of `subprocess.Popen` that jupyter_client uses.

    ``lost`` is True if the template died first: then nobody knows how the process would have ended.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.lost = False
        self._connection = connection

    def poll(self) -> int | None:
        """The exit status as Popen gives it, None while the process runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises `subprocess.TimeoutExpired`."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, signum: int) -> None:
        """To the process and its group, while it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    def kill(self) -> None:
        """As a signal."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """As a signal."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go of the process: if it still runs, its template kills it."""
        self._connection.close()

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            answer = _answer(self._connection)
            self.lost = answer is None
            self.returncode = -signal.SIGKILL if answer is None else int(answer["status"])
            self._connection.close()
        return self.returncode


def fork(path: Path, argv: Sequence[str], *, env: dict[str, str], cwd: Path, output: Sequence[int] = (1, 2)) -> Fork:
    """Have the template that listens at ``path`` run ``python -m`` with these arguments.

    ``output`` are the file descriptors for standard output and error; standard input is empty. Raises ForkError.
    """
    return _ask(path, {"argv": list(argv), "env": env, "cwd": str(cwd)}, output)


def fork_template(path: Path, listen: Path, names: Sequence[str], *, env: dict[str, str]) -> Fork:
    """Have the template that listens at ``path`` become another one, at ``listen``, that has imported more.

    It ends when what this returns is closed. Raises NoisyError for a package that said something when it was
    imported, and ForkError.
    """
    return _ask(path, {"listen": str(listen), "names": list(names), "env": env, "cwd": str(listen.parent)}, (1, 2))


def _ask(path: Path, request: dict[str, Any], output: Sequence[int]) -> Fork:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(STARTING_SECONDS)
    try:
        connection.connect(str(path))
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123
            line = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(connection, [line], [nothing.fileno(), *output])
            if sent < len(line):  # sending nothing fails where the template has answered and gone by now
                connection.sendall(line[sent:])
            answer = _answer(connection)
    except OSError as error:
        connection.close()
        raise ForkError(f"the template cannot be reached ({error})") from None
    if answer is None or "pid" not in answer:
        connection.close()
        if answer and "noisy" in answer:
            raise NoisyError(answer["noisy"])
        raise ForkError(answer["refused"] if answer and "refused" in answer else "the template died")
    return Fork(connection, answer["pid"])


def descriptor(stream: Any, default: int) -> int:
    """What Popen would take: a file, a number, or nothing for the same as here."""
    if stream is None:
        return default
    with suppress(AttributeError):
        return int(stream.fileno())
    return int(stream)


@contextmanager
def template(folder: Path, name: str, modules: Sequence[str]) -> Iterator[Path]:
    """A template with these modules, at a socket ``name`` in ``folder``; on leaving, all that came from it ends.

    It answers as soon as it has imported them; asking earlier means waiting. The names are those of `imports`; with
    the recorder among them, what it reads is noted in ``name``.record.
    """
    path, listed = folder / f"{name}.socket", folder / f"{name}.txt"
    listed.write_text("\n".join(modules), encoding="utf-8")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        command = [sys.executable, "-m", "course.building.template", str(listener.fileno()), str(folder), str(listed)]
        process = subprocess.Popen(
            command, env=os.environ | {"TMPDIR": str(folder), VARIABLE: str(folder / f"{name}.record")}, cwd=folder,
            stdin=subprocess.PIPE, pass_fds=[listener.fileno()], start_new_session=True,
        )  # fmt: skip
    try:
        yield path
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:  # it is still importing, and has nothing to clean up
            process.kill()
            process.wait()


def _answer(connection: socket.socket) -> dict[str, Any] | None:
    """The next line, or None where the other side is gone."""
    line = b""
    deadline = time.monotonic() + STARTING_SECONDS
    while not line.endswith(b"\n") and time.monotonic() < deadline:
        try:
            byte = connection.recv(1)  # a second answer may follow at once
        except ConnectionError:
            return None
        if not byte:
            return None
        line += byte
    return dict(json.loads(line))
