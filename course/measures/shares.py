"""Shares: where a head's attention goes, on average over its rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

from course.attention import Attention, AttentionError
from course.measures.rows import over_rows
from course.tokens import Tokens
from course.vision.patches import Patches


def offset_share(att: Attention, offset: int) -> Tensor:
    """Mean weight on the token ``offset`` places away (-1 the one before, +1 the one after); layers x heads.

    From 0 to 1, averaged over the tokens that have such a neighbour. Special tokens count as neighbours: the
    first word's previous token is [CLS]. Misleads for short inputs, where a uniform head already has 1/n.
    """
    _check_places(att)
    if offset and isinstance(att.queries, Patches):
        raise AttentionError(
            "the patches of an image have neighbours on four sides, and none before or after: measure how far a head "
            "looks with mean_distance"
        )
    queries = range(max(0, -offset), min(len(att.queries), len(att.queries) - offset))
    if not queries:
        raise AttentionError(f"no token has a neighbour {offset} places away: the input has {len(att.queries)} tokens")
    return over_rows(att, att.weights.diagonal(offset, -2, -1), list(queries))


def previous_token_share(att: Attention) -> Tensor:
    """Mean weight on the token before; layers x heads, 0 to 1. See `offset_share`."""
    return offset_share(att, -1)


def next_token_share(att: Attention) -> Tensor:
    """Mean weight on the token after; layers x heads, 0 to 1. See `offset_share`."""
    return offset_share(att, 1)


def same_token_share(att: Attention) -> Tensor:
    """Mean weight of each token on itself; layers x heads, 0 to 1. See `offset_share`.

    Other tokens that look the same do not count. Small values do not mean that a token forgets itself: what it
    was is kept by the residual connection, without any attention.
    """
    return offset_share(att, 0)


def mean_distance(att: Attention) -> Tensor:
    """How many places away a head looks, on average; layers x heads, from 0 to tokens − 1.

    The mean over the rows i of Σⱼ weight(i, j)·|i − j| (Vig & Belinkov 2019, arXiv 1906.04284, section 4.3, who
    measure causal attention, where i ≥ j). Misleads for a head that rests on [SEP] or [CLS]: it then measures how
    far away those are, that is, the length of the input. A uniform head has about a third of that length. After
    ``words()`` the places are words, and after ``without_special()`` those of what is left.

    Of an image it is the mean attention distance of Dosovitskiy et al. 2021 (arXiv 2010.11929, appendix D.7): the
    distance between the middles of patches, in patches, straight across. [CLS] has no place, so it is left out as row
    and as column, and rows are made to sum to 1 again.
    """
    _check_places(att)
    if isinstance(att.queries, Patches):
        return _mean_distance_of_patches(att)
    places = torch.arange(float(len(att.queries)))
    away = (places.unsqueeze(1) - places).abs()
    return over_rows(att, (att.weights * away).sum(-1))


def _mean_distance_of_patches(att: Attention) -> Tensor:
    only = att.without_special() if any(att.queries.special) else att
    assert isinstance(only.queries, Patches)
    places = torch.tensor([place for place in only.queries.places if place is not None]).float()
    return over_rows(only, (only.weights * torch.cdist(places, places)).sum(-1))


def share_on(att: Attention, positions: Sequence[int]) -> Tensor:
    """Mean weight on the keys at ``positions``, over all rows; layers x heads, 0 to 1.

    ``att.keys.positions("[SEP]")`` gives the positions of a token, ``att.keys.special_positions`` those of all
    special tokens, `punctuation` those of punctuation marks. A large share on [SEP] is often a head with nothing
    to do rather than interest in [SEP] (Clark et al. 2019, arXiv 1906.04341, section 3.2).
    """
    columns = _positions(att, positions)
    return over_rows(att, att.weights[..., columns].sum(-1))


def punctuation(tokens: Tokens, marks: str | None = None) -> tuple[int, ...]:
    """Positions of the tokens that are nothing but punctuation, for `share_on`; there may be none.

    Punctuation is what Unicode calls so (category P), or only the characters of ``marks``: Clark et al. 2019 count
    ".,". Special tokens never count, although "[SEP]" has brackets.
    """
    return tuple(
        i for i, text in enumerate(tokens.texts)
        if not tokens.special[i] and text
        and all(c in marks if marks is not None else unicodedata.category(c).startswith("P") for c in text)
    )  # fmt: skip


def cross_sentence_share(att: Attention) -> Tensor:
    """Mean weight that the words of each sentence put on the words of the other; layers x heads, 0 to 1.

    Special tokens are left out on both sides, but not from the rows' sums: what goes to [SEP] is lost to the
    other sentence. Grows with the words that the sentences share, so compare pairs of equal overlap.
    """
    first, second = _sentences(att)
    there = att.weights[:, :, list(first)][..., list(second)].sum(-1)
    back = att.weights[:, :, list(second)][..., list(first)].sum(-1)
    return over_rows(att, torch.cat([there, back], dim=-1), [*first, *second])


def same_word_share(att: Attention) -> Tensor:
    """Mean weight of a word on the same word in the other sentence; layers x heads, 0 to 1.

    Averaged over the tokens, of both sentences, whose word stands in the other one too; each may look at every
    token of that word, wherever it stands there. Case does not count, and neither do words without a letter or
    digit, such as full stops. Compare it with `cross_sentence_share`: only what is well above its part of that is
    matching. Misleads for pairs that are nearly alike, where the same word also stands at the same place.

    Raises AttentionError for a single text and where the sentences have no word in common.
    """
    _sentences(att)
    words = words_of(att.queries)
    same = torch.tensor(
        [
            [a is not None and a == b and s != t for b, t in zip(words, att.keys.segments, strict=True)]
            for a, s in zip(words, att.queries.segments, strict=True)
        ]
    )
    rows = torch.nonzero(same.any(-1)).flatten().tolist()
    if not rows:
        raise AttentionError("the two sentences have no word in common, so no weight can go to the same word")
    return over_rows(att, (att.weights * same).sum(-1)[..., rows], rows)


def words_of(tokens: Tokens) -> list[str | None]:
    """Each token's word in small letters; None for special tokens and words without a letter or digit."""
    found: list[str | None] = [None] * len(tokens)
    for group, word in zip(tokens.word_groups(), tokens.merged().texts, strict=True):
        if any(c.isalnum() for c in word) and not tokens.special[group[0]]:
            for i in group:
                found[i] = word.casefold()
    return found


def _sentences(att: Attention) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if att.kind == "cross" or not att.queries.is_pair:
        raise AttentionError("this attention is of one text: attend to a pair, course.attend(model, first, second)")
    return att.queries.in_segment(0), att.queries.in_segment(1)


def _check_places(att: Attention) -> None:
    if att.kind == "cross":
        raise AttentionError("a place before or after has no meaning across two texts: give a self-attention")


def _positions(att: Attention, positions: Sequence[int]) -> list[int]:
    columns = sorted(set(positions))
    if not columns or columns[0] < 0 or columns[-1] >= len(att.keys):
        raise AttentionError(f"positions must be some of 0 to {len(att.keys) - 1}, not {list(positions)}")
    return columns
