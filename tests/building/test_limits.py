"""How an end is put into words, and the watch over a process."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from course.building.limits import Watch, ending


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "ended in this cell with exit code 0"),
        (3, "ended in this cell with exit code 3"),
        (-9, "died in this cell of SIGKILL: by hand, or by the system as memory ran out"),
        (-11, "died in this cell of SIGSEGV"),
        (-250, "died in this cell of signal 250"),
    ],
)
def test_ends_in_words(code, said):
    assert ending(code) == said


def test_a_watch_sees_the_peak_and_kills_what_is_left():
    code = "import subprocess, time; held = b'x' * 80_000_000; subprocess.Popen(['sleep', '603']); time.sleep(1.5)"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    watch = Watch(process.pid, 1 << 40)
    watch.start()
    assert process.wait() == 0 and watch.reason is None and watch.peak > 80_000_000
    watch.close()
    time.sleep(0.1)
    left = [one for one in psutil.process_iter(["cmdline", "status"]) if one.info["cmdline"] == ["sleep", "603"]]
    assert not [one for one in left if one.info["status"] != psutil.STATUS_ZOMBIE]


def test_a_watch_over_a_process_that_is_gone_does_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    watch = Watch(process.pid, 1)
    watch.start()
    watch.close()
    assert watch.peak == 0
