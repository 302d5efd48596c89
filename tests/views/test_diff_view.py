import io
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from course.attention import AttentionError
from course.differences.attention_diff import diff
from course.views import ViewError, diff_view
from course.views.canvas import SCALE
from course.views.heat_twin import FALL, RISE
from tests.views.synthetic import HOSTILE, PAIR, attention, encoder_decoder
from tests.views.test_view import Elements, page_tags


def changed(layers=2, heads=3, *rest, model="Made up", **settings):
    before, after = (attention(layers, heads, *rest, seed=seed, model=model, **settings) for seed in (1, 2))
    return diff(before, after)


def one_change():
    """One head that looks at itself before, and at the first token after."""
    before, after = (attention(1, 1, ("a", "b", "c", "d")) for _ in range(2))
    before.weights[0, 0] = torch.eye(4)
    after.weights.zero_()[..., 0] = 1
    return diff(before, after)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255


def test_alt_and_summary_say_what_moved():
    difference = changed(3, 12, PAIR, second=6)
    view = diff_view(difference)
    most, rise, fall = difference.heads_by_change(1)[0], *(difference.moved(1, only=o)[0] for o in ("rises", "falls"))
    for words in (view.alt, view.summary):
        assert f"layer {most.layer} head {most.head} ({most.total_variation:.2f})" in words
        assert f"layer {rise.layer} head {rise.head}, {rise.query} → {rise.key}" in words
        assert f"layer {fall.layer} head {fall.head}, {fall.query} → {fall.key}" in words
    assert f"{rise.before:.2f} to {rise.after:.2f} (+{rise.change:.2f})" in view.alt
    assert view.summary.startswith("Change of attention of Made up: 3 layers × 12 heads, 11 tokens")


def test_words_are_of_the_block_and_heads_that_are_shown():
    difference = changed(3, 4, PAIR, second=6)
    view = diff_view(difference, layers=[2, 0], heads=[1], show="A->B")
    most = difference.moved(1, layers=[2, 0], heads=[1], rows=range(6), columns=range(6, 11), only="rises")[0]
    assert f"Strongest rise: layer {most.layer} head 1, {most.query} → {most.key}" in view.alt
    assert "layers 2, 0" in view.summary and "(sentence A → sentence B)" in view.summary


def test_what_special_tokens_held_is_said_for_before_and_after():
    difference = changed().without_special()
    before, after = (f"{att.removed.mean():.0%}" for att in (difference.before, difference.after))
    view = diff_view(difference)
    assert before != after
    for words in (view.summary, view.page):
        assert f"they held {before} of the attention" in words
        assert f"That was before; after, special tokens held {after}." in words


def test_both_models_are_named_to_the_end():
    long = "A model with a name that is rather long, so that its end would be cut off elsewhere"
    before, after = attention(model=f"{long} (a)"), attention(model=f"{long} (b)", seed=2)
    view = diff_view(diff(before, after))
    assert view.title.startswith(f"Change of attention from {long} (a) to {long} (b): 3 layers")


def test_nothing_changed_is_said():
    att = attention()
    view = diff_view(diff(att, att))
    assert "Nothing changed" in view.alt and "Nothing changed" in view.summary


def test_rises_are_orange_and_falls_are_blue_in_the_picture():
    shades = pixels(diff_view(one_change()).png())
    left, top, side = (int(value * SCALE) for value in (54, 104, 136 / 4))
    for row, column, colour in (
        (1, 0, RISE),
        (3, 0, RISE),
        (1, 1, FALL),
        (3, 3, FALL),
        (0, 0, "white"),
        (2, 3, "white"),
    ):
        y, x = top + int((row + 0.5) * side), left + int((column + 0.5) * side)
        assert np.abs(shades[y, x] - to_rgb(colour)).max() < 0.06, (row, column)


def test_a_single_strong_change_survives_in_a_small_square():
    texts = tuple(f"w{i}" for i in range(300))
    before, after = attention(1, 12, texts), attention(1, 12, texts)
    after.weights[0, 5, 17] = 0
    after.weights[0, 5, 17, 200] = 1
    shades = pixels(diff_view(diff(before, after)).png())
    near = (np.abs(shades - to_rgb(RISE)).max(-1) < 0.15)[:, : int(600 * SCALE)]
    assert near[int(80 * SCALE) :].any()


def test_picture_has_the_scale_and_svg_has_no_script():
    view = diff_view(changed(model="</title><script>alert(1)</script>"))
    root = ElementTree.fromstring(view.svg())
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    assert root.attrib["aria-label"] == view.alt


@pytest.mark.parametrize("tokens", [HOSTILE[:18], HOSTILE[18:]])
def test_hostile_tokens_add_no_element(tokens):
    pair = changed(1, 2, tokens, second=5, model=f"model {HOSTILE[0]}")
    for view in (diff_view(pair), diff_view(pair, show="A→B")):
        outer = Elements(view.html)
        assert outer.names == ["div", "img", "iframe"]
        inner = Elements(outer.tags[2][1]["srcdoc"])
        assert inner.names == page_tags(view.page)
        assert inner.other == [] and view.alt.isprintable() and view.title.isprintable()
        assert all(line.isprintable() for line in view.summary.splitlines())
        view.html.encode()
    plain = changed(1, 2, ("a",) * len(tokens), second=5)
    tags = [{one.tag for one in ElementTree.fromstring(diff_view(d).svg()).iter()} for d in (plain, pair)]
    assert tags[0] == tags[1] and not re.search(r"<!|<\?", diff_view(pair).svg())


def test_any_token_is_drawn_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diff_view(changed(1, 2, ("🦜", "你好世界", "$\\frac{1}{2}$", "שלום", "x" * 500, ""), model="$x$ 🦜")).svg()


def test_wrong_things_are_refused_with_advice(monkeypatch):
    difference = changed()
    with pytest.raises(AttentionError, match="layer must be a whole number from 0 to 1, not 2"):
        diff_view(difference, layers=[2])
    with pytest.raises(AttentionError, match="heads is empty"):
        diff_view(difference, heads=[])
    with pytest.raises(ViewError, match="show must be one of 'all' here"):
        diff_view(difference, show="A→B")
    with pytest.raises(
        ViewError, match=r"diff_view draws a difference, not Attention: call course\.diff\(before, after\)"
    ):
        diff_view(attention())
    with pytest.raises(ViewError, match="theme must be one of"):
        diff_view(difference, theme="blue")
    monkeypatch.setattr("course.views.view.BUDGET", 20_000)
    with pytest.raises(ViewError, match=r"would put 0\.\d MB .* choose fewer layers with layers="):
        diff_view(difference)


def test_encoder_decoder_shows_the_one_asked_for():
    att = encoder_decoder()
    other = encoder_decoder()
    other.cross.weights[0, 0, 0] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    view = diff_view(diff(att, other), show="cross")
    assert "6 query tokens to 4 key tokens" in view.alt and "Strongest rise: layer 0 head 0, <pad> → </s>" in view.alt
    assert "Nothing changed" in diff_view(diff(att, other)).alt


def test_same_input_gives_same_bytes():
    first, second = (diff_view(changed(2, 3, PAIR, second=6)) for _ in range(2))
    assert first.html == second.html and first.svg() == second.svg() and first.png() == second.png()
