"""Text classifiers on MiniLM: the shared part of the recipes for sentiment and paraphrase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.training.adapters import adapted, learnt, mix
from course.training.batches import by_length, inputs, shuffled
from course.training.loop import Outcome, Schedule, fit, seed_everything
from course.training.recipe import Run, Trained

if TYPE_CHECKING:
    from course.models import Model

LONGEST = 128
"""Tokens of a training example; what is longer is cut. The longest of SST-2 has 66, of MRPC 100."""


@dataclass(frozen=True)
class Examples:
    """Texts or pairs of texts, each with the number of its label."""

    texts: tuple[tuple[str, ...], ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice) -> Examples:
        return Examples(self.texts[chosen], self.labels[chosen])


def train_classifier(
    run: Run,
    training: Callable[[int], Examples],
    validation: Examples,
    *,
    labels: Sequence[str],
    rank: int,
    schedule: Schedule,
    tokens: int,
    smoothing: float = 0.0,
    members: int = 1,
) -> Trained:
    """An adapter of this rank and a classifier, trained on the examples of each epoch, judged by accuracy.

    ``training`` gives the examples of an epoch, the same number in each; ``tokens`` is the size of a batch.
    Several ``members`` start alike and read the examples in other orders; their average, whose rank is the
    sum of theirs, is what the run leaves.
    """

    def start(rank: int) -> tuple[Any, Any]:
        seed_everything(run.seed)
        module, tokenizer = adapted(
            "sequence-classification",
            rank=rank,
            heads=["classifier", "pooler"],
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            num_labels=len(labels),
        )
        return module.to(run.device), tokenizer

    _, tokenizer = start(rank)
    epochs = [_encoded(tokenizer, training(epoch)[: run.examples]) for epoch in range(run.epochs or schedule.epochs)]
    filler = int(tokenizer.pad_token_id)
    encodings = [e for found, _ in epochs for e in found]
    targets = torch.tensor([label for _, found in epochs for label in found])
    held, wanted = _encoded(tokenizer, validation)

    def member(number: int) -> tuple[Any, Outcome]:
        module, _ = start(rank)
        order = run.seed * members + number
        torch.manual_seed(order)  # dropout

        def plan(epoch: int) -> list[list[int]]:
            first = sum(len(encodings) for encodings, _ in epochs[:epoch])
            lengths = [len(e.ids) for e in epochs[epoch][0]]
            return [[first + i for i in batch] for batch in by_length(lengths, tokens, shuffled(order, epoch))]

        def loss(batch: list[int]) -> torch.Tensor:
            logits = module(**_on(run, inputs(encodings, batch, filler))).logits
            return torch.nn.functional.cross_entropy(
                logits.float(), targets[batch].to(run.device), label_smoothing=smoothing
            )

        name = f"member-{number}" if members > 1 else "training"
        return module, fit(module, plan, loss, lambda: accuracy(module), schedule, run, name=name)

    def accuracy(module: torch.nn.Module) -> float:
        return float(np.mean(_argmax(module, held, filler, run) == np.asarray(wanted)))

    found = [member(number) for number in range(members)]
    module, _ = start(rank * members)
    mix(module, [learnt(single) for single, _ in found])
    module.eval()
    with torch.no_grad():
        best = accuracy(module)
    steps, seconds = (sum(column) for column in zip(*((o.steps, o.seconds) for _, o in found), strict=True))
    return Trained(module, None, Outcome(steps, best, steps, seconds))


def predicted(model: Model, texts: Sequence[tuple[str, ...]]) -> NDArray[np.intp]:
    """The number of the most probable label of each text or pair, at the model's full length."""
    tokenizer: Any = model.tokenizer
    columns = [list(column) for column in zip(*texts, strict=True)]
    encodings = tokenizer(*columns, truncation=True, max_length=model.limits.longest).encodings
    filler = int(tokenizer.pad_token_id)
    found = np.zeros(len(texts), dtype=np.intp)
    with torch.no_grad():
        for batch in by_length([len(e.ids) for e in encodings], 4096, shuffled(0, 0)):
            given = {name: tensor.to(model.device) for name, tensor in inputs(encodings, batch, filler).items()}
            found[batch] = model.module(**given).logits.argmax(-1).cpu().numpy()
    return found


def _encoded(tokenizer: Any, examples: Examples) -> tuple[list[Any], tuple[int, ...]]:
    columns = [list(column) for column in zip(*examples.texts, strict=True)]
    return tokenizer(*columns, truncation=True, max_length=LONGEST).encodings, examples.labels


def _argmax(module: torch.nn.Module, encodings: list[Any], filler: int, run: Run) -> NDArray[np.intp]:
    found = np.zeros(len(encodings), dtype=np.intp)
    for batch in by_length([len(e.ids) for e in encodings], 4096, shuffled(0, 0)):
        with torch.autocast(run.device.type, torch.bfloat16, enabled=run.precision == "bfloat16"):
            logits = module(**_on(run, inputs(encodings, batch, filler))).logits
        found[batch] = logits.float().argmax(-1).cpu().numpy()
    return found


def _on(run: Run, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(run.device) for name, tensor in tensors.items()}
