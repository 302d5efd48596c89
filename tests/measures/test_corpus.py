"""A corpus read in passing: windows, batches, and items that are refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.measures import corpus
from course.measures.corpus import Corpus, batches, padded, reading
from course.tokens import InputError
from tests import tiny


def test_windows_hold_all_texts_in_order_and_never_more_than_their_size(monkeypatch):
    monkeypatch.setattr(corpus, "WINDOW", 3)
    found = Corpus(str(i) for i in range(7))
    windows = list(found.windows())
    assert [len(window) for window in windows] == [3, 3, 1]
    assert [text for window in windows for text, _ in window] == list("0123456") and found.read == 7


def test_nothing_is_read_ahead_of_its_window(monkeypatch):
    monkeypatch.setattr(corpus, "WINDOW", 2)
    taken = []
    next(Corpus(taken.append(i) or str(i) for i in range(100)).windows())
    assert taken == [0, 1]


def test_digest_is_of_the_texts_read_and_of_where_they_end():
    def digest(texts):
        found = Corpus(texts)
        found.skip(10)
        return found.digest

    assert digest(["ab", "c"]) == digest(iter(["ab", "c"]))
    others = [["a", "bc"], ["ab"], ["abc"], [("ab", "c")], ["c", "ab"], ["ab", "c", "d"]]
    assert len({digest(texts) for texts in [["ab", "c"], *others]}) == 7
    assert digest(["\ud83d"]) != digest(["?"])


@pytest.mark.parametrize("item", [3, None, ("a",), ("a", "b", "c"), ("a", 1), b"a"])
def test_an_item_that_is_no_text_is_named_by_its_number(item):
    with pytest.raises(InputError, match=r"text 1 \(counted from 0\) must be a string or a pair"):
        list(Corpus(["a", item]).windows())


def test_a_single_string_is_not_taken_for_many_texts():
    with pytest.raises(InputError, match="give a list"):
        Corpus("a text")


def test_a_text_that_cannot_be_read_is_named_by_its_number():
    with pytest.raises(InputError, match=r"text 41 \(counted from 0\): the text is empty"):
        reading(tiny.bert(), (" ", None), 41, truncate=False)
    with pytest.raises(InputError, match=r"text 7 \(counted from 0\): tiny BART reads a source and writes a target"):
        reading(tiny.bart(), ("a", None), 7, truncate=False)
    assert reading(tiny.bert(), ("cat " * 100, None), 0, truncate=True).dropped > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5000), max_size=60), st.integers(1, 144))
def test_batches_hold_every_text_once_and_keep_to_the_limits(lengths, weights):
    found = batches(lengths, weights)
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * longest <= corpus.TOKENS["cpu"]
        assert len(batch) == 1 or len(batch) * longest**2 * weights <= corpus.WEIGHTS


def test_batches_are_of_like_length_and_larger_on_a_gpu():
    lengths = [5, 900, 6, 901, 7]
    assert batches(lengths, 8) == [[3], [1], [4, 2, 0]]
    assert batches(lengths, 2, "cuda") == [[3, 1, 4, 2, 0]]


def test_padding_is_on_the_right_and_hidden_by_the_mask():
    model = tiny.roberta()
    inputs = padded(model, [reading(model, (text, None), 0, truncate=False) for text in ("the cat sat", "a")])
    short = int(inputs["attention_mask"][1].sum())
    assert inputs["input_ids"][1, short:].eq(model.tokenizer.pad_token_id).all()
    assert inputs["attention_mask"][1].tolist() == [1] * short + [0] * (inputs["input_ids"].shape[1] - short)
    assert all(tensor.dtype == torch.long for tensor in inputs.values())
