"""The page of heat over an image in real Chromium: its colours, its numbers, its keys, and what it must not do."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course.views import image_view
from course.views.image_colours import FALL, RISE, overlaid
from course.views.image_heats import heats_of
from course.views.palette import rgb
from tests.browser.test_accessibility import FOCUSABLE, NAMED, snapshot
from tests.views.synthetic import HOSTILE
from tests.views.test_image_view import looked, of_image, patches

pytestmark = pytest.mark.browser

DRAWN = "html.drawn .patch"


def known():
    """r0c1 +2, r1c2 −2, r2c0 +0.5, all others 0."""
    values = torch.zeros(13)
    values[2], values[7], values[9] = 2.0, -2.0, 0.5
    return of_image(values)


def screenshot(frame, selector):
    found = frame.locator(selector).first.screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(found)).convert("RGB")).astype(int)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_and_picture_show_the_same_heat(shown, scheme):
    record = known()
    frame, opened = shown(image_view(record), scheme=scheme)
    seen = screenshot(frame, ".stage")
    height, width = seen.shape[:2]
    expected = overlaid(heats_of([record], None)[0], (width, height), 2).astype(int)
    assert (np.abs(seen - expected).max(-1) <= 6).mean() > 0.95
    for patch, ink in ((1, RISE), (6, FALL)):
        style = frame.locator(".patch").nth(patch).evaluate("e => getComputedStyle(e).borderTopColor")
        assert tuple(map(int, re.findall(r"\d+", style)[:3])) == tuple(rgb(ink))
    assert frame.locator(".patch.for").count() == frame.locator(".patch.against").count() == 1
    assert frame.locator(".against").evaluate("e => getComputedStyle(e).borderTopStyle") == "dotted"
    assert opened.problems == []


def test_the_heat_can_be_switched_off_and_the_picture_stands_beside_it(shown):
    record = known()
    frame, opened = shown(image_view(record))
    beside = screenshot(frame, ".stage >> nth=1")
    rows, columns = (np.arange(size) * n // size for size, n in zip(beside.shape[:2], (6, 8), strict=True))
    expected = record.tokens.picture.rgb[rows][:, columns].astype(int)
    assert (np.abs(beside - expected).max(-1) <= 4).mean() > 0.95
    assert np.abs(screenshot(frame, ".stage") - beside).max() > 60
    frame.locator("#heat").uncheck()
    frame.locator("h1").hover()
    assert (np.abs(screenshot(frame, ".stage") - beside).max(-1) <= 4).mean() > 0.95
    frame.locator("#heat").check()
    assert frame.locator(".patch.for").count() == 1
    assert opened.problems == []


def test_arrow_keys_and_the_mouse_read_every_value(shown):
    frame, opened = shown(image_view(known()))
    readout = frame.locator(".readout")
    assert readout.text_content() == "Largest: r0c1 (row 0, column 1): +2.000, raises it"
    frame.locator(".patch").first.focus()
    for key, name, number in (
        ("ArrowRight", "r0c1", "+2.000"),
        ("ArrowDown", "r1c1", "0.000"),
        ("ArrowRight", "r1c2", "−2.000"),
        ("End", "r1c3", "0.000"),
        ("ArrowRight", "r1c3", "0.000"),
        ("PageDown", "r2c3", "0.000"),
        ("Home", "r2c0", "+0.500"),
        ("PageUp", "r0c0", "0.000"),
        ("ArrowUp", "r0c0", "0.000"),
    ):
        opened.page.keyboard.press(key)
        assert frame.evaluate("document.activeElement.getAttribute('aria-label')") == f"{name}: {number}"
        assert readout.text_content().startswith(f"{name} (row {name[1]}, column {name[3]}): {number}")
        assert frame.locator(".patches [tabindex='0']").count() == 1
    frame.locator(".patch").nth(6).hover()
    assert readout.text_content() == "r1c2 (row 1, column 2): −2.000, lowers it"
    assert opened.problems == []


def test_layers_heads_and_methods_can_be_chosen(shown):
    att = looked()
    frame, opened = shown(image_view([known(), att]))
    assert frame.locator("#name").is_hidden()
    options = frame.locator("#group option").all_text_contents()
    assert options == ["Integrated gradients", "Layer 0", "Layer 1"]
    frame.locator("#group").select_option("Layer 1")
    frame.locator("#name").select_option("head 2")
    row = att.weights[1, 2, 0]
    labels = frame.locator(".patch").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    assert labels == [f"{t}: {v:.3f}" for t, v in zip(att.tokens.texts[1:], row[1:].tolist(), strict=True)]
    assert f"[CLS] {float(row[0]):.3f}" in frame.locator(".notes").text_content()
    assert frame.locator(".for, .against").count() == 0 and frame.locator(".scale").text_content().startswith("0")
    frame.locator("#group").select_option("Layer 0")
    assert frame.locator("#name").input_value() == "head 2"
    assert frame.locator("figcaption").first.text_content() == "Layer 0, head 2"
    assert opened.problems == []


@pytest.mark.parametrize("width", [360, 480, 700, 960])
@pytest.mark.parametrize(
    "make", [lambda: image_view([known(), looked()]), lambda: image_view(of_image(tokens=patches(24, 12)))]
)
def test_it_fits_and_is_not_cut_off(shown, width, make):
    frame, opened = shown(make(), width=width)
    assert frame.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert frame.evaluate("document.querySelector('main').getBoundingClientRect().bottom - innerHeight") <= 0
    assert opened.problems == []


def test_without_a_mouse_and_without_sight(shown):
    frame, opened = shown(image_view([known(), looked()]))
    found = snapshot(frame)
    assert [role for role, rest in found if re.fullmatch(NAMED, role) and not re.match(r' "[^"]', rest)] == []
    roles = [role for role, _ in found]
    assert roles[0] == "heading" and roles.index("complementary") < roles.index("grid") < roles.index("status")
    assert roles.count("row") == 3 and roles.count("gridcell") == 12
    wanted = frame.evaluate(f"window.stops = ({FOCUSABLE})(); stops.length")
    reached = []
    for _ in range(wanted + 1):
        opened.page.keyboard.press("Tab")
        reached.append(frame.evaluate("document.hasFocus() ? stops.indexOf(document.activeElement) : -1"))
    assert wanted == 3 and reached == [0, 1, 2, -1]
    assert opened.problems == []


def test_hostile_names_stay_text(shown):
    for i in (0, 6, 12, 20, 30):
        tokens = patches(name=HOSTILE[i], notes=(HOSTILE[i + 1],))
        record = of_image(tokens=tokens, model=HOSTILE[i + 2], target=HOSTILE[i + 3], baseline=HOSTILE[i + 4])
        frame, opened = shown(image_view([record, of_image(tokens=tokens, target=HOSTILE[i + 5])]))
        frame.locator("#group").select_option(index=1)
        allowed = """HTML HEAD META TITLE STYLE SCRIPT BODY H1 MAIN DIV ASIDE P LABEL SELECT OPTION INPUT SPAN CANVAS
            FIGURE FIGCAPTION IMG"""
        tags = set(frame.evaluate("[...document.querySelectorAll('*')].map(one => one.tagName)"))
        assert tags <= set(allowed.split())
        assert opened.page.evaluate("window.pwned") is None and frame.evaluate("window.pwned") is None
        assert opened.problems == []
