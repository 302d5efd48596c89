"""A text cut in other ways."""

import random
from collections import Counter

import pytest
import torch

from course.training import plays
from course.training.subwords import Subwords, cut

TEXT = "".join(f"{name}:\nWe know't, we know't; Ocaña 💪 speaks.\n\n" for name in ("ROMEO", "JULIET") * 40)
RANKS = {("a", "b"): 0, ("ab", "c"): 1, ("b", "c"): 2}


@pytest.fixture(scope="module")
def tokenizer():
    return plays.vocabulary(TEXT, size=330)


def test_merges_go_by_rank_when_none_is_dropped():
    assert cut("abcbc", RANKS, 0.0, random.Random(0)) == ["abc", "bc"]


def test_nothing_is_merged_when_all_are_dropped():
    assert cut("abc", RANKS, 1.0, random.Random(0)) == ["a", "b", "c"]


def test_a_dropped_merge_leaves_room_for_a_later_one():
    """ab is merged first unless dropped; bc is left where ab was. By hand for drop 1/2: abc 0.25 or more."""
    found = Counter(tuple(cut("abc", RANKS, 0.5, random.Random(seed))) for seed in range(4000))
    assert set(found) == {("a", "b", "c"), ("a", "bc"), ("ab", "c"), ("abc",)}
    # Both dropped at once: 1/4. ab kept: 1/2, then abc 1/2 of that. ab dropped and bc kept: 1/4.
    assert found[("a", "b", "c")] / 4000 == pytest.approx(0.25, abs=0.03)
    assert found[("abc",)] / 4000 == pytest.approx(0.25, abs=0.03)
    assert found[("a", "bc")] / 4000 == pytest.approx(0.25, abs=0.03)


def test_without_dropping_it_is_the_tokenizers_own_cut(tokenizer):
    assert Subwords(tokenizer, TEXT, 0.0, seed=1).ids(3).tolist() == tokenizer(TEXT)["input_ids"]


def test_every_epoch_is_the_same_text_in_other_tokens(tokenizer):
    subwords = Subwords(tokenizer, TEXT, 0.3, seed=1)
    epochs = [subwords.ids(epoch) for epoch in range(3)]
    assert all(tokenizer.decode(ids.tolist()) == TEXT for ids in epochs)
    assert len({tuple(ids.tolist()) for ids in epochs}) == 3
    assert len(epochs[0]) > len(tokenizer(TEXT)["input_ids"])


def test_the_same_seed_cuts_alike(tokenizer):
    one, other = (Subwords(tokenizer, TEXT, 0.3, seed=2).ids(5) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, Subwords(tokenizer, TEXT, 0.3, seed=3).ids(5)[: len(one)])
