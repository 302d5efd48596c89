"""What a template imports, read from lessons."""

from __future__ import annotations

import pytest

from course.building.imports import common, imported, needed
from course.building.lesson import read_lesson
from course.building.notebooks import solution, student, trial


def draft(course, of=solution):
    return of(read_lesson(course.lesson, course.root))


def names(course, of=solution) -> tuple[str, ...]:
    return imported(draft(course, of))


def test_imports_of_lessons_and_answers_and_what_is_taken_from_them(small_course):
    small_course.change(
        "claim(",
        "import numpy as np, os.path\nfrom scipy import stats as st\nfrom math import *\nimport course\n"
        "np.linalg.norm([1]); st.norm.cdf(0); course.load\nclaim(",
    )
    small_course.change("    doubled =", "    import statistics\n    doubled =", solution=True)
    found = names(small_course)
    expected = {"numpy", "numpy:linalg.norm", "os.path", "scipy.stats", "scipy.stats:norm.cdf", "math", "course:load"}
    assert expected | {"statistics", "course.claim"} <= set(found) and len(set(found)) == len(found)


def test_what_only_an_answer_imports_is_not_for_the_students_notebook(small_course):
    small_course.change("    doubled =", "    import statistics\n    doubled =", solution=True)
    small_course.change("    return number**2", "    import fractions\n    return number**2", solution=True)
    assert not {"statistics", "fractions"} & set(names(small_course, student))
    assert "statistics" in names(small_course) and "fractions" not in names(small_course)
    assert {"statistics", "fractions"} <= set(names(small_course, trial))
    every = [draft(small_course, of) for of in (solution, student, trial)]
    assert common(every) == needed(every[1]) and common([]) == ()


def test_what_the_models_of_the_header_need_where_one_is_loaded(small_course):
    assert "transformers.BertModel" not in names(small_course)
    small_course.change("claim(", "from course import load\nclaim(")
    assert "transformers.BertModel" in names(small_course)


def test_a_template_takes_what_the_course_imports_but_nothing_of_the_course(small_course):
    small_course.change("claim(", "import course, numpy\ncourse.load; course.measures.entropy; numpy.mean\nclaim(")
    found = needed(draft(small_course))
    assert {"torch", "numpy:mean"} <= set(found) and len(set(found)) == len(found)
    assert not [name for name in found if name.startswith("course")]


def test_what_the_course_silences_is_imported_by_the_file_that_does(small_course):
    small_course.change("claim(", "import course.models.bars\nclaim(")
    found = needed(draft(small_course))
    assert [name for name in found if name.endswith("bars.py")] and not [name for name in found if "tqdm" in name]


@pytest.mark.parametrize(
    "line", ["course.head_view", "from course import head_view", "from course.views import head_view"]
)
def test_what_a_view_draws_with_is_found_behind_both_packages_that_name_it(small_course, line):
    assert not [name for name in needed(draft(small_course)) if name.startswith("matplotlib")]
    small_course.change("claim(", f"import course\n{line}\nclaim(")
    assert [name for name in needed(draft(small_course)) if name.startswith("matplotlib")]
