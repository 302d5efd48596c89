import io
import re
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

import course
from course.attention import Attention
from course.attributions.attribution import Attribution
from course.measures import rollout
from course.views import ViewError, attribution_view, image_view
from course.views.image_colours import FALL, PLAIN, RISE
from course.views.image_heats import heats_of
from course.vision.patches import Patches, Picture
from tests.views.synthetic import HOSTILE, attention
from tests.views.test_attribution_view import made
from tests.views.test_view import Elements, page_tags


def patches(rows=3, columns=4, *, name="a photo.png", special=("[CLS]",), notes=(), seed=0):
    """A picture of noise, each patch 2 x 2 pixels."""
    light = torch.rand(3, 2 * rows, 2 * columns, generator=torch.Generator().manual_seed(seed))
    light = (light * 255).round() / 255
    picture = Picture(light, torch.zeros(3), torch.ones(3), name, notes)
    return Patches.of(picture, (rows, columns), special)


def of_image(values=None, tokens=None, **settings):
    tokens = patches() if tokens is None else tokens
    values = torch.linspace(-1, 2, len(tokens)) * ~torch.tensor(tokens.special) if values is None else values
    return replace(made(values, tokens, level="patches"), **settings)


def looked(layers=2, heads=3, tokens=None):
    tokens = patches() if tokens is None else tokens
    generator = torch.Generator().manual_seed(5)
    weights = (2 * torch.randn(layers, heads, len(tokens), len(tokens), generator=generator)).softmax(-1)
    return Attention(weights, tokens, tokens, "self", "Made up")


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255


def near(png, colour):
    return int((np.abs(pixels(png) - to_rgb(colour)).max(-1) < 0.1).sum())


def test_alt_and_summary_say_which_patches_count_and_where():
    record = of_image()
    view = image_view(record)
    for words in (view.alt, view.summary):
        assert "r2c3 +2.000" in words and "r0c0 −0.750" in words
        assert "lower right 52%" in words and "completeness gap" in words
    assert view.title == "Integrated gradients for “positive”: Made up, 3 × 4 patches"
    assert "8 × 6 pixels: a photo.png" in view.summary


def test_quarters_are_shares_of_all_sizes():
    values = torch.tensor([0.0, -1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1])
    heat = heats_of([of_image(values)], None)[0]
    assert heat.quarters() == [0.25, 0.5, 0, 0.25]


@pytest.mark.parametrize(("sign", "ink"), [(1, RISE), (-1, FALL)])
def test_orange_raises_and_blue_lowers_in_the_picture(sign, ink):
    values = torch.zeros(13)
    values[6] = sign * 2.0
    png, opposite = (image_view(of_image(one)).png() for one in (values, -values))
    assert near(png, ink) > near(opposite, ink) + 1000


def test_weights_have_one_colour_and_no_sign():
    att = looked()
    view = image_view(att, layer=0, head=1)
    assert near(view.png(), PLAIN) > 500 and "raise" not in view.summary.lower() and "+0." not in view.summary
    row = att.weights[0, 1, 0]
    best = int(row[1:].argmax()) + 1
    assert f"Largest weights: {att.tokens.texts[best]} {float(row[best]):.3f}" in view.summary
    assert f"Not in the image: [CLS] {float(row[0]):.3f}" in view.summary


def test_maps_are_rows_of_the_attention():
    att = looked()
    heats = heats_of([att], "r1c2")
    assert [heat.title for heat in heats[:4]] == ["Layer 0, mean over heads", *(f"Layer 0, head {i}" for i in range(3))]
    assert len(heats) == 8
    assert heats[6].values == tuple(att.weights[1, 1, 7].double().tolist()[1:])
    assert sum(heats[4].values) + heats[4].special[0].value == pytest.approx(1, abs=1e-6)
    assert "weights of r1c2, which sum to 1.000" in heats[6].notes[0]
    rolled = heats_of([rollout(att)], None)
    assert [heat.title for heat in rolled] == ["Rollout, layers 0 to 0", "Rollout, layers 0 to 1"]
    assert rolled[1].values == tuple(rollout(att).weights[1, 0, 0].double().tolist()[1:])


def test_the_last_layer_is_seen_first():
    att = looked()
    assert "Shown: Layer 1, mean over heads." in image_view(att).summary
    assert "Shown: Layer 0, mean over heads." in image_view(att, layer=0).summary
    assert "Shown: Layer 1, head 2." in image_view(att, head=2).summary
    assert "Shown: Rollout, layers 0 to 1." in image_view(rollout(att)).summary
    assert "Shown: Layer 0, head 2." in image_view([of_image(), att], layer=0, head=2).summary
    without = image_view(att.without_special(), query="r0c0")
    assert "special tokens are left out" in without.summary and "Not in the image" not in without.summary


