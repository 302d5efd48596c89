import numpy as np
import pytest
import torch

from course.attention import AttentionError
from course.views import ViewError, head_view, model_view
from course.views.selection import LABEL_LENGTH, choices_of, chosen, label, parts_of, quantised
from tests.views.synthetic import PAIR, SENTENCE, attention, encoder_decoder


def names(att):
    return [choice.name for choice in choices_of(parts_of(att))]


@pytest.mark.parametrize("wrong", [-1, 3, True, 1.0, "1", None])
def test_layer_out_of_range_names_the_range(wrong):
    with pytest.raises(AttentionError, match=r"layer must be a whole number from 0 to 2, not "):
        head_view(attention(3, 4), layer=wrong)


@pytest.mark.parametrize("draw", [head_view, model_view])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([-1], "head must be a whole number from 0 to 3, not -1"),
        ([0, 4], "head must be a whole number from 0 to 3, not 4"),
        ([True], "head must be a whole number from 0 to 3, not True"),
        ([], "heads is empty"),
        ([1, 2, 1], "heads names 1 more than once"),
        ("12", r"heads must be a list such as heads=\[0\], not '12'"),
        (3, r"heads must be a list such as heads=\[0\], not 3"),
    ],
)
def test_wrong_heads(draw, wrong, message):
    with pytest.raises(AttentionError, match=message):
        draw(attention(3, 4), heads=wrong)


@pytest.mark.parametrize("wrong", [[-1], [3], [False], [], [0, 0]])
def test_wrong_layers(wrong):
    with pytest.raises(AttentionError, match="layer"):
        model_view(attention(3, 4), layers=wrong)


def test_whole_numbers_of_numpy_and_torch_are_welcome():
    att = attention(3, 4)
    assert head_view(att, np.int64(1), [torch.tensor(2)]) == head_view(att, 1, [2])
    assert head_view(att, 1, iter([2])) == head_view(att, 1, range(2, 3))


@pytest.mark.parametrize("wrong", [None, "The cat sat", torch.zeros(1, 1, 2, 2), [torch.zeros(1, 1, 2, 2)]])
@pytest.mark.parametrize("draw", [head_view, model_view])
def test_what_is_no_attention_is_told_how_to_become_one(draw, wrong):
    with pytest.raises(ViewError, match=r"not \w+: call course\.attend\(model, text\) first"):
        draw(wrong)


def test_choices():
    assert names(attention()) == ["all"]
    assert names(attention(queries=PAIR, second=6)) == ["all", "A→A", "B→B", "A→B", "B→A"]
    assert names(encoder_decoder()) == ["encoder", "decoder", "cross"]
    assert names(encoder_decoder().cross) == ["all"]


def test_pair_of_which_one_sentence_is_gone_has_no_blocks():
    pair = attention(queries=PAIR, second=6)
    first = type(pair)(
        pair.weights[..., :6, :6].softmax(-1), pair.queries.select(range(6)), pair.keys.select(range(6)), "self", "m"
    )
    assert names(first) == ["all"]


def test_blocks_divide_the_whole():
    parts = parts_of(attention(queries=PAIR, second=6))
    blocks = {choice.name: (choice.rows, choice.columns) for choice in choices_of(parts)}
    assert blocks["A→B"] == (range(6), range(6, 11))
    assert blocks["B→A"] == (range(6, 11), range(6))


@pytest.mark.parametrize("show", ["A→B", "A->B", "a -> b"])
def test_choosing_a_block(show):
    choices = choices_of(parts_of(attention(queries=PAIR, second=6)))
    assert choices[chosen(choices, show)].name == "A→B"
    assert chosen(choices, None) == chosen(choices, "all") == 0


@pytest.mark.parametrize(
    ("att", "message"),
    [
        (attention(), "show must be one of 'all' here, not 'A→C'"),
        (attention(queries=PAIR, second=6), "'all', 'A→A', 'B→B', 'A→B', 'B→A'"),
        (encoder_decoder(), "'encoder', 'decoder', 'cross'"),
    ],
)
def test_choosing_what_is_not_there_lists_what_is(att, message):
    with pytest.raises(ViewError, match=message):
        head_view(att, show="A→C")


def test_index_that_only_the_encoder_has_names_the_way_out():
    with pytest.raises(AttentionError, match=r"0 to 1, not 3 in the decoder: .* pass \.encoder"):
        head_view(encoder_decoder(4, 2), layer=3)
    assert "layer 3" in head_view(encoder_decoder(4, 2).encoder, layer=3).alt


def test_labels_are_short_and_visible():
    assert label("\u202eabc\x00") == "\\u202eabc\\x00"
    assert len(label("a" * 10_000)) == LABEL_LENGTH
    assert label(SENTENCE[0]) == "[CLS]"


def test_quantisation_is_off_by_at_most_one_in_510():
    weights = attention(4, 12).weights
    back = torch.from_numpy(quantised(weights)) / 255
    assert (back - weights).abs().max() <= 1 / 510 + 1e-7
    assert quantised(torch.tensor([0.0, 1.0, 1.0005])).tobytes() == b"\x00\xff\xff"
