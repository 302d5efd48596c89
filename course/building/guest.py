"""A process that runs a build's tasks on another machine: ``python -m course.building.guest``, started by a `Host`.

It is new for every build, so that it runs the course as it is on disk now, in an environment of its own; builds that
share a cluster do not meet. Its standard input and output carry pickles:

- the first it reads is an `Order`; the first it writes says what this machine is (`Introduction`);
- then it reads ``(number, task)``, where a task is a pickled function with its arguments, and writes ``(number,
  answer)``, in the order in which tasks end: a pickled ``(value, error, fallbacks)``;
- ``(FOLDER, path)`` tells where its temporary files are, should it be killed.

When its input ends, however that came about, it stops everything as Ctrl-C stops a build, and leaves nothing.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypedDict

import course.building.spared  # noqa: F401
from course.building.workshop import Perform, Workshop

FOLDER = -1


class Order(TypedDict):
    """What a build asks of its guests: ``warm`` as of `workplace`, with files as `Names` calls them."""

    offline: bool
    warm: list[str]
    threads: int


class Introduction(TypedDict):
    """What a machine is, for a build to judge."""

    likeness: dict[str, dict[str, str]]
    surroundings: dict[str, dict[str, str]]


def main() -> None:
    """Serve until the input ends."""
    # What a library prints must not come between the answers, and a kernel must not read the tasks.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    one = threading.Lock()

    def send(message: object) -> None:
        with one, suppress(BrokenPipeError):
            pickle.dump(message, answers)
            answers.flush()

    order: Order = pickle.load(requests)
    send(introduction())
    with suppress(KeyboardInterrupt), Workshop(lambda: _place(order, send), jobs=order["threads"]) as workshop:
        for _ in workshop.each({"": lambda: _serve(requests, send, workshop)}):
            pass


def introduction() -> Introduction:
    """What this machine is."""
    from course.building.digests import Digests
    from course.building.likeness import likeness
    from course.building.surroundings import surroundings

    digests = Digests()
    return {"likeness": likeness(digests), "surroundings": surroundings(digests)}


@contextmanager
def _place(order: Order, send: Callable[[object], None]) -> Iterator[Perform]:
    from course.building.needs import Names
    from course.building.places import perform_here
    from course.building.workplace import workplace

    warm = [Names(Path("/")).path(name) if name.endswith(".py") else name for name in order["warm"]]
    with workplace(offline=order["offline"], warm=warm, note=lambda folder: send((FOLDER, folder))):
        yield perform_here


def _serve(requests: IO[bytes], send: Callable[[object], None], workshop: Workshop) -> None:
    running: set[Future[Any]] = set()
    with suppress(EOFError):
        while True:
            number, call = pickle.load(requests)
            task, arguments = pickle.loads(call)
            future = workshop.start("", task, *arguments)
            running.add(future)
            future.add_done_callback(running.discard)
            future.add_done_callback(lambda done, number=number: send((number, _answer(done))))  # type: ignore[misc]
    if left := set(running):
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        signal.pthread_kill(main_thread, signal.SIGINT)  # stops what runs, as Ctrl-C does
        wait(left)


def _answer(done: Future[Any]) -> bytes:
    from course.building.kernels import fallbacks

    error = done.exception()
    if error is not None and not error.__class__.__module__.startswith("course."):
        error.add_note("".join(traceback.format_exception(error)).rstrip())
    try:
        return pickle.dumps((done.result() if error is None else None, error, fallbacks()))
    except Exception as unpicklable:
        return pickle.dumps((None, RuntimeError(f"what a task gave cannot be sent: {unpicklable!r}"), []))


if __name__ == "__main__":
    main()
