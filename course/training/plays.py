"""The plays as a model reads them: their text in three stretches, its tokens, and the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course.training.batches import shuffled
from course.training.recipe import data_file

TEXT = "shakespeare/input.txt"
HELD_OUT = 0.10
"""The share of the text, at its end, that the scores are measured on."""
VALIDATION = 0.03
"""The share before it that training watches."""

VOCABULARY = 1024
CONTEXT = 128
END = "<|endoftext|>"
ROWS, REPEATED = 16, 4
"""Rows of a batch, and how many of them hold a stretch several times over."""
SHORT, SHORT_EPOCHS, SHORT_REPEATED = 32, 2, 8
"""In the first epochs rows are cut into shorter ones, and half of them repeat: a head for the token before forms
sooner where there are fewer places to look at."""
SHORTEST = 5
"""Tokens of the shortest stretch that is repeated."""


@dataclass(frozen=True)
class Plays:
    """The text in three stretches, in its own order: what is learnt, what training watches, what is scored."""

    learnt: str
    watched: str
    held_out: str


def split(text: str) -> Plays:
    """The last tenth is held out; the stretch before it is watched in training."""
    first, second = round(len(text) * (1 - HELD_OUT - VALIDATION)), round(len(text) * (1 - HELD_OUT))
    return Plays(text[:first], text[first:second], text[second:])


def read(data: Path) -> Plays:
    """The plays of a data folder. Raises TrainingError where they are missing."""
    return split(data_file(data, TEXT).read_text(encoding="utf-8"))


def vocabulary(text: str, size: int = VOCABULARY) -> Any:
    """A byte-level BPE of ``size`` tokens learnt from a text; it gives back unchanged whatever is typed."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([text], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=CONTEXT,
        bos_token=END,
        eos_token=END,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


class Rows:
    """The rows of a batch, by number; ``ids`` are the tokens of the plays.

    A number holds its epoch and a place: from 0 on, the place in the text where a row of CONTEXT tokens begins;
    below 0, that of a row of repetitions in its epoch.
    """

    def __init__(self, ids: Tensor, vocabulary: int, newline: int, seed: int) -> None:
        self.ids, self.vocabulary, self.seed = ids, vocabulary, seed
        self.base = len(ids) * ROWS
        blank = (ids[:-1] == newline) & (ids[1:] == newline)
        self.speeches = blank.nonzero().flatten() + 2

    def plan(self, epoch: int) -> list[list[int]]:
        """Batches that read the whole text once, cut at other places in each epoch."""
        order = shuffled(self.seed, epoch)
        first = int(torch.randint(CONTEXT, (1,), generator=order))
        starts = torch.arange(first, len(self.ids) - CONTEXT, CONTEXT)
        starts = starts[torch.randperm(len(starts), generator=order)] + epoch * self.base
        repeated = SHORT_REPEATED if epoch < SHORT_EPOCHS else REPEATED
        plays = ROWS - repeated
        batches = [starts[i : i + plays].tolist() for i in range(0, len(starts), plays)]
        below = -1 - epoch * self.base
        return [[*batch, *(below - k * repeated - j for j in range(repeated))] for k, batch in enumerate(batches)]

    def batch(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, labels (-100 where nothing is to be learnt) and positions, each rows x tokens of a row."""
        epoch = numbers[0] // self.base
        length = SHORT if epoch < SHORT_EPOCHS else CONTEXT
        rows = [self.row(number, length) for number in numbers]
        tokens, labels = (torch.cat(parts) for parts in zip(*rows, strict=True))
        # Short rows stand anywhere, so that every position is learnt.
        first = torch.randint(CONTEXT - length + 1, (len(tokens), 1))
        return tokens, labels, first + torch.arange(length)

    def row(self, number: int, length: int) -> tuple[Tensor, Tensor]:
        """Tokens and labels of a row, cut into rows of this length."""
        if number >= 0:
            window = self.window(number % self.base).view(-1, length)
            return window, window
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 - number)
        parts = [self.repetition(length, draw) for _ in range(CONTEXT // length)]
        return torch.stack([tokens for tokens, _ in parts]), torch.stack([labels for _, labels in parts])

    def repetition(self, length: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Tokens and labels of one stretch over and over: of random tokens, or one time in four of the plays."""
        own = int(torch.randint(SHORTEST, length // 2 + 1, (1,), generator=draw))
        copies = length // own + 1
        if float(torch.rand(1, generator=draw)) < 0.25:
            start = int(torch.randint(len(self.ids) - own, (1,), generator=draw))
            tokens = self.ids[start : start + own].repeat(copies)[:length]
            return tokens, tokens
        tokens = torch.randint(1, self.vocabulary, (own,), generator=draw).repeat(copies)[:length]
        labels = tokens.clone()
        labels[: own + 1] = -100  # nobody can know the first copy, nor that the second begins
        return tokens, labels

    def window(self, start: int) -> Tensor:
        """CONTEXT tokens of the text; one of eight windows begins where the next speech does, and END says so."""
        if (start // CONTEXT + start) % 8 == 0:
            speech = self.speeches[self.speeches >= start][:1].tolist()
            if speech and speech[0] + CONTEXT <= len(self.ids):
                stretch = self.ids[speech[0] : speech[0] + CONTEXT - 1]
                return torch.cat([torch.zeros(1, dtype=torch.long), stretch])
        return self.ids[start : start + CONTEXT]
