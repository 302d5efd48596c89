"""A place for runs that leaves nothing of itself, and kernels that record what they read."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course.building import workplace as places
from course.building.imports import needed
from course.building.lesson import read_lesson
from course.building.notebooks import student
from course.building.tasks import execute
from course.building.workplace import workplace
from tests.building.conftest import LESSON


def test_everything_temporary_goes_and_every_variable_comes_back():
    before, folder, told = dict(os.environ), tempfile.gettempdir(), []
    with workplace(offline=True, note=told.append):
        assert tempfile.gettempdir() == told[0] == os.environ["TMPDIR"] and Path(told[0]).is_dir()
        tempfile.mkdtemp()
    assert dict(os.environ) == before and tempfile.gettempdir() == folder and not Path(told[0]).exists()


@pytest.mark.slow
def test_the_recorder_cannot_be_seen_from_a_notebook(small_course):
    small_course.change(
        'print(len(words), "words on", PROFILE)',
        "print([n for n in dir() if not n.startswith('_') and n not in "
        "('In', 'Out', 'exit', 'get_ipython', 'open', 'quit')], len(In))",
    )
    lesson = read_lesson(small_course.lesson, small_course.root)
    with workplace(offline=True):
        done = execute(student(lesson), {}, 60, str(small_course.root))
    assert "['PROFILE', 'claim', 'exercise', 'words'] 3" in done.outputs.decode()
    assert not done.reads.doubts and "course/exercises.py" in done.reads.needs and not done.problems


def test_bytecode_that_python_could_wrongly_take_for_current_is_removed(tmp_path, monkeypatch):
    (tmp_path / "__pycache__").mkdir()
    for name, age in (("fresh", 1), ("old", 3600)):
        source, compiled = tmp_path / f"{name}.py", tmp_path / "__pycache__" / f"{name}.cpython-311.pyc"
        source.touch()
        compiled.touch()
        os.utime(source, (10**9 - age, 10**9 - age))
        os.utime(compiled, (10**9, 10**9))
    monkeypatch.setattr(places, "PACKAGE", tmp_path)
    places._forget_doubtful_bytecode()
    assert [path.name for path in (tmp_path / "__pycache__").iterdir()] == ["old.cpython-311.pyc"]


@pytest.mark.slow
def test_a_forked_kernel_records_what_an_ordinary_one_does_and_nothing_of_others(small_course):
    small_course.change(
        'print(len(words), "words on", PROFILE)', "import course, course.models.bars, wave\ncourse.rank\nprint(1)"
    )
    draft = student(read_lesson(small_course.lesson, small_course.root))
    bars = str(places.PACKAGE / "models" / "bars.py")
    assert bars in needed(draft)
    found = []
    for warm in ((), (bars,), ("wave", bars)):
        said: list[str] = []
        with workplace(offline=True, warm=warm, say=said.append):
            found.append([execute(draft, {}, 60, str(small_course.root)) for _ in range(2)])
        assert not said
    (ordinary, _), *warm = found
    for forked, again in warm:
        assert ordinary.outputs == forked.outputs and not forked.problems and not forked.reads.doubts
        assert forked.reads == again.reads and dict(ordinary.reads.needs).items() <= dict(forked.reads.needs).items()
        more = {name for name in forked.reads.needs.keys() - ordinary.reads.needs if name.startswith("course/")}
        assert more <= {"course/models/bars.py", "course/building/template.py", "course/building/importing.py"}
        assert "course/ranking.py" in forked.reads.needs and "course/views/page.py" not in forked.reads.needs


@pytest.mark.slow
def test_a_module_that_only_another_notebook_imports_is_not_there(small_course):
    small_course.change('print(len(words), "words on", PROFILE)', "import sys\nprint('wave' in sys.modules)")
    draft = student(read_lesson(small_course.lesson, small_course.root))
    with workplace(offline=True, warm=("sys", "wave")):
        assert "False" in execute(draft, {}, 60, str(small_course.root)).outputs.decode()


@pytest.mark.slow
def test_kernels_side_by_side_record_apart(small_course):
    for name in ("one", "two"):
        (small_course.root / name).write_text(name)
    draft = student(read_lesson(small_course.lesson, small_course.root))

    def reading(name: str):
        small_course.lesson.write_text(LESSON.replace("claim(", f"open({str(small_course.root / name)!r})\nclaim(", 1))
        return student(read_lesson(small_course.lesson, small_course.root))

    drafts = {name: reading(name) for name in ("one", "two")}
    with workplace(offline=True, warm=needed(draft)), ThreadPoolExecutor() as pool:
        found = pool.map(lambda name: execute(drafts[name], {}, 60, str(small_course.root)).reads, drafts)
        assert [[name for name in reads.needs if name.startswith("./")] for reads in found] == [["./one"], ["./two"]]
