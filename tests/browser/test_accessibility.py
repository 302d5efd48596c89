"""The views without a mouse, without sight, and at 200 % zoom, in real Chromium."""

import re

import pytest

from course.differences.attention_diff import diff
from course.views import diff_view, head_view, image_view, model_view
from course.views.neurons import neuron_view
from tests.browser.waiting import until
from tests.views.projected import projected
from tests.views.synthetic import PAIR, attention
from tests.views.test_image_view import looked, of_image

pytestmark = pytest.mark.browser

DRAWN = "html.drawn"
FOCUSABLE = """() => [...document.querySelectorAll('select, input, button, [tabindex]')]
    .filter(one => one.tabIndex >= 0 && one.getClientRects().length && !one.closest('[visibility=hidden]'))"""
NAMED = "application|button|checkbox|combobox|grid|gridcell|group|heading|img|list|listbox|option|table"
LONG = ("antidisestablishmentarianism", "otorhinolaryngologist", "a", "b")


def views():
    before, after = (attention(2, 4, PAIR, second=6, seed=seed) for seed in (1, 2))
    return {
        "head": head_view(before),
        "model": model_view(before),
        "grid": model_view(attention(2, 12, tuple(f"w{i}" for i in range(90)))),
        "diff": diff_view(diff(before, after)),
        "image": image_view([of_image(), looked()]),
        "neuron": neuron_view(projected(2, 4, PAIR, second=6)),
        "long words": diff_view(diff(attention(1, 2, LONG, seed=1), attention(1, 2, LONG, seed=2))),
    }


@pytest.fixture(scope="module", params=list(views()))
def view(request):
    return views()[request.param]


def snapshot(frame):
    """The accessibility tree: (role, the rest of its line) of every element."""
    lines = frame.locator("body").aria_snapshot().splitlines()
    found = (re.match(r"\s*- '?([a-z]+)(.*)", line) for line in lines)
    return [(one[1], one[2]) for one in found if one]


def test_every_control_and_picture_has_a_role_and_a_name(shown, view):
    frame, opened = shown(view)
    found = snapshot(frame)
    nameless = [role for role, rest in found if re.fullmatch(NAMED, role) and not re.match(r' "[^"]', rest)]
    assert nameless == []
    stops = frame.evaluate(f"({FOCUSABLE})().map(one => [one.tagName, one.getAttribute('role')])")
    assert stops and all(tag in ("SELECT", "INPUT", "BUTTON") or role for tag, role in stops)
    assert opened.problems == []


def test_it_is_read_in_the_order_in_which_it_is_seen(shown, view):
    frame, _ = shown(view)
    roles = [role for role, _ in snapshot(frame)]
    assert roles[0] == "heading"
    above = frame.evaluate("document.body.className === 'above'")
    legend, controls = roles.index("complementary"), roles.index("status" if "status" in roles else "group")
    pictures = max(roles.index(role) for role in ("grid", "group", "application") if role in roles)
    assert (legend < pictures) == above and (not above or legend < controls)


def test_tab_goes_through_all_there_is_and_out_again(shown, view):
    frame, opened = shown(view)
    wanted = frame.evaluate(f"window.stops = ({FOCUSABLE})(); stops.length")
    found = []
    for _ in range(wanted + 1):
        opened.page.keyboard.press("Tab")
        found.append(frame.evaluate("document.hasFocus() ? stops.indexOf(document.activeElement) : -1"))
    assert found[:-1] == list(range(wanted))
    assert found[-1] == -1
    assert wanted < 30  # no stop for each of many heads or tokens
    assert opened.problems == []


