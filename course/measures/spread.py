"""Spread: how surely a head looks at few tokens, or how evenly at many."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from course.attention import Attention, AttentionError
from course.measures.rows import over_rows, visible


def entropy(att: Attention) -> Tensor:
    """Mean entropy of the rows in nats; layers x heads, from 0 (one key gets all) to ln(keys) (uniform).

    Long inputs allow more: compare inputs of one length, or take `normalised_entropy`. Rows that are all zeros
    (see `Attention.without_special`) are left out of the mean.
    """
    return over_rows(att, torch.special.entr(att.weights).sum(-1))


def normalised_entropy(att: Attention) -> Tensor:
    """Mean of each row's entropy over the most it could have, ln(keys it can see); layers x heads, 0 to 1.

    In causal attention the i-th row sees i keys. A row that sees one key has no choice and is left out, as are
    rows that are all zeros. Misleads on long inputs: a head that spreads evenly over the same ten tokens has a
    smaller value, the more tokens there are that it leaves out.

    Raises AttentionError where every row sees one key only.
    """
    keys = visible(att)
    rows = torch.nonzero(keys > 1).flatten().tolist()
    if not rows:
        raise AttentionError("every row here sees one key only, so no entropy can be compared with the most possible")
    share = torch.special.entr(att.weights[:, :, rows]).sum(-1) / keys[rows].log()
    return over_rows(att, share.clamp(0, 1), rows)


def confidence(att: Attention, without: Sequence[int] = ()) -> Tensor:
    """Mean of each row's largest weight; layers x heads, from 1/keys (uniform) to 1 (one key gets all).

    Voita et al. 2019 (arXiv 1905.09418, section 4) call the mean over tokens of a head's largest weight, "excluding
    the end of sentence symbol", its confidence. Here nothing is excluded unless ``without`` gives the positions of
    the keys to leave out, such as ``att.keys.positions("</s>")``; in self-attention they are left out as queries
    too, and the rest of a row is not made to sum to 1. High confidence is cheap for a head that rests on [SEP]:
    look at `share_on` as well.

    Raises AttentionError for positions that there are not, and where nothing is left.
    """
    for position in without:
        if not 0 <= position < len(att.keys):
            raise AttentionError(f"without must be some of 0 to {len(att.keys) - 1}, not {list(without)}")
    columns = [i for i in range(len(att.keys)) if i not in without]
    rows = list(range(len(att.queries))) if att.kind == "cross" else columns
    if not columns:
        raise AttentionError("without names every key: leave some in")
    return over_rows(att, att.weights[:, :, rows][..., columns].amax(-1), rows)
