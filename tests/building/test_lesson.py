"""Every mistake in a source is named with its file and line, before anything runs."""

from __future__ import annotations

import pytest

from course.building.lesson import read_lesson
from course.building.problems import LessonError
from course.models import read_catalogue

ROLES = ", ".join(sorted(read_catalogue()))
LESSON, SOLUTION = "lessons/01_counting.py", "solutions/01_counting.py"


def problems(course) -> list[str]:
    with pytest.raises(LessonError) as caught:
        read_lesson(course.lesson, course.root)
    return [str(problem) for problem in caught.value.problems]


def test_a_sound_lesson_has_header_cells_answers_and_wrong_answers(small_course):
    lesson = read_lesson(small_course.lesson, small_course.root)
    assert (lesson.header.title, lesson.header.minutes, lesson.header.roles) == ("Counting", 5, ("minilm",))
    assert list(lesson.exercises) == list(lesson.checks) == list(lesson.answers) == ["1.1", "1.2"]
    assert [wrong.advice for wrong in lesson.wrong["1.1"]] == ["Counting starts at one.", "A full stop is no word."]


def test_cells_know_the_line_where_they_stand(small_course):
    lesson = read_lesson(small_course.lesson, small_course.root)
    lines = small_course.lesson.read_text(encoding="utf-8").split("\n")
    for cell in lesson.cells:
        first = cell.source.split("\n")[0]
        assert lines[cell.line - 1].removeprefix("# ") == first.removeprefix("# ")


def test_a_marker_inside_a_string_starts_no_cell(small_course):
    small_course.change('words = "the cat sat".split()', 'words = """the\n# %% cat\nsat""".split()\nwords.remove("#")')
    lesson = read_lesson(small_course.lesson, small_course.root)
    assert sum(cell.kind == "code" for cell in lesson.cells) == 6


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("# title: Counting\n", "", "the header needs title: a text, which is missing"),
        ("# minutes: 5", "# minutes: soon", "the header needs minutes: a whole number, not 'soon'"),
        (
            "# minutes: 5",
            "# minutes: 5\n# cell_seconds: soon",
            "cell_seconds in the header is a whole number of seconds, not 'soon'",
        ),
        (
            "# minutes: 5",
            "# minutes: 5\n# lesson_seconds: 0",
            "lesson_seconds in the header is a whole number of seconds, not 0",
        ),
        ("#   - count (1.1, 1.2)\n", "", "the header needs objectives: a list of texts, not None"),
        ("# title: Counting", "# titel: Counting", "the header knows no 'titel'"),
        ("# roles: [minilm]", "# roles: [minlm]", f"roles names 'minlm', which does not exist: there is {ROLES}"),
        ("# prerequisites: []", "# prerequisites: ['00']", "prerequisites names '00', which does not exist"),
    ],
)
def test_a_wrong_header_names_the_field(small_course, before, after, message):
    small_course.change(before, after)
    assert any(found.startswith(f"{LESSON}:1: {message}") for found in problems(small_course))


def test_invalid_yaml_names_the_line(small_course):
    line = small_course.change("# prerequisites: []", "# prerequisites: [")
    (found,) = problems(small_course)
    assert found.startswith(f"{LESSON}:{line + 1}: the YAML header is invalid")


def test_an_unclosed_header_is_refused(small_course):
    small_course.change("# roles: [minilm]\n# ---\n", "# roles: [minilm]\n")
    assert problems(small_course) == [f"{LESSON}:1: the YAML header is not closed: end it with a line `# ---`"]


def test_a_missing_header_is_refused(small_course):
    text = small_course.lesson.read_text(encoding="utf-8")
    small_course.lesson.write_text(text[text.index("# %% tags") :], encoding="utf-8")
    assert problems(small_course)[0].startswith(f"{LESSON}:1: a lesson begins with a YAML header")


def test_a_syntax_error_names_the_line(small_course):
    line = small_course.change("words = ", "words = = ")
    assert problems(small_course) == [f"{LESSON}:{line}: this is not valid Python: invalid syntax"]


def test_a_syntax_error_in_the_solutions_names_their_line(small_course):
    line = small_course.change("count = len(words)", "count = len(words", solution=True)
    assert problems(small_course)[0].startswith(f"{SOLUTION}:{line}: this is not valid Python")


