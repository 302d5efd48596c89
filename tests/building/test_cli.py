"""The command line: what it prints, and an exit code that never says "ok" when something is not."""

from __future__ import annotations

import sys

import pytest

from course.building.cli import main
from course.building.lock import hold
from course.building.store import Store


def test_list_names_every_lesson_with_its_minutes_and_exercises(small_course, capsys):
    assert main(["list"], root=small_course.root) == 0
    assert capsys.readouterr().out.split() == ["01_counting", "5", "min", "2", "exercises", "Counting"]


def test_list_shows_a_lesson_that_cannot_be_read(small_course, capsys):
    small_course.lesson.write_text("x = = 1\n", encoding="utf-8")
    assert main(["list"], root=small_course.root) == 1
    assert "lessons/01_counting.py:1: this is not valid Python" in capsys.readouterr().out


def test_check_reads_without_running(small_course, capsys):
    assert main(["check"], root=small_course.root) == 0
    line = small_course.change("count = ...", "count = 0")
    assert main(["check", "--only", "01"], root=small_course.root) == 1
    out = capsys.readouterr().out
    assert f"lessons/01_counting.py:{line}: the stub of exercise 1.1" in out and "1 problems (nothing was run)" in out
    assert not (small_course.root / "build").exists()


def test_clean_removes_what_was_built_and_nothing_else(small_course, capsys):
    (small_course.root / "build" / "student").mkdir(parents=True)
    (small_course.root / "build" / "hub" / "student").mkdir(parents=True)
    for _ in range(2):
        assert main(["clean"], root=small_course.root) == 0
        assert not (small_course.root / "build").exists() and small_course.lesson.exists()
    assert "build/ is removed" in capsys.readouterr().out


def test_clean_keep_removes_only_what_is_old(small_course, capsys):
    for folder in ("build", "build/hub"):
        store = Store(small_course.root / folder / ".store")
        store.put(b"lost")
    assert main(["clean", "--keep", "30d"], root=small_course.root) == 0
    assert "0.0 MB were freed" in capsys.readouterr().out and (small_course.root / "build").is_dir()
    assert not [path for path in (small_course.root / "build").rglob("*") if path.is_file() and "objects" in path.parts]


def test_clean_refuses_while_another_profile_is_built(small_course, capsys):
    with hold(small_course.root / "build" / "hub"):
        assert main(["clean"], root=small_course.root) == 2
    assert "another build of this course is running" in capsys.readouterr().err
    assert (small_course.root / "build" / "hub").is_dir()


def test_why_says_that_nothing_was_built_and_writes_nothing(small_course, capsys):
    assert main(["why", "01"], root=small_course.root) == 0
    out = capsys.readouterr().out
    assert "01_counting: student runs again: it was not taken before" in out
    assert "01_counting: second run runs again: the solution does" in out
    assert not (small_course.root / "build").exists()


@pytest.mark.parametrize("arguments", [["--only", "7"], ["check", "--only", "7"]])
def test_a_lesson_that_is_not_there(small_course, capsys, arguments):
    assert main(arguments, root=small_course.root) == 2
    assert capsys.readouterr().err.strip() == "no lesson begins with '7'; there are 01_counting"


def test_a_folder_without_lessons(tmp_path, capsys):
    assert main([], root=tmp_path) == 2
    assert "there is no lesson here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["biuld"], ["--profile", "hubb"], ["--only"], ["clean", "--keep", "soon"], ["--port", "8000"]]
)
def test_a_call_that_means_nothing(small_course, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments, root=small_course.root)
    assert stop.value.code == 2


def test_a_missing_package_is_named_with_the_command_that_installs_it(small_course, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "course.building.assemble", None)
    assert main([], root=small_course.root) == 2
    assert "is not installed: run pip install -c constraints.txt -e '.[build]'" in capsys.readouterr().err


@pytest.mark.slow
def test_the_exit_code_follows_the_report(small_course, capsys):
    small_course.lesson.write_text("x = = 1\n", encoding="utf-8")
    assert main([], root=small_course.root) == 1
    out = capsys.readouterr().out
    assert "0 lessons passed, 1 failed." in out and "lessons/01_counting.py:1:" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "8000"], "--port says where --watch serves the pages: give both"),
        (["--watch", "--scheduler", "tcp://127.0.0.1:1"], "leave out --scheduler"),
        (["--jobs", "0"], "'0' is no such number"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(small_course, capsys, arguments, says):
    with pytest.raises(SystemExit) as stopped:
        main(arguments, root=small_course.root)
    assert stopped.value.code == 2 and says in capsys.readouterr().err
