"""Published pages, opened from disk with no network: what was typed stays text, and everything is there."""

from __future__ import annotations

import pytest

from tests.views.synthetic import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(built_course, open_file):
    opened = open_file(built_course.root / "build" / "site" / "01_hostile.html")
    for frame in opened.page.frames[1:]:
        frame.wait_for_selector("html.drawn", state="attached")
    return opened


def test_nothing_typed_comes_alive_in_a_page(page):
    assert len(page.page.frames) == 5
    for frame in page.page.frames:
        assert frame.evaluate("window.pwned === undefined")
    assert (
        page.page.evaluate("document.querySelectorAll('script, object, svg, main style, main img:not([alt])').length")
        == 0
    )
    assert page.page.evaluate(
        "[...document.querySelectorAll('iframe')].every(f => f.sandbox.value === 'allow-scripts')"
    )
    assert page.problems == []


def test_what_was_typed_can_be_read(page):
    text = page.page.evaluate("document.body.textContent")
    for typed in HOSTILE[:24]:
        assert typed in text, typed
    assert page.page.title() == HOSTILE[6]


def test_the_index_lists_the_lesson_and_the_notebook_can_be_had(built_course, open_file):
    opened = open_file(built_course.root / "build" / "site" / "index.html")
    assert opened.page.get_by_role("link", name=HOSTILE[6]).get_attribute("href") == "01_hostile.html"
    target = opened.page.get_by_role("link", name="Download the notebook").get_attribute("href")
    assert (built_course.root / "build" / "site" / target).is_file()
    opened.page.get_by_role("link", name=HOSTILE[6]).click()
    opened.page.wait_for_selector("main h1")
    assert opened.page.evaluate("window.pwned === undefined") and opened.problems == []


def test_formulas_are_drawn_without_a_network(page):
    assert page.page.evaluate("document.querySelector('math').getBoundingClientRect().width") > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(built_course, open_file, scheme):
    opened = open_file(built_course.root / "build" / "site" / "01_hostile.html", scheme=scheme)
    ink, paper = (
        opened.page.evaluate(f"getComputedStyle(document.body).{which}.match(/[0-9]+/g).slice(0, 3).map(Number)")
        for which in ("color", "backgroundColor")
    )
    assert abs(sum(ink) - sum(paper)) > 400


def test_a_phone_sees_all_of_the_page(built_course, open_file):
    opened = open_file(built_course.root / "build" / "site" / "01_hostile.html", width=400)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400
