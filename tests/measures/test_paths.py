"""Rollout and flow: by hand, against networkx and a linear program, and as identities."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import course
from course import measures
from course.attention import Attention, AttentionError
from tests import tiny
from tests.measures.test_spread import drawn
from tests.test_attention import record
from tests.views.synthetic import tokens_of


def mixed(att: Attention, residual: float = 0.5) -> np.ndarray:
    return residual * np.eye(len(att.queries)) + (1 - residual) * att.weights.double().mean(1).numpy()


def edges(matrices: np.ndarray) -> list[tuple[tuple[int, int], tuple[int, int], float]]:
    n = matrices.shape[-1]
    return [
        ((level + 1, i), (level, j), float(matrix[i, j]))
        for level, matrix in enumerate(matrices) for i in range(n) for j in range(n)
    ]  # fmt: skip


def by_networkx(att: Attention, query: int, key: int) -> float:
    network = networkx.DiGraph()
    for start, end, capacity in edges(mixed(att)):
        network.add_edge(start, end, capacity=capacity)
    return float(networkx.maximum_flow_value(network, (att.layers, query), (0, key)))


def by_linear_program(att: Attention, query: int, key: int) -> float:
    """The flow into the sink is made as large as the capacities and the balance of every other node allow."""
    lines = edges(mixed(att))
    source, sink = (att.layers, query), (0, key)
    inner = sorted({node for start, end, _ in lines for node in (start, end)} - {source, sink})
    # Flow may end in no other input token, and begin in no other position of the last layer.
    balance = np.array([[(end == node) - (start == node) for start, end, _ in lines] for node in inner], dtype=float)
    gain = [-float(end == sink) for _, end, _ in lines]
    found = linprog(gain, A_eq=balance, b_eq=np.zeros(len(inner)), bounds=[(0, capacity) for *_, capacity in lines])
    assert found.success
    return -float(found.fun)


def test_rollout_of_two_layers_by_hand():
    att = record([[[[0.0, 1.0], [0.0, 1.0]]], [[[0.5, 0.5], [1.0, 0.0]]]], "a", "b")
    found = measures.rollout(att)
    assert torch.allclose(found.weights[0, 0], torch.tensor([[0.5, 0.5], [0.0, 1.0]]))
    # 0.5 I + 0.5 A of the second layer is [[.75, .25], [.5, .5]]
    assert torch.allclose(found.weights[1, 0], torch.tensor([[0.375, 0.625], [0.25, 0.75]]))
    assert (found.heads, found.tokens, found.model) == (1, att.tokens, "rollout of hand")


def test_rollout_without_the_residual_is_the_product_of_the_means():
    att = drawn(4, 1.0, 0)
    first, second = att.weights.double().mean(1)
    assert torch.allclose(measures.rollout(att, residual=0).weights[1, 0].double(), second @ first, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.sampled_from([0.0, 1.0, 300.0]), st.integers(0, 10_000), st.booleans())
def test_rollout_rows_sum_to_one_and_see_nothing_later(tokens, sharpness, seed, causal):
    found = measures.rollout(drawn(tokens, sharpness, seed, causal=causal))
    assert found.identities().hold and found.causal is causal
    assert torch.allclose(found.weights.sum(-1), torch.ones(()), atol=1e-6)


def test_rollout_can_be_drawn_and_merged_as_any_attention():
    att = course.attend(tiny.bert(), "the cat sat")
    found = measures.rollout(att)
    assert course.head_view(found, layer=1).png() and len(found.words().tokens) <= len(found.tokens)


def test_flow_of_one_layer_is_its_capacities():
    att = record([[[[0.0, 1.0], [0.4, 0.6]]]], "a", "b")
    assert torch.allclose(measures.flow(att), torch.tensor([[0.5, 0.5], [0.2, 0.8]]))


def test_flow_of_two_layers_by_hand():
    att = record([[[[0.0, 1.0], [0.0, 1.0]]], [[[0.5, 0.5], [1.0, 0.0]]]], "a", "b")
    # first layer's capacities [[.5, .5], [0, 1]], second [[.75, .25], [.5, .5]]
    expected = [[min(0.75, 0.5), min(0.75, 0.5) + min(0.25, 1)], [min(0.5, 0.5), min(0.5, 0.5) + min(0.5, 1)]]
    assert torch.allclose(measures.flow(att), torch.tensor(expected), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_flow_is_that_of_networkx_and_of_a_linear_program(seed):
    att = drawn(4, 3.0, seed)
    found = measures.flow(att)
    for query, key in ((0, 0), (1, 3), (3, 2)):
        assert found[query, key].item() == pytest.approx(by_networkx(att, query, key), abs=1e-6)
        assert found[query, key].item() == pytest.approx(by_linear_program(att, query, key), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.sampled_from([0.0, 1.0, 300.0]), st.integers(0, 10_000), st.booleans())
def test_flow_is_at_most_what_leaves_and_what_can_enter(tokens, sharpness, seed, causal):
    att = drawn(tokens, sharpness, seed, causal=causal)
    found = measures.flow(att)
    entering = torch.from_numpy(mixed(att)[0].sum(0)).clamp(max=1)
    assert found.min() >= 0 and (found.double() <= entering + 1e-6).all()
    # What rollout sends along all paths together is one flow among others.
    assert (found >= measures.rollout(att).weights[-1, 0] - 1e-6).all()
    if causal:
        assert float(found.triu(1).max()) == 0


def test_flow_of_some_positions_after_some_layer():
    att = drawn(4, 1.0, 0)
    assert torch.equal(measures.flow(att, [2, 0]), measures.flow(att)[[2, 0]])
    assert torch.allclose(measures.flow(att, layer=0), torch.from_numpy(mixed(att)[0]).float(), atol=1e-6)
    with pytest.raises(AttentionError, match="query must be a whole number from 0 to 3, not 4"):
        measures.flow(att, [4])
    with pytest.raises(AttentionError, match="layer must be a whole number from 0 to 1, not 2"):
        measures.flow(att, layer=2)


@pytest.mark.parametrize("measure", [measures.rollout, measures.flow])
def test_paths_need_one_stack_with_its_special_tokens(measure):
    with pytest.raises(AttentionError, match="layers of one stack"):
        measure(course.attend(tiny.bart(), "the cat", "vamos al").cross)
    with pytest.raises(AttentionError, match="paths lead through special tokens"):
        measure(course.attend(tiny.bert(), "the cat").without_special())
    names = tokens_of(("a",))
    att = Attention(torch.ones(1, 1, 1, 1), names, names, "self", "one")
    for residual in (-0.1, 1.0):
        with pytest.raises(AttentionError, match="residual must be"):
            measure(att, residual=residual)
