import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from course.views import head_view, model_view
from course.views.selection import label
from tests.browser.waiting import until
from tests.views.synthetic import HOSTILE, PAIR, SENTENCE, attention, encoder_decoder

pytestmark = pytest.mark.browser

DRAWN = "html.drawn #vis line"
OPACITIES = "lines => lines.map(line => Number(line.getAttribute('stroke-opacity')))"


def opacities(frame):
    return np.array(frame.eval_on_selector_all("#vis svg #attention line, #vis svg.model line", OPACITIES))


def texts(frame, selector):
    return frame.eval_on_selector_all(selector, "all => all.map(one => one.textContent)")


def close(found, weights, heads=1):
    """What is drawn is the weights within 1/510, divided by the number of heads shown."""
    return len(found) == weights.numel() and np.abs(found * heads - weights.flatten().numpy()).max() <= 1 / 510 + 1e-6


def picture(page):
    """The pixels of the area that the view takes."""
    box = page.locator("div").first.bounding_box()
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box, animations="disabled"))).convert("RGB"))


def test_head_view_draws_the_weights(shown):
    att = attention(3, 4)
    frame, opened = shown(head_view(att, layer=1))
    assert close(opacities(frame), att.weights[1], heads=4)
    assert texts(frame, "#left text") == list(SENTENCE) == texts(frame, "#right text")
    assert len(np.unique(picture(opened.page))) > 50
    assert opened.problems == []


def test_head_view_of_one_head_draws_its_weights(shown):
    att = attention(3, 4)
    frame, _ = shown(head_view(att, layer=2, heads=[3]))
    found = opacities(frame).reshape(4, -1)
    assert close(found[3], att.weights[2, 3])
    assert not found[:3].any()
    assert frame.locator(".switch[aria-checked=true]").get_attribute("aria-label") == "head 3"


def test_model_view_draws_the_weights(shown):
    att = attention(3, 4)
    frame, opened = shown(model_view(att, layers=[2, 0], heads=[1, 3]))
    assert close(opacities(frame), att.weights[[2, 0]][:, [1, 3]])
    assert opened.problems == []


def test_clicking_a_thumbnail_opens_that_head(shown):
    att = attention(3, 4)
    frame, opened = shown(model_view(att, layers=[2, 0]))
    frame.locator("[aria-label='layer 0, head 1']").click()
    assert "Layer 0, Head 1" in texts(frame, "text.detail")
    assert texts(frame, ".detail .token") == [*SENTENCE, *SENTENCE]
    lines = frame.eval_on_selector_all(".detail line", OPACITIES)
    assert close(np.array(lines), att.weights[0, 1])
    frame.locator("[aria-label='layer 0, head 1']").click()
    assert frame.locator(".detail").count() == 0
    assert opened.problems == []


def test_keyboard_opens_a_head_and_switches_one(shown):
    frame, opened = shown(model_view(attention(2, 3)))
    frame.locator("[aria-label='layer 1, head 2']").press("Enter")
    assert "Layer 1, Head 2" in texts(frame, "text.detail")
    frame, opened = shown(head_view(attention(2, 3)))
    frame.locator("[aria-label='head 1']").press(" ")
    assert frame.locator("[aria-label='head 1']").get_attribute("aria-checked") == "false"
    assert not opacities(frame).reshape(3, -1)[1].any()
    assert opened.problems == []


