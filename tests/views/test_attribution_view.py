import io
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from course.attributions.attribution import Attribution
from course.tokenising import tokenise
from course.views import ViewError, attribution_view
from course.views.attribution_marks import MOST_BARS, readings_of
from course.views.heat_twin import FALL, RISE
from tests import tiny
from tests.views.synthetic import HOSTILE, attention, tokens_of
from tests.views.test_view import PAGE_TAGS, Elements


def made(values, tokens, *, method="integrated_gradients", baseline_score=0.5, **settings):
    values = torch.as_tensor(values, dtype=torch.float64)
    score = float(values.sum()) + 0.5
    known = {"target": "positive", "model": "Made up", "of": "logit", "predicted": True, "tolerance": 1e-3, "steps": 32}
    return Attribution(
        values, tokens, score=score, method=method, baseline="[MASK] everywhere", baseline_score=baseline_score,
        **known | settings,
    )  # fmt: skip


def typed(text="The unbelievable cat,\nnot bad ", values=None):
    tokens, _ = tokenise(tiny.bert(), text)
    generator = torch.Generator().manual_seed(0)
    return made(torch.randn(len(tokens), generator=generator) if values is None else values, tokens)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255


def near(png, colour):
    return int((np.abs(pixels(png) - to_rgb(colour)).max(-1) < 0.06).sum())


@pytest.mark.parametrize("style", ["text", "bars"])
def test_alt_and_summary_say_what_counts_and_how_far_it_adds_up(style):
    attribution = typed()
    view = attribution_view(attribution, style)
    rise, fall = (attribution.strongest(1, only)[0] for only in ("for", "against"))
    for words in (view.alt, view.summary):
        assert f"{rise.value:+.3f}" in words and f"{fall.value:+.3f}".replace("-", "−") in words
        assert "completeness gap" in words and "within 0.10% of the change after 32 steps" in words
        assert f"the logit {attribution.score:.3f} of “positive”, which the model chose".replace("-", "−") in words
    assert view.title.startswith("Integrated gradients for “positive”: Made up, ")


def test_attention_is_drawn_without_signs():
    tokens, _ = tokenise(tiny.bert(), "the cat")
    view = attribution_view(made([0.5, 0.25, 0.15, 0.1], tokens, method="attention", baseline_score=None))
    assert "Largest weights: [CLS] 0.500" in view.summary and "+0" not in view.summary and "Lower" not in view.alt
    assert near(view.png(), RISE) == near(view.png(), FALL) == 0


def test_the_text_is_as_typed_with_its_white_space():
    reading = readings_of(typed())[0]
    text = "".join(mark.before + ("" if mark.special else mark.text) for mark in reading.marks) + reading.rest
    assert text == "The unbelievable cat,\nnot bad "
    for one in readings_of(typed()):
        said = "".join(mark.before + ("" if mark.special else mark.text) for mark in one.marks) + one.rest
        assert said == text, one.name
    assert [one.name for one in readings_of(typed())] == ["as the model reads", "whole words", "characters"]
    assert [one.name for one in readings_of(typed().words())] == ["whole words", "characters"]
    assert [one.name for one in readings_of(typed("cat sat").characters())] == ["characters", "whole words"]


def test_sums_stay_in_every_reading():
    attribution = typed()
    for reading in readings_of(attribution):
        assert sum(mark.value for mark in reading.marks) == pytest.approx(float(attribution.values.sum()))


def test_parts_of_one_character_are_one_mark():
    tokens, _ = tokenise(tiny.roberta(), "the 🦜🦜 sat")
    reading = readings_of(made(torch.ones(len(tokens)), tokens))[0]
    assert [mark.text for mark in reading.marks].count("🦜") == 2
    assert sum(mark.value for mark in reading.marks) == len(tokens)


def test_a_pair_keeps_both_texts():
    tokens, _ = tokenise(tiny.bert(), "the cat ?", " a mat ")
    reading = readings_of(made(torch.ones(len(tokens)), tokens))[0]
    texts = ["".join(m.before + ("" if m.special else m.text) for m in reading.marks if m.segment == i) for i in (0, 1)]
    assert texts[0] == "the cat ?" and texts[1] + reading.rest == " a mat "


def test_orange_raises_and_blue_lowers_in_the_picture():
    for style in ("text", "bars"):
        rise = attribution_view(typed("cat", [0.0, 2.0, 0.0]), style).png()
        fall = attribution_view(typed("cat", [0.0, -2.0, 0.0]), style).png()
        legend = near(attribution_view(typed("cat", [0.0, 0.0, 0.0]), style).png(), RISE)
        assert near(rise, RISE) > legend + 300 and near(fall, FALL) > legend + 300
        assert near(rise, RISE) > near(fall, RISE) + 300 and near(fall, FALL) > near(rise, FALL) + 300