@pytest.mark.parametrize("marker", ["    # %%", "#%%", "# %%%% deep", "#  %% wide"])
def test_a_marker_that_is_nearly_one(small_course, marker):
    line = small_course.change('# %% exercise="1.1"', f'if True:\n{marker}\n    pass\n\n# %% exercise="1.1"') + 1
    assert f"{LESSON}:{line}: a cell begins with `# %%` at the very beginning of its line" in problems(small_course)


def test_a_marker_that_cuts_a_statement_in_two(small_course):
    line = small_course.change(
        'with exercise("1.1", count) as answer:\n', 'with exercise("1.1", count) as answer:\n# %%\n'
    )
    (found,) = problems(small_course)
    assert found.startswith(f"{LESSON}:{line}: this cell is no valid Python by itself: expected an indented block")


@pytest.mark.parametrize("tags", ['"parameters"', "3", "{}"])
def test_tags_that_are_no_list(small_course, tags):
    line = small_course.change('# %% tags=["parameters"]', f"# %% tags={tags}")
    assert problems(small_course)[0].startswith(f"{LESSON}:{line}: the options in this line cannot be read")


def test_a_file_that_jupytext_cannot_read_is_named(small_course, monkeypatch):
    import jupytext

    read = jupytext.reads

    def reads(text, **given):
        if len(text) > 200:  # none of its first lines alone
            raise RecursionError("too deep\nfor it")
        return read(text, **given)

    monkeypatch.setattr(jupytext, "reads", reads)
    line = small_course.line("# %% tags")
    assert problems(small_course) == [f"{LESSON}:{line}: jupytext cannot read this file (too deep)"]


def test_a_file_that_is_not_utf8_names_the_line(small_course):
    text = small_course.lesson.read_text(encoding="utf-8").replace("# A lesson", "# Eine Übung")
    small_course.lesson.write_bytes(text.encode("latin-1"))
    line = text[: text.index("Ü")].count("\n") + 1
    assert problems(small_course) == [f"{LESSON}:{line}: this file is not UTF-8 (byte 0xdc): save it as UTF-8"]


def test_windows_line_ends_and_a_byte_order_mark_are_read(small_course):
    text = small_course.lesson.read_text(encoding="utf-8").replace("\n", "\r\n")
    plain = read_lesson(small_course.lesson, small_course.root)
    small_course.lesson.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    assert read_lesson(small_course.lesson, small_course.root) == plain


def test_text_before_the_first_cell_is_refused(small_course):
    line = small_course.change('# %% tags=["parameters"]\n', 'import os\n\n# %% tags=["parameters"]\n')
    assert problems(small_course) == [f"{LESSON}:{line}: this stands before the first cell: put `# %%` above it"]


def test_no_parameters_cell(small_course):
    small_course.change('# %% tags=["parameters"]', "# %%")
    assert problems(small_course)[0].startswith(f"{LESSON}:1: there is no parameters cell")


def test_a_parameters_cell_without_profile(small_course):
    line = small_course.change('PROFILE = "shipped"\n', 'MODEL = "shipped"\n')
    assert problems(small_course) == [f'{LESSON}:{line}: the parameters cell must set PROFILE = "shipped"']


def test_an_exercise_without_a_solution(small_course):
    small_course.change('# %% exercise="1.1"', '# %% wrong="1.1" advice="x"', solution=True)
    line = small_course.line("count = ...")
    assert f'{LESSON}:{line}: exercise 1.1 has no solution: add a cell `# %% exercise="1.1"` to {SOLUTION}' in problems(
        small_course
    )


def test_no_solutions_file_at_all(small_course):
    small_course.solution.unlink()
    assert problems(small_course) == [
        f"{LESSON}:1: there is no solutions/01_counting.py: every exercise needs its answer"
    ]


def test_a_solution_without_an_exercise(small_course):
    line = small_course.change('# %% exercise="1.1"', '# %% exercise="9.9"', solution=True) + 1
    assert f"{SOLUTION}:{line}: this answers exercise 9.9, which {LESSON} does not have" in problems(small_course)


