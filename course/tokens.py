"""Tokens: what the model reads, with the way back to what a person typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

Offset = tuple[int, int]

_PER_TOKEN = ("texts", "pieces", "special", "segments", "offsets", "words")
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"  # they hold emoji and Indic letters together; alone they are invisible


class InputError(ValueError):
    """The text or image given cannot be read by the model; the message says what to change."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of one input, in order; every field has one entry per token.

    ``texts`` are fit to be shown: byte-level pieces appear as the characters that were typed, and
    invisible or direction-changing characters as escapes. ``pieces`` are the tokenizer's own strings.
    ``special`` marks what the tokenizer added ([CLS], [SEP], <s> …). ``segments`` says which input a token
    comes from (0, or 1 for the second sentence); a special token counts with the text before it.
    ``offsets`` are character positions ``(start, end)`` in ``sources[segment]``, None for special
    tokens. ``words`` numbers the words; sub-words of one word share a number, special tokens have None.
    """

    texts: tuple[str, ...]
    pieces: tuple[str, ...]
    special: tuple[bool, ...]
    segments: tuple[int, ...]
    offsets: tuple[Offset | None, ...]
    words: tuple[int | None, ...]
    sources: tuple[str, ...]
    dropped: int = 0

    def __post_init__(self) -> None:
        sizes = {name: len(getattr(self, name)) for name in _PER_TOKEN}
        if len(set(sizes.values())) != 1:
            raise InputError(f"every field of Tokens needs one entry per token, but their lengths are {sizes}")
        if not self.texts:
            raise InputError("Tokens cannot be empty: give at least one token")

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __repr__(self) -> str:
        return f"Tokens({self.line})"

    @property
    def line(self) -> str:
        """All of them in one line."""
        return " ".join(self.texts)

    @property
    def special_positions(self) -> tuple[int, ...]:
        """Positions of the special tokens."""
        return tuple(i for i, special in enumerate(self.special) if special)

    @property
    def is_pair(self) -> bool:
        """Two sentences were given."""
        return len(self.sources) > 1

    def positions(self, text: str) -> tuple[int, ...]:
        """Positions of all tokens that are shown as ``text``, such as "[SEP]"."""
        return tuple(i for i, shown in enumerate(self.texts) if shown == text)

    def in_segment(self, segment: int) -> tuple[int, ...]:
        """Positions of the ordinary (not special) tokens of one sentence: 0 is the first, 1 the second."""
        return tuple(
            i for i, (s, special) in enumerate(zip(self.segments, self.special, strict=True))
            if s == segment and not special
        )  # fmt: skip

    def select(self, positions: Sequence[int]) -> Tokens:
        """Only the tokens at these positions."""
        picked: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in positions) for name in _PER_TOKEN}
        return replace(self, **picked)

    def word_groups(self) -> list[tuple[int, ...]]:
        """Positions of each word's tokens, in order; a special token is a group of its own."""
        keys = [(i, None) if w is None else (-1, w) for i, w in enumerate(self.words)]
        return [tuple(i for i, _ in group) for _, group in groupby(enumerate(keys), key=lambda item: item[1])]

    def merged(self) -> Tokens:
        """One token per word: sub-words joined, shown as the person typed them."""
        groups = self.word_groups()
        merged = self.select([group[0] for group in groups])
        spans = [_span([self.offsets[i] for i in group]) for group in groups]
        texts = tuple(
            self.texts[group[0]] if len(group) == 1 else self._joined(group, span)
            for group, span in zip(groups, spans, strict=True)
        )
        return replace(merged, texts=texts, offsets=tuple(spans))

    def _joined(self, group: Sequence[int], span: Offset | None) -> str:
        if span is not None:
            return shown(self.sources[self.segments[group[0]]][span[0] : span[1]].strip())
        return "".join(self.texts[i].removeprefix("##") for i in group)


def shown(text: str) -> str:
    """``text`` with invisible and direction-changing characters as escapes, so that it stays what it looks.

    Joiners and variation selectors stay where they have something to join; a token of nothing else would be blank.
    """
    joins = bool(text.strip(_JOINERS))
    return "".join(
        c if (joins if c in _JOINERS else c.isprintable()) else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


def _span(offsets: Sequence[Offset | None]) -> Offset | None:
    """From the first to the last known offset; the mark of a word's beginning may have none."""
    known = [offset for offset in offsets if offset is not None]
    return (known[0][0], known[-1][1]) if known else None
