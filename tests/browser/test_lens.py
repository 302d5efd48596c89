"""The page of a lens in real Chromium: its colours, its words, its keys, and what it must not do."""

import re

import numpy as np
import pytest
import torch

import course
from course.causal.lenses import Lens
from tests import tiny
from tests.browser.test_attribution import contrast, rgb
from tests.views.synthetic import HOSTILE, tokens_of
from tests.views.test_lens_view import MADE, Hostile, lens_of

pytestmark = pytest.mark.browser

DRAWN = "html.drawn td[role=gridcell], html.drawn .mark"
PAPER = {"light": (255, 255, 255), "dark": (22, 24, 28)}
PLAIN = {"light": (8, 48, 107), "dark": (188, 222, 255)}


def known(share=0.5):
    """Two positions; the first guess has probability 0.5 in row 0 and ``share`` in row 1."""
    logits = torch.tensor([[[0.0, 0.0]] * 2, [[float(np.log(share / (1 - share) + 1e-30)), 0.0]] * 2])
    return Lens(logits, (0, 1), tokens_of(("a", "b")), Hostile(), "Made up")


def cells(frame):
    return frame.locator("td[role=gridcell]")


def style_of(one, name):
    return one.evaluate(f"one => getComputedStyle(one)['{name}']")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cells_have_the_colour_of_their_probability_and_can_be_read(shown, scheme):
    frame, opened = shown(course.lens_view(known(0.9)), scheme=scheme)
    for place, share in ((0, 0.5), (2, 0.9)):
        one = cells(frame).nth(place)
        wanted = (1 - share) * np.array(PAPER[scheme]) + share * np.array(PLAIN[scheme])
        assert np.abs(np.array(rgb(style_of(one, "backgroundColor"))) - wanted).max() <= 1
    assert opened.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_shade_leaves_the_text_readable(shown, scheme):
    draw = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(5, 40, 3, generator=draw)
    lens = Lens(logits, (0,) * 40, tokens_of(tuple(f"w{i}" for i in range(40))), Hostile(), "Made up")
    frame, _ = shown(course.lens_view(lens), scheme=scheme)
    pairs = cells(frame).evaluate_all(
        "all => all.map(one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor])"
    )
    assert len(pairs) == 200 and min(contrast(rgb(ink), rgb(paper)) for ink, paper in pairs) >= 4.5


def test_arrow_keys_read_every_cell_across_the_bands(shown):
    lens = lens_of(tuple(f"w{i}" for i in range(30)), vocabulary=Hostile(), model="Made up")
    frame, opened = shown(course.lens_view(lens))
    assert frame.locator("table").count() == 3  # bands of columns
    assert frame.locator("[tabindex='0']").count() == 1
    cells(frame).first.focus()
    for key, row, place in (
        ("ArrowRight", "embeddings", 1), ("ArrowDown", "layer 0", 1), ("End", "layer 0", 29),
        ("ArrowRight", "layer 0", 29),
        ("ArrowLeft", "layer 0", 28), ("PageDown", "layer 1", 28), ("Home", "layer 1", 0), ("ArrowUp", "layer 0", 0),
    ):  # fmt: skip
        opened.page.keyboard.press(key)
        said = frame.evaluate("document.activeElement.getAttribute('aria-label')")
        assert said.startswith(f"{row}, after “w{place}” ({place}): ")
        assert frame.locator(".readout").text_content() == said
        assert frame.locator("[tabindex='0']").count() == frame.locator("td.current").count() == 1
    cells(frame).nth(3).hover()
    assert frame.locator(".readout").text_content().startswith("embeddings, after “w3” (3)")
    assert opened.problems == []


def test_tables_can_be_chosen_and_are_named(shown):
    lens = course.lens(tiny.gpt2(), "the cat sat on the")
    frame, opened = shown(course.lens_view(lens))
    frame.locator("#choice").select_option("Rank of the model's own choice")
    assert frame.locator("table").first.get_attribute("aria-label").startswith("Rank of the model's own choice; across")
    last = frame.locator("tbody tr").last.locator("td").all_text_contents()
    assert set(last) == {"1"}
    assert frame.locator(".scale").get_attribute("aria-label").startswith("Colour: rank, 1 is the most probable")
    assert frame.locator("tbody th[scope=row]").all_text_contents() == list(lens.labels)
    assert opened.problems == []


@pytest.mark.parametrize("width", [380, 620, 750, 960, 1300])
@pytest.mark.parametrize("kind", MADE)
def test_pictures_fit_on_every_width(shown, width, kind):
    frame, opened = shown(MADE[kind](), width=width)
    assert frame.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    below = frame.evaluate("document.querySelector('main').getBoundingClientRect().bottom - innerHeight")
    assert below <= 0, "the page is cut off"
    assert opened.problems == []


def test_the_bands_follow_the_width(shown):
    lens = lens_of(tuple(f"w{i}" for i in range(30)), model="Made up")
    frame, opened = shown(course.lens_view(lens), width=500)
    assert frame.locator("table").count() == 1
    opened.page.set_viewport_size({"width": 1000, "height": 800})
    frame.locator("table").nth(2).wait_for()
    assert frame.locator("table").count() == 3
    assert frame.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert cells(frame).count() == 90 and opened.problems == []


@pytest.mark.parametrize("kind", ["lens", "watch", "factors", "induction"])
def test_hostile_tokens_stay_text(shown, kind):
    for texts in (HOSTILE[:18], HOSTILE[18:]):
        frame, opened = shown(MADE[kind](**({"model": texts[0]} if kind == "induction" else {"texts": texts})))
        for i in range(frame.locator("#choice option").count()):
            frame.locator("#choice").select_option(index=i)
        allowed = """HTML HEAD META TITLE STYLE SCRIPT BODY H1 MAIN DIV ASIDE P LABEL SELECT OPTION SPAN CANVAS TABLE
            THEAD TBODY TR TH TD"""
        assert set(frame.evaluate("[...document.querySelectorAll('*')].map(one => one.tagName)")) <= set(
            allowed.split()
        )
        assert opened.page.evaluate("window.pwned") is None and frame.evaluate("window.pwned") is None
        assert opened.problems == []


def test_written_tokens_can_be_chosen(shown):
    found = course.generate(tiny.gpt2(), "the cat sat on the", 3)
    frame, opened = shown(course.generation_view(found))
    for i, step in enumerate(found):
        frame.locator("#reading").select_option(index=i)
        assert frame.locator(".mark").count() == len(step.attribution)
        assert re.search(rf"→ {re.escape(step.text)}$", frame.locator(".text").last.text_content())
    assert opened.problems == []
