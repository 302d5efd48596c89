"""Nothing of an answer reaches a student: code, comments, output; in cells, metadata, attachments, pages."""

from __future__ import annotations

import json
from html import escape

import pytest

from course.building.leaks import leaks, secrets
from course.building.lesson import read_lesson
from course.building.notebooks import solution, student, to_text


@pytest.fixture
def lesson(small_course):
    return read_lesson(small_course.lesson, small_course.root)


def found(lesson, artefact: str, printed: str = "") -> list[str]:
    notebook = solution(lesson).notebook()
    for cell in notebook.cells:
        if cell.metadata.get("exercise") == "1.1" and printed:
            cell.outputs = [{"output_type": "stream", "name": "stdout", "text": printed}]
    return [str(problem) for problem in leaks(lesson, notebook, {"the artefact": artefact})]


def with_cell(lesson, **parts) -> str:
    notebook = json.loads(to_text(student(lesson).notebook()))
    notebook["cells"][1].update(parts)
    return json.dumps(notebook)


def test_the_students_notebook_is_clean(lesson):
    assert found(lesson, to_text(student(lesson).notebook())) == []


def test_the_solution_is_full_of_leaks(lesson):
    said = found(lesson, to_text(solution(lesson).notebook()))
    assert any("`count = len(words)`" in problem for problem in said)
    assert any("`as many as the list is long`" in problem for problem in said)
    assert any("`doubled = number + number`" in problem for problem in said)
    assert said[0].startswith("solutions/01_counting.py:2: ")


def test_the_line_of_the_leaking_answer_is_named(small_course, lesson):
    line = small_course.line("doubled = number", solution=True)
    (said,) = found(lesson, with_cell(lesson, source=["x = 1\n", "doubled = number + number"]))
    assert said == (
        f"solutions/01_counting.py:{line}: `doubled = number + number` of the answer to exercise 1.2 "
        "stands in the artefact"
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"source": ["if True:\n", "    count   =  len( words )\n"]},
        {"source": ["# remember: count = len(words)\n"]},
        {"source": ["Hint: as many as the list is long."]},
        {"metadata": {"hidden": {"deep": ["count = len(words)"]}}},
        {"attachments": {"note.txt": {"text/plain": "count = len(words)"}}},
        {"outputs": [{"output_type": "stream", "text": ["count = len(words)"]}]},
    ],
)
def test_an_answer_is_found_wherever_it_hides(lesson, parts):
    assert found(lesson, with_cell(lesson, **parts))


def test_an_answer_is_found_in_a_highlighted_page(lesson):
    page = "<pre><span>count</span> <span>=</span> <span>len</span>(<span>words</span>)</pre>"
    assert found(lesson, f"<html>{page}</html>")
    assert found(lesson, f"<html><!-- {escape('count = len(words)')} --></html>")


@pytest.mark.parametrize("before", ["", "x = 1\n", "account; ", "account = len(words), "])
@pytest.mark.parametrize("after", ["", "+ 1"])
def test_an_answer_is_found_beside_words_that_hold_it(lesson, before, after):
    assert found(lesson, with_cell(lesson, source=[f"{before}count = len(words){after}"]))


@pytest.mark.parametrize("text", ["account = len(words)", "recount = len(words)\ncount = len(word)"])
def test_a_part_of_longer_words_is_no_leak(lesson, text):
    assert not found(lesson, with_cell(lesson, source=[text]))


def test_what_an_answer_prints_is_found(lesson):
    assert found(lesson, with_cell(lesson, source=["It is 3.14159, you see"]), printed="3.14159\n")
    assert not found(lesson, with_cell(lesson, source=["nothing"]), printed="3.14159\n")


def test_lines_of_the_stub_and_bare_keywords_tell_nothing(lesson):
    told = {part for _, part in secrets(lesson.answers["1.2"], lesson.exercises["1.2"])}
    assert told == {"doubled = number + number", "return doubled"}


def test_a_short_line_is_no_leak_inside_a_longer_one(small_course):
    small_course.change("count = len(words)  # as many as the list is long", "k = 3", solution=True)
    lesson = read_lesson(small_course.lesson, small_course.root)
    assert not found(lesson, with_cell(lesson, source=["rank = 30"]))
    assert found(lesson, with_cell(lesson, source=["k = 3"]))
