"""Distances between heads: scipy's numbers, limits, and Clark et al.'s sum."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from course import measures
from course.attention import AttentionError
from course.measures import agreement
from tests.measures.test_spread import drawn
from tests.test_attention import record
from tests.views.synthetic import attention


def by_scipy(weights: np.ndarray) -> np.ndarray:
    heads = weights.reshape(-1, *weights.shape[2:])
    return np.array([[np.mean(jensenshannon(p, q, axis=-1) ** 2) for q in heads] for p in heads])


def test_two_heads_by_hand():
    att = record([[[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]], "a", "b")
    found = measures.head_distances(att)
    assert torch.allclose(found, torch.tensor([[0.0, math.log(2) / 2], [math.log(2) / 2, 0.0]]))


def test_distances_are_scipys_squared():
    att = attention(layers=2, heads=3)
    assert np.abs(measures.head_distances(att).numpy() - by_scipy(att.weights.double().numpy())).max() < 1e-6


def test_steps_change_nothing(monkeypatch):
    att = attention(layers=2, heads=3)
    whole = measures.head_distances(att)
    monkeypatch.setattr(agreement, "_AT_ONCE", 100)
    assert torch.allclose(measures.head_distances(att), whole, atol=1e-7)


def test_smoothing_and_the_sum_over_tokens_are_those_of_clark():
    att = attention(layers=1, heads=2)
    p, q = (0.999 * head.double().numpy() + 0.001 / 8 for head in att.weights[0])
    m = (p + q) / 2
    expected = sum(0.5 * (p * np.log(p / m) + q * np.log(q / m)).sum(-1))
    assert measures.head_distances(att, smoothing=0.001)[0, 1].item() * 8 == pytest.approx(expected, rel=1e-5)
    with pytest.raises(AttentionError, match="smoothing must be from 0 to 1"):
        measures.head_distances(att, smoothing=-1)


def test_rows_that_one_head_lacks_are_left_out():
    weights = [[[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], [[0.0, 1.0, 0.0], [0, 1.0, 0], [0.0, 0.5, 0.5]]]]
    bare = record(weights, "[CLS]", "a", "b").without_special()
    assert measures.head_distances(bare).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.sampled_from([0.0, 1.0, 30.0, 300.0]), st.integers(0, 10_000))
def test_distances_are_symmetric_and_at_most_ln_2(tokens, sharpness, seed):
    found = measures.head_distances(drawn(tokens, sharpness, seed))
    assert torch.isfinite(found).all() and torch.equal(found, found.T) and not found.diagonal().any()
    assert found.min() >= 0 and found.max() <= math.log(2) + 1e-7
