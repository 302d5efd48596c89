"""Doing tasks in this process, so that Ctrl-C stops everything at once and leaves nothing behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Thread
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 1.5  # seconds for a task to end after its kernels were killed


class Workshop:
    """Does one task at a time. The `workplace` opens with the first, for a build often has nothing to do.

    Tasks run in a thread of their own: in the main thread, nbclient would take Ctrl-C for itself and go on.
    ``warm`` gives what kernels are to have imported. ``notes`` says, once this is closed, why kernels had to be
    started one by one, if they had.
    """

    def __init__(self, *, offline: bool, note: Callable[[str], None], warm: Callable[[], Sequence[str]]) -> None:
        self._offline, self._note, self._warm = offline, note, warm
        self.notes: list[str] = []
        self._open = ExitStack()
        self._working = False

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def do(self, task: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """What the task returns or raises. On Ctrl-C, everything that it started is killed before that is raised."""
        import psutil

        if not self._working:
            from course.building.workplace import workplace

            place = workplace(offline=self._offline, warm=self._warm(), note=self._note, say=self.notes.append)
            self._open.enter_context(place)
            self._working = True
        result: Future[T] = Future()

        def work() -> None:
            try:
                result.set_result(task(*arguments, **options))
            except BaseException as error:  # raised again below
                result.set_exception(error)

        before = set(psutil.Process().children(recursive=True))
        thread = Thread(target=work, name="build", daemon=True)
        thread.start()
        try:
            return result.result()
        except KeyboardInterrupt:
            logging.disable(logging.CRITICAL)  # nbclient would say that its kernel died
            deadline = time.monotonic() + _PATIENCE
            while thread.is_alive() and time.monotonic() < deadline:
                for child in set(psutil.Process().children(recursive=True)) - before:
                    child.kill()
                thread.join(0.05)
            logging.disable(logging.NOTSET)
            raise