def test_layer_select(shown):
    att = attention(3, 4)
    frame, opened = shown(head_view(att, heads=[2]))
    frame.select_option("#layer", "2")
    assert close(opacities(frame).reshape(4, -1)[2], att.weights[2, 2])
    assert frame.locator(".number").count() == 4
    assert opened.problems == []


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_pair_filter_changes_tokens_and_weights(shown, draw):
    att = attention(2, 3, PAIR, second=6)
    frame, opened = shown(draw(att))
    for choice, rows, columns in (
        ("Sentence A → sentence B", slice(6), slice(6, 11)),
        ("Sentence B → sentence B", slice(6, 11), slice(6, 11)),
        ("All", slice(11), slice(11)),
    ):
        frame.select_option("#choice", label=choice)
        layers = 1 if draw is head_view else 2
        expected = att.weights[:layers, :, rows, columns]
        assert close(opacities(frame), expected, heads=3 if draw is head_view else 1)
        if draw is model_view:
            frame.locator(".opener").first.click()
        tokens = texts(frame, "#left text, #right text" if draw is head_view else ".detail .token")
        assert tokens == [*PAIR[rows], *PAIR[columns]]
    assert opened.problems == []


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_reading_without_special_tokens_shows_its_weights_and_what_was_removed(shown, draw):
    att = attention(2, 3, PAIR, second=6)
    plain = att.without_special()
    frame, opened = shown(draw(att))
    assert "they held" not in frame.locator("aside").inner_text()
    frame.select_option("#choice", label="Sentence B → sentence A")
    frame.select_option("#reading", label="no special tokens")
    expected = plain.weights[: 1 if draw is head_view else 2, :, 4:, :4]
    assert close(opacities(frame), expected, heads=3 if draw is head_view else 1)
    assert frame.locator("#choice option:checked").text_content() == "Sentence B → sentence A"
    assert f"they held {plain.removed.mean():.0%} of the attention" in frame.locator("aside").inner_text()
    frame.select_option("#reading", label="all tokens")
    frame.select_option("#choice", label="All")
    assert close(opacities(frame), att.weights[: 1 if draw is head_view else 2], heads=3 if draw is head_view else 1)
    assert opened.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_theme_wins_over_the_readers_system(shown, scheme):
    for theme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 24, 28)")):
        frame, opened = shown(model_view(attention(2, 4), theme=theme), scheme=scheme)
        assert frame.evaluate("getComputedStyle(document.documentElement).backgroundColor") == paper
        assert frame.evaluate("PYTHON_PARAMS.display_mode") == theme
        assert opened.problems == []


def test_block_that_python_chose_is_shown_first(shown):
    frame, _ = shown(head_view(attention(2, 3, PAIR, second=6), show="B->A"))
    assert texts(frame, "#left text") == list(PAIR[6:])
    assert frame.locator("#choice option:checked").text_content() == "Sentence B → sentence A"


def test_filter_keeps_layer_and_heads(shown):
    att = attention(3, 4, PAIR, second=6)
    frame, _ = shown(head_view(att, layer=2, heads=[1]))
    frame.locator("[aria-label='head 3']").click()
    frame.select_option("#layer", "1")
    frame.select_option("#choice", label="Sentence A → sentence A")
    found = opacities(frame).reshape(4, -1)
    assert close(found[[1, 3]].flatten(), att.weights[1, [1, 3], :6, :6], heads=2)
    assert frame.input_value("#layer") == "1"


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_encoder_decoder_with_unequal_layers(shown, draw):
    att = encoder_decoder(4, 2, heads=3)
    frame, opened = shown(draw(att))
    for name in ("cross", "decoder", "encoder"):
        frame.select_option("#choice", label=name.capitalize())
        part = getattr(att, name)
        if draw is head_view:
            last = str(part.layers - 1)
            frame.select_option("#layer", last)
            assert texts(frame, "#layer option") == [str(i) for i in range(part.layers)]
            assert close(opacities(frame), part.weights[-1], heads=3)
            assert texts(frame, "#left text") == list(part.queries)
            assert texts(frame, "#right text") == list(part.keys)
        else:
            assert close(opacities(frame), part.weights)
    assert opened.problems == []


def test_twelve_heads_have_twelve_colours_and_numbers(shown):
    for scheme in ("light", "dark"):
        frame, _ = shown(head_view(attention(1, 12)), scheme=scheme)
        fills = frame.eval_on_selector_all(".switch", "all => all.map(one => getComputedStyle(one).fill)")
        strokes = frame.eval_on_selector_all("#attention line", "all => all.map(one => one.getAttribute('stroke'))")
        assert len(set(fills)) == len(set(strokes)) == 12
        assert texts(frame, ".number") == [str(i) for i in range(12)]


