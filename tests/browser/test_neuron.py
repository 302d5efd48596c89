import io
import re

import numpy as np
import pytest
from PIL import Image

from course.views.neurons import neuron_view
from course.views.selection import label
from tests.browser.waiting import until
from tests.views.projected import projected, translation
from tests.views.synthetic import HOSTILE, PAIR, SENTENCE

pytestmark = pytest.mark.browser

DRAWN = "html.drawn"
QUERY = "#expanded #leftText > g"
COLLAPSED_QUERY = "#collapsed #leftText > g"


def texts(frame, selector):
    return frame.eval_on_selector_all(selector, "all => all.map(one => one.textContent)")


def readout(frame):
    return frame.locator("#readout").text_content()


def cells(frame, name):
    """The numbers of a block of vectors, tokens x size, and how opaque each is drawn (with -1: orange)."""
    found = frame.eval_on_selector_all(
        f"#{name} .vector",
        """all => all.map(vector => [...vector.querySelectorAll('.element')].map(cell => [
            Number(cell.dataset.value),
            Number(cell.style.opacity) * (cell.style.fill === 'rgb(255, 99, 24)' ? -1 : 1),
        ]))""",
    )
    return np.moveaxis(np.array(found), -1, 0)


def squares(frame):
    """The scores, with how opaque each is drawn."""
    found = frame.eval_on_selector_all(
        ".dotproduct", "all => all.map(one => [Number(one.dataset.value), Number(one.style.fillOpacity)])"
    )
    return np.array(found).T


def shades(frame):
    """How opaque the key tokens are shaded, which is the weight."""
    return np.array(
        frame.eval_on_selector_all(
            "#expanded #rightText .highlight", "all => all.map(one => Number(one.style.opacity))"
        )
    )


def lines(frame):
    """The opacities of the lines of the collapsed picture, queries x keys."""
    return np.array(
        frame.eval_on_selector_all(
            ".attn-line-group",
            "all => all.map(group => [...group.children].map(line => Number(line.getAttribute('stroke-opacity'))))",
        )
    )


def check(frame, att, layer, head, query, rows=slice(None), columns=slice(None)):
    """All that is drawn of one query is the record's, within the stated bounds; ``query`` counts all tokens."""
    queries, keys = (each[layer, head].numpy() for each in (att.projections.queries, att.projections.keys))
    for name, own in (("queries", queries[rows]), ("keys", keys[columns]), ("product", queries[query] * keys[columns])):
        numbers, drawn = cells(frame, name)
        bound = 1e-3 * max(1, np.abs(own).max())
        assert numbers.shape == own.shape
        assert np.abs(numbers - own).max() < bound
        assert np.abs(drawn - np.sign(own) * np.tanh(np.abs(own) / 4)).max() < bound
    score = att.projections.scores(causal=False)[layer, head, query].numpy()[columns]
    numbers, drawn = squares(frame)
    assert np.abs(numbers - score).max() < 5e-3
    assert np.abs(drawn - np.tanh(np.abs(score) / 4)).max() < 5e-3
    weights = att.weights[layer, head].numpy()[rows, columns]
    assert np.abs(lines(frame) - weights).max() <= 1 / 131_070 + 1e-7
    assert np.abs(shades(frame) - att.weights[layer, head, query].numpy()[columns]).max() <= 1 / 131_070 + 1e-6
    assert texts(frame, "#expanded #leftText .token") == list(att.queries.texts[rows])
    assert texts(frame, "#expanded #rightText .token") == list(att.keys.texts[columns])


def pixels(page):
    box = page.locator("div").first.bounding_box()
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box, animations="disabled"))).convert("RGB"))


def test_opens_with_the_query_and_draws_the_models_numbers(shown):
    att = projected(3, 4)
    frame, opened = shown(neuron_view(att, layer=2, head=1, query="cat"))
    check(frame, att, 2, 1, 2)
    assert (frame.input_value("#layer"), frame.input_value("#att_head")) == ("2", "1")
    assert frame.locator(f"{QUERY}[aria-selected=true]").get_attribute("aria-label") == "query cat"
    weight, key = max((float(weight), i) for i, weight in enumerate(att.weights[2, 1, 2]))
    assert readout(frame).startswith(
        f"Query cat, layer 2, head 1. Largest weights: {SENTENCE[key]} {weight:.3f} (score "
    )
    assert len(np.unique(pixels(opened.page).reshape(-1, 3), axis=0)) > 100
    assert opened.problems == []


