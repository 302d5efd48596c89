"""The page of an attribution in real Chromium: its colours, its numbers, its keys, and what it must not do."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course.attributions.attribution import Attribution
from course.tokenising import tokenise
from course.views import attribution_view
from tests import tiny
from tests.views.synthetic import HOSTILE, tokens_of
from tests.views.test_attribution_view import made, typed

pytestmark = pytest.mark.browser

DRAWN = "html.drawn .mark, html.drawn .bar"
PAPER = {"light": (255, 255, 255), "dark": (22, 24, 28)}
RISE = {"light": (179, 74, 0), "dark": (255, 160, 66)}
FALL = {"light": (0, 90, 181), "dark": (86, 180, 255)}


def known():
    """[CLS] 0, The +2, cat −2, sat +0.5, [SEP] 0."""
    tokens, _ = tokenise(tiny.bert(), "the cat past")
    return made([0.0, 2.0, -2.0, 0.5, 0.0], tokens)


def style_of(frame, n, name):
    return frame.locator(".mark").nth(n).evaluate(f"one => getComputedStyle(one)['{name}']")


def rgb(text):
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def contrast(one, other):
    def light(colour):
        parts = [part / 255 for part in colour]
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(factor * part for factor, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tokens_have_the_colour_of_their_sign_and_can_be_read(shown, scheme):
    frame, opened = shown(attribution_view(known()), scheme=scheme)
    paper, rise, fall = (np.array(table[scheme]) for table in (PAPER, RISE, FALL))
    assert rgb(style_of(frame, 1, "backgroundColor")) == tuple(rise)
    assert rgb(style_of(frame, 2, "backgroundColor")) == tuple(fall)
    assert np.abs(np.array(rgb(style_of(frame, 3, "backgroundColor"))) - (0.75 * paper + 0.25 * rise)).max() <= 1
    assert style_of(frame, 1, "borderBottomStyle") == "solid" and style_of(frame, 2, "borderBottomStyle") == "dotted"
    for n in (1, 2, 3):
        assert contrast(rgb(style_of(frame, n, "color")), rgb(style_of(frame, n, "backgroundColor"))) >= 4.5
    seen = np.asarray(Image.open(io.BytesIO(opened.page.screenshot())).convert("RGB"))
    assert (seen == rise).all(-1).sum() > 100 and (seen == fall).all(-1).sum() > 100
    assert opened.problems == []


def test_every_shade_leaves_the_text_readable(shown):
    attribution = made(torch.linspace(-1, 1, 81), tokens_of(tuple(f"w{i}" for i in range(81))))
    for scheme in ("light", "dark"):
        frame, _ = shown(attribution_view(attribution), scheme=scheme)
        pairs = frame.locator(".mark").evaluate_all(
            "all => all.map(one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor])"
        )
        ratios = [contrast(rgb(ink), rgb(paper)) for ink, paper in pairs if not paper.startswith("rgba")]
        assert len(ratios) == 80 and min(ratios) >= 4.5


def test_the_text_is_what_was_typed(shown):
    frame, opened = shown(attribution_view(typed()))
    assert frame.locator(".text").text_content() == "[CLS]The unbelievable cat,\nnot bad [SEP]"
    assert opened.problems == []


def test_arrow_keys_read_every_value(shown):
    frame, opened = shown(attribution_view(known()))
    assert frame.locator("[tabindex='0']").count() == 1
    frame.locator(".mark").first.focus()
    for key, name, number in (
        ("ArrowRight", "the", "+2.000"),
        ("ArrowRight", "cat", "−2.000"),
        ("End", "[SEP]", "0.000"),
        ("ArrowRight", "[SEP]", "0.000"),
        ("ArrowLeft", "past", "+0.500"),
        ("Home", "[CLS]", "0.000"),
        ("ArrowDown", "[SEP]", "0.000"),
    ):
        opened.page.keyboard.press(key)
        focused = frame.evaluate("document.activeElement.getAttribute('aria-label')")
        assert focused == f"{name}: {number}"
        assert frame.locator(".readout").text_content().startswith(f"{name} {number}")
        assert frame.locator("[tabindex='0']").count() == frame.locator("[aria-selected='true']").count() == 1
    frame.locator(".mark").nth(2).hover()
    assert frame.locator(".readout").text_content() == "cat −2.000, lowers it"
    assert opened.problems == []


def test_bars_are_a_table_with_the_same_numbers(shown):
    frame, opened = shown(attribution_view(known(), "bars"))
    rows = frame.locator("tbody tr").evaluate_all(
        "all => all.map(r => [r.cells[0].textContent, r.cells[1].textContent])"
    )
    assert rows == [["[CLS]", "0.000"], ["the", "+2.000"], ["cat", "−2.000"], ["past", "+0.500"], ["[SEP]", "0.000"]]
    assert frame.locator("tbody th[scope=row]").count() == 5
    zero = frame.locator(".zero").first.bounding_box()["x"]
    rise, fall, small = (frame.locator(f"tbody tr:nth-child({n}) .bar i").first.bounding_box() for n in (2, 3, 4))
    assert rise["x"] >= zero - 1 and fall["x"] + fall["width"] <= zero + 2
    assert rise["width"] == pytest.approx(fall["width"], abs=1) and small["width"] == pytest.approx(
        rise["width"] / 4, abs=1
    )
    assert opened.problems == []


def test_words_characters_and_bars_can_be_chosen(shown):
    attribution = typed()
    frame, opened = shown(attribution_view(attribution))
    counts = {"whole words": len(attribution.words()), "characters": len(attribution.characters())}
    for reading, count in counts.items():
        frame.locator("#reading").select_option(reading)
        assert frame.locator(".mark").count() == count
    frame.locator("#choice").select_option("Bars")
    assert frame.locator("#reading").input_value() == "characters" and frame.locator("tbody tr").count() > 10
    frame.locator("#reading").select_option("as the model reads")
    assert frame.locator("tbody tr").count() == len(attribution)
    assert opened.problems == []


def test_a_pair_has_two_texts(shown):
    tokens, _ = tokenise(tiny.bert(), "the cat ?", "a mat")
    frame, _ = shown(attribution_view(made(torch.ones(len(tokens)), tokens)))
    assert frame.locator("h2").all_text_contents() == ["First text", "Second text"]
    assert [frame.locator("[role=group]").nth(i).get_attribute("aria-label") for i in (0, 1)] == [
        "First text",
        "Second text",
    ]


@pytest.mark.parametrize("width", [380, 620, 960])
@pytest.mark.parametrize("style", ["text", "bars"])
def test_long_texts_wrap_and_fit(shown, width, style):
    tokens, _ = tokenise(tiny.distilbert(), "the unbelievable cat sat on the mat. " * 20 + "x" * 200, truncate=True)
    frame, opened = shown(attribution_view(made(torch.linspace(-1, 1, len(tokens)), tokens), style), width=width)
    assert frame.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    below = frame.evaluate("document.querySelector('main').getBoundingClientRect().bottom - innerHeight")
    assert below <= 0, "the page is cut off"
    assert opened.problems == []


@pytest.mark.parametrize("tokens", [HOSTILE[:18], HOSTILE[18:]])
def test_hostile_tokens_stay_text(shown, tokens):
    attribution = made(torch.arange(len(tokens)) - 5.0, tokens_of(tokens, 5), model=HOSTILE[0], target=HOSTILE[1])
    for style in ("text", "bars"):
        frame, opened = shown(attribution_view(attribution, style))
        frame.locator("#choice").select_option("Bars" if style == "text" else "Coloured text")
        allowed = """HTML HEAD META TITLE STYLE SCRIPT BODY H1 MAIN DIV ASIDE P H2 LABEL SELECT OPTION SPAN CANVAS
            TABLE CAPTION THEAD TBODY TR TH TD I"""
        assert set(frame.evaluate("[...document.querySelectorAll('*')].map(one => one.tagName)")) <= set(
            allowed.split()
        )
        assert opened.page.evaluate("window.pwned") is None and frame.evaluate("window.pwned") is None
        assert opened.problems == []


def test_attention_has_one_colour(shown):
    tokens, _ = tokenise(tiny.bert(), "the cat")
    record = Attribution(
        torch.tensor([0.5, 0.25, 0.15, 0.1]), tokens, "good", "logit", True, 1.0, "attention", "Made up",
        "layer 1, mean over 4 heads, from [CLS]",
    )  # fmt: skip
    frame, opened = shown(attribution_view(record))
    assert rgb(style_of(frame, 0, "backgroundColor")) == (8, 48, 107)
    assert frame.locator(".for, .against").count() == 0 and frame.locator(".scale").text_content() == "00.500"
    assert opened.problems == []
