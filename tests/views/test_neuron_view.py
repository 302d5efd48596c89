import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from course.attention import Attention, AttentionError
from course.projections import Projections
from course.views import ViewError
from course.views.canvas import SCALE
from course.views.neurons import ELEMENTS, neuron_view
from course.views.selection import label
from course.views.view import BUDGET
from tests.views.projected import carried, parcel, projected, translation
from tests.views.synthetic import HOSTILE, PAIR, SENTENCE, tokens_of

ROOT = Path(__file__).parents[2]


def by_hand(texts=("a", "b"), *, causal=False):
    """Of the query b = (4, -1) the products with a are 12 and -2, and with b 0 and 3."""
    vectors = Projections(
        torch.tensor([[[[1.0, 0.0], [4.0, -1.0]]]]), torch.tensor([[[[3.0, 2.0], [0.0, -3.0]]]]), (2**-0.5,)
    )
    tokens = tokens_of(texts)
    return Attention(vectors.weights(causal=causal), tokens, tokens, "self", "By hand", causal, vectors)


def test_words_tell_the_query_its_keys_and_the_dimensions():
    view = neuron_view(by_hand(), query="b")
    assert "How the query b (token 1) makes its attention in layer 0, head 0 of By hand" in view.alt
    # (12 - 2) / √2 = 7.07 and 3 / √2 = 2.12; e^7.07 / (e^7.07 + e^2.12) = 0.993
    assert "Strongest keys: a 0.99 (score 7.07), b 0.01 (score 2.12)." in view.alt
    assert "The largest products of b and a are in dimensions 0 (+12.00) and 1 (-2.00)." in view.alt
    assert "  b 0.01 (score 2.12): dimensions 1 (+3.00) and 0 (+0.00)" in view.summary


def test_page_carries_every_layer_and_head_where_there_is_room():
    att = projected(3, 4)
    (found,) = carried(neuron_view(att, layer=1, head=2))
    assert (found.layers, found.heads) == ([0, 1, 2], [0, 1, 2, 3])
    assert np.abs(found.weights - att.weights.numpy()).max() <= 1 / 131_070 + 1e-7
    contents = parcel(neuron_view(att, layer=1, head=2))
    assert (contents["layer"], contents["head"]) == (1, 2)


@pytest.mark.parametrize(
    ("att", "layers", "heads", "said"),
    [
        (lambda: projected(24, 16, tuple(f"w{i}" for i in range(64)), size=64), 1, 16, "layer 1 only"),
        (lambda: projected(2, 64, tuple(f"w{i}" for i in range(120)), size=32), 1, 1, "layer 1, head 5 only"),
    ],
)
def test_page_carries_what_is_asked_for_where_there_is_no_room_for_all_and_says_so(att, layers, heads, said):
    att = att()
    view = neuron_view(att, layer=1, head=5)
    (found,) = carried(view)
    assert found.weights.shape[:2] == (layers, heads)
    own = att.weights[1:2, 5:6] if heads == 1 else att.weights[1:2]
    assert np.abs(found.weights - own.numpy()).max() <= 1 / 131_070 + 1e-7
    assert f"This page has {said}: all layers and heads would take" in view.page
    assert len(view.html.encode()) + 4 * len(view.png()) // 3 <= BUDGET


def test_other_scale_is_folded_into_the_queries_and_said():
    att = projected(2, 2, size=4, scale=0.25)
    view = neuron_view(att)
    (found,) = carried(view)
    assert np.allclose(found.queries, att.projections.queries.numpy() / 2, atol=1e-3)
    scores = found.queries @ found.keys.swapaxes(-1, -2) / 2
    assert np.allclose(scores, att.projections.scores(causal=False).numpy(), atol=5e-3)
    assert "layer 0 by 0.5, layer 1 by 0.5" in view.page
    assert "layer 0 by 0.5" in view.summary
    assert "multiplied (" not in neuron_view(projected(2, 2)).page


