"""One number per head: where a head's attention goes, on average over its rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from course.attention import Attention, AttentionError


def offset_share(att: Attention, offset: int) -> Tensor:
    """Mean weight on the token ``offset`` places away (-1 the one before, +1 the one after); layers x heads.

    From 0 to 1, averaged over the tokens that have such a neighbour. Special tokens count as neighbours: the
    first word's previous token is [CLS]. Misleads for short inputs, where a uniform head already has 1/n.
    """
    if att.kind == "cross":
        raise AttentionError("a place before or after has no meaning across two texts: give a self-attention")
    queries = range(max(0, -offset), min(len(att.queries), len(att.queries) - offset))
    if not queries:
        raise AttentionError(f"no token has a neighbour {offset} places away: the input has {len(att.queries)} tokens")
    return torch.stack([att.weights[:, :, i, i + offset] for i in queries]).mean(0)


def previous_token_share(att: Attention) -> Tensor:
    """Mean weight on the token before; layers x heads, 0 to 1. See `offset_share`."""
    return offset_share(att, -1)


def next_token_share(att: Attention) -> Tensor:
    """Mean weight on the token after; layers x heads, 0 to 1. See `offset_share`."""
    return offset_share(att, 1)


def share_on(att: Attention, positions: Sequence[int]) -> Tensor:
    """Mean weight on the keys at ``positions``, over all rows; layers x heads, 0 to 1.

    ``att.keys.positions("[SEP]")`` gives the positions of a token. A large share on [SEP] is often a head
    with nothing to do rather than interest in [SEP] (Clark et al. 2019, arXiv 1906.04341, section 3.2).
    """
    columns = _positions(att, positions)
    return att.weights[..., columns].sum(-1).mean(-1)


def entropy(att: Attention) -> Tensor:
    """Mean entropy of the rows in nats; layers x heads, from 0 (one key gets all) to ln(keys) (uniform).

    Long inputs allow more: compare inputs of one length, or divide by ln(keys). Rows that are all zeros
    (see `Attention.without_special`) count as 0.
    """
    per_row: Tensor = torch.special.entr(att.weights).sum(-1)
    return per_row.mean(-1)


def cross_sentence_share(att: Attention) -> Tensor:
    """Mean weight that the words of each sentence put on the words of the other; layers x heads, 0 to 1.

    Special tokens are left out on both sides, but not from the rows' sums: what goes to [SEP] is lost to the
    other sentence. Grows with the words that the sentences share, so compare pairs of equal overlap.
    """
    if not att.queries.is_pair:
        raise AttentionError("this attention is of one text: attend to a pair, course.attend(model, first, second)")
    first, second = att.queries.in_segment(0), att.queries.in_segment(1)
    there = att.weights[:, :, list(first)][..., list(second)].sum(-1)
    back = att.weights[:, :, list(second)][..., list(first)].sum(-1)
    return torch.cat([there, back], dim=-1).mean(-1)


def _positions(att: Attention, positions: Sequence[int]) -> list[int]:
    columns = sorted(set(positions))
    if not columns or columns[0] < 0 or columns[-1] >= len(att.keys):
        raise AttentionError(f"positions must be some of 0 to {len(att.keys) - 1}, not {list(positions)}")
    return columns
