"""Doing tasks side by side, so that Ctrl-C stops everything at once and leaves nothing behind."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, suppress
from queue import SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import psutil

import course.building.parser  # noqa: F401

P = ParamSpec("P")
T = TypeVar("T")

Begins = Callable[[str | None], None]
"""Told where a task begins to run ("" for here), and None when it does not run there any more."""
Perform = Callable[..., Any]
"""Does a task with its arguments, here or elsewhere, and returns what the task does; a `Begins` comes first."""
Place = Callable[[], AbstractContextManager[Perform]]
"""Where tasks are done: gives what does them, for as long as it is open."""

_PATIENCE = 0.6  # seconds for calls to end after the kernels were killed; what they still compute ends with the process


class StoppedError(Exception):
    """The work was stopped before this was done."""


class Workshop:
    """Does up to ``jobs`` tasks at a time. Their place opens with the first, for a build often has nothing to do.

    Tasks run in threads: in the main thread, nbclient would take Ctrl-C for itself and go on. ``changed`` is told the
    labels of what runs now, whenever that changes: from any thread, but one at a time, and in order. ``halt`` is called
    when everything is stopped, to stop what runs elsewhere.
    """

    def __init__(
        self,
        place: Place,
        *,
        jobs: int = 1,
        changed: Callable[[list[str]], None] = lambda _now: None,
        halt: Callable[[], None] = lambda: None,
    ) -> None:
        self._place, self._jobs, self._changed, self._halt = place, jobs, changed, halt
        self._lock, self._telling = Lock(), Lock()
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._running: list[str] = []
        self._threads: list[Thread] = []
        self._perform: Perform | None = None
        self._stopped = False
        self._open = ExitStack()
        self._others = _children()

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in self._threads:
            self._tasks.put(None)
        self._open.close()
        if self._stopped:
            self._kill()
            logging.disable(logging.NOTSET)

    def each(self, calls: Mapping[str, Callable[[], T]]) -> Generator[tuple[str, T]]:
        """What these calls return, each as it ends; up to ``jobs`` at a time, begun in this order.

        They may `start` tasks. Where one raises, or this is closed early, or on Ctrl-C, everything is stopped.
        """
        waiting, ended = deque(calls.items()), SimpleQueue[tuple[str, Future[T]]]()

        def work() -> None:
            with suppress(IndexError):  # none is waiting any more
                while not self._stopped:
                    name, call = waiting.popleft()
                    ended.put((name, _settled(call)))

        workers = [Thread(target=work, name="lesson", daemon=True) for _ in range(min(self._jobs, len(calls)))]
        try:
            for worker in workers:
                worker.start()
            for _ in calls:
                name, result = ended.get()
                yield name, result.result()
        except KeyboardInterrupt:
            self._stop(workers, _PATIENCE)
            raise
        except BaseException:
            self._stop(workers, 10 * _PATIENCE)  # this process goes on, and they should not go on beside it
            raise

    def start(self, label: str, task: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Future[T]:
        """Have a task done; its future raises StoppedError where the work is stopped first."""
        result: Future[T] = Future()

        def do() -> None:
            if not result.set_running_or_notify_cancel():
                return
            shown: list[str] = []

            def begins(where: str | None) -> None:
                self._now(shown, *([] if where is None else [f"{label} {where}".rstrip()]))

            done = _settled(lambda: self._performer()(begins, task, *arguments, **options))
            begins(None)
            if self._stopped:  # its kernels were killed: what it says is about that
                result.set_exception(StoppedError())
            elif error := done.exception():
                result.set_exception(error)
            else:
                result.set_result(done.result())

        with self._lock:
            if len(self._threads) < self._jobs:
                self._threads.append(Thread(target=self._work, name="build", daemon=True))
                self._threads[-1].start()
        self._tasks.put(do)
        return result

    def _work(self) -> None:
        while do := self._tasks.get():
            do()

    def _performer(self) -> Perform:
        with self._lock:
            if self._stopped:
                raise StoppedError
            if self._perform is None:
                self._perform = self._open.enter_context(self._place())
                self._others |= _children()  # templates, which see to the end of what they forked
            return self._perform

    def _now(self, shown: list[str], *labels: str) -> None:
        """Show these labels in place of those that a task has ``shown``."""
        with self._telling:
            for label in shown:
                self._running.remove(label)
            self._running += labels
            shown[:] = labels
            self._changed(list(self._running))

    def _stop(self, workers: list[Thread], patience: float) -> None:
        """Kill all that the tasks started, while they and the calls that wait for them end."""
        self._stopped = True
        self._halt()
        logging.disable(logging.CRITICAL)  # nbclient would say, from its thread, that its kernel died
        deadline = time.monotonic() + patience
        while any(worker.is_alive() for worker in workers) and time.monotonic() < deadline:
            self._kill()
            time.sleep(0.05)

    def _kill(self) -> None:
        for child in _children() - self._others:
            with suppress(psutil.Error):
                child.kill()


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _settled(call: Callable[[], T]) -> Future[T]:
    """A future that has ended as this call did."""
    result: Future[T] = Future()
    try:
        result.set_result(call())
    except BaseException as error:  # raised by whoever asks for the result
        result.set_exception(error)
    return result
