from dataclasses import replace

import pytest
import torch

from course.attention import Attention
from course.views import head_view, model_view
from course.views.selection import choices_of, parts_of
from course.views.words import links, most_focused
from tests.views.synthetic import PAIR, SENTENCE, attention, encoder_decoder, tokens_of


@pytest.fixture
def att():
    """Two layers, two heads, three tokens, by hand: layer 1 head 0 is the most focused."""
    even = torch.full((3, 3), 1 / 3)
    some = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    sharp = torch.tensor([[0.0, 1.0, 0.0], [0.05, 0.0, 0.95], [1.0, 0.0, 0.0]])
    weights = torch.stack([torch.stack([even, some]), torch.stack([sharp, even])])
    tokens = tokens_of(("the", "cat", "sat"))
    return Attention(weights, tokens, tokens, "self", "Tiny")


def test_strongest_links_are_those_of_the_attention(att):
    part = parts_of(att)[0]
    for layer in range(2):
        for head in range(2):
            found = links(part, choices_of([part])[0], layer, head, 4)
            assert [tuple(link) for link in found] == att.strongest(layer, head, 4)


def test_links_of_a_block_stay_in_it():
    part = parts_of(attention(queries=PAIR, second=6))[0]
    choice = next(choice for choice in choices_of([part]) if choice.name == "A→B")
    found = links(part, choice, 0, 0, 100)
    assert len(found) == 6 * 5
    assert found[0].weight == float(part.attention.weights[0, 0, :6, 6:].max())


def test_most_focused_head(att):
    assert most_focused(att.weights) == (1, 0, pytest.approx((1 + 0.95 + 1) / 3))
    assert most_focused(torch.stack([att.weights[0, :1]] * 3))[:2] == (0, 0)


def test_head_view_in_words(att):
    view = head_view(att, layer=1, heads=[0])
    assert view.title == "Head view of Tiny: 2 layers × 2 heads, 3 tokens"
    assert view.alt == (
        "Lines from 3 query tokens to 3 key tokens, layer 1, head 0 of Tiny. Strongest: the → cat 1.00, "
        "sat → the 1.00, cat → sat 0.95. Most focused of all 4 heads: layer 1 head 0 "
        "(its queries put 0.98 on their first choice, on average)."
    )
    assert view.summary.splitlines()[:3] == [
        "Head view of Tiny: 2 layers × 2 heads, 3 tokens",
        "Shown: layer 1, head 0. Strongest links (query → key weight):",
        "  head 0: the → cat 1.00, sat → the 1.00, cat → sat 0.95",
    ]


def test_model_view_in_words(att):
    view = model_view(att)
    assert "2 layers × 2 heads of Tiny" in view.alt
    assert "layer 1 head 0, the strongest link is the → cat 1.00" in view.alt
    assert "  layer 0: head 1 (focus 0.60), sat → sat 0.70" in view.summary
    assert "  layer 1: head 0 (focus 0.98), the → cat 1.00" in view.summary


def test_words_follow_the_selection(att):
    assert "layers" not in model_view(att, layers=[1], heads=[1]).summary.splitlines()[1]
    assert "Shown: layer 1, head 1." in model_view(att, layers=[1], heads=[1]).summary
    pair = attention(queries=PAIR, second=6)
    assert "(sentence A → sentence B)" in head_view(pair, show="A→B").alt
    assert "6 query tokens to 5 key tokens" in head_view(pair, show="A→B").alt
    assert "(cross)" in model_view(encoder_decoder(), show="cross").alt


def test_what_was_left_out_is_said():
    att = attention(queries=SENTENCE)
    assert "Special tokens are left out" in head_view(att.without_special()).summary
    causal = replace(attention(1, 1, ("a",)), causal=True)
    assert "Causal" in model_view(causal).summary
    assert "Causal" in model_view(causal).page


def test_long_models_are_summarised():
    assert "… and 8 more layers" in model_view(attention(20, 2)).summary
    assert "… and 4 more heads" in head_view(attention(1, 16)).summary