def test_vectors_that_do_not_make_the_attention_are_refused_with_the_difference():
    att = projected(2, 3)
    keys = att.projections.keys.clone()
    keys[1, 2] += 0.5 * torch.randn(keys[1, 2].shape, generator=torch.Generator().manual_seed(1))
    wrong = replace(att, projections=replace(att.projections, keys=keys))
    difference = float((wrong.projections.weights(causal=False) - att.weights).abs().max())
    with pytest.raises(ViewError, match=rf"largest difference is {difference:.2g} \(layer 1, head 2\).*1e-04"):
        neuron_view(wrong)
    slightly = replace(att, projections=replace(att.projections, keys=att.projections.keys * (1 + 1e-6)))
    neuron_view(slightly)


def test_vectors_that_are_not_finite_or_not_of_these_tokens_are_refused():
    att = projected(2, 3)
    with pytest.raises(ViewError, match="NaN or infinity"):
        neuron_view(replace(att, projections=replace(att.projections, queries=att.projections.queries * float("nan"))))
    for change in (
        {"keys": att.projections.keys[:, :, :-1]},
        {"queries": att.projections.queries[:1]},
        {"scales": (1.0,)},
        {"keys": att.projections.keys[..., :-1]},
    ):
        with pytest.raises(ViewError, match=r"have the shapes .* unchanged"):
            neuron_view(replace(att, projections=replace(att.projections, **change)))


def test_records_without_vectors_say_what_to_give():
    att = projected()
    for record in (att.words(), att.without_special(), replace(att, projections=None)):
        with pytest.raises(ViewError, match=r"no queries and keys.*give the original, as course\.attend returned it"):
            neuron_view(record)
    with pytest.raises(ViewError, match="the attention of the encoder has no queries and keys"):
        neuron_view(translation().words())
    with pytest.raises(ViewError, match="a view draws an Attention, not str"):
        neuron_view("the cat")


@pytest.mark.parametrize(("name", "count"), [("layer", 2), ("head", 3)])
@pytest.mark.parametrize("value", [-1, 3, "0", 0.0, True, None])
def test_indices_are_checked(name, count, value):
    with pytest.raises(AttentionError, match=f"{name} must be a whole number from 0 to {count - 1}"):
        neuron_view(projected(2, 3), **{name: value})


def test_some_tokens_of_an_image_are_shown_with_the_models_own_numbers():
    image = projected(2, 3, ("[CLS]", *(f"patch {i}" for i in range(196))))
    with pytest.raises(ViewError, match=r"tokens=range\(\d+\)"):
        neuron_view(image)
    some = [140, 0, 7, 8, 140]
    view = neuron_view(image, tokens=iter(some), layer=1, head=2, query="patch 7")
    (found,) = carried(view)
    kept = [0, 7, 8, 140]
    assert np.abs(found.weights - image.weights.numpy()[:, :, kept][..., kept]).max() <= 1 / 131_070 + 1e-7
    assert np.abs(found.queries - image.projections.queries.numpy()[:, :, kept]).max() < 1e-3
    assert np.abs(found.keys - image.projections.keys.numpy()[:, :, kept]).max() < 1e-3
    (choice,) = parcel(view)["choices"]
    assert (choice["rows"], choice["columns"], choice["query"]) == ([0, 4], [0, 4], 2)
    assert parcel(view)["parts"][0]["queries"] == ["[CLS]", "patch 6", "patch 7", "patch 139"]
    for text in (view.page, view.alt, view.summary):
        assert "Only 4 of the 197 tokens are shown; the weights are those among all." in text
    best = max(kept, key=lambda key: image.weights[1, 2, 8, key])
    assert f"{image.keys.texts[best]} {float(image.weights[1, 2, 8, best]):.2f} (score" in view.alt
    every = neuron_view(projected(), tokens=range(8))
    assert "Only" not in every.page and every.png() == neuron_view(projected()).png()


