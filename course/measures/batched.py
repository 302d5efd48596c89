"""Batched: the measures of many texts at once, as sums over the rows of each text of a padded batch.

They are those of `course.measures`, computed another way. Most are Σ weight(i, j)·mask(i, j), so that one matrix
product with a stack of masks gives all of them, at one reading of the weights; entropy and confidence need the rows.
What is padding counts in no sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course.measures.shares import punctuation, words_of
from course.tokens import Tokens

OF_ROWS = ("entropy", "normalised_entropy", "confidence")


@dataclass(frozen=True)
class Marks:
    """What the measures must know of the tokens of one text, a number a token.

    ``cls`` and ``sep`` are None where the tokenizer has no such tokens. ``words`` are small numbers, the same for
    the same word, and -1 where there is none (see `words_of`); ``segments`` is -1 for special tokens.
    """

    special: Tensor
    punctuation: Tensor
    segments: Tensor
    words: Tensor
    cls: Tensor | None
    sep: Tensor | None

    def __len__(self) -> int:
        return len(self.special)

    @classmethod
    def of(cls, tokens: Tokens, tokenizer: Any) -> Marks:
        """The marks of a text, or of two."""
        special = torch.tensor(tokens.special)
        stops = torch.zeros(len(tokens), dtype=torch.bool)
        stops[list(punctuation(tokens))] = True
        numbers: dict[str, int] = {}
        words = words_of(tokens) if tokens.is_pair else [None] * len(tokens)
        return cls(
            special=special,
            punctuation=stops,
            segments=torch.tensor(tokens.segments).masked_fill(special, -1),
            words=torch.tensor([-1 if word is None else numbers.setdefault(word, len(numbers)) for word in words]),
            cls=_named(tokens, tokenizer.cls_token),
            sep=_named(tokens, tokenizer.sep_token),
        )

    def shifted(self) -> Marks:
        """What a decoder reads: a start token, which is special, and all but the last."""
        return Marks(
            special=_after(self.special, True),
            punctuation=_after(self.punctuation, False),
            segments=_after(self.segments, -1),
            words=_after(self.words, -1),
            cls=None if self.cls is None else _after(self.cls, False),
            sep=None if self.sep is None else _after(self.sep, False),
        )


@dataclass(frozen=True)
class Side:
    """The marks of a batch, texts x tokens; ``real`` says what is not padding."""

    real: Tensor
    marks: Marks

    @classmethod
    def of(cls, texts: Sequence[Marks], device: torch.device) -> Side:
        """Padded on the right."""

        def padded(name: str, filler: int) -> Tensor:
            rows = [getattr(marks, name) for marks in texts]
            return torch.nn.utils.rnn.pad_sequence(rows, True, filler).to(device)

        named = {name: None if getattr(texts[0], name) is None else padded(name, 0) for name in ("cls", "sep")}
        marks = Marks(
            special=padded("special", 0),
            punctuation=padded("punctuation", 0),
            segments=padded("segments", -1),
            words=padded("words", -1),
            **named,
        )
        lengths = torch.tensor([len(text) for text in texts], device=device)
        return cls(torch.arange(marks.special.shape[1], device=device) < lengths.unsqueeze(1), marks)


@dataclass(frozen=True)
class Masks:
    """What to sum. ``pairs`` is texts x (queries·keys) x measures, ``rows`` texts x queries x measures of `OF_ROWS`.

    ``names`` are the measures, those of rows last, and ``counts`` (texts x measures) how many rows each sum is of.
    """

    names: tuple[str, ...]
    pairs: Tensor
    rows: Tensor
    counts: Tensor

    @classmethod
    def of(cls, queries: Side, keys: Side, *, within: bool, causal: bool) -> Masks:
        """The masks of a batch; ``within`` one text (or pair), places and sentences can be compared too."""
        masks = _columns(queries, keys)
        if within:
            masks = _places(queries) | masks | _sentences(queries.marks)
        n = queries.real.sum(-1, keepdim=True)
        seen = torch.arange(1, queries.real.shape[1] + 1, device=n.device).expand_as(queries.real)
        seen = seen if causal else keys.real.sum(-1, keepdim=True).expand_as(queries.real)
        choice = queries.real & (seen > 1)
        rows = torch.stack(
            [queries.real, choice / seen.clamp_min(2).log(), queries.real], dim=-1
        )  # fmt: skip
        counts = [count for _, count in masks.values()] + [queries.real.sum(-1), choice.sum(-1), queries.real.sum(-1)]
        return cls(
            names=(*masks, *OF_ROWS),
            pairs=torch.stack([mask for mask, _ in masks.values()], dim=-1).flatten(1, 2).float(),
            rows=rows.float(),
            counts=torch.stack(counts, dim=-1),
        )

    def sums(self, weights: Tensor) -> Tensor:
        """The sums over the rows of each text; texts x heads x measures, from texts x heads x queries x keys."""
        # w·ln w is 0 for w = 0: the smallest normal number keeps ln finite. Twice as fast as torch.special.entr.
        entropy = -torch.linalg.vecdot(weights, weights.clamp_min(torch.finfo(weights.dtype).tiny).log())
        return torch.cat(
            [
                torch.bmm(weights.flatten(2), self.pairs),
                torch.bmm(entropy, self.rows[..., :2]),
                torch.bmm(weights.amax(-1), self.rows[..., 2:]),
            ],
            dim=-1,
        )


def _places(side: Side) -> dict[str, tuple[Tensor, Tensor]]:
    """The measures that need places: each a mask texts x queries x keys, and how many rows count."""
    real, n = side.real, side.real.sum(-1)
    places = torch.arange(real.shape[1], device=real.device)
    offset = places - places.unsqueeze(1)
    both = real.unsqueeze(2) & real.unsqueeze(1)
    return {
        "mean_distance": (both * offset.abs(), n),
        "previous_token_share": (both & (offset == -1), n - 1),
        "same_token_share": (both & (offset == 0), n),
        "next_token_share": (both & (offset == 1), n - 1),
    }


def _columns(queries: Side, keys: Side) -> dict[str, tuple[Tensor, Tensor]]:
    """Shares on kinds of tokens."""
    marks, n = keys.marks, queries.real.sum(-1)
    named = {
        "cls_share": marks.cls, "sep_share": marks.sep, "special_share": marks.special,
        "punctuation_share": marks.punctuation,
    }  # fmt: skip
    return {
        name: (queries.real.unsqueeze(2) & (mark & keys.real).unsqueeze(1), n)
        for name, mark in named.items()
        if mark is not None
    }


def _sentences(marks: Marks) -> dict[str, tuple[Tensor, Tensor]]:
    """The measures of pairs; of a single text no row counts."""
    ordinary = marks.segments >= 0
    across = (marks.segments.unsqueeze(2) != marks.segments.unsqueeze(1)) & (
        ordinary.unsqueeze(2) & ordinary.unsqueeze(1)
    )
    same = across & (marks.words.unsqueeze(2) == marks.words.unsqueeze(1)) & (marks.words >= 0).unsqueeze(2)
    return {
        name: (mask, mask.any(-1).sum(-1))
        for name, mask in (("cross_sentence_share", across), ("same_word_share", same))
    }


def _named(tokens: Tokens, name: str | None) -> Tensor | None:
    if name is None:
        return None
    pairs = zip(tokens.pieces, tokens.special, strict=True)
    return torch.tensor([special and piece == name for piece, special in pairs])


def _after(values: Tensor, first: bool | int) -> Tensor:
    """One place to the right, the last dropped."""
    return torch.cat([torch.full_like(values[:1], first), values[:-1]])