def test_the_same_key_twice(small_course):
    first = small_course.line("count = ...")
    small_course.change('# %% exercise="1.2"', '# %% exercise="1.1"')
    line = small_course.line("def twice(number):")
    assert f"{LESSON}:{line}: exercise 1.1 is there twice: its first is at line {first}" in problems(small_course)


def test_the_same_answer_twice(small_course):
    small_course.change('# %% wrong="1.1" advice="Counting starts at one."', '# %% exercise="1.1"', solution=True)
    line = small_course.line("count = 2", solution=True)
    assert f"{SOLUTION}:{line}: exercise 1.1 is answered twice: its first answer is at line 2" in problems(small_course)


def test_a_check_without_its_exercise(small_course):
    small_course.change('with exercise("1.1", count)', 'with exercise("3.3", count)')
    found = problems(small_course)
    assert any("exercise 3.3 is checked but has no stub" in problem for problem in found)
    assert any("exercise 1.1 has no check" in problem for problem in found)


def test_an_assert_without_a_hint(small_course):
    line = small_course.change('assert answer == 3, "Count the words."', "assert answer == 3")
    assert problems(small_course) == [
        f"{LESSON}:{line}: this assert of exercise 1.1 needs a message: it is the hint that the student reads"
    ]


def test_a_stub_with_nothing_to_fill_in(small_course):
    line = small_course.change("count = ...", "count = 0")
    assert problems(small_course)[0].startswith(f"{LESSON}:{line}: the stub of exercise 1.1 needs a …")


def test_fewer_than_two_wrong_answers(small_course):
    small_course.change('# %% wrong="1.1" advice="Counting starts at one."\ncount = 2\n', "", solution=True)
    assert problems(small_course)[0].startswith(f"{SOLUTION}:2: exercise 1.1 has 1 wrong answers: give at least 2")


def test_a_wrong_answer_may_be_one_on_a_profile_only(small_course):
    wrong = '# %% wrong="1.1" advice="Counting starts at one."'
    small_course.change(wrong, f'{wrong} profile="shipped"', solution=True)
    lesson = read_lesson(small_course.lesson, small_course.root)
    assert [one.profile for one in lesson.wrong["1.1"]] == ["shipped", None]
    line = small_course.change('profile="shipped"', 'profile="shiped"', solution=True)
    assert problems(small_course) == [f"{SOLUTION}:{line + 1}: profile is one of shipped, hub, not 'shiped'"]


def test_an_open_exercise_needs_no_wrong_answers(small_course):
    small_course.change('# %% exercise="1.1"', '# %% exercise="1.1" open=true')
    text = small_course.solution.read_text(encoding="utf-8")
    start, end = text.index('# %% wrong="1.1" advice="Counting'), text.index("\n\n# %% exercise")
    small_course.solution.write_text(text[:start] + text[end:], encoding="utf-8")
    assert read_lesson(small_course.lesson, small_course.root).wrong["1.1"] == ()


def test_a_wrong_answer_without_advice(small_course):
    small_course.change(' advice="Counting starts at one."', "", solution=True)
    line = small_course.line("count = 2", solution=True)
    assert problems(small_course)[0].startswith(f"{SOLUTION}:{line}: a wrong answer needs advice")


def test_an_unknown_word_in_a_cells_first_line(small_course):
    line = small_course.change('# %% exercise="1.1"', '# %% exercize="1.1"')
    assert problems(small_course) == [
        f"{LESSON}:{line}: 'exercize' means nothing in a cell's first line: did you mean exercise?"
    ]


def test_a_key_that_is_no_text(small_course):
    small_course.change('# %% exercise="1.1"', "# %% exercise=1.1")
    assert 'exercise must be quoted text, exercise="1.1", not 1.1' in problems(small_course)[0]


def test_a_wrong_answer_in_the_lesson_is_refused(small_course):
    small_course.change("# %% [markdown]\n# ### Exercise 1.1", '# %% wrong="1.1"\ncount = 2\n\n# %% [markdown]\n# ###')
    assert any("belongs into solutions/" in problem for problem in problems(small_course))


def test_nbval_markers_are_refused(small_course):
    small_course.change("words = ", "# NBVAL_IGNORE_OUTPUT\nwords = ")
    assert any("nbval markers hide cells" in problem for problem in problems(small_course))