def test_heads_keep_their_colours_where_only_some_are_carried(shown):
    att = attention(1, 12, tuple(f"w{i}" for i in range(115)))
    frame, _ = shown(head_view(att, heads=[7, 3]))
    assert texts(frame, ".number") == ["3", "7"]
    some = frame.eval_on_selector_all(".switch", "all => all.map(one => getComputedStyle(one).fill)")
    frame, _ = shown(head_view(attention(1, 12)))
    every = frame.eval_on_selector_all(".switch", "all => all.map(one => getComputedStyle(one).fill)")
    assert some == [every[3], every[7]]


def test_two_views_on_one_page_do_not_disturb_each_other(tmp_path, open_file):
    att = attention(3, 4)
    path = tmp_path / "two.html"
    views = head_view(att), head_view(att, layer=1), model_view(att)
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{''.join(view.html for view in views)}", encoding="utf-8")
    opened = open_file(path)
    frames = opened.page.frames[1:]
    for frame in frames:
        frame.wait_for_selector(DRAWN, state="attached")
    frames[0].select_option("#layer", "2")
    frames[2].locator(".opener").first.click()
    assert close(opacities(frames[0]), att.weights[2], heads=4)
    assert close(opacities(frames[1]), att.weights[1], heads=4)
    assert frames[1].input_value("#layer") == "1"
    assert opened.problems == []


@pytest.mark.parametrize("draw", [head_view, model_view])
@pytest.mark.parametrize("width", [1280, 960, 700, 420])
def test_frame_covers_the_picture_and_fits_its_content(shown, draw, width):
    for att in (attention(6, 12), attention(2, 4, PAIR, second=6), encoder_decoder()):
        frame, opened = shown(draw(att), width=width)
        boxes = [opened.page.locator(name).bounding_box() for name in ("img", "iframe")]
        image, cover = boxes
        assert cover["x"] <= image["x"]
        assert cover["y"] <= image["y"]
        assert cover["x"] + cover["width"] >= image["x"] + image["width"]
        assert cover["y"] + cover["height"] >= image["y"] + image["height"]
        assert re.fullmatch(
            r"rgb\(\d+, \d+, \d+\)", frame.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        )
        sizes = "e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
        assert frame.locator("html").evaluate(sizes) == [0, 0]
        assert opened.page.locator("html").evaluate(sizes)[1] == 0


@pytest.mark.parametrize("above", [0, 5000], ids=["in the window", "below the window"])
def test_view_in_a_hidden_place_is_whole_when_it_is_shown(tmp_path, open_file, above):
    path = head_view(attention(heads=2)).save(tmp_path / "view.html")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<body>", f'<body style="display: none; padding-top: {above}px">'), encoding="utf-8")
    opened = open_file(path)
    opened.page.wait_for_timeout(1000)
    opened.page.evaluate("document.body.style.display = 'block'")
    frame = opened.page.frames[1]
    frame.wait_for_selector(DRAWN, state="attached")
    box = frame.locator("#vis svg").bounding_box()
    for token in frame.locator("#left text, #right text").all():
        own = token.bounding_box()
        assert box["x"] <= own["x"] and own["x"] + own["width"] <= box["x"] + box["width"] + 1
    assert opened.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda page: re.sub(r'"weights":"[^"]*"', '"weights":""', page),
        lambda page: re.sub(r'"scripts":"[^"]*"', '"scripts":"AAAA"', page),
        lambda page: re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL),
        lambda page: page.replace("DecompressionStream", "NoSuchStream"),
        lambda page: re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL),
    ],
)
@pytest.mark.parametrize("theme", ["auto", "dark"])
def test_page_that_cannot_draw_leaves_the_picture(tmp_path, open_file, damage, scheme, theme):
    view = head_view(attention(2, 4), theme=theme)
    broken = replace(view, page=damage(view.page))
    assert broken.page != view.page
    opened = open_file(broken.save(tmp_path / "broken.html"), scheme=scheme)
    opened.page.wait_for_timeout(500)
    assert opened.page.frames[1].locator("html.drawn").count() == 0
    seen = picture(opened.page)
    (tmp_path / "alone.html").write_text(re.sub(r"<iframe.*?</iframe>", "", view.html, flags=re.DOTALL))
    alone = picture(open_file(tmp_path / "alone.html", scheme=scheme).page)
    height, width = Image.open(io.BytesIO(view.png())).height * 2 // 3, view.twin.width
    assert np.array_equal(seen[: height - 2, : width - 2], alone[: height - 2, : width - 2])
    assert len(np.unique(alone)) > 50
    if "<script>" in broken.page:
        assert opened.problems  # it says why, in the console


