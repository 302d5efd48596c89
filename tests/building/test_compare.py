"""The second run: what differs, what dies and what takes too long is named, with forked and ordinary processes."""

from __future__ import annotations

import time
from types import SimpleNamespace

import psutil
import pytest

from course.building import compare as compare_module
from course.building import second_run
from course.building.compare import compare
from course.building.execute import run
from course.building.kernels import fallbacks, kernel_environment
from course.building.lesson import read_lesson
from course.building.limits import MEMORY_BYTES
from course.building.notebooks import solution

pytestmark = pytest.mark.slow

LESSON = "lessons/01_counting.py"
HERE = "from course import claim, exercise"
ONCE = "import os, tempfile\nfrom pathlib import Path\nflag = Path({flag!r})\nsecond, _ = flag.exists(), flag.touch()\n"


@pytest.fixture(params=[(), ("json",)], ids=["ordinary", "forked"])
def warm(request):
    return request.param


def second(course, tmp_path, warm, code: str, memory: int = MEMORY_BYTES, **options):
    """The comparison of a lesson in which ``code`` is told, by ``second``, that it runs for the second time."""
    course.change("claim(", ONCE.format(flag=str(tmp_path / "flag")) + f"{code}\nclaim(")
    with kernel_environment(offline=True, warm=warm, memory=memory):
        first = run(solution(read_lesson(course.lesson, course.root)), parameters={}, timeout=60)
        assert not first.problems
        found = compare(first, **{"timeout": 60, **options})
        return found, fallbacks()


def test_equal_runs_and_what_was_compared(small_course, tmp_path, warm):
    found, reasons = second(small_course, tmp_path, warm, "")
    assert not found.problems and str(found) == "3 cells compared, 3 not (3 without output)" and not reasons


def test_what_differs_is_named_with_its_line(small_course, tmp_path, warm):
    line = small_course.line(HERE)
    found, _ = second(small_course, tmp_path, warm, "print('again' if second else 'first')")
    assert str(found.problems[0]).startswith(f"{LESSON}:{line}: a second run differs: ")
    assert "again" in found.problems[0].message and len(found.problems) == 1


def test_c_code_that_prints_is_compared(small_course, tmp_path, warm):
    # ipykernel reads it in a thread: what comes as the cell ends may be too late for it
    found, _ = second(small_course, tmp_path, warm, "import time; os.system('echo from a child'); time.sleep(2)")
    assert not found.problems


def test_a_kernel_that_dies_in_the_second_run_is_named_at_once(small_course, tmp_path, warm):
    line = small_course.line(HERE)
    began = time.monotonic()
    found, _ = second(small_course, tmp_path, warm, "os._exit(3) if second else None", timeout=600)
    assert str(found.problems[0]).startswith(
        f"{LESSON}:{line}: a second run differs: "
    ) and "the kernel ended in this cell with exit code 3" in str(found.problems[0])
    assert time.monotonic() - began < 120  # nbval by itself waits for the cell's ten minutes


def test_a_loop_without_end_in_the_second_run_is_stopped(small_course, tmp_path, warm):
    found, _ = second(small_course, tmp_path, warm, "while second: pass", timeout=4)
    assert "Timeout of 4 seconds exceeded" in found.problems[0].message


def test_output_without_end_in_the_second_run_is_stopped(small_course, tmp_path, warm):
    endless = "import time\nwhile second: time.sleep(0.001); print('x' * 100_000)"  # slow enough for memory to suffice
    found, _ = second(small_course, tmp_path, warm, endless)
    assert "puts out more than 20 MB" in found.problems[0].message


def test_memory_without_end_in_the_second_run_is_stopped_and_the_cell_named(small_course, tmp_path, warm, monkeypatch):
    # The watch over nbval must leave it to the kernel's own, which knows the cell.
    monkeypatch.setattr(compare_module, "MEMORY_BYTES", 400 << 20)
    hoard = "hoard = []\nwhile second: hoard.append(b'x' * (1 << 20))"
    found, _ = second(small_course, tmp_path, warm, hoard, memory=400 << 20)
    assert found.problems[0].line == small_course.line(HERE)
    assert "this cell took the kernel above 0.4 GiB of memory, the limit" in found.problems[0].message


def test_a_second_run_whose_template_dies_is_made_again(small_course, tmp_path):
    kill = "import psutil, time\nparent = psutil.Process(os.getppid())\n"
    kill += (
        "if second and 'course.building.template' in parent.cmdline(): parent.kill(); time.sleep(60)"  # dies with it
    )
    before = set(psutil.Process().children(recursive=True))
    found, reasons = second(small_course, tmp_path, ("json",), kill)
    assert not found.problems and len(reasons) >= 1
    assert set(psutil.Process().children(recursive=True)) <= before  # what earlier tests left may end meanwhile


def test_a_kernel_lost_between_two_cells_is_told(monkeypatch):
    monkeypatch.setattr(second_run, "_lives", lambda kernel: False)
    for lost, told in ((False, []), (True, ["the template of the kernels died"])):
        launched = SimpleNamespace(lost=lost)
        kernel = SimpleNamespace(km=SimpleNamespace(provisioner=SimpleNamespace(launched=launched)))
        with kernel_environment(offline=True):
            assert not second_run._is_alive(kernel)
            assert fallbacks() == told


def test_settings_and_plugins_of_the_caller_choose_nothing(small_course, tmp_path, warm, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nbval-lax -k nothing")
    found, _ = second(small_course, tmp_path, warm, "")
    assert str(found) == "3 cells compared, 3 not (3 without output)"
