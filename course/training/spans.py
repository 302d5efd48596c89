"""Answers as spans: how well a model's agree with those that people gave."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence


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
