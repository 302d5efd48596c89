"""The same tasks on a real scheduler with real workers, over loopback: the same bytes, and whatever goes wrong told."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import psutil
import pytest
from distributed import Client

from course.building.assemble import build
from course.building.cli import main
from course.building.cluster import Cluster
from course.building.lesson import read_lesson
from course.building.needs import ABSENT, PACKAGE, Reads
from course.building.notebooks import student
from course.building.plan import Plan
from course.building.problems import ClusterError
from course.building.runs import Compared, Comparison, Executed
from course.building.surroundings import surroundings
from tests.building.conftest import LESSON, SOLUTION, Course
from tests.building.test_assemble import course_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAIT = 120  # seconds, on a machine that is busy with other things


class Dask:
    """Real processes of Dask, and a folder for their temporary files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = ExitStack()
        self.address = self._scheduler()

    def _start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        log = self._open.enter_context((self.folder / f"{command[0]}.log").open("ab"))
        settings = {**os.environ, "TMPDIR": str(self.folder), "PYTHONPATH": str(ROOT), **environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *command, "--host", "127.0.0.1", "--no-dashboard"],
            stdout=log, stderr=log, cwd=self.folder, env=settings, start_new_session=True,
        )  # fmt: skip
        self._open.callback(process.wait, WAIT)
        self._open.callback(process.terminate)
        return process

    def _scheduler(self) -> str:
        file = self.folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(file))
        until(file.exists)
        return str(json.loads(file.read_text())["address"])

    def worker(self, name: str, threads: int = 1, **environment: str) -> subprocess.Popen[bytes]:
        """A worker and its nanny, known to the scheduler."""
        process = self._start(
            "worker", self.address, "--name", name, "--nthreads", str(threads), "--local-directory",
            str(self.folder / "scratch"), **environment,
        )  # fmt: skip
        until(lambda: name in [worker["name"] for worker in self.workers().values()])
        return process

    def workers(self) -> dict[str, dict]:
        with Client(self.address, set_as_default=False) as client:
            return dict(client.scheduler_info()["workers"])

    def pids(self) -> dict[str, int]:
        with Client(self.address, set_as_default=False) as client:
            return client.run(os.getpid)

    def left(self) -> list[object]:
        """What builds have left with the workers: processes, and temporary files."""
        guests = [child for pid in self.pids().values() for child in psutil.Process(pid).children(recursive=True)]
        return [*guests, *self.folder.glob("course-*")]

    def close(self) -> None:
        self._open.close()


def until(done, seconds: float = WAIT) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def nothing_left(cluster: Dask) -> None:
    """Come back when builds have left nothing with the workers."""
    deadline = time.monotonic() + WAIT
    while left := cluster.left():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


@contextmanager
def dask():
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # short: sockets have short names
        cluster = Dask(Path(folder))
        try:
            yield cluster
        finally:
            cluster.close()


@pytest.fixture(scope="module", autouse=True)
def _found_alike():
    """Workers find the course as this process does; what it found by would else be one of their differences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


@pytest.fixture(scope="module")
def two():
    with dask() as cluster:
        cluster.worker("one")
        cluster.worker("another", threads=2)
        yield cluster


@pytest.fixture
def alone():
    with dask() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What a build here publishes, and reports, of the small course with three lessons."""
    course = Course(tmp_path_factory.mktemp("here"))
    for path, text in ((course.lesson, LESSON), (course.solution, SOLUTION)):
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    course_of(course, ["02_again", "03_again"])
    assert built(course).passed
    return published(course), reported(course)


def built(course, address=None, *, jobs=None, **options):
    return build(course.root, say=lambda _line: None, scheduler=address, jobs=jobs, **options)


def published(course) -> dict[str, bytes]:
    out = course.root / "build"
    files = [path for path in out.rglob("*") if path.is_file() and ".store" not in path.parts]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files if not path.name.startswith("report")}


def reported(course) -> list[dict]:
    """The report of each lesson, without what differs from run to run."""
    lessons = json.loads((course.root / "build" / "report.json").read_text(encoding="utf-8"))["lessons"]
    timed = ("seconds", "in_cells", "memory", "ran", "slowest")
    return [{name: value for name, value in lesson.items() if name not in timed} for lesson in lessons]


def test_the_same_bytes_as_here_and_kept_for_both(small_course, two, expected):
    course_of(small_course, ["02_again", "03_again"])
    shown: list[list[str]] = []
    report = built(small_course, two.address, show=lambda now, *_: shown.append(now))
    assert report.passed, report.markdown()
    assert (published(small_course), reported(small_course)) == expected and report.notes == []
    places = {label.split(" on ")[1].split()[0] for now in shown for label in now}
    assert places == {"one", "another"}
    assert 1 < max(map(len, shown)) <= 3  # as many as the workers have threads
    assert not any(lesson.ran for lesson in built(small_course).lessons)
    nothing_left(two)


