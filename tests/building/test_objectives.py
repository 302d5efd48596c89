"""What a lesson promises is practised, and what is not is named by its line in the header."""

from __future__ import annotations

import pytest

from course.building.lesson import read_lesson
from course.building.notebooks import student
from course.building.objectives import for_students, practised
from course.building.problems import LessonError
from course.building.site import index_page

PROMISED = "#   - count (1.1, 1.2)\n"


def problems(course) -> list[str]:
    with pytest.raises(LessonError) as caught:
        read_lesson(course.lesson, course.root)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("objective", "found"),
    [
        ("count (1.1)", ("count", ("1.1",))),
        ("count\nslowly (1.1,1.2, 12.10)", ("count\nslowly", ("1.1", "1.2", "12.10"))),
        ("count (or not) (1.2)", ("count (or not)", ("1.2",))),
        ("count (or not)", ("count (or not)", ())),
        ("count (1.1) and go on", ("count (1.1) and go on", ())),
        ("count to (3)", ("count to (3)", ())),
    ],
)
def test_the_exercises_of_an_objective_stand_in_brackets_at_its_end(objective, found):
    assert practised(objective) == found


def test_an_objective_without_an_exercise_is_named_by_its_line(small_course):
    line = small_course.change(PROMISED, PROMISED + "#   - write a\n#     whole book\n") + 1
    assert problems(small_course) == [
        f"lessons/01_counting.py:{line}: no exercise practises 'write a whole book': "
        "end it with those that do, such as (1.1, 1.2), or do not promise it"
    ]


def test_an_exercise_that_is_not_there_is_named(small_course):
    line = small_course.change(PROMISED, "#   - count (1.1, 1.3)\n")
    assert problems(small_course) == [
        f"lessons/01_counting.py:{line}: 'count' names exercise 1.3, but there is 1.1, 1.2"
    ]


def test_objectives_that_are_no_texts_are_named_once(small_course):
    small_course.change(PROMISED, "#   - count: 1.1\n")
    assert problems(small_course) == ["lessons/01_counting.py:1: the header needs objectives: a list of texts, not "
                                      "[{'count': 1.1}]"]  # fmt: skip


def test_a_student_reads_where_to_practise_and_the_index_is_short(small_course):
    lesson = read_lesson(small_course.lesson, small_course.root)
    assert "- count (exercises 1.1, 1.2)" in student(lesson).notebook().cells[0].source
    assert "<li>count</li>" in index_page([lesson])
    assert for_students("count (1.1)") == "count (exercise 1.1)"