def test_keys_whose_weights_round_to_nothing_are_told_in_the_order_of_their_scores(shown):
    att = projected(scale=40.0)
    frame, opened = shown(neuron_view(att, query=4))
    told = re.findall(r"(\S+) \d\.\d{3} \(score", readout(frame))
    order = att.projections.scores(causal=False)[0, 0, 4].argsort(descending=True).tolist()
    assert att.weights[0, 0, 4, order[1]] < 1 / 131_070
    assert told == [SENTENCE[key] for key in order[:3]]
    assert opened.problems == []


def test_layer_and_head_selects(shown):
    att = projected(3, 4)
    frame, opened = shown(neuron_view(att, query=3))
    frame.select_option("#layer", label="2")
    check(frame, att, 2, 0, 3)
    frame.select_option("#att_head", label="3")
    check(frame, att, 2, 3, 3)
    assert readout(frame).startswith("Query sat, layer 2, head 3.")
    assert opened.problems == []


def test_selects_name_the_layer_that_is_carried(shown, monkeypatch):
    monkeypatch.setattr("course.views.neurons._ROOM", 10_000)
    att = projected(6, 6)
    frame, opened = shown(neuron_view(att, layer=4, head=3, query=1))
    assert texts(frame, "#layer option") == ["4"]
    assert texts(frame, "#att_head option") == list("012345")
    check(frame, att, 4, 3, 1)
    assert "This page has layer 4 only" in frame.locator("aside").text_content()
    assert opened.problems == []


def test_pointing_at_a_token_makes_it_the_query_and_it_stays(shown):
    att = projected()
    frame, opened = shown(neuron_view(att, query=0))
    frame.locator(QUERY).nth(5).hover()
    check(frame, att, 0, 0, 5)
    opened.page.mouse.move(5, 5)
    frame.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    check(frame, att, 0, 0, 5)
    assert frame.locator("#placeholder").evaluate("one => one.style.opacity") == "0"
    assert opened.problems == []


def test_vectors_are_hidden_and_shown_by_mouse(shown):
    att = projected()
    frame, opened = shown(neuron_view(att, query=2))
    frame.locator("#vectors").click()
    assert not frame.locator("#expanded").is_visible()
    assert frame.locator("#vectors").text_content() == "Show vectors"
    assert frame.locator("#vectors").get_attribute("aria-expanded") == "false"
    frame.locator(COLLAPSED_QUERY).nth(4).hover()
    seen = frame.eval_on_selector_all(".attn-line-group", "all => all.map(one => Number(one.style.opacity || 1))")
    assert seen == [0, 0, 0, 0, 1, 0, 0, 0]
    frame.locator(f"{COLLAPSED_QUERY}:nth-child(5) > .plus-sign + rect").click()
    assert frame.locator("#vectors").text_content() == "Hide vectors"
    check(frame, att, 0, 0, 4)
    assert opened.problems == []


def test_everything_by_keyboard(shown):
    att = projected()
    frame, opened = shown(neuron_view(att, query=2))
    keyboard = opened.page.keyboard
    frame.locator("#vectors").focus()
    keyboard.press("Tab")
    assert frame.evaluate("document.activeElement.getAttribute('aria-label')") == "query cat"
    keyboard.press("ArrowDown")
    check(frame, att, 0, 0, 3)
    keyboard.press("End")
    check(frame, att, 0, 0, 7)
    keyboard.press("Enter")
    assert frame.locator("#collapsed").is_visible()
    assert frame.evaluate("document.activeElement.getAttribute('aria-label')") == "query [SEP]"
    keyboard.press("ArrowUp")
    keyboard.press(" ")
    check(frame, att, 0, 0, 6)
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    query, key = (each[0, 0].numpy() for each in (att.projections.queries, att.projections.keys))
    score = float(query[6] @ key[1]) / 8**0.5
    assert readout(frame).startswith(f"mat → The: weight {float(att.weights[0, 0, 6, 1]):.3f}, score ")
    assert f"{abs(score):.2f}" in readout(frame)
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    assert readout(frame).startswith("mat → The, dimension 1: q ")
    assert readout(frame).endswith(f"{abs(float(query[6, 1] * key[1, 1])):.3f}.")
    assert frame.locator(".mark").count() == 3
    assert opened.problems == []


