"""Tasks side by side: in order of their start, stopped all at once, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from itertools import pairwise

import psutil
import pytest

from course.building.workshop import StoppedError, Workshop


@contextmanager
def here():
    def perform(begins, task, *arguments):
        begins("")
        return task(*arguments)

    yield perform


def test_as_many_at_a_time_as_there_are_jobs_and_each_result_with_its_name():
    both, shown = threading.Barrier(2, timeout=30), []
    with Workshop(here, jobs=2, changed=shown.append) as workshop:
        calls = {name: lambda name=name: workshop.start(name, both.wait).result() + 10 for name in "abcd"}
        assert {name: number // 10 for name, number in workshop.each(calls)} == dict.fromkeys("abcd", 1)
    assert max(map(len, shown)) == 2 and shown[-1] == [] and {label for now in shown for label in now} == set("abcd")


def test_what_runs_is_told_in_order_however_long_that_takes():
    shown: list[list[str]] = []

    def changed(now):
        time.sleep(len(now) / 20)
        shown.append(now)

    with Workshop(here, jobs=3, changed=changed) as workshop:
        dict(workshop.each({name: lambda name=name: workshop.start(name, int).result() for name in "abcdef"}))
    assert all(abs(len(now) - len(then)) == 1 for then, now in pairwise(shown))
    assert len(shown) == 12 and shown[-1] == []


def test_one_job_takes_everything_in_order():
    done: list[str] = []
    with Workshop(here) as workshop:

        def call(name):
            for part in (workshop.start(f"{name}{number}", done.append, f"{name}{number}") for number in (1, 2)):
                part.result()

        assert [name for name, _ in workshop.each({name: lambda name=name: call(name) for name in "ab"})] == ["a", "b"]
    assert done == ["a1", "a2", "b1", "b2"]


def test_the_place_opens_with_the_first_task_and_closes_with_the_workshop():
    said: list[str] = []

    @contextmanager
    def place():
        said.append("open")
        yield lambda _begins, task, *arguments: said.append(task)
        said.append("closed")

    with Workshop(place, jobs=3) as workshop:
        assert dict(workshop.each({"a": lambda: 1})) == {"a": 1} and said == []
        for task in ("one", "two"):
            workshop.start("", task).result()
    assert said == ["open", "one", "two", "closed"]
    assert not [thread for thread in threading.enumerate() if thread.name == "build" and not _ends(thread)]


def test_what_a_task_or_a_call_raises_is_raised_and_stops_the_others():
    begun = threading.Event()

    def slow():
        begun.set()
        subprocess.run([sys.executable, "-c", "import time; time.sleep(604)"], check=False)

    def fails():
        begun.wait(30)
        raise OSError("no room")

    ends: dict[str, BaseException] = {}
    before = set(psutil.Process().children(recursive=True))

    def waits(workshop, name):
        try:
            workshop.start(name, slow).result()
        except BaseException as error:
            ends[name] = error
            raise

    with Workshop(here, jobs=2) as workshop:
        calls = {"slow": lambda: waits(workshop, "slow"), "fails": lambda: fails(), "never": lambda: ends["nobody"]}
        with pytest.raises(OSError, match="no room"):
            dict(workshop.each(calls))
        assert isinstance(ends["slow"], StoppedError) and set(psutil.Process().children(recursive=True)) <= before
        with pytest.raises(StoppedError):
            workshop.start("late", time.time).result()


def test_who_stops_asking_stops_everything():
    with Workshop(here) as workshop, closing(workshop.each({name: lambda: time.time() for name in "ab"})) as each:
        next(each)
    with pytest.raises(StoppedError):
        workshop.start("late", time.time).result(0.1)


def _ends(thread: threading.Thread) -> bool:
    thread.join(10)
    return not thread.is_alive()