def test_later_tokens_stay_hidden_among_some():
    att = projected(1, 1, tuple("abcdef"), causal=True)
    view = neuron_view(att, tokens=[1, 3, 5], query=3)
    assert parcel(view)["choices"][0]["causal"] is True
    assert "2 key vectors" in view.alt


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([], "not none"),
        ([-1, 2], "from 0 to 7.*-1, 2"),
        ([8], r"from 0 to 7.*\[8\]"),
        (["cat"], "positions"),
        (3, "positions"),
    ],
)
def test_tokens_that_there_are_not(tokens, message):
    with pytest.raises(ViewError, match=message):
        neuron_view(projected(), tokens=tokens)


def test_tokens_need_one_attention_and_no_block():
    for att, show in ((projected(1, 1, PAIR, second=6), "A→A"), (translation(), None), (translation().cross, None)):
        with pytest.raises(ViewError, match="one attention to itself"):
            neuron_view(att, tokens=[0, 1], show=show)
    with pytest.raises(ViewError, match="position from 0 to 4 and in tokens, not 2"):
        neuron_view(projected(), tokens=[0, 4], query=2)


def test_too_many_tokens():
    def words(count):
        return tuple(f"w{i}" for i in range(count))

    most = max(tokens for tokens in range(500) if 3 * 8 * tokens + 7 * tokens**2 <= ELEMENTS)
    neuron_view(projected(1, 1, words(most)))
    advice = rf"show some tokens, such as tokens=range\({most}\), or shorten the text to at most {most} tokens"
    with pytest.raises(ViewError, match=rf"{most + 1} queries and .*: {advice}"):
        neuron_view(projected(1, 1, words(most + 1)))
    pair = projected(1, 1, words(most + 1), second=40)
    with pytest.raises(ViewError, match=r"choose show='A→A' or show='B→B' or show='A→B' or show='B→A', or show some"):
        neuron_view(pair)
    choices = parcel(neuron_view(pair, show="B->A"))["choices"]
    assert [choice["label"] for choice in choices][-1] == "Sentence B → sentence A"
    assert "All" not in [choice["label"] for choice in choices]


def test_show_chooses_a_block_or_a_part():
    view = neuron_view(projected(2, 3, PAIR, second=6), show="b -> a")
    contents = parcel(view)
    assert contents["choices"][contents["choice"]]["label"] == "Sentence B → sentence A"
    assert contents["choices"][contents["choice"]]["query"] >= 6
    view = neuron_view(translation(), show="cross")
    contents = parcel(view)
    assert contents["choices"][contents["choice"]]["label"] == "Cross"
    assert [part["layers"] for part in contents["parts"]] == [[0, 1, 2], [0, 1], [0, 1]]
    with pytest.raises(ViewError, match="show must be one of 'encoder', 'decoder', 'cross'"):
        neuron_view(translation(), show="B→A")
    with pytest.raises(AttentionError, match=r"in the decoder: to see one attention alone, pass \.encoder"):
        neuron_view(translation(), layer=2, show="encoder")


def test_causal_pair_has_no_block_that_nothing_can_be_seen_in():
    att = projected(2, 3, PAIR, second=6, causal=True)
    labels = {choice["label"]: choice["causal"] for choice in parcel(neuron_view(att))["choices"]}
    # bertviz hides rows by their number, which is right where queries and keys are the same tokens
    assert labels == {
        "All": True, "Sentence A → sentence A": True, "Sentence B → sentence B": True,
        "Sentence B → sentence A": False,
    }  # fmt: skip
    with pytest.raises(ViewError, match="show must be one of 'all', 'A→A', 'B→B', 'B→A'"):
        neuron_view(att, show="A→B")


def test_query_by_text_or_position():
    att = projected(1, 1, ("[CLS]", "a", "b", "a", "[SEP]"))
    assert "query b (token 2)" in neuron_view(att, query="b").alt
    assert "query a (token 3)" in neuron_view(att, query=np.int64(3)).alt
    with pytest.raises(ViewError, match="'a' is there 2 times: give a position, query=1 or query=3"):
        neuron_view(att, query="a")
    with pytest.raises(ViewError, match=r"no query here is 'c'; there are '\[CLS\]', 'a', 'b', 'a', '\[SEP\]'"):
        neuron_view(att, query="c")
    for wrong in (-1, 5, 1.0, True, [1]):
        with pytest.raises(ViewError, match="its position from 0 to 4"):
            neuron_view(att, query=wrong)
    with pytest.raises(ViewError, match="no query here is 'A'"):
        neuron_view(projected(1, 1, PAIR, second=6), query="A", show="B→A")


