"""What a lesson's code may do to its kernel, ordinary or forked: a clear problem, and nothing left."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from course.building.execute import run
from course.building.kernels import fallbacks, kernel_environment
from course.building.lesson import read_lesson
from course.building.notebooks import solution, student, to_text

pytestmark = pytest.mark.slow

LESSON = "lessons/01_counting.py"
HERE = "from course import claim, exercise"
"""The first line of the cell that the tests break."""


@contextmanager
def kernels(way: str, said: list[str] | None = None, **options):
    """An environment that must leave no process and no file behind."""
    before = set(psutil.Process().children(recursive=True))
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", place)
        warm = ("json",) if way == "forked" else ()
        say = (said if said is not None else []).append
        with kernel_environment(offline=True, warm=warm, say=say, **options):
            yield
        assert list(Path(place).iterdir()) == []
    left = set(psutil.Process().children(recursive=True)) - before
    assert not left, left


@pytest.fixture(params=["ordinary", "forked"])
def way(request) -> str:
    return request.param


def broken(course, code: str, **options):
    """The problems of the student's run with ``code`` in the second cell, and how long it took."""
    course.change("claim(", f"{code}\nclaim(")
    began = time.monotonic()
    found = run(student(read_lesson(course.lesson, course.root)), parameters={}, **{"timeout": 60, **options})
    return [str(problem) for problem in found.problems], time.monotonic() - began


def test_outputs_are_the_same_bytes_either_way(small_course):
    small_course.change(
        "claim(",
        "import matplotlib.pyplot as plt\nimport random, sys\nrandom.seed(1)\n"
        "print(random.random(), hash('word'), __name__, hash(tuple(sys.path)), len(sys.argv), sys.argv[0][-21:])\n"
        "plt.plot([1, 2])\nplt.show()\nclaim(",
    )
    draft = solution(read_lesson(small_course.lesson, small_course.root))
    texts = []
    for warm in ((), ("matplotlib.pyplot", "random", "numpy")):
        with kernel_environment(offline=True, warm=warm):
            executed = run(draft, parameters={}, timeout=60)
            assert not executed.problems
            texts.append(to_text(executed.notebook))
    assert "image/png" in texts[0] and texts[0] == texts[1]


def test_what_is_not_seeded_differs_in_every_kernel(small_course):
    draws = "random.random()", "numpy.random.rand()", "torch.rand(1)", "uuid.uuid1().hex", "uuid.uuid4().hex"
    prints = "\n".join(f"print('drawn', {draw})" for draw in draws)
    small_course.change("claim(", f"import random, uuid, numpy, torch\n{prints}\nclaim(")
    draft = student(read_lesson(small_course.lesson, small_course.root))
    with kernel_environment(offline=True, warm=("random", "numpy", "torch", "uuid")):
        one, other = (drawn(run(draft, parameters={}, timeout=60)) for _ in range(2))
        assert fallbacks() == []
    assert len(one) == len(draws) and all(a != b for a, b in zip(one, other, strict=True))


def drawn(executed) -> list[str]:
    outputs = [output for cell in executed.notebook.cells for output in cell.get("outputs", [])]
    lines = "".join(output.get("text", "") for output in outputs).splitlines()
    return [line for line in lines if line.startswith("drawn")]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os\nos._exit(3)", "the kernel ended in this cell with exit code 3"),
        ("import os\nos.abort()", "the kernel died in this cell of SIGABRT"),
        ("import ctypes\nctypes.string_at(0)", "the kernel died in this cell of SIGSEGV"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "the kernel died in this cell of SIGKILL: by hand"),
    ],
)  # fmt: skip
def test_a_kernel_that_dies_is_named_with_its_end_within_five_seconds(small_course, way, code, said):
    line = small_course.line(HERE)
    with kernels(way):
        problems, seconds = broken(small_course, code)
    assert problems[0].startswith(f"{LESSON}:{line}: {said}")
    assert seconds < 60  # a kernel starts within this however busy the machine; without its end noticed it were 60


def test_the_end_of_a_kernel_is_noticed_while_its_cell_waits(small_course, way):
    with kernels(way):
        died = []

        def shoot() -> None:
            mine = psutil.Process()
            while not died:
                for process in mine.children(recursive=True):
                    if any("ready-to-die" in path.path for path in _open_files(process)):
                        process.kill()
                        died.append(time.monotonic())
                        return
                time.sleep(0.05)

        thread = threading.Thread(target=shoot)
        thread.start()
        problems, _ = broken(small_course, "held = open('ready-to-die', 'w')\nimport time\ntime.sleep(50)")
        seconds = time.monotonic() - died[0]
        thread.join()
    assert "the kernel died in this cell of SIGKILL" in problems[0] and seconds < 5


def _open_files(process):
    try:
        return process.open_files()
    except psutil.Error:
        return []


@pytest.mark.parametrize("call", ["exit()", "quit()", "get_ipython().ask_exit()"])
def test_a_cell_that_asks_to_exit_is_named_and_not_the_one_after(small_course, way, call):
    line = small_course.line(HERE)
    with kernels(way):
        problems, _ = broken(small_course, call)
    assert problems[0] == f"{LESSON}:{line}: this cell asks its kernel to exit"


