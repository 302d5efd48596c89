"""Only what changed: which edit runs what, and the same bytes as a clean build each time."""

from __future__ import annotations

import hashlib
import shutil

import nbformat
import pytest

from course.building.assemble import build
from course.building.plan import Plan
from course.building.why import why
from tests.building.tape import on_tape

pytestmark = pytest.mark.slow

RUNS = ["execute", "execute", "execute", "run_again"]


def published(course) -> dict[str, str]:
    out = course.root / "build"
    paths = [path for part in ("student", "solutions", "site") for path in (out / part).rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def built(course, tape, **options) -> list[str]:
    """Build, and return which runs that took."""
    with on_tape(tape) as asked:
        report = build(course.root, say=lambda _line: None, **options)
    assert report.passed, report.markdown()
    return asked


def clean(course, tape) -> dict[str, str]:
    """What a build from nothing publishes of the same sources."""
    shutil.rmtree(course.root / "build")
    assert built(course, tape) == RUNS
    return published(course)


def test_nothing_changed_runs_and_writes_nothing(small_course, tape):
    assert built(small_course, tape) == RUNS
    out = small_course.root / "build"
    before = {path: path.stat().st_mtime_ns for part in ("student", "site") for path in (out / part).rglob("*")}
    assert built(small_course, tape) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert list(why(small_course.root, [])) == ["01_counting: nothing has changed"]


def test_new_dates_run_nothing(small_course, tape):
    built(small_course, tape)
    for path in [*small_course.root.rglob("*.py"), *small_course.root.rglob("*.html")]:
        path.write_bytes(path.read_bytes())
        path.touch()
    assert built(small_course, tape) == []


def test_prose_runs_nothing_and_is_published(small_course, tape):
    built(small_course, tape)
    small_course.change("A lesson with the formula", "Here is the formula")
    small_course.change("title: Counting", "title: Counting words")
    assert built(small_course, tape) == []
    student = nbformat.read(small_course.root / "build" / "student" / "01_counting.ipynb", as_version=4)
    assert "Here is the formula" in student.cells[2].source and "Counting words" in student.cells[0].source
    page = (small_course.root / "build" / "site" / "01_counting.html").read_text(encoding="utf-8")
    assert "Here is the formula" in page and "3 words on shipped" in page
    now = published(small_course)
    assert clean(small_course, tape) == now


def test_prose_that_gives_an_answer_away_is_still_caught(small_course, tape):
    built(small_course, tape)
    small_course.change("# A lesson with", "# Psst: `doubled = number + number`. A lesson with")
    with on_tape(tape) as asked:
        report = build(small_course.root, say=lambda _line: None)
    assert not report.passed and asked == [] and set(published(small_course)) == {"site/index.html"}


def test_advice_is_judged_again_without_a_run(small_course, tape):
    built(small_course, tape)
    small_course.change('advice="A full stop is no word."', 'advice="A comma is no word."', solution=True)
    with on_tape(tape) as asked:
        report = build(small_course.root, say=lambda _line: None)
    assert not report.passed and asked == []
    assert (small_course.root / "build" / "failed" / "01_counting (wrong answers).ipynb").is_file()


def test_a_wrong_answer_runs_only_the_wrong_answers(small_course, tape):
    built(small_course, tape)
    small_course.change("return number**2", "return number**3", solution=True)
    said = list(why(small_course.root, ["01"]))
    assert said[:3] == [
        "01_counting: student is taken from the store",
        "01_counting: solution is taken from the store",
        "01_counting: wrong answers runs again: the code or a wrong answer changed",
    ]
    assert built(small_course, tape) == ["execute"]
    now = published(small_course)
    assert clean(small_course, tape) == now


def test_going_back_to_an_earlier_text_runs_nothing(small_course, tape):
    built(small_course, tape)
    first = published(small_course)
    small_course.change("return number**2", "return number**3", solution=True)
    assert built(small_course, tape) == ["execute"]
    small_course.change("return number**3", "return number**2", solution=True)
    assert built(small_course, tape) == [] and published(small_course) == first


def test_what_someone_changed_under_build_is_put_right(small_course, tape):
    built(small_course, tape)
    first = published(small_course)
    out = small_course.root / "build"
    (out / "student" / "01_counting.ipynb").write_text("{}")
    (out / "site" / "01_counting.html").unlink()
    (out / "site" / "index.html").write_text("mine")
    assert built(small_course, tape) == [] and published(small_course) == first


def test_a_file_that_the_lesson_read_and_a_module_that_it_did_not(small_course, tape):
    data = small_course.root / "words.txt"
    data.write_text("the cat sat")
    small_course.change('"the cat sat".split()', f"open({str(data)!r}).read().split()")
    built(small_course, tape)
    (small_course.root / "README.md").write_text("new")
    assert list(why(small_course.root, [])) == ["01_counting: nothing has changed"]
    data.write_text("the dog sat")
    assert "01_counting: solution runs again: ./words.txt changed" in list(why(small_course.root, []))
    data.unlink()
    assert "01_counting: student runs again: ./words.txt is gone" in list(why(small_course.root, []))


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("exercises.py", "student runs again: how the build runs notebooks changed"),
        ("building/recording.py", "student runs again: how the build runs notebooks changed"),
        ("tokens.py", None),
        ("building/site.py", "pages are made again: how the build makes pages changed"),
        ("building/page.css", "pages are made again: how the build makes pages changed"),
        ("building/cli.py", "pages are written again from the store"),
        ("views/page.py", None),
    ],
)
def test_which_file_of_the_course_means_what(small_course, tape, monkeypatch, of, says):
    """The files are not touched: only their hash seems another."""
    built(small_course, tape)
    real = __import__("course.building.digests", fromlist=["x"]).Digests.first
    monkeypatch.setattr(
        "course.building.digests.Digests.first", lambda self, path: "x" if path.endswith(of) else real(self, path)
    )
    said = list(why(small_course.root, []))
    assert (f"01_counting: {says}" in said) if says else said == ["01_counting: nothing has changed"]