def test_rounding_errors_are_not_drawn_as_strong_values():
    reading = readings_of(typed("cat", [0.0, 1e-9, 0.0]))[0]
    assert max(abs(reading.share(mark)) for mark in reading.marks) < 0.01
    assert reading.digits >= 6 and readings_of(typed("cat", [0.0, 0.002, 0.0]))[0].number(0.002) == "+0.00200"


def test_many_tokens_have_the_largest_bars_in_the_order_of_the_text():
    values = torch.zeros(300).double()
    values[10:290:5] = torch.arange(1.0, 57.0).double() * (-1.0) ** torch.arange(56)
    reading = readings_of(made(values, tokens_of(tuple(f"w{i}" for i in range(300)))))[0]
    bars = reading.bars()
    assert len(bars) == MOST_BARS and [mark.name for mark in bars] == sorted(
        (m.name for m in bars), key=lambda n: int(n[1:])
    )
    assert min(abs(mark.value) for mark in bars) == 17
    assert "the 40 farthest from 0 of 300" in attribution_view(made(values, tokens_of(("w",) * 300)), "bars").page


@pytest.mark.parametrize("tokens", [HOSTILE[:18], HOSTILE[18:]])
@pytest.mark.parametrize("style", ["text", "bars"])
def test_hostile_tokens_add_no_element(tokens, style):
    attribution = made(torch.arange(len(tokens)) - 5.0, tokens_of(tokens, 5), model=HOSTILE[0], target=HOSTILE[1])
    view = attribution_view(attribution, style)
    outer = Elements(view.html)
    assert outer.names == ["div", "img", "iframe"]
    inner = Elements(outer.tags[2][1]["srcdoc"])
    assert sorted(inner.names) == sorted([*PAGE_TAGS, *["p"] * inner.names.count("p"), "script", "script"])
    assert inner.other == [] and view.alt.isprintable() and view.title.isprintable()
    assert all(line.isprintable() for line in view.summary.splitlines())
    view.html.encode()
    plain = attribution_view(made(torch.arange(len(tokens)) - 5.0, tokens_of(("a",) * len(tokens), 5)), style)
    tags = [{one.tag for one in ElementTree.fromstring(one.svg()).iter()} for one in (plain, view)]
    assert tags[0] == tags[1] and not re.search(r"<!|<\?", view.svg())


@pytest.mark.parametrize("style", ["text", "bars"])
def test_any_token_is_drawn_without_a_warning(style):
    texts = ("🦜", "你好世界", "$\\frac{1}{2}$", "שלום", "x" * 500, "", " ", "\n", "\ufe0f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attribution_view(made(torch.ones(len(texts)), tokens_of(texts)), style).svg()


def test_nothing_is_drawn_off_the_sheet():
    view = attribution_view(typed("unbelievable tokens are cut into pieces. " * 8 + "x" * 300))
    shades = pixels(view.png())
    assert (shades[:, -12:] > 0.99).all() and (shades[-12:] > 0.99).all()


def test_wrong_things_are_refused_with_advice(monkeypatch):
    with pytest.raises(ViewError, match=r"draws an Attribution, not Attention: call course\.attribute"):
        attribution_view(attention())
    with pytest.raises(ViewError, match="style must be one of 'text', 'bars', not 'pie'"):
        attribution_view(typed(), "pie")
    with pytest.raises(ViewError, match="theme must be one of"):
        attribution_view(typed(), theme="blue")
    monkeypatch.setattr("course.views.view.BUDGET", 20_000)
    with pytest.raises(ViewError, match="shorten the text"):
        attribution_view(typed())


def test_what_was_cut_off_is_said_and_not_drawn():
    tokens, _ = tokenise(tiny.bert(), "cat " * 100, truncate=True)
    view = attribution_view(made(torch.ones(len(tokens)), tokens))
    assert "38 tokens were dropped" in view.summary and "38 tokens were dropped" in view.page
    for reading in readings_of(made(torch.ones(len(tokens)), tokens)):
        assert "".join(m.before + ("" if m.special else m.text) for m in reading.marks).count("cat") == 62


def test_same_input_gives_same_bytes():
    for style in ("text", "bars"):
        first, second = (attribution_view(typed(), style) for _ in range(2))
        assert first.html == second.html and first.svg() == second.svg() and first.png() == second.png()