def test_sanitised_output_shows_the_picture_once(tmp_path, open_file):
    view = model_view(attention(2, 4))
    (tmp_path / "clean.html").write_text(re.sub(r"<iframe.*?</iframe>", "", view.html, flags=re.DOTALL))
    opened = open_file(tmp_path / "clean.html")
    image = opened.page.locator("img")
    assert image.count() == 1
    assert image.is_visible()
    assert image.evaluate("image => image.naturalWidth") > 0
    assert opened.problems == []


def test_dark_page_has_no_dark_text(shown):
    for draw in (head_view, model_view):
        frame, opened = shown(draw(attention(2, 4)), scheme="dark")
        if draw is model_view:
            frame.locator(".opener").first.click()
        fills = frame.eval_on_selector_all(
            "svg text:not(.number)", "all => all.map(one => getComputedStyle(one).fill.match(/\\d+/g).map(Number))"
        )
        assert min(map(max, fills)) > 120
        papers = frame.eval_on_selector_all(
            ".attn_background, rect.detail",
            "all => all.map(one => getComputedStyle(one).fill.match(/\\d+/g).map(Number))",
        )
        assert all(max(paper) < 60 for paper in papers)
        assert opened.problems == []


def test_page_follows_a_change_of_the_readers_system(shown):
    frame, opened = shown(model_view(attention(2, 4)))
    opened.page.emulate_media(color_scheme="dark")
    until(frame, "() => getComputedStyle(document.documentElement).backgroundColor === 'rgb(22, 24, 28)'")
    assert frame.evaluate("PYTHON_PARAMS.display_mode") == "dark"


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_hostile_tokens_run_nothing_and_are_shown(shown, draw):
    pair = attention(1, 2, HOSTILE, second=5, model=HOSTILE[0])
    three = encoder_decoder(1, 1, 2, source=HOSTILE, target=(*HOSTILE[::-1], "end"))
    for view, choice, left in (
        (draw(pair), None, HOSTILE),
        (draw(pair, show="A→B"), None, HOSTILE[:5]),
        (draw(three), "Cross", (*HOSTILE[::-1], "end")),
    ):
        frame, opened = shown(view)
        if choice:
            frame.select_option("#choice", label=choice)
        if draw is head_view:
            frame.locator("#left text").nth(2).hover()
            found = texts(frame, "#left text")
            assert found == [label(text) for text in left]
        else:
            frame.locator(".opener").first.click()
            found = texts(frame, ".detail .token")[: len(left)]
            for text, label_found in zip(left, found, strict=True):
                # a text that had to be cut is followed by the whole of it, its <title>
                assert label_found == label(text) or label_found.endswith(f"…{label(text)}")
        opened.page.wait_for_timeout(300)
        for where in opened.page.frames:
            assert where.evaluate("window.pwned") is None
        assert len(opened.page.frames) == 2
        assert opened.problems == []


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_long_tokens_stay_on_the_page(shown, draw):
    frame, _ = shown(draw(attention(1, 2, ("a", "antidisestablishmentarianism", "x" * 500))))
    if draw is model_view:
        frame.locator(".opener").first.click()
    outside = frame.evaluate("""() => {
        const svg = document.querySelector('#vis svg').getBoundingClientRect();
        return [...document.querySelectorAll('#vis text')]
            .map(text => text.getBoundingClientRect())
            .filter(box => box.left < svg.left - 1 || box.right > svg.right + 1).length;
    }""")
    assert outside == 0
