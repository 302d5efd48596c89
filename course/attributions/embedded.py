"""Embedded: an input at the place where a model embeds it, beside the input that it is compared with.

Attributions start here, and nothing here knows of words: ``Embedded`` is as good for the patches of an image as for
the tokens of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


class AttributionError(ValueError):
    """This cannot be attributed; the message says what to change."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """What a score is attributed to: the output of ``layer``, rows x positions x size, a vector for each position.

    ``inputs`` is what the model is given (1 x …, such as word vectors or pixels), ``baseline`` of the same shape is
    what it is compared with. ``score`` runs the model on rows of such inputs and returns one number a row. ``rows``
    is how many rows may be run at once.

    Raises AttributionError where the shapes differ or a number is NaN or infinite.
    """

    module: nn.Module
    layer: nn.Module
    inputs: Tensor
    baseline: Tensor
    score: Callable[[Tensor], Tensor]
    rows: int

    def __post_init__(self) -> None:
        if self.inputs.shape != self.baseline.shape or self.inputs.shape[0] != 1:
            raise AttributionError(
                f"input and baseline must be one row of the same shape, not {tuple(self.inputs.shape)} and "
                f"{tuple(self.baseline.shape)}"
            )
        if self.rows < 1:
            raise AttributionError(f"at least one row must be run at once, not {self.rows}")

    def scores(self, inputs: Tensor) -> Tensor:
        """The score of each row, in double precision on the CPU; run in portions of ``rows``, without gradients."""
        with torch.no_grad():
            found = torch.cat([self.score(some) for some in torch.split(inputs, self.rows)]).double().cpu()
        if not torch.isfinite(found).all():
            raise AttributionError("the model returned scores that are not numbers (NaN or infinity)")
        return found


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Evaluation mode and gradients on demand for as long as this is open; then everything is as it was.

    Also after an exception, and also where the caller is in ``torch.no_grad`` or ``torch.inference_mode``.
    """
    training = [part for part in module.modules() if part.training]
    try:
        for part in training:
            part.training = False
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for part in training:
            part.training = True


def embeddings_of(module: Any, title: str) -> nn.Module:
    """The module whose output the layers of a model read first, where attributions are taken.

    In BERT, DistilBERT, RoBERTa, ELECTRA and ViT it adds positions (and segments) to the words or patches.
    Raises AttributionError for a model without one.
    """
    found = getattr(getattr(module, "base_model", None), "embeddings", None)
    if not isinstance(found, nn.Module):
        raise AttributionError(
            f"{title} is a {type(module).__name__}, which has no module that makes all its embeddings: supported are "
            "BERT, DistilBERT, RoBERTa, ELECTRA, ViT and their like"
        )
    return found


def rows_at_once(module: Any, positions: int, budget: int = 100_000_000) -> int:
    """How many rows of so many positions to run at once, so that about ``budget`` numbers are kept for gradients.

    At 100 million (0.4 GB), 32 steps of 40 tokens are one portion in MiniLM, and at 512 tokens each has two.
    """
    config = module.config
    heads, layers = int(config.num_attention_heads), int(config.num_hidden_layers)
    kept = layers * positions * (4 * heads * positions + 20 * int(config.hidden_size))
    return max(1, budget // kept)