@pytest.mark.parametrize("width", [480, 360])
def test_at_200_percent_nothing_is_cut_and_everything_can_be_reached(shown, view, width):
    frame, opened = shown(view, width=width)
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = "e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
    assert frame.locator("html").evaluate(sizes) == [0, 0]
    cut = frame.evaluate("""() => [...document.querySelectorAll('body *')]
        .filter(one => !one.closest('.sheet, svg') && one.getClientRects().length)
        .filter(one => !['auto', 'scroll'].includes(getComputedStyle(one).overflowX))
        .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
        .map(one => one.outerHTML.slice(0, 120))""")
    assert cut == []
    for stop in frame.evaluate_handle(FOCUSABLE).get_properties().values():
        element = stop.as_element()
        element.focus()
        seen = element.evaluate("""one => {
            one.scrollIntoView({ block: 'nearest', inline: 'nearest' });
            const box = (one.querySelector('text') ?? one).getBoundingClientRect();
            const at = document.elementFromPoint(box.left + Math.min(box.width, innerWidth) / 2,
                                                 box.top + Math.min(box.height, 20) / 2);
            return box.left >= -1 && box.right <= innerWidth + 1 && (one.contains(at) || at.contains(one));
        }""")
        assert seen, element.evaluate("one => [one.outerHTML.slice(0, 200), one.getBoundingClientRect().toJSON()]")


def readout(frame):
    return frame.locator("#readout").text_content()


def largest(weights, texts):
    """The three largest weights as a page has them, which is within 1/510."""
    values, places = weights.mul(255).round().div(255).sort(descending=True, stable=True)
    found = zip(places[:3].tolist(), values[:3].tolist(), strict=True)
    return ", ".join(f"{texts[place]} {value:.2f}" for place, value in found)


def test_tokens_of_the_head_view_tell_their_numbers_to_mouse_and_keyboard(shown):
    att = attention(2, 4)
    frame, opened = shown(head_view(att, layer=1, heads=[2]))
    hint = readout(frame)
    assert hint.startswith("Point at a token")
    frame.locator("#left [role=option]").nth(2).hover()
    assert readout(frame) == f"Largest weights: cat → {largest(att.weights[1, 2, 2], att.keys.texts)}"
    frame.locator("h1").hover()
    until(frame, "hint => document.getElementById('readout').textContent === hint", hint)
    frame.locator("#right [role=option]").first.focus()
    for _ in range(3):
        opened.page.keyboard.press("ArrowDown")
    assert readout(frame) == f"Largest weights: sat ← {largest(att.weights[1, 2, :, 3], att.queries.texts)}"
    lines = frame.eval_on_selector_all(
        "#attention line[visibility=visible]", "all => all.map(one => one.getAttribute('right-token-index'))"
    )
    assert lines and set(lines) == {"3"}
    frame.locator("[aria-label='head 0']").press(" ")
    frame.locator("#left [role=option]").nth(1).focus()
    assert re.search(r"\(head [02]\)", readout(frame)) and not re.search(r"\(head [13]\)", readout(frame))
    frame.locator("[aria-label='head 3']").press("Shift+Enter")
    checked = frame.eval_on_selector_all(".switch[aria-checked=true]", "all => all.map(one => one.ariaLabel)")
    assert checked == ["head 3"]
    assert opened.problems == []


def test_arrow_keys_move_between_the_heads_of_the_model_view_and_into_an_open_one(shown):
    att = attention(3, 4)
    frame, opened = shown(model_view(att, layers=[2, 0, 1]))
    keyboard, name = opened.page.keyboard, "document.activeElement.getAttribute('aria-label')"
    frame.locator(".opener").first.focus()
    for key, there in (
        ("ArrowRight", "layer 2, head 1"),
        ("ArrowDown", "layer 0, head 1"),
        ("End", "layer 0, head 3"),
        ("ArrowRight", "layer 0, head 3"),
        ("Home", "layer 0, head 0"),
        ("ArrowLeft", "layer 0, head 0"),
        ("ArrowUp", "layer 2, head 0"),
        ("ArrowUp", "layer 2, head 0"),
    ):
        keyboard.press(key)
        assert frame.evaluate(name) == there
    keyboard.press("Enter")
    assert frame.evaluate("document.activeElement.ariaExpanded") == "true"
    keyboard.press("Tab")
    assert frame.evaluate(name) == "query [CLS]"
    keyboard.press("ArrowDown")
    assert readout(frame) == f"Largest weights: The → {largest(att.weights[2, 0, 1], att.keys.texts)}"
    assert frame.eval_on_selector_all(".attn-line-group", "all => all.map(one => +one.style.opacity)").count(1) == 1
    keyboard.press("Escape")
    assert frame.evaluate(name) == "layer 2, head 0"
    keyboard.press("Enter")
    assert frame.locator(".detail").count() == 0 and frame.locator("[aria-expanded=true]").count() == 0
    assert opened.problems == []
