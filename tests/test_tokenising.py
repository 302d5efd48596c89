"""What the model reads, whatever a person types."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import course
from course.tokenising import tokenise
from course.tokens import shown
from tests import tiny


def test_pieces_segments_offsets_and_special_tokens():
    text, pair = "The cat unbelievable", "the mat"
    tokens, inputs = tokenise(tiny.bert(), text, pair)
    assert tokens.texts[:3] == ("[CLS]", "the", "cat") and tokens.texts[-1] == "[SEP]"
    assert tokens.special_positions == (0, tokens.texts.index("[SEP]"), len(tokens) - 1)
    assert tokens.offsets[0] is None and tokens.offsets[1] == (0, 3)
    assert [pair[slice(*tokens.offsets[i])] for i in tokens.in_segment(1)] == ["the", "mat"]
    assert tokens.segments == tuple(inputs["token_type_ids"][0].tolist())


def test_pair_without_segment_ids_uses_sequence_ids():
    tokens, inputs = tokenise(tiny.distilbert(), "the cat", "the mat")
    assert "token_type_ids" not in inputs
    assert tokens.segments == (0, 0, 0, 0, 1, 1, 1)
    assert [tokens.texts[i] for i in tokens.in_segment(1)] == ["the", "mat"]


def test_double_separators_belong_to_the_first_sentence():
    tokens, _ = tokenise(tiny.roberta(), "the cat", "the mat")
    assert tokens.texts.count("</s>") == 3
    assert [tokens.segments[i] for i in tokens.special_positions] == [0, 0, 0, 1]


def test_byte_level_tokens_show_what_was_typed():
    tokens, _ = tokenise(tiny.gpt2(), "café 😍")
    assert "é 1/2" in tokens.texts and "😍 4/4" in tokens.texts and "Ġ" not in "".join(tokens.texts)
    assert tokens.merged().texts == ("café", "😍")


def test_words_are_split_at_white_space_whatever_the_tokenizer_says(tmp_path):
    model = tiny.marian(tmp_path)  # SentencePiece calls the whole text one word
    tokens, _ = tokenise(model, "the cat sat on the mat")
    assert tokens.merged().texts == ("the", "cat", "sat", "on", "the", "mat", "</s>")
    assert [tokens.sources[0][slice(*span)] for span in tokens.merged().offsets[:-1]] == [
        "the",
        "cat",
        "sat",
        "on",
        "the",
        "mat",
    ]


def test_a_slow_tokenizer_refuses_pairs_instead_of_guessing(tmp_path):
    with pytest.raises(course.InputError, match="cannot tell where the second sentence begins"):
        tokenise(tiny.marian(tmp_path), "the cat", "the mat")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "empty or only spaces"),
        (" \n\t\u00a0", "empty or only spaces"),
        ("\x00\x01\x7f", "finds no token"),
        ("a\ud83db", r"character 1 of the text is a lone surrogate \(U\+D83D\)"),
        (None, "must be a string, not NoneType"),
        (["a", "b"], "must be a string, not list; for several texts, loop"),
    ],
)
def test_text_that_cannot_be_read_says_why(text, advice):
    with pytest.raises(course.InputError, match=advice):
        tokenise(tiny.bert(), text)
    with pytest.raises(course.InputError, match=advice.replace("the text", "the second text")):
        tokenise(tiny.bert(), "fine", text) if text is not None else tokenise(tiny.bert(), text)


@pytest.mark.parametrize("text", ["שלום עולם", "مرحبا", "😍", "a\x00b", "a\u202eb", "[SEP] the", "👩‍👩‍👧"])
@pytest.mark.parametrize("model", ["bert", "roberta", "gpt2"])
def test_unusual_text_gives_tokens(text, model):
    tokens, _ = tokenise(getattr(tiny, model)(), text)
    assert len(tokens.in_segment(0)) > 0
    assert all(label == shown(label) for label in tokens)


def test_a_typed_separator_is_marked_special_because_the_model_sees_one():
    tokens, _ = tokenise(tiny.bert(), "the [SEP] cat")
    assert [tokens.texts[i] for i in tokens.special_positions] == ["[CLS]", "[SEP]", "[SEP]"]


def test_too_long_offers_truncation_and_never_truncates_silently():
    text = "the cat " * 5000
    with pytest.raises(course.InputError, match=r"10002 tokens long and tiny BERT reads at most 64.*truncate=True"):
        tokenise(tiny.bert(), text)
    tokens, inputs = tokenise(tiny.bert(), text, truncate=True)
    assert len(tokens) == inputs["input_ids"].shape[1] == 64 and tokens.dropped == 10002 - 64
    assert tokenise(tiny.bert(), "the cat", truncate=True)[0].dropped == 0


def test_images_models_have_no_tokens():
    with pytest.raises(course.InputError, match="tiny ViT reads images, and this reads texts"):
        tokenise(tiny.vit(), "the cat")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["bert", "roberta", "gpt2"]))
def test_any_text_gives_tokens_or_advice(text, name):
    model = getattr(tiny, name)()
    try:
        tokens, inputs = tokenise(model, text)
    except course.InputError:
        return
    assert len(tokens) == inputs["input_ids"].shape[1]
    for span, segment in zip(tokens.offsets, tokens.segments, strict=True):
        assert span is None or 0 <= span[0] <= span[1] <= len(tokens.sources[segment])
    assert sum(map(len, tokens.word_groups())) == len(tokens)
    assert len(tokens.merged()) == len(tokens.word_groups())
