"""Paths: what reaches a token through all layers, by rollout and by maximum flow (Abnar & Zuidema 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from course.attention import Attention, AttentionError, check_index

_GRAIN = 2**30  # scipy's maximum flow takes 32-bit whole numbers


def rollout(att: Attention, residual: float = 0.5) -> Attention:
    """Attention followed down to the input tokens: an `Attention` with one head, whose layer l has layers 0 to l.

    Abnar & Zuidema 2020 (arXiv 2005.00928): the heads of a layer are averaged, the residual connection counts as
    attention to oneself, Ā = residual·I + (1 − residual)·mean over heads of A (theirs is 0.5), and layers are
    multiplied, R₀ = Ā₀, Rₗ = Āₗ Rₗ₋₁. Row i of layer l says from which input tokens position i has come so far;
    rows sum to 1. It can be drawn as any attention can, and merged to words afterwards.

    Misleads, for it knows nothing of values, feed-forward parts, or the true weight of the residual connection,
    and averages heads that do different things; deep down, rows become alike. Merge words after it, not before.

    Raises AttentionError for cross-attention, for an attention without its special tokens (paths lead through
    them), and for a residual that is not at least 0 and less than 1.
    """
    mixed = _mixed(att, residual)
    layers = [mixed[0]]
    for layer in mixed[1:]:
        layers.append(layer @ layers[-1])
    weights = torch.stack(layers).unsqueeze(1)
    return Attention(weights, att.queries, att.keys, att.kind, f"rollout of {att.model}", causal=att.causal)


def flow(
    att: Attention, queries: Sequence[int] | None = None, *, layer: int | None = None, residual: float = 0.5
) -> Tensor:
    """How much could flow from positions after ``layer`` down to each input token; queries x keys, 0 to 1.

    Abnar & Zuidema 2020 (arXiv 2005.00928): layers are a network whose capacities are the weights, with heads
    averaged and the residual connection mixed in as in `rollout`; the value is the maximum flow from position i after
    ``layer`` (the last, if left out) to input token j alone, computed by scipy (Dinic). Capacities are rounded to
    2⁻³⁰, which changes a flow by less than 1e-6.

    Rows do not sum to 1: each token's flow is found as if it were the only one. No flow is above what leaves i, 1,
    or what all edges into j can carry. So it misleads where many tokens attend to one, which then has a large
    flow from everywhere, and nearly the same row stands in every place. Time grows as tokens to the fourth power:
    half a second for 20 tokens; for long texts give the positions of ``queries`` that you need, such as ``[0]``.

    Raises AttentionError as `rollout` does, and for a layer or position that there is not.
    """
    from scipy.sparse import csr_array  # here, for this takes a quarter of a second
    from scipy.sparse.csgraph import maximum_flow

    chosen = att.layers - 1 if layer is None else layer
    check_index("layer", chosen, att.layers)
    n = len(att.queries)
    rows = list(range(n)) if queries is None else list(queries)
    for row in rows:
        check_index("query", row, n)
    capacities = (_mixed(att, residual)[: chosen + 1] * _GRAIN).round().int()
    level, query, key = torch.nonzero(capacities, as_tuple=True)
    edges = ((level + 1) * n + query).int().numpy(), (level * n + key).int().numpy()
    nodes = (chosen + 2) * n  # node l·n + i is position i before layer l
    network = csr_array((capacities[level, query, key].numpy(), edges), shape=(nodes, nodes))
    values = [[maximum_flow(network, nodes - n + i, j, method="dinic").flow_value for j in range(n)] for i in rows]
    return (torch.tensor(values, dtype=torch.double).view(-1, n) / _GRAIN).clamp_max(1).float()


def _mixed(att: Attention, residual: float) -> Tensor:
    """Heads averaged, and the residual connection as attention to oneself; layers x tokens x tokens, float64."""
    if att.kind == "cross":
        raise AttentionError("paths go through the layers of one stack: give a self-attention, .encoder or .decoder")
    if att.removed is not None:
        raise AttentionError(
            "paths lead through special tokens too: give the attention with them, and leave them out of the result"
        )
    if not 0 <= residual < 1:
        raise AttentionError(f"residual must be at least 0 and less than 1, not {residual!r}")
    return residual * torch.eye(len(att.queries), dtype=torch.double) + (1 - residual) * att.weights.double().mean(1)
