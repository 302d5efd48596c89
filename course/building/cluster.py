"""Doing a build's tasks on the workers of a Dask cluster: sources and outputs travel, no disk is shared.

A worker takes part if lessons come out there as they do here: the same Python, packages and course (`likeness`), which
its `guest` tells. Others are refused by name. Each task is given to one worker, and to another where that one dies.

What a lesson reads besides the course and what is installed is not sent. A file below the lessons' folder that is not
the same on the worker fails the lesson, by name. All else that a run depends on is recorded (`needs`, `surroundings`),
and what it gave is kept for later builds only if every bit of that is the same on this machine: then it would have
given the same here. Otherwise it is published, and made again next time; the report says why.

Whoever can reach a scheduler can run programs on its workers, and what workers answer is unpickled here.
"""

from __future__ import annotations

import logging
import pickle
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from course.building.lesson import Lesson
from course.building.plan import SHIPPED, Plan
from course.building.problems import ClusterError
from course.building.workshop import Begins, Perform, StoppedError

if TYPE_CHECKING:
    from distributed import Client, Future

    from course.building.guest import Order
    from course.building.likeness import Likeness
    from course.building.notebooks import Draft
    from course.building.runs import Compared, Executed

AT_ONCE = 64
"""So many tasks may be under way; as many run as the workers have threads."""
_CONNECTING = 5.0  # seconds for a scheduler to answer
_ARRIVING = 20.0  # for a first worker to come
_RETURNING = 60.0  # for another to come after the last one died: a nanny starts one, which imports Dask
_TRIES = 3  # workers that may die of a task
_EVERY = 0.5


@dataclass(eq=False)
class _Worker:
    """A worker that was admitted, with the lease for its guest; ``lost`` once it is gone."""

    name: str
    address: str
    lease: Future[Any]
    surroundings: dict[str, dict[str, str]]
    lost: bool = False


