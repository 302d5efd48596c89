"""Alignment: which word of the source a translator looks at when it writes a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course.attention import Attention, AttentionError, check_index


@dataclass(frozen=True)
class Link:
    """One word of the target with the word of the source that is looked at, or with none (``source`` None).

    ``row`` is the query that was read, ``column`` the key with its largest ``weight``. None means that this is a
    special token, such as the end mark: the word has no partner.
    """

    target: str
    source: str | None
    row: int
    column: int
    weight: float

    def __str__(self) -> str:
        return f"{self.target} ← {'–' if self.source is None else self.source} {self.weight:.2f}"


@dataclass(frozen=True)
class Alignment:
    """The links of all words of the target, in their order."""

    links: tuple[Link, ...]
    layer: int
    heads: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.links)

    def __iter__(self) -> Iterator[Link]:
        return iter(self.links)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.links))


def align(
    cross: Attention, *, layer: int | None = None, heads: Sequence[int] | None = None, reading: bool = False
) -> Alignment:
    """Word alignment from cross-attention: each word of the target with the source word that gets most weight.

    The weights of ``layer`` (the last, if left out) are averaged over ``heads`` (all, if left out). Read is the
    row that predicts a word's first token, which is the row before that token; with ``reading``, the row at which
    that token is the decoder's input (Chen et al. 2020, arXiv 2004.14837, find it better in lower layers of deeper
    models). The source word is that of the token with the largest weight, ties to the first; all tokens
    compete, the end mark and punctuation too.

    Misleads: attention is not the translation. A model may look at the right word and write a wrong one, or be
    right without looking; a word without a partner is linked to something, if not to the end mark; and the
    wrong row or layer gives nonsense that looks like an alignment.

    Raises AttentionError for another attention than cross-attention, for one without the decoder's start token
    (the row that predicts the first word), and for layers and heads that there are not.
    """
    if not cross.queries.special[0]:
        raise AttentionError("the decoder's start token is not there: give the cross-attention with its special tokens")
    chosen = cross.layers - 1 if layer is None else layer
    columns = looked_at(cross, chosen, heads)
    weights = _averaged(cross, chosen, heads)
    source_words = {
        i: word
        for group, word in zip(cross.keys.word_groups(), cross.keys.merged().texts, strict=True)
        for i in group
        if not cross.keys.special[i]
    }
    links = []
    for group, word in zip(cross.queries.word_groups(), cross.queries.merged().texts, strict=True):
        if cross.queries.special[group[0]] or word == "␣":  # the bare mark of a word's beginning, before a full stop
            continue
        row = group[0] if reading else predicting(group)
        column = columns[row]
        links.append(Link(word, source_words.get(column), row, column, float(weights[row, column])))
    return Alignment(tuple(links), chosen, tuple(range(cross.heads) if heads is None else heads))


def looked_at(cross: Attention, layer: int, heads: Sequence[int] | None = None) -> list[int]:
    """The source position with the largest weight, for each row; heads averaged, ties to the first."""
    positions: list[int] = _averaged(cross, layer, heads).argmax(-1).tolist()
    return positions


def predicting(group: Sequence[int]) -> int:
    """The row of the decoder that predicts a word, given the positions of its tokens: the one before the first."""
    return group[0] - 1


def _averaged(cross: Attention, layer: int, heads: Sequence[int] | None) -> Tensor:
    if cross.kind != "cross":
        raise AttentionError(f"this is {cross.kind} attention: an alignment needs .cross of a translator's attention")
    chosen = range(cross.heads) if heads is None else heads
    if not chosen:
        raise AttentionError("heads is empty: give at least one, or leave it out for all")
    check_index("layer", layer, cross.layers)
    return torch.stack([cross.head(layer, head) for head in chosen]).mean(0)
