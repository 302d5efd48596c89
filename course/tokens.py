"""Tokens: what the model reads, with the way back to what a person typed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from course.models import Model

Offset = tuple[int, int]

_PER_TOKEN = ("texts", "pieces", "special", "segments", "offsets", "words")
_JOINERS = "\u200c\u200d"  # invisible, but they hold emoji and Indic letters together


class InputError(ValueError):
    """The text given cannot be read by the model; the message says what to change."""


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
        return f"Tokens({' '.join(self.texts)})"

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
        picked = {name: tuple(getattr(self, name)[i] for i in positions) for name in _PER_TOKEN}
        return Tokens(**picked, sources=self.sources, dropped=self.dropped)

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
    """``text`` with invisible and direction-changing characters as escapes, so that it stays what it looks."""
    return "".join(
        c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )


def tokenise(
    model: Model, text: str, pair: str | None = None, *, truncate: bool = False, as_target: bool = False
) -> tuple[Tokens, dict[str, torch.Tensor]]:
    """Tokens of one text or sentence pair, and the tensors (1 x tokens) that the model takes.

    Raises InputError for text that is empty, holds nothing the tokenizer knows, holds a lone surrogate, or
    is longer than ``model.limits.longest`` (unless ``truncate``: then the end is dropped and
    ``Tokens.dropped`` says how many tokens).
    """
    sources = (text,) if pair is None else (text, pair)
    for name, source in zip(("text", "second text"), sources, strict=False):
        _check_text(name, source)
    encoding, dropped = _encode(model, sources, truncate=truncate, as_target=as_target)
    tokens = _describe(model.tokenizer, encoding, sources, dropped)
    for segment, source in enumerate(sources):
        if not tokens.in_segment(segment):
            raise InputError(
                f"the tokenizer of {model.title} finds no token in {source[:40]!r}: give it some visible text"
            )
    inputs = {
        name: encoding[name]
        for name in ("input_ids", "token_type_ids", "attention_mask")
        if name in encoding and (name != "attention_mask" or not as_target)
    }
    return tokens, inputs


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"the {name} must be a string, not {type(text).__name__}; for several texts, loop")
    if not text.strip():
        raise InputError(f"the {name} is empty or only spaces: give at least one word")
    lone = next((i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff"), None)
    if lone is not None:
        raise InputError(
            f"character {lone} of the {name} is a lone surrogate (U+{ord(text[lone]):04X}), half of a character: "
            "read the text again as UTF-8, or remove it"
        )


def _encode(model: Model, sources: tuple[str, ...], *, truncate: bool, as_target: bool) -> tuple[Any, int]:
    if model.tokenizer is None:
        raise InputError(f"{model.title} reads images, not text: it has no tokenizer")
    arguments: dict[str, Any] = {"return_tensors": "pt", "verbose": False, "padding": False}
    if as_target:
        arguments["text_target"] = sources[0]
    else:
        arguments.update(zip(("text", "text_pair"), sources, strict=False))
    encoding = model.tokenizer(**arguments, truncation=False)
    found, longest = encoding["input_ids"].shape[-1], model.limits.longest
    if longest is None or found <= longest:
        return encoding, 0
    if not truncate:
        raise InputError(
            f"this input is {found} tokens long and {model.title} reads at most {longest}: "
            f"shorten it, or pass truncate=True to keep the first {longest}"
        )
    encoding = model.tokenizer(**arguments, truncation=True, max_length=longest)
    return encoding, found - encoding["input_ids"].shape[-1]


def _describe(tokenizer: Any, encoding: Any, sources: tuple[str, ...], dropped: int) -> Tokens:
    ids = encoding["input_ids"][0].tolist()
    pieces = [str(piece) for piece in tokenizer.convert_ids_to_tokens(ids)]
    added = {
        tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id,
        tokenizer.pad_token_id,
    } - {tokenizer.unk_token_id}  # fmt: skip
    if tokenizer.is_fast:
        origins = encoding.sequence_ids(0)
        special = [origin is None or i in added for origin, i in zip(origins, ids, strict=True)]
        spans: list[Offset | None] = [
            None if origin is None else (token.start, token.end)
            for origin, token in zip(origins, map(encoding.token_to_chars, range(len(ids))), strict=True)
        ]
        numbers = encoding.word_ids(0)
    else:
        if len(sources) > 1:
            raise InputError(
                f"{type(tokenizer).__name__} cannot tell where the second sentence begins: load the fast tokenizer"
            )
        special = [i in added for i in ids]
        origins = [0] * len(ids)
        spans = _align(pieces, special, sources[0])
        numbers = [0] * len(ids)
    segments = _segments(origins)
    for i, is_special in enumerate(special):
        if is_special:
            spans[i] = None
    return Tokens(
        texts=_labels(pieces, special, spans, segments, sources, byte_level=_is_byte_level(tokenizer)),
        pieces=tuple(pieces),
        special=tuple(special),
        segments=segments,
        offsets=tuple(spans),
        words=_words(numbers, special, spans, segments, sources, pieces),
        sources=sources,
        dropped=dropped,
    )


def _segments(origins: Sequence[int | None]) -> tuple[int, ...]:
    """A special token belongs to the sentence before it; one at the very beginning, to the first."""
    current, segments = 0, []
    for origin in origins:
        current = current if origin is None else origin
        segments.append(current)
    return tuple(segments)


def _is_byte_level(tokenizer: Any) -> bool:
    return tokenizer.is_fast and '"ByteLevel"' in json.dumps(
        json.loads(tokenizer.backend_tokenizer.to_str()).get("decoder")
    )


def _labels(
    pieces: Sequence[str],
    special: Sequence[bool],
    spans: Sequence[Offset | None],
    segments: Sequence[int],
    sources: Sequence[str],
    *,
    byte_level: bool,
) -> tuple[str, ...]:
    labels = []
    for i, piece in enumerate(pieces):
        span = spans[i]
        if special[i] or span is None or not byte_level:
            labels.append(shown(piece.replace("▁", "") or "␣"))
            continue
        label = shown(sources[segments[i]][span[0] : span[1]].strip() or "␣")
        same = [j for j, other in enumerate(spans) if other == span and segments[j] == segments[i]]
        # One character spread over several byte-level tokens, as emoji are: say which part this is.
        labels.append(label if len(same) == 1 else f"{label} {same.index(i) + 1}/{len(same)}")
    return tuple(labels)


def _words(
    numbers: Sequence[int | None],
    special: Sequence[bool],
    spans: Sequence[Offset | None],
    segments: Sequence[int],
    sources: Sequence[str],
    pieces: Sequence[str],
) -> tuple[int | None, ...]:
    """Number the words: a new one where the tokenizer says so, at white space and at a new sentence."""
    words: list[int | None] = []
    word, last = -1, None
    for i, number in enumerate(numbers):
        if special[i] or number is None:
            words.append(None)
            last = None
            continue
        joined = (
            last is not None
            and numbers[last] == number
            and segments[last] == segments[i]
            and not _gap(spans[last], spans[i], sources[segments[i]], pieces[i])
        )
        word += not joined
        words.append(word)
        last = i
    return tuple(words)


def _gap(before: Offset | None, here: Offset | None, source: str, piece: str) -> bool:
    if before is None or here is None:
        return piece.startswith("▁")
    start, end = min(before[1], here[0]), here[0] + 1
    return any(c.isspace() for c in source[start:end])


def _align(pieces: Sequence[str], special: Sequence[bool], source: str) -> list[Offset | None]:
    """Offsets for a tokenizer that gives none: each piece is looked up in the text, left to right."""
    spans: list[Offset | None] = []
    at = 0
    for piece, is_special in zip(pieces, special, strict=True):
        text = piece.replace("▁", "")
        start = -1 if is_special or not text else source.find(text, at)
        spans.append(None if start < 0 else (start, start + len(text)))
        at = at if start < 0 else start + len(text)
    return spans


def _span(offsets: Sequence[Offset | None]) -> Offset | None:
    """From the first to the last known offset; the mark of a word's beginning may have none."""
    known = [offset for offset in offsets if offset is not None]
    return (known[0][0], known[-1][1]) if known else None