def test_a_mouse_that_rests_does_not_point(shown):
    """Keys scroll the picture under it, and the browser says that it is over another token."""
    frame, opened = shown(neuron_view(projected(1, 1, tuple(f"w{i}" for i in range(60))), query=5))
    frame.locator(QUERY).nth(6).hover()
    frame.locator(QUERY).nth(6).focus()
    opened.page.keyboard.press("End")
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("scrollY") > 100
    assert readout(frame).startswith("Query w59,")
    opened.page.mouse.wheel(0, -2000)
    opened.page.wait_for_timeout(300)
    assert readout(frame).startswith("Query w59,")
    frame.locator(QUERY).nth(9).hover()
    assert readout(frame).startswith("Query w9,")


def test_pointing_at_cells_tells_their_numbers(shown):
    att = projected(1, 1)
    frame, _ = shown(neuron_view(att, query=2))
    frame.locator("#queries .vector").nth(4).locator(".element").nth(3).hover()
    assert readout(frame).startswith("Query on, dimension 3: ")
    assert readout(frame).endswith(f"{abs(float(att.projections.queries[0, 0, 4, 3])):.3f}.")
    # bertviz draws frames over these two, which must not be in the way
    frame.locator("#keys .vector").nth(6).locator(".element").nth(5).hover()
    assert readout(frame).startswith("cat → mat, dimension 5: q ")
    frame.locator("#product .vector").nth(3).locator(".element").nth(7).hover()
    assert readout(frame).startswith("cat → sat, dimension 7: q ")
    assert frame.locator(".mark").count() == 3
    frame.locator(".dotproduct").nth(1).hover()
    assert readout(frame).startswith(f"cat → The: weight {float(att.weights[0, 0, 2, 1]):.3f}")


@pytest.mark.parametrize("causal", [False, True])
def test_pair_filter(shown, causal):
    att = projected(2, 2, PAIR, second=6, causal=causal)
    frame, opened = shown(neuron_view(att, layer=1, query=2))
    blocks = [
        ("Sentence B → sentence A", slice(6, 11), slice(6)),
        ("Sentence B → sentence B", slice(6, 11), slice(6, 11)),
        ("All", slice(11), slice(11)),
    ]
    for choice, rows, columns in blocks:
        frame.select_option("#choice", label=choice)
        frame.locator(QUERY).nth(1).hover()
        check(frame, att, 1, 0, (rows.start or 0) + 1, rows, columns)
        shown_products = frame.eval_on_selector_all(
            "#product .vector", "all => all.map(one => Number(one.style.opacity || 1))"
        )
        later = 2 if causal and choice != blocks[0][0] else len(shown_products)
        assert shown_products == [1] * later + [0] * (len(shown_products) - later)
    assert frame.input_value("#layer") == "1"
    assert opened.problems == []


def test_encoder_decoder_and_cross(shown):
    att = translation(3, 2)
    frame, opened = shown(neuron_view(att, layer=1, head=1, show="decoder", query=2))
    check(frame, att.decoder, 1, 1, 2)
    for name, part in (("Cross", att.cross), ("Encoder", att.encoder)):
        frame.select_option("#choice", label=name)
        frame.locator(QUERY).nth(3).hover()
        check(frame, part, 1, 1, 3)
        assert texts(frame, "#layer option") == [str(i) for i in range(part.layers)]
        below = """() => {
            const end = document.querySelector('#vis svg').getBoundingClientRect().bottom;
            return [...document.querySelectorAll('#expanded text')]
                .filter(text => text.getBoundingClientRect().bottom > end).length;
        }"""
        assert frame.evaluate(below) == 0
    assert opened.problems == []


