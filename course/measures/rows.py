"""Rows: which rows of an attention are distributions, and the mean over those."""

from __future__ import annotations

import torch
from torch import Tensor

from course.attention import Attention


def over_rows(att: Attention, per_row: Tensor, rows: list[int] | None = None) -> Tensor:
    """The mean of a number a row, layers x heads x queries, over the rows that hold attention; layers x heads.

    ``rows`` are the positions of the queries that ``per_row`` is of; all, if left out. Rows that special tokens
    emptied (see `Attention.without_special`) hold none and are left out. A head without any other row has 0.
    """
    held = att.weights.sum(-1) > 0.5
    if rows is not None:
        held = held[..., rows]
    if bool(held.all()):
        return per_row.mean(-1)
    return per_row.where(held, torch.zeros(())).sum(-1) / held.sum(-1).clamp_min(1)


def visible(att: Attention) -> Tensor:
    """How many keys each query can see: all, or in causal attention those up to itself; float, one a query."""
    if att.causal:
        return torch.arange(1.0, len(att.queries) + 1)
    return torch.full((len(att.queries),), float(len(att.keys)))
