"""Batches: which examples are computed together, in an order that the seed and the epoch decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def shuffled(seed: int, epoch: int) -> torch.Generator:
    """The generator of one epoch's order: the same for the same seed and epoch, however often a run resumes."""
    return torch.Generator().manual_seed(seed * 100_003 + epoch)


def by_length(lengths: Sequence[int], tokens: int, order: torch.Generator) -> list[list[int]]:
    """Batches of examples of about the same length, each of at most ``tokens`` tokens with padding.

    Examples of equal length are mixed anew in each order, and so are the batches. An example longer than
    ``tokens`` is a batch of its own.
    """
    mixed = torch.randperm(len(lengths), generator=order).tolist()
    # A little noise, so that neighbours change from epoch to epoch although lengths do not.
    noise = torch.rand(len(lengths), generator=order).tolist()
    batches: list[list[int]] = [[]]
    longest = 0
    for i in sorted(mixed, key=lambda i: lengths[i] + 2 * noise[i]):
        longest = max(longest, lengths[i])
        if batches[-1] and longest * (len(batches[-1]) + 1) > tokens:
            batches.append([])
            longest = lengths[i]
        batches[-1].append(i)
    return [batches[i] for i in torch.randperm(len(batches), generator=order).tolist() if batches[i]]


def padded(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    """Rows of token ids as one matrix (rows x longest), the shorter ones filled up on the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], dtype=torch.long)


def inputs(encodings: Sequence[Any], indices: Sequence[int], filler: int) -> dict[str, torch.Tensor]:
    """What a BERT takes for these examples: input_ids, token_type_ids and attention_mask (rows x longest).

    ``encodings`` are the tokenizers library's, one an example (``tokenizer(...).encodings``).
    """
    chosen = [encodings[i] for i in indices]
    return {
        "input_ids": padded([e.ids for e in chosen], filler),
        "token_type_ids": padded([e.type_ids for e in chosen], 0),
        "attention_mask": padded([[1] * len(e.ids) for e in chosen], 0),
    }
