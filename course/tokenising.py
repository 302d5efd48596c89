"""tokenise(): from what a person types to what the model reads, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from course.tokens import InputError, Offset, Tokens, shown

if TYPE_CHECKING:
    import torch

    from course.models import Model


def tokenise(
    model: Model, text: str, pair: str | None = None, *, truncate: bool = False, as_target: bool = False
) -> tuple[Tokens, dict[str, torch.Tensor]]:
    """Tokens of one text or sentence pair, and the tensors (1 x tokens) that the model takes.

    Raises InputError for text that is empty, holds nothing the tokenizer knows, holds a lone surrogate, or
    is longer than ``model.limits.longest`` (unless ``truncate``: then the end is dropped and
    ``Tokens.dropped`` says how many tokens).
    """
    if not hasattr(model.tokenizer, "convert_ids_to_tokens"):  # None, or an image processor
        raise InputError(
            f"{model.title} reads images, and this reads texts: course.attend, rank and attribute take images"
            if model.reads_images
            else f"{model.title} has no tokenizer, so it reads no text"
        )
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
    if not tokenizer.is_fast:
        return False
    decoder = tokenizer.backend_tokenizer.decoder  # its state alone: the whole tokenizer as JSON takes 16 ms a text
    return decoder is not None and b'"ByteLevel"' in decoder.__getstate__()


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
