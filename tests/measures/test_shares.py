"""Shares that tests/test_measures.py does not have: distance, punctuation, and the same word."""

from __future__ import annotations

import pytest
import torch

import course
from course import measures
from course.attention import Attention, AttentionError
from course.measures.shares import words_of
from course.tokens import Tokens
from tests import tiny
from tests.test_attention import record

UNEVEN = [[[[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.2, 0.3, 0.5]]]]


def pair(*rows: list[float]) -> Attention:
    """ "Cats do un ##do." against "undo cats": [CLS] Cats un ##do . [SEP] undo cats [SEP]."""
    read = Tokens(
        texts=("[CLS]", "Cats", "un", "##do", ".", "[SEP]", "undo", "cats", "."),
        pieces=("[CLS]", "Cats", "un", "##do", ".", "[SEP]", "undo", "cats", "."),
        special=(True, False, False, False, False, True, False, False, False),
        segments=(0, 0, 0, 0, 0, 0, 1, 1, 1),
        offsets=(None, (0, 4), (5, 7), (7, 9), (9, 10), None, (0, 4), (5, 9), (9, 10)),
        words=(None, 0, 1, 1, 2, None, 3, 4, 5),
        sources=("Cats undo.", "undo cats."),
    )
    return Attention(torch.tensor([[rows]]), read, read, "self", "hand")


def test_distance_is_weighted_by_hand():
    found = measures.mean_distance(record(UNEVEN, "a", "b", "c"))
    assert found.item() == pytest.approx((0.5 * 1 + (0.25 + 0.25) + (0.2 * 2 + 0.3)) / 3)


def test_distance_of_an_even_head_is_a_third_of_the_length():
    n = 7
    att = record([[torch.full((n, n), 1 / n).tolist()]], *"abcdefg")
    assert measures.mean_distance(att).item() == pytest.approx((n * n - 1) / (3 * n), abs=1e-6)


def test_same_token_is_the_diagonal():
    assert measures.same_token_share(record(UNEVEN, "a", "b", "c")).item() == pytest.approx(0.5)


def test_places_mean_nothing_across_two_texts():
    with pytest.raises(AttentionError, match="across two texts"):
        measures.mean_distance(course.attend(tiny.bart(), "the cat", "vamos al").cross)


def test_punctuation_is_what_is_nothing_else():
    read = record([[torch.eye(6).tolist()]], "[CLS]", "a", ",", "¿", "don't", "...").tokens
    assert measures.punctuation(read) == (2, 3, 5)
    assert measures.punctuation(read, ".,") == (2, 5)


def test_words_are_whole_small_and_not_punctuation():
    assert words_of(pair(*torch.eye(9).tolist()).tokens) == [
        None, "cats", "undo", "undo", None, None, "undo", "cats", None,
    ]  # fmt: skip


def test_same_word_counts_all_tokens_of_the_word_in_both_directions():
    rows = torch.full((9, 9), 1 / 9)
    rows[1] = torch.tensor([0.0, 0.1, 0, 0, 0, 0.2, 0.1, 0.6, 0])  # Cats: 0.6 on cats
    rows[6] = torch.tensor([0.1, 0.1, 0.2, 0.3, 0, 0.1, 0.1, 0.1, 0])  # undo: 0.2 + 0.3 on un ##do
    found = measures.same_word_share(pair(*rows.tolist()))
    # Cats 0.6, un and ##do 1/9 each, undo 0.5, cats 1/9
    assert found.item() == pytest.approx((0.6 + 0.5 + 3 / 9) / 5)


def test_same_word_needs_a_pair_with_a_word_in_common():
    with pytest.raises(AttentionError, match="attend to a pair"):
        measures.same_word_share(record(UNEVEN, "a", "b", "c"))
    with pytest.raises(AttentionError, match="no word in common"):
        measures.same_word_share(course.attend(tiny.bert(), "the cat", "a turtle"))
    with pytest.raises(AttentionError, match="attend to a pair"):
        measures.same_word_share(course.attend(tiny.bart(), "the cat", "vamos al").cross)


def test_a_head_of_the_shipped_model_matches_words():
    att = course.attend(course.load("minilm", device="cpu"), "The cat sat on the mat.", "A mat lay under the old cat.")
    share = measures.same_word_share(att)
    assert divmod(int(share.argmax()), att.heads) == (2, 9) and share.max() > 0.4
    assert (share <= 1).all()