def test_a_failing_lesson_names_its_line_and_one_job_is_one_at_a_time(small_course, two):
    line = small_course.change("claim(", "1 / 0\nclaim(")
    shown: list[list[str]] = []
    report = built(small_course, two.address, jobs=1, show=lambda now, *_: shown.append(now))
    assert [str(problem) for problem in report.lessons[0].problems] == [
        f"lessons/01_counting.py:{line}: ZeroDivisionError: division by zero"
    ]
    assert max(map(len, shown)) == 1


def test_fail_fast_stops_the_workers(small_course, two):
    small_course.change("count = len(words)", "import time\ntime.sleep(600)\ncount = len(words)", solution=True)
    course_of(small_course, ["02_again"])  # two of its runs do not sleep, and so leave room for the other
    small_course.change("claim(", "1 / 0\nclaim(")
    report = built(small_course, two.address, fail_fast=True)
    assert not report.passed and report.left == ["02_again"]
    nothing_left(two)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_has_its_task_done_elsewhere(small_course, request, workers, expected):
    """By another one, or by the worker that its nanny starts in its place."""
    course_of(small_course, ["02_again", "03_again"])
    cluster = request.getfixturevalue("two" if workers == 2 else "alone")
    if workers == 1:
        cluster.worker("only", threads=2)
    pids, killed, where = cluster.pids(), [], []

    def show(now: list[str], *_: object) -> None:
        where.extend(now)
        if now and not killed:
            pid = pids[now[0].rpartition("(")[2].rstrip(")")]
            killed.extend(psutil.Process(pid).children(recursive=True))
            os.kill(pid, signal.SIGKILL)

    report = built(small_course, cluster.address, show=show)
    assert report.passed, report.markdown()
    assert published(small_course) == expected[0]
    first = where[0]
    assert any(label.split(" on ")[0] == first.split(" on ")[0] and label != first for label in where)
    assert killed
    until(lambda: not any(process.is_running() for process in killed))
    until(lambda: not cluster.left() and len(cluster.workers()) == workers)


def test_a_guest_that_is_killed_has_its_task_done_by_the_next(small_course, two):
    killed: list[psutil.Process] = []

    def show(now: list[str], *_: object) -> None:
        if now and not killed:
            killed.extend(child for pid in two.pids().values() for child in psutil.Process(pid).children())
            for guest in killed:
                guest.kill()

    assert built(small_course, two.address, show=show).passed and killed
    nothing_left(two)


def test_workers_that_differ_are_refused_by_name_and_the_others_do_the_work(small_course, alone, tmp_path, capsys):
    metadata = tmp_path / "torch-0.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 0.1\n")
    (tmp_path / "none" / "course").mkdir(parents=True)
    (tmp_path / "none" / "course" / "__init__.py").touch()
    shutil.copytree(PACKAGE, tmp_path / "old" / "course", ignore=shutil.ignore_patterns("__pycache__"))
    host = tmp_path / "old" / "course" / "building" / "host.py"
    text = host.read_text(encoding="utf-8")
    host.write_text(text + "# older\n", encoding="utf-8")
    paths = {"old-torch": f"{tmp_path}:{ROOT}", "old-course": str(tmp_path / "old"), "none": str(tmp_path / "none")}
    for name, path in paths.items():
        alone.worker(name, PYTHONPATH=path)
    reasons = {
        "old-torch": rf"torch is 0\.1 there and {re.escape(version('torch'))} here",
        "old-course": r"course/building/host\.py is not the same",
        "none": r"it cannot take part: .*No module named 'course\.building'",
    }
    for _ in range(2):
        assert main(["--scheduler", alone.address], root=small_course.root) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and said.startswith(f"no worker of {alone.address} can be used: ")
        for name, reason in reasons.items():
            assert re.search(rf"{name} \(tcp://127\.0\.0\.1:\d+\) is refused: {reason}", said), said
        host.write_text(text, encoding="utf-8")
        reasons["old-course"] = "it runs another version of the course than is installed there: start it again"
    alone.worker("good")
    shown: list[str] = []
    report = built(small_course, alone.address, show=lambda now, *_: shown.extend(now))
    assert report.passed and {label.split(" on ")[1].split()[0] for label in shown} == {"good"}
    assert len(report.notes) == 3 and all(" is refused: " in note for note in report.notes)
    until(lambda: not alone.left())


