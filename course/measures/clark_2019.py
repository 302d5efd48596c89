"""Clark et al. 2019: the head statistics of "What Does BERT Look At?", by the rules of its authors."""

from __future__ import annotations

import torch
from torch import Tensor

from course.attention import Attention, AttentionError
from course.measures.shares import punctuation

SMOOTHING = 1e-4


def clark(att: Attention) -> dict[str, Tensor]:
    """The statistics of Clark et al. 2019 (arXiv 1906.04341, sections 3.1 to 3.3) for one input, layers x heads each.

    With a(i, j) the weight of row i on column j, and n tokens, of which s are [SEP]:

    - ``self``, ``left``, ``right``: Σᵢ a(i, i) / n, Σᵢ a(i, i−1) / n, Σᵢ a(i, i+1) / n. Divided by all n tokens,
      although the first has no left neighbour and the last no right one: `offset_share` divides by n − 1.
    - ``sep``, ``cls``, ``punct``: Σᵢ Σ a(i, j) / n over the columns j that are [SEP], [CLS], or "." and ",".
    - ``sep_sep``: the same as ``sep``, but only from rows that are [SEP], divided by s; ``rest_sep``: only from the
      other rows, divided by n − s. (The authors' notebook writes 2 and n − 2: their inputs have two [SEP].)
    - ``entropy``: the mean over i of −Σⱼ b(i, j) ln b(i, j), where b = 0.9999·a + 0.0001/n, which avoids ln 0 and
      makes each entropy a little larger than `entropy`; ``entropy_cls``: the same of the first row alone.

    Over a corpus the authors take the mean over texts, each text counting the same. In their plots the labels of
    left and right look swapped; here left is the token before. Raises AttentionError for cross-attention, for rows
    that are not whole, and for an input without [SEP] and [CLS] or their like.
    """
    if att.kind == "cross" or att.removed is not None:
        raise AttentionError("these statistics are of a self-attention with its special tokens: give it whole")
    tokens, n = att.keys, len(att.keys)
    seps = _last_specials(att)
    rest = [i for i in range(n) if i not in seps]
    smooth = (1 - SMOOTHING) * att.weights + SMOOTHING / n
    entropies = torch.special.entr(smooth).sum(-1)
    on_sep = att.weights[..., seps].sum(-1)
    diagonals = {name: att.weights.diagonal(k, -2, -1).sum(-1) / n for name, k in _NEIGHBOURS.items()}
    return {
        **diagonals,
        "sep": on_sep.mean(-1),
        "sep_sep": on_sep[..., seps].mean(-1),
        "rest_sep": on_sep[..., rest].mean(-1),
        "cls": att.weights[..., 0].mean(-1),
        "punct": att.weights[..., list(punctuation(tokens, ".,"))].sum(-1).mean(-1),
        "entropy": entropies.mean(-1),
        "entropy_cls": entropies[..., 0],
    }


_NEIGHBOURS = {"self": 0, "left": -1, "right": 1}


def _last_specials(att: Attention) -> list[int]:
    """Positions of [SEP], or of what ends a sentence where it has another name, such as </s>."""
    tokens = att.keys
    seps = [i for i in tokens.special_positions if i > 0 and tokens.texts[i] != tokens.texts[0]]
    if not tokens.special[0] or not seps or len(seps) == len(tokens):
        raise AttentionError(
            f"these statistics need an input that begins with [CLS] and ends with [SEP], or their like: "
            f"this one is {' '.join(tokens.texts[:3])} … {tokens.texts[-1]}"
        )
    return seps
