"""What a template imports, read from lessons."""

from __future__ import annotations

from course.building.imports import imported, outside
from course.building.lesson import read_lesson


def names(course) -> tuple[str, ...]:
    return imported([read_lesson(course.lesson, course.root)])


def test_imports_of_lessons_and_answers_and_what_is_taken_from_them(small_course):
    small_course.change(
        "claim(",
        "import numpy as np, os.path\nfrom scipy import stats as st\nfrom math import *\nimport course\n"
        "np.linalg.norm([1]); st.norm.cdf(0); course.load\nclaim(",
    )
    small_course.change("    doubled =", "    import statistics\n    doubled =", solution=True)
    found = names(small_course)
    expected = {"numpy", "numpy.linalg.norm", "os.path", "scipy.stats", "scipy.stats.norm.cdf", "math", "course.load"}
    assert expected | {"statistics", "course.claim"} <= set(found) and len(set(found)) == len(found)


def test_what_the_models_of_the_header_need_where_one_is_loaded(small_course):
    assert "transformers.BertModel" not in names(small_course)
    small_course.change("claim(", "from course import load\nclaim(")
    assert "transformers.BertModel" in names(small_course)


def test_a_template_takes_what_the_course_imports_but_nothing_of_the_course():
    found = outside(["course.load", "course.head_view", "course.measures.entropy", "numpy.mean"])
    assert {"torch", "numpy.mean"} <= set(found) and len(set(found)) == len(found)
    assert not [name for name in found if name.startswith("course")]


def test_what_the_course_silences_is_imported_by_the_file_that_does():
    found = outside(["course.models.bars", "transformers.AutoTokenizer"])
    assert [name.rpartition("/")[2] for name in found][-2:] == ["bars.py", "transformers.AutoTokenizer"]
    assert not [name for name in found if name.startswith("tqdm")]
