"""Threads that parse at the same time, where the garbage collector lets one begin while another is in the middle."""

from __future__ import annotations

import subprocess
import sys

import pytest

THREADS = """
import ast, gc, threading, time

text = "f(a, b)[c].d = [x + y * -z for x in y if x]\\n" * 20
raised = []


def parse():
    for _ in range(100):
        try:
            assert len(ast.parse(text).body) == 20
        except SystemError as error:
            raised.append(error)


gc.callbacks.append(lambda *_: time.sleep(0))
gc.set_threshold(20)
threads = [threading.Thread(target=parse) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(raised))
"""


def raised(first: str) -> int:
    run = subprocess.run([sys.executable, "-c", first + THREADS], check=True, capture_output=True, text=True)
    return int(run.stdout)


def test_threads_of_a_build_parse_at_the_same_time():
    assert raised("import course.building.workshop") == 0


@pytest.mark.skipif(
    not (sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2)), reason="this Python is mended"
)
def test_this_python_needs_it():
    assert raised("") > 0
