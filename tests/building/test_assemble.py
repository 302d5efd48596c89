"""The whole build on a small lesson, with real kernels: what it writes, what it refuses, and where it points."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from course.building.assemble import build
from course.building.execute import _never_run, run
from course.building.kernels import kernel_environment
from course.building.lesson import read_lesson
from course.building.notebooks import student
from course.building.problems import LessonError

pytestmark = pytest.mark.slow

LESSON, SOLUTION = "lessons/01_counting.py", "solutions/01_counting.py"


def built(course, **options):
    return build(course.root, say=lambda _line: None, **options)


def failures(course) -> list[str]:
    report = built(course)
    assert not report.passed
    return [str(problem) for problem in report.lessons[0].problems]


def digests(course) -> dict[str, str]:
    out = course.root / "build"
    paths = [path for part in ("student", "solutions", "site") for path in (out / part).rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def published(out: Path) -> list[Path]:
    return [path for path in out.rglob("*.*") if path.is_file() and ".store" not in path.parts]


def test_a_build_writes_everything_and_a_second_one_the_same_bytes(small_course):
    report = built(small_course)
    assert report.passed, report.markdown()
    first = digests(small_course)
    assert set(first) == {
        "student/01_counting.ipynb", "solutions/01_counting.ipynb", "site/01_counting.html", "site/index.html",
        "site/notebooks/01_counting.ipynb",
    }  # fmt: skip
    assert built(small_course).passed
    assert digests(small_course) == first


def test_what_a_build_writes(small_course):
    report = built(small_course)
    out = small_course.root / "build"
    student = nbformat.read(out / "student" / "01_counting.ipynb", as_version=4)
    solution = nbformat.read(out / "solutions" / "01_counting.ipynb", as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in student.cells)
    assert any("✓ 1.1" in str(cell.get("outputs")) for cell in solution.cells)
    page = (out / "site" / "01_counting.html").read_text(encoding="utf-8")
    assert "○" in page and "3 words on shipped" in page and "<math" in page and "doubled" not in page
    text = "".join(path.read_text(encoding="utf-8") for path in published(out) if path.suffix != ".md")
    assert tempfile.gettempdir() not in text and "papermill" not in text
    # Three code cells print; the parameters and the two exercises do not.
    assert str(report.lessons[0].comparison) == "3 cells compared, 3 not (3 without output)"
    assert "| 01_counting | passed | 2 | 4 | 1 | 3 cells compared" in (out / "report.md").read_text(encoding="utf-8")
    data = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert data["passed"] and data["lessons"][0]["comparison"]["compared"] == 3
    (suite,) = ElementTree.parse(out / "report.xml").getroot()
    assert suite.get("failures") == "0" and suite.get("skipped") == "0" and len(suite) == 7


def test_no_socket_or_temporary_file_stays_behind(small_course, monkeypatch, tmp_path_factory):
    place = tmp_path_factory.mktemp("t")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert built(small_course).passed
    assert [path.name for path in place.iterdir()] == []


def test_prints_are_one_output_however_slowly_they_come(small_course):
    small_course.change("claim(", "import time\ntime.sleep(1)\nprint('later', flush=True)\nclaim(")
    assert built(small_course).passed
    solution = nbformat.read(small_course.root / "build" / "solutions" / "01_counting.ipynb", as_version=4)
    (cell,) = [cell for cell in solution.cells if "later" in cell.source]
    assert cell.outputs[0].text == "3 words on shipped\nlater\n" and len(cell.outputs) == 2


def test_a_cell_that_never_ends_is_stopped_and_named(small_course):
    line = small_course.line("from course import claim, exercise")
    small_course.change("claim(", "import time\nwhile True: time.sleep(0.1)\nclaim(")
    lesson = read_lesson(small_course.lesson, small_course.root)
    with kernel_environment(offline=True):
        stopped = run(student(lesson), parameters={}, timeout=2)
    assert str(stopped.problems[0]) == f"{LESSON}:{line}: this cell ran longer than 2 s"


def test_output_that_is_no_text_is_named_and_not_written(small_course):
    line = small_course.change("claim(", "print('\\ud83d')\nclaim(")
    assert line and any(str(problem).startswith(f"{LESSON}:") for problem in built(small_course).lessons[0].problems)


def test_kernels_use_ipc_and_not_tcp(small_course):
    small_course.change(
        'print(len(words), "words on", PROFILE)',
        "import json, ipykernel.connect\nprint(json.loads(ipykernel.connect.get_connection_info())['transport'])",
    )
    assert built(small_course).passed
    solution = (small_course.root / "build" / "solutions" / "01_counting.ipynb").read_text(encoding="utf-8")
    assert '"ipc\\n"' in solution


def test_the_profile_reaches_the_notebook(small_course):
    assert built(small_course, profile="hub").passed
    out = small_course.root / "build" / "hub"
    page = (out / "site" / "01_counting.html").read_text(encoding="utf-8")
    assert "3 words on hub" in page and 'PROFILE = "hub"' in re.sub(r"<[^>]*>", "", page)
    student = nbformat.read(out / "student" / "01_counting.ipynb", as_version=4)
    assert 'PROFILE = "hub"' in student.cells[2].source


def test_a_claim_that_fails_names_its_line(small_course):
    line = small_course.change("len(words) == 3", "len(words) == 4")
    assert failures(small_course) == [f"{LESSON}:{line}: this claim does not hold: three words"]


def test_an_answer_that_is_not_accepted_names_its_line(small_course):
    line = small_course.change("doubled = number + number", "doubled = number", solution=True) - 1
    assert failures(small_course) == [
        f"{SOLUTION}:{line}: the answer to exercise 1.2 is not accepted: That is the number itself."
    ]


def test_an_answer_that_raises_names_its_line(small_course):
    line = small_course.change("count = len(words)", "count = len(wrds)", solution=True)
    assert failures(small_course) == [f"{SOLUTION}:{line}: NameError: name 'wrds' is not defined"]


def test_a_cell_that_raises_names_its_line(small_course):
    line = small_course.change("claim(", "1 / 0\nclaim(")
    assert failures(small_course) == [f"{LESSON}:{line}: ZeroDivisionError: division by zero"]


def test_a_failed_lesson_leaves_nothing_published_and_the_failing_notebook_to_look_at(small_course):
    assert built(small_course).passed
    small_course.change("len(words) == 3", "len(words) == 4")
    assert not built(small_course).passed
    assert set(digests(small_course)) == {"site/index.html"}
    assert (small_course.root / "build" / "failed" / "01_counting (student).ipynb").is_file()
    small_course.change("len(words) == 4", "len(words) == 3")
    assert built(small_course).passed
    assert not list((small_course.root / "build" / "failed").iterdir())


def test_a_check_that_passes_on_the_stub(small_course):
    text = small_course.lesson.read_text(encoding="utf-8")
    start, end = text.index("    assert answer != 2"), text.index('\n\n\n# %% exercise="1.2"')
    small_course.lesson.write_text(text[:start] + '    assert words, "No words."' + text[end:], encoding="utf-8")
    line = small_course.line('with exercise("1.1"')
    assert failures(small_course) == [
        f"{LESSON}:{line}: the check of exercise 1.1 passes on the stub: it must use the answer"
    ]


def test_a_wrong_answer_that_passes(small_course):
    small_course.change("return number**2", "return 2 * number", solution=True)
    line = small_course.line("return 2 * number", solution=True) - 1
    assert failures(small_course) == [
        f"{SOLUTION}:{line}: this wrong answer to exercise 1.2 is taken as passed: the check misses it"
    ]


def test_what_is_wrong_of_the_shipped_model_only_may_pass_on_another(small_course):
    """Held to its advice on that profile, tried on all."""
    small_course.change("count = 4", "count = 3 if PROFILE == 'hub' else 4", solution=True)
    wrong = '# %% wrong="1.1" advice="A full stop is no word."'
    assert not built(small_course, profile="hub").passed
    small_course.change(wrong, f'{wrong} profile="shipped"', solution=True)
    assert built(small_course, profile="hub").passed and built(small_course).passed


def test_a_wrong_answer_that_gets_other_advice(small_course):
    small_course.change('advice="A full stop is no word."', 'advice="A comma is no word."', solution=True)
    (said,) = failures(small_course)
    assert "should be told 'A comma is no word.', but is told 'A full stop is no word.'" in said


def test_a_lesson_whose_output_changes_from_run_to_run(small_course):
    small_course.change('print(len(words), "words on", PROFILE)', "import os\nprint(os.getpid())")
    (said,) = failures(small_course)
    assert "a second run differs" in said and said.startswith(f"{LESSON}:{small_course.line('from course import')}: ")


def test_nothing_compared_is_a_failure(small_course):
    text = small_course.lesson.read_text(encoding="utf-8")
    start, end = text.index("from course import"), text.index("# %% [markdown]\n# ### Exercise 1.1")
    text = text[:start].replace("count (1.1, 1.2)", "count")
    small_course.lesson.write_text(text + "words = []\n", encoding="utf-8")
    small_course.solution.write_text("", encoding="utf-8")
    assert end and any(
        "no cell of this lesson has an output that could be compared" in p for p in failures(small_course)
    )


def test_an_answer_in_the_lesson_is_a_leak(small_course):
    small_course.change("# A lesson with", "# Psst: `doubled = number + number`. A lesson with")
    said = failures(small_course)
    assert len(said) == 2 and all("`doubled = number + number` of the answer to exercise 1.2" in line for line in said)
    assert "student notebook" in said[0] or "student notebook" in said[1]


def test_output_on_stderr_and_paths_of_the_machine_are_refused(small_course):
    line = small_course.line("from course import claim, exercise")
    small_course.change("claim(", "import os, warnings\nwarnings.warn('debris')\nprint(os.getcwd())\nclaim(")
    said = failures(small_course)
    assert said[0].startswith(f"{LESSON}:{line}: this cell") and any("writes to stderr" in problem for problem in said)
    assert any("shows a path of this machine" in problem for problem in said)


def test_a_cell_that_was_passed_over_is_named(small_course):
    draft = student(read_lesson(small_course.lesson, small_course.root))
    notebook = draft.notebook()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None if "def twice" in cell.source else 1
    (found,) = _never_run(draft, notebook)
    assert str(found) == f"{LESSON}:{small_course.line('def twice(number):')}: this cell was never run"


def test_a_kernel_that_dies_is_named(small_course):
    line = small_course.line("from course import claim, exercise")
    small_course.change("claim(", "import os\nos._exit(3)\nclaim(")
    assert failures(small_course)[0] == f"{LESSON}:{line}: the kernel ended in this cell with exit code 3"


def test_one_bad_lesson_does_not_stop_the_others(small_course):
    other = small_course.root / "lessons" / "02_broken.py"
    other.write_text("x = = 1\n", encoding="utf-8")
    report = built(small_course)
    assert [lesson.passed for lesson in report.lessons] == [True, False] and not report.passed
    assert str(report.lessons[1].problems[0]) == "lessons/02_broken.py:1: this is not valid Python: invalid syntax"
    site = small_course.root / "build" / "site"
    for page in site.glob("*.html"):
        for target in re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8")):
            assert (site / target).is_file(), f"{page.name} links to {target}"


def test_only_builds_what_was_asked_for_and_keeps_the_rest(small_course):
    assert built(small_course).passed
    (small_course.root / "build" / "student" / "09_other.ipynb").write_text("{}", encoding="utf-8")
    assert built(small_course, only=["01"]).passed
    assert (small_course.root / "build" / "student" / "09_other.ipynb").is_file()
    assert built(small_course).passed
    assert not (small_course.root / "build" / "student" / "09_other.ipynb").exists()


def test_asking_for_no_lesson_says_which_there_are(small_course):
    with pytest.raises(LessonError, match="no lesson begins with '7'; there are 01_counting"):
        built(small_course, only=["7"])
    with pytest.raises(LessonError, match="there is no lesson here"):
        build(Path(small_course.root, "lessons"), say=print)


def course_of(course, names: list[str]) -> None:
    """The same lesson under several names."""
    for name in names:
        for source in (course.lesson, course.solution):
            source.with_name(f"{name}.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")


def test_side_by_side_gives_the_same_bytes_and_a_report_in_order(small_course):
    course_of(small_course, ["02_again", "03_again"])
    report = built(small_course)
    assert report.passed
    one_by_one = digests(small_course)
    shutil.rmtree(small_course.root / "build")
    shown: list[tuple[list[str], int, int]] = []
    report = built(small_course, jobs=2, show=lambda *told: shown.append(told))
    assert report.passed and [lesson.name for lesson in report.lessons] == ["01_counting", "02_again", "03_again"]
    assert digests(small_course) == one_by_one and all(lesson.memory > 1 << 20 for lesson in report.lessons)
    assert all(0 < lesson.in_cells < sum(lesson.ran.values()) for lesson in report.lessons)
    assert max(len(now) for now, _, _ in shown) == 2 and shown[-1] == ([], 2, 3)


def test_fail_fast_leaves_the_rest_as_it_was(small_course):
    small_course.change("claim(", "open('/dev/null')\nclaim(")
    course_of(small_course, ["02_again"])
    assert built(small_course).passed
    before = digests(small_course)
    small_course.change("open('/dev/null')", "1 / 0")
    course_of(small_course, ["02_again"])
    report = built(small_course, fail_fast=True)
    (failed,), (left,) = report.lessons, report.left
    assert {failed.name, left} == {"01_counting", "02_again"} and not report.passed
    assert report.summary() == "0 lessons passed, 1 failed, 1 left, as one failed."
    now = digests(small_course)
    assert {name for name in now if left in name} == {name for name in before if left in name}
    assert not [name for name in now if failed.name in name]
    assert built(small_course).left == [] and set(digests(small_course)) == {"site/index.html"}
