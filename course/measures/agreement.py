"""Agreement: which heads do the same."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course.attention import Attention, AttentionError

_AT_ONCE = 2**21  # weights of a step: 16 MiB in float64


def head_distances(att: Attention, smoothing: float = 0.0) -> Tensor:
    """How differently each two heads attend: the mean Jensen–Shannon divergence of their rows, in nats.

    A square matrix with a row and a column a head, in reading order (head h of layer l is number l·heads + h);
    symmetric, 0 on the diagonal, at most ln 2. Rows that one of two heads lacks (see
    `Attention.without_special`) are left out of their mean.

    Clark et al. 2019 (arXiv 1906.04341, section 6) define the distance of heads i and j as Σ JS(Hᵢ(token) ∥
    Hⱼ(token)), a sum over all tokens of a corpus, and place the heads in a plane by multidimensional scaling. For
    theirs, give ``smoothing=0.001``, which replaces each weight a of a row with n keys by (1 − smoothing)·a +
    smoothing/n, multiply by the number of tokens, and add up the texts. √ of the divergence is a metric, the
    divergence itself is not. Heads that rest on [SEP] look alike whatever they do elsewhere.

    Raises AttentionError for a smoothing that is not from 0 to 1.
    """
    if not 0 <= smoothing <= 1:
        raise AttentionError(f"smoothing must be from 0 to 1, not {smoothing!r}")
    weights = att.weights.double().flatten(0, 1)
    heads, keys = len(weights), weights.shape[-1]
    total, compared = torch.zeros(heads, heads, dtype=torch.double), torch.zeros(heads, heads, dtype=torch.double)
    for block in torch.split(weights, max(1, _AT_ONCE // (heads * keys)), dim=1):
        held = (block.sum(-1) > 0.5).double()
        block = (1 - smoothing) * block + smoothing / keys
        own = torch.special.entr(block).sum(-1)
        for i in range(heads):
            mixed = torch.special.entr((block[i] + block[i:]) / 2).sum(-1)
            both = held[i] * held[i:]
            total[i, i:] += ((mixed - (own[i] + own[i:]) / 2).clamp(0, math.log(2)) * both).sum(-1)
            compared[i, i:] += both.sum(-1)
    half = (total / compared.clamp_min(1)).triu(1)
    return (half + half.T).float()