def test_several_records_of_one_image_can_be_compared():
    records = [of_image(), of_image(method="occlusion"), of_image(method="attention", baseline_score=None), looked()]
    view = image_view(records)
    assert view.title == "Heat maps of an image: Made up, 3 × 4 patches"
    assert "Also: Occlusion, Attention, Layer 0, Layer 1." in view.summary
    twice = [of_image(), of_image()]
    assert [heat.title for heat in heats_of(twice, None)] == ["Integrated gradients (1)", "Integrated gradients (2)"]
    targets = [of_image(target="a"), of_image(target="b")]
    assert [heat.title for heat in heats_of(targets, None)] == [
        "Integrated gradients for “a”",
        "Integrated gradients for “b”",
    ]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (24, 24)])
def test_any_grid_is_drawn_without_a_warning(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = image_view(of_image(tokens=patches(*shape)))
        assert len(set(map(tuple, pixels(view.png()).reshape(-1, 3).tolist()))) > 20
        view.svg()


def test_nothing_at_all_is_drawn_as_nothing():
    view = image_view(of_image(torch.zeros(13)))
    assert "Raise it most: nothing. Lower it most: nothing." in view.alt
    assert near(view.png(), RISE) < 900  # the scale alone


def test_the_picture_beside_is_the_picture():
    tokens = patches()
    page = image_view(of_image(tokens=tokens)).page
    found = re.search(r'"picture":"data:image/png;base64,([^"]+)"', page)
    import base64

    image = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert image.info == {} and np.array_equal(np.asarray(image), tokens.picture.rgb)
    shown = pixels(image_view(of_image(tokens=tokens)).png())
    for colour in tokens.picture.rgb.reshape(-1, 3) / 255:
        assert (np.abs(shown - colour).max(-1) < 0.01).sum() > 1000


def test_hostile_names_add_no_element():
    for i in range(0, len(HOSTILE) - 2, 3):
        tokens = patches(name=HOSTILE[i], notes=(HOSTILE[i + 1],))
        record = of_image(tokens=tokens, model=HOSTILE[i], target=HOSTILE[i + 2], baseline=HOSTILE[i + 1])
        view = image_view([record, looked(tokens=tokens)])
        outer = Elements(view.html)
        assert outer.names == ["div", "img", "iframe"]
        inner = Elements(outer.tags[2][1]["srcdoc"])
        assert inner.names == page_tags(view.page) and inner.other == []
        assert view.alt.isprintable() and view.title.isprintable()
        assert all(line.isprintable() for line in view.summary.splitlines())
        view.html.encode()
        assert not re.search(r"<!|<\?", view.svg())
        ElementTree.fromstring(view.svg())


def test_same_input_gives_same_bytes():
    first, second = (image_view([of_image(), looked()]) for _ in range(2))
    assert first.html == second.html and first.svg() == second.svg() and first.png() == second.png()


def test_wrong_things_are_refused_with_advice():
    text = made([0.0, 1.0], attention(1, 1, ("a", "b")).tokens)
    for wrong, says in (
        ("x", r"draws what course\.attribute or course.attend gives for an image"),
        (text, "this is of a text: course.attribution_view draws it"),
        (attention(), "this is of a text: course.head_view draws it"),
        ([], "there is no record to draw"),
        ([of_image(), of_image(tokens=patches(seed=1))], "of different images"),
        ([of_image(), of_image(tokens=patches(seed=1, rows=2))], "of different images"),
    ):
        with pytest.raises(ViewError, match=says):
            image_view(wrong)
    with pytest.raises(ViewError, match=r"query must be one of the tokens, \[CLS\] … r2c3, not 'r9c9'"):
        image_view(looked(), query="r9c9")
    with pytest.raises(ViewError, match="not None: whose attention"):
        image_view(looked().without_special())
    with pytest.raises(ViewError, match="layer and head choose a map of an attention"):
        image_view(of_image(), layer=1)
    with pytest.raises(course.AttentionError, match="layer must be a whole number from 0 to 1"):
        image_view(looked(), layer=2)
    with pytest.raises(course.AttentionError, match="head must be"):
        image_view(looked(), head=3)
    with pytest.raises(ViewError, match="theme must be one of"):
        image_view(of_image(), theme="blue")
    with pytest.raises(ViewError, match="image_view"):
        attribution_view(of_image())


def test_an_attribution_of_an_image_shows_itself():
    data, _ = of_image()._repr_mimebundle_()
    assert data["text/html"] == image_view(of_image()).html and isinstance(of_image(), Attribution)