class Cluster:
    """The workers of a scheduler, as a place for tasks; ``note`` is told of workers that are refused.

    Raises ClusterError where the address is none.
    """

    def __init__(self, address: str, plan: Plan, note: Callable[[str], None]) -> None:
        self.address, self._plan, self._note = address, plan, note
        _socket_of(address)
        self._name = f"attention-course-{uuid4().hex}"
        self._stopped = Event()
        self._slots: SimpleQueue[_Worker] = SimpleQueue()
        self._lock = Lock()
        self._there: dict[str, _Worker | str | None] = {}  # why it was refused; None while it is asked
        self._until = 0.0
        self._failed: ClusterError | None = None
        self._noted: set[str] = set()

    @contextmanager
    def place(self, lessons: Sequence[Lesson]) -> Iterator[Perform]:
        """The cluster while this is open. Raises ClusterError where the scheduler does not answer."""
        from course.building.digests import Digests
        from course.building.likeness import likeness

        order, ours = self._order(lessons), likeness(Digests(self._plan.store))
        with _connected(self.address) as client:
            self._client, self._until = client, time.monotonic() + _ARRIVING
            recruiting = Thread(target=self._recruit, args=(order, ours), name="recruiting", daemon=True)
            recruiting.start()
            try:
                yield self._perform
            finally:
                self.stop()
                recruiting.join(1)

    def stop(self) -> None:
        """Have nothing done any more; workers let go of what they run when `place` closes."""
        self._stopped.set()

    # --- tasks -----------------------------------------------------------------------------------------------------

    def _perform(self, begins: Begins, task: Callable[..., Any], draft: Draft, *arguments: Any) -> Any:
        call = pickle.dumps((task, (draft, *arguments)))
        for _ in range(_TRIES):
            worker = self._next()
            begins(f"on {worker.name}")
            answer = self._ask(worker, f"{task.__name__}-{draft.lesson.name}", call)
            begins(None)
            if answer is None:
                self._lose(worker)
                continue
            self._slots.put(worker)
            value, error, fallbacks = pickle.loads(answer)
            for reason in fallbacks:
                self._say(f"{worker.name} started kernels one by one, which is slower: {reason}.")
            if error is not None:
                raise error
            return self._judged(value, draft, worker)
        raise ClusterError(f"{_TRIES} workers died while they ran {draft.lesson.name}")

    def _next(self) -> _Worker:
        """The next worker that has a free thread."""
        while True:
            self._check()
            with suppress(Empty):
                worker = self._slots.get(timeout=_EVERY)
                if not worker.lost:
                    return worker

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StoppedError
        if self._failed:
            raise self._failed

    def _ask(self, worker: _Worker, label: str, call: bytes) -> bytes | None:
        """What a worker's guest answers; None where the worker or the guest is gone."""
        from course.building.host import ask

        key, done = f"{label}-{uuid4().hex}", Event()
        future = self._client.submit(ask, self._name, call, key=key, workers=[worker.address], pure=False)
        try:
            future.add_done_callback(lambda _: done.set())
            while not done.wait(_EVERY / 5):
                self._check()
                if worker.lost:
                    return None
            self._check()
            return future.result() if future.status == "finished" else None
        finally:
            future.release()

    def _judged(self, done: Executed | Compared, draft: Draft, worker: _Worker) -> Executed | Compared:
        """A result with what is to be said of its having been made there."""
        from course.building.runs import Executed

        here = f"(compared with {worker.name}, where it ran)"
        change = self._plan.change_of_own_files(done.reads)
        if change:
            problem = draft.placed[0].cell.problem(
                f"{change} {here}: a cluster's workers have the course's package, and no other file of this folder"
            )
            if isinstance(done, Executed):
                return replace(done, problems=(*done.problems, problem))
            return replace(done, comparison=replace(done.comparison, problems=(*done.comparison.problems, problem)))
        change = self._plan.difference(worker.surroundings, done.reads)
        if change:
            done = replace(done, reads=replace(done.reads, doubts=(*done.reads.doubts, f"{change} {here}")))
        return done

    # --- workers ---------------------------------------------------------------------------------------------------

    def _recruit(self, order: Order, ours: Likeness) -> None:
        """Take in workers as they come, and miss those that go, until this is stopped."""
        while not self._stopped.is_set() and not self._failed:
            try:
                there = self._client.sync(self._client.scheduler.identity, n_workers=-1)["workers"]
            except Exception as error:  # whatever Dask raises where its connection is gone
                self._failed = ClusterError(f"the scheduler {self.address} is gone: {error}")
                return
            for address in self._there.keys() - there.keys():
                found = self._there.pop(address)
                if isinstance(found, _Worker):
                    self._lose(found)
            for address in there.keys() - self._there.keys():
                if there[address]["status"] == "running":
                    self._there[address] = None
                    Thread(target=self._admit, args=(address, there[address], order, ours), daemon=True).start()
            self._look_for_nobody()
            self._stopped.wait(_EVERY)

    def _admit(self, address: str, info: dict[str, Any], order: Order, ours: Likeness) -> None:
        from course.building.host import LOADED, Host, admit, dismiss
        from course.building.likeness import unlike

        name = f"{info['name']} ({address})" if info["name"] != address else address
        try:
            lease = self._client.submit(str, key=f"lease-{uuid4().hex}", workers=[address], pure=False)
            while not lease.done():  # its threads may be taken by another build
                if self._stopped.wait(_EVERY / 5) or address not in self._there:
                    return
            host = Host(self._name, lease.key, {**order, "threads": info["nthreads"]})
            loaded, introduction = self._client.run(admit, host, workers=[address])[address]
            if introduction is None:
                reason = "its Python cannot run the course's build (its log says why)"
            elif not (reason := unlike(introduction["likeness"], ours)) and loaded != LOADED:
                reason = "it runs another version of the course than is installed there: start it again"
        except Exception as error:  # whatever befalls Dask, and what the worker raises
            if self._stopped.is_set() or address not in self._there:
                return
            introduction, reason = None, f"it cannot take part: {error or type(error).__name__}"
        if not reason and introduction:
            worker = _Worker(name, address, lease, introduction["surroundings"])
            self._there[address] = worker
            for _ in range(info["nthreads"]):
                self._slots.put(worker)
            return
        self._there[address] = f"{name} is refused: {reason}"
        self._say(f"{name} is refused: {reason}.")
        with suppress(Exception):
            self._client.run(dismiss, self._name, workers=[address])

    def _lose(self, worker: _Worker) -> None:
        """Give a worker no more tasks; if it is there all the same, it is taken in anew."""
        with self._lock:
            if not worker.lost:
                worker.lost, self._until = True, time.monotonic() + _RETURNING
                if self._there.get(worker.address) is worker:
                    del self._there[worker.address]

    def _look_for_nobody(self) -> None:
        """Fail where nobody does the tasks, and nobody can be expected to."""
        there = list(self._there.values())
        refused = [found for found in there if isinstance(found, str)]
        if len(refused) < len(there):
            return
        if refused and self._until <= time.monotonic() + _ARRIVING:
            self._failed = ClusterError(f"no worker of {self.address} can be used: {'; '.join(refused)}")
        elif time.monotonic() > self._until:
            self._failed = ClusterError(
                f"the scheduler {self.address} has no workers: start some with `dask worker {self.address}`"
            )

    def _say(self, line: str) -> None:
        with self._lock:
            if line not in self._noted:
                self._noted.add(line)
                self._note(line)

    def _order(self, lessons: Sequence[Lesson]) -> Order:
        from course.building.imports import common
        from course.building.making import DRAFTS
        from course.building.needs import Names

        drafts = [draft(lesson) for lesson in lessons for draft, _ in DRAFTS.values()]
        warm = [Names(self._plan.root).of(name) for name in common(drafts, self._plan.profile)]
        return {"offline": self._plan.profile == SHIPPED, "warm": warm, "threads": 1}


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it would say is said in a sentence, or harmless
    try:
        # A Client would try again for all of its time, and then need as long to close.
        socket.create_connection(_socket_of(address), timeout=_CONNECTING).close()
        client = Client(address, timeout=_CONNECTING, set_as_default=False)
    except (OSError, ImportError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address} ({' '.join(str(error).split())})") from None
    try:
        yield client
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close(timeout=2)


def _socket_of(address: str) -> tuple[str, int]:
    with suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return parts.hostname, parts.port
    raise ClusterError(f"{address!r} is no address of a Dask scheduler: write it as tcp://10.0.0.1:8786")
