"""Which attention a view shows: layers and heads checked, and the choices that its page offers."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from course.attention import Attention, AttentionError, EncoderDecoderAttention, check_index
from course.tokens import shown
from course.views.view import ViewError

LABEL_LENGTH = 40
"""The most characters of a token that a view carries; the rest becomes an ellipsis."""

READINGS = ("all tokens", "whole words", "no special tokens", "whole words, no special tokens")
"""In which forms a page offers the same attention."""
READ_WEIGHTS = 250_000
"""The most weights that a page carries for the sake of several readings."""
_OTHER_READINGS = 3


@dataclass(frozen=True, eq=False)
class Part:
    """One attention in a view: the layers and heads that its page carries, and the tokens as labels."""

    name: str
    attention: Attention
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    queries: tuple[str, ...]
    keys: tuple[str, ...]

    @cached_property
    def weights(self) -> Tensor:
        """Only these layers and heads, in this order; layers x heads x queries x keys."""
        weights = self.attention.weights
        if (self.layers, self.heads) == tuple(tuple(range(count)) for count in weights.shape[:2]):
            return weights
        return weights[list(self.layers)][:, list(self.heads)]


@dataclass(frozen=True)
class Choice:
    """What a reader can choose to see: a whole part, or one block of a sentence pair.

    ``name`` is what ``show=`` takes, ``label`` what the page says; ``reading`` is one of `READINGS`.
    """

    name: str
    label: str
    part: int
    rows: range
    columns: range
    reading: str


def parts_of(att: Attention | EncoderDecoderAttention) -> list[Part]:
    """The attentions in ``att`` with all their layers and heads: one, or encoder, decoder and cross.

    Raises ViewError for anything else.
    """
    if isinstance(att, EncoderDecoderAttention):
        return [_whole(name, getattr(att, name)) for name in ("encoder", "decoder", "cross")]
    if not isinstance(att, Attention):
        raise ViewError(
            f"a view draws an Attention, not {type(att).__name__}: call course.attend(model, text) first, "
            "and give what it returns"
        )
    return [_whole("all", att)]


def _whole(name: str, att: Attention) -> Part:
    labels = [tuple(map(label, tokens.texts)) for tokens in (att.queries, att.keys)]
    return Part(name, att, tuple(range(att.layers)), tuple(range(att.heads)), *labels)


def label(text: str) -> str:
    """A token as a view shows it: what is invisible escaped, what is very long cut."""
    text = shown(text)
    return text if len(text) <= LABEL_LENGTH else f"{text[: LABEL_LENGTH - 1]}…"


def checked(name: str, values: Iterable[int] | None, parts: list[Part]) -> tuple[int, ...] | None:
    """The indices ``values`` of ``name`` ("layer" or "head"), each of which every part has; None stays None.

    Raises AttentionError for an index that there is not, an empty list, or one that names something twice.
    """
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise AttentionError(f"{name}s must be a list such as {name}s=[0], not {values!r}")
    indices = tuple(checked_index(name, value, parts) for value in values)
    if not indices:
        raise AttentionError(f"{name}s is empty: name at least one {name}, or leave it out for all")
    twice = sorted({index for index in indices if indices.count(index) > 1})
    if twice:
        raise AttentionError(f"{name}s names {', '.join(map(str, twice))} more than once")
    return indices


def checked_index(name: str, value: Any, parts: list[Part]) -> int:
    """One index that every part has. Whole numbers of numpy and torch, as argmax gives them, are welcome.

    Raises AttentionError with the valid range.
    """
    if not isinstance(value, bool):
        with suppress(TypeError):
            value = operator.index(value)
    for part in parts:
        try:
            check_index(name, value, getattr(part.attention, f"{name}s"))
        except AttentionError as error:
            if len(parts) == 1:
                raise
            raise AttentionError(
                f"{error} in the {part.name}: to see one attention alone, pass .encoder, .decoder or .cross"
            ) from None
    return int(value)


def readings_of(att: Attention | EncoderDecoderAttention) -> dict[str, Attention | EncoderDecoderAttention]:
    """The attention as given, with sub-words merged, and without special tokens, where there are any."""
    records = [att] if isinstance(att, Attention) else [att.encoder, att.decoder, att.cross]
    tokens = [tokens for record in records for tokens in (record.queries, record.keys)]
    merges = any(len(group) > 1 for one in tokens for group in one.word_groups())
    drops = any(any(one.special) for one in tokens) and not any(all(one.special) for one in tokens)
    found = {READINGS[0]: att}
    if merges:
        found[READINGS[1]] = att.words()
    if drops:
        found[READINGS[2]] = att.without_special()
    if merges and drops:
        found[READINGS[3]] = att.words().without_special()
    return found


def offered(att: Attention | EncoderDecoderAttention, given: list[Part]) -> tuple[list[Part], list[Choice]]:
    """The parts and choices of a page: those given, and the same in every reading of the attention.

    Where all readings together would be more than `READ_WEIGHTS` weights, there is only the one given.
    """
    parts, choices = list(given), choices_of(given)
    if (1 + _OTHER_READINGS) * sum(part.weights.numel() for part in given) > READ_WEIGHTS:
        return parts, choices
    for reading, other in list(readings_of(att).items())[1:]:
        more = [
            replace(part, layers=one.layers, heads=one.heads) for part, one in zip(parts_of(other), given, strict=True)
        ]
        choices += [replace(choice, part=choice.part + len(parts)) for choice in choices_of(more, reading)]
        parts += more
    return parts, choices


def choices_of(parts: list[Part], reading: str = READINGS[0]) -> list[Choice]:
    """What the page offers of one reading: the parts, and for a sentence pair its four blocks."""
    whole = [
        Choice(part.name, part.name.capitalize(), i, range(len(part.queries)), range(len(part.keys)), reading)
        for i, part in enumerate(parts)
    ]
    return whole + _pair_choices(parts[0].attention, reading) if len(parts) == 1 else whole


def selects_of(choices: Sequence[Choice]) -> int:
    """How many selects the choices need in a page: one for what to show, one for how tokens are read."""
    return sum(len(names) > 1 for names in ({choice.label for choice in choices}, {one.reading for one in choices}))


def parts_by_reading(choices: Sequence[Choice]) -> dict[str, list[int]]:
    """The positions of the parts of each reading."""
    found: dict[str, dict[int, None]] = {}
    for choice in choices:
        found.setdefault(choice.reading, {})[choice.part] = None
    return {reading: list(positions) for reading, positions in found.items()}


def _pair_choices(att: Attention, reading: str) -> list[Choice]:
    """The blocks of a sentence pair; a special token belongs to the sentence before it."""
    if att.kind == "cross" or not att.queries.is_pair:
        return []
    if set(att.queries.segments) != {0, 1}:
        return []  # one sentence was truncated away
    second = att.queries.segments.index(1)
    of = {"A": range(second), "B": range(second, len(att.queries))}
    return [
        Choice(f"{a}→{b}", f"Sentence {a} → sentence {b}", 0, of[a], of[b], reading)
        for a, b in ("AA", "BB", "AB", "BA")
    ]


def chosen(choices: list[Choice], show: str | None) -> int:
    """The position of the choice of the first reading that is called ``show`` ("A->B" is "A→B"); 0 for None.

    Raises ViewError with the names that there are.
    """
    if show is None:
        return 0
    wanted = str(show).replace("->", "→").replace(" ", "").casefold()
    names = [choice.name for choice in choices if choice.reading == choices[0].reading]
    for i, name in enumerate(names):
        if name.casefold() == wanted:
            return i
    raise ViewError(f"show must be one of {', '.join(map(repr, names))} here, not {show!r}")


def quantised(weights: Tensor) -> NDArray[np.uint8]:
    """Weights from 0 to 1 as one byte each, round(255 w): off by at most 1/510."""
    steps = weights.numpy() * np.float32(255)
    return np.rint(steps.clip(0, 255, out=steps), out=steps).astype(np.uint8)