def test_query_is_the_ordinary_token_with_the_strongest_link():
    att = projected(1, 1)
    rows = att.weights[0, 0].amax(-1)
    best = max(range(1, 7), key=lambda row: float(rows[row]))
    assert f"(token {best})" in neuron_view(att).alt
    # in a causal model the first token sees only itself, with weight 1
    assert "(token 1)" in neuron_view(by_hand(causal=True)).alt


def test_later_tokens_are_not_told_in_a_causal_model():
    view = neuron_view(projected(1, 1, causal=True), query=2)
    assert "3 key vectors" in view.alt
    assert "Causal: a token looks at itself and at tokens before it" in view.summary
    assert not any(f" {later} 0." in view.summary for later in SENTENCE[3:])


def test_theme():
    assert '<html lang="en" data-theme="dark">' in neuron_view(projected(1, 1), theme="dark").page
    with pytest.raises(ViewError, match="theme must be one of 'auto', 'light', 'dark'"):
        neuron_view(projected(1, 1), theme="sepia")


def pixel(png: bytes, x: float, y: float) -> np.ndarray:
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return image[round(y * SCALE), round(x * SCALE)].astype(int)


def test_static_picture_is_blue_for_positive_and_orange_for_negative():
    """By hand: the first half of each strip is dimension 0, the second half dimension 1."""
    png = neuron_view(by_hand(), query="b").png()
    for x, y, sign in (
        (230, 109, 1), (335, 109, -1),  # q = (4, -1)
        (230, 169, 1), (335, 169, 1), (230, 191, 0), (335, 191, -1),  # k = (3, 2), (0, -3)
        (460, 169, 1), (565, 169, -1), (460, 191, 0), (565, 191, 1),  # q × k = (12, -2), (0, 3)
    ):  # fmt: skip
        red, _, blue = pixel(png, x, y)
        assert np.sign(blue - red) == sign, (x, y, red, blue)
    assert pixel(png, 706 + 40, 169)[2] > 150 > pixel(png, 706 + 40, 169)[0]  # the bar of 0.99
    assert tuple(pixel(png, 706 + 40, 191)) == (255, 255, 255)  # and that of 0.01


def test_static_picture_shows_the_strongest_of_many_keys():
    att = projected(1, 1, tuple(f"w{i}" for i in range(100)))
    assert neuron_view(att).twin.height < 900
    assert "100 key vectors" in neuron_view(att).alt


def test_hostile_tokens_are_text_everywhere():
    att = projected(1, 2, HOSTILE, second=5, model=HOSTILE[0])
    view = neuron_view(att, query=2)
    plain = neuron_view(projected(1, 2, tuple(f"w{i}" for i in range(len(HOSTILE))), second=5), query=2)
    assert view.page.count("<script") == plain.page.count("<script")
    tags = {element.tag.rsplit("}")[-1] for element in ElementTree.fromstring(view.svg()).iter()}
    assert not tags & {"script", "foreignObject", "iframe", "animate", "a"}
    assert "<img src=x" not in view.html
    assert parcel(view)["parts"][0]["queries"] == [label(text) for text in HOSTILE]
    assert Image.open(io.BytesIO(view.png())).size[0] == int(view.twin.width * SCALE)


def test_same_record_same_bytes_in_two_processes():
    program = (
        "import hashlib\nfrom tests.views.projected import translation\nfrom course.views.neurons import neuron_view\n"
        "view = neuron_view(translation())\nprint(hashlib.sha256((view.html + view.svg()).encode()).hexdigest())"
    )
    one, other = (
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert one == other
