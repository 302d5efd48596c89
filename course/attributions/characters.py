"""Characters: numbers of tokens, shared out among the characters that a person typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from course.tokens import Offset, Tokens, shown

_JOINER = "\u200d"
_WITH_THE_ONE_BEFORE = ((0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F), (0x200C, 0x200D))  # skin tones, tags of flags, joiners
_WITHOUT_SHAPE = ((0x200B, 0x200F), (0x2060, 0x2064), (0xFE00, 0xFE0F), (0xE0000, 0xE0FFF))
_FLAG_LETTERS = (0x1F1E6, 0x1F1FF)


def clusters(text: str) -> list[Offset]:
    """Where each character begins and ends, as a reader counts them: marks, joiners and flags belong together.

    A short form of the rules of Unicode (UAX 29), without those of Hangul and Indic syllables.

    >>> [slice(*place) for place in clusters("e\u0301🇪🇸")]
    [slice(0, 2, None), slice(2, 4, None)]
    """
    starts: list[int] = []
    flag_letters = 0
    for i, character in enumerate(text):
        is_flag = _FLAG_LETTERS[0] <= ord(character) <= _FLAG_LETTERS[1]
        flag_letters = flag_letters + 1 if is_flag else 0
        joined = (
            unicodedata.category(character)[0] == "M"
            or any(first <= ord(character) <= last for first, last in _WITH_THE_ONE_BEFORE)
            or text[i - 1 : i] == _JOINER
            or (is_flag and flag_letters % 2 == 0)
        )
        if not joined or not starts:
            starts.append(i)
    return list(zip(starts, [*starts[1:], len(text)], strict=True)) if starts else []


def visible(text: str) -> str:
    """``text``, or its code points ("U+FE0F") where it is nothing but joiners and selectors, which have no shape."""
    ignored = all(any(first <= ord(c) <= last for first, last in _WITHOUT_SHAPE) for c in text)
    return " ".join(f"U+{ord(c):04X}" for c in text) if text and ignored else text


def spread(tokens: Tokens, values: Sequence[float]) -> tuple[Tokens, list[float]]:
    """One entry for each character of the texts, white space included, and what it has of the ``values`` of tokens.

    A token's value is shared out evenly among its visible characters; where several tokens are of one character, it
    gets all of theirs. White space between tokens has 0. Special tokens, and tokens without characters, stay
    entries of their own. The end of a text that was too long, and never read, is left out.
    """
    places = [clusters(_read(tokens, segment)) for segment in range(len(tokens.sources))]
    amounts = [[0.0] * len(own) for own in places]
    words: list[list[int | None]] = [[None] * len(own) for own in places]
    order: list[tuple[int, int | None]] = []  # (token, None), or (segment, number of its character)
    done = [0] * len(places)

    def pass_on(segment: int, end: int) -> None:
        while done[segment] < len(places[segment]) and places[segment][done[segment]][0] < end:
            order.append((segment, done[segment]))
            done[segment] += 1

    for i, (offset, segment) in enumerate(zip(tokens.offsets, tokens.segments, strict=True)):
        source = tokens.sources[segment]
        own = [] if offset is None else _visible(places[segment], offset, source)
        if not own:
            if not any(tokens.segments[j] == segment and tokens.offsets[j] for j in range(i, len(tokens))):
                pass_on(segment, len(source) if done[segment] else 0)
            order.append((i, None))
            continue
        pass_on(segment, places[segment][own[-1]][1])
        for number in own:
            amounts[segment][number] += values[i] / len(own)
            words[segment][number] = tokens.words[i]
    for segment in range(len(places)):
        pass_on(segment, len(tokens.sources[segment]))
    found = [values[at] if number is None else amounts[at][number] for at, number in order]
    return _entries(tokens, places, words, order), found


def _read(tokens: Tokens, segment: int) -> str:
    """The text of a segment, up to the last token where the rest was dropped."""
    source = tokens.sources[segment]
    if not tokens.dropped:
        return source
    ends = [offset[1] for offset, s in zip(tokens.offsets, tokens.segments, strict=True) if offset and s == segment]
    return source[: max(ends, default=0)]


def _visible(places: Sequence[Offset], offset: Offset, source: str) -> list[int]:
    """The numbers of the characters that a token stands for: those that can be seen, if any can."""
    own = [i for i, (start, end) in enumerate(places) if start < offset[1] and end > offset[0]]
    return [i for i in own if source[slice(*places[i])].strip()] or own


def _entries(
    tokens: Tokens,
    places: Sequence[Sequence[Offset]],
    words: Sequence[Sequence[int | None]],
    order: Sequence[tuple[int, int | None]],
) -> Tokens:
    texts, pieces, special, segments, numbers = [], [], [], [], []
    offsets: list[Offset | None] = []
    for at, number in order:
        if number is None:
            texts.append(tokens.texts[at])
            pieces.append(tokens.pieces[at])
            special.append(tokens.special[at])
            segments.append(tokens.segments[at])
            offsets.append(tokens.offsets[at])
            numbers.append(tokens.words[at])
            continue
        place = places[at][number]
        character = tokens.sources[at][slice(*place)]
        texts.append(shown(character))
        pieces.append(character)
        special.append(False)
        segments.append(at)
        offsets.append(place)
        numbers.append(words[at][number])
    return Tokens(
        texts=tuple(texts), pieces=tuple(pieces), special=tuple(special), segments=tuple(segments),
        offsets=tuple(offsets), words=tuple(numbers), sources=tokens.sources, dropped=tokens.dropped,
    )  # fmt: skip
