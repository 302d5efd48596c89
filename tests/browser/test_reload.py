"""An open page of a build that watches, in a real Chromium: it shows what was saved, at the same place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from course.building.serving import Site, serving
from tests.building.conftest import LESSON, SOLUTION
from tests.building.watched import Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def open_address(chromium):
    """Opens an address of this machine; what else is asked for, and all errors but refusals, are noted."""
    contexts = []

    def open_address(address: str):
        context = chromium.new_context(viewport={"width": 900, "height": 600})
        contexts.append(context)
        page, problems = context.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "ontent Security" in said.text else None)
        page.on("request", lambda asked: asked.url.startswith(address) or problems.append(asked.url))
        page.goto(address)
        return page, problems

    yield open_address
    for context in contexts:
        context.close()


def tall(text: str) -> str:
    body = f"<h1>{text}</h1>" + "".join(f"<p>paragraph {number}</p>" for number in range(200))
    return f"<!DOCTYPE html>\n<html><head><title>x</title></head>\n<body>\n{body}\n</body>\n</html>\n"


SHOWS = "text => document.body && document.body.innerText.includes(text)"


def until(page, condition: str, argument: str | None = None) -> None:
    """Wait for a condition, over any number of reloads; these pages allow what Playwright does for that."""
    page.wait_for_function(condition, arg=argument, timeout=60_000)


def test_a_page_that_changes_fails_and_comes_back(tmp_path, open_address):
    site, file = Site(tmp_path), tmp_path / "01_one.html"
    file.write_text(tall("first"))
    with serving(site) as port:
        page, problems = open_address(f"http://127.0.0.1:{port}/")
        until(page, SHOWS, "is shown as soon as its lesson passes")  # no index yet
        (tmp_path / "index.html").write_text(tall("all lessons"))
        until(page, SHOWS, "all lessons")
        page.goto(f"http://127.0.0.1:{port}/01_one.html")
        page.evaluate("scrollTo(0, 1234)")
        page.evaluate("window.old = true")
        file.write_text(tall("second"))
        until(page, SHOWS, "second")
        until(page, "() => scrollY === 1234 && window.old === undefined")
        file.unlink()
        site.ended({"01_one": ["lessons/01_one.py:3: <script>window.pwned = 1</script>"]})
        until(page, SHOWS, "lessons/01_one.py:3: <script>")
        until(page, "() => scrollY === 1234")
        assert page.get_by_role("alert").bounding_box()["y"] < 10 and page.evaluate("window.pwned === undefined")
        assert page.evaluate("document.body.innerText.includes('second')")
        site.ended({})
        until(page, SHOWS, "not there yet")
        file.write_text(tall("third"))
        until(page, SHOWS, "third")
        assert page.get_by_role("alert").count() == 0 and problems == []
        page.evaluate("window.old = true")
        page.wait_for_timeout(1500)
        assert page.evaluate("window.old === true")  # it is loaded again only when it has changed


def test_a_page_says_that_its_checks_still_run_and_is_not_loaded_again_when_they_are_over(tmp_path, open_address):
    site, file = Site(tmp_path), tmp_path / "01_one.html"
    file.write_text(tall("first"))
    with serving(site) as port:
        page, problems = open_address(f"http://127.0.0.1:{port}/01_one.html")
        until(page, SHOWS, "first")
        said = page.get_by_role("status")
        assert said.inner_text() == "" and said.bounding_box()["height"] == 0
        site.began()
        site.preview("01_one", tall("second"))
        until(page, SHOWS, "second")
        until(page, SHOWS, "Its checks still run")
        assert 0 < said.bounding_box()["height"] < 60
        page.evaluate("window.old = true")
        file.write_text(tall("second"))
        site.ended({})
        until(page, "() => !document.body.innerText.includes('checks still run')")
        page.wait_for_timeout(1000)
        assert page.evaluate("window.old === true") and problems == []


def test_pictures_are_drawn_as_they_are_from_disk(built_course, open_address):
    with serving(Site(built_course.root / "build" / "site")) as port:
        page, problems = open_address(f"http://127.0.0.1:{port}/01_hostile.html")
        assert len(page.frames) == 5
        for frame in page.frames[1:]:
            frame.wait_for_selector("html.drawn", state="attached")
        assert page.evaluate("document.querySelectorAll('script').length") == 1
        assert page.evaluate("window.pwned === undefined") and problems == []


def test_a_lesson_that_is_saved_is_shown(tmp_path, tmp_path_factory, open_address):
    prose = "\n".join(f"# Paragraph {number}.\n#" for number in range(150))
    lesson = LESSON.replace("# A lesson with", f"{prose}\n# A lesson with")
    for folder, text in (("lessons", lesson), ("solutions", SOLUTION)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "01_counting.py").write_text(text, encoding="utf-8")
    tape = tmp_path_factory.mktemp("tape")
    with (
        tempfile.TemporaryDirectory(prefix="t") as temporary,
        Watched(tmp_path, Path(temporary), tape=tape) as watched,
    ):
        address = watched.until("Pages: ").split()[1]
        page, problems = open_address(address)
        until(page, SHOWS, "is shown as soon as its lesson passes")
        watched.waits()
        until(page, SHOWS, "Counting")
        page.get_by_role("link", name="Counting", exact=True).click()
        until(page, SHOWS, "3 words on shipped")
        page.evaluate("scrollTo(0, 2000)")
        source = tmp_path / "lessons" / "01_counting.py"
        source.write_text(lesson.replace("words on", "words now on"), encoding="utf-8")
        until(page, SHOWS, "3 words now on shipped")
        until(page, "() => scrollY === 2000")
        source.write_text(lesson.replace("words = ", "words = ("), encoding="utf-8")
        until(page, SHOWS, "is not valid Python")
        assert "lessons/01_counting.py:" in page.get_by_role("alert").inner_text()
        assert page.evaluate("document.body.innerText.includes('3 words now on shipped')")
        source.write_text(lesson, encoding="utf-8")
        until(page, SHOWS, "3 words on shipped")
        assert page.get_by_role("alert").count() == 0 and problems == []
