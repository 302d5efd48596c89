"""Spans: which run of tokens answers a question, by the start and end scores of a model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LONGEST = 30
"""Tokens of the longest answer that is considered."""


@dataclass(frozen=True)
class Best:
    """A span of tokens, first and last, with its probability among all valid spans and its score (a sum of logits)."""

    first: int
    last: int
    probability: float
    score: float


def best_span(starts: Tensor, ends: Tensor, valid: Tensor, longest: int = LONGEST) -> Best:
    """The span of tokens with the highest sum of start and end logit.

    ``starts`` and ``ends`` are the logits of one input (tokens), ``valid`` says which tokens may be in an answer
    (those of the context, no special ones). A valid span has both ends there, does not end before it starts and
    has at most ``longest`` tokens. Its probability is the softmax over the sums of all valid spans. Of equal
    spans the first is taken. Raises ValueError when no token is valid.

    >>> starts, ends = torch.tensor([9.0, 1.0, 0.0, 2.0]), torch.tensor([9.0, 0.0, 3.0, 0.0])
    >>> best_span(starts, ends, torch.tensor([False, True, True, True])).first
    1
    """
    return best_spans(starts, ends, valid, longest, k=1)[0]


def best_spans(
    starts: Tensor, ends: Tensor, valid: Tensor, longest: int = LONGEST, *, k: int, null: float | None = None
) -> list[Best]:
    """The ``k`` best spans (fewer where there are fewer), best first and of equals the first; see `best_span`.

    ``null`` is the score of not answering, where the model has learnt one: it then takes its share of the
    probability, as one more choice beside the spans.
    """
    if not bool(valid.any()):
        raise ValueError("no token of the input may be in an answer; give the context some words")
    sums = span_scores(starts.float()[None], ends.float()[None], valid, longest)[0]
    flat = sums.flatten()
    choices = flat if null is None else torch.cat([flat, flat.new_tensor([null])])
    total = choices.logsumexp(0)
    places = _largest(flat, k)
    size = len(starts)
    return [Best(i // size, i % size, float(torch.exp(flat[i] - total)), float(flat[i])) for i in places]


def span_scores(starts: Tensor, ends: Tensor, valid: Tensor, longest: int = LONGEST) -> Tensor:
    """The sum of start and end logit of every span, and -inf where it is not valid; rows x first x last.

    ``starts`` and ``ends`` are rows x tokens; ``valid`` (tokens) holds for all rows.
    """
    size = starts.shape[-1]
    band = torch.ones(size, size, dtype=torch.bool, device=starts.device).triu().tril(longest - 1)
    allowed = band & valid[:, None] & valid[None, :]
    return (starts[:, :, None] + ends[:, None, :]).masked_fill(~allowed, -torch.inf)


def _largest(flat: Tensor, k: int) -> list[int]:
    if k == 1:
        return [int(flat.argmax())]  # many times as fast as sorting
    most = min(k, int(flat.isfinite().sum()))
    found: list[int] = torch.sort(flat, descending=True, stable=True).indices[:most].tolist()
    return found
