"""A corpus read in passing: texts or pairs from any iterable, tokenised, and put into batches of like length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from course.measures.batched import Marks
from course.tokenising import tokenise
from course.tokens import InputError

if TYPE_CHECKING:
    from course.models import Model

WINDOW = 2048
"""How many texts are tokenised and sorted by length at a time. Of 512 short sentences, padding is a sixth."""

TOKENS = {"cpu": 1024}
"""Tokens of a batch at most, with padding: few on a processor, for its caches are small (2,048 take 10 % longer)."""

TOKENS_ELSEWHERE = 16_384
"""The same on a GPU."""

WEIGHTS = 2**25
"""Attention weights of a batch at most, over all layers: 128 MiB. A single long text may have more."""

Item = tuple[str, str | None]


class Corpus:
    """Texts in the order in which they come; it remembers how many were read, and the sha256 of those.

    An item is a string, or a pair of strings. Raises InputError for anything else, and names the item by its number.
    """

    def __init__(self, texts: Iterable[str | Sequence[str]]) -> None:
        if isinstance(texts, str):
            raise InputError("texts must be several texts, not one string: give a list, [text]")
        self.total = len(texts) if isinstance(texts, Sized) else None
        self.read = 0
        self._texts = iter(texts)
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The sha256 of all texts read so far."""
        return self._digest.hexdigest()

    def skip(self, number: int) -> None:
        """Read so many texts and keep none; fewer if there are no more."""
        for _ in islice(self._items(), number):
            pass

    def windows(self) -> Iterator[list[Item]]:
        """All texts that are left, a window at a time."""
        items = self._items()
        while window := list(islice(items, WINDOW)):
            yield window

    def _items(self) -> Iterator[Item]:
        for text in self._texts:
            item = _item(text, self.read)
            for part in item:
                written = b"" if part is None else part.encode("utf-8", "surrogatepass")
                self._digest.update(f"{'-' if part is None else len(written)}:".encode() + written)
            self.read += 1
            yield item


@dataclass(frozen=True)
class Reading:
    """One text as the model takes it, with its marks; ``target`` are those of what a decoder reads."""

    inputs: dict[str, Tensor]
    source: Marks
    target: Marks | None
    dropped: int

    @property
    def longest(self) -> int:
        """Tokens of the longer side."""
        return max(len(self.source), 0 if self.target is None else len(self.target))


def reading(model: Model, item: Item, number: int, *, truncate: bool) -> Reading:
    """Tokenise one text, a pair, or a source and its target; InputError names the text by its number."""
    try:
        return _translation(model, item, truncate) if model.encoder_decoder else _single(model, item, truncate)
    except InputError as error:
        raise InputError(f"text {number} (counted from 0): {error}") from None


def batches(lengths: Sequence[int], weights: int, device: str = "cpu") -> list[list[int]]:
    """Numbers of texts of like length, together at most `TOKENS` and `WEIGHTS`, or one text alone.

    ``weights`` is how many weights there are for two tokens: layers times heads. ``device`` is its type.
    """
    tokens = TOKENS.get(device, TOKENS_ELSEWHERE)
    found: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        longest = lengths[found[-1][0]] if found else 0
        more = len(found[-1]) + 1 if found else 1
        if not found or more * longest > tokens or more * longest**2 * weights > WEIGHTS:
            found.append([])
        found[-1].append(i)
    return found


def padded(model: Model, readings: Sequence[Reading]) -> dict[str, Tensor]:
    """The inputs of a batch on the model's device, padded on the right, with their attention masks."""
    pad = model.tokenizer.pad_token_id or 0
    fillers = {"input_ids": pad, "decoder_input_ids": pad}
    inputs = {
        name: torch.nn.utils.rnn.pad_sequence([one.inputs[name] for one in readings], True, fillers.get(name, 0))
        for name in readings[0].inputs
    }
    return {name: tensor.to(model.device) for name, tensor in inputs.items()}


def _single(model: Model, item: Item, truncate: bool) -> Reading:
    tokens, inputs = tokenise(model, *item, truncate=truncate)
    return Reading(_with_mask(inputs), Marks.of(tokens, model.tokenizer), None, tokens.dropped)


def _translation(model: Model, item: Item, truncate: bool) -> Reading:
    source, target = item
    if target is None:
        raise InputError(f"{model.title} reads a source and writes a target: give pairs, (source, target)")
    read, inputs = tokenise(model, source, truncate=truncate)
    written, labels = tokenise(model, target, truncate=truncate, as_target=True)
    start = model.module.config.decoder_start_token_id
    if start is None:
        raise InputError(f"{model.title} names no decoder_start_token_id: its decoder cannot be started")
    ids = labels["input_ids"][0]
    shifted = torch.cat([torch.full_like(ids[:1], start), ids[:-1]])
    return Reading(
        {**_with_mask(inputs), "decoder_input_ids": shifted, "decoder_attention_mask": torch.ones_like(shifted)},
        Marks.of(read, model.tokenizer),
        Marks.of(written, model.tokenizer).shifted(),
        read.dropped + written.dropped,
    )


def _with_mask(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    rows = {name: tensor[0] for name, tensor in inputs.items()}
    return {**rows, "attention_mask": torch.ones_like(rows["input_ids"])}


def _item(text: object, number: int) -> Item:
    if isinstance(text, str):
        return text, None
    if isinstance(text, tuple | list) and len(text) == 2 and all(isinstance(part, str) for part in text):
        return text[0], text[1]
    raise InputError(f"text {number} (counted from 0) must be a string or a pair of strings, not {text!r:.60}")
