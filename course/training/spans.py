"""Answers as spans: the best valid one of a model's scores, and how well it agrees with those that people gave."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch

LONGEST = 30
"""Tokens of the longest answer that is considered."""


@dataclass(frozen=True)
class Best:
    """A span of tokens, first and last, with its probability among all valid spans and its score (a sum of logits)."""

    first: int
    last: int
    probability: float
    score: float


def best_span(starts: torch.Tensor, ends: torch.Tensor, valid: torch.Tensor, longest: int = LONGEST) -> Best:
    """The span of tokens with the highest sum of start and end logit.

    ``starts`` and ``ends`` are the logits of one input (tokens), ``valid`` says which tokens may be in an answer
    (those of the context, no special ones). A valid span has both ends there, does not end before it starts and
    has at most ``longest`` tokens. Its probability is the softmax over the sums of all valid spans. Of equal
    spans the first is taken. Raises ValueError when no token is valid.

    >>> starts, ends = torch.tensor([9.0, 1.0, 0.0, 2.0]), torch.tensor([9.0, 0.0, 3.0, 0.0])
    >>> best_span(starts, ends, torch.tensor([False, True, True, True])).first
    1
    """
    if not bool(valid.any()):
        raise ValueError("no token of the input may be in an answer; give the context some words")
    size = len(starts)
    sums = starts.float()[:, None] + ends.float()[None, :]
    band = torch.ones(size, size, dtype=torch.bool, device=starts.device).triu().tril(longest - 1)
    allowed = band & valid[:, None] & valid[None, :]
    flat = sums.masked_fill(~allowed, -torch.inf).flatten()
    place = int(flat.argmax())
    probability = float(torch.exp(flat[place] - flat.logsumexp(0)))
    return Best(place // size, place % size, probability, float(flat[place]))


def plain(answer: str) -> str:
    """An answer as SQuAD compares it: lower case, without punctuation and articles, single spaces.

    >>> plain("The  U.S. Congress!")
    'us congress'
    """
    bare = "".join(letter for letter in answer.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def exact(answer: str, golds: Sequence[str]) -> bool:
    """The answer is one of the golds, as SQuAD compares them."""
    return any(plain(answer) == plain(gold) for gold in golds)


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """The F1 of the words that answer and gold share, for the gold where it is highest (Rajpurkar et al. 2016).

    >>> round(token_f1("the old Roman bridge", ["a Roman bridge"]), 2)
    0.8
    """
    return max(_f1(plain(answer).split(), plain(gold).split()) for gold in golds)


def _f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))
