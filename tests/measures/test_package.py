"""Every measure against a case worked by hand."""

from __future__ import annotations

import csv
import math

import pytest
import torch

import course
from course import measures
from course.attention import Attention, AttentionError
from course.tokens import Tokens
from tests import tiny
from tests.test_attention import record

PREVIOUS = [[[[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.0, 0.7, 0.3]]]]


def test_previous_and_next_leave_out_tokens_without_a_neighbour():
    att = record(PREVIOUS, "a", "b", "c")
    assert measures.previous_token_share(att).item() == pytest.approx((0.9 + 0.7) / 2)
    assert measures.next_token_share(att).item() == 0
    assert measures.offset_share(att, 0).item() == pytest.approx((1 + 0.1 + 0.3) / 3)
    assert measures.offset_share(att, -2).item() == 0


def test_a_step_longer_than_the_input_is_refused():
    with pytest.raises(AttentionError, match="no token has a neighbour 3 places away: the input has 3 tokens"):
        measures.offset_share(record(PREVIOUS, "a", "b", "c"), 3)


def test_steps_mean_nothing_in_cross_attention():
    with pytest.raises(AttentionError, match="across two texts"):
        measures.previous_token_share(course.attend(tiny.bart(), "the cat", "vamos al").cross)


def test_share_on_positions():
    att = record(PREVIOUS, "a", "b", "c")
    assert measures.share_on(att, [1, 2, 1]).item() == pytest.approx((0 + 0.1 + 1.0) / 3)
    assert measures.share_on(att, range(3)).item() == pytest.approx(1)
    for nowhere in ([], [3], [-1]):
        with pytest.raises(AttentionError, match="positions must be some of 0 to 2"):
            measures.share_on(att, nowhere)


def test_entropy_is_zero_for_one_key_and_ln_n_for_all():
    att = record([[[[1.0, 0.0], [0.5, 0.5]]]], "a", "b")
    assert measures.entropy(att).item() == pytest.approx(math.log(2) / 2)


def test_cross_sentence_share_counts_both_directions_and_no_special_token():
    weights = [[[[0.4, 0.1, 0.5], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]]]]
    read = Tokens(
        ("a", "[SEP]", "b"), ("a", "[SEP]", "b"), (False, True, False), (0, 0, 1), (None,) * 3, (0, None, 1), ("a", "b")
    )
    att = Attention(torch.tensor(weights), read, read, "self", "hand")
    assert measures.cross_sentence_share(att).item() == pytest.approx((0.5 + 0.3) / 2)
    with pytest.raises(AttentionError, match="attend to a pair"):
        measures.cross_sentence_share(record(PREVIOUS, "a", "b", "c"))


def test_measures_of_the_shipped_model_as_the_lessons_know_them():
    att = course.attend(course.load("minilm", device="cpu"), "The cat sat on the mat")
    assert measures.previous_token_share(att)[0, 2] > 0.999
    assert measures.next_token_share(att)[1, 8].item() == pytest.approx(0.58, abs=0.01)
    assert float(measures.entropy(att).max()) <= math.log(8)


@pytest.mark.scores
def test_the_figures_of_the_paraphrase_corpus_that_lesson_04_states(data):
    text = (data / "mrpc" / "msr_paraphrase_test.txt").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    model = course.load("minilm")
    found = {"1": [], "0": []}
    for label, _, _, first, second in rows:
        share = measures.cross_sentence_share(course.attend(model, first, second))[2, 9]
        found[label].append((float(share), course.SentencePair("", first, second, label == "1").overlap))
    same, different = (torch.tensor(found[label]) for label in "10")
    error = (same[:, 0].var() / len(same) + different[:, 0].var() / len(different)).sqrt()
    assert len(rows) == 1725 and float((same - different.mean(0))[:, 0].mean() / error) == pytest.approx(16.5, abs=0.1)
    assert same.mean(0).tolist() == pytest.approx([0.41, 0.57], abs=0.005)
    assert different.mean(0).tolist() == pytest.approx([0.35, 0.42], abs=0.005)
