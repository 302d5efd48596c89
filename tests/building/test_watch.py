"""Saves while the build watches: only what they change is done, never with anything old, and nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.building.conftest import LESSON, SOLUTION, save
from tests.building.watched import ROOT, Watched

pytestmark = pytest.mark.slow

RUNS = {"student", "solution", "wrong answers", "second run", "pages"}
PRINTS = 'print(len(words), "words on", PROFILE)'


@pytest.fixture
def temporary():
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # short: sockets have short names
        yield Path(folder)


@pytest.fixture
def kit(small_course):
    """A copy of the kit, whose code may be changed, with the small course for its lessons."""
    root, ignored = small_course.root, shutil.ignore_patterns("__pycache__", "weights")
    shutil.copytree(ROOT / "course", root / "course", ignore=ignored)
    (root / "course" / "models" / "weights").symlink_to(ROOT / "course" / "models" / "weights")
    shutil.copy(ROOT / "build.py", root)
    return small_course


def second_lesson(course, text=LESSON, name="02_again") -> None:
    save(course.root / "solutions" / f"{name}.py", SOLUTION)
    save(course.root / "lessons" / f"{name}.py", text)


def test_prose_runs_nothing_and_code_only_the_runs_of_its_lesson(small_course, tape, temporary):
    second_lesson(small_course)
    with Watched(small_course.root, temporary, tape=tape) as watched:
        watched.waits()
        small_course.change("A lesson with the formula", "Here is the formula")
        watched.waits()
        assert watched.ran() == {"01_counting": {"pages"}, "02_again": set()}
        assert "Here is the formula" in watched.page("01_counting")
        small_course.lesson.touch()
        (small_course.root / "lessons" / "notes.txt").write_text("nothing that is built")
        time.sleep(1)  # so that no build reads the next save half written
        small_course.change("return number**2", "return number**3", solution=True)
        watched.waits()
        assert watched.ran() == {"01_counting": {"wrong answers", "pages"}, "02_again": set()}
        small_course.change("return number**3", "return number**2", solution=True)
        small_course.change("Here is the formula", "A lesson with the formula")
        watched.waits()
        assert watched.ran() == {"01_counting": set(), "02_again": set()}  # it was there before
        assert watched.unheard() == [] and not [line for line in watched.lines if "anew" in line]


def test_what_a_lesson_imports_is_imported_anew(kit, temporary):
    package = kit.root / "course" / "__init__.py"
    word, helper = kit.root / "course" / "word.py", kit.root / "helper.py"
    for module in (word, helper):
        module.write_text('WORD = "first"\n', encoding="utf-8")
    kit.change(PRINTS, "import course, course.word, helper\nprint(course.word.WORD, helper.WORD, course.__doc__[:9])")
    with Watched(kit.root, temporary) as watched:
        watched.waits()
        assert "first first" in watched.page("01_counting")
        for text in ("after", "later"):  # of the same size, soon after each other
            word.write_text(f'WORD = "{text}"\n', encoding="utf-8")
            watched.waits()
            assert watched.ran() == {"01_counting": RUNS} and f"{text} first" in watched.page("01_counting")
        assert "runs again next time" not in (kit.root / "build" / "report.md").read_text(encoding="utf-8")
        for text in ("other", "third"):
            helper.write_text(f'WORD = "{text}"\n', encoding="utf-8")
            watched.waits()
            assert watched.ran() == {"01_counting": RUNS} and f"later {text}" in watched.page("01_counting")
        package.write_text(package.read_text(encoding="utf-8").replace('"""', '"""Quite new. ', 1), encoding="utf-8")
        watched.waits()
        assert watched.ran() == {"01_counting": RUNS} and "later third Quite new" in watched.page("01_counting")
        (kit.root / "course" / "tokens.py").write_text("1 +", encoding="utf-8")  # no lesson uses it
        word.write_text("WORD = (", encoding="utf-8")
        assert "lessons/01_counting.py" in watched.until("never closed")
        word.write_text('WORD = "final"\n', encoding="utf-8")
        watched.until("1 lessons passed")
        assert "final third" in watched.page("01_counting")
    assert not [line for line in watched.lines if "Traceback" in line or "one by one" in line]


def test_what_is_saved_while_a_build_runs_is_built_afterwards(kit, temporary):
    data = kit.root / "words.txt"
    data.write_text("first")
    kit.change(PRINTS, f"import time\ntime.sleep(1.5)\nprint(open({str(data)!r}).read(), 'from disk')")
    with Watched(kit.root, temporary, "--jobs", "1") as watched:
        watched.until("01_counting …")
        time.sleep(1)
        kit.change("'from disk'", "'from the disk'")
        data.write_text("second")
        watched.shows("01_counting", "second from the disk")
        data.write_text("third")
        watched.until("01_counting …")
        time.sleep(1)
        data.write_text("fourth")
        watched.shows("01_counting", "fourth from the disk")


def test_a_page_can_be_seen_before_all_is_checked_and_is_published_after(kit, temporary):
    with Watched(kit.root, temporary) as watched:
        watched.waits()
        kit.change("count = 2\n", "import time\n\ntime.sleep(4)\ncount = 2\n", solution=True)
        watched.waits()
        assert watched.served("01_counting")[0] == "over"
        kit.change("words on", "words of")
        watched.until("01_counting …")
        while "words of" not in (found := watched.served("01_counting"))[1]:
            time.sleep(0.05)
        assert found[0] == "running" and "words of" not in watched.page("01_counting") and not watched.unheard()
        watched.waits()
        assert watched.served("01_counting") == ("over", found[1]) and "words of" in watched.page("01_counting")
        kit.change("Counting starts at one", "Nobody says that", solution=True)
        watched.until("01_counting FAILED")
        watched.waits()
        checks, page = watched.served("01_counting")
        assert checks == "over" and "FAILED" in page and "words of" in page


def test_a_page_that_does_not_show_all_is_not_shown_ahead(small_course, tape, temporary):
    with Watched(small_course.root, temporary, tape=tape) as watched:
        watched.waits()
        before = watched.page("01_counting")
        small_course.change("words = ", "more = 1\n\n# %% [markdown]\n# And $x^$.\n\n# %%\nwords = ")
        watched.until("the formula x\\^ cannot be read")
        watched.waits()
        assert watched.ran()["01_counting"] == {"student", "solution"}
        _, page = watched.served("01_counting")
        assert "the formula x^ cannot be read" in page and "<code>x^</code>" not in page
        small_course.change("And $x^$", "And $x$")
        watched.waits()
        assert "<math" in watched.page("01_counting") and watched.page("01_counting") != before


def test_lessons_that_come_and_go(small_course, tape, temporary):
    site = small_course.root / "build" / "site"
    with Watched(small_course.root, temporary, tape=tape) as watched:
        watched.waits()
        second_lesson(small_course)
        watched.until("2 lessons passed")
        assert "02_again.html" in watched.page("01_counting")
        for folder in ("lessons", "solutions"):
            (small_course.root / folder / "02_again.py").rename(small_course.root / folder / "05_later.py")
        watched.until("05_later passed")
        watched.until("2 lessons passed")
        assert {path.name for path in site.glob("0*.html")} == {"01_counting.html", "05_later.html"}
        (small_course.root / "lessons" / "05_later.py").unlink()
        watched.until("1 lessons passed")
        assert not (site / "05_later.html").exists() and "05_later" not in watched.page("01_counting")
        small_course.lesson.unlink()
        watched.until("there is no lesson here")
        small_course.lesson.write_text(LESSON, encoding="utf-8")
        watched.until("1 lessons passed")


def test_a_lesson_that_fails_is_told_and_waits_for_its_repair(kit, temporary):
    second_lesson(kit)
    missing = kit.root / "words.txt"
    with Watched(kit.root, temporary, "--jobs", "1") as watched:
        watched.waits()
        line = kit.change("words on", 'words on", open(' + repr(str(missing)) + ').read(), "')
        assert f"lessons/01_counting.py:{line}: " in watched.until("FileNotFoundError")
        watched.until("1 lessons passed, 1 failed")
        second_lesson(kit, LESSON.replace("A lesson", "One lesson"))
        watched.waits()
        assert watched.ran() == {"01_counting": set(), "02_again": {"pages"}}
        kit.lesson.touch()  # saved once more: tried once more
        watched.until("FileNotFoundError")
        missing.write_text("at last")
        watched.until("2 lessons passed")
        assert "at last" in watched.page("01_counting")
        kit.change("words = ", "words = (")
        watched.until("01_counting FAILED")
        assert watched.until(":") == "  lessons/01_counting.py:19: this is not valid Python: '(' was never closed"
        kit.change("words = (", "words = ")
        watched.until("2 lessons passed")
    assert not [line for line in watched.lines if "Traceback" in line]


def test_its_own_code_starts_it_anew_at_the_same_address(kit, temporary):
    own = kit.root / "course" / "building" / "site.py"
    code = own.read_text(encoding="utf-8")
    with Watched(kit.root, temporary) as watched:
        address = watched.until("Pages: ").split(" – ")[0]
        watched.waits()
        process = watched.process.pid
        save(own, code + "\nx = (\n")
        watched.until(r"course/building/site.py:\d+: '\(' was never closed")
        save(own, code.replace("About {lesson", "Roughly {lesson"))
        watched.until("the build's own code changed: the watch starts anew")
        assert watched.until("Pages: ").startswith(address)
        watched.waits()
        assert watched.process.pid == process and "Roughly 5 minutes" in watched.page("index")
        watched.process.send_signal(signal.SIGINT)
        assert watched.process.wait(60) == 130
    assert not list(temporary.iterdir())


def test_it_waits_for_the_repair_of_its_own_code(kit, temporary):
    own = kit.root / "course" / "building" / "site.py"
    code = own.read_text(encoding="utf-8")
    save(own, code + "\nx = (\n")
    with Watched(kit.root, temporary) as watched:
        watched.until(r"course/building/site.py:\d+: '\(' was never closed")
        save(own, code)
        watched.until("the build's own code changed: the watch starts anew")
        watched.waits()


@pytest.mark.parametrize("when", ["waits", "builds"])
def test_ctrl_c_ends_everything(small_course, temporary, when):
    if when == "builds":
        small_course.change("claim(", "import time\nprint(time.sleep(600))\nclaim(")
    (temporary / "tape").mkdir()
    with Watched(small_course.root, temporary, tape=temporary / "tape") as watched:
        watched.waits() if when == "waits" else watched.until("01_counting …")
        time.sleep(3 if when == "builds" else 0.5)
        started = watched.processes()
        watched.process.send_signal(signal.SIGINT)
        assert watched.process.wait(60) == 130
    assert started and not psutil.wait_procs(started, 5)[1]
    assert [path.name for path in temporary.iterdir()] == ["tape"]
    assert watched.unheard() == ["stopped; what was written is complete"]
    assert not (small_course.root / "build" / ".building.json").exists()


def test_kill_ends_everything_while_it_waits(small_course, tape, temporary):
    with Watched(small_course.root, temporary, tape=tape) as watched:
        watched.waits()
        started = watched.processes()
        watched.process.kill()
    assert started and not psutil.wait_procs(started, 10)[1]
    assert not list(temporary.iterdir())


def test_another_build_may_run_while_it_waits(small_course, tape, temporary):
    with Watched(small_course.root, temporary, tape=tape) as watched:
        watched.waits()
        other = [os.sys.executable, "-m", "tests.building.tape", str(tape), str(small_course.root)]
        done = subprocess.run(other, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        assert done.returncode == 0
        small_course.change("words on", "words now on")
        watched.waits()
        assert watched.ran()["01_counting"] == RUNS


def test_a_port_that_is_taken_is_told(small_course, tape, temporary):
    with Watched(small_course.root, temporary, tape=tape) as watched:
        port = watched.until("Pages: ").split("/")[2].split(":")[1]
        with Watched(small_course.root, temporary, "--port", port, tape=tape) as late:
            assert "is taken: choose another with --port" in late.until(".")
            assert late.process.wait(60) == 2
