"""The grid of heat maps in real Chromium: its colours, its choices, and what it must not do."""

import numpy as np
import pytest
import torch

from course.differences.attention_diff import diff
from course.views import diff_view, model_view
from course.views.selection import READINGS, label
from tests.browser.heat_maps import (
    FALL,
    PAPER,
    RISE,
    canvas_pixels,
    cell,
    changed,
    known_change,
    long_attention,
    read_out,
    screen,
)
from tests.browser.waiting import until
from tests.views.synthetic import HOSTILE, PAIR, encoder_decoder

pytestmark = pytest.mark.browser

DRAWN = "html.drawn [role=gridcell] canvas"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_changes_have_the_colour_of_their_sign(shown, scheme):
    frame, opened = shown(diff_view(known_change()), scheme=scheme)
    nth = frame.locator("[role=gridcell]").count() - 1
    assert nth == 5
    shades = canvas_pixels(frame, ".row:last-child [role=gridcell]:last-child canvas")
    colours = [[tuple(shades[y, x]) for x in range(4)] for y in range(4)]
    paper, rise, fall = (table[scheme] for table in (PAPER, RISE, FALL))
    assert colours == [
        [paper, paper, paper, paper],
        [rise, fall, paper, paper],
        [rise, paper, fall, paper],
        [rise, paper, paper, fall],
    ]
    assert (canvas_pixels(frame, "[role=gridcell] canvas") == paper).all()
    cell(frame, 1, 2).click()
    seen = screen(opened, frame, "canvas.cells")
    side = seen.shape[0] / 4
    for row, column, colour in ((2, 0, rise), (3, 3, fall), (0, 2, paper)):
        assert tuple(seen[int((row + 0.5) * side), int((column + 0.5) * side)]) == colour
    assert opened.problems == []


def test_small_changes_are_seen_and_the_scale_has_numbers(shown):
    difference = known_change()
    frame, _ = shown(diff_view(difference))
    assert frame.locator(".scale").text_content() == "−1.000" + "0" + "+1.000"
    assert "−1.000, blue, over 0 to +1.000, orange" in frame.locator(".scale").get_attribute("aria-label")
    bars = [canvas_pixels(frame, f".scale canvas:nth-of-type({n})")[0] for n in (1, 2)]
    assert tuple(bars[0][0]) == FALL["light"] and tuple(bars[1][-1]) == RISE["light"]
    assert tuple(bars[1][0]) == PAPER["light"]


def test_filters_and_readings_change_what_is_drawn_and_keep_the_head(shown):
    difference = changed(2, 3, PAIR, second=6)
    frame, opened = shown(diff_view(difference))
    cell(frame, 1, 2).click()
    scale = frame.locator(".scale").text_content()
    for reading, record in ((READINGS[2], difference.without_special()), (READINGS[0], difference)):
        frame.select_option("#reading", label=reading)
        texts, second = list(record.queries), record.queries.segments.index(1)
        frame.select_option("#choice", label="Sentence A → sentence B")
        assert frame.locator("h2").text_content() == "Layer 1, head 2"
        assert frame.locator(".queries span").all_text_contents() == texts[:second]
        assert frame.locator(".keys span").all_text_contents() == texts[second:]
        assert canvas_pixels(frame, "canvas.cells").shape[:2] == (second, len(texts) - second)
        change = record.change[1, 2, :second, second:]
        row, column = divmod(int(change.abs().argmax()), change.shape[1])
        tokens, numbers = read_out(frame)
        assert tokens == f"{texts[row]} → {texts[second + column]}"
        assert abs(numbers[2] - change[row, column]) <= 0.005 + 1 / 255
        first = record.moved(1, rows=range(second), columns=range(second, len(texts)))[0]
        assert frame.locator("tbody tr td:nth-child(2)").first.text_content() == f"{first.query} → {first.key}"
        assert frame.locator(".scale").text_content() == scale
        frame.select_option("#choice", label="All")
        assert frame.locator(".queries span").all_text_contents() == texts
    assert opened.problems == []


def test_encoder_decoder_and_cross(shown):
    before, after = encoder_decoder(), encoder_decoder()
    after.cross.weights[1, 3] = torch.eye(6, 4)[[0, 1, 2, 3, 0, 1]]
    frame, opened = shown(diff_view(diff(before, after), show="cross"))
    assert frame.locator("#choice option:checked").text_content() == "Cross"
    assert frame.locator("[role=gridcell]").count() == 8
    assert canvas_pixels(frame, ".row:last-child [role=gridcell]:last-child canvas").shape[:2] == (6, 4)
    frame.select_option("#choice", label="Encoder")
    assert frame.locator("[role=gridcell]").count() == 16
    assert (canvas_pixels(frame, "[role=gridcell] canvas") == 255).all()
    assert opened.problems == []


