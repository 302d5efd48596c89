"""A lesson becomes the same notebooks, to the byte, wherever and whenever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import nbformat
import pytest

from course.building.lesson import read_lesson
from course.building.notebooks import solution, student, to_text, trial


@pytest.fixture
def lesson(small_course):
    return read_lesson(small_course.lesson, small_course.root)


def ids(draft) -> dict[str, str]:
    return {place.cell.source: place.id for place in draft.placed}


def test_student_has_stubs_and_solution_has_answers_at_the_same_ids(lesson):
    for_student, for_teacher = student(lesson).notebook(), solution(lesson).notebook()
    assert [cell.id for cell in for_student.cells] == [cell.id for cell in for_teacher.cells]
    (stub,) = [cell.source for cell in for_student.cells if cell.metadata.get("exercise") == "1.1"]
    (answer,) = [cell.source for cell in for_teacher.cells if cell.metadata.get("exercise") == "1.1"]
    assert stub == "count = ..." and answer.startswith("count = len(words)")


def test_notebooks_are_valid_and_without_outputs(lesson):
    for draft in (student(lesson), solution(lesson), trial(lesson)):
        notebook = draft.notebook()
        nbformat.validate(notebook)
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
        assert not any(cell.get("outputs") for cell in notebook.cells)


def test_the_first_cell_says_what_the_lesson_is_for(lesson):
    first = student(lesson).notebook().cells[0].source
    assert first == "# Counting\n\nAbout 5 minutes. After this you can\n\n- count (exercises 1.1, 1.2)"


def test_the_first_cell_leads_to_what_comes_before(lesson):
    header = replace(lesson.header, prerequisites=("01_attention_by_hand", "02_head_and_model_view"))
    first = student(replace(lesson, header=header)).notebook().cells[0].source
    assert first.endswith(
        "Before this: [lesson 01, attention by hand](01_attention_by_hand.ipynb); "
        "[lesson 02, head and model view](02_head_and_model_view.ipynb)."
    )


def test_a_trial_tries_every_wrong_answer_and_then_the_right_one_again(lesson):
    tried = [place for place in trial(lesson).placed if place.tries]
    assert len(tried) == 2 * 4
    sources = [place.cell.source for place in trial(lesson).placed]
    assert sources.count("count = 2") == 1 and sources.count(lesson.answers["1.1"].source) == 2


def test_ids_survive_an_insertion_and_an_edit_elsewhere(small_course, lesson):
    before = ids(student(lesson))
    small_course.change("# %%\nfrom course", "# %% [markdown]\n# New prose.\n\n# %%\nfrom course")
    after = ids(student(read_lesson(small_course.lesson, small_course.root)))
    assert {source: after[source] for source in before} == before
    assert len(after) == len(before) + 1


def test_equal_cells_have_different_ids(small_course):
    small_course.change("# %%\nfrom course", "# %%\npass\n\n# %%\npass\n\n# %%\nfrom course")
    notebook = student(read_lesson(small_course.lesson, small_course.root)).notebook()
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_same_bytes_in_another_process_with_another_hash_seed(small_course, lesson):
    code = (
        "import sys, pathlib; from course.building.lesson import read_lesson; "
        "from course.building.notebooks import student, to_text; root = pathlib.Path(sys.argv[1]); "
        "lesson = read_lesson(root / 'lessons/01_counting.py', root); "
        "sys.stdout.buffer.write(to_text(student(lesson).notebook()).encode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small_course.root)],
        env={**os.environ, "PYTHONHASHSEED": "123"}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode() == to_text(student(lesson).notebook())
    assert json.loads(done.stdout)["metadata"]["kernelspec"]["name"] == "python3"
