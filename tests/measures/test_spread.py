"""Entropy and confidence: by hand, at their limits, and for rows that hold nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from course import measures
from course.attention import Attention, AttentionError
from tests.test_attention import record
from tests.views.synthetic import attention, encoder_decoder, tokens_of

HALVES = [[[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.25, 0.25]]]]


def drawn(tokens: int, sharpness: float, seed: int, *, causal: bool = False) -> Attention:
    generator = torch.Generator().manual_seed(seed)
    scores = sharpness * torch.randn(2, 3, tokens, tokens, generator=generator)
    if causal:
        scores = scores.masked_fill(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf"))
    names = tokens_of(tuple(f"t{i}" for i in range(tokens)))
    return Attention(scores.softmax(-1), names, names, "self", "drawn", causal=causal)


def test_normalised_entropy_divides_by_what_a_row_could_have():
    rows = (0, math.log(2), 1.5 * math.log(2))
    found = measures.normalised_entropy(record(HALVES, "a", "b", "c"))
    assert found.item() == pytest.approx(sum(rows) / 3 / math.log(3))


def test_causal_rows_divide_by_the_keys_that_they_see_and_the_first_has_no_choice():
    found = measures.normalised_entropy(record(HALVES, "a", "b", "c", causal=True))
    assert found.item() == pytest.approx((math.log(2) / math.log(2) + 1.5 * math.log(2) / math.log(3)) / 2)


def test_one_key_only_has_no_normalised_entropy():
    with pytest.raises(AttentionError, match="every row here sees one key only"):
        measures.normalised_entropy(record([[[[1.0]]]], "a"))
    assert measures.entropy(record([[[[1.0]]]], "a")).item() == 0


def test_rows_that_special_tokens_emptied_are_left_out():
    weights = [[[[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]]]
    bare = record(weights, "[CLS]", "a", "b").without_special()
    assert measures.entropy(bare).item() == pytest.approx(math.log(2))
    assert measures.normalised_entropy(bare).item() == pytest.approx(1)
    assert measures.confidence(bare).item() == pytest.approx(0.5)
    assert measures.mean_distance(bare).item() == pytest.approx(0.5)


def test_a_head_without_any_row_has_zero():
    bare = record([[[[1.0, 0.0], [1.0, 0.0]]]], "[CLS]", "a").without_special()
    assert measures.entropy(bare).item() == measures.confidence(bare).item() == 0


def test_confidence_is_the_mean_of_the_largest_weights():
    assert measures.confidence(record(HALVES, "a", "b", "c")).item() == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_confidence_without_the_end_mark_leaves_out_its_row_and_column():
    att = record([[[[0.2, 0.1, 0.7], [0.3, 0.6, 0.1], [0.0, 0.0, 1.0]]]], "a", "b", "[SEP]")
    assert measures.confidence(att, without=[2]).item() == pytest.approx((0.2 + 0.6) / 2)
    with pytest.raises(AttentionError, match="without must be some of 0 to 2"):
        measures.confidence(att, without=[3])
    with pytest.raises(AttentionError, match="without names every key"):
        measures.confidence(att, without=range(3))


def test_cross_attention_keeps_all_of_its_rows():
    cross = encoder_decoder().cross
    kept = cross.weights[..., :3].amax(-1).mean(-1)
    assert torch.allclose(measures.confidence(cross, without=[3]), kept)
    assert torch.allclose(measures.normalised_entropy(cross), measures.entropy(cross) / math.log(4))


def test_entropy_is_scipys():
    att = attention(layers=2, heads=3)
    expected = scipy_entropy(att.weights.double().numpy(), axis=-1).mean(-1)
    assert np.abs(measures.entropy(att).numpy() - expected).max() < 1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.sampled_from([0.0, 1.0, 30.0, 300.0]), st.integers(0, 10_000), st.booleans())
def test_limits_hold_for_any_weights(tokens, sharpness, seed, causal):
    att = drawn(tokens, sharpness, seed, causal=causal)
    entropy, confidence = measures.entropy(att), measures.confidence(att)
    assert entropy.min() >= 0 and entropy.max() <= math.log(tokens) + 1e-6
    assert confidence.min() >= 1 / tokens - 1e-6 and confidence.max() <= 1 + 1e-6
    assert measures.mean_distance(att).min() >= 0 and measures.mean_distance(att).max() <= tokens - 1
    if tokens > 1:
        share = measures.normalised_entropy(att)
        assert share.min() >= 0 and share.max() <= 1
    if tokens > 1 and sharpness == 0:
        assert torch.allclose(share, torch.ones(()))
