"""A new lesson builds as it is, keeps the rules of lessons, and cannot be mistaken for a finished one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course.building.cli import main
from course.building.glossary import read_glossary
from course.building.lesson import read_lesson
from course.building.links import glossary_links, link_problems
from course.building.problems import LessonError
from course.building.skeletons import placeholders, write_skeleton
from tests import test_lessons

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path):
    """A course with the glossary, the rules of style, and no lesson."""
    (tmp_path / "lessons").mkdir()
    (tmp_path / "solutions").mkdir()
    for place in ("pyproject.toml", "lessons/glossary.md", "lessons/ruff.toml", "solutions/ruff.toml"):
        shutil.copy(ROOT / place, tmp_path / place)
    return tmp_path


@pytest.fixture
def lesson(root):
    paths = write_skeleton(root, "12_my_lesson")
    assert [path.relative_to(root).as_posix() for path in paths] == ["lessons/12_my_lesson.py",
                                                                     "solutions/12_my_lesson.py"]  # fmt: skip
    return read_lesson(paths[0], root)


RULES = [rule for name, rule in vars(test_lessons).items()
         if name.startswith("test_") and rule.__code__.co_varnames[:1] == ("lesson",)]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_every_rule_of_lessons_but_one(lesson, root, rule, monkeypatch):
    monkeypatch.setattr(test_lessons, "ROOT", root)
    if rule is test_lessons.test_nothing_of_a_skeleton_is_left:
        with pytest.raises(AssertionError, match=r"lessons/12_my_lesson.py:\d+: this is still the skeleton's: REPLACE"):
            rule(lesson)
    else:
        rule(lesson)


def test_it_has_an_exercise_of_each_kind_and_links_that_lead_somewhere(lesson, root):
    assert lesson.header.title == "My lesson" and list(lesson.exercises) == [f"12.{i}" for i in range(1, 6)]
    words = {term.anchor for term in read_glossary(root).terms}
    assert set(glossary_links(lesson)) <= words and not link_problems([lesson], read_glossary(root), all_read=False)


def test_lint_and_format_have_nothing_to_say(lesson, root):
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, "lessons", "solutions"], cwd=root,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_it_builds_and_the_build_says_that_it_is_not_finished(lesson, root, capsys):
    assert main(["--only", "12"], root=root) == 0
    out = capsys.readouterr().out
    left = len(list(placeholders(root, [lesson.name])))
    assert "1 lessons passed" in out and f"12_my_lesson is not finished: {left} lines say REPLACE" in out and left > 10


def test_check_names_every_placeholder_and_fails(lesson, root, capsys):
    assert main(["check"], root=root) == 1
    lines = (root / "lessons" / "12_my_lesson.py").read_text(encoding="utf-8").split("\n")
    named = re.findall(r"^lessons/12_my_lesson.py:(\d+): this is still", capsys.readouterr().out, re.MULTILINE)
    assert [int(n) for n in named] == [i for i, line in enumerate(lines, start=1) if "REPLACE" in line]


@pytest.mark.parametrize(
    "name", ["my_lesson", "1_lesson", "12-lesson", "12_My", "12_", "12_ü", "../12_x", "12_x.py", ""]
)
def test_a_name_that_is_none_for_a_lesson(root, name):
    with pytest.raises(LessonError, match=r"write two digits, _ and a name .* such as 12_my_lesson"):
        write_skeleton(root, name)
    assert not list(root.glob("*/*.py"))


def test_a_number_that_is_taken_and_the_next_that_is_free(lesson, root):
    write_skeleton(root, "13_other")
    with pytest.raises(LessonError, match=r"12 is the number of 12_my_lesson\.py: 14 is free"):
        write_skeleton(root, "12_another")


@pytest.mark.parametrize("folder", ["lessons", "solutions"])
def test_a_file_that_is_there_is_never_overwritten(root, folder):
    path = root / folder / "12_my_lesson.py"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(LessonError, match=f"{folder}/12_my_lesson.py is there already: edit it"):
        write_skeleton(root, "12_my_lesson")
    assert path.read_text(encoding="utf-8") == "mine" and len(list(root.glob("*/*.py"))) == 1


@pytest.mark.parametrize("title", ['Heads: a "second" look', "no", "7", "# one", "<n> ü – 😀", "'quoted'"])
def test_any_title_arrives_as_it_was_given(root, title):
    (path, _) = write_skeleton(root, "09_x", title)
    lesson = read_lesson(path, root)
    assert lesson.header.title == title and "9.1" in lesson.exercises


def test_a_title_of_two_lines_is_refused(root):
    with pytest.raises(LessonError, match="is no title: write one line"):
        write_skeleton(root, "12_x", "one\ntwo")


def test_the_command_says_what_it_wrote_and_what_to_do(root, capsys):
    assert main(["new", "12_my_lesson", "--title", "Mine"], root=root) == 0
    assert capsys.readouterr().out.split("\n")[:2] == [
        "lessons/12_my_lesson.py is written", "solutions/12_my_lesson.py is written"
    ]  # fmt: skip
    assert main(["new", "12_my_lesson"], root=root) == 2
    assert "is there already" in capsys.readouterr().err