def test_two_views_on_one_page_do_not_disturb_each_other(tmp_path, open_file):
    one, other = projected(seed=1), projected(seed=2)
    path = tmp_path / "two.html"
    views = neuron_view(one, query=1), neuron_view(other, query=4)
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{''.join(view.html for view in views)}", encoding="utf-8")
    opened = open_file(path)
    frames = opened.page.frames[1:]
    for frame in frames:
        frame.wait_for_selector("html.drawn", state="attached")
    frames[0].select_option("#layer", "1")
    check(frames[0], one, 1, 0, 1)
    check(frames[1], other, 0, 0, 4)
    assert opened.problems == []


def colours(frame, selector, name="fill"):
    return frame.eval_on_selector_all(
        selector, f"all => all.map(one => getComputedStyle(one).{name}.match(/[\\d.]+/g).map(Number))"
    )


def test_theme_follows_the_reader_and_keeps_what_is_shown(shown):
    att = projected(2, 2)
    frame, opened = shown(neuron_view(att, query=2))
    frame.select_option("#layer", "1")
    frame.locator(QUERY).nth(5).hover()
    opened.page.emulate_media(color_scheme="dark")
    until(frame, "() => bertviz_params.display_mode === 'dark'")
    check(frame, att, 1, 0, 5)
    assert min(map(max, colours(frame, "#expanded text, .scale, #readout", "color"))) > 120
    assert min(map(max, colours(frame, "#expanded text"))) > 120
    assert colours(frame, "#bertviz", "backgroundColor") == [[0, 0, 0, 0]]
    assert opened.problems == []


def test_forced_theme_does_not_follow(shown):
    for theme, scheme in (("dark", "light"), ("light", "dark")):
        frame, _ = shown(neuron_view(projected(1, 1), theme=theme), scheme=scheme)
        assert frame.evaluate("bertviz_params.display_mode") == theme
        paper = colours(frame, "html", "backgroundColor")[0]
        assert (max(paper) < 60) == (theme == "dark")


@pytest.mark.parametrize("width", [1280, 700, 376])
def test_frame_fits_its_content(shown, width):
    for att in (projected(6, 12), projected(2, 4, PAIR, second=6), translation()):
        frame, opened = shown(neuron_view(att), width=width)
        sizes = "e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
        assert frame.locator("html").evaluate(sizes) == [0, 0]
        assert opened.page.locator("html").evaluate(sizes)[1] == 0
        vis = frame.locator("#vis")
        assert (vis.evaluate("one => one.scrollWidth > one.clientWidth")) == (width < 720)


def test_hostile_tokens_run_nothing_and_are_shown(shown):
    pair = projected(1, 2, HOSTILE, second=5, model=HOSTILE[0])
    for show, left in ((None, HOSTILE), ("A→B", HOSTILE[:5])):
        frame, opened = shown(neuron_view(pair, show=show))
        frame.locator(QUERY).nth(2).hover()
        found = texts(frame, "#expanded #leftText .token")
        for text, seen in zip(left, found, strict=True):
            # a text that had to be cut is followed by the whole of it, its <title>
            assert seen == label(text) or seen.endswith(f"…{label(text)}")
        frame.locator(QUERY).nth(2).focus()
        for key in ("Tab", "ArrowDown"):
            opened.page.keyboard.press(key)
        assert f"→ {label(pair.keys.texts[1 if show is None else 6])[:12]}" in readout(frame)
        frame.locator("#vectors").click()
        opened.page.wait_for_timeout(300)
        for where in opened.page.frames:
            assert where.evaluate("window.pwned") is None
        assert len(opened.page.frames) == 2
        assert opened.problems == []


def test_long_tokens_stay_in_their_place(shown):
    frame, _ = shown(neuron_view(projected(1, 1, ("a", "antidisestablishmentarianism", "x" * 500))))
    for expanded in (True, False):
        outside = frame.evaluate("""() => {
            const svg = document.querySelector('#vis svg').getBoundingClientRect();
            return [...document.querySelectorAll('#vis text.token')]
                .map(text => text.getBoundingClientRect())
                .filter(box => box.width && (box.left < svg.left - 1 || box.right > svg.right + 1)).length;
        }""")
        assert outside == 0
        assert frame.locator(".token title").count() == (4 if expanded else 8)
        frame.locator("#vectors").click()