@pytest.mark.parametrize(
    ("kind", "name", "value", "says"),
    [
        ("package", "torch-9.9", "new", "the package torch-9.9 is new"),
        ("machine", "Python", "4.0", "the machine Python changed"),
        ("variable", "OMP_NUM_THREADS", "x", "the variable OMP_NUM_THREADS"),
    ],
)
def test_other_surroundings_run_everything_again(small_course, tape, monkeypatch, kind, name, value, says):
    built(small_course, tape)
    plan = Plan(small_course.root, small_course.root / "build", "shipped")
    plan.look_around()
    found = plan._surroundings
    changed = {**found, kind: {**found[kind], name: value}}
    monkeypatch.setattr("course.building.plan.surroundings", lambda _digests: changed)
    said = list(why(small_course.root, []))
    assert said[0].startswith(f"01_counting: student runs again: {says}") and "taken from" not in " ".join(said)


def test_what_a_process_has_imported_is_outdated_when_code_or_surroundings_are_others(small_course, monkeypatch):
    first, now = (Plan(small_course.root, small_course.root / "build", "shipped") for _ in range(2))
    first.look_around()
    assert now.moved(first) is None
    found = {**first._surroundings, "package": {**first._surroundings["package"], "torch-9.9": "new"}}
    with monkeypatch.context() as patch:
        patch.setattr("course.building.plan.surroundings", lambda _digests: found)
        later = Plan(small_course.root, small_course.root / "build", "shipped")
        assert later.moved(first) == "the package torch-9.9 is new"
    real = __import__("course.building.digests", fromlist=["x"]).Digests.first
    monkeypatch.setattr(
        "course.building.digests.Digests.first",
        lambda self, path: "x" if path.endswith("site.py") else real(self, path),
    )
    other = Plan(small_course.root, small_course.root / "build", "shipped")
    assert other.moved(first) == "the build's own code changed"


def test_a_profile_keeps_its_own_results(small_course, tape):
    built(small_course, tape)
    shipped = published(small_course)
    assert built(small_course, tape, profile="hub") == RUNS
    assert published(small_course) == shipped
    assert built(small_course, tape) == [] == built(small_course, tape, profile="hub")


def test_the_report_says_what_was_done_and_what_was_not(small_course, tape):
    built(small_course, tape)
    report = (small_course.root / "build" / "report.md").read_text(encoding="utf-8")
    assert "because it was not taken before" in report
    small_course.change("return number**2", "return number**3", solution=True)
    built(small_course, tape)
    report = (small_course.root / "build" / "report.md").read_text(encoding="utf-8")
    assert "taken from the store: student, solution, second run" in report
    assert "because the code or a wrong answer changed" in report
    built(small_course, tape)
    assert "Nothing: nothing has changed." in (small_course.root / "build" / "report.md").read_text(encoding="utf-8")


def test_another_limit_in_the_header_runs_the_lesson_again(small_course, tape):
    built(small_course, tape)
    small_course.change("# minutes: 5", "# minutes: 5\n# cell_seconds: 60")
    assert "solution runs again: a limit in the header changed" in " ".join(why(small_course.root, []))
    assert built(small_course, tape) == RUNS
