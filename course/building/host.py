"""A Dask worker's part in a build: it starts a `guest`, hands it tasks, and ends it when the build is over.

This is all of the course that a worker's own process imports; it must be the same as the build's, see `LOADED`.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import pickle
import shutil
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil
from distributed import Worker, WorkerPlugin, get_worker

from course.building.guest import FOLDER, Introduction, Order

LOADED = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
"""The sha256 of this module as this process has it: a worker that runs for days may have an older one than its disk."""
_PATIENCE = 10.0  # seconds for a guest to end by itself


class Host(WorkerPlugin):  # type: ignore[misc]
    """One build's guest on a worker, there for as long as the build holds the result of the task ``lease``.

    The scheduler lets go of that when the build does, and also when the build's connection ends, however it ended.
    """

    def __init__(self, name: str, lease: str, order: Order) -> None:
        self.name, self.lease, self.order = name, lease, order
        self.introduction: Introduction | None = None
        self._folder = ""
        self._guest: subprocess.Popen[bytes] | None = None

    async def setup(self, worker: Worker) -> None:
        """Called by Dask, in the thread of the worker's connections, which must not wait."""
        self._worker, self._set_up = worker, asyncio.Event()
        self._lock, self._numbers = threading.Lock(), itertools.count()
        self._asked: dict[int, Future[bytes | None]] | None = {}
        try:
            if self.lease in worker.state.tasks:
                await asyncio.to_thread(self._start)
            else:
                self._leave()
        finally:
            self._set_up.set()

    def transition(self, key: str, start: str, finish: str, **_more: Any) -> None:
        """Called by Dask for each change of each task; leaves when the lease is over."""
        if key == self.lease and finish in ("released", "forgotten"):
            self._leave()

    async def teardown(self, worker: Worker) -> None:
        """Called by Dask, when this leaves or the worker ends."""
        await self._set_up.wait()
        if self._guest:
            await asyncio.to_thread(self._end, self._guest)

    def perform(self, call: bytes) -> bytes | None:
        """What the guest answers to a task; None where it is gone. From any thread."""
        answer: Future[bytes | None] = Future()
        with self._lock:
            if self._asked is None:
                return None
            number = next(self._numbers)
            self._asked[number] = answer
            with suppress(OSError):  # then there is no answer, either
                self._write((number, call))
        return answer.result()

    def _leave(self) -> None:
        self.lease = ""
        self._worker.loop.add_callback(self._worker.plugin_remove, name=self.name)

    def _start(self) -> None:
        command = [sys.executable, "-m", "course.building.guest"]
        self._guest = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=sys.platform != "win32"
        )
        assert self._guest.stdout
        with suppress(OSError, EOFError):  # then its error is in the worker's log
            self._write(self.order)
            self.introduction = pickle.load(self._guest.stdout)
        threading.Thread(target=self._read, args=[self._guest.stdout], name="guest", daemon=True).start()

    def _write(self, message: object) -> None:
        assert self._guest and self._guest.stdin
        pickle.dump(message, self._guest.stdin)
        self._guest.stdin.flush()

    def _read(self, answers: IO[bytes]) -> None:
        with suppress(EOFError, pickle.UnpicklingError):
            while True:
                number, answer = pickle.load(answers)
                if number == FOLDER:
                    self._folder = answer
                elif self._asked is not None:
                    self._asked.pop(number).set_result(answer)
        with self._lock:
            asked, self._asked = self._asked or {}, None
        for future in asked.values():
            future.set_result(None)

    def _end(self, guest: subprocess.Popen[bytes]) -> None:
        assert guest.stdin
        with suppress(OSError):
            guest.stdin.close()
        try:
            guest.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(psutil.Error):
                for process in [*psutil.Process(guest.pid).children(recursive=True), guest]:
                    with suppress(psutil.Error):
                        process.kill()
            guest.wait()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


async def admit(host: Host, dask_worker: Worker) -> tuple[str, Introduction | None]:
    """Run on a worker: takes the host in; returns `LOADED` there, and what its guest says of itself."""
    await dask_worker.plugin_add(plugin=host)
    return LOADED, host.introduction


async def dismiss(name: str, dask_worker: Worker) -> None:
    """Run on a worker: ends a host of this name."""
    if name in dask_worker.plugins:
        await dask_worker.plugin_remove(name=name)


def ask(name: str, call: bytes) -> bytes | None:
    """A task of Dask: what the host of this name answers, None where it is gone."""
    host = get_worker().plugins.get(name)
    return host.perform(call) if host else None
