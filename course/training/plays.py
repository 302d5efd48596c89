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
"""The share at its beginning that training watches."""

VOCABULARY = 512
CONTEXT = 256
END = "<|endoftext|>"
ROWS, REPEATED = 8, 1
"""Rows of a batch, and how many of them hold a stretch several times over."""
EXERCISE, SHORT = 500, 128
"""Batches of nothing but repetitions, before the first play is read: epoch 0; and the length of their rows."""
SHORTEST, EASY, GROWTH = 2, 4, 0.12
"""Tokens of the shortest stretch that is repeated; of the longest at first; and by how much that grows a batch."""


@dataclass(frozen=True)
class Plays:
    """The text in three stretches, in its own order: what training watches, what is learnt, what is scored."""

    watched: str
    learnt: str
    held_out: str


def split(text: str) -> Plays:
    """The last tenth is held out; the beginning is watched in training."""
    first, second = round(len(text) * VALIDATION), round(len(text) * (1 - HELD_OUT))
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
    """The rows of a batch, by number: from 0 on the places in the text where one begins, epoch after epoch, below 0
    repetitions.
    """

    def __init__(self, epochs: Sequence[Tensor], vocabulary: int, newline: int, seed: int) -> None:
        """``epochs`` are the tokens of the plays as epochs 1, 2, … read them."""
        self.epochs, self.vocabulary, self.seed = epochs, vocabulary, seed
        self.base = max(map(len, epochs), default=0)
        self.exercises = EXERCISE * ROWS * CONTEXT // SHORT
        self.speeches = [_speeches(ids, newline) for ids in epochs]

    def plan(self, epoch: int) -> list[list[int]]:
        """Batches of the exercise (epoch 0), or such as read the whole text once, cut at other places each time."""
        if epoch == 0:
            rows = ROWS * CONTEXT // SHORT
            return [[-1 - k * rows - j for j in range(rows)] for k in range(EXERCISE)]
        order = shuffled(self.seed, epoch)
        first = int(torch.randint(CONTEXT, (1,), generator=order))
        starts = torch.arange(first, len(self.epochs[epoch - 1]) - CONTEXT, CONTEXT)
        starts = starts[torch.randperm(len(starts), generator=order)] + (epoch - 1) * self.base
        plays = ROWS - REPEATED
        batches = [starts[i : i + plays].tolist() for i in range(0, len(starts), plays)]
        below = -1 - self.exercises - epoch * self.base
        return [[*batch, *(below - k * REPEATED - j for j in range(REPEATED))] for k, batch in enumerate(batches)]

    def batch(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Tokens, and labels (-100 where nothing is to be learnt), each rows x SHORT in the exercise, or x CONTEXT."""
        rows = [self.window(number) if number >= 0 else self.repetition(number) for number in numbers]
        tokens, labels = (torch.stack(parts) for parts in zip(*rows, strict=True))
        return tokens, labels

    def repetition(self, number: int) -> tuple[Tensor, Tensor]:
        """Tokens and labels of one stretch of random tokens, over and over.

        Stretches are short at first and grow: what came after the last copy is soon found among few tokens, and a
        head that finds it has only to look farther then.
        """
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 - number)
        length, longest = CONTEXT, CONTEXT // 2
        if -1 - number < self.exercises:
            done = EXERCISE * (-1 - number) // self.exercises
            length, longest = SHORT, min(SHORT // 2, round(EASY + GROWTH * done))
        own = int(torch.randint(SHORTEST, longest + 1, (1,), generator=draw))
        tokens = torch.randint(1, self.vocabulary, (own,), generator=draw).repeat(length // own + 1)[:length]
        labels = tokens.clone()
        labels[: own + 1] = -100  # nobody can know the first copy, nor that the second begins
        return tokens, labels

    def window(self, number: int) -> tuple[Tensor, Tensor]:
        """CONTEXT tokens of the text; one of eight windows begins where the next speech does, and END says so."""
        epoch, start = divmod(number, self.base)
        ids, speeches = self.epochs[epoch], self.speeches[epoch]
        tokens = ids[start : start + CONTEXT]
        if (start // CONTEXT + start) % 8 == 0:
            speech = speeches[speeches >= start][:1].tolist()
            if speech and speech[0] + CONTEXT <= len(ids):
                tokens = torch.cat([torch.zeros(1, dtype=torch.long), ids[speech[0] : speech[0] + CONTEXT - 1]])
        return tokens, tokens


def _speeches(ids: Tensor, newline: int) -> Tensor:
    """Where speeches begin: after an empty line."""
    blank = (ids[:-1] == newline) & (ids[1:] == newline)
    return blank.nonzero().flatten() + 2
