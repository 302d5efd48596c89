"""The record: what it refuses, and what its transformations keep."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import course
from course.attention import Attention, AttentionError
from course.tokens import Tokens
from tests import tiny


def tokens(*texts: str, words: tuple[int | None, ...] | None = None) -> Tokens:
    special = tuple(text.startswith("[") for text in texts)
    if words is None:
        words = tuple(None if is_special else i for i, is_special in enumerate(special))
    return Tokens(texts, texts, special, (0,) * len(texts), (None,) * len(texts), words, ("",))


def record(weights, *texts: str, **fields) -> Attention:
    words = fields.pop("words", None)
    read = tokens(*texts, words=words)
    return Attention(torch.tensor(weights), read, read, "self", "hand", **fields)


HAND = [[[[0.5, 0.25, 0.25, 0.0], [0.2, 0.2, 0.3, 0.3], [0.4, 0.1, 0.1, 0.4], [1.0, 0.0, 0.0, 0.0]]]]
TEXTS = ("[CLS]", "un", "##do", "[SEP]")


def test_words_sums_keys_and_averages_queries():
    merged = record(HAND, *TEXTS, words=(None, 0, 0, None)).words()
    expected = torch.tensor([[0.5, 0.5, 0.0], [0.3, 0.35, 0.35], [1.0, 0.0, 0.0]])
    assert torch.allclose(merged.weights[0, 0], expected) and merged.tokens.texts == ("[CLS]", "undo", "[SEP]")


def test_without_special_renormalises_and_keeps_what_it_took():
    bare = record(HAND, *TEXTS).without_special()
    assert torch.allclose(bare.weights[0, 0], torch.tensor([[0.4, 0.6], [0.5, 0.5]]))
    assert torch.allclose(bare.removed[0, 0], torch.tensor([0.5, 0.8]))
    assert "special tokens removed: they held 65%" in repr(bare)


def test_without_special_then_words_then_without_special_again():
    bare = record(HAND, *TEXTS, words=(None, 0, 0, None)).without_special().words()
    assert bare.weights.tolist() == [[[[1.0]]]] and torch.allclose(bare.removed, torch.tensor(0.65))
    again = bare.without_special()
    assert torch.allclose(again.removed, bare.removed) and torch.equal(again.weights, bare.weights)


def test_a_row_with_nothing_but_special_tokens_is_zero_and_says_so():
    att = record([[[[0.5, 0.5], [1.0, 0.0]]]], "[CLS]", "a").without_special()
    assert att.weights.tolist() == [[[[0.0]]]] and att.removed.tolist() == [[[1.0]]]
    assert "1 rows had nothing else and are zero" in repr(att)
    assert att.identities().hold


def test_only_special_tokens_cannot_be_removed():
    with pytest.raises(AttentionError, match="only special tokens"):
        record([[[[1.0]]]], "[CLS]").without_special()


def test_cross_attention_merges_both_sides_on_their_own():
    target, source = tokens("[S]", "ja"), tokens("y", "##es", "[E]", words=(0, 0, None))
    cross = Attention(torch.tensor([[[[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]]]), target, source, "cross", "hand")
    assert torch.allclose(cross.words().weights[0, 0], torch.tensor([[0.5, 0.5], [0.8, 0.2]]))
    assert torch.allclose(cross.without_special().weights[0, 0], torch.tensor([[0.75, 0.25]]))
    with pytest.raises(AttentionError, match=r"use \.queries \(target\) and \.keys \(source\)"):
        _ = cross.tokens


@pytest.mark.parametrize(
    ("weights", "advice"),
    [
        (torch.ones(1, 1, 2, 2), "each row sums to 1"),
        (torch.tensor([[[[1.5, -0.5], [0.0, 1.0]]]]), "at least 0"),
        (torch.full((1, 1, 2, 2), float("nan")), "NaN or infinity"),
        (torch.full((1, 1, 3, 3), 1 / 3), "connect 3 queries with 3 keys, but there are 2 and 2 tokens"),
        (torch.full((2, 2), 0.5), "layers x heads x queries x keys"),
        (torch.full((1, 1, 1, 2, 2), 0.5), "layers x heads x queries x keys"),
        (torch.zeros(0, 1, 2, 2), "layers x heads x queries x keys"),
    ],
)
def test_the_constructor_refuses_what_is_no_attention(weights, advice):
    read = tokens("a", "b")
    with pytest.raises(AttentionError, match=advice):
        Attention(weights, read, read, "self", "hand")


def test_an_unknown_kind_is_refused():
    with pytest.raises(AttentionError, match="kind must be one of self, encoder, decoder, cross"):
        Attention(torch.ones(1, 1, 1, 1), tokens("a"), tokens("a"), "sideways", "hand")


@pytest.mark.parametrize("nothing", [None, (), (None, None)])
def test_no_attention_says_to_load_with_eager(nothing):
    with pytest.raises(AttentionError, match="attn_implementation='eager'"):
        Attention.of(nothing, tokens("a"))


def test_a_batch_is_refused():
    with pytest.raises(AttentionError, match="not a batch"):
        Attention.of([torch.full((2, 1, 2, 2), 0.5)], tokens("a", "b"))


@pytest.mark.parametrize("index", [-1, 2, True, 0.0, "0"])
def test_heads_do_not_count_from_the_end(index):
    with pytest.raises(AttentionError, match="head must be a whole number from 0 to 3"):
        course.attend(tiny.bert(), "the cat").head(0, index if index != 2 else 4)


def test_strongest_lists_the_largest_weights_in_reading_order():
    assert record(HAND, *TEXTS).strongest(0, 0, 3) == [
        ("[SEP]", "[CLS]", 1.0), ("[CLS]", "[CLS]", 0.5), ("##do", "[CLS]", pytest.approx(0.4)),
    ]  # fmt: skip


def test_strongest_can_be_limited_to_some_queries_and_keys():
    found = record(HAND, *TEXTS).strongest(0, 0, 2, rows=range(1, 3), columns=range(1, 4))
    assert found == [("##do", "[SEP]", pytest.approx(0.4)), ("un", "##do", pytest.approx(0.3))]


def test_a_wrong_number_does_not_pass_the_identities():
    att = course.attend(tiny.bert(), "the cat sat")
    assert att.identities().hold and att.identities().recomputed is not None
    moved = att.weights.clone()
    moved[1, 2, 0] = moved[1, 2, 0].flip(0)
    forged = Attention(moved, att.queries, att.keys, "self", "forged", projections=att.projections)
    assert not forged.identities().hold and "✗ equals softmax(QKᵀ/√d)" in repr(forged.identities())


def test_a_look_ahead_does_not_pass_the_identities_of_a_causal_model():
    read = tokens("a", "b")
    att = Attention(torch.tensor([[[[0.5, 0.5], [0.5, 0.5]]]]), read, read, "self", "hand", causal=True)
    assert att.identities().later == 0.5 and not att.identities().hold


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(0, 2), min_size=1, max_size=8), st.integers(0, 999))
def test_merging_and_removing_conserve_mass(layers, heads, pattern, seed):
    words, number = [], -1
    for step in pattern:
        number += step > 0
        words.append(None if step == 2 else max(number, 0))
    texts = tuple("[X]" if word is None else f"t{i}" for i, word in enumerate(words))
    logits = torch.randn(layers, heads, len(texts), len(texts), generator=torch.Generator().manual_seed(seed)) * 5
    read = tokens(*texts, words=tuple(words))
    att = Attention(logits.softmax(-1), read, read, "self", "random")
    merged = att.words()
    assert torch.allclose(merged.weights.sum(-1), torch.ones(()), atol=1e-5)
    assert merged.words().weights.shape == merged.weights.shape
    if not all(read.special):
        bare = att.without_special()
        assert torch.isfinite(bare.weights).all() and torch.allclose(bare.weights.sum(-1), torch.ones(()), atol=1e-5)
        kept = bare.weights * (1 - bare.removed).unsqueeze(-1)
        rows = [i for i, special in enumerate(read.special) if not special]
        assert torch.allclose(kept, att.weights[:, :, rows][..., rows], atol=1e-5)
