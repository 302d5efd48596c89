"""A guest by itself: what it says first, what it answers, and that it ends with its input."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from course.building.guest import FOLDER, introduction

pytestmark = pytest.mark.slow

ORDER = {"offline": True, "warm": ["numpy"], "threads": 2}


@pytest.fixture
def guest():
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # short: sockets have short names
        process = subprocess.Popen(
            [sys.executable, "-m", "course.building.guest"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
        process.folder = Path(folder)
        write(process, ORDER)
        yield process
        process.kill()
        process.wait()


def write(process, message):
    pickle.dump(message, process.stdin)
    process.stdin.flush()


def ask(process, number, task, *arguments):
    write(process, (number, pickle.dumps((task, arguments))))


def answers(process, count):
    found = {}
    while len(found) < count:
        number, answer = pickle.load(process.stdout)
        if number != FOLDER:
            found[number] = pickle.loads(answer)
    return found


def test_it_says_what_this_machine_is_then_answers_and_leaves_nothing(guest):
    first = pickle.load(guest.stdout)
    assert first["likeness"] == introduction()["likeness"] and first["surroundings"]["package"]
    for number, (task, argument) in enumerate(((math.sqrt, 16), (math.sqrt, -1), (print, "between"), (open, "/"))):
        ask(guest, number, task, argument)
    ask(guest, 4, open, os.devnull)
    found = answers(guest, 5)
    assert found[0] == (4.0, None, []) and found[2] == (None, None, [])
    assert isinstance(found[1][1], ValueError) and "Traceback" in found[1][1].__notes__[0]
    assert isinstance(found[3][1], IsADirectoryError) and "cannot be sent" in str(found[4][1])
    assert list(guest.folder.iterdir())
    guest.stdin.close()
    assert guest.wait(60) == 0 and not list(guest.folder.iterdir())


def test_it_stops_what_runs_when_its_input_ends(guest):
    pickle.load(guest.stdout)
    ask(guest, 0, subprocess.run, [sys.executable, "-c", "import time; time.sleep(600)"])
    while not (
        children := [child for child in psutil.Process(guest.pid).children() if "time.sleep" in str(args(child))]
    ):
        time.sleep(0.1)
    guest.stdin.close()
    assert guest.wait(60) == 0 and not list(guest.folder.iterdir())
    assert not any(child.is_running() for child in children)


def test_it_ends_where_nothing_was_asked(guest):
    guest.stdin.close()
    assert guest.wait(60) == 0 and not list(guest.folder.iterdir())


def args(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
