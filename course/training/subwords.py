"""BPE dropout: a text cut into tokens in another way in each epoch (Provilkov, Emelianenko and Voita 2020)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

VARIANTS = 16
"""Ways in which each word is cut, drawn once; an epoch takes one of them for each place where the word stands."""


class Subwords:
    """The tokens of a text, epoch by epoch: merges are left out at random with probability ``drop``.

    A word that is always one token is never seen as its letters, and what it shares with rarer words is not learnt;
    and a text that is never twice the same is harder to learn by heart. tokenizers does the same, but cannot be
    seeded. ``tokenizer`` is a fast one with a BPE that knows every character (byte-level); give an evaluation
    the tokenizer's own cut.
    """

    def __init__(self, tokenizer: Any, text: str, drop: float, seed: int) -> None:
        backend = tokenizer.backend_tokenizer
        model = json.loads(backend.to_str())["model"]
        ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}
        words = [word for word, _ in backend.pre_tokenizer.pre_tokenize_str(text)]
        known = {word: number for number, word in enumerate(dict.fromkeys(words))}
        chance = random.Random(seed)
        self.seed = seed
        self.words = np.array([known[word] for word in words])
        self.variants = [
            [
                np.array([model["vocab"][part] for part in cut(word, ranks, drop, chance)], dtype=np.int64)
                for _ in range(VARIANTS)
            ]
            for word in known
        ]

    def ids(self, epoch: int) -> Tensor:
        """The whole text in tokens, as this epoch reads it."""
        drawn = np.random.default_rng((self.seed, epoch)).integers(VARIANTS, size=len(self.words))
        found = [self.variants[word][variant] for word, variant in zip(self.words, drawn, strict=True)]
        return torch.from_numpy(np.concatenate(found))


def cut(word: str, ranks: Mapping[tuple[str, ...], int], drop: float, chance: random.Random) -> list[str]:
    """The tokens of a word: its merges in the order of their ranks, each left out with probability ``drop`` a time."""
    parts = list(word)
    while True:
        open_merges = [
            (ranks[pair], place)
            for place, pair in enumerate(pairwise(parts))
            if pair in ranks and chance.random() >= drop
        ]
        if not open_merges:
            return parts
        _, place = min(open_merges)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