def test_an_endless_loop_is_stopped_by_the_limit_of_the_header(small_course, way):
    small_course.change("# minutes: 5\n", "# minutes: 5\n# cell_seconds: 2\n")
    line = small_course.line(HERE)
    with kernels(way):
        problems, _ = broken(small_course, "while True: pass")
    assert problems[0] == f"{LESSON}:{line}: this cell ran longer than 2 s"


def test_all_cells_together_have_a_limit(small_course, way):
    small_course.change("# minutes: 5\n", "# minutes: 5\n# lesson_seconds: 3\n")
    line = small_course.line(HERE)
    with kernels(way):
        problems, _ = broken(small_course, "import time\ntime.sleep(30)")
    assert problems[0] == f"{LESSON}:{line}: in this cell the lesson had run for 3 s, the limit for all cells together"


def test_memory_without_end_is_stopped(small_course, way):
    line = small_course.line(HERE)
    with kernels(way, memory=600 << 20):
        problems, _ = broken(small_course, "held = []\nwhile True: held.append(b'x' * 10_000_000)")
    assert problems[0] == f"{LESSON}:{line}: this cell took the kernel above 0.6 GiB of memory, the limit"


def test_memory_of_children_counts(small_course, way):
    code = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import time; held = b\"x\" * 900_000_000; time.sleep(50)'])"
    )
    with kernels(way, memory=600 << 20):
        problems, _ = broken(small_course, code)
    assert "above 0.6 GiB of memory" in problems[0]


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 200_000_000)",
        "for _ in range(2000): print('x' * 100_000)",
        "while True: print('x' * 1000)",
        "from IPython.display import HTML, display\ndisplay(HTML('x' * 200_000_000))",
        "raise ValueError('x' * 200_000_000)",
    ],
)
def test_output_without_end_is_stopped_and_not_kept(small_course, way, code):
    line = small_course.line(HERE)
    with kernels(way):
        small_course.change("claim(", f"{code}\nclaim(")
        found = run(student(read_lesson(small_course.lesson, small_course.root)), parameters={}, timeout=60)
    assert str(found.problems[0]) == f"{LESSON}:{line}: this cell puts out more than 20 MB, the limit"
    assert len(to_text(found.notebook)) < 50_000_000


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.Popen(['sleep', '600'])",
        "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)",
        "import os\nif not os.fork(): os.setsid(); os.execvp('sleep', ['sleep', '600'])",
    ],
)
def test_a_child_that_lingers_ends_with_its_kernel(small_course, way, code):
    with kernels(way):
        problems, _ = broken(small_course, f"{code}\nimport time\ntime.sleep(1)")
    assert problems == []
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "600"]]


def test_closing_standard_output_harms_no_other_run(small_course, way):
    draft = student(read_lesson(small_course.lesson, small_course.root))
    with kernels(way):
        broken(small_course, "import os, sys\nos.close(1)\nsys.stdout.close()")
        assert not run(draft, parameters={}, timeout=60).problems


def test_a_template_that_is_killed_costs_no_lesson(small_course):
    said: list[str] = []
    draft = student(read_lesson(small_course.lesson, small_course.root))
    with kernels("forked", said):
        expected = to_text(run(draft, parameters={}, timeout=60).notebook)
        for process in psutil.Process().children():
            if "course.building.template" in process.cmdline():
                process.kill()
        again = run(draft, parameters={}, timeout=60)
    assert not again.problems and to_text(again.notebook) == expected
    assert len(said) == 1 and said[0].startswith("Kernels were started one by one, which is slower: the template")


def test_a_template_that_dies_under_a_running_cell_costs_no_lesson(small_course):
    said: list[str] = []
    code = "import os, psutil, time\nparent = psutil.Process(os.getppid())  # of an ordinary kernel: these tests\n"
    code += "if 'course.building.template' in parent.cmdline():\n    parent.kill()\n    time.sleep(60)"
    with kernels("forked", said):
        problems, _ = broken(small_course, code)
    assert problems == [] and len(said) == 1


def test_a_changed_environment_is_no_reason_to_lie(small_course, monkeypatch):
    said: list[str] = []
    small_course.change("claim(", "import os\nassert os.environ['COLOUR'] == 'blue'\nclaim(")
    with kernels("forked", said):
        monkeypatch.setenv("COLOUR", "blue")
        found = run(student(read_lesson(small_course.lesson, small_course.root)), parameters={}, timeout=60)
    assert not found.problems
    assert said == ["Kernels were started one by one, which is slower: COLOUR changed after the build began."]


def test_several_threads_run_at_once(small_course, way):
    draft = student(read_lesson(small_course.lesson, small_course.root))
    here, texts = Path.cwd(), []
    with kernels(way):
        threads = [
            threading.Thread(target=lambda: texts.append(to_text(run(draft, parameters={}, timeout=60).notebook)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(texts) == 3 and len(set(texts)) == 1 and Path.cwd() == here


@pytest.mark.parametrize("warm", [(), ("json",)], ids=["ordinary", "forked"])
def test_a_kernel_that_dies_before_it_answers_is_told(small_course, warm):
    with kernel_environment(offline=True, warm=warm) as settings:
        startup = Path(settings["IPYTHONDIR"], "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "00-end.py").write_text("import os; os._exit(3)", encoding="utf-8")
        found = run(student(read_lesson(small_course.lesson, small_course.root)), parameters={}, timeout=60)
    assert [problem.message for problem in found.problems] == ["no kernel could be started for this lesson"]