def test_a_scheduler_without_workers(small_course, alone, capsys, monkeypatch):
    monkeypatch.setattr("course.building.cluster._ARRIVING", 2.0)
    assert main(["--scheduler", alone.address], root=small_course.root) == 2
    assert capsys.readouterr().err == (
        f"the scheduler {alone.address} has no workers: start some with `dask worker {alone.address}`\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_is_stopped_leaves_nothing_with_the_workers(small_course, two, tmp_path, number):
    flag = tmp_path / "begun"
    small_course.change("claim(", f"import time\nopen({str(flag)!r}, 'w').close()\ntime.sleep(600)\nclaim(")
    shutil.copy(ROOT / "build.py", small_course.root)
    stopped = subprocess.Popen(
        [sys.executable, str(small_course.root / "build.py"), "--scheduler", two.address], stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    until(flag.exists)
    assert two.left()
    stopped.send_signal(number)
    _, err = stopped.communicate(timeout=WAIT)
    if number == signal.SIGINT:
        assert stopped.returncode == 130 and err == "stopped; what was written is complete\n"
    nothing_left(two)


def test_a_scheduler_that_ends_is_told(small_course, alone, capsys):
    alone.worker("only")
    small_course.change("claim(", "import time\nopen('/dev/null')\ntime.sleep(600)\nclaim(")
    guests = lambda: [path for path in alone.folder.glob("course-*/*") if path.is_dir()]  # noqa: E731
    killer = Thread(target=lambda: (until(guests), alone.scheduler.kill()))
    killer.start()
    assert main(["--scheduler", alone.address], root=small_course.root) == 2
    killer.join()
    assert capsys.readouterr().err.startswith(f"the scheduler {alone.address} is gone")


def test_a_scheduler_that_is_not_there(small_course, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    assert main(["--scheduler", address], root=small_course.root) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"no Dask scheduler answers at {address} (") and said.count("\n") == 1
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "tcp://host", "tcp://host:port", "http://127.0.0.1:1"])
def test_an_address_that_is_none(small_course, capsys, address):
    assert main(["--scheduler", address], root=small_course.root) == 2
    assert capsys.readouterr().err == (
        f"{address!r} is no address of a Dask scheduler: write it as tcp://10.0.0.1:8786\n"
    )


def test_without_dask_the_extra_is_named(small_course, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["--scheduler", "tcp://127.0.0.1:1"], root=small_course.root) == 2
    assert "distributed is not installed: run pip install -c constraints.txt -e '.[build,cluster]'" in (
        capsys.readouterr().err
    )


@pytest.fixture
def judged(small_course):
    """What becomes of results that came from a worker, by what was read there."""
    plan = Plan(small_course.root, small_course.root / "build", "shipped")
    plan.look_around()
    cluster = Cluster("tcp://127.0.0.1:1", plan, print)
    draft = student(read_lesson(small_course.lesson, small_course.root))

    def judge(needs: dict[str, str], result=None, **other: object):
        worker = SimpleNamespace(name="one", surroundings=surroundings(plan.digests) | other)
        result = result or Executed(b"", (), Reads(needs), 1.0)
        return cluster._judged(result, draft, worker)

    return judge


def test_a_file_of_the_course_folder_that_a_worker_lacks_fails_by_name(small_course, judged):
    (small_course.root / "words.txt").write_text("one")
    same = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # sha256 of "one"
    assert judged({"./words.txt": same}).problems == () and judged({"./words.txt": same}).reads.doubts == ()
    for there, what in (("0" * 64, "changed"), (ABSENT, "is new")):
        (problem,) = judged({"./words.txt": there}).problems
        assert problem.file == "lessons/01_counting.py"
        assert problem.message.startswith(f"./words.txt {what} (compared with one, where it ran): a cluster's workers")
    second = Compared(Comparison(1, {}, ()), Reads({"./words.txt": ABSENT}), 1.0)
    (problem,) = judged({}, second).comparison.problems
    assert "./words.txt is new" in problem.message


def test_what_depends_on_another_machine_is_not_kept(judged, tmp_path):
    assert judged({}).reads.doubts == ()
    (doubt,) = judged({str(tmp_path / "font.ttf"): "0" * 64}).reads.doubts
    assert doubt == f"{tmp_path / 'font.ttf'} is gone (compared with one, where it ran)"
    (doubt,) = judged({}, **{"font folder": {"/fonts": "other"}}).reads.doubts
    assert "font folder" in doubt and not judged({}).problems


def test_a_cluster_is_named_in_the_error_before_anything_runs(small_course):
    with pytest.raises(ClusterError):
        build(small_course.root, scheduler="nowhere", say=print)
    assert not (small_course.root / "build" / "student").exists()