def test_plain_attention_too_long_for_lines_is_drawn_and_says_why(shown):
    att = long_attention(2, 12, 100)
    frame, opened = shown(model_view(att))
    assert "would be 240,000 lines" in frame.locator("aside").text_content()
    assert "drawn as heat maps instead" in frame.locator("aside").text_content()
    assert frame.locator(".scale").text_content() == "01"
    shades = canvas_pixels(frame, "[role=gridcell] canvas")
    assert len(np.unique(shades.reshape(-1, 3), axis=0)) > 50
    cell(frame, 1, 7).click()
    frame.locator(".sheet").press("ArrowDown")
    tokens, numbers = read_out(frame)
    query, key = (int(token[1:]) for token in tokens.split(" → "))
    assert abs(numbers[0] - att.weights[1, 7, query, key]) <= 0.005 + 1 / 510
    assert opened.problems == []


def test_each_point_of_a_small_square_is_the_strongest_of_its_cells(shown):
    att = long_attention(2, 12, 100)
    frame, _ = shown(model_view(att))
    strong = canvas_pixels(frame, "[role=gridcell] canvas")
    size = strong.shape[0]
    assert size < 100
    places = torch.arange(100) * size // 100
    expected = torch.zeros(size, size)
    for row in range(100):
        for column in range(100):
            at = places[row], places[column]
            expected[at] = max(expected[at], att.weights[0, 0, row, column])
    share = (255 - strong[..., 0]) / (255 - 8)
    assert np.abs(share**2 - expected.numpy()).max() < 0.02


def test_page_follows_a_change_of_the_readers_system(shown):
    frame, opened = shown(diff_view(known_change()))
    cell(frame, 1, 2).click()
    opened.page.emulate_media(color_scheme="dark")
    until(frame, "() => document.documentElement.dataset.theme === 'dark'")
    assert tuple(canvas_pixels(frame, "canvas.cells")[1, 0]) == RISE["dark"]
    frame.locator(".sheet").press("Escape")
    assert tuple(canvas_pixels(frame, "[role=gridcell] canvas")[0, 0]) == PAPER["dark"]
    forced, _ = shown(diff_view(known_change(), theme="dark"), scheme="light")
    assert tuple(canvas_pixels(forced, "[role=gridcell] canvas")[0, 0]) == PAPER["dark"]


def test_two_views_on_one_page_do_not_disturb_each_other(tmp_path, open_file):
    path = tmp_path / "two.html"
    views = diff_view(changed(2, 3)), diff_view(changed(3, 4))
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{''.join(view.html for view in views)}", encoding="utf-8")
    opened = open_file(path)
    first, second = opened.page.frames[1:]
    for frame in (first, second):
        frame.wait_for_selector(DRAWN, state="attached")
    before = second.locator("h2").text_content()
    cell(first, 1, 2).click()
    assert first.locator("h2").text_content() == "Layer 1, head 2"
    assert second.locator("h2").text_content() == before and second.locator("[role=gridcell]").count() == 12
    assert opened.problems == []


@pytest.mark.parametrize("width", [1280, 960, 700, 360])
def test_frame_covers_the_picture_and_fits_its_content(shown, width):
    sizes = "e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
    for view in (
        diff_view(changed(6, 12)),
        diff_view(changed(2, 4, PAIR, second=6)),
        diff_view(changed(1, 1, tuple(f"w{i}" for i in range(60)))),
        model_view(long_attention(2, 12, 100)),
    ):
        frame, opened = shown(view, width=width)
        image, cover = (opened.page.locator(name).bounding_box() for name in ("img", "iframe"))
        assert cover["y"] <= image["y"] and cover["y"] + cover["height"] >= image["y"] + image["height"]
        assert frame.locator("html").evaluate(sizes) == [0, 0]
        frame.locator("[role=gridcell]").first.click()
        assert frame.locator("html").evaluate(sizes) == [0, 0]
        assert opened.page.locator("html").evaluate(sizes)[1] == 0


def test_hostile_tokens_run_nothing_and_are_shown(shown):
    for view, texts in (
        (diff_view(changed(1, 2, HOSTILE, second=5, model=HOSTILE[0])), HOSTILE),
        (diff_view(changed(1, 2, HOSTILE, second=5), show="A→A"), HOSTILE[:5]),
    ):
        frame, opened = shown(view)
        cell(frame, 0, 1).click()
        assert frame.locator(".queries span").all_text_contents() == [label(text) for text in texts]
        frame.locator(".sheet").press("ArrowDown")
        frame.locator("#lines").check()
        frame.locator(".sheet").hover()
        opened.page.wait_for_timeout(300)
        for where in opened.page.frames:
            assert where.evaluate("window.pwned") is None
        assert len(opened.page.frames) == 2
        assert opened.problems == []
