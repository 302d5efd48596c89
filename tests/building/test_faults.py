"""Whatever goes wrong, the next build ends like a clean one, byte for byte, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from course.building.assemble import build
from course.building.cli import main
from course.building.lock import BusyError, hold
from course.building.why import why
from tests.building.tape import on_tape
from tests.building.test_plan import built, clean, published

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def start(course, tape, *arguments, temporary) -> subprocess.Popen[str]:
    """The build as a process of its own, on a tape."""
    command = [sys.executable, "-m", "tests.building.tape", str(tape), str(course.root), *arguments]
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


@pytest.fixture
def temporary():
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # short: sockets have short names
        yield Path(folder)


def test_a_build_that_was_killed_is_taken_up(small_course, tape, temporary):
    built(small_course, tape)
    expected = clean(small_course, tape)
    dice, killed = random.Random(0), 0
    for turn in range(int(os.environ.get("KILLS", "5"))):
        build_ = start(small_course, tape, "clean", temporary=temporary)
        assert build_.wait(120) == 0, build_.communicate()
        build_ = start(small_course, tape, temporary=temporary)
        time.sleep(dice.uniform(0.0, 6.0))
        killed += build_.poll() is None
        build_.kill()
        build_.communicate()
        assert built(small_course, tape) is not None
        assert published(small_course) == expected, turn
        leftover = [path for path in (small_course.root / "build").rglob(".*") if path.name not in (".lock", ".store")]
        assert not leftover and not list((small_course.root / "build" / ".store" / "unfinished").iterdir())
    assert killed


def test_every_stored_file_with_a_flipped_bit_is_made_again(small_course, tape):
    built(small_course, tape)
    expected = published(small_course)
    dice = random.Random(0)
    stored = sorted(path for path in (small_course.root / "build" / ".store").rglob("*") if path.is_file())
    for path in stored:
        if not path.exists():  # an older result, collected with a damaged record
            continue
        data = bytearray(path.read_bytes())
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(bytes(data))
        for page in (small_course.root / "build" / "site").glob("*.*"):
            page.unlink()
        small_course.change("# A lesson with", "# A lesson  with")  # so that the stored runs are read
        built(small_course, tape)
        small_course.change("# A lesson  with", "# A lesson with")
        built(small_course, tape)
        assert published(small_course) == expected, path


def test_a_damaged_file_of_the_store_is_told(small_course, tape):
    built(small_course, tape)
    (record,) = (small_course.root / "build" / ".store" / "records" / "shipped").iterdir()
    record.write_bytes(record.read_bytes() + b" ")
    built(small_course, tape)
    report = (small_course.root / "build" / "report.md").read_text(encoding="utf-8")
    assert "- records/shipped/01_counting.json" in report


def test_a_second_build_refuses_or_waits(small_course, tape, temporary, capsys):
    with hold(small_course.root / "build"):
        with pytest.raises(BusyError, match=rf"\(process {os.getpid()}\): wait for it to end, or use --wait"):
            build(small_course.root, say=lambda _line: None)
        assert main([], root=small_course.root) == 2 and "another build" in capsys.readouterr().err
        assert main(["clean"], root=small_course.root) == 2
        waiting = start(small_course, tape, "--wait", temporary=temporary)
        assert "waiting" in waiting.stdout.readline()
    out, err = waiting.communicate()
    assert waiting.returncode == 0, out + err


def test_a_lock_that_a_killed_build_left_is_no_obstacle(small_course, tape, temporary):
    out = small_course.root / "build"
    out.mkdir()
    left = Path(tempfile.mkdtemp(prefix="course-"))
    (out / ".lock").touch()
    (out / ".building.json").write_text(f'{{"process": 1, "folder": "{left}"}}')
    built(small_course, tape)
    assert not left.exists() and not (out / ".building.json").exists()


def test_ctrl_c_ends_everything(small_course, temporary):
    small_course.change("claim(", "import time\nopen('/dev/null')\ntime.sleep(600)\nclaim(")
    stopped = start(small_course, temporary / "none", temporary=temporary)
    assert "01_counting" in stopped.stdout.readline()
    process, kernels = psutil.Process(stopped.pid), []
    while not kernels:
        time.sleep(0.2)
        kernels = process.children(recursive=True)
    time.sleep(3)
    kernels = process.children(recursive=True)
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130 and err == "stopped; what was written is complete\n"
    assert kernels and not [kernel for kernel in kernels if kernel.is_running() and kernel.status() != "zombie"]
    assert list(temporary.iterdir()) == []
    assert not (small_course.root / "build" / ".building.json").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_told_in_a_sentence(small_course, tape, capsys, monkeypatch, number):
    built(small_course, tape)
    expected = published(small_course)
    small_course.change("# A lesson with", "# This lesson with")

    def refuse(_handle):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch, on_tape(tape):
        patch.setattr("os.fsync", refuse)
        assert main([], root=small_course.root) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "and build again; what was written is complete" in said
    assert published(small_course) == expected
    built(small_course, tape)
    now = published(small_course)
    assert now != expected and clean(small_course, tape) == now


@pytest.fixture
def small_disk(small_course):
    """A disk of its own for build/, where one may mount one."""
    out = small_course.root / "build"
    out.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(out)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a disk needs rights that this user does not have")
    yield out
    subprocess.run(["umount", str(out)], check=True)


def test_a_full_disk_and_a_read_only_one(small_course, small_disk, tape, capsys):
    with on_tape(tape):
        assert main([], root=small_course.root) == 1
        assert "the disk is full: make room" in capsys.readouterr().err
        subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
        assert main([], root=small_course.root) == 0
    now = published(small_course)
    assert not list(small_disk.rglob("*.unfinished"))
    small_course.change("# A lesson with", "# This lesson with")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    capsys.readouterr()
    assert main([], root=small_course.root) == 1 and "read-only" in capsys.readouterr().err
    assert published(small_course) == now


@pytest.mark.parametrize("fate", ["edited", "renamed", "deleted"])
def test_a_lesson_that_changes_while_it_builds(small_course, tape, fate):
    built(small_course, tape)
    expected = published(small_course)
    small_course.change("return number**2", "return number**3", solution=True)
    original = small_course.lesson.read_text(encoding="utf-8")

    def meanwhile(line: str) -> None:
        if not line.endswith("…"):
            return
        if fate == "edited":
            small_course.change("# A lesson with", "# Quite another lesson with")
        elif fate == "renamed":
            small_course.lesson.rename(small_course.root / "lessons" / "05_counting.py")
            small_course.solution.rename(small_course.root / "solutions" / "05_counting.py")
        else:
            small_course.lesson.unlink()

    with on_tape(tape):
        assert build(small_course.root, say=meanwhile).passed
    assert published(small_course) == expected  # the wrong answer is not published; the text is that of the beginning
    if fate == "deleted":
        assert main([], root=small_course.root) == 2
        small_course.lesson.write_text(original, encoding="utf-8")
    else:
        assert not [line for line in why(small_course.root, []) if line.endswith("nothing has changed")]
    built(small_course, tape)
    now = published(small_course)
    assert ("site/05_counting.html" in now) == (fate == "renamed")
    assert ("site/01_counting.html" in now) == (fate != "renamed")
    assert clean(small_course, tape) == now


def test_a_clock_that_jumps_back_changes_nothing(small_course, tape, monkeypatch):
    built(small_course, tape)
    expected = published(small_course)
    now = time.time
    monkeypatch.setattr("time.time", lambda: now() - 10**7)
    monkeypatch.setattr("time.time_ns", lambda: int((now() - 10**7) * 1e9))
    assert built(small_course, tape) == [] and published(small_course) == expected
    small_course.change("return number**2", "return number**3", solution=True)
    assert built(small_course, tape) == ["execute"] and built(small_course, tape) == []
