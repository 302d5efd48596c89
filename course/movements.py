"""What moved most: entries of the lists that an AttentionDiff makes, and how they are put in order."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Movement(NamedTuple):
    """One weight that changed: the tokens, the weights before and after, and the places of the tokens."""

    layer: int
    head: int
    query: str
    key: str
    before: float
    after: float
    change: float
    row: int
    column: int

    def __str__(self) -> str:
        return f"{self.query} → {self.key} {self.before:.2f} to {self.after:.2f} ({signed(self.change)})"


class HeadChange(NamedTuple):
    """How much one head changed: its total variation, 0 to 1."""

    layer: int
    head: int
    total_variation: float

    def __str__(self) -> str:
        return f"layer {self.layer} head {self.head} ({self.total_variation:.2f})"


def signed(change: float, digits: int = 2) -> str:
    """A change with its sign: "+0.45", "−0.45", or "0.00" where that is what is left of it."""
    text = f"{abs(change):.{digits}f}"
    return text if not float(text) else f"{'+' if change > 0 else '−'}{text}"


def largest(sizes: Tensor, k: int) -> list[tuple[int, ...]]:
    """The places of the ``k`` largest entries that are not 0, largest first, ties in reading order."""
    flat = sizes.flatten()
    least = flat.topk(min(k, len(flat))).values[-1] if k > 0 and len(flat) else math.inf
    found = ((flat >= least) & (flat > 0)).nonzero().flatten()
    order = torch.sort(flat[found], descending=True, stable=True).indices[:k]
    places = torch.unravel_index(found[order], sizes.shape)
    return list(zip(*(axis.tolist() for axis in places), strict=True))
