"""The page of deletion curves in real Chromium: its lines, its words, its keys, and its width."""

import re

import pytest

import course
from tests.views.synthetic import HOSTILE
from tests.views.test_curve_view import curve_of

pytestmark = pytest.mark.browser

DRAWN = "html.drawn .plot path.line0"


def heights(frame, line):
    """The values of a line, read off its path in the page's own scale."""
    path = frame.locator(f".plot .line{line}").get_attribute("d")
    rules = sorted(
        float(one) for one in frame.locator(".rule").evaluate_all("all => all.map(r => r.getAttribute('y1'))")
    )
    top, bottom = rules[0], rules[-1]
    return [(bottom - float(y)) / (bottom - top) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_go_through_the_values_and_differ_to_the_eye(shown, scheme):
    curves = [curve_of(), curve_of((0.9, 0.8, 0.1, 0.6), method="attention")]
    frame, opened = shown(course.curve_view(*curves), scheme=scheme)
    for i, curve in enumerate(curves):
        assert heights(frame, i) == pytest.approx(list(curve.curve), abs=0.002)
    looks = frame.locator(".plot .line").evaluate_all(
        "all => all.map(one => getComputedStyle(one).stroke + getComputedStyle(one).strokeDasharray)"
    )
    assert len(set(looks)) == 3 and opened.problems == []


def test_steps_are_read_by_pointer_and_by_keys(shown):
    frame, opened = shown(course.curve_view(curve_of()))
    plot, readout = frame.locator(".plot"), frame.locator(".readout")
    plot.focus()
    for key, step in (("ArrowRight", 1), ("End", 3), ("ArrowRight", 3), ("ArrowLeft", 2), ("Home", 0), ("PageDown", 3)):
        opened.page.keyboard.press(key)
        assert plot.get_attribute("aria-valuenow") == str(step)
        assert readout.text_content() == plot.get_attribute("aria-valuetext")
        assert readout.text_content().startswith(f"{step} of 3 removed: occlusion")
    box = plot.bounding_box()
    plot.hover(position={"x": box["width"] / 3, "y": 40})
    assert readout.text_content().startswith("1 of 3 removed: occlusion 0.400 (−good)")
    plot.hover(position={"x": 1, "y": 40})
    assert readout.text_content().startswith("0 of 3")
    assert opened.problems == []


@pytest.mark.parametrize("width", [380, 620, 750, 960, 1300])
def test_pictures_fit_on_every_width(shown, width):
    texts = tuple(f"token{i}" for i in range(60))
    curves = [curve_of([0.9] * 61, texts, method=method) for method in
              ("occlusion", "attention", "integrated_gradients", "gradient_x_input")]  # fmt: skip
    frame, opened = shown(course.curve_view(*curves), width=width)
    assert frame.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert frame.evaluate("document.querySelector('main').getBoundingClientRect().bottom - innerHeight") <= 0
    inside = frame.evaluate("document.querySelector('.plot svg').getBoundingClientRect().bottom - innerHeight")
    assert inside <= 0, "the page is cut off"
    overlaps = frame.evaluate("""() => {
      const ticks = [...document.querySelectorAll(".plot text")].filter((one) => /^\\d+$/.test(one.textContent)
        && one.getAttribute("text-anchor") === "middle").map((one) => one.getBoundingClientRect());
      return ticks.slice(1).filter((one, i) => one.left < ticks[i].right).length;
    }""")
    assert overlaps == 0 and opened.problems == []


def test_hostile_text_stays_text(shown):
    texts = HOSTILE[:18]
    curve = curve_of([0.5] * (len(texts) + 1), texts, label=HOSTILE[0], model=HOSTILE[1])
    frame, opened = shown(course.curve_view(curve, names=[HOSTILE[2]]))
    for _ in range(len(texts)):
        frame.locator(".plot").press("ArrowRight")
    allowed = "HTML HEAD META TITLE STYLE SCRIPT BODY H1 MAIN DIV ASIDE P SPAN SVG LINE PATH TEXT"
    found = frame.evaluate("[...document.querySelectorAll('*')].map(one => one.tagName.toUpperCase())")
    assert set(found) <= set(allowed.split()) and opened.problems == []
