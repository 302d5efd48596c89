"""continued(): tokens of a text together with those that a model wrote after it, without tokenising them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from course.tokens import Offset, Tokens, shown


def continued(tokenizer: Any, tokens: Tokens, prompt: Sequence[int], written: Sequence[int]) -> Tokens:
    """``tokens``, of which the numbers are ``prompt``, and after them those numbered ``written``.

    Text that is decoded and cut again can fall into other tokens than the model wrote; so the tokens are kept, and
    the source grows by what they say. Tokens that share a character, as in byte-level models, share its offsets.
    """
    if not written:
        return tokens
    special = set(tokenizer.all_special_ids)
    source = tokens.sources[-1]
    before = len(_decoded(tokenizer, prompt))
    said = [_decoded(tokenizer, [*prompt, *written[:count]])[before:] for count in range(len(written) + 1)]
    ends = [len(source) + _common(part, said[-1]) for part in said]
    source += said[-1]
    spans: list[Offset | None] = []
    for i, number in enumerate(written):
        end = next((end for end in ends[i + 1 :] if end > ends[i]), ends[-1])
        span = (ends[i], end) if end > ends[i] or not spans or spans[-1] is None else spans[-1]
        spans.append(None if number in special else span)
    pieces = [str(piece) for piece in tokenizer.convert_ids_to_tokens(list(written))]
    texts = [
        shown(piece) if span is None else _label(source, spans, i)
        for i, (piece, span) in enumerate(zip(pieces, spans, strict=True))
    ]
    return replace(
        tokens,
        texts=(*tokens.texts, *texts),
        pieces=(*tokens.pieces, *pieces),
        special=(*tokens.special, *(span is None for span in spans)),
        segments=(*tokens.segments, *[tokens.segments[-1]] * len(written)),
        offsets=(*tokens.offsets, *spans),
        words=(*tokens.words, *_words(tokens, spans, source)),
        sources=(*tokens.sources[:-1], source),
    )


def _decoded(tokenizer: Any, numbers: Sequence[int]) -> str:
    text: str = tokenizer.decode(list(numbers), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def _joined(source: str, last: Offset, span: Offset) -> bool:
    before, here = source[last[0] : last[1]], source[span[0] : span[1]]
    if not before or not here or here[0].isspace():
        return False
    return before == " " or _sort(before[-1]) == _sort(here[0])


def _sort(character: str) -> str:
    sorts = {"letter": str.isalpha, "digit": str.isnumeric, "space": str.isspace}
    return next((name for name, belongs in sorts.items() if belongs(character)), "sign")


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _label(source: str, spans: Sequence[Offset | None], i: int) -> str:
    span = spans[i]
    assert span is not None
    label = shown(source[span[0] : span[1]].strip() or "␣")
    same = [j for j, other in enumerate(spans) if other == span]
    # One character spread over several byte-level tokens, as emoji are: say which part this is.
    return label if len(same) == 1 else f"{label} {same.index(i) + 1}/{len(same)}"


def _words(tokens: Tokens, spans: Sequence[Offset | None], source: str) -> list[int | None]:
    """Numbers of words as GPT-2 cuts them: runs of letters, digits or other signs, each with one space before it."""
    found: list[int | None] = []
    word = max((number for number in tokens.words if number is not None), default=-1)
    last, last_word = tokens.offsets[-1], tokens.words[-1]
    for span in spans:
        if span is None:
            found.append(None)
        else:
            joined = last_word is not None and last is not None and (span == last or _joined(source, last, span))
            word += not joined
            found.append(word)
        last, last_word = span, found[-1]
    return found
